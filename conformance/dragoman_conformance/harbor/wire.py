"""Harbor's own words: what stands in its responses and in the frames of its stream.

Amounts and times are text; a time is nanoseconds UTC, such as "1767796200000000000".
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from dragoman.transport.codec import Amount

__all__ = [
    "AccountRow",
    "FillPage",
    "FillRow",
    "Frame",
    "FrameKind",
    "InstrumentRow",
    "OrderPage",
    "OrderRow",
    "OrderState",
    "OrderType",
    "OrderWord",
    "PositionRow",
    "Problem",
    "Side",
]


class Side(StrEnum):
    """Which way."""

    BUY = "buy"
    SELL = "sell"


class OrderType(StrEnum):
    """How an order finds its price."""

    MARKET = "market"
    LIMIT = "limit"


class OrderState(StrEnum):
    """Where an order stands."""

    OPEN = "open"
    PARTIALLY_FILLED = "partially-filled"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"


class OrderWord(StrEnum):
    """What a frame of the kind "order" says happened."""

    ACCEPTED = "accepted"
    REPLACED = "replaced"
    CANCELING = "canceling"
    FILL = "fill"
    CANCELED = "canceled"
    EXPIRED = "expired"


class AccountRow(msgspec.Struct):
    """One row of `GET /accounts`; `cash` such as "100000.00"."""

    account: str
    currency: str
    cash: Amount


class InstrumentRow(msgspec.Struct):
    """One row of `GET /instruments`; `tick` and `lot` such as "0.01"."""

    symbol: str
    currency: str
    tick: Amount
    lot: Amount


class OrderRow(msgspec.Struct):
    """An order, in every response and frame that shows one.

    `client_id` is null for orders that were not sent by a client of this interface; `canceling`
    says that a cancel was taken and the end is to come.
    """

    venue_id: str
    client_id: str | None
    account: str
    symbol: str
    side: Side
    type: OrderType
    quantity: Amount
    price: Amount | None
    state: OrderState
    filled: Amount
    revision: int
    canceling: bool
    created_ns: str
    updated_ns: str


class FillRow(msgspec.Struct):
    """One execution, in `GET /fills` and in frames that say "fill"."""

    fill_id: str
    venue_id: str
    client_id: str | None
    account: str
    symbol: str
    side: Side
    quantity: Amount
    price: Amount
    time_ns: str


class PositionRow(msgspec.Struct):
    """One row of `GET /positions`; `quantity` is below 0 for what was sold short."""

    account: str
    symbol: str
    quantity: Amount


class OrderPage(msgspec.Struct):
    """One page of `GET /orders/open` and `/orders/history`, and the cursor of the next."""

    rows: list[OrderRow]
    next: str | None


class FillPage(msgspec.Struct):
    """One page of `GET /fills`, and the cursor of the next."""

    rows: list[FillRow]
    next: str | None


class Problem(msgspec.Struct):
    """A refusal; `code` such as "unknown-order"."""

    code: str
    message: str = ""


class FrameKind(StrEnum):
    """What a frame of the stream is."""

    AUTH = "auth"
    SUBSCRIBED = "subscribed"
    HEARTBEAT = "heartbeat"
    ORDER = "order"
    POSITION = "position"
    ERROR = "error"


class Frame(msgspec.Struct):
    """One frame of the stream. `what` and `order` are there for "order", `fill` for a fill."""

    type: FrameKind
    event_id: str | None = None
    time_ns: str | None = None
    ok: bool | None = None
    id: int | None = None
    code: str | None = None
    what: OrderWord | None = None
    order: OrderRow | None = None
    fill: FillRow | None = None
    position: PositionRow | None = None
