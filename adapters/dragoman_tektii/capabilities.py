"""What a Tektii gateway can be asked for, as data.

It is what the protocol has words for and gateways document. What the broker behind one gateway
lacks, that gateway refuses by its own error.
"""

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
    Uniqueness,
    order_cells,
)
from dragoman.models.enums import Channel, InstrumentKind, OrderType, Support, TimeInForce

from .mapping.words import TIMEFRAMES, TIMES_IN_FORCE

__all__ = ["CAPABILITIES", "CLIENT_ID"]

CLIENT_ID: Final = r"(?!(?:history|\.\.?)\Z)[!-~]{1,64}"
"""What a client order id may be, as a regular expression for the whole of it.

Some gateways address an order by it, and these few words would lead elsewhere.
"""

_KINDS: Final = (InstrumentKind.SPOT, InstrumentKind.FUTURE, InstrumentKind.PERPETUAL)
_TYPES: Final = (
    OrderType.MARKET,
    OrderType.LIMIT,
    OrderType.STOP,
    OrderType.STOP_LIMIT,
    OrderType.TRAILING_STOP,
)
_TIMES: Final = tuple(TIMES_IN_FORCE.values())

CAPABILITIES: Final = Capabilities(
    protocol="tektii",
    source=Source("Tektii trading gateway 0.2.0, OpenAPI document 1.0.0", "2026-11-20"),
    orders=order_cells(_KINDS, _TYPES, _TIMES),
    features={
        OrderFeature.POST_ONLY: Support.NATIVE,
        OrderFeature.REDUCE_ONLY: Support.NATIVE,
        OrderFeature.POSITION_ID: Support.NATIVE,
        OrderFeature.DISPLAY_QUANTITY: Support.NATIVE,
        OrderFeature.HIDDEN: Support.NATIVE,
        OrderFeature.GROUP: Support.NATIVE,
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
            ReadFeature.BARS,
        }
    ),
    streams=frozenset(
        {Channel.ORDERS, Channel.POSITIONS, Channel.ACCOUNT, Channel.QUOTES, Channel.BARS}
    ),
    bar_timeframes=TIMEFRAMES,
    # Gateways keep no ids of their own: two orders of one id are two orders.
    client_ids=ClientIdRule(pattern=CLIENT_ID, uniqueness=Uniqueness.NONE, visibility_delay_s=2.0),
    replace=ReplaceRule(
        fields=frozenset({"quantity", "limit_price", "stop_price", "trailing"}),
    ),
    default_time_in_force=TimeInForce.GTC,
)
