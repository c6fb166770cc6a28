"""Orders from a user to the venue and back, by wharf's adapter and wharf's dialect over sockets."""

from decimal import Decimal

import pytest
from tests.conformance.references.wharf.rig import eventually

from dragoman import Exit, Offset, OrderStatus, OrderType, Side, TimeInForce, Window
from dragoman.errors import (
    InvalidOrderError,
    OrderRejectedError,
    RejectReason,
    UnknownInstrumentError,
    UnsupportedError,
)
from dragoman.models import Contingency, InstrumentKind, OrderRequest, Support
from dragoman.times import HOUR_NS
from dragoman_conformance.references.wharf.capabilities import CAPABILITIES

D = Decimal
BUY = {"symbol": "AAPL", "side": Side.BUY, "quantity": "10"}
REST = {
    **BUY,
    "order_type": OrderType.LIMIT,
    "limit_price": "90",
    "time_in_force": TimeInForce.GTC,
}
LONG_ID = "a name that no venue's grammar holds, " + "x" * 60
TERMS = {
    OrderType.MARKET: {},
    OrderType.LIMIT: {"limit_price": "90"},
    OrderType.STOP: {"stop_price": "110"},
    OrderType.STOP_LIMIT: {"stop_price": "110", "limit_price": "111"},
    OrderType.MARKET_IF_TOUCHED: {"stop_price": "90"},
    OrderType.LIMIT_IF_TOUCHED: {"stop_price": "90", "limit_price": "91"},
    OrderType.TRAILING_STOP: {"trailing": Offset.price("1.5")},
}
CELLS = [
    (one.order_type, one.time_in_force)
    for one in CAPABILITIES.orders
    if one.kind is InstrumentKind.SPOT
]


async def test_a_market_order_fills_and_is_held(rig, broker):
    order = await broker.submit(order_type=OrderType.MARKET, **BUY)
    order = await broker.wait(order, timeout_s=10)

    assert (OrderStatus.FILLED, D(101)) == (order.status, order.average_fill_price)
    assert order.venue_order_ids[0].startswith("W")
    await eventually(lambda: D(10) == sum(one.quantity for one in broker.state.positions))
    (fill,) = [one async for one in broker.fetch_fills()]
    assert (order.client_order_id, D(10), D(101)) == (
        fill.client_order_id,
        fill.quantity,
        fill.price,
    )


@pytest.mark.parametrize("name", ["c1", LONG_ID.replace(" ", "_").replace("'", "")], ids=len)
async def test_an_order_keeps_its_name_whatever_wharf_calls_it(rig, broker, name):
    order = await broker.submit(client_order_id=name, **REST)

    assert (name, OrderStatus.OPEN) == (order.client_order_id, order.status)
    assert [name] == [one.client_order_id for one in broker.state.orders]
    assert [name] == [one.client_order_id for one in await broker.fetch_open_orders()]
    assert name == (await broker.fetch_order(name)).client_order_id


async def test_an_order_is_replaced_in_its_place_and_keeps_what_it_filled(rig, broker):
    await rig.quote("99", "100", size="4", last="100")
    order = await broker.submit(**{**REST, "limit_price": "100"})
    order = await broker.wait(order, OrderStatus.PARTIALLY_FILLED, timeout_s=10)

    changed = await broker.replace(order, quantity="12", limit_price="99")

    assert (order.venue_order_ids, 1) == (changed.venue_order_ids, changed.revision)
    assert (D(12), D(99), D(4)) == (
        changed.quantity,
        changed.limit_price,
        changed.filled_quantity,
    )
    assert D(8) == changed.remaining_quantity


async def test_a_cancel_ends_an_order_and_a_second_one_changes_nothing(rig, broker):
    order = await broker.submit(**REST)

    ended = await broker.cancel(order)
    again = await broker.cancel(order)

    assert OrderStatus.CANCELED is ended.status
    assert ended == again
    assert 1 == rig.proxy.count("DELETE")


@pytest.mark.parametrize(("order_type", "time_in_force"), CELLS, ids=str)
async def test_every_declared_order_arrives_as_it_was_meant(rig, broker, order_type, time_in_force):
    expires = {"expires_at_ns": rig.clock.now_ns() + HOUR_NS}
    terms = {
        **TERMS[order_type],
        "time_in_force": time_in_force,
        **(expires if time_in_force is TimeInForce.GTD else {}),
    }

    order = await broker.submit(client_order_id="c1", order_type=order_type, **BUY, **terms)

    seen = rig.venue.engine.order("paper-1", "c1")
    assert order.status is not OrderStatus.REJECTED
    assert (order_type, time_in_force, D(10)) == (
        seen.order_type,
        seen.time_in_force,
        seen.quantity,
    )
    assert (order_type, time_in_force) == (order.order_type, order.time_in_force)
    for name in ("limit_price", "trailing", "expires_at_ns"):
        assert getattr(seen, name) == getattr(order, name)
    if order_type is not OrderType.TRAILING_STOP:
        asked = OrderRequest(order_type=order_type, **BUY, **terms)
        assert asked.stop_price == seen.stop_price == order.stop_price


@pytest.mark.parametrize(
    "more",
    [
        {"post_only": True},
        {"display_quantity": "2"},
        {"tag": "a strategy"},
        {"trailing": Offset.percent("2.5"), "order_type": OrderType.TRAILING_STOP},
        {"trailing": Offset.ticks(50), "order_type": OrderType.TRAILING_STOP},
    ],
    ids="-".join,
)
async def test_what_an_order_says_besides_arrives(rig, broker, more):
    terms = {**REST, **more}
    if terms["order_type"] is OrderType.TRAILING_STOP:
        del terms["limit_price"]

    order = await broker.submit(client_order_id="c1", **terms)

    seen = rig.venue.engine.order("paper-1", "c1")
    asked = OrderRequest(**terms)
    for name in ("post_only", "display_quantity", "tag", "trailing"):
        assert getattr(asked, name) == getattr(seen, name)
        assert getattr(asked, name) == getattr(order, name)


async def test_an_order_that_may_only_close_never_opens(rig, broker):
    with pytest.raises(OrderRejectedError) as caught:
        await broker.submit(order_type=OrderType.MARKET, reduce_only=True, **BUY)

    assert RejectReason.WOULD_INCREASE is caught.value.reason


async def test_exits_work_once_the_entry_has_filled_and_end_each_other(rig, broker):
    exits = {"stop_loss": Exit(price="95"), "take_profit": Exit(price="110")}
    await broker.submit(client_order_id="c1", order_type=OrderType.MARKET, **BUY, **exits)
    await eventually(lambda: _status(broker, "c1-tp") is OrderStatus.OPEN)
    legs = [broker.state.order(name) for name in ("c1-sl", "c1-tp")]

    await rig.quote("110", "112", last="111")

    assert [(Side.SELL, "c1")] * 2 == [(one.side, one.parent_client_order_id) for one in legs]
    await eventually(lambda: _status(broker, "c1-tp") is OrderStatus.FILLED)
    await eventually(lambda: _status(broker, "c1-sl") is OrderStatus.CANCELED)


async def test_exits_of_an_order_with_a_long_name_are_called_after_it(rig, broker):
    name = "c" * 60
    exits = {"stop_loss": Exit(price="85"), "take_profit": Exit(price="110")}

    await broker.submit(client_order_id=name, **REST, **exits)

    shown = {one.client_order_id: one for one in await broker.fetch_open_orders()}
    assert {name, f"{name}-sl", f"{name}-tp"} == set(shown)
    assert name == shown[f"{name}-tp"].parent_client_order_id


async def test_of_two_orders_that_cancel_each_other_one_is_left(rig, broker):
    await broker.submit(order_type=OrderType.MARKET, **BUY)
    sell = {"symbol": "AAPL", "side": Side.SELL, "quantity": "10", "account_id": "paper-1"}
    pair = [
        OrderRequest(client_order_id="up", order_type=OrderType.LIMIT, limit_price="110", **sell),
        OrderRequest(client_order_id="down", order_type=OrderType.STOP, stop_price="90", **sell),
    ]
    results = await broker.submit_list(pair, Contingency.OCO)
    assert [None, None] == [one.error for one in results]

    await rig.quote("110", "112", last="111")

    await eventually(lambda: _status(broker, "up") is OrderStatus.FILLED)
    await eventually(lambda: _status(broker, "down") is OrderStatus.CANCELED)


async def test_a_list_is_taken_whole_or_not_at_all(rig, broker):
    same = {"symbol": "AAPL", "side": Side.BUY, "order_type": OrderType.LIMIT}
    pair = [
        OrderRequest(client_order_id="small", quantity="1", limit_price="90", **same),
        OrderRequest(client_order_id="vast", quantity="9000000", limit_price="91", **same),
    ]

    results = await broker.submit_list(pair, Contingency.OCO)

    reasons = [one.error.reason for one in results]
    assert [RejectReason.OTHER, RejectReason.INSUFFICIENT_FUNDS] == reasons
    assert () == await broker.fetch_open_orders()


@pytest.mark.parametrize(
    ("terms", "error"),
    [
        ({"notional": "100", "quantity": None}, UnsupportedError),
        ({"extended_hours": True}, UnsupportedError),
        ({"time_in_force": TimeInForce.OPG}, UnsupportedError),
        ({"group_id": "g"}, UnsupportedError),
        ({"display_quantity": "0"}, UnsupportedError),
        ({"stop_loss": Exit(offset=Offset.price(1))}, UnsupportedError),
        ({"take_profit": Exit(price="110", time_in_force=TimeInForce.DAY)}, UnsupportedError),
        ({"limit_price": "90.001"}, InvalidOrderError),
        ({"symbol": "../orders"}, UnknownInstrumentError),
    ],
    ids=str,
)
async def test_what_wharf_lacks_is_refused_and_no_order_is_sent(rig, broker, terms, error):
    with pytest.raises(error):
        await broker.submit(**{**REST, **terms})

    assert 0 == rig.proxy.count("POST")


async def test_a_refusal_has_its_reason(rig, broker):
    with pytest.raises(OrderRejectedError) as caught:
        await broker.submit(**{**REST, "quantity": "9000000"})

    assert RejectReason.INSUFFICIENT_FUNDS is caught.value.reason
    assert "insufficient_funds" == caught.value.code


async def test_histories_are_read_page_by_page_each_row_once(rig, broker):
    for number in range(23):
        await broker.submit(client_order_id=f"c{number}", order_type=OrderType.MARKET, **BUY)

    orders = [one.client_order_id async for one in broker.fetch_orders()]
    fills = [one.client_order_id async for one in broker.fetch_fills()]
    some = [one.client_order_id async for one in broker.fetch_orders(Window(limit=12))]

    names = [f"c{number}" for number in range(23)]
    assert (names, names, names[:12]) == (orders, fills, some)
    assert 16 == len({one.symbol for one in await broker.load_instruments()})


async def test_orders_of_somebody_else_are_adopted(rig, broker):
    request = OrderRequest(client_order_id="theirs", account_id="paper-1", **REST)

    await rig.venue.act(lambda engine: engine.submit(request))

    await eventually(lambda: broker.state.order("theirs") is not None)
    assert OrderStatus.CANCELED is (await broker.cancel("theirs")).status


def test_no_cell_is_declared_without_support():
    assert {Support.NATIVE} == {one.support for one in CAPABILITIES.orders}


def _status(broker, name):
    order = broker.state.order(name)
    return None if order is None else order.status
