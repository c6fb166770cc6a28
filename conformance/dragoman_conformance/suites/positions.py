"""Positions: what is held, on which side and at what price, from opening to closing."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from dragoman.capabilities import OrderFeature, ReadFeature
from dragoman.errors import DragomanError, NotFoundError
from dragoman.models import OrderStatus, PositionEffect, Side

from ..looks.orders import at_venue
from ..looks.positions import positions_as_they_stand
from ..looks.terms import has_feature, on_tick, rests, trades
from ..scenario import scenario

if TYPE_CHECKING:
    from dragoman.capabilities import Capabilities
    from dragoman.models import Position

    from ..play import Play

_WITHIN_S: Final = 60.0


def _reads(capabilities: Capabilities) -> bool:
    return trades(capabilities) and ReadFeature.POSITIONS in capabilities.reads


def _closes(capabilities: Capabilities) -> bool:
    return _reads(capabilities) and has_feature(capabilities, OrderFeature.REDUCE_ONLY)


async def _compare(play: Play, requirement: str, what: str) -> None:
    """Compare positions, as they are read and as they are known, with the venue's own."""
    there = await play.venue.positions()
    wrong = list(positions_as_they_stand(await play.broker.fetch_positions(), there))
    play.check(requirement, not wrong, f"{what}, as read: {'; '.join(wrong)}")
    await play.until(lambda: _is_level(play, there), within_s=_WITHIN_S)
    wrong = list(positions_as_they_stand(play.broker.state.positions, there))
    wrong = [one for one in wrong if not _moves_with_the_market(one)]
    play.check(requirement, not wrong, f"{what}, as known: {'; '.join(wrong)}")


def _is_level(play: Play, there: tuple[Position, ...]) -> bool:
    found = sorted((one.symbol, one.quantity) for one in play.broker.state.positions)
    return found == sorted((one.symbol, one.quantity) for one in there)


def _moves_with_the_market(difference: str) -> bool:
    """Tell whether a difference is about what changes with each price, as known from before."""
    return any(f" {name} " in difference for name in ("mark_price", "unrealized_pnl", "margin"))


async def _at(play: Play, percent: int) -> None:
    """Let the market stand at so many hundredths of the sample's price."""
    price = on_tick(play, play.subject.sample.price * percent / 100)
    await play.venue.move(play.symbol, price)


@scenario("POS-010", "POS-020", "POS-040", "POS-100", "POS-140", when=_reads, is_smoke=True)
async def a_position_has_a_side_and_a_price(play: Play) -> None:
    """A long and a short position, each in gain and in loss, and flat after each."""
    await play.connect()
    whole = play.subject.sample.quantity
    for side, requirement in ((Side.BUY, "POS-020"), (Side.SELL, "POS-010")):
        await play.take(side=side)
        await _compare(play, requirement, f"after a {side}")
        held = [(one.symbol, one.quantity) for one in await play.broker.fetch_positions()]
        play.equal(requirement, [(play.symbol, whole * side.sign)], held, "symbol and quantity")
        averages = [one.average_entry_price for one in await play.broker.fetch_positions()]
        play.check("POS-140", None not in averages, f"a {side} without the price it began at")
        for percent in (104, 97):
            await _at(play, percent)
            there = await play.venue.positions()
            found = await play.broker.fetch_positions()
            wrong = list(positions_as_they_stand(found, there))
            play.check("POS-100", not wrong, f"{side}, market at {percent} %: {'; '.join(wrong)}")
        await play.take(side=side.opposite)
        await _flat(play, f"after a {side} and its opposite")
        await _at(play, 100)


async def _flat(play: Play, what: str) -> None:
    """Check that nothing is held: no row, or one of zero that says no price."""
    await _compare(play, "POS-040", what)
    await play.until(lambda: not play.broker.state.positions, within_s=_WITHIN_S)
    for name, rows in (
        ("read", await play.broker.fetch_positions()),
        ("known", play.broker.state.positions),
    ):
        stale = [one for one in rows if one.quantity or one.average_entry_price is not None]
        play.check("POS-040", not stale, f"{what}, {name}: {stale}")


@scenario("POS-030", when=_reads)
async def an_average_follows_what_was_bought(play: Play) -> None:
    """A position grows at another price, shrinks, and grows again, on both sides."""
    await play.connect()
    whole = play.subject.sample.quantity
    for side in (Side.BUY, Side.SELL):
        for percent, turn, part in (
            (100, side, whole),
            (103, side, whole / 2),
            (98, side.opposite, whole / 4),
            (101, side, whole * 3 / 4),
        ):
            await _at(play, percent)
            await play.take(side=turn, quantity=part)
            await _compare(play, "POS-030", f"{turn} {part} at {percent} %")
        await play.take(side=side.opposite, quantity=whole * 2)


@scenario("POS-050", when=_reads)
async def a_position_turns_through_zero(play: Play) -> None:
    """One order turns a long position into a short one, and another turns it back."""
    await play.connect()
    whole = play.subject.sample.quantity
    for percent, side, part in ((100, Side.BUY, whole), (102, Side.SELL, whole * 2)):
        await _at(play, percent)
        await play.take(side=side, quantity=part)
        await _compare(play, "POS-050", f"{side} {part}")
    held = [one.quantity for one in play.broker.state.positions]
    play.equal("POS-050", [-whole], held, "held after the turn")
    await play.take(side=Side.BUY, quantity=whole * 3 / 2)
    await _compare(play, "POS-050", "turned back by half")
    held = [one.quantity for one in play.broker.state.positions]
    play.equal("POS-050", [whole / 2], held, "held after the turn back")


@scenario("POS-060", "POS-070", "POS-090", when=_closes)
async def a_position_is_closed_in_parts_and_whole(play: Play) -> None:
    """A quarter of a position is closed, then all of it, by orders that can do nothing else."""
    await play.connect()
    whole = play.subject.sample.quantity
    for side in (Side.BUY, Side.SELL):
        await play.take(side=side)
        await play.until(lambda: play.broker.state.positions, within_s=_WITHIN_S)
        part = await play.broker.close(play.symbol, whole / 4)
        await play.until(lambda: play.order(part.client_order_id).is_terminal)  # noqa: B023 - waited for at once
        await _compare(play, "POS-070", f"a quarter of a {side} closed")
        held = [one.quantity for one in await play.broker.fetch_positions()]
        play.equal("POS-070", [whole * 3 / 4 * side.sign], held, "left of it")
        rest = await play.broker.close(play.symbol)
        await play.until(lambda: play.order(rest.client_order_id).is_terminal)  # noqa: B023 - waited for at once
        await _compare(play, "POS-060", f"a {side} closed")
        play.equal("POS-060", 0, await play.venue.held(play.symbol), "held at the venue")
        for order in (part, rest):
            there = await at_venue(play, order.client_order_id)
            play.equal("POS-090", side.opposite, there.side, "side of the closing order")
            play.equal("POS-090", PositionEffect.CLOSE, there.position_effect, "its effect there")
    await play.until(lambda: not play.broker.state.positions, within_s=_WITHIN_S)
    await play.fails(
        "POS-060", play.broker.close(play.symbol), (NotFoundError, DragomanError), "nothing held"
    )
    play.equal("POS-060", 0, await play.venue.held(play.symbol), "held after closing nothing")


@scenario("POS-080", "POS-120", when=_closes, fits=lambda subject: subject.sample.other is not None)
async def all_positions_are_closed(play: Play) -> None:
    """A long and a short position stand apart; one is closed by its symbol, then all there are."""
    await play.connect()
    sample = play.subject.sample
    other = sample.other or sample.symbol
    await play.take()
    await play.take(symbol=other, side=Side.SELL, quantity=sample.quantity / 2)
    await _compare(play, "POS-120", "two symbols")
    one = await play.broker.fetch_positions(other)
    found = [(row.symbol, row.quantity) for row in one]
    play.equal("POS-120", [(other, -sample.quantity / 2)], found, "read of one symbol")
    results = await play.broker.close_all(other)
    await play.until(lambda: len(play.broker.state.positions) == 1, within_s=_WITHIN_S)
    play.equal("POS-080", [None], [row.error for row in results], "errors of closing one symbol")
    held = {row.symbol: row.quantity for row in await play.venue.positions()}
    play.equal("POS-080", {play.symbol: sample.quantity}, held, "held after closing one symbol")
    await play.take(symbol=other, quantity=sample.quantity / 2)
    await play.until(lambda: len(play.broker.state.positions) == 2, within_s=_WITHIN_S)
    results = await play.broker.close_all()
    await play.until(lambda: not play.broker.state.positions, within_s=_WITHIN_S)
    play.equal("POS-080", [None, None], [row.error for row in results], "errors of closing all")
    play.equal("POS-080", (), await play.venue.positions(), "held after closing all")
    await _flat_everywhere(play)


async def _flat_everywhere(play: Play) -> None:
    rows = [one for one in await play.broker.fetch_positions() if one.quantity]
    play.equal("POS-080", [], rows, "read after closing all")


@scenario("POS-130", when=_reads)
async def positions_are_found_at_the_start(play: Play) -> None:
    """A long and a short position of a life before are known as soon as one is connected."""
    await play.connect()
    for side in (Side.BUY, Side.SELL):
        await play.take(side=side, client_order_id=f"{side.lower()}-opens")
        await play.disconnect()
        await play.connect()
        wrong = list(
            positions_as_they_stand(play.broker.state.positions, await play.venue.positions())
        )
        play.check("POS-130", not wrong, f"after a {side}, at the start: {'; '.join(wrong)}")
        await _compare(play, "POS-130", f"a {side} of the life before")
        order = await play.take(side=side.opposite, client_order_id=f"{side.lower()}-ends")
        play.equal("POS-130", OrderStatus.FILLED, order.status, "what closed it")
        await _compare(play, "POS-130", f"a {side} that was closed by a later life")


@scenario("POS-110", when=lambda declared: _reads(declared) and rests(declared))
async def a_position_moves_with_each_fill(play: Play) -> None:
    """While an order fills in quarters, the position that is known follows."""
    await play.connect()
    whole = play.subject.sample.quantity
    await play.rest(client_order_id="grows")
    name = (await at_venue(play, "grows")).client_order_id
    account = play.venue.account_id
    for number in range(1, 5):
        await play.venue.act(lambda engine: engine.execute(account, name, whole / 4))
        wanted = whole * number / 4
        await play.until(
            lambda: sum(one.quantity for one in play.broker.state.positions) == wanted,  # noqa: B023 - waited for at once
            within_s=_WITHIN_S,
        )
        held = sum((one.quantity for one in play.broker.state.positions), Decimal(0))
        play.equal("POS-110", wanted, held, f"held after {number} quarters")
        await _compare(play, "POS-110", f"{number} quarters filled")
