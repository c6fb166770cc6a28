"""Orders tied by a list or a group: one cancels the others, one triggers the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.models import OrderStatus
from dragoman.money import subtract

from . import funds

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from .lifecycle import Lifecycle
    from .order import WorkingOrder

__all__ = ["Group"]


class Group:
    """Orders of which one cancels the others; with a `parent`, held until it is filled.

    What fills of one is taken off the others' quantities; one of another symbol is canceled. One
    that is canceled or expires takes the others with it. Members on the same side of the same
    symbol hold buying power once. `is_settling` while a fill is taken off the others: one that this
    ends takes nobody with it.
    """

    __slots__ = ("is_released", "is_settling", "key", "members", "parent")

    def __init__(
        self, key: str, members: Iterable[WorkingOrder], parent: WorkingOrder | None = None
    ) -> None:
        self.key: str = key
        self.members: list[WorkingOrder] = list(members)
        self.parent: WorkingOrder | None = parent
        self.is_released: bool = parent is None
        self.is_settling: bool = False

    def join(self, order: WorkingOrder) -> None:
        """Take one more order in."""
        order.group = self
        self.members.append(order)

    def sharing(self, order: WorkingOrder) -> list[WorkingOrder]:
        """Return the live members that share a hold with an order, itself included."""
        key = order.reserve_key
        return [member for member in self.members if member.is_live and member.reserve_key == key]

    def after_fill(self, life: Lifecycle, order: WorkingOrder, quantity: Decimal) -> None:
        """Take what filled off the others, or cancel them all if the order is filled whole."""
        if order is self.parent:
            return
        is_whole = order.status is OrderStatus.FILLED
        self.is_settling = True
        for other in self._others(order):
            rest = None if other.quantity is None else subtract(other.quantity, quantity)
            is_elsewhere = other.symbol != order.symbol
            if is_whole or is_elsewhere or (rest is not None and rest <= other.filled_quantity):
                life.end(other, reason=f"{order.client_order_id} of the same group filled")
            elif rest is not None:
                life.resize(other, rest)
                life.restate(other)
        self.is_settling = False

    def after_end(self, life: Lifecycle, order: WorkingOrder) -> None:
        """Release the rest when the parent is filled; cancel it when a member just ends."""
        is_filled = order.status is OrderStatus.FILLED
        if order is self.parent and is_filled:
            self.release(life)
        elif not is_filled and not self.is_settling:
            for other in self._others(order):
                life.end(other, reason=f"{order.client_order_id} of the same group ended")
        if self.parent is None and not any(member.is_live for member in self.members):
            order.desk.groups.pop(self.key, None)

    def release(self, life: Lifecycle) -> None:
        """Let the rest work, each as far as the account can take it."""
        self.is_released = True
        taken: list[WorkingOrder] = []
        for member in self._others(self.parent):
            refusal = funds.refusal(member)
            if refusal is not None:
                text = funds.refusal_text(member, refusal)
                life.end(member, reason=f"the account can't take it now: {text}", code=refusal)
            elif member.is_live:
                taken.append(member)
                funds.hold(member, taken)
                life.release(member)

    def _others(self, order: WorkingOrder | None) -> list[WorkingOrder]:
        return [member for member in self.members if member.is_live and member is not order]
