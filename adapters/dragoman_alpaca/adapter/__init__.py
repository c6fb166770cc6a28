"""The adapter: Alpaca behind the library's ports.

Each port method hands over to the part that knows how it is done: `orders`, `market`, `catalogue`.
What a row means is in `mapping`, where it is asked for in `rest`, what is offered in
`capabilities`, what refusals mean in `errors`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from dragoman.adapter import Adapter, Environment
from dragoman.errors import NotFoundError
from dragoman.models import Adjustment, PriceSource
from dragoman.models.answers import RawAnswer
from dragoman.ports import ListPort, OptionsPort, RawPort
from dragoman_alpaca.capabilities import CAPABILITIES
from dragoman_alpaca.mapping.account import account_of
from dragoman_alpaca.mapping.names import token_of

from .catalogue import Catalogue
from .market import MarketCalls
from .orders import OrderCalls
from .session import Session, with_raw

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    from dragoman.adapter import AdapterContext
    from dragoman.capabilities import Capabilities
    from dragoman.models import (
        Account,
        Bar,
        CommandResult,
        Contingency,
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
    from dragoman.models.answers import OptionQuote

__all__ = ["AlpacaAdapter"]


class AlpacaAdapter(Adapter, ListPort, OptionsPort, RawPort):
    """Speaks to Alpaca. Its keys reach one account.

    Positions are closed by ordinary orders: Alpaca's own way to close one takes no client order id,
    so that the fate of a lost answer could not be found out.

    Args:
        context: What everything depends on.
        session: The session to share; None makes one.

    Raises:
        ConfigurationError: An option is none of Alpaca's words (NOT_SENT).
    """

    def __init__(self, context: AdapterContext, session: Session | None = None) -> None:
        super().__init__(context)
        self._session = session or Session(context)
        if context.account_id is not None:
            self._session.join()
        self._is_closed = False
        self._orders = OrderCalls(self._session)
        self._catalogue = Catalogue(self._session)
        self._market = MarketCalls(self._session, self._catalogue)

    @property
    def capabilities(self) -> Capabilities:
        """What Alpaca declares."""
        return CAPABILITIES

    def for_account(self, account_id: str) -> AlpacaAdapter:
        """Return an adapter bound to that account, over the same session."""
        if account_id == self.context.account_id:
            return self
        context = attrs.evolve(self.context, account_id=account_id)
        return AlpacaAdapter(context, self._session)

    async def open(self) -> None:
        """See that the keys are good, and learn whose they are and how pairs are spelled.

        Raises:
            AuthenticationError: Alpaca does not take the keys.
            ConnectFailedError: Alpaca was not reached (NOT_SENT).
        """
        seen = await self._session.rest.trading.account()
        self._session.take_account(seen.row)
        await self._catalogue.learn_crypto()

    async def aclose(self) -> None:
        """End the session, unless adapters bound to its account share it. Idempotent.

        An adapter without an account ends it for all: it is the one that made it.
        """
        if self._is_closed:
            return
        self._is_closed = True
        if self.context.account_id is None:
            await self._session.end()
        else:
            await self._session.leave()

    async def fetch_accounts(self) -> tuple[Account, ...]:
        """Return the account of the keys."""
        seen = await self._session.rest.trading.account()
        is_simulated = self.context.environment is not Environment.LIVE
        account = account_of(seen.row, self._session.reading(), is_simulated=is_simulated)
        return (with_raw(account, seen),)

    async def fetch_account(self, account_id: str) -> Account:
        """Return the account; raises `NotFoundError` for an id that is not its own."""
        (account,) = await self.fetch_accounts()
        if account.account_id == account_id:
            return account
        message = f"these keys reach account {account.account_id}, not {account_id!r}"
        raise NotFoundError(message, provider=self.context.provider)

    def fetch_ledger(
        self, account_id: str, window: Window, kinds: Sequence[LedgerKind] = ()
    ) -> AsyncIterator[LedgerEntry]:
        """Yield ledger entries of the window, oldest first; no kinds means all.

        Alpaca lists activities by when they were posted: an entry that was posted more than 31 days
        after its own date is missing from a window that ends.
        """
        self._session.check_account(account_id)
        return self._orders.ledger(window, kinds)

    async def load_instruments(
        self, kinds: Sequence[InstrumentKind] = ()
    ) -> tuple[Instrument, ...]:
        """Return all shares and pairs that are active.

        Raises:
            UnsupportedError: Options are asked for, of which there are too many (NOT_SENT).
        """
        return await self._catalogue.load(kinds)

    async def search_instruments(self, text: str, limit: int = 20) -> tuple[Instrument, ...]:
        """Return shares and pairs with the text in symbol, alias or name, or an option by symbol.

        Reads the whole catalogue: Alpaca has no search.
        """
        return await self._catalogue.search(text, limit)

    async def fetch_instrument(self, symbol_or_alias: str) -> Instrument:
        """Return one instrument; raises `UnknownInstrumentError`."""
        return await self._catalogue.fetch(symbol_or_alias)

    async def fetch_hours(self, symbol: str, window: Window) -> tuple[MarketHours, ...]:
        """Return the calendar rows that touch the window, in order: extended hours of shares too.

        Crypto has one row, from the first instant to the last.
        """
        return await self._catalogue.hours(symbol, window)

    async def fetch_market_status(self, symbol: str | None = None) -> MarketStatus:
        """Return the session that shares, or one instrument, are in now; no halts."""
        return await self._catalogue.status(symbol)

    def wire_client_id(self, client_order_id: str, revision: int) -> str:
        """Return the id itself, and for what replaces it the id, "~" and the revision.

        An id that leaves no room for a revision goes by a hash.
        """
        return token_of(client_order_id, revision)

    async def submit(self, request: OrderRequest) -> Order:
        """Send one order, with its exits. Never sends twice."""
        self._session.check_account(request.account_id)
        return await self._orders.submit(request)

    async def submit_list(
        self,
        requests: Sequence[OrderRequest],
        contingency: Contingency,
        *,
        all_or_none: bool = False,
    ) -> tuple[CommandResult, ...]:
        """Send an OCO of a limit and a stop, or an OTO of an entry and its exits, as one order.

        All or none of it is taken, whether that is asked for or not.

        Raises:
            UnsupportedError: It is another kind of list (NOT_SENT).
        """
        del all_or_none
        for request in requests:
            self._session.check_account(request.account_id)
        return await self._orders.submit_list(requests, contingency)

    async def replace(self, order: Order, change: OrderChange) -> Order:
        """Ask for a change; what `change` does not name stays.

        Raises:
            OrderRejectedError: Alpaca refuses the change; the order stands (REJECTED).
            ConflictError: The order has ended or can't be replaced now (REJECTED).
            UnsupportedError: Alpaca's id of the order is not known yet, or the order can't be
                changed so (NOT_SENT).
        """
        self._session.check_account(order.account_id)
        return await self._orders.replace(order, change)

    async def cancel(self, order: Order) -> Order:
        """Ask for the end of an order, which comes by the stream; a fill may come first.

        Raises:
            ConflictError: The order has ended or can't be canceled now (REJECTED).
            NotFoundError: Alpaca knows no such order (REJECTED).
            UnsupportedError: Alpaca's id of the order is not known yet (NOT_SENT).
        """
        self._session.check_account(order.account_id)
        return await self._orders.cancel(order)

    async def cancel_all(
        self, account_id: str, symbol: str | None = None
    ) -> tuple[CommandResult, ...]:
        """Cancel every open order in one request, those of one symbol one by one."""
        self._session.check_account(account_id)
        if symbol is not None:
            return await super().cancel_all(account_id, symbol)
        return await self._orders.cancel_all()

    async def fetch_order(
        self,
        account_id: str,
        *,
        client_order_id: str | None = None,
        venue_order_id: str | None = None,
        symbol: str | None = None,
    ) -> Order | None:
        """Look one order up, by Alpaca's id where that is known, and all that replaced it."""
        del symbol
        self._session.check_account(account_id)
        return await self._orders.find(client_order_id, venue_order_id)

    async def fetch_open_orders(
        self, account_id: str, symbol: str | None = None
    ) -> tuple[Order, ...]:
        """Return every order that may still execute, held legs too, oldest first."""
        self._session.check_account(account_id)
        return await self._orders.open_orders(symbol)

    def fetch_orders(
        self, account_id: str, window: Window, symbol: str | None = None
    ) -> AsyncIterator[Order]:
        """Yield the orders created in the window, oldest first, each as it stands now."""
        self._session.check_account(account_id)
        return self._orders.history(window, symbol)

    async def fetch_positions(
        self, account_id: str, symbol: str | None = None
    ) -> tuple[Position, ...]:
        """Return the open positions."""
        self._session.check_account(account_id)
        return await self._orders.positions(symbol)

    def fetch_fills(
        self, account_id: str, window: Window, symbol: str | None = None
    ) -> AsyncIterator[Fill]:
        """Yield the fills of the window, oldest first."""
        self._session.check_account(account_id)
        return self._orders.fills(window, symbol)

    async def fetch_quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote]:
        """Return the top of the book of each symbol; nothing stands in it where nobody quotes."""
        return await self._market.quotes(symbols)

    async def fetch_tickers(self, symbols: Sequence[str]) -> Mapping[str, Ticker]:
        """Return the ticker of each symbol."""
        return await self._market.tickers(symbols)

    async def fetch_depth(self, symbol: str, levels: int) -> Depth:
        """Return a snapshot of a pair's book, at most `levels` a side.

        Raises:
            UnsupportedError: It is no pair (NOT_SENT).
        """
        return await self._market.depth(symbol, levels)

    def fetch_bars(
        self,
        symbol: str,
        timeframe: Timeframe,
        window: Window,
        price_source: PriceSource = PriceSource.LAST,
        adjustment: Adjustment = Adjustment.RAW,
    ) -> AsyncIterator[Bar]:
        """Yield the bars that open in the window, oldest first: complete, or an error.

        Raises:
            UnsupportedError: There are no such bars (NOT_SENT).
            PermissionDeniedError: The plan does not include them: of the consolidated feed, a free
                one has none of the last 15 minutes.
        """
        return self._market.bars(symbol, timeframe, window, price_source, adjustment)

    def fetch_trades(self, symbol: str, window: Window) -> AsyncIterator[Trade]:
        """Yield the public prints of the window, oldest first."""
        return self._market.trades(symbol, window)

    def fetch_quote_history(self, symbol: str, window: Window) -> AsyncIterator[Quote]:
        """Yield the quotes of the window, oldest first; raises `UnsupportedError` for options."""
        return self._market.quote_history(symbol, window)

    async def fetch_chain(
        self, underlying: str, expiry: str | None = None
    ) -> tuple[OptionQuote, ...]:
        """Return the chain of an underlying, of one expiry (ISO date) or all, by symbol."""
        return await self._market.chain(underlying, expiry)

    def stream(
        self, subscription: Subscription
    ) -> AbstractAsyncContextManager[AsyncIterator[Sequence[Event]]]:
        """Open one stream of batches. Readers of one session share Alpaca's connections."""
        return self._session.streams.open(subscription)

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
    ) -> RawAnswer:
        """Send one request of any kind to the interface that its path belongs to."""
        response = await self._session.rest.request(method, path, query or {}, body)
        return RawAnswer(
            status=response.status,
            headers=response.headers,
            text=response.body.decode(errors="replace"),
        )
