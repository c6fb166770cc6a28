"""Alpaca's streams as one: opened where they are needed, read together, closed together."""

import json

import pytest

from dragoman.errors import (
    AuthenticationError,
    ConnectFailedError,
    UnsupportedError,
)
from dragoman.models import (
    ConnectionEvent,
    Depth,
    OrderEvent,
    Quote,
    Subscription,
)

from .stream_rig import CRYPTO, PRIVATE, QUOTE, QUOTES, STOCKS, TRADING, C, rigged, update
from .stream_venue import error


@pytest.fixture
async def rig():
    async with rigged() as rig:
        yield rig


async def test_shares_and_crypto_lie_on_streams_of_their_own(rig):
    reader = await rig.entered(Subscription(quotes=("AAPL", "BTC/USD"), depth="BTC/USD"))
    book = {"T": "o", "S": "BTC/USD", "t": "2024-03-12T10:38:50Z", "b": [], "r": True}
    await rig.say(CRYPTO, [{**book, "a": [{"p": 26675.6, "s": 0.65}]}])
    await rig.say(STOCKS, [QUOTE])

    assert {STOCKS, CRYPTO} == {wire.path for wire in rig.venue.wires}
    assert [{"action": "subscribe", "quotes": ["AAPL"]}] == rig.venue.asked(STOCKS)
    assert [
        {"action": "subscribe", "orderbooks": ["BTC/USD"], "quotes": ["BTC/USD"]}
    ] == rig.venue.asked(CRYPTO)
    assert [True] == [depth.is_snapshot for depth in reader.of(Depth)]
    assert ["AAPL"] == [quote.symbol for quote in reader.of(Quote)]
    assert [C.CONNECTED, C.CONNECTED] == reader.states


async def test_feeds_are_chosen_by_options():
    async with rigged(options={"feed": "sip", "crypto_feed": "eu-1"}) as rig:
        await rig.entered(Subscription(quotes=("AAPL", "BTC/USD")))

        assert {"/v2/sip", "/v1beta3/crypto/eu-1"} == {wire.path for wire in rig.venue.wires}


async def test_what_no_stream_carries_is_refused_before_any_traffic(rig):
    reader = rig.reader(Subscription(quotes="AAPL", depth="AAPL", orders=True))
    await rig.clock.settle()

    assert isinstance(reader.failure, UnsupportedError)
    assert [] == rig.venue.requests


async def test_private_and_market_streams_are_read_as_one(rig):
    reader = await rig.entered(PRIVATE | Subscription(quotes=("AAPL", "BTC/USD")))
    await rig.say(STOCKS, [QUOTE])
    await rig.say(TRADING, update("new"))

    assert {TRADING, STOCKS, CRYPTO} == {wire.path for wire in rig.venue.wires}
    assert [1, 1] == [len(reader.of(kind)) for kind in (Quote, OrderEvent)]
    assert {"private", "market"} == {event.channel for event in reader.of(ConnectionEvent)}


async def test_an_entry_that_fails_on_one_stream_leaves_none_open(rig):
    rig.venue.auth = error(402, "auth failed")
    reader = rig.reader(PRIVATE | QUOTES)
    await rig.clock.advance(seconds=2)

    assert isinstance(reader.failure, AuthenticationError)
    assert [] == rig.venue.open_wires


async def test_an_entry_that_nobody_answers_ends_by_the_failure(rig):
    rig.venue.refuses_always = ConnectFailedError("nobody listens")
    reader = rig.reader(PRIVATE)
    await rig.pass_quietly(30)

    assert isinstance(reader.failure, ConnectFailedError)


async def test_closing_ends_every_reader(rig):
    readers = [await rig.entered(PRIVATE), await rig.entered(QUOTES)]

    await rig.streams.aclose()
    await rig.clock.settle()

    assert [C.ENDED, C.ENDED] == [reader.states[-1] for reader in readers]
    assert [] == rig.venue.open_wires
    await rig.streams.aclose()


async def test_no_key_is_shown_by_any_error_or_log(caplog):
    caplog.set_level(0)
    secrets = {"api_key": "the-captain-s-key", "secret_key": "the-captain-s-secret"}
    async with rigged(credentials=secrets) as rig:
        readers = [rig.reader(PRIVATE), rig.reader(QUOTES)]
        await rig.pass_quietly(3)

    for reader in readers:
        assert isinstance(reader.failure, AuthenticationError)
        shown = json.dumps([repr(reader.failure), str(reader.failure), caplog.text])
        assert "the-captain-s" not in shown
