"""Section 4.1 of the fault matrix: what may befall the sending of one order."""

import pytest

from dragoman import (
    AlarmKind,
    ConnectFailedError,
    DragomanError,
    OrderRejectedError,
    Outcome,
    OutcomeUnknownError,
    RejectReason,
)
from dragoman_conformance.chaos import FrameFault, HttpFault, Reply
from dragoman_conformance.chaos.thief import Thief
from dragoman_conformance.harbor.settings import FillStyle

MINUTE_NS = 60 * 10**9
EVIDENCE = pytest.mark.parametrize("evidence", ["stream", "lookup"])


def hide(rig, evidence, client_order_id=b"c1"):
    """Leave the client only one way to learn of the order besides the response."""
    if evidence == "lookup":
        rig.frame(FrameFault.DROP, text=client_order_id, times=None)
    else:
        rig.venue.set_visibility_delay(60 * MINUTE_NS)


async def never_arrives(rig):
    with pytest.raises(OrderRejectedError) as caught:
        await rig.submit()

    assert RejectReason.NEVER_ARRIVED is caught.value.reason
    assert (1, 0) == (rig.posts, rig.taken())
    await rig.verdict()


async def arrives(rig):
    order = await rig.submit()

    assert "OPEN" == str(order.status)
    assert (1, 1) == (rig.posts, rig.taken())
    rig.proxy.clear()
    rig.streams.clear()
    rig.venue.fill(order.venue_order_id or rig.venue.venue_id_of("c1"))
    await rig.becomes("FILLED")
    await rig.verdict()


async def test_f01_refused_connects_send_nothing_and_the_same_id_may_go_again(rig):
    rig.proxy.refuse()
    rig.proxy.reset_connections()

    with pytest.raises(ConnectFailedError) as caught:
        await rig.submit()

    assert (Outcome.NOT_SENT, 0) == (caught.value.outcome, rig.taken())
    await rig.proxy.accept()
    await rig.is_live()
    order = await rig.submit()
    assert ("OPEN", 1) == (str(order.status), rig.taken())
    await rig.verdict()


async def test_f03_reset_right_after_the_connect_leaves_no_order(rig):
    rig.proxy.reset_connections()
    rig.proxy.reset_connects(1)

    with pytest.raises(DragomanError) as caught:
        await rig.submit()

    proofs = {Outcome.NOT_SENT, Outcome.REJECTED}
    assert caught.value.outcome in proofs
    assert (0, 0) == (rig.posts, rig.taken())
    await rig.verdict()


async def test_f04_reset_in_the_middle_of_the_request_is_settled_as_never_arrived(rig):
    rig.http(HttpFault.RESET_MID_REQUEST)

    await never_arrives(rig)


@EVIDENCE
async def test_f05_reset_before_the_response_leaves_one_order(rig, evidence):
    rig.http(HttpFault.RESET_AFTER_REQUEST)
    hide(rig, evidence)

    await arrives(rig)


@EVIDENCE
@pytest.mark.parametrize("fault", [HttpFault.RESET_MID_RESPONSE, HttpFault.TRUNCATE])
async def test_f06_half_a_response_is_never_taken_for_one(rig, fault, evidence):
    rig.http(fault)
    hide(rig, evidence)

    await arrives(rig)


async def test_f07_a_response_later_than_the_timeout_is_used_when_it_comes(rig):
    hide(rig, "lookup")
    rig.venue.set_visibility_delay(60 * MINUTE_NS)
    rig.http(HttpFault.BLACK_HOLE, seconds=30.0)

    with pytest.raises(OutcomeUnknownError):
        await rig.submit(timeout_s=0.3)

    assert ("UNKNOWN", 1) == (rig.status(), rig.taken())
    await rig.becomes("OPEN")
    assert (1, 1) == (rig.posts, rig.taken())
    await rig.verdict()


async def test_f07_a_request_swallowed_by_the_network_is_unknown_at_its_timeout(rig):
    rig.http(HttpFault.LOST)

    with pytest.raises(OutcomeUnknownError) as caught:
        await rig.submit(timeout_s=0.3)

    assert ("c1", "UNKNOWN", 0) == (caught.value.client_order_id, rig.status(), rig.taken())


@EVIDENCE
@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_f08_a_server_error_after_the_order_was_taken_is_no_rejection(rig, status, evidence):
    rig.http(HttpFault.REPLY, reply=Reply.busy(status))
    hide(rig, evidence)

    await arrives(rig)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_f08_a_server_error_instead_of_the_order_is_settled_by_lookup(rig, status):
    rig.http(HttpFault.REPLY, reply=Reply.busy(status), is_delivered=False)

    await never_arrives(rig)


async def test_f09_stream_evidence_ends_the_lookups(rig):
    hide(rig, "stream")
    rig.http(HttpFault.RESET_AFTER_REQUEST)
    rig.frame(FrameFault.DELAY, text=b"c1", seconds=4.0)

    await rig.submit()
    lookups = rig.proxy.count("GET", "/orders/by-client-id/c1")
    await rig.pause(20.0)

    assert lookups == rig.proxy.count("GET", "/orders/by-client-id/c1")
    assert (1, 1) == (rig.posts, rig.taken())
    await rig.verdict()


async def test_f10_a_fill_that_comes_before_the_response_is_not_undone_by_it(open_rig):
    rig = await open_rig(fills=FillStyle.FULL)
    await rig.connect()
    late = rig.http(HttpFault.BLACK_HOLE, seconds=4.0)

    await rig.submit()
    await rig.becomes("FILLED")
    await rig.pause(8.0)

    assert ("FILLED", 1, 1) == (rig.status(), late.hits, rig.taken())
    assert ["SUBMITTED", "ACCEPTED", "FILL"] == rig.kinds()
    await rig.verdict()


async def test_f11_an_order_whose_response_never_comes_is_accepted_by_the_stream(rig):
    rig.http(HttpFault.BLACK_HOLE)

    order = await rig.submit(timeout_s=5.0)

    assert ("OPEN", 1, 1) == (str(order.status), rig.posts, rig.taken())
    await rig.verdict()


async def test_f12_an_order_that_is_not_visible_yet_is_not_taken_for_absent(rig):
    rig.venue.set_visibility_delay(2 * 10**9)
    hide(rig, "lookup")
    rig.http(HttpFault.RESET_AFTER_REQUEST)

    order = await rig.submit()
    await rig.heard()

    assert ("OPEN", 1, 1) == (str(order.status), rig.posts, rig.taken())
    assert "REJECTED" not in rig.kinds()
    await rig.verdict()


async def test_an_order_that_arrives_after_its_absence_was_proved_comes_back_with_an_alarm(rig):
    rig.http(HttpFault.LATE_GHOST, seconds=60.0)

    with pytest.raises(OrderRejectedError):
        await rig.submit()
    await rig.becomes("OPEN")
    await rig.eventually(lambda: rig.alarms)

    assert [("c1", True)] == [
        (one.client_order_id, one.kind is AlarmKind.RESURRECTED) for one in rig.alarms
    ]
    assert (1, 1) == (rig.posts, rig.taken())
    await rig.verdict(but=("I-3 c1: told REJECTED", "I-5 c1"))  # what the alarm is about


@pytest.mark.parametrize("status", [429, 418])
async def test_f15_too_many_requests_starts_no_storm(rig, status):
    rig.http(HttpFault.REPLY, reply=Reply.busy(status, "20"), is_delivered=False)

    with pytest.raises(DragomanError) as caught:
        await rig.submit(timeout_s=0.3)
    requests = len(rig.proxy.requests)
    await rig.pause(10.0)

    assert caught.value.outcome in {Outcome.UNKNOWN, Outcome.REJECTED}
    assert requests == len(rig.proxy.requests)
    assert (1, 0) == (rig.posts, rig.taken())
    await rig.verdict()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_f16_a_redirect_is_not_followed(rig, status):
    async with Thief() as thief:
        reply = Reply.redirect(status, f"{thief.url}/orders")
        rig.http(HttpFault.REPLY, reply=reply, is_delivered=False)

        await never_arrives(rig)

        assert 0 == thief.connects


@pytest.mark.parametrize(
    "reply",
    [Reply.html(), Reply.truncated_gzip(), Reply.json(b'{"venue_id": "h1"'), Reply.json(b"\xff")],
    ids=["html", "gzip", "json", "utf-8"],
)
@EVIDENCE
async def test_f17_a_200_that_is_no_answer_is_settled_by_evidence(rig, reply, evidence):
    rig.http(HttpFault.REPLY, reply=reply)
    hide(rig, evidence)

    await arrives(rig)


@pytest.mark.parametrize("reply", [Reply.json(b"{}"), Reply.other_order()], ids=["empty", "other"])
@EVIDENCE
async def test_f18_an_answer_about_something_else_is_settled_by_evidence(rig, reply, evidence):
    rig.http(HttpFault.REPLY, reply=reply)
    hide(rig, evidence)

    await arrives(rig)
