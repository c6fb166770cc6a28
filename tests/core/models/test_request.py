"""What a sound order request is, at every venue: each rule by type and field."""

import decimal
from datetime import UTC, datetime
from decimal import Decimal
from itertools import product

import attrs
import pytest
from hypothesis import given
from tests.strategies import requests

from dragoman.errors import InvalidOrderError, Outcome
from dragoman.models import (
    Exit,
    Offset,
    OrderRequest,
    OrderType,
    PositionEffect,
    PriceSource,
    Side,
    TimeInForce,
)
from dragoman.models.request_rules import price_fields

VALUES = {
    "limit_price": Decimal("100.50"),
    "peg": PriceSource.BID,
    "stop_price": Decimal(99),
    "trailing": Offset.percent(1),
    "limit_offset": Offset.ticks(2),
    "activation_price": Decimal(101),
    "trigger": PriceSource.MARK,
    "post_only": True,
    "display_quantity": Decimal(1),
}
N, M, X = "needs", "may have", "refuses"
TABLE = {
    #                          limit peg stop trail l_off act trig post disp
    OrderType.MARKET: (X, X, X, X, X, X, X, X, X),
    OrderType.LIMIT: (N, X, X, X, X, X, X, M, M),
    OrderType.STOP: (X, X, N, X, X, X, M, X, X),
    OrderType.STOP_LIMIT: (N, X, N, X, X, X, M, X, M),
    OrderType.MARKET_IF_TOUCHED: (X, X, N, X, X, X, M, X, X),
    OrderType.LIMIT_IF_TOUCHED: (N, X, N, X, X, X, M, X, M),
    OrderType.TRAILING_STOP: (X, X, X, N, X, M, M, X, X),
    OrderType.TRAILING_STOP_LIMIT: (X, X, X, N, N, M, M, X, X),
}
CELLS = [
    pytest.param(order_type, field, rule, id=f"{order_type}-{field}")
    for order_type, rules in TABLE.items()
    for field, rule in zip(VALUES, rules, strict=True)
]


def complete(order_type):
    rules = zip(VALUES, TABLE[order_type], strict=True)
    return {field: VALUES[field] for field, rule in rules if rule == N}


def make(order_type=OrderType.MARKET, **fields):
    given = {"symbol": "AAPL", "side": Side.BUY, "order_type": order_type, "quantity": 10}
    return OrderRequest(**given | complete(order_type) | fields)


def refused(**fields):
    with pytest.raises(InvalidOrderError) as caught:
        make(**fields)
    assert Outcome.NOT_SENT is caught.value.outcome
    return caught.value.violations


def fields_of(violations):
    return [each.field for each in violations]


@pytest.mark.parametrize("order_type", TABLE)
def test_a_type_is_sound_with_what_it_needs(order_type):
    request = make(order_type)

    assert complete(order_type) == {name: getattr(request, name) for name in complete(order_type)}


def test_the_table_speaks_of_every_type():
    assert {*OrderType} - {OrderType.UNKNOWN} == set(TABLE)


@pytest.mark.parametrize(("order_type", "field", "rule"), CELLS)
def test_a_field_is_needed_allowed_or_refused_by_type(order_type, field, rule):
    present = complete(order_type) | {field: VALUES[field]}
    absent = complete(order_type) | {field: None if field != "post_only" else False}

    if rule == X:
        (violation, *_) = refused(order_type=order_type, **present)
        assert field in {violation.field, "peg"}
        assert "nothing" in violation.allowed or "exactly one" in violation.allowed
    else:
        assert VALUES[field] == getattr(make(order_type, **present), field)
    if rule == N:
        assert [field] == fields_of(refused(order_type=order_type, **absent))
    else:
        assert not getattr(make(order_type, **absent), field)


@pytest.mark.parametrize("order_type", TABLE)
def test_the_rules_can_be_asked_for(order_type):
    rules = price_fields(order_type)

    needed = {field for field, rule in zip(VALUES, TABLE[order_type], strict=True) if rule == N}
    allowed = {field for field, rule in zip(VALUES, TABLE[order_type], strict=True) if rule != X}
    if order_type is OrderType.LIMIT:
        needed, allowed = set(), allowed | {"peg"}
    assert (needed, allowed) == (rules.needs, rules.needs | rules.may_have)


def test_a_limit_order_may_be_pegged_instead_of_priced():
    request = make(OrderType.LIMIT, limit_price=None, peg=PriceSource.BID)

    assert PriceSource.BID is request.peg


@pytest.mark.parametrize(("price", "peg"), [(None, None), (Decimal(1), PriceSource.BID)])
def test_a_limit_order_has_exactly_one_of_price_and_peg(price, peg):
    (violation,) = refused(order_type=OrderType.LIMIT, limit_price=price, peg=peg)

    assert ("limit_price", "exactly one of limit_price and peg") == (
        violation.field,
        violation.allowed,
    )


class TestSize:
    def test_quantity_and_notional_exclude_each_other(self):
        (violation,) = refused(notional=100)

        assert "notional: found 100; allowed: quantity or notional, not both" == str(violation)

    def test_one_of_them_is_needed(self):
        (violation,) = refused(quantity=None)

        assert ("quantity", "None") == (violation.field, violation.found)

    def test_neither_closes_the_whole_position(self):
        request = make(quantity=None, position_effect=PositionEffect.CLOSE)

        assert (None, None, True) == (request.quantity, request.notional, request.reduce_only)

    def test_opening_needs_a_size(self):
        assert ["quantity"] == fields_of(
            refused(quantity=None, position_effect=PositionEffect.OPEN)
        )

    def test_a_notional_alone_is_a_size(self):
        assert Decimal("99.50") == make(quantity=None, notional="99.50").notional

    @pytest.mark.parametrize("shown", [0, 1, "9.99", 10])
    def test_up_to_the_quantity_may_be_shown(self, shown):
        assert Decimal(shown) == make(OrderType.LIMIT, display_quantity=shown).display_quantity

    @pytest.mark.parametrize("shown", [-1, "10.01", "NaN"])
    def test_less_than_nothing_or_more_than_all_can_not_be_shown(self, shown):
        assert ["display_quantity"] == fields_of(
            refused(order_type=OrderType.LIMIT, display_quantity=shown)
        )

    def test_part_of_a_notional_may_be_shown(self):
        request = make(OrderType.LIMIT, quantity=None, notional=5, display_quantity=100)

        assert Decimal(100) == request.display_quantity


class TestTime:
    def test_gtd_needs_an_expiry(self):
        assert ["expires_at_ns"] == fields_of(refused(time_in_force=TimeInForce.GTD))

    @pytest.mark.parametrize("time_in_force", [None, *sorted({*TimeInForce} - {"GTD", "UNKNOWN"})])
    def test_only_gtd_takes_an_expiry(self, time_in_force):
        violations = refused(time_in_force=time_in_force, expires_at_ns=1)

        assert ["expires_at_ns"] == fields_of(violations)

    def test_an_expiry_may_be_an_aware_datetime(self):
        instant = datetime(2026, 1, 31, 9, 30, 0, 5, tzinfo=UTC)

        request = make(time_in_force=TimeInForce.GTD, expires_at_ns=instant)

        assert 1_769_851_800_000_005_000 == request.expires_at_ns
        assert instant == request.expires_at

    def test_an_order_without_expiry_shows_none(self):
        assert make().expires_at is None

    @pytest.mark.parametrize("time_in_force", [TimeInForce.IOC, TimeInForce.FOK])
    def test_a_post_only_order_must_be_able_to_rest(self, time_in_force):
        violations = refused(
            order_type=OrderType.LIMIT, post_only=True, time_in_force=time_in_force
        )

        assert ["time_in_force"] == fields_of(violations)


class TestExits:
    @pytest.mark.parametrize(
        ("side", "stop", "entry", "target", "wrong"),
        [
            (Side.BUY, 90, 100, 110, []),
            (Side.SELL, 110, 100, 90, []),
            (Side.BUY, 100, 100, 110, ["stop_loss.price"]),
            (Side.BUY, 90, 100, 100, ["take_profit.price"]),
            (Side.BUY, 110, 100, 90, ["stop_loss.price", "take_profit.price"]),
            (Side.SELL, 90, 100, 110, ["stop_loss.price", "take_profit.price"]),
            (Side.SELL, 110, 100, 105, ["take_profit.price"]),
        ],
    )
    def test_levels_lie_on_their_side_of_the_entry(self, side, stop, entry, target, wrong):
        fields = {"stop_loss": stop, "take_profit": target, "limit_price": entry}

        try:
            OrderRequest.bracket("AAPL", side, 1, **fields)
            found = []
        except InvalidOrderError as error:
            found = fields_of(error.violations)

        assert wrong == found

    @pytest.mark.parametrize(("stop", "target", "is_sound"), [(90, 110, True), (110, 90, False)])
    def test_levels_of_a_market_entry_lie_on_either_side_of_each_other(
        self, stop, target, is_sound
    ):
        exits = {"stop_loss": Exit(price=stop), "take_profit": Exit(price=target)}

        if is_sound:
            assert Decimal(stop) == make(**exits).stop_loss.price
        else:
            (violation,) = refused(**exits)
            assert (
                "take_profit.price: found 90; allowed: above stop_loss.price 110 on a BUY"
                == str(violation)
            )

    def test_levels_a_hair_apart_are_told_apart_in_any_context(self):
        near = Decimal("100.0000000000000000000000000000000001")

        with decimal.localcontext(prec=1, Emin=0, Emax=0) as context:
            context.traps = dict.fromkeys(context.traps, True)
            request = OrderRequest.bracket(
                "A", Side.BUY, 1, stop_loss=1, limit_price=100, take_profit=near
            )

        assert near == request.take_profit.price

    @pytest.mark.parametrize("name", ["stop_loss", "take_profit"])
    def test_a_closing_order_carries_no_exits(self, name):
        (violation,) = refused(position_effect=PositionEffect.CLOSE, **{name: Exit(price=1)})

        assert (name, "no exits on a closing order") == (violation.field, violation.allowed)

    def test_a_target_does_not_trail(self):
        violations = refused(take_profit=Exit(price=110, trailing=Offset.price(1)))

        assert ["take_profit.trailing"] == fields_of(violations)

    @pytest.mark.parametrize("name", ["stop_loss", "take_profit"])
    @pytest.mark.parametrize("value", [95, "95", Decimal(95), {"price": 95}])
    def test_an_exit_is_an_exit(self, name, value):
        assert [name] == fields_of(refused(**{name: value}))


def test_every_violation_is_listed_at_once():
    violations = refused(
        symbol="", side="BUY", quantity=1.5, limit_price="abc", client_order_id="a b", tag="\n"
    )

    expected = {"symbol", "side", "quantity", "limit_price", "client_order_id", "tag"}
    assert expected == set(fields_of(violations))


def test_rules_between_fields_are_listed_at_once():
    violations = refused(order_type=OrderType.STOP, limit_price=5, stop_price=None, notional=1)

    assert ["notional", "limit_price", "stop_price"] == fields_of(violations)


@given(requests())
def test_a_sound_request_can_be_built_from_its_own_fields(request_):
    assert request_ == OrderRequest(**attrs.asdict(request_, recurse=False))


def test_requests_are_values():
    assert make() == make()
    assert hash(make()) == hash(make())
    assert make() != make(quantity=11)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        make().quantity = 5


def test_reduce_only_is_closing():
    found = {effect: make(position_effect=effect).reduce_only for effect in [None, *PositionEffect]}

    assert {None: False, PositionEffect.OPEN: False, PositionEffect.CLOSE: True} == found


def test_the_table_has_a_cell_for_every_type_and_field():
    assert len([*product(TABLE, VALUES)]) == len(CELLS)
