"""Where orders are sent in.

Each is journalled, sent once, and answered by evidence, never by a guess. Whoever waits may stop
waiting; the order itself goes on, and what it brings is taken in.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.errors import (
    DragomanError,
    DuplicateOrderError,
    InvalidOrderError,
    OrderRejectedError,
    Outcome,
    OutcomeUnknownError,
    RejectReason,
    UnknownReason,
    UnsupportedError,
    Violation,
)
from dragoman.models.enums import EventSource, OrderStatus
from dragoman.models.order import CommandResult
from dragoman.ports import ListPort

from .blotter import is_definite
from .checks import other_terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dragoman.models import Contingency, Order, OrderRequest

    from .blotter import Blotter

__all__ = ["OrderDesk"]

_DUPLICATE: Final = RejectReason.DUPLICATE_CLIENT_ORDER_ID


@attrs.define
class _Sending:
    """One order on its way; what it failed by, once it has. Kept while anyone waits for it."""

    failure: DragomanError | None = None

    @property
    def is_refused(self) -> bool:
        return self.failure is not None and is_definite(self.failure)


def _id_of(request: OrderRequest) -> str:
    return request.client_order_id or ""


class OrderDesk:
    """Sends the orders of one account."""

    def __init__(self, blotter: Blotter) -> None:
        self._blotter = blotter
        self._tracker = blotter.tracker
        self._sendings: dict[str, _Sending] = {}

    def is_new(self, request: OrderRequest) -> bool:
        """Tell whether an order was not sent before.

        Raises:
            DuplicateOrderError: Its client order id stands for other terms (NOT_SENT).
        """
        client_order_id = _id_of(request)
        known = self._blotter.journal.intent(client_order_id)
        if known == request:
            return False
        if known is not None:
            raise self._duplicate(client_order_id, "other terms", other_terms(request, known))
        if not self._tracker.is_taken(client_order_id):
            return True
        found = other_terms(request, self._blotter.order(client_order_id))
        if found:
            raise self._duplicate(client_order_id, "an order that was not sent from here", found)
        return False

    def are_new(self, requests: Sequence[OrderRequest]) -> bool:
        """Tell whether no order of a list was sent before; all of them may have been.

        Raises:
            DuplicateOrderError: Some were and some were not, or one with other terms (NOT_SENT).
            InvalidOrderError: Two of them have one id (NOT_SENT).
        """
        ids = [_id_of(request) for request in requests]
        twice = sorted({one for one in ids if ids.count(one) > 1})
        if twice:
            found = Violation.of("client_order_id", twice[0], "an id of its own for each order")
            raise InvalidOrderError.of("submit_list", [found])
        new = [self.is_new(request) for request in requests]
        if any(new) and not all(new):
            raise self._duplicate(ids[new.index(False)], "an order sent before this list")
        return all(new)

    async def submit(self, request: OrderRequest, timeout_s: float) -> Order:
        """Send one order and return it at the first evidence; one sent before is waited for.

        Raises:
            DuplicateOrderError: The client order id stands for other terms (NOT_SENT).
            HaltedError: Trading is halted (NOT_SENT).
            OrderRejectedError: The venue refused it (REJECTED).
            OutcomeUnknownError: No evidence within `timeout_s`; the order stays tracked (UNKNOWN).
        """
        client_order_id = _id_of(request)
        if self.is_new(request):
            self._begin([request])
            self._blotter.scope.spawn(self._send(request), f"submit {client_order_id}")
        sending = self._sendings.get(client_order_id)
        return await self._first_word(client_order_id, sending, timeout_s)

    async def submit_list(
        self,
        requests: Sequence[OrderRequest],
        contingency: Contingency,
        timeout_s: float,
        *,
        all_or_none: bool,
    ) -> tuple[CommandResult, ...]:
        """Send orders in one request; each row is one order's own fate, found by its id."""
        if self.are_new(requests):
            self._begin(requests)
            self._blotter.scope.spawn(
                self._send_list(requests, contingency, all_or_none=all_or_none),
                f"list {_id_of(requests[0])}",
            )
        rows = [
            self._row(name, self._sendings.get(name), timeout_s) for name in map(_id_of, requests)
        ]
        return tuple(await asyncio.gather(*rows))

    def _duplicate(
        self, client_order_id: str, by_what: str, found: Sequence[Violation] = ()
    ) -> DuplicateOrderError:
        terms = "".join(f"; {one}" for one in found)
        message = f"client order id {client_order_id!r} is taken by {by_what}{terms}"
        return DuplicateOrderError(message, provider=self._blotter.provider)

    def _begin(self, requests: Sequence[OrderRequest]) -> None:
        """Write the intents down and track them: all of them or, if one can't be, none."""
        self._blotter.check_open()
        self._blotter.check_halt()
        journal, now_ns = self._blotter.journal, self._blotter.now_ns
        try:
            for request in requests:
                journal.record_intent(request)
            self._blotter.tell([self._tracker.register(request, now_ns) for request in requests])
        except DragomanError:
            for request in requests:
                journal.forget_intent(_id_of(request))
                self._tracker.forget(_id_of(request))
            raise
        self._sendings |= {_id_of(request): _Sending() for request in requests}

    async def _send(self, request: OrderRequest) -> None:
        client_order_id = _id_of(request)
        try:
            await self._exchange(request)
        except BaseException:
            self._doubt(client_order_id)
            raise
        finally:
            self._sendings.pop(client_order_id, None)

    async def _exchange(self, request: OrderRequest) -> None:
        try:
            self._blotter.check_halt()
            order = await self._blotter.adapter.submit(request)
            self._blotter.answer_to(_id_of(request), order)
        except DragomanError as error:
            await self._take_refusal(request, error)

    async def _take_refusal(self, request: OrderRequest, error: DragomanError) -> None:
        """Take in a failed submit; that an id is taken means that the first order of it exists."""
        client_order_id = _id_of(request)
        is_taken = _reason_of(error) is _DUPLICATE
        if not is_taken or self._tracker.has_evidence(client_order_id):
            self._failed(client_order_id, error)
            return
        try:
            first = await self._blotter.adapter.fetch_order(
                self._blotter.account_id, client_order_id=client_order_id, symbol=request.symbol
            )
        except DragomanError:
            first = None
        if first is None:
            self._failed(client_order_id, self._unseen(error))
        else:
            self._take_first(request, first)

    def _take_first(self, request: OrderRequest, first: Order) -> None:
        """Let the order that has the id be this one or, with other terms, itself."""
        client_order_id = _id_of(request)
        found = other_terms(request, first)
        if found:
            self._blotter.journal.forget_intent(client_order_id)
            self._tracker.forget(client_order_id)
            error = self._duplicate(client_order_id, "an order that was not sent from here", found)
            error.outcome = Outcome.REJECTED
            self._sendings.setdefault(client_order_id, _Sending()).failure = error
        self._blotter.answer(first, EventSource.RECONCILED)

    def _unseen(self, error: DragomanError) -> OutcomeUnknownError:
        return OutcomeUnknownError(
            f"{error.message}; the order that has the id is not to be seen",
            reason=UnknownReason.BAD_RESPONSE,
            provider=self._blotter.provider,
            code=error.code,
        )

    async def _send_list(
        self, requests: Sequence[OrderRequest], contingency: Contingency, *, all_or_none: bool
    ) -> None:
        waiting = {_id_of(request): request for request in requests}
        try:
            rows = await self._ask_list(requests, contingency, all_or_none=all_or_none)
            found = {row.client_order_id: row for row in reversed(rows)}
            self._fail_all(waiting.keys() - found.keys(), self._no_row())
            named = [(waiting[name], found[name]) for name in waiting if name in found]
            await asyncio.gather(*[self._take_row(request, row) for request, row in named])
        except DragomanError as error:
            self._fail_all(waiting, error)
        except BaseException:
            for client_order_id in waiting:
                self._doubt(client_order_id)
            raise
        finally:
            for request in requests:
                self._sendings.pop(_id_of(request), None)

    async def _ask_list(
        self, requests: Sequence[OrderRequest], contingency: Contingency, *, all_or_none: bool
    ) -> tuple[CommandResult, ...]:
        self._blotter.check_halt()
        adapter = self._blotter.adapter
        if not isinstance(adapter, ListPort):
            message = f"{self._blotter.provider} takes no lists of orders"
            raise UnsupportedError(message, provider=self._blotter.provider)
        return await adapter.submit_list(requests, contingency, all_or_none=all_or_none)

    async def _take_row(self, request: OrderRequest, row: CommandResult) -> None:
        try:
            if row.order is not None:
                self._blotter.answer_to(row.client_order_id, row.order)
        except DragomanError as error:
            self._failed(row.client_order_id, error)
        if row.error is not None or row.order is None:
            await self._take_refusal(request, row.error or self._no_row())

    def _no_row(self) -> OutcomeUnknownError:
        return OutcomeUnknownError(
            "the answer to the list says nothing about this order",
            reason=UnknownReason.BAD_RESPONSE,
            provider=self._blotter.provider,
        )

    def _fail_all(self, client_order_ids: Iterable[str], error: DragomanError) -> None:
        for client_order_id in sorted(client_order_ids):
            self._failed(client_order_id, error)

    def _failed(self, client_order_id: str, error: DragomanError) -> None:
        """Take in a failure for what it proves, and no more."""
        self._sendings.setdefault(client_order_id, _Sending()).failure = error
        if not is_definite(error):
            self._doubt(client_order_id)
        elif not self._is_contradicted(client_order_id, error):
            self._refuse(client_order_id, error)
        self._blotter.watch.wake(client_order_id)

    def _is_contradicted(self, client_order_id: str, error: DragomanError) -> bool:
        """Tell whether the venue has shown the order that it, or the adapter, now denies.

        An order on its way only is no contradiction to a refusal, except that of a duplicate: then
        the one that is there is this one.
        """
        if not self._tracker.has_evidence(client_order_id):
            return False
        if error.outcome is Outcome.NOT_SENT or _reason_of(error) is _DUPLICATE:
            return True
        return self._blotter.order(client_order_id).status is not OrderStatus.PENDING

    def _refuse(self, client_order_id: str, error: DragomanError) -> None:
        is_sent = error.outcome is not Outcome.NOT_SENT
        if not is_sent:
            self._blotter.journal.forget_intent(client_order_id)
        self._blotter.tell(
            self._tracker.refuse(
                client_order_id,
                _reason_of(error) if is_sent else RejectReason.NEVER_ARRIVED,
                error.message,
                code=error.code,
                at_ns=self._blotter.now_ns,
                is_sent=is_sent,
            )
        )

    def _doubt(self, client_order_id: str) -> None:
        self._blotter.tell(self._tracker.doubt(client_order_id, self._blotter.now_ns))

    async def _row(
        self, client_order_id: str, sending: _Sending | None, timeout_s: float
    ) -> CommandResult:
        try:
            order = await self._first_word(client_order_id, sending, timeout_s)
        except DragomanError as error:
            now = self._tracker.order(client_order_id)
            return CommandResult(client_order_id=client_order_id, order=now, error=error)
        return CommandResult(client_order_id=client_order_id, order=order)

    async def _first_word(
        self, client_order_id: str, sending: _Sending | None, timeout_s: float
    ) -> Order:
        """Wait for the first evidence of an order, from whichever side it comes."""
        sending = sending or _Sending()

        def is_settled() -> bool:
            return sending.is_refused or self._tracker.has_evidence(client_order_id)

        await self._blotter.watch.until(client_order_id, is_settled, timeout_s)
        if not is_settled():
            if not self._blotter.watch.is_closed:
                self._doubt(client_order_id)
            raise self._blotter.unknown("submit", client_order_id, sending.failure)
        if isinstance(sending.failure, DuplicateOrderError):
            raise sending.failure
        order = self._blotter.order(client_order_id)
        if order.status is not OrderStatus.REJECTED and self._tracker.has_evidence(client_order_id):
            return order
        if sending.failure is not None and sending.is_refused:
            raise sending.failure
        raise self._rejected(order)

    def _rejected(self, order: Order) -> OrderRejectedError:
        cause = order.reason or order.reject_reason
        return OrderRejectedError(
            f"{self._blotter.provider} rejected order {order.client_order_id}: {cause}",
            reason=order.reject_reason or RejectReason.OTHER,
            client_order_id=order.client_order_id,
            provider=self._blotter.provider,
            code=order.venue_code,
        )


def _reason_of(error: DragomanError) -> RejectReason:
    return error.reason if isinstance(error, OrderRejectedError) else RejectReason.OTHER
