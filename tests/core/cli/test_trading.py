import pytest

FAR = ("--limit", "150", "--tif", "gtc")


def buy(cli, *arguments, order_id="a1"):
    return cli("buy", "AAPL", "10", "--client-order-id", order_id, "--json", *arguments)


def test_bought_position_is_there_for_the_next_command(cli):
    bought = cli("buy", "AAPL", "10", "--wait", "--json")
    held = cli("positions", "--json").json["positions"]

    assert (0, "FILLED") == (bought.code, bought.json["order"]["status"])
    assert [("AAPL", "10")] == [(one["symbol"], one["quantity"]) for one in held]


@pytest.mark.parametrize(
    "arguments",
    [
        ("buy", "AAPL", "1"),
        ("sell", "AAPL", "1"),
        ("buy", "AAPL", "1", "--preview"),
        ("cancel", "--all"),
        ("close", "--all"),
        ("halt", "--account", "paper-1"),
        ("resume", "--account", "paper-1"),
    ],
)
def test_provider_environment_and_account_stand_first(cli, arguments):
    found = cli(*arguments)
    as_json = cli(*arguments, "--json")

    assert (0, "mock (SIMULATED), account paper-1") == (found.code, found.lines[0])
    origin = {"provider": "mock", "environment": "SIMULATED", "account_id": "paper-1"}
    assert origin.items() <= as_json.json.items()


def test_text_shows_terms_and_ids(cli):
    found = cli("buy", "AAPL", "10", *FAR, "--client-order-id", "a1")

    assert ["BUY 10 AAPL LIMIT 150 GTC: OPEN", "id a1, venue id 1000001"] == found.lines[1:]


def test_made_ids_are_short_and_different(cli):
    ids = [cli("buy", "AAPL", "1", "--json").json["order"]["client_order_id"] for _ in range(2)]

    assert [12, 12] == [*map(len, ids)]
    assert ids[0] != ids[1]


def test_notional_buys_for_an_amount(cli):
    found = cli("buy", "BTC/USD", "--notional", "1000", "--wait", "--json").json["order"]

    assert ("FILLED", "1000") == (found["status"], found["notional"])


def test_replace_changes_what_is_named_only(cli):
    buy(cli, *FAR)

    found = cli("replace", "a1", "--limit", "151", "--json").json["order"]

    assert ("151", "10", 1) == (found["limit_price"], found["quantity"], found["revision"])


def test_replace_takes_a_leg_off(cli):
    buy(cli, *FAR, "--stop-loss", "140", "--take-profit", "160")

    found = cli("replace", "a1", "--stop-loss", "none")

    left = [order["client_order_id"] for order in cli("orders", "--json").json["orders"]]
    assert (0, ["a1", "a1-tp"]) == (found.code, left)


def test_cancel_by_client_id_and_by_venue_id(cli):
    buy(cli, *FAR)
    venue_id = buy(cli, *FAR, order_id="a2").json["order"]["venue_order_ids"][0]

    found = [cli("cancel", name, "--json") for name in ("a1", venue_id)]

    assert ["CANCELED", "CANCELED"] == [one.json["order"]["status"] for one in found]


def test_cancel_of_an_ended_order_shows_it(cli):
    buy(cli, "--wait")

    found = cli("cancel", "a1", "--json")

    assert (0, "FILLED") == (found.code, found.json["order"]["status"])


def test_cancel_all_has_one_result_for_each_order(cli):
    for number in range(3):
        buy(cli, *FAR, order_id=f"a{number}")

    found = cli("cancel", "--all", "--json").json["results"]

    assert ["a0", "a1", "a2"] == [one["client_order_id"] for one in found]
    assert {"CANCELED"} == {one["order"]["status"] for one in found}
    assert [] == cli("orders", "--json").json["orders"]


def test_cancel_all_of_a_symbol_leaves_the_others(cli):
    buy(cli, *FAR)
    cli("buy", "MSFT", "1", "--limit", "300", "--client-order-id", "m1")

    cli("cancel", "--all", "--symbol", "AAPL")

    assert ["m1"] == [one["client_order_id"] for one in cli("orders", "--json").json["orders"]]


def test_close_takes_a_part_and_then_the_rest(cli):
    cli("buy", "AAPL", "10", "--wait")

    part = cli("close", "AAPL", "4", "--wait", "--json").json["order"]
    rest = cli("close", "AAPL", "--wait", "--json").json["order"]

    assert [("SELL", "4"), ("SELL", "6")] == [
        (one["side"], one["quantity"]) for one in (part, rest)
    ]
    assert [] == cli("positions", "--json").json["positions"]


def test_close_all_leaves_the_account_flat(cli):
    cli("buy", "AAPL", "10", "--wait")
    cli("sell", "MES", "1", "--wait")

    found = cli("close", "--all")

    assert 0 == found.code
    assert 2 == sum("FILLED" in line for line in found.lines[2:])
    assert ["no open positions"] == cli("positions").lines


def test_wait_that_runs_out_leaves_the_order_open(cli):
    found = buy(cli, *FAR, "--wait", "--timeout", "0.1")

    assert (7, "", 7) == (found.code, found.out, found.error["exit_code"])
    assert ["OPEN"] == [one["status"] for one in cli("orders", "--json").json["orders"]]


def test_preview_sends_nothing(cli):
    good = cli("buy", "AAPL", "10", "--preview", "--json")
    bad = cli("buy", "AAPL", "10", "--limit", "150.001", "--preview", "--json")

    assert (0, True) == (good.code, good.json["is_acceptable"])
    assert (2, False) == (bad.code, bad.json["is_acceptable"])
    assert ["limit_price"] == [one["field"] for one in bad.json["preview"]["violations"]]
    assert [] == cli("orders", "--all", "--json").json["orders"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("buy",), 2, "SYMBOL"),
        (("buy", "AAPL"), 2, "quantity"),
        (("buy", "AAPL", "ten"), 2, "'ten'"),
        (("buy", "AAPL", "-5"), 2, "-5"),
        (("buy", "AAPL", "10", "--limit", "150.001"), 2, "tick"),
        (("buy", "AAPL", "10", "--type", "guess"), 2, "guess"),
        (("buy", "AAPL", "10", "--expires", "soon"), 2, "--expires"),
        (("buy", "NOPE", "10"), 2, "NOPE"),
        (("buy", "AAPL", "99999999"), 1, "INSUFFICIENT_FUNDS"),
        (("replace", "a1", "--limit", "1"), 2, "'a1'"),
        (("cancel",), 2, "--all"),
        (("cancel", "a1", "--all"), 2, "not both"),
        (("cancel", "a1"), 2, "'a1'"),
        (("close", "AAPL"), 2, "'AAPL'"),
        (("close", "NOPE"), 2, "NOPE"),
        (("fly",), 2, "fly"),
    ],
)
def test_error_is_one_line_with_its_exit_code(cli, arguments, code, words):
    found = cli(*arguments)
    as_json = cli(*arguments, "--json")

    assert (code, "", 1) == (found.code, found.out, len(found.err.splitlines()))
    assert words in found.err
    assert (code, code) == (as_json.code, as_json.error["exit_code"])


@pytest.mark.parametrize(
    ("fault", "code", "outcome"),
    [
        ("submit#1 reject(reason=MARKET_CLOSED)", 1, "REJECTED"),
        ("submit#1 server_error", 4, "UNKNOWN"),
        ("submit#1 refuse_connection", 5, "NOT_SENT"),
    ],
)
def test_exit_code_tells_what_the_venue_knows(cli, fault, code, outcome):
    found = buy(cli, "--timeout", "0.2", "--option", f"faults={fault}")

    assert (code, outcome) == (found.code, found.error["outcome"])


def test_order_of_unknown_fate_is_named(cli):
    found = buy(cli, "--timeout", "0.2", "--option", "faults=submit#1 server_error")

    assert "a1" == found.error["client_order_id"]
    assert "never send it again" in found.error["next_step"]


def test_same_client_id_with_other_terms_is_refused(cli):
    buy(cli, *FAR)

    found = buy(cli, "--limit", "149")

    assert (2, "DuplicateOrderError") == (found.code, found.error["type"])


def test_real_money_is_refused_where_nobody_can_be_asked(cli):
    found = cli("buy", "AAPL", "1", "--provider", "toy-live")

    assert (2, True) == (found.code, "--yes" in found.err)


@pytest.mark.parametrize("answer", ["", "n\n", "yesterday\n"])
def test_real_money_moves_only_after_a_yes(cli, answer):
    refused = cli("buy", "AAPL", "1", "--provider", "toy-live", answer=answer)

    assert (2, "") == (refused.code, refused.out)
    assert "Real money: toy-live (LIVE), account paper-1: BUY 1 AAPL MARKET." in refused.err
    assert [] == cli("orders", "--all", "--json", "--provider", "toy-live").json["orders"]


@pytest.mark.parametrize(("arguments", "answer"), [(("--yes",), None), ((), "y\n")])
def test_real_money_moves_once_confirmed(cli, arguments, answer):
    found = cli("buy", "AAPL", "1", "--provider", "toy-live", *arguments, answer=answer)

    assert (0, "toy-live (LIVE), account paper-1") == (found.code, found.lines[0])


@pytest.mark.parametrize("command", [("close", "--all"), ("replace", "a1", "--limit", "1")])
def test_every_command_that_trades_asks_for_real_money(cli, command):
    assert "--yes" in cli(*command, "--provider", "toy-live").err


def test_cancel_never_asks(cli):
    assert 0 == cli("cancel", "--all", "--provider", "toy-live").code


def test_part_of_a_position_is_closed_by_either_spelling(cli):
    cli("buy", "AAPL", "10", "--wait")

    closed = [
        cli("close", "AAPL", *spelling, "--wait", "--json").json["order"]["filled_quantity"]
        for spelling in (("4",), ("--quantity", "5"))
    ]

    assert ["4", "5"] == closed
    assert 2 == cli("close", "AAPL", "1", "--quantity", "1").code
    assert 2 == cli("close", "--all", "--quantity", "1").code
