"""Orders whose answer is lost: nothing is sent twice, and nothing is told without evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.errors import (
    DragomanError,
    DuplicateOrderError,
    OrderRejectedError,
    Outcome,
    OutcomeUnknownError,
)
from dragoman.models import Order, OrderEventKind, OrderStatus, OrderType, Side

from ..chaos import HttpFault, HttpToxic, Reply
from ..looks.acts import place_there
from ..looks.bare import bare
from ..looks.commands import rehearse
from ..looks.fates import LONG_S, ON_WIRE, TIMEOUT_S, answer_of, settled
from ..looks.lives import kinds, wrong_total
from ..looks.orders import compare_with_venue, token
from ..looks.terms import rests, trades
from ..scenario import scenario

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from ..looks.commands import Routes
    from ..play import Play

_PATIENCE_S: Final = 15.0

_CUT_OFF: Final = (
    HttpFault.RESET_AFTER_REQUEST,
    HttpFault.RESET_AFTER_HEAD,
    HttpFault.RESET_MID_RESPONSE,
    HttpFault.TRUNCATE,
    HttpFault.STALL,
    HttpFault.BLACK_HOLE,
)
_MISLED: Final = (
    ("500", Reply.busy(500)),
    ("502 with a page", Reply.html(502)),
    ("503", Reply.busy(503, "1")),
    ("504", Reply.busy(504)),
    ("a page", Reply.html(200)),
    ("nothing", Reply(status=200, body=b"")),
    ("no JSON", Reply.json(b'{"id": ')),
    ("an empty object", Reply.json(b"{}")),
    ("an empty list", Reply.json(b"[]")),
    ("another order", Reply.other_order()),
)


async def _sent_once(play: Play, routes: Routes, name: str, what: str) -> None:
    """Submit an order whose answer is about to be spoilt, and look at what comes of it."""
    before = routes.submit.count(play)
    answer = await answer_of(play.rest(client_order_id=name, timeout_s=TIMEOUT_S))
    is_known = isinstance(answer, (Order, OutcomeUnknownError))
    play.check("ORD-AMB-040", is_known, f"{what}: told {answer!r}")
    await settled(play, name)
    await play.settle()
    play.wire.clear()
    play.equal("ORD-AMB-020", 1, routes.submit.count(play) - before, f"{what}: requests made")
    there = [one.client_order_id for one in await play.venue.open_orders()]
    play.equal("ORD-AMB-030", [token(play, name)], there, f"{what}: orders at the venue")
    told = kinds(play.events(name))
    play.check("ORD-AMB-040", OrderEventKind.REJECTED not in told, f"{what}: told as {told}")
    await compare_with_venue(play, "ORD-AMB-050", name, f"{what}: the order found")
    await answer_of(play.broker.cancel(name))
    await play.until(lambda: play.order(name).is_terminal)


async def _sent_no_more(play: Play, routes: Routes) -> None:
    """Wait until whoever would send again has done so, and look whether anybody did."""
    before, there = routes.submit.count(play), len(await play.venue.orders())
    await play.pause(_PATIENCE_S)
    play.equal("ORD-AMB-020", before, routes.submit.count(play), "requests, a while later")
    play.equal("ORD-AMB-030", there, len(await play.venue.orders()), "orders, a while later")


@scenario(
    "ORD-AMB-020",
    "ORD-AMB-030",
    "ORD-AMB-040",
    "ORD-AMB-050",
    needs=ON_WIRE,
    when=rests,
    is_smoke=True,
)
async def a_lost_answer_leads_to_one_order(play: Play) -> None:
    """The venue takes an order, and its answer is lost, cut off or never comes."""
    await play.connect()
    routes = await rehearse(play)
    for fault in _CUT_OFF:
        play.wire.add(routes.submit.toxic(fault))
        name = f"lost-{fault.lower().replace('_', '-')}"
        await _sent_once(play, routes, name, f"answer struck by {fault}")
    await _sent_no_more(play, routes)


@scenario(
    "ORD-AMB-020",
    "ORD-AMB-030",
    "ORD-AMB-040",
    "ORD-AMB-050",
    needs=ON_WIRE,
    when=rests,
)
async def an_order_that_was_taken_is_found_whatever_is_answered(play: Play) -> None:
    """The venue takes an order, and something in between answers what says nothing of it."""
    await play.connect()
    routes = await rehearse(play)
    for number, (what, reply) in enumerate(_MISLED):
        play.wire.add(routes.submit.reply(reply, is_delivered=True))
        await _sent_once(play, routes, f"misled-{number}", f"answered by {what}")
    await _sent_no_more(play, routes)


_UNANSWERED: Final = (
    ("an answer that is lost", HttpFault.RESET_AFTER_REQUEST, None),
    ("a 500", HttpFault.REPLY, Reply.busy(500)),
    ("a page", HttpFault.REPLY, Reply.html(502)),
    ("silence", HttpFault.BLACK_HOLE, None),
)


@scenario("ORD-AMB-020", "ORD-AMB-040", "ORD-AMB-070", needs=ON_WIRE, when=rests)
async def the_adapter_alone_knows_that_it_does_not_know(play: Play) -> None:
    """Asked directly, the adapter sends a command once, and says that its fate is unknown."""
    await play.connect()
    routes = await rehearse(play)
    async with bare(play, streams=False) as subject:
        for number, (what, fault, reply) in enumerate(_UNANSWERED):
            trap = play.wire.add(routes.submit.toxic(fault, reply=reply))
            before = routes.submit.count(play)
            request = subject.request(order_type=OrderType.LIMIT, client_order_id=f"bare{number}")
            await _leaves_open(play, "ORD-AMB-040", subject.adapter.submit(request), what)
            sent = routes.submit.count(play) - before
            play.equal("ORD-AMB-020", 1, sent, f"{what}: requests for an order")
            play.check("ORD-AMB-020", trap.hits, f"{what}: the order was not seen")
            play.wire.clear()
            await play.pause(5)  # a caller that keeps sending into trouble may be held back
            order = await subject.look_up(f"bare{number}")
            play.check("ORD-AMB-040", order is not None, f"{what}: the order is not found")
            if order is None:
                continue
            play.wire.add(routes.cancel.toxic(fault, reply=reply, times=None, is_delivered=False))
            if fault is HttpFault.REPLY:
                await _leaves_open(play, "ORD-AMB-070", subject.adapter.cancel(order), what)
            play.wire.clear()
            await play.pause(5)


async def _leaves_open(play: Play, requirement: str, call: Awaitable[Order], what: str) -> None:
    """Check that a command fails, and that its failure leaves the fate open."""
    answer = await answer_of(call)
    is_open = isinstance(answer, DragomanError) and answer.outcome is Outcome.UNKNOWN
    play.check(requirement, is_open, f"{what}: told {answer!r}")


@scenario("ORD-AMB-180", needs=ON_WIRE, when=rests)
async def another_order_s_answer_is_not_taken_for_its_own(play: Play) -> None:
    """The answer to one order is the acknowledgment of another that lives at the venue."""
    await play.connect()
    routes = await rehearse(play)
    start = len(play.wire.exchanges)
    other = await play.rest(client_order_id="other", side=Side.SELL)
    (seen,) = routes.submit.seen(play, start)
    reply = Reply(status=seen.status or 200, body=seen.response_body)
    play.wire.mute_streams()
    play.wire.add(routes.submit.reply(reply, is_delivered=True))
    await answer_of(play.rest(client_order_id="mine", timeout_s=TIMEOUT_S))
    await settled(play, "mine")
    for name in ("mine", "other"):
        await compare_with_venue(play, "ORD-AMB-180", name, f"{name}, after a wrong answer")
    ids = play.order("mine").venue_order_ids
    play.check(
        "ORD-AMB-180",
        not set(ids).intersection(other.venue_order_ids),
        f"it took the other's venue id: {ids}",
    )
    play.equal("ORD-AMB-180", 2, len(await play.venue.open_orders()), "orders at the venue")
    async with bare(play, streams=False) as subject:
        play.wire.add(routes.submit.reply(reply, is_delivered=True))
        request = subject.request(order_type=OrderType.LIMIT, client_order_id="mine-too")
        await _leaves_open(
            play, "ORD-AMB-180", subject.adapter.submit(request), "another order's answer"
        )


@scenario("ORD-AMB-010", needs=ON_WIRE, when=rests)
async def every_order_carries_its_client_id(play: Play) -> None:
    """The request for an order names it, by an id the venue keeps."""
    await play.connect()
    routes = await rehearse(play)
    start = len(play.wire.exchanges)
    for number in range(2):
        await play.rest(client_order_id=f"named-{number}")
    names = [token(play, f"named-{number}") for number in range(2)]
    for name, seen in zip(names, routes.submit.seen(play, start), strict=False):
        text = seen.request_body.decode("utf-8", "replace") + seen.target
        headers = " ".join(value for _, value in seen.request_headers)
        is_named = name in text or name in headers
        play.check("ORD-AMB-010", is_named, f"{name} is not in the request", exchange=seen.number)
    there = [one.client_order_id for one in await play.venue.open_orders()]
    play.equal("ORD-AMB-010", names, there, "names at the venue")
    plain = await play.broker.submit(
        **play.terms(order_type=play.order("named-0").order_type)
        | {"limit_price": play.away(Side.BUY)}
    )
    name = token(play, plain.client_order_id)
    there = [one.client_order_id for one in await play.venue.open_orders()]
    play.check("ORD-AMB-010", name in there, f"an order without a name of ours: {there}")


@scenario("ORD-AMB-060", needs=ON_WIRE, when=rests)
async def a_name_that_is_taken_leads_to_its_order(play: Play) -> None:
    """The venue says that the name is taken: by the very order that was asked for, or another."""
    await play.connect()
    routes = await rehearse(play)
    for name in ("same", "different"):
        play.wire.mute_streams()
        await place_there(play, token(play, name), Side.BUY if name == "same" else Side.SELL)
        before = routes.submit.count(play)
        answer = await answer_of(
            play.rest(
                client_order_id=name,
                time_in_force=play.capabilities.default_time_in_force,
                timeout_s=TIMEOUT_S,
            )
        )
        sent = routes.submit.count(play) - before
        if name == "same":
            status = answer.status if isinstance(answer, Order) else answer
            play.equal("ORD-AMB-060", OrderStatus.OPEN, status, "an order that is there already")
            await compare_with_venue(play, "ORD-AMB-060", name, "an order that is there already")
        else:
            is_refused = isinstance(answer, (DuplicateOrderError, OrderRejectedError))
            play.check("ORD-AMB-060", is_refused, f"another order's name answered {answer!r}")
        play.check("ORD-AMB-060", sent <= 1, f"sent {sent} times under a name that is taken")
    play.equal("ORD-AMB-060", 2, len(await play.venue.open_orders()), "orders at the venue")


@scenario("ORD-AMB-160", needs=ON_WIRE, when=trades)
async def a_lost_market_order_fills_once(play: Play) -> None:
    """A market order fills, and its answer is lost: one order, each fill once, one position."""
    await play.connect()
    if rests(play.capabilities):
        await rehearse(play)
    for number, fault in enumerate((HttpFault.RESET_AFTER_REQUEST, HttpFault.BLACK_HOLE)):
        name = f"market-{number}"
        play.wire.add(HttpToxic(fault=fault))
        await answer_of(play.broker.submit(**play.terms(client_order_id=name), timeout_s=TIMEOUT_S))
        await play.until(lambda name=name: play.order(name).is_terminal, within_s=LONG_S)  # type: ignore[misc] # bound now
        play.wire.clear()
        await play.pause(2)
        await compare_with_venue(play, "ORD-AMB-160", name, name)
        wrong = list(wrong_total(play.events(name)))
        play.check("ORD-AMB-160", not wrong, f"{name}: {'; '.join(wrong)}")
    held = sum(one.quantity for one in play.broker.state.positions)
    play.equal("ORD-AMB-160", await play.venue.held(play.symbol), held, "position")
    play.equal("ORD-AMB-160", 2 * play.subject.sample.quantity, held, "bought in all")
