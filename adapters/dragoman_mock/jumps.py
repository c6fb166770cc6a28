"""A feed whose prices can be made to jump by a percentage, from an instant on."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from dragoman.money import Rounding, add, divide, format_decimal, multiply, round_to_step

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dragoman.models import Instrument, Window
    from dragoman.paper.market.feed import Feed, MarketTick
    from dragoman.paper.market.history import HistoricalFeed

__all__ = ["JumpingFeed"]

_HUNDRED: Final = Decimal(100)
_ONE: Final = Decimal(1)


class _Jump(NamedTuple):
    after_ns: int
    factor: Decimal


class JumpingFeed:
    """Passes on the ticks of `feed`, each at its price times the jumps of its symbol before it.

    A bid is rounded down to the tick, an ask up, any other price to the nearest; what would not be
    above 0 is left out, unless the instrument allows negative prices.
    """

    def __init__(self, feed: Feed, instruments: Mapping[str, Instrument]) -> None:
        self._feed = feed
        self._instruments = instruments
        self._jumps: dict[str, list[_Jump]] = {}

    def jump(self, symbol: str, percent: Decimal, after_ns: int) -> None:
        """Move the symbol's prices by `percent` in every tick later than `after_ns`."""
        factor = divide(add(_HUNDRED, percent), _HUNDRED)
        self._jumps.setdefault(symbol, []).append(_Jump(after_ns, factor))

    def history(self, symbol: str) -> HistoricalFeed:
        """Return what the symbol's past is read from: the feed itself unless the symbol jumped."""
        return cast("HistoricalFeed", self if symbol in self._jumps else self._feed)

    @property
    def symbols(self) -> frozenset[str]:
        """The symbols this feed prices."""
        return self._feed.symbols

    def next_event_ns(self) -> int | None:
        """Return when the next tick is due; None when no more will come."""
        return self._feed.next_event_ns()

    def take(self, to_ns: int) -> Sequence[MarketTick]:
        """Return, once, every tick due up to and including `to_ns`, in time order."""
        ticks = self._feed.take(to_ns)
        return [self._moved(tick) for tick in ticks] if self._jumps else ticks

    def skip_to(self, instant_ns: int) -> None:
        """Jump over a long pause: the next tick is due after `instant_ns`."""
        self._feed.skip_to(instant_ns)

    def ticks(self, symbol: str, window: Window, now_ns: int) -> Iterator[MarketTick]:
        """Yield the symbol's ticks in the window up to and including `now_ns`, oldest first."""
        past = cast("HistoricalFeed", self._feed)
        return map(self._moved, past.ticks(symbol, window, now_ns))

    def state(self) -> dict[str, object]:
        """Return what is needed to go on later from here, as plain JSON data."""
        jumps = {
            symbol: [[jump.after_ns, format_decimal(jump.factor)] for jump in jumps]
            for symbol, jumps in self._jumps.items()
        }
        return {"feed": self._feed.state(), "jumps": jumps}

    def restore(self, state: dict[str, object]) -> None:
        """Go on from a `state` of a feed made alike."""
        self._feed.restore(cast("dict[str, object]", state["feed"]))
        jumps = cast("dict[str, list[tuple[int, str]]]", state["jumps"])
        self._jumps = {
            symbol: [_Jump(after_ns, Decimal(factor)) for after_ns, factor in rows]
            for symbol, rows in jumps.items()
        }

    def _moved(self, tick: MarketTick) -> MarketTick:
        factor = _ONE
        for jump in self._jumps.get(tick.symbol, ()):
            if tick.time_ns > jump.after_ns:
                factor = multiply(factor, jump.factor)
        if factor == _ONE:
            return tick
        instrument = self._instruments[tick.symbol]

        def moved(price: Decimal | None, rounding: Rounding) -> Decimal | None:
            return None if price is None else _scaled(price, factor, instrument, rounding)

        return tick._replace(
            bid_price=moved(tick.bid_price, Rounding.FLOOR),
            ask_price=moved(tick.ask_price, Rounding.CEILING),
            last_price=moved(tick.last_price, Rounding.NEAREST),
            mark_price=moved(tick.mark_price, Rounding.NEAREST),
            index_price=moved(tick.index_price, Rounding.NEAREST),
        )


def _scaled(
    price: Decimal, factor: Decimal, instrument: Instrument, rounding: Rounding
) -> Decimal | None:
    exact = multiply(price, factor)
    tick = instrument.tick_at(exact)
    moved = exact if tick is None else round_to_step(exact, tick, rounding)
    return moved if moved > 0 or instrument.allows_negative_price else None
