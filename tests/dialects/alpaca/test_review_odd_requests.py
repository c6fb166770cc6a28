"""Requests that no client should send, and some that old clients do: none breaks a thing."""

import pytest
from tests.broker.conftest import Market
from tests.dialects.alpaca.trading_rig import served

FAR = (
    "0001-01-01",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+00:00",
    "9999-12-31",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59.999999999-00:00",
)
LISTS = (
    ("/v2/orders", ("after", "until")),
    ("/v2/account/activities", ("after", "until", "date")),
    ("/v2/account/portfolio/history", ("start", "end", "date_start", "date_end")),
    ("/v2/calendar", ("start", "end")),
    ("/v2/stocks/AAPL/bars?timeframe=1Min", ("start", "end")),
    ("/v2/stocks/AAPL/trades", ("start", "end")),
    ("/v1beta3/crypto/us/quotes?symbols=BTC%2FUSD", ("start", "end")),
)
LIMITS = (
    ("/v2/orders", "limit"),
    ("/v2/account/activities", "page_size"),
    ("/v2/options/contracts", "limit"),
)


@pytest.fixture
async def market():
    one = Market()
    yield one
    await one.aclose()


@pytest.fixture
async def client(market):
    broker = await market.connect()
    async with served(broker) as client:
        yield client


@pytest.mark.parametrize("day", FAR)
@pytest.mark.parametrize(("path", "names"), LISTS, ids=[path for path, _ in LISTS])
async def test_days_that_stand_for_always_are_no_failure(client, path, names, day):
    for name in names:
        status, _ = await client.ask("GET", path, params={name: day})

        assert status in {200, 400, 404, 422}


@pytest.mark.parametrize("end", FAR)
@pytest.mark.parametrize("start", FAR)
async def test_spans_between_days_that_stand_for_always_are_no_failure(client, start, end):
    for path, (first, last, *_) in LISTS:
        status, _ = await client.ask("GET", path, params={first: start, last: end})

        assert status in {200, 400, 404, 422}


async def test_always_is_all_there_is(client):
    order = await client.submit()
    span = {"after": "0001-01-01T00:00:00Z", "until": "9999-12-31T23:59:59Z"}

    (shown,) = await client.get("/v2/orders", status="all", **span)
    (fill,) = await client.get("/v2/account/activities", **span)

    assert (order["id"], order["id"]) == (shown["id"], fill["order_id"])


@pytest.mark.parametrize(("period", "status"), [("9999D", 200), ("9999W", 422), ("9999A", 422)])
async def test_a_period_of_more_steps_than_a_curve_may_have_is_refused(client, period, status):
    path = "/v2/account/portfolio/history"
    found, body = await client.ask("GET", path, params={"period": period, "timeframe": "1D"})

    assert status == found
    assert ("equity" in body) is (status == 200)


@pytest.mark.parametrize(("path", "name"), LIMITS, ids=[path for path, _ in LIMITS])
@pytest.mark.parametrize(
    "limit",
    ["0", "-1", "10001", "000000500999", "1" + "0" * 5000, "0" * 5000 + "1", "1.5", "\uff11"],
)
async def test_a_limit_that_is_none_is_refused(client, path, name, limit):
    status, _, message = await client.refused("GET", path, params={name: limit})

    assert 422 == status
    assert message.startswith(f"invalid {name}: ")


async def test_the_history_begins_where_an_older_client_says_so(client):
    path = "/v2/account/portfolio/history"
    day = "2026-01-07"
    named = await client.get(path, start=day, end=day, timeframe="1H")

    assert named == await client.get(path, date_start=day, date_end=day, timeframe="1H")
    assert (422, "end must not be before start") == (
        (await client.refused("GET", path, params={"date_start": "2026-01-09", "date_end": day}))[
            ::2
        ]
    )
