import json
from decimal import Decimal

import attrs

from dragoman.models import (
    Bar,
    Depth,
    Level,
    MarketStatus,
    Quote,
    Ticker,
    Timeframe,
    Trade,
    TradeCorrection,
    TradingState,
)
from dragoman.times import MINUTE_NS
from dragoman_alpaca.dialect.market_frames import Items, SharedItems
from dragoman_alpaca.dialect.market_messages import Wanted
from dragoman_alpaca.dialect.market_rows import CRYPTO, STOCK, RowWriter
from dragoman_alpaca.dialect.market_text import JsonText

CHANNELS = "trades quotes bars updatedBars dailyBars statuses lulds orderbooks"
EVERYTHING = Wanted(dict.fromkeys(CHANNELS.split(), ("*",)))
COMMON = {"symbol": "AAPL", "provider": "mock", "received_at_ns": 0, "venue_time_ns": 0}
T = "1970-01-01T00:00:00Z"
QUOTE = Quote(bid_price=Decimal(1), **COMMON)
TRADE = Trade(price=Decimal(5), size=Decimal(2), trade_id="7", conditions=("@",), **COMMON)
CANCEL = TradeCorrection(trade_id="7", **COMMON)
BAR = Bar(
    timeframe=Timeframe.parse("1m"),
    open_time_ns=0,
    open=Decimal(1),
    high=Decimal(1),
    low=Decimal(1),
    close=Decimal(1),
    is_complete=True,
    **COMMON,
)


class Written:
    """Counts what is written."""

    def __init__(self):
        self.count = 0

    def __call__(self, row):
        self.count += 1
        return JsonText().item(row)


class Client:
    """What one client is told."""

    def __init__(self, wanted=EVERYTHING, *, shared=None, writer=None):
        writer = writer or RowWriter(STOCK, "Q", "C")
        self.wanted = wanted
        self.items = Items(
            shared or SharedItems(JsonText().item),
            lambda symbol: writer if symbol == "AAPL" else None,
        )

    def told(self, *events):
        return [json.loads(item) for item in self.items.of(events, self.wanted)]

    def letters(self, *events):
        return [item["T"] for item in self.told(*events)]


def test_events_keep_their_order_and_only_those_wanted_are_told():
    client = Client(Wanted({"trades": ("AAPL",)}))

    assert ["t", "t"] == client.letters(QUOTE, TRADE, BAR, TRADE)


def test_symbols_that_are_not_of_the_feed_are_not_told():
    assert [] == Client().letters(attrs.evolve(QUOTE, symbol="BTC/USD"))


def test_an_item_names_its_type_and_its_symbol():
    assert [{"T": "q", "S": "AAPL", "t": T, "bp": 1, "bs": 0, "ap": 0, "as": 0}] == Client(
        writer=RowWriter(CRYPTO)
    ).told(QUOTE)


def test_what_one_client_was_told_is_not_written_again_for_the_next():
    written = Written()
    shared = SharedItems(written)
    clients = [Client(shared=shared) for _ in range(3)]

    told = [client.told(QUOTE, TRADE) for client in clients]

    assert told[0] == told[1] == told[2]
    assert 2 == written.count


def test_what_was_written_is_not_kept_for_ever():
    written = Written()
    shared = SharedItems(written)
    first, second = Client(shared=shared), Client(shared=shared)
    quotes = [attrs.evolve(QUOTE, received_at_ns=number) for number in range(4_097)]

    first.told(*quotes)
    second.told(quotes[-1])
    assert 4_097 == written.count
    second.told(quotes[0])

    assert 4_098 == written.count


def test_prints_are_not_remembered_for_ever():
    prints = [attrs.evolve(TRADE, trade_id=str(number)) for number in range(7, 10_008)]

    assert "p" not in Client().told(*prints, CANCEL)[-1]
    assert "p" in Client().told(*prints[:-1], CANCEL)[-1]


def test_equal_events_are_different_events():
    written = Written()
    client = Client(shared=SharedItems(written))

    client.told(QUOTE, attrs.evolve(QUOTE))

    assert 2 == written.count


def test_a_minute_is_told_once_it_is_over_and_again_as_updated():
    corrected = attrs.evolve(BAR, close=Decimal(2))
    following = attrs.evolve(BAR, open_time_ns=MINUTE_NS)

    assert ["b", "u", "b", "u"] == Client().letters(BAR, corrected, following, BAR)
    assert [] == Client().letters(attrs.evolve(BAR, is_complete=False))


def test_updated_minutes_are_a_channel_of_their_own():
    updates = Client(Wanted({"updatedBars": ("AAPL",)}))
    bars = Client(Wanted({"bars": ("AAPL",)}))

    assert ["u"] == updates.letters(BAR, BAR)
    assert ["b"] == bars.letters(BAR, BAR)


def test_a_day_is_told_once_a_minute_while_it_lasts_and_when_it_is_over():
    def day(at_ns, *, is_complete=False):
        return attrs.evolve(
            BAR,
            timeframe=Timeframe.parse("1d"),
            is_complete=is_complete,
            venue_time_ns=at_ns,
        )

    days = [
        day(1),
        day(2),
        day(MINUTE_NS),
        day(MINUTE_NS + 1),
        day(MINUTE_NS + 2, is_complete=True),
    ]

    assert ["d", "d", "d"] == Client().letters(*days)


def test_a_snapshot_of_a_book_resets_it():
    depth = Depth(bids=(Level(1, 2),), asks=(), is_snapshot=True, **COMMON)
    row = {"T": "o", "S": "AAPL", "t": T, "b": [{"p": 1, "s": 2}], "a": []}

    assert [row | {"r": True}, row] == Client().told(depth, attrs.evolve(depth, is_snapshot=False))


def test_halts_and_resumptions_have_the_codes_of_the_tape():
    halt = MarketStatus(state=TradingState.HALTED, reason="news", **COMMON)
    resumed = attrs.evolve(halt, state=TradingState.OPEN, reason=None)

    def codes(tape):
        told = Client(writer=RowWriter(STOCK, "N", tape)).told(halt, resumed)
        return [(row["sc"], row["sm"], row["rm"], row["z"]) for row in told]

    assert [("H", "Trading Halt", "news", "C"), ("T", "Trading Resumption", "", "C")] == codes("C")
    assert [("2", "Trading Halt", "news", "A"), ("3", "Resume", "", "A")] == codes("A")


def test_other_states_of_a_market_are_no_statuses_of_a_symbol():
    closed = MarketStatus(state=TradingState.CLOSED, **COMMON)
    whole = MarketStatus(state=TradingState.HALTED, **COMMON | {"symbol": None})

    assert [] == Client().told(closed, whole)


def test_a_market_that_is_simply_open_is_no_news():
    opened = MarketStatus(state=TradingState.OPEN, **COMMON)
    halt = attrs.evolve(opened, state=TradingState.HALTED)

    assert [] == Client().letters(opened, opened)
    assert ["s", "s", "s"] == Client().letters(opened, halt, halt, opened, opened)


def test_price_limits_are_told_when_both_are_known():
    limits = Ticker(price_floor=Decimal(9), price_ceiling=Decimal(11), **COMMON)

    assert [{"T": "l", "S": "AAPL", "u": 11, "d": 9, "i": "", "t": T, "z": "C"}] == Client().told(
        limits, attrs.evolve(limits, price_floor=None)
    )


def test_a_canceled_print_is_told_with_what_had_been_told_of_it():
    assert {
        "T": "x",
        "S": "AAPL",
        "t": T,
        "x": "Q",
        "z": "C",
        "i": 7,
        "a": "C",
        "p": 5,
        "s": 2,
    } == Client().told(TRADE, CANCEL)[-1]


def test_a_canceled_print_that_nobody_was_told_has_no_made_up_price():
    assert {"T": "x", "S": "AAPL", "t": T, "x": "Q", "z": "C", "i": 7, "a": "C"} == Client().told(
        CANCEL
    )[-1]


def test_a_corrected_print_is_told_with_both_versions():
    better = attrs.evolve(TRADE, price=Decimal(6), trade_id="8")

    assert {
        "T": "c",
        "S": "AAPL",
        "t": T,
        "x": "Q",
        "z": "C",
        "oi": 7,
        "op": 5,
        "os": 2,
        "oc": ["@"],
        "ci": 8,
        "cp": 6,
        "cs": 2,
        "cc": ["@"],
    } == Client().told(TRADE, attrs.evolve(CANCEL, replacement=better))[-1]


def test_only_stocks_have_corrections_and_they_come_with_trades():
    assert [] == Client(writer=RowWriter(CRYPTO)).letters(CANCEL)
    assert [] == Client(Wanted({"quotes": ("*",)})).letters(CANCEL)
