"""One stream of a connection: what its subscription wants, queued until it is read.

The queue is bounded. When a reader falls behind, market data is dropped and the loss told by exact
counts (`Gap`); events of the account are kept, and when even they are too many the stream ends with
`StreamLostError`, because silence would be a lie.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from typing import TYPE_CHECKING, Any, Final

from dragoman.errors import StreamLostError
from dragoman.models import (
    AccountEvent,
    Bar,
    Channel,
    ConnectionEvent,
    ConnectionState,
    Depth,
    Gap,
    LedgerEvent,
    MarketStatus,
    OrderEvent,
    PositionEvent,
    ProtectionEvent,
    Quote,
    Ticker,
    Trade,
    TradeCorrection,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dragoman.models import Event, Subscription
    from dragoman.times import Clock

__all__ = ["CHANNEL", "MockStream"]

CHANNEL: Final = "stream"
"""What connection events call a stream."""

_MOST_MARKET: Final = 10_000
_MOST: Final = 100_000
_PRIVATE: Final[Mapping[type[Any], Channel]] = {
    OrderEvent: Channel.ORDERS,
    ProtectionEvent: Channel.ORDERS,
    PositionEvent: Channel.POSITIONS,
    AccountEvent: Channel.ACCOUNT,
    LedgerEvent: Channel.LEDGER,
}
_MARKET: Final[Mapping[type[Any], Channel]] = {
    Quote: Channel.QUOTES,
    Trade: Channel.TRADES,
    TradeCorrection: Channel.TRADES,
    Bar: Channel.BARS,
    Depth: Channel.DEPTH,
    Ticker: Channel.TICKERS,
    MarketStatus: Channel.MARKET_STATUS,
}


class MockStream:
    """The reader's end of a subscription.

    Args:
        subscription: What it wants.
        account_id: Whose private events; None: those of every account.
        clock: Stamps what the stream says about itself.
    """

    def __init__(self, subscription: Subscription, account_id: str | None, clock: Clock) -> None:
        self.subscription = subscription
        self._account_id = account_id
        self._clock = clock
        self._channels = subscription.channels
        self._symbols = {
            kind: frozenset[object](getattr(subscription, channel.lower()))
            for kind, channel in _MARKET.items()
        }
        self._queue: deque[Event] = deque()
        self._lost: Counter[tuple[Channel, str | None]] = Counter()
        self._news = asyncio.Event()
        self._failure: StreamLostError | None = None
        self._has_ended = False
        self._queue.append(self.connection_event(ConnectionState.CONNECTED))
        self._news.set()

    def wants(self, event: Event) -> bool:
        """Tell whether an event is for this stream."""
        channel = _PRIVATE.get(type(event))
        if channel is not None:
            is_mine = self._account_id in (None, getattr(event, "account_id", None))
            return is_mine and channel in self._channels
        if isinstance(event, Gap):
            return event.channel in self._channels
        symbols = self._symbols.get(type(event))
        if symbols is None:
            return True
        if isinstance(event, Bar):
            return (event.symbol, event.timeframe) in symbols
        symbol: str | None = getattr(event, "symbol", None)
        return symbol in symbols or (symbol is None and bool(symbols))

    def offer(self, events: Iterable[Event]) -> None:
        """Queue events in order."""
        if self._failure is not None or self._has_ended:
            return
        for event in events:
            channel = _MARKET.get(type(event))
            if channel is not None and len(self._queue) >= _MOST_MARKET:
                self._lost[channel, getattr(event, "symbol", None)] += 1
            else:
                self._queue.append(event)
        if len(self._queue) >= _MOST:
            self.fail(f"the reader is {_MOST} events behind")
        if self._queue:
            self._news.set()

    def fail(self, cause: str) -> None:
        """End the stream with an error, after what is queued."""
        if self._failure is None and not self._has_ended:
            self._queue.append(self.connection_event(ConnectionState.FAILED, cause))
            self._failure = StreamLostError(f"the mock stream failed: {cause}", provider="mock")
            self._news.set()

    def end(self) -> None:
        """End the stream, after what is queued and a word that it has ended."""
        if self._failure is None and not self._has_ended:
            self._queue.append(self.connection_event(ConnectionState.ENDED, "the adapter closed"))
            self._has_ended = True
            self._news.set()

    def connection_event(
        self, state: ConnectionState, cause: str | None = None, gap_ns: int | None = None
    ) -> ConnectionEvent:
        """Return what the stream says about its connection, at this instant."""
        return ConnectionEvent(
            state=state,
            channel=CHANNEL,
            received_at_ns=self._clock.now_ns(),
            cause=cause,
            gap_ns=gap_ns,
        )

    def __aiter__(self) -> MockStream:
        return self

    async def __anext__(self) -> tuple[Event, ...]:
        """Return everything that is queued, waiting until there is something."""
        await self._news.wait()
        if not self._queue:
            raise self._failure or StopAsyncIteration
        batch = (*self._queue, *self._gaps())
        self._queue.clear()
        if self._failure is None and not self._has_ended:
            self._news.clear()
        return batch

    def _gaps(self) -> list[Gap]:
        now_ns = self._clock.now_ns()
        gaps = [
            Gap(channel=channel, symbol=symbol, lost=count, received_at_ns=now_ns)
            for (channel, symbol), count in self._lost.items()
        ]
        self._lost.clear()
        return gaps
