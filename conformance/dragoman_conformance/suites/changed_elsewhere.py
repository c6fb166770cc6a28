"""Orders that somebody else changes: what had filled before the change still counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.models import OrderChange, OrderStatus, OrderType

from ..looks.acts import fill_there
from ..looks.bare import bare
from ..looks.orders import at_venue, compare
from ..looks.terms import on_tick, rests
from ..scenario import scenario

if TYPE_CHECKING:
    from decimal import Decimal

    from ..play import Play

_NAME = "changed"


async def _change_there(play: Play, **changes: Decimal) -> None:
    """Let somebody else change the order, straight at the venue."""
    name, account = (await at_venue(play, _NAME)).client_order_id, play.venue.account_id
    change = OrderChange(**changes)  # type: ignore[arg-type] # each is an amount
    await play.venue.act(lambda engine: engine.replace(account, name, change))


@scenario("ORD-LIFE-140", when=rests)
async def an_order_is_changed_elsewhere(play: Play) -> None:
    """A half-filled order is made larger by somebody else, and fills further, at another price."""
    broker = await play.connect()
    whole = play.subject.sample.quantity
    order = await play.rest(client_order_id=_NAME)
    price = order.limit_price or play.subject.sample.price
    lower = on_tick(play, price * 99 / 100)
    await fill_there(play, _NAME, whole / 2)
    await play.until(lambda: play.order(_NAME).filled_quantity == whole / 2)
    await _change_there(play, quantity=whole * 2, limit_price=lower)
    await play.until(lambda: play.order(_NAME).quantity == whole * 2)
    there = await at_venue(play, _NAME)
    compare(play, "ORD-LIFE-140", play.order(_NAME), there, "made larger elsewhere")
    await fill_there(play, _NAME, whole, lower)
    await play.until(lambda: play.order(_NAME).filled_quantity == whole * 3 / 2)
    there = await at_venue(play, _NAME)
    compare(play, "ORD-LIFE-140", play.order(_NAME), there, "then filled further")
    for listed in await broker.fetch_open_orders():
        compare(play, "ORD-LIFE-140", listed, there, "then filled further, as listed")
    await broker.cancel(_NAME)
    await play.until(lambda: play.order(_NAME).is_terminal)
    found = (play.order(_NAME).status, play.order(_NAME).filled_quantity)
    play.equal("ORD-LIFE-140", (OrderStatus.CANCELED, whole * 3 / 2), found, "at its end")
    left = await play.venue.open_orders()
    play.equal("ORD-LIFE-140", (), left, "open at the venue at its end")


@scenario("ORD-LIFE-140", when=rests)
async def the_adapter_alone_tells_what_was_changed_elsewhere(play: Play) -> None:
    """An adapter that saw nothing of it finds such an order whole: open, and ended."""
    async with bare(play, streams=False) as subject:
        request = subject.request(order_type=OrderType.LIMIT, client_order_id=_NAME)
        order = await subject.adapter.submit(request)
        whole = play.subject.sample.quantity
        price = order.limit_price or play.subject.sample.price
        lower = on_tick(play, price * 99 / 100)
        await fill_there(play, _NAME, whole / 2)
        await play.settle()
        await _change_there(play, quantity=whole * 2, limit_price=lower)
        await fill_there(play, _NAME, whole, lower)
        await play.settle()
        there = await at_venue(play, _NAME)
        listed = await subject.adapter.fetch_open_orders(subject.account_id)
        play.equal("ORD-LIFE-140", 1, len(listed), "orders listed")
        for one in listed:
            compare(play, "ORD-LIFE-140", one, there, "as listed")
        for what in ("open", "ended"):
            seen = await subject.look_up(_NAME)
            if play.check("ORD-LIFE-140", seen is not None, f"{what}: not found") and seen:
                compare(play, "ORD-LIFE-140", seen, there, f"{what}, as looked up")
            if what == "open":
                await fill_there(play, _NAME, whole / 2, lower)
                await play.settle()
                there = await at_venue(play, _NAME)
