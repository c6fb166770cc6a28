"""What a gateway streams, told once and in order, whatever it leaves out."""

import asyncio
from decimal import Decimal

import pytest

from dragoman.errors import ClosedError, UnsupportedError
from dragoman.models import (
    AccountEvent,
    AccountEventKind,
    Bar,
    ConnectionEvent,
    ConnectionState,
    OrderChange,
    OrderEvent,
    OrderEventKind,
    OrderRequest,
    OrderStatus,
    OrderType,
    PositionEvent,
    ProtectionEvent,
    ProtectionKind,
    Quarantined,
    Quote,
    RateLimit,
    Side,
    Staleness,
    Subscription,
    Window,
)
from dragoman_tektii import TektiiAdapter

from .gateway import ACCOUNT, BAR, ORDER, POSITION, QUOTE, TRADE, Gateway, reply

PRIVATE = Subscription(orders=True, positions=True, account=True)
FILLED = ORDER | {"status": "FILLED", "filled_quantity": "4", "quantity": "4"}
K = OrderEventKind


class Reading:
    """A task that reads a stream to its end."""

    def __init__(self, adapter, subscription):
        self.told = []
        self.live = asyncio.Event()
        self.news = asyncio.Event()
        self.is_over = False
        self.task = asyncio.create_task(self._run(adapter, subscription))

    async def _run(self, adapter, subscription):
        async with adapter.stream(subscription) as batches:
            self.live.set()
            async for batch in batches:
                self.told += batch
                self.news.set()
        self.is_over = True
        self.news.set()

    def of(self, kind):
        return [one for one in self.told if isinstance(one, kind)]

    async def until(self, found):
        async with asyncio.timeout(20):
            while not found():
                await self.news.wait()
                self.news.clear()


@pytest.fixture
async def read(tektii):
    readings = []

    async def start(subscription=PRIVATE, adapter=tektii):
        readings.append(Reading(adapter, subscription))
        async with asyncio.timeout(20):
            await readings[-1].live.wait()
        return readings[-1]

    yield start
    for one in readings:
        one.task.cancel()
    await asyncio.gather(*(one.task for one in readings), return_exceptions=True)


async def orders_told(read, gateway, *messages):
    reading = await read()
    for message in messages:
        await gateway.say(**message)
    await gateway.say(type="account", event="BALANCE_UPDATED", account=ACCOUNT)
    await reading.until(lambda: reading.of(AccountEvent))
    return [(one.kind, one.order.status) for one in reading.of(OrderEvent)]


def order_said(event, **changes):
    return {"type": "order", "event": event, "order": ORDER | changes}


def trade_said(**changes):
    return {"type": "trade", "event": "TRADE_FILLED", "trade": TRADE | changes}


async def test_the_stream_is_live_without_a_word_of_the_gateway(read, gateway):
    reading = await read()
    await reading.until(lambda: reading.of(ConnectionEvent))

    assert [ConnectionState.CONNECTED] == [one.state for one in reading.of(ConnectionEvent)]
    assert "key-of-tests" == gateway.stream_headers["x-api-key"]


@pytest.mark.parametrize(
    ("event", "changes", "expected"),
    [
        ("ORDER_CREATED", {}, [(K.ACCEPTED, OrderStatus.OPEN)]),
        ("ORDER_MODIFIED", {"limit_price": "1"}, [(K.RESTATED, OrderStatus.OPEN)]),
        ("ORDER_MODIFIED", {"status": "PENDING_CANCEL"}, [(K.PENDING_CANCEL, OrderStatus.OPEN)]),
        ("ORDER_CANCELLED", {"status": "CANCELLED"}, [(K.CANCELED, OrderStatus.CANCELED)]),
        ("ORDER_REJECTED", {"status": "REJECTED"}, [(K.REJECTED, OrderStatus.REJECTED)]),
        ("ORDER_EXPIRED", {"status": "EXPIRED"}, [(K.EXPIRED, OrderStatus.EXPIRED)]),
        ("BRACKET_ORDER_CREATED", {}, [(K.ACCEPTED, OrderStatus.OPEN)]),
        ("ORDER_FILLED", {"status": "FILLED", "filled_quantity": "10"}, []),
    ],
)
async def test_each_event_of_an_order(read, gateway, event, changes, expected):
    assert expected == await orders_told(read, gateway, order_said(event, **changes))


async def test_an_execution_is_told_once_with_its_order_as_it_stood(read, gateway):
    part = order_said("ORDER_PARTIALLY_FILLED", status="PARTIALLY_FILLED", filled_quantity="4")
    whole = order_said("ORDER_FILLED", status="FILLED", filled_quantity="10")
    rest = trade_said(id="t-2", quantity="6")

    told = await orders_told(
        read, gateway, order_said("ORDER_CREATED"), part, trade_said(), trade_said(), whole, rest
    )

    assert [
        (K.ACCEPTED, OrderStatus.OPEN),
        (K.FILL, OrderStatus.PARTIALLY_FILLED),
        (K.FILL, OrderStatus.FILLED),
    ] == told


async def test_executions_that_come_behind_both_words_of_their_order_add_up(read, gateway):
    reading = await read()
    for message in (
        order_said("ORDER_CREATED"),
        order_said("ORDER_FILLED", status="FILLED", filled_quantity="10"),
        trade_said(),
        trade_said(id="t-2", quantity="6"),
    ):
        await gateway.say(**message)
    await reading.until(lambda: len(reading.of(OrderEvent)) == 3)

    fills = [one for one in reading.of(OrderEvent) if one.fill is not None]
    assert [("t-1", Decimal(4)), ("t-2", Decimal(10))] == [
        (one.fill.fill_id, one.order.filled_quantity) for one in fills
    ]


async def test_an_execution_before_the_word_of_its_order_is_told_all_the_same(read, gateway):
    told = await orders_told(
        read,
        gateway,
        trade_said(),
        order_said(
            "ORDER_FILLED", **{k: FILLED[k] for k in ("status", "filled_quantity", "quantity")}
        ),
    )

    assert [(K.FILL, OrderStatus.PARTIALLY_FILLED), (K.RESTATED, OrderStatus.FILLED)] == told


async def test_an_exit_is_known_by_its_entry(read, gateway):
    reading = await read()
    await gateway.say(**order_said("ORDER_CREATED"))
    await gateway.say(
        **order_said("ORDER_CREATED", id="o-2", client_order_id="c1-sl"), parent_order_id="o-1"
    )
    await reading.until(lambda: len(reading.of(OrderEvent)) == 2)

    exit_order = reading.of(OrderEvent)[1].order
    assert ("c1-sl", "c1") == (exit_order.client_order_id, exit_order.parent_client_order_id)


async def test_the_end_of_an_id_is_no_end_of_an_order_that_goes_on(read, gateway, tektii):
    gateway.answers["POST /v1/orders"] = reply(
        {"id": "o-1", "client_order_id": "c1", "status": "OPEN"}, 201
    )
    gateway.answers["PATCH /v1/orders/o-1"] = {
        "order": ORDER | {"id": "o-2"},
        "previous_order_id": "o-1",
    }
    order = await tektii.submit(
        OrderRequest(
            symbol="AAPL",
            side=Side.BUY,
            order_type=OrderType.LIMIT,
            quantity=10,
            limit_price="185.50",
            client_order_id="c1",
            account_id="gateway",
        )
    )
    await tektii.replace(order, OrderChange(limit_price="186"))

    ended = order_said("ORDER_CANCELLED", status="CANCELLED")
    assert [] == await orders_told(read, gateway, ended)


async def test_what_filled_and_is_told_by_no_execution_is_asked_for(read, gateway):
    gateway.answers["GET /v1/orders/o-1"] = FILLED
    gateway.answers["GET /v1/trades"] = [TRADE, TRADE | {"id": "t-9", "order_id": "o-9"}]
    reading = await read()

    await gateway.say(type="order", event="ORDER_FILLED", order=FILLED)
    await reading.until(lambda: reading.of(OrderEvent))

    first = reading.of(OrderEvent)[0]
    assert (K.FILL, "t-1", OrderStatus.FILLED) == (
        first.kind,
        first.fill.fill_id,
        first.order.status,
    )
    assert {"symbol": "AAPL", "order_id": "o-1"} == gateway.asked("GET /v1/trades")[0].asked


async def test_an_order_is_followed_where_the_stream_says_nothing(read, gateway, tektii):
    gateway.answers["POST /v1/orders"] = reply(
        {"id": "o-1", "client_order_id": "c1", "status": "OPEN"}, 201
    )
    gateway.answers["GET /v1/orders/o-1"] = ORDER | {"status": "EXPIRED"}
    reading = await read()

    await tektii.submit(
        OrderRequest(
            symbol="AAPL",
            side=Side.BUY,
            order_type=OrderType.MARKET,
            quantity=10,
            client_order_id="c1",
            account_id="gateway",
        )
    )
    await reading.until(lambda: reading.of(OrderEvent))

    assert [(K.EXPIRED, "c1")] == [
        (one.kind, one.order.client_order_id) for one in reading.of(OrderEvent)
    ]


async def test_positions_and_accounts_are_told(read, gateway):
    reading = await read()
    await gateway.say(type="position", event="POSITION_OPENED", position=POSITION)
    await gateway.say(type="position", event="POSITION_CLOSED", position=POSITION)
    await gateway.say(type="account", event="MARGIN_CALL", account=ACCOUNT)
    await reading.until(lambda: reading.of(AccountEvent))

    assert [Decimal(-4), Decimal(0)] == [one.position.quantity for one in reading.of(PositionEvent)]
    assert [AccountEventKind.MARGIN_CALL] == [one.kind for one in reading.of(AccountEvent)]


async def test_the_market_is_told_to_who_wants_it(read, gateway):
    reading = await read(Subscription(quotes="AAPL", bars=[("AAPL", "1m")]))
    await gateway.say(type="quote", quote=QUOTE | {"symbol": "MSFT"})
    await gateway.say(type="quote", quote=QUOTE)
    await gateway.say(type="candle", bar=BAR)
    await reading.until(lambda: reading.of(Bar))

    assert (["AAPL"], [True]) == (
        [one.symbol for one in reading.of(Quote)],
        [one.is_complete for one in reading.of(Bar)],
    )


async def test_of_the_broker_s_connection_the_account_is_told(read, gateway):
    reading = await read()
    await gateway.say(type="connection", event="CONNECTED", broker="mock")
    await gateway.say(type="connection", event="BROKER_DISCONNECTED", broker="mock", error="gone")
    await gateway.say(
        type="connection", event="BROKER_RECONNECTED", broker="mock", gap_duration_ms=1500
    )
    await reading.until(lambda: len(reading.of(ConnectionEvent)) == 3)

    assert [
        ("private", ConnectionState.CONNECTED, None),
        ("broker", ConnectionState.DISCONNECTED, None),
        ("broker", ConnectionState.RECONNECTED, 1_500_000_000),
    ] == [(one.channel, one.state, one.gap_ns) for one in reading.of(ConnectionEvent)]


async def test_quotes_that_stand_still_are_no_matter_of_the_account(read, gateway):
    private, market = await read(), await read(Subscription(quotes="AAPL"))
    await gateway.say(type="data_staleness", event="STALE", symbols=["AAPL"])
    await gateway.say(type="rate_limit", event="RATE_LIMIT_WARNING", requests_remaining=3)
    await market.until(lambda: market.of(RateLimit))
    await private.until(lambda: private.of(RateLimit))

    assert ([], [("AAPL",)]) == (
        private.of(Staleness),
        [one.symbols for one in market.of(Staleness)],
    )


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("POSITION_UNPROTECTED", ProtectionKind.UNPROTECTED),
        ("OCO_DOUBLE_EXIT", ProtectionKind.DOUBLE_EXIT),
    ],
)
async def test_a_position_without_its_exits_is_told(read, gateway, code, kind):
    reading = await read()
    await gateway.say(type="error", code=code, message="bad", details={"position_id": "p-1"})
    await reading.until(lambda: reading.of(ProtectionEvent))

    told = reading.of(ProtectionEvent)[0]
    assert (kind, "p-1") == (told.kind, told.position_id)


@pytest.mark.parametrize(
    "message",
    [
        {"type": "error", "code": "LIQUIDATION", "message": "margin", "details": {"uic": 21}},
        {"type": "unheard_of"},
        {"type": "order", "event": "UNHEARD_OF", "order": ORDER},
        {"type": "order", "event": "ORDER_CREATED"},
        {"type": "quote", "quote": {"symbol": "AAPL", "bid": "much"}},
    ],
    ids=["liquidation", "type", "event", "no order", "no number"],
)
async def test_what_makes_no_sense_is_set_aside_and_the_stream_goes_on(read, gateway, message):
    reading = await read()
    await gateway.say(**message)
    await gateway.say(**order_said("ORDER_CREATED"))
    await reading.until(lambda: reading.of(OrderEvent))

    assert 1 == len(reading.of(Quarantined))


async def test_a_ping_is_answered(read, gateway):
    await read()
    await gateway.say(type="ping")

    async with asyncio.timeout(20):
        assert {"type": "pong"} == await gateway.next_word()


async def test_a_gateway_that_takes_wishes_is_told_them():
    gateway = Gateway(features=["client_subscriptions"])
    adapter = TektiiAdapter(gateway.context(account_id="gateway"))
    await adapter.open()
    reading = Reading(adapter, Subscription(orders=True, quotes="AAPL", bars=[("BTC/USD", "5m")]))
    async with asyncio.timeout(20):
        await gateway.is_open.wait()
        asked = await gateway.next_word()
    await gateway.say(type="subscribed", id=asked["id"])
    async with asyncio.timeout(20):
        await reading.live.wait()

    assert (["order", "trade"], ["AAPL"], [["BTC/USD", "5m"]]) == (
        asked["events"],
        asked["quotes"],
        asked["candles"],
    )
    reading.task.cancel()
    await asyncio.gather(reading.task, return_exceptions=True)
    await adapter.aclose()


@pytest.mark.parametrize(
    "subscription", [Subscription(), Subscription(trades="AAPL"), Subscription(bars=[("A", "3m")])]
)
async def test_what_no_gateway_streams_is_refused(tektii, subscription):
    with pytest.raises(UnsupportedError):
        async with tektii.stream(subscription):
            pass


async def test_the_end_of_a_backtest_ends_the_stream(read, gateway, tektii):
    reading = await read()
    await gateway.say(type="backtest_complete", broker="tektii")
    await reading.until(lambda: reading.is_over)

    assert ConnectionState.ENDED == reading.of(ConnectionEvent)[-1].state
    with pytest.raises(ClosedError):
        async with tektii.stream(PRIVATE):
            pass


async def test_where_no_executions_are_listed_an_order_is_one_once_it_has_ended():
    gateway = Gateway("oanda-practice")
    adapter = TektiiAdapter(gateway.context(account_id="gateway"))
    await adapter.open()
    reading = Reading(adapter, PRIVATE)
    async with asyncio.timeout(20):
        await reading.live.wait()
    whole = {"status": "FILLED", "filled_quantity": "10", "average_fill_price": "185.3"}
    part = order_said("ORDER_PARTIALLY_FILLED", status="PARTIALLY_FILLED", filled_quantity="4")
    for message in (part, trade_said(), order_said("ORDER_FILLED", **whole)):
        await gateway.say(**message)
    await reading.until(lambda: len(reading.of(OrderEvent)) == 3)
    gateway.answers["GET /v1/orders/history"] = [ORDER | whole]
    gateway.answers["GET /v1/trades"] = [TRADE]

    listed = [one async for one in adapter.fetch_fills("gateway", Window())]

    told = [(one.kind, one.order.filled_quantity) for one in reading.of(OrderEvent)]
    assert [(K.RESTATED, Decimal(4)), (K.FILL, Decimal(10)), (K.RESTATED, Decimal(10))] == told
    assert [("o-1:filled", Decimal(10), Decimal("185.3"))] == [
        (one.fill_id, one.quantity, one.price) for one in listed
    ]
    assert listed[0].fill_id == reading.of(OrderEvent)[1].fill.fill_id
    reading.task.cancel()
    await asyncio.gather(reading.task, return_exceptions=True)
    await adapter.aclose()
