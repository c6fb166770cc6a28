"""The same frames decoded the plain way: what one writes with msgspec and attrs without a thought.

A struct with the fields that are needed, `Decimal(str(number))`, and a frozen slotted class made
with keywords, with the public fields of this library's own. Times become nanoseconds by
`datetime.fromisoformat` and the fraction. Nothing is checked beyond what msgspec does, and no limit
is kept.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final, cast

import attrs
import msgspec

from dragoman.models import (
    Bar,
    Depth,
    Fill,
    Level,
    Order,
    OrderEvent,
    OrderEventKind,
    OrderStatus,
    OrderType,
    Position,
    PositionEffect,
    PositionEvent,
    Quote,
    Side,
    Timeframe,
    TimeInForce,
    Trade,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["DECODERS"]

PROVIDER: Final = "alpaca-paper"
ACCOUNT: Final = "account"


def nanoseconds(text: str) -> int:
    """Read an RFC 3339 time; `datetime` holds no nanoseconds, so the fraction is read apart."""
    whole, _, fraction = text[:-1].partition(".")
    seconds = int(datetime.fromisoformat(whole + "+00:00").timestamp())
    return seconds * 1_000_000_000 + int(fraction.ljust(9, "0") or 0)


class QuoteRow(msgspec.Struct, tag_field="T", tag="q"):
    """A quote on the wire."""

    S: str
    t: str
    bp: float
    bs: float
    ap: float
    as_: float = msgspec.field(name="as")


class TradeRow(msgspec.Struct, tag_field="T", tag="t"):
    """A print on the wire."""

    S: str
    t: str
    p: float
    s: float
    i: int
    c: tuple[str, ...] = ()


class BarRow(msgspec.Struct, tag_field="T", tag="b"):
    """A bar on the wire."""

    S: str
    t: str
    o: float
    h: float
    l: float  # noqa: E741 - the venue's own letter
    c: float
    v: float
    vw: float
    n: int


class LevelRow(msgspec.Struct):
    """A level on the wire."""

    p: float
    s: float


class BookRow(msgspec.Struct, tag_field="T", tag="o"):
    """A book on the wire."""

    S: str
    t: str
    b: list[LevelRow]
    a: list[LevelRow]
    r: bool = False


class OrderRow(msgspec.Struct):
    """An order on the wire."""

    id: str
    client_order_id: str
    symbol: str
    side: str
    type: str
    status: str
    time_in_force: str
    filled_qty: str
    created_at: str
    updated_at: str
    qty: str | None = None
    notional: str | None = None
    limit_price: str | None = None
    stop_price: str | None = None
    filled_avg_price: str | None = None
    expires_at: str | None = None
    position_intent: str | None = None
    extended_hours: bool = False
    replaces: str | None = None


class UpdateRow(msgspec.Struct):
    """A trade update on the wire."""

    event: str
    event_id: str
    execution_id: str
    timestamp: str
    order: OrderRow
    price: str | None = None
    qty: str | None = None
    position_qty: str | None = None


class UpdateFrame(msgspec.Struct, tag_field="stream", tag="trade_updates"):
    """A frame of the trading stream."""

    data: UpdateRow


def plain_class(kind: type[attrs.AttrsInstance]) -> Callable[..., object]:
    """Return a frozen slotted class with the public fields of one of the library's, unchecked."""
    fields = {
        field.name: attrs.field(default=field.default, eq=field.eq is not False)
        for field in attrs.fields(kind)
    }
    made = attrs.make_class(f"Plain{kind.__name__}", fields, frozen=True, slots=True, kw_only=True)
    return cast("Callable[..., object]", made)


PlainQuote: Final = plain_class(Quote)
PlainTrade: Final = plain_class(Trade)
PlainBar: Final = plain_class(Bar)
PlainLevel: Final = plain_class(Level)
PlainDepth: Final = plain_class(Depth)
PlainOrder: Final = plain_class(Order)
PlainFill: Final = plain_class(Fill)
PlainOrderEvent: Final = plain_class(OrderEvent)
PlainPosition: Final = plain_class(Position)
PlainPositionEvent: Final = plain_class(PositionEvent)

QUOTES: Final = msgspec.json.Decoder(list[QuoteRow])
TRADES: Final = msgspec.json.Decoder(list[TradeRow])
BARS: Final = msgspec.json.Decoder(list[BarRow])
BOOKS: Final = msgspec.json.Decoder(list[BookRow])
UPDATES: Final = msgspec.json.Decoder(UpdateFrame)

MINUTE: Final = Timeframe.parse("1m")
SIDES: Final = {"buy": Side.BUY, "sell": Side.SELL}
TYPES: Final = {"limit": OrderType.LIMIT, "market": OrderType.MARKET}
STATUSES: Final = {
    "new": OrderStatus.OPEN,
    "partially_filled": OrderStatus.PARTIALLY_FILLED,
    "filled": OrderStatus.FILLED,
}
EVENTS: Final = {
    "new": OrderEventKind.ACCEPTED,
    "partial_fill": OrderEventKind.FILL,
    "fill": OrderEventKind.FILL,
}


def quote(frame: bytes, now_ns: int) -> tuple[object, ...]:
    """Decode a frame of quotes."""
    return tuple(
        [
            PlainQuote(
                symbol=row.S,
                provider=PROVIDER,
                received_at_ns=now_ns,
                bid_price=Decimal(str(row.bp)),
                bid_size=Decimal(str(row.bs)),
                ask_price=Decimal(str(row.ap)),
                ask_size=Decimal(str(row.as_)),
                venue_time_ns=nanoseconds(row.t),
            )
            for row in QUOTES.decode(frame)
        ]
    )


def trade(frame: bytes, now_ns: int) -> tuple[object, ...]:
    """Decode a frame of prints."""
    return tuple(
        [
            PlainTrade(
                symbol=row.S,
                price=Decimal(str(row.p)),
                size=Decimal(str(row.s)),
                provider=PROVIDER,
                received_at_ns=now_ns,
                trade_id=str(row.i),
                conditions=row.c,
                venue_time_ns=nanoseconds(row.t),
            )
            for row in TRADES.decode(frame)
        ]
    )


def bar(frame: bytes, now_ns: int) -> tuple[object, ...]:
    """Decode a frame of bars."""
    return tuple(
        [
            PlainBar(
                symbol=row.S,
                timeframe=MINUTE,
                open_time_ns=nanoseconds(row.t),
                open=Decimal(str(row.o)),
                high=Decimal(str(row.h)),
                low=Decimal(str(row.l)),
                close=Decimal(str(row.c)),
                is_complete=True,
                provider=PROVIDER,
                received_at_ns=now_ns,
                volume=Decimal(str(row.v)),
                vwap=Decimal(str(row.vw)),
                trade_count=row.n,
            )
            for row in BARS.decode(frame)
        ]
    )


def book(frame: bytes, now_ns: int) -> tuple[object, ...]:
    """Decode a frame of books."""
    return tuple(
        [
            PlainDepth(
                symbol=row.S,
                bids=levels(row.b),
                asks=levels(row.a),
                is_snapshot=row.r,
                provider=PROVIDER,
                received_at_ns=now_ns,
                venue_time_ns=nanoseconds(row.t),
            )
            for row in BOOKS.decode(frame)
        ]
    )


def levels(rows: list[LevelRow]) -> tuple[object, ...]:
    """Build the levels of one side."""
    return tuple([PlainLevel(price=Decimal(str(row.p)), size=Decimal(str(row.s))) for row in rows])


def trade_update(frame: bytes, now_ns: int) -> tuple[object, ...]:
    """Decode a trade update: the order's event and, after a fill, the position's."""
    update = UPDATES.decode(frame).data
    order = plain_order(update.order, now_ns)
    at_ns = nanoseconds(update.timestamp)
    fill = None if update.qty is None else plain_fill(update, now_ns)
    told = PlainOrderEvent(
        kind=EVENTS[update.event],
        order=order,
        account_id=ACCOUNT,
        received_at_ns=now_ns,
        fill=fill,
        event_id=update.event_id,
        venue_time_ns=at_ns,
    )
    if update.position_qty is None:
        return (told,)
    position = PlainPosition(
        position_id=update.order.symbol,
        account_id=ACCOUNT,
        symbol=update.order.symbol,
        quantity=Decimal(update.position_qty),
        provider=PROVIDER,
        received_at_ns=now_ns,
        updated_at_ns=at_ns,
    )
    moved = PlainPositionEvent(
        position=position,
        account_id=ACCOUNT,
        received_at_ns=now_ns,
        event_id=f"{update.event_id}:position",
        venue_time_ns=at_ns,
    )
    return (told, moved)


def plain_order(row: OrderRow, now_ns: int) -> object:
    """Build the order of a trade update; `id~2` names the second replace of the intent `id`."""
    name, _, revision = row.client_order_id.partition("~")
    return PlainOrder(
        client_order_id=name,
        account_id=ACCOUNT,
        symbol=row.symbol,
        side=SIDES[row.side],
        order_type=TYPES[row.type],
        status=STATUSES[row.status],
        provider=PROVIDER,
        received_at_ns=now_ns,
        quantity=amount(row.qty),
        notional=amount(row.notional),
        limit_price=amount(row.limit_price),
        stop_price=amount(row.stop_price),
        time_in_force=TimeInForce(row.time_in_force.upper()),
        expires_at_ns=None if row.expires_at is None else nanoseconds(row.expires_at),
        extended_hours=row.extended_hours,
        position_effect=PositionEffect.OPEN if row.position_intent == "buy_to_open" else None,
        venue_status=row.status,
        venue_order_ids=(row.id,),
        revision=int(revision or 0),
        filled_quantity=Decimal(row.filled_qty),
        average_fill_price=amount(row.filled_avg_price),
        created_at_ns=nanoseconds(row.created_at),
        updated_at_ns=nanoseconds(row.updated_at),
    )


def plain_fill(update: UpdateRow, now_ns: int) -> object:
    """Build the execution of a trade update."""
    order = update.order
    return PlainFill(
        fill_id=f"{order.id}:{order.filled_qty}",
        account_id=ACCOUNT,
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        side=SIDES[order.side],
        quantity=amount(update.qty),
        price=amount(update.price),
        venue_time_ns=nanoseconds(update.timestamp),
        provider=PROVIDER,
        received_at_ns=now_ns,
        venue_order_id=order.id,
    )


def amount(text: str | None) -> Decimal | None:
    """Read an amount that may be null."""
    return None if text is None else Decimal(text)


DECODERS: Final[dict[str, Callable[[bytes, int], tuple[object, ...]]]] = {
    "quote": quote,
    "trade": trade,
    "bar": bar,
    "book": book,
    "trade_updates": trade_update,
}
