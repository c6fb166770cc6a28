"""A venue that a test holds in its hands while an adapter on another thread talks to it.

What happens is chosen by symbol: SILENT never answers, REFUSED is refused, all else is taken.
"""

import asyncio
import threading
from collections import Counter
from contextlib import asynccontextmanager
from decimal import Decimal

import attrs

from dragoman import Environment, Protocol, Provider, Registry, connect_sync
from dragoman.adapter import Adapter
from dragoman.capabilities import Capabilities, OrderFeature, Source, order_cells
from dragoman.errors import OrderRejectedError, RejectReason, StreamLostError
from dragoman.models import (
    Account,
    AssetClass,
    Channel,
    Instrument,
    InstrumentKind,
    Order,
    OrderStatus,
    OrderType,
    Position,
    Quote,
    Support,
    TimeInForce,
    Trade,
)
from dragoman.times import SystemClock

PAGE = 100
LOST = object()
CAPABILITIES = Capabilities(
    protocol="fake",
    source=Source("tests", "2026-01-01"),
    orders=order_cells(InstrumentKind, OrderType, TimeInForce),
    features=dict.fromkeys(OrderFeature, Support.NATIVE),
    streams=frozenset({Channel.ORDERS, Channel.QUOTES, Channel.TRADES}),
)
PROTOCOL = Protocol(
    name="fake",
    title="Fake",
    providers=(Provider(name="fake", environment=Environment.SIMULATED, title="Fake"),),
    adapter="tests.core.sync.venue:VenueAdapter",
)
COMMON = {"provider": "fake", "received_at_ns": 0}


class Venue(SystemClock):
    """The venue, handed to the adapter as its clock."""

    def __init__(self):
        super().__init__()
        self.calls = Counter()
        self.reached = threading.Event()
        self.threads = set()
        self.closed = []
        self.is_unreachable = False
        self.is_stuck = False
        self.loop = None
        self.queues = {}

    def connect(self, **settings):
        return connect_sync("fake", registry=Registry([PROTOCOL]), clock=self, **settings)

    def quote(self, symbol="AAPL", size=1):
        return Quote(symbol=symbol, bid_price=Decimal(1), bid_size=Decimal(size), **COMMON)

    def push(self, symbol, *events):
        """Let the venue say something in the stream of a symbol."""
        queue = self.queues[symbol]
        self.loop.call_soon_threadsafe(queue.put_nowait, events)


class VenueAdapter(Adapter):
    capabilities = CAPABILITIES

    @property
    def venue(self):
        return self.context.clock

    def note(self, name):
        self.venue.calls[name] += 1
        self.venue.threads.add(threading.current_thread())

    async def answer(self, symbol):
        if symbol == "SILENT":
            self.venue.reached.set()
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                self.note("given up")
        if symbol == "REFUSED":
            raise OrderRejectedError(
                "no funds", reason=RejectReason.INSUFFICIENT_FUNDS, provider="fake", code="42"
            )
        await self.venue.sleep_until_ns(0)

    def for_account(self, account_id):
        if account_id == self.context.account_id:
            return self
        return VenueAdapter(attrs.evolve(self.context, account_id=account_id))

    async def open(self):
        self.venue.loop = asyncio.get_running_loop()
        self.note("open")
        if self.venue.is_unreachable:
            await self.answer("SILENT")

    async def aclose(self):
        self.venue.closed.append(self.context.account_id)
        if self.venue.is_stuck:
            await self.answer("SILENT")

    async def fetch_accounts(self):
        return tuple(Account(account_id=name, **COMMON) for name in ("one", "two"))

    async def fetch_account(self, account_id):
        self.note("fetch_account")
        return Account(account_id=account_id, **COMMON)

    async def fetch_instrument(self, symbol_or_alias):
        return Instrument(
            symbol=symbol_or_alias,
            asset_class=AssetClass.EQUITY,
            kind=InstrumentKind.SPOT,
            quote="USD",
            settlement="USD",
            **COMMON,
        )

    async def load_instruments(self, kinds=()):
        return ()

    async def search_instruments(self, text, limit=20):
        return ()

    async def fetch_hours(self, symbol, window):
        return ()

    async def submit(self, request):
        self.note("submit")
        await self.answer(request.symbol)
        return Order(
            client_order_id=request.client_order_id,
            account_id=request.account_id or "one",
            symbol=request.symbol,
            side=request.side,
            order_type=request.order_type,
            quantity=request.quantity,
            limit_price=request.limit_price,
            status=OrderStatus.OPEN,
            venue_order_ids=(f"v-{request.client_order_id}",),
            **COMMON,
        )

    async def replace(self, order, change):
        raise NotImplementedError

    async def cancel(self, order):
        self.note("cancel")
        await self.answer(order.tag)
        return attrs.evolve(order, status=OrderStatus.CANCELED)

    async def fetch_order(self, account_id, **names):
        return None

    async def fetch_open_orders(self, account_id, symbol=None):
        return ()

    async def fetch_orders(self, account_id, window, symbol=None):
        for order in ():
            yield order

    async def fetch_positions(self, account_id, symbol=None):
        held = {"account_id": account_id, "position_id": "p", "symbol": "AAPL"}
        return (Position(quantity=Decimal(5), **held, **COMMON),)

    async def fetch_fills(self, account_id, window, symbol=None):
        for fill in ():
            yield fill

    async def fetch_ledger(self, account_id, window, kinds=()):
        for entry in ():
            yield entry

    async def fetch_quotes(self, symbols):
        self.note("fetch_quotes")
        await self.answer(symbols[0])
        return {symbol: self.venue.quote(symbol) for symbol in symbols}

    async def fetch_tickers(self, symbols):
        return {}

    async def fetch_depth(self, symbol, levels):
        raise ZeroDivisionError("a defect of the adapter")

    async def fetch_market_status(self, symbol=None):
        raise NotImplementedError

    async def fetch_bars(self, *arguments):
        for bar in ():
            yield bar

    async def fetch_trades(self, symbol, window):
        """Ten pages of trades, numbered by size; BROKEN fails after the first, SILENT hangs."""
        self.note("history")
        try:
            for page in range(10):
                if page:
                    await self.answer("REFUSED" if symbol == "BROKEN" else symbol)
                self.note("page")
                for number in range(page * PAGE, (page + 1) * PAGE):
                    yield Trade(symbol=symbol, price=Decimal(1), size=Decimal(number), **COMMON)
        finally:
            self.note("history closed")

    async def fetch_quote_history(self, symbol, window):
        for quote in ():
            yield quote

    async def acknowledge(self, event_ids):
        await self.answer(event_ids[0])

    @asynccontextmanager
    async def stream(self, subscription):
        symbol = next(iter(subscription.quotes), "private")
        self.note(f"stream {symbol}")
        await self.answer(symbol)
        queue = self.venue.queues[symbol] = asyncio.Queue()
        try:
            yield _batches(queue)
        finally:
            self.note(f"stream {symbol} closed")


async def _batches(queue):
    while True:
        events = await queue.get()
        if LOST in events:
            raise StreamLostError("the venue hung up", provider="fake")
        yield events
