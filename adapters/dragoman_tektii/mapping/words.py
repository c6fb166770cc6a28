"""Tektii's words, which are closed sets, in the library's, and back.

A table for each place that a word may stand in, from the venue's word to what it means here. Where
several meanings here have to share one word of theirs, a second table says which word is written.

Source: Tektii trading gateway 0.2.0, OpenAPI document 1.0.0, and the Python SDK 1.9.1; checked
2026-11-20.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.adapter import Environment
from dragoman.errors import RejectReason
from dragoman.models.enums import (
    AccountEventKind,
    AssetClass,
    ConnectionState,
    InstrumentKind,
    MarginMode,
    OffsetUnit,
    OrderEventKind,
    OrderStatus,
    OrderType,
    PendingAction,
    PositionMode,
    Side,
    StalenessState,
    TimeInForce,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ACCOUNT_EVENTS",
    "ASSET_CLASSES",
    "CONNECTION_EVENTS",
    "INSTRUMENT_KINDS",
    "MARGIN_MODES",
    "ORDER_EVENTS",
    "ORDER_EVENT_WORDS",
    "ORDER_TYPES",
    "ORDER_TYPE_WORDS",
    "PENDING",
    "PLATFORMS",
    "POSITION_EVENTS",
    "POSITION_MODES",
    "POSITION_SIDES",
    "POSITION_SIDE_WORDS",
    "REJECT_CODES",
    "REJECT_REASONS",
    "REJECT_REASON_WORDS",
    "SIDES",
    "SIDE_WORDS",
    "STALENESS_EVENTS",
    "STATUSES",
    "STATUS_WORDS",
    "TERMINAL_STATUSES",
    "TIMEFRAMES",
    "TIMES_IN_FORCE",
    "TIME_IN_FORCE_WORDS",
    "TRAILING_TYPES",
]

SIDES: Final[Mapping[str, Side]] = {"BUY": Side.BUY, "SELL": Side.SELL}
SIDE_WORDS: Final[Mapping[Side, str]] = {side: word for word, side in SIDES.items()}

POSITION_SIDES: Final[Mapping[str, int]] = {"LONG": 1, "SHORT": -1}
"""The sign of a position, whose quantity is written without one."""

POSITION_SIDE_WORDS: Final[Mapping[int, str]] = {
    sign: word for word, sign in POSITION_SIDES.items()
}

ORDER_TYPES: Final[Mapping[str, OrderType]] = {
    "MARKET": OrderType.MARKET,
    "LIMIT": OrderType.LIMIT,
    "STOP": OrderType.STOP,
    "STOP_LIMIT": OrderType.STOP_LIMIT,
    "TRAILING_STOP": OrderType.TRAILING_STOP,
}
ORDER_TYPE_WORDS: Final[Mapping[OrderType, str]] = {
    **{kind: word for word, kind in ORDER_TYPES.items()},
    OrderType.MARKET_IF_TOUCHED: "STOP",
    OrderType.LIMIT_IF_TOUCHED: "STOP_LIMIT",
    OrderType.TRAILING_STOP_LIMIT: "TRAILING_STOP",
    OrderType.UNKNOWN: "MARKET",
}
"""The nearest word for every type: their readers fail on any other."""

STATUSES: Final[Mapping[str, OrderStatus]] = {
    "PENDING": OrderStatus.PENDING,
    "PENDING_CANCEL": OrderStatus.OPEN,
    "OPEN": OrderStatus.OPEN,
    "PARTIALLY_FILLED": OrderStatus.PARTIALLY_FILLED,
    "FILLED": OrderStatus.FILLED,
    "CANCELLED": OrderStatus.CANCELED,
    "REJECTED": OrderStatus.REJECTED,
    "EXPIRED": OrderStatus.EXPIRED,
}
STATUS_WORDS: Final[Mapping[OrderStatus, str]] = {
    OrderStatus.PENDING: "PENDING",
    OrderStatus.HELD: "PENDING",
    OrderStatus.OPEN: "OPEN",
    OrderStatus.PARTIALLY_FILLED: "PARTIALLY_FILLED",
    OrderStatus.FILLED: "FILLED",
    OrderStatus.CANCELED: "CANCELLED",
    OrderStatus.REJECTED: "REJECTED",
    OrderStatus.EXPIRED: "EXPIRED",
    OrderStatus.UNKNOWN: "PENDING",
}
"""An order on which a cancel is on its way is `PENDING_CANCEL` instead, see `PENDING`."""

PENDING: Final[Mapping[str, PendingAction]] = {"PENDING_CANCEL": PendingAction.CANCEL}

TERMINAL_STATUSES: Final[frozenset[str]] = frozenset(
    word for word, status in STATUSES.items() if status.is_terminal
)

TIMES_IN_FORCE: Final[Mapping[str, TimeInForce]] = {
    "GTC": TimeInForce.GTC,
    "DAY": TimeInForce.DAY,
    "IOC": TimeInForce.IOC,
    "FOK": TimeInForce.FOK,
}
TIME_IN_FORCE_WORDS: Final[Mapping[TimeInForce, str]] = {
    **{time: word for word, time in TIMES_IN_FORCE.items()},
    TimeInForce.GTD: "GTC",
    TimeInForce.OPG: "DAY",
    TimeInForce.CLS: "DAY",
    TimeInForce.UNKNOWN: "GTC",
}
"""The nearest word for every time in force."""

TRAILING_TYPES: Final[Mapping[str, OffsetUnit]] = {
    "ABSOLUTE": OffsetUnit.PRICE,
    "PERCENT": OffsetUnit.PERCENT,
}

MARGIN_MODES: Final[Mapping[str, MarginMode]] = {
    "CROSS": MarginMode.CROSS,
    "ISOLATED": MarginMode.ISOLATED,
}

POSITION_MODES: Final[Mapping[str, PositionMode]] = {
    "NETTING": PositionMode.NETTING,
    "HEDGING": PositionMode.HEDGING,
}

ASSET_CLASSES: Final[Mapping[str, AssetClass]] = {
    "STOCK": AssetClass.EQUITY,
    "FOREX": AssetClass.FX,
    "CRYPTO": AssetClass.CRYPTO,
    "FUTURES": AssetClass.UNKNOWN,
}
"""What is traded; `FUTURES` says nothing of it, and is a kind of contract instead."""

INSTRUMENT_KINDS: Final[Mapping[str, InstrumentKind]] = {
    "STOCK": InstrumentKind.SPOT,
    "FOREX": InstrumentKind.SPOT,
    "CRYPTO": InstrumentKind.SPOT,
    "FUTURES": InstrumentKind.FUTURE,
}

TIMEFRAMES: Final[frozenset[str]] = frozenset(
    {"1m", "2m", "5m", "10m", "15m", "30m", "1h", "2h", "4h", "12h", "1d", "1w"}
)
"""The lengths of bars, spelled as they are here."""

REJECT_REASONS: Final[Mapping[str, RejectReason]] = {
    "INSUFFICIENT_MARGIN": RejectReason.INSUFFICIENT_FUNDS,
    "INSUFFICIENT_BALANCE": RejectReason.INSUFFICIENT_FUNDS,
    "INVALID_QUANTITY": RejectReason.INVALID_QUANTITY,
    "INVALID_PRICE": RejectReason.INVALID_PRICE,
    "SYMBOL_NOT_TRADEABLE": RejectReason.NOT_TRADABLE,
    "MARKET_CLOSED": RejectReason.MARKET_CLOSED,
    "REDUCE_ONLY_VIOLATED": RejectReason.WOULD_INCREASE,
    "POST_ONLY_VIOLATED": RejectReason.WOULD_TAKE,
    "RATE_LIMITED": RejectReason.OTHER,
    "UNKNOWN": RejectReason.OTHER,
}
"""Why an order was rejected, as `reject_reason` of the order says."""

REJECT_REASON_WORDS: Final[Mapping[RejectReason, str]] = {
    RejectReason.INSUFFICIENT_FUNDS: "INSUFFICIENT_BALANCE",
    RejectReason.INSUFFICIENT_POSITION: "INSUFFICIENT_BALANCE",
    RejectReason.UNKNOWN_SYMBOL: "SYMBOL_NOT_TRADEABLE",
    RejectReason.NOT_TRADABLE: "SYMBOL_NOT_TRADEABLE",
    RejectReason.MARKET_CLOSED: "MARKET_CLOSED",
    RejectReason.INVALID_QUANTITY: "INVALID_QUANTITY",
    RejectReason.INVALID_PRICE: "INVALID_PRICE",
    RejectReason.BELOW_MINIMUM: "INVALID_QUANTITY",
    RejectReason.ABOVE_MAXIMUM: "INVALID_QUANTITY",
    RejectReason.WOULD_TAKE: "POST_ONLY_VIOLATED",
    RejectReason.WOULD_INCREASE: "REDUCE_ONLY_VIOLATED",
}
"""What is written for a reason; every other is `UNKNOWN`."""

REJECT_CODES: Final[Mapping[str, RejectReason]] = {
    "INSUFFICIENT_FUNDS": RejectReason.INSUFFICIENT_FUNDS,
    "MARKET_CLOSED": RejectReason.MARKET_CLOSED,
    "INVALID_QUANTITY": RejectReason.INVALID_QUANTITY,
    "INVALID_SYMBOL": RejectReason.UNKNOWN_SYMBOL,
    "ORDER_REJECTED": RejectReason.OTHER,
}
"""Why an order was refused, as `details.reject_code` of the refusal says.

The first four are the same for every broker behind a gateway; others are the broker's own.
"""

PLATFORMS: Final[Mapping[str, Environment]] = {
    "alpaca-live": Environment.LIVE,
    "alpaca-paper": Environment.PAPER,
    "binance-spot-live": Environment.LIVE,
    "binance-spot-testnet": Environment.TESTNET,
    "binance-futures-live": Environment.LIVE,
    "binance-futures-testnet": Environment.TESTNET,
    "binance-margin-live": Environment.LIVE,
    "binance-margin-testnet": Environment.TESTNET,
    "binance-coin-futures-live": Environment.LIVE,
    "binance-coin-futures-testnet": Environment.TESTNET,
    "oanda-practice": Environment.PRACTICE,
    "oanda-live": Environment.LIVE,
    "saxo-sim": Environment.PRACTICE,
    "saxo-live": Environment.LIVE,
    "tektii": Environment.SIMULATED,
    "mock": Environment.SIMULATED,
}
"""Whose money each platform trades with. `tektii` is their engine for backtests."""

ORDER_EVENTS: Final[Mapping[str, OrderEventKind]] = {
    "ORDER_CREATED": OrderEventKind.ACCEPTED,
    "ORDER_MODIFIED": OrderEventKind.REPLACED,
    "ORDER_CANCELLED": OrderEventKind.CANCELED,
    "ORDER_REJECTED": OrderEventKind.REJECTED,
    "ORDER_FILLED": OrderEventKind.FILL,
    "ORDER_PARTIALLY_FILLED": OrderEventKind.FILL,
    "ORDER_EXPIRED": OrderEventKind.EXPIRED,
    "BRACKET_ORDER_CREATED": OrderEventKind.ACCEPTED,
    "BRACKET_ORDER_MODIFIED": OrderEventKind.REPLACED,
}
ORDER_EVENT_WORDS: Final[Mapping[OrderEventKind, str]] = {
    OrderEventKind.ACCEPTED: "ORDER_CREATED",
    OrderEventKind.ADOPTED: "ORDER_CREATED",
    OrderEventKind.PENDING_CANCEL: "ORDER_MODIFIED",
    OrderEventKind.REPLACED: "ORDER_MODIFIED",
    OrderEventKind.RESTATED: "ORDER_MODIFIED",
    OrderEventKind.TRIGGERED: "ORDER_MODIFIED",
    OrderEventKind.CANCELED: "ORDER_CANCELLED",
    OrderEventKind.EXPIRED: "ORDER_EXPIRED",
    OrderEventKind.REJECTED: "ORDER_REJECTED",
}
"""A fill is `ORDER_FILLED` once nothing is left, else `ORDER_PARTIALLY_FILLED`."""

POSITION_EVENTS: Final[frozenset[str]] = frozenset(
    {"POSITION_OPENED", "POSITION_MODIFIED", "POSITION_CLOSED"}
)

ACCOUNT_EVENTS: Final[Mapping[str, AccountEventKind]] = {
    "BALANCE_UPDATED": AccountEventKind.UPDATED,
    "MARGIN_WARNING": AccountEventKind.MARGIN_WARNING,
    "MARGIN_CALL": AccountEventKind.MARGIN_CALL,
}

CONNECTION_EVENTS: Final[Mapping[str, ConnectionState]] = {
    "CONNECTED": ConnectionState.CONNECTED,
    "DISCONNECTING": ConnectionState.DISCONNECTED,
    "RECONNECTING": ConnectionState.RECONNECTING,
    "BROKER_DISCONNECTED": ConnectionState.DISCONNECTED,
    "BROKER_RECONNECTED": ConnectionState.RECONNECTED,
    "BROKER_CONNECTION_FAILED": ConnectionState.FAILED,
}
"""`BROKER_...` tell of the gateway's own connection to the broker behind it."""

STALENESS_EVENTS: Final[Mapping[str, StalenessState]] = {
    "STALE": StalenessState.STALE,
    "FRESH": StalenessState.FRESH,
}
