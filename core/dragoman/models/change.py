"""A change of an order: what a replace asks for."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar, Final, TypedDict

import attrs

from dragoman.errors import InvalidOrderError, Violation

from .checks import to_amount, to_instant
from .enums import Remove
from .exits import Exit, exit_field_violations, target_violations
from .field_rules import (
    instant_violations,
    offset_violations,
    price_violations,
    size_violations,
)
from .instants import OptionalInstantView
from .values import Offset

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .checks import Amount, Instant

__all__ = ["REMOVE", "ChangeFields", "OrderChange"]

REMOVE: Final = Remove.REMOVE
"""Takes an exit leg off, where None would leave it as it is."""


class ChangeFields(TypedDict, total=False):
    """Every field of an `OrderChange`."""

    quantity: Amount | None
    limit_price: Amount | None
    stop_price: Amount | None
    trailing: Offset | None
    expires_at_ns: Instant | None
    stop_loss: Exit | Remove | None
    take_profit: Exit | Remove | None


@attrs.frozen(kw_only=True)
class OrderChange:
    """What a replace changes; None leaves a field as it is, `REMOVE` takes an exit leg off.

    `quantity` is the new total, what has filled included.

    Raises:
        InvalidOrderError: Nothing changes, or a field is out of its domain (NOT_SENT).
    """

    quantity: Decimal | None = attrs.field(default=None, converter=to_amount)
    limit_price: Decimal | None = attrs.field(default=None, converter=to_amount)
    stop_price: Decimal | None = attrs.field(default=None, converter=to_amount)
    trailing: Offset | None = None
    expires_at_ns: int | None = attrs.field(default=None, converter=to_instant)
    stop_loss: Exit | Remove | None = None
    take_profit: Exit | Remove | None = None
    expires_at: ClassVar[OptionalInstantView] = OptionalInstantView()

    def __attrs_post_init__(self) -> None:
        """Refuse an empty change and fields out of their domain, listing every violation."""
        violations = [*_violations(self)]
        if violations:
            raise InvalidOrderError.of("OrderChange", violations)

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the fields that change."""
        names = attrs.fields_dict(type(self))
        return tuple(name for name in names if getattr(self, name) is not None)


def _violations(change: OrderChange) -> Iterator[Violation]:
    if not change.fields:
        yield Violation.of("change", None, "at least one field to change")
    yield from size_violations(change, "quantity")
    yield from price_violations(change, "limit_price", "stop_price")
    yield from offset_violations(change, "trailing")
    yield from instant_violations(change, "expires_at_ns")
    yield from exit_field_violations(change, "stop_loss", "take_profit", others=(Remove,))
    if isinstance(change.take_profit, Exit):
        yield from target_violations(change.take_profit)
