"""One intent as the tracker keeps it."""

from __future__ import annotations

from decimal import Decimal
from operator import attrgetter
from typing import Final

import attrs

from dragoman.models.enums import OrderEventKind, OrderStatus
from dragoman.models.order import Order
from dragoman.models.request import OrderRequest
from dragoman.money import ZERO

from .record import OrderRecord
from .status import bit

__all__ = ["Tracked", "begun", "pending_order", "unheard"]

_REQUEST_FIELDS: Final = tuple(
    name
    for name in attrs.fields_dict(OrderRequest)
    if name in attrs.fields_dict(Order) and name not in ("client_order_id", "account_id")
)


_read_terms: Final = attrgetter(*_REQUEST_FIELDS)
_put_terms: Final = tuple(Order.__dict__[name].__set__ for name in _REQUEST_FIELDS)
_REST: Final = tuple(
    (Order.__dict__[field.name].__set__, field.default)
    for field in attrs.fields(Order)
    if field.name not in (*_REQUEST_FIELDS, "client_order_id", "account_id", "provider")
)
_put_id: Final = Order.__dict__["client_order_id"].__set__
_put_account: Final = Order.__dict__["account_id"].__set__
_put_provider: Final = Order.__dict__["provider"].__set__
_put_status: Final = Order.__dict__["status"].__set__
_put_received: Final = Order.__dict__["received_at_ns"].__set__


def pending_order(request: OrderRequest, *, account_id: str, provider: str, at_ns: int) -> Order:
    """Return the order that a request makes before anyone has answered.

    The request was checked when it was made, so its terms are not checked again.
    """
    order = Order.__new__(Order)
    for put, value in zip(_put_terms, _read_terms(request), strict=True):
        put(order, value)
    for put, value in _REST:
        put(order, value)
    _put_id(order, request.client_order_id or "")
    _put_account(order, account_id)
    _put_provider(order, provider)
    _put_status(order, OrderStatus.PENDING)
    _put_received(order, at_ns)
    return order


@attrs.define(weakref_slot=False)
class Tracked:
    """One intent: its evidence, the order as it stands, and what has been told of it.

    `told` is the sum of the bits of all kinds told. `absent` is the order as it was before it was
    proved that it never arrived, and `is_unsent` says that it never even left. `told_filled` is the
    filled quantity as last told.
    """

    record: OrderRecord
    order: Order
    told: int
    told_revision: int = 0
    absent: Order | None = None
    is_unsent: bool = False
    told_filled: Decimal = ZERO


def begun(request: OrderRequest, account_id: str, provider: str, at_ns: int) -> Tracked:
    """Return one's own intent as it begins; that it is submitted counts as told."""
    order = pending_order(request, account_id=account_id, provider=provider, at_ns=at_ns)
    return Tracked(OrderRecord(order, is_own=True), order, bit(OrderEventKind.SUBMITTED))


def unheard(*_: object) -> None:
    """Take what a tracker says while nobody listens."""
