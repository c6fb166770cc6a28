"""Whether messages are numbered is judged by what was said."""

from types import SimpleNamespace

import pytest

from dragoman_conformance.chaos import FrameKind, Origin, SeenFrame
from dragoman_conformance.looks.numbering import is_numbered


def play(*payloads, exchange=0):
    frames = [
        SeenFrame(
            exchange=exchange,
            origin=Origin.VENUE,
            kind=FrameKind.TEXT,
            payload=payload,
            size=len(payload),
            at_ns=0,
        )
        for payload in payloads
    ]
    return SimpleNamespace(wire=SimpleNamespace(frames=frames))


@pytest.mark.parametrize(
    "payloads",
    [
        (b'{"seq":7}', b'{"seq":8,"x":1}', b'{"beat":true}', b'{"seq":9}'),
        (b'{"a":{"id":"7"}}\n', b'{"a":{"id":"8"}}\n', b'{"a":{"id":"9"}}\n'),
    ],
    ids=["field", "text within"],
)
def test_a_field_that_goes_up_by_one_is_a_number(payloads):
    assert is_numbered(play(*payloads))


@pytest.mark.parametrize(
    "payloads",
    [
        (b'{"seq":7}', b'{"seq":9}', b'{"seq":10}'),
        (b'{"price":"7"}', b'{"price":"7"}', b'{"price":"7"}'),
        (b'{"seq":7}', b'{"seq":8}'),
        (b"no json", b"[]", b""),
    ],
    ids=["a gap", "the same", "too few", "nothing"],
)
def test_what_does_not_is_none(payloads):
    assert not is_numbered(play(*payloads))
