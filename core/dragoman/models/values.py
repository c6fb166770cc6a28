"""Small values that other models are made of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar, Final, NoReturn, TypeVar

import attrs

from dragoman.errors import InvalidValueError, Violation
from dragoman.times import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS

from .checks import (
    check_amount,
    check_computed_amount,
    check_instant,
    check_text,
    is_integer,
    to_instant,
    to_known_amount,
)
from .enums import OffsetUnit, TimeUnit
from .instants import OptionalInstantView

if TYPE_CHECKING:
    from collections.abc import Iterator
    from enum import StrEnum

    from .checks import Amount

__all__ = ["FrozenMapping", "Level", "Money", "Offset", "Timeframe", "Window"]

Value = TypeVar("Value")

_UNITS: Final = {
    "s": TimeUnit.SECOND,
    "m": TimeUnit.MINUTE,
    "h": TimeUnit.HOUR,
    "d": TimeUnit.DAY,
    "w": TimeUnit.WEEK,
    "M": TimeUnit.MONTH,
}
_LETTERS: Final = {unit: letter for letter, unit in _UNITS.items()}
_LENGTHS_NS: Final = {
    TimeUnit.SECOND: SECOND_NS,
    TimeUnit.MINUTE: MINUTE_NS,
    TimeUnit.HOUR: HOUR_NS,
    TimeUnit.DAY: DAY_NS,
    TimeUnit.WEEK: 7 * DAY_NS,
}
_LARGEST_COUNT: Final = 99_999
_TIMEFRAME: Final = re.compile(r"([1-9][0-9]{0,4})([smhdwM])\Z")


class FrozenMapping(Mapping[str, Value]):
    """An immutable, hashable mapping with text keys; equal to any mapping of the same items."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, Value] | None = None) -> None:
        self._items: dict[str, Value] = dict(items or {})

    def __getitem__(self, key: str) -> Value:
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(frozenset(self._items.items()))

    def __repr__(self) -> str:
        return repr(self._items)


@attrs.frozen
class Money:
    """An amount of one currency or asset, its code verbatim."""

    amount: Decimal = attrs.field(converter=to_known_amount, validator=check_computed_amount)
    currency: str = attrs.field(validator=check_text)


@attrs.frozen
class Offset:
    """A distance above 0 from a price.

    Its direction follows from side and role; adapters make the venue's sign.
    """

    value: Decimal = attrs.field(converter=to_known_amount, validator=check_amount)
    unit: OffsetUnit = OffsetUnit.PRICE

    def __attrs_post_init__(self) -> None:
        """Refuse a distance that is not above 0, and a unit that is none."""
        if self.value <= 0:
            _refuse(self, "value", self.value, "a number above 0")
        _check_member(self, "unit", self.unit, OffsetUnit)

    @classmethod
    def price(cls, value: Amount) -> Offset:
        """Make a distance in the instrument's quote currency."""
        return cls(value, OffsetUnit.PRICE)

    @classmethod
    def percent(cls, value: Amount) -> Offset:
        """Make a distance in percent of the price: 1 is one percent."""
        return cls(value, OffsetUnit.PERCENT)

    @classmethod
    def ticks(cls, value: Amount) -> Offset:
        """Make a distance in ticks of the instrument."""
        return cls(value, OffsetUnit.TICKS)


@attrs.frozen
class Level:
    """One price of a depth and the size there; size 0 in a delta removes the level."""

    price: Decimal = attrs.field(converter=to_known_amount)
    size: Decimal = attrs.field(converter=to_known_amount)
    order_count: int | None = None


@attrs.frozen
class Timeframe:
    """The length of a bar: a count of units. `Timeframe.parse("5m")`."""

    count: int
    unit: TimeUnit

    def __attrs_post_init__(self) -> None:
        """Refuse a count that has no text, and a unit that is none."""
        if not _is_count(self.count, _LARGEST_COUNT):
            _refuse(self, "count", self.count, f"an int from 1 to {_LARGEST_COUNT}")
        _check_member(self, "unit", self.unit, TimeUnit)

    @classmethod
    def parse(cls, text: str) -> Timeframe:
        """Read a count and a unit: s, m (minute), h, d, w or M (month).

        Raises:
            InvalidValueError: The text is no timeframe.
        """
        match = _TIMEFRAME.match(text)
        if match is None:
            allowed = "a count and s, m, h, d, w or M, such as '5m'"
            raise InvalidValueError.of("Timeframe", [Violation.of("timeframe", text, allowed)])
        return cls(int(match[1]), _UNITS[match[2]])

    @property
    def length_ns(self) -> int | None:
        """The length in nanoseconds; None for months, which differ."""
        unit = _LENGTHS_NS.get(self.unit)
        return None if unit is None else unit * self.count

    def __str__(self) -> str:
        return f"{self.count}{_LETTERS[self.unit]}"


@attrs.frozen(kw_only=True)
class Window:
    """A span of time, start included, end excluded; None leaves a side open.

    `limit` bounds how many rows are wanted, oldest first. Adapters page inside a window: complete,
    or an error.
    """

    start_ns: int | None = attrs.field(default=None, converter=to_instant, validator=check_instant)
    end_ns: int | None = attrs.field(default=None, converter=to_instant, validator=check_instant)
    limit: int | None = None
    start: ClassVar[OptionalInstantView] = OptionalInstantView()
    end: ClassVar[OptionalInstantView] = OptionalInstantView()

    def __attrs_post_init__(self) -> None:
        """Refuse a limit below 1 and an end before the start."""
        if self.limit is not None and not _is_count(self.limit):
            _refuse(self, "limit", self.limit, "an int of at least 1")
        if self.start_ns is not None and self.end_ns is not None and self.end_ns < self.start_ns:
            _refuse(self, "end_ns", self.end_ns, f"at or after start_ns {self.start_ns}")

    def covers(self, instant_ns: int) -> bool:
        """Tell whether an instant lies inside."""
        after_start = self.start_ns is None or instant_ns >= self.start_ns
        return after_start and (self.end_ns is None or instant_ns < self.end_ns)


def _is_count(value: object, largest: int | None = None) -> bool:
    return is_integer(value) and value >= 1 and (largest is None or value <= largest)


def _check_member(model: object, field: str, value: object, kind: type[StrEnum]) -> None:
    if not isinstance(value, kind):
        _refuse(model, field, value, f"{kind.__name__} {', '.join(kind)}")


def _refuse(model: object, field: str, found: object, allowed: str) -> NoReturn:
    raise InvalidValueError.of(type(model).__name__, [Violation.of(field, found, allowed)])
