"""A stream is an ordinary iterator for threads, and keeps what the asynchronous one promises."""

import gc
import itertools
import threading

import pytest
from tests.core.sync.venue import LOST

from dragoman import (
    ClosedError,
    ConnectionEvent,
    Gap,
    HealthState,
    InvalidValueError,
    NotConnectedError,
    OrderEvent,
    OrderRejectedError,
    OrderRequest,
    Quote,
    Side,
    StreamLostError,
    Subscription,
)


def quotes_of(venue, count, symbol="AAPL"):
    return [venue.quote(symbol, size) for size in range(count)]


def test_events_come_in_their_order(broker, venue):
    pushed = quotes_of(venue, 3000)

    with broker.stream(quotes=["AAPL"]) as events:
        venue.push("AAPL", *pushed)
        read = list(itertools.islice(events, 3000))

    assert pushed == read


def test_events_of_the_account_come_too(broker):
    with broker.stream(orders=True) as events:
        order = broker.submit(OrderRequest.market("AAPL", Side.BUY, 1, client_order_id="mine"))
        read = [next(events), next(events)]

    assert [OrderEvent, OrderEvent] == [type(event) for event in read]
    assert order == read[1].order


def test_events_come_in_batches_of_at_most_the_limit(broker, venue):
    pushed = quotes_of(venue, 100)

    with broker.stream(quotes=["AAPL"]) as events:
        venue.push("AAPL", *pushed)
        first = next(events.batches(1))
        batches = list(itertools.islice(events.batches(33), 3))

    assert [1, 33, 33, 33] == [len(first), *map(len, batches)]
    assert pushed == [*first, *itertools.chain(*batches)]


def test_a_batch_of_none_is_refused(broker):
    with (
        broker.stream(quotes=["AAPL"]) as events,
        pytest.raises(InvalidValueError, match="at least 1"),
    ):
        events.batches(0)


def test_receive_gives_up_in_time_and_loses_nothing(broker, venue):
    with broker.stream(quotes=["AAPL"]) as events:
        with pytest.raises(TimeoutError, match=r"within 0\.01 s"):
            events.receive(timeout_s=0.01)
        venue.push("AAPL", venue.quote(size=7))

        assert 7 == events.receive(timeout_s=30).bid_size
    with pytest.raises(ClosedError):
        events.receive()


def test_a_stream_must_be_opened_and_only_once(broker):
    events = broker.stream(quotes=["AAPL"])

    with pytest.raises(NotConnectedError, match="with `with`"):
        next(events)
    with events:
        pass
    with pytest.raises(ClosedError, match="opened once"), events:
        pass


def test_a_wrong_subscription_is_refused_by_the_call(broker):
    with pytest.raises(InvalidValueError):
        broker.stream(bars=["AAPL"])


def test_a_topic_that_the_venue_refuses_is_an_error_of_opening(broker):
    with pytest.raises(OrderRejectedError), broker.stream(quotes=["REFUSED"]):
        pass


def test_a_lost_stream_ends_with_its_error_each_time_after_what_waited(broker, venue):
    with broker.stream(quotes=["AAPL"]) as events:
        venue.push("AAPL", venue.quote())
        venue.push("AAPL", LOST)

        assert [Quote, ConnectionEvent] == [type(next(events)) for _ in range(2)]
        for _ in range(2):
            with pytest.raises(StreamLostError, match="hung up"):
                next(events)


def test_closing_it_ends_the_thread_that_reads_it(broker, venue, aside):
    events = broker.stream(quotes=["AAPL"])
    with events:
        answer = aside(list, events)
    with broker.stream(quotes=["MSFT"]):
        pass

    assert [] == answer()
    assert 1 == venue.calls["stream AAPL closed"]


def test_interest_can_change_and_what_waits_of_the_old_is_forgotten(broker, venue):
    with broker.stream(quotes=["AAPL"]) as events:
        venue.push("AAPL", *quotes_of(venue, 1000))
        next(events)
        events.subscribe(Subscription(quotes=["MSFT"]))
        events.unsubscribe(Subscription(quotes=["AAPL"]))
        venue.push("MSFT", venue.quote("MSFT"))

        assert "MSFT" == next(events).symbol
        assert Subscription(quotes=["MSFT"]) == events.subscription


def test_what_a_slow_reader_does_not_get_is_counted_exactly(broker, venue):
    with broker.stream(quotes=["AAPL"], buffer=100) as events:
        for _ in range(20):
            venue.push("AAPL", *quotes_of(venue, 1000))
        venue.push("AAPL", venue.quote(size=-1))
        read = list(itertools.takewhile(lambda event: getattr(event, "bid_size", 0) >= 0, events))
        gaps = sum(event.lost for event in read if isinstance(event, Gap))
        got = sum(1 for event in read if isinstance(event, Quote))

        assert 20_000 == got + gaps
        assert gaps == sum(events.lost.values())
        assert 2000 > got


def test_what_was_lost_can_be_asked_after_the_end(venue):
    broker = venue.connect(account_id="one")
    with broker.stream(quotes=["AAPL"]) as events:
        pass
    broker.close()

    assert {} == events.lost
    assert 0 == events.session_lost


def test_closing_the_connection_hands_out_what_waits_then_ends(venue):
    broker = venue.connect(account_id="one")
    pushed = quotes_of(venue, 5000)
    with broker.stream(quotes=["AAPL"]) as events:
        venue.push("AAPL", *pushed)
        first = next(events)

        broker.close()
        *waited, last = events

    assert pushed == [first, *waited]
    assert HealthState.CLOSED is last.state


def test_dropping_it_closes_it(broker, venue):
    events = broker.stream(quotes=["AAPL"]).__enter__()
    del events
    gc.collect()
    for _ in range(3):
        broker.fetch_quote("AAPL")

    assert 1 == venue.calls["stream AAPL closed"]


def test_threads_that_share_it_get_each_event_once(broker, venue, aside):
    with broker.stream(quotes=["AAPL"]) as events:
        answers = [
            aside(lambda: [int(one.bid_size) for one in itertools.islice(events, 100)])
            for _ in range(8)
        ]
        venue.push("AAPL", *quotes_of(venue, 800))
        parts = [answer() for answer in answers]

    assert list(range(800)) == sorted(itertools.chain(*parts))


def test_a_stream_can_not_be_opened_twice_at_once(broker, aside):
    events = broker.stream(quotes=["AAPL"])
    start = threading.Barrier(4)

    def enter():
        start.wait()
        try:
            events.__enter__()
        except ClosedError:
            return "refused"
        return "open"

    answers = [aside(enter) for _ in range(4)]

    assert ["open", "refused", "refused", "refused"] == sorted(answer() for answer in answers)
    events.close()
