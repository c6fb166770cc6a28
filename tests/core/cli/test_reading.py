import pytest


def test_account_shows_its_totals(cli):
    found = cli("account")
    as_json = cli("account", "--json").json["account"]

    assert any(line.split() == ["cash", "100000", "USD"] for line in found.lines)
    assert ("paper-1", "100000") == (as_json["account_id"], as_json["cash"])


def test_quotes_come_in_the_order_asked_for_and_resolve_aliases(cli):
    found = cli("quote", "MES", "AAPL", "MES", "--json").json["quotes"]

    assert "AAPL" == found[1]["symbol"]
    assert found[0]["symbol"].startswith("MES")
    assert 2 == len(found)


def test_numbers_stand_to_the_right(cli):
    title, first, second = cli("quote", "AAPL", "BTC/USD").lines

    end = title.index("BID") + len("BID_SIZE")
    ask = title.index("  ASK ") + len("  ASK")
    assert {" "} == {line[end] for line in (title, first, second)}
    assert {True} == {line[ask - 1].isalnum() and line[ask] == " " for line in (first, second)}


def test_times_end_in_z(cli):
    assert cli("quote", "AAPL").lines[1].endswith("Z")


def test_open_orders_leave_out_what_has_ended(cli):
    cli("buy", "AAPL", "1", "--wait", "--client-order-id", "done")
    cli("buy", "AAPL", "1", "--limit", "150", "--client-order-id", "open")

    shown = {
        flag: [order["client_order_id"] for order in cli("orders", *flag, "--json").json["orders"]]
        for flag in [(), ("--open",), ("--all",)]
    }

    assert {(): ["open"], ("--open",): ["open"], ("--all",): ["done", "open"]} == shown


def test_orders_and_fills_of_one_symbol(cli):
    cli("buy", "AAPL", "1", "--wait")
    cli("buy", "MES", "1", "--wait")

    orders = cli("orders", "--all", "--symbol", "MES", "--json").json["orders"]
    fills = cli("fills", "--symbol", "MES", "--json").json["fills"]

    assert (1, 1) == (len(orders), len(fills))
    assert orders[0]["symbol"] == fills[0]["symbol"]


def test_fills_name_their_order_and_cost(cli):
    cli("buy", "MES", "1", "--wait", "--client-order-id", "m1")

    row = cli("fills").lines[1].split()

    assert ("BUY", "1", "0.62", "USD", "m1") == (row[1], row[2], row[-3], row[-2], row[-1])


def test_window_bounds_what_is_listed(cli):
    cli("buy", "AAPL", "1", "--wait")

    before = cli("fills", "--end", "2020-01-01", "--json").json["fills"]
    after = cli("fills", "--start", "2020-01-01T00:00:00Z", "--json").json["fills"]

    assert (0, 1) == (len(before), len(after))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("quote",), "at least one symbol"),
        (("quote", "NOPE"), "NOPE"),
        (("orders", "--all", "--open"), "not both"),
        (("orders", "--start", "2026-01-01"), "--all"),
        (("fills", "--start", "yesterday"), "--start"),
        (("fills", "--start", "2026-01-02", "--end", "2026-01-01"), "end"),
    ],
)
def test_wrong_question_is_refused(cli, arguments, words):
    found = cli(*arguments)

    assert (2, "") == (found.code, found.out)
    assert words in found.err


@pytest.mark.parametrize("command", ["positions", "orders", "fills"])
def test_nothing_is_said_not_shown_as_an_empty_table(cli, command):
    (line,) = cli(command).lines

    assert line.startswith("no ")


def test_tables_fit_a_terminal_of_80_columns(cli):
    cli("buy", "AAPL", "1234", "--limit", "150", "--stop-loss", "140", "--take-profit", "160")
    cli("buy", "BTC/USD", "0.12345678", "--wait")

    for command in (("orders", "--all"), ("positions",), ("fills",), ("account",)):
        shown = cli(*command, is_terminal=True)
        assert 80 >= max(map(len, shown.lines))
        assert "…" not in shown.out
