"""Market data: one connection, what Alpaca confirms, and what each of its errors means."""

from decimal import Decimal

import pytest

from dragoman.errors import (
    AuthenticationError,
    ConflictError,
    PermissionDeniedError,
    UnsupportedError,
    WaitTimeoutError,
)
from dragoman.models import (
    Bar,
    ConnectionEvent,
    Depth,
    Gap,
    MarketStatus,
    Quarantined,
    Quote,
    Staleness,
    StalenessState,
    Subscription,
    Ticker,
    Trade,
    TradeCorrection,
)

from .stream_rig import CRYPTO, QUOTE, QUOTES, STOCKS, TRADE, C, rigged
from .stream_venue import KEY, SECRET, error


@pytest.fixture
async def rig():
    async with rigged() as rig:
        yield rig


async def test_market_data_greets_shows_the_key_and_subscribes_to_what_is_wanted(rig):
    await rig.entered(Subscription(quotes="AAPL", bars=[("MSFT", "1m"), ("AAPL", "1d")]))

    assert [
        (STOCKS, {"action": "auth", "key": KEY, "secret": SECRET}),
        (
            STOCKS,
            {
                "action": "subscribe",
                "bars": ["MSFT"],
                "dailyBars": ["AAPL"],
                "quotes": ["AAPL"],
                "updatedBars": ["MSFT"],
            },
        ),
    ] == rig.venue.heard


async def test_every_kind_of_message_reaches_who_wants_it(rig):
    reader = await rig.entered(
        Subscription(
            quotes="AAPL",
            trades="AAPL",
            bars=[("AAPL", "1m"), ("AAPL", "1d")],
            tickers="AAPL",
            market_status="AAPL",
        )
    )
    time = {"S": "AAPL", "t": "2021-02-22T15:51:44Z"}
    prices = {"o": 388.985, "h": 389.13, "l": 388.975, "c": 389.12, "v": 49378}

    await rig.say(
        STOCKS,
        [QUOTE, TRADE, {"T": "b", **time, **prices}, {"T": "u", **time, **prices}],
        [{"T": "d", **time, **prices}, {"T": "l", **time, "u": 3.24, "d": 2.65, "i": "B"}],
        [{"T": "s", **time, "sc": "H", "sm": "Trading Halt", "rc": "T12", "rm": "", "z": "C"}],
        [{"T": "x", **time, "i": 96921, "x": "D", "p": 126.55, "s": 1, "a": "C", "z": "C"}],
    )

    kinds = (Quote, Trade, Bar, Ticker, MarketStatus, TradeCorrection)
    assert [1, 1, 3, 1, 1, 1] == [len(reader.of(kind)) for kind in kinds]
    assert [] == reader.of(Quarantined)
    assert Decimal("87.66") == reader.of(Quote)[0].bid_price


async def test_the_first_book_after_each_connection_is_a_snapshot(rig):
    reader = await rig.entered(Subscription(depth="BTC/USD"))
    book = {"T": "o", "S": "BTC/USD", "t": "2024-03-12T10:38:50Z", "b": [], "a": []}
    await rig.say(CRYPTO, [book], [book])
    rig.venue.wire.cut()
    await rig.pass_quietly(3)
    await rig.say(CRYPTO, [book], [book])

    assert [True, False, True, False] == [depth.is_snapshot for depth in reader.of(Depth)]


async def test_a_book_begins_anew_for_who_comes_later(rig):
    first = await rig.entered(Subscription(depth="BTC/USD"))
    book = {"T": "o", "S": "BTC/USD", "t": "2024-03-12T10:38:50Z", "b": [], "a": []}
    await rig.say(CRYPTO, [book], [book])
    second = await rig.entered(Subscription(depth="BTC/USD"))
    await rig.say(CRYPTO, [book], [book])

    assert [
        {"action": action, "orderbooks": ["BTC/USD"]}
        for action in ("subscribe", "unsubscribe", "subscribe")
    ] == rig.venue.asked(CRYPTO)
    assert [True, False, True, False] == [depth.is_snapshot for depth in first.of(Depth)]
    assert [True, False] == [depth.is_snapshot for depth in second.of(Depth)]


async def test_msgpack_is_spoken_both_ways_where_it_is_chosen():
    async with rigged(options={"encoding": "msgpack"}) as rig:
        reader = await rig.entered(QUOTES)
        await rig.say(STOCKS, [QUOTE])

        assert rig.venue.wire.is_packed
        assert all(isinstance(message, bytes) for message in rig.venue.wire.sent)
        assert [Decimal("87.66")] == [quote.bid_price for quote in reader.of(Quote)]


async def test_two_readers_share_the_one_connection_that_alpaca_allows(rig):
    first = await rig.entered(QUOTES)
    second = await rig.entered(Subscription(quotes="AAPL", trades="AAPL"))
    await rig.say(STOCKS, [QUOTE, TRADE])

    assert 1 == len(rig.venue.wires)
    assert [
        {"action": "subscribe", "quotes": ["AAPL"]},
        {"action": "subscribe", "trades": ["AAPL"]},
    ] == rig.venue.asked(STOCKS)
    assert [1, 0] == [len(first.of(kind)) for kind in (Quote, Trade)]
    assert [1, 1] == [len(second.of(kind)) for kind in (Quote, Trade)]


async def test_what_nobody_wants_any_more_is_unsubscribed_alone(rig):
    first = await rig.entered(Subscription(trades=("AAPL", "MSFT")))
    await rig.entered(Subscription(trades="AAPL"))

    await first.left()
    await rig.clock.settle()

    assert {"action": "unsubscribe", "trades": ["MSFT"]} == rig.venue.asked(STOCKS)[-1]


async def test_after_a_loss_all_readers_are_subscribed_by_one_message(rig):
    first, second = await rig.entered(QUOTES), await rig.entered(Subscription(trades="MSFT"))
    rig.venue.wire.cut()
    await rig.pass_quietly(3)
    await rig.say(STOCKS, [QUOTE])

    wanted = {"action": "subscribe", "quotes": ["AAPL"], "trades": ["MSFT"]}
    assert wanted == rig.venue.asked(STOCKS)[-1]
    assert C.RECONNECTED is first.states[-1] is second.states[-1]
    assert [1, 1] == [len(reader.of(Gap)) for reader in (first, second)]
    assert 1 == len(first.of(Quote))


async def test_many_symbols_are_asked_for_in_several_messages(rig):
    symbols = [f"S{number}" for number in range(1200)]
    await rig.entered(Subscription(quotes=symbols))

    asked = [message["quotes"] for message in rig.venue.asked(STOCKS)]
    assert [500, 500, 200] == [len(part) for part in asked]
    assert set(symbols) == {symbol for part in asked for symbol in part}


async def test_405_refuses_the_newest_wish_and_no_other(rig):
    rig.venue.limit = 1
    first = await rig.entered(QUOTES)
    second = rig.reader(Subscription(trades=("AAPL", "MSFT")))
    await rig.clock.settle()
    await rig.say(STOCKS, [QUOTE])

    assert isinstance(second.failure, PermissionDeniedError)
    assert "405" == second.failure.code
    assert 1 == len(first.of(Quote))
    assert [C.CONNECTED] == first.states
    assert 1 == len(rig.venue.wires)


async def test_what_was_taken_of_a_refused_wish_is_taken_off_again(rig):
    first = await rig.entered(QUOTES)
    rig.venue.limit = 700
    second = rig.reader(Subscription(quotes=[f"S{number}" for number in range(1200)]))
    await rig.clock.settle()

    assert isinstance(second.failure, PermissionDeniedError)
    assert {"AAPL"} == rig.venue.carried[rig.venue.wire]["quotes"]
    assert first.is_in


async def test_room_is_made_before_more_is_asked_for(rig):
    rig.venue.limit = 1
    first = await rig.entered(QUOTES)
    await rig.entered(Subscription(tickers="AAPL"))
    first.task.cancel()
    second = rig.reader(Subscription(quotes="MSFT"))
    await rig.clock.settle()

    assert second.is_in


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (400, UnsupportedError),
        (405, PermissionDeniedError),
        (408, PermissionDeniedError),
        (409, PermissionDeniedError),
        (410, UnsupportedError),
        (411, PermissionDeniedError),
    ],
    ids=["400", "405", "408", "409", "410", "411"],
)
async def test_an_answer_that_refuses_a_wish_fails_its_reader(rig, code, kind):
    first = await rig.entered(QUOTES)
    rig.venue.error = code
    second = rig.reader(Subscription(trades="AAPL"))
    await rig.clock.settle()

    assert kind is type(second.failure)
    assert str(code) == second.failure.code
    assert "as the test says" in str(second.failure)
    assert [C.CONNECTED] == first.states


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (402, AuthenticationError),
        (408, PermissionDeniedError),
        (409, PermissionDeniedError),
        (411, PermissionDeniedError),
    ],
    ids=["402", "408", "409", "411"],
)
async def test_a_key_that_is_refused_is_not_shown_again(rig, code, kind):
    rig.venue.auth = error(code, "no")
    reader = rig.reader(QUOTES)
    await rig.pass_quietly(30)

    assert kind is type(reader.failure)
    assert 1 == len(rig.venue.wires)


@pytest.mark.parametrize("code", [401, 404, 407, 500, 599], ids=str)
async def test_a_greeting_that_fails_for_now_is_tried_again_soon(rig, code):
    rig.venue.auth = error(code, "not now")
    reader = rig.reader(QUOTES)
    await rig.clock.settle()
    rig.venue.auth = None
    await rig.pass_quietly(3)

    assert reader.is_in


async def test_403_means_that_the_key_was_taken(rig):
    rig.venue.auth = error(403, "already authenticated")

    reader = await rig.entered(QUOTES)

    assert reader.is_in


@pytest.mark.parametrize("code", [404, 407, 500], ids=str)
async def test_a_session_that_alpaca_gives_up_is_connected_anew_soon(rig, code):
    reader = await rig.entered(QUOTES)
    await rig.say(STOCKS, [error(code, "over")])
    await rig.pass_quietly(3)

    assert C.RECONNECTED is reader.states[-1]
    assert str(code) in next(
        event.cause for event in reader.of(ConnectionEvent) if event.state is C.DISCONNECTED
    )


@pytest.mark.parametrize(
    ("code", "kind"),
    [(402, AuthenticationError), (409, PermissionDeniedError)],
    ids=["402", "409"],
)
async def test_a_session_that_loses_its_rights_ends_every_reader(rig, code, kind):
    first, second = await rig.entered(QUOTES), await rig.entered(Subscription(trades="AAPL"))
    rig.venue.auth = error(code, "no more")
    await rig.say(STOCKS, [error(code, "no more")])
    await rig.pass_quietly(3)

    for reader in (first, second):
        assert kind is type(reader.failure)
        assert C.FAILED is reader.states[-1]


@pytest.mark.parametrize("code", [400, 405, 410, 599], ids=str)
async def test_an_error_that_answers_nothing_is_told_and_the_stream_lives(rig, code):
    reader = await rig.entered(QUOTES)
    await rig.say(STOCKS, [error(code, "what?")], [QUOTE])

    assert [str(code)] == [
        str(code) for event in reader.of(Quarantined) if str(code) in event.error
    ]
    assert [C.CONNECTED] == reader.states
    assert 1 == len(reader.of(Quote))


async def test_406_on_entry_is_tried_once_more_and_then_told(rig):
    rig.venue.auth = error(406, "connection limit exceeded")
    reader = rig.reader(QUOTES)
    await rig.pass_quietly(30)

    assert isinstance(reader.failure, ConflictError)
    assert reader.failure.retry_after > 90
    assert 2 == len(rig.venue.wires)


async def test_406_of_the_session_that_was_just_closed_is_overcome(rig):
    first = await rig.entered(QUOTES)
    await first.left()
    rig.venue.auth = error(406, "connection limit exceeded")
    second = rig.reader(QUOTES)
    await rig.clock.settle()
    rig.venue.auth = None
    await rig.pass_quietly(3)

    assert second.is_in


async def test_f28_a_ghost_session_is_waited_out_without_a_storm(rig):
    reader = await rig.entered(QUOTES)
    rig.venue.auth = error(406, "connection limit exceeded")
    rig.venue.wire.cut()
    await rig.pass_quietly(90)
    assert len(rig.venue.wires) <= 3

    rig.venue.auth = None
    await rig.pass_quietly(30)
    assert C.RECONNECTED is reader.states[-1]
    assert len(rig.venue.wires) <= 4


async def test_f27_a_subscription_that_is_not_confirmed_is_not_live(rig):
    reader = await rig.entered(QUOTES)
    rig.venue.unknown = ("quotes",)
    rig.venue.wire.cut()
    await rig.pass_quietly(5)
    assert C.RECONNECTED not in reader.states

    rig.venue.unknown = ()
    await rig.pass_quietly(60)
    assert C.RECONNECTED is reader.states[-1]


async def test_a_channel_that_the_feed_does_not_confirm_is_unsupported(rig):
    rig.venue.unknown = ("lulds",)
    reader = rig.reader(Subscription(tickers="AAPL"))
    await rig.clock.settle()

    assert isinstance(reader.failure, UnsupportedError)
    assert "lulds of AAPL" in str(reader.failure)


async def test_corrected_bars_are_asked_for_once_where_the_feed_has_none(rig):
    rig.venue.unknown = ("updatedBars",)
    await rig.entered(Subscription(bars=[("BTC/USD", "1m")]))
    await rig.entered(Subscription(quotes="BTC/USD"))

    assert [
        {"action": "subscribe", "bars": ["BTC/USD"], "updatedBars": ["BTC/USD"]},
        {"action": "subscribe", "quotes": ["BTC/USD"]},
    ] == rig.venue.asked(CRYPTO)


async def test_a_subscription_that_is_not_answered_fails_its_reader(rig):
    first = await rig.entered(QUOTES)
    rig.venue.is_mute = True
    second = rig.reader(Subscription(trades="AAPL"))
    await rig.pass_quietly(10)
    rig.venue.is_mute = False
    await rig.pass_quietly(10)

    assert isinstance(second.failure, WaitTimeoutError)
    assert C.RECONNECTED is first.states[-1]


async def test_a_bad_item_is_told_and_its_neighbours_are_delivered(rig):
    reader = await rig.entered(Subscription(quotes="AAPL", trades="AAPL"))

    await rig.say(STOCKS, [QUOTE, {"T": "t", "S": "AAPL", "p": "NaN"}, {"T": "new"}, TRADE, 7])
    rig.venue.wire.say("[", "{}", b"\xc1", "")
    await rig.say(STOCKS, [QUOTE])

    assert [2, 1] == [len(reader.of(kind)) for kind in (Quote, Trade)]
    assert reader.of(Quarantined)
    assert [C.CONNECTED] == reader.states


async def test_f21_a_quiet_market_is_asked_and_stays_live(rig):
    reader = await rig.entered(QUOTES)

    await rig.pass_quietly(600)

    assert [C.CONNECTED] == reader.states
    asked = rig.venue.asked(STOCKS)
    assert 30 <= len(asked) <= 45
    assert {"action": "subscribe", "quotes": ["AAPL"]} == asked[-1]


async def test_f21_a_mute_market_is_stale_and_connected_anew(rig):
    reader = await rig.entered(QUOTES)
    rig.venue.is_mute = True
    await rig.pass_quietly(31)
    rig.venue.is_mute = False
    await rig.pass_quietly(15)

    assert [StalenessState.STALE, StalenessState.FRESH] == [
        event.state for event in reader.of(Staleness)
    ]
    assert C.RECONNECTED is reader.states[-1]


async def test_403_that_answers_nothing_is_no_error(rig):
    reader = await rig.entered(QUOTES)
    await rig.say(STOCKS, [error(403, "already authenticated")], [QUOTE])

    assert [] == reader.of(Quarantined)
    assert 1 == len(reader.of(Quote))
