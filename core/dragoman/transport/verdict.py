"""What a response or a failure means, and what breaker and error must know of it.

The venue's own table is asked first. What it leaves open, the status decides.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.errors import (
    BusyError,
    ConnectFailedError,
    DragomanError,
    ErrorFacts,
    OutcomeUnknownError,
    ProtocolError,
    RateLimitedError,
    UnknownReason,
    VenueUnavailableError,
)
from dragoman.resilience.breaker import Breaker
from dragoman.resilience.retry_after import clamped_wait_s, retry_after_s
from dragoman.times import Clock

from .base import HttpResponse, Lane
from .endpoint import Endpoint
from .statuses import THROTTLED, error_for_status

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Classify", "Verdicts"]

Classify = Callable[[Endpoint, HttpResponse], DragomanError | None]
"""A venue's table: the error that a response means to it; None where it does not know."""
_SUCCESS: Final = range(200, 300)
_SERVER_ERRORS: Final = range(500, 600)
_TEAPOT: Final = 418
_LONGEST_ID: Final = 128


def _knows_nothing(endpoint: Endpoint, response: HttpResponse) -> DragomanError | None:  # noqa: ARG001 - of the table
    return None


@attrs.frozen(kw_only=True)
class Verdicts:
    """Judges what comes back from one venue.

    `reads_success` also asks the table about 2xx responses, for venues that report errors in them.
    """

    provider: str
    clock: Clock
    breaker: Breaker | None = None
    classify: Classify = _knows_nothing
    reads_success: bool = False
    request_id_header: str | None = None

    def on_response(self, endpoint: Endpoint, response: HttpResponse) -> DragomanError | None:
        """Return the error that a whole response means, None for success; the breaker is told."""
        status = response.status
        is_success = status in _SUCCESS
        if is_success and not self.reads_success:
            self._report(status, None, None)
            return None
        wait_s = None if is_success else retry_after_s(response.headers, self.clock.now_ns())
        error = self._known(endpoint, response)
        if error is None and not is_success:
            error = error_for_status(endpoint, status, self._facts(response.headers, wait_s))
        self._report(status, error, wait_s)
        return error

    def on_failure(
        self, endpoint: Endpoint, error: DragomanError, *, was_fair: bool
    ) -> DragomanError:
        """Return the error for an exchange that did not end whole; the breaker is told.

        `was_fair` says whether the venue had a fair part of the call's time: if the call used that
        up by waiting for its turn, its failure says nothing of the venue.
        """
        error.provider = error.provider or self.provider
        if self.breaker is None or not was_fair:
            return error
        if isinstance(error, (ConnectFailedError, OutcomeUnknownError)):
            reason = error.reason if isinstance(error, OutcomeUnknownError) else None
            if reason is not UnknownReason.CLOSED:
                self.breaker.failed(f"{endpoint.name}: {reason or 'no connection'}")
        return error

    def for_caller(self, endpoint: Endpoint, error: DragomanError) -> DragomanError:
        """Return what the caller of an endpoint gets: a read has no fate that could be unknown."""
        if endpoint.lane is not Lane.READ or not isinstance(error, OutcomeUnknownError):
            return error
        kind = (
            ProtocolError if error.reason is UnknownReason.BAD_RESPONSE else VenueUnavailableError
        )
        return kind(
            f"{endpoint.name}: no whole answer came ({error.reason})", provider=self.provider
        )

    def _known(self, endpoint: Endpoint, response: HttpResponse) -> DragomanError | None:
        try:
            error = self.classify(endpoint, response)
        except ProtocolError:
            return None  # a page of a proxy is no word of the venue's
        if error is None:
            return None
        if error.retry_after is not None:
            error.retry_after = clamped_wait_s(error.retry_after)
        facts = self._facts(response.headers, error.retry_after)
        error.provider = error.provider or self.provider
        error.request_id = error.request_id or facts.get("request_id")
        if isinstance(error, RateLimitedError) and error.retry_after is None:
            error.retry_after = retry_after_s(response.headers, self.clock.now_ns())
        if endpoint.lane is Lane.READ or error.outcome is not None:
            return error
        return _doubtful(endpoint, error)

    def _facts(self, headers: Mapping[str, str], wait_s: float | None) -> ErrorFacts:
        facts = ErrorFacts(provider=self.provider, retry_after=wait_s)
        if self.request_id_header is not None:
            request_id = headers.get(self.request_id_header.lower())
            if request_id is not None and request_id.isprintable():
                facts["request_id"] = request_id[:_LONGEST_ID]
        return facts

    def _report(self, status: int, error: DragomanError | None, wait_s: float | None) -> None:
        breaker = self.breaker
        if breaker is None:
            return
        if status in THROTTLED or isinstance(error, RateLimitedError):
            wait_s = wait_s if error is None or error.retry_after is None else error.retry_after
            breaker.throttled(f"the venue answered {status}", wait_s, is_ban=status == _TEAPOT)
        elif status in _SERVER_ERRORS:
            breaker.failed(f"the venue answered {status}")
        else:
            breaker.succeeded()


def _doubtful(endpoint: Endpoint, error: DragomanError) -> DragomanError:
    """A command that the venue's table calls neither refused nor unsent may be in effect."""
    is_busy = isinstance(error, BusyError)
    return OutcomeUnknownError(
        f"{endpoint.name}: {error.message}; whether it is in effect is not known",
        reason=UnknownReason.BUSY if is_busy else UnknownReason.BAD_RESPONSE,
        provider=error.provider,
        code=error.code,
        request_id=error.request_id,
        retry_after=error.retry_after,
    )
