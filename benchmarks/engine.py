"""Orders per second through the paper engine, and what an order at rest weighs.

    python benchmarks/engine.py [--orders 5000] [--repeats 5]

Market orders fill at once, turn by turn bought and sold: each is accepted, filled, booked, and told
with its position and account. Limit orders rest on a hundred prices and are canceled one by one; a
limit and its cancel count as one order there. The mix is half market orders, half limits of which
every second is canceled. Requests are made before the clock starts.

The control makes what no engine can do without: the request, checked, and one order, checked. Rates
are medians of the repeats, engine and control taken in turns, by the process's own time, so that a
busy machine shows less; memory is what tracemalloc sees for each order while it rests and after it
has ended.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time
import tracemalloc
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from dragoman.models import Order, OrderRequest, OrderStatus, OrderType, Side, TimeInForce
from dragoman.paper.engine import Engine
from dragoman.paper.market.feed import MarketTick
from dragoman.paper.market.scripted import ScriptedFeed
from dragoman.paper.settings import AccountSettings, VenueSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Run: TypeAlias = "tuple[Callable[[], None], Callable[[], bool]]"
"""What is timed, and whether it did what it should."""

START_NS = 1_767_796_200_000_000_000
ACCOUNT = "paper-1"
SYMBOL = "AAPL"
PRICES = tuple(Decimal(15_000 + cents) / 100 for cents in range(100))
TEN = Decimal(10)
MANY = Decimal(10) ** 9


def make_engine() -> Engine:
    """Return a venue with one deep market and an account that can afford anything."""
    tick = MarketTick(START_NS, SYMBOL, Decimal("189.99"), MANY, Decimal("190.01"), MANY)
    account = AccountSettings(account_id=ACCOUNT, cash=MANY * 1000)
    settings = VenueSettings(accounts=(account,), max_open_orders=10**9)
    return Engine(settings, feed=ScriptedFeed([tick]), start_ns=START_NS)


def market(number: int) -> OrderRequest:
    """Return a market order; every other one sells."""
    return OrderRequest.market(
        SYMBOL,
        Side.SELL if number % 2 else Side.BUY,
        TEN,
        client_order_id=f"market-{number}",
        account_id=ACCOUNT,
    )


def limit(number: int) -> OrderRequest:
    """Return a limit order that rests."""
    return OrderRequest.limit(
        SYMBOL,
        Side.BUY,
        TEN,
        PRICES[number % len(PRICES)],
        client_order_id=f"limit-{number}",
        account_id=ACCOUNT,
    )


def run_market(count: int) -> Run:
    """Return a run of market orders."""
    engine, requests = make_engine(), [market(number) for number in range(count)]

    def run() -> None:
        for request in requests:
            engine.submit(request)

    return run, lambda: count == len(engine.fills(ACCOUNT))


def run_limit(count: int) -> Run:
    """Return a run of limits that rest and are canceled."""
    engine, requests = make_engine(), [limit(number) for number in range(count)]

    def run() -> None:
        for request in requests:
            engine.submit(request)
        cancel_each(engine, requests)

    return run, lambda: count == sum(order.status == "CANCELED" for order in engine.orders(ACCOUNT))


def cancel_each(engine: Engine, requests: Sequence[OrderRequest]) -> None:
    """Cancel orders one by one."""
    for request in requests:
        engine.cancel(ACCOUNT, request.client_order_id or "")


def run_mixed(count: int) -> Run:
    """Return a run of market orders and limits, every second of which is canceled at once."""
    engine = make_engine()
    requests = [market(number) if number % 2 else limit(number) for number in range(count)]

    def run() -> None:
        for number, request in enumerate(requests):
            engine.submit(request)
            if number % 4 == 0:
                engine.cancel(ACCOUNT, request.client_order_id or "")

    return run, lambda: count // 4 == len(engine.open_orders(ACCOUNT))


def run_control(count: int) -> Run:
    """Return a run that makes a request and one order, and nothing else."""

    def run() -> None:
        for number in range(count):
            request = limit(number)
            Order(
                client_order_id=request.client_order_id or "",
                account_id=ACCOUNT,
                symbol=request.symbol,
                side=request.side,
                order_type=OrderType.LIMIT,
                status=OrderStatus.OPEN,
                provider="mock",
                received_at_ns=START_NS,
                quantity=request.quantity,
                limit_price=request.limit_price,
                time_in_force=TimeInForce.DAY,
                venue_order_ids=("1",),
            )

    return run, lambda: True


RUNS = {
    "control": run_control,
    "market": run_market,
    "limit + cancel": run_limit,
    "mixed": run_mixed,
}


def rate(make: Callable[[int], Run], count: int) -> float:
    """Return how many orders one run does in a second."""
    run, has_done_all = make(count)
    gc.collect()
    start_ns = time.process_time_ns()
    run()
    taken_ns = time.process_time_ns() - start_ns
    assert has_done_all()
    return count * 1e9 / taken_ns


def memory(count: int) -> tuple[float, float]:
    """Return the bytes of an order at rest, and of one that has ended, its request not counted."""
    engine, requests = make_engine(), [limit(number) for number in range(count)]
    gc.collect()
    tracemalloc.start()
    for request in requests:
        engine.submit(request)
    gc.collect()
    resting, _ = tracemalloc.get_traced_memory()
    cancel_each(engine, requests)
    gc.collect()
    ended, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return resting / count, ended / count


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Orders per second through the paper engine.")
    parser.add_argument("--orders", type=int, default=5_000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_known_args()[0]
    rates: dict[str, list[float]] = {name: [] for name in RUNS}
    for _ in range(options.repeats):
        for name, make in RUNS.items():
            rates[name].append(rate(make, options.orders))
    control = statistics.median(rates["control"])
    for name, found in rates.items():
        middle = statistics.median(found)
        print(f"{name:>15}: {middle:9,.0f} orders/s, {control / middle:5.2f} times the control")
    resting, ended = memory(options.orders)
    print(f"{'memory':>15}: {resting:9,.0f} bytes at rest, {ended:5,.0f} after the end")


if __name__ == "__main__":
    main()
