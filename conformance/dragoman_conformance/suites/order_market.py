"""What orders do when the market moves: they trade when they should, as far as they should."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.models import OrderStatus, OrderType, Side, TimeInForce

from ..looks.orders import compare_everywhere
from ..looks.terms import on_tick, resting, send_resting, takes
from ..scenario import scenario

if TYPE_CHECKING:
    from decimal import Decimal

    from dragoman.capabilities import Capabilities
    from dragoman.models import Order, OrderFields

    from ..play import Play


async def _thin(play: Play, size_part: int) -> None:
    """Let the market show so small a part of a usual order on each side, and nothing behind it."""
    sample = play.subject.sample
    tick = play.venue.instrument(play.symbol).tick_size or 0
    await play.venue.show(
        play.symbol,
        bid=sample.price - tick,
        ask=sample.price + tick,
        size=sample.quantity / size_part,
    )


def _takes_ioc(capabilities: Capabilities) -> bool:
    return takes(capabilities, OrderType.LIMIT, TimeInForce.IOC)


def _takes_fok(capabilities: Capabilities) -> bool:
    return takes(capabilities, OrderType.LIMIT, TimeInForce.FOK)


async def _immediate(play: Play, name: str, time: TimeInForce, part: int) -> None:
    """Send an order that takes what the market shows at its price, and look at what came of it."""
    await _thin(play, part)
    sample = play.subject.sample
    tick = play.venue.instrument(play.symbol).tick_size or 0
    await play.rest(time_in_force=time, client_order_id=name, limit_price=sample.price + tick)
    await play.until(lambda: play.order(name).is_terminal)


@scenario("ORD-TYPE-200", when=_takes_ioc)
async def immediate_or_cancel(play: Play) -> None:
    """Such an order takes what is there: all, a quarter or nothing; the rest is canceled."""
    await play.connect()
    whole = play.subject.sample.quantity
    await _immediate(play, "ioc-part", TimeInForce.IOC, 4)
    known = play.order("ioc-part")
    found = (known.filled_quantity, known.status in (OrderStatus.CANCELED, OrderStatus.EXPIRED))
    play.equal("ORD-TYPE-200", (whole / 4, True), found, f"a quarter, then {known.status}")
    await compare_everywhere(play, "ORD-TYPE-200", "ioc-part", "filled by a quarter")
    await _immediate(play, "ioc-all", TimeInForce.IOC, 1)
    status = play.order("ioc-all").status
    play.equal("ORD-TYPE-200", OrderStatus.FILLED, status, "where all was there")
    await compare_everywhere(play, "ORD-TYPE-200", "ioc-all", "filled whole")
    await play.rest(time_in_force=TimeInForce.IOC, client_order_id="ioc-none")
    await play.until(lambda: play.order("ioc-none").is_terminal)
    known = play.order("ioc-none")
    found = (known.filled_quantity, known.status in (OrderStatus.CANCELED, OrderStatus.EXPIRED))
    play.equal("ORD-TYPE-200", (0, True), found, f"nothing, then {known.status}")
    await compare_everywhere(play, "ORD-TYPE-200", "ioc-none", "not filled")


@scenario("ORD-TYPE-210", when=_takes_fok)
async def fill_or_kill(play: Play) -> None:
    """Such an order fills whole or not at all."""
    await play.connect()
    await _immediate(play, "fok-none", TimeInForce.FOK, 4)
    known = play.order("fok-none")
    found = (known.filled_quantity, known.status in (OrderStatus.CANCELED, OrderStatus.EXPIRED))
    play.equal("ORD-TYPE-210", (0, True), found, f"too little, then {known.status}")
    await compare_everywhere(play, "ORD-TYPE-210", "fok-none", "not filled")
    await _immediate(play, "fok-all", TimeInForce.FOK, 1)
    status = play.order("fok-all").status
    play.equal("ORD-TYPE-210", OrderStatus.FILLED, status, "where all was there")
    await compare_everywhere(play, "ORD-TYPE-210", "fok-all", "filled whole")


_TRIGGERED = (
    (OrderType.STOP, True),
    (OrderType.STOP_LIMIT, True),
    (OrderType.MARKET_IF_TOUCHED, False),
    (OrderType.LIMIT_IF_TOUCHED, False),
)


def _triggers(capabilities: Capabilities) -> bool:
    return any(takes(capabilities, order_type) for order_type, _ in _TRIGGERED)


@scenario("ORD-TYPE-220", when=_triggers)
async def orders_wait_for_their_price(play: Play) -> None:
    """Stop and if-touched orders wait while the market stands, and trade when it is there."""
    await play.connect()
    sample = play.subject.sample
    for order_type, is_stop in _TRIGGERED:
        if not takes(play.capabilities, order_type):
            continue
        for side in (Side.BUY, Side.SELL):
            name = f"wait-{order_type}-{side}".lower().replace("_", "-")
            terms = resting(play, order_type, side)
            await play.broker.submit(**terms | {"client_order_id": name})
            await play.settle()
            status = play.order(name).status
            play.equal("ORD-TYPE-220", OrderStatus.OPEN, status, f"a waiting {order_type} {side}")
            sign = side.sign if is_stop else -side.sign
            reached = on_tick(play, sample.price * (100 + 22 * sign) / 100)
            await _reach(play, reached)
            if order_type is OrderType.LIMIT_IF_TOUCHED:
                await _reach(play, on_tick(play, sample.price * (100 + 30 * sign) / 100))
            await play.until(lambda name=name: play.order(name).is_terminal)  # type: ignore[misc] # bound now
            status = play.order(name).status
            play.equal("ORD-TYPE-220", OrderStatus.FILLED, status, f"{order_type} {side} reached")
            await compare_everywhere(play, "ORD-TYPE-220", name, f"{order_type} {side} reached")
            await _reach(play, sample.price)


async def _reach(play: Play, price: Decimal) -> None:
    """Let the market stand, and trade, at a price."""
    tick = play.venue.instrument(play.symbol).tick_size or 0
    await play.venue.show(play.symbol, bid=price - tick, ask=price + tick, last=price)


def _trails(capabilities: Capabilities) -> bool:
    return takes(capabilities, OrderType.TRAILING_STOP)


@scenario("ORD-TYPE-230", when=_trails)
async def a_trailing_stop_follows_the_market(play: Play) -> None:
    """A stop that trails a rising market by a tenth is triggered by a fall of a tenth."""
    await play.connect()
    price = play.subject.sample.price
    await play.take()

    async def submit(terms: OrderFields) -> Order:
        return await play.broker.submit(**terms | {"client_order_id": "trail"})

    await send_resting(play, submit, OrderType.TRAILING_STOP, Side.SELL)
    await _reach(play, on_tick(play, price * 120 / 100))
    await _reach(play, on_tick(play, price * 112 / 100))
    await play.settle()
    play.equal("ORD-TYPE-230", OrderStatus.OPEN, play.order("trail").status, "above its level")
    await compare_everywhere(play, "ORD-TYPE-230", "trail", "a stop that has trailed")
    await _reach(play, on_tick(play, price * 107 / 100))
    await play.until(lambda: play.order("trail").is_terminal)
    play.equal("ORD-TYPE-230", OrderStatus.FILLED, play.order("trail").status, "below its level")
    await compare_everywhere(play, "ORD-TYPE-230", "trail", "a stop that was triggered")
