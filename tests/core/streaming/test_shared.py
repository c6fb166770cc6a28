"""Many readers share one connection, and none of them pays for what another one does."""

import asyncio

import pytest

from dragoman.errors import (
    AuthenticationError,
    ClosedError,
    ConnectFailedError,
    PermissionDeniedError,
    UnsupportedError,
)
from dragoman.models import (
    Subscription,
)

from .shared_rig import BOTH, A, B, C, rigged


@pytest.fixture
async def rig():
    async with rigged() as rig:
        yield rig


async def test_entered_means_that_the_venue_confirmed_it_and_the_first_word_is_connected(rig):
    rig.venue.acks = False
    reader = rig.reader(A)
    await rig.clock.settle()
    assert not reader.is_in
    assert ["A"] == rig.venue.last_asked

    rig.venue.wire.say({"events": [["quote", "A", 1]]}, {"subscribed": ["A"]})
    await rig.clock.settle()
    assert reader.is_in
    await rig.say(["quote", "A", 2])

    assert (C.CONNECTED, "market") == (reader.told[0].state, reader.told[0].channel)
    assert [1, 2] == reader.data


async def test_two_readers_share_one_connection_that_carries_what_both_want(rig):
    first, second = await rig.entered(A), await rig.entered(B)

    await rig.say(["quote", "A", 1], ["quote", "B", 2], ["quote", "A", 3], ["trade", "A", 4])

    assert 1 == len(rig.venue.wires)
    assert ["A", "B"] == rig.venue.last_asked
    assert [1, 3] == first.data
    assert [2] == second.data


async def test_readers_that_enter_at_once_are_confirmed_together(rig):
    first, second = rig.reader(A), rig.reader(B)
    await rig.clock.settle()

    assert first.is_in
    assert second.is_in
    assert [(0, ["A", "B"])] == rig.venue.asked


async def test_what_a_reader_leaves_is_unsubscribed_and_the_others_go_on(rig):
    first, second = await rig.entered(A), await rig.entered(B)

    await first.left()
    await rig.clock.settle()
    await rig.say(["quote", "A", 1], ["quote", "B", 2])

    assert ["B"] == rig.venue.last_asked
    assert [2] == second.data
    assert 1 == len(rig.venue.open_wires)


async def test_books_begin_anew_for_who_has_not_heard_them(rig):
    await rig.entered(Subscription(depth="A", quotes="A"))
    second = await rig.entered(Subscription(depth=("A", "B"), trades="A"))
    await second.left()
    await rig.clock.settle()

    none, books = Subscription(), Subscription(depth=("A", "B"))
    assert [Subscription(depth="A"), books, none] == rig.protocols[0].anews


async def test_a_topic_stays_for_as_long_as_anybody_wants_it(rig):
    first, second = await rig.entered(A), await rig.entered(BOTH)

    await first.left()
    await rig.clock.settle()
    await rig.say(["quote", "A", 1])

    assert [1] == second.data
    assert ["A", "B"] == rig.venue.last_asked


async def test_the_last_to_leave_closes_and_the_next_to_enter_connects_anew(rig):
    first = await rig.entered(A)
    await first.left()
    assert [] == rig.venue.open_wires

    second = await rig.entered(B)
    assert 2 == len(rig.venue.wires)
    assert [(0, ["A"]), (1, ["B"])] == rig.venue.asked
    assert [C.CONNECTED] == second.states


async def test_a_connection_that_is_closing_is_waited_for_and_never_overlapped(rig):
    first = await rig.entered(A)
    closing, wire = asyncio.Event(), rig.venue.wire

    async def close_slowly():
        await closing.wait()
        wire.is_closed = True

    wire.aclose = close_slowly
    first.leave()
    await rig.clock.settle()
    second = rig.reader(B)
    await rig.clock.settle()
    assert not second.is_in
    assert 1 == len(rig.venue.wires)

    closing.set()
    await rig.clock.settle()
    assert second.is_in
    assert 2 == len(rig.venue.wires)


async def test_a_refused_wish_fails_who_wished_it_and_costs_nobody_the_connection(rig):
    first = await rig.entered(A)
    rig.venue.refused = {"B"}

    second = rig.reader(BOTH)
    await rig.clock.settle()
    await rig.say(["quote", "A", 1])

    assert isinstance(second.failure, PermissionDeniedError)
    assert [1] == first.data
    assert [C.CONNECTED] == first.states
    assert 1 == len(rig.venue.wires)
    assert ["A"] == rig.venue.last_asked
    assert A == rig.protocols[0].wanted


async def test_of_those_who_enter_at_once_only_the_refused_one_fails(rig):
    rig.venue.refused = {"B"}

    readers = [rig.reader(Subscription(quotes=one)) for one in "ABC"]
    await rig.clock.settle()
    await rig.say(["quote", "A", 1], ["quote", "C", 2])

    assert [True, False, True] == [reader.is_in for reader in readers]
    assert isinstance(readers[1].failure, PermissionDeniedError)
    assert [[1], [], [2]] == [reader.data for reader in readers]
    assert 1 == len(rig.venue.wires)


async def test_a_refused_wish_of_the_only_reader_closes_the_connection(rig):
    rig.venue.refused = {"A"}

    reader = rig.reader(A)
    await rig.clock.settle()

    assert isinstance(reader.failure, PermissionDeniedError)
    assert [] == rig.venue.open_wires


async def test_a_refusal_on_entry_is_raised_to_everybody_who_waits(rig):
    rig.venue.knows_nobody = True

    readers = [rig.reader(A), rig.reader(B)]
    await rig.clock.advance(seconds=2)

    for reader in readers:
        assert isinstance(reader.failure, AuthenticationError)
        assert not reader.is_in


async def test_an_entry_in_vain_ends_by_what_stood_in_the_way():
    async with rigged(open_within_s=5.0, attempt_within_s=4.0) as rig:
        first = await rig.entered(A)
        rig.venue.refuses_always = ConnectFailedError("nobody listens")
        rig.venue.wire.cut()
        await rig.clock.settle()

        second = rig.reader(B)
        for _ in range(20):
            await rig.clock.advance(seconds=0.5)

        assert isinstance(second.failure, ConnectFailedError)
        assert first.is_in


async def test_a_reader_canceled_while_it_enters_leaves_nothing_behind(rig):
    first = await rig.entered(A)
    rig.venue.acks = False
    second = rig.reader(B)
    await rig.clock.settle()

    second.task.cancel()
    await asyncio.wait([second.task])
    rig.venue.acks = True
    rig.venue.wire.say({"subscribed": ["A", "B"]})
    await rig.clock.settle()
    await rig.say(["quote", "A", 1])

    assert ["A"] == rig.venue.last_asked
    assert A == rig.protocols[0].wanted
    assert [1] == first.data


async def test_closing_ends_every_reader_and_refuses_new_ones(rig):
    first, second = await rig.entered(A), await rig.entered(B)
    rig.venue.acks = False
    waiting = rig.reader(Subscription(quotes="C"))
    await rig.clock.settle()

    await rig.shared.aclose()
    await rig.clock.settle()

    assert [C.CONNECTED, C.ENDED] == first.states == second.states
    assert isinstance(waiting.failure, ClosedError)
    with pytest.raises(ClosedError):
        async with rig.shared.read(A):
            pass
    await rig.shared.aclose()


async def test_a_wish_that_is_unsupported_is_the_reader_s_own_mistake(rig):
    first = await rig.entered(A)

    async def refuse(session, wanted, anew):
        raise UnsupportedError("no such channel")

    rig.protocols[0].subscribe = refuse
    second = rig.reader(B)
    await rig.clock.settle()

    assert isinstance(second.failure, UnsupportedError)
    assert first.is_in
