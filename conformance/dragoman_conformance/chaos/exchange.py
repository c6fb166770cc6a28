"""One HTTP exchange through the proxy, whole or broken as its toxic says."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.tasks import TaskScope
from dragoman.times import SECOND_NS, Clock

from .http_text import Head, body_pieces, read_head
from .peer import Peer
from .replies import Reply
from .toxics import HttpFault

if TYPE_CHECKING:
    from .toxics import HttpToxic

__all__ = ["Exchange"]

_UNANSWERED: Final = frozenset(
    {
        HttpFault.RESET_UNREAD,
        HttpFault.RESET_MID_REQUEST,
        HttpFault.LATE_GHOST,
        HttpFault.LOST,
    }
)


@attrs.frozen(kw_only=True)
class Exchange:
    """A request that was read whole, and the two sides it passes between."""

    client: Peer
    venue: Peer
    head: Head
    body: bytes = attrs.field(repr=False)
    clock: Clock

    async def run(self, toxic: HttpToxic | None) -> bool:
        """Do what the toxic says; True where the connection can carry another exchange.

        Raises:
            ConnectionError: One side is gone.
        """
        if toxic is None:
            await self._deliver()
            return await self._pass_on()
        await self._break(toxic)
        return toxic.fault in {HttpFault.DRIP, HttpFault.REPLY}

    async def _break(self, toxic: HttpToxic) -> None:
        if toxic.fault in _UNANSWERED:
            await self._break_request(toxic)
        else:
            await self._break_answer(toxic)

    async def _break_request(self, toxic: HttpToxic) -> None:
        if toxic.fault is HttpFault.LOST:
            await self.client.gone()
            return
        if toxic.fault is HttpFault.RESET_MID_REQUEST:
            await self.venue.send(self.head.raw + self.body[: len(self.body) // 2])
            self.venue.reset()
        self.client.reset()
        if toxic.fault is HttpFault.LATE_GHOST:
            await self._pause(toxic.seconds or 0.0)
            await self._answer()

    async def _break_answer(self, toxic: HttpToxic) -> None:
        if toxic.fault is HttpFault.RESET_AFTER_REQUEST:
            await self._answer()
            self.client.reset()
        elif toxic.fault is HttpFault.BLACK_HOLE:
            answer = await self._answer()
            await self._wait(toxic.seconds)
            await self.client.send(answer)
        elif toxic.fault is HttpFault.LATE_DELIVERY:
            await self._pause(toxic.seconds or 0.0)
            await self.client.send(await self._answer())
        elif toxic.fault is HttpFault.DRIP:
            await self._drip(toxic.seconds or 0.0)
        elif toxic.fault is HttpFault.REPLY:
            await self._reply(toxic)
        else:
            await self._halve(toxic.fault)

    async def _deliver(self) -> None:
        await self.venue.send(self.head.raw + self.body)

    async def _answer(self) -> bytes:
        await self._deliver()
        head = await self._response()
        pieces = [head.raw]
        if head.has_body:
            pieces += [piece async for piece in body_pieces(self.venue.reader, head)]
        return b"".join(pieces)

    async def _response(self) -> Head:
        head = await read_head(self.venue.reader)
        if head is None:
            message = "the venue closed without an answer"
            raise ConnectionResetError(message)
        return head

    async def _pass_on(self) -> bool:
        head = await self._response()
        await self.client.send(head.raw)
        if not head.has_body:
            return True
        async for piece in body_pieces(self.venue.reader, head):
            await self.client.send(piece)
        is_bounded = head.get("content-length") or head.get("transfer-encoding")
        return is_bounded is not None and (head.get("connection") or "").lower() != "close"

    async def _halve(self, fault: HttpFault) -> None:
        answer = await self._answer()
        start = answer.index(b"\r\n\r\n") + 4
        await self.client.send(answer[: (start + len(answer)) // 2])
        if fault is HttpFault.RESET_MID_RESPONSE:
            await self._pause(0.02)  # or the reset would take back what was just sent
            self.client.reset()
        elif fault is HttpFault.TRUNCATE:
            self.client.close()
        else:
            await self.client.gone()

    async def _drip(self, seconds: float) -> None:
        for byte in await self._answer():
            await self.client.send(bytes([byte]))
            await self._pause(seconds)

    async def _reply(self, toxic: HttpToxic) -> None:
        if toxic.is_delivered:
            await self._answer()
        await self.client.send((toxic.reply or Reply.busy(503)).encode())

    async def _pause(self, seconds: float) -> None:
        await self.clock.sleep_ns(round(seconds * SECOND_NS))

    async def _wait(self, seconds: float | None) -> None:
        """Wait for the time, or until the client goes away; for the latter only if None."""
        if seconds is None:
            await self.client.gone()
            return
        scope = TaskScope()
        tasks = [
            scope.spawn(self.client.gone(), "client gone"),
            scope.spawn(self._pause(seconds), "pause"),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await scope.close()
