"""Events and journals for the tests of the durable journal."""

import attrs

from dragoman.models import OrderEvent, OrderEventKind, OrderRequest, OrderStatus, Side
from dragoman.orders.journal import open_journal
from dragoman.orders.tracker import OrderTracker
from dragoman.times import DAY_NS

NOW_NS = 1_767_796_200_000_000_000
ACCOUNT = "paper 1/a"


def opened(folder, *, now_ns=NOW_NS, kept_ns=30 * DAY_NS, **more):
    """The journal of the account, below `folder`."""
    return open_journal("mock", ACCOUNT, folder, now_ns=now_ns, kept_ns=kept_ns, **more)


def file_of(folder):
    """The file that `opened` opens."""
    return folder / "journals" / "mock" / "paper%201%2Fa.sqlite3"


def request(name="one", quantity=1):
    """An order to send."""
    return OrderRequest.market("AAPL", Side.BUY, quantity, client_order_id=name)


def submitted(name="one", at_ns=NOW_NS):
    """The event that tells of an intent."""
    return OrderTracker("paper-1", "mock").register(request(name), at_ns)


def changed(event, kind, **facts):
    """A later event of the same order."""
    at_ns = facts.pop("at_ns", event.received_at_ns)
    order = attrs.evolve(event.order, **facts)
    return OrderEvent(
        kind=kind, order=order, account_id=event.account_id, received_at_ns=at_ns, sequence=0
    )


def accepted(name="one", at_ns=NOW_NS, venue_id="7"):
    """The event that tells that the venue took an order."""
    facts = {"status": OrderStatus.OPEN, "venue_order_ids": (venue_id,)}
    return changed(submitted(name, at_ns), OrderEventKind.ACCEPTED, **facts)


def canceled(name="one", at_ns=NOW_NS, venue_id="7"):
    """The event that tells the end of an order."""
    facts = {"status": OrderStatus.CANCELED, "venue_order_ids": (venue_id,)}
    return changed(submitted(name, at_ns), OrderEventKind.CANCELED, **facts)


def live(journal, name, at_ns=NOW_NS, venue_id="7"):
    """Let an order begin, be accepted and be canceled."""
    journal.begin([request(name)], [submitted(name, at_ns)])
    journal.append([accepted(name, at_ns, venue_id), canceled(name, at_ns, venue_id)])


def numbers(events):
    """The sequences of events."""
    return [event.sequence for event in events]
