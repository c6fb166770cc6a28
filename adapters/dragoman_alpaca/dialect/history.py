"""The account's equity over time, as far as it was told here."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from aiohttp import web

from dragoman.money import Rounding, divide, round_to_step, subtract, trimmed
from dragoman.times import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS

from .asking import choice_of, invalid, time_of
from .market_text import JsonText
from .problems import not_found
from .texts import EARLIEST_DAY, local_day, start_of_day

if TYPE_CHECKING:
    from .desks import Desk

__all__ = ["get_portfolio_history"]

_STEPS: Final = {
    "1Min": MINUTE_NS,
    "5Min": 5 * MINUTE_NS,
    "15Min": 15 * MINUTE_NS,
    "1H": HOUR_NS,
    "1D": DAY_NS,
}
_PERIOD: Final = re.compile(r"([1-9]\d{0,3})([DWMA])\Z", re.ASCII)
_DAYS: Final = {"D": 1, "W": 7, "M": 30, "A": 365}
_FINE_DAYS: Final = 7
_MIDDLE_DAYS: Final = 30
_MOST_POINTS: Final = 20_000
_FINEST: Final = Decimal("0.000001")


async def get_portfolio_history(request: web.Request, desk: Desk) -> web.StreamResponse:
    """`GET /v2/account/portfolio/history`: the equity last told by the end of each step.

    It begins with the first that was told: what was before is not known here, and left out.
    """
    account = await desk.broker.fetch_account()
    now_ns = max(desk.host.clock.now_ns(), desk.curve.newest_ns)
    start_ns, end_ns = _span(request, now_ns)
    name, step_ns = _step(request, end_ns - start_ns)
    choice_of(request, "intraday_reporting", "market_hours", "extended_hours", "continuous")
    choice_of(request, "pnl_reset", "per_day", "no_reset")
    if account.equity is not None:
        desk.curve.add(now_ns, account.equity)
    if (end_ns - start_ns) // step_ns > _MOST_POINTS:
        raise invalid("invalid timeframe: too many points in the period")
    points = [*desk.curve.steps(start_ns, end_ns, step_ns)]
    if not points:
        raise not_found(f"no equity of that time is known of the account at {desk.broker.provider}")
    base = desk.curve.before(start_ns) or points[0][1]
    body: dict[str, object] = {
        "timestamp": [at_ns // SECOND_NS for at_ns, _ in points],
        "equity": [trimmed(equity) for _, equity in points],
        "profit_loss": [trimmed(subtract(equity, base)) for _, equity in points],
        "profit_loss_pct": [_share(subtract(equity, base), base) for _, equity in points],
        "base_value": trimmed(base),
        "base_value_asof": local_day(points[0][0]).isoformat(),
        "timeframe": name,
        "cashflow": {},
    }
    return web.Response(body=JsonText().item(body), content_type="application/json")


def _share(profit: Decimal, base: Decimal) -> Decimal | None:
    return trimmed(round_to_step(divide(profit, base), _FINEST, Rounding.NEAREST)) if base else None


def _span(request: web.Request, now_ns: int) -> tuple[int, int]:
    start_ns, end_ns = time_of(request, "start"), time_of(request, "end", ends_day=True)
    if start_ns is None:  # by the names that older clients have for both
        start_ns = time_of(request, "date_start")
    if end_ns is None:
        end_ns = time_of(request, "date_end", ends_day=True)
    period = request.query.get("period", "")
    if period and start_ns is not None and end_ns is not None:
        raise invalid("only two of start, end and period are accepted")
    if start_ns is None or (period and end_ns is None):
        length_ns = _length(period or "1M")
        if start_ns is None:
            end_ns = now_ns if end_ns is None else end_ns
            first = local_day(end_ns).toordinal() - length_ns // DAY_NS + 1
            start_ns = start_of_day(date.fromordinal(max(first, EARLIEST_DAY.toordinal())))
        else:
            end_ns = start_ns + length_ns
    end_ns = min(now_ns if end_ns is None else end_ns, now_ns)
    if end_ns < start_ns:
        raise invalid("end must not be before start")
    return start_ns, end_ns


def _length(period: str) -> int:
    match = _PERIOD.match(period)
    if match is None:
        raise invalid(f"invalid period: {period[:20]!r} is none such as 1D, 1W, 1M or 1A")
    return int(match[1]) * _DAYS[match[2]] * DAY_NS


def _step(request: web.Request, length_ns: int) -> tuple[str, int]:
    name = request.query.get("timeframe", "")
    if not name:
        days = -(-length_ns // DAY_NS)  # a day begun counts
        name = "1Min" if days < _FINE_DAYS else "15Min" if days < _MIDDLE_DAYS else "1D"
    step_ns = _STEPS.get(name)
    if step_ns is None:
        raise invalid(f"invalid timeframe: {name[:20]!r} is none of {', '.join(_STEPS)}")
    return name, step_ns
