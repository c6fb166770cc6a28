"""An account's orders at work: what the venue says of them is taken in, told, and waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from dragoman.errors import (
    ClosedError,
    InvalidOrderError,
    NotFoundError,
    Outcome,
    OutcomeUnknownError,
    UnknownReason,
    Violation,
)
from dragoman.models.enums import EventSource
from dragoman.models.order import Order
from dragoman.tasks import TaskScope

from .watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dragoman.adapter import Adapter
    from dragoman.errors import DragomanError
    from dragoman.models.events import OrderEvent

    from .halt import HaltSwitch
    from .journal import Journal
    from .tracker import OrderTracker

__all__ = ["Blotter", "is_definite"]

_ADOPTED_ID: Final = "ext-"


def is_definite(error: DragomanError) -> bool:
    """Tell whether an error proves what became of a command."""
    return error.outcome in (Outcome.NOT_SENT, Outcome.REJECTED)


class Blotter:
    """What every command on orders works with.

    Args:
        adapter: Bound to the account.
        account_id: The account.
        journal: Where intents are written down.
        tracker: The orders.
        halt: The switch that commands are checked against.
        tell: Journals and publishes events, in order.
    """

    def __init__(
        self,
        adapter: Adapter,
        account_id: str,
        *,
        journal: Journal,
        tracker: OrderTracker,
        halt: HaltSwitch,
        tell: Callable[[Sequence[OrderEvent]], None],
    ) -> None:
        self.adapter = adapter
        self.account_id = account_id
        self.provider: str = adapter.context.provider
        self.journal = journal
        self.tracker = tracker
        self.halt = halt
        self.tell = tell
        self.watch: Watch = Watch()
        self.scope: TaskScope = TaskScope()

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

    def check_halt(self) -> None:
        """Refuse to go on while trading is halted; raises `HaltedError` (NOT_SENT)."""
        self.halt.check(self.provider)

    def order(self, client_order_id: str) -> Order:
        """Return an order that is tracked."""
        return cast("Order", self.tracker.order(client_order_id))

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
        known = self.tracker.order(target)
        if known is None:
            message = f"no order {target!r} is known here; fetch_order() looks it up"
            raise NotFoundError(message, provider=self.provider, outcome=Outcome.NOT_SENT)
        return known

    def answer(self, order: Order, source: EventSource) -> Order:
        """Take in an order that the venue showed; returns it as all evidence makes it."""
        self.tell(self.tracker.answer(order, source, self.now_ns))
        name = self.tracker.name_of(order)
        self.watch.wake(name)
        return self.order(name)

    def answer_to(self, client_order_id: str, order: Order) -> None:
        """Take in the response to a command on one order.

        Raises:
            OutcomeUnknownError: It is about another order, so it proves nothing (UNKNOWN).
        """
        if self.tracker.name_of(order) != client_order_id:
            message = f"the response is about another order, {order.client_order_id!r}"
            raise OutcomeUnknownError(
                message,
                reason=UnknownReason.BAD_RESPONSE,
                client_order_id=client_order_id,
                provider=self.provider,
            )
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
            client_order_id=name,
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
