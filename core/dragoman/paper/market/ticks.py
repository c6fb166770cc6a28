"""One instrument's made-up market: the ticks that a price path and a profile give."""

from __future__ import annotations

from decimal import Decimal
from hashlib import shake_128
from typing import TYPE_CHECKING, Final

from dragoman.models import InstrumentKind, Side
from dragoman.money import multiply
from dragoman.times import DAY_NS

from .feed import MarketTick
from .links import OwnPrice, PerpetualLink

if TYPE_CHECKING:
    from dragoman.models import Instrument

    from .bridge import Node
    from .links import Link
    from .path import PricePath
    from .profile import MarketProfile

__all__ = ["SimulatedMarket"]

_MOST_KEPT: Final = 8_192


class _Multiples(dict[int, Decimal]):
    """Exact multiples of a unit, remembered: a market's prices and sizes come again and again."""

    def __init__(self, unit: Decimal) -> None:
        super().__init__()
        self._unit = unit

    def __missing__(self, count: int) -> Decimal:
        if len(self) >= _MOST_KEPT:
            self.clear()
        found = self[count] = multiply(self._unit, Decimal(count))
        return found


class SimulatedMarket:
    """The ticks of one instrument.

    Each slot of the path is a tick: a quote, and at most one print. A print by a buyer is at the
    ask, one by a seller at the bid. Where the spread does not fit above zero there is no bid, only
    an offer, unless negative prices are allowed.
    """

    def __init__(
        self,
        instrument: Instrument,
        profile: MarketProfile,
        *,
        path: PricePath,
        path_tick: Decimal,
        tick: Decimal,
        link: Link | None = None,
        key: str,
        offset_ns: int,
        step_ns: int,
    ) -> None:
        self.instrument = instrument
        self.path = path
        self._profile = profile
        self._link = link or OwnPrice()
        self._key = key
        self._offset_ns = offset_ns
        self._step_ns = step_ns
        self._path_prices = _Multiples(path_tick)
        self._prices = _Multiples(tick)
        self._sizes = _Multiples(profile.lot)

    def node_prices(self, node: Node) -> tuple[Decimal, Decimal, Decimal, Decimal]:
        """Return the open, high, low and close of the prints in a node of the path."""
        rule = self._link.on(node.start_ns // DAY_NS)
        opening, high, low, closing = map(rule, node[2:6])
        ticks = (opening, max(high, low), min(high, low), closing)
        first, top, bottom, last = map(self._prices.__getitem__, ticks)
        return first, top, bottom, last

    def volume(self, lots: int) -> Decimal:
        """Return the size of so many lots of the path's volume."""
        return multiply(self._profile.lot, Decimal(lots))

    def ticks(self, minute_ns: int) -> list[MarketTick]:
        """Return the ticks of the minute that begins at `minute_ns`, in time order."""
        minute = self.path.minute(minute_ns)
        rule = self._link.on(minute_ns // DAY_NS)
        noise = shake_128(f"{self._key}|{minute_ns}".encode()).digest(3 * len(minute.prices))
        start_ns, step_ns = minute_ns + self._offset_ns, self._step_ns
        return [
            self._tick_of(
                start_ns + slot * step_ns, (rule(at), at, lots), noise[3 * slot : 3 * slot + 3]
            )
            for slot, (at, lots) in enumerate(zip(minute.prices, minute.lots, strict=True))
        ]

    def _tick_of(self, time_ns: int, slot: tuple[int, int, int], noise: bytes) -> MarketTick:
        at, path_at, lots = slot
        kind, bid_noise, ask_noise = noise
        width = self._profile.spread_ticks + (kind < 64)
        has_bid = at > width or self.instrument.allows_negative_price
        is_bought = bool(kind & 1) or not has_bid
        bid = at - width if is_bought else at
        mark, index = self._mark(at, path_at)
        return MarketTick(
            time_ns,
            self.instrument.symbol,
            self._prices[bid] if has_bid else None,
            self._sizes[self._quoted(bid_noise)] if has_bid else None,
            self._prices[at if is_bought else at + width],
            self._sizes[self._quoted(ask_noise)],
            self._prices[at] if lots else None,
            self._sizes[lots] if lots else None,
            (Side.BUY if is_bought else Side.SELL) if lots else None,
            mark,
            index,
        )

    def _mark(self, at: int, path_at: int) -> tuple[Decimal | None, Decimal | None]:
        """Return mark and index price of a perpetual: half-way from print to spot, and spot."""
        if self.instrument.kind is not InstrumentKind.PERPETUAL:
            return None, None
        if not isinstance(self._link, PerpetualLink):
            return self._prices[at], self._prices[at]
        mark = (at + self._link.index(path_at)) // 2
        return self._prices[mark], self._path_prices[path_at]

    def _quoted(self, noise: int) -> int:
        return 1 + self._profile.usual_lots * (noise + 16) // 144
