"""What beacon can do, as data."""

from __future__ import annotations

from typing import Final

from dragoman.capabilities import (
    Capabilities,
    ClientIdRule,
    ExitPart,
    OrderFeature,
    ReadFeature,
    ReplaceRule,
    Source,
    order_cells,
)
from dragoman.models import Channel, InstrumentKind, OrderType, Support, TimeInForce

__all__ = ["CAPABILITIES"]

CAPABILITIES: Final = Capabilities(
    protocol="beacon",
    source=Source("dragoman_conformance.references.beacon.dialect", "2026-11-20"),
    orders=order_cells(
        [InstrumentKind.SPOT, InstrumentKind.CFD],
        [
            OrderType.MARKET,
            OrderType.LIMIT,
            OrderType.STOP,
            OrderType.MARKET_IF_TOUCHED,
            OrderType.TRAILING_STOP,
        ],
        [TimeInForce.GTC, TimeInForce.GTD, TimeInForce.IOC, TimeInForce.FOK],
    ),
    features={
        OrderFeature.REDUCE_ONLY: Support.NATIVE,
        OrderFeature.TAG: Support.NATIVE,
        OrderFeature.CANCEL_ALL: Support.EMULATED,
    },
    exits=dict.fromkeys(
        (ExitPart.STOP_LOSS, ExitPart.TAKE_PROFIT, ExitPart.BRACKET), Support.NATIVE
    ),
    reads=frozenset(
        {
            ReadFeature.ACCOUNT,
            ReadFeature.INSTRUMENTS,
            ReadFeature.ORDER_HISTORY,
            ReadFeature.POSITIONS,
            ReadFeature.FILLS,
            ReadFeature.QUOTES,
        }
    ),
    streams=frozenset({Channel.ORDERS, Channel.POSITIONS, Channel.ACCOUNT, Channel.QUOTES}),
    client_ids=ClientIdRule(visibility_delay_s=1.0),
    replace=ReplaceRule(
        fields=frozenset({"quantity", "limit_price", "stop_price", "trailing", "expires_at_ns"}),
        keeps_venue_id=False,
    ),
    default_time_in_force=TimeInForce.GTC,
)
"""Everything that beacon takes; what is not here is refused before a byte is sent."""
