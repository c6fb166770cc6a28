"""What ferry can do, as data."""

from __future__ import annotations

from typing import Final

from dragoman.capabilities import (
    Capabilities,
    ClientIdRule,
    OrderFeature,
    ReadFeature,
    ReplaceRule,
    Source,
    order_cells,
)
from dragoman.models import Channel, InstrumentKind, OrderType, Support, TimeInForce

__all__ = ["CAPABILITIES"]

CAPABILITIES: Final = Capabilities(
    protocol="ferry",
    source=Source("dragoman_conformance.references.ferry.dialect", "2026-11-20"),
    orders=order_cells(
        [InstrumentKind.SPOT],
        [OrderType.MARKET, OrderType.LIMIT, OrderType.STOP],
        [TimeInForce.DAY, TimeInForce.GTC],
    ),
    features={
        OrderFeature.REDUCE_ONLY: Support.NATIVE,
        OrderFeature.CANCEL_ALL: Support.EMULATED,
    },
    reads=frozenset(
        {
            ReadFeature.ACCOUNT,
            ReadFeature.INSTRUMENTS,
            ReadFeature.ORDER_HISTORY,
            ReadFeature.POSITIONS,
            ReadFeature.FILLS,
            ReadFeature.QUOTES,
            ReadFeature.BARS,
        }
    ),
    # There is no stream at the venue: orders and positions are asked for once a second.
    streams=frozenset({Channel.ORDERS, Channel.POSITIONS}),
    bar_timeframes=frozenset({"1m", "5m", "1h"}),
    # What is not of this form goes as a hash of it; see `names`.
    client_ids=ClientIdRule(pattern=r"[a-z0-9]{1,20}", visibility_delay_s=1.0),
    replace=ReplaceRule(
        fields=frozenset({"quantity", "limit_price", "stop_price"}),
        support=Support.EMULATED,
        keeps_venue_id=False,
        is_atomic=False,
    ),
    default_time_in_force=TimeInForce.DAY,
)
"""Everything that ferry takes; what is not here is refused before a byte is sent."""
