"""Scripted faults: what goes wrong and when, as data that prints to one line and reads back.

A plan is a list of faults; a fault is a trigger, a kind and its arguments. It says nothing of how a
fault is carried out: the mock adapter does that. The line of a plan is all that is needed to replay
it:

    submit#2 lost_response; event.fill[symbol=AAPL]#1 delay_event(seconds=2)
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.errors import InvalidValueError, Violation
from dragoman.models.values import FrozenMapping
from dragoman.money import format_decimal, parse_decimal

from .kinds import FaultKind, arguments_of, scope_of
from .triggers import AtTime, OnCall, OnEvent, Trigger, escape, parse_trigger, unescape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["AtTime", "Fault", "FaultKind", "FaultPlan", "OnCall", "OnEvent", "Trigger"]

_FAULT: Final = re.compile(r"(\S+)\s+([a-z_]+)\s*(?:\(([^()]*)\))?\Z")
_GRAMMAR: Final = "'<trigger> <kind>(<name>=<value>, ...)', several of them apart by ';'"
_ALLOWED: Final = f"{_GRAMMAR}; the kinds are {', '.join(each.lower() for each in FaultKind)}"
_NO_ARGUMENTS: Final[FrozenMapping[str]] = FrozenMapping()
_WITH_SYMBOL: Final = frozenset(
    {FaultKind.HALT_SYMBOL, FaultKind.EXTERNAL_ORDER, FaultKind.PRICE_JUMP}
)


def _to_text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return format_decimal(value)
    return str(value)


def _to_arguments(arguments: Mapping[str, object]) -> FrozenMapping[str]:
    return FrozenMapping({name: _to_text(value) for name, value in arguments.items()})


@attrs.frozen
class Fault:
    """One thing that goes wrong: `kind` happens when `trigger` does.

    Args:
        trigger: A call, an event or an instant.
        kind: What goes wrong; `FaultKind` says which arguments it has.
        arguments: By name, kept as text. One that is left out has the default of its kind; `symbol`
            is then the trigger's.

    Raises:
        InvalidValueError: The kind does not go with the trigger, or an argument is missing, unknown
            or out of its domain; all violations are listed.
    """

    trigger: Trigger
    kind: FaultKind
    arguments: FrozenMapping[str] = attrs.field(default=_NO_ARGUMENTS, converter=_to_arguments)

    def __attrs_post_init__(self) -> None:
        """Refuse a fault that can't happen, listing every violation."""
        violations = [*_violations(self)]
        if violations:
            raise InvalidValueError.of(f"fault {self.kind.lower()}", violations)

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Read one fault.

        Raises:
            InvalidValueError: The text is none.
        """
        match = _FAULT.match(text.strip())
        kind = match and match[2].upper()
        if match is None or kind not in set(FaultKind):
            raise InvalidValueError.of("fault", [Violation.of("fault", text, _ALLOWED)])
        return cls(parse_trigger(match[1]), FaultKind(kind), _parse_arguments(match[3] or ""))

    def text(self, name: str) -> str | None:
        """Return an argument as text, or the default of its kind; None if there is neither."""
        return self.arguments.get(name, arguments_of(self.kind)[name].default)

    def amount(self, name: str) -> Decimal | None:
        """Return an argument as a number, or the default of its kind; None if there is neither."""
        text = self.text(name)
        return None if text is None else parse_decimal(text, name)

    @property
    def symbol(self) -> str | None:
        """The symbol it concerns: its own argument, else its trigger's."""
        return self.arguments.get("symbol", self.trigger.symbol)

    def __str__(self) -> str:
        shown = ", ".join(f"{name}={escape(value)}" for name, value in self.arguments.items())
        return f"{self.trigger} {self.kind.lower()}" + (f"({shown})" if shown else "")


@attrs.frozen
class FaultPlan:
    """Faults in the order they are looked at. `str` gives the line, `FaultPlan.parse` reads it."""

    faults: tuple[Fault, ...] = ()

    @classmethod
    def parse(cls, line: str) -> FaultPlan:
        """Read a plan from its line; an empty line is an empty plan.

        Raises:
            InvalidValueError: A part is no fault.
        """
        return cls(tuple(Fault.parse(part) for part in line.split(";") if part.strip()))

    @classmethod
    def of(cls, faults: str | Fault | FaultPlan | Iterable[Fault | str]) -> FaultPlan:
        """Make a plan of whatever describes one: a plan, its line, or faults and lines of faults.

        Raises:
            InvalidValueError: A part is no fault.
        """
        if isinstance(faults, FaultPlan):
            return faults
        if isinstance(faults, str):
            return cls.parse(faults)
        if isinstance(faults, Fault):
            return cls((faults,))
        return cls(tuple(one for part in faults for one in cls.of(part).faults))

    def __str__(self) -> str:
        return "; ".join(map(str, self.faults))


def _parse_arguments(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        name, is_given, value = part.partition("=")
        if not is_given or name in found:
            raise InvalidValueError.of(
                "fault", [Violation.of("argument", part, "<name>=<value>, once")]
            )
        found[name] = unescape(value)
    return found


def _violations(fault: Fault) -> Iterator[Violation]:
    scope, known = scope_of(fault.kind), arguments_of(fault.kind)
    if not isinstance(fault.trigger, scope.triggers):
        yield Violation.of("trigger", str(fault.trigger), scope.description)
    elif not _may_strike(fault.trigger, scope.commands):
        yield Violation.of("trigger", str(fault.trigger), ", ".join(sorted(scope.commands)))
    if fault.kind in _WITH_SYMBOL and fault.symbol is None:
        yield Violation.of("symbol", None, "a symbol, here or in the trigger")
    for name in (name for name, argument in known.items() if argument.is_required):
        if name not in fault.arguments:
            yield Violation.of(name, None, known[name].allowed)
    for name, value in fault.arguments.items():
        if name not in known:
            yield Violation.of(name, value, ", ".join(known) or "no arguments")
        elif not known[name].is_allowed(value):
            yield Violation.of(name, value, known[name].allowed)


def _may_strike(trigger: Trigger, commands: frozenset[str]) -> bool:
    return not isinstance(trigger, OnCall) or not commands or trigger.command in commands
