"""What the venue refuses: all that instrument, market, account or settings forbid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from dragoman.models import (
    InstrumentKind,
    OrderType,
    PriceSource,
    RejectReason,
    TimeInForce,
    TradingState,
)
from dragoman.money import divide, is_multiple, multiply

from . import funds
from .exits import legs_of
from .matching import best_offer
from .order import TRAILING
from .sweep import peg_price

if TYPE_CHECKING:
    from decimal import Decimal

    from dragoman.models import Exit, Instrument

    from .order import WorkingOrder
    from .settings import VenueSettings

__all__ = [
    "Refusal",
    "account_refusal",
    "leg_refusal",
    "market_refusal",
    "price_refusal",
    "quantity_refusal",
    "refusal",
    "terms_refusal",
]

Refusal: TypeAlias = tuple[RejectReason, str]
"""Why an order is refused, and the same in words."""

_AUCTIONS: Final = frozenset({TimeInForce.OPG, TimeInForce.CLS})
_IMMEDIATE: Final = frozenset({TimeInForce.IOC, TimeInForce.FOK})
_WITH_INDEX: Final = frozenset(
    {InstrumentKind.PERPETUAL, InstrumentKind.FUTURE, InstrumentKind.CFD}
)


def refusal(order: WorkingOrder, settings: VenueSettings, now_ns: int) -> Refusal | None:
    """Return why a new order is refused, checking its terms, the market and the account in turn."""
    return (
        terms_refusal(order, settings, now_ns)
        or market_refusal(order)
        or account_refusal(order, settings)
    )


def terms_refusal(order: WorkingOrder, settings: VenueSettings, now_ns: int) -> Refusal | None:
    """Return what is wrong with an order whatever the market does."""
    return (
        _instrument_refusal(order, now_ns)
        or _feature_refusal(order, settings)
        or _time_refusal(order, now_ns)
        or quantity_refusal(order, order.quantity)
        or _display_refusal(order)
        or _prices_refusal(order)
        or _notional_refusal(order)
        or _legs_refusal(order, settings)
    )


def market_refusal(order: WorkingOrder) -> Refusal | None:
    """Return why the market can't take an order now."""
    if not order.listing.admits(order):
        is_auction = order.time_in_force in _AUCTIONS
        is_immediate = order.order_type is OrderType.MARKET or order.time_in_force in _IMMEDIATE
        if is_immediate and not is_auction:
            state = order.listing.state
            return RejectReason.MARKET_CLOSED, f"the market of {order.symbol} is {state}"
        return None
    if order.post_only:
        offer = best_offer(order)
        if offer is not None:
            text = f"a post-only {order.side} at {order.limit_price} would take {offer.price}"
            return RejectReason.WOULD_TAKE, text
        return None
    return _own_offer_refusal(order)


def _own_offer_refusal(order: WorkingOrder) -> Refusal | None:
    """Refuse an order that could trade with nothing but the account's own resting order."""
    book = order.listing.book(order.side.opposite)
    if not book or order.waits_for_trigger or order.time_in_force in _AUCTIONS:
        return None
    offer = best_offer(order)
    if offer is None or offer.order is None or offer.order.desk is not order.desk:
        return None
    text = f"it would trade with the account's own order {offer.order.client_order_id}"
    return RejectReason.SELF_TRADE, text


def account_refusal(order: WorkingOrder, settings: VenueSettings) -> Refusal | None:
    """Return why the account can't take an order."""
    if len(order.desk.live) >= settings.max_open_orders:
        text = f"the account has {len(order.desk.live)} open orders, as many as it may"
        return RejectReason.TOO_MANY_ORDERS, text
    reason = funds.refusal(order)
    return None if reason is None else (reason, funds.refusal_text(order, reason))


def _instrument_refusal(order: WorkingOrder, now_ns: int) -> Refusal | None:
    listing, instrument = order.listing, order.listing.instrument
    if instrument.kind is InstrumentKind.UNKNOWN:
        return RejectReason.UNKNOWN_SYMBOL, f"the venue lists no {order.symbol}"
    if not order.desk.can_trade:
        return RejectReason.NOT_PERMITTED, f"account {order.account_id} may not trade"
    expires_at_ns = instrument.expires_at_ns
    if listing.is_expired or (expires_at_ns is not None and expires_at_ns <= now_ns):
        return RejectReason.NOT_TRADABLE, f"{order.symbol} has expired"
    if listing.state is TradingState.HALTED:
        return RejectReason.NOT_TRADABLE, f"{order.symbol} is halted: {listing.halted}"
    if instrument.is_tradable is False:
        return RejectReason.NOT_TRADABLE, f"{order.symbol} is not tradable"
    return None


def _feature_refusal(order: WorkingOrder, settings: VenueSettings) -> Refusal | None:
    missing = _missing_feature(order, settings)
    if missing is None and _lacks(order, order.listing.instrument):
        missing = f"{order.order_type} {order.time_in_force} of this instrument"
    if missing is None:
        return None
    return RejectReason.UNSUPPORTED, f"this venue does not offer {missing}"


def _missing_feature(order: WorkingOrder, settings: VenueSettings) -> str | None:
    has_exits = order.stop_loss is not None or order.take_profit is not None
    if has_exits and not settings.native_exits:
        return "exits on an entry"
    if order.group_id is not None and not settings.native_lists:
        return "groups"
    if order.order_type in TRAILING and not settings.native_trailing:
        return "trailing orders"
    if order.extended_hours and order.order_type is not OrderType.LIMIT:
        return "extended hours but for limit orders"
    return "an index price of this instrument" if _lacks_index(order) else None


def _lacks(order: WorkingOrder, instrument: Instrument) -> bool:
    types, times = instrument.order_types, instrument.times_in_force
    return (types is not None and order.order_type not in types) or (
        times is not None and order.time_in_force not in times
    )


def _lacks_index(order: WorkingOrder) -> bool:
    listing = order.listing
    if PriceSource.INDEX not in (order.trigger, order.peg):
        return False
    return listing.index_price is None and listing.instrument.kind not in _WITH_INDEX


def _time_refusal(order: WorkingOrder, now_ns: int) -> Refusal | None:
    expires_at_ns = order.expires_at_ns
    if expires_at_ns is not None and expires_at_ns <= now_ns:
        return RejectReason.OTHER, f"expires_at_ns {expires_at_ns} is not after now, {now_ns}"
    if order.time_in_force in _AUCTIONS and order.order_type not in _AUCTION_TYPES:
        text = f"an auction takes market and limit orders, not {order.order_type}"
        return RejectReason.UNSUPPORTED, text
    return None


_AUCTION_TYPES: Final = frozenset({OrderType.MARKET, OrderType.LIMIT})


def quantity_refusal(order: WorkingOrder, quantity: Decimal | None) -> Refusal | None:
    """Return what is wrong with a total quantity."""
    if quantity is None:
        return None
    instrument = order.listing.instrument
    lot, least, most = instrument.lot_size, instrument.min_quantity, instrument.max_quantity
    if lot is not None and not is_multiple(quantity, lot):
        return RejectReason.INVALID_QUANTITY, f"quantity {quantity} is no multiple of {lot}"
    if least is not None and quantity < least and not order.reduces:
        return RejectReason.BELOW_MINIMUM, f"quantity {quantity} is below {least}"
    if order.order_type is OrderType.MARKET and instrument.max_market_quantity is not None:
        most = (
            instrument.max_market_quantity
            if most is None
            else min(most, instrument.max_market_quantity)
        )
    if most is not None and quantity > most:
        return RejectReason.ABOVE_MAXIMUM, f"quantity {quantity} is above {most}"
    return None


def _display_refusal(order: WorkingOrder) -> Refusal | None:
    shown, lot = order.display_quantity, order.listing.instrument.lot_size
    if shown and lot is not None and not is_multiple(shown, lot):
        return RejectReason.INVALID_QUANTITY, f"display_quantity {shown} is no multiple of {lot}"
    return None


def _prices_refusal(order: WorkingOrder) -> Refusal | None:
    if order.peg is not None:
        order.limit_price = peg_price(order)
        if order.limit_price is None:
            return RejectReason.NO_LIQUIDITY, f"there is no {order.peg} price to follow"
        return None
    return (
        price_refusal(order, "limit_price", order.limit_price)
        or price_refusal(order, "stop_price", order.stop_price)
        or price_refusal(order, "activation_price", order.activation_price)
    )


def price_refusal(order: WorkingOrder, name: str, price: Decimal | None) -> Refusal | None:
    """Return what is wrong with a price: its sign, or its place between two ticks."""
    if price is None:
        return None
    instrument = order.listing.instrument
    if price <= 0 and not instrument.allows_negative_price:
        return RejectReason.INVALID_PRICE, f"{name} {price} is not above 0"
    tick = instrument.tick_at(price)
    if tick is not None and not is_multiple(price, tick):
        return RejectReason.INVALID_PRICE, f"{name} {price} is no multiple of the tick {tick}"
    return None


def _notional_refusal(order: WorkingOrder) -> Refusal | None:
    instrument = order.listing.instrument
    least, most = instrument.min_notional, instrument.max_notional
    price = funds.expected_price(order)
    worth = None if order.reduces else _worth(order, price)
    if worth is not None and least is not None and worth < least:
        return RejectReason.BELOW_MINIMUM, f"a value of {worth} is below {least}"
    if worth is not None and most is not None and worth > most:
        return RejectReason.ABOVE_MAXIMUM, f"a value of {worth} is above {most}"
    if order.notional is not None and price is not None:
        units = funds.units_of(order.notional, price, order.listing)
        if not units or (instrument.min_quantity is not None and units < instrument.min_quantity):
            text = f"a notional of {order.notional} buys {units} at {price}"
            return RejectReason.BELOW_MINIMUM, text
    return None


def _worth(order: WorkingOrder, price: Decimal | None) -> Decimal | None:
    instrument = order.listing.instrument
    if instrument.min_notional is None and instrument.max_notional is None:
        return None
    if order.notional is not None or order.quantity is None or price is None:
        return order.notional
    units = multiply(order.quantity, instrument.multiplier)
    if instrument.is_inverse:
        return divide(units, price)
    return multiply(units, price.copy_abs())


def _legs_refusal(order: WorkingOrder, settings: VenueSettings) -> Refusal | None:
    if order.stop_loss is None and order.take_profit is None:
        return None
    taken = {order.client_order_id}
    for leg, client_order_id, _ in legs_of(
        order.client_order_id, order.stop_loss, order.take_profit
    ):
        if client_order_id in taken or client_order_id in order.desk.orders:
            text = f"the leg's id {client_order_id} is taken"
            return RejectReason.DUPLICATE_CLIENT_ORDER_ID, text
        taken.add(client_order_id)
        found = leg_refusal(order, leg, settings)
        if found is not None:
            return found
    return None


def leg_refusal(order: WorkingOrder, leg: Exit, settings: VenueSettings) -> Refusal | None:
    """Return what is wrong with an exit of an order, or of a position that the order stands for."""
    if leg.trailing is not None and not settings.native_trailing:
        return RejectReason.UNSUPPORTED, "this venue does not offer trailing orders"
    if leg.trailing is not None and leg.limit_price is not None:
        return RejectReason.UNSUPPORTED, "this venue does not offer a trailing exit with a limit"
    if leg.time_in_force in _UNFIT:
        return RejectReason.UNSUPPORTED, f"an exit can't be {leg.time_in_force}"
    return (
        price_refusal(order, "exit price", leg.price)
        or price_refusal(order, "exit limit_price", leg.limit_price)
        or _leg_quantity_refusal(order, leg)
    )


_UNFIT: Final = _AUCTIONS | {TimeInForce.GTD}


def _leg_quantity_refusal(order: WorkingOrder, leg: Exit) -> Refusal | None:
    lot, quantity = order.listing.instrument.lot_size, leg.quantity
    if quantity is not None and lot is not None and not is_multiple(quantity, lot):
        return RejectReason.INVALID_QUANTITY, f"exit quantity {quantity} is no multiple of {lot}"
    return None
