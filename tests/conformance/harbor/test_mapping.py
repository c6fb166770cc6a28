"""Harbor's words in the library's: one row for each."""

from decimal import Decimal

import pytest

from dragoman import InvalidOrderError, OrderRequest, Side
from dragoman.errors import (
    AuthenticationError,
    ConflictError,
    DecodeError,
    NotFoundError,
    OrderRejectedError,
    Outcome,
    ProtocolError,
    RateLimitedError,
    RejectReason,
)
from dragoman.models import (
    OrderChange,
    OrderEventKind,
    OrderOrigin,
    OrderStatus,
    OrderType,
    PendingAction,
    PositionEffect,
)
from dragoman.transport.base import HttpResponse, Lane
from dragoman.transport.codec import decode, encode
from dragoman.transport.endpoint import Endpoint
from dragoman_conformance.harbor import mapping, wire
from dragoman_conformance.harbor.errors import classify

D = Decimal
AT_NS = 1_767_796_200_000_000_001


def order_row(**fields):
    usual = {
        "venue_id": "h1",
        "client_id": "a",
        "account": "A1",
        "symbol": "AAPL",
        "side": "buy",
        "type": "limit",
        "quantity": "3.10",
        "price": "99.50",
        "state": "open",
        "filled": "0",
        "revision": 0,
        "canceling": False,
        "created_ns": str(AT_NS),
        "updated_ns": str(AT_NS + 1),
    }
    return {**usual, **fields}


def fill_row(**fields):
    usual = {
        "fill_id": "x1",
        "venue_id": "h1",
        "client_id": "a",
        "account": "A1",
        "symbol": "AAPL",
        "side": "sell",
        "quantity": "1.10",
        "price": "99.50",
        "time_ns": str(AT_NS),
    }
    return {**usual, **fields}


def order(**fields):
    return mapping.order_of(decode(encode(order_row(**fields)), wire.OrderRow), 9)


def frame(**fields):
    usual = {"type": "order", "event_id": "e1", "time_ns": str(AT_NS), "what": "accepted"}
    return decode(encode({**usual, "order": order_row(), **fields}), wire.Frame)


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("open", OrderStatus.OPEN),
        ("partially-filled", OrderStatus.PARTIALLY_FILLED),
        ("filled", OrderStatus.FILLED),
        ("canceled", OrderStatus.CANCELED),
        ("expired", OrderStatus.EXPIRED),
    ],
)
def test_a_state_is_a_status(state, status):
    assert (status, state) == (order(state=state).status, order(state=state).venue_status)


@pytest.mark.parametrize(("side", "expected"), [("buy", Side.BUY), ("sell", Side.SELL)])
def test_a_side_is_a_side(side, expected):
    assert expected is order(side=side).side


@pytest.mark.parametrize(
    ("kind", "expected"), [("market", OrderType.MARKET), ("limit", OrderType.LIMIT)]
)
def test_a_type_is_an_order_type(kind, expected):
    assert expected is order(type=kind).order_type


def test_an_order_keeps_its_amounts_and_times_to_the_letter():
    found = order()

    assert ("3.10", "99.50") == (str(found.quantity), str(found.limit_price))
    assert (AT_NS, AT_NS + 1) == (found.created_at_ns, found.updated_at_ns)
    assert (("h1",), "a", OrderOrigin.CLIENT) == (
        found.venue_order_ids,
        found.client_order_id,
        found.origin,
    )


def test_an_order_from_elsewhere_is_named_by_the_venue():
    found = order(client_id=None)

    assert ("ext-h1", OrderOrigin.EXTERNAL) == (found.client_order_id, found.origin)


@pytest.mark.parametrize(("flag", "pending"), [(True, PendingAction.CANCEL), (False, None)])
def test_canceling_is_pending_and_no_end(flag, pending):
    found = order(canceling=flag)

    assert (pending, OrderStatus.OPEN) == (found.pending, found.status)


@pytest.mark.parametrize(
    ("what", "kind"),
    [
        ("accepted", OrderEventKind.ACCEPTED),
        ("replaced", OrderEventKind.REPLACED),
        ("canceling", OrderEventKind.PENDING_CANCEL),
        ("canceled", OrderEventKind.CANCELED),
        ("expired", OrderEventKind.EXPIRED),
    ],
)
def test_what_happened_is_a_kind_of_event(what, kind):
    (event,) = mapping.events_of(frame(what=what), 9)

    assert (kind, "e1", AT_NS) == (event.kind, event.event_id, event.venue_time_ns)


def test_a_fill_comes_with_its_order():
    (event,) = mapping.events_of(frame(what="fill", fill=fill_row()), 9)

    assert OrderEventKind.FILL is event.kind
    assert ("x1", "1.10", "99.50", Side.SELL, AT_NS) == (
        event.fill.fill_id,
        str(event.fill.quantity),
        str(event.fill.price),
        event.fill.side,
        event.fill.venue_time_ns,
    )


def test_a_position_keeps_its_sign():
    row = {"account": "A1", "symbol": "AAPL", "quantity": "-2.50"}
    (event,) = mapping.events_of(frame(type="position", position=row, order=None), 9)

    assert "-2.50" == str(event.position.quantity)


@pytest.mark.parametrize("kind", ["auth", "subscribed", "heartbeat", "error"])
def test_frames_that_keep_the_stream_going_tell_nothing(kind):
    assert () == mapping.events_of(frame(type=kind), 9)


@pytest.mark.parametrize(
    "fields",
    [
        {"order": None},
        {"what": None},
        {"time_ns": None},
        {"what": "fill"},
        {"fill": fill_row()},
        {"type": "position"},
        {"order": order_row(created_ns="soon")},
        {"order": order_row(updated_ns="-1")},
    ],
)
def test_a_frame_that_lacks_or_contradicts_is_refused(fields):
    with pytest.raises(ProtocolError):
        mapping.events_of(frame(**fields), 9)


@pytest.mark.parametrize(
    ("request_", "content"),
    [
        (
            OrderRequest.limit("AAPL", Side.BUY, D("3.10"), limit_price=D("99.50")),
            {"type": "limit", "side": "buy", "quantity": "3.10", "price": "99.50"},
        ),
        (
            OrderRequest.market("AAPL", Side.SELL, D(1), position_effect=PositionEffect.CLOSE),
            {"type": "market", "side": "sell", "quantity": "1", "reduce_only": True},
        ),
    ],
)
def test_a_request_is_written_as_it_stands(request_, content):
    nobody = {"account": "", "client_id": "", "symbol": "AAPL"}

    assert {**nobody, **content} == mapping.order_content(request_)


def test_an_order_without_a_quantity_can_not_be_written():
    with pytest.raises(InvalidOrderError, match="notional"):
        mapping.order_content(OrderRequest.market("AAPL", Side.BUY, None, notional=D(5)))


def test_a_change_names_what_changes_alone():
    assert {"quantity": "5.0"} == mapping.change_content(OrderChange(quantity=D("5.0")))
    assert {"price": "9.10"} == mapping.change_content(OrderChange(limit_price=D("9.10")))


READ = Endpoint(name="GET /x", method="GET", path="/x")
SUBMIT = Endpoint(name="POST /orders", method="POST", path="/orders", lane=Lane.ORDER)


def refused(status, code, endpoint=SUBMIT, headers=None):
    body = encode({"code": code, "message": "no"})
    return classify(endpoint, HttpResponse(status=status, body=body, headers=headers or {}))


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("no-funds", RejectReason.INSUFFICIENT_FUNDS),
        ("unknown-symbol", RejectReason.UNKNOWN_SYMBOL),
        ("unknown-account", RejectReason.NOT_PERMITTED),
        ("bad-quantity", RejectReason.INVALID_QUANTITY),
        ("bad-price", RejectReason.INVALID_PRICE),
        ("below-filled", RejectReason.INVALID_QUANTITY),
        ("duplicate-client-id", RejectReason.DUPLICATE_CLIENT_ORDER_ID),
        ("would-increase", RejectReason.WOULD_INCREASE),
        ("bad-order", RejectReason.UNSUPPORTED),
    ],
)
def test_a_refused_order_has_its_reason(code, reason):
    error = refused(422, code)

    assert (OrderRejectedError, reason, code, Outcome.REJECTED) == (
        type(error),
        error.reason,
        error.code,
        error.outcome,
    )


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("unknown-order", NotFoundError),
        ("order-ended", ConflictError),
        ("bad-key", AuthenticationError),
    ],
)
def test_a_refusal_has_its_class(code, kind):
    assert kind is type(refused(404, code))


def test_too_many_requests_are_a_refusal_for_commands_alone():
    error = refused(429, "too-many-requests", headers={"retry-after": "3"})

    assert (RateLimitedError, Outcome.REJECTED, 3.0) == (
        type(error),
        error.outcome,
        error.retry_after,
    )
    assert None is refused(429, "too-many-requests", READ)


def test_a_code_that_is_not_in_the_table_means_nothing():
    assert None is refused(503, "maintenance")


def test_a_page_of_somebody_in_between_is_none_of_harbors():
    with pytest.raises(DecodeError):
        classify(SUBMIT, HttpResponse(status=502, body=b"<html>"))
