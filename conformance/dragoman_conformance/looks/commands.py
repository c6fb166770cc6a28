"""Which exchange carries which command of a subject: learned by watching each of them once."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Final

import attrs

from ..chaos import Reply
from .routes import Route
from .terms import changes

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from ..chaos import SeenExchange
    from ..play import Play

__all__ = ["Routes", "rehearse"]

_LETTERS: Final = string.ascii_letters + string.digits + "-_"
"""What ids are made of: two of them may begin alike, and no third one need to."""
_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


@attrs.frozen(kw_only=True)
class Routes:
    """How a subject submits, cancels, replaces and looks up; what an unknown order is answered.

    `replace` is None where the subject declares none.
    """

    submit: Route
    cancel: Route
    look_up: Route
    unknown: Reply
    replace: Route | None = None


async def rehearse(play: Play) -> Routes:
    """Submit, replace, look up and cancel two orders that rest, and see by which requests.

    Raises:
        LookupError: A command was not seen on the wire.
    """
    submits = [await _watch(play, play.rest(client_order_id=f"rehearsal-{n}")) for n in "ab"]
    replaces: list[list[SeenExchange]] = []
    if changes(play.capabilities, "limit_price"):
        price = play.away(play.order("rehearsal-a").side) * 9 / 10
        tick = play.venue.instrument(play.symbol).tick_size
        price = price if tick is None else price // tick * tick
        for n in "ab":
            change = play.broker.replace(f"rehearsal-{n}", limit_price=price)
            replaces.append(await _watch(play, change))
    cancels = [await _watch(play, play.broker.cancel(f"rehearsal-{n}")) for n in "ab"]
    looks = await _look_ups(play)
    await play.settle()
    last = looks[-1][-1]
    return Routes(
        submit=_command(submits),
        cancel=_command(cancels),
        look_up=_route(looks),
        replace=_command(replaces) if replaces else None,
        unknown=Reply(status=last.status or 404, headers=_KIND, body=last.response_body),
    )


async def _watch(play: Play, call: Awaitable[object]) -> list[SeenExchange]:
    start = len(play.wire.exchanges)
    await call
    return play.wire.exchanges[start:]


async def _look_ups(play: Play) -> list[list[SeenExchange]]:
    """Look two orders up that nobody has ever sent."""
    adapter = play.stage.make_adapter()
    account = play.broker.account_id
    try:
        await adapter.open()
        bound = adapter.for_account(account)
        return [
            await _watch(play, bound.fetch_order(account, client_order_id=name, symbol=play.symbol))
            for name in ("absent", "missing")
        ]
    finally:
        await adapter.aclose()


_KIND: Final = (("Content-Type", "application/json"),)


def _command(runs: list[list[SeenExchange]]) -> Route:
    """Return the route of the one request of each run that is no reading."""
    return _route([[seen for seen in run if seen.method not in _READS] for run in runs])


def _route(runs: list[list[SeenExchange]]) -> Route:
    if not all(runs):
        raise LookupError("a command was not seen on the wire")
    targets = [run[0].target for run in runs]
    prefix = _common_start(*targets)
    if any(target != prefix for target in targets):
        prefix = prefix.rstrip(_LETTERS)
    return Route(method=runs[0][0].method, path=prefix)


def _common_start(one: str, other: str) -> str:
    length = next(
        (at for at, (left, right) in enumerate(zip(one, other, strict=False)) if left != right),
        min(len(one), len(other)),
    )
    return one[:length]
