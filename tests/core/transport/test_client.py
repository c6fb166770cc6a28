"""One call: leave, a fresh signature, one sending, and an error that says what is known."""

import asyncio
import random

import attrs
import pytest

from dragoman.errors import (
    AuthenticationError,
    CircuitOpenError,
    ConfigurationError,
    ConnectFailedError,
    DecodeError,
    DragomanError,
    HaltedError,
    InvalidValueError,
    NotFoundError,
    OrderRejectedError,
    Outcome,
    OutcomeUnknownError,
    ProtocolError,
    RateLimitedError,
    RejectReason,
    UnknownReason,
    VenueUnavailableError,
)
from dragoman.resilience.breaker import Breaker, BreakerState
from dragoman.resilience.pools import Pool, Window
from dragoman.resilience.ratelimit import RateLimiter
from dragoman.resilience.retry_after import LONGEST_WAIT_S
from dragoman.times import SECOND_NS, ManualClock
from dragoman.transport.base import HttpResponse, Lane
from dragoman.transport.client import HttpClient
from dragoman.transport.endpoint import Auth, Endpoint
from dragoman.transport.memory import LostAfterSendError, LostBeforeSendError, MemoryTransport
from dragoman.transport.signing import Signer
from dragoman.transport.verdict import Verdicts

from .raw_server import refusing

READ = Endpoint(name="read orders", method="GET", path="/orders", is_safe_to_repeat=True)
ONCE = Endpoint(name="read once", method="GET", path="/once")
ORDER = Endpoint(
    name="place order",
    method="POST",
    path="/orders",
    lane=Lane.ORDER,
    is_safe_to_repeat=True,
    weights={"orders": 1},
)
CANCEL = Endpoint(
    name="cancel order",
    method="DELETE",
    path="/orders/{order_id}",
    lane=Lane.CANCEL,
    weights={"orders": 1},
)
TIME = Endpoint(name="time", method="GET", path="/time", auth=Auth.NONE)
OK = HttpResponse(status=200, body=b"{}")


def answer(status, body=b"{}", **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpResponse(status=status, headers=named, body=body)


class Numbering(Signer):
    """Numbers each signature, so that a test sees which one was sent."""

    def __init__(self):
        self.count = 0
        self.prepared = 0

    async def prepare(self, draft):
        self.prepared += 1

    def sign(self, draft):
        self.count += 1
        return attrs.evolve(draft, headers=(*draft.headers, ("X-Sign", str(self.count))))


class Venue:
    """Plays answers in turn, the last one for ever."""

    def __init__(self, *script, connect=None, **options):
        self.script = list(script) or [OK]
        self.requests = []
        self.clock = ManualClock()
        self.signer = options.pop("signer", Numbering())
        breaker = options.pop("breaker", None)
        verdict = {
            name: options.pop(name)
            for name in ("classify", "reads_success", "request_id_header")
            if name in options
        }
        self.breaker = Breaker("venue", self.clock) if breaker is None else breaker
        self.client = HttpClient(
            MemoryTransport(self.play, connect=connect),
            {"rest": "https://venue.example/v1/"},
            verdicts=Verdicts(provider="venue", clock=self.clock, breaker=self.breaker, **verdict),
            clock=self.clock,
            random=random.Random(1),
            signer=self.signer,
            **options,
        )

    async def play(self, request):
        self.requests.append(request)
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(step, Exception):
            raise step
        return step

    async def run(self, call, *, seconds=60):
        """Await a call while time passes."""
        task = asyncio.ensure_future(call)
        for _ in range(seconds * 10):
            await self.clock.advance(seconds=0.1)
            if task.done():
                break
        return await task

    async def fails(self, kind, endpoint=READ, **given):
        with pytest.raises(kind) as caught:
            await self.run(self.client.call(endpoint, **given))
        assert kind is type(caught.value)
        return caught.value


async def test_a_call_is_built_from_its_endpoint():
    venue = Venue()
    response = await venue.client.call(
        CANCEL,
        path={"order_id": "a/b"},
        query=[("symbol", "币"), ("x", "1 2")],
        headers=(("X-More", "m"),),
        body=b"{}",
    )

    (request,) = venue.requests
    assert OK == response
    assert ("DELETE", b"{}", Lane.CANCEL, "cancel order") == (
        request.method,
        request.body,
        request.lane,
        request.name,
    )
    assert "https://venue.example/v1/orders/a%2Fb?symbol=%E5%B8%81&x=1%202" == request.url
    assert (("X-More", "m"), ("X-Sign", "1")) == request.headers


@pytest.mark.parametrize(
    ("endpoint", "path", "error"),
    [
        (attrs.evolve(READ, base="other"), {}, ConfigurationError),
        (CANCEL, {"order_id": ".."}, InvalidValueError),
        (CANCEL, {}, InvalidValueError),
    ],
)
async def test_a_call_that_can_not_be_built_is_not_sent(endpoint, path, error):
    venue = Venue()

    found = await_free_error(error, lambda: venue.client.call(endpoint, path=path))

    assert (Outcome.NOT_SENT, []) == (found.outcome, venue.requests)


def await_free_error(kind, call):
    with pytest.raises(kind) as caught:
        call()
    return caught.value


def test_a_base_that_is_refused_is_refused_at_once():
    with pytest.raises(ConfigurationError):
        HttpClient(
            MemoryTransport(None),
            {"rest": "http://venue.example"},
            verdicts=Verdicts(provider="venue", clock=ManualClock()),
            clock=ManualClock(),
            random=random.Random(1),
        )


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429, 418, 307, 408])
async def test_f08_f15_f16_an_order_is_sent_once_and_unknown_after_any_odd_answer(status):
    venue = Venue(answer(status), OK)

    error = await venue.fails(OutcomeUnknownError, ORDER)

    assert (1, 1, Outcome.UNKNOWN) == (len(venue.requests), venue.signer.count, error.outcome)
    assert ("venue", str(status)) == (error.provider, error.code)


@pytest.mark.parametrize("endpoint", [ORDER, attrs.evolve(CANCEL, path="/orders")])
@pytest.mark.parametrize("reason", [UnknownReason.TIMEOUT, UnknownReason.CONNECTION_LOST])
async def test_f05_a_command_that_is_lost_is_unknown_and_sent_once(endpoint, reason):
    venue = Venue(LostAfterSendError(reason), OK)

    error = await venue.fails(OutcomeUnknownError, endpoint)

    assert (1, reason, "venue") == (len(venue.requests), error.reason, error.provider)


async def test_f01_an_order_that_did_not_leave_is_not_sent_again():
    connects = []

    async def connect(request):
        connects.append(request)
        raise LostBeforeSendError

    venue = Venue(connect=connect)

    error = await venue.fails(ConnectFailedError, ORDER)

    assert (Outcome.NOT_SENT, 1) == (error.outcome, len(connects))


async def test_an_order_that_the_venue_refuses_is_refused():
    error = await Venue(answer(422)).fails(OrderRejectedError, ORDER)

    assert (Outcome.REJECTED, RejectReason.OTHER) == (error.outcome, error.reason)


@pytest.mark.parametrize("failure", [answer(503), answer(429), LostAfterSendError()])
async def test_a_read_that_declares_it_is_repeated_with_a_new_signature(failure):
    venue = Venue(failure, failure, OK)

    assert OK == await venue.run(venue.client.call(READ))
    assert ["1", "2", "3"] == [dict(request.headers)["X-Sign"] for request in venue.requests]


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (answer(503), VenueUnavailableError),
        (LostAfterSendError(), VenueUnavailableError),
        (LostAfterSendError(UnknownReason.BAD_RESPONSE), ProtocolError),
        (answer(302), ProtocolError),
        (answer(404), NotFoundError),
    ],
)
async def test_a_read_that_fails_has_no_unknown_fate(failure, error):
    found = await Venue(failure).fails(error, ONCE)

    assert "venue" == found.provider


@pytest.mark.parametrize(("endpoint", "calls"), [(READ, 3), (ONCE, 1)])
async def test_only_what_declares_it_is_repeated_and_not_for_ever(endpoint, calls):
    venue = Venue(answer(503))

    await venue.fails(VenueUnavailableError, endpoint)

    assert calls == len(venue.requests)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 307])
async def test_a_read_that_is_refused_is_not_repeated(status):
    venue = Venue(answer(status))

    with pytest.raises(DragomanError):
        await venue.run(venue.client.call(READ))

    assert 1 == len(venue.requests)


async def test_a_read_is_not_asked_again_before_the_venue_allows_it():
    venue = Venue(answer(429, retry_after="5"), OK)
    start_ns = venue.clock.monotonic_ns()

    await venue.run(venue.client.call(READ))

    assert venue.clock.monotonic_ns() - start_ns >= 5 * SECOND_NS


async def test_a_read_waits_out_the_circuit_that_it_opened_or_tells_what_it_was_told():
    venue = Venue(answer(429), OK)
    assert OK == await venue.run(venue.client.call(READ))

    venue = Venue(answer(429), OK)
    await venue.fails(RateLimitedError, READ, timeout_s=1.0)
    assert 1 == len(venue.requests)


@pytest.mark.parametrize("said", [float("inf"), float("nan"), -5.0, 1e300])
@pytest.mark.parametrize(
    "endpoint", [READ, attrs.evolve(CANCEL, path="/orders", is_safe_to_repeat=True)]
)
async def test_a_table_that_reads_nonsense_as_a_wait_breaks_nothing(endpoint, said):
    def classify(asked, response):
        return RateLimitedError("slow down", retry_after=said, outcome=Outcome.REJECTED)

    venue = Venue(answer(429), classify=classify)

    error = await venue.fails(RateLimitedError, endpoint)

    assert 0.0 <= error.retry_after <= LONGEST_WAIT_S


async def test_one_deadline_stands_over_all_attempts():
    venue = Venue(answer(429, retry_after="5"))
    start_ns = venue.clock.monotonic_ns()

    error = await venue.fails(RateLimitedError, READ, timeout_s=4.0)

    assert (1, 5.0) == (len(venue.requests), error.retry_after)
    assert venue.clock.monotonic_ns() - start_ns < SECOND_NS


async def test_what_is_left_of_the_deadline_is_what_an_attempt_may_take():
    venue = Venue(answer(503), OK)
    await venue.run(venue.client.call(READ, timeout_s=8.0))

    first, second = (request.timeout_s for request in venue.requests)
    assert 8.0 == first > second > 0


async def test_f55_a_ban_stops_every_lane_until_it_is_over():
    venue = Venue(answer(418, retry_after="30"), OK)
    await venue.fails(RateLimitedError, ONCE)

    for endpoint in (ONCE, ORDER, attrs.evolve(CANCEL, path="/orders")):
        error = await venue.fails(CircuitOpenError, endpoint)
        assert Outcome.NOT_SENT is error.outcome
    assert 1 == len(venue.requests)

    await venue.clock.advance(seconds=31)
    assert OK == await venue.client.call(ORDER)
    assert BreakerState.CLOSED is venue.breaker.state


async def test_f55_a_ban_that_comes_while_a_call_waits_for_room_stops_it():
    clock_free = Venue()
    limiter = RateLimiter([Pool("orders", (Window(1, 1.0, 0.0),))], clock_free.clock)
    venue = clock_free
    venue.client._limiter = limiter
    await venue.client.call(ORDER)
    waiting = asyncio.ensure_future(venue.client.call(ORDER))
    await venue.clock.advance(seconds=0.1)
    venue.breaker.throttled("banned", 30.0, is_ban=True)

    with pytest.raises(CircuitOpenError):
        await venue.run(waiting)

    assert 1 == len(venue.requests)
    await venue.clock.advance(seconds=31)
    await venue.client.call(ORDER)  # the room was given back


async def test_failures_open_the_circuit_but_not_for_cancels():
    venue = Venue(LostAfterSendError())
    for _ in range(5):
        await venue.fails(VenueUnavailableError, ONCE)

    await venue.fails(CircuitOpenError, ORDER)
    await venue.fails(OutcomeUnknownError, attrs.evolve(CANCEL, path="/orders"))


async def test_running_out_of_ones_own_time_says_nothing_of_the_venue():
    class Slow(Numbering):
        async def prepare(self, draft):
            await venue.clock.sleep_ns(6 * SECOND_NS)

    venue = Venue(LostAfterSendError(UnknownReason.TIMEOUT), signer=Slow())
    for _ in range(10):
        await venue.fails(OutcomeUnknownError, ORDER, timeout_s=10.0)

    assert (BreakerState.CLOSED, 10) == (venue.breaker.state, len(venue.requests))


async def test_refusals_are_answers_of_a_healthy_venue():
    venue = Venue(answer(404))
    for _ in range(20):
        await venue.fails(NotFoundError, ONCE)

    assert BreakerState.CLOSED is venue.breaker.state


async def test_no_room_in_time_is_not_sent():
    venue = Venue()
    venue.client._limiter = RateLimiter([Pool("orders", (Window(1, 60.0),))], venue.clock)
    await venue.client.call(ORDER)

    error = await venue.fails(RateLimitedError, ORDER)

    assert (Outcome.NOT_SENT, 1) == (error.outcome, len(venue.requests))
    assert error.retry_after > 50


async def test_what_did_not_leave_gives_its_room_back():
    venue = Venue()
    venue.client._limiter = RateLimiter([Pool("orders", (Window(1, 60.0),))], venue.clock)
    for _ in range(3):
        with refusing():
            await venue.fails(HaltedError, ORDER)

    assert OK == await venue.client.call(ORDER)


async def test_whole_responses_feed_the_limiter():
    seen = []
    venue = Venue(answer(429, x_used="9"), on_response=seen.append)
    await venue.fails(OutcomeUnknownError, ORDER)

    assert ["9"] == [response.headers["x-used"] for response in seen]


def skewed(endpoint, response):
    if response.status == 400:
        return OrderRejectedError("the timestamp is outside of the window", code="-1021")
    return None


async def test_f46_a_read_dated_wrongly_is_repeated_once_after_a_resync():
    resyncs = []

    async def resync():
        resyncs.append(len(venue.requests))

    venue = Venue(answer(400), OK, classify=skewed, resync=resync, skew_codes=frozenset({"-1021"}))

    assert OK == await venue.run(venue.client.call(ONCE))
    assert ([1], 2) == (resyncs, len(venue.requests))

    venue.script = [answer(400)]
    await venue.fails(OrderRejectedError, ONCE)
    assert ([1, 3], 4) == (resyncs, len(venue.requests))


async def test_f46_nothing_is_dated_while_the_clock_is_measured():
    sent_meanwhile = []

    async def resync():
        before = len(venue.requests)
        for _ in range(50):
            await asyncio.sleep(0)
        sent_meanwhile.append(len(venue.requests) - before)

    venue = Venue(
        answer(400),
        answer(400),
        OK,
        classify=skewed,
        resync=resync,
        skew_codes=frozenset({"-1021"}),
    )

    found = await venue.run(asyncio.gather(*[venue.client.call(ONCE) for _ in range(5)]))

    assert [OK] * 5 == found
    assert {0} == set(sent_meanwhile)


async def test_f46_an_order_dated_wrongly_is_refused_and_the_next_one_is_dated_anew():
    resyncs = []

    async def resync():
        resyncs.append(len(venue.requests))
        await venue.client.call(TIME)

    venue = Venue(answer(400), OK, classify=skewed, resync=resync, skew_codes=frozenset({"-1021"}))

    await venue.fails(OrderRejectedError, ORDER)
    assert ([], 1) == (resyncs, len(venue.requests))
    await venue.run(venue.client.call(ORDER))
    assert ([1], 3) == (resyncs, len(venue.requests))


@pytest.mark.parametrize("failure", [LostAfterSendError(), answer(503), answer(400)])
async def test_an_order_whose_preparation_fails_is_not_sent(failure):
    class Preparing(Numbering):
        async def prepare(self, draft):
            await venue.client.call(TIME)

    venue = Venue(failure, OK, signer=Preparing())

    with pytest.raises(DragomanError) as caught:
        await venue.run(venue.client.call(ORDER))

    assert Outcome.NOT_SENT is caught.value.outcome
    assert ["time"] == [request.name for request in venue.requests]


async def test_a_preparation_that_never_ends_is_given_up_in_time():
    class Hanging(Numbering):
        async def prepare(self, draft):
            await asyncio.Event().wait()

    venue = Venue(signer=Hanging())

    with pytest.raises(ConnectFailedError, match="not ready to sign"):
        await venue.client.call(ORDER, timeout_s=0.02)

    assert [] == venue.requests


async def test_an_open_endpoint_needs_no_preparation():
    venue = Venue()
    await venue.client.call(TIME)

    assert 0 == venue.signer.prepared


async def test_the_table_of_the_venue_is_asked_first():
    def table(endpoint, response):
        return AuthenticationError("key revoked", code="-2015")

    error = await Venue(
        answer(503, x_trace="t-1"), classify=table, request_id_header="X-Trace"
    ).fails(AuthenticationError, ORDER)

    assert (Outcome.REJECTED, "venue", "-2015", "t-1") == (
        error.outcome,
        error.provider,
        error.code,
        error.request_id,
    )


async def test_a_table_that_finds_a_command_busy_leaves_it_unknown_unless_it_says_refused():
    outcomes = [None, Outcome.REJECTED]

    def table(endpoint, response):
        return RateLimitedError("too many", code="-1003", outcome=outcomes.pop(0))

    venue = Venue(answer(429, retry_after="0"), classify=table)
    first = await venue.fails(OutcomeUnknownError, ORDER)
    await venue.clock.advance(seconds=5)
    second = await venue.fails(RateLimitedError, ORDER)

    assert (UnknownReason.BUSY, "-1003") == (first.reason, first.code)
    assert (Outcome.REJECTED, 0.0) == (second.outcome, second.retry_after)


async def test_f63_a_page_that_the_table_can_not_read_is_judged_by_its_status():
    def table(endpoint, response):
        raise DecodeError("no JSON")

    await Venue(answer(503, b"<html>"), classify=table).fails(VenueUnavailableError, ONCE)


async def test_errors_within_success_are_found_where_the_venue_hides_them():
    def table(endpoint, response):
        return NotFoundError("no such order") if b"false" in response.body else None

    venue = Venue(answer(200, b'{"success":false}'), OK, classify=table, reads_success=True)
    await venue.fails(NotFoundError, ONCE)

    assert OK == await venue.client.call(ONCE)


@pytest.mark.parametrize("trace", ["t\x07", ""])
async def test_a_trace_id_that_could_forge_log_lines_is_left_out(trace):
    error = await Venue(answer(503, x_trace=trace), request_id_header="X-Trace").fails(
        OutcomeUnknownError, ORDER
    )

    assert trace.strip("\x07t") == (error.request_id or "")


async def test_a_canceled_call_is_canceled():
    venue = Venue(answer(503))
    task = asyncio.ensure_future(venue.client.call(READ))
    await venue.clock.advance(seconds=0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
