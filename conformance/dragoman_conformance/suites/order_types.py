"""Every declared kind of order: it stands at the venue as it was asked, in every term."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.capabilities import OrderFeature
from dragoman.errors import OrderRejectedError, RejectReason, RequestError, UnsupportedError
from dragoman.models import (
    OffsetUnit,
    OrderStatus,
    OrderType,
    PositionEffect,
    PriceSource,
    Side,
    Support,
    TimeInForce,
)
from dragoman.times import SECOND_NS

from ..looks.bare import bare
from ..looks.orders import as_asked, as_it_stands, at_venue, compare
from ..looks.terms import (
    cells_of,
    distance,
    has_feature,
    on_tick,
    resting,
    rests,
    send_resting,
    takes,
    trades,
)
from ..scenario import scenario

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dragoman.capabilities import Capabilities, OrderCell
    from dragoman.models import Order, OrderFields, OrderRequest

    from ..looks.bare import Bare
    from ..play import Play
    from ..scenario import Condition

_SIDES: Final = (Side.BUY, Side.SELL)
_OF: Final = {
    "ORD-TYPE-010": ("order_type", "symbol", "client_order_id"),
    "ORD-TYPE-020": ("side",),
    "ORD-TYPE-030": ("quantity", "notional"),
    "ORD-TYPE-040": ("limit_price", "limit_offset"),
    "ORD-TYPE-050": ("stop_price", "activation_price"),
    "ORD-TYPE-060": ("trailing",),
    "ORD-TYPE-080": ("time_in_force",),
    "ORD-TYPE-090": ("expires_at_ns",),
}
_UNASKED: Final = "ORD-TYPE-010"
_TRAILING: Final = frozenset({OrderType.TRAILING_STOP, OrderType.TRAILING_STOP_LIMIT})
_PRICED_BY: Final = {
    "ORD-TYPE-040": (OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.LIMIT_IF_TOUCHED),
    "ORD-TYPE-050": (OrderType.STOP, OrderType.STOP_LIMIT, OrderType.MARKET_IF_TOUCHED),
    "ORD-TYPE-060": tuple(_TRAILING),
}


def _note(play: Play, requirements: Iterable[str], found: Iterable[str], what: str) -> None:
    """Check each requirement by the differences that are about its own fields."""
    differences = list(found)
    for requirement in requirements:
        names = _OF[requirement]
        mine = [one for one in differences if one.startswith(tuple(f"{name} " for name in names))]
        if requirement == _UNASKED:
            known = tuple(f"{name} " for fields in _OF.values() for name in fields)
            mine += [one for one in differences if not one.startswith(known)]
        play.check(requirement, not mine, f"{what}: {'; '.join(mine)}")


async def _take_cell(play: Play, subject: Bare, cell: OrderCell, side: Side) -> None:
    """Send one order of a cell, and look at what stands there and what is told of it."""
    name = f"{cell.order_type}-{cell.time_in_force}-{side}".lower().replace("_", "-")
    wanted = ["ORD-TYPE-010", "ORD-TYPE-020", "ORD-TYPE-030", "ORD-TYPE-080"]
    wanted += [one for one, types in _PRICED_BY.items() if cell.order_type in types]
    if cell.time_in_force is TimeInForce.GTD:
        wanted.append("ORD-TYPE-090")
    what = f"{cell.order_type} {cell.time_in_force} {side}"

    async def submit(terms: OrderFields) -> Order:
        return await subject.adapter.submit(subject.request(**terms | {"client_order_id": name}))

    terms, answer = await send_resting(play, submit, cell.order_type, side, cell.time_in_force)
    request = subject.request(**terms | {"client_order_id": name})
    there = await at_venue(play, name)
    _note(play, wanted, _unlike_asked(request, there), f"{what}, at the venue")
    _note(play, wanted, as_it_stands(answer, there), f"{what}, as answered")
    seen = await subject.look_up(name)
    if play.check("ORD-TYPE-010", seen is not None, f"{what}: not found again") and seen:
        _note(play, wanted, as_it_stands(seen, there), f"{what}, as looked up")


def _unlike_asked(request: OrderRequest, there: Order) -> list[str]:
    """Return the terms that stand otherwise at the venue, where the order has another name."""
    found = as_asked(request, there)
    return [one for one in found if not one.startswith("client_order_id ")]


async def _walk(play: Play, types: frozenset[OrderType]) -> None:
    """Send an order of every declared cell of these types, on both sides."""
    async with bare(play, streams=False) as subject:
        instrument = await subject.adapter.fetch_instrument(play.symbol)
        for cell in cells_of(play.capabilities, instrument):
            if cell.order_type in types and cell.support is Support.NATIVE:
                for side in _SIDES:
                    await _take_cell(play, subject, cell, side)


_BASICS: Final = ("ORD-TYPE-010", "ORD-TYPE-020", "ORD-TYPE-030", "ORD-TYPE-080")
_TRIGGERED: Final = frozenset(
    {
        OrderType.STOP,
        OrderType.STOP_LIMIT,
        OrderType.MARKET_IF_TOUCHED,
        OrderType.LIMIT_IF_TOUCHED,
    }
)
_STOPS: Final = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})


def _declares(types: Iterable[OrderType]) -> Condition:
    wanted = tuple(types)
    return lambda capabilities: any(takes(capabilities, one) for one in wanted)


@scenario(*_BASICS, when=trades)
async def market_orders_stand_as_asked(play: Play) -> None:
    """Market orders of every declared time in force, on both sides."""
    await _walk(play, frozenset({OrderType.MARKET}))


@scenario(*_BASICS, "ORD-TYPE-040", when=rests, is_smoke=True)
async def limit_orders_stand_as_asked(play: Play) -> None:
    """Limit orders of every declared time in force, on both sides."""
    await _walk(play, frozenset({OrderType.LIMIT}))


@scenario(*_BASICS, "ORD-TYPE-050", when=_declares(_TRIGGERED))
async def triggered_orders_stand_as_asked(play: Play) -> None:
    """Stop and if-touched orders, with a limit and without, of every declared time in force."""
    await _walk(play, _TRIGGERED)


@scenario(*_BASICS, "ORD-TYPE-060", when=_declares([OrderType.TRAILING_STOP]))
async def trailing_orders_stand_as_asked(play: Play) -> None:
    """Trailing orders of every declared time in force, and of each unit that is taken."""
    await _walk(play, _TRAILING)
    taken = 0
    async with bare(play, streams=False) as subject:
        for unit in (OffsetUnit.PRICE, OffsetUnit.PERCENT):
            name = f"trailing-{unit.lower()}"
            away = distance(play, 12, unit)
            terms = {"order_type": OrderType.TRAILING_STOP, "side": Side.SELL, "trailing": away}
            try:
                answer = await subject.adapter.submit(
                    subject.request(**terms | {"client_order_id": name})
                )
            except UnsupportedError:
                continue
            taken += 1
            there = await at_venue(play, name)
            play.equal("ORD-TYPE-060", away, there.trailing, f"distance in {unit}, at the venue")
            _note(play, ("ORD-TYPE-060",), as_it_stands(answer, there), f"a distance in {unit}")
    play.check("ORD-TYPE-060", taken, "a distance is taken neither in price nor in percent")


def _takes_gtd(capabilities: Capabilities) -> bool:
    return takes(capabilities, OrderType.LIMIT, TimeInForce.GTD)


@scenario("ORD-TYPE-090", when=_takes_gtd)
async def an_expiry_is_carried_to_the_second(play: Play) -> None:
    """Good-till-date orders stand at the venue until the second that was asked for."""
    await play.connect()
    for number, hours in enumerate((1, 30)):
        due_ns = (play.clock.now_ns() // SECOND_NS + 3600 * hours + 7) * SECOND_NS
        name = f"gtd-{number}"
        terms = {"time_in_force": TimeInForce.GTD, "expires_at_ns": due_ns}
        await play.rest(client_order_id=name, **terms)
        there = await at_venue(play, name)
        play.equal("ORD-TYPE-090", due_ns, there.expires_at_ns, "expiry at the venue")
        play.equal("ORD-TYPE-090", TimeInForce.GTD, there.time_in_force, "time in force there")
    for one in await play.broker.fetch_open_orders():
        there = await at_venue(play, one.client_order_id)
        play.equal("ORD-TYPE-090", there.expires_at_ns, one.expires_at_ns, "expiry as listed")


def _takes_notional(capabilities: Capabilities) -> bool:
    return trades(capabilities) and has_feature(capabilities, OrderFeature.NOTIONAL)


@scenario("ORD-TYPE-070", when=_takes_notional)
async def an_order_may_be_for_an_amount_of_money(play: Play) -> None:
    """A market order for an amount of money buys what that is worth."""
    await play.connect()
    sample = play.subject.sample
    amount = on_tick(play, sample.price * sample.quantity / 2)
    order = await play.take(quantity=None, notional=amount, client_order_id="money")
    there = await at_venue(play, "money")
    play.equal("ORD-TYPE-070", amount, there.notional, "the amount at the venue")
    play.equal("ORD-TYPE-070", OrderStatus.FILLED, order.status, "status")
    play.equal("ORD-TYPE-070", there.filled_quantity, order.filled_quantity, "filled quantity")
    compare(play, "ORD-TYPE-070", order, there, "an order for an amount")


def _reduces(capabilities: Capabilities) -> bool:
    return trades(capabilities) and has_feature(capabilities, OrderFeature.REDUCE_ONLY)


@scenario("ORD-TYPE-100", when=_reduces)
async def an_order_that_only_reduces_never_opens(play: Play) -> None:
    """A reduce-only order closes what is held; where nothing is, the venue takes no more."""
    await play.connect()
    await play.take()
    whole = play.subject.sample.quantity
    await play.broker.submit(**play.terms(side=Side.SELL, reduce_only=True, client_order_id="out"))
    await play.until(lambda: play.order("out").is_terminal)
    there = await at_venue(play, "out")
    play.equal("ORD-TYPE-100", PositionEffect.CLOSE, there.position_effect, "at the venue")
    play.equal("ORD-TYPE-100", whole, play.order("out").filled_quantity, "filled quantity")
    try:
        await play.broker.submit(
            **play.terms(side=Side.SELL, reduce_only=True, client_order_id="over")
        )
        await play.until(lambda: play.order("over").is_terminal)
    except (OrderRejectedError, RequestError):
        pass
    play.equal("ORD-TYPE-100", 0, await play.venue.held(play.symbol), "held at the venue")


def _posts(capabilities: Capabilities) -> bool:
    return rests(capabilities) and has_feature(capabilities, OrderFeature.POST_ONLY)


@scenario("ORD-TYPE-120", "ORD-TYPE-130", when=_posts)
async def a_post_only_order_never_takes(play: Play) -> None:
    """A post-only order rests; one that would trade at once is refused, and for that reason."""
    await play.connect()
    for side in _SIDES:
        name = f"post-{side.lower()}"
        order = await play.rest(side=side, post_only=True, client_order_id=name)
        there = await at_venue(play, name)
        play.equal("ORD-TYPE-120", True, there.post_only, "post-only at the venue")
        compare(play, "ORD-TYPE-120", order, there, f"a post-only {side}")
        error = await play.fails(
            "ORD-TYPE-130",
            play.rest(
                side=side,
                post_only=True,
                client_order_id=f"cross-{side.lower()}",
                limit_price=play.away(side.opposite),
            ),
            OrderRejectedError,
            "a post-only order that would take",
        )
        reason = None if error is None else error.reason
        play.equal("ORD-TYPE-130", RejectReason.WOULD_TAKE, reason, "why it was refused")
    fills = await play.venue.fills()
    play.equal("ORD-TYPE-130", (), fills, "fills of post-only orders")
    plain = await play.rest(client_order_id="plain")
    play.check("ORD-TYPE-120", not (await at_venue(play, "plain")).post_only, "nobody asked for it")
    play.check("ORD-TYPE-120", not plain.post_only, "told of an order that nobody asked it for")


_FLAGS: Final[dict[OrderFeature, tuple[str, dict[str, object]]]] = {
    OrderFeature.EXTENDED_HOURS: ("ORD-TYPE-160", {"extended_hours": True}),
    OrderFeature.TAG: ("ORD-TYPE-190", {"tag": "strategy-7 run"}),
    OrderFeature.OPEN_EFFECT: ("ORD-TYPE-310", {"position_effect": PositionEffect.OPEN}),
    OrderFeature.HIDDEN: ("ORD-TYPE-150", {"display_quantity": 0}),
}


async def _carry(play: Play, feature: OrderFeature) -> None:
    """Send a limit order with a part that is declared, and one without it."""
    await play.connect()
    requirement, part = _FLAGS[feature]
    for name, terms in (("with", part), ("without", {})):
        order = await play.rest(client_order_id=name, **terms)
        there = await at_venue(play, name)
        wanted = play.request(order_type=OrderType.LIMIT, **terms)
        found = list(_unlike_asked(wanted, there))
        play.check(requirement, not found, f"{name} it, at the venue: {'; '.join(found)}")
        compare(play, requirement, order, there, f"{name} it, as answered")
        for field in part:
            if not terms:
                play.check(requirement, not getattr(there, field), f"{field} that nobody asked for")
    for one in await play.broker.fetch_open_orders():
        compare(play, requirement, one, await at_venue(play, one.client_order_id), "as listed")


def _with(feature: OrderFeature) -> Condition:
    return lambda capabilities: rests(capabilities) and has_feature(capabilities, feature)


@scenario("ORD-TYPE-160", when=_with(OrderFeature.EXTENDED_HOURS))
async def extended_hours_are_carried(play: Play) -> None:
    """A limit order may trade outside the regular session, and one that is not to may not."""
    await _carry(play, OrderFeature.EXTENDED_HOURS)


@scenario("ORD-TYPE-190", when=_with(OrderFeature.TAG))
async def a_tag_is_carried(play: Play) -> None:
    """A label goes with an order to the venue and comes back with it."""
    await _carry(play, OrderFeature.TAG)


@scenario("ORD-TYPE-310", when=_with(OrderFeature.OPEN_EFFECT))
async def an_order_may_be_meant_to_open(play: Play) -> None:
    """An order that is to open a position says so at the venue."""
    await _carry(play, OrderFeature.OPEN_EFFECT)


@scenario("ORD-TYPE-150", when=_with(OrderFeature.HIDDEN))
async def an_order_may_be_hidden(play: Play) -> None:
    """An order that is to show nothing of itself shows nothing."""
    await _carry(play, OrderFeature.HIDDEN)


@scenario("ORD-TYPE-140", when=_with(OrderFeature.DISPLAY_QUANTITY))
async def a_part_of_an_order_may_be_shown(play: Play) -> None:
    """An order that shows a quarter of itself does so at the venue, and is told so."""
    await play.connect()
    shown = play.subject.sample.quantity / 4
    order = await play.rest(client_order_id="iceberg", display_quantity=shown)
    there = await at_venue(play, "iceberg")
    play.equal("ORD-TYPE-140", shown, there.display_quantity, "shown at the venue")
    play.equal("ORD-TYPE-140", play.subject.sample.quantity, there.quantity, "quantity there")
    compare(play, "ORD-TYPE-140", order, there, "as answered")
    for one in await play.broker.fetch_open_orders():
        compare(play, "ORD-TYPE-140", one, there, "as listed")


_NO_INDEX: Final = frozenset({PriceSource.INDEX, PriceSource.UNKNOWN})
"""What not every instrument has a price of."""


def _names_triggers(capabilities: Capabilities) -> bool:
    return takes(capabilities, OrderType.STOP) and bool(capabilities.triggers - _NO_INDEX)


@scenario("ORD-TYPE-170", when=_names_triggers)
async def what_triggers_a_stop_is_carried(play: Play) -> None:
    """A stop is triggered by the price that was asked for, each that is declared in turn."""
    await play.connect()
    for number, source in enumerate(sorted(play.capabilities.triggers - _NO_INDEX)):
        name = f"trigger-{number}"
        terms = resting(play, OrderType.STOP, Side.BUY)
        order = await play.broker.submit(**terms | {"trigger": source, "client_order_id": name})
        there = await at_venue(play, name)
        play.equal("ORD-TYPE-170", source, there.trigger, "what triggers it at the venue")
        compare(play, "ORD-TYPE-170", order, there, f"a stop on {source}")


def _pegs(capabilities: Capabilities) -> bool:
    return rests(capabilities) and bool(capabilities.pegs - _NO_INDEX)


@scenario("ORD-TYPE-180", when=_pegs)
async def what_a_price_follows_is_carried(play: Play) -> None:
    """An order that follows a price follows the one that was asked for."""
    await play.connect()
    for source in sorted(play.capabilities.pegs - _NO_INDEX):
        side = Side.SELL if source is PriceSource.ASK else Side.BUY
        name = f"peg-{source.lower()}"
        terms = play.terms(side=side, peg=source, client_order_id=name)
        order = await play.broker.submit(**terms | {"order_type": OrderType.LIMIT})
        there = await at_venue(play, name)
        play.equal("ORD-TYPE-180", source, there.peg, "what it follows at the venue")
        compare(play, "ORD-TYPE-180", order, there, f"an order that follows the {source}")


_ECHOED: Final[tuple[tuple[OrderFeature, str, object], ...]] = (
    (OrderFeature.TAG, "tag", "strategy-7"),
    (OrderFeature.POST_ONLY, "post_only", True),
    (OrderFeature.EXTENDED_HOURS, "extended_hours", True),
    (OrderFeature.OPEN_EFFECT, "position_effect", PositionEffect.OPEN),
)


def _echoes(capabilities: Capabilities) -> bool:
    has_any = any(has_feature(capabilities, feature) for feature, _, _ in _ECHOED)
    has_any |= has_feature(capabilities, OrderFeature.DISPLAY_QUANTITY)
    return rests(capabilities) and has_any


@scenario("ORD-TYPE-400", when=_echoes)
async def what_was_asked_for_is_told_back(play: Play) -> None:
    """Each declared part of an order is found again in the list of open orders."""
    await play.connect()
    quarter = play.subject.sample.quantity / 4
    parts = (*_ECHOED, (OrderFeature.DISPLAY_QUANTITY, "display_quantity", quarter))
    wanted: dict[str, tuple[str, object]] = {}
    for feature, field, value in parts:
        if has_feature(play.capabilities, feature):
            order = await play.rest(**{field: value})
            wanted[order.venue_order_id or ""] = (field, value)
    listed = {one.venue_order_id: one for one in await play.broker.fetch_open_orders()}
    for venue_id, (field, value) in wanted.items():
        found = getattr(listed.get(venue_id), field, None)
        play.equal("ORD-TYPE-400", value, found, f"{field}, as listed")
