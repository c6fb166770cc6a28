import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.transport.json_shape import ShapeLimits, breach

TIGHT = ShapeLimits(max_depth=64, max_string=6, max_items=3)
values = st.recursive(
    st.one_of(st.text('ab"\\/,[]{}\n', max_size=5), st.integers(0, 9), st.none()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5), st.dictionaries(st.text("k[,", max_size=4), inner, max_size=5)
    ),
    max_leaves=30,
)


def is_too_long(value):
    if isinstance(value, str):
        return len(json.dumps(value)) - 2 > TIGHT.max_string
    if isinstance(value, (list, dict)):
        inner = [*value, *value.values()] if isinstance(value, dict) else value
        return len(value) > TIGHT.max_items or any(map(is_too_long, inner))
    return False


@given(values, st.integers(1, 40))
def test_what_is_too_long_is_found_and_nothing_else(value, piece):
    assert is_too_long(value) == bool(breach(json.dumps(value).encode(), TIGHT, piece=piece))


@pytest.mark.parametrize("piece", [1, 2, 7, 64])
@pytest.mark.parametrize(
    ("text", "is_breach"),
    [
        (r'["abc\"de"]', True),
        (r'["ab\"cd"]', False),
        (r'["\\","]","["]', False),
        (r'["\\\\\\","]"]', False),
        (r'["\\\\\\\\"]', True),
        ('["[,,,,",1,2]', False),
        ("[1,2,3,4]", True),
        ('{"a":1,"b":{"c":2,"d":[3,4,5]}}', False),
        ("[[1,2,3],[1,2,3],[1,2,3]]", False),
        ("[[1,2,3],[1,2,3],[[1,2,3,4]]]", True),
        ("[1,2,[3]", False),
        ("]]]]1,2", False),
        ("1,2,3,4", True),
        ("", False),
    ],
)
def test_pieces_are_cut_so_that_none_is_misread(text, is_breach, piece):
    assert is_breach == bool(breach(text.encode(), TIGHT, piece=piece))


def test_each_limit_is_exact():
    limits = ShapeLimits(64, 1_048_576, 200_000)
    string = b'["' + b"a" * limits.max_string + b'"]'
    items = b"[" + b"0," * (limits.max_items - 1) + b"0]"

    assert [None, None] == [breach(string, limits), breach(items, limits)]
    assert "string longer" in breach(string.replace(b'a"', b'aa"'), limits)
    assert "200000 items" in breach(items.replace(b"[", b"[0,"), limits)


def test_a_string_may_lie_across_pieces():
    text = b'["' + b"a" * 700_000 + rb"\"" + b"a" * 700_000 + b'"]'

    assert "string longer" in breach(text, ShapeLimits(64, 1_048_576, 200_000))


USUAL = ShapeLimits(64, 1_048_576, 200_000)


@pytest.mark.parametrize("piece", [1, 3, 1000])
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[" * 64 + "]" * 64 + ",[]" * 500, None),
        ("[" * 65 + "]" * 65 + ",[]" * 500, "more than 64 levels"),
        ("[]," * 500 + '{"a":[' * 32 + "]}" * 32, None),
        ("[]," * 500 + '{"a":[' * 33, "more than 64 levels"),
        ('["]",' * 501, "more than 64 levels"),
        ('["[",1],' * 501, None),
        ("[0," * 300_000, "more than 64 levels"),
    ],
)
def test_depth_is_exact_where_there_are_hundreds_of_levels(text, found, piece):
    cut = piece if len(text) < 10_000 else 1000 * piece

    assert found == breach(text.encode(), USUAL, piece=cut)


def test_values_without_a_comma_between_them_are_given_up_at_once():
    assert "without a comma" in breach(b"[]" * 501, USUAL)


def test_a_few_hundred_levels_are_left_to_the_decoder():
    assert breach(b"[" * 500, USUAL) is None


def test_the_length_up_to_which_nothing_is_looked_at():
    assert (3, 6, 500) == (
        TIGHT.shortest_long,
        ShapeLimits(64, 6, 9).shortest_long,
        USUAL.shortest_long,
    )


@given(values, st.booleans())
def test_text_is_judged_as_its_bytes_are(value, is_ascii):
    text = json.dumps(value, ensure_ascii=is_ascii)

    assert breach(text.encode(), TIGHT) == breach(text, TIGHT)


@pytest.mark.parametrize("opening", ["[", '{"":', '[{"":', '{"":['])
@pytest.mark.parametrize("write", [str, str.encode], ids=["text", "bytes"])
def test_depth_is_found_however_shortly_it_is_written(opening, write):
    limits = ShapeLimits(64, 1_048_576, 200_000)
    levels = opening.count("[") + opening.count("{")

    assert breach(write(opening * (600 // levels)), limits) == "more than 64 levels"
    assert breach(write(opening * (400 // levels)), limits) is None


def test_signs_of_several_bytes_count_as_their_bytes():
    limits = ShapeLimits(64, 50, 200_000)

    assert breach('["' + "\u20ac" * 17 + '"]', limits) == "a string longer than 50 bytes"
    assert breach('["' + "\u20ac" * 16 + '"]', limits) is None
