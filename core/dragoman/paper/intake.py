"""How orders come in: one by one, in lists, and as exits of a position."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.models import (
    Contingency,
    OrderOrigin,
    OrderRequest,
    OrderStatus,
    PositionEffect,
    RejectReason,
    Side,
    TimeInForce,
)

from . import admission, funds
from .exits import Exits, legs_of, make_leg, set_offset_level
from .groups import Group
from .order import WorkingOrder
from .triggers import start_trailing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dragoman.models import Exit, Position

    from .admission import Refusal
    from .desk import Desk
    from .lifecycle import Lifecycle
    from .listed import Listing
    from .matching import Matcher
    from .sessions import Sessions
    from .settings import VenueSettings

__all__ = ["Intake"]

_AUCTIONS = frozenset({TimeInForce.OPG, TimeInForce.CLS})


class Intake:
    """Checks new orders and starts their lives."""

    def __init__(
        self, settings: VenueSettings, life: Lifecycle, *, matcher: Matcher, sessions: Sessions
    ) -> None:
        self._settings = settings
        self._life = life
        self._matcher = matcher
        self._sessions = sessions

    def submit(self, request: OrderRequest, desk: Desk, listing: Listing) -> None:
        """Take or refuse one order, and let it meet the market."""
        order = WorkingOrder(request, desk, listing)
        if order.group_id is not None:
            order.reserve_key = f"group {order.group_id} {order.symbol} {order.side}"
        refused = self._refusal(order)
        if refused is not None:
            self._life.refuse(order, *refused)
            return
        if order.group_id is not None:
            self._join_group(order)
        self._begin(order)
        self._matcher.settle_agenda()

    def liquidate(self, desk: Desk, listing: Listing, position: Position) -> WorkingOrder:
        """Close a position at the market in the venue's own name."""
        number = self._life.recorder.number("liquidation")
        request = OrderRequest.market(
            position.symbol,
            Side.SELL if position.quantity > 0 else Side.BUY,
            client_order_id=f"liquidation-{number}",
            position_effect=PositionEffect.CLOSE,
            position_id=position.position_id,
            time_in_force=TimeInForce.GTC,
        )
        order = WorkingOrder(request, desk, listing)
        order.origin = OrderOrigin.LIQUIDATION
        self._begin(order)
        self._matcher.settle_agenda()
        return order

    def submit_list(
        self,
        entries: Sequence[tuple[OrderRequest, Listing]],
        desk: Desk,
        contingency: Contingency,
        *,
        all_or_none: bool,
    ) -> None:
        """Take or refuse a list.

        One that depends on each other, or is all or none, is taken whole or not at all.
        """
        orders = [WorkingOrder(request, desk, listing) for request, listing in entries]
        is_atomic = all_or_none or contingency is not Contingency.NONE
        if not is_atomic:
            for request, listing in entries:
                self.submit(request, desk, listing)
            return
        group = self._tie(orders, contingency)
        refusals = self._list_refusals(orders, group)
        if any(refusals):
            self._refuse_list(orders, refusals)
            return
        for order in orders:
            self._accept(order)
        for order in orders:
            if order.is_live and not order.is_idle:
                self._life.agenda.append(order)
        self._matcher.settle_agenda()

    def set_exits(
        self,
        desk: Desk,
        place: tuple[Position, Listing],
        stop_loss: Exit | None,
        take_profit: Exit | None,
    ) -> None:
        """Put exits on a position in place of those it has, or refuse and leave these."""
        position, listing = place
        number = self._life.recorder.number("exits")
        side = Side.SELL if position.quantity > 0 else Side.BUY
        stem = f"{position.position_id}-{number}"
        legs: list[WorkingOrder] = []
        for leg, name, is_target in legs_of(stem, stop_loss, take_profit):
            order = make_leg(
                leg,
                client_order_id=name,
                is_target=is_target,
                place=(desk, listing, side),
            )
            order.position_id = position.position_id
            set_offset_level(order, position.average_entry_price)
            legs.append(order)
        refused = next(filter(None, (self._exit_refusal(each) for each in legs)), None)
        if refused is not None:
            for made in legs:
                self._life.refuse(made, *refused)
            return
        self._replace_exits(desk, position.position_id, legs)

    def add_leg(self, entry: WorkingOrder, leg: Exit, *, is_target: bool, name: str) -> None:
        """Give an entry one more leg; it works at once as far as the entry has filled."""
        if entry.exits is None:
            entry.exits = Exits(entry.desk, entry, None)
        place = entry.desk, entry.listing, entry.side.opposite
        order = make_leg(leg, client_order_id=name, is_target=is_target, place=place)
        entry.exits.add(self._life, order)
        self._sessions.schedule(order, self._life.recorder.now_ns)
        entry.exits.after_entry(self._life)

    def _refusal(self, order: WorkingOrder) -> Refusal | None:
        if order.client_order_id in order.desk.orders:
            return _duplicate(order)
        return admission.refusal(order, self._settings, self._life.recorder.now_ns)

    def _begin(self, order: WorkingOrder) -> None:
        self._accept(order)
        if order.is_live and not order.is_idle:
            self._life.agenda.append(order)

    def _accept(self, order: WorkingOrder) -> None:
        """Accept an order and its legs; hold what it needs unless it will be done at once."""
        funds.settle_size(order)
        is_held = order.is_idle or order.time_in_force in _AUCTIONS
        is_parked = not is_held and not order.listing.admits(order)
        order.is_idle = is_held
        if not is_held:
            start_trailing(order)
        self._life.accept(order, OrderStatus.HELD if is_held or is_parked else OrderStatus.OPEN)
        self._sessions.schedule(order, self._life.recorder.now_ns)
        if is_parked or order.waits_for_trigger or order.time_in_force in _AUCTIONS:
            funds.hold(order)
        self._attach_legs(order)

    def _attach_legs(self, order: WorkingOrder) -> None:
        pairs = legs_of(order.client_order_id, order.stop_loss, order.take_profit)
        place = order.desk, order.listing, order.side.opposite
        for leg, name, is_target in pairs:
            if order.exits is None:
                order.exits = Exits(order.desk, order, None)
            made = make_leg(leg, client_order_id=name, is_target=is_target, place=place)
            order.exits.add(self._life, made)
            self._sessions.schedule(made, self._life.recorder.now_ns)

    def _join_group(self, order: WorkingOrder) -> None:
        group_id = order.group_id or ""
        group = order.desk.groups.get(group_id)
        if group is None:
            group = order.desk.groups[group_id] = Group(group_id, [])
        group.join(order)
        order.contingency = Contingency.OCO

    def _tie(self, orders: list[WorkingOrder], contingency: Contingency) -> Group | None:
        """Make the group of a list: its members share one hold where they trade the same way."""
        for order in orders:
            order.contingency = contingency
        if contingency is Contingency.NONE:
            return None
        key = f"list {self._life.recorder.number('list')}"
        if contingency is Contingency.OCO:
            parent, members = None, orders
        else:
            parent, members = orders[0], orders[1:]
        group = Group(key, members, parent)
        for order in orders:
            order.group = group
        for order in members:
            order.is_idle = parent is not None
            order.reserve_key = f"{key} {order.symbol} {order.side}"
            order.parent_client_order_id = None if parent is None else parent.client_order_id
        return group

    def _list_refusals(
        self, orders: list[WorkingOrder], group: Group | None
    ) -> list[Refusal | None]:
        """Check every order of a list as if those before it were taken."""
        found: list[Refusal | None] = []
        taken: list[WorkingOrder] = []
        names: set[str] = set()
        for order in orders:
            found.append(self._list_refusal(order, names))
            names.update(_names(order))
            if found[-1] is None and not order.is_idle:
                taken.append(order)
                funds.hold(order, taken)
        for order in orders:
            order.desk.account.release(order.reserve_key or order.client_order_id)
        if group is not None and not self._settings.native_lists:
            unsupported = RejectReason.UNSUPPORTED, "this venue does not offer lists"
            return [unsupported for _ in orders]
        return found

    def _list_refusal(self, order: WorkingOrder, names: set[str]) -> Refusal | None:
        now_ns = self._life.recorder.now_ns
        if names.intersection(_names(order)):
            return _duplicate(order)
        if order.client_order_id in order.desk.orders:
            return _duplicate(order)
        if order.is_idle:
            return admission.terms_refusal(order, self._settings, now_ns)
        return admission.refusal(order, self._settings, now_ns)

    def _refuse_list(self, orders: list[WorkingOrder], refusals: list[Refusal | None]) -> None:
        culprit = next(
            order for order, refused in zip(orders, refusals, strict=True) if refused is not None
        )
        for order, refused in zip(orders, refusals, strict=True):
            others = (
                f"the list is taken whole or not at all, and {culprit.client_order_id} is refused"
            )
            reason, text = refused or (RejectReason.OTHER, others)
            order.group = None
            if order.client_order_id in order.desk.orders:
                reason = RejectReason.DUPLICATE_CLIENT_ORDER_ID
            self._life.refuse(order, reason, text)

    def _exit_refusal(self, leg: WorkingOrder) -> Refusal | None:
        if not self._settings.native_exits:
            return RejectReason.UNSUPPORTED, "this venue does not offer exits of a position"
        if leg.client_order_id in leg.desk.orders:
            return _duplicate(leg)
        return None if leg.leg is None else admission.leg_refusal(leg, leg.leg, self._settings)

    def _replace_exits(self, desk: Desk, position_id: str, legs: list[WorkingOrder]) -> None:
        for exits in tuple(desk.exits.get(position_id, ())):
            exits.cancel(self._life, "the position has new exits")
        desk.exits.pop(position_id, None)
        if not legs:
            return
        exits = Exits(desk, None, position_id)
        desk.exits[position_id] = [exits]
        for leg in legs:
            leg.leg_of = exits
            exits.legs.append(leg)
            self._begin(leg)
        self._matcher.settle_agenda()


def _duplicate(order: WorkingOrder) -> Refusal:
    text = f"client order id {order.client_order_id} is taken for ever by another order"
    return RejectReason.DUPLICATE_CLIENT_ORDER_ID, text


def _names(order: WorkingOrder) -> list[str]:
    legs = legs_of(order.client_order_id, order.stop_loss, order.take_profit)
    return [order.client_order_id, *(name for _, name, _ in legs)]
