"""What happened to the account: its fills, and all else that moved cash or quantity."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.models.enums import LedgerKind

from .answers import answered
from .lists import FillPage, LedgerPage
from .paging import Page, page_of

if TYPE_CHECKING:
    from aiohttp import web

    from .asking import Ask

__all__ = ["list_fills", "list_ledger"]


async def list_fills(ask: Ask) -> web.Response:
    """Answer with a page of fills, oldest first."""
    symbol = ask.query.text("symbol")
    page = Page.of(ask.query)
    ask.query.check()
    found = ask.broker.fetch_fills(page.reach, symbol)
    rows, following = await page_of(found, page, lambda fill: fill.venue_time_ns)
    return answered(FillPage(fills=rows, next_cursor=following))


async def list_ledger(ask: Ask) -> web.Response:
    """Answer with a page of ledger entries, oldest first."""
    kinds = ask.query.choices("kind", LedgerKind)
    page = Page.of(ask.query)
    ask.query.check()
    found = ask.broker.fetch_ledger(page.reach, kinds)
    rows, following = await page_of(found, page, lambda entry: entry.venue_time_ns)
    return answered(LedgerPage(entries=rows, next_cursor=following))
