"""What may go wrong between wharf's adapter and wharf: nothing is sent twice, nothing is lost."""

import json
from decimal import Decimal

import pytest
from tests.conformance.references.wharf.rig import CREDENTIALS, eventually

from dragoman import OrderEvent, OrderStatus, OrderType, Side, TimeInForce
from dragoman.errors import AuthenticationError, OutcomeUnknownError
from dragoman.models import ConnectionEvent, ConnectionState, HealthState
from dragoman.times import ManualClock
from dragoman_conformance.chaos import FrameFault, FrameToxic, HttpFault, HttpToxic, Reply

D = Decimal
BUY = {"symbol": "AAPL", "side": Side.BUY, "quantity": "10", "order_type": OrderType.MARKET}
REST = {
    **BUY,
    "order_type": OrderType.LIMIT,
    "limit_price": "90",
    "time_in_force": TimeInForce.GTC,
}
ORDERS = "/v1/orders"
HASHED = "a.name.with.dots"


class SteppedClock:
    """A clock whose wall time can be set, while its monotonic time goes on."""

    def __init__(self, clock):
        self.clock = clock
        self.step_ns = 0

    def now_ns(self):
        return self.clock.now_ns() + self.step_ns

    def monotonic_ns(self):
        return self.clock.monotonic_ns()

    async def sleep_until_ns(self, instant_ns):
        await self.clock.sleep_until_ns(instant_ns - self.step_ns)

    async def sleep_ns(self, duration_ns):
        await self.clock.sleep_ns(duration_ns)


def told(heard, *states):
    """Whether the connection was told to be in one of these states."""
    found = [one for one in heard if isinstance(one, ConnectionEvent)]
    return any(one.state in states for one in found)


def taken(rig):
    return len(rig.venue.engine.open_orders("paper-1"))


@pytest.mark.parametrize(
    "fault",
    [HttpFault.RESET_AFTER_REQUEST, HttpFault.RESET_MID_RESPONSE, HttpFault.TRUNCATE],
    ids=str,
)
@pytest.mark.parametrize("name", ["c1", HASHED])
@pytest.mark.parametrize("is_deaf", [True, False], ids=["deaf", "hearing"])
async def test_an_order_whose_answer_was_lost_is_found_and_sent_once(
    rig, broker, fault, name, is_deaf
):
    if is_deaf:
        rig.proxy.add(FrameToxic(fault=FrameFault.DROP, text=b'"order"', times=None))
    rig.proxy.add(HttpToxic(fault=fault, path=ORDERS))

    order = await broker.submit(client_order_id=name, **REST)

    assert (name, OrderStatus.OPEN) == (order.client_order_id, order.status)
    assert (1, 1) == (rig.proxy.count("POST", ORDERS), taken(rig))
    assert [name] == [one.client_order_id for one in broker.state.orders]


async def test_an_order_that_a_process_died_over_is_found_under_its_name(rig, tmp_path):
    rig.proxy.add(FrameToxic(fault=FrameFault.DROP, text=b'"order"', times=None))
    rig.proxy.add(HttpToxic(fault=HttpFault.BLACK_HOLE, path=ORDERS))
    first = await rig.connect(state_dir=tmp_path)
    with pytest.raises(OutcomeUnknownError):
        await first.submit(client_order_id=HASHED, timeout_s=0.1, **REST)
    await first.aclose()

    second = await rig.connect(state_dir=tmp_path)

    await eventually(lambda: second.state.order(HASHED).status is OrderStatus.OPEN)
    assert [HASHED] == [one.client_order_id for one in second.state.orders]
    assert (1, 1) == (rig.proxy.count("POST", ORDERS), taken(rig))


async def test_a_page_of_a_proxy_in_place_of_an_answer_leaves_the_fate_open(rig, broker):
    rig.proxy.add(FrameToxic(fault=FrameFault.DROP, text=b'"order"', times=None))
    page = Reply(status=502, body=b"<html>Bad Gateway</html>")
    rig.proxy.add(HttpToxic(fault=HttpFault.REPLY, path=ORDERS, reply=page, is_delivered=False))
    busy = Reply(status=503, body=b"{}")
    rig.proxy.add(
        HttpToxic(fault=HttpFault.REPLY, method="GET", path=ORDERS, reply=busy, times=None)
    )

    with pytest.raises(OutcomeUnknownError):
        await broker.submit(client_order_id="c1", timeout_s=0.3, **REST)

    assert 1 == rig.proxy.count("POST", ORDERS)
    assert broker.state.order("c1").is_open


async def test_a_429_is_waited_out_by_a_read_and_refuses_an_order(rig, broker):
    body = json.dumps({"error": {"code": "too_many_requests", "message": ""}}).encode()
    busy = Reply(status=429, headers=(("Retry-After", "2"),), body=body)
    rig.proxy.add(HttpToxic(fault=HttpFault.REPLY, method="GET", path="/v1/positions", reply=busy))
    before_ns = rig.clock.now_ns()

    assert () == await broker.fetch_positions()

    assert rig.clock.now_ns() - before_ns >= 2_000_000_000


async def test_a_missing_number_leads_to_a_comparison(rig, broker):
    heard = []
    async with broker.listen(heard.append, orders=True):
        order = await broker.submit(client_order_id="c1", **REST)
        rig.proxy.add(FrameToxic(fault=FrameFault.DROP, text=b'"event":"canceled"'))
        await rig.venue.act(lambda engine: engine.cancel("paper-1", "c1"))
        await rig.quote("98", "100", last="99")
        await broker.submit(client_order_id="c2", **REST)

        await eventually(lambda: told(heard, ConnectionState.RECONNECTED))
        await eventually(lambda: broker.state.order("c1").status is OrderStatus.CANCELED)

    assert order.is_open


async def test_a_frame_that_comes_twice_is_told_once(rig, broker):
    heard = []
    rig.proxy.add(FrameToxic(fault=FrameFault.DUPLICATE, text=b'"seq"', times=None))
    async with broker.listen(heard.append, orders=True, positions=True):
        order = await broker.submit(client_order_id="c1", **BUY)
        await broker.wait(order, timeout_s=10)
        await eventually(lambda: D(10) == sum(one.quantity for one in broker.state.positions))
        await rig.pause(30)

    fills = [one.fill for one in heard if isinstance(one, OrderEvent) and one.fill is not None]
    assert [D(10)] == [one.quantity for one in fills]
    assert not told(heard, ConnectionState.DISCONNECTED)


async def test_a_frame_of_no_known_type_ends_nothing(rig, broker):
    rig.proxy.add(
        FrameToxic(fault=FrameFault.REPLACE, text=b'"heartbeat"', payload=b'{"type":"weather"}')
    )
    await rig.pause(15)

    order = await broker.submit(client_order_id="c1", **BUY)

    await broker.wait(order, timeout_s=10)
    await eventually(lambda: broker.health.state is HealthState.LIVE)


async def test_what_filled_while_the_stream_was_cut_is_told_once(rig, broker):
    heard = []
    async with broker.listen(heard.append, orders=True):
        await broker.submit(client_order_id="c1", **REST)
        rig.proxy.reset_streams()
        await rig.quote("88", "90", last="89")

        await eventually(lambda: broker.state.order("c1").status is OrderStatus.FILLED)
        await eventually(lambda: broker.health.state is HealthState.LIVE)

    fills = [one.fill for one in heard if isinstance(one, OrderEvent) and one.fill is not None]
    assert [(D(10), D(90))] == [(one.quantity, one.price) for one in fills]


async def test_a_mute_stream_is_given_up_and_opened_anew(rig, broker):
    heard = []
    async with broker.listen(heard.append, orders=True):
        rig.proxy.mute_streams()
        await rig.pause(40)

        await eventually(lambda: told(heard, ConnectionState.RECONNECTED))


async def test_a_wrong_secret_opens_nothing(rig):
    with pytest.raises(AuthenticationError) as caught:
        await rig.connect(secret="another wax")

    assert "bad_signature" == caught.value.code


async def test_a_key_that_is_not_known_opens_nothing(rig):
    with pytest.raises(AuthenticationError) as caught:
        await rig.connect(key="pirate")

    assert "bad_key" == caught.value.code


async def test_a_clock_that_is_wrong_by_a_minute_does_not_matter(rig):
    late = ManualClock(rig.clock.now_ns() + 60_000_000_000)

    broker = await rig.connect(clock=late)

    assert "paper-1" == (await broker.fetch_account()).account_id


async def test_a_step_of_the_clock_is_noticed_before_anything_is_signed(rig):
    clock = SteppedClock(rig.clock)
    broker = await rig.connect(clock=clock)
    clock.step_ns = 60_000_000_000

    order = await broker.submit(client_order_id="c1", **REST)

    assert (OrderStatus.OPEN, 1) == (order.status, rig.proxy.count("POST", ORDERS))


async def test_a_cancel_goes_out_though_the_time_can_not_be_asked_for(rig):
    clock = SteppedClock(rig.clock)
    broker = await rig.connect(clock=clock)
    await broker.submit(client_order_id="c1", **REST)
    busy = Reply(status=503, body=b"{}")
    rig.proxy.add(
        HttpToxic(fault=HttpFault.REPLY, method="GET", path="/v1/time", reply=busy, times=None)
    )
    clock.step_ns = 60_000_000_000

    ended = await broker.cancel("c1")

    assert OrderStatus.CANCELED is ended.status


async def test_a_time_that_wharf_refuses_is_asked_for_and_the_stream_comes_back(rig, broker):
    heard = []
    refused = b'{"type":"auth","ok":false,"code":"bad_timestamp","message":""}'
    rig.proxy.add(FrameToxic(fault=FrameFault.REPLACE, text=b'"auth"', payload=refused))
    asked = rig.proxy.count("GET", "/v1/time")
    async with broker.listen(heard.append, orders=True):
        rig.proxy.reset_streams()

        await eventually(lambda: told(heard, ConnectionState.RECONNECTED))

    assert rig.proxy.count("GET", "/v1/time") > asked


async def test_two_brokers_on_one_key_do_not_use_up_each_others_nonces(rig, broker):
    other = await rig.connect()

    for number in range(10):
        await broker.submit(client_order_id=f"a{number}", **REST)
        await other.submit(client_order_id=f"b{number}", **REST)

    assert 20 == len(await broker.fetch_open_orders())


async def test_no_secret_is_shown(rig, broker, caplog):
    caplog.set_level("DEBUG")
    await broker.submit(client_order_id="c1", **REST)
    with pytest.raises(AuthenticationError) as caught:
        await rig.connect(secret="another wax")

    shown = " ".join([caplog.text, repr(caught.value), repr(vars(broker)), repr(rig.dialect)])
    sent = b"".join(one.request_body for one in rig.proxy.exchanges)
    for secret in (CREDENTIALS["secret"], "another wax"):
        assert secret not in shown
        assert secret.encode() not in sent
