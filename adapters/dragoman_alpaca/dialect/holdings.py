"""What is held after each execution that is told: the broker may know of later ones by then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.money import ZERO, add, signed, subtract

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from dragoman.models import Fill, Side

    from .desks import Desk
    from .ledger import Told

__all__ = ["Holdings"]


class Holdings:
    """The positions of one account, as far as its executions were told."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._held: dict[str, Decimal] = {}

    def forget(self) -> None:
        """Start anew with the next news: some were not shown here."""
        self._held.clear()

    def after(self, news: Sequence[Told]) -> list[Decimal]:
        """Return the position after each piece of news, in its symbol; signed.

        It is what the broker holds by now, less what these executions and later ones moved. While
        the broker knows of more than was told, it is what was held last, and these.
        """
        state = self._desk.broker.state
        is_level = self._desk.ledger.sequence >= state.sequence
        for symbol, (side, quantity) in _moves(news).items():
            if is_level or symbol not in self._held:
                self._held[symbol] = subtract(state.worst_position(symbol, side), quantity)
        found: list[Decimal] = []
        for told in news:
            symbol = told.row.order.symbol
            if told.execution is not None:
                self._held[symbol] = add(self._held[symbol], _quantity(told.execution.fill))
            found.append(self._held.get(symbol, ZERO))
        return found


def _moves(news: Sequence[Told]) -> dict[str, tuple[Side, Decimal]]:
    """Return the side of the last execution in each symbol, and what all of them moved."""
    found: dict[str, tuple[Side, Decimal]] = {}
    for told in news:
        if told.execution is not None:
            fill, symbol = told.execution.fill, told.row.order.symbol
            _, before = found.get(symbol, (fill.side, ZERO))
            found[symbol] = fill.side, add(before, _quantity(fill))
    return found


def _quantity(fill: Fill) -> Decimal:
    return signed(fill.quantity, fill.side.sign)
