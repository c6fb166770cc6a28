"""Reading years of a mock venue's past leaves the loop to others."""

import time

import pytest

from dragoman.adapter import AdapterContext, Environment
from dragoman.ids import SeededIds
from dragoman.models import Timeframe, Window
from dragoman.tasks import TaskScope
from dragoman.times import ManualClock
from dragoman_mock import MockAdapter

YEARS = Window(limit=200_000)
READS = {
    "bars": lambda adapter: adapter.fetch_bars("AAPL", Timeframe.parse("1m"), YEARS),
    "trades": lambda adapter: adapter.fetch_trades("AAPL", YEARS),
    "quotes": lambda adapter: adapter.fetch_quote_history("AAPL", YEARS),
}
pytestmark = pytest.mark.parametrize("read", READS.values(), ids=READS)


@pytest.fixture
async def adapter():
    made = MockAdapter(
        AdapterContext(
            provider="mock",
            environment=Environment.SIMULATED,
            account_id="paper-1",
            clock=ManualClock(),
            ids=SeededIds("made"),
            options={},
        )
    )
    await made.open()
    yield made
    await made.aclose()


async def test_the_first_row_comes_long_before_the_last(adapter, read):
    """Before a tenth of them, by the processor's time."""
    rows = read(adapter)
    started = time.process_time()

    await anext(rows)

    first = time.process_time() - started
    for _ in range(YEARS.limit // 10):
        await anext(rows)
    assert first < time.process_time() - started - first


async def test_other_tasks_get_turns_and_may_cancel(adapter, read):
    seen = 0

    async def consume():
        nonlocal seen
        async for _ in read(adapter):
            seen += 1

    scope = TaskScope()
    task = scope.spawn(consume(), "consume")
    clock = adapter.venue.clock
    turns = []
    while seen < 1000 and len(turns) < 100:
        await clock.sleep_until_ns(clock.now_ns())
        turns.append(seen - sum(turns))
    await scope.close()

    assert 1000 <= seen < 2000
    assert max(turns) <= 500
    assert task.cancelled()
