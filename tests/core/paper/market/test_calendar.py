from __future__ import annotations

from datetime import date

import pytest

from dragoman.errors import InvalidValueError
from dragoman.models import TradingState, Window
from dragoman.paper.market.calendar import Calendar
from dragoman.paper.market.catalogue import default_instruments
from dragoman.paper.market.holidays import early_closes, easter, full_holidays
from dragoman.paper.settings import Hours
from dragoman.times import DAY_NS, HOUR_NS, format_time, parse_time

LISTED = default_instruments(parse_time("2026-02-02T00:00:00Z"))
BY_NAME = {name: item for item in LISTED for name in (item.symbol, *item.aliases)}
REAL = Calendar(Hours.REAL)
ALWAYS = Calendar(Hours.ALWAYS)


@pytest.mark.parametrize(
    ("year", "days"),
    [
        (2022, "01-17 02-21 04-15 05-30 06-20 07-04 09-05 11-24 12-26"),
        (2023, "01-02 01-16 02-20 04-07 05-29 06-19 07-04 09-04 11-23 12-25"),
        (2024, "01-01 01-15 02-19 03-29 05-27 06-19 07-04 09-02 11-28 12-25"),
        (2026, "01-01 01-19 02-16 04-03 05-25 06-19 07-03 09-07 11-26 12-25"),
        (2027, "01-01 01-18 02-15 03-26 05-31 06-18 07-05 09-06 11-25 12-24"),
        (2021, "01-01 01-18 02-15 04-02 05-31 07-05 09-06 11-25 12-24"),
    ],
)
def test_holidays_are_those_the_exchange_published(year, days):
    expected = [date.fromisoformat(f"{year}-{day}") for day in days.split()]

    assert expected == sorted(full_holidays(year))


@pytest.mark.parametrize(
    ("year", "days"),
    [
        (2022, "11-25"),
        (2023, "07-03 11-24"),
        (2024, "07-03 11-29 12-24"),
        (2025, "07-03 11-28 12-24"),
        (2026, "11-27 12-24"),
        (2027, "11-26"),
    ],
)
def test_short_days_are_those_the_exchange_published(year, days):
    expected = [date.fromisoformat(f"{year}-{day}") for day in days.split()]

    assert expected == sorted(early_closes(year))


@pytest.mark.parametrize(
    "day", ["2000-04-23", "2008-03-23", "2011-04-24", "2024-03-31", "2038-04-25"]
)
def test_easter_is_the_gregorian_one(day):
    assert date.fromisoformat(day) == easter(date.fromisoformat(day).year)


@pytest.mark.parametrize(
    ("name", "instant", "state"),
    [
        ("AAPL", "2026-02-02T08:59:59Z", TradingState.CLOSED),
        ("AAPL", "2026-02-02T09:00:00Z", TradingState.PRE_MARKET),
        ("AAPL", "2026-02-02T14:29:59.999999999Z", TradingState.PRE_MARKET),
        ("AAPL", "2026-02-02T14:30:00Z", TradingState.OPEN),
        ("AAPL", "2026-02-02T20:59:59Z", TradingState.OPEN),
        ("AAPL", "2026-02-02T21:00:00Z", TradingState.AFTER_HOURS),
        ("AAPL", "2026-02-03T00:59:59Z", TradingState.AFTER_HOURS),
        ("AAPL", "2026-02-03T01:00:00Z", TradingState.CLOSED),
        ("AAPL", "2026-07-01T13:30:00Z", TradingState.OPEN),
        ("AAPL", "2026-07-03T15:00:00Z", TradingState.CLOSED),
        ("AAPL", "2026-11-27T17:59:59Z", TradingState.OPEN),
        ("AAPL", "2026-11-27T18:00:00Z", TradingState.AFTER_HOURS),
        ("AAPL", "2026-11-27T22:00:00Z", TradingState.CLOSED),
        ("AAPL-CALL", "2026-02-02T14:00:00Z", TradingState.CLOSED),
        ("AAPL-CALL", "2026-02-02T15:00:00Z", TradingState.OPEN),
        ("EURUSD", "2026-02-01T21:59:59Z", TradingState.CLOSED),
        ("EURUSD", "2026-02-01T22:00:00Z", TradingState.OPEN),
        ("EURUSD", "2026-02-06T21:59:59Z", TradingState.OPEN),
        ("EURUSD", "2026-02-06T22:00:00Z", TradingState.CLOSED),
        ("EURUSD", "2026-07-05T21:00:00Z", TradingState.OPEN),
        ("MES", "2026-02-01T22:59:59Z", TradingState.CLOSED),
        ("MES", "2026-02-01T23:00:00Z", TradingState.OPEN),
        ("MES", "2026-02-03T22:30:00Z", TradingState.CLOSED),
        ("MES", "2026-02-03T23:00:00Z", TradingState.OPEN),
        ("MES", "2026-02-06T22:00:00Z", TradingState.CLOSED),
        ("MES", "2026-02-16T17:59:59Z", TradingState.OPEN),
        ("MES", "2026-02-16T18:00:00Z", TradingState.CLOSED),
        ("MES", "2026-04-03T14:00:00Z", TradingState.CLOSED),
        ("MES", "2026-11-27T18:14:59Z", TradingState.OPEN),
        ("MES", "2026-11-27T18:15:00Z", TradingState.CLOSED),
        ("XAUUSD", "2026-02-03T22:30:00Z", TradingState.CLOSED),
        ("BTCUSD", "2026-02-07T12:00:00Z", TradingState.OPEN),
        ("BTC-PERP", "2026-12-25T12:00:00Z", TradingState.OPEN),
    ],
)
def test_state_follows_the_market_of_the_instrument(name, instant, state):
    assert state is REAL.state_at(BY_NAME[name], parse_time(instant))


@pytest.mark.parametrize(
    ("name", "instant", "closing"),
    [
        ("AAPL", "2026-02-02T14:00:00Z", "2026-02-02T21:00:00"),
        ("AAPL", "2026-02-02T21:00:00Z", "2026-02-03T21:00:00"),
        ("AAPL", "2026-02-06T22:00:00Z", "2026-02-09T21:00:00"),
        ("AAPL", "2026-03-06T22:00:00Z", "2026-03-09T20:00:00"),
        ("AAPL", "2026-11-25T22:00:00Z", "2026-11-27T18:00:00"),
        ("EURUSD", "2026-02-02T12:00:00Z", "2026-02-02T22:00:00"),
        ("EURUSD", "2026-02-06T22:00:00Z", "2026-02-09T22:00:00"),
        ("MES", "2026-02-02T22:00:00Z", "2026-02-03T22:00:00"),
        ("BTCUSD", "2026-02-02T22:00:00Z", "2026-02-03T00:00:00"),
    ],
)
def test_day_orders_end_at_the_next_close(name, instant, closing):
    found = REAL.next_close_ns(BY_NAME[name], parse_time(instant))

    assert f"{closing}.000000000Z" == format_time(found)


@pytest.mark.parametrize(
    ("name", "instant", "opening"),
    [
        ("AAPL", "2026-02-02T14:00:00Z", "2026-02-02T14:30:00"),
        ("AAPL", "2026-02-02T14:30:00Z", "2026-02-03T14:30:00"),
        ("AAPL", "2026-07-02T21:00:00Z", "2026-07-06T13:30:00"),
        ("EURUSD", "2026-02-07T12:00:00Z", "2026-02-08T22:00:00"),
        ("MES", "2026-02-02T22:15:00Z", "2026-02-02T23:00:00"),
    ],
)
def test_the_next_open_is_strictly_later(name, instant, opening):
    found = REAL.next_open_ns(BY_NAME[name], parse_time(instant))

    assert f"{opening}.000000000Z" == format_time(found)


def test_around_the_clock_every_day_is_a_utc_day():
    instant_ns = parse_time("2026-07-04T12:00:00Z")
    apple = BY_NAME["AAPL"]

    assert TradingState.OPEN is ALWAYS.state_at(apple, instant_ns)
    assert parse_time("2026-07-05T00:00:00Z") == ALWAYS.next_close_ns(apple, instant_ns)
    assert parse_time("2026-07-05T00:00:00Z") == ALWAYS.next_open_ns(apple, instant_ns)


@pytest.mark.parametrize("name", ["AAPL", "AAPL-CALL", "EURUSD", "MES", "BTCUSD"])
def test_states_agree_with_the_hours_of_a_window(name):
    instrument, start_ns = BY_NAME[name], parse_time("2026-03-05T00:00:00Z")
    rows = REAL.hours(instrument, Window(start_ns=start_ns, end_ns=start_ns + 6 * DAY_NS))

    for instant_ns in range(start_ns, start_ns + 6 * DAY_NS, HOUR_NS // 2):
        inside = [row.state for row in rows if row.opens_at_ns <= instant_ns < row.closes_at_ns]
        assert (inside or [TradingState.CLOSED]) == [REAL.state_at(instrument, instant_ns)]


def test_hours_touch_the_window_and_keep_its_limit():
    window = Window(
        start_ns=parse_time("2026-02-02T15:00:00Z"), end_ns=parse_time("2026-02-02T21:00:00Z")
    )

    rows = REAL.hours(BY_NAME["AAPL"], window)

    assert [TradingState.OPEN] == [row.state for row in rows]
    limited = Window(start_ns=window.start_ns, limit=2)
    assert 2 == len(REAL.hours(BY_NAME["AAPL"], limited))


def test_a_window_without_bounds_is_refused():
    with pytest.raises(InvalidValueError, match="window"):
        REAL.hours(BY_NAME["AAPL"], Window())
