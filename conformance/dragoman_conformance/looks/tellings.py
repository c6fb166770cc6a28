"""What was told of an order's fills, against what the venue executed."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from dragoman.models import OrderEvent, OrderEventKind
from dragoman.times import SECOND_NS

from .agreement import disagreement

if TYPE_CHECKING:
    from ..play import Play

__all__ = ["fill_in_parts", "fills_missed", "quarters"]

_FOUR: Final = Decimal(4)


def quarters(play: Play) -> Decimal:
    """Return a quarter of the sample's quantity."""
    return play.subject.sample.quantity / _FOUR


async def fill_in_parts(play: Play, client_order_id: str, parts: int = 2) -> None:
    """Let the market come to a resting buy, a quarter of it at a time, and then go back."""
    order = play.order(client_order_id)
    if order.limit_price is None:
        raise LookupError(f"order {client_order_id} has no limit price to come to")
    tick = play.venue.instrument(order.symbol).tick_size or Decimal("0.01")
    for _ in range(parts):
        await play.venue.show(
            order.symbol,
            bid=order.limit_price - tick,
            ask=order.limit_price,
            size=quarters(play),
        )
    await play.venue.move(order.symbol, play.subject.sample.price)


async def fills_missed(play: Play, *, within_s: float = 90.0) -> str:
    """Wait until broker and venue agree; returns what is wrong with the fills told by then.

    Each fill of the venue is told once, of its price and quantity; empty where that is so.
    """
    due_ns = play.clock.monotonic_ns() + round(within_s * SECOND_NS)
    found = await disagreement(play, within_s=within_s)
    await play.settle()
    wrong = await _wrongly_told(play)
    while wrong and play.clock.monotonic_ns() < due_ns:
        await play.pause(1.0)
        wrong = await _wrongly_told(play)
    return "; ".join([*([found] if found else []), *wrong])


async def _wrongly_told(play: Play) -> list[str]:
    true = Counter((one.price, one.quantity) for one in await play.venue.fills())
    events = [one for one in play.heard if isinstance(one, OrderEvent)]
    fills = [one.fill for one in events if one.kind is OrderEventKind.FILL and one.fill is not None]
    told = Counter((one.price, one.quantity) for one in fills)
    ids = Counter(one.fill_id for one in fills)
    faults = [f"fill never told: {one}" for one in (true - told)]
    faults += [f"fill told that was none: {one}" for one in (told - true)]
    faults += [f"fill {name} told twice" for name, count in ids.items() if count > 1]
    return faults
