"""Beacon's adapter over sockets against its own dialect over the mock venue."""

from decimal import Decimal

import pytest
from tests.conformance.references.staged import staged

from dragoman import (
    ConnectionEvent,
    Exit,
    Offset,
    OrderRequest,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
    Window,
)
from dragoman.errors import (
    AuthenticationError,
    ConflictError,
    InvalidOrderError,
    OrderRejectedError,
    RejectReason,
    UnknownInstrumentError,
    UnsupportedError,
)
from dragoman.models import Quote
from dragoman.paper.settings import Fee, FeeSchedule
from dragoman_conformance.chaos import FrameFault, FrameToxic, HttpFault, HttpToxic, Reply
from dragoman_conformance.references.subjects import BEACON

EUR = "EUR_USD"
ORDERS = "/v1/accounts/paper-1/orders"
BUY = {"symbol": EUR, "side": Side.BUY, "order_type": OrderType.MARKET, "quantity": "1000"}
REST = {**BUY, "order_type": OrderType.LIMIT, "limit_price": "1.05"}


@staged(BEACON)
async def test_an_order_fills_and_the_position_follows(scene):
    order = await scene.broker.submit(client_order_id="m", **BUY)
    await scene.settle()

    (fill,) = [one async for one in scene.broker.fetch_fills()]
    (position,) = await scene.broker.fetch_positions()
    assert (OrderStatus.FILLED, Decimal(1000)) == (order.status, order.filled_quantity)
    assert ["SUBMITTED", "ACCEPTED", "FILL"] == scene.kinds("m")
    assert [("1000", "1.10001")] == scene.fills("m")
    assert ("m", Decimal(1000)) == (fill.client_order_id, fill.quantity)
    assert (EUR, Decimal(1000), Decimal("1.10001")) == (
        position.symbol,
        position.quantity,
        position.average_entry_price,
    )
    assert {EUR: Decimal(1000)} == scene.held()


@staged(BEACON)
async def test_what_is_sold_is_below_zero_on_the_wire_and_a_short_position_here(scene):
    order = await scene.broker.submit(**{**BUY, "side": Side.SELL})
    await scene.settle()

    assert Side.SELL is order.side
    (sent,) = [one for one in scene.stage.wire.exchanges if one.method == "POST"]
    assert b'"units":"-1000"' in sent.request_body
    assert {EUR: Decimal(-1000)} == scene.held()


@staged(BEACON)
async def test_a_replace_makes_a_new_number_of_the_same_order(scene):
    first = await scene.broker.submit(client_order_id="r", tag="run", **REST)

    order = await scene.broker.replace("r", quantity="1500", limit_price="1.06")
    await scene.settle()

    assert 2 == len(order.venue_order_ids)
    assert first.venue_order_ids == order.venue_order_ids[:1]
    assert (1, Decimal(1500), Decimal("1.06"), "run") == (
        order.revision,
        order.quantity,
        order.limit_price,
        order.tag,
    )
    assert ["SUBMITTED", "ACCEPTED", "REPLACED"] == scene.kinds("r")
    assert ("r",) == tuple(one.client_order_id for one in await scene.broker.fetch_open_orders())
    assert (await scene.broker.cancel("r")).status is OrderStatus.CANCELED


@staged(BEACON)
async def test_what_filled_before_a_replace_stays_with_the_order(scene):
    await scene.broker.submit(client_order_id="p", **REST)
    await scene.venue.show(EUR, bid="1.04", ask="1.05", size="400")
    await scene.settle()
    await scene.venue.show(EUR, bid="1.1", ask="1.2")

    replaced = await scene.broker.replace("p", quantity="1600")
    await scene.venue.show(EUR, bid="1.04", ask="1.05")
    await scene.settle()

    order = scene.broker.state.order("p")
    assert (Decimal(400), Decimal(1600)) == (replaced.filled_quantity, replaced.quantity)
    assert (OrderStatus.FILLED, Decimal(1600)) == (order.status, order.filled_quantity)
    assert [("400", "1.05"), ("1200", "1.05")] == scene.fills("p")
    assert Decimal(1600) == await scene.venue.held(EUR)


@staged(BEACON)
async def test_exits_wait_for_their_entry_and_one_cancels_the_other(scene):
    await scene.broker.submit(
        client_order_id="b", **REST, stop_loss=Exit(price="1"), take_profit=Exit(price="1.2")
    )
    await scene.settle()
    held = {one.client_order_id: one.status for one in scene.broker.state.open_orders}
    await scene.venue.move(EUR, "1.04")
    await scene.venue.move(EUR, "1.21")
    await scene.settle()

    ended = {one.client_order_id: one.status for one in scene.broker.state.orders}
    parents = {one.parent_client_order_id for one in scene.broker.state.orders}
    assert {"b": OrderStatus.OPEN, "b-sl": OrderStatus.HELD, "b-tp": OrderStatus.HELD} == held
    assert {
        "b": OrderStatus.FILLED,
        "b-sl": OrderStatus.CANCELED,
        "b-tp": OrderStatus.FILLED,
    } == ended
    assert {None, "b"} == parents
    assert Decimal(0) == await scene.venue.held(EUR)


@pytest.mark.parametrize("time_in_force", ["GTC", "GTD", "IOC", "FOK"])
@pytest.mark.parametrize(
    ("order_type", "terms"),
    [
        ("MARKET", {}),
        ("LIMIT", {"limit_price": "1.05"}),
        ("STOP", {"stop_price": "1.2"}),
        ("MARKET_IF_TOUCHED", {"stop_price": "1.05"}),
        ("TRAILING_STOP", {"trailing": Offset("0.01")}),
    ],
)
@staged(BEACON)
async def test_every_declared_cell_reaches_the_venue_as_it_was_asked(
    scene, order_type, terms, time_in_force
):
    expiry = scene.clock.now_ns() + 3600 * 10**9 if time_in_force == "GTD" else None
    order = await scene.broker.submit(
        symbol=EUR,
        side=Side.BUY,
        order_type=OrderType(order_type),
        quantity="1000",
        time_in_force=TimeInForce(time_in_force),
        expires_at_ns=expiry,
        **terms,
    )

    (there,) = await scene.venue.orders()
    names = ("side", "order_type", "time_in_force", "quantity", "limit_price", "trailing")
    assert {name: getattr(there, name) for name in names} == {
        name: getattr(order, name) for name in names
    }
    assert (expiry, there.stop_price) == (order.expires_at_ns, order.stop_price)


@pytest.mark.parametrize(
    "fields",
    [
        {"time_in_force": TimeInForce.DAY},
        {"order_type": OrderType.STOP_LIMIT, "limit_price": "1.1", "stop_price": "1.2"},
        {"post_only": True, "order_type": OrderType.LIMIT, "limit_price": "1.05"},
        {"stop_loss": Exit(offset=Offset("0.01"))},
    ],
    ids=["DAY", "STOP_LIMIT", "post_only", "offset"],
)
@staged(BEACON)
async def test_what_is_not_declared_is_refused_before_a_byte_is_sent(scene, fields):
    await scene.broker.instrument(EUR)
    before = len(scene.stage.wire.exchanges)

    with pytest.raises(UnsupportedError):
        await scene.broker.submit(**{**BUY, **fields})

    assert before == len(scene.stage.wire.exchanges)


@staged(BEACON)
async def test_a_trailing_offset_in_percent_is_refused_unsent(scene):
    fields = {**BUY, "order_type": OrderType.TRAILING_STOP, "trailing": Offset.percent(1)}

    with pytest.raises(UnsupportedError):
        await scene.broker.submit(**fields)

    assert () == await scene.venue.orders()


@staged(BEACON)
async def test_refusals_say_why_and_keep_the_code(scene):
    with pytest.raises(OrderRejectedError) as refused:
        await scene.broker.submit(**{**BUY, "quantity": "90000000"})
    with pytest.raises(UnknownInstrumentError):
        await scene.broker.fetch_quote("NOPE")
    with pytest.raises(InvalidOrderError):
        await scene.broker.submit(**{**REST, "limit_price": "1.0500001"})

    assert RejectReason.INSUFFICIENT_FUNDS is refused.value.reason
    assert "INSUFFICIENT_MARGIN" == refused.value.code


@staged(BEACON)
async def test_an_order_that_filled_is_told_as_filled_to_who_cancels_it(scene):
    await scene.broker.submit(client_order_id="m", **BUY)
    adapter = scene.stage.make_adapter("paper-1")
    order = await adapter.fetch_order("paper-1", client_order_id="m")

    with pytest.raises(ConflictError) as refused:
        await adapter.cancel(order)

    assert "ORDER_NOT_PENDING" == refused.value.code
    assert None is await adapter.fetch_order("paper-1", client_order_id="never")
    await adapter.aclose()


@staged(BEACON)
async def test_a_client_order_id_is_taken_for_ever(scene):
    await scene.broker.submit(client_order_id="once", **REST)
    adapter = scene.stage.make_adapter("paper-1")
    (there,) = await scene.broker.fetch_open_orders()
    request = OrderRequest(client_order_id="once", account_id="paper-1", **REST)

    with pytest.raises(OrderRejectedError) as refused:
        await adapter.submit(request)

    assert RejectReason.DUPLICATE_CLIENT_ORDER_ID is refused.value.reason
    assert "once" == there.client_order_id
    assert 1 == len(await scene.venue.orders())
    await adapter.aclose()


@pytest.mark.parametrize("fault", ["RESET_AFTER_REQUEST", "RESET_MID_RESPONSE", "BLACK_HOLE"])
@staged(BEACON)
async def test_a_lost_answer_leads_to_the_one_order_that_was_sent(scene, fault):
    trap = scene.stage.wire.add(HttpToxic(fault=HttpFault(fault), path=ORDERS))

    order = await scene.broker.submit(client_order_id="lost", **REST)
    await scene.settle(30)

    assert 1 == trap.hits
    assert ("lost", OrderStatus.OPEN) == (order.client_order_id, order.status)
    assert 1 == scene.stage.wire.count("POST", ORDERS) == len(await scene.venue.orders())


@staged(BEACON)
async def test_a_servers_error_is_no_refusal(scene):
    busy = HttpToxic(fault=HttpFault.REPLY, path=ORDERS, reply=Reply.html(502))
    scene.stage.wire.add(busy)

    order = await scene.broker.submit(client_order_id="lost", **REST)

    assert OrderStatus.OPEN is order.status
    assert 1 == scene.stage.wire.count("POST", ORDERS)


@staged(BEACON)
async def test_what_happens_while_the_stream_is_away_is_told_once(scene):
    await scene.broker.submit(client_order_id="g", **REST)
    scene.stage.wire.reset_streams()
    await scene.venue.move(EUR, "1.04")
    await scene.settle(20)

    assert {"DISCONNECTED", "RECONNECTED"} <= _states(scene)
    assert ["SUBMITTED", "ACCEPTED", "FILL"] == scene.kinds("g")
    assert [("1000", "1.05")] == scene.fills("g")
    assert any("sinceId=" in one.target for one in scene.stage.wire.exchanges)


@pytest.mark.parametrize(
    ("fault", "reconnects"),
    [
        ("DROP", True),
        ("DUPLICATE", False),
        ("SWAP", True),
        ("SPLIT", False),
        ("CORRUPT", False),
        ("CUT", True),
    ],
)
@staged(BEACON)
async def test_a_fill_is_told_once_whatever_becomes_of_its_line(scene, fault, reconnects):
    await scene.broker.submit(client_order_id="f", **REST)
    await scene.settle()
    trap = scene.stage.wire.add(FrameToxic(fault=FrameFault(fault), text=b"ORDER_FILL"))
    await scene.venue.move(EUR, "1.04")
    await scene.settle(60)

    assert 1 == trap.hits
    assert reconnects is ("RECONNECTED" in _states(scene))
    assert ["SUBMITTED", "ACCEPTED", "FILL"] == scene.kinds("f")
    assert {EUR: Decimal(1000)} == scene.held()


@staged(BEACON)
async def test_a_line_of_a_kind_that_is_not_known_costs_nothing(scene):
    await scene.broker.submit(client_order_id="u", **REST)
    await scene.settle()

    def renamed(line):
        return line.replace(b"POSITION_CHANGE", b"SOMETHING_NEW").replace(b'"position"', b'"x"')

    scene.stage.wire.add(
        FrameToxic(fault=FrameFault.CHANGE, text=b"POSITION_CHANGE", change=renamed)
    )
    await scene.venue.move(EUR, "1.04")
    await scene.settle()

    assert "RECONNECTED" not in _states(scene)
    assert ["SUBMITTED", "ACCEPTED", "FILL"] == scene.kinds("u")


@staged(BEACON)
async def test_a_stream_that_falls_silent_is_taken_for_dead(scene):
    scene.stage.wire.freeze_streams()
    await scene.settle(14)

    assert "DISCONNECTED" in _states(scene)


def _states(scene):
    return {str(one.state) for one in scene.of(ConnectionEvent)}


@staged(BEACON)
async def test_quotes_stream_until_they_are_unwanted(scene):
    async with scene.broker.stream(quotes=[EUR]) as stream:
        await scene.venue.show(EUR, bid="1.2", ask="1.3")
        quotes = (one async for one in stream if isinstance(one, Quote))
        quote = await anext(one async for one in quotes if one.bid_price > Decimal("1.15"))

    assert (Decimal("1.2"), Decimal("1.3")) == (quote.bid_price, quote.ask_price)
    with pytest.raises(UnknownInstrumentError):
        async with scene.broker.stream(quotes=["NOPE"]):
            pass


@staged(BEACON)
async def test_histories_are_read_over_several_pages(scene):
    for number in range(30):
        await scene.broker.submit(client_order_id=f"o{number}", **{**BUY, "quantity": "1"})
    await scene.settle()

    orders = [one.client_order_id async for one in scene.broker.fetch_orders()]
    fills = [one async for one in scene.broker.fetch_fills()]
    limited = [one async for one in scene.broker.fetch_fills(Window(limit=3))]
    late = Window(start_ns=fills[10].venue_time_ns)
    assert [f"o{number}" for number in range(30)] == orders
    assert [f"o{number}" for number in range(30)] == [one.client_order_id for one in fills]
    assert [one.fill_id for one in fills[:3]] == [one.fill_id for one in limited]
    assert 20 == len([one async for one in scene.broker.fetch_fills(late)])
    assert 6 == len(await scene.broker.load_instruments())


@staged(BEACON, fees=FeeSchedule(default=Fee(per_unit=Decimal("0.0001"))))
async def test_a_commission_that_was_paid_is_above_zero(scene):
    await scene.broker.submit(**BUY)
    await scene.settle()

    (fill,) = [one async for one in scene.broker.fetch_fills()]
    assert (Decimal("0.1"), "USD") == (fill.commission.amount, fill.commission.currency)


@staged(BEACON)
async def test_an_order_placed_elsewhere_is_known_as_one(scene):
    await scene.venue.place_elsewhere(
        "other", EUR, quantity=Decimal(10), limit_price=Decimal("1.05")
    )
    await scene.settle()

    (order,) = scene.broker.state.open_orders
    assert ("other", "EXTERNAL") == (order.client_order_id, order.origin)
    assert OrderStatus.CANCELED is (await scene.broker.cancel(order)).status


@staged(BEACON)
async def test_a_wrong_token_is_told_as_such(scene):
    body = b'{"errorCode":"INVALID_TOKEN","errorMessage":"no"}'
    reply = Reply.json(body, status=401)
    scene.stage.wire.add(
        HttpToxic(fault=HttpFault.REPLY, method="GET", path="/v1/accounts", reply=reply)
    )

    with pytest.raises(AuthenticationError) as refused:
        await scene.stage.connect()

    assert "INVALID_TOKEN" == refused.value.code
