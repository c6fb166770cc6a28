"""Quotes and bars, read."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from dragoman.capabilities import ReadFeature
from dragoman.errors import DragomanError, UnknownInstrumentError, UnsupportedError
from dragoman.models import Timeframe, Window
from dragoman.times import DAY_NS
from dragoman_tektii.mapping.words import TIMEFRAMES

from .asking import limit_of, time_of
from .problems import RefusedError, invalid_request, json_response, symbol_not_found, unsupported
from .rows import bar_row, quote_row

if TYPE_CHECKING:
    from aiohttp import web

    from dragoman.models import Bar, Ticker

    from .desks import Desk

__all__ = ["get_bars", "get_quote"]

_USUAL_LIMIT: Final = 100
_LOOKS: Final = ((2, 0), (6, 5 * DAY_NS), (40, 15 * DAY_NS))
_LONGEST_REACH_NS: Final = 40 * 366 * DAY_NS


async def get_quote(request: web.Request, desk: Desk) -> web.StreamResponse:
    """`GET /v1/quotes/{symbol}`, answered in the spelling it was asked in."""
    text = request.match_info["symbol"]
    symbol = await desk.symbol_of(text)
    try:
        quote = await desk.broker.fetch_quote(symbol)
    except UnknownInstrumentError:
        raise symbol_not_found(text) from None
    except UnsupportedError as error:
        raise unsupported("get_quote", desk.platform, error.message) from None
    ticker: Ticker | None = None
    if ReadFeature.TICKERS in desk.broker.capabilities.reads:
        with suppress(DragomanError):  # then the last price is the middle of the book
            ticker = await desk.broker.fetch_ticker(symbol)
    row = quote_row(quote, text, ticker=ticker)
    if row is None:
        details = {"provider": desk.platform}
        message = f"Provider error: there is no price of {text} now"
        raise RefusedError(502, "PROVIDER_ERROR", message, details=details)
    return json_response(row)


async def get_bars(request: web.Request, desk: Desk) -> web.StreamResponse:
    """`GET /v1/bars/{symbol}`: oldest first; `start` and `end` are both included."""
    text = request.match_info["symbol"]
    timeframe = request.query.get("timeframe")
    if timeframe is None:
        raise invalid_request("missing field `timeframe`", "timeframe")
    if timeframe not in TIMEFRAMES:
        allowed = ", ".join(sorted(TIMEFRAMES))
        message = f"timeframe: found {timeframe[:40]!r}; allowed: {allowed}"
        raise invalid_request(message, "timeframe")
    limit = limit_of(request)
    start_ns, end_ns = time_of(request, "start"), time_of(request, "end")
    if start_ns is not None and end_ns is not None and end_ns < start_ns:
        raise invalid_request("end: must not be before start", "end")
    symbol = await desk.symbol_of(text)
    if limit == 0:
        return json_response([])
    bars = await _bars(desk, symbol, timeframe, (start_ns, end_ns, limit))
    return json_response([bar_row(bar, text) for bar in bars])


async def _bars(
    desk: Desk, symbol: str, timeframe: str, asked: tuple[int | None, int | None, int | None]
) -> list[Bar]:
    """Return the bars of a span; without its beginning, the last ones before its end."""
    start_ns, end_ns, limit = asked
    until_ns = None if end_ns is None else end_ns + 1
    if start_ns is not None:
        return await _read(desk, symbol, timeframe, (start_ns, until_ns, limit))
    count = _USUAL_LIMIT if limit is None else limit
    length_ns = Timeframe.parse(timeframe).length_ns or DAY_NS
    last_ns = desk.host.clock.now_ns() if until_ns is None else until_ns
    bars: list[Bar] = []
    # Markets close at night, at weekends and on holidays: look further back until there are enough.
    for slack, closed_ns in _LOOKS:
        reach_ns = min(count * length_ns * slack + closed_ns, _LONGEST_REACH_NS)
        span = (max(last_ns - reach_ns, 0), until_ns, None)
        bars = await _read(desk, symbol, timeframe, span)
        if len(bars) >= count or reach_ns == _LONGEST_REACH_NS:
            break
    return bars[-count:]


async def _read(
    desk: Desk, symbol: str, timeframe: str, span: tuple[int | None, int | None, int | None]
) -> list[Bar]:
    start_ns, until_ns, limit = span
    window = Window(start_ns=start_ns, end_ns=until_ns, limit=limit)
    try:
        return [bar async for bar in desk.broker.fetch_bars(symbol, timeframe, window)][:limit]
    except UnknownInstrumentError:
        raise symbol_not_found(symbol) from None
    except UnsupportedError as error:
        raise unsupported("get_bars", desk.platform, error.message) from None
