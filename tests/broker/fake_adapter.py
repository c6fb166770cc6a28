"""An adapter without a venue: a test scripts every response and every event of the stream."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import attrs

import dragoman
from dragoman import (
    Account,
    AssetClass,
    Broker,
    Capabilities,
    ConnectionEvent,
    ConnectionState,
    Contingency,
    Event,
    Fill,
    Instrument,
    InstrumentKind,
    ManualClock,
    Money,
    Order,
    OrderEvent,
    OrderEventKind,
    OrderRequest,
    OrderStatus,
    OrderType,
    PendingAction,
    Position,
    PositionEvent,
    PriceSource,
    SeededIds,
    Side,
    Support,
    TimeInForce,
)
from dragoman.adapter import Adapter, AdapterContext, Environment
from dragoman.capabilities import ExitPart, OrderFeature, ReplaceRule, Source, order_cells
from dragoman.connection import Connection
from dragoman.models import Channel, CommandResult, OrderChange, Quote
from dragoman.orders.tracker import pending_order
from dragoman.permits import current_permit
from dragoman.ports import ExitPort, ListPort
from dragoman.registry import OptionField, Protocol, Provider, Registry

D = Decimal
CAPABILITIES = Capabilities(
    protocol="fake",
    source=Source("none", "2026-01-01"),
    orders=order_cells(InstrumentKind, OrderType, TimeInForce),
    features=dict.fromkeys(OrderFeature, Support.NATIVE),
    exits=dict.fromkeys(ExitPart, Support.NATIVE),
    lists=dict.fromkeys(Contingency, Support.NATIVE),
    triggers=frozenset(PriceSource),
    pegs=frozenset(PriceSource),
    streams=frozenset({Channel.ORDERS, Channel.POSITIONS, Channel.ACCOUNT, Channel.LEDGER}),
    replace=ReplaceRule(fields=frozenset({"quantity", "limit_price", "stop_price"})),
    max_list_size=5,
)


def instrument(symbol: str = "AAPL", **fields: Any) -> Instrument:
    """Return a share."""
    return Instrument(
        **{
            "symbol": symbol,
            "asset_class": AssetClass.EQUITY,
            "kind": InstrumentKind.SPOT,
            "quote": "USD",
            "settlement": "USD",
            "tick_size": D("0.01"),
            "provider": "fake",
            "received_at_ns": 0,
            **fields,
        }
    )


class FakeVenue:
    """The script: what is answered to each call, and what is shown when asked.

    An answer is a value, an error to raise, a future to await, or a function of the call's
    argument; calls without one are answered with what a venue that takes everything would say.
    """

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.answers: dict[str, list[Any]] = {}
        self.calls: list[str] = []
        self.written: list[str] = []
        self.instruments = {"AAPL": instrument(), "MSFT": instrument("MSFT")}
        self.shown: dict[str, Order] = {}
        self.positions: tuple[Position, ...] = ()
        self.fills: list[Fill] = []
        self.history: list[Order] = []
        self.capabilities = CAPABILITIES
        self.asks_permits = False
        self.quotes: dict[str, Quote] = {}
        self.streams: list[tuple[str | None, asyncio.Queue[Any]]] = []
        self.accounts = ("one", "two")
        self.open_adapters = 0

    def script(self, call: str, *answers: Any) -> None:
        """Queue answers to a call."""
        self.answers.setdefault(call, []).extend(answers)

    def stream(self, *events: Event | Exception, account_id: str = "one") -> None:
        """Let one batch of events, or an error, come by the stream."""
        for name, queue in self.streams:
            if name == account_id:
                queue.put_nowait(events[0] if isinstance(events[0], Exception) else events)

    async def answer(self, call: str, argument: Any, usual: Any) -> Any:
        """Answer one call."""
        self.calls.append(call)
        permit = current_permit()
        if self.asks_permits and permit is not None:
            with permit.writing():
                self.written.append(call)
        found = self.answers.get(call) or [usual]
        answer = found.pop(0)
        if callable(answer):
            answer = answer(argument)
        if isinstance(answer, asyncio.Future):
            answer = await answer
        if isinstance(answer, Exception):
            raise answer
        return answer

    def connect(self, **settings: Any) -> Connection:
        """Return a connection to this venue."""
        settings = {"account_id": "one", "timeout_s": 5.0, "ids": SeededIds(), **settings}
        return dragoman.connect("fake", registry=REGISTRY, venue=self, clock=self.clock, **settings)

    def order_of(self, request: OrderRequest, number: int | None = None, **facts: Any) -> Order:
        """Return the order that a request makes here, open unless told otherwise."""
        made = pending_order(request, account_id="one", provider="fake", at_ns=1)
        number = len(self.calls) if number is None else number
        usual = {
            "status": OrderStatus.OPEN,
            "venue_order_ids": (f"v{number}",),
            "created_at_ns": 10,
            "updated_at_ns": 10,
        }
        return attrs.evolve(made, **{**usual, **facts})


class FakeAdapter(Adapter, ListPort, ExitPort):
    """Speaks to a script."""

    def __init__(self, context: AdapterContext) -> None:
        super().__init__(context)
        venue = context.options["venue"]
        assert isinstance(venue, FakeVenue)
        self.venue = venue
        self._is_open = False

    @property
    def capabilities(self) -> Capabilities:
        return self.venue.capabilities

    def for_account(self, account_id: str) -> "FakeAdapter":
        if account_id == self.context.account_id:
            return self
        other = FakeAdapter(attrs.evolve(self.context, account_id=account_id))
        other._count(is_open=True)
        return other

    async def open(self) -> None:
        await self.venue.answer("open", None, None)
        self._count(is_open=True)

    async def aclose(self) -> None:
        self._count(is_open=False)

    def _count(self, *, is_open: bool) -> None:
        self.venue.open_adapters += is_open - self._is_open
        self._is_open = is_open

    async def fetch_accounts(self) -> tuple[Account, ...]:
        return tuple([self._account(name) for name in self.venue.accounts])

    async def fetch_account(self, account_id: str) -> Account:
        usual = self._account(account_id)
        return await self.venue.answer("fetch_account", account_id, usual)

    def _account(self, account_id: str) -> Account:
        return Account(account_id=account_id, provider="fake", received_at_ns=0)

    async def load_instruments(self, kinds: Any = ()) -> tuple[Instrument, ...]:
        del kinds
        return tuple(self.venue.instruments.values())

    async def search_instruments(self, text: str, limit: int = 20) -> tuple[Instrument, ...]:
        del text, limit
        return ()

    async def fetch_instrument(self, symbol_or_alias: str) -> Instrument:
        usual = next(
            one
            for one in self.venue.instruments.values()
            if symbol_or_alias in (one.symbol, *one.aliases)
        )
        return await self.venue.answer("fetch_instrument", symbol_or_alias, usual)

    async def submit(self, request: OrderRequest) -> Order:
        return await self.venue.answer("submit", request, self.venue.order_of)

    async def replace(self, order: Order, change: OrderChange) -> Order:
        terms = {name: getattr(change, name) for name in change.fields}
        usual = attrs.evolve(
            order, revision=order.revision + 1, updated_at_ns=_after(order), **terms
        )
        return await self.venue.answer("replace", order, usual)

    async def cancel(self, order: Order) -> Order:
        usual = attrs.evolve(order, status=OrderStatus.CANCELED, updated_at_ns=_after(order))
        return await self.venue.answer("cancel", order, usual)

    async def submit_list(
        self, requests: Sequence[OrderRequest], contingency: Any, *, all_or_none: bool = False
    ) -> tuple[CommandResult, ...]:
        del contingency, all_or_none
        rows = [
            CommandResult(
                client_order_id=one.client_order_id or "", order=self.venue.order_of(one, index)
            )
            for index, one in enumerate(requests)
        ]
        return await self.venue.answer("submit_list", requests, tuple(rows))

    async def set_exits(
        self, position: Position, stop_loss: Any = None, take_profit: Any = None
    ) -> tuple[Order, ...]:
        del stop_loss, take_profit
        return await self.venue.answer("set_exits", position, ())

    async def fetch_order(
        self,
        account_id: str,
        *,
        client_order_id: str | None = None,
        venue_order_id: str | None = None,
        symbol: str | None = None,
    ) -> Order | None:
        del account_id, symbol
        found = [
            one
            for one in self.venue.shown.values()
            if one.client_order_id == client_order_id or venue_order_id in one.venue_order_ids
        ]
        return await self.venue.answer("fetch_order", client_order_id, next(iter(found), None))

    async def fetch_open_orders(
        self, account_id: str, symbol: str | None = None
    ) -> tuple[Order, ...]:
        usual = tuple(
            one
            for one in self.venue.shown.values()
            if one.is_open and one.account_id == account_id and symbol in (None, one.symbol)
        )
        return await self.venue.answer("fetch_open_orders", symbol, usual)

    async def fetch_positions(
        self, account_id: str, symbol: str | None = None
    ) -> tuple[Position, ...]:
        del account_id
        usual = tuple(one for one in self.venue.positions if symbol in (None, one.symbol))
        return await self.venue.answer("fetch_positions", symbol, usual)

    async def fetch_fills(
        self, account_id: str, window: Any, symbol: str | None = None
    ) -> AsyncIterator[Fill]:
        del account_id, window, symbol
        for fill in self.venue.fills:
            yield fill

    async def fetch_quotes(self, symbols: Sequence[str]) -> Mapping[str, Quote]:
        return await self.venue.answer("fetch_quotes", symbols, self.venue.quotes)

    @asynccontextmanager
    async def stream(self, subscription: Any) -> AsyncIterator[AsyncIterator[Sequence[Event]]]:
        del subscription
        await self.venue.answer("stream", None, None)
        entry = (self.context.account_id, asyncio.Queue[Any]())
        self.venue.streams.append(entry)
        try:
            yield _batches(entry[1])
        finally:
            self.venue.streams.remove(entry)

    async def fetch_orders(
        self, account_id: str, window: Any, symbol: str | None = None
    ) -> AsyncIterator[Order]:
        del account_id, symbol
        for order in await self.venue.answer("fetch_orders", window, tuple(self.venue.history)):
            yield order

    def fetch_ledger(self, *_: Any) -> Any:
        raise NotImplementedError

    fetch_bars = fetch_ledger
    fetch_trades = fetch_ledger
    fetch_quote_history = fetch_ledger

    async def fetch_hours(self, *_: Any) -> Any:
        raise NotImplementedError

    fetch_tickers = fetch_hours
    fetch_depth = fetch_hours
    fetch_market_status = fetch_hours


async def _batches(queue: asyncio.Queue[Any]) -> AsyncIterator[Sequence[Event]]:
    while True:
        batch = await queue.get()
        if isinstance(batch, Exception):
            raise batch
        yield batch


def _after(order: Order) -> int:
    return (order.updated_at_ns or 0) + 1


def event(kind: OrderEventKind, order: Order, **more: Any) -> OrderEvent:
    """Return an event of the stream."""
    usual = {"venue_time_ns": order.updated_at_ns, "account_id": order.account_id}
    return OrderEvent(kind=kind, order=order, received_at_ns=99, **{**usual, **more})


def fill_of(order: Order, number: int, quantity: Any, **more: Any) -> Fill:
    """Return a fill of an order, one second apart by number."""
    return Fill(
        **{
            "fill_id": f"f{number}",
            "account_id": order.account_id,
            "client_order_id": order.client_order_id,
            "venue_order_id": order.venue_order_id,
            "symbol": order.symbol,
            "side": order.side,
            "quantity": D(quantity),
            "price": D(5),
            "commission": Money(D("0.1"), "USD"),
            "venue_time_ns": 100 + number,
            "provider": "fake",
            "received_at_ns": 100,
            **more,
        }
    )


def filled(order: Order, number: int, quantity: Any, so_far: Any, **more: Any) -> OrderEvent:
    """Return the event of a fill, with the order as it stands after it."""
    is_full = order.quantity == D(so_far)
    after = attrs.evolve(
        order,
        status=OrderStatus.FILLED if is_full else OrderStatus.PARTIALLY_FILLED,
        filled_quantity=D(so_far),
        updated_at_ns=100 + number,
    )
    fill = fill_of(order, number, quantity)
    return event(OrderEventKind.FILL, after, fill=fill, **more)


def position(quantity: Any, symbol: str = "AAPL", **more: Any) -> Position:
    """Return a position."""
    return Position(
        **{
            "position_id": symbol,
            "account_id": "one",
            "symbol": symbol,
            "quantity": D(quantity),
            "average_entry_price": D(5),
            "provider": "fake",
            "received_at_ns": 0,
            **more,
        }
    )


def moved(to: Position, **more: Any) -> PositionEvent:
    """Return the event of a position that changed."""
    return PositionEvent(position=to, account_id="one", received_at_ns=99, **more)


def connection(state: ConnectionState, cause: str = "cut") -> ConnectionEvent:
    """Return an event of the connection."""
    return ConnectionEvent(state=state, channel="private", received_at_ns=99, cause=cause)


async def settle(turns: int = 20) -> None:
    """Let everything that is ready run."""
    for _ in range(turns):
        await asyncio.sleep(0)


async def until_told(broker: Broker) -> None:
    """Go on turn by turn until the first word of an order, and not one turn more."""
    while not broker.state.sequence:  # noqa: ASYNC110 - the very turn matters here
        await asyncio.sleep(0)


def history(broker: Broker) -> list[OrderEvent]:
    """Return all that was told of orders."""
    events = broker._session.journal.since(0, 100_000)
    return [one for one in events if isinstance(one, OrderEvent)]


REGISTRY = Registry(
    [
        Protocol(
            name="fake",
            title="Fake",
            adapter=f"{__name__}:FakeAdapter",
            providers=(
                Provider(
                    name="fake",
                    environment=Environment.SIMULATED,
                    title="Fake",
                    options=(OptionField(name="venue", types=(FakeVenue,)),),
                ),
            ),
        )
    ]
)
BUY, SELL = Side.BUY, Side.SELL
CANCELING = PendingAction.CANCEL
