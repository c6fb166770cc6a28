"""The adapter: harbor behind the library's ports."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import attrs

from dragoman.adapter import Adapter
from dragoman.errors import (
    NotFoundError,
    OutcomeUnknownError,
    UnknownInstrumentError,
    UnknownReason,
    UnsupportedError,
)
from dragoman.models.enums import Adjustment, PriceSource
from dragoman.streaming.resync import venue_stream
from dragoman.transport.base import Transport

from .capabilities import CAPABILITIES
from .mapping import (
    account_of,
    change_content,
    fill_of,
    instrument_of,
    order_content,
    order_of,
    position_of,
)
from .rest import HarborRest
from .stream import HarborStreamProtocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager
    from typing import Self

    from dragoman.adapter import AdapterContext
    from dragoman.capabilities import Capabilities
    from dragoman.models import (
        Account,
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
        Window,
    )

    from .wire import OrderRow

__all__ = ["HarborAdapter"]


@attrs.define
class _Shared:
    """What adapters of several accounts have in common; the last to leave closes it."""

    transport: Transport
    users: int = 0


class HarborAdapter(Adapter):
    """Speaks to harbor.

    Args:
        context: What everything depends on.
        shared: The session of the adapter that this one was made of; None makes one.
    """

    def __init__(self, context: AdapterContext, shared: _Shared | None = None) -> None:
        super().__init__(context)
        self._shared = shared or _Shared(context.make_transport())
        self._shared.users += 1
        self._is_closed = False
        self._rest = HarborRest(context, self._shared.transport)

    @property
    def capabilities(self) -> Capabilities:
        """What harbor declares."""
        return CAPABILITIES

    def for_account(self, account_id: str) -> Self:
        """Return an adapter of that account over the same session."""
        if account_id == self.context.account_id:
            return self
        return type(self)(attrs.evolve(self.context, account_id=account_id), self._shared)

    async def open(self) -> None:
        """See that harbor is there and knows the key."""
        await self._rest.accounts()

    async def aclose(self) -> None:
        """End the session with its last adapter."""
        if self._is_closed:
            return
        self._is_closed = True
        self._shared.users -= 1
        if self._shared.users == 0:
            await self._shared.transport.aclose()

    async def fetch_accounts(self) -> tuple[Account, ...]:
        """Return every account of the key."""
        now_ns = self.context.clock.now_ns()
        return tuple([account_of(row, now_ns) for row in await self._rest.accounts()])

    async def fetch_account(self, account_id: str) -> Account:
        """Return one account."""
        for account in await self.fetch_accounts():
            if account.account_id == account_id:
                return account
        raise NotFoundError(f"harbor shows no account {account_id!r}")

    async def load_instruments(
        self, kinds: Sequence[InstrumentKind] = ()
    ) -> tuple[Instrument, ...]:
        """Return the catalogue."""
        now_ns = self.context.clock.now_ns()
        found = [instrument_of(row, now_ns) for row in await self._rest.instruments()]
        return tuple([one for one in found if not kinds or one.kind in kinds])

    async def search_instruments(self, text: str, limit: int = 20) -> tuple[Instrument, ...]:
        """Return instruments whose symbol contains the text."""
        found = [one for one in await self.load_instruments() if text.upper() in one.symbol]
        return tuple(found[:limit])

    async def fetch_instrument(self, symbol_or_alias: str) -> Instrument:
        """Return one instrument."""
        for instrument in await self.load_instruments():
            if instrument.symbol == symbol_or_alias:
                return instrument
        raise UnknownInstrumentError(f"harbor lists no {symbol_or_alias!r}")

    async def submit(self, request: OrderRequest) -> Order:
        """Send one order."""
        row = await self._rest.submit(order_content(request))
        return self._answered(row, request.client_order_id)

    async def replace(self, order: Order, change: OrderChange) -> Order:
        """Change quantity or price of an order."""
        venue_id = order.venue_order_id
        if venue_id is None:
            raise UnsupportedError("harbor replaces by its own id, which is not known yet")
        row = await self._rest.replace(venue_id, change_content(change))
        return self._answered(row, order.client_order_id)

    async def cancel(self, order: Order) -> Order:
        """Ask for the end of an order."""
        row = await self._rest.cancel(order.venue_order_id, order.client_order_id)
        return self._answered(row, order.client_order_id)

    async def fetch_order(
        self,
        account_id: str,
        *,
        client_order_id: str | None = None,
        venue_order_id: str | None = None,
        symbol: str | None = None,
    ) -> Order | None:
        """Look one order up, by harbor's id where that is known."""
        del account_id, symbol
        client_id = None if venue_order_id is not None else client_order_id
        try:
            row = await self._rest.order(venue_order_id, client_id)
        except NotFoundError:
            return None
        return order_of(row, self.context.clock.now_ns())

    async def fetch_open_orders(
        self, account_id: str, symbol: str | None = None
    ) -> tuple[Order, ...]:
        """Return the working orders."""
        now_ns = self.context.clock.now_ns()
        orders = [order_of(row, now_ns) for row in await self._rest.open_orders(account_id)]
        return tuple([one for one in orders if symbol in (None, one.symbol)])

    async def fetch_orders(
        self, account_id: str, window: Window, symbol: str | None = None
    ) -> AsyncIterator[Order]:
        """Yield the orders taken in the window."""
        async for row in self._rest.history(account_id, window):
            if symbol in (None, row.symbol):
                yield order_of(row, self.context.clock.now_ns())

    async def fetch_positions(
        self, account_id: str, symbol: str | None = None
    ) -> tuple[Position, ...]:
        """Return the open positions."""
        now_ns = self.context.clock.now_ns()
        found = [position_of(row, now_ns) for row in await self._rest.positions(account_id)]
        return tuple([one for one in found if symbol in (None, one.symbol)])

    async def fetch_fills(
        self, account_id: str, window: Window, symbol: str | None = None
    ) -> AsyncIterator[Fill]:
        """Yield the fills of the window."""
        async for row in self._rest.fills(account_id, window):
            if symbol in (None, row.symbol):
                yield fill_of(row, self.context.clock.now_ns())

    def stream(
        self, subscription: Subscription
    ) -> AbstractAsyncContextManager[AsyncIterator[Sequence[Event]]]:
        """Open the private stream of this adapter's account."""
        return venue_stream(
            HarborStreamProtocol(self.context, self.context.account_id or ""),
            context=self.context,
            transport=self._shared.transport,
            subscription=subscription,
        )

    def fetch_ledger(
        self, account_id: str, window: Window, kinds: Sequence[LedgerKind] = ()
    ) -> AsyncIterator[LedgerEntry]:
        """Harbor keeps no ledger for its clients."""
        del account_id, window, kinds
        _not_offered("a ledger")

    async def fetch_hours(self, symbol: str, window: Window) -> tuple[MarketHours, ...]:
        """Harbor never closes, and says so nowhere."""
        del symbol, window
        _not_offered("market hours")

    async def fetch_quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote]:
        """Harbor shows no prices."""
        del symbols
        _not_offered("quotes")

    async def fetch_tickers(self, symbols: Sequence[str]) -> Mapping[str, Ticker]:
        """Harbor shows no prices."""
        del symbols
        _not_offered("tickers")

    async def fetch_depth(self, symbol: str, levels: int) -> Depth:
        """Harbor shows no book."""
        del symbol, levels
        _not_offered("depth")

    async def fetch_market_status(self, symbol: str | None = None) -> MarketStatus:
        """Harbor never closes, and says so nowhere."""
        del symbol
        _not_offered("a market status")

    def fetch_bars(
        self,
        symbol: str,
        timeframe: Timeframe,
        window: Window,
        price_source: PriceSource = PriceSource.LAST,
        adjustment: Adjustment = Adjustment.RAW,
    ) -> NoReturn:
        """Harbor shows no prices."""
        del symbol, timeframe, window, price_source, adjustment
        _not_offered("bars")

    def fetch_trades(self, symbol: str, window: Window) -> NoReturn:
        """Harbor shows no prices."""
        del symbol, window
        _not_offered("trades")

    def fetch_quote_history(self, symbol: str, window: Window) -> NoReturn:
        """Harbor shows no prices."""
        del symbol, window
        _not_offered("quotes of the past")

    def _answered(self, row: OrderRow, client_order_id: str | None) -> Order:
        """Return the order that a command was answered with, if it is the one it was about."""
        order = order_of(row, self.context.clock.now_ns())
        if order.client_order_id != client_order_id:
            message = "harbor answered with another order"
            raise OutcomeUnknownError(message, reason=UnknownReason.BAD_RESPONSE)
        return order


def _not_offered(what: str) -> NoReturn:
    raise UnsupportedError(f"harbor offers no {what}")
