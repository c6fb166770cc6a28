"""Whether an account can take an order: its mode, what it holds, and the funds behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.models import MarginMode, PositionEffect, PositionMode, RejectReason, Side
from dragoman.money import ZERO, add, format_decimal, subtract

if TYPE_CHECKING:
    from decimal import Decimal

    from .exposure import Exposure
    from .holdings import Holdings
    from .terms import Terms

__all__ = ["bucket_id", "closable_quantity", "explanation", "refusal"]

_SHORT: Final = frozenset({RejectReason.SHORT_NOT_ALLOWED, RejectReason.INSUFFICIENT_POSITION})


def bucket_id(mode: PositionMode, symbol: str, side: Side, effect: PositionEffect | None) -> str:
    """Return the position an order trades: the symbol, or in HEDGING its LONG or SHORT bucket.

    Those are "symbol:LONG" and "symbol:SHORT". BUY opens LONG and SELL opens SHORT, with effect
    OPEN or None; CLOSE goes to the other bucket.
    """
    if mode is not PositionMode.HEDGING:
        return symbol
    long = (side is Side.BUY) != (effect is PositionEffect.CLOSE)
    return f"{symbol}:LONG" if long else f"{symbol}:SHORT"


def closable_quantity(
    holdings: Holdings, symbol: str, side: Side, position_id: str | None
) -> Decimal:
    """Return how much a CLOSE order of that side could trade now; 0 where it would not close."""
    expected = bucket_id(holdings.mode, symbol, side, PositionEffect.CLOSE)
    bucket = holdings.buckets.get(expected)
    if bucket is None or position_id not in (None, expected):
        return ZERO
    held = bucket.quantity if side is Side.SELL else bucket.quantity.copy_negate()
    return max(ZERO, held)


def refusal(holdings: Holdings, exposure: Exposure) -> RejectReason | None:
    """Return why an order can't be taken now; None when it can. Its own hold does not count."""
    symbol, side, effect = exposure.symbol, exposure.side, exposure.effect
    terms = holdings.terms(symbol)
    if terms is None:
        return RejectReason.UNKNOWN_SYMBOL
    expected = bucket_id(holdings.mode, symbol, side, effect)
    if exposure.position_id not in (None, expected):
        return RejectReason.POSITION_MODE
    if effect is PositionEffect.CLOSE:
        closable = closable_quantity(holdings, symbol, side, None)
        return None if closable else RejectReason.WOULD_INCREASE
    return _short_refusal(holdings, terms, exposure) or _funds_refusal(holdings, terms, exposure)


def explanation(holdings: Holdings, exposure: Exposure, reason: RejectReason) -> str:
    """Return in words why an order was refused for `reason`, with the amounts that are known."""
    symbol, side, effect = exposure.symbol, exposure.side, exposure.effect
    terms = holdings.terms(symbol)
    if reason is RejectReason.INSUFFICIENT_FUNDS and terms is not None:
        needed = format_decimal(_more_needed(holdings, terms, exposure))
        free = format_decimal(holdings.free_for(terms))
        return f"it would bind {needed} {terms.currency} more, and {free} {terms.currency} is free"
    if reason is RejectReason.WOULD_INCREASE:
        return f"{symbol} has no position that a {side} could close"
    if reason is RejectReason.POSITION_MODE:
        expected = bucket_id(holdings.mode, symbol, side, effect)
        found = f"position_id {exposure.position_id}"
        return f"{found}: this order trades {expected}, as the account is {holdings.mode}"
    if reason in _SHORT and terms is not None:
        return _short_text(holdings, terms, exposure)
    return f"the account does not admit it: {reason}"


def _short_text(holdings: Holdings, terms: Terms, exposure: Exposure) -> str:
    quantity = format_decimal(exposure.quantity)
    held = closable_quantity(holdings, exposure.symbol, Side.SELL, None)
    others = holdings.holds.standing(exposure.symbol, exposure.client_order_id).sell_quantity
    beside = f" beside {format_decimal(others)} of other orders" if others else ""
    cause = ""
    if not held:
        is_cash = holdings.rules.mode is MarginMode.CASH
        who = "the account" if is_cash else terms.instrument.symbol
        cause = f", and {who} can't {'sell' if is_cash else 'be sold'} short"
    return f"{quantity} to sell{beside}, {format_decimal(held)} held{cause}"


def _short_refusal(holdings: Holdings, terms: Terms, exposure: Exposure) -> RejectReason | None:
    if exposure.side is Side.BUY or _may_short(holdings, terms):
        return None
    if holdings.mode is PositionMode.HEDGING:
        return RejectReason.SHORT_NOT_ALLOWED
    held = closable_quantity(holdings, exposure.symbol, Side.SELL, None)
    standing = holdings.holds.standing(exposure.symbol, exposure.client_order_id)
    if add(standing.sell_quantity, exposure.quantity) <= held:
        return None
    return RejectReason.INSUFFICIENT_POSITION if held else RejectReason.SHORT_NOT_ALLOWED


def _may_short(holdings: Holdings, terms: Terms) -> bool:
    is_cash = holdings.rules.mode is MarginMode.CASH
    return not is_cash and terms.instrument.is_shortable is not False


def _funds_refusal(holdings: Holdings, terms: Terms, exposure: Exposure) -> RejectReason | None:
    more = _more_needed(holdings, terms, exposure)
    if more <= 0 or more <= holdings.free_for(terms):
        return None
    return RejectReason.INSUFFICIENT_FUNDS


def _more_needed(holdings: Holdings, terms: Terms, exposure: Exposure) -> Decimal:
    """Return what an order would bind beyond what its symbol's orders bind now."""
    holdings.refresh()
    symbol = exposure.symbol
    bound = holdings.sheet.line(symbol).reserved
    others = holdings.holds.standing(symbol, exposure.client_order_id)
    wanted = holdings.reserved(symbol, others.plus(holdings.hold_for(terms, exposure)))
    return subtract(wanted, bound)
