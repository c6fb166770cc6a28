"""The execution cards, on the adapter: what each order does, and what each refusal is."""

from decimal import Decimal

import pytest

from dragoman.errors import ConflictError, NotFoundError, OrderRejectedError, Outcome, RejectReason
from dragoman.models import (
    CommandResult,
    Contingency,
    Exit,
    Offset,
    Order,
    OrderChange,
    OrderEvent,
    OrderEventKind,
    OrderStatus,
    OrderType,
    PositionEffect,
    PriceSource,
    Side,
    TimeInForce,
    Window,
)

LIMIT, STOP, STOP_LIMIT = OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT
TOUCH = OrderType.MARKET_IF_TOUCHED


async def now(adapter, client_order_id, account_id="paper-1"):
    return await adapter.fetch_order(account_id, client_order_id=client_order_id)


async def test_a_market_order_fills_at_the_opposite_side(adapter, order):
    done = await adapter.submit(order())

    assert (OrderStatus.FILLED, Decimal(101)) == (done.status, done.average_fill_price)


async def test_a_market_order_takes_level_by_level_when_it_is_larger_than_the_top(desk, order):
    adapter = await desk.connect()
    await desk.quote("99", "101", size=4)

    done = await adapter.submit(order(quantity=10))

    fills = [fill async for fill in adapter.fetch_fills("paper-1", Window())]
    assert OrderStatus.FILLED is done.status
    assert Decimal(4) == fills[0].quantity
    assert fills[0].price < fills[1].price


async def test_a_limit_order_rests_and_fills_when_the_market_comes_to_it(desk, adapter, order):
    resting = await adapter.submit(order(LIMIT, limit_price="100"))

    await desk.quote("98", "100")

    done = await now(adapter, "order-1")
    assert OrderStatus.OPEN is resting.status
    assert (OrderStatus.FILLED, Decimal(100)) == (done.status, done.average_fill_price)


async def test_a_marketable_limit_fills_no_worse_than_the_market(adapter, order):
    done = await adapter.submit(order(LIMIT, limit_price="105"))

    assert Decimal(101) == done.average_fill_price


@pytest.mark.parametrize(
    ("kind", "price", "bid", "ask"),
    [(STOP, "105", "105", "106"), (TOUCH, "95", "93", "95")],
)
async def test_a_trigger_waits_for_its_price(desk, adapter, order, kind, price, bid, ask):
    waiting = await adapter.submit(order(kind, stop_price=price))

    await desk.quote(bid, ask, last=price)

    done = await now(adapter, "order-1")
    assert (OrderStatus.OPEN, False) == (waiting.status, waiting.is_triggered)
    assert (OrderStatus.FILLED, True) == (done.status, done.is_triggered)
    assert Decimal(ask) == done.average_fill_price


async def test_a_stop_limit_rests_at_its_limit_once_triggered(desk, adapter, order):
    await adapter.submit(order(STOP_LIMIT, stop_price="105", limit_price="104"))

    await desk.quote("105", "106", last="105")
    triggered = await now(adapter, "order-1")
    await desk.quote("103", "104")

    done = await now(adapter, "order-1")
    assert (OrderStatus.OPEN, True) == (triggered.status, triggered.is_triggered)
    assert Decimal(104) == done.average_fill_price


async def test_ioc_of_a_stop_counts_from_its_trigger(desks, order):
    desk = desks(fill_ratio="0.4")
    adapter = await desk.connect()
    await desk.quote("99", "101", last="100")
    await adapter.submit(order(STOP, stop_price="105", time_in_force=TimeInForce.IOC))

    waiting = await now(adapter, "order-1")
    await desk.quote("105", "106", last="105")

    done = await now(adapter, "order-1")
    assert OrderStatus.OPEN is waiting.status
    assert (OrderStatus.CANCELED, Decimal(4)) == (done.status, done.filled_quantity)


async def test_a_trailing_stop_follows_the_best_price(desk, adapter, order):
    await desk.quote("99", "101", last="100")
    await adapter.submit(order(OrderType.TRAILING_STOP, side=Side.SELL, trailing=Offset.price("2")))

    await desk.quote("109", "111", last="110")
    risen = await now(adapter, "order-1")
    await desk.quote("107", "109", last="108")

    done = await now(adapter, "order-1")
    assert Decimal(108) == risen.stop_price
    assert (OrderStatus.FILLED, Decimal(107)) == (done.status, done.average_fill_price)


async def test_ioc_remainder_is_canceled(desks, order):
    desk = desks(fill_ratio="0.4")
    adapter = await desk.connect()
    await desk.quote("99", "101", size=1000)

    done = await adapter.submit(order(LIMIT, limit_price="101", time_in_force=TimeInForce.IOC))

    assert (OrderStatus.CANCELED, Decimal(4)) == (done.status, done.filled_quantity)


async def test_fok_that_can_not_fill_whole_does_nothing(desk, order):
    adapter = await desk.connect()
    await desk.quote("99", "101", size=4)

    done = await adapter.submit(order(LIMIT, limit_price="101", time_in_force=TimeInForce.FOK))

    assert (OrderStatus.CANCELED, Decimal(0)) == (done.status, done.filled_quantity)


async def test_gtd_expires_at_its_instant(desk, adapter, order):
    ends_ns = desk.clock.now_ns() + 5_000_000_000
    await adapter.submit(
        order(LIMIT, limit_price="90", time_in_force=TimeInForce.GTD, expires_at_ns=ends_ns)
    )

    await desk.clock.advance(seconds=4)
    before = await now(adapter, "order-1")
    await desk.clock.advance(seconds=1)

    done = await now(adapter, "order-1")
    assert OrderStatus.OPEN is before.status
    assert OrderStatus.EXPIRED is done.status


async def test_day_expires_at_the_end_of_the_trading_day(desk, adapter, order):
    await adapter.submit(order(LIMIT, limit_price="90", time_in_force=TimeInForce.DAY))
    await adapter.submit(order(LIMIT, limit_price="90", time_in_force=TimeInForce.GTC))

    await desk.clock.advance(seconds=86_400)

    assert OrderStatus.EXPIRED is (await now(adapter, "order-1")).status
    assert OrderStatus.OPEN is (await now(adapter, "order-2")).status


async def test_a_replace_changes_what_it_names_and_keeps_the_rest(adapter, order):
    resting = await adapter.submit(order(LIMIT, limit_price="90"))

    changed = await adapter.replace(resting, OrderChange(limit_price="91"))

    assert (Decimal(91), Decimal(10), 1) == (
        changed.limit_price,
        changed.quantity,
        changed.revision,
    )
    assert resting.venue_order_ids == changed.venue_order_ids


async def test_a_replace_may_give_a_new_venue_id(desks, order):
    desk = desks(replace_keeps_id=False)
    adapter = await desk.connect()
    resting = await adapter.submit(order(LIMIT, limit_price="90"))

    changed = await adapter.replace(resting, OrderChange(quantity=5))

    assert resting.venue_order_ids == changed.venue_order_ids[:1]
    assert 2 == len(set(changed.venue_order_ids))
    assert changed == await adapter.fetch_order("paper-1", venue_order_id=changed.venue_order_id)
    assert "order-1" == adapter.wire_client_id("order-1", changed.revision)


async def test_a_refused_replace_leaves_the_order_as_it_was(adapter, order):
    resting = await adapter.submit(order(LIMIT, limit_price="90"))

    with pytest.raises(OrderRejectedError) as caught:
        await adapter.replace(resting, OrderChange(limit_price="90.001"))

    assert (RejectReason.INVALID_PRICE, "INVALID_PRICE") == (caught.value.reason, caught.value.code)
    assert resting.limit_price == (await now(adapter, "order-1")).limit_price


async def test_a_replace_of_an_ended_order_is_a_conflict(adapter, order):
    done = await adapter.submit(order())

    with pytest.raises(ConflictError):
        await adapter.replace(done, OrderChange(quantity=20))


async def test_a_cancel_ends_an_order(adapter, order):
    resting = await adapter.submit(order(LIMIT, limit_price="90"))

    done = await adapter.cancel(resting)

    assert OrderStatus.CANCELED is done.status


async def test_a_cancel_of_a_canceled_order_is_a_conflict(adapter, order):
    done = await adapter.cancel(await adapter.submit(order(LIMIT, limit_price="90")))

    with pytest.raises(ConflictError) as caught:
        await adapter.cancel(done)

    assert (Outcome.REJECTED, "CANCELED") == (caught.value.outcome, caught.value.code)


async def test_a_cancel_of_an_unknown_order_is_not_found(desk, adapter):
    stranger = Order(
        client_order_id="nobody",
        account_id="paper-1",
        symbol="AAPL",
        side=Side.BUY,
        order_type=LIMIT,
        status=OrderStatus.OPEN,
        provider="mock",
        received_at_ns=0,
    )

    with pytest.raises(NotFoundError):
        await adapter.cancel(stranger)


async def test_cancel_all_tells_the_end_of_each_order(adapter, order):
    for price in ("90", "91"):
        await adapter.submit(order(LIMIT, limit_price=price))
    await adapter.submit(order(LIMIT, limit_price="1000", symbol="MSFT", side=Side.SELL))

    rows = await adapter.cancel_all("paper-1", "AAPL")

    assert ["order-1", "order-2"] == [row.client_order_id for row in rows]
    assert {OrderStatus.CANCELED} == {row.order.status for row in rows}
    assert ["order-3"] == [
        each.client_order_id for each in await adapter.fetch_open_orders("paper-1")
    ]


async def test_a_bracket_protects_what_has_filled(desk, adapter, order):
    await adapter.submit(order(stop_loss=Exit(price="95"), take_profit=Exit(price="110")))

    legs = {each.client_order_id: each for each in await adapter.fetch_open_orders("paper-1")}
    await desk.quote("110", "111", last="110")

    assert {"order-1-sl", "order-1-tp"} == set(legs)
    assert OrderStatus.FILLED is (await now(adapter, "order-1-tp")).status
    assert OrderStatus.CANCELED is (await now(adapter, "order-1-sl")).status
    assert () == await adapter.fetch_positions("paper-1")


async def test_one_of_an_oco_list_cancels_the_other(desk, adapter, order):
    rows = await adapter.submit_list(
        [
            order(LIMIT, limit_price="95"),
            order(STOP, stop_price="105"),
        ],
        Contingency.OCO,
    )

    await desk.quote("94", "95")

    assert ["order-1", "order-2"] == [row.client_order_id for row in rows]
    assert OrderStatus.FILLED is (await now(adapter, "order-1")).status
    assert OrderStatus.CANCELED is (await now(adapter, "order-2")).status


async def test_the_first_of_an_oto_list_releases_the_rest(adapter, order):
    await adapter.submit_list(
        [order(), order(LIMIT, side=Side.SELL, limit_price="120")], Contingency.OTO
    )

    child = await now(adapter, "order-2")

    assert OrderStatus.OPEN is child.status


async def test_a_batch_has_one_fate_per_order(adapter, order):
    rows = await adapter.submit_list([order(), order(symbol="NOPE"), order()], Contingency.NONE)

    assert [None, RejectReason.UNKNOWN_SYMBOL, None] == [
        row.error and row.error.reason for row in rows
    ]
    assert isinstance(rows[0], CommandResult)
    assert OrderStatus.FILLED is rows[2].order.status


async def test_a_list_of_all_or_none_is_refused_whole(adapter, order):
    rows = await adapter.submit_list(
        [order(), order(symbol="NOPE")], Contingency.NONE, all_or_none=True
    )

    assert all(row.error is not None for row in rows)
    assert () == await adapter.fetch_positions("paper-1")


async def test_a_list_in_one_batch_tells_every_acceptance_before_any_fill(desk, adapter, order):
    reader = await desk.listen(adapter, orders=True)

    await adapter.submit_list([order(), order(LIMIT, limit_price="90")], Contingency.OTO)

    kinds = [event.kind for event in await reader.of(OrderEvent)]
    assert [OrderEventKind.ACCEPTED] * 2 == kinds[:2]
    assert OrderEventKind.FILL is kinds[2]


async def test_post_only_that_would_rest_is_taken(adapter, order):
    resting = await adapter.submit(order(LIMIT, limit_price="100", post_only=True))

    assert OrderStatus.OPEN is resting.status


async def test_a_display_quantity_shows_that_much_of_the_order(adapter, order):
    await adapter.submit(order(LIMIT, limit_price="100", quantity=10, display_quantity=3))

    depth = await adapter.fetch_depth("AAPL", 1)

    assert (Decimal(100), Decimal(3)) == (depth.bids[0].price, depth.bids[0].size)


async def test_a_hidden_order_is_not_in_the_depth(adapter, order):
    await adapter.submit(order(LIMIT, limit_price="100", quantity=10, display_quantity=0))

    assert Decimal(99) == (await adapter.fetch_depth("AAPL", 1)).bids[0].price


async def test_a_peg_follows_the_market(desk, adapter, order):
    await adapter.submit(order(LIMIT, peg=PriceSource.BID))

    await desk.quote("98", "101")

    assert Decimal(98) == (await now(adapter, "order-1")).limit_price


async def test_reduce_only_closes_no_more_than_there_is(adapter, order):
    await adapter.submit(order(quantity=5))

    done = await adapter.submit(
        order(side=Side.SELL, quantity=8, position_effect=PositionEffect.CLOSE)
    )

    assert Decimal(5) == done.filled_quantity
    assert () == await adapter.fetch_positions("paper-1")


async def test_close_ends_a_position_with_an_id_of_its_own(adapter, order):
    await adapter.submit(order())
    (position,) = await adapter.fetch_positions("paper-1")

    done = await adapter.close(position)

    assert ("made-1", OrderStatus.FILLED) == (done.client_order_id, done.status)
    assert () == await adapter.fetch_positions("paper-1")


async def test_close_of_a_part_leaves_the_rest(adapter, order):
    await adapter.submit(order())
    (position,) = await adapter.fetch_positions("paper-1")

    await adapter.close(position, Decimal(4))

    (left,) = await adapter.fetch_positions("paper-1")
    assert Decimal(6) == left.quantity


async def test_exits_of_a_position_replace_each_other(adapter, order):
    await adapter.submit(order())
    (position,) = await adapter.fetch_positions("paper-1")

    first = await adapter.set_exits(position, Exit(price="95"), Exit(price="110"))
    second = await adapter.set_exits(position, Exit(price="96"))

    assert 2 == len(first)
    assert [Decimal(96)] == [each.stop_price for each in second]
    assert second == await adapter.fetch_open_orders("paper-1")


async def test_refused_exits_leave_those_before(adapter, order):
    await adapter.submit(order())
    (position,) = await adapter.fetch_positions("paper-1")
    before = await adapter.set_exits(position, Exit(price="95"))

    with pytest.raises(OrderRejectedError):
        await adapter.set_exits(position, Exit(price="95.001"))

    assert before == await adapter.fetch_open_orders("paper-1")


REFUSALS = {
    "UNKNOWN_SYMBOL": {"symbol": "NOPE"},
    "INVALID_QUANTITY": {"quantity": "1.0000000001"},
    "INVALID_PRICE": {"order_type": LIMIT, "limit_price": "100.001"},
    "INSUFFICIENT_FUNDS": {"quantity": 1_000_000},
    "WOULD_TAKE": {"order_type": LIMIT, "limit_price": "101", "post_only": True},
    "WOULD_INCREASE": {"position_effect": PositionEffect.CLOSE},
}


@pytest.mark.parametrize("reason", REFUSALS)
async def test_a_refusal_says_why(desk, adapter, order, reason):
    reader = await desk.listen(adapter, orders=True)

    with pytest.raises(OrderRejectedError) as caught:
        await adapter.submit(order(**REFUSALS[reason]))

    error = caught.value
    assert (reason, reason, Outcome.REJECTED) == (error.reason, error.code, error.outcome)
    assert "order-1" == error.client_order_id
    told = await reader.of(OrderEvent)
    assert [OrderEventKind.REJECTED] == [event.kind for event in told]


async def test_a_taken_client_id_is_refused_to_its_sender_alone(desk, adapter, order):
    resting = await adapter.submit(order(LIMIT, limit_price="90", client_order_id="a"))
    reader = await desk.listen(adapter, orders=True)

    with pytest.raises(OrderRejectedError) as caught:
        await adapter.submit(order(client_order_id="a"))

    assert RejectReason.DUPLICATE_CLIENT_ORDER_ID is caught.value.reason
    assert [] == await reader.of(OrderEvent)
    assert resting == await now(adapter, "a")


async def test_what_a_venue_lacks_it_refuses(desks, order):
    desk = desks(native_exits=False, native_lists=False, native_trailing=False)
    adapter = await desk.connect()
    await desk.quote("99", "101", last="100")
    wanted = [
        order(stop_loss=Exit(price="95")),
        order(group_id="a"),
        order(OrderType.TRAILING_STOP, trailing=Offset.price("1")),
    ]

    for request in wanted:
        with pytest.raises(OrderRejectedError) as caught:
            await adapter.submit(request)
        assert RejectReason.UNSUPPORTED is caught.value.reason
    rows = await adapter.submit_list([order(), order()], Contingency.OCO)
    assert {RejectReason.UNSUPPORTED} == {row.error.reason for row in rows}
