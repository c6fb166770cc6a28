"""The way of a stream from the venue to the client, where frames are struck by what is set."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.times import SECOND_NS

from .log import Origin
from .toxics import FrameFault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dragoman.times import Clock

    from .frames import Frame
    from .framing import StreamFraming
    from .log import TrafficLog
    from .peer import Peer
    from .toxics import FrameToxic, Trap

__all__ = ["Downstream"]

_ENDINGS: Final = frozenset(
    {
        FrameFault.CORRUPT,
        FrameFault.CUT,
        FrameFault.RESET,
        FrameFault.CLOSE,
        FrameFault.HALF_OPEN,
    }
)


class Downstream:
    """What the client of one stream is told.

    Args:
        client: Who is told.
        path: The target by which the stream was opened.
        traps: The frame toxics that are set; the proxy changes the list as it likes.
        framing: How the stream says things.
        clock: What delays are measured by.
    """

    def __init__(
        self,
        client: Peer,
        path: str,
        traps: Sequence[Trap[FrameToxic]],
        framing: StreamFraming,
        *,
        clock: Clock,
        log: TrafficLog,
        exchange: int,
    ) -> None:
        self._client = client
        self._path = path
        self._traps = traps
        self._framing = framing
        self._clock = clock
        self._log = log
        self._exchange = exchange
        self._held: Frame | None = None
        self._is_mute = False
        self._is_frozen = False
        self._frozen = asyncio.Event()  # nobody sets it: it is what the frozen wait for

    def freeze(self) -> None:
        """Fall silent, with nothing closed."""
        self._is_frozen = True

    def mute(self) -> None:
        """Drop every message of the venue from now on; pings are still answered."""
        self._is_mute = True

    async def thaw(self) -> None:
        """Wait for ever where it is frozen; else return at once."""
        if self._is_frozen:
            await self._frozen.wait()

    async def close(self, code: int) -> None:
        """Close towards the client as a server does."""
        await self._say(FrameFault.CLOSE, self._framing.close(code))
        self._client.close()

    async def take(self, frame: Frame) -> None:
        """Tell a frame of the venue, or do what a toxic says instead.

        Raises:
            ConnectionError: The client is gone.
        """
        await self.thaw()
        toxic = None if frame.is_control else self._struck(frame)
        fault = None if toxic is None else toxic.fault
        if self._is_mute and not frame.is_control and fault is None:
            fault = FrameFault.MUTE
        self._log.heard(self._exchange, Origin.VENUE, frame, fault)
        if toxic is not None:
            await self._break(frame, toxic)
        elif fault is None:
            await self._pass_on(frame)

    def spares(self, frames: Sequence[Frame]) -> bool:
        """Tell whether frames would pass as they are, none struck, dropped or held back."""
        if self._is_mute or self._is_frozen or self._held is not None:
            return False
        toxics = [trap.toxic for trap in self._traps]
        return not any(one.matches(self._path, frame.payload) for one in toxics for frame in frames)

    def _struck(self, frame: Frame) -> FrameToxic | None:
        for trap in self._traps:
            if trap.toxic.matches(self._path, frame.payload) and trap.springs():
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
        elif toxic.fault is FrameFault.MUTE:
            self.mute()
        elif toxic.fault is FrameFault.SWAP:
            self._held = frame
        elif toxic.fault is FrameFault.REPLACE:
            await self._say(toxic.fault, self._framing.text(toxic.payload))
        elif toxic.fault is FrameFault.CHANGE:
            await self._say(toxic.fault, self._framing.text(toxic.changed(frame.payload)))
        elif toxic.fault is FrameFault.SPLIT:
            await self._split(frame, toxic)
        elif toxic.fault is FrameFault.DUPLICATE:
            await self._client.send(frame.raw * toxic.copies)
        elif toxic.fault is FrameFault.DELAY:
            await self._clock.sleep_ns(round(toxic.seconds * SECOND_NS))
            await self._client.send(frame.raw)

    async def _split(self, frame: Frame, toxic: FrameToxic) -> None:
        whole = attrs.evolve(frame, payload=toxic.changed(frame.payload))
        for piece in self._framing.split(whole):
            await self._client.send(piece)
            await self._clock.sleep_ns(round(toxic.seconds * SECOND_NS))

    async def _end(self, frame: Frame, toxic: FrameToxic) -> None:
        if toxic.fault is FrameFault.CORRUPT:
            await self._say(toxic.fault, self._framing.corrupt())
        elif toxic.fault is FrameFault.CUT:
            await self._client.send(frame.raw[: len(frame.raw) // 2])
            self._client.close()
        elif toxic.fault is FrameFault.RESET:
            self._client.reset()
        elif toxic.fault is FrameFault.CLOSE:
            await self.close(toxic.code)
        else:
            self.freeze()
            await self.thaw()

    async def _say(self, fault: FrameFault, frame: Frame) -> None:
        self._log.heard(self._exchange, Origin.PROXY, frame, fault)
        await self._client.send(frame.raw)
