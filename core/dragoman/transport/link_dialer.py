"""How a link comes by a greeted connection, and how it leaves one: whole, and in bounded time."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from dragoman.errors import DragomanError, StreamLostError
from dragoman.tasks import TaskScope

from .link_connection import LinkConnection
from .link_deadline import deadline
from .link_errors import bare, report, where
from .link_watch import beat, keep_alive

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.times import Clock

    from .base import Transport
    from .link_flow import LinkFlow
    from .link_terms import LinkTerms
    from .stream_protocol import StreamProtocol

__all__ = ["Dialer"]

Frame = TypeVar("Frame")

_logger: Final = logging.getLogger(__name__)


class Dialer(Generic[Frame]):
    """Makes the connections of one link and numbers them.

    Args:
        protocol: What to open and how to greet.
        transport: What opens it.
        clock: Bounds every step.
        terms: How long each step may take.
    """

    def __init__(
        self,
        protocol: StreamProtocol[Frame, Any],
        transport: Transport,
        clock: Clock,
        terms: LinkTerms,
    ) -> None:
        self.generation: int = 0
        self._protocol = protocol
        self._transport = transport
        self._clock = clock
        self._terms = terms
        self._open: list[LinkConnection[Frame]] = []

    async def dial(
        self, flow: LinkFlow[Frame, Any], on_greeting: Callable[[], None]
    ) -> LinkConnection[Frame]:
        """Return the next connection, greeted: every subscription is confirmed.

        Raises:
            DragomanError: It did not come about; nothing of it is left.
        """
        self.generation += 1
        try:
            async with deadline(self._clock, self._terms.attempt_within_s, "connecting"):
                return await self._greeted(flow, on_greeting)
        except DragomanError as error:
            failure = bare(error)
        except Exception as error:  # noqa: BLE001 - a mistake in an adapter is told, and tried again
            _logger.error("Greeting failed", extra={"where": where(error)})  # noqa: TRY400 - its text may print a token
            message = f"{self._protocol.name}: greeting failed by a mistake: {where(error)}"
            failure = StreamLostError(message)
        raise failure

    async def drop(self, connection: LinkConnection[Frame]) -> None:
        """Close one connection."""
        await connection.aclose()
        if connection in self._open:
            self._open.remove(connection)

    async def drop_all(self) -> None:
        """Close every connection that is still open."""
        while self._open:
            await self.drop(self._open[-1])

    async def _greeted(
        self, flow: LinkFlow[Frame, Any], on_greeting: Callable[[], None]
    ) -> LinkConnection[Frame]:
        generation = self.generation
        wire = await self._transport.open(await self._protocol.request())
        connection = LinkConnection(
            wire,
            self._protocol.make_framing(),
            flow,
            generation=generation,
            clock=self._clock,
            terms=self._terms,
            scope=TaskScope(partial(self._failed, generation)),
        )
        self._open.append(connection)
        try:
            name = self._protocol.name
            connection.start(name)
            beating = beat(connection, self._protocol, self._clock)
            connection.scope.spawn(beating, f"heartbeat {generation} of {name}")
            within_s = self._terms.attempt_within_s
            keeping = keep_alive(connection, self._protocol, self._clock, within_s)
            connection.scope.spawn(keeping, f"session {generation} of {name}")
            on_greeting()
            await self._protocol.greet(connection)
            if connection.loss is not None:
                raise connection.loss  # noqa: TRY301 - the connection is closed below
        except BaseException:
            await self.drop(connection)
            raise
        return connection

    def _failed(self, generation: int, task: str, error: BaseException) -> None:
        """Give up a connection whose watch, heartbeat or reader ended by a mistake."""
        report(task, error)
        for connection in self._open:
            if connection.generation == generation:
                connection.lose(StreamLostError(f"{task} failed by a mistake: {where(error)}"))
