"""How refusals are told: HTTP status, one of a closed set of codes, and the facts behind it.

What became of a command is never guessed. One whose fate is unknown is a 500 with `outcome`
`UNKNOWN` among its details, because the official client repeats a `DELETE` after any other status
that says "perhaps", and takes a 4xx for a refusal.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Final

import attrs
from aiohttp import web

from dragoman.errors import (
    AuthenticationError,
    BusyError,
    CircuitOpenError,
    ClosedError,
    ConfigurationError,
    ConflictError,
    ConnectFailedError,
    DragomanError,
    DuplicateOrderError,
    HaltedError,
    InvalidOrderError,
    InvalidValueError,
    LifecycleError,
    LimitExceededError,
    NotFoundError,
    OrderRejectedError,
    Outcome,
    OutcomeUnknownError,
    PermissionDeniedError,
    ProtocolError,
    RateLimitedError,
    RejectReason,
    TransportError,
    UnknownInstrumentError,
    UnsupportedError,
    VenueError,
    VenueUnavailableError,
)
from dragoman.transport.codec import encode
from dragoman_tektii.mapping.words import REJECT_CODES

if TYPE_CHECKING:
    from dragoman.errors import Violation

__all__ = [
    "FAILURES",
    "RefusedError",
    "invalid_request",
    "invalid_value",
    "json_response",
    "order_not_found",
    "position_not_found",
    "refusal_of",
    "refusal_of_status",
    "refused",
    "rejected",
    "symbol_not_found",
    "unmodifiable",
    "unsupported",
    "validation_failed",
]

FAILURES: Final = frozenset({"PROVIDER_ERROR", "PROVIDER_UNAVAILABLE"})
"""The codes that say that the broker itself failed."""

_CANONICAL: Final = {
    reason: code for code, reason in REJECT_CODES.items() if reason is not RejectReason.OTHER
}
_FIELDS: Final[Mapping[str, str]] = {
    "trailing": "trailing_distance",
    "stop_loss.price": "stop_loss",
    "take_profit.price": "take_profit",
    "group_id": "oco_group_id",
    "position_effect": "reduce_only",
}
_SECRETS: Final = re.compile(
    r"(api_?key|secret|token|password|authorization)(\s*[=:]\s*)(\S+)", re.IGNORECASE
)
_SECRET_NAMES: Final = frozenset(
    {"api_key", "apikey", "secret", "token", "password", "authorization"}
)
_HIDDEN: Final = "***REDACTED***"


class RefusedError(DragomanError):
    """A refusal in the protocol's own terms.

    `status` is the HTTP status, `word` the protocol's code, `details` the facts behind it; None
    leaves them out.
    """

    default_outcome: ClassVar[Outcome | None] = Outcome.NOT_SENT

    def __init__(
        self,
        status: int,
        word: str,
        message: str,
        *,
        details: Mapping[str, object] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, retry_after=retry_after)
        self.status = status
        self.word = word
        self.details = details

    @property
    def body(self) -> dict[str, object]:
        """What the answer holds, without anything that looks like a credential."""
        found: dict[str, object] = {"code": self.word, "message": _redacted(self.message)}
        if self.details is not None:
            found["details"] = {
                name: _redacted_detail(name, value) for name, value in self.details.items()
            }
        return found


def json_response(body: object, status: int = 200) -> web.Response:
    """Return an answer in JSON; amounts are texts by then."""
    return web.Response(body=encode(body), status=status, content_type="application/json")


def refused(refusal: RefusedError) -> web.Response:
    """Return the answer that tells of a refusal."""
    answer = json_response(refusal.body, refusal.status)
    if refusal.status == 429 and refusal.retry_after is not None:
        answer.headers["Retry-After"] = str(_seconds(refusal.retry_after))
    return answer


def invalid_request(message: str, field: str | None = None) -> RefusedError:
    """Return the refusal of what can't be read, or lacks something."""
    details = None if field is None else {"field": field}
    return RefusedError(400, "INVALID_REQUEST", f"Invalid request: {message}", details=details)


def invalid_value(field: str, message: str, provided: str | None = None) -> RefusedError:
    """Return the refusal of a value that may not stand where it does."""
    text = f"Invalid value for {field}: {message}"
    details = {"field": field, "provided": provided}
    return RefusedError(400, "INVALID_VALUE", text, details=details)


def validation_failed(fields: Mapping[str, Mapping[str, object]]) -> RefusedError:
    """Return the refusal of fields that break a rule of their own.

    Args:
        fields: By name, the rule: its `code`, a `message` and the `params` of it.
    """
    told = "; ".join(f"{name}: {rule['message']}" for name, rule in fields.items())
    details = {name: [dict(rule)] for name, rule in fields.items()}
    return RefusedError(400, "VALIDATION_ERROR", f"Validation failed: {told}", details=details)


def order_not_found(order_id: str) -> RefusedError:
    """Return the refusal for an order that does not exist."""
    details = {"resource": "order", "id": order_id}
    return RefusedError(404, "ORDER_NOT_FOUND", f"Order not found: {order_id}", details=details)


def position_not_found(position_id: str) -> RefusedError:
    """Return the refusal for a position that does not exist."""
    message = f"Position not found: {position_id}"
    details = {"resource": "position", "id": position_id}
    return RefusedError(404, "POSITION_NOT_FOUND", message, details=details)


def symbol_not_found(symbol: str) -> RefusedError:
    """Return the refusal for a symbol that the broker does not list."""
    message = f"Symbol not found: {symbol}"
    return RefusedError(404, "SYMBOL_NOT_FOUND", message, details={"symbol": symbol})


def unmodifiable(order_id: str, why: str) -> RefusedError:
    """Return the refusal to change what stands as it is."""
    message = f"Order cannot be modified: {why}"
    return RefusedError(409, "ORDER_NOT_MODIFIABLE", message, details={"order_id": order_id})


def unsupported(operation: str, provider: str | None, message: str) -> RefusedError:
    """Return the refusal of what the broker can't do."""
    details = {"operation": operation, "provider": provider}
    text = f"Unsupported operation: {message}"
    return RefusedError(501, "UNSUPPORTED_OPERATION", text, details=details)


def rejected(
    message: str, reason: RejectReason, facts: Mapping[str, object] | None = None
) -> RefusedError:
    """Return the refusal of an order by the broker."""
    code = "ORDER_REJECTED" if reason is RejectReason.OTHER else _CANONICAL.get(reason, str(reason))
    details = {"reject_code": code, **(facts or {})}
    return RefusedError(422, "ORDER_REJECTED", f"Order rejected: {message}", details=details)


def refusal_of_status(status: int, message: str) -> RefusedError:
    """Return what the host itself refuses, by its HTTP status."""
    if status == 413:  # what is too long is a body that can't be read here
        return invalid_request(message)
    if status == 503 and "closing" in message:
        return RefusedError(503, "SHUTTING_DOWN", f"Gateway is shutting down: {message}")
    word, prefix = _STATUSES.get(status, ("INVALID_REQUEST", "Invalid request"))
    details = {"code": "FORBIDDEN"} if status == 403 else None
    return RefusedError(status, word, f"{prefix}: {message}", details=details)


def refusal_of(error: DragomanError) -> RefusedError:
    """Return an error of the broker in the protocol's terms."""
    if isinstance(error, RefusedError):
        return error
    if error.outcome is Outcome.UNKNOWN:
        return _unknown(error)
    if isinstance(error, InvalidValueError):
        return _invalid(error)
    return _by_kind(error)


def _invalid(error: InvalidValueError) -> RefusedError:
    if isinstance(error, InvalidOrderError):
        return _breach(error)
    field = error.violations[0].field if error.violations else None
    return invalid_request(error.message, field)


@attrs.frozen
class _Kind:
    """How errors of one class are told."""

    error: type[DragomanError]
    status: int
    word: str
    prefix: str
    details: Mapping[str, object] | None = None


_STATUSES: Final[Mapping[int, tuple[str, str]]] = {
    401: ("UNAUTHORIZED", "Unauthorized"),
    403: ("UNAUTHORIZED", "Unauthorized"),
    429: ("RATE_LIMITED", "Rate limited"),
    500: ("INTERNAL_ERROR", "Internal error"),
    501: ("UNSUPPORTED_OPERATION", "Unsupported operation"),
    502: ("PROVIDER_ERROR", "Provider error"),
    503: ("PROVIDER_UNAVAILABLE", "Provider unavailable"),
    504: ("PROVIDER_ERROR", "Provider error"),
}
_KINDS: Final[tuple[_Kind, ...]] = (
    _Kind(UnknownInstrumentError, 404, "SYMBOL_NOT_FOUND", "Symbol not found"),
    _Kind(LimitExceededError, 422, "ORDER_REJECTED", "Order rejected", {"reject_code": "RISK"}),
    _Kind(DuplicateOrderError, 409, "ORDER_NOT_MODIFIABLE", "Order cannot be modified"),
    _Kind(ConfigurationError, 500, "INTERNAL_ERROR", "Internal error"),
    _Kind(AuthenticationError, 401, "UNAUTHORIZED", "Unauthorized", {"code": "AUTH_FAILED"}),
    _Kind(PermissionDeniedError, 403, "UNAUTHORIZED", "Unauthorized", {"code": "FORBIDDEN"}),
    _Kind(NotFoundError, 404, "ORDER_NOT_FOUND", "Order not found"),
    _Kind(ConflictError, 409, "ORDER_NOT_MODIFIABLE", "Order cannot be modified"),
    _Kind(HaltedError, 503, "PROVIDER_UNAVAILABLE", "Provider unavailable", {"reason": "HALTED"}),
    _Kind(ClosedError, 503, "SHUTTING_DOWN", "Gateway is shutting down"),
    _Kind(LifecycleError, 503, "PROVIDER_UNAVAILABLE", "Provider unavailable"),
    _Kind(VenueUnavailableError, 503, "PROVIDER_UNAVAILABLE", "Provider unavailable"),
    _Kind(BusyError, 503, "PROVIDER_UNAVAILABLE", "Provider unavailable"),
    _Kind(CircuitOpenError, 503, "PROVIDER_UNAVAILABLE", "Provider unavailable"),
    _Kind(ConnectFailedError, 502, "PROVIDER_ERROR", "Provider error"),
    _Kind(TransportError, 502, "PROVIDER_ERROR", "Provider error"),
    _Kind(ProtocolError, 500, "INTERNAL_ERROR", "Internal error"),
    _Kind(VenueError, 422, "ORDER_REJECTED", "Order rejected", {}),
)


def _by_kind(error: DragomanError) -> RefusedError:
    if isinstance(error, OrderRejectedError):
        return _rejection(error)
    if isinstance(error, RateLimitedError):
        return _throttled(error)
    if isinstance(error, UnsupportedError):
        return unsupported("request", error.provider, error.message)
    for kind in _KINDS:
        if isinstance(error, kind.error):
            details = kind.details
            if kind.word == "PROVIDER_ERROR" and error.provider:
                details = {"provider": error.provider}
            message = f"{kind.prefix}: {error.message}"
            return RefusedError(kind.status, kind.word, message, details=details)
    return RefusedError(500, "INTERNAL_ERROR", f"Internal error: {error.message}")


def _unknown(error: DragomanError) -> RefusedError:
    details: dict[str, object] = {"outcome": "UNKNOWN"}
    if isinstance(error, OutcomeUnknownError) and error.client_order_id:
        details["client_order_id"] = error.client_order_id
    message = (
        "Internal error: what became of the request is not known, "
        f"look before sending it again: {error.message}"
    )
    return RefusedError(500, "INTERNAL_ERROR", message, details=details)


def _rejection(error: OrderRejectedError) -> RefusedError:
    facts: dict[str, object] = {}
    if error.code:
        facts["provider_code"] = error.code
    if error.client_order_id:
        facts["client_order_id"] = error.client_order_id
    return rejected(error.message, error.reason, facts)


def _throttled(error: RateLimitedError) -> RefusedError:
    wait_s = error.retry_after
    details = {
        "retry_after_seconds": None if wait_s is None else _seconds(wait_s),
        "reset_at": None,
    }
    message = f"Rate limited: {error.message}"
    return RefusedError(429, "RATE_LIMITED", message, details=details, retry_after=wait_s)


def _breach(error: InvalidOrderError) -> RefusedError:
    """Tell of an order that breaks a rule of the instrument, which only the broker knows."""
    if not error.violations:
        return rejected(error.message, RejectReason.OTHER)
    first: Violation = error.violations[0]
    field = _FIELDS.get(first.field, first.field)
    facts = {"field": field, "provided": first.found, "allowed": first.allowed}
    if field in {"quantity", "display_quantity"}:
        reason = RejectReason.INVALID_QUANTITY
    elif field == "symbol":
        reason = RejectReason.UNKNOWN_SYMBOL
    else:
        is_price = field.endswith("price") or field in {"stop_loss", "take_profit"}
        reason = RejectReason.INVALID_PRICE if is_price else RejectReason.OTHER
    return rejected(error.message, reason, facts)


def _seconds(wait_s: float) -> int:
    whole = int(wait_s)
    return whole if whole == wait_s else whole + 1


def _redacted(text: str) -> str:
    return _SECRETS.sub(rf"\1\2{_HIDDEN}", text)


def _redacted_detail(name: str, value: object) -> object:
    if not isinstance(value, str):
        return value
    return _HIDDEN if name.lower() in _SECRET_NAMES else _redacted(value)
