"""Fills: each execution told once, as it was, however it comes to be known."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from dragoman.capabilities import ReadFeature
from dragoman.models import (
    Channel,
    HealthState,
    Liquidity,
    OrderEvent,
    OrderEventKind,
    OrderType,
    Side,
    Window,
)
from dragoman.paper.settings import Fee, FeeSchedule, VenueSettings
from dragoman.times import SECOND_NS

from ..chaos import FrameFault, FrameToxic
from ..looks.acts import cancel_there, crowd, fill_there, place_there
from ..looks.bare import bare
from ..looks.fills import fills_as_they_stand
from ..looks.lives import wrong_sums, wrong_total
from ..looks.orders import at_venue, compare_with_venue
from ..looks.terms import on_tick, rests, trades
from ..scenario import Need, scenario

if TYPE_CHECKING:
    from dragoman.capabilities import Capabilities
    from dragoman.models import Fill

    from ..play import Play

_ON_WIRE: Final = (Need.VENUE, Need.WIRE)
_MANY: Final = 130
_LONG_S: Final = 60.0
_FIT: Final = frozenset({HealthState.LIVE, HealthState.DEGRADED})
_TAKER: Final = Fee(maker=Decimal("0.0012"), taker=Decimal("0.0031"))
_REBATE: Final = Fee(maker=Decimal("-0.0007"), taker=Decimal("0.0031"))


def _told(play: Play) -> list[Fill]:
    """Return every fill of every order that was told, in order, as often as it was."""
    return [
        event.fill
        for event in play.heard
        if isinstance(event, OrderEvent)
        and event.kind is OrderEventKind.FILL
        and event.fill is not None
    ]


async def _hears(play: Play, count: int) -> None:
    """Wait until so many fills were told."""
    await play.until(lambda: len(_told(play)) >= count, within_s=_LONG_S)


async def _listed(play: Play, window: Window | None = None) -> list[Fill]:
    return [fill async for fill in play.broker.fetch_fills(window)]


async def _all_told(play: Play, requirement: str, what: str) -> None:
    """Check that what was told and what is listed are the venue's fills, each once."""
    there = await play.venue.fills()
    await play.until(lambda: len(_told(play)) >= len(there))
    await play.settle()
    wrong = list(fills_as_they_stand(_told(play), there))
    play.check(requirement, not wrong, f"{what}, as told: {'; '.join(wrong)}")
    if ReadFeature.FILLS in play.capabilities.reads:
        wrong = list(fills_as_they_stand(await _listed(play), there))
        play.check(requirement, not wrong, f"{what}, as listed: {'; '.join(wrong)}")


async def _trade(play: Play) -> None:
    """Let one order fill in parts at different prices, and two fill at the market at once."""
    whole = play.subject.sample.quantity
    order = await play.rest(client_order_id="parts")
    price = order.limit_price or play.subject.sample.price
    for number in range(1, 5):
        better = on_tick(play, price * (100 - number) / 100)
        await fill_there(play, "parts", whole / 4, better)
    await play.take(client_order_id="market-buy")
    await play.take(client_order_id="market-sell", side=Side.SELL)
    await play.until(lambda: play.order("parts").is_terminal)


def _both(capabilities: Capabilities) -> bool:
    return rests(capabilities) and trades(capabilities)


@scenario("FIL-010", "FIL-030", when=_both, is_smoke=True)
async def each_fill_is_told_once(play: Play) -> None:
    """Fills of three orders come by answers, streams and lists: each of them is told once."""
    await play.connect()
    await _trade(play)
    await play.pause(1)
    await _all_told(play, "FIL-030", "six fills")
    for name in ("parts", "market-buy", "market-sell"):
        wrong = list(wrong_sums(play.events(name)))
        play.check("FIL-010", not wrong, f"{name}: {'; '.join(wrong)}")
    there = await play.venue.fills()
    play.equal("FIL-010", len(there), len(_told(play)), "fills told")
    told = sum((one.quantity * one.side.sign for one in _told(play)), Decimal(0))
    play.equal("FIL-010", await play.venue.held(play.symbol), told, "the sum of the fills")


@scenario("FIL-010", "FIL-030", "FIL-130", when=rests)
async def the_adapter_alone_tells_each_fill_once(play: Play) -> None:
    """The adapter's own stream tells each execution once, and each by an id of its own."""
    async with bare(play) as subject:
        request = subject.request(order_type=OrderType.LIMIT, client_order_id="solo")
        order = await subject.adapter.submit(request)
        whole = play.subject.sample.quantity
        for part in (whole / 4, whole / 4, whole / 2):
            await fill_there(play, "solo", part)
        await play.until(lambda: len(subject.fills()) >= 3)
        await play.pause(1)
        there = await play.venue.fills()
        by_id = {fill.fill_id: fill for fill in subject.fills()}
        play.equal("FIL-010", len(there), len(by_id), "different fills that were streamed")
        wrong = list(fills_as_they_stand(list(by_id.values()), there))
        play.check("FIL-030", not wrong, f"as streamed: {'; '.join(wrong)}")
        named = {fill.venue_order_id for fill in subject.fills()}
        play.equal("FIL-130", {order.venue_order_id}, named, "the order that its fills name")


@scenario("FIL-020", needs=_ON_WIRE, when=rests)
async def no_fill_is_lost_while_the_stream_is_down(play: Play) -> None:
    """The connections break, orders fill and end meanwhile, and all of it is told afterwards."""
    await play.connect()
    whole = play.subject.sample.quantity
    for name in ("before", "during", "whole"):
        await play.rest(client_order_id=name)
    await fill_there(play, "before", whole / 4)
    await play.until(lambda: play.order("before").filled_quantity)
    play.wire.refuse()
    play.wire.reset_connections()
    await play.settle()
    for name, part in (("before", whole / 4), ("during", whole / 4), ("whole", whole)):
        await fill_there(play, name, part)
    await cancel_there(play, "during")
    await play.pause(1)
    await play.wire.accept()
    await play.until(lambda: play.order("whole").is_terminal, within_s=_LONG_S)
    await play.until(lambda: play.order("during").is_terminal, within_s=_LONG_S)
    await fill_there(play, "before", whole / 2)
    await play.until(lambda: play.order("before").is_terminal, within_s=_LONG_S)
    for name in ("before", "during", "whole"):
        await compare_with_venue(play, "FIL-020", name, f"{name}, after a break")
        wrong = list(wrong_total(play.events(name)))
        play.check("FIL-020", not wrong, f"{name}: {'; '.join(wrong)}")
    there = sorted((one.quantity, one.price) for one in await play.venue.fills())
    told = sorted((one.quantity, one.price) for one in _told(play))
    play.equal("FIL-020", there, told, "quantity and price of every fill")
    held = sum((one.quantity for one in play.broker.state.positions), Decimal(0))
    play.equal("FIL-020", await play.venue.held(play.symbol), held, "position")


@scenario("FIL-040", when=_both)
async def a_commission_is_told_as_it_was_charged(play: Play) -> None:
    """Commissions are positive where they were paid, in the currency they were paid in."""
    play.settings = VenueSettings(fees=FeeSchedule(default=_TAKER))
    await play.connect()
    await _trade(play)
    await _all_told(play, "FIL-040", "fills with a commission")
    for name in ("parts", "market-buy", "market-sell"):
        there = await at_venue(play, name)
        found = play.order(name).commission
        is_so = found is None or found == there.commission
        play.check("FIL-040", is_so, f"{name} cost {found}, at the venue {there.commission}")
    charged = [one.commission for one in await play.venue.fills() if one.commission]
    play.check("FIL-040", charged, "the venue charged nothing, so nothing was seen")


@scenario("FIL-040", "FIL-050", when=rests)
async def who_made_the_market_is_told(play: Play) -> None:
    """A resting order that the market comes to made it, and may be paid for that."""
    play.settings = VenueSettings(fees=FeeSchedule(default=_REBATE))
    await play.connect()
    sample = play.subject.sample
    tick = play.venue.instrument(play.symbol).tick_size or Decimal(0)
    bid = sample.price - 2 * tick
    await play.rest(client_order_id="maker", limit_price=bid)
    await play.venue.show(play.symbol, bid=bid - 2 * tick, ask=bid - tick)
    await play.until(lambda: play.order("maker").is_terminal)
    await play.rest(client_order_id="taker", limit_price=sample.price * 2 // 1)
    await play.until(lambda: play.order("taker").is_terminal)
    there = await play.venue.fills()
    liquidity = {one.liquidity for one in there}
    play.equal("FIL-050", {Liquidity.MAKER, Liquidity.TAKER}, liquidity, "at the venue")
    await _all_told(play, "FIL-050", "a maker's fill and a taker's")
    await _all_told(play, "FIL-040", "a rebate and a commission")


@scenario("FIL-060", when=_both)
async def a_fill_keeps_its_id(play: Play) -> None:
    """A fill has one id: streamed, listed, and listed again to a process that was not there."""
    await play.connect()
    await _trade(play)
    there = await play.venue.fills()
    await play.until(lambda: len(_told(play)) >= len(there))
    told = [fill.fill_id for fill in _told(play)]
    if ReadFeature.FILLS in play.capabilities.reads:
        play.equal("FIL-060", told, [one.fill_id for one in await _listed(play)], "ids, listed")
    await play.disconnect()
    await play.connect()
    if ReadFeature.FILLS in play.capabilities.reads:
        play.equal("FIL-060", told, [one.fill_id for one in await _listed(play)], "ids, later")
    play.equal("FIL-060", len(there), len(set(told)), "different ids")


@scenario("FIL-070", when=rests)
async def a_fill_may_come_after_the_cancel(play: Play) -> None:
    """An execution that the venue reports after it canceled the order still counts."""
    await play.connect()
    half = play.subject.sample.quantity / 2
    await play.rest(client_order_id="late")
    await play.broker.cancel("late")
    await play.until(lambda: play.order("late").is_terminal)
    await fill_there(play, "late", half)
    await play.until(lambda: play.order("late").filled_quantity == half, within_s=_LONG_S)
    known = play.order("late")
    found = (known.status.is_terminal, known.filled_quantity)
    play.equal("FIL-070", (True, half), found, "ended, and filled quantity")
    fills = [fill.quantity for fill in _told(play)]
    play.equal("FIL-070", [half], fills, "fills told")
    await play.until(lambda: play.broker.state.positions)
    held = [one.quantity for one in play.broker.state.positions]
    play.equal("FIL-070", [half], held, "position")


def _streams_orders(capabilities: Capabilities) -> bool:
    return _both(capabilities) and Channel.ORDERS in capabilities.streams


@scenario("FIL-080", needs=_ON_WIRE, when=_streams_orders)
async def messages_that_come_twice_or_late_change_nothing(play: Play) -> None:
    """Every message of the stream comes twice; later, two at a time come in the wrong order."""
    await play.connect()
    whole = play.subject.sample.quantity
    for name, fault, times in (
        ("doubled", FrameFault.DUPLICATE, None),
        ("swapped", FrameFault.SWAP, 3),
    ):
        await play.until(lambda: play.broker.health.state in _FIT, within_s=_LONG_S)
        await play.rest(client_order_id=name)
        await play.settle()
        play.wire.add(FrameToxic(fault=fault, times=times))
        for _ in range(4):
            await fill_there(play, name, whole / 4)
        await play.settle()
        play.wire.clear()
        await play.until(lambda name=name: play.order(name).is_terminal, within_s=_LONG_S)  # type: ignore[misc] # bound now
        await play.until(lambda: play.broker.health.state in _FIT, within_s=_LONG_S)
        await play.take(client_order_id=f"{name}-market")
        there = await play.venue.fills()
        await _hears(play, len(there))
        for one in (name, f"{name}-market"):
            await compare_with_venue(play, "FIL-080", one, f"{one}, after {fault}")
            filled = sum(fill.quantity for fill in _told(play) if fill.client_order_id == one)
            play.equal("FIL-080", whole, filled, f"{one}: the sum of its fills")
    play.equal("FIL-080", len(await play.venue.fills()), len(_told(play)), "fills told")
    ids = {fill.fill_id for fill in _told(play)}
    play.equal("FIL-080", len(_told(play)), len(ids), "different ids")


@scenario("FIL-090", when=_both)
async def a_fill_that_is_taken_back_no_longer_counts(play: Play) -> None:
    """The venue busts an execution: the position is what is left, and the order stays ended."""
    await play.connect()
    await play.take(client_order_id="stands")
    await play.take(client_order_id="busted")
    await play.settle()
    fill = (await play.venue.fills())[-1]
    account = play.venue.account_id
    await play.venue.act(lambda engine: engine.bust(account, fill.fill_id))
    whole = play.subject.sample.quantity
    await play.until(
        lambda: [one.quantity for one in play.broker.state.positions] == [whole], within_s=_LONG_S
    )
    held = [one.quantity for one in play.broker.state.positions]
    play.equal("FIL-090", [whole], held, "position after a bust")
    fetched = [one.quantity for one in await play.broker.fetch_positions()]
    play.equal("FIL-090", [whole], fetched, "position read after a bust")
    status = play.order("busted").status
    play.check("FIL-090", status.is_terminal, f"the order is {status} after a bust")


@scenario("FIL-100", when=rests)
async def fills_of_others_are_told_under_their_orders(play: Play) -> None:
    """A fill of an order placed elsewhere names the order that it is known by here."""
    await play.connect()
    await place_there(play, "theirs")
    await play.until(lambda: play.broker.state.open_orders)
    await fill_there(play, "theirs", play.subject.sample.quantity)
    await play.until(lambda: not play.broker.state.open_orders)
    await _all_told(play, "FIL-100", "a fill of somebody else's order")
    known = {one.client_order_id for one in play.broker.state.orders}
    named = {one.client_order_id for one in _told(play)}
    play.equal("FIL-100", known, named, "the order that the fill names")
    if ReadFeature.FILLS in play.capabilities.reads:
        named = {one.client_order_id for one in await _listed(play)}
        play.equal("FIL-100", known, named, "the order that the listed fill names")


def _lists_fills(capabilities: Capabilities) -> bool:
    return rests(capabilities) and ReadFeature.FILLS in capabilities.reads


@scenario("FIL-110", "FIL-120", when=_lists_fills)
async def the_list_of_fills_is_whole(play: Play) -> None:
    """More fills than a page holds are listed once each, in order; a window cuts them exactly."""
    await play.open()
    half = _MANY // 2
    await crowd(play, half, fills=True)
    await play.pause(3)
    middle_ns = play.clock.now_ns() // SECOND_NS * SECOND_NS
    await play.pause(2)
    await crowd(play, half, start=half, fills=True)
    await play.connect()
    there = await play.venue.fills()
    wrong = list(fills_as_they_stand(await _listed(play), there))[:5]
    play.check("FIL-110", not wrong, f"{len(there)} fills: {'; '.join(wrong)}")
    early = [one for one in there if one.venue_time_ns < middle_ns]
    late = [one for one in there if one.venue_time_ns >= middle_ns]
    for window, wanted in (
        (Window(end_ns=middle_ns), early),
        (Window(start_ns=middle_ns), late),
        (Window(limit=5), there[:5]),
    ):
        listed = await _listed(play, window)
        if window.limit is not None:
            play.equal("FIL-120", 5, len(listed), "fills of a window of five")
            continue
        wrong = list(fills_as_they_stand(listed, wanted))[:5]
        play.check("FIL-120", not wrong, f"{window}: {'; '.join(wrong)}")
