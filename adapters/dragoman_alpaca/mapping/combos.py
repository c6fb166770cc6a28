"""The symbol of a combination: a function of its legs, since the venue gives it none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.ids import stable_id
from dragoman.money import format_decimal, trimmed

from .words import SIDES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dragoman_alpaca.wire.trading import OrderRow

    from .reading import SymbolBook

__all__ = ["combo_symbol"]

_LONGEST: Final = 128
_SIGNS: Final = {1: "+", -1: "-"}


def combo_symbol(legs: Iterable[OrderRow], symbols: SymbolBook) -> str | None:
    """Return the symbol of a combination, such as "+3*AAPL241213C00250000-1*AAPL241213C00260000".

    The legs stand in the order of their symbols, so whoever lists them, in any order, gets the
    same. None if a leg does not say what it is, or there is none.
    """
    parts: list[tuple[str, str]] = []
    for leg in legs:
        side = SIDES.get(leg.side or "")
        if side is None or not leg.symbol:
            return None
        ratio = "1" if leg.ratio_qty is None else format_decimal(trimmed(leg.ratio_qty))
        symbol = symbols.symbol_of(leg.symbol)
        parts.append((symbol, f"{_SIGNS[side.sign]}{ratio}*{symbol}"))
    text = "".join(part for _, part in sorted(parts))
    if not text:
        return None
    return text if len(text) <= _LONGEST else f"combo:{stable_id(text)}"
