"""What a client asks for: an order in its own words.

Building one checks everything that can be known without a venue and lists all violations at once.
What the instrument, the venue and the account allow is the broker's to check.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar, TypedDict

import attrs

from dragoman.errors import InvalidOrderError

from .checks import to_amount, to_instant
from .enums import OrderType, PositionEffect, PriceSource, Side, TimeInForce
from .exits import Exit
from .instants import OptionalInstantView
from .options import NO_OPTIONS, Scalar, to_options
from .request_rules import request_violations
from .values import FrozenMapping, Offset

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Unpack

    from .checks import Amount, Instant

__all__ = ["EntryOptions", "OrderFields", "OrderOptions", "OrderRequest"]


class EntryOptions(TypedDict, total=False):
    """What any order may say besides symbol, side, size, prices and exits; see `OrderRequest`."""

    client_order_id: str | None
    account_id: str | None
    time_in_force: TimeInForce | None
    expires_at_ns: Instant | None
    trigger: PriceSource | None
    post_only: bool
    extended_hours: bool
    display_quantity: Amount | None
    position_effect: PositionEffect | None
    position_id: str | None
    group_id: str | None
    tag: str | None
    venue_options: Mapping[str, Scalar] | None


class OrderOptions(EntryOptions, total=False):
    """What an order that names its exits one by one may say besides."""

    stop_loss: Exit | None
    take_profit: Exit | None


class OrderFields(OrderOptions, total=False):
    """Every field of an `OrderRequest`, and `reduce_only`, which is `position_effect=CLOSE`."""

    symbol: str
    side: Side
    order_type: OrderType
    quantity: Amount | None
    notional: Amount | None
    limit_price: Amount | None
    stop_price: Amount | None
    trailing: Offset | None
    limit_offset: Offset | None
    activation_price: Amount | None
    peg: PriceSource | None
    reduce_only: bool


@attrs.frozen(kw_only=True)
class OrderRequest:
    """An intent to trade, as the client words it.

    Exactly one of `quantity` (units of the instrument) and `notional` (quote currency) is given;
    neither only with `position_effect=CLOSE`, which then means the whole position when it executes.
    `stop_price` is the trigger of every triggered type. A price that the order type does not take
    is refused.

    `client_order_id` names the intent for life, unique per account for ever, within `[!-~]{1,128}`;
    None lets the broker make one before the first byte. `expires_at_ns` goes with GTD only.
    `display_quantity` 0 hides the order. `group_id`, submitted alone, makes the order OCO with the
    account's open orders of the same group.

    Raises:
        InvalidOrderError: Anything above is broken (NOT_SENT); `violations` lists every field at
        once.
    """

    symbol: str
    side: Side
    order_type: OrderType
    quantity: Decimal | None = attrs.field(default=None, converter=to_amount)
    notional: Decimal | None = attrs.field(default=None, converter=to_amount)
    client_order_id: str | None = None
    account_id: str | None = None
    limit_price: Decimal | None = attrs.field(default=None, converter=to_amount)
    stop_price: Decimal | None = attrs.field(default=None, converter=to_amount)
    trailing: Offset | None = None
    limit_offset: Offset | None = None
    activation_price: Decimal | None = attrs.field(default=None, converter=to_amount)
    trigger: PriceSource | None = None
    peg: PriceSource | None = None
    time_in_force: TimeInForce | None = None
    expires_at_ns: int | None = attrs.field(default=None, converter=to_instant)
    post_only: bool = False
    extended_hours: bool = False
    display_quantity: Decimal | None = attrs.field(default=None, converter=to_amount)
    position_effect: PositionEffect | None = None
    position_id: str | None = None
    stop_loss: Exit | None = None
    take_profit: Exit | None = None
    group_id: str | None = None
    tag: str | None = None
    venue_options: FrozenMapping[Scalar] = attrs.field(default=NO_OPTIONS, converter=to_options)
    expires_at: ClassVar[OptionalInstantView] = OptionalInstantView()

    def __attrs_post_init__(self) -> None:
        """Refuse what can't be a sound order anywhere, listing every violation."""
        violations = request_violations(self)
        if violations:
            raise InvalidOrderError.of("OrderRequest", violations)

    @property
    def reduce_only(self) -> bool:
        """Whether the order may only close."""
        return self.position_effect is PositionEffect.CLOSE

    @classmethod
    def market(
        cls,
        symbol: str,
        side: Side,
        quantity: Amount | None = None,
        *,
        notional: Amount | None = None,
        **options: Unpack[OrderOptions],
    ) -> OrderRequest:
        """Make an order to trade at once at the best price there is, by quantity or by notional."""
        return cls(
            symbol=symbol,
            side=side,
            order_type=OrderType.MARKET,
            quantity=quantity,
            notional=notional,
            **options,
        )

    @classmethod
    def limit(
        cls,
        symbol: str,
        side: Side,
        quantity: Amount | None,
        limit_price: Amount,
        **options: Unpack[OrderOptions],
    ) -> OrderRequest:
        """Make an order to trade at `limit_price` or better."""
        return cls(
            symbol=symbol,
            side=side,
            order_type=OrderType.LIMIT,
            quantity=quantity,
            limit_price=limit_price,
            **options,
        )

    @classmethod
    def stop(
        cls,
        symbol: str,
        side: Side,
        quantity: Amount | None,
        stop_price: Amount,
        **options: Unpack[OrderOptions],
    ) -> OrderRequest:
        """Make an order that becomes a market order once a worse `stop_price` is reached."""
        return cls(
            symbol=symbol,
            side=side,
            order_type=OrderType.STOP,
            quantity=quantity,
            stop_price=stop_price,
            **options,
        )

    @classmethod
    def stop_limit(
        cls,
        symbol: str,
        side: Side,
        quantity: Amount | None,
        *,
        stop_price: Amount,
        limit_price: Amount,
        **options: Unpack[OrderOptions],
    ) -> OrderRequest:
        """Make an order that becomes a limit order once the price reaches `stop_price`."""
        return cls(
            symbol=symbol,
            side=side,
            order_type=OrderType.STOP_LIMIT,
            quantity=quantity,
            stop_price=stop_price,
            limit_price=limit_price,
            **options,
        )

    @classmethod
    def market_if_touched(
        cls,
        symbol: str,
        side: Side,
        quantity: Amount | None,
        stop_price: Amount,
        **options: Unpack[OrderOptions],
    ) -> OrderRequest:
        """Make an order that becomes a market order once a better `stop_price` is touched."""
        return cls(
            symbol=symbol,
            side=side,
            order_type=OrderType.MARKET_IF_TOUCHED,
            quantity=quantity,
            stop_price=stop_price,
            **options,
        )

    @classmethod
    def limit_if_touched(
        cls,
        symbol: str,
        side: Side,
        quantity: Amount | None,
        *,
        stop_price: Amount,
        limit_price: Amount,
        **options: Unpack[OrderOptions],
    ) -> OrderRequest:
        """Make an order that becomes a limit order once a better `stop_price` is touched."""
        return cls(
            symbol=symbol,
            side=side,
            order_type=OrderType.LIMIT_IF_TOUCHED,
            quantity=quantity,
            stop_price=stop_price,
            limit_price=limit_price,
            **options,
        )

    @classmethod
    def trailing_stop(
        cls,
        symbol: str,
        side: Side,
        quantity: Amount | None,
        trailing: Offset,
        *,
        limit_offset: Offset | None = None,
        activation_price: Amount | None = None,
        **options: Unpack[OrderOptions],
    ) -> OrderRequest:
        """Make a stop, or with `limit_offset` a stop-limit, that follows the price."""
        kind = OrderType.TRAILING_STOP if limit_offset is None else OrderType.TRAILING_STOP_LIMIT
        return cls(
            symbol=symbol,
            side=side,
            order_type=kind,
            quantity=quantity,
            trailing=trailing,
            limit_offset=limit_offset,
            activation_price=activation_price,
            **options,
        )

    @classmethod
    def bracket(
        cls,
        symbol: str,
        side: Side,
        quantity: Amount | None,
        *,
        stop_loss: Amount | Exit,
        take_profit: Amount | Exit,
        limit_price: Amount | None = None,
        **options: Unpack[EntryOptions],
    ) -> OrderRequest:
        """Make an entry, market or limit, between a stop loss and a take profit."""
        return cls(
            symbol=symbol,
            side=side,
            order_type=OrderType.MARKET if limit_price is None else OrderType.LIMIT,
            quantity=quantity,
            limit_price=limit_price,
            stop_loss=_to_exit(stop_loss),
            take_profit=_to_exit(take_profit),
            **options,
        )


def _to_exit(level: Amount | Exit) -> Exit:
    return level if isinstance(level, Exit) else Exit(price=level)
