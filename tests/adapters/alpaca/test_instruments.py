"""Instruments, market hours and the market's clock, out of Alpaca's rows."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.adapters.alpaca.trading_rows import AT_NS, D, read, reading

from dragoman.errors import DecodeError, ProtocolError
from dragoman.models import (
    AssetClass,
    Instrument,
    InstrumentKind,
    MarketHours,
    OptionRight,
    OrderType,
    TimeInForce,
    TradingState,
)
from dragoman.times import parse_time
from dragoman_alpaca.capabilities import EQUITY_TIMES, EQUITY_TYPES
from dragoman_alpaca.mapping.instruments import hours_of, instrument_of, option_of, status_of
from dragoman_alpaca.wire.trading import AssetRow, CalendarRow, ClockRow, OptionContractRow

SHARE = {
    "id": "b0b6dd9d-8b9b-48a9-ba46-b9d54906e415",
    "class": "us_equity",
    "exchange": "NASDAQ",
    "symbol": "AAPL",
    "name": "Apple Inc. Common Stock",
    "status": "active",
    "tradable": True,
    "marginable": True,
    "shortable": True,
    "easy_to_borrow": True,
    "fractionable": True,
    "attributes": ["has_options", "fractional_eh_enabled"],
}
PAIR = {
    "id": "276e2673-764b-4ab6-a611-caf665ca6340",
    "class": "crypto",
    "exchange": "CRYPTO",
    "symbol": "BTC/USD",
    "name": "BTC/USD pair",
    "status": "active",
    "tradable": True,
    "marginable": False,
    "shortable": False,
    "fractionable": True,
    "min_order_size": "0.0001",
    "min_trade_increment": "0.00001",
    "price_increment": "0.5",
}
CONTRACT = {
    "id": "98359ef7-5124-49f3-85ea-5cf02df6defa",
    "symbol": "AAPL250620C00100000",
    "name": "AAPL Jun 20 2025 100 Call",
    "status": "active",
    "tradable": True,
    "expiration_date": "2025-06-20",
    "root_symbol": "AAPL",
    "underlying_symbol": "AAPL",
    "type": "call",
    "style": "american",
    "strike_price": "100",
    "multiplier": "100",
    "size": "100",
}


def asset(content, **fields):
    return instrument_of(read(content | fields, AssetRow), reading())


class TestShare:
    def test_is_read_whole(self):
        assert Instrument(
            symbol="AAPL",
            asset_class=AssetClass.EQUITY,
            kind=InstrumentKind.SPOT,
            quote="USD",
            settlement="USD",
            provider="alpaca-paper",
            received_at_ns=AT_NS,
            aliases=(SHARE["id"],),
            name="Apple Inc. Common Stock",
            exchange="NASDAQ",
            base="AAPL",
            tick_bands=((D(0), D("0.0001")), (D(1), D("0.01"))),
            lot_size=D("0.000000001"),
            is_tradable=True,
            is_shortable=True,
            order_types=EQUITY_TYPES,
            times_in_force=EQUITY_TIMES,
            venue_rules={
                "marginable": "true",
                "easy_to_borrow": "true",
                "fractionable": "true",
                "attributes": "has_options,fractional_eh_enabled",
            },
        ) == asset(SHARE)

    @pytest.mark.parametrize(
        ("price", "tick"), [("0.9999", "0.0001"), ("1.00", "0.01"), ("150", "0.01")]
    )
    def test_tick_at(self, price, tick):
        assert D(tick) == asset(SHARE).tick_at(D(price))

    @pytest.mark.parametrize(
        ("is_fractionable", "lot"), [(True, D("1E-9")), (False, D(1)), (None, None)]
    )
    def test_lot(self, is_fractionable, lot):
        assert lot == asset(SHARE, fractionable=is_fractionable).lot_size

    def test_increments_that_are_stated_win(self):
        found = asset(SHARE, price_increment="0.25", min_trade_increment="2", min_order_size="4")

        assert (D("0.25"), (), D(2), D(4)) == (
            found.tick_size,
            found.tick_bands,
            found.lot_size,
            found.min_quantity,
        )

    @pytest.mark.parametrize(
        ("fields", "is_tradable"),
        [
            ({"tradable": True}, True),
            ({"tradable": False}, False),
            ({"status": "inactive"}, False),
            ({"tradable": None, "status": None}, None),
        ],
        ids=["tradable", "not", "inactive", "unsaid"],
    )
    def test_tradable(self, fields, is_tradable):
        assert is_tradable is asset(SHARE, **fields).is_tradable


class TestPair:
    def test_is_priced_in_what_follows_the_slash(self):
        found = asset(PAIR, symbol="ETH/BTC")

        assert ("ETH", "BTC", "BTC", None) == (
            found.base,
            found.quote,
            found.settlement,
            found.min_notional,
        )
        assert AssetClass.CRYPTO is found.asset_class

    def test_has_its_own_increments(self):
        found = asset(PAIR)

        assert (D("0.5"), D("0.00001"), D("0.0001")) == (
            found.tick_size,
            found.lot_size,
            found.min_quantity,
        )

    def test_in_dollars_must_come_to_ten(self):
        assert D(10) == asset(PAIR).min_notional

    def test_is_found_without_its_slash(self):
        assert (PAIR["id"], "BTCUSD") == asset(PAIR).aliases

    def test_takes_less_than_shares_do(self):
        found = asset(PAIR)

        assert {OrderType.MARKET, OrderType.LIMIT, OrderType.STOP_LIMIT} == found.order_types
        assert {TimeInForce.GTC, TimeInForce.IOC} == found.times_in_force

    def test_needs_its_whole_value(self):
        assert D(1) == asset(PAIR).margin_rate

    def test_in_older_payloads_has_no_slash(self):
        found = asset(PAIR, symbol="BTCUSD")

        assert (None, "USD", (PAIR["id"],)) == (found.base, found.quote, found.aliases)


@pytest.mark.parametrize(
    ("word", "axes"),
    [
        ("us_equity", (AssetClass.EQUITY, InstrumentKind.SPOT)),
        ("us_option", (AssetClass.EQUITY, InstrumentKind.OPTION)),
        ("crypto", (AssetClass.CRYPTO, InstrumentKind.SPOT)),
        ("crypto_perp", (AssetClass.CRYPTO, InstrumentKind.PERPETUAL)),
        ("ipo", (AssetClass.EQUITY, InstrumentKind.SPOT)),
        ("tulips", (AssetClass.UNKNOWN, InstrumentKind.UNKNOWN)),
    ],
)
def test_class(word, axes):
    found = asset(SHARE, **{"class": word})

    assert axes == (found.asset_class, found.kind)


def test_a_class_nobody_knows_is_reported(caplog):
    with caplog.at_level(logging.WARNING):
        asset(SHARE, **{"class": "tulips"})

    assert ["tulips"] == [record.word for record in caplog.records]


def test_an_asset_without_a_symbol_is_refused():
    with pytest.raises(ProtocolError):
        asset(SHARE, symbol="")


class TestOption:
    def read(self, **fields):
        return option_of(read(CONTRACT | fields, OptionContractRow), reading())

    def test_is_a_contract(self):
        found = self.read()

        assert (InstrumentKind.OPTION, "AAPL", D(100), OptionRight.CALL, D(100), D(1)) == (
            found.kind,
            found.underlying,
            found.strike,
            found.option_right,
            found.multiplier,
            found.lot_size,
        )
        assert {TimeInForce.DAY} == found.times_in_force
        assert {"style": "american", "status": "active"} == found.venue_rules

    def test_ends_when_the_market_closes(self):
        assert parse_time("2025-06-20T16:00:00-04:00") == self.read().expires_at_ns

    @pytest.mark.parametrize(
        ("word", "right"),
        [("call", OptionRight.CALL), ("put", OptionRight.PUT), ("both", None), (None, None)],
    )
    def test_right(self, word, right):
        assert right is self.read(type=word).option_right

    @pytest.mark.parametrize(
        ("fields", "multiplier"),
        [
            ({"multiplier": "10"}, D(10)),
            ({"multiplier": None, "size": "50"}, D(50)),
            ({"multiplier": None, "size": None}, D(100)),
        ],
        ids=["multiplier", "size", "neither"],
    )
    def test_multiplier(self, fields, multiplier):
        assert multiplier == self.read(**fields).multiplier

    def test_without_a_symbol_is_refused(self):
        with pytest.raises(ProtocolError):
            self.read(symbol="")


class TestHours:
    def test_are_the_sessions_before_in_and_after_the_market_oldest_first(self):
        days = [
            {"date": "2025-07-02", "open": "09:30", "close": "16:00"},
            {
                "date": "2025-01-02",
                "open": "09:30",
                "close": "16:00",
                "session_open": "0400",
                "session_close": "2000",
            },
        ]

        found = hours_of(read(days, list[CalendarRow]))

        assert (
            hours("2025-01-02T04:00:00-05:00", "2025-01-02T09:30:00-05:00", "PRE_MARKET"),
            hours("2025-01-02T09:30:00-05:00", "2025-01-02T16:00:00-05:00", "OPEN"),
            hours("2025-01-02T16:00:00-05:00", "2025-01-02T20:00:00-05:00", "AFTER_HOURS"),
            hours("2025-07-02T09:30:00-04:00", "2025-07-02T16:00:00-04:00", "OPEN"),
        ) == found

    @pytest.mark.parametrize("closes", ["19:00", "03:00"])
    def test_that_do_not_close_after_they_open_go_on_until_the_next_day(self, closes):
        day = {"date": "2025-01-02", "open": "19:00", "close": closes}

        found = hours_of([read(day, CalendarRow)])

        expected = hours("2025-01-02T19:00:00-05:00", f"2025-01-03T{closes}:00-05:00", "OPEN")
        assert (expected,) == found

    @pytest.mark.parametrize(
        "fields",
        [
            {"open": None},
            {"close": "morning"},
            {"open": "25:00"},
            {"date": "someday"},
            {"open": ""},
        ],
        ids=["no-open", "close", "open", "date", "blank"],
    )
    def test_that_are_none_are_left_out(self, fields):
        day = {"date": "2025-01-02", "open": "09:30", "close": "16:00"} | fields

        assert () == hours_of([read(day, CalendarRow)])


def hours(opens, closes, state):
    return MarketHours(
        opens_at_ns=parse_time(opens), closes_at_ns=parse_time(closes), state=TradingState[state]
    )


@pytest.mark.parametrize(
    ("is_open", "state", "resumes"),
    [
        (True, TradingState.OPEN, None),
        (False, TradingState.CLOSED, "2025-06-25T09:30:00-04:00"),
        (None, TradingState.UNKNOWN, None),
    ],
)
def test_clock(is_open, state, resumes):
    content = {
        "is_open": is_open,
        "next_close": "2025-06-24T16:00:00-04:00",
        "next_open": "2025-06-25T09:30:00-04:00",
        "timestamp": "2025-06-24T14:15:22-04:00",
    }

    found = status_of(read(content, ClockRow), reading())

    assert (state, None) == (found.state, found.symbol)
    assert (resumes and parse_time(resumes)) == found.resumes_at_ns
    assert parse_time("2025-06-24T14:15:22-04:00") == found.venue_time_ns


def some(content):
    more = st.one_of(st.none(), st.booleans(), st.integers(), st.sampled_from(["", "-1", "1e5"]))
    words = st.one_of(more, st.text(max_size=150))
    optional = {name: st.one_of(st.just(value), words) for name, value in content.items()}
    return st.fixed_dictionaries({}, optional=optional)


@given(some(SHARE | PAIR), some(CONTRACT))
def test_any_row_is_read_or_refused_as_the_venues_fault(share, contract):
    for content, shape, of in (
        (share, AssetRow, instrument_of),
        (contract, OptionContractRow, option_of),
    ):
        try:
            found = of(read(content, shape), reading())
        except (DecodeError, ProtocolError):
            continue
        assert content["symbol"] == found.symbol
