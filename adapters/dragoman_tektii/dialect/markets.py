"""Which market data is asked for upstream: what entries name, and what clients wish besides.

Each symbol of an entry is asked for by itself, so that one the broker refuses spoils no other; a
client's wish is taken as a whole or refused.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from dragoman.adapter import Environment
from dragoman.errors import DragomanError, VenueUnavailableError
from dragoman.models import Channel, Subscription

from .subscriptions import ANY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dragoman.streaming.stream import EventStream

    from .desks import Desk
    from .filtering import Filter
    from .wishes import Wish

__all__ = ["Markets"]

_SHOWN: Final = {"AAPL": "AAPL", "MSFT": "MSFT", "BTC/USD": "BTCUSD", "EUR/USD": "EURUSD"}
"""What a simulated broker streams where no entry says otherwise, and how it is spelled then."""
_MOST_SHOWN: Final = 4
_USUAL_TIMEFRAME: Final = "1m"
_OPENING_S: Final = 10.0

_log: Final = logging.getLogger(__name__)


class Markets:
    """The market data of one account's feed.

    Args:
        desk: The account.
        filtering: Learns which symbols the entries mean.
    """

    def __init__(self, desk: Desk, filtering: Filter) -> None:
        self._desk = desk
        self._filter = filtering
        self._quotes: frozenset[str] = frozenset()
        self._bars: frozenset[tuple[str, str]] = frozenset()
        self._wishes: dict[object, Wish] = {}
        self._stream: EventStream | None = None
        self._is_open = asyncio.Event()
        self._changing = asyncio.Lock()

    @property
    def symbols(self) -> frozenset[str]:
        """The symbols of which anything is asked for."""
        quotes, bars = self._wanted()
        return quotes | {symbol for symbol, _ in bars}

    async def open(self, stream: EventStream) -> None:
        """Ask a new stream for all that is wanted; what is refused is logged."""
        self._quotes, self._bars = await self._named()
        async with self._changing:
            quotes, bars = self._wanted()
            for one in [*self._each(quotes), *[Subscription(bars=[bar]) for bar in sorted(bars)]]:
                try:
                    await stream.subscribe(one)
                except DragomanError as error:
                    facts = {"platform": self._desk.platform, "cause": error.message}
                    _log.warning("a subscription was refused", extra=facts)
            self._stream = stream
            self._is_open.set()

    def lost(self) -> None:
        """Know that the stream has ended."""
        self._stream = None
        self._is_open.clear()

    async def wish(self, client: object, wish: Wish) -> None:
        """Ask for what a client wishes, and no more for what nobody wishes any more.

        Raises:
            DragomanError: The broker refuses something of it; the client's wish stays as it was.
        """
        try:
            async with asyncio.timeout(_OPENING_S):
                await self._is_open.wait()
        except TimeoutError:
            raise VenueUnavailableError("the broker is not connected now") from None
        async with self._changing:
            stream = self._stream
            if stream is None:
                raise VenueUnavailableError("the broker is not connected now")
            before = self._subscription()
            wished = self._subscription_of(wish.quotes, wish.candles)
            await stream.subscribe(wished)
            self._wishes[client] = wish
            await self._drop(stream, before | wished)

    async def forget(self, client: object) -> None:
        """Ask no more for what only that client wished."""
        async with self._changing:
            before = self._subscription()
            if self._wishes.pop(client, None) is not None and self._stream is not None:
                await self._drop(self._stream, before)

    async def _drop(self, stream: EventStream, asked: Subscription) -> None:
        idle = asked - self._subscription()
        if not idle.is_empty:
            await stream.unsubscribe(idle)

    def _subscription(self) -> Subscription:
        return self._subscription_of(*self._wanted())

    def _subscription_of(
        self, quotes: Iterable[str], bars: Iterable[tuple[str, str]]
    ) -> Subscription:
        quotes = frozenset(quotes)
        streams = self._desk.broker.capabilities.streams
        has_tickers = Channel.TICKERS in streams
        has_trades = Channel.TRADES in streams and not has_tickers
        return Subscription(
            quotes=quotes,
            tickers=quotes if has_tickers else (),
            trades=quotes if has_trades else (),
            bars=bars,
        )

    def _each(self, quotes: Iterable[str]) -> list[Subscription]:
        """Return what is asked for a quote with its last price, symbol by symbol."""
        asked = [self._subscription_of([one], ()) for one in sorted(quotes)]
        plain = [Subscription(quotes=one.quotes) for one in asked]
        beside = [Subscription(tickers=one.tickers, trades=one.trades) for one in asked]
        return plain + [one for one in beside if not one.is_empty]

    def _wanted(self) -> tuple[frozenset[str], frozenset[tuple[str, str]]]:
        wishes = self._wishes.values()
        quotes = self._quotes.union(*[one.quotes for one in wishes])
        return quotes, self._bars.union(*[one.candles for one in wishes])

    async def _named(self) -> tuple[frozenset[str], frozenset[tuple[str, str]]]:
        """Return the symbols whose quotes entries ask for, and the bars, with their timeframes."""
        entries = self._desk.entries
        if not entries:
            shown = await self._shown()
            for symbol in shown & set(_SHOWN):
                self._desk.naming.stream(_SHOWN[symbol], symbol)
            return shown, frozenset((symbol, _USUAL_TIMEFRAME) for symbol in shown)
        named = {one.instrument for one in entries} - {ANY}
        symbols = {one: await self._symbol(one) for one in sorted(named)}
        everything = frozenset(symbols.values())
        if any(one.instrument == ANY for one in entries):
            everything |= await self._shown()
        quotes: set[str] = set()
        bars: set[tuple[str, str]] = set()
        for entry in entries:
            meant = everything if entry.instrument == ANY else {symbols[entry.instrument]}
            if entry.wants_quotes:
                quotes |= meant
            bars |= {(symbol, frame) for symbol in meant for frame in entry.timeframes}
        return frozenset(quotes), frozenset(bars)

    async def _symbol(self, instrument: str) -> str:
        try:
            symbol = await self._desk.symbol_of(instrument, is_kept=True)
        except DragomanError as error:
            facts = {"instrument": instrument, "cause": error.message}
            _log.warning("a subscription names what is not listed", extra=facts)
            return instrument
        self._filter.learn(instrument, symbol)
        self._desk.naming.stream(instrument, symbol)
        return symbol

    async def _shown(self) -> frozenset[str]:
        """Return a few instruments of a simulated broker; none of any other."""
        if self._desk.broker.environment is not Environment.SIMULATED:
            return frozenset()
        try:
            listed = [one.symbol for one in await self._desk.broker.load_instruments()]
        except DragomanError:
            return frozenset()
        usual = [one for one in _SHOWN if one in listed]
        return frozenset(usual or listed[:_MOST_SHOWN])
