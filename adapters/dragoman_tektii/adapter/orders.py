"""Commands on orders, and how orders are found again.

A gateway keeps no order under its client's id: it lists what its broker lists. So an order is
looked for among those that are open and those that ended, by a filter that some brokers pass over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from dragoman.errors import (
    ConflictError,
    DragomanError,
    NotFoundError,
    Outcome,
    OutcomeUnknownError,
    ProtocolError,
    UnknownReason,
    UnsupportedError,
)
from dragoman.models import OrderStatus, PendingAction
from dragoman_tektii.mapping.asking import (
    change_body,
    leg_names,
    order_body,
    token_of,
    window_query,
)
from dragoman_tektii.mapping.orders import execution_of, order_of, taken_order
from dragoman_tektii.mapping.words import STATUSES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dragoman.models import Order, OrderChange, OrderRequest, Window
    from dragoman_tektii.rest import Query
    from dragoman_tektii.wire import CancelRow, ModifiedRow, OrderRow, TradeRow

    from .session import Session

__all__ = ["Orders"]

_WAITING: Final = frozenset({"PENDING", "OPEN"})
"""What an order is called that has met nothing yet."""
_SHORT_S: Final = 2.0
_BRACKETLESS: Final = "binance-"
"""Platforms at which a gateway takes an entry with two exits, and places neither of them."""


class Orders:
    """The orders of one session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._rest = session.rest

    async def submit(self, request: OrderRequest) -> Order:
        """Send one order, once.

        Raises:
            UnsupportedError: The gateway is known to lose a part of it (NOT_SENT).
        """
        self._session.check_account(request.account_id)
        self._check(request)
        token = token_of(request.client_order_id or "")
        body, book = order_body(request, token), self._session.book
        book.expect_legs(leg_names(request, token))
        row = await self._rest.submit(body)
        if row.client_order_id not in {None, token}:
            raise self._misled(f"the answer to order {token} is about {row.client_order_id!r:.70}")
        book.name(row.id, token)
        order = taken_order(request, row, self._session.reading())
        if row.status not in _WAITING:
            order = await self._as_it_stands(order, row.id)
        return self._session.answered(order)

    async def replace(self, order: Order, change: OrderChange) -> Order:
        """Change an order; its broker may give it a new id.

        Raises:
            UnsupportedError: The gateway's id of the order is not known yet, or it changes what
                can't be changed (NOT_SENT).
        """
        self._session.check_account(order.account_id)
        order_id = order.venue_order_id
        if order_id is None:
            message = f"the gateway's id of order {order.client_order_id} is not known yet"
            raise UnsupportedError(message, provider=self._provider)
        if (
            change.trailing is not None
            and order.trailing is not None
            and change.trailing.unit is not order.trailing.unit
        ):
            message = "a gateway does not change how a trailing distance counts"
            raise UnsupportedError(message, provider=self._provider)
        body, book = change_body(change), self._session.book
        book.changing(order_id)
        try:
            row = await self._rest.modify(order_id, body)
        except DragomanError as error:
            if error.outcome is not Outcome.UNKNOWN:
                book.changed(order_id, None)
            self._session.watch.suspect(order_id)
            raise
        return self._replaced(order, order_id, row)

    async def cancel(self, order: Order) -> Order:
        """Ask for the end of an order, which is looked for if the gateway's id is not known yet.

        Raises:
            NotFoundError: The gateway shows no such order (REJECTED).
            ConflictError: It can't be canceled (REJECTED).
        """
        self._session.check_account(order.account_id)
        order_id = order.venue_order_id
        if order_id is None:
            found = await self._find(token_of(order.client_order_id))
            if found is None:
                message = f"the gateway shows no order {order.client_order_id}"
                raise NotFoundError(message, provider=self._provider)
            order_id = found.id
        return self._canceled(order, order_id, await self._rest.cancel(order_id))

    async def find(
        self, *, client_order_id: str | None, venue_order_id: str | None
    ) -> Order | None:
        """Look one order up; None: it is not visible now."""
        if venue_order_id is None:
            row = await self._find(token_of(client_order_id or ""))
        else:
            row = await self._by_id(venue_order_id)
        if row is None or not row.symbol:
            return None
        return self._named(order_of(row, self._session.reading()), client_order_id)

    async def open(self, symbol: str | None) -> tuple[Order, ...]:
        """Return every order that may still execute, whatever else the gateway lists."""
        found = self._read(await self._rest.orders())
        return tuple([one for one in found if one.is_open and symbol in (None, one.symbol)])

    async def all(self, window: Window, symbol: str | None) -> list[Order]:
        """Return the orders created in a window, oldest first."""
        query = window_query(window, symbol=symbol)
        found: dict[str, Order] = {}
        for rows in (await self._rest.orders(query), await self._rest.history(query)):
            for order in self._read(rows):
                found[order.venue_order_id or ""] = order
        superseded = {one for order in found.values() for one in order.venue_order_ids[:-1]}
        listed = [
            order
            for order_id, order in found.items()
            if order_id not in superseded
            and symbol in (None, order.symbol)
            and (order.created_at_ns is None or window.covers(order.created_at_ns))
        ]
        listed.sort(key=lambda one: (one.created_at_ns or 0, one.venue_order_id or ""))
        return listed[: window.limit]

    async def executions(self) -> list[TradeRow]:
        """Return what the orders that ended have filled, each as one execution."""
        rows = {row.id: row for row in (*await self._rest.orders(), *await self._rest.history())}
        for row in rows.values():
            self._session.book.learn(row)
        return [made for row in rows.values() if (made := execution_of(row)) is not None]

    @property
    def _provider(self) -> str:
        return self._session.context.provider

    def _check(self, request: OrderRequest) -> None:
        is_pair = request.stop_loss is not None and request.take_profit is not None
        lossy = [one for one in self._session.platforms if one.startswith(_BRACKETLESS)]
        if is_pair and lossy:
            message = f"a gateway to {lossy[0]} takes an entry with both exits and places neither"
            raise UnsupportedError(message, provider=self._provider)

    async def _as_it_stands(self, taken: Order, order_id: str) -> Order:
        """Return an order that met its fate at once: the answer to a new order says no more of it.

        Where that can't be read now, it is told as on its way, and followed.
        """
        try:
            row = await self._rest.order(order_id, timeout_s=_SHORT_S)
            if row.id != order_id or not row.symbol:
                return taken
            order = order_of(row, self._session.reading())
        except DragomanError:
            return taken
        return attrs.evolve(order, client_order_id=taken.client_order_id)

    async def _by_id(self, order_id: str) -> OrderRow | None:
        """Return an order by the gateway's id; some lose those of orders that ended."""
        try:
            return await self._rest.order(order_id)
        except NotFoundError:
            name = self._session.book.name_of(order_id)
            row = None if name is None else await self._find(token_of(name))
        return row if row is not None and row.id == order_id else None

    async def _find(self, token: str) -> OrderRow | None:
        """Return the newest order of a name, among the open ones and then among the ended."""
        query: Query = (("client_order_id", token),)
        for rows in (await self._rest.orders(query), await self._rest.history(query)):
            named = [row for row in rows if row.client_order_id == token]
            if named:
                return max(named, key=lambda row: row.created_at or "")
        return None

    def _read(self, rows: Iterable[OrderRow]) -> list[Order]:
        """Read rows; those without a symbol are no orders."""
        reading = self._session.reading()
        rows = [row for row in rows if row.symbol]
        for row in rows:
            self._session.book.learn(row)  # an entry may be listed behind its exits
        return [order_of(row, reading) for row in rows]

    def _replaced(self, order: Order, order_id: str, row: ModifiedRow) -> Order:
        new_id = row.order.id
        if row.previous_order_id not in {None, order_id}:
            raise self._misled(f"the answer to a change of {order_id} is about another order")
        if row.previous_order_id is None and new_id != order_id:
            raise self._misled(f"the answer to a change of {order_id} is about {new_id}")
        book = self._session.book
        book.changed(order_id, new_id)
        book.name(new_id, book.name_of(order_id) or token_of(order.client_order_id))
        book.revise(new_id, order.revision + 1)
        try:
            changed = order_of(row.order, self._session.reading())
        except ProtocolError as error:
            raise self._misled(error.message) from None
        changed = attrs.evolve(
            changed,
            client_order_id=order.client_order_id,
            revision=order.revision + 1,
            venue_order_ids=tuple(dict.fromkeys((*order.venue_order_ids, new_id))),
        )
        return self._session.answered(changed)

    def _canceled(self, order: Order, order_id: str, row: CancelRow) -> Order:
        """Return an order as a cancel left it; some answers tell nothing of it but that."""
        if not row.success:
            message = f"the gateway did not cancel order {order.client_order_id}"
            raise ConflictError(message, provider=self._provider)
        self._session.watch.suspect(order_id)
        found = row.order
        if found is not None and found.id not in {order_id, ""}:
            raise self._misled(f"the answer to a cancel of {order_id} is about {found.id}")
        if found is None or not found.symbol or not found.quantity:
            status = STATUSES.get(found.status if found else "", OrderStatus.OPEN)
            has_ended = status is OrderStatus.CANCELED
            return attrs.evolve(
                order,
                status=OrderStatus.CANCELED if has_ended else order.status,
                pending=None if has_ended else PendingAction.CANCEL,
                venue_order_ids=order.venue_order_ids or (order_id,),
                received_at_ns=self._session.context.clock.now_ns(),
            )
        try:
            canceled = order_of(found, self._session.reading())
        except ProtocolError as error:
            raise self._misled(error.message) from None
        return attrs.evolve(canceled, client_order_id=order.client_order_id)

    def _named(self, order: Order, client_order_id: str | None) -> Order:
        """Name an order by the id that it was asked for by, if its own is the token of that."""
        if client_order_id is None or order.client_order_id != token_of(client_order_id):
            return order
        return attrs.evolve(order, client_order_id=client_order_id)

    def _misled(self, message: str) -> OutcomeUnknownError:
        return OutcomeUnknownError(
            message, reason=UnknownReason.BAD_RESPONSE, provider=self._provider
        )
