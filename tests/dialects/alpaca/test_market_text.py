import json
from decimal import Decimal

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.errors import DecodeError
from dragoman_alpaca.dialect.market_messages import Message
from dragoman_alpaca.dialect.market_text import Instant, JsonText, PackedText, time_text

TEXTS = (JsonText(), PackedText())
AUTH = {"action": "auth", "key": "captain", "secret": "key-of-tests"}


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (1_767_796_200_000_000_000, "2026-01-07T14:30:00Z"),
        (1_767_796_200_500_000_000, "2026-01-07T14:30:00.5Z"),
        (1_767_796_200_000_000_010, "2026-01-07T14:30:00.00000001Z"),
        (0, "1970-01-01T00:00:00Z"),
    ],
)
def test_times_are_written_as_the_venue_writes_them(ns, text):
    assert text == time_text(ns)


def test_json_numbers_are_the_exact_text_of_amounts():
    row = {"p": Decimal("190.10"), "s": Decimal("0.1"), "v": Decimal(10**24), "i": 2**62}

    assert b'{"p":190.10,"s":0.1,"v":1000000000000000000000000,"i":4611686018427387904}' == (
        JsonText().item(row)
    )


@given(ns=st.integers(min_value=-(10**18), max_value=2 * 10**20))
def test_packed_times_are_read_to_the_nanosecond_by_the_usual_library(ns):
    assert ns == msgpack.unpackb(PackedText().item({"t": Instant(ns)}))["t"].to_unix_nano()


@given(digits=st.integers(min_value=-(10**15) + 1, max_value=10**15 - 1), places=st.integers(0, 9))
def test_packed_amounts_of_fifteen_digits_read_back_equal(digits, places):
    amount = Decimal(digits).scaleb(-places)

    found = msgpack.unpackb(PackedText().item({"p": amount}))["p"]

    assert amount == Decimal(repr(found))


@given(count=st.sampled_from([0, 1, 15, 16, 255, 256, 65_535, 65_536]))
def test_a_frame_is_an_array_of_its_items(count):
    rows = [{"n": number % 7} for number in range(count)]
    for text, load in ((JsonText(), json.loads), (PackedText(), msgpack.unpackb)):
        assert rows == load(text.frame([text.item(row) for row in rows]))


def test_json_frames_are_texts_and_packed_ones_are_bytes():
    assert [str, bytes] == [type(text.frame([text.item({})])) for text in TEXTS]


def test_messages_are_read_in_the_encoding_they_come_in():
    expected = Message(**AUTH)

    assert expected == JsonText().reader(Message)(json.dumps(AUTH))
    assert expected == JsonText().reader(Message)(json.dumps(AUTH).encode())
    assert expected == PackedText().reader(Message)(msgpack.packb(AUTH))
    assert expected == PackedText().reader(Message)(json.dumps(AUTH))


@pytest.mark.parametrize(
    "message",
    ["", "{", "[]", "7", '{"key": "x"}', '{"action": 1}', '{"action": "a", "bars": "AAPL"}'],
)
def test_what_is_no_message_can_not_be_read(message):
    for text in TEXTS:
        with pytest.raises(DecodeError):
            text.reader(Message)(message)


@pytest.mark.parametrize(
    "message",
    [b"", b"\xc1", b"\x90", b"\x91" * 5_000, msgpack.packb({"action": ["auth"]})],
    ids=["empty", "no such byte", "an array", "too deep", "no action"],
)
def test_bytes_that_are_no_message_can_not_be_read(message):
    with pytest.raises(DecodeError):
        PackedText().reader(Message)(message)
