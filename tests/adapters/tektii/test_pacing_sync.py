"""A backtest waits for the threads of strategies that know no event loop, too."""

import asyncio
import threading

from dragoman import connect
from dragoman.models import Bar
from dragoman.sync.line import Line

from .gateway import BAR, Gateway


class Service:
    """What a line needs of the loop that feeds it."""

    def __init__(self):
        self._loop = asyncio.get_running_loop()

    def check_caller(self):
        pass

    def hold_at_exit(self):
        pass

    def soon(self, work):
        self._loop.call_soon_threadsafe(work)


async def test_what_a_thread_has_in_hand_is_waited_for():
    line = Line(Service(), 10)
    taken, go_on = threading.Event(), threading.Event()

    def work():
        line.take(1)
        taken.set()
        go_on.wait(20)
        line.take(1)

    thread = threading.Thread(target=work)
    await line.put(["event"])
    waiting = asyncio.ensure_future(line.worked_on())
    thread.start()
    await asyncio.to_thread(taken.wait, 20)

    assert not line.is_worked_on
    assert not waiting.done()

    go_on.set()
    await asyncio.wait_for(waiting, 20)
    line.end()
    await asyncio.to_thread(thread.join, 20)


async def test_a_line_that_ends_is_not_waited_for():
    line = Line(Service(), 10)
    await line.put(["event"])
    waiting = asyncio.ensure_future(line.worked_on())
    await asyncio.sleep(0)

    line.close()

    await asyncio.wait_for(waiting, 20)


async def test_who_hands_events_on_is_done_when_the_next_one_is():
    gateway = Gateway("tektii")
    connection = connect(
        "tektii",
        endpoints={"rest": f"http://{gateway.host}"},
        transport=gateway.transport(),
        state_dir=":memory:",
    )
    line = Line(Service(), 10)
    async with connection as broker, broker.stream(bars=[("AAPL", "1m")]) as stream:
        stream.hand_on(line)
        await gateway.say(type="candle", bar=BAR, event_id="e-1")
        async with asyncio.timeout(20):
            async for event in stream:
                await line.put([event])
                if isinstance(event, Bar):
                    break
        assert not line.is_worked_on
    line.end()
