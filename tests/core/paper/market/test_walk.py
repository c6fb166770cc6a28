from __future__ import annotations

import json
from collections import defaultdict
from decimal import Decimal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.errors import InvalidValueError
from dragoman.models import OptionRight, Side, Window
from dragoman.money import is_multiple
from dragoman.paper.market.calendar import Calendar
from dragoman.paper.market.catalogue import default_instruments
from dragoman.paper.market.profile import MarketProfile
from dragoman.paper.market.walk import WalkFeed
from dragoman.paper.settings import Hours
from dragoman.times import DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS, parse_time

START_NS = parse_time("2026-02-02T14:30:17Z")
LISTED = default_instruments(START_NS)
BY_NAME = {name: item for item in LISTED for name in (item.symbol, *item.aliases)}


def feed(*names, seed=7, start_ns=START_NS, **settings):
    instruments = [BY_NAME[name] for name in names] if names else LISTED
    return WalkFeed(instruments, seed=seed, start_ns=start_ns, **settings)


def by_symbol(ticks):
    found = defaultdict(list)
    for tick in ticks:
        found[tick.symbol].append(tick)
    return found


def test_same_seed_gives_the_same_ticks():
    assert feed().take(START_NS + MINUTE_NS) == feed().take(START_NS + MINUTE_NS)


def test_another_seed_gives_other_prices():
    first, second = (feed("AAPL", seed=seed).take(START_NS + MINUTE_NS) for seed in (1, 2))

    assert [tick.bid_price for tick in first] != [tick.bid_price for tick in second]


@given(st.lists(st.integers(0, 200 * SECOND_NS), max_size=12))
def test_ticks_do_not_depend_on_how_takes_are_cut(cuts):
    whole, cut = feed("AAPL", "BTCUSD"), feed("AAPL", "BTCUSD")
    end_ns = START_NS + 200 * SECOND_NS

    pieces = [tick for to in sorted(cuts) for tick in cut.take(START_NS + to)]
    pieces += cut.take(end_ns)

    assert list(whole.take(end_ns)) == pieces


def test_ticks_come_in_time_order_from_the_start_on():
    ticks = feed().take(START_NS + 2 * MINUTE_NS)

    times = [tick.time_ns for tick in ticks]
    assert sorted(times) == times
    assert START_NS <= times[0] < START_NS + SECOND_NS // len(LISTED)
    assert len(set(times)) == len(times)


def test_each_instrument_ticks_once_a_step():
    ticks = feed(step_ns=SECOND_NS // 4).take(START_NS + MINUTE_NS - 1)

    assert {item.symbol: 240 for item in LISTED} == {
        symbol: len(rows) for symbol, rows in by_symbol(ticks).items()
    }


def test_next_event_is_the_time_of_the_next_tick():
    one = feed()

    for _ in range(100):
        due_ns = one.next_event_ns()
        assert () == tuple(one.take(due_ns - 1))
        assert [due_ns] == [tick.time_ns for tick in one.take(due_ns)]


def test_prices_are_on_the_tick_and_sizes_on_the_lot():
    for tick in feed().take(START_NS + 5 * MINUTE_NS):
        instrument = BY_NAME[tick.symbol]
        for price in (tick.bid_price, tick.ask_price, tick.last_price, tick.mark_price):
            if price is not None:
                assert is_multiple(price, instrument.tick_at(price))
        for size in (tick.bid_size, tick.ask_size, tick.last_size):
            assert size is None or (size > 0 and is_multiple(size, instrument.lot_size))


def test_the_bid_stays_below_the_ask_and_prints_are_at_the_takers_side():
    prints = 0
    for tick in feed().take(START_NS + 5 * MINUTE_NS):
        assert tick.bid_price is None or tick.bid_price < tick.ask_price
        assert (tick.last_price is None) == (tick.aggressor is None) == (tick.last_size is None)
        if tick.last_price is not None:
            prints += 1
            at = tick.ask_price if tick.aggressor is Side.BUY else tick.bid_price
            assert at == tick.last_price
    assert prints > 0


def test_prices_begin_at_the_start_price_of_the_minute():
    rows = by_symbol(feed(start_ns=START_NS // MINUTE_NS * MINUTE_NS).take(START_NS))

    assert Decimal("190.00") == rows["AAPL"][0].last_price
    assert Decimal("1.08500") == rows["EUR/USD"][0].last_price
    assert Decimal("65000.00") == rows["BTC/USD"][0].last_price


def test_volatility_is_of_the_order_asked_for():
    calm, wild = (
        feed("AAPL", profiles={"AAPL": MarketProfile(start_price=190, daily_volatility=spread)})
        for spread in ("0.002", "0.05")
    )

    reach = [
        max(prices) - min(prices)
        for prices in (
            [tick.last_price for tick in one.take(START_NS + 6 * HOUR_NS) if tick.last_price]
            for one in (calm, wild)
        )
    ]

    assert Decimal("0.05") < reach[0] < Decimal(2)
    assert 10 * reach[0] < reach[1] < Decimal(40)


def test_prices_stay_above_zero_through_years_of_storms():
    profile = MarketProfile(start_price="0.05", daily_volatility="0.2", spread_ticks=3)
    penny = feed("AAPL", profiles={"AAPL": profile})

    for day in range(0, 3_000, 100):
        window = Window(
            start_ns=START_NS + day * DAY_NS, end_ns=START_NS + day * DAY_NS + MINUTE_NS
        )
        for tick in penny.ticks("AAPL", window, window.end_ns):
            assert tick.bid_price > 0
            assert tick.ask_price < 1  # above a dollar its tick would not be good


def test_prices_below_zero_need_the_instruments_leave():
    profile = MarketProfile(start_price="0.02", daily_volatility="0.2")
    crude = feed("CL", profiles={BY_NAME["CL"].symbol: profile})

    bids = []
    for day in range(10):
        window = Window(
            start_ns=START_NS + day * DAY_NS, end_ns=START_NS + day * DAY_NS + MINUTE_NS
        )
        bids += [
            tick.bid_price for tick in crude.ticks(BY_NAME["CL"].symbol, window, window.end_ns)
        ]

    assert None not in bids
    assert min(bids) < 0


def test_a_price_of_zero_still_moves_where_negative_prices_are_allowed():
    profile = MarketProfile(start_price=0, daily_volatility="0.2")
    symbol = BY_NAME["CL"].symbol
    window = Window(start_ns=START_NS + 9 * DAY_NS, end_ns=START_NS + 10 * DAY_NS)

    one = feed("CL", profiles={symbol: profile})

    assert 0 != next(one.ticks(symbol, window, window.end_ns)).bid_price


@pytest.mark.parametrize(
    ("start", "bands"),
    [("0.9990", ((0, "0.0001"), (1, "0.01"))), ("10.05", ((0, "0.05"), (10, "0.01")))],
    ids=["coarser-above", "coarser-below"],
)
def test_a_price_stays_in_the_band_where_its_tick_is_good(start, bands):
    rows = tuple((Decimal(from_price), Decimal(tick)) for from_price, tick in bands)
    instrument = attrs.evolve(BY_NAME["AAPL"], tick_bands=rows)
    profile = MarketProfile(start_price=start, daily_volatility="0.2", spread_ticks=3)
    one = WalkFeed([instrument], seed=3, start_ns=START_NS, profiles={"AAPL": profile})

    ticks = one.take(START_NS + 6 * HOUR_NS)

    assert len({tick.bid_price for tick in ticks}) > 20
    for tick in ticks:
        for price in (tick.bid_price, tick.ask_price):
            assert is_multiple(price, instrument.tick_at(price))


def test_sizes_keep_to_an_unusual_lot():
    instrument = attrs.evolve(BY_NAME["AAPL"], symbol="ODD", lot_size=Decimal("0.3"))
    one = WalkFeed([instrument], seed=3, start_ns=START_NS)

    assert {"ODD"} == one.symbols
    assert all(
        is_multiple(tick.bid_size, Decimal("0.3")) for tick in one.take(START_NS + MINUTE_NS)
    )


def test_perpetuals_stay_near_their_spot():
    for tick in feed().take(START_NS + HOUR_NS):
        if tick.symbol in {"PF_XBTUSD", "BTCUSD_PERP"}:
            assert abs(tick.mark_price / tick.index_price - 1) < Decimal("0.0005")
            assert abs(tick.bid_price / tick.index_price - 1) < Decimal("0.001")
        else:
            assert tick.mark_price is None
            assert tick.index_price is None


def test_an_index_price_is_the_spot_price_of_that_moment():
    rows = by_symbol(feed("BTCUSD", "BTC-PERP").take(START_NS + MINUTE_NS - 1))

    pairs = list(zip(rows["BTC/USD"], rows["PF_XBTUSD"], strict=True))
    assert 60 == len(pairs)
    assert all(
        perpetual.index_price in {spot.bid_price, spot.ask_price} for spot, perpetual in pairs
    )


@pytest.mark.parametrize("right", OptionRight)
def test_options_are_worth_their_intrinsic_value_and_move_with_the_underlying(right):
    name = f"AAPL-{right}"
    rows = by_symbol(feed("AAPL", name).take(START_NS + 3 * HOUR_NS - 1))
    sign = 1 if right is OptionRight.CALL else -1

    mids = [
        (stock.last_price, option.last_price)
        for stock, option in zip(rows["AAPL"], rows[BY_NAME[name].symbol], strict=True)
        if stock.last_price and option.last_price
    ]
    lowest, highest = min(mids), max(mids)

    assert len(mids) > 1_000
    assert all(option >= max(sign * (stock - 190), 0) for stock, option in mids)
    moved = sign * (highest[1] - lowest[1]) / (highest[0] - lowest[0])
    assert Decimal("0.3") < moved < Decimal("0.7")


def test_a_worthless_option_has_an_offer_and_no_bid():
    profile = MarketProfile(start_price=20)
    rows = feed("AAPL", "AAPL-CALL", profiles={"AAPL": profile}).take(START_NS + SECOND_NS)

    option = [tick for tick in rows if tick.symbol == BY_NAME["AAPL-CALL"].symbol][-1]
    assert (None, None) == (option.bid_price, option.bid_size)
    assert option.ask_price > 0


def test_a_derivative_without_its_underlying_walks_by_itself():
    ticks = feed("BTC-PERP", "AAPL-CALL").take(START_NS + 2 * SECOND_NS)

    assert {"PF_XBTUSD", BY_NAME["AAPL-CALL"].symbol} == {tick.symbol for tick in ticks}
    assert all(tick.mark_price for tick in ticks if tick.symbol == "PF_XBTUSD")


def test_an_instrument_ends_at_its_expiry():
    ends_ns = START_NS // MINUTE_NS * MINUTE_NS + 3 * MINUTE_NS
    instrument = attrs.evolve(BY_NAME["MES"], expires_at_ns=ends_ns)
    one = WalkFeed([instrument], seed=1, start_ns=START_NS)

    ticks = one.take(START_NS + DAY_NS)

    assert ends_ns - SECOND_NS == ticks[-1].time_ns
    assert one.next_event_ns() is None


def test_a_closed_market_has_no_ticks():
    calendar = Calendar(Hours.REAL)
    friday_ns = parse_time("2026-02-06T21:58:00Z")
    one = feed("AAPL", "EURUSD", "BTCUSD", start_ns=friday_ns, calendar=calendar)

    ticks = one.take(friday_ns + 5 * HOUR_NS)

    last = {symbol: rows[-1].time_ns for symbol, rows in by_symbol(ticks).items()}
    assert parse_time("2026-02-07T01:00:00Z") > last["AAPL"] > parse_time("2026-02-07T00:59:58Z")
    assert parse_time("2026-02-06T22:00:00Z") > last["EUR/USD"] > parse_time("2026-02-06T21:59:58Z")
    assert last["BTC/USD"] > friday_ns + 5 * HOUR_NS - 2 * SECOND_NS


def test_the_first_tick_after_a_rest_is_at_the_opening():
    start_ns = parse_time("2026-02-07T12:00:00Z")
    one = feed("EURUSD", start_ns=start_ns, calendar=Calendar(Hours.REAL))

    assert parse_time("2026-02-08T22:00:00Z") == one.next_event_ns()


def test_skipping_lands_where_taking_would_have():
    taken, skipped = feed(), feed()
    pause_ns = START_NS + 3 * HOUR_NS + 123_456_789

    taken.take(pause_ns)
    skipped.skip_to(pause_ns)

    assert taken.next_event_ns() == skipped.next_event_ns() > pause_ns
    assert taken.take(pause_ns + MINUTE_NS) == skipped.take(pause_ns + MINUTE_NS)


def test_skipping_never_goes_back():
    one = feed("AAPL")
    one.take(START_NS + MINUTE_NS)

    one.skip_to(START_NS)

    assert one.next_event_ns() > START_NS + MINUTE_NS


def test_restored_feed_goes_on_exactly():
    first, second = feed(), feed()
    first.take(START_NS + 95 * SECOND_NS)

    second.restore(json.loads(json.dumps(first.state())))

    end_ns = START_NS + 5 * MINUTE_NS
    assert first.next_event_ns() == second.next_event_ns()
    assert first.take(end_ns) == second.take(end_ns)


def test_what_was_streamed_can_be_read_again():
    one = feed()
    streamed = by_symbol(one.take(START_NS + 3 * MINUTE_NS))

    for symbol, ticks in streamed.items():
        window = Window(start_ns=START_NS, end_ns=START_NS + DAY_NS)
        assert ticks == list(one.ticks(symbol, window, START_NS + 3 * MINUTE_NS))


@pytest.mark.parametrize("step_ns", [0, -1, 7 * SECOND_NS, 20 * SECOND_NS, MINUTE_NS])
def test_a_step_must_divide_a_minute(step_ns):
    with pytest.raises(InvalidValueError, match="step_ns"):
        feed("AAPL", step_ns=step_ns)


@pytest.mark.parametrize("step_ns", [SECOND_NS // 10, SECOND_NS, 5 * SECOND_NS, 15 * SECOND_NS])
def test_any_step_walks(step_ns):
    ticks = feed("AAPL", step_ns=step_ns).take(START_NS + 3 * MINUTE_NS - 1)

    assert 3 * MINUTE_NS // step_ns == len(ticks)


@pytest.mark.parametrize(
    "changes",
    [
        {"daily_volatility": "0"},
        {"daily_volatility": "0.3"},
        {"spread_ticks": 0},
        {"lot": 0},
        {"usual_lots": 0},
    ],
)
def test_a_profile_out_of_bounds_is_refused(changes):
    with pytest.raises(InvalidValueError, match=next(iter(changes))):
        MarketProfile(start_price=1, **changes)
