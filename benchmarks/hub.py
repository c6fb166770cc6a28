"""Events per second through the hub, next to a bare hand-off through a deque in the same run.

    python benchmarks/hub.py [--events 100000] [--repeats 5]

Two shapes of upstream: quotes one by one, and in batches of 100, over 50 symbols; 1, 10 and 200
readers of all symbols; each reads event by event or batch by batch. The control is the least that
any hand-off does: one deque and one future for each reader, nothing else. Each figure is the
median of its repeats, control and hub taken in turns; `deliveries/s` is events times readers. A
reader that lost anything fails the run.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import statistics
import time
from collections import deque
from decimal import Decimal
from typing import TYPE_CHECKING

from dragoman.models import ConnectionEvent, ConnectionState, Quote, Subscription
from dragoman.ports import EventPort
from dragoman.streaming import Hub
from dragoman.tasks import TaskScope
from dragoman.times import SystemClock

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        AsyncIterator,
        Callable,
        Coroutine,
        Iterator,
        Sequence,
    )
    from typing import Any

    from dragoman.models.events import Event, PrivateEvent
    from dragoman.streaming import EventStream

SYMBOLS = tuple(f"S{number}" for number in range(50))
ENDED = ConnectionEvent(state=ConnectionState.ENDED, channel="market", received_at_ns=0)
TURN = 256


class EmptyLog:
    """A journal without private events."""

    last_sequence = 0

    def since(self, sequence: int, limit: int) -> Sequence[PrivateEvent]:
        """Return nothing: there is nothing."""
        del sequence, limit
        return ()


class Tape(EventPort):
    """Says the same batches to its one subscriber once told to go."""

    def __init__(self, batches: Sequence[Sequence[Event]]) -> None:
        self.go = asyncio.Event()
        self._batches = batches

    @contextlib.asynccontextmanager
    async def stream(
        self, subscription: Subscription
    ) -> AsyncGenerator[AsyncIterator[Sequence[Event]]]:
        """Open the tape; it plays when `go` is set."""
        del subscription
        yield self._play()

    async def _play(self) -> AsyncIterator[Sequence[Event]]:
        await self.go.wait()
        for batch in self._batches:
            yield batch
        yield (ENDED,)


async def through_hub(
    batches: Sequence[Sequence[Event]], readers: int, *, is_batched: bool
) -> float:
    """Return the seconds until every reader has had every event."""
    tape, scope = Tape(batches), TaskScope()
    hub = Hub(tape, EmptyLog(), scope, SystemClock())
    wanted = Subscription(quotes=SYMBOLS)
    read = read_batches if is_batched else read_singly
    async with contextlib.AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(hub.stream(wanted)) for _ in range(readers)]
        tasks = [scope.spawn(read(stream), "reader") for stream in streams]
        elapsed = await measure(tape.go.set, tasks, sum(map(len, batches)) + 1)
        assert not any(stream.lost for stream in streams)
    await hub.aclose()
    await scope.close()
    return elapsed


async def read_singly(stream: EventStream) -> int:
    """Count the events of a stream one by one."""
    count = 0
    async for _ in stream:
        count += 1
    return count


async def read_batches(stream: EventStream) -> int:
    """Count the events of a stream batch by batch."""
    count = 0
    async for batch in stream.batches():
        count += len(batch)
    return count


class Bare:
    """The least there can be between two tasks: a deque, and a future while it is empty."""

    def __init__(self) -> None:
        self.line: deque[Event] = deque()
        self.waiter: asyncio.Future[None] | None = None
        self.is_ended = False

    def push(self, batch: Sequence[Event]) -> None:
        """Hand a batch over."""
        self.line.extend(batch)
        if self.waiter is not None:
            self.waiter.set_result(None)
            self.waiter = None

    async def wait(self) -> bool:
        """Wait for events; False when none will come."""
        if self.is_ended:
            return False
        self.waiter = asyncio.get_running_loop().create_future()
        await self.waiter
        return True

    async def read_singly(self) -> int:
        """Count the events one by one."""
        count = 0
        while self.line or await self.wait():
            while self.line:
                self.line.popleft()
                count += 1
        return count

    async def read_batches(self) -> int:
        """Count the events batch by batch."""
        count = 0
        while self.line or await self.wait():
            batch = tuple(self.line)
            self.line.clear()
            count += len(batch)
        return count


async def through_deque(
    batches: Sequence[Sequence[Event]], readers: int, *, is_batched: bool
) -> float:
    """Return the seconds that the control takes for the same."""
    bare, scope, go = [Bare() for _ in range(readers)], TaskScope(), asyncio.Event()

    async def write() -> int:
        await go.wait()
        written = 0
        for batch in batches:
            for one in bare:
                one.push(batch)
            written += len(batch)
            if written % TURN < len(batch):
                await asyncio.sleep(0)
        for one in bare:
            one.is_ended = True
            one.push((ENDED,))
        return written + 1

    reads = [one.read_batches() if is_batched else one.read_singly() for one in bare]
    tasks = [scope.spawn(work, "control") for work in (*reads, write())]
    elapsed = await measure(go.set, tasks, sum(map(len, batches)) + 1)
    await scope.close()
    return elapsed


async def measure(
    start: Callable[[], None], tasks: Sequence[asyncio.Task[int]], expected: int
) -> float:
    """Return the seconds that the tasks take from the start; each must count what is expected."""
    await asyncio.sleep(0.01)
    gc.collect()
    began = time.perf_counter()
    start()
    counts = await asyncio.gather(*tasks)
    elapsed = time.perf_counter() - began
    assert set(counts) == {expected}, f"expected {expected} events, found {sorted(set(counts))}"
    return elapsed


def quotes(count: int) -> list[Event]:
    """Make quotes over all symbols in turns."""
    price = Decimal("187.25")
    return [
        Quote(
            symbol=SYMBOLS[number % len(SYMBOLS)],
            bid_price=price,
            ask_price=price,
            provider="bench",
            received_at_ns=number,
        )
        for number in range(count)
    ]


def cut(events: Sequence[Event], size: int) -> list[Sequence[Event]]:
    """Cut events into batches."""
    return [tuple(events[start : start + size]) for start in range(0, len(events), size)]


def medians(repeats: int, *makers: Callable[[], Coroutine[Any, Any, float]]) -> Iterator[float]:
    """Run all makers in turns and yield the median of each; the first round only warms up."""
    rounds = [[asyncio.run(make()) for make in makers] for _ in range(repeats + 1)][1:]
    return (statistics.median(column) for column in zip(*rounds, strict=True))


def main() -> None:
    """Print one row for each shape of upstream, number of readers and way of reading."""
    parser = argparse.ArgumentParser(description="Measure the hub next to a bare deque.")
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    print(
        f"{'upstream':>8} {'readers':>7} {'reads':>6} {'events':>7} {'events/s':>10} "
        f"{'deliveries/s':>12} {'control':>12} {'ratio':>6}"
    )
    for readers in (1, 10, 200):
        count = max(1_000, arguments.events // readers)
        for size in (1, 100):
            batches = cut(quotes(count), size)
            for is_batched in (False, True):
                row = (batches, readers, is_batched)
                hub_s, bare_s = medians(
                    arguments.repeats, *(_bound(run, *row) for run in (through_hub, through_deque))
                )
                way = "batch" if is_batched else "single"
                print(
                    f"{size:>8} {readers:>7} {way:>6} {count:>7} {count / hub_s:>10,.0f} "
                    f"{count * readers / hub_s:>12,.0f} {count * readers / bare_s:>12,.0f} "
                    f"{hub_s / bare_s:>6.2f}"
                )


def _bound(
    run: Callable[..., Coroutine[Any, Any, float]],
    batches: Sequence[Sequence[Event]],
    readers: int,
    is_batched: bool,  # noqa: FBT001 - bound here, named at the call
) -> Callable[[], Coroutine[Any, Any, float]]:
    return lambda: run(batches, readers, is_batched=is_batched)


if __name__ == "__main__":
    main()
