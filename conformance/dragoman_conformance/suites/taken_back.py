"""Fills that the venue takes back: who knows of it from a list is told of it as it happens, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.capabilities import ReadFeature
from dragoman.models import OrderEvent, OrderEventKind, Window
from dragoman.models.enums import Channel

from ..looks.bare import bare
from ..looks.terms import trades
from ..scenario import Need, scenario

if TYPE_CHECKING:
    from dragoman.capabilities import Capabilities

    from ..play import Play

_SOON_S = 8.0


def _tells_fills(capabilities: Capabilities) -> bool:
    is_told = Channel.ORDERS in capabilities.streams
    return trades(capabilities) and is_told and ReadFeature.FILLS in capabilities.reads


@scenario("FIL-090", needs=(Need.VENUE,), when=_tells_fills)
async def a_fill_that_is_listed_as_taken_back_is_told_so(play: Play) -> None:
    """The venue busts the second of two executions; where the list says so, the stream does."""
    async with bare(play) as subject:
        for name in ("stands", "busted"):
            await subject.adapter.submit(subject.request(client_order_id=name))
        await play.until(lambda: len(subject.fills()) >= 2)
        fill, account = (await play.venue.fills())[-1], play.venue.account_id
        await play.venue.act(lambda engine: engine.bust(account, fill.fill_id))
        await play.pause(_SOON_S)
        rows = subject.adapter.fetch_fills(subject.account_id, Window())
        listed = {one.fill_id async for one in rows if one.is_busted}
        told = [
            one.fill.fill_id
            for one in subject.heard
            if isinstance(one, OrderEvent)
            and one.kind is OrderEventKind.FILL_BUSTED
            and one.fill is not None
        ]
        if listed:
            play.equal("FIL-090", sorted(listed), told, "fills that were told as taken back")
        play.check("FIL-090", len(told) <= 1, f"one fill was taken back, told are {told}")
