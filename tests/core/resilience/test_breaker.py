import threading

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.effort import effort

from dragoman.errors import CircuitOpenError, Outcome
from dragoman.resilience.breaker import Breaker, BreakerState, BreakerTerms
from dragoman.resilience.retry_after import LONGEST_WAIT_S
from dragoman.times import SECOND_NS
from dragoman.transport.base import Lane

TERMS = BreakerTerms(failures=3, span_s=10, first_open_s=2, longest_open_s=9, ban_s=60, probe_s=5)
CLOSED, OPEN, HALF_OPEN = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN


class StepClock:
    """Monotonic time that a test sets; wall time jumps about and must not matter."""

    def __init__(self):
        self.seconds = 0.0
        self.wall = 0

    def monotonic_ns(self):
        return round(self.seconds * SECOND_NS)

    def now_ns(self):
        self.wall = -self.wall - 10**18
        return self.wall


@pytest.fixture
def clock():
    return StepClock()


@pytest.fixture
def breaker(clock):
    return Breaker("venue", clock, TERMS)


@pytest.fixture
def changes(breaker):
    told = []
    breaker.listen(told.append)
    return told


def passes(breaker, lane):
    try:
        breaker.check(lane)
    except CircuitOpenError:
        return False
    return True


def lanes(breaker):
    return {lane for lane in Lane if passes(breaker, lane)}


def fail(breaker, times=3):
    for _ in range(times):
        breaker.failed("reset")


def test_a_closed_breaker_lets_all_pass(breaker):
    assert set(Lane) == lanes(breaker)


def test_failures_in_a_row_stop_reads_and_orders_but_not_cancels(breaker):
    fail(breaker, 2)
    assert CLOSED is breaker.state

    fail(breaker, 1)

    assert OPEN is breaker.state
    assert {Lane.CANCEL} == lanes(breaker)


def test_what_is_stopped_was_not_sent_and_says_when_to_come_back(breaker, clock):
    fail(breaker)
    clock.seconds = 0.5

    with pytest.raises(CircuitOpenError, match=r"venue: .* 1\.5 s after: reset") as caught:
        breaker.check(Lane.ORDER)

    assert (Outcome.NOT_SENT, 1.5) == (caught.value.outcome, caught.value.retry_after)


def test_an_answer_in_between_starts_the_count_anew(breaker):
    fail(breaker, 2)
    breaker.succeeded()
    fail(breaker, 2)

    assert CLOSED is breaker.state


def test_failures_far_apart_do_not_add_up(breaker, clock):
    for second in (0, 5, 10.1):
        clock.seconds = second
        fail(breaker, 1)

    assert CLOSED is breaker.state


def test_one_request_looks_whether_the_venue_is_back(breaker, clock):
    fail(breaker)
    clock.seconds = 2

    assert HALF_OPEN is breaker.state
    assert [True, False, False] == [passes(breaker, Lane.READ) for _ in range(3)]
    assert passes(breaker, Lane.CANCEL)


def test_a_cancel_that_looks_first_takes_no_ones_place(breaker, clock):
    fail(breaker)
    clock.seconds = 2

    assert [True, True, False] == [
        passes(breaker, lane) for lane in (Lane.CANCEL, Lane.READ, Lane.READ)
    ]


def test_a_good_look_closes(breaker, clock):
    fail(breaker)
    clock.seconds = 2
    breaker.check(Lane.READ)

    breaker.succeeded()

    assert CLOSED is breaker.state
    assert set(Lane) == lanes(breaker)


def test_each_bad_look_doubles_the_time_up_to_a_cap(breaker, clock):
    fail(breaker)
    waits = []

    for _ in range(4):
        start = clock.seconds
        while not passes(breaker, Lane.READ):
            clock.seconds += 0.5
        waits.append(clock.seconds - start)
        breaker.failed("reset")

    assert [2, 4, 8, 9] == waits


def test_after_it_closed_the_time_is_short_again(breaker, clock):
    fail(breaker)
    clock.seconds = 2
    breaker.check(Lane.READ)
    breaker.failed("reset")
    clock.seconds = 6
    breaker.check(Lane.READ)
    breaker.succeeded()

    fail(breaker)
    clock.seconds = 8

    assert passes(breaker, Lane.READ)


def test_a_look_that_nobody_reports_on_is_forgotten(breaker, clock):
    fail(breaker)
    clock.seconds = 2
    breaker.check(Lane.READ)

    clock.seconds = 6.9
    assert not passes(breaker, Lane.READ)

    clock.seconds = 7
    assert passes(breaker, Lane.READ)


def test_failures_of_what_was_under_way_do_not_prolong_it(breaker, clock):
    fail(breaker)
    clock.seconds = 1.9

    fail(breaker)
    clock.seconds = 2

    assert passes(breaker, Lane.READ)


def test_a_cancel_that_is_answered_closes_it(breaker):
    fail(breaker)

    breaker.succeeded()

    assert CLOSED is breaker.state


def test_f55_a_ban_stops_every_lane_until_it_is_due(breaker, clock):
    breaker.throttled("418", 30, is_ban=True)

    clock.seconds = 29.999
    assert set() == lanes(breaker)

    clock.seconds = 30
    assert passes(breaker, Lane.CANCEL)
    assert passes(breaker, Lane.READ)


def test_f55_a_429_with_a_time_stops_every_lane(breaker, clock):
    breaker.throttled("429", 5)

    assert set() == lanes(breaker)
    clock.seconds = 5
    assert {Lane.READ, Lane.CANCEL} == lanes(breaker)


def test_a_429_without_a_time_opens_at_once_and_lets_cancels_pass(breaker, clock):
    breaker.throttled("429")

    assert {Lane.CANCEL} == lanes(breaker)
    clock.seconds = 2
    assert passes(breaker, Lane.READ)


def test_more_of_them_do_not_prolong_it(breaker, clock):
    breaker.throttled("429")
    clock.seconds = 1.9
    breaker.throttled("429")
    clock.seconds = 2

    assert passes(breaker, Lane.READ)


def test_a_ban_without_a_time_has_the_usual_length(breaker, clock):
    breaker.throttled("418", is_ban=True)

    clock.seconds = 59.9
    assert set() == lanes(breaker)
    clock.seconds = 60
    assert passes(breaker, Lane.CANCEL)


def test_an_answer_during_a_ban_does_not_end_it(breaker):
    breaker.throttled("418", 30, is_ban=True)

    breaker.succeeded()

    assert set() == lanes(breaker)


def test_a_ban_is_never_shortened(breaker, clock):
    breaker.throttled("418", 30, is_ban=True)
    breaker.throttled("429", 1)

    clock.seconds = 29

    assert set() == lanes(breaker)


@pytest.mark.parametrize(("seconds", "longest"), [(-5, 0), (1e300, LONGEST_WAIT_S)])
def test_an_absurd_time_is_bounded(breaker, clock, seconds, longest):
    breaker.throttled("418", seconds, is_ban=True)

    clock.seconds = longest

    assert passes(breaker, Lane.CANCEL)


def test_i11_every_change_is_told_with_its_cause(breaker, clock, changes):
    fail(breaker)
    clock.seconds = 2
    breaker.check(Lane.READ)
    breaker.succeeded()

    told = [(change.scope, change.state, change.cause, change.retry_after) for change in changes]
    assert [
        ("venue", OPEN, "reset", 2.0),
        ("venue", HALF_OPEN, "the time is over", None),
        ("venue", CLOSED, "the venue answers", None),
    ] == told


def test_the_same_ban_is_told_once_and_a_longer_one_again(breaker, clock, changes):
    for second, retry_after in ((0, 30), (0.5, 30), (0.9, 20), (1, 60)):
        clock.seconds = second
        breaker.throttled("418", retry_after, is_ban=True)

    assert [30, 60] == [change.retry_after for change in changes]


def test_a_listener_can_stop_listening_twice(breaker):
    told = []
    stop = breaker.listen(told.append)

    stop()
    stop()
    fail(breaker)

    assert [] == told


def test_only_one_of_many_threads_looks(breaker, clock):
    fail(breaker)
    clock.seconds = 2
    start = threading.Barrier(8)
    passed = []

    def look():
        start.wait()
        passed.append(passes(breaker, Lane.READ))

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 1 == passed.count(True)
    assert 8 == len(passed)


class BreakerLife(RuleBasedStateMachine):
    """Any mix of reports and times: bans hold, and the breaker always recovers by itself."""

    def __init__(self):
        super().__init__()
        self.clock = StepClock()
        self.breaker = Breaker("venue", self.clock, TERMS)
        self.states = [CLOSED]
        self.breaker.listen(lambda change: self.states.append(change.state))
        self.banned_until = 0.0

    @rule(seconds=st.sampled_from([0, 0.1, 1, 2, 5, 20]))
    def time_passes(self, seconds):
        self.clock.seconds += seconds

    @rule(times=st.integers(1, 4))
    def fails(self, times):
        fail(self.breaker, times)

    @rule()
    def succeeds(self):
        self.breaker.succeeded()

    @rule(seconds=st.one_of(st.none(), st.integers(0, 40)), is_ban=st.booleans())
    def is_throttled(self, seconds, is_ban):
        self.breaker.throttled("stop", seconds, is_ban=is_ban)
        if seconds is not None or is_ban:
            length = TERMS.ban_s if seconds is None else seconds
            self.banned_until = max(self.banned_until, self.clock.seconds + length)

    @rule(lane=st.sampled_from(Lane))
    def asks(self, lane):
        passed = passes(self.breaker, lane)
        is_banned = self.clock.seconds < self.banned_until
        assert not (passed and is_banned)
        assert passed or is_banned or lane is not Lane.CANCEL

    @precondition(lambda self: self.breaker.state is not CLOSED)
    @rule()
    def recovers(self):
        self.clock.seconds = max(self.clock.seconds, self.banned_until)
        self.clock.seconds += max(TERMS.longest_open_s, TERMS.probe_s)
        assert passes(self.breaker, Lane.READ)
        self.breaker.succeeded()
        assert set(Lane) == lanes(self.breaker)

    @invariant()
    def closed_is_reached_from_elsewhere_only(self):
        assert all(
            not (before is after and after is not OPEN)
            for before, after in zip(self.states, self.states[1:], strict=False)
        )


BreakerLife.TestCase.settings = settings(max_examples=effort(100), stateful_step_count=30)
TestBreakerLife = BreakerLife.TestCase


def looks(breaker, lane):
    try:
        breaker.look(lane)
    except CircuitOpenError:
        return False
    return True


def test_looking_says_what_a_check_would_say_and_takes_no_place(breaker, changes, clock):
    for _ in range(3):
        breaker.failed("lost")
    told = len(changes)

    assert [False, False, True] == [
        looks(breaker, lane) for lane in (Lane.READ, Lane.ORDER, Lane.CANCEL)
    ]
    clock.seconds = 3.0
    assert all(looks(breaker, lane) for lane in Lane for _ in range(3))
    assert (HALF_OPEN, told) == (breaker.state, len(changes))
    assert passes(breaker, Lane.ORDER)  # nobody has taken the place yet
    assert [False, False, True] == [
        looks(breaker, lane) for lane in (Lane.READ, Lane.ORDER, Lane.CANCEL)
    ]
    breaker.succeeded()
    assert all(looks(breaker, lane) for lane in Lane)


def test_looking_during_a_ban_stops_every_lane(breaker, clock):
    breaker.throttled("banned", 30.0, is_ban=True)

    assert not any(looks(breaker, lane) for lane in Lane)
    clock.seconds = 30.5
    assert all(looks(breaker, lane) for lane in Lane)
