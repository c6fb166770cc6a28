"""The adapter: every port of the library, spoken to the mock venue. One call is one exchange.

It shows what an adapter looks like: each port method hands over to the part that knows how it is
done (`commands.py`, `reads.py`, `connection.py`); what is offered is in `capabilities.py`, what
refusals mean in `errors.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from dragoman.adapter import Adapter
from dragoman.errors import InvalidValueError, UnsupportedError, Violation
from dragoman.models import Adjustment, PriceSource
from dragoman.ports import (
    DeadManPort,
    ExitPort,
    LeveragePort,
    ListPort,
    OptionsPort,
    PreviewPort,
)
from dragoman.times import SECOND_NS

from .call_faults import Call
from .capabilities import mock_capabilities
from .catalogue_search import search
from .commands import Commands
from .connection import Connection
from .options import read_options
from .preview import preview_orders
from .reads import Reads

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager
    from decimal import Decimal

    from dragoman.adapter import AdapterContext
    from dragoman.capabilities import Capabilities
    from dragoman.models import (
        Account,
        Bar,
        CommandResult,
        Contingency,
        Depth,
        Event,
        Exit,
        Fill,
        Instrument,
        InstrumentKind,
        LedgerEntry,
        LedgerKind,
        MarginMode,
        MarketHours,
        MarketStatus,
        Order,
        OrderChange,
        OrderRequest,
        Position,
        PositionMode,
        Quote,
        Subscription,
        Ticker,
        Timeframe,
        Trade,
        Window,
    )
    from dragoman.ports import OptionQuote, Preview

    from .venue import MockVenue

__all__ = ["MockAdapter"]


class MockAdapter(Adapter, ListPort, ExitPort, LeveragePort, DeadManPort, PreviewPort, OptionsPort):
    """The mock venue, spoken to.

    Args:
        context: What it may depend on; its options are those of `spec.py`.
        connection: The session to share; None makes one of its own.

    Raises:
        ConfigurationError: An option is wrong (NOT_SENT).
    """

    def __init__(self, context: AdapterContext, connection: Connection | None = None) -> None:
        super().__init__(context)
        self._connection = connection or _connection(context)
        self._commands = Commands(self._connection)
        self._reads = Reads(self._connection)
        self._capabilities = mock_capabilities(self.venue.settings)

    @property
    def capabilities(self) -> Capabilities:
        """What the venue offers with its settings."""
        return self._capabilities

    @property
    def venue(self) -> MockVenue:
        """The venue, to look inside or to share with another connection."""
        return self._connection.venue

    def for_account(self, account_id: str) -> MockAdapter:
        """Return an adapter bound to that account; it shares the session, which must be open.

        Raises:
            NotFoundError: The venue has no such account.
        """
        if account_id == self.context.account_id:
            return self
        self.venue.engine.account(account_id)
        other = MockAdapter(attrs.evolve(self.context, account_id=account_id), self._connection)
        self._connection.join(other)
        return other

    async def open(self) -> None:
        """Connect. Idempotent.

        Raises:
            ConnectFailedError: A scripted fault refuses it (NOT_SENT).
            ConfigurationError: The tape or the state file can't be used (NOT_SENT).
        """
        await self._connection.open()
        if self.context.account_id is not None:
            self._connection.join(self)

    async def aclose(self) -> None:
        """End the session, unless adapters of other accounts share it. Idempotent.

        An adapter without an account ends it for all: it is the one that made it.
        """
        if self.context.account_id is None:
            await self._connection.aclose()
        else:
            await self._connection.leave(self)

    async def fetch_accounts(self) -> tuple[Account, ...]:
        """Return every account of the venue."""
        return await self._reads.ask(Call("fetch_accounts"), lambda engine: engine.accounts())

    async def fetch_account(self, account_id: str) -> Account:
        """Return one account; raises `NotFoundError` for one the venue does not have."""
        call = Call("fetch_account")
        return await self._reads.ask(call, lambda engine: engine.account(account_id))

    def fetch_ledger(
        self, account_id: str, window: Window, kinds: Sequence[LedgerKind] = ()
    ) -> AsyncIterator[LedgerEntry]:
        """Yield ledger entries of the window, oldest first; no kinds means all."""
        call = Call("fetch_ledger")
        return self._reads.rows(call, lambda engine: engine.ledger(account_id, window, kinds))

    async def load_instruments(
        self, kinds: Sequence[InstrumentKind] = ()
    ) -> tuple[Instrument, ...]:
        """Return the whole catalogue, or only the kinds named."""
        return await self._reads.instruments(kinds)

    async def search_instruments(self, text: str, limit: int = 20) -> tuple[Instrument, ...]:
        """Return instruments whose symbol, alias or name contains `text`, best first."""
        call = Call("search_instruments")
        return await self._reads.ask(
            call, lambda engine: search(engine.instruments.values(), text, limit)
        )

    async def fetch_instrument(self, symbol_or_alias: str) -> Instrument:
        """Return one instrument; raises `UnknownInstrumentError` or `AmbiguousInstrumentError`."""
        call = Call("fetch_instrument", symbol=symbol_or_alias)
        return await self._reads.ask(call, lambda engine: engine.find(symbol_or_alias))

    async def fetch_hours(self, symbol: str, window: Window) -> tuple[MarketHours, ...]:
        """Return the calendar rows that touch the window, in order."""
        call = Call("fetch_hours", symbol=symbol)
        return await self._reads.ask(call, lambda engine: engine.hours(symbol, window))

    def wire_client_id(self, client_order_id: str, revision: int) -> str:  # noqa: ARG002 - the port's signature
        """Return the id itself: here it names the order for life, through every replace."""
        return client_order_id

    async def submit(self, request: OrderRequest) -> Order:
        """Send one order and return it as it stands at the venue.

        Raises:
            OrderRejectedError: The venue refused it; `code` is the reason's name (REJECTED).
        """
        return await self._commands.submit(request)

    async def replace(self, order: Order, change: OrderChange) -> Order:
        """Change an order; what `change` does not name stays.

        Raises:
            OrderRejectedError: The venue refuses the change; the order stands (REJECTED).
            ConflictError: The order has ended (REJECTED).
            NotFoundError: The venue does not know the order (REJECTED).
        """
        return await self._commands.replace(order, change)

    async def cancel(self, order: Order) -> Order:
        """Cancel an order.

        Raises:
            ConflictError: The order has ended (REJECTED).
            NotFoundError: The venue does not know the order (REJECTED).
        """
        return await self._commands.cancel(order)

    async def cancel_all(
        self, account_id: str, symbol: str | None = None
    ) -> tuple[CommandResult, ...]:
        """Cancel every open order, of one symbol or all, in one request."""
        return await self._commands.cancel_all(account_id, symbol)

    async def submit_list(
        self,
        requests: Sequence[OrderRequest],
        contingency: Contingency,
        *,
        all_or_none: bool = False,
    ) -> tuple[CommandResult, ...]:
        """Send several orders in one request; one result per request, in order."""
        return await self._commands.submit_list(requests, contingency, all_or_none=all_or_none)

    async def set_exits(
        self, position: Position, stop_loss: Exit | None = None, take_profit: Exit | None = None
    ) -> tuple[Order, ...]:
        """Set a position's exits; None takes a leg off. Returns the orders that protect it now.

        Raises:
            OrderRejectedError: The venue refuses a leg; those there before stand (REJECTED).
            NotFoundError: The venue knows no such position (REJECTED).
        """
        return await self._commands.set_exits(position, stop_loss, take_profit)

    async def fetch_order(
        self,
        account_id: str,
        *,
        client_order_id: str | None = None,
        venue_order_id: str | None = None,
        symbol: str | None = None,
    ) -> Order | None:
        """Look one order up by either id. The venue forgets nothing: None means none such."""
        return await self._reads.ask(
            Call("fetch_order", client_order_id, symbol),
            lambda engine: engine.order(account_id, client_order_id, venue_order_id),
        )

    async def fetch_open_orders(
        self, account_id: str, symbol: str | None = None
    ) -> tuple[Order, ...]:
        """Return every order that may still execute, held legs among them, oldest first."""
        call = Call("fetch_open_orders", symbol=symbol)
        return await self._reads.ask(call, lambda engine: engine.open_orders(account_id, symbol))

    def fetch_orders(
        self, account_id: str, window: Window, symbol: str | None = None
    ) -> AsyncIterator[Order]:
        """Yield the orders created in the window, refused ones too, oldest first."""
        call = Call("fetch_orders", symbol=symbol)
        return self._reads.rows(call, lambda engine: engine.orders(account_id, window, symbol))

    async def fetch_positions(
        self, account_id: str, symbol: str | None = None
    ) -> tuple[Position, ...]:
        """Return the open positions."""
        call = Call("fetch_positions", symbol=symbol)
        return await self._reads.ask(call, lambda engine: engine.positions(account_id, symbol))

    def fetch_fills(
        self, account_id: str, window: Window, symbol: str | None = None
    ) -> AsyncIterator[Fill]:
        """Yield the fills of the window, oldest first, busted ones flagged."""
        call = Call("fetch_fills", symbol=symbol)
        return self._reads.rows(call, lambda engine: engine.fills(account_id, window, symbol))

    async def close(self, position: Position, quantity: Decimal | None = None) -> Order:
        """Close a position, or part of it, by a closing market order with an id of its own."""
        return await self._commands.close(position, quantity, self.context.ids.next_id())

    async def fetch_quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote]:
        """Return the top of the book of each symbol."""
        return await self._reads.of_each(
            Call("fetch_quotes"), symbols, lambda engine, symbol: engine.quote(symbol)
        )

    async def fetch_tickers(self, symbols: Sequence[str]) -> Mapping[str, Ticker]:
        """Return the ticker of each symbol."""
        return await self._reads.of_each(
            Call("fetch_tickers"), symbols, lambda engine, symbol: engine.ticker(symbol)
        )

    async def fetch_depth(self, symbol: str, levels: int) -> Depth:
        """Return a snapshot of the book, at most `levels` a side."""
        call = Call("fetch_depth", symbol=symbol)
        return await self._reads.ask(call, lambda engine: engine.depth(symbol, levels))

    async def fetch_market_status(self, symbol: str | None = None) -> MarketStatus:
        """Return what the market, or one instrument, lets one do now."""
        call = Call("fetch_market_status", symbol=symbol)
        return await self._reads.ask(call, lambda engine: engine.market_status(symbol))

    def fetch_bars(
        self,
        symbol: str,
        timeframe: Timeframe,
        window: Window,
        price_source: PriceSource = PriceSource.LAST,
        adjustment: Adjustment = Adjustment.RAW,
    ) -> AsyncIterator[Bar]:
        """Yield the bars that open in the window, oldest first; only raw ones."""
        return self._reads.bars(symbol, timeframe, window, price_source, adjustment)

    def fetch_trades(self, symbol: str, window: Window) -> AsyncIterator[Trade]:
        """Yield the public prints of the window, oldest first."""
        return self._reads.trades(symbol, window)

    def fetch_quote_history(self, symbol: str, window: Window) -> AsyncIterator[Quote]:
        """Yield the quotes of the window, oldest first."""
        return self._reads.quotes(symbol, window)

    def stream(
        self, subscription: Subscription
    ) -> AbstractAsyncContextManager[AsyncIterator[Sequence[Event]]]:
        """Open one stream of batches; market channels begin with how things stand now.

        Private events are those of the adapter's account, or of all where it is bound to none.
        """
        return self._connection.stream(subscription, self.context.account_id)

    async def set_leverage(
        self,
        account_id: str,
        symbol: str,
        leverage: Decimal,
        margin_mode: MarginMode | None = None,
    ) -> None:
        """Set how many times its margin a position in `symbol` may be worth.

        Raises:
            UnsupportedError: `margin_mode` is not the account's: it can't be changed (NOT_SENT).
        """
        if margin_mode is not None:
            held = (await self.fetch_account(account_id)).margin_mode
            if margin_mode is not held:
                message = f"mock: the margin mode of {account_id} stays {held}"
                raise UnsupportedError(message, provider=self.context.provider)
        await self._commands.do(
            Call("set_leverage", symbol=symbol),
            lambda engine: engine.set_leverage(account_id, leverage, symbol),
        )

    async def set_position_mode(self, account_id: str, mode: PositionMode) -> None:
        """Choose netting or hedging; raises `ConflictError` while positions or orders are open."""
        await self._commands.do(
            Call("set_position_mode"), lambda engine: engine.set_position_mode(account_id, mode)
        )

    async def arm(
        self, account_id: str, timeout_s: float | None, symbol: str | None = None
    ) -> None:
        """Let the venue cancel all when the time is up; a later call begins anew, None disarms."""
        if timeout_s is not None and timeout_s < 0:
            raise InvalidValueError.of("arm", [Violation.of("timeout_s", timeout_s, "0 or more")])
        timeout_ns = None if timeout_s is None else round(timeout_s * SECOND_NS)

        async def work() -> None:
            await self.venue.arm(account_id, symbol, timeout_ns)

        await self._connection.call(Call("arm", symbol=symbol), work)

    async def preview(self, requests: Sequence[OrderRequest]) -> Preview:
        """Return margin, cost and the reason the orders would be refused for."""
        return await self._reads.ask(
            Call("preview"), lambda engine: preview_orders(engine, requests)
        )

    async def fetch_chain(
        self, underlying: str, expiry: str | None = None
    ) -> tuple[OptionQuote, ...]:
        """Return the chain of an underlying, of one expiry (ISO date, UTC) or all."""
        return await self._reads.chain(underlying, expiry)


def _connection(context: AdapterContext) -> Connection:
    options = read_options(context.options)
    return Connection(
        options.venue or options.make_venue(),
        context.clock,
        account_id=context.account_id,
        plan=options.faults,
        latency_ns=options.latency_ns,
    )
