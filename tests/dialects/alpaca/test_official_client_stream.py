"""The stream of trade updates by the official client, which runs a loop of its own in a thread."""

from decimal import Decimal

from alpaca.trading import enums, models, requests
from tests.shared.rig import eventually

Event = enums.TradeEvent
BUY, SELL = enums.OrderSide.BUY, enums.OrderSide.SELL
GTC = enums.TimeInForce.GTC


def limit(price, **more):
    return requests.LimitOrderRequest(
        symbol="AAPL", side=BUY, qty=8, time_in_force=GTC, limit_price=price, **more
    )


def words(heard, client_order_id):
    """The events of one order, but for what only says that something is under way."""
    of_order = [one.event for one in heard if client_order_id == one.order.client_order_id]
    passing = {Event.PENDING_NEW, Event.PENDING_CANCEL, Event.PENDING_REPLACE, Event.ACCEPTED}
    return [event for event in of_order if event not in passing]


async def tells(heard, client_order_id, *events):
    await eventually(lambda: len(words(heard, client_order_id)) >= len(events))
    assert list(events) == words(heard, client_order_id)


async def test_an_order_that_fills_in_parts_is_told_part_by_part(open_official):
    official = await open_official(fill_ratio="0.5")
    async with official.updates() as heard:
        await official.submit(limit(100, client_order_id="c1"))
        await tells(heard, "c1", Event.NEW)
        await official.rig.venue.quote("98", "100")
        await tells(heard, "c1", Event.NEW, Event.PARTIAL_FILL)
        await official.ask(lambda client: client.cancel_orders())
        await tells(heard, "c1", Event.NEW, Event.PARTIAL_FILL, Event.CANCELED)

    fill = next(one for one in heard if one.event == Event.PARTIAL_FILL)
    assert isinstance(fill, models.TradeUpdate)
    assert (4.0, 100.0, 4.0) == (fill.qty, fill.price, fill.position_qty)
    assert "4" == fill.order.filled_qty
    assert None is not fill.execution_id


async def test_a_replace_is_told_of_both_orders(official):
    async with official.updates() as heard:
        order = await official.submit(limit(90, client_order_id="c1"))
        change = requests.ReplaceOrderRequest(limit_price=100, client_order_id="c2")
        new = await official.ask(lambda client: client.replace_order_by_id(order.id, change))
        await official.rig.venue.quote("98", "100")
        await tells(heard, "c1", Event.NEW, Event.REPLACED)
        await tells(heard, "c2", Event.NEW, Event.FILL)

    replaced = next(one for one in heard if one.event == Event.REPLACED)
    assert (order.id, new.id) == (replaced.order.id, replaced.order.replaced_by)


async def test_legs_are_told_as_orders(official):
    async with official.updates() as heard:
        entry = await official.submit(
            requests.MarketOrderRequest(
                symbol="AAPL",
                qty=8,
                side=BUY,
                time_in_force=GTC,
                order_class=enums.OrderClass.BRACKET,
                take_profit=requests.TakeProfitRequest(limit_price=110),
                stop_loss=requests.StopLossRequest(stop_price=80),
                client_order_id="c1",
            )
        )
        legs = {leg.type: leg.client_order_id for leg in entry.legs}
        await tells(heard, "c1", Event.NEW, Event.FILL)
        await official.rig.venue.quote("110", "111", last="110")
        target, stop = legs[enums.OrderType.LIMIT], legs[enums.OrderType.STOP]
        await eventually(lambda: words(heard, target)[-1:] == [Event.FILL])
        await eventually(lambda: words(heard, stop)[-1:] == [Event.CANCELED])

    assert 1 == words(heard, target).count(Event.FILL)


async def test_a_refusal_is_told(official):
    async with official.updates() as heard:
        await official.refused(
            lambda client: (
                client.submit_order(limit(100, client_order_id="c0"))
                and client.submit_order(
                    requests.MarketOrderRequest(
                        symbol="AAPL",
                        side=BUY,
                        qty=100_000,
                        time_in_force=GTC,
                        client_order_id="c1",
                    )
                )
            )
        )
        await tells(heard, "c1", Event.REJECTED)


async def test_raw_updates_are_the_frames(official):
    async with official.updates(raw_data=True) as heard:
        await official.submit(limit(90, client_order_id="c1"))
        await eventually(lambda: any(one["data"]["event"] == "new" for one in heard))

    told = next(one for one in heard if one["data"]["event"] == "new")
    assert "trade_updates" == told["stream"]
    assert (Decimal(90), "c1") == (
        Decimal(told["data"]["order"]["limit_price"]),
        told["data"]["order"]["client_order_id"],
    )
