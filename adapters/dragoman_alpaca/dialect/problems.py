"""How refusals are told: HTTP status, the protocol's code, and its own words where it has some.

Clients tell reasons apart by the text, because one code stands for many. So each reason has the
text that Alpaca has for it, and what the broker said goes beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from aiohttp import web

from dragoman.errors import (
    AccountLockedError,
    AuthenticationError,
    BusyError,
    CircuitOpenError,
    ConfigurationError,
    ConflictError,
    ConnectFailedError,
    DragomanError,
    DuplicateOrderError,
    HaltedError,
    InvalidValueError,
    JournalUnavailableError,
    LifecycleError,
    LimitExceededError,
    NotFoundError,
    OrderRejectedError,
    Outcome,
    PermissionDeniedError,
    RateLimitedError,
    RejectReason,
    RequestError,
    UnknownInstrumentError,
    UnsupportedError,
    VenueError,
)
from dragoman.transport.codec import encode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dragoman.errors import Violation

__all__ = [
    "RefusedError",
    "json_response",
    "not_found",
    "refusal_of",
    "refused",
    "reject_words",
    "rejection_of",
]

_QUOTA: Final = {"X-RateLimit-Limit": "1000000"}
"""Requests a minute: no quota of our own, for the broker behind keeps its own pace."""
_CODE_UNIT: Final = 100_000
_RESTRICTED: Final = "account is restricted from trading"
_CLIENT_ID_TAKEN: Final = "client_order_id must be unique"

_REASONS: Final[Mapping[RejectReason, tuple[int, int, str]]] = {
    RejectReason.INSUFFICIENT_FUNDS: (403, 40310000, "insufficient buying power"),
    RejectReason.INSUFFICIENT_POSITION: (
        403,
        40310000,
        "insufficient qty available for order",
    ),
    RejectReason.UNKNOWN_SYMBOL: (422, 42210000, "asset not found"),
    RejectReason.NOT_TRADABLE: (422, 42210000, "asset is not tradable"),
    RejectReason.MARKET_CLOSED: (422, 42210000, "market is closed"),
    RejectReason.INVALID_QUANTITY: (422, 40010001, "invalid qty"),
    RejectReason.INVALID_PRICE: (422, 42210000, "invalid limit price"),
    RejectReason.BELOW_MINIMUM: (403, 40310000, "cost basis must be >= minimal amount of order"),
    RejectReason.ABOVE_MAXIMUM: (422, 42210000, "qty exceeds the maximum"),
    RejectReason.WOULD_TAKE: (422, 42210000, "order would take liquidity"),
    RejectReason.WOULD_TRIGGER: (422, 42210000, "stop price would trigger at once"),
    RejectReason.WOULD_INCREASE: (403, 40310000, "position intent mismatch"),
    RejectReason.NO_LIQUIDITY: (422, 42210000, "no liquidity for the order"),
    RejectReason.SELF_TRADE: (
        403,
        40310000,
        "potential wash trade detected. use complex orders",
    ),
    RejectReason.SHORT_NOT_ALLOWED: (403, 40310000, "asset is not shortable"),
    RejectReason.DUPLICATE_CLIENT_ORDER_ID: (422, 40010001, _CLIENT_ID_TAKEN),
    RejectReason.POSITION_MODE: (422, 42210000, "not possible in the position mode"),
    RejectReason.RISK_LIMIT: (403, 40310000, "order exceeds a risk limit of the account"),
    RejectReason.TOO_MANY_ORDERS: (403, 40310000, "too many open orders"),
    RejectReason.NOT_PERMITTED: (403, 40310000, "account is restricted"),
    RejectReason.UNSUPPORTED: (422, 42210000, "order is not supported"),
    RejectReason.NEVER_ARRIVED: (422, 42210000, "order was never sent to the exchange"),
    RejectReason.OTHER: (403, 40310000, "order was rejected"),
}
_FIELDS: Final[Mapping[str, str]] = {
    "quantity": "qty",
    "order_type": "type",
    "trailing": "trail_price",
    "stop_loss.price": "stop_loss.stop_price",
    "take_profit.price": "take_profit.limit_price",
    "position_effect": "position_intent",
    "expires_at_ns": "time_in_force",
}
_OFF_TICK: Final = "a multiple of the tick size"


class RefusedError(DragomanError):
    """A refusal in the protocol's own terms.

    `status` is the HTTP status, `number` the protocol's code, `facts` what else the body holds.
    """

    default_outcome: ClassVar[Outcome | None] = Outcome.NOT_SENT

    def __init__(
        self,
        status: int,
        message: str,
        *,
        number: int | None = None,
        facts: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.number: int = status * _CODE_UNIT if number is None else number
        self.facts: Mapping[str, object] = facts or {}

    @property
    def body(self) -> dict[str, object]:
        """What the answer holds."""
        return {"code": self.number, "message": self.message, **self.facts}


def json_response(body: object, status: int = 200) -> web.Response:
    """Return an answer in JSON; amounts are texts by then."""
    return web.Response(
        body=encode(body), status=status, content_type="application/json", headers=_QUOTA
    )


def refused(refusal: RefusedError) -> web.Response:
    """Return the answer that tells of a refusal."""
    return json_response(refusal.body, refusal.status)


def not_found(what: str) -> RefusedError:
    """Return the refusal for what does not exist."""
    return RefusedError(404, what, number=40410000)


def refusal_of(error: DragomanError) -> RefusedError:
    """Return an error of the broker in the protocol's terms.

    A fate that is not known is a 504, which says that it may have taken effect.
    """
    if isinstance(error, RefusedError):
        return error
    if error.outcome is Outcome.UNKNOWN:
        return RefusedError(504, f"request timed out: {error.message}", number=50410000)
    if isinstance(error, OrderRejectedError):
        return rejection_of(error)
    return _invalid(error) if isinstance(error, InvalidValueError) else _by_kind(error)


def _by_kind(error: DragomanError) -> RefusedError:
    if type(error) is LifecycleError:  # a connection that only reads
        return RefusedError(403, _RESTRICTED, number=40310000, facts=_detail(error))
    if isinstance(error, UnsupportedError):
        return RefusedError(422, f"order is not supported: {error.message}", number=42210000)
    for kind, status, number, words in _KINDS:
        if isinstance(error, kind):
            return RefusedError(status, words or error.message, number=number, facts=_detail(error))
    return RefusedError(502, error.message)


_KINDS: Final[tuple[tuple[type[DragomanError], int, int, str | None], ...]] = (
    (DuplicateOrderError, 422, 40010001, _CLIENT_ID_TAKEN),
    (UnknownInstrumentError, 422, 42210000, None),
    (LimitExceededError, 403, 40310000, "order exceeds a risk limit of the account"),
    (ConfigurationError, 500, 50010000, None),
    (RequestError, 422, 42210000, None),
    (AuthenticationError, 401, 40110000, "request is not authorized"),
    (PermissionDeniedError, 403, 40310000, "not permitted with this key"),
    (NotFoundError, 404, 40410000, None),
    (ConflictError, 422, 42210000, "order is already in a state that does not allow this"),
    (VenueError, 422, 42210000, None),
    (RateLimitedError, 429, 42910000, "too many requests"),
    (HaltedError, 403, 40310000, _RESTRICTED),
    (AccountLockedError, 403, 40310000, _RESTRICTED),
    (JournalUnavailableError, 503, 50310000, None),
    (LifecycleError, 503, 50310000, None),
    (BusyError, 503, 50310000, None),
    (ConnectFailedError, 503, 50310000, None),
    (CircuitOpenError, 503, 50310000, None),
)


def reject_words(reason: RejectReason | None) -> str:
    """Return why an order was refused, in the protocol's words."""
    return _REASONS[reason or RejectReason.OTHER][2]


def _detail(error: DragomanError) -> dict[str, object]:
    return {"detail": error.message}


def rejection_of(error: OrderRejectedError) -> RefusedError:
    """Return the refusal of an order for a reason."""
    status, number, words = _REASONS[error.reason]
    return RefusedError(status, words, number=number, facts=_detail(error))


def _invalid(error: InvalidValueError) -> RefusedError:
    """Tell what is wrong with each field, by the protocol's names; all of it at once."""
    texts = [_told(violation) for violation in error.violations]
    return RefusedError(422, "; ".join(texts) or error.message, number=_number(error.violations))


def _told(violation: Violation) -> str:
    name = _FIELDS.get(violation.field, violation.field)
    if _OFF_TICK in violation.allowed:
        return (
            f"invalid {name} {violation.found}. "
            "sub-penny increment does not fulfill minimum pricing criteria"
        )
    return f"invalid {name} {violation.found}: allowed is {violation.allowed}"


def _number(violations: tuple[Violation, ...]) -> int:
    is_price = any(_OFF_TICK in one.allowed for one in violations)
    return 42210000 if is_price else 40010001
