"""One try at each thing a subject may declare or not: orders, their parts, lists, reads, streams.

A probe is the plainest use of the thing that a venue could refuse for no other reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import attrs

from dragoman.adapter import Adapter
from dragoman.capabilities import ExitPart, OrderFeature, ReadFeature
from dragoman.models import (
    Channel,
    Contingency,
    Exit,
    Offset,
    OrderType,
    PositionEffect,
    PriceSource,
    Side,
    Subscription,
    Timeframe,
    TimeInForce,
    Window,
)
from dragoman.times import DAY_NS, HOUR_NS

from .terms import on_tick, resting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from dragoman.broker import Broker
    from dragoman.models import Instrument

    from ..play import Play

__all__ = [
    "Probe",
    "bar_probes",
    "cell_probes",
    "exit_probes",
    "feature_probes",
    "list_probes",
    "read_probes",
    "source_probes",
    "stream_probes",
    "usual_frame",
]

Call: TypeAlias = "Callable[[], Awaitable[object]]"

_FRAMES: Final = ("1s", "1m", "5m", "7m", "1h", "4h", "1d", "1w", "1M")
_COMMANDS: Final = frozenset({OrderFeature.CANCEL_ALL, OrderFeature.BATCH})


@attrs.frozen
class Probe:
    """One try: what is tried, whether it is declared, and the call that tries it."""

    what: str
    is_declared: bool
    call: Call = attrs.field(repr=False)
    terms: Mapping[str, Any] = attrs.field(factory=dict[str, Any], repr=False)
    """What an order asked for besides the usual terms; empty for what is no order."""


def cell_probes(play: Play, instrument: Instrument) -> Iterator[Probe]:
    """Yield a resting order of each type and time in force, on an instrument of the subject."""
    for order_type in OrderType:
        for time in TimeInForce:
            if OrderType.UNKNOWN is order_type or TimeInForce.UNKNOWN is time:
                continue
            terms = resting(play, order_type, Side.BUY, time)
            yield Probe(
                f"{order_type} {time}",
                _takes(play, instrument, order_type, time),
                _submit(play, terms),
            )


def _takes(play: Play, instrument: Instrument, order_type: OrderType, time: TimeInForce) -> bool:
    types, times = instrument.order_types, instrument.times_in_force
    is_cell = play.capabilities.order_support(instrument.kind, order_type, time) != "NONE"
    return is_cell and (types is None or order_type in types) and (times is None or time in times)


def feature_probes(play: Play, position_id: str) -> Iterator[Probe]:
    """Yield an order for each part of a request; a position of that id must be held."""
    limit = _limit(play)
    trailing = {"order_type": OrderType.TRAILING_STOP, "trailing": Offset.percent(5)}
    price, quantity = play.subject.sample.price, play.subject.sample.quantity
    closing = {"side": Side.SELL, "position_effect": PositionEffect.CLOSE}
    day = {"time_in_force": TimeInForce.DAY}
    parts: dict[OrderFeature, dict[str, Any]] = {
        OrderFeature.NOTIONAL: {"quantity": None, "notional": _round(price * quantity)},
        OrderFeature.POST_ONLY: {**limit, "post_only": True},
        OrderFeature.REDUCE_ONLY: {**closing, "quantity": quantity / 4},
        OrderFeature.OPEN_EFFECT: {"position_effect": PositionEffect.OPEN},
        OrderFeature.CLOSE_WHOLE_POSITION: {**closing, "quantity": None},
        OrderFeature.POSITION_ID: {"position_id": position_id},
        OrderFeature.DISPLAY_QUANTITY: {**limit, "display_quantity": quantity / 4},
        OrderFeature.HIDDEN: {**limit, "display_quantity": 0},
        OrderFeature.EXTENDED_HOURS: {**limit, **day, "extended_hours": True},
        OrderFeature.ACTIVATION_PRICE: {**trailing, "activation_price": limit["limit_price"]},
        OrderFeature.GROUP: {**limit, "group_id": "kit-group"},
        OrderFeature.TAG: {"tag": "kit-tag"},
    }
    for feature in OrderFeature:
        if feature not in _COMMANDS:
            is_declared = play.capabilities.feature(feature) != "NONE"
            terms = parts[feature]
            yield Probe(feature, is_declared, _submit(play, play.terms(**terms)), terms)


def exit_probes(play: Play) -> Iterator[Probe]:
    """Yield an entry for each form of protective leg."""
    price = play.subject.sample.price
    low, high = on_tick(play, price * 9 / 10), on_tick(play, price * 11 / 10)
    lower, lower_high = on_tick(play, price * 8 / 10), on_tick(play, price * 107 / 100)
    stop, target = Exit(price=low), Exit(price=high)
    distance = Offset.price(on_tick(play, price / 10))
    part_of_it = play.subject.sample.quantity / 4
    legs: dict[ExitPart, dict[str, Exit]] = {
        ExitPart.STOP_LOSS: {"stop_loss": stop},
        ExitPart.TAKE_PROFIT: {"take_profit": target},
        ExitPart.BRACKET: {"stop_loss": stop, "take_profit": target},
        ExitPart.STOP_LIMIT: {"stop_loss": Exit(price=low, limit_price=lower)},
        ExitPart.LIMIT_IF_TOUCHED: {"take_profit": Exit(price=high, limit_price=lower_high)},
        ExitPart.TRAILING: {"stop_loss": Exit(trailing=distance)},
        ExitPart.OFFSET: {"stop_loss": Exit(offset=distance)},
        ExitPart.PARTIAL: {"stop_loss": Exit(price=low, quantity=part_of_it)},
    }
    for part in ExitPart:
        call = _submit(play, play.terms(**legs[part]))
        yield Probe(f"exit {part}", play.capabilities.exit(part) != "NONE", call, legs[part])


def list_probes(play: Play) -> Iterator[Probe]:
    """Yield a list for each contingency: an entry and its target, two exits, or a batch."""
    price, side = play.subject.sample.price, Side.SELL
    target = {"order_type": OrderType.LIMIT, "limit_price": on_tick(play, price * 12 / 10)}
    stop = {"order_type": OrderType.STOP, "stop_price": on_tick(play, price * 8 / 10)}
    rows: dict[Contingency, tuple[dict[str, Any], ...]] = {
        Contingency.NONE: (_limit(play), _limit(play)),
        Contingency.OCO: ({**target, "side": side}, {**stop, "side": side}),
        Contingency.OTO: (_limit(play), {**target, "side": side}),
    }
    declared = play.capabilities.list
    for contingency in Contingency:
        is_batch = contingency is Contingency.NONE
        support = (
            play.capabilities.feature(OrderFeature.BATCH) if is_batch else declared(contingency)
        )
        requests = [play.request(**terms) for terms in rows[contingency]]
        yield Probe(f"list {contingency}", support != "NONE", _list(play, requests, contingency))


def source_probes(play: Play) -> Iterator[Probe]:
    """Yield a triggered order and a pegged one for each source of a price."""
    stop = resting(play, OrderType.STOP, Side.BUY)
    for source in PriceSource:
        if source is PriceSource.UNKNOWN:
            continue
        is_trigger = source in play.capabilities.triggers
        triggered = _submit(play, {**stop, "trigger": source})
        yield Probe(f"trigger {source}", is_trigger, triggered, {"trigger": source})
        pegged = play.terms(order_type=OrderType.LIMIT, limit_price=None, peg=source)
        is_peg = source in play.capabilities.pegs
        yield Probe(f"peg {source}", is_peg, _submit(play, pegged), {"peg": source})


def read_probes(play: Play, symbol: str) -> Iterator[Probe]:
    """Yield each read, of a symbol where it is of one."""
    now_ns = play.clock.now_ns()
    window = Window(start_ns=now_ns - HOUR_NS, end_ns=now_ns + HOUR_NS)
    calls = _reads(play.broker, symbol, window)
    for feature in ReadFeature:
        yield Probe(f"reading {feature}", feature in play.capabilities.reads, calls[feature])


def _reads(broker: Broker, symbol: str, window: Window) -> dict[ReadFeature, Call]:
    day = Window(start_ns=window.start_ns, end_ns=(window.end_ns or 0) + DAY_NS)
    return {
        ReadFeature.ACCOUNT: broker.fetch_account,
        ReadFeature.LEDGER: lambda: _all(broker.fetch_ledger),
        ReadFeature.INSTRUMENTS: broker.load_instruments,
        ReadFeature.HOURS: lambda: broker.fetch_hours(symbol, day),
        ReadFeature.ORDER_HISTORY: lambda: _all(broker.fetch_orders),
        ReadFeature.POSITIONS: broker.fetch_positions,
        ReadFeature.FILLS: lambda: _all(broker.fetch_fills),
        ReadFeature.QUOTES: lambda: broker.fetch_quote(symbol),
        ReadFeature.TICKERS: lambda: broker.fetch_ticker(symbol),
        ReadFeature.DEPTH: lambda: broker.fetch_depth(symbol),
        ReadFeature.MARKET_STATUS: broker.fetch_market_status,
        ReadFeature.BARS: lambda: _all(broker.fetch_bars, symbol, usual_frame(broker), window),
        ReadFeature.TRADES: lambda: _all(broker.fetch_trades, symbol, window),
        ReadFeature.QUOTE_HISTORY: lambda: _all(broker.fetch_quote_history, symbol, window),
    }


def usual_frame(broker: Broker) -> Timeframe:
    """Return a length of bars that is declared."""
    known = broker.capabilities.bar_timeframes
    usual = next((one for one in _FRAMES[1:] if known is None or one in known), "1m")
    return Timeframe.parse(usual)


def bar_probes(play: Play, symbol: str) -> Iterator[Probe]:
    """Yield bars of some lengths, usual and odd; none where bars are not declared at all."""
    known, window = play.capabilities.bar_timeframes, Window(limit=3)
    for frame in _FRAMES:
        call = _bars(play.broker, symbol, Timeframe.parse(frame), window)
        yield Probe(f"bars of {frame}", known is not None and frame in known, call)


def _bars(broker: Broker, symbol: str, frame: Timeframe, window: Window) -> Call:
    return lambda: _all(broker.fetch_bars, symbol, frame, window)


def stream_probes(play: Play, symbol: str, adapter: Adapter | None = None) -> Iterator[Probe]:
    """Yield a stream of each channel, opened and closed: of the broker, or of an adapter."""
    for channel in Channel:
        private_or_bars: dict[Channel, dict[str, Any]] = {
            Channel.BARS: {"bars": [(symbol, str(usual_frame(play.broker)))]},
            Channel.ORDERS: {"orders": True},
            Channel.POSITIONS: {"positions": True},
            Channel.ACCOUNT: {"account": True},
            Channel.LEDGER: {"ledger": True},
        }
        asked = private_or_bars.get(channel, {channel.lower(): [symbol]})
        is_declared = channel in play.capabilities.streams
        yield Probe(f"streaming {channel}", is_declared, _stream(adapter or play.broker, asked))


def _stream(source: Broker | Adapter, asked: dict[str, Any]) -> Call:
    async def enter() -> None:
        stream = (
            source.stream(Subscription(**asked))
            if isinstance(source, Adapter)
            else source.stream(**asked)
        )
        async with stream:
            pass

    return enter


def _submit(play: Play, terms: Mapping[str, Any]) -> Call:
    return partial(play.broker.submit, **terms)


def _list(play: Play, requests: list[Any], contingency: Contingency) -> Call:
    async def send() -> None:
        for row in await play.broker.submit_list(requests, contingency):
            if row.error is not None:
                raise row.error

    return send


async def _all(read: Callable[..., AsyncIterator[object]], *args: object) -> list[object]:
    return [one async for one in read(*args)]


def _limit(play: Play) -> dict[str, Any]:
    return {"order_type": OrderType.LIMIT, "limit_price": play.away(Side.BUY)}


def _round(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"))
