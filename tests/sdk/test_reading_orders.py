"""Finding orders and executions: every filter of the lists."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import tektii
from tests.sdk.clients import becomes, eventually, far_above, fill, fresh_name, rest

pytestmark = pytest.mark.usefixtures("flat")


def ids(orders):
    return [order.id for order in orders]


def canceled(gateway, **more):
    handle = rest(gateway, **more)
    gateway.cancel_order(handle.id)
    return becomes(gateway, handle.id, "CANCELLED")


def test_an_order_is_read_whole(gateway):
    name = fresh_name()
    handle = rest(gateway, quantity="4", client_order_id=name, time_in_force="gtc")

    order = gateway.get_order(handle.id)

    assert (handle.id, name, "AAPL") == (order.id, order.client_order_id, order.symbol)
    assert Decimal(4) == Decimal(order.quantity) == Decimal(order.remaining_quantity)
    assert Decimal(0) == Decimal(order.filled_quantity)
    assert order.created_at <= order.updated_at
    assert abs(datetime.now(UTC) - order.created_at) < timedelta(minutes=5)


def test_open_orders_are_listed(gateway):
    handles = [rest(gateway) for _ in range(3)]

    assert set(ids(handles)) <= set(ids(gateway.list_orders()))


def test_orders_are_listed_by_symbol(gateway):
    wanted, other = rest(gateway, "MSFT"), rest(gateway)

    found = ids(gateway.list_orders(symbol="MSFT"))

    assert (True, False) == (wanted.id in found, other.id in found)


def test_orders_of_a_symbol_with_a_slash_are_listed(gateway):
    handle = rest(gateway, "BTC/USD", "0.01")

    assert [handle.id] == ids(gateway.list_orders(symbol="BTC/USD", status=["OPEN"]))


def test_orders_are_listed_by_status(gateway):
    resting, done = rest(gateway), canceled(gateway)

    found = gateway.list_orders(status=["OPEN"])

    assert {"OPEN"} == {order.status for order in found}
    assert (True, False) == (resting.id in ids(found), done.id in ids(found))


def test_orders_are_listed_by_several_statuses(gateway):
    resting, done = rest(gateway), canceled(gateway)
    filled = fill(gateway)

    found = ids(gateway.list_orders(status=["OPEN", "CANCELLED"]))

    assert {resting.id, done.id} <= set(found)
    assert filled.id not in found


@pytest.mark.parametrize("side", ["buy", "BUY"])
def test_orders_are_listed_by_side(gateway, side):
    bought = rest(gateway, "MSFT")
    price = far_above(gateway, "MSFT")
    sold = gateway.submit_order("MSFT", "sell", "1", "limit", limit_price=price)

    found = ids(gateway.list_orders(side=side))

    assert (True, False) == (bought.id in found, sold.id in found)


def test_an_order_is_found_by_its_clients_name(gateway):
    name = fresh_name()
    handle = rest(gateway, client_order_id=name)
    rest(gateway)

    assert [handle.id] == ids(gateway.list_orders(client_order_id=name))


def test_a_name_nobody_used_finds_nothing(gateway):
    assert [] == gateway.list_orders(client_order_id=fresh_name("nobody"))


def test_a_group_nobody_used_finds_nothing(gateway):
    assert [] == gateway.list_orders(oco_group_id=fresh_name("nobody"))


def test_since_is_inclusive_and_until_exclusive(gateway):
    handle = rest(gateway)
    created = gateway.get_order(handle.id).created_at
    later = created + timedelta(microseconds=1)

    assert handle.id in ids(gateway.list_orders(since=created))
    assert handle.id not in ids(gateway.list_orders(since=later))
    assert handle.id not in ids(gateway.list_orders(until=created))
    assert handle.id in ids(gateway.list_orders(until=later))


def test_since_and_until_of_history(gateway):
    order = canceled(gateway)
    created = order.created_at
    later = created + timedelta(microseconds=1)

    assert order.id in ids(gateway.get_order_history(since=created, until=later))
    assert order.id not in ids(gateway.get_order_history(since=later))
    assert order.id not in ids(gateway.get_order_history(until=created))


def test_a_limit_bounds_the_list(gateway):
    for _ in range(3):
        rest(gateway)

    assert 2 == len(gateway.list_orders(status=["OPEN"], limit=2))


def test_a_limit_bounds_the_history(gateway):
    for _ in range(2):
        canceled(gateway)

    assert 1 == len(gateway.get_order_history(limit=1))


def test_history_holds_what_is_over_and_nothing_else(gateway):
    resting, done, filled = rest(gateway), canceled(gateway), fill(gateway)

    found = gateway.get_order_history()

    assert {done.id, filled.id} <= set(ids(found))
    assert resting.id not in ids(found)
    assert {order.status for order in found} <= {"FILLED", "CANCELLED", "REJECTED", "EXPIRED"}


@pytest.mark.parametrize("status", ["FILLED", "CANCELLED"])
def test_history_is_listed_by_status(gateway, status):
    done = {"CANCELLED": canceled(gateway).id, "FILLED": fill(gateway).id}

    found = gateway.get_order_history(status=[status])

    assert done[status] in ids(found)
    assert {status} == {order.status for order in found}


def test_history_is_listed_by_symbol_side_and_name(gateway):
    name = fresh_name()
    order = canceled(gateway, symbol="MSFT", client_order_id=name)
    canceled(gateway)

    assert {"MSFT"} == {one.symbol for one in gateway.get_order_history(symbol="MSFT")}
    assert order.id not in ids(gateway.get_order_history(side="sell"))
    assert [order.id] == ids(gateway.get_order_history(client_order_id=name))


def test_newer_orders_come_first(gateway):
    handles = [rest(gateway).id for _ in range(3)]

    found = [each for each in ids(gateway.list_orders(status=["OPEN"])) if each in handles]

    assert handles[::-1] == found


def test_an_execution_is_listed_by_its_order(gateway):
    order = fill(gateway, quantity="3")

    (trade,) = eventually(lambda: gateway.list_trades(order_id=order.id))

    assert (order.id, "AAPL", "BUY") == (trade.order_id, trade.symbol, trade.side)
    assert Decimal(3) == Decimal(trade.quantity)
    assert Decimal(order.average_fill_price) == Decimal(trade.price)
    assert Decimal(trade.commission) >= 0
    assert "USD" == trade.commission_currency


def test_executions_are_listed_by_symbol(gateway):
    wanted, other = fill(gateway, "MSFT"), fill(gateway)
    eventually(lambda: gateway.list_trades(order_id=other.id))

    found = gateway.list_trades(symbol="MSFT")

    assert {"MSFT"} == {trade.symbol for trade in found}
    assert wanted.id in {trade.order_id for trade in found}


def test_since_and_until_of_executions(gateway):
    order = fill(gateway)
    (trade,) = eventually(lambda: gateway.list_trades(order_id=order.id))
    later = trade.timestamp + timedelta(microseconds=1)

    assert trade.id in ids(gateway.list_trades(since=trade.timestamp))
    assert trade.id not in ids(gateway.list_trades(since=later))
    assert trade.id not in ids(gateway.list_trades(until=trade.timestamp))
    assert trade.id in ids(gateway.list_trades(until=later))


def test_a_limit_bounds_the_executions(gateway):
    for _ in range(2):
        order = fill(gateway)
        eventually(lambda: gateway.list_trades(order_id=order.id))  # noqa: B023 - called at once

    assert 1 == len(gateway.list_trades(limit=1))


def test_executions_of_an_unknown_order_are_none(gateway):
    assert [] == gateway.list_trades(order_id="no-such-order")


def test_an_execution_has_an_id_of_its_own(gateway):
    for _ in range(2):
        order = fill(gateway)
        eventually(lambda: gateway.list_trades(order_id=order.id))  # noqa: B023 - called at once

    found = ids(gateway.list_trades())

    assert len(set(found)) == len(found) >= 2


def test_naive_times_are_refused_by_name(gateway):
    naive = datetime(2026, 1, 7)  # noqa: DTZ001 - the point

    for ask, field in ((gateway.list_orders, "since"), (gateway.list_trades, "until")):
        with pytest.raises(ValueError, match=field):
            ask(**{field: naive})


def test_every_listed_order_is_of_the_public_model(gateway):
    rest(gateway)

    assert {tektii.Order} == {type(order) for order in gateway.list_orders()}
