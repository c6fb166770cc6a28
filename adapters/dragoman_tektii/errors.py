"""Tektii's refusals: what each means for the one who asked.

A gateway repeats some commands towards its broker by itself, so a refusal for being too busy may
follow upon a first attempt that went through: of those nothing is said here, and the order is
looked up. Nor is anything said of a server's error, but for the one that a gateway answers before
it asks its broker.

Source: Tektii trading gateway 0.2.0, OpenAPI document 1.0.0; checked 2026-11-20.
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
    RateLimitedError,
    RejectReason,
    UnknownInstrumentError,
    UnsupportedError,
    VenueError,
    VenueUnavailableError,
)
from dragoman.transport.base import Lane
from dragoman.transport.codec import JsonDecoder

from .mapping.words import REJECT_CODES
from .wire import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.errors import DragomanError
    from dragoman.transport.base import HttpResponse
    from dragoman.transport.endpoint import Endpoint

__all__ = ["MODIFYING", "classify", "reason_of"]

MODIFYING: Final = "PATCH"
"""The method of a change, which is refused for the state of the order more than for its terms."""

_LONGEST: Final = 300
_NOT_FOUND: Final = 404
_BAD_TERMS: Final = frozenset({"INVALID_REQUEST", "INVALID_VALUE", "VALIDATION_ERROR"})
_CLASSES: Final[dict[str, type[VenueError]]] = {
    "UNAUTHORIZED": AuthenticationError,
    "ORDER_NOT_FOUND": NotFoundError,
    "POSITION_NOT_FOUND": NotFoundError,
    "OCO_GROUP_NOT_FOUND": NotFoundError,
    "RESET_COOLDOWN": ConflictError,
}
_FIELDS: Final = {
    "quantity": RejectReason.INVALID_QUANTITY,
    "display_quantity": RejectReason.INVALID_QUANTITY,
    "limit_price": RejectReason.INVALID_PRICE,
    "stop_price": RejectReason.INVALID_PRICE,
    "stop_loss": RejectReason.INVALID_PRICE,
    "take_profit": RejectReason.INVALID_PRICE,
    "trailing_distance": RejectReason.INVALID_PRICE,
    "symbol": RejectReason.UNKNOWN_SYMBOL,
}
_WORDS: Final = tuple(
    (re.compile(text, re.IGNORECASE), reason)
    for text, reason in (
        (
            r"client.?order.?id.*(unique|exist|duplicate|used)",
            RejectReason.DUPLICATE_CLIENT_ORDER_ID,
        ),
        (r"self.?trade|wash", RejectReason.SELF_TRADE),
        (r"insufficient|not enough", RejectReason.INSUFFICIENT_FUNDS),
        (r"market.*(closed|not open)", RejectReason.MARKET_CLOSED),
        (r"not.*tradable|halted", RejectReason.NOT_TRADABLE),
    )
)
"""What brokers behind a gateway say whose code means nothing here."""
_READ: Final = JsonDecoder(Problem)


def classify(endpoint: Endpoint, response: HttpResponse) -> DragomanError | None:
    """Return what a refusal means; None where nothing is proved by it.

    Raises:
        DecodeError: The body is none of a gateway's: a bad query, or somebody in between answered.
    """
    if response.status == _NOT_FOUND and not response.body:
        return VenueError(f"{endpoint.name}: this gateway has no such route", code="404")
    problem = _READ.decode(response.body)
    code = problem.details.code if problem.details and problem.details.code else problem.code
    message = f"{endpoint.name}: {problem.message[:_LONGEST] or code}"
    known = _CLASSES.get(problem.code)
    if known is not None:
        return known(message, code=code)
    judge = _JUDGES.get(problem.code)
    return None if judge is None else judge(endpoint, problem, message)


def reason_of(problem: Problem) -> RejectReason:
    """Return why an order was refused: by its code, else by what the message says."""
    code = (problem.details.reject_code if problem.details else None) or ""
    if code in REJECT_CODES and code != problem.code:
        return REJECT_CODES[code]
    if code in RejectReason.__members__:
        return RejectReason[code]
    said = f"{code} {problem.message}"
    return next((reason for word, reason in _WORDS if word.search(said)), RejectReason.OTHER)


def _rejected(endpoint: Endpoint, problem: Problem, message: str) -> DragomanError:
    code = (problem.details.reject_code if problem.details else None) or problem.code
    if endpoint.lane is Lane.ORDER:
        return OrderRejectedError(message, reason=reason_of(problem), code=code)
    return ConflictError(message, code=code)


def _bad_terms(endpoint: Endpoint, problem: Problem, message: str) -> DragomanError:
    """Say what is wrong with a request; some brokers so refuse to change what has ended."""
    field = problem.details.field if problem.details else None
    is_state = problem.code == "INVALID_REQUEST" and field is None
    if is_state and (endpoint.lane is Lane.CANCEL or endpoint.method == MODIFYING):
        return ConflictError(message, code=problem.code)
    if endpoint.lane is not Lane.ORDER:
        return VenueError(message, code=problem.code)
    named = field or next((name for name in _FIELDS if name in problem.message), "")
    reason = _FIELDS.get(named, RejectReason.OTHER)
    return OrderRejectedError(message, reason=reason, code=problem.code)


def _not_modifiable(endpoint: Endpoint, problem: Problem, message: str) -> DragomanError:
    """Say that an order has ended or, of a new one, that its name is taken."""
    code = problem.details.reject_code if problem.details else None
    if endpoint.lane is Lane.ORDER and code:
        return OrderRejectedError(message, reason=reason_of(problem), code=code)
    return ConflictError(message, code=problem.code)


def _no_symbol(endpoint: Endpoint, problem: Problem, message: str) -> DragomanError:
    if endpoint.lane is Lane.ORDER:
        reason = RejectReason.UNKNOWN_SYMBOL
        return OrderRejectedError(message, reason=reason, code=problem.code)
    return UnknownInstrumentError(message, code=problem.code)


def _unsupported(endpoint: Endpoint, problem: Problem, message: str) -> DragomanError:
    del endpoint
    return UnsupportedError(message, code=problem.code, outcome=Outcome.REJECTED)


def _going(endpoint: Endpoint, problem: Problem, message: str) -> DragomanError:
    """A gateway that goes says so before it asks its broker."""
    del endpoint
    return VenueUnavailableError(message, code=problem.code, outcome=Outcome.REJECTED)


def _throttled(endpoint: Endpoint, problem: Problem, message: str) -> DragomanError | None:
    if endpoint.lane is not Lane.READ:
        return None
    return RateLimitedError(message, code=problem.code, retry_after=_wait_of(problem))


def _wait_of(problem: Problem) -> float | None:
    seconds = problem.details.retry_after_seconds if problem.details else None
    return None if seconds is None else float(seconds)


_JUDGES: Final[dict[str, Callable[[Endpoint, Problem, str], DragomanError | None]]] = {
    **dict.fromkeys(_BAD_TERMS, _bad_terms),
    "SYMBOL_NOT_FOUND": _no_symbol,
    "ORDER_NOT_MODIFIABLE": _not_modifiable,
    "ORDER_REJECTED": _rejected,
    "UNSUPPORTED_OPERATION": _unsupported,
    "SHUTTING_DOWN": _going,
    "RATE_LIMITED": _throttled,
}
"""What each code means besides; those that are not here prove nothing."""
