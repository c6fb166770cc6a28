"""Whether to ask again, and when. A decision, not a wrapper: the caller does the asking.

Only what an endpoint declares safe to repeat is repeated, and never an order: a status code can't
tell whether asking twice does harm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from dragoman.errors import (
    BusyError,
    ConnectFailedError,
    InvalidValueError,
    OutcomeUnknownError,
    Violation,
)
from dragoman.times import SECOND_NS
from dragoman.transport.base import Lane

from .backoff import Backoff

if TYPE_CHECKING:
    from random import Random

    from dragoman.errors import (
        DragomanError,
    )
    from dragoman.transport.endpoint import Endpoint

__all__ = ["RetryPolicy", "may_repeat"]


def may_repeat(endpoint: Endpoint) -> bool:
    """Tell whether a call of this endpoint may ever be repeated; orders never, whatever is said."""
    return endpoint.is_safe_to_repeat and endpoint.lane is not Lane.ORDER


@attrs.frozen(kw_only=True)
class RetryPolicy:
    """How often and for how long to ask again: at most `attempts` calls within `budget_s`."""

    attempts: int = 3
    budget_s: float = 20.0
    backoff: Backoff = attrs.field(factory=Backoff)

    def __attrs_post_init__(self) -> None:
        if self.attempts < 1 or not self.budget_s >= 0:
            allowed = "attempts >= 1 and budget_s >= 0"
            raise InvalidValueError.of("retry", [Violation.of("policy", self, allowed)])

    def delay_ns(
        self,
        endpoint: Endpoint,
        error: DragomanError,
        *,
        attempts: int,
        elapsed_ns: int,
        random: Random,
    ) -> int | None:
        """Return how long to wait before the next attempt; None where there must be none.

        A venue that named a time is not asked before it; if that is beyond the budget, not at all.

        Args:
            endpoint: What was asked.
            error: How the last attempt failed.
            attempts: How many attempts were made (1 or more).
            elapsed_ns: How long all of them took, waits included, in monotonic time.
            random: Draws the wait.
        """
        if not may_repeat(endpoint) or not _is_passing(error) or attempts >= self.attempts:
            return None
        asked_ns = round((error.retry_after or 0.0) * SECOND_NS)
        delay_ns = asked_ns + self.backoff.delay_ns(attempts, random)
        return delay_ns if elapsed_ns + delay_ns <= self.budget_s * SECOND_NS else None


def _is_passing(error: DragomanError) -> bool:
    """Tell whether the failure may be gone next time; an open circuit is meant to fail at once."""
    return isinstance(error, (BusyError, ConnectFailedError, OutcomeUnknownError))
