"""The ledger of one sliding window: what was used, and when there is room again.

Pure arithmetic on monotonic nanoseconds. Each use counts from its instant until its end; a use fits
at an instant if at no moment of its own time the sum exceeds the limit. Memory is bounded: uses
that lie close together are kept as one, which ends when the last of them ends.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Span", "Use", "WindowUses", "earliest_fit"]

_MOST_SPANS: Final = 256

Span = tuple[int, int, int]
"""Start, end (exclusive) and weight of a use."""
_end: Final = itemgetter(1)


class Use:
    """Weight that counts from `start_ns` until `end_ns`."""

    __slots__ = ("end_ns", "start_ns", "weight")

    def __init__(self, start_ns: int, end_ns: int, weight: int) -> None:
        self.start_ns: int = start_ns
        self.end_ns: int = end_ns
        self.weight: int = weight


class WindowUses:
    """What is known to be used of one window. Its owner guards it and calls with a rising time."""

    __slots__ = ("_next_end_ns", "_used", "_uses", "counted_ns", "general_limit", "limit")

    def __init__(self, limit: int, general_limit: int, counted_ns: int) -> None:
        self.limit: int = limit
        self.general_limit: int = general_limit
        self.counted_ns: int = counted_ns
        self._uses: list[Use] = []
        self._used = 0
        self._next_end_ns = 0

    def used(self, now_ns: int) -> int:
        """Return the weight that counts now."""
        if self._uses and self._next_end_ns <= now_ns:
            self._uses = [use for use in self._uses if use.end_ns > now_ns]
            self._used = sum(use.weight for use in self._uses)
            self._next_end_ns = min((use.end_ns for use in self._uses), default=0)
        return self._used

    def add(self, weight: int, now_ns: int, end_ns: int | None = None) -> Use:
        """Count `weight` from now on, until `end_ns` or for the time of the window."""
        self.used(now_ns)
        end_ns = now_ns + self.counted_ns if end_ns is None else end_ns
        last = self._uses[-1] if self._uses else None
        self._used += weight
        if last is not None and self._is_close(last, now_ns, end_ns):
            last.weight += weight
            last.end_ns = end_ns
            return last
        self._next_end_ns = min(self._next_end_ns, end_ns) if self._uses else end_ns
        use = Use(now_ns, end_ns, weight)
        self._uses.append(use)
        return use

    def _is_close(self, last: Use, now_ns: int, end_ns: int) -> bool:
        is_soon = now_ns - last.start_ns <= self.counted_ns // _MOST_SPANS
        return len(self._uses) >= _MOST_SPANS and is_soon and last.end_ns <= end_ns

    def give_back(self, use: Use, weight: int, now_ns: int) -> None:
        """Take `weight` off a use, because it was never sent; nothing if it has ended."""
        self.used(now_ns)
        if use.end_ns > now_ns:
            use.weight -= weight
            self._used -= weight

    def earliest(
        self, weight: int, limit: int, from_ns: int, now_ns: int, planned: Iterable[Span] = ()
    ) -> int:
        """Return the first instant from `from_ns` at which `weight` fits under `limit`.

        Args:
            weight: What is to be used; at most `limit`.
            limit: The most that may be used together with it.
            from_ns: The first instant that will do, now or later.
            now_ns: The time.
            planned: Uses to come that count like those that were made.
        """
        used = self.used(now_ns)
        spans = [span for span in planned if span[1] > from_ns]
        if not spans and used + weight <= limit:
            return from_ns
        spans += [
            (use.start_ns, use.end_ns, use.weight) for use in self._uses if use.end_ns > from_ns
        ]
        return earliest_fit(spans, limit - weight, from_ns, self.counted_ns)


def earliest_fit(spans: Sequence[Span], room: int, from_ns: int, length_ns: int) -> int:
    """Return the first instant from `from_ns` whose next `length_ns` never see more than `room`."""
    if all(start_ns <= from_ns for start_ns, _, _ in spans):
        return _when_room(spans, room, from_ns)
    changes = sorted(
        change
        for start_ns, end_ns, weight in spans
        for change in ((start_ns, weight), (end_ns, -weight))
    )
    instant_ns = from_ns
    total = 0
    full_since_ns = 0
    for change_ns, weight in changes:
        was_full = total > room
        total += weight
        if total > room and not was_full:
            full_since_ns = change_ns
        elif was_full and total <= room and full_since_ns < instant_ns + length_ns:
            instant_ns = max(instant_ns, change_ns)
    return instant_ns


def _when_room(spans: Sequence[Span], room: int, from_ns: int) -> int:
    """Return the first instant at which enough of `spans`, all begun, have ended."""
    total = 0
    for _, end_ns, weight in sorted(spans, key=_end, reverse=True):
        total += weight
        if total > room:
            return max(from_ns, end_ns)
    return from_ns
