"""Looking an order up: only the venue's own word says that it is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.errors import DragomanError

from ..chaos import HttpFault, HttpToxic, Reply
from ..looks.terms import rests
from ..scenario import Need, scenario

if TYPE_CHECKING:
    from ..play import Play

_NONSENSE: Final = {
    "a page of HTML": Reply.html(),
    "an empty body": Reply(status=200, body=b""),
    "a body that breaks off": Reply.json(b'{"id": "1'),
    "a number": Reply.json(b"17"),
    "a page of HTML with status 500": Reply.html(500),
}


@scenario("ERR-070", needs=(Need.VENUE, Need.WIRE), when=rests)
async def a_look_up_without_a_sensible_answer_is_no_absence(play: Play) -> None:
    """The order is there, and what answers the look-up is not the venue."""
    broker = await play.connect()
    order = await play.rest(client_order_id="look-1")
    account_id = broker.account_id
    await play.disconnect()
    adapter = play.stage.make_adapter(account_id)
    try:
        await adapter.open()
        for what, reply in _NONSENSE.items():
            play.wire.add(HttpToxic(fault=HttpFault.REPLY, method="GET", times=None, reply=reply))
            for ids in (
                {"client_order_id": order.client_order_id},
                {"venue_order_id": order.venue_order_id},
            ):
                looked = adapter.fetch_order(account_id, symbol=order.symbol, **ids)
                await play.fails("ERR-070", looked, DragomanError, f"a look-up told {what}")
            play.wire.clear()
            await play.pause(40)
    finally:
        await adapter.aclose()
