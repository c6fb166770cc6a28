"""What sets a scripted fault off: a call, an event or an instant, and how each is written.

submit                          every call of that name
submit#2                        the second one only
submit[symbol=AAPL]#1           the first one that is about AAPL
cancel[order=entry-1]           every cancel of that order
event.fill#3                    the third fill that the connection is told
at=2026-01-07T14:31:00Z         an instant
after=30                        seconds after the connection opened
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final, TypeAlias
from urllib.parse import quote, unquote

import attrs

from dragoman.errors import InvalidValueError, Violation
from dragoman.models.enums import OrderEventKind
from dragoman.money import format_decimal, multiply, parse_decimal
from dragoman.times import SECOND_NS, format_time, parse_time

__all__ = [
    "CALLS",
    "EVENTS",
    "AtTime",
    "OnCall",
    "OnEvent",
    "Trigger",
    "escape",
    "parse_trigger",
    "unescape",
]

CALLS: Final = frozenset(
    {
        "open",
        "stream",
        "submit",
        "submit_list",
        "replace",
        "cancel",
        "cancel_all",
        "set_exits",
        "set_leverage",
        "set_position_mode",
        "arm",
        "preview",
        "fetch_accounts",
        "fetch_account",
        "fetch_ledger",
        "load_instruments",
        "search_instruments",
        "fetch_instrument",
        "fetch_hours",
        "fetch_order",
        "fetch_open_orders",
        "fetch_orders",
        "fetch_positions",
        "fetch_fills",
        "fetch_quotes",
        "fetch_tickers",
        "fetch_depth",
        "fetch_market_status",
        "fetch_bars",
        "fetch_trades",
        "fetch_quote_history",
        "fetch_chain",
    }
)
"""What a connection can be asked: the names of the ports' methods."""

EVENTS: Final = frozenset(
    {kind.lower() for kind in OrderEventKind}
    | {"quote", "trade", "bar", "depth", "ticker", "market_status", "position", "account", "ledger"}
)
"""What a connection can be told: the kinds of order events, and the other events by class."""

_TEXT: Final = re.compile(r"(event\.)?([a-z_]+)(?:\[([^\]]*)\])?(?:#([1-9][0-9]{0,8}))?\Z")
_TIME: Final = re.compile(r"(at|after)=(\S+)\Z")
_FILTERS: Final = {"order": "client_order_id", "symbol": "symbol"}
_PLAIN: Final = "/:.+-_~$@!*&"
_ALLOWED: Final = (
    "a call, 'event.<kind>', 'at=<time>' or 'after=<seconds>', such as 'submit[symbol=AAPL]#2'"
)


@attrs.frozen
class OnCall:
    """A call of the connection: the `nth` that matches, or each one where `nth` is None."""

    command: str
    nth: int | None = None
    client_order_id: str | None = None
    symbol: str | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse a call that no port has and a count below 1."""
        _refuse("trigger", _name_violation("call", self.command, CALLS) or _nth_violation(self.nth))

    def __str__(self) -> str:
        return f"{self.command}{_filters(self)}{_count(self.nth)}"


@attrs.frozen
class OnEvent:
    """An event that the connection is told: the `nth` that matches, or each if `nth` is None."""

    event: str
    nth: int | None = None
    client_order_id: str | None = None
    symbol: str | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse an event that no stream has and a count below 1."""
        _refuse("trigger", _name_violation("event", self.event, EVENTS) or _nth_violation(self.nth))

    def __str__(self) -> str:
        return f"event.{self.event}{_filters(self)}{_count(self.nth)}"


@attrs.frozen
class AtTime:
    """An instant: `at_ns`, or `after_s` seconds after the connection opened."""

    at_ns: int | None = None
    after_s: Decimal | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse anything but exactly one of the two."""
        if (self.at_ns is None) == (self.after_s is None):
            _refuse(
                "trigger", Violation.of("at_ns", self.at_ns, "exactly one of at_ns and after_s")
            )
        if self.after_s is not None and self.after_s < 0:
            _refuse("trigger", Violation.of("after_s", self.after_s, "0 seconds or more"))

    @property
    def symbol(self) -> None:
        """An instant is about no symbol."""

    def instant_ns(self, opened_at_ns: int) -> int:
        """Return the instant for a connection that opened then."""
        if self.after_s is None:
            return self.at_ns or 0
        return opened_at_ns + int(multiply(self.after_s, SECOND_NS))

    def __str__(self) -> str:
        if self.after_s is not None:
            return f"after={format_decimal(self.after_s)}"
        return f"at={format_time(self.at_ns or 0)}"


Trigger: TypeAlias = OnCall | OnEvent | AtTime


def parse_trigger(text: str) -> Trigger:
    """Read a trigger from its text; `str` of it is the same text, but for the order of its filters.

    Raises:
        InvalidValueError: The text is no trigger.
    """
    time = _TIME.match(text)
    if time is not None:
        if time[1] == "at":
            return AtTime(at_ns=parse_time(time[2], "trigger"))
        return AtTime(after_s=parse_decimal(time[2], "trigger"))
    match = _TEXT.match(text)
    if match is None:
        raise InvalidValueError.of("fault", [Violation.of("trigger", text, _ALLOWED)])
    is_event, name, filters, count = match.groups()
    kind = OnEvent if is_event else OnCall
    return kind(name, int(count) if count else None, **_parse_filters(filters or ""))


def escape(text: str) -> str:
    """Write a text so that it means nothing in a plan's line."""
    return quote(text, safe=_PLAIN)


def unescape(text: str) -> str:
    """Read a text that was written by `escape`."""
    return unquote(text, errors="strict")


def _parse_filters(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in filter(None, text.split(",")):
        name, is_given, value = part.partition("=")
        if name not in _FILTERS or not is_given or not value:
            _refuse(
                "trigger",
                Violation.of("filter", part, "order=<client order id> or symbol=<symbol>"),
            )
        found[_FILTERS[name]] = unescape(value)
    return found


def _filters(trigger: OnCall | OnEvent) -> str:
    given = ((name, getattr(trigger, field)) for name, field in _FILTERS.items())
    shown = ",".join(f"{name}={escape(value)}" for name, value in given if value is not None)
    return f"[{shown}]" if shown else ""


def _count(nth: int | None) -> str:
    return "" if nth is None else f"#{nth}"


def _name_violation(what: str, name: str, allowed: frozenset[str]) -> Violation | None:
    return None if name in allowed else Violation.of(what, name, ", ".join(sorted(allowed)))


def _nth_violation(nth: int | None) -> Violation | None:
    return None if nth is None or nth >= 1 else Violation.of("nth", nth, "1 or more")


def _refuse(what: str, violation: Violation | None) -> None:
    if violation is not None:
        raise InvalidValueError.of(what, [violation])
