"""Make before break: a second connection is greeted before the first is left; nothing twice."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.errors import AuthenticationError, ConnectFailedError
from dragoman.times import SECOND_NS
from dragoman.transport.link_overlap import Overlap
from dragoman.transport.link_report import LinkState, Rolled

from .stream_doubles import Rig

S = LinkState


@pytest.fixture
def rig():
    return Rig()


async def test_f77_an_announced_cut_is_rolled_over_without_a_gap(rig):
    async with rig.live():
        old = rig.venue.wire
        old.say({"event": 1}, {"leaving": 1})
        await rig.clock.settle()
        new = rig.venue.wire
        assert new is not old
        for n in (2, 3):
            new.say({"event": n})
            old.say({"event": n})
        await rig.clock.advance(seconds=1)
        old.say({"event": 4})
        old.cut()
        await rig.clock.advance(seconds=2)
        new.say({"event": 4}, {"event": 5})
        await rig.clock.settle()

        assert [1, 2, 3, 4, 5] == rig.events
        assert [S.LIVE] == rig.states[2:]
        assert ["the venue announced a shutdown"] == [told.cause for told in rig.of(Rolled)]
        assert [new] == rig.venue.open_wires


async def test_f77_what_only_the_old_connection_brings_during_the_overlap_is_kept(rig):
    async with rig.live():
        old = rig.venue.wire
        rig.link.rollover("planned")
        await rig.clock.settle()
        old.say({"event": "in flight"})
        await rig.clock.advance(seconds=5)
        old.say({"event": "too late"})
        await rig.clock.settle()

        assert ["in flight"] == rig.events
        assert old.is_closed


async def test_f77_the_old_connection_delivers_until_the_new_one_is_confirmed(rig):
    async with rig.live():
        old = rig.venue.wire
        rig.venue.acks = False
        rig.link.rollover("planned")
        await rig.clock.settle()
        new = rig.venue.wire
        old.say({"event": 1})
        new.say({"event": 1}, {"event": 2})
        await rig.clock.settle()
        assert [1] == rig.events

        new.say({"ack": "orders"})
        await rig.clock.settle()
        assert [1, 2] == rig.events


async def test_f77_the_same_event_twice_on_one_connection_is_told_twice(rig):
    async with rig.live():
        old = rig.venue.wire
        rig.link.rollover("planned")
        await rig.clock.settle()
        new = rig.venue.wire
        old.say({"event": "same"}, {"event": "same"})
        await rig.clock.settle()
        new.say({"event": "same"}, {"event": "same"}, {"event": "same"})
        await rig.clock.settle()

        assert ["same"] * 3 == rig.events


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3)), max_size=40))
def test_each_payload_is_told_as_often_as_the_fuller_connection_told_it(said):
    overlap = Overlap(1, 2)
    counts = {1: [0] * 4, 2: [0] * 4}
    told = [0] * 4

    for is_new, key in said:
        counts[2 if is_new else 1][key] += 1
        told[key] += not overlap.is_duplicate(2 if is_new else 1, key)

    assert [max(counts[1][key], counts[2][key]) for key in range(4)] == told


def test_a_payload_without_a_key_is_never_taken_for_a_duplicate():
    overlap = Overlap(1, 2)

    assert not any(overlap.is_duplicate(which, None) for which in (1, 2, 1))


async def test_f77_a_rollover_that_fails_keeps_the_first_and_tries_again(rig):
    rig.protocol.heartbeat_s = None
    async with rig.live():
        old = rig.venue.wire
        rig.venue.refusals = [ConnectFailedError("not yet")] * 3
        rig.link.rollover("planned")
        await rig.clock.settle()
        old.say({"event": 1})
        await rig.clock.advance(seconds=30)

        assert [1] == rig.events
        assert ([S.LIVE], 1) == (rig.states[2:], len(rig.of(Rolled)))
        assert 1 == len(rig.venue.open_wires)


async def test_a_successor_that_is_not_confirmed_leaves_nothing_open(rig):
    rig.protocol.heartbeat_s = None
    async with rig.live():
        old = rig.venue.wire
        rig.venue.acks = False
        rig.link.rollover("planned")
        await rig.clock.advance(seconds=10)

        assert ([old], [S.LIVE]) == (rig.venue.open_wires, rig.states[2:])


async def test_a_connection_lost_during_its_rollover_is_connected_anew(rig):
    async with rig.live():
        old = rig.venue.wire
        rig.venue.acks = False
        rig.link.rollover("planned")
        await rig.clock.settle()
        half_greeted = rig.venue.wire
        rig.venue.acks = True
        old.cut()
        await rig.clock.advance(seconds=2)

        assert half_greeted.is_closed
        assert S.LIVE is rig.link.state
        assert (1, 1) == (len(rig.venue.open_wires), rig.link.losses)


async def test_a_rollover_overtaken_by_a_loss_opens_no_second_connection(rig):
    async with rig.live():
        rig.venue.gate.clear()
        rig.link.rollover("planned")
        await rig.clock.settle()
        rig.venue.wire.cut()
        await rig.clock.advance(seconds=2)
        rig.venue.gate.set()
        await rig.clock.settle()

        assert (2, S.LIVE) == (len(rig.venue.wires), rig.link.state)
        assert [] == rig.of(Rolled)


async def test_the_old_connection_may_be_mute_while_it_is_left(rig):
    rig.protocol.heartbeat_s = 0.4
    async with rig.live():
        rig.link.rollover("planned")
        await rig.clock.settle()
        for _ in range(10):
            rig.venue.wire.say({"beat": 1})
            await rig.clock.advance(seconds=0.5)

        assert ([S.LIVE], 0) == (rig.states[2:], rig.link.losses)


async def test_the_successor_lost_during_the_overlap_is_a_loss(rig):
    async with rig.live():
        rig.link.rollover("planned")
        await rig.clock.settle()
        rig.venue.wire.cut()
        await rig.clock.advance(seconds=3)

        assert (1, S.LIVE) == (rig.link.losses, rig.link.state)
        assert (3, 1) == (len(rig.venue.wires), len(rig.venue.open_wires))


async def test_f29_two_announcements_are_one_rollover(rig):
    async with rig.live():
        old = rig.venue.wire
        old.say({"leaving": 1}, {"leaving": 1})
        await rig.clock.settle()
        old.say({"leaving": 1})
        await rig.clock.advance(seconds=5)

        assert (2, 1) == (len(rig.venue.wires), len(rig.of(Rolled)))


async def test_a_successor_that_leaves_at_once_is_followed_too(rig):
    async with rig.live():
        rig.link.rollover("planned")
        await rig.clock.settle()
        rig.venue.wire.say({"leaving": 1})
        await rig.clock.advance(seconds=5)
        rig.venue.wire.say({"beat": 1})
        await rig.clock.advance(seconds=5)

        assert (3, 2) == (len(rig.venue.wires), len(rig.of(Rolled)))
        assert 1 == len(rig.venue.open_wires)


async def test_f74_a_session_is_rolled_over_ahead_of_its_expiry(rig):
    rig.protocol.heartbeat_s = None
    rig.protocol.expiry_ns = rig.clock.now_ns() + 3600 * SECOND_NS
    async with rig.live():
        await rig.clock.advance(seconds=3539)
        assert 1 == len(rig.venue.wires)
        rig.protocol.expiry_ns += 3600 * SECOND_NS
        await rig.clock.advance(seconds=2)

        assert (2, 2) == (len(rig.venue.wires), rig.protocol.tokens)
        await rig.clock.advance(seconds=3600)
        assert 3 == len(rig.venue.wires)
        assert [S.LIVE] == rig.states[2:]


async def test_f47_an_expiry_that_seems_past_does_not_roll_for_ever(rig):
    rig.protocol.heartbeat_s = None
    rig.protocol.expiry_ns = rig.clock.now_ns() - 3600 * SECOND_NS
    async with rig.live():
        await rig.clock.advance(seconds=100)

        assert 1 == len(rig.venue.wires)


async def test_f74_refused_at_its_rollover_it_lives_on_until_it_is_cut(rig):
    rig.protocol.heartbeat_s = None
    async with rig.live():
        rig.venue.refuses_always = AuthenticationError("log in again")
        rig.link.rollover("planned")
        await rig.clock.advance(seconds=60)
        assert S.LIVE is rig.link.state
        rig.venue.wire.cut()
        await rig.clock.advance(seconds=60)

        assert S.FAILED is rig.link.state
    assert isinstance(rig.ending, AuthenticationError)


async def test_a_day_of_rollovers_leaks_nothing(rig):
    rig.protocol.heartbeat_s = None
    async with rig.live():
        before = len(asyncio.all_tasks())
        for n in range(24):
            rig.link.rollover("planned")
            await rig.clock.advance(seconds=900)
            rig.venue.wire.say({"event": n})
        await rig.clock.settle()

        assert list(range(24)) == rig.events
        assert before == len(asyncio.all_tasks())
        assert 1 == len(rig.venue.open_wires)


async def test_a_rollover_of_a_link_that_is_down_is_nothing(rig):
    async with rig.live():
        rig.venue.refuses_always = ConnectFailedError("down")
        rig.venue.wire.cut()
        await rig.clock.settle()
        attempts = len(rig.venue.requests)

        rig.link.rollover("planned")
        await rig.clock.settle()

        assert attempts == len(rig.venue.requests)


async def test_an_overlap_too_large_to_count_ends_the_old_connection_at_once(rig, monkeypatch):
    monkeypatch.setattr("dragoman.transport.link_overlap._MOST", 4)
    async with rig.live():
        old = rig.venue.wire
        rig.link.rollover("planned")
        await rig.clock.settle()
        new = rig.venue.wire
        new.say(*({"event": n} for n in range(6)))
        await rig.clock.settle()
        old.say(*({"event": n} for n in range(6)))
        await rig.clock.advance(seconds=5)

        assert list(range(6)) == rig.events


async def test_an_old_connection_that_reports_a_refusal_does_not_hurt_the_new_one(rig):
    async with rig.live():
        old = rig.venue.wire
        rig.link.rollover("planned")
        await rig.clock.settle()
        old.say({"refused": 1}, {"bad": 1})
        await rig.clock.settle()

        assert (0, S.LIVE) == (rig.link.losses, rig.link.state)
