"""Time: instants as integer UTC nanoseconds, their text, and the clocks that all code is given.

A datetime can't hold nanoseconds, so it is only a view. Nothing outside this module reads the
system's time.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import re
import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, Protocol, overload

from .errors import InvalidValueError, Violation

__all__ = [
    "DAY_NS",
    "EARLIEST_NS",
    "HOUR_NS",
    "LATEST_NS",
    "MILLISECOND_NS",
    "MINUTE_NS",
    "SECOND_NS",
    "Clock",
    "ManualClock",
    "SystemClock",
    "format_time",
    "from_datetime",
    "parse_time",
    "to_datetime",
]

MILLISECOND_NS: Final = 1_000_000
SECOND_NS: Final = 1_000_000_000
MINUTE_NS: Final = 60 * SECOND_NS
HOUR_NS: Final = 60 * MINUTE_NS
DAY_NS: Final = 24 * HOUR_NS

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

EARLIEST_NS: Final = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND * 1000
"""The first instant of the year 1."""
LATEST_NS: Final = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND * 1000 + 999
"""The last instant of the year 9999."""
_SPAN: Final = "an instant in the years 1 to 9999 UTC"

_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ]((?:[01]\d|2[0-3]):\d\d:\d\d)"
    r"(?:\.(\d{1,9}))?([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)\Z",
    re.ASCII,
)
_LONGEST_TEXT: Final = 64
_SECOND: Final = 19
"""Where the text of a time goes on after the seconds."""
_MOST_DIGITS: Final = 9
_SCALES: Final[tuple[int, ...]] = tuple(10 ** (9 - digits) for digits in range(10))
_MOST_SECONDS: Final = 4096
_SECONDS: Final[dict[str, int]] = {}
"""Seconds of UTC read before, by their text. Full, it starts anew."""
_SETTLE_TURNS: Final = 32


@overload
def to_datetime(instant_ns: int) -> datetime: ...
@overload
def to_datetime(instant_ns: int | None) -> datetime | None: ...
def to_datetime(instant_ns: int | None) -> datetime | None:
    """Return the aware UTC datetime of an instant, cut to microseconds; None for None.

    Raises:
        InvalidValueError: The instant lies outside the years 1 to 9999.
    """
    if instant_ns is None:
        return None
    return _EPOCH + timedelta(microseconds=_within_span(instant_ns) // 1000)


def from_datetime(instant: datetime, field: str = "time") -> int:
    """Return the UTC nanoseconds of an aware datetime, exactly.

    Raises:
        InvalidValueError: The datetime is naive: whose midnight would it be? Or its offset takes it
            out of the years 1 to 9999.
    """
    if instant.utcoffset() is None:
        allowed = "an aware datetime, such as datetime.now(UTC)"
        found = Violation.of(field, instant.isoformat(), allowed)
        raise InvalidValueError.of("naive datetime", [found])
    return _within_span((instant - _EPOCH) // _MICROSECOND * 1000, field)


def parse_time(text: str, field: str = "time") -> int:
    """Read an RFC 3339 time as UTC nanoseconds, exactly: explicit offset, up to nine digits.

    Raises:
        InvalidValueError: The text is no such time, names no offset or a leap second.
    """
    # Of a venue's times, nearly all lie in a few seconds that were read before; only the fraction
    # differs. What can't be read this way goes the whole way.
    second = _SECONDS.get(text[:_SECOND])
    if second is not None and text[-1] == "Z":
        fraction = text[_SECOND + 1 : -1]
        digits = len(fraction)
        if digits <= _MOST_DIGITS and fraction.isdigit() and text.isascii():
            if text[_SECOND] == ".":
                return second + int(fraction) * _SCALES[digits]
        elif len(text) == _SECOND + 1:
            return second
    return _parse_whole(text, field)


def _parse_whole(text: str, field: str) -> int:
    match = _TIME.match(text) if len(text) <= _LONGEST_TEXT else None
    if match is not None:
        day, clock, fraction, offset = match.groups()
        with contextlib.suppress(ValueError):
            is_utc = offset in "Zz"
            whole = datetime.fromisoformat(f"{day}T{clock}{'+00:00' if is_utc else offset}")
            second = from_datetime(whole, field)
            if is_utc:
                if len(_SECONDS) >= _MOST_SECONDS:
                    _SECONDS.clear()
                _SECONDS[text[:_SECOND]] = second
            return second + int((fraction or "0").ljust(9, "0"))
    allowed = "an RFC 3339 time with an offset, such as '2026-01-31T09:30:00.5Z'"
    raise InvalidValueError.of("not a time", [Violation.of(field, text, allowed)])


def format_time(instant_ns: int, field: str = "time") -> str:
    """Write an instant as RFC 3339 in UTC with nine fraction digits.

    Raises:
        InvalidValueError: The instant lies outside the years 1 to 9999.
    """
    seconds, fraction = divmod(_within_span(instant_ns, field), SECOND_NS)
    return f"{_second_text(seconds)}.{fraction:09d}Z"


@lru_cache(maxsize=1024)
def _second_text(seconds: int) -> str:
    """Return the text of a second up to its fraction; most that is written is of a few seconds."""
    return (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat()


def _within_span(instant_ns: int, field: str = "time") -> int:
    if EARLIEST_NS <= instant_ns <= LATEST_NS:
        return instant_ns
    raise InvalidValueError.of("no such time", [Violation.of(field, instant_ns, _SPAN)])


class Clock(Protocol):
    """What all code asks for the time. Wall time may step; monotonic time never falls."""

    def now_ns(self) -> int:
        """Return the wall time in UTC nanoseconds."""
        ...

    def monotonic_ns(self) -> int:
        """Return a time for measuring durations, in nanoseconds."""
        ...

    async def sleep_until_ns(self, instant_ns: int) -> None:
        """Sleep until wall time reaches `instant_ns`; at once if it has."""
        ...

    async def sleep_ns(self, duration_ns: int) -> None:
        """Sleep for a duration of monotonic time, whatever the wall clock does meanwhile."""
        ...


class SystemClock:
    """The machine's clock; with `speed` 10, ten of its seconds pass in one of the machine's."""

    def __init__(self, speed: float = 1.0) -> None:
        if not speed > 0:
            raise InvalidValueError.of("speed", [Violation.of("speed", speed, "a number above 0")])
        self._speed = speed
        self._wall_start = time.time_ns()
        self._start = time.monotonic_ns()

    def now_ns(self) -> int:
        """Return the wall time in UTC nanoseconds."""
        return time.time_ns() if self._speed == 1.0 else self._wall_start + self.monotonic_ns()

    def monotonic_ns(self) -> int:
        """Return nanoseconds since this clock was made."""
        elapsed = time.monotonic_ns() - self._start
        return elapsed if self._speed == 1.0 else int(elapsed * self._speed)

    async def sleep_until_ns(self, instant_ns: int) -> None:
        """Sleep until wall time reaches `instant_ns`."""
        await self.sleep_ns(instant_ns - self.now_ns())

    async def sleep_ns(self, duration_ns: int) -> None:
        """Sleep for a duration of this clock."""
        await asyncio.sleep(max(0.0, duration_ns / SECOND_NS / self._speed))


class ManualClock:
    """A clock that moves only when told. Each sleeper wakes at exactly its own instant, in order.

    Args:
        start_ns: The first wall time. The default is a Wednesday, 14:30 UTC, within most trading
        hours.
    """

    def __init__(self, start_ns: int = 1_767_796_200_000_000_000) -> None:
        self._now_ns = start_ns
        self._start_ns = start_ns
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._count = 0

    def now_ns(self) -> int:
        """Return the wall time in UTC nanoseconds."""
        return self._now_ns

    def monotonic_ns(self) -> int:
        """Return nanoseconds since the start."""
        return self._now_ns - self._start_ns

    async def sleep_until_ns(self, instant_ns: int) -> None:
        """Sleep until someone advances the clock to `instant_ns`."""
        if instant_ns <= self._now_ns:
            await asyncio.sleep(0)
            return
        self._count += 1
        sleeper: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (instant_ns, self._count, sleeper))
        await sleeper

    async def sleep_ns(self, duration_ns: int) -> None:
        """Sleep until someone has advanced the clock by a duration."""
        await self.sleep_until_ns(self._now_ns + duration_ns)

    async def advance(self, *, seconds: float = 0, nanoseconds: int = 0) -> None:
        """Move time forward, waking every sleeper on the way at its instant."""
        await self.advance_to_ns(self._now_ns + round(seconds * SECOND_NS) + nanoseconds)

    async def advance_to_ns(self, instant_ns: int) -> None:
        """Move time forward to `instant_ns`, waking every sleeper on the way at its instant.

        Raises:
            InvalidValueError: `instant_ns` lies in the past.
        """
        if instant_ns < self._now_ns:
            allowed = f"at least {self._now_ns}: time does not run backwards"
            raise InvalidValueError.of("advance", [Violation.of("instant_ns", instant_ns, allowed)])
        await self._settle()
        while self._sleepers and self._sleepers[0][0] <= instant_ns:
            due_ns, _, sleeper = heapq.heappop(self._sleepers)
            if sleeper.done():
                continue
            self._now_ns = max(self._now_ns, due_ns)
            sleeper.set_result(None)
            await self._settle()
        self._now_ns = max(self._now_ns, instant_ns)
        await self._settle()

    @staticmethod
    async def _settle() -> None:
        """Give the tasks that were woken turns of the loop to act and to sleep again."""
        for _ in range(_SETTLE_TURNS):
            await asyncio.sleep(0)
