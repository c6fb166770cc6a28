"""What is told over a broker that tells little, in a test's hands."""

from decimal import Decimal
from types import SimpleNamespace

import pytest

from dragoman.capabilities import ReadFeature
from dragoman.errors import (
    AmbiguousInstrumentError,
    NotFoundError,
    UnknownInstrumentError,
    UnsupportedError,
)
from dragoman.models import (
    AssetClass,
    Instrument,
    InstrumentKind,
    OptionQuote,
    OptionRight,
    Quote,
    Trade,
)
from dragoman.times import DAY_NS, HOUR_NS, ManualClock, parse_time
from dragoman_alpaca.dialect.assets import AssetBook
from dragoman_alpaca.dialect.market_history import history_of_many
from dragoman_alpaca.dialect.market_latest import (
    latest_of_many,
    order_books,
    snapshots_of_many,
)
from dragoman_alpaca.dialect.market_options import chain_of, option_snapshots
from dragoman_alpaca.dialect.market_refusals import NotServedError
from dragoman_alpaca.dialect.market_view import KINDS, MarketView

NOW_NS = ManualClock().now_ns()
CALL = "AAPL260116C00190000"
STRANGE = "AAPL-SOMETHING"


def instrument(symbol, **fields):
    common = {
        "symbol": symbol,
        "asset_class": AssetClass.EQUITY,
        "kind": InstrumentKind.SPOT,
        "quote": "USD",
        "settlement": "USD",
        "provider": "quiet",
        "received_at_ns": 0,
    }
    return Instrument(**common | fields)


INSTRUMENTS = {
    one.symbol: one
    for one in (
        instrument("AAPL"),
        instrument(
            CALL,
            kind=InstrumentKind.OPTION,
            underlying="AAPL",
            strike=Decimal(190),
            expires_at_ns=parse_time("2026-01-16T21:00:00Z"),
            option_right=OptionRight.CALL,
        ),
        instrument(STRANGE, kind=InstrumentKind.OPTION, underlying="AAPL"),
    )
}


def quote(symbol, at_ns=NOW_NS):
    return Quote(symbol=symbol, provider="quiet", received_at_ns=at_ns, bid_price=1, ask_price=2)


class QuietBroker:
    """Offers the reads it is made with, and a chain if it is given one."""

    provider = "quiet"

    def __init__(self, *reads, timeframes=None, chain=None, quotes=None):
        self.capabilities = SimpleNamespace(reads=frozenset(reads), bar_timeframes=timeframes)
        self.clock = ManualClock()
        self.trades = []
        self._chain = chain
        self._quotes = quotes or {}

    async def instrument(self, name):
        if name == "TWICE":
            raise AmbiguousInstrumentError(name)
        if name not in INSTRUMENTS:
            raise UnknownInstrumentError(name)
        return INSTRUMENTS[name]

    async def fetch_quote(self, symbol):
        return (await self.fetch_quotes([symbol]))[symbol]

    async def fetch_quotes(self, symbols):
        if not self._quotes:
            raise NotFoundError("no quote")
        return {symbol: self._quotes[symbol] for symbol in symbols}

    async def fetch_trades(self, symbol, window):
        for trade in self.trades:
            if trade.symbol == symbol and window.covers(trade.venue_time_ns):
                yield trade

    async def fetch_chain(self, underlying, expiry=None):
        if self._chain is None:
            raise UnsupportedError("quiet does not offer option chains")
        return self._chain


def view(broker, asset_class="us_equity"):
    return MarketView(broker, AssetBook(broker), asset_class)


def trade(symbol, at_ns):
    return Trade(
        symbol=symbol,
        price=5,
        size=1,
        provider="quiet",
        received_at_ns=at_ns,
        venue_time_ns=at_ns,
    )


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda of: history_of_many(of, KINDS["bars"], ["AAPL"], {}), "quiet offers no bars"),
        (lambda of: history_of_many(of, KINDS["trades"], ["AAPL"], {}), "quiet offers no trades"),
        (
            lambda of: history_of_many(of, KINDS["quotes"], ["AAPL"], {}),
            "quiet offers no quote history",
        ),
        (lambda of: latest_of_many(of, KINDS["quotes"], ["AAPL"], {}), "quiet offers no quotes"),
        (lambda of: latest_of_many(of, KINDS["bars"], ["AAPL"], {}), "quiet offers no bars"),
        (lambda of: order_books(of, ["AAPL"], {}), "quiet offers no depth"),
        (lambda of: chain_of(of, "AAPL", {}), "quiet does not offer option chains"),
    ],
    ids=["bars", "trades", "quotes", "latest quotes", "latest bars", "books", "chain"],
)
async def test_what_a_broker_does_not_tell_is_refused_by_name(ask, message):
    with pytest.raises(NotServedError) as caught:
        await ask(view(QuietBroker()))

    assert (403, message) == (caught.value.status, caught.value.message)


async def test_a_timeframe_that_a_broker_lacks_is_refused_by_name():
    broker = QuietBroker(ReadFeature.BARS, timeframes=frozenset({"1m"}))

    with pytest.raises(NotServedError, match="invalid timeframe: quiet has no bars of 5m"):
        await history_of_many(view(broker), KINDS["bars"], ["AAPL"], {"timeframe": "5Min"})


async def test_a_snapshot_has_no_parts_that_are_not_told():
    broker = QuietBroker(ReadFeature.QUOTES, quotes={"AAPL": quote("AAPL")})

    found = await snapshots_of_many(view(broker), ["AAPL"], {})

    assert ["latestQuote"] == list(found["AAPL"])
    assert {} == await snapshots_of_many(view(QuietBroker()), ["AAPL"], {})


async def test_a_name_that_stands_for_several_is_none():
    broker = QuietBroker(ReadFeature.QUOTES, quotes={"AAPL": quote("AAPL")})

    found = await latest_of_many(view(broker), KINDS["quotes"], ["AAPL", "TWICE"], {})

    assert ["AAPL"] == list(found["quotes"])


@pytest.mark.parametrize(
    "reads",
    [[ReadFeature.TRADES], [ReadFeature.TRADES, ReadFeature.QUOTES]],
    ids=["no quotes", "no quote of this one"],
)
async def test_without_a_quote_the_latest_is_as_of_the_brokers_clock(reads):
    broker = QuietBroker(*reads)
    broker.trades = [trade("AAPL", NOW_NS - HOUR_NS), trade("AAPL", NOW_NS + DAY_NS)]

    found = await latest_of_many(view(broker), KINDS["trades"], ["AAPL"], {})

    assert NOW_NS - HOUR_NS == found["trades"]["AAPL"]["t"].ns


async def test_with_a_quote_the_latest_is_as_of_the_market():
    far_ns = NOW_NS - 400 * DAY_NS
    broker = QuietBroker(
        ReadFeature.TRADES, ReadFeature.QUOTES, quotes={"AAPL": quote("AAPL", far_ns)}
    )
    broker.trades = [trade("AAPL", far_ns - HOUR_NS)]

    found = await latest_of_many(view(broker), KINDS["trades"], ["AAPL"], {})

    assert far_ns - HOUR_NS == found["trades"]["AAPL"]["t"].ns


async def test_option_snapshots_do_without_a_chain():
    broker = QuietBroker(ReadFeature.QUOTES, quotes={CALL: quote(CALL)})

    found = await option_snapshots(view(broker, "us_option"), [CALL], {})

    assert ["latestQuote"] == list(found["snapshots"][CALL])


async def test_a_chain_tells_greeks_and_volatility():
    greeks = dict.fromkeys(("delta", "gamma", "rho", "theta", "vega"), 1)
    row = OptionQuote(symbol=CALL, quote=quote(CALL), iv=2, **greeks)

    found = await chain_of(view(QuietBroker(chain=[row]), "us_option"), "AAPL", {})

    assert ["latestQuote", "impliedVolatility", "greeks"] == list(found["snapshots"][CALL])
    assert (2, greeks) == (
        found["snapshots"][CALL]["impliedVolatility"],
        found["snapshots"][CALL]["greeks"],
    )


@pytest.mark.parametrize(
    ("query", "symbols"),
    [
        ({}, {CALL, STRANGE}),
        ({"type": "call"}, {CALL}),
        ({"strike_price_gte": "190", "strike_price_lte": "190"}, {CALL}),
        ({"strike_price_lte": "189.99"}, set()),
        ({"expiration_date_gte": "2026-01-16", "expiration_date_lte": "2026-01-16"}, {CALL}),
        ({"expiration_date_lte": "2026-01-15"}, set()),
        ({"updated_since": "2026-01-07"}, {CALL, STRANGE}),
    ],
    ids=["all", "type", "strike", "too low", "expiry", "too early", "since"],
)
async def test_a_contract_of_unknown_terms_is_left_out_where_they_matter(query, symbols):
    chain = [
        OptionQuote(symbol="AAPL"),
        *[OptionQuote(symbol=symbol, quote=quote(symbol)) for symbol in (CALL, STRANGE)],
    ]

    found = await chain_of(view(QuietBroker(chain=chain), "us_option"), "AAPL", query)

    assert symbols == set(found["snapshots"])
