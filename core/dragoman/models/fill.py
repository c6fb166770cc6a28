"""A fill: one execution of an order, told once."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

import attrs

from dragoman.errors import InvalidValueError, Violation

from .checks import check_amounts, check_text
from .enums import Liquidity, Side
from .instants import InstantView
from .values import Money

__all__ = ["Fill"]


@attrs.frozen(kw_only=True)
class Fill:
    """One execution.

    `fill_id` is unique per account. `quantity` is above 0, in units of the instrument. `commission`
    is all fees of this fill, positive when paid; None means not said yet. `realized_pnl` is as the
    venue states it.
    """

    fill_id: str = attrs.field(validator=check_text)
    account_id: str = attrs.field(validator=check_text)
    client_order_id: str = attrs.field(validator=check_text)
    symbol: str = attrs.field(validator=check_text)
    side: Side
    quantity: Decimal
    price: Decimal
    venue_time_ns: int
    provider: str
    received_at_ns: int
    venue_order_id: str | None = None
    position_id: str | None = None
    liquidity: Liquidity | None = None
    is_busted: bool = False
    commission: Money | None = None
    realized_pnl: Money | None = None
    raw: bytes | None = attrs.field(default=None, repr=False, eq=False)
    venue_time: ClassVar[InstantView] = InstantView()
    received_at: ClassVar[InstantView] = InstantView()

    def __attrs_post_init__(self) -> None:
        """Refuse a quantity that is not above 0 and a price that is no finite decimal."""
        check_amounts(self, (), required=("quantity", "price"))
        if self.quantity <= 0:
            raise InvalidValueError.of(
                "Fill", [Violation.of("quantity", self.quantity, "a number above 0")]
            )
