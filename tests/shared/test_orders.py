"""Every kind of order that both ways take: what becomes of it, and what is told of that."""

from decimal import Decimal

import pytest
from tests.shared.rig import NOON_NS, eventually

from dragoman import InstrumentKind, Offset, OrderStatus, OrderType, Side, TimeInForce
from dragoman.errors import OrderRejectedError, WaitTimeoutError
from dragoman.times import HOUR_NS, SECOND_NS

LIMIT, STOP, STOP_LIMIT = OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT
DAY, GTC, IOC, FOK = TimeInForce.DAY, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK


async def test_a_market_order_fills_at_the_opposite_side(rig):
    await rig.submit()

    done = await rig.becomes(OrderStatus.FILLED)
    await rig.tells("SUBMITTED", "ACCEPTED", "FILL")
    assert (Decimal(10), Decimal(101)) == (done.filled_quantity, done.average_fill_price)
    assert [(Decimal(10), Decimal(101))] == rig.fills()


async def test_a_market_order_larger_than_the_top_fills_level_by_level(rig):
    await rig.venue.quote("99", "101", size="4")

    await rig.submit()

    done = await rig.becomes(OrderStatus.FILLED)
    await rig.holds("10")
    await rig.has_heard()
    quantities, prices = zip(*rig.fills(), strict=True)
    paid = sum(quantity * price for quantity, price in rig.fills())
    assert ["SUBMITTED", "ACCEPTED", *["FILL"] * len(quantities)] == rig.kinds()
    assert (Decimal(4), Decimal(10)) == (quantities[0], sum(quantities))
    assert sorted(set(prices)) == list(prices)
    assert paid / 10 == done.average_fill_price


async def test_a_limit_order_rests_and_fills_when_the_market_comes_to_it(rig):
    resting = await rig.submit(order_type=LIMIT, limit_price="100", time_in_force=GTC)

    await rig.becomes(OrderStatus.OPEN)
    await rig.venue.quote("98", "100")

    done = await rig.becomes(OrderStatus.FILLED)
    await rig.tells("SUBMITTED", "ACCEPTED", "FILL")
    assert (GTC, Decimal(100)) == (resting.time_in_force, resting.limit_price)
    assert Decimal(100) == done.average_fill_price


async def test_fills_in_parts_add_up_and_none_is_told_twice(open_rig):
    rig = await open_rig(fill_ratio="0.5")
    await rig.connect()
    await rig.submit(order_type=LIMIT, limit_price="100", quantity="8")
    await rig.becomes(OrderStatus.OPEN)

    for filled in ("4", "6"):
        await rig.venue.quote("98", "100")
        await eventually(lambda filled=filled: Decimal(filled) == rig.order().filled_quantity)

    assert OrderStatus.PARTIALLY_FILLED is rig.order().status
    await rig.tells("SUBMITTED", "ACCEPTED", "FILL", "FILL")
    assert [(Decimal(4), Decimal(100)), (Decimal(2), Decimal(100))] == rig.fills()
    await rig.holds("6")


async def test_a_stop_waits_for_its_price(rig):
    waiting = await rig.submit(order_type=STOP, stop_price="105")
    await rig.becomes(OrderStatus.OPEN)

    await rig.venue.quote("105", "106", last="105")

    done = await rig.becomes(OrderStatus.FILLED)
    assert (Decimal(105), Decimal(106)) == (waiting.stop_price, done.average_fill_price)


async def test_a_stop_limit_rests_at_its_limit_once_triggered(rig):
    await rig.submit(order_type=STOP_LIMIT, stop_price="105", limit_price="104")

    await rig.venue.quote("105", "106", last="105")
    await rig.becomes(OrderStatus.OPEN)
    await rig.venue.quote("103", "104")

    done = await rig.becomes(OrderStatus.FILLED)
    assert Decimal(104) == done.average_fill_price


@pytest.mark.parametrize(
    "trailing", [Offset.price("2"), Offset.percent("2")], ids=["price", "percent"]
)
async def test_a_trailing_stop_follows_the_best_price(rig, trailing):
    await rig.submit("c0")
    await rig.becomes(OrderStatus.FILLED, name="c0")

    sent = await rig.submit(side=Side.SELL, order_type=OrderType.TRAILING_STOP, trailing=trailing)
    await rig.becomes(OrderStatus.OPEN)
    await rig.venue.quote("109", "111", last="110")
    await rig.venue.quote("106", "108", last="107")

    done = await rig.becomes(OrderStatus.FILLED)
    assert trailing == sent.trailing
    assert Decimal(106) == done.average_fill_price


@pytest.mark.parametrize(
    ("time_in_force", "status", "filled"),
    [
        (IOC, OrderStatus.CANCELED, "4"),
        (FOK, OrderStatus.CANCELED, "0"),
        (DAY, OrderStatus.PARTIALLY_FILLED, "4"),
        (GTC, OrderStatus.PARTIALLY_FILLED, "4"),
    ],
    ids=["IOC", "FOK", "DAY", "GTC"],
)
async def test_a_time_in_force_decides_what_becomes_of_the_rest(
    open_rig, time_in_force, status, filled
):
    rig = await open_rig(fill_ratio="0.4")
    await rig.connect()

    sent = await rig.submit(order_type=LIMIT, limit_price="101", time_in_force=time_in_force)

    done = await rig.becomes(status)
    assert time_in_force is sent.time_in_force
    assert Decimal(filled) == done.filled_quantity


async def test_day_expires_at_the_end_of_the_day_and_gtc_does_not(open_rig):
    rig = await open_rig(start_ns=NOON_NS + 12 * HOUR_NS - 20 * SECOND_NS)
    await rig.connect()
    await rig.rest("day", time_in_force=DAY)
    await rig.rest("gtc", time_in_force=GTC)

    await rig.venue.pause(20)

    await rig.becomes(OrderStatus.EXPIRED, name="day")
    await rig.tells("SUBMITTED", "ACCEPTED", "EXPIRED", name="day")
    assert OrderStatus.OPEN is (await rig.broker.fetch_order("gtc")).status


async def test_a_notional_buys_for_an_amount(rig):
    sent = await rig.submit(quantity=None, notional="505")

    done = await rig.becomes(OrderStatus.FILLED)
    assert Decimal(505) == sent.notional
    assert (Decimal(5), Decimal(101)) == (done.filled_quantity, done.average_fill_price)


async def test_a_part_of_a_coin_is_bought(rig):
    await rig.submit(symbol="BTC/USD", quantity="0.01234567", time_in_force=GTC)

    done = await rig.becomes(OrderStatus.FILLED)
    assert ("BTC/USD", Decimal("0.01234567")) == (done.symbol, done.filled_quantity)
    assert Decimal(50010) == done.average_fill_price
    await rig.holds("0.01234567", "BTC/USD")


async def test_an_order_for_extended_hours_says_so(rig):
    sent = await rig.rest(extended_hours=True, time_in_force=DAY)

    assert sent.extended_hours is True


async def test_the_same_id_with_equal_terms_is_the_same_order(rig):
    first = await rig.rest()

    again = await rig.rest()

    assert first.venue_order_ids == again.venue_order_ids
    await rig.tells("SUBMITTED", "ACCEPTED")
    assert 1 == len(await rig.broker.fetch_open_orders())


async def test_wait_returns_what_an_order_has_become(rig):
    order = await rig.submit(order_type=LIMIT, limit_price="100")
    with pytest.raises(WaitTimeoutError):
        await rig.broker.wait(order, timeout_s=0.05)

    await rig.venue.quote("98", "100")

    assert OrderStatus.FILLED is (await rig.broker.wait(order, timeout_s=30)).status


async def test_every_order_that_both_declare_is_taken(rig):
    """Each type with each time in force that both ways offer for shares."""
    cells = rig.broker.capabilities
    kind = InstrumentKind.SPOT
    taken = []
    for order_type in (OrderType.MARKET, LIMIT, STOP, STOP_LIMIT, OrderType.TRAILING_STOP):
        for time_in_force in (DAY, GTC, IOC, FOK):
            name = f"{order_type}-{time_in_force}"
            if time_in_force not in cells.times_in_force(kind, order_type):
                continue
            prices = {}
            if order_type in (LIMIT, STOP_LIMIT):
                prices["limit_price"] = "110"
            if order_type in (STOP, STOP_LIMIT):
                prices["stop_price"] = "105"
            if order_type is OrderType.TRAILING_STOP:
                prices["trailing"] = Offset.price("5")
            await rig.submit(
                name, order_type=order_type, time_in_force=time_in_force, quantity="1", **prices
            )
            taken.append(name)

    assert 14 <= len(taken)
    for name in taken:
        await rig.becomes(OrderStatus.OPEN, OrderStatus.FILLED, name=name)


async def test_a_rejected_order_is_told_and_stays_rejected(rig):
    with pytest.raises(OrderRejectedError):
        await rig.submit(quantity="100000")

    await rig.becomes(OrderStatus.REJECTED)
    await rig.tells("SUBMITTED", "REJECTED")
    await rig.holds("0")
