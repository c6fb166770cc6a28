"""Exits that somebody else put on an order: until it fills they are held, not open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.models import Exit, OrderStatus, OrderType

from ..looks.bare import bare
from ..looks.orders import as_it_stands
from ..looks.terms import on_tick, rests
from ..scenario import Need, scenario

if TYPE_CHECKING:
    from ..play import Play

_NAMES = ("side", "order_type", "status", "quantity", "filled_quantity", "limit_price")


@scenario("ORD-LIFE-230", needs=(Need.VENUE,), when=rests)
async def exits_of_others_are_held(play: Play) -> None:
    """Somebody else rests an entry with a stop and a target; each is told as it stands."""
    async with bare(play, streams=False) as subject:
        price = play.subject.sample.price
        request = play.request(
            order_type=OrderType.LIMIT,
            client_order_id="guarded",
            symbol=play.venue.name(play.symbol),
            account_id=play.venue.account_id,
            time_in_force=play.capabilities.default_time_in_force,
            stop_loss=Exit(price=on_tick(play, price / 4)),
            take_profit=Exit(price=on_tick(play, price * 2)),
        )
        await play.venue.act(lambda engine: engine.submit(request))
        await play.settle()
        there = await play.venue.open_orders()
        held = [one for one in there if one.status is OrderStatus.HELD]
        play.equal("ORD-LIFE-230", 2, len(held), "exits held at the venue")
        listed = await subject.adapter.fetch_open_orders(subject.account_id)
        found = {(one.side, one.order_type): one for one in listed}
        for one in there:
            told = found.get((one.side, one.order_type))
            what = f"the {one.order_type} {one.side} of somebody else"
            if play.check("ORD-LIFE-230", told is not None, f"{what} is not listed") and told:
                wrong = list(as_it_stands(told, one, names=_NAMES))
                play.check("ORD-LIFE-230", not wrong, f"{what}: {'; '.join(wrong)}")
