"""Streams: each event once, in order and true; what is odd in them ends nothing."""

from __future__ import annotations

import gc
from collections import Counter
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from dragoman.errors import DragomanError
from dragoman.models import (
    Channel,
    EventSource,
    HealthEvent,
    HealthState,
    OrderEventKind,
    Quarantined,
    Quote,
    Side,
    Subscription,
    Trade,
)
from dragoman.times import MILLISECOND_NS

from ..chaos import FrameFault, FrameKind, FrameToxic, Origin
from ..looks import bodies
from ..looks.agreement import disagreement
from ..looks.bare import bare
from ..looks.market import KINDS, channels_of, hearing, streams_market, subscription
from ..looks.numbering import is_numbered
from ..looks.tellings import fill_in_parts, fills_missed
from ..scenario import Need, scenario

if TYPE_CHECKING:
    from dragoman.capabilities import Capabilities
    from dragoman.models import Event, OrderEvent

    from ..play import Play

_BOTH: Final = (Need.VENUE, Need.WIRE)
_AT_ONCE_S: Final = 8.0
"""How long news may take by way of a stream that lives, or of polling."""
_TIMER_S: Final = 90.0
_FLOOD: Final = 30_000
_MOST_HELD: Final = 20_000


def _prints(capabilities: Capabilities) -> bool:
    return Channel.TRADES in capabilities.streams


def _quotes(capabilities: Capabilities) -> bool:
    return Channel.QUOTES in capabilities.streams


def _steps(play: Play, count: int) -> list[Decimal]:
    """Return so many prices around the sample's, none twice in a row, on the tick."""
    tick = play.venue.instrument(play.symbol).tick_size or Decimal("0.01")
    return [
        play.subject.sample.price + tick * (number % 7 + number // 7) for number in range(count)
    ]


@scenario("STR-010", "STR-020", when=_prints, needs=(Need.VENUE,))
async def prints_come_once_and_in_order(play: Play) -> None:
    """Two readers of one symbol, one of another: each is told its own prints, once, in order."""
    await play.connect()
    prices = _steps(play, 40)
    other = play.subject.sample.other
    async with hearing(play, Channel.TRADES) as first, hearing(play, Channel.TRADES) as second:
        await play.venue.tape(play.symbol, prices, every_ns=5 * MILLISECOND_NS)
        if other is not None:
            await play.venue.show(other, last=play.subject.sample.other_price)
        await play.until(lambda: len(_trades(first)) >= len(prices), within_s=_AT_ONCE_S)
        await play.settle()
    for heard in (first, second):
        told = [(one.symbol, one.price) for one in _trades(heard)]
        true = [(play.symbol, price) for price in prices]
        play.equal("STR-010", true, told, "prints told, in order")
        ids = Counter(one.trade_id for one in _trades(heard) if one.trade_id is not None)
        play.check("STR-010", all(count == 1 for count in ids.values()), "an id is told twice")
    if other is None:
        play.check("STR-020", held=True, why="")
        return
    async with (
        hearing(play, Channel.TRADES) as ours,
        hearing(play, Channel.TRADES, symbol=other) as theirs,
    ):
        await play.venue.show(play.symbol, last=prices[0])
        await play.venue.show(other, last=play.subject.sample.other_price)
        await play.until(lambda: _trades(ours) and _trades(theirs), within_s=_AT_ONCE_S)
    play.equal("STR-020", {play.symbol}, {one.symbol for one in _trades(ours)}, "symbols told")
    play.equal("STR-020", {other}, {one.symbol for one in _trades(theirs)}, "symbols told")


def _trades(heard: list[Event]) -> list[Trade]:
    return [one for one in heard if isinstance(one, Trade)]


@scenario("STR-070", "STR-110", when=_quotes, needs=_BOTH)
async def one_subscription_serves_all_readers(play: Play) -> None:
    """Two readers share what the venue sends, and nothing is sent once nobody reads any more."""
    await play.connect()
    one, two, three, four = [play.subject.sample.price * times for times in (3, 5, 7, 9)]
    async with hearing(play, Channel.QUOTES) as first:
        async with hearing(play, Channel.QUOTES) as second:
            await play.venue.move(play.symbol, one)
            await play.until(lambda: _saw(first, one) and _saw(second, one), within_s=_AT_ONCE_S)
            await play.settle()
        play.check("STR-070", _saw(first, one) and _saw(second, one), "a reader was told nothing")
        sent = _sent(play, one)
        play.check("STR-070", sent <= 1, f"the venue sent one quote {sent} times to one account")
        await play.venue.move(play.symbol, two)
        await play.until(lambda: _saw(first, two), within_s=_AT_ONCE_S)
        play.check("STR-070", _saw(first, two), "the reader that stayed is told nothing more")
        play.check("STR-070", not _saw(second, two), "a reader that left is told more")
    await play.pause(2.0)
    await play.venue.move(play.symbol, three)
    await play.settle()
    sent = _sent(play, three)
    play.equal("STR-110", 0, sent, "quotes sent by the venue that nobody reads")
    async with hearing(play, Channel.QUOTES) as again:
        await play.venue.move(play.symbol, four)
        await play.until(lambda: _saw(again, four), within_s=_AT_ONCE_S)
    play.check("STR-110", _saw(again, four), "a reader that comes again is told nothing")


def _saw(heard: list[Event], price: Decimal) -> bool:
    """Tell whether a quote around a price was heard."""
    quotes = [one for one in heard if isinstance(one, Quote)]
    return any(
        one.bid_price is not None
        and one.ask_price is not None
        and one.bid_price < price < one.ask_price
        for one in quotes
    )


def _sent(play: Play, price: Decimal) -> int:
    """Count the frames of the venue that name the bid of a market around a price."""
    tick = play.venue.instrument(play.symbol).tick_size or Decimal("0.01")
    bid = str((price - tick).normalize()).encode()
    return sum(bid in one.payload for one in play.wire.frames if one.origin is not Origin.CLIENT)


_ODD: Final = {
    "words unheard of": FrameToxic(fault=FrameFault.CHANGE, change=bodies.reworded),
    "an object of no known type": FrameToxic(
        fault=FrameFault.REPLACE, payload=b'{"kit":"unheard of","type":"kit","event":"kit"}'
    ),
    "a list": FrameToxic(fault=FrameFault.REPLACE, payload=b"[1,2,3]"),
    "nothing": FrameToxic(fault=FrameFault.REPLACE, payload=b"{}"),
}
_BROKEN: Final = {
    "no JSON": FrameToxic(fault=FrameFault.REPLACE, payload=b'{"no json'),
    "no UTF-8": FrameToxic(fault=FrameFault.CORRUPT),
    "brackets without end": FrameToxic(fault=FrameFault.REPLACE, payload=b"[" * 50_000),
    "nulls": FrameToxic(fault=FrameFault.CHANGE, change=bodies.nulled),
}


async def _strike_first_event(play: Play, requirement: str, toxics: dict[str, FrameToxic]) -> None:
    """Break what the stream says of a new order; its fills must be told all the same."""
    await play.connect()
    for number, (what, toxic) in enumerate(toxics.items()):
        name = f"odd{number}"
        trap = play.wire.add(toxic)
        await play.rest(client_order_id=name)
        await play.settle()
        play.wire.clear()
        await fill_in_parts(play, name, parts=4)
        missed = await fills_missed(play, within_s=_TIMER_S)
        play.check(requirement, not missed, f"after {what} in the stream: {missed}")
        if trap.hits:
            await _told_of(play, requirement, what)
        await play.broker.cancel_all()


async def _told_of(play: Play, requirement: str, what: str) -> None:
    """Check that the stream lives on: the next order's fills come by it, not by asking."""
    is_live = await play.until(lambda: play.broker.health.state is HealthState.LIVE, within_s=60)
    play.check(requirement, is_live, f"after {what} in the stream: {play.broker.health}")
    name = f"next{len(play.heard)}"
    await play.rest(client_order_id=name)
    await fill_in_parts(play, name, parts=1)
    heard = await play.until(lambda: _streamed(play, name), within_s=_AT_ONCE_S)
    play.check(requirement, heard, f"after {what} the stream tells no fills any more")
    await play.broker.cancel_all()


def _streamed(play: Play, name: str) -> list[OrderEvent]:
    return [
        one
        for one in play.events(name)
        if one.kind is OrderEventKind.FILL and one.source is EventSource.STREAM
    ]


@scenario("STR-030", needs=_BOTH)
async def messages_nobody_knows_end_nothing(play: Play) -> None:
    """Messages of unknown types and words come: they are passed over, and the stream goes on."""
    await _strike_first_event(play, "STR-030", _ODD)


@scenario("STR-100", needs=_BOTH)
async def messages_nobody_can_read_end_nothing(play: Play) -> None:
    """Messages that can't be parsed come: at worst the stream is opened anew, nothing is lost."""
    await _strike_first_event(play, "STR-100", _BROKEN)


@scenario("STR-050", needs=_BOTH)
async def a_message_nobody_knows_costs_no_connection(play: Play) -> None:
    """A message of a new type is told as quarantined or passed over; the connection lives."""
    await play.connect()
    streams = play.wire.open_streams
    connects = _opened(play)
    trap = play.wire.add(FrameToxic(fault=FrameFault.CHANGE, change=bodies.reworded))
    await play.rest(client_order_id="retyped")
    await play.settle()
    play.wire.clear()
    await fill_in_parts(play, "retyped", parts=1)
    await play.until(lambda: play.order("retyped").filled_quantity, within_s=_TIMER_S)
    play.equal("STR-050", connects, _opened(play), "streams opened after an unknown message")
    play.equal("STR-050", streams, play.wire.open_streams, "streams open after an unknown message")
    odd = [one for one in play.heard if isinstance(one, Quarantined)]
    play.check(
        "STR-050", len(odd) <= trap.hits, f"one odd message was quarantined {len(odd)} times"
    )


def _opened(play: Play) -> int:
    return sum(one.status == 101 for one in play.wire.exchanges) + play.wire.open_streams


@scenario("STR-040", needs=_BOTH)
async def messages_in_pieces_are_read_whole(play: Play) -> None:
    """Every message comes in pieces, cut within a character, with words of several bytes in it."""
    await play.connect()
    cut = FrameToxic(fault=FrameFault.SPLIT, times=None, seconds=0.01, change=_widened)
    play.wire.add(cut)
    connects = play.wire.connects
    await play.rest(client_order_id="pieces")
    await fill_in_parts(play, "pieces", parts=4)
    missed = await fills_missed(play, within_s=_AT_ONCE_S)
    play.check("STR-040", not missed, f"told in pieces: {missed}")
    is_streamed = play.wire.open_streams > 0
    is_told = not is_streamed or _streamed(play, "pieces")
    play.check("STR-040", is_told, "no fill came by the stream that was cut")
    odd = [one for one in play.heard if isinstance(one, Quarantined)]
    play.check("STR-040", not odd, f"a message in pieces was not understood: {odd[:1]}")
    if is_streamed:
        play.equal("STR-040", connects, play.wire.connects, "connections made meanwhile")


def _widened(payload: bytes) -> bytes:
    """Return a JSON message with a field more, whose text has characters of several bytes."""
    value = bodies.read(payload)
    if not isinstance(value, dict):
        return payload
    end = b"\n" if payload.endswith(b"\n") else b""
    return bodies.written({"kit_note": "\u00e9t\u00e9 \u20ac \U0001f680", **value}) + end


@scenario("STR-060", needs=_BOTH)
async def what_is_lost_is_noticed(play: Play) -> None:
    """A private message is lost: the next number shows it, or else a comparison."""
    await play.connect()
    await play.rest(client_order_id="gap1")
    await fill_in_parts(play, "gap1", parts=1)
    await play.settle()
    numbered = is_numbered(play)
    await play.rest(client_order_id="gap2")
    await play.rest(client_order_id="gap3", side=Side.SELL)
    await play.settle()
    trap = play.wire.add(FrameToxic(fault=FrameFault.DROP))
    await fill_in_parts(play, "gap2", parts=1)
    await play.settle()
    play.wire.clear()
    await play.broker.cancel("gap3")
    within_s = _AT_ONCE_S if numbered and trap.hits else _TIMER_S
    missed = await fills_missed(play, within_s=within_s)
    play.check("STR-060", not missed, f"{within_s:.0f} s after a message was lost: {missed}")


@scenario("STR-080", needs=_BOTH)
async def a_quiet_stream_stays_up(play: Play) -> None:
    """Nothing happens for a minute: the stream is kept up, and is not taken for dead."""
    await play.connect()
    connects = _opened(play)
    before = len(play.wire.frames)
    await play.pause(65.0)
    play.equal("STR-080", connects, _opened(play), "streams opened, after a quiet minute")
    states = {str(one.state) for one in play.heard if isinstance(one, HealthEvent)}
    bad = states & {"STALE", "DOWN"}
    play.check("STR-080", not bad, f"a quiet minute was told as {', '.join(sorted(bad))}")
    odd = [one for one in play.heard if isinstance(one, Quarantined)]
    play.check("STR-080", not odd, f"a quiet minute was not understood: {odd[:1]}")
    frames = play.wire.frames[before:]
    pings = sum(one.kind is FrameKind.PING and one.origin is Origin.VENUE for one in frames)
    pongs = sum(one.kind is FrameKind.PONG and one.origin is Origin.CLIENT for one in frames)
    play.check("STR-080", pongs >= pings - 1, f"{pings} pings of the venue, {pongs} answered")
    play.equal("STR-080", HealthState.LIVE, play.broker.health.state, "health after a quiet minute")


@scenario("STR-090", when=_quotes, needs=_BOTH)
async def a_reader_that_does_not_read_is_bounded(play: Play) -> None:
    """An adapter's stream is opened and not read: of a flood it keeps no more than a part."""
    async with bare(play, streams=False) as found:
        wanted = Subscription(**subscription(play, Channel.QUOTES))
        async with found.adapter.stream(wanted) as batches:
            flood = FrameToxic(fault=FrameFault.DUPLICATE, skip=1, copies=_FLOOD)
            trap = play.wire.add(flood)
            price = play.subject.sample.price * 3
            await play.venue.move(play.symbol, price)
            await play.venue.move(play.symbol, price)
            await play.pause(2.0)
            name = play.subject.declared.name
            held = sum(isinstance(one, Quote) and one.provider == name for one in gc.get_objects())
            play.check(
                "STR-090", held <= _MOST_HELD, f"{held} quotes are held for a sleeping reader"
            )
            play.wire.clear()
            first = await anext(aiter(batches))
            is_told = first and (trap.hits or not play.wire.open_streams)
            play.check("STR-090", is_told, "a reader that awakes is told nothing")


@scenario("STR-120", needs=_BOTH)
async def a_stream_that_says_nothing_is_stale(play: Play) -> None:
    """The venue falls silent: that is told, and no order is sent until state is proved again."""
    await play.connect()
    sent = play.posts()
    play.wire.refuse()
    if play.wire.open_streams:
        play.wire.freeze_streams()
    else:
        play.wire.reset_connections()
    is_told = await play.until(
        lambda: play.broker.health.state is not HealthState.LIVE, within_s=90
    )
    play.check("STR-120", is_told, "90 s of silence are told as LIVE")
    await play.fails(
        "STR-120", play.rest(client_order_id="blind"), DragomanError, "an order while blind"
    )
    play.equal("STR-120", sent, play.posts(), "orders sent while blind")
    await play.wire.accept()
    is_live = await play.until(lambda: play.broker.health.state is HealthState.LIVE, within_s=90)
    play.check("STR-120", is_live, f"once the venue speaks again: {play.broker.health}")
    differing = await disagreement(play)
    play.check("STR-120", not differing, differing)


@scenario("STR-130", needs=(Need.VENUE,))
async def events_of_the_account_are_numbered(play: Play) -> None:
    """What is told of the account is numbered without a gap, and no order goes back."""
    await play.connect()
    for number in range(3):
        name = f"seq{number}"
        await play.rest(client_order_id=name)
        await fill_in_parts(play, name)
        await play.broker.cancel(name)
    missed = await fills_missed(play)
    play.check("STR-130", not missed, missed)
    private = [one for one in play.heard if hasattr(one, "sequence")]
    numbers = [getattr(one, "sequence") for one in private]  # noqa: B009 - of any private event
    play.check("STR-130", numbers, "nothing of the account was told")
    is_dense = all(later == earlier + 1 for earlier, later in pairwise(numbers))
    play.check("STR-130", is_dense, f"events are numbered {numbers}")
    for number in range(3):
        kinds = [one.kind for one in play.events(f"seq{number}")]
        is_first = kinds and kinds[0] in (OrderEventKind.SUBMITTED, OrderEventKind.ACCEPTED)
        play.check("STR-130", is_first, f"an order's events begin with {kinds[:1]}")
        filled = [one.order.filled_quantity for one in play.events(f"seq{number}")]
        play.check("STR-130", filled == sorted(filled), f"filled quantities told: {filled}")


@scenario("STR-140", when=streams_market, needs=(Need.VENUE,))
async def a_symbol_nobody_knows_disturbs_nobody(play: Play) -> None:
    """A reader wants a symbol that is not listed: it is refused or told nothing; others go on."""
    await play.connect()
    channels = await channels_of(play)
    play.insist("STR-140", channels, "no channel that is declared is streamed of the sample")
    channel = channels[0]
    async with hearing(play, channel) as heard:
        told = await _told_of_nothing(play, subscription(play, channel, "KITNONESUCH"))
        play.check("STR-140", not told, f"streaming {channel} of a symbol that is none: {told}")
        before = len(heard)
        price = play.subject.sample.price * 2
        await play.venue.show(play.symbol, bid=price, ask=price * 2, last=price)
        is_told = await play.until(lambda: len(heard) > before, within_s=_AT_ONCE_S)
    play.check("STR-140", is_told, "another reader is told nothing after a refusal")


async def _told_of_nothing(play: Play, asked: dict[str, Any]) -> str:
    """Ask for a symbol that is none; returns what came of it besides a refusal."""
    heard: list[Event] = []
    try:
        async with play.broker.listen(heard.append, **asked):
            await play.settle()
    except DragomanError:
        return ""
    except Exception as error:  # noqa: BLE001 - an adapter may let anything out, which is the finding
        return f"raised {type(error).__name__}: {error}"
    return str([one for one in heard if isinstance(one, tuple(KINDS.values()))] or "")
