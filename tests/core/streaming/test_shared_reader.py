"""Each reader of a shared connection hears what it wants, and what it has missed."""

import asyncio

import pytest

from dragoman.errors import (
    StreamLostError,
)
from dragoman.models import (
    Channel,
    ConnectionEvent,
    Gap,
    Quarantined,
    Quote,
    Subscription,
)

from .shared_rig import BOTH, A, B, C, rigged


@pytest.fixture
async def rig():
    async with rigged() as rig:
        yield rig


async def test_an_event_that_several_want_reaches_each_of_them(rig):
    first, second = await rig.entered(A), await rig.entered(BOTH)

    await rig.say(["quote", "A", 1], ["quote", "B", 2])

    assert [1] == first.data
    assert [1, 2] == second.data


async def test_who_enters_after_a_loss_is_not_told_of_it(rig):
    first = await rig.entered(A)
    rig.venue.wire.cut()
    await rig.clock.advance(seconds=2)
    second = await rig.entered(B)
    await rig.say(["quote", "B", 1])

    assert [C.CONNECTED] == second.states
    assert [] == second.of(Gap)
    assert C.RECONNECTED is first.states[-1]


async def test_who_enters_while_the_news_of_a_loss_still_waits_is_not_told_of_it():
    async with rigged(most_waiting=3) as rig:
        slow = await rig.entered(Subscription(positions=True), reads=False)
        for number in range(5):
            await rig.say(["position", "A", number])
        rig.venue.wire.cut()
        await rig.clock.advance(seconds=2)
        second = await rig.entered(B)

        told = await anext(slow.stream)
        await rig.clock.settle()
        told += await anext(slow.stream)
        await rig.say(["quote", "B", 1])

        states = [event.state for event in told if isinstance(event, ConnectionEvent)]
        assert C.RECONNECTED is states[-1]
        assert [C.CONNECTED] == second.states
        assert ([], [1]) == (second.of(Gap), second.data)


async def test_a_bad_frame_is_told_to_everybody_and_the_stream_lives(rig):
    first, second = await rig.entered(A), await rig.entered(B)

    rig.venue.wire.say({"bad": 1})
    await rig.say(["quote", "A", 1])

    assert [1, 1] == [len(reader.of(Quarantined)) for reader in (first, second)]
    assert [1] == first.data


async def test_a_reader_that_is_behind_stalls_nobody_and_is_told_what_it_missed():
    async with rigged(most_waiting=3) as rig:
        slow, quick = await rig.entered(A, reads=False), await rig.entered(A)
        for number in range(6):
            await rig.say(["quote", "A", number])

        batch = await anext(slow.stream)
        assert [0, 1] == [event.received_at_ns for event in batch if isinstance(event, Quote)]
        assert (Channel.QUOTES, "A", 4) == (batch[-1].channel, batch[-1].symbol, batch[-1].lost)
        assert [*range(6)] == quick.data

        await rig.say(["quote", "A", 7])
        assert [7] == [event.received_at_ns for event in await anext(slow.stream)]


async def test_private_events_of_a_reader_that_is_behind_wait_in_the_socket():
    async with rigged(most_waiting=3, max_waiting=2) as rig:
        slow = await rig.entered(Subscription(positions=True), reads=False)
        for number in range(20):
            await rig.say(["position", "A", number])
        assert rig.venue.wire.pieces.qsize() > 0
        await rig.clock.advance(seconds=60)

        told = []
        while len(told) < 21:
            told += await anext(slow.stream)
            await rig.clock.settle()
        assert [*range(20)] == [event.received_at_ns for event in told[1:]]


async def test_a_private_reader_that_holds_others_back_is_ended():
    async with rigged(most_waiting=3) as rig:
        slow = await rig.entered(Subscription(positions=True), reads=False)
        quick = await rig.entered(Subscription(account=True))
        for number in range(5):
            await rig.say(["position", "A", number], ["account", "", number])

        await rig.clock.advance(seconds=6)
        assert [*range(5)] == quick.data
        await anext(slow.stream)
        with pytest.raises(StreamLostError, match="held others back"):
            await anext(slow.stream)


async def test_who_does_not_read_at_all_is_given_up_in_the_end():
    async with rigged(most_waiting=3) as rig:
        slow, quick = await rig.entered(A, reads=False), await rig.entered(A)
        for _ in range(8):
            rig.venue.wire.say({"bad": 1})
        await rig.say(["quote", "A", 1])

        await anext(slow.stream)
        with pytest.raises(StreamLostError, match="behind"):
            await anext(slow.stream)
        assert [1] == quick.data


async def test_a_reader_canceled_while_it_waits_reads_on(rig):
    async with rig.shared.read(A) as stream:
        await anext(stream)
        waiting = asyncio.create_task(anext(stream))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        rig.venue.wire.say({"events": [["quote", "A", 1]]})

        assert [1] == [event.received_at_ns for event in await anext(stream)]


async def test_after_the_exit_a_reader_is_told_the_end_and_ends(rig):
    await rig.entered(B)
    async with rig.shared.read(A) as stream:
        await anext(stream)

    assert [C.ENDED] == [event.state for event in await anext(stream)]
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_what_concerns_the_whole_market_reaches_everybody_who_wants_statuses(rig):
    first = await rig.entered(Subscription(market_status="A"))
    second = await rig.entered(Subscription(market_status=("A", "B")))
    third = await rig.entered(A)

    await rig.say(["status", None, 1], ["status", "B", 2])

    assert [[1], [1, 2], []] == [reader.data for reader in (first, second, third)]


async def test_bars_reach_who_wants_their_timeframe(rig):
    first = await rig.entered(Subscription(bars=[("A", "1m")]))
    second = await rig.entered(Subscription(bars=[("A", "1d")]))

    await rig.say(["1m", "A", 1], ["1d", "A", 2], ["5m", "A", 3])

    assert [[1], [2]] == [first.data, second.data]
