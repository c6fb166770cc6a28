"""Sending orders through the SDK: every type, duration and option, and who names them."""

from decimal import Decimal

import pytest
import tektii
from tests.sdk.clients import (
    attempt,
    becomes,
    eventually,
    far_above,
    far_below,
    fill,
    fresh_name,
    position_of,
    rest,
)

pytestmark = pytest.mark.usefixtures("flat")
REFUSALS = {
    "INVALID_VALUE",
    "INVALID_REQUEST",
    "UNSUPPORTED_OPERATION",
    "ORDER_REJECTED",
    "POSITION_NOT_FOUND",
}
SHOWN_BY_POSITIONS = {"leverage", "margin_mode"}
DONE = {"FILLED", "CANCELLED", "REJECTED", "EXPIRED"}


def test_a_market_order_is_the_default_and_fills(gateway):
    handle = gateway.submit_order("AAPL", "buy", "2")

    order = becomes(gateway, handle.id, "FILLED")
    assert ("MARKET", "BUY", "2") == (order.order_type, order.side, order.quantity)
    assert Decimal(2) == Decimal(order.filled_quantity)
    assert Decimal(0) == Decimal(order.remaining_quantity)
    assert Decimal(order.average_fill_price) > 0


def test_a_quantity_may_be_a_decimal(gateway):
    order = fill(gateway, quantity=Decimal("1.5"))

    assert Decimal("1.5") == Decimal(order.quantity)


def test_a_handle_has_an_id_a_status_and_a_correlation_id(gateway):
    handle = gateway.submit_order("AAPL", "buy", "1")

    assert handle.id
    assert handle.status in tektii.OrderStatus
    assert handle.correlation_id


def test_correlation_ids_of_two_orders_differ(gateway):
    one, other = (rest(gateway) for _ in range(2))

    assert one.correlation_id != other.correlation_id


def test_a_live_order_tells_its_correlation_id(gateway):
    handle = rest(gateway)

    assert handle.correlation_id == gateway.get_order(handle.id).correlation_id


@pytest.mark.parametrize("side", ["buy", "BUY"])
def test_a_limit_order_rests_at_its_price(gateway, side):
    price = far_below(gateway)

    handle = gateway.submit_order("AAPL", side, "3", "limit", limit_price=price)

    order = becomes(gateway, handle.id, "OPEN")
    assert ("LIMIT", "BUY") == (order.order_type, order.side)
    assert Decimal(price) == Decimal(order.limit_price)
    assert Decimal(3) == Decimal(order.remaining_quantity)
    assert (None, None) == (order.stop_price, order.average_fill_price)


def test_a_limit_through_the_market_fills_at_its_price_or_better(gateway):
    price = far_above(gateway)

    handle = gateway.submit_order("AAPL", "buy", "1", "limit", limit_price=price)

    assert Decimal(becomes(gateway, handle.id, "FILLED").average_fill_price) < Decimal(price)


def test_a_stop_rests_until_its_price(gateway):
    price = far_above(gateway)

    handle = gateway.submit_order("AAPL", "buy", "1", "stop", stop_price=price)

    order = becomes(gateway, handle.id, "OPEN")
    assert ("STOP", Decimal(price)) == (order.order_type, Decimal(order.stop_price))
    assert order.limit_price is None


def test_a_stop_limit_has_both_prices(gateway):
    price = far_above(gateway)

    handle = gateway.submit_order(
        "AAPL", "buy", "1", "stop_limit", stop_price=price, limit_price=price
    )

    order = becomes(gateway, handle.id, "OPEN")
    assert "STOP_LIMIT" == order.order_type
    assert [Decimal(price)] * 2 == [Decimal(order.stop_price), Decimal(order.limit_price)]


@pytest.mark.parametrize(("kind", "distance"), [("absolute", "25"), ("percent", "12.5")])
def test_a_trailing_stop_follows_at_its_distance(gateway, kind, distance):
    fill(gateway, quantity="1")

    handle = gateway.submit_order(
        "AAPL", "sell", "1", "trailing_stop", trailing_distance=distance, trailing_type=kind
    )

    order = becomes(gateway, handle.id, "OPEN")
    assert ("TRAILING_STOP", kind.upper()) == (order.order_type, order.trailing_type)
    assert Decimal(distance) == Decimal(order.trailing_distance)


@pytest.mark.parametrize("word", ["GTC", "gtc", "DAY", "day"])
def test_a_lasting_order_keeps_its_duration(gateway, word):
    handle = rest(gateway, time_in_force=word)

    assert word.upper() == becomes(gateway, handle.id, "OPEN").time_in_force


def test_an_order_without_a_duration_is_good_till_canceled(gateway):
    assert "GTC" == gateway.get_order(rest(gateway).id).time_in_force


@pytest.mark.parametrize("word", ["IOC", "FOK", "ioc", "fok"])
def test_an_immediate_order_that_finds_nobody_is_over(gateway, word):
    handle = rest(gateway, time_in_force=word)

    order = becomes(gateway, handle.id, *DONE)
    assert (word.upper(), Decimal(0)) == (order.time_in_force, Decimal(order.filled_quantity))
    assert order.status in {"CANCELLED", "EXPIRED", "REJECTED"}


@pytest.mark.parametrize("word", ["IOC", "FOK"])
def test_an_immediate_order_that_finds_somebody_fills(gateway, word):
    assert word == fill(gateway, time_in_force=word).time_in_force


@pytest.mark.parametrize("spell", [str.upper, str.lower])
@pytest.mark.parametrize("kind", ["market", "limit", "stop", "stop_limit"])
def test_words_are_taken_in_either_case(gateway, kind, spell):
    price = far_above(gateway)
    prices = {
        "market": {},
        "limit": {"limit_price": price},
        "stop": {"stop_price": price},
        "stop_limit": {"stop_price": price, "limit_price": price},
    }[kind]
    if kind != "limit":
        fill(gateway)

    handle = gateway.submit_order(
        "AAPL", spell("buy"), "1", spell(kind), time_in_force=spell("gtc"), **prices
    )

    assert kind.upper() == gateway.get_order(handle.id).order_type


def test_a_client_names_its_order(gateway):
    name = fresh_name()

    handle = rest(gateway, client_order_id=name)

    assert name == handle.client_order_id
    assert name == gateway.get_order(handle.id).client_order_id


def test_the_same_order_under_the_same_name_is_one_order(gateway):
    name, price = fresh_name(), far_below(gateway)

    handles = [rest(gateway, client_order_id=name, limit_price=price) for _ in range(2)]

    assert handles[0].id == handles[1].id
    assert 1 == len(gateway.list_orders(client_order_id=name))


def test_another_order_under_the_same_name_is_refused(gateway):
    name = fresh_name()
    rest(gateway, client_order_id=name)

    with pytest.raises(tektii.APIStatusError) as caught:
        rest(gateway, quantity="2", client_order_id=name)

    assert caught.value.status_code in {400, 409, 422}
    assert 1 == len(gateway.list_orders(client_order_id=name))


def test_a_name_of_64_characters_is_kept(gateway):
    name = fresh_name().ljust(64, "x")

    assert name == rest(gateway, client_order_id=name).client_order_id


@pytest.mark.stacks("serve")  # Alpaca has no such orders
def test_an_order_that_is_only_posted_rests(gateway):
    handle = rest(gateway, "BTC/USD", "0.01", post_only=True)

    assert gateway.get_order(handle.id).status in {"OPEN", "PENDING"}


def test_a_reducing_order_without_anything_to_reduce_is_never_filled(gateway):
    handle, error = attempt(gateway.submit_order, "AAPL", "sell", "1", reduce_only=True)

    if error is None:
        assert becomes(gateway, handle.id, *DONE).status in {"REJECTED", "CANCELLED", "EXPIRED"}
    else:
        assert error.status_code in {400, 422, 501}
    assert position_of(gateway) is None


@pytest.mark.parametrize(
    "option",
    [
        {"hidden": True},
        {"display_quantity": "1"},
        {"leverage": "3"},
        {"margin_mode": "cross"},
        {"margin_mode": "ISOLATED"},
        {"position_id": "no-such-position"},
        {"reduce_only": True},
        {"post_only": True},
    ],
    ids=lambda option: "-".join(map(str, *option.items())),
)
def test_an_option_is_honored_or_refused_but_never_dropped(gateway, option):
    """What a broker can't do is told by an error, not by an order that lacks it."""
    handle, error = attempt(rest, gateway, quantity="5", **option)

    if error is not None:
        assert error.status_code in {400, 404, 422, 501}
        assert error.code in REFUSALS
    elif not option.keys() & SHOWN_BY_POSITIONS:
        order = gateway.get_order(handle.id)
        assert option == {name: getattr(order, name) for name in option}


def test_flags_that_are_false_are_taken_by_everybody(gateway):
    handle = rest(gateway, reduce_only=False, post_only=False, hidden=False)

    assert handle.id


def test_a_sale_at_the_market_opens_a_short_position(gateway):
    fill(gateway, "MSFT", "2", side="sell")

    position = eventually(lambda: position_of(gateway, "MSFT"))
    assert ("SHORT", Decimal(2)) == (position.side, Decimal(position.quantity))


def test_a_fraction_of_a_coin_is_bought(gateway):
    order = fill(gateway, "BTC/USD", "0.0125")

    assert Decimal("0.0125") == Decimal(order.filled_quantity)
    assert "BTC/USD" == order.symbol
