"""Lives of orders at Alpaca, all the way up to a broker: it is told what is so, and once."""

import pytest

from dragoman import OrderRequest, OrderStatus, PendingAction, Side
from dragoman.errors import (
    DuplicateOrderError,
    OrderRejectedError,
    RejectReason,
)
from dragoman.models import Alarm, OrderOrigin

from .order_venue import OrderVenue, at_work, eventually
from .rest_venue import problem
from .trading_rows import ORDER, D

LOW = OrderRequest.limit("AAPL", Side.BUY, "6", "150", client_order_id="a")


@pytest.fixture
async def venue():
    return OrderVenue()


@pytest.fixture
async def desk(venue):
    async with at_work(venue) as desk:
        yield desk


async def _all(rows):
    return [row async for row in rows]


async def test_an_order_fills(venue, desk):
    await desk.broker.submit(LOW)
    venue.fill(venue.order("a"), 6)
    await eventually(lambda: desk.order().is_terminal)

    assert OrderStatus.FILLED is desk.order().status
    await eventually(lambda: "FILL" in desk.kinds("a"))
    assert ["SUBMITTED", "ACCEPTED", "FILL"] == desk.kinds("a")


async def test_a_replace_that_lost_its_race_can_be_asked_again(venue, desk):
    order = await desk.broker.submit(LOW)
    venue.opens = False
    first = await desk.broker.replace(order, limit_price="151")
    assert PendingAction.REPLACE is first.pending
    venue.lost(venue.order("a~1"))
    await eventually(lambda: "REPLACE_REJECTED" in desk.kinds("a"))
    venue.opens = True

    for price in ("152", "153"):
        await desk.broker.replace("a", limit_price=price)
        await eventually(lambda now=price: desk.order().limit_price == D(now))

    venue.opens = False
    await desk.broker.replace("a", limit_price="154")
    venue.lost(venue.order("a~4"))
    await eventually(lambda: desk.kinds("a").count("REPLACE_REJECTED") == 2)
    venue.fill(venue.order("a~3"), 6, "153")
    await eventually(lambda: "FILL" in desk.kinds("a"))
    assert 2 == desk.kinds("a").count("REPLACE_REJECTED")
    assert (3, OrderStatus.FILLED) == (desk.order().revision, desk.order().status)


async def test_a_replace_that_lost_its_race_to_a_fill_can_be_asked_again(venue, desk):
    order = await desk.broker.submit(LOW)
    venue.opens = False
    await desk.broker.replace(order, limit_price="151")
    venue.fill(venue.order("a"), 2)
    venue.lost(venue.order("a~1"))
    await eventually(lambda: desk.order().filled_quantity == 2)
    await eventually(lambda: desk.order().pending is None)
    venue.opens = True

    await desk.broker.replace(desk.order(), limit_price="152")

    await eventually(lambda: desk.order().status is OrderStatus.PARTIALLY_FILLED)
    assert (D(152), D(6)) == (desk.order().limit_price, desk.order().quantity)


async def test_a_replacement_that_waits_for_the_market_can_be_canceled(venue, desk):
    order = await desk.broker.submit(LOW)
    venue.opens, venue.word = False, "accepted"
    await desk.broker.replace(order, limit_price="151")
    venue.replaced(venue.order("a~1"))

    await desk.broker.cancel("a")

    await eventually(lambda: desk.order().is_terminal)
    assert "canceled" == venue.order("a~1")["status"]


async def test_a_fill_during_a_replace_leaves_the_rest_open(venue, desk):
    order = await desk.broker.submit(LOW)
    venue.opens = False
    await desk.broker.replace(order, limit_price="151")
    old, new = venue.order("a"), venue.order("a~1")
    venue.fill(old, 2)
    new["qty"] = "4"
    venue.opens = True
    venue.replaced(new)
    venue.fill(new, 2)
    await eventually(lambda: desk.order().filled_quantity == 4)

    assert OrderStatus.PARTIALLY_FILLED is desk.order().status
    assert D(6) == desk.order().quantity


async def test_replaces_by_somebody_else_are_told_each(venue, desk):
    await desk.broker.submit(LOW)
    for price in ("151", "152"):
        row = [one for one in venue.rows.values() if one["status"] == "new"][-1]
        venue.replaced(venue.replace(row, limit_price=price))
    await eventually(lambda: desk.order().limit_price == D(152))
    venue.change(venue.order("a"))

    await eventually(lambda: 2 == desk.kinds("a").count("REPLACED"))
    assert 2 == desk.order().revision


async def test_a_cancel_is_under_way_until_it_is_told(venue, desk):
    await desk.broker.submit(LOW)
    await eventually(lambda: desk.order().status is OrderStatus.OPEN)
    venue.opens, venue.is_mute = False, True

    order = await desk.broker.cancel("a")

    assert PendingAction.CANCEL is order.pending


async def test_a_day_that_ends_and_the_next_one_are_told(venue, desk):
    await desk.broker.submit(LOW)
    row = venue.order("a")
    venue.change(row, "done_for_day", status="done_for_day")
    await eventually(lambda: desk.order().status is OrderStatus.HELD)
    venue.change(row, "new", status="new")
    await eventually(lambda: desk.order().status is OrderStatus.OPEN)

    told = ["SUBMITTED", "ACCEPTED", "RESTATED", "RESTATED"]
    await eventually(lambda: len(told) <= len(desk.kinds("a")))
    assert told == desk.kinds("a")


async def test_a_refused_cancel_is_pending_no_more(venue, desk):
    await desk.broker.submit(LOW)
    row = venue.order("a")
    await eventually(lambda: desk.order().status is OrderStatus.OPEN)
    venue.instead["DELETE"] = [lambda *_: problem(204, 0, "")]
    assert PendingAction.CANCEL is (await desk.broker.cancel("a")).pending

    venue.tell("order_cancel_rejected", row, timestamp=venue.now())

    await eventually(lambda: desk.order().pending is None)


async def test_more_orders_of_one_instant_than_fit_a_page_are_all_read(venue):
    at = venue.now()
    for number in range(1100):
        venue.put(submitted_at=at, created_at=at, client_order_id=f"b{number}")
    for number in range(600):
        venue.put(client_order_id=f"c{number}")
    async with at_work(venue) as desk:
        assert 1700 == len(desk.broker.state.open_orders)
    pages = [asked for _, path, asked, _ in venue.requests("GET") if path == "/v2/orders"]
    assert len(pages) < 10


async def test_an_intent_replaced_sixty_times_is_listed(venue):
    row = venue.put(client_order_id="b")
    for number in range(1, 61):
        new = venue.replace(row, client_order_id=f"b~{number}", limit_price=str(100 + number))
        venue.replaced(new)
        row = new
    async with at_work(venue) as desk:
        (order,) = await desk.meanwhile(_all(desk.broker.fetch_orders()))

    assert (60, D(160)) == (order.revision, order.limit_price)


async def test_fills_missed_while_the_stream_was_down_are_told_once(venue, desk):
    await desk.broker.submit(LOW)
    row = venue.order("a")
    await eventually(lambda: desk.order().status is OrderStatus.OPEN)
    venue.fill(row, 2)
    venue.fill(row, 1, tells=False)
    await venue.cut()
    venue.fill(row, 2, tells=False)
    await desk.until(lambda: desk.order().filled_quantity == 5)
    venue.say(venue.told[-1])
    await desk.until(lambda: len(venue.wires) == 1)
    venue.fill(row, 1)
    await desk.until(lambda: desk.order().is_terminal)

    await eventually(lambda: desk.kinds("a").count("FILL") == 4)
    fills = [event.fill.quantity for event in desk.heard if getattr(event, "fill", None)]
    assert [D(2), D(1), D(2), D(1)] == fills
    assert [] == desk.of(Alarm)


async def test_a_lost_answer_is_followed_by_no_second_order(venue, desk):
    venue.instead["POST"] = [
        lambda _, __, body: (
            venue.do("POST", "/v2/orders", {}, body),
            problem(504, 0, "gateway timeout"),
        )[1]
    ]

    order = await desk.meanwhile(desk.broker.submit(LOW))

    assert ("a", 1) == (order.client_order_id, len(venue.requests("POST")))


async def test_a_lost_answer_to_a_replace_is_followed_by_no_second_one(venue, desk):
    order = await desk.broker.submit(LOW)
    await eventually(lambda: desk.order().status is OrderStatus.OPEN)
    lost = problem(502, 0, "bad gateway")
    path = f"/v2/orders/{order.venue_order_id}"
    venue.instead["PATCH"] = [lambda _, __, body: (venue.do("PATCH", path, {}, body), lost)[1]]

    order = await desk.meanwhile(desk.broker.replace(order, limit_price="151"))

    assert (1, D(151), 1) == (order.revision, order.limit_price, len(venue.requests("PATCH")))


async def test_a_replace_that_never_arrived_leaves_the_order(venue, desk):
    order = await desk.broker.submit(LOW)
    await eventually(lambda: desk.order().status is OrderStatus.OPEN)
    venue.instead["PATCH"] = [problem(504, 0, "gateway timeout")]

    with pytest.raises(OrderRejectedError):
        await desk.meanwhile(desk.broker.replace(order, limit_price="151"))

    assert (0, D(150)) == (desk.order().revision, desk.order().limit_price)
    await desk.broker.replace("a", limit_price="152")
    await eventually(lambda: desk.order().limit_price == D(152))


async def test_a_fill_that_does_not_say_what_its_order_has_filled_counts_once(venue, desk):
    await desk.broker.submit(LOW)
    row = venue.order("a")
    venue.fill(row, 2, tells=False)
    more = {"price": "150", "qty": "2", "position_qty": "2", "execution_id": "x"}
    venue.tell("partial_fill", row | {"filled_qty": None}, **more)

    await desk.meanwhile(desk.broker.reconcile())
    await desk.meanwhile(desk.broker.reconcile())
    await eventually(lambda: "FILL" in desk.kinds("a"))

    assert (D(2), 1) == (desk.order().filled_quantity, desk.kinds("a").count("FILL"))


@pytest.mark.parametrize("related", [["x"], [{"id": "x"}]], ids=["ids", "rows"])
async def test_a_refusal_says_why_whatever_else_it_holds(venue, desk, related):
    message = "potential wash trade detected. use complex orders"
    venue.instead["POST"] = [problem(403, 40310000, message, related_orders=related)]

    with pytest.raises(OrderRejectedError) as found:
        await desk.broker.submit(LOW)

    assert RejectReason.SELF_TRADE is found.value.reason
    assert OrderStatus.REJECTED is desk.order().status


async def test_orders_under_names_of_others_are_known_again(venue, tmp_path):
    names = ["my order 1", "ordre é", "x" * 128, "q~7"]
    rows = [venue.put(client_order_id=name, qty="9") for name in names]
    rows.append(venue.put(client_order_id=None, qty="9"))
    names.append(f"ext-{rows[-1]['id']}")
    for filled in (1, 2):
        async with at_work(venue, state_dir=str(tmp_path)) as desk:
            for row in rows:
                venue.fill(row, 1)

            def filled_of_each():
                return {desk.order(name).filled_quantity for name in names}

            await desk.until(lambda now=filled: {now} == filled_of_each())
            assert len(names) == len(desk.broker.state.open_orders)


async def test_a_replace_under_way_at_the_end_is_known_after_the_restart(venue, tmp_path):
    async with at_work(venue, state_dir=str(tmp_path)) as desk:
        order = await desk.broker.submit(LOW)
        await eventually(lambda: desk.order().status is OrderStatus.OPEN)
        venue.opens = False
        await desk.broker.replace(order, limit_price="151")
    old, new = venue.order("a"), venue.order("a~1")
    venue.fill(old, 2)
    new["qty"] = "4"
    venue.opens = True
    venue.replaced(new)
    async with at_work(venue, state_dir=str(tmp_path)) as desk:
        order = desk.order()
        assert (D(6), D(2), 1) == (order.quantity, order.filled_quantity, order.revision)
        venue.fill(new, 3)
        await eventually(lambda: desk.order().filled_quantity == 5)
        assert (D(6), True) == (desk.order().quantity, desk.order().is_open)
        assert [] == desk.of(Alarm)


async def test_an_answer_lost_and_not_visible_at_once_is_waited_for(venue, desk):
    def lost(_, __, body):
        venue.is_mute = True
        venue.do("POST", "/v2/orders", {}, body)
        return problem(504, 0, "gateway timeout")

    missing = problem(404, 40410000, "order not found")
    venue.instead["POST"] = [lost]
    venue.instead["GET"] = [
        lambda path, *_: missing if path.endswith("by_client_order_id") else None
    ] * 4

    order = await desk.meanwhile(desk.broker.submit(LOW))

    assert (OrderStatus.OPEN, 1) == (order.status, len(venue.requests("POST")))
    assert "REJECTED" not in desk.kinds("a")


async def test_an_id_that_somebody_else_used_is_no_order_of_one_s_own(venue, desk):
    venue.put(client_order_id="a", qty="3")

    with pytest.raises(DuplicateOrderError):
        await desk.meanwhile(desk.broker.submit(LOW))

    assert (OrderOrigin.EXTERNAL, D(3)) == (desk.order().origin, desk.order().quantity)


async def test_a_request_that_a_proxy_sends_twice_is_one_order(venue, desk):
    def twice(_, __, body):
        venue.do("POST", "/v2/orders", {}, body)
        return venue.do("POST", "/v2/orders", {}, body)

    venue.instead["POST"] = [twice]

    order = await desk.meanwhile(desk.broker.submit(LOW))

    assert (OrderStatus.OPEN, OrderOrigin.CLIENT) == (order.status, order.origin)


@pytest.mark.parametrize("field", sorted(ORDER))
async def test_a_fill_counts_once_whatever_its_frame_lacks(venue, desk, field):
    await desk.broker.submit(LOW)
    await eventually(lambda: desk.order().status is OrderStatus.OPEN)
    row = venue.order("a")
    venue.fill(row, 2, tells=False)
    more = {"price": "150", "qty": "2", "position_qty": "2", "execution_id": "x"}
    venue.tell("partial_fill", row | {field: None, "brand_new": {"x": [1]}}, **more)

    await desk.meanwhile(desk.broker.reconcile())
    await desk.meanwhile(desk.broker.reconcile())
    await eventually(lambda: "FILL" in desk.kinds("a"))

    (order,) = desk.broker.state.orders
    assert (D(2), D(6), D(150)) == (order.filled_quantity, order.quantity, order.limit_price)
    assert OrderStatus.PARTIALLY_FILLED is order.status
    assert 1 == desk.kinds("a").count("FILL")
    assert [D(2)] == [position.quantity for position in desk.broker.state.positions]


async def test_a_replace_under_an_id_of_somebody_else_s_is_refused_and_sent_once(venue, desk):
    order = await desk.broker.submit(LOW)
    await eventually(lambda: desk.order().status is OrderStatus.OPEN)
    venue.put(client_order_id="a~1")

    with pytest.raises(OrderRejectedError) as found:
        await desk.broker.replace(order, limit_price="151")

    assert RejectReason.DUPLICATE_CLIENT_ORDER_ID is found.value.reason
    assert (1, D(150)) == (len(venue.requests("PATCH")), desk.order().limit_price)


async def test_a_replacement_that_waits_for_the_market_is_how_the_order_stands(venue, desk):
    order = await desk.broker.submit(LOW)
    venue.opens, venue.word = False, "accepted"
    await desk.broker.replace(order, limit_price="151")
    venue.replaced(venue.order("a~1"))

    await desk.meanwhile(desk.broker.reconcile())

    order = desk.order()
    assert (1, D(151), None) == (order.revision, order.limit_price, order.pending)
    assert venue.order("a~1")["id"] == order.venue_order_id
