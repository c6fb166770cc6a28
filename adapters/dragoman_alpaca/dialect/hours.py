"""When the market trades: the clock and the calendar, from the hours that the broker tells."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from dragoman.capabilities import ReadFeature
from dragoman.models import TradingState, Window
from dragoman.times import DAY_NS, to_datetime

from .asking import invalid, time_of
from .assets import STOCK
from .problems import json_response, not_found
from .texts import NEW_YORK, local_day, local_time

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from aiohttp import web

    from dragoman.models import MarketHours

    from .desks import Desk

__all__ = ["get_calendar", "get_clock"]

_SOON_NS: Final = 14 * DAY_NS
_YEAR_NS: Final = 366 * DAY_NS
_LONGEST_NS: Final = 10 * _YEAR_NS
_AROUND: Final = frozenset(
    {TradingState.OPEN, TradingState.PRE_MARKET, TradingState.AFTER_HOURS, TradingState.AUCTION}
)


async def get_clock(_: web.Request, desk: Desk) -> web.StreamResponse:
    """`GET /v2/clock`: of the market for equities, or of what the broker trades instead."""
    now_ns = desk.host.clock.now_ns()
    rows = await _hours(desk, now_ns - DAY_NS, now_ns + _SOON_NS)
    sessions = [row for row in rows if row.state is TradingState.OPEN]
    openings = [row.opens_at_ns for row in sessions if row.opens_at_ns > now_ns]
    closings = [row.closes_at_ns for row in sessions if row.closes_at_ns > now_ns]
    return json_response(
        {
            "timestamp": local_time(now_ns),
            "is_open": any(row.opens_at_ns <= now_ns < row.closes_at_ns for row in sessions),
            "next_open": local_time(min(openings)) if openings else None,
            "next_close": local_time(min(closings)) if closings else None,
        }
    )


async def get_calendar(request: web.Request, desk: Desk) -> web.StreamResponse:
    """`GET /v2/calendar`: from `start` to `end`, both days included; a year around now by default.

    A day is the one on which its session begins in New York.
    """
    now_ns = desk.host.clock.now_ns()
    start_ns, end_ns = time_of(request, "start"), time_of(request, "end", ends_day=True)
    first_ns = now_ns - _YEAR_NS if start_ns is None else start_ns
    last_ns = max(now_ns, first_ns) + _YEAR_NS if end_ns is None else end_ns
    if not 0 <= last_ns - first_ns <= _LONGEST_NS:
        raise invalid("end must not be before start, nor ten years after it")
    rows = await _hours(desk, first_ns, last_ns + _SOON_NS)
    days = _by_day(rows, first_ns)
    dates = sorted(days)
    shown = [day for day in dates if min(row.opens_at_ns for row in days[day]) < last_ns]
    following = dict(pairwise(dates))
    return json_response([_day_row(day, days[day], following.get(day)) for day in shown])


def _by_day(rows: Sequence[MarketHours], first_ns: int) -> dict[date, list[MarketHours]]:
    days: dict[date, list[MarketHours]] = {}
    for row in rows:
        if row.state in _AROUND and row.opens_at_ns >= first_ns:
            days.setdefault(local_day(row.opens_at_ns), []).append(row)
    return {
        day: found
        for day, found in days.items()
        if any(row.state is TradingState.OPEN for row in found)
    }


def _day_row(day: date, rows: Sequence[MarketHours], settles: date | None) -> dict[str, object]:
    sessions = [row for row in rows if row.state is TradingState.OPEN]
    return {
        "date": day.isoformat(),
        "open": _time(min(row.opens_at_ns for row in sessions), ":"),
        "close": _time(max(row.closes_at_ns for row in sessions), ":"),
        "session_open": _time(min(row.opens_at_ns for row in rows), ""),
        "session_close": _time(max(row.closes_at_ns for row in rows), ""),
        "settlement_date": None if settles is None else settles.isoformat(),
    }


def _time(instant_ns: int, colon: str) -> str:
    local = to_datetime(instant_ns).astimezone(NEW_YORK)
    return f"{local:%H}{colon}{local:%M}"


async def _hours(desk: Desk, first_ns: int, last_ns: int) -> Sequence[MarketHours]:
    """Return the hours of the first equity or, where there is none, of whatever is traded.

    Raises:
        RefusedError: The broker tells no hours (404).
    """
    assets = await desk.book.listed()
    stocks = [asset for asset in assets if asset.asset_class == STOCK]
    if not assets or ReadFeature.HOURS not in desk.broker.capabilities.reads:
        raise not_found(f"the market's hours are not told by {desk.broker.provider}")
    symbol = (stocks or list(assets))[0].symbol
    return await desk.broker.fetch_hours(symbol, Window(start_ns=first_ns, end_ns=last_ns))
