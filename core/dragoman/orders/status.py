"""The order of statuses, as tables: which of two sayings about one order stands."""

from __future__ import annotations

from typing import Final, TypeAlias

from dragoman.models.enums import OrderEventKind, OrderStatus

__all__ = [
    "ENDED_BITS",
    "ENDS",
    "ONCE",
    "Stamp",
    "bit",
    "end_rank",
    "ended_by",
    "rank",
    "stronger_end",
]

Stamp: TypeAlias = tuple[int, int]
"""How late a saying is: the revision of the intent, then venue time in ns (-1: not known)."""

_RANK: Final = {
    OrderStatus.UNKNOWN: 0,
    OrderStatus.PENDING: 1,
    OrderStatus.HELD: 2,
    OrderStatus.OPEN: 3,
    OrderStatus.PARTIALLY_FILLED: 4,
}
_END: Final = {
    OrderStatus.REJECTED: 0,
    OrderStatus.EXPIRED: 1,
    OrderStatus.CANCELED: 2,
    OrderStatus.FILLED: 3,
}
ENDS: Final = {
    OrderStatus.CANCELED: OrderEventKind.CANCELED,
    OrderStatus.EXPIRED: OrderEventKind.EXPIRED,
    OrderStatus.REJECTED: OrderEventKind.REJECTED,
}
"""The event that tells an end; an order that is filled is told by its fills."""

_ENDED_BY: Final = {kind: status for status, kind in ENDS.items()}

ONCE: Final = frozenset(
    {
        OrderEventKind.SUBMITTED,
        OrderEventKind.ACCEPTED,
        OrderEventKind.TRIGGERED,
        OrderEventKind.CANCELED,
        OrderEventKind.EXPIRED,
        OrderEventKind.REJECTED,
        OrderEventKind.ADOPTED,
    }
)
"""The kinds of event that an intent has at most once in its life."""

_BIT: Final = {kind: 1 << place for place, kind in enumerate(OrderEventKind)}

ENDED_BITS: Final = sum(_BIT[kind] for kind in ENDS.values())
"""The bits of the events that tell an end."""


def bit(kind: OrderEventKind) -> int:
    """Return the bit of a kind of event; what was told of an order is a sum of them."""
    return _BIT[kind]


def rank(status: OrderStatus) -> int:
    """Return how far a status that is not terminal stands in an order's life.

    Settles ties of time.
    """
    return _RANK[status]


def end_rank(status: OrderStatus) -> int:
    """Return how much an end outweighs the other ends, should the venue contradict itself."""
    return _END[status]


def stronger_end(one: OrderStatus | None, other: OrderStatus) -> OrderStatus:
    """Return which of two contradicting ends stands.

    A fill outweighs a cancel, a cancel an expiry or a reject.
    """
    return other if one is None or _END[other] > _END[one] else one


def ended_by(kind: OrderEventKind) -> OrderStatus | None:
    """Return the terminal status that a kind of event says by itself; None for the others."""
    return _ENDED_BY.get(kind)
