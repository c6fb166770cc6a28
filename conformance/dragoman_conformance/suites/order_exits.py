"""Orders that belong together: exits on an entry, lists whose members end or begin each other."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from dragoman.capabilities import ExitPart, OrderFeature
from dragoman.errors import Outcome
from dragoman.models import Contingency, Exit, OrderStatus, OrderType, Side

from ..looks.acts import fill_there
from ..looks.orders import at_venue, compare, compare_everywhere
from ..looks.terms import (
    beyond_means,
    has_exit,
    has_feature,
    has_list,
    on_tick,
    resting,
    rests,
    takes,
)
from ..scenario import scenario

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dragoman.capabilities import Capabilities
    from dragoman.models import Event, Order
    from dragoman.paper.engine import Engine

    from ..play import Play
    from ..scenario import Condition

Shape: TypeAlias = tuple[object, ...]

_SIDES: Final = (Side.BUY, Side.SELL)
_UNDECIDED: Final = frozenset({OrderStatus.PENDING, OrderStatus.REJECTED})
_SOON_S: Final = 10.0
"""How long news may take that need no reconciling."""


def _shape(order: Order) -> Shape:
    """Return what an order is about, whatever it is called."""
    return (
        order.order_type.value,
        order.side.value,
        order.status.value,
        order.quantity,
        order.filled_quantity,
        order.limit_price,
        order.stop_price,
    )


def _sorted(shapes: list[Shape]) -> list[Shape]:
    return sorted(shapes, key=repr)


def _plain(shapes: list[Shape]) -> list[Shape]:
    """Return shapes whose numbers are written alike."""
    return [tuple(None if one is None else _text(one) for one in shape) for shape in shapes]


def _text(value: object) -> str:
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)


async def _members(play: Play, requirement: str, what: str) -> None:
    """Check that every order of the account is told as it stands, by what it is about."""
    here = _sorted(_plain([_shape(one) for one in play.broker.state.orders]))
    there = _sorted(_plain([_shape(one) for one in await play.venue.orders()]))
    play.equal(requirement, there, here, f"all orders, {what}")
    listed = _sorted(_plain([_shape(one) for one in await play.broker.fetch_open_orders()]))
    is_open = _sorted(_plain([_shape(one) for one in await play.venue.open_orders()]))
    play.equal(requirement, is_open, listed, f"open orders, {what}")


def _levels(play: Play, side: Side) -> tuple[Decimal, Decimal, Decimal]:
    """Return a stop's level, its limit, and a target, for an entry of a side that rests."""
    price, sign = play.subject.sample.price, side.sign
    entry = price * (100 - 25 * sign) / 100
    stop, limit = entry * (100 - 10 * sign) / 100, entry * (100 - 12 * sign) / 100
    return on_tick(play, stop), on_tick(play, limit), on_tick(play, price * (100 + 20 * sign) / 100)


async def _enter(play: Play, side: Side, **exits: Exit) -> str:
    name = f"entry-{side.lower()}"
    terms = resting(play, OrderType.LIMIT, side)
    entry: dict[str, Any] = {**terms, **exits, "client_order_id": name}
    await play.broker.submit(**entry)
    await play.settle()
    return name


def _legs(orders: tuple[Order, ...], parent: str) -> dict[OrderType, Order]:
    return {one.order_type: one for one in orders if one.parent_client_order_id == parent}


def _takes_exit(part: ExitPart) -> Condition:
    return lambda capabilities: rests(capabilities) and has_exit(capabilities, part)


@scenario("ORD-TYPE-240", when=_takes_exit(ExitPart.STOP_LOSS))
async def an_entry_carries_a_stop_loss(play: Play) -> None:
    """A stop loss waits with its entry, protects what has filled, and ends with its work."""
    await _protected_by(play, "ORD-TYPE-240", OrderType.STOP)


@scenario("ORD-TYPE-250", when=_takes_exit(ExitPart.TAKE_PROFIT))
async def an_entry_carries_a_take_profit(play: Play) -> None:
    """A take profit waits with its entry, works once it has filled, and ends with its work."""
    await _protected_by(play, "ORD-TYPE-250", OrderType.LIMIT)


async def _protected_by(play: Play, requirement: str, leg_type: OrderType) -> None:
    await play.connect()
    for side in _SIDES:
        stop, _, target = _levels(play, side)
        level = stop if leg_type is OrderType.STOP else target
        part = "stop_loss" if leg_type is OrderType.STOP else "take_profit"
        name = await _enter(play, side, **{part: Exit(price=level)})
        there = await at_venue(play, name)
        carried: Exit | None = getattr(there, part)
        found = None if carried is None else carried.price
        play.equal(requirement, level, found, f"level of the {part} at the venue")
        other = there.take_profit if part == "stop_loss" else there.stop_loss
        play.equal(requirement, None, other, "the other exit, which nobody asked for")
        await _members(play, requirement, f"before the {side} entry fills")
        await fill_there(play, name, play.subject.sample.quantity)
        await play.until(lambda name=name: play.order(name).is_terminal)  # type: ignore[misc] # bound now
        await play.settle()
        await _members(play, requirement, f"after the {side} entry has filled")
        legs = _legs(await play.venue.orders(), there.client_order_id)
        leg = legs.get(leg_type)
        play.check(requirement, leg is not None, f"no {leg_type} leg at the venue")
        if leg is None:
            continue
        play.equal(requirement, side.opposite, leg.side, "side of the leg at the venue")
        known = [one for one in play.broker.state.open_orders if one.parent_client_order_id == name]
        play.equal(requirement, 1, len(known), f"legs known as those of the {side} entry")
        await play.venue.act(_executes(play, leg.client_order_id))
        await play.until(lambda: not play.broker.state.open_orders, within_s=_SOON_S)
        await _members(play, requirement, f"after the {part} of the {side} entry has filled")
        play.equal(requirement, (), play.broker.state.positions, "positions afterwards")


def _executes(play: Play, name: str) -> Callable[[Engine], Sequence[Event]]:
    account = play.venue.account_id
    return lambda engine: engine.execute(account, name)


@scenario("ORD-TYPE-260", "ORD-TYPE-270", when=_takes_exit(ExitPart.BRACKET))
async def a_bracket_protects_and_ends(play: Play) -> None:
    """Both exits wait for the entry, work once it has filled, and the end of one ends the other."""
    await play.connect()
    for side in _SIDES:
        stop, limit, target = _levels(play, side)
        has_limit = has_exit(play.capabilities, ExitPart.STOP_LIMIT) and side is Side.SELL
        loss = Exit(price=stop, limit_price=limit) if has_limit else Exit(price=stop)
        name = await _enter(play, side, stop_loss=loss, take_profit=Exit(price=target))
        there = await at_venue(play, name)
        carried = there.stop_loss, there.take_profit
        levels = [None if one is None else (one.price, one.limit_price) for one in carried]
        wanted = [(stop, loss.limit_price), (target, None)]
        play.equal("ORD-TYPE-260", wanted, levels, "levels of the exits at the venue")
        for one in await play.broker.fetch_open_orders():
            if one.client_order_id in (name, there.client_order_id):
                compare(play, "ORD-TYPE-260", one, there, f"the {side} entry, as listed")
        await _members(play, "ORD-TYPE-260", f"before the {side} entry fills")
        await fill_there(play, name, play.subject.sample.quantity)
        await play.until(lambda name=name: play.order(name).is_terminal)  # type: ignore[misc] # bound now
        await play.settle()
        await _members(play, "ORD-TYPE-260", f"after the {side} entry has filled")
        ids = {one.client_order_id for one in play.broker.state.open_orders}
        play.equal("ORD-TYPE-260", {f"{name}-sl", f"{name}-tp"}, ids, "what its exits are called")
        legs = _legs(await play.venue.orders(), there.client_order_id)
        work = OrderType.LIMIT if side is Side.BUY else _loss_type(has_limit=has_limit)
        if play.check("ORD-TYPE-270", work in legs, f"no {work} leg at the venue"):
            await play.venue.act(_executes(play, legs[work].client_order_id))
        await play.until(lambda: not play.broker.state.open_orders, within_s=_SOON_S)
        await _members(play, "ORD-TYPE-270", f"after an exit of the {side} entry has filled")
        play.equal("ORD-TYPE-270", (), play.broker.state.positions, "positions afterwards")


def _loss_type(*, has_limit: bool) -> OrderType:
    """Return the type of order that a stop loss is."""
    return OrderType.STOP_LIMIT if has_limit else OrderType.STOP


@scenario("ORD-TYPE-270", when=_takes_exit(ExitPart.BRACKET))
async def the_exits_end_with_a_canceled_entry(play: Play) -> None:
    """An entry that is canceled before it has filled takes its exits with it."""
    await play.connect()
    stop, _, target = _levels(play, Side.BUY)
    exits = {"stop_loss": Exit(price=stop), "take_profit": Exit(price=target)}
    name = await _enter(play, Side.BUY, **exits)
    await play.broker.cancel(name)
    await play.until(lambda: not play.broker.state.open_orders, within_s=_SOON_S)
    await _members(play, "ORD-TYPE-270", "after the entry was canceled")
    play.equal("ORD-TYPE-270", (), await play.venue.open_orders(), "open at the venue")


def _has_oco(capabilities: Capabilities) -> bool:
    return (
        takes(capabilities, OrderType.LIMIT)
        and takes(capabilities, OrderType.STOP)
        and has_list(capabilities, Contingency.OCO)
    )


@scenario("ORD-TYPE-280", when=_has_oco)
async def one_cancels_the_other(play: Play) -> None:
    """Of two orders that end each other, the fill of one cancels the other, here and there."""
    await play.connect()
    await play.take()
    names = ("oco-target", "oco-stop")
    requests = [
        play.request(**resting(play, order_type, Side.SELL) | {"client_order_id": name})
        for name, order_type in zip(names, (OrderType.LIMIT, OrderType.STOP), strict=True)
    ]
    results = await play.broker.submit_list(requests, Contingency.OCO)
    play.equal("ORD-TYPE-280", list(names), [one.client_order_id for one in results], "results")
    errors = [one.error for one in results if one.error is not None]
    play.check("ORD-TYPE-280", not errors, f"a list of two: {errors}")
    await play.until(lambda: play.order(names[1]).status is OrderStatus.OPEN)
    await _members(play, "ORD-TYPE-280", "as it was sent")
    for order in await play.venue.open_orders():
        play.equal("ORD-TYPE-280", Contingency.OCO, order.contingency, "at the venue")
    target = next(one for one in await play.venue.open_orders() if one.stop_price is None)
    await play.venue.act(_executes(play, target.client_order_id))
    await play.until(lambda: not play.broker.state.open_orders, within_s=_SOON_S)
    await _members(play, "ORD-TYPE-280", "after one has filled")
    found = [play.order(name).status for name in names]
    play.equal("ORD-TYPE-280", [OrderStatus.FILLED, OrderStatus.CANCELED], found, "at their end")


@scenario("ORD-TYPE-280", when=_has_oco)
async def a_refused_list_is_told_as_refused(play: Play) -> None:
    """Of a list that the account can't pay for, each order is told as rejected, and none lives."""
    await play.connect()
    huge = await beyond_means(play)
    names = ("much-target", "much-stop")
    requests = [
        play.request(
            **resting(play, order_type, Side.SELL) | {"client_order_id": name, "quantity": huge}
        )
        for name, order_type in zip(names, (OrderType.LIMIT, OrderType.STOP), strict=True)
    ]
    results = await play.broker.submit_list(requests, Contingency.OCO)
    play.equal("ORD-TYPE-280", list(names), [one.client_order_id for one in results], "results")
    for row in results:
        is_refused = row.error is not None and row.error.outcome is Outcome.REJECTED
        # The answer may come before the refusal, which then follows.
        is_open_yet = row.order is not None and row.order.status in _UNDECIDED
        play.check("ORD-TYPE-280", is_refused or is_open_yet, f"of a refused list: {row}")
    await play.settle()
    found = [play.order(name).status for name in names]
    play.equal("ORD-TYPE-280", [OrderStatus.REJECTED] * 2, found, "what is known of them")
    play.equal("ORD-TYPE-280", (), await play.venue.open_orders(), "open at the venue")


def _has_oto(capabilities: Capabilities) -> bool:
    return (
        takes(capabilities, OrderType.LIMIT)
        and takes(capabilities, OrderType.STOP)
        and has_list(capabilities, Contingency.OTO)
    )


@scenario("ORD-TYPE-290", when=_has_oto)
async def one_triggers_the_others(play: Play) -> None:
    """Of a list whose first order triggers the rest, the rest waits, then ends each other."""
    await play.connect()
    stop, _, target = _levels(play, Side.BUY)
    names = ("oto-entry", "oto-target", "oto-stop")
    requests = [
        play.request(**resting(play, OrderType.LIMIT, Side.BUY) | {"client_order_id": names[0]}),
        play.request(
            order_type=OrderType.LIMIT,
            side=Side.SELL,
            limit_price=target,
            client_order_id=names[1],
        ),
        play.request(
            order_type=OrderType.STOP, side=Side.SELL, stop_price=stop, client_order_id=names[2]
        ),
    ]
    results = await play.broker.submit_list(requests, Contingency.OTO)
    errors = [one.error for one in results if one.error is not None]
    play.check("ORD-TYPE-290", not errors, f"a list of three: {errors}")
    await play.settle()
    await _members(play, "ORD-TYPE-290", "as it was sent")
    await fill_there(play, names[0], play.subject.sample.quantity)
    await play.until(lambda: play.order(names[2]).status is OrderStatus.OPEN)
    await _members(play, "ORD-TYPE-290", "once the first has filled")
    exits = [one for one in await play.venue.open_orders() if one.stop_price is not None]
    for one in exits[:1]:
        await play.venue.act(_executes(play, one.client_order_id))
    await play.until(lambda: not play.broker.state.open_orders, within_s=_SOON_S)
    await _members(play, "ORD-TYPE-290", "once an exit has filled")


def _has_batch(capabilities: Capabilities) -> bool:
    return rests(capabilities) and has_feature(capabilities, OrderFeature.BATCH)


@scenario("ORD-TYPE-300", when=_has_batch)
async def a_batch_is_answered_one_by_one(play: Play) -> None:
    """Several orders go together; the one that is refused is told so, and the others live."""
    await play.connect()
    huge = await beyond_means(play)
    requests = [
        play.request(order_type=OrderType.LIMIT, client_order_id="batch-1"),
        play.request(order_type=OrderType.LIMIT, client_order_id="batch-2", quantity=huge),
        play.request(order_type=OrderType.LIMIT, client_order_id="batch-3"),
    ]
    results = await play.broker.submit_list(requests)
    found = [(one.client_order_id, one.error is None) for one in results]
    wanted = [("batch-1", True), ("batch-2", False), ("batch-3", True)]
    play.equal("ORD-TYPE-300", wanted, found, "results, in order")
    await play.settle()
    for name in ("batch-1", "batch-3"):
        await compare_everywhere(play, "ORD-TYPE-300", name, f"{name} of a batch")
    status = play.order("batch-2").status
    play.equal("ORD-TYPE-300", OrderStatus.REJECTED, status, "the order that was refused")
    left = len(await play.venue.open_orders())
    play.equal("ORD-TYPE-300", 2, left, "orders open at the venue")
