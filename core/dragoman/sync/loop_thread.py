"""The threads' side of a synchronous connection: asking its loop and waiting for the answer."""

from __future__ import annotations

import warnings
import weakref
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

from .call import Call
from .iteration import SyncIterator
from .service import LoopService

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine

    from dragoman.broker import Broker

__all__ = ["LoopThread", "Whole"]

Result = TypeVar("Result")
Item = TypeVar("Item")


class Whole(Enum):
    """What `close()` closes when it is given no position."""

    CONNECTION = "CONNECTION"


class LoopThread:
    """One loop in one thread for all brokers of a connection; every thread may ask it.

    Whoever needs the connection holds this. When nobody does and it was not closed, it is closed
    with a `ResourceWarning`.
    """

    def __init__(self, provider: str) -> None:
        self.service: LoopService = LoopService(provider)
        try:
            self.service.start()
        except KeyboardInterrupt:
            self.service.end()
            raise
        self._drop = weakref.finalize(self, _dropped, self.service)
        self._drop.atexit = False

    def read(self, work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        """Run what changes nothing at the venue, and return what came of it."""
        return self._ask(Call(work, self.service.provider))

    def command(self, work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        """Run what may change something at the venue.

        Raises:
            OutcomeUnknownError: The connection was closed while it was under way (UNKNOWN).
            DragomanError: As the work itself does.
        """
        return self._ask(Call(work, self.service.provider, is_command=True))

    def look(self, question: Callable[[], Result]) -> Result:
        """Ask something of an object of the loop, which may have ended."""
        self.service.check_process()
        if self.service.is_over or self.service.is_own_loop:
            return question()
        return self.read(lambda: _answered(question))

    def iterate(self, make: Callable[[], AsyncIterator[Item]]) -> SyncIterator[Item]:
        """Return the iterator that `make` returns, as one for threads."""
        return SyncIterator(self, self.read(lambda: _answered(make)))

    def connect(self, connecting: Callable[[], Awaitable[Broker]]) -> Broker:
        """Connect one more broker."""
        return self.read(lambda: self.service.connect(connecting))

    def close(self, broker: Broker) -> None:
        """End what lives by a broker, then the broker, then, after the last, the loop. Idempotent.

        In a forked process it does nothing: the connection is not that process's to close.
        """
        if self.service.is_foreign:
            return
        self.service.check_caller()
        for companion in tuple(self.service.companions):
            if companion.belongs_to(broker):
                companion.close()
        self.service.release(broker)
        if self.service.is_over:
            self._drop.detach()

    def _ask(self, call: Call[Result]) -> Result:
        self.service.check_caller()
        try:
            self.service.begin(call)
            call.wait()
        except BaseException:
            self.service.soon(call.cancel)
            raise
        self.service.hold_at_exit()
        try:
            return call.result()
        finally:
            del call  # else an error's traceback would keep the error alive


async def _answered(question: Callable[[], Result]) -> Result:
    return question()


def _dropped(service: LoopService) -> None:
    if service.is_foreign or service.is_over:
        return
    message = f"a connection to {service.provider} was dropped without close()"
    warnings.warn(message, ResourceWarning, stacklevel=2)
    service.end_soon()
