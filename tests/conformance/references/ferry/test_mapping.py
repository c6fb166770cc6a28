"""What ferry's words mean, one by one, and how ours are written."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from dragoman import OrderRequest, OrderStatus, OrderType, Side, TimeInForce
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
    UnknownInstrumentError,
    UnmappedValueError,
    VenueError,
    VenueUnavailableError,
)
from dragoman.models import Liquidity, Money, Window
from dragoman.times import from_datetime
from dragoman.transport.base import HttpResponse, Lane
from dragoman.transport.codec import decode
from dragoman.transport.endpoint import Endpoint
from dragoman_conformance.references.ferry import errors, mapping, names, wire, zone
from dragoman_conformance.references.ferry.dialect import refusals

READING = mapping.Reading(provider="ferry", account_id="a", received_at_ns=7)
SUBMIT = Endpoint(name="POST /orders", method="POST", path="/orders", lane=Lane.ORDER)
READ = Endpoint(name="GET /orders", method="GET", path="/orders")
ORDER = b"""{"id":"F7","client":"mine","sym":"AAPL","side":"S","kind":"LMT","qty":8,"filled":2.50,
"price":100000.10000000000000001,"state":"partial","created":1767787200123,
"updated":1767787200456,"tif":"GTC"%s}"""
FILL = b"""{"id":"f1","order":"F7","client":null,"sym":"AAPL","side":"B","qty":1e-9,"price":100.10,
"time":1767787200123,"fee":-0.25,"fee_ccy":"USD","maker":true}"""


def row(more=b""):
    return decode(ORDER % more, wire.OrderRow)


def test_numbers_are_read_digit_by_digit_and_times_as_milliseconds():
    order = mapping.order_of(row(), READING)

    assert ("100000.10000000000000001", "2.50") == (
        str(order.limit_price),
        str(order.filled_quantity),
    )
    assert 1_767_787_200_123_000_000 == order.created_at_ns
    assert (Side.SELL, TimeInForce.GTC) == (order.side, order.time_in_force)


@pytest.mark.parametrize(("state", "status"), mapping.STATES.items())
def test_a_state_means_its_status(state, status):
    assert status is mapping.order_of(row(b',"state":"%s"' % state.encode()), READING).status


def test_strange_words_are_unknown():
    order = mapping.order_of(row(b',"state":"lost","kind":"ICE","tif":"EON"'), READING)

    assert (OrderStatus.UNKNOWN, "lost") == (order.status, order.venue_status)
    assert (OrderType.UNKNOWN, TimeInForce.UNKNOWN) == (order.order_type, order.time_in_force)


@pytest.mark.parametrize(
    "more", [b',"side":"X"', b',"created":-1', b',"updated":99999999999999999']
)
def test_what_no_order_can_have_is_refused(more):
    with pytest.raises(ProtocolError):
        mapping.order_of(row(more), READING)


def test_a_fee_below_zero_was_paid():
    fill = mapping.fill_of(decode(FILL, wire.FillRow), READING)

    assert Money("0.25", "USD") == fill.commission
    assert (Decimal("1E-9"), Liquidity.MAKER, "ext-F7") == (
        fill.quantity,
        fill.liquidity,
        fill.client_order_id,
    )


@pytest.mark.parametrize(
    ("direction", "quantity"), [("LONG", Decimal("1.5")), ("SHORT", Decimal("-1.5"))]
)
def test_a_direction_is_the_sign_of_a_quantity(direction, quantity):
    assert quantity == mapping.quantity_of(direction, Decimal("1.5"))


def test_a_direction_that_is_none_is_refused():
    with pytest.raises(ProtocolError):
        mapping.quantity_of("FLAT", Decimal(0))


def test_a_window_is_asked_for_in_whole_milliseconds_around_it():
    window = Window(start_ns=1_999_999, end_ns=3_000_001)

    assert [("from", "1"), ("to", "4")] == mapping.span_of(window)
    assert [("to", "3")] == mapping.span_of(Window(end_ns=3_000_000))


@pytest.mark.parametrize("price", ["0.0000001", "100000.10000000000000001", "1.10"])
def test_amounts_are_written_digit_by_digit_without_an_exponent(price):
    request = OrderRequest.limit("AAPL", Side.SELL, "0.10", price, account_id="a")

    form = dict(mapping.order_form(request, "token"))

    assert ("S", "LMT", "0.10", price, "token") == (
        form["side"],
        form["kind"],
        form["qty"],
        form["price"],
        form["client"],
    )


@pytest.mark.parametrize(
    ("text", "is_dst", "utc"),
    [
        ("2026-01-07 07:00:00", False, (2026, 1, 7, 12)),
        ("2026-07-07 08:00:00", True, (2026, 7, 7, 12)),
        ("2026-11-01 01:30:00", True, (2026, 11, 1, 5, 30)),
        ("2026-11-01 01:30:00", False, (2026, 11, 1, 6, 30)),
        ("2026-03-08 03:00:00", True, (2026, 3, 8, 7)),
        ("2028-02-29 23:59:59", False, (2028, 3, 1, 4, 59, 59)),
    ],
)
def test_a_wall_time_with_its_flag_is_one_instant(text, is_dst, utc):
    assert from_datetime(datetime(*utc, tzinfo=UTC)) == zone.instant_of(text, is_dst=is_dst)


@pytest.mark.parametrize(
    ("text", "is_dst"),
    [
        ("2026-03-08 02:30:00", True),
        ("2026-03-08 02:30:00", False),
        ("2026-07-07 08:00:00", False),
        ("2026-01-07 07:00:00", True),
        ("2026-01-07 07:00:00+00:00", False),
        ("yesterday", False),
    ],
)
def test_a_wall_time_that_never_was_is_refused(text, is_dst):
    with pytest.raises(ProtocolError):
        zone.instant_of(text, is_dst=is_dst)


@pytest.mark.parametrize(
    ("client_order_id", "revision", "fits"),
    [
        ("abc1", 0, True),
        ("a" * 20, 0, True),
        ("a" * 21, 0, False),
        ("A", 0, False),
        ("a", 1, False),
    ],
)
def test_an_id_goes_as_itself_where_it_fits_else_as_a_hash_that_does(
    client_order_id, revision, fits
):
    token = names.token_of(client_order_id, revision)

    assert fits is (token == client_order_id)
    assert token == names.token_of(token, 0)


def refusal(code, endpoint=SUBMIT, *, status=200):
    body = b'{"ok":false,"error":{"code":%d,"text":"no","order":null}}' % code
    return errors.classify(endpoint, HttpResponse(status=status, body=body))


@pytest.mark.parametrize(("code", "reason"), errors.REASONS.items())
def test_a_refused_order_has_its_reason_and_the_code(code, reason):
    error = refusal(code)

    assert isinstance(error, OrderRejectedError)
    assert (reason, str(code), Outcome.REJECTED) == (error.reason, error.code, error.outcome)


@pytest.mark.parametrize("reason", list(RejectReason))
def test_every_reason_comes_back_as_itself_or_as_one_without_a_number(reason):
    found = errors.reason_of(refusals.number_of_reason(reason))

    lost = {
        RejectReason.NEVER_ARRIVED,
        RejectReason.OTHER,
        RejectReason.WOULD_TAKE,
        RejectReason.POSITION_MODE,
    }
    assert (RejectReason.OTHER if reason in lost else reason) is found


@pytest.mark.parametrize(
    ("code", "endpoint", "kind", "outcome"),
    [
        (1401, SUBMIT, AuthenticationError, Outcome.REJECTED),
        (1404, READ, NotFoundError, Outcome.REJECTED),
        (1406, SUBMIT, ConflictError, Outcome.REJECTED),
        (1410, READ, UnknownInstrumentError, Outcome.NOT_SENT),
        (1498, SUBMIT, OrderRejectedError, Outcome.REJECTED),
        (1498, READ, VenueError, Outcome.REJECTED),
        (1504, SUBMIT, VenueUnavailableError, None),
        (1500, READ, VenueUnavailableError, None),
        (77, SUBMIT, OrderRejectedError, Outcome.REJECTED),
        (77, READ, VenueError, Outcome.REJECTED),
        (1429, SUBMIT, RateLimitedError, Outcome.REJECTED),
        (1429, READ, RateLimitedError, None),
    ],
)
def test_a_code_means_its_class_and_what_is_known_of_a_fate(code, endpoint, kind, outcome):
    error = refusal(code, endpoint)

    assert kind is type(error)
    assert (str(code), outcome) == (error.code, error.outcome)


def test_a_success_is_no_error_and_another_status_is_not_ferrys():
    body = b'{"ok":true,"now":1,"data":{}}'

    assert None is errors.classify(SUBMIT, HttpResponse(status=200, body=body))
    assert None is refusal(1411, status=502)
    nothing = errors.classify(SUBMIT, HttpResponse(status=200, body=b'{"ok":false}'))
    assert isinstance(nothing, UnmappedValueError)
    with pytest.raises(DecodeError):
        errors.classify(SUBMIT, HttpResponse(status=200, body=b"<html>"))
