import inspect
import json
import sys
import threading
import time
import traceback
import tracemalloc
from decimal import Decimal
from enum import StrEnum
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.effort import effort

from dragoman.errors import ConfigurationError, DecodeError, Violation
from dragoman.transport.codec import Amount, JsonDecoder, Limits, decode, decode_any, encode


class Side(StrEnum):
    BUY = "BUY"
    SELL = "SELL"


class Order(msgspec.Struct, kw_only=True):
    symbol: str
    side: Side = Side.BUY
    price: Amount | None = None
    count: int = 0


class Page(msgspec.Struct):
    orders: list[Order]
    extra: Any = None


class Node(msgspec.Struct):
    inner: "Node | None" = None


DEEP = 1_000_000
NUMBERS = [
    *("NaN", "nan", "sNaN", "NaN123", "Infinity", "-Infinity", "inf"),
    *("1e400", "1e-400", "1e9999999", "-1e9999999", "1e65", "9" * 41, "9" * 5000, "0." + "1" * 65),
    *("1_000", "1,000", "1 000", "0x10", "\uff11\uff12", "\u0661\u0662", "\u00b2", "\u00bd"),
    *("", " ", "1 ", " 1", "1\n", "+", "-", ".", "1..2", "1.2.3", "--1", "1e", "e1", "1e1e1"),
    "canary",
]
EXACT = [
    *("0", "1", "1.50", "0.00100000", "123456789012345678901234567890.1234567890", "9" * 40),
    *("1e5", "1E-64", "-3.25", "0." + "0" * 62 + "10", "1.", ".5", "+7"),
]


def failure_of(decode_it, data):
    with pytest.raises(DecodeError) as caught:
        decode_it(data)
    return caught.value


@pytest.mark.parametrize("text", EXACT)
def test_an_amount_is_exact_with_its_scale(text):
    amount = decode(json.dumps({"symbol": "X", "price": text}), Order).price

    assert Decimal is type(amount)
    assert Decimal(text).as_tuple() == amount.as_tuple()


@pytest.mark.parametrize(
    "text", ["0", "1", "1.50", "0.1", "1e5", "1E-7", "-3.25", "9" * 40, "0.10"]
)
def test_i13_a_number_never_goes_through_a_float(text):
    amounts = [
        decode(f'{{"symbol":"X","price":{text}}}', Order).price,
        Decimal(decode_any(f"[{text}]")[0]),
    ]

    assert [Decimal(text).as_tuple()] * 2 == [amount.as_tuple() for amount in amounts]


@pytest.mark.parametrize("text", ['"-0"', '"-0.00"', "-0", "-0.00"])
def test_zero_has_no_sign(text):
    amount = decode(f'{{"symbol":"X","price":{text}}}', Order).price

    assert (0, False) == (amount, amount.is_signed())


def test_null_is_not_known():
    assert decode('{"symbol":"X","price":null}', Order).price is None


@pytest.mark.parametrize("text", NUMBERS)
def test_c3_what_is_no_plain_bounded_number_is_refused_by_its_place(text):
    error = failure_of(JsonDecoder(Order).decode, json.dumps({"symbol": "X", "price": text}))

    assert ("$.price",) == tuple(violation.field for violation in error.violations)
    assert not text.strip() or len(text) < 4 or text not in str(error)


@pytest.mark.parametrize(
    "text", ["1e400", "1e-400", "1e9999999", "9" * 41, "9" * 5000, "-" + "9" * 41]
)
@pytest.mark.parametrize(
    "document",
    ["{}", "[{}]", '{{"symbol":"X","price":{}}}', '{{"orders":[],"extra":{{"a":[{}]}}}}'],
)
def test_c3_a_giant_number_is_refused_wherever_it_is_read(text, document):
    shape = Order if "symbol" in document else Page if "orders" in document else object

    failure_of(JsonDecoder(shape).decode, document.format(text).encode())


@pytest.mark.parametrize("value", ["true", "[]", "{}", "[1]"])
def test_what_is_no_number_at_all_is_no_amount(value):
    error = failure_of(JsonDecoder(Order).decode, f'{{"symbol":"X","price":{value}}}')

    assert "$.price" == error.violations[0].field


@pytest.mark.parametrize(
    ("document", "violation"),
    [
        ('{"orders":[{"symbol":"X","side":"canary"}]}', "$.orders[...].side"),
        ('{"orders":[{"symbol":1}]}', "$.orders[...].symbol"),
        ('{"orders":[{}]}', "$.orders[...]"),
        ('{"orders":"canary"}', "$.orders"),
        ('["canary"]', "$"),
    ],
)
def test_what_does_not_fit_is_named_by_its_place_and_never_shown(document, violation):
    error = failure_of(JsonDecoder(Page).decode, document.encode())

    (found,) = error.violations
    assert violation == found.field.replace("[0]", "[...]")
    assert "canary" not in str(error)


def test_the_message_says_what_was_found_and_what_is_allowed():
    error = failure_of(JsonDecoder(Order).decode, b'{"symbol":5}')

    what = Violation("$.symbol", "Expected `str`, got `int`", "what the type says")
    assert (what,) == error.violations
    assert str(error).startswith("Order can't be decoded: $.symbol")


def test_a_missing_field_is_named():
    assert "missing required field `symbol`" in str(failure_of(JsonDecoder(Order).decode, b"{}"))


def test_s03_the_cause_is_neither_cause_nor_context():
    error = failure_of(JsonDecoder(Order).decode, b'{"symbol":"X","side":"canary"}')

    assert (None, None) == (error.__cause__, error.__context__)
    assert "canary" not in "".join(traceback.format_exception_only(error))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" ",
        b"\xff",
        b'{"symbol":"\xff\xfe"}',
        rb'"\ud800"',
        rb'["\udc00\ud800"]',
        '"\ud800"',
        b"\xef\xbb\xbf{}",
        b"{}{}",
        b'{"symbol":"X"} {"symbol":"Y"}',
        b"NaN",
        b"[Infinity]",
        b"{'symbol':'X'}",
        b'{"symbol":"X",}',
        b"<html>canary</html>",
        b'{"symbol":"X"',
        b"null",
    ],
)
def test_c5_what_is_no_such_document_is_refused(data):
    for shape in (Order, Page):
        failure_of(JsonDecoder(shape).decode, data)


@pytest.mark.parametrize("opening", ["[", '{"a":', '{"orders":[', '[{"inner":'])
@pytest.mark.parametrize("shape", [object, Order, Page, Node, list[Order]])
def test_c5_a_million_levels_are_refused_at_once(opening, shape):
    decoder = JsonDecoder(shape, Limits(max_items=DEEP * 2, max_bytes=DEEP * 20))
    data = (opening * DEEP).encode()

    started = time.thread_time()
    failure_of(decoder.decode, data)

    assert time.thread_time() - started < 0.05 * len(data) / 1e6 + 0.2


@pytest.mark.parametrize(
    "where", ['{{"symbol":"X","skipped":{}}}', '{{"orders":[],"extra":{}}}', "{}"]
)
@pytest.mark.parametrize("levels", [600, 9_000, DEEP])
def test_c5_too_many_levels_are_refused_in_skipped_and_in_open_places(where, levels):
    shape = Order if "symbol" in where else Page if "orders" in where else object
    nested = "[" * levels + "]" * levels

    data = where.format(nested).encode()
    tracemalloc.start()
    try:
        failure_of(JsonDecoder(shape).decode, data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 3 * len(data) + 2**21


@pytest.mark.parametrize("levels", [500, 1_500, 9_000])
def test_a_small_stack_is_not_overrun(levels):
    outcomes = []

    def read():
        for document in ("[" * levels, '{"symbol":"X","skipped":' + "[" * levels):
            for decoder in DECODERS:
                try:
                    decoder.decode(document)
                except DecodeError:
                    outcomes.append(document[0])

    before = threading.stack_size(256 * 1024)
    try:
        thread = threading.Thread(target=read)
        thread.start()
    finally:
        threading.stack_size(before)
    thread.join()

    assert 2 * len(DECODERS) == len(outcomes)


def test_a_caller_near_the_limit_on_recursion_is_told_in_our_terms():
    document = "[" * 400 + "]" * 400

    def dig(levels):
        return failure_of(decode_any, document) if levels == 0 else dig(levels - 1)

    error = dig(sys.getrecursionlimit() - len(inspect.stack(0)) - 100)

    assert "levels" in str(error)


def test_the_depth_of_what_may_be_anything_is_exact():
    decoder = JsonDecoder(object, Limits(max_depth=3))

    assert [[["x"]]] == decoder.decode(b'[[["x"]]]')
    assert "more than 3 levels" in str(failure_of(decoder.decode, b'[[{"a":["x"]}]]'))


def test_an_object_of_a_million_keys_is_refused_in_bounded_time_and_memory():
    data = b"{" + b",".join(b'"k%d":1' % number for number in range(DEEP)) + b"}"

    started = time.thread_time()
    error = failure_of(decode_any, data)
    elapsed = time.thread_time() - started
    tracemalloc.start()
    failure_of(decode_any, data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert "200000 items" in str(error)
    assert elapsed < 0.05 * len(data) / 1e6 + 0.5
    assert peak < 3 * len(data)


def test_every_length_is_limited():
    decoder = JsonDecoder(object, Limits(max_bytes=40, max_string=20, max_items=4))

    assert "41 long" in str(failure_of(decoder.decode, b" " * 41))
    assert "string longer than 20" in str(failure_of(decoder.decode, b'["' + b"a" * 21 + b'"]'))
    assert "more than 4 items" in str(failure_of(decoder.decode, "[1,2,3,4,5]"))
    assert [1, 2, 3, 4] == decoder.decode("[1,2,3,4]")
    assert ["é" * 10] == decoder.decode('["' + "é" * 10 + '"]')


def test_the_usual_limit_is_16_mebibytes():
    data = b" " * (16 * 2**20 - 2) + b"{}"

    assert {} == decode_any(data)
    failure_of(decode_any, b" " + data)


def test_of_repeated_keys_the_last_counts():
    assert "Y" == decode('{"symbol":"X","symbol":"Y"}', Order).symbol


def test_fields_that_are_not_named_are_skipped():
    assert "X" == decode('{"a":[1,{"b":null}],"symbol":"X","c":1e999}', Order).symbol


@pytest.mark.parametrize("kind", [Decimal, float, list[Decimal], dict[str, float | None]])
def test_a_type_that_would_read_numbers_carelessly_is_refused(kind):
    careless = msgspec.defstruct("Careless", [("price", kind)])

    with pytest.raises(ConfigurationError, match=r"Careless .* write Amount"):
        JsonDecoder(careless)
    with pytest.raises(ConfigurationError, match="write Amount"):
        JsonDecoder(list[careless])


@pytest.mark.parametrize("kind", [object, Random])
def test_a_type_with_a_class_that_json_does_not_know_is_refused(kind):
    with pytest.raises(ConfigurationError, match=r"write a msgspec\.Struct, or Any"):
        JsonDecoder(msgspec.defstruct("Careless", [("price", kind)]))


def test_a_type_that_holds_itself_can_be_read():
    assert Node(inner=Node(inner=None)) == decode('{"inner":{"inner":null}}', Node)


def test_a_decoder_is_made_once_per_type():
    assert decode("[]", list[Order]) == decode("[]", list[Order]) == []


def test_an_amount_is_a_decimal():
    assert isinstance(Decimal(1), Amount)
    assert not isinstance(1, Amount)


def test_bytes_and_text_are_read_alike():
    document = '{"symbol":"币安人生USDT","price":"1.5"}'

    assert decode(document, Order) == decode(document.encode(), Order)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"price": Decimal("1.50"), "n": None}, b'{"price":"1.50","n":null}'),
        (Order(symbol="é"), '{"symbol":"é","side":"BUY","price":null,"count":0}'.encode()),
        ([True, 1], b"[true,1]"),
    ],
)
def test_what_is_written_is_compact_and_exact(value, text):
    assert text == encode(value)


def test_what_json_can_not_tell_is_a_mistake():
    with pytest.raises(TypeError):
        encode(object())


pieces = st.sampled_from(
    [b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b'"symbol"', b'"X"', b'"price"', b"1e999",
     b"-0.0", b"NaN", b'"NaN"', b"null", b"\xff", rb"\ud800", b" ", b"9" * 50, b'"side":"BUY"']
)  # fmt: skip
SHAPES = [object, Order, Page, Node, list[Order], dict[str, Amount], tuple[Amount, str]]
DECODERS = [JsonDecoder(shape) for shape in SHAPES]


@settings(max_examples=effort(1000))
@given(st.one_of(st.binary(max_size=60), st.lists(pieces, max_size=25).map(b"".join)))
def test_c2_only_our_error_escapes_from_any_bytes(data):
    for decoder in DECODERS:
        try:
            decoder.decode(data)
        except DecodeError as error:
            assert error.__context__ is None  # noqa: PT017 - both outcomes are sound


@given(st.text(max_size=40))
def test_c2_only_our_error_escapes_from_any_text(text):
    for decoder in DECODERS:
        for document in (text, json.dumps(text), json.dumps({"symbol": "X", "price": text})):
            try:
                decoder.decode(document)
            except DecodeError as error:
                assert error.violations  # noqa: PT017 - both outcomes are sound


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=8, min_value=-(10**20), max_value=10**20
    )
)
def test_i13_amounts_survive_writing_and_reading(amount):
    assert [abs(amount)] == decode(encode([abs(amount)]), list[Amount])
    assert [amount] == decode(encode([amount]), list[Amount])


@pytest.mark.parametrize(
    "payload",
    [
        b'{"echo": "canary"',
        b'{"echo": "canary", "size": 1e999}',
        b'{"echo": "canary", "deep": ' + b"[" * 2_000 + b"]" * 2_000 + b"}",
    ],
    ids=["broken", "number", "depth"],
)
def test_s03_no_frame_of_a_failure_holds_what_was_read(payload):
    with pytest.raises(DecodeError) as caught:
        decode_any(payload)

    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    shown = [
        repr(value)
        for frame in frames
        if frame.f_code.co_filename.endswith("/codec.py")
        for value in frame.f_locals.values()
    ]
    assert frames
    assert [] == [text for text in shown if "canary" in text]
