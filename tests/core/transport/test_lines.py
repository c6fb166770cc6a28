"""Wherever the pieces are cut, the records are the same (C-11), and none grows without bound."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.errors import DecodeError
from dragoman.transport.lines import DelimitedFraming, LineFraming

LINES = st.lists(st.text(st.characters(exclude_characters="\r\n"), max_size=12), max_size=12)


@st.composite
def cut(draw, whole):
    """Cut bytes into pieces at any places, also within a character."""
    places = draw(st.lists(st.integers(0, len(whole)), max_size=12))
    edges = [0, *sorted(places), len(whole)]
    return [whole[start:end] for start, end in pairwise(edges)]


def fed(framing, pieces):
    return [frame for piece in pieces for frame in framing.feed(piece)]


@given(st.data(), LINES, st.lists(st.sampled_from(["\n", "\r\n"]), min_size=12, max_size=12))
def test_c11_any_splitting_gives_the_same_lines(data, lines, ends):
    whole = "".join(line + end for line, end in zip(lines, ends, strict=False)).encode()
    framing = LineFraming()

    assert [line.encode() for line in lines if line] == fed(framing, data.draw(cut(whole)))
    assert lines.count("") == framing.beats


def test_c11_every_single_byte_is_a_place_to_cut():
    whole = '{"price":"1.10","name":"币安"}\r\n\n{"b":2}\n'.encode()
    one_by_one = [whole[place : place + 1] for place in range(len(whole))]

    framing = LineFraming()

    assert ['{"price":"1.10","name":"币安"}'.encode(), b'{"b":2}'] == fed(framing, one_by_one)
    assert 1 == framing.beats


def test_a_line_without_its_end_is_not_given():
    assert [b"a"] == fed(LineFraming(), [b"a\nhal", b"f"])


def test_text_pieces_are_taken_as_utf_8():
    assert ["币".encode()] == fed(LineFraming(), ["币\n"])


@pytest.mark.parametrize(
    "pieces",
    [[b"x" * 9], [b"x" * 5, b"x" * 4], [b"x" * 9 + b"\n"], [b"xxxx", b"xxxxx\n"], [b"x"] * 9],
)
def test_a_line_beyond_the_bound_is_an_error_after_those_before_it(pieces):
    framing = LineFraming(max_bytes=8)
    found = fed(framing, [b"ok\n"])

    with pytest.raises(DecodeError, match="larger than 8 bytes"):
        fed(framing, pieces)

    assert [b"ok"] == found


def test_good_lines_in_the_same_piece_come_before_the_error():
    lines = LineFraming(max_bytes=4).feed(b"a\nb\nccccc")

    assert [b"a", b"b"] == [next(lines), next(lines)]
    with pytest.raises(DecodeError):
        next(lines)


def test_a_long_line_in_tiny_pieces_takes_linear_time():
    framing = DelimitedFraming(b"\x1e")

    assert [] == fed(framing, [b"x"] * 300_000)
    assert [300_000] == [len(record) for record in framing.feed(b"\x1e")]
