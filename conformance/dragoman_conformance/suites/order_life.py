"""The life of an order: every step of it told as it is at the venue, and never a step back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.errors import DragomanError, OrderRejectedError, RejectReason
from dragoman.models import OrderEventKind, OrderStatus, Side, TimeInForce
from dragoman.models.enums import OrderType
from dragoman.money import ZERO
from dragoman.times import HOUR_NS, SECOND_NS

from ..looks.acts import cancel_there, fill_there
from ..looks.bare import bare
from ..looks.lives import kinds, told_backwards, told_wrongly, wrong_sums
from ..looks.orders import (
    as_it_stands,
    at_venue,
    compare,
    compare_everywhere,
    compare_terms,
    history,
    token,
)
from ..looks.terms import beyond_means, on_tick, resting, rests, takes, trades
from ..scenario import scenario

if TYPE_CHECKING:
    from dragoman.capabilities import Capabilities
    from dragoman.models import Order

    from ..play import Play

_DAY_NS = 24 * HOUR_NS


@scenario("ORD-LIFE-010", "ORD-LIFE-020", "ORD-LIFE-080", when=rests, is_smoke=True)
async def an_order_rests_and_is_canceled(play: Play) -> None:
    """A limit order on each side is taken, stands as it was asked, and is canceled."""
    await play.connect()
    for side in (Side.BUY, Side.SELL):
        name = f"rest-{side.lower()}"
        terms = resting(play, OrderType.LIMIT, side) | {"client_order_id": name}
        order = await play.broker.submit(**terms)
        compare_terms(play, "ORD-LIFE-010", terms, order, "the answer")
        compare(play, "ORD-LIFE-010", order, await at_venue(play, name), "the answer")
        play.equal("ORD-LIFE-010", OrderStatus.OPEN, order.status, "status of a resting order")
        await play.until(lambda name=name: OrderEventKind.ACCEPTED in kinds(play.events(name)))  # type: ignore[misc] # bound now
        await compare_everywhere(play, "ORD-LIFE-020", name, f"a resting {side}")
        told = kinds(play.events(name))
        play.check("ORD-LIFE-020", OrderEventKind.ACCEPTED in told, f"accepted, told {told}")

        await play.broker.cancel(name)
        await play.until(lambda name=name: play.order(name).is_terminal)  # type: ignore[misc] # bound now
        play.equal("ORD-LIFE-080", OrderStatus.CANCELED, play.order(name).status, "after a cancel")
        await compare_everywhere(play, "ORD-LIFE-080", name, f"a canceled {side}")
        await play.until(lambda name=name: OrderEventKind.CANCELED in kinds(play.events(name)))  # type: ignore[misc] # bound now
        last = kinds(play.events(name))[-1:]
        play.equal("ORD-LIFE-080", (OrderEventKind.CANCELED,), last, "the last event")


@scenario(
    "ORD-LIFE-030",
    "ORD-LIFE-040",
    "ORD-LIFE-050",
    "ORD-LIFE-180",
    when=rests,
    is_smoke=True,
)
async def an_order_fills_in_parts(play: Play) -> None:
    """Two orders, one a side, fill in three parts at different prices, the last one a bit worse."""
    await play.connect()
    whole = play.subject.sample.quantity
    for side in (Side.BUY, Side.SELL):
        name = f"parts-{side.lower()}"
        order = await play.rest(side=side, client_order_id=name)
        price = order.limit_price or play.subject.sample.price
        for number in (1, 2):
            better = on_tick(play, price * (100 - number * side.sign) / 100)
            await fill_there(play, name, whole / 4, better)
            part = whole * number / 4
            await play.until(lambda: play.order(name).filled_quantity >= part)  # noqa: B023 - waited for at once
            known = play.order(name)
            expected = (OrderStatus.PARTIALLY_FILLED, part, whole - part)
            found = (known.status, known.filled_quantity, known.remaining_quantity)
            play.equal("ORD-LIFE-030", expected, found, "status, filled and remaining quantity")
            await compare_everywhere(play, "ORD-LIFE-030", name, f"{part} of {whole} filled")
        await fill_there(play, name, whole / 2)
        await play.until(lambda: play.order(name).is_terminal)  # noqa: B023 - waited for at once
        known = play.order(name)
        expected = (OrderStatus.FILLED, whole, ZERO)
        found = (known.status, known.filled_quantity, known.remaining_quantity)
        play.equal("ORD-LIFE-040", expected, found, "status, filled and remaining quantity")
        await compare_everywhere(play, "ORD-LIFE-040", name, "a filled order")
        _look_at_life(play, name)


def _look_at_life(play: Play, name: str) -> None:
    """Look at all that was told of one order."""
    events = play.events(name)
    back = list(told_backwards(events))
    play.check("ORD-LIFE-050", not back, f"told of {name}: {'; '.join(back)}")
    wrong = [*wrong_sums(events), *told_wrongly(events)]
    play.check("ORD-LIFE-180", not wrong, f"told of {name}: {'; '.join(wrong)}")


@scenario("ORD-LIFE-030", "ORD-LIFE-040", "ORD-LIFE-050", "ORD-LIFE-180", when=rests)
async def the_adapter_alone_tells_each_step(play: Play) -> None:
    """What the adapter answers, looks up and streams is true before the core has merged it."""
    async with bare(play) as subject:
        request = subject.request(order_type=OrderType.LIMIT, client_order_id="alone")
        answer = await subject.adapter.submit(request)
        compare(play, "ORD-LIFE-030", answer, await at_venue(play, "alone"), "the answer")
        whole = play.subject.sample.quantity
        for requirement, part in (
            ("ORD-LIFE-030", whole / 4),
            ("ORD-LIFE-030", whole / 4),
            ("ORD-LIFE-040", whole / 2),
        ):
            await fill_there(play, "alone", part)
            await play.settle()
            seen = await subject.look_up("alone")
            if play.check(requirement, seen is not None, "the order is not found") and seen:
                compare(play, requirement, seen, await at_venue(play, "alone"), "as looked up")
        names = {answer.client_order_id, "alone", token(play, "alone")}
        await play.until(lambda: len(subject.fills()) >= 3)
        told = [event for name in sorted(names) for event in subject.told(name)]
        back = list(told_backwards(told))
        play.check("ORD-LIFE-050", not back, f"streamed: {'; '.join(back)}")
        last = told[-1].order if told else None
        if play.check("ORD-LIFE-050", last is not None, "nothing was streamed") and last:
            wrong = list(as_it_stands(last, await at_venue(play, "alone"), names=_OF_THE_STREAM))
            play.check("ORD-LIFE-040", not wrong, f"streamed last: {'; '.join(wrong)}")
        wrong = [text for text in told_wrongly(told) if not text.startswith("None")]
        play.check("ORD-LIFE-180", not wrong, f"streamed: {'; '.join(wrong)}")


_OF_THE_STREAM = (
    "symbol",
    "side",
    "order_type",
    "status",
    "quantity",
    "filled_quantity",
    "limit_price",
    "average_fill_price",
)


@scenario("ORD-LIFE-060", "ORD-LIFE-090", when=rests)
async def a_cancel_of_what_has_filled(play: Play) -> None:
    """A cancel keeps what has filled; of an order that has ended it returns that order."""
    await play.connect()
    whole = play.subject.sample.quantity
    await play.rest(client_order_id="half")
    await fill_there(play, "half", whole / 2)
    await play.until(lambda: play.order("half").filled_quantity == whole / 2)
    await play.broker.cancel("half")
    await play.until(lambda: play.order("half").is_terminal)
    known = play.order("half")
    found = (known.status, known.filled_quantity, known.remaining_quantity)
    expected = (OrderStatus.CANCELED, whole / 2, 0)
    play.equal("ORD-LIFE-090", expected, found, "status, filled and remaining quantity")
    await compare_everywhere(play, "ORD-LIFE-090", "half", "canceled after half of it")
    again = await play.broker.cancel("half")
    play.equal("ORD-LIFE-060", OrderStatus.CANCELED, again.status, "of a second cancel")

    await play.rest(client_order_id="whole")
    await fill_there(play, "whole", whole)
    await play.until(lambda: play.order("whole").is_terminal)
    answer = await play.broker.cancel("whole")
    ended = (answer.status, answer.filled_quantity)
    play.equal("ORD-LIFE-060", (OrderStatus.FILLED, whole), ended, "cancel of a filled order")
    await compare_everywhere(play, "ORD-LIFE-060", "whole", "a filled order after its cancel")


@scenario("ORD-LIFE-060", when=rests)
async def the_adapter_alone_tells_a_cancel_that_came_too_late(play: Play) -> None:
    """The venue refuses to cancel an order that has just filled: nobody is told it was canceled."""
    async with bare(play) as subject:
        request = subject.request(order_type=OrderType.LIMIT, client_order_id="late")
        stale = await subject.adapter.submit(request)
        await fill_there(play, "late", play.subject.sample.quantity)
        try:
            answer: Order | None = await subject.adapter.cancel(stale)
        except DragomanError:
            answer = None
        is_told = answer is not None and (
            answer.status is OrderStatus.CANCELED or answer.pending is not None
        )
        play.check("ORD-LIFE-060", not is_told, f"a filled order's cancel answered {answer}")
        await play.settle()
        told = kinds([*subject.told("late"), *subject.told(stale.client_order_id)])
        is_told = OrderEventKind.CANCELED in told
        play.check("ORD-LIFE-060", not is_told, f"a filled order was streamed as {told}")
        seen = await subject.look_up("late")
        status = None if seen is None else seen.status
        play.equal("ORD-LIFE-060", OrderStatus.FILLED, status, "looked up after the cancel")


@scenario("ORD-LIFE-070", "ORD-LIFE-250", when=rests)
async def a_refused_order_is_told_as_rejected(play: Play) -> None:
    """An order far beyond the account's means is refused, for a reason that is said."""
    await play.connect()
    quantity = await beyond_means(play)
    error = await play.fails(
        "ORD-LIFE-070",
        play.rest(client_order_id="huge", quantity=quantity),
        OrderRejectedError,
        "an order beyond the account's means",
    )
    if error is not None:
        true = (await play.venue.order()).reject_reason
        play.check(
            "ORD-LIFE-250",
            error.reason in (true, RejectReason.OTHER),
            f"refused for {error.reason}, at the venue for {true}",
        )
        play.check("ORD-LIFE-250", str(error).strip(), "refused without a word")
    known = play.order("huge")
    play.equal("ORD-LIFE-070", OrderStatus.REJECTED, known.status, "status of a refused order")
    play.check(
        "ORD-LIFE-250",
        known.reject_reason is not None,
        "a refused order has no reason, not even OTHER",
    )
    told = kinds(play.events("huge"))
    play.check("ORD-LIFE-070", OrderEventKind.CANCELED not in told, f"told as {told}")
    listed = (await history(play)).get("huge")
    status = OrderStatus.REJECTED if listed is None else listed.status
    play.equal("ORD-LIFE-070", OrderStatus.REJECTED, status, "a refused order, in the history")
    is_open = "huge" in [one.client_order_id for one in await play.broker.fetch_open_orders()]
    play.check("ORD-LIFE-070", not is_open, "a refused order is listed as open")


@scenario("ORD-LIFE-070", "ORD-LIFE-250", when=rests)
async def an_order_in_a_halted_market_is_rejected(play: Play) -> None:
    """The venue takes no orders in an instrument that is halted, and says so."""
    await play.connect()
    symbol = play.venue.name(play.symbol)
    await play.venue.act(lambda engine: engine.halt_symbol(symbol, "news"))
    error = await play.fails(
        "ORD-LIFE-070",
        play.rest(client_order_id="halted"),
        OrderRejectedError,
        "an order in a halted market",
    )
    reason = None if error is None else error.reason
    allowed = (RejectReason.NOT_TRADABLE, RejectReason.MARKET_CLOSED, RejectReason.OTHER)
    play.check("ORD-LIFE-250", reason in allowed, f"refused for {reason} in a halted market")
    play.equal(
        "ORD-LIFE-070", OrderStatus.REJECTED, play.order("halted").status, "status when halted"
    )


@scenario("ORD-LIFE-100", when=rests)
async def the_venue_cancels_by_itself(play: Play) -> None:
    """Orders that nobody here canceled end at the venue, one of them half filled."""
    await play.connect()
    half = play.subject.sample.quantity / 2
    for name in ("gone", "gone-half"):
        await play.rest(client_order_id=name)
    await fill_there(play, "gone-half", half)
    for name in ("gone", "gone-half"):
        await cancel_there(play, name)
    for name, filled in (("gone", 0), ("gone-half", half)):
        await play.until(lambda name=name: play.order(name).is_terminal)  # type: ignore[misc] # bound now
        known = play.order(name)
        found = (known.status, known.filled_quantity)
        play.equal("ORD-LIFE-100", (OrderStatus.CANCELED, filled), found, "canceled by the venue")
        await compare_everywhere(play, "ORD-LIFE-100", name, "canceled by the venue")


def _expires(capabilities: Capabilities) -> bool:
    return any(
        takes(capabilities, OrderType.LIMIT, time) for time in (TimeInForce.GTD, TimeInForce.DAY)
    )


@scenario("ORD-LIFE-110", when=_expires)
async def an_order_expires(play: Play) -> None:
    """An order whose time runs out is told as expired, with what it had filled by then."""
    is_gtd = takes(play.capabilities, OrderType.LIMIT, TimeInForce.GTD)
    if not is_gtd:
        play.clock.step(_DAY_NS - play.clock.now_ns() % _DAY_NS - 5 * SECOND_NS)
    await play.connect()
    terms: dict[str, object] = {"time_in_force": TimeInForce.GTD if is_gtd else TimeInForce.DAY}
    if is_gtd:
        terms["expires_at_ns"] = (play.clock.now_ns() // SECOND_NS + 5) * SECOND_NS
    await play.rest(client_order_id="brief", **terms)
    half = play.subject.sample.quantity / 2
    await fill_there(play, "brief", half)
    await play.pause(6)
    await play.until(lambda: play.order("brief").is_terminal)
    known = play.order("brief")
    found = (known.status, known.filled_quantity)
    play.equal("ORD-LIFE-110", (OrderStatus.EXPIRED, half), found, "status and filled quantity")
    await compare_everywhere(play, "ORD-LIFE-110", "brief", "an expired order")


@scenario("ORD-LIFE-040", "ORD-LIFE-180", when=trades, is_smoke=True)
async def a_market_order_fills(play: Play) -> None:
    """Market orders on both sides fill at the venue's prices, and both sums are right."""
    await play.connect()
    for side in (Side.BUY, Side.SELL, Side.SELL):
        order = await play.take(side=side)
        play.equal("ORD-LIFE-040", OrderStatus.FILLED, order.status, f"status of a market {side}")
        await compare_everywhere(play, "ORD-LIFE-040", order.client_order_id, f"a market {side}")
        await play.settle()
        wrong = list(wrong_sums(play.events(order.client_order_id)))
        play.check("ORD-LIFE-180", not wrong, f"a market {side}: {'; '.join(wrong)}")
