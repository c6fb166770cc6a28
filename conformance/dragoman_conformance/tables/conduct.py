"""Making one call of a table: the adapter is asked, and what it did is held against the row."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, cast

import attrs

from dragoman.adapter import Adapter
from dragoman.errors import ConfigurationError, DragomanError, UnsupportedError
from dragoman.models import (
    Adjustment,
    Contingency,
    Exit,
    InstrumentKind,
    MarginMode,
    Order,
    OrderChange,
    OrderRequest,
    Position,
    PositionMode,
    PriceSource,
    Subscription,
    Timeframe,
    Window,
)
from dragoman.models.serde import error_to_plain, from_plain, to_plain
from dragoman.ports import (
    DeadManPort,
    ExitPort,
    IdeaPort,
    LeveragePort,
    ListPort,
    OptionsPort,
    PreviewPort,
    RawPort,
)
from dragoman.times import parse_time

from ..stage.clock import NOON_NS, StageClock
from ..stage.stage import Stage
from .desk import Desk

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractAsyncContextManager

    from ..stage.loop import StageLoop
    from ..subject import Subject
    from .calls import CallRow, CallTable

__all__ = ["CallFinding", "check_row", "make_call"]

_ABSENT: Final = "none"
"""In a table, which TOML gives no null: it is not known, or there is none of it."""
_PORTS: Final = (
    *(Adapter, DeadManPort, ExitPort, IdeaPort, LeveragePort),
    *(ListPort, OptionsPort, PreviewPort, RawPort),
)
_STREAM: Final = "stream"
_LONGEST_S: Final = 30.0
"""How long, in virtual time, a stream may take to tell what is due."""
_KINDS: Final[dict[str, Any]] = {
    "account_id": str,
    "adjustment": Adjustment,
    "all_or_none": bool,
    "body": object,
    "change": OrderChange,
    "client_order_id": str,
    "contingency": Contingency,
    "event_ids": tuple[str, ...],
    "expiry": str,
    "kinds": tuple[InstrumentKind, ...],
    "levels": int,
    "leverage": Decimal,
    "limit": int,
    "margin_mode": MarginMode,
    "method": str,
    "mode": PositionMode,
    "order": Order,
    "path": str,
    "position": Position,
    "price_source": PriceSource,
    "quantity": Decimal,
    "query": Mapping[str, str],
    "request": OrderRequest,
    "requests": tuple[OrderRequest, ...],
    "stop_loss": Exit,
    "subscription": Subscription,
    "symbol": str,
    "symbol_or_alias": str,
    "symbols": tuple[str, ...],
    "take_profit": Exit,
    "text": str,
    "timeframe": Timeframe,
    "underlying": str,
    "venue_order_id": str,
    "window": Window,
}
"""What the ports call their arguments, and what each is."""


@attrs.frozen(kw_only=True)
class CallFinding:
    """What making a call showed: in words, what was sent or told otherwise than the row says."""

    sent: tuple[str, ...] = ()
    told: tuple[str, ...] = ()


def check_row(row: CallRow) -> None:
    """See that a row is sound, before any adapter is blamed for it.

    Raises:
        ConfigurationError: No adapter has its call, or its arguments are none of the ports'.
    """
    if row.call.startswith("_") or not any(hasattr(port, row.call) for port in _PORTS):
        raise ConfigurationError(f"row {row.name!r}: an adapter has no call {row.call!r}")
    _arguments(row)


async def make_call(
    subject: Subject, table: CallTable, row: CallRow, loop: StageLoop
) -> CallFinding:
    """Make one call of a table on a fresh adapter, and say where it differs from the row.

    Raises:
        ConfigurationError: What `check_row` raises.
    """
    check_row(row)
    given = _arguments(row)
    clock = StageClock(loop, NOON_NS if row.at is None else parse_time(row.at))
    async with Desk(row.exchanges, table.standing, row.sessions) as desk:
        adapter = Stage.adapter_at(subject, clock, desk.port)
        try:
            told = await _made(adapter, row, given)
        finally:
            await adapter.aclose()
        sent = (*desk.findings, *desk.missing())
    return CallFinding(sent=sent, told=tuple(_differences(row, told)))


async def _made(adapter: Adapter, row: CallRow, given: Mapping[str, object]) -> object:
    """Open the adapter and make the call; an error is what it tells, what it yields is a list."""
    try:
        await adapter.open()
        call = getattr(adapter, row.call, None)
        if call is None:
            return UnsupportedError(f"the adapter has no {row.call!r}")
        answer = call(**given)
        if row.call == _STREAM:
            return await _heard(answer, row)
        if isinstance(answer, AsyncIterator):
            return [item async for item in cast("AsyncIterator[object]", answer)]
        return await answer
    except DragomanError as error:
        return error


async def _heard(
    stream: AbstractAsyncContextManager[AsyncIterator[Sequence[object]]], row: CallRow
) -> list[object]:
    """Follow a stream until as many events were told as are due, of their kinds."""
    due: list[dict[str, object]] = [dict(one) for one in row.tells or ()]
    kinds = {one.get("type") for one in due}
    heard: list[object] = []
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LONGEST_S), stream as batches:
            async for batch in batches:
                heard += [event for event in batch if type(event).__name__ in kinds]
                if len(heard) >= len(due):
                    break
    return heard


def _arguments(row: CallRow) -> dict[str, object]:
    """Return the row's arguments as what the ports take; a name decides the type in all of them."""
    return {name: _built(name, value, row) for name, value in row.given.items()}


def _built(name: str, value: object, row: CallRow) -> object:
    kind = _KINDS.get(name)
    if kind is None:
        raise ConfigurationError(f"row {row.name!r}: no call takes an argument {name!r}")
    if kind is object:
        return value
    try:
        return from_plain(kind, value)
    except DragomanError as error:
        raise ConfigurationError(f"row {row.name!r}: {name}: {error.message}") from None


def _differences(row: CallRow, told: object) -> list[str]:
    """Return, in words, where an answer or an error is not what the row says."""
    if isinstance(told, DragomanError):
        facts = error_to_plain(told)
        if row.fails is None:
            return [f"it raised {facts}"]
        return _parts(dict(row.fails), facts, "error")
    if row.fails is not None:
        return [f"{row.fails.get('type')} expected, {to_plain(told)} told"]
    return _parts(row.tells, to_plain(told), row.call)


def _parts(due: object, found: object, at: str) -> list[str]:
    """Compare what is due with what was found: of an object only the keys that are due."""
    if isinstance(due, Mapping) and isinstance(found, Mapping):
        asked = cast("Mapping[str, object]", due)
        there = cast("Mapping[str, object]", found)
        return [
            difference
            for key, value in asked.items()
            for difference in _parts(value, there.get(key), f"{at}.{key}")
        ]
    if isinstance(due, list) and isinstance(found, list):
        items, others = cast("list[object]", due), cast("list[object]", found)
        if len(items) != len(others):
            return [f"{at}: {len(items)} expected, {len(others)} told"]
        pairs = enumerate(zip(items, others, strict=True))
        return [one for place, pair in pairs for one in _parts(*pair, f"{at}[{place}]")]
    is_absent = due == _ABSENT and found in (None, [], {}, False)
    return [] if is_absent or due == found else [f"{at}: {due!r} expected, {found!r} told"]
