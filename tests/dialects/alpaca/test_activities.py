"""Activities and the account's worth over time."""

from decimal import Decimal

import pytest
from tests.broker.conftest import Market
from tests.dialects.alpaca.trading_rig import AUTH, LISTEN, served

from dragoman_alpaca.wire.trading import ActivityRow


@pytest.fixture
async def market():
    one = Market()
    yield one
    await one.aclose()


@pytest.fixture
async def client(market):
    async with served(await market.connect()) as client:
        yield client


@pytest.fixture
async def trades(client, market):
    """Three executions: two parts of one order, and one of another."""
    await market.tick("100.00", "100.02", size="4")
    await client.rest(limit_price="100.02", client_order_id="parts")
    await market.tick("99.00", "100.00", size="500")
    await market.clock.advance(seconds=60)
    await client.submit(side="sell", qty="3", client_order_id="one")


async def ids(client, path="/v2/account/activities", **asked):
    return [row["id"] for row in await client.get(path, **asked)]


async def test_an_execution_is_told_with_what_its_order_had_filled(client, trades):
    rows = await client.get("/v2/account/activities", direction="asc")

    assert [
        ("partial_fill", "4", "4", "6", "buy"),
        ("fill", "6", "10", "0", "buy"),
        ("fill", "3", "3", "0", "sell"),
    ] == [
        tuple(row[name] for name in ("type", "qty", "cum_qty", "leaves_qty", "side"))
        for row in rows
    ]
    named = {name for name in ActivityRow.__struct_fields__ if rows[0].get(name) is not None}
    assert {"id", "activity_type", "transaction_time", "order_id", "price", "symbol"} <= named
    parts = await client.get("/v2/orders:by_client_order_id", client_order_id="parts")
    assert [parts["id"]] * 2 == [row["order_id"] for row in rows[:2]]


async def test_the_id_begins_with_the_time_in_new_york(client, trades):
    rows = await client.get("/v2/account/activities", direction="asc")

    for row in rows:
        stamp, _, rest = row["id"].partition("::")
        day, time = row["transaction_time"].split("T")
        hour = (int(time[:2]) - 5) % 24
        assert f"{day.replace('-', '')}{hour:02d}" == stamp[:10]
        assert (17, 36) == (len(stamp), len(rest))


async def test_an_execution_has_one_id_on_the_stream_and_in_the_list(client):
    async with client.updates(AUTH, LISTEN) as stream:
        await client.submit()
        told = (await stream.until("fill"))[-1]
    (row,) = await client.get("/v2/account/activities")

    assert row["id"].endswith(f"::{told['execution_id']}")
    assert (row["cum_qty"], row["order_id"]) == (told["order"]["filled_qty"], told["order"]["id"])


async def test_pages_begin_after_the_last_id(client, trades):
    whole = await ids(client)
    found, more = [], {}
    while page := await ids(client, page_size=2, **more):
        found += page
        more = {"page_token": page[-1]}

    assert 3 == len(whole)
    assert whole == found == [*reversed(await ids(client, direction="asc"))]


@pytest.mark.parametrize(
    ("path", "asked", "count"),
    [
        ("/FILL", {}, 3),
        ("/fill", {}, 3),
        ("/DIV", {}, 0),
        ("", {"activity_types": "FILL,DIV"}, 3),
        ("", {"activity_types": "TRANS"}, 0),
        ("", {"category": "trade_activity"}, 3),
        ("", {"category": "non_trade_activity"}, 0),
    ],
)
async def test_activities_are_filtered_by_kind(client, trades, path, asked, count):
    assert count == len(await ids(client, f"/v2/account/activities{path}", **asked))


async def test_activities_are_filtered_by_time(client, trades):
    rows = await client.get("/v2/account/activities", direction="asc")
    last, day = rows[-1]["transaction_time"], rows[-1]["transaction_time"][:10]

    assert 2 == len(await ids(client, until=last))
    assert 1 == len(await ids(client, after=rows[1]["transaction_time"]))
    assert (3, 0) == (len(await ids(client, date=day)), len(await ids(client, date="2020-01-01")))


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"activity_types": "FILL", "category": "trade_activity"}, "category can't be used"),
        ({"date": "2026-01-01", "after": "2026-01-01"}, "date can't be used"),
        ({"date": "soon"}, "invalid date: 'soon'"),
        ({"page_token": "x"}, "invalid page_token"),
        ({"page_size": "101"}, "invalid page_size"),
    ],
    ids=["category", "date and after", "date", "page_token", "page_size"],
)
async def test_what_is_no_such_parameter_is_refused(client, trades, asked, message):
    status, code, found = await client.refused("GET", "/v2/account/activities", params=asked)

    assert (422, 40010001) == (status, code)
    assert found.startswith(message)


async def test_worth_over_time_is_what_was_told(client, market, trades):
    await market.clock.advance(seconds=3600)
    await market.tick("110.00", "110.02", "110.01")

    history = await client.get("/v2/account/portfolio/history", period="1D", timeframe="1H")
    account = await client.get("/v2/account")

    columns = [history[name] for name in ("timestamp", "equity", "profit_loss", "profit_loss_pct")]
    assert 1 == len({len(column) for column in columns})
    assert Decimal(account["equity"]) == Decimal(history["equity"][-1])
    gained = Decimal(history["equity"][-1]) - Decimal(history["base_value"])
    assert gained == Decimal(history["profit_loss"][-1])
    assert "1H" == history["timeframe"]


@pytest.mark.parametrize(
    ("asked", "frame"),
    [
        ({"period": "1D"}, "1Min"),
        ({"period": "1W"}, "15Min"),
        ({}, "1D"),
        ({"period": "2M"}, "1D"),
        ({"period": "1A", "timeframe": "1D"}, "1D"),
    ],
    ids=["a day", "a week", "by default", "two months", "as asked"],
)
async def test_the_step_follows_from_the_period(client, asked, frame):
    assert frame == (await client.get("/v2/account/portfolio/history", **asked))["timeframe"]


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"period": "1Y"}, 422),
        ({"timeframe": "1W"}, 422),
        ({"period": "1A", "timeframe": "1Min"}, 422),
        ({"period": "1D", "start": "2026-01-01", "end": "2026-01-02"}, 422),
        ({"start": "2026-01-09", "end": "2026-01-02"}, 422),
        ({"start": "2020-01-01", "end": "2020-01-02"}, 404),
    ],
    ids=["period", "timeframe", "too fine", "all three", "end before start", "before all"],
)
async def test_worth_that_is_not_known_is_refused(client, asked, status):
    found = await client.refused("GET", "/v2/account/portfolio/history", params=asked)

    assert status == found[0]
