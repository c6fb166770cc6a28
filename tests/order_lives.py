"""What a venue may tell of one order, and every way in which it may come to be known."""

from decimal import Decimal

import attrs
from hypothesis import strategies as st

from dragoman.models import (
    Fill,
    OrderEvent,
    OrderEventKind,
    OrderRequest,
    OrderStatus,
    PendingAction,
    Side,
)
from dragoman.orders.tracker import OrderTracker

D = Decimal
Kind = OrderEventKind
ONE = OrderRequest.limit("AAPL", Side.BUY, 10, "5", client_order_id="one")


def tracker():
    return OrderTracker("paper-1", "mock")


def fill_of(order, fill_id, quantity, at_ns):
    return Fill(
        fill_id=fill_id,
        account_id="paper-1",
        client_order_id=order.client_order_id,
        venue_order_id=order.venue_order_ids[-1],
        symbol=order.symbol,
        side=order.side,
        quantity=D(quantity),
        price=D(5),
        venue_time_ns=at_ns,
        provider="mock",
        received_at_ns=at_ns,
    )


def said(kind, order, at_ns, fill=None):
    """An event as the venue's stream has it; a cancel that was refused comes with its reason."""
    reason = "too late" if kind is Kind.CANCEL_REJECTED else order.reason
    return OrderEvent(
        kind=kind,
        order=attrs.evolve(order, reason=reason),
        fill=fill,
        account_id="paper-1",
        received_at_ns=at_ns,
        event_id=f"e{at_ns}",
        venue_time_ns=at_ns,
    )


class Venue:
    """What a venue tells of one order, in its own order of time."""

    def __init__(self):
        pending = tracker().register(ONE, 1).order
        facts = {"venue_order_ids": ("7",), "created_at_ns": 10}
        self.order = attrs.evolve(pending, status=OrderStatus.OPEN, **facts)
        self.fills = {}
        self.busted = set()
        self.at_ns = 9
        self.told = []
        self.tell(Kind.ACCEPTED)

    def tell(self, kind, fill=None, step=1, **facts):
        self.at_ns += step
        times = {"updated_at_ns": self.at_ns, "received_at_ns": self.at_ns}
        self.order = attrs.evolve(self.order, **facts, **times)
        self.told.append(said(kind, self.order, self.at_ns, fill))

    @property
    def filled(self):
        return sum((one.quantity for one in self.fills.values()), D(0)) - sum(
            (self.fills[name].quantity for name in self.busted), D(0)
        )

    def execute(self, quantity, step):
        fill = fill_of(self.order, f"f{self.at_ns}", quantity, self.at_ns + step)
        self.fills[fill.fill_id] = fill
        self._tell_filled(Kind.FILL, fill, step)

    def bust(self, fill_id, step):
        self.busted.add(fill_id)
        at_ns = self.at_ns + step
        busted = attrs.evolve(self.fills[fill_id], is_busted=True, received_at_ns=at_ns)
        self._tell_filled(Kind.FILL_BUSTED, busted, step)

    def _tell_filled(self, kind, fill, step):
        filled = self.filled
        status = OrderStatus.PARTIALLY_FILLED if filled else OrderStatus.OPEN
        self.tell(
            kind,
            fill,
            step,
            status=OrderStatus.FILLED if filled == 10 else status,
            filled_quantity=filled,
            average_fill_price=D(5) if filled else None,
        )


def _act(draw, venue):
    """Let one more thing happen to the order."""
    step = draw(st.integers(1, 4))
    live = sorted(venue.fills.keys() - venue.busted)
    kinds = ["fill", "restate", "cancel", "refuse", "replace", "trigger", *["bust"] * bool(live)]
    match draw(st.sampled_from(kinds)):
        case "fill":
            venue.execute(draw(st.integers(1, int(10 - venue.filled))), step)
        case "bust":
            venue.bust(draw(st.sampled_from(live)), step)
        case "restate":
            venue.tell(Kind.RESTATED, step=step, limit_price=D(venue.at_ns) / 4)
        case "cancel":
            venue.tell(Kind.PENDING_CANCEL, step=step, pending=PendingAction.CANCEL)
        case "refuse":
            venue.tell(Kind.CANCEL_REJECTED, step=step, pending=None)
        case "trigger":
            venue.tell(Kind.TRIGGERED, step=step, is_triggered=True)
        case "replace":
            ids = (*venue.order.venue_order_ids, str(100 + venue.at_ns))
            facts = {"revision": venue.order.revision + 1, "venue_order_ids": ids, "pending": None}
            venue.tell(Kind.REPLACED, step=step, limit_price=D(venue.at_ns), **facts)


@st.composite
def lives(draw):
    venue = Venue()
    for _ in range(draw(st.integers(0, 5))):
        if venue.order.status is not OrderStatus.FILLED:
            _act(draw, venue)
    if venue.order.status is not OrderStatus.FILLED and draw(st.booleans()):
        end = draw(st.sampled_from([Kind.CANCELED, Kind.EXPIRED]))
        venue.tell(end, status=OrderStatus(str(end)), pending=None)
    return venue.told


def ways_of(told):
    """Every way in which each thing may come to be known."""
    looks = [attrs.evolve(event.order, reason=None) for event in told]
    fills = [event.fill for event in told if event.fill is not None]
    return [
        *[("event", event.received_at_ns, event) for event in told],
        *[("look", look.received_at_ns, look) for look in looks],
        *[("fill", fill.received_at_ns, fill) for fill in fills],
    ]
