"""Ferry's own words: what stands in its answers.

Every answer is an envelope: `{"ok": true, "now": ..., "data": ...}`, or `{"ok": false, "error":
...}`, both with status 200. Amounts are JSON numbers, to be read digit by digit. Times are whole
milliseconds since 1970, except those of bars. Words that may grow, such as the state of an order,
are plain text here: what they mean is the mapping's to know.
"""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

from dragoman.transport.codec import Amount

__all__ = [
    "AccountRow",
    "BarRow",
    "Envelope",
    "FillRow",
    "Grant",
    "InstrumentRow",
    "OrderRow",
    "Page",
    "PositionRow",
    "Problem",
    "QuoteRow",
    "Verdict",
]

Data = TypeVar("Data")
Row = TypeVar("Row")


class Envelope(msgspec.Struct, Generic[Data], kw_only=True):
    """An answer to what was understood and done; `now` is the venue's time."""

    data: Data
    now: int


class Page(msgspec.Struct, Generic[Row], kw_only=True):
    """One page of a list; pages count from 1 to `pages`."""

    rows: list[Row]
    page: int
    pages: int


class Problem(msgspec.Struct, kw_only=True):
    """Why not; `order` names the order that has a client's id already."""

    code: int
    text: str = ""
    order: str | None = None
    retry_ms: int | None = None


class Verdict(msgspec.Struct, kw_only=True):
    """What every answer says of itself."""

    ok: bool
    error: Problem | None = None


class Grant(msgspec.Struct, kw_only=True):
    """What a login gives: a token, and for how many seconds it is good."""

    token: str
    expires_in: int


class AccountRow(msgspec.Struct, kw_only=True):
    """An account, in its own currency; `margin` is bound by positions, `free` is not."""

    id: str
    ccy: str
    cash: Amount
    equity: Amount | None = None
    margin: Amount | None = None
    free: Amount | None = None
    pnl: Amount | None = None


class InstrumentRow(msgspec.Struct, kw_only=True):
    """What can be traded; `group` is STK, FX or COIN, `step` the step of a quantity.

    Prices step by `tick` or, where `ticks` has rows, by that of the last row whose `from` a price
    reaches.
    """

    sym: str
    group: str
    ccy: str
    name: str | None = None
    exchange: str | None = None
    base: str | None = None
    tick: Amount | None = None
    ticks: list[tuple[Amount, Amount]] = msgspec.field(default_factory=list[tuple[Amount, Amount]])
    step: Amount | None = None
    least: Amount | None = None
    most: Amount | None = None
    least_value: Amount | None = None
    margin_rate: Amount | None = None
    open: bool | None = None
    shorts: bool | None = None


class OrderRow(msgspec.Struct, kw_only=True):
    """An order; `side` is B or S, `kind` MKT, LMT or STP, `closing` that it may only close."""

    id: str
    client: str | None
    sym: str
    side: str
    kind: str
    qty: Amount
    filled: Amount
    state: str
    created: int
    updated: int
    tif: str = "DAY"
    avg: Amount | None = None
    price: Amount | None = None
    stop: Amount | None = None
    closing: bool = False
    reason: int | None = None


class FillRow(msgspec.Struct, kw_only=True):
    """An execution; `fee` is what it adds to the cash: below 0 when paid."""

    id: str
    order: str
    client: str | None
    sym: str
    side: str
    qty: Amount
    price: Amount
    time: int
    fee: Amount | None = None
    fee_ccy: str | None = None
    maker: bool | None = None
    busted: bool = False


class PositionRow(msgspec.Struct, kw_only=True):
    """What is held of one symbol: `direction` LONG or SHORT, and how much of it, above 0."""

    sym: str
    direction: str
    qty: Amount
    avg: Amount | None = None
    pnl: Amount | None = None
    ccy: str | None = None


class QuoteRow(msgspec.Struct, kw_only=True):
    """The top of a book."""

    sym: str
    time: int
    bid: Amount | None = None
    bid_qty: Amount | None = None
    ask: Amount | None = None
    ask_qty: Amount | None = None


class BarRow(msgspec.Struct, kw_only=True):
    """A bar. `t` is when it opens by the wall clock of New York, such as "2026-11-01 01:30:00".

    `dst` says whether that is daylight saving time: in autumn one hour comes twice.
    """

    t: str
    dst: bool
    o: Amount
    h: Amount
    l: Amount  # noqa: E741 - the venue's own name
    c: Amount
    v: Amount | None = None
    closed: bool
