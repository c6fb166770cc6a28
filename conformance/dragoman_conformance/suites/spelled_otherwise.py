"""Symbols that are nearly right: what is spelled otherwise is another instrument, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.errors import DragomanError

from ..looks.bare import bare
from ..scenario import Need, scenario

if TYPE_CHECKING:
    from ..play import Play


@scenario("INS-040", needs=(Need.VENUE,))
async def a_symbol_is_not_found_by_half_of_it(play: Play) -> None:
    """The sample is looked up in another case, without its end, and with more behind it."""
    async with bare(play, streams=False) as subject:
        right = await subject.adapter.fetch_instrument(play.symbol)
        play.equal("INS-040", play.symbol, right.symbol, f"what is found as {play.symbol!r}")
        for name in _near(play.symbol):
            try:
                found = await subject.adapter.fetch_instrument(name)
            except DragomanError:
                continue
            names = (found.symbol, *found.aliases)
            play.check("INS-040", name in names, f"{name!r} finds {found.symbol!r}, called {names}")


def _near(symbol: str) -> list[str]:
    """Return spellings that are like a symbol, and none."""
    found = (symbol.lower(), symbol.swapcase(), symbol[:-1], symbol[1:], f"{symbol}Q")
    return [one for one in dict.fromkeys(found) if one not in ("", symbol)]
