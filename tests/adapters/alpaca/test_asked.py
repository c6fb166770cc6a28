"""What a client of Alpaca's asks for, and that it is what was asked for on the other side."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.adapters.alpaca.trading_rows import D, order_row, reading
from tests.strategies import prices

from dragoman.errors import InvalidOrderError, UnsupportedError
from dragoman.models import (
    Contingency,
    Exit,
    InstrumentKind,
    Offset,
    OrderChange,
    OrderRequest,
    OrderType,
    PositionEffect,
    Side,
    Support,
    TimeInForce,
)
from dragoman.transport.codec import decode, encode
from dragoman_alpaca.capabilities import CAPABILITIES
from dragoman_alpaca.mapping.asked import change_of, request_of, requests_of_oco
from dragoman_alpaca.mapping.orders import order_of
from dragoman_alpaca.mapping.requests import list_body, order_body
from dragoman_alpaca.wire.requests import OrderBody, ReplaceBody

BUY, SELL = Side.BUY, Side.SELL
GTC, DAY = TimeInForce.GTC, TimeInForce.DAY


def body(**fields):
    usual = {
        "symbol": "AAPL",
        "qty": "2",
        "side": "buy",
        "type": "limit",
        "limit_price": "150",
        "time_in_force": "gtc",
    }
    return decode(encode(usual | fields), OrderBody)


def asked(content):
    return request_of(content, symbol=content.symbol or "", client_order_id="a")


def sent(content):
    """What arrives of a body that was written."""
    return decode(encode(content), OrderBody)


class TestAsked:
    @pytest.mark.parametrize(
        ("word", "kind"),
        [("market", OrderType.MARKET), ("limit", OrderType.LIMIT)],
    )
    @pytest.mark.parametrize("order_class", ["", "simple", None])
    def test_a_simple_order(self, word, kind, order_class):
        price = "150" if word == "limit" else None
        found = asked(body(type=word, limit_price=price, order_class=order_class))

        assert (kind, GTC, D(2), "a") == (
            found.order_type,
            found.time_in_force,
            found.quantity,
            found.client_order_id,
        )

    def test_amounts_may_be_numbers(self):
        found = asked(body(qty=3.654, limit_price=150))

        assert (D("3.654"), D(150)) == (found.quantity, found.limit_price)

    def test_a_bracket_is_an_entry_with_exits(self):
        found = asked(
            body(
                order_class="bracket",
                take_profit={"limit_price": "301"},
                stop_loss={"stop_price": "99", "limit_price": "98.5"},
            )
        )

        assert Exit(price="301") == found.take_profit
        assert Exit(price="99", limit_price="98.5") == found.stop_loss

    def test_an_oto_may_have_an_empty_exit_beside_its_own(self):
        found = asked(body(order_class="oto", take_profit={}, stop_loss={"stop_price": "99"}))

        assert (None, Exit(price="99")) == (found.take_profit, found.stop_loss)

    def test_the_intent_says_the_side_that_is_missing(self):
        found = asked(body(side=None, position_intent="sell_to_close"))

        assert (SELL, PositionEffect.CLOSE) == (found.side, found.position_effect)

    def test_advanced_instructions_are_options_of_this_protocol(self):
        instructions = {"algorithm": "TWAP", "max_percentage": 0.314, "start_time": None}

        found = asked(body(advanced_instructions=instructions))

        assert {
            "alpaca.algorithm": "TWAP",
            "alpaca.max_percentage": "0.314",
        } == found.venue_options

    @pytest.mark.parametrize(
        ("fields", "field"),
        [
            ({"side": None}, "side"),
            ({"side": "hold"}, "side"),
            ({"type": None}, "type"),
            ({"type": "pegged"}, "type"),
            ({"time_in_force": None}, "time_in_force"),
            ({"time_in_force": "gtx"}, "time_in_force"),
            ({"qty": "-1"}, "qty"),
            ({"qty": None}, "qty"),
            ({"notional": "5"}, "notional"),
            ({"limit_price": None}, "limit_price"),
            ({"stop_price": "1"}, "stop_price"),
            ({"trail_price": "1"}, "trail_price"),
            ({"trail_price": "0"}, "trail_price"),
            ({"trail_percent": "-1"}, "trail_percent"),
            ({"trail_price": "1", "trail_percent": "1"}, "trail_percent"),
            ({"position_intent": "sell_to_close"}, "position_intent"),
            ({"position_intent": "buy_to_wait"}, "position_intent"),
            ({"order_class": "odd"}, "order_class"),
            ({"take_profit": {"limit_price": "301"}}, "order_class"),
            ({"order_class": "oto"}, "order_class"),
            ({"order_class": "bracket"}, "take_profit.limit_price"),
            (
                {"order_class": "bracket", "take_profit": {"limit_price": "301"}},
                "stop_loss.stop_price",
            ),
            ({"order_class": "oto", "stop_loss": {"limit_price": "99"}}, "stop_loss.stop_price"),
            ({"advanced_instructions": {"x": [1]}}, "advanced_instructions.x"),
        ],
        ids=lambda one: one if isinstance(one, str) else "-".join(one),
    )
    def test_what_makes_no_sense_is_refused_by_alpacas_name_for_it(self, fields, field):
        with pytest.raises(InvalidOrderError) as caught:
            asked(body(**fields))

        assert field in {one.field for one in caught.value.violations}

    @pytest.mark.parametrize(
        "fields",
        [{"order_class": "mleg"}, {"order_class": "oco"}, {"legs": [{"symbol": "X"}]}],
        ids=["mleg", "oco", "legs"],
    )
    def test_what_is_not_one_order_is_not_taken(self, fields):
        with pytest.raises(UnsupportedError):
            asked(body(**fields))


class TestAskedOco:
    def asked(self, **fields):
        usual = {
            "order_class": "oco",
            "limit_price": None,
            "take_profit": {"limit_price": "301"},
            "stop_loss": {"stop_price": "99"},
        }
        content = body(**usual | fields)
        return requests_of_oco(content, symbol="SPY", client_order_id="a", child_id="b")

    def test_is_a_limit_and_a_stop(self):
        target, stop = self.asked()

        assert ("a", OrderType.LIMIT, D(301)) == (
            target.client_order_id,
            target.order_type,
            target.limit_price,
        )
        assert ("b", OrderType.STOP, D(99), None) == (
            stop.client_order_id,
            stop.order_type,
            stop.stop_price,
            stop.limit_price,
        )

    def test_may_have_its_target_as_its_own_price_and_a_limit_on_its_stop(self):
        stop_loss = {"stop_price": "99", "limit_price": "98"}
        target, stop = self.asked(limit_price="301", take_profit=None, stop_loss=stop_loss)

        assert (D(301), OrderType.STOP_LIMIT, D(98)) == (
            target.limit_price,
            stop.order_type,
            stop.limit_price,
        )

    @pytest.mark.parametrize(
        ("fields", "field"),
        [
            ({"type": "market"}, "type"),
            ({"take_profit": None}, "take_profit.limit_price"),
            ({"stop_loss": None}, "stop_loss.stop_price"),
            ({"stop_loss": {}}, "stop_loss.stop_price"),
        ],
        ids=["type", "target", "stop", "empty"],
    )
    def test_without_all_of_it_is_refused(self, fields, field):
        with pytest.raises(InvalidOrderError, match=field):
            self.asked(**fields)


class TestAskedChange:
    def change(self, row=None, *, quantity=None, **fields):
        order = order_of(order_row(**row or {}), reading())
        return change_of(decode(encode(fields), ReplaceBody), order, quantity=quantity)

    def test_has_only_what_differs(self):
        found = self.change(quantity=D(4), limit_price="150.00", time_in_force="gtc")

        assert OrderChange(quantity="4") == found

    def test_of_nothing_is_none(self):
        assert None is self.change(limit_price="150", client_order_id="b")

    @pytest.mark.parametrize(
        ("field", "make"), [("trail_price", Offset.price), ("trail_percent", Offset.percent)]
    )
    def test_of_the_distance_has_the_orders_unit(self, field, make):
        found = self.change({"type": "trailing_stop", field: "1"}, trail="2")

        assert OrderChange(trailing=make("2")) == found

    @pytest.mark.parametrize(
        "fields",
        [
            {"notional": "5"},
            {"time_in_force": "day"},
            {"advanced_instructions": {"algorithm": "DMA"}},
        ],
        ids="-".join,
    )
    def test_of_what_a_replace_cant_change_is_not_taken(self, fields):
        with pytest.raises(UnsupportedError):
            self.change(**fields)

    @pytest.mark.parametrize(
        ("row", "fields", "field"),
        [
            ({}, {"trail": "1"}, "trail"),
            ({"trail_price": "1"}, {"trail": "0"}, "trail"),
            ({}, {"quantity": D(0)}, "qty"),
        ],
        ids=["no-trail", "no-distance", "nothing"],
    )
    def test_that_makes_no_sense_is_refused(self, row, fields, field):
        with pytest.raises(InvalidOrderError, match=field):
            self.change(row, **fields)


CELLS = [
    (cell.kind, cell.order_type, cell.time_in_force)
    for cell in CAPABILITIES.orders
    if cell.support is Support.NATIVE
]
EXITS = {OrderType.MARKET, OrderType.LIMIT}
OPTIONS = st.dictionaries(
    st.sampled_from([f"alpaca.{name}" for name in sorted(CAPABILITIES.venue_options)]),
    st.one_of(st.integers(0, 9), st.booleans(), st.sampled_from(["DMA", "0.314", ""])),
    max_size=2,
)


@st.composite
def declared_requests(draw):
    """Whatever the declaration allows: each cell, with all that goes with it."""
    kind, order_type, time_in_force = draw(st.sampled_from(CELLS))
    is_lasting = time_in_force in {DAY, GTC}
    fields = {
        "symbol": draw(st.sampled_from(["AAPL", "BTC/USD", "AAPL241213C00250000"])),
        "side": draw(st.sampled_from(Side)),
        "order_type": order_type,
        "time_in_force": time_in_force,
        "client_order_id": "a",
        "position_effect": draw(st.sampled_from([None, *PositionEffect])),
        "venue_options": draw(OPTIONS),
    }
    by_value = kind is InstrumentKind.SPOT and draw(st.booleans())
    fields["notional" if by_value else "quantity"] = draw(prices())
    if order_type in {OrderType.LIMIT, OrderType.STOP_LIMIT}:
        fields["limit_price"] = draw(prices())
    if order_type in {OrderType.STOP, OrderType.STOP_LIMIT}:
        fields["stop_price"] = draw(prices())
    if order_type is OrderType.TRAILING_STOP:
        make = draw(st.sampled_from([Offset.price, Offset.percent]))
        fields["trailing"] = make(draw(prices()))
    if order_type is OrderType.LIMIT and is_lasting:
        fields["extended_hours"] = draw(st.booleans())
    is_plain = not by_value and not fields.get("extended_hours")
    may_protect = fields["position_effect"] is not PositionEffect.CLOSE
    if order_type in EXITS and is_lasting and is_plain and may_protect:
        low, middle, high = D("0.01"), fields.get("limit_price"), D(10**9)
        stop, target = (low, high) if fields["side"] is BUY else (high, low)
        if middle is None or low < middle < high:
            limit_price = draw(st.none() | prices())
            fields |= draw(
                st.fixed_dictionaries(
                    {},
                    optional={
                        "stop_loss": st.just(Exit(price=stop, limit_price=limit_price)),
                        "take_profit": st.just(Exit(price=target)),
                    },
                )
            )
    return OrderRequest(**fields)


@given(declared_requests())
def test_what_the_declaration_allows_arrives_as_it_was_asked(request_):
    content = sent(order_body(request_))

    assert request_ == request_of(content, symbol=request_.symbol, client_order_id="a")


@given(prices(), st.none() | prices(), st.sampled_from(Side), st.sampled_from([DAY, GTC]))
def test_an_oco_arrives_as_it_was_asked(price, limit_price, side, time_in_force):
    common = {"symbol": "SPY", "side": side, "quantity": D(3), "time_in_force": time_in_force}
    target = OrderRequest(
        **common, order_type=OrderType.LIMIT, limit_price=price, client_order_id="a"
    )
    kind = OrderType.STOP if limit_price is None else OrderType.STOP_LIMIT
    prices_ = {"stop_price": price, "limit_price": limit_price}
    stop = OrderRequest(**common, **prices_, order_type=kind, client_order_id="b")
    content = sent(list_body([target, stop], Contingency.OCO))

    found = requests_of_oco(content, symbol="SPY", client_order_id="a", child_id="b")

    assert (target, stop) == found
