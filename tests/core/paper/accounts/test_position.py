from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.models import AssetClass, Instrument, InstrumentKind, Side
from dragoman.paper.accounts.position import Accrual, Bucket, Execution, Settlement, Split
from dragoman.paper.accounts.terms import Terms
from dragoman.paper.settings import Fee


def instrument(kind=InstrumentKind.SPOT, asset_class=AssetClass.EQUITY, **fields):
    return Instrument(
        symbol="X",
        asset_class=asset_class,
        kind=kind,
        quote="USD",
        settlement=fields.pop("settlement", "USD"),
        provider="mock",
        received_at_ns=0,
        **fields,
    )


STOCK = instrument()
FUTURE = instrument(InstrumentKind.FUTURE, AssetClass.INDEX, multiplier=Decimal(5))
INVERSE = instrument(
    InstrumentKind.PERPETUAL,
    AssetClass.CRYPTO,
    multiplier=Decimal(100),
    is_inverse=True,
    settlement="BTC",
)


def bucket(of=STOCK):
    return Bucket("X", Terms(of, Fee()))


def fill(signed, price, number=1):
    signed = Decimal(signed)
    side = Side.BUY if signed > 0 else Side.SELL
    name = f"f{number}"
    return Execution(name, "c", "X", side, abs(signed), Decimal(price), None, None, None, number)


def after(*fills, of=STOCK):
    result = bucket(of)
    for number, (signed, price) in enumerate(fills, start=1):
        result.execute(fill(signed, price, number))
    return result


def rounded(value):
    context = Context(prec=28, rounding=ROUND_HALF_EVEN)
    return context.divide(Decimal(value.numerator), Decimal(value.denominator))


sides = st.sampled_from([1, -1])
quantities = st.decimals("0.0001", 1000, places=4)
prices = st.decimals("0.01", 100_000, places=2)
fills = st.lists(
    st.tuples(st.builds(lambda sign, size: sign * size, sides, quantities), prices),
    min_size=1,
    max_size=30,
)


class Oracle:
    """Average cost in exact fractions, written another way: one unit price, no cost."""

    def __init__(self, multiplier, *, is_inverse):
        self.quantity = self.price = self.realized = Fraction(0)
        self._multiplier = Fraction(multiplier)
        self._is_inverse = is_inverse

    def execute(self, signed, price):
        signed, price = Fraction(signed), Fraction(price)
        if self._is_inverse:
            price = 1 / price
        if self.quantity * signed < 0:
            closed = min(abs(signed), abs(self.quantity)) * (1 if self.quantity > 0 else -1)
            gained = closed * self._multiplier * (price - self.price)
            self.realized += -gained if self._is_inverse else gained
            opened = signed + closed
            self.quantity -= closed
        else:
            opened = signed
        if opened:
            cost = self.quantity * self.price + opened * price
            self.quantity += opened
            self.price = cost / self.quantity
        if not self.quantity:
            self.price = Fraction(0)

    @property
    def average(self):
        return None if not self.quantity else 1 / self.price if self._is_inverse else self.price


def test_average_is_weighted_by_quantity():
    found = after((10, 100), (30, 120))

    assert (Decimal(40), Decimal(115), Decimal(4600)) == (found.quantity, found.average, found.cost)


def test_partial_close_realizes_and_leaves_the_average():
    found = after((1, 100), (2, 101), ("-0.7", 110))

    assert Decimal("100.6666666666666666666666667") == found.average
    assert Decimal("2.3") == found.quantity
    assert Decimal("231.533333333333333333") == found.cost
    assert Decimal("6.533333333333333333") == found.realized


def test_fill_through_zero_closes_then_opens_at_its_price():
    found = after((10, 100), (-25, 90))

    assert Decimal(-15) == found.quantity
    assert Decimal(90) == found.average
    assert Decimal(-1350) == found.cost
    assert Decimal(-100) == found.realized
    assert 2 == found.opened_at_ns


def test_short_gains_when_it_is_covered_lower():
    found = after((-10, 100), (4, 90))

    assert Decimal(40) == found.realized
    assert Decimal(-6) == found.quantity
    assert Decimal(100) == found.average


def test_flat_bucket_has_no_average_and_no_cost():
    found = after((3, "33.33"), (-1, 40), (-1, 41), (-1, 42))

    assert (None, Decimal(0), Decimal(0)) == (found.average, found.cost, found.quantity)
    assert Decimal("23.01") == found.realized


def test_multiplier_scales_profit_and_not_the_average():
    found = after((2, 5000), (-1, 5010), of=FUTURE)

    assert (Decimal(50), Decimal(5000)) == (found.realized, found.average)
    assert Decimal(50) == found.traded_cash


def test_funded_fill_moves_its_whole_value():
    found = after((2, 50), (-1, 60))

    assert Decimal(-40) == found.traded_cash


def test_inverse_profit_is_in_the_base():
    found = after((6, 50_000), (-6, 60_000), of=INVERSE)

    assert Decimal("0.002") == found.realized
    assert Decimal("0.002") == found.traded_cash


def test_inverse_average_of_one_price_is_that_price():
    found = after((6, "60007"), (1, "60007"), (-3, 61_000), of=INVERSE)

    assert Decimal(60007) == found.average


def test_inverse_average_is_harmonic():
    found = after((1, 30_000), (1, 60_000), of=INVERSE)

    assert Decimal(40_000) == found.average


def test_price_below_zero_is_accounted_like_any_other():
    found = after((10, "-5"), (-10, "-7"), of=FUTURE)

    assert Decimal(-100) == found.realized


@pytest.mark.parametrize("of", [STOCK, FUTURE, INVERSE], ids=["stock", "future", "inverse"])
@given(moves=fills)
def test_bucket_agrees_with_exact_fractions(of, moves):
    oracle = Oracle(of.multiplier, is_inverse=of.is_inverse)
    for signed, price in moves:
        oracle.execute(signed, price)

    found = after(*moves, of=of)

    assert oracle.quantity == Fraction(found.quantity)
    assert abs(oracle.realized - Fraction(found.realized)) < Fraction(1, 10**15)
    expected = oracle.average
    assert (None if expected is None else rounded(expected)) == found.average


@pytest.mark.parametrize("of", [STOCK, FUTURE], ids=["stock", "future"])
@given(moves=fills)
def test_no_digit_of_cost_is_lost(of, moves):
    found = after(*moves, of=of)

    spent = sum(Fraction(signed) * Fraction(price) for signed, price in moves)
    spent *= Fraction(of.multiplier)
    assert spent == Fraction(found.cost) - Fraction(found.realized)
    cash = -spent if of is STOCK else Fraction(found.realized)
    assert cash == Fraction(found.traded_cash)


@given(moves=fills)
def test_amounts_stay_within_what_an_amount_may_hold(moves):
    for of in (STOCK, INVERSE):
        found = after(*moves, of=of)

        for amount in (found.cost, found.realized, found.traded_cash):
            assert -18 <= amount.as_tuple().exponent
            assert 28 >= len(amount.as_tuple().digits)


@given(moves=fills, data=st.data())
def test_without_a_fill_is_as_if_it_never_was(moves, data):
    index = data.draw(st.integers(0, len(moves) - 1))
    found = after(*moves)

    other, execution = found.without(f"f{index + 1}")

    expected = after(*moves[:index], *moves[index + 1 :])
    assert moves[index][1] == execution.price
    for name in ("quantity", "cost", "basis", "average", "realized", "traded_cash"):
        assert getattr(expected, name) == getattr(other, name)


def test_without_an_unknown_fill_is_nothing():
    assert after((1, 2)).without("f9") is None


def test_split_keeps_cost_and_divides_the_average():
    found = after((10, 90))

    found.split(Split(Decimal(3), 7))

    assert (Decimal(30), Decimal(900), Decimal(30)) == (found.quantity, found.cost, found.average)
    assert Decimal(20) == found.ledger_quantity
    assert 7 == found.updated_at_ns


def test_settlement_of_a_future_books_its_profit():
    found = after((2, 5000), of=FUTURE)

    found.settle(Settlement(Decimal(4990), 7))

    assert (Decimal(0), Decimal(-2)) == (found.quantity, found.ledger_quantity)
    assert (Decimal(-100), Decimal(-100)) == (found.realized, found.ledger_cash)


def test_settlement_of_a_funded_contract_books_its_value():
    found = after((2, 50))

    found.settle(Settlement(Decimal(60), 7))

    assert (Decimal(20), Decimal(120)) == (found.realized, found.ledger_cash)


def test_accrual_follows_the_sign_of_the_position():
    long, short = after((10, 100)), after((-10, 100))

    long.accrue(Accrual(Decimal("-0.01"), Decimal(200), 1))
    short.accrue(Accrual(Decimal("0.5"), None, 1))

    assert (Decimal(-20), Decimal(-5)) == (long.ledger_cash, short.ledger_cash)


@pytest.mark.parametrize("operation", [Split(Decimal(2), 5), Settlement(Decimal(1), 5)])
def test_flat_bucket_is_moved_by_nothing(operation):
    found = bucket()

    found.take(operation)

    assert (Decimal(0), Decimal(0)) == (found.quantity, found.ledger_quantity)
    assert found.updated_at_ns is None
