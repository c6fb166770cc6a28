"""Replacing an order where the venue can't: cancel it, then send what is left of it anew.

The new order is sent only once the old one is proved dead, and sized from what the old one left
unfilled: what works never exceeds what was meant. It carries the same intent on, under the id of
its next revision. In between the market is not covered; that is the price, and why a provider
declares it.

The journal keeps the new order as an intent of its own until the venue has shown or refused it.
Should the process die before that, both orders are tracked apart after the restart, each looked up,
and nothing is sent again.
"""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import attrs

from dragoman.errors import (
    ConflictError,
    DragomanError,
    OrderRejectedError,
    Outcome,
    RejectReason,
    UnsupportedError,
    VenueUnavailableError,
)
from dragoman.models.change import REMOVE, OrderChange
from dragoman.models.enums import (
    EventSource,
    OrderEventKind,
    PositionEffect,
    ProtectionKind,
    Support,
)
from dragoman.models.events import OrderEvent, ProtectionEvent
from dragoman.models.request import OrderRequest
from dragoman.money import subtract

from .legs import Leg
from .lookup import Question
from .sendings import is_definite

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dragoman.models.order import Order

    from .blotter import Blotter

__all__ = ["Resubmission"]

_MOST_IDS: Final = 50
_CHANGEABLE: Final = tuple(name for name in attrs.fields_dict(OrderChange) if name != "quantity")


@attrs.define(eq=False)
class _Job:
    """One replace on its way; `total` is the quantity that the intent is to have in all."""

    intent: str
    change: OrderChange
    revision: int
    total: Decimal
    request: OrderRequest
    is_done: bool = False
    is_called_off: bool = False
    failure: DragomanError | None = None


class Resubmission:
    """Replaces orders of one account by a cancel and a new order each, one at a time per order.

    Args:
        blotter: The account's orders.
        cancel: Cancels an order within so many seconds, as `OrderCommands.cancel` does.
    """

    def __init__(
        self,
        blotter: Blotter,
        cancel: Callable[[Order, float], Awaitable[Order]],
    ) -> None:
        self._blotter = blotter
        self._cancel = cancel
        self._jobs: dict[str, _Job] = {}

    async def replace(self, order: Order, change: OrderChange, timeout_s: float) -> Order:
        """Replace an order and return it as it then is; it goes on should the caller stop waiting.

        Each of the two steps may take `timeout_s`.

        Raises:
            UnsupportedError: What is left of the order can't be told (NOT_SENT).
            ConflictError: Another replace is under way (NOT_SENT), or the order could not be
                canceled: it stands as it was, or has ended by itself (REJECTED).
            OrderRejectedError: The order is gone: it was canceled, and what was to replace it was
                refused (REJECTED).
            OutcomeUnknownError: The cancel is not proved, and nothing new was sent; or the new
                order's fate is unknown (UNKNOWN).
        """
        self._blotter.check_open()
        job = self._job(order, change)
        name = job.intent
        self._jobs[name] = job
        self._blotter.scope.spawn(self._run(job, timeout_s), f"replace {name}")
        await self._blotter.watch.until(name, lambda: job.is_done, 2 * timeout_s)
        if job.failure is not None:
            raise job.failure
        if not job.is_done:
            raise self._blotter.unknown("replace", name)
        return self._blotter.order(name)

    def call_off(self, client_order_id: str) -> None:
        """Let a replace that is under way send nothing more: the order is to be canceled."""
        job = self._jobs.get(client_order_id)
        if job is not None:
            job.is_called_off = True

    async def over(self, client_order_id: str) -> None:
        """Wait until no replace of an order is under way, and what it sent is known."""

        def is_over() -> bool:
            between = self._blotter.tracker.record(client_order_id).is_leg_dead
            return client_order_id not in self._jobs and not between

        await self._blotter.watch.until(client_order_id, is_over, None)

    def _job(self, order: Order, change: OrderChange) -> _Job:
        name = order.client_order_id
        if name in self._jobs:
            message = f"another replace of order {name} is under way"
            raise ConflictError(message, provider=self._blotter.provider, outcome=Outcome.NOT_SENT)
        sent = self._blotter.journal.intent(name)
        total = order.quantity if change.quantity is None else change.quantity
        if sent is None or total is None:
            message = (
                f"order {name} can't be replaced by a new one: it was not sent from here, or its "
                "quantity is not known"
            )
            raise UnsupportedError(message, provider=self._blotter.provider)
        revision = order.revision + 1
        request = _changed(sent, order, change)
        token = self._blotter.adapter.wire_client_id(name, revision)
        request = attrs.evolve(request, client_order_id=token, quantity=total)
        return _Job(name, change, revision, total, request)

    async def _run(self, job: _Job, timeout_s: float) -> None:
        try:
            await self._find_free_id(job)
            self._blotter.tracker.record(job.intent).supersede(job.revision)
            await self._bury(job, timeout_s)
            await self._send(job, self._left(job))
        except DragomanError as error:
            job.failure = error
        except Exception as bug:
            job.failure = self._blotter.lost_by(bug, "replace", job.intent)
            raise
        finally:
            job.is_done = True
            del self._jobs[job.intent]
            self._blotter.watch.wake(job.intent)

    async def _find_free_id(self, job: _Job) -> None:
        """See, before anything is canceled, that the new order's client order id is free.

        Where replaces are else the venue's own, one that it refused may have used the id up.

        Raises:
            VenueUnavailableError: It can't be found out (NOT_SENT).
            ConflictError: No id was found that is free (NOT_SENT).
        """
        adapter, blotter = self._blotter.adapter, self._blotter
        rule = adapter.capabilities.replace
        if rule.support is Support.EMULATED or not adapter.capabilities.client_ids.can_look_up:
            return
        for _ in range(_MOST_IDS):
            token = job.request.client_order_id
            try:
                found = await adapter.fetch_order(
                    blotter.account_id, client_order_id=token, symbol=job.request.symbol
                )
            except DragomanError as error:
                message = f"nothing was sent: whether {token} is free is not known: {error.message}"
                raise VenueUnavailableError(
                    message, provider=blotter.provider, outcome=Outcome.NOT_SENT
                ) from error
            if found is None:
                return
            if blotter.tracker.name_of(found) == job.intent:
                blotter.answer(found, EventSource.RECONCILED)
            self._renumber(job, max(job.revision, blotter.order(job.intent).revision) + 1)
        message = f"the next {_MOST_IDS} client order ids of order {job.intent} are taken"
        raise ConflictError(message, provider=blotter.provider, outcome=Outcome.NOT_SENT)

    def _renumber(self, job: _Job, revision: int) -> None:
        """Go on under the id of another revision, with the terms that the order has by now.

        What took the id may be an earlier replace, of unknown fate until then.
        """
        now = self._blotter.order(job.intent)
        token = self._blotter.adapter.wire_client_id(job.intent, revision)
        if job.change.quantity is None and now.quantity is not None:
            job.total = now.quantity
        request = _changed(job.request, now, job.change)
        job.request = attrs.evolve(request, client_order_id=token, quantity=job.total)
        job.revision = revision

    async def _bury(self, job: _Job, timeout_s: float) -> None:
        """Cancel the old order, and wait until it is proved dead."""
        name, blotter = job.intent, self._blotter
        try:
            await self._cancel(blotter.order(name), timeout_s / 2)
            await blotter.watch.until(name, lambda: blotter.is_dead(name), timeout_s / 2)
        except BaseException:
            self._give_up(job)
            raise
        order = blotter.order(name)
        if order.is_terminal:
            self._give_up(job)
            raise self._ended(f"order {name} has ended by itself: {order.status}")
        if not blotter.is_dead(name):
            self._give_up(job)
            unproved = "the cancel of the order it was to replace is not proved; nothing was sent"
            raise blotter.unknown("replace", name, blotter.lost(unproved, name))

    def _left(self, job: _Job) -> Decimal:
        if job.is_called_off:
            self._give_up(job)
            raise self._ended(f"order {job.intent} is canceled: so it was asked meanwhile")
        filled = self._blotter.order(job.intent).filled_quantity
        left = subtract(job.total, filled)
        if left > 0:
            return left
        self._give_up(job)
        message = f"order {job.intent} is canceled: it had filled {filled}, nothing is left to send"
        raise self._ended(message)

    async def _send(self, job: _Job, left: Decimal) -> None:
        name, blotter = job.intent, self._blotter
        request = attrs.evolve(job.request, quantity=left)
        token = request.client_order_id or ""
        permit = blotter.permit(only_closes=request.position_effect is PositionEffect.CLOSE)
        filled = blotter.order(name).filled_quantity
        leg = Leg(client_order_id=token, intent=name, revision=job.revision, filled=filled)
        try:
            blotter.check_open()
            blotter.check_halt()
            blotter.spread(blotter.journal.begin([request], [self._told(name)]))
        except DragomanError as error:
            raise self._lost_cover(job, error) from None
        blotter.tracker.legs.add(leg)
        blotter.tracker.record(name).carry_on(filled)
        blotter.sendings.begin([token])
        blotter.sendings.send_under([token], permit)
        try:
            with permit:
                order = await blotter.adapter.submit(request)
            self._take(job, order)
            self._forget(job)
        except DragomanError as error:
            believed = blotter.believed(error, permit, name)
            if not self._is_carried_on(job):
                raise self._refused(job, believed) from None
            self._forget(job)
        except BaseException:
            self._look(job)
            raise
        finally:
            blotter.sendings.end([token])

    def _take(self, job: _Job, order: Order) -> None:
        self._blotter.answer_to(job.intent, order)
        if not self._is_carried_on(job):
            raise OrderRejectedError(order.reason or str(order.status))

    def _forget(self, job: _Job) -> None:
        """Let the intent have what was sent for it: its events tell of that from now on."""
        self._blotter.journal.forget([job.request.client_order_id or ""])

    def _refused(self, job: _Job, error: DragomanError) -> DragomanError:
        name = job.intent
        if is_definite(error):
            return self._lost_cover(job, error)
        self._look(job)
        return self._blotter.unknown("replace", name, error)

    def _look(self, job: _Job) -> None:
        """Doubt the new order, and look for it until evidence settles its fate."""
        name, blotter = job.intent, self._blotter
        blotter.tell(blotter.tracker.doubt(name, blotter.now_ns))
        question = Question(
            looked_up_as=job.request.client_order_id or "",
            is_settled=partial(self._is_settled, job),
            deny=partial(self._deny, job),
            take=partial(self._forget, job),
        )
        self._blotter.resolver.look_for(name, is_over=True, question=question)

    def _deny(self, job: _Job) -> None:
        self._lost_cover(job, None)

    def _is_carried_on(self, job: _Job) -> bool:
        return self._blotter.order(job.intent).revision >= job.revision

    def _is_settled(self, job: _Job) -> bool:
        return self._is_carried_on(job) or self._blotter.order(job.intent).is_terminal

    def _give_up(self, job: _Job) -> None:
        blotter = self._blotter
        now_ns = blotter.now_ns
        blotter.tell(blotter.tracker.give_up(job.intent, EventSource.RECONCILED, now_ns))

    def _lost_cover(self, job: _Job, error: DragomanError | None) -> DragomanError:
        """Let the canceled order be the end, tell if a position lost its cover, and say so."""
        self._forget(job)
        self._give_up(job)
        cause = "it never arrived" if error is None else error.message
        message = (
            f"order {job.intent} is gone: it was canceled, and what was to replace it was refused: "
            f"{cause}"
        )
        if job.request.position_effect is PositionEffect.CLOSE:
            self._blotter.tell([self._unprotected(job, message)])
        refusal = error if isinstance(error, OrderRejectedError) else None
        return OrderRejectedError(
            message,
            reason=refusal.reason if refusal else RejectReason.OTHER,
            client_order_id=job.intent,
            provider=self._blotter.provider,
            code=error.code if error else None,
        )

    def _unprotected(self, job: _Job, cause: str) -> ProtectionEvent:
        request = job.request
        return ProtectionEvent(
            kind=ProtectionKind.UNPROTECTED,
            position_id=request.position_id or request.symbol,
            client_order_ids=(job.intent,),
            cause=cause,
            account_id=self._blotter.account_id,
            received_at_ns=self._blotter.now_ns,
        )

    def _told(self, client_order_id: str) -> OrderEvent:
        return OrderEvent(
            kind=OrderEventKind.PENDING_REPLACE,
            order=self._blotter.order(client_order_id),
            account_id=self._blotter.account_id,
            received_at_ns=self._blotter.now_ns,
            source=EventSource.LOCAL,
        )

    def _ended(self, message: str) -> ConflictError:
        return ConflictError(message, provider=self._blotter.provider)


def _changed(sent: OrderRequest, order: Order, change: OrderChange) -> OrderRequest:
    """Return the request as the order now stands, with the change made."""
    terms: dict[str, Any] = {}
    for name in _CHANGEABLE:
        asked, now = getattr(change, name), getattr(order, name)
        if asked is not None:
            terms[name] = None if asked is REMOVE else asked
        elif getattr(sent, name) is not None and now is not None:
            terms[name] = now
    return attrs.evolve(sent, **terms)
