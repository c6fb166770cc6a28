"""What happened to the account: executions from the ledger, all else from the broker's own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.capabilities import ReadFeature
from dragoman.models import LedgerKind, Window
from dragoman.times import DAY_NS

from .asking import choice_of, invalid, limit_of, names_of, time_of
from .problems import json_response
from .rows import status_of
from .texts import amount, instant, instant_of, local_day, local_stamp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiohttp import web

    from dragoman.models import LedgerEntry

    from .desks import Desk
    from .ledger import Execution

__all__ = ["list_activities"]

_MOST_ROWS: Final = 100
_FILL: Final = "FILL"
_HISTORY_NS: Final = 90 * DAY_NS
_KINDS: Final = {
    LedgerKind.DEPOSIT: "CSD",
    LedgerKind.WITHDRAWAL: "CSW",
    LedgerKind.FEE: "FEE",
    LedgerKind.TAX: "WH",
    LedgerKind.INTEREST: "INT",
    LedgerKind.FUNDING: "INT",
    LedgerKind.DIVIDEND: "DIV",
    LedgerKind.SPLIT: "SPLIT",
    LedgerKind.MERGER: "MA",
    LedgerKind.SYMBOL_CHANGE: "NC",
    LedgerKind.EXERCISE: "OPEXC",
    LedgerKind.ASSIGNMENT: "OPASN",
    LedgerKind.EXPIRY: "OPEXP",
}
"""All other kinds are journal entries: of securities where a quantity moves, else of cash."""
_GROUPS: Final = {"TRANS": frozenset({"CSD", "CSW"})}
_NO_MISC: Final = frozenset({_FILL, "CSD", "CSW", "DIV"})


@attrs.frozen(kw_only=True)
class _Activity:
    """One row, before it is written, and its place among the others."""

    at_ns: int
    number: int
    activity_id: str
    kind: str
    write: Callable[[], dict[str, object]]


async def list_activities(request: web.Request, desk: Desk) -> web.StreamResponse:
    """`GET /v2/account/activities` and `/{activity_type}`: pages end where `page_token` begins."""
    wanted = _wanted(request)
    newest_first = choice_of(request, "direction", "desc", "asc") == "desc"
    size = limit_of(request, "page_size", default=_MOST_ROWS, most=_MOST_ROWS)
    first_ns, last_ns = _span(request)
    await desk.learn_history()
    await desk.learn_fills()
    found = [one for one in _executions(desk) if wanted(one.kind)]
    found += [one for one in await _entries(desk, first_ns) if wanted(one.kind)]
    rows = sorted(
        (
            one
            for one in found
            if (first_ns is None or one.at_ns >= first_ns)
            and (last_ns is None or one.at_ns < last_ns)
        ),
        key=lambda one: (one.at_ns, one.number),
        reverse=newest_first,
    )
    page = _after_token(request, rows)[:size]
    return json_response([one.write() for one in page])


def _after_token(request: web.Request, rows: list[_Activity]) -> list[_Activity]:
    token = request.query.get("page_token", "")
    if not token:
        return rows
    for index, row in enumerate(rows):
        if row.activity_id == token:
            return rows[index + 1 :]
    raise invalid("invalid page_token: it is the id of no activity that was asked for")


def _wanted(request: web.Request) -> Callable[[str], bool]:
    """Return what tells whether a kind of activity is asked for."""
    named = request.match_info.get("activity_type")
    names = (named,) if named else names_of(request, "activity_types")
    category = choice_of(request, "category", "any", "trade_activity", "non_trade_activity")
    if names and category != "any":
        raise invalid("category can't be used with activity_types")
    kinds = {kind for name in names for kind in _GROUPS.get(name.upper(), {name.upper()})}

    def is_wanted(kind: str) -> bool:
        if kinds:
            return kind in kinds or ("MISC" in kinds and kind not in _NO_MISC)
        return category == "any" or (kind == _FILL) == (category == "trade_activity")

    return is_wanted


def _span(request: web.Request) -> tuple[int | None, int | None]:
    """Return from when to when, the end not included."""
    after, until = time_of(request, "after", ends_day=True), time_of(request, "until")
    text = request.query.get("date", "")
    if not text:
        return None if after is None else after + 1, until
    if after is not None or until is not None:
        raise invalid("date can't be used with after or until")
    try:
        day = date.fromisoformat(text[:10])
    except ValueError:
        raise invalid(f"invalid date: {text[:40]!r}") from None
    name = day.isoformat()
    return instant_of(name, "date"), instant_of(name, "date", ends_day=True)


def _executions(desk: Desk) -> Iterator[_Activity]:
    for one in desk.ledger.executions():
        fill = one.fill
        stamp = local_stamp(fill.venue_time_ns)
        yield _Activity(
            at_ns=fill.venue_time_ns,
            number=one.number,
            activity_id=f"{stamp}::{desk.ids.execution(fill.fill_id)}",
            kind=_FILL,
            write=partial(_execution_row, desk, one),
        )


def _execution_row(desk: Desk, execution: Execution) -> dict[str, object]:
    fill = execution.fill
    word = "filled" if execution.is_last else "partially_filled"
    row = desk.ledger.row(execution.order_id)
    return {
        "id": f"{local_stamp(fill.venue_time_ns)}::{desk.ids.execution(fill.fill_id)}",
        "account_id": desk.ids.account,
        "activity_type": _FILL,
        "transaction_time": instant(fill.venue_time_ns),
        "type": "fill" if execution.is_last else "partial_fill",
        "price": amount(fill.price),
        "qty": amount(fill.quantity),
        "side": fill.side.lower(),
        "symbol": fill.symbol,
        "leaves_qty": amount(execution.leaves),
        "order_id": execution.order_id,
        "cum_qty": amount(execution.cumulative),
        "order_status": word if row is None or row.is_open else status_of(row),
    }


async def _entries(desk: Desk, first_ns: int | None) -> list[_Activity]:
    """Return what moved cash or quantities without an execution, as far as the broker tells."""
    if ReadFeature.LEDGER not in desk.broker.capabilities.reads:
        return []
    start_ns = desk.host.clock.now_ns() - _HISTORY_NS if first_ns is None else first_ns
    entries = desk.broker.fetch_ledger(Window(start_ns=start_ns))
    read = [entry async for entry in entries]
    return [_entry(desk, entry, number) for number, entry in enumerate(read)]


def _entry(desk: Desk, entry: LedgerEntry, number: int) -> _Activity:
    stamp = local_stamp(entry.venue_time_ns)
    activity_id = f"{stamp}::{desk.ids.entry(entry.entry_id)}"
    journaled = "JNLC" if entry.quantity is None else "JNLS"
    kind = _KINDS.get(entry.kind, journaled)
    if entry.kind is LedgerKind.FEE and entry.quantity is not None:
        kind = "CFEE"  # taken in the asset itself
    return _Activity(
        at_ns=entry.venue_time_ns,
        number=number,
        activity_id=activity_id,
        kind=kind,
        write=partial(_entry_row, desk, entry, activity_id, kind),
    )


def _entry_row(desk: Desk, entry: LedgerEntry, activity_id: str, kind: str) -> dict[str, object]:
    moved = entry.amount
    return {
        "id": activity_id,
        "account_id": desk.ids.account,
        "activity_type": kind,
        "activity_sub_type": None,
        "date": local_day(entry.venue_time_ns).isoformat(),
        "created_at": instant(entry.venue_time_ns),
        "net_amount": "0" if moved is None else amount(moved.amount),
        "currency": None if moved is None else moved.currency,
        "description": entry.description or entry.kind.lower().replace("_", " "),
        "status": "executed",
        "symbol": entry.symbol,
        "qty": amount(entry.quantity),
        "price": amount(entry.price),
        "per_share_amount": None,
        "group_id": None,
        "cusip": None,
    }
