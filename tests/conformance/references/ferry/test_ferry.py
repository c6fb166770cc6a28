"""Ferry's adapter over sockets against its own dialect over the mock venue."""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from tests.conformance.references.staged import SECOND_NS, staged

from dragoman import (
    ConnectionEvent,
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
from dragoman.paper.settings import Fee, FeeSchedule
from dragoman_conformance.chaos import HttpFault, HttpToxic, Reply
from dragoman_conformance.references.subjects import FERRY

BUY = {"symbol": "AAPL", "side": Side.BUY, "order_type": OrderType.MARKET, "quantity": "8"}
REST = {**BUY, "order_type": OrderType.LIMIT, "limit_price": "90"}
FORGOTTEN = Reply.json(b'{"ok":false,"error":{"code":1401,"text":"log in first"}}')


@staged(FERRY)
async def test_an_order_fills_and_the_position_follows_within_a_round(scene):
    order = await scene.broker.submit(client_order_id="m", **BUY)
    await scene.settle(2)

    (fill,) = [one async for one in scene.broker.fetch_fills()]
    (position,) = await scene.broker.fetch_positions()
    assert (OrderStatus.FILLED, Decimal(8)) == (order.status, order.filled_quantity)
    assert ["SUBMITTED", "ACCEPTED", "FILL"] == scene.kinds("m")
    assert [("8", "100.01")] == scene.fills("m")
    assert ("m", Decimal(8)) == (fill.client_order_id, fill.quantity)
    assert (Decimal(8), Decimal("100.01")) == (position.quantity, position.average_entry_price)
    assert {"AAPL": Decimal(8)} == scene.held()


@staged(FERRY)
async def test_what_is_sold_short_is_below_zero(scene):
    await scene.broker.submit(**{**BUY, "side": Side.SELL})
    await scene.settle(2)

    assert {"AAPL": Decimal(-8)} == scene.held()
    assert (Decimal(-8),) == tuple(one.quantity for one in await scene.broker.fetch_positions())


@staged(FERRY)
async def test_an_id_that_ferry_does_not_take_goes_as_a_hash_and_comes_back_as_itself(scene):
    name = "Strategy-7/long#1"
    await scene.broker.submit(client_order_id=name, **REST)
    await scene.settle(2)
    await scene.venue.move("AAPL", "89")
    await scene.settle(2)

    (there,) = await scene.venue.orders()
    (fill,) = [one async for one in scene.broker.fetch_fills()]
    assert (20, True) == (len(there.client_order_id), there.client_order_id.isalnum())
    assert ["SUBMITTED", "ACCEPTED", "FILL"] == scene.kinds(name)
    assert [name] == [one.client_order_id for one in scene.broker.state.orders]
    assert name == fill.client_order_id


@staged(FERRY)
async def test_a_replace_is_a_cancel_and_a_new_order_of_the_same_intent(scene):
    await scene.broker.submit(client_order_id="r", **REST)

    order = await scene.broker.replace("r", quantity="12", limit_price="95")
    await scene.settle(2)

    there = await scene.venue.orders()
    assert (1, Decimal(12), Decimal(95)) == (order.revision, order.quantity, order.limit_price)
    assert [OrderStatus.CANCELED, OrderStatus.OPEN] == [one.status for one in there]
    assert ("r",) == tuple(one.client_order_id for one in await scene.broker.fetch_open_orders())
    assert (await scene.broker.cancel("r")).status is OrderStatus.CANCELED
    assert () == await scene.venue.open_orders()


@staged(FERRY)
async def test_what_somebody_else_does_to_an_order_is_found_out(scene):
    await scene.broker.submit(client_order_id="x", **REST)
    account_id = scene.venue.account_id
    await scene.venue.act(lambda engine: engine.cancel(account_id, "x"))
    await scene.venue.place_elsewhere("other", "AAPL", quantity=Decimal(1), limit_price=Decimal(50))
    await scene.settle(2)

    assert ["SUBMITTED", "ACCEPTED", "CANCELED"] == scene.kinds("x")
    assert ["ADOPTED"] == scene.kinds("other")


@pytest.mark.parametrize("time_in_force", ["DAY", "GTC"])
@pytest.mark.parametrize(
    ("order_type", "terms"),
    [("MARKET", {}), ("LIMIT", {"limit_price": "90"}), ("STOP", {"stop_price": "120"})],
)
@staged(FERRY)
async def test_every_declared_cell_reaches_the_venue_as_it_was_asked(
    scene, order_type, terms, time_in_force
):
    order = await scene.broker.submit(
        symbol="AAPL",
        side=Side.BUY,
        order_type=OrderType(order_type),
        quantity="0.5",
        time_in_force=TimeInForce(time_in_force),
        **terms,
    )

    (there,) = await scene.venue.orders()
    names = ("side", "order_type", "time_in_force", "quantity", "limit_price", "stop_price")
    assert {name: getattr(there, name) for name in names} == {
        name: getattr(order, name) for name in names
    }


@pytest.mark.parametrize(
    "fields",
    [
        {"time_in_force": TimeInForce.IOC},
        {"order_type": OrderType.STOP_LIMIT, "limit_price": "110", "stop_price": "105"},
        {"tag": "run"},
    ],
    ids=["IOC", "STOP_LIMIT", "tag"],
)
@staged(FERRY)
async def test_what_is_not_declared_is_refused_unsent(scene, fields):
    with pytest.raises(UnsupportedError):
        await scene.broker.submit(**{**BUY, **fields})

    assert 0 == scene.stage.wire.count("POST", "/orders")


@staged(FERRY)
async def test_refusals_say_why_and_keep_the_code(scene):
    with pytest.raises(OrderRejectedError) as refused:
        await scene.broker.submit(**{**BUY, "quantity": "9000000"})
    with pytest.raises(UnknownInstrumentError):
        await scene.broker.fetch_quote("NOPE")
    with pytest.raises(InvalidOrderError):
        await scene.broker.submit(**{**REST, "limit_price": "90.001"})

    assert (RejectReason.INSUFFICIENT_FUNDS, "1411") == (refused.value.reason, refused.value.code)


@staged(FERRY)
async def test_an_id_that_is_taken_and_an_order_that_has_ended_are_told_as_such(scene):
    await scene.broker.submit(client_order_id="once", **BUY)
    adapter = scene.stage.make_adapter(scene.venue.account_id)
    request = OrderRequest(client_order_id="once", account_id=scene.venue.account_id, **REST)
    order = await adapter.fetch_order(scene.venue.account_id, client_order_id="once")

    with pytest.raises(OrderRejectedError) as taken:
        await adapter.submit(request)
    with pytest.raises(ConflictError) as ended:
        await adapter.cancel(order)

    assert (RejectReason.DUPLICATE_CLIENT_ORDER_ID, "1409") == (
        taken.value.reason,
        taken.value.code,
    )
    assert "1406" == ended.value.code
    assert None is await adapter.fetch_order(scene.venue.account_id, client_order_id="never")
    await adapter.aclose()


@pytest.mark.parametrize("fault", ["RESET_AFTER_REQUEST", "RESET_MID_RESPONSE", "BLACK_HOLE"])
@staged(FERRY)
async def test_a_lost_answer_leads_to_the_one_order_that_was_sent(scene, fault):
    trap = scene.stage.wire.add(HttpToxic(fault=HttpFault(fault), path="/orders"))

    order = await scene.broker.submit(client_order_id="Lost-1", **REST)
    await scene.settle(30)

    assert 1 == trap.hits
    assert ("Lost-1", OrderStatus.OPEN) == (order.client_order_id, order.status)
    assert 1 == scene.stage.wire.count("POST", "/orders") == len(await scene.venue.orders())


@pytest.mark.parametrize(
    "reply",
    [
        Reply.html(200),
        Reply.html(502),
        Reply.json(b""),
        Reply.json(b'{"ok":true,"now":1}'),
        Reply.json(b'{"ok":false,"error":{"code":1500,"text":"oops"}}'),
        Reply.json(b'{"ok":false}'),
    ],
    ids=["page", "gateway", "empty", "no data", "failure", "no word"],
)
@staged(FERRY)
async def test_an_answer_that_proves_nothing_is_no_refusal(scene, reply):
    scene.stage.wire.add(HttpToxic(fault=HttpFault.REPLY, path="/orders", reply=reply))

    order = await scene.broker.submit(client_order_id="lost", **REST)

    assert OrderStatus.OPEN is order.status
    assert 1 == scene.stage.wire.count("POST", "/orders")


@staged(FERRY)
async def test_fifty_callers_log_in_once_when_the_token_runs_out(scene):
    await scene.close()
    await scene.stage.disconnect()
    logins = scene.stage.wire.count("POST", "/login")
    before = len(scene.stage.wire.exchanges)
    adapter = scene.stage.make_adapter(scene.venue.account_id)
    await asyncio.gather(*[adapter.fetch_accounts() for _ in range(50)])

    assert logins + 1 == scene.stage.wire.count("POST", "/login")
    assert before + 51 == len(scene.stage.wire.exchanges)

    await scene.clock.sleep_ns(15 * 60 * SECOND_NS)
    logins = scene.stage.wire.count("POST", "/login")
    await adapter.fetch_accounts()
    assert logins + 1 == scene.stage.wire.count("POST", "/login")
    await adapter.aclose()


@staged(FERRY)
async def test_a_token_that_the_venue_forgot_is_renewed_and_the_read_asked_again(scene):
    logins = scene.stage.wire.count("POST", "/login")
    forget = {"fault": HttpFault.REPLY, "reply": FORGOTTEN, "is_delivered": False}
    scene.stage.wire.add(HttpToxic(method="GET", path="/quotes", **forget))
    scene.stage.wire.add(HttpToxic(path="/orders", **forget))

    quote = await scene.broker.fetch_quote("AAPL")
    with pytest.raises(AuthenticationError):
        await scene.broker.submit(**REST)
    order = await scene.broker.submit(**REST)

    assert Decimal("99.99") == quote.bid_price
    assert OrderStatus.OPEN is order.status
    assert logins + 2 == scene.stage.wire.count("POST", "/login")


@staged(FERRY)
async def test_a_venue_that_is_away_is_told_and_nothing_is_missed(scene):
    await scene.broker.submit(client_order_id="g", **REST)
    scene.stage.wire.refuse()
    scene.stage.wire.reset_connections()
    await scene.venue.move("AAPL", "89")
    await scene.settle(20)
    told_while_away = scene.kinds("g")
    await scene.stage.wire.accept()
    await scene.settle(60)

    states = [str(one.state) for one in scene.of(ConnectionEvent)]
    assert ["SUBMITTED", "ACCEPTED"] == told_while_away
    assert ["DISCONNECTED", "RECONNECTED"] == [one for one in states if one != "RECONNECTING"]
    assert ["SUBMITTED", "ACCEPTED", "FILL"] == scene.kinds("g")
    assert [("8", "90")] == scene.fills("g")


@staged(FERRY)
async def test_a_partial_fill_and_the_rest_are_two_fills(scene):
    await scene.broker.submit(client_order_id="p", **REST)
    await scene.venue.show("AAPL", bid="89", ask="90", size="3")
    await scene.settle(2)
    await scene.venue.show("AAPL", bid="89", ask="90", size="9")
    await scene.settle(2)

    assert [("3", "90"), ("5", "90")] == scene.fills("p")
    assert OrderStatus.FILLED is scene.broker.state.order("p").status


@staged(FERRY)
async def test_histories_are_read_over_several_pages(scene):
    for number in range(30):
        await scene.broker.submit(client_order_id=f"o{number}", **{**BUY, "quantity": "1"})

    orders = [one.client_order_id async for one in scene.broker.fetch_orders()]
    fills = [one async for one in scene.broker.fetch_fills()]
    limited = [one async for one in scene.broker.fetch_fills(Window(limit=3))]
    names = [f"o{number}" for number in range(30)]
    instruments = [one.symbol for one in await scene.broker.load_instruments()]
    assert names == orders == [one.client_order_id for one in fills]
    assert [one.fill_id for one in fills[:3]] == [one.fill_id for one in limited]
    assert (9, 9) == (len(instruments), len(set(instruments)))
    assert 0 == len([x async for x in scene.broker.fetch_fills(Window(start_ns=2**62))])


@staged(FERRY, fees=FeeSchedule(default=Fee(per_unit=Decimal("0.0125"), maker=Decimal(0))))
async def test_a_fee_that_was_paid_is_above_zero_here_and_below_on_the_wire(scene):
    await scene.broker.submit(**BUY)
    await scene.settle(2)

    (fill,) = [one async for one in scene.broker.fetch_fills()]
    assert (Decimal("0.1"), "USD") == (fill.commission.amount, fill.commission.currency)
    assert any(b'"fee":-0.1,' in one.response_body for one in scene.stage.wire.exchanges)


@staged(FERRY)
async def test_bars_are_where_they_were_though_told_by_the_clock_of_new_york(scene):
    opens_ns = scene.clock.now_ns() // (60 * SECOND_NS) * 60 * SECOND_NS
    await scene.venue.show("AAPL", bid="99", ask="101", last="100", last_size="3")
    await scene.settle(120)

    window = Window(start_ns=opens_ns)
    bars = [one async for one in scene.broker.fetch_bars("AAPL", "1m", window)]

    assert (opens_ns, Decimal(100), Decimal(3)) == (
        bars[0].open_time_ns,
        bars[0].close,
        bars[0].volume,
    )
    assert datetime(2026, 1, 7, 12, tzinfo=UTC) == bars[0].open_time
    with pytest.raises(UnsupportedError):
        [one async for one in scene.broker.fetch_bars("AAPL", "7m", window)]


@staged(FERRY)
async def test_wrong_credentials_are_told_as_such(scene):
    body = b'{"ok":false,"error":{"code":1400,"text":"no such login"}}'
    reply = Reply.json(body)
    scene.stage.wire.add(
        HttpToxic(fault=HttpFault.REPLY, path="/login", reply=reply, is_delivered=False)
    )

    with pytest.raises(AuthenticationError) as refused:
        await scene.stage.connect()

    assert "1400" == refused.value.code
