"""An account's orders at work: what the venue says of them is taken in, told, and waited for."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Final, cast

from dragoman.errors import (
    ClosedError,
    InvalidOrderError,
    JournalUnavailableError,
    NotFoundError,
    Outcome,
    OutcomeUnknownError,
    ReconcilingError,
    RejectReason,
    UnknownReason,
    Violation,
)
from dragoman.models.enums import AlarmKind, EventSource
from dragoman.models.order import Order
from dragoman.tasks import TaskScope

from .lookup import Resolver
from .restore import recall, recall_order
from .sendings import Sendings, is_definite
from .sightings import stamp_of
from .watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from dragoman.adapter import Adapter
    from dragoman.errors import DragomanError
    from dragoman.models.events import PrivateEvent
    from dragoman.permits import SendPermit

    from .halt import HaltSwitch
    from .journal import Journal
    from .tracker import OrderTracker

__all__ = ["Blotter", "is_definite"]

_ADOPTED_ID: Final = "ext-"
_log: Final = logging.getLogger(__name__)


class Blotter:
    """What every command on orders works with.

    Args:
        adapter: Bound to the account.
        account_id: The account.
        journal: Where intents are written down.
        tracker: The orders.
        halt: The switch that commands are checked against.
        tell: Journals and publishes events, in order.
        spread: Publishes events that are journalled.
        alarm: Tells a human: the kind, the cause, the order. Without one, alarms are logged.
        is_live: Tells whether the private stream is live now; without one, it is taken to be.
    """

    def __init__(
        self,
        adapter: Adapter,
        account_id: str,
        *,
        journal: Journal,
        tracker: OrderTracker,
        halt: HaltSwitch,
        tell: Callable[[Sequence[PrivateEvent]], None],
        spread: Callable[[Sequence[PrivateEvent]], None],
        alarm: Callable[[AlarmKind, str, str | None], None] | None = None,
        is_live: Callable[[], bool] | None = None,
    ) -> None:
        self.adapter = adapter
        self.account_id = account_id
        self.provider: str = adapter.context.provider
        self.journal = journal
        self.tracker = tracker
        self.halt = halt
        self.tell = tell
        self.spread = spread
        self.alarm: Callable[[AlarmKind, str, str | None], None] = alarm or _log_alarm
        self.is_live: Callable[[], bool] = is_live or _assume_live
        tracker.report_to(self.alarm)
        tracker.legs.name_with(adapter.wire_client_id)
        self._risen: set[str] = set()
        self.watch: Watch = Watch()
        self.sendings: Sendings = Sendings()
        self.scope: TaskScope = TaskScope()
        self.resolver: Resolver = Resolver(self)

    @property
    def now_ns(self) -> int:
        """The time now."""
        return self.adapter.context.clock.now_ns()

    def check_open(self) -> None:
        """Refuse what would begin after the end.

        Raises:
            ClosedError: The session has ended (NOT_SENT).
        """
        if self.watch.is_closed:
            raise ClosedError(
                f"the connection to {self.provider} is closed", provider=self.provider
            )

    def check_owner(self) -> None:
        """Refuse what may add exposure where no intent can be written down.

        Raises:
            JournalUnavailableError: The journal can't be written (NOT_SENT).
            AccountLockedError: Another process sends the orders of this account (NOT_SENT).
        """
        self.journal.begin((), ())

    def risen(self, shown: Iterable[Order]) -> list[Order]:
        """Return the orders that have ended here and work by the venue's own later word.

        What has ended stays so; that it may still fill is told, once for each. To be asked before
        what is shown is taken in.
        """
        found = [order for order in shown if order.is_open and self._is_outlived_by(order)]
        for order in found:
            name = self.tracker.name_of(order)
            if name not in self._risen:
                self._risen.add(name)
                cause = f"it was {self.order(name).status}, and the venue shows it at work"
                self.alarm(AlarmKind.RESURRECTED, cause, name)
        return found

    def _is_outlived_by(self, shown: Order) -> bool:
        name = self.tracker.name_of(shown)
        known = self.tracker.order(name)
        if known is None or not known.is_terminal:
            return False
        if known.reject_reason is RejectReason.NEVER_ARRIVED:
            return False  # it lives again as soon as this is taken in
        return name in self._risen or stamp_of(shown) > stamp_of(known)

    def check_halt(self) -> None:
        """Refuse to go on while trading is halted; raises `HaltedError` (NOT_SENT)."""
        self.halt.check(self.provider)

    def permit(
        self, *, only_closes: bool = False, also: Callable[[], None] | None = None
    ) -> SendPermit:
        """Return the leave to write the first byte of one command that may add exposure.

        It is void while trading is halted or, unless the command only closes, the stream is not
        live: what waited for its turn is then not sent (`ReconcilingError`, NOT_SENT). So it is
        when `also` raises, with what that raises.
        """

        def check() -> None:
            if not only_closes:
                self._check_live()
            if also is not None:
                also()

        return self.halt.permit(self.provider, check)

    def _check_live(self) -> None:
        if not self.is_live():
            message = f"account {self.account_id} is not in step with the venue any more"
            raise ReconcilingError(message, provider=self.provider)

    def believed(
        self, error: DragomanError, permit: SendPermit, client_order_id: str | None
    ) -> DragomanError:
        """Return an error of an adapter or, if what it claims can't be, that nothing is known.

        That nothing was sent can't be, once the permit to write was used.
        """
        if error.outcome is not Outcome.NOT_SENT or not permit.is_used:
            return error
        cause = f"it said that nothing was sent ({error.message}), after a byte was written"
        self.alarm(AlarmKind.ADAPTER_LIED, cause, client_order_id)
        return self.lost(cause, client_order_id)

    def lost_by(
        self, bug: Exception, verb: str, client_order_id: str | None
    ) -> OutcomeUnknownError:
        """Return what a bug in an adapter means: bytes may have left, permit or not."""
        return self.lost(f"the adapter failed to {verb} ({type(bug).__name__})", client_order_id)

    def lost(
        self, cause: str, client_order_id: str | None, reason: UnknownReason = UnknownReason.OTHER
    ) -> OutcomeUnknownError:
        """Return the error of an exchange that proves nothing about the order."""
        return OutcomeUnknownError(
            cause, reason=reason, client_order_id=client_order_id, provider=self.provider
        )

    def order(self, client_order_id: str) -> Order:
        """Return an order that is tracked."""
        return cast("Order", self.tracker.order(client_order_id))

    def is_dead(self, client_order_id: str) -> bool:
        """Tell whether what the venue has of an order has ended, even if it is to be carried on."""
        record = self.tracker.record(client_order_id)
        return self.order(client_order_id).is_terminal or record.is_leg_dead

    async def arrival(self, client_order_id: str) -> None:
        """Wait until there is evidence of an order on its way, or no answer can come any more."""

        def is_over() -> bool:
            has_evidence = self.tracker.has_evidence(client_order_id)
            return has_evidence or client_order_id not in self.sendings

        await self.watch.until(client_order_id, is_over, None)

    def find(self, target: Order | str) -> Order:
        """Return an order by itself or by its client order id; one not tracked yet is adopted.

        Raises:
            NotFoundError: No such order here (NOT_SENT).
            InvalidOrderError: It is an order of another account (NOT_SENT).
        """
        if isinstance(target, Order):
            if target.account_id != self.account_id:
                found = Violation.of("account_id", target.account_id, self.account_id)
                raise InvalidOrderError.of("Order", [found])
            known = self.tracker.order(self.tracker.name_of(target))
            return known or self.answer(target, EventSource.RECONCILED)
        self._recall(target)
        known = self.tracker.order(target)
        if known is None:
            message = f"no order {target!r} is known here; fetch_order() looks it up"
            raise NotFoundError(message, provider=self.provider, outcome=Outcome.NOT_SENT)
        return known

    def _recall(self, client_order_id: str) -> None:
        """Track an order that an earlier process left behind, if the journal can be read."""
        with suppress(JournalUnavailableError):
            recall(self.journal, self.tracker, client_order_id)

    def answer(self, order: Order, source: EventSource) -> Order:
        """Take in an order that the venue showed; returns it as all evidence makes it."""
        name = self.tracker.name_of(order)
        if self.tracker.order(name) is None:
            with suppress(JournalUnavailableError):  # then it is taken for one placed elsewhere
                recall_order(self.journal, self.tracker, order)
            name = self.tracker.name_of(order)
        self.tell(self.tracker.answer(order, source, self.now_ns))
        self.watch.wake(name)
        return self.order(name)

    def answer_to(self, client_order_id: str, order: Order) -> None:
        """Take in the response to a command on one order.

        Raises:
            OutcomeUnknownError: It is about another order, so it proves nothing (UNKNOWN).
        """
        asked = self.order(client_order_id)
        is_same = self.tracker.name_of(order) == client_order_id
        if not is_same or (order.symbol, order.side) != (asked.symbol, asked.side):
            message = f"the response is about another order, {order.client_order_id!r}"
            raise self.lost(message, client_order_id, UnknownReason.BAD_RESPONSE)
        self.answer(order, EventSource.RESPONSE)

    async def look_up(self, target: Order | str) -> Order | None:
        """Ask the venue for one order and take in what it shows; None: not visible now."""
        known = target if isinstance(target, Order) else self.tracker.order(target)
        name = known.client_order_id if known else str(target)
        venue_order_id = known.venue_order_id if known else None
        if known is None and name.startswith(_ADOPTED_ID):
            venue_order_id = name.removeprefix(_ADOPTED_ID)
        seen = await self.adapter.fetch_order(
            self.account_id,
            client_order_id=self.tracker.legs.newest_id(name),
            venue_order_id=venue_order_id,
            symbol=known.symbol if known else None,
        )
        return None if seen is None else self.answer(seen, EventSource.RECONCILED)

    def unproved(self) -> tuple[str, ...]:
        """Return the open orders the venue has said nothing about yet."""
        return tuple(
            order.client_order_id
            for order in self.tracker.open_orders()
            if not self.tracker.has_evidence(order.client_order_id)
        )

    def unknown(
        self, verb: str, client_order_id: str | None, failure: DragomanError | None = None
    ) -> OutcomeUnknownError:
        """Return the error that says that the fate of a command is not proved."""
        what = f"{verb} of {client_order_id}" if client_order_id else verb
        reason = UnknownReason.CLOSED if self.watch.is_closed else UnknownReason.TIMEOUT
        if isinstance(failure, OutcomeUnknownError):
            reason = failure.reason
        elif failure is not None:
            reason = UnknownReason.OTHER
        cause = f": {failure.message}" if failure else ""
        message = (
            f"{what} got no answer that proves its fate{cause}; it may have taken effect: "
            "do not send it again, wait for its events or fetch it"
        )
        return OutcomeUnknownError(
            message,
            reason=reason,
            client_order_id=client_order_id,
            provider=self.provider,
            code=failure.code if failure else None,
        )


def _log_alarm(kind: AlarmKind, cause: str, client_order_id: str | None) -> None:
    facts = {"alarm": str(kind), "cause": cause, "client_order_id": client_order_id}
    _log.error("an alarm that nobody listens to", extra=facts)


def _assume_live() -> bool:
    return True
