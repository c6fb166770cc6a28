import threading
from decimal import Decimal
from random import Random

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dragoman.errors import DecodeError
from dragoman.transport import amounts
from dragoman.transport.codec import JsonDecoder, Numeral, amount_of, known_amounts


class Row(msgspec.Struct):
    price: Numeral = None


READER = JsonDecoder(Row)


@pytest.fixture(autouse=True)
def _nothing_known():
    known_amounts.clear()


def read(text):
    return amount_of(READER.decode(f'{{"price":{text}}}').price)


@pytest.mark.parametrize(
    "text", ["0", "1", "1.50", "0.1", "-3.25", "1e5", "1E-7", "9" * 40, '"1.50"', '"-7"', '"1e3"']
)
def test_a_numeral_is_exact_with_its_scale_however_it_is_written(text):
    assert Decimal(text.strip('"')).as_tuple() == read(text).as_tuple()


@pytest.mark.parametrize("text", ["-0", "-0.00", '"-0.0"', "0", "0.00"])
def test_a_zero_has_no_sign(text):
    assert (0, False) == (read(text), read(text).is_signed())


@pytest.mark.parametrize(
    "text",
    ["true", "false", "null", "[]", "{}", "[1]", '"NaN"', '"inf"', '""', '"1_0"', '" 1"', "9" * 41],
)
def test_what_is_no_number_is_refused_when_it_is_read(text):
    number = READER.decode(f'{{"price":{text}}}').price

    with pytest.raises(ValueError, match=r"."):
        amount_of(number)


@pytest.mark.parametrize("number", [10**40, -(10**40), 10**41])
def test_a_whole_number_of_too_many_digits_is_refused(number):
    assert Decimal(10**40 - 1) == amount_of(10**40 - 1)

    with pytest.raises(ValueError, match=r"."):
        amount_of(number)


@pytest.mark.parametrize(
    "text", ["1e400", "1e-400", "-1e9999999", "0." + "1" * 65, "1." + "1" * 40]
)
def test_a_number_beyond_the_limits_is_refused_where_it_is_decoded(text):
    with pytest.raises(DecodeError):
        READER.decode(f'{{"price":{text}}}')


@pytest.mark.parametrize("number", [True, False, None, [], {}, b"1", object])
def test_only_numbers_and_text_are_amounts(number):
    amount_of(1), amount_of(0)  # what `True` and `False` would be found under

    with pytest.raises(ValueError, match="no number"):
        amount_of(number)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf"), 1e300, 5e-324])
def test_a_binary_float_beyond_the_limits_is_refused(number):
    with pytest.raises(ValueError, match=r"."):
        amount_of(number)


@given(st.decimals(-(10**9), 10**9, places=6))
@example(Decimal("0.1"))
@example(Decimal("-0.000001"))
def test_a_binary_float_is_what_its_shortest_text_says(amount):
    assert amount == amount_of(float(amount))


@pytest.mark.parametrize(
    ("number", "text"), [(150.0, "150"), (1e22, "1" + "0" * 22), (0.5, "0.5"), (-0.0, "0")]
)
def test_a_whole_float_is_written_like_a_whole_number(number, text):
    assert text == format(amount_of(number), "f")


def test_the_same_number_is_the_same_however_it_came_first():
    first = [amount_of(number) for number in (2, 2.0, "2.00", 2.0, 2)]
    known_amounts.clear()
    second = [amount_of(number) for number in (2.0, 2, "2.00", 2, 2.0)]

    assert [str(one) for one in first] == ["2", "2", "2.00", "2", "2"]
    assert [str(one) for one in second] == ["2", "2", "2.00", "2", "2"]


def test_what_is_known_is_bounded_and_starts_anew(monkeypatch):
    monkeypatch.setattr(amounts, "_MOST_KNOWN", 10)

    found, held = [], []
    for number in range(95):
        found.append(amount_of(str(number)))
        held.append(len(known_amounts))

    assert [Decimal(number) for number in range(95)] == found
    assert (1, 10) == (min(held), max(held))


def test_what_is_refused_is_not_kept():
    for text in ("x" * 1000, "9" * 5000, "nan"):
        with pytest.raises(ValueError, match=r"."):
            amount_of(text)

    assert not known_amounts


def test_threads_that_read_at_once_read_the_same(monkeypatch):
    monkeypatch.setattr(amounts, "_MOST_KNOWN", 7)
    wrong: list[object] = []

    def work(seed):
        random = Random(seed)
        for _ in range(3000):
            cents = random.randint(0, 200)
            if amount_of(f"{cents}.5") != Decimal(cents) + Decimal("0.5"):
                wrong.append(cents)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not wrong


def test_a_numeral_leaves_a_type_closed():
    assert JsonDecoder(Row)._is_open is False
    assert JsonDecoder(list[Row] | None)._is_open is False
