"""Positions through the SDK: read, closed in part, at a limit, whole, and all of them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import tektii
from tests.sdk.clients import attempt, becomes, eventually, far_above, fill, position_of, rest

pytestmark = pytest.mark.usefixtures("flat")


def held(gateway, symbol="AAPL", quantity="5", **more):
    """Buy, and wait until the position is seen."""
    fill(gateway, symbol, quantity, **more)
    return eventually(lambda: position_of(gateway, symbol))


def shrinks_to(gateway, quantity, symbol="AAPL"):
    """Wait until so much is left of a position."""

    def left():
        found = position_of(gateway, symbol)
        return Decimal(0) if found is None else Decimal(found.quantity)

    return eventually(left, lambda found: Decimal(quantity) == found)


def test_a_flat_account_has_no_positions(gateway):
    assert [] == gateway.list_positions()


def test_a_position_is_read_whole(gateway):
    position = held(gateway)

    assert ("AAPL", "LONG", Decimal(5)) == (
        position.symbol,
        position.side,
        Decimal(position.quantity),
    )
    assert Decimal(position.average_entry_price) > 0
    assert Decimal(position.current_price) > 0
    assert Decimal(position.realized_pnl).is_finite()
    assert Decimal(position.unrealized_pnl).is_finite()
    assert position.opened_at <= position.updated_at
    assert abs(datetime.now(UTC) - position.opened_at) < timedelta(minutes=5)


def test_the_entry_price_is_that_of_the_fill(gateway):
    order = fill(gateway, quantity="2")
    position = eventually(lambda: position_of(gateway))

    assert Decimal(order.average_fill_price) == Decimal(position.average_entry_price)


def test_a_short_position_has_a_positive_quantity(gateway):
    position = held(gateway, "MSFT", "3", side="sell")

    assert ("SHORT", Decimal(3)) == (position.side, Decimal(position.quantity))


def test_a_position_is_found_by_its_id(gateway):
    position = held(gateway)

    assert position.id == gateway.get_position(position.id).id


def test_the_position_of_a_symbol_with_a_slash_is_found_by_its_id(gateway):
    position = held(gateway, "BTC/USD", "0.02")

    assert "BTC/USD" == gateway.get_position(position.id).symbol


def test_positions_are_listed_by_symbol(gateway):
    held(gateway)
    held(gateway, "MSFT")

    assert ["MSFT"] == [one.symbol for one in gateway.list_positions(symbol="MSFT")]
    assert {"AAPL", "MSFT"} == {one.symbol for one in gateway.list_positions()}
    assert [] == gateway.list_positions(symbol="TSLA")


def test_ids_of_positions_differ_and_last(gateway):
    one, other = held(gateway), held(gateway, "MSFT")
    fill(gateway)

    assert one.id != other.id
    assert one.id == position_of(gateway).id


@pytest.mark.parametrize("call", ["get_position", "close_position"])
def test_an_unknown_position_is_not_found(gateway, call):
    with pytest.raises(tektii.NotFoundError) as caught:
        getattr(gateway, call)("no-such-position")

    assert "POSITION_NOT_FOUND" == caught.value.code
    assert {"resource": "position", "id": "no-such-position"} == caught.value.details


def test_a_position_is_closed_whole(gateway):
    position = held(gateway)

    handle = gateway.close_position(position.id)

    assert "SELL" == becomes(gateway, handle.id, "FILLED").side
    shrinks_to(gateway, 0)
    with pytest.raises(tektii.NotFoundError):
        gateway.get_position(position.id)


def test_a_short_position_is_closed_by_buying(gateway):
    position = held(gateway, "MSFT", "2", side="sell")

    handle = gateway.close_position(position.id)

    assert "BUY" == becomes(gateway, handle.id, "FILLED").side
    shrinks_to(gateway, 0, "MSFT")


def test_a_position_is_closed_in_part(gateway):
    position = held(gateway)

    handle = gateway.close_position(position.id, quantity="2")

    assert Decimal(2) == Decimal(becomes(gateway, handle.id, "FILLED").quantity)
    shrinks_to(gateway, 3)


def test_a_position_is_closed_at_a_limit(gateway):
    position = held(gateway)
    price = far_above(gateway)

    handle = gateway.close_position(
        position.id, order_type="limit", limit_price=price, quantity=Decimal(1)
    )

    order = becomes(gateway, handle.id, "OPEN")
    assert ("LIMIT", "SELL", Decimal(price)) == (
        order.order_type,
        order.side,
        Decimal(order.limit_price),
    )
    assert Decimal(5) == Decimal(position_of(gateway).quantity)


@pytest.mark.parametrize("word", ["market", "MARKET"])
def test_a_close_at_the_market_is_said_in_either_case(gateway, word):
    position = held(gateway)

    gateway.close_position(position.id, order_type=word)

    shrinks_to(gateway, 0)


@pytest.mark.parametrize("choice", [True, False])
def test_a_field_that_is_no_more_is_ignored(gateway, choice):
    position = held(gateway)

    gateway.close_position(position.id, cancel_associated_orders=choice)

    shrinks_to(gateway, 0)


def test_more_than_is_held_never_turns_a_position_around(gateway):
    position = held(gateway, quantity="2")

    _, error = attempt(gateway.close_position, position.id, quantity="5")

    if error is None:
        shrinks_to(gateway, 0)
    else:
        assert error.status_code in {400, 422}
        assert "LONG" == position_of(gateway).side


def test_a_limit_close_without_a_price_is_refused(gateway):
    position = held(gateway)

    with pytest.raises(tektii.BadRequestError) as caught:
        gateway.close_position(position.id, order_type="limit")

    assert "limit_price" == caught.value.details["field"]
    assert Decimal(5) == Decimal(position_of(gateway).quantity)


@pytest.mark.parametrize("quantity", ["0", "-1"])
def test_a_close_of_nothing_is_refused(gateway, quantity):
    position = held(gateway)

    with pytest.raises(tektii.BadRequestError):
        gateway.close_position(position.id, quantity=quantity)

    assert Decimal(5) == Decimal(position_of(gateway).quantity)


def test_all_positions_are_closed(gateway):
    held(gateway)
    held(gateway, "MSFT", "1", side="sell")

    handles = gateway.close_all_positions()

    assert 2 == len({handle.id for handle in handles})
    eventually(lambda: not gateway.list_positions())


def test_the_positions_of_one_symbol_are_closed(gateway):
    held(gateway)
    held(gateway, "MSFT")

    handles = gateway.close_all_positions(symbol="MSFT")

    assert 1 == len(handles)
    shrinks_to(gateway, 0, "MSFT")
    assert Decimal(5) == Decimal(position_of(gateway).quantity)


@pytest.mark.parametrize("symbol", [None, "AAPL"])
def test_with_nothing_to_close_nothing_is_done(gateway, symbol):
    assert [] == gateway.close_all_positions(symbol=symbol)


def test_a_close_leaves_other_symbols_orders_alone(gateway):
    position = held(gateway)
    handle = rest(gateway, "MSFT")

    gateway.close_position(position.id)
    shrinks_to(gateway, 0)

    assert "OPEN" == gateway.get_order(handle.id).status


def test_buying_more_averages_the_entry(gateway):
    orders = [fill(gateway, quantity=quantity) for quantity in ("1", "3")]
    paid = sum(Decimal(order.average_fill_price) * Decimal(order.quantity) for order in orders)

    position = eventually(
        lambda: position_of(gateway), lambda found: found and Decimal(found.quantity) == 4
    )

    assert abs(paid / 4 - Decimal(position.average_entry_price)) < Decimal("0.0001")


@pytest.mark.stacks("serve")  # Alpaca has no realized profit of a position
def test_profit_of_a_part_that_was_sold_is_realized(gateway):
    bought = fill(gateway, quantity="4")
    position = eventually(lambda: position_of(gateway))

    handle = gateway.close_position(position.id, quantity="1")
    sold = becomes(gateway, handle.id, "FILLED")
    shrinks_to(gateway, 3)

    profit = Decimal(sold.average_fill_price) - Decimal(bought.average_fill_price)
    realized = Decimal(position_of(gateway).realized_pnl) - Decimal(position.realized_pnl)
    assert abs(profit - realized) < Decimal("0.0001")
