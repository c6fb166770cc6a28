"""Instruments: names, increments, contracts, and a catalogue that is whole."""

from __future__ import annotations

import contextlib
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Final

from dragoman.capabilities import ReadFeature
from dragoman.errors import (
    DragomanError,
    InvalidOrderError,
    UnknownInstrumentError,
    UnsupportedError,
)
from dragoman.models import InstrumentKind, Side, TradingState, Window
from dragoman.money import ZERO
from dragoman.paper.settings import Hours, VenueSettings
from dragoman.times import DAY_NS

from ..looks.likeness import like
from ..looks.listings import at_venue, more_like_the_sample, with_odd_sample
from ..looks.probes import usual_frame
from ..scenario import scenario

if TYPE_CHECKING:
    from dragoman.capabilities import Capabilities
    from dragoman.models import Instrument, MarketHours
    from dragoman.paper.engine import Engine

    from ..play import Play

_INCREMENTS: Final = ("tick_size", "tick_bands", "lot_size", "min_quantity", "max_quantity")
_BOUNDS: Final = ("max_market_quantity", "min_notional", "max_notional", "margin_rate")
_NATURE: Final = (
    "kind",
    "asset_class",
    "quote",
    "settlement",
    "base",
    "multiplier",
    "is_inverse",
    "expires_at_ns",
    "strike",
    "option_right",
    "underlying",
    "is_tradable",
    "is_shortable",
    "allows_negative_price",
)
_UNKNOWN: Final = ("NO_SUCH_THING", "nosuch", "ZZZZ/QQQ", "../accounts")
_ODD: Final = ("K.B", "K-C", "K&D", "K+E", "K#F", "^KG", "K=H", "K%I", "K;J", "K@L")
_MANY: Final = 130


def _reads_instruments(capabilities: Capabilities) -> bool:
    return ReadFeature.INSTRUMENTS in capabilities.reads


def _reads_hours(capabilities: Capabilities) -> bool:
    return ReadFeature.HOURS in capabilities.reads


def _is_carried(play: Play, true: Instrument) -> bool:
    """Tell whether the protocol has words for what an instrument of the mock's catalogue is.

    It has for what the sample is, and for contracts of the kinds that are declared. As what it
    passes off others, a simulator has to choose; no venue of the protocol lists them.
    """
    sample = play.venue.instrument(play.symbol)
    if (true.kind, true.asset_class) == (sample.kind, sample.asset_class):
        return True
    kinds = {cell.kind for cell in play.capabilities.orders}
    return true.kind is not InstrumentKind.SPOT and true.kind in kinds


def _nature(play: Play, told: Instrument, true: Instrument) -> None:
    """Compare what an instrument is; the venue may have another name for what is underlying."""
    if _is_carried(play, true):
        names = [name for name in _NATURE if not (name == "underlying" and told.underlying)]
        like(play, "INS-020", told, true, names, what=told.symbol, may_lack=True)


@scenario("INS-010")
async def increments_and_bounds_are_the_venues(play: Play) -> None:
    """The sample has increments and bounds that nobody would guess."""
    play.instruments = with_odd_sample(
        play,
        tick_size=Decimal("0.001"),
        tick_bands=(),
        lot_size=Decimal("0.01"),
        min_quantity=Decimal("12.37"),
        max_quantity=Decimal("7654321.25"),
        max_market_quantity=Decimal("654321.75"),
        min_notional=Decimal("1.125"),
        max_notional=Decimal("987654321.5"),
        margin_rate=Decimal("0.07142"),
    )
    broker = await play.connect()
    told = await broker.instrument(play.symbol)
    true = play.venue.instrument(play.symbol)
    like(play, "INS-010", told, true, (*_INCREMENTS, *_BOUNDS), what="the sample, odd")
    for one in await broker.load_instruments():
        there = at_venue(play, one)
        if there is not None and _is_carried(play, there):
            like(
                play,
                "INS-010",
                one,
                there,
                (*_INCREMENTS, *_BOUNDS),
                what=one.symbol,
                may_lack=True,
            )
    for name in ("tick_size", "lot_size"):
        found = getattr(told, name)
        play.check("INS-010", found is None or found > 0, f"{name} is {found}")


@scenario("INS-010")
async def the_usual_increments_are_the_venues(play: Play) -> None:
    """Every instrument as the mock lists it, found one by one."""
    broker = await play.connect()
    for symbol in play.subject.sample.names_at_venue:
        told, true = await broker.instrument(symbol), play.venue.instrument(symbol)
        like(play, "INS-010", told, true, (*_INCREMENTS, *_BOUNDS), what=symbol, may_lack=True)
        for price in ("0.5", "1", "100", "100000"):
            tick = told.tick_at(Decimal(price))
            wanted = true.tick_at(Decimal(price))
            play.check("INS-010", tick in (None, wanted), f"tick at {price}: {tick}, not {wanted}")


@scenario("INS-020", "INS-030", "INS-090", when=_reads_instruments)
async def an_instrument_is_what_the_venue_says(play: Play) -> None:
    """The whole catalogue is read, and each instrument of it by its names."""
    broker = await play.connect()
    found = await broker.load_instruments()
    symbols = [one.symbol for one in found]
    play.check("INS-020", play.symbol in symbols, f"{play.symbol} is not in the catalogue")
    for told in found:
        true = at_venue(play, told)
        if play.check("INS-020", true is not None, f"{told.symbol}: the venue lists no such thing"):
            _nature(play, told, true or told)
    for told in found[:8]:
        for name in (told.symbol, *told.aliases):
            try:
                again = await broker.instrument(name)
            except DragomanError as error:
                play.check("INS-030", held=False, why=f"{name}: {error!r}")
                continue
            play.equal("INS-030", told.symbol, again.symbol, f"the symbol of {name!r}")
    kinds = {one.kind for one in found}
    for kind in kinds:
        wanted = sorted(one.symbol for one in found if one.kind is kind)
        only = sorted(one.symbol for one in await broker.load_instruments([kind]))
        play.equal("INS-090", wanted, only, f"instruments of kind {kind}")
    for kind in (InstrumentKind.PERPETUAL, InstrumentKind.COMBO):
        if kind not in kinds:
            with contextlib.suppress(UnsupportedError):
                none = [one.symbol for one in await broker.load_instruments([kind])]
                play.equal("INS-090", [], none, f"instruments of kind {kind}, of which are none")
    for text in (play.symbol, play.symbol.lower()):
        hits = [one.symbol for one in await broker.search_instruments(text)]
        play.check("INS-090", play.symbol in hits, f"{text!r} finds {hits}")
    several = await broker.search_instruments("A", 2)
    play.check("INS-090", len(several) <= 2, f"{len(several)} found, 2 wanted")


@scenario("INS-030")
async def one_thing_has_one_symbol_everywhere(play: Play) -> None:
    """The sample is traded; order, fill, position and quote call it the same."""
    broker = await play.connect()
    order = await play.take()
    resting = await play.rest()
    await play.settle()
    told = {
        "the order": order.symbol,
        "the order that rests": resting.symbol,
        **{f"position {one.position_id}": one.symbol for one in await broker.fetch_positions()},
        **{
            f"open order {one.client_order_id}": one.symbol
            for one in await broker.fetch_open_orders()
        },
        **{f"held {one.position_id}": one.symbol for one in broker.state.positions},
        "the instrument": (await broker.instrument(play.symbol)).symbol,
    }
    async for fill in broker.fetch_fills():
        told[f"fill {fill.fill_id}"] = fill.symbol
    if ReadFeature.QUOTES in play.capabilities.reads:
        told["the quote"] = (await broker.fetch_quote(play.symbol)).symbol
        await _several_quotes(play)
    await play.venue.show(play.symbol, last=play.subject.sample.price)
    if ReadFeature.TRADES in play.capabilities.reads:
        async for one in broker.fetch_trades(play.symbol):
            told[f"the print at {one.price}"] = one.symbol
    if ReadFeature.BARS in play.capabilities.reads:
        async for bar in broker.fetch_bars(play.symbol, usual_frame(broker)):
            told[f"the bar of {bar.open_time_ns}"] = bar.symbol
    if ReadFeature.TICKERS in play.capabilities.reads:
        told["the ticker"] = (await broker.fetch_ticker(play.symbol)).symbol
    for what, symbol in told.items():
        play.equal("INS-030", play.symbol, symbol, f"the symbol of {what}")


@scenario("INS-110")
async def what_is_asked_of_one_symbol_is_of_that_symbol(play: Play) -> None:
    """Both symbols are held and ordered; positions, orders and fills of one of them are read."""
    broker = await play.connect()
    symbols = list(play.subject.sample.names_at_venue)
    for number, symbol in enumerate(symbols):
        quantity = (await broker.instrument(symbol)).min_quantity or play.subject.sample.quantity
        await play.take(symbol=symbol, quantity=quantity, client_order_id=f"one-{number}")
        resting = {"symbol": symbol, "quantity": quantity, "client_order_id": f"two-{number}"}
        other = None if symbol == play.symbol else symbol
        await play.rest(**resting, limit_price=play.away(Side.BUY, other))
    await play.settle()
    for asked in (None, *symbols):
        wanted = sorted(symbols if asked is None else [asked])
        reads: dict[str, list[str]] = {
            "positions": [one.symbol for one in await broker.fetch_positions(asked)],
            "open orders": [one.symbol for one in await broker.fetch_open_orders(asked)],
            "orders": [one.symbol async for one in broker.fetch_orders(symbol=asked)],
            "fills": [one.symbol async for one in broker.fetch_fills(symbol=asked)],
        }
        for what, found in reads.items():
            play.equal("INS-110", wanted, sorted(set(found)), f"the symbols of {what} of {asked}")
            many = 2 if what == "orders" else 1
            play.equal("INS-110", many * len(wanted), len(found), f"how many {what} of {asked}")


async def _several_quotes(play: Play) -> None:
    """Ask for the quotes of both symbols at once, in either order."""
    sample = play.subject.sample
    prices = {sample.symbol: sample.price}
    if sample.other is not None:
        prices[sample.other] = sample.other_price
    for asked in (list(prices), list(reversed(prices))):
        found = await play.broker.fetch_quotes(asked)
        play.equal("INS-030", sorted(asked), sorted(found), "the symbols that were quoted")
        for symbol, quote in found.items():
            play.equal("INS-030", symbol, quote.symbol, f"the symbol of the quote of {symbol}")
            bid, price = quote.bid_price or ZERO, prices.get(symbol, ZERO)
            is_its_own = abs(bid - price) < price / 10
            play.check("INS-030", is_its_own, f"{symbol} is quoted at {quote.bid_price}")


@scenario("INS-040", is_smoke=True)
async def an_unknown_symbol_is_told_as_such(play: Play) -> None:
    """It is looked up, quoted and ordered."""
    broker = await play.connect()
    for symbol in _UNKNOWN:
        await play.fails("INS-040", broker.instrument(symbol), UnknownInstrumentError, symbol)
        submitting = broker.submit(**play.terms(symbol=symbol))
        await play.fails("INS-040", submitting, UnknownInstrumentError, f"ordering {symbol}")
        if ReadFeature.QUOTES in play.capabilities.reads:
            asking = broker.fetch_quote(symbol)
            await play.fails("INS-040", asking, UnknownInstrumentError, f"a quote of {symbol}")
    play.equal("INS-040", 0, len(await play.venue.orders()), "orders at the venue")


@scenario("INS-050", when=_reads_instruments)
async def the_catalogue_is_whole(play: Play) -> None:
    """It is longer than a page of any venue, and read whole, in one kind, and by search."""
    codes = [f"K{number:03}" for number in range(_MANY)]
    play.instruments = more_like_the_sample(play, codes)
    broker = await play.connect()
    wanted = sorted(one.symbol for one in play.instruments if one.symbol.startswith("K"))
    for found in (await broker.load_instruments(), await broker.load_instruments()):
        symbols = [one.symbol for one in found]
        twice = sorted({one for one in symbols if symbols.count(one) > 1})
        play.check("INS-050", not twice, f"listed twice: {twice[:5]}")
        there = [at_venue(play, one) for one in found]
        listed = sorted(one.symbol for one in there if one is not None and one.symbol in wanted)
        missing = [one for one in wanted if one not in listed]
        play.check("INS-050", not missing, f"{len(missing)} are missing, such as {missing[:3]}")
    last = next(one for one in await broker.load_instruments() if codes[-1] in one.symbol)
    play.equal(
        "INS-050", last.symbol, (await broker.instrument(last.symbol)).symbol, "the last one"
    )
    hits = [one.symbol for one in await broker.search_instruments(codes[-1])]
    play.check("INS-050", last.symbol in hits, f"the search for {codes[-1]} finds {hits}")


@scenario("INS-060")
async def what_can_not_be_traded_is_told_so(play: Play) -> None:
    """The sample is listed and not tradable; and it can be bought, and not sold short."""
    play.instruments = with_odd_sample(play, is_tradable=False, is_shortable=False)
    broker = await play.connect()
    told = await broker.instrument(play.symbol)
    play.check("INS-060", told.is_tradable is not True, "told as tradable, which it is not")
    play.check("INS-060", told.is_shortable is not True, "told as shortable, which it is not")


@scenario("INS-070", when=_reads_instruments)
async def odd_symbols_are_traded_like_any_other(play: Play) -> None:
    """Symbols hold letters that mean something in a path or a query; those listed are ordered."""
    play.instruments = more_like_the_sample(play, _ODD)
    broker = await play.connect()
    found = await broker.load_instruments()
    price = play.subject.sample.price
    for told in found:
        true = at_venue(play, told)
        if true is None or not any(code in true.symbol for code in _ODD):
            continue
        await play.venue.move(true.symbol, price)
        again = await broker.instrument(told.symbol)
        play.equal("INS-070", told.symbol, again.symbol, f"{told.symbol} looked up")
        order = await broker.submit(**play.terms(symbol=told.symbol))
        there = await play.venue.order()
        play.equal("INS-070", true.symbol, there.symbol, f"what an order for {told.symbol} is for")
        play.equal(
            "INS-070", told.symbol, order.symbol, f"the symbol of an order for {told.symbol}"
        )
        if ReadFeature.QUOTES in play.capabilities.reads:
            quote = await broker.fetch_quote(told.symbol)
            play.equal("INS-070", told.symbol, quote.symbol, f"the quote of {told.symbol}")
            seen = quote.bid_price is not None and quote.bid_price < price
            play.check("INS-070", seen, f"the quote of {told.symbol} is {quote.bid_price}")
    play.check("INS-070", held=True, why="")


@scenario("INS-080", when=_reads_hours)
async def the_calendar_is_the_venues(play: Play) -> None:
    """A fortnight of real hours, weekend and holiday included."""
    play.settings = VenueSettings(hours=Hours.REAL)
    broker = await play.connect()
    now_ns = play.clock.now_ns()
    window = Window(start_ns=now_ns, end_ns=now_ns + 14 * DAY_NS)
    for symbol, name in play.subject.sample.names_at_venue.items():
        true = await play.venue.look(partial(_hours, name, window))
        told = await broker.fetch_hours(symbol, window)
        wanted = [
            (one.opens_at_ns, one.closes_at_ns) for one in true if one.state is TradingState.OPEN
        ]
        found = [
            (one.opens_at_ns, one.closes_at_ns) for one in told if one.state is TradingState.OPEN
        ]
        play.equal("INS-080", wanted, found, f"when {symbol} trades")
        starts = [one.opens_at_ns for one in told]
        play.check("INS-080", starts == sorted(starts), f"the hours of {symbol} are not in order")


def _hours(symbol: str, window: Window, engine: Engine) -> tuple[MarketHours, ...]:
    return engine.hours(symbol, window)


@scenario("INS-100")
async def orders_outside_the_bounds_never_trade(play: Play) -> None:
    """Quantities below the least, above the most and between two lots are ordered."""
    play.instruments = with_odd_sample(
        play,
        lot_size=Decimal("0.25"),
        min_quantity=Decimal("0.75"),
        max_quantity=Decimal(5000),
        max_market_quantity=None,
        min_notional=None,
    )
    broker = await play.connect()
    for quantity in ("0.5", "5000.25", "0.8", "1.125"):
        submitting = broker.submit(**play.terms(quantity=quantity))
        kinds = (InvalidOrderError, DragomanError)
        await play.fails("INS-100", submitting, kinds, f"a quantity of {quantity}")
    there = [one for one in await play.venue.orders() if one.filled_quantity or one.is_open]
    play.equal("INS-100", [], [one.quantity for one in there], "what the venue took")
