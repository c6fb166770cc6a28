"""Commands on what is at the venue already: sent once, settled by an answer or by evidence."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import attrs

from dragoman.errors import (
    ConflictError,
    DragomanError,
    NotFoundError,
    Outcome,
    VenueUnavailableError,
)
from dragoman.models.change import REMOVE
from dragoman.models.enums import EventSource, PendingAction
from dragoman.models.order import CommandResult, Order

from .blotter import is_definite

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from typing import Any

    from dragoman.models import OrderChange

    from .blotter import Blotter

__all__ = ["OrderCommands"]

Answer = TypeVar("Answer")


@attrs.define
class _Exchange:
    """One command on its way: answered, failed, or neither yet."""

    is_answered: bool = False
    failure: DragomanError | None = None

    @property
    def is_settled(self) -> bool:
        return self.is_answered or (self.failure is not None and is_definite(self.failure))


@attrs.frozen
class _Command:
    """A command on one order: how to send it, and what in the order proves it was taken."""

    verb: str
    client_order_id: str
    send: Callable[[Order], Awaitable[Order]]
    is_proved: Callable[[Order], bool]


class OrderCommands:
    """The commands on the orders of one account."""

    def __init__(self, blotter: Blotter) -> None:
        self._blotter = blotter
        self._adapter = blotter.adapter

    async def replace(self, order: Order, change: OrderChange, timeout_s: float) -> Order:
        """Change an order and return it as it then is.

        Raises:
            HaltedError: Trading is halted (NOT_SENT).
            ConflictError: The order has ended (NOT_SENT, or REJECTED by the venue).
            OrderRejectedError: The venue refuses the change; the order stands as it was (REJECTED).
            OutcomeUnknownError: No answer; either terms may hold (UNKNOWN).
        """
        self._blotter.check_halt()
        if order.is_terminal:
            message = f"order {order.client_order_id} has ended: {order.status}"
            raise ConflictError(message, provider=self._blotter.provider, outcome=Outcome.NOT_SENT)

        taken_off = [name for name in change.fields if getattr(change, name) is REMOVE]

        async def send(now: Order) -> Order:
            self._blotter.check_halt()
            tracker, name = self._blotter.tracker, order.client_order_id
            tracker.take_off(name, taken_off, now.revision + 1)
            try:
                return await self._adapter.replace(now, change)
            except DragomanError as error:
                if is_definite(error):
                    tracker.keep_on(name, taken_off)
                raise

        def is_proved(now: Order) -> bool:
            return now.revision > order.revision and _holds(change, now)

        return await self._run(
            _Command("replace", order.client_order_id, send, is_proved), timeout_s
        )

    async def cancel(self, order: Order, timeout_s: float) -> Order:
        """Cancel an order and return it; if it had ended, that terminal order.

        Raises:
            ConflictError: The venue refuses and the order lives on (REJECTED).
            OutcomeUnknownError: No answer; the order may live (UNKNOWN).
        """
        if order.is_terminal:
            return order
        was_pending = order.pending is PendingAction.CANCEL

        def is_proved(now: Order) -> bool:
            return now.is_terminal or (now.pending is PendingAction.CANCEL and not was_pending)

        command = _Command("cancel", order.client_order_id, self._adapter.cancel, is_proved)
        try:
            return await self._run(command, timeout_s)
        except (ConflictError, NotFoundError) as refusal:
            return await self._ended_or_raise(order, refusal, timeout_s)

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
        shown = await self._read(
            self._adapter.fetch_open_orders(self._blotter.account_id, symbol), timeout_s
        )
        for order in shown:
            self._blotter.answer(order, EventSource.RECONCILED)
        done = {row.client_order_id for row in rows}
        others = [one for one in self._open_orders(symbol) if one.client_order_id not in done]
        return (*rows, *await self.cancel_each(others, timeout_s))

    async def ask(self, what: str, work: Coroutine[Any, Any, Answer], timeout_s: float) -> Answer:
        """Send any other command; it goes on should the caller stop waiting.

        Raises:
            DragomanError: What became of it, if that is definite.
            OutcomeUnknownError: No answer in time, or one that proves nothing (UNKNOWN).
        """

        async def settle() -> Answer | DragomanError:
            try:
                return await work
            except DragomanError as error:
                return error

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

    def _open_orders(self, symbol: str | None) -> list[Order]:
        orders = self._blotter.tracker.open_orders()
        return [one for one in orders if symbol is None or one.symbol == symbol]

    async def _canceled(self, order: Order, timeout_s: float) -> CommandResult:
        name = order.client_order_id
        try:
            done = await self.cancel(order, timeout_s)
        except DragomanError as error:
            return CommandResult(client_order_id=name, order=self._blotter.order(name), error=error)
        return CommandResult(client_order_id=name, order=done)

    async def _run(self, command: _Command, timeout_s: float) -> Order:
        """Send one command; the order's own evidence settles it as well as an answer does."""
        self._blotter.check_open()
        name, exchange = command.client_order_id, _Exchange()
        self._blotter.scope.spawn(self._exchange(command, exchange), f"{command.verb} {name}")

        def is_settled() -> bool:
            return exchange.is_settled or command.is_proved(self._blotter.order(name))

        await self._blotter.watch.until(name, is_settled, timeout_s)
        now, failure = self._blotter.order(name), exchange.failure
        if failure is not None and is_definite(failure) and not now.is_terminal:
            raise failure
        if exchange.is_answered or command.is_proved(now):
            return now
        raise self._blotter.unknown(command.verb, name, failure) from failure

    async def _exchange(self, command: _Command, exchange: _Exchange) -> None:
        name = command.client_order_id
        try:
            self._blotter.answer_to(name, await command.send(self._blotter.order(name)))
            exchange.is_answered = True
        except DragomanError as error:
            exchange.failure = error
        finally:
            self._blotter.watch.wake(name)

    async def _ended_or_raise(
        self, order: Order, refusal: DragomanError, timeout_s: float
    ) -> Order:
        """Find out why the venue would not cancel.

        An order it does not find is not thereby proved dead.
        """
        name = order.client_order_id
        if self._blotter.order(name).is_terminal:
            return self._blotter.order(name)
        try:
            seen = await self._read(self._blotter.look_up(order), timeout_s)
        except DragomanError as error:
            raise self._blotter.unknown("cancel", name, error) from error
        now = self._blotter.order(name)
        if now.is_terminal:
            return now
        if seen is not None and isinstance(refusal, ConflictError):
            raise refusal
        raise self._blotter.unknown("cancel", name)

    async def _read(self, reading: Awaitable[Answer], timeout_s: float) -> Answer:
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
