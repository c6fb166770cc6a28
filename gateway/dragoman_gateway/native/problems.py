"""How an error is told: one body for every status from 400 on.

The status says what a client may do next. Only a read is ever answered with a 504, and a command
whose fate is unknown with a 500: generic clients repeat a 502, 503 or 504 by themselves.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import attrs
import msgspec
from aiohttp import web

from dragoman.errors import (
    AccountLockedError,
    AuthenticationError,
    BusyError,
    CircuitOpenError,
    ConflictError,
    ConnectFailedError,
    DuplicateOrderError,
    HaltedError,
    InvalidValueError,
    LifecycleError,
    NotFoundError,
    Outcome,
    PermissionDeniedError,
    RateLimitedError,
    ReconcilingError,
    RequestError,
    UnknownInstrumentError,
    UnsupportedError,
    VenueError,
    Violation,
    WaitTimeoutError,
)
from dragoman.models.serde import error_to_plain, to_plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dragoman.errors import (
        DragomanError,
    )
    from dragoman.models.serde import Plain

__all__ = [
    "Problem",
    "UnreadableBodyError",
    "error_answer",
    "invalid",
    "not_found",
    "plain_error",
    "refusal",
    "status_of",
]

_KINDS: Final[tuple[tuple[type[DragomanError], int], ...]] = (
    (AuthenticationError, 401),
    (PermissionDeniedError, 403),
    (NotFoundError, 404),
    (UnknownInstrumentError, 404),
    (ConflictError, 409),
    (DuplicateOrderError, 409),
    (RateLimitedError, 429),
    (HaltedError, 423),
    (ReconcilingError, 423),
    (AccountLockedError, 423),
    (UnsupportedError, 422),
    (RequestError, 422),
    (VenueError, 422),
    (BusyError, 503),
    (CircuitOpenError, 503),
    (ConnectFailedError, 503),
    (WaitTimeoutError, 504),
)
_READ_ONLY: Final = 423
_RECONCILING_S: Final = 1.0
_NOT_SENT_BY: Final = frozenset({400, 401, 403, 404, 405, 408, 411, 413, 415, 417, 422, 429, 503})
_UNKNOWN_BY: Final = frozenset({500})


class UnreadableBodyError(InvalidValueError):
    """The body is no JSON document."""


@attrs.frozen(kw_only=True)
class Problem:
    """Why a request failed, and what is known of what it asked for.

    `type` is the class of the error, HTTPError for what the host refuses before a handler sees it.
    `outcome` is NOT_SENT (nothing was done), REJECTED (the venue said no), UNKNOWN (it may have
    taken effect: look before asking again) or null (a read). `retry_after` is in seconds.
    """

    status: int
    type: str
    message: str
    outcome: Outcome | None = None
    provider: str | None = None
    code: str | None = None
    request_id: str | None = None
    retry_after: float | None = None
    reason: str | None = None
    client_order_id: str | None = None
    violations: tuple[Violation, ...] = ()


def refusal(status: int, message: str) -> web.Response:
    """Return the answer of a status that the host decides on."""
    outcome = Outcome.UNKNOWN if status in _UNKNOWN_BY else None
    outcome = Outcome.NOT_SENT if status in _NOT_SENT_BY else outcome
    problem = Problem(status=status, type="HTTPError", message=message, outcome=outcome)
    return _answer(status, {"error": to_plain(problem)})


def error_answer(error: DragomanError, rows: Sequence[Plain] | None = None) -> web.Response:
    """Return the answer to a request that failed; `rows` is what is known of each of its orders."""
    problem = plain_error(error)
    body: dict[str, Plain] = {"error": problem}
    if rows is not None:
        body["results"] = list(rows)
    answer = _answer(status_of(error), body)
    retry_after = problem["retry_after"]
    if isinstance(retry_after, (int, float)):
        answer.headers["Retry-After"] = str(max(math.ceil(retry_after), 1))
    if answer.status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def plain_error(error: DragomanError) -> dict[str, Plain]:
    """Return an error as a `Problem` in plain data."""
    facts = error_to_plain(error)
    plain: dict[str, Plain] = {"status": status_of(error)}
    plain |= {name: facts.get(name) for name in _NAMES}
    plain["violations"] = facts.get("violations") or []
    if isinstance(error, ReconcilingError) and error.retry_after is None:
        plain["retry_after"] = _RECONCILING_S
    return plain


def status_of(error: DragomanError) -> int:
    """Return the status that tells this error."""
    if error.outcome is Outcome.UNKNOWN:
        return 500
    if isinstance(error, UnreadableBodyError):
        return 400
    found = next((status for kind, status in _KINDS if isinstance(error, kind)), None)
    if found is not None:
        return found
    if type(error) is LifecycleError:
        return _READ_ONLY
    return 503 if isinstance(error, LifecycleError) else 502


def invalid(what: str, *violations: Violation) -> InvalidValueError:
    """Return the error for a request of which these parts are wrong."""
    return InvalidValueError.of(what, violations)


def not_found(message: str) -> NotFoundError:
    """Return the error for what is not here."""
    return NotFoundError(message, outcome=Outcome.NOT_SENT)


def _answer(status: int, body: Mapping[str, Plain]) -> web.Response:
    encoded = msgspec.json.encode(body)
    return web.Response(status=status, body=encoded, content_type="application/json")


_NAMES: Final = tuple(field.name for field in attrs.fields(Problem) if field.name != "status")
