"""The public surface as a consumer's type checker reads it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import assert_type

import dragoman
from dragoman import (
    Broker,
    CommandResult,
    Event,
    Order,
    OrderEvent,
    OrderRequest,
    Position,
    Preview,
    Quote,
    Side,
    SyncBroker,
)


async def trade() -> None:
    async with dragoman.connect("mock", seed=1) as broker:
        assert_type(broker, Broker)
        request = OrderRequest.limit("AAPL", Side.BUY, "10", "99.5", tag="typed")
        assert_type(request.quantity, Decimal | None)
        order = await broker.submit(request, timeout_s=1)
        assert_type(order, Order)
        assert_type(await broker.replace(order, quantity=20), Order)
        assert_type(await broker.cancel(order.client_order_id), Order)
        assert_type(await broker.cancel_all(), tuple[CommandResult, ...])
        assert_type(await broker.preview(request), Preview)
        assert_type(await broker.fetch_quotes(["AAPL"]), Mapping[str, Quote])
        assert_type(broker.state.position("AAPL"), Position | None)
        async with broker.stream(quotes=["AAPL"], orders=True) as events:
            async for event in events:
                assert_type(event, Event)
                if isinstance(event, OrderEvent):
                    assert_type(event.order, Order)
        async for fill in broker.fetch_fills():
            assert_type(fill.price, Decimal)


async def awaited() -> None:
    broker = await dragoman.connect("mock")
    assert_type(broker, Broker)
    await broker.aclose()


def without_asyncio() -> None:
    with dragoman.connect_sync("mock") as broker:
        assert_type(broker, SyncBroker)
        assert_type(broker.submit(OrderRequest.market("AAPL", Side.SELL, 1)), Order)
        for fill in broker.fetch_fills():
            assert_type(fill.quantity, Decimal)
