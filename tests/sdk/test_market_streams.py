"""Quotes, candles and the passing of time on a stream: pings, staleness, what costs overnight."""

import contextlib
from decimal import Decimal

import pytest
import tektii
from tests.sdk.clients import eventually, fill, open_client
from tests.sdk.listening import listening
from tests.sdk.stage import on_stage
from tests.sdk.wire import wire

from dragoman.times import ManualClock


def entry(instrument, *events, platform="mock"):
    """Return one subscription as it is configured."""
    return {"platform": platform, "instrument": instrument, "events": list(events)}


@pytest.fixture
def open_stage():
    """Return a stage that streams what it is told to."""
    with contextlib.ExitStack() as stack:

        def make(*entries, **settings):
            words = {"subscriptions": list(entries)} if entries else {}
            return stack.enter_context(on_stage("straight", words=words, **settings))

        yield make


@pytest.mark.parametrize("word", ["quote", "quotes", "*"])
def test_quotes_that_are_subscribed_are_streamed(open_stage, word):
    stage = open_stage(entry("AAPL", word))
    with listening("sync", stage.url) as stream:
        stage.quote("104", "106", last="105")

        event = eventually(lambda: [one for one in stream.all("quote") if one.quote.bid == "104"])[
            0
        ]

    quote = event.quote
    assert ("AAPL", "mock", Decimal(106)) == (quote.symbol, quote.provider, Decimal(quote.ask))


def test_quotes_of_other_symbols_are_kept_back(open_stage):
    stage = open_stage(entry("AAPL", "quote"), entry("MSFT", "orders"))
    with listening("sync", stage.url) as stream:
        stage.quote("310", "311", "MSFT", last="310")
        stage.quote("104", "106", last="105")
        eventually(lambda: [one for one in stream.all("quote") if one.quote.bid == "104"])

        assert {"AAPL"} == {one.quote.symbol for one in stream.all("quote")}


@pytest.mark.parametrize("word", ["candle_1m", "candles.1m", "candle_*", "bars", "bar"])
def test_candles_that_are_subscribed_are_streamed_until_they_are_whole(open_stage, word):
    stage = open_stage(entry("AAPL", word), clock=ManualClock())
    with listening("sync", stage.url) as stream:
        for last in ("105", "107", "103", "104"):
            stage.quote("99", "101", last=last)
        stage.pass_by(120)
        stage.quote("99", "101", last="100")

        def bars():
            return [event.bar for event in stream.all("candle")]

        eventually(lambda: len({bar.timestamp for bar in bars()}) > 1)
        first = [bar for bar in bars() if bar.timestamp == bars()[0].timestamp][-1]

    assert ("AAPL", "mock", "1m") == (first.symbol, first.provider, first.timeframe)
    assert (Decimal(107), Decimal(104)) == (Decimal(first.high), Decimal(first.close))
    assert 0 == first.timestamp.second


def test_orders_of_a_symbol_that_is_not_subscribed_are_kept_back(open_stage):
    stage = open_stage(entry("AAPL", "order_update", "trade_update"))
    client = open_client("sync", stage.url)
    with listening("sync", stage.url) as stream:
        fill(client, "MSFT")
        wanted = fill(client, "AAPL").id
        stream.tells(wanted, "ORDER_CREATED", "ORDER_FILLED")

        assert {"AAPL"} == {event.order.symbol for event in stream.all("order")}
    client.close()


def test_without_subscriptions_every_order_is_told(open_stage):
    stage = open_stage()
    client = open_client("sync", stage.url)
    with listening("sync", stage.url) as stream:
        for symbol in ("AAPL", "MSFT"):
            stream.tells(fill(client, symbol).id, "ORDER_CREATED", "ORDER_FILLED")
    client.close()


def test_account_events_need_somebody_to_have_asked_for_them(open_stage):
    stage = open_stage(entry("AAPL", "orders"))
    client = open_client("sync", stage.url)
    with listening("sync", stage.url) as stream:
        for _ in range(2):
            stream.tells(fill(client).id, "ORDER_CREATED", "ORDER_FILLED")

        assert [] == stream.all("account") + stream.all("position") + stream.all("trade")
    client.close()


def test_a_ping_comes_every_now_and_then_and_nobody_has_to_answer(open_stage):
    stage = open_stage(clock=ManualClock())
    with wire(stage.url) as socket:
        socket.until("connection", "CONNECTED")
        for _ in range(3):
            stage.pass_by(31)
            assert {"type", "timestamp"} == set(socket.until("ping"))


def test_a_stream_of_the_sdk_never_sees_a_ping(open_stage):
    stage = open_stage(entry("AAPL", "*"), clock=ManualClock())
    with listening("sync", stage.url) as stream:
        stage.pass_by(31)
        stage.quote("104", "106", last="105")
        eventually(lambda: [one for one in stream.all("quote") if one.quote.bid == "104"])

        assert "ping" not in {event.type for event in stream.heard}


def test_data_that_stays_away_is_told_as_stale_and_then_as_fresh(open_stage):
    stage = open_stage(entry("AAPL", "quote"), clock=ManualClock())
    with listening("sync", stage.url) as stream:
        stage.quote("100", "101", last="100")
        eventually(lambda: [one for one in stream.all("quote") if one.quote.bid == "100"])
        for _ in range(40):
            stage.pass_by(30)
            if stream.found("data_staleness STALE"):
                break
        (stale,) = stream.wait_for("data_staleness STALE")
        stage.quote("104", "106", last="105")
        _, fresh = stream.wait_for("data_staleness STALE", "data_staleness FRESH")

    assert ["AAPL"] == stale.symbols == fresh.symbols
    assert "mock" == stale.broker == fresh.broker
    assert stale.stale_since is not None


def test_lost_data_is_told_to_those_who_come_later(open_stage):
    stage = open_stage(
        entry("AAPL", "quote"), options={"faults": "submit disconnect_stream(seconds=600)"}
    )
    client = open_client("sync", stage.url)
    with listening("sync", stage.url) as stream:
        with contextlib.suppress(tektii.APIStatusError):
            client.submit_order("AAPL", "buy", "1")
        stream.wait_for("data_staleness STALE")
    with listening("sync", stage.url) as late:
        (stale,) = late.wait_for("data_staleness STALE")
    health = client.get_health()
    client.close()

    assert "AAPL" in stale.symbols
    assert "degraded" == health.status


def test_a_dividend_and_other_flows_of_cash_reach_the_account(open_stage):
    stage = open_stage()
    client = open_client("sync", stage.url)
    fill(client, quantity="10")
    with listening("sync", stage.url) as stream:
        stage.act(lambda engine: engine.dividend("AAPL", Decimal("0.5")))

        stream.wait_for("account BALANCE_UPDATED")
    client.close()
