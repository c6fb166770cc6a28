"""Comparing what is believed with what the venue shows.

Open orders, what became of those gone, fills missed.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, TypeVar

import attrs

from dragoman.capabilities import ReadFeature
from dragoman.errors import DragomanError, UnsupportedError
from dragoman.models import Account, Fill, Order, Position
from dragoman.models.values import Window
from dragoman.times import HOUR_NS, MINUTE_NS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence

    from dragoman.adapter import Adapter

    from .tracker import OrderTracker

__all__ = ["Comparison", "Reconciler"]

_OVERLAP_NS: Final = 5 * MINUTE_NS
_FIRST_SPAN_NS: Final = 26 * HOUR_NS
_AT_ONCE: Final = 8
_MANY: Final = 50

Subject = TypeVar("Subject")
Found = TypeVar("Found")


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
    """Reads the venue's side of one account and remembers up to when its fills are proved known.

    Fills before the first comparison are history, not news, unless an earlier process left word of
    how far it had come.

    Args:
        adapter: Bound to the account.
        account_id: The account.
        tracker: What is believed.
        unresolved: Returns the orders that somebody else looks for already.
    """

    def __init__(
        self,
        adapter: Adapter,
        account_id: str,
        tracker: OrderTracker,
        unresolved: Callable[[], Collection[str]] = tuple,
    ) -> None:
        self._adapter = adapter
        self._account_id = account_id
        self._tracker = tracker
        self._unresolved = unresolved
        self._history: set[tuple[str, str]] | None = None
        self._proved_ns: int | None = None
        self._seen_ns: int | None = None
        self._reached_ns: int | None = None

    def seen(self, venue_time_ns: int | None) -> None:
        """Note how far the stream has come; what it lost on the way shows in a comparison only."""
        self._seen_ns = _later(self._seen_ns, venue_time_ns)

    @property
    def proved_ns(self) -> int | None:
        """Up to which venue time all fills are known; None before the first proof."""
        return self._proved_ns

    def proved(self, venue_time_ns: int | None) -> None:
        """Note that all fills up to that venue time are known."""
        self._proved_ns = _later(self._proved_ns, venue_time_ns)

    async def compare(self) -> Comparison:
        """Read open orders, those gone, the fills since last proved, account and positions.

        Positions come last, so that every fill read is in them. An order that is not shown is
        looked up; one that can't be found stays as it is.

        Raises:
            DragomanError: Something could not be read, so nothing is proved.
        """
        adapter, account_id = self._adapter, self._account_id
        self._reached_ns = self._seen_ns
        believed = self._tracker.open_orders()
        shown = await adapter.fetch_open_orders(account_id)
        gone = await self._gone(believed, shown)
        for order in (*shown, *gone):
            self._tracker.learn(order)
        fills = await self._fills()
        return Comparison(
            orders=(*shown, *gone),
            fills=fills,
            strangers=await self._strangers(fills, shown),
            account=await adapter.fetch_account(account_id),
            positions=await adapter.fetch_positions(account_id),
        )

    async def compare_positions(self, before: Comparison) -> Comparison:
        """Read fills and positions once more, to see whether they still disagree."""
        fills = await self._fills()
        return attrs.evolve(
            before,
            fills=fills,
            positions=await self._adapter.fetch_positions(self._account_id),
        )

    def taken_in(self, found: Comparison) -> None:
        """Note that a comparison was taken in whole."""
        self.proved(self._reached_ns)
        for fill in found.fills:
            self.proved(fill.venue_time_ns)

    async def _gone(
        self, believed: tuple[Order, ...], shown: tuple[Order, ...]
    ) -> tuple[Order, ...]:
        """Look up each order believed open that is not among those shown."""
        ids = {self._tracker.name_of(order) for order in shown}
        ids.update(self._unresolved())
        missing = {
            order.client_order_id: order for order in believed if order.client_order_id not in ids
        }
        ended = await self._ended(missing.values()) if len(missing) > _MANY else {}
        rest = [order for name, order in missing.items() if name not in ended]
        return (*ended.values(), *await _side_by_side(self._look_up, rest))

    async def _ended(self, missing: Iterable[Order]) -> dict[str, Order]:
        """Find many orders by one paged read, where the venue keeps a history of them."""
        if ReadFeature.ORDER_HISTORY not in self._adapter.capabilities.reads:
            return {}
        by_name = {order.client_order_id: order for order in missing}
        starts = [order.created_at_ns or order.received_at_ns for order in by_name.values()]
        window = Window(start_ns=min(starts) - _OVERLAP_NS)
        found: dict[str, Order] = {}
        async for order in self._adapter.fetch_orders(self._account_id, window):
            name = self._tracker.name_of(order)
            if name in by_name:
                found[name] = order
        return found

    async def _look_up(self, order: Order) -> Order | None:
        return await self._adapter.fetch_order(
            self._account_id,
            client_order_id=self._tracker.legs.newest_id(order.client_order_id),
            venue_order_id=order.venue_order_id,
            symbol=order.symbol,
        )

    async def _strangers(
        self, fills: tuple[Fill, ...], shown: tuple[Order, ...]
    ) -> tuple[Order, ...]:
        shown_ids = {venue_id for order in shown for venue_id in order.venue_order_ids}
        unknown = {
            (fill.venue_order_id, fill.symbol): fill
            for fill in fills
            if self._tracker.name_of_fill(fill) is None and fill.venue_order_id not in shown_ids
        }
        return await _side_by_side(self._order_of, list(unknown.values()))

    async def _order_of(self, fill: Fill) -> Order | None:
        return await self._adapter.fetch_order(
            self._account_id,
            client_order_id=fill.client_order_id,
            venue_order_id=fill.venue_order_id,
            symbol=fill.symbol,
        )

    async def _fills(self) -> tuple[Fill, ...]:
        """Read the fills since the last proof, by the venue's time: this machine's may be wrong.

        Not from later than now, though: one wrong time must not hide all that comes after it.
        Before anything is proved that is a day and more, and what the first reading shows of orders
        that are not tracked is history.
        """
        start_ns = self._proved_ns
        is_first = start_ns is None and self._history is None
        now_ns = self._adapter.context.clock.now_ns()
        start_ns = now_ns - _FIRST_SPAN_NS if start_ns is None else min(start_ns, now_ns)
        window = Window(start_ns=start_ns - _OVERLAP_NS)
        try:
            fills = self._adapter.fetch_fills(self._account_id, window)
            shown = tuple([fill async for fill in fills])
        except UnsupportedError:
            return ()
        if is_first:
            self._history = {
                (fill.symbol, fill.fill_id)
                for fill in shown
                if self._tracker.name_of_fill(fill) is None
            }
            self._reached_ns = max((fill.venue_time_ns for fill in shown), default=None)
        known = self._history or ()
        return tuple(fill for fill in shown if (fill.symbol, fill.fill_id) not in known)


def _later(one: int | None, other: int | None) -> int | None:
    return max((ns for ns in (one, other) if ns is not None), default=None)


async def _side_by_side(
    work: Callable[[Subject], Awaitable[Found | None]], subjects: Sequence[Subject]
) -> tuple[Found, ...]:
    """Do the same work for many, few at once; returns what was found, in their order."""
    found: dict[int, Found] = {}
    waiting = iter(enumerate(subjects))

    async def take_turns() -> None:
        for index, subject in waiting:
            one = await work(subject)
            if one is not None:
                found[index] = one

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(_AT_ONCE, len(subjects))):
                group.create_task(take_turns())
    except BaseExceptionGroup as failures:
        raise _first_of(failures) from None
    return tuple([found[index] for index in sorted(found)])


def _first_of(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the failure to go by: a bug, if there is one, outweighs what a venue may say."""
    every = failures.exceptions
    return next((one for one in every if not isinstance(one, DragomanError)), every[0])
