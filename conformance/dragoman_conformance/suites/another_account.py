"""Another account: what is asked of one is never answered with, or done to, a different one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from dragoman.capabilities import ReadFeature
from dragoman.errors import DragomanError
from dragoman.models import OrderType, Window
from dragoman.times import HOUR_NS

from ..looks.bare import bare
from ..looks.terms import rests
from ..scenario import Need, scenario

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from dragoman.adapter import Adapter

    from ..play import Play

_OTHER: Final = "kitnonesuch"


@scenario("ERR-120", needs=(Need.VENUE,), when=rests)
async def another_account_is_not_the_own(play: Play) -> None:
    """An account that the keys do not reach is read and traded on; the own one has an order."""
    async with bare(play, streams=False) as subject:
        adapter = subject.adapter
        await adapter.submit(subject.request(client_order_id="held1"))
        request = subject.request(order_type=OrderType.LIMIT, client_order_id="own1")
        order = await adapter.submit(request)
        await play.settle()
        for what, read in _reads(play, adapter):
            try:
                found = await read()
            except DragomanError:
                continue
            play.check("ERR-120", not found, f"{what} of another account: {found!r:.200}")
        strange = attrs.evolve(request, account_id=_OTHER, client_order_id="strange1")
        foreign = attrs.evolve(order, account_id=_OTHER)
        await play.fails(
            "ERR-120", adapter.submit(strange), DragomanError, "an order for another account"
        )
        await play.fails(
            "ERR-120", adapter.cancel(foreign), DragomanError, "a cancel on another account"
        )
        await play.settle()
        there = [one.client_order_id for one in await play.venue.open_orders()]
        mine = adapter.wire_client_id("own1", 0)
        play.equal("ERR-120", [mine], there, "open at the venue after acts on another account")


def _reads(play: Play, adapter: Adapter) -> list[tuple[str, Callable[[], Awaitable[object]]]]:
    """Return every read of an account that is declared, asked of another one."""
    now_ns, declared = play.clock.now_ns(), play.capabilities.reads
    window = Window(start_ns=now_ns - HOUR_NS, end_ns=now_ns + HOUR_NS)
    found: list[tuple[str, Callable[[], Awaitable[object]]]] = [
        ("an order", lambda: adapter.fetch_order(_OTHER, client_order_id="own1")),
        ("open orders", lambda: adapter.fetch_open_orders(_OTHER)),
        ("positions", lambda: adapter.fetch_positions(_OTHER)),
    ]
    if ReadFeature.ORDER_HISTORY in declared:
        found.append(("the history", lambda: _all(adapter.fetch_orders(_OTHER, window))))
    if ReadFeature.FILLS in declared:
        found.append(("fills", lambda: _all(adapter.fetch_fills(_OTHER, window))))
    if ReadFeature.LEDGER in declared:
        found.append(("the ledger", lambda: _all(adapter.fetch_ledger(_OTHER, window))))
    return found


async def _all(rows: AsyncIterator[object]) -> list[object]:
    return [row async for row in rows]
