"""Comparing what is believed with what the venue shows.

Open orders, what became of those gone, fills missed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from dragoman.models import Account, Fill, Order, Position
from dragoman.models.values import Window
from dragoman.times import MINUTE_NS

from .seen import SeenIds

if TYPE_CHECKING:
    from dragoman.adapter import Adapter
    from dragoman.models import OrderEvent, PrivateEvent

    from .tracker import OrderTracker

__all__ = ["Comparison", "Reconciler"]

_OVERLAP_NS: Final = 5 * MINUTE_NS


@attrs.frozen(kw_only=True)
class Comparison:
    """What the venue shows at one moment.

    `strangers` are the orders of fills that belong to none tracked: placed and ended elsewhere
    while nobody listened.
    """

    account: Account
    positions: tuple[Position, ...]
    orders: tuple[Order, ...]
    fills: tuple[Fill, ...]
    strangers: tuple[Order, ...]


class Reconciler:
    """Reads the venue's side of one account and remembers how far the stream had come."""

    def __init__(self, adapter: Adapter, account_id: str, tracker: OrderTracker) -> None:
        self._adapter = adapter
        self._account_id = account_id
        self._tracker = tracker
        self._seen = SeenIds()
        self._connected_ns: int | None = None
        self._latest_ns: int | None = None

    def seen(self, event: OrderEvent) -> None:
        """Note how far the stream has come."""
        if event.venue_time_ns is not None:
            self._latest_ns = max(self._latest_ns or 0, event.venue_time_ns)

    def is_news(self, event: PrivateEvent) -> bool:
        """Tell whether an event that is not an order's was not told before."""
        return self._seen.add(event.event_id)

    async def compare(self) -> Comparison:
        """Read open orders, those gone, the fills since last heard, account and positions.

        Positions come last, so that every fill read is in them.
        """
        adapter, account_id = self._adapter, self._account_id
        believed = self._tracker.open_orders()
        shown = await adapter.fetch_open_orders(account_id)
        fills = await self._fills()
        return Comparison(
            orders=(*shown, *await self._gone(believed, shown)),
            fills=fills,
            strangers=await self._strangers(fills, shown),
            account=await adapter.fetch_account(account_id),
            positions=await adapter.fetch_positions(account_id),
        )

    async def _gone(
        self, believed: tuple[Order, ...], shown: tuple[Order, ...]
    ) -> tuple[Order, ...]:
        """Look up each order believed open that is not among those shown.

        What is not visible stays as it is.
        """
        ids = {self._tracker.name_of(order) for order in shown}
        found = [
            await self._adapter.fetch_order(
                self._account_id,
                client_order_id=order.client_order_id,
                venue_order_id=order.venue_order_id,
                symbol=order.symbol,
            )
            for order in believed
            if order.client_order_id not in ids
        ]
        return tuple(order for order in found if order is not None)

    async def _strangers(
        self, fills: tuple[Fill, ...], shown: tuple[Order, ...]
    ) -> tuple[Order, ...]:
        shown_ids = {venue_id for order in shown for venue_id in order.venue_order_ids}
        unknown = {
            (fill.venue_order_id, fill.symbol): fill.client_order_id
            for fill in fills
            if self._tracker.name_of_fill(fill) is None and fill.venue_order_id not in shown_ids
        }
        found = [
            await self._adapter.fetch_order(
                self._account_id,
                client_order_id=client_order_id,
                venue_order_id=venue_order_id,
                symbol=symbol,
            )
            for (venue_order_id, symbol), client_order_id in unknown.items()
        ]
        return tuple(order for order in found if order is not None)

    async def _fills(self) -> tuple[Fill, ...]:
        if self._connected_ns is None:
            self._connected_ns = self._adapter.context.clock.now_ns()
            return ()
        start_ns = (self._latest_ns or self._connected_ns) - _OVERLAP_NS
        window = Window(start_ns=start_ns)
        return tuple([fill async for fill in self._adapter.fetch_fills(self._account_id, window)])
