import pytest

from dragoman.models import Adjustment, Timeframe
from dragoman.times import DAY_NS, parse_time
from dragoman_alpaca.dialect.market_asked import (
    Span,
    adjustment_in,
    check_choices,
    check_place,
    is_descending,
    limit_in,
    since_in,
    span_in,
    symbols_in,
    timeframe_in,
)
from dragoman_alpaca.dialect.market_refusals import NotServedError

NOW_NS = parse_time("2026-01-07T14:30:00Z")
DAY = Timeframe.parse("1d")


def span_of(asset_class="us_equity", timeframe=None, **query):
    return span_in(query, now_ns=NOW_NS, asset_class=asset_class, timeframe=timeframe)


@pytest.mark.parametrize(
    ("text", "timeframe"),
    [
        ("1Min", "1m"),
        ("59T", "59m"),
        ("1Hour", "1h"),
        ("23H", "23h"),
        ("1Day", "1d"),
        ("1D", "1d"),
        ("1Week", "1w"),
        ("1W", "1w"),
        ("12Month", "12M"),
        ("6M", "6M"),
    ],
)
def test_every_timeframe_of_the_venue_is_read(text, timeframe):
    assert Timeframe.parse(timeframe) == timeframe_in({"timeframe": text})


@pytest.mark.parametrize(
    "text", ["", "60Min", "0Min", "24Hour", "2Day", "2Week", "5Month", "1min", "1Minute", "1Min "]
)
def test_any_other_timeframe_is_refused(text):
    with pytest.raises(NotServedError) as caught:
        timeframe_in({"timeframe": text})

    assert (400, f"invalid timeframe: {text}") == (caught.value.status, caught.value.message)


def test_symbols_come_once_and_sorted():
    assert ["AAPL", "BRK.B", "MSFT"] == symbols_in({"symbols": "MSFT, AAPL,BRK.B,AAPL,"})


@pytest.mark.parametrize("query", [{}, {"symbols": ""}, {"symbols": " , "}])
def test_no_symbols_are_refused(query):
    with pytest.raises(NotServedError, match="symbols is required"):
        symbols_in(query)


def test_what_can_not_be_a_symbol_is_refused_by_name():
    with pytest.raises(NotServedError, match=r"invalid symbol: A\$B"):
        symbols_in({"symbols": "AAPL,A$B"})


def test_too_many_symbols_are_refused():
    symbols = ",".join(f"A{number}" for number in range(10_001))

    with pytest.raises(NotServedError, match="too many symbols: at most 10000"):
        symbols_in({"symbols": symbols})


def test_a_limit_has_a_default_and_bounds():
    assert 1000 == limit_in({}, default=1000, most=10_000)
    assert 10_000 == limit_in({"limit": "10000"}, default=1000, most=10_000)


@pytest.mark.parametrize("text", ["0", "10001", "-1", "1.5", "ten", "²", "9" * 40])
def test_a_limit_out_of_bounds_is_refused(text):
    with pytest.raises(NotServedError, match="must be between 1 and 10000"):
        limit_in({"limit": text}, default=1000, most=10_000)


def test_the_order_is_ascending_unless_asked_otherwise():
    assert not is_descending({})
    assert not is_descending({"sort": "asc"})
    assert is_descending({"sort": "desc"})
    with pytest.raises(NotServedError, match="invalid sort: down"):
        is_descending({"sort": "down"})


def test_the_end_that_a_client_writes_is_included():
    start, end = "2026-01-06T10:00:00Z", "2026-01-06T11:00:00.5Z"

    assert Span(parse_time(start), parse_time(end) + 1) == span_of(start=start, end=end)


def test_an_offset_whose_plus_was_not_escaped_is_read():
    expected = parse_time("2026-01-06T10:00:00+02:00")

    assert expected == span_of(start="2026-01-06T10:00:00 02:00").start_ns


def test_a_date_is_its_whole_day_in_new_york():
    expected = Span(parse_time("2026-01-06T05:00:00Z"), parse_time("2026-01-07T05:00:00Z"))

    assert expected == span_of(start="2026-01-06", end="2026-01-06")


@pytest.mark.parametrize(("asset_class", "timeframe"), [("crypto", None), ("us_equity", DAY)])
def test_a_date_is_its_day_in_utc_for_crypto_and_for_long_bars(asset_class, timeframe):
    expected = Span(parse_time("2026-01-06T00:00:00Z"), parse_time("2026-01-07T00:00:00Z"))

    assert expected == span_of(asset_class, timeframe, start="2026-01-06", end="2026-01-06")


def test_without_a_start_the_span_begins_with_the_current_day():
    assert Span(parse_time("2026-01-07T05:00:00Z"), None) == span_of()
    assert Span(parse_time("2026-01-07T00:00:00Z"), None) == span_of("crypto")


def test_without_a_start_an_earlier_end_has_its_own_day():
    end_ns = parse_time("2026-01-05T20:00:00Z")

    found = span_of(end="2026-01-05T20:00:00Z")

    assert Span(parse_time("2026-01-05T05:00:00Z"), end_ns + 1) == found


def test_an_end_before_the_start_is_refused():
    with pytest.raises(NotServedError, match="end should not be before start"):
        span_of(start="2026-01-06", end="2026-01-05")


@pytest.mark.parametrize(
    "text", ["0", "yesterday", "2026-13-01", "2026-01-06T10:00:00", "20260106"]
)
def test_a_time_that_is_none_is_refused_by_its_parameter(text):
    with pytest.raises(NotServedError, match="Invalid format for parameter start: error parsing"):
        span_of(start=text)


def test_a_day_whose_end_is_no_time_is_refused():
    with pytest.raises(NotServedError, match="no such day"):
        span_of(end="9999-12-31")


def test_updated_since_is_a_time_or_a_day_in_new_york():
    assert since_in({}, "updated_since") is None
    expected = parse_time("2026-01-06T05:00:00Z")
    assert expected == since_in({"updated_since": "2026-01-06"}, "updated_since")
    assert expected + DAY_NS == since_in({"updated_since": "2026-01-07T05:00:00Z"}, "updated_since")


@pytest.mark.parametrize(
    ("text", "adjustment"),
    [
        ("", Adjustment.RAW),
        ("raw", Adjustment.RAW),
        ("split", Adjustment.SPLIT),
        ("dividend", Adjustment.DIVIDEND),
        ("all", Adjustment.ALL),
        ("split,dividend,spin-off", Adjustment.ALL),
        ("all,split", Adjustment.ALL),
    ],
)
def test_adjustments_that_have_a_word_here_are_read(text, adjustment):
    assert adjustment == adjustment_in({"adjustment": text})


@pytest.mark.parametrize("text", ["spin-off", "split,dividend", "split,spin-off"])
def test_an_adjustment_without_a_word_here_is_refused_and_never_replaced(text):
    with pytest.raises(NotServedError, match=f"adjustment {text} is not available here"):
        adjustment_in({"adjustment": text})


def test_a_word_that_is_no_adjustment_is_refused():
    with pytest.raises(NotServedError, match="invalid adjustment: none"):
        adjustment_in({"adjustment": "none"})


@pytest.mark.parametrize(
    ("query", "asset_class"),
    [
        ({}, "us_equity"),
        ({"feed": "sip"}, "us_equity"),
        ({"feed": "iex", "asof": "-"}, "us_equity"),
        ({"asof": "2026-01-06"}, "us_equity"),
        ({"feed": "opra"}, "us_option"),
        ({"feed": "indicative"}, "us_option"),
        ({"feed": "anything"}, "crypto"),
    ],
)
def test_choices_that_change_nothing_are_accepted(query, asset_class):
    check_choices(query, asset_class)


@pytest.mark.parametrize("feed", ["boats", "delayed_sip", "otc", "overnight"])
def test_a_feed_of_another_market_is_forbidden(feed):
    with pytest.raises(NotServedError) as caught:
        check_choices({"feed": feed}, "us_equity")

    assert 403 == caught.value.status


@pytest.mark.parametrize(
    ("query", "asset_class"),
    [
        ({"feed": "nasdaq"}, "us_equity"),
        ({"feed": "sip"}, "us_option"),
        ({"asof": "yesterday"}, "us_equity"),
    ],
)
def test_choices_that_there_are_not_are_refused(query, asset_class):
    with pytest.raises(NotServedError) as caught:
        check_choices(query, asset_class)

    assert 400 == caught.value.status


def test_only_the_venues_crypto_locations_are_known():
    check_place("us")
    check_place("eu-1")
    with pytest.raises(NotServedError, match="Invalid location: mars"):
        check_place("mars")
