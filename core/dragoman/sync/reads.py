"""What a synchronous connection reads: one call is one network read."""

# Written by tools/generate_sync.py from reads.py: change that, run the tool.

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from dragoman.models.enums import Adjustment, PriceSource

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from dragoman.adapter import Environment
    from dragoman.broker import Broker
    from dragoman.capabilities import Capabilities
    from dragoman.models import (
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
    from dragoman.models.answers import Preview
    from dragoman.models.order import Order
    from dragoman.models.values import Timeframe, Window
    from dragoman.orders.state import BrokerState
    from dragoman.ports import OptionQuote
    from dragoman.reads import OrderTarget, Until
    from dragoman.session import Health
    from dragoman.times import Clock

    from .iteration import SyncIterator
    from .loop_thread import LoopThread

__all__ = ["SyncBrokerReads"]


class SyncBrokerReads:
    """The reading half of a `SyncBroker`: all that sends nothing."""

    def __init__(self, loop: LoopThread, broker: Broker) -> None:
        self._loop = loop
        self._broker = broker

    def __repr__(self) -> str:
        return repr(self._broker).replace("<", "<Sync", 1)

    @property
    def provider(self) -> str:
        """The provider's name."""
        return self._here().provider

    @property
    def environment(self) -> Environment:
        """Whose money this trades with; LIVE is real."""
        return self._here().environment

    @property
    def account_id(self) -> str:
        """The account this broker is bound to."""
        return self._here().account_id

    @property
    def capabilities(self) -> Capabilities:
        """What the provider declares it can do."""
        return self._here().capabilities

    @property
    def state(self) -> BrokerState:
        """What is true now as far as evidence goes, without the network."""
        return self._here().state

    @property
    def health(self) -> Health:
        """Whether the account can be traded with, and everything that says no.

        May be read from any thread.
        """
        return self._here().health

    @property
    def is_halted(self) -> bool:
        """Whether trading is halted."""
        return self._here().is_halted

    @property
    def clock(self) -> Clock:
        """The time this connection goes by; a simulated venue may have a faster one of its own."""
        return self._here().clock

    @property
    def state_dir(self) -> Path | None:
        """The folder that keeps what outlives the process; None where nothing does."""
        return self._here().state_dir

    def fetch_account(self) -> Account:
        """Read this broker's account."""
        return self._loop.read(self._broker.fetch_account)

    def fetch_accounts(self) -> tuple[Account, ...]:
        """Read every account the credentials reach."""
        return self._loop.read(self._broker.fetch_accounts)

    def fetch_ledger(
        self, window: Window | None = None, kinds: Sequence[LedgerKind] = ()
    ) -> SyncIterator[LedgerEntry]:
        """Read ledger entries, oldest first."""
        return self._loop.iterate(lambda: self._broker.fetch_ledger(window, kinds))

    def instrument(self, symbol_or_alias: str) -> Instrument:
        """Return one instrument, read once.

        Raises `UnknownInstrumentError` or `AmbiguousInstrumentError`.
        """
        return self._loop.read(lambda: self._broker.instrument(symbol_or_alias))

    def load_instruments(self, kinds: Sequence[InstrumentKind] = ()) -> tuple[Instrument, ...]:
        """Read the whole catalogue, or the kinds named."""
        return self._loop.read(lambda: self._broker.load_instruments(kinds))

    def search_instruments(self, text: str, limit: int = 20) -> tuple[Instrument, ...]:
        """Read instruments whose symbol, alias or name contains `text`."""
        return self._loop.read(lambda: self._broker.search_instruments(text, limit))

    def fetch_hours(self, symbol: str, window: Window) -> tuple[MarketHours, ...]:
        """Read the trading calendar rows that touch a window."""
        return self._loop.read(lambda: self._broker.fetch_hours(symbol, window))

    def fetch_order(self, order: OrderTarget) -> Order | None:
        """Look one order up at the venue, take in what it shows and return it.

        None: it is not visible now, which proves nothing.
        """
        return self._loop.read(lambda: self._broker.fetch_order(order))

    def fetch_positions(self, symbol: str | None = None) -> tuple[Position, ...]:
        """Read the open positions."""
        return self._loop.read(lambda: self._broker.fetch_positions(symbol))

    def fetch_open_orders(self, symbol: str | None = None) -> tuple[Order, ...]:
        """Read every order that may still execute, each by the id that it is known by here."""
        return self._loop.read(lambda: self._broker.fetch_open_orders(symbol))

    def fetch_orders(
        self, window: Window | None = None, symbol: str | None = None
    ) -> SyncIterator[Order]:
        """Read the orders created in a window, oldest first, each by its id here."""
        return self._loop.iterate(lambda: self._broker.fetch_orders(window, symbol))

    def fetch_fills(
        self, window: Window | None = None, symbol: str | None = None
    ) -> SyncIterator[Fill]:
        """Read the fills of a window, oldest first.

        Each names its order as that is known here, though a venue may tell them by its own id only.
        """
        return self._loop.iterate(lambda: self._broker.fetch_fills(window, symbol))

    def fetch_quote(self, symbol: str) -> Quote:
        """Read the top of one book. Raises `UnknownInstrumentError`."""
        return self._loop.read(lambda: self._broker.fetch_quote(symbol))

    def fetch_quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote]:
        """Read the top of the book of each symbol."""
        return self._loop.read(lambda: self._broker.fetch_quotes(symbols))

    def fetch_ticker(self, symbol: str) -> Ticker:
        """Read the ticker of one symbol. Raises `UnknownInstrumentError`."""
        return self._loop.read(lambda: self._broker.fetch_ticker(symbol))

    def fetch_tickers(self, symbols: Sequence[str]) -> Mapping[str, Ticker]:
        """Read the ticker of each symbol."""
        return self._loop.read(lambda: self._broker.fetch_tickers(symbols))

    def fetch_depth(self, symbol: str, levels: int = 10) -> Depth:
        """Read a snapshot of the book, at most `levels` a side."""
        return self._loop.read(lambda: self._broker.fetch_depth(symbol, levels))

    def fetch_market_status(self, symbol: str | None = None) -> MarketStatus:
        """Read what the market, or one instrument, lets one do now."""
        return self._loop.read(lambda: self._broker.fetch_market_status(symbol))

    def fetch_bars(
        self,
        symbol: str,
        timeframe: Timeframe | str,
        window: Window | None = None,
        *,
        price_source: PriceSource = PriceSource.LAST,
        adjustment: Adjustment = Adjustment.RAW,
    ) -> SyncIterator[Bar]:
        """Read the bars that open in a window, oldest first: complete, or an error."""
        return self._loop.iterate(
            lambda: self._broker.fetch_bars(
                symbol, timeframe, window, price_source=price_source, adjustment=adjustment
            )
        )

    def fetch_trades(self, symbol: str, window: Window | None = None) -> SyncIterator[Trade]:
        """Read the public prints of a window, oldest first."""
        return self._loop.iterate(lambda: self._broker.fetch_trades(symbol, window))

    def fetch_quote_history(self, symbol: str, window: Window | None = None) -> SyncIterator[Quote]:
        """Read the quotes of a window, oldest first."""
        return self._loop.iterate(lambda: self._broker.fetch_quote_history(symbol, window))

    def fetch_chain(self, underlying: str, expiry: str | None = None) -> tuple[OptionQuote, ...]:
        """Read an option chain, of one expiry (ISO date) or all."""
        return self._loop.read(lambda: self._broker.fetch_chain(underlying, expiry))

    def preview(
        self, request: OrderRequest | None = None, /, **fields: Unpack[OrderFields]
    ) -> Preview:
        """List everything that stands in the way of an order, at once; sends none.

        Raises:
            UnknownInstrumentError: No such instrument (NOT_SENT).
        """
        return self._loop.read(lambda: self._broker.preview(request, **fields))

    def wait(
        self, order: OrderTarget, until: Until | None = None, *, timeout_s: float | None = None
    ) -> Order:
        """Wait until an order has ended or, with `until`, has become that; returns it then.

        An order that has ended is returned whatever `until` says, as nothing more will come of it:
        look at its status. Looks at what the order is, not at what it was in between.

        Raises:
            NotFoundError: No such order here (NOT_SENT).
            LifecycleError: The connection is read-only, or was closed meanwhile (NOT_SENT).
            WaitTimeoutError: `timeout_s` passed first; None waits for ever.
        """
        return self._loop.read(lambda: self._broker.wait(order, until, timeout_s=timeout_s))

    def _here(self) -> Broker:
        """Return the broker to one that only looks, if it lives in this process."""
        self._loop.service.check_process()
        return self._broker
