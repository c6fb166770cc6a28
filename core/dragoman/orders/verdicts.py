"""What a failed submit proves of its order, and no more than that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.errors import (
    DragomanError,
    DuplicateOrderError,
    OrderRejectedError,
    Outcome,
    OutcomeUnknownError,
    RejectReason,
    UnknownReason,
)
from dragoman.models.enums import EventSource, OrderStatus

from .blotter import is_definite
from .checks import other_terms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dragoman.errors import Violation
    from dragoman.models import Order, OrderRequest

    from .blotter import Blotter

__all__ = ["Verdicts"]

_DUPLICATE: Final = RejectReason.DUPLICATE_CLIENT_ORDER_ID


class Verdicts:
    """Takes in what submits failed by; orders of unknown fate are looked for from then on."""

    def __init__(self, blotter: Blotter) -> None:
        self._blotter = blotter
        self._tracker = blotter.tracker
        self._sendings = blotter.sendings

    async def take_refusal(self, request: OrderRequest, error: DragomanError) -> None:
        """Take in a failed submit; that an id is taken means that the first order of it exists."""
        client_order_id = request.client_order_id or ""
        is_taken = _reason_of(error) is _DUPLICATE
        if not is_taken or self._tracker.has_evidence(client_order_id):
            self.failed(client_order_id, error)
            return
        try:
            first = await self._blotter.adapter.fetch_order(
                self._blotter.account_id, client_order_id=client_order_id, symbol=request.symbol
            )
        except DragomanError:
            first = None
        if first is None:
            self.failed(client_order_id, self._unseen(error), is_deniable=False)
        else:
            self._take_first(request, first)

    def failed(
        self, client_order_id: str, error: DragomanError, *, is_deniable: bool = True
    ) -> None:
        """Take in a failure for what it proves; the exchange is over.

        `is_deniable` says whether the order may be called absent if it is not to be found.
        """
        self._sendings.fail(client_order_id, error)
        if not is_definite(error):
            self.doubt(client_order_id, is_over=True, is_deniable=is_deniable)
        elif not self._is_contradicted(client_order_id, error):
            self._refuse(client_order_id, error)
        self._blotter.watch.wake(client_order_id)

    def doubt(self, client_order_id: str, *, is_over: bool, is_deniable: bool = True) -> None:
        """Note that an order's fate is unknown, and look for it."""
        self._blotter.tell(self._tracker.doubt(client_order_id, self._blotter.now_ns))
        self._blotter.resolver.look_for(client_order_id, is_over=is_over, is_deniable=is_deniable)

    def duplicate(
        self, client_order_id: str, by_what: str, found: Sequence[Violation] = ()
    ) -> DuplicateOrderError:
        """Return the error that says by what an id is taken."""
        terms = "".join(f"; {one}" for one in found)
        message = f"client order id {client_order_id!r} is taken by {by_what}{terms}"
        return DuplicateOrderError(message, provider=self._blotter.provider)

    def rejected(self, order: Order) -> OrderRejectedError:
        """Return the error that says why an order was rejected."""
        cause = order.reason or order.reject_reason
        return OrderRejectedError(
            f"{self._blotter.provider} rejected order {order.client_order_id}: {cause}",
            reason=order.reject_reason or RejectReason.OTHER,
            client_order_id=order.client_order_id,
            provider=self._blotter.provider,
            code=order.venue_code,
        )

    def _take_first(self, request: OrderRequest, first: Order) -> None:
        """Let the order that has the id be this one or, with other terms, itself."""
        client_order_id = request.client_order_id or ""
        found = other_terms(request, first)
        if found:
            self._blotter.journal.forget([client_order_id])
            self._tracker.forget(client_order_id)
            what = "an order that was not sent from here"
            error = self.duplicate(client_order_id, what, found)
            error.outcome = Outcome.REJECTED
            self._sendings.fail(client_order_id, error)
        self._blotter.answer(first, EventSource.RECONCILED)

    def _unseen(self, error: DragomanError) -> OutcomeUnknownError:
        return OutcomeUnknownError(
            f"{error.message}; the order that has the id is not to be seen",
            reason=UnknownReason.BAD_RESPONSE,
            provider=self._blotter.provider,
            code=error.code,
        )

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
            self._blotter.journal.forget([client_order_id])
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


def _reason_of(error: DragomanError) -> RejectReason:
    return error.reason if isinstance(error, OrderRejectedError) else RejectReason.OTHER
