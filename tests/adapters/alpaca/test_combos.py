"""Multi-leg orders: what they are for, and the orders on their legs."""

import pytest
from tests.adapters.alpaca.trading_rows import ORDER, D, order_content, order_row, reading

from dragoman.models import OrderType, PositionEffect, Side
from dragoman_alpaca.mapping.orders import UNNAMED, order_of, orders_of


class TestCombination:
    def legs(self):
        call = {"type": "", "order_type": "", "order_class": "mleg", "limit_price": None}
        return [
            order_content(**call, symbol="AAPL241213C00250000", ratio_qty="3", client_order_id="x"),
            order_content(
                **call,
                symbol="AAPL241213C00260000",
                ratio_qty="1",
                client_order_id="y",
                side="sell",
                position_intent="sell_to_open",
            ),
        ]

    def parent(self, legs):
        blank = {"symbol": "", "side": "", "asset_id": "", "asset_class": ""}
        return order_row(**blank, order_class="mleg", limit_price="-10", legs=legs)

    def test_a_multi_leg_order_is_for_a_combination_and_bought_as_written(self):
        whole, *_ = orders_of(self.parent(self.legs()), reading())

        assert "+3*AAPL241213C00250000-1*AAPL241213C00260000" == whole.symbol
        assert (Side.BUY, D(-10)) == (whole.side, whole.limit_price)

    def test_its_symbol_does_not_depend_on_the_order_of_the_legs(self):
        rows = [self.parent(self.legs()), self.parent(self.legs()[::-1])]

        assert 1 == len({order_of(row, reading()).symbol for row in rows})

    def test_its_legs_are_orders_on_the_contracts(self):
        _, call, other = orders_of(self.parent(self.legs()), reading())

        assert ("x", "a", OrderType.UNKNOWN) == (
            call.client_order_id,
            call.parent_client_order_id,
            call.order_type,
        )
        assert (PositionEffect.OPEN, Side.SELL) == (other.position_effect, other.side)

    def test_a_symbol_that_would_be_too_long_is_a_hash_of_it(self):
        legs = [leg | {"symbol": leg["symbol"] * 4} for leg in self.legs()]
        symbols = {order_of(self.parent(one), reading()).symbol for one in (legs, legs[::-1])}

        assert ["combo:"] == [symbol[:6] for symbol in symbols]
        assert all(len(symbol) <= 128 for symbol in symbols)

    @pytest.mark.parametrize(
        "legs", [None, [], [ORDER | {"symbol": None}]], ids=["none", "empty", "nameless"]
    )
    def test_without_its_legs_it_is_for_nothing_known(self, legs):
        assert UNNAMED == order_of(self.parent(legs), reading()).symbol
