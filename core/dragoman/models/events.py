"""What a stream says about one's own account and about the connection.

Private events carry `sequence`: assigned by the journal, per account, strictly plus one, surviving
restarts. An adapter leaves it 0.
"""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

import attrs

from dragoman.errors import InvalidValueError, Violation

from .account import Account, LedgerEntry, Position
from .enums import (
    AccountEventKind,
    AlarmKind,
    Channel,
    ConnectionState,
    EventSource,
    HealthState,
    OrderEventKind,
    ProtectionKind,
    StalenessState,
)
from .fill import Fill
from .instants import InstantView, OptionalInstantView
from .market import MarketEvent
from .order import Order

__all__ = [
    "AccountEvent",
    "Alarm",
    "ConnectionEvent",
    "Event",
    "Gap",
    "HealthEvent",
    "LedgerEvent",
    "OrderEvent",
    "PositionEvent",
    "PrivateEvent",
    "ProtectionEvent",
    "Quarantined",
    "RateLimit",
    "ReaderLagged",
    "SessionEvent",
    "Staleness",
]

_WITH_FILL = frozenset({OrderEventKind.FILL, OrderEventKind.FILL_BUSTED})


@attrs.frozen(kw_only=True)
class OrderEvent:
    """Something happened to an order. `fill` is set exactly for FILL and FILL_BUSTED."""

    kind: OrderEventKind
    order: Order
    account_id: str
    received_at_ns: int
    fill: Fill | None = None
    sequence: int = 0
    source: EventSource = EventSource.STREAM
    event_id: str | None = None
    venue_time_ns: int | None = None
    received_at: ClassVar[InstantView] = InstantView()
    venue_time: ClassVar[OptionalInstantView] = OptionalInstantView()

    def __attrs_post_init__(self) -> None:
        """Refuse a fill event without its fill, and a fill on any other."""
        if (self.fill is not None) != (self.kind in _WITH_FILL):
            allowed = "a fill exactly for FILL and FILL_BUSTED"
            raise InvalidValueError.of("OrderEvent", [Violation.of("fill", self.fill, allowed)])


@attrs.frozen(kw_only=True)
class PositionEvent:
    """A position opened, changed or closed: compare its quantity with `previous_quantity`."""

    position: Position
    account_id: str
    received_at_ns: int
    previous_quantity: Decimal | None = None
    sequence: int = 0
    source: EventSource = EventSource.STREAM
    event_id: str | None = None
    venue_time_ns: int | None = None
    received_at: ClassVar[InstantView] = InstantView()
    venue_time: ClassVar[OptionalInstantView] = OptionalInstantView()


@attrs.frozen(kw_only=True)
class AccountEvent:
    """The account's totals or modes changed, or its margin is running out."""

    account: Account
    kind: AccountEventKind
    account_id: str
    received_at_ns: int
    sequence: int = 0
    source: EventSource = EventSource.STREAM
    event_id: str | None = None
    venue_time_ns: int | None = None
    received_at: ClassVar[InstantView] = InstantView()
    venue_time: ClassVar[OptionalInstantView] = OptionalInstantView()


@attrs.frozen(kw_only=True)
class LedgerEvent:
    """Cash or quantity moved without a fill: funding, financing, dividends, splits, assignments."""

    entry: LedgerEntry
    account_id: str
    received_at_ns: int
    sequence: int = 0
    source: EventSource = EventSource.STREAM
    event_id: str | None = None
    venue_time_ns: int | None = None
    received_at: ClassVar[InstantView] = InstantView()
    venue_time: ClassVar[OptionalInstantView] = OptionalInstantView()


@attrs.frozen(kw_only=True)
class ProtectionEvent:
    """A position lost its protective orders, has them again, or both of its exits filled."""

    kind: ProtectionKind
    position_id: str
    client_order_ids: tuple[str, ...]
    cause: str
    account_id: str
    received_at_ns: int
    naked_for_ns: int | None = None
    sequence: int = 0
    source: EventSource = EventSource.LOCAL
    event_id: str | None = None
    venue_time_ns: int | None = None
    received_at: ClassVar[InstantView] = InstantView()
    venue_time: ClassVar[OptionalInstantView] = OptionalInstantView()


@attrs.frozen(kw_only=True)
class ConnectionEvent:
    """The connection changed, and why. `gap_ns` is how long it was gone."""

    state: ConnectionState
    channel: str
    received_at_ns: int
    cause: str | None = None
    gap_ns: int | None = None
    received_at: ClassVar[InstantView] = InstantView()


@attrs.frozen(kw_only=True)
class Staleness:
    """An open channel has gone mute, or speaks again."""

    state: StalenessState
    channel: str
    symbols: tuple[str, ...]
    since_ns: int
    received_at_ns: int
    since: ClassVar[InstantView] = InstantView()
    received_at: ClassVar[InstantView] = InstantView()


@attrs.frozen(kw_only=True)
class Gap:
    """Market data is missing; `lost` counts the events where that is known."""

    channel: Channel
    received_at_ns: int
    symbol: str | None = None
    lost: int | None = None
    received_at: ClassVar[InstantView] = InstantView()


@attrs.frozen(kw_only=True)
class RateLimit:
    """What is left of a pool of requests."""

    pool: str
    received_at_ns: int
    remaining: int | None = None
    resets_at_ns: int | None = None
    received_at: ClassVar[InstantView] = InstantView()
    resets_at: ClassVar[OptionalInstantView] = OptionalInstantView()


@attrs.frozen(kw_only=True)
class ReaderLagged:
    """This reader overran its buffer.

    Its private events come from the journal, from this sequence on, until it is level.
    """

    from_sequence: int
    received_at_ns: int
    received_at: ClassVar[InstantView] = InstantView()


@attrs.frozen(kw_only=True)
class Quarantined:
    """A frame could not be understood. The stream lives; what it may have touched is reconciled."""

    channel: str
    error: str
    received_at_ns: int
    raw: bytes | None = attrs.field(default=None, repr=False)
    received_at: ClassVar[InstantView] = InstantView()


@attrs.frozen(kw_only=True)
class HealthEvent:
    """The account's health changed. `causes` are all that keep it from LIVE, worst first."""

    state: HealthState
    previous: HealthState
    causes: tuple[str, ...]
    received_at_ns: int
    received_at: ClassVar[InstantView] = InstantView()


@attrs.frozen(kw_only=True)
class Alarm:
    """Something happened that a human should look at; trading goes on."""

    kind: AlarmKind
    cause: str
    received_at_ns: int
    client_order_id: str | None = None
    symbol: str | None = None
    received_at: ClassVar[InstantView] = InstantView()


PrivateEvent = OrderEvent | PositionEvent | AccountEvent | LedgerEvent | ProtectionEvent
SessionEvent = (
    ConnectionEvent | HealthEvent | Alarm | Staleness | Gap | RateLimit | ReaderLagged | Quarantined
)
Event = MarketEvent | PrivateEvent | SessionEvent
