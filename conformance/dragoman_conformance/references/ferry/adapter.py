"""The adapter: ferry behind the library's ports."""

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
from dragoman.models import Adjustment, PendingAction, PriceSource
from dragoman.transport.base import Transport

from . import mapping, names
from .capabilities import CAPABILITIES
from .polling import AccountWatch, OpenOrders
from .rest import FerryRest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
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
        Window,
    )

    from . import wire

__all__ = ["FerryAdapter"]

_STEPS = {"1m": "60", "5m": "300", "1h": "3600"}


@attrs.define
class _Shared:
    """What adapters of several accounts have in common; `users` are those bound to an account."""

    transport: Transport
    rest: FerryRest
    users: int = 0


class FerryAdapter(Adapter):
    """Speaks to ferry.

    `rest_type` and `watch_type` are what it is made of; a subclass may put its own in their place.

    Args:
        context: What everything depends on.
        shared: The session of the adapter that this one was made of; None makes one.
    """

    rest_type: ClassVar[type[FerryRest]] = FerryRest
    watch_type: ClassVar[type[AccountWatch]] = AccountWatch

    def __init__(self, context: AdapterContext, shared: _Shared | None = None) -> None:
        super().__init__(context)
        if shared is None:
            transport = context.make_transport()
            shared = _Shared(transport, self.rest_type(context, transport))
        self._shared = shared
        self._shared.users += context.account_id is not None
        self._is_closed = False
        self._rest = shared.rest
        self._open_orders = OpenOrders()

    @property
    def capabilities(self) -> Capabilities:
        """What ferry declares."""
        return CAPABILITIES

    def for_account(self, account_id: str) -> Self:
        """Return an adapter of that account over the same session."""
        if account_id == self.context.account_id:
            return self
        return type(self)(attrs.evolve(self.context, account_id=account_id), self._shared)

    async def open(self) -> None:
        """Log in, and see that ferry answers."""
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
        """Return every account of the login."""
        rows = await self._rest.accounts()
        return tuple([mapping.account_of(row, self._reading(row.id)) for row in rows])

    async def fetch_account(self, account_id: str) -> Account:
        """Return one account."""
        for account in await self.fetch_accounts():
            if account.account_id == account_id:
                return account
        message = f"ferry shows no account {account_id!r}"
        raise NotFoundError(message, provider=self.context.provider)

    async def load_instruments(
        self, kinds: Sequence[InstrumentKind] = ()
    ) -> tuple[Instrument, ...]:
        """Return the catalogue."""
        reading = self._reading("")
        found = [mapping.instrument_of(row, reading) async for row in self._rest.instruments()]
        return tuple([one for one in found if not kinds or one.kind in kinds])

    async def search_instruments(self, text: str, limit: int = 20) -> tuple[Instrument, ...]:
        """Return instruments whose symbol or name contains the text."""
        wanted = text.upper()
        found = [
            one
            for one in await self.load_instruments()
            if any(wanted in name.upper() for name in (one.symbol, one.name or ""))
        ]
        return tuple(found[:limit])

    async def fetch_instrument(self, symbol_or_alias: str) -> Instrument:
        """Return one instrument; ferry knows no aliases."""
        for instrument in await self.load_instruments():
            if instrument.symbol == symbol_or_alias:
                return instrument
        message = f"ferry lists no {symbol_or_alias!r}"
        raise UnknownInstrumentError(message, provider=self.context.provider)

    def wire_client_id(self, client_order_id: str, revision: int) -> str:
        """Return the id itself where ferry takes it, else a hash of it."""
        return names.token_of(client_order_id, revision)

    async def submit(self, request: OrderRequest) -> Order:
        """Send one order."""
        client_order_id = request.client_order_id or self.context.ids.next_id()
        account_id = request.account_id or self.context.account_id or ""
        request = attrs.evolve(request, account_id=account_id)
        token = self.wire_client_id(client_order_id, 0)
        row = await self._rest.submit(mapping.order_form(request, token))
        order = self._answered(row, account_id)
        if row.client != token:
            raise self._misled("ferry answered with another order")
        return attrs.evolve(order, client_order_id=client_order_id)

    async def replace(self, order: Order, change: OrderChange) -> Order:
        """Ferry changes no orders: they are canceled and sent anew by the library."""
        del order, change
        _not_offered("a replace")

    async def cancel(self, order: Order) -> Order:
        """Ask for the end of an order, by ferry's id where that is known.

        Where the answer shows more filled than was known, the next round tells that first, and then
        the end: until then the order is on its way to it.
        """
        account_id, order_id = order.account_id, order.venue_order_id
        token = self.wire_client_id(order.client_order_id, 0)
        row = await self._rest.cancel(account_id, order_id=order_id, token=token)
        canceled = self._answered(row, account_id)
        if order_id not in {None, row.id} or (order_id is None and row.client != token):
            raise self._misled("ferry answered with another order")
        if canceled.filled_quantity > order.filled_quantity:
            now_ns = self.context.clock.now_ns()
            return attrs.evolve(order, pending=PendingAction.CANCEL, received_at_ns=now_ns)
        return self._named(canceled, order.client_order_id)

    async def fetch_order(
        self,
        account_id: str,
        *,
        client_order_id: str | None = None,
        venue_order_id: str | None = None,
        symbol: str | None = None,
    ) -> Order | None:
        """Look one order up, by ferry's id where that is known."""
        del symbol
        token = None if client_order_id is None else self.wire_client_id(client_order_id, 0)
        try:
            row = await self._rest.order(account_id, order_id=venue_order_id, token=token)
        except NotFoundError:
            return None
        self._open_orders.note(row)
        return self._named(mapping.order_of(row, self._reading(account_id)), client_order_id)

    async def fetch_open_orders(
        self, account_id: str, symbol: str | None = None
    ) -> tuple[Order, ...]:
        """Return the orders that may still execute."""
        reading = self._reading(account_id)
        rows = await self._rest.open_orders(account_id)
        orders = [mapping.order_of(row, reading) for row in rows]
        return tuple([one for one in orders if symbol in (None, one.symbol)])

    async def fetch_orders(
        self, account_id: str, window: Window, symbol: str | None = None
    ) -> AsyncIterator[Order]:
        """Yield the orders created in the window."""
        left = window.limit
        async for row in self._rest.orders(account_id, window):
            order = mapping.order_of(row, self._reading(account_id))
            is_within = order.created_at_ns is not None and window.covers(order.created_at_ns)
            if is_within and symbol in (None, order.symbol):
                yield order
                left = None if left is None else left - 1
                if left == 0:
                    return

    async def fetch_positions(
        self, account_id: str, symbol: str | None = None
    ) -> tuple[Position, ...]:
        """Return the open positions."""
        reading = self._reading(account_id)
        rows = await self._rest.positions(account_id)
        found = [mapping.position_of(row, reading) for row in rows]
        return tuple([one for one in found if symbol in (None, one.symbol)])

    async def fetch_fills(
        self, account_id: str, window: Window, symbol: str | None = None
    ) -> AsyncIterator[Fill]:
        """Yield the fills of the window."""
        left = window.limit
        async for row in self._rest.fills(account_id, window):
            fill = mapping.fill_of(row, self._reading(account_id))
            if window.covers(fill.venue_time_ns) and symbol in (None, fill.symbol):
                yield fill
                left = None if left is None else left - 1
                if left == 0:
                    return

    async def fetch_quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote]:
        """Return the top of the book of each symbol."""
        reading = self._reading(self.context.account_id or "")
        rows = await self._rest.quotes(symbols)
        return {row.sym: mapping.quote_of(row, reading) for row in rows}

    async def fetch_bars(
        self,
        symbol: str,
        timeframe: Timeframe,
        window: Window,
        price_source: PriceSource = PriceSource.LAST,
        adjustment: Adjustment = Adjustment.RAW,
    ) -> AsyncIterator[Bar]:
        """Yield the bars that open in the window.

        Raises:
            UnsupportedError: Ferry makes no such bars (NOT_SENT).
        """
        step = _STEPS.get(str(timeframe))
        if step is None or (price_source, adjustment) != (PriceSource.LAST, Adjustment.RAW):
            _not_offered(f"bars of {timeframe} of {price_source}, {adjustment}")
        left = window.limit
        async for row in self._rest.bars(symbol, step, window):
            bar = mapping.bar_of(row, symbol, timeframe, self._reading(""))
            if window.covers(bar.open_time_ns):
                yield bar
                left = None if left is None else left - 1
                if left == 0:
                    return

    def stream(
        self, subscription: Subscription
    ) -> AbstractAsyncContextManager[AsyncIterator[Sequence[Event]]]:
        """Tell what becomes of orders and positions, which are asked for once a second.

        Raises:
            UnsupportedError: It asks for more (NOT_SENT).
        """
        missing = subscription.channels - CAPABILITIES.streams
        if missing:
            _not_offered(f"streams of {', '.join(sorted(missing))}")
        return self.watch_type(self.context, self._rest, self._open_orders).open()

    def fetch_ledger(
        self, account_id: str, window: Window, kinds: Sequence[LedgerKind] = ()
    ) -> AsyncIterator[LedgerEntry]:
        """Ferry keeps no ledger for its clients."""
        del account_id, window, kinds
        _not_offered("a ledger")

    async def fetch_hours(self, symbol: str, window: Window) -> tuple[MarketHours, ...]:
        """Ferry publishes no calendar."""
        del symbol, window
        _not_offered("market hours")

    async def fetch_tickers(self, symbols: Sequence[str]) -> Mapping[str, Ticker]:
        """Ferry shows no more of an instrument than its quote."""
        del symbols
        _not_offered("tickers")

    async def fetch_depth(self, symbol: str, levels: int) -> Depth:
        """Ferry shows no book."""
        del symbol, levels
        _not_offered("depth")

    async def fetch_market_status(self, symbol: str | None = None) -> MarketStatus:
        """Ferry publishes no status."""
        del symbol
        _not_offered("a market status")

    def fetch_trades(self, symbol: str, window: Window) -> NoReturn:
        """Ferry shows no prints."""
        del symbol, window
        _not_offered("trades")

    def fetch_quote_history(self, symbol: str, window: Window) -> NoReturn:
        """Ferry keeps no quotes of the past."""
        del symbol, window
        _not_offered("quotes of the past")

    def _reading(self, account_id: str) -> mapping.Reading:
        return mapping.Reading(
            provider=self.context.provider,
            account_id=account_id,
            received_at_ns=self.context.clock.now_ns(),
        )

    def _answered(self, row: wire.OrderRow, account_id: str) -> Order:
        """Return the order that a command was answered with, and watch it from now on."""
        try:
            order = mapping.order_of(row, self._reading(account_id))
        except ProtocolError as error:
            message = error.message
        else:
            self._open_orders.stir(row)
            return order
        raise self._misled(message)

    def _named(self, order: Order, client_order_id: str | None) -> Order:
        """Name an order by the id that it was asked for by, if its own is the token of that."""
        if client_order_id is None:
            return order
        if order.client_order_id != self.wire_client_id(client_order_id, 0):
            return order
        return attrs.evolve(order, client_order_id=client_order_id)

    def _misled(self, message: str) -> OutcomeUnknownError:
        return OutcomeUnknownError(
            message, reason=UnknownReason.BAD_RESPONSE, provider=self.context.provider
        )


def _not_offered(what: str) -> NoReturn:
    raise UnsupportedError(f"ferry offers no {what}")
