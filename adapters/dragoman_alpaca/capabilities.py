"""What Alpaca can do, as data.

Shares and crypto are both SPOT, so the matrix holds what either takes; an instrument says what it
takes itself. Options and combinations of them are what their kinds say.
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
from dragoman.models.enums import (
    Channel,
    Contingency,
    InstrumentKind,
    OrderType,
    Support,
    TimeInForce,
)

__all__ = ["CAPABILITIES", "CRYPTO_TIMES", "CRYPTO_TYPES", "EQUITY_TIMES", "EQUITY_TYPES"]

EQUITY_TYPES: Final = frozenset(
    {
        OrderType.MARKET,
        OrderType.LIMIT,
        OrderType.STOP,
        OrderType.STOP_LIMIT,
        OrderType.TRAILING_STOP,
    }
)
EQUITY_TIMES: Final = frozenset(
    {
        TimeInForce.DAY,
        TimeInForce.GTC,
        TimeInForce.OPG,
        TimeInForce.CLS,
        TimeInForce.IOC,
        TimeInForce.FOK,
    }
)
CRYPTO_TYPES: Final = frozenset({OrderType.MARKET, OrderType.LIMIT, OrderType.STOP_LIMIT})
CRYPTO_TIMES: Final = frozenset({TimeInForce.GTC, TimeInForce.IOC})

_DAY_GTC: Final = (TimeInForce.DAY, TimeInForce.GTC)
_NO_AUCTION: Final = (*_DAY_GTC, TimeInForce.IOC, TimeInForce.FOK)
_ANY: Final = (*_NO_AUCTION, TimeInForce.OPG, TimeInForce.CLS)
_SPOT: Final = (InstrumentKind.SPOT,)
_PLAIN: Final = (OrderType.MARKET, OrderType.LIMIT)
_BARS: Final = frozenset(
    {
        *[f"{minutes}m" for minutes in range(1, 60)],
        *[f"{hours}h" for hours in range(1, 24)],
        *[f"{months}M" for months in (1, 2, 3, 4, 6, 12)],
        "1d",
        "1w",
    }
)

CAPABILITIES: Final = Capabilities(
    protocol="alpaca",
    source=Source("Alpaca Trading API, OpenAPI document; docs.alpaca.markets", "2026-06-15"),
    orders=(
        *order_cells(_SPOT, _PLAIN, _ANY),
        *order_cells(_SPOT, [OrderType.STOP, OrderType.STOP_LIMIT], _NO_AUCTION),
        *order_cells(_SPOT, [OrderType.TRAILING_STOP], _DAY_GTC),
        *order_cells([InstrumentKind.OPTION], _PLAIN, [TimeInForce.DAY]),
    ),
    features={
        OrderFeature.NOTIONAL: Support.NATIVE,
        OrderFeature.REDUCE_ONLY: Support.NATIVE,
        OrderFeature.OPEN_EFFECT: Support.NATIVE,
        OrderFeature.EXTENDED_HOURS: Support.NATIVE,
        OrderFeature.CANCEL_ALL: Support.NATIVE,
    },
    exits=dict.fromkeys(
        (ExitPart.STOP_LOSS, ExitPart.TAKE_PROFIT, ExitPart.BRACKET, ExitPart.STOP_LIMIT),
        Support.NATIVE,
    ),
    lists={Contingency.OCO: Support.NATIVE, Contingency.OTO: Support.NATIVE},
    reads=frozenset(ReadFeature),
    streams=frozenset(
        {
            Channel.ORDERS,
            Channel.POSITIONS,
            Channel.QUOTES,
            Channel.TRADES,
            Channel.BARS,
            Channel.DEPTH,
            Channel.TICKERS,
            Channel.MARKET_STATUS,
        }
    ),
    bar_timeframes=_BARS,
    client_ids=ClientIdRule(
        # A replace's order is called `<id>~<revision>`: the room for that is kept.
        pattern=r"[!-~]{1,120}(~[1-9][0-9]{0,5})?",
        uniqueness=Uniqueness.FOREVER,
        visibility_delay_s=2.0,
    ),
    replace=ReplaceRule(
        fields=frozenset({"quantity", "limit_price", "stop_price", "trailing"}),
        # How much an order is for that replaces one filled in part, the venue leaves open.
        when_filled=Support.EMULATED,
        keeps_venue_id=False,
    ),
    default_time_in_force=TimeInForce.DAY,
    venue_options=frozenset(
        {"algorithm", "destination", "display_qty", "start_time", "end_time", "max_percentage"}
    ),
    max_list_size=3,
)
