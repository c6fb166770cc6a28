"""What is lost between client and venue: orders are found by their id, and none is sent twice."""

from decimal import Decimal

import pytest
from tests.shared.rig import eventually

from dragoman import Exit, OrderEventKind, OrderStatus, OrderType, TimeInForce, Window
from dragoman.errors import OrderRejectedError, Outcome, OutcomeUnknownError, RejectReason
from dragoman_conformance.chaos import HttpFault, Reply

BY_CLIENT_ID = "/v2/orders:by_client_order_id"
TIMED_OUT = Reply(status=504, body=b'{"code": 50410000, "message": "request timed out"}')
OPEN, FILLED = OrderStatus.OPEN, OrderStatus.FILLED


@pytest.fixture
def way():
    return "alpaca"


def taken(rig, client_order_id="c1"):
    """How many orders the venue has of one intent."""
    orders = rig.venue.mock.engine.orders("paper-1", Window())
    return sum(order.client_order_id == client_order_id for order in orders)


@pytest.mark.parametrize(
    "fault",
    [HttpFault.RESET_AFTER_REQUEST, HttpFault.RESET_MID_RESPONSE, HttpFault.TRUNCATE],
    ids=str,
)
async def test_an_order_whose_answer_was_lost_is_found_by_its_id(rig, fault):
    rig.deafen()
    trap = rig.spoil(fault)

    order = await rig.rest()

    assert (OPEN, 1) == (order.status, trap.hits)
    assert (1, 1) == (rig.posts, taken(rig))
    assert rig.proxy.count("GET", BY_CLIENT_ID) >= 1


async def test_an_order_whose_answer_was_lost_is_known_by_the_stream(rig):
    rig.spoil(HttpFault.RESET_AFTER_REQUEST)

    order = await rig.submit()

    assert order.status in {OPEN, FILLED}
    await rig.becomes(FILLED)
    await rig.holds("10")
    await rig.has_heard()
    assert [(Decimal(10), Decimal(101))] == rig.fills()
    assert 1 == rig.kinds().count("ACCEPTED")
    assert (1, 1) == (rig.posts, taken(rig))


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_server_error_after_the_order_was_taken_never_causes_a_second_post(rig, status):
    rig.deafen()
    reply = Reply(status=status, body=TIMED_OUT.body)
    rig.spoil(HttpFault.REPLY, reply=reply, times=None)

    order = await rig.rest()

    assert OPEN is order.status
    assert (1, 1) == (rig.posts, taken(rig))


async def test_a_504_for_an_order_that_was_not_taken_never_causes_a_second_post(rig):
    rig.spoil(HttpFault.REPLY, reply=TIMED_OUT, is_delivered=False, times=None)

    with pytest.raises(OrderRejectedError) as caught:
        await rig.rest()

    assert RejectReason.NEVER_ARRIVED is caught.value.reason
    assert (1, 0) == (rig.posts, taken(rig))


async def test_an_order_that_never_came_through_is_proved_to_be_none(rig):
    rig.spoil(HttpFault.RESET_MID_REQUEST)

    with pytest.raises(OrderRejectedError) as caught:
        await rig.rest()

    assert RejectReason.NEVER_ARRIVED is caught.value.reason
    assert (1, 0) == (rig.posts, taken(rig))


async def test_while_nothing_can_be_looked_up_the_fate_stays_unknown(rig):
    rig.deafen()
    rig.spoil(HttpFault.RESET_AFTER_REQUEST)
    rig.spoil(HttpFault.REPLY, method="GET", reply=TIMED_OUT, is_delivered=False, times=None)

    with pytest.raises(OutcomeUnknownError) as caught:
        await rig.rest(timeout_s=0.5)

    assert Outcome.UNKNOWN is caught.value.outcome
    assert OrderStatus.UNKNOWN is rig.order().status
    rig.proxy.clear()
    await rig.becomes(OPEN)
    assert (1, 1) == (rig.posts, taken(rig))


async def test_the_same_id_sent_again_after_a_lost_answer_is_not_sent(rig):
    rig.deafen()
    rig.spoil(HttpFault.RESET_AFTER_REQUEST)
    first = await rig.rest()

    again = await rig.rest()

    assert first.venue_order_ids == again.venue_order_ids
    assert (1, 1) == (rig.posts, taken(rig))


@pytest.mark.parametrize("reply", [None, TIMED_OUT], ids=["reset", "504"])
async def test_a_replace_whose_answer_was_lost_is_found_and_not_repeated(rig, reply):
    await rig.rest()
    fault = HttpFault.RESET_AFTER_REQUEST if reply is None else HttpFault.REPLY
    rig.deafen()
    rig.spoil(fault, method="PATCH", reply=reply, times=None)

    order = await rig.broker.replace("c1", limit_price="91")

    assert (1, Decimal(91), OPEN) == (order.revision, order.limit_price, order.status)
    assert 1 == rig.proxy.count("PATCH")
    assert 1 == taken(rig)


async def test_a_cancel_whose_answer_was_lost_ends_the_order(rig):
    await rig.rest()
    rig.spoil(HttpFault.RESET_AFTER_REQUEST, method="DELETE")

    await rig.broker.cancel("c1")

    await rig.becomes(OrderStatus.CANCELED)
    await rig.tells("SUBMITTED", "ACCEPTED", "CANCELED")


async def test_a_list_whose_answer_was_lost_is_found_whole(rig):
    rig.deafen()
    rig.spoil(HttpFault.RESET_AFTER_REQUEST)

    await rig.rest(
        limit_price="98",
        time_in_force=TimeInForce.GTC,
        stop_loss=Exit(price="95", client_order_id="way-out"),
        take_profit=Exit(price="110"),
    )

    found = {one.client_order_id for one in await rig.broker.fetch_open_orders()}
    assert {"c1", "way-out", "c1-tp"} == found
    assert 1 == rig.posts


LOSES_THE_ANSWER = "{call}#1 lost_response; event.{event}#1 drop_event"
FINDS_NOTHING = "fetch_order#1 delayed_response(seconds=600)"


async def test_what_is_lost_behind_the_dialect_is_sent_once(open_rig):
    faults = LOSES_THE_ANSWER.format(call="submit", event="accepted")
    rig = await open_rig(served={"faults": faults})
    await rig.connect()

    order = await rig.rest()

    await rig.becomes(OPEN)
    assert "c1" == order.client_order_id
    assert (1, 1) == (rig.posts, taken(rig))


async def test_a_504_of_the_dialect_itself_is_no_second_post(open_rig):
    faults = f"{LOSES_THE_ANSWER.format(call='submit', event='accepted')}; {FINDS_NOTHING}"
    rig = await open_rig(served={"faults": faults, "timeout_s": 0.3})
    await rig.connect()
    lost = []
    rig.served.listen(lost.append, orders=True)

    order = await rig.rest()

    assert order.status in {OrderStatus.PENDING, OPEN}
    await rig.becomes(OPEN)
    assert (1, 1) == (rig.posts, taken(rig))
    await eventually(lambda: lost)
    assert OrderEventKind.OUTCOME_UNKNOWN in [getattr(one, "kind", None) for one in lost]


async def test_fills_missed_while_the_stream_was_cut_are_told_once(rig):
    await rig.submit(order_type=OrderType.LIMIT, limit_price="100")
    await rig.becomes(OPEN)
    rig.proxy.refuse()
    rig.proxy.reset_connections()

    await rig.venue.quote("98", "100")
    await rig.proxy.accept()

    await rig.becomes(FILLED)
    await rig.is_live()
    await rig.tells("SUBMITTED", "ACCEPTED", "FILL")
    assert [(Decimal(10), Decimal(100))] == rig.fills()
    await rig.holds("10")


async def test_a_stream_that_is_cut_again_and_again_tells_every_fill_once(open_rig):
    rig = await open_rig(fill_ratio="0.5")
    await rig.connect()
    await rig.submit(order_type=OrderType.LIMIT, limit_price="100", quantity="8")
    await rig.becomes(OPEN)

    for filled in ("4", "6"):
        rig.proxy.reset_streams()
        await rig.venue.quote("98", "100")
        await eventually(lambda filled=filled: Decimal(filled) == rig.order().filled_quantity)

    await rig.is_live()
    await rig.tells("SUBMITTED", "ACCEPTED", "FILL", "FILL")
    assert [Decimal(4), Decimal(2)] == [quantity for quantity, _ in rig.fills()]
    await rig.holds("6")
