"""What is read page by page is an ordinary iterator: lazy, a bounded way ahead, closable."""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.core.sync.venue import PAGE

from dragoman import ClosedError, InvalidValueError, OrderRejectedError


def numbers(trades):
    return [int(trade.size) for trade in trades]


def test_every_item_comes_once_and_in_order(broker):
    assert list(range(10 * PAGE)) == numbers(broker.fetch_trades("AAPL"))


def test_nothing_is_read_before_the_first_item_is_asked_for(broker, venue):
    trades = broker.fetch_trades("AAPL")

    broker.fetch_account()
    assert 0 == venue.calls["history"]

    next(trades)
    assert 1 == venue.calls["history"]


def test_it_reads_a_bounded_way_ahead(broker, venue):
    trades = broker.fetch_trades("AAPL")

    next(trades)
    for _ in range(50):
        broker.fetch_quote("AAPL")

    assert 3 == venue.calls["page"]
    assert list(range(1, 10 * PAGE)) == numbers(trades)


def test_arguments_are_checked_by_the_call_not_by_the_first_item(broker):
    with pytest.raises(InvalidValueError):
        broker.fetch_bars("AAPL", "1 fortnight")


def test_an_error_comes_after_the_items_before_it_and_stays(broker):
    trades = broker.fetch_trades("BROKEN")

    first = numbers(itertools.islice(trades, PAGE))

    assert list(range(PAGE)) == first
    for _ in range(2):
        with pytest.raises(OrderRejectedError):
            next(trades)


def test_after_the_last_item_it_stays_ended(broker):
    trades = broker.fetch_trades("AAPL")
    numbers(trades)

    assert [] == numbers(trades)


def test_leaving_it_early_ends_the_reading(broker, venue):
    with broker.fetch_trades("AAPL") as trades:
        next(trades)

    assert 1 == venue.calls["history closed"]
    assert [] == numbers(trades)


def test_dropping_it_ends_the_reading(broker, venue):
    for _ in broker.fetch_trades("AAPL"):
        break
    broker.fetch_quote("AAPL")
    broker.fetch_quote("AAPL")

    assert 1 == venue.calls["history closed"]


def test_closing_it_unread_reads_nothing(broker, venue):
    trades = broker.fetch_trades("AAPL")

    trades.close()
    trades.close()

    assert [] == numbers(trades)
    assert 0 == venue.calls["history"]


def test_a_thread_that_waits_for_an_item_ends_when_another_closes_it(broker, venue, aside):
    trades = broker.fetch_trades("SILENT")
    first = numbers(itertools.islice(trades, PAGE))
    answer = aside(numbers, trades)
    venue.reached.wait(30)

    trades.close()

    assert (PAGE, []) == (len(first), answer())


def test_closing_the_connection_is_no_quiet_end_of_the_data(venue, aside):
    broker = venue.connect(account_id="one")
    answer = aside(numbers, broker.fetch_trades("SILENT"))
    venue.reached.wait(30)

    broker.close()

    with pytest.raises(ClosedError, match="closed during an iteration"):
        answer()


def test_threads_that_share_it_get_each_item_once(broker):
    trades = broker.fetch_trades("AAPL")
    start = threading.Barrier(8)

    def read(_):
        start.wait()
        return numbers(trades)

    with ThreadPoolExecutor(8) as pool:
        parts = list(pool.map(read, range(8)))

    assert list(range(10 * PAGE)) == sorted(itertools.chain(*parts))
