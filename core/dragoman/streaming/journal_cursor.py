"""Where one reader stands among the private events: the log feeds those who are behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from dragoman.errors import InvalidValueError, SequenceGapError, Violation

from .topics import PRIVATE_CHANNELS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dragoman.models.enums import Channel
    from dragoman.models.events import PrivateEvent

__all__ = ["EventLog", "JournalCursor"]

_PAGE: Final = 512


class EventLog(Protocol):
    """The journal's view of private events: numbered from 1, strictly plus one."""

    @property
    def last_sequence(self) -> int:
        """The sequence of the newest event; 0 when there is none."""
        ...

    def since(self, sequence: int, limit: int) -> Sequence[PrivateEvent]:
        """Return at most `limit` events above `sequence`, in order.

        Raises:
            SequenceGapError: Events that follow `sequence` are no longer kept.
        """
        ...


class JournalCursor:
    """The last private event one reader was given, and which channels it wants from where on.

    A reader is live, and takes what is published, or behind, and takes pages of the log until it
    is level.
    """

    def __init__(self, log: EventLog) -> None:
        self.is_behind: bool = False
        self._log = log
        self._sequence = 0
        self._wanted: dict[Channel, int] = {}

    @property
    def sequence(self) -> int:
        """The sequence of the last event taken."""
        return self._sequence

    @property
    def channels(self) -> frozenset[Channel]:
        """The channels of the account that the reader wants."""
        return frozenset(self._wanted)

    def require_known(self, since: int) -> None:
        """Refuse a place in the log that does not exist.

        Raises:
            InvalidValueError: No event of that sequence was ever given out.
        """
        if not 0 <= since <= self._log.last_sequence:
            allowed = f"0 (everything) to {self._log.last_sequence} (the newest event)"
            raise InvalidValueError.of("stream", [Violation.of("since", since, allowed)])

    def start(self, since: int) -> None:
        """Begin behind, after the sequence `since`."""
        self._sequence = since
        self.is_behind = True

    def want(self, channels: Iterable[Channel], after: int) -> None:
        """Take events of `channels` from now on: those above the sequence `after`."""
        for channel in channels:
            self._wanted.setdefault(channel, after)

    def drop(self, channels: Iterable[Channel]) -> None:
        """Take no more events of `channels`."""
        for channel in channels:
            self._wanted.pop(channel, None)

    def admits(self, event: PrivateEvent) -> bool:
        """Tell whether a published event is for this reader now, and if so take it."""
        if self.is_behind or event.sequence <= self._sequence:
            return False
        self._sequence = event.sequence
        return True

    def fall_behind(self, first: int) -> None:
        """Take the events from the sequence `first` on out of the log."""
        self._sequence = first - 1
        self.is_behind = True

    def next_page(self) -> list[PrivateEvent]:
        """Read on in the log; the reader is live again when it has reached the end.

        Raises:
            SequenceGapError: The log no longer holds, or skips, what comes next.
        """
        page = self._log.since(self._sequence, _PAGE)
        self._require_whole(page)
        self._sequence += len(page)
        self.is_behind = self._sequence < self._log.last_sequence
        return [event for event in page if self._is_wanted(event)]

    def _is_wanted(self, event: PrivateEvent) -> bool:
        after = self._wanted.get(PRIVATE_CHANNELS[type(event)])
        return after is not None and event.sequence > after

    def _require_whole(self, page: Sequence[PrivateEvent]) -> None:
        first = self._sequence + 1
        if not page and self._log.last_sequence < first:
            return
        found = (page[0].sequence, page[-1].sequence) if page else None
        if found != (first, self._sequence + len(page)):
            raise SequenceGapError(
                f"read the log of private events from {first} on: found {found}; "
                "reconcile, then read on from a sequence that the log still holds"
            )
