"""One account's events for all clients of its stream: one upstream stream, read once.

Private events are asked for whether or not an entry names them; entries only keep back.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.adapter import Environment
from dragoman.errors import DragomanError, LifecycleError
from dragoman.models import (
    AccountEvent,
    Alarm,
    Bar,
    ConnectionEvent,
    ConnectionState,
    LedgerEvent,
    OrderEvent,
    PositionEvent,
    ProtectionEvent,
    Quote,
    RateLimit,
    Staleness,
    StalenessState,
    Ticker,
    Trade,
)
from dragoman.times import MILLISECOND_NS, SECOND_NS

from .audience import Audience, News
from .filtering import Filter
from .groups import Groups
from .markets import Markets
from .messages import message, staleness
from .rows import bar_row, quote_row
from .silence import Silence
from .subscriptions import Topic
from .telling import Telling

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from decimal import Decimal

    from dragoman.models import Event, PrivateEvent
    from dragoman.streaming.stream import EventStream

    from .audience import Client
    from .desks import Desk
    from .wishes import Wish

__all__ = ["Feed"]

_PRIVATE: Final = (OrderEvent, PositionEvent, AccountEvent, LedgerEvent, ProtectionEvent)
_FIRST_PAUSE_NS: Final = SECOND_NS
_LONGEST_PAUSE_NS: Final = 30 * SECOND_NS
_BUFFER: Final = 20_000
_PACED: Final = "tektii"
"""The protocol whose sources number their events only if they wait for them to be worked on."""
_LONGEST_WAIT_S: Final = 60.0
_LOST: Final = frozenset({ConnectionState.DISCONNECTED, ConnectionState.RECONNECTING})
_BACK: Final = frozenset({ConnectionState.CONNECTED, ConnectionState.RECONNECTED})
_NORMAL: Final = 1000
_GOING_AWAY: Final = 1001
_ENDED: Final = "the source has ended"
_QUOTE: Final = Topic("quote")

_log: Final = logging.getLogger(__name__)


class Feed:
    """Reads what the broker tells, and says it to the clients.

    Args:
        desk: The account.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.audience: Audience = Audience()
        self._filter = Filter(desk.entries)
        self._markets = Markets(desk, self._filter)
        self._telling = Telling(desk)
        self._groups = Groups(desk)
        self._silence = Silence(desk.broker)
        self._lost: dict[str, int] = {}
        self._last: dict[str, Decimal] = {}
        self._quotes: dict[str, dict[str, object]] = {}
        self._is_over = False
        self._is_paced = False
        self._paced_count = 0
        desk.on_throttled = self._throttled

    @property
    def is_over(self) -> bool:
        """Whether the source has come to its end, as a backtest does."""
        return self._is_over

    def greeting(self) -> Iterator[dict[str, object]]:
        """Yield what a client is told first: that it is connected, and what is stale."""
        now_ns = self._desk.now_ns()
        platform = self._desk.platform
        yield message("connection", now_ns, event="CONNECTED", broker=platform)
        stale = self._desk.stale
        if stale:
            since_ns = min(stale.values())
            yield staleness("STALE", self._desk.stale_symbols, now_ns, since_ns, platform)

    async def run(self) -> None:
        """Read until the host closes, or the source has ended."""
        pause_ns = _FIRST_PAUSE_NS
        while True:
            try:
                await self._read()
                pause_ns = _FIRST_PAUSE_NS
            except DragomanError as error:
                facts = {"platform": self._desk.platform, "cause": error.message}
                _log.warning("the feed was lost, it is opened again", extra=facts)
            finally:
                self._markets.lost()
            if self.is_over:
                return
            await self._desk.host.clock.sleep_ns(pause_ns)
            pause_ns = min(2 * pause_ns, _LONGEST_PAUSE_NS)

    async def _read(self) -> None:
        async with self._stream() as stream:
            opening = self._desk.host.scope.spawn(
                self._markets.open(stream), f"market data of {self._desk.platform}"
            )
            try:
                async for event in stream:
                    self._take(event)
                    if self._is_over:
                        return
                    if self._is_paced:
                        await self._worked_on()
            finally:
                opening.cancel()

    def _stream(self) -> EventStream:
        broker = self._desk.broker
        try:
            return broker.stream(
                orders=True, positions=True, account=True, ledger=True, buffer=_BUFFER
            )
        except LifecycleError:  # a connection that only reads has no news of the account
            return broker.stream(buffer=_BUFFER)

    async def _worked_on(self) -> None:
        """Wait until clients have worked on what they were told, as a paced source wants it."""
        if not self.audience:
            return
        try:
            async with asyncio.timeout(_LONGEST_WAIT_S):
                await self.audience.released()
        except TimeoutError:
            _log.warning("no client acknowledged", extra={"platform": self._desk.platform})

    async def wish(self, client: Client, wish: Wish, number: int) -> None:
        """Let a client have what it wishes, and tell it so; then the quotes that hold now.

        Raises:
            DragomanError: The broker refuses something of it; the client's wish stays as it was.
        """
        await self._markets.wish(client, wish)
        client.wish = wish
        client.say(message("subscribed", self._desk.now_ns(), id=number))
        for symbol in sorted(wish.quotes & set(self._quotes)):
            client.say(self._quotes[symbol])

    async def leave(self, client: Client) -> None:
        """Let a client go, and with it what only it wanted."""
        self.audience.leave(client)
        if client.wish is not None:
            await self._markets.forget(client)

    def _take(self, event: Event) -> None:
        if isinstance(event, _PRIVATE):
            self._private(event)
        elif isinstance(event, Quote):
            self._quote(event)
        elif isinstance(event, Bar):
            self._bar(event)
        elif isinstance(event, Ticker):
            if event.last_price is not None:
                self._last[event.symbol] = event.last_price
        elif isinstance(event, Trade):
            self._last[event.symbol] = event.price
        else:
            self._session(event)

    def _private(self, event: PrivateEvent) -> None:
        if isinstance(event, OrderEvent):
            self._groups.take(event.order)
        news = [self._filtered(one) for one in self._telling.private(event)]
        event_id = event.event_id
        if event_id is None or self._desk.broker.capabilities.protocol != _PACED:
            for one in news:
                self.audience.say(one)
            return
        self._is_paced = True
        # What a source paces passes every filter, or nobody could tell it to go on. Of several
        # messages for one event the last carries its id: all are told then.
        for number, one in enumerate(news, start=1):
            told = attrs.evolve(one, topic=None)
            self.audience.say(told, event_id if number == len(news) else None)

    def _filtered(self, news: News) -> News:
        is_usual = self._filter.admits(news.topic, news.symbol)
        return news if is_usual else attrs.evolve(news, is_usual=False)

    def _quote(self, quote: Quote) -> None:
        self._fresh(quote.symbol)
        symbol = self._desk.naming.streamed(quote.symbol)
        row = quote_row(quote, symbol, last=self._last.get(quote.symbol))
        if row is None:
            return
        told = message("quote", self._desk.now_ns(quote.received_at_ns), quote=row)
        self._quotes[quote.symbol] = told
        self._say_market(News(told, _QUOTE, quote.symbol))

    def _bar(self, bar: Bar) -> None:
        self._fresh(bar.symbol)
        if not self.audience:
            return
        row = bar_row(bar, self._desk.naming.streamed(bar.symbol))
        told = message("candle", self._desk.now_ns(bar.received_at_ns), bar=row)
        # Of a simulated broker bars are shown while they form, so that there is something to see.
        is_shown = bar.is_complete or self._desk.broker.environment is Environment.SIMULATED
        topic = Topic("candle", str(bar.timeframe))
        self._say_market(News(told, topic, bar.symbol, is_shown, bar.is_complete))

    def _say_market(self, news: News) -> None:
        if news.is_usual:
            news = self._filtered(news)
        if not self._is_paced:
            self.audience.say(news)
            return
        self._paced_count += 1
        self.audience.say(attrs.evolve(news, topic=None), f"market-{self._paced_count}")

    def _session(self, event: Event) -> None:
        told: News | None = None
        if isinstance(event, ConnectionEvent):
            self._connection(event)
        elif isinstance(event, Staleness):
            self._staleness(event)
        elif isinstance(event, RateLimit):
            told = self._telling.limit(event)
        elif isinstance(event, Alarm):
            told = self._telling.alarm(event)
        if told is not None:
            self.audience.say(told)

    def _connection(self, event: ConnectionEvent) -> None:
        was_lost = bool(self._lost)
        if event.state in _LOST:
            if event.state is ConnectionState.RECONNECTING:
                self._count("gateway_broker_reconnect_attempts_total")
            self._lost.setdefault(event.channel, event.received_at_ns)
            if not was_lost:
                self._count("gateway_broker_disconnections_total")
                self._tell("BROKER_DISCONNECTED", event)
                self._stale(self._markets.symbols, event.received_at_ns)
        elif event.state in _BACK:
            since_ns = self._lost.pop(event.channel, None)
            if since_ns is not None and not self._lost:
                self._count("gateway_broker_reconnections_total")
                gap_ns = event.gap_ns or event.received_at_ns - since_ns
                self._tell("BROKER_RECONNECTED", event, max(gap_ns, 0) // MILLISECOND_NS)
        elif event.state is ConnectionState.FAILED:
            self._count("gateway_broker_reconnect_failures_total")
            self._lost.pop(event.channel, None)
            self._tell("BROKER_CONNECTION_FAILED", event)
            self._stale(self._markets.symbols, event.received_at_ns)
        elif event.state is ConnectionState.ENDED:
            self._end()

    def _tell(self, word: str, event: ConnectionEvent, gap_ms: int | None = None) -> None:
        told = message(
            "connection",
            self._desk.now_ns(),
            event=word,
            error=None if word == "BROKER_RECONNECTED" else event.cause,
            broker=self._desk.platform,
            gap_duration_ms=gap_ms,
        )
        self.audience.tell(told)

    def _end(self) -> None:
        """Tell that the source has ended, as a backtest does, and let everybody go."""
        self._is_over = True
        self._count("gateway_backtest_completions_total")
        self.audience.tell(self._complete())
        self.audience.end(_NORMAL, _ENDED)

    def turn_away(self, client: Client) -> None:
        """Tell a client that came after the source's end, and let it go."""
        client.say(self._complete())
        client.socket.end(_NORMAL, _ENDED)

    def _complete(self) -> dict[str, object]:
        return message("backtest_complete", self._desk.now_ns(), broker=self._desk.platform)

    def _count(self, name: str) -> None:
        self._desk.metrics.count(name, platform=self._desk.platform)

    def _staleness(self, event: Staleness) -> None:
        symbols = self._markets.symbols.intersection(event.symbols)
        if event.state is StalenessState.STALE:
            self._stale(symbols, event.since_ns)
        else:
            for symbol in sorted(symbols):
                self._fresh(symbol)

    def _stale(self, symbols: Iterable[str], since_ns: int) -> None:
        new = sorted(set(symbols) - set(self._desk.stale))
        if not new:
            return
        self._desk.stale.update(dict.fromkeys(new, since_ns))
        self._quotes = {one: told for one, told in self._quotes.items() if one not in new}
        shown = [self._desk.naming.streamed(one) for one in new]
        now_ns = self._desk.now_ns()
        self.audience.tell(staleness("STALE", shown, now_ns, since_ns, self._desk.platform))

    async def check_silence(self) -> None:
        """Tell which symbols have gone silent although the connection stands."""
        if self._lost or self._is_paced:
            return
        watched = self._markets.symbols - set(self._desk.stale)
        broken = await self._silence.broken(watched, self._desk.now_ns())
        for symbol, since_ns in broken.items():
            self._stale([symbol], since_ns)

    def _fresh(self, symbol: str) -> None:
        self._silence.heard(symbol, self._desk.host.clock.now_ns())
        since_ns = self._desk.stale.pop(symbol, None)
        if since_ns is not None:
            shown = [self._desk.naming.streamed(symbol)]
            now_ns = self._desk.now_ns()
            self.audience.tell(staleness("FRESH", shown, now_ns, since_ns, self._desk.platform))

    def _throttled(self, error: DragomanError) -> None:
        now_ns = self._desk.now_ns()
        wait_s = 1.0 if error.retry_after is None else error.retry_after
        resets_at_ns = now_ns + round(wait_s * SECOND_NS)
        self.audience.say(self._telling.limited(0, resets_at_ns))

    def ping(self) -> None:
        """Tell every client that the server lives."""
        self.audience.tell(message("ping", self._desk.now_ns()))

    def announce_end(self) -> None:
        """Tell every client that the server goes away."""
        facts = {"event": "DISCONNECTING", "broker": self._desk.platform}
        self.audience.tell(message("connection", self._desk.now_ns(), **facts))

    def close(self) -> None:
        """Let every client go."""
        self.audience.end(_GOING_AWAY, "Gateway shutting down")
