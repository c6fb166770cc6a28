"""What happens to orders at the venue without the subject having asked for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.models import OrderType, Side

from .orders import at_venue, token

if TYPE_CHECKING:
    from decimal import Decimal

    from dragoman.models import Event, OrderRequest
    from dragoman.paper.engine import Engine

    from ..play import Play

__all__ = ["cancel_there", "crowd", "fill_there", "place_there"]


async def fill_there(
    play: Play, client_order_id: str, quantity: Decimal, price: Decimal | None = None
) -> None:
    """Let so much of an order execute, at its own price unless another is given."""
    name = (await at_venue(play, client_order_id)).client_order_id
    account = play.venue.account_id
    await play.venue.act(lambda engine: engine.execute(account, name, quantity, price))


async def cancel_there(play: Play, client_order_id: str) -> None:
    """Let the venue, or somebody else, cancel an order."""
    name = (await at_venue(play, client_order_id)).client_order_id
    account = play.venue.account_id
    await play.venue.act(lambda engine: engine.cancel(account, name))


async def place_there(play: Play, name: str, side: Side = Side.BUY) -> None:
    """Let somebody else rest a limit order in the account, in terms the subject knows."""
    request = _request(play, name, side)
    await play.venue.act(lambda engine: engine.submit(request))


def _request(play: Play, name: str, side: Side) -> OrderRequest:
    return play.request(
        order_type=OrderType.LIMIT,
        client_order_id=name,
        symbol=play.venue.name(play.symbol),
        account_id=play.venue.account_id,
        time_in_force=play.capabilities.default_time_in_force,
        limit_price=play.away(side),
        side=side,
    )


async def crowd(play: Play, count: int, start: int = 0, *, fills: bool = False) -> tuple[str, ...]:
    """Let somebody else place so many orders, all but at once, and end each; return their ids.

    They are limit orders of the sample, numbered from `start`. Each is canceled or, with `fills`,
    filled by a quarter first, buys and sells in turn.
    """
    account, part = play.venue.account_id, play.subject.sample.quantity / 4
    numbers = range(start, start + count)
    names = tuple([token(play, f"crowd-{number:04}") for number in numbers])
    sides = (Side.BUY, Side.SELL)
    requests = [_request(play, name, sides[at % 2]) for at, name in enumerate(names)]

    def place(engine: Engine) -> list[Event]:
        events: list[Event] = []
        for name, request in zip(names, requests, strict=True):
            events += engine.submit(request)
            if fills:
                events += engine.execute(account, name, part)
            events += engine.cancel(account, name)
        return events

    await play.venue.act(place)
    return names
