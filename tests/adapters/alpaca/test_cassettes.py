"""The documented exchanges, played to the adapter: what it makes of them is what decode tells."""

import json
from urllib.parse import urlsplit

import attrs
import pytest
import yaml
from tests.adapters.alpaca.evidence import ROOT
from tests.adapters.alpaca.rest_venue import AAPL, BTC, RestVenue, reply
from tests.adapters.alpaca.trading_rows import ACCOUNT

from dragoman.decoding import PayloadContext, decode_payload
from dragoman.models import Timeframe, Window
from dragoman.transport.base import HttpResponse
from dragoman_alpaca import AlpacaAdapter
from dragoman_alpaca.mapping import PAYLOADS as TABLE

EXCHANGES = {
    f"{path.stem}-{number}": one
    for path in sorted(ROOT.glob("exchanges/*.yaml"))
    for number, one in enumerate(yaml.safe_load(path.read_text())["interactions"])
}
ROWS = ("bars", "quotes", "trades", "snapshots")


def path_of(exchange):
    return urlsplit(exchange["request"]["uri"]).path


def body_of(exchange):
    return exchange["response"]["body"]["string"].encode()


def find(method, path):
    found = [
        name
        for name, one in EXCHANGES.items()
        if (one["request"]["method"], path_of(one)) == (method, path)
    ]
    return found[0]


class DocumentedVenue(RestVenue):
    """Answers as documented; what has a next page has an empty one behind it."""

    def __init__(self):
        super().__init__()
        for symbol in ("TSLA", "AAPL"):
            self.on("GET", f"/v2/assets/{symbol}", AAPL | {"symbol": symbol, "id": f"id-{symbol}"})
        pairs = [BTC, BTC | {"symbol": "ETH/USD", "id": "id-of-eth"}]
        self.on("GET", "/v2/assets", lambda _: pairs)

    def play(self, name):
        exchange = EXCHANGES[name]
        body, method = body_of(exchange), exchange["request"]["method"]
        whole = HttpResponse(status=exchange["response"]["status"]["code"], headers={}, body=body)
        none_left = reply({name: {} for name in ROWS if name in json.loads(body)})
        self.on(
            method,
            path_of(exchange),
            lambda heard: none_left if "page_token" in heard.asked else whole,
        )
        return body


@pytest.fixture
def venue():
    return DocumentedVenue()


@pytest.fixture
async def alpaca(venue):
    adapter = AlpacaAdapter(venue.context(account_id=ACCOUNT))
    await adapter.open()
    yield adapter
    await adapter.aclose()


def told(venue, body, **said):
    context = PayloadContext(
        provider="alpaca-paper",
        received_at_ns=venue.clock.now_ns(),
        account_id=ACCOUNT,
        **said,
    )
    decoded = decode_payload(TABLE, body, context)
    assert decoded.error is None
    return decoded.items


async def all_of(rows):
    return [row async for row in rows]


ORDERS = [
    name
    for name, one in EXCHANGES.items()
    if one["request"]["method"] == "GET" and path_of(one).startswith("/v2/orders/")
]


@pytest.mark.parametrize("name", ORDERS)
async def test_a_documented_order_is_read_as_it_is_told(venue, alpaca, name):
    body = venue.play(name)

    order = await alpaca.fetch_order(ACCOUNT, venue_order_id=json.loads(body)["id"])

    assert told(venue, body)[0] == order


TAKEN = [
    name
    for name, one in EXCHANGES.items()
    if (one["request"]["method"], path_of(one)) == ("POST", "/v2/orders")
    and "legs" not in json.loads(one["request"]["body"])
]


@pytest.mark.parametrize("name", TAKEN)
async def test_a_documented_request_is_sent_as_it_is_documented(venue, alpaca, name):
    answer = json.loads(venue.play(name))
    documented = EXCHANGES[name]["request"]["body"]
    (request,) = told(venue, documented.encode())
    request = attrs.evolve(request, client_order_id=answer["client_order_id"], account_id=ACCOUNT)

    order = await alpaca.submit(request)

    sent = venue.heard[-1].body
    assert json.loads(documented) | {"client_order_id": answer["client_order_id"]} == sent
    assert told(venue, body_of(EXCHANGES[name]))[0] == order


def test_there_are_documented_orders_and_requests():
    assert (5, 4) == (len(ORDERS), len(TAKEN))


async def test_the_documented_account_is_read_as_it_is_told(venue):
    body = venue.play(find("GET", "/v2/account"))
    adapter = AlpacaAdapter(venue.context())
    await adapter.open()

    (account,) = await adapter.fetch_accounts()
    await adapter.aclose()

    (expected,) = told(venue, body)
    assert attrs.evolve(expected, is_simulated=True) == account


LATEST = {
    "/v2/stocks/quotes/latest": ("AAPL", "TSLA"),
    "/v1beta3/crypto/us/latest/quotes": ("BTC/USD", "ETH/USD"),
}


@pytest.mark.parametrize("path", LATEST)
async def test_the_documented_latest_quotes_are_read_as_they_are_told(venue, alpaca, path):
    body = venue.play(find("GET", path))

    quotes = await alpaca.fetch_quotes(LATEST[path])

    assert {quote.symbol: quote for quote in told(venue, body)} == dict(quotes)


async def test_the_documented_book_is_read_as_it_is_told(venue, alpaca):
    body = venue.play(find("GET", "/v1beta3/crypto/us/latest/orderbooks"))

    depth = await alpaca.fetch_depth("BTC/USD", 100)

    assert told(venue, body) == (depth,)


async def test_the_documented_snapshots_are_read_as_they_are_told(venue, alpaca):
    body = venue.play(find("GET", "/v2/stocks/snapshots"))

    tickers = await alpaca.fetch_tickers(["AAPL", "TSLA"])

    expected = {one.symbol: one for one in told(venue, body) if type(one).__name__ == "Ticker"}
    assert expected == dict(tickers)


def bars(alpaca, symbol):
    return alpaca.fetch_bars(symbol, Timeframe.parse("1m"), Window())


def trades(alpaca, symbol):
    return alpaca.fetch_trades(symbol, Window())


def quotes(alpaca, symbol):
    return alpaca.fetch_quote_history(symbol, Window())


HISTORY = {
    f"{root}/{name.__name__}": name
    for root in ("/v2/stocks", "/v1beta3/crypto/us")
    for name in (bars, trades, quotes)
}


@pytest.mark.parametrize("path", HISTORY)
async def test_documented_history_is_read_as_it_is_told(venue, alpaca, path):
    body = venue.play(find("GET", path))
    expected = told(venue, body)
    symbol = expected[0].symbol

    rows = await all_of(HISTORY[path](alpaca, symbol))

    assert [one for one in expected if one.symbol == symbol] == rows


async def test_the_documented_chain_is_read_as_it_is_told(venue, alpaca):
    body = venue.play(find("GET", "/v1beta1/options/snapshots/AAPL"))

    chain = await alpaca.fetch_chain("AAPL", None)

    assert told(venue, body) == chain
