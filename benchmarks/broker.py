"""Submits per second through a broker, next to the adapter called directly in the same run.

    python benchmarks/broker.py [--orders 2000] [--repeats 7] [--many 100000]

Two venues: an adapter that answers at once from memory, so that the difference to calling it
directly is the library alone (validation, capability checks, journal, tracking, events); and the
mock venue on a clock that stands still. Each figure is the median of its repeats, control and
broker taken in turns. Bytes are what one order still holds after its answer, journal included.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import statistics
import time
import tracemalloc
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs

import dragoman
from dragoman import ManualClock, OrderRequest, OrderStatus, SeededIds, Side
from dragoman.adapter import AdapterContext, Environment
from dragoman.broker import Broker
from dragoman.models import Account
from dragoman.orders.halt import HaltSwitch
from dragoman.orders.journal import MemoryJournal
from dragoman.orders.limits import RiskLimits
from dragoman.orders.tracker import pending_order
from dragoman.session import AccountSession
from dragoman_mock.adapter import MockAdapter

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence

    from dragoman import Order
    from dragoman.models import Event, Fill, Position, Subscription, Window

ACCOUNT = "bench"
LOOSE = RiskLimits()
TIGHT = RiskLimits(max_open_orders=10**9, max_orders_per_minute=10**9)


class Instant(MockAdapter):
    """The mock's catalogue, and answers at once from memory."""

    async def submit(self, request: OrderRequest) -> Order:
        """Take every order."""
        now_ns = self.context.clock.now_ns()
        made = pending_order(request, account_id=ACCOUNT, provider="mock", at_ns=now_ns)
        return attrs.evolve(
            made,
            status=OrderStatus.OPEN,
            venue_order_ids=(f"v-{request.client_order_id}",),
            created_at_ns=now_ns,
            updated_at_ns=now_ns,
        )

    async def fetch_account(self, account_id: str) -> Account:
        """Return an account."""
        return Account(account_id=account_id, provider="mock", received_at_ns=0)

    async def fetch_open_orders(
        self, account_id: str, symbol: str | None = None
    ) -> tuple[Order, ...]:
        """Return nothing."""
        del account_id, symbol
        return ()

    async def fetch_positions(
        self, account_id: str, symbol: str | None = None
    ) -> tuple[Position, ...]:
        """Return nothing."""
        del account_id, symbol
        return ()

    async def fetch_fills(
        self, account_id: str, window: Window, symbol: str | None = None
    ) -> AsyncIterator[Fill]:
        """Yield nothing."""
        del account_id, window, symbol
        nothing: tuple[Fill, ...] = ()
        for fill in nothing:
            yield fill

    @contextlib.asynccontextmanager
    async def stream(
        self, subscription: Subscription
    ) -> AsyncGenerator[AsyncIterator[Sequence[Event]], None]:
        """Open a stream that says nothing."""
        del subscription
        yield silence()


async def silence() -> AsyncIterator[Sequence[Event]]:
    """Say nothing, for ever."""
    await asyncio.get_running_loop().create_future()
    yield ()


def requests(count: int) -> list[OrderRequest]:
    """Make orders that rest."""
    return [
        OrderRequest.limit("AAPL", Side.BUY, 1, Decimal("1.00"), client_order_id=f"order-{number}")
        for number in range(count)
    ]


async def measure(
    orders: Sequence[OrderRequest], send: Callable[[OrderRequest], Awaitable[Order]]
) -> float:
    """Return the seconds that sending all orders one after the other takes."""
    gc.collect()
    began = time.perf_counter()
    for order in orders:
        await send(order)
    return time.perf_counter() - began


@contextlib.asynccontextmanager
async def instant(limits: RiskLimits) -> AsyncGenerator[tuple[Instant, Broker], None]:
    """Open a broker over the adapter that answers at once."""
    adapter = Instant(context(ACCOUNT))
    await adapter.open()
    session = AccountSession(adapter, ACCOUNT, MemoryJournal(), HaltSwitch())
    await session.open()
    async with Broker(
        session, limits=limits, timeout_s=10, read_only=False, open_account=no_other
    ) as broker:
        await broker.instrument("AAPL")
        yield adapter, broker


def context(account_id: str | None = None) -> AdapterContext:
    """Return what the mock's adapter needs; its clock stands still."""
    return AdapterContext(
        provider="mock",
        environment=Environment.SIMULATED,
        account_id=account_id,
        clock=ManualClock(),
        ids=SeededIds(),
    )


async def no_other(account_id: str) -> Broker:
    """Refuse to open another account."""
    raise NotImplementedError(account_id)


async def directly(count: int) -> float:
    """Return the seconds of the control: the adapter alone."""
    async with instant(LOOSE) as (adapter, _):
        return await measure(requests(count), adapter.submit)


async def through_broker(count: int, limits: RiskLimits = LOOSE) -> float:
    """Return the seconds through a broker over the adapter that answers at once."""
    async with instant(limits) as (_, broker):
        return await measure(requests(count), broker.submit)


async def side_by_side(count: int) -> float:
    """Return the seconds of all orders sent at once."""
    async with instant(LOOSE) as (_, broker):
        orders = requests(count)
        gc.collect()
        began = time.perf_counter()
        await asyncio.gather(*[broker.submit(order) for order in orders])
        return time.perf_counter() - began


async def mock_directly(count: int) -> float:
    """Return the seconds of the mock venue's adapter alone."""
    adapter = MockAdapter(context())
    await adapter.open()
    (account,) = await adapter.fetch_accounts()
    orders = [attrs.evolve(one, account_id=account.account_id) for one in requests(count)]
    seconds = await measure(orders, adapter.submit)
    await adapter.aclose()
    return seconds


async def mock_through_broker(count: int) -> float:
    """Return the seconds through a broker over the mock venue."""
    async with mock() as broker:
        return await measure(requests(count), broker.submit)


@contextlib.asynccontextmanager
async def mock() -> AsyncGenerator[Broker, None]:
    """Open a broker over the mock venue, which stands still."""
    clock = ManualClock()
    async with dragoman.connect("mock", clock=clock, ids=SeededIds()) as broker:
        await clock.advance(seconds=2)
        await broker.instrument("AAPL")
        yield broker


async def bytes_per_order(count: int) -> float:
    """Return how much memory an order takes for good."""
    async with instant(LOOSE) as (_, broker):
        orders = requests(count)
        gc.collect()
        tracemalloc.start()
        for order in orders:
            await broker.submit(order)
        gc.collect()
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    return held / count


def medians(repeats: int, count: int, *runs: Callable[[int], Any]) -> list[float]:
    """Run all in turns and return the median of each; the first round only warms up."""
    rounds = [[asyncio.run(run(count)) for run in runs] for _ in range(repeats + 1)][1:]
    return [statistics.median(column) for column in zip(*rounds, strict=True)]


async def with_limits(count: int) -> float:
    """Return the seconds through a broker with limits that count."""
    return await through_broker(count, TIGHT)


def main() -> None:
    """Print a row for each venue and way of sending."""
    parser = argparse.ArgumentParser(description="Measure submits through a broker.")
    parser.add_argument("--orders", type=int, default=2_000)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--many", type=int, default=100_000)
    arguments = parser.parse_args([] if __name__ != "__main__" else None)
    count, repeats = arguments.orders, arguments.repeats
    bare, one, many = medians(repeats, count, directly, through_broker, side_by_side)
    bare_mock, mocked = medians(repeats, count, mock_directly, mock_through_broker)
    few = min(count, 500)
    (limited,) = medians(repeats, few, with_limits)
    print(
        f"{'sending':>26} {'submits/s':>10} {'us each':>8} {'control us':>10} {'overhead us':>11}"
    )
    for name, seconds, control, number in (
        ("instant, one by one", one, bare, count),
        ("instant, side by side", many, bare, count),
        (f"instant, {few} with limits", limited, bare * few / count, few),
        ("mock, one by one", mocked, bare_mock, count),
    ):
        each, least = seconds / number * 1e6, control / number * 1e6
        print(
            f"{name:>26} {number / seconds:>10,.0f} {each:>8.1f} {least:>10.1f} "
            f"{each - least:>11.1f}"
        )
    print(f"memory per tracked order: {asyncio.run(bytes_per_order(count)):,.0f} bytes")
    many = arguments.many
    print(f"memory per tracked order at {many:,}: {asyncio.run(bytes_per_order(many)):,.0f} bytes")


if __name__ == "__main__":
    main()
