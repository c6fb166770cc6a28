import pytest

from dragoman.errors import ClosedError, InvalidValueError
from dragoman.models import ReaderLagged, Subscription

POSITIONS = Subscription(positions=True)


async def test_a_private_event_without_a_sequence_is_refused(world, make):
    with pytest.raises(InvalidValueError, match="sequence"):
        world.hub.publish([make.private(0)])


async def test_market_data_is_not_published(world, make):
    with pytest.raises(InvalidValueError, match="Quote"):
        world.hub.publish([make.quote()])


async def test_an_event_published_again_is_passed_over(world):
    async with world.hub.stream(POSITIONS) as stream:
        published = world.publish(3)
        world.hub.publish(published[:1])
        later = world.publish()

        assert published + later == await world.drain(stream)


async def test_what_was_skipped_in_publishing_is_read_from_the_log(world):
    async with world.hub.stream(POSITIONS) as stream:
        first = world.publish()
        skipped = [world.journal() for _ in range(3)]
        last = world.publish()
        received = await world.drain(stream)
        later = world.publish()

        lagged = ReaderLagged(from_sequence=2, received_at_ns=world.clock.now_ns())
        assert [*first, lagged, *skipped, *last] == received
        assert later == await world.drain(stream)


async def test_a_reader_that_is_behind_already_is_told_once(world):
    async with world.hub.stream(POSITIONS) as stream:
        for _ in range(3):
            world.journal()
            world.publish()
        lagged, *received = await world.drain(stream)

        assert isinstance(lagged, ReaderLagged)
        assert world.log.events == received


async def test_publishing_without_readers_does_nothing(world, make):
    world.publish(3)
    world.hub.publish([make.rate_limit()])

    assert 3 == world.hub.published


async def test_a_closed_stream_is_forgotten(world):
    async with world.hub.stream(POSITIONS):
        pass

    assert {} == world.hub._by_channel
    assert () == world.hub._everyone


async def test_a_closed_hub_publishes_to_nobody(world):
    async with world.hub.stream(POSITIONS) as stream:
        await world.hub.aclose()
        world.publish()

        assert [] == [event async for event in stream]


async def test_a_hub_is_closed_as_often_as_one_likes(world):
    await world.hub.aclose()
    await world.hub.aclose()

    with pytest.raises(ClosedError):
        async with world.hub.stream(Subscription(orders=True)):
            pass


async def test_the_private_events_before_the_hub_are_not_live(make_world):
    world = make_world()
    for _ in range(3):
        world.journal()
    hub = type(world.hub)(world.upstream, world.log, world.scope, world.clock)

    async with hub.stream(POSITIONS) as stream:
        event = world.journal()
        hub.publish([event])

        assert [event] == await world.drain(stream)
    await hub.aclose()
    await world.aclose()
