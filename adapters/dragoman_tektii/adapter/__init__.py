"""The adapter: any Tektii gateway behind the library's ports.

What a row means is in `mapping`, what is asked for where in `rest` and `stream`, what is offered in
`capabilities`, what refusals mean in `errors`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import attrs

from dragoman.adapter import Adapter
from dragoman.errors import UnsupportedError
from dragoman.models import Adjustment, PriceSource
from dragoman.times import format_time
from dragoman_tektii.capabilities import CAPABILITIES
from dragoman_tektii.mapping.account import account_of, position_of
from dragoman_tektii.mapping.asking import token_of, window_query
from dragoman_tektii.mapping.market import bar_of, quote_of
from dragoman_tektii.mapping.orders import fill_of
from dragoman_tektii.mapping.words import TIMEFRAMES

from .catalogue import Catalogue
from .orders import Orders
from .session import Session

if TYPE_CHECKING:
    from collections.abc import (
        AsyncIterator,
        Awaitable,
        Callable,
        Mapping,
        Sequence,
    )
    from contextlib import AbstractAsyncContextManager
    from typing import Self

    from dragoman.adapter import AdapterContext
    from dragoman.capabilities import Capabilities
    from dragoman.models import (
        Account,
        Bar,
        Depth,
        Event,
        Fill,
        Instrument,
        InstrumentKind,
        LedgerEntry,
        LedgerKind,
        MarketHours,
        MarketStatus,
        Order,
        OrderChange,
        OrderRequest,
        Position,
        Quote,
        Subscription,
        Ticker,
        Timeframe,
        Trade,
        Window,
    )

__all__ = ["TektiiAdapter"]


class TektiiAdapter(Adapter):
    """Speaks to a Tektii gateway, whoever made it.

    Args:
        context: What everything depends on.
        session: The session of the adapter that this one was made of; None makes one.
    """

    def __init__(self, context: AdapterContext, session: Session | None = None) -> None:
        super().__init__(context)
        self._session = Session(context) if session is None else session
        self._session.users += context.account_id is not None
        self._rest = self._session.rest
        self._orders = Orders(self._session)
        self._catalogue = Catalogue(self._session)
        self._is_closed = False

    @property
    def capabilities(self) -> Capabilities:
        """What a gateway may be asked for."""
        return CAPABILITIES

    def for_account(self, account_id: str) -> Self:
        """Return an adapter of that account over the same session."""
        if account_id == self.context.account_id:
            return self
        return type(self)(attrs.evolve(self.context, account_id=account_id), self._session)

    async def open(self) -> None:
        """Learn whom the gateway speaks to, and see that it takes the key.

        Raises:
            AuthenticationError: It does not.
            ConnectFailedError: It was not reached (NOT_SENT).
            ConfigurationError: It trades with other money than this provider stands for (NOT_SENT).
        """
        await self._session.open()

    async def aclose(self) -> None:
        """End the session with the last adapter of an account. Idempotent.

        One without an account ends it for all: it is the one that made it.
        """
        if self._is_closed:
            return
        self._is_closed = True
        self._session.users -= self.context.account_id is not None
        if self.context.account_id is None or self._session.users == 0:
            await self._session.aclose()

    async def fetch_accounts(self) -> tuple[Account, ...]:
        """Return the one account of the gateway."""
        row = await self._rest.account()
        self._session.currency = row.currency or self._session.currency
        return (
            account_of(
                row,
                self._session.reading(),
                is_simulated=self._session.is_simulated,
                position_mode=self._session.offered.position_mode,
            ),
        )

    async def fetch_account(self, account_id: str) -> Account:
        """Return the account; raises `NotFoundError` for any other id than its own."""
        self._session.check_account(account_id)
        return (await self.fetch_accounts())[0]

    async def load_instruments(
        self, kinds: Sequence[InstrumentKind] = ()
    ) -> tuple[Instrument, ...]:
        """Return what the gateway lists; where it lists nothing, what the user named and holds.

        Raises:
            UnsupportedError: There is nothing of either.
        """
        found = await self._catalogue.all()
        return tuple([one for one in found if not kinds or one.kind in kinds])

    async def search_instruments(self, text: str, limit: int = 20) -> tuple[Instrument, ...]:
        """Return instruments with the text in symbol, alias or name; reads the whole catalogue."""
        wanted = text.upper()
        found = [
            one
            for one in await self._catalogue.all()
            if any(wanted in name.upper() for name in (one.symbol, *one.aliases, one.name or ""))
        ]
        found.sort(key=lambda one: one.symbol.upper() != wanted)
        return tuple(found[:limit])

    async def fetch_instrument(self, symbol_or_alias: str) -> Instrument:
        """Return one instrument; raises `UnknownInstrumentError`."""
        return await self._catalogue.find(symbol_or_alias)

    def wire_client_id(self, client_order_id: str, revision: int) -> str:
        """Return the id itself or, where a gateway does not take it, a hash. Replaces keep it."""
        del revision
        return token_of(client_order_id)

    async def submit(self, request: OrderRequest) -> Order:
        """Send one order, with its exits. Never sends twice."""
        return await self._orders.submit(request)

    async def replace(self, order: Order, change: OrderChange) -> Order:
        """Change an order; what `change` does not name stays."""
        return await self._orders.replace(order, change)

    async def cancel(self, order: Order) -> Order:
        """Ask for the end of an order."""
        return await self._orders.cancel(order)

    async def fetch_order(
        self,
        account_id: str,
        *,
        client_order_id: str | None = None,
        venue_order_id: str | None = None,
        symbol: str | None = None,
    ) -> Order | None:
        """Look one order up, by the gateway's id where that is known; None: not visible now."""
        del symbol
        self._session.check_account(account_id)
        return await self._orders.find(
            client_order_id=client_order_id, venue_order_id=venue_order_id
        )

    async def fetch_open_orders(
        self, account_id: str, symbol: str | None = None
    ) -> tuple[Order, ...]:
        """Return every order that may still execute."""
        self._session.check_account(account_id)
        return await self._orders.open(symbol)

    async def fetch_orders(
        self, account_id: str, window: Window, symbol: str | None = None
    ) -> AsyncIterator[Order]:
        """Yield the orders created in the window, oldest first."""
        self._session.check_account(account_id)
        for order in await self._orders.all(window, symbol):
            yield order

    async def fetch_positions(
        self, account_id: str, symbol: str | None = None
    ) -> tuple[Position, ...]:
        """Return the open positions."""
        self._session.check_account(account_id)
        reading = self._session.reading()
        rows = [row for row in await self._rest.positions() if row.quantity]
        found = [position_of(row, reading) for row in rows]
        return tuple([one for one in found if symbol in (None, one.symbol)])

    async def fetch_fills(
        self, account_id: str, window: Window, symbol: str | None = None
    ) -> AsyncIterator[Fill]:
        """Yield the fills of the window, oldest first, whatever of it the gateway passes over."""
        self._session.check_account(account_id)
        if self._session.has_executions:
            rows = await self._rest.trades(window_query(window, symbol=symbol))
        else:
            rows = await self._orders.executions()
        reading = self._session.reading()
        fills = {row.id: fill_of(row, reading) for row in rows if row.symbol}
        wanted = [
            one
            for one in fills.values()
            if symbol in (None, one.symbol) and window.covers(one.venue_time_ns)
        ]
        wanted.sort(key=lambda one: one.venue_time_ns)
        for fill in wanted[: window.limit]:
            yield fill

    async def fetch_quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote]:
        """Return the top of the book of each symbol, asked for one by one."""
        found: dict[str, Quote] = {}
        for symbol in symbols:
            row = await self._rest.quote(symbol)
            found[symbol] = attrs.evolve(quote_of(row, self._session.reading()), symbol=symbol)
        return found

    async def fetch_bars(
        self,
        symbol: str,
        timeframe: Timeframe,
        window: Window,
        price_source: PriceSource = PriceSource.LAST,
        adjustment: Adjustment = Adjustment.RAW,
    ) -> AsyncIterator[Bar]:
        """Yield the bars that open in the window, oldest first.

        Raises:
            UnsupportedError: A gateway has no such bars (NOT_SENT).
        """
        if str(timeframe) not in TIMEFRAMES:
            self._not_offered(f"bars of {timeframe}")
        if price_source is not PriceSource.LAST or adjustment is not Adjustment.RAW:
            self._not_offered("bars but of prints, as they were")
        times = {"start": window.start_ns, "end": window.end_ns}
        query = [(name, format_time(at_ns)) for name, at_ns in times.items() if at_ns is not None]
        rows = await self._rest.bars(symbol, (("timeframe", str(timeframe)), *query))
        reading = self._session.reading()
        bars = [bar_of(row, reading, at_ns=reading.received_at_ns) for row in rows]
        wanted = {one.open_time_ns: one for one in bars if window.covers(one.open_time_ns)}
        for opens_ns in sorted(wanted)[: window.limit]:
            yield attrs.evolve(wanted[opens_ns], symbol=symbol)

    def stream(
        self, subscription: Subscription
    ) -> AbstractAsyncContextManager[AsyncIterator[Sequence[Event]]]:
        """Read what a subscription asks for, on the one connection of the session."""
        return self._session.stream.open(subscription)

    async def acknowledge(self, event_ids: Sequence[str]) -> None:
        """Tell a backtest at once that these of its events were worked on."""
        self._session.pacer.release(event_ids)

    def pace_by(self, worked_on: Callable[[], Awaitable[None]]) -> None:
        """Have a backtest wait for those readers too."""
        self._session.pacer.wait_for(worked_on)

    def fetch_ledger(
        self, account_id: str, window: Window, kinds: Sequence[LedgerKind] = ()
    ) -> AsyncIterator[LedgerEntry]:
        """A gateway keeps no ledger."""
        del account_id, window, kinds
        self._not_offered("ledger")

    async def fetch_hours(self, symbol: str, window: Window) -> tuple[MarketHours, ...]:
        """A gateway has no calendar."""
        del symbol, window
        self._not_offered("market hours")

    async def fetch_tickers(self, symbols: Sequence[str]) -> Mapping[str, Ticker]:
        """A gateway has no tickers."""
        del symbols
        self._not_offered("tickers")

    async def fetch_depth(self, symbol: str, levels: int) -> Depth:
        """A gateway shows the top of the book only."""
        del symbol, levels
        self._not_offered("depth")

    async def fetch_market_status(self, symbol: str | None = None) -> MarketStatus:
        """A gateway does not say whether a market is open."""
        del symbol
        self._not_offered("market status")

    def fetch_trades(self, symbol: str, window: Window) -> AsyncIterator[Trade]:
        """A gateway shows no prints."""
        del symbol, window
        self._not_offered("prints")

    def fetch_quote_history(self, symbol: str, window: Window) -> AsyncIterator[Quote]:
        """A gateway keeps no quotes of the past."""
        del symbol, window
        self._not_offered("quotes of the past")

    def _not_offered(self, what: str) -> NoReturn:
        message = f"a Tektii gateway offers no {what}"
        raise UnsupportedError(message, provider=self.context.provider)
