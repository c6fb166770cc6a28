"""A working order: all that the engine knows of an order that has not ended.

It holds state and derives from it, but decides nothing: who may change it when is written in the
modules around.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from dragoman.models import (
    Contingency,
    FrozenMapping,
    Money,
    Order,
    OrderOrigin,
    OrderStatus,
    OrderType,
    PositionEffect,
    PriceSource,
    TimeInForce,
)
from dragoman.models.instrument import default_time_of
from dragoman.models.trusted import copier
from dragoman.money import ZERO, add, average, multiply, subtract

if TYPE_CHECKING:
    from decimal import Decimal

    from dragoman.models import (
        Exit,
        Offset,
        OrderRequest,
        PendingAction,
        RejectReason,
        Scalar,
        Side,
        Support,
    )

    from .desk import Desk
    from .exits import Exits
    from .groups import Group
    from .listed import Listing

__all__ = ["LIMITED", "TOUCHED", "TRAILING", "TRIGGERED", "WorkingOrder"]

TRAILING: Final = frozenset({OrderType.TRAILING_STOP, OrderType.TRAILING_STOP_LIMIT})
"""Types whose trigger moves."""

TOUCHED: Final = frozenset({OrderType.MARKET_IF_TOUCHED, OrderType.LIMIT_IF_TOUCHED})
"""Types that a better price triggers."""

TRIGGERED: Final = TRAILING | TOUCHED | {OrderType.STOP, OrderType.STOP_LIMIT}
"""Types that wait for a trigger."""

LIMITED: Final = frozenset(
    {
        OrderType.LIMIT,
        OrderType.STOP_LIMIT,
        OrderType.LIMIT_IF_TOUCHED,
        OrderType.TRAILING_STOP_LIMIT,
    }
)
"""Types that execute at a limit or better."""


_WORDS: Final = {status: status.value for status in OrderStatus}
_ENDED: Final = frozenset(status for status in OrderStatus if status.is_terminal)
_told = copier(Order)


class WorkingOrder:
    """One order of one account, from acceptance until it ends.

    `rank` is its place in time among all orders; a lower one stands first. `is_resting` and
    `is_armed` say that it waits in the book or for its trigger, `is_idle` that it may do nothing
    before another fills. `shown` is what is left of the part that the book displays, None where it
    displays all. `reserve_key` names the buying power held for it. `best_price` is the best price a
    trailing stop has seen, `fixed_stop` a level that stands beside the trailing one. `crossed_tick`
    is the tick at which the order last was marketable and not yet served whole. Once it has ended,
    nothing of it changes but by a bust.
    """

    __slots__ = (
        "account_id",
        "activation_price",
        "average_of",
        "best_price",
        "client_order_id",
        "commission",
        "contingency",
        "created_at_ns",
        "crossed_tick",
        "desk",
        "display_quantity",
        "ends_at_ns",
        "exits",
        "expires_at_ns",
        "extended_hours",
        "filled_quantity",
        "filled_value",
        "fixed_stop",
        "group",
        "group_id",
        "is_armed",
        "is_idle",
        "is_resting",
        "is_triggered",
        "leg",
        "leg_of",
        "limit_offset",
        "limit_price",
        "listing",
        "notional",
        "order_type",
        "origin",
        "parent_client_order_id",
        "peg",
        "position_effect",
        "position_id",
        "post_only",
        "quantity",
        "rank",
        "reason",
        "reject_reason",
        "reserve_key",
        "revision",
        "shown",
        "side",
        "status",
        "stop_loss",
        "stop_price",
        "symbol",
        "tag",
        "take_profit",
        "time_in_force",
        "trailing",
        "trigger",
        "updated_at_ns",
        "venue_options",
        "venue_order_ids",
    )

    pending: ClassVar[PendingAction | None] = None
    venue_code: ClassVar[str | None] = None
    raw: ClassVar[bytes | None] = None
    handling: ClassVar[FrozenMapping[Support]] = FrozenMapping()

    def __init__(self, request: OrderRequest, desk: Desk, listing: Listing) -> None:
        self.desk: Desk = desk
        self.listing: Listing = listing
        self.account_id: str = desk.account_id
        self.symbol: str = listing.symbol
        self.client_order_id: str = request.client_order_id or ""
        self.side: Side = request.side
        self.order_type: OrderType = request.order_type
        self.quantity: Decimal | None = request.quantity
        self.notional: Decimal | None = request.notional
        self.limit_price: Decimal | None = request.limit_price
        self.stop_price: Decimal | None = request.stop_price
        self.trailing: Offset | None = request.trailing
        self.limit_offset: Offset | None = request.limit_offset
        self.activation_price: Decimal | None = request.activation_price
        self.peg: PriceSource | None = request.peg
        self.time_in_force: TimeInForce = request.time_in_force or default_time_of(
            listing.instrument, TimeInForce.DAY
        )
        self.expires_at_ns: int | None = request.expires_at_ns
        self.post_only: bool = request.post_only
        self.extended_hours: bool = request.extended_hours
        self.display_quantity: Decimal | None = request.display_quantity
        self.position_effect: PositionEffect | None = request.position_effect
        self.position_id: str | None = request.position_id
        self.stop_loss: Exit | None = request.stop_loss
        self.take_profit: Exit | None = request.take_profit
        self.group_id: str | None = request.group_id
        self.tag: str | None = request.tag
        self.venue_options: FrozenMapping[Scalar] = request.venue_options
        has_trigger = request.order_type in TRIGGERED
        self.trigger: PriceSource | None = (
            (request.trigger or PriceSource.LAST) if has_trigger else None
        )
        self.is_triggered: bool | None = False if has_trigger else None
        self._start()

    def _start(self) -> None:
        self.status: OrderStatus = OrderStatus.OPEN
        self.venue_order_ids: tuple[str, ...] = ()
        self.revision: int = 0
        self.filled_quantity: Decimal = ZERO
        self.filled_value: Decimal = ZERO
        self.average_of: Decimal | None = None
        self.commission: Money | None = None
        self.reject_reason: RejectReason | None = None
        self.reason: str | None = None
        self.origin: OrderOrigin = OrderOrigin.CLIENT
        self.parent_client_order_id: str | None = None
        self.contingency: Contingency = Contingency.NONE
        self.created_at_ns: int | None = None
        self.updated_at_ns: int | None = None
        self.rank: int = 0
        self.is_resting: bool = False
        self.is_armed: bool = False
        self.is_idle: bool = False
        self.shown: Decimal | None = None
        self.reserve_key: str | None = None
        self.best_price: Decimal | None = None
        self.fixed_stop: Decimal | None = None
        self.crossed_tick: int = -1
        self.ends_at_ns: int | None = None
        self.group: Group | None = None
        self.exits: Exits | None = None
        self.leg_of: Exits | None = None
        self.leg: Exit | None = None

    @property
    def provider(self) -> str:
        """The venue's name."""
        return self.listing.provider

    @property
    def is_live(self) -> bool:
        """Whether the order has not ended."""
        return self.status not in _ENDED

    @property
    def reduces(self) -> bool:
        """Whether the order may only close."""
        return self.position_effect is PositionEffect.CLOSE

    @property
    def waits_for_trigger(self) -> bool:
        """Whether the order has a trigger that has not fired."""
        return self.is_triggered is False

    @property
    def is_hidden(self) -> bool:
        """Whether the book does not display the order."""
        return self.display_quantity is not None and not self.display_quantity

    @property
    def limit(self) -> Decimal | None:
        """The worst price it may execute at now; None for any price."""
        return self.limit_price if self.order_type in LIMITED else None

    @property
    def remaining(self) -> Decimal | None:
        """What may still fill; None where the size is open (a notional, a whole position)."""
        return None if self.quantity is None else subtract(self.quantity, self.filled_quantity)

    @property
    def closable(self) -> Decimal:
        """How much there is for a closing order to close."""
        return self.desk.account.closable(self.symbol, self.side, self.position_id)

    @property
    def visible(self) -> Decimal:
        """What one match may take of it before it goes to the end of its queue."""
        left = self.remaining
        if self.reduces:
            left = self.closable if left is None else min(left, self.closable)
        elif left is None:
            left = ZERO
        return left if self.shown is None else min(self.shown, left)

    def record_fill(self, quantity: Decimal, price: Decimal) -> None:
        """Count an execution."""
        self.filled_quantity = add(self.filled_quantity, quantity)
        self.filled_value = add(self.filled_value, multiply(quantity, price))
        self.average_of = None

    def take_back_fill(self, quantity: Decimal, price: Decimal) -> None:
        """Take an execution back."""
        self.filled_quantity = subtract(self.filled_quantity, quantity)
        self.filled_value = subtract(self.filled_value, multiply(quantity, price))
        self.average_of = None

    def record_commission(self, commission: Money) -> None:
        """Add a fill's commission to the order's."""
        paid = self.commission
        if paid is None or not paid.amount:
            self.commission = commission
        elif commission.amount:
            self.commission = Money(add(paid.amount, commission.amount), commission.currency)

    @property
    def average_fill_price(self) -> Decimal | None:
        """The value filled by the quantity filled, to 28 digits; None before a fill."""
        if not self.filled_quantity:
            return None
        if self.average_of is None:
            self.average_of = average(self.filled_value, self.filled_quantity)
        return self.average_of

    @property
    def received_at_ns(self) -> int:
        """When the order last changed: the venue tells it at once."""
        return self.updated_at_ns or 0

    @property
    def venue_status(self) -> str:
        """The status in the venue's own word, which is this library's."""
        return _WORDS[self.status]

    def snapshot(self) -> Order:
        """Return the order as it stands, as the model that the venue tells."""
        return _told(self)
