"""Assets, option contracts, the clock and the calendar, over brokers of every kind."""

import uuid

import pytest
from tests.broker.conftest import Market
from tests.broker.fake_adapter import FakeVenue, instrument
from tests.dialects.alpaca.trading_rig import served

from dragoman.models import AssetClass, InstrumentKind
from dragoman_alpaca.wire.trading import AssetRow, OptionContractRow


@pytest.fixture
async def market():
    one = Market()
    yield one
    await one.aclose()


@pytest.fixture
async def client(market):
    async with served(await market.connect()) as client:
        yield client


async def symbols(client, **asked):
    return [row["symbol"] for row in await client.get("/v2/assets", **asked)]


async def test_an_asset_is_told_with_every_field_of_the_schema(client):
    asset = await client.get("/v2/assets/AAPL")

    named = {"class" if one == "asset_class" else one for one in AssetRow.__struct_fields__}
    increments = {"min_order_size", "min_trade_increment", "price_increment"}
    assert named - increments <= asset.keys()
    assert {
        "symbol": "AAPL",
        "class": "us_equity",
        "exchange": "NASDAQ",
        "status": "active",
        "tradable": True,
        "fractionable": True,
        "shortable": True,
    }.items() <= asset.items()
    assert str(uuid.UUID(asset["id"])) == asset["id"]


@pytest.mark.parametrize("name", ["BTC%2FUSD", "BTC/USD", "BTCUSD"])
async def test_a_pair_is_found_by_each_of_its_spellings(client, name):
    asset = await client.get(f"/v2/assets/{name}")

    assert ("BTC/USD", "crypto", "CRYPTO", "0.01") == tuple(
        asset[name] for name in ("symbol", "class", "exchange", "price_increment")
    )
    assert asset == await client.get(f"/v2/assets/{asset['id']}")


@pytest.mark.parametrize("name", ["NOPE", str(uuid.uuid5(uuid.NAMESPACE_DNS, "x"))])
async def test_what_the_broker_does_not_list_is_no_asset(client, name):
    found = await client.refused("GET", f"/v2/assets/{name}")

    assert (404, 40410000, f"asset not found for {name}") == found


async def test_equities_are_listed_unless_another_class_is_asked_for(client):
    stocks, pairs = await symbols(client), await symbols(client, asset_class="crypto")

    assert {"AAPL", "MSFT"} <= set(stocks)
    assert {"BTC/USD", "EUR/USD"} <= set(pairs)
    assert not set(stocks) & set(pairs)
    assert sorted(stocks) == stocks


async def test_assets_are_filtered(client):
    assert ["SPY"] == await symbols(client, exchange="ARCA")
    assert [] == await symbols(client, status="inactive")
    assert [] == await symbols(client, attributes="ptp_no_exception")
    assert (422, 40010001) == (await client.refused("GET", "/v2/assets?status=new"))[:2]


FOREIGN = {
    "EUR_USD": ({"asset_class": AssetClass.FX, "base": "EUR"}, "us_equity"),
    "GBP/USD": ({"asset_class": AssetClass.FX, "base": "GBP"}, "crypto"),
    "CON.F.US.MES.Z26": (
        {"asset_class": AssetClass.INDEX, "kind": InstrumentKind.FUTURE},
        "us_equity",
    ),
    "21:FxSpot": ({"asset_class": AssetClass.FX}, "us_equity"),
    "BTCUSDT": ({"asset_class": AssetClass.CRYPTO}, "crypto"),
    "NSE:INFY": ({}, "us_equity"),
    "with space": ({}, None),
    "ümlaut": ({}, None),
}


@pytest.mark.parametrize(
    ("symbol", "fields", "asset_class"),
    [(symbol, *terms) for symbol, terms in FOREIGN.items()],
    ids=FOREIGN.keys(),
)
async def test_instruments_of_other_venues_are_listed_where_they_can_be_spelled(
    symbol, fields, asset_class
):
    venue = FakeVenue()
    venue.instruments = {symbol: instrument(symbol, **fields)}
    async with venue.connect() as broker, served(broker) as client:
        found = [one for one in ("us_equity", "crypto") if await symbols(client, asset_class=one)]

        assert ([] if asset_class is None else [asset_class]) == found
        order = {
            "symbol": symbol,
            "qty": 1,
            "side": "buy",
            "type": "market",
            "time_in_force": "day",
        }
        status, body = await client.ask("POST", "/v2/orders", json=order)
        assert (200 if asset_class else 422) == status
        assert asset_class is not None or f'asset "{symbol}" not found' == body["message"]


async def test_contracts_are_listed_up_to_the_weekend_unless_dates_are_named(client):
    assert [] == (await client.get("/v2/options/contracts"))["option_contracts"]

    page = await client.get("/v2/options/contracts", expiration_date_gte="2020-01-01")

    call, put = page["option_contracts"]
    assert set(OptionContractRow.__struct_fields__) <= call.keys()
    assert ("call", "put", None) == (call["type"], put["type"], page["next_page_token"])
    assert {
        "underlying_symbol": "AAPL",
        "style": "american",
        "size": "100",
        "status": "active",
    }.items() <= call.items()
    assert call == await client.get(f"/v2/options/contracts/{call['symbol']}")
    assert call == await client.get(f"/v2/options/contracts/{call['id']}")


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ({"type": "put"}, 1),
        ({"underlying_symbols": "AAPL,MSFT"}, 2),
        ({"underlying_symbols": "MSFT"}, 0),
        ({"style": "european"}, 0),
        ({"status": "inactive"}, 0),
        ({"strike_price_gte": "1000000"}, 0),
        ({"strike_price_lte": "1000000"}, 2),
        ({"expiration_date_lte": "2020-01-01"}, 0),
        ({"expiration_date": "2020-01-01"}, 0),
        ({"root_symbol": "AAPL"}, 2),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
async def test_contracts_are_filtered(client, asked, count):
    page = await client.get(
        "/v2/options/contracts", **{"expiration_date_gte": "2020-01-01", **asked}
    )

    assert count == len(page["option_contracts"])


async def test_contracts_come_in_pages(client):
    asked = {"expiration_date_gte": "2020-01-01", "limit": 1}
    first = await client.get("/v2/options/contracts", **asked)
    token = first["next_page_token"]
    second = await client.get("/v2/options/contracts", page_token=token, **asked)

    assert second["next_page_token"] is None
    assert 2 == len({page["option_contracts"][0]["symbol"] for page in (first, second)})


@pytest.mark.parametrize("name", ["AAPL", "NOPE"])
async def test_what_is_no_option_is_no_contract(client, name):
    found = await client.refused("GET", f"/v2/options/contracts/{name}")

    assert (404, 40410000, f"option contract {name} not found") == found


async def test_the_clock_tells_what_the_brokers_hours_tell(client):
    clock = await client.get("/v2/clock")

    assert clock["is_open"] is True
    assert "2026-01-07T09:30:02-05:00" == clock["timestamp"]
    assert clock["timestamp"] < clock["next_close"]


async def test_the_calendar_has_a_row_for_each_day(client):
    days = await client.get("/v2/calendar", start="2026-01-05", end="2026-01-08")

    assert sorted({row["date"] for row in days}) == [row["date"] for row in days]
    assert {"date", "open", "close", "session_open", "session_close", "settlement_date"} == set(
        days[0]
    )
    assert [row["date"] for row in days[1:]] == [row["settlement_date"] for row in days[:-1]]
    found = await client.refused("GET", "/v2/calendar?start=2026-01-08&end=2026-01-05")
    assert (422, 40010001) == found[:2]


@pytest.mark.parametrize("path", ["/v2/clock", "/v2/calendar"])
async def test_a_broker_that_tells_no_hours_has_no_clock(path):
    async with FakeVenue().connect() as broker, served(broker) as client:
        found = await client.refused("GET", path)

        assert (404, 40410000, "the market's hours are not told by fake") == found


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/v2/watchlists", "watchlists are not offered"),
        ("/v2/watchlists:by_name", "watchlists are not offered"),
        ("/v2/corporate_actions/announcements", "corporate actions are not offered"),
        ("/v2/nothing", "endpoint not found."),
        ("/v3/clock", "endpoint not found."),
    ],
)
async def test_what_is_not_offered_is_not_found(client, path, message):
    assert (404, 40410000, message) == await client.refused("GET", path)


async def test_another_method_is_refused_in_the_venues_form(client):
    status, code, _ = await client.refused("PUT", "/v2/orders")

    assert (405, 40500000) == (status, code)


async def test_what_no_asset_can_be_called_is_not_asked_for(client):
    found = await client.refused("GET", "/v2/assets/a%20b%0A")

    assert (404, 40410000) == found[:2]
