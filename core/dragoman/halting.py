"""Getting an account out of the market: halt, cancel everything, close everything, prove it.

A position counts as gone when the venue has shown so after it has shown that nothing works any
more. Short of that an account is not called flat.
"""

from __future__ import annotations

import asyncio
import logging
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import attrs

from .errors import DragomanError, JournalUnavailableError
from .models.enums import AlarmKind, OrderStatus
from .models.order import CommandResult
from .orders.closing import closing_order
from .orders.sendings import Flight
from .times import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from .intake import Intake
    from .models import OrderOptions, Position
    from .orders.halt import HaltReport
    from .session import AccountSession

__all__ = ["ExitPolicy", "Halting"]

_PAUSE_NS: Final = SECOND_NS // 2
_LONGEST_EXIT_S: Final = 3.0

_log: Final = logging.getLogger(__name__)


class ExitPolicy(StrEnum):
    """What becomes of an account when its connection is closed.

    `LEAVE`: orders and positions stay as they are. `CANCEL`: every order is canceled. `FLATTEN`:
    every order is canceled and every position closed. It is done as far as a few seconds suffice.
    """

    LEAVE = "LEAVE"
    CANCEL = "CANCEL"
    FLATTEN = "FLATTEN"


class Halting:
    """Ends what one account has in the market.

    Args:
        session: The account.
        intake: Judges the orders that close.
    """

    def __init__(self, session: AccountSession, intake: Intake) -> None:
        self._session = session
        self._intake = intake

    async def cancel(self, cause: str, timeout_s: float) -> HaltReport:
        """Halt, then cancel every order, those placed elsewhere and children included."""
        return await self._run(cause, timeout_s, is_closing=False)

    async def flatten(self, cause: str, timeout_s: float) -> HaltReport:
        """Halt, cancel every order, close every position, and look until the venue proves it."""
        return await self._run(cause, timeout_s, is_closing=True)

    def cancel_soon(self, timeout_s: float) -> None:
        """Begin to cancel every order, from any thread; the orders' events tell how it goes."""
        way = _WayOut(self._session, self._intake, timeout_s)

        def begin() -> None:
            if not self._session.watch.is_closed:
                self._session.blotter.scope.spawn(way.cancel_all(), "cancel after a halt")

        self._session.call_soon(begin)

    async def leave(self, policy: ExitPolicy) -> None:
        """Do what the policy says at the end of a connection, within seconds; log what fails."""
        if policy is ExitPolicy.LEAVE:
            return
        way = _WayOut(self._session, self._intake, _LONGEST_EXIT_S)
        await way.walk(is_closing=policy is ExitPolicy.FLATTEN)
        for problem in way.problems:
            _log.error("%s at the end of the connection: %s", policy, problem)

    async def _run(self, cause: str, timeout_s: float, *, is_closing: bool) -> HaltReport:
        way = _WayOut(self._session, self._intake, timeout_s)
        now_ns = self._session.clock.now_ns()
        problems: list[str] = []
        try:
            self._session.halt(cause)
        except JournalUnavailableError as error:
            problems.append(error.message)
        await way.walk(is_closing=is_closing, while_halted=True)
        report = self._session.report(cause, now_ns)
        if way.problems:
            what = f"halted, and not all is out of the market: {'; '.join(way.problems[:3])}"
            self._session.alarm(AlarmKind.NOT_FLAT, what)
        return attrs.evolve(report, problems=(*problems, *way.problems))


class _WayOut:
    """One attempt to get out, round by round: cancel, close what has no order left, look."""

    def __init__(self, session: AccountSession, intake: Intake, timeout_s: float) -> None:
        self.problems: list[str] = []
        self._session = session
        self._intake = intake
        self._adapter = session.adapter
        self._timeout_s = timeout_s
        self._closings: dict[str, tuple[Decimal, str]] = {}

    async def walk(self, *, is_closing: bool, while_halted: bool = False) -> None:
        """Go until the account is proved flat, or the time is up; without closing, one round."""
        try:
            async with asyncio.timeout(self._timeout_s):
                while not await self._round(is_closing=is_closing) and is_closing:
                    await self._session.clock.sleep_ns(_PAUSE_NS)
                    if while_halted and not self._session.blotter.halt.is_set:
                        self.problems.append("trading was resumed before the account was flat")
                        return
        except TimeoutError:
            self.problems.append(f"not proved flat within {self._timeout_s} s")

    async def cancel_all(self) -> None:
        """Cancel everything that is known or shown to be open."""
        try:
            rows = await self._session.commands.cancel_all(None, self._timeout_s)
        except DragomanError as error:
            self.problems.append(f"what else is open could not be read: {error.message}")
        except Exception as bug:  # noqa: BLE001 - a bug must not end the way out; it is logged
            self._meet(bug)
        else:
            self._note(rows)

    async def _round(self, *, is_closing: bool) -> bool:
        self.problems.clear()
        await self.cancel_all()
        try:
            if is_closing:
                await self._close_all()
            return await self._prove()
        except DragomanError as error:
            self.problems.append(error.message)
        except Exception as bug:  # noqa: BLE001 - a bug must not end the way out; it is logged
            self._meet(bug)
        return False

    async def _close_all(self) -> None:
        """Close what has no order at work any more: two closing orders would open the other way."""
        positions = await self._adapter.fetch_positions(self._session.account_id)
        busy = {order.symbol for order in self._session.state.open_orders}
        due = [one for one in positions if one.symbol not in busy and self._is_due(one)]
        self._note(await asyncio.gather(*[self._close(one) for one in due]))

    def _is_due(self, position: Position) -> bool:
        """Tell whether a position is to be closed: not while its closing fill is not in it yet."""
        quantity, name = self._closings.get(position.position_id, (None, ""))
        closing = self._session.state.order(name)
        is_done = closing is not None and closing.status is OrderStatus.FILLED
        return bool(position.quantity) and not (is_done and quantity == position.quantity)

    async def _close(self, position: Position) -> CommandResult:
        name = self._adapter.context.ids.next_id()
        self._closings[position.position_id] = (position.quantity, name)
        options: OrderOptions = {"client_order_id": name}
        try:
            request = closing_order(position, None, self._adapter.capabilities, options)
            vetted = await self._intake.vet(self._intake.complete(request))
            with self._session.blotter.halt.closing():
                order = await self._session.desk.submit(vetted.request, self._timeout_s)
        except DragomanError as error:
            return CommandResult(client_order_id=name, error=error)
        return CommandResult(client_order_id=name, order=order)

    async def _prove(self) -> bool:
        """Look whether nothing works and, after that, nothing is held, with no news in between."""
        session = self._session
        sequence = session.journal.last_sequence
        works = await self._adapter.fetch_open_orders(session.account_id)
        held = await self._adapter.fetch_positions(session.account_id)
        flights = session.desk.in_flight().values()
        session.is_flat = (
            not works
            and not any(position.quantity for position in held)
            and session.state.is_level(held)
            and not session.state.open_orders
            and all(flight is Flight.UNSENT for flight in flights)
            and sequence == session.journal.last_sequence
        )
        if not works and not session.is_flat and not session.state.is_level(held):
            await session.reconcile()
        return session.is_flat

    def _meet(self, bug: Exception) -> None:
        _log.exception("the way out of the market met a bug")
        self.problems.append(f"the adapter failed ({type(bug).__name__})")

    def _note(self, rows: Iterable[CommandResult]) -> None:
        failed = [(row.client_order_id, row.error) for row in rows if row.error is not None]
        self.problems += [f"{name}: {error.message}" for name, error in failed]
