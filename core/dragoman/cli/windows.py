"""Spans of time on the command line."""

from __future__ import annotations

from typing import Annotated, Final

from cyclopts import Parameter

from dragoman.models import Window
from dragoman.times import parse_time

__all__ = ["End", "Start", "instant", "window"]

_DAY_LENGTH: Final = len("2026-01-31")

Start = Annotated[
    str | None, Parameter(metavar="TIME", help="From then on: 2026-01-31 or 2026-01-31T09:30:00Z.")
]
End = Annotated[str | None, Parameter(metavar="TIME", help="Before then.")]


def window(start: str | None, end: str | None, limit: int | None = None) -> Window:
    """Return the span from `start` (included) to `end` (excluded).

    Raises:
        InvalidValueError: A text is no time, or the end is before the start (NOT_SENT).
    """
    return Window(
        start_ns=None if start is None else instant(start, "--start"),
        end_ns=None if end is None else instant(end, "--end"),
        limit=limit,
    )


def instant(text: str, flag: str) -> int:
    """Read an RFC 3339 time, or a day, which begins at midnight UTC.

    Raises:
        InvalidValueError: The text is neither (NOT_SENT).
    """
    is_day = len(text) == _DAY_LENGTH and text.count("-") == 2
    return parse_time(f"{text}T00:00:00Z" if is_day else text, flag)
