"""Where clients show their keys."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from dragoman.dialects import Scope
from dragoman.dialects.keyring import KeyRing
from dragoman.errors import AuthenticationError

from .attempts import FailedAttempts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dragoman.dialects import AccessKey, HashedKey
    from dragoman.times import Clock

    from .correlation import Visit

__all__ = ["Entrance"]

_log: Final = logging.getLogger(__name__)


class Entrance:
    """The keys of a gateway, and how often an address may try.

    Args:
        keys: The keys; None needs none, which is for loopback only.
        clock: The time that failures are forgiven by.
    """

    def __init__(self, keys: Sequence[AccessKey | HashedKey] | None, clock: Clock) -> None:
        self._ring = None if keys is None else KeyRing(keys)
        self._attempts = FailedAttempts(clock)

    @property
    def needs_key(self) -> bool:
        """Whether clients must show a key."""
        return self._ring is not None

    def find(self, key_id: str | None, secret: str | None) -> HashedKey:
        """Return the key that is shown; nothing is counted.

        Raises:
            AuthenticationError: There is no such key (NOT_SENT).
        """
        return (self._ring or KeyRing(())).find(key_id, secret)

    def enter(self, key_id: str | None, secret: str | None, visit: Visit | None) -> HashedKey:
        """Return the key that is shown, unless its address has failed too often.

        A key that may halt is never told to wait. Where nothing is shown, nothing was tried.

        Raises:
            AuthenticationError: There is no such key (NOT_SENT).
            RateLimitedError: There were too many failures (NOT_SENT).
        """
        peer = "" if visit is None else visit.peer
        try:
            key = self.find(key_id, secret)
        except AuthenticationError:
            if secret:
                self._attempts.note_failure(peer)
                _log.warning("a key opened nothing", extra={"peer": peer})
            raise
        if Scope.HALT not in key.scopes:
            self._attempts.note_success(peer, key.key_id)
        return key
