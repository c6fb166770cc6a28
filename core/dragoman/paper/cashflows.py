"""What moves cash or positions without an order: funding, dividends, splits, settlement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.models import InstrumentKind, OrderEventKind, OrderStatus
from dragoman.money import ZERO

from .accounts.adjustments import intrinsic_value
from .funds import hold
from .order import WorkingOrder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from dragoman.models import Fill, Money, Order

    from .accounts.account import Booked
    from .desk import Desk
    from .lifecycle import Lifecycle
    from .listed import Listing

__all__ = ["Cashflows"]


class Cashflows:
    """Books such events on every account and tells them: entries, then positions."""

    def __init__(
        self, life: Lifecycle, desks: Mapping[str, Desk], listings: Mapping[str, Listing]
    ) -> None:
        self._life = life
        self._desks = desks
        self._listings = listings

    def fund(self, desk: Desk, amount: Money) -> None:
        """Pay cash in, or out where the amount is negative."""
        entry = desk.account.fund(amount, self._life.recorder.stamp())
        desk.is_touched = True
        self._life.recorder.ledger(entry)

    def charge_funding(self, listing: Listing) -> None:
        """Exchange funding between the longs and the shorts of a perpetual."""
        rate = listing.funding_rate
        for desk in self._holders(listing):
            if rate:
                time_ns = self._life.recorder.stamp()
                price = listing.mark_price
                booked = desk.account.charge_funding(listing.symbol, rate, time_ns, price=price)
                self._tell(desk, booked)

    def pay_dividend(self, listing: Listing, per_unit: Decimal) -> None:
        """Pay cash for each unit held; shorts pay it."""
        for desk in self._holders(listing):
            time_ns = self._life.recorder.stamp()
            self._tell(desk, desk.account.pay_dividend(listing.symbol, per_unit, time_ns))

    def split(self, listing: Listing, ratio: Decimal) -> None:
        """Turn each unit into `ratio` units; open orders in the old units are canceled."""
        self.end_orders(listing, OrderStatus.CANCELED, f"{listing.symbol} was split")
        for desk in self._desks.values():
            booked = desk.account.split(listing.symbol, ratio, self._life.recorder.stamp())
            self._tell(desk, booked)
        listing.withdraw_liquidity()

    def settle(self, listing: Listing) -> None:
        """Close all positions of an ended contract, at its mark or an option's inner value."""
        price = self._settlement_price(listing)
        for desk in self._holders(listing):
            booked = desk.account.settle(listing.symbol, price, self._life.recorder.stamp())
            self._tell(desk, booked)

    def end_orders(self, listing: Listing, status: OrderStatus, reason: str) -> None:
        """End every open order of a listing, in the order they were accepted."""
        for desk in self._desks.values():
            for order in tuple(desk.live.values()):
                if order.listing is listing:
                    self._life.end(order, status, reason=reason)

    def bust(self, desk: Desk, fill_id: str) -> None:
        """Take one execution back: from the account, from its order, and from the fill itself."""
        fill = desk.fills[desk.fill_places[fill_id]]
        time_ns = self._life.recorder.stamp()
        applied = desk.account.bust(fill_id, time_ns)
        busted = desk.bust_fill(fill)
        told = self._lowered(desk, fill, applied.commission, time_ns)
        self._life.recorder.order(OrderEventKind.FILL_BUSTED, told, time_ns, busted)
        for entry in applied.entries:
            self._life.recorder.ledger(entry)
        self._life.tell_position(desk, applied.position, applied.previous_quantity)

    def _lowered(self, desk: Desk, fill: Fill, refund: Money, time_ns: int) -> Order:
        """Take a fill off its order: a live one may fill that much more, an ended stays so."""
        found = desk.orders[fill.client_order_id]
        if not isinstance(found, WorkingOrder):
            return desk.restate_ended(found, refund, time_ns)
        found.take_back_fill(fill.quantity, fill.price)
        found.record_commission(refund)
        if not found.filled_quantity:
            found.status = OrderStatus.OPEN
        hold(found)
        found.updated_at_ns = time_ns
        return found.snapshot()

    def _settlement_price(self, listing: Listing) -> Decimal:
        instrument = listing.instrument
        if instrument.kind is InstrumentKind.OPTION:
            underlying = self._listings.get(instrument.underlying or "")
            price = None if underlying is None else underlying.mark_price
            return ZERO if price is None else intrinsic_value(instrument, price)
        return listing.mark_price or ZERO

    def _holders(self, listing: Listing) -> list[Desk]:
        return [desk for desk in self._desks.values() if desk.held.get(listing.symbol)]

    def _tell(self, desk: Desk, booked: Booked) -> None:
        desk.is_touched = desk.is_touched or bool(booked.entries)
        for entry in booked.entries:
            self._life.recorder.ledger(entry)
        for change in booked.changes:
            self._life.tell_position(desk, change.position, change.previous_quantity)
