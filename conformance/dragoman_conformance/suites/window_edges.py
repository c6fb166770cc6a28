"""The edges of windows: one nanosecond that holds something, and those before and behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.capabilities import ReadFeature
from dragoman.models import Window

from ..looks.terms import rests, trades
from ..scenario import Need, scenario

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dragoman.capabilities import Capabilities

    from ..play import Play

_PAUSES = (0.1234567, 1.0000004, 0.0419999)
"""Seconds that end between two thousandths, so that an edge is in the middle of one."""


def _lists_both(capabilities: Capabilities) -> bool:
    wanted = {ReadFeature.FILLS, ReadFeature.ORDER_HISTORY}
    return trades(capabilities) and rests(capabilities) and wanted <= capabilities.reads


@scenario("TIM-070", needs=(Need.VENUE,), when=_lists_both)
async def a_window_of_one_nanosecond(play: Play) -> None:
    """Orders fill at odd instants; each is in the window of its own, as it is told, alone."""
    await play.connect()
    for number, seconds in enumerate(_PAUSES):
        await play.pause(seconds)
        await play.take(client_order_id=f"edge-{number}")
    await play.settle()
    fills = [(one.venue_time_ns, one.fill_id) async for one in play.broker.fetch_fills()]
    orders = [
        (one.created_at_ns, one.client_order_id)
        async for one in play.broker.fetch_orders()
        if one.created_at_ns is not None
    ]
    play.equal("TIM-070", len(_PAUSES), len({at for at, _ in fills}), "instants of fills")
    await _edges(play, "fills", fills, lambda window: _fills(play, window))
    await _edges(play, "orders", orders, lambda window: _orders(play, window))


async def _edges(
    play: Play,
    what: str,
    told: list[tuple[int, str]],
    read: Callable[[Window], Awaitable[list[str]]],
) -> None:
    for at_ns, _ in told:
        for window in (
            Window(start_ns=at_ns, end_ns=at_ns + 1),
            Window(start_ns=at_ns + 1),
            Window(end_ns=at_ns),
            Window(end_ns=at_ns + 1),
        ):
            expected = [name for instant_ns, name in told if window.covers(instant_ns)]
            play.equal("TIM-070", expected, await read(window), f"{what} of {window}")


async def _fills(play: Play, window: Window) -> list[str]:
    return [one.fill_id async for one in play.broker.fetch_fills(window)]


async def _orders(play: Play, window: Window) -> list[str]:
    return [one.client_order_id async for one in play.broker.fetch_orders(window)]
