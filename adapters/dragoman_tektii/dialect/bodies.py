"""What requests carry, as a client writes it: a field is None where it was left out.

Words stay texts here: they are read one by one, so that the answer names the one that is wrong.

Source: Tektii trading gateway 0.2.0, OpenAPI document 1.0.0; checked 2026-11-20.
"""

from __future__ import annotations

import msgspec

from dragoman.transport.codec import Amount

__all__ = ["CloseBody", "ExitsBody", "ModifyBody", "OrderBody"]


class OrderBody(msgspec.Struct, kw_only=True):
    """`POST /v1/orders`."""

    symbol: str
    side: str
    quantity: Amount
    order_type: str
    limit_price: Amount | None = None
    stop_price: Amount | None = None
    trailing_distance: Amount | None = None
    trailing_type: str | None = None
    stop_loss: Amount | None = None
    take_profit: Amount | None = None
    position_id: str | None = None
    reduce_only: bool | None = None
    post_only: bool | None = None
    hidden: bool | None = None
    display_quantity: Amount | None = None
    margin_mode: str | None = None
    leverage: Amount | None = None
    client_order_id: str | None = None
    oco_group_id: str | None = None
    time_in_force: str | None = None


class ModifyBody(msgspec.Struct, kw_only=True):
    """`PATCH /v1/orders/{id}`; `quantity` is the new total."""

    limit_price: Amount | None = None
    stop_price: Amount | None = None
    quantity: Amount | None = None
    stop_loss: Amount | None = None
    take_profit: Amount | None = None
    trailing_distance: Amount | None = None


class CloseBody(msgspec.Struct, kw_only=True):
    """`DELETE /v1/positions/{id}`; without `quantity` all of it, without `order_type` at market."""

    order_type: str | None = None
    limit_price: Amount | None = None
    quantity: Amount | None = None


class ExitsBody(msgspec.Struct, kw_only=True):
    """`PATCH /v1/positions/{id}`: where the resting exits move to."""

    stop_loss: Amount | None = None
    take_profit: Amount | None = None
