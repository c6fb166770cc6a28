"""What trade updates and executions tell: a row for each of the venue's events."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.adapters.alpaca.trading_rows import (
    ACCOUNT,
    AT_NS,
    ORDER,
    D,
    leg_content,
    order_content,
    read,
    reading,
    update,
)

from dragoman.errors import DecodeError, ProtocolError
from dragoman.models import (
    Fill,
    OrderEvent,
    OrderEventKind,
    OrderStatus,
    PendingAction,
    PositionEvent,
    Side,
)
from dragoman.times import parse_time
from dragoman_alpaca.mapping.updates import event_of, fill_of_activity
from dragoman_alpaca.wire.trading import ActivityRow, TradeUpdate

EVENTS = {
    "accepted": ("accepted", OrderEventKind.SUBMITTED, OrderStatus.PENDING),
    "pending_new": ("pending_new", OrderEventKind.SUBMITTED, OrderStatus.PENDING),
    "held": ("held", OrderEventKind.ACCEPTED, OrderStatus.HELD),
    "new": ("new", OrderEventKind.ACCEPTED, OrderStatus.OPEN),
    "canceled": ("canceled", OrderEventKind.CANCELED, OrderStatus.CANCELED),
    "expired": ("expired", OrderEventKind.EXPIRED, OrderStatus.EXPIRED),
    "rejected": ("rejected", OrderEventKind.REJECTED, OrderStatus.REJECTED),
    "done_for_day": ("done_for_day", OrderEventKind.RESTATED, OrderStatus.HELD),
    "stopped": ("stopped", OrderEventKind.RESTATED, OrderStatus.OPEN),
    "suspended": ("suspended", OrderEventKind.RESTATED, OrderStatus.HELD),
    "calculated": ("calculated", OrderEventKind.RESTATED, OrderStatus.OPEN),
    "restated": ("new", OrderEventKind.RESTATED, OrderStatus.OPEN),
    "pending_cancel": ("pending_cancel", OrderEventKind.PENDING_CANCEL, OrderStatus.OPEN),
    "pending_replace": ("pending_replace", OrderEventKind.PENDING_REPLACE, OrderStatus.OPEN),
    "order_cancel_rejected": ("new", OrderEventKind.CANCEL_REJECTED, OrderStatus.OPEN),
    "order_replace_rejected": ("new", OrderEventKind.REPLACE_REJECTED, OrderStatus.OPEN),
    "a_word_nobody_knows": ("new", OrderEventKind.RESTATED, OrderStatus.OPEN),
    "another_for_an_end": ("canceled", OrderEventKind.CANCELED, OrderStatus.CANCELED),
}
FILL = {
    "event": "partial_fill",
    "event_id": "01J9Z4V5R8Q2M0XK3T7B6N1C4D",
    "execution_id": "2f63ea93-423d-4169-b3f6-3fdafc10c418",
    "order": order_content(status="partially_filled", filled_qty="1.50", filled_avg_price="149"),
    "position_qty": "-3",
    "price": "148.75",
    "qty": "0.5",
    "timestamp": "2022-04-19T17:45:05.024916716Z",
}
ACTIVITY = {
    "id": "20220202135509981::2d7be4ff-d1f3-43e9-856a-0f5cf5c5088e",
    "activity_type": "FILL",
    "transaction_time": "2022-02-02T18:55:09.981482Z",
    "type": "fill",
    "price": "174.78",
    "qty": "2",
    "side": "buy",
    "symbol": "AAPL",
    "leaves_qty": "0",
    "order_id": "b5abe576-6a8a-49f3-a353-46b72c1ccae9",
    "cum_qty": "2",
    "order_status": "filled",
}


@pytest.mark.parametrize(("event", "told"), EVENTS.items(), ids=EVENTS)
def test_event(event, told):
    word, kind, status = told

    (found,) = event_of(update(event, order=order_content(status=word)), reading())

    assert (OrderEvent, kind, status) == (type(found), found.kind, found.order.status)
    assert parse_time("2026-01-02T03:04:05.6Z") == found.venue_time_ns
    assert (ACCOUNT, AT_NS) == (found.account_id, found.received_at_ns)


def test_an_event_nobody_knows_is_reported(caplog):
    with caplog.at_level(logging.WARNING):
        event_of(update("pondering"), reading())

    assert ["pondering"] == [record.word for record in caplog.records]


def test_replaced_tells_nothing_since_the_order_after_it_will():
    row = order_content(status="replaced", replaced_by="v2")

    assert () == event_of(update("replaced", order=row), reading())


class TestFill:
    def test_tells_this_execution_and_the_position_after_it(self):
        event, position = event_of(read(FILL, TradeUpdate), reading())

        assert OrderEventKind.FILL is event.kind
        assert (
            Fill(
                fill_id=f"{ORDER['id']}:1.5",
                account_id=ACCOUNT,
                client_order_id="a",
                symbol="AAPL",
                side=Side.BUY,
                quantity=D("0.5"),
                price=D("148.75"),
                venue_time_ns=1_650_390_305_024_916_716,
                provider="alpaca-paper",
                received_at_ns=AT_NS,
                venue_order_id=ORDER["id"],
            )
            == event.fill
        )
        assert (D("1.50"), D(149)) == (
            event.order.filled_quantity,
            event.order.average_fill_price,
        )
        assert (PositionEvent, "AAPL", D(-3)) == (
            type(position),
            position.position.position_id,
            position.position.quantity,
        )
        assert event.event_id != position.event_id

    @pytest.mark.parametrize("field", ["price", "qty"])
    def test_without_price_or_quantity_only_what_it_makes_of_the_order_is_told(self, field):
        (event,) = event_of(read(FILL | {field: None}, TradeUpdate), reading())

        assert (OrderEventKind.RESTATED, None) == (event.kind, event.fill)
        assert D("1.50") == event.order.filled_quantity

    @pytest.mark.parametrize("filled", [None, "0"])
    def test_without_what_has_filled_it_waits_for_the_activities(self, filled):
        content = FILL | {"order": order_content(status="partially_filled", filled_qty=filled)}
        (event,) = event_of(read(content, TradeUpdate), reading())

        assert (OrderEventKind.RESTATED, None) == (event.kind, event.fill)

    def test_of_an_order_that_was_replaced_meanwhile_still_counts(self):
        row = FILL["order"] | {"status": "replaced", "replaced_by": "v2"}
        event, _ = event_of(read(FILL | {"order": row}, TradeUpdate), reading())

        assert (OrderEventKind.FILL, OrderStatus.PARTIALLY_FILLED) == (
            event.kind,
            event.order.status,
        )

    def test_of_a_combination_is_that_of_its_legs(self):
        legs = [order_content(symbol="AAPL241213C00250000"), order_content(symbol="SPY")]
        row = FILL["order"] | {"symbol": "", "side": "", "order_class": "mleg", "legs": legs}
        (event,) = event_of(read(FILL | {"order": row}, TradeUpdate), reading())

        assert (OrderEventKind.RESTATED, None, D("1.50")) == (
            event.kind,
            event.fill,
            event.order.filled_quantity,
        )

    def test_of_nothing_is_refused(self):
        with pytest.raises(ProtocolError, match="-1"):
            event_of(read(FILL | {"qty": "-1"}, TradeUpdate), reading())

    def test_has_one_id_in_the_stream_and_among_the_activities(self):
        streamed, _ = event_of(read(FILL, TradeUpdate), reading())
        booked = ACTIVITY | {"order_id": ORDER["id"], "cum_qty": "1.5", "qty": "0.5"}

        assert (
            streamed.fill.fill_id == fill_of_activity(read(booked, ActivityRow), reading()).fill_id
        )


class TestReplacement:
    def event(self, event, **fields):
        row = order_content(id="v2", client_order_id="a~1", replaces="v1", **fields)
        (found,) = event_of(update(event, order=row), reading())
        return found

    @pytest.mark.parametrize("word", ["accepted", "pending_new"])
    def test_on_its_way_is_a_replace_pending(self, word):
        event = self.event(word, status=word)

        assert (OrderEventKind.PENDING_REPLACE, PendingAction.REPLACE, 0, ("v1",)) == (
            event.kind,
            event.order.pending,
            event.order.revision,
            event.order.venue_order_ids,
        )

    @pytest.mark.parametrize("word", ["new", "held"])
    def test_that_the_market_has_is_the_replace(self, word):
        event = self.event(word, status=word)

        assert (OrderEventKind.REPLACED, 1, ("v2",), D(2)) == (
            event.kind,
            event.order.revision,
            event.order.venue_order_ids,
            event.order.quantity,
        )

    def test_that_was_rejected_leaves_the_order_before_it(self):
        event = self.event("rejected", status="rejected")

        assert (OrderEventKind.REPLACE_REJECTED, OrderStatus.OPEN, 0, ("v1",)) == (
            event.kind,
            event.order.status,
            event.order.revision,
            event.order.venue_order_ids,
        )

    def test_that_is_to_be_replaced_again_has_a_replace_pending(self):
        event = self.event("pending_replace", status="pending_replace")

        assert (OrderEventKind.PENDING_REPLACE, 1, PendingAction.REPLACE) == (
            event.kind,
            event.order.revision,
            event.order.pending,
        )

    @pytest.mark.parametrize("word", ["accepted", "pending_new"])
    def test_that_is_refused_before_the_market_has_it_leaves_the_order_before_it(self, word):
        event = self.event("order_replace_rejected", status=word)

        assert (OrderEventKind.REPLACE_REJECTED, None, 0, ("v1",)) == (
            event.kind,
            event.order.pending,
            event.order.revision,
            event.order.venue_order_ids,
        )

    def test_whose_own_replace_was_refused_stands(self):
        event = self.event("order_replace_rejected", status="new")

        assert (OrderEventKind.REPLACE_REJECTED, 1, ("v2",)) == (
            event.kind,
            event.order.revision,
            event.order.venue_order_ids,
        )


class TestEventId:
    def test_is_the_venues(self):
        assert "01J" == event_of(update(event_id="01J"), reading())[0].event_id

    def test_is_a_function_of_what_is_told_where_the_venue_has_none(self):
        twice = [event_of(update(), reading())[0].event_id for _ in range(2)]
        others = [
            event_of(one, reading())[0].event_id
            for one in (
                update("pending_cancel"),
                update(timestamp="2026-01-02T03:04:05.7Z"),
                update(execution_id="x"),
                update(order=order_content(id="v2")),
            )
        ]

        assert twice[0] == twice[1]
        assert 5 == len({twice[0], *others})

    def test_is_none_where_nothing_tells_one_event_from_another(self):
        found = event_of(update(timestamp=None, order=order_content(updated_at=None)), reading())

        assert None is found[0].event_id


def test_legs_that_an_update_shows_nested_are_known_by_name_later():
    known = reading()
    entry = order_content(order_class="bracket", legs=[leg_content("stop")])
    event_of(update(order=entry), known)

    (event,) = event_of(update(order=leg_content("stop", status="new")), known)

    assert ("a-sl", "a") == (event.order.client_order_id, event.order.parent_client_order_id)


@pytest.mark.parametrize("fields", [{"symbol": None, "asset_id": None}, {"side": None}])
def test_an_update_that_does_not_say_what_of_is_refused(fields):
    with pytest.raises(ProtocolError):
        event_of(update(order=order_content(**fields)), reading())


class TestActivity:
    def test_is_an_execution(self):
        order_id = ACTIVITY["order_id"]

        assert Fill(
            fill_id=f"{order_id}:2",
            account_id=ACCOUNT,
            client_order_id=f"ext-{order_id}",
            symbol="AAPL",
            side=Side.BUY,
            quantity=D(2),
            price=D("174.78"),
            venue_time_ns=parse_time("2022-02-02T18:55:09.981482Z"),
            provider="alpaca-paper",
            received_at_ns=AT_NS,
            venue_order_id=order_id,
        ) == fill_of_activity(read(ACTIVITY, ActivityRow), reading())

    @pytest.mark.parametrize(
        ("word", "side"), [("buy", Side.BUY), ("sell", Side.SELL), ("sell_short", Side.SELL)]
    )
    def test_side(self, word, side):
        row = read(ACTIVITY | {"side": word}, ActivityRow)

        assert side is fill_of_activity(row, reading()).side

    def test_of_a_leg_has_the_legs_name(self):
        known = reading()
        known.legs.expect("a", {"sl": "b"})
        entry = order_content(order_class="bracket", legs=[leg_content("stop")])
        event_of(update(order=entry), known)
        row = read(ACTIVITY | {"order_id": "venue-stop", "symbol": "BTCUSD"}, ActivityRow)

        fill = fill_of_activity(row, known)

        assert ("b", "BTC/USD") == (fill.client_order_id, fill.symbol)

    def test_that_does_not_say_what_had_filled_has_its_own_id(self):
        row = read(ACTIVITY | {"cum_qty": None}, ActivityRow)

        assert ACTIVITY["id"] == fill_of_activity(row, reading()).fill_id

    def test_of_another_kind_is_none(self):
        row = read(ACTIVITY | {"activity_type": "DIV"}, ActivityRow)

        assert None is fill_of_activity(row, reading())

    @pytest.mark.parametrize("field", ["side", "qty", "price", "symbol", "order_id"])
    def test_that_lacks_what_an_execution_has_is_refused(self, field):
        with pytest.raises(ProtocolError, match="lacks"):
            fill_of_activity(read(ACTIVITY | {field: None}, ActivityRow), reading())

    @pytest.mark.parametrize(
        "fields",
        [{"qty": "-1"}, {"symbol": "A\n"}, {"order_id": "x" * 99}],
        ids=min,
    )
    def test_that_holds_what_no_execution_has_is_refused(self, fields):
        with pytest.raises(ProtocolError):
            fill_of_activity(read(ACTIVITY | fields, ActivityRow), reading())


words = st.one_of(
    st.none(), st.sampled_from(["", "new", "fill", "0", "-1", "1.5"]), st.text(), st.integers()
)
orders = st.fixed_dictionaries(
    {}, optional={name: st.one_of(st.just(value), words) for name, value in ORDER.items()}
)


@given(
    st.fixed_dictionaries(
        {"order": orders},
        optional={
            name: st.one_of(st.just(value), words)
            for name, value in FILL.items()
            if name != "order"
        },
    )
)
def test_any_update_is_told_or_refused_as_the_venues_fault(content):
    try:
        events = event_of(read(content, TradeUpdate), reading())
    except (DecodeError, ProtocolError):
        return

    assert all(event.account_id == ACCOUNT for event in events)


@given(
    st.fixed_dictionaries(
        {}, optional={name: st.one_of(st.just(value), words) for name, value in ACTIVITY.items()}
    )
)
def test_any_activity_is_read_or_refused_as_the_venues_fault(content):
    try:
        fill = fill_of_activity(read(content, ActivityRow), reading())
    except (DecodeError, ProtocolError):
        return

    assert fill is None or fill.quantity > 0
