"""The whole venue as plain JSON data and back: what is restored goes on exactly alike.

Orders are written with the place where they wait; books, triggers and deadlines are built anew from
them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar, cast

from dragoman.errors import InvalidValueError, Violation
from dragoman.models import Fill, Order, OrderRequest, Side, TimeInForce

from .codec import decode, decoded, encode
from .day import DayPrices
from .exits import Exits
from .groups import Group
from .order import WorkingOrder
from .waiting import arm, park, want

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .accounts.account_state import AccountState
    from .codec import Plain
    from .desk import Desk
    from .floor import Floor
    from .listed import Listing

__all__ = ["restore_floor", "start_of", "state_of"]

_VERSION: Final = 1
_LINKS: Final = frozenset({"desk", "listing", "group", "exits", "leg_of", "is_resting", "is_armed"})
_ORDER_FIELDS: Final = tuple(name for name in WorkingOrder.__slots__ if name not in _LINKS)
_DAY_FIELDS: Final = DayPrices.__slots__
_LISTING_FIELDS: Final = (
    "changes_at_ns",
    "day_ends_at_ns",
    "funding_at_ns",
    "funding_rate",
    "halted",
    "index_price",
    "is_expired",
    "last_price",
    "last_size",
    "opens_at_ns",
    "session",
    "stated_mark",
    "tick",
    "tick_count",
    "ticker_due_ns",
)
_State = dict[str, object]
Thing = TypeVar("Thing")


def state_of(floor: Floor) -> _State:
    """Return a floor as plain JSON data."""
    return {
        "version": _VERSION,
        "start_ns": floor.start_ns,
        "recorder": floor.recorder.state(),
        "feed": floor.feed.state(),
        "listings": {symbol: _listing_state(each) for symbol, each in floor.listings.items()},
        "desks": {account_id: _desk_state(desk) for account_id, desk in floor.desks.items()},
    }


def start_of(state: Mapping[str, object]) -> int:
    """Return the first instant of the venue that a state is of.

    Raises:
        InvalidValueError: The state is of another version.
    """
    if state.get("version") != _VERSION:
        violation = Violation.of("version", state.get("version"), str(_VERSION))
        raise InvalidValueError.of("state", [violation])
    return cast("int", state["start_ns"])


def restore_floor(floor: Floor, state: Mapping[str, object]) -> None:
    """Make a new floor what a state says."""
    listings = cast("dict[str, _State]", state["listings"])
    desks = cast("dict[str, _State]", state["desks"])
    for name, found, expected in (
        ("instruments", listings, floor.listings),
        ("accounts", desks, floor.desks),
    ):
        if list(found) != list(expected):
            violation = Violation.of(name, sorted(found), ", ".join(sorted(expected)))
            raise InvalidValueError.of("state", [violation])
    floor.recorder.restore(cast("_State", state["recorder"]))
    floor.feed.restore(cast("_State", state["feed"]))
    for symbol, data in listings.items():
        _restore_listing(floor.listings[symbol], data)
    for account_id, data in desks.items():
        _restore_desk(floor, floor.desks[account_id], data)
    floor.sessions.refresh()


def _listing_state(listing: Listing) -> _State:
    return {
        "fields": _fields_of(listing, _LISTING_FIELDS),
        "day": _fields_of(listing.day, _DAY_FIELDS),
        "liquidity": {side.value: each.state() for side, each in listing.liquidity.items()},
    }


def _restore_listing(listing: Listing, data: _State) -> None:
    fields = cast("dict[str, Plain]", data["fields"])
    _set_fields(listing, fields)
    listing.show_liquidity()
    _set_fields(listing.day, cast("dict[str, Plain]", data["day"]))
    sides = cast("dict[str, _State]", data["liquidity"])
    for side in Side:
        listing.liquidity[side].restore(sides[side.value])


def _desk_state(desk: Desk) -> _State:
    working = _working(desk)
    all_exits = _unique(_exits_of(working))
    places = {id(exits): place for place, exits in enumerate(all_exits)}
    return {
        "account": desk.account.state(),
        "orders": [
            [name, None if isinstance(order, WorkingOrder) else encode(order)]
            for name, order in desk.orders.items()
        ],
        "working": [_order_state(order) for order in working],
        "fills": [encode(fill) for fill in desk.fills],
        "client_ids": dict(desk.client_ids),
        "held": {symbol: list(held) for symbol, held in desk.held.items()},
        "alert": encode(desk.alert),
        "exits": [_exits_state(exits) for exits in all_exits],
        "protected": {
            position_id: [places[id(exits)] for exits in found if exits.may_act]
            for position_id, found in desk.exits.items()
        },
        "groups": [_group_state(desk, group) for group in _unique(_groups_of(working))],
    }


def _order_state(order: WorkingOrder) -> _State:
    return {"place": _place_of(order), "fields": _fields_of(order, _ORDER_FIELDS)}


def _place_of(order: WorkingOrder) -> str:
    if order.is_resting:
        return "book"
    if order.is_armed:
        return "trigger"
    if order.rank in order.listing.takers:
        return "taker"
    return "parked" if order.rank in order.listing.parked else ""


def _exits_state(exits: Exits) -> _State:
    return {
        "entry": None if exits.entry is None else exits.entry.client_order_id,
        "legs": [leg.client_order_id for leg in exits.legs],
        "position_id": exits.position_id,
    }


def _group_state(desk: Desk, group: Group) -> _State:
    return {
        "key": group.key,
        "members": [member.client_order_id for member in group.members],
        "parent": None if group.parent is None else group.parent.client_order_id,
        "is_released": group.is_released,
        "is_open": desk.groups.get(group.key) is group,
    }


def _working(desk: Desk) -> list[WorkingOrder]:
    """Return the live orders and all that they are tied to, the oldest first."""
    found: dict[str, WorkingOrder] = {}
    queue = list(desk.live.values())
    while queue:
        order = queue.pop()
        if order.client_order_id in found:
            continue
        found[order.client_order_id] = order
        for exits in (order.exits, order.leg_of):
            if exits is not None:
                queue += exits.legs if exits.entry is None else [exits.entry, *exits.legs]
        if order.group is not None:
            parent = order.group.parent
            queue += order.group.members if parent is None else [parent, *order.group.members]
    return sorted(found.values(), key=_created_at)


def _restore_desk(floor: Floor, desk: Desk, data: _State) -> None:
    desk.account.restore(cast("AccountState", data["account"]))
    working = _restore_working(floor, desk, cast("list[_State]", data["working"]))
    for name, told in cast("list[tuple[str, Plain]]", data["orders"]):
        desk.orders[name] = working[name] if told is None else decoded(Order, told)
    desk.live = {name: order for name, order in working.items() if order.is_live}
    for fill in cast("list[Plain]", data["fills"]):
        desk.add_fill(decoded(Fill, fill))
    desk.client_ids = dict(cast("dict[str, str]", data["client_ids"]))
    held = cast("dict[str, list[str]]", data["held"])
    desk.held = {symbol: dict.fromkeys(ids) for symbol, ids in held.items()}
    _set_fields(desk, {"alert": cast("Plain", data["alert"])})
    exits = [_restored_exits(desk, each, working) for each in cast("list[_State]", data["exits"])]
    protected = cast("dict[str, list[int]]", data["protected"])
    desk.exits = {name: [exits[place] for place in places] for name, places in protected.items()}
    for group in cast("list[_State]", data["groups"]):
        _restore_group(desk, group, working)


def _restore_working(floor: Floor, desk: Desk, rows: Iterable[_State]) -> dict[str, WorkingOrder]:
    working: dict[str, WorkingOrder] = {}
    for row in rows:
        fields = cast("dict[str, Plain]", row["fields"])
        listing = floor.listings[str(fields["symbol"])]
        blank = OrderRequest.market(listing.symbol, Side.BUY, 1, client_order_id="restored")
        order = WorkingOrder(blank, desk, listing)
        _set_fields(order, fields)
        working[order.client_order_id] = order
        if order.is_live:
            _place(order, str(row["place"]))
            is_opening = order.time_in_force is TimeInForce.OPG
            (floor.sessions.openings if is_opening else floor.sessions.ends).add(order)
    return working


def _place(order: WorkingOrder, place: str) -> None:
    match place:
        case "book":
            order.listing.book(order.side).add(order)
            if order.peg is not None:
                order.listing.pegged[order.rank] = order
        case "trigger":
            arm(order)
        case "taker":
            want(order)
        case "parked":
            park(order)
        case _:
            pass


def _restored_exits(desk: Desk, data: _State, working: dict[str, WorkingOrder]) -> Exits:
    entry_id = cast("str | None", data["entry"])
    entry = None if entry_id is None else working[entry_id]
    exits = Exits(desk, entry, cast("str | None", data["position_id"]))
    if entry is not None:
        entry.exits = exits
    for name in cast("list[str]", data["legs"]):
        leg = working[name]
        leg.leg_of = exits
        exits.legs.append(leg)
    return exits


def _restore_group(desk: Desk, data: _State, working: dict[str, WorkingOrder]) -> None:
    parent_id = cast("str | None", data["parent"])
    parent = None if parent_id is None else working[parent_id]
    members = [working[name] for name in cast("list[str]", data["members"])]
    group = Group(cast("str", data["key"]), members, parent)
    group.is_released = bool(data["is_released"])
    for member in members if parent is None else [parent, *members]:
        member.group = group
    if data["is_open"]:
        desk.groups[group.key] = group


def _exits_of(orders: Iterable[WorkingOrder]) -> list[Exits]:
    found = [(order.exits, order.leg_of) for order in orders]
    return [exits for pair in found for exits in pair if exits is not None]


def _groups_of(orders: Iterable[WorkingOrder]) -> list[Group]:
    return [order.group for order in orders if order.group is not None]


def _unique(things: Iterable[Thing]) -> list[Thing]:
    return list({id(thing): thing for thing in things}.values())


def _fields_of(holder: object, names: Iterable[str]) -> dict[str, Plain]:
    return {name: encode(getattr(holder, name)) for name in names}


def _set_fields(holder: object, fields: Mapping[str, Plain]) -> None:
    for name, value in fields.items():
        setattr(holder, name, decode(value))


def _created_at(order: WorkingOrder) -> int:
    return order.created_at_ns or 0
