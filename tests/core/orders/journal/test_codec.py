"""What is read from a journal is what was written, to the last digit, and nothing secret is."""

import json

import attrs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import strategies
from tests.journalled import request, submitted

from dragoman import models
from dragoman.credentials import Credentials, Secret
from dragoman.errors import InvalidValueError
from dragoman.orders.journal.codec import JournalCodec

EVENTS = (
    models.OrderEvent,
    models.PositionEvent,
    models.AccountEvent,
    models.LedgerEvent,
    models.ProtectionEvent,
)
PARTS = ("order", "fill", "position", "account", "entry")


@pytest.fixture
def shapes():
    return {}


@pytest.fixture
def codec(shapes):
    return writer(shapes)


def writer(shapes):
    def add(text):
        shapes[len(shapes) + 1] = text
        return len(shapes)

    return JournalCodec(shapes, add)


def without_raw(event):
    parts = {name: getattr(event, name, None) for name in PARTS}
    plain = {name: attrs.evolve(part, raw=None) for name, part in parts.items() if part is not None}
    return attrs.evolve(event, sequence=7, **plain)


@given(st.one_of([strategies.MODELS[kind] for kind in EVENTS]))
def test_i13_every_private_event_is_read_as_it_was_written(event) -> None:
    shapes = {}
    body = writer(shapes).encode(event)

    read = JournalCodec(shapes).event(body, 7)

    assert strategies.exact(without_raw(event)) == strategies.exact(read)


@given(strategies.requests())
def test_i13_every_request_is_read_as_it_was_written(wanted) -> None:
    shapes = {}
    body = writer(shapes).encode(wanted)

    assert strategies.exact(wanted) == strategies.exact(JournalCodec(shapes).request(body))


def test_the_bytes_of_the_venue_are_never_kept(codec) -> None:
    event = submitted()
    heard = attrs.evolve(event, order=attrs.evolve(event.order, raw=b"canary-4711"))

    assert b"canary" not in codec.encode(heard)


@pytest.mark.parametrize("value", [2**70, -(2**64), "half \ud800 a pair"])
def test_what_the_fast_encoding_cannot_say_is_kept_as_text(codec, value) -> None:
    event = submitted()
    order = attrs.evolve(event.order, venue_options=models.FrozenMapping({"mock.note": value}))
    odd = attrs.evolve(event, order=order, sequence=7)

    body = codec.encode(odd)

    assert (str, odd) == (type(body), codec.event(body, 7))


@pytest.mark.parametrize("secret", [Secret("canary-4711"), Credentials({"key": "canary-4711"})])
def test_i14_a_secret_has_no_form_in_a_journal(codec, secret) -> None:
    event = submitted()
    order = attrs.evolve(event.order, venue_options=models.FrozenMapping({"mock.note": secret}))

    with pytest.raises(InvalidValueError) as caught:
        codec.encode(attrs.evolve(event, order=order))

    assert "canary" not in repr(caught.value)


def test_a_row_of_another_version_is_read_by_the_names_it_was_written_with(codec, shapes) -> None:
    body = codec.encode(request())
    number, values = msgspec.msgpack.decode(body)
    kind, names = json.loads(shapes[number])
    fields = dict(zip(names[""], values, strict=True))
    del fields["tag"]
    fields["once_there"] = "gone since"
    older = {9: json.dumps([kind, {"": [*fields]}])}
    row = msgspec.msgpack.encode([9, [*fields.values()]])

    assert request() == JournalCodec(older).request(row)


@pytest.mark.parametrize("body", [b"", b"\xc1", b"\x91\x63", b"\x92\x01\x90", "", "Order\n{}", "x"])
def test_a_row_that_is_none_is_refused(codec, body) -> None:
    with pytest.raises(InvalidValueError, match="journal row"):
        codec.event(body, 1)


@pytest.mark.parametrize("text", ["", "{", "[]", '["Nothing", {}]'])
def test_a_shape_that_is_none_is_refused(text) -> None:
    with pytest.raises(InvalidValueError, match="journal shape"):
        JournalCodec({1: text})


def test_a_file_that_names_the_shapes_gets_no_more_of_them(shapes) -> None:
    writer(shapes)
    known = dict(shapes)
    writer(shapes)

    assert known == shapes
