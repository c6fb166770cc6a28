"""What the mock venue can do, as data, for the settings it runs with.

It declares exactly what the engine takes: `tests/adapters/mock/test_capabilities.py` walks the
whole matrix both ways.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.capabilities import (
    Capabilities,
    ClientIdRule,
    ExitPart,
    KeepsPriority,
    OrderFeature,
    ReadFeature,
    ReplaceRule,
    Source,
    order_cells,
)
from dragoman.models.enums import (
    Channel,
    Contingency,
    InstrumentKind,
    OrderType,
    PriceSource,
    Support,
    TimeInForce,
)

if TYPE_CHECKING:
    from dragoman.capabilities import OrderCell
    from dragoman.paper.settings import VenueSettings

__all__ = ["mock_capabilities"]

_SOURCE: Final = Source("dragoman.paper, the engine itself", "2026-01-07")
_KINDS: Final = (
    InstrumentKind.SPOT,
    InstrumentKind.CFD,
    InstrumentKind.FUTURE,
    InstrumentKind.PERPETUAL,
    InstrumentKind.OPTION,
)
_PLAIN: Final = (OrderType.MARKET, OrderType.LIMIT)
_ANY_TIME: Final = tuple(time for time in TimeInForce if time is not TimeInForce.UNKNOWN)
_TRIGGERED: Final = (
    OrderType.STOP,
    OrderType.STOP_LIMIT,
    OrderType.MARKET_IF_TOUCHED,
    OrderType.LIMIT_IF_TOUCHED,
)
_SOURCES: Final = frozenset(PriceSource) - {PriceSource.UNKNOWN}
_TRAILING: Final = (OrderType.TRAILING_STOP, OrderType.TRAILING_STOP_LIMIT)
_NO_AUCTION: Final = tuple(
    time for time in _ANY_TIME if time not in (TimeInForce.OPG, TimeInForce.CLS)
)
_LIST_FEATURES: Final = frozenset({OrderFeature.GROUP})
_REPLACEABLE: Final = frozenset({"quantity", "limit_price", "stop_price", "expires_at_ns"})


def mock_capabilities(settings: VenueSettings) -> Capabilities:
    """Return what a venue with these settings offers."""
    return Capabilities(
        protocol="mock",
        source=_SOURCE,
        orders=_cells(settings),
        features=_features(settings),
        exits=_exits(settings),
        lists=_lists(settings),
        triggers=_SOURCES,
        pegs=_SOURCES,
        reads=frozenset(ReadFeature),
        streams=frozenset(Channel),
        client_ids=ClientIdRule(),
        replace=_replace(settings),
        default_time_in_force=TimeInForce.DAY,
        default_trigger=PriceSource.LAST,
        max_open_orders=settings.max_open_orders,
    )


def _cells(settings: VenueSettings) -> tuple[OrderCell, ...]:
    cells = order_cells(_KINDS, _PLAIN, _ANY_TIME) + order_cells(_KINDS, _TRIGGERED, _NO_AUCTION)
    if settings.native_trailing:
        cells += order_cells(_KINDS, _TRAILING, _NO_AUCTION)
    return cells


def _features(settings: VenueSettings) -> dict[OrderFeature, Support]:
    missing = frozenset[OrderFeature]() if settings.native_lists else _LIST_FEATURES
    if not settings.native_trailing:
        missing |= {OrderFeature.ACTIVATION_PRICE}
    return {feature: Support.NATIVE for feature in OrderFeature if feature not in missing}


def _exits(settings: VenueSettings) -> dict[ExitPart, Support]:
    if not settings.native_exits:
        return {}
    missing = frozenset[ExitPart]() if settings.native_trailing else {ExitPart.TRAILING}
    return {part: Support.NATIVE for part in ExitPart if part not in missing}


def _lists(settings: VenueSettings) -> dict[Contingency, Support]:
    kinds = Contingency if settings.native_lists else (Contingency.NONE,)
    return dict.fromkeys(kinds, Support.NATIVE)


def _replace(settings: VenueSettings) -> ReplaceRule:
    fields = _REPLACEABLE
    if settings.native_trailing:
        fields |= {"trailing"}
    if settings.native_exits:
        fields |= {"stop_loss", "take_profit"}
    return ReplaceRule(
        fields=fields,
        keeps_venue_id=settings.replace_keeps_id,
        keeps_priority=KeepsPriority.WHEN_QUANTITY_FALLS,
        is_atomic=True,
    )
