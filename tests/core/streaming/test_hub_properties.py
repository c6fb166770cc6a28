"""Whatever readers do, and in whatever order: nothing is lost uncounted, nothing comes twice."""

import asyncio
from collections import Counter, defaultdict

from hypothesis import given
from hypothesis import strategies as st

from dragoman.models import Bar, Channel, Gap, ReaderLagged, Subscription
from dragoman.streaming.topics import subscription_of, topic_of, topics_of

SYMBOLS = ("AAPL", "MSFT")
KINDS = ("quote", "ticker", "status", "trade", "correction", "depth", "snapshot", "bar")
PRIVATE = {"position": Channel.POSITIONS, "ledger": Channel.LEDGER, "protection": Channel.ORDERS}
EVERYTHING = topics_of(
    Subscription(
        quotes=SYMBOLS,
        trades=SYMBOLS,
        depth=SYMBOLS,
        tickers=SYMBOLS,
        market_status=SYMBOLS,
        bars=[(symbol, "1m") for symbol in SYMBOLS],
    )
)


class Model:
    """What one reader must have had: market events counted by topic, private ones by sequence."""

    def __init__(self, world, channels, since, buffer):
        self.world = world
        self.channels = channels
        self.topics = set()
        self.private = [
            event.sequence
            for event in world.log.events
            if since is not None and event.sequence > since and _channel(event) in channels
        ]
        self.stream = world.hub.stream(
            subscription_of((), channels), since=since if channels else None, buffer=buffer
        )
        self.published = Counter()
        self.delivered = Counter()
        self.told = Counter()
        self.sequences = []
        self.numbers = defaultdict(dict)

    def expect(self, event):
        topic = topic_of(event)
        if topic is not None and topic in self.topics:
            self.published[topic] += 1
            self.numbers[topic][event.received_at_ns] = self.published[topic]
        elif topic is None and _channel(event) in self.channels:
            self.private.append(event.sequence)

    def receive(self, event):
        if isinstance(event, Gap):
            assert event.lost > 0
            self.told[event.channel, event.symbol] += event.lost
        elif isinstance(event, ReaderLagged):
            assert event.from_sequence == self.private[len(self.sequences)]
        elif (topic := topic_of(event)) is None:
            self.sequences.append(event.sequence)
        else:
            self._receive_market(event, topic)

    def _receive_market(self, event, topic):
        before = self.delivered[topic] + self.told[topic.channel, topic.symbol]
        number = self.numbers[topic][event.received_at_ns]
        assert before == number - 1 or (isinstance(event, Bar) and before >= number - 1)
        self.delivered[topic] += 1

    def forget(self, topics):
        """Unsubscribed: what waited of these topics is gone, by the reader's own wish."""
        self.topics -= topics
        for topic in topics:
            self.published[topic] = self.delivered[topic] = 0
            self.told[topic.channel, topic.symbol] = 0

    def check(self):
        assert self.private == self.sequences
        for topic in self.topics:
            told = self.told[topic.channel, topic.symbol]
            assert self.published[topic] == self.delivered[topic] + told


def _channel(event):
    names = {"PositionEvent": "position", "LedgerEvent": "ledger", "ProtectionEvent": "protection"}
    return PRIVATE[names[type(event).__name__]]


class Play:
    """The readers, the steps they can take, and what must hold in the end."""

    def __init__(self, world, draw):
        self.world = world
        self.draw = draw
        self.models = []

    async def open(self):
        channels = self.draw(st.sets(st.sampled_from(sorted(PRIVATE.values()))))
        last = self.world.log.last_sequence
        since = self.draw(st.none() | st.integers(min_value=0, max_value=last))
        buffer = self.draw(st.integers(min_value=1, max_value=30))
        model = Model(self.world, channels, since, buffer)
        await model.stream.__aenter__()
        self.models.append(model)

    async def emit(self):
        for kind in self.draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=30)):
            event = self._market_event(kind)
            for model in self.models:
                model.expect(event)
            self.world.upstream.emit(event)
        await self.world.settle()

    async def publish(self):
        for kind in self.draw(st.lists(st.sampled_from(sorted(PRIVATE)), min_size=1, max_size=30)):
            event = self.world.journal(kind)
            for model in self.models:
                model.expect(event)
            self.world.hub.publish([event])

    async def subscribe(self):
        """All readers at once, so that they meet in the same openings."""
        wanted = [(model, self._topics()) for model in self.models]
        await asyncio.gather(
            *(model.stream.subscribe(subscription_of(topics)) for model, topics in wanted)
        )
        for model, topics in wanted:
            model.topics |= topics

    async def unsubscribe(self):
        leaving = [(model, self._topics() & model.topics) for model in self.models]
        await asyncio.gather(
            *(model.stream.unsubscribe(subscription_of(topics)) for model, topics in leaving)
        )
        for model, topics in leaving:
            model.forget(topics)

    async def swap(self):
        """One half leaves while the other half enters."""
        topics = self._topics()
        half = len(self.models) // 2
        await asyncio.gather(
            *(one.stream.unsubscribe(subscription_of(topics)) for one in self.models[:half]),
            *(one.stream.subscribe(subscription_of(topics)) for one in self.models[half:]),
        )
        for model in self.models[:half]:
            model.forget(topics & model.topics)
        for model in self.models[half:]:
            model.topics |= topics

    async def read(self):
        model = self.draw(st.sampled_from(self.models))
        for _ in range(self.draw(st.integers(min_value=1, max_value=12))):
            event = await self.world.next_or_none(model.stream)
            if event is None:
                return
            model.receive(event)

    async def read_batch(self):
        model = self.draw(st.sampled_from(self.models))
        limit = self.draw(st.none() | st.integers(min_value=1, max_value=9))
        for event in await self.world.next_or_none(model.stream.batches(limit)) or ():
            model.receive(event)

    async def close(self):
        if len(self.models) > 1:
            await self.models.pop(self.draw(st.integers(0, len(self.models) - 1))).stream.aclose()

    async def run(self):
        await self.open()
        steps = st.sampled_from(
            [
                self.open,
                self.emit,
                self.emit,
                self.publish,
                self.subscribe,
                self.unsubscribe,
                self.swap,
                self.read,
                self.read_batch,
                self.close,
            ]
        )
        await self.subscribe()
        for _ in range(self.draw(st.integers(min_value=1, max_value=25))):
            await self.draw(steps)()
            assert self.world.upstream.most_per_topic <= 1
            wanted = {topic for model in self.models for topic in model.topics}
            assert wanted <= self.world.upstream.topics
        for model in self.models:
            for event in await self.world.drain(model.stream):
                model.receive(event)
            model.check()

    def _topics(self):
        return self.draw(st.frozensets(st.sampled_from(sorted(EVERYTHING, key=str)), max_size=6))

    def _market_event(self, kind):
        symbol = self.draw(st.sampled_from(SYMBOLS))
        if kind == "snapshot":
            return self.world.make.depth(symbol, is_snapshot=True)
        if kind == "bar":
            return self.world.make.bar(symbol, self.draw(st.integers(0, 3)))
        return getattr(self.world.make, kind)(symbol)


@given(data=st.data())
def test_every_event_is_delivered_once_or_counted_and_private_ones_are_all_delivered(
    make_world, data
):
    async def play():
        world = make_world()
        try:
            await Play(world, data.draw).run()
        finally:
            await world.aclose()
        assert [] == world.upstream.live
        assert [] == world.failures
        assert {asyncio.current_task()} == asyncio.all_tasks()

    asyncio.run(play())
