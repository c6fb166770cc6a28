"""The official client and the library's own adapter in one account: each sees what both do."""

from decimal import Decimal

from alpaca.trading import enums, requests
from tests.shared.rig import eventually

from dragoman import OrderOrigin, OrderStatus

BUY = enums.OrderSide.BUY
GTC = enums.TimeInForce.GTC


def limit(price=90, **more):
    return requests.LimitOrderRequest(
        symbol="AAPL", side=BUY, qty=10, time_in_force=GTC, limit_price=price, **more
    )


async def replaced(official, order_id, **fields):
    change = requests.ReplaceOrderRequest(**fields)
    return await official.ask(lambda client: client.replace_order_by_id(order_id, change))


async def test_what_one_sends_the_other_knows(official):
    rig = official.rig
    await rig.connect()

    await official.submit(limit(client_order_id="theirs"))
    ours = await rig.rest("ours")

    theirs = await rig.becomes(OrderStatus.OPEN, name="theirs")
    assert OrderOrigin.EXTERNAL is theirs.origin
    listed = await official.ask(lambda client: client.get_orders())
    assert {"theirs", "ours"} == {order.client_order_id for order in listed}
    assert ours.venue_order_id in {str(order.id) for order in listed}


async def test_an_order_of_ours_that_they_replace_stays_the_same_order(official):
    rig = official.rig
    await rig.connect()
    ours = await rig.rest()

    new = await replaced(official, ours.venue_order_id, qty=4, limit_price=100, client_order_id="x")
    await eventually(lambda: rig.order().venue_order_id == str(new.id))
    await rig.venue.quote("98", "100")

    done = await rig.becomes(OrderStatus.FILLED)
    assert (Decimal(4), Decimal(4), Decimal(100)) == (
        done.quantity,
        done.filled_quantity,
        done.limit_price,
    )
    assert [(Decimal(4), Decimal(100))] == rig.fills()
    assert ["c1"] == [order.client_order_id for order in rig.broker.state.orders]
    await rig.holds("4")


async def test_an_order_that_both_replace_is_one_order(official):
    rig = official.rig
    await rig.connect()
    await rig.rest()
    await rig.broker.replace("c1", limit_price="91")
    await eventually(lambda: rig.order().revision == 1)

    new = await replaced(official, rig.order().venue_order_id, limit_price=92)
    await eventually(lambda: rig.order().venue_order_id == str(new.id))
    await rig.broker.replace("c1", limit_price="93")
    await eventually(lambda: rig.order().limit_price == Decimal(93))
    await rig.broker.cancel("c1")

    await rig.becomes(OrderStatus.CANCELED)
    assert ["c1"] == [order.client_order_id for order in rig.broker.state.orders]


async def test_an_order_of_ours_that_they_cancel_is_canceled(official):
    rig = official.rig
    await rig.connect()
    await rig.rest()

    await official.ask(lambda client: client.cancel_orders())

    await rig.becomes(OrderStatus.CANCELED)
    await rig.tells("SUBMITTED", "ACCEPTED", "CANCELED")


async def test_a_position_that_they_close_is_closed(official):
    rig = official.rig
    await rig.connect()
    await rig.submit()
    await rig.holds("10")

    await official.ask(lambda client: client.close_position("AAPL"))

    await rig.holds("0")
