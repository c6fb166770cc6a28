"""Reading the account and the market through the SDK."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import tektii
from tests.sdk.clients import open_client

TIMEFRAMES = [frame.value for frame in tektii.Timeframe]
needs_sizing = pytest.mark.skipif(
    not hasattr(tektii.TradingGateway, "quantity_for_notional"), reason="came after 1.5.1"
)


def test_an_account_has_decimal_strings_and_a_currency(gateway):
    account = gateway.get_account()

    assert "USD" == account.currency
    assert Decimal(account.equity) > 0
    assert Decimal(account.balance) > 0
    assert Decimal(account.margin_available) >= 0
    assert Decimal(account.margin_used) >= 0
    assert Decimal(account.unrealized_pnl).is_finite()


def test_equity_is_balance_and_open_profit(gateway, flat):
    account = gateway.get_account()

    assert Decimal(account.equity) == Decimal(account.balance) + Decimal(account.unrealized_pnl)


@pytest.mark.parametrize("symbol", ["AAPL", "MSFT", "BTC/USD"])
def test_a_quote_has_both_sides_the_last_price_and_its_provider(gateway, symbol):
    quote = gateway.get_quote(symbol)

    assert symbol == quote.symbol
    assert 0 < Decimal(quote.bid) <= Decimal(quote.ask)
    assert Decimal(quote.last) > 0
    assert quote.provider in {"mock", "alpaca", "alpaca-paper"}
    assert timedelta(0) == quote.timestamp.utcoffset()


def test_sizes_of_a_quote_are_positive_where_told(gateway):
    quote = gateway.get_quote("AAPL")

    told = [size for size in (quote.bid_size, quote.ask_size) if size is not None]
    assert all(Decimal(size) > 0 for size in told)


@pytest.mark.parametrize("timeframe", TIMEFRAMES)
def test_bars_of_every_timeframe_come_oldest_first(gateway, timeframe):
    bars = gateway.get_bars("AAPL", timeframe, limit=3)

    times = [bar.timestamp for bar in bars]
    assert sorted(set(times)) == times
    assert len(bars) <= 3
    assert {timeframe} >= {bar.timeframe.value for bar in bars}


def test_a_timeframe_may_be_given_as_the_enum(gateway):
    bars = gateway.get_bars("AAPL", tektii.Timeframe.FIELD_1M, limit=1)

    assert {"1m"} >= {bar.timeframe.value for bar in bars}


def test_a_bar_encloses_its_open_and_close(gateway):
    bars = gateway.get_bars("AAPL", "1m", limit=5)

    assert bars
    for bar in bars:
        low, high = Decimal(bar.low), Decimal(bar.high)
        assert low <= min(Decimal(bar.open), Decimal(bar.close))
        assert high >= max(Decimal(bar.open), Decimal(bar.close))
        assert Decimal(bar.volume) >= 0
        assert bar.provider
        assert "AAPL" == bar.symbol


def test_the_limit_of_bars_keeps_the_latest(gateway):
    end = datetime.now(UTC) - timedelta(minutes=2)
    many = gateway.get_bars("AAPL", "1m", start=end - timedelta(minutes=30), end=end)
    few = gateway.get_bars("AAPL", "1m", start=end - timedelta(minutes=30), end=end, limit=2)

    assert len(few) == min(2, len(many))
    assert {bar.timestamp for bar in few} <= {bar.timestamp for bar in many}


def test_start_and_end_of_bars_are_inclusive(gateway):
    known = gateway.get_bars("AAPL", "1m", limit=4)
    start, end = known[0].timestamp, known[-1].timestamp

    found = gateway.get_bars("AAPL", "1m", start=start, end=end)

    assert [bar.timestamp for bar in known] == [bar.timestamp for bar in found]


def test_one_instant_as_start_and_end_gives_its_bar(gateway):
    known = gateway.get_bars("AAPL", "1m", limit=3)[0].timestamp

    found = gateway.get_bars("AAPL", "1m", start=known, end=known)

    assert [known] == [bar.timestamp for bar in found]


def test_bars_of_a_pair_with_a_slash_are_found(gateway):
    bars = gateway.get_bars("BTC/USD", "1h", limit=2)

    assert {"BTC/USD"} >= {bar.symbol for bar in bars}


def test_a_naive_time_is_refused_before_anything_is_sent(gateway):
    naive = datetime(2026, 1, 7)  # noqa: DTZ001 - the point

    with pytest.raises(ValueError, match="start"):
        gateway.get_bars("AAPL", "1m", start=naive)


@needs_sizing
def test_a_notional_is_sized_at_a_given_price_exactly(gateway):
    size = gateway.quantity_for_notional("AAPL", notional="5000", price="200")

    assert Decimal(25) == size


@needs_sizing
def test_a_notional_is_sized_at_the_midpoint(gateway):
    quote = gateway.get_quote("AAPL")
    middle = (Decimal(quote.bid) + Decimal(quote.ask)) / 2

    size = gateway.quantity_for_notional("AAPL", notional="5000")

    assert abs(size * middle / 5000 - 1) < Decimal("0.2")


@needs_sizing
def test_a_part_of_the_equity_is_sized(gateway):
    equity = Decimal(gateway.get_account().equity)

    size = gateway.quantity_for_notional("BTC/USD", equity_fraction="0.1", price="50000")

    assert abs(size * 500000 / equity - 1) < Decimal("0.2")


@needs_sizing
def test_a_target_is_given_exactly_once(gateway):
    with pytest.raises(ValueError, match="exactly one"):
        gateway.quantity_for_notional("AAPL", notional="1", equity_fraction="0.1")


def test_a_client_reads_its_address_and_key_from_the_environment(base, monkeypatch):
    monkeypatch.setenv("TRADING_GATEWAY_URL", base)
    monkeypatch.setenv("TRADING_GATEWAY_API_KEY", "any-key-will-do-here-without-keys")

    client = open_client("sync", None)

    assert "USD" == client.get_account().currency
    client.close()


def test_every_amount_on_the_wire_is_a_string(http):
    for path in ("/v1/account", "/v1/quotes/AAPL", "/v1/bars/AAPL?timeframe=1m&limit=2"):
        found = json.loads(http.get(path).text)
        for each in found if isinstance(found, list) else [found]:
            assert {str} == {type(value) for value in each.values()}
