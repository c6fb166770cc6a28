"""What an earlier process left behind, brought back: silently, and only what is needed.

Orders that may still change are tracked again when a journal is opened; one that ended long ago is
recalled when somebody names it. An intent of which the venue has said nothing may have been sent,
so it is open, and its fate unknown; nothing here is ever sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.errors import RejectReason
from dragoman.models.enums import EventSource, OrderEventKind

if TYPE_CHECKING:
    from dragoman.models import Fill, Order
    from dragoman.models.events import OrderEvent

    from .journal import Journal, OrderHistory
    from .tracker import OrderTracker

__all__ = ["recall", "recall_fill", "recall_order", "restore_orders"]


def restore_orders(journal: Journal, tracker: OrderTracker, now_ns: int) -> list[OrderEvent]:
    """Track the orders that an earlier process left unfinished.

    Returns the events that are news: an intent that was given back as never sent, whose process
    died before it could tell. That the fate of an intent without evidence is unknown is told when
    the search for it begins.

    Raises:
        JournalUnavailableError: The journal can't be read.
    """
    news: list[OrderEvent] = []
    for history in journal.unfinished():
        tracker.restore(history)
        if _was_given_back(history):
            news += tracker.refuse(
                history.client_order_id,
                RejectReason.NEVER_ARRIVED,
                "an earlier process proved that it was never sent",
                at_ns=now_ns,
                is_sent=False,
            )
    return news


def recall(journal: Journal, tracker: OrderTracker, client_order_id: str) -> bool:
    """Track an order that is in the journal only; returns whether it is tracked now.

    Raises:
        JournalUnavailableError: The journal can't be read.
    """
    if tracker.order(client_order_id) is None:
        history = journal.history(client_order_id)
        if history is not None:
            tracker.restore(history)
    return tracker.order(client_order_id) is not None


def recall_order(journal: Journal, tracker: OrderTracker, order: Order) -> None:
    """Track what is known of an order that the venue shows, under whichever of its ids.

    Raises:
        JournalUnavailableError: The journal can't be read.
    """
    if tracker.order(tracker.name_of(order)) is not None:
        return
    for venue_order_id in order.venue_order_ids:
        name = journal.name_of(order.symbol, venue_order_id)
        if name is not None and recall(journal, tracker, name):
            return
    recall(journal, tracker, order.client_order_id)


def recall_fill(journal: Journal, tracker: OrderTracker, fill: Fill) -> None:
    """Track the order that a fill belongs to, if it is in the journal.

    Raises:
        JournalUnavailableError: The journal can't be read.
    """
    if tracker.name_of_fill(fill) is None:
        known = journal.name_of(fill.symbol, fill.venue_order_id) if fill.venue_order_id else None
        recall(journal, tracker, known or fill.client_order_id)


def _was_given_back(history: OrderHistory) -> bool:
    """Tell whether an intent was dropped from the journal, and the end of it never told."""
    if history.request is not None or not history.events:
        return False
    is_mute = all(event.source is EventSource.LOCAL for event in history.events)
    return is_mute and history.events[-1].kind is not OrderEventKind.REJECTED
