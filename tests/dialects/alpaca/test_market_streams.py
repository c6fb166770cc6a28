"""Data streams on real sockets, over a mock whose time goes on when a test says so."""

import asyncio
from decimal import Decimal

import pytest
from alpaca.data.live import CryptoDataStream, StockDataStream
from alpaca.data.models import Bar, Orderbook, Quote, Trade
from tests.dialects.alpaca.market_rig import (
    AUTH,
    AUTHENTICATED,
    CONNECTED,
    HEADERS,
    KEY,
    LONGEST_S,
    SECRET,
    market,
)

from dragoman.dialects import AccessKey, HostLimits, Scope
from dragoman.models import Subscription
from dragoman_alpaca.dialect.market import MarketSettings

STOCKS = "/v2/iex"
CRYPTO = "/v1beta3/crypto/us"
EMPTY = {
    "T": "subscription",
    "trades": [],
    "quotes": [],
    "bars": [],
    "updatedBars": [],
    "dailyBars": [],
    "statuses": [],
    "lulds": [],
    "corrections": [],
    "cancelErrors": [],
}


def error(code, message):
    return [{"T": "error", "code": code, "msg": message}]


@pytest.fixture
async def served():
    async with market() as served:
        yield served


@pytest.mark.parametrize("is_packed", [False, True], ids=["json", "msgpack"])
async def test_a_client_is_greeted_authenticates_and_hears_what_it_subscribes_to(served, is_packed):
    async with served.socket(STOCKS, is_packed=is_packed) as client:
        assert [CONNECTED] == await client.frame()
        assert [AUTHENTICATED] == await client.say(AUTH)
        expected = EMPTY | {"trades": ["AAPL"], "corrections": ["AAPL"], "cancelErrors": ["AAPL"]}
        assert [expected | {"quotes": ["MSFT"]}] == await client.say(
            {"action": "subscribe", "trades": ["AAPL"], "quotes": ["MSFT"]}
        )
        await served.clock.advance(seconds=3)

        quote = await client.item(T="q")
        trade = await client.item(T="t")

    assert ("MSFT", "AAPL") == (quote["S"], trade["S"])
    assert {"T", "S", "t", "p", "s", "i", "x", "c", "z"} == trade.keys()


async def test_msgpack_says_the_same_as_json_to_the_nanosecond(served):
    subscribe = {"action": "subscribe", "quotes": ["BTC/USD"], "trades": ["BTC/USD"]}
    async with (
        served.stream(CRYPTO) as plain,
        served.stream(CRYPTO, is_packed=True) as packed,
    ):
        for client in (plain, packed):
            await client.say(subscribe)
        await served.clock.advance(seconds=2)
        trade = await plain.item(T="t")
        twin = await packed.item(T="t")

    assert trade["i"] == twin["i"]
    assert Decimal(trade["p"]) == Decimal(repr(twin["p"]))
    assert trade["t"].startswith(twin["t"].to_datetime().isoformat()[:19])
    assert trade["t"].rstrip("Z")[20:].ljust(9, "0") == f"{twin['t'].nanoseconds:09d}"


async def test_headers_of_the_handshake_authenticate_as_well(served):
    async with served.socket(STOCKS, headers=HEADERS) as client:
        assert [CONNECTED] == await client.frame()
        assert [AUTHENTICATED] == await client.frame()
        assert error(403, "already authenticated") == await client.say(AUTH)


async def test_nothing_but_credentials_is_taken_before_they_are_shown(served):
    async with served.socket(STOCKS) as client:
        await client.frame()

        answer = await client.say({"action": "subscribe", "trades": ["AAPL"]})
        assert error(401, "not authenticated") == answer
        await client.socket.send_str("{")
        assert error(400, "invalid syntax") == await client.frame()
        assert [AUTHENTICATED] == await client.say(AUTH)


@pytest.mark.parametrize(
    "auth",
    [
        {"action": "auth", "key": KEY, "secret": "not-the-key-of-tests"},
        {"action": "auth", "key": KEY},
        {"action": "auth"},
    ],
    ids=["wrong secret", "no secret", "nothing"],
)
async def test_credentials_that_open_nothing_end_the_connection(auth):
    keys = [AccessKey(key_id=KEY, secret=SECRET)]
    async with market(keys=keys) as served, served.socket(STOCKS) as client:
        await client.frame()

        assert error(402, "auth failed") == await client.say(auth)
        assert 1008 == await client.frame()


async def test_a_key_without_the_right_to_read_is_told_so():
    keys = [AccessKey(key_id=KEY, secret=SECRET, scopes=frozenset({Scope.TRADE}))]
    async with market(keys=keys) as served, served.socket(STOCKS) as client:
        await client.frame()

        assert error(411, "insufficient scope") == await client.say(AUTH)
        assert 1008 == await client.frame()


async def test_a_token_alone_is_shown_under_a_name_of_its_own():
    keys = [AccessKey(key_id=KEY, secret=SECRET)]
    async with market(keys=keys) as served, served.socket(STOCKS) as client:
        await client.frame()

        assert [AUTHENTICATED] == await client.say(AUTH | {"key": "oauth"})


async def test_a_client_that_shows_nothing_in_time_is_sent_away():
    settings = MarketSettings(auth_timeout_s=0.05)
    async with market(settings=settings) as served, served.socket(STOCKS) as client:
        await client.frame()

        assert error(404, "auth timeout") == await client.frame()
        assert 1008 == await client.frame()


@pytest.mark.parametrize("feed", ["boats", "delayed_sip", "overnight"])
async def test_feeds_of_another_market_are_not_subscribed_to(served, feed):
    async with served.socket(f"/v2/{feed}") as client:
        await client.frame()

        assert error(409, "insufficient subscription") == await client.say(AUTH)
        assert 1008 == await client.frame()


async def test_options_are_told_in_msgpack_only(served):
    async with served.socket("/v1beta1/indicative") as client:
        await client.frame()

        message = "option messages are only available in MsgPack format"
        assert error(412, message) == await client.say(AUTH)
        assert 1008 == await client.frame()


async def test_options_are_streamed(served):
    async with served.stream("/v1beta1/opra", is_packed=True) as client:
        refused = await client.say({"action": "subscribe", "quotes": ["*"]})
        await client.say(
            {"action": "subscribe", "trades": ["*"], "quotes": ["AAPL260116C00190000"]}
        )
        await served.clock.advance(seconds=30)

        quote, trade = await client.item(T="q"), await client.item(T="t")

    assert error(413, "star subscription is not allowed for option quotes") == refused
    assert "AAPL260116C00190000" == quote["S"]
    assert {"T", "S", "t", "p", "s", "x", "c"} == trade.keys()


async def test_each_key_has_so_many_connections_to_a_feed():
    settings = MarketSettings(connection_limit=1)
    async with market(settings=settings) as served:
        async with served.stream(STOCKS), served.stream(CRYPTO), served.socket(STOCKS) as third:
            await third.frame()
            assert error(406, "connection limit exceeded") == await third.say(AUTH)
            assert 1008 == await third.frame()

        async with served.socket(STOCKS) as later:
            await later.frame()
            assert [AUTHENTICATED] == await later.say(AUTH)


async def test_symbols_are_limited_and_a_refused_subscription_changes_nothing():
    settings = MarketSettings(symbol_limit=2)
    async with market(settings=settings) as served, served.stream(STOCKS) as client:
        before = await client.say({"action": "subscribe", "quotes": ["AAPL", "MSFT"]})

        answer = await client.say({"action": "subscribe", "trades": ["SPY"]})
        after = await client.say({"action": "subscribe", "bars": []})
        star = await client.say({"action": "subscribe", "bars": ["*"]})

    assert error(405, "symbol limit exceeded") == answer == star
    assert before == after == [EMPTY | {"quotes": ["AAPL", "MSFT"]}]


@pytest.mark.parametrize(
    ("path", "message", "code", "words"),
    [
        (STOCKS, {"action": "dance"}, 400, "invalid syntax"),
        (STOCKS, {"action": "subscribe", "trades": "AAPL"}, 400, "invalid syntax"),
        (STOCKS, {"action": "subscribe", "trades": [7]}, 400, "invalid syntax"),
        (STOCKS, ["subscribe"], 400, "invalid syntax"),
        (
            STOCKS,
            {"action": "subscribe", "orderbooks": ["AAPL"]},
            410,
            "invalid subscribe action for this feed",
        ),
        (
            CRYPTO,
            {"action": "subscribe", "statuses": ["*"]},
            410,
            "invalid subscribe action for this feed",
        ),
        (STOCKS, AUTH, 403, "already authenticated"),
    ],
    ids=["action", "text", "number", "array", "books of stocks", "statuses of crypto", "auth"],
)
async def test_what_means_nothing_is_answered_and_the_stream_goes_on(
    served, path, message, code, words
):
    async with served.stream(path) as client:
        assert error(code, words) == await client.say(message)
        answer = await client.say({"action": "subscribe", "bars": ["*"]})

    assert ["*"] == answer[0]["bars"]


async def test_every_message_is_answered_even_one_that_changes_nothing(served):
    async with served.stream(STOCKS) as client:
        first = await client.say({"action": "subscribe", "trades": ["AAPL"]})
        again = await client.say({"action": "subscribe", "trades": ["AAPL"]})
        nothing = await client.say({"action": "unsubscribe", "quotes": ["AAPL"]})

    assert first == again == nothing


async def test_a_symbol_that_is_not_listed_is_taken_and_stays_silent(served):
    async with served.stream(STOCKS) as client:
        answer = await client.say({"action": "subscribe", "quotes": ["NOTHING", "BTC/USD", "AAPL"]})
        await served.clock.advance(seconds=3)

        quote = await client.item(T="q")

    assert ["NOTHING", "BTC/USD", "AAPL"] == answer[0]["quotes"]
    assert "AAPL" == quote["S"]


async def test_what_was_unsubscribed_from_is_told_no_more(served):
    async with served.stream(STOCKS) as client:
        await client.say({"action": "subscribe", "quotes": ["AAPL", "MSFT"]})
        await served.clock.advance(seconds=2)
        await client.item(T="q", S="AAPL")
        await client.say({"action": "unsubscribe", "quotes": ["AAPL"]})
        client.forget()
        await served.clock.advance(seconds=5)

        later = [await client.item(T="q") for _ in range(3)]

    assert ["MSFT"] * 3 == [quote["S"] for quote in later]


async def test_a_star_stands_for_every_symbol_of_the_feed_and_no_other(served):
    stocks = {"AAPL", "MSFT", "TSLA", "SPY"}
    seen = set()
    async with served.stream(STOCKS) as client:
        await client.say({"action": "subscribe", "quotes": ["*"]})
        await served.clock.advance(seconds=5)
        while not seen >= stocks:
            seen |= {item["S"] for item in await client.frame()}

    assert not seen & {"BTC/USD", "EUR/USD", "AAPL260116C00190000"}


async def test_minutes_are_told_when_they_are_over_and_days_while_they_last(served):
    async with served.stream(CRYPTO) as client:
        await client.say({"action": "subscribe", "bars": ["BTC/USD"], "dailyBars": ["BTC/USD"]})
        await served.clock.advance(seconds=90)

        day = await client.item(T="d")
        minute = await client.item(T="b")

    assert ("2026-01-07T14:30:00Z", "2026-01-07T00:00:00Z") == (minute["t"], day["t"])


async def test_a_book_begins_with_all_of_it(served):
    async with served.stream(CRYPTO) as client:
        await client.say({"action": "subscribe", "orderbooks": ["BTC/USD"]})

        book = await client.item(T="o")

    assert book["r"] is True
    assert Decimal(book["b"][0]["p"]) < Decimal(book["a"][0]["p"])


async def test_the_answer_comes_before_what_was_subscribed_to(served):
    async with served.stream(CRYPTO) as client:
        await client.send({"action": "subscribe", "quotes": ["*"], "orderbooks": ["*"]})
        answer = await client.frame()

    assert ["subscription"] == [item["T"] for item in answer]


async def test_the_test_feed_trades_at_all_hours(served):
    async with served.stream("/v2/test") as client:
        await client.say(
            {"action": "subscribe", "quotes": ["FAKEPACA"], "trades": ["*"], "bars": ["FAKEPACA"]}
        )
        refused = await client.say({"action": "subscribe", "statuses": ["*"]})
        await served.clock.advance(seconds=70)

        quote, trade, bar = [await client.item(T=letter) for letter in ("q", "t", "b")]

    assert {"FAKEPACA"} == {quote["S"], trade["S"], bar["S"]}
    assert Decimal(quote["bp"]) < Decimal(trade["p"]) < Decimal(quote["ap"])
    assert ("2026-01-07T14:30:00Z", 60) == (bar["t"], bar["n"])
    assert error(410, "invalid subscribe action for this feed") == refused


async def test_a_client_that_reads_too_slowly_is_told_so_and_cut():
    """Here a frame is more than may wait at all, which a slow client makes of small ones."""
    limits = HostLimits(outbox_bytes=400)
    async with market(limits=limits) as served, served.stream(STOCKS) as client:
        await client.say({"action": "subscribe", "quotes": ["*"]})

        assert error(407, "slow client") == await client.frame()
        assert 1008 == await client.frame()


async def test_a_subscription_that_the_broker_refuses_is_an_error_and_changes_nothing():
    async with (
        market(faults="stream#2 rate_limited(retry_after=1)") as served,
        served.stream(STOCKS) as client,
    ):
        answer = await client.say({"action": "subscribe", "quotes": ["AAPL"]})
        after = await client.say({"action": "subscribe", "bars": ["AAPL"]})

    assert error(500, "internal error") == answer
    assert [EMPTY | {"bars": ["AAPL"]}] == after


async def test_a_halt_and_its_end_are_told():
    faults = "fetch_quotes#1 halt_symbol(symbol=AAPL, seconds=5)"
    async with market(faults=faults) as served, served.stream(STOCKS) as client:
        await client.say({"action": "subscribe", "statuses": ["*"]})
        await served.broker.fetch_quote("AAPL")
        await served.clock.advance(seconds=6)

        halted = await client.item(S="AAPL", sc="H")
        resumed = await client.item(S="AAPL", sc="T")

    assert ("Trading Halt", "Trading Resumption") == (halted["sm"], resumed["sm"])


async def test_the_end_of_the_broker_ends_the_stream(served):
    async with served.stream(STOCKS) as client:
        await client.say({"action": "subscribe", "quotes": ["AAPL"]})
        await served.broker.aclose()

        frame = await client.control()

    assert frame == 1001


async def test_clients_come_and_go_and_leave_nothing_behind(served):
    for _ in range(3):
        async with served.stream(STOCKS) as client:
            await client.say({"action": "subscribe", "quotes": ["AAPL"]})
            await client.socket.close()

    async with served.broker.stream() as stream:
        assert stream.subscription == Subscription()


class Heard:
    """What the official client's handlers were given, across threads."""

    def __init__(self):
        self.items = []

    async def handle(self, item):
        self.items.append(item)

    def has(self, *kinds):
        return all(any(isinstance(item, kind) for item in self.items) for kind in kinds)


async def run_official(served, stream, heard, kinds):
    """Run a blocking client in a thread until it has heard all of that; time goes on meanwhile."""
    running = asyncio.create_task(asyncio.to_thread(stream.run))
    try:
        async with asyncio.timeout(LONGEST_S):
            while not heard.has(*kinds):
                await served.clock.advance(seconds=5)
                await asyncio.sleep(0.01)
            stopping = asyncio.create_task(asyncio.to_thread(stream.stop))
            while not running.done():
                await served.clock.advance(seconds=1)
                await asyncio.sleep(0.01)
            await stopping
    finally:
        await running


async def test_the_official_stock_stream_delivers_its_own_models(served):
    heard = Heard()
    url = served.url.replace("http", "ws") + STOCKS
    stream = StockDataStream(KEY, SECRET, url_override=url)
    stream.subscribe_quotes(heard.handle, "AAPL")
    stream.subscribe_trades(heard.handle, "AAPL")
    stream.subscribe_bars(heard.handle, "*")

    await run_official(served, stream, heard, (Quote, Trade, Bar))

    quote = next(item for item in heard.items if isinstance(item, Quote))
    assert "AAPL" == quote.symbol
    assert quote.bid_price < quote.ask_price
    assert quote.timestamp.tzinfo is not None


async def test_the_official_crypto_stream_delivers_its_own_models(served):
    heard = Heard()
    url = served.url.replace("http", "ws") + CRYPTO
    stream = CryptoDataStream(KEY, SECRET, url_override=url)
    stream.subscribe_quotes(heard.handle, "BTC/USD")
    stream.subscribe_trades(heard.handle, "BTC/USD")
    stream.subscribe_orderbooks(heard.handle, "BTC/USD")
    stream.subscribe_daily_bars(heard.handle, "BTC/USD")

    await run_official(served, stream, heard, (Quote, Trade, Orderbook, Bar))

    books = [item for item in heard.items if isinstance(item, Orderbook)]
    assert books[0].reset
    assert {"BTC/USD"} == {item.symbol for item in heard.items}
