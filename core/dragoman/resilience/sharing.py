"""One limiter and one breaker for everybody in the process who uses the same account.

A venue counts by account or address, not by connection object, so two brokers on one account that
each kept their own count would break the limit together. The table is therefore the process's, as
the limit is; it holds its entries weakly, so that they live exactly as long as somebody uses them.
Simulated time is never shared with the machine's: entries are told apart by clock.
"""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING, Final, TypeVar
from weakref import WeakValueDictionary

from dragoman.times import SystemClock

from .breaker import Breaker
from .ratelimit import RateLimiter

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from dragoman.times import Clock

__all__ = ["account_key", "shared_breaker", "shared_pools"]

Shared = TypeVar("Shared", RateLimiter, Breaker)

_lock: Final = threading.Lock()
_limiters: Final[WeakValueDictionary[Hashable, RateLimiter]] = WeakValueDictionary()
_breakers: Final[WeakValueDictionary[Hashable, Breaker]] = WeakValueDictionary()


def account_key(provider: str, *identity: str) -> str:
    """Return a key for whoever a venue counts: a hash, from which no credential can be read back.

    `identity` is what the venue tells users apart by: the API key, or the account.
    """
    digest = hashlib.sha256(b"\0".join(part.encode(errors="surrogatepass") for part in identity))
    return f"{provider}:{digest.hexdigest()}"


def shared_pools(key: str, clock: Clock, factory: Callable[[], RateLimiter]) -> RateLimiter:
    """Return the limiter that the users of `key` share; the first of them has it made.

    Keep it as long as it is used: it ends with its last user.
    """
    return _shared(_limiters, key, clock, factory)


def shared_breaker(key: str, clock: Clock, factory: Callable[[], Breaker]) -> Breaker:
    """Return the breaker that the users of `key` share; the first of them has it made.

    Keep it as long as it is used: it ends with its last user.
    """
    return _shared(_breakers, key, clock, factory)


def _shared(
    table: WeakValueDictionary[Hashable, Shared],
    key: str,
    clock: Clock,
    factory: Callable[[], Shared],
) -> Shared:
    # Every system clock counts the same seconds, though each counts from its own start.
    place = (key, SystemClock if isinstance(clock, SystemClock) else id(clock))
    with _lock:
        thing = table.get(place)
        if thing is None:
            thing = table[place] = factory()
        return thing
