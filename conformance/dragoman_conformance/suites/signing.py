"""Signatures, recomputed over the bytes that came in: right, fresh, and never twice the same."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from typing import TYPE_CHECKING, Final

from dragoman.errors import AuthenticationError, DragomanError
from dragoman.models import OrderStatus, Window
from dragoman.times import HOUR_NS, SECOND_NS

from ..chaos import Reply
from ..looks.abreast import failure_of
from ..looks.bare import bare
from ..looks.outages import stream_routes
from ..looks.routes import read_route
from ..looks.skew import SkewedClock
from ..scenario import Need, scenario

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..chaos import SeenExchange
    from ..play import Play
    from ..subject import Subject

_BOTH: Final = (Need.VENUE, Need.WIRE)
_ODD: Final = ("A B", "a/b", "\u00fc\u20ac", "x&y=z", "p%20q", "r+s", "t?u#v", "~'()*!")
_CALLS: Final = 40
_SKEWS_S: Final = (-45, 45)


def _signs(subject: Subject) -> bool:
    return subject.verify_signature is not None


def _verify(play: Play, requirement: str, exchanges: Sequence[SeenExchange], what: str) -> None:
    """Check the signature of every request, over the bytes that came in."""
    verify = play.subject.verify_signature
    if verify is None:
        return
    secrets = play.subject.canaries()
    for one in exchanges:
        headers = dict(one.request_headers)
        fault = verify(one.method, one.target, headers, one.request_body, secrets)
        why = f"{what}: {one.method} {one.target[:80]}: {fault}"
        play.check(requirement, fault is None, why, exchange=one.number)
    refused = [f"{one.method} {one.path}" for one in exchanges if one.venue_status == 401]
    play.check(requirement, not refused, f"{what}: the venue refused {refused[:2]}")


@scenario("SIG-010", fits=_signs, needs=_BOTH)
async def everything_of_a_session_is_signed(play: Play) -> None:
    """A whole session, of reads and commands: each request is signed over what was sent."""
    await play.connect()
    order = await play.rest(client_order_id="signed1")
    if "limit_price" in play.capabilities.replace.fields:
        tick = play.venue.instrument(play.symbol).tick_size or 0
        order = await play.broker.replace(order, limit_price=order.limit_price - tick)  # type: ignore[operator]
    await play.broker.fetch_order(order)
    await play.broker.fetch_open_orders()
    await play.broker.fetch_positions()
    window = Window(start_ns=play.clock.now_ns() - HOUR_NS, end_ns=play.clock.now_ns())
    with contextlib.suppress(DragomanError):
        [one async for one in play.broker.fetch_orders(window)]
    await play.broker.cancel(order)
    _verify(play, "SIG-010", play.wire.exchanges, "a session")


@scenario("SIG-020", fits=_signs, needs=_BOTH)
async def what_is_escaped_is_signed_as_it_is_sent(play: Play) -> None:
    """Names with letters that paths and queries must escape: signed as they stand on the wire."""
    async with bare(play, streams=False) as found:
        since = len(play.wire.exchanges)
        for text in _ODD:
            for call in (
                found.adapter.fetch_instrument(text),
                found.adapter.search_instruments(text),
                found.adapter.fetch_positions(found.account_id, text),
                found.adapter.fetch_open_orders(found.account_id, text),
                found.adapter.fetch_quotes([text, play.symbol]),
            ):
                failure = await failure_of(call)
                is_refused = isinstance(failure, AuthenticationError)
                play.check("SIG-020", not is_refused, f"asked for {text!r}: {failure!r}")
        _verify(play, "SIG-020", play.wire.exchanges[since:], "escaped")


@scenario("SIG-030", fits=_signs, needs=_BOTH)
async def a_clock_that_is_wrong_is_corrected(play: Play) -> None:
    """The client's clock is wrong by far: its requests are dated as the venue's time is."""
    for ahead_s in _SKEWS_S:
        clock = SkewedClock(play.clock, ahead_s * SECOND_NS)
        try:
            await play.connect(clock=clock)
            order = await play.rest(client_order_id=f"skewed{ahead_s + 100}")
        except DragomanError as error:
            play.check("SIG-030", held=False, why=f"a clock wrong by {ahead_s} s: {error!r}")
            continue
        play.equal("SIG-030", OrderStatus.OPEN, order.status, f"an order, wrong by {ahead_s} s")
        await play.broker.cancel(order)
        await play.disconnect()


@scenario("SIG-040", fits=_signs, needs=_BOTH)
async def no_two_requests_are_signed_alike(play: Play) -> None:
    """Many requests at once, of two connections of the same key: no two proofs are the same."""
    await play.connect()
    second = await play.stage.connect()
    since = len(play.wire.exchanges)
    calls = [
        one.fetch_account() if number % 2 else one.fetch_positions()
        for number in range(_CALLS // 2)
        for one in (play.broker, second)
    ]
    failures = [one for one in await asyncio.gather(*map(failure_of, calls)) if one is not None]
    play.check("SIG-040", not failures, f"{len(failures)} of {_CALLS} failed: {failures[:1]}")
    made = play.wire.exchanges[since:]
    heads = Counter(tuple(sorted(one.request_headers)) for one in made)
    twice = sum(count - 1 for count in heads.values())
    play.equal("SIG-040", 0, twice, "requests that carry the proof of another")
    _verify(play, "SIG-040", made, "at once")


@scenario("SIG-050", fits=_signs, needs=_BOTH)
async def what_is_tried_again_is_signed_again(play: Play) -> None:
    """A read is tried again, and a stream opened again: each time with a proof of its own."""
    await play.connect()
    route = await read_route(play, play.broker.fetch_positions())
    since = len(play.wire.exchanges)
    play.wire.add(route.reply(Reply.html(503), times=1))
    await failure_of(play.broker.fetch_positions())
    await failure_of(play.broker.fetch_positions())
    heads = [one.request_headers for one in route.seen(play, since)]
    play.check("SIG-050", len(set(heads)) == len(heads) > 1, f"{len(heads)} tries signed alike")
    _verify(play, "SIG-050", route.seen(play, since), "tried again")
    since = len(play.wire.exchanges)
    play.clock.step(60 * SECOND_NS)
    play.wire.reset_streams()
    await play.pause(10.0)
    is_back = play.wire.open_streams > 0 or not stream_routes(play)
    play.check("SIG-050", is_back, "the stream does not come back")
    refused = [one for one in play.wire.exchanges[since:] if one.venue_status == 401]
    play.check("SIG-050", not refused, f"the venue refused {len(refused)} requests signed again")
