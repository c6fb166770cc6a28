"""Groups, whatever the broker has: one that fills cancels the others, nothing else does."""

from decimal import Decimal

import pytest
from tests.dialects.tektii.gateway_rig import REST
from tests.shared.rig import eventually


async def placed(gateway, name, price, group="pair"):
    """Place a member of a group."""
    body = {**REST, "limit_price": price, "client_order_id": name, "oco_group_id": group}
    assert 201 == (await gateway.ask("POST", "/v1/orders", body))[0]


async def becomes(gateway, name, status):
    """Wait until an order stands like this."""
    await eventually(lambda: str(gateway.broker.state.order(name).status) == status)


async def test_a_member_that_fills_cancels_the_others(open_gateway):
    gateway = await open_gateway(settings={"native_lists": False})
    for name, price in (("one", "90"), ("other", "80"), ("third", "70")):
        await placed(gateway, name, price)
    await placed(gateway, "stranger", "60", "another")

    await gateway.venue.quote("88", "89", last="89")

    await becomes(gateway, "one", "FILLED")
    await becomes(gateway, "other", "CANCELED")
    await becomes(gateway, "third", "CANCELED")
    assert "OPEN" == str(gateway.broker.state.order("stranger").status)


@pytest.mark.parametrize("native", [True, False], ids=["native", "plain"])
async def test_a_member_that_is_canceled_by_hand_leaves_the_others(open_gateway, native):
    gateway = await open_gateway(settings={"native_lists": native})
    await placed(gateway, "one", "90")
    await placed(gateway, "other", "80")

    await gateway.ask("DELETE", "/v1/orders/one")

    await becomes(gateway, "one", "CANCELED")
    assert "OPEN" == str(gateway.broker.state.order("other").status)


async def test_the_group_is_shown_and_found_by(open_gateway):
    gateway = await open_gateway(settings={"native_lists": False})
    await placed(gateway, "one", "90")
    await placed(gateway, "other", "80", "another")

    _, found = await gateway.ask("GET", "/v1/orders?oco_group_id=pair")

    assert [("one", "pair")] == [(order["id"], order["oco_group_id"]) for order in found]


async def test_members_that_both_fill_are_told_once(open_gateway):
    gateway = await open_gateway(settings={"native_lists": False})
    stream = await gateway.stream()
    await placed(gateway, "one", "90")
    await placed(gateway, "other", "80")

    def fill_both(engine):
        told = [engine.execute("paper-1", name, None) for name in ("one", "other")]
        return [event for events in told for event in events]

    await gateway.venue.mock.act(fill_both)

    frame = await stream.hear("error", code="OCO_DOUBLE_EXIT")
    details = frame["details"]
    await stream.hear("order", event="ORDER_FILLED")
    assert ("pair", "AAPL", "10") == (
        details["oco_group_id"],
        details["symbol"],
        details["total_exit_quantity"],
    )
    assert {"one", "other"} == {details[name]["order_id"] for name in ("first_fill", "second_fill")}
    assert 1 == len(stream.of("error", code="OCO_DOUBLE_EXIT"))


async def test_a_name_of_a_group_may_be_used_again(open_gateway):
    gateway = await open_gateway(settings={"native_lists": False})
    stream = await gateway.stream()
    for number in ("1", "2"):
        await placed(gateway, f"one-{number}", "90")
        await placed(gateway, f"other-{number}", "80")
        await gateway.venue.quote("88", "89", last="89")
        await becomes(gateway, f"one-{number}", "FILLED")
        await becomes(gateway, f"other-{number}", "CANCELED")
        await gateway.venue.quote("99", "101", last="100")
        await gateway.venue.pause(1)

    assert [] == stream.of("error")
    assert Decimal(10) == gateway.broker.state.position("AAPL").quantity
