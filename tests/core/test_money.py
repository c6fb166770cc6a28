"""Amounts are exact, whatever the process does to Python's decimal context."""

import decimal
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, ROUND_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.corpora import sound_numbers, unsound_numbers
from tests.strategies import amounts

from dragoman import money
from dragoman.errors import InvalidValueError, Outcome
from dragoman.money import Rounding

STEPS = st.builds(
    lambda digits, scale: Decimal((0, (digits,), -scale)), st.integers(1, 9), st.integers(0, 12)
)
PYTHON_MODES = {
    Rounding.DOWN: ROUND_DOWN,
    Rounding.UP: ROUND_UP,
    Rounding.FLOOR: ROUND_FLOOR,
    Rounding.CEILING: ROUND_CEILING,
    Rounding.NEAREST: ROUND_HALF_EVEN,
}


@pytest.fixture
def hostile_context():
    """A process whose decimal context rounds everything to one digit, and traps that it did."""
    context = decimal.Context(prec=1, Emax=2, Emin=-2, rounding=ROUND_UP)
    context.traps = dict.fromkeys(context.traps, True)
    with decimal.localcontext(context):
        yield


def is_refused(text, parse=money.parse_decimal):
    try:
        parse(text)
    except InvalidValueError:
        return True
    return False


def test_unsound_numbers_are_refused():
    corpus = unsound_numbers()

    accepted = [text for text in corpus if not is_refused(text)]

    assert [] == accepted
    assert 400 < len(corpus)


def test_unsound_numbers_are_refused_in_our_own_files_too():
    longer = {text for text in unsound_numbers() if text.strip("-+0123456789.eE") == ""}

    accepted = [
        text
        for text in unsound_numbers()
        if text not in longer and not is_refused(text, money.parse_computed)
    ]

    assert [] == accepted


def test_sound_numbers_are_read_exactly_with_their_scale():
    corpus = sound_numbers()

    wrong = [
        text
        for text in corpus
        if Fraction(text) != Fraction(money.parse_decimal(text))
        or Decimal(text).as_tuple() != money.parse_decimal(text).as_tuple()
    ]

    assert [] == wrong
    assert 700 < len(corpus)


@given(st.text())
def test_any_text_is_read_exactly_or_refused(text):
    if not is_refused(text):
        assert Fraction(text) == Fraction(money.parse_decimal(text))


def test_a_refusal_names_field_found_and_allowed():
    with pytest.raises(InvalidValueError) as caught:
        money.parse_decimal("1,000", "limit_price")

    assert (
        "not a decimal number: limit_price: found '1,000'; "
        "allowed: a finite decimal of at most 40 digits, such as '1.50'"
    ) == str(caught.value)
    assert Outcome.NOT_SENT is caught.value.outcome


def test_a_refusal_of_computed_text_names_field_found_and_allowed():
    with pytest.raises(InvalidValueError, match=r"cash: found 'x'; allowed: .* 200 digits"):
        money.parse_computed("x", "cash")


@pytest.mark.parametrize("digits", [200, 201])
def test_computed_amounts_may_have_up_to_200_digits(digits):
    text = "9" * digits

    assert (digits > 200) == is_refused(text, money.parse_computed)


@given(amounts(), amounts())
def test_sums_and_products_are_exact(one, other):
    assert Fraction(one) + Fraction(other) == Fraction(money.add(one, other))
    assert Fraction(one) - Fraction(other) == Fraction(money.subtract(one, other))
    assert Fraction(one) * Fraction(other) == Fraction(money.multiply(one, other))
    assert -Fraction(one) == Fraction(money.negate(one))


@given(st.lists(amounts(), max_size=20))
def test_a_total_is_exact(values):
    assert sum(map(Fraction, values)) == Fraction(money.total(values))


@pytest.mark.usefixtures("hostile_context")
def test_the_global_context_has_no_effect():
    one, tiny = Decimal("123456789.123456789"), Decimal("0.000000001")

    assert "123456789.123456790" == str(money.add(one, tiny))
    assert "123456789.123456788" == str(money.subtract(one, tiny))
    assert "-123456789.123456789" == str(money.negate(one))
    assert "0.123456789123456789" == str(money.multiply(one, tiny))
    assert "41152263.041152263" == str(money.divide(one, Decimal(3)))
    assert "41152263.041152263" == str(money.average(one, Decimal(3)))
    assert "123456789.123456789" == str(money.total([one]))
    assert "123456789.12" == str(money.round_to_step(one, Decimal("0.01"), Rounding.DOWN))
    assert money.is_multiple(one, tiny)
    assert "123456789.123456789" == str(money.parse_decimal("123456789.123456789"))
    assert "123456789.123456789" == money.format_decimal(one)
    assert money.is_sane(one)


@pytest.mark.parametrize(("sign", "text"), [(1, "1.50"), (-1, "-1.50")])
def test_a_sign_turns_a_value_exactly(sign, text):
    assert text == str(money.signed(Decimal("1.50"), sign))


def test_what_can_not_be_exact_raises():
    with pytest.raises(decimal.Inexact):
        money.add(Decimal("1E+900"), Decimal("1E-900"))


def test_division_rounds_to_28_digits_half_even():
    assert "0.6666666666666666666666666667" == str(money.divide(Decimal(2), Decimal(3)))
    assert "1.000000000000000000000000002" == str(
        money.divide(Decimal("2.000000000000000000000000003"), Decimal(2))
    )


@pytest.mark.parametrize(
    ("amount", "quantity", "text"),
    [
        ("100", "1", "100"),
        ("1000", "10", "100"),
        ("3.30", "3", "1.1"),
        ("1", "8", "0.125"),
        ("0", "5", "0"),
    ],
)
def test_an_average_has_no_trailing_zeros_and_no_exponent(amount, quantity, text):
    assert text == str(money.average(Decimal(amount), Decimal(quantity)))


def test_dividing_by_zero_raises():
    with pytest.raises(decimal.DivisionByZero):
        money.average(Decimal(1), Decimal(0))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1.50", "1.50"),
        ("-1.50", "-1.50"),
        ("1E+5", "100000"),
        ("1E-7", "0.0000001"),
        ("-0", "0"),
        ("-0.00", "0.00"),
        ("0E+3", "0"),
        ("0E-9", "0.000000000"),
    ],
)
def test_text_is_plain_with_scale_and_no_negative_zero(value, text):
    assert text == money.format_decimal(Decimal(value))


@given(amounts())
def test_text_reads_back_with_its_scale(value):
    again = money.parse_decimal(money.format_decimal(value))

    assert value.as_tuple() == again.as_tuple()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1E+39", True),
        ("1E+40", False),
        ("9" * 40, True),
        ("9" * 41, False),
        ("1E-64", True),
        ("1E-65", False),
        ("NaN", False),
        ("sNaN", False),
        ("Infinity", False),
        ("-Infinity", False),
    ],
)
def test_sane_is_finite_and_within_40_digits_and_64_decimals(value, expected):
    assert expected is money.is_sane(Decimal(value))


@pytest.mark.parametrize(
    ("value", "expected"),
    [("1E+199", True), ("1E+200", False), ("1E-200", True), ("1E-201", False), ("NaN", False)],
)
def test_bounded_is_finite_and_within_200_digits(value, expected):
    assert expected is money.is_bounded(Decimal(value))


@pytest.mark.parametrize(
    ("value", "down", "up", "floor", "ceiling", "nearest"),
    [
        ("1.20", "1", "2", "1", "2", "1"),
        ("1.50", "1", "2", "1", "2", "2"),
        ("2.50", "2", "3", "2", "3", "2"),
        ("2.51", "2", "3", "2", "3", "3"),
        ("-1.20", "-1", "-2", "-2", "-1", "-1"),
        ("-1.50", "-1", "-2", "-2", "-1", "-2"),
        ("-2.50", "-2", "-3", "-3", "-2", "-2"),
        ("-0.20", "0", "-1", "-1", "0", "0"),
        ("3", "3", "3", "3", "3", "3"),
    ],
)
def test_rounding_goes_the_way_it_names(value, down, up, floor, ceiling, nearest):
    rounded = [money.round_to_step(Decimal(value), Decimal(1), way) for way in Rounding]

    assert [down, up, floor, ceiling, nearest] == [str(each) for each in rounded]


@given(amounts(digits=20, scale=20), STEPS, st.sampled_from(Rounding))
def test_rounding_agrees_with_fractions(value, step, rounding):
    rounded = money.round_to_step(value, step, rounding)

    quotient = Fraction(value) / Fraction(step)
    with decimal.localcontext(prec=200):
        cut = Decimal(quotient.numerator) / Decimal(quotient.denominator)
        expected = int(cut.to_integral_value(PYTHON_MODES[rounding]))
    assert Fraction(step) * expected == Fraction(rounded)
    assert step.as_tuple().exponent == rounded.as_tuple().exponent


@given(amounts(digits=20, scale=20), STEPS, st.sampled_from(Rounding))
def test_a_rounded_value_is_a_multiple_and_stays(value, step, rounding):
    rounded = money.round_to_step(value, step, rounding)

    assert money.is_multiple(rounded, step)
    assert rounded == money.round_to_step(rounded, step, rounding)


@pytest.mark.parametrize(
    ("value", "step", "expected"),
    [("1.05", "0.05", True), ("1.06", "0.05", False), ("-1.05", "0.05", True), ("0", "0.01", True)],
)
def test_a_multiple_is_exact(value, step, expected):
    assert expected is money.is_multiple(Decimal(value), Decimal(step))
