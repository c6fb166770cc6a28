"""Whether fills are told as they are at the venue, each of them, once, and in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.times import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dragoman.models import Fill

__all__ = ["fills_as_they_stand", "unlike_fill"]

_ALWAYS_TOLD: Final = ("symbol", "side", "quantity", "price", "is_busted")
_TOLD_IF_KNOWN: Final = ("liquidity", "commission", "realized_pnl")


def fills_as_they_stand(told: Sequence[Fill], there: Sequence[Fill]) -> Iterator[str]:
    """Yield everything that fills are told otherwise than the venue has them, in its order."""
    ids = [fill.fill_id for fill in told]
    if len(set(ids)) != len(ids):
        yield f"ids come twice: {', '.join(sorted(ids))}"
    if len(told) != len(there):
        yield f"{len(told)} told, {len(there)} at the venue"
        return
    for found, true in zip(told, there, strict=True):
        yield from unlike_fill(found, true)


def unlike_fill(found: Fill, true: Fill) -> Iterator[str]:
    """Yield each field of a fill that is told otherwise than it is."""
    for name in (*_ALWAYS_TOLD, *_TOLD_IF_KNOWN):
        told, wanted = getattr(found, name), getattr(true, name)
        if told != wanted and (told is not None or name in _ALWAYS_TOLD):
            yield f"{name} {told}, at the venue {wanted}"
    if abs(found.venue_time_ns - true.venue_time_ns) >= SECOND_NS:
        yield f"venue_time_ns {found.venue_time_ns}, at the venue {true.venue_time_ns}"
