"""What a host gives to the dialect it serves; a dialect is written against this alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from aiohttp import web

    from dragoman.broker import Broker
    from dragoman.ids import IdSource
    from dragoman.tasks import TaskScope
    from dragoman.times import Clock

    from .access import Access
    from .identity import IdentityMap
    from .limits import HostLimits
    from .sockets import ClientSocket

__all__ = ["DialectHost"]


class DialectHost(Protocol):
    """The brokers, the keys and the memory behind a dialect, and the tasks that live with it."""

    @property
    def clock(self) -> Clock:
        """The time; nothing in a dialect reads another clock."""
        ...

    @property
    def ids(self) -> IdSource:
        """Where fresh ids come from: a dialect names by it every order its client left unnamed.

        A request that its client may repeat under one idempotency key draws the same ids in the
        same order each time, so what it began before a crash is found again, not sent again.
        """
        ...

    @property
    def needs_key(self) -> bool:
        """Whether clients must show a key.

        Without, any credential that is not empty will do; a protocol that can go without
        credentials shows one of its own making.
        """
        ...

    @property
    def is_draining(self) -> bool:
        """Whether the host is about to end: it takes no new commands and no new sockets."""
        ...

    @property
    def scope(self) -> TaskScope:
        """The owner of every task of the dialect: they are canceled when the host closes."""
        ...

    @property
    def limits(self) -> HostLimits:
        """What clients may ask at most."""
        ...

    @property
    def brokers(self) -> tuple[Broker, ...]:
        """Every broker that a key may reach, the default one first; known before `mount`."""
        ...

    async def authenticate(self, key_id: str | None, secret: str | None) -> Access:
        """Return what the client that shows these credentials may reach.

        Args:
            key_id: What names the key; None where the protocol carries a single token.
            secret: What proves it. It is kept nowhere and never told.

        Raises:
            AuthenticationError: They open nothing here (NOT_SENT).
        """
        ...

    def identities(self, broker: Broker) -> IdentityMap:
        """Return the foreign ids of this dialect for the account of `broker`.

        The same map each time. It outlives the process where the broker's journal does.
        """
        ...

    def open_socket(
        self,
        request: web.Request,
        *,
        protocols: tuple[str, ...] = (),
        last_words: str | bytes | None = None,
    ) -> AbstractAsyncContextManager[ClientSocket]:
        """Answer a request with a WebSocket, for as long as the context lasts.

        The handler returns `socket.response` afterwards. When the host closes, the client is told
        so, and reading ends.

        Args:
            request: What asks for it; one that does not ends in a 400.
            protocols: The subprotocols spoken, best first.
            last_words: The frame that a client is sent which reads too slowly and is cut for it.
        """
        ...

    def count(self, event: str, **labels: str) -> None:
        """Count something that happened, for whoever watches the host.

        Args:
            event: What, in lower-case letters and underscores: "circuit_breaker_resets".
            **labels: What tells it from others of its kind, the same names each time; few values,
                and never what a client sent.
        """
        ...
