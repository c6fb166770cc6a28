"""Alpaca's refusals: what each means for the one who asked.

One code stands for many reasons (40310000 for anything from no money to a wash trade), so the
message decides, and code and status only where no message is known. Nothing is said here of what
may be in effect after all: a 5xx is for the broker to resolve.

Source: Alpaca Trading API, OpenAPI document, checked 2026-06-15; refusals quoted from live use in
the issue trackers of alpacahq's clients, 2019 to 2026.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from dragoman.errors import (
    AuthenticationError,
    ConflictError,
    NotFoundError,
    OrderRejectedError,
    Outcome,
    PermissionDeniedError,
    RateLimitedError,
    RejectReason,
)
from dragoman.transport.base import Lane
from dragoman.transport.codec import decode

from .wire.trading import Problem

if TYPE_CHECKING:
    from dragoman.errors import DragomanError, VenueError
    from dragoman.transport.base import HttpResponse
    from dragoman.transport.endpoint import Endpoint

__all__ = ["REASONS", "classify", "error_of", "reason_of"]

_LONGEST_MESSAGE: Final = 300
_SERVER_ERRORS: Final = 500
_THROTTLED: Final = 429
_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403
_NOT_FOUND: Final = 404
_CONFLICT: Final = 409
_REFUSALS: Final = frozenset({400, 403, 422})


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


REASONS: Final[tuple[tuple[re.Pattern[str], RejectReason], ...]] = tuple(
    (_pattern(text), reason)
    for text, reason in (
        (r"client.?order.?id must be unique", RejectReason.DUPLICATE_CLIENT_ORDER_ID),
        (r"wash trade|opposite side .* order exists", RejectReason.SELF_TRADE),
        (r"pattern.?day.?trad|risk limit", RejectReason.RISK_LIMIT),
        (r"would take liquidity", RejectReason.WOULD_TAKE),
        (r"would trigger", RejectReason.WOULD_TRIGGER),
        (r"no liquidity", RejectReason.NO_LIQUIDITY),
        (r"position mode", RejectReason.POSITION_MODE),
        (r"insufficient.*buying.?power", RejectReason.INSUFFICIENT_FUNDS),
        (r"insufficient (qty|quantity)|no available position", RejectReason.INSUFFICIENT_POSITION),
        (r"insufficient balance for (?!usd)\w", RejectReason.INSUFFICIENT_POSITION),
        (r"insufficient (balance|funds|cash)", RejectReason.INSUFFICIENT_FUNDS),
        (r"(price|take.?profit|stop.?loss).* must ", RejectReason.INVALID_PRICE),
        (r"cost basis must be|minimal amount|must be >= ", RejectReason.BELOW_MINIMUM),
        (r"not shortable|(sold?|to) short|short sell|shorting", RejectReason.SHORT_NOT_ALLOWED),
        (r"sub-penny|minimum pricing criteria", RejectReason.INVALID_PRICE),
        (r"position intent mismatch", RejectReason.WOULD_INCREASE),
        (r"order parameters are not changed", RejectReason.OTHER),
        (r"not fractionable|fractional", RejectReason.INVALID_QUANTITY),
        (r"too many (open )?orders|number of (open )?orders", RejectReason.TOO_MANY_ORDERS),
        (r"exceeds? (the )?max|must be <= ", RejectReason.ABOVE_MAXIMUM),
        (r"market is (closed|not open)|market hours|only .* during", RejectReason.MARKET_CLOSED),
        (r"(opg|cls|on.(open|close)) orders? .*(after|before|between)", RejectReason.MARKET_CLOSED),
        (r"not (currently )?tradable|is not active|halted", RejectReason.NOT_TRADABLE),
        (r"(asset|symbol|contract).*(not found|not exist)", RejectReason.UNKNOWN_SYMBOL),
        (r"(invalid|unknown) symbol|could not find asset", RejectReason.UNKNOWN_SYMBOL),
        (r"account .*(restrict|block|suspend|closed|not )", RejectReason.NOT_PERMITTED),
        (r"not (allowed|permitted|authorized|eligible|enabled)", RejectReason.NOT_PERMITTED),
        (r"rejected by user request|trade denied", RejectReason.NOT_PERMITTED),
        (r"must be (market|limit|entry|exit|simple)|not support", RejectReason.UNSUPPORTED),
        (r"unsupported|invalid (order.?)?(type|class|side)", RejectReason.UNSUPPORTED),
        (r"invalid time.?in.?force|orders? (require|must|only)", RejectReason.UNSUPPORTED),
        (r"(limit|stop|trail|base|take.?profit|stop.?loss).*price", RejectReason.INVALID_PRICE),
        (r"\b(qty|quantity|notional)\b", RejectReason.INVALID_QUANTITY),
    )
)
"""What a message means, the first that fits.

Some reasons the venue has no words for; simulators that speak its language have.
"""

_IN_NO_STATE: Final = _pattern(
    r"not cancel+able|already (in|been|filled|cancel+ed|replaced)|isn't sent to exchange|"
    r"(unable|cannot|not able|can't) (to )?(replace|cancel)|pending (cancel|replace)"
)
"""What is there and can't be changed, or not any more."""

_NOT_THERE: Final = _pattern(r"not found|does not exist|no (such )?position")
_BAD_KEY: Final = _pattern(r"\A(forbidden|unauthorized|request is not authorized|access key)")
_NO_PERMISSION: Final = _pattern(r"subscription|permit|scope|not authorized to")


def classify(endpoint: Endpoint, response: HttpResponse) -> DragomanError | None:
    """Return what a refusal means; None where Alpaca's table says nothing of it.

    Nothing is said of a server's error: a command may be in effect. A request that its own rate
    limit turns away is not served.

    Raises:
        DecodeError: The body is none of Alpaca's: somebody in between answered.
    """
    status = response.status
    if status >= _SERVER_ERRORS:
        return None
    return error_of(endpoint, status, decode(response.body, Problem))


def error_of(endpoint: Endpoint, status: int, problem: Problem) -> DragomanError | None:
    """Return what one refusal means: of a whole request, or of one row of a multi-status answer."""
    text = (problem.message or "")[:_LONGEST_MESSAGE]
    code = None if problem.code is None else str(problem.code)
    message = f"{endpoint.name}: {text or code or status}"
    if status == _THROTTLED:
        if endpoint.lane is Lane.READ:
            return RateLimitedError(message, code=code)
        # Only its own limiter, which has a code or says so, is known to turn away before serving.
        is_own = code is not None or "rate limit" in text or "too many requests" in text
        return RateLimitedError(message, code=code, outcome=Outcome.REJECTED) if is_own else None
    if not text and code is None:
        return None
    refusal = _refusal(endpoint, status, problem, text)
    if refusal is not None:
        return refusal(message, code=code)
    if endpoint.lane is Lane.ORDER and status in _REFUSALS | {_NOT_FOUND}:
        reason = _said(problem) or RejectReason.OTHER
        return OrderRejectedError(message, reason=reason, code=code)
    return None


def reason_of(message: str) -> RejectReason | None:
    """Return what a message of Alpaca's says about an order; None where none of it is known."""
    return next((reason for pattern, reason in REASONS if pattern.search(message)), None)


def _refusal(
    endpoint: Endpoint, status: int, problem: Problem, text: str
) -> type[VenueError] | None:
    """Return the class of a refusal that is not about an order's terms."""
    is_order = endpoint.lane is Lane.ORDER
    if status == _UNAUTHORIZED or str(problem.code).endswith("110000"):
        return AuthenticationError
    if status == _FORBIDDEN and _BAD_KEY.search(text):
        return AuthenticationError
    if status == _CONFLICT or (status in _REFUSALS and _IN_NO_STATE.search(text)):
        return ConflictError
    if status == _NOT_FOUND and not (is_order and _said(problem)) and _NOT_THERE.search(text):
        return NotFoundError
    if status == _FORBIDDEN and not is_order and _NO_PERMISSION.search(text):
        return PermissionDeniedError
    return None


def _said(problem: Problem) -> RejectReason | None:
    words = (problem.message, problem.reject_reason, str(problem.code or "").replace("_", " "))
    found = (reason_of(one) for one in words if one)
    return next((reason for reason in found if reason is not None), None)
