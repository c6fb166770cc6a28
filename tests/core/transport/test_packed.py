import struct
import tracemalloc
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.msgpack import Ext

from dragoman.errors import ConfigurationError, DecodeError
from dragoman.times import EARLIEST_NS, LATEST_NS
from dragoman.transport.codec import Amount, Limits
from dragoman.transport.packed import (
    PackedDecoder,
    Stamp,
    decode_packed,
    encode_packed,
    read_stamp,
)
from dragoman.transport.packed_shape import breach


class Order(msgspec.Struct, kw_only=True):
    symbol: str
    price: Amount | None = None
    count: int = 0
    at: str | Ext | None = None


def failure_of(decode_it, data):
    with pytest.raises(DecodeError) as caught:
        decode_it(data)
    return caught.value


@given(st.decimals(-(10**6), 10**6, places=4))
def test_an_amount_goes_there_and_back(price):
    data = encode_packed({"symbol": "X", "price": price})

    assert price == decode_packed(data, Order).price


@pytest.mark.parametrize(
    ("written", "price"), [(1.1, "1.1"), (150.0, "150"), (3, "3"), ("1.50", "1.50"), (-0.0, "0")]
)
def test_a_float_is_read_by_its_shortest_text_and_others_exactly(written, price):
    data = msgspec.msgpack.encode({"symbol": "X", "price": written})

    assert Decimal(price).as_tuple() == decode_packed(data, Order).price.as_tuple()


@pytest.mark.parametrize("whole", [2**53 + 1, 2**63, -(2**63), 10**19])
@pytest.mark.parametrize("is_float_first", [True, False])
def test_a_large_whole_number_is_exact_whatever_float_equals_it(whole, is_float_first):
    rows = [{"symbol": "X", "price": float(whole)}, {"symbol": "X", "price": whole}]
    rows = rows if is_float_first else rows[::-1]

    read = [decode_packed(msgspec.msgpack.encode(row), Order).price for row in rows]

    assert Decimal(whole) == read[1 if is_float_first else 0]
    assert Decimal(repr(float(whole))) == read[0 if is_float_first else 1]


@pytest.mark.parametrize("written", [float("nan"), float("inf"), float("-inf")])
def test_where_anything_may_stand_a_number_is_finite(written):
    data = msgspec.msgpack.encode({"price": [written]})

    error = failure_of(PackedDecoder(object).decode, data)

    assert "a number that is not finite" == error.violations[0].found


@pytest.mark.parametrize("written", [float("nan"), float("inf"), 1e300, 5e-324, True, [], {}, b"1"])
def test_what_is_no_plain_bounded_number_is_refused(written):
    data = msgspec.msgpack.encode({"symbol": "X", "price": written})

    error = failure_of(PackedDecoder(Order).decode, data)

    assert "$.price" == error.violations[0].field


@pytest.mark.parametrize(
    ("instant_ns", "length"),
    [(0, 8), (2**34 * 10**9 - 1, 8), (2**34 * 10**9, 12), (-1, 12)],
    ids=["epoch", "last-of-8-bytes", "first-of-12-bytes", "before-the-epoch"],
)
def test_an_instant_that_8_bytes_do_not_hold_is_written_with_12(instant_ns, length):
    written = msgspec.msgpack.decode(
        encode_packed([Stamp(instant_ns), Stamp(instant_ns)]), type=list[Ext]
    )

    assert [length] * 2 == [len(one.data) for one in written]
    assert [instant_ns] * 2 == [read_stamp(one) for one in written]


@given(st.integers(EARLIEST_NS, LATEST_NS))
def test_an_instant_goes_there_and_back_to_the_nanosecond(instant_ns):
    data = encode_packed({"symbol": "X", "at": Stamp(instant_ns)})

    assert instant_ns == read_stamp(decode_packed(data, Order).at)


@pytest.mark.parametrize(
    ("data", "instant_ns"),
    [
        (struct.pack(">I", 1_700_000_000), 1_700_000_000_000_000_000),
        (struct.pack(">Q", 123_456_789 << 34 | 1_700_000_000), 1_700_000_000_123_456_789),
        (struct.pack(">Iq", 5, -1), -999_999_995),
    ],
    ids=["32", "64", "96"],
)
def test_each_length_of_a_timestamp_is_read(data, instant_ns):
    assert instant_ns == read_stamp(Ext(-1, data))


@pytest.mark.parametrize(
    "extension",
    [
        Ext(1, b"1234"),
        Ext(-1, b""),
        Ext(-1, b"123"),
        Ext(-1, struct.pack(">Q", 1_000_000_000 << 34)),
        Ext(-1, struct.pack(">Iq", 1_000_000_000, 0)),
        Ext(-1, struct.pack(">Iq", 0, 2**62)),
    ],
    ids=["other code", "empty", "short", "full second", "full second of 96", "far away"],
)
def test_an_extension_that_is_no_instant_is_refused(extension):
    with pytest.raises(ValueError, match="timestamp"):
        read_stamp(extension)


def test_a_timestamp_is_the_same_bytes_that_other_libraries_write():
    msgpack = pytest.importorskip("msgpack")

    theirs = msgpack.packb(msgpack.Timestamp(1_700_000_000, 123_456_789))

    assert theirs == encode_packed(Stamp(1_700_000_000_123_456_789))
    assert {"p": 1.5, "n": 2, "t": msgpack.Timestamp(-5, 1)} == msgpack.unpackb(
        encode_packed({"p": Decimal("1.5"), "n": Decimal("2.00"), "t": Stamp(-4_999_999_999)})
    )


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "1e400", "9" * 41])
def test_an_amount_that_is_none_is_not_written(amount):
    with pytest.raises(ValueError, match="amount"):
        encode_packed([Decimal(amount)])


@pytest.mark.parametrize(
    ("whole", "kind"),
    [(2**64 - 1, int), (2**64, float), (-(2**63), int), (-(2**63) - 1, float)],
)
def test_a_whole_amount_is_written_as_such_as_far_as_the_format_has_it(whole, kind):
    written = msgspec.msgpack.decode(encode_packed(Decimal(whole)))

    assert (kind, kind(whole)) == (type(written), written)


def test_what_the_format_has_no_word_for_is_not_written():
    with pytest.raises(TypeError):
        encode_packed({"x": object()})


@pytest.mark.parametrize("shape", [Decimal, float, list[float], dict[str, Decimal]])
def test_a_type_that_would_be_read_carelessly_is_refused(shape):
    with pytest.raises(ConfigurationError):
        PackedDecoder(shape)


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x81", b"\x81\xa1", b"\xda\xff\xffx", b"[1]"])
def test_what_is_no_document_is_refused(data):
    failure_of(PackedDecoder(Order).decode, data)


def test_the_error_names_the_place_and_never_the_data():
    data = encode_packed({"symbol": 5, "price": "canary"})

    error = failure_of(PackedDecoder(Order).decode, data)

    assert "$.symbol" == error.violations[0].field
    assert "canary" not in f"{error!r} {error.__cause__!r} {error.__context__!r}"


@pytest.mark.parametrize(
    "bomb",
    [
        b"\x91" * 100_000,
        b"\x81\xa1x" * 30_000,
        b"\x82\xa6symbol\xa1X\xa1y" + b"\x91" * 50_000,
        b"\xdd\x7f\xff\xff\xff" + b"\x90" * 1000,
        b"\xdf\x7f\xff\xff\xff\xa1x\x01",
        b"\xdb\x7f\xff\xff\xffabc",
        b"\xdd\x00\x04\x00\x00" + b"\x90" * 0x40000,
    ],
    ids=["arrays", "maps", "skipped", "long array", "long map", "long text", "many empty"],
)
@pytest.mark.parametrize("shape", [Order, object, list[Any]], ids=["typed", "open", "list"])
def test_a_bomb_is_refused_before_it_costs_memory(bomb, shape):
    decoder = PackedDecoder(shape)
    tracemalloc.start()
    try:
        failure_of(decoder.decode, bomb)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert most < 4_000_000


def test_a_document_longer_than_allowed_is_refused():
    decoder = PackedDecoder(object, Limits(max_bytes=100))

    assert "x" * 90 == decoder.decode(encode_packed("x" * 90))
    assert "long" in str(failure_of(decoder.decode, encode_packed("x" * 100)))


def test_where_anything_may_stand_depth_and_digits_are_bounded():
    decoder = PackedDecoder(object, Limits(max_depth=3))

    assert [[[1]]] == decoder.decode(encode_packed([[[1]]]))
    failure_of(decoder.decode, encode_packed([[[[[1]]]]]))


LIMITS = Limits(max_depth=5, max_string=50, max_items=20).shape


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=40) | st.dictionaries(st.text(), inner, max_size=40),
        max_leaves=60,
    )
)
def test_a_walk_finds_a_breach_exactly_where_there_is_one(value):
    def depth(part):
        inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        return 1 + max(map(depth, inner), default=0) if isinstance(part, (dict, list)) else 0

    def longest(part):
        if isinstance(part, str):
            return len(part.encode()), 0
        if not isinstance(part, (dict, list)):
            return 0, 0
        inner = [*part, *part.values()] if isinstance(part, dict) else part
        found = [longest(one) for one in inner]
        return max([text for text, _ in found], default=0), max([len(part), *[n for _, n in found]])

    data = msgspec.msgpack.encode(value)
    text, items = longest(value)
    is_suspect = len(data) > 20
    is_breach = depth(value) > 5 or text > 50 or items > 20

    assert (is_suspect and is_breach) == (breach(data, LIMITS) is not None)


@pytest.mark.parametrize(("levels", "found"), [(5, None), (6, "more than 5 levels")])
def test_a_walk_counts_the_levels_to_the_last(levels, found):
    assert found == breach(b"\x91" * levels + b"\xa3" + b"xyz" + bytes(20), LIMITS)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"\xdc\x00\x15" + bytes(21), "an array or object of more than 20 items"),
        (b"\xdc\x00\x14" + bytes(20), None),
        (b"\xde\x00\x15" + bytes(42), "an array or object of more than 20 items"),
        (b"\xd9\x33" + b"x" * 51, "a string longer than 50 bytes"),
        (b"\xd9\x32" + b"x" * 50, None),
    ],
    ids=["items", "items-allowed", "pairs", "text", "text-allowed"],
)
def test_a_document_is_walked_through_as_soon_as_it_may_break_any_limit(data, found):
    assert found == breach(data, LIMITS)


def test_a_walk_passes_over_extensions_as_they_are_long():
    too_long = b"\xdc\x00\x15" + bytes(21)
    for head, size in ((0xD4, 1), (0xD5, 2), (0xD6, 4), (0xD7, 8), (0xD8, 16)):
        extension = bytes([head, 5]) + b"\xc1" * size
        assert None is breach(b"\x92" + extension + b"\xa0" + bytes(20), LIMITS)
        assert breach(b"\x92" + extension + too_long, LIMITS)


@given(st.binary(max_size=200))
def test_a_walk_over_any_bytes_ends(data):
    breach(data, LIMITS)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data):
    for shape in (Order, object, list[Order]):
        try:
            decode_packed(data, shape)
        except DecodeError:
            continue
