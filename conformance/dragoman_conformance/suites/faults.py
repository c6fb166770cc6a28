"""Every fault of the table, struck at every kind of deed: what is told stays true."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING, Final

from dragoman.errors import BusyError, DragomanError, Outcome, TransportError
from dragoman.models import HealthState, OrderStatus, Quarantined

from ..chaos import FrameFault, FrameToxic, HttpFault, Reply
from ..chaos.thief import Thief
from ..looks.agreement import at_venue, disagreement
from ..looks.breakages import EXCHANGE_BREAKAGES, WAIT_S
from ..looks.deeds import Deeds
from ..looks.outages import is_streamed, lives_again, tries
from ..looks.tellings import fill_in_parts, fills_missed
from ..scenario import Need, scenario

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..looks.breakages import Breakage
    from ..looks.routes import Route
    from ..play import Play

_BOTH: Final = (Need.VENUE, Need.WIRE)


_UNSEEN: Final = frozenset({"W03", "W04"})
"""Where the stream tells nothing of an order either: only asking shows what became of it."""


async def _strike(play: Play, deeds: Deeds, breakage: Breakage) -> None:
    """Do everything while its requests break in one way."""
    symbols = [name for pair in play.subject.sample.names_at_venue.items() for name in pair]

    def arm(route: Route) -> None:
        play.wire.add(breakage.make(route, symbols))

    def arm_unseen(route: Route) -> None:
        arm(route)
        if breakage.number in _UNSEEN:
            play.wire.add(FrameToxic(fault=FrameFault.DROP, times=None))

    what = breakage.title
    errors = [
        await deeds.read(f"read, {what}", arm),
        await deeds.submit(f"submit, {what}", arm_unseen),
        await deeds.cancel(f"cancel, {what}", arm),
        await deeds.replace(f"replace, {what}", arm),
    ]
    if breakage.is_harmless:
        raised = [error for error in errors if error is not None]
        play.check(_id(breakage.number), not raised, f"{what}: is harmless, and raised {raised}")


def _id(number: str) -> str:
    return f"FLT-{int(number[1:]) * 10:03d}"


def _add(number: str, name: str) -> None:
    """Add the scenario of all ways in which one fault of the table shows."""

    async def act(play: Play) -> None:
        deeds = Deeds(play, _id(number))
        await deeds.learn()
        for breakage in EXCHANGE_BREAKAGES:
            if breakage.number == number:
                await _strike(play, deeds, breakage)
                await play.pause(WAIT_S)

    act.__name__ = name
    scenario(_id(number), needs=_BOTH)(act)


for _number, _name in {
    "W02": "an_answer_that_a_reset_swallows",
    "W03": "an_answer_that_a_reset_cuts",
    "W04": "an_answer_that_ends_too_early",
    "W05": "silence_instead_of_an_answer",
    "W06": "silence_within_an_answer",
    "W07": "an_internal_error",
    "W08": "a_page_of_a_gateway",
    "W09": "a_venue_that_is_not_available",
    "W10": "a_gateway_that_gave_up",
    "W11": "too_many_requests_with_seconds",
    "W12": "too_many_requests_with_a_date",
    "W13": "credentials_refused_within_a_session",
    "W14": "an_access_forbidden",
    "W15": "an_answer_that_is_no_json",
    "W16": "an_answer_of_another_shape",
    "W17": "words_nobody_has_heard_of",
    "W18": "fields_nobody_has_heard_of",
    "W19": "nulls_where_values_were",
    "W20": "an_empty_answer",
    "W21": "an_error_in_a_success",
}.items():
    _add(_number, _name)


@scenario("FLT-010", needs=_BOTH)
async def a_venue_that_refuses_connections(play: Play) -> None:
    """Nobody listens any more: nothing is sent, and all is well once somebody does."""
    deeds = Deeds(play, "FLT-010")
    await deeds.learn()
    sent = deeds.routes["submit"].count(play)
    play.wire.refuse()
    play.wire.reset_connections()
    await play.settle()

    read = play.broker.fetch_positions()
    await play.fails("FLT-010", read, (TransportError, BusyError), "a read of a venue that refuses")
    send = play.rest(client_order_id="refused")
    error = await play.fails("FLT-010", send, DragomanError, "an order to a venue that refuses")
    if error is not None:
        play.equal("FLT-010", Outcome.NOT_SENT, error.outcome, "outcome of an order never sent")
    await play.wire.accept()
    differing = await disagreement(play)
    play.check("FLT-010", not differing, f"once the venue listens again: {differing}")
    play.equal("FLT-010", 0, len(await at_venue(play, "refused")), "orders that were never sent")
    play.equal("FLT-010", sent, deeds.routes["submit"].count(play), "requests for orders")
    await play.pause(5)  # sending may be suspended a little longer
    await play.until(lambda: play.broker.health.state is HealthState.LIVE, within_s=60)
    order = await play.rest(client_order_id="after")
    play.equal("FLT-010", OrderStatus.OPEN, order.status, "an order once the venue listens again")


@scenario("FLT-290", needs=_BOTH)
async def a_redirect_to_another_host(play: Play) -> None:
    """Somebody in between sends the client elsewhere: nothing is ever sent there."""
    deeds = Deeds(play, "FLT-290")
    await deeds.learn()
    async with Thief() as thief:

        def arm(route: Route) -> None:
            reply = Reply.redirect(status, thief.url + route.path)
            play.wire.add(route.reply(reply))

        for status in (302, 307):
            await deeds.read(f"read, redirected with {status}", arm)
            await deeds.submit(f"submit, redirected with {status}", arm)
            await deeds.cancel(f"cancel, redirected with {status}", arm)
            await deeds.replace(f"replace, redirected with {status}", arm)
        play.equal("FLT-290", 0, thief.connects, "connections to where a redirect led")


@scenario("FLT-300", needs=_BOTH)
async def a_market_order_whose_answer_is_lost(play: Play) -> None:
    """An order is taken and filled, and no answer comes: its fills are told, once."""
    deeds = Deeds(play, "FLT-300")
    await deeds.learn()
    for fault in (HttpFault.RESET_AFTER_REQUEST, HttpFault.BLACK_HOLE):
        route, name = deeds.routes["submit"], fault.value.lower().replace("_", "")[:20]
        before = route.count(play)
        play.wire.add(route.toxic(fault))
        with contextlib.suppress(DragomanError):
            await play.broker.submit(**play.terms(client_order_id=name))
        missed = await fills_missed(play)
        play.check("FLT-300", not missed, f"{fault}: {missed}")
        play.equal("FLT-300", 1, route.count(play) - before, f"{fault}: requests for the order")
        play.equal("FLT-300", OrderStatus.FILLED, play.order(name).status, f"{fault}: its status")
        play.wire.clear()


_ABNORMAL: Final = 1006
_FRAMES: Final = {
    "FLT-220": FrameToxic(fault=FrameFault.DUPLICATE, times=None),
    "FLT-230": FrameToxic(fault=FrameFault.SWAP),
    "FLT-240": FrameToxic(fault=FrameFault.DROP, skip=1),
    "FLT-270": FrameToxic(fault=FrameFault.SPLIT, times=None, seconds=0.01),
    "FLT-280": FrameToxic(fault=FrameFault.REPLACE, payload=b'{"a":"%s"}' % (b"x" * 6_000_000)),
}


_HARMLESS: Final = frozenset({"FLT-220", "FLT-270"})
"""What costs no connection."""


def _add_frames(requirement: str, toxic: FrameToxic, name: str) -> None:
    """Add the scenario of one fault of the private stream, in the midst of fills."""

    async def act(play: Play) -> None:
        await play.connect()
        await play.rest(client_order_id="streamed")
        streams = len(play.wire.exchanges) - 1 if is_streamed(play) else None
        play.wire.add(toxic)
        await fill_in_parts(play, "streamed")
        missed = await fills_missed(play, within_s=8.0 if requirement in _HARMLESS else 90.0)
        play.check(requirement, not missed, missed)
        if requirement in _HARMLESS and streams is not None:
            again = tries(play, streams)
            play.check(requirement, not again, f"the stream was opened anew {len(again)} times")
            odd = [one for one in play.heard if isinstance(one, Quarantined)]
            play.check(requirement, not odd, f"not understood: {odd[:1]}")
        play.wire.clear()
        await play.rest(client_order_id="later")
        await fill_in_parts(play, "later", parts=4)
        missed = await fills_missed(play)
        play.check(requirement, not missed, f"once nothing is struck any more: {missed}")

    act.__name__ = name
    scenario(requirement, needs=_BOTH)(act)


for _id_of_frames, _name in {
    "FLT-220": "events_told_twice",
    "FLT-230": "events_out_of_order",
    "FLT-240": "an_event_that_is_lost",
    "FLT-270": "messages_in_pieces",
    "FLT-280": "a_message_far_too_long",
}.items():
    _add_frames(_id_of_frames, _FRAMES[_id_of_frames], _name)


def _add_closings(codes: tuple[int, int], name: str) -> None:
    """Add the scenario of a stream that is closed with one code, and later with another."""

    async def act(play: Play) -> None:
        await play.connect()
        for code in codes:
            order = f"code{code}"
            await play.rest(client_order_id=order)
            if code == _ABNORMAL:
                play.wire.reset_streams()
            else:
                await play.wire.close_streams(code)
            await fill_in_parts(play, order)
            missed = await fills_missed(play)
            play.check("FLT-250", not missed, f"closed with {code}: {missed}")
            is_live = await lives_again(play)
            play.check("FLT-250", is_live, f"closed with {code}: {play.broker.health}")
            await play.broker.cancel_all()

    act.__name__ = name
    scenario("FLT-250", needs=_BOTH)(act)


for _codes, _name in {
    (1000, 1001): "a_stream_that_is_closed_in_order",
    (1006, 1011): "a_stream_that_is_closed_by_a_failure",
    (1012, 1013): "a_stream_that_is_closed_for_later",
}.items():
    _add_closings(_codes, _name)


def _has_ended(play: Play, client_order_id: str) -> bool:
    return play.order(client_order_id).is_terminal


async def _fall_silent(play: Play, fall_silent: Callable[[], None]) -> None:
    """Let the open streams say nothing more, and look at what is told of the time after that."""
    await play.rest(client_order_id="silent")
    fall_silent()
    await fill_in_parts(play, "silent")
    missed = await fills_missed(play, within_s=120.0)
    play.check("FLT-260", not missed, missed)
    await lives_again(play)
    await play.broker.cancel_all()
    await play.rest(client_order_id="later")
    await fill_in_parts(play, "later", parts=4)
    is_told = await play.until(partial(_has_ended, play, "later"), within_s=8)
    play.check("FLT-260", is_told, "it never came back to life")


@scenario("FLT-260", needs=_BOTH)
async def a_peer_that_vanishes(play: Play) -> None:
    """The peer vanishes without a word: that is found out, and nothing is lost."""
    await play.connect()
    await _fall_silent(play, play.wire.freeze_streams)


@scenario("FLT-260", needs=_BOTH)
async def a_stream_that_only_answers_pings(play: Play) -> None:
    """The peer says nothing but pongs: that is found out, and nothing is lost."""
    await play.connect()
    await _fall_silent(play, play.wire.mute_streams)
