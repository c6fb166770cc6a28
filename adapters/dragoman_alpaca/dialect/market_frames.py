"""Events of a broker as items of a data stream's frames.

Many clients hear the same events, so what an event is written as is kept for a while, per encoding.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

from dragoman.models import (
    Bar,
    Depth,
    MarketStatus,
    Quote,
    Ticker,
    TimeUnit,
    Trade,
    TradeCorrection,
    TradingState,
)
from dragoman.times import MINUTE_NS

from .market_rows import STOCK, trade_number
from .market_text import Instant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dragoman.models import Event

    from .market_messages import Wanted
    from .market_rows import Row, RowWriter

__all__ = ["Items", "SharedItems"]

Told = tuple[str, "Callable[[], Row]"]
"""The type an event is told as, and what makes its row."""

_KEPT: Final = 4_096
_PRINTS_KEPT: Final = 10_000
_BAR_CHANNELS: Final = {"b": "bars", "u": "updatedBars", "d": "dailyBars"}
_STATUS_CODES: Final = {
    TradingState.HALTED: {"C": ("H", "Trading Halt"), "": ("2", "Trading Halt")},
    TradingState.OPEN: {"C": ("T", "Trading Resumption"), "": ("3", "Resume")},
}
"""Halts and resumptions in the codes of the tapes: those of Nasdaq, and those of all others."""


class SharedItems:
    """The written items of a broker's latest events, in one encoding, and its latest prints."""

    def __init__(self, write: Callable[[Row], bytes]) -> None:
        self._write = write
        self._items: OrderedDict[tuple[int, str], tuple[Event, bytes]] = OrderedDict()
        self._prints: OrderedDict[tuple[str, str], Trade] = OrderedDict()

    def remember(self, trade: Trade) -> None:
        """Keep a print for a while, for what may yet be said of it."""
        if trade.trade_id is not None:
            self._prints[trade.symbol, trade.trade_id] = trade
            if len(self._prints) > _PRINTS_KEPT:
                self._prints.popitem(last=False)

    def print_of(self, correction: TradeCorrection) -> Trade | None:
        """Return the print that is taken back; None if it is not remembered."""
        return self._prints.get((correction.symbol, correction.trade_id))

    def item(self, event: Event, letter: str, row: Callable[[], Row]) -> bytes:
        """Return what an event is written as under a type; made once, while it is remembered."""
        key = (id(event), letter)
        kept = self._items.get(key)
        if kept is not None and kept[0] is event:
            return kept[1]
        item = self._write(row())
        self._items[key] = (event, item)
        if len(self._items) > _KEPT:
            self._items.popitem(last=False)
        return item


class Items:
    """What one client is told: the items of the events it wants, in the events' order.

    Args:
        shared: What is written for all clients.
        writer_of: Returns the writer of a symbol's rows; None for a symbol that is not listed.
    """

    def __init__(self, shared: SharedItems, writer_of: Callable[[str], RowWriter | None]) -> None:
        self._shared = shared
        self._writer_of = writer_of
        self._last_minutes: dict[str, int] = {}
        self._told_days: dict[str, int] = {}
        self._halted: set[str] = set()
        self._tellers: dict[type[Any], Callable[[Any, Wanted, RowWriter], Told | None]] = {
            Quote: self._tell_quote,
            Trade: self._tell_trade,
            TradeCorrection: self._tell_correction,
            Bar: self._tell_bar,
            Depth: self._tell_depth,
            MarketStatus: self._tell_status,
            Ticker: self._tell_limits,
        }

    def of(self, events: Iterable[Event], wanted: Wanted) -> list[bytes]:
        """Return the items of those events that are wanted."""
        items: list[bytes] = []
        for event in events:
            tell = self._tellers.get(type(event))
            symbol: str | None = None if tell is None else getattr(event, "symbol", None)
            writer = None if symbol is None else self._writer_of(symbol)
            if tell is None or writer is None:
                continue
            told = tell(event, wanted, writer)
            if told is not None:
                items.append(self._item(event, symbol or "", *told))
        return items

    def _item(self, event: Event, symbol: str, letter: str, row: Callable[[], Row]) -> bytes:
        head: Row = {"T": letter, "S": symbol}
        return self._shared.item(event, letter, lambda: head | row())

    def _tell_quote(self, quote: Quote, wanted: Wanted, writer: RowWriter) -> Told | None:
        is_told = wanted.has("quotes", quote.symbol)
        return ("q", lambda: writer.quote(quote)) if is_told else None

    def _tell_trade(self, trade: Trade, wanted: Wanted, writer: RowWriter) -> Told | None:
        if not wanted.has("trades", trade.symbol):
            return None
        self._shared.remember(trade)
        return "t", lambda: writer.trade(trade)

    def _tell_correction(
        self, event: TradeCorrection, wanted: Wanted, writer: RowWriter
    ) -> Told | None:
        if writer.asset_class != STOCK or not wanted.has("trades", event.symbol):
            return None
        letter = "x" if event.replacement is None else "c"
        return letter, lambda: self._correction(event, writer)

    def _tell_bar(self, bar: Bar, wanted: Wanted, writer: RowWriter) -> Told | None:
        is_day = bar.timeframe.unit is TimeUnit.DAY
        letter = self._letter_of_day(bar) if is_day else self._letter_of_minute(bar)
        is_told = letter is not None and wanted.has(_BAR_CHANNELS[letter], bar.symbol)
        return (letter, lambda: writer.bar(bar)) if letter is not None and is_told else None

    def _tell_depth(self, depth: Depth, wanted: Wanted, writer: RowWriter) -> Told | None:
        if not wanted.has("orderbooks", depth.symbol):
            return None
        reset: Row = {"r": True} if depth.is_snapshot else {}
        return "o", lambda: writer.depth(depth) | reset

    def _tell_status(self, event: MarketStatus, wanted: Wanted, writer: RowWriter) -> Told | None:
        """Tell a halt, and the end of one that was told: a market that is open is no news."""
        symbol = event.symbol or ""
        if event.state not in _STATUS_CODES or not wanted.has("statuses", symbol):
            return None
        if event.state is TradingState.OPEN and symbol not in self._halted:
            return None
        if event.state is TradingState.HALTED:
            self._halted.add(symbol)
        else:
            self._halted.discard(symbol)
        return "s", lambda: _status(event, writer)

    def _tell_limits(self, event: Ticker, wanted: Wanted, writer: RowWriter) -> Told | None:
        up, down = event.price_ceiling, event.price_floor
        if up is None or down is None or not wanted.has("lulds", event.symbol):
            return None
        return "l", lambda: {"u": up, "d": down, "i": "", "t": _time(event), "z": writer.tape}

    def _letter_of_minute(self, bar: Bar) -> str | None:
        """Tell a minute once it is over, and again as updated."""
        if not bar.is_complete:
            return None
        if bar.open_time_ns <= self._last_minutes.get(bar.symbol, bar.open_time_ns - 1):
            return "u"
        self._last_minutes[bar.symbol] = bar.open_time_ns
        return "b"

    def _letter_of_day(self, bar: Bar) -> str | None:
        """Tell a day while it lasts, at most once a minute, and when it is over."""
        heard_ns = bar.received_at_ns if bar.venue_time_ns is None else bar.venue_time_ns
        minute = heard_ns // MINUTE_NS
        if not bar.is_complete and self._told_days.get(bar.symbol) == minute:
            return None
        self._told_days[bar.symbol] = minute
        return "d"

    def _correction(self, event: TradeCorrection, writer: RowWriter) -> Row:
        """Write a print that is taken back; its price and size as they were streamed."""
        before = self._shared.print_of(event)
        number = trade_number(event.trade_id, event.symbol)
        row: Row = {"t": _time(event), "x": writer.exchange, "z": writer.tape}
        after = event.replacement
        if after is None:
            told: Row = {} if before is None else {"p": before.price, "s": before.size}
            return row | {"i": number, "a": "C"} | told
        corrected = trade_number(after.trade_id, event.symbol)
        row |= {"oi": number, "ci": number if corrected is None else corrected}
        if before is not None:
            row |= {"op": before.price, "os": before.size, "oc": list(before.conditions)}
        return row | {"cp": after.price, "cs": after.size, "cc": list(after.conditions)}


def _status(event: MarketStatus, writer: RowWriter) -> Row:
    codes = _STATUS_CODES[event.state]
    code, message = codes.get(writer.tape, codes[""])
    return {
        "sc": code,
        "sm": message,
        "rc": "",
        "rm": event.reason or "",
        "t": _time(event),
        "z": writer.tape,
    }


def _time(event: TradeCorrection | MarketStatus | Ticker) -> Instant:
    time_ns = event.venue_time_ns
    return Instant(event.received_at_ns if time_ns is None else time_ns)
