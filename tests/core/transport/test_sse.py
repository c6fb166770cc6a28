"""Server-sent events mean the same wherever they are cut and however their lines end."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.errors import DecodeError
from dragoman.transport.sse import ServerSentEvent, SseFraming

WHOLE = (
    '\ufeff: hello\n\nevent: trade\nid: 7\ndata: {"a":\ndata:  1}\n\n'
    ":\nretry: 1500\n\ndata:币安\n\nid\ndata\n\ndata: lost"
)
EVENTS = [
    ServerSentEvent(event="trade", data='{"a":\n 1}', event_id="7"),
    ServerSentEvent(data="币安", event_id="7"),
    ServerSentEvent(data="", event_id=""),
]


def fed(framing, pieces):
    return [frame for piece in pieces for frame in framing.feed(piece)]


@given(st.data(), st.sampled_from(["\n", "\r", "\r\n"]))
def test_c11_any_splitting_and_any_line_end_gives_the_same_events(data, end):
    whole = WHOLE.replace("\n", end).encode()
    places = data.draw(st.lists(st.integers(0, len(whole)), max_size=20))
    edges = [0, *sorted(places), len(whole)]
    pieces = [whole[start:stop] for start, stop in pairwise(edges)]

    framing = SseFraming()

    assert EVENTS == fed(framing, pieces)
    assert 1500 == framing.retry_ms


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_c11_every_single_byte_is_a_place_to_cut(end):
    whole = WHOLE.replace("\n", end).encode()

    assert EVENTS == fed(SseFraming(), [whole[n : n + 1] for n in range(len(whole))])


def test_comments_and_empty_events_show_life():
    framing = SseFraming()

    assert [] == fed(framing, [b":\n", b": ping\n\n", b"event: x\n\n"])
    assert 4 == framing.beats


def test_the_type_of_an_event_without_data_does_not_stick():
    framing = SseFraming()

    assert [ServerSentEvent(data="1")] == fed(framing, [b"event: x\n\ndata: 1\n\n"])


@pytest.mark.parametrize(
    "line", [b"retry: soon", b"retry: -1", b"retry: \xd9\xa1", b"retry: 9999999999"]
)
def test_a_retry_that_is_no_number_of_milliseconds_is_passed_over(line):
    framing = SseFraming()

    fed(framing, [line + b"\n\n"])

    assert framing.retry_ms is None


def test_an_id_with_a_nul_is_passed_over():
    found = fed(SseFraming(), [b"id: 1\nid: 2\x003\ndata: x\n\n"])

    assert ["1"] == [event.event_id for event in found]


@pytest.mark.parametrize("data", [b"x" * 20, b"data: " + b"x" * 20, b"data: 12\n" * 4])
def test_an_event_beyond_the_bound_is_an_error(data):
    with pytest.raises(DecodeError, match="larger than 16 bytes"):
        fed(SseFraming(max_bytes=16), [data])


def test_many_small_events_are_no_large_one():
    assert 50 == len(fed(SseFraming(max_bytes=16), [b"data: 12\n\n"] * 50))


def test_what_is_not_utf_8_is_an_error_that_does_not_show_it():
    with pytest.raises(DecodeError) as caught:
        fed(SseFraming(), [b"data: secret\xff\n\n"])

    assert "secret" not in str(caught.value)
    assert caught.value.__context__ is None
