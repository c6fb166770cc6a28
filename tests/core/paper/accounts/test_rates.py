from decimal import Decimal

import pytest

from dragoman.models import AssetClass, Instrument, InstrumentKind
from dragoman.paper.accounts.rates import Rates


def pair(symbol, base, quote, kind=InstrumentKind.SPOT):
    return Instrument(
        symbol=symbol,
        asset_class=AssetClass.FX,
        kind=kind,
        base=base,
        quote=quote,
        settlement=quote,
        provider="mock",
        received_at_ns=0,
    )


INSTRUMENTS = {
    each.symbol: each
    for each in (
        pair("BTCUSD_PERP", "BTC", "USD", InstrumentKind.PERPETUAL),
        pair("BTC-FUT", "ETH", "USD", InstrumentKind.FUTURE),
        pair("EUR/USD", "EUR", "USD"),
        pair("USD/JPY", "USD", "JPY"),
        pair("BTC/USD", "BTC", "USD"),
        pair("AAPL", None, "USD"),
    )
}


def rates(**marks):
    names = {"eurusd": "EUR/USD", "usdjpy": "USD/JPY", "btc": "BTC/USD", "perp": "BTCUSD_PERP"}
    found = {names.get(name, name): Decimal(mark) for name, mark in marks.items()}
    return Rates(INSTRUMENTS, found)


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        pytest.param("USD", "USD", "10", id="same"),
        pytest.param("EUR", "USD", "11.25", id="forward"),
        pytest.param("JPY", "USD", "0.08", id="backward"),
        pytest.param("EUR", "JPY", "1406.25", id="chain"),
    ],
)
def test_amount_is_converted_along_marks(source, target, expected):
    found = rates(eurusd="1.125", usdjpy="125").convert(Decimal(10), source, target)

    assert Decimal(expected) == found


def test_unknown_rate_is_none():
    found = rates(eurusd="1.125")

    assert found.convert(Decimal(1), "JPY", "USD") is None
    assert found.convert(Decimal(1), "XYZ", "USD") is None


def test_nothing_is_nothing_in_any_currency():
    assert Decimal(0) == rates().convert(Decimal(0), "JPY", "USD")


def test_spot_goes_before_perpetual_which_stands_in_for_it():
    both = rates(btc="50000", perp="49000")
    alone = rates(perp="49000")

    assert Decimal(50000) == both.convert(Decimal(1), "BTC", "USD")
    assert Decimal(49000) == alone.convert(Decimal(1), "BTC", "USD")


def test_dated_contract_prices_no_currency():
    assert rates(**{"BTC-FUT": "3000"}).convert(Decimal(1), "ETH", "USD") is None


def test_mark_that_is_not_above_zero_prices_nothing():
    assert rates(eurusd="0").convert(Decimal(1), "EUR", "USD") is None


def test_new_pair_is_found_once_paths_are_forgotten():
    marks = {}
    found = Rates(INSTRUMENTS, marks)
    before = found.convert(Decimal(2), "EUR", "USD")

    marks["EUR/USD"] = Decimal("1.5")
    found.forget_paths()

    assert before is None
    assert Decimal("3.0") == found.convert(Decimal(2), "EUR", "USD")
