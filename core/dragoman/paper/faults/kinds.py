"""The kinds of scripted faults: what each means, where it may strike, and its arguments."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Final

import attrs

from dragoman.errors import InvalidValueError
from dragoman.models.enums import RejectReason, Side
from dragoman.money import parse_decimal

from .triggers import AtTime, OnCall, OnEvent, Trigger

__all__ = ["Argument", "FaultKind", "Scope", "arguments_of", "scope_of"]


class FaultKind(StrEnum):
    """What goes wrong. Durations are in seconds of the venue's time.

    Of a call: REFUSE_CONNECTION: nothing is sent. LOST_REQUEST: it never reaches the venue, and
    `seconds` later the client gives up. LOST_RESPONSE: the venue does it, the answer is lost.
    DELAYED_RESPONSE: the answer comes `seconds` later. SERVER_ERROR: a failure inside the venue,
    which has done it (`applied`) or not. REJECT: a refusal for `reason`. RATE_LIMITED: a documented
    refusal before anything is done, with `retry_after` seconds.

    Of an event: DROP_EVENT; DUPLICATE_EVENT (`copies` more); DELAY_EVENT (by `seconds`, overtaken
    by what follows);
    REORDER_EVENTS: it and those after it, `window` in all, are told the last one first, at most
    `seconds` late.

    Of the streams: DISCONNECT_STREAM: for `seconds`, with events that say so; what happens
    meanwhile is never told.
    MUTE_STREAM: the same without a word.

    At the venue: HALT_SYMBOL (for `seconds`, or for good); BUST_FILL: an execution is taken back,
    `fill_id` or the trigger's own or the account's last; EXTERNAL_ORDER: someone else with access
    to the account sends an order; LATE_FILL: the canceled order executes `seconds` after its
    cancel (`quantity`, or all that was left); PRICE_JUMP: the market moves by `percent` from now
    on; LIQUIDATE: the account is closed out.
    """

    REFUSE_CONNECTION = "REFUSE_CONNECTION"
    LOST_REQUEST = "LOST_REQUEST"
    LOST_RESPONSE = "LOST_RESPONSE"
    DELAYED_RESPONSE = "DELAYED_RESPONSE"
    SERVER_ERROR = "SERVER_ERROR"
    REJECT = "REJECT"
    RATE_LIMITED = "RATE_LIMITED"
    DROP_EVENT = "DROP_EVENT"
    DUPLICATE_EVENT = "DUPLICATE_EVENT"
    DELAY_EVENT = "DELAY_EVENT"
    REORDER_EVENTS = "REORDER_EVENTS"
    DISCONNECT_STREAM = "DISCONNECT_STREAM"
    MUTE_STREAM = "MUTE_STREAM"
    HALT_SYMBOL = "HALT_SYMBOL"
    BUST_FILL = "BUST_FILL"
    EXTERNAL_ORDER = "EXTERNAL_ORDER"
    LATE_FILL = "LATE_FILL"
    PRICE_JUMP = "PRICE_JUMP"
    LIQUIDATE = "LIQUIDATE"


@attrs.frozen
class Argument:
    """One argument of a kind: what it may be, in words and as a check of its text."""

    allowed: str
    is_allowed: Callable[[str], bool]
    default: str | None = None
    is_required: bool = False


@attrs.frozen
class Scope:
    """Where a kind may strike: which triggers and, of calls, which; none named means all."""

    triggers: tuple[type[Trigger], ...]
    description: str
    commands: frozenset[str] = frozenset()


def arguments_of(kind: FaultKind) -> dict[str, Argument]:
    """Return the arguments of a kind by name."""
    return _ARGUMENTS.get(kind, {})


def scope_of(kind: FaultKind) -> Scope:
    """Return where a kind may strike."""
    return _SCOPES.get(kind, _ANYWHERE)


def _is_number(text: str, *, above: int | None = None, least: int | None = None) -> bool:
    try:
        value = parse_decimal(text)
    except InvalidValueError:
        return False
    return (above is None or value > above) and (least is None or value >= least)


def _seconds(default: str | None = None, *, is_required: bool = False) -> Argument:
    return Argument(
        "seconds, 0 or more", lambda text: _is_number(text, least=0), default, is_required
    )


def _above_zero(*, is_required: bool = False) -> Argument:
    return Argument("a number above 0", lambda text: _is_number(text, above=0), None, is_required)


def _count(least: int, default: str) -> Argument:
    return Argument(
        f"a whole number, {least} or more, below 1000",
        lambda text: text.isdecimal() and text.isascii() and least <= int(text[:9]) < 1000,
        default,
    )


def _member(
    names: type[StrEnum], default: str | None = None, *, is_required: bool = False
) -> Argument:
    return Argument(", ".join(names), lambda text: text in set(names), default, is_required)


_TEXT: Final = Argument("a text", bool)
_FLAG: Final = Argument("true or false", lambda text: text in {"true", "false"}, "false")
_PERCENT: Final = Argument(
    "a percentage above -100", lambda text: _is_number(text, above=-100), is_required=True
)
_ARGUMENTS: Final[dict[FaultKind, dict[str, Argument]]] = {
    FaultKind.LOST_REQUEST: {"seconds": _seconds("10")},
    FaultKind.DELAYED_RESPONSE: {"seconds": _seconds(is_required=True)},
    FaultKind.SERVER_ERROR: {"applied": _FLAG},
    FaultKind.REJECT: {"reason": _member(RejectReason, "OTHER")},
    FaultKind.RATE_LIMITED: {"retry_after": _seconds("1")},
    FaultKind.DUPLICATE_EVENT: {"copies": _count(1, "1")},
    FaultKind.DELAY_EVENT: {"seconds": _seconds(is_required=True)},
    FaultKind.REORDER_EVENTS: {"window": _count(2, "2"), "seconds": _seconds("5")},
    FaultKind.DISCONNECT_STREAM: {"seconds": _seconds("1")},
    FaultKind.MUTE_STREAM: {"seconds": _seconds(is_required=True)},
    FaultKind.HALT_SYMBOL: {"symbol": _TEXT, "seconds": _seconds()},
    FaultKind.BUST_FILL: {"fill_id": _TEXT},
    FaultKind.EXTERNAL_ORDER: {
        "symbol": _TEXT,
        "side": _member(Side, "BUY"),
        "quantity": _above_zero(is_required=True),
        "limit_price": _above_zero(),
    },
    FaultKind.LATE_FILL: {"quantity": _above_zero(), "seconds": _seconds("1")},
    FaultKind.PRICE_JUMP: {"symbol": _TEXT, "percent": _PERCENT},
}
_CALL: Final = Scope((OnCall,), "a call")
_EVENT: Final = Scope((OnEvent,), "an event, 'event.<kind>'")
_ANYWHERE: Final = Scope((OnCall, OnEvent, AtTime), "anything")
_SCOPES: Final = {
    FaultKind.REFUSE_CONNECTION: _CALL,
    FaultKind.LOST_REQUEST: _CALL,
    FaultKind.LOST_RESPONSE: _CALL,
    FaultKind.DELAYED_RESPONSE: _CALL,
    FaultKind.SERVER_ERROR: _CALL,
    FaultKind.RATE_LIMITED: _CALL,
    FaultKind.REJECT: Scope((OnCall,), "a call", frozenset({"submit", "replace", "cancel"})),
    FaultKind.LATE_FILL: Scope((OnCall,), "a call of cancel", frozenset({"cancel"})),
    FaultKind.DROP_EVENT: _EVENT,
    FaultKind.DUPLICATE_EVENT: _EVENT,
    FaultKind.DELAY_EVENT: _EVENT,
    FaultKind.REORDER_EVENTS: _EVENT,
}
