from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman_alpaca.dialect.market_asked import Span
from dragoman_alpaca.dialect.market_pages import Mark, Series, newest, read_page
from dragoman_alpaca.dialect.market_refusals import NotServedError


class Item(NamedTuple):
    time_ns: int
    number: int


times = st.lists(st.integers(min_value=0, max_value=60), max_size=40).map(sorted)


class Past:
    """The rows of a symbol, and every window that was read of them."""

    def __init__(self, times_ns):
        self.items = [Item(time_ns, number) for number, time_ns in enumerate(times_ns)]
        self.windows = []

    async def read(self, window):
        self.windows.append(window)
        found = [item for item in self.items if window.covers(item.time_ns)]
        for item in found[: window.limit]:
            yield item

    def series(self, step_ns=1):
        return Series(read=self.read, time_of=lambda item: item.time_ns, step_ns=step_ns)


async def pages(pasts, span, *, limit, descending):
    """Read page after page by the tokens; return all rows, by symbol, and the pages' sizes."""
    series = [(symbol, past.series()) for symbol, past in sorted(pasts.items())]
    rows, sizes, mark = {symbol: [] for symbol in pasts}, [], None
    while True:
        page = await read_page(series, span, limit=limit, descending=descending, mark=mark)
        sizes.append(sum(map(len, page.rows.values())))
        for symbol, items in page.rows.items():
            rows[symbol] += items
        if page.next is None:
            return rows, sizes
        mark = Mark.of(page.next.token("k"), "k")


@given(
    past=st.dictionaries(st.sampled_from("ABC"), times, min_size=1),
    limit=st.integers(min_value=1, max_value=50),
    descending=st.booleans(),
    start=st.integers(min_value=0, max_value=60),
    length=st.integers(min_value=1, max_value=60),
)
async def test_pages_put_together_are_every_row_once_in_order(
    past, limit, descending, start, length
):
    pasts = {symbol: Past(times_ns) for symbol, times_ns in past.items()}
    span = Span(start, start + length)

    rows, sizes = await pages(pasts, span, limit=limit, descending=descending)

    for symbol, one in pasts.items():
        expected = [item for item in one.items if span.start_ns <= item.time_ns < span.end_ns]
        assert (expected[::-1] if descending else expected) == rows[symbol]
    assert [limit] * (len(sizes) - 1) == sizes[:-1]


async def test_the_limit_counts_all_symbols_together_and_cuts_the_last():
    pasts = {"A": Past([1, 2]), "B": Past([1, 2, 3])}
    series = [(symbol, past.series()) for symbol, past in pasts.items()]

    page = await read_page(series, Span(0, 10), limit=3)

    assert {"A": [(1, 0), (2, 1)], "B": [(1, 0)]} == page.rows
    assert Mark("B", 1, 1) == page.next


async def test_a_page_that_is_full_goes_on_only_if_there_is_more():
    pasts = {"A": Past([1, 2]), "B": Past([])}
    series = [(symbol, past.series()) for symbol, past in pasts.items()]

    page = await read_page(series, Span(0, 10), limit=2)

    assert page.next is None


async def test_a_row_that_appears_meanwhile_is_neither_missed_nor_told_twice():
    past = Past([1, 2, 2])
    series = [("A", past.series())]
    first = await read_page(series, Span(0), limit=2)
    past.items += [Item(2, 3), Item(3, 4)]

    second = await read_page(series, Span(0), limit=10, mark=first.next)

    assert [0, 1] == [item.number for item in first.rows["A"]]
    assert [2, 3, 4] == [item.number for item in second.rows["A"]]


async def test_the_newest_rows_are_found_without_reading_all_of_the_past():
    past = Past(range(0, 1_000_000, 10))

    found = await newest(past.series(step_ns=100), Span(0, 1_000_000), 3, Mark("A"))

    assert [999_990, 999_980, 999_970] == [item.time_ns for item in found]
    assert all(window.start_ns >= 999_000 for window in past.windows)


async def test_the_newest_rows_before_a_long_silence_take_few_reads():
    past = Past([5])

    found = await newest(past.series(), Span(0, 10**15), 1, Mark("A"))

    assert [5] == [item.time_ns for item in found]
    assert len(past.windows) < 40


async def test_a_stretch_with_too_much_in_it_is_read_in_parts():
    past = Past([*range(50_000), 10**9])

    found = await newest(past.series(step_ns=10**9), Span(0, 10**9 + 1), 2, Mark("A"))

    assert [10**9, 49_999] == [item.time_ns for item in found]
    assert all(window.limit == 10_000 for window in past.windows)


async def test_very_many_rows_of_one_instant_are_read_all_the_same():
    past = Past([7] * 20_000)

    found = await newest(past.series(), Span(0, 100), 2, Mark("A"))

    assert [19_999, 19_998] == [item.number for item in found]


def test_a_token_says_where_to_go_on_and_nothing_else():
    mark = Mark("BTC/USD", 1_767_796_200_000_000_000, 3)

    assert mark == Mark.of(mark.token("trades  asc"), "trades  asc")
    assert Mark("A") == Mark.of(Mark("A").token("k"), "k")


@pytest.mark.parametrize(
    "token",
    [
        "",
        "!",
        "QUFQTA==",
        "é",
        Mark("A", 1).token("bars 1m asc"),
        "QXxrfG5vd3ww",
        "QXxrfDF8",
        "x" * 10_000,
    ],
    ids=["empty", "no base64", "one part", "not ASCII", "another's", "no time", "no count", "long"],
)
def test_what_is_no_token_of_this_question_is_refused(token):
    with pytest.raises(NotServedError, match="invalid page_token"):
        Mark.of(token, "k")
