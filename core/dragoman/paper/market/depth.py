"""Levels behind the top of the book, made up from the top alone: same tick, same ladder."""

from __future__ import annotations

from decimal import Decimal
from hashlib import shake_128
from typing import TYPE_CHECKING, Final

from dragoman.models import Level, Side
from dragoman.money import Rounding, add, multiply, round_to_step, trimmed

if TYPE_CHECKING:
    from dragoman.models import Instrument

    from .feed import MarketTick

__all__ = ["ladder"]

_USUAL_TICK: Final = Decimal("0.01")
_PERCENT: Final = Decimal("0.01")


def ladder(
    tick: MarketTick, instrument: Instrument, levels: int, seed: int
) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
    """Return at most `levels` prices a side, (bids, asks), best first.

    The first level of a side is the tick's own top. Behind it prices step away by one to three
    ticks and sizes grow, on average, with the distance. A side without a top has no levels; bids
    end above 0 unless the instrument allows negative prices. Prices are on the instrument's tick,
    sizes multiples of its lot.
    """
    noise = {
        side: shake_128(f"{seed}|{tick.symbol}|{tick.time_ns}|{side}".encode()).digest(2 * levels)
        for side in Side
    }
    bids = _side(instrument, Side.BUY, (tick.bid_price, tick.bid_size), noise[Side.BUY])
    asks = _side(instrument, Side.SELL, (tick.ask_price, tick.ask_size), noise[Side.SELL])
    return bids, asks


def _side(
    instrument: Instrument, side: Side, top: tuple[Decimal | None, Decimal | None], noise: bytes
) -> tuple[Level, ...]:
    price, size = top
    if price is None or size is None or not noise:
        return ()
    found = [Level(price, size)]
    for distance in range(1, len(noise) // 2):
        step, growth = noise[2 * distance], noise[2 * distance + 1]
        price = _away(instrument, price, 1 + step % 3, side)
        if price <= 0 and not instrument.allows_negative_price:
            break
        percent = 40 + growth // 2 + 12 * min(distance, 10)
        found.append(Level(price, _scaled(instrument, size, percent)))
    return tuple(found)


def _away(instrument: Instrument, price: Decimal, ticks: int, side: Side) -> Decimal:
    """Move a price away from the middle, landing on the tick that holds where it arrives."""
    step = instrument.tick_at(price) or _USUAL_TICK
    moved = add(price, multiply(step, Decimal(-side.sign * ticks)))
    landing = instrument.tick_at(moved) or _USUAL_TICK
    return round_to_step(moved, landing, Rounding.FLOOR if side is Side.BUY else Rounding.CEILING)


def _scaled(instrument: Instrument, size: Decimal, percent: int) -> Decimal:
    lot = instrument.lot_size or size
    scaled = multiply(multiply(size, Decimal(percent)), _PERCENT)
    return trimmed(max(round_to_step(scaled, lot, Rounding.DOWN), lot))
