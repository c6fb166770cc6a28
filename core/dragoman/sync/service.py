"""The loop's side of a synchronous connection: a thread that runs one until all is closed.

The thread knows nothing of who uses it, so that a connection nobody holds any more can be told.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import threading
from typing import TYPE_CHECKING, Any, Final, Protocol

from dragoman.errors import LifecycleError
from dragoman.tasks import TaskScope

from .call import Call
from .gate import Gate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dragoman.broker import Broker

__all__ = ["Companion", "LoopService"]

_CLOSING_S: Final = 3.0
_LAST_TURN_S: Final = 1.0
_PATIENCE_S: Final = 5.0

_logger: Final = logging.getLogger(__name__)


class Companion(Protocol):
    """Something with a thread of its own that ends before its broker is closed."""

    def belongs_to(self, broker: Broker) -> bool:
        """Tell whether it lives by that broker."""
        ...

    def close(self) -> None:
        """End it and wait until it has ended."""
        ...


class _LoopThread(threading.Thread):
    """The kind of thread that must never wait for a loop: it is one."""


class LoopService:
    """An event loop in a daemon thread, for the brokers of one connection; ends with the last.

    At the exit of the interpreter it closes what was forgotten, for at most a few seconds; calls
    that wait in daemon threads then wait until the process is gone.
    """

    def __init__(self, provider: str) -> None:
        self.provider = provider
        self.companions: set[Companion] = set()
        self._process_id = os.getpid()
        self._loop: asyncio.AbstractEventLoop
        self._running = Gate()
        self._failure: BaseException | None = None
        self._scope = TaskScope()
        self._ending = asyncio.Event()
        self._emptied = asyncio.Event()
        self._brokers: set[Broker] = set()
        self._closings: dict[Broker, Call[None]] = {}
        self._lock = threading.RLock()  # a finalizer may come while its own thread holds it
        self._calls: set[Call[Any]] = set()
        self._is_closed = False
        self._is_exiting = False
        self._thread = _LoopThread(target=self._run, name=f"dragoman {provider}", daemon=True)

    def start(self) -> None:
        """Start the thread, which makes the loop; returns when calls can begin.

        Raises:
            OSError: The system has no resources for a loop.
            RuntimeError: The system has no resources for a thread.
        """
        self._thread.start()
        atexit.register(self._exit)
        self._running.wait()
        if self._failure is not None:
            raise self._failure

    @property
    def is_over(self) -> bool:
        """Whether the loop has ended."""
        return not self._thread.is_alive()

    @property
    def is_foreign(self) -> bool:
        """Whether this is another process, forked off the one that connected."""
        return os.getpid() != self._process_id

    @property
    def is_own_loop(self) -> bool:
        """Whether the caller is on a loop of this kind and so can't wait for one."""
        return isinstance(threading.current_thread(), _LoopThread)

    def check_process(self) -> None:
        """Refuse to go on in a forked process, where the connection's thread does not exist.

        Raises:
            LifecycleError: This process was forked off the one that connected (NOT_SENT).
        """
        if self.is_foreign:
            message = (
                f"the connection to {self.provider} belongs to process {self._process_id}; "
                f"process {os.getpid()} was forked off it and must connect by itself"
            )
            raise LifecycleError(message, provider=self.provider)

    def check_caller(self) -> None:
        """Refuse a caller that can't wait for the loop.

        Raises:
            LifecycleError: The process was forked, or the caller runs on a loop that would then
                wait for itself (NOT_SENT).
        """
        self.check_process()
        if self.is_own_loop:
            message = (
                "a synchronous method was called on the connection's own event loop, which would "
                "wait for itself: the condition given to wait() may look at its order and at "
                "broker.state, no more"
            )
            raise LifecycleError(message, provider=self.provider)

    def begin(self, call: Call[Any]) -> None:
        """Start a call on the loop.

        Raises:
            ClosedError: The connection is closed (NOT_SENT).
        """
        call.is_asked = True
        with self._lock:
            if not self._is_closed:
                self._calls.add(call)
                self._loop.call_soon_threadsafe(self._start, call)
                return
        call.refuse()
        call.result()

    def soon(self, action: Callable[[], object]) -> None:
        """Let the loop do something, and never mind if it has ended."""
        with self._lock:
            if not self._is_closed:
                self._loop.call_soon_threadsafe(action)

    def hold_at_exit(self) -> None:
        """Let a daemon thread rest once the interpreter exits: what it would do comes too late."""
        if self._is_exiting:
            threading.Event().wait()

    async def connect(self, connecting: Callable[[], Awaitable[Broker]]) -> Broker:
        """Connect a broker that the service then lives for. To be run on the loop."""
        broker = await connecting()
        self._brokers.add(broker)
        return broker

    def release(self, broker: Broker) -> None:
        """Close a broker and, with the last one, the loop; returns when that is done. Idempotent.

        Raises:
            DragomanError: What the broker raised; it counts as closed all the same.
        """
        with self._lock:
            is_over = self._is_closed or broker not in self._brokers
            call = None if is_over else self._closing(broker)
        if call is not None:
            call.wait()
            self.hold_at_exit()
            call.result()
        if not self._brokers:
            self._thread.join(_PATIENCE_S)

    def end_soon(self) -> None:
        """Let every broker and the loop be closed, and do not wait for it."""
        self.soon(self._ending.set)

    def end(self) -> None:
        """Close every broker and the loop, and wait for that, but not for ever."""
        self._running.wait()
        self.end_soon()
        self._thread.join(_PATIENCE_S)

    def _closing(self, broker: Broker) -> Call[None]:
        call = self._closings.get(broker)
        if call is None:
            call = self._closings[broker] = Call(lambda: self._close(broker), self.provider)
            self._calls.add(call)
            self._loop.call_soon_threadsafe(call.start, self._scope)
        return call

    async def _close(self, broker: Broker) -> None:
        try:
            await broker.aclose()
        finally:
            with self._lock:
                self._closings.pop(broker, None)
                self._brokers.discard(broker)
                self._is_closed = self._is_closed or not self._brokers
            if self._is_closed:
                self._emptied.set()
                self._ending.set()

    def _start(self, call: Call[Any]) -> None:
        if self._is_closed:
            call.refuse()
        else:
            call.start(self._scope)
        if call.task is None:
            self._calls.discard(call)
        else:
            call.task.add_done_callback(lambda _: self._calls.discard(call))

    def _run(self) -> None:
        try:
            with asyncio.Runner() as runner:
                self._loop = runner.get_loop()
                self._running.open()
                runner.run(self._serve())
        except OSError as error:
            if self._running.is_open:
                raise
            self._failure = error
        finally:
            self._running.open()
            with self._lock:
                self._is_closed = True
            for call in tuple(self._calls):
                call.refuse()
            if not self._is_exiting:
                atexit.unregister(self._exit)

    async def _serve(self) -> None:
        await self._ending.wait()
        try:
            async with asyncio.timeout(_CLOSING_S):
                await self._close_all()
        except TimeoutError:
            _logger.warning(
                "A connection took too long to close", extra={"provider": self.provider}
            )
        await self._give_last_turns()
        await self._scope.close()

    async def _close_all(self) -> None:
        with self._lock:
            self._is_closed = True
        while self._brokers:
            self._emptied.clear()
            for broker in tuple(self._brokers):
                self._closing(broker)
            await self._emptied.wait()

    async def _give_last_turns(self) -> None:
        """Let streams hand out what waits in them before the loop is gone."""
        tasks: list[asyncio.Task[None]] = []
        for call in tuple(self._calls):
            if call.on_last_turn is not None and call.task is not None:
                call.on_last_turn()
                tasks.append(call.task)
        if tasks:
            await asyncio.wait(tasks, timeout=_LAST_TURN_S)

    def _exit(self) -> None:
        if not self.is_foreign:
            self._is_exiting = True
            self.end()
