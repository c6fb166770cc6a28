"""Inflating: exact for every split, bounded for every bomb, and never content with half a body."""

import gzip
import zlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.errors import DecodeError
from dragoman.transport.inflate import LARGEST_RATIO, Inflater


def bare(data):
    engine = zlib.compressobj(wbits=-15)
    return engine.compress(data) + engine.flush()


WAYS = {
    "gzip": ("gzip", gzip.compress),
    "zlib": ("deflate", zlib.compress),
    "bare": ("deflate", bare),
}


def pieces(data, cuts):
    marks = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in pairwise(marks)]


def inflate(encoding, parts, max_bytes=10**8):
    inflater = Inflater(encoding, max_bytes)
    found = b"".join(piece for part in parts for piece in inflater.feed(part))
    inflater.finish()
    return found


@pytest.mark.parametrize("way", WAYS)
@given(st.binary(max_size=3000), st.lists(st.integers(0, 4000), max_size=8), st.integers(1, 60))
def test_any_split_gives_the_same(way, data, cuts, times):
    encoding, compress = WAYS[way]
    body = data * times

    assert body == inflate(encoding, pieces(compress(body), cuts))


@pytest.mark.parametrize("size", [65_535, 65_536, 65_537, 131_072, 196_608])
@pytest.mark.parametrize("way", WAYS)
def test_bodies_as_long_as_the_steps_are_whole(way, size):
    encoding, compress = WAYS[way]

    assert b"ab" * (size // 2) == inflate(encoding, [compress(b"ab" * (size // 2))])


def test_several_members_are_one_body_and_padding_is_none():
    body = gzip.compress(b"one") + gzip.compress(b"two") + b"\0" * 9

    assert b"onetwo" == inflate("gzip", [body])
    assert b"onetwo" == inflate("gzip", [body[index : index + 1] for index in range(len(body))])


@pytest.mark.parametrize("way", WAYS)
def test_a_cut_body_is_never_whole(way):
    encoding, compress = WAYS[way]
    whole = compress(bytes(range(256)) * 4)

    for end in range(1, len(whole)):
        with pytest.raises(DecodeError, match="cut"):
            inflate(encoding, [whole[:end]])


def test_nothing_inflates_to_nothing():
    assert b"" == inflate("gzip", [])


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", ""])
def test_what_was_not_asked_for_is_refused(encoding):
    with pytest.raises(DecodeError, match="not asked for"):
        Inflater(encoding, 10)


def test_a_corrupt_body_is_refused_without_showing_it():
    with pytest.raises(DecodeError, match="corrupt") as caught:
        inflate("gzip", [b"canary"])

    assert "canary" not in repr(caught.value)
    assert caught.value.__context__ is None


def test_a_small_body_may_inflate_by_any_ratio_a_large_one_may_not():
    small, large = gzip.compress(bytes(200_000)), gzip.compress(bytes(300_000))

    assert 200_000 == len(inflate("gzip", [small]))
    with pytest.raises(DecodeError, match=f"more than {LARGEST_RATIO} times"):
        inflate("gzip", [large])


def test_a_stream_without_end_has_no_largest_size():
    assert 10**6 == len(inflate("gzip", [gzip.compress(bytes(10**6))], max_bytes=None))
