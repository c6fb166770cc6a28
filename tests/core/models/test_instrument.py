"""An instrument's increments and contract."""

import decimal
from decimal import Decimal
from fractions import Fraction

import attrs
import pytest
from hypothesis import given
from tests.strategies import amounts

from dragoman.models import AssetClass, Instrument, InstrumentKind, Money

STOCK = Instrument(
    symbol="AAPL",
    asset_class=AssetClass.EQUITY,
    kind=InstrumentKind.SPOT,
    quote="USD",
    settlement="USD",
    provider="mock",
    received_at_ns=0,
)
FUTURE = attrs.evolve(STOCK, symbol="MES", multiplier=Decimal(5))
INVERSE = attrs.evolve(
    STOCK, symbol="BTCUSD_PERP", settlement="BTC", multiplier=Decimal(100), is_inverse=True
)
BANDS = (
    (Decimal(0), Decimal("0.0001")),
    (Decimal(1), Decimal("0.01")),
    (Decimal(100), Decimal("0.05")),
)


@pytest.mark.parametrize(
    ("price", "tick"),
    [("0", "0.0001"), ("0.9999", "0.0001"), ("1", "0.01"), ("99.99", "0.01"), ("100", "0.05")],
)
def test_the_band_a_price_lies_in_gives_its_tick(price, tick):
    banded = attrs.evolve(STOCK, tick_size=Decimal(7), tick_bands=BANDS)

    assert Decimal(tick) == banded.tick_at(Decimal(price))


def test_below_every_band_the_tick_size_holds():
    banded = attrs.evolve(STOCK, tick_size=Decimal(7), tick_bands=BANDS)

    assert Decimal(7) == banded.tick_at(Decimal(-1))


def test_without_a_published_tick_there_is_none():
    assert STOCK.tick_at(Decimal(1)) is None


@pytest.mark.parametrize(
    ("instrument", "quantity", "price", "value"),
    [
        (STOCK, "10", "1.50", Money("15.00", "USD")),
        (STOCK, "-10", "1.50", Money("-15.00", "USD")),
        (FUTURE, "2", "5000.25", Money("50002.50", "USD")),
        (INVERSE, "3", "60000", Money("0.005", "BTC")),
        (INVERSE, "-3", "60000", Money("-0.005", "BTC")),
    ],
)
def test_value_is_in_the_settlement_currency(instrument, quantity, price, value):
    assert value == instrument.value(Decimal(quantity), Decimal(price))


@pytest.mark.parametrize(
    ("instrument", "quantity", "entry", "exit_price", "profit"),
    [
        (STOCK, "10", "1.50", "1.75", Money("2.50", "USD")),
        (STOCK, "-10", "1.50", "1.75", Money("-2.50", "USD")),
        (FUTURE, "2", "5000.25", "5001.50", Money("12.50", "USD")),
        (FUTURE, "2", "-1.00", "1.00", Money("20.00", "USD")),
        (INVERSE, "3", "50000", "60000", Money("0.001", "BTC")),
        (INVERSE, "-3", "50000", "60000", Money("-0.001", "BTC")),
    ],
)
def test_profit_is_in_the_settlement_currency(instrument, quantity, entry, exit_price, profit):
    found = instrument.profit(Decimal(quantity), Decimal(entry), Decimal(exit_price))

    assert profit.currency == found.currency
    assert abs(Fraction(profit.amount) - Fraction(found.amount)) < Fraction(1, 10**20)


@given(amounts(digits=30, scale=20), amounts(digits=30, scale=20), amounts(digits=30, scale=20))
def test_linear_profit_is_exact_in_any_context(quantity, entry, exit_price):
    with decimal.localcontext(prec=1):
        found = FUTURE.profit(quantity, entry, exit_price)

    expected = Fraction(quantity) * 5 * (Fraction(exit_price) - Fraction(entry))
    assert expected == Fraction(found.amount)
