"""Outages of a part of the venue: one kind of read fails while an order ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.models import OrderEvent, OrderStatus, OrderType
from dragoman.models.enums import Channel

from ..chaos import Reply
from ..looks.acts import cancel_there
from ..looks.bare import bare
from ..looks.routes import Route
from ..looks.terms import rests
from ..scenario import Need, scenario

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dragoman.capabilities import Capabilities

    from ..play import Play

_MOST: Final = 8
_SWITCHED: Final = 101
_AWAY_S: Final = 15.0
"""Longer than a read is tried again within one call."""
_LONG_S: Final = 60.0


def _tells_orders(capabilities: Capabilities) -> bool:
    return rests(capabilities) and Channel.ORDERS in capabilities.streams


@scenario("REC-040", needs=(Need.VENUE, Need.WIRE), when=_tells_orders)
async def an_end_is_told_though_one_read_fails(play: Play) -> None:
    """For each read the adapter makes: it fails for 15 s, and an order is canceled elsewhere."""
    async with bare(play) as subject:
        before = len(play.wire.exchanges)
        paths: list[str] = []
        for number in range(_MOST):
            name = f"part-{number}"
            request = subject.request(order_type=OrderType.LIMIT, client_order_id=name)
            await subject.adapter.submit(request)
            await play.settle()
            path = paths[number - 1] if number else ""
            if path:
                route = Route(method="GET", path=path)
                play.wire.add(route.reply(Reply.busy(503), times=None))
            await cancel_there(play, name)
            await play.pause(_AWAY_S if path else 1.5)
            play.wire.clear()
            wire_name = subject.adapter.wire_client_id(name, 0)
            await play.until(
                lambda wire_name=wire_name: wire_name in _ended(subject.heard),  # type: ignore[misc] # bound now
                within_s=_LONG_S,
            )
            held = wire_name in _ended(subject.heard)
            play.check("REC-040", held, f"the end of an order while GET {path or 'nothing'} failed")
            if not number:
                paths = _read_paths(play, before)
            if number >= len(paths):
                return


def _read_paths(play: Play, since: int) -> list[str]:
    """Return the paths of the reads that were answered since then, up to their queries."""
    seen = play.wire.exchanges[since:]
    reads = [one for one in seen if one.method == "GET" and one.status != _SWITCHED]
    return sorted({"".join(one.target.partition("?")[:2]) for one in reads})


def _ended(heard: Sequence[object]) -> set[str]:
    told = [one for one in heard if isinstance(one, OrderEvent)]
    return {one.order.client_order_id for one in told if one.order.status is OrderStatus.CANCELED}
