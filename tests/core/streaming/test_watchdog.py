import asyncio

import pytest

from dragoman.models import Subscription

POSITIONS = Subscription(positions=True)


@pytest.fixture
async def watched(make_world):
    world = make_world(stuck_after_s=10)
    yield world
    await world.aclose()


async def test_a_callback_that_never_returns_is_named_once(watched):
    told = []

    async def stuck_callback(event):
        await asyncio.Event().wait()

    async with watched.hub.listen(
        stuck_callback, POSITIONS, on_error=lambda *facts: told.append(facts)
    ):
        published = watched.publish()
        await watched.settle()
        await watched.clock.advance(seconds=5)
        early = list(told)
        await watched.clock.advance(seconds=100)

    assert [] == early
    ((event, error),) = told
    assert published == [event]
    assert isinstance(error, TimeoutError)
    assert "stuck_callback is still busy with one PositionEvent" in str(error)


async def test_a_slow_callback_that_goes_on_is_not_reported(watched):
    told = []

    async def callback(event):
        await watched.clock.sleep_until_ns(watched.clock.now_ns() + 6_000_000_000)

    async with watched.hub.listen(callback, POSITIONS, on_error=lambda *facts: told.append(facts)):
        watched.publish(10)
        await watched.settle()
        await watched.clock.advance(seconds=100)

    assert [] == told


async def test_a_stuck_callback_is_not_named_again_because_others_are_busy(watched):
    told = []

    async def stuck(event):
        await asyncio.Event().wait()

    async def busy(event):
        await watched.clock.sleep_until_ns(watched.clock.now_ns() + 1_000_000_000)

    def on_error(event, error):
        told.append(error)

    async with (
        watched.hub.listen(stuck, POSITIONS, on_error=on_error),
        watched.hub.listen(busy, POSITIONS, on_error=on_error),
    ):
        for _ in range(100):
            watched.publish()
            await watched.clock.advance(seconds=1)

    assert 1 == len(told)


async def test_each_call_that_is_stuck_is_reported(watched):
    told, gates = [], []

    async def callback(event):
        gates.append(asyncio.Event())
        await gates[-1].wait()

    async with watched.hub.listen(callback, POSITIONS, on_error=lambda *facts: told.append(facts)):
        published = watched.publish(2)
        for gate in (0, 1):
            await watched.settle()
            await watched.clock.advance(seconds=30)
            gates[gate].set()

    assert published == [event for event, _ in told]


async def test_the_watchdog_wakes_only_while_somebody_is_busy(watched):
    async def callback(event):
        await watched.clock.sleep_until_ns(0)

    async with watched.hub.listen(callback, POSITIONS):
        watched.publish()
        await watched.clock.advance(seconds=30)

        assert [] == watched.clock._sleepers


async def test_without_a_limit_nobody_watches(make_world):
    world = make_world(stuck_after_s=None)

    async with world.hub.listen(print, POSITIONS):
        assert 1 == len(world.scope.names)
    await world.aclose()


async def test_the_watchdog_ends_with_the_hub(watched):
    watched.hub.listen(print, POSITIONS)

    await watched.hub.aclose()
    await watched.settle()

    assert () == watched.scope.names
