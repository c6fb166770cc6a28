"""What a tick does to orders that wait: it fills, triggers and re-prices them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.models import PriceSource, Side, TradingState
from dragoman.money import ZERO, Rounding, add, round_to_step, subtract, trimmed

from .book import is_within
from .matching import best_offer
from .triggers import follow, is_reached
from .waiting import withdraw

if TYPE_CHECKING:
    from decimal import Decimal

    from .lifecycle import Lifecycle
    from .listed import Listing
    from .market.feed import MarketTick
    from .matching import Matcher
    from .order import WorkingOrder

__all__ = ["Sweeper"]


class Sweeper:
    """Lets a listing's orders meet its newest tick, those of the best price first."""

    def __init__(self, life: Lifecycle, matcher: Matcher, *, is_endless: bool) -> None:
        self._life = life
        self._matcher = matcher
        self._is_endless = is_endless

    def run(self, listing: Listing, tick: MarketTick) -> None:
        """Fill, trigger and re-price what the tick reaches.

        Outside the regular session no trigger fires: no order that has one is for extended hours.
        Orders at any price come first, then resting ones by price and time, then those that the
        tick triggers.
        """
        for order in sorted(listing.takers.values(), key=_rank_of):
            if order.is_live and order.rank in listing.takers:
                withdraw(order)
                if order.is_idle:
                    self._life.awaken(order)
                self._matcher.arrive(order)
        for side in Side:
            if listing.book(side):
                _Pass(self, listing, tick, side).run()
        self._follow_pegs(listing)
        if listing.session is TradingState.OPEN:
            self._fire(listing)
        self._matcher.settle_agenda()

    def _fire(self, listing: Listing) -> None:
        due = [*listing.triggers.due(listing), *self._trail(listing)]
        for order in due:
            if order.is_live and not order.is_idle and not order.is_triggered:
                self._matcher.fire(order)

    def _trail(self, listing: Listing) -> list[WorkingOrder]:
        due: list[WorkingOrder] = []
        for order in sorted(listing.triggers.trailing.values(), key=_rank_of):
            price = None if order.trigger is None else listing.price_of(order.trigger)
            if price is None:
                continue
            moved = follow(order, price)
            if is_reached(order, price):
                withdraw(order)
                due.append(order)
            elif moved:
                self._life.restate(order)
        return due

    def _follow_pegs(self, listing: Listing) -> None:
        for order in sorted(listing.pegged.values(), key=_rank_of):
            if order.is_live and order.is_resting:
                self._follow_peg(order)

    def _follow_peg(self, order: WorkingOrder) -> None:
        price = peg_price(order)
        if price is None or price == order.limit_price:
            return
        held = order.limit_price
        withdraw(order)
        order.limit_price = price
        if order.post_only and best_offer(order) is not None:
            order.limit_price = held
        else:
            order.rank = self._life.recorder.number("rank")
            self._life.restate(order)
        self._life.agenda.append(order)

    def serve(self, order: WorkingOrder, pools: _Pass) -> bool:
        """Fill what a tick lets fill of a resting order; tell whether that was all it asked."""
        visible = order.visible
        if not visible:
            self._life.end(order, reason="nothing is left to close")
            return True
        share = self._matcher.share(order)
        asked = visible if share is None else min(visible, share)
        amount = pools.take(order, asked)
        if amount:
            self._matcher.fill_resting(order, amount)
        return amount == asked

    @property
    def is_endless(self) -> bool:
        """Whether a print's size bounds nothing."""
        return self._is_endless

    @property
    def fills_whole(self) -> bool:
        """Whether one match may fill all of an order."""
        return self._matcher.is_whole

    def resume(self, order: WorkingOrder) -> bool:
        """Let an order that the ratio cut short take on; tell whether it was one."""
        if order.crossed_tick != order.listing.tick_count - 1:
            return False
        withdraw(order)
        self._matcher.arrive(order)
        return True


class _Pass:
    """One side of a book against what a tick shows and what was printed through it."""

    def __init__(self, sweeper: Sweeper, listing: Listing, tick: MarketTick, side: Side) -> None:
        self._sweeper = sweeper
        self._side = side
        self._book = listing.book(side)
        self._market = listing.liquidity[side.opposite]
        self._print_price = tick.last_price
        self._print_left = _printed_lots(listing, tick)
        self._served: set[str] = set()

    def run(self) -> None:
        """Fill price after price until nothing is left to fill from."""
        reached = [
            price for price in (self._market.best_price, self._print_price) if price is not None
        ]
        if not reached:
            return
        reference = min(reached) if self._side is Side.BUY else max(reached)
        for price in self._book.prices_from(reference):
            if not self._run_price(price):
                return

    def _run_price(self, price: Decimal) -> bool:
        progressed = True
        while progressed:
            progressed = False
            for order in self._book.orders_at(price):
                if not order.is_resting or order.limit_price != price:
                    continue
                if order.venue_order_ids[0] in self._served:
                    continue
                if not self._may_fill(price):
                    return False
                if self._sweeper.resume(order):
                    self._served.add(order.venue_order_ids[0])
                    continue
                shows_again = order.shown is not None and self._sweeper.fills_whole
                if not self._sweeper.serve(order, self):
                    return False
                if not shows_again:
                    self._served.add(order.venue_order_ids[0])
                progressed = True
        return True

    def _may_fill(self, price: Decimal) -> bool:
        best = self._market.best_price
        return (best is not None and is_within(self._side, best, price)) or bool(
            self._prints_through(price) and (self._print_left or self._sweeper.is_endless)
        )

    def take(self, order: WorkingOrder, asked: Decimal) -> Decimal:
        """Take at most `asked` for an order: from what is shown, then from what printed."""
        limit = order.limit_price
        found = self._market.available(self._side, limit, asked)
        self._market.take(found)
        rest = subtract(asked, found)
        if not rest or limit is None or not self._prints_through(limit):
            return found
        printed = rest if self._sweeper.is_endless else min(rest, self._print_left)
        self._print_left = subtract(self._print_left, min(printed, self._print_left))
        return add(found, printed)

    def _prints_through(self, price: Decimal) -> bool:
        last = self._print_price
        return last is not None and last != price and is_within(self._side, last, price)


def peg_price(order: WorkingOrder) -> Decimal | None:
    """Return the price an order is pegged to, on its own side's tick; None if unknown."""
    listing = order.listing
    price = None if order.peg is None else listing.price_of(order.peg)
    if price is None or order.peg is not PriceSource.MID:
        return price
    rounding = Rounding.FLOOR if order.side is Side.BUY else Rounding.CEILING
    return listing.on_tick_size(price, rounding)


def _printed_lots(listing: Listing, tick: MarketTick) -> Decimal:
    size, lot = tick.last_size, listing.instrument.lot_size
    if size is None:
        return ZERO
    return size if lot is None else trimmed(round_to_step(size, lot, Rounding.DOWN))


def _rank_of(order: WorkingOrder) -> int:
    return order.rank
