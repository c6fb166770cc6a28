"""The gateway next to a bare aiohttp server, in the same run.

    python -m benchmarks.gateway [--clients 500] [--repeats 3] [--seconds 2] [--only stream]

Three servers, each a process of its own: aiohttp alone, and two whole gateways over the mock venue,
one with our native protocol and one with Tektii's. This process is all the clients. For a stream
fanned out to many clients, and for GETs of the account, it looks for the highest rate at which the
bare server keeps its p99 under 10 ms, then measures all of them in turns at 60 % of that. A p99 is
the median of its rounds, a ratio the median of the ratios within each round. CPU is what the server
process used for one request, or one frame to one client. Then one client stops reading while the
others go on, and the server's memory is told before and after. POSTs of orders are measured at a
rate of their own and have no target: the gateway takes a whole order to a venue and follows it
there, the bare handler puts it into a dict.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks._gateway_clients import call_at, followers, ordering, reading

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from benchmarks._gateway_clients import Follower

    Measure = Callable[[str, float, float], Awaitable["Sample"]]

LIMIT_MS = 10.0
SHARE = 0.6
TARGET = 2.0
PROBE_S = 1.0
GRACE_S = 5.0
GATEWAYS = ("native", "tektii")
KINDS = ("bare", *GATEWAYS)


class Sample(NamedTuple):
    """One measurement: a p99, and what the server used for each answer."""

    p99_ms: float
    cpu_us: float


class Server:
    """A server in another process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        self.port = int(process.stdout.readline())

    async def tell(self, rate: float, seconds: float) -> None:
        """Have messages told at a rate; returns when all are."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([rate, seconds]) + "\n")
        self.process.stdin.flush()
        await asyncio.to_thread(self.process.stdout.readline)

    def resident_kb(self) -> int:
        """Return how much memory it has now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0])

    def cpu_us(self) -> float:
        """Return how long it has been on a processor so far."""
        tasks = Path(f"/proc/{self.process.pid}/task").iterdir()
        return sum(int((one / "schedstat").read_text().split()[0]) for one in tasks) / 1e3


@contextlib.contextmanager
def serving(kind: str) -> Iterator[Server]:
    """Run a server."""
    code = f"from benchmarks._gateway_server import main; main({kind!r})"
    command = [sys.executable, "-c", code]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield Server(process)
        finally:
            process.kill()


def p99_ms(delays: Sequence[float]) -> float:
    """Return the delay that one of a hundred exceeds, in milliseconds."""
    ranked = sorted(delays)
    return ranked[int(len(ranked) * 0.99)] * 1e3


async def fan_out(
    server: Server, clients: Sequence[Follower], rate: float, seconds: float
) -> Sample:
    """Return how a stream does at this rate; its p99 is infinite if messages did not arrive."""
    count = int(rate * seconds)
    sampled = [one for one in clients if one.is_sampled]
    for one in sampled:
        one.expect(count)
    begun = server.cpu_us()
    await server.tell(rate, seconds)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(GRACE_S):
            for one in sampled:
                await one.has_all.wait()
    cpu_us = (server.cpu_us() - begun) / (count * len(clients))
    delays = [delay / 1e9 for one in sampled for delay in one.delays]
    arrived = len(delays) == count * len(sampled)
    return Sample(p99_ms(delays) if arrived else float("inf"), cpu_us)


async def call(server: Server, make: Callable[[int], bytes], rate: float, seconds: float) -> Sample:
    """Return how requests do at this rate."""
    begun = server.cpu_us()
    delays = await call_at(server.port, rate, seconds, make)
    return Sample(p99_ms(delays), (server.cpu_us() - begun) / len(delays))


async def highest_rate(measure: Measure, first: float) -> float:
    """Return the highest rate at which the bare server keeps its p99; 0 if none was found."""

    async def keeps(rate: float) -> bool:
        good = bad = 0
        while max(good, bad) < 2:  # neither one bad moment of the machine counts, nor a good one
            is_good = (await measure("bare", rate, PROBE_S)).p99_ms < LIMIT_MS
            good, bad = good + is_good, bad + (not is_good)
        return good > bad

    best, rate = 0.0, first
    while await keeps(rate):
        best, rate = rate, 2 * rate
    step = 2.0
    for _ in range(3):
        step **= 0.5
        if best and await keeps(best * step):
            best *= step
    return best


async def compare(name: str, measure: Measure, rate: float, options: argparse.Namespace) -> bool:
    """Measure all servers in turns and tell; returns whether each ratio is within the target."""
    rounds: list[dict[str, Sample]] = [
        {kind: await measure(kind, rate, options.seconds) for kind in KINDS}
        for _ in range(options.repeats)
    ]
    print(f"{name}, {rate:,.0f}/s")
    print(f"  {'':8} {'p99 ms':>8} {'ratio':>6} {'CPU us':>8} {'ratio':>6}   p99 of each round")
    is_good = True
    for kind in KINDS:
        p99 = statistics.median(one[kind].p99_ms for one in rounds)
        cpu_us = statistics.median(one[kind].cpu_us for one in rounds)
        slower = statistics.median(one[kind].p99_ms / one["bare"].p99_ms for one in rounds)
        dearer = statistics.median(one[kind].cpu_us / one["bare"].cpu_us for one in rounds)
        each = ", ".join(f"{one[kind].p99_ms:.2f}" for one in rounds)
        print(f"  {kind:8} {p99:8.2f} {slower:6.2f} {cpu_us:8.1f} {dearer:6.2f}   {each}")
        is_good = is_good and slower <= TARGET
    sys.stdout.flush()
    return is_good


async def judge(name: str, measure: Measure, first: float, options: argparse.Namespace) -> bool:
    """Find the bare server's limit, then compare below it."""
    best = await highest_rate(measure, first)
    if not best:
        print(f"{name}: bare does not keep p99 < {LIMIT_MS:.0f} ms even at {first:,.0f}/s")
        return await compare(name, measure, first, options)
    print(f"{name}: bare keeps p99 < {LIMIT_MS:.0f} ms up to {best:,.0f}/s")
    return await compare(name, measure, SHARE * best, options)


async def measure_stream(servers: dict[str, Server], options: argparse.Namespace) -> bool:
    """Compare the fan-out, then stall one client."""
    async with contextlib.AsyncExitStack() as stack:
        clients = {
            kind: await stack.enter_async_context(
                followers(servers[kind].port, kind, options.clients)
            )
            for kind in KINDS
        }
        await asyncio.sleep(1)

        async def measure(kind: str, rate: float, seconds: float) -> Sample:
            return await fan_out(servers[kind], clients[kind], rate, seconds)

        name = f"stream to {options.clients} clients"
        is_good = await judge(name, measure, options.first_rate, options)
        for kind in GATEWAYS:
            await stall(kind, servers[kind], clients[kind], options)
    return is_good


async def stall(
    kind: str, server: Server, clients: Sequence[Follower], options: argparse.Namespace
) -> None:
    """Let one client stop reading while the others go on."""
    rate, seconds = options.first_rate, options.seconds
    before = server.resident_kb()
    calm = await fan_out(server, clients[2:], rate, seconds)
    clients[1].transport.pause_reading()  # type: ignore[attr-defined]
    stalled = await fan_out(server, clients[2:], rate, 5 * seconds)
    after = server.resident_kb()
    print(f"  {kind}: one stalled client of {len(clients)}, {rate:.0f}/s: p99 of the others")
    print(f"    {calm.p99_ms:.2f} ms before, {stalled.p99_ms:.2f} ms during;", end=" ")
    print(f"memory {before:,} -> {after:,} kB", flush=True)


async def measure_calls(servers: dict[str, Server], options: argparse.Namespace) -> bool:
    """Compare requests."""

    async def read(kind: str, rate: float, seconds: float) -> Sample:
        server = servers[kind]
        return await call(server, reading(server.port, kind), rate, seconds)

    async def order(kind: str, rate: float, seconds: float) -> Sample:
        server = servers[kind]
        return await call(server, ordering(server.port, kind), rate, seconds)

    is_good = await judge("GET the account", read, 250, options)
    await compare("POST an order (no target)", order, options.order_rate, options)
    return is_good


async def run(options: argparse.Namespace) -> bool:
    """Measure all that is asked for."""
    with contextlib.ExitStack() as stack:
        servers = {kind: stack.enter_context(serving(kind)) for kind in KINDS}
        verdicts: list[bool] = []
        if options.only in {None, "calls"}:
            verdicts.append(await measure_calls(servers, options))
        if options.only in {None, "stream"}:
            verdicts.append(await measure_stream(servers, options))
    return all(verdicts)


def main() -> None:
    """Read the options, measure, and say whether a target was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--first-rate", type=float, default=20)
    parser.add_argument("--order-rate", type=float, default=200)
    parser.add_argument("--only", choices=("stream", "calls"))
    options, _ = parser.parse_known_args()
    print("targets met" if asyncio.run(run(options)) else "a target was missed")


if __name__ == "__main__":
    main()
