"""What the venue shows of many orders at once: the second opinion on those that a look missed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.capabilities import ReadFeature
from dragoman.models.enums import EventSource
from dragoman.models.order import Order
from dragoman.models.values import Window
from dragoman.times import MINUTE_NS

from .checks import other_terms

if TYPE_CHECKING:
    from collections.abc import Callable

    from .blotter import Blotter

__all__ = ["SecondSource"]

_MARGIN_NS: Final = MINUTE_NS


@attrs.frozen
class _Picture:
    """All the venue showed in one read begun at `begun_ns` (monotonic), since `since_ns` (wall)."""

    begun_ns: int
    since_ns: int
    orders: tuple[Order, ...]


class SecondSource:
    """Open orders and, where the venue keeps it, the history: read once for all who ask.

    Args:
        blotter: The account's orders.
        is_sought: Tells whether an order, by its id here, is looked for.
    """

    def __init__(self, blotter: Blotter, is_sought: Callable[[str], bool]) -> None:
        self._blotter = blotter
        self._is_sought = is_sought
        self._tracker = blotter.tracker
        self._clock = blotter.adapter.context.clock
        capabilities = blotter.adapter.capabilities
        self._has_names = capabilities.client_ids.can_look_up
        self.is_complete: bool = ReadFeature.ORDER_HISTORY in capabilities.reads
        """Whether orders that ended are shown as well."""
        self._reading = asyncio.Lock()
        self._picture: _Picture | None = None

    @property
    def begun_ns(self) -> int:
        """When the newest picture was begun (monotonic); 0 before the first."""
        return 0 if self._picture is None else self._picture.begun_ns

    async def shows(self, client_order_id: str, begun_ns: int, sent_at_ns: int) -> bool:
        """Tell whether the venue shows an order, or one that may be it.

        What is shown of any order of unknown fate is taken in.

        Args:
            client_order_id: The order.
            begun_ns: The monotonic time since which the reads must have begun to count.
            sent_at_ns: When it, or an earlier one that is looked for as well, was sent (wall).

        Raises:
            DragomanError: The venue could not be read, which proves nothing.
        """
        picture = await self._since(begun_ns, sent_at_ns - _MARGIN_NS)
        if not self._is_sought(client_order_id):
            return True
        return self._may_be_there(client_order_id, picture)

    def _may_be_there(self, client_order_id: str, picture: _Picture) -> bool:
        """Tell whether an order nobody here sent has the same terms; it may be the one.

        Where orders have names, that can only be one of a list: a venue may name those itself.
        """
        asked = self._blotter.journal.intent(client_order_id)
        if asked is None:
            return not self._has_names
        strangers = [one for one in picture.orders if not self._is_own(one)]
        if self._has_names:
            strangers = [one for one in strangers if self._may_be_of_a_list(one)]
        return any(not other_terms(asked, one) for one in strangers)

    def _may_be_of_a_list(self, order: Order) -> bool:
        """Tell whether an order is a leg that its parent's own exits do not explain."""
        parent = self._blotter.journal.intent(order.parent_client_order_id or "")
        return parent is not None and parent.stop_loss is None and parent.take_profit is None

    def _is_own(self, order: Order) -> bool:
        return self._blotter.journal.intent(self._tracker.name_of(order)) is not None

    async def _since(self, begun_ns: int, since_ns: int) -> _Picture:
        """Return a picture begun late enough that goes back far enough; readers share one."""
        async with self._reading:
            found = self._picture
            if found is None or found.begun_ns < begun_ns or found.since_ns > since_ns:
                found = self._picture = await self._read(since_ns)
                self._take_in(found)
        return found

    async def _read(self, since_ns: int) -> _Picture:
        adapter, account_id = self._blotter.adapter, self._blotter.account_id
        begun_ns = self._clock.monotonic_ns()
        orders = list(await adapter.fetch_open_orders(account_id))
        if self.is_complete:
            window = Window(start_ns=since_ns)
            orders += [one async for one in adapter.fetch_orders(account_id, window)]
        return _Picture(begun_ns, since_ns, tuple(orders))

    def _take_in(self, picture: _Picture) -> None:
        for order in picture.orders:
            name = self._tracker.name_of(order)
            if self._is_sought(name):
                self._blotter.answer(order, EventSource.RECONCILED)
