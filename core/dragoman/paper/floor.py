"""The trading floor: all parts of one venue, joined.

The engine asks it for what its callers want.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from dragoman.errors import (
    AmbiguousInstrumentError,
    InvalidValueError,
    NotFoundError,
    UnknownInstrumentError,
    Violation,
)
from dragoman.models import (
    AccountEventKind,
    AssetClass,
    Instrument,
    InstrumentKind,
    TradingState,
)

from .accounts.account import PaperAccount
from .bulletin import tell_tick
from .cashflows import Cashflows
from .changes import Changes
from .deadlines import Deadlines, earlier
from .desk import Desk
from .intake import Intake
from .lifecycle import Lifecycle
from .liquidation import Liquidation
from .listed import Listing
from .matching import Matcher
from .recorder import Recorder
from .sessions import Sessions
from .sweep import Sweeper

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dragoman.models import Order, OrderRequest, Position

    from .market.calendar import Calendar
    from .market.feed import Feed, MarketTick
    from .order import WorkingOrder
    from .settings import AccountSettings, VenueSettings

__all__ = ["Floor"]


class Floor:
    """Listings and desks, the parts that act on them, and the loop that moves time."""

    def __init__(
        self,
        settings: VenueSettings,
        instruments: Iterable[Instrument],
        *,
        feed: Feed,
        calendar: Calendar,
        start_ns: int,
    ) -> None:
        self.settings = settings
        self.feed = feed
        self.calendar = calendar
        self.instruments: dict[str, Instrument] = {
            instrument.symbol: instrument for instrument in instruments
        }
        self.aliases: dict[str, list[str]] = _aliases(self.instruments)
        self.listings: dict[str, Listing] = {
            symbol: Listing(instrument, settings) for symbol, instrument in self.instruments.items()
        }
        self.desks: dict[str, Desk] = {
            account.account_id: self._desk(account) for account in settings.accounts
        }
        self.start_ns = start_ns
        self.recorder: Recorder = Recorder(start_ns)
        self.life: Lifecycle = Lifecycle(
            self.recorder, Deadlines(), keeps_id=settings.replace_keeps_id
        )
        matcher = Matcher(self.life, settings.fill_ratio, fills_rest=settings.fills_rest)
        self.matcher = matcher
        self.cashflows: Cashflows = Cashflows(self.life, self.desks, self.listings)
        self.sessions: Sessions = Sessions(
            calendar, self.listings, life=self.life, matcher=matcher, cashflows=self.cashflows
        )
        self.intake: Intake = Intake(settings, self.life, matcher=matcher, sessions=self.sessions)
        self.changes: Changes = Changes(settings, self.life, matcher=matcher, intake=self.intake)
        self.liquidation: Liquidation = Liquidation(self.life, self.intake, self.listings)
        self._sweeper = Sweeper(self.life, matcher, is_endless=not settings.uses_liquidity)

    def _desk(self, account: AccountSettings) -> Desk:
        books = PaperAccount(
            account,
            self.instruments,
            self.settings.fees,
            provider=self.settings.provider,
            maintenance_fraction=self.settings.maintenance_fraction,
        )
        return Desk(account.account_id, books, can_trade=account.can_trade)

    def begin(self) -> None:
        """Learn the first prices, silently."""
        now_ns = self.recorder.now_ns
        self.sessions.begin(now_ns)
        for tick in self.feed.take(now_ns):
            listing = self.listings.get(tick.symbol)
            if listing is not None:
                listing.take_tick(tick)
                self._mark(listing)
        for listing in self.listings.values():
            if listing.session is TradingState.CLOSED:
                listing.withdraw_liquidity()

    def desk(self, account_id: str | None) -> Desk:
        """Return an account's desk.

        Raises:
            NotFoundError: The venue has no such account.
        """
        found = None if account_id is None else self.desks.get(account_id)
        if found is None:
            raise NotFoundError(
                f"the venue has no account {account_id!r}", provider=self.settings.provider
            )
        return found

    def listing(self, symbol: str) -> Listing | None:
        """Return the listing that a symbol or an alias names; None unless it is just one."""
        found = self.listings.get(symbol)
        if found is not None:
            return found
        symbols = self.aliases.get(symbol, ())
        return self.listings[symbols[0]] if len(symbols) == 1 else None

    def known_listing(self, symbol: str) -> Listing:
        """Return the listing that a symbol or an alias names.

        Raises:
            UnknownInstrumentError: The venue lists none.
            AmbiguousInstrumentError: The alias names more than one.
        """
        found = self.listing(symbol)
        if found is not None:
            return found
        provider = self.settings.provider
        if symbol in self.aliases:
            names = ", ".join(self.aliases[symbol])
            raise AmbiguousInstrumentError(f"{symbol!r} may be any of {names}", provider=provider)
        near = self._near(symbol[:80])
        more = f"; near it: {', '.join(near)}" if near else ""
        raise UnknownInstrumentError(f"the venue lists no {symbol[:80]!r}{more}", provider=provider)

    def _near(self, symbol: str) -> list[str]:
        """Return the few names most like one that is not listed, whatever its case."""
        names = {name.upper(): name for name in (*self.aliases, *self.listings)}
        return [names[each] for each in get_close_matches(symbol.upper(), names)]

    def listing_for(self, request: OrderRequest) -> Listing:
        """Return the listing of a request; for an unknown symbol a stand-in to refuse it with."""
        found = self.listing(request.symbol)
        if found is not None:
            return found
        instrument = Instrument(
            symbol=request.symbol,
            asset_class=AssetClass.UNKNOWN,
            kind=InstrumentKind.UNKNOWN,
            quote="",
            settlement="",
            provider=self.settings.provider,
            received_at_ns=self.recorder.now_ns,
        )
        return Listing(instrument, self.settings)

    def desk_of(self, request: OrderRequest) -> Desk:
        """Return the desk a request is for.

        Raises:
            InvalidValueError: The request has no client order id.
            NotFoundError: The venue has no such account.
        """
        if not request.client_order_id:
            allowed = "an id: the venue makes none"
            found = Violation.of("client_order_id", request.client_order_id, allowed)
            raise InvalidValueError.of("submit", [found])
        return self.desk(request.account_id)

    def known_order(self, account_id: str, client_order_id: str) -> WorkingOrder | Order:
        """Return an order, as it works or as it ended.

        Raises:
            NotFoundError: The account has no such order.
        """
        found = self.desk(account_id).orders.get(client_order_id)
        if found is None:
            raise NotFoundError(
                f"account {account_id!r} has no order {client_order_id!r}",
                provider=self.settings.provider,
            )
        return found

    def position(self, account_id: str, position_id: str) -> tuple[Desk, Position]:
        """Return an open position and its account's desk.

        Raises:
            NotFoundError: The account has no such position.
        """
        desk = self.desk(account_id)
        for position in desk.account.positions():
            if position.position_id == position_id:
                return desk, position
        raise NotFoundError(
            f"account {account_id!r} has no position {position_id!r}",
            provider=self.settings.provider,
        )

    def next_event_ns(self) -> int | None:
        """Return when the next tick, expiry, change of session, funding or opening is due."""
        return earlier(self.feed.next_event_ns(), self.sessions.next_ns())

    def advance(self, to_ns: int) -> None:
        """Let time pass, doing everything due on the way at its own instant.

        Raises:
            InvalidValueError: `to_ns` lies before the venue's time.
        """
        if to_ns < self.recorder.now_ns:
            allowed = f"at least {self.recorder.now_ns}: time does not run backwards"
            raise InvalidValueError.of("advance", [Violation.of("to_ns", to_ns, allowed)])
        steps = 0
        while (due_ns := self.next_event_ns()) is not None and due_ns <= to_ns:
            self.recorder.now_ns = max(self.recorder.now_ns, due_ns)
            steps += self._run(due_ns)
            if steps >= self.settings.max_idle_steps:
                self.feed.skip_to(to_ns)
                steps = 0
        self.recorder.now_ns = to_ns

    def _run(self, due_ns: int) -> int:
        """Do what is due at an instant; return how many ticks there were."""
        timed_ns = self.sessions.next_ns()
        if timed_ns is not None and timed_ns <= due_ns:
            self.sessions.run(due_ns)
            self.watch()
            self.tell_accounts()
        ticks = self.feed.take(due_ns)
        for tick in ticks:
            self._take(tick)
        return 1 if ticks else 0

    def _take(self, tick: MarketTick) -> None:
        listing = self.listings.get(tick.symbol)
        if listing is None or listing.is_expired:
            return
        if listing.session is TradingState.CLOSED:
            if listing.tick is None:
                listing.take_tick(tick)
                listing.withdraw_liquidity()
                self._mark(listing)
            return
        listing.take_tick(tick)
        tell_tick(self.recorder, listing, tick)
        self._mark(listing)
        if listing.halted is None:
            self._sweeper.run(listing, tick)
        else:
            listing.withdraw_liquidity()
        self.watch()
        self.tell_accounts()

    def _mark(self, listing: Listing) -> None:
        price = listing.mark_price
        if price is not None:
            for desk in self.desks.values():
                desk.account.mark(listing.symbol, price, self.recorder.now_ns)

    def watch(self) -> None:
        """Act on every account's margin."""
        for desk in self.desks.values():
            self.liquidation.watch(desk)

    def tell_accounts(self) -> None:
        """Tell every account whose cash or margin changed since it was told last."""
        for desk in self.desks.values():
            if desk.is_touched:
                desk.is_touched = False
                time_ns = self.recorder.stamp()
                account = desk.account.snapshot(time_ns)
                self.recorder.account(AccountEventKind.UPDATED, account, time_ns)


def _aliases(instruments: dict[str, Instrument]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for symbol, instrument in instruments.items():
        for alias in instrument.aliases:
            found.setdefault(alias, []).append(symbol)
    return found
