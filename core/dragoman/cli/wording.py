"""How things are said: amounts, times, orders, fills and events as short plain text.

What a venue sent may hold control characters; nothing is shown before they are escaped.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from dragoman.models import OffsetUnit, OrderEvent, OrderType
from dragoman.money import Rounding, format_decimal, round_to_step
from dragoman.times import format_time

if TYPE_CHECKING:
    from dragoman.models import Exit, Fill, Money, Offset, Order, OrderRequest

__all__ = [
    "amount",
    "clock_time",
    "day_time",
    "level",
    "money",
    "order_event_line",
    "order_line",
    "order_prices",
    "order_terms",
    "printable",
]

_NOT_KNOWN: Final = "-"
_FINEST: Final = Decimal("1e-8")
_UNITS: Final = {OffsetUnit.PRICE: "", OffsetUnit.PERCENT: "%", OffsetUnit.TICKS: " ticks"}


def printable(text: str) -> str:
    """Return `text` on one line, with everything a terminal would act on escaped."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else _escaped(letter) for letter in text)


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")


def amount(value: Decimal | None) -> str:
    """Write an amount in plain notation, at most eight places; `~` marks one that was rounded.

    Exact amounts are in the JSON output. `-` is what is not known.
    """
    if value is None:
        return _NOT_KNOWN
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or exponent >= -8:
        return format_decimal(value)
    rounded = round_to_step(value, _FINEST, Rounding.NEAREST)
    text = format_decimal(rounded).rstrip("0").rstrip(".")
    return text if rounded == value else f"~{text}"


def money(value: Money | None) -> str:
    """Write an amount of money with its currency."""
    return _NOT_KNOWN if value is None else f"{amount(value.amount)} {printable(value.currency)}"


def day_time(instant_ns: int | None) -> str:
    """Write an instant in UTC to the second."""
    return _NOT_KNOWN if instant_ns is None else f"{format_time(instant_ns)[:19]}Z"


def clock_time(instant_ns: int | None) -> str:
    """Write an instant's time of day in UTC to the millisecond."""
    return _NOT_KNOWN if instant_ns is None else f"{format_time(instant_ns)[11:23]}Z"


def offset(value: Offset) -> str:
    """Write a distance with its unit."""
    return f"{amount(value.value)}{_UNITS[value.unit]}"


def level(leg: Exit) -> str:
    """Write where a protective leg stands, or how far from the entry."""
    parts: list[str] = []
    if leg.price is not None:
        parts.append(amount(leg.price))
    if leg.offset is not None:
        parts.append(f"{offset(leg.offset)} away")
    if leg.trailing is not None:
        parts.append(f"trailing by {offset(leg.trailing)}")
    if leg.limit_price is not None:
        parts.append(f"limit {amount(leg.limit_price)}")
    return " ".join(parts)


def order_prices(order: Order | OrderRequest) -> str:
    """Write the prices an order is governed by."""
    parts: list[str] = []
    if order.order_type is not OrderType.LIMIT and order.stop_price is not None:
        parts.append(amount(order.stop_price))
    if order.limit_price is not None:
        parts.append(amount(order.limit_price))
    if order.trailing is not None:
        parts.append(f"by {offset(order.trailing)}")
    if order.peg is not None:
        parts.append(f"at {order.peg}")
    return " ".join(parts)


def order_terms(order: Order | OrderRequest) -> str:
    """Write what an order asks for: side, size, symbol, type, prices, time in force, exits."""
    if order.quantity is not None:
        size = amount(order.quantity)
    elif order.notional is not None:
        size = f"{amount(order.notional)} worth of"
    else:
        size = "all of"
    words = [order.side, size, printable(order.symbol), order.order_type, order_prices(order)]
    if order.time_in_force is not None:
        words.append(order.time_in_force)
    text = " ".join(word for word in words if word)
    for name, leg in (("stop loss", order.stop_loss), ("take profit", order.take_profit)):
        if leg is not None:
            text += f", {name} {level(leg)}"
    return text


def order_line(order: Order) -> str:
    """Write an order and where it stands, as one sentence."""
    return f"{order_terms(order)}: {_standing(order)}"


def order_event_line(event: OrderEvent) -> str:
    """Write one event of an order: when, what, to which order."""
    order = event.order
    words = f"{clock_time(event.venue_time_ns or event.received_at_ns)} {event.kind:<9}"
    what = _fill(event.fill) if event.fill is not None else order_terms(order)
    reason = f" ({printable(order.reason)})" if order.reason else ""
    return f"{words} {printable(order.client_order_id)}: {what}{reason}"


def _fill(fill: Fill) -> str:
    text = f"{fill.side} {amount(fill.quantity)} {printable(fill.symbol)} at {amount(fill.price)}"
    return text if fill.commission is None else f"{text}, commission {money(fill.commission)}"


def _standing(order: Order) -> str:
    text = str(order.status)
    if order.filled_quantity:
        whole = order.quantity is None or order.filled_quantity == order.quantity
        of_all = "" if whole else f" of {amount(order.quantity)}"
        text += f" {amount(order.filled_quantity)}{of_all} at {amount(order.average_fill_price)}"
    if order.commission is not None and order.commission.amount:
        text += f", commission {money(order.commission)}"
    if order.pending is not None:
        text += f", {order.pending.lower()} pending"
    if order.reject_reason is not None:
        text += f", {order.reject_reason}"
    return f"{text} ({printable(order.reason)})" if order.reason else text
