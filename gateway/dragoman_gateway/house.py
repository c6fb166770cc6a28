"""What all mounts of one gateway share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import attrs

from dragoman.dialects import HostLimits, MemoryIdentities
from dragoman.ids import IdSource

from .entrance import Entrance

if TYPE_CHECKING:
    from dragoman.broker import Broker
    from dragoman.dialects import IdentityMap
    from dragoman.dialects.identity_file import IdentityFile

__all__ = ["House", "Identities"]


class Identities:
    """The foreign ids of every dialect for every account: one map each, whoever asks."""

    def __init__(self) -> None:
        self._maps: dict[tuple[str, str, str], IdentityMap] = {}
        self._files: list[IdentityFile] = []

    def of(self, dialect: str, broker: Broker) -> IdentityMap:
        """Return the foreign ids of a dialect for the account of a broker.

        Raises:
            JournalUnavailableError: The file that holds them can't be used (NOT_SENT).
        """
        key = (dialect, broker.provider, broker.account_id)
        if key not in self._maps:
            self._maps[key] = self._open(dialect, broker)
        return self._maps[key]

    def close(self) -> None:
        """Close every file."""
        while self._files:
            self._files.pop().close()

    def _open(self, dialect: str, broker: Broker) -> IdentityMap:
        if broker.state_dir is None:
            return MemoryIdentities()
        from dragoman.dialects.identity_file import (  # noqa: PLC0415 - sqlite3 on demand
            IdentityFile,
            identity_path,
        )

        path = identity_path(broker.state_dir, broker.provider, broker.account_id)
        file = IdentityFile(path, broker.state_dir, dialect)
        self._files.append(file)
        return file


@attrs.frozen(kw_only=True, eq=False)
class House:
    """The keys, the ids, the limits and the memory that the mounts of a gateway have in common.

    `count` takes the name of something that happened, and what tells it from others of its kind;
    `is_draining` tells whether the gateway is about to end.
    """

    entrance: Entrance
    ids: IdSource
    limits: HostLimits
    identities: Identities
    count: Callable[[str, Mapping[str, str]], None]
    is_draining: Callable[[], bool]
