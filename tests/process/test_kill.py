"""A client that is killed anywhere within `submit`, and comes back to the same journal."""

import asyncio
from collections import Counter
from decimal import Decimal

import pytest
from tests.effort import IS_SOAK, effort

from dragoman import DragomanError, OrderEvent, OrderType, Side
from dragoman_conformance.harbor.settings import FillStyle

KILLED = 9
SAMPLE = effort(16, quick=6)
ORDER = {
    "symbol": "AAPL",
    "side": Side.BUY,
    "order_type": OrderType.LIMIT,
    "quantity": "2",
    "limit_price": "100",
}


@pytest.fixture
async def dock(open_dock):
    accounts = tuple(f"A{number}" for number in range(400))
    return await open_dock(accounts=accounts, fills=FillStyle.FULL, fill_delay_ns=(0, 20_000_000))


def sample(last):
    """Return the points to die at: all of them, or so many spread evenly."""
    points = range(1, last + 1)
    return [*points] if IS_SOAK else [*points[:: max(1, last // SAMPLE)]]


async def measured(dock, forker):
    """Submit once, unharmed; how many steps and statements that took."""
    await forker.tell(**dock.facts("submit_and_die", "A0", client_order_id="whole"))
    found = await forker.hear("steps")
    assert 0 == (await forker.hear("ended"))["ended"]
    return found


async def die_at(dock, forker, kind, points):
    """Let a client of its own account die at each point; its account and id by then."""
    died = []
    for number, point in enumerate(points, 1):
        account, name = f"A{number}", f"{kind}-{point}"
        facts = dock.facts("submit_and_die", account, client_order_id=name, **{kind: point})
        await forker.tell(**facts)
        assert KILLED == (await forker.hear("ended"))["ended"]
        died.append((account, name))
    return died


async def come_back(dock, account, name):
    """Connect again, ask for the same order again, and compare with the ledger."""
    told = []
    async with dock.connect(account) as broker, broker.listen(told.append, since=0, orders=True):
        before = broker.state.order(name)
        arrived = len(dock.orders(name))
        problem = await asked_again(broker, name)
        assert not (arrived and problem), f"{name} lives, and was reported as {problem}"
        await dock.eventually(lambda: not disagreement(dock, broker, name))
    fills = Counter(one.fill.fill_id for one in told if isinstance(one, OrderEvent) and one.fill)
    assert all(count == 1 for count in fills.values()), f"{name}: {fills}"
    sequences = [one.sequence for one in told if isinstance(one, OrderEvent)]
    assert sorted(set(sequences)) == sequences
    assert len(dock.orders(name)) <= 1
    assert arrived <= len(dock.orders(name))
    return None if before is None else str(before.status)


async def asked_again(broker, name):
    try:
        await broker.submit(client_order_id=name, **ORDER)
    except DragomanError as error:
        return error
    return None


def disagreement(dock, broker, name):
    """Return how the client differs from the venue about one intent; None if it does not."""
    order = broker.state.order(name)
    row = next((one for one in dock.server.venue.orders() if one["client_id"] == name), None)
    if row is None:
        is_over = order is None or order.status.is_terminal
        return None if is_over else f"{name} is {order.status} and was never there"
    if order is None:
        return f"{name} is lost"
    if (Decimal(row["filled"]), "filled") != (order.filled_quantity, row["state"]):
        return f"{name} is {order.status} with {order.filled_quantity}, at the venue {row}"
    return None


async def kill_all(dock, kind):
    forker = await dock.forker()
    last = (await measured(dock, forker))[f"{kind}s"]
    died = await die_at(dock, forker, kind, sample(last))
    return last, died


@pytest.mark.parametrize("kind", ["step", "statement"])
async def test_f19_f43_killed_at_any_point_of_submit_no_order_is_lost_or_doubled(dock, kind):
    last, died = await kill_all(dock, kind)

    before = await asyncio.gather(*[come_back(dock, account, name) for account, name in died])

    assert last > 5
    assert len(died) == len(before)
    arrived = [name for _, name in died if dock.orders(name)]
    assert 0 < len(arrived)
    taken = Counter(one["client_id"] for one in dock.orders())
    assert {1} == set(taken.values())


async def test_f43_killed_again_while_it_comes_back_no_order_is_lost_or_doubled(dock):
    forker = await dock.forker()
    middle = (await measured(dock, forker))["steps"] // 2 + 1
    (first,) = await die_at(dock, forker, "step", [middle])
    await forker.tell(**dock.facts("return_and_die", first[0]))
    steps = (await forker.hear("steps"))["steps"]
    await forker.hear("ended")

    died = [first]
    for number, point in enumerate(sample(steps), 2):
        account, name = f"A{number}", f"again-{point}"
        facts = dock.facts("submit_and_die", account, client_order_id=name, step=middle)
        for life in (facts, dock.facts("return_and_die", account, step=point)):
            await forker.tell(**life)
            assert KILLED == (await forker.hear("ended"))["ended"]
        died.append((account, name))
    await asyncio.gather(*[come_back(dock, account, name) for account, name in died])

    assert steps > 10
    taken = Counter(one["client_id"] for one in dock.orders())
    assert {1} == set(taken.values())
