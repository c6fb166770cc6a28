"""What can be ordered: the cells a subject declares, and terms for each that rest or trade."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from dragoman.errors import UnsupportedError
from dragoman.models import Offset, OffsetUnit, OrderType, Support, TimeInForce
from dragoman.times import HOUR_NS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dragoman.capabilities import Capabilities, ExitPart, OrderCell, OrderFeature
    from dragoman.models import Contingency, Instrument, Order, OrderFields, Side

    from ..play import Play

__all__ = [
    "beyond_means",
    "cells_of",
    "changes",
    "distance",
    "has_exit",
    "has_feature",
    "has_list",
    "on_tick",
    "resting",
    "rests",
    "send_resting",
    "takes",
    "trades",
]

_UNITS: Final = (OffsetUnit.PRICE, OffsetUnit.PERCENT)
_NEAR: Final = Decimal("0.2037")
_FAR: Final = Decimal("0.2513")
_MANY_TIMES: Final = 1_000_000


def takes(
    capabilities: Capabilities, order_type: OrderType, time_in_force: TimeInForce | None = None
) -> bool:
    """Tell whether orders of a type, and of a time in force, are declared for any instrument."""
    return any(
        cell.order_type is order_type and time_in_force in (None, cell.time_in_force)
        for cell in capabilities.orders
        if cell.support is not Support.NONE
    )


def rests(capabilities: Capabilities) -> bool:
    """Tell whether limit orders are declared."""
    return takes(capabilities, OrderType.LIMIT)


def trades(capabilities: Capabilities) -> bool:
    """Tell whether market orders are declared."""
    return takes(capabilities, OrderType.MARKET)


def has_feature(capabilities: Capabilities, feature: OrderFeature) -> bool:
    """Tell whether a feature is declared."""
    return capabilities.feature(feature) is not Support.NONE


def has_exit(capabilities: Capabilities, part: ExitPart) -> bool:
    """Tell whether a form of exit is declared."""
    return capabilities.exit(part) is not Support.NONE


def has_list(capabilities: Capabilities, contingency: Contingency) -> bool:
    """Tell whether lists of a contingency are declared."""
    return capabilities.list(contingency) is not Support.NONE


def changes(capabilities: Capabilities, *names: str) -> bool:
    """Tell whether a replace of each of these fields is declared."""
    return capabilities.replace.fields.issuperset(names)


def cells_of(capabilities: Capabilities, instrument: Instrument) -> tuple[OrderCell, ...]:
    """Return the cells that are declared for an instrument, and that it takes itself."""
    return tuple([cell for cell in capabilities.orders if _is_taken(cell, instrument)])


def _is_taken(cell: OrderCell, instrument: Instrument) -> bool:
    types, times = instrument.order_types, instrument.times_in_force
    return (
        cell.kind is instrument.kind
        and cell.support is not Support.NONE
        and (types is None or cell.order_type in types)
        and (times is None or cell.time_in_force in times)
    )


def on_tick(play: Play, price: Decimal) -> Decimal:
    """Return the price on the venue's tick next below, so near it."""
    tick = play.venue.instrument(play.symbol).tick_size
    return price if tick is None else price // tick * tick


def resting(
    play: Play,
    order_type: OrderType,
    side: Side,
    time_in_force: TimeInForce | None = None,
    *,
    unit: OffsetUnit = OffsetUnit.PRICE,
) -> OrderFields:
    """Return terms of an order that does not trade where the market stands.

    A trailing one keeps a tenth of the price away, said in `unit`; see `send_resting`.

    Market orders have no such terms: those of them that are no auction's trade at once. Every price
    of the order is another, so that none can stand for another.
    """
    terms = play.terms(side=side, order_type=order_type, time_in_force=time_in_force)
    if time_in_force is TimeInForce.GTD:
        terms["expires_at_ns"] = play.clock.now_ns() + 6 * HOUR_NS
    return terms | _prices(play, order_type, side, unit)


def _prices(play: Play, order_type: OrderType, side: Side, unit: OffsetUnit) -> OrderFields:
    price, sign = play.subject.sample.price, side.sign
    trailing, behind = distance(play, 10, unit), distance(play, 1, unit)
    worse = on_tick(play, price * (1 + sign * _NEAR))
    worst = on_tick(play, price * (1 + sign * _FAR))
    better = on_tick(play, price * (1 - sign * _NEAR))
    best = on_tick(play, price * (1 - sign * _FAR))
    prices: dict[OrderType, OrderFields] = {
        OrderType.LIMIT: {"limit_price": best},
        OrderType.STOP: {"stop_price": worse},
        OrderType.STOP_LIMIT: {"stop_price": worse, "limit_price": worst},
        OrderType.MARKET_IF_TOUCHED: {"stop_price": better},
        OrderType.LIMIT_IF_TOUCHED: {"stop_price": better, "limit_price": best},
        OrderType.TRAILING_STOP: {"trailing": trailing},
        OrderType.TRAILING_STOP_LIMIT: {"trailing": trailing, "limit_offset": behind},
    }
    return prices.get(order_type, {})


def distance(play: Play, percent: int, unit: OffsetUnit) -> Offset:
    """Return so many hundredths of the sample's price as a distance, in price or in percent."""
    if unit is OffsetUnit.PERCENT:
        return Offset(Decimal(percent), unit)
    return Offset(on_tick(play, play.subject.sample.price * percent / 100), OffsetUnit.PRICE)


async def send_resting(
    play: Play,
    submit: Callable[[OrderFields], Awaitable[Order]],
    order_type: OrderType,
    side: Side,
    time_in_force: TimeInForce | None = None,
) -> tuple[OrderFields, Order]:
    """Submit an order of `resting` terms, and return these and the order.

    Which units of a distance a venue takes is not declared: it takes price or percent.

    Raises:
        UnsupportedError: It takes neither.
    """
    for unit in _UNITS:
        terms = resting(play, order_type, side, time_in_force, unit=unit)
        try:
            return terms, await submit(terms)
        except UnsupportedError:
            if unit is _UNITS[-1] or "trailing" not in terms:
                raise
    raise LookupError("no unit is left")


async def beyond_means(play: Play) -> Decimal:
    """Return a quantity that no account of the stage can pay, though the instrument takes it."""
    instrument = await play.broker.instrument(play.symbol)
    much = play.subject.sample.quantity * _MANY_TIMES
    return much if instrument.max_quantity is None else min(much, instrument.max_quantity)
