"""What `POST` and `PATCH /v2/orders` carry, as a client writes it.

Source: Alpaca Trading API, OpenAPI document, `PostOrderRequest` and `PatchOrderRequest`, checked
2026-06-15.
"""

from __future__ import annotations

from typing import Any

import msgspec

from dragoman.transport.codec import Amount

__all__ = ["LegBody", "OrderBody", "ReplaceBody", "StopLossBody", "TakeProfitBody"]


class TakeProfitBody(msgspec.Struct, kw_only=True):
    """The target of a bracket, an OCO or an OTO."""

    limit_price: Amount | None = None


class StopLossBody(msgspec.Struct, kw_only=True):
    """The stop of a bracket, an OCO or an OTO; with `limit_price` a stop-limit."""

    stop_price: Amount | None = None
    limit_price: Amount | None = None


class LegBody(msgspec.Struct, kw_only=True):
    """One leg of a multi-leg order; `ratio_qty` such as "2"."""

    symbol: str | None = None
    ratio_qty: Amount | None = None
    side: str | None = None
    position_intent: str | None = None


class OrderBody(msgspec.Struct, kw_only=True):
    """`POST /v2/orders`: `qty` or `notional`, and the prices that `type` takes."""

    symbol: str | None = None
    qty: Amount | None = None
    notional: Amount | None = None
    side: str | None = None
    type: str | None = None
    time_in_force: str | None = None
    limit_price: Amount | None = None
    stop_price: Amount | None = None
    trail_price: Amount | None = None
    trail_percent: Amount | None = None
    extended_hours: bool | None = None
    client_order_id: str | None = None
    order_class: str | None = None
    take_profit: TakeProfitBody | None = None
    stop_loss: StopLossBody | None = None
    legs: list[LegBody] | None = None
    position_intent: str | None = None
    advanced_instructions: dict[str, Any] | None = None


class ReplaceBody(msgspec.Struct, kw_only=True):
    """`PATCH /v2/orders/{id}`; `trail` is the distance in the unit the order has."""

    qty: Amount | None = None
    notional: Amount | None = None
    time_in_force: str | None = None
    limit_price: Amount | None = None
    stop_price: Amount | None = None
    trail: Amount | None = None
    client_order_id: str | None = None
    advanced_instructions: dict[str, Any] | None = None
