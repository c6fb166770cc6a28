"""How fates are found out: by lookups that fail, come late, or belong to the next process."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

from dragoman.errors import ConnectFailedError, DragomanError, Outcome, OutcomeUnknownError
from dragoman.models import Order, OrderEventKind, OrderStatus, OrderType

from ..chaos import HttpFault, HttpToxic, Reply
from ..looks.bare import bare
from ..looks.commands import rehearse
from ..looks.fates import LONG_S, ON_WIRE, TIMEOUT_S, answer_of, is_fit, settled
from ..looks.lives import kinds
from ..looks.orders import compare_with_venue
from ..looks.terms import rests
from ..scenario import scenario

if TYPE_CHECKING:
    from dragoman.capabilities import Capabilities

    from ..looks.commands import Routes
    from ..play import Play


@scenario("ORD-AMB-100", needs=ON_WIRE, when=rests)
async def an_order_that_was_never_sent_may_be_sent(play: Play) -> None:
    """Nobody listens: nothing was sent, so the same order may be sent once somebody does."""
    await play.connect()
    await rehearse(play)
    play.wire.refuse()
    play.wire.reset_connections()
    await play.settle()
    answer = await answer_of(play.rest(client_order_id="unsent", timeout_s=TIMEOUT_S))
    is_told = isinstance(answer, DragomanError) and answer.outcome is Outcome.NOT_SENT
    play.check("ORD-AMB-100", is_told, f"nobody listened, and told is {answer!r}")
    play.check(
        "ORD-AMB-100",
        not isinstance(answer, OutcomeUnknownError),
        f"no byte was sent, and told is {answer!r}",
    )
    play.equal("ORD-AMB-100", (), await play.venue.open_orders(), "orders at the venue")
    await play.wire.accept()
    await is_fit(play)
    again = await answer_of(play.rest(client_order_id="unsent"))
    if isinstance(answer, ConnectFailedError) and not isinstance(again, Order):
        again = await answer_of(play.rest(client_order_id="unsent-too"))
    status = again.status if isinstance(again, Order) else again
    play.equal("ORD-AMB-100", OrderStatus.OPEN, status, "sent once somebody listened")
    play.equal("ORD-AMB-100", 1, len(await play.venue.open_orders()), "orders at the venue")


@scenario("ORD-AMB-100", needs=ON_WIRE, when=rests)
async def the_adapter_alone_knows_that_nothing_was_sent(play: Play) -> None:
    """Asked directly while nobody listens, the adapter says that no byte was written."""
    async with bare(play, streams=False) as subject:
        play.wire.refuse()
        play.wire.reset_connections()
        await play.settle()
        request = subject.request(order_type=OrderType.LIMIT, client_order_id="unheard")
        answer = await answer_of(subject.adapter.submit(request))
        outcome = answer.outcome if isinstance(answer, DragomanError) else answer
        play.equal("ORD-AMB-100", Outcome.NOT_SENT, outcome, "outcome that the adapter tells")
        await play.wire.accept()
        await play.pause(5)
        there = await play.venue.orders()
        play.equal("ORD-AMB-100", (), there, "orders at the venue")


def _shows_late(capabilities: Capabilities) -> bool:
    return rests(capabilities) and capabilities.client_ids.visibility_delay_s > 0


@scenario("ORD-AMB-110", needs=ON_WIRE, when=_shows_late)
async def an_order_may_be_shown_late(play: Play) -> None:
    """An order was taken, and its answer lost; the venue says at first that it has none such."""
    await play.connect()
    routes = await rehearse(play)
    play.wire.mute_streams()
    play.wire.add(routes.look_up.reply(routes.unknown, times=2))
    play.wire.add(routes.submit.toxic(HttpFault.RESET_AFTER_REQUEST))
    await answer_of(play.rest(client_order_id="late", timeout_s=0.2))
    await settled(play, "late")
    told = kinds(play.events("late"))
    play.check("ORD-AMB-110", OrderEventKind.REJECTED not in told, f"told as {told}")
    await compare_with_venue(play, "ORD-AMB-110", "late", "an order that was shown late")


@scenario("ORD-AMB-120", needs=ON_WIRE, when=rests)
async def a_lookup_that_fails_proves_nothing(play: Play) -> None:
    """An order was taken, and its answer lost; the venue can't look it up for a good while."""
    await play.connect()
    routes = await rehearse(play)
    delay_s = play.capabilities.client_ids.visibility_delay_s
    for name, reply in (("busy", Reply.busy(503, "1")), ("page", Reply.html(502))):
        play.wire.mute_streams()
        play.wire.add(routes.look_up.reply(reply, times=None))
        play.wire.add(routes.submit.toxic(HttpFault.RESET_AFTER_REQUEST))
        await answer_of(play.rest(client_order_id=name, timeout_s=0.2))
        await play.pause(delay_s + 4)
        told = kinds(play.events(name))
        play.check("ORD-AMB-120", OrderEventKind.REJECTED not in told, f"{name}: told as {told}")
        play.wire.clear()
        await settled(play, name)
        told = kinds(play.events(name))
        play.check("ORD-AMB-120", OrderEventKind.REJECTED not in told, f"{name}: told as {told}")
        await compare_with_venue(play, "ORD-AMB-120", name, f"{name}: the order found")
        await _fails_to_look_up(play, routes, name, reply)


async def _fails_to_look_up(play: Play, routes: Routes, name: str, reply: Reply) -> None:
    """Look up, by the adapter itself, an order that is there: a failure is none that is not."""
    async with bare(play, streams=False) as subject:
        play.wire.add(routes.look_up.reply(reply, times=None))
        error = await play.fails(
            "ORD-AMB-120", subject.look_up(name), DragomanError, f"{name}: a lookup that fails"
        )
        play.wire.clear()
        if error is not None:
            await play.pause(5)


@scenario("ORD-AMB-130", needs=ON_WIRE, when=rests)
async def a_silent_venue_leaves_the_fate_open(play: Play) -> None:
    """The answer comes after the caller gave up: told is that nothing is known, then what is."""
    await play.connect()
    routes = await rehearse(play)
    play.wire.mute_streams()
    play.wire.add(routes.submit.toxic(HttpFault.BLACK_HOLE, seconds=4.0))
    # Whatever is read meanwhile, by a look-up or by an adapter that polls, might show the order.
    play.wire.add(HttpToxic(fault=HttpFault.BLACK_HOLE, method="GET", seconds=4.0, times=4))
    started_ns = play.clock.monotonic_ns()
    error = await play.fails(
        "ORD-AMB-130",
        play.rest(client_order_id="silent", timeout_s=1.0),
        OutcomeUnknownError,
        "no answer within a second",
    )
    seconds = (play.clock.monotonic_ns() - started_ns) / 1e9
    play.check("ORD-AMB-130", seconds < 1.5, f"given up after {seconds:.1f} s instead of 1")
    name = None if error is None else error.client_order_id
    play.equal("ORD-AMB-130", "silent", name, "the order that the error names")
    await settled(play, "silent")
    await compare_with_venue(play, "ORD-AMB-130", "silent", "found in the background")
    play.equal("ORD-AMB-130", 1, len(await play.venue.open_orders()), "orders at the venue")


@scenario("ORD-AMB-140", needs=ON_WIRE, when=rests)
async def an_order_that_never_arrived_never_trades(play: Play) -> None:
    """The request is lost on its way, and nobody answers: it is not sent again."""
    await play.connect()
    routes = await rehearse(play)
    known = {one.client_order_id for one in await play.venue.orders()}
    faults = (HttpFault.LOST, HttpFault.RESET_UNREAD, HttpFault.RESET_MID_REQUEST)
    for number, fault in enumerate(faults):
        name = f"nowhere-{number}"
        before = routes.submit.count(play)
        play.wire.add(routes.submit.toxic(fault))
        answer = await answer_of(play.rest(client_order_id=name, timeout_s=TIMEOUT_S))
        is_open = isinstance(answer, Order) and answer.status is OrderStatus.OPEN
        play.check("ORD-AMB-140", not is_open, f"{fault}: told as open")
        await play.until(lambda name=name: play.order(name).is_terminal, within_s=LONG_S)  # type: ignore[misc] # bound now
        status = play.order(name).status
        is_told = status in (OrderStatus.REJECTED, OrderStatus.UNKNOWN)
        play.check("ORD-AMB-140", is_told, f"{fault}: it never arrived, and is known as {status}")
        play.equal("ORD-AMB-140", 1, routes.submit.count(play) - before, f"{fault}: requests")
        play.wire.clear()
    there = {one.client_order_id for one in await play.venue.orders()} - known
    play.equal("ORD-AMB-140", set[str](), there, "orders that arrived after all")


@scenario("ORD-AMB-170", needs=ON_WIRE, when=rests)
async def a_restart_settles_what_was_open(play: Play) -> None:
    """The process ends before an order's fate is known; the next one finds out."""
    with tempfile.TemporaryDirectory() as folder:
        await play.connect(state_dir=folder)
        routes = await rehearse(play)
        cases = (("taken", HttpFault.BLACK_HOLE), ("never", HttpFault.LOST))
        for name, fault in cases:
            play.wire.mute_streams()
            play.wire.add(routes.look_up.reply(Reply.busy(503), times=None))
            play.wire.add(routes.submit.toxic(fault))
            await answer_of(play.rest(client_order_id=name, timeout_s=0.2))
        await play.disconnect()
        play.wire.clear()
        before = routes.submit.count(play)
        await play.connect(state_dir=folder)
        for name, _ in cases:
            await settled(play, name)
        await compare_with_venue(play, "ORD-AMB-170", "taken", "an order of the life before")
        status = play.order("never").status
        is_told = status in (OrderStatus.REJECTED, OrderStatus.UNKNOWN)
        play.check("ORD-AMB-170", is_told, f"it never arrived, and is known as {status}")
        play.equal("ORD-AMB-170", 0, routes.submit.count(play) - before, "orders sent again")
        play.equal("ORD-AMB-170", 1, len(await play.venue.open_orders()), "orders at the venue")
        await play.disconnect()
