"""The account, its settings and its positions, as far as the broker tells them."""

import uuid
from decimal import Decimal

import pytest
from tests.broker.conftest import Market
from tests.dialects.alpaca.trading_rig import served

from dragoman_alpaca.wire.trading import AccountRow, PositionRow


@pytest.fixture
async def market():
    one = Market()
    yield one
    await one.aclose()


@pytest.fixture
async def broker(market):
    return await market.connect()


@pytest.fixture
async def client(broker):
    async with served(broker) as client:
        yield client


async def test_an_account_is_told_with_every_field_of_the_schema(client):
    account = await client.get("/v2/account")

    assert set(AccountRow.__struct_fields__) <= account.keys()
    assert str(uuid.UUID(account["id"])) == account["id"]
    assert {
        "account_number": "paper-1",
        "status": "ACTIVE",
        "currency": "USD",
        "cash": "100000",
        "equity": "100000",
        "buying_power": "100000",
        "long_market_value": "0",
        "short_market_value": "0",
        "last_equity": None,
        "trading_blocked": False,
        "trade_suspended_by_user": False,
    }.items() <= account.items()


async def test_what_is_held_is_worth_what_it_would_bring_now(client):
    await client.submit()

    account = await client.get("/v2/account")
    (position,) = await client.get("/v2/positions")

    assert position["market_value"] == account["long_market_value"] != "0"
    assert "0" == account["short_market_value"]


async def test_a_halted_account_says_so(client, broker):
    broker.halt("for the test")

    assert (await client.get("/v2/account"))["trade_suspended_by_user"] is True
    assert (await client.get("/v2/account/configurations"))["suspend_trade"] is True


async def configure(client, **settings):
    return await client.ask("PATCH", "/v2/account/configurations", json=settings)


async def test_trading_is_suspended_and_resumed_by_the_configuration(client, broker):
    _, suspended = await configure(client, suspend_trade=True)
    assert (True, True) == (suspended["suspend_trade"], broker.is_halted)

    _, resumed = await configure(client, suspend_trade=False)
    assert (False, False) == (resumed["suspend_trade"], broker.is_halted)


async def test_a_halt_of_the_operator_is_not_ended_by_a_client(client, broker):
    broker.halt("for the test")

    status, body = await configure(client, suspend_trade=False)

    assert (403, 40310000) == (status, body["code"])
    assert broker.is_halted


async def test_a_setting_that_can_not_be_honored_is_refused(client):
    now = await client.get("/v2/account/configurations")

    status, body = await configure(client, no_shorting=True)

    assert (422, "no_shorting can't be changed here: it stays False") == (status, body["message"])
    assert now == await client.get("/v2/account/configurations")


async def test_settings_as_they_are_may_be_sent_back(client):
    now = await client.get("/v2/account/configurations")

    assert (200, now) == await configure(client, **now)


async def test_a_position_is_told_with_every_field_of_the_schema(client, market):
    await client.submit()
    await market.tick("102.00", "102.02", "102.01")

    (position,) = await client.get("/v2/positions")

    assert set(PositionRow.__struct_fields__) <= position.keys()
    cost, value = Decimal(position["cost_basis"]), Decimal(position["market_value"])
    assert {
        "symbol": "AAPL",
        "asset_class": "us_equity",
        "exchange": "NASDAQ",
        "qty": "10",
        "side": "long",
        "avg_entry_price": "100.02",
        "cost_basis": "1000.2",
    }.items() <= position.items()
    assert value == 10 * Decimal(position["current_price"])
    assert value - cost == Decimal(position["unrealized_pl"])
    assert abs((value - cost) / cost - Decimal(position["unrealized_plpc"])) < Decimal("1E-8")


async def test_a_short_position_is_below_zero(client):
    await client.submit(side="sell", qty="3")

    (position,) = await client.get("/v2/positions")

    assert ("-3", "short", "-300") == tuple(
        position[name] for name in ("qty", "side", "cost_basis")
    )


async def test_a_position_is_found_by_symbol_and_by_asset_id(client):
    await client.submit()

    by_symbol = await client.get("/v2/positions/AAPL")
    by_id = await client.get(f"/v2/positions/{by_symbol['asset_id']}")

    assert by_symbol == by_id == (await client.get("/v2/positions"))[0]


@pytest.mark.parametrize("name", ["MSFT", "NOPE", str(uuid.uuid5(uuid.NAMESPACE_DNS, "x"))])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_what_is_not_held_is_no_position(client, method, name):
    found = await client.refused(method, f"/v2/positions/{name}")

    assert (404, 40410000, "position does not exist") == found


@pytest.mark.parametrize(
    ("asked", "closed"),
    [
        ({}, "10"),
        ({"qty": "4"}, "4"),
        ({"percentage": "100"}, "10"),
        ({"percentage": "50"}, "5"),
        ({"percentage": "37.5"}, "3"),
    ],
    ids=["all", "qty", "100 %", "50 %", "rounded down"],
)
async def test_a_position_is_closed_whole_or_in_part(client, asked, closed):
    await client.submit()

    status, order = await client.ask("DELETE", "/v2/positions/AAPL", params=asked)

    assert (200, "sell", closed, "sell_to_close") == (
        status,
        order["side"],
        order["filled_qty"],
        order["position_intent"],
    )
    left = [position["qty"] for position in await client.get("/v2/positions")]
    assert [str(10 - int(closed))] * (closed != "10") == left


async def test_part_of_a_fraction_is_a_fraction(client):
    await client.submit(qty="1.5")

    _, order = await client.ask("DELETE", "/v2/positions/AAPL", params={"percentage": "50"})

    assert "0.75" == order["filled_qty"]


@pytest.mark.parametrize(
    ("asked", "status", "message"),
    [
        ({"qty": "1", "percentage": "1"}, 422, "only one of qty or percentage is accepted"),
        ({"qty": "0"}, 422, "qty must be > 0"),
        ({"percentage": "0"}, 422, "percentage must be above 0 and at most 100"),
        ({"percentage": "101"}, 422, "percentage must be above 0 and at most 100"),
        (
            {"qty": "11"},
            403,
            "insufficient qty available for order (requested: 11, available: 10)",
        ),
        ({"percentage": "1"}, 422, "qty must be > 0"),
    ],
    ids=["both", "qty 0", "0 %", "101 %", "too much", "less than a share"],
)
async def test_a_close_that_makes_no_sense_is_refused(client, asked, status, message):
    await client.submit()

    found = await client.refused("DELETE", "/v2/positions/AAPL", params=asked)

    assert (status, message) == (found[0], found[2])


async def test_closing_all_tells_what_became_of_each_position(client):
    await client.submit()
    await client.rest(client_order_id="c1")

    status, rows = await client.ask("DELETE", "/v2/positions", params={"cancel_orders": "true"})

    assert 207 == status
    assert [("AAPL", 200, "filled", "sell")] == [
        (row["symbol"], row["status"], row["body"]["status"], row["body"]["side"]) for row in rows
    ]
    assert [] == await client.get("/v2/positions")
    assert [] == await client.get("/v2/orders")


async def test_closing_all_without_more_leaves_orders_alone(client):
    await client.rest(client_order_id="c1")

    assert (207, []) == await client.ask("DELETE", "/v2/positions")
    assert 1 == len(await client.get("/v2/orders"))
