"""Either side ends and comes back: nothing is sent, told or counted twice, and nothing is lost."""

from decimal import Decimal

import attrs
import pytest
from tests.shared.rig import eventually

from dragoman import Exit, OrderStatus, OrderType, Quote, TimeInForce

LIMIT = OrderType.LIMIT
OPEN, FILLED = OrderStatus.OPEN, OrderStatus.FILLED


async def test_a_client_that_comes_back_knows_its_orders(rig):
    before = await rig.rest()
    await rig.becomes(OPEN)

    await rig.close_client()
    await rig.connect()

    assert (OPEN, before.venue_order_ids) == (rig.order().status, rig.order().venue_order_ids)
    again = await rig.rest()
    assert before.venue_order_ids == again.venue_order_ids
    assert 1 == len(await rig.broker.fetch_open_orders())


async def test_what_filled_meanwhile_is_told_once_when_the_client_comes_back(open_rig):
    rig = await open_rig(fill_ratio="0.5")
    await rig.connect()
    await rig.submit(order_type=LIMIT, limit_price="100", quantity="8")
    await rig.becomes(OPEN)
    await rig.venue.quote("98", "100")
    await eventually(lambda: Decimal(4) == rig.order().filled_quantity)
    await rig.has_heard()

    await rig.close_client()
    await rig.venue.quote("98", "100")
    await rig.connect()

    await eventually(lambda: Decimal(6) == rig.order().filled_quantity)
    await rig.holds("6")
    told = [one async for one in stored(rig)]
    fills = [one.fill for one in told if getattr(one, "fill", None)]
    assert [Decimal(4), Decimal(2)] == [fill.quantity for fill in fills]
    assert 2 == len({fill.fill_id for fill in fills})


async def stored(rig):
    """Yield every private event since the beginning."""
    last = rig.broker.state.sequence
    everything = {"orders": True, "positions": True, "account": True, "ledger": True}
    async with rig.broker.stream(since=0, **everything) as events:
        async for event in events:
            yield event
            if getattr(event, "sequence", 0) >= last:
                return


async def test_an_order_may_be_changed_and_canceled_after_a_restart(rig):
    await rig.rest()
    await rig.broker.replace("c1", limit_price="91")
    await eventually(lambda: 1 == rig.order().revision)

    await rig.close_client()
    await rig.connect()
    await rig.broker.replace("c1", limit_price="92")
    await eventually(lambda: 2 == rig.order().revision)
    await rig.broker.cancel("c1")

    canceled = await rig.becomes(OrderStatus.CANCELED)
    assert Decimal(92) == canceled.limit_price


async def test_legs_keep_their_names_when_the_client_comes_back(rig):
    exits = {
        "stop_loss": Exit(price="95", client_order_id="way-out"),
        "take_profit": Exit(price="110"),
    }
    await rig.submit(time_in_force=TimeInForce.GTC, **exits)
    await rig.becomes(FILLED)
    await rig.becomes(OPEN, OrderStatus.HELD, name="way-out")
    await rig.becomes(OPEN, OrderStatus.HELD, name="c1-tp")

    await rig.close_client()
    await rig.connect()
    await rig.venue.quote("94", "96", last="95")

    await rig.becomes(FILLED, name="way-out")
    await rig.becomes(OrderStatus.CANCELED, name="c1-tp")
    assert {"c1", "way-out", "c1-tp"} == {one.client_order_id for one in rig.broker.state.orders}
    fills = [one.client_order_id async for one in rig.broker.fetch_fills()]
    assert ["c1", "way-out"] == fills


async def test_a_halt_outlives_the_client(rig):
    rig.broker.halt("enough")

    await rig.close_client()
    await rig.connect()

    assert rig.broker.is_halted


@pytest.fixture(params=["host", "host and broker"])
def restart(request):
    """End what is served, the broker behind it too where told; let something happen; go on."""
    ends_broker = request.param == "host and broker"

    async def restart(rig, meanwhile=None):
        rig.proxy.refuse()
        await (rig.close_served() if ends_broker else rig.stop_serving())
        rig.proxy.reset_connections()
        if meanwhile is not None:
            await meanwhile
        if ends_broker:
            await rig.open_served()
        await rig.serve()
        await rig.proxy.accept()
        if rig.is_connected:
            await rig.is_live()

    return restart


class TestServer:
    """The dialect ends and comes back, and the client stays."""

    @pytest.fixture
    def way(self):
        return "alpaca"

    async def test_orders_and_history_are_the_same_afterwards(self, rig, restart):
        await rig.rest("c1")
        await rig.broker.replace("c1", limit_price="91")
        await eventually(lambda: 1 == rig.order("c1").revision)
        await rig.submit("c2")
        await rig.becomes(FILLED, name="c2")
        orders = [one async for one in rig.broker.fetch_orders()]
        fills = [one async for one in rig.broker.fetch_fills()]

        await restart(rig)

        def plain(models):
            return [attrs.evolve(one, received_at_ns=0) for one in models]

        again = [one async for one in rig.broker.fetch_orders()]
        assert plain(orders) == plain(again)
        assert plain(fills) == plain([one async for one in rig.broker.fetch_fills()])

    async def test_what_filled_meanwhile_is_told_once(self, rig, restart):
        await rig.submit(order_type=LIMIT, limit_price="100")
        await rig.becomes(OPEN)

        await restart(rig, rig.venue.quote("98", "100"))

        await rig.becomes(FILLED)
        await rig.tells("SUBMITTED", "ACCEPTED", "FILL")
        assert [(Decimal(10), Decimal(100))] == rig.fills()
        await rig.holds("10")

    async def test_what_filled_before_is_not_told_again(self, rig, restart):
        await rig.submit()
        await rig.becomes(FILLED)
        await rig.holds("10")

        await restart(rig)
        await rig.broker.reconcile()

        await rig.tells("SUBMITTED", "ACCEPTED", "FILL")
        await rig.holds("10")

    async def test_an_order_can_be_replaced_and_canceled_afterwards(self, rig, restart):
        await rig.rest()
        await rig.broker.replace("c1", limit_price="91")
        await eventually(lambda: 1 == rig.order().revision)

        await restart(rig)
        await rig.broker.replace("c1", limit_price="92")
        await eventually(lambda: 2 == rig.order().revision)
        await rig.broker.cancel("c1")

        await rig.becomes(OrderStatus.CANCELED)
        await rig.tells("SUBMITTED", "ACCEPTED", "REPLACED", "REPLACED", "CANCELED")

    async def test_the_same_id_is_still_taken_afterwards(self, rig, restart):
        before = await rig.rest()

        await restart(rig)
        again = await rig.rest()

        assert before.venue_order_ids == again.venue_order_ids
        assert 1 == rig.posts

    async def test_market_data_goes_on_afterwards(self, rig, restart):
        heard = []
        async with rig.broker.listen(heard.append, quotes=["AAPL"]):
            await eventually(lambda: any(isinstance(one, Quote) for one in heard))
            await restart(rig)
            before = len(heard)
            await rig.venue.quote("70", "72")

            def quotes():
                return [one.bid_price for one in heard[before:] if isinstance(one, Quote)]

            await eventually(lambda: Decimal(70) in quotes())

    async def test_both_sides_may_restart(self, rig, restart):
        await rig.rest()
        await rig.close_client()
        await restart(rig)
        await rig.connect()

        assert OPEN is rig.order().status
        await rig.venue.quote("88", "90")
        await rig.becomes(FILLED)
        await rig.holds("10")
