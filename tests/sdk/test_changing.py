"""Changing and canceling orders through the SDK."""

from decimal import Decimal

import pytest
import tektii
from tests.sdk.clients import becomes, eventually, far_above, far_below, fill, rest

pytestmark = pytest.mark.usefixtures("flat")


def stop(gateway, **more):
    price = far_above(gateway)
    return gateway.submit_order("AAPL", "buy", "2", "stop", stop_price=price, **more)


def changed(gateway, handle, **fields):
    """Change an order; returns it as it then is, under its id of then."""
    result = gateway.modify_order(handle.id, **fields)
    assert result.previous_order_id in {None, handle.id}
    assert (result.order.id == handle.id) == (result.previous_order_id is None)
    return gateway.get_order(result.order.id)


def test_a_price_is_changed(gateway):
    handle = rest(gateway)
    price = str(Decimal(gateway.get_order(handle.id).limit_price) - 1)

    assert Decimal(price) == Decimal(changed(gateway, handle, limit_price=price).limit_price)


def test_the_answer_to_a_change_shows_the_change(gateway):
    handle = rest(gateway, quantity="2")

    result = gateway.modify_order(handle.id, quantity="5")

    assert Decimal(5) == Decimal(result.order.quantity)


def test_a_quantity_is_changed_in_total(gateway):
    handle = rest(gateway, quantity="2")

    order = changed(gateway, handle, quantity=Decimal(7))

    assert Decimal(7) == Decimal(order.quantity) == Decimal(order.remaining_quantity)


def test_price_and_quantity_are_changed_together(gateway):
    handle = rest(gateway, quantity="2")
    price = str(Decimal(gateway.get_order(handle.id).limit_price) - 2)

    order = changed(gateway, handle, quantity="3", limit_price=price)

    assert (Decimal(3), Decimal(price)) == (Decimal(order.quantity), Decimal(order.limit_price))


def test_a_stop_price_is_changed(gateway):
    handle = stop(gateway)
    price = str(Decimal(gateway.get_order(handle.id).stop_price) + 1)

    assert Decimal(price) == Decimal(changed(gateway, handle, stop_price=price).stop_price)


def test_a_trailing_distance_is_changed(gateway):
    fill(gateway)
    handle = gateway.submit_order(
        "AAPL", "sell", "1", "trailing_stop", trailing_distance="30", trailing_type="absolute"
    )

    order = changed(gateway, handle, trailing_distance="40")

    assert Decimal(40) == Decimal(order.trailing_distance)


def test_a_change_of_nothing_is_accepted(gateway):
    handle = rest(gateway)

    result = gateway.modify_order(handle.id)

    assert (handle.id, None) == (result.order.id, result.previous_order_id)


def test_a_change_into_the_market_fills(gateway):
    handle = rest(gateway)

    order = changed(gateway, handle, limit_price=far_above(gateway))

    assert "FILLED" == becomes(gateway, order.id, "FILLED").status


def test_the_old_id_of_a_changed_order_still_finds_it(gateway):
    handle = rest(gateway, quantity="2")
    new_id = changed(gateway, handle, quantity="3").id

    order = gateway.get_order(handle.id)

    assert new_id == order.id or order.status in {"CANCELLED", "EXPIRED"}


@pytest.mark.parametrize("field", ["limit_price", "quantity"])
def test_an_order_that_is_filled_is_not_changed(gateway, field):
    order = fill(gateway)

    with pytest.raises(tektii.ConflictError) as caught:
        gateway.modify_order(order.id, **{field: "10"})

    assert ("ORDER_NOT_MODIFIABLE", {"order_id": order.id}) == (
        caught.value.code,
        caught.value.details,
    )


def test_an_order_that_is_canceled_is_not_changed(gateway):
    handle = rest(gateway)
    gateway.cancel_order(handle.id)
    becomes(gateway, handle.id, "CANCELLED")

    with pytest.raises(tektii.ConflictError) as caught:
        gateway.modify_order(handle.id, limit_price="10")

    assert "ORDER_NOT_MODIFIABLE" == caught.value.code


def test_an_unknown_order_is_not_changed(gateway):
    with pytest.raises(tektii.NotFoundError) as caught:
        gateway.modify_order("no-such-order", limit_price="10")

    assert "ORDER_NOT_FOUND" == caught.value.code


@pytest.mark.parametrize("value", ["0", "-1"])
@pytest.mark.parametrize("field", ["limit_price", "quantity"])
def test_a_change_to_what_is_not_positive_is_refused(gateway, field, value):
    handle = rest(gateway)

    with pytest.raises(tektii.BadRequestError):
        gateway.modify_order(handle.id, **{field: value})

    assert "OPEN" == gateway.get_order(handle.id).status


def test_an_order_is_canceled(gateway):
    handle = rest(gateway)

    result = gateway.cancel_order(handle.id)

    assert (True, handle.id) == (result.success, result.order.id)
    assert "CANCELLED" == becomes(gateway, handle.id, "CANCELLED").status


def test_the_answer_to_a_cancel_shows_the_order_whole(gateway):
    handle = rest(gateway, quantity="3")

    order = gateway.cancel_order(handle.id).order

    assert ("AAPL", Decimal(3), "LIMIT") == (
        order.symbol,
        Decimal(order.quantity),
        order.order_type,
    )
    assert order.status in {"CANCELLED", "PENDING_CANCEL"}


def test_an_order_is_canceled_twice_without_harm(gateway):
    handle = rest(gateway)
    gateway.cancel_order(handle.id)
    becomes(gateway, handle.id, "CANCELLED")

    again = gateway.cancel_order(handle.id)

    assert ("CANCELLED", handle.id) == (again.order.status, again.order.id)


def test_an_order_that_is_filled_is_not_canceled(gateway):
    order = fill(gateway)

    with pytest.raises(tektii.APIStatusError) as caught:
        gateway.cancel_order(order.id)

    assert (409, "ORDER_NOT_MODIFIABLE") == (caught.value.status_code, caught.value.code)
    assert "FILLED" == gateway.get_order(order.id).status


def test_an_unknown_order_is_not_canceled(gateway):
    with pytest.raises(tektii.NotFoundError) as caught:
        gateway.cancel_order("no-such-order")

    assert "ORDER_NOT_FOUND" == caught.value.code
    assert {"resource": "order", "id": "no-such-order"} == caught.value.details


def test_all_orders_are_canceled_and_counted(gateway):
    handles = [rest(gateway), rest(gateway, "MSFT")]

    result = gateway.cancel_all_orders()

    assert (2, 0) == (result.cancelled_count, result.failed_count)
    assert not result.failed_order_ids
    for handle in handles:
        becomes(gateway, handle.id, "CANCELLED")


def test_the_orders_of_one_symbol_are_canceled(gateway):
    wanted, other = rest(gateway, "MSFT"), rest(gateway)

    result = gateway.cancel_all_orders(symbol="MSFT")

    assert 1 == result.cancelled_count
    becomes(gateway, wanted.id, "CANCELLED")
    assert "OPEN" == gateway.get_order(other.id).status


def test_the_orders_of_a_symbol_with_a_slash_are_canceled(gateway):
    handle = rest(gateway, "BTC/USD", "0.01")

    assert 1 == gateway.cancel_all_orders(symbol="BTC/USD").cancelled_count
    becomes(gateway, handle.id, "CANCELLED")


def test_with_nothing_to_cancel_nothing_is_counted(gateway):
    fill(gateway)

    result = gateway.cancel_all_orders()

    assert (0, 0) == (result.cancelled_count, result.failed_count)


def test_filled_orders_do_not_count_as_failed_cancels(gateway):
    fill(gateway)
    rest(gateway)

    result = gateway.cancel_all_orders()

    assert (1, 0) == (result.cancelled_count, result.failed_count)


def test_a_raised_stop_stays_a_stop(gateway):
    handle = stop(gateway)
    price = str(Decimal(gateway.get_order(handle.id).stop_price) + 5)

    order = changed(gateway, handle, stop_price=price, quantity="1")

    assert ("STOP", Decimal(1)) == (order.order_type, Decimal(order.quantity))


def test_what_was_changed_is_listed_once(gateway):
    handle = rest(gateway, quantity="2")
    changed(gateway, handle, limit_price=far_below(gateway), quantity="4")

    found = eventually(lambda: gateway.list_orders(status=["OPEN"]))

    assert [Decimal(4)] == [Decimal(order.quantity) for order in found]
