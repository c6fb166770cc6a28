"""Two processes and one account: who may send, and how one stops the other."""

import signal

import pytest

from dragoman import AccountLockedError, OrderType, Outcome, Side
from dragoman.orders.halt import HaltSwitch, halt_marker

ORDER = {
    "symbol": "AAPL",
    "side": Side.BUY,
    "order_type": OrderType.LIMIT,
    "quantity": "2",
    "limit_price": "100",
}
COUNT = 1000
CONNECTIONS = 64


async def test_f48_a_second_process_may_not_send_until_the_first_is_gone(dock):
    victim = await dock.start("follow")
    pid = (await victim.hear("ready"))["ready"]
    async with dock.connect() as broker:
        with pytest.raises(AccountLockedError) as caught:
            await broker.submit(client_order_id="second", **ORDER)
    assert Outcome.NOT_SENT is caught.value.outcome
    assert str(pid) in caught.value.message
    assert [] == dock.orders()

    victim.signal(signal.SIGKILL)
    await victim.ended()
    async with dock.connect() as broker:
        order = await broker.submit(client_order_id="second", **ORDER)

    assert ("OPEN", 1) == (str(order.status), len(dock.orders()))


async def test_f48_what_the_owner_sends_is_seen_by_the_guest(dock):
    victim = await dock.start("follow")
    await victim.hear("ready")
    async with dock.connect() as broker:
        await victim.tell(submit="c1")
        assert "OPEN" == (await victim.hear("status"))["status"]

        await dock.eventually(lambda: broker.state.order("c1"))


@pytest.mark.parametrize("is_wider", [False, True], ids=["account", "provider"])
async def test_f54_a_halt_from_another_process_holds_while_1000_submits_are_in_flight(
    dock, is_wider
):
    marker = halt_marker(dock.state_dir, "harbor", None if is_wider else "A1")
    victim = await dock.start("many", count=COUNT, timeout_s=20.0, speed=5.0)
    await victim.hear("ready")
    await dock.eventually(lambda: len(dock.orders()) >= 20)
    now_ns = dock.ledger.now_ns()

    HaltSwitch(marker).set("enough", now_ns)
    halted_ns = dock.ledger.now_ns()
    told = {}
    while len(told) < COUNT:
        one = await victim.hear("submitted")
        told[one["submitted"]] = one

    taken = {one["client_id"] for one in dock.orders()}
    refused = {name for name, one in told.items() if one.get("outcome") == "NOT_SENT"}
    accepted = {name for name, one in told.items() if "status" in one}
    assert (set(), set()) == (refused & taken, accepted - taken)
    assert COUNT == len(refused) + len(accepted)
    assert "HaltedError" in {told[name]["error"] for name in refused}
    assert 20 <= len(accepted) < COUNT / 2
    late = [row for row in dock.ledger.of("accepted") if row["at_ns"] > halted_ns]
    assert len(late) <= CONNECTIONS  # no connection carried more than what was on it
