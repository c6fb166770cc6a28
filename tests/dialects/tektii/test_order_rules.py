"""Which orders may be asked for: first failure wins, in the protocol's order."""

import json

import pytest
from tests.dialects.tektii.gateway_rig import LIMIT, MARKET, REST

from dragoman.models import OffsetUnit, OrderType, Side, TimeInForce
from dragoman.transport.codec import decode
from dragoman_tektii.dialect.bodies import ExitsBody, ModifyBody, OrderBody
from dragoman_tektii.dialect.order_rules import check_exits, check_modify, terms_of
from dragoman_tektii.dialect.problems import RefusedError

PRICES = {"limit_price": "90", "stop_price": "110", "trailing_distance": "1"}


def read(fields):
    return terms_of(decode(json.dumps(fields), OrderBody))


def refusal(fields):
    with pytest.raises(RefusedError) as caught:
        read(fields)
    return caught.value


@pytest.mark.parametrize(
    ("change", "code", "details"),
    [
        ({"side": "Buy"}, "INVALID_REQUEST", {"field": "side"}),
        ({"order_type": "ICEBERG"}, "INVALID_REQUEST", {"field": "order_type"}),
        ({"time_in_force": "gTc"}, "INVALID_REQUEST", {"field": "time_in_force"}),
        ({"margin_mode": "both"}, "INVALID_REQUEST", {"field": "margin_mode"}),
        ({"limit_price": None}, "INVALID_REQUEST", {"field": "limit_price"}),
        ({"limit_price": "0"}, "INVALID_VALUE", {"field": "limit_price", "provided": "0"}),
        ({"stop_price": "95"}, "INVALID_VALUE", {"field": "stop_price", "provided": "95"}),
        ({"stop_loss": "-1"}, "INVALID_VALUE", {"field": "stop_loss", "provided": "-1"}),
        ({"take_profit": "0"}, "INVALID_VALUE", {"field": "take_profit", "provided": "0"}),
        (
            {"display_quantity": "5"},
            "INVALID_VALUE",
            {"field": "display_quantity", "provided": "5"},
        ),
        ({"leverage": "0"}, "INVALID_VALUE", {"field": "leverage", "provided": "0"}),
        (
            {"client_order_id": "history"},
            "INVALID_VALUE",
            {"field": "client_order_id", "provided": "history"},
        ),
        (
            {"client_order_id": "two words"},
            "INVALID_VALUE",
            {"field": "client_order_id", "provided": "two words"},
        ),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)
def test_broken_order_is_a_400_that_names_the_field(change, code, details):
    found = refusal({**REST, **change})

    assert (400, code, details) == (found.status, found.word, found.details)


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"quantity": "0"}, "quantity", "must be positive"),
        ({"symbol": "A" * 21}, "symbol", "length"),
        ({"symbol": ""}, "symbol", "length"),
        ({"client_order_id": "c" * 65}, "client_order_id", "length"),
        ({"oco_group_id": "g" * 65}, "oco_group_id", "length"),
    ],
    ids=["quantity", "symbol", "no_symbol", "client_order_id", "oco_group_id"],
)
def test_field_rules_come_before_prices(change, field, code):
    broken = {**LIMIT, **change}  # without its price, too

    found = refusal(broken)

    assert (400, "VALIDATION_ERROR") == (found.status, found.word)
    assert [code] == [one["code"] for one in found.details[field]]


@pytest.mark.parametrize(
    ("kind", "takes"),
    [
        ("MARKET", ()),
        ("LIMIT", ("limit_price",)),
        ("STOP", ("stop_price",)),
        ("STOP_LIMIT", ("stop_price", "limit_price")),
        ("TRAILING_STOP", ("trailing_distance",)),
    ],
)
def test_each_type_takes_its_own_prices_only(kind, takes):
    unit = {"trailing_type": "absolute"} if kind == "TRAILING_STOP" else {}
    whole = {**MARKET, "order_type": kind, **unit, **{name: PRICES[name] for name in takes}}

    for name, price in PRICES.items():
        changed = {**whole, name: None if name in takes else price}
        found = refusal(changed)
        code = "INVALID_REQUEST" if name in takes else "INVALID_VALUE"
        assert (400, code, name) == (found.status, found.word, found.details["field"])
    assert OrderType[kind] is read(whole).order_type


def test_words_are_read_in_capitals_or_in_small_letters():
    small = read({**REST, "time_in_force": "ioc"})
    large = read({**REST, "side": "SELL", "time_in_force": "FOK"})

    assert (Side.BUY, TimeInForce.IOC) == (small.side, small.time_in_force)
    assert (Side.SELL, TimeInForce.FOK) == (large.side, large.time_in_force)


def test_trailing_distance_in_percent_is_below_a_hundred():
    trailing = {**MARKET, "order_type": "trailing_stop", "trailing_distance": "100"}

    assert "trailing_type" == refusal(trailing).details["field"]
    assert "trailing_distance" == refusal({**trailing, "trailing_type": "percent"}).details["field"]
    assert OffsetUnit.PRICE is read({**trailing, "trailing_type": "ABSOLUTE"}).trailing_unit


def test_everything_asked_for_is_in_the_request():
    asked = {
        **REST,
        "stop_loss": "80",
        "take_profit": "120",
        "post_only": True,
        "display_quantity": "2",
        "position_id": "p1",
        "oco_group_id": "g1",
    }

    request = read(asked).request(symbol="X", client_order_id="c1", time_in_force=None)

    assert ("X", "c1", "80", "120", "2", "p1", "g1") == (
        request.symbol,
        request.client_order_id,
        str(request.stop_loss.price),
        str(request.take_profit.price),
        str(request.display_quantity),
        request.position_id,
        request.group_id,
    )
    assert request.post_only
    closing = read({**REST, "reduce_only": True})
    assert closing.request(symbol="X", client_order_id="c1", time_in_force=None).reduce_only
    hidden = read({**REST, "hidden": True})
    sent = hidden.request(symbol="X", client_order_id="c1", time_in_force=None)
    assert 0 == sent.display_quantity


def test_changes_and_moves_of_exits_are_above_zero():
    with pytest.raises(RefusedError, match="quantity"):
        check_modify(decode('{"quantity": "0"}', ModifyBody))
    with pytest.raises(RefusedError, match="take_profit"):
        check_exits(decode('{"take_profit": "-1"}', ExitsBody))
    check_modify(decode("{}", ModifyBody))
