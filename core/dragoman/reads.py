"""What a connection reads: what is known here, and one network read a call. It sends nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, TypeVar, Unpack

import attrs

from .errors import (
    ClosedError,
    InvalidOrderError,
    LifecycleError,
    UnsupportedError,
    WaitTimeoutError,
)
from .instruments import InstrumentCache
from .intake import Intake, build_request
from .models.answers import Preview
from .models.enums import Adjustment, OrderStatus, PriceSource
from .models.order import Order
from .models.values import Timeframe, Window
from .orders.watch import condition_of
from .ports import OptionsPort

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from pathlib import Path

    from .adapter import Environment
    from .capabilities import Capabilities
    from .models import (
        Account,
        Bar,
        Depth,
        Fill,
        Instrument,
        InstrumentKind,
        LedgerEntry,
        LedgerKind,
        MarketHours,
        MarketStatus,
        OrderFields,
        OrderRequest,
        Position,
        Quote,
        Ticker,
        Trade,
    )
    from .orders.limits import RiskLimits
    from .orders.state import BrokerState
    from .ports import OptionQuote
    from .session import AccountSession, Health
    from .times import Clock

__all__ = ["BrokerReads", "OrderTarget", "Until"]

Named = TypeVar("Named", Order, "Fill")

OrderTarget = Order | str
"""An order, or its client order id."""

Until = OrderStatus | Collection[OrderStatus] | Callable[[Order], bool]
"""What to wait for: a status, any of several, or a condition on the order."""


class BrokerReads:
    """The reading half of a `Broker`: all that sends nothing."""

    def __init__(self, session: AccountSession, limits: RiskLimits, *, read_only: bool) -> None:
        self._adapter = session.adapter
        self._account_id = session.account_id
        self._session = session
        self._blotter = session.blotter
        self._instruments = InstrumentCache(session.adapter)
        self._intake = Intake(session, self._instruments, limits)
        self._read_only = read_only
        self._state_dir: Path | None = None
        self._is_closed = False

    def __repr__(self) -> str:
        return f"<Broker {self.provider} ({self.environment}) account {self.account_id}>"

    @property
    def provider(self) -> str:
        """The provider's name."""
        return self._adapter.context.provider

    @property
    def environment(self) -> Environment:
        """Whose money this trades with; LIVE is real."""
        return self._adapter.context.environment

    @property
    def account_id(self) -> str:
        """The account this broker is bound to."""
        return self._account_id

    @property
    def capabilities(self) -> Capabilities:
        """What the provider declares it can do."""
        return self._adapter.capabilities

    @property
    def state(self) -> BrokerState:
        """What is true now as far as evidence goes, without the network."""
        return self._session.state

    @property
    def health(self) -> Health:
        """Whether the account can be traded with, and everything that says no.

        May be read from any thread.
        """
        return self._session.health

    @property
    def is_halted(self) -> bool:
        """Whether trading is halted."""
        return self._blotter.halt.cause is not None

    @property
    def clock(self) -> Clock:
        """The time this connection goes by; a simulated venue may have a faster one of its own."""
        return self._session.clock

    @property
    def state_dir(self) -> Path | None:
        """The folder that keeps what outlives the process; None where nothing does."""
        return self._state_dir

    async def fetch_account(self) -> Account:
        """Read this broker's account."""
        self._check_open()
        return await self._adapter.fetch_account(self.account_id)

    async def fetch_accounts(self) -> tuple[Account, ...]:
        """Read every account the credentials reach."""
        self._check_open()
        return await self._adapter.fetch_accounts()

    def fetch_ledger(
        self, window: Window | None = None, kinds: Sequence[LedgerKind] = ()
    ) -> AsyncIterator[LedgerEntry]:
        """Read ledger entries, oldest first."""
        self._check_open()
        return self._adapter.fetch_ledger(self.account_id, window or Window(), kinds)

    async def instrument(self, symbol_or_alias: str) -> Instrument:
        """Return one instrument, read once.

        Raises `UnknownInstrumentError` or `AmbiguousInstrumentError`.
        """
        self._check_open()
        return await self._instruments.get(symbol_or_alias)

    async def load_instruments(
        self, kinds: Sequence[InstrumentKind] = ()
    ) -> tuple[Instrument, ...]:
        """Read the whole catalogue, or the kinds named."""
        self._check_open()
        return await self._instruments.load(kinds)

    async def search_instruments(self, text: str, limit: int = 20) -> tuple[Instrument, ...]:
        """Read instruments whose symbol, alias or name contains `text`."""
        self._check_open()
        return await self._adapter.search_instruments(text, limit)

    async def fetch_hours(self, symbol: str, window: Window) -> tuple[MarketHours, ...]:
        """Read the trading calendar rows that touch a window."""
        self._check_open()
        return await self._adapter.fetch_hours(symbol, window)

    async def fetch_order(self, order: OrderTarget) -> Order | None:
        """Look one order up at the venue, take in what it shows and return it.

        None: it is not visible now, which proves nothing.
        """
        self._check_open()
        return await self._blotter.look_up(order)

    async def fetch_positions(self, symbol: str | None = None) -> tuple[Position, ...]:
        """Read the open positions."""
        self._check_open()
        return await self._adapter.fetch_positions(self.account_id, symbol)

    async def fetch_open_orders(self, symbol: str | None = None) -> tuple[Order, ...]:
        """Read every order that may still execute, each by the id that it is known by here."""
        self._check_open()
        orders = await self._adapter.fetch_open_orders(self.account_id, symbol)
        return tuple([self._blotter.tracker.named(order) for order in orders])

    def fetch_orders(
        self, window: Window | None = None, symbol: str | None = None
    ) -> AsyncIterator[Order]:
        """Read the orders created in a window, oldest first, each by its id here."""
        self._check_open()
        orders = self._adapter.fetch_orders(self.account_id, window or Window(), symbol)
        return _each(orders, self._blotter.tracker.named)

    def fetch_fills(
        self, window: Window | None = None, symbol: str | None = None
    ) -> AsyncIterator[Fill]:
        """Read the fills of a window, oldest first.

        Each names its order as that is known here, though a venue may tell them by its own id only.
        """
        self._check_open()
        fills = self._adapter.fetch_fills(self.account_id, window or Window(), symbol)
        return _each(fills, self._named_fill)

    async def fetch_quote(self, symbol: str) -> Quote:
        """Read the top of one book. Raises `UnknownInstrumentError`."""
        return (await self.fetch_quotes([symbol]))[symbol]

    async def fetch_quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote]:
        """Read the top of the book of each symbol."""
        self._check_open()
        return await self._adapter.fetch_quotes(symbols)

    async def fetch_ticker(self, symbol: str) -> Ticker:
        """Read the ticker of one symbol. Raises `UnknownInstrumentError`."""
        return (await self.fetch_tickers([symbol]))[symbol]

    async def fetch_tickers(self, symbols: Sequence[str]) -> Mapping[str, Ticker]:
        """Read the ticker of each symbol."""
        self._check_open()
        return await self._adapter.fetch_tickers(symbols)

    async def fetch_depth(self, symbol: str, levels: int = 10) -> Depth:
        """Read a snapshot of the book, at most `levels` a side."""
        self._check_open()
        return await self._adapter.fetch_depth(symbol, levels)

    async def fetch_market_status(self, symbol: str | None = None) -> MarketStatus:
        """Read what the market, or one instrument, lets one do now."""
        self._check_open()
        return await self._adapter.fetch_market_status(symbol)

    def fetch_bars(
        self,
        symbol: str,
        timeframe: Timeframe | str,
        window: Window | None = None,
        *,
        price_source: PriceSource = PriceSource.LAST,
        adjustment: Adjustment = Adjustment.RAW,
    ) -> AsyncIterator[Bar]:
        """Read the bars that open in a window, oldest first: complete, or an error."""
        self._check_open()
        frame = Timeframe.parse(timeframe) if isinstance(timeframe, str) else timeframe
        return self._adapter.fetch_bars(symbol, frame, window or Window(), price_source, adjustment)

    def fetch_trades(self, symbol: str, window: Window | None = None) -> AsyncIterator[Trade]:
        """Read the public prints of a window, oldest first."""
        self._check_open()
        return self._adapter.fetch_trades(symbol, window or Window())

    def fetch_quote_history(
        self, symbol: str, window: Window | None = None
    ) -> AsyncIterator[Quote]:
        """Read the quotes of a window, oldest first."""
        self._check_open()
        return self._adapter.fetch_quote_history(symbol, window or Window())

    async def fetch_chain(
        self, underlying: str, expiry: str | None = None
    ) -> tuple[OptionQuote, ...]:
        """Read an option chain, of one expiry (ISO date) or all."""
        self._check_open()
        if not isinstance(self._adapter, OptionsPort):
            raise self._not_offered("option chains")
        return await self._adapter.fetch_chain(underlying, expiry)

    async def preview(
        self, request: OrderRequest | None = None, /, **fields: Unpack[OrderFields]
    ) -> Preview:
        """List everything that stands in the way of an order, at once; sends none.

        Raises:
            UnknownInstrumentError: No such instrument (NOT_SENT).
        """
        self._check_open()
        try:
            complete = self._intake.complete(build_request(request, fields))
        except InvalidOrderError as error:
            return Preview(violations=error.violations)
        return await self._intake.preview(complete)

    async def wait(
        self,
        order: OrderTarget,
        until: Until | None = None,
        *,
        timeout_s: float | None = None,
    ) -> Order:
        """Wait until an order has ended or, with `until`, has become that; returns it then.

        An order that has ended is returned whatever `until` says, as nothing more will come of it:
        look at its status. Looks at what the order is, not at what it was in between.

        Raises:
            NotFoundError: No such order here (NOT_SENT).
            LifecycleError: The connection is read-only, or was closed meanwhile (NOT_SENT).
            WaitTimeoutError: `timeout_s` passed first; None waits for ever.
        """
        self._check_commands()
        name = self._blotter.find(order).client_order_id
        is_met = condition_of(until)
        if await self._session.watch.until(
            name, lambda: is_met(self._blotter.order(name)), timeout_s
        ):
            return self._blotter.order(name)
        if self._session.watch.is_closed:
            message = f"the connection was closed while waiting for order {name}"
            raise ClosedError(message, provider=self.provider)
        message = f"order {name} is {self._blotter.order(name).status} after {timeout_s} s"
        raise WaitTimeoutError(message, provider=self.provider)

    def _named_fill(self, fill: Fill) -> Fill:
        name = self._blotter.tracker.name_of_fill(fill)
        if name in (None, fill.client_order_id):
            return fill
        return attrs.evolve(fill, client_order_id=name)

    def _check_open(self) -> None:
        if not self._session.is_own_process:
            message = (
                f"the connection to {self.provider} belongs to the process that forked this one; "
                "connect anew here"
            )
            raise LifecycleError(message, provider=self.provider)
        if self._is_closed:
            message = f"the connection to {self.provider} is closed"
            raise ClosedError(message, provider=self.provider)

    def _check_commands(self) -> None:
        self._check_open()
        if self._read_only:
            message = f"the connection to {self.provider} is read-only"
            raise LifecycleError(message, provider=self.provider)

    def _not_offered(self, what: str) -> UnsupportedError:
        message = f"{self.provider} does not offer {what}"
        return UnsupportedError(message, provider=self.provider)


async def _each(
    models: AsyncIterator[Named], named: Callable[[Named], Named]
) -> AsyncIterator[Named]:
    async for model in models:
        yield named(model)
