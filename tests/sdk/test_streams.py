"""What both streams of the SDK are told, and in which order."""

import asyncio
import threading
from decimal import Decimal

import pytest
import tektii
from tests.sdk.clients import (
    becomes,
    eventually,
    far_below,
    fill,
    open_client,
    position_of,
    rest,
    streaming,
)
from tests.sdk.listening import Listener, listening


@pytest.fixture
def stream(pair, base, gateway, flat):
    """A stream of this row's face, that has been greeted."""
    with listening(pair[1], base) as listener:
        yield listener


@pytest.fixture
def gateway_of_its_own(base):
    """A sync client of this row's server, whatever the row's face is."""
    client = open_client("sync", base)
    yield client
    client.close()


def test_the_first_word_is_that_the_stream_is_connected(stream, gateway):
    greeting = stream.heard[0]

    platform = gateway.get_health().providers[0].platform
    assert ("connection", "CONNECTED", platform) == (greeting.type, greeting.event, greeting.broker)


def test_a_market_order_is_created_and_filled(stream, gateway):
    order_id = fill(gateway).id

    created, filled = stream.tells(order_id, "ORDER_CREATED", "ORDER_FILLED")
    assert created.order.status in {"PENDING", "OPEN"}
    assert "FILLED" == filled.order.status
    assert Decimal(1) == Decimal(filled.order.filled_quantity)


def test_a_resting_order_is_created_and_canceled(stream, gateway):
    handle = rest(gateway)
    gateway.cancel_order(handle.id)

    *_, last = stream.tells(handle.id, "ORDER_CREATED", "ORDER_CANCELLED")
    assert "CANCELLED" == last.order.status


def test_a_change_is_told(stream, gateway):
    handle = rest(gateway, quantity="2")
    stream.wait_for("order ORDER_CREATED")

    new_id = gateway.modify_order(handle.id, quantity="3").order.id

    (event,) = stream.wait_for("order ORDER_MODIFIED")
    assert (new_id, Decimal(3)) == (event.order.id, Decimal(event.order.quantity))


def test_a_fill_is_told_as_a_trade(stream, gateway):
    order = fill(gateway, quantity="2")

    (event,) = stream.wait_for("trade TRADE_FILLED")
    (listed,) = eventually(lambda: gateway.list_trades(order_id=order.id))
    assert (order.id, listed.id) == (event.trade.order_id, event.trade.id)
    assert Decimal(2) == Decimal(event.trade.quantity)


def test_a_position_is_told_as_it_opens_changes_and_closes(stream, gateway):
    fill(gateway)
    fill(gateway)
    eventually(lambda: Decimal(position_of(gateway).quantity) == 2)
    gateway.close_position(position_of(gateway).id)

    opened, changed, closed = stream.wait_for(
        "position POSITION_OPENED", "position POSITION_MODIFIED", "position POSITION_CLOSED"
    )
    assert "AAPL" == opened.position.symbol == changed.position.symbol == closed.position.symbol
    assert Decimal(1) == Decimal(opened.position.quantity)
    assert opened.position.id == closed.position.id


@pytest.mark.stacks("serve")  # Alpaca streams no account
def test_a_fill_updates_the_account(stream, gateway):
    fill(gateway)

    (event,) = stream.wait_for("account BALANCE_UPDATED")
    assert "USD" == event.account.currency
    assert Decimal(event.account.equity) > 0


def test_an_order_that_no_one_takes_is_told_as_over(stream, gateway):
    handle = rest(gateway, time_in_force="IOC")

    events = eventually(lambda: stream.of_order(handle.id), lambda told: len(told) > 1)
    assert events[-1].event in {"ORDER_CANCELLED", "ORDER_EXPIRED"}


def test_events_carry_the_clients_name_and_the_correlation_id(stream, gateway):
    handle = rest(gateway, client_order_id="named-for-the-stream")
    gateway.cancel_order(handle.id)

    events = stream.tells(handle.id, "ORDER_CREATED", "ORDER_CANCELLED")
    assert {"named-for-the-stream"} == {event.order.client_order_id for event in events}
    assert handle.correlation_id == events[-1].order.correlation_id


def test_live_events_have_no_event_id(stream, gateway):
    fill(gateway)
    stream.wait_for("order ORDER_FILLED")

    assert {None} == {event.event_id for event in stream.heard}


def test_every_event_has_a_time_in_utc(stream, gateway):
    fill(gateway)
    stream.wait_for("order ORDER_FILLED")

    assert {0.0} == {event.timestamp.utcoffset().total_seconds() for event in stream.heard}


def test_the_order_of_a_day_is_told_as_it_was(stream, gateway):
    order_ids = [fill(gateway).id for _ in range(5)]
    for order_id in order_ids:
        stream.tells(order_id, "ORDER_CREATED", "ORDER_FILLED")

    filled = [event.order.id for event in stream.all("order ORDER_FILLED")]
    assert order_ids == filled


def test_a_fill_is_told_before_its_trade(stream, gateway):
    fill(gateway)

    stream.wait_for("order ORDER_FILLED", "trade TRADE_FILLED")


def test_several_clients_hear_the_same(pair, base, gateway, stream):
    other_face = "async" if pair[1] == "sync" else "sync"
    with listening(other_face, base) as other:
        order_id = fill(gateway).id

        told = [one.tells(order_id, "ORDER_CREATED", "ORDER_FILLED") for one in (stream, other)]

    assert told[0] == told[1]


def test_one_client_that_leaves_disturbs_nobody(pair, base, gateway, stream):
    with listening(pair[1], base):
        pass

    order_id = fill(gateway).id

    stream.tells(order_id, "ORDER_CREATED", "ORDER_FILLED")


def test_a_loop_that_breaks_out_ends_its_stream(gateway_of_its_own, flat):
    heard = []
    with streaming(gateway_of_its_own) as events:
        for event in events:
            heard.append(event)
            break

    assert ["connection"] == [event.type for event in heard]


def test_a_strategy_trades_from_within_its_stream(gateway_of_its_own, flat):
    """What an event sets off is heard by the same loop."""
    seen = []
    with streaming(gateway_of_its_own) as events:
        for event in events:
            if event.type == "connection":
                handle = gateway_of_its_own.submit_order("AAPL", "buy", "1")
            elif event.type == "order" and event.order.id == handle.id:
                seen.append(str(event.event))
                if event.event == "ORDER_FILLED":
                    break

    assert ["ORDER_CREATED", "ORDER_FILLED"] == seen


def test_an_async_strategy_trades_from_within_its_stream(base, gateway, flat):
    async def trade():
        seen = []
        async with tektii.AsyncTradingGateway(base) as client, client.stream() as events:
            async for event in events:
                if event.type == "connection":
                    handle = await client.submit_order("AAPL", "buy", "1")
                elif event.type == "order" and event.order.id == handle.id:
                    seen.append(str(event.event))
                    if event.event == "ORDER_FILLED":
                        break
        return seen

    assert ["ORDER_CREATED", "ORDER_FILLED"] == asyncio.run(asyncio.wait_for(trade(), 60))


def test_a_sync_strategy_is_at_home_in_any_thread(gateway_of_its_own, flat):
    told = []
    thread = threading.Thread(target=lambda: told.append(fill(gateway_of_its_own).status))
    thread.start()
    thread.join(60)

    assert ["FILLED"] == told


def test_a_stream_to_nowhere_ends_with_an_error(pair, free_port):
    listener = Listener(pair[1], f"http://127.0.0.1:{free_port}", reconnect=False)

    assert isinstance(listener.ended(), OSError)


def test_a_limit_order_changed_into_the_market_tells_all_of_it(stream, gateway):
    handle = rest(gateway)
    stream.wait_for("order ORDER_CREATED")
    above = str(Decimal(far_below(gateway)) * 4)

    new_id = gateway.modify_order(handle.id, limit_price=above).order.id
    becomes(gateway, new_id, "FILLED")

    stream.wait_for("order ORDER_CREATED", "order ORDER_MODIFIED", "order ORDER_FILLED")
