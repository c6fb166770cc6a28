"""Choosing scenarios by an expression, as pytest's -k does: words, `and`, `or`, `not`, brackets."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NoReturn, TypeAlias

from dragoman.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .scenario import Scenario

__all__ = ["select"]

Test: TypeAlias = Callable[[str], bool]

_TOKENS: Final = re.compile(r"[()]|[^\s()]+")
_OPERATORS: Final = frozenset({"and", "or", "not", "(", ")"})


def select(scenarios: Iterable[Scenario], expression: str) -> tuple[Scenario, ...]:
    """Return the scenarios that an expression is true of, in their order.

    A word is true of a scenario whose name, or a requirement of which, contains it; upper and lower
    case are the same.

    Raises:
        ConfigurationError: The expression is none.
    """
    is_meant = _Expression(expression).parse()
    return tuple(one for one in scenarios if is_meant(_text(one)))


def _text(scenario: Scenario) -> str:
    return " ".join([scenario.name, *scenario.proves]).lower()


class _Expression:
    """Reads an expression from left to right; `not` binds closest, then `and`, then `or`."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _TOKENS.findall(text.lower())

    def parse(self) -> Test:
        test = self._any_of()
        if self._tokens:
            self._refuse()
        return test

    def _any_of(self) -> Test:
        tests = [self._all_of()]
        while self._take("or"):
            tests.append(self._all_of())
        return lambda text: any(test(text) for test in tests)

    def _all_of(self) -> Test:
        tests = [self._one()]
        while self._take("and"):
            tests.append(self._one())
        return lambda text: all(test(text) for test in tests)

    def _one(self) -> Test:
        if self._take("not"):
            test = self._one()
            return lambda text: not test(text)
        if self._take("("):
            test = self._any_of()
            if not self._take(")"):
                self._refuse()
            return test
        if not self._tokens or self._tokens[0] in _OPERATORS:
            self._refuse()
        word = self._tokens.pop(0)
        return lambda text: word in text

    def _take(self, token: str) -> bool:
        if self._tokens[:1] != [token]:
            return False
        self._tokens.pop(0)
        return True

    def _refuse(self) -> NoReturn:
        found = repr(self._tokens[0]) if self._tokens else "its end"
        allowed = "words joined by and, or, not and brackets"
        raise ConfigurationError(f"-k {self._text!r}: {allowed}; it goes wrong at {found}")
