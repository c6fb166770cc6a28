"""The adapter: wharf behind the library's ports.

What a row means is in `mapping`, what is asked for where in `rest` and `stream`, what is offered in
`capabilities`, what refusals mean in `errors`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final, NoReturn, TypeVar

import attrs

from dragoman.adapter import Adapter
from dragoman.errors import (
    NotFoundError,
    OutcomeUnknownError,
    ProtocolError,
    UnknownReason,
    UnsupportedError,
)
from dragoman.models import Adjustment, CommandResult, Contingency, PriceSource
from dragoman.ports import ListPort
from dragoman.streaming.shared import SharedStream
from dragoman.times import format_time
from dragoman.transport.base import Transport

from . import errors, mapping
from .capabilities import CAPABILITIES
from .rest import SUBMIT_LIST, WharfRest
from .stream import WharfStreamProtocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence
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

    from . import wire
    from .rest import Query

__all__ = ["WharfAdapter"]

_UNKNOWN_ORDER: Final = "unknown_order"
_REFUSED: Final = 422

Row = TypeVar("Row")
WireRow = TypeVar("WireRow")


@attrs.define
class _Session:
    """What adapters of several accounts share; the last of them to leave ends it."""

    transport: Transport
    rest: WharfRest
    users: int = 0


class WharfAdapter(Adapter, ListPort):
    """Speaks to wharf.

    Args:
        context: What everything depends on.
        session: The session of the adapter that this one was made of; None makes one.
    """

    rest_type: ClassVar[type[WharfRest]] = WharfRest
    stream_type: ClassVar[type[WharfStreamProtocol]] = WharfStreamProtocol

    def __init__(self, context: AdapterContext, session: _Session | None = None) -> None:
        super().__init__(context)
        if session is None:
            transport = context.make_transport()
            session = _Session(transport, self.rest_type(context, transport))
        self._session = session
        if context.account_id is not None:
            session.users += 1
        self._is_closed = False
        self._rest = session.rest
        self._stream: SharedStream[str | bytes] = SharedStream(
            lambda: self.stream_type(context, session.rest),
            context=context,
            transport=session.transport,
        )

    @property
    def capabilities(self) -> Capabilities:
        """What wharf declares."""
        return CAPABILITIES

    def for_account(self, account_id: str) -> Self:
        """Return an adapter of that account over the same session."""
        if account_id == self.context.account_id:
            return self
        context = attrs.evolve(self.context, account_id=account_id)
        return type(self)(context, self._session)

    async def open(self) -> None:
        """Learn wharf's time, and see that it takes the key.

        Raises:
            AuthenticationError: It does not.
            ConnectFailedError: Wharf was not reached (NOT_SENT).
        """
        await self._rest.learn_time()
        await self._rest.accounts()

    async def aclose(self) -> None:
        """End the streams, and the session unless adapters of other accounts share it. Idempotent.

        An adapter without an account ends it for all: it is the one that made it.
        """
        if self._is_closed:
            return
        self._is_closed = True
        await self._stream.aclose()
        if self.context.account_id is not None:
            self._session.users -= 1
            if self._session.users:
                return
        await self._session.transport.aclose()

    async def fetch_accounts(self) -> tuple[Account, ...]:
        """Return every account of the key."""
        rows, reading = await self._rest.accounts(), self._reading()
        return tuple([mapping.account_of(row, reading) for row in rows])

    async def fetch_account(self, account_id: str) -> Account:
        """Return one account; raises `NotFoundError` for one that the key does not reach."""
        for account in await self.fetch_accounts():
            if account.account_id == account_id:
                return account
        raise NotFoundError(f"wharf shows no account {account_id!r}", provider=self._provider)

    async def load_instruments(
        self, kinds: Sequence[InstrumentKind] = ()
    ) -> tuple[Instrument, ...]:
        """Return the whole catalogue, or only the kinds named."""
        rows = [row async for row in self._rest.instruments()]
        reading = self._reading()
        found = [mapping.instrument_of(row, reading) for row in rows]
        return tuple([one for one in found if not kinds or one.kind in kinds])

    async def search_instruments(self, text: str, limit: int = 20) -> tuple[Instrument, ...]:
        """Return instruments with the text in symbol, alias or name; reads the whole catalogue."""
        wanted = text.upper()
        found = [
            one
            for one in await self.load_instruments()
            if any(wanted in name.upper() for name in (one.symbol, *one.aliases, one.name or ""))
        ]
        found.sort(key=lambda one: one.symbol.upper() != wanted)
        return tuple(found[:limit])

    async def fetch_instrument(self, symbol_or_alias: str) -> Instrument:
        """Return one instrument; raises `UnknownInstrumentError`."""
        row = await self._rest.instrument(symbol_or_alias)
        return mapping.instrument_of(row, self._reading())

    def wire_client_id(self, client_order_id: str, revision: int) -> str:
        """Return the id itself or, where wharf's grammar does not hold it, a hash; for life."""
        del revision
        return mapping.token_of(client_order_id)

    async def submit(self, request: OrderRequest) -> Order:
        """Send one order, with its exits. Never sends twice."""
        row = await self._rest.submit(mapping.order_body(request))
        return self._answered(row, request.client_order_id or "")

    async def submit_list(
        self,
        requests: Sequence[OrderRequest],
        contingency: Contingency,
        *,
        all_or_none: bool = False,
    ) -> tuple[CommandResult, ...]:
        """Send orders of which one cancels the other; wharf takes all of them or none.

        Raises:
            UnsupportedError: It is another kind of list (NOT_SENT).
        """
        del all_or_none
        if contingency is not Contingency.OCO:
            raise UnsupportedError(f"wharf takes no lists of contingency {contingency}")
        items = await self._rest.submit_list(mapping.list_body(requests))
        found = {item.client_id: item for item in items}
        names = [request.client_order_id or "" for request in requests]
        return tuple([self._result(name, found.get(mapping.token_of(name))) for name in names])

    async def replace(self, order: Order, change: OrderChange) -> Order:
        """Change an order in its place; what `change` does not name stays.

        Raises:
            UnsupportedError: Wharf's id of the order is not known yet (NOT_SENT).
        """
        venue_id = order.venue_order_id
        if venue_id is None:
            message = f"wharf's id of order {order.client_order_id} is not known yet"
            raise UnsupportedError(message, provider=self._provider)
        row = await self._rest.replace(order.account_id, venue_id, mapping.change_body(change))
        return self._answered(row, order.client_order_id)

    async def cancel(self, order: Order) -> Order:
        """Ask for the end of an order, by the client's id where wharf's is not known yet."""
        if order.venue_order_id is not None:
            row = await self._rest.cancel(order.account_id, order.venue_order_id)
        else:
            token = mapping.token_of(order.client_order_id)
            row = await self._rest.cancel_by_client_id(order.account_id, token)
        return self._answered(row, order.client_order_id)

    async def fetch_order(
        self,
        account_id: str,
        *,
        client_order_id: str | None = None,
        venue_order_id: str | None = None,
        symbol: str | None = None,
    ) -> Order | None:
        """Look one order up, by wharf's id where that is known; None: not visible now."""
        del symbol
        try:
            if venue_order_id is not None:
                row = await self._rest.order(account_id, venue_order_id)
            else:
                token = mapping.token_of(client_order_id or "")
                row = await self._rest.order_by_client_id(account_id, token)
        except NotFoundError as error:
            if error.code == _UNKNOWN_ORDER:
                return None
            raise
        return self._named(mapping.order_of(row, self._reading()), client_order_id)

    async def fetch_open_orders(
        self, account_id: str, symbol: str | None = None
    ) -> tuple[Order, ...]:
        """Return every order that may still execute, held legs too."""
        rows = [row async for row in self._rest.open_orders(account_id)]
        reading = self._reading()
        orders = [mapping.order_of(row, reading) for row in rows]
        return tuple([one for one in orders if symbol in (None, one.symbol)])

    def fetch_orders(
        self, account_id: str, window: Window, symbol: str | None = None
    ) -> AsyncIterator[Order]:
        """Yield the orders created in the window, oldest first."""
        query = _query(window, account=account_id, symbol=symbol)
        return self._rows(self._rest.history(query), mapping.order_of, window.limit)

    async def fetch_positions(
        self, account_id: str, symbol: str | None = None
    ) -> tuple[Position, ...]:
        """Return the open positions."""
        rows = [row async for row in self._rest.positions(account_id)]
        reading = self._reading()
        found = [mapping.position_of(row, reading) for row in rows]
        return tuple([one for one in found if symbol in (None, one.symbol)])

    def fetch_fills(
        self, account_id: str, window: Window, symbol: str | None = None
    ) -> AsyncIterator[Fill]:
        """Yield the fills of the window, oldest first."""
        query = _query(window, account=account_id, symbol=symbol)
        return self._rows(self._rest.fills(query), mapping.fill_of, window.limit)

    async def fetch_quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote]:
        """Return the top of the book of each symbol."""
        if not symbols:
            return {}
        rows, reading = await self._rest.quotes(symbols), self._reading()
        found = {row.symbol: mapping.quote_of(row, reading) for row in rows}
        missing = [symbol for symbol in symbols if symbol not in found]
        if missing:
            raise ProtocolError(f"wharf says nothing of {', '.join(missing)}")
        return found

    def fetch_bars(
        self,
        symbol: str,
        timeframe: Timeframe,
        window: Window,
        price_source: PriceSource = PriceSource.LAST,
        adjustment: Adjustment = Adjustment.RAW,
    ) -> AsyncIterator[Bar]:
        """Yield the bars that open in the window, oldest first.

        Raises:
            UnsupportedError: Wharf has no such bars (NOT_SENT).
        """
        self._check_timeframes([timeframe])
        if price_source is not PriceSource.LAST or adjustment is not Adjustment.RAW:
            self._not_offered("bars but of prints, as they were")
        query = (*_query(window, symbol=symbol), ("timeframe", str(timeframe)))
        return self._rows(self._rest.bars(query), mapping.bar_of, window.limit)

    def fetch_trades(self, symbol: str, window: Window) -> AsyncIterator[Trade]:
        """Yield the public prints of the window, oldest first."""
        query = _query(window, symbol=symbol)
        return self._rows(self._rest.trades(query), mapping.trade_of, window.limit)

    def stream(
        self, subscription: Subscription
    ) -> AbstractAsyncContextManager[AsyncIterator[Sequence[Event]]]:
        """Read what a subscription asks for, on the one connection of this adapter's account.

        Raises:
            UnsupportedError: Wharf does not stream all of it; nothing was sent.
        """
        missing = subscription.channels - CAPABILITIES.streams
        if missing:
            self._not_offered(f"streams of {', '.join(sorted(missing)).lower()}")
        self._check_timeframes([timeframe for _, timeframe in subscription.bars])
        return self._stream.read(subscription)

    def fetch_ledger(
        self, account_id: str, window: Window, kinds: Sequence[LedgerKind] = ()
    ) -> AsyncIterator[LedgerEntry]:
        """Wharf keeps no ledger for its clients."""
        del account_id, window, kinds
        self._not_offered("ledger")

    async def fetch_hours(self, symbol: str, window: Window) -> tuple[MarketHours, ...]:
        """Wharf has no calendar."""
        del symbol, window
        self._not_offered("market hours")

    async def fetch_tickers(self, symbols: Sequence[str]) -> Mapping[str, Ticker]:
        """Wharf has no tickers."""
        del symbols
        self._not_offered("tickers")

    async def fetch_depth(self, symbol: str, levels: int) -> Depth:
        """Wharf shows the top of the book only."""
        del symbol, levels
        self._not_offered("depth")

    async def fetch_market_status(self, symbol: str | None = None) -> MarketStatus:
        """Wharf does not say whether a market is open."""
        del symbol
        self._not_offered("market status")

    def fetch_quote_history(self, symbol: str, window: Window) -> AsyncIterator[Quote]:
        """Wharf keeps no quotes of the past."""
        del symbol, window
        self._not_offered("quotes of the past")

    @property
    def _provider(self) -> str:
        return self.context.provider

    def _reading(self) -> mapping.Reading:
        return mapping.Reading(provider=self._provider, received_at_ns=self.context.clock.now_ns())

    def _answered(self, row: wire.OrderRow, client_order_id: str) -> Order:
        """Return the order that a command was answered with, if it is the one it was about."""
        try:
            order = mapping.order_of(row, self._reading())
        except ProtocolError as error:
            cause = error.message
        else:
            named = self._named(order, client_order_id)
            if named.client_order_id == client_order_id:
                return named
            cause = f"it is about another order, {order.client_order_id}"
        message = f"wharf's answer about order {client_order_id} makes no sense: {cause}"
        raise OutcomeUnknownError(
            message, reason=UnknownReason.BAD_RESPONSE, provider=self._provider
        )

    @staticmethod
    def _named(order: Order, client_order_id: str | None) -> Order:
        """Give an order the id that it was asked for by, if wharf shows a hash of that."""
        if client_order_id is None or order.client_order_id == client_order_id:
            return order
        if order.client_order_id != mapping.token_of(client_order_id):
            return order
        return attrs.evolve(order, client_order_id=client_order_id)

    def _result(self, name: str, item: wire.ListItem | None) -> CommandResult:
        if item is not None and item.order is not None:
            return CommandResult(client_order_id=name, order=self._answered(item.order, name))
        if item is not None and item.error is not None:
            error = errors.error_of(SUBMIT_LIST, _REFUSED, item.error)
            return CommandResult(client_order_id=name, error=error)
        message = f"the answer to the list says nothing about order {name}"
        lost = OutcomeUnknownError(message, reason=UnknownReason.BAD_RESPONSE)
        return CommandResult(client_order_id=name, error=lost)

    async def _rows(
        self,
        rows: AsyncIterator[WireRow],
        read: Callable[[WireRow, mapping.Reading], Row],
        limit: int | None,
    ) -> AsyncIterator[Row]:
        """Read rows, at most as many as are wanted."""
        left = limit
        async for row in rows:
            yield read(row, self._reading())
            left = None if left is None else left - 1
            if left == 0:
                return

    def _check_timeframes(self, timeframes: Sequence[Timeframe]) -> None:
        known = CAPABILITIES.bar_timeframes or frozenset()
        missing = sorted({str(timeframe) for timeframe in timeframes} - known)
        if missing:
            self._not_offered(f"bars of {', '.join(missing)}")

    def _not_offered(self, what: str) -> NoReturn:
        raise UnsupportedError(f"wharf offers no {what}", provider=self._provider)


def _query(window: Window, **words: str | None) -> Query:
    start_ns, end_ns = window.start_ns, window.end_ns
    times = {
        "since": None if start_ns is None else format_time(start_ns),
        "until": None if end_ns is None else format_time(end_ns),
    }
    return tuple([(name, text) for name, text in (words | times).items() if text is not None])
