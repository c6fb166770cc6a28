"""How an arriving order meets the market and the book.

Better price first; at one price what the market displays stands before our orders, those in the
order of the book. A taker trades at the price it finds, a resting order at its own limit.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

from dragoman.models import Liquidity as Role
from dragoman.models import RejectReason, TimeInForce
from dragoman.money import ZERO, Rounding, add, multiply, round_to_step, subtract

from .book import is_better, is_within
from .funds import hold, notional_of, remaining_notional, settle_size, units_of
from .triggers import follow, is_reached, set_limit
from .waiting import arm, is_waiting, park, rest, want, withdraw

if TYPE_CHECKING:
    from .lifecycle import Lifecycle
    from .order import WorkingOrder

__all__ = ["Matcher", "Offer"]

_AT_ONCE: Final = frozenset({TimeInForce.IOC, TimeInForce.FOK, TimeInForce.OPG, TimeInForce.CLS})
_ONE: Final = Decimal(1)


class Offer(NamedTuple):
    """The best that a taker can have now: the market's, or a resting order's."""

    price: Decimal
    order: WorkingOrder | None


def best_offer(order: WorkingOrder) -> Offer | None:
    """Return what an order would trade with first; None where nothing is within its limit."""
    listing, side = order.listing, order.side.opposite
    if listing.halted is not None:
        return None
    book, market = listing.book(side), listing.liquidity[side].best_price
    own = book.best_price
    if own is not None and (market is None or is_better(side, own, market)):
        offer = Offer(own, book.best)
    elif market is not None:
        offer = Offer(market, None)
    else:
        return None
    return offer if is_within(order.side, offer.price, order.limit) else None


def wanted(order: WorkingOrder, price: Decimal) -> Decimal:
    """Return how much of an order may execute at a price."""
    if order.quantity is not None:
        amount = subtract(order.quantity, order.filled_quantity)
    elif order.notional is not None:
        amount = units_of(remaining_notional(order), price, order.listing)
    else:
        return order.closable
    return min(amount, order.closable) if order.reduces else amount


class Matcher:
    """Lets orders meet the market.

    `ratio` bounds what one match fills of an order's remainder, which is all of it where
    `is_whole`; with `fills_rest` it bounds the first match alone.
    """

    def __init__(self, life: Lifecycle, ratio: Decimal, *, fills_rest: bool = False) -> None:
        self._life = life
        self._ratio = ratio
        self._fills_rest = fills_rest
        self.is_whole: bool = ratio == _ONE

    def settle_agenda(self) -> None:
        """Let every order on the agenda meet the market, those included that this puts there."""
        agenda = self._life.agenda
        while agenda:
            order = agenda.popleft()
            if order.is_live and not order.is_idle and not is_waiting(order):
                self.enter(order)

    def enter(self, order: WorkingOrder) -> None:
        """Let an order begin to work: park it, arm it, or let it meet the market."""
        listing = order.listing
        if not listing.admits(order):
            park(order)
            return
        if order.waits_for_trigger:
            price = listing.price_of(order.trigger) if order.trigger is not None else None
            if price is not None and follow(order, price):
                self._life.restate(order)
            if price is None or not is_reached(order, price):
                arm(order)
                return
            self.fire(order)
            return
        self.arrive(order)

    def fire(self, order: WorkingOrder) -> None:
        """Trigger an order and let it meet the market as what it becomes."""
        order.is_triggered = True
        set_limit(order)
        settle_size(order)
        self._life.trigger(order)
        if order.is_live:
            self.arrive(order)

    def arrive(self, order: WorkingOrder) -> None:
        """Take what can be had at once; what is left of the order rests, waits or ends."""
        if order.notional is not None and order.quantity is None and order.limit is not None:
            self._life.end(order, reason="its notional buys no lot at its limit")
            return
        if order.time_in_force is TimeInForce.FOK and not self._fills_whole(order):
            self._life.end(order, reason="not fillable at once", code=RejectReason.NO_LIQUIDITY)
            return
        self._take(order)
        if order.is_live and not order.is_idle:
            self._keep(order)

    def _keep(self, order: WorkingOrder) -> None:
        if order.time_in_force in _AT_ONCE:
            code = None if order.filled_quantity else RejectReason.NO_LIQUIDITY
            self._life.end(order, reason="the rest found no liquidity at once", code=code)
        elif order.limit is None:
            want(order)
            hold(order)
        else:
            rest(order)
            hold(order)

    def _take(self, order: WorkingOrder) -> None:
        allowed = self.share(order)
        while order.is_live and not order.is_idle:
            offer = best_offer(order)
            if offer is None:
                return
            amount = wanted(order, offer.price)
            if allowed is not None:
                amount = min(amount, allowed)
            if not amount:
                self._stop_short(order, is_bounded=allowed is not None and not allowed)
                return
            if offer.order is None:
                taken = self._take_market(order, offer.price, amount)
            elif offer.order.desk is order.desk:
                self._refuse_self_trade(order)
                return
            else:
                taken = self._take_order(order, offer.order, amount)
            if allowed is not None:
                allowed = subtract(allowed, taken)

    def _stop_short(self, order: WorkingOrder, *, is_bounded: bool) -> None:
        """Deal with an order that may trade but wants nothing now."""
        if is_bounded:
            order.crossed_tick = order.listing.tick_count
        elif order.reduces:
            self._life.end(order, reason="nothing is left to close")
        elif order.quantity is None:
            self._life.end(order, reason="what is left of the notional buys no lot")

    def _refuse_self_trade(self, order: WorkingOrder) -> None:
        reason = "the rest would trade with the account's own resting order"
        self._life.end(order, reason=reason, code=RejectReason.SELF_TRADE)

    def _take_market(self, order: WorkingOrder, price: Decimal, amount: Decimal) -> Decimal:
        """Take from the market's best level; return how much."""
        liquidity = order.listing.liquidity[order.side.opposite]
        if not liquidity.is_endless:
            amount = min(amount, liquidity.size_at_best())
            liquidity.take(amount)
        self._fill(order, amount, price, Role.TAKER)
        return amount

    def _take_order(self, order: WorkingOrder, maker: WorkingOrder, amount: Decimal) -> Decimal:
        """Trade with the first resting order; return how much.

        One that may not trade any more ends.
        """
        price = maker.limit_price
        assert price is not None  # noqa: S101 - every resting order has a limit
        offered = maker.visible
        if not offered:
            self._life.end(maker, reason="nothing is left to close")
            return ZERO
        amount = min(amount, offered)
        self.fill_resting(maker, amount)
        self._fill(order, amount, price, Role.TAKER)
        return amount

    def _fill(self, order: WorkingOrder, amount: Decimal, price: Decimal, role: Role) -> None:
        """Execute a part, settling first how large an order without a quantity is."""
        if order.quantity is None:
            if order.notional is None:
                order.quantity = add(order.filled_quantity, order.closable)
            elif self._completes(order, amount, price):
                order.quantity = add(order.filled_quantity, amount)
        self._life.fill(order, amount, price, role)
        if order.reduces and order.is_live and not order.is_idle and not order.closable:
            self._life.end(order, reason="nothing is left to close")

    def _completes(self, order: WorkingOrder, amount: Decimal, price: Decimal) -> bool:
        """Tell whether this fill leaves too little of a notional for one more lot."""
        left = subtract(remaining_notional(order), notional_of(amount, price, order.listing))
        offer = best_offer(order)
        at = price if offer is None else offer.price
        return not units_of(left, at, order.listing)

    def fill_resting(self, order: WorkingOrder, amount: Decimal) -> None:
        """Execute a part of a resting order; an iceberg then shows again, last in its queue."""
        price = order.limit_price
        assert price is not None  # noqa: S101 - every resting order has a limit
        self._fill(order, amount, price, Role.MAKER)
        self.show_again(order)

    def show_again(self, order: WorkingOrder) -> None:
        """Let a resting iceberg whose shown part is gone show the next one, last in its queue."""
        if order.is_resting and order.shown is not None and not order.shown:
            withdraw(order)
            order.rank = self._life.recorder.number("rank")
            rest(order)

    def share(self, order: WorkingOrder) -> Decimal | None:
        """Return the most that one match may fill of an order; None for all of it."""
        if self.is_whole or (self._fills_rest and order.filled_quantity):
            return None
        left = order.remaining
        if left is None:
            offer = best_offer(order)
            left = ZERO if offer is None else wanted(order, offer.price)
        lot = order.listing.instrument.lot_size
        bound = multiply(left, self._ratio)
        return bound if lot is None else min(left, round_to_step(bound, lot, Rounding.UP))

    def _fills_whole(self, order: WorkingOrder) -> bool:
        """Tell whether all of an order would fill at once, without doing it."""
        offer = best_offer(order)
        if offer is None:
            return False
        need, share = wanted(order, offer.price), self.share(order)
        is_cut = order.quantity is not None and need != order.remaining
        if is_cut or not need or (share is not None and share < need):
            return False
        limit, found = order.limit, ZERO
        for resting in order.listing.book(order.side.opposite):
            price = resting.limit_price
            if found >= need or price is None or not is_within(order.side, price, limit):
                break
            if resting.desk is order.desk:
                limit = price
                break
            found = add(found, wanted(resting, price))
        market = order.listing.liquidity[order.side.opposite]
        return add(found, market.available(order.side, limit, need)) >= need
