"""Lives of exits at Alpaca, all the way up to a broker: whose they are, and what ends them."""

import asyncio

import attrs
import pytest

from dragoman import Exit, OrderRequest, OrderStatus, OrderType, Side
from dragoman.errors import (
    UnsupportedError,
)
from dragoman.models import Alarm, Contingency, OrderOrigin

from .order_venue import OrderVenue, at_work, eventually
from .trading_rows import D

BRACKET = OrderRequest.limit(
    "AAPL", Side.BUY, "6", "150", client_order_id="a",
    stop_loss=Exit(price="140", client_order_id="my-stop"), take_profit=Exit(price="170"),
)  # fmt: skip
OCO = (
    OrderRequest.limit("AAPL", Side.SELL, "6", "170", client_order_id="t"),
    OrderRequest(
        symbol="AAPL", side=Side.SELL, order_type=OrderType.STOP, quantity="6",
        stop_price="140", client_order_id="s",
    ),
)  # fmt: skip


@pytest.fixture
async def venue():
    return OrderVenue()


@pytest.fixture
async def desk(venue):
    async with at_work(venue) as desk:
        yield desk


def _facts(order):
    return (order.parent_client_order_id, order.origin, order.contingency, order.status)


async def test_a_leg_that_begins_to_work_is_told(venue, desk):
    await desk.broker.submit(BRACKET)
    target, stop = venue.order("a")["legs"]
    venue.tell("held", target)
    venue.tell("held", stop)
    venue.fill(venue.order("a"), 6)
    venue.change(target, "new", status="new")
    await eventually(lambda: desk.order("a-tp") and desk.order("a-tp").status is OrderStatus.OPEN)

    assert OrderStatus.HELD is desk.order("my-stop").status
    await eventually(lambda: len(desk.kinds("a-tp")) > 1)


async def test_exits_shown_in_each_other_once_the_entry_has_filled_keep_their_names(venue):
    usual = {"side": "sell", "order_class": "bracket"}
    stop = venue.put(**usual, type="stop", order_type="stop", stop_price="140", status="held")
    target = venue.put(**usual, limit_price="170", legs=[stop])
    stop["parent"] = target["id"]
    async with at_work(venue) as desk:
        orders = {order.venue_order_id: order for order in desk.broker.state.open_orders}

    found = orders[stop["id"]]
    assert (stop["client_order_id"], None) == (found.client_order_id, found.parent_client_order_id)
    assert None is orders[target["id"]].stop_loss


async def test_exits_end_each_other_from_the_stream_s_first_word(venue, desk):
    await desk.broker.submit(BRACKET)
    for leg in venue.order("a")["legs"]:
        venue.tell("held", leg)
    await eventually(lambda: desk.order("my-stop") and desk.order("a-tp"))

    held = ("a", OrderOrigin.CLIENT, Contingency.OCO, OrderStatus.HELD)
    assert (held, held) == (_facts(desk.order("my-stop")), _facts(desk.order("a-tp")))


async def test_exits_are_what_they_were_after_a_restart(venue, tmp_path):
    async with at_work(venue, state_dir=str(tmp_path)) as desk:
        await desk.broker.submit(BRACKET)
        target, stop = venue.order("a")["legs"]
        venue.tell("held", target)
        venue.tell("held", stop)
        venue.fill(venue.order("a"), 6)
        await eventually(lambda: desk.order().is_terminal)
    venue.change(target, status="new")
    async with at_work(venue, state_dir=str(tmp_path)) as desk:
        venue.fill(stop, 6, "140")
        venue.change(target, "canceled", status="canceled")
        await desk.until(lambda: desk.order("a-tp").is_terminal)
        await eventually(lambda: desk.order("my-stop").is_terminal)

        assert OrderStatus.FILLED is desk.order("my-stop").status
        assert 3 == len(desk.broker.state.orders)
        assert [] == desk.of(Alarm)


async def test_an_exit_replaced_here_and_elsewhere_stays_one(venue, desk):
    await desk.broker.submit(BRACKET)
    stop = venue.order("a")["legs"][1]
    venue.tell("held", stop)
    await eventually(lambda: desk.order("my-stop"))
    await desk.broker.replace("my-stop", stop_price="141")
    venue.replaced(venue.replace(venue.order("my-stop~1"), stop_price="142"))
    newest = list(venue.rows.values())[-1]
    await eventually(lambda: desk.order("my-stop").stop_price == D(142))
    venue.fill(newest, 6, "142")
    await eventually(lambda: desk.order("my-stop").is_terminal)

    order = desk.order("my-stop")
    assert (OrderStatus.FILLED, 2, D(6)) == (order.status, order.revision, order.quantity)


async def test_both_orders_of_an_oco_end_each_other(venue, desk):
    def oco(_, __, body):
        terms = dict(body)
        stop = terms.pop("stop_loss")
        parent = venue.put(**terms | terms.pop("take_profit"))
        alike = {name: terms[name] for name in ("symbol", "qty", "side", "order_class")}
        leg = venue.put(
            **alike, **stop, limit_price=None, type="stop", order_type="stop", status="held",
        )  # fmt: skip
        leg["parent"] = parent["id"]
        parent["legs"] = [leg]
        return parent

    venue.positions["AAPL"] = D(6)
    venue.instead["POST"] = [oco]
    rows = await desk.broker.submit_list(OCO, Contingency.OCO)
    assert [Contingency.OCO] * 2 == [row.order.contingency for row in rows]

    target = venue.order("t")
    venue.fill(target, 6, "170")
    venue.change(target["legs"][0], "canceled", status="canceled")
    await eventually(lambda: desk.order("s").is_terminal)

    ends = (desk.order("t").status, desk.order("s").status)
    assert (OrderStatus.FILLED, OrderStatus.CANCELED) == ends


async def test_an_entry_that_has_filled_in_part_keeps_its_exits(venue, desk):
    await desk.broker.submit(BRACKET)
    await eventually(lambda: desk.order().status is OrderStatus.OPEN)
    venue.fill(venue.order("a"), 2)
    await eventually(lambda: desk.order().filled_quantity == 2)

    with pytest.raises(UnsupportedError, match="what it is tied to would end with it"):
        await desk.broker.replace("a", limit_price="151")

    assert "partially_filled" == venue.order("a")["status"]
    assert 1 == len(venue.requests("POST"))


async def test_an_end_told_while_another_bracket_is_on_its_way_is_not_missed(venue, desk):
    await desk.broker.submit(attrs.evolve(BRACKET, client_order_id="b"))
    await eventually(lambda: desk.order("b").status is OrderStatus.OPEN)
    answered = asyncio.Event()

    async def slow(_, __, body):
        await answered.wait()
        return venue.do("POST", "/v2/orders", {}, body)

    venue.instead["POST"] = [slow]
    other = attrs.evolve(BRACKET.stop_loss, client_order_id="another-stop")
    sending = asyncio.create_task(desk.broker.submit(attrs.evolve(BRACKET, stop_loss=other)))
    await eventually(lambda: len(venue.requests("POST")) == 2)
    row = venue.order("b")
    row.update(status="canceled", updated_at=venue.now())
    venue.tell("canceled", row | {"legs": None})

    await eventually(lambda: desk.order("b").is_terminal)
    was_on_its_way = not sending.done()
    answered.set()
    await sending

    assert was_on_its_way
    assert OrderStatus.CANCELED is desk.order("b").status
