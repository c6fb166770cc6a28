"""A mute peer is found in time; a quiet channel and a blocked loop are not mistaken for one."""

import asyncio
import json

import pytest

from dragoman.errors import NotFoundError, VenueUnavailableError
from dragoman.times import SECOND_NS
from dragoman.transport.link_report import LinkState, LoopLag

from .stream_doubles import Rig

S = LinkState


@pytest.fixture
def rig():
    return Rig()


def is_mark(frame):
    return "pong" not in json.loads(frame)


async def test_f21_mute_but_ponging_is_stale_within_its_deadline(rig):
    rig.protocol.alive = is_mark
    async with rig.live():
        for _ in range(10):
            rig.venue.wire.say({"pong": 1, "event": "pong"})
            await rig.clock.advance(seconds=1)

        stale, lost = rig.changes[3:5]

    assert (S.STALE, S.WAITING) == (stale.state, lost.state)
    assert 10 * SECOND_NS == stale.at_ns - rig.changes[2].at_ns
    assert rig.changes[2].at_ns == stale.last_sign_ns
    assert "no sign of life for 10.0 s" == stale.cause == lost.cause.split(" (")[0]


async def test_f21_it_reconnects_by_itself_after_the_mute_peer(rig):
    async with rig.live():
        await rig.clock.advance(seconds=12)

        assert [S.LIVE, S.STALE, S.WAITING, S.CONNECTING, S.GREETING, S.LIVE] == rig.states[2:]
        assert 1 == len(rig.venue.open_wires)
        assert 10 * SECOND_NS <= rig.changes[-1].gap_ns <= 11 * SECOND_NS


async def test_six_quiet_hours_with_beats_see_no_reconnect(rig):
    async with rig.live():
        await rig.beat(6 * 3600, every=8)

        assert ([S.LIVE], 0) == (rig.states[2:], rig.link.losses)


async def test_six_quiet_hours_with_answered_probes_see_no_reconnect(rig):
    rig.protocol.probes_at_all = True
    async with rig.live():
        await rig.clock.advance(seconds=6 * 3600)

        assert ([S.LIVE], 0) == (rig.states[2:], rig.link.losses)
        assert 6 * 3600 / 5 == rig.protocol.probes


async def test_a_probe_without_answer_costs_no_time_beyond_the_deadline(rig):
    rig.protocol.probes_at_all = True
    rig.protocol.answers_probes = False
    async with rig.live():
        await rig.clock.advance(seconds=9.9)
        assert S.LIVE is rig.link.state
        await rig.clock.advance(seconds=0.2)

        assert S.STALE in rig.states
        assert 1 == rig.protocol.probes


async def test_a_frame_while_the_probe_waits_proves_life(rig):
    rig.protocol.probes_at_all = True
    rig.protocol.answers_probes = False
    async with rig.live():
        await rig.clock.advance(seconds=8)
        rig.venue.wire.say({"event": 1})
        await rig.clock.advance(seconds=9)

        assert [S.LIVE] == rig.states[2:]


async def test_a_stream_without_a_rule_of_heartbeats_is_never_stale(rig):
    rig.protocol.heartbeat_s = None
    async with rig.live():
        await rig.clock.advance(seconds=6 * 3600)

        assert [S.LIVE] == rig.states[2:]


async def test_heartbeats_are_sent_in_their_interval(rig):
    rig.protocol.beats = "ping"
    async with rig.live():
        await rig.clock.advance(seconds=9)

        assert ["subscribe orders", "ping", "ping"] == rig.venue.wire.sent


async def test_f78_a_vanished_peer_that_takes_no_heartbeat_is_found(rig):
    rig.protocol.beats = "ping"
    rig.protocol.heartbeat_s = 30.0
    async with rig.live():
        rig.venue.wire.is_stuck = True
        await rig.clock.advance(seconds=41)

        assert S.WAITING in rig.states
        assert any("takes no more messages" in change.cause for change in rig.changes)


async def test_f78_a_vanished_peer_is_found_by_silence_alone(rig):
    async with rig.live():
        await rig.clock.advance(seconds=11)

        assert S.STALE in rig.states


async def test_f80_a_suspended_machine_is_stale_at_once(rig):
    async with rig.live():
        await rig.clock.advance(seconds=1)
        rig.clock.wall_offset_ns = 1800 * SECOND_NS
        await rig.clock.advance(seconds=5)

        stale = rig.changes[3]
        assert S.STALE is stale.state
        assert "suspended" in stale.cause
        assert S.LIVE is rig.link.state
        assert rig.changes[-1].gap_ns >= 1800 * SECOND_NS


async def test_f45_a_stopped_process_is_stale_at_once(rig):
    async with rig.live():
        await rig.clock.advance(seconds=1)
        rig.venue.wire.say({"event": "queued"})
        await rig.clock.block(60)

        assert S.STALE is rig.changes[3].state
        assert ["queued"] == rig.events


async def test_f47_a_wall_clock_that_steps_back_changes_nothing(rig):
    async with rig.live():
        await rig.beat(4)
        rig.clock.wall_offset_ns = -3600 * SECOND_NS
        await rig.beat(60)

        assert [S.LIVE] == rig.states[2:]


async def test_f81_a_blocked_loop_is_told_and_no_peer_is_given_up(rig):
    async with rig.live():
        await rig.beat(4)
        await rig.clock.advance(seconds=7)
        rig.venue.wire.say({"event": 1}, {"event": 2})
        await rig.clock.block(5)
        await rig.clock.advance(seconds=1)

        assert [S.LIVE] == rig.states[2:]
        assert [1, 2] == rig.events
        (lag,) = rig.of(LoopLag)
        assert 2 * SECOND_NS == lag.lag_ns


async def test_f81_what_the_network_brings_within_the_grace_saves_the_peer(rig):
    async with rig.live():
        await rig.clock.advance(seconds=7)
        await rig.clock.block(5)
        assert S.LIVE is rig.link.state
        await rig.clock.advance(seconds=0.5)
        rig.venue.wire.say({"event": 1})
        await rig.clock.advance(seconds=2)

        assert [S.LIVE] == rig.states[2:]


async def test_f81_a_dead_peer_is_found_after_the_grace_all_the_same(rig):
    async with rig.live():
        await rig.clock.advance(seconds=7)
        await rig.clock.block(5)
        await rig.clock.advance(seconds=1.1)

        assert S.STALE in rig.states


async def test_f29_a_session_is_extended_in_its_interval(rig):
    rig.protocol.heartbeat_s = None
    rig.protocol.keep_alive_s = 1800.0
    async with rig.live():
        await rig.clock.advance(seconds=6 * 3600)

        assert (12, 1) == (rig.protocol.kept_alive, len(rig.venue.wires))


async def test_f29_a_session_that_is_gone_is_made_anew_once(rig):
    rig.protocol.heartbeat_s = None
    rig.protocol.keep_alive_s = 1800.0
    rig.protocol.keep_alive_failures = [NotFoundError("410 Gone")]
    async with rig.live():
        await rig.clock.advance(seconds=1810)

        assert (2, S.LIVE) == (rig.protocol.tokens, rig.link.state)
        assert "the session is over: 410 Gone" in rig.changes[3].cause
        assert 1 == len(rig.venue.open_wires)


async def test_f29_a_failed_extension_is_repeated_before_the_session_ends(rig):
    rig.protocol.heartbeat_s = None
    rig.protocol.keep_alive_s = 1800.0
    rig.protocol.keep_alive_failures = [VenueUnavailableError("503")] * 4
    async with rig.live():
        await rig.clock.advance(seconds=3600)

        assert (5, 1) == (rig.protocol.kept_alive, len(rig.venue.wires))


async def test_f29_a_session_that_can_not_be_extended_is_given_up(rig):
    rig.protocol.heartbeat_s = None
    rig.protocol.keep_alive_s = 1800.0
    rig.protocol.keep_alive_failures = [VenueUnavailableError("503")] * 5
    async with rig.live():
        await rig.clock.advance(seconds=3600)

        assert (2, S.LIVE) == (len(rig.venue.wires), rig.link.state)


async def test_the_tasks_of_a_connection_end_with_it(rig):
    rig.protocol.beats = "ping"
    async with rig.live():
        before = len(asyncio.all_tasks())
        for _ in range(5):
            rig.venue.wire.cut()
            await rig.clock.advance(seconds=31)
            await rig.beat(4)
            assert before == len(asyncio.all_tasks())
