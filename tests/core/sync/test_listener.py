"""A callback is called in a thread of its own, where it may use the broker."""

import gc
import logging
import threading

import pytest

from dragoman import ClosedError, InvalidValueError, OrderRejectedError, OrderRequest, Side


class Heard:
    """A callback that remembers, and lets a test wait for the n-th event."""

    def __init__(self, act=lambda _: None):
        self.events = []
        self.threads = set()
        self.act = act
        self.news = threading.Condition()

    def __call__(self, event):
        with self.news:
            self.events.append(event)
            self.threads.add(threading.current_thread())
            self.news.notify_all()
        self.act(event)

    def wait(self, count):
        with self.news:
            assert self.news.wait_for(lambda: len(self.events) >= count, 30)


def test_it_is_called_with_each_event_in_one_thread_of_its_own(broker, venue):
    heard = Heard()
    pushed = [venue.quote(size=size) for size in range(1000)]

    with broker.listen(heard, quotes=["AAPL"]) as listener:
        venue.push("AAPL", *pushed)
        heard.wait(1000)

    assert pushed == heard.events
    assert (1000, 0) == (listener.calls, listener.errors)
    assert not listener.is_active
    assert 1 == len(heard.threads)
    assert heard.threads.isdisjoint({*venue.threads, threading.main_thread()})


def test_it_may_trade(broker, venue):
    heard = Heard(lambda event: broker.submit(OrderRequest.market(event.symbol, Side.BUY, 1)))

    with broker.listen(heard, quotes=["AAPL"]):
        venue.push("AAPL", venue.quote())
        heard.wait(1)

    assert 1 == len(broker.state.open_orders)


def test_what_it_raises_is_logged_and_the_next_event_follows(broker, venue, caplog):
    def fail(event):
        raise ZeroDivisionError(event.symbol)

    heard = Heard(fail)
    with caplog.at_level(logging.ERROR), broker.listen(heard, quotes=["AAPL"]) as listener:
        venue.push("AAPL", *[venue.quote() for _ in range(5)])
        heard.wait(5)

    assert 5 == listener.errors
    assert [1, 2, 4] == [record.errors for record in caplog.records]
    assert {"Quote"} == {record.event_type for record in caplog.records}


def test_a_subscription_that_is_refused_is_told_by_ready(broker, caplog):
    listener = broker.listen(Heard(), quotes=["REFUSED"])

    with pytest.raises(OrderRejectedError):
        listener.ready()
    listener.close()

    assert not listener.is_active
    assert ["A listener failed"] == [record.message for record in caplog.records]


def test_closing_waits_for_the_call_that_is_being_made(broker, venue, aside):
    entered, finish, finished = threading.Event(), threading.Event(), threading.Event()

    def slow(event):
        entered.set()
        finish.wait(30)
        finished.set()

    listener = broker.listen(slow, quotes=["AAPL"])
    listener.ready()
    venue.push("AAPL", venue.quote(), venue.quote())
    entered.wait(30)
    answer = aside(listener.close)
    finish.set()
    answer()

    assert finished.is_set()
    assert 1 == listener.calls


def test_closing_before_it_is_live_ends_it(broker, venue, caplog):
    listener = broker.listen(Heard(), quotes=["SILENT"])
    venue.reached.wait(30)

    listener.close()

    with pytest.raises(ClosedError):
        listener.ready()
    assert [] == caplog.records


def test_it_may_close_the_connection_it_lives_by(venue):
    broker = venue.connect(account_id="one")
    closed = threading.Event()

    def close(event):
        broker.close()
        closed.set()

    listener = broker.listen(close, quotes=["AAPL"])
    other = broker.listen(close, quotes=["AAPL"])
    listener.ready()
    other.ready()
    venue.push("AAPL", venue.quote(), venue.quote())
    closed.wait(30)
    listener.close()
    other.close()

    assert ["one"] == venue.closed


def test_closing_the_connection_ends_it_first(venue):
    broker = venue.connect(account_id="one")
    heard = Heard()
    listener = broker.listen(heard, quotes=["AAPL"])
    listener.ready()

    broker.close()

    assert not listener.is_active
    assert [] == heard.events


def test_closing_the_connection_waits_for_the_call_being_made_and_drops_the_rest(venue, aside):
    broker = venue.connect(account_id="one")
    entered, finish = threading.Event(), threading.Event()
    listener = broker.listen(lambda _: entered.set() or finish.wait(30), quotes=["AAPL"])
    listener.ready()
    venue.push("AAPL", *[venue.quote() for _ in range(10)])
    entered.wait(30)

    answer = aside(broker.close)
    while listener.is_active:
        pass
    finish.set()
    answer()

    assert 1 == listener.calls


def test_it_keeps_its_connection_open(venue):
    heard = Heard()
    listener = venue.connect(account_id="one").listen(heard, quotes=["AAPL"])
    listener.ready()
    gc.collect()

    venue.push("AAPL", venue.quote())
    heard.wait(1)

    assert 1 == listener.calls
    listener._loop.service.end()
    listener.close()


def test_a_coroutine_function_is_refused(broker):
    async def callback(event): ...

    with pytest.raises(InvalidValueError, match="plain function"):
        broker.listen(callback, quotes=["AAPL"])
