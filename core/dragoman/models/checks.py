"""What makes one field's value admissible: exact converters, and checks that name the field.

Converters leave what they can't read as it is; the check that follows then names the field, the
value found and what is allowed. So a float is never turned into a decimal on the way.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeAlias, TypeGuard, cast, overload

from dragoman.errors import InvalidValueError, Violation
from dragoman.money import is_bounded, is_sane, parse_decimal
from dragoman.times import EARLIEST_NS, LATEST_NS, from_datetime

if TYPE_CHECKING:
    import attrs

__all__ = [
    "Amount",
    "Instant",
    "amount_violation",
    "check_amount",
    "check_amounts",
    "check_computed_amount",
    "check_instant",
    "check_text",
    "instant_violation",
    "is_integer",
    "text_violation",
    "to_amount",
    "to_instant",
    "to_known_amount",
]

Amount: TypeAlias = Decimal | int | str
"""What is accepted where an amount is due: a Decimal, or an int or text that is read exactly."""

Instant: TypeAlias = int | datetime
"""What is accepted where an instant is due: UTC nanoseconds, or an aware datetime."""

_AMOUNT: Final = "a finite Decimal, or an int or str to read as one (a float is not exact)"
_COMPUTED: Final = "a finite Decimal"
_INSTANT: Final = "UTC nanoseconds as an int, or an aware datetime, in the years 1 to 9999"
_LONGEST_ID: Final = 128


def to_amount(value: Amount | None) -> Decimal | None:
    """Read an amount exactly; what is no amount is left for the check to refuse."""
    if value is None or isinstance(value, Decimal):
        return value
    return to_known_amount(value)


def to_known_amount(value: Amount) -> Decimal:
    """Read an amount that must be known; what is no amount is left for the check to refuse."""
    if isinstance(value, str):
        try:
            return parse_decimal(value)
        except InvalidValueError:
            return cast("Decimal", value)
    return Decimal(value) if is_integer(value) else cast("Decimal", value)


@overload
def to_instant(value: Instant) -> int: ...
@overload
def to_instant(value: Instant | None) -> int | None: ...
def to_instant(value: Instant | None) -> int | None:
    """Read an instant exactly; a naive datetime is left for the check to refuse."""
    if not isinstance(value, datetime):
        return value
    try:
        return from_datetime(value)
    except InvalidValueError:
        return cast("int", value)


def is_integer(value: object) -> TypeGuard[int]:
    """Tell whether `value` is an int that is not a bool."""
    return isinstance(value, int) and not isinstance(value, bool)


def amount_violation(field: str, value: object) -> Violation | None:
    """Say what is wrong with an amount; None if nothing is."""
    if isinstance(value, Decimal) and is_sane(value):
        return None
    return Violation.of(field, value, _AMOUNT)


def instant_violation(field: str, value: object) -> Violation | None:
    """Say what is wrong with an instant; None if nothing is."""
    if is_integer(value) and EARLIEST_NS <= value <= LATEST_NS:
        return None
    return Violation.of(field, value, _INSTANT)


def text_violation(field: str, value: object, longest: int = _LONGEST_ID) -> Violation | None:
    """Say what is wrong with an id, a symbol or a label; None if nothing is."""
    if isinstance(value, str) and 0 < len(value) <= longest and value.isprintable():
        return None
    return Violation.of(field, value, f"1 to {longest} printable characters")


def _refuse(model: object, violation: Violation | None) -> None:
    if violation is not None:
        raise InvalidValueError.of(type(model).__name__, [violation])


def check_amount(model: object, attribute: attrs.Attribute[Decimal], value: Decimal) -> None:
    """Refuse an amount that is no finite Decimal or over-long (validator)."""
    _refuse(model, amount_violation(attribute.name, value))


def check_computed_amount(
    model: object, attribute: attrs.Attribute[Decimal], value: Decimal
) -> None:
    """Refuse an amount that is no finite Decimal; it may be as long as arithmetic makes it."""
    is_sound = _is_finite(value) and is_bounded(value)
    _refuse(model, None if is_sound else Violation.of(attribute.name, value, _AMOUNT))


def check_instant(model: object, attribute: attrs.Attribute[int | None], value: int | None) -> None:
    """Refuse an instant that is no int of nanoseconds (validator; None passes)."""
    if value is not None:
        _refuse(model, instant_violation(attribute.name, value))


def check_text(model: object, attribute: attrs.Attribute[str], value: str) -> None:
    """Refuse an empty, long or unprintable id (validator)."""
    _refuse(model, text_violation(attribute.name, value))


def check_amounts(model: object, names: tuple[str, ...], *, required: tuple[str, ...] = ()) -> None:
    """Refuse any of the named fields that is no finite Decimal, cheaply.

    None passes in `names`, not in `required`.
    """
    for name in names:
        value: object = getattr(model, name)
        if value is not None and not _is_finite(value):
            _refuse(model, Violation.of(name, value, _COMPUTED))
    for name in required:
        value = getattr(model, name)
        if not _is_finite(value):
            _refuse(model, Violation.of(name, value, _COMPUTED))


def _is_finite(value: object) -> bool:
    return type(value) is Decimal and value.is_finite()
