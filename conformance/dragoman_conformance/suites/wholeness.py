"""Everything that a subject can tell is asked for once, and looked at as a model."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final

from dragoman.capabilities import ReadFeature
from dragoman.errors import OrderRejectedError, UnsupportedError
from dragoman.models import Window
from dragoman.models.enums import Channel
from dragoman.times import HOUR_NS

from ..looks.knowledge import declared_fields, fields_file, fields_told
from ..looks.terms import beyond_means, rests, trades
from ..looks.wholeness import misshapen
from ..scenario import scenario

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from dragoman.broker import Broker
    from dragoman.models import Event

    from ..play import Play

_MOST_INSTRUMENTS: Final = 50
_MOST_ROWS: Final = 20
_LEVELS: Final = 5


@scenario("CAP-090")
async def what_is_read_is_whole(play: Play) -> None:
    """The account and its orders, and every declared read."""
    broker = await play.connect()
    found: list[object] = [await broker.fetch_account(), *await broker.fetch_accounts()]
    if rests(play.capabilities):
        order = await play.rest(client_order_id="whole-1")
        found += [order, await broker.fetch_order(order), *await broker.fetch_open_orders()]
        found.append(await broker.cancel(order))
        with contextlib.suppress(OrderRejectedError):
            await play.rest(client_order_id="whole-0", quantity=await beyond_means(play))
    if trades(play.capabilities):
        found.append(await play.take(client_order_id="whole-2"))
    await play.settle()
    found += [*await broker.fetch_positions(), *broker.state.orders, *broker.state.positions]
    found += [*play.heard, *await _read(play, broker)]
    wrong = misshapen([one for one in found if one is not None], broker.provider)
    play.check("CAP-090", not wrong, "; ".join(wrong[:3]))


@scenario(
    "CAP-090",
    when=lambda capabilities: bool(
        {Channel.QUOTES, Channel.TRADES, Channel.BARS} & capabilities.streams
    ),
)
async def what_is_streamed_is_whole(play: Play) -> None:
    """A market that moves for some minutes, on every declared channel of it."""
    broker = await play.connect()
    symbol, declared = play.symbol, play.capabilities.streams
    heard: list[Event] = []
    wanted: dict[str, Any] = {
        name: [symbol]
        for name, channel in (
            ("quotes", Channel.QUOTES),
            ("trades", Channel.TRADES),
        )
        if channel in declared
    }
    if Channel.BARS in declared:
        wanted["bars"] = [(symbol, "1m")]
    async with broker.listen(heard.append, **wanted):
        price = play.subject.sample.price
        for minute in range(3):
            tick = play.venue.instrument(symbol).tick_size or price / 1000
            await play.venue.show(
                symbol,
                bid=price - tick,
                ask=price + tick,
                size="100",
                last=price + minute * tick,
                last_size="2",
            )
            await play.pause(60)
        await play.until(lambda: heard)
    play.check("CAP-090", heard, "nothing was streamed of a market that moved")
    wrong = misshapen(heard, broker.provider)
    play.check("CAP-090", not wrong, "; ".join(wrong[:3]))


@scenario("CAP-100", fits=lambda subject: fields_file(subject) is not None)
async def every_field_that_is_known_is_told(play: Play) -> None:
    """What the subject's own list says is told is told, by the adapter alone."""
    told = await fields_told(play)
    for kind, names in sorted(declared_fields(play.subject).items()):
        missing = sorted(names - told.get(kind, set()))
        play.check("CAP-100", not missing, f"{kind}: {', '.join(missing)} told as not known")


async def _read(play: Play, broker: Broker) -> list[object]:
    """Return what every declared read tells."""
    symbol, declared = play.symbol, play.capabilities.reads
    now_ns = play.clock.now_ns()
    window = Window(start_ns=now_ns - HOUR_NS, end_ns=now_ns, limit=_MOST_ROWS)
    found: list[object] = [await broker.instrument(symbol)]
    if ReadFeature.INSTRUMENTS in declared:
        found += (await broker.load_instruments())[:_MOST_INSTRUMENTS]
    single: dict[ReadFeature, Callable[[], Awaitable[object]]] = {
        ReadFeature.QUOTES: lambda: broker.fetch_quote(symbol),
        ReadFeature.TICKERS: lambda: broker.fetch_ticker(symbol),
        ReadFeature.DEPTH: lambda: broker.fetch_depth(symbol, _LEVELS),
        ReadFeature.MARKET_STATUS: lambda: broker.fetch_market_status(symbol),
    }
    many: dict[ReadFeature, Callable[[], AsyncIterator[object]]] = {
        ReadFeature.ORDER_HISTORY: lambda: broker.fetch_orders(window),
        ReadFeature.FILLS: lambda: broker.fetch_fills(window),
        ReadFeature.LEDGER: lambda: broker.fetch_ledger(window),
        ReadFeature.BARS: lambda: broker.fetch_bars(symbol, "1m", window),
        ReadFeature.TRADES: lambda: broker.fetch_trades(symbol, window),
        ReadFeature.QUOTE_HISTORY: lambda: broker.fetch_quote_history(symbol, window),
    }
    if ReadFeature.HOURS in declared:
        found += await broker.fetch_hours(symbol, window)
    for feature in sorted(declared):
        # What is declared need not be there for every kind of instrument.
        with contextlib.suppress(UnsupportedError):
            if feature in single:
                found.append(await single[feature]())
            if feature in many:
                found += [one async for one in many[feature]()]
    return found
