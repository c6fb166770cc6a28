"""Many calls at once: each gets its own answer, and none leaves anything behind."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.capabilities import ReadFeature
from dragoman.errors import DragomanError
from dragoman.models import OrderStatus, Side
from dragoman.paper.settings import AccountSettings, VenueSettings
from dragoman.times import HOUR_NS, SECOND_NS

from ..chaos import HttpFault
from ..looks.abreast import abreast, failure_of
from ..looks.agreement import at_venue, disagreement
from ..looks.bare import bare
from ..looks.orders import token
from ..looks.routes import read_route
from ..scenario import Need, scenario
from ..stage.stage import Stage

if TYPE_CHECKING:
    from decimal import Decimal

    from dragoman.models import Order

    from ..looks.bare import Bare
    from ..play import Play

_BOTH: Final = (Need.VENUE, Need.WIRE)
_A_DAY_S: Final = 86_400.0
_ORDERS: Final = 25
_READERS: Final = 5
_CALLS: Final = 50
_CANCELED: Final = 150
_ABREAST: Final = 50
_MOST_CONNECTIONS: Final = 60
_SOON_S: Final = 5.0
_LONGEST_S: Final = 60.0


async def _limits(play: Play) -> dict[str, Decimal]:
    """Submit some orders, each at a price of its own; returns the limit of each by its name."""
    tick = play.venue.instrument(play.symbol).tick_size
    top = play.away(Side.BUY)
    limits = {f"par{number}": top - number * (tick or 1) for number in range(_ORDERS)}
    calls = [play.rest(client_order_id=name, limit_price=limit) for name, limit in limits.items()]
    told = await asyncio.gather(*calls)
    for name, order in zip(limits, told, strict=True):
        play.equal(
            "CON-040", name, order.client_order_id, "name of an order submitted among others"
        )
        play.equal("CON-040", limits[name], order.limit_price, f"limit told of {name}")
        play.equal("CON-040", OrderStatus.OPEN, order.status, f"status told of {name}")
    return limits


@scenario("CON-010", "CON-040", needs=(Need.VENUE,))
async def each_call_gets_its_own_answer(play: Play) -> None:
    """Orders are submitted, looked up and canceled all at once: each answer is to its own call."""
    await play.connect()
    limits = await _limits(play)
    true = {one.client_order_id: one.limit_price for one in await play.venue.open_orders()}
    asked = {token(play, name): limit for name, limit in limits.items()}
    play.equal("CON-040", asked, true, "limits at the venue of orders submitted at once")
    async with bare(play, streams=False) as found:
        names = [f"par{number % _ORDERS}" for number in range(_CALLS)]
        orders = await asyncio.gather(*[_looked_up(found, name) for name in names])
        for name, order in zip(names, orders, strict=True):
            limit = None if order is None else order.limit_price
            play.equal("CON-010", limits[name], limit, f"limit of {name}, looked up among others")
    histories = await asyncio.gather(*[_history(play) for _ in range(_READERS)])
    for told in histories:
        play.equal("CON-010", sorted(limits), told, "orders of a history, read among others")
    canceled = await asyncio.gather(*[play.broker.cancel(name) for name in limits])
    for name, order in zip(limits, canceled, strict=True):
        play.equal("CON-040", name, order.client_order_id, "name of an order canceled among others")
    differing = await disagreement(play)
    play.check("CON-040", not differing, differing)


async def _history(play: Play) -> list[str]:
    """Return the names of all orders, by the history where that is declared."""
    if ReadFeature.ORDER_HISTORY not in play.capabilities.reads:
        return sorted(one.client_order_id for one in await play.broker.fetch_open_orders())
    return sorted([one.client_order_id async for one in play.broker.fetch_orders()])


async def _looked_up(found: Bare, name: str) -> Order | None:
    return await found.look_up(found.adapter.wire_client_id(name, 0))


@scenario("CON-020", needs=_BOTH)
async def answers_out_of_order_find_their_calls(play: Play) -> None:
    """The first of many answers come last: each is still told to the call that it answers."""
    await play.connect()
    tick = play.venue.instrument(play.symbol).tick_size
    top = play.away(Side.BUY)
    limits = {f"out{number}": top - number * (tick or 1) for number in range(_ORDERS)}
    for name, limit in limits.items():
        await play.rest(client_order_id=name, limit_price=limit)
    async with bare(play, streams=False) as found:
        route = await read_route(play, found.look_up("out0"), "out0")
        for late in range(3):
            seconds = 1.5 - 0.4 * late
            play.wire.add(route.toxic(HttpFault.BLACK_HOLE, skip=late, seconds=seconds))
        orders = await asyncio.gather(*[found.look_up(name) for name in limits])
        told = [None if order is None else order.limit_price for order in orders]
        true = list(limits.values())
        play.equal("CON-020", true, told, "limits of orders whose answers came out of order")


@scenario("CON-030", needs=_BOTH, deadline_s=_A_DAY_S)
async def credentials_are_renewed_once(play: Play) -> None:
    """An hour passes, tokens run out, and many calls come at once: all is renewed once."""
    await play.connect()
    route = await read_route(play, play.broker.fetch_account())
    play.clock.leap(HOUR_NS)
    since = len(play.wire.exchanges)
    found = await asyncio.gather(*[failure_of(play.broker.fetch_account()) for _ in range(_CALLS)])
    failed = [one for one in found if one is not None]
    play.check("CON-030", not failed, f"{len(failed)} of {_CALLS} calls failed: {failed[:1]}")
    made = Counter(
        f"{one.method} {one.path}"
        for one in play.wire.exchanges[since:]
        if (one.method, one.path) != (route.method, route.path)
    )
    often = {what: count for what, count in made.items() if count > 5}
    play.check("CON-030", not often, f"asked besides the {_CALLS} reads: {often}")
    reads = len(route.seen(play, since))
    play.check("CON-030", reads <= 2 * _CALLS, f"{reads} requests for {_CALLS} reads")


@scenario("CON-050", needs=_BOTH)
async def calls_that_are_given_up_leave_nothing(play: Play) -> None:
    """Many calls are canceled by their callers while they wait: later ones find room."""
    await play.connect()
    route = await read_route(play, play.broker.fetch_account())
    for _ in range(_CANCELED // _ABREAST):
        play.wire.add(route.toxic(HttpFault.BLACK_HOLE, times=None))
        async with abreast() as scope:
            for _ in range(_ABREAST):
                scope.spawn(failure_of(play.broker.fetch_account()), "a call to be given up")
            await play.settle()
        play.wire.clear()
        await play.settle()
    started_ns = play.clock.monotonic_ns()
    failure = await failure_of(_in_time(play))
    took_s = (play.clock.monotonic_ns() - started_ns) / SECOND_NS
    play.check("CON-050", failure is None, f"after calls were given up: {failure!r}")
    play.check("CON-050", took_s <= _SOON_S, f"answered after {took_s:.1f} s")
    await play.pause(1.0)
    left = play.wire.open_connections
    play.check("CON-050", left <= _MOST_CONNECTIONS, f"{left} connections are open")
    await _given_up_order(play)
    order = await play.rest(client_order_id="laterone")
    play.equal("CON-050", OrderStatus.OPEN, order.status, "an order after calls were given up")


async def _given_up_order(play: Play) -> None:
    """Give up the call that submits an order: the order is known, and told as it is."""
    async with abreast() as scope:
        scope.spawn(failure_of(play.rest(client_order_id="givenup")), "a call to be given up")
        await play.until(lambda: play.broker.state.order("givenup"))
    await play.settle()
    differing = await disagreement(play)
    play.check("CON-050", not differing, f"after an order's call was given up: {differing}")
    made = len(await at_venue(play, "givenup"))
    told = play.broker.state.order("givenup")
    is_known = told is not None and told.is_open is bool(made)
    play.check("CON-050", is_known, f"the venue has {made} of an order that is told as {told}")


async def _in_time(play: Play) -> None:
    try:
        async with asyncio.timeout(_LONGEST_S):
            await play.broker.fetch_account()
    except TimeoutError:
        raise DragomanError("no answer at all") from None


@scenario("CON-060", needs=(Need.VENUE,))
async def two_connections_know_nothing_of_each_other(play: Play) -> None:
    """The adapter is connected to two venues in one process: nothing of one shows in the other."""
    first = await play.connect()
    settings = VenueSettings(accounts=(AccountSettings(account_id="paper-7", cash=5_000_000),))
    async with Stage(play.subject, play.clock, settings) as other:
        second = await other.connect()
        await other.venue.move(play.symbol, play.subject.sample.price * 2)
        ours = await play.rest(client_order_id="same")
        quantity = play.subject.sample.quantity / 2
        terms = play.terms(client_order_id="same", quantity=quantity)
        theirs = await second.submit(**terms)
        await play.settle()
        counts = (len(await play.venue.orders()), len(await other.venue.orders()))
        play.equal("CON-060", (1, 1), counts, "orders at each of two venues")
        play.equal("CON-060", ours.quantity, play.subject.sample.quantity, "quantity here")
        filled = second.state.order("same") or theirs
        play.equal("CON-060", OrderStatus.FILLED, filled.status, "status of the other's order")
        play.equal(
            "CON-060", OrderStatus.OPEN, play.order("same").status, "status of our own order"
        )
        cash = [(await one.fetch_account()).account_id for one in (first, second)]
        play.check("CON-060", len(set(cash)) == 2, f"both connections read account {cash[0]}")
        held = [[one.symbol for one in await two.fetch_positions()] for two in (first, second)]
        play.equal("CON-060", [[], [play.symbol]], held, "positions of each")
        await second.aclose()
        found = await play.broker.fetch_open_orders()
        play.equal("CON-060", 1, len(found), "open orders, once the other connection is closed")
        await play.broker.cancel("same")
        differing = await disagreement(play)
        play.check("CON-060", not differing, differing)


@scenario("CON-070", needs=(Need.VENUE,))
async def one_order_wished_for_twice_is_sent_once(play: Play) -> None:
    """Two tasks submit the same order at once: there is one, and both are told of it."""
    await play.connect()
    calls = [play.rest(client_order_id="twice") for _ in range(5)]
    told = await asyncio.gather(*calls)
    names = {one.client_order_id for one in told}
    play.equal("CON-070", {"twice"}, names, "names of an order submitted by five tasks")
    play.equal("CON-070", 1, len(await play.venue.orders()), "orders of five tasks for one intent")
    both = [attrs.evolve(one, received_at_ns=0) for one in told]
    play.check(
        "CON-070", all(one.status is OrderStatus.OPEN for one in both), f"told is {both[:1]}"
    )
