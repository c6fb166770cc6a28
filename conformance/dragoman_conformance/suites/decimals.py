"""Numbers: every digit of a price, a quantity or an amount of money arrives, both ways."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import attrs

from dragoman.capabilities import ReadFeature
from dragoman.models import Channel, OrderType, Quote, Side, Trade
from dragoman.money import ZERO, total
from dragoman.paper.settings import AccountSettings, Fee, FeeSchedule, VenueSettings

from ..looks.listings import with_odd_sample
from ..looks.orders import token
from ..looks.parts import floats, parts
from ..looks.probes import usual_frame
from ..looks.terms import changes, takes
from ..looks.wire_text import terms_of, was_told
from ..scenario import Need, scenario

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dragoman.capabilities import Capabilities
    from dragoman.models import Fill, Position

    from ..chaos import SeenExchange
    from ..play import Play

_WIRE: Final = (Need.VENUE, Need.WIRE)
_FINE: Final = Decimal("0.00000000000000001")
_LOT: Final = Decimal("0.000000001")
_TAIL: Final = Decimal("0.10000000000000001")
"""Seventeen digits behind the point: any float on the way makes it 0.1."""
_LONG: Final = Decimal("123456789.123456789")
_RICH: Final = Decimal("98765432109876543210.123456789")
_EXPONENT: Final = re.compile(r"\d[eE][+-]?\d")


def _quotes(capabilities: Capabilities) -> bool:
    return ReadFeature.QUOTES in capabilities.reads


def _quote_stream(capabilities: Capabilities) -> bool:
    return Channel.QUOTES in capabilities.streams


def _can_limit(capabilities: Capabilities) -> bool:
    return takes(capabilities, OrderType.LIMIT)


def _can_reprice(capabilities: Capabilities) -> bool:
    return _can_limit(capabilities) and changes(capabilities, "limit_price", "quantity")


def _be_exact(play: Play, **changed: object) -> None:
    """Let the sample be traded in very small steps, by an account that can pay for anything."""
    terms: dict[str, Any] = {
        "tick_size": _FINE,
        "tick_bands": (),
        "lot_size": _LOT,
        "min_quantity": None,
        "max_quantity": None,
        "max_market_quantity": None,
        "min_notional": None,
        "max_notional": None,
    }
    play.instruments = with_odd_sample(play, **{**terms, **changed})
    play.settings = VenueSettings(
        accounts=(AccountSettings(cash=_RICH),), fees=FeeSchedule(default=Fee(taker="0.00013"))
    )


async def _show(play: Play) -> tuple[Decimal, Decimal]:
    """Show a market whose prices have many digits, and return bid and ask."""
    bid = play.subject.sample.price + _TAIL
    ask = bid + 2 * _FINE
    await play.venue.show(play.symbol, bid=bid, ask=ask, size=_LONG, last=bid, last_size=_LONG)
    return bid, ask


@scenario("DEC-010", when=_quotes)
async def a_quote_has_every_digit(play: Play) -> None:
    """The market has prices of eighteen digits and more."""
    _be_exact(play)
    broker = await play.connect()
    bid, ask = await _show(play)
    quote = await broker.fetch_quote(play.symbol)
    _same_quote(play, quote, bid, ask)
    if ReadFeature.TICKERS in play.capabilities.reads:
        ticker = await broker.fetch_ticker(play.symbol)
        play.check("DEC-010", ticker.last_price in (None, bid), f"last is {ticker.last_price}")
    if ReadFeature.TRADES in play.capabilities.reads:
        prints = [one async for one in broker.fetch_trades(play.symbol)]
        found = [(one.price, one.size) for one in prints if one.price != play.subject.sample.price]
        play.check("DEC-010", (bid, _LONG) in found, f"the print of {_LONG} at {bid} is {found}")
    if ReadFeature.BARS in play.capabilities.reads:
        bars = [one async for one in broker.fetch_bars(play.symbol, usual_frame(broker))]
        closes = [one.close for one in bars]
        play.check("DEC-010", bid in closes or not bars, f"the bar closes at {closes}, not {bid}")


def _same_quote(play: Play, quote: Quote, bid: Decimal, ask: Decimal) -> None:
    for name, wanted in (("bid_price", bid), ("ask_price", ask)):
        play.equal("DEC-010", wanted, getattr(quote, name), name)
    for name in ("bid_size", "ask_size"):
        found = getattr(quote, name)
        play.check("DEC-010", found in (None, _LONG), f"{name} is {found}, not {_LONG}")


@scenario("DEC-010", when=_quote_stream)
async def what_is_streamed_has_every_digit(play: Play) -> None:
    """The same prices, as they are streamed."""
    _be_exact(play)
    broker = await play.connect()
    heard: list[Any] = []
    asked: dict[str, Any] = {"quotes": [play.symbol]}
    if Channel.TRADES in play.capabilities.streams:
        asked["trades"] = [play.symbol]
    async with broker.listen(heard.append, **asked):
        await play.settle()
        heard.clear()
        bid, ask = await _show(play)
        await play.until(lambda: any(isinstance(one, Quote) for one in heard), within_s=5)
        await play.settle()
    quotes = [one for one in heard if isinstance(one, Quote)]
    if play.check("DEC-010", quotes, "no quote was streamed"):
        _same_quote(play, quotes[-1], bid, ask)
    prints = [one for one in heard if isinstance(one, Trade)]
    for one in prints:
        play.equal("DEC-010", (bid, _LONG), (one.price, one.size), "the print")


@scenario("DEC-020", "DEC-070", is_smoke=True)
async def no_model_holds_a_float(play: Play) -> None:
    """Large and long amounts are traded; everything told of them is looked through."""
    _be_exact(play, tick_size=_LOT)
    account = AccountSettings(cash="98765432109.87654321")
    play.settings = attrs.evolve(play.settings, accounts=(account,))
    broker = await play.connect()
    middle = play.subject.sample.price + 123456 * _LOT
    await play.venue.show(play.symbol, bid=middle - _LOT, ask=middle + _LOT, size=_LONG)
    order = await play.take(quantity=_LONG, client_order_id="exact-1")
    await play.settle()
    found: list[Any] = [order, *play.heard, await broker.fetch_account()]
    found += [await broker.instrument(play.symbol), await broker.fetch_order(order)]
    positions = await broker.fetch_positions()
    fills = [one async for one in broker.fetch_fills()]
    orders = [one async for one in broker.fetch_orders()]
    found += [*positions, *fills, *orders, *broker.state.positions, *broker.state.orders]
    if _quotes(play.capabilities):
        found.append(await broker.fetch_quote(play.symbol))
    for one in found:
        wrong = floats(one)
        play.check("DEC-020", not wrong, f"{type(one).__name__} holds floats: {wrong[:3]}")
        broken = [
            place
            for place, value in parts(one)
            if isinstance(value, Decimal) and not value.is_finite()
        ]
        play.check("DEC-020", not broken, f"{type(one).__name__} holds no numbers at {broken}")
    await _same_trade(play, fills, positions)
    true = await play.venue.account()
    told_account = await broker.fetch_account()
    for name in ("cash", "equity"):
        told, wanted = getattr(told_account, name), getattr(true, name)
        play.check("DEC-070", told in (None, wanted), f"{name} is {told}, not {wanted}")


async def _same_trade(play: Play, fills: Sequence[Fill], positions: Sequence[Position]) -> None:
    true = await play.venue.fills()
    wanted = [(one.quantity, one.price) for one in true]
    play.equal("DEC-070", wanted, [(one.quantity, one.price) for one in fills], "the fills")
    for told, there in zip(fills, true, strict=False):
        paid = there.commission
        is_open = told.commission is None and not (paid and was_told(play, paid.amount))
        same = is_open or told.commission == paid
        play.check("DEC-070", same, f"commission {told.commission}, not {paid}")
    held = [one.quantity for one in positions]
    play.equal(
        "DEC-070", [one.quantity for one in await play.venue.positions()], held, "the position"
    )
    filled = (await play.venue.order()).filled_quantity
    play.equal("DEC-070", filled, play.order("exact-1").filled_quantity, "what filled")


@scenario("DEC-070")
async def the_price_of_a_fill_has_every_digit(play: Play) -> None:
    """An order fills at a price of twenty digits; it is told when it fills, and later."""
    _be_exact(play)
    account = AccountSettings(cash="98765432109.87654321")
    play.settings = VenueSettings(accounts=(account,), fees=FeeSchedule.free())
    broker = await play.connect()
    _, ask = await _show(play)
    order = await play.take(client_order_id="exact-2")
    await play.until(lambda: broker.state.positions)
    told = {"the order": order.average_fill_price}
    for event in play.events("exact-2"):
        if event.fill is not None:
            told[f"the fill {event.fill.fill_id}"] = event.fill.price
    async for fill in broker.fetch_fills():
        told[f"the fill {fill.fill_id}, read,"] = fill.price
    for position in await broker.fetch_positions():
        told["the position"] = position.average_entry_price
    for what, price in told.items():
        play.check("DEC-070", price in (None, ask), f"{what} is at {price}, not {ask}")
    play.check("DEC-070", len(told) > 2, f"only {list(told)} tell a price")


@scenario("DEC-030", when=_can_limit)
async def an_order_reaches_the_venue_with_every_digit(play: Play) -> None:
    """Orders of both sides have prices and quantities of seventeen digits and more."""
    _be_exact(play)
    broker = await play.connect()
    for side in (Side.BUY, Side.SELL):
        price = play.away(side) + _TAIL
        order = await broker.submit(
            **play.terms(
                side=side,
                order_type=OrderType.LIMIT,
                quantity=_LONG,
                limit_price=price,
                client_order_id=f"digits-{side}".lower(),
            )
        )
        there = await play.venue.order()
        play.equal("DEC-030", _LONG, there.quantity, f"the quantity of a {side} at the venue")
        play.equal("DEC-030", price, there.limit_price, f"the price of a {side} at the venue")
        play.equal("DEC-030", _LONG, order.quantity, f"the quantity of a {side} as it is told")
        play.equal("DEC-030", price, order.limit_price, f"the price of a {side} as it is told")
        found = await broker.fetch_order(order)
        if play.check("DEC-030", found is not None, "the order is not found") and found is not None:
            play.equal("DEC-030", price, found.limit_price, f"the price of a {side} looked up")
            play.equal("DEC-030", _LONG, found.quantity, f"the quantity of a {side} looked up")


@scenario("DEC-030", when=_can_reprice)
async def a_change_reaches_the_venue_with_every_digit(play: Play) -> None:
    """A resting order is changed to a price and a quantity of many digits."""
    _be_exact(play)
    broker = await play.connect()
    order = await play.rest()
    price = play.away(Side.BUY) + 3 * _TAIL
    changed = await broker.replace(order, limit_price=price, quantity=_LONG)
    await play.settle()
    there = next(one for one in reversed(await play.venue.open_orders()))
    play.equal("DEC-030", price, there.limit_price, "the new price at the venue")
    play.equal("DEC-030", _LONG, there.quantity, "the new quantity at the venue")
    told = play.order(changed.client_order_id)
    play.equal("DEC-030", price, told.limit_price, "the new price as it is told")


@scenario("DEC-040", needs=_WIRE, when=_can_limit)
async def no_number_is_sent_with_an_exponent(play: Play) -> None:
    """Prices and quantities are so large or small that they are usually written with one."""
    _be_exact(play, tick_size=Decimal("1E-9"), lot_size=Decimal("1E-9"))
    broker = await play.connect()
    await broker.instrument(play.symbol)
    before = len(play.wire.exchanges)
    rows = ((Decimal("1E+3"), Decimal("2E-7")), (Decimal("3.00E+5"), Decimal("4E-9")))
    for quantity, price in (*rows, (Decimal("5E+1"), play.away(Side.BUY).normalize())):
        await broker.submit(
            **play.terms(order_type=OrderType.LIMIT, quantity=quantity, limit_price=price)
        )
        there = await play.venue.order()
        play.equal("DEC-040", (quantity, price), (there.quantity, there.limit_price), "the order")
    for exchange in play.wire.exchanges[before:]:
        wrong = _with_exponents(exchange)
        play.check("DEC-040", not wrong, f"sent as {wrong}", exchange=exchange.number)


def _with_exponents(exchange: SeenExchange) -> list[str]:
    return [
        f"{term.place} = {term.text}"
        for term in terms_of(exchange)
        if term.value is not None and _EXPONENT.search(term.text)
    ]


def _kept(play: Play) -> Decimal:
    return total(one.quantity for one in play.broker.state.positions)


@scenario("DEC-050")
async def what_is_added_up_is_exact(play: Play) -> None:
    """Three buys of a tenth make three tenths, at the average of three prices."""
    tenth, price = Decimal("0.1"), play.subject.sample.price
    _be_exact(play, tick_size=Decimal("0.0001"), lot_size=Decimal("0.1"))
    broker = await play.connect()
    for number in range(3):
        await play.venue.show(
            play.symbol,
            bid=price + number - Decimal("0.0001"),
            ask=price + number + Decimal("0.0001"),
        )
        await play.take(quantity=tenth, client_order_id=f"tenth-{number}")
    await play.settle()
    held = total(one.quantity for one in await broker.fetch_positions())
    play.equal("DEC-050", 3 * tenth, held, "the position that is read")
    await play.until(lambda: _kept(play) == 3 * tenth)
    play.equal("DEC-050", 3 * tenth, _kept(play), "the position that is kept")
    spent = ZERO
    async for fill in broker.fetch_fills():
        spent += fill.quantity * fill.price
    true = total(one.quantity * one.price for one in await play.venue.fills())
    play.equal("DEC-050", true, spent, "what was spent")
    for order in broker.state.orders:
        names = (order.client_order_id, token(play, order.client_order_id))
        there = [one for one in await play.venue.fills() if one.client_order_id in names]
        if there and order.average_fill_price is not None:
            play.equal(
                "DEC-050", there[0].price, order.average_fill_price, "the average of one fill"
            )
