from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal

import pytest

from dragoman.models import AssetClass, InstrumentKind, OptionRight
from dragoman.paper.market.catalogue import default_instruments
from dragoman.paper.market.expiries import (
    crude_expiry,
    month_code,
    next_crude_month,
    next_third_friday,
    occ_symbol,
    third_friday,
)
from dragoman.times import DAY_NS, format_time, parse_time

START_NS = parse_time("2026-02-02T14:30:00Z")
BY_SYMBOL = {item.symbol: item for item in default_instruments(START_NS)}


def test_every_kind_of_market_is_listed():
    found = {(item.asset_class, item.kind) for item in BY_SYMBOL.values()}

    assert {
        (AssetClass.EQUITY, InstrumentKind.SPOT),
        (AssetClass.EQUITY, InstrumentKind.OPTION),
        (AssetClass.FX, InstrumentKind.SPOT),
        (AssetClass.CRYPTO, InstrumentKind.SPOT),
        (AssetClass.CRYPTO, InstrumentKind.PERPETUAL),
        (AssetClass.INDEX, InstrumentKind.FUTURE),
        (AssetClass.COMMODITY, InstrumentKind.FUTURE),
        (AssetClass.COMMODITY, InstrumentKind.CFD),
    } <= found


def test_no_two_instruments_share_a_name():
    names = Counter(name for item in BY_SYMBOL.values() for name in {item.symbol, *item.aliases})

    assert [] == [name for name, count in names.items() if count > 1]


def test_every_instrument_says_what_an_order_needs():
    for item in BY_SYMBOL.values():
        assert item.tick_size is not None
        assert item.lot_size is not None
        assert item.is_tradable


def test_provider_and_receipt_are_the_callers():
    first = default_instruments(START_NS, received_at_ns=7, provider="elsewhere")[0]

    assert ("elsewhere", 7) == (first.provider, first.received_at_ns)


@pytest.mark.parametrize(("price", "tick"), [("0.9999", "0.0001"), ("1", "0.01"), ("190", "0.01")])
def test_equities_tick_finer_below_a_dollar(price, tick):
    assert Decimal(tick) == BY_SYMBOL["AAPL"].tick_at(Decimal(price))


def test_inverse_perpetual_settles_in_its_coin():
    perpetual = BY_SYMBOL["BTCUSD_PERP"]

    value = perpetual.value(Decimal(10), Decimal(50_000))

    assert ("BTC", Decimal("0.02")) == (value.currency, value.amount)


@pytest.mark.parametrize(
    ("start", "symbols"),
    [
        ("2026-02-02T14:30:00Z", {"MESH6", "CLH6", "AAPL260220C00190000", "AAPL260220P00190000"}),
        ("2026-03-14T00:00:00Z", {"MESM6", "CLK6", "AAPL260417C00190000", "AAPL260417P00190000"}),
        ("2026-12-31T23:59:59Z", {"MESH7", "CLG7", "AAPL270115C00190000", "AAPL270115P00190000"}),
    ],
)
def test_contracts_are_those_next_to_end_after_the_start(start, symbols):
    start_ns = parse_time(start)
    ending = [item for item in default_instruments(start_ns) if item.expires_at_ns is not None]

    assert symbols == {item.symbol for item in ending}
    assert all(item.expires_at_ns >= start_ns + 6 * DAY_NS for item in ending)


def test_aliases_of_contracts_do_not_depend_on_the_start():
    later = default_instruments(START_NS + 400 * DAY_NS)
    names = {alias for item in later for alias in item.aliases}

    assert {"MES", "CL", "AAPL-CALL", "AAPL-PUT"} <= names


def test_future_ends_at_half_past_nine_in_new_york():
    summer = {
        item.aliases[:1]: item for item in default_instruments(parse_time("2026-06-01T00:00:00Z"))
    }

    assert "2026-03-20T13:30:00.000000000Z" == format_time(BY_SYMBOL["MESH6"].expires_at_ns)
    assert "2026-06-18T13:30:00.000000000Z" == format_time(summer[("MES",)].expires_at_ns)


@pytest.mark.parametrize(
    ("year", "month", "day"),
    [(2025, 12, date(2025, 12, 19)), (2026, 6, date(2026, 6, 18)), (2019, 4, date(2019, 4, 18))],
    ids=["plain", "juneteenth", "good-friday"],
)
def test_third_friday_gives_way_to_a_holiday(year, month, day):
    assert day == third_friday(year, month)


@pytest.mark.parametrize(
    ("month", "day"),
    [(date(2020, 5, 1), date(2020, 4, 21)), (date(2026, 1, 1), date(2025, 12, 19))],
    ids=["weekday-25th", "christmas-25th"],
)
def test_crude_ends_three_sessions_before_the_25th(month, day):
    assert day == crude_expiry(month)


def test_a_contract_within_a_week_of_its_end_is_passed_over():
    assert date(2026, 3, 20) == next_third_friday(
        parse_time("2026-03-13T00:00:00Z"), quarterly=True
    )
    assert date(2026, 6, 18) == next_third_friday(
        parse_time("2026-03-14T00:00:00Z"), quarterly=True
    )
    assert date(2026, 4, 1) == next_crude_month(parse_time("2026-02-14T00:00:00Z"))


def test_codes_are_those_of_the_exchanges():
    assert "U6" == month_code(date(2026, 9, 1))
    symbol = occ_symbol("AAPL", date(2026, 9, 18), OptionRight.PUT, Decimal("187.5"))
    assert "AAPL260918P00187500" == symbol
