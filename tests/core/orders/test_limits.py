"""An order beyond a limit is never sent, and every limit it breaks is named."""

from decimal import Decimal

import attrs
import pytest

from dragoman import (
    AssetClass,
    Instrument,
    InstrumentKind,
    LimitExceededError,
    OrderRequest,
    PositionEffect,
    RiskLimits,
    Side,
)
from dragoman.orders.limits import Exposure, RiskWatch
from dragoman.times import MINUTE_NS

D = Decimal
INSTRUMENT = Instrument(
    symbol="MES",
    asset_class=AssetClass.INDEX,
    kind=InstrumentKind.FUTURE,
    quote="USD",
    settlement="USD",
    multiplier=D(5),
    provider="mock",
    received_at_ns=0,
)
CALM = Exposure(instrument=INSTRUMENT, price=D(100), position=D(0), working=D(0), open_orders=0)


def buy(quantity: int, **fields: object) -> OrderRequest:
    return OrderRequest.market("MES", Side.BUY, quantity, **fields)  # type: ignore[arg-type]


def broken(limits: RiskLimits, request: OrderRequest, exposure: Exposure = CALM) -> list[str]:
    return [one.field for one in RiskWatch(limits).violations(request, exposure, 0)]


def test_no_limits_allow_everything() -> None:
    RiskWatch(RiskLimits()).check(buy(10**9), CALM, 0)


@pytest.mark.parametrize(("quantity", "expected"), [(2, []), (3, ["max_order_notional"])])
def test_notional_counts_the_multiplier(quantity: int, expected: list[str]) -> None:
    assert expected == broken(RiskLimits(max_order_notional="1000"), buy(quantity))


def test_an_order_that_can_not_be_valued_is_refused() -> None:
    blind = attrs.evolve(CALM, price=None)

    assert ["max_order_notional"] == broken(RiskLimits(max_order_notional=1), buy(1), blind)


@pytest.mark.parametrize(
    ("position", "working", "side", "expected"),
    [
        (0, 0, Side.BUY, []),
        (5, 0, Side.BUY, []),
        (6, 0, Side.BUY, ["max_position"]),
        (3, 3, Side.BUY, ["max_position"]),
        (12, 0, Side.SELL, []),
        (-6, 0, Side.SELL, ["max_position"]),
        (-20, 0, Side.BUY, []),
    ],
)
def test_position_counts_what_is_held_and_what_still_works(
    position: int, working: int, side: Side, expected: list[str]
) -> None:
    exposure = attrs.evolve(CALM, position=D(position), working=D(working))

    found = broken(RiskLimits(max_position=10), OrderRequest.market("MES", side, 5), exposure)

    assert expected == found


def test_a_closing_order_passes_size_limits_but_not_counts() -> None:
    limits = RiskLimits(max_position=1, max_order_notional=1, max_open_orders=2)
    busy = attrs.evolve(CALM, open_orders=2)
    closing = buy(50, position_effect=PositionEffect.CLOSE)

    assert ["max_open_orders"] == broken(limits, closing, busy)


def test_orders_per_minute_counts_a_sliding_minute() -> None:
    watch = RiskWatch(RiskLimits(max_orders_per_minute=2))
    watch.sent(0)
    watch.sent(30 * 10**9)

    with pytest.raises(LimitExceededError, match="max_orders_per_minute: found 3"):
        watch.check(buy(1), CALM, MINUTE_NS - 1)
    watch.check(buy(1), CALM, MINUTE_NS)
