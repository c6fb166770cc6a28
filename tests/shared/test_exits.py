"""Orders that belong together: entries with exits, OCO and OTO lists."""

from decimal import Decimal

import pytest
from tests.shared.rig import eventually

from dragoman import Contingency, Exit, OrderRequest, OrderStatus, OrderType, Side, TimeInForce

BUY, SELL = Side.BUY, Side.SELL
GTC = TimeInForce.GTC
HELD, OPEN = OrderStatus.HELD, OrderStatus.OPEN
EXITS = {"stop_loss": Exit(price="95"), "take_profit": Exit(price="110")}


async def entered(rig, **fields):
    """Enter at the market with both exits; both work by then."""
    await rig.submit(time_in_force=GTC, **{**EXITS, **fields})
    await rig.becomes(OrderStatus.FILLED)


async def test_legs_are_orders_of_their_own_named_after_the_entry(rig):
    await rig.rest(limit_price="98", time_in_force=GTC, **EXITS)

    orders = {one.client_order_id: one for one in await rig.broker.fetch_open_orders()}

    assert {"c1", "c1-sl", "c1-tp"} == set(orders)
    stop, target = orders["c1-sl"], orders["c1-tp"]
    assert (OrderType.STOP, Decimal(95)) == (stop.order_type, stop.stop_price)
    assert (OrderType.LIMIT, Decimal(110)) == (target.order_type, target.limit_price)
    for leg in (stop, target):
        assert (SELL, HELD, "c1") == (leg.side, leg.status, leg.parent_client_order_id)


async def test_legs_work_once_the_entry_has_filled(rig):
    await rig.submit(order_type=OrderType.LIMIT, limit_price="100", time_in_force=GTC, **EXITS)
    await rig.becomes(OPEN)

    await rig.venue.quote("98", "100", last="99")

    await rig.becomes(OrderStatus.FILLED)
    target = await rig.becomes(OPEN, name="c1-tp")
    stop = await rig.becomes(OPEN, HELD, name="c1-sl")
    assert {Decimal(10)} == {target.quantity, stop.quantity}


@pytest.mark.parametrize(
    ("market", "done", "left", "price"),
    [
        (("110", "111", "110"), "c1-tp", "c1-sl", "110"),
        (("94", "96", "95"), "c1-sl", "c1-tp", "94"),
    ],
    ids=["target", "stop"],
)
async def test_the_leg_that_fills_cancels_the_other(rig, market, done, left, price):
    await entered(rig)
    bid, ask, last = market

    await rig.venue.quote(bid, ask, last=last)

    filled = await rig.becomes(OrderStatus.FILLED, name=done)
    await rig.becomes(OrderStatus.CANCELED, name=left)
    await rig.holds("0")
    assert Decimal(price) == filled.average_fill_price
    assert [(Decimal(10), Decimal(price))] == rig.fills(done)
    assert [] == rig.fills(left)


async def test_an_entry_that_is_canceled_takes_its_legs_along(rig):
    await rig.rest(limit_price="98", time_in_force=GTC, **EXITS)

    await rig.broker.cancel("c1")

    await rig.becomes(OrderStatus.CANCELED)
    await eventually(lambda: not rig.broker.state.open_orders)
    assert () == await rig.broker.fetch_open_orders()


async def test_a_leg_may_be_replaced(rig):
    await entered(rig)
    await rig.becomes(OPEN, HELD, name="c1-sl")

    await rig.broker.replace("c1-sl", stop_price="97")
    await eventually(lambda: 1 == rig.order("c1-sl").revision)
    await rig.venue.quote("96", "98", last="97")

    await rig.becomes(OrderStatus.FILLED, name="c1-sl")
    await rig.becomes(OrderStatus.CANCELED, name="c1-tp")
    await rig.holds("0")


async def test_a_leg_may_be_canceled(rig):
    await entered(rig)
    await rig.becomes(OPEN, name="c1-tp")

    await rig.broker.cancel("c1-tp")

    await rig.becomes(OrderStatus.CANCELED, name="c1-tp")


@pytest.mark.parametrize(
    "exits", [{"stop_loss"}, {"take_profit"}], ids=["stop_loss", "take_profit"]
)
async def test_an_entry_may_have_one_exit_only(rig, exits):
    await rig.submit(time_in_force=GTC, **{name: EXITS[name] for name in exits})
    await rig.becomes(OrderStatus.FILLED)

    legs = await rig.broker.fetch_open_orders()

    expected = "c1-sl" if "stop_loss" in exits else "c1-tp"
    assert [(expected, OPEN)] == [(one.client_order_id, one.status) for one in legs]


async def test_an_exit_may_have_a_name_of_its_own(rig):
    exits = {"stop_loss": Exit(price="95", client_order_id="way-out")}
    await rig.submit(time_in_force=GTC, **exits)
    await rig.becomes(OrderStatus.FILLED)

    (leg,) = await rig.broker.fetch_open_orders()

    assert "way-out" == leg.client_order_id


def pair(**fields):
    common = {"symbol": "AAPL", "side": SELL, "quantity": "10", "time_in_force": GTC, **fields}
    return [
        OrderRequest(
            order_type=OrderType.LIMIT, limit_price="110", client_order_id="limit", **common
        ),
        OrderRequest(order_type=OrderType.STOP, stop_price="95", client_order_id="stop", **common),
    ]


@pytest.mark.parametrize(
    ("market", "done", "left"),
    [(("110", "111", "110"), "limit", "stop"), (("94", "96", "95"), "stop", "limit")],
    ids=["limit", "stop"],
)
async def test_one_of_an_oco_cancels_the_other(rig, market, done, left):
    await rig.submit()
    await rig.becomes(OrderStatus.FILLED)
    await rig.holds("10")

    results = await rig.broker.submit_list(pair(), Contingency.OCO)
    bid, ask, last = market
    await rig.venue.quote(bid, ask, last=last)

    assert ["limit", "stop"] == [one.client_order_id for one in results]
    assert [None, None] == [one.error for one in results]
    await rig.becomes(OrderStatus.FILLED, name=done)
    await rig.becomes(OrderStatus.CANCELED, name=left)
    await rig.holds("0")


async def test_an_oto_works_its_second_order_once_the_first_has_filled(rig):
    entry = OrderRequest(
        symbol="AAPL",
        side=BUY,
        order_type=OrderType.LIMIT,
        quantity="10",
        limit_price="100",
        time_in_force=GTC,
        client_order_id="entry",
    )
    results = await rig.broker.submit_list([entry, pair()[1]], Contingency.OTO)
    assert [None, None] == [one.error for one in results]
    await rig.becomes(HELD, name="stop")

    await rig.venue.quote("98", "100", last="99")
    await rig.becomes(OrderStatus.FILLED, name="entry")
    await rig.becomes(OPEN, name="stop")
    await rig.venue.quote("94", "96", last="95")

    await rig.becomes(OrderStatus.FILLED, name="stop")
    await rig.holds("0")


async def test_an_oco_of_which_one_is_canceled_ends_whole(rig):
    await rig.submit()
    await rig.becomes(OrderStatus.FILLED)
    await rig.broker.submit_list(pair(), Contingency.OCO)

    await rig.broker.cancel("limit")

    await rig.becomes(OrderStatus.CANCELED, name="limit")
    await rig.becomes(OrderStatus.CANCELED, name="stop")


async def test_cancel_all_takes_legs_along(rig):
    await rig.rest(limit_price="98", time_in_force=GTC, **EXITS)
    await rig.submit("c2", time_in_force=GTC, **EXITS)
    await rig.becomes(OrderStatus.FILLED, name="c2")
    await rig.becomes(OPEN, name="c2-tp")

    results = await rig.broker.cancel_all()

    names = {"c1", "c1-sl", "c1-tp", "c2-sl", "c2-tp"}
    assert names == {one.client_order_id for one in results}
    assert {None} == {one.error for one in results}
    for name in sorted(names):
        await rig.becomes(OrderStatus.CANCELED, name=name)
