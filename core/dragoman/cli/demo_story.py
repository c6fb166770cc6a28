"""The story that `dragoman demo` tells: a bracket order's whole life at a market of its own.

The story drives the venue's clock itself, frame by frame, so the same seed tells the same story on
any machine, however slow; only the pause between frames is real.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, Protocol

import attrs

from dragoman.models import (
    AccountEvent,
    Exit,
    Offset,
    OrderEvent,
    OrderRequest,
    PositionEvent,
    Quote,
    Side,
)
from dragoman.money import ZERO, subtract, total
from dragoman.times import MILLISECOND_NS, SECOND_NS

if TYPE_CHECKING:
    from dragoman.broker import Broker
    from dragoman.models import Account, Event, Fill, Order, Position
    from dragoman.times import Clock, ManualClock

__all__ = ["Reconciliation", "Stage", "Story", "take_down"]

_WATCHED: Final = ("AAPL", "MSFT", "EUR/USD", "BTC/USD", "MES")
_TRADED: Final = "MES"
_QUANTITY: Final = 5
_STOP_TICKS: Final = 12
_TARGET_TICKS: Final = 14
_ENTRY_ID: Final = "demo"

_FRAME_NS: Final = 100 * MILLISECOND_NS
_VENUE_SECONDS_A_FRAME: Final = 3
_OPENING_FRAMES: Final = 15
_LONGEST_FRAMES: Final = 110
_CLOSING_FRAMES: Final = 6
_LONGEST_NS: Final = 14 * SECOND_NS


class Stage(Protocol):
    """Where the story is shown."""

    def say(self, text: str) -> None:
        """Say what happens next."""
        ...

    def quote(self, quote: Quote) -> None:
        """Show a quote."""
        ...

    def account(self, account: Account) -> None:
        """Show the account."""
        ...

    def position(self, position: Position) -> None:
        """Show the position; its quantity is 0 once it is closed."""
        ...

    def order(self, event: OrderEvent) -> None:
        """Show what happened to an order."""
        ...

    def frame(self, now_ns: int) -> None:
        """Draw everything as it is now."""
        ...


@attrs.frozen(kw_only=True)
class Reconciliation:
    """What the venue says at the end, against what the fills add up to."""

    currency: str
    cash_before: Decimal
    cash_after: Decimal
    realized_pnl: Decimal
    commission: Decimal
    open_positions: int
    open_orders: int

    @property
    def cash_change(self) -> Decimal:
        """By how much the cash changed."""
        return subtract(self.cash_after, self.cash_before)

    @property
    def is_reconciled(self) -> bool:
        """Whether all is closed and the cash is explained to the last digit."""
        explained = subtract(self.realized_pnl, self.commission)
        is_flat = not self.open_positions and not self.open_orders
        return is_flat and self.cash_change == explained


class Story:
    """One telling.

    Args:
        broker: A broker at a fresh venue.
        venue_clock: The venue's clock, which nobody else moves.
        clock: The real one, for the pauses.
        stage: Where it is shown.
        is_paced: Whether there are pauses.
    """

    def __init__(
        self,
        broker: Broker,
        venue_clock: ManualClock,
        clock: Clock,
        stage: Stage,
        *,
        is_paced: bool = True,
    ) -> None:
        self._broker = broker
        self._venue_clock = venue_clock
        self._clock = clock
        self._stage = stage
        self._is_paced = is_paced
        self._start_ns = clock.monotonic_ns()
        self._frames = 0
        self.fills: list[Fill] = []

    async def tell(self) -> Reconciliation:
        """Tell the story from beginning to end; returns what is left when it is over."""
        symbols = [(await self._broker.instrument(name)).symbol for name in _WATCHED]
        before = await self._broker.fetch_account()
        self._stage.account(before)
        listener = self._broker.listen(
            self._take, quotes=symbols, orders=True, positions=True, account=True
        )
        async with listener:
            self._stage.say("The market opens. Quotes tick; the account is flat.")
            await self._pass(_OPENING_FRAMES)
            entry = await self._enter()
            if not await self._until_closed(entry):
                self._stage.say("Neither leg was hit in time: closing at the market.")
                await take_down(self._broker, self._venue_clock)
            await self._pass(_CLOSING_FRAMES)
        return await self._reconcile(before)

    async def _enter(self) -> Order:
        name = (await self._broker.instrument(_TRADED)).name or _TRADED
        self._stage.say(
            f"A bracket order: buy {_QUANTITY} {_TRADED} ({name}) at the market, "
            f"stop loss {_STOP_TICKS} ticks below, take profit {_TARGET_TICKS} ticks above."
        )
        request = OrderRequest.bracket(
            _TRADED,
            Side.BUY,
            _QUANTITY,
            stop_loss=Exit(offset=Offset.ticks(_STOP_TICKS)),
            take_profit=Exit(offset=Offset.ticks(_TARGET_TICKS)),
            client_order_id=_ENTRY_ID,
        )
        return await self._broker.submit(request)

    async def _until_closed(self, entry: Order) -> bool:
        """Let time pass until a leg has closed the position; False when there is no more time."""
        has_filled = False
        for _ in range(_LONGEST_FRAMES):
            if self._elapsed_ns() > _LONGEST_NS:
                break
            await self._pass(1)
            now = self._broker.state.order(entry.client_order_id)
            if now is not None and now.is_terminal and not has_filled:
                has_filled = True
                self._stage.say(
                    "Filled. Both legs work now; whichever fills first cancels the other."
                )
            if has_filled and not self._broker.state.positions and not self._is_working():
                leg = self._leg_that_filled()
                self._stage.say(f"The {leg} closed the position, and the other leg was canceled.")
                return True
        return False

    def _is_working(self) -> bool:
        return bool(self._broker.state.open_orders)

    def _leg_that_filled(self) -> str:
        is_stop = bool(self.fills) and self.fills[-1].client_order_id.endswith("-sl")
        return "stop loss" if is_stop else "take profit"

    async def _pass(self, frames: int) -> None:
        for _ in range(frames):
            self._frames += 1
            await self._venue_clock.advance(seconds=_VENUE_SECONDS_A_FRAME)
            self._stage.frame(self._venue_clock.now_ns())
            if self._is_paced:
                ahead_ns = self._frames * _FRAME_NS - self._elapsed_ns()
                await self._clock.sleep_until_ns(self._clock.now_ns() + max(0, ahead_ns))

    def _elapsed_ns(self) -> int:
        return self._clock.monotonic_ns() - self._start_ns

    def _take(self, event: Event) -> None:
        match event:
            case Quote():
                self._stage.quote(event)
            case OrderEvent():
                if event.fill is not None:
                    self.fills.append(event.fill)
                self._stage.order(event)
            case PositionEvent():
                self._stage.position(event.position)
            case AccountEvent():
                self._stage.account(event.account)
            case _:
                pass

    async def _reconcile(self, before: Account) -> Reconciliation:
        after = await self._broker.fetch_account()
        profits = [fill.realized_pnl.amount for fill in self.fills if fill.realized_pnl]
        commissions = [fill.commission.amount for fill in self.fills if fill.commission]
        return Reconciliation(
            currency=after.currency or "",
            cash_before=before.cash or ZERO,
            cash_after=after.cash or ZERO,
            realized_pnl=total(profits),
            commission=total(commissions),
            open_positions=len(await self._broker.fetch_positions()),
            open_orders=len(await self._broker.fetch_open_orders()),
        )


async def take_down(broker: Broker, venue_clock: ManualClock) -> tuple[int, int]:
    """Cancel and close whatever is open; returns how many orders and positions that were."""
    canceled = await broker.cancel_all()
    closed = await broker.close_all()
    await venue_clock.advance(seconds=_VENUE_SECONDS_A_FRAME)
    return len(canceled), len(closed)
