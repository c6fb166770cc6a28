"""Cancels, replaces and lists whose fate is not known: what holds at the venue is told."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from dragoman.capabilities import OrderFeature
from dragoman.errors import Outcome
from dragoman.models import Contingency, Order, OrderStatus, OrderType, Side, Support

from ..chaos import HttpFault, Reply
from ..looks.acts import fill_there
from ..looks.commands import rehearse
from ..looks.fates import LONG_S, ON_WIRE, TIMEOUT_S, UNDONE, answer_of
from ..looks.lives import wrong_total
from ..looks.orders import at_venue, compare_everywhere, compare_with_venue
from ..looks.routes import command_route
from ..looks.terms import has_feature, has_list, resting, rests, takes
from ..scenario import scenario

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from dragoman.capabilities import Capabilities
    from dragoman.models import OrderRequest

    from ..play import Play


@scenario("ORD-AMB-070", needs=ON_WIRE, when=rests)
async def a_cancel_without_an_answer_is_not_done(play: Play) -> None:
    """A cancel that is lost on its way, or whose answer is: whether the order lives is told."""
    await play.connect()
    routes = await rehearse(play)
    cancel = routes.cancel
    struck = (
        ("lost", cancel.toxic(HttpFault.LOST), False),
        ("reset", cancel.toxic(HttpFault.RESET_UNREAD), False),
        ("503", cancel.reply(Reply.busy(503, "1")), False),
        ("500", cancel.reply(Reply.busy(500)), False),
        ("a page", cancel.reply(Reply.html(502)), False),
        ("answer lost", cancel.toxic(HttpFault.RESET_AFTER_REQUEST), True),
        ("no answer", cancel.toxic(HttpFault.BLACK_HOLE), True),
    )
    for number, (what, toxic, is_done) in enumerate(struck):
        name = f"cancel-{number}"
        await play.rest(client_order_id=name)
        trap = play.wire.add(toxic)
        answer = await answer_of(play.broker.cancel(name, timeout_s=TIMEOUT_S))
        play.check("ORD-AMB-070", trap.hits, f"{what}: the cancel was not seen")
        lives = not (await at_venue(play, name)).is_terminal
        if isinstance(answer, Order):
            is_true = not (answer.is_terminal and lives)
            play.check("ORD-AMB-070", is_true, f"{what}: told as {answer.status}, and it lives")
        await play.settle()
        known = play.order(name).status
        play.check(
            "ORD-AMB-070",
            not (lives and known.is_terminal),
            f"{what}: known as {known}, and it lives",
        )
        play.wire.clear()
        if is_done:
            await play.until(lambda name=name: play.order(name).is_terminal, within_s=LONG_S)  # type: ignore[misc] # bound now
            status = play.order(name).status
            play.equal("ORD-AMB-070", OrderStatus.CANCELED, status, f"{what}, and canceled")
            continue
        await answer_of(play.broker.cancel(name))
        await play.until(lambda name=name: play.order(name).is_terminal, within_s=LONG_S)  # type: ignore[misc] # bound now
        await compare_with_venue(play, "ORD-AMB-070", name, f"{what}, canceled again")


def _lists(capabilities: Capabilities) -> bool:
    has_oco = takes(capabilities, OrderType.STOP) and has_list(capabilities, Contingency.OCO)
    return rests(capabilities) and (has_oco or has_feature(capabilities, OrderFeature.BATCH))


def _pair(play: Play, name: str) -> tuple[list[OrderRequest], Contingency]:
    """Return two orders to be sent as one list, and what the list is."""
    names = [f"{name}-1", f"{name}-2"]
    if has_list(play.capabilities, Contingency.OCO):
        types, contingency = (OrderType.LIMIT, OrderType.STOP), Contingency.OCO
    else:
        types, contingency = (OrderType.LIMIT, OrderType.LIMIT), Contingency.NONE
    requests = [
        play.request(**resting(play, order_type, Side.SELL) | {"client_order_id": one})
        for order_type, one in zip(types, names, strict=True)
    ]
    return requests, contingency


@scenario("ORD-AMB-080", needs=ON_WIRE, when=_lists)
async def a_list_without_an_answer_is_not_refused(play: Play) -> None:
    """The venue takes a list of two; its one answer is lost, or an error as a whole."""
    await play.connect()
    await play.take()
    first, contingency = _pair(play, "rehearsed")
    route = await command_route(play, play.broker.submit_list(first, contingency))
    await play.broker.cancel_all()
    for name, toxic, is_taken in (
        ("lost", route.toxic(HttpFault.RESET_AFTER_REQUEST), True),
        ("broken", route.reply(Reply.busy(500), is_delivered=True), True),
        ("paged", route.reply(Reply.html(502)), False),
    ):
        requests, _ = _pair(play, name)
        before = route.count(play)
        play.wire.add(toxic)
        results = await play.broker.submit_list(requests, contingency, timeout_s=TIMEOUT_S)
        play.wire.clear()
        outcomes = [one.error.outcome for one in results if one.error is not None]
        is_refused = Outcome.REJECTED in outcomes or Outcome.NOT_SENT in outcomes
        play.check("ORD-AMB-080", not is_refused, f"{name}: results {outcomes}")
        names = [str(one.client_order_id) for one in requests]
        play.equal("ORD-AMB-080", names, [one.client_order_id for one in results], "results for")
        await play.until(
            lambda names=names: all(play.order(one).status not in UNDONE for one in names),  # type: ignore[misc] # bound now
            within_s=LONG_S,
        )
        play.equal("ORD-AMB-080", 1, route.count(play) - before, f"{name}: requests made")
        there = len(await play.venue.open_orders())
        play.equal("ORD-AMB-080", 2 if is_taken else 0, there, f"{name}: orders at the venue")
        status = OrderStatus.OPEN if is_taken else OrderStatus.REJECTED
        found = [play.order(one).status for one in names]
        play.equal("ORD-AMB-080", [status, status], found, f"{name}: what is known of them")
        await play.broker.cancel_all()
        await play.until(lambda: not play.broker.state.open_orders)


def _replaces(capabilities: Capabilities) -> bool:
    rule = capabilities.replace
    return rests(capabilities) and "limit_price" in rule.fields and rule.support is Support.NATIVE


@scenario("ORD-AMB-090", needs=ON_WIRE, when=_replaces)
async def a_replace_without_an_answer_is_told_as_it_went(play: Play) -> None:
    """A replace that is lost on its way, or whose answer is: the terms that hold are told."""
    await play.connect()
    routes = await rehearse(play)
    if routes.replace is None:
        raise LookupError("no replace was seen on the wire")
    route = routes.replace
    struck = (
        ("answer lost", route.toxic(HttpFault.RESET_AFTER_REQUEST)),
        ("no answer", route.toxic(HttpFault.BLACK_HOLE)),
        ("a page instead", route.reply(Reply.html(502), is_delivered=True)),
        ("lost", route.toxic(HttpFault.LOST)),
        ("reset", route.toxic(HttpFault.RESET_UNREAD)),
        ("503", route.reply(Reply.busy(503, "1"))),
    )
    for number, (what, toxic) in enumerate(struck):
        name = f"replace-{number}"
        order = await play.rest(client_order_id=name)
        tick = play.venue.instrument(play.symbol).tick_size or 0
        before = route.count(play)
        play.wire.add(toxic)
        price = (order.limit_price or play.subject.sample.price) - 5 * tick
        answer = await answer_of(play.broker.replace(name, limit_price=price, timeout_s=TIMEOUT_S))
        play.equal("ORD-AMB-090", 1, route.count(play) - before, f"{what}: requests made")
        play.wire.clear()
        await play.until(lambda name=name: _is_settled(play, name), within_s=LONG_S)  # type: ignore[misc] # bound now
        await play.pause(3)
        (there,) = await play.venue.open_orders()
        found = play.order(name).limit_price
        play.equal("ORD-AMB-090", there.limit_price, found, f"{what}, told {answer!r}: price")
        known = (play.order(name).status, play.order(name).pending)
        play.equal("ORD-AMB-090", (OrderStatus.OPEN, None), known, f"{what}: status, pending")
        await answer_of(play.broker.cancel(name))
        await play.until(lambda name=name: play.order(name).is_terminal)  # type: ignore[misc] # bound now
        left = await play.venue.open_orders()
        play.equal("ORD-AMB-090", (), left, f"{what}: open after the cancel")


def _is_settled(play: Play, name: str) -> bool:
    return play.order(name).status is OrderStatus.OPEN and play.order(name).pending is None


@scenario("ORD-AMB-150", needs=ON_WIRE, when=rests)
async def a_cancel_that_races_a_fill_ends_as_it_ended(play: Play) -> None:
    """The order fills while the cancel is on its way: what filled is what is told."""
    await play.connect()
    routes = await rehearse(play)
    whole = play.subject.sample.quantity
    for name, part in (("race-all", whole), ("race-half", whole / 2)):
        await play.rest(client_order_id=name)
        play.wire.add(routes.cancel.toxic(HttpFault.LATE_DELIVERY, seconds=0.5))
        await answer_of(_while(play, play.broker.cancel(name), fill_there(play, name, part)))
        await play.until(lambda name=name: play.order(name).is_terminal, within_s=LONG_S)  # type: ignore[misc] # bound now
        await play.pause(1)
        expected = OrderStatus.FILLED if part == whole else OrderStatus.CANCELED
        found = (play.order(name).status, play.order(name).filled_quantity)
        play.equal("ORD-AMB-150", (expected, part), found, f"{name}: status and filled quantity")
        await compare_everywhere(play, "ORD-AMB-150", name, name)
        wrong = list(wrong_total(play.events(name)))
        play.check("ORD-AMB-150", not wrong, f"{name}: {'; '.join(wrong)}")
        play.wire.clear()


async def _while(play: Play, call: Awaitable[Order], act: Awaitable[None]) -> Order:
    """Do something a tenth of a second after a call began, and return what that answers."""
    async with asyncio.TaskGroup() as tasks:
        asked = tasks.create_task(_just(call))
        await play.settle()
        await act
    return asked.result()


async def _just(call: Awaitable[Order]) -> Order:
    return await call
