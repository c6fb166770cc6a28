from decimal import Decimal

import pytest

from dragoman.models import (
    AssetClass,
    Bar,
    Depth,
    Instrument,
    InstrumentKind,
    Level,
    OptionQuote,
    Quote,
    Side,
    Timeframe,
    Trade,
)
from dragoman_alpaca.dialect.market_rows import CRYPTO, OPTION, STOCK, RowWriter, greeks_of
from dragoman_alpaca.dialect.market_text import Instant

COMMON = {"symbol": "AAPL", "provider": "mock", "received_at_ns": 9, "venue_time_ns": 5}
QUOTE = Quote(
    bid_price=Decimal("1.10"),
    bid_size=Decimal(3),
    ask_price=Decimal("1.20"),
    ask_size=Decimal(4),
    **COMMON,
)
TRADE = Trade(
    price=Decimal("1.15"),
    size=Decimal(2),
    trade_id="71",
    aggressor=Side.SELL,
    conditions=("@", "I"),
    **COMMON,
)
NASDAQ = RowWriter(STOCK, "Q", "C")


def instrument(exchange):
    return Instrument(
        symbol="AAPL",
        asset_class=AssetClass.EQUITY,
        kind=InstrumentKind.SPOT,
        quote="USD",
        settlement="USD",
        provider="mock",
        received_at_ns=0,
        exchange=exchange,
    )


@pytest.mark.parametrize(
    ("asset_class", "more"),
    [
        (STOCK, {"bx": "Q", "ax": "Q", "c": (), "z": "C"}),
        (CRYPTO, {}),
        (OPTION, {"bx": "", "ax": "", "c": ""}),
    ],
)
def test_a_quote_has_the_fields_of_its_asset_class(asset_class, more):
    writer = RowWriter.of(instrument("NASDAQ"), asset_class)
    amounts = {
        "bp": Decimal("1.10"),
        "bs": Decimal(3),
        "ap": Decimal("1.20"),
        "as": Decimal(4),
    }

    assert {"t": Instant(5), **amounts, **more} == writer.quote(QUOTE)


def test_a_missing_side_of_a_quote_is_zero():
    row = RowWriter(CRYPTO).quote(Quote(bid_price=Decimal(7), **COMMON))

    assert {"t": Instant(5), "bp": 7, "bs": 0, "ap": 0, "as": 0} == row


@pytest.mark.parametrize(
    ("asset_class", "more"),
    [
        (STOCK, {"i": 71, "x": "Q", "c": ["@", "I"], "z": "C"}),
        (CRYPTO, {"i": 71, "tks": "S"}),
        (OPTION, {"x": "", "c": "@"}),
    ],
)
def test_a_trade_has_the_fields_of_its_asset_class(asset_class, more):
    writer = RowWriter.of(instrument("NASDAQ"), asset_class)

    assert {"t": Instant(5), "p": Decimal("1.15"), "s": Decimal(2), **more} == writer.trade(TRADE)


@pytest.mark.parametrize(
    ("exchange", "code", "tape"),
    [
        ("AMEX", "A", "B"),
        ("ARCA", "P", "B"),
        ("BATS", "Z", "B"),
        ("IEX", "V", "B"),
        ("NASDAQ", "Q", "C"),
        ("NYSE", "N", "A"),
        ("nyse", "N", "A"),
        ("XETRA", "", ""),
        (None, "", ""),
    ],
)
def test_a_stock_carries_the_code_and_the_tape_of_where_it_is_listed(exchange, code, tape):
    assert RowWriter(STOCK, code, tape) == RowWriter.of(instrument(exchange), STOCK)


def test_a_time_that_the_venue_does_not_tell_is_when_it_was_heard():
    trade = Trade(
        symbol="BTC/USD", price=Decimal(1), size=Decimal(1), provider="mock", received_at_ns=9
    )

    assert {"t": Instant(9), "p": 1, "s": 1} == RowWriter(CRYPTO).trade(trade)


def test_an_id_that_is_no_number_becomes_the_same_number_every_time():
    def number(trade_id, symbol="AAPL"):
        trade = Trade(**COMMON | {"symbol": symbol}, price=1, size=1, trade_id=trade_id)
        return NASDAQ.trade(trade)["i"]

    assert 5_279_491_075_350_809_465 == number("5279491075350809465")
    assert number("t1") == number("t1")
    assert 4 == len({number("t1"), number("t2"), number("t1", "MSFT"), number(str(2**63))})
    assert all(0 <= number(text) < 2**63 for text in ("t1", "-7", "²", str(2**63)))


def test_a_bar_is_stamped_with_its_opening():
    bar = Bar(
        symbol="AAPL",
        timeframe=Timeframe.parse("1m"),
        open_time_ns=3,
        open=Decimal(1),
        high=Decimal(4),
        low=Decimal("0.5"),
        close=Decimal(2),
        is_complete=True,
        provider="mock",
        received_at_ns=9,
        volume=Decimal(100),
        vwap=Decimal("1.5"),
        trade_count=7,
    )

    assert {
        "t": Instant(3),
        "o": 1,
        "h": 4,
        "l": Decimal("0.5"),
        "c": 2,
        "v": 100,
        "n": 7,
        "vw": Decimal("1.5"),
    } == NASDAQ.bar(bar)


def test_a_bar_that_is_not_made_of_prints_has_no_volume_and_no_made_up_average():
    bar = Bar(
        symbol="AAPL",
        timeframe=Timeframe.parse("1m"),
        open_time_ns=3,
        open=Decimal(1),
        high=Decimal(1),
        low=Decimal(1),
        close=Decimal(1),
        is_complete=True,
        provider="mock",
        received_at_ns=9,
    )
    row = NASDAQ.bar(bar)

    assert (0, None, None) == (row["v"], row["n"], row["vw"])


def test_a_book_has_its_levels_best_first():
    depth = Depth(bids=(Level(2, 1), Level(1, 0)), asks=(Level(3, 5),), is_snapshot=False, **COMMON)

    assert {
        "t": Instant(5),
        "b": [{"p": 2, "s": 1}, {"p": 1, "s": 0}],
        "a": [{"p": 3, "s": 5}],
    } == RowWriter(CRYPTO).depth(depth)


def test_greeks_are_told_all_or_not_at_all():
    names = ("delta", "gamma", "rho", "theta", "vega")
    known = dict.fromkeys(names, Decimal("0.1"))

    assert known == greeks_of(OptionQuote(symbol="X", **known))
    assert greeks_of(OptionQuote(symbol="X", **known | {"rho": None})) is None
