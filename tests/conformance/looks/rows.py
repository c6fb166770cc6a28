"""An order, a fill and a position, as short as they can be said."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from dragoman.models import Fill, Order, OrderStatus, OrderType, Position, Side

D = Decimal


def order(**changes: Any) -> Order:
    """Return an order of eight that rests, with other fields."""
    terms: dict[str, Any] = {
        "client_order_id": "c",
        "account_id": "a",
        "symbol": "AAPL",
        "side": Side.BUY,
        "order_type": OrderType.LIMIT,
        "status": OrderStatus.OPEN,
        "provider": "p",
        "received_at_ns": 1,
        "quantity": D(8),
        "limit_price": D("75.13"),
        "venue_order_ids": ("v1",),
        **changes,
    }
    return Order(**terms)


def fill(fill_id: str, quantity: int, **changes: Any) -> Fill:
    """Return a fill of the order, with other fields."""
    terms: dict[str, Any] = {
        "fill_id": fill_id,
        "account_id": "a",
        "client_order_id": "c",
        "symbol": "AAPL",
        "side": Side.BUY,
        "quantity": D(quantity),
        "price": D("75.13"),
        "venue_time_ns": 10_000_000_000,
        "provider": "p",
        "received_at_ns": 1,
        **changes,
    }
    return Fill(**terms)


def position(quantity: int, **changes: Any) -> Position:
    """Return a position, with other fields."""
    terms: dict[str, Any] = {
        "position_id": "AAPL",
        "account_id": "a",
        "symbol": "AAPL",
        "quantity": D(quantity),
        "provider": "p",
        "received_at_ns": 1,
        **changes,
    }
    return Position(**terms)
