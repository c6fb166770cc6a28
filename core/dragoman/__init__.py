"""dragoman speaks every broker's language: one typed core, one folder per foreign protocol.

    import dragoman

    async with dragoman.connect("mock") as broker:
        order = await broker.submit(dragoman.OrderRequest.market("AAPL", dragoman.Side.BUY, 10))

Names resolve on first use, so importing this package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .adapter import (
        Adapter,
        AdapterContext,
        Environment,
    )
    from .broker import (
        Broker,
    )
    from .capabilities import (
        Capabilities,
        ExitPart,
        OrderFeature,
        ReadFeature,
    )
    from .connection import (
        connect,
    )
    from .errors import (
        AccountLockedError,
        AmbiguousInstrumentError,
        AuthenticationError,
        BusyError,
        CircuitOpenError,
        ClosedError,
        ConfigurationError,
        ConflictError,
        ConnectFailedError,
        DecodeError,
        DragomanDeprecationWarning,
        DragomanError,
        DuplicateOrderError,
        HaltedError,
        InvalidOrderError,
        InvalidValueError,
        JournalUnavailableError,
        LifecycleError,
        LimitExceededError,
        MissingCredentialsError,
        MissingDependencyError,
        NotConnectedError,
        NotFoundError,
        OrderRejectedError,
        Outcome,
        OutcomeUnknownError,
        PermissionDeniedError,
        ProtocolError,
        RateLimitedError,
        ReconcilingError,
        RequestError,
        SequenceGapError,
        StreamLostError,
        TransportError,
        UnknownInstrumentError,
        UnknownProviderError,
        UnknownReason,
        UnmappedValueError,
        UnsupportedError,
        VenueError,
        VenueUnavailableError,
        Violation,
        WaitTimeoutError,
    )
    from .halting import (
        ExitPolicy,
    )
    from .ids import (
        RandomIds,
        SeededIds,
    )
    from .models import (
        REMOVE,
        Account,
        AccountEvent,
        AccountEventKind,
        Adjustment,
        Alarm,
        AlarmKind,
        Amount,
        AssetClass,
        Balance,
        Bar,
        ChangeFields,
        Channel,
        CommandResult,
        ConnectionEvent,
        ConnectionState,
        Contingency,
        Depth,
        EntryOptions,
        Event,
        EventSource,
        Exit,
        Fill,
        FrozenMapping,
        Gap,
        HealthEvent,
        HealthState,
        Instant,
        Instrument,
        InstrumentKind,
        LedgerEntry,
        LedgerEvent,
        LedgerKind,
        Leg,
        Level,
        Liquidity,
        Lot,
        MarginMode,
        MarketEvent,
        MarketHours,
        MarketStatus,
        Money,
        Offset,
        OffsetUnit,
        OptionRight,
        Order,
        OrderChange,
        OrderEvent,
        OrderEventKind,
        OrderFields,
        OrderOptions,
        OrderOrigin,
        OrderRequest,
        OrderStatus,
        OrderType,
        PendingAction,
        Position,
        PositionEffect,
        PositionEvent,
        PositionMode,
        PriceSource,
        PrivateEvent,
        ProtectionEvent,
        ProtectionKind,
        Quarantined,
        Quote,
        RateLimit,
        ReaderLagged,
        RejectReason,
        Remove,
        RiskLimit,
        RiskLimitKind,
        Scalar,
        SessionEvent,
        Side,
        Staleness,
        StalenessState,
        Subscription,
        SubscriptionFields,
        Support,
        Ticker,
        Timeframe,
        TimeInForce,
        TimeUnit,
        Trade,
        TradeCorrection,
        TradingState,
        Window,
    )
    from .orders.halt import (
        HaltReport,
    )
    from .orders.journal import (
        Durability,
    )
    from .orders.limits import (
        RiskLimits,
    )
    from .orders.state import (
        BrokerState,
    )
    from .ports import (
        Preview,
        RawAnswer,
    )
    from .registry import (
        CredentialField,
        OptionField,
        Protocol,
        Provider,
        Registry,
    )
    from .session import (
        Health,
    )
    from .streaming import (
        EventStream,
        Listener,
    )
    from .sync import (
        SyncBroker,
        SyncEventStream,
        SyncIterator,
        SyncListener,
        connect_sync,
    )
    from .times import (
        Clock,
        ManualClock,
        SystemClock,
    )

__version__ = "0.1.0"

_NAMES = {
    "adapter": "Adapter AdapterContext Environment",
    "broker": "Broker",
    "capabilities": "Capabilities ExitPart OrderFeature ReadFeature",
    "connection": "connect",
    "halting": "ExitPolicy",
    "errors": (
        "AccountLockedError AmbiguousInstrumentError AuthenticationError BusyError "
        "CircuitOpenError ClosedError ConfigurationError ConflictError "
        "ConnectFailedError DecodeError DragomanDeprecationWarning DragomanError "
        "DuplicateOrderError HaltedError InvalidOrderError InvalidValueError "
        "JournalUnavailableError LifecycleError LimitExceededError "
        "MissingCredentialsError MissingDependencyError NotConnectedError NotFoundError "
        "OrderRejectedError Outcome OutcomeUnknownError PermissionDeniedError "
        "ProtocolError RateLimitedError ReconcilingError RequestError SequenceGapError "
        "StreamLostError TransportError UnknownInstrumentError UnknownProviderError "
        "UnknownReason UnmappedValueError UnsupportedError VenueError "
        "VenueUnavailableError Violation "
        "WaitTimeoutError"
    ),
    "ids": "RandomIds SeededIds",
    "models": (
        "Account AccountEvent AccountEventKind Adjustment Alarm AlarmKind Amount AssetClass "
        "Balance Bar "
        "ChangeFields Channel CommandResult ConnectionEvent ConnectionState Contingency "
        "Depth EntryOptions Event EventSource Exit Fill FrozenMapping Gap HealthEvent "
        "HealthState Instant "
        "Instrument InstrumentKind LedgerEntry LedgerEvent LedgerKind Leg Level "
        "Liquidity Lot MarginMode MarketEvent MarketHours MarketStatus Money Offset "
        "OffsetUnit OptionRight Order OrderChange OrderEvent OrderEventKind OrderFields "
        "OrderOptions OrderOrigin OrderRequest OrderStatus OrderType PendingAction "
        "Position PositionEffect PositionEvent PositionMode PriceSource PrivateEvent "
        "ProtectionEvent ProtectionKind Quarantined Quote REMOVE RateLimit ReaderLagged "
        "RejectReason Remove RiskLimit RiskLimitKind Scalar SessionEvent Side Staleness "
        "StalenessState Subscription SubscriptionFields Support Ticker TimeInForce "
        "TimeUnit Timeframe Trade TradeCorrection TradingState Window"
    ),
    "orders.halt": "HaltReport",
    "orders.journal": "Durability",
    "orders.limits": "RiskLimits",
    "orders.state": "BrokerState",
    "ports": "Preview RawAnswer",
    "registry": "CredentialField OptionField Protocol Provider Registry",
    "session": "Health",
    "streaming": "EventStream Listener",
    "sync": "SyncBroker SyncEventStream SyncIterator SyncListener connect_sync",
    "times": "Clock ManualClock SystemClock",
}
_HOMES = {name: home for home, names in _NAMES.items() for name in names.split()}

__all__ = [
    "REMOVE",
    "Account",
    "AccountEvent",
    "AccountEventKind",
    "AccountLockedError",
    "Adapter",
    "AdapterContext",
    "Adjustment",
    "Alarm",
    "AlarmKind",
    "AmbiguousInstrumentError",
    "Amount",
    "AssetClass",
    "AuthenticationError",
    "Balance",
    "Bar",
    "Broker",
    "BrokerState",
    "BusyError",
    "Capabilities",
    "ChangeFields",
    "Channel",
    "CircuitOpenError",
    "Clock",
    "ClosedError",
    "CommandResult",
    "ConfigurationError",
    "ConflictError",
    "ConnectFailedError",
    "ConnectionEvent",
    "ConnectionState",
    "Contingency",
    "CredentialField",
    "DecodeError",
    "Depth",
    "DragomanDeprecationWarning",
    "DragomanError",
    "DuplicateOrderError",
    "Durability",
    "EntryOptions",
    "Environment",
    "Event",
    "EventSource",
    "EventStream",
    "Exit",
    "ExitPart",
    "ExitPolicy",
    "Fill",
    "FrozenMapping",
    "Gap",
    "HaltReport",
    "HaltedError",
    "Health",
    "HealthEvent",
    "HealthState",
    "Instant",
    "Instrument",
    "InstrumentKind",
    "InvalidOrderError",
    "InvalidValueError",
    "JournalUnavailableError",
    "LedgerEntry",
    "LedgerEvent",
    "LedgerKind",
    "Leg",
    "Level",
    "LifecycleError",
    "LimitExceededError",
    "Liquidity",
    "Listener",
    "Lot",
    "ManualClock",
    "MarginMode",
    "MarketEvent",
    "MarketHours",
    "MarketStatus",
    "MissingCredentialsError",
    "MissingDependencyError",
    "Money",
    "NotConnectedError",
    "NotFoundError",
    "Offset",
    "OffsetUnit",
    "OptionField",
    "OptionRight",
    "Order",
    "OrderChange",
    "OrderEvent",
    "OrderEventKind",
    "OrderFeature",
    "OrderFields",
    "OrderOptions",
    "OrderOrigin",
    "OrderRejectedError",
    "OrderRequest",
    "OrderStatus",
    "OrderType",
    "Outcome",
    "OutcomeUnknownError",
    "PendingAction",
    "PermissionDeniedError",
    "Position",
    "PositionEffect",
    "PositionEvent",
    "PositionMode",
    "Preview",
    "PriceSource",
    "PrivateEvent",
    "ProtectionEvent",
    "ProtectionKind",
    "Protocol",
    "ProtocolError",
    "Provider",
    "Quarantined",
    "Quote",
    "RandomIds",
    "RateLimit",
    "RateLimitedError",
    "RawAnswer",
    "ReadFeature",
    "ReaderLagged",
    "ReconcilingError",
    "Registry",
    "RejectReason",
    "Remove",
    "RequestError",
    "RiskLimit",
    "RiskLimitKind",
    "RiskLimits",
    "Scalar",
    "SeededIds",
    "SequenceGapError",
    "SessionEvent",
    "Side",
    "Staleness",
    "StalenessState",
    "StreamLostError",
    "Subscription",
    "SubscriptionFields",
    "Support",
    "SyncBroker",
    "SyncEventStream",
    "SyncIterator",
    "SyncListener",
    "SystemClock",
    "Ticker",
    "TimeInForce",
    "TimeUnit",
    "Timeframe",
    "Trade",
    "TradeCorrection",
    "TradingState",
    "TransportError",
    "UnknownInstrumentError",
    "UnknownProviderError",
    "UnknownReason",
    "UnmappedValueError",
    "UnsupportedError",
    "VenueError",
    "VenueUnavailableError",
    "Violation",
    "WaitTimeoutError",
    "Window",
    "__version__",
    "connect",
    "connect_sync",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    value: object = getattr(import_module(f".{home}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
