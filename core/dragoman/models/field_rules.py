"""Rules that several fields of a model share, as generators of violations; None passes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.errors import Violation
from dragoman.ids import is_client_order_id

from .checks import amount_violation, instant_violation, text_violation
from .values import Offset

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal
    from enum import StrEnum

__all__ = [
    "enum_violations",
    "flag_violations",
    "id_violations",
    "instant_violations",
    "offset_violations",
    "price_violations",
    "size_violations",
    "text_violations",
]


def price_violations(model: object, *names: str) -> Iterator[Violation]:
    """Yield prices that are no finite decimals; some instruments have prices below 0."""
    for name in names:
        value: object = getattr(model, name)
        violation = None if value is None else amount_violation(name, value)
        if violation is not None:
            yield violation


def size_violations(model: object, *names: str) -> Iterator[Violation]:
    """Yield sizes that are no finite decimals above 0."""
    for name in names:
        value: Decimal | None = getattr(model, name)
        if value is None:
            continue
        violation = amount_violation(name, value)
        if violation is not None:
            yield violation
        elif value <= 0:
            yield Violation.of(name, value, "a number above 0")


def text_violations(model: object, *names: str) -> Iterator[Violation]:
    """Yield ids and labels that are empty, too long or not printable."""
    for name in names:
        value: object = getattr(model, name)
        violation = None if value is None else text_violation(name, value)
        if violation is not None:
            yield violation


def id_violations(client_order_id: object) -> Iterator[Violation]:
    """Yield a client order id outside its grammar."""
    if client_order_id is None:
        return
    if not (isinstance(client_order_id, str) and is_client_order_id(client_order_id)):
        allowed = "1 to 128 visible ASCII characters without spaces"
        yield Violation.of("client_order_id", client_order_id, allowed)


def offset_violations(model: object, *names: str) -> Iterator[Violation]:
    """Yield distances that are no `Offset`."""
    for name in names:
        value: object = getattr(model, name)
        if value is not None and not isinstance(value, Offset):
            yield Violation.of(name, value, "an Offset, such as Offset.percent('1.5')")


def flag_violations(model: object, *names: str) -> Iterator[Violation]:
    """Yield flags that are neither True nor False."""
    for name in names:
        value: object = getattr(model, name)
        if not isinstance(value, bool):
            yield Violation.of(name, value, "True or False")


def instant_violations(model: object, *names: str) -> Iterator[Violation]:
    """Yield instants that are no int of nanoseconds in the years 1 to 9999."""
    for name in names:
        value: object = getattr(model, name)
        violation = None if value is None else instant_violation(name, value)
        if violation is not None:
            yield violation


def enum_violations(
    model: object, kinds: dict[str, type[StrEnum]], *, required: tuple[str, ...] = ()
) -> Iterator[Violation]:
    """Yield fields that hold no member of their enum, or its UNKNOWN, which is never sent."""
    for name, kind in kinds.items():
        value: object = getattr(model, name)
        if value is None and name not in required:
            continue
        if not isinstance(value, kind) or value.value == "UNKNOWN":
            sendable = [member for member in kind if member.value != "UNKNOWN"]
            yield Violation.of(name, value, f"{kind.__name__} {', '.join(sendable)}")
