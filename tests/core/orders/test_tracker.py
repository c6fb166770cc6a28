"""What comes in, in any order and any number of times, is told once and reads well."""

from decimal import Decimal

import attrs
import pytest

from dragoman import (
    EventSource,
    Fill,
    Order,
    OrderEvent,
    OrderEventKind,
    OrderOrigin,
    OrderRequest,
    OrderStatus,
    PendingAction,
    RejectReason,
    Side,
)
from dragoman.orders.tracker import OrderTracker

D = Decimal
Kind = OrderEventKind
REQUEST = OrderRequest.limit("AAPL", Side.BUY, 10, "5", client_order_id="one")


@pytest.fixture
def tracker() -> OrderTracker:
    return OrderTracker("paper-1", "mock")


def opened(tracker: OrderTracker, **changes: object) -> Order:
    order = tracker.order("one")
    assert order is not None
    facts = {
        "status": OrderStatus.OPEN,
        "venue_order_ids": ("7",),
        "created_at_ns": 10,
        "updated_at_ns": 10,
    }
    return attrs.evolve(order, **{**facts, **changes})  # type: ignore[arg-type]


def event(
    kind: OrderEventKind, order: Order, *, event_id: str | None = None, **more: object
) -> OrderEvent:
    return OrderEvent(
        kind=kind,
        order=order,
        account_id="paper-1",
        received_at_ns=99,
        event_id=event_id,
        venue_time_ns=order.updated_at_ns,
        **more,  # type: ignore[arg-type]
    )


def fill_of(number: int, quantity: int) -> Fill:
    return Fill(
        fill_id=f"f{number}",
        account_id="paper-1",
        client_order_id="one",
        venue_order_id="7",
        symbol="AAPL",
        side=Side.BUY,
        quantity=D(quantity),
        price=D(5),
        venue_time_ns=20 + number,
        provider="mock",
        received_at_ns=30,
    )


def kinds(events: list[OrderEvent]) -> list[OrderEventKind]:
    return [one.kind for one in events]


def test_an_acceptance_said_by_response_and_stream_is_told_once(tracker: OrderTracker) -> None:
    tracker.register(REQUEST, 1)
    accepted = opened(tracker)

    by_stream = tracker.observe(event(Kind.ACCEPTED, accepted))
    by_response = tracker.answer(accepted, EventSource.RESPONSE, 50)

    assert ([Kind.ACCEPTED], []) == (kinds(by_stream), kinds(by_response))


def test_a_fill_before_any_acceptance_is_preceded_by_one(tracker: OrderTracker) -> None:
    tracker.register(REQUEST, 1)
    order = opened(tracker, filled_quantity=D(4), updated_at_ns=21)

    events = tracker.observe(event(Kind.FILL, order, fill=fill_of(1, 4)))
    late = tracker.observe(event(Kind.ACCEPTED, opened(tracker)))

    assert ([Kind.ACCEPTED, Kind.FILL], []) == (kinds(events), kinds(late))
    assert [OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED] == [one.order.status for one in events]


def test_a_fill_is_told_once_by_its_id(tracker: OrderTracker) -> None:
    tracker.register(REQUEST, 1)
    order = opened(tracker, filled_quantity=D(4), updated_at_ns=21)
    told = event(Kind.FILL, order, fill=fill_of(1, 4))

    first = tracker.observe(told)
    again = tracker.observe(attrs.evolve(told, event_id="another"))

    assert (2, 0) == (len(first), len(again))


def test_an_event_told_again_under_its_id_is_dropped(tracker: OrderTracker) -> None:
    tracker.register(REQUEST, 1)
    moved = opened(tracker, limit_price=D(6), updated_at_ns=30)
    told = event(Kind.RESTATED, moved, event_id="e1")

    first = tracker.observe(told)

    assert (True, []) == (bool(first), tracker.observe(told))


def test_an_order_never_seen_is_adopted_as_external_before_its_fill(tracker: OrderTracker) -> None:
    stranger = attrs.evolve(
        opened_elsewhere(), filled_quantity=D(4), status=OrderStatus.PARTIALLY_FILLED
    )

    events = tracker.observe(event(Kind.FILL, stranger, fill=fill_of(1, 4)))

    assert [Kind.ADOPTED, Kind.FILL] == kinds(events)
    assert OrderOrigin.EXTERNAL is events[-1].order.origin


def opened_elsewhere() -> Order:
    other = OrderTracker("paper-1", "mock")
    other.register(REQUEST, 1)
    return opened(other)


def test_a_leg_of_ones_own_order_is_ones_own(tracker: OrderTracker) -> None:
    tracker.register(REQUEST, 1)
    leg = opened(
        tracker,
        client_order_id="one-sl",
        parent_client_order_id="one",
        venue_order_ids=("8",),
        status=OrderStatus.HELD,
    )

    events = tracker.observe(event(Kind.ACCEPTED, leg))

    assert ([Kind.ACCEPTED], OrderOrigin.CLIENT) == (kinds(events), events[0].order.origin)


def test_an_order_keeps_its_name_when_the_venue_only_knows_its_own_id(
    tracker: OrderTracker,
) -> None:
    tracker.register(REQUEST, 1)
    tracker.answer(opened(tracker), EventSource.RESPONSE, 2)
    nameless = opened(
        tracker, client_order_id="ext-7", status=OrderStatus.CANCELED, updated_at_ns=40
    )

    events = tracker.observe(event(Kind.CANCELED, nameless))

    assert [("one", OrderStatus.CANCELED)] == [
        (one.order.client_order_id, one.order.status) for one in events
    ]


def test_doubt_is_told_only_while_nothing_is_known(tracker: OrderTracker) -> None:
    tracker.register(REQUEST, 1)

    doubted = tracker.doubt("one", 5)
    tracker.answer(opened(tracker), EventSource.RECONCILED, 6)

    assert [(Kind.OUTCOME_UNKNOWN, OrderStatus.UNKNOWN)] == [
        (one.kind, one.order.status) for one in doubted
    ]
    assert [] == tracker.doubt("one", 7)


def test_a_refusal_ends_the_order_with_its_reason(tracker: OrderTracker) -> None:
    tracker.register(REQUEST, 1)

    events = tracker.refuse("one", RejectReason.INSUFFICIENT_FUNDS, "no money", code="40", at_ns=9)

    order = events[0].order
    assert [Kind.REJECTED] == kinds(events)
    assert (OrderStatus.REJECTED, RejectReason.INSUFFICIENT_FUNDS, "no money", "40") == (
        order.status,
        order.reject_reason,
        order.reason,
        order.venue_code,
    )
    assert [] == list(tracker.open_orders())


def test_a_response_tells_what_it_changed(tracker: OrderTracker) -> None:
    tracker.register(REQUEST, 1)
    tracker.answer(opened(tracker), EventSource.RESPONSE, 2)

    pending = tracker.answer(
        opened(tracker, pending=PendingAction.CANCEL, updated_at_ns=20), EventSource.RESPONSE, 3
    )
    replaced = tracker.answer(
        opened(tracker, revision=1, quantity=D(12), updated_at_ns=30), EventSource.RESPONSE, 4
    )
    restated = tracker.answer(
        opened(tracker, revision=1, quantity=D(12), limit_price=D(6), updated_at_ns=40),
        EventSource.RECONCILED,
        5,
    )
    canceled = tracker.answer(
        opened(tracker, revision=1, status=OrderStatus.CANCELED, updated_at_ns=50),
        EventSource.RESPONSE,
        6,
    )

    told = [kinds(events) for events in (pending, replaced, restated, canceled)]
    assert [[Kind.PENDING_CANCEL], [Kind.REPLACED], [Kind.RESTATED], [Kind.CANCELED]] == told


def test_a_cancel_that_came_too_late_is_not_told_of_a_filled_order(tracker: OrderTracker) -> None:
    tracker.register(REQUEST, 1)
    full = opened(tracker, filled_quantity=D(10), updated_at_ns=21, status=OrderStatus.FILLED)
    tracker.observe(event(Kind.FILL, full, fill=fill_of(1, 10)))

    late = tracker.observe(event(Kind.CANCELED, opened(tracker, updated_at_ns=30)))

    assert [] == late
    assert tracker.order("one").status is OrderStatus.FILLED  # type: ignore[union-attr]


def test_a_bust_that_comes_first_brings_its_fill_along(tracker: OrderTracker) -> None:
    tracker.register(REQUEST, 1)
    order = opened(tracker, updated_at_ns=40)
    busted = event(Kind.FILL_BUSTED, order, fill=fill_of(1, 4))

    first = tracker.observe(busted)
    again = tracker.observe(busted)
    late = tracker.observe(event(Kind.FILL, opened(tracker), fill=fill_of(1, 4)))

    assert [Kind.ACCEPTED, Kind.FILL, Kind.FILL_BUSTED] == kinds(first)
    assert ([], []) == (again, late)
    assert [D(4), D(0)] == [one.order.filled_quantity for one in first[1:]]
    assert [False, True] == [one.fill.is_busted for one in first[1:] if one.fill]


def test_a_fill_under_new_terms_does_not_swallow_the_replace(tracker: OrderTracker) -> None:
    tracker.register(REQUEST, 1)
    tracker.answer(opened(tracker), EventSource.RESPONSE, 2)
    renewed = opened(tracker, revision=1, quantity=D(12), updated_at_ns=30)

    by_fill = tracker.observe(
        event(Kind.FILL, attrs.evolve(renewed, filled_quantity=D(4)), fill=fill_of(1, 4))
    )
    by_replace = tracker.observe(event(Kind.REPLACED, renewed))

    assert ([Kind.FILL], [Kind.REPLACED]) == (kinds(by_fill), kinds(by_replace))


def test_a_leg_first_seen_through_its_fill_is_accepted_before_it(tracker: OrderTracker) -> None:
    tracker.register(REQUEST, 1)
    leg = opened(
        tracker, client_order_id="one-sl", parent_client_order_id="one", venue_order_ids=("8",)
    )
    of_leg = attrs.evolve(fill_of(1, 4), client_order_id="one-sl", venue_order_id="8")

    events = tracker.observe(event(Kind.FILL, leg, fill=of_leg))

    assert [Kind.ACCEPTED, Kind.FILL] == kinds(events)


def test_an_adopted_order_is_told_as_it_stands_and_not_restated(tracker: OrderTracker) -> None:
    stranger = attrs.evolve(
        opened_elsewhere(), filled_quantity=D(4), status=OrderStatus.PARTIALLY_FILLED
    )

    events = tracker.answer(stranger, EventSource.RECONCILED, 9)

    assert [Kind.ADOPTED] == kinds(events)
    assert (("7",), D(4)) == (events[0].order.venue_order_ids, events[0].order.filled_quantity)


def test_a_restatement_said_twice_is_told_once(tracker: OrderTracker) -> None:
    tracker.register(REQUEST, 1)
    tracker.answer(opened(tracker), EventSource.RESPONSE, 2)
    moved = opened(tracker, limit_price=D(6), updated_at_ns=30)

    by_response = tracker.answer(moved, EventSource.RESPONSE, 3)
    by_stream = tracker.observe(event(Kind.RESTATED, moved))
    of_a_tag = tracker.observe(event(Kind.RESTATED, attrs.evolve(moved, tag="x", updated_at_ns=31)))

    assert ([Kind.RESTATED], [], [Kind.RESTATED]) == (
        kinds(by_response),
        kinds(by_stream),
        kinds(of_a_tag),
    )


def test_an_end_that_a_fill_event_showed_first_is_still_told(tracker: OrderTracker) -> None:
    tracker.register(REQUEST, 1)
    tracker.answer(opened(tracker), EventSource.RESPONSE, 2)
    ended = opened(tracker, status=OrderStatus.CANCELED, filled_quantity=D(4), updated_at_ns=30)

    by_fill = tracker.observe(event(Kind.FILL, ended, fill=fill_of(1, 4)))
    by_cancel = tracker.observe(event(Kind.CANCELED, ended))

    assert ([Kind.FILL], [Kind.CANCELED]) == (kinds(by_fill), kinds(by_cancel))


def test_a_trigger_that_only_a_snapshot_shows_is_told_once(tracker: OrderTracker) -> None:
    tracker.register(REQUEST, 1)
    tracker.answer(opened(tracker, is_triggered=False), EventSource.RESPONSE, 2)
    triggered = opened(tracker, is_triggered=True, updated_at_ns=30)

    by_snapshot = tracker.answer(triggered, EventSource.RECONCILED, 3)
    by_stream = tracker.observe(event(Kind.TRIGGERED, triggered))

    assert ([Kind.TRIGGERED], []) == (kinds(by_snapshot), kinds(by_stream))
