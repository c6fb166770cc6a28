"""What scripted faults make of one call: where on its journey it fails, and with which error.

Of a command whose answer does not come the outcome is unknown; a read just fails, for there is
nothing to know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from dragoman.errors import (
    ConflictError,
    ConnectFailedError,
    OrderRejectedError,
    Outcome,
    OutcomeUnknownError,
    RateLimitedError,
    RejectReason,
    TransportError,
    UnknownReason,
    VenueUnavailableError,
)
from dragoman.paper.faults.plan import FaultKind

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from dragoman.errors import (
        DragomanError,
    )
    from dragoman.paper.faults.plan import Fault

__all__ = ["Call", "answer_error", "departure_error", "refusal", "seconds_of", "timeout_error"]

_COMMANDS: Final = frozenset(
    {
        "submit",
        "submit_list",
        "replace",
        "cancel",
        "cancel_all",
        "set_exits",
        "set_leverage",
        "set_position_mode",
        "arm",
    }
)


@attrs.frozen
class Call:
    """What one call is: its name, and the order and symbol it is about, as far as there are."""

    name: str
    client_order_id: str | None = None
    symbol: str | None = None

    @property
    def is_command(self) -> bool:
        """Whether it changes something at the venue."""
        return self.name in _COMMANDS


def departure_error(faults: Iterable[Fault], provider: str) -> DragomanError | None:
    """Return why a call never left; None if it did."""
    if _find(faults, FaultKind.REFUSE_CONNECTION) is None:
        return None
    return ConnectFailedError("the connection was refused (scripted)", provider=provider)


def refusal(call: Call, faults: Iterable[Fault], provider: str) -> DragomanError | None:
    """Return why the venue did not do what the call asked for, before it did anything."""
    for fault in faults:
        if fault.kind is FaultKind.RATE_LIMITED:
            return RateLimitedError(
                f"too many requests: {call.name} was not done (scripted)",
                provider=provider,
                code="RATE_LIMITED",
                outcome=Outcome.REJECTED,
                retry_after=float(fault.amount("retry_after") or 0),
            )
        if fault.kind is FaultKind.SERVER_ERROR and fault.text("applied") != "true":
            return _unanswered(call, UnknownReason.SERVER_ERROR, provider)
        if fault.kind is FaultKind.REJECT:
            return _rejected(call, RejectReason(fault.text("reason") or "OTHER"), provider)
    return None


def answer_error(call: Call, faults: Iterable[Fault], provider: str) -> DragomanError | None:
    """Return why the answer to a call that was done does not come; None if it does."""
    for fault in faults:
        if fault.kind is FaultKind.LOST_RESPONSE:
            return _unanswered(call, UnknownReason.CONNECTION_LOST, provider)
        if fault.kind is FaultKind.SERVER_ERROR and fault.text("applied") == "true":
            return _unanswered(call, UnknownReason.SERVER_ERROR, provider)
    return None


def timeout_error(call: Call, provider: str) -> DragomanError:
    """Return the error of a client that waited for an answer until its time was up."""
    return _unanswered(call, UnknownReason.TIMEOUT, provider)


def seconds_of(faults: Iterable[Fault], kind: FaultKind) -> Decimal | None:
    """Return how long the fault of a kind takes; None if there is none."""
    fault = _find(faults, kind)
    return None if fault is None else fault.amount("seconds")


def _find(faults: Iterable[Fault], kind: FaultKind) -> Fault | None:
    return next((fault for fault in faults if fault.kind is kind), None)


def _rejected(call: Call, reason: RejectReason, provider: str) -> DragomanError:
    message = f"the venue refused to {call.name} {call.client_order_id or ''} (scripted)"
    if call.name == "cancel":
        return ConflictError(message, provider=provider, code=reason.name)
    return OrderRejectedError(
        message,
        reason=reason,
        client_order_id=call.client_order_id,
        provider=provider,
        code=reason.name,
    )


def _unanswered(call: Call, reason: UnknownReason, provider: str) -> DragomanError:
    message = f"{call.name} got no answer: {reason} (scripted)"
    if call.is_command:
        return OutcomeUnknownError(
            message, reason=reason, client_order_id=call.client_order_id, provider=provider
        )
    if reason is UnknownReason.SERVER_ERROR:
        return VenueUnavailableError(message, provider=provider)
    return TransportError(message, provider=provider)
