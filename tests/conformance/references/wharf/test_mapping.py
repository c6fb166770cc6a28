"""Wharf's words and the library's: every word of a table, and what no row may hold."""

from decimal import Decimal

import pytest

from dragoman.errors import InvalidOrderError, ProtocolError, UnmappedValueError, UnsupportedError
from dragoman.models import (
    Exit,
    InstrumentKind,
    Money,
    Offset,
    OrderChange,
    OrderEventKind,
    OrderOrigin,
    OrderRequest,
    OrderStatus,
    OrderType,
    PositionEffect,
    RejectReason,
    Side,
    Subscription,
    TimeInForce,
)
from dragoman.transport.codec import decode, encode
from dragoman_conformance.references.wharf import mapping, wire

D = Decimal
READING = mapping.Reading(provider="wharf", received_at_ns=5)
AT = "2026-01-07T14:30:00.000000001Z"
AT_NS = 1_767_796_200_000_000_001
ORDER = {
    "id": "W1001",
    "client_id": "c1",
    "account": "paper-1",
    "symbol": "BTC/USD",
    "side": "sell",
    "type": "stop_limit",
    "status": "partially_filled",
    "quantity": "100000.10000000000000001",
    "limit_price": "0.00000001",
    "stop_price": "0.00000002",
    "filled": "0.10",
    "average_price": "0.00000001",
    "version": 2,
    "time_in_force": "gtd",
    "expires_at": AT,
    "fee": "0.30",
    "fee_currency": "USD",
    "created_at": AT,
    "updated_at": AT,
}
FILL = {
    "id": "f1",
    "order_id": "W1001",
    "account": "paper-1",
    "symbol": "AAPL",
    "side": "buy",
    "quantity": "3",
    "price": "100.10",
    "time": AT,
    "fee": "-0.02",
    "fee_currency": "USD",
}


def read(shape, row, **more):
    return decode(encode({**row, **more}), shape)


def order(**more):
    return mapping.order_of(read(wire.OrderRow, ORDER, **more), READING)


def test_an_order_is_read_to_the_last_digit():
    found = order()

    assert D("100000.10000000000000001") == found.quantity
    assert (D("0.00000001"), D("0.00000002")) == (found.limit_price, found.stop_price)
    assert (Side.SELL, OrderType.STOP_LIMIT) == (found.side, found.order_type)
    assert (TimeInForce.GTD, AT_NS) == (found.time_in_force, found.expires_at_ns)
    assert (("W1001",), 2, "partially_filled") == (
        found.venue_order_ids,
        found.revision,
        found.venue_status,
    )
    assert Money("0.30", "USD") == found.commission
    assert (AT_NS, AT_NS, 5) == (found.created_at_ns, found.updated_at_ns, found.received_at_ns)


@pytest.mark.parametrize(("word", "status"), mapping.STATUSES.items(), ids=mapping.STATUSES)
def test_every_status_has_its_meaning(word, status):
    assert status is order(status=word).status
    assert word == status.lower()


@pytest.mark.parametrize(
    ("field", "name", "unknown"),
    [
        ("status", "status", OrderStatus.UNKNOWN),
        ("type", "order_type", OrderType.UNKNOWN),
        ("time_in_force", "time_in_force", TimeInForce.UNKNOWN),
    ],
)
def test_a_word_that_is_new_is_unknown_and_no_order_is_lost_by_it(field, name, unknown):
    assert unknown is getattr(order(**{field: "brand_new"}), name)


@pytest.mark.parametrize("field", ["side"])
def test_a_side_is_never_guessed(field):
    with pytest.raises(UnmappedValueError):
        order(**{field: "brand_new"})


@pytest.mark.parametrize(
    "wrong",
    [
        {"quantity": "-1"},
        {"filled": "-1"},
        {"symbol": ""},
        {"created_at": "2026-01-07T14:30:00"},
        {"created_at": "yesterday"},
        {"trail": {"value": "0", "unit": "price"}},
        {"trail": {"value": "1", "unit": "miles"}},
    ],
    ids=str,
)
def test_what_no_order_can_have_is_the_venues_mistake(wrong):
    with pytest.raises(ProtocolError):
        order(**wrong)


def test_an_order_without_a_clients_id_goes_by_wharfs():
    found = order(client_id=None)

    assert ("ext-W1001", OrderOrigin.EXTERNAL) == (found.client_order_id, found.origin)


def test_a_refused_order_has_a_reason():
    known = order(status="rejected", reject_code="insufficient_funds", reject_text="no money")
    new = order(status="rejected", reject_code="full_moon")

    assert RejectReason.INSUFFICIENT_FUNDS is known.reject_reason
    assert ("insufficient_funds", "no money") == (known.venue_code, known.reason)
    assert (RejectReason.OTHER, "full_moon") == (new.reject_reason, new.venue_code)


def test_a_fee_that_was_paid_is_above_zero_and_a_rebate_below():
    found = mapping.fill_of(read(wire.FillRow, FILL), READING)

    assert Money("-0.02", "USD") == found.commission
    assert ("ext-W1001", "W1001", AT_NS) == (
        found.client_order_id,
        found.venue_order_id,
        found.venue_time_ns,
    )


def test_a_short_position_is_below_zero_and_a_flat_one_has_no_price():
    row = {"account": "paper-1", "symbol": "AAPL", "quantity": "-5", "average_price": "100"}

    short = mapping.position_of(read(wire.PositionRow, row), READING)
    flat = mapping.position_of(read(wire.PositionRow, row, quantity="0"), READING)

    assert (D(-5), D(100)) == (short.quantity, short.average_entry_price)
    assert (D(0), None) == (flat.quantity, flat.average_entry_price)


def test_an_instrument_without_a_multiplier_counts_single_units():
    row = {"symbol": "X", "asset_class": "weather", "kind": "spot", "quote": "USD"}

    found = mapping.instrument_of(read(wire.InstrumentRow, row, settlement="USD"), READING)

    assert (D(1), "UNKNOWN", InstrumentKind.SPOT) == (
        found.multiplier,
        found.asset_class,
        found.kind,
    )


def test_an_order_is_written_without_an_exponent_and_with_every_digit():
    request = OrderRequest(
        client_order_id="c1",
        account_id="paper-1",
        symbol="BTC/USD",
        side=Side.SELL,
        order_type=OrderType.STOP_LIMIT,
        quantity=D("1E+2"),
        limit_price=D("1E-8"),
        stop_price=D("0.10"),
        time_in_force=TimeInForce.GTD,
        expires_at_ns=AT_NS,
        position_effect=PositionEffect.CLOSE,
        display_quantity="10",
        tag="t",
    )

    assert {
        "account": "paper-1",
        "client_id": "c1",
        "symbol": "BTC/USD",
        "side": "sell",
        "type": "stop_limit",
        "quantity": "100",
        "limit_price": "0.00000001",
        "stop_price": "0.10",
        "time_in_force": "gtd",
        "expires_at": AT,
        "reduce_only": True,
        "display_quantity": "10",
        "tag": "t",
    } == mapping.order_body(request)


def test_exits_are_written_under_names_of_their_own():
    request = OrderRequest.bracket(
        "AAPL",
        Side.BUY,
        "1",
        limit_price="100",
        stop_loss=Exit(price="95", limit_price="94"),
        take_profit="110",
        client_order_id="c1",
        post_only=True,
    )

    body = mapping.order_body(request)

    assert {"client_id": "c1-sl", "stop_price": "95", "limit_price": "94"} == body["stop_loss"]
    assert {"client_id": "c1-tp", "limit_price": "110"} == body["take_profit"]
    assert body["post_only"] is True


def test_an_exit_that_wharf_has_no_words_for_is_refused():
    leg = Exit(price="95", time_in_force=TimeInForce.DAY)

    with pytest.raises(UnsupportedError):
        mapping.order_body(OrderRequest.market("AAPL", Side.BUY, "1", stop_loss=leg))


def test_an_order_without_a_quantity_is_refused():
    with pytest.raises(InvalidOrderError):
        mapping.order_body(OrderRequest.market("AAPL", Side.BUY, notional="100"))


def test_a_change_says_only_what_changes():
    change = OrderChange(quantity="5.0", trailing=Offset.percent("0.5"))

    assert {"quantity": "5.0", "trail": {"value": "0.5", "unit": "percent"}} == (
        mapping.change_body(change)
    )


@pytest.mark.parametrize("name", ["c1", "A_b-9", "x" * 36])
def test_a_name_that_fits_is_its_own_token(name):
    assert name == mapping.token_of(name)


@pytest.mark.parametrize("name", ["x" * 37, "with.dot", "~", "x" * 128])
def test_a_name_that_does_not_fit_has_a_token_of_its_own(name):
    token = mapping.token_of(name)

    assert (token, 32) == (mapping.token_of(token), len(token))
    assert token != mapping.token_of(name + "x")


def test_topics_are_told_whole():
    wanted = Subscription(
        quotes=["BTC/USD", "AAPL"], bars=[("AAPL", "1m")], orders=True, account=True
    )

    assert {
        "quotes": ["AAPL", "BTC/USD"],
        "bars": ["1m AAPL"],
        "private": ["account", "orders"],
    } == mapping.topics_of(wanted)


@pytest.mark.parametrize(("word", "kind"), mapping.EVENTS.items(), ids=mapping.EVENTS)
def test_every_event_of_an_order_has_its_kind(word, kind):
    has_fill = kind in {OrderEventKind.FILL, OrderEventKind.FILL_BUSTED}
    frame = {"type": "order", "event": word, "time": AT, "order": ORDER}

    (event,) = mapping.events_of(read(wire.Frame, frame, fill=FILL if has_fill else None), READING)

    assert (kind, has_fill, AT_NS) == (event.kind, event.fill is not None, event.venue_time_ns)


@pytest.mark.parametrize("kind", ["heartbeat", "auth", "subscribed", "error"])
def test_frames_that_keep_the_stream_going_tell_nothing(kind):
    assert () == mapping.events_of(read(wire.Frame, {"type": kind}), READING)


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "weather"},
        {"type": "order", "event": "eaten", "time": AT, "order": ORDER},
        {"type": "order", "event": "accepted", "time": AT},
        {"type": "order", "event": "fill", "time": AT, "order": ORDER},
        {"type": "order", "event": "accepted", "order": ORDER},
        {"type": "position", "time": AT},
        {"type": "account", "time": AT},
        {"type": "bar"},
        {"type": "gap", "channel": "weather"},
    ],
    ids=str,
)
def test_a_frame_that_makes_no_sense_is_told_as_such(frame):
    with pytest.raises(ProtocolError):
        mapping.events_of(read(wire.Frame, frame), READING)
