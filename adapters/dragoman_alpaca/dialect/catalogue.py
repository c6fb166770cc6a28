"""Assets and option contracts as they are looked up and listed."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from dragoman.errors import UnknownInstrumentError

from .asking import choice_of, decimal_of, flag_of, invalid, limit_of, names_of
from .assets import OPTION, STOCK, asset_row, contract_row
from .problems import json_response, not_found
from .texts import local_day

if TYPE_CHECKING:
    from aiohttp import web

    from .assets import Asset
    from .desks import Desk

__all__ = ["get_asset", "get_contract", "list_assets", "list_contracts"]

_DEFAULT_CONTRACTS: Final = 100
_MOST_CONTRACTS: Final = 10_000
_SUNDAY: Final = 6
_WEEK: Final = 7


async def list_assets(request: web.Request, desk: Desk) -> web.StreamResponse:
    """`GET /v2/assets`: equities unless another class is asked for."""
    status = choice_of(request, "status", "any", "active", "inactive")
    asset_class = request.query.get("asset_class", "") or STOCK
    exchange = request.query.get("exchange", "")
    rows = [
        asset_row(asset) for asset in await desk.book.listed() if asset.asset_class == asset_class
    ]
    wanted = frozenset(names_of(request, "attributes"))
    return json_response(
        [
            row
            for row in rows
            if (status == "any" or row["status"] == status)
            and (not exchange or row["exchange"] == exchange)
            and not wanted  # no asset here has any attribute
        ]
    )


async def get_asset(request: web.Request, desk: Desk) -> web.StreamResponse:
    """`GET /v2/assets/{symbol_or_asset_id}`."""
    name = request.match_info["symbol_or_asset_id"]
    try:
        return json_response(asset_row(await desk.book.find(name)))
    except UnknownInstrumentError:
        raise not_found(f"asset not found for {name}") from None


async def list_contracts(request: web.Request, desk: Desk) -> web.StreamResponse:
    """`GET /v2/options/contracts`: by symbol; up to the coming weekend unless dates are named."""
    limit = limit_of(request, "limit", default=_DEFAULT_CONTRACTS, most=_MOST_CONTRACTS)
    assets = await desk.book.listed()
    underlyings = {asset.symbol: asset for asset in assets}
    rows = [
        contract_row(asset, underlyings.get(asset.instrument.underlying or ""))
        for asset in assets
        if asset.asset_class == OPTION and _has_strike(request, asset)
    ]
    after = request.query.get("page_token", "")
    rows = [row for row in rows if str(row["symbol"]) > after and _is_wanted(request, desk, row)]
    page = rows[:limit]
    token = str(page[-1]["symbol"]) if len(rows) > limit else None
    return json_response({"option_contracts": page, "next_page_token": token})


def _has_strike(request: web.Request, asset: Asset) -> bool:
    least, most = decimal_of(request, "strike_price_gte"), decimal_of(request, "strike_price_lte")
    strike = asset.instrument.strike
    if strike is None:
        return least is None and most is None
    return (least is None or strike >= least) and (most is None or strike <= most)


def _is_wanted(request: web.Request, desk: Desk, row: dict[str, object]) -> bool:
    flag_of(request, "show_deliverables")
    symbols = names_of(request, "underlying_symbols")
    root = request.query.get("root_symbol", "")
    kind = choice_of(request, "type", "any", "call", "put")
    style = choice_of(request, "style", "any", "american", "european")
    status = choice_of(request, "status", "active", "inactive")
    return (
        (not symbols or row["underlying_symbol"] in symbols)
        and (not root or row["root_symbol"] == root)
        and kind in {"any", row["type"]}
        and style in {"any", row["style"]}
        and status == row["status"]
        and _expires_in_time(request, desk, str(row["expiration_date"] or ""))
    )


def _expires_in_time(request: web.Request, desk: Desk, expires_on: str) -> bool:
    exact = _date_of(request, "expiration_date")
    first = _date_of(request, "expiration_date_gte")
    last = _date_of(request, "expiration_date_lte")
    if exact is None and first is None and last is None:
        today = local_day(desk.host.clock.now_ns())
        last = (today + timedelta(days=(_SUNDAY - today.weekday()) % _WEEK)).isoformat()
    return (
        (exact is None or expires_on == exact)
        and (first is None or expires_on >= first)
        and (last is None or expires_on <= last)
    )


def _date_of(request: web.Request, name: str) -> str | None:
    text = request.query.get(name, "")
    try:
        return date.fromisoformat(text).isoformat() if text else None
    except ValueError:
        raise invalid(f"invalid {name}: {text[:40]!r} is no date such as 2026-01-31") from None


async def get_contract(request: web.Request, desk: Desk) -> web.StreamResponse:
    """`GET /v2/options/contracts/{symbol_or_id}`."""
    name = request.match_info["symbol_or_id"]
    try:
        asset = await desk.book.find(name)
    except UnknownInstrumentError:
        raise not_found(f"option contract {name} not found") from None
    if asset.asset_class != OPTION:
        raise not_found(f"option contract {name} not found")
    underlying = desk.book.known(asset.instrument.underlying or "")
    return json_response(contract_row(asset, underlying))
