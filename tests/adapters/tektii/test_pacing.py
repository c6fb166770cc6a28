"""A backtest's events are acknowledged once whoever reads them has worked on them."""

import asyncio

import pytest

from dragoman import connect
from dragoman.models import Bar, ConnectionEvent, ConnectionState, Quarantined

from .gateway import ACCOUNT, BAR, ORDER, QUOTE, Gateway

PATIENCE_S = 20


@pytest.fixture
def gateway():
    return Gateway("tektii")


@pytest.fixture
async def broker(gateway):
    async with connect(
        "tektii",
        endpoints={"rest": f"http://{gateway.host}"},
        transport=gateway.transport(),
        state_dir=":memory:",
    ) as found:
        yield found


@pytest.fixture
async def acks(gateway):
    """The ids that were acknowledged, in order, as they come."""
    found = Acks(gateway)
    yield found
    await found.close()


class Acks:
    def __init__(self, gateway):
        self.ids = []
        self.frames = []
        self._gateway = gateway
        self._news = asyncio.Event()
        self._task = None

    async def until(self, *ids):
        await self.until_true(lambda: list(ids) == sorted(self.ids))

    async def until_true(self, found):
        self._task = self._task or asyncio.create_task(self._listen())
        async with asyncio.timeout(PATIENCE_S):
            while not found():
                await self._news.wait()
                self._news.clear()

    async def close(self):
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _listen(self):
        while True:
            frame = await self._gateway.next_word()
            self.frames.append(frame)
            self.ids += frame.get("events_processed", ())
            self._news.set()


async def read_next(stream, kind):
    """Read on to the next event of a kind."""
    async with asyncio.timeout(PATIENCE_S):
        while not isinstance(event := await anext(stream), kind):
            pass
    return event


async def test_what_only_the_library_reads_is_acknowledged_by_itself(broker, gateway, acks):
    await gateway.say(type="order", event="ORDER_CREATED", order=ORDER, event_id="e-1")
    await gateway.say(type="account", event="BALANCE_UPDATED", account=ACCOUNT, event_id="e-2")

    await acks.until("e-1", "e-2")

    assert ["o-1"] == [one.venue_order_id for one in broker.state.open_orders]


async def test_an_acknowledgment_says_what_the_protocol_wants(broker, gateway, acks):
    await gateway.say(type="order", event="ORDER_CREATED", order=ORDER, event_id="e-1")
    await acks.until("e-1")

    (frame,) = acks.frames
    assert ("event_ack", ["e-1"], str, int) == (
        frame["type"],
        frame["events_processed"],
        type(frame["correlation_id"]),
        type(frame["timestamp"]),
    )


async def test_a_bar_is_acknowledged_when_its_reader_asks_for_more(broker, gateway, acks):
    async with broker.stream(bars=[("AAPL", "1m")]) as stream:
        reader = aiter(stream)
        await gateway.say(type="candle", bar=BAR, event_id="e-1")
        await read_next(reader, Bar)
        await gateway.say(type="ping")
        await acks.until_true(lambda: {"type": "pong"} in acks.frames)
        assert [] == acks.ids

        more = asyncio.create_task(read_next(reader, Bar))
        await acks.until("e-1")
        more.cancel()
        await asyncio.gather(more, return_exceptions=True)


async def test_a_loop_over_a_stream_acknowledges_bar_by_bar(broker, gateway, acks):
    seen = []

    async def strategy():
        async with broker.stream(bars=[("AAPL", "1m")]) as stream:
            started.set()
            async for event in stream:
                if isinstance(event, Bar):
                    seen.append((event.open_time_ns, tuple(acks.ids)))
                    if len(seen) == 2:
                        return

    started = asyncio.Event()
    running = asyncio.create_task(strategy())
    async with asyncio.timeout(PATIENCE_S):
        await started.wait()
    await gateway.say(type="candle", bar=BAR, event_id="e-1")
    await acks.until("e-1")
    later = BAR | {"timestamp": "2026-01-07T14:31:00Z"}
    await gateway.say(type="candle", bar=later, event_id="e-2")
    await acks.until("e-1", "e-2")
    async with asyncio.timeout(PATIENCE_S):
        await running

    assert [(), ("e-1",)] == [ids for _, ids in seen]


async def test_a_reader_that_leaves_holds_nothing_back(broker, gateway, acks):
    async with broker.stream(quotes="AAPL") as stream:
        await gateway.say(type="quote", quote=QUOTE, event_id="e-1")
        async for event in stream:
            if not isinstance(event, ConnectionEvent):
                break

    await acks.until("e-1")


async def test_who_acknowledges_by_hand_is_not_waited_for(broker, gateway, acks):
    async with broker.stream(quotes="AAPL") as stream:
        reader = aiter(stream)
        await gateway.say(type="quote", quote=QUOTE, event_id="e-1")
        async for event in reader:
            if not isinstance(event, ConnectionEvent):
                await broker.acknowledge(["e-1"])
                break

        await acks.until("e-1")


async def test_what_can_not_be_read_is_acknowledged_too(broker, gateway, acks):
    async with broker.stream() as stream:
        await gateway.say(type="candle", bar={"symbol": 1}, event_id="e-1")
        await read_next(aiter(stream), Quarantined)

    await acks.until("e-1")


async def test_the_end_of_a_backtest_ends_every_loop_and_nothing_is_connected_again(
    broker, gateway
):
    private = [event async for event in read_to_its_end(broker, gateway)]

    assert ConnectionState.ENDED in {
        event.state for event in private if isinstance(event, ConnectionEvent)
    }
    assert 1 == len(gateway.wires)


async def read_to_its_end(broker, gateway):
    async with broker.stream(orders=True, quotes="AAPL") as stream:
        await gateway.say(type="backtest_complete", event_id="e-9")
        async with asyncio.timeout(PATIENCE_S):
            async for event in stream:
                yield event


async def test_events_are_acknowledged_as_they_come_where_that_is_wanted(gateway, acks):
    connection = connect(
        "tektii",
        endpoints={"rest": f"http://{gateway.host}"},
        transport=gateway.transport(),
        state_dir=":memory:",
        acknowledge="received",
    )
    async with connection as broker, broker.stream(quotes="AAPL"):
        await gateway.say(type="quote", quote=QUOTE, event_id="e-1")

        await acks.until("e-1")
