"""What can't be meant, or could mean something else on the way, never reaches the venue."""

from __future__ import annotations

import contextlib
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from dragoman.capabilities import ReadFeature
from dragoman.errors import (
    DragomanError,
    InvalidValueError,
    UnknownInstrumentError,
    UnsupportedError,
)
from dragoman.models import Exit, OrderType, Side, TimeInForce, Window
from dragoman.times import DAY_NS

from ..looks.listings import with_odd_sample
from ..looks.terms import takes
from ..looks.wire_text import terms_of
from ..scenario import Need, scenario

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Awaitable, Callable

    from dragoman.capabilities import Capabilities

    from ..chaos import SeenExchange
    from ..play import Play

_Shape: TypeAlias = "tuple[str, tuple[tuple[str, str], ...]]"
_WIRE: Final = (Need.VENUE, Need.WIRE)
_NO_NUMBERS: Final[tuple[Any, ...]] = (
    "NaN",
    "sNaN",
    "Infinity",
    "-Infinity",
    "-1",
    "0",
    Decimal("NaN"),
    Decimal("Infinity"),
    Decimal(-8),
    Decimal("-0"),
    "eight",
    "",
    "1,5",
    "0x10",
    1.5,
    float("nan"),
    True,
    "1e400",
    "9" * 400,
)
_BAD_IDS: Final = ("", " ", "a b", "a\nb", "a\tb", "a\x00b", "ä", "\u202e", "A" * 129, "a\u00a0b")
_BAD_TEXTS: Final = ("", "a\r\nX-Evil: 1", "a\x00b", "x" * 5000)
_EVIL_SYMBOLS: Final = (
    "../orders",
    "..%2forders",
    "KIT/../../orders",
    "KIT?x=1&y=2",
    "KIT#fragment",
    "KIT%00",
    "KIT%2e%2e",
    "KIT;a=b",
    "KIT\\..\\x",
    "KIT,AAPL",
    'KIT"}',
    "KIT&symbol=EVIL",
    "KIT+A B",
    "K\u00cfT\u20ac",
    ".",
    "..",
)
_PLAIN: Final = ("KITPLAIN", "KITA/KITB")
_POLLED_S: Final = 20.0
"""How long it takes until everything that is polled, if anything is, was polled once."""
_LONG_ID: Final = "long-" + "x" * 90
_ODD_IDS: Final = (
    f"{_LONG_ID}1",
    f"{_LONG_ID}2",
    "a/../b",
    "a?b=c&d",
    "a#b",
    "a%2Fb",
    "a;b,c",
    'a"b\\c',
    "a+b=c",
    "..",
    "<a>'b'",
)


def _can_limit(capabilities: Capabilities) -> bool:
    return takes(capabilities, OrderType.LIMIT)


@scenario("BAD-010", is_smoke=True)
async def what_is_no_amount_is_never_sent(play: Play) -> None:
    """Quantities and prices that are no number, or no sensible one, are ordered."""
    broker = await play.connect()
    await broker.instrument(play.symbol)
    limit = {"order_type": OrderType.LIMIT, "limit_price": play.away(Side.BUY)}
    for bad in _NO_NUMBERS:
        for terms in (
            {"quantity": bad},
            {**limit, "quantity": bad},
            {**limit, "limit_price": bad},
            {"order_type": OrderType.STOP, "stop_price": bad},
            {"quantity": None, "notional": bad},
        ):
            with play.silent("BAD-010", f"{terms}"):
                await _refused(play, "BAD-010", _submitting(play, terms), terms)
    play.equal("BAD-010", 0, len(await play.venue.orders()), "orders at the venue")


@scenario("BAD-010", when=lambda declared: "quantity" in declared.replace.fields)
async def an_order_is_never_changed_to_what_is_no_amount(play: Play) -> None:
    """A resting order is to have such a quantity, or such a price."""
    broker = await play.connect()
    order = await play.rest()
    for bad in _NO_NUMBERS:
        changes: tuple[dict[str, Any], ...] = ({"quantity": bad}, {"limit_price": bad})
        for change in changes:
            with play.silent("BAD-010", f"{change}"):
                call = partial(broker.replace, order, **change)
                await _refused(play, "BAD-010", call, change)
    there = await play.venue.order()
    found = (there.quantity, there.limit_price, there.is_open)
    play.equal(
        "BAD-010", (order.quantity, order.limit_price, True), found, "the order at the venue"
    )


async def _refused(
    play: Play, requirement: str, call: Callable[[], Awaitable[object]], what: object
) -> None:
    """Check that a call is refused as the request's own fault, before anything is sent."""
    try:
        answer = await call()
    except (InvalidValueError, UnsupportedError, UnknownInstrumentError):
        play.check(requirement, held=True, why="")
    except Exception as error:  # noqa: BLE001 - whatever else comes out is the finding
        play.check(requirement, held=False, why=f"{what}: raised {type(error).__name__}: {error}")
    else:
        play.check(requirement, held=False, why=f"{what}: taken, {answer!r}"[:300])


@scenario("BAD-020")
async def what_contradicts_itself_is_never_sent(play: Play) -> None:
    """Orders lack what their type needs, have what it does not take, or say two things at once."""
    broker = await play.connect()
    await broker.instrument(play.symbol)
    price, low = play.subject.sample.price, play.away(Side.BUY)
    limit = {"order_type": OrderType.LIMIT, "limit_price": low}
    now_ns = play.clock.now_ns()
    gtd = {**limit, "time_in_force": TimeInForce.GTD}
    contradictions: tuple[dict[str, Any], ...] = (
        {"limit_price": low},
        {"order_type": OrderType.LIMIT, "limit_price": None},
        {"order_type": OrderType.STOP},
        {**limit, "stop_price": low},
        {"quantity": None},
        {"notional": price},
        gtd,
        {**gtd, "expires_at_ns": now_ns - DAY_NS},
        {**limit, "time_in_force": TimeInForce.DAY, "expires_at_ns": now_ns + DAY_NS},
        {**limit, "post_only": True, "time_in_force": TimeInForce.IOC},
        {**limit, "display_quantity": play.subject.sample.quantity * 2},
        {"stop_loss": Exit(price=price * 2), "take_profit": Exit(price=price / 2)},
        {"side": "HOLD"},
        {"order_type": OrderType.UNKNOWN},
        {"account_id": "another-account"},
        {"no_such_field": 1},
    )
    for terms in contradictions:
        with play.silent("BAD-020", f"{terms}"):
            await _refused(play, "BAD-020", _submitting(play, terms), terms)
    play.equal("BAD-020", 0, len(await play.venue.orders()), "orders at the venue")


def _submitting(play: Play, changes: dict[str, Any]) -> Callable[[], Awaitable[object]]:
    """Return a call that submits the usual order with changed terms, `None` of them included."""
    terms: dict[str, Any] = {**play.terms(**changes), **changes}
    return partial(play.broker.submit, **terms)


@scenario("BAD-030")
async def ids_that_can_not_be_are_never_sent(play: Play) -> None:
    """Client order ids are empty, too long, or hold what nobody sees."""
    broker = await play.connect()
    await broker.instrument(play.symbol)
    for bad in _BAD_IDS:
        with play.silent("BAD-030", repr(bad)):
            call = _submitting(play, {"client_order_id": bad})
            await _refused(play, "BAD-030", call, repr(bad))
    for bad in _BAD_TEXTS:
        with play.silent("BAD-030", repr(bad)):
            await _refused(play, "BAD-030", _submitting(play, {"tag": bad}), f"tag {bad[:20]!r}")
    play.equal("BAD-030", 0, len(await play.venue.orders()), "orders at the venue")


@scenario("BAD-040", "DEC-060", when=_can_limit)
async def a_price_between_two_ticks_is_never_moved(play: Play) -> None:
    """Orders of both sides have prices between two ticks: they are refused, or rest just there."""
    play.instruments = with_odd_sample(play, tick_size=Decimal("0.01"), tick_bands=())
    broker = await play.connect()
    base = play.away(Side.BUY) // Decimal("0.01") * Decimal("0.01")
    high = play.away(Side.SELL) // Decimal("0.01") * Decimal("0.01")
    for side, price in ((Side.BUY, base), (Side.SELL, high)):
        for part in ("0.001", "0.005", "0.0050001", "0.009"):
            wanted = price + Decimal(part)
            name = f"tick-{side}-{part.replace('.', '-')}".lower()
            terms = play.terms(
                side=side, order_type=OrderType.LIMIT, limit_price=wanted, client_order_id=name
            )
            try:
                await broker.submit(**terms)
            except DragomanError:
                play.check("BAD-040", held=True, why="")
            else:
                there = await play.venue.order()
                play.equal("BAD-040", wanted, there.limit_price, f"the price of a {side}")
    moved = [f"{one.side} at {one.limit_price}" for one in await play.venue.orders() if one.is_open]
    play.check("BAD-040", not moved, f"resting at the venue, off the tick or moved: {moved}")
    play.check("DEC-060", not moved, f"prices were rounded: {moved}")


@scenario("BAD-060", needs=_WIRE)
async def a_symbol_never_changes_what_is_asked(play: Play) -> None:
    """Symbols hold what means something in a path or a query; the request stays the same."""
    await play.connect()
    calls = _calls(play)
    usual: set[_Shape] = set()
    for symbol in (*_PLAIN, play.symbol):
        for call in calls.values():
            usual |= {_shape(one, symbol) for one in await _asked(play, call, symbol)}
    await play.pause(_POLLED_S)
    usual |= {_shape(one, play.symbol) for one in play.wire.exchanges}
    orders = len(await play.venue.orders())
    for name, call in calls.items():
        for symbol in _EVIL_SYMBOLS:
            for exchange in await _asked(play, call, symbol):
                is_usual = _shape(exchange, symbol) in usual and _is_target(exchange.target)
                why = f"{name} of {symbol!r} became {exchange.method} {exchange.target!r}"
                play.check("BAD-060", is_usual, why, exchange=exchange.number)
    play.check("BAD-060", held=True, why="")
    play.equal("BAD-060", orders, len(await play.venue.orders()), "orders at the venue")


def _calls(play: Play) -> dict[str, Callable[[str], Awaitable[object]]]:
    broker, reads = play.broker, play.capabilities.reads
    found: dict[str, Callable[[str], Awaitable[object]]] = {
        "an instrument": broker.instrument,
        "an order": lambda symbol: broker.submit(**play.terms(symbol=symbol)),
        "a search": broker.search_instruments,
    }
    if ReadFeature.QUOTES in reads:
        found["a quote"] = broker.fetch_quote
    if ReadFeature.TRADES in reads:
        found["trades"] = lambda symbol: _all(broker.fetch_trades(symbol, Window(limit=1)))
    if ReadFeature.BARS in reads:
        found["bars"] = lambda symbol: _all(broker.fetch_bars(symbol, "1d", Window(limit=1)))
    return found


async def _all(found: AsyncIterable[object]) -> list[object]:
    return [one async for one in found]


async def _asked(
    play: Play, call: Callable[[str], Awaitable[object]], symbol: str
) -> list[SeenExchange]:
    """Return the requests that a call makes, whatever becomes of it."""
    before = len(play.wire.exchanges)
    with contextlib.suppress(DragomanError, ValueError):
        await call(symbol)
    return play.wire.exchanges[before:]


def _is_target(text: str) -> bool:
    return all(0x20 < ord(one) < 0x7F for one in text)


def _shape(exchange: SeenExchange, symbol: str) -> _Shape:
    """Return a request with the symbol put out of it: its path, and where the symbol stands."""
    found = [
        (term.place, "*" if _is_same(term.text, symbol) else term.text)
        for term in terms_of(exchange)
        if _is_same(term.text, symbol) or term.place.startswith("path")
    ]
    return exchange.method, tuple(sorted(found))


def _is_same(text: str, symbol: str) -> bool:
    return text.casefold() == symbol.casefold()


@scenario("BAD-070", when=_can_limit)
async def odd_ids_are_carried_as_they_are(play: Play) -> None:
    """Client order ids of letters that mean something elsewhere: placed, looked up, canceled."""
    broker = await play.connect()
    adapter = play.stage.make_adapter(broker.account_id)
    await adapter.open()
    for name in _ODD_IDS:
        order = await play.rest(client_order_id=name)
        there = await play.venue.order()
        token = adapter.wire_client_id(name, 0)
        play.equal("BAD-070", token, there.client_order_id, f"{name!r} at the venue")
        found = await adapter.fetch_order(
            broker.account_id, client_order_id=name, symbol=play.symbol
        )
        ids = (name, token)
        is_found = found is not None and found.client_order_id in ids
        play.check("BAD-070", is_found, f"{name!r} looked up by its id: {found!r}"[:300])
        again = await broker.fetch_order(name)
        play.check("BAD-070", again is not None, f"{name!r} is not found again")
        await broker.cancel(order)
        await play.until(partial(_has_ended, play, name))
        play.check("BAD-070", (await play.venue.order()).is_terminal, f"{name!r} was not canceled")
    await adapter.aclose()


def _has_ended(play: Play, client_order_id: str) -> bool:
    return play.order(client_order_id).is_terminal


@scenario("BAD-080")
async def times_without_a_zone_are_refused(play: Play) -> None:
    """Windows and expiries are given as datetimes of nobody's midnight, or the wrong way round."""
    broker = await play.connect()
    await broker.instrument(play.symbol)
    naive: Any = datetime(2026, 1, 8, 12)  # noqa: DTZ001 - what is wrong with it is the point
    terms = play.terms(
        order_type=OrderType.LIMIT, time_in_force=TimeInForce.GTD, expires_at_ns=naive
    )
    with play.silent("BAD-080", "a naive expiry"):
        await _refused(play, "BAD-080", lambda: broker.submit(**terms), "a naive expiry")
    for bad in ({"start_ns": naive}, {"end_ns": naive}, {"start_ns": 2, "end_ns": 1}, {"limit": 0}):

        async def read(bad: dict[str, Any] = bad) -> object:
            return await _all(broker.fetch_orders(Window(**bad)))

        with play.silent("BAD-080", f"{bad}"):
            await _refused(play, "BAD-080", read, bad)
