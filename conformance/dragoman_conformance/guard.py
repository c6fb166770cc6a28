"""Keep a test run on this machine: every connection that would leave it is refused and counted.

The refusal is no `Exception`, so that an adapter's broad `except` cannot hide it; where even that
is swallowed, `NetworkGuard.attempts` still tells. The guard replaces `connect`, `connect_ex` and
`getaddrinfo` of the `socket` module, which asyncio and aiohttp go through. It does not see
datagrams sent without `connect`, other processes, or extensions in C that open sockets themselves.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from typing import TYPE_CHECKING, Concatenate, ParamSpec, Self, TypeAlias, TypeVar
from unittest.mock import patch

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

__all__ = ["NetworkForbidden", "NetworkGuard"]

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
Host: TypeAlias = str | bytes | None
Address: TypeAlias = tuple[str, int] | tuple[str, int, int, int] | str | bytes


class NetworkForbidden(BaseException):
    """Something tried to reach past loopback while a `NetworkGuard` was active."""


class NetworkGuard:
    """Refuses every connection and name lookup but those of loopback and Unix sockets.

    A context manager for the whole process, all threads included. Guards may nest; leave them in
    reverse order. Inside, a refused call raises `NetworkForbidden` and nothing is sent.
    """

    def __init__(self) -> None:
        self._attempts: list[str] = []
        self._patches = contextlib.ExitStack()

    @property
    def attempts(self) -> tuple[str, ...]:
        """What was refused so far, oldest first, as `<call> <target>`."""
        return tuple(self._attempts)

    def __enter__(self) -> Self:
        connect = self._guarded_connect("connect", socket.socket.connect)
        connect_ex = self._guarded_connect("connect_ex", socket.socket.connect_ex)
        getaddrinfo = self._guarded_lookup("getaddrinfo", socket.getaddrinfo)
        self._patches.enter_context(patch.object(socket.socket, "connect", connect))
        self._patches.enter_context(patch.object(socket.socket, "connect_ex", connect_ex))
        self._patches.enter_context(patch.object(socket, "getaddrinfo", getaddrinfo))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._patches.close()

    def _guarded_connect(
        self, name: str, connect: Callable[[socket.socket, Address], Result]
    ) -> Callable[[socket.socket, Address], Result]:
        def guarded(this: socket.socket, address: Address, /) -> Result:
            self._require(name, address, is_local=_is_local_peer(this.family, address))
            return connect(this, address)

        return guarded

    def _guarded_lookup(
        self, name: str, lookup: Callable[Concatenate[Host, Arguments], Result]
    ) -> Callable[..., Result]:
        def guarded(host: Host, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
            self._require(name, host, is_local=_is_loopback(host))
            return lookup(host, *args, **kwargs)

        return guarded

    def _require(self, call: str, target: object, *, is_local: bool) -> None:
        if not is_local:
            attempt = f"{call} {target!r}"
            self._attempts.append(attempt)
            raise NetworkForbidden(f"{attempt}: a test may reach loopback only")


def _is_local_peer(family: int, address: Address) -> bool:
    """Tell whether `address` is loopback or a Unix socket."""
    if isinstance(address, tuple):
        return _is_loopback(address[0])
    return family == getattr(socket, "AF_UNIX", None)


def _is_loopback(host: Host) -> bool:
    """Tell whether `host` is this machine; None, which asks for its own addresses, is."""
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if name is None or name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
