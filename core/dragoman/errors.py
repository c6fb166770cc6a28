"""Every way a call can fail, ordered by what the caller does next.

An error's class says the next step; its `outcome` says what the venue knows. The outcome belongs to
the instance, because the same class can be raised before or after a byte was written. Nothing here
knows a venue, an order or a transport.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Final, Self, TypedDict, Unpack

import attrs

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "AccountLockedError",
    "AmbiguousInstrumentError",
    "AuthenticationError",
    "BusyError",
    "CircuitOpenError",
    "ClosedError",
    "ConfigurationError",
    "ConflictError",
    "ConnectFailedError",
    "DecodeError",
    "DragomanDeprecationWarning",
    "DragomanError",
    "DuplicateOrderError",
    "ErrorFacts",
    "HaltedError",
    "InvalidOrderError",
    "InvalidValueError",
    "JournalUnavailableError",
    "LifecycleError",
    "LimitExceededError",
    "MissingCredentialsError",
    "MissingDependencyError",
    "NotConnectedError",
    "NotFoundError",
    "OrderRejectedError",
    "Outcome",
    "OutcomeUnknownError",
    "PermissionDeniedError",
    "ProtocolError",
    "RateLimitedError",
    "ReconcilingError",
    "RejectReason",
    "RequestError",
    "SequenceGapError",
    "StreamLostError",
    "TransportError",
    "UnknownInstrumentError",
    "UnknownProviderError",
    "UnknownReason",
    "UnmappedValueError",
    "UnsupportedError",
    "VenueError",
    "VenueUnavailableError",
    "Violation",
    "WaitTimeoutError",
]

_LONGEST_SHOWN: Final = 80
_LONGEST_INTEGER_BITS: Final = 1024


class Outcome(StrEnum):
    """What is known of a command's fate at the venue.

    `NOT_SENT`: no byte was written. `REJECTED`: the venue said no. `UNKNOWN`: everything else; the
    command may have taken effect, and only evidence from the venue settles it.
    """

    NOT_SENT = "NOT_SENT"
    REJECTED = "REJECTED"
    UNKNOWN = "UNKNOWN"


class UnknownReason(StrEnum):
    """Why the fate of a command is unknown."""

    TIMEOUT = "TIMEOUT"
    CONNECTION_LOST = "CONNECTION_LOST"
    SERVER_ERROR = "SERVER_ERROR"
    BAD_RESPONSE = "BAD_RESPONSE"
    BUSY = "BUSY"
    CLOSED = "CLOSED"
    OTHER = "OTHER"


class RejectReason(StrEnum):
    """Why an order was refused, by a venue or by this library, in one vocabulary."""

    INSUFFICIENT_FUNDS = "INSUFFICIENT_FUNDS"
    INSUFFICIENT_POSITION = "INSUFFICIENT_POSITION"
    UNKNOWN_SYMBOL = "UNKNOWN_SYMBOL"
    NOT_TRADABLE = "NOT_TRADABLE"
    MARKET_CLOSED = "MARKET_CLOSED"
    INVALID_QUANTITY = "INVALID_QUANTITY"
    INVALID_PRICE = "INVALID_PRICE"
    BELOW_MINIMUM = "BELOW_MINIMUM"
    ABOVE_MAXIMUM = "ABOVE_MAXIMUM"
    WOULD_TAKE = "WOULD_TAKE"
    WOULD_TRIGGER = "WOULD_TRIGGER"
    WOULD_INCREASE = "WOULD_INCREASE"
    NO_LIQUIDITY = "NO_LIQUIDITY"
    SELF_TRADE = "SELF_TRADE"
    SHORT_NOT_ALLOWED = "SHORT_NOT_ALLOWED"
    DUPLICATE_CLIENT_ORDER_ID = "DUPLICATE_CLIENT_ORDER_ID"
    POSITION_MODE = "POSITION_MODE"
    RISK_LIMIT = "RISK_LIMIT"
    TOO_MANY_ORDERS = "TOO_MANY_ORDERS"
    NOT_PERMITTED = "NOT_PERMITTED"
    UNSUPPORTED = "UNSUPPORTED"
    NEVER_ARRIVED = "NEVER_ARRIVED"
    OTHER = "OTHER"


@attrs.frozen
class Violation:
    """One thing wrong with a request: the field, what was found in it, and what is allowed."""

    field: str
    found: str
    allowed: str

    @classmethod
    def of(cls, field: str, found: object, allowed: str) -> Violation:
        """Describe `found` shortly enough for one line, with control characters escaped."""
        return cls(field, _shown(found), allowed)

    def __str__(self) -> str:
        return f"{self.field}: found {self.found}; allowed: {self.allowed}"


def _shown(found: object) -> str:
    if isinstance(found, (str, bytes)):
        head = repr(found[:_LONGEST_SHOWN])
        return head if len(found) <= _LONGEST_SHOWN else f"{head}... ({len(found)} long)"
    if isinstance(found, int) and found.bit_length() > _LONGEST_INTEGER_BITS:
        return f"an integer of {found.bit_length()} bits"
    text = str(found)
    head = text[:_LONGEST_SHOWN]
    head = head if head.isprintable() else repr(head)
    return head if len(text) <= _LONGEST_SHOWN else f"{head}..."


class ErrorFacts(TypedDict, total=False):
    """What any error may carry besides its message; see `DragomanError`."""

    provider: str | None
    code: str | None
    request_id: str | None
    outcome: Outcome | None
    retry_after: float | None


class DragomanDeprecationWarning(DeprecationWarning):
    """A public name will go; the text says in which version and what replaces it."""


class DragomanError(Exception):
    """Base of every error this library raises on purpose.

    `provider` names the provider, `code` is the venue's own code verbatim, `request_id` the venue's
    trace id, `retry_after` the seconds the venue asked to wait; each is None where not known.
    """

    default_outcome: ClassVar[Outcome | None] = None

    def __init__(
        self,
        message: str,
        *,
        provider: str | None = None,
        code: str | None = None,
        request_id: str | None = None,
        outcome: Outcome | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.provider = provider
        self.code = code
        self.request_id = request_id
        self.outcome: Outcome | None = outcome or self.default_outcome
        self.retry_after = retry_after


class ConfigurationError(DragomanError):
    """The set-up is wrong: a name, a file, a variable, an option. Nothing was sent."""

    default_outcome: ClassVar[Outcome | None] = Outcome.NOT_SENT


class UnknownProviderError(ConfigurationError):
    """No installed protocol offers a provider of that name; the message lists near misses."""


class MissingCredentialsError(ConfigurationError):
    """A credential was found nowhere; the message names argument, variable and file key."""


class MissingDependencyError(ConfigurationError):
    """An optional package is not installed; the message holds the pip line."""


class RequestError(DragomanError):
    """The request can't be sent as it stands. Change it; nothing was sent."""

    default_outcome: ClassVar[Outcome | None] = Outcome.NOT_SENT


class UnsupportedError(RequestError):
    """The provider does not offer what was asked for; refused before a byte was written."""


class InvalidValueError(RequestError, ValueError):
    """A value is out of its domain; each of `violations` names field, value and what is allowed."""

    def __init__(
        self, message: str, *, violations: Sequence[Violation] = (), **facts: Unpack[ErrorFacts]
    ) -> None:
        super().__init__(message, **facts)
        self.violations: tuple[Violation, ...] = tuple(violations)

    @classmethod
    def of(cls, what: str, violations: Sequence[Violation]) -> Self:
        """Build the error for `what` from everything that is wrong with it."""
        return cls(f"{what}: " + "; ".join(map(str, violations)), violations=violations)


class InvalidOrderError(InvalidValueError):
    """An order request breaks a rule of the order model, the instrument or the account."""


class UnknownInstrumentError(RequestError):
    """The provider lists no instrument of that symbol or alias."""


class AmbiguousInstrumentError(RequestError):
    """An alias names more than one instrument; the message lists the symbols."""


class DuplicateOrderError(RequestError):
    """The client order id is taken by an order with other terms."""


class LimitExceededError(RequestError):
    """A risk limit of this connection forbids the order."""


class TransportError(DragomanError):
    """The exchange with the venue failed below its protocol."""


class ConnectFailedError(TransportError):
    """No connection could be made; no byte was written."""

    default_outcome: ClassVar[Outcome | None] = Outcome.NOT_SENT


class OutcomeUnknownError(TransportError):
    """The command was sent and its fate is not known: it may be live.

    Never send it again. The order stays tracked under `client_order_id` until evidence settles it.
    """

    default_outcome: ClassVar[Outcome | None] = Outcome.UNKNOWN

    def __init__(
        self,
        message: str,
        *,
        reason: UnknownReason = UnknownReason.OTHER,
        client_order_id: str | None = None,
        **facts: Unpack[ErrorFacts],
    ) -> None:
        super().__init__(message, **facts)
        self.reason = reason
        self.client_order_id = client_order_id


class StreamLostError(TransportError):
    """A stream ended for good and will not come back by itself."""


class CircuitOpenError(TransportError):
    """Sending is suspended for this scope after a ban or repeated failure; no byte was written."""

    default_outcome: ClassVar[Outcome | None] = Outcome.NOT_SENT


class VenueError(DragomanError):
    """The venue understood the request and refused it."""

    default_outcome: ClassVar[Outcome | None] = Outcome.REJECTED


class AuthenticationError(VenueError):
    """The venue does not accept the credentials."""


class PermissionDeniedError(VenueError):
    """The credentials are good but do not allow this."""


class OrderRejectedError(VenueError):
    """The venue refused the order. `reason` is its cause in this library's vocabulary."""

    def __init__(
        self,
        message: str,
        *,
        reason: RejectReason = RejectReason.OTHER,
        client_order_id: str | None = None,
        **facts: Unpack[ErrorFacts],
    ) -> None:
        super().__init__(message, **facts)
        self.reason = reason
        self.client_order_id = client_order_id


class NotFoundError(VenueError):
    """The venue knows nothing under that id."""


class ConflictError(VenueError):
    """The thing exists but is not in a state that allows this (an order that has ended, say)."""


class BusyError(DragomanError):
    """The venue can't answer now. Wait, then ask again."""


class RateLimitedError(BusyError):
    """Too many requests; `retry_after` holds the seconds to wait where the venue said so."""


class VenueUnavailableError(BusyError):
    """The venue is down, in maintenance or overloaded."""


class ProtocolError(DragomanError):
    """The venue said something this library can't make sense of."""


class DecodeError(ProtocolError):
    """Data from outside does not parse; `violations` names the wrong parts where that is known."""

    def __init__(
        self, message: str, *, violations: Sequence[Violation] = (), **facts: Unpack[ErrorFacts]
    ) -> None:
        super().__init__(message, **facts)
        self.violations: tuple[Violation, ...] = tuple(violations)

    @classmethod
    def of(cls, what: str, violations: Sequence[Violation]) -> Self:
        """Build the error for `what` from everything that is wrong with it."""
        return cls(f"{what}: " + "; ".join(map(str, violations)), violations=violations)


class UnmappedValueError(ProtocolError):
    """A value from the venue has no meaning in this library yet."""


class SequenceGapError(ProtocolError):
    """A numbered stream skipped; what was lost must be fetched again."""


class WaitTimeoutError(DragomanError, TimeoutError):
    """What was waited for has not come yet; nothing is known to be wrong."""


class LifecycleError(DragomanError):
    """The connection is not in a state to take this call; nothing was sent."""

    default_outcome: ClassVar[Outcome | None] = Outcome.NOT_SENT


class NotConnectedError(LifecycleError):
    """The broker is not connected yet."""


class ClosedError(LifecycleError):
    """The broker was closed."""


class HaltedError(LifecycleError):
    """Trading is halted; `resume()` ends it."""


class ReconcilingError(LifecycleError):
    """Local state is not proved against the venue yet; new exposure is refused."""


class JournalUnavailableError(LifecycleError):
    """The journal can't be written, so nothing may be sent."""


class AccountLockedError(LifecycleError):
    """Another process owns order submission for this account."""
