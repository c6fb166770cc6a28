"""Whether a venue numbers what it says, judged by what stood on the wire."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from ..chaos import FrameKind, Origin
from . import bodies

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..play import Play
    from .bodies import Json

__all__ = ["is_numbered"]

_SPEECH: Final = frozenset({FrameKind.TEXT, FrameKind.BINARY, FrameKind.CHUNK})
_FEWEST: Final = 3


def is_numbered(play: Play) -> bool:
    """Tell whether some field of the venue's messages has gone up by one with each that has it."""
    found: dict[tuple[int, tuple[str, ...]], list[int]] = {}
    for frame in play.wire.frames:
        if frame.origin is Origin.VENUE and frame.kind in _SPEECH:
            for path, number in _numbers(bodies.read(frame.payload.strip())):
                found.setdefault((frame.exchange, path), []).append(number)
    return any(
        len(numbers) >= _FEWEST and all(later == one + 1 for one, later in pairwise(numbers))
        for numbers in found.values()
    )


def _numbers(value: Json, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], int]]:
    if isinstance(value, dict):
        for name, one in value.items():
            yield from _numbers(one, (*path, str(name)))
    elif isinstance(value, int) and not isinstance(value, bool):
        yield path, value
    elif isinstance(value, str) and value.isdecimal():
        yield path, int(value)
