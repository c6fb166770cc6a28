"""What is known besides a row when it is read, and how its plainest parts are read."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import attrs

from dragoman.errors import InvalidValueError, ProtocolError, UnmappedValueError
from dragoman.models.values import Money
from dragoman.times import parse_time

from .book import Book
from .words import SIDES

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from dragoman.models.enums import Side

__all__ = ["Reading", "money", "positive", "side_of", "time_of", "understood"]

Arguments = ParamSpec("Arguments")
Found = TypeVar("Found")


@attrs.frozen(kw_only=True)
class Reading:
    """Whose a row is, when it came, and what was learned before; `currency` is the account's.

    `has_executions` says whether the gateway lists executions: where it does not, an order that
    has ended is told as one.
    """

    provider: str
    account_id: str
    received_at_ns: int
    currency: str | None = None
    has_executions: bool = True
    book: Book = attrs.field(factory=Book, eq=False, repr=False)


def understood(read: Callable[Arguments, Found]) -> Callable[Arguments, Found]:
    """Let what a row holds that no model can have be told as the gateway's mistake."""

    @wraps(read)
    def checked(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Found:
        try:
            return read(*args, **kwargs)
        except InvalidValueError as error:
            raise ProtocolError(f"the gateway said what can't be: {error.message}") from None

    return checked


def time_of(text: str | None) -> int | None:
    """Return the UTC nanoseconds of a time; None for what is none: nothing is lost for that."""
    if not text:
        return None
    try:
        return parse_time(text)
    except InvalidValueError:
        return None


def positive(amount: Decimal | None) -> Decimal | None:
    """Return a price or size; None for the 0 that gateways write for what is not known."""
    return amount or None


def money(amount: Decimal | None, currency: str | None) -> Money | None:
    """Return an amount in a currency; None where either is not known."""
    return None if amount is None or not currency else Money(amount, currency)


def side_of(word: str) -> Side:
    """Return a side, which can't be guessed.

    Raises:
        UnmappedValueError: The word is none.
    """
    side = SIDES.get(word.upper())
    if side is None:
        raise UnmappedValueError(f"{word[:40]!r} is no side that is known")
    return side
