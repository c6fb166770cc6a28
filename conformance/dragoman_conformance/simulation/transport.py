"""The transport of one simulated process: the library's own in memory, over the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.transport.memory import LostBeforeSendError, MemoryTransport

if TYPE_CHECKING:
    import asyncio

    from dragoman.transport.base import HttpRequest, HttpResponse, StreamRequest, Wire

    from .network import Network
    from .plan import Fault

__all__ = ["Life", "make_transport"]


class Life:
    """Whether a simulated process still lives; what a dead one does reaches nobody."""

    def __init__(self) -> None:
        self.is_over = False


def make_transport(network: Network, life: Life) -> MemoryTransport:
    """Return a transport that a process may use as long as it lives."""
    line = _Line(network, life)
    return MemoryTransport(line.answer, stream=line.open, connect=line.connect)


class _Line:
    """What a process's transport asks of the network."""

    def __init__(self, network: Network, life: Life) -> None:
        self._network = network
        self._life = life
        self._faults: dict[int, Fault | None] = {}

    async def connect(self, request: HttpRequest) -> None:
        """Take the time that a connection takes, and fail where the weather has it so."""
        await self._pause()
        fault = self._network.fault_of(request)
        if self._network.is_refused(fault):
            raise LostBeforeSendError
        self._faults[id(request)] = fault

    async def answer(self, request: HttpRequest) -> HttpResponse:
        """Send a request, whose first byte is written now, and wait for what comes of it."""
        answer: asyncio.Future[HttpResponse] = self._network.loop.create_future()
        self._network.dispatch(request, self._faults.pop(id(request), None), answer)
        return await answer

    async def open(self, request: StreamRequest) -> Wire:
        """Open one stream."""
        await self._pause()
        return self._network.open(request)

    async def _pause(self) -> None:
        loop = self._network.loop
        arrived: asyncio.Future[None] = loop.create_future()
        loop.call_later(self._network.trip_s(), _wake, arrived)
        await arrived
        if self._life.is_over:
            await loop.create_future()


def _wake(sleeper: asyncio.Future[None]) -> None:
    if not sleeper.done():
        sleeper.set_result(None)
