"""How often an address may show keys that open nothing, before it is told to wait.

Whoever has been let in from an address before is let in there as before: one program that guesses
shuts out no other beside it. All else waits, right or wrong, so that guessing does not pay.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from dragoman.errors import Outcome, RateLimitedError
from dragoman.times import SECOND_NS

if TYPE_CHECKING:
    from dragoman.times import Clock

__all__ = ["FailedAttempts"]

_MOST_AT_ONCE: Final = 50
_FORGIVEN_EVERY_NS: Final = SECOND_NS
_MOST_KNOWN: Final = 4096


class FailedAttempts:
    """The failures of each address, of which one is forgiven every second.

    It remembers the last 4,096 addresses and no more.

    Args:
        clock: The time.
        most: How many failures one address may have at once.
    """

    def __init__(self, clock: Clock, most: int = _MOST_AT_ONCE) -> None:
        self._clock = clock
        self._most = most
        self._failures: OrderedDict[str, tuple[int, int]] = OrderedDict()
        self._guests: OrderedDict[tuple[str, str], None] = OrderedDict()

    def note_failure(self, peer: str) -> None:
        """Count a failure.

        Raises:
            RateLimitedError: There were too many (NOT_SENT).
        """
        self._check(peer)
        count, since_ns = self._count(peer)
        self._failures[peer] = (count + 1, since_ns)
        self._failures.move_to_end(peer)
        _shorten(self._failures)

    def note_success(self, peer: str, key_id: str) -> None:
        """Let a key in that is right, and remember its holder.

        Raises:
            RateLimitedError: Its address has failed too often, and this key did not come from there
                before (NOT_SENT).
        """
        guest = (peer, key_id)
        if guest not in self._guests:
            self._check(peer)
            self._guests[guest] = None
            _shorten(self._guests)

    def _check(self, peer: str) -> None:
        count, since_ns = self._count(peer)
        if count >= self._most:
            wait_ns = since_ns + _FORGIVEN_EVERY_NS - self._clock.monotonic_ns()
            raise RateLimitedError(
                "too many keys from this address opened nothing; wait before showing another",
                outcome=Outcome.NOT_SENT,
                retry_after=max(1.0, wait_ns / SECOND_NS),
            )

    def _count(self, peer: str) -> tuple[int, int]:
        """Return the failures that are not forgiven yet, and when the last one was forgiven."""
        now_ns = self._clock.monotonic_ns()
        count, since_ns = self._failures.get(peer, (0, now_ns))
        forgiven = (now_ns - since_ns) // _FORGIVEN_EVERY_NS
        if forgiven >= count:
            return 0, now_ns
        return count - forgiven, since_ns + forgiven * _FORGIVEN_EVERY_NS


def _shorten(book: OrderedDict[str, tuple[int, int]] | OrderedDict[tuple[str, str], None]) -> None:
    if len(book) > _MOST_KNOWN:
        book.popitem(last=False)
