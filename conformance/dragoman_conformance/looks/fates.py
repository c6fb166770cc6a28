"""Waiting for fates: what a command answers, and how long what is not known may stay so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.errors import DragomanError
from dragoman.models import HealthState, OrderStatus

from ..scenario import Need

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from dragoman.models import Order

    from ..play import Play

__all__ = ["LONG_S", "ON_WIRE", "TIMEOUT_S", "UNDONE", "answer_of", "is_fit", "settled"]

ON_WIRE: Final = (Need.VENUE, Need.WIRE)
"""What scenarios about broken exchanges need."""
LONG_S: Final = 90.0
"""How long it may take until a fate is known."""
TIMEOUT_S: Final = 2.0
"""How long a caller waits."""
UNDONE: Final = frozenset({OrderStatus.UNKNOWN, OrderStatus.PENDING})
"""What an order is while its fate is open."""
_FIT: Final = frozenset({HealthState.LIVE, HealthState.DEGRADED})


async def answer_of(call: Awaitable[Order]) -> Order | DragomanError:
    """Return what a call answers: an order, or an error of the library's own."""
    try:
        return await call
    except DragomanError as error:
        return error


async def settled(play: Play, name: str) -> bool:
    """Wait until an order's fate is known; False if that takes too long."""
    return await play.until(lambda: play.order(name).status not in UNDONE, within_s=LONG_S)


async def is_fit(play: Play) -> bool:
    """Wait until orders may be sent again; False if that takes too long."""
    return await play.until(lambda: play.broker.health.state in _FIT, within_s=LONG_S)
