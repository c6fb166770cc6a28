from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal

import pytest

from dragoman.errors import InvalidValueError
from dragoman.models import Side, Window
from dragoman.paper.market.catalogue import default_instruments
from dragoman.paper.market.tape import TapeFeed, bundled_tape
from dragoman.paper.market.tape_text import load_rows, read_csv, read_ndjson
from dragoman.times import HOUR_NS, SECOND_NS, parse_time

LISTED = default_instruments(parse_time("2026-02-02T00:00:00Z"))
START_NS = parse_time("2026-02-02T00:00:00Z")
HEADER = "time,symbol,bid_price,bid_size,ask_price,ask_size,price,size,side"


def csv_rows(*lines, header=HEADER):
    return read_csv([f"{line}\n" for line in (header, *lines)], "tape.csv")


def feed(*lines, **settings):
    return TapeFeed(csv_rows(*lines), instruments=LISTED, **settings)


QUOTE = "1000000000,BTCUSD,100.00,2,100.50,3,,,"
PRINTS = ("0,AAPL,,,,,190.00,5,BUY", QUOTE, "4000000000,AAPL,,,,,190.02,1,SELL")


def test_csv_numbers_and_times_are_read_exactly():
    (row,) = csv_rows("2022-03-11T17:24:56.321817175Z,AAPL,,,,,155.1050,300,SELL")

    assert parse_time("2022-03-11T17:24:56.321817175Z") == row.time_ns
    assert "155.1050" == str(row.last_price)
    assert (Decimal(300), Side.SELL) == (row.last_size, row.aggressor)
    assert (None, None) == (row.bid_price, row.ask_size)


def test_ndjson_numbers_never_pass_through_float():
    lines = [
        '{"time": 1646990696321817175, "symbol": "AAPL", "price": 0.100000000000000005, "size": 3}',
        "",
        '{"time": "2022-03-11T17:25:00Z", "symbol": "AAPL", "bid_price": "1.10", "bid_size": 2}',
        '{"time": "2022-03-11T17:26:00Z", "symbol": "AAPL", "price": 1, "size": 1, "side": null}',
    ]

    first, second, third = read_ndjson(lines, "tape.ndjson")

    assert 1646990696321817175 == first.time_ns
    assert "0.100000000000000005" == str(first.last_price)
    assert ("1.10", None) == (str(second.bid_price), second.ask_price)
    assert third.aggressor is None


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("noon,AAPL,,,,,1,1,", r"tape\.csv:3.*time.*'noon'"),
        ("-5,AAPL,,,,,1,1,", r"tape\.csv:3.*time.*'-5'"),
        ("2022-03-11T17:25:00,AAPL,,,,,1,1,", r"tape\.csv:3.*time"),
        ("1,AAPL,,,,,1,1,", r"tape\.csv:3.*time.*row above"),
        ("9,,,,,,1,1,", r"tape\.csv:3.*symbol"),
        ("9,AAPL,,,,,1,1e,", r"tape\.csv:3.*size.*'1e'"),
        ("9,AAPL,,,,,nan,1,", r"tape\.csv:3.*price.*'nan'"),
        ("9,AAPL,,,,,1,0,", r"tape\.csv:3.*size.*'0'"),
        ("9,AAPL,,,,,1,,", r"tape\.csv:3.*size.*price is given"),
        ("9,AAPL,1,,,,,,", r"tape\.csv:3.*bid_size"),
        ("9,AAPL,,,,,,,", r"tape\.csv:3.*price"),
        ("9,AAPL,3,1,2,1,,,", r"tape\.csv:3.*bid_price.*ask of 2"),
        ("9,AAPL,,,,,1,1,LONG", r"tape\.csv:3.*side.*'LONG'"),
        ("9,AAPL,1,1,2,1,,,BUY", r"tape\.csv:3.*side"),
        ("9,AAPL,1", r"tape\.csv:3.*9 values"),
        ('9,"AAPL', r"tape\.csv:3.*line of CSV"),
    ],
)
def test_a_bad_csv_row_is_named_with_its_place(line, message):
    with pytest.raises(InvalidValueError, match=message):
        csv_rows("5,AAPL,,,,,1,1,", line)


@pytest.mark.parametrize("header", ["time,symbol,volume", "time,symbol,time"])
def test_a_strange_or_repeated_column_is_refused(header):
    with pytest.raises(InvalidValueError, match=r"tape\.csv:1.*column"):
        csv_rows(header=header)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", r"t\.ndjson:2.*JSON object"),
        ("[1]", r"t\.ndjson:2.*JSON object"),
        ('{"time": 1, "symbol": "A", "prise": 1}', r"t\.ndjson:2.*'prise'"),
        ('{"time": 1, "time": 2, "symbol": "A"}', r"t\.ndjson:2.*'time'"),
        ('{"time": 1, "symbol": "A", "price": true, "size": 1}', r"t\.ndjson:2.*price"),
        ('{"time": 1, "symbol": "A", "price": NaN, "size": 1}', r"t\.ndjson:2.*price"),
    ],
)
def test_a_bad_ndjson_row_is_named_with_its_place(line, message):
    with pytest.raises(InvalidValueError, match=message):
        read_ndjson(["\n", line], "t.ndjson")


@pytest.mark.parametrize("suffix", ["csv", "ndjson"])
def test_a_file_is_read_by_its_suffix(tmp_path, suffix):
    path = tmp_path / f"own.{suffix}"
    row = {"time": "7", "symbol": "AAPL", "price": "1.5", "size": "2"}
    text = "time,symbol,price,size\n7,AAPL,1.5,2\n" if suffix == "csv" else json.dumps(row)
    path.write_text(text, encoding="utf-8")

    (tick,) = load_rows(path)

    assert (7, Decimal("1.5")) == (tick.time_ns, tick.last_price)


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(InvalidValueError, match="suffix"):
        load_rows(tmp_path / "own.parquet")


def test_rows_play_at_their_distances_from_the_start():
    one = feed(*PRINTS, start_ns=START_NS, at_end="stop")

    ticks = one.take(START_NS + HOUR_NS)

    assert [0, SECOND_NS, 4 * SECOND_NS] == [tick.time_ns - START_NS for tick in ticks]
    assert ["AAPL", "BTC/USD", "AAPL"] == [tick.symbol for tick in ticks]
    assert {"AAPL", "BTC/USD"} == one.symbols
    assert one.next_event_ns() is None


def test_without_a_start_rows_play_at_their_own_times():
    assert [0, SECOND_NS, 4 * SECOND_NS] == [
        tick.time_ns for tick in feed(*PRINTS, at_end="stop").take(HOUR_NS)
    ]


def test_speed_and_pauses_shorten_the_tape():
    fast = feed(*PRINTS, start_ns=0, speed=10, at_end="stop").take(HOUR_NS)
    short = feed(*PRINTS, start_ns=0, longest_pause_ns=2 * SECOND_NS, at_end="stop").take(HOUR_NS)

    assert [0, SECOND_NS // 10, 4 * SECOND_NS // 10] == [tick.time_ns for tick in fast]
    assert [0, SECOND_NS, 3 * SECOND_NS] == [tick.time_ns for tick in short]


def test_a_looping_tape_begins_again_a_second_after_its_end():
    ticks = feed(*PRINTS, start_ns=0).take(10 * SECOND_NS)

    assert [0, 1, 4, 5, 6, 9, 10] == [tick.time_ns // SECOND_NS for tick in ticks]
    assert ticks[0]._replace(time_ns=0) == ticks[3]._replace(time_ns=0)


def test_ticks_do_not_depend_on_how_takes_are_cut():
    whole, cut = feed(*PRINTS, start_ns=0), feed(*PRINTS, start_ns=0)

    pieces = [tick for to in (0, 1, SECOND_NS, 8 * SECOND_NS) for tick in cut.take(to)]

    assert pieces == whole.take(8 * SECOND_NS)


def test_a_print_alone_stands_between_quotes_a_tick_away():
    first = feed(*PRINTS).take(0)[0]

    assert (Decimal("189.99"), Decimal("190.01")) == (first.bid_price, first.ask_price)
    assert (Decimal(5), Decimal(5)) == (first.bid_size, first.ask_size)


def test_quotes_made_around_a_print_off_the_tick_are_on_it():
    (tick,) = feed("0,AAPL,,,,,155.105,5,").take(0)

    assert (Decimal("155.09"), Decimal("155.12")) == (tick.bid_price, tick.ask_price)


def test_a_print_inside_the_last_quote_keeps_it_and_one_outside_replaces_it():
    rows = (QUOTE, "2000000000,BTC/USD,,,,,100.50,9,BUY", "3000000000,BTC/USD,,,,,120,9,BUY")

    _, inside, outside = feed(*rows).take(3 * SECOND_NS)

    assert (Decimal("100.00"), Decimal(2), Decimal("100.50"), Decimal(3)) == inside[2:6]
    assert (Decimal("119.99"), Decimal("120.01")) == (outside.bid_price, outside.ask_price)


def test_prices_at_or_below_zero_need_the_instruments_leave():
    with pytest.raises(InvalidValueError, match="last_price"):
        feed("0,AAPL,,,,,0,1,")
    (tick,) = feed("0,CL,,,,,-37.63,1,").take(0)

    assert Decimal("-37.64") == tick.bid_price


@pytest.mark.parametrize(
    ("rows", "settings", "field"),
    [
        ((), {}, "ticks"),
        (("0,NOPE,,,,,1,1,",), {}, "symbol"),
        (PRINTS, {"speed": 0}, "speed"),
        (PRINTS, {"longest_pause_ns": 0}, "longest_pause_ns"),
    ],
)
def test_a_tape_that_can_not_play_is_refused(rows, settings, field):
    with pytest.raises(InvalidValueError, match=field):
        feed(*rows, **settings)


def test_ticks_out_of_order_are_refused():
    rows = csv_rows(*PRINTS)

    with pytest.raises(InvalidValueError, match="time_ns"):
        TapeFeed(rows[::-1], instruments=LISTED)


def test_skipping_lands_where_taking_would_have():
    taken, skipped = feed(*PRINTS, start_ns=0), feed(*PRINTS, start_ns=0)
    pause_ns = 3 * HOUR_NS + SECOND_NS // 2

    taken.take(pause_ns)
    skipped.skip_to(pause_ns)
    skipped.skip_to(0)

    assert pause_ns < taken.next_event_ns() == skipped.next_event_ns()
    assert taken.take(pause_ns + HOUR_NS) == skipped.take(pause_ns + HOUR_NS)


def test_restored_feed_goes_on_exactly():
    first, second = feed(*PRINTS, start_ns=0), feed(*PRINTS, start_ns=0)
    first.take(7 * SECOND_NS)

    second.restore(json.loads(json.dumps(first.state())))

    assert first.take(HOUR_NS) == second.take(HOUR_NS)


def test_the_past_is_told_up_to_now():
    one = feed(*PRINTS, start_ns=START_NS)
    now_ns = START_NS + 6 * SECOND_NS

    told = list(one.ticks("AAPL", Window(start_ns=START_NS + 1), now_ns))

    assert [4, 5] == [(tick.time_ns - START_NS) // SECOND_NS for tick in told]
    assert [] == list(one.ticks("AAPL", Window(end_ns=START_NS), now_ns))


def test_the_bundled_tape_holds_what_its_readme_says():
    rows = bundled_tape()

    kinds = Counter((row.symbol, "quote" if row.last_price is None else "print") for row in rows)
    assert {
        ("AAPL", "print"): 21,
        ("AAPL", "quote"): 19,
        ("TSLA", "print"): 7,
        ("TSLA", "quote"): 6,
        ("BTC/USD", "print"): 10,
        ("BTC/USD", "quote"): 10,
        ("ETH/USD", "print"): 5,
        ("ETH/USD", "quote"): 3,
        ("EUR/USD", "quote"): 2,
    } == kinds


def test_the_bundled_tape_plays_over_and_over_within_minutes():
    one = TapeFeed(
        bundled_tape(), instruments=LISTED, start_ns=START_NS, longest_pause_ns=SECOND_NS
    )

    ticks = one.take(START_NS + 300 * SECOND_NS)

    assert {"AAPL", "TSLA", "BTC/USD", "ETH/USD", "EUR/USD"} == {tick.symbol for tick in ticks}
    assert len(ticks) > 3 * 83
    assert all(tick.bid_price is not None or tick.ask_price is not None for tick in ticks)
