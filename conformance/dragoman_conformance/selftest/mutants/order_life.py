"""Bugs in how the life of an order is told."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs
import msgspec

from dragoman.errors import ConflictError, OrderRejectedError, RejectReason
from dragoman.models import OrderEvent, OrderEventKind, OrderStatus

from ...references.beacon import mapping as beacon
from ...references.wharf import errors, mapping
from ...references.wharf.adapter import WharfAdapter
from ..mutant import mutant
from ..twists import called, looked_up, read, written

if TYPE_CHECKING:
    from dragoman.models import Event, Order

    from ..mutant import Plant


def _events(plant: Plant, twist: Any) -> None:
    """Let frames tell what `twist` makes of their events."""
    plant.replace(
        mapping, "events_of", lambda true: lambda frame, reading: twist(true(frame, reading))
    )


@mutant("M14", of="wharf", kills=("ORD-LIFE-060",))
def tells_a_filled_order_as_canceled(plant: Plant) -> None:
    """Tells an order as canceled when the venue says that it can't be canceled any more."""

    async def twist(true: Any, _: Any, order: Order) -> object:
        try:
            return await true(order)
        except ConflictError:
            return attrs.evolve(order, status=OrderStatus.CANCELED)

    called(plant, WharfAdapter, "cancel", twist)


@mutant("M15", of="wharf", kills=("ORD-LIFE-030",))
def takes_a_partial_fill_for_a_whole(plant: Plant) -> None:
    """Reads a partly filled order as filled."""
    looked_up(plant, mapping, "STATUSES", {"partially_filled": OrderStatus.FILLED})


@mutant("M16", of="wharf", kills=("ORD-LIFE-140",))
def forgets_what_had_filled_before_a_replace(plant: Plant) -> None:
    """Tells a replaced order as if nothing of it had filled."""

    def twist(order: Any, _: Any) -> dict[str, object]:
        is_open = order.revision and not order.is_terminal
        return {"filled_quantity": Decimal(0), "average_fill_price": None} if is_open else {}

    read(plant, mapping, "order_of", twist)


@mutant("M17", of="wharf", kills=("ORD-LIFE-050",))
def tells_late_events_as_they_come(plant: Plant) -> None:
    """Tells an order as accepted again after it has filled, as late frames would have it."""
    first: dict[str, OrderEvent] = {}

    def twist(events: tuple[Event, ...]) -> tuple[Event, ...]:
        told = list(events)
        for event in events:
            if not isinstance(event, OrderEvent):
                continue
            name = event.order.client_order_id
            first.setdefault(name, event)
            if event.order.status is OrderStatus.FILLED:
                told.append(attrs.evolve(first[name], venue_time_ns=event.venue_time_ns))
        return tuple(told)

    _events(plant, twist)


@mutant("M18", of="wharf", kills=("ORD-LIFE-070",))
def takes_a_refusal_for_a_cancel(plant: Plant) -> None:
    """Reads a rejected order as canceled."""
    looked_up(plant, mapping, "STATUSES", {"rejected": OrderStatus.CANCELED})


@mutant("M220", of="wharf", kills=("ORD-LIFE-010",))
def forgets_the_venue_s_id(plant: Plant) -> None:
    """Tells orders without the venue's id."""
    read(plant, mapping, "order_of", lambda *_: {"venue_order_ids": ()})


@mutant("M221", of="wharf", kills=("ORD-LIFE-020",))
def lists_only_orders_that_have_begun_to_fill(plant: Plant) -> None:
    """Leaves orders that nothing of has filled out of the open orders."""

    def choosy(true: Any) -> Any:
        async def fetch_open_orders(self: Any, *args: Any) -> object:
            return tuple([one for one in await true(self, *args) if one.filled_quantity])

        return fetch_open_orders

    plant.replace(WharfAdapter, "fetch_open_orders", choosy)


@mutant("M222", of="wharf", kills=("ORD-LIFE-040",))
def rounds_the_average(plant: Plant) -> None:
    """Rounds the average price of an order to a whole number."""

    def twist(order: Any, _: Any) -> dict[str, object]:
        average = order.average_fill_price
        return {"average_fill_price": None if average is None else average // 1}

    read(plant, mapping, "order_of", twist)


@mutant("M223", of="wharf", kills=("ORD-LIFE-080",))
def only_says_that_it_cancels(plant: Plant) -> None:
    """Tells a cancel as done and never sends it."""

    async def twist(_: Any, __: Any, order: Order) -> object:
        return attrs.evolve(order, status=OrderStatus.CANCELED)

    called(plant, WharfAdapter, "cancel", twist)


@mutant("M224", of="wharf", kills=("ORD-LIFE-090", "ORD-AMB-150"))
def forgets_what_had_filled_before_a_cancel(plant: Plant) -> None:
    """Tells a canceled order as if nothing of it had filled."""

    def twist(order: Any, _: Any) -> dict[str, object]:
        is_canceled = order.status is OrderStatus.CANCELED
        return {"filled_quantity": Decimal(0), "average_fill_price": None} if is_canceled else {}

    read(plant, mapping, "order_of", twist)


@mutant("M225", of="wharf", kills=("ORD-LIFE-100",))
def leaves_out_cancels_that_nobody_asked_for(plant: Plant) -> None:
    """Tells nothing when the venue cancels an order by itself."""

    def twist(events: tuple[Event, ...]) -> tuple[Event, ...]:
        return tuple(
            [
                one
                for one in events
                if not (isinstance(one, OrderEvent) and one.kind is OrderEventKind.CANCELED)
            ]
        )

    _events(plant, twist)


@mutant("M226", of="wharf", kills=("ORD-LIFE-110",))
def takes_an_expiry_for_a_cancel(plant: Plant) -> None:
    """Reads an expired order as canceled."""
    looked_up(plant, mapping, "STATUSES", {"expired": OrderStatus.CANCELED})
    looked_up(plant, mapping, "EVENTS", {"expired": OrderEventKind.CANCELED})


@mutant("M227", of="wharf", kills=("ORD-LIFE-120",))
def drops_the_stop_price_of_a_change(plant: Plant) -> None:
    """Leaves a new stop price out of the request for a change."""
    written(
        plant,
        mapping,
        "change_body",
        lambda body, _: {name: value for name, value in body.items() if name != "stop_price"},
    )


@mutant("M228", of="beacon", kills=("ORD-LIFE-120",))
def takes_the_new_total_for_what_is_left(plant: Plant) -> None:
    """Tells a replaced order as one for what the new order is for, not for the whole."""
    read(
        plant,
        beacon,
        "order_of",
        lambda _, row: {"quantity": abs(row.units) / 2} if row.prior_order_ids else {},
    )


@mutant("M229", of="beacon", kills=("ORD-LIFE-130",))
def tells_a_replace_as_a_cancel(plant: Plant) -> None:
    """Tells the old order of a replace as canceled."""

    def twisted(true: Any) -> Any:
        def events_of(row: Any, reading: Any) -> object:
            is_replaced = row.type == "ORDER_CANCEL" and row.reason == "REPLACED"
            return true(msgspec.structs.replace(row, reason=None) if is_replaced else row, reading)

        return events_of

    plant.replace(beacon, "events_of", twisted)


@mutant("M230", of="wharf", kills=("ORD-LIFE-150",))
def tells_a_refused_replace_as_done(plant: Plant) -> None:
    """Answers a replace that the venue refused with the new terms."""

    async def twist(true: Any, _: Any, order: Order, change: Any) -> object:
        try:
            return await true(order, change)
        except OrderRejectedError:
            return attrs.evolve(order, quantity=change.quantity or order.quantity)

    called(plant, WharfAdapter, "replace", twist)


@mutant("M232", of="wharf", kills=("ORD-LIFE-180",))
def tells_what_is_left_as_the_quantity(plant: Plant) -> None:
    """Tells the remaining quantity of an open order as its quantity."""
    read(
        plant,
        mapping,
        "order_of",
        lambda order, _: (
            {}
            if order.is_terminal
            else {"quantity": order.quantity - order.filled_quantity or order.quantity}
        ),
    )


@mutant("M240", of="wharf", kills=("ORD-LIFE-250",))
def gives_another_reason(plant: Plant) -> None:
    """Tells an order that could not be paid as refused because the market is closed."""
    looked_up(plant, errors, "REASONS", {"insufficient_funds": RejectReason.MARKET_CLOSED})
