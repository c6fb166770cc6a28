"""Orders: what Alpaca's rows say of an intent.

An intent is one order here for life. At Alpaca a replace makes a new order with a new id, so a row
is a sighting of one revision, and of one venue id, of its intent; what they have filled is added up
by the broker. Nothing is told of a revision before the market has it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from dragoman.errors import ProtocolError, RejectReason
from dragoman.models import (
    Contingency,
    Exit,
    Offset,
    Order,
    OrderOrigin,
    OrderStatus,
    OrderType,
    PendingAction,
    PositionEffect,
    Side,
    TimeInForce,
)
from dragoman.models.options import NO_OPTIONS
from dragoman.models.trusted import builder
from dragoman.money import ZERO, add, average, multiply, total
from dragoman_alpaca.errors import reason_of

from .combos import combo_symbol
from .names import intent_of, intent_of_row, is_entry, role_of, token_of
from .words import (
    EFFECTS,
    ORDER_TYPES,
    PENDING,
    SIDES,
    STATUSES,
    TIMES_IN_FORCE,
    order_type_word,
    time_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from dragoman_alpaca.wire.trading import OrderRow

    from .reading import Reading

__all__ = [
    "UNNAMED",
    "follow",
    "intent_of",
    "is_on_its_way",
    "order_before",
    "order_of",
    "order_of_chain",
    "orders_of",
    "sighting_of",
    "symbol_of",
    "token_of",
]

UNNAMED: Final = "?"
"""The symbol of an order that names none: a row cut out of its context."""

_NOT_AT_MARKET: Final = frozenset({"accepted", "pending_new", "accepted_for_bidding"})
_WITH_ENTRY: Final = frozenset({"bracket", "oto"})
_LONGEST_NAME: Final = 128
_LONGEST_ID: Final = 80
"""A UUID has 36 characters; longer ids leave no room for what is made of them."""

_order = builder(Order)
"""Amounts are checked by the codec, words by the tables; what is left, `_check` does."""


@attrs.frozen(kw_only=True)
class _Place:
    """Where in a nested row an order stands."""

    parent: str | None = None
    symbol: str | None = None
    contingency: Contingency = Contingency.NONE
    is_exit: bool = False


_ALONE: Final = _Place()
_NO_EXITS: Final[dict[str, Exit]] = {}
_NO_HANDLING: Final = attrs.fields(Order).handling.default


def order_of(row: OrderRow, reading: Reading) -> Order | None:
    """Return what a row says of its intent; None if another row says it better.

    None for what was replaced, and for a replacement that was refused. A replacement that the
    market does not have yet is a sighting of what it is to replace, with a replace pending and
    without the new terms.

    Raises:
        ProtocolError: The row names no side, or holds what no order can have.
    """
    return _order_at(row, reading, _ALONE)


def orders_of(row: OrderRow, reading: Reading) -> tuple[Order, ...]:
    """Return an order and the legs that stand nested in it, the order first, then legs by name.

    The legs' names are learned by the reading.

    Raises:
        ProtocolError: As `order_of` does.
    """
    reading.legs.learn(row)
    legs = row.legs or ()
    has_entry = is_entry(row)
    is_exit = row.order_class in _WITH_ENTRY and bool(legs) and not has_entry
    is_pair = is_exit or row.order_class == "oco"
    own = _order_at(row, reading, _Place(contingency=_oco(is_pair), is_exit=is_exit))
    roles = {role_of(leg) for leg in legs} - {None}
    place = _Place(
        parent=None if is_pair else _name_of(row, reading)[0],
        symbol=symbol_of(row, reading),
        contingency=_oco(is_pair or (has_entry and len(roles) > 1)),
        is_exit=row.order_class in _WITH_ENTRY,
    )
    nested = [_order_at(leg, reading, place) for leg in legs]
    found = sorted((leg for leg in nested if leg is not None), key=lambda leg: leg.client_order_id)
    return (*(() if own is None else (own,)), *found)


def order_of_chain(rows: Sequence[OrderRow], reading: Reading) -> Order:
    """Return how an intent stands by all rows that replaces have made of it, oldest first.

    If an earlier row has filled in part, the order has every venue id and what all of them have
    filled; its quantity is what earlier rows have filled and what the newest is for. An order that
    is on its way stands for the intent as soon as the one before it is over.

    Raises:
        ProtocolError: As `order_of` does.
        ValueError: There are no rows.
    """
    *earlier, newest = rows
    if newest.replaces and earlier and newest.status == "rejected":
        return order_of_chain(earlier, reading)
    if is_on_its_way(newest):
        if not earlier:
            return order_before(newest, reading, pending=PendingAction.REPLACE)
        if earlier[-1].status != "replaced":
            before = order_of_chain(earlier, reading)
            return attrs.evolve(before, pending=PendingAction.REPLACE)
    order = sighting_of(newest, reading)
    name, _, _ = _name_of(rows[0], reading)
    revisions = [_name_of(row, reading)[1] + later for later, row in enumerate(reversed(rows))]
    order = attrs.evolve(order, client_order_id=name, revision=max(revisions), quantity=newest.qty)
    filled = total(row.filled_qty or ZERO for row in earlier)
    if not filled:
        return order
    whole = add(filled, order.filled_quantity)
    return attrs.evolve(
        order,
        venue_order_ids=tuple([row.id for row in rows]),
        quantity=None if order.quantity is None else add(filled, order.quantity),
        filled_quantity=whole,
        average_fill_price=_average(rows, whole),
    )


def sighting_of(row: OrderRow, reading: Reading) -> Order:
    """Return what a row says of its intent, taken by itself: as if the market had it.

    Raises:
        ProtocolError: As `order_of` does.
    """
    return _sighting(row, reading, _ALONE)


def order_before(row: OrderRow, reading: Reading, *, pending: PendingAction | None = None) -> Order:
    """Return the order that a row is to replace, as far as that row tells: it stands as it was.

    Raises:
        ProtocolError: As `order_of` does.
    """
    return _before(row, reading, pending, _ALONE)


def follow(row: OrderRow, reading: Reading, *, is_first: bool = False) -> None:
    """Know where an order stands that replaced another, or was replaced, and what it has filled.

    Args:
        row: The order.
        reading: Remembers it.
        is_first: Whether no order before it is to be seen, should it name one.
    """
    name, revision, _ = _name_of(row, reading)
    replaces = None if is_first else row.replaces
    filled = row.filled_qty or ZERO
    reading.lineage.put(row.id, replaces, name=name, revision=revision, filled=filled)


def is_on_its_way(row: OrderRow) -> bool:
    """Tell whether a row is to replace another, and the market may not have it yet."""
    return bool(row.replaces) and row.status in _NOT_AT_MARKET


def symbol_of(row: OrderRow, reading: Reading) -> str:
    """Return an order's symbol; that of the combination for a multi-leg order."""
    if row.symbol:
        return reading.symbols.symbol_of(row.symbol)
    if row.order_class == "mleg":
        return combo_symbol(row.legs or (), reading.symbols) or UNNAMED
    if row.asset_id and reading.symbols.knows(row.asset_id):
        return reading.symbols.symbol_of(row.asset_id)
    return UNNAMED


def _order_at(row: OrderRow, reading: Reading, place: _Place) -> Order | None:
    if row.status == "replaced" or (row.replaces and row.status == "rejected"):
        return None
    if is_on_its_way(row):
        return _before(row, reading, PendingAction.REPLACE, place)
    return _sighting(row, reading, place)


def _before(row: OrderRow, reading: Reading, pending: PendingAction | None, place: _Place) -> Order:
    symbol = _symbol_at(row, reading, place)
    name, revision, parent = _name_of(row, reading)
    return _order(
        client_order_id=name,
        account_id=reading.account_id,
        symbol=symbol,
        side=_side(row),
        order_type=_order_type(row, reading),
        status=OrderStatus.OPEN,
        provider=reading.provider,
        received_at_ns=reading.received_at_ns,
        pending=pending,
        venue_order_ids=(row.replaces,) if row.replaces else (),
        revision=max(0, revision - 1),
        parent_client_order_id=parent or place.parent,
        contingency=place.contingency,
        updated_at_ns=_updated_at(row),
    )


def _sighting(row: OrderRow, reading: Reading, place: _Place) -> Order:
    symbol = _symbol_at(row, reading, place)
    name, revision, parent = _name_of(row, reading)
    status = _status(row, reading)
    filled = row.filled_qty or ZERO
    exits = _exits(row) if row.legs else _NO_EXITS
    # By position, in the order of the fields: by keyword, so many of them take four times as long.
    return _order(
        name,
        reading.account_id,
        symbol,
        SIDES.get(row.side or "") or _side(row),
        ORDER_TYPES.get(row.type or "") or _order_type(row, reading),
        status,
        reading.provider,
        reading.received_at_ns,
        _quantity(row, reading) if row.replaces else row.qty,
        row.notional,
        row.limit_price,
        row.stop_price,
        _trailing(row),
        None,  # limit_offset
        None,  # activation_price
        None,  # trigger
        None,  # peg
        TIMES_IN_FORCE.get(row.time_in_force or "") or _time_in_force(row, reading),
        time_of(row.expires_at),
        None,  # post_only
        row.extended_hours,
        None,  # display_quantity
        _effect(row, reading, is_exit=place.is_exit or parent is not None),
        None,  # position_id
        exits.get("sl"),
        exits.get("tp"),
        None,  # group_id
        None,  # tag
        NO_OPTIONS,
        PENDING.get(row.status or ""),
        row.status,
        _venue_ids(row, reading) if row.replaces else (row.id,),
        revision,
        filled,
        row.filled_avg_price if filled else None,
        None,  # commission
        None,  # is_triggered
        _reject_reason(row) if status is OrderStatus.REJECTED else None,
        None,  # venue_code
        row.reject_reason or None,
        OrderOrigin.CLIENT if row.client_order_id else OrderOrigin.EXTERNAL,
        parent or place.parent,
        _contingency(row, reading, place) if row.order_class else place.contingency,
        _NO_HANDLING,
        time_of(row.created_at) or time_of(row.submitted_at),
        _updated_at(row),
    )


def _symbol_at(row: OrderRow, reading: Reading, place: _Place) -> str:
    """Return an order's symbol.

    Raises:
        ProtocolError: The row holds what no order can have, or what is made of it can't be told.
    """
    symbol = symbol_of(row, reading)
    if symbol == UNNAMED and place.symbol is not None:
        symbol = place.symbol
    venue_id, replaced = row.id, row.replaces
    if not (0 < len(venue_id) <= _LONGEST_ID and venue_id.isprintable()):
        raise ProtocolError(f"an order's id is none: {venue_id[:_LONGEST_ID]!r}")
    if replaced and not (len(replaced) <= _LONGEST_ID and replaced.isprintable()):
        raise ProtocolError(f"order {venue_id} replaces what is no id: {replaced[:_LONGEST_ID]!r}")
    if not (len(symbol) <= _LONGEST_NAME and symbol.isprintable()):
        raise ProtocolError(f"order {venue_id} is for no symbol: {symbol[:_LONGEST_ID]!r}")
    quantity, filled = row.qty, row.filled_qty
    if (quantity is not None and quantity < 0) or (filled is not None and filled < 0):
        raise ProtocolError(f"order {venue_id} has filled {filled} of {quantity}")
    return symbol


def _name_of(row: OrderRow, reading: Reading) -> tuple[str, int, str | None]:
    """Return the intent, the revision, and the entry if it is a leg's.

    What another client put in an order's place is its first revision at the least.
    """
    replaced = row.replaces
    name, revision = intent_of_row(row) if replaced else (row.client_order_id or "", 0)
    if not (0 < len(name) <= _LONGEST_NAME and name.isprintable()):
        name, revision = f"ext-{row.id}", 0
    known = reading.legs.name_of(row.id)
    if not replaced:
        return (name, revision, None) if known is None else (known[0], 0, known[1])
    known = known or reading.legs.name_of(replaced)
    if known is not None:
        name, revision = known[0], revision if name == known[0] else 0
    place = reading.lineage.place_of(row.id)
    earlier = reading.lineage.place_of(replaced)
    if place is not None:
        name, revision = name if known else place.name, place.revision
    elif earlier is not None:
        name, revision = name if known else earlier.name, max(revision, earlier.revision + 1)
    return name, revision or 1, None if known is None else known[1]


def _venue_ids(row: OrderRow, reading: Reading) -> tuple[str, ...]:
    """Return the ids that a sighting is of.

    One whose intent is told neither by its token nor by its past is found by the id that it
    replaced.
    """
    is_known = reading.lineage.place_of(row.id) or reading.lineage.place_of(row.replaces)
    if row.replaces and is_known is None and intent_of_row(row)[1] == 0:
        return (row.replaces, row.id)
    return (row.id,)


def _quantity(row: OrderRow, reading: Reading) -> Decimal | None:
    """Return how much an intent is for: what it had filled before this order, and this order's."""
    place = reading.lineage.place_of(row.id)
    if place is None or not place.before or row.qty is None:
        return row.qty
    return add(place.before, row.qty)


def _status(row: OrderRow, reading: Reading) -> OrderStatus:
    word = row.status or ""
    status = STATUSES.get(word)
    if status is None:
        if word:
            reading.strangers.report("order status", word)
        return OrderStatus.UNKNOWN
    if status is OrderStatus.OPEN and row.filled_qty:
        return OrderStatus.PARTIALLY_FILLED
    return status


def _reject_reason(row: OrderRow) -> RejectReason:
    found = reason_of(row.reject_reason) if row.reject_reason else None
    return found or RejectReason.OTHER


def _side(row: OrderRow) -> Side:
    side = SIDES.get((row.side or "").lower())
    if side is not None:
        return side
    intent = EFFECTS.get(row.position_intent or "")
    if intent is not None:
        return intent[0]
    if row.order_class == "mleg":
        return Side.BUY  # as its legs are written
    raise ProtocolError(f"order {row.id[:_LONGEST_ID]!r} names no side that is known")


def _order_type(row: OrderRow, reading: Reading) -> OrderType:
    word = order_type_word(row.type, row.order_type)
    kind = ORDER_TYPES.get(word)
    if kind is None and word:
        reading.strangers.report("order type", word)
    return kind or OrderType.UNKNOWN


def _time_in_force(row: OrderRow, reading: Reading) -> TimeInForce | None:
    if not row.time_in_force:
        return None
    found = TIMES_IN_FORCE.get(row.time_in_force)
    if found is None:
        reading.strangers.report("time in force", row.time_in_force)
    return found or TimeInForce.UNKNOWN


def _effect(row: OrderRow, reading: Reading, *, is_exit: bool) -> PositionEffect | None:
    """Return whether an order opens or closes; legs, and the orders of an OCO, only close."""
    if is_exit or row.order_class == "oco":
        return PositionEffect.CLOSE
    if not row.position_intent:
        return None
    found = EFFECTS.get(row.position_intent)
    if found is None:
        reading.strangers.report("position intent", row.position_intent)
        return None
    return found[1]


def _trailing(row: OrderRow) -> Offset | None:
    if row.trail_price is not None and row.trail_price > 0:
        return Offset.price(row.trail_price)
    if row.trail_percent is not None and row.trail_percent > 0:
        return Offset.percent(row.trail_percent)
    return None


def _exits(row: OrderRow) -> dict[str, Exit]:
    """Return the exits that an entry's legs are, by role."""
    if not is_entry(row):
        return {}
    found: dict[str, Exit] = {}
    for leg in row.legs or ():
        role = role_of(leg)
        if role is None or leg.status == "replaced":
            continue
        price = leg.limit_price if role == "tp" else leg.stop_price
        if price is not None:
            limit_price = None if role == "tp" else leg.limit_price
            found[role] = Exit(price=price, limit_price=limit_price)
    return found


def _updated_at(row: OrderRow) -> int | None:
    return time_of(row.updated_at) or time_of(row.submitted_at) or time_of(row.created_at)


def _contingency(row: OrderRow, reading: Reading, place: _Place) -> Contingency:
    """Return whether another order ends with this one: said by its class or, of a leg, learned."""
    legs = reading.legs
    is_paired = legs.is_paired(row.id) or (row.replaces and legs.is_paired(row.replaces))
    return Contingency.OCO if is_paired or row.order_class == "oco" else place.contingency


def _oco(applies: bool) -> Contingency:  # noqa: FBT001 - one word for one flag
    return Contingency.OCO if applies else Contingency.NONE


def _average(rows: Sequence[OrderRow], filled: Decimal) -> Decimal | None:
    parts = [(row.filled_qty, row.filled_avg_price) for row in rows if row.filled_qty]
    values = [multiply(price, quantity) for quantity, price in parts if price is not None]
    return average(total(values), filled) if len(values) == len(parts) else None
