"""The subject's adapter by itself: what it says before the core has mended or merged anything."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from dragoman.models import OrderEvent, OrderEventKind, Subscription
from dragoman.tasks import TaskScope

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from dragoman.adapter import Adapter
    from dragoman.models import Event, Fill, Order, OrderRequest

    from ..play import Play

__all__ = ["Bare", "bare"]


class Bare:
    """An open adapter of the subject, and what its stream has told so far."""

    def __init__(self, play: Play, adapter: Adapter, account_id: str) -> None:
        self.adapter: Adapter = adapter
        self.account_id: str = account_id
        self.heard: list[Event] = []
        """Every event of its stream, in order."""
        self._play = play

    def request(self, **changes: object) -> OrderRequest:
        """Return the play's terms as a request that may be given to the adapter as it stands."""
        return self._play.request(account_id=self.account_id, **changes)

    def told(self, wire_id: str) -> list[OrderEvent]:
        """Return what the stream told of one order, by what the adapter calls it."""
        return [
            event
            for event in self.heard
            if isinstance(event, OrderEvent) and event.order.client_order_id == wire_id
        ]

    def fills(self) -> list[Fill]:
        """Return every fill that the stream told, in order, as often as it was told."""
        return [
            event.fill
            for event in self.heard
            if isinstance(event, OrderEvent)
            and event.kind is OrderEventKind.FILL
            and event.fill is not None
        ]

    async def look_up(self, client_order_id: str) -> Order | None:
        """Look an order up by its client order id."""
        return await self.adapter.fetch_order(
            self.account_id, client_order_id=client_order_id, symbol=self._play.symbol
        )

    async def follow(self) -> None:
        """Keep what the stream tells, until the stream ends."""
        async with self.adapter.stream(Subscription(orders=True)) as batches:
            async for batch in batches:
                self.heard += batch


@contextlib.asynccontextmanager
async def bare(play: Play, *, streams: bool = True) -> AsyncGenerator[Bare]:
    """Open an adapter of the subject on the stage, on its first account; close it afterwards."""
    stage = await play.open()
    opened = stage.make_adapter()
    scope = TaskScope()
    try:
        await opened.open()
        account_id = (await opened.fetch_accounts())[0].account_id
        found = Bare(play, opened.for_account(account_id), account_id)
        if streams:
            scope.spawn(found.follow(), "stream of the bare adapter")
            await play.settle()
        try:
            yield found
        finally:
            await scope.close()
            await found.adapter.aclose()
    finally:
        await opened.aclose()
