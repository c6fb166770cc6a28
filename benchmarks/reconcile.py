"""Bringing an account with many open orders into step with its venue.

    python -m benchmarks reconcile [--orders 10000] [--repeats 5]

The venue answers at once from memory, so the time is the library's. `connect` takes every order in
for the first time, an adoption told and journalled each; `again` compares when nothing has changed,
as the timer does; `restart` takes them up from a journal and compares. `gone` finds half of them
ended meanwhile. The control builds as many orders and does nothing else.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import statistics
import tempfile
import time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from benchmarks.broker import ACCOUNT, Instant, context
from dragoman import Order, OrderStatus, OrderType, Side
from dragoman.orders.halt import HaltSwitch
from dragoman.orders.journal import open_journal
from dragoman.session import AccountSession

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from dragoman.models import Window

WAYS = ("control", "connect", "again", "gone", "restart")


def resting(count: int) -> tuple[Order, ...]:
    """Return the orders that the venue shows."""
    return tuple(
        Order(
            client_order_id=f"order-{number}",
            account_id=ACCOUNT,
            symbol="AAPL",
            side=Side.BUY,
            order_type=OrderType.LIMIT,
            status=OrderStatus.OPEN,
            quantity=Decimal(1),
            limit_price=Decimal("1.00"),
            venue_order_ids=(f"v-{number}",),
            provider="mock",
            received_at_ns=1,
            created_at_ns=1,
            updated_at_ns=1,
        )
        for number in range(count)
    )


class Crowded(Instant):
    """An account full of open orders."""

    shown: tuple[Order, ...] = ()
    ended: tuple[Order, ...] = ()

    async def fetch_open_orders(
        self, account_id: str, symbol: str | None = None
    ) -> tuple[Order, ...]:
        """Return the open orders."""
        del account_id, symbol
        return self.shown

    async def fetch_orders(
        self, account_id: str, window: Window, symbol: str | None = None
    ) -> AsyncIterator[Order]:
        """Yield the orders that have ended."""
        del account_id, window, symbol
        for order in self.ended:
            yield order


@contextlib.asynccontextmanager
async def account(orders: tuple[Order, ...], folder: Path | None) -> AsyncGenerator[AccountSession]:
    """Open the account."""
    adapter = Crowded(context(ACCOUNT))
    adapter.shown = orders
    await adapter.open()
    journal = open_journal("mock", ACCOUNT, folder, now_ns=adapter.context.clock.now_ns())
    session = AccountSession(adapter, ACCOUNT, journal, HaltSwitch())
    await session.open()
    try:
        yield session
    finally:
        await session.aclose()
        await adapter.aclose()


async def measure(count: int, folder: Path | None) -> list[float]:
    """Return the seconds of each way."""
    seconds: list[float] = []

    def lap() -> None:
        nonlocal began
        now = time.perf_counter()
        seconds.append(now - began)
        gc.collect()
        began = time.perf_counter()

    gc.collect()
    began = time.perf_counter()
    orders = resting(count)
    lap()
    async with account(orders, folder) as session:
        lap()
        await session.reconcile()
        lap()
        adapter = session.adapter
        assert isinstance(adapter, Crowded)
        half = orders[: count // 2]
        adapter.shown = orders[count // 2 :]
        adapter.ended = tuple([attrs.evolve(one, status=OrderStatus.CANCELED) for one in half])
        began = time.perf_counter()
        await session.reconcile()
        lap()
        assert len(session.tracker.open_orders()) == count - count // 2
    began = time.perf_counter()
    async with account(orders[count // 2 :], folder):
        lap()
    return seconds


def main() -> None:
    """Print a row for each way, with the journal in memory and on disk."""
    parser = argparse.ArgumentParser(description="Measure comparisons with many open orders.")
    parser.add_argument("--orders", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args([] if __name__ != "__main__" else None)
    for name, is_on_disk in (("memory", False), ("disk", True)):
        runs: list[list[float]] = []
        for _ in range(arguments.repeats):
            with tempfile.TemporaryDirectory() as folder:
                place = Path(folder) if is_on_disk else None
                runs.append(asyncio.run(measure(arguments.orders, place)))
        medians = (statistics.median(column) for column in zip(*runs, strict=True))
        row = "  ".join(f"{way} {value:.2f} s" for way, value in zip(WAYS, medians, strict=True))
        print(f"{arguments.orders:,} open orders, journal in {name}: {row}")


if __name__ == "__main__":
    main()
