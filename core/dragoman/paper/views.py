"""What can be read of the venue: accounts, orders, fills, the ledger, and the market."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from dragoman.errors import InvalidValueError, Violation
from dragoman.models import MarketStatus, TradingState

from . import bulletin

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dragoman.models import (
        Account,
        Depth,
        Fill,
        LedgerEntry,
        LedgerKind,
        MarketHours,
        Order,
        Position,
        Quote,
        Ticker,
        Window,
    )

    from .floor import Floor

__all__ = ["Views"]

Row = TypeVar("Row")


class Views:
    """Reads that change nothing.

    Unknown accounts raise `NotFoundError`, unknown symbols `UnknownInstrumentError`.
    """

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    def order(
        self, account_id: str, client_order_id: str | None, venue_order_id: str | None
    ) -> Order | None:
        """Return an order by either id; where both are given they must name the same."""
        desk = self._floor.desk(account_id)
        if venue_order_id is not None:
            named = desk.client_ids.get(venue_order_id)
            if client_order_id not in (None, named):
                return None
            client_order_id = named
        return None if client_order_id is None else desk.order(client_order_id)

    def open_orders(self, account_id: str, symbol: str | None) -> tuple[Order, ...]:
        """Return every order that may still execute, oldest first."""
        wanted = self._symbol(symbol)
        live = self._floor.desk(account_id).live.values()
        return tuple(order.snapshot() for order in live if wanted in (None, order.symbol))

    def orders(self, account_id: str, window: Window, symbol: str | None) -> tuple[Order, ...]:
        """Return the orders created in the window, oldest first."""
        wanted = self._symbol(symbol)
        return _limited(self._floor.desk(account_id).all_orders(window, wanted), window)

    def fills(self, account_id: str, window: Window, symbol: str | None) -> tuple[Fill, ...]:
        """Return the fills of the window, oldest first, busted ones flagged."""
        wanted = self._symbol(symbol)
        fills = self._floor.desk(account_id).fills
        return _limited(
            (
                fill
                for fill in fills
                if window.covers(fill.venue_time_ns) and wanted in (None, fill.symbol)
            ),
            window,
        )

    def ledger(
        self, account_id: str, window: Window, kinds: Sequence[LedgerKind]
    ) -> tuple[LedgerEntry, ...]:
        """Return the ledger of the window, oldest first; of all kinds if none is named."""
        entries = self._floor.desk(account_id).account.ledger
        return _limited(
            (
                entry
                for entry in entries
                if window.covers(entry.venue_time_ns) and (not kinds or entry.kind in kinds)
            ),
            window,
        )

    def positions(self, account_id: str, symbol: str | None) -> tuple[Position, ...]:
        """Return the open positions, in the order they were first opened."""
        return self._floor.desk(account_id).account.positions(self._symbol(symbol))

    def account(self, account_id: str) -> Account:
        """Return an account as it stands."""
        return self._floor.desk(account_id).account.snapshot(self._floor.recorder.now_ns)

    def accounts(self) -> tuple[Account, ...]:
        """Return every account, in the order of the settings."""
        return tuple(self.account(account_id) for account_id in self._floor.desks)

    def quote(self, symbol: str) -> Quote:
        """Return the top of the book."""
        listing = self._floor.known_listing(symbol)
        return bulletin.quote_of(listing, self._floor.recorder.now_ns)

    def ticker(self, symbol: str) -> Ticker:
        """Return an instrument's ticker."""
        listing = self._floor.known_listing(symbol)
        return bulletin.ticker_of(listing, self._floor.recorder.now_ns)

    def depth(self, symbol: str, levels: int) -> Depth:
        """Return the book, the market's levels and our displayed orders, `levels` a side.

        Raises `InvalidValueError` for fewer levels than one (NOT_SENT).
        """
        if levels < 1:
            raise InvalidValueError.of("depth", [Violation.of("levels", levels, "1 or more")])
        listing = self._floor.known_listing(symbol)
        return bulletin.depth_of(listing, levels, self._floor.recorder.now_ns)

    def market_status(self, symbol: str | None) -> MarketStatus:
        """Return what an instrument lets one do now; the venue is OPEN while any of it is."""
        now_ns = self._floor.recorder.now_ns
        if symbol is not None:
            return bulletin.status_of(self._floor.known_listing(symbol), now_ns)
        states = {listing.state for listing in self._floor.listings.values()}
        is_open = TradingState.OPEN in states
        return MarketStatus(
            state=TradingState.OPEN if is_open else TradingState.CLOSED,
            provider=self._floor.settings.provider,
            received_at_ns=now_ns,
            venue_time_ns=now_ns,
        )

    def hours(self, symbol: str, window: Window) -> tuple[MarketHours, ...]:
        """Return the sessions of an instrument that touch the window."""
        listing = self._floor.known_listing(symbol)
        return self._floor.calendar.hours(listing.instrument, window)

    def _symbol(self, symbol: str | None) -> str | None:
        return None if symbol is None else self._floor.known_listing(symbol).symbol


def _limited(rows: Iterable[Row], window: Window) -> tuple[Row, ...]:
    found: list[Row] = []
    for row in rows:
        if len(found) == window.limit:
            break
        found.append(row)
    return tuple(found)
