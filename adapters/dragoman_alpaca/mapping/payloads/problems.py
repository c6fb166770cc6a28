"""Refusals: what a body with a code and a message means for the one who asked.

A body alone says neither what was asked nor with which status it came. The status stands in the
code, where there is one; and it is read as an order's refusal first, since those are what one asks
about, then as that of any other request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.decoding import PayloadKind, Shape
from dragoman.errors import (
    OrderRejectedError,
    OutcomeUnknownError,
    ProtocolError,
    RejectReason,
    UnknownReason,
)
from dragoman.transport.base import Lane
from dragoman.transport.endpoint import Endpoint
from dragoman.transport.statuses import error_for_status
from dragoman_alpaca.errors import error_of
from dragoman_alpaca.wire.trading import Problem

from .documents import fields_of, read_as

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dragoman.decoding import PayloadContext
    from dragoman.errors import DragomanError

__all__ = ["CANCEL", "ORDER", "PROBLEMS", "refusal_of"]

ORDER: Final = Endpoint(name="an order", method="POST", path="/", lane=Lane.ORDER)
CANCEL: Final = Endpoint(name="a cancel", method="DELETE", path="/", lane=Lane.CANCEL)
"""Stand in for what was asked, of which a body says nothing."""
_OTHER: Final = Endpoint(name="a request", method="GET", path="/")
_FORBIDDEN: Final = 403
_CODE_UNIT: Final = 100_000
_SERVER_ERRORS: Final = 500
_LONGEST_MESSAGE: Final = 200
_STATUSES: Final = range(400, 600)


def refusal_of(
    problem: Problem, status: int | str | None = None, endpoint: Endpoint = ORDER
) -> DragomanError:
    """Return what a refusal of a request means; its code says the status where nothing else does.

    A message that nothing is known of proves nothing without a status: a server's error leaves the
    fate of an order open.
    """
    code = _status_of(status) or _status_of(problem.code)
    if code is not None and code >= _SERVER_ERRORS:
        return error_for_status(endpoint, code, {})
    error = error_of(endpoint, code or _FORBIDDEN, problem)
    if error is not None and not _is_vague(error):
        return error
    of_other = error_of(_OTHER, code or _FORBIDDEN, problem)
    if of_other is not None:
        return of_other
    if code is None:
        message = (
            f"{endpoint.name}: {(problem.message or '')[:_LONGEST_MESSAGE]!r} without a status"
        )
        return OutcomeUnknownError(message, reason=UnknownReason.BAD_RESPONSE)
    return error or error_for_status(endpoint, code, {})


def _is_vague(error: DragomanError) -> bool:
    return isinstance(error, OrderRejectedError) and error.reason is RejectReason.OTHER


def _status_of(said: int | str | None) -> int | None:
    """Return the status that a number is, or begins with."""
    text = str(said)
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(_CODE_UNIT)) + 3):
        return None
    number = int(text)
    status = number // _CODE_UNIT if number >= _CODE_UNIT else number
    return status if status in _STATUSES else None


def _problem(data: bytes, context: PayloadContext) -> Sequence[object]:
    try:
        problem = read_as(data, Problem)
    except ProtocolError:
        if context.status not in _STATUSES:
            raise
        problem = Problem()  # somebody between the venue and here answered
    raise refusal_of(problem, context.status)


PROBLEMS: Final = (
    PayloadKind(
        name="problem",
        title="A refusal: any response from 400 on",
        likeness=Shape.of(
            *("message", "code"),
            names=("buying_power", "cost_basis", "symbol", *fields_of(Problem)),
            lacks="T stream action activity_type headline order_class author",
            where=lambda fields: "message" in fields or isinstance(fields.get("code"), int),
        ),
        decode=_problem,
    ),
)
"""Bodies of refusals."""
