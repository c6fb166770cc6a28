"""What stands in the way of an order is named: field, value found, what is allowed."""

from decimal import Decimal

import attrs
import pytest

from dragoman import (
    AssetClass,
    Capabilities,
    Contingency,
    Exit,
    Instrument,
    InstrumentKind,
    Offset,
    Order,
    OrderRequest,
    OrderStatus,
    OrderType,
    PositionEffect,
    PriceSource,
    Side,
    Support,
    TimeInForce,
    UnsupportedError,
)
from dragoman.capabilities import ExitPart, OrderFeature, ReplaceRule, Source, order_cells
from dragoman.models import REMOVE, OrderChange
from dragoman.orders.checks import (
    change_violations,
    instrument_violations,
    list_violations,
    refuse_unsupported_list,
    unsupported_parts,
)
from dragoman.orders.tracker import pending_order

D = Decimal
SHARE = Instrument(
    symbol="AAPL",
    asset_class=AssetClass.EQUITY,
    kind=InstrumentKind.SPOT,
    quote="USD",
    settlement="USD",
    tick_size=D("0.01"),
    lot_size=D(1),
    min_quantity=D(2),
    max_quantity=D(100),
    max_market_quantity=D(50),
    min_notional=D(10),
    max_notional=D(1000),
    provider="mock",
    received_at_ns=0,
)
NOTHING = Capabilities(
    protocol="mock",
    source=Source("none", "2026-01-01"),
    orders=order_cells(
        [InstrumentKind.SPOT], [OrderType.LIMIT, OrderType.MARKET], [TimeInForce.DAY]
    ),
    replace=ReplaceRule(fields=frozenset({"quantity", "limit_price", "stop_price", "stop_loss"})),
    max_list_size=3,
)
LIMIT = OrderRequest.limit("AAPL", Side.BUY, 10, "5", client_order_id="one")
MARKET = OrderRequest.market("AAPL", Side.BUY, 10)
LEG = Exit(offset=Offset.price(1))


def order_of(request: OrderRequest, **facts: object) -> Order:
    made = pending_order(request, account_id="a", provider="mock", at_ns=0)
    return attrs.evolve(made, status=OrderStatus.OPEN, **facts)  # type: ignore[arg-type]


BROKEN: dict[str, tuple[OrderRequest, list[str]]] = {
    "sound": (LIMIT, []),
    "off the tick": (attrs.evolve(LIMIT, limit_price=D("5.001")), ["limit_price"]),
    "no price below zero": (attrs.evolve(LIMIT, limit_price=D(-5)), ["limit_price"]),
    "off the lot": (attrs.evolve(LIMIT, quantity=D("2.5")), ["quantity"]),
    "too few": (attrs.evolve(LIMIT, quantity=D(1), limit_price=D(50)), ["quantity"]),
    "too many": (attrs.evolve(LIMIT, quantity=D(101)), ["quantity"]),
    "too many at market": (attrs.evolve(MARKET, quantity=D(51)), ["quantity"]),
    "too little value": (attrs.evolve(LIMIT, quantity=D(2), limit_price=D(4)), ["notional"]),
    "too much value": (attrs.evolve(LIMIT, limit_price=D(101)), ["notional"]),
    "too little asked by value": (
        attrs.evolve(MARKET, quantity=None, notional=D(9)),
        ["notional"],
    ),
    "leg off the tick": (
        attrs.evolve(LIMIT, stop_loss=Exit(price="4.001", quantity="2.5")),
        ["stop_loss.price", "stop_loss.quantity"],
    ),
}


@pytest.mark.parametrize(("request_", "fields"), BROKEN.values(), ids=BROKEN)
def test_the_instruments_rules_are_named(request_: OrderRequest, fields: list[str]) -> None:
    assert fields == [one.field for one in instrument_violations(request_, SHARE)]


LACKED: dict[str, tuple[dict[str, object], str]] = {
    "post only": ({"post_only": True}, "post_only"),
    "reduce only": ({"position_effect": PositionEffect.CLOSE}, "reduce_only"),
    "open effect": ({"position_effect": PositionEffect.OPEN}, "open_effect"),
    "position id": ({"position_id": "p"}, "position_id"),
    "iceberg": ({"display_quantity": D(1)}, "display_quantity"),
    "hidden": ({"display_quantity": D(0)}, "hidden"),
    "extended hours": ({"extended_hours": True}, "extended_hours"),
    "group": ({"group_id": "g"}, "group"),
    "tag": ({"tag": "t"}, "tag"),
    "stop loss": ({"stop_loss": LEG}, "exit stop_loss"),
    "peg": ({"limit_price": None, "peg": PriceSource.BID}, "peg"),
    "time in force": ({"time_in_force": TimeInForce.IOC}, "time_in_force"),
    "option of another protocol": ({"venue_options": {"kite.product": "MIS"}}, "venue_options"),
}


@pytest.mark.parametrize(("terms", "field"), LACKED.values(), ids=LACKED)
def test_a_part_that_is_not_offered_is_named(terms: dict[str, object], field: str) -> None:
    request = attrs.evolve(LIMIT, **terms)  # type: ignore[arg-type]

    assert field in [one.field for one in unsupported_parts(request, SHARE, NOTHING)]
    assert [] == list(unsupported_parts(LIMIT, SHARE, NOTHING))


def test_a_part_that_is_offered_is_let_through() -> None:
    able = attrs.evolve(
        NOTHING,
        features={OrderFeature.POST_ONLY: Support.NATIVE},
        exits=dict.fromkeys((ExitPart.STOP_LOSS, ExitPart.OFFSET), Support.EMULATED),
    )

    request = attrs.evolve(LIMIT, post_only=True, stop_loss=LEG)

    assert [] == list(unsupported_parts(request, SHARE, able))


CHANGES: dict[str, tuple[OrderChange, list[str]]] = {
    "sound": (OrderChange(quantity=12, limit_price="6"), []),
    "leg taken off": (OrderChange(stop_loss=REMOVE), []),
    "a field the provider can't change": (OrderChange(take_profit=LEG), ["take_profit"]),
    "a price that a limit order has not": (OrderChange(stop_price="4"), ["stop_price"]),
    "off the tick": (OrderChange(limit_price="6.001"), ["limit_price"]),
    "off the lot": (OrderChange(quantity="12.5"), ["quantity"]),
    "more than the most": (OrderChange(quantity=101), ["quantity"]),
    "not more than has filled": (OrderChange(quantity=4), ["quantity"]),
    "leg off the tick": (OrderChange(stop_loss=Exit(price="4.001")), ["stop_loss.price"]),
}


@pytest.mark.parametrize(("change", "fields"), CHANGES.values(), ids=CHANGES)
def test_what_stands_in_the_way_of_a_change_is_named(
    change: OrderChange, fields: list[str]
) -> None:
    order = order_of(LIMIT, filled_quantity=D(4))

    assert fields == [one.field for one in change_violations(change, order, SHARE, NOTHING)]


def test_an_order_of_a_type_not_understood_can_still_be_changed() -> None:
    order = order_of(LIMIT, order_type=OrderType.UNKNOWN)

    assert [] == change_violations(OrderChange(limit_price="6"), order, SHARE, NOTHING)


@pytest.mark.parametrize(
    ("length", "contingency", "is_sound"),
    [
        (0, Contingency.NONE, False),
        (1, Contingency.NONE, True),
        (1, Contingency.OCO, False),
        (3, Contingency.OTO, True),
        (4, Contingency.OTO, False),
    ],
)
def test_a_list_has_a_length_that_makes_sense(
    length: int, contingency: Contingency, *, is_sound: bool
) -> None:
    assert is_sound is not bool(list_violations([LIMIT] * length, contingency, NOTHING))


def test_a_list_that_is_not_offered_is_refused_by_its_contingency() -> None:
    able = attrs.evolve(
        NOTHING,
        lists={Contingency.OCO: Support.NATIVE},
        features={OrderFeature.BATCH: Support.NATIVE},
    )

    for contingency in Contingency:
        with pytest.raises(UnsupportedError, match=contingency):
            refuse_unsupported_list(contingency, NOTHING)
    refuse_unsupported_list(Contingency.OCO, able)
    refuse_unsupported_list(Contingency.NONE, able)
