"""Orders whose client order id a venue can't hold, and shows a hash of."""

from decimal import Decimal

import pytest

from dragoman.models import (
    EventSource,
    Exit,
    Fill,
    Order,
    OrderEvent,
    OrderEventKind,
    OrderRequest,
    OrderStatus,
    OrderType,
    Side,
)
from dragoman.orders.tracker import OrderTracker

NAME = "an.id.that.the.venue.can't.hold"


def token_of(client_order_id, revision):
    return f"h{sum(client_order_id.encode()) + revision}"


@pytest.fixture
def tracker():
    found = OrderTracker("a1", "acme")
    found.legs.name_with(token_of)
    return found


def register(tracker, **more):
    request = OrderRequest.market("AAPL", Side.BUY, "10", client_order_id=NAME, **more)
    return tracker.register(request, 1)


def shown(name, **more):
    facts = {
        "client_order_id": token_of(name, 0),
        "account_id": "a1",
        "symbol": "AAPL",
        "side": Side.BUY,
        "order_type": OrderType.MARKET,
        "status": OrderStatus.OPEN,
        "provider": "acme",
        "received_at_ns": 2,
        "quantity": Decimal(10),
        "venue_order_ids": (f"v-{name}",),
    }
    return Order(**{**facts, **more})


def test_an_order_that_the_stream_shows_before_the_answer_is_no_stranger(tracker):
    register(tracker)
    event = OrderEvent(
        kind=OrderEventKind.ACCEPTED, order=shown(NAME), account_id="a1", received_at_ns=2
    )

    (told,) = tracker.observe(event)

    assert (OrderEventKind.ACCEPTED, NAME) == (told.kind, told.order.client_order_id)
    assert [NAME] == [one.client_order_id for one in tracker.orders()]


def test_a_fill_that_names_the_hash_is_the_orders_own(tracker):
    register(tracker)
    fill = Fill(
        fill_id="f1",
        account_id="a1",
        client_order_id=token_of(NAME, 0),
        symbol="AAPL",
        side=Side.BUY,
        quantity=Decimal(10),
        price=Decimal(100),
        venue_time_ns=2,
        provider="acme",
        received_at_ns=2,
    )

    events = tracker.execute(fill, EventSource.RECONCILED, 2)

    assert [OrderEventKind.ACCEPTED, OrderEventKind.FILL] == [one.kind for one in events]
    assert OrderStatus.FILLED is tracker.order(NAME).status


def test_a_leg_is_called_after_its_entry(tracker):
    register(tracker, stop_loss=Exit(price="90"))
    leg = shown(
        f"{NAME}-sl", side=Side.SELL, parent_client_order_id=token_of(NAME, 0), quantity=None
    )

    tracker.answer(leg, EventSource.RESPONSE, 3)

    found = tracker.order(f"{NAME}-sl")
    assert NAME == found.parent_client_order_id
    assert NAME == tracker.named(leg).parent_client_order_id


def test_an_order_of_somebody_else_keeps_its_name(tracker):
    register(tracker)

    tracker.answer(shown("x", client_order_id="theirs"), EventSource.RECONCILED, 3)

    assert tracker.order("theirs") is not None
