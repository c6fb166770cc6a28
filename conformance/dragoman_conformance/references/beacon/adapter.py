"""The adapter: beacon behind the library's ports."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NoReturn

import attrs

from dragoman.adapter import Adapter
from dragoman.errors import (
    NotFoundError,
    OutcomeUnknownError,
    ProtocolError,
    UnknownInstrumentError,
    UnknownReason,
    UnsupportedError,
)
from dragoman.models import Adjustment, PriceSource, Subscription, Window
from dragoman.streaming.joined import joined_stream
from dragoman.streaming.resync import venue_stream
from dragoman.transport.base import Transport

from . import mapping
from .capabilities import CAPABILITIES
from .rest import BeaconRest
from .stream import PriceStream, TransactionStream

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
        Ticker,
        Timeframe,
    )

    from . import wire

__all__ = ["BeaconAdapter"]


@attrs.define
class _Shared:
    """What adapters of several accounts have in common; `users` are those bound to an account."""

    transport: Transport
    users: int = 0


class BeaconAdapter(Adapter):
    """Speaks to beacon.

    `rest_type`, `transactions_type` and `prices_type` are what it is made of; a subclass may put
    its own in their place.

    Args:
        context: What everything depends on.
        shared: The session of the adapter that this one was made of; None makes one.
    """

    rest_type: ClassVar[type[BeaconRest]] = BeaconRest
    transactions_type: ClassVar[type[TransactionStream]] = TransactionStream
    prices_type: ClassVar[type[PriceStream]] = PriceStream

    def __init__(self, context: AdapterContext, shared: _Shared | None = None) -> None:
        super().__init__(context)
        self._shared = shared or _Shared(context.make_transport())
        self._shared.users += context.account_id is not None
        self._is_closed = False
        self._rest = self.rest_type(context, self._shared.transport)

    @property
    def capabilities(self) -> Capabilities:
        """What beacon declares."""
        return CAPABILITIES

    def for_account(self, account_id: str) -> Self:
        """Return an adapter of that account over the same session."""
        if account_id == self.context.account_id:
            return self
        return type(self)(attrs.evolve(self.context, account_id=account_id), self._shared)

    async def open(self) -> None:
        """See that beacon is there and knows the token."""
        await self._rest.accounts()

    async def aclose(self) -> None:
        """End the session with the last adapter of an account.

        One without an account ends it for all: it is the one that made it.
        """
        if self._is_closed:
            return
        self._is_closed = True
        self._shared.users -= self.context.account_id is not None
        if self.context.account_id is None or self._shared.users == 0:
            await self._shared.transport.aclose()

    async def fetch_accounts(self) -> tuple[Account, ...]:
        """Return every account of the token."""
        rows = await self._rest.accounts()
        return tuple([mapping.account_of(row, self._reading(row.id)) for row in rows])

    async def fetch_account(self, account_id: str) -> Account:
        """Return one account."""
        row = await self._rest.account(account_id)
        return mapping.account_of(row, self._reading(account_id))

    async def load_instruments(
        self, kinds: Sequence[InstrumentKind] = ()
    ) -> tuple[Instrument, ...]:
        """Return the catalogue, which beacon shows for an account."""
        account_id = await self._any_account()
        reading = self._reading(account_id)
        rows = [row async for row in self._rest.instruments(account_id)]
        found = [mapping.instrument_of(row, reading) for row in rows]
        return tuple([one for one in found if not kinds or one.kind in kinds])

    async def search_instruments(self, text: str, limit: int = 20) -> tuple[Instrument, ...]:
        """Return instruments whose symbol, alias or name contains the text."""
        wanted = text.upper()
        found = [
            one
            for one in await self.load_instruments()
            if any(wanted in name.upper() for name in (one.symbol, *one.aliases, one.name or ""))
        ]
        return tuple(found[:limit])

    async def fetch_instrument(self, symbol_or_alias: str) -> Instrument:
        """Return one instrument."""
        for instrument in await self.load_instruments():
            if symbol_or_alias in {instrument.symbol, *instrument.aliases}:
                return instrument
        message = f"beacon lists no {symbol_or_alias!r}"
        raise UnknownInstrumentError(message, provider=self.context.provider)

    def wire_client_id(self, client_order_id: str, revision: int) -> str:
        """Return the id itself: what replaces an order keeps the client's id."""
        del revision
        return client_order_id

    async def submit(self, request: OrderRequest) -> Order:
        """Send one order, with its exits."""
        account_id = request.account_id or self.context.account_id or ""
        row = await self._rest.submit(account_id, mapping.order_body(request))
        return self._answered(row, account_id, request.client_order_id)

    async def replace(self, order: Order, change: OrderChange) -> Order:
        """Have another order take the place of this one."""
        name = mapping.specifier_of(order.client_order_id, order.venue_order_id)
        row = await self._rest.replace(order.account_id, name, mapping.change_body(change))
        return self._answered(row, order.account_id, order.client_order_id)

    async def cancel(self, order: Order) -> Order:
        """Ask for the end of an order."""
        name = mapping.specifier_of(order.client_order_id, order.venue_order_id)
        row = await self._rest.cancel(order.account_id, name)
        return self._answered(row, order.account_id, order.client_order_id)

    async def fetch_order(
        self,
        account_id: str,
        *,
        client_order_id: str | None = None,
        venue_order_id: str | None = None,
        symbol: str | None = None,
    ) -> Order | None:
        """Look one order up; an id that was replaced leads to the order that stands for it."""
        del symbol
        name = mapping.specifier_of(client_order_id, venue_order_id)
        try:
            row = await self._rest.order(account_id, name)
        except NotFoundError:
            return None
        return mapping.order_of(row, self._reading(account_id))

    async def fetch_open_orders(
        self, account_id: str, symbol: str | None = None
    ) -> tuple[Order, ...]:
        """Return the orders that may still execute, held exits too."""
        rows = self._rest.orders(account_id, "PENDING", Window())
        orders = [mapping.order_of(row, self._reading(account_id)) async for row in rows]
        return tuple([one for one in orders if symbol in (None, one.symbol)])

    async def fetch_orders(
        self, account_id: str, window: Window, symbol: str | None = None
    ) -> AsyncIterator[Order]:
        """Yield the orders created in the window."""
        left = window.limit
        async for row in self._rest.orders(account_id, "ALL", window):
            if symbol in (None, row.instrument):
                yield mapping.order_of(row, self._reading(account_id))
                left = None if left is None else left - 1
                if left == 0:
                    return

    async def fetch_positions(
        self, account_id: str, symbol: str | None = None
    ) -> tuple[Position, ...]:
        """Return the open positions."""
        reading = self._reading(account_id)
        found = [
            mapping.position_of(row, reading) for row in await self._rest.positions(account_id)
        ]
        return tuple([one for one in found if symbol in (None, one.symbol)])

    async def fetch_fills(
        self, account_id: str, window: Window, symbol: str | None = None
    ) -> AsyncIterator[Fill]:
        """Yield the fills of the window."""
        left = window.limit
        async for row in self._rest.transactions(account_id, "ORDER_FILL", window):
            fill = mapping.fill_of(row, self._reading(account_id))
            if symbol in (None, fill.symbol):
                yield fill
                left = None if left is None else left - 1
                if left == 0:
                    return

    async def fetch_quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote]:
        """Return the dealer's price of each symbol."""
        account_id = await self._any_account()
        reading = self._reading(account_id)
        rows = await self._rest.prices(account_id, symbols)
        return {row.instrument: mapping.quote_of(row, reading) for row in rows}

    def stream(
        self, subscription: Subscription
    ) -> AbstractAsyncContextManager[AsyncIterator[Sequence[Event]]]:
        """Open a stream of transactions, one of prices, or both.

        Raises:
            UnsupportedError: It asks for more than beacon streams (NOT_SENT).
        """
        missing = subscription.channels - CAPABILITIES.streams
        if missing:
            _not_offered(f"streams of {', '.join(sorted(missing))}")
        context, transport = self.context, self._shared.transport
        prices = Subscription(quotes=subscription.quotes)
        private = subscription - prices
        streams: list[AbstractAsyncContextManager[AsyncIterator[Sequence[Event]]]] = []
        if not private.is_empty:
            transactions = self.transactions_type(context)
            streams.append(
                venue_stream(
                    transactions, context=context, transport=transport, subscription=private
                )
            )
        if not prices.is_empty:
            quotes = self.prices_type(context, self._rest, tuple(prices.quotes))
            streams.append(
                venue_stream(quotes, context=context, transport=transport, subscription=prices)
            )
        return streams[0] if len(streams) == 1 else joined_stream(streams)

    def fetch_ledger(
        self, account_id: str, window: Window, kinds: Sequence[LedgerKind] = ()
    ) -> AsyncIterator[LedgerEntry]:
        """Beacon keeps no ledger for its clients."""
        del account_id, window, kinds
        _not_offered("a ledger")

    async def fetch_hours(self, symbol: str, window: Window) -> tuple[MarketHours, ...]:
        """Beacon publishes no calendar."""
        del symbol, window
        _not_offered("market hours")

    async def fetch_tickers(self, symbols: Sequence[str]) -> Mapping[str, Ticker]:
        """Beacon shows no more of an instrument than its price."""
        del symbols
        _not_offered("tickers")

    async def fetch_depth(self, symbol: str, levels: int) -> Depth:
        """Beacon shows no book."""
        del symbol, levels
        _not_offered("depth")

    async def fetch_market_status(self, symbol: str | None = None) -> MarketStatus:
        """Beacon publishes no status."""
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
        """Beacon keeps no prices of the past."""
        del symbol, timeframe, window, price_source, adjustment
        _not_offered("bars")

    def fetch_trades(self, symbol: str, window: Window) -> NoReturn:
        """A dealer prints no trades."""
        del symbol, window
        _not_offered("trades")

    def fetch_quote_history(self, symbol: str, window: Window) -> NoReturn:
        """Beacon keeps no prices of the past."""
        del symbol, window
        _not_offered("quotes of the past")

    async def _any_account(self) -> str:
        """Return an account to ask by for what is the same for all of them."""
        return self.context.account_id or (await self._rest.accounts())[0].id

    def _reading(self, account_id: str) -> mapping.Reading:
        return mapping.Reading(
            provider=self.context.provider,
            account_id=account_id,
            received_at_ns=self.context.clock.now_ns(),
        )

    def _answered(self, row: wire.OrderRow, account_id: str, client_order_id: str | None) -> Order:
        """Return the order that a command was answered with, if it is the one it was about."""
        try:
            order = mapping.order_of(row, self._reading(account_id))
            if client_order_id in {None, order.client_order_id}:
                return order
            message = "beacon answered with another order"
        except ProtocolError as error:
            message = error.message
        raise OutcomeUnknownError(
            message, reason=UnknownReason.BAD_RESPONSE, provider=self.context.provider
        )


def _not_offered(what: str) -> NoReturn:
    raise UnsupportedError(f"beacon offers no {what}")
