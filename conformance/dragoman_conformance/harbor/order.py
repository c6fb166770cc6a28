"""One order as the venue keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .messages import Json

__all__ = ["HarborOrder"]

_ENDED = frozenset({"filled", "canceled", "expired"})


@dataclass(slots=True, kw_only=True)
class HarborOrder:
    """An order taken; `state` is open, partially-filled, filled, canceled or expired."""

    venue_id: str
    client_id: str | None
    account: str
    symbol: str
    side: str
    type: str
    quantity: Decimal
    price: Decimal | None
    created_ns: int
    visible_ns: int
    updated_ns: int
    state: str = "open"
    filled: Decimal = Decimal(0)
    spent: Decimal = Decimal(0)
    revision: int = 0
    is_canceling: bool = False

    @property
    def has_ended(self) -> bool:
        """Whether nothing more should happen to it."""
        return self.state in _ENDED

    @property
    def left(self) -> Decimal:
        """What was ordered and is not filled."""
        return self.quantity - self.filled

    @property
    def sign(self) -> int:
        """1 for a buy, -1 for a sell."""
        return 1 if self.side == "buy" else -1

    def row(self) -> Json:
        """Return the order as the protocol writes it."""
        return {
            "venue_id": self.venue_id,
            "client_id": self.client_id,
            "account": self.account,
            "symbol": self.symbol,
            "side": self.side,
            "type": self.type,
            "quantity": str(self.quantity),
            "price": None if self.price is None else str(self.price),
            "state": self.state,
            "filled": str(self.filled),
            "revision": self.revision,
            "canceling": self.is_canceling,
            "created_ns": str(self.created_ns),
            "updated_ns": str(self.updated_ns),
        }
