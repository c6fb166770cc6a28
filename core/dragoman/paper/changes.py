"""Replacing and canceling orders that live."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from dragoman.models import OrderEventKind, RejectReason, Remove, TimeInForce
from dragoman.money import ZERO, add

from . import admission, funds
from .exits import is_target, set_offset_level, word
from .order import LIMITED, TRAILING, TRIGGERED
from .triggers import retrail
from .waiting import withdraw

if TYPE_CHECKING:
    from dragoman.models import Exit, Order, OrderChange

    from .admission import Refusal
    from .desk import Desk
    from .intake import Intake
    from .lifecycle import Lifecycle
    from .matching import Matcher
    from .order import WorkingOrder
    from .settings import VenueSettings

__all__ = ["Changes"]

_TERMS = ("quantity", "limit_price", "stop_price", "trailing", "expires_at_ns")


class Changes:
    """Carries out what clients ask of their live orders."""

    def __init__(
        self, settings: VenueSettings, life: Lifecycle, *, matcher: Matcher, intake: Intake
    ) -> None:
        self._settings = settings
        self._life = life
        self._matcher = matcher
        self._intake = intake

    def cancel(self, order: WorkingOrder) -> None:
        """Cancel a live order."""
        self._life.end(order)
        self._matcher.settle_agenda()

    def cancel_all(self, desk: Desk, symbol: str | None) -> None:
        """Cancel every live order of an account, of one symbol or all, oldest first."""
        for order in tuple(desk.live.values()):
            if symbol is None or order.symbol == symbol:
                self._life.end(order)
        self._matcher.settle_agenda()

    def refuse_cancel(self, order: Order) -> None:
        """Tell that an order that has ended can't be canceled; it stays as it is."""
        recorder = self._life.recorder
        recorder.order(OrderEventKind.CANCEL_REJECTED, order, recorder.stamp())

    def refuse_replace(self, order: Order, refused: Refusal) -> None:
        """Tell that an order was not replaced.

        Only the event's copy carries why; the order stays as it is.
        """
        recorder = self._life.recorder
        reason, text = refused
        told = attrs.evolve(order, reject_reason=reason, reason=text)
        recorder.order(OrderEventKind.REPLACE_REJECTED, told, recorder.stamp())

    def replace(self, order: WorkingOrder, change: OrderChange) -> None:
        """Change a live order whole, or refuse and leave it as it is."""
        refused = self._refusal(order, change)
        if refused is not None:
            self.refuse_replace(order.snapshot(), refused)
            return
        _state_legs(order, change)
        if any(getattr(change, name) is not None for name in _TERMS):
            self._apply(order, change)
        else:
            self._tell(order)
        if order.is_live:
            self._change_leg(order, change.stop_loss, "sl")
            self._change_leg(order, change.take_profit, "tp")
        self._matcher.settle_agenda()

    def _refusal(self, order: WorkingOrder, change: OrderChange) -> Refusal | None:
        return (
            self._field_refusal(order, change)
            or self._value_refusal(order, change)
            or self._leg_refusal(order, change)
            or self._market_refusal(order, change)
        )

    def _field_refusal(self, order: WorkingOrder, change: OrderChange) -> Refusal | None:
        has_own_limit = order.order_type in LIMITED - TRAILING and order.peg is None
        allowed = {
            "quantity": order.notional is None,
            "limit_price": has_own_limit,
            "stop_price": order.order_type in TRIGGERED - TRAILING and not order.is_triggered,
            "trailing": order.order_type in TRAILING and not order.is_triggered,
            "expires_at_ns": order.time_in_force is TimeInForce.GTD,
            "stop_loss": not order.reduces,
            "take_profit": not order.reduces,
        }
        for name in change.fields:
            if not allowed[name]:
                return RejectReason.UNSUPPORTED, f"{name} of this order can't be changed now"
        return None

    def _value_refusal(self, order: WorkingOrder, change: OrderChange) -> Refusal | None:
        quantity, expires_at_ns = change.quantity, change.expires_at_ns
        if quantity is not None and quantity <= order.filled_quantity:
            text = f"quantity {quantity} is not above the {order.filled_quantity} that has filled"
            return RejectReason.INVALID_QUANTITY, text
        if expires_at_ns is not None and expires_at_ns <= self._life.recorder.now_ns:
            return RejectReason.OTHER, f"expires_at_ns {expires_at_ns} is not in the future"
        return (
            admission.quantity_refusal(order, quantity)
            or admission.price_refusal(order, "limit_price", change.limit_price)
            or admission.price_refusal(order, "stop_price", change.stop_price)
        )

    def _leg_refusal(self, order: WorkingOrder, change: OrderChange) -> Refusal | None:
        for leg in (change.stop_loss, change.take_profit):
            if leg is None or isinstance(leg, Remove):
                continue
            if not self._settings.native_exits:
                return RejectReason.UNSUPPORTED, "this venue does not offer exits on an entry"
            refused = admission.leg_refusal(order, leg, self._settings)
            if refused is not None:
                return refused
        return None

    def _market_refusal(self, order: WorkingOrder, change: OrderChange) -> Refusal | None:
        """Try the new terms on the order where it stands, and put the old ones back."""
        held = order.quantity, order.limit_price, order.stop_price
        order.quantity = change.quantity or order.quantity
        order.limit_price = order.limit_price if change.limit_price is None else change.limit_price
        order.stop_price = order.stop_price if change.stop_price is None else change.stop_price
        refused = None if order.is_idle else admission.market_refusal(order)
        grows = order.quantity != held[0] or order.limit_price != held[1]
        if refused is None and grows and not order.is_idle:
            reason = funds.refusal(order)
            refused = None if reason is None else (reason, funds.refusal_text(order, reason))
        order.quantity, order.limit_price, order.stop_price = held
        return refused

    def _apply(self, order: WorkingOrder, change: OrderChange) -> None:
        keeps_place = change.fields == ("quantity",) and (
            order.quantity is not None
            and change.quantity is not None
            and change.quantity <= order.quantity
        )
        is_idle = order.is_idle
        if not keeps_place and not is_idle:
            withdraw(order)
            order.rank = self._life.recorder.number("rank")
        self._set_terms(order, change)
        self._tell(order)
        if is_idle:
            return
        funds.hold(order)
        if not keeps_place:
            self._life.agenda.append(order)

    def _set_terms(self, order: WorkingOrder, change: OrderChange) -> None:
        if change.quantity is not None:
            order.quantity = change.quantity
        if change.limit_price is not None:
            order.limit_price = change.limit_price
        if change.stop_price is not None:
            order.stop_price = change.stop_price
        if change.trailing is not None:
            order.trailing = change.trailing
            retrail(order)
        if change.expires_at_ns is not None:
            self._life.deadlines.remove(order)
            order.expires_at_ns = order.ends_at_ns = change.expires_at_ns
            self._life.deadlines.add(order)
        if order.leg is not None:
            order.leg = _worded_anew(order, change)
        if order.exits is not None and change.quantity is not None:
            order.exits.after_entry(self._life)

    def _tell(self, order: WorkingOrder) -> None:
        self._life.rename(order)
        self._life.tell(OrderEventKind.REPLACED, order, self._life.recorder.stamp())

    def _change_leg(self, entry: WorkingOrder, leg: Exit | Remove | None, suffix: str) -> None:
        """Put a leg in, reword it, or take it off."""
        if leg is None:
            return
        target = suffix == "tp"
        found = [] if entry.exits is None else entry.exits.legs
        held = next((each for each in found if each.is_live and is_target(each) == target), None)
        if isinstance(leg, Remove):
            if held is not None:
                self._life.end(held, reason="its entry was replaced without it")
        elif held is None:
            self._intake.add_leg(entry, leg, is_target=target, name=_free_name(entry, leg, suffix))
        else:
            self._reword(entry, held, leg, is_target=target)

    def _reword(
        self, entry: WorkingOrder, order: WorkingOrder, leg: Exit, *, is_target: bool
    ) -> None:
        withdraw(order)
        word(order, leg, is_target=is_target)
        if order.leg_of is not None:
            order.leg_of.count_anew(order)
        set_offset_level(order, entry.average_fill_price)
        self._life.rename(order)
        self._life.tell(OrderEventKind.REPLACED, order, self._life.recorder.stamp())
        if not order.is_idle:
            self._life.agenda.append(order)


def _state_legs(order: WorkingOrder, change: OrderChange) -> None:
    if change.stop_loss is not None:
        order.stop_loss = None if isinstance(change.stop_loss, Remove) else change.stop_loss
    if change.take_profit is not None:
        order.take_profit = None if isinstance(change.take_profit, Remove) else change.take_profit


def _worded_anew(order: WorkingOrder, change: OrderChange) -> Exit | None:
    """Return a leg's exit as its replaced order has it, so that the entry's next fill keeps it."""
    leg = order.leg
    if leg is None:
        return None
    level = (
        change.limit_price if is_target(order) and leg.limit_price is None else change.stop_price
    )
    if level is not None:
        leg = attrs.evolve(leg, price=level, offset=None)
    if change.quantity is None:
        return leg
    closed = ZERO if order.leg_of is None else order.leg_of.closed_beside(order)
    return attrs.evolve(leg, quantity=add(change.quantity, closed))


def _free_name(entry: WorkingOrder, leg: Exit, suffix: str) -> str:
    name = leg.client_order_id or f"{entry.client_order_id}-{suffix}"
    stem, count = name, 1
    while name in entry.desk.orders:
        count += 1
        name = f"{stem}-{count}"
    return name
