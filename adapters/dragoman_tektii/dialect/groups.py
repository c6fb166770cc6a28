"""Groups of orders of which one cancels the others, kept here whatever the broker has.

A broker's own go by other rules: a member that is canceled by hand takes the others along, or fills
share one quantity. Here the members are orders of their own at the broker. Once one of them has
filled, or was refused, the others are canceled one by one: a fill in between is told as a double
exit.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from dragoman.errors import ConflictError, DragomanError, NotFoundError
from dragoman.models import OrderStatus
from dragoman.times import SECOND_NS

if TYPE_CHECKING:
    from dragoman.models import Order

    from .desks import Desk

__all__ = ["Groups", "group_of", "keeps_groups"]

_ENDING: Final = frozenset({OrderStatus.FILLED, OrderStatus.REJECTED})
_SAME: Final = "tektii"
"""The protocol that has the same groups."""
_ATTEMPTS: Final = 5
_PAUSE_NS: Final = SECOND_NS

_log: Final = logging.getLogger(__name__)


def keeps_groups(desk: Desk) -> bool:
    """Return whether groups are kept here: wherever the broker does not keep them as this does."""
    return desk.broker.capabilities.protocol != _SAME


def group_of(desk: Desk, order: Order) -> str | None:
    """Return the group of an order, the broker's own or one that is kept here."""
    return order.group_id or desk.naming.find(order.client_order_id).group


class Groups:
    """Cancels what is left of a group.

    Args:
        desk: The account.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def take(self, order: Order) -> None:
        """Take note of how an order stands; what follows is done beside."""
        if order.status not in _ENDING or order.group_id is not None:
            return
        group = group_of(self._desk, order)
        if group is None:
            return
        for other in self._desk.broker.state.open_orders:
            is_member = group_of(self._desk, other) == group
            if is_member and other.client_order_id != order.client_order_id:
                self._desk.host.scope.spawn(
                    self._cancel(other.client_order_id), f"cancel in group of {group}"
                )

    async def _cancel(self, name: str) -> None:
        for _ in range(_ATTEMPTS):
            try:
                await self._desk.broker.cancel(name)
            except (ConflictError, NotFoundError):  # it has ended by itself
                return
            except DragomanError as error:
                facts = {"order": name, "cause": error.message}
                _log.warning("a member of a group could not be canceled", extra=facts)
                await self._desk.host.clock.sleep_ns(_PAUSE_NS)
            else:
                return
