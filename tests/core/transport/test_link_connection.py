"""One connection of a link, on its own."""

import asyncio
import contextlib

from tests.core.transport.stream_doubles import JumpyClock, ScriptedVenue, ScriptedWire

from dragoman.tasks import TaskScope
from dragoman.transport.link_connection import LinkConnection
from dragoman.transport.link_terms import LinkTerms
from dragoman.transport.stream_protocol import MessageFraming


class Nobody:
    """The flow to a reader that there is none of."""

    def lost(self):
        pass


async def test_a_task_that_takes_its_time_does_not_keep_the_wire_open():
    clock, scope, may_end = JumpyClock(), TaskScope(), asyncio.Event()
    wire, terms = ScriptedWire(ScriptedVenue()), LinkTerms(close_within_s=2.0)
    connection = LinkConnection(
        wire, MessageFraming(), Nobody(), generation=1, clock=clock, terms=terms, scope=scope
    )

    async def stubborn():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await may_end.wait()

    scope.spawn(stubborn(), "stubborn")
    await clock.settle()
    closing = asyncio.create_task(connection.aclose())
    await clock.settle()
    await clock.advance(seconds=2.5)
    may_end.set()
    await closing

    assert wire.is_closed
