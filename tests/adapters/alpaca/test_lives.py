"""Whole lives of orders, as Alpaca tells them and the library's tracker understands them."""

import pytest
from tests.adapters.alpaca.trading_rows import (
    ACCOUNT,
    AT_NS,
    D,
    leg_content,
    order_content,
    read,
    reading,
    update,
)

from dragoman.models import EventSource, OrderEvent, OrderRequest, OrderStatus, Side, TimeInForce
from dragoman.orders.tracker import OrderTracker
from dragoman_alpaca.mapping.orders import order_of, order_of_chain, orders_of
from dragoman_alpaca.mapping.updates import event_of, fill_of_activity
from dragoman_alpaca.wire.trading import ActivityRow, OrderRow


class Desk:
    """One account's tracker, told what the venue says; it lists what was news."""

    def __init__(self):
        self.tracker = OrderTracker(ACCOUNT, "alpaca-paper")
        self.reading = reading()
        self.told = []
        self._seconds = 0

    def submit(self, client_order_id="a"):
        request = OrderRequest.limit(
            "AAPL", Side.BUY, "6", "150", client_order_id=client_order_id,
            account_id=ACCOUNT, time_in_force=TimeInForce.GTC,
        )  # fmt: skip
        self.tracker.register(request, AT_NS)

    def hear(self, event, **fields):
        time = self._time()
        more = {name: fields.pop(name) for name in ("price", "qty_now") if name in fields}
        if "qty_now" in more:
            more["qty"] = more.pop("qty_now")
        row = order_content(**{"qty": "6", "updated_at": time} | fields)
        content = update(event, order=row, timestamp=time, **more)
        for told in event_of(content, self.reading):
            if isinstance(told, OrderEvent):
                self._note(self.tracker.observe(told))

    def see(self, **fields):
        row = read(order_content(**{"qty": "6", "updated_at": self._time()} | fields), OrderRow)
        for order in orders_of(row, self.reading):
            self._note(self.tracker.answer(order, EventSource.RECONCILED, AT_NS))

    def order(self, client_order_id="a"):
        return self.tracker.order(client_order_id)

    def _note(self, events):
        self.told += [event.kind.value for event in events]

    def _time(self):
        self._seconds += 1
        return f"2026-01-02T03:04:{self._seconds:02d}Z"


@pytest.fixture
def desk():
    return Desk()


def test_an_order_is_acknowledged_fills_in_parts_and_is_done(desk):
    desk.submit()
    desk.hear("pending_new", status="pending_new")
    desk.hear("new")
    desk.hear("partial_fill", status="partially_filled", filled_qty="2", qty_now="2", price="150")
    desk.hear("fill", status="filled", filled_qty="6", qty_now="4", price="149")

    assert ["ACCEPTED", "FILL", "FILL"] == desk.told
    order = desk.order()
    assert (OrderStatus.FILLED, D(6), 0) == (order.status, order.filled_quantity, order.revision)


def test_a_fill_that_is_read_again_counts_once(desk):
    desk.submit()
    desk.hear("new")
    desk.hear("partial_fill", status="partially_filled", filled_qty="2", qty_now="2", price="150")
    activity = {
        "id": "20260102T::x", "activity_type": "FILL", "side": "buy", "symbol": "AAPL",
        "qty": "2", "price": "150", "cum_qty": "2.0", "order_id": order_content()["id"],
    }  # fmt: skip

    fill = fill_of_activity(read(activity, ActivityRow), desk.reading)
    again = desk.tracker.execute(fill, EventSource.RECONCILED, AT_NS)

    assert ([], D(2)) == (again, desk.order().filled_quantity)


OLD = {"id": "v1"}
NEW = {"id": "v2", "client_order_id": "a~1", "replaces": "v1", "limit_price": "151"}


class TestReplace:
    def test_is_told_once_the_market_has_the_new_order(self, desk):
        desk.submit()
        desk.hear("new", **OLD)
        desk.see(**NEW, status="pending_new")
        before = desk.order()
        desk.hear("pending_replace", **OLD, status="pending_replace")
        desk.hear("pending_new", **NEW, status="pending_new")
        desk.hear("replaced", **OLD, status="replaced", replaced_by="v2")
        desk.hear("new", **NEW)
        desk.hear("fill", **NEW, status="filled", filled_qty="6", qty_now="6", price="151")

        assert ["ACCEPTED", "PENDING_REPLACE", "REPLACED", "FILL"] == desk.told
        assert (0, D(150), ("v1",)) == (
            before.revision,
            before.limit_price,
            before.venue_order_ids,
        )
        after = desk.order()
        assert (1, D(151), ("v1", "v2"), OrderStatus.FILLED) == (
            after.revision,
            after.limit_price,
            after.venue_order_ids,
            after.status,
        )

    def test_that_is_refused_leaves_the_order_as_it_was(self, desk):
        desk.submit()
        desk.hear("new", **OLD)
        desk.hear("pending_new", **NEW, status="pending_new")
        desk.hear("rejected", **NEW, status="rejected")

        assert ["ACCEPTED", "PENDING_REPLACE", "REPLACE_REJECTED"] == desk.told
        order = desk.order()
        assert (0, D(150), OrderStatus.OPEN, None, ("v1",)) == (
            order.revision,
            order.limit_price,
            order.status,
            order.pending,
            order.venue_order_ids,
        )

    def test_whose_old_order_filled_meanwhile_counts_both(self, desk):
        desk.submit()
        desk.hear("new", **OLD)
        desk.hear(
            "partial_fill", **OLD, status="partially_filled", filled_qty="1",
            qty_now="1", price="150",
        )  # fmt: skip
        old = order_content(**OLD, qty="6", status="replaced", filled_qty="1")
        new = order_content(**NEW, qty="5", updated_at="2026-01-02T03:04:30Z")
        rows = [read(one, OrderRow) for one in (old, new)]
        desk.tracker.answer(order_of_chain(rows, desk.reading), EventSource.RECONCILED, AT_NS)
        desk.hear("fill", **NEW, status="filled", filled_qty="5", qty_now="5", price="151")

        order = desk.order()
        assert (D(6), OrderStatus.FILLED, ("v1", "v2")) == (
            order.filled_quantity,
            order.status,
            order.venue_order_ids,
        )

    def test_by_another_client_is_the_same_intent(self, desk):
        desk.submit()
        desk.hear("new", **OLD)
        theirs = NEW | {"client_order_id": "of-another-client"}
        desk.hear("replaced", **OLD, status="replaced", replaced_by="v2")
        desk.hear("new", **theirs)
        desk.hear("canceled", **theirs, status="canceled")

        assert ["ACCEPTED", "REPLACED", "CANCELED"] == desk.told
        assert (1, D(151), ("v1", "v2")) == (
            desk.order().revision,
            desk.order().limit_price,
            desk.order().venue_order_ids,
        )
        assert None is desk.order("of-another-client")


def test_what_another_client_named_like_a_revision_is_an_order_of_its_own(desk):
    desk.submit()
    desk.hear("new", id="v1")
    desk.hear("new", id="v7", client_order_id="a~1")
    desk.hear("canceled", id="v7", client_order_id="a~1", status="canceled")

    assert (OrderStatus.OPEN, OrderStatus.CANCELED) == (
        desk.order().status,
        desk.order("a~1").status,
    )


def test_the_legs_of_a_bracket_follow_their_entry(desk):
    legs = [leg_content("limit"), leg_content("stop")]
    desk.submit()
    desk.see(status="filled", filled_qty="6", order_class="bracket", legs=legs)
    desk.hear("new", **leg_content("limit", status="new", updated_at="2026-01-02T03:05:00Z"))
    desk.hear("new", **leg_content("stop", status="new", updated_at="2026-01-02T03:05:00Z"))
    desk.hear(
        "canceled", **leg_content("stop", status="canceled", updated_at="2026-01-02T03:05:01Z")
    )

    stop, target = desk.order("a-sl"), desk.order("a-tp")
    assert (OrderStatus.CANCELED, OrderStatus.OPEN) == (stop.status, target.status)
    assert ("a", D(140), True) == (stop.parent_client_order_id, stop.stop_price, stop.reduce_only)
    assert {"a", "a-sl", "a-tp"} == {one.client_order_id for one in desk.tracker.orders()}


def test_a_list_that_shows_every_row_of_a_chain_shows_one_order(desk):
    desk.submit()
    rows = [
        order_content(id="v1", status="replaced", replaced_by="v2", qty="6"),
        order_content(id="v2", client_order_id="a~1", replaces="v1", status="replaced", qty="6"),
        order_content(id="v3", client_order_id="a~2", replaces="v2", qty="7"),
        order_content(id="v4", client_order_id="a~3", replaces="v3", status="rejected", qty="9"),
    ]

    found = [order_of(read(row, OrderRow), desk.reading) for row in rows]

    assert [("a", 2, ("v3",), D(7))] == [
        (one.client_order_id, one.revision, one.venue_order_ids, one.quantity)
        for one in found
        if one is not None
    ]
