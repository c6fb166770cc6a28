"""Keys that open nothing: how often they may be shown, and by whom."""

import pytest
from tests.gateway.standing import CAPTAIN, LOOKOUT, TokenToy, bearer, gateway

from dragoman.dialects import AccessKey, Scope
from dragoman.errors import AuthenticationError, RateLimitedError
from dragoman.times import SECOND_NS, ManualClock
from dragoman_gateway.attempts import FailedAttempts
from dragoman_gateway.correlation import Visit
from dragoman_gateway.entrance import Entrance


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def attempts(clock):
    return FailedAttempts(clock, 3)


def is_let(call, *arguments):
    try:
        call(*arguments)
    except RateLimitedError:
        return False
    return True


def test_too_many_failures_must_wait(attempts):
    found = [is_let(attempts.note_failure, "a") for _ in range(5)]

    assert [True, True, True, False, False] == found


def test_other_addresses_are_not_concerned(attempts):
    for _ in range(3):
        attempts.note_failure("a")

    assert is_let(attempts.note_failure, "b")


async def test_one_is_forgiven_each_second(attempts, clock):
    for _ in range(3):
        attempts.note_failure("a")
    await clock.advance(seconds=2)

    assert [True, True, False] == [is_let(attempts.note_failure, "a") for _ in range(3)]


async def test_the_error_tells_how_long_to_wait(attempts, clock):
    for _ in range(3):
        attempts.note_failure("a")

    with pytest.raises(RateLimitedError) as raised:
        attempts.note_failure("a")
    await clock.advance(seconds=raised.value.retry_after)
    assert is_let(attempts.note_failure, "a")


def test_a_right_key_that_is_new_waits_and_a_known_one_does_not(attempts):
    attempts.note_success("a", "captain")
    for _ in range(3):
        attempts.note_failure("a")

    assert is_let(attempts.note_success, "a", "captain")
    assert not is_let(attempts.note_success, "a", "mate")
    assert is_let(attempts.note_success, "b", "mate")


def test_it_remembers_so_many_addresses_and_no_more(attempts):
    for number in range(10_000):
        attempts.note_failure(f"address {number}")
        attempts.note_success(f"guest {number}", "captain")

    assert 4096 == len(attempts._failures) == len(attempts._guests)


def test_a_key_that_may_halt_never_waits(clock):
    halting = AccessKey(key_id="halt", secret="key-of-the-halt", scopes=frozenset({Scope.HALT}))
    entrance = Entrance([halting, LOOKOUT], clock)
    visit = Visit("c", "a", 0.0)
    for _ in range(60):
        with pytest.raises((AuthenticationError, RateLimitedError)):
            entrance.enter(None, "wrong", visit)

    assert "halt" == entrance.enter(None, "key-of-the-halt", visit).key_id
    with pytest.raises(RateLimitedError):
        entrance.enter(None, LOOKOUT.secret.reveal(), visit)


def test_showing_nothing_is_no_attempt(clock):
    entrance = Entrance([LOOKOUT], clock)
    for _ in range(1000):
        with pytest.raises(AuthenticationError):
            entrance.enter(None, None, None)

    assert "lookout" == entrance.enter(None, LOOKOUT.secret.reveal(), None).key_id


async def test_a_client_that_guesses_is_told_to_wait_and_others_go_on(broker):
    async with gateway(broker, [TokenToy()], keys=[CAPTAIN, LOOKOUT]) as client:
        its = bearer(LOOKOUT.secret.reveal())
        assert 200 == (await client.get("/account", headers=its)).status
        found = {
            (await client.get("/account", headers=bearer(f"guess {number}"))).status
            for number in range(200)
        }

        assert {401, 429} == found
        assert 200 == (await client.get("/account", headers=its)).status


def test_recognizing_counts_nothing(clock):
    entrance = Entrance([LOOKOUT], clock)
    for _ in range(1000):
        with pytest.raises(AuthenticationError):
            entrance.find(None, "wrong")

    assert "lookout" == entrance.enter(None, LOOKOUT.secret.reveal(), None).key_id
    assert 0 <= clock.monotonic_ns() < SECOND_NS
