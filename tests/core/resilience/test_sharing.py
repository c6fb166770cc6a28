import gc
import threading

from dragoman.resilience.breaker import Breaker
from dragoman.resilience.pools import Pool, Window
from dragoman.resilience.ratelimit import RateLimiter
from dragoman.resilience.sharing import account_key, shared_breaker, shared_pools
from dragoman.times import ManualClock, SystemClock

POOL = Pool("weight", (Window(1, 1),))


def limiter(key, clock):
    return shared_pools(key, clock, lambda: RateLimiter([POOL], clock))


def test_users_of_one_account_share_one_limiter_though_each_has_a_clock():
    first = limiter("venue:1", SystemClock())

    assert first is limiter("venue:1", SystemClock())
    assert first is not limiter("venue:2", SystemClock())


def test_users_of_one_account_share_one_breaker():
    clock = SystemClock()
    first = shared_breaker("venue:1", clock, lambda: Breaker("venue", clock))

    assert first is shared_breaker("venue:1", clock, lambda: Breaker("venue", clock))


def test_simulated_time_is_not_shared():
    clocks = [ManualClock(), ManualClock(), SystemClock()]
    limiters = [limiter("venue:1", clock) for clock in clocks]

    assert 3 == len(set(map(id, limiters)))
    assert limiters[0] is limiter("venue:1", clocks[0])


def test_an_entry_ends_with_its_last_user():
    clock = ManualClock()
    made = []
    kept = shared_pools("venue:9", clock, lambda: made.append(1) or RateLimiter([POOL], clock))

    del kept
    gc.collect()
    shared_pools("venue:9", clock, lambda: made.append(2) or RateLimiter([POOL], clock))

    assert [1, 2] == made


def test_threads_that_ask_at_once_get_the_same_limiter():
    clock = ManualClock()
    start = threading.Barrier(8)
    found = []

    def ask():
        start.wait()
        found.append(limiter("venue:1", clock))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 8 == len(found)
    assert 1 == len(set(map(id, found)))


def test_a_key_tells_identities_apart_and_shows_none():
    key = account_key("venue", "canary", "1")

    assert key == account_key("venue", "canary", "1")
    assert 4 == len(
        {
            key,
            account_key("venue", "canary1", ""),
            account_key("other", "canary", "1"),
            account_key("venue", "canary"),
        }
    )
    assert "canary" not in key
    assert key.startswith("venue:")
