"""A synchronous broker answers as the asynchronous one does, to any thread, or says why not."""

import asyncio
import contextlib
import contextvars
import gc
import signal
import sys
import threading
import traceback
import weakref

import pytest
from tests.core.sync.venue import Venue

from dragoman import (
    ClosedError,
    HaltedError,
    LifecycleError,
    NotFoundError,
    OrderRejectedError,
    OrderRequest,
    OrderStatus,
    Outcome,
    OutcomeUnknownError,
    RejectReason,
    Side,
    SyncBroker,
    UnknownProviderError,
    UnknownReason,
    connect_sync,
)


def buy(symbol="AAPL", **fields):
    return OrderRequest.limit(symbol, Side.BUY, 1, "10", **fields)


def test_it_answers_inside_with_and_is_closed_after_it(venue):
    with venue.connect(account_id="one") as broker:
        account = broker.fetch_account()

    assert "one" == account.account_id
    assert ["one"] == venue.closed


def test_it_answers_without_with_until_closed(venue):
    broker = venue.connect(account_id="one")

    order = broker.submit(buy())
    broker.close()

    assert isinstance(broker, SyncBroker)
    assert OrderStatus.OPEN is order.status
    assert "<SyncBroker fake (SIMULATED) account one>" == repr(broker)


def test_closing_again_does_nothing(venue):
    broker = venue.connect(account_id="one")

    broker.close()
    broker.close()

    assert ["one"] == venue.closed


def test_a_closed_broker_refuses_calls(venue):
    broker = venue.connect(account_id="one")
    broker.close()

    with pytest.raises(ClosedError, match="closed") as caught:
        broker.submit(buy())

    assert Outcome.NOT_SENT is caught.value.outcome


def test_close_with_a_position_sends_an_order_and_without_one_ends_the_connection(venue):
    broker = venue.connect(account_id="one")

    order = broker.close("AAPL", 2)
    broker.close()

    assert (Side.SELL, 2) == (order.side, order.quantity)
    assert ["one"] == venue.closed


def test_closing_no_position_in_particular_is_refused(broker):
    nothing = broker.state.position("MSFT")

    with pytest.raises(AttributeError):
        broker.close(nothing)
    with pytest.raises(TypeError, match="name it"):
        broker.close(quantity=3)

    assert "one" == broker.fetch_account().account_id


def test_an_error_keeps_its_type_attributes_and_outcome(broker):
    with pytest.raises(OrderRejectedError, match="no funds") as caught:
        broker.submit(buy("REFUSED"))

    error = caught.value
    assert (RejectReason.INSUFFICIENT_FUNDS, "42", "fake") == (
        error.reason,
        error.code,
        error.provider,
    )
    assert Outcome.REJECTED is error.outcome


def test_a_traceback_leads_from_the_caller_to_the_fault(broker):
    with pytest.raises(ZeroDivisionError) as caught:
        broker.fetch_depth("AAPL")

    names = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert "test_a_traceback_leads_from_the_caller_to_the_fault" == names[0]
    assert "fetch_depth" == names[-1]
    assert "_run" not in names


def test_an_error_that_was_handled_is_not_kept_alive(broker):
    gc.collect()
    gc.disable()
    try:
        try:
            broker.fetch_quote("REFUSED")
        except OrderRejectedError as error:
            kept = weakref.ref(error)
        # The loop may be about to let go of the task that raised it.
        broker.fetch_account()

        assert kept() is None
    finally:
        gc.enable()


def test_a_failed_connection_leaves_no_thread_and_names_the_cause():
    with pytest.raises(UnknownProviderError):
        connect_sync("no-such-provider")

    assert "dragoman no-such-provider" not in [one.name for one in threading.enumerate()]


async def test_it_works_inside_a_running_event_loop(venue):
    turns = []
    asyncio.get_running_loop().call_soon(turns.append, 1)

    with venue.connect(account_id="one") as broker:
        order = broker.submit(buy())
        quotes = [quote.size for quote in broker.fetch_trades("AAPL")]

    assert OrderStatus.OPEN is order.status
    assert 1000 == len(quotes)
    assert [] == turns
    await asyncio.wait_for(asyncio.get_running_loop().run_in_executor(None, int), 30)
    assert [1] == turns


def test_64_threads_share_one_broker(broker, venue, aside):
    start = threading.Barrier(64)

    def trade(number):
        start.wait()
        order = broker.submit(buy(client_order_id=f"order-{number}"))
        with contextlib.suppress(OrderRejectedError):
            broker.submit(buy("REFUSED"))
        quote = broker.fetch_quote("MSFT")
        trades = sum(1 for _ in broker.fetch_trades("AAPL"))
        return order.client_order_id, quote.symbol, trades, broker.cancel(order).status

    answers = [aside(trade, number) for number in range(64)]

    expected = {(f"order-{number}", "MSFT", 1000, OrderStatus.CANCELED) for number in range(64)}
    assert expected == {answer() for answer in answers}
    assert 128 == venue.calls["submit"]
    assert {"dragoman fake"} == {thread.name for thread in venue.threads}
    assert () == broker.state.open_orders


def test_a_caller_sees_its_context_on_the_loop(broker):
    variable = contextvars.ContextVar("variable", default="none")
    variable.set("mine")
    seen = []

    broker.wait(broker.submit(buy()), lambda _: seen.append(variable.get()) is None)

    assert {"mine"} == set(seen)


def test_an_interrupted_submit_raises_at_once_and_stays_tracked(broker, venue, aside):
    main = threading.main_thread().ident

    def interrupt():
        venue.reached.wait(30)
        signal.pthread_kill(main, signal.SIGINT)

    aside(interrupt)
    with pytest.raises(KeyboardInterrupt):
        broker.submit(buy("SILENT", client_order_id="mine"))

    (order,) = broker.state.open_orders
    assert ("mine", OrderStatus.PENDING) == (order.client_order_id, order.status)
    assert 1 == venue.calls["submit"]
    assert broker.fetch_quote("AAPL")


def test_an_interrupted_read_is_given_up(broker, venue, aside):
    main = threading.main_thread().ident

    def interrupt():
        venue.reached.wait(30)
        signal.pthread_kill(main, signal.SIGINT)

    aside(interrupt)
    with pytest.raises(KeyboardInterrupt):
        broker.fetch_quote("SILENT")
    broker.fetch_account()

    assert 1 == venue.calls["given up"]


def test_an_interrupted_connect_leaves_nothing_behind(venue, aside):
    venue.is_unreachable = True
    main = threading.main_thread().ident

    def interrupt():
        venue.reached.wait(30)
        signal.pthread_kill(main, signal.SIGINT)

    aside(interrupt)
    with pytest.raises(KeyboardInterrupt):
        venue.connect(account_id="one")

    assert ["one"] == venue.closed


def test_a_submit_that_closing_ends_has_an_unknown_outcome(venue, aside):
    broker = venue.connect(account_id="one")
    answer = aside(broker.submit, buy("SILENT"))
    venue.reached.wait(30)

    broker.close()

    with pytest.raises(OutcomeUnknownError) as caught:
        answer()
    assert Outcome.UNKNOWN is caught.value.outcome


def test_a_command_that_closing_cuts_off_has_an_unknown_outcome(venue, aside):
    broker = venue.connect(account_id="one")
    answer = aside(broker.acknowledge, ["SILENT"])
    venue.reached.wait(30)

    broker.close()

    with pytest.raises(OutcomeUnknownError, match=r"closed during acknowledge\(\)") as caught:
        answer()
    assert (UnknownReason.CLOSED, Outcome.UNKNOWN) == (caught.value.reason, caught.value.outcome)


def test_a_read_that_closing_cuts_off_says_so(venue, aside):
    broker = venue.connect(account_id="one")
    answer = aside(broker.fetch_quote, "SILENT")
    venue.reached.wait(30)

    broker.close()

    with pytest.raises(ClosedError, match=r"closed during fetch_quote\(\)"):
        answer()


def test_waiting_ends_when_another_thread_brings_it_about(broker, aside):
    order = broker.submit(buy())
    answer = aside(broker.wait, order, timeout_s=30)

    broker.cancel(order)

    assert OrderStatus.CANCELED is answer().status


def test_waiting_in_vain_times_out(broker):
    order = broker.submit(buy())

    with pytest.raises(TimeoutError, match="OPEN after"):
        broker.wait(order, timeout_s=0.01)


def test_a_condition_that_calls_the_broker_is_told_why_not(broker):
    order = broker.submit(buy())

    with pytest.raises(LifecycleError, match="own event loop"):
        broker.wait(order, lambda _: broker.fetch_account() is None)
    with pytest.raises(LifecycleError, match="own event loop"):
        broker.wait(order, lambda _: broker.close() is None)


def test_a_condition_may_look_at_the_state_and_halt(broker):
    order = broker.submit(buy())

    done = broker.wait(order, lambda one: broker.state.open_orders == (one,))
    broker.wait(order, lambda _: broker.halt("from a condition").cause == "from a condition")

    assert OrderStatus.OPEN is done.status
    assert broker.is_halted


def test_a_condition_that_exits_takes_the_caller_not_the_loop(broker):
    order = broker.submit(buy())

    with pytest.raises(SystemExit):
        broker.wait(order, lambda _: sys.exit(3))

    assert "one" == broker.fetch_account().account_id


def test_halt_and_state_do_not_wait_for_a_busy_loop(broker, aside):
    order = broker.submit(buy())
    entered, released = threading.Event(), threading.Event()
    answer = aside(broker.wait, order, lambda _: entered.set() or released.wait(30))
    entered.wait(30)

    report = broker.halt("enough")
    seen = broker.state.order(order.client_order_id)
    released.set()

    assert answer() == seen
    assert (order.client_order_id,) == report.open_orders
    with pytest.raises(HaltedError):
        broker.submit(buy())
    broker.resume()
    assert broker.submit(buy())


def test_accounts_of_one_connection_share_a_thread_that_lives_as_long_as_one_of_them(venue):
    first = venue.connect(account_id="one")
    second = first.for_account("two")

    first.close()
    account = second.fetch_account()
    second.close()

    assert ("two", ["one", "two"]) == (account.account_id, venue.closed)
    assert 1 == len(venue.threads)


def test_the_own_account_is_the_same_broker(broker):
    assert broker is broker.for_account("one")


def test_threads_that_close_at_once_all_return_after_the_end(venue, aside):
    broker = venue.connect(account_id="one")
    start = threading.Barrier(8)

    def close():
        start.wait()
        broker.close()
        return [one.name for one in threading.enumerate() if one.name == "dragoman fake"]

    answers = [aside(close) for _ in range(8)]

    assert [[]] * 8 == [answer() for answer in answers]
    assert ["one"] == venue.closed


def test_a_broker_dropped_unclosed_is_closed_with_a_warning(venue):
    brokers = [venue.connect(account_id="one")]
    (thread,) = [one for one in threading.enumerate() if one.name == "dragoman fake"]

    with pytest.warns(ResourceWarning, match="without close"):
        brokers.clear()
    thread.join(30)

    assert ["one"] == venue.closed


def test_an_iterator_keeps_its_connection_open(venue):
    trades = venue.connect(account_id="one").fetch_trades("AAPL")
    gc.collect()

    assert 1000 == sum(1 for _ in trades)

    trades._loop.service.end()


def test_two_connections_are_two_worlds(broker):
    other_venue = Venue()
    with other_venue.connect(account_id="two") as other:
        other.halt()

        assert not broker.is_halted
    assert "one" == broker.fetch_account().account_id


def test_an_unknown_order_is_an_error_of_the_broker(broker):
    with pytest.raises(NotFoundError):
        broker.cancel("nobody")
