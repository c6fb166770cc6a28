"""The demo as plain lines, for pipes and terminals that can't be drawn on, and as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .wording import amount, clock_time, money, order_terms, printable

if TYPE_CHECKING:
    from dragoman.models import Account, OrderEvent, Position, Quote

    from .demo_story import Reconciliation
    from .shell import Shell

__all__ = ["LineStage", "RecordStage", "closing_lines", "demo_event_line", "role"]

_FRAMES_BETWEEN_QUOTES: Final = 10
_ROLES: Final = (("-sl", "stop loss"), ("-tp", "take profit"))


class LineStage:
    """Shows the story as lines of text."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._quotes: dict[str, Quote] = {}
        self._frames = 0
        self._cash: str | None = None
        self._last: dict[str, str] = {}

    def say(self, text: str) -> None:
        """Say what happens next."""
        self._write(f"* {text}")

    def quote(self, quote: Quote) -> None:
        """Show a quote, with the next frame that shows them."""
        self._quotes[quote.symbol] = quote

    def account(self, account: Account) -> None:
        """Show the account when its cash has changed."""
        currency = account.currency or ""
        cash = f"account {account.account_id}: cash {amount(account.cash)} {currency}"
        if cash != self._cash:
            self._cash = cash
            self._write(f"{cash}, equity {amount(account.equity)} {currency}")

    def position(self, position: Position) -> None:
        """Show the position."""
        entry = position.average_entry_price
        at = "" if entry is None else f" at {amount(entry)}"
        self._write(f"position {position.symbol}: {amount(position.quantity)}{at}")

    def order(self, event: OrderEvent) -> None:
        """Show what happened to an order, unless it says nothing new."""
        line = demo_event_line(event)
        if line != self._last.get(event.order.client_order_id):
            self._last[event.order.client_order_id] = line
            self._write(line)

    def frame(self, now_ns: int) -> None:
        """Show the quotes now and then."""
        if self._frames % _FRAMES_BETWEEN_QUOTES == 0 and self._quotes:
            prices = [
                f"{symbol} {amount(quote.bid_price)}/{amount(quote.ask_price)}"
                for symbol, quote in sorted(self._quotes.items())
            ]
            self._write(f"{clock_time(now_ns)} {'  '.join(prices)}")
        self._frames += 1

    def _write(self, text: str) -> None:
        self._shell.line(text)
        self._shell.out.file.flush()


class RecordStage:
    """Keeps what happened to orders and shows nothing."""

    def __init__(self) -> None:
        self.events: list[OrderEvent] = []

    def say(self, text: str) -> None:
        """Say nothing."""

    def quote(self, quote: Quote) -> None:
        """Show nothing."""

    def account(self, account: Account) -> None:
        """Show nothing."""

    def position(self, position: Position) -> None:
        """Show nothing."""

    def order(self, event: OrderEvent) -> None:
        """Keep what happened to an order."""
        self.events.append(event)

    def frame(self, now_ns: int) -> None:
        """Draw nothing."""


def role(client_order_id: str) -> str:
    """Return what an order of the demo is for."""
    return next((name for end, name in _ROLES if client_order_id.endswith(end)), "entry")


def demo_event_line(event: OrderEvent) -> str:
    """Write one event of an order of the demo, short enough for a narrow screen."""
    at = clock_time(event.venue_time_ns or event.received_at_ns)[:8]
    fill = event.fill
    if fill is None:
        what = "" if event.kind == "CANCELED" else f": {_terms(event)}"
    else:
        what = f": {fill.side} {amount(fill.quantity)} at {amount(fill.price)}"
        if fill.realized_pnl is not None and fill.realized_pnl.amount:
            what += f", profit {money(fill.realized_pnl)}"
        if fill.commission is not None:
            what += f", commission {money(fill.commission)}"
    return printable(f"{at}Z {event.kind:<9} {role(event.order.client_order_id)}{what}")


def closing_lines(found: Reconciliation) -> list[str]:
    """Write what is left when the story is over, and whether it adds up."""
    currency = printable(found.currency)
    change, profit = amount(found.cash_change), amount(found.realized_pnl)
    commission = amount(found.commission)
    is_equal = "is" if found.is_reconciled else "is NOT"
    parts = f"profit {profit} - commissions {commission}"
    return [
        f"positions:   {found.open_positions or 'none, the account is flat'}",
        f"open orders: {found.open_orders or 'none'}",
        f"cash:        {amount(found.cash_before)} -> {amount(found.cash_after)} {currency}",
        f"             changed by {change}, which {is_equal} {parts}",
        "reconciled:  to the last digit" if found.is_reconciled else "NOT reconciled",
    ]


def _terms(event: OrderEvent) -> str:
    order = event.order
    return order_terms(order).partition(", ")[0]
