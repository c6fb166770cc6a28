"""The closed vocabularies of the core.

Members are strings equal to their names. Descriptive enums have a read-only `UNKNOWN`: a venue may
say a word that has no meaning here yet, but such a word is never sent.
"""

from __future__ import annotations

from enum import StrEnum

from dragoman.errors import RejectReason

__all__ = [
    "AccountEventKind",
    "Adjustment",
    "AlarmKind",
    "AssetClass",
    "Channel",
    "ConnectionState",
    "Contingency",
    "EventSource",
    "HealthState",
    "InstrumentKind",
    "LedgerKind",
    "Liquidity",
    "MarginMode",
    "OffsetUnit",
    "OptionRight",
    "OrderEventKind",
    "OrderOrigin",
    "OrderStatus",
    "OrderType",
    "PendingAction",
    "PositionEffect",
    "PositionMode",
    "PriceSource",
    "ProtectionKind",
    "RejectReason",
    "Remove",
    "RiskLimitKind",
    "Side",
    "StalenessState",
    "Support",
    "TimeInForce",
    "TimeUnit",
    "TradingState",
]


class Side(StrEnum):
    """Which way an order trades."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def opposite(self) -> Side:
        """The other side."""
        return Side.SELL if self is Side.BUY else Side.BUY

    @property
    def sign(self) -> int:
        """1 for BUY, -1 for SELL."""
        return 1 if self is Side.BUY else -1


class AssetClass(StrEnum):
    """What the instrument is about; one axis of two, with `InstrumentKind`."""

    EQUITY = "EQUITY"
    FX = "FX"
    CRYPTO = "CRYPTO"
    COMMODITY = "COMMODITY"
    INDEX = "INDEX"
    BOND = "BOND"
    OTHER = "OTHER"
    UNKNOWN = "UNKNOWN"


class InstrumentKind(StrEnum):
    """What form the contract has; one axis of two, with `AssetClass`."""

    SPOT = "SPOT"
    CFD = "CFD"
    FUTURE = "FUTURE"
    PERPETUAL = "PERPETUAL"
    OPTION = "OPTION"
    COMBO = "COMBO"
    UNKNOWN = "UNKNOWN"


class OptionRight(StrEnum):
    """What an option lets its holder do."""

    CALL = "CALL"
    PUT = "PUT"


class OrderType(StrEnum):
    """How an order finds its price."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"
    STOP = "STOP"
    STOP_LIMIT = "STOP_LIMIT"
    MARKET_IF_TOUCHED = "MARKET_IF_TOUCHED"
    LIMIT_IF_TOUCHED = "LIMIT_IF_TOUCHED"
    TRAILING_STOP = "TRAILING_STOP"
    TRAILING_STOP_LIMIT = "TRAILING_STOP_LIMIT"
    UNKNOWN = "UNKNOWN"


class TimeInForce(StrEnum):
    """How long an order works. Post-only, hidden and extended hours are not times in force."""

    DAY = "DAY"
    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    GTD = "GTD"
    OPG = "OPG"
    CLS = "CLS"
    UNKNOWN = "UNKNOWN"


class PriceSource(StrEnum):
    """Which price: what triggers a stop, what a peg follows, what a bar is made of."""

    LAST = "LAST"
    BID = "BID"
    ASK = "ASK"
    MID = "MID"
    MARK = "MARK"
    INDEX = "INDEX"
    UNKNOWN = "UNKNOWN"


class OffsetUnit(StrEnum):
    """What a distance counts. One basis point is 0.01 PERCENT, exactly."""

    PRICE = "PRICE"
    PERCENT = "PERCENT"
    TICKS = "TICKS"


class PositionEffect(StrEnum):
    """Whether an order opens or closes. CLOSE never opens, increases or flips a position."""

    OPEN = "OPEN"
    CLOSE = "CLOSE"


class PositionMode(StrEnum):
    """One position per symbol (NETTING), or one per side or lot (HEDGING)."""

    NETTING = "NETTING"
    HEDGING = "HEDGING"
    UNKNOWN = "UNKNOWN"


class MarginMode(StrEnum):
    """What stands behind a position: cash, the account's pool, or its own margin."""

    CASH = "CASH"
    CROSS = "CROSS"
    ISOLATED = "ISOLATED"
    UNKNOWN = "UNKNOWN"


class OrderStatus(StrEnum):
    """Where an intent stands.

    PENDING: on its way, not acknowledged by the market. HELD: accepted, but it can't execute before
    something else happens. OPEN: working; an untriggered stop too. UNKNOWN: its fate is unproved;
    never terminal.
    """

    PENDING = "PENDING"
    HELD = "HELD"
    OPEN = "OPEN"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"
    UNKNOWN = "UNKNOWN"

    @property
    def is_terminal(self) -> bool:
        """Whether nothing more can execute."""
        return self in _TERMINAL


_TERMINAL = frozenset(
    {OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.REJECTED}
)


class PendingAction(StrEnum):
    """A command on an order that the venue has taken but not answered."""

    CANCEL = "CANCEL"
    REPLACE = "REPLACE"


class OrderOrigin(StrEnum):
    """Who made the order: this journal, another client, or the venue itself."""

    CLIENT = "CLIENT"
    EXTERNAL = "EXTERNAL"
    LIQUIDATION = "LIQUIDATION"
    DELEVERAGING = "DELEVERAGING"
    SETTLEMENT = "SETTLEMENT"


class Contingency(StrEnum):
    """How orders of a list depend on each other.

    OCO: one cancels the others. OTO: the first triggers the rest, which are OCO among themselves.
    """

    NONE = "NONE"
    OCO = "OCO"
    OTO = "OTO"


class Liquidity(StrEnum):
    """Whether a fill added liquidity or took it."""

    MAKER = "MAKER"
    TAKER = "TAKER"


class OrderEventKind(StrEnum):
    """What happened to an order."""

    SUBMITTED = "SUBMITTED"
    ACCEPTED = "ACCEPTED"
    TRIGGERED = "TRIGGERED"
    FILL = "FILL"
    FILL_BUSTED = "FILL_BUSTED"
    PENDING_CANCEL = "PENDING_CANCEL"
    PENDING_REPLACE = "PENDING_REPLACE"
    REPLACED = "REPLACED"
    RESTATED = "RESTATED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"
    CANCEL_REJECTED = "CANCEL_REJECTED"
    REPLACE_REJECTED = "REPLACE_REJECTED"
    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"
    ADOPTED = "ADOPTED"


class EventSource(StrEnum):
    """Where the evidence behind an event came from."""

    STREAM = "STREAM"
    RESPONSE = "RESPONSE"
    RECONCILED = "RECONCILED"
    LOCAL = "LOCAL"


class TradingState(StrEnum):
    """What a market lets one do now."""

    OPEN = "OPEN"
    CLOSED = "CLOSED"
    PRE_MARKET = "PRE_MARKET"
    AFTER_HOURS = "AFTER_HOURS"
    OVERNIGHT = "OVERNIGHT"
    AUCTION = "AUCTION"
    HALTED = "HALTED"
    CANCEL_ONLY = "CANCEL_ONLY"
    UNKNOWN = "UNKNOWN"


class LedgerKind(StrEnum):
    """Why cash or a position changed without a fill."""

    DEPOSIT = "DEPOSIT"
    WITHDRAWAL = "WITHDRAWAL"
    TRANSFER = "TRANSFER"
    CONVERSION = "CONVERSION"
    FEE = "FEE"
    TAX = "TAX"
    INTEREST = "INTEREST"
    BORROW = "BORROW"
    REPAY = "REPAY"
    FUNDING = "FUNDING"
    DIVIDEND = "DIVIDEND"
    SPLIT = "SPLIT"
    MERGER = "MERGER"
    SYMBOL_CHANGE = "SYMBOL_CHANGE"
    EXERCISE = "EXERCISE"
    ASSIGNMENT = "ASSIGNMENT"
    EXPIRY = "EXPIRY"
    SETTLEMENT = "SETTLEMENT"
    ADJUSTMENT = "ADJUSTMENT"
    OTHER = "OTHER"


class RiskLimitKind(StrEnum):
    """What a limit that the venue sets on an account counts."""

    DAILY_LOSS = "DAILY_LOSS"
    DRAWDOWN = "DRAWDOWN"
    POSITION_SIZE = "POSITION_SIZE"
    DAY_TRADES = "DAY_TRADES"


class TimeUnit(StrEnum):
    """The unit of a bar's length."""

    SECOND = "SECOND"
    MINUTE = "MINUTE"
    HOUR = "HOUR"
    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"


class Adjustment(StrEnum):
    """Which corporate actions are worked into historical prices."""

    RAW = "RAW"
    SPLIT = "SPLIT"
    DIVIDEND = "DIVIDEND"
    ALL = "ALL"


class Support(StrEnum):
    """Whether the venue does a thing, this library does it on top, or nobody does."""

    NATIVE = "NATIVE"
    EMULATED = "EMULATED"
    NONE = "NONE"


class Channel(StrEnum):
    """What a stream carries."""

    QUOTES = "QUOTES"
    TRADES = "TRADES"
    BARS = "BARS"
    DEPTH = "DEPTH"
    TICKERS = "TICKERS"
    MARKET_STATUS = "MARKET_STATUS"
    ORDERS = "ORDERS"
    POSITIONS = "POSITIONS"
    ACCOUNT = "ACCOUNT"
    LEDGER = "LEDGER"


class ConnectionState(StrEnum):
    """The life of a connection."""

    CONNECTING = "CONNECTING"
    CONNECTED = "CONNECTED"
    RECONNECTING = "RECONNECTING"
    RECONNECTED = "RECONNECTED"
    DISCONNECTED = "DISCONNECTED"
    FAILED = "FAILED"
    ENDED = "ENDED"


class StalenessState(StrEnum):
    """Whether an open channel still speaks."""

    STALE = "STALE"
    FRESH = "FRESH"


class HealthState(StrEnum):
    """Whether an account can be traded with, worst cause first.

    `LIVE`: the stream speaks and state is proved. `DEGRADED`: it works, and something is wrong (the
    journal, the connection's calm, an order of unknown fate). `RECONCILING`: state is being
    proved. `STALE`: the stream is open and mute. `DOWN`: there is no stream. `AUTH_REQUIRED`: the
    venue wants new credentials. `HALTED`: trading was stopped here. `CLOSED`: the end.
    """

    LIVE = "LIVE"
    DEGRADED = "DEGRADED"
    RECONCILING = "RECONCILING"
    STALE = "STALE"
    DOWN = "DOWN"
    AUTH_REQUIRED = "AUTH_REQUIRED"
    HALTED = "HALTED"
    CLOSED = "CLOSED"


class AlarmKind(StrEnum):
    """What a human should look at.

    `RESURRECTED`: an order that was proved absent, or had ended, works at the venue after all.
    `LATE_FILL`: a fill after the order was canceled. `OVERFILLED`: more was filled than ordered.
    `OUTCOME_UNRESOLVED`: an order's fate is still unknown past the deadline. `NOT_FLAT`: an account
    could not be brought out of the market, or an order filled after it was found flat.
    `POSITION_MISMATCH`: the venue's position differs from the fills seen. `JOURNAL_FAILED`: the
    journal can't be written. `LOOP_LAG`: the event loop was blocked. `ADAPTER_LIED`: an adapter
    claimed that nothing was sent after a byte was written.
    """

    RESURRECTED = "RESURRECTED"
    LATE_FILL = "LATE_FILL"
    OVERFILLED = "OVERFILLED"
    OUTCOME_UNRESOLVED = "OUTCOME_UNRESOLVED"
    NOT_FLAT = "NOT_FLAT"
    POSITION_MISMATCH = "POSITION_MISMATCH"
    JOURNAL_FAILED = "JOURNAL_FAILED"
    LOOP_LAG = "LOOP_LAG"
    ADAPTER_LIED = "ADAPTER_LIED"


class AccountEventKind(StrEnum):
    """Why an account is told anew."""

    UPDATED = "UPDATED"
    MARGIN_WARNING = "MARGIN_WARNING"
    MARGIN_CALL = "MARGIN_CALL"
    MODE_CHANGED = "MODE_CHANGED"


class ProtectionKind(StrEnum):
    """What became of a position's protective orders."""

    UNPROTECTED = "UNPROTECTED"
    PROTECTED = "PROTECTED"
    DOUBLE_EXIT = "DOUBLE_EXIT"


class Remove(StrEnum):
    """The one value that takes an exit leg off in an `OrderChange`."""

    REMOVE = "REMOVE"
