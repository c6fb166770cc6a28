"""Events of the core in the protocol's messages, in the order in which clients must see them.

An order is told to exist before anything else of it, once; its execution after the order's own
event. Exits that wait for their entry to fill are not told of before they work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from dragoman.models import (
    AccountEvent,
    AccountEventKind,
    AlarmKind,
    LedgerEvent,
    LedgerKind,
    OrderEvent,
    OrderEventKind,
    OrderOrigin,
    OrderStatus,
    PositionEvent,
    ProtectionEvent,
    ProtectionKind,
)
from dragoman.money import ZERO, total
from dragoman.times import SECOND_NS

from .audience import News
from .doubles import Doubles
from .groups import group_of
from .messages import message, problem
from .order_rows import order_row
from .rows import account_row, position_row, trade_row
from .subscriptions import Topic
from .texts import amount, instant

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dragoman.models import (
        Alarm,
        Order,
        PrivateEvent,
        RateLimit,
    )

    from .desks import Desk

__all__ = ["Telling"]

_WORDS: Final = {
    OrderEventKind.REPLACED: "ORDER_MODIFIED",
    OrderEventKind.RESTATED: "ORDER_MODIFIED",
    OrderEventKind.TRIGGERED: "ORDER_MODIFIED",
    OrderEventKind.FILL_BUSTED: "ORDER_MODIFIED",
    OrderEventKind.CANCELED: "ORDER_CANCELLED",
    OrderEventKind.EXPIRED: "ORDER_EXPIRED",
    OrderEventKind.REJECTED: "ORDER_REJECTED",
}
_CREATED: Final = "ORDER_CREATED"
_COUNTED: Final = {
    "ORDER_CREATED": "created",
    "ORDER_MODIFIED": "modified",
    "ORDER_CANCELLED": "cancelled",
    "ORDER_REJECTED": "rejected",
    "ORDER_FILLED": "filled",
    "ORDER_PARTIALLY_FILLED": "partially_filled",
    "ORDER_EXPIRED": "expired",
}
_UNBEGUN: Final = frozenset({OrderEventKind.CANCELED, OrderEventKind.EXPIRED})
_NEW: Final = frozenset({OrderEventKind.ACCEPTED, OrderEventKind.ADOPTED})
_ACCOUNT: Final = {
    AccountEventKind.UPDATED: "BALANCE_UPDATED",
    AccountEventKind.MODE_CHANGED: "BALANCE_UPDATED",
    AccountEventKind.MARGIN_WARNING: "MARGIN_WARNING",
    AccountEventKind.MARGIN_CALL: "MARGIN_CALL",
}
_FINANCING: Final = frozenset({LedgerKind.FUNDING, LedgerKind.INTEREST, LedgerKind.BORROW})
_FORCED: Final = frozenset({OrderOrigin.LIQUIDATION, OrderOrigin.DELEVERAGING})
_QUIET_ALARMS: Final = frozenset({AlarmKind.LOOP_LAG})
_MOST_REMAINING: Final = 2**32 - 1
_MOST_ENDED: Final = 10_000


class Telling:
    """Turns what happens to one account into messages; it remembers which orders were told of."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._known = {
            one.client_order_id
            for one in desk.broker.state.open_orders
            if one.status not in {OrderStatus.HELD, OrderStatus.PENDING}
        }
        self._forced: set[str] = set()
        self._ended: dict[str, None] = {}
        self._doubles = Doubles(desk)
        self._held_before = {
            one.position_id: one.quantity for one in desk.broker.state.positions if one.quantity
        }

    def private(self, event: PrivateEvent) -> Iterator[News]:
        """Yield what an event of the account means to clients, in order."""
        match event:
            case OrderEvent():
                yield from self._order(event)
            case PositionEvent():
                yield from self._position(event)
            case AccountEvent():
                self._desk.keep_account(event.account)
                row = account_row(event.account, self._desk.broker.state.positions)
                word = _ACCOUNT[event.kind]
                told = message("account", self._at(event), event=word, account=row)
                yield News(told, Topic("account"))
            case LedgerEvent():
                yield from self._ledger(event)
            case ProtectionEvent():
                yield from self._protection(event)

    def _order(self, event: OrderEvent) -> Iterator[News]:
        order = event.order
        if order.origin in _FORCED and order.client_order_id not in self._forced:
            self._forced.add(order.client_order_id)
            yield self._liquidation(event)
        if event.kind is OrderEventKind.OUTCOME_UNKNOWN:
            yield self._unknown(event)
            return
        held = self._held(event)
        if held is not None:
            yield held
            return
        for word, shown in self._words(event):
            facts = {"event": word, "order": order_row(self._desk, shown, is_news=True)}
            parent = order.parent_client_order_id
            told = message("order", self._at(event), **facts, parent_order_id=parent)
            self._count(word)
            yield News(told, Topic("order"), order.symbol)
        if event.kind is OrderEventKind.FILL and event.fill is not None:
            row = trade_row(self._desk, event.fill, self._desk.currency_known)
            told = message("trade", self._at(event), event="TRADE_FILLED", trade=row)
            yield News(told, Topic("trade"), order.symbol)
            yield from self._doubled(event)
        if order.is_terminal:
            self._end(order.client_order_id)

    def _end(self, name: str) -> None:
        """Remember of an order only that it has ended, should it fill nevertheless."""
        if name in self._known:
            self._ended[name] = None
            if len(self._ended) > _MOST_ENDED:
                self._ended.pop(next(iter(self._ended)))
        self._known.discard(name)
        self._forced.discard(name)

    def _doubled(self, event: OrderEvent) -> Iterator[News]:
        order = event.order
        first = self._doubles.before(order) if order.status is OrderStatus.FILLED else None
        if first is not None:
            pair = sorted((first, order), key=lambda one: one.updated_at_ns or 0)
            names = " and ".join(one.client_order_id for one in pair)
            group = group_of(self._desk, order) or order.parent_client_order_id or order.symbol
            yield self._double(pair, group, f"both filled: {names}", self._at(event))

    def _held(self, event: OrderEvent) -> News | None:
        """Return what is told of an exit that does not work yet: only to those that ask for it."""
        order = event.order
        is_leg = order.parent_client_order_id is not None
        if not is_leg or order.client_order_id in self._known:
            return None
        word: str | None = None
        if order.status is OrderStatus.HELD:
            word = _CREATED if event.kind in _NEW else _WORDS.get(event.kind)
        elif order.is_terminal and event.kind in _UNBEGUN:
            word = _WORDS[event.kind]
        if word is None:
            return None
        row = order_row(self._desk, order, is_news=True)
        parent = order.parent_client_order_id
        told = message("order", self._at(event), event=word, order=row, parent_order_id=parent)
        return News(told, Topic("order"), order.symbol, is_usual=False)

    def _words(self, event: OrderEvent) -> Iterator[tuple[str, Order]]:
        """Yield what is told of an order, and the order as it is shown with it."""
        order = event.order
        name = order.client_order_id
        is_known = name in self._known or name in self._ended
        if order.status is OrderStatus.HELD and not is_known:
            return
        word = self._word(event)
        if not is_known and event.kind is OrderEventKind.REJECTED:
            yield "ORDER_REJECTED", order
            return
        if not is_known and (word is not None or event.kind in _NEW):
            self._known.add(name)
            first = order
            if event.kind not in _NEW and word not in {None, "ORDER_MODIFIED"}:
                first = attrs.evolve(
                    order,
                    status=OrderStatus.OPEN,
                    pending=None,
                    filled_quantity=ZERO,
                    average_fill_price=None,
                )
            yield _CREATED, first
            if first is order:
                return
        if word is not None:
            yield word, order

    def _word(self, event: OrderEvent) -> str | None:
        if event.kind is OrderEventKind.FILL:
            is_whole = event.order.status is OrderStatus.FILLED
            return "ORDER_FILLED" if is_whole else "ORDER_PARTIALLY_FILLED"
        return _WORDS.get(event.kind)

    def _count(self, word: str) -> None:
        kind = _COUNTED[word]
        platform = self._desk.platform
        self._desk.metrics.count("gateway_order_events_total", platform=platform, event_type=kind)

    def _unknown(self, event: OrderEvent) -> News:
        order = event.order
        details = {"order_id": order.client_order_id, "outcome": "UNKNOWN", "symbol": order.symbol}
        text = f"what became of order {order.client_order_id} is not known; it may be at work"
        return News(problem("INTERNAL_ERROR", text, self._at(event), details))

    def _liquidation(self, event: OrderEvent) -> News:
        order = event.order
        details = {
            "order_id": order.client_order_id,
            "symbol": self._desk.naming.spelled(order.symbol),
            "origin": str(order.origin),
        }
        text = f"the broker closes {order.symbol} by an order of its own"
        return News(problem("LIQUIDATION", text, self._at(event), details))

    def _position(self, event: PositionEvent) -> Iterator[News]:
        position = event.position
        # What was told last counts: not every broker says what a position was before.
        before = self._held_before.get(position.position_id) or event.previous_quantity or ZERO
        self._held_before.pop(position.position_id, None)
        if position.quantity:
            self._held_before[position.position_id] = position.quantity
        word = "POSITION_MODIFIED"
        if not position.quantity:
            word = "POSITION_CLOSED"
        elif not before:
            word = "POSITION_OPENED"
        row = position_row(self._desk, position, sign=-1 if before < 0 else 1)
        self._desk.keep_position(position)
        told = message("position", self._at(event), event=word, position=row)
        yield News(told, Topic("position"), position.symbol)

    def _ledger(self, event: LedgerEvent) -> Iterator[News]:
        entry = event.entry
        if entry.kind in _FINANCING and entry.symbol and entry.amount is not None:
            symbol = self._desk.naming.spelled(entry.symbol)
            paid = amount(entry.amount.amount)
            told = message("financing", self._at(event), symbol=symbol, amount=paid)
            yield News(told, Topic("trade"), entry.symbol)

    def _protection(self, event: ProtectionEvent) -> Iterator[News]:
        if event.kind is ProtectionKind.UNPROTECTED:
            self._desk.breakers.exits.failed()
            details = self._unprotected(event)
            told = problem("POSITION_UNPROTECTED", event.cause, self._at(event), details)
            yield News(told)
        elif event.kind is ProtectionKind.DOUBLE_EXIT:
            orders = self._orders(event)
            group = next((one.group_id or one.parent_client_order_id for one in orders), None)
            yield self._double(orders, group or event.position_id, event.cause, self._at(event))

    def _unprotected(self, event: ProtectionEvent) -> dict[str, object]:
        orders = self._orders(event)
        held = self._desk.broker.state.position(event.position_id)
        symbol = None if held is None else held.symbol
        parent = next((one.parent_client_order_id for one in orders), None)
        exits = [
            {
                "type": "StopLoss" if one.stop_price is not None else "TakeProfit",
                "error": one.reason or event.cause,
                "actual_order_ids": [one.client_order_id],
            }
            for one in orders
        ]
        symbol = symbol or next((one.symbol for one in orders), event.position_id)
        return {
            "position_id": event.position_id,
            "order_id": parent or next(iter(event.client_order_ids), event.position_id),
            "symbol": self._desk.naming.spelled(symbol),
            "failed_exits": exits,
            "circuit_breaker_open": self._desk.breakers.exits.is_open,
        }

    def _double(self, orders: Sequence[Order], group: str, cause: str, at_ns: int) -> News:
        platform = self._desk.platform
        self._desk.metrics.count("gateway_oco_double_exit_total", platform=platform)
        fills = [
            {
                "order_id": one.client_order_id,
                "quantity": amount(one.filled_quantity),
                "side": str(one.side),
            }
            for one in orders
        ]
        symbol = self._desk.naming.spelled(orders[0].symbol) if orders else group
        details: dict[str, object] = {
            "oco_group_id": group,
            "symbol": symbol,
            "total_exit_quantity": amount(total(one.filled_quantity for one in orders)),
        }
        details |= dict(zip(("first_fill", "second_fill"), fills, strict=False))
        return News(problem("OCO_DOUBLE_EXIT", cause, at_ns, details))

    def _orders(self, event: ProtectionEvent) -> list[Order]:
        found = [self._desk.broker.state.order(name) for name in event.client_order_ids]
        return [one for one in found if one is not None]

    def _at(self, event: PrivateEvent | Alarm) -> int:
        """Return when an event is told: now, or by the clock of a source that has its own."""
        return self._desk.now_ns(event.received_at_ns)

    def limit(self, event: RateLimit) -> News | None:
        """Return what is told of a rate limit; None where it is not known how much is left."""
        if event.remaining is None:
            return None
        return self.limited(event.remaining, event.resets_at_ns)

    def limited(self, remaining: int, resets_at_ns: int | None) -> News:
        """Return a message on how many requests are left, and until when."""
        at_ns = self._desk.now_ns()
        is_hit = remaining <= 0
        platform, kind = self._desk.platform, "hit" if is_hit else "warning"
        self._desk.metrics.count(
            "gateway_rate_limit_events_total", platform=platform, event_type=kind
        )
        told = message(
            "rate_limit",
            at_ns,
            event="RATE_LIMIT_HIT" if is_hit else "RATE_LIMIT_WARNING",
            requests_remaining=min(max(remaining, 0), _MOST_REMAINING),
            reset_at=instant(resets_at_ns or at_ns + SECOND_NS),
        )
        return News(told)

    def alarm(self, event: Alarm) -> News | None:
        """Return what is told of something that a human should look at; None for what is noise."""
        if event.kind in _QUIET_ALARMS:
            return None
        details = {"alarm": str(event.kind), "order_id": event.client_order_id}
        details["symbol"] = event.symbol
        found = {name: value for name, value in details.items() if value is not None}
        return News(problem("INTERNAL_ERROR", event.cause, self._at(event), found))
