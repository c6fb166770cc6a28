"""Time at the venue: sessions, auctions, the end of days, orders and contracts, funding.

At one instant the closing auction comes first, then what expires, then the change of session, then
the opening.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from dragoman.models import InstrumentKind, OrderStatus, TimeInForce, TradingState, Window
from dragoman.times import DAY_NS, HOUR_NS

from .bulletin import tell_status
from .deadlines import Deadlines, earlier
from .waiting import want, withdraw

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dragoman.models import Instrument

    from .cashflows import Cashflows
    from .lifecycle import Lifecycle
    from .listed import Listing
    from .market.calendar import Calendar
    from .matching import Matcher
    from .order import WorkingOrder

__all__ = ["Sessions"]

_FUNDING_EVERY_NS: Final = 8 * HOUR_NS
_USUAL_FUNDING: Final = Decimal("0.0001")
_LATE: Final = frozenset({TradingState.AFTER_HOURS, TradingState.OVERNIGHT})
_LOOKAHEAD_NS: Final = 14 * DAY_NS


class Sessions:
    """Everything that happens because of the time alone.

    Args:
        calendar: When each instrument trades.
        listings: All listings, by symbol.
        life: The steps of orders.
        matcher: Where released orders meet the market.
        cashflows: What books funding and settlements.
    """

    def __init__(
        self,
        calendar: Calendar,
        listings: Mapping[str, Listing],
        *,
        life: Lifecycle,
        matcher: Matcher,
        cashflows: Cashflows,
    ) -> None:
        self._calendar = calendar
        self._listings = listings
        self._life = life
        self._matcher = matcher
        self._cashflows = cashflows
        self.ends: Deadlines = life.deadlines
        self.openings: Deadlines = Deadlines()
        self._next_of_markets: int | None = None

    def begin(self, now_ns: int) -> None:
        """Learn where every market stands at the start."""
        for listing in self._listings.values():
            if listing.instrument.kind is InstrumentKind.PERPETUAL:
                listing.funding_rate = _USUAL_FUNDING
                listing.funding_at_ns = (now_ns // _FUNDING_EVERY_NS + 1) * _FUNDING_EVERY_NS
            expires_at_ns = listing.instrument.expires_at_ns
            listing.is_expired = expires_at_ns is not None and expires_at_ns <= now_ns
            self._look_up(listing, now_ns)
        self.refresh()

    def refresh(self) -> None:
        """Find out anew when the next market changes."""
        instants = [
            instant_ns
            for listing in self._listings.values()
            for instant_ns in _instants_of(listing)
            if instant_ns is not None
        ]
        self._next_of_markets = min(instants, default=None)

    def next_ns(self) -> int | None:
        """Return when something happens next because of the time."""
        by_order_ns = earlier(self.ends.next_ns(), self.openings.next_ns())
        return earlier(self._next_of_markets, by_order_ns)

    def run(self, now_ns: int) -> None:
        """Do everything that is due."""
        due = self.ends.take(now_ns)
        for order in due:
            if order.is_live and order.time_in_force is TimeInForce.CLS:
                self._auction(order)
        self._matcher.settle_agenda()
        for order in due:
            if order.is_live:
                self._life.end(order, OrderStatus.EXPIRED, reason=_end_reason(order))
        if self._next_of_markets is not None and self._next_of_markets <= now_ns:
            for listing in self._listings.values():
                self._run_market(listing, now_ns)
            self.refresh()
        for order in self.openings.take(now_ns):
            if order.is_live:
                self._open(order)
        self._matcher.settle_agenda()

    def end_of(self, order: WorkingOrder, now_ns: int) -> int | None:
        """Return when a new order ends by itself; None if never."""
        match order.time_in_force:
            case TimeInForce.GTD:
                return order.expires_at_ns
            case TimeInForce.DAY | TimeInForce.CLS:
                listing = order.listing
                if listing.day_ends_at_ns <= now_ns:
                    self._look_up(listing, now_ns)
                is_late = order.extended_hours and order.time_in_force is TimeInForce.DAY
                return self._evening_ns(listing) if is_late else listing.day_ends_at_ns
            case _:
                return None

    def _evening_ns(self, listing: Listing) -> int:
        """Return when the extended hours of the day end; its close where it has none after it."""
        if listing.session in _LATE and listing.changes_at_ns is not None:
            return listing.changes_at_ns
        close_ns = listing.day_ends_at_ns
        window = Window(start_ns=close_ns, end_ns=close_ns + 1)
        for row in self._calendar.hours(listing.instrument, window):
            if row.opens_at_ns == close_ns and row.state in _LATE:
                return row.closes_at_ns
        return close_ns

    def schedule(self, order: WorkingOrder, now_ns: int) -> None:
        """Note when an accepted order ends, or its auction runs."""
        if order.time_in_force is TimeInForce.OPG:
            order.ends_at_ns = self._calendar.next_open_ns(order.listing.instrument, now_ns)
            self.openings.add(order)
        else:
            order.ends_at_ns = self.end_of(order, now_ns)
            self.ends.add(order)

    def _auction(self, order: WorkingOrder) -> None:
        """Execute an order for the close against the market as it is."""
        order.ends_at_ns = None
        if order.listing.state is TradingState.OPEN:
            withdraw(order)
            self._life.release(order)

    def _open(self, order: WorkingOrder) -> None:
        """Execute an order for the opening; where nothing is quoted yet, against the first tick."""
        order.ends_at_ns = None
        if any(side.best_price is not None for side in order.listing.liquidity.values()):
            self._life.release(order)
        else:
            want(order)

    def _run_market(self, listing: Listing, now_ns: int) -> None:
        expires_at_ns = listing.instrument.expires_at_ns
        if not listing.is_expired and expires_at_ns is not None and expires_at_ns <= now_ns:
            self._expire(listing)
        funding_at_ns = listing.funding_at_ns
        if funding_at_ns is not None and funding_at_ns <= now_ns and not listing.is_expired:
            listing.funding_at_ns = funding_at_ns + _FUNDING_EVERY_NS
            self._cashflows.charge_funding(listing)
        if listing.changes_at_ns is not None and listing.changes_at_ns <= now_ns:
            self._change_session(listing, now_ns)

    def _expire(self, listing: Listing) -> None:
        listing.is_expired = True
        self._cashflows.end_orders(listing, OrderStatus.EXPIRED, f"{listing.symbol} has expired")
        self._cashflows.settle(listing)
        tell_status(self._life.recorder, listing)

    def _change_session(self, listing: Listing, now_ns: int) -> None:
        before = listing.session
        if listing.day_ends_at_ns <= now_ns:
            listing.day.end()
        self._look_up(listing, now_ns)
        if listing.session is before:
            return
        if before is TradingState.CLOSED:
            listing.withdraw_liquidity()
        if not listing.is_expired:
            tell_status(self._life.recorder, listing)
        self.seat(listing)

    def seat(self, listing: Listing) -> None:
        """Park the orders that the session does not admit, and let in those it does."""
        waiting = [*listing.bids, *listing.asks, *listing.takers.values()]
        for order in waiting:
            if not listing.admits(order):
                withdraw(order)
                listing.parked[order.rank] = order
        for order in sorted(listing.parked.values(), key=_rank_of):
            if listing.admits(order):
                withdraw(order)
                self._let_in(order)

    def _let_in(self, order: WorkingOrder) -> None:
        if order.status is OrderStatus.HELD:
            self._life.release(order)
        else:
            self._life.agenda.append(order)

    def _look_up(self, listing: Listing, now_ns: int) -> None:
        instrument = listing.instrument
        listing.session = self._calendar.state_at(instrument, now_ns)
        listing.day_ends_at_ns = self._calendar.next_close_ns(instrument, now_ns)
        listing.opens_at_ns = self._calendar.next_open_ns(instrument, now_ns)
        listing.changes_at_ns = self._next_change(instrument, now_ns)

    def _next_change(self, instrument: Instrument, now_ns: int) -> int | None:
        window = Window(start_ns=now_ns, end_ns=now_ns + _LOOKAHEAD_NS, limit=2)
        rows = self._calendar.hours(instrument, window)
        for row in rows:
            if row.opens_at_ns > now_ns:
                return row.opens_at_ns
            if row.closes_at_ns > now_ns:
                return row.closes_at_ns
        return now_ns + _LOOKAHEAD_NS


def _instants_of(listing: Listing) -> tuple[int | None, ...]:
    if listing.is_expired:
        return ()
    return listing.changes_at_ns, listing.funding_at_ns, listing.instrument.expires_at_ns


def _end_reason(order: WorkingOrder) -> str:
    if order.time_in_force is TimeInForce.GTD:
        return "its expiry has come"
    return "the trading day has ended"


def _rank_of(order: WorkingOrder) -> int:
    return order.rank
