"""Bytes that no Alpaca sends are decoded or refused, whatever they are said to be."""

import msgspec
import pytest
from tests.adapters.alpaca.payload_summaries import CONTEXT

from dragoman.decoding import decode_payload, to_document
from dragoman_alpaca.mapping import PAYLOADS

ODD = {
    "null": b"null",
    "number": b"1",
    "text": b'"x"',
    "truth": b"true",
    "list": b"[]",
    "list-of-null": b"[null]",
    "list-of-lists": b"[[]]",
    "object": b"{}",
    "no-name": b'{"":1}',
    "packed-list": b"\x90",
    "packed-keys-no-text": msgspec.msgpack.encode({1: "New York", 2: "Nasdaq"}),
    "packed-rows-keys-no-text": msgspec.msgpack.encode([{1: "New York", 2: "Nasdaq"}]),
    "packed-extension": b"\x81\xa2id\xd4\x05\x01",
    "packed-no-number": b"\x82\xa1T\xa1t\xa1p\xcb\x7f\xf8" + bytes(6),
    "half-a-pair": b'{"id":"\\ud800"}',
    "nothing": b"",
}


@pytest.mark.parametrize("data", ODD.values(), ids=ODD)
def test_odd_bytes_of_any_kind_are_decoded_or_refused(data):
    for name in (None, *(kind.name for kind in PAYLOADS.kinds)):
        found = decode_payload(PAYLOADS, data, CONTEXT, name)

        assert to_document(found) is not None, name
