"""`dragoman decode`: what the library makes of one payload."""

import io
import json
import sys

import attrs
import pytest

from dragoman.cli.app import run
from dragoman.cli.shell import process_shell
from dragoman.times import ManualClock, format_time

QUOTE = {"T": "q", "S": "AMD", "bp": 87.66, "bs": 1, "ap": 87.68, "as": 4}
REFUSAL = {"code": 40310000, "message": "insufficient buying power"}


@attrs.frozen
class Answer:
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture
def decode(shell):
    """Runs the command with a payload piped in: `decode([...], "--kind", "orders")`."""

    def run_command(payload, *arguments, protocol="alpaca"):
        data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        piped = attrs.evolve(shell, read_bytes=lambda most: data[: most + 1])
        code = run(("decode", protocol, *arguments), piped)
        return Answer(int(code), shell.out.file.getvalue(), shell.err.file.getvalue())

    return run_command


def test_models_and_events_are_a_list_of_tagged_objects(decode):
    found = decode([QUOTE], "--received-at", "2026-01-05T15:00:00Z")

    (quote,) = found.json
    assert (0, "Quote", "AMD", "87.66") == (
        *(found.code, quote["type"], quote["symbol"], quote["bid_price"]),
    )
    assert "2026-01-05T15:00:00.000000000Z" == quote["received_at"]
    assert "alpaca" == quote["provider"]


def test_the_answer_is_one_line_over_a_pipe(decode):
    assert 1 == decode([QUOTE]).out.count("\n")


def test_a_provider_stands_for_its_protocol(decode):
    (quote,) = decode([QUOTE], protocol="alpaca-paper").json

    assert "alpaca-paper" == quote["provider"]


def test_what_is_received_now_is_received_now(shell):
    clock = ManualClock()
    piped = attrs.evolve(shell, clock=clock, read_bytes=lambda _: json.dumps([QUOTE]).encode())

    run(("decode", "alpaca"), piped)

    (quote,) = json.loads(shell.out.file.getvalue())
    assert format_time(clock.now_ns()) == quote["received_at"]


def test_a_refusal_is_one_error_with_its_outcome(decode):
    found = decode(REFUSAL)

    assert (1, "OrderRejectedError") == (found.code, found.json["type"])
    assert ("REJECTED", "INSUFFICIENT_FUNDS") == (found.json["outcome"], found.json["reason"])


def test_what_cannot_be_read_is_an_error_too(decode):
    found = decode(b"<html>")

    assert (1, "DecodeError") == (found.code, found.json["type"])


def test_what_looks_like_nothing_known_ends_with_2(decode):
    found = decode({"foo": 1})

    assert (2, "") == (found.code, found.out)
    assert "looks like nothing that is known of Alpaca" in found.err


def test_what_looks_like_several_kinds_ends_with_2_and_lists_them(decode):
    found = decode([])

    assert (2, "") == (found.code, found.out)
    assert "orders, " in found.err
    assert "positions" in found.err
    assert "--kind" in found.err


def test_candidates_are_told_as_json_where_it_is_wanted(decode):
    error = json.loads(decode([], "--json").err)["error"]

    assert {"orders", "positions", "assets"} <= {*error["candidates"]}
    assert 2 == error["exit_code"]


def test_a_kind_that_is_named_decides(decode):
    found = decode([], "--kind", "orders")

    assert (0, []) == (found.code, found.json)


def test_a_kind_that_is_not_there_is_refused(decode):
    found = decode([], "--kind", "candles")

    assert (2, "") == (found.code, found.out)
    assert "no kind 'candles'" in found.err


def test_kinds_are_listed_without_reading(decode):
    found = decode(b"", "--kinds")

    assert (0, "KIND") == (found.code, found.out.split()[0])
    names = [line.split()[0] for line in found.out.splitlines()[1:]]
    assert {"order", "orders", "trade_update", "problem"} <= {*names}


def test_kinds_are_listed_as_json(decode):
    rows = decode(b"", "--kinds", "--json").json["kinds"]

    assert {"name": "order"}.items() <= {
        name: row[name] for row in rows[2:3] for name in row
    }.items()
    assert all(row["title"] for row in rows)


def test_the_kind_is_told_beside_the_answer(decode):
    assert "read as market_data\n" == decode([QUOTE]).err


def test_a_word_that_means_nothing_is_told_beside_the_answer(decode):
    row = {
        "id": "a",
        "client_order_id": "b",
        "symbol": "AAPL",
        "side": "buy",
        "status": "brand_new",
    }

    found = decode(row)

    assert ("UNKNOWN", "brand_new") == (found.json[0]["status"], found.json[0]["venue_status"])
    assert "field 'order status', word 'brand_new'" in found.err


def test_what_is_known_besides_is_used(decode):
    row = {"t": "2026-01-05T15:00:00Z", "o": 1, "h": 1, "l": 1, "c": 1, "v": 1}

    (bar,) = decode(row, "--symbol", "AAPL", "--timeframe", "1d").json

    assert ("AAPL", "1d") == (bar["symbol"], bar["timeframe"])


def test_the_account_is_taken_as_it_is_told(decode):
    row = {"symbol": "AAPL", "qty": "1", "avg_entry_price": "2"}

    (position,) = decode(row, "--account", "main").json

    assert "main" == position["account_id"]


def test_the_status_of_the_response_counts(decode):
    found = decode(b"<html>", "--kind", "problem", "--status", "504")

    assert (1, "UNKNOWN") == (found.code, found.json["outcome"])


def test_a_provider_without_payloads_says_so(decode):
    found = decode({}, protocol="mock")

    assert (2, "") == (found.code, found.out)
    assert "has no payloads of its own" in found.err


def test_a_protocol_that_is_not_installed_is_refused_with_those_that_are(decode):
    found = decode({}, protocol="nope")

    assert (3, "") == (found.code, found.out)
    assert "alpaca" in found.err


@pytest.mark.parametrize(
    ("option", "value"), [("--received-at", "noon"), ("--timeframe", "long"), ("--status", "ok")]
)
def test_a_wrong_setting_is_a_wrong_command(decode, option, value):
    found = decode([QUOTE], option, value)

    assert (2, "") == (found.code, found.out)


def test_a_payload_that_never_ends_is_cut_off_and_refused(shell):
    endless = attrs.evolve(shell, read_bytes=lambda most: bytes(most + 1))

    assert 1 == run(("decode", "alpaca"), endless)
    error = json.loads(shell.out.file.getvalue())
    assert "DecodeError" == error["type"]
    assert "more than 67108864 bytes" in error["message"]


def test_standard_input_is_read_to_one_byte_beyond_the_limit(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"x" * 200_000)))
    shell = process_shell()

    assert 100_001 == len(shell.read_bytes(100_000))
    assert b"x" * 99_999 == shell.read_bytes(200_000)


def test_standard_input_that_is_closed_is_empty(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)

    assert b"" == process_shell().read_bytes(10)
