"""Orders by the official client: every class of request, and what it makes of the answers."""

import uuid
from datetime import timedelta

import pytest
from alpaca.common.enums import Sort
from alpaca.trading import enums, models, requests

BUY, SELL = enums.OrderSide.BUY, enums.OrderSide.SELL
DAY, GTC, IOC = enums.TimeInForce.DAY, enums.TimeInForce.GTC, enums.TimeInForce.IOC
Status, Type = enums.OrderStatus, enums.OrderType


def fields(**more):
    return {"symbol": "AAPL", "side": BUY, "qty": 10, "time_in_force": DAY, **more}


def market(**more):
    return requests.MarketOrderRequest(**fields(**more))


def limit(price=90, **more):
    return requests.LimitOrderRequest(**fields(limit_price=price, **more))


def bracket(kind=market, **more):
    return kind(
        order_class=enums.OrderClass.BRACKET,
        take_profit=requests.TakeProfitRequest(limit_price=110),
        stop_loss=requests.StopLossRequest(stop_price=80),
        time_in_force=GTC,
        **more,
    )


async def test_a_market_order_fills(official):
    order = await official.submit(market(client_order_id="c1"))

    done = await official.becomes("FILLED", order)
    assert isinstance(order, models.Order)
    assert ("c1", Type.MARKET, BUY, "10") == (done.client_order_id, done.type, done.side, done.qty)
    assert (Status.FILLED, "10", "101") == (done.status, done.filled_qty, done.filled_avg_price)
    assert done.filled_at >= done.submitted_at


async def test_a_notional_order_fills(official):
    order = await official.submit(
        requests.MarketOrderRequest(symbol="AAPL", side=BUY, notional=505, time_in_force=DAY)
    )

    done = await official.becomes("FILLED", order)
    assert ("505", None, "5") == (done.notional, done.qty, done.filled_qty)


async def test_a_part_of_a_coin_is_bought(official):
    order = await official.submit(market(symbol="BTC/USD", qty=0.25, time_in_force=GTC))

    done = await official.becomes("FILLED", order)
    assert ("BTC/USD", "0.25") == (done.symbol, done.filled_qty)
    assert enums.AssetClass.CRYPTO is done.asset_class


@pytest.mark.parametrize(
    ("request_", "type_", "prices"),
    [
        (limit(client_order_id="limit"), Type.LIMIT, {"limit_price": "90"}),
        (limit(extended_hours=True), Type.LIMIT, {"extended_hours": True}),
        (requests.StopOrderRequest(**fields(stop_price=120)), Type.STOP, {"stop_price": "120"}),
        (
            requests.StopLimitOrderRequest(**fields(stop_price=120, limit_price=121)),
            Type.STOP_LIMIT,
            {"stop_price": "120", "limit_price": "121"},
        ),
        (
            requests.TrailingStopOrderRequest(**fields(trail_price=5)),
            Type.TRAILING_STOP,
            {"trail_price": "5", "hwm": "100"},
        ),
        (
            requests.TrailingStopOrderRequest(**fields(trail_percent=5)),
            Type.TRAILING_STOP,
            {"trail_percent": "5"},
        ),
    ],
    ids=["limit", "extended hours", "stop", "stop limit", "trail price", "trail percent"],
)
async def test_an_order_that_rests_is_shown_with_its_prices(official, request_, type_, prices):
    order = await official.submit(request_)

    shown = await official.becomes("OPEN", order)
    assert (type_, Status.NEW) == (shown.type, shown.status)
    assert prices == {name: getattr(shown, name) for name in prices}
    assert isinstance(shown.id, uuid.UUID)
    assert isinstance(shown.asset_id, uuid.UUID)


async def test_a_bracket_shows_its_legs(official):
    order = await official.submit(bracket())

    nested = requests.GetOrderByIdRequest(nested=True)
    shown = await official.ask(lambda client: client.get_order_by_id(order.id, nested))
    legs = {leg.type: leg for leg in shown.legs}
    assert enums.OrderClass.BRACKET is shown.order_class
    assert {Type.LIMIT, Type.STOP} == set(legs)
    assert ("110", "80") == (legs[Type.LIMIT].limit_price, legs[Type.STOP].stop_price)
    assert {SELL} == {leg.side for leg in shown.legs}


async def test_an_entry_with_one_exit_shows_one_leg(official):
    order = await official.submit(
        market(
            order_class=enums.OrderClass.OTO,
            stop_loss=requests.StopLossRequest(stop_price=80, limit_price=79),
            time_in_force=GTC,
        )
    )

    (leg,) = order.legs
    assert (enums.OrderClass.OTO, Type.STOP_LIMIT) == (order.order_class, leg.type)
    assert ("80", "79") == (leg.stop_price, leg.limit_price)


async def test_one_of_an_oco_cancels_the_other(official):
    await official.becomes("FILLED", await official.submit(market()))
    pair = await official.submit(
        requests.LimitOrderRequest(
            **fields(side=SELL, time_in_force=GTC),
            order_class=enums.OrderClass.OCO,
            take_profit=requests.TakeProfitRequest(limit_price=110),
            stop_loss=requests.StopLossRequest(stop_price=80),
        )
    )

    await official.rig.venue.quote("110", "111", last="110")

    await official.becomes("FILLED", pair)
    (leg,) = pair.legs
    assert Status.CANCELED is (await official.becomes("CANCELED", leg)).status


async def test_an_order_is_found_by_either_id(official):
    order = await official.submit(limit(client_order_id="c1"))

    by_name = await official.ask(lambda client: client.get_order_by_client_id("c1"))
    by_id = await official.ask(lambda client: client.get_order_by_id(str(order.id)))

    assert order.id == by_name.id == by_id.id


async def test_orders_are_listed_by_what_is_asked_for(official):
    made = [
        await official.submit(limit(client_order_id="open")),
        await official.submit(limit(client_order_id="canceled", symbol="MSFT")),
        await official.submit(market(client_order_id="filled", side=SELL)),
    ]
    await official.ask(lambda client: client.cancel_order_by_id(made[1].id))
    await official.becomes("FILLED", made[2])
    await official.becomes("CANCELED", made[1])

    async def names(**asked):
        filter_ = requests.GetOrdersRequest(**asked) if asked else None
        found = await official.ask(lambda client: client.get_orders(filter_))
        return [order.client_order_id for order in found]

    every = enums.QueryOrderStatus.ALL
    assert ["open"] == await names()
    assert ["filled", "canceled", "open"] == await names(status=every)
    assert ["filled", "canceled"] == await names(status=enums.QueryOrderStatus.CLOSED)
    oldest = await names(status=every, direction=Sort.ASC, limit=2, nested=True)
    assert ["open", "canceled"] == oldest
    assert ["canceled"] == await names(status=every, symbols=["MSFT"])
    assert ["filled"] == await names(status=every, side=SELL)
    assert [] == await names(status=every, until=made[0].submitted_at - timedelta(seconds=1))
    assert 3 == len(await names(status=every, after=made[0].submitted_at - timedelta(seconds=1)))


async def test_an_order_is_replaced_by_one_with_another_id(official):
    order = await official.submit(limit(client_order_id="c1"))
    change = requests.ReplaceOrderRequest(qty=5, limit_price=91, client_order_id="c2")

    new = await official.ask(lambda client: client.replace_order_by_id(order.id, change))

    old = await official.order(order)
    assert ("c2", "5", "91") == (new.client_order_id, new.qty, new.limit_price)
    assert order.id != new.id
    assert (Status.REPLACED, new.id) == (old.status, old.replaced_by)
    assert order.id == new.replaces


async def test_a_stop_and_a_trail_are_replaced(official):
    stop = await official.submit(requests.StopOrderRequest(**fields(stop_price=120)))
    trail = await official.submit(requests.TrailingStopOrderRequest(**fields(trail_price=5)))
    higher = requests.ReplaceOrderRequest(stop_price=130)
    wider = requests.ReplaceOrderRequest(trail=6)

    new_stop = await official.ask(lambda client: client.replace_order_by_id(stop.id, higher))
    new_trail = await official.ask(lambda client: client.replace_order_by_id(trail.id, wider))

    assert ("130", "6") == (new_stop.stop_price, new_trail.trail_price)


async def test_an_order_is_canceled(official):
    order = await official.submit(limit())

    answer = await official.ask(lambda client: client.cancel_order_by_id(order.id))

    done = await official.becomes("CANCELED", order)
    assert None is answer
    assert (Status.CANCELED, True) == (done.status, done.canceled_at is not None)


async def test_all_orders_are_canceled(official):
    orders = [await official.submit(limit()), await official.submit(limit(symbol="MSFT"))]

    answers = await official.ask(lambda client: client.cancel_orders())

    assert {order.id for order in orders} == {answer.id for answer in answers}
    assert {200} == {answer.status for answer in answers}
    for order in orders:
        await official.becomes("CANCELED", order)


async def test_raw_answers_are_plain_rows(open_official):
    official = await open_official(raw_data=True)

    order = await official.submit(limit(client_order_id="c1"))
    listed = await official.ask(lambda client: client.get_orders())

    assert ("c1", "10", "90") == (order["client_order_id"], order["qty"], order["limit_price"])
    assert [order["id"]] == [one["id"] for one in listed]


@pytest.mark.parametrize(
    ("request_", "status", "code", "message"),
    [
        (market(qty=100_000), 403, 40310000, "insufficient buying power"),
        (market(symbol="NOPE"), 422, 42210000, 'asset "NOPE" not found'),
        (limit(90.001), 422, 42210000, "sub-penny increment"),
        (market(symbol="BTC/USD", qty=0.000000001, time_in_force=GTC), 422, 40010001, "qty"),
    ],
    ids=["funds", "symbol", "price", "quantity"],
)
async def test_a_refusal_has_its_code_and_message(official, request_, status, code, message):
    found = await official.refused(lambda client: client.submit_order(request_))

    assert (status, code) == found[:2]
    assert message in found[2]


async def test_a_client_order_id_is_taken_once(official):
    await official.submit(limit(client_order_id="c1"))

    found = await official.refused(lambda client: client.submit_order(limit(client_order_id="c1")))

    assert (422, 40010001, "client_order_id must be unique") == found


async def test_an_order_that_has_ended_is_not_canceled(official):
    order = await official.submit(market())
    await official.becomes("FILLED", order)

    found = await official.refused(lambda client: client.cancel_order_by_id(order.id))

    assert (422, 42210000) == found[:2]


@pytest.mark.parametrize(
    "question",
    [
        lambda client: client.get_order_by_id(uuid.UUID(int=1)),
        lambda client: client.get_order_by_client_id("nobody"),
        lambda client: client.cancel_order_by_id(uuid.UUID(int=1)),
    ],
    ids=["by id", "by client id", "cancel"],
)
async def test_an_order_that_is_none_is_not_found(official, question):
    assert (404, 40410000) == (await official.refused(question))[:2]


async def test_a_lost_answer_behind_the_dialect_makes_no_second_order(open_official):
    """The official client sends an order four times if the answer is a 504."""
    faults = (
        "submit#1 lost_response; event.accepted#1 drop_event; "
        "fetch_order#1 delayed_response(seconds=600)"
    )
    official = await open_official(served={"faults": faults, "timeout_s": 0.3})

    found = await official.refused(lambda client: client.submit_order(limit(client_order_id="c1")))

    orders = await official.rig.venue.mock.look(lambda engine: engine.open_orders("paper-1"))
    assert 1 == len(orders)
    assert 2 <= official.rig.posts
    assert (422, "client_order_id must be unique") == (found[0], found[2])


async def test_a_lost_answer_to_an_order_without_a_name_is_not_repeated(open_official):
    faults = (
        "submit#1 lost_response; event.accepted#1 drop_event; "
        "fetch_order#1 delayed_response(seconds=600)"
    )
    official = await open_official(served={"faults": faults, "timeout_s": 0.3})

    found = await official.refused(lambda client: client.submit_order(limit()))

    orders = await official.rig.venue.mock.look(lambda engine: engine.open_orders("paper-1"))
    assert (1, 1, 500) == (len(orders), official.rig.posts, found[0])
