"""One dialect on one port of this machine: for simulators, for tests, and for `dragoman serve`."""

from __future__ import annotations

import logging
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final

from dragoman.broker import Broker
from dragoman.errors import ClosedError, ConfigurationError
from dragoman.ids import RandomIds
from dragoman.tasks import TaskScope
from dragoman.transport.urls import is_loopback

from .access import Access, refusal
from .discretion import facts_of
from .farewell import say_farewell
from .guard import Guard
from .identity import MemoryIdentities
from .keyring import KeyRing
from .limits import HostLimits
from .listening import Listener
from .sockets import SocketDesk

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractAsyncContextManager
    from types import TracebackType
    from typing import Self

    from aiohttp import web

    from dragoman.ids import IdSource
    from dragoman.times import Clock

    from .access import AccessKey
    from .dialect import Dialect
    from .identity import IdentityMap
    from .identity_file import IdentityFile
    from .sockets import ClientSocket

__all__ = ["SimpleHost"]

_ANY_PORT: Final = range(65536)

_log: Final = logging.getLogger(__name__)


class SimpleHost:
    """Serves one dialect over the brokers it is given, on loopback only.

    `async with SimpleHost(broker, AlpacaDialect()) as host: ...` listens at `host.url` until the
    block ends. Closing takes seconds at most: requests that are being answered are waited for, then
    every socket is told that the server goes away. The brokers stay open: they are the caller's.

    Args:
        brokers: A broker, or one for each account, the default one first.
        dialect: What is spoken; a dialect is mounted once.
        host: The address to listen on: "127.0.0.1", "localhost" or "::1".
        port: The port; 0 takes a free one.
        keys: What clients must show. None lets any credential in that is not empty, to the default
            account with every scope: everybody who can reach loopback may trade then.
        limits: Limits on what clients may ask.
        ids: Where fresh ids come from.

    Raises:
        ConfigurationError: The address is not loopback, no broker is given, two have one account,
            or a key names an account that none of them has (NOT_SENT).
    """

    def __init__(
        self,
        brokers: Broker | Sequence[Broker],
        dialect: Dialect,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        keys: Sequence[AccessKey] | None = None,
        limits: HostLimits | None = None,
        ids: IdSource | None = None,
    ) -> None:
        self._brokers = (brokers,) if isinstance(brokers, Broker) else tuple(brokers)
        self._by_account = _by_account(self._brokers)
        _check_address(host, port)
        self._ring = None if keys is None else _ring(keys, self._by_account)
        self._dialect = dialect
        self._address = ("127.0.0.1" if host == "localhost" else host, port)
        self._limits = limits or HostLimits()
        self._ids = ids or RandomIds()
        self._scope = TaskScope(_report)
        self._sockets = SocketDesk(self._scope, self._limits)
        self._guard = Guard(lambda _: dialect, self._limits)
        self._maps: dict[str, IdentityMap] = {}
        self._files: list[IdentityFile] = []
        self._listener: Listener | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Mount the dialect and listen; entered means that clients are served.

        Raises:
            ConfigurationError: The port can't be used (NOT_SENT).
            ClosedError: It was entered before (NOT_SENT).
        """
        if self._listener is not None:
            raise ClosedError("a host is entered once; make another one")
        try:
            await self._open()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    @property
    def url(self) -> str:
        """The base URL of what is served: "http://127.0.0.1:8081"; known once entered."""
        if self._listener is None:
            raise ClosedError("the host does not listen yet: enter it first")
        return self._listener.url

    @property
    def clock(self) -> Clock:
        """The time the default broker goes by."""
        return self._brokers[0].clock

    @property
    def ids(self) -> IdSource:
        """Where fresh ids come from."""
        return self._ids

    @property
    def needs_key(self) -> bool:
        """Whether clients must show a key."""
        return self._ring is not None

    @property
    def is_draining(self) -> bool:
        """Whether the host is about to end."""
        return self._guard.is_draining

    @property
    def scope(self) -> TaskScope:
        """The owner of every task of the dialect."""
        return self._scope

    @property
    def limits(self) -> HostLimits:
        """What clients may ask at most."""
        return self._limits

    @property
    def brokers(self) -> tuple[Broker, ...]:
        """Every broker that a key may reach, the default one first."""
        return self._brokers

    async def authenticate(self, key_id: str | None, secret: str | None) -> Access:
        """Return what the client that shows these credentials may reach.

        Raises:
            AuthenticationError: They open nothing here (NOT_SENT).
        """
        if self._ring is None:
            if not (key_id or secret):
                raise refusal("no key was shown; any that is not empty will do here")
            return Access(broker=self._brokers[0])
        key = self._ring.find(key_id, secret)
        broker = self._brokers[0] if key.account_id is None else self._by_account[key.account_id]
        return Access(broker=broker, scopes=key.scopes, client=key.key_id)

    def identities(self, broker: Broker) -> IdentityMap:
        """Return the foreign ids of this dialect for the account of `broker`.

        Raises:
            JournalUnavailableError: The file that holds them can't be used (NOT_SENT).
        """
        if broker.account_id not in self._maps:
            self._maps[broker.account_id] = self._open_identities(broker)
        return self._maps[broker.account_id]

    def open_socket(
        self,
        request: web.Request,
        *,
        protocols: tuple[str, ...] = (),
        last_words: str | bytes | None = None,
    ) -> AbstractAsyncContextManager[ClientSocket]:
        """Answer a request with a WebSocket, for as long as the context lasts."""
        return self._sockets.open(request, protocols, last_words)

    def count(self, event: str, **labels: str) -> None:
        """Count nothing: nobody watches this host."""

    async def _open(self) -> None:
        """Put together what closing takes apart in the reverse order."""
        self._stack.callback(self._close_files)
        self._stack.push_async_callback(self._scope.close)
        app = self._guard.make_app()
        self._dialect.mount(app, self)
        self._listener = Listener(app, self._address, self._limits)
        self._stack.push_async_callback(self._listener.close)
        self._stack.push_async_callback(self._sockets.close)
        self._stack.push_async_callback(say_farewell, self._dialect, self._limits)
        self._stack.push_async_callback(self._guard.close)
        self._stack.callback(self._listener.stop)
        await self._listener.open()

    def _open_identities(self, broker: Broker) -> IdentityMap:
        if broker.state_dir is None:
            return MemoryIdentities()
        from .identity_file import IdentityFile, identity_path  # noqa: PLC0415 - sqlite3 on demand

        path = identity_path(broker.state_dir, broker.provider, broker.account_id)
        file = IdentityFile(path, broker.state_dir, self._dialect.name)
        self._files.append(file)
        return file

    def _close_files(self) -> None:
        for file in self._files:
            file.close()


def _by_account(brokers: tuple[Broker, ...]) -> dict[str, Broker]:
    if not brokers:
        raise ConfigurationError("a host needs a broker to serve")
    found = {broker.account_id: broker for broker in brokers}
    if len(found) < len(brokers):
        raise ConfigurationError("two brokers of a host have the same account id")
    return found


def _check_address(host: str, port: int) -> None:
    if not is_loopback(host):
        raise ConfigurationError(
            f"this host listens on loopback only, found {host!r}; use 127.0.0.1"
        )
    if port not in _ANY_PORT:
        raise ConfigurationError(f"a port is a whole number from 0 to 65535, found {port}")


def _ring(keys: Sequence[AccessKey], brokers: dict[str, Broker]) -> KeyRing:
    if not keys:
        raise ConfigurationError("with an empty list of keys nobody could enter; None needs none")
    for key in keys:
        if key.account_id is not None and key.account_id not in brokers:
            known = ", ".join(sorted(brokers))
            message = (
                f"access key {key.key_id!r} is for account {key.account_id!r}, not for {known}"
            )
            raise ConfigurationError(message)
    return KeyRing(keys)


def _report(name: str, error: BaseException) -> None:
    _log.error("a task of a dialect failed", extra={"task": name, **facts_of(error)})
