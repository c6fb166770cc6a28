"""One instrument at the venue: its market as last told, its book, and what waits for it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, assert_never

from dragoman.models import PriceSource, Side, TradingState
from dragoman.money import add, multiply, round_to_step

from .book import BookSide
from .day import DayPrices
from .liquidity import Liquidity
from .market.depth import ladder
from .triggers import TriggerBook

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.models import Instrument, Level
    from dragoman.money import Rounding

    from .market.feed import MarketTick
    from .order import WorkingOrder
    from .settings import VenueSettings

__all__ = ["Listing"]

_HALF: Final = Decimal("0.5")
_EXTENDED: Final = frozenset(
    {TradingState.PRE_MARKET, TradingState.AFTER_HOURS, TradingState.OVERNIGHT}
)


class Listing:
    """The market of one instrument and the orders in it.

    `takers` want liquidity at any price, `pegged` orders follow the market, `parked` ones wait for
    a session of theirs; each by rank. `session` is what the calendar says, `halted` why trading is
    suspended all the same. `changes_at_ns` is when the session changes next, `opens_at_ns` when the
    next regular one begins, `day_ends_at_ns` when orders for the day end, `ticker_due_ns` from when
    a ticker may be told again.
    """

    __slots__ = (
        "_settings",
        "asks",
        "bids",
        "changes_at_ns",
        "day",
        "day_ends_at_ns",
        "funding_at_ns",
        "funding_rate",
        "halted",
        "index_price",
        "instrument",
        "is_expired",
        "last_price",
        "last_size",
        "liquidity",
        "opens_at_ns",
        "parked",
        "pegged",
        "provider",
        "session",
        "stated_mark",
        "symbol",
        "takers",
        "tick",
        "tick_count",
        "ticker_due_ns",
        "triggers",
    )

    def __init__(self, instrument: Instrument, settings: VenueSettings) -> None:
        self._settings = settings
        self.instrument: Instrument = instrument
        self.symbol: str = instrument.symbol
        self.provider: str = settings.provider
        self.bids: BookSide = BookSide(Side.BUY)
        self.asks: BookSide = BookSide(Side.SELL)
        self.triggers: TriggerBook = TriggerBook()
        self.takers: dict[int, WorkingOrder] = {}
        self.pegged: dict[int, WorkingOrder] = {}
        self.parked: dict[int, WorkingOrder] = {}
        self.session: TradingState = TradingState.OPEN
        self.halted: str | None = None
        self.is_expired: bool = False
        self.changes_at_ns: int | None = None
        self.opens_at_ns: int | None = None
        self.day_ends_at_ns: int = 0
        self.ticker_due_ns: int = 0
        self.funding_rate: Decimal | None = None
        self.funding_at_ns: int | None = None
        self.day: DayPrices = DayPrices()
        self.tick: MarketTick | None = None
        self.tick_count: int = 0
        self.last_price: Decimal | None = None
        self.last_size: Decimal | None = None
        self.stated_mark: Decimal | None = None
        self.index_price: Decimal | None = None
        self.liquidity: dict[Side, Liquidity] = {}
        self.withdraw_liquidity()

    def book(self, side: Side) -> BookSide:
        """Return the resting orders of a side."""
        return self.bids if side is Side.BUY else self.asks

    @property
    def state(self) -> TradingState:
        """What the market lets one do now."""
        if self.is_expired:
            return TradingState.CLOSED
        return TradingState.HALTED if self.halted is not None else self.session

    def admits(self, order: WorkingOrder) -> bool:
        """Tell whether an order may work in the present session; a halt leaves it where it is."""
        session = self.session
        if session is TradingState.OPEN:
            return True
        return order.extended_hours and session in _EXTENDED

    def take_tick(self, tick: MarketTick) -> None:
        """Make a tick the present market: its sizes are whole again."""
        self.tick = tick
        self.tick_count += 1
        if tick.last_price is not None:
            self.last_price, self.last_size = tick.last_price, tick.last_size
            self.day.add(tick.last_price, tick.last_size, self.instrument)
        if tick.mark_price is not None:
            self.stated_mark = tick.mark_price
        if tick.index_price is not None:
            self.index_price = tick.index_price
        self.show_liquidity()

    def show_liquidity(self) -> None:
        """Show the whole sizes of the last tick."""
        tick = self.tick
        if tick is None:
            return
        self.liquidity = {
            Side.BUY: self._liquidity((tick.bid_price, tick.bid_size), self._bid_ladder),
            Side.SELL: self._liquidity((tick.ask_price, tick.ask_size), self._ask_ladder),
        }

    def withdraw_liquidity(self) -> None:
        """Show nothing until the next tick: a quote does not outlive a pause."""
        nothing = Liquidity((None, None), is_endless=False)
        self.liquidity = {Side.BUY: nothing, Side.SELL: nothing}

    def ladder(self, levels: int) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
        """Return the market's own levels as the last tick showed them, (bids, asks)."""
        if self.tick is None:
            return (), ()
        return ladder(self.tick, self.instrument, levels, self._settings.seed)

    def price_of(self, source: PriceSource) -> Decimal | None:
        """Return a price by its source; None while it is not known.

        LAST falls back on the middle for an instrument that has never printed, MARK where none is
        stated.
        """
        tick = self.tick
        if tick is None:
            return None
        match source:
            case PriceSource.BID:
                price = tick.bid_price
            case PriceSource.ASK:
                price = tick.ask_price
            case PriceSource.MID:
                price = self.middle
            case PriceSource.LAST:
                price = self.middle if self.last_price is None else self.last_price
            case PriceSource.MARK:
                price = self.mark_price
            case PriceSource.INDEX:
                price = self.index_price
            case PriceSource.UNKNOWN:
                price = None
            case _:
                assert_never(source)
        return price

    @property
    def middle(self) -> Decimal | None:
        """Halfway between bid and ask; None unless both are there."""
        tick = self.tick
        if tick is None or tick.bid_price is None or tick.ask_price is None:
            return None
        return multiply(add(tick.bid_price, tick.ask_price), _HALF)

    @property
    def mark_price(self) -> Decimal | None:
        """What positions are valued at: stated mark, else middle, last print, or one side."""
        if self.stated_mark is not None:
            return self.stated_mark
        middle = self.middle
        if middle is not None:
            return middle
        if self.last_price is not None or self.tick is None:
            return self.last_price
        return self.tick.bid_price if self.tick.bid_price is not None else self.tick.ask_price

    def on_tick_size(self, price: Decimal, rounding: Rounding) -> Decimal:
        """Return the price on the instrument's grid that lies in the direction named."""
        step = self.instrument.tick_at(price)
        return price if step is None else round_to_step(price, step, rounding)

    def _liquidity(
        self, top: tuple[Decimal | None, Decimal | None], deeper: Callable[[], tuple[Level, ...]]
    ) -> Liquidity:
        return Liquidity(
            top,
            is_endless=not self._settings.uses_liquidity,
            lot_size=self.instrument.lot_size,
            deeper=deeper,
        )

    def _bid_ladder(self) -> tuple[Level, ...]:
        return self.ladder(self._settings.depth_levels)[0]

    def _ask_ladder(self) -> tuple[Level, ...]:
        return self.ladder(self._settings.depth_levels)[1]
