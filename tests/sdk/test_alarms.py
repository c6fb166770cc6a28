"""What goes wrong behind a gateway, told on its streams: lost brokers, stale data, limits."""

import contextlib
from decimal import Decimal

import pytest
import tektii
from tests.sdk.clients import attempt, becomes, eventually, fill, open_client, rest
from tests.sdk.listening import listening
from tests.sdk.stage import on_stage

from dragoman import OrderRequest, OrderType, Side


@pytest.fixture
def open_desk():
    """Return a client and a stream of a stage with faults of its own."""
    with contextlib.ExitStack() as stack:

        def make(faults="", **settings):
            stage = stack.enter_context(on_stage("straight", {"faults": faults}, **settings))
            client = open_client("sync", stage.url)
            stack.callback(client.close)
            return stage, client, stack.enter_context(listening("sync", stage.url))

        yield make


def test_a_broker_that_is_lost_and_found_is_told(open_desk):
    _, client, stream = open_desk("submit[order=cut]#1 disconnect_stream(seconds=0.5)")
    with contextlib.suppress(tektii.APIStatusError):
        rest(client, client_order_id="cut")

    lost, found = stream.wait_for("connection BROKER_DISCONNECTED", "connection BROKER_RECONNECTED")

    assert "mock" == lost.broker == found.broker
    assert found.gap_duration_ms >= 0


def test_what_happened_in_the_gap_is_told_after_it(open_desk):
    stage, client, stream = open_desk("submit[order=cut]#1 disconnect_stream(seconds=1)")
    handle = rest(client, limit_price="90")
    stream.wait_for("order ORDER_CREATED")
    with contextlib.suppress(tektii.APIStatusError):
        rest(client, client_order_id="cut")
    stream.wait_for("connection BROKER_DISCONNECTED")

    stage.quote("88", "89", last="89")

    stream.wait_for("connection BROKER_RECONNECTED")
    stream.tells(handle.id, "ORDER_CREATED", "ORDER_FILLED")
    becomes(client, handle.id, "FILLED")


def test_a_strangers_order_is_told(open_desk):
    stage, _, stream = open_desk()
    request = OrderRequest(
        symbol="AAPL",
        side=Side.BUY,
        order_type=OrderType.MARKET,
        quantity=Decimal(3),
        client_order_id="not-ours",
        account_id="paper-1",
    )

    stage.act(lambda engine: engine.submit(request))

    (event,) = stream.wait_for("order ORDER_FILLED")
    assert Decimal(3) == Decimal(event.order.quantity)


def test_a_throttled_request_is_told(open_desk):
    _, client, stream = open_desk("submit[order=throttled] rate_limited(retry_after=3)")
    with pytest.raises(tektii.RateLimitedError):
        rest(client, client_order_id="throttled")

    (event,) = stream.wait_for("rate_limit RATE_LIMIT_HIT")

    assert 0 == event.requests_remaining
    assert event.reset_at > event.timestamp


def test_a_rejection_is_an_error_or_an_event_but_never_an_order_that_lives(open_desk):
    _, client, stream = open_desk("submit[order=no] reject(reason=INSUFFICIENT_FUNDS)")
    with pytest.raises(tektii.OrderRejectedError):
        rest(client, client_order_id="no")

    fill(client)
    stream.wait_for("order ORDER_FILLED")

    told = [e for e in stream.all("order") if e.order.client_order_id == "no"]
    assert {"ORDER_REJECTED"} >= {str(event.event) for event in told}
    assert {"REJECTED"} >= {str(event.order.status) for event in told}


def test_a_liquidation_is_an_error_event(open_desk):
    stage, client, stream = open_desk()
    fill(client)

    stage.act(lambda engine: engine.liquidate("paper-1"))

    (event,) = stream.wait_for("error")
    assert "LIQUIDATION" == event.code
    assert event.message


def test_exits_that_both_fill_are_an_error_event(open_desk):
    stage, client, stream = open_desk()
    fill(client, quantity="2", stop_loss="90", take_profit="120")
    legs = eventually(client.list_orders, lambda found: len(found) == 2)
    names = stage.look(
        lambda engine: [order.client_order_id for order in engine.open_orders("paper-1")]
    )

    def fill_both(engine):
        told = [engine.execute("paper-1", name, None) for name in names]
        return [event for events in told for event in events]

    stage.act(fill_both)

    (event,) = eventually(
        lambda: [one for one in stream.all("error") if one.code == "OCO_DOUBLE_EXIT"]
    )
    assert "AAPL" == event.details["symbol"]
    assert {leg.id for leg in legs} == {
        event.details[name]["order_id"] for name in ("first_fill", "second_fill")
    }


def test_a_partial_fill_is_told_as_one(open_desk):
    stage, client, stream = open_desk()
    handle = client.submit_order(
        "AAPL", "buy", "10", "limit", limit_price="80", client_order_id="in-parts"
    )

    stage.act(lambda engine: engine.execute("paper-1", "in-parts", Decimal(4)))

    (event,) = stream.wait_for("order ORDER_PARTIALLY_FILLED")
    assert ("PARTIALLY_FILLED", Decimal(4), Decimal(6)) == (
        event.order.status,
        Decimal(event.order.filled_quantity),
        Decimal(event.order.remaining_quantity),
    )
    order = becomes(client, handle.id, "PARTIALLY_FILLED")
    with pytest.raises(tektii.BadRequestError):
        client.modify_order(order.id, quantity="3")


def test_breakers_open_after_failures_and_are_reset(open_desk):
    _, client, _ = open_desk("fetch_quotes server_error")

    def state():
        attempt(client.get_quote, "AAPL")
        return client.get_circuit_breakers().adapter

    opened = eventually(state, lambda found: found.state == "open")
    assert opened.failure_count >= 3
    assert "closed" == client.reset_circuit_breakers().adapter.state


def test_a_failing_broker_is_told_by_the_status(open_desk):
    later = "; ".join(f"fetch_account#{number} refuse_connection" for number in range(4, 40))
    _, client, _ = open_desk(later)

    eventually(lambda: client.get_status().connected is False)


@pytest.mark.parametrize(
    ("fault", "statuses"),
    [("refuse_connection", {502, 503}), ("server_error", {502, 503}), ("lost_response", {502})],
)
def test_a_read_that_fails_is_retried_by_the_sdk_and_then_told(open_desk, fault, statuses):
    stage, _, _ = open_desk(f"fetch_quotes {fault}")
    patient = open_client("sync", stage.url, max_retries=1)

    with pytest.raises(tektii.APIStatusError) as caught:
        patient.get_quote("AAPL")
    patient.close()

    assert caught.value.status_code in statuses
    assert caught.value.code in {"PROVIDER_ERROR", "PROVIDER_UNAVAILABLE"}
