"""A few acts on any venue, with no control over it: so they can be recorded, and played again.

Nothing here knows where the market stands but by asking, and nothing waits for it to move.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from dragoman.capabilities import ReadFeature
from dragoman.errors import OrderRejectedError
from dragoman.models import OrderStatus, OrderType, Timeframe, Window
from dragoman.models.enums import Support
from dragoman.money import ZERO

from ..looks.terms import rests, trades
from ..scenario import scenario

if TYPE_CHECKING:
    from dragoman.capabilities import Capabilities
    from dragoman.models import Instrument, Order, OrderEvent

    from ..play import Play

_FAR: Final = Decimal("0.5")
_NOBODY_HAS: Final = Decimal(1_000_000)
_BARS: Final = 5


@scenario("FLD-010", needs=(), is_smoke=True)
async def the_account_is_read(play: Play) -> None:
    """What a strategy asks first."""
    broker = await play.connect()
    account = await broker.fetch_account()
    play.equal("FLD-010", broker.account_id, account.account_id, "the account's id")
    for position in await broker.fetch_positions():
        play.equal("FLD-010", broker.account_id, position.account_id, "a position's account")
        play.check("FLD-010", position.quantity, "a position of 0 is told as open")
    for order in await broker.fetch_open_orders():
        play.check("FLD-010", order.is_open, f"an open order is {order.status}")
    instrument = await broker.instrument(play.symbol)
    play.equal("FLD-010", play.symbol, instrument.symbol, "the instrument's symbol")


@scenario("FLD-020", needs=(), when=rests)
async def an_order_rests_is_found_and_canceled(play: Play) -> None:
    """A limit order to buy at half of what the sample costs."""
    broker = await play.connect()
    price = _far_below(play, await broker.instrument(play.symbol))
    order = await broker.submit(**play.terms(order_type=OrderType.LIMIT, limit_price=price))
    play.insist("FLD-020", order.is_open, f"a resting order is {order.status}")
    name = order.client_order_id
    play.equal("FLD-020", price, order.limit_price, "the limit price")
    found = await broker.fetch_order(name)
    play.check("FLD-020", found is not None and found.is_open, "it is not found by its client id")
    there = await broker.fetch_open_orders(play.symbol)
    ids = [one.venue_order_id for one in there if one.client_order_id == name]
    play.equal("FLD-020", [order.venue_order_id], ids, "its ids among the open orders")
    await broker.cancel(name)
    await play.until(lambda: play.order(name).is_terminal)
    play.equal("FLD-020", OrderStatus.CANCELED, play.order(name).status, "after the cancel")


@scenario("FLD-030", needs=(), when=trades)
async def an_order_at_the_market_fills(play: Play) -> None:
    """A quarter of the sample's quantity, bought at what it costs."""
    broker = await play.connect()
    before = _held(play)
    order = await play.take(quantity=play.subject.sample.quantity / 4)
    play.insist("FLD-030", order.status is OrderStatus.FILLED, f"it is {order.status}")
    await play.until(lambda: _filled(play, order) == order.quantity)
    play.equal("FLD-030", order.quantity, _filled(play, order), "the sum of its fills")
    ids = _fill_ids(play, order)
    play.equal("FLD-030", len(set(ids)), len(ids), "the fills that are told once")
    await play.until(lambda: _held(play) - before == order.quantity)
    play.equal("FLD-030", order.quantity, _held(play) - before, "the change of the position")
    history = [one async for one in broker.fetch_fills()]
    there = [one.quantity for one in history if one.client_order_id == order.client_order_id]
    play.equal("FLD-030", order.quantity, sum(there, ZERO), "the sum of its fills in the history")


def _can_reprice(capabilities: Capabilities) -> bool:
    rule = capabilities.replace
    return "limit_price" in rule.fields and rule.support is Support.NATIVE and rests(capabilities)


@scenario("FLD-040", needs=(), when=_can_reprice)
async def a_resting_order_is_given_another_price(play: Play) -> None:
    """The new price is still far from the market."""
    broker = await play.connect()
    instrument = await broker.instrument(play.symbol)
    price = _far_below(play, instrument)
    order = await broker.submit(**play.terms(order_type=OrderType.LIMIT, limit_price=price))
    name = order.client_order_id
    lower = _far_below(play, instrument, part=_FAR / 2)
    await broker.replace(name, limit_price=lower)
    await play.until(lambda: play.order(name).limit_price == lower)
    found = await broker.fetch_order(name)
    play.insist("FLD-040", found is not None, "it is not found any more by its client id")
    play.equal("FLD-040", lower, None if found is None else found.limit_price, "the price there")
    play.equal("FLD-040", lower, play.order(name).limit_price, "the price told")
    await broker.cancel(name)
    await play.until(lambda: play.order(name).is_terminal)


@scenario("FLD-050", needs=(), when=rests)
async def an_order_nobody_can_pay_is_refused(play: Play) -> None:
    """A million times the sample's quantity."""
    broker = await play.connect()
    instrument = await broker.instrument(play.symbol)
    price = _far_below(play, instrument)
    huge = play.subject.sample.quantity * _NOBODY_HAS
    if instrument.max_quantity is not None:
        huge = min(huge, instrument.max_quantity)
    terms = play.terms(order_type=OrderType.LIMIT, limit_price=price, quantity=huge)
    error = await play.fails("FLD-050", broker.submit(**terms), OrderRejectedError, "a huge order")
    if error is not None:
        play.check("FLD-050", error.message, "the error has no words")


@scenario(
    "FLD-060",
    needs=(),
    when=lambda capabilities: {ReadFeature.QUOTES, ReadFeature.BARS} <= capabilities.reads,
)
async def the_market_is_read(play: Play) -> None:
    """One quote, and the bars of the last minutes."""
    broker = await play.connect()
    quote = await broker.fetch_quote(play.symbol)
    bid, ask = quote.bid_price, quote.ask_price
    play.check("FLD-060", None in (bid, ask) or bid <= ask, f"bid {bid} is above ask {ask}")  # type: ignore[operator] # neither is None
    window = Window(limit=_BARS)
    async for bar in broker.fetch_bars(play.symbol, Timeframe.parse("1m"), window):
        play.check("FLD-060", bar.low <= bar.open <= bar.high, f"{bar.open} is not in its range")
        play.check("FLD-060", bar.low <= bar.close <= bar.high, f"{bar.close} is not in its range")


def _far_below(play: Play, instrument: Instrument, part: Decimal = _FAR) -> Decimal:
    wanted = play.subject.sample.price * part
    tick = instrument.tick_size
    return wanted if tick is None else wanted // tick * tick


def _held(play: Play) -> Decimal:
    held = (one.quantity for one in play.broker.state.positions if one.symbol == play.symbol)
    return sum(held, ZERO)


def _fills(play: Play, order: Order) -> list[OrderEvent]:
    return [one for one in play.events(order.client_order_id) if one.fill is not None]


def _fill_ids(play: Play, order: Order) -> list[str]:
    return [one.fill.fill_id for one in _fills(play, order) if one.fill is not None]


def _filled(play: Play, order: Order) -> Decimal:
    return sum((one.fill.quantity for one in _fills(play, order) if one.fill is not None), ZERO)
