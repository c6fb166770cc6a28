"""Rows that nearly fit: what they plainly say is read, and nothing else is made of them."""

import json
from decimal import Decimal

import msgspec
import pytest

from dragoman.errors import DecodeError
from dragoman.transport.codec import Amount, JsonDecoder, Limits
from dragoman.transport.packed import Stamp, encode_packed
from dragoman_alpaca.wire.frames import DataMessage, TradeMessage, TradingFrame
from dragoman_alpaca.wire.mending import PatientDecoder

AT_NS = 1_767_625_200_123_456_000


class Part(msgspec.Struct):
    name: str | None = None


class Thing(msgspec.Struct):
    id: str
    text: str | None = None
    code: int | str | None = None
    amount: Amount | None = None
    flag: bool | None = None
    part: Part | None = None
    parts: list[Part] | None = None
    words: list[str] | None = None
    named: dict[str, Part | None] | None = None


def read(**fields):
    return PatientDecoder(Thing).decode(json.dumps({"id": "a", **fields}))


MENDED = {
    "a whole number for a text": ({"text": 17}, Thing("a", text="17")),
    "a number for a text": ({"text": 1.50}, Thing("a", text="1.5")),
    "a truth for a text": ({"text": True}, Thing("a", text="true")),
    "no amount": ({"amount": ""}, Thing("a")),
    "an amount with a space": ({"amount": "1.5 "}, Thing("a", amount=Decimal("1.5"))),
    "no truth": ({"flag": ""}, Thing("a")),
    "a truth as a text": ({"flag": "True"}, Thing("a", flag=True)),
    "a truth as a number": ({"flag": 0}, Thing("a", flag=False)),
    "no part": ({"part": ""}, Thing("a")),
    "within a part": ({"part": {"name": 5}}, Thing("a", part=Part("5"))),
    "null in a list of parts": ({"parts": [None, {}]}, Thing("a", parts=[Part()])),
    "within a list": ({"parts": [{"name": 5}]}, Thing("a", parts=[Part("5")])),
    "numbers in a list of texts": ({"words": ["b", None, 5]}, Thing("a", words=["b", "5"])),
    "within names": (
        {"named": {"b": {"name": 5}, "c": None}},
        Thing("a", named={"b": Part("5"), "c": None}),
    ),
}


@pytest.mark.parametrize("name", MENDED)
def test_what_is_plain_is_read(name):
    fields, expected = MENDED[name]

    assert expected == read(**fields)


def test_what_fits_beside_it_stays_as_it_is():
    expected = Thing("a", text="17", code=5, amount=Decimal("1.50"))

    assert expected == read(text=17, code=5, amount="1.50", unknown={"of": [1]})


REFUSED = {
    "an amount that is a word": {"amount": "ten"},
    "an amount that is a truth": {"amount": True},
    "an amount in a list": {"amount": [1]},
    "a text that is a list": {"text": ["b"]},
    "a truth that is a word": {"flag": "perhaps"},
    "a truth that is another number": {"flag": 2},
    "a part that is a text": {"part": "b"},
    "parts that are one": {"parts": {"name": "b"}},
    "an id that is a number": {"id": 5},
    "an id that is null": {"id": None},
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_plain_is_refused(name):
    with pytest.raises(DecodeError):
        read(**REFUSED[name])


def test_the_first_failure_is_told_without_what_was_found():
    with pytest.raises(DecodeError) as caught:
        read(text=17, amount="captain")

    assert caught.value.__cause__ is None
    assert "captain" not in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"{", b"[" * 1_000, b"\xff", b'{"id": NaN}'], ids=repr)
def test_what_is_no_document_is_refused_as_ever(data):
    with pytest.raises(DecodeError) as usual:
        JsonDecoder(Thing).decode(data)

    with pytest.raises(DecodeError) as caught:
        PatientDecoder(Thing).decode(data)
    assert str(usual.value) == str(caught.value)


def test_limits_hold_for_the_second_attempt_too():
    row = json.dumps({"id": "a", "text": 17, "words": ["b"] * 100})

    with pytest.raises(DecodeError):
        PatientDecoder(Thing, Limits(max_items=50)).decode(row)


def test_of_several_kinds_the_one_that_is_named_is_read():
    row = {"T": "t", "S": "AAPL", "p": 1.5, "s": 2, "tks": 5, "c": [7]}

    found = PatientDecoder(DataMessage).decode(json.dumps(row))

    assert isinstance(found, TradeMessage)
    assert ("AAPL", "5", ("7",)) == (found.symbol, found.tks, found.c)


def test_a_kind_that_is_not_known_is_refused():
    with pytest.raises(DecodeError):
        PatientDecoder(DataMessage).decode('{"T": "brand_new", "S": 5}')


def test_messagepack_is_mended_too():
    order = {"id": "a", "symbol": "AAPL", "side": "buy", "qty": 2.5}
    data = {"event": "new", "event_id": 3014423, "timestamp": Stamp(AT_NS), "order": order}
    frame = encode_packed({"stream": "trade_updates", "data": data})

    found = PatientDecoder(TradingFrame, packed=True).decode(frame).data

    assert ("3014423", Decimal("2.5")) == (found.event_id, found.order.qty)
    assert "2026-01-05T15:00:00.123456000Z" == found.timestamp
