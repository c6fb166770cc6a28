"""What is asked again right before the first byte: a request may have waited long to be written."""

import asyncio
import random

import pytest
from tests.patience import PatientClock

from dragoman.errors import CircuitOpenError, Outcome, RateLimitedError
from dragoman.resilience.breaker import Breaker, BreakerState
from dragoman.resilience.pools import Pool, Window
from dragoman.resilience.ratelimit import RateLimiter
from dragoman.times import SECOND_NS, ManualClock
from dragoman.transport.base import HttpResponse, Lane
from dragoman.transport.client import HttpClient
from dragoman.transport.endpoint import Auth, Endpoint
from dragoman.transport.http import AiohttpTransport
from dragoman.transport.memory import MemoryTransport
from dragoman.transport.verdict import Verdicts

from .raw_server import RawServer, response, until

ORDER = Endpoint(
    name="place order",
    method="POST",
    path="/orders",
    lane=Lane.ORDER,
    auth=Auth.NONE,
    weights={"orders": 1},
    timeout_s=60.0,
)
LIMIT = 10


class Desk:
    """A client whose requests wait for a connection until `door` is open."""

    def __init__(self, clock=None):
        self.clock = clock or ManualClock()
        self.door = asyncio.Event()
        self.written_ns = []
        self.breaker = Breaker("venue", self.clock)
        window = Window(LIMIT, 1.0, 0.1)
        self.limiter = RateLimiter([Pool("orders", (window,), 0.0)], self.clock)
        self.client = self.client_over(MemoryTransport(self.answer, connect=self.connect))

    def client_over(self, transport, base="https://venue.example"):
        return HttpClient(
            transport,
            {"rest": base},
            verdicts=Verdicts(provider="venue", clock=self.clock, breaker=self.breaker),
            clock=self.clock,
            random=random.Random(1),
            limiter=self.limiter,
        )

    async def connect(self, request):
        await self.door.wait()

    async def answer(self, request):
        self.written_ns.append(self.clock.monotonic_ns())
        return HttpResponse(status=200, body=b"{}")

    def call(self):
        return asyncio.ensure_future(self.client.call(ORDER))

    def most_within_a_second(self):
        times = self.written_ns
        return max(sum(0 <= other - time < SECOND_NS for other in times) for time in times)


async def test_f55_a_ban_that_comes_while_a_request_waits_for_a_connection_stops_it():
    desk = Desk()
    waiting = desk.call()
    await desk.clock.advance(seconds=0.1)
    desk.breaker.throttled("banned", 30.0, is_ban=True)
    desk.door.set()

    with pytest.raises(CircuitOpenError) as caught:
        await waiting

    assert (Outcome.NOT_SENT, []) == (caught.value.outcome, desk.written_ns)


async def test_f55_what_a_ban_stopped_gives_its_room_back():
    desk = Desk()
    waiting = [desk.call() for _ in range(LIMIT)]
    await desk.clock.advance(seconds=0.1)
    desk.breaker.throttled("banned", 0.05, is_ban=True)
    desk.door.set()
    await asyncio.gather(*waiting, return_exceptions=True)

    await desk.clock.advance(seconds=0.1)
    await desk.call()

    assert 1 == len(desk.written_ns)


async def test_one_look_is_enough_to_close_a_circuit_whose_time_is_over():
    desk = Desk()
    desk.door.set()
    desk.breaker.throttled("banned", 1.0, is_ban=True)
    await desk.clock.advance(seconds=1.1)

    await desk.call()

    assert BreakerState.CLOSED is desk.breaker.state


async def test_one_of_many_that_wait_for_connections_looks_whether_a_venue_is_back():
    desk = Desk()
    answered = asyncio.Event()

    async def slow(request):
        await answered.wait()
        return await desk.answer(request)

    desk.client = desk.client_over(MemoryTransport(slow, connect=desk.connect))
    desk.breaker.throttled("banned", 1.0, is_ban=True)
    await desk.clock.advance(seconds=1.1)
    waiting = [desk.call() for _ in range(3)]
    await desk.clock.advance(seconds=0.1)
    desk.door.set()
    await desk.clock.advance(seconds=0.1)
    answered.set()

    found = await asyncio.gather(*waiting, return_exceptions=True)

    assert 2 == sum(isinstance(one, CircuitOpenError) for one in found)
    assert 1 == len(desk.written_ns)


async def test_i12_requests_that_waited_for_connections_do_not_burst_over_the_limit():
    desk = Desk()
    calls = [desk.call() for _ in range(3 * LIMIT)]
    await desk.clock.advance(seconds=5)
    assert 0 == desk.limiter.waiting  # each has its grant, and waits to be written
    desk.door.set()
    for _ in range(100):
        await desk.clock.advance(seconds=0.1)

    await asyncio.gather(*calls)

    assert (3 * LIMIT, LIMIT) == (len(desk.written_ns), desk.most_within_a_second())


async def test_i12_a_use_counts_from_when_it_was_written():
    desk = Desk()
    early = [desk.call() for _ in range(LIMIT)]
    await desk.clock.advance(seconds=1.0)
    desk.door.set()
    await asyncio.gather(*early)

    late = [desk.call() for _ in range(LIMIT)]
    for _ in range(30):
        await desk.clock.advance(seconds=0.1)
    await asyncio.gather(*late)

    assert LIMIT == desk.most_within_a_second()


async def test_who_waited_too_long_and_finds_no_room_in_time_has_sent_nothing():
    desk = Desk()
    late = asyncio.ensure_future(desk.client.call(ORDER, timeout_s=2.0))
    await desk.clock.advance(seconds=1.5)
    for _ in range(LIMIT):
        await desk.limiter.acquire({"orders": 1}, Lane.ORDER)
    desk.door.set()

    with pytest.raises(RateLimitedError) as caught:
        await late

    assert (Outcome.NOT_SENT, []) == (caught.value.outcome, desk.written_ns)


@pytest.mark.parametrize("timeout_s", [0.0, -1.0])
async def test_a_request_whose_time_is_over_is_not_sent(timeout_s):
    desk = Desk(PatientClock(asyncio.get_running_loop()))
    transport = AiohttpTransport()
    async with RawServer() as server:
        desk.client = desk.client_over(transport, server.url)
        await desk.call()  # so that a connection is at hand

        with pytest.raises(RateLimitedError) as caught:
            await desk.client.call(ORDER, timeout_s=timeout_s)
        await desk.call()

        assert (Outcome.NOT_SENT, 2) == (caught.value.outcome, len(server.requests))
    await transport.aclose()


async def test_i12_f55_over_sockets_what_waits_for_its_turn_is_asked_again():
    gate = asyncio.Event()

    async def ban(request, writer):
        await gate.wait()
        writer.write(response(status=418, headers=[("Retry-After", "60")]))
        return True

    desk = Desk(PatientClock(asyncio.get_running_loop()))
    transport = AiohttpTransport(connections=2)
    async with RawServer(ban) as server:
        desk.client = desk.client_over(transport, server.url)
        calls = [desk.call() for _ in range(LIMIT)]
        await until(lambda: 2 == len(server.requests))
        gate.set()
        errors = await asyncio.gather(*calls, return_exceptions=True)

        assert 2 == len(server.requests)
        assert LIMIT - 2 == sum(isinstance(error, CircuitOpenError) for error in errors)
        await transport.aclose()
