"""One HTTP exchange through the proxy, whole or broken as its toxic says."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, TypeAlias

import attrs

from dragoman.tasks import TaskScope
from dragoman.times import SECOND_NS, Clock

from .http_text import Head, body_pieces, parse_head, plain_body, read_head
from .log import Ending, ExchangeNote
from .peer import Peer
from .relay import is_line_stream
from .toxics import HttpFault

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .toxics import HttpToxic

__all__ = ["Exchange", "ending_of"]

OpenStream: TypeAlias = "Callable[[Head], Awaitable[bool]]"

_LINE_END: Final = b"\r\n"
_HEAD_END: Final = b"\r\n\r\n"
_BEFORE_RESET_S: Final = 0.02
"""How long a reset waits, or it would take back what was just sent."""
_ANSWERED: Final = frozenset({HttpFault.DRIP, HttpFault.REPLY, HttpFault.CHANGE})
_ENDINGS: Final = {
    HttpFault.RESET_UNREAD: Ending.RESET,
    HttpFault.RESET_MID_REQUEST: Ending.RESET,
    HttpFault.RESET_AFTER_REQUEST: Ending.RESET,
    HttpFault.RESET_AFTER_HEAD: Ending.RESET,
    HttpFault.RESET_MID_RESPONSE: Ending.RESET,
    HttpFault.LATE_GHOST: Ending.RESET,
    HttpFault.TRUNCATE: Ending.CUT,
    HttpFault.STALL: Ending.SILENT,
    HttpFault.LOST: Ending.SILENT,
}
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
    note: ExchangeNote

    async def run(self, toxic: HttpToxic | None, open_stream: OpenStream) -> bool:
        """Do what the toxic says; True where the connection can carry another exchange.

        `open_stream` passes on an answer that may never end, from what its head says on.

        Raises:
            ConnectionError: One side is gone.
        """
        if toxic is None:
            await self._deliver(self.head.raw)
            return await self._pass_on(open_stream)
        await self._break(toxic)
        return toxic.fault in _ANSWERED

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
        self.note.close(Ending.RESET)
        if toxic.fault is HttpFault.LATE_GHOST:
            await self._pause(toxic.seconds or 0.0)
            await self._answer()

    async def _break_answer(self, toxic: HttpToxic) -> None:
        if toxic.fault is HttpFault.RESET_AFTER_REQUEST:
            await self._answer()
            self.client.reset()
        elif toxic.fault is HttpFault.BLACK_HOLE:
            answer = await self._answer()
            if await self._outwaits(toxic.seconds):
                await self.client.send(answer)
            else:
                self.note.close(Ending.SILENT)
        elif toxic.fault is HttpFault.LATE_DELIVERY:
            await self._pause(toxic.seconds or 0.0)
            await self.client.send(await self._answer())
        elif toxic.fault is HttpFault.DRIP:
            await self._drip(toxic.seconds or 0.0)
        elif toxic.fault is HttpFault.REPLY:
            await self._reply(toxic)
        elif toxic.fault is HttpFault.CHANGE:
            await self._change(toxic)
        elif toxic.fault is HttpFault.RESET_AFTER_HEAD:
            answer = await self._answer()
            await self.client.send(answer[: answer.index(_HEAD_END) + len(_HEAD_END)])
            await self._pause(_BEFORE_RESET_S)
            self.client.reset()
        else:
            await self._halve(toxic.fault)

    async def _deliver(self, head: bytes) -> None:
        await self.venue.send(head + self.body)
        self.note.delivered()

    async def _answer(self) -> bytes:
        return b"".join(await self._answer_to(self.head.raw))

    async def _answer_to(self, head_bytes: bytes) -> list[bytes]:
        await self._deliver(head_bytes)
        head = await self._response()
        pieces = [head.raw]
        if head.has_body:
            pieces += [piece async for piece in body_pieces(self.venue.reader, head)]
        return pieces

    async def _response(self) -> Head:
        head = await read_head(self.venue.reader)
        if head is None:
            message = "the venue closed without an answer"
            raise ConnectionResetError(message)
        self.note.answered(head.status)
        return head

    async def _pass_on(self, open_stream: OpenStream) -> bool:
        head = await self._response()
        await self.client.send(head.raw)
        if not head.has_body:
            return True
        if is_line_stream(head):
            return await open_stream(head)
        async for piece in body_pieces(self.venue.reader, head):
            await self.client.send(piece)
        is_bounded = head.get("content-length") or head.get("transfer-encoding")
        return is_bounded is not None and (head.get("connection") or "").lower() != "close"

    async def _halve(self, fault: HttpFault) -> None:
        answer = await self._answer()
        start = answer.index(_HEAD_END) + len(_HEAD_END)
        await self.client.send(answer[: (start + len(answer)) // 2])
        if fault is HttpFault.RESET_MID_RESPONSE:
            await self._pause(_BEFORE_RESET_S)
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
        await self.client.send(toxic.reply_at(self.clock.now_ns()).encode())

    async def _change(self, toxic: HttpToxic) -> None:
        asked = self.head.without("accept-encoding")  # what is compressed can't be changed
        raw, *pieces = await self._answer_to(asked)
        head = parse_head(raw)
        body = toxic.changed(plain_body(head, b"".join(pieces)))
        kept = head.without("content-length", "transfer-encoding")[: -len(_LINE_END)]
        length = f"Content-Length: {len(body)}\r\n\r\n".encode()
        await self.client.send(kept + length + body)

    async def _pause(self, seconds: float) -> None:
        await self.clock.sleep_ns(round(seconds * SECOND_NS))

    async def _outwaits(self, seconds: float | None) -> bool:
        """Wait for the time, for ever if None; False where the client goes away before."""
        if seconds is None:
            await self.client.gone()
            return False
        scope = TaskScope()
        gone = scope.spawn(self.client.gone(), "client gone")
        pause = scope.spawn(self._pause(seconds), "pause")
        try:
            await asyncio.wait([gone, pause], return_when=asyncio.FIRST_COMPLETED)
            return not gone.done()
        finally:
            await scope.close()


def ending_of(fault: HttpFault | None) -> Ending:
    """Return how an exchange ended that a fault struck and that was carried through."""
    return Ending.ANSWERED if fault is None else _ENDINGS.get(fault, Ending.ANSWERED)
