import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.resilience.retry_after import LONGEST_WAIT_S, retry_after_s, until_epoch_s
from dragoman.times import MILLISECOND_NS, SECOND_NS, parse_time

NOW_NS = parse_time("1994-11-06T08:49:00Z")
HOSTILE = ["", " ", "soon", "1,5", "0x10", "1e3", "١٢", "NaN", "Infinity", "-", "+5", "9" * 21]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        (" 7 ", 7),
        ("1.5", 1.5),
        ("-5", 0),
        ("99999999999", LONGEST_WAIT_S),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 37),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 37),
        ("Sun Nov  6 08:49:37 1994", 37),
        ("Sun, 06 Nov 1994 09:49:37 +0100", 37),
        ("Sun, 06 Nov 1994 08:49:37 -0000", 37),
        ("Sun, 06 Nov 1993 08:49:37 GMT", 0),
        ("Sun, 06 Nov 2994 08:49:37 GMT", LONGEST_WAIT_S),
    ],
)
def test_both_forms_of_the_header_are_read(text, seconds):
    assert seconds == retry_after_s({"retry-after": text}, NOW_NS)


def test_a_date_is_compared_with_the_clock_of_the_venue():
    headers = {
        "date": "Sun, 06 Nov 1994 10:00:00 GMT",
        "retry-after": "Sun, 06 Nov 1994 10:00:30 GMT",
    }

    assert 30 == retry_after_s(headers, NOW_NS)


def test_an_unreadable_date_of_the_venue_is_passed_over():
    headers = {"date": "x" * 65, "retry-after": "Sun, 06 Nov 1994 08:49:37 GMT"}

    assert 37 == retry_after_s(headers, NOW_NS)


@pytest.mark.parametrize("text", [*HOSTILE, "Sun, 99 Nov 1994 08:49:37 GMT", "1" * 65])
def test_nonsense_says_nothing(text):
    assert retry_after_s({"retry-after": text}, NOW_NS) is None


def test_a_missing_header_says_nothing():
    assert retry_after_s({}, NOW_NS) is None


@given(st.text(max_size=80), st.text(max_size=40), st.integers(0, 2**63))
def test_no_text_gives_anything_but_a_bounded_wait(text, date, now_ns):
    for seconds in (
        retry_after_s({"retry-after": text, "date": date}, now_ns),
        until_epoch_s(text, now_ns),
    ):
        assert seconds is None or 0 <= seconds <= LONGEST_WAIT_S


@pytest.mark.parametrize(
    ("text", "unit_ns", "seconds"),
    [
        ("784111777", SECOND_NS, 37),
        ("784111777000", MILLISECOND_NS, 37),
        ("784111777.5", SECOND_NS, 37.5),
        ("784111700", SECOND_NS, 0),
        ("99999999999999999999", SECOND_NS, LONGEST_WAIT_S),
    ],
)
def test_an_instant_since_1970_is_read_in_its_unit(text, unit_ns, seconds):
    assert seconds == until_epoch_s(text, NOW_NS, unit_ns)


@pytest.mark.parametrize("text", [*HOSTILE, "1" * 65])
def test_what_is_no_instant_says_nothing(text):
    assert until_epoch_s(text, NOW_NS) is None
