"""Commands on what is at the venue already: sent once, settled by an answer or by evidence."""

from __future__ import annotations

import asyncio
import logging
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from dragoman.errors import (
    ConflictError,
    DragomanError,
    NotFoundError,
    Outcome,
    RequestError,
    UnsupportedError,
    VenueUnavailableError,
)
from dragoman.models.change import REMOVE
from dragoman.models.enums import Contingency, EventSource, PendingAction, Support
from dragoman.models.order import CommandResult

from .resubmission import Resubmission
from .sendings import is_definite
from .settling import Command, Exchange, Settler

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence
    from typing import Any

    from dragoman.models import Order, OrderChange

    from .blotter import Blotter

__all__ = ["OrderCommands"]

Answer = TypeVar("Answer")
_log: Final = logging.getLogger(__name__)


class _SendAnewError(RequestError):
    """An order, as it stands now, can be replaced by a cancel and a new order only."""


class OrderCommands:
    """The commands on the orders of one account."""

    def __init__(self, blotter: Blotter) -> None:
        self._blotter = blotter
        self._adapter = blotter.adapter
        self._rule = blotter.adapter.capabilities.replace
        self._settler = Settler(blotter)
        self._resubmission = Resubmission(blotter, self._bury)

    async def replace(self, order: Order, change: OrderChange, timeout_s: float) -> Order:
        """Change an order and return it as it then is.

        If the answer is lost, the order is looked up; the change is never sent again.

        Raises:
            HaltedError: Trading is halted (NOT_SENT).
            UnsupportedError: It has filled in part, and such an order is not replaced (NOT_SENT).
            JournalUnavailableError: The journal takes no intents now (NOT_SENT).
            AccountLockedError: Another process sends the orders of this account (NOT_SENT).
            ConflictError: The order has ended, or has filled the new total (NOT_SENT, or REJECTED
                by the venue).
            OrderRejectedError: The venue refuses the change, or shows that it never arrived; the
                order stands as it was (REJECTED).
            OutcomeUnknownError: No answer; either terms may hold (UNKNOWN).
        """
        self._blotter.check_halt()
        self._check_changeable(order, change)
        self._blotter.check_owner()
        try:
            self._check_replaceable(order)
            return await self._replace(order, change, timeout_s)
        except _SendAnewError:
            now = self._blotter.order(order.client_order_id)
            return await self._resubmission.replace(now, change, timeout_s)

    async def _replace(self, order: Order, change: OrderChange, timeout_s: float) -> Order:
        name = order.client_order_id

        async def send() -> None:
            self._blotter.answer_to(name, await self._send_change(name, change))

        was_so = _holds(change, order)

        def is_proved(now: Order) -> bool:
            is_new = not was_so and now.pending is None
            return (is_new or now.revision > order.revision) and _holds(change, now)

        command = Command(
            verb="replace",
            client_order_id=name,
            revision=order.revision + 1,
            send=send,
            is_proved=is_proved,
        )
        return await self._run(command, timeout_s)

    async def cancel(self, order: Order, timeout_s: float) -> Order:
        """Cancel an order and return it; if it had ended, that terminal order.

        One on its way is canceled once it has arrived, even if nobody waits for that any more. If
        the answer is lost, the order is looked up, and canceled again if it is seen to live on. A
        replace of it that is under way is called off or, if its new order is on its way, that one
        is canceled.

        Raises:
            ConflictError: The venue refuses and the order lives on (REJECTED).
            OutcomeUnknownError: No answer; the order may live (UNKNOWN).
        """
        name = order.client_order_id
        self._resubmission.call_off(name)

        async def send(sent_to: list[str | None]) -> None:
            await self._resubmission.over(name)
            await self._send_cancel(name, sent_to)

        return await self._cancel(order, timeout_s, send, lambda: self._has_ended(name))

    async def _bury(self, order: Order, timeout_s: float) -> Order:
        """Cancel an order that another is to carry on."""
        name = order.client_order_id

        async def send(sent_to: list[str | None]) -> None:
            await self._send_cancel(name, sent_to)

        return await self._cancel(order, timeout_s, send, lambda: self._blotter.is_dead(name))

    async def _cancel(
        self,
        order: Order,
        timeout_s: float,
        send: Callable[[list[str | None]], Awaitable[None]],
        has_ended: Callable[[], bool],
    ) -> Order:
        """Cancel an order, once more if it had got another id at the venue meanwhile.

        Args:
            order: The order.
            timeout_s: How long each attempt may take.
            send: Cancels it, and notes the venue ids that it was canceled by.
            has_ended: Tells whether it needs no cancel any more.
        """
        name = order.client_order_id
        if order.is_terminal:
            return order
        was_pending = order.pending is PendingAction.CANCEL
        sent_to: list[str | None] = []

        def is_proved(now: Order) -> bool:
            is_pending = now.pending is PendingAction.CANCEL and not was_pending
            return is_pending or has_ended()

        command = Command(
            verb="cancel",
            client_order_id=name,
            revision=order.revision,
            send=partial(send, sent_to),
            is_proved=is_proved,
            is_repeatable=True,
            has_ended=has_ended,
        )
        try:
            return await self._run(command, timeout_s)
        except (ConflictError, NotFoundError) as refusal:
            seen = await self._look_why(order, timeout_s)
            if has_ended() or seen is None or not self._is_renumbered(name, sent_to):
                return self._ended_or_raise(name, refusal, seen, has_ended)
        try:
            return await self._run(command, timeout_s)
        except (ConflictError, NotFoundError) as refusal:
            seen = await self._look_why(self._blotter.order(name), timeout_s)
            return self._ended_or_raise(name, refusal, seen, has_ended)

    async def cancel_each(
        self, orders: Sequence[Order], timeout_s: float
    ) -> tuple[CommandResult, ...]:
        """Cancel many orders side by side: one result per order, never an error."""
        return tuple(await asyncio.gather(*[self._canceled(order, timeout_s) for order in orders]))

    async def cancel_all(self, symbol: str | None, timeout_s: float) -> tuple[CommandResult, ...]:
        """Cancel what is known to be open, then whatever else the venue shows.

        Raises:
            DragomanError: The venue's list could not be read; what is known is canceled by then.
        """
        rows = await self.cancel_each(self._open_orders(symbol), timeout_s)
        shown = await self.read(
            self._adapter.fetch_open_orders(self._blotter.account_id, symbol), timeout_s
        )
        risen = self._blotter.risen(shown)
        for order in shown:
            self._blotter.answer(order, EventSource.RECONCILED)
        done = {row.client_order_id for row in rows}
        others = [one for one in self._open_orders(symbol) if one.client_order_id not in done]
        again = await asyncio.gather(*[self._canceled_again(one, timeout_s) for one in risen])
        return (*rows, *await self.cancel_each(others, timeout_s), *again)

    async def ask(
        self,
        what: str,
        work: Coroutine[Any, Any, Answer],
        timeout_s: float,
        *,
        adds_exposure: bool = False,
        only_closes: bool = False,
    ) -> Answer:
        """Send any other command; it goes on should the caller stop waiting.

        One that may add exposure is sent under a permit, which a halt takes back and, unless it
        `only_closes`, a stream that is not live any more.

        Raises:
            DragomanError: What became of it, if that is definite.
            OutcomeUnknownError: No answer in time, or one that proves nothing (UNKNOWN).
        """
        permit = self._blotter.permit(only_closes=only_closes) if adds_exposure else None

        async def settle() -> Answer | DragomanError:
            try:
                with permit or nullcontext():
                    return await work
            except DragomanError as error:
                return error if permit is None else self._blotter.believed(error, permit, None)
            except Exception as bug:  # noqa: BLE001 - bytes may have left; it is logged
                _log.exception("a command met a bug", extra={"command": what})
                return self._blotter.lost_by(bug, what, None)

        task = self._blotter.scope.spawn(settle(), what)
        await asyncio.wait({task}, timeout=timeout_s)
        if not task.done() or task.cancelled():
            raise self._blotter.unknown(what, None)
        answer = task.result()
        if not isinstance(answer, DragomanError):
            return answer
        if is_definite(answer):
            raise answer
        raise self._blotter.unknown(what, None, answer) from answer

    def _has_ended(self, client_order_id: str) -> bool:
        return self._blotter.order(client_order_id).is_terminal

    def _open_orders(self, symbol: str | None) -> list[Order]:
        orders = self._blotter.tracker.open_orders()
        return [one for one in orders if symbol is None or one.symbol == symbol]

    async def _canceled(self, order: Order, timeout_s: float) -> CommandResult:
        name = order.client_order_id
        try:
            done = await self.cancel(order, timeout_s)
        except DragomanError as error:
            return CommandResult(client_order_id=name, order=self._blotter.order(name), error=error)
        except Exception as bug:  # noqa: BLE001 - it must not keep the others; it is logged
            _log.exception("a cancel met a bug", extra={"order": name})
            lost = self._blotter.lost_by(bug, "cancel", name)
            return CommandResult(client_order_id=name, order=self._blotter.order(name), error=lost)
        return CommandResult(client_order_id=name, order=done)

    async def _canceled_again(self, order: Order, timeout_s: float) -> CommandResult:
        """Cancel an order that has ended here, and works by the venue's own later word."""
        name = self._blotter.tracker.name_of(order)
        known, error = self._blotter.order(name), None
        try:
            await self.ask(f"cancel of {name}", self._adapter.cancel(order), timeout_s)
        except (ConflictError, NotFoundError):
            pass  # it has ended there too
        except DragomanError as failure:
            error = failure
        return CommandResult(client_order_id=name, order=known, error=error)

    async def _run(self, command: Command, timeout_s: float) -> Order:
        """Send one command; the order's own evidence settles it as well as an answer does."""
        self._blotter.check_open()
        name, exchange = command.client_order_id, Exchange()
        work = self._exchange(command, exchange)
        exchange.task = self._blotter.scope.spawn(work, f"{command.verb} {name}")

        def is_settled() -> bool:
            return exchange.is_settled or command.is_proved(self._blotter.order(name))

        try:
            await self._blotter.watch.until(name, is_settled, timeout_s)
        finally:
            exchange.leave()
        now, failure = self._blotter.order(name), exchange.failure
        is_moot = command.has_ended is not None and command.has_ended()
        if failure is not None and is_definite(failure) and not is_moot:
            raise failure
        if exchange.is_answered or command.is_proved(now):
            return now
        raise self._blotter.unknown(command.verb, name, failure) from failure

    async def _exchange(self, command: Command, exchange: Exchange) -> None:
        name = command.client_order_id
        try:
            await command.send()
            exchange.is_answered = True
        except DragomanError as error:
            exchange.failure = error
        except Exception as bug:
            exchange.failure = self._blotter.lost_by(bug, command.verb, name)
            raise
        finally:
            self._blotter.watch.wake(name)
        if not exchange.is_settled and not command.is_proved(self._blotter.order(name)):
            exchange.is_settling = True
            await self._settler.settle(command, exchange)

    async def _send_change(self, client_order_id: str, change: OrderChange) -> Order:
        await self._blotter.arrival(client_order_id)
        now = self._blotter.order(client_order_id)
        record = self._blotter.tracker.record(client_order_id)
        self._check_changeable(now, change)
        self._check_replaceable(now)
        self._blotter.check_halt()
        taken_off = [name for name in change.fields if getattr(change, name) is REMOVE]
        record.take_off(taken_off, now.revision + 1)

        def still_replaceable() -> None:
            self._check_replaceable(self._blotter.order(client_order_id))

        # What waits for its turn may begin to fill meanwhile; the venue would add to that.
        permit = self._blotter.permit(only_closes=now.reduce_only, also=still_replaceable)
        try:
            with permit:
                return await self._adapter.replace(now, change)
        except DragomanError as error:
            believed = self._blotter.believed(error, permit, client_order_id)
            if is_definite(believed):
                record.keep_on(taken_off)
            raise believed from None

    async def _send_cancel(self, client_order_id: str, sent_to: list[str | None]) -> None:
        """Cancel an order as soon as the venue can know it, unless it has ended by then.

        Of an order whose fate is unknown, the venue may know the client order id; if it does not,
        the cancel waits for the order to be found. `sent_to` takes in what it was canceled by.
        """
        has_evidence = self._blotter.tracker.has_evidence
        await self._blotter.arrival(client_order_id)
        try:
            await self._cancel_living(client_order_id, sent_to)
        except DragomanError as error:
            is_unfound = isinstance(error, NotFoundError) or error.outcome is Outcome.NOT_SENT
            if not is_unfound or has_evidence(client_order_id):
                raise
        else:
            return
        await self._blotter.watch.until(
            client_order_id, lambda: has_evidence(client_order_id), None
        )
        await self._cancel_living(client_order_id, sent_to)

    async def _cancel_living(self, client_order_id: str, sent_to: list[str | None]) -> None:
        if not self._blotter.is_dead(client_order_id):
            now = self._blotter.order(client_order_id)
            sent_to.append(now.venue_order_id)
            self._blotter.answer_to(client_order_id, await self._adapter.cancel(now))

    def _check_replaceable(self, order: Order) -> None:
        """Refuse to ask the venue for a replace that it does not offer of an order as it stands.

        Nor is an order canceled and sent anew that has exits, or ends another: what has filled of
        it would lose them.

        Raises:
            UnsupportedError: There is no replace of it (NOT_SENT).
        """
        support = self._rule.support_of(order)
        if support is Support.NATIVE:
            return
        provider, name = self._blotter.provider, order.client_order_id
        is_tied = order.stop_loss or order.take_profit or order.contingency is not Contingency.NONE
        if is_tied and self._rule.support is Support.NATIVE:
            message = (
                f"{provider} does not replace order {name}: it has filled {order.filled_quantity}, "
                "and what it is tied to would end with it; cancel it to send what is left anew"
            )
            raise UnsupportedError(message, provider=provider)
        message = f"{provider} does not replace order {name}: it has filled {order.filled_quantity}"
        kind = _SendAnewError if support is Support.EMULATED else UnsupportedError
        raise kind(message, provider=provider)

    def _check_changeable(self, order: Order, change: OrderChange) -> None:
        """Refuse to change what has ended, or to a total that would let it fill no more.

        Raises:
            ConflictError: It can't be changed so (NOT_SENT).
        """
        name, total, filled = order.client_order_id, change.quantity, order.filled_quantity
        if order.is_terminal:
            message = f"order {name} has ended: {order.status}"
        elif total is not None and total <= filled:
            message = f"order {name} has filled {filled} already; {total} in all leaves nothing"
        else:
            return
        raise ConflictError(message, provider=self._blotter.provider, outcome=Outcome.NOT_SENT)

    async def _look_why(self, order: Order, timeout_s: float) -> Order | None:
        """Look an order up to find out why the venue would not cancel it."""
        try:
            return await self.read(self._blotter.look_up(order), timeout_s)
        except DragomanError as error:
            raise self._blotter.unknown("cancel", order.client_order_id, error) from error

    def _is_renumbered(self, client_order_id: str, sent_to: Sequence[str | None]) -> bool:
        """Tell whether an order lives under another venue id than those it was canceled by.

        A replace that was under way may have given it one.
        """
        now = self._blotter.order(client_order_id).venue_order_id
        return bool(sent_to) and None not in sent_to and now not in sent_to

    def _ended_or_raise(
        self,
        client_order_id: str,
        refusal: DragomanError,
        seen: Order | None,
        has_ended: Callable[[], bool],
    ) -> Order:
        """Return an order that has ended, or raise why it was not canceled.

        An order that the venue does not find is not thereby proved dead.
        """
        if has_ended():
            return self._blotter.order(client_order_id)
        if seen is not None and isinstance(refusal, ConflictError):
            raise refusal
        raise self._blotter.unknown("cancel", client_order_id)

    async def read(self, reading: Awaitable[Answer], timeout_s: float) -> Answer:
        """Return what the venue answers; raises `VenueUnavailableError` if it takes too long."""
        try:
            async with asyncio.timeout(timeout_s):
                return await reading
        except TimeoutError:
            message = f"{self._blotter.provider} did not answer within {timeout_s} s"
            raise VenueUnavailableError(message, provider=self._blotter.provider) from None


def _holds(change: OrderChange, order: Order) -> bool:
    """Tell whether an order has the terms that a change asks for."""
    wanted = {name: getattr(change, name) for name in change.fields}
    return all(
        getattr(order, name) == (None if value is REMOVE else value)
        for name, value in wanted.items()
    )
