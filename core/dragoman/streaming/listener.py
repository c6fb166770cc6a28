"""A callback as a reader: one task, one event at a time, failures kept from everybody else."""

from __future__ import annotations

import asyncio
import logging
from inspect import isawaitable
from typing import TYPE_CHECKING, Final, TypeAlias

from dragoman.errors import ClosedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType
    from typing import Self

    from dragoman.models.events import Event
    from dragoman.tasks import TaskScope

    from .stream import EventStream

__all__ = ["Callback", "ErrorReport", "Listener"]

Callback: TypeAlias = "Callable[[Event], Awaitable[None] | None]"
ErrorReport: TypeAlias = "Callable[[Event | None, Exception], None]"

_logger: Final = logging.getLogger(__name__)


class Listener:
    """A callback that is being called; `async with` waits until it is live and closes it."""

    def __init__(
        self, stream: EventStream, callback: Callback, on_error: ErrorReport | None
    ) -> None:
        self.stream = stream
        self.calls: int = 0
        self.errors: int = 0
        self.busy_with: Event | None = None
        self.on_busy: Callable[[], None] | None = None
        self._callback = callback
        self._on_error = on_error
        self._live: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        self._task: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """What the callback is called in its own code."""
        return str(getattr(self._callback, "__qualname__", type(self._callback).__qualname__))

    @property
    def is_active(self) -> bool:
        """Whether the callback will be called again."""
        return self._task is not None and not self._task.done()

    def start(self, scope: TaskScope, on_end: Callable[[Listener], None]) -> None:
        """Begin, in a task of `scope`; `on_end` is called when the task has ended.

        Raises:
            ClosedError: The scope is closed.
        """
        try:
            self._task = scope.spawn(self._run(), f"listener {self.name}")
        except RuntimeError as error:
            raise ClosedError("the connection is closed") from error
        self._task.add_done_callback(lambda _: self._ended(on_end))

    async def ready(self) -> None:
        """Return when every market topic is live.

        Raises:
            ClosedError: The listener was closed before.
            DragomanError: Why its stream can't be opened; the listener has ended.
        """
        failure = await asyncio.shield(self._live)
        if failure is not None:
            raise failure

    async def aclose(self) -> None:
        """End it, cancelling a callback that is being awaited; called by that one, end after it."""
        task = self._task
        if task is None or task.done():
            return
        if task is asyncio.current_task():
            await self.stream.aclose()
            return
        task.cancel()
        await asyncio.wait([task])

    async def __aenter__(self) -> Self:
        await self.ready()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def report(self, event: Event | None, error: Exception) -> None:
        """Count a failure and tell whoever wants to know; what that raises is logged, no more."""
        self.errors += 1
        if self._on_error is None:
            self._log(event, error)
            return
        try:
            self._on_error(event, error)
        except Exception:
            _logger.exception(
                "The error report of a listener failed", extra={"listener": self.name}
            )

    async def _run(self) -> None:
        try:
            async with self.stream:
                self._live.set_result(None)
                async for event in self.stream:
                    await self._call(event)
        except Exception as error:  # noqa: BLE001 - the boundary of the listener's task; all of it is reported
            if not self._live.done():
                self._live.set_result(error)
            self.report(None, error)

    async def _call(self, event: Event) -> None:
        self.calls += 1
        try:
            result = self._callback(event)
            if result is not None and isawaitable(result):
                await self._attend(event, result)
        except Exception as error:  # noqa: BLE001 - a callback is foreign code; all of it is reported
            self.report(event, error)

    async def _attend(self, event: Event, result: Awaitable[None]) -> None:
        self.busy_with = event
        if self.on_busy is not None:
            self.on_busy()
        try:
            await result
        except asyncio.CancelledError as error:
            if self._task is None or self._task.cancelling():
                raise
            self.report(event, RuntimeError(f"the callback was cancelled from within: {error}"))
        finally:
            self.busy_with = None

    def _ended(self, on_end: Callable[[Listener], None]) -> None:
        if not self._live.done():
            self._live.set_result(ClosedError("the listener was closed before it was live"))
        on_end(self)

    def _log(self, event: Event | None, error: Exception) -> None:
        """Log the first failure, the second, the fourth and so on: all would drown the rest."""
        if self.errors & (self.errors - 1):
            return
        facts = {
            "listener": self.name,
            "event_type": None if event is None else type(event).__name__,
            "errors": self.errors,
        }
        _logger.error("A listener failed", exc_info=error, extra=facts)
