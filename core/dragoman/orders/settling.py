"""Finding out what became of a cancel or a replace whose answer was lost.

For as long as somebody waits, the order is looked up: what the venue shows of it proves more than
no answer. A cancel may be asked again, but only of an order that was seen to live on: to cancel
twice ends in the same as once. Nothing else is ever sent twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.errors import DragomanError, OrderRejectedError, RejectReason
from dragoman.models.enums import EventSource
from dragoman.models.order import Order
from dragoman.times import SECOND_NS

from .sendings import is_definite

if TYPE_CHECKING:
    from .blotter import Blotter

__all__ = ["Command", "Exchange", "Settler"]

_GAP_NS: Final = SECOND_NS // 2
_LONGEST_NS: Final = 5 * SECOND_NS
_READ_S: Final = 10.0


@attrs.define(eq=False)
class Exchange:
    """One command on its way: answered, failed, or neither yet."""

    is_answered: bool = False
    failure: DragomanError | None = None
    is_settling: bool = False
    task: asyncio.Task[None] | None = None

    @property
    def is_settled(self) -> bool:
        """Whether its fate is known."""
        return self.is_answered or (self.failure is not None and is_definite(self.failure))

    def leave(self) -> None:
        """Note that nobody waits any more; what is on its way goes on, looks do not."""
        if self.is_settling and self.task is not None:
            self.task.cancel()


@attrs.frozen(kw_only=True)
class Command:
    """A command on one order: how to send it, and what in the order proves it was taken.

    `revision` is the one that the order has if the command is taken, or as before. `send` takes in
    the answer, and sends nothing to what is dead. Once `has_ended`, no refusal matters any more.
    """

    verb: str
    client_order_id: str
    revision: int
    send: Callable[[], Awaitable[None]]
    is_proved: Callable[[Order], bool]
    is_repeatable: bool = False
    has_ended: Callable[[], bool] | None = None


class Settler:
    """Looks up the orders of one account whose commands got no answer."""

    def __init__(self, blotter: Blotter) -> None:
        self._blotter = blotter
        self._adapter = blotter.adapter
        capabilities = blotter.adapter.capabilities
        self._delay_ns = round(capabilities.client_ids.visibility_delay_s * SECOND_NS)
        self._keeps_venue_id = capabilities.replace.keeps_venue_id

    async def settle(self, command: Command, exchange: Exchange) -> None:
        """Look until it is proved what became of a command; it ends when nobody waits."""
        name, unchanged = command.client_order_id, 0
        gap_ns = max(self._delay_ns, _GAP_NS)
        await self._sleep(self._delay_ns)
        while not exchange.is_settled:
            if await self._is_unchanged(command):
                unchanged += 1
                if command.is_repeatable:
                    await self._repeat(command, exchange)
                elif unchanged >= 2:
                    exchange.failure = self._never_arrived(command)
            exchange.is_answered |= command.is_proved(self._blotter.order(name))
            self._blotter.watch.wake(name)
            if not exchange.is_settled:
                await self._sleep(gap_ns)
                gap_ns = min(2 * gap_ns, _LONGEST_NS)

    async def _sleep(self, duration_ns: int) -> None:
        context = self._adapter.context
        spread = 1 + context.random.random() / 4
        await context.clock.sleep_ns(round(duration_ns * spread))

    async def _is_unchanged(self, command: Command) -> bool:
        """Look, and tell whether the order lives on as if the command had never been given."""
        try:
            async with asyncio.timeout(_READ_S):
                seen = await self._look(command)
        except (TimeoutError, DragomanError):
            return False
        if seen is None or command.is_proved(seen):
            return False
        is_same = command.is_repeatable or seen.revision < command.revision
        return is_same and seen.is_open and seen.pending is None

    async def _look(self, command: Command) -> Order | None:
        """Look the order up by its present id and, after a replace, by the one it may have now."""
        name = command.client_order_id
        seen = await self._blotter.look_up(self._blotter.order(name))
        if command.is_repeatable or self._keeps_venue_id:
            return seen
        renamed = await self._adapter.fetch_order(
            self._blotter.account_id,
            client_order_id=self._adapter.wire_client_id(name, command.revision),
            symbol=self._blotter.order(name).symbol,
        )
        if renamed is None or self._blotter.tracker.name_of(renamed) != name:
            return seen
        return self._blotter.answer(renamed, EventSource.RECONCILED)

    async def _repeat(self, command: Command, exchange: Exchange) -> None:
        try:
            await command.send()
            exchange.is_answered = True
        except DragomanError as error:
            exchange.failure = error

    def _never_arrived(self, command: Command) -> OrderRejectedError:
        name, provider = command.client_order_id, self._blotter.provider
        return OrderRejectedError(
            f"the {command.verb} of {name} never arrived: {provider} shows the order unchanged",
            reason=RejectReason.NEVER_ARRIVED,
            client_order_id=name,
            provider=provider,
        )
