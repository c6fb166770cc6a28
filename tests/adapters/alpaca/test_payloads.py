"""The table of payloads: all evidence is told by its looks, and nothing that comes breaks it."""

import json
import random
from decimal import Decimal

import attrs
import pytest
import vcr.serialize
import vcr.serializers.yamlserializer
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.adapters.alpaca.evidence import PAYLOADS, ROOT, lines
from tests.adapters.alpaca.payload_summaries import CONTEXT, summary
from tests.effort import effort

from dragoman.decoding import decode_payload, to_document
from dragoman.errors import (
    AuthenticationError,
    ConflictError,
    DecodeError,
    InvalidOrderError,
    NotFoundError,
    OrderRejectedError,
    OutcomeUnknownError,
    PermissionDeniedError,
    RateLimitedError,
    RejectReason,
    StreamLostError,
)
from dragoman.models import (
    Bar,
    Depth,
    LedgerEntry,
    OrderEventKind,
    OrderStatus,
    Quarantined,
    Quote,
    Subscription,
    TimeInForce,
    Trade,
    TradeCorrection,
)
from dragoman.transport.codec import decode_any
from dragoman.transport.packed import Stamp, encode_packed
from dragoman_alpaca.mapping import PAYLOADS as TABLE
from dragoman_conformance.tables import load_meanings

TOLD = {payload.id: summary(payload.data) for payload in PAYLOADS}
PROVENANCE = {"documented", "third-party"}
BY_NAME = {
    *("stock_snapshots", "codes"),  # any name at all may be a field of theirs
}


def read(data, **said):
    data = data if isinstance(data, bytes) else json.dumps(data).encode()
    kind = said.pop("kind", None)
    return decode_payload(TABLE, data, attrs.evolve(CONTEXT, **said), kind)


def kind_of(data):
    found = read(data)
    return None if found.kind is None else found.kind.name


def only(data, **said):
    (item,) = read(data, **said).items
    return item


def test_the_table_of_meanings_says_what_every_payload_means():
    rows = load_meanings(ROOT)

    assert {payload.data for payload in PAYLOADS} <= {row.payload for row in rows}
    assert [] == [row.place for row in rows if row.kind is None]


def test_no_payload_is_of_an_unknown_kind():
    assert [] == [name for name, told in TOLD.items() if told["kind"] is None]


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: payload.id)
def test_every_payload_is_told_alike_when_its_kind_is_named(payload):
    assert TOLD[payload.id] == summary(payload.data, TOLD[payload.id]["kind"])


def test_every_payload_says_where_it_comes_from():
    assert [] == [
        one.id for one in PAYLOADS if one.provenance not in PROVENANCE or not one.document
    ]


@pytest.mark.parametrize("path", sorted(ROOT.glob("exchanges/*.yaml")), ids=lambda path: path.stem)
def test_exchanges_are_cassettes_that_vcrpy_loads(path):
    requests, responses, metadata = vcr.serialize.deserialize(
        path.read_text(), vcr.serializers.yamlserializer
    )

    assert len(requests) == len(responses) > 0
    assert "documented" == metadata["provenance"]
    assert {200} == {response["status"]["code"] for response in responses}


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.ndjson")), ids=lambda path: path.stem)
def test_other_files_begin_with_what_they_are(path):
    header, rows = lines(path)

    assert (1, "alpaca") == (header["v"], header["protocol"])
    assert rows


def test_kinds_have_names_and_titles_of_their_own():
    names = [kind.name for kind in TABLE.kinds]

    assert sorted(set(names)) == sorted(names)
    assert all(kind.title for kind in TABLE.kinds)


MADE = {
    "activities": [{"id": "20260105::a", "activity_type": "JNLC", "date": "2026-01-05"}],
    "calendar": [{"date": "2026-01-05", "open": "09:30", "close": "16:00"}],
    "closed_positions": [{"symbol": "AAPL", "status": 200, "body": None}],
    "bars_by_symbol": {"SPY": [{"t": 1_544_129_220, "o": 1, "h": 1, "l": 1, "c": 1, "v": 1}]},
    "bar_rows": [{"t": "2026-01-05T15:00:00Z", "o": 1, "h": 1, "l": 1, "c": 1, "v": 1}],
    "quote_rows": [{"t": "2026-01-05T15:00:00Z", "bp": 1, "bs": 1, "ap": 2, "as": 1}],
    "trade_rows": [{"t": "2026-01-05T15:00:00Z", "p": 1, "s": 1, "i": 5}],
    "option_snapshot": {"greeks": {"delta": 0.5}, "impliedVolatility": 0.3},
    "trade_update_data": {
        "event": "new",
        "order": {"id": "a", "client_order_id": "b", "symbol": "AAPL", "side": "buy"},
    },
    "portfolio_history": {"timestamp": [1], "equity": [1.5], "profit_loss": [0]},
    "watchlists": [{"id": "a", "account_id": "b", "name": "tech"}],
    "bonds": {"us_treasuries": []},
    "markets": {"clocks": []},
    "transfers": [{"id": "a", "direction": "INCOMING", "asset": "BTC", "amount": "1"}],
}
"""Kinds that no payload of the evidence is of; these say nothing about the venue."""


@pytest.mark.parametrize("name", sorted(MADE))
def test_kinds_without_evidence_are_told_too(name):
    assert name == kind_of(MADE[name])


def test_every_kind_is_told_somewhere():
    seen = {told["kind"] for told in TOLD.values()} | MADE.keys()

    assert seen == {kind.name for kind in TABLE.kinds}


ALIKE = {
    "a wish for news": ({"action": "subscribe", "news": ["*"]}, "subscribe_message"),
    "an order without its type": (
        *({"symbol": "AAPL", "qty": "1", "side": "buy"}, "order_request"),
    ),
    "a position without its price": (
        *({"symbol": "AAPL", "qty": "1", "side": "long"}, "position"),
    ),
    "an event of an account": (
        *({"account_number": "", "at": "2021-06-14T09:59:15Z", "event_id": 1}, None),
    ),
    "a code that is no refusal": ({"code": "a", "client_id": "b", "scope": ""}, None),
    "a refusal without words": ({"code": 40310000}, "problem"),
}


@pytest.mark.parametrize("name", ALIKE)
def test_what_is_alike_is_told_apart(name):
    payload, expected = ALIKE[name]

    assert expected == kind_of(payload)


UNDECIDED = {
    "an empty list": ([], True),
    "a list of nothing": ([None], True),
    "an empty object": ({}, False),
    "an object of strangers": ({"foo": 1, "bar_": {}}, False),
    "null": (None, False),
    "a number": (1, False),
    "a text": ("AAPL", False),
    "a list of lists": ([[1]], False),
    "a symbol alone": ({"symbol": "AAPL"}, False),
}


@pytest.mark.parametrize("name", UNDECIDED)
def test_what_looks_like_nothing_or_like_anything_is_not_decided(name):
    payload, has_candidates = UNDECIDED[name]

    found = read(payload)

    assert (None, (), None) == (found.kind, found.items, found.error)
    assert has_candidates == bool(found.candidates)


def told_alike(payload):
    return TOLD[payload.id]["kind"] not in BY_NAME


OBJECTS = [one for one in PAYLOADS if one.text.startswith("{") and told_alike(one)]


@pytest.mark.parametrize("payload", OBJECTS, ids=lambda payload: payload.id)
def test_a_new_field_changes_nothing(payload):
    grown = payload.text[:-1] + ', "a_new_field": {"of": ["the", "venue"]}}'

    assert TOLD[payload.id] == summary(grown.encode())


def payload(name):
    return next(one for one in PAYLOADS if one.id == name).data


def test_a_documented_fill_is_told_with_its_order_and_position():
    event, position = read(payload("trade_updates-6")).items

    assert OrderEventKind.FILL is event.kind
    assert (Decimal("1790.86"), Decimal("105.8988475")) == (event.fill.quantity, event.fill.price)
    assert OrderStatus.FILLED is event.order.status
    assert "4642fd68-d59a-47d7-a9ac-e22f536828d1" == event.order.client_order_id
    assert Decimal(0) == position.position.quantity


def test_a_documented_order_keeps_its_terms():
    order = only(payload("trading-3-GET"))

    assert ("AAPL", Decimal(2), Decimal(150)) == (order.symbol, order.quantity, order.limit_price)
    assert (OrderStatus.PENDING, "accepted") == (order.status, order.venue_status)
    assert TimeInForce.GTC is order.time_in_force


def test_an_activity_that_is_no_fill_is_a_ledger_entry():
    entry = only(payload("documents-23"))

    assert isinstance(entry, LedgerEntry)
    assert Decimal("-0.000195") == entry.quantity


def test_accounts_are_exact_where_numbers_are_long():
    account = only({"id": "a", "account_number": "b", "equity": "122011.09751111286868"})

    assert Decimal("122011.09751111286868") == account.equity


def test_what_was_replaced_says_nothing_beside_its_replacement():
    old = {"id": "o", "client_order_id": "a", "symbol": "AAPL", "side": "buy", "qty": "1"}
    new = {**old, "id": "n", "client_order_id": "a~1", "qty": "2", "status": "new", "replaces": "o"}
    old |= {"status": "replaced", "replaced_by": "n"}

    (order,) = read([new, old]).items

    assert ("a", 1, Decimal(2)) == (order.client_order_id, order.revision, order.quantity)


def test_rows_that_name_no_symbol_are_about_the_one_that_is_told():
    row = {"t": "2026-01-05T15:00:00Z", "bp": 1, "bs": 1, "ap": 2, "as": 1}

    assert ["?", "AAPL"] == [only(row).symbol, only(row, symbol="AAPL").symbol]


OPTION = {"latestQuote": {"bp": 1, "bs": 1, "bx": "C", "ap": 2, "as": 1, "ax": "C"}}
BAR = {"t": "2026-01-05T15:00:00Z", "o": 1, "h": 1, "l": 1, "c": 1, "v": 1}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({**OPTION, "dailyBar": BAR}, ["OptionQuote"]),
        ({"greeks": None, "impliedVolatility": 0.5, "dailyBar": BAR}, ["OptionQuote"]),
        ({"latestQuote": {"bp": 1, "bs": 1}}, ["OptionQuote"]),
        ({"latestQuote": {"bp": 1, "bs": 1}, "dailyBar": BAR}, ["Ticker", "Quote", "Bar"]),
    ],
    ids=["by the exchanges of its quote", "by its volatility", "by lack of bars", "crypto"],
)
def test_a_snapshot_is_told_as_what_it_is_of(row, expected):
    rows = {"X": {"latestTrade": {"t": BAR["t"], "p": 1, "s": 1}, **row}}

    found = to_document(read({"snapshots": rows}))

    assert expected == [item["type"] for item in found if item["type"] != "Trade"]


def test_many_cancels_are_told_one_by_one():
    rows = [
        {"id": "a", "status": 200},
        {
            "id": "b",
            "status": 422,
            "body": {"code": 42210000, "message": "order is not cancelable"},
        },
        {"id": "c", "status": 500, "body": {"code": 50010000, "message": "oops"}},
    ]

    found = read(rows).items

    assert ["ext-a", "ext-b", "ext-c"] == [one.client_order_id for one in found]
    assert [type(None), ConflictError, OutcomeUnknownError] == [type(one.error) for one in found]


REFUSALS = {
    "insufficient buying power": (40310000, OrderRejectedError, RejectReason.INSUFFICIENT_FUNDS),
    "client_order_id must be unique": (
        *(40010001, OrderRejectedError, RejectReason.DUPLICATE_CLIENT_ORDER_ID),
    ),
    "potential wash trade detected. use complex orders": (
        *(40310000, OrderRejectedError, RejectReason.SELF_TRADE),
    ),
    "position does not exist": (40410000, NotFoundError, None),
    'order is already in "filled" state': (42210000, ConflictError, None),
    "request is not authorized": (40110000, AuthenticationError, None),
    "rate limit exceeded.": (42910000, RateLimitedError, None),
    "subscription does not permit querying recent SIP data": (None, PermissionDeniedError, None),
    "cost basis must be >= minimal amount of order 10": (
        *(None, OrderRejectedError, RejectReason.BELOW_MINIMUM),
    ),
    "Internal server error occurred": (50010000, OutcomeUnknownError, None),
    "Internal server error happened": (None, OutcomeUnknownError, None),
}


@pytest.mark.parametrize("message", REFUSALS)
def test_a_refusal_is_told_by_code_and_message(message):
    code, kind, reason = REFUSALS[message]

    found = read({"code": code, "message": message}, kind="problem")

    assert kind is type(found.error)
    assert reason is getattr(found.error, "reason", None) or reason is None
    assert "alpaca" == found.error.provider


def test_the_status_decides_where_the_body_says_nothing():
    page = b"<html>bad gateway</html>"

    found = read(page, kind="problem", status=502)

    assert isinstance(found.error, OutcomeUnknownError)


def test_a_server_that_fails_leaves_the_fate_of_an_order_open_whatever_it_says():
    found = read({"code": 40310000, "message": "insufficient buying power"}, status=503)

    assert isinstance(found.error, OutcomeUnknownError)


def quote_message(**more):
    row = {"T": "q", "S": "AAPL", "bp": 1.25, "bs": 2, "ap": 1.5, "as": 4}
    return {**row, "t": "2026-01-05T15:00:00.123456789Z", **more}


def test_messages_of_all_kinds_are_told_from_one_frame():
    at = {"S": "ETH/USD", "t": "2026-01-05T15:00:00Z"}
    frame = [
        quote_message(),
        {"T": "t", **at, "p": 2000.5, "s": 0.25, "i": 7346874289123456789, "tks": "B"},
        {"T": "b", **at, "o": 1, "h": 2, "l": 1, "c": 2, "v": 0, "n": 0, "vw": 0},
        {"T": "o", **at, "b": [{"p": 1, "s": 2}], "a": [{"p": 3, "s": 0}], "r": True},
        {"T": "c", **at, "oi": 1, "op": 1, "os": 1, "ci": 2, "cp": 1, "cs": 1},
        {"T": "brand_new", **at},
    ]

    found = read(frame)

    assert "market_data" == found.kind.name
    expected = [Quote, Trade, Bar, Depth, TradeCorrection, Quarantined]
    assert expected == [type(item) for item in found.items]
    assert "7346874289123456789" == found.items[1].trade_id


def test_a_frame_in_messagepack_is_told_like_its_twin_in_json():
    packed = encode_packed([quote_message(t=Stamp(1_767_625_200_123_456_789))])

    assert read([quote_message()]).items == read(packed).items


def test_a_message_in_messagepack_may_stand_alone():
    assert isinstance(only(encode_packed(quote_message())), Quote)


@pytest.mark.parametrize(
    ("name", "tag"),
    [("documents-18", "t"), ("documents-43", "t"), ("documents-55", "q"), ("documents-20", "b")],
)
def test_a_row_of_a_response_and_a_message_of_a_stream_say_the_same(name, tag):
    row = payload(name).removesuffix(b"}")

    told = only(b'[%s, "T": "%s", "S": "AAPL"}]' % (row, tag.encode()))

    assert only(payload(name), symbol="AAPL") == told


def test_an_error_on_a_stream_is_the_error_that_a_connection_would_have():
    found = read([{"T": "error", "code": 406, "msg": "connection limit exceeded"}])

    assert isinstance(found.error, ConflictError)


def test_what_a_client_subscribes_to_is_a_subscription():
    message = {"action": "subscribe", "quotes": ["AMD"], "bars": ["*"], "dailyBars": ["SPY"]}

    expected = Subscription(quotes="AMD", bars=[("*", "1m"), ("SPY", "1d")])
    assert expected == only(message)


def test_a_trade_update_may_come_in_messagepack_without_its_frame():
    update = MADE["trade_update_data"]

    assert read(update).items == read(encode_packed(update)).items


def test_a_stream_that_cannot_listen_has_failed():
    found = read({"stream": "listening", "data": {"error": "internal error"}})

    assert isinstance(found.error, StreamLostError)


def test_both_orders_of_an_oco_are_told_the_first_by_its_name():
    body = json.loads(payload("documents-33")) | {"client_order_id": "exit"}

    assert ["exit", None] == [request.client_order_id for request in read(body).items]


def test_a_change_of_nothing_is_refused():
    assert isinstance(read({"limit_price": None}).error, InvalidOrderError)


def test_a_page_without_a_status_proves_nothing():
    assert isinstance(read(b"<html>", kind="problem").error, DecodeError)


def test_a_key_is_never_told():
    found = read({"action": "auth", "key": "captain", "secret": "key-of-tests"})

    assert "auth_message" == found.kind.name
    assert [] == to_document(found)
    assert "key-of-tests" not in repr(found)


WORDS = (None, "brand_new", "", -1, 0, 1e30, 12345678901234567890123, True, [], {}, "NaN")
TEXTS = ("9999-12-31T00:00:00Z", "x" * 300, "\u202e\n", "1e400", "-5", ["a", None], {"a": 1})


def spoiled(document, dice):
    """Return a document with fields dropped, emptied, replaced and added, here and there."""
    if isinstance(document, list):
        return [spoiled(item, dice) for item in document]
    if not isinstance(document, dict):
        return document
    found = {}
    for name, value in document.items():
        luck = dice.random()
        if luck < 0.08:
            continue
        if luck < 0.16:
            found[name] = None
        elif luck < 0.24:
            found[name] = dice.choice(WORDS + TEXTS)
        else:
            found[name] = spoiled(value, dice)
    if dice.random() < 0.3:
        found["a_new_field"] = dice.choice(WORDS + TEXTS)
    return found


@settings(max_examples=effort(400), deadline=None)
@given(st.sampled_from(PAYLOADS), st.integers(0, 2**32), st.booleans())
def test_whatever_is_missing_empty_or_strange_is_an_answer_too(payload, seed, is_named):
    document = spoiled(json.loads(payload.text), random.Random(seed))
    kind = TOLD[payload.id]["kind"] if is_named else None

    found = read(document, kind=kind)

    assert isinstance(to_document(found), (list, dict))


@settings(max_examples=effort(200), deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_break_it(data):
    found = read(data)

    assert found.error is not None or found.kind is not None or found.items == ()


@settings(max_examples=effort(200), deadline=None)
@given(st.sampled_from(PAYLOADS), st.integers(0, 5000), st.integers(0, 255))
def test_no_byte_gone_wrong_breaks_it(payload, place, byte):
    data = bytearray(payload.data)
    data[place % len(data)] = byte

    assert isinstance(to_document(read(bytes(data))), (list, dict))


BROKEN = {
    "nothing": b"",
    "no JSON": b"<html>",
    "half of it": b'{"id": "a", ',
    "not a number": b'{"bp": NaN, "ap": 1, "t": null}',
    "beyond numbers": b'{"bp": 1e999999, "ap": 1}',
    "a bomb": b"[" * 100_000,
    "no text": b'{"message": "\xff\xfe"}',
    "half of MessagePack": b"\x82\xa1T",
    "too many": b"[" + b"0," * 200_001 + b"0]",
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_cannot_be_read_is_an_error_of_its_own(name):
    found = read(BROKEN[name])

    assert (None, "DecodeError") == (found.kind, to_document(found)["type"])


def test_decode_any_and_the_table_read_numbers_alike():
    assert decode_any(b'{"p": 0.1}') == TABLE.read(b'{"p": 0.1}')


BOOK = {
    "T": "o",
    "S": "MKR/USD",
    "t": "2024-03-12T10:39:39.445492807Z",
    "b": [],
    "a": [{"p": 2614.587, "s": 12.5308}],
}


@pytest.mark.parametrize(("said", "is_whole"), [({}, False), ({"r": True}, True)])
def test_a_book_told_alone_is_whole_only_where_it_says_so(said, is_whole):
    depth = only(BOOK | said)

    assert (is_whole, 1) == (depth.is_snapshot, len(depth.asks))


def test_of_a_change_told_alone_a_level_of_no_size_is_one_that_goes():
    depth = only(BOOK | {"b": [{"p": 0.7904, "s": 0}], "a": []})

    assert [("0.7904", "0")] == [(str(one.price), str(one.size)) for one in depth.bids]


def test_a_bar_in_which_nothing_was_traded_has_no_average():
    bar = only(
        {"T": "b", "S": "BTC/USD", "t": "2024-03-12T10:37:00Z"}
        | dict.fromkeys("ohlc", 71856.1435)
        | {"v": 0, "n": 0, "vw": 0}
    )

    assert (Decimal(0), 0, None) == (bar.volume, bar.trade_count, bar.vwap)
