"""The buying power that open orders hold, and what a notional comes to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.models import RejectReason, Side
from dragoman.money import ZERO, Rounding, divide, multiply, round_to_step, subtract, trimmed

from .accounts.account import Exposure
from .order import LIMITED, TOUCHED, TRIGGERED

if TYPE_CHECKING:
    from collections.abc import Collection
    from decimal import Decimal

    from .listed import Listing
    from .order import WorkingOrder

__all__ = [
    "expected_price",
    "hold",
    "let_go",
    "lower",
    "notional_of",
    "refusal",
    "refusal_text",
    "remaining_notional",
    "settle_size",
    "units_of",
]


_STOPS: Final = TRIGGERED - TOUCHED - LIMITED


def units_of(notional: Decimal, price: Decimal, listing: Listing) -> Decimal:
    """Return how many whole lots a notional buys at a price; 0 where not even one."""
    instrument = listing.instrument
    if instrument.is_inverse:
        units = divide(notional, instrument.multiplier)
    elif price <= 0:
        return ZERO
    else:
        units = divide(notional, multiply(price, instrument.multiplier))
    if instrument.lot_size is None:
        return units
    return trimmed(round_to_step(units, instrument.lot_size, Rounding.DOWN))


def remaining_notional(order: WorkingOrder) -> Decimal:
    """Return what is left of an order's notional, in the quote currency."""
    instrument = order.listing.instrument
    counted = order.filled_quantity if instrument.is_inverse else order.filled_value
    return subtract(order.notional or ZERO, multiply(counted, instrument.multiplier))


def notional_of(quantity: Decimal, price: Decimal, listing: Listing) -> Decimal:
    """Return what a quantity is worth in the quote currency."""
    instrument = listing.instrument
    units = multiply(quantity, instrument.multiplier)
    return units if instrument.is_inverse else multiply(units, price)


def settle_size(order: WorkingOrder) -> None:
    """Give an order for a notional its quantity, once it works at a limit."""
    limit = order.limit
    if order.notional is None or order.quantity is not None or limit is None:
        return
    if not order.waits_for_trigger:
        order.quantity = units_of(order.notional, limit, order.listing) or None


def expected_price(order: WorkingOrder) -> Decimal | None:
    """Return the highest price an order is expected to meet; None if no price is known.

    Buying, that is its limit or its trigger. A sale may find better than what it asks for, and
    needs margin for that; so may a stop that the market has passed.
    """
    asked = _asked_price(order)
    if asked is not None and order.side is Side.BUY and order.order_type not in _STOPS:
        return asked
    listing = order.listing
    offers = listing.liquidity[order.side.opposite]
    quantity = order.remaining
    reached = offers.best_price if quantity is None else offers.worst_price(quantity)
    if reached is None:
        reached = listing.mark_price
    if asked is None or reached is None:
        return reached if asked is None else asked
    return max(asked, reached)


def _asked_price(order: WorkingOrder) -> Decimal | None:
    if order.order_type in LIMITED and order.limit_price is not None:
        return order.limit_price
    return order.stop_price if order.waits_for_trigger else None


def _exposure(order: WorkingOrder, key: str, price: Decimal) -> Exposure:
    quantity = order.remaining
    if quantity is None:
        quantity = units_of(remaining_notional(order), price, order.listing)
    return Exposure(
        client_order_id=key,
        symbol=order.symbol,
        side=order.side,
        quantity=quantity,
        price=price,
        effect=order.position_effect,
        position_id=order.position_id,
    )


def refusal(order: WorkingOrder) -> RejectReason | None:
    """Return why the account can't take an order; None when it can.

    What an order at any price may cost is not known before its market has a price: NO_LIQUIDITY.
    """
    price = expected_price(order)
    if price is None and not order.reduces:
        return RejectReason.NO_LIQUIDITY
    key = order.reserve_key or order.client_order_id
    return order.desk.account.admit(_exposure(order, key, ZERO if price is None else price))


def refusal_text(order: WorkingOrder, reason: RejectReason) -> str:
    """Return in words why the account can't take an order, with the amounts that are known."""
    price = expected_price(order)
    if reason is RejectReason.NO_LIQUIDITY:
        return f"{order.symbol} has no price yet to tell what the order may cost"
    key = order.reserve_key or order.client_order_id
    exposure = _exposure(order, key, ZERO if price is None else price)
    return order.desk.account.explain(exposure, reason)


def hold(order: WorkingOrder, among: Collection[WorkingOrder] | None = None) -> None:
    """Hold buying power for what may still fill; of orders sharing a hold, for the dearest.

    Of its group only those `among` count, the order with them; None: all that live.
    """
    if order.reduces:
        return
    group = order.group
    members = [order] if group is None or order.reserve_key is None else group.sharing(order)
    if among is not None:
        members = [each for each in members if each is order or each in among]
    key = order.reserve_key or order.client_order_id
    priced = [(member, expected_price(member)) for member in members]
    exposures = [_exposure(each, key, price) for each, price in priced if price is not None]
    if exposures:
        order.desk.account.reserve(max(exposures, key=_weight))


def lower(order: WorkingOrder) -> None:
    """Adjust a shared hold after a partial fill; an own one fell with the execution."""
    if order.reserve_key is not None:
        hold(order)


def let_go(order: WorkingOrder) -> None:
    """Hold nothing more for an order, unless others share the hold."""
    if order.reduces:
        return
    key = order.reserve_key
    if key is None:
        order.desk.account.release(order.client_order_id)
        return
    rest = [] if order.group is None else order.group.sharing(order)
    rest = [member for member in rest if member is not order]
    if rest:
        hold(rest[0])
    else:
        order.desk.account.release(key)


def _weight(exposure: Exposure) -> Decimal:
    return multiply(exposure.quantity, exposure.price.copy_abs())
