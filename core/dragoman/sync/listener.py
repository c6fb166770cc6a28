"""A callback as a reader of its own, in a thread of its own."""

from __future__ import annotations

import inspect
import logging
import threading
from typing import TYPE_CHECKING, Final

from dragoman.errors import InvalidValueError, Violation

from .gate import SLICE_S, Gate

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from dragoman.broker import Broker
    from dragoman.models import Event

    from .loop_thread import LoopThread
    from .stream import SyncEventStream

__all__ = ["SyncListener"]

_logger: Final = logging.getLogger(__name__)


class _ListenerThread(threading.Thread):
    """The kind of thread that never waits for its like: they might wait for each other."""


class SyncListener:
    """A callback that is being called, one event at a time, in a thread of its own.

    It is not the loop's thread: the callback may use the broker and take its time, which holds up
    nobody else. What it raises is logged, the first failure and then ever more rarely, and the next
    event follows. `with` waits until it is live and closes it.
    """

    def __init__(
        self,
        loop: LoopThread,
        broker: Broker,
        stream: SyncEventStream,
        callback: Callable[[Event], None],
    ) -> None:
        if inspect.iscoroutinefunction(callback):
            allowed = "a plain function: a synchronous broker awaits nothing"
            raise InvalidValueError.of("listen", [Violation.of("callback", callback, allowed)])
        self.calls: int = 0
        self.errors: int = 0
        self._loop = loop
        self._broker = broker
        self._stream = stream
        self._callback = callback
        self._failure: Exception | None = None
        self._live = Gate()
        self._is_closing = False
        self._thread = _ListenerThread(
            target=self._run, name=f"dragoman listener {self.name}", daemon=True
        )

    @property
    def name(self) -> str:
        """What the callback is called in its own code."""
        return str(getattr(self._callback, "__qualname__", type(self._callback).__qualname__))

    @property
    def is_active(self) -> bool:
        """Whether the callback will be called again."""
        return self._thread.is_alive() and not self._is_closing

    def start(self) -> Self:
        """Begin; an active listener keeps its connection open."""
        self._loop.service.companions.add(self)
        try:
            self._thread.start()
        except RuntimeError:
            self._loop.service.companions.discard(self)
            raise
        except BaseException:
            self._is_closing = True
            self._stream.close_soon()
            raise
        return self

    def ready(self) -> None:
        """Return when every market topic is live.

        Raises:
            ClosedError: The listener was closed before.
            DragomanError: Why its stream can't be opened; the listener has ended.
        """
        self._loop.service.check_caller()
        self._live.wait()
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """End it; waits for the call that is being made, unless called by a callback."""
        if self._loop.service.is_foreign:
            return
        self._is_closing = True
        self._stream.close()
        if not isinstance(threading.current_thread(), _ListenerThread):
            while self._thread.is_alive():
                self._thread.join(SLICE_S)

    def belongs_to(self, broker: Broker) -> bool:
        """Tell whether it lives by that broker."""
        return self._broker is broker

    def __enter__(self) -> Self:
        self.ready()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _run(self) -> None:
        try:
            self._read()
        except Exception as error:  # noqa: BLE001 - the boundary of the thread; all of it is reported
            self._failure = error
            if not self._is_closing:
                self._report(None, error)
        finally:
            self._live.open()
            self._loop.service.companions.discard(self)

    def _read(self) -> None:
        with self._stream:
            self._live.open()
            for event in self._stream:
                if self._is_closing:
                    return
                self._call(event)

    def _call(self, event: Event) -> None:
        self.calls += 1
        try:
            self._callback(event)
        except Exception as error:  # noqa: BLE001 - a callback is foreign code; all of it is reported
            self._report(event, error)

    def _report(self, event: Event | None, error: Exception) -> None:
        """Log the first failure, the second, the fourth and so on: not one for each event."""
        self.errors += 1
        if self.errors & (self.errors - 1):
            return
        facts = {
            "listener": self.name,
            "event_type": None if event is None else type(event).__name__,
            "errors": self.errors,
        }
        _logger.error("A listener failed", exc_info=error, extra=facts)
