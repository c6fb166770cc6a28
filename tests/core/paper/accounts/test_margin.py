from decimal import Decimal

import pytest

from dragoman.models import AssetClass, Instrument, InstrumentKind, MarginMode, Side
from dragoman.paper.accounts.margin import Figures, Line, MarginRules, MarginSheet, figures
from dragoman.paper.accounts.position import Bucket, Execution
from dragoman.paper.accounts.rates import Rates
from dragoman.paper.accounts.terms import Terms
from dragoman.paper.settings import Fee


def terms(kind=InstrumentKind.SPOT, rate=None, **fields):
    instrument = Instrument(
        symbol=fields.pop("symbol", "X"),
        asset_class=AssetClass.EQUITY,
        kind=kind,
        quote="USD",
        settlement=fields.pop("settlement", "USD"),
        provider="mock",
        received_at_ns=0,
        margin_rate=None if rate is None else Decimal(rate),
        **fields,
    )
    return Terms(instrument, Fee())


@pytest.mark.parametrize(
    ("mode", "rate", "leverage", "expected"),
    [
        pytest.param(MarginMode.CROSS, "0.5", None, "0.5", id="instrument's own"),
        pytest.param(MarginMode.CROSS, None, None, "1", id="none known"),
        pytest.param(MarginMode.CROSS, None, "4", "0.25", id="leverage alone"),
        pytest.param(MarginMode.CROSS, "0.02", "4", "0.25", id="leverage binds"),
        pytest.param(MarginMode.CROSS, "0.5", "4", "0.5", id="instrument binds"),
        pytest.param(MarginMode.CASH, "0.5", "4", "1", id="cash"),
    ],
)
def test_rate_is_the_stricter_of_instrument_and_leverage(mode, rate, leverage, expected):
    rules = MarginRules(mode, None if leverage is None else Decimal(leverage))

    assert Decimal(expected) == rules.rate(terms(rate=rate))


def test_leverage_of_a_symbol_goes_before_that_of_the_account():
    rules = MarginRules(MarginMode.CROSS, Decimal(2))
    before = rules.rate(terms(rate="0.01"))

    rules.set_leverage("X", Decimal(20))

    assert (Decimal("0.5"), Decimal("0.05")) == (before, rules.rate(terms(rate="0.01")))
    assert Decimal("0.5") == rules.rate(terms(rate="0.01", symbol="Y"))
    rules.set_leverage("X", None)
    assert Decimal("0.5") == rules.rate(terms(rate="0.01"))


def test_long_option_needs_its_premium_and_short_its_strike_too():
    option = terms(InstrumentKind.OPTION, rate="0.2", multiplier=Decimal(100), strike=Decimal(190))
    rules = MarginRules(MarginMode.CROSS, None)

    long = rules.margin(option, Decimal(2), Decimal(700))
    short = rules.margin(option, Decimal(-2), Decimal(-700))

    assert (Decimal(700), Decimal(8300)) == (long, short)


def test_figures_are_taken_at_the_mark():
    held = Bucket("X", terms(rate="0.5"))
    execution = Execution("f", "c", "X", Side.SELL, Decimal(10), Decimal(100), None, None, None, 1)
    held.execute(execution)
    rules = MarginRules(MarginMode.CROSS, None)

    assert Figures(Decimal(-1100), Decimal(-100), Decimal(550)) == figures(
        held, Decimal(110), rules
    )
    assert Figures(Decimal(-1000), Decimal(0), Decimal(500)) == figures(held, None, rules)
    assert Figures() == figures(Bucket("Y", terms()), Decimal(110), rules)


def line(*amounts):
    return Line(*map(Decimal, amounts))


def test_pool_is_the_exact_sum_of_its_lines():
    sheet = MarginSheet("USD", Rates({}, {}))
    sheet.pool("USD").cash = Decimal(1000)
    sheet.put(terms(), line(100, 10, 50, 5))
    sheet.put(terms(symbol="Y"), line("200.000000000000000000000001", 20, 60, 6))
    sheet.put(terms(), line(110, 20, 55, 0))

    totals = sheet.totals()

    assert Decimal("1310.000000000000000000000001") == totals.equity
    assert (Decimal(40), Decimal(115), Decimal(6)) == (
        totals.unrealized,
        totals.margin,
        totals.reserved,
    )
    assert Decimal("1189.000000000000000000000001") == totals.free


def test_totals_convert_every_currency():
    eurusd = terms(symbol="EUR/USD", base="EUR").instrument
    marks = {"EUR/USD": Decimal("1.25")}
    sheet = MarginSheet("USD", Rates({"EUR/USD": eurusd}, marks))
    sheet.pool("USD").cash = Decimal(1000)
    sheet.pool("EUR").cash = Decimal(-100)
    sheet.put(terms(settlement="EUR"), line(200, 40, 80, 8))

    totals = sheet.totals()

    assert (Decimal(875), Decimal(1125)) == (totals.cash, totals.equity)
    assert (Decimal(50), Decimal(100), Decimal(10)) == (
        totals.unrealized,
        totals.margin,
        totals.reserved,
    )


def test_totals_without_a_rate_are_not_known():
    sheet = MarginSheet("USD", Rates({}, {}))
    sheet.pool("USD").cash = Decimal(1000)
    sheet.put(terms(settlement="EUR"), line(200, 0, 80, 0))

    totals = sheet.totals()

    assert (Decimal(1000), None, None, None) == (
        totals.cash,
        totals.equity,
        totals.margin,
        totals.free,
    )
    assert Decimal(0) == totals.unrealized
