"""What Alpaca's order rows say of an intent: a row for each of its words."""

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
    order_row,
    read,
    reading,
)

from dragoman.errors import DecodeError, ProtocolError
from dragoman.models import (
    Contingency,
    Exit,
    Offset,
    Order,
    OrderOrigin,
    OrderStatus,
    OrderType,
    PendingAction,
    PositionEffect,
    RejectReason,
    Side,
    TimeInForce,
)
from dragoman.times import parse_time
from dragoman_alpaca.mapping.orders import (
    UNNAMED,
    order_before,
    order_of,
    order_of_chain,
    orders_of,
    sighting_of,
)
from dragoman_alpaca.wire.trading import OrderRow

STATUSES = {
    "accepted": OrderStatus.PENDING,
    "pending_new": OrderStatus.PENDING,
    "accepted_for_bidding": OrderStatus.PENDING,
    "held": OrderStatus.HELD,
    "done_for_day": OrderStatus.HELD,
    "suspended": OrderStatus.HELD,
    "new": OrderStatus.OPEN,
    "stopped": OrderStatus.OPEN,
    "calculated": OrderStatus.OPEN,
    "pending_cancel": OrderStatus.OPEN,
    "pending_replace": OrderStatus.OPEN,
    "partially_filled": OrderStatus.PARTIALLY_FILLED,
    "filled": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELED,
    "expired": OrderStatus.EXPIRED,
    "rejected": OrderStatus.REJECTED,
}


def test_row_is_read_whole():
    order = order_of(order_row(), reading())

    assert (
        Order(
            client_order_id="a",
            account_id=ACCOUNT,
            symbol="AAPL",
            side=Side.BUY,
            order_type=OrderType.LIMIT,
            status=OrderStatus.OPEN,
            provider="alpaca-paper",
            received_at_ns=AT_NS,
            quantity=D(2),
            limit_price=D(150),
            time_in_force=TimeInForce.GTC,
            extended_hours=False,
            venue_status="new",
            venue_order_ids=("7b08df51-c1ac-453c-99f9-323a5f075f0d",),
            created_at_ns=parse_time("2023-12-12T22:31:24.668464435Z"),
            updated_at_ns=parse_time("2023-12-12T22:31:24.7Z"),
        )
        == order
    )


def test_every_field_of_a_row_is_where_it_belongs():
    fields = {
        "id": "v2",
        "client_order_id": "a~1",
        "replaces": "v1",
        "symbol": "BTCUSD",
        "side": "sell",
        "type": "trailing_stop",
        "status": "rejected",
        "qty": "9",
        "notional": "10",
        "limit_price": "11",
        "stop_price": "12",
        "trail_percent": "13",
        "time_in_force": "ioc",
        "expires_at": "2026-01-02T03:04:05Z",
        "extended_hours": True,
        "order_class": "bracket",
        "position_intent": "sell_to_open",
        "legs": [
            leg_content("limit", side="buy", limit_price="14"),
            leg_content("stop_limit", side="buy", stop_price="15", limit_price="16"),
        ],
        "filled_qty": "7",
        "filled_avg_price": "8",
        "reject_reason": "market is closed",
        "created_at": "2026-01-02T03:04:06Z",
        "updated_at": "2026-01-02T03:04:07Z",
    }
    order = sighting_of(order_row(**fields), reading())

    assert (
        Order(
            client_order_id="a",
            account_id=ACCOUNT,
            symbol="BTC/USD",
            side=Side.SELL,
            order_type=OrderType.TRAILING_STOP,
            status=OrderStatus.REJECTED,
            provider="alpaca-paper",
            received_at_ns=AT_NS,
            quantity=D(9),
            notional=D(10),
            limit_price=D(11),
            stop_price=D(12),
            trailing=Offset.percent(13),
            time_in_force=TimeInForce.IOC,
            expires_at_ns=parse_time("2026-01-02T03:04:05Z"),
            extended_hours=True,
            position_effect=PositionEffect.OPEN,
            stop_loss=Exit(price=15, limit_price=16),
            take_profit=Exit(price=14),
            venue_status="rejected",
            venue_order_ids=("v2",),
            revision=1,
            filled_quantity=D(7),
            average_fill_price=D(8),
            reject_reason=RejectReason.MARKET_CLOSED,
            reason="market is closed",
            created_at_ns=parse_time("2026-01-02T03:04:06Z"),
            updated_at_ns=parse_time("2026-01-02T03:04:07Z"),
        )
        == order
    )


@pytest.mark.parametrize(("word", "status"), STATUSES.items(), ids=STATUSES)
def test_status(word, status):
    order = order_of(order_row(status=word), reading())

    assert (status, word) == (order.status, order.venue_status)


@pytest.mark.parametrize("word", ["new", "pending_cancel", "pending_replace", "stopped"])
def test_an_open_order_that_has_filled_is_partially_filled(word):
    order = order_of(order_row(status=word, filled_qty="1", filled_avg_price="149.5"), reading())

    assert OrderStatus.PARTIALLY_FILLED is order.status
    assert (D(1), D("149.5")) == (order.filled_quantity, order.average_fill_price)


@pytest.mark.parametrize("word", ["done_for_day", "suspended"])
def test_an_order_held_back_is_so_whatever_it_has_filled(word):
    order = order_of(order_row(status=word, filled_qty="1", filled_avg_price="149.5"), reading())

    assert (OrderStatus.HELD, D(1)) == (order.status, order.filled_quantity)


@pytest.mark.parametrize(
    ("word", "pending"),
    [("pending_cancel", PendingAction.CANCEL), ("pending_replace", PendingAction.REPLACE)],
)
def test_pending(word, pending):
    assert pending is order_of(order_row(status=word), reading()).pending


def test_a_status_nobody_knows_is_no_end_and_is_reported_once(caplog):
    known = reading()

    with caplog.at_level(logging.WARNING):
        orders = [order_of(order_row(status="pondering"), known) for _ in range(2)]

    assert [OrderStatus.UNKNOWN] * 2 == [one.status for one in orders]
    assert "pondering" == orders[0].venue_status
    assert ["pondering"] == [record.word for record in caplog.records]


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("market", OrderType.MARKET),
        ("limit", OrderType.LIMIT),
        ("stop", OrderType.STOP),
        ("stop_limit", OrderType.STOP_LIMIT),
        ("trailing_stop", OrderType.TRAILING_STOP),
        ("pegged", OrderType.UNKNOWN),
    ],
)
def test_type_by_either_of_its_fields(word, kind):
    rows = [order_row(type=word, order_type=None), order_row(type="", order_type=word)]

    assert [kind, kind] == [order_of(row, reading()).order_type for row in rows]


@pytest.mark.parametrize(
    ("word", "time_in_force"),
    [
        ("day", TimeInForce.DAY),
        ("gtc", TimeInForce.GTC),
        ("opg", TimeInForce.OPG),
        ("cls", TimeInForce.CLS),
        ("ioc", TimeInForce.IOC),
        ("fok", TimeInForce.FOK),
        ("gtx", TimeInForce.UNKNOWN),
    ],
)
def test_time_in_force(word, time_in_force):
    assert time_in_force is order_of(order_row(time_in_force=word), reading()).time_in_force


@pytest.mark.parametrize(
    ("word", "side", "effect"),
    [
        ("buy_to_open", Side.BUY, PositionEffect.OPEN),
        ("buy_to_close", Side.BUY, PositionEffect.CLOSE),
        ("sell_to_open", Side.SELL, PositionEffect.OPEN),
        ("sell_to_close", Side.SELL, PositionEffect.CLOSE),
    ],
)
def test_position_intent_is_the_effect_and_tells_a_side_that_is_missing(word, side, effect):
    order = order_of(order_row(side=None, position_intent=word), reading())

    assert (side, effect) == (order.side, order.position_effect)


def test_an_intent_nobody_knows_is_no_effect():
    assert None is order_of(order_row(position_intent="buy_to_wait"), reading()).position_effect


@pytest.mark.parametrize(
    ("field", "offset"),
    [("trail_price", Offset.price("6.15")), ("trail_percent", Offset.percent("6.15"))],
)
def test_trailing_stop_has_its_distance_and_its_present_level(field, offset):
    fields = {"type": "trailing_stop", "limit_price": None, "stop_price": "141.3", "hwm": "147.45"}
    order = order_of(order_row(**fields, **{field: "6.15"}), reading())

    assert (offset, D("141.3")) == (order.trailing, order.stop_price)


def test_an_order_by_value_has_no_quantity():
    order = order_of(order_row(qty=None, notional="500.75", filled_qty="1.234"), reading())

    assert (None, D("500.75"), D("1.234")) == (
        order.quantity,
        order.notional,
        order.filled_quantity,
    )


def test_amounts_may_be_numbers_and_keys_may_have_a_space_at_the_end():
    row = read(order_content(qty=1.5, filled_qty=0.0) | {"expired_at ": None}, OrderRow)

    assert (D("1.5"), D(0)) == (row.qty, order_of(row, reading()).filled_quantity)


def test_another_spelling_of_a_symbol_is_resolved():
    assert "BTC/USD" == order_of(order_row(symbol="BTCUSD"), reading()).symbol


def test_a_symbol_that_is_missing_is_found_by_the_assets_id():
    row = order_row(symbol=None, asset_id="276e2673-764b-4ab6-a611-caf665ca6340")

    assert "BTC/USD" == order_of(row, reading()).symbol


def test_a_row_that_names_no_symbol_is_for_nothing_known():
    assert UNNAMED == order_of(order_row(symbol="", asset_id=""), reading()).symbol


def test_an_order_without_a_client_order_id_goes_by_its_venue_id_and_is_somebody_elses():
    order = order_of(order_row(id="v1", client_order_id=None), reading())

    assert ("ext-v1", OrderOrigin.EXTERNAL) == (order.client_order_id, order.origin)


@pytest.mark.parametrize(
    ("said", "reason"),
    [("insufficient buying power", RejectReason.INSUFFICIENT_FUNDS), (None, RejectReason.OTHER)],
    ids=["reason", "no-reason"],
)
def test_rejected(said, reason):
    order = order_of(order_row(status="rejected", reject_reason=said), reading())

    assert (reason, said) == (order.reject_reason, order.reason)


@pytest.mark.parametrize(
    "fields",
    [
        {"side": None},
        {"side": "sideways"},
        {"qty": "-1"},
        {"filled_qty": "-1"},
        {"id": ""},
        {"id": "x" * 200},
        {"symbol": "A\nB"},
        {"replaces": "x" * 200},
    ],
    ids=["no-side", "side", "qty", "filled", "no-id", "id", "symbol", "replaces"],
)
def test_what_no_order_can_have_is_refused(fields):
    with pytest.raises(ProtocolError):
        order_of(order_row(**fields), reading())


class TestReplace:
    def test_our_replacement_is_the_next_revision_of_the_intent(self):
        order = order_of(order_row(id="v2", client_order_id="a~1", replaces="v1"), reading())

        assert ("a", 1, ("v2",)) == (order.client_order_id, order.revision, order.venue_order_ids)

    def test_an_id_that_looks_like_a_revision_is_none_if_nothing_was_replaced(self):
        order = order_of(order_row(client_order_id="a~1"), reading())

        assert ("a~1", 0) == (order.client_order_id, order.revision)

    def test_a_replacement_made_by_another_client_is_found_by_the_old_id(self):
        row = order_row(id="v2", client_order_id="theirs", replaces="v1")
        order = order_of(row, reading())

        assert (("v1", "v2"), 1) == (order.venue_order_ids, order.revision)

    @pytest.mark.parametrize("word", ["accepted", "pending_new", "accepted_for_bidding"])
    def test_before_the_market_has_it_the_old_terms_stand(self, word):
        row = order_row(id="v2", client_order_id="a~2", replaces="v1", status=word)
        order = order_of(row, reading())

        assert ("a", 1, ("v1",)) == (order.client_order_id, order.revision, order.venue_order_ids)
        assert (PendingAction.REPLACE, OrderStatus.OPEN) == (order.pending, order.status)
        assert (None, None) == (order.quantity, order.limit_price)

    def test_one_that_was_refused_says_nothing_in_a_list(self):
        assert None is order_of(order_row(replaces="v1", status="rejected"), reading())

    def test_one_that_was_refused_leaves_the_old_order_as_it_was(self):
        row = order_row(id="v2", client_order_id="a~1", replaces="v1", status="rejected")
        order = order_before(row, reading())

        assert ("a", 0, ("v1",), None) == (
            order.client_order_id,
            order.revision,
            order.venue_order_ids,
            order.pending,
        )

    def test_what_was_replaced_says_nothing_in_a_list(self):
        assert None is order_of(order_row(status="replaced", replaced_by="v2"), reading())

    def test_what_was_replaced_is_no_end_if_nothing_else_is_seen(self):
        order = sighting_of(order_row(status="replaced", replaced_by="v2"), reading())

        assert (OrderStatus.OPEN, PendingAction.REPLACE) == (order.status, order.pending)


class TestChain:
    def rows(self, *, filled="0", **newest):
        usual = {"id": "v2", "client_order_id": "a~1", "replaces": "v1", "qty": "5"}
        old = {"status": "replaced", "filled_qty": filled}
        return [
            order_row(id="v1", qty="6", **old, filled_avg_price="10", replaced_by="v2"),
            order_row(**usual | newest),
        ]

    def test_without_fills_the_newest_row_is_the_order(self):
        order = order_of_chain(self.rows(), reading())

        assert ("a", 1, ("v2",)) == (order.client_order_id, order.revision, order.venue_order_ids)
        assert (D(5), D(0)) == (order.quantity, order.filled_quantity)

    def test_what_earlier_rows_have_filled_is_part_of_the_whole(self):
        rows = self.rows(filled="1", status="filled", filled_qty="5", filled_avg_price="16")
        order = order_of_chain(rows, reading())

        assert (("v1", "v2"), 1) == (order.venue_order_ids, order.revision)
        assert (D(6), D(6), D(15)) == (
            order.quantity,
            order.filled_quantity,
            order.average_fill_price,
        )
        assert OrderStatus.FILLED is order.status

    def test_an_average_that_one_row_does_not_say_is_not_known(self):
        rows = self.rows(filled="1", status="filled", filled_qty="5", filled_avg_price=None)

        assert None is order_of_chain(rows, reading()).average_fill_price

    def test_each_replace_is_a_revision_whoever_made_it(self):
        rows = [
            order_row(id="v1", status="replaced"),
            order_row(id="v2", status="replaced", replaces="v1", client_order_id="theirs"),
            order_row(id="v3", replaces="v2", client_order_id="theirs-too"),
        ]
        order = order_of_chain(rows, reading())

        assert ("a", 2) == (order.client_order_id, order.revision)

    def test_a_refused_replacement_leaves_the_order_before_it(self):
        rows = self.rows(status="rejected")
        rows[0].status = "new"
        order = order_of_chain(rows, reading())

        assert (("v1",), OrderStatus.OPEN, D(6)) == (
            order.venue_order_ids,
            order.status,
            order.quantity,
        )

    def test_a_replacement_on_its_way_leaves_the_order_before_it_with_a_replace_pending(self):
        rows = self.rows(status="pending_new")
        rows[0].status = "pending_replace"
        order = order_of_chain(rows, reading())

        assert (("v1",), PendingAction.REPLACE, D(6)) == (
            order.venue_order_ids,
            order.pending,
            order.quantity,
        )

    def test_a_replacement_on_its_way_alone_tells_only_that(self):
        order = order_of_chain(self.rows(status="accepted")[1:], reading())

        assert (("v1",), PendingAction.REPLACE) == (order.venue_order_ids, order.pending)


class TestLegs:
    def bracket(self, **fields):
        legs = [leg_content("limit"), leg_content("stop")]
        return order_row(**{"id": "v1", "order_class": "bracket", "legs": legs} | fields)

    def test_legs_are_orders_of_their_own_named_after_their_entry(self):
        entry, stop, target = orders_of(self.bracket(), reading())

        assert ("a", "a-sl", "a-tp") == tuple(one.client_order_id for one in (entry, stop, target))
        assert {"a"} == {one.parent_client_order_id for one in (stop, target)}
        assert {Contingency.OCO} == {one.contingency for one in (stop, target)}
        assert {PositionEffect.CLOSE} == {one.position_effect for one in (stop, target)}
        assert {OrderStatus.HELD} == {one.status for one in (stop, target)}
        assert (Contingency.NONE, None) == (entry.contingency, entry.parent_client_order_id)

    def test_the_entry_has_them_as_its_exits(self):
        legs = [leg_content("limit"), leg_content("stop_limit", limit_price="139")]
        entry, *_ = orders_of(self.bracket(legs=legs), reading())

        assert Exit(price=D(170)) == entry.take_profit
        assert Exit(price=D(140), limit_price=D(139)) == entry.stop_loss

    def test_a_leg_that_was_replaced_is_no_exit_any_more(self):
        old = leg_content("stop", status="replaced", stop_price="139", replaced_by="v9")
        new = leg_content("stop", id="v9", replaces="venue-stop")
        found = [
            orders_of(self.bracket(legs=legs), reading())[0].stop_loss
            for legs in ([old, new], [new, old])
        ]

        assert [Exit(price=D(140))] * 2 == found

    def test_exits_nested_in_each_other_are_no_entry_s(self):
        row = leg_content("limit", status="new", legs=[leg_content("stop")])
        target, stop = orders_of(read(row, OrderRow), reading())

        assert ("generated-for-limit", None, PositionEffect.CLOSE, None) == (
            target.client_order_id,
            target.parent_client_order_id,
            target.position_effect,
            target.stop_loss,
        )
        assert ("generated-for-stop", None, PositionEffect.CLOSE) == (
            stop.client_order_id,
            stop.parent_client_order_id,
            stop.position_effect,
        )
        assert (Contingency.OCO, Contingency.OCO) == (target.contingency, stop.contingency)

    def test_a_leg_seen_alone_ends_with_the_other(self):
        known = reading()
        orders_of(self.bracket(), known)
        leg = order_of(read(leg_content("stop"), OrderRow), known)
        newer = order_of(read(leg_content("stop", id="v9", replaces="venue-stop"), OrderRow), known)

        assert (Contingency.OCO, Contingency.OCO) == (leg.contingency, newer.contingency)

    def test_a_single_leg_cancels_nothing(self):
        _, stop = orders_of(self.bracket(order_class="oto", legs=[leg_content("stop")]), reading())

        assert Contingency.NONE is stop.contingency

    def test_legs_of_an_id_that_looks_like_a_revision_are_named_after_all_of_it(self):
        _, stop, target = orders_of(self.bracket(client_order_id="a~7"), reading())

        assert ("a~7-sl", "a~7-tp") == (stop.client_order_id, target.client_order_id)

    def test_a_leg_seen_alone_later_has_its_name(self):
        known = reading()
        orders_of(self.bracket(), known)

        leg = order_of(read(leg_content("stop", status="new"), OrderRow), known)

        assert ("a-sl", "a") == (leg.client_order_id, leg.parent_client_order_id)
        assert PositionEffect.CLOSE is leg.position_effect

    def test_a_leg_that_was_never_seen_nested_keeps_the_venues_name(self):
        leg = order_of(read(leg_content("stop"), OrderRow), reading())

        assert ("generated-for-stop", None) == (leg.client_order_id, leg.parent_client_order_id)

    def test_a_leg_that_was_replaced_keeps_its_name(self):
        known = reading()
        orders_of(self.bracket(), known)
        ours = leg_content("stop", id="v9", client_order_id="a-sl~1", replaces="venue-stop")
        theirs = leg_content("stop", id="v9", client_order_id="x", replaces="venue-stop")

        legs = [order_of(read(one, OrderRow), known) for one in (ours, theirs)]

        assert [("a-sl", 1), ("a-sl", 1)] == [(leg.client_order_id, leg.revision) for leg in legs]

    def test_legs_of_legs_that_were_replaced_stand_once(self):
        legs = [
            leg_content("stop", id="v8", status="replaced", replaced_by="v9"),
            leg_content("stop", id="v9", replaces="v8", client_order_id="x", stop_price="141"),
        ]
        entry, stop = orders_of(self.bracket(order_class="oto", legs=legs), reading())

        assert ("a-sl", ("v8", "v9")) == (stop.client_order_id, stop.venue_order_ids)
        assert Exit(price=D(141)) == entry.stop_loss

    def test_expected_names_win(self):
        known = reading()
        known.legs.expect("a", {"sl": "mine"})

        names = [one.client_order_id for one in orders_of(self.bracket(), known)]

        assert ["a", "a-tp", "mine"] == names
        assert ("a", None) == (known.legs.parent_of("mine"), known.legs.parent_of("a-tp"))

    def test_the_orders_of_an_oco_are_siblings_that_close(self):
        known = reading()
        known.legs.expect("a", {"sl": "b"})
        legs = [leg_content("stop", order_class="oco")]
        target, stop = orders_of(order_row(order_class="oco", side="sell", legs=legs), known)

        assert ("a", "b") == (target.client_order_id, stop.client_order_id)
        assert [(Contingency.OCO, None, PositionEffect.CLOSE)] * 2 == [
            (one.contingency, one.parent_client_order_id, one.position_effect)
            for one in (target, stop)
        ]

    def test_a_leg_that_names_no_symbol_has_its_entrys(self):
        legs = [{"id": "sl-leg", "type": "stop", "side": "sell", "stop_price": "140.00"}]
        _, stop = orders_of(self.bracket(legs=legs), reading())

        assert "AAPL" == stop.symbol

    def test_the_legs_of_an_entry_that_was_replaced_are_still_told(self):
        known = orders_of(self.bracket(status="replaced", replaced_by="v2"), reading())

        assert ["a-sl", "a-tp"] == [one.client_order_id for one in known]


def anything():
    words = ["", "new", "limit", "buy", "gtc", "oco", "bracket", "replaced", "pondering", "é\n"]
    return st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-5, 10**30),
        st.decimals(-100, 100, allow_nan=False, places=3).map(str),
        st.sampled_from(words),
        st.text(max_size=200),
    )


rows = st.fixed_dictionaries(
    {}, optional={name: st.one_of(st.just(value), anything()) for name, value in ORDER.items()}
)
nested = st.builds(
    lambda row, legs: row | {"legs": legs}, rows, st.lists(rows, max_size=3) | st.none()
)


@given(nested, st.dictionaries(st.text(max_size=9), anything(), max_size=3))
def test_any_row_is_read_or_refused_as_the_venues_fault(row, extra):
    try:
        found = orders_of(read(extra | row, OrderRow), reading())
    except (DecodeError, ProtocolError):
        return

    for order in found:
        assert 0 < len(order.client_order_id) <= 128
        assert order.filled_quantity >= 0
        assert order.venue_order_ids


@given(st.sets(st.sampled_from(sorted(set(ORDER) - {"id", "side"}))), st.booleans())
def test_no_field_is_missed_but_id_and_side(names, as_null):
    content = {name: value for name, value in ORDER.items() if as_null or name not in names}
    content |= dict.fromkeys(names) if as_null else {}

    order = order_of(read(content, OrderRow), reading())

    assert ORDER["id"] == order.venue_order_id
