"""Section 4.2 of the fault matrix: streams that break, and what is made good afterwards."""

from itertools import pairwise

import pytest

from dragoman import ReconcilingError
from dragoman_conformance.chaos import FrameFault, HttpFault, Reply

SECOND_NS = 10**9


async def filled(rig, *names):
    """Fill orders at the venue, one part after the other."""
    for name in names:
        venue_id = rig.venue.venue_id_of(name)
        rig.venue.fill(venue_id, "0.5")
        rig.venue.fill(venue_id)


async def test_f20_fills_while_the_stream_is_down_are_applied_once(rig):
    await rig.submit("c1")
    await rig.submit("c2")
    rig.streams.refuse()
    rig.streams.reset_streams()
    await rig.eventually(lambda: "DOWN" == str(rig.broker.health.state))

    await filled(rig, "c1", "c2")
    with pytest.raises(ReconcilingError):
        await rig.submit("c3")
    await rig.streams.accept()

    await rig.becomes("FILLED", "c1")
    await rig.becomes("FILLED", "c2")
    await rig.verdict()
    assert 0 == rig.taken("c3")


async def test_f21_a_mute_stream_that_answers_pings_is_found_out(rig):
    await rig.submit()
    rig.streams.mute_streams()
    rig.streams.refuse()  # or all would be well again before anybody looked
    await filled(rig, "c1")

    await rig.eventually(lambda: rig.has_been("STALE"))
    with pytest.raises(ReconcilingError):
        await rig.submit("c2")
    await rig.streams.accept()

    await rig.becomes("FILLED")
    await rig.verdict()
    assert 0 == rig.taken("c2")


async def test_f22_one_lost_frame_is_made_good_by_the_timer(rig):
    await rig.submit()
    trap = rig.frame(FrameFault.DROP, text=b'"fill_id"')
    rig.venue.fill(rig.venue.venue_id_of("c1"), "0.5")
    await rig.eventually(lambda: trap.hits)

    await rig.becomes("PARTIALLY_FILLED")

    await rig.verdict()
    assert 1 == rig.streams.connects


async def test_f23_a_stream_that_says_everything_twice_is_heard_once(rig):
    rig.frame(FrameFault.DUPLICATE, times=None)

    await rig.submit("c1")
    await rig.submit("c2")
    await filled(rig, "c1", "c2")

    await rig.becomes("FILLED", "c2")
    await rig.verdict()
    assert 2 == rig.kinds("c1").count("FILL")


async def test_f24_a_stream_out_of_order_ends_the_same(rig):
    rig.frame(FrameFault.SWAP, text=b'"order"', times=None)

    await rig.submit("c1")
    await rig.submit("c2")
    await filled(rig, "c1", "c2")

    await rig.becomes("FILLED", "c1")
    await rig.becomes("FILLED", "c2")
    await rig.verdict()


async def test_f25_what_happens_during_the_snapshot_is_neither_lost_nor_double(rig):
    await rig.submit()
    trap = rig.http(HttpFault.BLACK_HOLE, method="GET", path="/", seconds=5.0, times=3)
    rig.streams.reset_streams()
    await rig.eventually(lambda: trap.hits)

    await filled(rig, "c1")

    await rig.becomes("FILLED")
    await rig.verdict()


@pytest.mark.parametrize("reply", [Reply.busy(503), Reply.busy(429, "2"), Reply.html()])
async def test_f26_a_failed_snapshot_leaves_the_account_reconciling(rig, reply):
    await rig.submit()
    trap = rig.http(HttpFault.REPLY, method="GET", path="/", reply=reply, times=None)
    rig.streams.reset_streams()
    await rig.eventually(lambda: trap.hits >= 2)

    assert str(rig.broker.health.state) in {"RECONCILING", "DOWN"}
    with pytest.raises(ReconcilingError):
        await rig.submit("c2")
    assert "OPEN" == rig.status()
    rig.proxy.clear()

    await rig.verdict()
    assert "OPEN" == rig.status()


async def test_f27_a_subscription_that_nobody_confirms_is_not_live(rig):
    await rig.submit()
    trap = rig.frame(FrameFault.DROP, text=b'"subscribed"')
    rig.streams.reset_streams()
    await rig.eventually(lambda: trap.hits)
    await filled(rig, "c1")

    with pytest.raises(ReconcilingError):
        await rig.submit("c2")

    await rig.becomes("FILLED")
    await rig.verdict()
    assert rig.streams.connects >= 3


async def test_f28_a_connection_limit_is_waited_out(rig):
    trap = rig.stream_reply(Reply.busy(429, "20"), times=2)
    rig.streams.reset_streams()

    await rig.eventually(lambda: 2 == trap.hits)
    await rig.is_live()

    tries = [one.at_ns for one in rig.streams.requests][1:]
    waits = [later - earlier for earlier, later in pairwise(tries)]
    assert 3 == len(tries)
    assert all(wait >= 19 * SECOND_NS for wait in waits)
    await rig.verdict()


@pytest.mark.parametrize(
    ("status", "state"), [(401, "AUTH_REQUIRED"), (403, "AUTH_REQUIRED")], ids=["401", "403"]
)
async def test_a_stream_that_is_refused_for_good_is_not_tried_again(rig, status, state):
    trap = rig.stream_reply(Reply.busy(status), times=None)
    rig.streams.reset_streams()

    await rig.eventually(lambda: state == str(rig.broker.health.state))
    await rig.pause(20.0)

    assert 1 == trap.hits


async def test_f66_a_frame_that_nobody_understands_ends_nothing(rig):
    await rig.submit()
    stream = rig.venue.streams[0]
    stream.tell("A1", {"type": "order", "what": "exploded", "order": {"client_id": "c1"}})
    stream.tell("A1", {"type": "comet"})
    stream.tell("A1", {"surprise": None})

    await filled(rig, "c1")

    await rig.becomes("FILLED")
    await rig.verdict()
    assert 1 == rig.streams.connects
    assert "Quarantined" in {type(one).__name__ for one in rig.events}


async def test_f75_a_venue_that_refuses_connects_is_tried_until_it_takes_one(rig):
    await rig.submit()
    rig.streams.reset_connects(8)
    rig.streams.reset_streams()
    await filled(rig, "c1")

    await rig.becomes("FILLED")
    await rig.verdict()
    assert 10 == rig.streams.connects


async def test_f78_a_peer_that_vanished_without_a_word_is_found_out(rig):
    await rig.submit()
    rig.streams.freeze_streams()
    await filled(rig, "c1")

    await rig.becomes("FILLED")
    await rig.verdict()
    assert rig.streams.connects >= 2


@pytest.mark.parametrize("fault", [FrameFault.CORRUPT, FrameFault.CUT, FrameFault.CLOSE])
async def test_f79_a_frame_that_does_not_decompress_costs_a_connection_only(rig, fault):
    await rig.submit()
    trap = rig.frame(fault, text=b'"fill_id"')
    await filled(rig, "c1")

    await rig.becomes("FILLED")
    await rig.verdict()
    assert (1, 2) == (trap.hits, rig.streams.connects)
