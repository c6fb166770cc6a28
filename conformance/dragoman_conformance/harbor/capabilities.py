"""What harbor declares."""

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
    protocol="harbor",
    source=Source("dragoman_conformance.harbor.venue", "2026-01-07"),
    orders=order_cells(
        [InstrumentKind.SPOT], [OrderType.MARKET, OrderType.LIMIT], [TimeInForce.GTC]
    ),
    features={
        OrderFeature.CANCEL_ALL: Support.EMULATED,
        OrderFeature.REDUCE_ONLY: Support.NATIVE,
    },
    reads=frozenset(
        {
            ReadFeature.ACCOUNT,
            ReadFeature.INSTRUMENTS,
            ReadFeature.ORDER_HISTORY,
            ReadFeature.POSITIONS,
            ReadFeature.FILLS,
        }
    ),
    streams=frozenset({Channel.ORDERS, Channel.POSITIONS}),
    client_ids=ClientIdRule(pattern=r"[!-~]{1,64}", visibility_delay_s=2.0),
    replace=ReplaceRule(fields=frozenset({"quantity", "limit_price"})),
    default_time_in_force=TimeInForce.GTC,
)
