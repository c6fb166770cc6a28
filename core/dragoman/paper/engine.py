"""The paper venue: a pure step function of commands and time. It reads no clock and does no I/O."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from dragoman.errors import InvalidValueError, Violation
from dragoman.models import Contingency, RejectReason, Window
from dragoman.money import negate
from dragoman.times import SECOND_NS

from .controls import Controls
from .floor import Floor
from .market.calendar import Calendar
from .market.catalogue import default_instruments
from .market.walk import WalkFeed
from .order import WorkingOrder
from .settings import VenueSettings
from .state import restore_floor, start_of, state_of
from .views import Views

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from decimal import Decimal

    from dragoman.models import (
        Account,
        Depth,
        Event,
        Exit,
        Fill,
        Instrument,
        LedgerEntry,
        LedgerKind,
        MarketHours,
        MarketStatus,
        Order,
        OrderChange,
        OrderRequest,
        Position,
        PositionMode,
        Quote,
        Ticker,
    )

    from .market.feed import Feed

__all__ = ["Engine"]

_ALL_TIME = Window()


class Engine:
    """A venue with accounts, driven from outside.

    Every command returns the events it caused, and so does `advance`, which lets time pass. Times
    are UTC nanoseconds; the venue's time moves only by `advance`. The same settings, instruments,
    feed and calls give the same events, byte for byte. Private events have instants of their own,
    each after the one before.

    An `AccountEvent` UPDATED follows every command, tick or other instant that changed an account's
    cash or margin. Not for use by several threads at once.

    Args:
        settings: What the venue is like.
        instruments: What it lists; the default catalogue of `start_ns` if None.
        feed: Where its prices come from; a random walk seeded by the settings if None.
        calendar: When its markets trade; by `settings.hours` if None.
        start_ns: The venue's first instant.
    """

    def __init__(
        self,
        settings: VenueSettings | None = None,
        *,
        instruments: Iterable[Instrument] | None = None,
        feed: Feed | None = None,
        calendar: Calendar | None = None,
        start_ns: int,
    ) -> None:
        settings = VenueSettings() if settings is None else settings
        if instruments is None:
            instruments = default_instruments(
                start_ns, received_at_ns=start_ns, provider=settings.provider
            )
        listed = tuple(instruments)
        calendar = Calendar(settings.hours) if calendar is None else calendar
        if feed is None:
            # One step early, so that every market has a price at the start.
            early_ns = start_ns + 1 - SECOND_NS
            feed = WalkFeed(listed, seed=settings.seed, start_ns=early_ns, calendar=calendar)
        self._floor = Floor(settings, listed, feed=feed, calendar=calendar, start_ns=start_ns)
        self._floor.begin()
        self._controls = Controls(self._floor)
        self._views = Views(self._floor)

    def state(self) -> dict[str, object]:
        """Return everything needed to go on from here in another process, as plain JSON data."""
        return state_of(self._floor)

    @classmethod
    def restore(
        cls,
        state: Mapping[str, object],
        settings: VenueSettings | None = None,
        *,
        instruments: Iterable[Instrument] | None = None,
        feed: Feed | None = None,
        calendar: Calendar | None = None,
    ) -> Engine:
        """Return an engine that goes on exactly where a `state` was taken of one made alike.

        Raises `InvalidValueError` for a state of another version, other accounts or instruments.
        """
        engine = cls(
            settings,
            instruments=instruments,
            feed=feed,
            calendar=calendar,
            start_ns=start_of(state),
        )
        restore_floor(engine._floor, state)
        return engine

    @property
    def now_ns(self) -> int:
        """The venue's time."""
        return self._floor.recorder.now_ns

    @property
    def settings(self) -> VenueSettings:
        """What the venue was told about itself."""
        return self._floor.settings

    @property
    def instruments(self) -> Mapping[str, Instrument]:
        """What the venue lists, by symbol."""
        return MappingProxyType(self._floor.instruments)

    @property
    def history_digest(self) -> str:
        """A hash over every event so far; equal for equal histories, however the calls were cut."""
        return self._floor.recorder.digest

    def find(self, symbol_or_alias: str) -> Instrument:
        """Return the instrument of a symbol or an alias.

        Raises `UnknownInstrumentError` or `AmbiguousInstrumentError` (NOT_SENT).
        """
        return self._floor.known_listing(symbol_or_alias).instrument

    def submit(self, request: OrderRequest) -> tuple[Event, ...]:
        """Take or refuse one order: the events begin with its ACCEPTED, or are its one REJECTED.

        Raises `NotFoundError` for an unknown account, `InvalidValueError` without an order id.
        """
        desk = self._floor.desk_of(request)
        self._floor.intake.submit(request, desk, self._floor.listing_for(request))
        return self._events()

    def submit_list(
        self,
        requests: Sequence[OrderRequest],
        contingency: Contingency,
        *,
        all_or_none: bool = False,
    ) -> tuple[Event, ...]:
        """Take or refuse several orders of one account.

        OCO: what fills of one is taken off the others, the end of one ends the others. OTO: the
        rest is held until the first is filled, then OCO among itself. Such lists are taken whole or
        not at all; others only if `all_or_none`.

        Raises:
            NotFoundError: The venue has no such account.
            InvalidValueError: The list is too short, or of several accounts, or an id is missing
                (NOT_SENT).
        """
        desks = {id(desk): desk for desk in map(self._floor.desk_of, requests)}
        fewest = 1 if contingency is Contingency.NONE else 2
        if len(desks) != 1 or len(requests) < fewest:
            allowed = f"at least {fewest} orders of one account"
            raise InvalidValueError.of(
                "submit_list", [Violation.of("requests", len(requests), allowed)]
            )
        (desk,) = desks.values()
        entries = [(request, self._floor.listing_for(request)) for request in requests]
        self._floor.intake.submit_list(entries, desk, contingency, all_or_none=all_or_none)
        return self._events()

    def replace(
        self, account_id: str, client_order_id: str, change: OrderChange
    ) -> tuple[Event, ...]:
        """Change a live order whole (REPLACED) or not at all (REPLACE_REJECTED, which says why).

        The order keeps its place in the queue only if nothing but its quantity falls.

        Raises `NotFoundError` if the account has no such order.
        """
        order = self._floor.known_order(account_id, client_order_id)
        if isinstance(order, WorkingOrder):
            self._floor.changes.replace(order, change)
        else:
            refused = RejectReason.OTHER, f"the order has ended: {order.status}"
            self._floor.changes.refuse_replace(order, refused)
        return self._events()

    def cancel(self, account_id: str, client_order_id: str) -> tuple[Event, ...]:
        """Cancel an order; of one that has ended, CANCEL_REJECTED tells how it stands.

        Raises `NotFoundError` if the account has no such order.
        """
        order = self._floor.known_order(account_id, client_order_id)
        if isinstance(order, WorkingOrder):
            self._floor.changes.cancel(order)
        else:
            self._floor.changes.refuse_cancel(order)
        return self._events()

    def cancel_all(self, account_id: str, symbol: str | None = None) -> tuple[Event, ...]:
        """Cancel every open order of an account, of one symbol or all, oldest first."""
        desk = self._floor.desk(account_id)
        self._floor.changes.cancel_all(desk, None if symbol is None else self.find(symbol).symbol)
        return self._events()

    def set_exits(
        self,
        account_id: str,
        position_id: str,
        stop_loss: Exit | None = None,
        take_profit: Exit | None = None,
    ) -> tuple[Event, ...]:
        """Put exits on a position in place of all it has; None takes one off.

        The legs are OCO, close what is there when they execute, and are canceled with the position.
        Their ids are `<position>-<number>-sl` and `-tp` unless the exit names one.

        Raises `NotFoundError` if the account has no such position.
        """
        desk, position = self._floor.position(account_id, position_id)
        place = position, self._floor.listings[position.symbol]
        self._floor.intake.set_exits(desk, place, stop_loss, take_profit)
        return self._events()

    def next_event_ns(self) -> int | None:
        """Return when something happens next if nobody does anything; None if nothing ever will."""
        return self._floor.next_event_ns()

    def advance(self, to_ns: int) -> tuple[Event, ...]:
        """Let time pass up to and including `to_ns`, each event at its own instant.

        After `max_idle_steps` ticks of one call the feed skips to `to_ns`; all else still happens
        when it is due.

        Raises `InvalidValueError` for an instant in the past (NOT_SENT).
        """
        self._floor.advance(to_ns)
        return self._events()

    def halt_symbol(self, symbol: str, reason: str) -> tuple[Event, ...]:
        """Suspend an instrument: orders stay, nothing executes, new ones are refused."""
        self._controls.halt(symbol, reason)
        return self._events()

    def resume_symbol(self, symbol: str) -> tuple[Event, ...]:
        """End a halt; trading goes on with the next tick."""
        self._controls.resume(symbol)
        return self._events()

    def deposit(
        self, account_id: str, amount: Decimal, currency: str | None = None
    ) -> tuple[Event, ...]:
        """Pay cash in; in the account's currency unless another is named."""
        self._controls.fund(account_id, amount, currency)
        return self._events()

    def withdraw(
        self, account_id: str, amount: Decimal, currency: str | None = None
    ) -> tuple[Event, ...]:
        """Pay cash out; raises `ConflictError` if it is more than is free."""
        self._controls.fund(account_id, negate(amount), currency)
        return self._events()

    def dividend(self, symbol: str, per_unit: Decimal) -> tuple[Event, ...]:
        """Pay cash for each unit held; shorts pay it."""
        self._controls.dividend(symbol, per_unit)
        return self._events()

    def split(self, symbol: str, ratio: Decimal) -> tuple[Event, ...]:
        """Turn each unit held into `ratio` units; open orders in it are canceled."""
        self._controls.split(symbol, ratio)
        return self._events()

    def set_funding_rate(
        self, symbol: str, rate: Decimal, next_at_ns: int | None = None
    ) -> tuple[Event, ...]:
        """Set a perpetual's funding rate and when it is due next, then every eight hours."""
        self._controls.set_funding_rate(symbol, rate, next_at_ns)
        return self._events()

    def bust(self, account_id: str, fill_id: str) -> tuple[Event, ...]:
        """Take one execution back (FILL_BUSTED); an order that has ended stays so."""
        self._controls.bust(account_id, fill_id)
        return self._events()

    def execute(
        self,
        account_id: str,
        client_order_id: str,
        quantity: Decimal | None = None,
        price: Decimal | None = None,
    ) -> tuple[Event, ...]:
        """Force an execution of what is left of an order, even of a canceled or expired one."""
        self._controls.execute(account_id, client_order_id, quantity=quantity, price=price)
        return self._events()

    def liquidate(self, account_id: str) -> tuple[Event, ...]:
        """Close all positions of an account as a margin call does, whatever its margin."""
        self._controls.liquidate(account_id)
        return self._events()

    def set_position_mode(self, account_id: str, mode: PositionMode) -> tuple[Event, ...]:
        """Choose netting or hedging; raises `ConflictError` while positions or orders are open."""
        self._controls.set_position_mode(account_id, mode)
        return self._events()

    def set_leverage(
        self, account_id: str, leverage: Decimal | None, symbol: str | None = None
    ) -> tuple[Event, ...]:
        """Set the leverage of a symbol, or of all others; None takes it off."""
        self._controls.set_leverage(account_id, leverage, symbol)
        return self._events()

    def order(
        self,
        account_id: str,
        client_order_id: str | None = None,
        venue_order_id: str | None = None,
    ) -> Order | None:
        """Return an order by either id; None if there is none such."""
        return self._views.order(account_id, client_order_id, venue_order_id)

    def open_orders(self, account_id: str, symbol: str | None = None) -> tuple[Order, ...]:
        """Return every order that may still execute, oldest first."""
        return self._views.open_orders(account_id, symbol)

    def orders(
        self, account_id: str, window: Window = _ALL_TIME, symbol: str | None = None
    ) -> tuple[Order, ...]:
        """Return the orders created in the window, refused ones included, oldest first."""
        return self._views.orders(account_id, window, symbol)

    def fills(
        self, account_id: str, window: Window = _ALL_TIME, symbol: str | None = None
    ) -> tuple[Fill, ...]:
        """Return the fills of the window, oldest first; busted ones are flagged."""
        return self._views.fills(account_id, window, symbol)

    def ledger(
        self, account_id: str, window: Window = _ALL_TIME, kinds: Sequence[LedgerKind] = ()
    ) -> tuple[LedgerEntry, ...]:
        """Return the ledger of the window, oldest first; of all kinds if none is named."""
        return self._views.ledger(account_id, window, kinds)

    def positions(self, account_id: str, symbol: str | None = None) -> tuple[Position, ...]:
        """Return the open positions, in the order they were first opened."""
        return self._views.positions(account_id, symbol)

    def account(self, account_id: str) -> Account:
        """Return an account as it stands."""
        return self._views.account(account_id)

    def accounts(self) -> tuple[Account, ...]:
        """Return every account, in the order of the settings."""
        return self._views.accounts()

    def quote(self, symbol: str) -> Quote:
        """Return the top of the book: the market's and our displayed orders'."""
        return self._views.quote(symbol)

    def ticker(self, symbol: str) -> Ticker:
        """Return an instrument's day, mark, index and funding."""
        return self._views.ticker(symbol)

    def depth(self, symbol: str, levels: int = 20) -> Depth:
        """Return the book, the market's levels and our displayed orders, `levels` a side."""
        return self._views.depth(symbol, levels)

    def market_status(self, symbol: str | None = None) -> MarketStatus:
        """Return what an instrument lets one do now; the venue is OPEN while any of it is."""
        return self._views.market_status(symbol)

    def hours(self, symbol: str, window: Window) -> tuple[MarketHours, ...]:
        """Return the sessions of an instrument that touch the window."""
        return self._views.hours(symbol, window)

    def _events(self) -> tuple[Event, ...]:
        self._floor.tell_accounts()
        return self._floor.recorder.collect()
