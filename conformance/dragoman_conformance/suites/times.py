"""Time: instants are UTC and exact, and the machine's own clock is not looked at."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from dragoman.capabilities import ReadFeature
from dragoman.models import Channel, OrderEvent, OrderType, Timeframe, Window
from dragoman.times import (
    DAY_NS,
    HOUR_NS,
    MINUTE_NS,
    SECOND_NS,
    SystemClock,
    from_datetime,
)

from ..looks.parts import broken_times, instants
from ..looks.terms import takes
from ..scenario import scenario

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from dragoman.capabilities import Capabilities
    from dragoman.models import Fill, Order

    from ..play import Play

_COARSEST_NS: Final = SECOND_NS
"""No venue is known to tell when something happened by more than a second."""
_AGES: Final = ("opened_at_ns", "updated_at_ns", "created_at_ns", "venue_time_ns", "received_at_ns")


def _instant(text: str) -> int:
    return from_datetime(datetime.fromisoformat(text).replace(tzinfo=UTC))


def _reads_bars(capabilities: Capabilities) -> bool:
    return ReadFeature.BARS in capabilities.reads and _has_frame(capabilities, "1h")


def _reads_days(capabilities: Capabilities) -> bool:
    return ReadFeature.BARS in capabilities.reads and _has_frame(capabilities, "1d")


def _has_frame(capabilities: Capabilities, frame: str) -> bool:
    return capabilities.bar_timeframes is None or frame in capabilities.bar_timeframes


def _can_limit(capabilities: Capabilities) -> bool:
    return takes(capabilities, OrderType.LIMIT)


def _begin(play: Play, text: str) -> None:
    """Let the scenario begin at an instant; nothing is connected yet."""
    play.clock.step(_instant(text) - play.clock.now_ns())


async def _everything(play: Play) -> list[Any]:
    """Trade, and return everything that is told by then, streamed and read."""
    broker = await play.connect()
    order = await play.take()
    resting = await play.rest()
    await play.venue.show(play.symbol, last=play.subject.sample.price)
    await play.settle()
    found: list[Any] = [order, resting, *play.heard, *broker.state.orders, *broker.state.positions]
    found += [await broker.fetch_account(), await broker.fetch_order(order)]
    found += [*await broker.fetch_positions(), *await broker.fetch_open_orders()]
    found += [await broker.instrument(play.symbol)]
    found += [one async for one in broker.fetch_orders()]
    found += [one async for one in broker.fetch_fills()]
    reads = play.capabilities.reads
    if ReadFeature.QUOTES in reads:
        found.append(await broker.fetch_quote(play.symbol))
    if ReadFeature.TICKERS in reads:
        found.append(await broker.fetch_ticker(play.symbol))
    if ReadFeature.TRADES in reads:
        found += [one async for one in broker.fetch_trades(play.symbol)]
    if ReadFeature.MARKET_STATUS in reads:
        found.append(await broker.fetch_market_status())
    found += await _streamed(play)
    return found


async def _streamed(play: Play) -> list[Any]:
    """Return what the market streams tell while the market moves a little."""
    asked: dict[str, Any] = {
        channel.lower(): [play.symbol]
        for channel in (Channel.QUOTES, Channel.TRADES)
        if channel in play.capabilities.streams
    }
    found: list[Any] = []
    if asked:
        async with play.broker.listen(found.append, **asked):
            price = play.subject.sample.price
            await play.venue.show(
                play.symbol, bid=price - price / 16, ask=price + price / 16, last=price
            )
            await play.until(lambda: len(found) > 1, within_s=3)
    return found


@scenario("TIM-010", "TIM-020", "TIM-030", "TIM-040", is_smoke=True)
async def every_instant_is_of_now_and_by_the_clock_given(play: Play) -> None:
    """Everything that is told of a few seconds of trading is looked through."""
    began_ns = play.clock.now_ns() - MINUTE_NS
    found = await _everything(play)
    now_ns = play.clock.now_ns()
    wall_ns = SystemClock().now_ns()
    for one in found:
        wrong = broken_times(one)
        play.check("TIM-010", not wrong, f"{type(one).__name__}: {wrong}")
        for place, instant_ns in instants(one):
            name = place.rpartition(".")[2]
            if name not in _AGES:
                continue
            is_near_wall = abs(instant_ns - wall_ns) < DAY_NS
            play.check("TIM-040", not is_near_wall, f"{place} is of this machine's clock")
            is_near = is_near_wall or abs(instant_ns - now_ns) < 2 * DAY_NS
            play.check("TIM-020", is_near, f"{place} is {instant_ns}, now is {now_ns}")
            is_then = not is_near or began_ns <= instant_ns <= now_ns + SECOND_NS
            play.check("TIM-030", is_then, f"{place} is {instant_ns}, and now is {now_ns}")
            if name == "received_at_ns":
                is_of_now = began_ns <= instant_ns <= now_ns
                play.check(
                    "TIM-040", is_of_now, f"{place} is {instant_ns}, not between then and now"
                )


@scenario("TIM-030", is_smoke=True)
async def what_happened_is_told_when_it_happened(play: Play) -> None:
    """Orders and fills minutes apart are compared with the venue's own, to the second."""
    await _trade(play, "")


@scenario("TIM-060")
async def a_year_ends_without_a_jump(play: Play) -> None:
    """The same, begun two seconds before a year ends."""
    _begin(play, "2026-12-31T23:59:58")
    await _trade(play, "at the end of a year: ", requirement="TIM-060")


@scenario("TIM-060")
async def a_leap_day_is_a_day(play: Play) -> None:
    """The same, begun two seconds before the end of a leap day."""
    _begin(play, "2028-02-29T23:59:58")
    await _trade(play, "after a leap day: ", requirement="TIM-060")


@scenario("TIM-060")
async def an_hour_that_comes_twice_is_two(play: Play) -> None:
    """The same, where clocks on the wall of New York are set back in between."""
    _begin(play, "2026-11-01T05:20:00")
    await _trade(play, "in the hour that comes twice: ", requirement="TIM-060", step_s=1800)


async def _trade(play: Play, when: str, *, requirement: str = "TIM-030", step_s: int = 0) -> None:
    """Place orders some seconds apart, and compare what is told of them with the venue."""
    broker = await play.connect()
    quantity = play.subject.sample.quantity / 4
    for number in range(3):
        await play.take(client_order_id=f"time-{number}", quantity=quantity)
        await play.pause(1.25)
        if step_s:
            await play.disconnect()
            play.clock.step(step_s * SECOND_NS)
            broker = await play.connect()
    await play.settle()
    told_fills = [one async for one in broker.fetch_fills()]
    _same_times(play, requirement, f"{when}fills", told_fills, await play.venue.fills())
    told = [one async for one in broker.fetch_orders()]
    _same_creation(play, requirement, f"{when}orders", told, await play.venue.orders())
    events = [one for one in play.heard if isinstance(one, OrderEvent)]
    heard = [one.fill for one in events if one.fill is not None]
    if not step_s:
        _same_times(play, requirement, f"{when}fills heard", heard, await play.venue.fills())
    for order in broker.state.orders:
        there = [
            one for one in await play.venue.orders() if one.client_order_id in order.client_order_id
        ]
        if there and order.created_at_ns is not None and there[-1].created_at_ns is not None:
            off = abs(order.created_at_ns - there[-1].created_at_ns)
            play.check(
                requirement, off < _COARSEST_NS, f"{when}{order.client_order_id} is off by {off} ns"
            )


def _same_times(
    play: Play, requirement: str, what: str, told: Sequence[Fill], true: Sequence[Fill]
) -> None:
    found = [one.venue_time_ns for one in told]
    wanted = [one.venue_time_ns for one in true]
    _same_instants(play, requirement, what, found, wanted)


def _same_creation(
    play: Play, requirement: str, what: str, told: Sequence[Order], true: Sequence[Order]
) -> None:
    wanted = [one.created_at_ns for one in true if one.created_at_ns is not None]
    found = [one.created_at_ns for one in told if one.created_at_ns is not None]
    if found or not told:
        _same_instants(play, requirement, what, found, wanted)


def _same_instants(
    play: Play, requirement: str, what: str, found: Sequence[int], wanted: Sequence[int]
) -> None:
    is_same = len(found) == len(wanted) and all(
        abs(one - other) < _COARSEST_NS for one, other in zip(found, wanted, strict=True)
    )
    play.check(requirement, is_same, f"{what} are of {found}, at the venue of {wanted}")
    finest = max((_unit(one) for one in wanted), default=1)
    is_exact = any(
        [one // unit for one in found] == [one // unit for one in wanted]
        for unit in (1, 1_000, 1_000_000, finest)
    )
    play.check(requirement, is_exact or not is_same, f"{what} are rounded: {found} for {wanted}")


def _unit(instant_ns: int) -> int:
    """Return the largest power of a thousand, up to a second, that an instant is a multiple of."""
    return next(unit for unit in (SECOND_NS, 1_000_000, 1_000, 1) if instant_ns % unit == 0)


_CHANGES: Final = {
    "clocks go back": "2026-11-01T03:30:00",
    "clocks go forward": "2026-03-08T04:30:00",
    "a leap day ends": "2028-02-29T21:30:00",
    "a year ends": "2026-12-31T21:30:00",
}


@scenario("TIM-050", when=_reads_bars)
async def every_hour_has_one_bar(play: Play) -> None:
    """Hourly bars are read over the night when clocks go back, and over other turns of time."""
    await _hours_over(play, "clocks go back")


@scenario("TIM-050", when=_reads_bars)
async def no_hour_is_missing_where_clocks_jump(play: Play) -> None:
    """Hourly bars over the night when clocks go forward."""
    await _hours_over(play, "clocks go forward")


@scenario("TIM-050", when=_reads_bars)
async def a_leap_day_has_all_its_hours(play: Play) -> None:
    """Hourly bars over the end of a leap day."""
    await _hours_over(play, "a leap day ends")


@scenario("TIM-050", when=_reads_bars)
async def a_year_ends_with_a_bar_like_any_other(play: Play) -> None:
    """Hourly bars over the end of a year."""
    await _hours_over(play, "a year ends")


async def _hours_over(play: Play, what: str) -> None:
    """Trade in each of six hours, and compare the hourly bars that are told."""
    _begin(play, _CHANGES[what])
    await play.open()
    price, tick = play.subject.sample.price, play.venue.instrument(play.symbol).tick_size
    step = tick or price / 100
    start_ns = play.clock.now_ns() // HOUR_NS * HOUR_NS
    shown: list[tuple[int, Decimal]] = []
    for number in range(6):
        last = price + step * (number + 1)
        await play.venue.show(play.symbol, bid=last - step, ask=last + step, last=last)
        shown.append((play.clock.now_ns() // HOUR_NS * HOUR_NS, last))
        play.clock.step(start_ns + (number + 1) * HOUR_NS + 20 * MINUTE_NS - play.clock.now_ns())
    broker = await play.connect()
    window = Window(start_ns=start_ns, end_ns=start_ns + 6 * HOUR_NS)
    told = [one async for one in broker.fetch_bars(play.symbol, Timeframe.parse("1h"), window)]
    opened = [one.open_time_ns for one in told]
    wanted = [start for start, _ in shown if window.covers(start)]
    play.equal("TIM-050", wanted, opened, f"when {what}, bars open at")
    play.check(
        "TIM-050", opened == sorted(set(opened)), f"when {what}, a bar comes twice: {opened}"
    )
    closes = dict(shown)
    for one in told:
        shows = closes.get(one.open_time_ns)
        in_it = shows is not None and one.low <= shows <= one.high
        play.check("TIM-050", in_it, f"when {what}, the bar of {one.open_time_ns} is another's")
    some = Window(start_ns=start_ns + HOUR_NS, end_ns=start_ns + 3 * HOUR_NS)
    part = [one.open_time_ns async for one in broker.fetch_bars(play.symbol, "1h", some)]
    play.equal("TIM-050", [one for one in wanted if some.covers(one)], part, f"a part when {what}")


@scenario("TIM-070")
async def a_window_begins_and_ends_where_it_says(play: Play) -> None:
    """Fills and orders are read from, and up to, the very instants of some of them."""
    broker = await play.connect()
    quantity = play.subject.sample.quantity / 4
    for number in range(4):
        await play.take(client_order_id=f"window-{number}", quantity=quantity)
        await play.pause(2)
    all_fills = [one async for one in broker.fetch_fills()]
    all_orders = [one async for one in broker.fetch_orders()]
    play.equal("TIM-070", 4, len(all_fills), "fills without a window")
    play.equal("TIM-070", 4, len(all_orders), "orders without a window")
    times = [one.venue_time_ns for one in all_fills]
    made = [one.created_at_ns or 0 for one in all_orders]
    for begin, end in itertools.combinations(range(4), 2):
        window = Window(start_ns=times[begin], end_ns=times[end])
        found = [one.venue_time_ns async for one in broker.fetch_fills(window)]
        play.equal("TIM-070", times[begin:end], found, f"fills from {begin} up to {end}")
        window = Window(start_ns=made[begin], end_ns=made[end])
        orders = [one.created_at_ns async for one in broker.fetch_orders(window)]
        play.equal("TIM-070", made[begin:end], orders, f"orders from {begin} up to {end}")
    first = [one.fill_id async for one in broker.fetch_fills(Window(limit=2))]
    play.equal("TIM-070", [one.fill_id for one in all_fills[:2]], first, "the two oldest fills")
    two = [one.client_order_id async for one in broker.fetch_orders(Window(limit=2))]
    play.equal(
        "TIM-070", [one.client_order_id for one in all_orders[:2]], two, "the two oldest orders"
    )


@scenario("TIM-080", when=_can_limit)
async def setting_the_clock_disturbs_nobody(play: Play) -> None:
    """The clock on the wall is set back, and forward again, while orders are placed."""
    await play.connect()
    for name, seconds in (("before", 0), ("back", -2), ("forward", 3), ("again", -1)):
        await play.pause(1)  # a small limit of requests would make the order wait its turn
        play.clock.step(seconds * SECOND_NS)
        started_ns = play.clock.monotonic_ns()
        order = await play.rest(client_order_id=f"clock-{name}")
        took_s = (play.clock.monotonic_ns() - started_ns) / SECOND_NS
        play.check(
            "TIM-080", took_s < 1, f"an order took {took_s} s after the clock was set {name}"
        )
        await play.broker.cancel(order)
        ended = await play.until(partial(_has_ended, play, order.client_order_id))
        play.check("TIM-080", ended, f"the cancel of order {name} is not told")
    play.equal("TIM-080", 4, len(await play.venue.orders()), "orders at the venue")


def _has_ended(play: Play, client_order_id: str) -> bool:
    return play.order(client_order_id).is_terminal


@scenario("TIM-090", when=_reads_days)
async def a_day_has_one_bar(play: Play) -> None:
    """Daily bars over a week in which clocks go back: one a day, in order."""
    _begin(play, "2026-10-30T15:00:00")
    await play.open()
    price = play.subject.sample.price
    for _ in range(5):
        await play.venue.show(play.symbol, last=price)
        play.clock.step(DAY_NS)
    broker = await play.connect()
    start_ns = _instant("2026-10-29T00:00:00")
    window = Window(start_ns=start_ns, end_ns=start_ns + 7 * DAY_NS)
    told = [one.open_time_ns async for one in broker.fetch_bars(play.symbol, "1d", window)]
    play.check("TIM-090", len(told) in (4, 5), f"{len(told)} bars of five days")
    apart = [after - before for before, after in itertools.pairwise(told)]
    is_daily = all(abs(one % DAY_NS) in (0, HOUR_NS, DAY_NS - HOUR_NS) and one > 0 for one in apart)
    play.check("TIM-090", is_daily, f"days are {apart} ns apart")
