"""What a provider can do, as data: a frozen declaration, checked before a byte is sent.

Declared means it works; not declared means it is refused here, with no traffic. Nothing asked for
is ever dropped: a part of a request that the declaration lacks makes the whole request unsupported.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar, cast

import attrs

from .models.enums import (
    Channel,
    Contingency,
    InstrumentKind,
    OrderType,
    PriceSource,
    Support,
    TimeInForce,
)
from .models.instrument import default_time_of
from .models.values import FrozenMapping

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .models.instrument import Instrument
    from .models.order import Order

__all__ = [
    "Capabilities",
    "ClientIdRule",
    "ExitPart",
    "KeepsPriority",
    "OrderCell",
    "OrderFeature",
    "ReadFeature",
    "ReplaceRule",
    "Source",
    "Uniqueness",
    "order_cells",
]


CellKey: TypeAlias = tuple[InstrumentKind, OrderType, TimeInForce]
Key = TypeVar("Key", bound=StrEnum)
_NOTHING: Final = cast("Mapping[Any, Support]", FrozenMapping[Support]())


class OrderFeature(StrEnum):
    """A part of an order request, or a kind of command, that a provider may lack."""

    NOTIONAL = "NOTIONAL"
    POST_ONLY = "POST_ONLY"
    REDUCE_ONLY = "REDUCE_ONLY"
    OPEN_EFFECT = "OPEN_EFFECT"
    CLOSE_WHOLE_POSITION = "CLOSE_WHOLE_POSITION"
    POSITION_ID = "POSITION_ID"
    DISPLAY_QUANTITY = "DISPLAY_QUANTITY"
    HIDDEN = "HIDDEN"
    EXTENDED_HOURS = "EXTENDED_HOURS"
    ACTIVATION_PRICE = "ACTIVATION_PRICE"
    GROUP = "GROUP"
    TAG = "TAG"
    CANCEL_ALL = "CANCEL_ALL"
    BATCH = "BATCH"


class ExitPart(StrEnum):
    """A form of protective leg that an entry may carry."""

    STOP_LOSS = "STOP_LOSS"
    TAKE_PROFIT = "TAKE_PROFIT"
    BRACKET = "BRACKET"
    STOP_LIMIT = "STOP_LIMIT"
    LIMIT_IF_TOUCHED = "LIMIT_IF_TOUCHED"
    TRAILING = "TRAILING"
    OFFSET = "OFFSET"
    PARTIAL = "PARTIAL"


class ReadFeature(StrEnum):
    """Something a provider may let one read."""

    ACCOUNT = "ACCOUNT"
    LEDGER = "LEDGER"
    INSTRUMENTS = "INSTRUMENTS"
    HOURS = "HOURS"
    ORDER_HISTORY = "ORDER_HISTORY"
    POSITIONS = "POSITIONS"
    FILLS = "FILLS"
    QUOTES = "QUOTES"
    TICKERS = "TICKERS"
    DEPTH = "DEPTH"
    MARKET_STATUS = "MARKET_STATUS"
    BARS = "BARS"
    TRADES = "TRADES"
    QUOTE_HISTORY = "QUOTE_HISTORY"


class Uniqueness(StrEnum):
    """Among which orders a venue refuses a client order id it has seen."""

    FOREVER = "FOREVER"
    OPEN_ORDERS = "OPEN_ORDERS"
    NONE = "NONE"


class KeepsPriority(StrEnum):
    """When a replaced order keeps its place in the queue."""

    NEVER = "NEVER"
    WHEN_QUANTITY_FALLS = "WHEN_QUANTITY_FALLS"


@attrs.frozen
class Source:
    """Where a declaration comes from: a document and the day (ISO date) it was checked."""

    document: str
    checked_on: str


@attrs.frozen(kw_only=True)
class OrderCell:
    """One cell of the matrix: this kind of instrument, order type and time in force."""

    kind: InstrumentKind
    order_type: OrderType
    time_in_force: TimeInForce
    support: Support = Support.NATIVE


@attrs.frozen(kw_only=True)
class ClientIdRule:
    """What the venue takes as a client order id, and among which orders it is unique.

    `pattern` is a regular expression for the whole id. `visibility_delay_s` is how long an order
    the venue has taken may stay invisible to a lookup.
    """

    pattern: str = r"[!-~]{1,128}"
    uniqueness: Uniqueness = Uniqueness.FOREVER
    can_look_up: bool = True
    visibility_delay_s: float = 0.0


@attrs.frozen(kw_only=True)
class ReplaceRule:
    """What a replace may change and what it does to the order.

    No fields: there is no replace. EMULATED: the venue has none, so the order is canceled and,
    once that is proved, what is left of it is sent anew with the changed terms; the adapter's
    `replace` is never called then. `when_filled` is the support of a replace once part of the order
    has filled, for venues where it is not clear how much the new order is then for; None: the same.
    EMULATED there, orders with exits, and those that end others, are not replaced any more.
    """

    fields: frozenset[str] = frozenset()
    support: Support = Support.NATIVE
    when_filled: Support | None = None
    keeps_venue_id: bool = True
    keeps_priority: KeepsPriority = KeepsPriority.NEVER
    is_atomic: bool = True

    def support_of(self, order: Order) -> Support:
        """Return the support of a replace of an order as it stands now."""
        if self.when_filled is None or not order.filled_quantity:
            return self.support
        return self.when_filled


def _features(features: Mapping[OrderFeature, Support]) -> Mapping[OrderFeature, Support]:
    return _frozen(features)


def _exits(exits: Mapping[ExitPart, Support]) -> Mapping[ExitPart, Support]:
    return _frozen(exits)


def _lists(lists: Mapping[Contingency, Support]) -> Mapping[Contingency, Support]:
    return _frozen(lists)


def _frozen(mapping: Mapping[Key, Support]) -> Mapping[Key, Support]:
    return cast("Mapping[Key, Support]", FrozenMapping(cast("Mapping[str, Support]", mapping)))


def _index(capabilities: Capabilities) -> Mapping[CellKey, Support]:
    cells = capabilities.orders
    return {(cell.kind, cell.order_type, cell.time_in_force): cell.support for cell in cells}


@attrs.frozen(kw_only=True)
class Capabilities:
    """Everything a provider declares. What is not listed is `Support.NONE`.

    `default_time_in_force` and `default_trigger` say what None in a request means; where an
    instrument does not take the former, `default_time` says it. `protocol` is the prefix of the
    `venue_options` keys this provider takes, and `venue_options` are the fields
    behind it.
    """

    protocol: str
    source: Source
    orders: tuple[OrderCell, ...]
    features: Mapping[OrderFeature, Support] = attrs.field(default=_NOTHING, converter=_features)
    exits: Mapping[ExitPart, Support] = attrs.field(default=_NOTHING, converter=_exits)
    lists: Mapping[Contingency, Support] = attrs.field(default=_NOTHING, converter=_lists)
    triggers: frozenset[PriceSource] = frozenset()
    pegs: frozenset[PriceSource] = frozenset()
    reads: frozenset[ReadFeature] = frozenset()
    streams: frozenset[Channel] = frozenset()
    bar_timeframes: frozenset[str] | None = None
    client_ids: ClientIdRule = ClientIdRule()
    replace: ReplaceRule = ReplaceRule()
    default_time_in_force: TimeInForce = TimeInForce.DAY
    default_trigger: PriceSource = PriceSource.LAST
    venue_options: frozenset[str] = frozenset()
    max_open_orders: int | None = None
    max_list_size: int | None = None
    _cells: Mapping[CellKey, Support] = attrs.field(
        init=False, repr=False, eq=False, default=attrs.Factory(_index, takes_self=True)
    )

    def order_support(
        self, kind: InstrumentKind, order_type: OrderType, time_in_force: TimeInForce
    ) -> Support:
        """Return the support of one cell of the order matrix."""
        return self._cells.get((kind, order_type, time_in_force), Support.NONE)

    def times_in_force(
        self, kind: InstrumentKind, order_type: OrderType
    ) -> tuple[TimeInForce, ...]:
        """Return the times in force that an order type can have on a kind of instrument."""
        return tuple(
            time_in_force
            for (cell_kind, cell_type, time_in_force), support in self._cells.items()
            if (cell_kind, cell_type) == (kind, order_type) and support is not Support.NONE
        )

    def default_time(self, instrument: Instrument) -> TimeInForce:
        """Return what no time in force means for an instrument.

        The provider's default or, where the instrument does not take that, GTC, or else the first
        that it takes, by name.
        """
        return default_time_of(instrument, self.default_time_in_force)

    def feature(self, feature: OrderFeature) -> Support:
        """Return the support of an order feature."""
        return self.features.get(feature, Support.NONE)

    def exit(self, part: ExitPart) -> Support:
        """Return the support of a form of protective leg."""
        return self.exits.get(part, Support.NONE)

    def list(self, contingency: Contingency) -> Support:
        """Return the support of a list of orders with that contingency."""
        return self.lists.get(contingency, Support.NONE)


def order_cells(
    kinds: Iterable[InstrumentKind],
    order_types: Iterable[OrderType],
    times_in_force: Iterable[TimeInForce],
    support: Support = Support.NATIVE,
) -> tuple[OrderCell, ...]:
    """Return the cells of a full block of the matrix, in order."""
    order_types, times_in_force = tuple(order_types), tuple(times_in_force)
    return tuple(
        OrderCell(kind=kind, order_type=order_type, time_in_force=time_in_force, support=support)
        for kind in kinds
        for order_type in order_types
        for time_in_force in times_in_force
    )
