"""Where the events of a data stream come from: a broker, or the test feed's made-up stock.

The test feed shows one stock that trades every second of every day, so that clients can be tried
while markets are closed. What it shows follows from the time alone: each client sees the same.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, Protocol

from dragoman.errors import AmbiguousInstrumentError, StreamLostError, UnknownInstrumentError
from dragoman.models import (
    Bar,
    Channel,
    ConnectionEvent,
    ConnectionState,
    Quote,
    Side,
    Subscription,
    Trade,
)
from dragoman.times import MINUTE_NS, SECOND_NS

from .market_messages import STAR, SubscriptionError
from .market_rows import STOCK, RowWriter
from .market_view import MINUTELY

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from dragoman.broker import Broker
    from dragoman.models import Event
    from dragoman.streaming import EventStream
    from dragoman.times import Clock

    from .assets import AssetBook
    from .market_messages import Feed, Wanted

__all__ = ["BrokerSource", "SampleSource", "Source"]

_BATCH: Final = 256
_SAMPLE: Final = "FAKEPACA"
_BASE: Final = 13_400
_CENT: Final = Decimal("0.01")
_SAMPLE_CHANNELS: Final = frozenset({Channel.TRADES, Channel.QUOTES, Channel.BARS})
_OVER: Final = frozenset({ConnectionState.FAILED, ConnectionState.ENDED})


class Source(Protocol):
    """What a session reads from."""

    @property
    def offered(self) -> frozenset[Channel]:
        """What can be subscribed to."""
        ...

    @property
    def has_lost(self) -> bool:
        """Whether the session was too slow, so that events were left out."""
        ...

    async def want(self, wanted: Wanted) -> None:
        """Let exactly this be told from now on; returns when it is.

        Raises:
            SubscriptionError: It is too much.
            DragomanError: It can't be; what was told before goes on.
        """
        ...

    def batches(self) -> AsyncIterator[Sequence[Event]]:
        """Yield what happens; ends, or raises `DragomanError`, when nothing more will come."""
        ...

    def writer_of(self, symbol: str) -> RowWriter | None:
        """Return the writer of a symbol's rows; None for one that is not of the feed."""
        ...


class BrokerSource:
    """A broker's market, as far as it is of the feed's asset class.

    Args:
        broker: Whose market it is.
        book: Its assets.
        feed: What is shown.
        stream: The broker's stream, entered, of nothing yet.
        limit: How many symbols a star may stand for.
    """

    def __init__(
        self, broker: Broker, book: AssetBook, feed: Feed, stream: EventStream, *, limit: int
    ) -> None:
        self._broker = broker
        self._book = book
        self._feed = feed
        self._stream = stream
        self._limit = limit
        self._asked = Subscription()
        self._writers: dict[str, RowWriter] = {}

    @property
    def offered(self) -> frozenset[Channel]:
        """What the broker streams."""
        return self._broker.capabilities.streams

    @property
    def has_lost(self) -> bool:
        """Whether events were left out."""
        return bool(self._stream.lost)

    async def want(self, wanted: Wanted) -> None:
        """Subscribe to what is new, and unsubscribe from what is gone.

        A symbol that is not listed is taken, as the venue takes it: it may be, later on.
        """
        asked = wanted.subscription(await self._listed(wanted))
        more = asked - self._asked
        if not more.is_empty:
            await self._stream.subscribe(more)
        less = self._asked - asked
        self._asked = asked
        if not less.is_empty:
            await self._stream.unsubscribe(less)

    async def batches(self) -> AsyncIterator[Sequence[Event]]:
        """Yield the broker's events; a topic that ended upstream is the end of all."""
        async for batch in self._stream.batches(_BATCH):
            yield batch
            ended = [one for one in batch if isinstance(one, ConnectionEvent)]
            if any(one.state in _OVER for one in ended) and self._has_ended_topics:
                raise StreamLostError(f"{self._broker.provider} streams a topic no more")

    def writer_of(self, symbol: str) -> RowWriter | None:
        """Return the writer of a symbol's rows."""
        writer = self._writers.get(symbol)
        if writer is None:
            asset = self._book.known(symbol)
            if asset is None or asset.asset_class != self._feed.asset_class:
                return None
            writer = self._writers[symbol] = RowWriter.of(asset.instrument, asset.asset_class)
        return writer

    @property
    def _has_ended_topics(self) -> bool:
        return not (self._asked - self._stream.subscription).is_empty

    async def _listed(self, wanted: Wanted) -> list[str]:
        """Return the symbols that are of the feed, of those that are wanted."""
        named = sorted({symbol for symbols in wanted.symbols.values() for symbol in symbols})
        if STAR in named:
            assets = await self._book.listed()
            found = [one.symbol for one in assets if one.asset_class == self._feed.asset_class]
            if len(found) > self._limit:
                raise SubscriptionError(405)
            return found
        return [symbol for symbol in named if await self._is_listed(symbol)]

    async def _is_listed(self, symbol: str) -> bool:
        try:
            asset = await self._book.find(symbol)
        except (UnknownInstrumentError, AmbiguousInstrumentError):
            return False
        return asset.symbol == symbol and asset.asset_class == self._feed.asset_class


class SampleSource:
    """The test feed: a quote and a print each second, a bar each minute."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._writer = RowWriter(STOCK, "N", "A")

    @property
    def offered(self) -> frozenset[Channel]:
        """What the made-up stock has."""
        return _SAMPLE_CHANNELS

    @property
    def has_lost(self) -> bool:
        """Nothing waits here, so nothing is lost."""
        return False

    async def want(self, wanted: Wanted) -> None:
        """Do nothing: all of it is told, and what is not wanted is left out."""

    async def batches(self) -> AsyncIterator[Sequence[Event]]:
        """Yield each second's events, for ever."""
        while True:
            second = self._clock.now_ns() // SECOND_NS + 1
            await self._clock.sleep_until_ns(second * SECOND_NS)
            yield sample_events(second)

    def writer_of(self, symbol: str) -> RowWriter | None:
        """Return the writer of the one symbol there is."""
        return self._writer if symbol == _SAMPLE else None


def sample_events(second: int) -> tuple[Event, ...]:
    """Return what the test feed tells at a second since 1970."""
    time_ns = second * SECOND_NS
    price = _sample_price(second)
    quote = Quote(
        symbol=_SAMPLE,
        provider="test",
        bid_price=price - _CENT,
        bid_size=Decimal(100 + second % 7 * 100),
        ask_price=price + _CENT,
        ask_size=Decimal(100 + second % 5 * 100),
        received_at_ns=time_ns,
        venue_time_ns=time_ns,
    )
    trade = Trade(
        symbol=_SAMPLE,
        provider="test",
        price=price,
        size=Decimal(1 + second % 9),
        trade_id=str(second),
        aggressor=Side.BUY if second % 2 else Side.SELL,
        received_at_ns=time_ns,
        venue_time_ns=time_ns,
    )
    return (quote, trade) if second % 60 else (quote, trade, _sample_bar(second))


def _sample_price(second: int) -> Decimal:
    """Return a price that goes up and down within a dollar."""
    return (_BASE + abs(second * 37 % 200 - 100)) * _CENT


def _sample_bar(end: int) -> Bar:
    """Return the bar of the minute before a second."""
    seconds = range(end - 60, end)
    prices = [_sample_price(second) for second in seconds]
    sizes = [Decimal(1 + second % 9) for second in seconds]
    turnover = sum((price * size for price, size in zip(prices, sizes, strict=True)), Decimal(0))
    volume = sum(sizes, Decimal(0))
    return Bar(
        symbol=_SAMPLE,
        provider="test",
        timeframe=MINUTELY,
        open_time_ns=end * SECOND_NS - MINUTE_NS,
        open=prices[0],
        high=max(prices),
        low=min(prices),
        close=prices[-1],
        is_complete=True,
        volume=volume,
        vwap=round(turnover / volume, 6),
        trade_count=len(prices),
        received_at_ns=end * SECOND_NS,
        venue_time_ns=end * SECOND_NS,
    )
