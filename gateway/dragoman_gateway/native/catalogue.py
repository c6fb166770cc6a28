"""Instruments: the catalogue, a search in it, one of it, and when it trades."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.errors import Violation
from dragoman.models.enums import InstrumentKind
from dragoman.times import DAY_NS

from .answers import answered
from .asking import LONGEST_TEXT
from .lists import HoursList, InstrumentPage
from .paging import Page, page_of_all
from .problems import invalid

if TYPE_CHECKING:
    from aiohttp import web

    from .asking import Ask

__all__ = ["get_instrument", "list_hours", "list_instruments"]

_LONGEST_HOURS_NS: Final = 400 * DAY_NS


async def list_instruments(ask: Ask) -> web.Response:
    """Answer with a page of the catalogue, or with what a text is found in."""
    text = ask.query.text("query")
    kinds = ask.query.choices("kind", InstrumentKind)
    page = Page.of(ask.query, is_timed=False)
    ask.query.check()
    if text is None:
        found = await ask.broker.load_instruments(kinds)
    else:
        reach = page.cursor.skip + page.limit + 1
        found = await ask.broker.search_instruments(text, reach)
        found = tuple(one for one in found if not kinds or one.kind in kinds)
    rows, following = page_of_all(found, page)
    return answered(InstrumentPage(instruments=rows, next_cursor=following))


async def get_instrument(ask: Ask) -> web.Response:
    """Answer with one instrument, by its symbol or an alias."""
    ask.query.check()
    return answered(await ask.broker.instrument(symbol_of(ask)))


async def list_hours(ask: Ask) -> web.Response:
    """Answer with the rows of the trading calendar that touch a window."""
    window = ask.query.window()
    for name, instant_ns in (("start", window.start_ns), ("end", window.end_ns)):
        if instant_ns is None:
            ask.query.refuse(name, ask.query.text(name), "a time: the parameter is required")
    if (window.end_ns or 0) - (window.start_ns or 0) > _LONGEST_HOURS_NS:
        ask.query.refuse("end", ask.query.text("end"), "at most 400 days after start")
    ask.query.check()
    rows = await ask.broker.fetch_hours(symbol_of(ask), window)
    return answered(HoursList(hours=rows))


def symbol_of(ask: Ask) -> str:
    """Return the symbol in a path."""
    symbol = ask.part("symbol")
    if not 0 < len(symbol) <= LONGEST_TEXT or not symbol.isprintable():
        allowed = f"1 to {LONGEST_TEXT} printable characters"
        raise invalid("path", Violation.of("symbol", symbol, allowed))
    return symbol
