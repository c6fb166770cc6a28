"""One connection of a link: its only reader, its serialised writes, and who expects which frame."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import attrs

from dragoman.errors import (
    DragomanError,
    ProtocolError,
    RequestError,
    StreamLostError,
    WaitTimeoutError,
)
from dragoman.tasks import TaskScope
from dragoman.times import SECOND_NS

from .base import Lane
from .link_deadline import deadline
from .link_errors import bare
from .stream_protocol import StreamSession

if TYPE_CHECKING:
    from dragoman.times import Clock

    from .base import Wire
    from .link_flow import LinkFlow
    from .link_terms import LinkTerms
    from .stream_protocol import Framing

__all__ = ["LinkConnection"]

Frame = TypeVar("Frame")
Found = TypeVar("Found")

_MOST_HELD_BYTES: Final = 64 * 1024 * 1024


@attrs.define(eq=False)
class _Expectation(Generic[Frame, Found]):
    match: Callable[[Frame], Found | None]
    found: asyncio.Future[Found]

    def offer(self, frame: Frame) -> bool:
        """Tell whether the frame was what is expected, also if it is an error."""
        if self.found.done():
            return False
        try:
            found = self.match(frame)
        except (ProtocolError, RequestError):
            return False  # whatever it is, it is not the answer; it is told when it is decoded
        except DragomanError as error:
            self.found.set_exception(bare(error))
            return True
        if found is None:
            return False
        self.found.set_result(found)
        return True

    def fail(self, error: DragomanError) -> None:
        if not self.found.done():
            self.found.set_exception(error)


class LinkConnection(StreamSession[Frame]):
    """One open wire and the task that reads it; `generation` tells it from those before.

    `loss` is why it ended, None while it lives. What came before the greeting was over is held
    until `release`. `scope` holds every task that serves this connection.
    """

    def __init__(
        self,
        wire: Wire,
        framing: Framing[Frame],
        flow: LinkFlow[Frame, Any],
        *,
        generation: int,
        clock: Clock,
        terms: LinkTerms,
        scope: TaskScope,
    ) -> None:
        self.generation = generation
        self.scope = scope
        self.loss: DragomanError | None = None
        self.is_held_back: bool = False
        self.last_sign_ns: int = clock.monotonic_ns()
        self.last_sign_wall_ns: int = clock.now_ns()
        self._wire = wire
        self._framing = framing
        self._flow = flow
        self._clock = clock
        self._terms = terms
        self._held: list[Frame] | None = []
        self._held_bytes = 0
        self._expectations: list[_Expectation[Frame, object]] = []
        self._writing = asyncio.Lock()

    def start(self, name: str) -> None:
        """Start the only task that reads the wire."""
        self.scope.spawn(self._read(), f"reader {self.generation} of {name}")

    def release(self) -> None:
        """Deliver what was held, and from now on each frame as it comes."""
        held, self._held = self._held or [], None
        loss = self.loss
        self.show_life()
        for frame in held:
            self._flow.take(self.generation, frame)
            if self.loss is not loss:  # by what the frame said
                return

    async def send(self, message: str | bytes, lane: Lane = Lane.READ) -> None:
        """Send one message, after those that are being sent."""
        try:
            async with deadline(self._clock, self._terms.send_within_s, "sending"), self._writing:
                self._require_open()
                await self._wire.send(message, lane)
                return
        except WaitTimeoutError:
            loss = StreamLostError("the peer takes no more messages")
        except StreamLostError as error:
            loss = bare(error)
        finally:
            message = ""  # it may hold a key, and whoever renders a traceback renders its locals
        self.lose(loss)
        raise loss

    async def expect(
        self, match: Callable[[Frame], Found | None], timeout_s: float | None = None
    ) -> Found:
        """Return what `match` finds in the first frame in which it finds something."""
        return await self._exchange(None, match, timeout_s)

    async def ask(
        self,
        message: str | bytes,
        match: Callable[[Frame], Found | None],
        timeout_s: float | None = None,
    ) -> Found:
        """Send `message` and return what `match` finds."""
        try:
            return await self._exchange(message, match, timeout_s)
        finally:
            message = ""  # see `send`

    def show_life(self) -> None:
        """Note a sign of life."""
        self.last_sign_ns = self._clock.monotonic_ns()
        self.last_sign_wall_ns = self._clock.now_ns()

    def lose(self, error: DragomanError) -> None:
        """End the connection, once: whoever expects a frame learns why, and so does the link."""
        if self.loss is not None:
            return
        self.loss = error
        for expectation in self._expectations:
            expectation.fail(StreamLostError(error.message))
        self._flow.lost()

    async def aclose(self) -> None:
        """End every task, then close the wire, with a close frame where there is one.

        Idempotent. Raises nothing, and takes no longer than the terms allow.
        """
        self.lose(StreamLostError("closed here"))
        # Each has its own half of the time: tasks that do not end must not keep the wire open.
        for end in (self.scope.close, self._wire.aclose):
            with suppress(WaitTimeoutError):
                async with deadline(self._clock, self._terms.close_within_s / 2, "closing"):
                    await end()

    async def _exchange(
        self,
        message: str | bytes | None,
        match: Callable[[Frame], Found | None],
        timeout_s: float | None,
    ) -> Found:
        self._require_open()
        found: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
        expectation = _Expectation(match, found)
        self._expectations.append(expectation)  # type: ignore[arg-type] # each is read by its own waiter only
        timer = TaskScope()
        try:
            if message is not None:
                await self.send(message)
                message = None
            limit_s = self._terms.ack_within_s if timeout_s is None else timeout_s
            timer.spawn(self._expire(expectation, limit_s), "deadline of an answer")
            return await found
        finally:
            message = None  # see `send`
            self._expectations.remove(expectation)  # type: ignore[arg-type] # as above
            if not found.cancel() and not found.cancelled():
                found.exception()
            await timer.close()

    async def _expire(self, expectation: _Expectation[Frame, Found], limit_s: float) -> None:
        """Give up, but not while it is this side that does not read."""
        while True:
            await self._clock.sleep_ns(round(limit_s * SECOND_NS))
            if not self.is_held_back:
                break
        expectation.fail(WaitTimeoutError(f"the peer did not answer within {limit_s:g} s"))

    async def _read(self) -> None:
        try:
            while self.loss is None:
                self._took(await self._wire.receive())
                if self._held is None and self._flow.is_full:
                    await self._hold_back()
        except DragomanError as error:
            self.lose(bare(error))
        except Exception as error:
            self.lose(StreamLostError(f"reading failed: {type(error).__name__}"))
            raise

    def _took(self, piece: str | bytes) -> None:
        beats = self._framing.beats
        for frame in self._framing.feed(piece):
            if self._flow.is_alive_sign(frame):
                self.show_life()
            if not self._expectations or not self._is_expected(frame):
                self._give(frame)
            if self.loss is not None:
                return
        if self._framing.beats != beats:
            self.show_life()

    def _give(self, frame: Frame) -> None:
        if self._held is None:
            self._flow.take(self.generation, frame)
        elif len(self._held) < self._terms.max_held and self._held_bytes <= _MOST_HELD_BYTES:
            self._held.append(frame)
            self._held_bytes += len(frame) if isinstance(frame, (str, bytes)) else 0
        else:
            is_many = len(self._held) >= self._terms.max_held
            most = f"{self._terms.max_held} frames" if is_many else f"{_MOST_HELD_BYTES} bytes"
            self.lose(StreamLostError(f"over {most} came before the greeting was over"))

    def _is_expected(self, frame: Frame) -> bool:
        return any(expectation.offer(frame) for expectation in self._expectations)

    async def _hold_back(self) -> None:
        self.is_held_back = True
        try:
            await self._flow.room()
        finally:
            self.is_held_back = False
            self.show_life()

    def _require_open(self) -> None:
        if self.loss is not None:
            raise StreamLostError(self.loss.message)
