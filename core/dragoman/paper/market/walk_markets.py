"""From instruments to made-up markets: each price's path, its tick, and what it follows."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from dragoman.models import InstrumentKind, OptionRight
from dragoman.money import Rounding, is_multiple, round_to_step
from dragoman.times import MINUTE_NS

from .links import OptionLink, PerpetualLink
from .path import PathShape, PricePath
from .profile import default_profile
from .ticks import SimulatedMarket

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dragoman.models import Instrument

    from .links import Link
    from .profile import MarketProfile

__all__ = ["list_markets"]

_USUAL_TICK: Final = Decimal("0.01")
_FAR: Final = 10**15


def list_markets(
    instruments: Sequence[Instrument],
    profiles: Mapping[str, MarketProfile],
    *,
    seed: int,
    anchor_ns: int,
    step_ns: int,
) -> dict[str, SimulatedMarket]:
    """Return a market for each instrument, by symbol, in the order given.

    An option, and a perpetual, whose underlying is among the instruments follows it; everything
    else walks on its own, and so does a derivative of a derivative. Ticks of one step are spread
    evenly over it.
    """
    listing = _Listing(profiles, seed, anchor_ns, step_ns)
    by_symbol = {item.symbol: item for item in instruments}
    for place, item in enumerate(instruments):
        leader = by_symbol.get(item.underlying or "")
        offset_ns = place * step_ns // len(instruments)
        listing.add(item, leader if _follows(item, leader) else None, offset_ns)
    return listing.markets


def _follows(instrument: Instrument, leader: Instrument | None) -> bool:
    if leader is None or leader.kind not in {InstrumentKind.SPOT, InstrumentKind.CFD}:
        return False
    is_option = instrument.kind is InstrumentKind.OPTION and instrument.strike is not None
    return is_option or instrument.kind is InstrumentKind.PERPETUAL


class _Listing:
    def __init__(
        self, profiles: Mapping[str, MarketProfile], seed: int, anchor_ns: int, step_ns: int
    ) -> None:
        self.markets: dict[str, SimulatedMarket] = {}
        self._profiles = profiles
        self._seed = seed
        self._anchor_ns = anchor_ns
        self._step_ns = step_ns
        self._paths: dict[str, PricePath] = {}

    def add(self, instrument: Instrument, leader: Instrument | None, offset_ns: int) -> None:
        profile = self._profile(instrument)
        self.markets[instrument.symbol] = SimulatedMarket(
            instrument,
            profile,
            path=self._path(leader or instrument),
            path_tick=self._tick(leader or instrument),
            tick=self._tick(instrument),
            link=None if leader is None else self._link(instrument, leader),
            key=f"{self._seed}|{instrument.symbol}|quotes",
            offset_ns=offset_ns,
            step_ns=self._step_ns,
        )

    def _profile(self, instrument: Instrument) -> MarketProfile:
        return self._profiles.get(instrument.symbol) or default_profile(instrument)

    def _tick(self, instrument: Instrument) -> Decimal:
        """Return the tick where the price starts; its path stays where that tick is good."""
        return instrument.tick_at(self._profile(instrument).start_price) or _USUAL_TICK

    def _path(self, instrument: Instrument) -> PricePath:
        found = self._paths.get(instrument.symbol)
        if found is None:
            shape = self._shape(instrument)
            found = PricePath(f"{self._seed}|{instrument.symbol}", self._anchor_ns, shape)
            self._paths[instrument.symbol] = found
        return found

    def _shape(self, instrument: Instrument) -> PathShape:
        profile, tick = self._profile(instrument), self._tick(instrument)
        slots = MINUTE_NS // self._step_ns
        floor, ceiling = _bounds(instrument, tick, profile)
        start = _whole(profile.start_price, tick, Rounding.DOWN)
        prints = min(slots, max(4, slots // 3))
        return PathShape(
            start=min(max(start, floor), ceiling),
            floor=floor,
            ceiling=ceiling,
            is_additive=instrument.allows_negative_price,
            daily_volatility_ppm=int(profile.daily_volatility.scaleb(6)),
            slots=slots,
            prints=prints,
            lots=prints * max(1, profile.usual_lots // 2),
        )

    def _link(self, instrument: Instrument, leader: Instrument) -> Link:
        if instrument.kind is InstrumentKind.PERPETUAL:
            key = f"{self._seed}|{instrument.symbol}"
            return PerpetualLink(key, self._tick(leader), self._tick(instrument))
        return OptionLink(
            instrument.option_right or OptionRight.CALL,
            underlying_tick=self._tick(leader),
            tick=self._tick(instrument),
            strike=instrument.strike or Decimal(0),
            expires_at_ns=instrument.expires_at_ns or _FAR,
            daily_volatility=self._profile(leader).daily_volatility,
        )


def _bounds(instrument: Instrument, tick: Decimal, profile: MarketProfile) -> tuple[int, int]:
    """Return the lowest and highest price, in ticks, whose quotes stay on a good tick."""
    room = profile.spread_ticks + 1
    floor, ceiling = -_FAR if instrument.allows_negative_price else 1 + room, _FAR
    for from_price, band_tick in instrument.tick_bands:
        if from_price > profile.start_price:
            if not is_multiple(tick, band_tick):
                return floor, _whole(from_price, tick, Rounding.DOWN) - room
        elif not _is_good_below(instrument, from_price, tick):
            floor = _whole(from_price, tick, Rounding.UP) + room
    return floor, ceiling


def _is_good_below(instrument: Instrument, from_price: Decimal, tick: Decimal) -> bool:
    below = [band_tick for start, band_tick in instrument.tick_bands if start < from_price]
    return all(is_multiple(tick, one) for one in below)


def _whole(price: Decimal, tick: Decimal, rounding: Rounding) -> int:
    return int(round_to_step(price, tick, rounding) / tick)
