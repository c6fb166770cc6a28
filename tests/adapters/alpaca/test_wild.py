"""Payloads met outside the evidence: what clients' tests and pages of the documents hold."""

import json
from decimal import Decimal
from pathlib import Path

import attrs
import pytest
from tests.adapters.alpaca.payload_summaries import CONTEXT, summary

from dragoman.decoding import decode_payload
from dragoman.errors import DecodeError, ProtocolError
from dragoman.models import (
    Fill,
    LedgerEntry,
    OrderEventKind,
    OrderStatus,
    Quarantined,
    Quote,
    Trade,
)
from dragoman.times import format_time
from dragoman.transport.codec import decode
from dragoman_alpaca.mapping import PAYLOADS as TABLE
from dragoman_alpaca.mapping.account import ledger_entry_of, position_of
from dragoman_alpaca.mapping.frames import DataFrames, TradingFrames
from dragoman_alpaca.mapping.market import snapshot_of
from dragoman_alpaca.mapping.reading import Reading
from dragoman_alpaca.mapping.ticks import instant_of
from dragoman_alpaca.mapping.words import new_york_time
from dragoman_alpaca.rest.rows import RowReader
from dragoman_alpaca.wire.market import SnapshotRow
from dragoman_alpaca.wire.trading import ActivityRow, OrderRow, PositionRow

FILE = Path(__file__).parent / "wild_payloads.ndjson"
ROWS = [json.loads(line) for line in FILE.read_text().splitlines()]
NOW_NS = 1_800_000_000_000_000_000
SECOND_NS = 1_000_000_000


def reading():
    return Reading(provider="alpaca", account_id="a", received_at_ns=NOW_NS)


def read(document, **said):
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    kind = said.pop("kind", None)
    return decode_payload(TABLE, data, attrs.evolve(CONTEXT, **said), kind)


def only(document, **said):
    (item,) = read(document, **said).items
    return item


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_a_payload_met_elsewhere_is_told(row):
    expected = {"kind": row["kind"], "told": row["told"]}

    assert expected == summary(row["payload"].encode())


def test_each_says_where_it_was_met():
    assert [] == [row["name"] for row in ROWS if not row["document"]]
    assert {row["provenance"] for row in ROWS} == {"documented", "third-party"}


ORDER = {
    "id": "904837e3-3b76-47ec-b432-046db621571b",
    "client_order_id": "mine",
    "created_at": "2021-06-14T10:04:05.150255Z",
    "symbol": "AAPL",
    "qty": "10",
    "filled_qty": "4",
    "filled_avg_price": "1.5",
    "side": "buy",
    "type": "limit",
    "limit_price": "2",
    "time_in_force": "day",
    "status": "partially_filled",
    "extended_hours": False,
    "legs": None,
}
UPDATE = {
    "event": "partial_fill",
    "event_id": "01J9Z4V5R8Q2M0XK3T7B6N1C4D",
    "execution_id": "2f63ea93-423d-4169-b3f6-3fdafc10c418",
    "timestamp": "2021-06-14T10:04:05.172241Z",
    "price": "1.5",
    "qty": "4",
    "position_qty": "4",
    "order": ORDER,
}


def told(**changes):
    order = {name: changes.pop(name) for name in list(changes) if name in ORDER}
    frame = {"stream": "trade_updates", "data": {**UPDATE, **changes, "order": {**ORDER, **order}}}
    return TradingFrames(reading=reading().at).decode(json.dumps(frame).encode(), NOW_NS)


@pytest.mark.parametrize("qty", [10, 10.0, "10", "10.0", " 10"], ids=repr)
def test_quantities_may_be_written_as_numbers(qty):
    event, _ = told(qty="4", legs=[])
    order = only({**ORDER, "qty": qty})

    assert (Decimal(10), Decimal(4)) == (order.quantity, event.fill.quantity)


STRANGE = {
    "event_id": 3014423,
    "execution_id": 17,
    "at": 1_623_665_045,
    "price": 1.5,
    "client_order_id": 17,
    "created_at": 1_623_665_045,
    "type": 5,
    "time_in_force": True,
    "status": 3,
    "limit_price": "",
    "extended_hours": "false",
    "legs": [None],
}


@pytest.mark.parametrize("field", STRANGE)
def test_an_update_is_told_whatever_is_written_another_way(field):
    event, position = told(**{field: STRANGE[field]})

    assert OrderEventKind.FILL is event.kind
    assert (Decimal(4), Decimal("1.5")) == (event.fill.quantity, event.fill.price)
    assert Decimal(4) == event.order.filled_quantity
    assert Decimal(4) == position.position.quantity


def test_numbers_of_ids_are_kept_as_they_are_written():
    event, _ = told(event_id=3014423, client_order_id=17)

    assert ("3014423", "17") == (event.event_id, event.order.client_order_id)


def test_a_status_that_is_no_word_is_unknown():
    event, _ = told(status=3)

    assert (OrderStatus.UNKNOWN, "3") == (event.order.status, event.order.venue_status)


NEVER_GUESSED = {
    "qty": "ten",
    "filled_qty": [4],
    "filled_avg_price": {"of": 1},
    "limit_price": True,
    "id": 17,
    "side": ["buy"],
    "legs": "none",
}


@pytest.mark.parametrize("field", NEVER_GUESSED)
def test_what_an_order_is_and_how_much_of_it_is_never_guessed(field):
    with pytest.raises(ProtocolError):
        told(**{field: NEVER_GUESSED[field]})


def test_a_null_among_rows_is_passed_over():
    first, second = read([None, ORDER, {**ORDER, "id": "b", "client_order_id": "c"}, None]).items

    assert ("mine", "c") == (first.client_order_id, second.client_order_id)


def test_a_list_of_rows_is_read_past_nulls_and_numbers_for_texts():
    body = json.dumps([None, ORDER, {**ORDER, "client_order_id": 17}]).encode()

    rows = RowReader(OrderRow).rows(body, keep_raw=False)

    assert ["mine", "17"] == [seen.row.client_order_id for seen in rows]


TRADE = {"T": "t", "S": "AAPL", "p": 1.5, "s": 2, "t": "2026-01-05T15:00:00Z", "i": 5}
QUOTE = {"T": "q", "S": "AAPL", "bp": 1, "bs": 2, "ap": 2, "as": 3, "t": "2026-01-05T15:00:00Z"}


@pytest.mark.parametrize(
    "bad",
    [
        {**TRADE, "p": "abc"},
        {**TRADE, "p": None},
        {**TRADE, "S": None},
        {**TRADE, "S": 5},
        {**TRADE, "t": "yesterday"},
        {**TRADE, "t": 5},
        {**QUOTE, "bp": []},
        {"T": "t"},
        {"T": None},
        {},
        5,
        None,
        "AAPL",
        [],
    ],
    ids=json.dumps,
)
def test_one_bad_message_takes_no_other_with_it(bad):
    frame = json.dumps([TRADE, bad, QUOTE])

    first, second, third = DataFrames(provider="alpaca").decode(frame, NOW_NS)

    assert (Trade, Quarantined, Quote) == (type(first), type(second), type(third))


@pytest.mark.parametrize(
    "changes",
    [
        {"p": "1.5"},
        {"s": "2"},
        {"i": "5"},
        {"i": 2**63},
        {"c": "@"},
        {"c": ["@", None, 5]},
        {"tks": 1},
        {"t": "2026-01-05 15:00:00Z"},
        {"t": "2026-01-05T15:00:00.000000000+00:00"},
        {"t": "2026-01-05T10:00:00-05:00"},
        {"t": "2026-01-05T15:00:00"},
        {"t": 1_767_625_200},
        {"t": 1_767_625_200_000},
        {"t": 1_767_625_200_000_000},
        {"t": 1_767_625_200_000_000_000},
        {"a_new_field": {"of": [None]}},
    ],
    ids=json.dumps,
)
def test_a_print_may_be_written_in_many_ways(changes):
    (event,) = DataFrames(provider="alpaca").decode(json.dumps([{**TRADE, **changes}]), NOW_NS)

    assert isinstance(event, Trade)
    assert (Decimal("1.5"), Decimal(2)) == (event.price, event.size)
    assert 1_767_625_200 * SECOND_NS == event.venue_time_ns


@pytest.mark.parametrize("digits", range(10))
def test_times_have_up_to_nine_digits(digits):
    fraction = f".{'123456789'[:digits]}" if digits else ""

    expected = 1_767_625_200 * SECOND_NS + int("123456789"[:digits].ljust(9, "0"))
    assert expected == instant_of(f"2026-01-05T15:00:00{fraction}Z")


@pytest.mark.parametrize("at", [0, 5, 99_999_999, -1_767_625_200, 10**20])
def test_a_number_that_is_no_time_of_today_is_refused(at):
    with pytest.raises(ValueError, match="no time"):
        instant_of(at)


@pytest.mark.parametrize("name", ["prevDailyBar", "dailyBar", "minuteBar"])
@pytest.mark.parametrize("part", [{}, {"t": "0001-01-01T00:00:00Z", "o": 0, "c": 0}], ids=len)
def test_what_never_was_is_no_part_of_a_snapshot(name, part):
    body = {"latestTrade": {"t": "2026-01-05T15:00:00Z", "p": 2, "s": 1}, name: part}
    row = decode(json.dumps(body).encode(), SnapshotRow)

    found = snapshot_of(row, "AAPL", reading())

    assert (None, None, None) == (found.minute_bar, found.daily_bar, found.previous_daily_bar)
    assert (Decimal(2), None, None) == (
        found.ticker.last_price,
        found.ticker.open,
        found.ticker.previous_close,
    )


def test_numbers_that_are_not_told_may_be_empty_texts():
    row = {"t": "2026-01-05T15:00:00Z", "o": 1, "h": 2, "l": 1, "c": 2, "v": "", "vw": "", "n": ""}

    bar = only(row, kind="bar")

    assert (Decimal(2), None, None, None) == (bar.close, bar.volume, bar.vwap, bar.trade_count)


def test_a_position_goes_by_its_asset_where_its_symbol_is_not_said():
    known = reading()
    known.symbols.learn("AAPL", ["b0b6dd9d"])

    found = [
        position_of(PositionRow(asset_id="b0b6dd9d", qty=Decimal(5)), each).symbol
        for each in (known, reading())
    ]

    assert ["AAPL", "b0b6dd9d"] == found


def test_a_position_of_nothing_that_is_named_is_refused():
    with pytest.raises(ProtocolError):
        position_of(PositionRow(qty=Decimal(5)), reading())


def test_an_activity_without_its_date_is_of_the_time_in_its_id():
    row = ActivityRow(
        id="20190801011955195::5f596936-6f23-4cef-bdf1-3806aae57dbf",
        activity_type="DIV",
        net_amount=Decimal("1.02"),
    )

    entry = ledger_entry_of(row, reading())

    assert isinstance(entry, LedgerEntry)
    assert "2019-08-01T05:19:00.000000000Z" == format_time(entry.venue_time_ns)


@pytest.mark.parametrize("clock", ["2022-07-18T13:30:00.000Z", "9:30", "", "25:00", "half past"])
def test_a_time_of_the_day_is_never_cut_out_of_something_else(clock):
    assert new_york_time("2022-07-18", clock) is None


def test_a_fill_is_told_the_same_from_numbers_and_from_texts():
    row = {
        "id": "20240624093004214::18a82342-245e-4e8a-9703-87ae38d9b629",
        "activity_type": "FILL",
        "transaction_time": "2024-06-24T13:30:04.214535Z",
        "type": "partial_fill",
        "price": "3.8",
        "qty": "643",
        "side": "sell",
        "symbol": "AAPL",
        "order_id": "c0e497c2-a547-48cd-85dc-0f1f0ed1b26c",
        "cum_qty": "643",
    }
    numbers = {**row, "price": 3.8, "qty": 643, "cum_qty": 643.0}

    assert isinstance(only(row), Fill)
    assert only(row) == only(numbers)


def test_articles_in_a_list_are_news():
    article = {"id": 1, "headline": "h", "summary": "s", "symbols": [], "created_at": "2021-04-03"}

    assert "news" == read([article, article]).kind.name


@pytest.mark.parametrize("action", ["subscribe", "unsubscribe"])
def test_to_ask_for_news_is_to_subscribe(action):
    assert "subscribe_message" == read({"action": action, "news": ["*"]}).kind.name


def test_what_was_wrong_at_first_is_what_is_said():
    found = read({**ORDER, "qty": "ten", "client_order_id": 17}, kind="order")

    assert isinstance(found.error, DecodeError)
    assert "17" not in str(found.error)
