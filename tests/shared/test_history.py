"""What happened, asked for later: orders, fills, and orders that somebody else placed."""

from decimal import Decimal

import attrs
import pytest
from tests.shared.rig import eventually

from dragoman import OrderOrigin, OrderStatus, OrderType, Side, TimeInForce, Window

LIMIT = OrderType.LIMIT


async def lived(rig):
    """Let four orders live: open, canceled, filled, refused; seconds lie between them."""
    await rig.rest("open")
    await rig.venue.pause(2)
    await rig.rest("canceled", symbol="MSFT")
    await rig.broker.cancel("canceled")
    await rig.becomes(OrderStatus.CANCELED, name="canceled")
    await rig.venue.pause(2)
    await rig.submit("filled", side=Side.SELL, quantity="3")
    await rig.becomes(OrderStatus.FILLED, name="filled")
    await rig.venue.pause(2)


async def test_history_shows_every_order_once_oldest_first(rig):
    await lived(rig)

    found = [one async for one in rig.broker.fetch_orders()]

    assert [
        ("open", OrderStatus.OPEN),
        ("canceled", OrderStatus.CANCELED),
        ("filled", OrderStatus.FILLED),
    ] == [(one.client_order_id, one.status) for one in found]


async def test_history_of_one_symbol_shows_no_other(rig):
    await lived(rig)

    found = [one.client_order_id async for one in rig.broker.fetch_orders(symbol="MSFT")]

    assert ["canceled"] == found


async def test_history_is_cut_by_its_window(rig):
    await lived(rig)
    every = [one async for one in rig.broker.fetch_orders()]
    start_ns, end_ns = every[1].created_at_ns, every[2].created_at_ns

    inside = [
        one async for one in rig.broker.fetch_orders(Window(start_ns=start_ns, end_ns=end_ns))
    ]
    first = [one async for one in rig.broker.fetch_orders(Window(limit=1))]

    assert ["canceled"] == [one.client_order_id for one in inside]
    assert ["open"] == [one.client_order_id for one in first]


async def test_an_order_asked_for_is_what_the_events_told(rig):
    await lived(rig)
    await rig.has_heard()

    for name in ("open", "canceled", "filled"):
        told = rig.events(name)[-1].order
        asked = await rig.broker.fetch_order(name)
        fields = (
            "symbol",
            "side",
            "order_type",
            "quantity",
            "limit_price",
            "time_in_force",
            "status",
            "filled_quantity",
            "average_fill_price",
            "revision",
        )
        assert [getattr(told, field) for field in fields] == [
            getattr(asked, field) for field in fields
        ]


async def test_what_nobody_knows_is_not_found_in_history(rig):
    await lived(rig)

    assert None is await rig.broker.fetch_order("nobody")


async def test_fills_asked_for_are_those_the_events_told(open_rig):
    rig = await open_rig(fill_ratio="0.5")
    await rig.connect()
    await rig.submit(order_type=LIMIT, limit_price="101", quantity="8")
    await rig.becomes(OrderStatus.PARTIALLY_FILLED)
    await rig.venue.quote("99", "100.50")
    await eventually(lambda: Decimal(6) == rig.order().filled_quantity)
    await rig.submit("c2", symbol="MSFT", side=Side.SELL, time_in_force=TimeInForce.IOC)
    await eventually(lambda: rig.order("c2").is_terminal)
    await rig.has_heard()

    fills = [one async for one in rig.broker.fetch_fills()]

    told = [one.fill for name in ("c1", "c2") for one in rig.events(name) if one.fill]
    fields = ("fill_id", "client_order_id", "symbol", "side", "quantity", "price")
    assert [[getattr(fill, field) for field in fields] for fill in told] == [
        [getattr(fill, field) for field in fields] for fill in fills
    ]
    of_symbol = [one.client_order_id async for one in rig.broker.fetch_fills(symbol="MSFT")]
    assert ["c2"] == of_symbol


@pytest.mark.parametrize("keeps_id", [True, False], ids=["keeps_id", "renumbers"])
async def test_history_tells_a_replaced_order_once_as_it_stands(open_rig, keeps_id):
    rig = await open_rig(replace_keeps_id=keeps_id)
    await rig.connect()
    await rig.rest()
    await rig.broker.replace("c1", limit_price="100", quantity="4")
    await eventually(lambda: 1 == rig.order().revision)
    await rig.venue.quote("98", "100")
    await rig.becomes(OrderStatus.FILLED)
    await rig.has_heard()

    (order,) = [one async for one in rig.broker.fetch_orders()]
    (fill,) = [one async for one in rig.broker.fetch_fills()]

    assert ("c1", 1, OrderStatus.FILLED) == (order.client_order_id, order.revision, order.status)
    assert (Decimal(4), Decimal(100)) == (order.quantity, order.limit_price)
    assert rig.events()[-1].fill.fill_id == fill.fill_id
    assert "c1" == fill.client_order_id


async def test_an_order_placed_elsewhere_is_adopted_once(rig):
    await rig.place_elsewhere("other")
    await eventually(lambda: rig.order("other"))
    await rig.broker.reconcile()
    await rig.broker.reconcile()

    order = await rig.becomes(OrderStatus.OPEN, name="other")
    assert OrderOrigin.EXTERNAL is order.origin
    assert (Decimal(10), Decimal(90)) == (order.quantity, order.limit_price)
    await rig.tells("ADOPTED", name="other")
    assert ["other"] == [one.client_order_id for one in rig.broker.state.open_orders]


async def test_an_order_placed_elsewhere_can_be_canceled(rig):
    await rig.place_elsewhere("other")
    await eventually(lambda: rig.order("other"))

    await rig.broker.cancel("other")

    await rig.becomes(OrderStatus.CANCELED, name="other")


async def test_an_order_placed_elsewhere_fills_into_the_position(rig):
    await rig.place_elsewhere("other", limit_price="100")
    await eventually(lambda: rig.order("other"))

    await rig.venue.quote("98", "100")

    await rig.becomes(OrderStatus.FILLED, name="other")
    await rig.holds("10")
    assert [(Decimal(10), Decimal(100))] == rig.fills("other")


async def test_what_was_open_before_is_known_once_connected(open_rig):
    rig = await open_rig()
    await rig.place_elsewhere("before")

    await rig.connect()

    assert OrderStatus.OPEN is rig.order("before").status
    assert OrderOrigin.EXTERNAL is rig.order("before").origin


async def test_raw_models_compare_equal_whether_asked_for_once_or_twice(rig):
    await lived(rig)

    first = [one async for one in rig.broker.fetch_orders()]
    again = [one async for one in rig.broker.fetch_orders()]

    plain = [attrs.evolve(one, received_at_ns=0) for one in first]
    assert plain == [attrs.evolve(one, received_at_ns=0) for one in again]
