"""Orders: what is sent of them, and what is read of them and of all that they lead to."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, TypeVar

import attrs

from dragoman.errors import (
    DragomanError,
    NotFoundError,
    OrderRejectedError,
    Outcome,
    OutcomeUnknownError,
    ProtocolError,
    RejectReason,
    UnknownReason,
    UnsupportedError,
)
from dragoman.models import PendingAction, TimeInForce
from dragoman.models.order import CommandResult
from dragoman.money import ZERO
from dragoman.times import DAY_NS, MINUTE_NS, SECOND_NS
from dragoman_alpaca.mapping.account import ledger_entry_of, position_of
from dragoman_alpaca.mapping.orders import (
    UNNAMED,
    follow,
    is_on_its_way,
    order_of,
    order_of_chain,
    orders_of,
    sighting_of,
    token_of,
)
from dragoman_alpaca.mapping.requests import change_body, exit_names, list_body, order_body
from dragoman_alpaca.mapping.updates import fill_of_activity

from .chains import Chains
from .session import CRYPTO, with_raw

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from dragoman.models import (
        Contingency,
        Fill,
        LedgerEntry,
        LedgerKind,
        Order,
        OrderChange,
        OrderRequest,
        Position,
        Window,
    )
    from dragoman_alpaca.rest import Seen
    from dragoman_alpaca.wire.trading import OrderRow

    from .session import Session

__all__ = ["OrderCalls"]

_TRADED: Final = ("FILL",)
_NOT_TRADED: Final = "non_trade_activity"
_REPLACED: Final = "replaced"
_REJECTED: Final = "rejected"
_DUPLICATE: Final = RejectReason.DUPLICATE_CLIENT_ORDER_ID
_LONGEST_ANSWER_NS: Final = MINUTE_NS
"""For how long the stream may tell legs of an order before its answer, or a lookup, names them."""
_SKEW_NS: Final = MINUTE_NS
"""By how much an order's creation and its submission, by which Alpaca lists, may lie apart."""
_POSTED_BEFORE_NS: Final = 7 * DAY_NS
_POSTED_AFTER_NS: Final = 31 * DAY_NS
"""Activities are listed by when they were posted, which is often long after the day they are of."""

Read = TypeVar("Read")

_log: Final = logging.getLogger(__name__)


class OrderCalls:
    """What an adapter asks about orders. Stateless, but for names and rows that never change."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._rest = session.rest.trading
        self._chains = Chains(self._rest)

    async def submit(self, request: OrderRequest) -> Order:
        """Send one order, its exits with it."""
        sent = _as_sent(request)
        token = sent.client_order_id
        body = order_body(sent, default=self._default_time(request.symbol))
        if request.stop_loss is None and request.take_profit is None:
            seen = await self._rest.submit(body, token)
        else:
            seen = await self._submit_with_legs(body, token, exit_names([request]))
        order = self._answered(seen, lambda: self._orders_in(seen)[0])
        return _named(order, request.client_order_id)

    async def submit_list(
        self, requests: Sequence[OrderRequest], contingency: Contingency
    ) -> tuple[CommandResult, ...]:
        """Send orders that depend on each other as one; one result per request, in order."""
        default = self._default_time(requests[0].symbol)
        body = list_body([_as_sent(one) for one in requests], contingency, default=default)
        names = exit_names(requests, contingency)
        legs = set(names.values())
        name = next(one.client_order_id for one in requests if one.client_order_id not in legs)
        token = None if name is None else token_of(name, 0)
        seen = await self._submit_with_legs(body, token, names)
        orders = self._answered(seen, lambda: self._orders_in(seen))
        named = [_named(order, name) for order in orders]
        found = {order.client_order_id: order for order in named}
        return tuple([_result(one.client_order_id or "", found) for one in requests])

    async def _submit_with_legs(
        self, body: Mapping[str, object], token: str | None, names: Mapping[str, str]
    ) -> Seen[OrderRow]:
        """Send an order whose legs get ids of Alpaca's own, which only its answer tells apart."""
        legs, now_ns = self._session.reading().legs, self._session.context.clock.now_ns()
        if token is None:
            return await self._rest.submit(body, token)
        legs.expect(token, names)
        legs.sending(token, now_ns + _LONGEST_ANSWER_NS)
        try:
            seen = await self._rest.submit(body, token)
        except DragomanError as error:
            if error.outcome is not Outcome.UNKNOWN:
                legs.answered(token)
            raise
        legs.learn(seen.row)
        legs.answered(token)
        return seen

    async def replace(self, order: Order, change: OrderChange) -> Order:
        """Ask for a change; what comes of it is another order at Alpaca, which may be refused.

        Raises:
            OrderRejectedError: Alpaca made the other order, and refused it (REJECTED).
            UnsupportedError: The order is not known to Alpaca by an id yet, or can't be changed so
                (NOT_SENT).
        """
        venue_id = self._venue_id(order, "replaced")
        lineage = self._session.reading().lineage
        lineage.put(
            venue_id,
            None,
            name=token_of(order.client_order_id, 0),
            revision=order.revision,
            filled=ZERO,
        )
        lineage.asked(venue_id)
        seen = await self._patch(order, venue_id, change)
        follow(seen.row, self._session.reading())
        if seen.row.status == _REJECTED:
            message = f"the replace of {order.client_order_id} was refused"
            raise OrderRejectedError(message, code=seen.row.reject_reason)
        changed = self._answered(seen, lambda: self._changed(seen))
        return _named(changed, order.client_order_id)

    async def _patch(self, order: Order, venue_id: str, change: OrderChange) -> Seen[OrderRow]:
        """Send a change, under the next token that no refused replacement has used up.

        Alpaca gives a client order id to one order ever, and keeps those that never worked. What it
        answers to a used one proves that this change was refused, so it may be sent again.
        """
        revision, refusal = order.revision, None
        while True:
            revision += 1
            token = token_of(order.client_order_id, revision)
            try:
                return await self._rest.replace(venue_id, change_body(order, change, token), token)
            except OrderRejectedError as error:
                if error.reason is not _DUPLICATE or not await self._is_used_up(token):
                    raise
                refusal = error
            except DragomanError as error:
                if refusal is None or error.outcome is not Outcome.NOT_SENT:
                    raise
                raise refusal from error  # bytes were sent, though not these

    async def _is_used_up(self, token: str) -> bool:
        """Tell whether a token belongs to a replacement that was refused."""
        try:
            seen = await self._rest.order_by_client_id(token)
        except DragomanError:
            return False
        return bool(seen.row.replaces) and seen.row.status == _REJECTED

    async def cancel(self, order: Order) -> Order:
        """Ask for the end of an order; the answer says that it is on its way, and no more.

        Raises:
            UnsupportedError: The order is not known to Alpaca by an id yet (NOT_SENT).
        """
        await self._rest.cancel(self._venue_id(order, "canceled"))
        return self._canceling(order)

    async def cancel_all(self) -> tuple[CommandResult, ...]:
        """Cancel every order in one request; what its answer leaves out, one by one."""
        orders = await self.open_orders(None)
        said = await self._rest.cancel_all()
        results = [await self._row_result(orders, *row) for row in said]
        done = {result.client_order_id for result in results}
        rest = [order for order in orders if order.client_order_id not in done]
        return (*results, *[await self._cancel_result(order) for order in rest])

    async def find(self, client_order_id: str | None, venue_order_id: str | None) -> Order | None:
        """Look an order up with all that replaces have made of it; None: not visible now."""
        parent = None
        if venue_order_id is None and client_order_id is not None:
            parent = self._session.reading().legs.parent_of(client_order_id)
        try:
            if parent is not None:
                return await self._leg(parent, client_order_id)
            if venue_order_id is not None:
                seen = await self._rest.order(venue_order_id)
            elif client_order_id is not None:
                seen = await self._rest.order_by_client_id(token_of(client_order_id, 0))
            else:
                return None
        except NotFoundError:
            return None
        order, _ = await self._whole(seen)
        return _named(order, client_order_id)

    async def open_orders(self, symbol: str | None) -> tuple[Order, ...]:
        """Read every order that may still execute, held legs too, each once."""
        found: dict[str, Order] = {}
        rows = await self._rest.open_orders()
        ids = {seen.row.id for seen in rows}
        for seen in rows:
            is_second = is_on_its_way(seen.row) and seen.row.replaces in ids
            if is_second or not seen.row.replaces:
                orders = self._orders_in(seen)
            else:
                orders = await self._all_of(seen)
            for order in orders:
                if order.is_open and symbol in (None, order.symbol) and _is_named(order):
                    found.setdefault(order.client_order_id, order)
        return tuple(found.values())

    async def history(self, window: Window, symbol: str | None) -> AsyncIterator[Order]:
        """Read the orders created in a window, oldest first, each as it stands now.

        What replaces another order is told with the first one, when that was created.
        """
        symbols = [] if symbol is None or self._is_crypto(symbol) else [symbol]
        pages = self._rest.orders(
            after_ns=_shifted(window.start_ns, -_SKEW_NS),
            until_ns=_shifted(window.end_ns, _SKEW_NS),
            symbols=symbols,
        )
        left = window.limit
        async for page in pages:
            for seen in page:
                self._chains.take(seen)
            for seen in [one for one in page if not one.row.replaces]:
                for order in await self._all_of(seen):
                    if not _is_within(order, window, symbol):
                        continue
                    yield order
                    left = None if left is None else left - 1
                    if left == 0:
                        return

    async def positions(self, symbol: str | None) -> tuple[Position, ...]:
        """Read the open positions."""
        rows = await self._rest.positions()
        reading = self._session.reading()
        currency = self._session.currency
        found = [with_raw(position_of(seen.row, reading, currency=currency), seen) for seen in rows]
        return tuple([one for one in found if symbol in (None, one.symbol)])

    async def fills(self, window: Window, symbol: str | None) -> AsyncIterator[Fill]:
        """Read the fills of a window, oldest first."""
        rows = self._rest.activities(
            kinds=_TRADED,
            after_ns=_shifted(window.start_ns, -SECOND_NS),
            until_ns=_shifted(window.end_ns, DAY_NS),
        )
        left = window.limit
        async for seen in rows:
            fill = fill_of_activity(seen.row, self._session.reading())
            if fill is None or not window.covers(fill.venue_time_ns):
                continue
            if symbol in (None, fill.symbol):
                yield with_raw(fill, seen)
                left = None if left is None else left - 1
                if left == 0:
                    return

    async def ledger(
        self, window: Window, kinds: Sequence[LedgerKind]
    ) -> AsyncIterator[LedgerEntry]:
        """Read what moved cash or quantity and is no fill, oldest first."""
        rows = self._rest.activities(
            category=_NOT_TRADED,
            after_ns=_shifted(window.start_ns, -_POSTED_BEFORE_NS),
            until_ns=_shifted(window.end_ns, _POSTED_AFTER_NS),
        )
        found: list[LedgerEntry] = []
        async for seen in rows:
            entry = ledger_entry_of(seen.row, self._session.reading())
            if entry is not None and window.covers(entry.venue_time_ns):
                found.append(with_raw(entry, seen))
        wanted = [one for one in found if not kinds or one.kind in kinds]
        wanted.sort(key=lambda entry: entry.venue_time_ns)
        for entry in wanted[: window.limit]:
            yield entry

    def _default_time(self, symbol: str) -> TimeInForce:
        """Return what no time in force means: pairs have no days."""
        return TimeInForce.GTC if self._is_crypto(symbol) else TimeInForce.DAY

    def _is_crypto(self, symbol: str) -> bool:
        """Tell whether a symbol is a pair: Alpaca's filter takes those in another spelling."""
        return self._session.asset_class_of(symbol) == CRYPTO

    def _venue_id(self, order: Order, verb: str) -> str:
        if order.venue_order_id is not None:
            return order.venue_order_id
        message = (
            f"order {order.client_order_id} can't be {verb} yet: Alpaca's id of it is not known"
        )
        raise UnsupportedError(message, provider=self._session.context.provider)

    def _canceling(self, order: Order) -> Order:
        now_ns = self._session.context.clock.now_ns()
        return attrs.evolve(order, pending=PendingAction.CANCEL, received_at_ns=now_ns, raw=None)

    def _answered(self, seen: Seen[OrderRow], read: Callable[[], Read]) -> Read:
        """Read the answer to a command; one that makes no sense leaves its fate open."""
        try:
            return read()
        except ProtocolError as error:
            cause = error.message
        message = f"the answer about order {seen.row.id} makes no sense: {cause}"
        raise OutcomeUnknownError(
            message, reason=UnknownReason.BAD_RESPONSE, provider=self._session.context.provider
        )

    def _changed(self, seen: Seen[OrderRow]) -> Order:
        reading = self._session.reading()
        return with_raw(order_of(seen.row, reading) or sighting_of(seen.row, reading), seen)

    def _orders_in(self, seen: Seen[OrderRow]) -> tuple[Order, ...]:
        """Read a row as it stands, its legs after it; the order itself always comes first."""
        row, reading = seen.row, self._session.reading()
        own, legs = self._parts_of(row)
        return tuple([with_raw(one, seen) for one in (own or sighting_of(row, reading), *legs)])

    def _parts_of(self, row: OrderRow) -> tuple[Order | None, tuple[Order, ...]]:
        """Read a row apart: the order itself, unless another row says it better, and its legs."""
        ids = {row.id, row.replaces}
        orders = orders_of(row, self._session.reading())
        own = next((one for one in orders if not ids.isdisjoint(one.venue_order_ids)), None)
        return own, tuple([one for one in orders if one is not own])

    async def _all_of(self, seen: Seen[OrderRow]) -> tuple[Order, ...]:
        """Read an order with all that replaces have made of it, and the legs that it has now."""
        if seen.row.status != _REPLACED and not seen.row.replaces:
            return self._orders_in(seen)
        order, newest = await self._whole(seen)
        return (order, *[with_raw(leg, newest) for leg in self._parts_of(newest.row)[1]])

    async def _whole(self, seen: Seen[OrderRow]) -> tuple[Order, Seen[OrderRow]]:
        """Read the whole chain; returns the order, and the newest row of it."""
        chain = await self._chains.around(seen)
        newest, reading = chain[-1], self._session.reading()
        reading.legs.learn(newest.row)
        for place, one in enumerate(chain):
            follow(one.row, reading, is_first=place == 0)
        order = order_of_chain([one.row for one in chain], reading)
        begun_ns = sighting_of(chain[0].row, reading).created_at_ns
        return with_raw(attrs.evolve(order, created_at_ns=begun_ns), newest), newest

    async def _leg(self, parent: str, client_order_id: str | None) -> Order | None:
        """Look a leg up that Alpaca knows by an id of its own: within what it was sent with."""
        seen = await self._rest.order_by_client_id(parent)
        if not seen.row.legs:
            seen = await self._rest.order(seen.row.id)
        orders = await self._all_of(seen)
        return next((one for one in orders if one.client_order_id == client_order_id), None)

    async def _row_result(
        self, orders: Sequence[Order], venue_id: str, error: DragomanError | None
    ) -> CommandResult:
        order = next((one for one in orders if venue_id in one.venue_order_ids), None)
        order = order or await self.find(None, venue_id)
        name = f"ext-{venue_id}" if order is None else order.client_order_id
        if order is None or error is not None:
            return CommandResult(client_order_id=name, order=order, error=error)
        return CommandResult(client_order_id=name, order=self._canceling(order))

    async def _cancel_result(self, order: Order) -> CommandResult:
        name = order.client_order_id
        try:
            return CommandResult(client_order_id=name, order=await self.cancel(order))
        except DragomanError as error:
            return CommandResult(client_order_id=name, error=error)


def _as_sent(request: OrderRequest) -> OrderRequest:
    """Return a request that goes by the token of its first revision."""
    name = request.client_order_id
    token = None if name is None else token_of(name, 0)
    return request if token == name else attrs.evolve(request, client_order_id=token)


def _named(order: Order, client_order_id: str | None) -> Order:
    """Return an order by the id that was asked for, if it is shown by the token of that."""
    if client_order_id in {None, order.client_order_id}:
        return order
    if order.client_order_id != token_of(client_order_id or "", 0):
        return order
    return attrs.evolve(order, client_order_id=client_order_id)


def _result(client_order_id: str, found: dict[str, Order]) -> CommandResult:
    order = found.get(client_order_id)
    if order is not None:
        return CommandResult(client_order_id=client_order_id, order=order)
    error = OutcomeUnknownError(
        "the answer to the list does not show this order", reason=UnknownReason.BAD_RESPONSE
    )
    return CommandResult(client_order_id=client_order_id, error=error)


def _is_named(order: Order) -> bool:
    if order.symbol != UNNAMED:
        return True
    facts = {"venue_order_ids": order.venue_order_ids}
    _log.warning("an order that names no instrument can't be followed", extra=facts)
    return False


def _is_within(order: Order, window: Window, symbol: str | None) -> bool:
    if symbol not in (None, order.symbol) or not _is_named(order):
        return False
    return order.created_at_ns is None or window.covers(order.created_at_ns)


def _shifted(instant_ns: int | None, by_ns: int) -> int | None:
    return None if instant_ns is None else instant_ns + by_ns
