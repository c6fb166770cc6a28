"""Whether positions are told as they are at the venue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .orders import is_rounded_from

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dragoman.models import Position

__all__ = ["positions_as_they_stand", "unlike_position"]

_MONEY: Final = ("unrealized_pnl", "realized_pnl", "margin")
_NUMBERS: Final = ("average_entry_price", "mark_price", "available_quantity")


def positions_as_they_stand(told: Sequence[Position], there: Sequence[Position]) -> Iterator[str]:
    """Yield everything that positions are told otherwise than the venue has them, in any order.

    Flat is absent: a row of quantity 0 says nothing and is wrong only by what else it says.
    """
    open_here = {one.symbol: one for one in told if one.quantity}
    open_there = {one.symbol: one for one in there if one.quantity}
    if len(open_here) != sum(1 for one in told if one.quantity):
        yield "two rows of one symbol"
    for symbol in sorted(open_here.keys() ^ open_there.keys()):
        known = "told" if symbol in open_here else "not told"
        yield f"{symbol} {known}, at the venue {'none' if symbol in open_here else 'open'}"
    for symbol in sorted(open_here.keys() & open_there.keys()):
        for difference in unlike_position(open_here[symbol], open_there[symbol]):
            yield f"{symbol} {difference}"
    for one in told:
        if not one.quantity and one.average_entry_price is not None:
            yield f"{one.symbol} flat, at an average of {one.average_entry_price}"


def unlike_position(found: Position, true: Position) -> Iterator[str]:
    """Yield each field of an open position that is told otherwise than it is."""
    if found.quantity != true.quantity:
        yield f"quantity {found.quantity}, at the venue {true.quantity}"
    for name in _NUMBERS:
        told, wanted = getattr(found, name), getattr(true, name)
        if told is not None and wanted is not None and not is_rounded_from(told, wanted):
            yield f"{name} {told}, at the venue {wanted}"
    for name in _MONEY:
        money, owed = getattr(found, name), getattr(true, name)
        if money is None or owed is None:
            continue
        if money.currency != owed.currency or not is_rounded_from(money.amount, owed.amount):
            yield f"{name} {money}, at the venue {owed}"
