import asyncio
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.effort import effort

from dragoman.errors import ConfigurationError, InvalidValueError, Outcome, RateLimitedError
from dragoman.resilience.pools import Pool, Window
from dragoman.resilience.ratelimit import RateLimiter
from dragoman.tasks import TaskScope
from dragoman.times import MILLISECOND_NS, SECOND_NS, ManualClock, SystemClock
from dragoman.transport.base import Lane

POOLS = (
    Pool("weight", (Window(10, 1, 0.25), Window(25, 5, 0)), 0.2),
    Pool("orders", (Window(3, 2, 0),), 0),
)
COSTS = ({"weight": 1}, {"weight": 4}, {"weight": 1, "orders": 1}, {"orders": 2})


def limiter_of(clock, *windows, reserve=0.1):
    return RateLimiter([Pool("weight", windows, reserve)], clock)


class Callers:
    """Calls the limiter as many tasks and notes when each was let through."""

    def __init__(self, limiter, clock, scope):
        self.limiter, self.clock, self.scope = limiter, clock, scope
        self.log = []
        self.grants = []
        self.tasks = []

    def call(self, lane=Lane.READ, weights=None, **options):
        number = len(self.tasks)
        work = self._call(number, lane, weights or {"weight": 1}, options)
        self.tasks.append(self.scope.spawn(work, str(number)))

    async def _call(self, number, lane, weights, options):
        self.grants.append(await self.limiter.acquire(weights, lane, **options))
        self.log.append((self.clock.monotonic_ns(), number, lane, weights))

    @property
    def seconds(self):
        return [instant / SECOND_NS for instant, *_ in self.log]

    @property
    def order(self):
        return [number for _, number, *_ in self.log]


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
async def scope():
    scope = TaskScope()
    yield scope
    await scope.close()


@pytest.fixture
def callers_of(clock, scope):
    return lambda *windows, reserve=0.1: Callers(
        limiter_of(clock, *windows, reserve=reserve), clock, scope
    )


async def test_a_call_that_costs_nothing_is_let_through(clock):
    grant = await limiter_of(clock, Window(1, 1)).acquire({}, Lane.ORDER)

    grant.give_back()


async def test_calls_beyond_the_limit_wait_until_the_first_uses_end(callers_of, clock):
    callers = callers_of(Window(2, 1, 0), reserve=0)

    for _ in range(5):
        callers.call()
    await clock.advance(seconds=3)

    assert [0, 0, 1, 1, 2] == callers.seconds


async def test_a_burst_after_a_long_rest_is_no_larger_than_the_limit(callers_of, clock):
    callers = callers_of(Window(2, 1, 0), reserve=0)
    await clock.advance(seconds=100)

    for _ in range(4):
        callers.call()
    await clock.advance(seconds=0.999)

    assert [100, 100] == callers.seconds


async def test_every_window_of_a_pool_is_kept(callers_of, clock):
    callers = callers_of(Window(2, 1, 0), Window(3, 10, 0), reserve=0)

    for _ in range(5):
        callers.call()
    await clock.advance(seconds=11)

    assert [0, 0, 1, 10, 10] == callers.seconds


async def test_calls_of_one_lane_are_served_in_order_though_a_later_one_is_lighter(
    callers_of, clock
):
    callers = callers_of(Window(10, 1, 0), reserve=0)

    for weight in (6, 6, 1, 1):
        callers.call(weights={"weight": weight})
    await clock.advance(seconds=5)

    assert [0, 1, 2, 3] == callers.order
    assert [0, 1, 1, 1] == callers.seconds


async def test_a_read_does_not_wait_for_orders_that_wait_for_a_pool_of_their_own(clock, scope):
    callers = Callers(RateLimiter(POOLS, clock), clock, scope)

    for _ in range(4):
        callers.call(Lane.ORDER, {"weight": 1, "orders": 1})
    callers.call(Lane.READ)
    await clock.advance(seconds=2)

    assert [0, 1, 2, 4, 3] == callers.order
    assert [0, 0, 0, 0, 2] == callers.seconds


async def test_a_read_leaves_room_for_an_order_that_was_planned_before_it(clock, scope):
    callers = Callers(RateLimiter(POOLS, clock), clock, scope)

    for _ in range(4):
        callers.call(Lane.ORDER, {"weight": 4, "orders": 1})
    for _ in range(40):
        callers.call(Lane.READ)
    await clock.advance(seconds=60)

    assert 44 == len(callers.log)
    assert callers.order.index(3) < callers.order.index(30)


async def test_f53_a_cancel_passes_a_saturated_limiter_at_once(callers_of, clock):
    callers = callers_of(Window(100, 1, 0))
    for _ in range(500):
        callers.call(Lane.ORDER)
    await clock.advance(seconds=0)
    waits = []

    for number in range(100):
        await clock.advance(seconds=0.05)
        callers.call(Lane.CANCEL)
        started_ns = clock.monotonic_ns()
        await clock.advance(nanoseconds=50 * MILLISECOND_NS)
        done = [at for at, caller, *_ in callers.log if caller == 500 + number]
        waits.append(done[0] - started_ns if done else None)

    assert [0] * 100 == waits


async def test_cancels_may_use_everything_and_orders_never_the_reserve(callers_of, clock):
    callers = callers_of(Window(10, 1, 0), reserve=0.3)

    for lane in [Lane.ORDER] * 8 + [Lane.CANCEL] * 4:
        callers.call(lane)
    await clock.advance(seconds=0)

    assert [0, 1, 2, 3, 4, 5, 6, 8, 9, 10] == callers.order


async def test_cancels_that_wait_go_before_orders_that_came_first(callers_of, clock):
    callers = callers_of(Window(2, 1, 0), reserve=0.5)

    for lane in [Lane.ORDER] * 3 + [Lane.CANCEL] * 4:
        callers.call(lane)
    await clock.advance(seconds=10)

    assert [0, 3, 4, 5, 6, 1, 2] == callers.order


async def test_those_behind_a_canceled_wait_move_up_when_they_look_halfway(callers_of, clock):
    callers = callers_of(Window(1, 10, 0), reserve=0)
    for _ in range(4):
        callers.call()
    await clock.advance(seconds=1)

    callers.tasks[1].cancel()
    callers.tasks[2].cancel()
    await clock.advance(seconds=28)

    assert [0, 3] == callers.order
    assert [0, 15] == callers.seconds
    assert 0 == callers.limiter.waiting


async def test_giving_up_takes_no_lock_so_a_finalizer_can_not_block(callers_of, clock):
    callers = callers_of(Window(1, 10, 0))
    callers.call()
    callers.call()
    await clock.advance(seconds=1)
    assert 1 == callers.limiter.waiting

    with callers.limiter._lock:
        callers.tasks[1].cancel()
        await asyncio.wait(callers.tasks)

    assert 0 == callers.limiter.waiting


async def test_a_grant_given_back_makes_room_again_but_only_once(callers_of, clock):
    callers = callers_of(Window(2, 10, 0), reserve=0)
    callers.call()
    callers.call()
    callers.call()
    await clock.advance(seconds=1)

    callers.grants[0].give_back()
    callers.grants[0].give_back()
    callers.call()
    await clock.advance(seconds=8.99)

    assert [0, 1, 2] == callers.order
    assert callers.seconds[2] < 6


async def test_a_wait_longer_than_the_call_may_take_is_refused_at_once(callers_of, clock):
    limiter = limiter_of(clock, Window(1, 10, 0))
    await limiter.acquire({"weight": 1}, Lane.ORDER)

    with pytest.raises(RateLimitedError, match=r"weight for 10\.00 s") as caught:
        await limiter.acquire({"weight": 1}, Lane.ORDER, timeout_ns=9 * SECOND_NS)

    assert (Outcome.NOT_SENT, 10.0) == (caught.value.outcome, caught.value.retry_after)
    assert 0 == limiter.waiting
    assert 0 == clock.monotonic_ns()


async def test_a_wait_that_became_too_long_is_refused_when_that_is_found(callers_of, clock):
    callers = callers_of(Window(2, 10, 0), reserve=0.5)
    callers.call(Lane.ORDER)
    callers.call(Lane.ORDER, timeout_ns=12 * SECOND_NS)
    await clock.advance(seconds=9)

    callers.call(Lane.CANCEL)
    await clock.advance(seconds=1)

    assert isinstance(callers.tasks[1].exception(), RateLimitedError)


async def test_a_wait_within_the_time_of_the_call_is_waited_out(callers_of, clock):
    callers = callers_of(Window(1, 10, 0))
    callers.call()
    callers.call(timeout_ns=10 * SECOND_NS)

    await clock.advance(seconds=10)

    assert [0, 10] == callers.seconds


async def test_what_costs_more_than_a_pool_ever_has_is_refused(clock):
    limiter = limiter_of(clock, Window(10, 1), reserve=0.2)

    await limiter.acquire({"weight": 10}, Lane.CANCEL)
    with pytest.raises(InvalidValueError, match=r"weight: found 9; allowed: 0 to 8"):
        await limiter.acquire({"weight": 9}, Lane.READ)


async def test_a_negative_cost_is_refused(clock):
    with pytest.raises(InvalidValueError, match="found -1"):
        await limiter_of(clock, Window(10, 1)).acquire({"weight": -1}, Lane.READ)


@pytest.mark.parametrize(("pools", "declared"), [(POOLS, "orders, weight"), ((), "none")])
async def test_a_pool_that_was_not_declared_is_a_mistake(clock, pools, declared):
    with pytest.raises(ConfigurationError, match=f"'requests', .* declared: {declared}"):
        await RateLimiter(pools, clock).acquire({"requests": 1}, Lane.READ)


class TestObserve:
    async def test_use_by_others_is_counted_as_if_it_were_now(self, callers_of, clock):
        callers = callers_of(Window(10, 1, 0), reserve=0)
        callers.call()
        await clock.advance(seconds=0.5)

        callers.limiter.observe("weight", used=9)
        callers.call(weights={"weight": 2})
        await clock.advance(seconds=5)

        assert [0, 1] == callers.seconds

    async def test_what_remains_says_what_was_used(self, callers_of, clock):
        callers = callers_of(Window(10, 1, 0), reserve=0)

        callers.limiter.observe("weight", remaining=1)
        callers.call()
        callers.call()
        await clock.advance(seconds=5)

        assert [0, 1] == callers.seconds

    async def test_nothing_that_is_said_loosens_what_is_known(self, callers_of, clock):
        callers = callers_of(Window(2, 1, 0), reserve=0)
        callers.call(weights={"weight": 2})
        await clock.advance(seconds=0)

        callers.limiter.observe("weight", used=0)
        callers.limiter.observe("weight", remaining=100)
        callers.limiter.observe("weight")
        callers.call()
        await clock.advance(seconds=5)

        assert [0, 1] == callers.seconds

    @pytest.mark.parametrize(("limit", "seconds"), [(4, [0, 0, 0, 0, 1]), (1, [0, 1, 2, 3, 4])])
    async def test_what_the_venue_says_it_allows_is_held_to(
        self, callers_of, clock, limit, seconds
    ):
        callers = callers_of(Window(2, 1, 0), reserve=0)

        callers.limiter.allow("weight", limit)
        for _ in range(5):
            callers.call()
        await clock.advance(seconds=10)

        assert seconds == callers.seconds

    async def test_of_what_is_allowed_cancels_keep_their_share(self, callers_of, clock):
        callers = callers_of(Window(2, 1, 0), reserve=0.25)

        callers.limiter.allow("weight", 4)
        for _ in range(4):
            callers.call()
        await clock.advance(seconds=10)

        assert [0, 0, 0, 1] == callers.seconds

    @pytest.mark.parametrize(
        ("pool", "limit", "seconds"), [("weight", 0, None), ("raw", 9, None), ("weight", 9, 7)]
    )
    async def test_what_says_nothing_changes_nothing(self, callers_of, clock, pool, limit, seconds):
        callers = callers_of(Window(2, 1, 0), reserve=0)

        callers.limiter.allow(pool, limit, seconds=seconds)
        for _ in range(3):
            callers.call()
        await clock.advance(seconds=5)

        assert [0, 0, 1] == callers.seconds

    async def test_a_reset_bounds_how_long_it_counts(self, callers_of, clock):
        callers = callers_of(Window(10, 60, 0), reserve=0)

        callers.limiter.observe("weight", remaining=0, resets_in_s=3)
        callers.call()
        await clock.advance(seconds=60)

        assert [3] == callers.seconds

    @pytest.mark.parametrize(("resets_in_s", "seconds"), [(-5, 0), (1e300, 86_400)])
    async def test_an_absurd_reset_is_bounded(self, callers_of, clock, resets_in_s, seconds):
        callers = callers_of(Window(10, 60, 0), reserve=0)

        callers.limiter.observe("weight", remaining=-(10**30), resets_in_s=resets_in_s)
        callers.call()
        await clock.advance(seconds=86_400)

        assert [seconds] == callers.seconds

    async def test_a_window_is_named_by_its_seconds(self, callers_of, clock):
        callers = callers_of(Window(10, 1, 0), Window(20, 60, 0), reserve=0)

        callers.limiter.observe("weight", used=20, seconds=60)
        callers.call()
        await clock.advance(seconds=60)

        assert [60] == callers.seconds

    async def test_what_was_not_declared_is_passed_over(self, callers_of, clock):
        callers = callers_of(Window(10, 1, 0))

        callers.limiter.observe("raw", used=10)
        callers.limiter.observe("weight", used=10, seconds=7)
        callers.call()
        await clock.advance(seconds=0)

        assert [0] == callers.seconds

    async def test_calls_that_are_planned_already_are_put_off(self, callers_of, clock):
        callers = callers_of(Window(2, 10, 0), reserve=0)
        for _ in range(3):
            callers.call()
        await clock.advance(seconds=9)

        callers.limiter.observe("weight", used=2, resets_in_s=20)
        await clock.advance(seconds=0.5)
        callers.limiter.observe("weight", used=2, resets_in_s=20)
        await clock.advance(seconds=0.6)
        callers.limiter.observe("weight", used=2)
        await clock.advance(seconds=30)

        assert [0, 0, 10] == [round(second) for second in callers.seconds]


calls = st.tuples(
    st.just("call"), st.sampled_from(Lane), st.sampled_from(COSTS), st.sampled_from([None, 3])
)
actions = st.lists(
    st.one_of(
        calls,
        calls,
        st.tuples(st.just("pass"), st.sampled_from([0, 0.1, 0.5, 1, 2.5])),
        st.tuples(st.just("drop"), st.integers(0, 40)),
        st.tuples(st.just("give back"), st.integers(0, 40)),
        st.tuples(st.just("observe"), st.integers(0, 12), st.sampled_from([None, 0.3, 2])),
    ),
    max_size=40,
)


async def play(plan):
    clock = ManualClock()
    scope = TaskScope()
    callers = Callers(RateLimiter(POOLS, clock), clock, scope)
    given_back = set()
    for kind, *terms in plan:
        match kind:
            case "call":
                timeout_ns = None if terms[2] is None else terms[2] * SECOND_NS
                callers.call(terms[0], terms[1], timeout_ns=timeout_ns)
            case "pass":
                await clock.advance(seconds=terms[0])
            case "drop" if terms[0] < len(callers.tasks):
                callers.tasks[terms[0]].cancel()
            case "give back" if terms[0] < len(callers.grants):
                callers.grants[terms[0]].give_back()
                given_back.add(callers.log[terms[0]][1])
            case "observe":
                callers.limiter.observe("weight", used=terms[0], resets_in_s=terms[1])
            case _:
                pass
    await clock.advance(seconds=300)
    ended = [task.done() for task in callers.tasks]
    await scope.close()
    return callers, given_back, ended


@settings(max_examples=effort(150))
@given(actions)
def test_i12_no_interval_ever_sees_more_than_the_limit(plan):

    callers, given_back, ended = asyncio.run(play(plan))

    assert all(ended)
    assert 0 == callers.limiter.waiting
    log = [entry for entry in callers.log if entry[1] not in given_back]
    for pool in POOLS:
        uses = [(at, lane, cost[pool.name]) for at, _, lane, cost in log if pool.name in cost]
        for window in pool.windows:
            for index, (at, lane, _) in enumerate(uses):
                since = at - window.counted_ns
                seen = sum(weight for then, _, weight in uses[: index + 1] if then > since)
                limit = window.limit if lane is Lane.CANCEL else pool.general_limit(window)
                assert seen <= limit


@settings(max_examples=effort(100))
@given(actions)
def test_calls_of_one_lane_and_pool_never_overtake_each_other(plan):
    callers, _, _ = asyncio.run(play(plan))

    for lane in Lane:
        for pool in POOLS:
            numbers = [n for _, n, at, cost in callers.log if at is lane and pool.name in cost]
            assert sorted(numbers) == numbers


def test_one_limiter_serves_the_loops_of_several_threads():
    limiter = limiter_of(SystemClock(), Window(10, 0.05, 0), reserve=0)
    started = time.monotonic()
    instants = []

    async def work():
        for _ in range(10):
            await limiter.acquire({"weight": 1}, Lane.ORDER)
            instants.append(time.monotonic() - started)

    threads = [threading.Thread(target=asyncio.run, args=(work(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert 40 == len(instants)
    assert all(at >= 0.05 * (index // 10) for index, at in enumerate(sorted(instants)))


class TestRenewing:
    async def test_a_use_counts_from_when_it_is_renewed(self, clock):
        limiter = limiter_of(clock, Window(1, 1.0, 0.0), reserve=0)
        grant = await limiter.acquire({"weight": 1}, Lane.ORDER)
        await clock.advance(seconds=0.9)

        assert grant.renew()
        await clock.advance(seconds=0.9)
        with pytest.raises(RateLimitedError) as caught:
            await limiter.acquire({"weight": 1}, Lane.ORDER, timeout_ns=0)

        assert 0.1 == pytest.approx(caught.value.retry_after)

    async def test_a_use_that_has_ended_needs_room_of_its_own_lane(self, clock):
        limiter = limiter_of(clock, Window(10, 1.0, 0.0), reserve=0.5)
        order = await limiter.acquire({"weight": 1}, Lane.ORDER)
        cancel = await limiter.acquire({"weight": 1}, Lane.CANCEL)
        await clock.advance(seconds=2)
        await limiter.acquire({"weight": 5}, Lane.ORDER)

        assert (False, True) == (order.renew(), cancel.renew())
        order.give_back()  # it is nothing any more, and frees nothing
        await limiter.acquire({"weight": 4}, Lane.CANCEL)
        with pytest.raises(RateLimitedError):
            await limiter.acquire({"weight": 1}, Lane.CANCEL, timeout_ns=0)

    async def test_every_window_must_have_room_again(self, clock):
        limiter = limiter_of(clock, Window(5, 1.0, 0.0), Window(6, 10.0, 0.0), reserve=0)
        grant = await limiter.acquire({"weight": 1}, Lane.ORDER)
        await clock.advance(seconds=2)
        await limiter.acquire({"weight": 5}, Lane.ORDER)

        assert not grant.renew()
        grant.give_back()  # for the second time, so it frees nothing
        await clock.advance(seconds=1)
        with pytest.raises(RateLimitedError):
            await limiter.acquire({"weight": 2}, Lane.ORDER, timeout_ns=0)

    async def test_what_is_written_at_once_is_not_counted_twice(self, clock):
        limiter = limiter_of(clock, Window(2, 1.0, 0.0), reserve=0)
        for _ in range(2):
            assert (await limiter.acquire({"weight": 1}, Lane.ORDER)).renew()

        await clock.advance(seconds=1)
        await limiter.acquire({"weight": 2}, Lane.ORDER, timeout_ns=0)

    async def test_a_renewed_use_can_still_be_given_back(self, clock):
        limiter = limiter_of(clock, Window(1, 1.0, 0.0), reserve=0)
        grant = await limiter.acquire({"weight": 1}, Lane.ORDER)
        await clock.advance(seconds=0.5)
        grant.renew()

        grant.give_back()

        await limiter.acquire({"weight": 1}, Lane.ORDER, timeout_ns=0)
