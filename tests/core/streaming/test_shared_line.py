"""A shared connection is lost, left and entered at any moment, and carries what is wanted."""

import asyncio
import json
import random

import pytest

from dragoman.errors import (
    AuthenticationError,
    ConnectFailedError,
    PermissionDeniedError,
    StreamLostError,
    WaitTimeoutError,
)
from dragoman.models import (
    Channel,
    ConnectionEvent,
    Gap,
    Subscription,
)

from .shared_rig import A, B, C, rigged


@pytest.fixture
async def rig():
    async with rigged() as rig:
        yield rig


async def test_a_wish_that_is_not_answered_fails_who_wished_it_and_the_others_are_told(rig):
    first = await rig.entered(A)
    rig.venue.mute = {"B"}

    second = rig.reader(B)
    await rig.clock.advance(seconds=11)
    await rig.clock.advance(seconds=5)

    assert isinstance(second.failure, WaitTimeoutError)
    assert [C.CONNECTED, C.DISCONNECTED, C.RECONNECTING, C.RECONNECTED] == first.states
    assert (1, ["A"]) == rig.venue.asked[-1]


async def test_after_a_loss_everything_is_wanted_again_and_each_is_told_in_its_own_words(rig):
    first = await rig.entered(A)
    second = await rig.entered(Subscription(trades="B", positions=True))

    rig.venue.wire.cut()
    await rig.clock.advance(seconds=2)
    await rig.say(["quote", "A", 1], ["trade", "B", 2], ["position", "B", 3])

    back = [C.CONNECTED, C.DISCONNECTED, C.RECONNECTING, C.RECONNECTED]
    assert back == first.states
    assert back == second.states
    assert {"market"} == {event.channel for event in first.of(ConnectionEvent)}
    assert {"private"} == {event.channel for event in second.of(ConnectionEvent)}
    assert [Channel.QUOTES] == [gap.channel for gap in first.of(Gap)]
    assert [Channel.TRADES] == [gap.channel for gap in second.of(Gap)]
    assert (1, ["A", "B", "POSITIONS"]) == rig.venue.asked[-1]
    assert [[1], [2, 3]] == [first.data, second.data]


async def test_who_waits_while_the_connection_is_lost_is_admitted_by_the_next_one(rig):
    await rig.entered(A)
    rig.venue.acks = False
    second = rig.reader(B)
    await rig.clock.settle()

    rig.venue.wire.cut()
    rig.venue.acks = True
    await rig.clock.settle()
    assert not second.is_in
    await rig.clock.advance(seconds=2)

    assert second.is_in
    assert [C.CONNECTED] == second.states
    assert [(1, ["A"]), (1, ["A", "B"])] == rig.venue.asked[-2:]


async def test_a_wish_that_the_next_connection_refuses_harms_nobody_else(rig):
    first = await rig.entered(A)
    rig.venue.acks = False
    second = rig.reader(B)
    await rig.clock.settle()

    rig.venue.wire.cut()
    rig.venue.acks, rig.venue.refused = True, {"B"}
    await rig.clock.advance(seconds=2)
    await rig.say(["quote", "A", 1])

    assert isinstance(second.failure, PermissionDeniedError)
    assert C.RECONNECTED is first.states[-1]
    assert [1] == first.data


async def test_a_refusal_of_what_was_confirmed_before_is_tried_again(rig):
    first = await rig.entered(A)
    rig.venue.refused = {"A"}
    rig.venue.wire.cut()
    await rig.clock.advance(seconds=2)
    rig.venue.refused = set()
    await rig.clock.advance(seconds=20)

    assert C.RECONNECTED is first.states[-1]
    assert any("refused now" in (event.cause or "") for event in first.of(ConnectionEvent))


async def test_who_leaves_while_the_connection_is_lost_is_not_wanted_again(rig):
    first, second = await rig.entered(A), await rig.entered(B)
    rig.venue.refusals = [ConnectFailedError("nobody listens")]
    rig.venue.wire.cut()
    await rig.clock.settle()

    await first.left()
    await rig.clock.advance(seconds=5)

    assert {"B"} == {name for wire, names in rig.venue.asked for name in names if wire == 1}
    assert C.RECONNECTED is second.states[-1]


async def test_a_rollover_carries_on_for_everybody_without_a_gap(rig):
    first, second = await rig.entered(A), await rig.entered(B)

    rig.venue.wire.say({"leaving": 1})
    await rig.clock.advance(seconds=1)
    await rig.say(["quote", "A", 1], ["quote", "B", 2])
    await rig.clock.advance(seconds=5)

    assert [C.CONNECTED, C.CONNECTED] == first.states == second.states
    assert [[1], [2]] == [first.data, second.data]
    assert [] == first.of(Gap)


async def test_who_leaves_while_the_next_connection_is_greeted_is_unsubscribed_there(rig):
    first, second = await rig.entered(A), await rig.entered(B)
    rig.venue.acks = False
    rig.venue.wire.cut()
    await rig.clock.advance(seconds=2)
    assert (1, ["A", "B"]) == rig.venue.asked[-1]

    await first.left()
    rig.venue.acks = True
    rig.venue.wire.say({"subscribed": ["A", "B"]})
    await rig.clock.settle()

    assert (1, ["B"]) == rig.venue.asked[-1]
    assert C.RECONNECTED is second.states[-1]


async def test_who_enters_during_a_rollover_is_confirmed_by_the_connection_that_leads(rig):
    await rig.entered(A)
    rig.venue.acks = False
    rig.venue.wire.say({"leaving": 1})
    await rig.clock.settle()
    second = rig.reader(B)
    await rig.clock.settle()
    assert not second.is_in

    rig.venue.acks = True
    rig.venue.wire.say({"subscribed": ["A"]})
    await rig.clock.advance(seconds=5)
    await rig.say(["quote", "B", 1])

    assert [1] == second.data
    assert (1, ["A", "B"]) == rig.venue.asked[-1]


async def test_a_refusal_for_good_ends_everybody_after_it_was_told(rig):
    first, second = await rig.entered(A), await rig.entered(B)

    rig.venue.knows_nobody = True
    rig.venue.wire.say({"events": [["quote", "A", 1]]}, {"dead": 1})
    await rig.clock.advance(seconds=2)

    for reader in (first, second):
        assert isinstance(reader.failure, AuthenticationError)
        assert [C.CONNECTED, C.DISCONNECTED, C.FAILED] == reader.states
    assert [1] == first.data


async def test_after_an_end_for_good_the_next_reader_connects_anew(rig):
    first = await rig.entered(A)
    rig.venue.wire.say({"dead": 1})
    await rig.clock.advance(seconds=2)
    assert isinstance(first.failure, AuthenticationError)

    second = await rig.entered(B)
    await rig.say(["quote", "B", 1])

    assert [1] == second.data


async def test_f81_a_blocked_loop_is_logged_once_and_no_loss(rig, caplog):
    readers = [await rig.entered(A), await rig.entered(B)]
    await rig.clock.advance(seconds=7)
    await rig.clock.block(5)
    await rig.clock.advance(seconds=1)

    assert 1 == len([record for record in caplog.records if "blocked" in record.message])
    assert [[C.CONNECTED], [C.CONNECTED]] == [reader.states for reader in readers]


@pytest.mark.parametrize("turns", range(12))
async def test_a_first_reader_canceled_at_any_moment_closes_the_connection(rig, turns):
    reader = rig.reader(A)
    for _ in range(turns):
        await asyncio.sleep(0)

    reader.task.cancel()
    await asyncio.wait([reader.task])
    await rig.clock.settle()
    assert [] == rig.venue.open_wires

    assert [C.CONNECTED] == (await rig.entered(B)).states


@pytest.mark.parametrize("turns", range(12))
async def test_leaving_while_another_enters_disturbs_neither(rig, turns):
    first = await rig.entered(A)
    second = rig.reader(B)
    for _ in range(turns):
        await asyncio.sleep(0)
    await first.left()
    await rig.clock.settle()
    await rig.say(["quote", "A", 1], ["quote", "B", 2])

    assert second.is_in
    assert [2] == second.data
    assert 1 == len(rig.venue.open_wires)
    assert ["B"] == rig.venue.last_asked


async def test_a_mistake_in_the_protocol_ends_the_readers_and_says_so(rig, caplog):
    first = await rig.entered(A)

    async def fail(session, wanted, anew):
        raise KeyError("a secret")

    rig.protocols[0].subscribe = fail
    second = rig.reader(B)
    await rig.clock.settle()

    for reader in (first, second):
        assert isinstance(reader.failure, StreamLostError)
        assert "KeyError" in str(reader.failure)
        assert "secret" not in str(reader.failure)
    assert "secret" not in caplog.text


async def test_a_key_that_is_withdrawn_while_a_reader_enters_ends_everybody(rig):
    first = await rig.entered(A)

    async def forget(session, wanted, anew):
        raise AuthenticationError("the key was withdrawn")

    rig.protocols[0].subscribe = forget
    rig.venue.knows_nobody = True
    second = rig.reader(B)
    await rig.clock.advance(seconds=2)

    for reader in (first, second):
        assert isinstance(reader.failure, AuthenticationError)


async def test_a_loss_while_each_of_several_is_asked_for_leaves_the_rest_waiting(rig):
    await rig.entered(A)
    rig.venue.refused = {"B"}
    second, third = rig.reader(B), rig.reader(Subscription(quotes="C"))
    answer = rig.venue.answer

    def cut_at_c(wire, message):
        if json.loads(message).get("subscribe") == ["A", "C"]:
            rig.venue.answer = answer
            wire.cut()
        else:
            answer(wire, message)

    rig.venue.answer = cut_at_c
    await rig.clock.settle()
    assert isinstance(second.failure, PermissionDeniedError)
    assert not third.is_in

    await rig.clock.advance(seconds=3)
    assert third.is_in


async def test_who_leaves_when_the_venue_answers_nothing_costs_one_connection(rig):
    first, second = await rig.entered(A), await rig.entered(B)
    rig.venue.acks = False
    await first.left()
    await rig.clock.advance(seconds=10)
    rig.venue.acks = True
    await rig.clock.advance(seconds=5)

    assert C.RECONNECTED is second.states[-1]
    assert 2 == len(rig.venue.wires)
    assert (1, ["B"]) == rig.venue.asked[-1]


async def test_who_leaves_at_the_moment_of_a_loss_is_not_wanted_by_the_next_connection(rig):
    first, second = await rig.entered(A), await rig.entered(B)
    rig.venue.acks = False
    await first.left()
    await rig.clock.settle()
    rig.venue.wire.cut()
    rig.venue.acks = True
    await rig.clock.advance(seconds=3)

    assert (1, ["B"]) == rig.venue.asked[-1]
    assert C.RECONNECTED is second.states[-1]


async def test_a_mistake_while_reading_ends_the_readers_and_says_so(rig):
    first = await rig.entered(A)
    rig.venue.wire.say({"nonsense": 1})
    await rig.clock.settle()

    assert isinstance(first.failure, StreamLostError)
    assert "TypeError" in str(first.failure)


class Storm:
    """A random life of a shared connection, by a seed."""

    def __init__(self, rig, seed):
        self.rig = rig
        self.random = random.Random(seed)
        self.inside = []
        self.number = 0

    async def play(self, steps):
        acts = (self.enter, self.enter, self.leave, self.cancel, self.speak, self.cut, self.wait)
        for _ in range(steps):
            await self.random.choice(acts)()
            for _ in range(self.random.choice((0, 0, 1, 3, 40))):
                await asyncio.sleep(0)
            assert len(self.rig.venue.open_wires) <= 1

    async def enter(self):
        symbols = self.random.sample("ABCDE", self.random.randint(1, 3))
        self.inside.append(self.rig.reader(Subscription(quotes=symbols)))

    async def leave(self):
        if self.inside:
            self.inside.pop(self.random.randrange(len(self.inside))).leave()

    async def cancel(self):
        if self.inside:
            self.inside.pop(self.random.randrange(len(self.inside))).task.cancel()

    async def speak(self):
        if self.rig.venue.open_wires:
            self.number += 1
            event = ["quote", self.random.choice("ABCDE"), self.number]
            self.rig.venue.wire.say({"events": [event]})

    async def cut(self):
        if self.rig.venue.open_wires and self.random.random() < 0.3:
            self.rig.venue.wire.cut()

    async def wait(self):
        await self.rig.clock.settle()  # closing takes turns, and must not take seconds
        await self.rig.clock.advance(seconds=self.random.choice((0, 0.5, 3)))

    async def calm(self):
        for _ in range(60):
            await self.rig.clock.advance(seconds=1)


@pytest.mark.parametrize("seed", range(40))
async def test_after_any_storm_everybody_inside_hears_all_that_they_want(seed):
    async with rigged() as rig:
        storm = Storm(rig, seed)
        await storm.play(80)
        await storm.calm()

        assert [True] * len(storm.inside) == [reader.is_in for reader in storm.inside]
        wanted = {symbol for reader in storm.inside for symbol in reader.wanted.quotes}
        if not storm.inside:
            assert [] == rig.venue.open_wires
            return
        assert sorted(wanted) == rig.venue.last_asked
        heard = [len(reader.data) for reader in storm.inside]
        await rig.say(*(["quote", symbol, 0] for symbol in "ABCDE"))
        for reader, count in zip(storm.inside, heard, strict=True):
            assert len(reader.wanted.quotes) == len(reader.data) - count
            assert C.CONNECTED is reader.states[0]
            assert reader.states[-1] in {C.CONNECTED, C.RECONNECTED}
            assert sorted(reader.data[:count]) == reader.data[:count]
