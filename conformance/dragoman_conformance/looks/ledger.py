"""Whether the entries of a ledger are those of the venue, whatever they are called there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.times import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dragoman.models import LedgerEntry

    from ..play import Play

__all__ = ["ledger_unlike"]


def ledger_unlike(
    play: Play, told: Sequence[LedgerEntry], true: Sequence[LedgerEntry]
) -> Iterator[str]:
    """Yield what is missing of the venue's ledger, what is invented, and what is told wrongly."""
    left = list(true)
    names = [one.entry_id for one in told]
    if len(set(names)) != len(names):
        yield f"entries share an id: {names}"
    for entry in told:
        match = next((one for one in left if _is_same(entry, one)), None)
        if match is None:
            yield f"told {entry.kind} {entry.amount}, which the venue has not"
            continue
        left.remove(match)
        if (
            entry.symbol not in (None, match.symbol)
            and play.venue.name(entry.symbol) != match.symbol
        ):
            yield f"{entry.kind} is of {entry.symbol}, at the venue of {match.symbol}"
        if abs(entry.venue_time_ns - match.venue_time_ns) >= SECOND_NS:
            yield f"{entry.kind} is of {entry.venue_time_ns}, at the venue {match.venue_time_ns}"
    for one in left:
        yield f"{one.kind} {one.amount} is missing"


def _is_same(told: LedgerEntry, true: LedgerEntry) -> bool:
    return told.kind is true.kind and told.amount == true.amount
