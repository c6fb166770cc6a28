"""What beacon's words mean, one by one, and how ours are written."""

from decimal import Decimal

import pytest

from dragoman import Offset, OrderChange, OrderRequest, OrderStatus, OrderType, Side, TimeInForce
from dragoman.errors import (
    AuthenticationError,
    ConflictError,
    DecodeError,
    NotFoundError,
    OrderRejectedError,
    Outcome,
    OutcomeUnknownError,
    ProtocolError,
    RateLimitedError,
    RejectReason,
    VenueError,
)
from dragoman.models import OrderEventKind
from dragoman.transport.base import HttpResponse, Lane
from dragoman.transport.codec import decode
from dragoman.transport.endpoint import Endpoint
from dragoman_conformance.references.beacon import errors, mapping, wire
from dragoman_conformance.references.beacon.dialect import refusals

READING = mapping.Reading(provider="beacon", account_id="a", received_at_ns=7)
SUBMIT = Endpoint(name="POST /orders", method="POST", path="/orders", lane=Lane.ORDER)
READ = Endpoint(name="GET /orders", method="GET", path="/orders")
ORDER = b"""{"id":"12","type":"LIMIT","instrument":"EUR_USD","units":"-600","filledUnits":"-100",
"state":"PENDING","price":"1.08450","createTime":"2026-01-07T12:00:00.123456789Z",
"priorOrderIds":["5","8"],"priorFilledUnits":"-400","clientExtensions":{"id":"mine"}%s}"""


def row(more=b""):
    return decode(ORDER % more, wire.OrderRow)


def test_an_order_counts_what_those_that_it_replaced_had_filled():
    order = mapping.order_of(row(), READING)

    assert (Decimal(1000), Decimal(500)) == (order.quantity, order.filled_quantity)
    assert (("5", "8", "12"), 2) == (order.venue_order_ids, order.revision)
    assert (Side.SELL, OrderStatus.PARTIALLY_FILLED) == (order.side, order.status)
    assert ("1.08450", 1_767_787_200_123_456_789) == (str(order.limit_price), order.created_at_ns)


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("HELD", OrderStatus.HELD),
        ("PENDING", OrderStatus.PARTIALLY_FILLED),
        ("TRIGGERED", OrderStatus.PARTIALLY_FILLED),
        ("FILLED", OrderStatus.FILLED),
        ("CANCELLED", OrderStatus.CANCELED),
        ("EXPIRED", OrderStatus.EXPIRED),
        ("REJECTED", OrderStatus.REJECTED),
        ("MELTED", OrderStatus.UNKNOWN),
    ],
)
def test_a_state_means_its_status_and_a_strange_one_nothing(state, status):
    order = mapping.order_of(row(b',"state":"%s"' % state.encode()), READING)

    assert (status, state) == (order.status, order.venue_status)


def test_a_strange_type_and_time_are_unknown_and_kept_apart_from_all_others():
    order = mapping.order_of(row(b',"type":"ICE","timeInForce":"EON"'), READING)

    assert (OrderType.UNKNOWN, TimeInForce.UNKNOWN) == (order.order_type, order.time_in_force)
    assert None is order.limit_price


def test_an_order_that_no_client_named_goes_by_its_first_id():
    order = mapping.order_of(row(b',"clientExtensions":null'), READING)

    assert ("ext-5", "EXTERNAL") == (order.client_order_id, order.origin)
    assert "12" == mapping.specifier_of(order.client_order_id, order.venue_order_id)
    assert "@mine" == mapping.specifier_of("mine", "12")


def test_amounts_are_read_digit_by_digit():
    units = b',"units":"-100000.10000000000000001","filledUnits":"0","priorFilledUnits":null'

    assert "100000.10000000000000001" == str(mapping.order_of(row(units), READING).quantity)


@pytest.mark.parametrize("price", ["0.0000001", "100000.10000000000000001", "1.10", "5E+3"])
def test_amounts_are_written_digit_by_digit_without_an_exponent(price):
    request = OrderRequest.limit("EUR_USD", Side.SELL, "0.10", price, client_order_id="c")

    body = mapping.order_body(request)

    assert ("-0.10", format(Decimal(price), "f")) == (body["units"], body["price"])


def test_a_change_names_only_what_changes_and_the_new_total():
    change = OrderChange(quantity="5", trailing=Offset("0.01"))

    assert {"units": "5", "distance": "0.01"} == mapping.change_body(change)


def test_that_an_order_was_canceled_to_be_replaced_is_no_event():
    head = b'{"id":"9","time":"2026-01-07T12:00:00Z","order":%s' % (ORDER % b"")
    gone = decode(head + b',"type":"ORDER_CANCEL","reason":"REPLACED"}', wire.TransactionRow)
    made = decode(head + b',"type":"ORDER_CREATE","reason":"REPLACEMENT"}', wire.TransactionRow)

    assert () == mapping.events_of(gone, READING)
    assert [OrderEventKind.REPLACED] == [one.kind for one in mapping.events_of(made, READING)]


@pytest.mark.parametrize(
    "line",
    [
        b'"type":"ORDER_FILL"',
        b'"type":"ORDER_CANCEL"',
        b'"type":"ORDER_FILL","units":"1","order":' + ORDER % b"",
    ],
    ids=["fill without order", "cancel without order", "fill without price"],
)
def test_a_transaction_that_lacks_what_it_needs_is_refused(line):
    found = decode(b'{"id":"9","time":"2026-01-07T12:00:00Z",%s}' % line, wire.TransactionRow)

    with pytest.raises(ProtocolError):
        mapping.events_of(found, READING)


def test_a_time_that_is_none_is_refused():
    with pytest.raises(ProtocolError):
        mapping.time_of("2026-01-07 12:00")


def refusal(status, code, endpoint=SUBMIT, message="no"):
    body = b'{"errorCode":"%s","errorMessage":"%s"}' % (code.encode(), message.encode())
    return errors.classify(endpoint, HttpResponse(status=status, body=body))


@pytest.mark.parametrize(("code", "reason"), errors.REASONS.items())
def test_a_refused_order_has_its_reason_and_the_code(code, reason):
    error = refusal(400, code)

    assert isinstance(error, OrderRejectedError)
    assert (reason, code, Outcome.REJECTED) == (error.reason, error.code, error.outcome)


@pytest.mark.parametrize("reason", list(RejectReason))
def test_every_reason_comes_back_as_itself_or_as_one_without_a_word(reason):
    code = refusals.code_of_reason(reason)

    lost = {RejectReason.NEVER_ARRIVED, RejectReason.OTHER}
    assert (RejectReason.OTHER if reason in lost else reason) is errors.reason_of(code)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, "INVALID_TOKEN", AuthenticationError),
        (404, "NO_SUCH_ORDER", NotFoundError),
        (409, "ORDER_NOT_PENDING", ConflictError),
        (400, "NEVER_HEARD_OF", OrderRejectedError),
        (404, "NEVER_HEARD_OF", NotFoundError),
    ],
)
def test_a_code_means_its_class_and_a_strange_one_what_the_status_says(status, code, kind):
    error = refusal(status, code)

    assert kind is type(error)
    assert (code, Outcome.REJECTED) == (error.code, error.outcome)


def test_a_strange_code_to_a_read_is_the_venues_refusal():
    assert VenueError is type(refusal(400, "NEVER_HEARD_OF", READ))


def test_a_request_turned_away_was_not_served():
    error = refusal(429, "TOO_MANY_REQUESTS")

    assert isinstance(error, RateLimitedError)
    assert Outcome.REJECTED is error.outcome


def test_a_strange_status_leaves_an_order_in_doubt():
    assert isinstance(refusal(418, "NEVER_HEARD_OF"), OutcomeUnknownError)
    assert None is refusal(502, "INSUFFICIENT_MARGIN")


def test_what_is_not_beacons_is_none_of_its_refusals():
    with pytest.raises(DecodeError):
        errors.classify(SUBMIT, HttpResponse(status=400, body=b"<html>"))
