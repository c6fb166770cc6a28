"""Protective legs: a stop loss and a take profit on an entry or a position."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from dragoman.models import (
    Contingency,
    OrderRequest,
    OrderStatus,
    OrderType,
    PositionEffect,
    PriceSource,
    Side,
    TimeInForce,
)
from dragoman.money import Rounding, add, subtract, total

from .funds import remaining_notional, units_of
from .order import WorkingOrder
from .triggers import offset_distance
from .waiting import withdraw

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from dragoman.models import Exit

    from .desk import Desk
    from .lifecycle import Lifecycle
    from .listed import Listing

__all__ = ["Exits", "is_target", "legs_of", "make_leg", "set_offset_level", "word"]

_TARGETS: Final = frozenset({OrderType.LIMIT, OrderType.LIMIT_IF_TOUCHED})


def legs_of(
    client_order_id: str, stop_loss: Exit | None, take_profit: Exit | None
) -> Iterator[tuple[Exit, str, bool]]:
    """Yield each leg with the client order id it will have, and whether it is the target."""
    if stop_loss is not None:
        yield stop_loss, stop_loss.client_order_id or f"{client_order_id}-sl", False
    if take_profit is not None:
        yield take_profit, take_profit.client_order_id or f"{client_order_id}-tp", True


def is_target(order: WorkingOrder) -> bool:
    """Tell whether a leg is a take profit."""
    return order.order_type in _TARGETS


def make_leg(
    leg: Exit, *, client_order_id: str, is_target: bool, place: tuple[Desk, Listing, Side]
) -> WorkingOrder:
    """Make the order of one leg; `place` says whose it is, where, and which way the leg trades."""
    desk, listing, side = place
    is_dated = leg.time_in_force is TimeInForce.GTD
    request = OrderRequest.market(
        listing.symbol,
        side,
        leg.quantity,
        client_order_id=client_order_id,
        position_effect=PositionEffect.CLOSE,
        time_in_force=TimeInForce.GTC if is_dated else leg.time_in_force or TimeInForce.GTC,
        venue_options=leg.venue_options,
    )
    order = WorkingOrder(request, desk, listing)
    order.contingency = Contingency.OCO
    word(order, leg, is_target=is_target)
    return order


def word(order: WorkingOrder, leg: Exit, *, is_target: bool) -> None:
    """Give a leg's order the type and the absolute levels that its exit asks for."""
    order.leg = leg
    order.trailing = leg.trailing
    order.limit_price = leg.limit_price
    order.stop_price = order.fixed_stop = order.best_price = None
    order.order_type = _type_of(leg, is_target=is_target)
    if order.order_type is OrderType.LIMIT:
        order.trigger = order.is_triggered = None
    else:
        order.trigger, order.is_triggered = leg.trigger or PriceSource.LAST, False
    if leg.price is not None:
        _set_level(order, leg.price)


def _type_of(leg: Exit, *, is_target: bool) -> OrderType:
    if is_target:
        return OrderType.LIMIT if leg.limit_price is None else OrderType.LIMIT_IF_TOUCHED
    if leg.trailing is not None:
        return OrderType.TRAILING_STOP
    return OrderType.STOP if leg.limit_price is None else OrderType.STOP_LIMIT


def _set_level(order: WorkingOrder, level: Decimal) -> None:
    if order.order_type is OrderType.LIMIT:
        order.limit_price = level
        return
    if order.order_type is OrderType.TRAILING_STOP:
        order.fixed_stop = level
        held = order.stop_price
        if held is not None and order.best_price is not None:
            level = min(level, held) if order.side is Side.BUY else max(level, held)
    order.stop_price = level


def _level_of(order: WorkingOrder) -> Decimal | None:
    """Return the level of a leg that an offset sets."""
    if order.order_type is OrderType.LIMIT:
        return order.limit_price
    is_trailing = order.order_type is OrderType.TRAILING_STOP
    return order.fixed_stop if is_trailing else order.stop_price


def _offset_level(order: WorkingOrder, base: Decimal | None) -> Decimal | None:
    """Return where a leg's offset from `base` puts its level; None if it has no offset."""
    offset = None if order.leg is None else order.leg.offset
    if base is None or offset is None:
        return None
    distance = offset_distance(offset, base, order.listing)
    rises = (order.side is Side.SELL) == is_target(order)
    level = add(base, distance) if rises else subtract(base, distance)
    return order.listing.on_tick_size(level, Rounding.NEAREST)


def set_offset_level(order: WorkingOrder, base: Decimal | None) -> None:
    """Set the level of a leg that is told as a distance from `base`; any other stays as it is."""
    level = _offset_level(order, base)
    if level is not None:
        _set_level(order, level)


def _whole_of(entry: WorkingOrder) -> Decimal | None:
    """Return an entry's quantity; by its last average while a notional leaves it open."""
    average = entry.average_fill_price
    if entry.quantity is not None or average is None:
        return entry.quantity
    more = units_of(remaining_notional(entry), average, entry.listing)
    return add(entry.filled_quantity, max(more, entry.listing.instrument.lot_size or more))


class Exits:
    """The legs of one entry, or of one position.

    The legs of an entry are held until its first fill, then work for what has filled so far less
    what legs have closed; a leg with nothing to do while its entry still may fill waits. Offsets
    count from the average price of the entry's fills. The legs of a position (`entry` None) close
    what is there when they execute.
    """

    __slots__ = ("desk", "entry", "legs", "position_id")

    def __init__(self, desk: Desk, entry: WorkingOrder | None, position_id: str | None) -> None:
        self.desk: Desk = desk
        self.entry: WorkingOrder | None = entry
        self.position_id: str | None = position_id
        self.legs: list[WorkingOrder] = []

    def add(self, life: Lifecycle, leg: WorkingOrder) -> None:
        """Take a leg in and accept it as held."""
        entry = self.entry
        leg.leg_of = self
        leg.is_idle = True
        self.legs.append(leg)
        self.count_anew(leg)
        if entry is not None:
            leg.parent_client_order_id = entry.client_order_id
            leg.quantity = self._potential(leg)
        life.accept(leg, OrderStatus.HELD)

    def closed_beside(self, leg: WorkingOrder) -> Decimal:
        """Return how much the other legs have closed."""
        return total(other.filled_quantity for other in self.legs if other is not leg)

    def count_anew(self, leg: WorkingOrder) -> None:
        """Let a quantity just given to a leg shrink only by what others close from now on."""
        if leg.leg is not None and leg.leg.quantity is not None:
            allowed = add(leg.leg.quantity, self.closed_beside(leg))
            leg.leg = attrs.evolve(leg.leg, quantity=allowed)

    @property
    def is_live(self) -> bool:
        """Whether a leg may still execute."""
        return any(leg.is_live for leg in self.legs)

    @property
    def may_act(self) -> bool:
        """Whether a leg may still execute, or come to be."""
        return self.is_live or (self.entry is not None and self.entry.is_live)

    def after_entry(self, life: Lifecycle) -> None:
        """Fit the legs to what the entry has filled, after a fill of it or its end."""
        entry = self.entry
        if entry is None:
            return
        if entry.filled_quantity:
            self._register(entry.position_id or entry.symbol)
        for leg in tuple(self.legs):
            if leg.is_live:
                self.fit(life, leg)

    def _register(self, position_id: str) -> None:
        """Let the position know its exits, forgetting those that can do nothing any more."""
        registered = self.desk.exits.get(position_id, [])
        self.position_id = position_id
        if not any(each is self for each in registered):
            acting = [each for each in registered if each.may_act]
            self.desk.exits[position_id] = [*acting, self]

    def after_leg(self, life: Lifecycle, filled: WorkingOrder, quantity: Decimal) -> None:
        """Fit the other legs to what one has closed; that one waits if there is no more."""
        if self.entry is None:
            self._take_off(life, filled, quantity)
            return
        if filled.is_live and filled.is_idle:
            filled.status = OrderStatus.HELD
            life.restate(filled)
        for leg in tuple(self.legs):
            if leg.is_live and leg is not filled:
                self.fit(life, leg)

    def _take_off(self, life: Lifecycle, filled: WorkingOrder, quantity: Decimal) -> None:
        """Take what one leg of a position closed off the others that have a quantity."""
        for leg in tuple(self.legs):
            if leg is filled or not leg.is_live or leg.quantity is None:
                continue
            rest = subtract(leg.quantity, quantity)
            if rest > leg.filled_quantity:
                life.resize(leg, rest)
                life.restate(leg)
            else:
                life.end(leg, reason="the other leg closed it")

    def extend(self, leg: WorkingOrder) -> None:
        """Keep a leg that has closed all there is so far, while its entry may still fill."""
        entry = self.entry
        if entry is None or not entry.is_live:
            return
        potential = self._potential(leg)
        if potential is None or potential > leg.filled_quantity:
            leg.quantity = potential
            leg.is_idle = True
            withdraw(leg)

    def cancel(self, life: Lifecycle, reason: str) -> None:
        """Cancel every leg that still lives."""
        for leg in tuple(self.legs):
            life.end(leg, reason=reason)

    def fit(self, life: Lifecycle, leg: WorkingOrder) -> None:
        """Give one leg the quantity and levels it must have now, and let it work, wait or end."""
        entry = self.entry
        if entry is None:
            return
        present = self._sized(leg, entry.filled_quantity)
        if present > leg.filled_quantity:
            self._work(life, leg, present)
        elif not entry.is_live:
            life.end(leg, reason=f"nothing is left to protect of {entry.client_order_id}")
        else:
            self._wait(life, leg)

    def _work(self, life: Lifecycle, leg: WorkingOrder, quantity: Decimal) -> None:
        base = None if self.entry is None else self.entry.average_fill_price
        moves = not leg.is_triggered and _offset_level(leg, base) not in (None, _level_of(leg))
        if not moves and leg.status is not OrderStatus.HELD and leg.quantity is not None:
            if quantity < leg.quantity:
                life.resize(leg, quantity)
                life.restate(leg)
            if quantity <= leg.quantity:
                return
        withdraw(leg)
        if moves:
            set_offset_level(leg, base)
        leg.quantity = quantity
        life.release(leg)

    def _wait(self, life: Lifecycle, leg: WorkingOrder) -> None:
        potential = self._potential(leg)
        if potential is not None and potential <= leg.filled_quantity:
            life.end(leg, reason="the other leg closed it")
        elif leg.quantity != potential:
            withdraw(leg)
            leg.quantity = potential
            leg.status = OrderStatus.HELD
            leg.is_idle = True
            life.restate(leg)

    def _potential(self, leg: WorkingOrder) -> Decimal | None:
        """Return the quantity a leg will have if its entry fills whole; None if not known."""
        quantity = None if self.entry is None else _whole_of(self.entry)
        return None if quantity is None else self._sized(leg, quantity)

    def _sized(self, leg: WorkingOrder, protected: Decimal) -> Decimal:
        own = None if leg.leg is None else leg.leg.quantity
        bound = protected if own is None else min(own, protected)
        return subtract(bound, self.closed_beside(leg))
