"""Several streams read as one keep the order of each, and end together."""

import asyncio
import contextlib

import pytest

from dragoman.errors import AuthenticationError, StreamLostError, UnsupportedError
from dragoman.models import RateLimit
from dragoman.streaming.joined import joined_stream
from dragoman.times import ManualClock


def event(pool):
    return RateLimit(pool=pool, received_at_ns=1)


class Part:
    """A stream that says what the test says."""

    def __init__(self):
        self.queue = asyncio.Queue()
        self.gate = asyncio.Event()
        self.gate.set()
        self.closing_gate = asyncio.Event()
        self.closing_gate.set()
        self.failure = None
        self.is_open = False
        self.was_open = False

    @contextlib.asynccontextmanager
    async def stream(self):
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        self.is_open = self.was_open = True
        try:
            yield self._batches()
        finally:
            await self.closing_gate.wait()
            self.is_open = False

    async def _batches(self):
        while (item := await self.queue.get()) is not None:
            if isinstance(item, Exception):
                raise item
            yield item

    def say(self, *pools):
        self.queue.put_nowait([event(pool) for pool in pools])


@pytest.fixture
def parts():
    return [Part(), Part(), Part()]


@pytest.fixture
def clock():
    return ManualClock()


def joined(parts):
    return joined_stream([part.stream() for part in parts])


async def taken(stream, count):
    found = []
    while len(found) < count:
        found += [event.pool for event in await anext(stream)]
    return found


async def test_entered_means_that_every_part_is_open_and_left_that_none_is(parts):
    async with joined(parts):
        assert [True] * 3 == [part.is_open for part in parts]

    assert [False] * 3 == [part.is_open for part in parts]


async def test_the_order_of_each_part_is_kept(parts):
    async with joined(parts) as stream:
        for number in range(100):
            parts[number % 3].say(f"{number % 3}-{number:03}")
        found = await taken(stream, 100)

    for part in "012":
        mine = [pool for pool in found if pool.startswith(part)]
        assert sorted(mine) == mine
    assert 100 == len(set(found))


async def test_a_reader_that_is_behind_holds_the_parts_back_and_misses_nothing(parts, clock):
    async with joined(parts) as stream:
        for number in range(1000):
            parts[0].say(str(number))
        await clock.advance()
        for _ in range(30):
            await clock.advance()
        assert parts[0].queue.qsize() > 0

        assert [str(number) for number in range(1000)] == await taken(stream, 1000)


async def test_the_first_error_ends_it_after_what_was_told_before(parts):
    async with joined(parts) as stream:
        parts[1].say("last")
        parts[1].queue.put_nowait(AuthenticationError("the key was withdrawn"))

        assert ["last"] == await taken(stream, 1)
        with pytest.raises(AuthenticationError):
            await anext(stream)
        with pytest.raises(AuthenticationError):
            await anext(stream)


async def test_of_several_errors_it_ends_by_the_first(parts, clock):
    async with joined(parts) as stream:
        parts[1].queue.put_nowait(AuthenticationError("the key was withdrawn"))
        await clock.advance()
        parts[0].queue.put_nowait(StreamLostError("lost"))
        await clock.advance()

        with pytest.raises(AuthenticationError):
            await anext(stream)
    with pytest.raises(AuthenticationError):
        await anext(stream)


async def test_it_ends_by_an_error_however_much_the_others_say(parts, clock):
    async with joined(parts) as stream:
        parts[1].queue.put_nowait(AuthenticationError("the key was withdrawn"))
        await clock.advance()
        parts[0].say("too late")
        await clock.advance()

        with pytest.raises(AuthenticationError):
            await anext(stream)


async def test_it_ends_regularly_when_every_part_has(parts):
    async with joined(parts) as stream:
        for part in parts:
            part.queue.put_nowait(None)

        with pytest.raises(StopAsyncIteration):
            await anext(stream)


async def test_of_no_parts_it_ends_at_once():
    async with joined([]) as stream:
        with pytest.raises(StopAsyncIteration):
            await anext(stream)


async def test_it_goes_on_while_any_part_does(parts, clock):
    async with joined(parts) as stream:
        parts[0].queue.put_nowait(None)
        await clock.advance()
        parts[1].say("on")

        assert ["on"] == await taken(stream, 1)


async def test_a_part_that_does_not_open_closes_the_others(parts):
    parts[1].failure = UnsupportedError("no such channel")

    with pytest.raises(UnsupportedError):
        async with joined(parts):
            pass

    assert [False] * 3 == [part.is_open for part in parts]


async def test_a_part_that_does_not_open_is_told_while_another_still_opens(parts):
    parts[0].gate.clear()
    parts[1].failure = UnsupportedError("no such channel")

    with pytest.raises(UnsupportedError):
        async with joined(parts):
            pass

    assert not parts[0].was_open


async def test_a_mistake_in_a_part_is_named_and_not_shown(parts, caplog):
    async with joined(parts) as stream:
        parts[1].queue.put_nowait(KeyError("a secret"))

        with pytest.raises(StreamLostError, match="KeyError") as caught:
            await anext(stream)

    assert "secret" not in str(caught.value)
    assert "secret" not in caplog.text


@pytest.mark.parametrize("turns", range(8))
async def test_canceled_at_any_moment_of_entering_it_leaves_nothing_open(parts, clock, turns):
    async def enter():
        async with joined(parts):
            await asyncio.Event().wait()

    parts[2].gate.clear()
    task = asyncio.create_task(enter())
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    await clock.advance()

    assert task.cancelled()
    assert [False] * 3 == [part.is_open for part in parts]


async def test_a_reader_canceled_while_it_waits_reads_on(parts):
    async with joined(parts) as stream:
        waiting = asyncio.create_task(anext(stream))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        parts[0].say("one")

        assert ["one"] == await taken(stream, 1)


async def test_after_the_exit_it_ends(parts):
    async with joined(parts) as stream:
        pass

    with pytest.raises(StopAsyncIteration):
        await anext(stream)
