"""What happens to one account, numbered once and told to every client that listens."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from dragoman.errors import LifecycleError
from dragoman.models import AccountEvent, OrderEvent, PositionEvent
from dragoman.transport.codec import encode

from .rows import private_frame

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.models import Event

    from .desk import Desk

__all__ = ["Feed"]

_BUFFER = 100_000


class Feed:
    """The numbered frames of one account, from when it is started.

    Args:
        desk: Whose account.
    """

    def __init__(self, desk: Desk) -> None:
        self.last: int = 0
        """The number of the newest frame."""
        self.is_open: bool = False
        """Whether frames come: not over a connection that only reads."""
        self._desk = desk
        self._listeners: set[Callable[[str], object]] = set()
        self._begun = asyncio.Event()

    async def start(self) -> None:
        """Begin to number; returns once nothing that happens goes unnoticed."""
        name = f"wharf feed of {self._desk.broker.account_id}"
        self._desk.host.scope.spawn(self._run(), name)
        await self._begun.wait()

    def listen(self, listener: Callable[[str], object]) -> Callable[[], None]:
        """Call `listener` with each frame from now on; returns what ends that."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    async def _run(self) -> None:
        stream = self._desk.broker.stream
        try:
            async with stream(buffer=_BUFFER, orders=True, positions=True, account=True) as events:
                self.is_open = True
                self._begun.set()
                async for event in events:
                    self._tell(event)
        except LifecycleError:
            pass  # it only reads, or is closed
        finally:
            self.is_open = False
            self._begun.set()

    def _tell(self, event: Event) -> None:
        if not isinstance(event, (OrderEvent, PositionEvent, AccountEvent)):
            return
        frame = private_frame(event, self._desk.id_of)
        if frame is None:
            return
        self.last += 1
        text = encode({**frame, "seq": self.last}).decode()
        for listener in tuple(self._listeners):
            listener(text)
