"""Client order ids: each stands for one order for ever, however orders are replaced."""

import asyncio

import pytest
from tests.broker.conftest import Market
from tests.dialects.alpaca.trading_rig import LONGEST_S, REST, served

from dragoman import OrderChange
from dragoman_alpaca.dialect.identity import revision_id


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


async def named(client, name):
    """Return the order of a client order id."""
    return await client.get("/v2/orders:by_client_order_id", client_order_id=name)


async def test_a_replaced_order_never_takes_the_name_of_another_order(client):
    first = await client.rest(client_order_id="c1")
    other = await client.rest(client_order_id="c1~1", limit_price="80")

    new = await client.replace(first, limit_price="91")

    assert new["client_order_id"] not in {"c1", "c1~1"}
    assert other["id"] == (await named(client, "c1~1"))["id"]
    assert new["id"] == (await named(client, new["client_order_id"]))["id"]


async def test_an_order_replaced_elsewhere_never_takes_the_name_of_another_order(client):
    await client.rest(client_order_id="c1")
    other = await client.rest(client_order_id="c1~1", limit_price="80")

    await client.broker.replace("c1", OrderChange(limit_price="91"))

    names = [order["client_order_id"] for order in await client.get("/v2/orders")]
    assert 2 == len(set(names))
    assert other["id"] == (await named(client, "c1~1"))["id"]


async def test_an_order_sent_elsewhere_under_the_name_of_a_replaced_one_is_told_apart(client):
    first = await client.rest(client_order_id="c1")
    new = await client.replace(first, limit_price="91")
    request = {**REST, "client_order_id": "c1~1"}

    assert (422, 40010001, "client_order_id must be unique") == await client.refused(
        "POST", "/v2/orders", json=request
    )
    assert new["id"] == (await named(client, "c1~1"))["id"]


async def test_a_given_name_that_looks_like_a_later_one_is_never_given_twice(client):
    first = await client.rest(client_order_id="c1")
    second = await client.replace(first, limit_price="91", client_order_id="c1~2")

    third = await client.replace(second, limit_price="92")

    assert "c1~2" != third["client_order_id"]
    assert second["id"] == (await named(client, "c1~2"))["id"]


async def test_the_name_of_a_refused_replace_is_free_and_not_the_next_ones(client):
    first = await client.rest(client_order_id="c1")
    path = f"/v2/orders/{first['id']}"
    wrong = {"limit_price": "91.001", "client_order_id": "mine"}
    assert 422 == (await client.refused("PATCH", path, json=wrong))[0]

    new = await client.replace(first, limit_price="92")

    assert "c1~1" == new["client_order_id"]
    assert "mine" == (await client.rest(client_order_id="mine"))["client_order_id"]


async def test_a_refused_replace_may_be_sent_again_under_its_name(client):
    first = await client.rest(client_order_id="c1")
    path = f"/v2/orders/{first['id']}"
    for name in ("one", "two"):
        wrong = {"limit_price": "91.001", "client_order_id": name}
        assert 422 == (await client.refused("PATCH", path, json=wrong))[0]

    new = await client.replace(first, limit_price="92", client_order_id="one")

    assert ("one", "92") == (new["client_order_id"], new["limit_price"])
    assert new["id"] == (await named(client, "one"))["id"]


async def test_of_replaces_at_once_one_is_done_and_shown_under_its_own_name(client):
    first = await client.rest(client_order_id="c1")
    path = f"/v2/orders/{first['id']}"
    bodies = [{"limit_price": str(90 + n), "client_order_id": f"name{n}"} for n in (1, 2, 3)]

    answers = await asyncio.gather(*[client.ask("PATCH", path, json=body) for body in bodies])

    assert [200, 422, 422] == sorted(status for status, _ in answers)
    (new,) = [body for status, body in answers if status == 200]
    assert {"limit_price": new["limit_price"], "client_order_id": new["client_order_id"]} in bodies
    assert [new["id"]] == [order["id"] for order in await client.get("/v2/orders")]


@pytest.mark.parametrize(
    "shape",
    [
        {
            "order_class": "bracket",
            "take_profit": {"limit_price": "120"},
            "stop_loss": {"stop_price": "80"},
        },
        {"order_class": "oto", "stop_loss": {"stop_price": "80"}},
        {
            "order_class": "oco",
            "side": "sell",
            "take_profit": {"limit_price": "120"},
            "stop_loss": {"stop_price": "80"},
        },
    ],
    ids=lambda shape: shape["order_class"],
)
async def test_an_order_whose_leg_would_take_anothers_name_is_refused_whole(client, shape):
    other = await client.rest(client_order_id="c1-sl")
    request = {**REST, **shape, "client_order_id": "c1"}

    status, code, message = await client.refused("POST", "/v2/orders", json=request)

    assert (422, 40010001) == (status, code)
    assert "another order is called c1-sl, as a leg of this one would be" == message
    shown = await client.get("/v2/orders", status="all", nested="true")
    assert [(other["id"], None)] == [(order["id"], order["legs"]) for order in shown]


async def test_given_names_outlive_the_server(market):
    broker = await market.connect()
    async with served(broker) as client:
        first = await client.rest(client_order_id="c1")
        new = await client.replace(first, limit_price="91", client_order_id="mine")
        host = client.host

        assert (
            "mine"
            == host.identities(broker).get("client_order_id", "c1:1").attributes["client_order_id"]
        )
        assert "mine" == new["client_order_id"]


@pytest.mark.parametrize(("revision", "name"), [(0, "c1"), (1, "c1~1"), (12, "c1~12")])
def test_a_revision_is_called_by_its_number(revision, name):
    assert name == revision_id("c1", revision)


def test_the_name_of_a_revision_is_never_longer_than_a_client_order_id_may_be():
    names = {revision_id("c" * 127 + letter, 1) for letter in "ab"}

    assert 2 == len(names)
    assert all(len(name) <= 128 for name in names)


async def test_an_order_that_is_being_replaced_is_not_replaced_again_meanwhile(client, monkeypatch):
    first = await client.rest(client_order_id="c1")
    path = f"/v2/orders/{first['id']}"
    begun, gate, calls = asyncio.Event(), asyncio.Event(), []
    replace = client.broker.replace

    async def slowly(*given):
        calls.append(given)
        begun.set()
        await gate.wait()
        return await replace(*given)

    monkeypatch.setattr(client.broker, "replace", slowly)
    body = {"limit_price": "91", "client_order_id": "mine"}
    going = asyncio.ensure_future(client.ask("PATCH", path, json=body))
    await begun.wait()

    async with asyncio.timeout(LONGEST_S):
        found = await client.refused("PATCH", path, json={"limit_price": "92"})
    gate.set()
    status, new = await going

    assert (422, "unable to replace order, order isn't sent to exchange yet") == found[::2]
    assert (200, "mine", "91", 1) == (
        status,
        new["client_order_id"],
        new["limit_price"],
        len(calls),
    )
