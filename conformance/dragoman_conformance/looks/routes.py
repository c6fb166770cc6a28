"""Which requests a call makes, seen on the wire, so that faults can be aimed at just those."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from ..chaos import HttpFault, HttpToxic

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from ..chaos import Reply, SeenExchange
    from ..play import Play

__all__ = ["Route", "command_route", "read_route"]


@attrs.frozen(kw_only=True)
class Route:
    """The requests of one method to targets that begin alike."""

    method: str
    path: str

    def toxic(self, fault: HttpFault, **changes: Any) -> HttpToxic:  # noqa: ANN401 - those of a toxic
        """Return a toxic for these requests, which strikes once if nothing else is said."""
        return HttpToxic(fault=fault, method=self.method, path=self.path, **changes)

    def reply(
        self, reply: Reply, *, is_delivered: bool = False, times: int | None = 1
    ) -> HttpToxic:
        """Return a toxic that tells a reply of the kit's own instead of the venue's."""
        return self.toxic(HttpFault.REPLY, reply=reply, is_delivered=is_delivered, times=times)

    def count(self, play: Play) -> int:
        """Return how many such requests have come to the wire."""
        return play.wire.count(self.method, self.path)

    def seen(self, play: Play, since: int = 0) -> list[SeenExchange]:
        """Return such exchanges, from the one of a number on."""
        return [
            one
            for one in play.wire.exchanges[since:]
            if one.method == self.method and one.target.startswith(self.path)
        ]


async def command_route(play: Play, call: Awaitable[object], *ids: str | None) -> Route:
    """Return the route of a command that is carried out; `ids` are names that may stand in it."""
    before = len(play.wire.exchanges)
    await call
    made = [one for one in play.wire.exchanges[before:] if one.status != 101]
    writing = [one for one in made if one.method != "GET"]
    return _route((writing or made)[-1:], ids)


async def read_route(play: Play, call: Awaitable[object], *ids: str | None) -> Route:
    """Return the route of the last request that a read makes; `ids` likewise."""
    before = len(play.wire.exchanges)
    await call
    return _route([one for one in play.wire.exchanges[before:] if one.status != 101][-1:], ids)


def _route(made: Sequence[SeenExchange], ids: Sequence[str | None]) -> Route:
    if not made:
        raise LookupError("the call made no request")
    path = made[0].path
    places = [path.find(one) for one in ids if one]
    return Route(
        method=made[0].method, path=path[: min([at for at in places if at > 0], default=None)]
    )
