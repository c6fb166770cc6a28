"""What each of wharf's words means: a table for each place that a word may stand in."""

from __future__ import annotations

from typing import Final

from dragoman.models import (
    AssetClass,
    Channel,
    Contingency,
    InstrumentKind,
    Liquidity,
    OffsetUnit,
    OrderEventKind,
    OrderStatus,
    OrderType,
    PendingAction,
    Side,
    TimeInForce,
)

__all__ = [
    "ASSET_CLASSES",
    "CHANNELS",
    "CONTINGENCIES",
    "EVENTS",
    "KINDS",
    "LIQUIDITY",
    "ORDER_TYPES",
    "PENDING",
    "SIDES",
    "STATUSES",
    "TIMES_IN_FORCE",
    "UNITS",
]

SIDES: Final = {"buy": Side.BUY, "sell": Side.SELL}
ORDER_TYPES: Final = {
    "market": OrderType.MARKET,
    "limit": OrderType.LIMIT,
    "stop": OrderType.STOP,
    "stop_limit": OrderType.STOP_LIMIT,
    "trailing_stop": OrderType.TRAILING_STOP,
    "market_if_touched": OrderType.MARKET_IF_TOUCHED,
    "limit_if_touched": OrderType.LIMIT_IF_TOUCHED,
}
TIMES_IN_FORCE: Final = {
    "day": TimeInForce.DAY,
    "gtc": TimeInForce.GTC,
    "ioc": TimeInForce.IOC,
    "fok": TimeInForce.FOK,
    "gtd": TimeInForce.GTD,
}
STATUSES: Final = {
    "pending": OrderStatus.PENDING,
    "held": OrderStatus.HELD,
    "open": OrderStatus.OPEN,
    "partially_filled": OrderStatus.PARTIALLY_FILLED,
    "filled": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELED,
    "expired": OrderStatus.EXPIRED,
    "rejected": OrderStatus.REJECTED,
}
EVENTS: Final = {
    "accepted": OrderEventKind.ACCEPTED,
    "triggered": OrderEventKind.TRIGGERED,
    "fill": OrderEventKind.FILL,
    "bust": OrderEventKind.FILL_BUSTED,
    "canceling": OrderEventKind.PENDING_CANCEL,
    "replacing": OrderEventKind.PENDING_REPLACE,
    "replaced": OrderEventKind.REPLACED,
    "restated": OrderEventKind.RESTATED,
    "canceled": OrderEventKind.CANCELED,
    "expired": OrderEventKind.EXPIRED,
    "rejected": OrderEventKind.REJECTED,
    "cancel_rejected": OrderEventKind.CANCEL_REJECTED,
    "replace_rejected": OrderEventKind.REPLACE_REJECTED,
}
PENDING: Final = {"cancel": PendingAction.CANCEL, "replace": PendingAction.REPLACE}
CONTINGENCIES: Final = {"oco": Contingency.OCO, "oto": Contingency.OTO}
LIQUIDITY: Final = {"maker": Liquidity.MAKER, "taker": Liquidity.TAKER}
UNITS: Final = {
    "price": OffsetUnit.PRICE,
    "percent": OffsetUnit.PERCENT,
    "ticks": OffsetUnit.TICKS,
}
ASSET_CLASSES: Final = {one.lower(): one for one in AssetClass}
KINDS: Final = {one.lower(): one for one in InstrumentKind}
CHANNELS: Final = {
    "quotes": Channel.QUOTES,
    "trades": Channel.TRADES,
    "bars": Channel.BARS,
}
