"""What a request asks for, read strictly: every part that is wrong is named, none is passed over.

A parameter this protocol lacks is refused, not ignored: a misspelled filter on a request that
cancels orders would cancel all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

import attrs
from aiohttp import web

from dragoman.broker import Broker
from dragoman.dialects import Access, DialectHost
from dragoman.errors import DecodeError, InvalidOrderError, InvalidValueError, Violation
from dragoman.models.serde import from_plain
from dragoman.models.serde.text import load_text
from dragoman.models.values import Timeframe, Window
from dragoman.times import parse_time

from .problems import UnreadableBodyError, invalid

if TYPE_CHECKING:
    from collections.abc import Mapping
    from enum import StrEnum


__all__ = ["LONGEST_TEXT", "Ask", "Query"]

LONGEST_TEXT: Final = 200
"""How long a text in a query may be: a symbol, a search, an id."""
_DIGITS: Final = 12

Model = TypeVar("Model")
Member = TypeVar("Member", bound="StrEnum")


class Query:
    """The parameters of a request; what is wrong with them is told at once by `check`."""

    def __init__(self, given: Mapping[str, list[str]]) -> None:
        self._given = dict(given)
        self._asked: set[str] = set()
        self._wrong: list[Violation] = []

    def text(self, name: str) -> str | None:
        """Return a text; None where it is not given."""
        values = self.texts(name)
        if len(values) > 1:
            self._refuse(name, f"{len(values)} values", "one value")
        return values[0] if values else None

    def required(self, name: str) -> str:
        """Return a text that must be given."""
        found = self.text(name)
        if found is None:
            self._refuse(name, None, "a value: the parameter is required")
        return found or ""

    def texts(self, name: str, *, at_least: int = 0, at_most: int = 100) -> tuple[str, ...]:
        """Return every value of a parameter that may be repeated, each once."""
        self._asked.add(name)
        found = tuple(dict.fromkeys(self._given.get(name, ())))
        if not at_least <= len(found) <= at_most:
            self._refuse(name, f"{len(found)} values", f"{at_least} to {at_most} values")
        for value in found:
            if not 0 < len(value) <= LONGEST_TEXT or not value.isprintable():
                self._refuse(name, value, f"1 to {LONGEST_TEXT} printable characters")
        return found

    def integer(self, name: str, default: int, allowed: range) -> int:
        """Return a whole number within a range."""
        text = self.text(name)
        if text is None:
            return default
        if text.isascii() and text.isdigit() and len(text) <= _DIGITS and int(text) in allowed:
            return int(text)
        self._refuse(name, text, f"a whole number from {allowed[0]} to {allowed[-1]}")
        return default

    def flag(self, name: str) -> bool:
        """Return whether something is wanted; not, where it is not said."""
        text = self.text(name)
        if text not in {None, "true", "false"}:
            self._refuse(name, text, "true or false")
        return text == "true"

    def choice(self, name: str, kind: type[Member], default: Member) -> Member:
        """Return a member of an enum by its value."""
        found = self.choices(name, kind)
        if len(found) > 1:
            self._refuse(name, f"{len(found)} values", "one value")
        return found[0] if found else default

    def choices(self, name: str, kind: type[Member]) -> tuple[Member, ...]:
        """Return members of an enum by their values."""
        members = kind.__members__
        found = self.texts(name)
        for value in found:
            if value not in members:
                self._refuse(name, value, ", ".join(members))
        return tuple(members[value] for value in found if value in members)

    def instant(self, name: str) -> int | None:
        """Return the nanoseconds of an instant; None where it is not given."""
        text = self.text(name)
        try:
            return None if text is None else parse_time(text, name)
        except InvalidValueError as error:
            self._wrong.extend(error.violations)
            return None

    def timeframe(self, name: str) -> Timeframe:
        """Return the length of a bar, which must be given."""
        text = self.required(name)
        try:
            return Timeframe.parse(text)
        except InvalidValueError as error:
            self._wrong.extend(attrs.evolve(one, field=name) for one in error.violations)
            return Timeframe.parse("1m")

    def window(self) -> Window:
        """Return the span of time between `start` and `end`."""
        start_ns, end_ns = self.instant("start"), self.instant("end")
        if start_ns is not None and end_ns is not None and end_ns < start_ns:
            self._refuse("end", self.text("end"), "a time at or after start")
            return Window()
        return Window(start_ns=start_ns, end_ns=end_ns)

    def refuse(self, name: str, found: object, allowed: str) -> None:
        """Note that a parameter is wrong."""
        self._refuse(name, found, allowed)

    def check(self) -> None:
        """Refuse the request if anything of its query was wrong, or is none of its parameters.

        Raises:
            InvalidValueError: With a violation for each (NOT_SENT).
        """
        known = ", ".join(sorted(self._asked)) or "none"
        for name in self._given.keys() - self._asked:
            self._refuse(
                name[:LONGEST_TEXT], "a parameter", f"no such parameter; known are {known}"
            )
        if self._wrong:
            raise invalid("query", *self._wrong)

    def _refuse(self, name: str, found: object, allowed: str) -> None:
        self._wrong.append(Violation.of(name, found, allowed))


@attrs.frozen(kw_only=True, eq=False)
class Ask:
    """One authorized request: who asks, of which account, and what."""

    request: web.Request
    host: DialectHost
    access: Access
    broker: Broker
    query: Query

    def part(self, name: str) -> str:
        """Return a part of the path, percent-decoded."""
        return self.request.match_info[name]

    async def body(self, kind: type[Model], *, is_optional: bool = False) -> Model:
        """Return the body as a model; an empty one, where it may be, has nothing but defaults.

        Raises:
            UnreadableBodyError: It is no JSON (NOT_SENT).
            InvalidValueError: It describes something else; each violation names its path
                (NOT_SENT).
        """
        content = await self.request.read()
        if is_optional and not content.strip():
            content = b"{}"
        try:
            plain = load_text(content.decode())
        except (InvalidValueError, UnicodeDecodeError) as error:
            raise _unreadable(error) from None
        try:
            return from_plain(kind, plain)
        except DecodeError as error:
            raise InvalidOrderError.of("body", error.violations) from None


def _unreadable(error: InvalidValueError | UnicodeDecodeError) -> UnreadableBodyError:
    wrong: tuple[Violation, ...]
    if isinstance(error, UnicodeDecodeError):
        wrong = (Violation.of("body", error.reason, "JSON in UTF-8"),)
    else:
        wrong = tuple(attrs.evolve(one, field=one.field or "body") for one in error.violations)
    return UnreadableBodyError.of("body", wrong)
