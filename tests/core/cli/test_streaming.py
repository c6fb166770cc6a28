import json

import pytest

FAST = ("--option", "speed=100")


def test_each_event_is_one_line_of_json(cli):
    found = cli("stream", "AAPL", "MES", "--count", "6", "--json", *FAST)

    events = [json.loads(line) for line in found.lines]
    quotes = [event for event in events if event["type"] == "Quote"]
    assert (0, 6) == (found.code, len(events))
    assert 2 == len({quote["symbol"] for quote in quotes})


def test_count_is_exact_and_plain_lines_hold_no_control_characters(cli):
    found = cli("stream", "AAPL", "--quotes", "--trades", "--bars", "1m", "--count", "20", *FAST)

    assert 20 == len(found.lines)
    assert all(line.isprintable() for line in found.lines)
    assert {"QUOTE", "TRADE", "BAR"} <= {line.split()[1] for line in found.lines}


def test_seconds_end_it(cli):
    assert 0 == cli("stream", "AAPL", "--seconds", "0.1").code


def test_orders_are_streamed_by_themselves(cli):
    found = cli("stream", "--orders", "--seconds", "0.05")

    assert (0, "") == (found.code, found.err)


def test_terminal_shows_a_live_table_within_80_columns(cli):
    found = cli("stream", "AAPL", "--quotes", "--trades", "--count", "30", *FAST, is_terminal=True)

    assert 0 == found.code
    for title in ("SYMBOL", "BID", "ASK", "LAST", "AAPL"):
        assert title in found.out


@pytest.mark.parametrize(
    "arguments",
    [(), ("--quotes",), ("--bars", "1m"), ("AAPL", "--count", "0"), ("NOPE",)]
    + [("AAPL", "--seconds", text) for text in ("-1", "0", "nan", "inf")]
    + [("AAPL", "--count", "-1")],
)
def test_wrong_subscription_is_refused(cli, arguments):
    found = cli("stream", *arguments)

    assert (2, "", 1) == (found.code, found.out, len(found.err.splitlines()))
