"""The cards by which this field judges order execution, played on the mock through the broker."""

import asyncio
from collections.abc import Callable
from decimal import Decimal

import pytest

from dragoman import (
    Broker,
    Contingency,
    Exit,
    InvalidOrderError,
    NotFoundError,
    Offset,
    OrderRejectedError,
    OrderRequest,
    OrderStatus,
    OrderType,
    Outcome,
    OutcomeUnknownError,
    PositionEffect,
    PriceSource,
    RejectReason,
    Side,
    TimeInForce,
    UnknownReason,
    UnsupportedError,
)
from dragoman.times import HOUR_NS, MINUTE_NS

from .conftest import Market, told

D = Decimal
BUY, SELL = Side.BUY, Side.SELL


def status(broker: Broker, client_order_id: str) -> OrderStatus:
    order = broker.state.order(client_order_id)
    assert order is not None
    return order.status


@pytest.mark.parametrize(("side", "price"), [(BUY, "100.02"), (SELL, "100.00")])
async def test_market_order_fills_at_the_opposite_side(
    broker: Broker, side: Side, price: str
) -> None:
    order = await broker.wait(await broker.submit(OrderRequest.market("AAPL", side, 10)))

    assert (OrderStatus.FILLED, D(10), D(price)) == (
        order.status,
        order.filled_quantity,
        order.average_fill_price,
    )
    position = broker.state.position("AAPL")
    assert position is not None
    assert D(10 * side.sign) == position.quantity


async def test_market_order_larger_than_the_top_walks_the_book(broker: Broker) -> None:
    order = await broker.wait(await broker.submit(OrderRequest.market("AAPL", BUY, 600)))

    assert D(600) == order.filled_quantity
    assert order.average_fill_price is not None
    assert order.average_fill_price > D("100.02")


@pytest.mark.parametrize(
    ("side", "limit", "bid", "ask"),
    [(BUY, "99.50", "99.40", "99.45"), (SELL, "100.50", "100.60", "100.62")],
)
async def test_limit_order_rests_and_fills_at_its_price(
    market: Market, broker: Broker, side: Side, limit: str, bid: str, ask: str
) -> None:
    order = await broker.submit(OrderRequest.limit("AAPL", side, 10, limit))
    resting = order.status

    await market.tick(bid, ask)

    order = await broker.wait(order, timeout_s=1)
    assert (OrderStatus.OPEN, OrderStatus.FILLED, D(limit)) == (
        resting,
        order.status,
        order.average_fill_price,
    )


async def test_marketable_limit_order_fills_no_worse_than_its_limit(broker: Broker) -> None:
    order = await broker.wait(
        await broker.submit(OrderRequest.limit("AAPL", BUY, 10, "101.00")), timeout_s=1
    )

    assert D("100.02") == order.average_fill_price


@pytest.mark.parametrize(
    ("side", "stop", "bid", "ask"),
    [(BUY, "101.00", "101.00", "101.02"), (SELL, "99.00", "98.98", "99.00")],
)
async def test_stop_order_triggers_when_the_price_passes_it(
    market: Market, broker: Broker, side: Side, stop: str, bid: str, ask: str
) -> None:
    order = await broker.submit(OrderRequest.stop("AAPL", side, 10, stop))
    before = (order.status, order.is_triggered)

    await market.tick(bid, ask, last=stop)

    order = await broker.wait(order, timeout_s=1)
    assert ((OrderStatus.OPEN, False), (OrderStatus.FILLED, True)) == (
        before,
        (order.status, order.is_triggered),
    )
    assert f"{order.client_order_id} TRIGGERED" in told(broker)


async def test_stop_limit_order_rests_at_its_limit_once_triggered(
    market: Market, broker: Broker
) -> None:
    order = await broker.submit(
        OrderRequest.stop_limit("AAPL", BUY, 10, stop_price="101.00", limit_price="101.01")
    )

    await market.tick("101.50", "101.52", last="101.50")
    triggered = broker.state.order(order.client_order_id)
    await market.tick("100.99", "101.01")

    order = await broker.wait(order, timeout_s=1)
    assert triggered is not None
    assert (OrderStatus.OPEN, True, D("101.01")) == (
        triggered.status,
        triggered.is_triggered,
        order.average_fill_price,
    )


async def test_if_touched_orders_trigger_at_the_better_price(
    market: Market, broker: Broker
) -> None:
    buy = await broker.submit(OrderRequest.market_if_touched("AAPL", BUY, 1, "99.00"))
    sell = await broker.submit(
        OrderRequest.limit_if_touched("AAPL", SELL, 1, stop_price="101.00", limit_price="100.90")
    )

    await market.tick("98.98", "99.00", last="99.00")
    await market.tick("101.00", "101.02", last="101.00")

    assert [OrderStatus.FILLED] * 2 == [
        (await broker.wait(order, timeout_s=1)).status for order in (buy, sell)
    ]


@pytest.mark.parametrize("trigger", [PriceSource.LAST, PriceSource.BID, PriceSource.ASK])
async def test_a_trigger_follows_the_price_it_names(
    market: Market, broker: Broker, trigger: PriceSource
) -> None:
    moves = {
        PriceSource.LAST: ("100.00", "100.02", "101.00"),
        PriceSource.BID: ("101.00", "101.02", None),
        PriceSource.ASK: ("100.50", "101.00", None),
    }
    order = await broker.submit(OrderRequest.stop("AAPL", BUY, 1, "101.00", trigger=trigger))

    for source, move in moves.items():
        if source is not trigger and trigger is PriceSource.LAST:
            await market.tick(*move)
    early = status(broker, order.client_order_id)
    await market.tick(*moves[trigger])

    assert (OrderStatus.OPEN, OrderStatus.FILLED) == (early, status(broker, order.client_order_id))


async def test_trailing_stop_follows_and_never_gives_way(market: Market, broker: Broker) -> None:
    await broker.submit(OrderRequest.market("AAPL", BUY, 10))
    order = await broker.submit(
        OrderRequest.trailing_stop("AAPL", SELL, 10, Offset.price("1.00"), client_order_id="trail")
    )

    await market.tick("102.00", "102.02", last="102.00")
    await market.tick("101.50", "101.52", last="101.50")
    level = broker.state.order("trail")
    await market.tick("101.00", "101.02", last="101.00")

    order = await broker.wait(order, timeout_s=1)
    assert level is not None
    assert (D("101.00"), OrderStatus.FILLED) == (level.stop_price, order.status)


async def test_trailing_stop_limit_rests_at_its_offset(market: Market, broker: Broker) -> None:
    await broker.submit(OrderRequest.market("AAPL", BUY, 10))
    order = await broker.submit(
        OrderRequest.trailing_stop(
            "AAPL", SELL, 10, Offset.percent(1), limit_offset=Offset.ticks(10)
        )
    )

    await market.tick("98.50", "98.52", last="98.50")
    resting = broker.state.order(order.client_order_id)
    await market.tick("99.20", "99.22")

    done = await broker.wait(order, timeout_s=1)
    assert resting is not None
    assert (True, OrderStatus.FILLED) == (resting.is_triggered, done.status)


async def test_ioc_fills_what_it_can_and_cancels_the_rest(broker: Broker) -> None:
    order = await broker.submit(
        OrderRequest.limit("AAPL", BUY, 700, "100.02", time_in_force=TimeInForce.IOC)
    )

    order = await broker.wait(order, timeout_s=1)

    assert (OrderStatus.CANCELED, D(500)) == (order.status, order.filled_quantity)


async def test_fok_fills_whole_or_not_at_all(broker: Broker) -> None:
    whole = await broker.submit(
        OrderRequest.limit("AAPL", BUY, 400, "100.02", time_in_force=TimeInForce.FOK)
    )
    never = await broker.submit(
        OrderRequest.limit("AAPL", BUY, 700, "100.02", time_in_force=TimeInForce.FOK)
    )

    ends = [await broker.wait(order, timeout_s=1) for order in (whole, never)]

    assert [(OrderStatus.FILLED, D(400)), (OrderStatus.CANCELED, D(0))] == [
        (order.status, order.filled_quantity) for order in ends
    ]


async def test_gtd_expires_at_its_time_and_day_at_the_end_of_the_day(
    open_market: Callable[..., Market],
) -> None:
    market = open_market(later_s=9 * 3600)  # half an hour before midnight UTC
    broker = await market.connect()
    expires_at_ns = market.clock.now_ns() + 10 * MINUTE_NS
    dated = await broker.submit(
        OrderRequest.limit(
            "AAPL", BUY, 1, "90", time_in_force=TimeInForce.GTD, expires_at_ns=expires_at_ns
        )
    )
    day = await broker.submit(
        OrderRequest.limit("AAPL", BUY, 1, "90", time_in_force=TimeInForce.DAY)
    )
    good = await broker.submit(
        OrderRequest.limit("AAPL", BUY, 1, "90", time_in_force=TimeInForce.GTC)
    )

    await market.clock.advance(seconds=600)
    after_minutes = [status(broker, one.client_order_id) for one in (dated, day, good)]
    await market.clock.advance(nanoseconds=HOUR_NS)
    after_the_day = [status(broker, one.client_order_id) for one in (dated, day, good)]

    assert [OrderStatus.EXPIRED, OrderStatus.OPEN, OrderStatus.OPEN] == after_minutes
    assert [OrderStatus.EXPIRED, OrderStatus.EXPIRED, OrderStatus.OPEN] == after_the_day


async def test_modify_changes_price_and_total_quantity_and_counts_revisions(broker: Broker) -> None:
    order = await broker.submit(OrderRequest.limit("AAPL", BUY, 10, "99.00"))

    order = await broker.replace(order, limit_price="98.00")
    order = await broker.replace(order, quantity=25)

    assert (D("98.00"), D(25), 2, OrderStatus.OPEN) == (
        order.limit_price,
        order.quantity,
        order.revision,
        order.status,
    )


async def test_cancel_replace_with_a_new_venue_id_stays_the_same_intent(
    open_market: Callable[..., Market],
) -> None:
    broker = await open_market(replace_keeps_id=False).connect()
    order = await broker.submit(OrderRequest.limit("AAPL", BUY, 10, "99.00"))

    replaced = await broker.replace(order, limit_price="98.00")

    assert order.client_order_id == replaced.client_order_id
    assert (2, order.venue_order_id) == (
        len(replaced.venue_order_ids),
        replaced.venue_order_ids[0],
    )
    assert 1 == len(broker.state.open_orders)


async def test_modify_below_what_has_filled_is_refused_before_it_is_sent(broker: Broker) -> None:
    order = await broker.submit(OrderRequest.limit("AAPL", BUY, 700, "100.02"))
    assert D(500) == order.filled_quantity or order.filled_quantity < 700

    with pytest.raises(InvalidOrderError, match="the new total") as raised:
        await broker.replace(order, quantity=100)

    assert Outcome.NOT_SENT is raised.value.outcome


async def test_cancel_ends_a_resting_order_and_again_returns_it(broker: Broker) -> None:
    order = await broker.submit(OrderRequest.limit("AAPL", BUY, 10, "99.00"))

    first = await broker.cancel(order)
    again = await broker.cancel(order.client_order_id)

    assert (OrderStatus.CANCELED, first) == (first.status, again)


async def test_cancel_of_a_filled_order_returns_it_filled(broker: Broker) -> None:
    order = await broker.wait(await broker.submit(OrderRequest.market("AAPL", BUY, 1)))

    assert OrderStatus.FILLED is (await broker.cancel(order)).status


async def test_cancel_of_an_unknown_order_is_an_error(broker: Broker) -> None:
    with pytest.raises(NotFoundError, match="never"):
        await broker.cancel("never")


async def test_cancel_all_reports_one_result_per_order(broker: Broker) -> None:
    orders = [
        await broker.submit(OrderRequest.limit("AAPL", BUY, 1, f"9{number}.00"))
        for number in range(5)
    ]

    results = await broker.cancel_all()

    assert {order.client_order_id for order in orders} == {one.client_order_id for one in results}
    assert [OrderStatus.CANCELED] * 5 == [one.order.status for one in results if one.order]
    assert () == broker.state.open_orders


@pytest.mark.parametrize(
    ("bid", "ask", "last", "winner", "loser"),
    [
        ("105.00", "105.02", "105.00", "entry-tp", "entry-sl"),
        ("94.98", "95.00", "95.00", "entry-sl", "entry-tp"),
    ],
)
async def test_bracket_lives_its_whole_life(
    market: Market, broker: Broker, bid: str, ask: str, last: str, winner: str, loser: str
) -> None:
    entry = await broker.submit(
        OrderRequest.bracket(
            "AAPL",
            BUY,
            10,
            limit_price="99.00",
            stop_loss="95.00",
            take_profit="105.00",
            client_order_id="entry",
        )
    )
    held = [status(broker, leg) for leg in ("entry-sl", "entry-tp")]

    await market.tick("98.98", "99.00")
    working = [status(broker, leg) for leg in ("entry-sl", "entry-tp")]
    await market.tick(bid, ask, last)

    assert [OrderStatus.HELD] * 2 == held
    assert [OrderStatus.OPEN] * 2 == working
    assert OrderStatus.FILLED is status(broker, entry.client_order_id)
    assert (OrderStatus.FILLED, OrderStatus.CANCELED) == (
        status(broker, winner),
        status(broker, loser),
    )
    assert () == broker.state.positions
    leg = broker.state.order("entry-sl")
    assert leg is not None
    assert ("entry", PositionEffect.CLOSE) == (leg.parent_client_order_id, leg.position_effect)


async def test_canceling_an_unfilled_bracket_cancels_its_legs(broker: Broker) -> None:
    await broker.submit(
        OrderRequest.bracket(
            "AAPL",
            BUY,
            10,
            limit_price="99.00",
            stop_loss="95.00",
            take_profit="105.00",
            client_order_id="entry",
        )
    )

    await broker.cancel("entry")
    await asyncio.sleep(0)

    assert () == broker.state.open_orders


async def test_a_partly_filled_entry_is_protected_for_what_has_filled(
    market: Market, broker: Broker
) -> None:
    await broker.submit(
        OrderRequest.bracket(
            "AAPL",
            BUY,
            700,
            limit_price="100.02",
            stop_loss=Exit(offset=Offset.price(5)),
            take_profit="105.00",
            client_order_id="entry",
        )
    )
    await market.clock.advance(seconds=1)
    legs = [broker.state.order(leg) for leg in ("entry-sl", "entry-tp")]

    await broker.cancel("entry")
    after = broker.state.order("entry")

    assert after is not None
    filled = after.filled_quantity
    assert OrderStatus.CANCELED is after.status
    assert [filled] * 2 == [leg.quantity for leg in legs if leg]
    assert [OrderStatus.OPEN] * 2 == [status(broker, leg) for leg in ("entry-sl", "entry-tp")]


async def test_oco_one_fills_and_the_other_is_canceled(market: Market, broker: Broker) -> None:
    rows = await broker.submit_list(
        [
            OrderRequest.limit("AAPL", BUY, 10, "99.00", client_order_id="low"),
            OrderRequest.stop("AAPL", BUY, 10, "101.00", client_order_id="high"),
        ],
        Contingency.OCO,
    )

    await market.tick("101.00", "101.02", last="101.00")

    assert ["low", "high"] == [row.client_order_id for row in rows]
    assert [None, None] == [row.error for row in rows]
    assert (OrderStatus.CANCELED, OrderStatus.FILLED) == (
        status(broker, "low"),
        status(broker, "high"),
    )


async def test_oto_holds_the_second_until_the_first_has_filled(
    market: Market, broker: Broker
) -> None:
    await broker.submit_list(
        [
            OrderRequest.limit("AAPL", BUY, 10, "99.00", client_order_id="first"),
            OrderRequest.limit("AAPL", SELL, 10, "103.00", client_order_id="second"),
        ],
        Contingency.OTO,
    )
    before = status(broker, "second")

    await market.tick("98.98", "99.00")

    assert (OrderStatus.HELD, OrderStatus.OPEN) == (before, status(broker, "second"))


async def test_post_only_rests_or_is_rejected(broker: Broker) -> None:
    accepted = await broker.submit(OrderRequest.limit("AAPL", BUY, 1, "100.01", post_only=True))
    with pytest.raises(OrderRejectedError) as raised:
        await broker.submit(OrderRequest.limit("AAPL", BUY, 1, "100.02", post_only=True))

    assert (OrderStatus.OPEN, RejectReason.WOULD_TAKE, Outcome.REJECTED) == (
        accepted.status,
        raised.value.reason,
        raised.value.outcome,
    )


async def test_reduce_only_closes_and_never_opens_or_flips(broker: Broker) -> None:
    with pytest.raises(OrderRejectedError) as raised:
        await broker.submit(
            symbol="AAPL", side=SELL, order_type=OrderType.MARKET, quantity=5, reduce_only=True
        )
    await broker.wait(await broker.submit(OrderRequest.market("AAPL", BUY, 10)))
    done = await broker.wait(
        await broker.submit(
            symbol="AAPL", side=SELL, order_type=OrderType.MARKET, quantity=25, reduce_only=True
        )
    )

    assert RejectReason.WOULD_INCREASE is raised.value.reason
    assert D(10) == done.filled_quantity
    assert () == broker.state.positions


async def test_a_closing_order_without_quantity_closes_the_whole_position(broker: Broker) -> None:
    await broker.wait(await broker.submit(OrderRequest.market("AAPL", BUY, 7)))

    done = await broker.wait(
        await broker.submit(
            symbol="AAPL",
            side=SELL,
            order_type=OrderType.MARKET,
            position_effect=PositionEffect.CLOSE,
        )
    )

    assert (D(7), ()) == (done.filled_quantity, broker.state.positions)


async def test_display_quantity_hides_the_rest_from_the_book(
    market: Market, broker: Broker
) -> None:
    order = await broker.submit(OrderRequest.limit("AAPL", BUY, 100, "100.01", display_quantity=10))

    quote = await broker.fetch_quote("AAPL")
    await market.tick("99.98", "100.00")

    order = await broker.wait(order, timeout_s=1)
    assert (D("100.01"), D(10), OrderStatus.FILLED) == (
        quote.bid_price,
        quote.bid_size,
        order.status,
    )


async def test_unsupported_type_and_time_in_force_are_refused_without_traffic(
    open_market: Callable[..., Market],
) -> None:
    broker = await open_market(native_trailing=False, native_exits=False).connect()

    for request in (
        OrderRequest.trailing_stop("AAPL", SELL, 1, Offset.price(1)),
        OrderRequest.stop("AAPL", BUY, 1, "101", time_in_force=TimeInForce.OPG),
        OrderRequest.bracket("AAPL", BUY, 1, stop_loss="90", take_profit="110"),
    ):
        with pytest.raises(UnsupportedError) as raised:
            await broker.submit(request)
        assert Outcome.NOT_SENT is raised.value.outcome

    assert [] == told(broker)


async def test_ambiguous_submit_is_settled_by_the_stream(market: Market) -> None:
    broker = await market.connect(faults="submit#1 lost_response")

    order = await broker.submit(OrderRequest.limit("AAPL", BUY, 1, "99"))

    assert OrderStatus.OPEN is order.status
    assert 1 == len(await broker.fetch_open_orders())


async def test_ambiguous_submit_without_evidence_is_unknown_until_there_is_some(
    market: Market,
) -> None:
    plan = "submit#1 mute_stream(seconds=60); submit#1 lost_response; fetch_order#1 server_error"
    broker = await market.connect(faults=plan, timeout_s=0.2)
    request = OrderRequest.limit("AAPL", BUY, 1, "99", client_order_id="lost")

    with pytest.raises(OutcomeUnknownError) as raised:
        await broker.submit(request)
    unknown = status(broker, "lost")
    with pytest.raises(OutcomeUnknownError):
        await broker.submit(request)
    found = await broker.fetch_order("lost")

    assert (Outcome.UNKNOWN, UnknownReason.CONNECTION_LOST, OrderStatus.UNKNOWN) == (
        raised.value.outcome,
        raised.value.reason,
        unknown,
    )
    assert found is not None
    assert OrderStatus.OPEN is found.status
    assert 1 == len(await broker.fetch_open_orders())


async def test_ambiguous_cancel_is_unknown_and_may_be_repeated(market: Market) -> None:
    plan = "cancel#1 lost_response; cancel#1 mute_stream(seconds=60); fetch_order#1 server_error"
    broker = await market.connect(faults=plan, timeout_s=0.2)
    order = await broker.submit(OrderRequest.limit("AAPL", BUY, 1, "99"))

    with pytest.raises(OutcomeUnknownError) as raised:
        await broker.cancel(order)
    still = status(broker, order.client_order_id)
    again = await broker.cancel(order)

    assert (Outcome.UNKNOWN, OrderStatus.OPEN, OrderStatus.CANCELED) == (
        raised.value.outcome,
        still,
        again.status,
    )


async def test_ambiguous_modify_leaves_either_terms_possible_until_looked_up(
    market: Market,
) -> None:
    plan = "replace#1 lost_response; replace#1 mute_stream(seconds=60); fetch_order#1 server_error"
    broker = await market.connect(faults=plan, timeout_s=0.2)
    order = await broker.submit(OrderRequest.limit("AAPL", BUY, 1, "99"))

    with pytest.raises(OutcomeUnknownError):
        await broker.replace(order, limit_price="98")
    found = await broker.fetch_order(order)

    assert found is not None
    assert (D(98), 1) == (found.limit_price, found.revision)
