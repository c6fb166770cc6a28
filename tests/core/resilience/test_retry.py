from random import Random

import pytest

from dragoman import errors
from dragoman.errors import Outcome
from dragoman.resilience.backoff import Backoff
from dragoman.resilience.retry import RetryPolicy, may_repeat
from dragoman.times import SECOND_NS
from dragoman.transport.base import Lane
from dragoman.transport.endpoint import Endpoint

READ = Endpoint(name="orders", method="GET", path="/orders", is_safe_to_repeat=True)
POLICY = RetryPolicy(attempts=3, budget_s=10, backoff=Backoff(first_s=1, cap_s=1, floor_s=1))


def delay_s(error, *, endpoint=READ, attempts=1, elapsed_s=0, policy=POLICY):
    elapsed_ns = elapsed_s * SECOND_NS
    delay = policy.delay_ns(
        endpoint, error, attempts=attempts, elapsed_ns=elapsed_ns, random=Random(0)
    )
    return None if delay is None else delay / SECOND_NS


@pytest.mark.parametrize(
    "error",
    [
        errors.VenueUnavailableError("down"),
        errors.RateLimitedError("slow down"),
        errors.ConnectFailedError("refused"),
        errors.OutcomeUnknownError("lost"),
    ],
)
def test_a_passing_failure_of_a_safe_call_is_waited_out(error):
    assert 1 == delay_s(error)


@pytest.mark.parametrize(
    "error",
    [
        errors.AuthenticationError("no"),
        errors.CircuitOpenError("suspended"),
        errors.StreamLostError("cut"),
        errors.DecodeError("nonsense"),
        errors.NotFoundError("what"),
        errors.InvalidValueError("bad"),
    ],
)
def test_what_would_fail_again_is_not_repeated(error):
    assert delay_s(error) is None


def test_what_is_not_declared_safe_is_never_repeated():
    endpoint = Endpoint(name="transfer", method="GET", path="/")

    assert not may_repeat(endpoint)
    assert delay_s(errors.VenueUnavailableError("down"), endpoint=endpoint) is None


@pytest.mark.parametrize("outcome", Outcome)
def test_an_order_is_never_repeated_whatever_is_declared(outcome):
    order = Endpoint(
        name="submit", method="POST", path="/", lane=Lane.ORDER, is_safe_to_repeat=True
    )

    assert not may_repeat(order)
    assert delay_s(errors.VenueUnavailableError("down", outcome=outcome), endpoint=order) is None


def test_a_cancel_that_is_declared_safe_is_repeated():
    cancel = Endpoint(
        name="cancel", method="DELETE", path="/", lane=Lane.CANCEL, is_safe_to_repeat=True
    )

    assert 1 == delay_s(errors.OutcomeUnknownError("lost"), endpoint=cancel)


def test_attempts_are_limited():
    error = errors.VenueUnavailableError("down")

    assert [1, 1, None, None] == [delay_s(error, attempts=n) for n in (1, 2, 3, 4)]


def test_a_wait_never_ends_beyond_the_budget():
    error = errors.VenueUnavailableError("down")

    assert [1, None] == [delay_s(error, elapsed_s=elapsed) for elapsed in (9, 9.001)]


def test_a_venue_that_names_a_time_is_not_asked_before_it():
    assert 5 == delay_s(errors.RateLimitedError("slow down", retry_after=4))


def test_a_time_beyond_the_budget_is_not_waited_for():
    assert delay_s(errors.RateLimitedError("slow down", retry_after=9.5)) is None


@pytest.mark.parametrize("terms", [{"attempts": 0}, {"budget_s": -1}, {"budget_s": float("nan")}])
def test_senseless_terms_are_refused(terms):
    with pytest.raises(errors.InvalidValueError, match="retry"):
        RetryPolicy(**terms)


def test_the_usual_policy_repeats_a_read():
    assert delay_s(errors.VenueUnavailableError("down"), policy=RetryPolicy()) is not None
