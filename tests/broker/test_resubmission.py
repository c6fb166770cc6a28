"""Replacing an order where the venue can't: never two alive, never more than was meant."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import attrs
import pytest

from dragoman import (
    Broker,
    ConflictError,
    DuplicateOrderError,
    HaltedError,
    Order,
    OrderEventKind,
    OrderRejectedError,
    OrderRequest,
    OrderStatus,
    Outcome,
    OutcomeUnknownError,
    PositionEffect,
    ProtectionEvent,
    ProtectionKind,
    RejectReason,
    UnsupportedError,
    VenueUnavailableError,
)
from dragoman.capabilities import ReplaceRule
from dragoman.models.enums import Support
from dragoman.orders.journal import OrderHistory

from .bare_desk import bare_desk
from .fake_adapter import BUY, CANCELING, SELL, FakeVenue, event, filled, history, settle

D = Decimal
Kind = OrderEventKind
LOW = OrderRequest.limit("AAPL", BUY, 10, "5", client_order_id="low")
LOST = VenueUnavailableError("503", outcome=Outcome.UNKNOWN)
RULE = ReplaceRule(
    fields=frozenset({"quantity", "limit_price"}),
    support=Support.EMULATED,
    keeps_venue_id=False,
    is_atomic=False,
)


@pytest.fixture
def venue() -> FakeVenue:
    venue = FakeVenue()
    venue.capabilities = attrs.evolve(venue.capabilities, replace=RULE)
    return venue


@pytest.fixture
async def broker(venue: FakeVenue) -> AsyncIterator[Broker]:
    async with venue.connect(reconcile_every_s=1e6, timeout_s=5) as broker:
        yield broker


@pytest.fixture
async def low(venue: FakeVenue, broker: Broker) -> Order:
    venue.script("submit", lambda request: venue.order_of(request, 1))
    return await broker.submit(LOW)


def waiting() -> asyncio.Future[Any]:
    return asyncio.get_running_loop().create_future()


def now(broker: Broker) -> Order:
    order = broker.state.order("low")
    assert order is not None
    return order


def kinds(broker: Broker) -> list[OrderEventKind]:
    return [one.kind for one in history(broker) if one.order.client_order_id == "low"]


def sends(venue: FakeVenue) -> list[OrderRequest]:
    """Keep every request that is submitted from now on."""
    requests: list[OrderRequest] = []

    def take(request: OrderRequest) -> Order:
        requests.append(request)
        return venue.order_of(request, 2, created_at_ns=600, updated_at_ns=600)

    venue.script("submit", take)
    return requests


def warned(broker: Broker) -> list[ProtectionEvent]:
    events = broker._session.journal.since(0, 100_000)
    return [one for one in events if isinstance(one, ProtectionEvent)]


def died(order: Order, **facts: Any) -> Order:
    return attrs.evolve(order, status=OrderStatus.CANCELED, updated_at_ns=500, **facts)


async def test_what_is_left_is_sent_anew_once_the_old_order_is_dead(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    venue.stream(filled(low, 1, 4, 4))
    await settle()
    venue.script("cancel", died(low, filled_quantity=D(4)))
    (requests, order) = sends(venue), await broker.replace("low", quantity=12, limit_price="6")

    assert [("low.1", D(8), D(6))] == [
        (one.client_order_id, one.quantity, one.limit_price) for one in requests
    ]
    assert (OrderStatus.PARTIALLY_FILLED, 1, D(12), D(4), D(6), ("v1", "v2")) == (
        order.status,
        order.revision,
        order.quantity,
        order.filled_quantity,
        order.limit_price,
        order.venue_order_ids,
    )
    assert "replace" not in venue.calls
    assert None is broker._session.journal.intent("low.1")
    assert [order] == list(broker.state.open_orders)
    assert Kind.CANCELED not in kinds(broker)
    assert Kind.REPLACED is kinds(broker)[-1]
    assert D(12) == (await broker.cancel("low")).quantity


async def test_fills_of_the_new_order_are_the_intents(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    venue.stream(filled(low, 1, 4, 4))
    await settle()
    venue.script("cancel", died(low, filled_quantity=D(4)))
    sends(venue)
    await broker.replace("low", limit_price="6")

    leg = venue.order_of(attrs.evolve(LOW, client_order_id="low.1", quantity=D(6)), 2)
    venue.stream(filled(leg, 2, 6, 6))
    await settle()

    assert (OrderStatus.FILLED, D(10)) == (now(broker).status, now(broker).filled_quantity)
    assert (Kind.FILL, "low") == (kinds(broker)[-1], history(broker)[-1].fill.client_order_id)  # type: ignore[union-attr]
    assert None is broker.state.order("low.1")


async def test_an_adapter_may_read_the_intent_out_of_the_new_orders_id(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    venue.script("cancel", died(low, filled_quantity=D(4)))
    venue.script(
        "submit",
        lambda request: attrs.evolve(
            venue.order_of(request, 2, updated_at_ns=600), client_order_id="low", revision=1
        ),
    )

    order = await broker.replace("low", limit_price="6")

    assert (1, D(10), D(4), OrderStatus.PARTIALLY_FILLED) == (
        order.revision,
        order.quantity,
        order.filled_quantity,
        order.status,
    )


async def test_the_replaced_order_is_canceled_and_replaced_again_under_its_newest_id(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    del low
    sends(venue)
    await broker.replace("low", limit_price="6")
    requests = sends(venue)
    second = await broker.replace("low", limit_price="7")
    canceled = await broker.cancel("low")

    assert (["low.2"], 2) == ([one.client_order_id for one in requests], second.revision)
    assert (OrderStatus.CANCELED, ()) == (canceled.status, broker.state.open_orders)
    assert Kind.CANCELED is kinds(broker)[-1]


async def test_an_accepted_cancel_is_waited_out_before_anything_is_sent(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    venue.script("cancel", attrs.evolve(low, pending=CANCELING, updated_at_ns=20))
    requests = sends(venue)
    caller = asyncio.ensure_future(broker.replace("low", limit_price="6", timeout_s=60))
    await settle()
    early = len(requests)

    venue.stream(filled(low, 1, 4, 4))
    venue.stream(event(Kind.CANCELED, died(low, filled_quantity=D(4))))
    order = await caller

    assert (0, [D(6)]) == (early, [one.quantity for one in requests])
    assert (D(10), D(4)) == (order.quantity, order.filled_quantity)


async def test_f37_a_refused_new_order_says_that_the_order_is_gone(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    del low
    venue.script("submit", OrderRejectedError("no money", reason=RejectReason.INSUFFICIENT_FUNDS))

    with pytest.raises(OrderRejectedError, match="low is gone: it was canceled") as raised:
        await broker.replace("low", limit_price="6")

    assert RejectReason.INSUFFICIENT_FUNDS is raised.value.reason
    assert None is broker._session.journal.intent("low.1")
    assert (OrderStatus.CANCELED, D(5)) == (now(broker).status, now(broker).limit_price)
    assert Kind.CANCELED is kinds(broker)[-1]
    assert [] == warned(broker)


@pytest.mark.parametrize("how", ["response", "order", "stream"])
async def test_f37_an_exit_that_is_lost_leaves_its_position_unprotected(
    venue: FakeVenue, broker: Broker, how: str
) -> None:
    closing = OrderRequest.limit(
        "AAPL", SELL, 10, "5", client_order_id="low", position_effect=PositionEffect.CLOSE
    )
    await broker.submit(closing)

    def refuse(request: OrderRequest) -> object:
        refused = venue.order_of(request, 2, status=OrderStatus.REJECTED, reason="no")
        if how == "stream":
            broker._session.tell(broker._session.tracker.observe(event(Kind.REJECTED, refused)))
        return refused if how == "order" else OrderRejectedError("no")

    venue.script("submit", refuse)
    with pytest.raises(OrderRejectedError, match="is gone"):
        await broker.replace("low", limit_price="6")

    assert OrderStatus.CANCELED is now(broker).status
    assert [(ProtectionKind.UNPROTECTED, ("low",), "AAPL")] == [
        (one.kind, one.client_order_ids, one.position_id) for one in warned(broker)
    ]


async def test_f37_a_halt_in_between_leaves_the_order_canceled(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    answer = waiting()
    venue.script("cancel", answer)
    caller = asyncio.ensure_future(broker.replace("low", limit_price="6", timeout_s=60))
    await settle()

    broker.halt()
    answer.set_result(died(low))

    with pytest.raises(OrderRejectedError, match="halted"):
        await caller
    assert OrderStatus.CANCELED is now(broker).status
    assert 1 == venue.calls.count("submit")
    with pytest.raises(HaltedError):
        await broker.replace("low", limit_price="6")


async def test_f38_a_refused_cancel_sends_nothing_new(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    venue.script("cancel", ConflictError("too late"))
    venue.shown["low"] = low

    with pytest.raises(ConflictError):
        await broker.replace("low", limit_price="6")

    assert (low, 1) == (now(broker), venue.calls.count("submit"))


async def test_f38_a_cancel_of_unknown_fate_sends_nothing_new(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    venue.script("cancel", LOST)

    with pytest.raises(OutcomeUnknownError):
        await broker.replace("low", limit_price="6", timeout_s=0.05)
    venue.stream(event(Kind.CANCELED, died(low)))
    await settle()

    assert (OrderStatus.CANCELED, 1) == (now(broker).status, venue.calls.count("submit"))
    assert Kind.CANCELED is kinds(broker)[-1]


async def test_f38_an_accepted_cancel_that_never_ends_sends_nothing_new(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    venue.script("cancel", attrs.evolve(low, pending=CANCELING, updated_at_ns=20))

    with pytest.raises(OutcomeUnknownError, match="nothing was sent"):
        await broker.replace("low", limit_price="6", timeout_s=0.05)

    assert 1 == venue.calls.count("submit")


async def test_f38_an_order_that_filled_instead_sends_nothing_new(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    venue.script("cancel", ConflictError("filled"))
    full = attrs.evolve(low, status=OrderStatus.FILLED, filled_quantity=D(10), updated_at_ns=30)
    venue.shown["low"] = full

    with pytest.raises(ConflictError, match="FILLED"):
        await broker.replace("low", limit_price="6")

    assert (OrderStatus.FILLED, 1) == (now(broker).status, venue.calls.count("submit"))


async def test_nothing_is_sent_when_the_fills_before_the_end_leave_nothing(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    venue.script("cancel", died(low, filled_quantity=D(8)))

    with pytest.raises(ConflictError, match="nothing is left"):
        await broker.replace("low", quantity=8)

    assert (OrderStatus.CANCELED, 1) == (now(broker).status, venue.calls.count("submit"))


async def test_a_lost_new_order_is_looked_for_under_its_own_id(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    leg = attrs.evolve(LOW, client_order_id="low.1", limit_price=D(6))
    venue.script("submit", LOST)
    with pytest.raises(OutcomeUnknownError):
        await broker.replace(low, limit_price="6", timeout_s=0.05)
    unknown, kept = now(broker).status, broker._session.journal.intent("low.1")

    venue.shown["low"] = venue.order_of(leg, 2, updated_at_ns=600)
    await venue.clock.advance(seconds=2)

    assert (OrderStatus.UNKNOWN, "low.1") == (unknown, kept and kept.client_order_id)
    assert None is broker._session.journal.intent("low.1")
    assert (OrderStatus.OPEN, 1, D(6)) == (
        now(broker).status,
        now(broker).revision,
        now(broker).limit_price,
    )
    assert 2 == venue.calls.count("submit")


async def test_a_lost_new_order_that_never_arrived_ends_the_intent(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    venue.script("submit", LOST)
    with pytest.raises(OutcomeUnknownError):
        await broker.replace(low, limit_price="6", timeout_s=0.05)

    await venue.clock.advance(seconds=5)

    assert OrderStatus.CANCELED is now(broker).status
    assert None is broker._session.journal.intent("low.1")
    assert [Kind.OUTCOME_UNKNOWN, Kind.CANCELED] == kinds(broker)[-2:]
    assert () == broker._session.desk.resolver.unresolved


async def test_two_replaces_at_once_are_one_and_a_conflict(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    del low
    requests = sends(venue)

    done = await asyncio.gather(
        broker.replace("low", limit_price="6"),
        broker.replace("low", limit_price="7"),
        return_exceptions=True,
    )

    assert [Order, ConflictError] == [type(one) for one in done]
    assert 1 == len(requests)


async def test_an_order_placed_elsewhere_is_not_replaced_by_a_new_one(
    venue: FakeVenue, broker: Broker
) -> None:
    venue.stream(event(Kind.ACCEPTED, venue.order_of(LOW, 1)))
    await settle()

    with pytest.raises(UnsupportedError):
        await broker.replace("low", limit_price="6")

    assert "cancel" not in venue.calls


async def test_f43_a_new_order_that_a_dead_process_left_behind_is_looked_for_and_not_sent(
    venue: FakeVenue,
) -> None:
    leg = attrs.evolve(LOW, client_order_id="low.1", limit_price=D(6), account_id="one")
    async with bare_desk(venue) as bare:
        bare.journal.begin([leg], [])
        bare.tracker.restore(OrderHistory("low.1", leg, ()))
        venue.shown["low.1"] = venue.order_of(leg, 2)

        bare.desk.resolve_unproved()
        await settle()

        assert OrderStatus.OPEN is bare.blotter.order("low.1").status
        assert 0 == venue.calls.count("submit")


async def test_the_id_of_what_carries_an_order_on_is_taken(
    venue: FakeVenue, broker: Broker, low: Order
) -> None:
    del low
    sends(venue)
    await broker.replace("low", limit_price="6")

    with pytest.raises(DuplicateOrderError, match="low"):
        await broker.submit(attrs.evolve(LOW, client_order_id="low.1"))
