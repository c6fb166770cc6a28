"""Exchange rates out of the marks of instruments, where a chain of them is known."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from dragoman.models import InstrumentKind
from dragoman.money import divide, multiply

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from dragoman.models import Instrument

__all__ = ["Rates"]

_PRICING: Final = (InstrumentKind.SPOT, InstrumentKind.CFD, InstrumentKind.PERPETUAL)


class Rates:
    """Converts amounts through marks above 0 of instruments that price one currency in another.

    The shortest chain wins; among equals spot before CFD before perpetual, then the order of the
    instruments. Dated contracts and options price no currency. `marks` is the account's own
    mapping, read live.
    """

    def __init__(self, instruments: Mapping[str, Instrument], marks: Mapping[str, Decimal]) -> None:
        self._marks = marks
        self._steps: dict[str, list[tuple[str, str, bool]]] = {}
        self._paths: dict[tuple[str, str], tuple[tuple[str, bool], ...] | None] = {}
        self.symbols: set[str] = set()
        for kind in _PRICING:
            for instrument in instruments.values():
                if instrument.kind is kind:
                    self._learn(instrument)

    def _learn(self, instrument: Instrument) -> None:
        base, quote = instrument.base, instrument.quote
        if base is None or base == quote:
            return
        self.symbols.add(instrument.symbol)
        self._steps.setdefault(base, []).append((quote, instrument.symbol, True))
        self._steps.setdefault(quote, []).append((base, instrument.symbol, False))

    def forget_paths(self) -> None:
        """Look for chains anew; due when a symbol gets its first mark, or another sign."""
        self._paths.clear()

    def convert(self, amount: Decimal, source: str, target: str) -> Decimal | None:
        """Return `amount` of `source` in `target`; None where no marks join them, but 0 is 0."""
        if source == target or not amount:
            return amount
        path = self._path(source, target)
        if path is None:
            return None
        for symbol, forward in path:
            mark = self._marks[symbol]
            amount = multiply(amount, mark) if forward else divide(amount, mark)
        return amount

    def _path(self, source: str, target: str) -> tuple[tuple[str, bool], ...] | None:
        key = source, target
        if key not in self._paths:
            self._paths[key] = self._search(source, target)
        return self._paths[key]

    def _search(self, source: str, target: str) -> tuple[tuple[str, bool], ...] | None:
        reached: dict[str, tuple[tuple[str, bool], ...]] = {source: ()}
        queue = deque([source])
        while queue:
            here = queue.popleft()
            for there, symbol, forward in self._steps.get(here, ()):
                mark = self._marks.get(symbol)
                if there in reached or mark is None or mark <= 0:
                    continue
                reached[there] = (*reached[here], (symbol, forward))
                if there == target:
                    return reached[there]
                queue.append(there)
        return None
