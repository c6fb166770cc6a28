"""A venue that goes away and comes back, and the tries of a client to reach it meanwhile."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from dragoman.models import HealthState
from dragoman.times import SECOND_NS

from .routes import Route

if TYPE_CHECKING:
    from ..play import Play

__all__ = ["cut", "is_streamed", "lives_again", "stream_routes", "tries", "waits_s"]


def is_streamed(play: Play) -> bool:
    """Tell whether the subject keeps a stream open now; else it asks again and again."""
    return play.wire.open_streams > 0


def cut(play: Play) -> None:
    """Let the venue go away: what is open breaks, and nobody listens until `accept`."""
    play.wire.refuse()
    play.wire.reset_connections()


async def lives_again(play: Play, *, within_s: float = 90.0) -> bool:
    """Wait until the account is LIVE; False if it is not within so much virtual time."""
    return await play.until(lambda: play.broker.health.state is HealthState.LIVE, within_s=within_s)


def stream_routes(play: Play) -> tuple[Route, ...]:
    """Return what streams were opened by so far."""
    opened = {play.wire.exchanges[frame.exchange] for frame in play.wire.frames}
    routes = {(one.method, one.path) for one in opened}
    return tuple([Route(method=method, path=path) for method, path in sorted(routes)])


def tries(play: Play, since: int) -> list[float]:
    """Return when streams were asked for, from an exchange on, in seconds of the play's clock.

    Of a subject without streams, all that it asked.
    """
    routes = stream_routes(play)
    return [
        one.started_ns / SECOND_NS
        for one in play.wire.exchanges[since:]
        if not routes
        or any((one.method, one.path) == (route.method, route.path) for route in routes)
    ]


def waits_s(times: list[float]) -> list[float]:
    """Return the seconds between one try and the next."""
    return [later - earlier for earlier, later in pairwise(times)]
