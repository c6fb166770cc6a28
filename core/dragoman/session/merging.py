"""Taking a comparison in: what the venue showed, merged with what is known and what was streamed.

Nothing is concluded from absence: an order that is not shown is no dead order, and a position that
no fill explains is looked at twice before anybody hears of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.models.enums import AlarmKind, EventSource
from dragoman.models.events import AccountEvent, PositionEvent, PrivateEvent
from dragoman.orders.restore import recall_fill, recall_order
from dragoman.times import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from decimal import Decimal

    from dragoman.models import Order, Position
    from dragoman.orders.blotter import Blotter
    from dragoman.orders.reconcile import Comparison, Reconciler
    from dragoman.orders.state import BrokerState

__all__ = ["Merging"]

_SHOWN: Final = (PositionEvent, AccountEvent)
_AT_A_TIME: Final = 256
_SECOND_LOOK_NS: Final = SECOND_NS
_LATENESS_NS: Final = 5 * SECOND_NS
_MOST_HELD: Final = 100_000


class Merging:
    """Merges comparisons into one account's state.

    Args:
        blotter: The account's orders.
        state: The account's view.
        reconciler: Reads the venue.
        take: Takes in one streamed private event.
        alarm: Tells a human: kind, cause, symbol.
        doubt: Has the account compared again soon, for a cause.
    """

    def __init__(
        self,
        blotter: Blotter,
        state: BrokerState,
        reconciler: Reconciler,
        *,
        take: Callable[[PrivateEvent], None],
        alarm: Callable[[AlarmKind, str, str], None],
        doubt: Callable[[str], None],
    ) -> None:
        self._blotter = blotter
        self._state = state
        self._reconciler = reconciler
        self._take = take
        self._alarm = alarm
        self._doubt = doubt
        self._has_snapshot = False
        self._suspected: dict[str, tuple[Decimal, int]] = {}
        self._held: list[PrivateEvent] | None = None
        self._meanwhile: list[PrivateEvent] | None = None

    def hold(self, event: PrivateEvent) -> bool:
        """Keep a streamed event back until the snapshot is taken in; returns whether it is kept."""
        if self._held is None:
            return False
        self._held.append(event)
        if len(self._held) >= _MOST_HELD:
            self._release()
        return True

    def note(self, numbered: Sequence[PrivateEvent]) -> None:
        """Remember what was told while the venue is being read: it outweighs the snapshot."""
        if self._meanwhile is not None:
            self._meanwhile += [one for one in numbered if isinstance(one, _SHOWN)]

    async def compare(self, is_blind: bool) -> None:  # noqa: FBT001 - called by position, as work
        """Compare and take in what is found: fills first, as they happened.

        While blind, what is streamed meanwhile waits and follows in its order.

        Raises:
            DragomanError: Something could not be read; what was streamed is told all the same.
        """
        self._meanwhile = []
        if is_blind and self._held is None:
            self._held = []
        try:
            found = await self._reconciler.compare()
            await self._take_orders(found)
            if is_blind and self._disputed(found):
                await self._blotter.adapter.context.clock.sleep_ns(_SECOND_LOOK_NS)
                found = await self._reconciler.compare_positions(found)
                self._take_fills(found)
            self._take_positions(found, is_confirmed=is_blind)
            self._reconciler.taken_in(found)
            if self._reconciler.proved_ns is not None:
                self._blotter.journal.prove(self._reconciler.proved_ns)
            self._has_snapshot = True
        finally:
            self._meanwhile = None
            self._release()

    def _release(self) -> None:
        held, self._held = self._held or (), None
        for event in held:
            self._take(event)

    async def _take_orders(self, found: Comparison) -> None:
        await self._answer(found.strangers)
        self._take_fills(found)
        await self._answer(found.orders)

    async def _answer(self, orders: Sequence[Order]) -> None:
        """Take in orders, many with one commit, and let others have their turn now and then."""
        clock = self._blotter.adapter.context.clock
        for start in range(0, len(orders), _AT_A_TIME):
            self._answer_some(orders[start : start + _AT_A_TIME])
            if len(orders) > start + _AT_A_TIME:
                await clock.sleep_ns(0)

    def _answer_some(self, orders: Sequence[Order]) -> None:
        blotter, tracker = self._blotter, self._blotter.tracker
        now_ns, events = blotter.now_ns, list[PrivateEvent]()
        for order in orders:
            recall_order(blotter.journal, tracker, order)
        blotter.risen(orders)
        for order in orders:
            events += tracker.answer(order, EventSource.RECONCILED, now_ns)
        blotter.tell(events)
        for order in orders:
            blotter.watch.wake(tracker.name_of(order))

    def _take_fills(self, found: Comparison) -> None:
        now_ns = self._blotter.now_ns
        for fill in found.fills:
            recall_fill(self._blotter.journal, self._blotter.tracker, fill)
            self._blotter.tell(self._blotter.tracker.execute(fill, EventSource.RECONCILED, now_ns))

    def _disputed(self, found: Comparison) -> dict[str, Decimal]:
        return self._state.disputed(found.positions) if self._has_snapshot else {}

    def _take_positions(self, found: Comparison, *, is_confirmed: bool) -> None:
        """Take in positions, except those that no fill explains and that may only be late."""
        disputed = self._disputed(found)
        unsure: set[str] = set() if is_confirmed else self._suspect(disputed)
        if unsure:
            self._doubt(f"no fill explains the position in {', '.join(sorted(unsure))}")
        for symbol in sorted(disputed.keys() - unsure):
            cause = f"the venue's position differs by {disputed[symbol]} from the fills seen"
            self._alarm(AlarmKind.POSITION_MISMATCH, cause, symbol)
        sure = [one for one in found.positions if one.symbol not in unsure]
        sure += [one for one in self._state.positions if one.symbol in unsure]
        streamed = tuple(self._meanwhile or ())
        if self._has_snapshot:
            self._tell_moves(sure, streamed)
        self._state.reset(found.account, sure, unsure, self._blotter.now_ns)
        for event in streamed:
            self._state.take(event)

    def _suspect(self, disputed: Mapping[str, Decimal]) -> set[str]:
        """Return the symbols whose difference has not stayed the same for long enough yet."""
        now_ns = self._blotter.adapter.context.clock.monotonic_ns()
        suspected: dict[str, tuple[Decimal, int]] = {}
        for symbol, drift in disputed.items():
            before, since_ns = self._suspected.get(symbol, (None, now_ns))
            suspected[symbol] = (drift, since_ns if before == drift else now_ns)
        self._suspected = suspected
        return {
            symbol
            for symbol, (_, since_ns) in suspected.items()
            if now_ns - since_ns < _LATENESS_NS
        }

    def _tell_moves(self, positions: list[Position], streamed: Sequence[PrivateEvent]) -> None:
        newer = {one.position.position_id for one in streamed if isinstance(one, PositionEvent)}
        account_id, now_ns = self._blotter.account_id, self._blotter.now_ns
        moves = [
            PositionEvent(
                position=position,
                previous_quantity=previous,
                account_id=account_id,
                received_at_ns=now_ns,
                source=EventSource.RECONCILED,
                venue_time_ns=position.updated_at_ns,
            )
            for position, previous in self._state.moved(positions)
            if position.position_id not in newer
        ]
        self._blotter.tell(moves)
