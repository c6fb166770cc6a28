"""A venue that asks to be left alone is left alone, by everybody, for as long as it said."""

from __future__ import annotations

import asyncio
from email.utils import formatdate
from typing import TYPE_CHECKING, Final

from dragoman.errors import BusyError, CircuitOpenError
from dragoman.models import OrderStatus
from dragoman.times import SECOND_NS

from ..chaos import HttpFault, Reply
from ..looks.abreast import abreast, failure_of
from ..looks.agreement import at_venue, disagreement
from ..looks.routes import command_route, read_route
from ..scenario import Need, scenario

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.errors import DragomanError

    from ..chaos import SeenExchange
    from ..play import Play

_BOTH: Final = (Need.VENUE, Need.WIRE)
_BUSY: Final = (BusyError, CircuitOpenError)
_WAIT_S: Final = 8.0
_LONG_S: Final = 45.0
_SLACK_S: Final = 1.5
_LONGEST_S: Final = 100.0
_OTHERS: Final = 8
_BURST: Final = 60
_IN_THE_WAY: Final = 40
_HANGS_S: Final = 20.0
_SOON_S: Final = 5.0


@scenario("LIM-010", "LIM-040", "LIM-080", needs=_BOTH)
async def seconds_to_wait_are_waited(play: Play) -> None:
    """A read is answered 429 with seconds: nobody asks anything before they are over."""
    await play.connect()
    for wait_s in (_WAIT_S, _LONG_S):
        await _left_alone(play, "LIM-010", Reply.busy(429, f"{wait_s:.0f}"), wait_s)


@scenario("LIM-020", "LIM-040", "LIM-080", needs=_BOTH)
async def a_date_to_wait_for_is_waited_for(play: Play) -> None:
    """A read is answered 429 with a date: nobody asks anything before it."""

    def reply(now_ns: int) -> Reply:
        return Reply.busy(429, formatdate(now_ns // SECOND_NS + _LONG_S, usegmt=True))

    await play.connect()
    await _left_alone(play, "LIM-020", reply, _LONG_S)


@scenario("LIM-040", "LIM-070", "LIM-080", needs=_BOTH)
async def a_ban_is_sat_out(play: Play) -> None:
    """A read is answered 418 with seconds: nobody asks anything before they are over."""
    await play.connect()
    await _left_alone(play, "LIM-070", Reply.busy(418, f"{_LONG_S:.0f}"), _LONG_S)


async def _left_alone(
    play: Play, requirement: str, reply: Reply | Callable[[int], Reply], wait_s: float
) -> None:
    """Answer one read so, and look at what is sent until the wait is over, and after it."""
    await play.settle()
    route = await read_route(play, play.broker.fetch_positions())
    trap = play.wire.add(route.toxic(HttpFault.REPLY, reply=reply, is_delivered=False))
    async with abreast() as scope:
        asked = scope.spawn(failure_of(play.broker.fetch_positions()), "the call that is refused")
        await play.until(lambda: trap.hits)
        struck_ns = play.clock.monotonic_ns()
        await play.pause(0.05)
        before = len(play.wire.exchanges)
        calls = [play.broker.fetch_account() for _ in range(_OTHERS)]
        others = [scope.spawn(failure_of(call), "another task") for call in calls]
        order = play.rest(client_order_id=f"banned{before}")
        others.append(scope.spawn(failure_of(order), "an order meanwhile"))
        await play.pause(wait_s - _SLACK_S)
        early = play.wire.exchanges[before:]
        _check_silence(play, requirement, early, wait_s)
        play.check("LIM-040", not early, f"other tasks sent {len(early)} requests meanwhile")
        _check_told(play, requirement, asked, wait_s)
        await play.pause(2 * _SLACK_S)
        await asyncio.wait([asked, *others], timeout=_LONGEST_S)
        took_s = (play.clock.monotonic_ns() - struck_ns) / SECOND_NS
        play.check("LIM-080", took_s < _LONGEST_S, f"calls still hang after {took_s:.0f} s")
        found = [one.result() for one in others if one.done()]
        is_told = all(one is None or isinstance(one, _BUSY) for one in found)
        play.check("LIM-040", is_told, f"other tasks are told {found}")
    failure = await failure_of(play.broker.fetch_positions())
    play.check("LIM-080", failure is None, f"once the wait is over: {failure!r}")
    play.wire.clear()


def _check_silence(play: Play, requirement: str, early: list[SeenExchange], wait_s: float) -> None:
    paths = [f"{one.method} {one.path}" for one in early]
    play.check(requirement, not early, f"asked to wait {wait_s} s, sent {paths[:3]} before that")


def _check_told(
    play: Play, requirement: str, asked: asyncio.Task[DragomanError | None], wait_s: float
) -> None:
    """Check that the call still waits, or has failed by an error that says for how long to wait."""
    if not asked.done():
        play.check(requirement, held=True, why="")
        return
    failure = asked.result()
    is_told = isinstance(failure, _BUSY) and failure.retry_after is not None
    play.check(requirement, is_told, f"asked to wait {wait_s} s, told as {failure!r}")
    if isinstance(failure, _BUSY) and failure.retry_after is not None:
        is_right = abs(failure.retry_after - wait_s) <= _SLACK_S
        why = f"asked to wait {wait_s} s, told {failure.retry_after} s"
        play.check(requirement, is_right, why)


@scenario("LIM-060", needs=_BOTH)
async def an_order_refused_as_one_too_many_is_not_repeated(play: Play) -> None:
    """An order is answered 429: it is sent once, and what is told of it is what became of it."""
    await play.connect(timeout_s=3.0)
    route = await command_route(play, play.rest(client_order_id="calm"), "calm")
    for number, reply in enumerate((Reply.busy(429, "2"), Reply.busy(429))):
        name, before = f"toomany{number}", route.count(play)
        play.wire.add(route.reply(reply))
        failure = await failure_of(play.rest(client_order_id=name))
        play.check("LIM-060", failure is not None, "an order answered 429 was told as taken")
        differing = await disagreement(play)
        play.check("LIM-060", not differing, differing)
        await play.pause(10.0)
        play.equal("LIM-060", 1, route.count(play) - before, "requests for an order answered 429")
        play.equal("LIM-060", 0, len(await at_venue(play, name)), "orders answered 429")
        told = play.broker.state.order(name)
        is_so = told is None or told.status is OrderStatus.REJECTED
        play.check("LIM-060", is_so, f"an order the venue never took is {told and told.status}")
        play.wire.clear()


@scenario("LIM-050", needs=_BOTH)
async def a_cancel_does_not_wait_for_reads(play: Play) -> None:
    """Many reads hang, and an order must be taken back: the cancel goes out, and is answered."""
    await play.connect(timeout_s=10.0)
    route = await read_route(play, play.broker.fetch_positions())
    order = await play.rest(client_order_id="urgent")
    play.wire.add(route.toxic(HttpFault.BLACK_HOLE, seconds=_HANGS_S, times=None))
    async with abreast() as scope:
        calls = [play.broker.fetch_positions() for _ in range(_IN_THE_WAY)]
        reads = [scope.spawn(failure_of(call), "a read in the way") for call in calls]
        await play.settle()
        started_ns = play.clock.monotonic_ns()
        failure = await failure_of(play.broker.cancel(order))
        took_s = (play.clock.monotonic_ns() - started_ns) / SECOND_NS
        play.check("LIM-050", failure is None, f"a cancel behind reads: {failure!r}")
        play.check("LIM-050", took_s <= _SOON_S, f"a cancel waited {took_s:.1f} s for reads")
        true = (await at_venue(play, "urgent"))[-1]
        play.equal("LIM-050", OrderStatus.CANCELED, true.status, "status at the venue")
        play.wire.clear()
        await asyncio.wait(reads, timeout=_LONGEST_S)


@scenario("LIM-030", needs=_BOTH)
async def a_burst_is_spread_not_refused(play: Play) -> None:
    """Many tasks read at once: all are answered, and the venue refuses none as one too many."""
    await play.connect()
    since = len(play.wire.exchanges)
    calls = [play.broker.fetch_account() for _ in range(_BURST)]
    async with asyncio.timeout(_LONGEST_S):
        found = await asyncio.gather(*[failure_of(call) for call in calls])
    failed = [one for one in found if one is not None]
    play.check("LIM-030", not failed, f"{len(failed)} of {_BURST} reads failed: {failed[:1]}")
    refused = [one for one in play.wire.exchanges[since:] if one.status in (418, 429)]
    play.check("LIM-030", not refused, f"the venue refused {len(refused)} of {_BURST} requests")
