"""A row of the ledger as the object that every order endpoint and the stream show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.models import (
    OffsetUnit,
    OrderStatus,
    OrderType,
    PositionEffect,
    Side,
    TimeInForce,
)
from dragoman.money import add, multiply, subtract

from .problems import reject_words
from .rows import status_of
from .texts import amount, instant

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from dragoman.capabilities import Capabilities
    from dragoman.models import Offset, Order

    from .assets import Asset, AssetBook
    from .desks import Desk
    from .ledger import Ledger
    from .rows import Row

__all__ = ["known_rows", "order_json", "order_object", "shown_rows"]

_TYPES: Final = {
    OrderType.MARKET: "market",
    OrderType.LIMIT: "limit",
    OrderType.STOP: "stop",
    OrderType.STOP_LIMIT: "stop_limit",
    OrderType.TRAILING_STOP: "trailing_stop",
}
"""Of the other types an order says "", as orders do here that have none."""
_TIMES: Final = {
    TimeInForce.DAY: "day",
    TimeInForce.GTC: "gtc",
    TimeInForce.IOC: "ioc",
    TimeInForce.FOK: "fok",
    TimeInForce.OPG: "opg",
    TimeInForce.CLS: "cls",
    TimeInForce.GTD: "gtc",  # with `expires_at`
}
_INTENTS: Final = {
    (Side.BUY, PositionEffect.OPEN): "buy_to_open",
    (Side.BUY, PositionEffect.CLOSE): "buy_to_close",
    (Side.SELL, PositionEffect.OPEN): "sell_to_open",
    (Side.SELL, PositionEffect.CLOSE): "sell_to_close",
}


async def known_rows(desk: Desk, rows: Sequence[Row], *, nested: bool) -> list[dict[str, object]]:
    """Return rows as objects, having looked up what is not known yet of their instruments."""
    await desk.book.know(dict.fromkeys(row.order.symbol for row in rows))
    return shown_rows(desk, rows, nested=nested)


def shown_rows(desk: Desk, rows: Sequence[Row], *, nested: bool) -> list[dict[str, object]]:
    """Return rows as objects, by what is known of their instruments."""
    book, capabilities = desk.book, desk.broker.capabilities
    return [
        order_object(row, desk.ledger, book, nested=nested, capabilities=capabilities)
        for row in rows
    ]


async def order_json(desk: Desk, row: Row, *, nested: bool = True) -> dict[str, object]:
    """Return one row as an object."""
    return (await known_rows(desk, [row], nested=nested))[0]


def order_object(
    row: Row, ledger: Ledger, book: AssetBook, *, nested: bool, capabilities: Capabilities
) -> dict[str, object]:
    """Return a row with every field of the schema, null where it is not known.

    Args:
        row: The row.
        ledger: Where its legs are found.
        book: Where its asset is found, if it is known already.
        nested: Whether to show its legs.
        capabilities: What an order that names no time in force has.
    """
    order = row.order
    asset = book.known(order.symbol)
    kind = _TYPES.get(order.order_type, "")
    legs = ledger.legs_of(row) if nested else ()
    created = instant(row.created_at_ns)
    return {
        "id": row.order_id,
        "client_order_id": row.client_order_id,
        "created_at": created,
        "updated_at": instant(row.updated_at_ns),
        "submitted_at": created,
        "filled_at": instant(row.filled_at_ns),
        "expired_at": instant(row.expired_at_ns),
        "expires_at": instant(order.expires_at_ns),
        "canceled_at": instant(row.canceled_at_ns),
        "failed_at": instant(row.failed_at_ns),
        "replaced_at": instant(row.replaced_at_ns),
        "replaced_by": row.replaced_by,
        "replaces": row.replaces,
        "asset_id": "" if asset is None else asset.asset_id,
        "symbol": order.symbol,
        "asset_class": "" if asset is None else asset.asset_class,
        "notional": amount(order.notional),
        "qty": None if order.notional is not None else amount(row.quantity),
        "filled_qty": amount(row.filled),
        "filled_avg_price": amount(row.average),
        "order_class": _class_of(row, ledger),
        "order_type": kind,
        "type": kind,
        "side": order.side.lower(),
        "position_intent": _intent(order),
        "time_in_force": _TIMES.get(_time_in_force(order, asset, capabilities), "day"),
        "limit_price": amount(order.limit_price),
        "stop_price": amount(order.stop_price),
        "status": status_of(row),
        "extended_hours": bool(order.extended_hours),
        "legs": [
            order_object(leg, ledger, book, nested=False, capabilities=capabilities) for leg in legs
        ]
        or None,
        "trail_percent": _trail(order.trailing, OffsetUnit.PERCENT),
        "trail_price": _trail_price(order, book),
        "hwm": amount(_water_mark(order)),
        "ratio_qty": None,
        "subtag": None,
        "source": None,
        "reject_reason": (
            reject_words(order.reject_reason) if order.status is OrderStatus.REJECTED else None
        ),
    }


def _time_in_force(order: Order, asset: Asset | None, capabilities: Capabilities) -> TimeInForce:
    if order.time_in_force is not None:
        return order.time_in_force
    if asset is None:
        return capabilities.default_time_in_force
    return capabilities.default_time(asset.instrument)


def _intent(order: Order) -> str | None:
    effect = order.position_effect
    return None if effect is None else _INTENTS[order.side, effect]


def _class_of(row: Row, ledger: Ledger) -> str:
    """Return "" for a simple order, else the word for the group that it leads or belongs to."""
    parent = ledger.parent_of(row)
    lead = row if parent is None else ledger.newest(parent) or row
    if ledger.is_oco(lead):
        return "oco"
    exits = [one for one in (lead.order.stop_loss, lead.order.take_profit) if one is not None]
    count = max(len(exits), len(ledger.legs_of(lead)))
    return ("", "oto", "bracket")[min(count, 2)]


def _trail(trailing: Offset | None, unit: OffsetUnit) -> str | None:
    return amount(trailing.value) if trailing is not None and trailing.unit is unit else None


def _trail_price(order: Order, book: AssetBook) -> str | None:
    trailing, asset = order.trailing, book.known(order.symbol)
    if trailing is None or trailing.unit is not OffsetUnit.TICKS:
        return _trail(trailing, OffsetUnit.PRICE)
    tick = None if asset is None else asset.instrument.tick_size
    return None if tick is None else amount(multiply(trailing.value, tick))


def _water_mark(order: Order) -> Decimal | None:
    """Return the best price since a trailing stop began, where stop and distance tell it."""
    trailing, stop = order.trailing, order.stop_price
    if trailing is None or stop is None or trailing.unit is not OffsetUnit.PRICE:
        return None
    is_sale = order.side is Side.SELL
    return add(stop, trailing.value) if is_sale else subtract(stop, trailing.value)
