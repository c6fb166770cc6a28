"""Alpaca's streams, behind one door: each is opened once, however many readers it has."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

from dragoman.streaming.joined import joined_stream
from dragoman.streaming.shared import SharedStream
from dragoman.transport.urls import build_url, fill_path
from dragoman_alpaca.spec import CRYPTO_DATA_PATH, STOCK_DATA_PATH, TRADE_UPDATES_PATH

from .data import MarketDataProtocol
from .plan import plan_of
from .trading import TradeUpdatesProtocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence

    from dragoman.adapter import AdapterContext
    from dragoman.models.events import Event
    from dragoman.models.subscription import Subscription
    from dragoman.transport.base import Transport
    from dragoman_alpaca.mapping.reading import Reading

__all__ = ["AlpacaStreams"]

_FEED: Final = "iex"
_CRYPTO_FEED: Final = "us"


class AlpacaStreams:
    """All streams of one session. Alpaca allows one connection of each kind for a key.

    Args:
        context: Gives addresses, options, the key and the clock.
        transport: What opens connections; it stays open.
        reading: What rows are read with, as it is known now.
        kind_of: Alpaca's asset class of a symbol, None where it is not known.
    """

    def __init__(
        self,
        context: AdapterContext,
        transport: Transport,
        *,
        reading: Callable[[], Reading],
        kind_of: Callable[[str], str | None],
    ) -> None:
        self._kind_of = kind_of
        shared = partial(SharedStream[str | bytes], context=context, transport=transport)
        options = context.options

        def address(role: str, path: str, **values: object) -> str:
            filled = fill_path(path, {name: str(value) for name, value in values.items()})
            return build_url(context.endpoints[role], filled)

        def updates() -> TradeUpdatesProtocol:
            url = address("stream", TRADE_UPDATES_PATH)
            return TradeUpdatesProtocol(context, url=url, reading=reading)

        def stocks() -> MarketDataProtocol:
            url = address("data_stream", STOCK_DATA_PATH, feed=options.get("feed", _FEED))
            return MarketDataProtocol(context, url=url, kind="us_equity")

        def crypto() -> MarketDataProtocol:
            feed = options.get("crypto_feed", _CRYPTO_FEED)
            url = address("data_stream", CRYPTO_DATA_PATH, crypto_feed=feed)
            return MarketDataProtocol(context, url=url, kind="crypto")

        self._private = shared(updates)
        self._stocks = shared(stocks)
        self._crypto = shared(crypto)

    @asynccontextmanager
    async def open(
        self, subscription: Subscription
    ) -> AsyncGenerator[AsyncIterator[Sequence[Event]]]:
        """Read what a subscription asks for; entered means that Alpaca confirmed all of it.

        Raises:
            UnsupportedError: No stream carries some of it; nothing was sent.
            AuthenticationError: Alpaca does not accept the key.
            PermissionDeniedError: The plan does not allow the feed, or so many symbols.
            ConflictError: Another session holds the only place; `retry_after` says when it must be
                free.
            DragomanError: What else `SharedStream.read` raises.
        """
        plan = plan_of(subscription, self._kind_of)
        parts = (
            (self._private, plan.private),
            (self._stocks, plan.stocks),
            (self._crypto, plan.crypto),
        )
        wanted = [stream.read(part) for stream, part in parts if not part.is_empty]
        async with wanted[0] if len(wanted) == 1 else joined_stream(wanted) as batches:
            yield batches

    async def aclose(self) -> None:
        """End every stream. Idempotent; raises nothing."""
        for stream in (self._private, self._stocks, self._crypto):
            await stream.aclose()
