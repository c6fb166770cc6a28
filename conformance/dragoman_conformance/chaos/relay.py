"""A WebSocket through the proxy, frame by frame."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from dragoman.tasks import TaskScope
from dragoman.times import SECOND_NS

from .frames import CORRUPT, close_frame, read_frame, text_frame
from .toxics import FrameFault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dragoman.times import Clock

    from .frames import Frame
    from .peer import Peer
    from .toxics import FrameToxic, Trap

__all__ = ["Relay"]

_ENDINGS: Final = frozenset(
    {
        FrameFault.CORRUPT,
        FrameFault.CUT,
        FrameFault.RESET,
        FrameFault.CLOSE,
        FrameFault.HALF_OPEN,
    }
)


class Relay:
    """One open WebSocket between a client and the venue.

    Args:
        client: Where it was opened from.
        venue: Where it leads to.
        traps: The frame toxics that are set; the proxy changes the list as it likes.
        clock: What delays are measured by.
    """

    def __init__(
        self, client: Peer, venue: Peer, traps: Sequence[Trap[FrameToxic]], clock: Clock
    ) -> None:
        self._client = client
        self._venue = venue
        self._traps = traps
        self._clock = clock
        self._held: Frame | None = None
        self._is_mute = False
        self._is_frozen = False
        self._frozen = asyncio.Event()  # nobody sets it: it is what the frozen wait for
        self.client_close: int | None = None
        """The code that the client closed with; None before it did."""

    async def run(self) -> None:
        """Pass frames on until either side ends."""
        scope = TaskScope()
        tasks = [
            scope.spawn(self._pump_down(), "frames to the client"),
            scope.spawn(self._pump_up(), "frames to the venue"),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await scope.close()
            self._client.close()
            self._venue.close()

    def reset(self) -> None:
        """Reset the client."""
        self._client.reset()

    def freeze(self) -> None:
        """Let both directions fall silent, with nothing closed."""
        self._is_frozen = True

    def mute(self) -> None:
        """Drop every message of the venue from now on; pings are still answered."""
        self._is_mute = True

    async def close(self, code: int) -> None:
        """Close towards the client as a server does."""
        await self._client.send(close_frame(code))
        self._client.close()

    async def _pump_up(self) -> None:
        while (frame := await read_frame(self._client.reader)) is not None:
            if self._is_frozen:
                await self._frozen.wait()
            if frame.is_close:
                self.client_close = int.from_bytes(frame.payload[:2], "big") or 1005
            try:
                await self._venue.send(frame.raw)
            except ConnectionError:
                return

    async def _pump_down(self) -> None:
        try:
            while (frame := await read_frame(self._venue.reader)) is not None:
                if self._is_frozen:
                    await self._frozen.wait()
                await self._take(frame)
        except ConnectionError:
            return

    async def _take(self, frame: Frame) -> None:
        toxic = None if frame.is_control else self._struck(frame)
        if toxic is not None:
            await self._break(frame, toxic)
        elif frame.is_control or not self._is_mute:
            await self._pass_on(frame)

    def _struck(self, frame: Frame) -> FrameToxic | None:
        for trap in self._traps:
            if trap.toxic.text in frame.payload and trap.springs():
                return trap.toxic
        return None

    async def _pass_on(self, frame: Frame) -> None:
        await self._client.send(frame.raw)
        held, self._held = self._held, None
        if held is not None:
            await self._client.send(held.raw)

    async def _break(self, frame: Frame, toxic: FrameToxic) -> None:
        if toxic.fault in _ENDINGS:
            await self._end(frame, toxic)
            return
        if toxic.fault is FrameFault.MUTE:
            self.mute()
        elif toxic.fault is FrameFault.SWAP:
            self._held = frame
        elif toxic.fault is FrameFault.REPLACE:
            await self._client.send(text_frame(toxic.payload))
        elif toxic.fault is FrameFault.DUPLICATE:
            await self._client.send(frame.raw * 2)
        elif toxic.fault is FrameFault.DELAY:
            await self._clock.sleep_ns(round(toxic.seconds * SECOND_NS))
            await self._client.send(frame.raw)

    async def _end(self, frame: Frame, toxic: FrameToxic) -> None:
        if toxic.fault is FrameFault.CORRUPT:
            await self._client.send(CORRUPT)
        elif toxic.fault is FrameFault.CUT:
            await self._client.send(frame.raw[: len(frame.raw) // 2])
            self._client.close()
        elif toxic.fault is FrameFault.RESET:
            self.reset()
        elif toxic.fault is FrameFault.CLOSE:
            await self.close(toxic.code)
        else:
            self.freeze()
            await self._frozen.wait()
