"""What wharf can do, as data."""

from __future__ import annotations

import re
from typing import Final

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
from dragoman.models import Channel, Contingency, InstrumentKind, OrderType, Support, TimeInForce

__all__ = ["CAPABILITIES", "CLIENT_ID", "is_client_id"]

CLIENT_ID: Final = r"[A-Za-z0-9_-]{1,36}"
"""What wharf takes as a client's own id of an order."""
_CLIENT_ID: Final = re.compile(CLIENT_ID)

_TIMES: Final = (
    TimeInForce.DAY,
    TimeInForce.GTC,
    TimeInForce.IOC,
    TimeInForce.FOK,
    TimeInForce.GTD,
)

CAPABILITIES: Final = Capabilities(
    protocol="wharf",
    source=Source("dragoman_conformance.references.wharf.wire", "2026-11-20"),
    orders=order_cells(
        (
            InstrumentKind.SPOT,
            InstrumentKind.CFD,
            InstrumentKind.FUTURE,
            InstrumentKind.PERPETUAL,
        ),
        (
            OrderType.MARKET,
            OrderType.LIMIT,
            OrderType.STOP,
            OrderType.STOP_LIMIT,
            OrderType.TRAILING_STOP,
            OrderType.MARKET_IF_TOUCHED,
            OrderType.LIMIT_IF_TOUCHED,
        ),
        _TIMES,
    ),
    features={
        OrderFeature.POST_ONLY: Support.NATIVE,
        OrderFeature.REDUCE_ONLY: Support.NATIVE,
        OrderFeature.DISPLAY_QUANTITY: Support.NATIVE,
        OrderFeature.TAG: Support.NATIVE,
        OrderFeature.CANCEL_ALL: Support.EMULATED,
    },
    exits=dict.fromkeys(
        (ExitPart.STOP_LOSS, ExitPart.TAKE_PROFIT, ExitPart.BRACKET, ExitPart.STOP_LIMIT),
        Support.NATIVE,
    ),
    lists={Contingency.OCO: Support.NATIVE},
    reads=frozenset(
        {
            ReadFeature.ACCOUNT,
            ReadFeature.INSTRUMENTS,
            ReadFeature.ORDER_HISTORY,
            ReadFeature.POSITIONS,
            ReadFeature.FILLS,
            ReadFeature.QUOTES,
            ReadFeature.BARS,
            ReadFeature.TRADES,
        }
    ),
    streams=frozenset(
        {
            Channel.ORDERS,
            Channel.POSITIONS,
            Channel.ACCOUNT,
            Channel.QUOTES,
            Channel.TRADES,
            Channel.BARS,
        }
    ),
    bar_timeframes=frozenset({"1m", "5m", "15m", "1h", "1d"}),
    client_ids=ClientIdRule(pattern=CLIENT_ID, visibility_delay_s=1.0),
    replace=ReplaceRule(
        fields=frozenset({"quantity", "limit_price", "stop_price", "trailing", "expires_at_ns"}),
        keeps_priority=KeepsPriority.WHEN_QUANTITY_FALLS,
    ),
    default_time_in_force=TimeInForce.DAY,
    max_list_size=2,
)


def is_client_id(text: str) -> bool:
    """Tell whether wharf takes a text as a client's id of an order."""
    return _CLIENT_ID.fullmatch(text) is not None
