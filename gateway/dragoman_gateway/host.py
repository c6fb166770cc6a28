"""What a gateway gives to each dialect it serves."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.dialects.access import refusal
from dragoman.dialects.discretion import facts_of
from dragoman.dialects.guard import answer_of
from dragoman.dialects.sockets import SocketDesk
from dragoman.errors import DragomanError
from dragoman.tasks import TaskScope

from .correlation import current_visit
from .reach import Reach

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from aiohttp import web

    from dragoman.broker import Broker
    from dragoman.dialects import Access, ClientSocket, Dialect, HostLimits, IdentityMap
    from dragoman.ids import IdSource
    from dragoman.times import Clock

    from .entrance import Entrance
    from .house import House
    from .mounts import Mount

__all__ = ["GatewayHost"]

_log: Final = logging.getLogger(__name__)


class GatewayHost:
    """One mount of a gateway, as its dialect sees it: a `DialectHost`.

    Args:
        mount: Which dialect, and where.
        brokers: What it is served over, the default one first.
        house: What all mounts of the gateway share.
    """

    def __init__(self, mount: Mount, brokers: tuple[Broker, ...], house: House) -> None:
        self._mount = mount
        self._brokers = brokers
        self._house = house
        self._entrance: Entrance = house.entrance
        self._reach = Reach(brokers)
        self._scope = TaskScope(_report)
        self.sockets: SocketDesk = SocketDesk(self._scope, house.limits)

    @property
    def name(self) -> str:
        """What tells this mount from the others of the gateway; the same after a restart."""
        return self._mount.name

    @property
    def dialect(self) -> Dialect:
        """What is spoken here."""
        return self._mount.dialect

    @property
    def clock(self) -> Clock:
        """The time the default broker goes by."""
        return self._brokers[0].clock

    @property
    def ids(self) -> IdSource:
        """Where fresh ids come from; the same ones when a request is repeated under its key."""
        return self._house.ids

    @property
    def needs_key(self) -> bool:
        """Whether clients must show a key."""
        return self._entrance.needs_key

    @property
    def is_draining(self) -> bool:
        """Whether the gateway takes no new commands and no new sockets."""
        return self._house.is_draining()

    @property
    def scope(self) -> TaskScope:
        """The owner of every task of the dialect."""
        return self._scope

    @property
    def limits(self) -> HostLimits:
        """What clients may ask at most."""
        return self._house.limits

    @property
    def brokers(self) -> tuple[Broker, ...]:
        """Every broker that a key may reach here, the default one first."""
        return self._brokers

    async def authenticate(self, key_id: str | None, secret: str | None) -> Access:
        """Return what the client that shows these credentials may reach.

        Raises:
            AuthenticationError: They open nothing here (NOT_SENT).
            RateLimitedError: Too many from the same address opened nothing (NOT_SENT).
        """
        if not self._entrance.needs_key:
            if not (key_id or secret):
                raise refusal("no key was shown; any that is not empty will do here")
            return self._reach.everything
        visit = current_visit()
        access = self._reach.of(self._entrance.enter(key_id, secret, visit))
        if visit is not None:
            visit.client = access.client
        return access

    def recognize(self, request: web.Request) -> Access | None:
        """Return what the credentials of a request open, before its handler asks.

        Its `broker` is the account that the request names, where it names one. None where they open
        nothing; that counts as no attempt. Where no key is needed it is everything, whatever was
        shown.
        """
        access = self._reach.everything
        if self._entrance.needs_key:
            try:
                access = self._reach.of(self._entrance.find(*self.dialect.credentials(request)))
            except DragomanError:
                return None
        named = self.dialect.account_named(request)
        for broker in access.brokers if named is not None else ():
            if (broker.provider, broker.account_id) == named:
                return attrs.evolve(access, broker=broker)
        return access

    def answer_of(self, error: BaseException) -> web.StreamResponse:
        """Return what an error of a handler is answered with, in the words of the dialect."""
        return answer_of(self.dialect, error)

    def identities(self, broker: Broker) -> IdentityMap:
        """Return the foreign ids of this dialect for the account of `broker`.

        Raises:
            JournalUnavailableError: The file that holds them can't be used (NOT_SENT).
        """
        return self._house.identities.of(self.dialect.name, broker)

    def open_socket(
        self,
        request: web.Request,
        *,
        protocols: tuple[str, ...] = (),
        last_words: str | bytes | None = None,
    ) -> AbstractAsyncContextManager[ClientSocket]:
        """Answer a request with a WebSocket, for as long as the context lasts."""
        return self.sockets.open(request, protocols, last_words)

    def count(self, event: str, **labels: str) -> None:
        """Count something that happened, for whoever watches."""
        self._house.count(event, labels)


def _report(name: str, error: BaseException) -> None:
    _log.error("a task of a dialect failed", extra={"task": name, **facts_of(error)})
