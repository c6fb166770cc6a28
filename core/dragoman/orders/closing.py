"""Closing a position: which one is meant, and the order that closes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.capabilities import OrderFeature
from dragoman.errors import InvalidOrderError, NotFoundError, Outcome, Violation
from dragoman.models.enums import OrderType, PositionEffect, Side, Support
from dragoman.models.request import OrderRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dragoman.capabilities import Capabilities
    from dragoman.models import Amount, OrderOptions, Position

__all__ = ["closing_order", "find_position"]


def find_position(positions: Sequence[Position], target: Position | str) -> Position:
    """Return the open position that is meant: itself, by its id, or by a symbol that has just one.

    Raises:
        NotFoundError: There is no such position (NOT_SENT).
        InvalidOrderError: The symbol has several (NOT_SENT).
    """
    name = target if isinstance(target, str) else target.position_id
    found = [one for one in positions if one.position_id == name]
    if isinstance(target, str):
        found = found or [one for one in positions if one.symbol == name]
    elif not found:
        return target
    if len(found) > 1:
        allowed = f"one of the positions {', '.join(one.position_id for one in found)}"
        raise InvalidOrderError.of("close", [Violation.of("position", name, allowed)])
    if not found:
        raise NotFoundError(f"no open position {name!r}", outcome=Outcome.NOT_SENT)
    return found[0]


def closing_order(
    position: Position,
    quantity: Amount | None,
    capabilities: Capabilities,
    options: OrderOptions,
) -> OrderRequest:
    """Return the market order that closes a position, or part of it, and can do nothing else."""
    options.setdefault("position_effect", PositionEffect.CLOSE)
    if capabilities.feature(OrderFeature.POSITION_ID) is not Support.NONE:
        options.setdefault("position_id", position.position_id)
    return OrderRequest(
        symbol=position.symbol,
        side=Side.SELL if position.quantity > 0 else Side.BUY,
        order_type=OrderType.MARKET,
        quantity=position.quantity.copy_abs() if quantity is None else quantity,
        **options,
    )
