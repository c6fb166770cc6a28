"""A protective exit: the stop loss or the take profit that an entry carries."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.errors import InvalidOrderError, Violation

from .checks import to_amount
from .enums import PriceSource, TimeInForce
from .field_rules import (
    enum_violations,
    id_violations,
    offset_violations,
    price_violations,
    size_violations,
)
from .options import NO_OPTIONS, Scalar, option_violations, to_options
from .values import FrozenMapping, Offset

if TYPE_CHECKING:
    from collections.abc import Iterator
    from enum import StrEnum

__all__ = ["Exit", "exit_field_violations", "target_violations"]

_ENUMS: Final[dict[str, type[StrEnum]]] = {"trigger": PriceSource, "time_in_force": TimeInForce}


@attrs.frozen(kw_only=True)
class Exit:
    """One protective leg: opposite side, CLOSE, sized by what has filled.

    `price` is the trigger of a stop or the target's limit, absolute; `offset` is the same as a
    distance from the entry's fill; at most one of them. `limit_price` makes a stop a stop-limit, or
    is the limit of an if-touched target. `trailing` is for a stop loss only; together with `price`,
    the better of the two levels holds. `time_in_force` None means GTC where the venue can, else the
    entry's.

    Raises:
        InvalidOrderError: The leg has no level, or two that exclude each other, or a field out of
            its domain (NOT_SENT); `violations` lists every field at once.
    """

    price: Decimal | None = attrs.field(default=None, converter=to_amount)
    offset: Offset | None = None
    limit_price: Decimal | None = attrs.field(default=None, converter=to_amount)
    trailing: Offset | None = None
    trigger: PriceSource | None = None
    quantity: Decimal | None = attrs.field(default=None, converter=to_amount)
    client_order_id: str | None = None
    time_in_force: TimeInForce | None = None
    venue_options: FrozenMapping[Scalar] = attrs.field(default=NO_OPTIONS, converter=to_options)

    def __attrs_post_init__(self) -> None:
        """Refuse a leg that can't be sound anywhere, listing every violation."""
        violations = [*_violations(self)]
        if violations:
            raise InvalidOrderError.of("Exit", violations)


def _violations(leg: Exit) -> Iterator[Violation]:
    yield from price_violations(leg, "price", "limit_price")
    yield from size_violations(leg, "quantity")
    yield from offset_violations(leg, "offset", "trailing")
    yield from enum_violations(leg, _ENUMS)
    yield from id_violations(leg.client_order_id)
    yield from option_violations(leg.venue_options)
    if leg.price is not None and leg.offset is not None:
        yield Violation.of("offset", leg.offset, "price or offset, not both")
    if leg.price is None and leg.offset is None and leg.trailing is None:
        yield Violation.of("price", None, "one of price, offset and trailing")


def exit_field_violations(
    model: object, *names: str, others: tuple[type, ...] = ()
) -> Iterator[Violation]:
    """Yield fields that hold neither an `Exit` nor one of the `others`; None passes."""
    for name in names:
        value: object = getattr(model, name)
        if value is not None and not isinstance(value, (Exit, *others)):
            allowed = "an Exit, such as Exit(price='95')" + (" or REMOVE" if others else "")
            yield Violation.of(name, value, allowed)


def target_violations(leg: Exit) -> Iterator[Violation]:
    """Yield what a take profit can't be, although an `Exit` can."""
    if leg.trailing is not None:
        yield Violation.of("take_profit.trailing", leg.trailing, "nothing: only a stop loss trails")
