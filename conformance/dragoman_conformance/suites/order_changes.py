"""Replaced orders: the change takes hold, all else stays, and the intent remains one order."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs

from dragoman.capabilities import OrderFeature
from dragoman.errors import ConflictError, InvalidOrderError, OrderRejectedError, VenueError
from dragoman.models import (
    OrderChange,
    OrderEventKind,
    OrderStatus,
    OrderType,
    PositionEffect,
    Side,
    Support,
    TimeInForce,
)
from dragoman.times import HOUR_NS

from ..looks.acts import fill_there
from ..looks.bare import bare
from ..looks.lives import kinds, told_backwards
from ..looks.orders import as_it_stands, at_venue, compare, compare_everywhere, compare_terms
from ..looks.terms import (
    beyond_means,
    changes,
    distance,
    has_feature,
    on_tick,
    rests,
    send_resting,
    takes,
    trades,
)
from ..scenario import scenario

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dragoman.capabilities import Capabilities
    from dragoman.models import Order, OrderFields

    from ..play import Play


def _quarter_off(play: Play, order: Order, name: str) -> object:
    """Return a value for a field that the order does not have yet and may be changed to."""
    further = 1 + Decimal(order.side.sign) / 50
    nearer = 1 - Decimal(order.side.sign) / 50
    present = getattr(order, name)
    if name == "quantity":
        return present / 4 * 3
    if name in ("limit_price", "stop_price"):
        is_stop = order.order_type in (OrderType.STOP, OrderType.STOP_LIMIT)
        return on_tick(play, present * (further if is_stop else nearer))
    if name == "trailing":
        return distance(play, 15, present.unit)
    return present + HOUR_NS


_CARRIERS = (
    (OrderType.LIMIT, None, ("limit_price", "quantity")),
    (OrderType.STOP, None, ("stop_price", "quantity")),
    (OrderType.STOP_LIMIT, None, ("stop_price", "limit_price")),
    (OrderType.MARKET_IF_TOUCHED, None, ("stop_price",)),
    (OrderType.LIMIT_IF_TOUCHED, None, ("stop_price", "limit_price")),
    (OrderType.TRAILING_STOP, None, ("trailing",)),
    (OrderType.LIMIT, TimeInForce.GTD, ("expires_at_ns",)),
)


def _replaces(capabilities: Capabilities) -> bool:
    return rests(capabilities) and bool(capabilities.replace.fields)


def _reprices(capabilities: Capabilities) -> bool:
    return rests(capabilities) and changes(capabilities, "limit_price")


def _resizes(capabilities: Capabilities) -> bool:
    return rests(capabilities) and changes(capabilities, "quantity")


def _resizes_at_the_venue(capabilities: Capabilities) -> bool:
    """Tell whether the venue itself replaces; where it does not, the core does by two orders."""
    return _resizes(capabilities) and capabilities.replace.support is Support.NATIVE


@scenario("ORD-LIFE-120", when=_replaces)
async def every_declared_field_can_be_changed(play: Play) -> None:
    """Each field that a replace may change is changed, on each type of order that has it."""
    await play.connect()
    looked = 0
    for order_type, time, names in _CARRIERS:
        if not takes(play.capabilities, order_type, time):
            continue
        for side in (Side.BUY, Side.SELL):
            for name in names:
                if changes(play.capabilities, name):
                    looked += 1
                    await _change(play, (order_type, time, side), name)
    play.check("ORD-LIFE-120", looked, "no order takes any of the fields that are declared")


async def _change(play: Play, kind: tuple[OrderType, TimeInForce | None, Side], name: str) -> None:
    """Change one field of a new order, look at all of it, and cancel it."""
    order_type, time, side = kind
    what = f"{name} of a {order_type} {side}"
    terms, order = await send_resting(play, _submits(play), order_type, side, time)
    changed: dict[str, Any] = {name: _quarter_off(play, order, name)}
    answer = await play.broker.replace(order, **changed)
    known_as = order.client_order_id
    await play.until(lambda: play.order(known_as).revision == 1)
    known = play.order(known_as)
    compare_terms(play, "ORD-LIFE-120", {**terms, **changed}, known, what)
    there = await at_venue(play, known_as, known.revision)
    is_pending = answer.pending is not None
    if not is_pending:
        compare(play, "ORD-LIFE-120", answer, there, f"{what}, the answer")
    compare_terms(play, "ORD-LIFE-120", {**terms, **changed}, there, what)
    open_orders = {one.client_order_id: one for one in await play.broker.fetch_open_orders()}
    listed = open_orders.get(known_as)
    if play.check("ORD-LIFE-120", listed is not None, f"{what}: not listed") and listed:
        compare(play, "ORD-LIFE-120", listed, there, f"{what}, as listed")
    found = (known.status, known.pending, known.revision)
    play.equal("ORD-LIFE-120", (OrderStatus.OPEN, None, 1), found, what)
    await play.until(lambda: OrderEventKind.REPLACED in kinds(play.events(known_as)))
    count = kinds(play.events(known_as)).count(OrderEventKind.REPLACED)
    play.equal("ORD-LIFE-120", 1, count, f"times that {what} was told as replaced")
    await play.broker.cancel(known_as)


def _submits(play: Play) -> Callable[[OrderFields], Awaitable[Order]]:
    return lambda terms: play.broker.submit(**terms)


@scenario("ORD-LIFE-130", when=_reprices)
async def a_replaced_order_stays_one_order(play: Play) -> None:
    """An order replaced twice keeps its client id, is open once, and goes on to fill."""
    await play.connect()
    order = await play.rest(client_order_id="one")
    price = order.limit_price or play.subject.sample.price
    for number in (1, 2):
        await play.broker.replace("one", limit_price=on_tick(play, price * (100 - number) / 100))
        await play.until(lambda: play.order("one").revision == number)  # noqa: B023 - waited for at once
    known = play.order("one")
    expected = 1 if play.capabilities.replace.keeps_venue_id else 3
    ids = known.venue_order_ids
    play.equal("ORD-LIFE-130", expected, len(set(ids)), f"venue ids after two replaces: {ids}")
    play.equal("ORD-LIFE-130", order.venue_order_ids[:1], ids[:1], "the first venue id")
    here, there = await play.broker.fetch_open_orders(), await play.venue.open_orders()
    play.equal("ORD-LIFE-130", (1, 1), (len(here), len(there)), "open orders, here and there")
    play.equal("ORD-LIFE-130", 1, len(play.broker.state.orders), "orders that are known")
    told = kinds(play.events("one"))
    play.check("ORD-LIFE-130", OrderEventKind.CANCELED not in told, f"replaces told as {told}")

    whole = play.subject.sample.quantity
    await fill_there(play, "one", whole / 2)
    await play.until(lambda: play.order("one").filled_quantity == whole / 2)
    play.equal("ORD-LIFE-130", whole / 2, play.order("one").filled_quantity, "filled afterwards")
    await play.broker.cancel("one")
    await play.until(lambda: play.order("one").is_terminal)
    known = play.order("one")
    found = (known.status, known.filled_quantity, known.quantity)
    play.equal("ORD-LIFE-130", (OrderStatus.CANCELED, whole / 2, whole), found, "at its end")
    play.equal("ORD-LIFE-130", 1, len(play.broker.state.orders), "orders that are known")
    left = [one.client_order_id for one in await play.venue.open_orders()]
    play.equal("ORD-LIFE-130", [], left, "open at the venue after the cancel")
    back = list(told_backwards(play.events("one")))
    play.check("ORD-LIFE-130", not back, f"told: {'; '.join(back)}")


@scenario("ORD-LIFE-140", when=lambda declared: _resizes(declared) and _reprices(declared))
async def a_replace_keeps_what_has_filled(play: Play) -> None:
    """A half-filled order is made larger, repriced and smaller; what has filled stays filled."""
    await play.connect()
    whole = play.subject.sample.quantity
    order = await play.rest(client_order_id="kept")
    await fill_there(play, "kept", whole / 2)
    await play.until(lambda: play.order("kept").filled_quantity == whole / 2)
    price = order.limit_price or play.subject.sample.price
    steps: tuple[dict[str, Decimal], ...] = (
        {"quantity": whole * 5 / 4},
        {"limit_price": on_tick(play, price * 99 / 100)},
        {"quantity": whole * 3 / 4},
    )
    total = whole
    for number, change in enumerate(steps, start=1):
        await play.broker.replace("kept", **change)  # type: ignore[arg-type] # each is one field
        await play.until(lambda: play.order("kept").revision == number)  # noqa: B023 - waited for at once
        total = change.get("quantity", total)
        known = play.order("kept")
        found = (known.quantity, known.filled_quantity, known.remaining_quantity, known.status)
        wanted = (total, whole / 2, total - whole / 2, OrderStatus.PARTIALLY_FILLED)
        play.equal("ORD-LIFE-140", wanted, found, f"quantity, filled, left, status after {change}")
        left = [one.remaining_quantity for one in await play.venue.open_orders()]
        play.equal("ORD-LIFE-140", [total - whole / 2], left, f"left at the venue after {change}")
    await play.fails(
        "ORD-LIFE-140",
        play.broker.replace("kept", quantity=whole / 4),
        (InvalidOrderError, VenueError),
        "a replace to less than has filled",
    )
    held = play.subject.sample.symbol
    play.equal("ORD-LIFE-140", whole / 2, await play.venue.held(held), "held at the venue")
    for one in await play.venue.open_orders():
        account = play.venue.account_id
        name, left_quantity = one.client_order_id, one.remaining_quantity
        await play.venue.act(lambda engine: engine.execute(account, name, left_quantity))  # noqa: B023 - done at once
    await play.until(lambda: play.order("kept").is_terminal)
    known = play.order("kept")
    ended = (known.status, known.filled_quantity)
    play.equal("ORD-LIFE-140", (OrderStatus.FILLED, whole * 3 / 4), ended, "status and filled")
    play.equal("ORD-LIFE-140", whole * 3 / 4, await play.venue.held(held), "held at the venue")


@scenario("ORD-LIFE-150", when=_resizes_at_the_venue)
async def a_refused_replace_changes_nothing(play: Play) -> None:
    """The venue refuses to make an order too large; it stands as it was, and can be canceled."""
    await play.connect()
    order = await play.rest(client_order_id="stands")
    huge = await beyond_means(play)
    error = await play.fails(
        "ORD-LIFE-150",
        play.broker.replace("stands", quantity=huge),
        (OrderRejectedError, ConflictError),
        "a replace that the venue refuses",
    )
    await play.settle()
    if error is not None:
        play.check("ORD-LIFE-150", str(error).strip(), "refused without a word")
    known = play.order("stands")
    found = (known.status, known.quantity, known.pending, known.limit_price)
    expected = (OrderStatus.OPEN, order.quantity, None, order.limit_price)
    play.equal("ORD-LIFE-150", expected, found, "the order after a refused replace")
    await compare_everywhere(play, "ORD-LIFE-150", "stands", "after a refused replace")
    told = kinds(play.events("stands"))
    is_ended = {OrderEventKind.REJECTED, OrderEventKind.CANCELED}.intersection(told)
    play.check("ORD-LIFE-150", not is_ended, f"a refused replace was told as {told}")
    await play.broker.cancel("stands")
    await play.until(lambda: play.order("stands").is_terminal)
    status = play.order("stands").status
    play.equal("ORD-LIFE-150", OrderStatus.CANCELED, status, "canceled after a refused replace")


@scenario("ORD-LIFE-120", "ORD-LIFE-140", when=_resizes_at_the_venue)
async def the_adapter_alone_answers_a_replace(play: Play) -> None:
    """What the adapter answers, streams and looks up after a replace is what stands there."""
    async with bare(play) as subject:
        request = subject.request(order_type=OrderType.LIMIT, client_order_id="swap")
        order = await subject.adapter.submit(request)
        whole = play.subject.sample.quantity
        rule = play.capabilities.replace
        if rule.when_filled is None:
            await fill_there(play, "swap", whole / 4)
            await play.settle()
            order = await subject.look_up("swap") or order
        change = OrderChange(quantity=whole * 3 / 4)
        answer = await subject.adapter.replace(order, change)
        there = await at_venue(play, "swap")
        if answer.pending is None:
            compare(play, "ORD-LIFE-140", answer, there, "the answer to a replace")
        play.equal("ORD-LIFE-140", whole * 3 / 4, there.quantity, "quantity at the venue")
        await play.settle()
        listed = await subject.adapter.fetch_open_orders(subject.account_id)
        play.equal("ORD-LIFE-120", 1, len(listed), "orders listed after a replace")
        for one in listed:
            compare(play, "ORD-LIFE-120", one, there, "as listed after a replace")
            names = ("quantity", "filled_quantity", "status")
            wrong = list(as_it_stands(one, there, names=names))
            play.check("ORD-LIFE-140", not wrong, f"listed after a replace: {'; '.join(wrong)}")


def _reduces_and_replaces(capabilities: Capabilities) -> bool:
    return (
        trades(capabilities)
        and _reprices(capabilities)
        and has_feature(capabilities, OrderFeature.REDUCE_ONLY)
    )


@scenario("ORD-TYPE-110", when=_reduces_and_replaces)
async def a_replaced_order_may_still_only_reduce(play: Play) -> None:
    """An order that may only close is repriced, and may only close afterwards."""
    await play.connect()
    await play.take()
    order = await play.rest(side=Side.SELL, client_order_id="closer", reduce_only=True)
    before = await at_venue(play, "closer")
    play.equal("ORD-TYPE-110", PositionEffect.CLOSE, before.position_effect, "before the replace")
    price = on_tick(play, (order.limit_price or play.subject.sample.price) * 101 / 100)
    await play.broker.replace("closer", limit_price=price)
    await play.until(lambda: play.order("closer").revision == 1)
    (there,) = await play.venue.open_orders()
    found = attrs.evolve(there, client_order_id="closer")
    play.equal("ORD-TYPE-110", PositionEffect.CLOSE, found.position_effect, "at the venue")
    play.equal("ORD-TYPE-110", price, found.limit_price, "price at the venue")
    known = play.order("closer")
    play.check("ORD-TYPE-110", known.reduce_only, "no longer known to only reduce")
