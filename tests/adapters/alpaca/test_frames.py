import json
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.errors import DecodeError, ProtocolError
from dragoman.models import (
    Bar,
    Depth,
    Level,
    MarketStatus,
    OrderEvent,
    OrderEventKind,
    Quarantined,
    Quote,
    Side,
    Ticker,
    Timeframe,
    Trade,
    TradeCorrection,
    TradingState,
)
from dragoman.times import parse_time
from dragoman.transport.packed import Stamp, encode_packed
from dragoman_alpaca.mapping.frames import Control, ControlKind, DataFrames, TradingFrames
from dragoman_alpaca.mapping.reading import Reading

NOW_NS = 1_767_796_300_000_000_000
AT = "2021-02-22T15:51:45.335689322Z"
AT_NS = parse_time(AT)
HEAD = {"provider": "alpaca-paper", "received_at_ns": NOW_NS}

TRADE = {"T": "t", "i": 96921, "S": "AAPL", "x": "D", "p": 126.55, "s": 1, "t": AT, "c": ["@", "I"]}
QUOTE = {"T": "q", "S": "AMD", "bp": 87.66, "bs": 1, "ap": 87.68, "as": 4, "t": AT, "z": "C"}
BAR = {
    "T": "b",
    "S": "SPY",
    "o": 388.985,
    "h": 389.13,
    "l": 388.975,
    "c": 389.12,
    "v": 49378,
    "n": 461,
    "vw": 389.062639,
    "t": "2021-02-22T19:15:00Z",
}
BOOK = {
    "T": "o",
    "S": "BTC/USD",
    "t": AT,
    "b": [{"p": 20846, "s": 0.1902}, {"p": 20350, "s": 0}],
    "a": [{"p": 20902, "s": 0.0097}],
}
STATUS = {
    "T": "s",
    "S": "AAPL",
    "sc": "H",
    "sm": "Trading Halt",
    "rc": "T12",
    "rm": "Trading Halted",
    "t": AT,
    "z": "C",
}
LULD = {"T": "l", "S": "IONM", "u": 3.24, "d": 2.65, "i": "B", "t": AT, "z": "C"}
CANCEL = {"T": "x", "S": "GOOGL", "i": 465, "x": "D", "p": 120.1, "s": 5, "a": "C", "t": AT}
CORRECTION = {
    "T": "c",
    "S": "EEM",
    "x": "M",
    "oi": 52983525033527,
    "op": 39.1582,
    "os": 440000,
    "ci": 52983525034326,
    "cp": 39.1809,
    "cs": 440000,
    "cc": ["@", "7"],
    "t": AT,
    "z": "B",
}
IMBALANCE = {"T": "i", "S": "INAQU", "p": 9.12, "z": "C", "t": AT}
NEWS = {"T": "n", "id": 24918784, "headline": "Words", "symbols": ["AAPL"]}
ALL = [TRADE, QUOTE, BAR, BOOK, STATUS, LULD, CANCEL, CORRECTION]

MINUTE = Timeframe.parse("1m")
CLOSED = Bar(
    symbol="SPY",
    timeframe=MINUTE,
    open_time_ns=parse_time("2021-02-22T19:15:00Z"),
    open=Decimal("388.985"),
    high=Decimal("389.13"),
    low=Decimal("388.975"),
    close=Decimal("389.12"),
    is_complete=True,
    volume=Decimal(49378),
    vwap=Decimal("389.062639"),
    trade_count=461,
    **HEAD,
)
PRINT = Trade(
    symbol="AAPL",
    price=Decimal("126.55"),
    size=Decimal(1),
    trade_id="96921",
    conditions=("@", "I"),
    venue_time_ns=AT_NS,
    **HEAD,
)


def data():
    return DataFrames(provider="alpaca-paper")


def events_of(*messages):
    return data().decode(json.dumps(messages), NOW_NS)


def packed(*messages):
    stamped = [
        {name: Stamp(parse_time(value)) if name == "t" else value for name, value in one.items()}
        for one in messages
    ]
    return encode_packed(stamped)


@pytest.mark.parametrize(
    ("message", "event"),
    [
        pytest.param(TRADE, PRINT, id="t"),
        pytest.param(
            QUOTE,
            Quote(
                symbol="AMD",
                bid_price=Decimal("87.66"),
                bid_size=Decimal(1),
                ask_price=Decimal("87.68"),
                ask_size=Decimal(4),
                venue_time_ns=AT_NS,
                **HEAD,
            ),
            id="q",
        ),
        pytest.param(BAR, CLOSED, id="b"),
        pytest.param({**BAR, "T": "u"}, CLOSED, id="u"),
        pytest.param(
            {"T": "d", "S": "SPY", "o": 1, "h": 4, "l": 0.5, "c": 2, "v": 3, "t": AT},
            Bar(
                symbol="SPY",
                timeframe=Timeframe.parse("1d"),
                open_time_ns=AT_NS,
                open=Decimal(1),
                high=Decimal(4),
                low=Decimal("0.5"),
                close=Decimal(2),
                is_complete=False,
                volume=Decimal(3),
                **HEAD,
            ),
            id="d",
        ),
        pytest.param(
            BOOK,
            Depth(
                symbol="BTC/USD",
                bids=(Level(Decimal(20846), Decimal("0.1902")),),
                asks=(Level(Decimal(20902), Decimal("0.0097")),),
                is_snapshot=True,
                venue_time_ns=AT_NS,
                **HEAD,
            ),
            id="o",
        ),
        pytest.param(
            STATUS,
            MarketStatus(
                state=TradingState.HALTED,
                symbol="AAPL",
                reason="T12 Trading Halted",
                venue_time_ns=AT_NS,
                **HEAD,
            ),
            id="s",
        ),
        pytest.param(
            LULD,
            Ticker(
                symbol="IONM",
                price_floor=Decimal("2.65"),
                price_ceiling=Decimal("3.24"),
                venue_time_ns=AT_NS,
                **HEAD,
            ),
            id="l",
        ),
        pytest.param(
            CANCEL,
            TradeCorrection(symbol="GOOGL", trade_id="465", venue_time_ns=AT_NS, **HEAD),
            id="x",
        ),
        pytest.param(
            CORRECTION,
            TradeCorrection(
                symbol="EEM",
                trade_id="52983525033527",
                replacement=Trade(
                    symbol="EEM",
                    price=Decimal("39.1809"),
                    size=Decimal(440000),
                    trade_id="52983525034326",
                    conditions=("@", "7"),
                    venue_time_ns=AT_NS,
                    **HEAD,
                ),
                venue_time_ns=AT_NS,
                **HEAD,
            ),
            id="c",
        ),
    ],
)
@pytest.mark.parametrize("write", [lambda m: json.dumps([m]), packed], ids=["json", "msgpack"])
def test_each_message_is_its_event_in_either_encoding(message, event, write):
    assert (event,) == data().decode(write(message), NOW_NS)


@pytest.mark.parametrize("message", [IMBALANCE, NEWS], ids=["i", "n"])
def test_what_no_model_says_is_nothing(message):
    assert () == events_of(message)


def test_text_in_a_binary_frame_is_read_as_text():
    assert data().decode(json.dumps([TRADE]).encode(), NOW_NS) == (PRINT,)


def test_a_number_keeps_the_digits_it_was_written_with():
    (quote,) = data().decode('[{"T":"q","S":"A","bp":1.50,"bs":100.0,"ap":1.6,"as":7}]', NOW_NS)

    assert ["1.50", "100.0", "1.6", "7"] == [
        str(number) for number in (quote.bid_price, quote.bid_size, quote.ask_price, quote.ask_size)
    ]


def test_ids_of_nineteen_digits_are_exact():
    (trade,) = events_of({**TRADE, "i": 9223372036854775807})

    assert "9223372036854775807" == trade.trade_id


@pytest.mark.parametrize(("word", "side"), [("B", Side.BUY), ("S", Side.SELL), ("?", None)])
def test_the_taker_of_crypto_is_the_aggressor(word, side):
    (trade,) = events_of({**TRADE, "tks": word})

    assert side is trade.aggressor


@pytest.mark.parametrize(
    ("fields", "bid", "ask"),
    [
        ({"bp": 0, "bs": 0}, None, "87.68"),
        ({"ap": 0, "as": 0}, "87.66", None),
        ({"bp": 87.66, "bs": 0}, "87.66", "87.68"),
        ({"ap": None, "as": 3}, "87.66", None),
        ({"bs": None, "as": None}, "87.66", "87.68"),
        ({"bp": 0.0, "ap": 0.00}, None, None),
    ],
    ids=["no bid", "no ask", "no size", "null", "size not known", "neither"],
)
def test_a_side_without_price_is_missing(fields, bid, ask):
    (quote,) = events_of({**QUOTE, **fields})

    found = [None if price is None else str(price) for price in (quote.bid_price, quote.ask_price)]

    assert [bid, ask] == found
    assert (quote.bid_price and quote.bid_size) or quote.bid_size is None
    assert (quote.ask_price and quote.ask_size) or quote.ask_size is None


@pytest.mark.parametrize(
    ("code", "states"),
    [
        *(pytest.param(code, [TradingState.HALTED], id=code) for code in "2HP"),
        *(pytest.param(code, [TradingState.OPEN], id=code) for code in "3T"),
        pytest.param("Q", [TradingState.AUCTION], id="Q"),
        *(pytest.param(code, [], id=code) for code in "56789ACDEF"),
    ],
)
def test_status_codes(code, states):
    assert states == [event.state for event in events_of({**STATUS, "sc": code})]


@pytest.mark.parametrize("code", ["?", "", None])
def test_a_status_that_is_not_known_is_told_as_such(code):
    (status,) = events_of({**STATUS, "sc": code})

    assert TradingState.UNKNOWN is status.state


def test_the_first_book_is_whole_and_then_changes_come():
    frames, frame = data(), json.dumps([BOOK])

    first, second = (frames.decode(frame, NOW_NS)[0] for _ in range(2))
    frames.restart(["ETH/USD"])
    third = frames.decode(frame, NOW_NS)[0]
    frames.restart(["BTC/USD"])
    fourth = frames.decode(frame, NOW_NS)[0]
    fifth = frames.decode(frame, NOW_NS)[0]
    frames.restart()
    sixth = frames.decode(frame, NOW_NS)[0]

    assert [True, False, False, True, False, True] == [
        depth.is_snapshot for depth in (first, second, third, fourth, fifth, sixth)
    ]
    assert (Level(Decimal(20350), Decimal(0)),) == second.bids[1:]
    assert () == first.bids[1:]


def test_a_reset_is_a_whole_book():
    frames = data()
    frames.decode(json.dumps([BOOK]), NOW_NS)

    (depth,) = frames.decode(json.dumps([{**BOOK, "b": [], "a": None, "r": True}]), NOW_NS)

    assert (True, (), ()) == (depth.is_snapshot, depth.bids, depth.asks)


def test_levels_stand_best_first_however_they_came():
    rows = [{"p": price, "s": 1} for price in (3, 5, 4)]

    (depth,) = events_of({**BOOK, "b": rows, "a": rows})

    assert [5, 4, 3] == [level.price for level in depth.bids]
    assert [3, 4, 5] == [level.price for level in depth.asks]


BAD = [
    pytest.param({"T": "zz", "S": "A"}, "unknown kind 'zz'", id="unknown kind"),
    pytest.param({"S": "A"}, "unknown kind", id="no kind"),
    pytest.param({**TRADE, "p": None}, "TradeMessage of 'AAPL'", id="print without price"),
    pytest.param({**TRADE, "s": "x"}, "TradeMessage", id="size that is none"),
    pytest.param({**TRADE, "t": "yesterday"}, "not a time", id="no time"),
    pytest.param({**BAR, "t": None}, "without time", id="bar without time"),
    pytest.param({**BAR, "o": True}, "no number", id="true is no price"),
    pytest.param({**BAR, "n": 1.5}, "no count", id="half a trade"),
    pytest.param({**QUOTE, "bp": [1]}, "no number", id="list for a price"),
    pytest.param({**QUOTE, "S": 5}, "$.S", id="symbol that is none"),
    pytest.param({**CANCEL, "i": None}, "names no print", id="cancels nothing"),
    pytest.param({**BOOK, "b": [{"p": 1}]}, "no number", id="level without size"),
    pytest.param({"T": "error", "code": 407, "msg": "slow client"}, "407 slow client", id="error"),
    pytest.param([1], "can't be decoded", id="no object"),
    pytest.param(7, "can't be decoded", id="a number"),
]


@pytest.mark.parametrize(("message", "cause"), BAD)
def test_a_bad_message_does_not_take_the_others_with_it(message, cause):
    first, bad, last = events_of(TRADE, message, QUOTE)

    assert (Trade, Quarantined, Quote) == (type(first), type(bad), type(last))
    assert cause in bad.error
    assert ("market", NOW_NS, None) == (bad.channel, bad.received_at_ns, bad.raw)


@pytest.mark.parametrize("number", ["1e400", "9" * 41, "1e-65"])
def test_a_giant_number_takes_its_own_message_only(number):
    text = json.dumps([TRADE, QUOTE]).replace("87.66", number)

    trade, bad = data().decode(text, NOW_NS)

    assert PRINT == trade
    assert isinstance(bad, Quarantined)


def test_a_bad_message_in_msgpack_does_not_take_the_others_with_it():
    events = data().decode(packed(TRADE, {**QUOTE, "S": 5}, {"T": "zz"}, TRADE), NOW_NS)

    assert (PRINT, PRINT) == (events[0], events[3])
    assert [Quarantined, Quarantined] == [type(event) for event in events[1:3]]


def test_a_book_beside_a_bad_message_is_whole_once():
    frames = data()

    (_, bad, first), (second,) = (
        frames.decode(json.dumps(rows), NOW_NS)
        for rows in ([TRADE, {**TRADE, "p": None}, BOOK], [BOOK])
    )

    assert isinstance(bad, Quarantined)
    assert [True, False] == [first.is_snapshot, second.is_snapshot]


def test_a_frame_is_kept_with_its_bad_message_on_request():
    frame = json.dumps([{"T": "zz"}])

    (bad,) = DataFrames(provider="p", keep_raw=True).decode(frame, NOW_NS)

    assert frame.encode() == bad.raw


@pytest.mark.parametrize(
    "frame",
    ["", "{}", "7", '"x"', "[", '[{"T":"t"', b"", b"\xc1", b"\x81\xa1T\xa1t", "[" * 100_000],
    ids=["empty", "object", "number", "text", "cut", "cut inside", "no bytes", "c1", "map", "bomb"],
)
def test_what_is_no_array_is_refused(frame):
    for read in (lambda: data().decode(frame, NOW_NS), lambda: data().control(frame)):
        with pytest.raises(DecodeError):
            read()


@pytest.mark.parametrize(
    ("message", "control"),
    [
        (
            {"T": "success", "msg": "connected"},
            Control(kind=ControlKind.CONNECTED, message="connected"),
        ),
        (
            {"T": "success", "msg": "authenticated"},
            Control(kind=ControlKind.AUTHENTICATED, message="authenticated"),
        ),
        ({"T": "success", "msg": "other"}, Control(kind=ControlKind.OTHER, message="other")),
        ({"T": "success"}, Control(kind=ControlKind.OTHER)),
        (
            {"T": "error", "code": 406, "msg": "connection limit exceeded"},
            Control(kind=ControlKind.ERROR, code=406, message="connection limit exceeded"),
        ),
        ({"T": "error", "code": None}, Control(kind=ControlKind.ERROR)),
    ],
    ids=["connected", "authenticated", "other", "silent", "error", "error without code"],
)
@pytest.mark.parametrize("write", [json.dumps, encode_packed], ids=["json", "msgpack"])
def test_an_answer_is_told_as_one(message, control, write):
    frame = write([message])

    assert [control, control] == [data().decode(frame, NOW_NS), data().control(frame)]


def test_a_subscription_says_all_that_is_subscribed_to():
    message = {"T": "subscription", "trades": ["AAPL"], "dailyBars": ["*"], "orderbooks": None}

    control = data().control(json.dumps([message]))

    assert ControlKind.SUBSCRIPTION is control.kind
    assert {"trades": ("AAPL",), "dailyBars": ("*",)} == {
        word: symbols for word, symbols in control.streams.items() if symbols
    }
    assert {"cancelErrors", "updatedBars", "quotes"} <= control.streams.keys()


def test_looking_for_an_answer_changes_nothing():
    frames, frame = data(), json.dumps([BOOK])

    assert frames.control(frame) is None
    assert frames.decode(frame, NOW_NS)[0].is_snapshot


def reading_at(received_at_ns):
    return Reading(provider="alpaca-paper", account_id="A", received_at_ns=received_at_ns)


def trading():
    return TradingFrames(reading=reading_at)


UPDATE = {
    "stream": "trade_updates",
    "data": {
        "event": "fill",
        "execution_id": "2f63ea93-423d-4169-b3f6-3fdafc10c418",
        "order": {
            "id": "a5be8f5e",
            "client_order_id": "c1",
            "symbol": "SOL/USD",
            "side": "sell",
            "type": "market",
            "time_in_force": "gtc",
            "qty": "1790.86",
            "status": "filled",
            "filled_qty": "1790.86",
            "filled_avg_price": "105.8988475",
        },
        "position_qty": "0",
        "price": "105.8988475",
        "qty": "1790.86",
        "timestamp": "2022-04-19T17:45:05.024916716Z",
    },
}


@pytest.mark.parametrize(
    "write",
    [json.dumps, lambda frame: json.dumps(frame).encode(), msgspec.msgpack.encode],
    ids=["text", "binary", "msgpack"],
)
def test_a_trade_update_is_its_events_however_it_comes(write):
    told, moved = trading().decode(write(UPDATE), NOW_NS)

    assert isinstance(told, OrderEvent)
    assert (OrderEventKind.FILL, Decimal("1790.86"), NOW_NS) == (
        told.kind,
        told.fill.quantity,
        told.received_at_ns,
    )
    assert Decimal(0) == moved.position.quantity


@pytest.mark.parametrize(
    ("frame", "kind", "message"),
    [
        (
            {"stream": "authorization", "data": {"status": "authorized", "action": "authenticate"}},
            ControlKind.AUTHENTICATED,
            "authorized authenticate",
        ),
        (
            {"stream": "authorization", "data": {"status": "unauthorized", "action": "listen"}},
            ControlKind.UNAUTHENTICATED,
            "unauthorized listen",
        ),
        ({"stream": "listening", "data": {"error": "no"}}, ControlKind.ERROR, "no"),
        ({"stream": "listening", "data": {"streams": None}}, ControlKind.SUBSCRIPTION, ""),
    ],
    ids=["authorized", "unauthorized", "error", "nothing"],
)
def test_an_answer_of_the_trading_stream_is_told_as_one(frame, kind, message):
    text = json.dumps(frame)

    found = [trading().decode(text, NOW_NS), trading().control(text)]

    assert [(kind, message)] * 2 == [(control.kind, control.message) for control in found]


def test_the_trading_stream_says_what_is_listened_to():
    frame = json.dumps({"stream": "listening", "data": {"streams": ["trade_updates"]}})

    assert {"streams": ("trade_updates",)} == trading().control(frame).streams
    assert trading().control(json.dumps(UPDATE)) is None


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "[]",
        "{}",
        '{"stream":"other","data":{}}',
        '{"stream":"trade_updates","data":{}}',
        b"\xc1",
    ],
)
def test_a_frame_of_the_trading_stream_that_says_nothing_is_refused(frame):
    with pytest.raises(ProtocolError):
        trading().decode(frame, NOW_NS)


ODD = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
CHANGES = st.lists(
    st.tuples(st.integers(0, 30), st.sampled_from(["drop", "odd", "nest", "more"]), ODD), max_size=4
)


@given(st.lists(st.tuples(st.sampled_from(ALL), CHANGES), max_size=4))
def test_whatever_is_wrong_with_messages_each_is_an_event_or_quarantined(plan):
    messages = []
    for message, changes in plan:
        changed = dict(message)
        for place, how, odd in changes:
            name = sorted(message)[place % len(message)]
            match how:
                case "drop":
                    changed.pop(name, None)
                case "odd":
                    changed[name] = odd
                case "nest":
                    changed[name] = [{"x": [odd]}]
                case _:
                    changed[f"new{place}"] = odd
        messages.append(changed)

    events = data().decode(msgspec.json.encode(messages), NOW_NS)

    assert isinstance(events, Control) or len(events) <= len(messages)
