"""An order: one intent for life, under every venue id it has ever had."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

import attrs

from dragoman.errors import DragomanError, InvalidValueError, Violation
from dragoman.money import ZERO, subtract

from .checks import check_amounts, check_text
from .enums import (
    Contingency,
    OrderOrigin,
    OrderStatus,
    OrderType,
    PendingAction,
    PositionEffect,
    PriceSource,
    RejectReason,
    Side,
    Support,
    TimeInForce,
)
from .exits import Exit
from .instants import InstantView, OptionalInstantView
from .options import NO_OPTIONS, Scalar
from .values import FrozenMapping, Money, Offset

__all__ = ["CommandResult", "Order"]

_AMOUNTS = (
    "quantity",
    "notional",
    "limit_price",
    "stop_price",
    "activation_price",
    "display_quantity",
    "average_fill_price",
)
_NO_HANDLING: FrozenMapping[Support] = FrozenMapping()


@attrs.frozen(kw_only=True)
class Order:
    """One intent as it stands now; a field is None where the venue does not say.

    `venue_order_ids` holds every id the venue has given the intent, oldest first; `revision` counts
    accepted replaces. `filled_quantity` never falls but by a busted fill. `stop_price` of a
    trailing order is its present level. `handling` names the parts this library emulates.
    `parent_client_order_id` is the entry of a leg, the working order of an OTO or the whole of a
    slice.
    """

    client_order_id: str = attrs.field(validator=check_text)
    account_id: str = attrs.field(validator=check_text)
    symbol: str = attrs.field(validator=check_text)
    side: Side
    order_type: OrderType
    status: OrderStatus
    provider: str
    received_at_ns: int
    quantity: Decimal | None = None
    notional: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trailing: Offset | None = None
    limit_offset: Offset | None = None
    activation_price: Decimal | None = None
    trigger: PriceSource | None = None
    peg: PriceSource | None = None
    time_in_force: TimeInForce | None = None
    expires_at_ns: int | None = None
    post_only: bool | None = None
    extended_hours: bool | None = None
    display_quantity: Decimal | None = None
    position_effect: PositionEffect | None = None
    position_id: str | None = None
    stop_loss: Exit | None = None
    take_profit: Exit | None = None
    group_id: str | None = None
    tag: str | None = None
    venue_options: FrozenMapping[Scalar] = NO_OPTIONS
    pending: PendingAction | None = None
    venue_status: str | None = None
    venue_order_ids: tuple[str, ...] = ()
    revision: int = 0
    filled_quantity: Decimal = ZERO
    average_fill_price: Decimal | None = None
    commission: Money | None = None
    is_triggered: bool | None = None
    reject_reason: RejectReason | None = None
    venue_code: str | None = None
    reason: str | None = None
    origin: OrderOrigin = OrderOrigin.CLIENT
    parent_client_order_id: str | None = None
    contingency: Contingency = Contingency.NONE
    handling: FrozenMapping[Support] = _NO_HANDLING
    created_at_ns: int | None = None
    updated_at_ns: int | None = None
    raw: bytes | None = attrs.field(default=None, repr=False, eq=False)
    received_at: ClassVar[InstantView] = InstantView()
    expires_at: ClassVar[OptionalInstantView] = OptionalInstantView()
    created_at: ClassVar[OptionalInstantView] = OptionalInstantView()
    updated_at: ClassVar[OptionalInstantView] = OptionalInstantView()

    def __attrs_post_init__(self) -> None:
        """Refuse amounts that are no finite decimals, and quantities below zero."""
        check_amounts(self, _AMOUNTS, required=("filled_quantity",))
        if self.filled_quantity < 0 or (self.quantity is not None and self.quantity < 0):
            found = Violation.of("quantity", f"{self.filled_quantity} of {self.quantity}", "from 0")
            raise InvalidValueError.of("Order", [found])

    @property
    def venue_order_id(self) -> str | None:
        """The venue's present id of the intent; None before it gave one."""
        return self.venue_order_ids[-1] if self.venue_order_ids else None

    @property
    def remaining_quantity(self) -> Decimal | None:
        """What may still fill: 0 once terminal, None where the quantity is not known."""
        if self.status.is_terminal:
            return ZERO
        return None if self.quantity is None else subtract(self.quantity, self.filled_quantity)

    @property
    def is_terminal(self) -> bool:
        """Whether nothing more can execute."""
        return self.status.is_terminal

    @property
    def is_open(self) -> bool:
        """Whether the order is not known to have ended; true while its fate is unknown."""
        return not self.status.is_terminal

    @property
    def reduce_only(self) -> bool:
        """Whether the order may only close."""
        return self.position_effect is PositionEffect.CLOSE


@attrs.frozen(kw_only=True)
class CommandResult:
    """What became of one order in a command on many: the order, or the error in its way."""

    client_order_id: str
    order: Order | None = None
    error: DragomanError | None = None
