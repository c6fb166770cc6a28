"""Orders as they are looked up and listed."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.errors import UnknownInstrumentError
from dragoman.ids import is_client_order_id

from .asking import choice_of, flag_of, invalid, limit_of, names_of, time_of
from .order_rows import known_rows, order_json
from .problems import json_response, not_found
from .rows import status_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiohttp import web

    from .desks import Desk
    from .rows import Row

__all__ = ["find_row", "get_order", "get_order_by_client_id", "list_orders"]

_DEFAULT_ROWS: Final = 50
_MOST_ROWS: Final = 500


async def get_order(request: web.Request, desk: Desk) -> web.StreamResponse:
    """`GET /v2/orders/{order_id}`."""
    row = await find_row(desk, request.match_info["order_id"])
    return json_response(await order_json(desk, row, nested=flag_of(request, "nested")))


async def get_order_by_client_id(request: web.Request, desk: Desk) -> web.StreamResponse:
    """`GET /v2/orders:by_client_order_id`: how a client finds an order whose answer was lost.

    An order that is not in the ledger is looked up at the venue before its absence is told.
    """
    name = request.query.get("client_order_id", "")
    if not name:
        raise invalid("client_order_id is required")
    row = desk.ledger.row_named(name)
    if row is None and is_client_order_id(name):
        seen = await desk.broker.fetch_order(name)
        if seen is not None:
            await desk.level()
            desk.ledger.learn(seen)
            row = desk.ledger.row_named(name)
    if row is None:
        raise not_found(f"order not found for {name}")
    return json_response(await order_json(desk, row, nested=True))


async def find_row(desk: Desk, order_id: str) -> Row:
    """Return the row of an id.

    Raises:
        RefusedError: There is none (404).
        DragomanError: The venue's lists, where older ones are found, can't be read.
    """
    row = desk.ledger.row(order_id)
    if row is None:
        await desk.learn_history()
        row = desk.ledger.row(order_id)
    if row is None:
        raise not_found(f"order not found for {order_id}")
    return row


@attrs.frozen(kw_only=True)
class _Filter:
    """Which rows are asked for."""

    status: str
    symbols: frozenset[str] | None
    side: str
    asset_classes: frozenset[str]
    after_ns: int | None
    until_ns: int | None
    after: tuple[int, int] | None
    before: tuple[int, int] | None

    def admits(self, row: Row, desk: Desk) -> bool:
        """Tell whether a row is one of them."""
        order = row.order
        if self.status != "all" and row.is_open is not (self.status == "open"):
            return False
        if self.symbols is not None and order.symbol not in self.symbols:
            return False
        if self.side != "any" and order.side.lower() != self.side:
            return False
        return self._is_in_time(row) and self._is_of_class(row, desk)

    def _is_in_time(self, row: Row) -> bool:
        at_ns, place = row.created_at_ns, (row.created_at_ns, row.number)
        return (
            (self.after_ns is None or at_ns > self.after_ns)
            and (self.until_ns is None or at_ns < self.until_ns)
            and (self.after is None or place > self.after)
            and (self.before is None or place < self.before)
        )

    def _is_of_class(self, row: Row, desk: Desk) -> bool:
        if not self.asset_classes:
            return True
        asset = desk.book.known(row.order.symbol)
        return asset is not None and asset.asset_class in self.asset_classes


async def list_orders(request: web.Request, desk: Desk) -> web.StreamResponse:
    """`GET /v2/orders`, with all its filters.

    A leg is shown within its entry if that is in the answer and `nested` is asked for; no open leg
    is left out for being one, save those that are held, as without `nested` Alpaca does.
    """
    status = choice_of(request, "status", "open", "closed", "all")
    limit = limit_of(request, "limit", default=_DEFAULT_ROWS, most=_MOST_ROWS)
    newest_first = choice_of(request, "direction", "desc", "asc") == "desc"
    nested = flag_of(request, "nested")
    if status != "open":
        await desk.learn_history()
    asked = await _asked(request, desk, status)
    if asked.asset_classes:
        await desk.book.listed()
    rows = list(islice(_found(desk, asked, nested=nested, newest_first=newest_first), limit))
    return json_response(await known_rows(desk, rows, nested=nested))


async def _asked(request: web.Request, desk: Desk, status: str) -> _Filter:
    return _Filter(
        status=status,
        symbols=await _symbols(request, desk),
        side=choice_of(request, "side", "any", "buy", "sell"),
        asset_classes=frozenset(names_of(request, "asset_class")),
        after_ns=time_of(request, "after"),
        until_ns=time_of(request, "until"),
        after=await _place(request, desk, "after_order_id"),
        before=await _place(request, desk, "before_order_id"),
    )


async def _symbols(request: web.Request, desk: Desk) -> frozenset[str] | None:
    names = names_of(request, "symbols")
    if not names:
        return None
    found: set[str] = set(names)
    for name in names:
        try:
            found.add((await desk.book.find(name)).symbol)
        except UnknownInstrumentError:
            continue
    return frozenset(found)


async def _place(request: web.Request, desk: Desk, name: str) -> tuple[int, int] | None:
    order_id = request.query.get(name, "")
    if not order_id:
        return None
    row = await find_row(desk, order_id)
    return row.created_at_ns, row.number


def _found(desk: Desk, asked: _Filter, *, nested: bool, newest_first: bool) -> Iterator[Row]:
    ledger = desk.ledger
    if asked.status == "open":
        rows = ledger.open_rows(newest_first=newest_first)
    else:
        rows = ledger.rows(asked.after_ns, asked.until_ns, newest_first=newest_first)
    for row in rows:
        if not asked.admits(row, desk):
            continue
        parent = ledger.parent_of(row)
        entry = None if parent is None else ledger.newest(parent)
        if entry is None:
            yield row
        elif nested:
            if not (_shows(entry, row, desk) and asked.admits(entry, desk)):
                yield row
        elif asked.status != "open" or status_of(row) != "held":
            yield row


def _shows(entry: Row, leg: Row, desk: Desk) -> bool:
    """Tell whether an entry's object has a leg's row in it: its newest one."""
    return any(one.order_id == leg.order_id for one in desk.ledger.legs_of(entry))
