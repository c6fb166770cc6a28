"""One submit over a socket, whole: broker, journal, limits, client, mapping. And a bare POST.

    python -m benchmarks submit [--orders 200] [--rounds 41]

The control is aiohttp's `session.post(...)` of the same bytes and `read()`: no check, no decoding,
no memory of the order. `adapter alone` is what the venue's adapter does without a broker: limits,
signing, client, decoding. All are taken in turns against one venue in another process, which
answers at once, in short rounds that begin with another one each time, so that what else the
machine does falls on all alike. Wall time and CPU of this process are medians over the rounds, and
so are the ratios to the control of the same round. `one connection` says how many orders a second
one broker sends, each waiting for the last.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import msgspec

from benchmarks._echo_venue import echo_venue
from benchmarks.broker import ACCOUNT, LOOSE, Instant, no_other
from dragoman import Order, OrderRequest, OrderStatus, SeededIds, Side, SystemClock
from dragoman.adapter import AdapterContext, Environment
from dragoman.broker import Broker
from dragoman.credentials import Credentials
from dragoman.orders.halt import HaltSwitch
from dragoman.orders.journal import open_journal
from dragoman.resilience.pools import Pool, Window
from dragoman.resilience.ratelimit import RateLimiter
from dragoman.session import AccountSession
from dragoman.transport.base import Lane
from dragoman.transport.client import HttpClient
from dragoman.transport.codec import Amount, JsonDecoder, encode
from dragoman.transport.endpoint import Endpoint
from dragoman.transport.signing import KeyHeaders
from dragoman.transport.verdict import Verdicts

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

Send = Callable[[str], Awaitable[object]]
Figures = tuple[float, float]

KEY = "key"
SUBMIT = Endpoint(
    name="submit", method="POST", path="/orders", lane=Lane.ORDER, weights={"orders": 1}
)
POOL = Pool("orders", (Window(1_000_000, 1.0), Window(10_000_000, 60.0)))


class OrderRow(msgspec.Struct):
    """What the venue says of an order."""

    id: str
    status: str
    client_order_id: str
    symbol: str
    side: str
    quantity: Amount
    limit_price: Amount


READ = JsonDecoder(OrderRow)


class Posting(Instant):
    """An adapter that does what an adapter does: build, sign, pace, send, decode, map."""

    def __init__(self, context: AdapterContext, base: str) -> None:
        super().__init__(context)
        self._transport = context.make_transport()
        self._client = HttpClient(
            self._transport,
            {"rest": base},
            verdicts=Verdicts(provider="mock", clock=context.clock),
            clock=context.clock,
            random=context.random,
            signer=KeyHeaders(context.credentials, {"x-key": KEY}),
            limiter=RateLimiter((POOL,), context.clock),
        )

    async def submit(self, request: OrderRequest) -> Order:
        """Post the order and read what the venue made of it."""
        response = await self._client.call(SUBMIT, body=encode(content(request)))
        row = READ.decode(response.body)
        return Order(
            client_order_id=row.client_order_id,
            account_id=ACCOUNT,
            symbol=row.symbol,
            side=Side(row.side),
            order_type=request.order_type,
            status=OrderStatus(row.status.upper()),
            quantity=row.quantity,
            limit_price=row.limit_price,
            venue_order_ids=(row.id,),
            provider="mock",
            received_at_ns=self.context.clock.now_ns(),
        )

    async def aclose(self) -> None:
        """Close the connections as well."""
        await super().aclose()
        await self._transport.aclose()


def content(request: OrderRequest) -> dict[str, str]:
    """Word an order for the venue."""
    return {
        "client_order_id": request.client_order_id or "",
        "symbol": request.symbol,
        "side": request.side.value,
        "quantity": str(request.quantity),
        "limit_price": str(request.limit_price),
    }


def order(name: str) -> OrderRequest:
    """Make an order that rests."""
    return OrderRequest.limit("AAPL", Side.BUY, 1, Decimal("1.00"), client_order_id=name)


@contextlib.asynccontextmanager
async def bare(base: str) -> AsyncGenerator[Send, None]:
    """Post with aiohttp alone."""
    headers = {"x-key": "secret", "Content-Type": "application/json"}
    async with aiohttp.ClientSession() as session:

        async def send(name: str) -> object:
            body = encode(content(order(name)))
            async with session.post(f"{base}/orders", data=body, headers=headers) as response:
                return await response.read()

        yield send


def account_context() -> AdapterContext:
    """Return what the adapter needs."""
    return AdapterContext(
        provider="mock",
        environment=Environment.SIMULATED,
        account_id=ACCOUNT,
        clock=SystemClock(),
        ids=SeededIds(),
        credentials=Credentials({KEY: "secret"}),
    )


@contextlib.asynccontextmanager
async def through_adapter(base: str) -> AsyncGenerator[Send, None]:
    """Submit through the adapter alone."""
    adapter = Posting(account_context(), base)
    await adapter.open()

    async def send(name: str) -> object:
        return await adapter.submit(order(name))

    yield send
    await adapter.aclose()


@contextlib.asynccontextmanager
async def through_broker(base: str, state_dir: Path | None) -> AsyncGenerator[Send, None]:
    """Submit through a broker, with a journal in memory or on disk."""
    context = account_context()
    adapter = Posting(context, base)
    await adapter.open()
    journal = open_journal("mock", ACCOUNT, state_dir, now_ns=context.clock.now_ns())
    session = AccountSession(adapter, ACCOUNT, journal, HaltSwitch())
    await session.open()
    async with Broker(
        session, limits=LOOSE, timeout_s=10, read_only=False, open_account=no_other
    ) as broker:
        await broker.instrument("AAPL")

        async def send(name: str) -> object:
            return await broker.submit(order(name))

        yield send


async def timed(send: Send, names: list[str]) -> Figures:
    """Return wall and CPU microseconds for each of some orders, sent one after the other."""
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    for name in names:
        await send(name)
    each = 1e6 / len(names)
    return (time.perf_counter() - wall) * each, (time.process_time() - cpu) * each


async def measure(base: str, folder: Path, orders: int, rounds: int) -> dict[str, list[Figures]]:
    """Take all in turns; the first round only warms up."""
    async with (
        bare(base) as control,
        through_adapter(base) as alone,
        through_broker(base, None) as in_memory,
        through_broker(base, folder) as on_disk,
    ):
        senders = {
            "bare POST": control,
            "adapter alone": alone,
            "journal in memory": in_memory,
            "journal on disk": on_disk,
        }
        found: dict[str, list[Figures]] = {name: [] for name in senders}
        for number in range(rounds + 1):
            names = [f"{number}-{one}" for one in range(orders)]
            for turn in range(len(senders)):
                name = [*senders][(number + turn) % len(senders)]
                figures = await timed(senders[name], names)
                if number:
                    found[name].append(figures)
    return found


def row(name: str, figures: list[Figures], control: list[Figures]) -> str:
    """Write medians, and medians of the ratios within each round."""
    wall, cpu = (statistics.median(column) for column in zip(*figures, strict=True))
    wall_ratio, cpu_ratio = (
        statistics.median(
            one[index] / other[index] for one, other in zip(figures, control, strict=True)
        )
        for index in (0, 1)
    )
    figures_said = f"{wall:>8.1f} {wall_ratio:>7.2f} {cpu:>8.1f} {cpu_ratio:>7.2f}"
    return f"{name:>18} {figures_said} {1e6 / wall:>10,.0f}"


def main() -> None:
    """Print a row for each way."""
    parser = argparse.ArgumentParser(description="Measure submits over a socket.")
    parser.add_argument("--orders", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=41)
    arguments = parser.parse_args([] if __name__ != "__main__" else None)
    with echo_venue() as base, tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(measure(base, Path(folder), arguments.orders, arguments.rounds))
    columns = f"{'wall us':>8} {'ratio':>7} {'CPU us':>8} {'ratio':>7} {'orders/s':>10}"
    print(f"{'one connection':>18} {columns}")
    for name, figures in found.items():
        print(row(name, figures, found["bare POST"]))


if __name__ == "__main__":
    main()
