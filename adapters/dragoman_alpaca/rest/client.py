"""The two clients of a session: one for trading, one for market data.

Each plane has a quota and a breaker of its own, so that a market data outage keeps no cancel from
going out. What is left of a quota, the venue says in each response.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from dragoman.errors import BusyError
from dragoman.resilience.breaker import Breaker
from dragoman.resilience.ratelimit import RateLimiter
from dragoman.resilience.retry_after import until_epoch_s
from dragoman.resilience.sharing import account_key, shared_breaker, shared_pools
from dragoman.transport.client import HttpClient
from dragoman.transport.signing import KeyHeaders
from dragoman.transport.verdict import Verdicts
from dragoman_alpaca.errors import classify

from .endpoints import DATA_POOL, TRADING_POOL

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.adapter import AdapterContext
    from dragoman.errors import DragomanError
    from dragoman.resilience.pools import Pool
    from dragoman.transport.base import HttpResponse, Transport
    from dragoman.transport.endpoint import Endpoint
    from dragoman.transport.verdict import Classify

__all__ = ["Clients"]

_KEYS: Final = {"APCA-API-KEY-ID": "api_key", "APCA-API-SECRET-KEY": "secret_key"}
_REQUEST_ID: Final = "X-Request-ID"
_LIMIT: Final = "x-ratelimit-limit"
_REMAINING: Final = "x-ratelimit-remaining"
_RESET: Final = "x-ratelimit-reset"
_MOST_DIGITS: Final = 9


@attrs.frozen
class Clients:
    """What a session sends by. Brokers on one key in one process share quotas and breakers."""

    trading: HttpClient
    market: HttpClient

    @classmethod
    def of(
        cls, context: AdapterContext, transport: Transport, judge: Classify = classify
    ) -> Clients:
        """Make the clients of a session.

        Args:
            context: Endpoints, credentials and clock.
            transport: Carries the requests.
            judge: What a refusal means.
        """
        # The venue behind another address counts for itself, even if it takes the same key.
        whose = account_key(
            context.provider, context.endpoints["rest"], context.credentials["api_key"]
        )
        pools = (TRADING_POOL, DATA_POOL)
        limiter = shared_pools(whose, context.clock, lambda: RateLimiter(pools, context.clock))

        def client(pool: Pool) -> HttpClient:
            breaker = shared_breaker(
                f"{whose}:{pool.name}",
                context.clock,
                lambda: Breaker(f"{context.provider} {pool.name}", context.clock),
            )
            return HttpClient(
                transport,
                context.endpoints,
                verdicts=Verdicts(
                    provider=context.provider,
                    clock=context.clock,
                    breaker=breaker,
                    classify=_with_reset(judge, context.clock.now_ns),
                    request_id_header=_REQUEST_ID,
                ),
                clock=context.clock,
                random=context.random,
                signer=KeyHeaders(context.credentials, _KEYS),
                limiter=limiter,
                on_response=_feed(limiter, pool, context.clock.now_ns),
            )

        return cls(client(TRADING_POOL), client(DATA_POOL))


def _feed(
    limiter: RateLimiter, pool: Pool, now_ns: Callable[[], int]
) -> Callable[[HttpResponse], None]:
    """Return what tells a limiter the quota that a response names, and what is left of it."""

    def take(response: HttpResponse) -> None:
        limit, remaining = (_count(response, name) for name in (_LIMIT, _REMAINING))
        if limit is not None:
            limiter.allow(pool.name, limit)
        if remaining is not None:
            resets_in_s = until_epoch_s(response.headers.get(_RESET, ""), now_ns())
            limiter.observe(pool.name, remaining=remaining, resets_in_s=resets_in_s)

    return take


def _count(response: HttpResponse, name: str) -> int | None:
    text = response.headers.get(name, "").strip()
    is_count = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
    return int(text) if is_count else None


def _with_reset(judge: Classify, now_ns: Callable[[], int]) -> Classify:
    """Return a table that lets "too many requests" say when the quota begins anew."""

    def judge_with_reset(endpoint: Endpoint, response: HttpResponse) -> DragomanError | None:
        error = judge(endpoint, response)
        if isinstance(error, BusyError) and error.retry_after is None:
            error.retry_after = until_epoch_s(response.headers.get(_RESET, ""), now_ns())
        return error

    return judge_with_reset
