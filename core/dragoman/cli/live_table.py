"""A table on a terminal that is drawn anew as events come in."""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Self

from rich import box
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from dragoman.models import Quote, Trade

from .event_lines import event_line
from .wording import amount, clock_time, printable

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console, RenderableType

    from dragoman.broker import Broker
    from dragoman.models import Event

__all__ = ["LiveTable", "QuoteRows"]

_PER_SECOND: Final = 8
_LATEST_LINES: Final = 8


class QuoteRows:
    """The newest quote and print of each symbol, each price in the color of its last move."""

    def __init__(self) -> None:
        self._quotes: dict[str, Quote] = {}
        self._last: dict[str, Decimal] = {}
        self._tones: dict[tuple[str, str], str] = {}

    def take_quote(self, quote: Quote) -> None:
        """Show this quote from now on."""
        before = self._quotes.get(quote.symbol)
        if before is not None:
            self._tone(quote.symbol, "bid", before.bid_price, quote.bid_price)
            self._tone(quote.symbol, "ask", before.ask_price, quote.ask_price)
        self._quotes[quote.symbol] = quote

    def take_trade(self, trade: Trade) -> None:
        """Show this print from now on."""
        self._tone(trade.symbol, "last", self._last.get(trade.symbol), trade.price)
        self._last[trade.symbol] = trade.price

    def draw(self) -> Table:
        """Return the rows as a table."""
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=True)
        table.add_column("SYMBOL")
        for title in ("BID SIZE", "BID", "ASK", "ASK SIZE", "LAST"):
            table.add_column(title, justify="right", overflow="fold")
        table.add_column("TIME", justify="right")
        for symbol in sorted({*self._quotes, *self._last}):
            table.add_row(*self._cells(symbol))
        return table

    def _cells(self, symbol: str) -> list[Text]:
        quote = self._quotes.get(symbol)
        at_ns = None if quote is None else quote.venue_time_ns or quote.received_at_ns
        return [
            Text(printable(symbol), style="bold"),
            Text(amount(quote.bid_size if quote else None), style="dim"),
            Text(amount(quote.bid_price if quote else None), style=self._style(symbol, "bid")),
            Text(amount(quote.ask_price if quote else None), style=self._style(symbol, "ask")),
            Text(amount(quote.ask_size if quote else None), style="dim"),
            Text(amount(self._last.get(symbol)), style=self._style(symbol, "last")),
            Text(clock_time(at_ns)[:8], style="dim"),
        ]

    def _style(self, symbol: str, field: str) -> str:
        return self._tones.get((symbol, field), "")

    def _tone(self, symbol: str, field: str, before: Decimal | None, now: Decimal | None) -> None:
        if before is not None and now is not None and before != now:
            self._tones[symbol, field] = "green" if now > before else "red"


class LiveTable:
    """Quotes in rows, everything else as its latest lines below them."""

    def __init__(self, console: Console, broker: Broker) -> None:
        self._title = f"{broker.provider} ({broker.environment}), account {broker.account_id}"
        self._rows = QuoteRows()
        self._has_rows = False
        self._lines: deque[str] = deque(maxlen=_LATEST_LINES)
        self._live = Live(
            console=console, refresh_per_second=_PER_SECOND, get_renderable=self._draw
        )

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

    def take(self, event: Event) -> None:
        """Take in one event; it is drawn at the next turn."""
        if isinstance(event, Quote):
            self._rows.take_quote(event)
            self._has_rows = True
        elif isinstance(event, Trade):
            self._rows.take_trade(event)
            self._has_rows = True
        else:
            self._lines.append(event_line(event))

    def _draw(self) -> RenderableType:
        parts: list[RenderableType] = [Text(printable(self._title), style="bold")]
        if self._has_rows:
            parts.append(self._rows.draw())
        parts += [Text(line, overflow="fold") for line in self._lines]
        parts.append(Text("Ctrl-C ends it", style="dim"))
        return Group(*parts)
