"""The wall clock of New York as ferry writes it: without an offset, with a flag beside it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from dragoman.errors import ProtocolError
from dragoman.times import from_datetime

__all__ = ["instant_of"]

_NEW_YORK: Final = ZoneInfo("America/New_York")


def instant_of(text: str, *, is_dst: bool) -> int:
    """Return the UTC nanoseconds of a wall time such as "2026-11-01 01:30:00".

    In the hour that comes twice in autumn, the flag tells the first pass (daylight saving time)
    from the second.

    Raises:
        ProtocolError: It is no such time, New York's clocks skipped it, or the flag is wrong.
    """
    try:
        wall = datetime.fromisoformat(text)
    except ValueError:
        wall = None
    if wall is None or wall.tzinfo is not None:
        raise ProtocolError(f"no wall time without an offset: {text[:40]!r}")
    there = wall.replace(tzinfo=_NEW_YORK, fold=0 if is_dst else 1)
    back = there.astimezone(UTC).astimezone(_NEW_YORK)
    if back.replace(tzinfo=None) != wall or bool(there.dst()) is not is_dst:
        raise ProtocolError(f"New York's clocks never show {text[:40]!r} with that flag")
    return from_datetime(there)
