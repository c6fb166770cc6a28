"""What of an order's life is worth telling, given what has been told of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from dragoman.models.enums import AlarmKind, EventSource, OrderEventKind, OrderStatus
from dragoman.models.events import OrderEvent
from dragoman.money import ZERO

from .status import ENDED_BITS, ENDS, ONCE, bit, ended_by

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dragoman.models import Fill
    from dragoman.models.order import Order

__all__ = [
    "ARRIVALS",
    "REFUSALS",
    "TELLS_TERMS",
    "as_told",
    "before_fills",
    "busted_at",
    "event_about",
    "fill_alarms",
    "kinds_between",
    "worth_telling",
]

ARRIVALS: Final = frozenset(
    {OrderEventKind.ACCEPTED, OrderEventKind.REJECTED, OrderEventKind.SUBMITTED}
)
"""The events that an order's life begins with."""

TELLS_TERMS: Final = frozenset(
    {OrderEventKind.ACCEPTED, OrderEventKind.ADOPTED, OrderEventKind.REPLACED}
)
"""The events that tell the terms of a revision."""

REFUSALS: Final = frozenset({OrderEventKind.CANCEL_REJECTED, OrderEventKind.REPLACE_REJECTED})
"""The events that tell of a command refused; the reasons in them are the command's."""

_ACCEPTED: Final = bit(OrderEventKind.ACCEPTED)
_TRIGGERED: Final = bit(OrderEventKind.TRIGGERED)

_NOT_ACCEPTED: Final = frozenset({OrderStatus.PENDING, OrderStatus.UNKNOWN, OrderStatus.REJECTED})


def worth_telling(
    kind: OrderEventKind,
    before: Order,
    after: Order,
    told: int,
    told_revision: int,
) -> OrderEventKind | None:
    """Return as what an event of the stream is to be told; None if it is no news.

    `told` is the sum of the bits of all that was told. An end is told as the end that stands,
    should the venue have contradicted itself.
    """
    if before.status is OrderStatus.FILLED or told & ENDED_BITS:
        return None
    if ended_by(kind) is not None:
        return ENDS.get(after.status)
    match kind:
        case OrderEventKind.ACCEPTED if told & _ACCEPTED:
            # It was held back by then: a leg begins to work, or another day.
            kind = OrderEventKind.RESTATED
            is_news = before.status is OrderStatus.HELD is not after.status
        case OrderEventKind.REPLACED:
            is_news = after.revision > told_revision
        case OrderEventKind.PENDING_CANCEL | OrderEventKind.PENDING_REPLACE:
            is_news = after.pending is not before.pending
        case OrderEventKind.RESTATED:
            is_news = _is_restated(before, after)
        case _:
            is_news = kind not in ONCE or not told & bit(kind)
    return kind if is_news else None


def kinds_between(
    before: Order, after: Order, told: int, told_revision: int
) -> Iterator[OrderEventKind]:
    """Name what a response or a snapshot has changed, as the events that tell it."""
    end = ENDS.get(after.status)
    if told & ENDED_BITS:
        return
    is_new = not told & _ACCEPTED
    if is_new and after.status not in _NOT_ACCEPTED:
        yield OrderEventKind.ACCEPTED
    if after.is_triggered and not before.is_triggered and not told & _TRIGGERED:
        yield OrderEventKind.TRIGGERED
    if end is not None:
        yield end
    elif not is_new:
        yield from _changes(before, after, told_revision)


def _changes(before: Order, after: Order, told_revision: int) -> Iterator[OrderEventKind]:
    if after.revision > told_revision:
        yield OrderEventKind.REPLACED
    elif after.pending is not before.pending and after.pending is not None:
        yield OrderEventKind[f"PENDING_{after.pending}"]
    elif _terms(before) != _terms(after):
        yield OrderEventKind.RESTATED


def _terms(order: Order) -> tuple[object, ...]:
    """Return what a reader would call a change: not the times of arrival, not the venue's ids."""
    return (
        order.status,
        order.quantity,
        order.filled_quantity,
        order.limit_price,
        order.stop_price,
        order.pending,
    )


def _is_restated(before: Order, after: Order) -> bool:
    """Tell whether anything but the times differs."""
    return after != attrs.evolve(
        before, updated_at_ns=after.updated_at_ns, received_at_ns=after.received_at_ns
    )


def event_about(
    kind: OrderEventKind,
    order: Order,
    source: EventSource,
    at_ns: int,
    fill: Fill | None = None,
) -> OrderEvent:
    """Return the event that tells of an order as it stands."""
    told_ns = None if source is EventSource.LOCAL else order.updated_at_ns
    return OrderEvent(
        kind=kind,
        order=order,
        account_id=order.account_id,
        received_at_ns=at_ns,
        source=source,
        fill=fill,
        venue_time_ns=told_ns if fill is None else fill.venue_time_ns,
    )


def as_told(event: OrderEvent, order: Order) -> Order:
    """Give the order in a refusal's event the reasons that are the command's, not the order's."""
    if event.kind not in REFUSALS:
        return order
    said = event.order
    return attrs.evolve(
        order,
        reject_reason=said.reject_reason,
        reason=said.reason,
        venue_code=said.venue_code,
    )


def before_fills(order: Order) -> Order:
    """Return an order as it was accepted; each of its fills is told by an event of its own."""
    if not order.filled_quantity:
        return order
    return attrs.evolve(
        order,
        status=OrderStatus.OPEN,
        filled_quantity=ZERO,
        average_fill_price=None,
        commission=None,
    )


def fill_alarms(before: Order, after: Order, told: int) -> Iterator[tuple[AlarmKind, str]]:
    """Name what is wrong with the fills that were added: after the end was told, or too many."""
    filled, wanted = after.filled_quantity, after.quantity
    if filled <= before.filled_quantity:
        return
    if told & ENDED_BITS:
        yield AlarmKind.LATE_FILL, f"it has filled {filled} in all, some after its end was told"
    if wanted is not None and filled > wanted:
        yield AlarmKind.OVERFILLED, f"it has filled {filled} of {wanted}"


def busted_at(event: OrderEvent) -> int | None:
    """Return when the venue says that it took a fill back; a flag on the fill does not tell."""
    is_said = event.kind is OrderEventKind.FILL_BUSTED and event.source is EventSource.STREAM
    return event.venue_time_ns if is_said else None
