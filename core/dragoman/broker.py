"""The broker: the one class that users, dialects, gateway and conformance kit drive.

It owns what an adapter must not: validation, capability checks, limits, ids, the journal, order
state, the hub and the halt. The work is done next door: `intake` checks, `orders/desk` sends,
`orders/commands` changes and cancels, `session` reads; this is their face.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Unpack, final

from .controls import BrokerControls
from .errors import DragomanError, OrderRejectedError, RejectReason
from .halting import ExitPolicy
from .intake import build_change, build_request
from .models.enums import Contingency, EventSource
from .models.order import CommandResult
from .models.subscription import Subscription
from .orders.checks import list_violations, refuse_invalid, refuse_unsupported_list
from .orders.closing import closing_order, find_position
from .ports import ExitPort
from .reads import OrderTarget, Until
from .repeats import is_repeat

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path
    from types import TracebackType

    from .intake import Vetted
    from .models import (
        Amount,
        ChangeFields,
        Event,
        Exit,
        Order,
        OrderChange,
        OrderFields,
        OrderOptions,
        OrderRequest,
        Position,
        SubscriptionFields,
    )
    from .orders.limits import RiskLimits
    from .session import AccountSession
    from .streaming import EventStream, Listener

__all__ = ["Broker", "OrderTarget", "Until"]

_BUFFER = 10_000
_LONGEST_END_S = 3.5

_log = logging.getLogger(__name__)


@final
class Broker(BrokerControls):
    """One account at one provider. Made by `dragoman.connect`.

    Ends with `aclose()` or `async with`.

    Every failed command carries its `outcome`: NOT_SENT, REJECTED or UNKNOWN. No order is ever sent
    twice. Safe to use from many tasks of one event loop; `halt()` and `state` from any thread.
    """

    def __init__(
        self,
        session: AccountSession,
        *,
        limits: RiskLimits,
        timeout_s: float,
        read_only: bool,
        open_account: Callable[[str], Awaitable[Broker]],
        reconciling_wait_s: float = 0.0,
        on_exit: ExitPolicy = ExitPolicy.LEAVE,
        state_dir: Path | None = None,
    ) -> None:
        super().__init__(
            session,
            limits,
            read_only=read_only,
            timeout_s=timeout_s,
            reconciling_wait_s=reconciling_wait_s,
        )
        self._on_exit = on_exit
        self._state_dir = state_dir
        self._desk = session.desk
        self._open_account = open_account

    async def __aenter__(self) -> Broker:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def submit(
        self,
        request: OrderRequest | None = None,
        /,
        *,
        timeout_s: float | None = None,
        **fields: Unpack[OrderFields],
    ) -> Order:
        """Send one order and return it at the venue's first evidence of it, not at its fill.

        Idempotent per `client_order_id`: the same id with equal terms returns the existing order.
        Canceling the calling task does not take the order back.

        Args:
            request: The order, or none and its fields as keywords.
            timeout_s: How long to wait for the first evidence; None is the connection's default.

        Raises:
            RequestError: The order can't be sent as it stands: `InvalidOrderError` lists every
                violation, `UnsupportedError`, `UnknownInstrumentError`, `DuplicateOrderError`,
                `LimitExceededError` (NOT_SENT).
            LifecycleError: Halted, closed, read-only or not in step with the venue (NOT_SENT).
            ConnectFailedError: No byte was written (NOT_SENT).
            OrderRejectedError: The venue refused it, for `reason` (REJECTED).
            OutcomeUnknownError: No evidence in time; it may be live and stays tracked (UNKNOWN).
                Never send it again.
        """
        self._check_commands()
        complete = self._intake.complete(build_request(request, fields))
        if self._session.journal.intent(complete.client_order_id or "") is None:
            await self._expect_exposure()
        vetted = await self._intake.vet(complete)
        try:
            return await self._sent(vetted, timeout_s)
        except OrderRejectedError as error:
            if error.reason is not RejectReason.NEVER_ARRIVED or not is_repeat():
                raise
            return await self._sent(vetted, timeout_s)  # that was proved only now

    async def _sent(self, vetted: Vetted, timeout_s: float | None) -> Order:
        if self._desk.is_new(vetted.request):
            self._check_exposure()
            self._intake.admit([vetted])
        return await self._desk.submit(vetted.request, self._timeout(timeout_s))

    async def submit_list(
        self,
        requests: Sequence[OrderRequest],
        contingency: Contingency = Contingency.NONE,
        *,
        all_or_none: bool = False,
        timeout_s: float | None = None,
    ) -> tuple[CommandResult, ...]:
        """Send orders that depend on each other (OCO, OTO) or go together (NONE).

        One result per request, in order. A list sent before, with equal terms, is waited for.

        Raises:
            UnsupportedError: The provider takes no such list (NOT_SENT).
            RequestError: Any of the requests can't be sent; then none is (NOT_SENT).
            LifecycleError: Halted, closed, read-only or not in step with the venue (NOT_SENT).
        """
        self._check_commands()
        refuse_unsupported_list(contingency, self.capabilities)
        refuse_invalid("submit_list", list_violations(requests, contingency, self.capabilities))
        complete = [self._intake.complete(request) for request in requests]
        journal = self._session.journal
        if any(journal.intent(one.client_order_id or "") is None for one in complete):
            await self._expect_exposure()
        vetted = await asyncio.gather(*[self._intake.vet(request) for request in complete])
        ready = [one.request for one in vetted]
        if self._desk.are_new(ready):
            self._check_exposure()
            self._intake.admit(vetted)
        return await self._desk.submit_list(
            ready, contingency, self._timeout(timeout_s), all_or_none=all_or_none
        )

    async def replace(
        self,
        order: OrderTarget,
        change: OrderChange | None = None,
        /,
        *,
        timeout_s: float | None = None,
        **fields: Unpack[ChangeFields],
    ) -> Order:
        """Change an open order; `quantity` is the new total, and what is not named stays.

        Raises:
            InvalidOrderError: The change breaks a rule, or the provider can't change that field
                (NOT_SENT).
            LimitExceededError: It makes the order larger than a risk limit (NOT_SENT).
            LifecycleError: Halted, closed, read-only or not in step with the venue (NOT_SENT).
            ConflictError: The order has ended (NOT_SENT, or REJECTED by the venue).
            OrderRejectedError: The venue refuses; the order stands as it was (REJECTED).
            OutcomeUnknownError: No answer; the old or the new terms may hold (UNKNOWN).
        """
        await self._expect_exposure()
        asked = build_change(change, fields)
        known = self._blotter.find(order)
        await self._intake.check_change(asked, known)
        self._check_exposure()
        self._session.monitor.check_journal(self.account_id, self.provider)
        return await self._commands.replace(known, asked, self._timeout(timeout_s))

    async def cancel(self, order: OrderTarget, *, timeout_s: float | None = None) -> Order:
        """Cancel an order and return it; if it had ended, that terminal order and no error.

        Goes through while halted or out of step: a cancel adds no exposure. Accepted is not done:
        see `pending`.

        Raises:
            NotFoundError: No such order here (NOT_SENT).
            ConflictError: The venue refuses, and shows that the order lives on (REJECTED).
            OutcomeUnknownError: No answer; the order may live (UNKNOWN).
        """
        self._check_commands()
        return await self._commands.cancel(self._blotter.find(order), self._timeout(timeout_s))

    async def cancel_all(
        self, symbol: str | None = None, *, timeout_s: float | None = None
    ) -> tuple[CommandResult, ...]:
        """Cancel every open order, of one symbol or all, orders placed elsewhere included.

        One result per order. Those known here go first, then what else the venue shows.

        Raises:
            DragomanError: The venue's list could not be read; those known here were canceled.
        """
        self._check_commands()
        within_s = self._timeout(timeout_s)
        return await self._commands.cancel_all(await self._meant(symbol, within_s), within_s)

    async def close(
        self,
        position: Position | str,
        quantity: Amount | None = None,
        *,
        timeout_s: float | None = None,
        **options: Unpack[OrderOptions],
    ) -> Order:
        """Close a position, or part of it, by an ordinary market order that can only close.

        Args:
            position: The position, its id or, where that has one position only, its symbol.
            quantity: How much to close, above 0; None is all of it.
            timeout_s: As `submit`.
            **options: What else the order says; see `OrderOptions`.

        Raises:
            NotFoundError: There is no such position (NOT_SENT).
            InvalidOrderError: The symbol has several (NOT_SENT).
            DragomanError: As `submit`.
        """
        self._check_commands()
        held = find_position(self.state.positions, position)
        request = closing_order(held, quantity, self.capabilities, options)
        return await self.submit(request, timeout_s=timeout_s)

    async def close_all(
        self, symbol: str | None = None, *, timeout_s: float | None = None
    ) -> tuple[CommandResult, ...]:
        """Close every position, of one symbol or all, side by side.

        One result per position, never stopping at an error.
        """
        self._check_commands()
        within_s = self._timeout(timeout_s)
        meant = await self._meant(symbol, within_s)
        reading = self._adapter.fetch_positions(self.account_id, meant)
        positions = await self._commands.read(reading, within_s)
        return tuple(await asyncio.gather(*[self._closed(one, timeout_s) for one in positions]))

    async def set_exits(
        self,
        position: Position | str,
        stop_loss: Exit | None = None,
        take_profit: Exit | None = None,
    ) -> tuple[Order, ...]:
        """Set a position's protective orders; None takes a leg off.

        Raises `UnsupportedError` where not offered.
        """
        self._check_commands()
        self._blotter.check_halt()
        self._session.monitor.check_journal(self.account_id, self.provider)
        if not isinstance(self._adapter, ExitPort):
            raise self._not_offered("exits on an open position")
        self._blotter.check_owner()
        held = find_position(self.state.positions, position)
        setting = self._adapter.set_exits(held, stop_loss, take_profit)
        orders = await self._commands.ask(
            "setting exits", setting, self._timeout_s, adds_exposure=True, only_closes=True
        )
        return tuple([self._blotter.answer(order, EventSource.RESPONSE) for order in orders])

    def stream(
        self,
        *,
        since: int | None = None,
        buffer: int = _BUFFER,
        **subscription: Unpack[SubscriptionFields],
    ) -> EventStream:
        """Open one stream of everything named.

        `quotes=["AAPL"]`, `bars=[("AAPL", "1m")]`, `orders=True`, ...

        Args:
            since: Start private events after this sequence, from the journal; None starts with the
                next.
            buffer: How many events may wait for this reader before market data is conflated.
        """
        asked = self._followed(Subscription(**subscription))
        return self._session.hub.stream(asked, since=since, buffer=buffer)

    def listen(
        self,
        callback: Callable[[Event], Awaitable[None] | None],
        *,
        since: int | None = None,
        buffer: int = _BUFFER,
        **subscription: Unpack[SubscriptionFields],
    ) -> Listener:
        """Call `callback` with each event, from one task of its own.

        Its errors are reported and stop nobody.
        """
        asked = self._followed(Subscription(**subscription))
        return self._session.hub.listen(callback, asked, since=since, buffer=buffer)

    async def for_account(self, account_id: str) -> Broker:
        """Return a broker for another account of the same credentials.

        One session, its own journal and sequence.

        Raises:
            ConfigurationError: The credentials do not reach that account.
        """
        self._check_open()
        return self if account_id == self.account_id else await self._open_account(account_id)

    async def aclose(self) -> None:
        """End the connection: every stream, every task, within seconds. Idempotent.

        Open orders stay as they are, unless `on_exit` says otherwise. In a forked process this does
        nothing: the connection is its parent's.
        """
        if self._is_closed or not self._session.is_own_process:
            return
        self._is_closed = True
        try:
            await self._halting.leave(self._on_exit)
        finally:
            try:
                await self._session.aclose()
            finally:
                await self._end_adapter()

    async def _end_adapter(self) -> None:
        try:
            async with asyncio.timeout(_LONGEST_END_S):
                await self._adapter.aclose()
        except TimeoutError:
            _log.error("the adapter of %s did not end in time", self.provider)

    async def _closed(self, position: Position, timeout_s: float | None) -> CommandResult:
        name = self._adapter.context.ids.next_id()
        try:
            order = await self.close(position, client_order_id=name, timeout_s=timeout_s)
        except DragomanError as error:
            known = self.state.order(name)
            return CommandResult(client_order_id=name, order=known, error=error)
        return CommandResult(client_order_id=name, order=order)

    async def _meant(self, symbol: str | None, within_s: float) -> str | None:
        """Return the symbol that is meant by an alias; what can't be looked up is one itself."""
        if symbol is None or any(order.symbol == symbol for order in self.state.open_orders):
            return symbol
        try:
            async with asyncio.timeout(within_s):
                return (await self._instruments.get(symbol)).symbol
        except (DragomanError, TimeoutError):
            return symbol

    def _followed(self, asked: Subscription) -> Subscription:
        """Refuse to be asked for private events that will never come."""
        self._check_open()
        if asked.orders or asked.positions or asked.account or asked.ledger:
            self._check_commands()
        return asked
