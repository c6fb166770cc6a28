"""Requests as Alpaca takes them, and back: what Alpaca has no word for is refused here."""

import attrs
import pytest
from tests.adapters.alpaca.trading_rows import D, order_row, reading

from dragoman.errors import UnsupportedError
from dragoman.models import (
    REMOVE,
    Contingency,
    Exit,
    Offset,
    OrderChange,
    OrderRequest,
    OrderType,
    PositionEffect,
    PriceSource,
    Side,
    TimeInForce,
)
from dragoman_alpaca.mapping.orders import order_of
from dragoman_alpaca.mapping.requests import change_body, exit_names, list_body, order_body

BUY, SELL = Side.BUY, Side.SELL
GTC, DAY, IOC = TimeInForce.GTC, TimeInForce.DAY, TimeInForce.IOC


def limit(**fields):
    usual = {"client_order_id": "a", "time_in_force": GTC}
    return OrderRequest.limit("AAPL", BUY, "2", "150", **usual | fields)


class TestOrderBody:
    def test_a_limit_order(self):
        assert {
            "symbol": "AAPL",
            "side": "buy",
            "type": "limit",
            "time_in_force": "gtc",
            "qty": "2",
            "limit_price": "150",
            "client_order_id": "a",
        } == order_body(limit())

    @pytest.mark.parametrize(("default", "word"), [({}, "day"), ({"default": GTC}, "gtc")])
    def test_without_a_time_in_force_it_has_the_default(self, default, word):
        assert word == order_body(limit(time_in_force=None), **default)["time_in_force"]

    @pytest.mark.parametrize(
        ("trailing", "field"),
        [(Offset.price("1.5"), "trail_price"), (Offset.percent("1.5"), "trail_percent")],
        ids=["price", "percent"],
    )
    def test_a_trailing_stop(self, trailing, field):
        request = OrderRequest.trailing_stop("AAPL", SELL, "2", trailing)

        assert ("trailing_stop", "1.5") == (
            order_body(request)["type"],
            order_body(request)[field],
        )

    def test_an_order_by_value(self):
        found = order_body(OrderRequest.market("AAPL", BUY, notional="500.75"))

        assert ("500.75", False) == (found["notional"], "qty" in found)

    @pytest.mark.parametrize(
        ("side", "effect", "word"),
        [
            (BUY, PositionEffect.OPEN, "buy_to_open"),
            (BUY, PositionEffect.CLOSE, "buy_to_close"),
            (SELL, PositionEffect.OPEN, "sell_to_open"),
            (SELL, PositionEffect.CLOSE, "sell_to_close"),
        ],
    )
    def test_the_effect_is_the_position_intent(self, side, effect, word):
        request = OrderRequest.market("AAPL", side, "1", position_effect=effect)

        assert word == order_body(request)["position_intent"]

    def test_options_of_this_protocol_are_advanced_instructions(self):
        found = order_body(limit(venue_options={"alpaca.algorithm": "DMA"}))

        assert {"algorithm": "DMA"} == found["advanced_instructions"]

    def test_both_exits_make_a_bracket(self):
        request = OrderRequest.bracket(
            "SPY", BUY, "100", stop_loss=Exit(price="299", limit_price="298.5"), take_profit="301"
        )
        found = order_body(request)

        assert "bracket" == found["order_class"]
        assert {"stop_price": "299", "limit_price": "298.5"} == found["stop_loss"]
        assert {"limit_price": "301"} == found["take_profit"]

    @pytest.mark.parametrize("name", ["stop_loss", "take_profit"])
    def test_one_exit_makes_an_oto(self, name):
        price = "299" if name == "stop_loss" else "301"
        request = OrderRequest.market("SPY", BUY, "100", **{name: Exit(price=price)})

        assert "oto" == order_body(request)["order_class"]

    @pytest.mark.parametrize(
        "fields",
        [
            {"post_only": True},
            {"display_quantity": "1"},
            {"group_id": "g"},
            {"tag": "t"},
            {"position_id": "BTC/USD"},
            {"time_in_force": TimeInForce.GTD, "expires_at_ns": 1},
            {"time_in_force": IOC, "extended_hours": True},
            {"venue_options": {"binance.x": "y"}},
        ],
        ids="-".join,
    )
    def test_what_alpaca_has_no_word_for_is_refused(self, fields):
        with pytest.raises(UnsupportedError):
            order_body(limit(**fields))

    @pytest.mark.parametrize(
        "request_",
        [
            OrderRequest.limit("AAPL", BUY, "1", None, peg=PriceSource.BID),
            OrderRequest.stop("AAPL", BUY, "1", "2", trigger=PriceSource.BID),
            OrderRequest.market_if_touched("AAPL", BUY, "1", "2"),
            OrderRequest.limit_if_touched("AAPL", BUY, "1", stop_price="2", limit_price="3"),
            OrderRequest.trailing_stop("AAPL", BUY, "1", Offset.ticks(2)),
            OrderRequest.trailing_stop("AAPL", BUY, "1", Offset.price(2), activation_price="3"),
            OrderRequest.trailing_stop(
                "AAPL", BUY, "1", Offset.price(2), limit_offset=Offset.price(1)
            ),
            OrderRequest.market("AAPL", SELL, None, position_effect=PositionEffect.CLOSE),
            OrderRequest.market("AAPL", BUY, "1", extended_hours=True),
        ],
        ids=["peg", "trigger", "mit", "lit", "ticks", "activation", "limit-offset", "whole", "ext"],
    )
    def test_what_alpaca_has_no_order_for_is_refused(self, request_):
        with pytest.raises(UnsupportedError):
            order_body(request_)

    @pytest.mark.parametrize(
        "fields",
        [
            {"stop_loss": Exit(offset=Offset.price(1))},
            {"stop_loss": Exit(trailing=Offset.price(1))},
            {"stop_loss": Exit(price="140", quantity="1")},
            {"stop_loss": Exit(price="140", trigger=PriceSource.BID)},
            {"stop_loss": Exit(price="140", time_in_force=DAY)},
            {"stop_loss": Exit(price="140", venue_options={"alpaca.algorithm": "DMA"})},
            {"take_profit": Exit(price="160", limit_price="161")},
            {"stop_loss": Exit(price="140"), "time_in_force": IOC},
            {"stop_loss": Exit(price="140"), "extended_hours": True},
        ],
        ids=[
            "offset",
            "trailing",
            "quantity",
            "trigger",
            "time",
            "options",
            "touched",
            "ioc",
            "extended",
        ],
    )
    def test_an_exit_that_alpaca_has_no_word_for_is_refused(self, fields):
        with pytest.raises(UnsupportedError):
            order_body(limit(**fields))

    @pytest.mark.parametrize(
        "request_",
        [
            OrderRequest.stop("AAPL", BUY, "1", "2", stop_loss=Exit(price="1")),
            OrderRequest.market("AAPL", BUY, notional="20", stop_loss=Exit(price="1")),
        ],
        ids=["stop", "notional"],
    )
    def test_an_entry_that_alpaca_has_no_exits_for_is_refused(self, request_):
        with pytest.raises(UnsupportedError):
            order_body(request_)


class TestListBody:
    def target(self, **fields):
        usual = {"client_order_id": "a", "time_in_force": GTC}
        return OrderRequest.limit("SPY", SELL, "100", "301", **usual | fields)

    def stop(self, **fields):
        usual = {"client_order_id": "b", "time_in_force": GTC}
        return OrderRequest.stop("SPY", SELL, "100", "299", **usual | fields)

    @pytest.mark.parametrize("is_turned", [False, True], ids=["limit-first", "stop-first"])
    def test_an_oco_goes_by_its_limit(self, is_turned):
        pair = [self.target(), self.stop()]

        assert {
            "symbol": "SPY",
            "side": "sell",
            "type": "limit",
            "time_in_force": "gtc",
            "qty": "100",
            "client_order_id": "a",
            "order_class": "oco",
            "take_profit": {"limit_price": "301"},
            "stop_loss": {"stop_price": "299"},
        } == list_body(pair[::-1] if is_turned else pair, Contingency.OCO)
        assert {"sl": "b"} == exit_names(pair, Contingency.OCO)

    def test_an_entry_with_both_that_it_triggers_is_a_bracket(self):
        entry = OrderRequest.market("SPY", BUY, "100", client_order_id="e", time_in_force=GTC)
        requests = [entry, self.target(), self.stop()]
        found = list_body(requests, Contingency.OTO)

        assert ("bracket", "e", "market") == (
            found["order_class"],
            found["client_order_id"],
            found["type"],
        )
        assert {"tp": "a", "sl": "b"} == exit_names(requests, Contingency.OTO)

    def test_an_entry_with_one_that_it_triggers_is_an_oto(self):
        stop = OrderRequest.stop_limit("SPY", SELL, "100", stop_price="299", limit_price="298")
        found = list_body([OrderRequest.market("SPY", BUY, "100"), stop], Contingency.OTO)

        assert ("oto", {"stop_price": "299", "limit_price": "298"}) == (
            found["order_class"],
            found["stop_loss"],
        )

    @pytest.mark.parametrize(
        "changes",
        [
            {"symbol": "QQQ"},
            {"quantity": D(99)},
            {"side": BUY},
            {"time_in_force": DAY},
            {"account_id": "B"},
            {"position_effect": PositionEffect.OPEN},
            {"venue_options": {"alpaca.algorithm": "DMA"}},
            {"tag": "t"},
            {"order_type": OrderType.MARKET, "stop_price": None},
            {"order_type": OrderType.LIMIT, "limit_price": D(1), "stop_price": None},
        ],
        ids="-".join,
    )
    def test_orders_that_alpaca_cant_tie_together_are_refused(self, changes):
        pair = [self.target(), attrs.evolve(self.stop(), **changes)]

        with pytest.raises(UnsupportedError):
            list_body(pair, Contingency.OCO)

    @pytest.mark.parametrize("contingency", Contingency)
    def test_one_order_is_no_list(self, contingency):
        with pytest.raises(UnsupportedError):
            list_body([self.target()], contingency)

    def test_orders_that_have_nothing_to_do_with_each_other_are_refused(self):
        with pytest.raises(UnsupportedError, match="contingency"):
            list_body([self.target(), self.stop()], Contingency.NONE)

    @pytest.mark.parametrize(
        "entry",
        [
            OrderRequest.stop("SPY", BUY, "100", "2", time_in_force=GTC),
            OrderRequest.market("SPY", SELL, "100", time_in_force=GTC),
            OrderRequest.market("SPY", BUY, "100", time_in_force=IOC),
            OrderRequest.market("SPY", BUY, notional="100", time_in_force=GTC),
        ],
        ids=["stop", "side", "ioc", "notional"],
    )
    def test_an_entry_that_triggers_nothing_at_alpaca_is_refused(self, entry):
        with pytest.raises(UnsupportedError):
            list_body([entry, self.stop()], Contingency.OTO)

    def test_exits_within_a_list_are_refused(self):
        pair = [self.target(stop_loss=Exit(price="302")), self.stop()]

        with pytest.raises(UnsupportedError):
            list_body(pair, Contingency.OCO)


def test_legs_that_were_named_go_by_their_names():
    request = limit(stop_loss=Exit(price="140", client_order_id="s"), take_profit=Exit(price="160"))

    assert {"sl": "s"} == exit_names([request])


class TestChangeBody:
    def order(self, **fields):
        return order_of(order_row(**fields), reading())

    def test_says_what_changes_and_the_prices_that_the_type_has(self):
        row = {"type": "stop_limit", "stop_price": "149"}
        change = OrderChange(limit_price="151")

        assert {"client_order_id": "a~1", "limit_price": "151", "stop_price": "149"} == change_body(
            self.order(**row), change, "a~1"
        )

    def test_the_quantity_is_the_new_total(self):
        found = change_body(self.order(), OrderChange(quantity="4"), "a~1")

        assert {"client_order_id": "a~1", "qty": "4", "limit_price": "150"} == found

    def test_a_trailing_stop_changes_its_distance(self):
        order = self.order(type="trailing_stop", limit_price=None, trail_percent="1")
        change = OrderChange(trailing=Offset.percent("1.5"))

        assert {"client_order_id": "t", "trail": "1.5"} == change_body(order, change, "t")

    @pytest.mark.parametrize(
        ("row", "change"),
        [
            ({"filled_qty": "1"}, OrderChange(quantity="4")),
            ({"qty": None, "notional": "50"}, OrderChange(limit_price="4")),
            ({}, OrderChange(stop_loss=REMOVE)),
            ({}, OrderChange(take_profit=Exit(price="160"))),
            ({}, OrderChange(expires_at_ns=1)),
            ({"trail_price": "1"}, OrderChange(trailing=Offset.percent(1))),
            ({}, OrderChange(trailing=Offset.percent(1))),
        ],
        ids=["filled", "notional", "remove", "exit", "expiry", "unit", "no-trail"],
    )
    def test_what_alpaca_cant_change_is_refused(self, row, change):
        with pytest.raises(UnsupportedError):
            change_body(self.order(**row), change, "a~1")
