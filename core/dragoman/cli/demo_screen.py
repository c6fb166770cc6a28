"""The demo as a screen that is drawn anew with every frame."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, Self

from rich import box
from rich.layout import Layout
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from .demo_lines import demo_event_line
from .wording import amount, clock_time, money, printable

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console

    from dragoman.models import Account, OrderEvent, Position, Quote

    from .demo_story import Reconciliation

__all__ = ["ScreenStage"]

_HEIGHT: Final = 22
_TOP_HEIGHT: Final = 8
_WORDS_HEIGHT: Final = 4
_FRAME_HEIGHT: Final = 2
_TONES: Final = {
    "FILL": "green",
    "CANCELED": "yellow",
    "TRIGGERED": "magenta",
    "REJECTED": "red",
    "ACCEPTED": "cyan",
}


class ScreenStage:
    """Quotes, account, orders and the story's words, each in a panel. `with` opens it."""

    def __init__(self, console: Console, title: str) -> None:
        self._title = title
        self._quotes: dict[str, Quote] = {}
        self._moves: dict[str, str] = {}
        self._account: Account | None = None
        self._position: Position | None = None
        self._events: deque[Text] = deque(maxlen=_HEIGHT)
        self._last: dict[str, str] = {}
        self._words = Text()
        self._now_ns = 0
        self._height = min(_HEIGHT, console.height - 1)
        self._live = Live(console=console, auto_refresh=False)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def say(self, text: str) -> None:
        """Say what happens next."""
        self._words = Text(printable(text), style="bold")

    def quote(self, quote: Quote) -> None:
        """Show a quote."""
        before = self._quotes.get(quote.symbol)
        if before is not None and before.bid_price is not None and quote.bid_price is not None:
            if quote.bid_price > before.bid_price:
                self._moves[quote.symbol] = "green"
            elif quote.bid_price < before.bid_price:
                self._moves[quote.symbol] = "red"
        self._quotes[quote.symbol] = quote

    def account(self, account: Account) -> None:
        """Show the account."""
        self._account = account

    def position(self, position: Position) -> None:
        """Show the position."""
        self._position = position if position.quantity else None

    def order(self, event: OrderEvent) -> None:
        """Show what happened to an order, unless it says nothing new."""
        line = demo_event_line(event)
        if line != self._last.get(event.order.client_order_id):
            self._last[event.order.client_order_id] = line
            self._events.append(Text(line, style=_TONES.get(event.kind, "")))

    def frame(self, now_ns: int) -> None:
        """Draw everything as it is now."""
        self._now_ns = now_ns
        self._live.update(self._draw(), refresh=True)

    def close(self, lines: list[str], found: Reconciliation) -> None:
        """Draw the end of the story into the panel of its words."""
        style = "bold green" if found.is_reconciled else "bold red"
        self._words = Text("\n".join(lines), style=style)
        self._live.update(self._draw(words_height=len(lines) + 2), refresh=True)

    def _draw(self, words_height: int = _WORDS_HEIGHT) -> Layout:
        top = Layout(size=_TOP_HEIGHT)
        top.split_row(
            Layout(self._panel("Quotes", self._quote_table()), ratio=3),
            Layout(self._panel("Account", self._account_table()), ratio=2),
        )
        screen = Layout(size=self._height)
        room = self._height - 1 - _TOP_HEIGHT - words_height - _FRAME_HEIGHT
        events = Text("\n").join([*self._events][-max(1, room) :])
        screen.split_column(
            Layout(self._heading(), size=1),
            top,
            Layout(self._panel("Orders", events)),
            Layout(self._panel("", self._words), size=words_height),
        )
        return screen

    def _heading(self) -> Text:
        clock = f"{clock_time(self._now_ns)[:8]}Z simulated"
        return Text.assemble((self._title, "bold"), "  ", (clock, "dim"))

    @staticmethod
    def _panel(title: str, content: Table | Text) -> Panel:
        return Panel(content, title=title or None, title_align="left", box=box.ROUNDED)

    def _quote_table(self) -> Table:
        table = Table(box=None, expand=True, pad_edge=False)
        table.add_column("symbol", style="bold")
        for name in ("bid", "ask", "size"):
            table.add_column(name, justify="right")
        for symbol, quote in sorted(self._quotes.items()):
            style = self._moves.get(symbol, "")
            table.add_row(
                printable(symbol),
                Text(amount(quote.bid_price), style=style),
                Text(amount(quote.ask_price), style=style),
                Text(amount(quote.ask_size), style="dim"),
            )
        return table

    def _account_table(self) -> Table:
        table = Table(box=None, expand=True, pad_edge=False, show_header=False)
        table.add_column(style="dim")
        table.add_column(justify="right")
        account, position = self._account, self._position
        if account is not None:
            table.add_row("equity", amount(account.equity))
            table.add_row("cash", amount(account.cash))
            table.add_row("realized", amount(account.realized_pnl))
        if position is None:
            table.add_row("position", "flat")
        else:
            table.add_row("position", f"{amount(position.quantity)} {printable(position.symbol)}")
            table.add_row("entry", amount(position.average_entry_price))
            table.add_row("open profit", money(position.unrealized_pnl))
        return table
