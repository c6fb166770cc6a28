"""Where a live order waits: for a taker, a trigger, liquidity, or a session of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .order import WorkingOrder

__all__ = ["arm", "is_waiting", "park", "rest", "want", "withdraw"]


def rest(order: WorkingOrder) -> None:
    """Put an order in the book, showing as much of it as it displays."""
    shown = order.display_quantity
    order.shown = shown if shown and order.remaining != shown else None
    order.listing.book(order.side).add(order)
    if order.peg is not None:
        order.listing.pegged[order.rank] = order


def arm(order: WorkingOrder) -> None:
    """Let an order wait for its trigger."""
    order.listing.triggers.add(order)


def want(order: WorkingOrder) -> None:
    """Let an order without a limit wait for liquidity."""
    order.listing.takers[order.rank] = order


def park(order: WorkingOrder) -> None:
    """Let an order wait until a session that admits it."""
    order.listing.parked[order.rank] = order


def withdraw(order: WorkingOrder) -> None:
    """Take an order from wherever it waits; nothing happens if it waits nowhere."""
    listing = order.listing
    if order.is_resting:
        listing.book(order.side).remove(order)
        if order.peg is not None:
            listing.pegged.pop(order.rank, None)
    elif order.is_armed:
        listing.triggers.remove(order)
    elif order.rank in listing.takers:
        del listing.takers[order.rank]
    else:
        listing.parked.pop(order.rank, None)
        listing.pegged.pop(order.rank, None)


def is_waiting(order: WorkingOrder) -> bool:
    """Tell whether an order waits anywhere."""
    listing = order.listing
    return (
        order.is_resting
        or order.is_armed
        or order.rank in listing.takers
        or order.rank in listing.parked
    )
