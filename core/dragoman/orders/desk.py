"""Where orders are sent in.

Each is journalled, sent once, and answered by evidence, never by a guess. Whoever waits may stop
waiting; the order itself goes on, and what it brings is taken in.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from dragoman.capabilities import Uniqueness
from dragoman.errors import (
    DragomanError,
    DuplicateOrderError,
    InvalidOrderError,
    OutcomeUnknownError,
    UnknownReason,
    UnsupportedError,
    Violation,
)
from dragoman.models.enums import OrderStatus, PositionEffect
from dragoman.models.order import CommandResult
from dragoman.ports import ListPort
from dragoman.repeats import is_repeat

from .checks import other_terms
from .restore import recall
from .sendings import Flight, Sending
from .verdicts import Verdicts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dragoman.models import Contingency, Order, OrderRequest

    from .blotter import Blotter
    from .lookup import Resolver
    from .sendings import Sendings

__all__ = ["Flight", "OrderDesk"]


def _id_of(request: OrderRequest) -> str:
    return request.client_order_id or ""


def _only_closes(request: OrderRequest) -> bool:
    return request.position_effect is PositionEffect.CLOSE


class OrderDesk:
    """Sends the orders of one account."""

    def __init__(self, blotter: Blotter) -> None:
        self._blotter = blotter
        self._tracker = blotter.tracker
        self.sendings: Sendings = blotter.sendings
        self._verdicts = Verdicts(blotter)

    @property
    def resolver(self) -> Resolver:
        """What looks for the orders of unknown fate."""
        return self._blotter.resolver

    def on_their_way(self) -> tuple[str, ...]:
        """Return the ids of the orders on their way. Callable from any thread."""
        return self.sendings.ids

    def in_flight(self) -> dict[str, Flight]:
        """Return how far each order on its way has come. Callable from any thread."""
        return self.sendings.flights()

    def resolve_unproved(self) -> None:
        """Look for every open order without evidence that is not on its way.

        For a start: an intent that an earlier process left behind may have been sent.
        """
        for client_order_id in self._blotter.unproved():
            if client_order_id not in self.sendings:
                self._verdicts.doubt(client_order_id, is_over=True)

    def is_new(self, request: OrderRequest) -> bool:
        """Tell whether an order was not sent before.

        One that was proved never to have arrived counts as new in a repeat of what sent it, where
        the venue takes an id only once.

        Raises:
            DuplicateOrderError: Its client order id stands for other terms (NOT_SENT).
            JournalUnavailableError: What an earlier process did can't be read (NOT_SENT).
        """
        client_order_id = _id_of(request)
        intent = self._tracker.legs.intent_of(client_order_id)
        if intent is not None:
            raise self._verdicts.duplicate(client_order_id, f"what carries order {intent} on")
        journal = self._blotter.journal
        known = journal.intent(client_order_id)
        if known is not None and not recall(journal, self._tracker, client_order_id):
            raise self._verdicts.duplicate(client_order_id, "an intent that can't be recalled")
        if known == request:
            return self._is_given_back(client_order_id)
        if known is not None:
            raise self._verdicts.duplicate(
                client_order_id, "other terms", other_terms(request, known)
            )
        if not self._tracker.is_taken(client_order_id):
            return True
        found = other_terms(request, self._blotter.order(client_order_id))
        if found:
            raise self._verdicts.duplicate(
                client_order_id, "an order that was not sent from here", found
            )
        return self._is_given_back(client_order_id)

    def _is_given_back(self, client_order_id: str) -> bool:
        """Give an id back to whoever repeats what used it, if its order never arrived."""
        rule = self._blotter.adapter.capabilities.client_ids
        if not is_repeat() or rule.uniqueness is not Uniqueness.FOREVER:
            return False
        if not self._tracker.give_back(client_order_id):
            return False
        self._blotter.journal.forget([client_order_id])
        return True

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
            raise self._verdicts.duplicate(ids[new.index(False)], "an order sent before this list")
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
        sending = self.sendings.of(client_order_id)
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
            self._row(name, self.sendings.of(name), timeout_s) for name in map(_id_of, requests)
        ]
        return tuple(await asyncio.gather(*rows))

    def _begin(self, requests: Sequence[OrderRequest]) -> None:
        """Write the intents down and track them: all of them or, if one can't be, none."""
        self._blotter.check_open()
        self._blotter.check_halt()
        journal, now_ns = self._blotter.journal, self._blotter.now_ns
        try:
            events = [self._tracker.register(request, now_ns) for request in requests]
            self._blotter.spread(journal.begin(requests, events))
        except DragomanError:
            for request in requests:
                self._tracker.forget(_id_of(request))
            raise
        self.sendings.begin(map(_id_of, requests))

    async def _send(self, request: OrderRequest) -> None:
        client_order_id = _id_of(request)
        try:
            await self._exchange(request)
        except asyncio.CancelledError:
            self._doubt(client_order_id)
            raise
        except Exception as bug:
            lost = self._blotter.lost_by(bug, "submit", client_order_id)
            self._verdicts.failed(client_order_id, lost)
            raise
        finally:
            self._over([request])

    async def _exchange(self, request: OrderRequest) -> None:
        client_order_id = _id_of(request)
        permit = self._blotter.permit(only_closes=_only_closes(request))
        self.sendings.send_under([client_order_id], permit)
        try:
            self._blotter.check_halt()
            with permit:
                order = await self._blotter.adapter.submit(request)
            self._blotter.answer_to(client_order_id, order)
        except DragomanError as error:
            believed = self._blotter.believed(error, permit, client_order_id)
            await self._verdicts.take_refusal(request, believed)

    def _over(self, requests: Sequence[OrderRequest]) -> None:
        """Note that no answer can come any more."""
        names = [_id_of(request) for request in requests]
        self.sendings.end(names)
        for name in names:
            self.resolver.exchange_ended(name)
            self._blotter.watch.wake(name)

    async def _send_list(
        self, requests: Sequence[OrderRequest], contingency: Contingency, *, all_or_none: bool
    ) -> None:
        waiting = {_id_of(request): request for request in requests}
        try:
            rows = await self._rows_of(requests, contingency, all_or_none=all_or_none)
            found = {row.client_order_id: row for row in reversed(rows)}
            self._fail_all(waiting.keys() - found.keys(), self._no_row())
            named = [(waiting[name], found[name]) for name in waiting if name in found]
            await asyncio.gather(*[self._take_row(request, row) for request, row in named])
        except asyncio.CancelledError:
            for client_order_id in waiting:
                self._doubt(client_order_id)
            raise
        except Exception as bug:
            lost = self._blotter.lost_by(bug, "submit a list", _id_of(requests[0]))
            self._fail_all(waiting, lost)
            raise
        finally:
            self._over(requests)

    async def _rows_of(
        self, requests: Sequence[OrderRequest], contingency: Contingency, *, all_or_none: bool
    ) -> tuple[CommandResult, ...]:
        """Ask, and let what the list failed by as a whole be what each of its orders failed by."""
        try:
            return await self._ask_list(requests, contingency, all_or_none=all_or_none)
        except DragomanError as error:
            names = map(_id_of, requests)
            return tuple([CommandResult(client_order_id=name, error=error) for name in names])

    async def _ask_list(
        self, requests: Sequence[OrderRequest], contingency: Contingency, *, all_or_none: bool
    ) -> tuple[CommandResult, ...]:
        adapter = self._blotter.adapter
        permit = self._blotter.permit(only_closes=all(map(_only_closes, requests)))
        self.sendings.send_under(map(_id_of, requests), permit)
        self._blotter.check_halt()
        if not isinstance(adapter, ListPort):
            message = f"{self._blotter.provider} takes no lists of orders"
            raise UnsupportedError(message, provider=self._blotter.provider)
        try:
            with permit:
                return await adapter.submit_list(requests, contingency, all_or_none=all_or_none)
        except DragomanError as error:
            raise self._blotter.believed(error, permit, _id_of(requests[0])) from None

    async def _take_row(self, request: OrderRequest, row: CommandResult) -> None:
        try:
            if row.order is not None:
                self._blotter.answer_to(row.client_order_id, row.order)
        except DragomanError as error:
            self._verdicts.failed(row.client_order_id, error)
        if row.error is not None or row.order is None:
            await self._verdicts.take_refusal(request, row.error or self._no_row())

    def _no_row(self) -> OutcomeUnknownError:
        return OutcomeUnknownError(
            "the answer to the list says nothing about this order",
            reason=UnknownReason.BAD_RESPONSE,
            provider=self._blotter.provider,
        )

    def _fail_all(self, client_order_ids: Iterable[str], error: DragomanError) -> None:
        for client_order_id in sorted(client_order_ids):
            self._verdicts.failed(client_order_id, error)

    def _doubt(self, client_order_id: str) -> None:
        is_over = client_order_id not in self.sendings
        self._verdicts.doubt(client_order_id, is_over=is_over)

    async def _row(
        self, client_order_id: str, sending: Sending | None, timeout_s: float
    ) -> CommandResult:
        try:
            order = await self._first_word(client_order_id, sending, timeout_s)
        except DragomanError as error:
            now = self._tracker.order(client_order_id)
            return CommandResult(client_order_id=client_order_id, order=now, error=error)
        return CommandResult(client_order_id=client_order_id, order=order)

    async def _first_word(
        self, client_order_id: str, sending: Sending | None, timeout_s: float
    ) -> Order:
        """Wait for the first evidence of an order, from whichever side it comes."""
        sending = sending or Sending()

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
        raise self._verdicts.rejected(order)
