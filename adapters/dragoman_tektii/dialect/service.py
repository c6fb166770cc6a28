"""What the gateway says of itself: probes, breakers, what the broker can do, and how it is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import dragoman
from dragoman.capabilities import ExitPart, OrderFeature, ReadFeature
from dragoman.errors import DragomanError
from dragoman.models import (
    AssetClass,
    HealthState,
    InstrumentKind,
    OrderType,
    PositionMode,
    Support,
)
from dragoman.times import MILLISECOND_NS
from dragoman_tektii.mapping.words import ORDER_TYPES, POSITION_MODES

from .instruments import FEATURE as INSTRUMENTS
from .order_rows import present
from .problems import json_response
from .rows import account_row
from .texts import instant
from .wishes import FEATURE as SUBSCRIPTIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiohttp import web

    from dragoman.capabilities import Capabilities
    from dragoman.models import Instrument

    from .desks import Desk

__all__ = [
    "get_account",
    "get_breakers",
    "get_capabilities",
    "get_status",
    "health_row",
    "ready_answer",
    "reset_breakers",
]

_LONGEST_S: Final = 10.0
_MOST_MS: Final = 2**32 - 1
_MODES: Final = {mode: word for word, mode in POSITION_MODES.items()}
_SPOT: Final = {
    AssetClass.EQUITY: "STOCK",
    AssetClass.FX: "FOREX",
    AssetClass.CRYPTO: "CRYPTO",
}
_FUTURES: Final = frozenset({InstrumentKind.FUTURE, InstrumentKind.PERPETUAL})
_CLASSES: Final = ("STOCK", "FOREX", "CRYPTO", "FUTURES")
_FEATURES: Final = {
    "hidden_orders": OrderFeature.HIDDEN,
    "iceberg_orders": OrderFeature.DISPLAY_QUANTITY,
    "post_only": OrderFeature.POST_ONLY,
    "reduce_only": OrderFeature.REDUCE_ONLY,
}


async def get_account(_: web.Request, desk: Desk) -> web.StreamResponse:
    """`GET /v1/account`."""
    account = await desk.broker.fetch_account()
    desk.keep_account(account)
    return json_response(account_row(account, desk.broker.state.positions))


async def get_status(_: web.Request, desk: Desk) -> web.StreamResponse:
    """`GET /v1/status`: how long the broker takes to answer, by a call that is made for it."""
    clock = desk.host.clock
    began_ns = clock.monotonic_ns()
    is_connected = True
    try:
        async with asyncio.timeout(_LONGEST_S):
            await desk.broker.fetch_account()
    except (DragomanError, TimeoutError):
        is_connected = False
    took_ms = max(0, clock.monotonic_ns() - began_ns) // MILLISECOND_NS
    if is_connected or desk.heard_at_ns is None:
        desk.heard_at_ns = clock.now_ns()
    row = {
        "connected": is_connected,
        "latency_ms": min(took_ms, _MOST_MS),
        "last_heartbeat": instant(desk.heard_at_ns),
    }
    return json_response(row)


async def get_capabilities(_: web.Request, desk: Desk) -> web.StreamResponse:
    """`GET /v1/capabilities`: what the broker declares, in the words there are for it."""
    declared = desk.broker.capabilities
    try:
        listed: Sequence[Instrument] = await desk.broker.load_instruments()
    except DragomanError:
        listed = ()
    types = {cell.order_type for cell in declared.orders if cell.support is not Support.NONE}
    row: dict[str, object] = {
        "supported_asset_classes": _asset_classes(declared, listed),
        "supported_order_types": [word for word, kind in ORDER_TYPES.items() if kind in types],
        "position_mode": await _position_mode(desk),
        "features": _features(declared, types, listed),
    }
    return json_response(present(row))


def _asset_classes(declared: Capabilities, listed: Sequence[Instrument]) -> list[str]:
    kinds = {cell.kind for cell in declared.orders if cell.support is not Support.NONE}
    found: set[str] = set()
    for one in listed:
        if one.kind in _FUTURES and one.kind in kinds:
            found.add("FUTURES")
        elif one.kind in kinds and one.kind in {InstrumentKind.SPOT, InstrumentKind.CFD}:
            found.add(_SPOT.get(one.asset_class, ""))
    if not listed and kinds & _FUTURES:
        found.add("FUTURES")
    return [word for word in _CLASSES if word in found]


def _features(
    declared: Capabilities, types: set[OrderType], listed: Sequence[Instrument]
) -> list[str]:
    found = [
        word for word, feature in _FEATURES.items() if declared.feature(feature) is not Support.NONE
    ]
    if declared.exit(ExitPart.BRACKET) is not Support.NONE:
        found.append("bracket_orders")
    found.append("oco")  # the broker's own groups, or those that are kept here
    if OrderType.TRAILING_STOP in types:
        found.append("trailing_stop")
    if ReadFeature.QUOTES in declared.reads:
        found.append("get_quote")
    if any(one.is_shortable or one.kind in _FUTURES for one in listed):
        found.append("short_selling")
    if ReadFeature.INSTRUMENTS in declared.reads:
        found.append(INSTRUMENTS)
    return sorted([*found, SUBSCRIPTIONS])


async def _position_mode(desk: Desk) -> str:
    account = desk.broker.state.account
    if account is None:
        account = await desk.broker.fetch_account()
    mode = account.position_mode
    return _MODES.get(mode or PositionMode.NETTING, "NETTING")


async def get_breakers(_: web.Request, desk: Desk) -> web.StreamResponse:
    """`GET /v1/circuit-breakers`."""
    return json_response(desk.breakers.row())


async def reset_breakers(_: web.Request, desk: Desk) -> web.StreamResponse:
    """`POST /v1/circuit-breakers/reset`: 409 within a minute of the last one."""
    desk.breakers.reset()
    desk.metrics.count("gateway_circuit_breaker_resets_total")
    return json_response(desk.breakers.row())


def health_row(desks: Sequence[Desk], git_sha: str) -> dict[str, object]:
    """Return how each broker is, and all of them together; never an error."""
    rows: list[dict[str, object]] = []
    is_well = True
    for desk in desks:
        stale = desk.stale_symbols
        is_live = desk.broker.health.state in {HealthState.LIVE, HealthState.HALTED}
        is_well = is_well and is_live and not stale
        row: dict[str, object] = {"platform": desk.platform, "connected": desk.is_connected}
        if stale:
            row["stale_instruments"] = list(stale)
        rows.append(row)
    return {
        "status": "connected" if is_well else "degraded",
        "version": dragoman.__version__,
        "git_sha": git_sha,
        "providers": rows,
    }


def ready_answer(desks: Sequence[Desk], *, is_closing: bool) -> web.Response:
    """Return whether requests can be served: not while shutting down, nor without any broker."""
    reachable = [desk.platform for desk in desks if desk.is_connected]
    if reachable and not is_closing:
        row = {"ready": True, "providers": reachable, "provider_count": len(reachable)}
        return json_response(row)
    message = "Gateway is shutting down" if is_closing else "No broker can be reached"
    none: list[str] = []
    row = {"ready": False, "providers": none, "provider_count": 0, "message": message}
    return json_response(row, 503)
