"""Which orders are known: found again, told once, whoever placed them and whenever it was."""

from __future__ import annotations

import re
import tempfile
from typing import TYPE_CHECKING

from dragoman.capabilities import ReadFeature
from dragoman.errors import DuplicateOrderError, OrderRejectedError
from dragoman.models import OrderEvent, OrderEventKind, OrderOrigin, OrderStatus, OrderType, Side
from dragoman.times import SECOND_NS

from ..looks.acts import crowd, fill_there, place_there
from ..looks.bare import bare
from ..looks.lives import kinds, wrong_total
from ..looks.orders import as_it_stands, at_venue, compare, compare_everywhere, token
from ..looks.terms import rests
from ..scenario import scenario

if TYPE_CHECKING:
    from dragoman.capabilities import Capabilities

    from ..play import Play

_MANY = 520
_LONGEST = 128
_ODD = ("A-b_9", "a.b:c,d", "q?x=1&y=2#z", "sl/ash\\back", "pct%2Fx%%", '"quoted"<tag>+~', "{$id}")


def _has_history(capabilities: Capabilities) -> bool:
    return rests(capabilities) and ReadFeature.ORDER_HISTORY in capabilities.reads


@scenario("ORD-LIFE-160", when=_has_history)
async def the_history_is_whole(play: Play) -> None:
    """More orders than a page holds, hundreds of one instant, are each listed once, in order."""
    await play.open()
    first = await crowd(play, _MANY // 2)
    await play.pause(2)
    names = (*first, *await crowd(play, _MANY // 2, start=_MANY // 2))
    broker = await play.connect()
    listed = [order async for order in broker.fetch_orders()]
    found = [one.client_order_id for one in listed]
    missing, doubled = set(names) - set(found), len(found) - len(set(found))
    play.check("ORD-LIFE-160", not missing, f"{len(missing)} of {len(names)} orders not listed")
    play.check("ORD-LIFE-160", not doubled, f"{doubled} orders listed twice")
    foreign = set(found) - set(names)
    play.check("ORD-LIFE-160", not foreign, f"listed though nobody placed them: {foreign}")
    times = [one.created_at_ns // SECOND_NS for one in listed if one.created_at_ns is not None]
    play.equal("ORD-LIFE-160", sorted(times), times, "the order of their times")
    truth = {one.client_order_id: one for one in await play.venue.orders()}
    for one in (listed[0], listed[-1]) if listed else ():
        there = truth.get(one.client_order_id)
        if play.check("ORD-LIFE-160", there is not None, f"no {one.client_order_id}") and there:
            compare(play, "ORD-LIFE-160", one, there, "an order of the history")


@scenario("ORD-LIFE-170", when=rests)
async def orders_are_looked_up_by_either_id(play: Play) -> None:
    """An open, a filled and an unknown order are looked up by client order id and by venue id."""
    async with bare(play, streams=False) as subject:
        adapter, account = subject.adapter, subject.account_id
        can_look_up = play.capabilities.client_ids.can_look_up
        for name in ("look-open", "look-filled"):
            request = subject.request(order_type=OrderType.LIMIT, client_order_id=name)
            order = await adapter.submit(request)
            if name == "look-filled":
                await fill_there(play, name, play.subject.sample.quantity)
            there = await at_venue(play, name)
            by_venue_id = await adapter.fetch_order(
                account, venue_order_id=order.venue_order_id, symbol=play.symbol
            )
            by_client_id = await subject.look_up(name) if can_look_up else by_venue_id
            for found, what in ((by_venue_id, "venue id"), (by_client_id, "client order id")):
                if not play.check("ORD-LIFE-170", found is not None, f"{name} not found by {what}"):
                    continue
                if found is not None:
                    compare(play, "ORD-LIFE-170", found, there, f"{name} by its {what}")
        if can_look_up:
            nobody = await subject.look_up("nobody-ever")
            play.equal("ORD-LIFE-170", None, nobody, "an order that nobody ever sent")


@scenario("ORD-LIFE-190", when=rests)
async def any_client_order_id_is_carried(play: Play) -> None:
    """Ids of odd characters, very long ones, and long ones that begin alike stay apart."""
    await play.connect()
    head = "x" * (_LONGEST - 1)
    names = (*_ODD, f"{head}1", f"{head}2", "n" * _LONGEST)
    for name in names:
        order = await play.rest(client_order_id=name)
        play.equal("ORD-LIFE-190", name, order.client_order_id, "the id answered")
    await play.settle()
    listed = {one.client_order_id for one in await play.broker.fetch_open_orders()}
    play.equal("ORD-LIFE-190", sorted(names), sorted(listed), "ids of the open orders")
    known = {one.client_order_id for one in play.broker.state.orders}
    play.equal("ORD-LIFE-190", sorted(names), sorted(known), "ids that are known")
    ids = {one.client_order_id for one in await play.venue.open_orders()}
    play.equal("ORD-LIFE-190", len(names), len(ids), "orders at the venue")
    pattern = play.capabilities.client_ids.pattern
    for name in names:
        there = await at_venue(play, name)
        known_order = play.order(name)
        wrong = list(as_it_stands(known_order, there))
        play.check("ORD-LIFE-190", not wrong, f"{name}: {'; '.join(wrong)}")
    tokens = {name: token(play, name) for name in names}
    play.equal("ORD-LIFE-190", len(names), len(set(tokens.values())), "different ids on the wire")
    made = [one for name, one in tokens.items() if one != name]
    bad = [one for one in made if re.fullmatch(pattern, one) is None]
    play.check("ORD-LIFE-190", not bad, f"ids that the venue does not take: {bad}")
    found = await play.broker.fetch_order(f"{head}2")
    known_as = None if found is None else found.client_order_id
    play.equal("ORD-LIFE-190", f"{head}2", known_as, "the longest id, looked up")
    await play.broker.cancel(f"{head}2")
    await play.until(lambda: play.order(f"{head}2").is_terminal)
    play.equal("ORD-LIFE-190", OrderStatus.OPEN, play.order(f"{head}1").status, "its neighbor")


@scenario("ORD-LIFE-200", when=rests)
async def an_id_names_one_order(play: Play) -> None:
    """The same id with the same terms is the same order; with other terms it is refused here."""
    await play.connect()
    order = await play.rest(client_order_id="once")
    with play.silent("ORD-LIFE-200", "an order that is known already"):
        again = await play.rest(client_order_id="once")
        await play.fails(
            "ORD-LIFE-200",
            play.rest(client_order_id="once", quantity=play.subject.sample.quantity / 2),
            DuplicateOrderError,
            "another order under a name that is taken",
        )
    play.equal("ORD-LIFE-200", order.venue_order_ids, again.venue_order_ids, "venue ids")
    play.equal("ORD-LIFE-200", 1, len(await play.venue.orders()), "orders at the venue")

    await play.disconnect()
    await play.connect()
    again = await play.rest(client_order_id="once")
    ids = again.venue_order_ids
    play.equal("ORD-LIFE-200", order.venue_order_ids, ids, "venue ids, to who remembers nothing")
    await play.fails(
        "ORD-LIFE-200",
        play.rest(client_order_id="once", quantity=play.subject.sample.quantity / 2),
        (DuplicateOrderError, OrderRejectedError),
        "another order under the name of a life before",
    )
    left = len(await play.venue.open_orders())
    play.equal("ORD-LIFE-200", 1, left, "orders open at the venue")


@scenario(
    "ORD-LIFE-210",
    "ORD-LIFE-220",
    when=rests,
    fits=lambda subject: subject.sample.other is not None,
)
async def everything_is_canceled_at_once(play: Play) -> None:
    """All orders of one symbol are canceled, then all that is left, whoever placed them."""
    await play.connect()
    sample = play.subject.sample
    other = sample.other or sample.symbol
    mine = [await play.rest(client_order_id=f"all-{number}") for number in range(2)]
    await play.broker.submit(
        **play.terms(order_type=OrderType.LIMIT, symbol=other, client_order_id="all-other")
        | {"limit_price": play.away(Side.BUY, other)}
    )
    await place_there(play, "theirs")
    await play.until(lambda: len(play.broker.state.open_orders) == 4)

    results = await play.broker.cancel_all(play.symbol)
    await play.until(lambda: len(play.broker.state.open_orders) == 1)
    failed = [one.error for one in results if one.error is not None]
    play.check("ORD-LIFE-220", not failed, f"canceling all of one symbol: {failed}")
    play.equal("ORD-LIFE-220", 3, len(results), "results for the orders of one symbol")
    left = [one.symbol for one in await play.venue.open_orders()]
    play.equal("ORD-LIFE-220", [other], left, "symbols of what is left at the venue")
    open_here = [one.client_order_id for one in play.broker.state.open_orders]
    play.equal("ORD-LIFE-220", ["all-other"], open_here, "open orders that are known")

    await place_there(play, "theirs-too")
    results = await play.broker.cancel_all()
    await play.until(lambda: not play.broker.state.open_orders)
    failed = [one.error for one in results if one.error is not None]
    play.check("ORD-LIFE-210", not failed, f"canceling everything: {failed}")
    play.equal("ORD-LIFE-210", 2, len({one.client_order_id for one in results}), "results")
    play.equal("ORD-LIFE-210", (), await play.venue.open_orders(), "open at the venue")
    for order in mine:
        await compare_everywhere(play, "ORD-LIFE-210", order.client_order_id, "canceled with all")


@scenario("ORD-LIFE-230", when=rests)
async def orders_of_others_are_told(play: Play) -> None:
    """Orders placed elsewhere, before and after connecting, are told, filled and canceled."""
    await play.open()
    await place_there(play, "before", Side.SELL)
    await play.connect()
    await place_there(play, "after")
    await play.until(lambda: len(play.broker.state.open_orders) == 2)
    by_side = {one.side: one for one in play.broker.state.open_orders}
    for name, side in (("before", Side.SELL), ("after", Side.BUY)):
        found = by_side.get(side)
        if not play.check("ORD-LIFE-230", found is not None, f"{name}: not told") or not found:
            continue
        compare(play, "ORD-LIFE-230", found, await at_venue(play, name), f"placed {name}")
        play.equal("ORD-LIFE-230", OrderOrigin.EXTERNAL, found.origin, f"origin, placed {name}")
        await fill_there(play, name, play.subject.sample.quantity / 2)
        known_as = found.client_order_id
        await play.until(lambda: play.order(known_as).filled_quantity)  # noqa: B023 - waited for at once
        await play.broker.cancel(known_as)
        await play.until(lambda: play.order(known_as).is_terminal)  # noqa: B023 - waited for at once
        order = play.order(known_as)
        compare(play, "ORD-LIFE-230", order, await at_venue(play, name), f"{name}, at its end")
        told = kinds(play.events(known_as))
        play.check("ORD-LIFE-230", OrderEventKind.FILL in told, f"{name} was told as {told}")
    play.equal("ORD-LIFE-230", 2, len(play.broker.state.orders), "orders that are known")


@scenario("ORD-LIFE-240", when=rests)
async def a_restart_goes_on_where_it_was(play: Play) -> None:
    """A process that remembers comes back: its orders are its own, and what passed is told once."""
    with tempfile.TemporaryDirectory() as folder:
        await play.connect(state_dir=folder)
        half = play.subject.sample.quantity / 2
        for name in ("stays", "fills", "goes"):
            await play.rest(client_order_id=name)
        await fill_there(play, "fills", half)
        await play.until(lambda: play.order("fills").filled_quantity == half)
        await play.disconnect()
        await fill_there(play, "fills", half)
        account, gone = play.venue.account_id, (await at_venue(play, "goes")).client_order_id
        await play.venue.act(lambda engine: engine.cancel(account, gone))
        await place_there(play, "stranger", Side.SELL)

        await play.connect(state_dir=folder)
        await play.until(lambda: len(play.broker.state.open_orders) == 2)
        await play.settle()
        for name in ("stays", "fills", "goes"):
            await compare_everywhere(play, "ORD-LIFE-240", name, f"{name}, after a restart")
            origin = play.order(name).origin
            play.equal("ORD-LIFE-240", OrderOrigin.CLIENT, origin, f"origin of {name}")
        play.equal("ORD-LIFE-240", 4, len(play.broker.state.orders), "orders that are known")
        since = await _since_start(play)
        wrong = list(wrong_total([one for one in since if one.order.client_order_id == "fills"]))
        play.check("ORD-LIFE-240", not wrong, f"told in all: {'; '.join(wrong)}")
        await play.broker.cancel("stays")
        await play.until(lambda: play.order("stays").is_terminal)
        status = (await at_venue(play, "stays")).status
        play.equal("ORD-LIFE-240", OrderStatus.CANCELED, status, "canceled after a restart")
        await play.disconnect()


async def _since_start(play: Play) -> list[OrderEvent]:
    """Return every order event that the journal keeps, from both lives of the process."""
    found: list[OrderEvent] = []
    async with play.broker.stream(orders=True, since=0) as events:
        async for event in events:
            if isinstance(event, OrderEvent):
                found.append(event)
            if getattr(event, "sequence", 0) >= play.broker.state.sequence:
                break
    return found


@scenario("ORD-LIFE-260", when=rests)
async def a_fresh_start_finds_what_is_open(play: Play) -> None:
    """A process that remembers nothing finds its own orders again, under the ids it had given."""
    await play.connect()
    half = play.subject.sample.quantity / 2
    for side in (Side.BUY, Side.SELL):
        await play.rest(client_order_id=f"found-{side.lower()}", side=side)
    await fill_there(play, "found-buy", half)
    await play.disconnect()
    await play.connect()
    names = {token(play, name): name for name in ("found-buy", "found-sell")}
    found = {one.client_order_id: one for one in play.broker.state.open_orders}
    play.equal("ORD-LIFE-260", sorted(names), sorted(found), "orders found at the start")
    for wire_name, name in names.items():
        if wire_name in found:
            there = await at_venue(play, name)
            compare(play, "ORD-LIFE-260", found[wire_name], there, f"{name}, found again")
            await play.broker.cancel(wire_name)
    await play.until(lambda: not play.broker.state.open_orders)
    play.equal("ORD-LIFE-260", (), await play.venue.open_orders(), "open at the venue")
