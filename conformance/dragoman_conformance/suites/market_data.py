"""Market data: typed, exact, dated by the venue, and nothing that the venue did not say."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from dragoman.capabilities import ReadFeature
from dragoman.errors import UnsupportedError
from dragoman.models import (
    Bar,
    Channel,
    Quote,
    Side,
    Timeframe,
    Trade,
    TradingState,
    Window,
)
from dragoman.times import DAY_NS, MILLISECOND_NS, MINUTE_NS, SECOND_NS

from ..looks.market import Shown, hearing, one_frame, same_instant
from ..scenario import Need, scenario

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.capabilities import Capabilities
    from dragoman.models import Depth, Event

    from ..play import Play

_VENUE: Final = (Need.VENUE,)
_SOON_S: Final = 8.0
_PRINTS: Final = 45
_LONGER: Final = "5m"
_TICK: Final = Decimal("0.01")


def _reads(*features: ReadFeature) -> Callable[[Capabilities], bool]:
    return lambda capabilities: set(features) <= capabilities.reads


def _streams(channel: Channel) -> Callable[[Capabilities], bool]:
    return lambda capabilities: channel in capabilities.streams


def _tick(play: Play) -> Decimal:
    return play.venue.instrument(play.symbol).tick_size or _TICK


def _markets(play: Play) -> dict[str, Shown]:
    """Return markets to show: as usual, of one side only, of nobody, crossed, and usual again."""
    price, tick = play.subject.sample.price, _tick(play)
    size = play.subject.sample.quantity * 3
    return {
        "usual": Shown(price - tick, price + tick, size),
        "wide": Shown(price - 7 * tick, price + 11 * tick, size + size / 3),
        "without sellers": Shown(price, None, size),
        "without buyers": Shown(None, price, size),
        "crossed": Shown(price + 2 * tick, price, size),
        "usual again": Shown(price + tick, price + 3 * tick, size * 2),
    }


async def _show(play: Play, market: Shown) -> int:
    """Show a market; returns when, in UTC nanoseconds."""
    at_ns = play.clock.now_ns() + MILLISECOND_NS
    size = market.size or Decimal(1)
    await play.venue.show(play.symbol, bid=market.bid, ask=market.ask, size=size)
    return at_ns


@scenario("MKT-010", "MKT-020", when=_streams(Channel.QUOTES), needs=_VENUE)
async def quotes_are_streamed_as_they_stand(play: Play) -> None:
    """Markets of two sides, one and none: each is streamed as it stands, dated by the venue."""
    await play.connect()
    async with hearing(play, Channel.QUOTES) as heard:
        for name, market in _markets(play).items():
            heard.clear()
            at_ns = await _show(play, market)
            await play.until(lambda: _newest(heard, Quote), within_s=_SOON_S)
            await play.settle()
            quote = _newest(heard, Quote)
            requirement = "MKT-010" if "usual" in name or name == "wide" else "MKT-020"
            if quote is None:
                play.check(requirement, held=False, why=f"a market {name} is not told")
                continue
            play.check(requirement, not market.differs(quote), f"{name}: {market.differs(quote)}")
            _check_header(play, "MKT-010", quote, at_ns, f"a quote of a market {name}")
            count = sum(isinstance(one, Quote) for one in heard)
            play.check("MKT-010", count == 1, f"a market {name} is told {count} times")


def _newest(heard: list[Event], kind: type[Quote]) -> Quote | None:
    return next((one for one in reversed(heard) if isinstance(one, kind)), None)


def _check_header(play: Play, requirement: str, told: Quote | Trade, at_ns: int, what: str) -> None:
    """Check whose it is, that it is dated by the venue, and when it is said to have come."""
    play.equal(requirement, play.symbol, told.symbol, f"symbol of {what}")
    play.equal(requirement, play.subject.declared.name, told.provider, f"provider of {what}")
    is_so = same_instant(told.venue_time_ns, at_ns)
    play.check(requirement, is_so, f"{what} is dated {told.venue_time_ns}, by the venue {at_ns}")
    came = play.clock.now_ns() - 60 * SECOND_NS <= told.received_at_ns <= play.clock.now_ns()
    play.check(requirement, came, f"{what} is said to have come at {told.received_at_ns}")


@scenario("MKT-030", when=_reads(ReadFeature.QUOTES), needs=_VENUE)
async def quotes_are_read_as_they_stand(play: Play) -> None:
    """Markets of two sides, one and none: each is read as it stands, of the symbols asked for."""
    await play.connect()
    for name, market in _markets(play).items():
        at_ns = await _show(play, market)
        quote = await play.broker.fetch_quote(play.symbol)
        play.check("MKT-030", not market.differs(quote), f"{name}: {market.differs(quote)}")
        _check_header(play, "MKT-030", quote, at_ns, f"a quote read of a market {name}")
    other = play.subject.sample.other
    if other is None:
        return
    both = await play.broker.fetch_quotes([play.symbol, other])
    play.equal("MKT-030", {play.symbol, other}, set(both), "symbols of quotes read together")
    price = play.subject.sample.other_price
    is_other = other in both and (both[other].bid_price or 0) < price < (both[other].ask_price or 0)
    play.check("MKT-030", is_other, f"quote of {other} read together: {both.get(other)}")


@scenario("MKT-040", when=_streams(Channel.TRADES), needs=_VENUE)
async def prints_are_streamed_as_they_were(play: Play) -> None:
    """Trades are printed: price, size and time are told as they were."""
    await play.connect()
    price, tick, size = play.subject.sample.price, _tick(play), play.subject.sample.quantity
    async with hearing(play, Channel.TRADES) as heard:
        for number, side in enumerate((Side.BUY, Side.SELL, None)):
            last, quantity = price + number * tick, size + number * size / 4
            heard.clear()
            (at_ns,) = await play.venue.tape(
                play.symbol, [last], size=quantity, every_ns=MILLISECOND_NS, aggressor=side
            )
            await play.until(lambda: heard, within_s=_SOON_S)
            await play.settle()
            prints = [one for one in heard if isinstance(one, Trade)]
            told = [(one.price, one.size) for one in prints]
            play.equal("MKT-040", [(last, quantity)], told, "price and size of a print streamed")
            for one in prints:
                is_so = one.aggressor in (None, side)
                play.check("MKT-040", is_so, f"aggressor is {one.aggressor}, was {side}")
                _check_header(play, "MKT-040", one, at_ns, "a print streamed")


@scenario("MKT-050", "MKT-060", when=_reads(ReadFeature.TRADES), needs=_VENUE)
async def prints_of_the_past_are_read_whole(play: Play) -> None:
    """Many trades were printed: a window of them is read whole, in order, start in and end out."""
    await play.connect()
    price, tick = play.subject.sample.price, _tick(play)
    prices = [price + tick * (number % 9) for number in range(_PRINTS)]
    every_ns = 20 * MILLISECOND_NS
    times = await play.venue.tape(
        play.symbol, prices, size=play.subject.sample.quantity, every_ns=every_ns
    )
    true = list(zip(times, prices, strict=True))
    await play.pause(1.0)
    for first, last in ((0, _PRINTS), (3, 40), (5, 6), (7, 7)):
        start = times[first]
        end = times[last] if last < _PRINTS else times[-1] + SECOND_NS
        window = Window(start_ns=start, end_ns=end)
        found = [one async for one in play.broker.fetch_trades(play.symbol, window)]
        told = [(one.venue_time_ns, one.price) for one in found]
        expected = [(at_ns, one) for at_ns, one in true if start <= at_ns < end]
        requirement = "MKT-050" if last == _PRINTS else "MKT-060"
        is_same = len(told) == len(expected) and all(
            same_instant(at_ns, true_ns) and one == true_price
            for (at_ns, one), (true_ns, true_price) in zip(told, expected, strict=False)
        )
        what = f"{len(expected)} prints of a window: {len(told)} told"
        play.check(requirement, is_same, f"{what}, beginning {told[:2]} for {expected[:2]}")
        sizes = {one.size for one in found} - {play.subject.sample.quantity}
        play.check(requirement, not sizes, f"sizes told of prints: {sizes}")
    limited = Window(start_ns=times[0], limit=7)
    found = [one async for one in play.broker.fetch_trades(play.symbol, limited)]
    told_prices = [one.price for one in found]
    play.equal("MKT-060", prices[:7], told_prices, "prices of the oldest seven prints")


async def _minutes(play: Play) -> dict[int, list[Decimal]]:
    """Print some trades in three minutes, between which one has none.

    Returns the prices by the instant at which their minute begins. Time is set on, not waited for.
    """
    price, tick = play.subject.sample.price, _tick(play)
    start_ns = -(-play.clock.now_ns() // MINUTE_NS) * MINUTE_NS
    minutes: dict[int, list[Decimal]] = {}
    for number, steps in ((0, (0, 5, -3, 2)), (1, (4,)), (3, (1, 9, 8))):
        opens_ns = start_ns + number * MINUTE_NS
        play.clock.step(opens_ns - play.clock.now_ns() - MILLISECOND_NS)
        minutes[opens_ns] = await _print(play, [price + step * tick for step in steps])
    play.clock.step(start_ns + 4 * MINUTE_NS + SECOND_NS - play.clock.now_ns())
    await play.settle()
    return minutes


async def _print(play: Play, prices: list[Decimal]) -> list[Decimal]:
    size = play.subject.sample.quantity
    await play.venue.tape(play.symbol, prices, size=size, every_ns=MILLISECOND_NS)
    return prices


def _bar_differs(bar: Bar, prices: list[Decimal], size: Decimal) -> str:
    true = {
        "open": prices[0],
        "high": max(prices),
        "low": min(prices),
        "close": prices[-1],
        "volume": size * len(prices),
        "trade_count": len(prices),
        "is_complete": True,
    }
    may_lack = {"volume", "trade_count"}
    return "; ".join(
        f"{name} is {getattr(bar, name)}, by its prints {value}"
        for name, value in true.items()
        if getattr(bar, name) != value and not (name in may_lack and getattr(bar, name) is None)
    )


async def _check_longer(play: Play, minutes: dict[int, list[Decimal]]) -> None:
    """Check a longer bar, over all of the minutes, where it is declared."""
    known = play.capabilities.bar_timeframes
    if known is not None and _LONGER not in known:
        return
    length_ns = 5 * MINUTE_NS
    opens_ns = min(minutes) // length_ns * length_ns
    window = Window(start_ns=opens_ns, end_ns=opens_ns + length_ns)
    bars = [one async for one in play.broker.fetch_bars(play.symbol, _LONGER, window)]
    play.equal("MKT-070", [opens_ns], [one.open_time_ns for one in bars], "bars of five minutes")
    prices = [price for opens in sorted(minutes) for price in minutes[opens]]
    for bar in bars:
        found = _bar_differs(bar, prices, play.subject.sample.quantity)
        play.check("MKT-070", not found, f"a bar of five minutes: {found}")


@scenario("MKT-070", "MKT-080", "MKT-090", when=_reads(ReadFeature.BARS), needs=_VENUE)
async def bars_are_made_of_their_prints(play: Play) -> None:
    """Minutes with prints and one without: each bar is that of its minute, and none is invented."""
    await play.connect()
    minutes = await _minutes(play)
    frame = Timeframe.parse(one_frame(play.capabilities))
    if frame != Timeframe.parse("1m"):
        for requirement in ("MKT-070", "MKT-080", "MKT-090"):
            play.check(requirement, held=True, why="no bars of a minute")
        return
    first, second, third = sorted(minutes)
    whole = Window(start_ns=first, end_ns=third + MINUTE_NS)
    bars = [one async for one in play.broker.fetch_bars(play.symbol, frame, whole)]
    opens = [one.open_time_ns for one in bars]
    play.equal("MKT-070", [first, second, third], opens, "when the bars of a window open")
    size = play.subject.sample.quantity
    for bar in bars:
        if bar.open_time_ns in minutes:
            found = _bar_differs(bar, minutes[bar.open_time_ns], size)
            play.check("MKT-070", not found, found)
            play.equal("MKT-070", (play.symbol, frame), (bar.symbol, bar.timeframe), "bar of")
    await _check_longer(play, minutes)
    empty = {first + 2 * MINUTE_NS} & set(opens)
    play.check("MKT-080", not empty, "a bar is told of a minute in which nobody traded")
    edges = Window(start_ns=first, end_ns=third)
    opens = [one.open_time_ns async for one in play.broker.fetch_bars(play.symbol, frame, edges)]
    play.equal("MKT-090", [first, second], opens, "bars of a window that ends where one opens")
    late = Window(start_ns=second, limit=1)
    opens = [one.open_time_ns async for one in play.broker.fetch_bars(play.symbol, frame, late)]
    play.equal("MKT-090", [second], opens, "the oldest bar from where one opens")


@scenario("MKT-100", when=_streams(Channel.BARS), needs=_VENUE)
async def bars_are_streamed_when_they_are_whole(play: Play) -> None:
    """Bars are streamed: what is told as complete, once its minute is over, is what was printed."""
    await play.connect()
    if one_frame(play.capabilities) != "1m":
        play.check("MKT-100", held=True, why="no bars of a minute")
        return
    price, tick = play.subject.sample.price, _tick(play)
    opens_ns = play.clock.now_ns() // MINUTE_NS * MINUTE_NS
    async with hearing(play, Channel.BARS) as heard:
        prices = await _print(play, [price + step * tick for step in (0, 5, -3, 2)])
        await play.pause(50.0)
        early = [one for one in heard if isinstance(one, Bar) and one.is_complete]
        play.check("MKT-100", not early, f"complete before its minute is over: {early[:1]}")
        await play.clock.sleep_until_ns(opens_ns + MINUTE_NS + SECOND_NS)
        await _print(play, [price + 9 * tick])
        await play.until(lambda: _whole(heard, opens_ns), within_s=_SOON_S)
    whole = _whole(heard, opens_ns)
    play.equal("MKT-100", 1, len(whole), "complete bars told of a minute")
    for bar in whole:
        found = _bar_differs(bar, prices, play.subject.sample.quantity)
        play.check("MKT-100", not found, f"streamed: {found}")
        play.equal("MKT-100", play.symbol, bar.symbol, "symbol of a bar streamed")


def _whole(heard: list[Event], opens_ns: int) -> list[Bar]:
    bars = [one for one in heard if isinstance(one, Bar)]
    return [one for one in bars if one.is_complete and one.open_time_ns == opens_ns]


@scenario("MKT-110", when=_reads(ReadFeature.DEPTH), needs=_VENUE)
async def a_book_is_read_in_order(play: Play) -> None:
    """The book is read: best prices first, the top as it stands, no more than asked for."""
    await play.connect()
    market = _markets(play)["usual"]
    await _show(play, market)
    try:
        depth = await play.broker.fetch_depth(play.symbol, 5)
    except UnsupportedError:
        play.check("MKT-110", held=True, why="no book of this kind of instrument")
        return
    _check_book(play, "MKT-110", depth, market)
    play.check("MKT-110", depth.is_snapshot, "a book that was read is told as a change")
    most = max(len(depth.bids), len(depth.asks))
    play.check("MKT-110", most <= 5, f"asked for 5 levels, told {most}")


def _check_book(play: Play, requirement: str, depth: Depth, market: Shown) -> None:
    bids = [one.price for one in depth.bids]
    asks = [one.price for one in depth.asks]
    play.check(requirement, bids == sorted(bids, reverse=True), f"bids in this order: {bids}")
    play.check(requirement, asks == sorted(asks), f"asks in this order: {asks}")
    best = (bids[:1], asks[:1])
    play.equal(requirement, ([market.bid], [market.ask]), best, "best prices of the book")
    sizes = {one.size for one in (*depth.bids[:1], *depth.asks[:1])}
    play.equal(requirement, {market.size}, sizes, "sizes at the top of the book")


@scenario("MKT-120", when=_reads(ReadFeature.TICKERS), needs=_VENUE)
async def a_ticker_tells_the_day(play: Play) -> None:
    """Trades are printed: what the ticker tells of them is what they were."""
    await play.connect()
    price, tick = play.subject.sample.price, _tick(play)
    prices = [price + step * tick for step in (0, 4, -2, 3)]
    size = play.subject.sample.quantity
    await play.venue.tape(play.symbol, prices, size=size, every_ns=MILLISECOND_NS)
    try:
        ticker = await play.broker.fetch_ticker(play.symbol)
    except UnsupportedError:
        play.check("MKT-120", held=True, why="no ticker of this kind of instrument")
        return
    true = {
        "last_price": prices[-1],
        "last_size": size,
        "open": prices[0],
        "high": max(prices),
        "low": min(prices),
        "volume": size * len(prices),
    }
    for name, value in true.items():
        told = getattr(ticker, name)
        play.check("MKT-120", told in (None, value), f"{name} is {told}, by the prints {value}")
    play.equal("MKT-120", play.symbol, ticker.symbol, "symbol of a ticker")


@scenario("MKT-130", when=_reads(ReadFeature.MARKET_STATUS), needs=_VENUE)
async def whether_the_market_is_open_is_told(play: Play) -> None:
    """The market is open around the clock here: it is never told as closed or halted."""
    await play.connect()
    for symbol in (None, play.symbol):
        try:
            status = await play.broker.fetch_market_status(symbol)
        except UnsupportedError:
            continue
        is_so = status.state in (TradingState.OPEN, TradingState.UNKNOWN)
        play.check("MKT-130", is_so, f"an open market is told as {status.state}")
        is_ours = status.symbol in (None, play.symbol)
        play.check("MKT-130", is_ours, f"asked of {symbol}, told of {status.symbol}")
    play.check("MKT-130", held=True, why="")


@scenario("MKT-140", when=_reads(ReadFeature.HOURS), needs=_VENUE)
async def hours_are_rows_in_order(play: Play) -> None:
    """A week of hours is read: rows that touch it, in order, none overlapping the next."""
    await play.connect()
    start_ns = play.clock.now_ns()
    window = Window(start_ns=start_ns, end_ns=start_ns + 7 * DAY_NS)
    rows = await play.broker.fetch_hours(play.symbol, window)
    opens = [one.opens_at_ns for one in rows]
    play.check("MKT-140", rows, "a week without hours")
    play.check("MKT-140", opens == sorted(opens), f"hours are in this order: {opens}")
    wrong = [one for one in rows if one.closes_at_ns <= one.opens_at_ns]
    play.check("MKT-140", not wrong, f"closes before it opens: {wrong[:1]}")
    away = [
        one
        for one in rows
        if one.closes_at_ns <= start_ns or one.opens_at_ns >= start_ns + 7 * DAY_NS
    ]
    play.check("MKT-140", not away, f"hours outside of the window: {away[:1]}")
