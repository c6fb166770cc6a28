"""Which fields of the models an adapter fills by itself, with no broker to add what it knows."""

from __future__ import annotations

import contextlib
import tomllib
from typing import TYPE_CHECKING, Any, Final, cast

import attrs

from dragoman.capabilities import ReadFeature
from dragoman.errors import ConfigurationError, DragomanError, UnsupportedError
from dragoman.models import (
    OrderEvent,
    OrderType,
    PositionEvent,
    Side,
    Subscription,
    Timeframe,
    Window,
)
from dragoman.models.enums import Channel
from dragoman.tasks import TaskScope
from dragoman.times import HOUR_NS

from .terms import beyond_means, resting, rests, takes, trades

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from dragoman.adapter import Adapter
    from dragoman.models.request import OrderFields

    from ..play import Play
    from ..subject import Subject

__all__ = ["declared_fields", "fields_file", "fields_told"]

_FILE: Final = "fields.toml"
_LEVELS: Final = 5
_PRIVATE: Final = {
    "orders": Channel.ORDERS,
    "positions": Channel.POSITIONS,
    "account": Channel.ACCOUNT,
    "ledger": Channel.LEDGER,
}
_PUBLIC: Final = {"quotes": Channel.QUOTES, "trades": Channel.TRADES}


def fields_file(subject: Subject) -> Path | None:
    """Return the file in which the subject says what its adapter tells; None without one."""
    file = None if subject.evidence is None else subject.evidence / _FILE
    return file if file is not None and file.is_file() else None


def declared_fields(subject: Subject) -> dict[str, set[str]]:
    """Return the fields that the adapter tells by the subject's own word, by model.

    Raises:
        ConfigurationError: The file is wrong.
    """
    file = fields_file(subject)
    if file is None:
        return {}
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{file}: {error}") from None
    return {kind: set(names) for kind, names in table.items()}


async def fields_told(play: Play) -> dict[str, set[str]]:
    """Trade a little, ask the adapter for everything declared, and return what it filled."""
    broker = await play.connect()
    adapter = play.stage.make_adapter(broker.account_id)
    scope, told = TaskScope(), list[object]()
    try:
        await adapter.open()
        scope.spawn(_hear(play, adapter, told.append), "what the adapter streams")
        await play.settle()
        await _trade(play)
        told += await _reads(play, adapter, broker.account_id)
    finally:
        await scope.close()
        await adapter.aclose()
    found: dict[str, set[str]] = {}
    for model in told:
        for part in _models(model):
            known = {name for name, value in _fields(part) if value not in _NOTHING}
            found.setdefault(type(part).__name__, set()).update(known)
    return found


_NOTHING: Final[tuple[object, ...]] = (None, (), "")


def _fields(model: object) -> list[tuple[str, Any]]:
    names = [field.name for field in attrs.fields(cast("type[attrs.AttrsInstance]", type(model)))]
    return [(name, getattr(model, name)) for name in names if not name.startswith("_")]


def _models(model: object) -> list[object]:
    """Return the models within an event, or the model itself."""
    if isinstance(model, OrderEvent):
        return [model.order, *([] if model.fill is None else [model.fill])]
    return [model.position] if isinstance(model, PositionEvent) else [model]


async def _hear(play: Play, adapter: Adapter, hear: Callable[[object], None]) -> None:
    declared = play.capabilities.streams
    wanted: dict[str, Any] = {name: True for name, one in _PRIVATE.items() if one in declared}
    wanted |= {name: [play.symbol] for name, one in _PUBLIC.items() if one in declared}
    with contextlib.suppress(DragomanError):
        async with adapter.stream(Subscription(**wanted)) as batches:
            async for batch in batches:
                for event in batch:
                    hear(event)


async def _trade(play: Play) -> None:
    """Leave traces of each kind: resting, triggered, filled, refused, and a print of the market."""
    price = play.subject.sample.price
    tick = play.venue.instrument(play.symbol).tick_size or price / 1000
    if rests(play.capabilities):
        await play.rest(client_order_id="known-1")
        with contextlib.suppress(DragomanError):
            await play.rest(client_order_id="known-2", quantity=await beyond_means(play))
    if takes(play.capabilities, OrderType.STOP):
        with contextlib.suppress(DragomanError):
            terms = {**resting(play, OrderType.STOP, Side.BUY), "client_order_id": "known-3"}
            await play.broker.submit(**cast("OrderFields", terms))
    if trades(play.capabilities):
        await play.take(client_order_id="known-4")
    for step in range(2):
        last = price + step * tick
        await play.venue.show(
            play.symbol, bid=price - tick, ask=price + tick, last=last, last_size="3"
        )
        await play.pause(61)


async def _reads(play: Play, adapter: Adapter, account_id: str) -> list[object]:
    symbol, declared = play.symbol, play.capabilities.reads
    now_ns = play.clock.now_ns()
    window = Window(start_ns=now_ns - HOUR_NS, end_ns=now_ns)
    minute = Timeframe.parse("1m")
    single: dict[ReadFeature, Callable[[], Awaitable[object]]] = {
        ReadFeature.ACCOUNT: lambda: adapter.fetch_account(account_id),
        ReadFeature.DEPTH: lambda: adapter.fetch_depth(symbol, _LEVELS),
        ReadFeature.INSTRUMENTS: lambda: adapter.fetch_instrument(symbol),
        ReadFeature.MARKET_STATUS: lambda: adapter.fetch_market_status(symbol),
    }
    many: dict[ReadFeature, Callable[[], AsyncIterator[object]]] = {
        ReadFeature.ORDER_HISTORY: lambda: adapter.fetch_orders(account_id, window),
        ReadFeature.FILLS: lambda: adapter.fetch_fills(account_id, window),
        ReadFeature.LEDGER: lambda: adapter.fetch_ledger(account_id, window),
        ReadFeature.BARS: lambda: adapter.fetch_bars(symbol, minute, window),
        ReadFeature.TRADES: lambda: adapter.fetch_trades(symbol, window),
    }
    found: list[object] = [*await adapter.fetch_open_orders(account_id)]
    found += await adapter.fetch_positions(account_id)
    if ReadFeature.QUOTES in declared:
        found += (await adapter.fetch_quotes([symbol])).values()
    if ReadFeature.TICKERS in declared:
        found += (await adapter.fetch_tickers([symbol])).values()
    for feature in sorted(declared):
        with contextlib.suppress(UnsupportedError):  # not of every kind of instrument
            if feature in single:
                found.append(await single[feature]())
            if feature in many:
                found += [one async for one in many[feature]()]
    return found
