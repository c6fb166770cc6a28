"""Section 4.3 of the fault matrix: cancels and replacements that go wrong."""

import pytest

from dragoman import DragomanError, OutcomeUnknownError
from dragoman_conformance.chaos import FrameFault, HttpFault, Reply


async def test_f30_a_fill_that_beats_the_cancel_is_what_the_cancel_returns(rig):
    await rig.submit()
    rig.frame(FrameFault.DROP, text=b'"fill_id"', times=None)
    rig.venue.fill(rig.venue.venue_id_of("c1"))

    order = await rig.broker.cancel("c1")

    assert "FILLED" == str(order.status)
    rig.streams.clear()
    await rig.verdict()


@pytest.mark.parametrize("is_seen", [True, False], ids=["stream", "lookup"])
async def test_f31_a_lost_answer_to_a_cancel_is_settled(rig, is_seen):
    await rig.submit()
    rig.http(HttpFault.RESET_AFTER_REQUEST, method="DELETE")
    if not is_seen:
        rig.frame(FrameFault.DROP, text=b'"order"', times=None)

    try:
        await rig.broker.cancel("c1")
    except OutcomeUnknownError:
        await rig.broker.cancel("c1")

    await rig.becomes("CANCELED")
    rig.streams.clear()
    await rig.verdict()


async def test_f31_a_cancel_that_never_arrived_may_be_asked_again(rig):
    await rig.submit()
    rig.http(HttpFault.RESET_UNREAD, method="DELETE")

    try:
        await rig.broker.cancel("c1", timeout_s=1.0)
    except DragomanError:
        await rig.broker.cancel("c1")

    await rig.becomes("CANCELED")
    await rig.verdict()


@pytest.mark.parametrize("is_delivered", [True, False], ids=["replaced", "lost"])
async def test_f36_a_lost_answer_to_a_replacement_leaves_one_order_of_known_terms(
    rig, is_delivered
):
    await rig.submit()
    rig.http(HttpFault.REPLY, method="PATCH", reply=Reply.busy(504), is_delivered=is_delivered)

    try:
        await rig.broker.replace("c1", limit_price="99")
    except DragomanError:
        await rig.pause(5.0)
    price = "99" if is_delivered else "100"
    await rig.eventually(lambda: price == str(rig.broker.state.order("c1").limit_price))

    assert [price] == [row["price"] for row in rig.venue.orders()]
    assert 1 == rig.proxy.count("PATCH")
    await rig.verdict()
