"""The client's end of one simulated stream, and what the network does to its frames."""

from __future__ import annotations

import json
from collections import deque
from typing import TYPE_CHECKING, Final

from dragoman.errors import StreamLostError
from dragoman.permits import current_permit
from dragoman.transport.base import Lane, Wire

from .plan import FaultKind, Trigger

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from dragoman.transport.base import StreamRequest
    from dragoman_conformance.harbor.streams import HarborStream

    from .network import Network
    from .plan import Fault

__all__ = ["SimWire"]

_NEWS: Final = ("order", "position")
_NONSENSE: Final = "{]"
_FLUSH_S: Final = 2.0
_PINGS_MISSED: Final = 1.5


class SimWire(Wire):
    """One open stream over the network; frames keep their order unless a fault breaks it."""

    def __init__(self, network: Network, request: StreamRequest, *, is_acked: bool) -> None:
        self._network = network
        self._loop = network.loop
        self._request = request
        self._is_acked = is_acked
        self._inbox: deque[str] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._lost: str | None = None
        self._latest_down = 0.0
        self._latest_up = 0.0
        self._mute_until = 0.0
        self._is_half_open = False
        self._held: list[str] = []
        self._hold = 0
        self.peer: HarborStream = network.venue.open_stream(self._from_venue)

    @property
    def is_lost(self) -> bool:
        """Whether nothing comes any more."""
        return self._lost is not None

    async def receive(self) -> str | bytes:
        """Return the next message, or raise `StreamLostError`."""
        while not self._inbox:
            if self._lost is not None:
                raise StreamLostError(f"{self._request.name}: {self._lost}")
            self._waiter = self._loop.create_future()
            await self._waiter
        return self._inbox.popleft()

    async def send(self, message: str | bytes, lane: Lane = Lane.READ) -> None:
        """Send one message to the venue."""
        if self._lost is not None:
            raise StreamLostError(f"{self._request.name}: {self._lost}")
        permit = current_permit() if lane is Lane.ORDER else None
        if permit is not None:
            with permit.writing():
                pass
        if self._is_half_open:
            return
        text = message if isinstance(message, str) else message.decode()
        self._latest_up = self._network.due(self._latest_up)
        self._loop.call_at(self._latest_up, self.peer.receive, text)

    async def aclose(self) -> None:
        """Close; the venue hears of it a moment later."""
        self.cut("closed here")

    def cut(self, cause: str) -> None:
        """End the wire from outside: what was not received by now is lost."""
        if self._lost is None:
            self._lost = cause
            self._inbox.clear()
            self._wake()
            self.peer.close()

    def strike(self, fault: Fault) -> None:
        """Let a fault that concerns the whole wire befall it."""
        if fault.kind is FaultKind.STREAM_RESET:
            self.cut("reset by peer")
        elif fault.kind is FaultKind.MUTE:
            forever = float("inf")
            self._mute_until = self._loop.time() + fault.amount / 1000 if fault.amount else forever
        elif fault.kind is FaultKind.HALF_OPEN:
            self._is_half_open = True
            self.peer.close()
            if self._request.heartbeat_s is not None:
                silence_s = _PINGS_MISSED * self._request.heartbeat_s
                self._loop.call_later(silence_s, self.cut, "no pong in time")

    def _from_venue(self, text: str) -> None:
        """Take what the venue says, and let the weather have its way with it."""
        kind = json.loads(text)["type"]
        if kind == "subscribed" and not self._is_acked:
            return
        if kind not in _NEWS:
            self._carry(text)
            return
        self._network.recent.append(text)
        frames = [text]
        for fault in self._network.weather.strike(Trigger.FRAME):
            frames = self._spoiled(fault, frames)
        for frame in frames:
            self._hold_or_carry(frame)

    def _spoiled(self, fault: Fault, frames: list[str]) -> list[str]:
        """Return what is left of frames after a fault, which may also befall the wire."""
        if fault.kind in _SPOILT:
            return [_SPOILT[fault.kind](frame) for frame in frames]
        match fault.kind:
            case FaultKind.DROP:
                return []
            case FaultKind.DUPLICATE:
                return [*frames, *frames]
            case FaultKind.REPLAY:
                return [*frames, *list(self._network.recent)[-max(1, fault.amount) :]]
            case FaultKind.REORDER:
                self._hold = max(2, fault.amount)
                self._loop.call_later(_FLUSH_S, self._flush)
            case FaultKind.DELAY:
                self._latest_down = max(self._latest_down, self._loop.time() + fault.amount / 1000)
            case _:
                self.strike(fault)
        return frames

    def _hold_or_carry(self, frame: str) -> None:
        if self._hold == 0:
            self._carry(frame)
            return
        self._held.append(frame)
        if len(self._held) >= self._hold:
            self._flush()

    def _flush(self) -> None:
        self._hold = 0
        held, self._held = self._held, []
        self._network.random.shuffle(held)
        for frame in held:
            self._carry(frame)

    def _carry(self, text: str) -> None:
        if self._is_half_open or self._loop.time() < self._mute_until:
            return
        self._latest_down = self._network.due(self._latest_down)
        self._loop.call_at(self._latest_down, self._arrive, text)

    def _arrive(self, text: str) -> None:
        if self._lost is None:
            self._inbox.append(text)
            self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def _with_unknown_word(frame: str) -> str:
    if frame == _NONSENSE:
        return frame
    message = json.loads(frame)
    if "order" in message:
        message["order"]["state"] = message["what"] = "levitating"
    else:
        message["type"] = "levitation"
    return json.dumps(message)


def _without_a_field(frame: str) -> str:
    if frame == _NONSENSE:
        return frame
    message = json.loads(frame)
    for part, name in (("order", "quantity"), ("position", "symbol")):
        message.get(part, {}).pop(name, None)
    return json.dumps(message)


def _without_sense(_: str) -> str:
    return _NONSENSE


_SPOILT: Final[dict[FaultKind, Callable[[str], str]]] = {
    FaultKind.GARBAGE: _without_sense,
    FaultKind.BAD_ENUM: _with_unknown_word,
    FaultKind.MISSING_FIELD: _without_a_field,
}
