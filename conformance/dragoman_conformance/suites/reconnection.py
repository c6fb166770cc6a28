"""A venue that goes away: it is come back to in time, without a storm, and nothing is lost."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from dragoman.errors import DragomanError
from dragoman.models import (
    Channel,
    ConnectionEvent,
    ConnectionState,
    EventSource,
    HealthState,
    OrderEventKind,
    Quote,
    Trade,
)
from dragoman.times import HOUR_NS, SECOND_NS

from ..chaos import FrameFault, FrameToxic, Reply
from ..looks.agreement import disagreement
from ..looks.market import hearing
from ..looks.orders import token
from ..looks.outages import cut, is_streamed, lives_again, stream_routes, tries, waits_s
from ..looks.routes import Route
from ..looks.tellings import fill_in_parts, fills_missed
from ..scenario import Need, scenario

if TYPE_CHECKING:
    from dragoman.capabilities import Capabilities
    from dragoman.models import Event, OrderEvent

    from ..play import Play

_BOTH: Final = (Need.VENUE, Need.WIRE)
_A_DAY_S: Final = 86_400.0
_AWAY_S: Final = 60.0
_MOST_TRIES: Final = 20
_LONGEST_WAIT_S: Final = 75.0
_SOON_S: Final = 8.0
_AT_ONCE_S: Final = 5.0


def _streams_quotes(capabilities: Capabilities) -> bool:
    return Channel.QUOTES in capabilities.streams


@scenario("REC-010", "REC-020", needs=_BOTH)
async def a_stream_that_breaks_comes_back(play: Play) -> None:
    """The stream is reset twice: it is opened and subscribed to anew, and tells on."""
    await play.connect()
    for name in ("again1", "again2"):
        since = len(play.wire.exchanges)
        streamed = is_streamed(play)
        if streamed:
            play.wire.reset_streams()
        else:
            play.wire.reset_connections()
        is_live = await _lives_again_after(play, since)
        play.check("REC-020", is_live, f"after a reset: {play.broker.health}")
        play.insist("REC-020", play.broker.health.state is HealthState.LIVE, "it never came back")
        await play.rest(client_order_id=name)
        await fill_in_parts(play, name, parts=1)
        told = await play.until(partial(_fills, play, name), within_s=_SOON_S)
        play.check("REC-010", told, "no fill is told after the stream came back")
        sources = {one.source for one in _fills(play, name)}
        by_stream = not streamed or EventSource.STREAM in sources
        play.check("REC-010", by_stream, "the stream came back, and tells nothing any more")
        await play.broker.cancel(name)


async def _lives_again_after(play: Play, since: int) -> bool:
    """Wait until a new stream was asked for, and the account is LIVE."""
    await play.until(
        lambda: tries(play, since) or not stream_routes(play), within_s=_LONGEST_WAIT_S
    )
    return await lives_again(play)


def _fills(play: Play, name: str) -> list[OrderEvent]:
    return [one for one in play.events(name) if one.kind is OrderEventKind.FILL]


@scenario("REC-100", when=_streams_quotes, needs=_BOTH)
async def what_was_subscribed_to_comes_again(play: Play) -> None:
    """Streams of the market break: every reader is told on, without asking again."""
    await play.connect()
    prints = Channel.TRADES in play.capabilities.streams
    channels = (Channel.QUOTES, Channel.TRADES) if prints else (Channel.QUOTES,)
    other = play.subject.sample.other or play.symbol
    async with hearing(play, *channels) as heard, hearing(play, *channels, symbol=other) as others:
        play.wire.reset_streams()
        await play.pause(20.0)
        await lives_again(play)
        heard.clear()
        others.clear()
        price = play.subject.sample.price * 2
        await play.venue.show(play.symbol, bid=price, ask=price * 2, last=price)
        price = play.subject.sample.other_price * 2
        await play.venue.show(other, bid=price, ask=price * 2, last=price)
        for kind in (Quote, Trade)[: len(channels)]:
            for name, found in ((play.symbol, heard), (other, others)):
                is_told = await play.until(partial(_has, found, kind), within_s=_SOON_S)
                play.check("REC-100", is_told, f"no {kind.__name__} of {name} after a reconnect")


def _has(heard: list[Event], kind: type[Event]) -> bool:
    return any(isinstance(one, kind) for one in heard)


@scenario("REC-030", needs=_BOTH)
async def a_venue_that_stays_away_is_not_stormed(play: Play) -> None:
    """Nobody opens the stream for a minute: it is tried again and again, ever less often."""
    await play.connect()
    streamed = is_streamed(play)
    since = await _refuse_streams(play, Reply.busy(503))
    before = play.clock.now_ns() / SECOND_NS
    await play.pause(_AWAY_S)
    made = tries(play, since)
    if streamed:
        _check_waits(play, made, before)
    else:
        play.check("REC-030", len(made) <= _AWAY_S, f"{len(made)} requests in {_AWAY_S:.0f} s")
    play.wire.clear()
    is_live = await lives_again(play, within_s=_LONGEST_WAIT_S)
    play.check("REC-030", is_live, f"once it is back: {play.broker.health}")


async def _refuse_streams(play: Play, reply: Reply) -> int:
    """Let every stream break and none be opened any more; returns the number of exchanges so far.

    A subject without streams is refused whatever it asks.
    """
    since = len(play.wire.exchanges)
    if is_streamed(play):
        for route in stream_routes(play):
            play.wire.add(route.reply(reply, times=None))
        play.wire.reset_streams()
    else:
        for method in ("GET", "POST"):
            play.wire.add(Route(method=method, path="/").reply(reply, times=None))
    await play.settle()
    return since


def _check_waits(play: Play, made: list[float], started_s: float) -> None:
    waits = waits_s(made)
    play.check("REC-030", made, "a stream that broke is not tried again")
    if not waits:
        return
    play.check("REC-030", len(made) <= _MOST_TRIES, f"{len(made)} tries in {_AWAY_S:.0f} s")
    play.check(
        "REC-030", made[0] - started_s <= 10, f"first tried after {made[0] - started_s:.1f} s"
    )
    play.check("REC-030", max(waits) <= _LONGEST_WAIT_S, f"waited {max(waits):.0f} s")
    play.check("REC-030", len({round(one, 3) for one in waits}) > 1, f"waits all alike: {waits}")
    half = len(waits) // 2
    grown = sum(waits[half:]) / len(waits[half:]) >= sum(waits[:half]) / max(half, 1)
    play.check("REC-030", grown, f"waits do not grow: {[round(one, 2) for one in waits]}")


@scenario("REC-040", "REC-090", needs=_BOTH)
async def what_happened_meanwhile_is_told_once(play: Play) -> None:
    """While the venue is away orders fill, end and appear: afterwards all of it is told, once."""
    await play.connect()
    for name in ("filled", "partly", "ended"):
        await play.rest(client_order_id=name)
    await fill_in_parts(play, "partly", parts=1)
    await play.settle()
    ended = play.order("ended")
    cut(play)
    is_told = await play.until(
        lambda: play.broker.health.state is not HealthState.LIVE, within_s=_LONGEST_WAIT_S
    )
    play.check("REC-090", is_told, "a venue that is away is told as LIVE")
    sample = play.subject.sample
    account_id = play.venue.account_id
    await play.venue.act(lambda engine: engine.cancel(account_id, token(play, "ended")))
    await fill_in_parts(play, "filled", parts=8)
    await play.venue.place_elsewhere(
        "elsewhere", play.symbol, quantity=sample.quantity, limit_price=ended.limit_price
    )
    await play.wire.accept()
    is_live = await lives_again(play)
    play.check("REC-090", is_live, f"once it is back: {play.broker.health}")
    missed = await fills_missed(play)
    play.check("REC-040", not missed, missed)
    known = {one.limit_price for one in play.broker.state.open_orders}
    play.equal("REC-040", {ended.limit_price}, known, "limits of the orders open, that of another")
    states = [one.state for one in play.heard if isinstance(one, ConnectionEvent)]
    is_back = ConnectionState.RECONNECTED in states or ConnectionState.CONNECTED in states
    play.check("REC-090", is_back, f"of the connection is told {[str(one) for one in states]}")


@scenario("REC-050", needs=_BOTH)
async def a_peer_that_vanished_is_found_out(play: Play) -> None:
    """The stream's peer is gone, and nothing says so: the stream is given up and opened anew."""
    await play.connect()
    since = len(play.wire.exchanges)
    streamed = is_streamed(play)
    play.wire.freeze_streams()
    await play.until(lambda: tries(play, since), within_s=_LONGEST_WAIT_S)
    found = tries(play, since)
    play.check(
        "REC-050", found or not streamed, f"{_LONGEST_WAIT_S:.0f} s of silence are not noticed"
    )
    is_live = await lives_again(play)
    play.check("REC-050", is_live, f"after it was found out: {play.broker.health}")


@scenario("REC-060", needs=_BOTH)
async def credentials_that_are_refused_are_not_tried_for_ever(play: Play) -> None:
    """The stream is refused with 401 from now on: that is told, and it is not asked for again."""
    await play.connect()
    since = await _refuse_streams(play, Reply.busy(401))
    await play.until(
        lambda: play.broker.health.state is not HealthState.LIVE, within_s=_LONGEST_WAIT_S
    )
    play.check(
        "REC-060", play.broker.health.state is not HealthState.LIVE, "refused, and told as LIVE"
    )
    await play.pause(_SOON_S)
    after = len(play.wire.exchanges)
    await play.pause(_AWAY_S)
    early, late = tries(play, since), tries(play, after)
    if stream_routes(play):
        play.check("REC-060", len(early) <= 3 + len(late), f"tried {len(early)} times at first")
        play.check("REC-060", not late, f"tried {len(late)} times more in {_AWAY_S:.0f} s")
        state = play.broker.health.state
        play.equal("REC-060", HealthState.AUTH_REQUIRED, state, "health without credentials")
    else:
        most = _AWAY_S / 2
        play.check("REC-060", len(late) <= most, f"asked {len(late)} times in {_AWAY_S:.0f} s")


@scenario("REC-110", needs=_BOTH)
async def a_stream_closed_over_policy_is_not_stormed(play: Play) -> None:
    """Each new stream is closed at once with 1008: it is tried few times, if at all."""
    await play.connect()
    since = len(play.wire.exchanges)
    play.wire.add(FrameToxic(fault=FrameFault.CLOSE, code=1008, times=None))
    if is_streamed(play):
        await play.wire.close_streams(1008)
    await play.pause(_AWAY_S)
    made = tries(play, since) if stream_routes(play) else []
    play.check("REC-110", len(made) <= _MOST_TRIES, f"tried {len(made)} times in {_AWAY_S:.0f} s")


@scenario("REC-070", needs=_BOTH)
async def closing_ends_the_waiting(play: Play) -> None:
    """The broker is closed while it waits to try again: at once, and nothing is tried any more."""
    await play.connect()
    since = await _refuse_streams(play, Reply.busy(503))
    await play.pause(20.0)
    started_ns = play.clock.monotonic_ns()
    await play.disconnect()
    took_s = (play.clock.monotonic_ns() - started_ns) / SECOND_NS
    play.check("REC-070", took_s <= _AT_ONCE_S, f"closing took {took_s:.1f} s")
    play.check("REC-070", tries(play, since), "a venue that is away was never tried again")
    closed = len(play.wire.exchanges)
    connects = play.wire.connects
    play.wire.clear()
    await play.pause(40.0)
    left = len(play.wire.exchanges) - closed
    play.equal("REC-070", 0, left, "requests after the broker was closed")
    play.equal("REC-070", connects, play.wire.connects, "connections after the broker was closed")
    play.equal("REC-070", 0, play.wire.open_connections, "connections left open")


@scenario("REC-080", needs=_BOTH, deadline_s=_A_DAY_S)
async def credentials_that_ran_out_are_renewed(play: Play) -> None:
    """The venue is away for an hour: tokens have run out by then, and are renewed by themselves."""
    await play.connect()
    cut(play)
    await play.pause(5.0)
    play.clock.leap(HOUR_NS)
    await play.pause(5.0)
    await play.wire.accept()
    is_live = await lives_again(play)
    play.check("REC-080", is_live, f"after an hour away: {play.broker.health}")
    try:
        order = await play.rest(client_order_id="renewed")
    except DragomanError as error:
        play.check("REC-080", held=False, why=f"an order after an hour away: {error!r}")
        return
    await play.broker.cancel(order)
    differing = await disagreement(play)
    play.check("REC-080", not differing, differing)


def _read_paths(play: Play) -> list[str]:
    """Return what was read so far, streams apart, the longest first."""
    streams = {route.path for route in stream_routes(play)}
    read = {one.path for one in play.wire.exchanges if one.method == "GET"}
    return sorted(read - streams, key=len, reverse=True)


@scenario("REC-120", needs=_BOTH)
async def state_is_not_proved_by_a_snapshot_that_fails(play: Play) -> None:
    """The stream is back, and what it asks for is refused: nothing is told as ended or flat."""
    await play.connect()
    await play.take(client_order_id="held")
    await play.rest(client_order_id="open")
    await play.settle()
    cut(play)
    await play.settle()
    for number, reply in enumerate((Reply.busy(503), Reply.html(200), Reply.json(b""))):
        play.wire.clear()
        for path in _read_paths(play):
            play.wire.add(Route(method="GET", path=path).reply(reply, times=None))
        if not number:
            await play.wire.accept()
        await play.pause(8.0)
        state = play.broker.health.state
        play.check(
            "REC-120", state is not HealthState.LIVE, f"LIVE without an answer ({reply.status})"
        )
        play.check("REC-120", play.order("open").is_open, "an order is told as ended without proof")
        held = sum(one.quantity for one in play.broker.state.positions)
        play.equal("REC-120", play.subject.sample.quantity, held, "position told without proof")
    play.wire.clear()
    await lives_again(play, within_s=150.0)
    for path in _read_paths(play):
        play.wire.add(Route(method="GET", path=path).reply(Reply.json(b"{}", 400), times=None))
        play.wire.reset_connections()
        await play.pause(9.0)
        play.wire.clear()
        play.check("REC-120", play.order("open").is_open, f"ended, as {path} could not be read")
        held = sum(one.quantity for one in play.broker.state.positions)
        play.equal("REC-120", play.subject.sample.quantity, held, f"position without {path}")
    is_live = await lives_again(play, within_s=150.0)
    play.check("REC-120", is_live, f"once it answers again: {play.broker.health}")
    differing = await disagreement(play)
    play.check("REC-120", not differing, differing)
