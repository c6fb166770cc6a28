import pytest

from dragoman.cli.order_terms import OrderTerms, exit_leg, parse_offset
from dragoman.errors import InvalidOrderError, InvalidValueError
from dragoman.models import Exit, Offset, OrderRequest, OrderType, PositionEffect, Side, TimeInForce
from dragoman.times import parse_time


def request_of(**terms):
    quantity = None if "notional" in terms else "10"
    return OrderTerms(**terms).request("AAPL", Side.BUY, quantity)


@pytest.mark.parametrize(
    ("terms", "order_type"),
    [
        ({}, OrderType.MARKET),
        ({"limit": "1"}, OrderType.LIMIT),
        ({"stop": "1"}, OrderType.STOP),
        ({"stop": "1", "limit": "2"}, OrderType.STOP_LIMIT),
        ({"trail": "1%"}, OrderType.TRAILING_STOP),
        ({"trail": "1%", "limit_offset": "5t"}, OrderType.TRAILING_STOP_LIMIT),
        ({"stop": "1", "order_type": "market-if-touched"}, OrderType.MARKET_IF_TOUCHED),
    ],
)
def test_type_follows_from_the_prices_unless_it_is_named(terms, order_type):
    assert order_type is request_of(**terms).order_type


def test_every_flag_reaches_the_request():
    found = request_of(
        limit="180.50",
        expires="2027-01-01T10:00:00Z",
        stop_loss="170",
        take_profit="2%",
        post_only=True,
        reduce_only=False,
        extended_hours=True,
        display="5",
        client_order_id="mine",
    )

    assert found == OrderRequest(
        symbol="AAPL",
        side=Side.BUY,
        order_type=OrderType.LIMIT,
        quantity="10",
        limit_price="180.50",
        time_in_force=TimeInForce.GTD,
        expires_at_ns=parse_time("2027-01-01T10:00:00Z"),
        stop_loss=Exit(price="170"),
        take_profit=Exit(offset=Offset.percent("2")),
        post_only=True,
        extended_hours=True,
        display_quantity="5",
        client_order_id="mine",
    )


def test_reduce_only_closes():
    assert PositionEffect.CLOSE is request_of(reduce_only=True).position_effect


def test_quantity_and_notional_together_are_refused():
    with pytest.raises(InvalidOrderError, match="not both"):
        OrderTerms(notional="100").request("AAPL", Side.BUY, "10")


@pytest.mark.parametrize(
    ("text", "offset"),
    [("0.50", Offset.price("0.50")), ("1.5%", Offset.percent("1.5")), ("5t", Offset.ticks("5"))],
)
def test_distance_is_read_with_its_unit(text, offset):
    assert offset == parse_offset("--trail", text)


@pytest.mark.parametrize("text", ["", "%", "t", "0", "-1%", "abc", "1.5x", "nan"])
def test_what_is_no_distance_is_refused_by_the_name_of_its_flag(text):
    with pytest.raises(InvalidValueError, match="--trail") as caught:
        parse_offset("--trail", text)

    assert "--trail" == caught.value.violations[0].field


def test_leg_is_a_price_a_distance_or_trails():
    found = [exit_leg("--stop-loss", text) for text in ("180", "5t", "trail:1%", None)]

    assert [
        Exit(price="180"),
        Exit(offset=Offset.ticks(5)),
        Exit(trailing=Offset.percent(1)),
        None,
    ] == found


@pytest.mark.parametrize("text", ["", "abc", "trail:", "trail:5x", "t"])
def test_what_is_no_leg_is_refused(text):
    with pytest.raises(InvalidValueError, match="--stop-loss"):
        exit_leg("--stop-loss", text)


def test_type_may_be_spelled_with_underscores(cli):
    found = cli("buy", "AAPL", "1", "--type", "TRAILING_STOP", "--trail", "1%", "--json")

    assert (0, "TRAILING_STOP") == (found.code, found.json["order"]["order_type"])


def test_unknown_type_is_refused_with_the_choices(cli):
    found = cli("buy", "AAPL", "1", "--type", "guess")

    assert (2, 1) == (found.code, found.err.count("--type"))
    assert "trailing-stop-limit" in found.err


def test_rare_terms_reach_the_request():
    terms = OrderTerms(
        stop="150",
        trigger="bid",
        position_id="p-1",
        tag="swing",
        venue_option=("mock.fast=true", "mock.legs=2", "mock.code=007"),
    )

    found = terms.request("AAPL", Side.SELL, "1")

    assert ("BID", "p-1", "swing") == (found.trigger, found.position_id, found.tag)
    assert {"mock.fast": True, "mock.legs": 2, "mock.code": "007"} == dict(found.venue_options)


def test_wrong_level_names_its_flag_once(cli):
    found = cli("buy", "AAPL", "1", "--stop-loss", "near")

    assert (2, 1) == (found.code, found.err.count("--stop-loss"))
