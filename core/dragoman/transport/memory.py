"""A transport without sockets: tests and simulations answer requests with functions of their own.

It refuses what the real one refuses, takes permits as the real one does, and keeps its promises
about outcomes: what fails before the permit was never sent, what fails after it may have been.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import attrs

from dragoman.errors import ClosedError, ConnectFailedError, OutcomeUnknownError, UnknownReason
from dragoman.permits import current_permit

from .base import Lane, Transport
from .outgoing import as_request, origin_of, seal
from .urls import check_base

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .base import HttpRequest, HttpResponse, StreamRequest, Wire

__all__ = ["LostAfterSendError", "LostBeforeSendError", "MemoryTransport"]


class LostBeforeSendError(Exception):
    """Raised by `connect`: no connection comes about, so nothing is sent."""


class LostAfterSendError(Exception):
    """Raised by `answer`: the request has left, and no whole response comes back."""

    def __init__(self, reason: UnknownReason = UnknownReason.CONNECTION_LOST) -> None:
        super().__init__(reason)
        self.reason = reason


class MemoryTransport(Transport):
    """Hands requests to `answer` and streams to `stream`.

    Args:
        answer: The peer. It may wait as long as it likes, the request's timeout is kept; it may
            raise `LostAfterSendError`. Anything else it raises is its own bug and gets through.
        stream: Returns this end of a `MemoryWire.pair`, or raises what `Transport.open` raises.
        connect: Awaited before the permit is taken, for delays and `LostBeforeSendError`.
    """

    def __init__(
        self,
        answer: Callable[[HttpRequest], Awaitable[HttpResponse]],
        *,
        stream: Callable[[StreamRequest], Awaitable[Wire]] | None = None,
        connect: Callable[[HttpRequest], Awaitable[None]] | None = None,
    ) -> None:
        self._answer = answer
        self._stream = stream
        self._connect = connect
        self._wires: list[Wire] = []
        self._closing: set[asyncio.Timeout] = set()
        self._is_closed = False

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Hand a request to `answer` and return its response.

        Raises what `AiohttpTransport.send` raises.
        """
        self._check(request)
        is_sent = False
        try:
            async with asyncio.timeout(request.timeout_s) as limit:
                self._closing.add(limit)
                try:
                    if self._connect is not None:
                        await self._connect(request)
                    is_sent = self._write(request)
                    return _checked(await self._answer(request), request)
                finally:
                    self._closing.discard(limit)
        except TimeoutError:
            reason, cause = UnknownReason.TIMEOUT, "no whole response in time"
        except LostBeforeSendError:
            reason, cause = UnknownReason.OTHER, "no connection could be made"
        except LostAfterSendError as error:
            reason, cause = error.reason, "no whole response came"
        if not is_sent:
            raise ConnectFailedError(f"{request.name}: {cause}; nothing was sent")
        reason = UnknownReason.CLOSED if self._is_closed else reason
        message = f"{request.name}: {cause}; it was sent and may be in effect"
        raise OutcomeUnknownError(message, reason=reason)

    async def open(self, request: StreamRequest) -> Wire:
        """Hand a stream to `stream` and return its wire.

        Raises what `AiohttpTransport.open` raises.
        """
        self._check(as_request(request))
        if self._stream is None:
            raise ConnectFailedError(f"{request.name}: nobody answers streams here")
        try:
            async with asyncio.timeout(request.timeout_s):
                wire = await self._stream(request)
                self._wires.append(wire)
                return wire
        except TimeoutError:
            cause = "no answer in time"
        except LostBeforeSendError:
            cause = "no connection could be made"
        raise ConnectFailedError(f"{request.name}: {cause}; the stream is not open")

    async def aclose(self) -> None:
        """Cut what is on its way and close every wire. Idempotent; raises nothing."""
        self._is_closed = True
        for limit in self._closing:
            limit.reschedule(0)
        self._closing.clear()
        wires, self._wires = self._wires, []
        for wire in wires:
            await wire.aclose()

    def _check(self, request: HttpRequest) -> None:
        if self._is_closed:
            raise ClosedError("the transport is closed; nothing was sent")
        origin = origin_of(request.url)
        check_base(origin)
        seal(request, origin, "")

    def _write(self, request: HttpRequest) -> bool:
        if self._is_closed:
            raise ClosedError("the transport is closed; nothing was sent")
        if request.gate is not None:
            request.gate()
        permit = current_permit() if request.lane is Lane.ORDER else None
        if permit is not None:
            with permit.writing():
                return True
        return True


def _checked(response: HttpResponse, request: HttpRequest) -> HttpResponse:
    if len(response.body) > request.max_bytes:
        raise LostAfterSendError(UnknownReason.BAD_RESPONSE)
    headers = {name.lower(): value for name, value in response.headers.items()}
    return attrs.evolve(response, headers=headers)
