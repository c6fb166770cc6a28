"""The venue of the stage: a mock venue whose market stands still until the scenario moves it.

What it holds is the truth that everything told by the subject is compared with. The only module of
the kit that knows the mock venue.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeVar

import attrs

from dragoman.models import OrderRequest, OrderType, Side
from dragoman.money import ZERO
from dragoman.paper.market.feed import MarketTick
from dragoman.paper.market.scripted import ScriptedFeed
from dragoman.times import MILLISECOND_NS
from dragoman_mock import MockVenue

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dragoman.models import Account, Event, Fill, Instrument, Order, Position
    from dragoman.paper.engine import Engine
    from dragoman.paper.settings import VenueSettings
    from dragoman.times import Clock

__all__ = ["StageVenue"]

Answer = TypeVar("Answer")
Named = TypeVar("Named", "Order", "Fill", "Position", "Instrument")

_DEPTH: Final = Decimal(1_000_000)
_ONE: Final = Decimal(1)


class StageVenue:
    """A mock venue, its prices and its truth, in the subject's own symbols.

    Args:
        settings: Accounts, fees, hours and habits.
        names: What has a price: the venue's own symbol by the subject's.
        clock: The stage's time.
        instruments: What is traded; None means the mock's own catalogue.
    """

    def __init__(
        self,
        settings: VenueSettings,
        names: Mapping[str, str],
        clock: Clock,
        instruments: Sequence[Instrument] | None = None,
    ) -> None:
        self._clock = clock
        self._names = dict(names)
        self._known = {there: here for here, there in names.items()}
        self._feed = ScriptedFeed(symbols=names.values())
        self.mock: MockVenue = MockVenue(
            settings, feed=self._feed, clock=clock, instruments=instruments
        )

    @property
    def account_id(self) -> str:
        """The first account, which the subject trades on."""
        return self.mock.settings.accounts[0].account_id

    def instrument(self, symbol: str) -> Instrument:
        """Return what the venue knows of a symbol."""
        return self._ours(self.mock.engine.find(self.name(symbol)))

    def name(self, symbol: str) -> str:
        """Return what the venue itself calls a symbol of the subject."""
        return self._names.get(symbol, symbol)

    async def move(
        self, symbol: str, price: Decimal | str, *, size: Decimal | str = _DEPTH
    ) -> None:
        """Let the market stand one tick below and one above a price, of a size on each side."""
        middle = Decimal(price)
        tick = self.instrument(symbol).tick_size or Decimal("0.01")
        await self.show(symbol, bid=middle - tick, ask=middle + tick, size=size)

    async def show(
        self,
        symbol: str,
        *,
        bid: Decimal | str | None = None,
        ask: Decimal | str | None = None,
        size: Decimal | str = _DEPTH,
        last: Decimal | str | None = None,
        last_size: Decimal | str = "1",
    ) -> None:
        """Show a market of these prices, and let what it causes happen."""
        instant_ns = self._clock.now_ns() + MILLISECOND_NS
        self._feed.push(
            MarketTick(
                instant_ns,
                self.name(symbol),
                *_side(bid, size),
                *_side(ask, size),
                *_side(last, last_size),
            )
        )
        if self.mock.is_open:
            self.mock.refresh()
        await self._clock.sleep_until_ns(instant_ns + MILLISECOND_NS)

    async def tape(
        self,
        symbol: str,
        prices: Sequence[Decimal],
        *,
        size: Decimal = _ONE,
        every_ns: int,
        aggressor: Side | None = None,
    ) -> tuple[int, ...]:
        """Print trades at these prices, the first of them one interval from now.

        Returns when each was made, in UTC nanoseconds, once the last of them is past.
        """
        tick = self.instrument(symbol).tick_size or Decimal("0.01")
        start_ns = self._clock.now_ns()
        times = tuple([start_ns + every_ns * number for number in range(1, len(prices) + 1)])
        self._feed.push(
            *[
                MarketTick(
                    instant_ns,
                    self.name(symbol),
                    *_side(price - tick, _DEPTH),
                    *_side(price + tick, _DEPTH),
                    *_side(price, size),
                    aggressor=aggressor,
                )
                for instant_ns, price in zip(times, prices, strict=True)
            ]
        )
        if self.mock.is_open:
            self.mock.refresh()
        await self._clock.sleep_until_ns(times[-1] + MILLISECOND_NS)
        return times

    async def act(self, command: Callable[[Engine], Sequence[Event]]) -> Sequence[Event]:
        """Do something at the venue itself, so that everybody is told: a bust, a halt, a split."""
        return await self.mock.act(command)

    async def look(self, question: Callable[[Engine], Answer]) -> Answer:
        """Ask the venue something as it stands now."""
        return await self.mock.look(question)

    async def orders(self) -> tuple[Order, ...]:
        """Return every order the account has ever had at the venue, oldest first."""
        found = await self.look(lambda engine: engine.orders(self.account_id))
        return tuple([self._ours(one) for one in found])

    async def order(self) -> Order:
        """Return the newest order of the account at the venue.

        Raises:
            LookupError: It has none.
        """
        found = await self.orders()
        if not found:
            raise LookupError("the venue has no order")
        return found[-1]

    async def open_orders(self) -> tuple[Order, ...]:
        """Return the account's open orders at the venue."""
        found = await self.look(lambda engine: engine.open_orders(self.account_id))
        return tuple([self._ours(one) for one in found])

    async def fills(self) -> tuple[Fill, ...]:
        """Return every fill of the account at the venue, oldest first."""
        found = await self.look(lambda engine: engine.fills(self.account_id))
        return tuple([self._ours(one) for one in found])

    async def positions(self) -> tuple[Position, ...]:
        """Return the account's positions at the venue."""
        found = await self.look(lambda engine: engine.positions(self.account_id))
        return tuple([self._ours(one) for one in found])

    async def account(self) -> Account:
        """Return the account as the venue has it."""
        return await self.look(lambda engine: engine.account(self.account_id))

    async def held(self, symbol: str) -> Decimal:
        """Return the quantity held of a symbol, negative if short."""
        return sum((one.quantity for one in await self.positions() if one.symbol == symbol), ZERO)

    async def place_elsewhere(
        self,
        client_order_id: str,
        symbol: str,
        *,
        side: Side = Side.BUY,
        quantity: Decimal,
        limit_price: Decimal | None = None,
    ) -> None:
        """Have somebody else place an order in the same account, straight at the venue."""
        request = OrderRequest(
            client_order_id=client_order_id,
            account_id=self.account_id,
            symbol=self.name(symbol),
            side=side,
            order_type=OrderType.MARKET if limit_price is None else OrderType.LIMIT,
            quantity=quantity,
            limit_price=limit_price,
        )
        await self.act(lambda engine: engine.submit(request))

    def _ours(self, model: Named) -> Named:
        symbol = self._known.get(model.symbol, model.symbol)
        return model if symbol == model.symbol else attrs.evolve(model, symbol=symbol)


def _side(
    price: Decimal | str | None, size: Decimal | str
) -> tuple[Decimal | None, Decimal | None]:
    return (None, None) if price is None else (Decimal(price), Decimal(size))
