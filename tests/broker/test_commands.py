"""What a broker promises about commands, whatever the venue and the user do."""

import asyncio
import threading
from datetime import datetime
from decimal import Decimal

import pytest

import dragoman
from dragoman import (
    REMOVE,
    Broker,
    ClosedError,
    ConfigurationError,
    ConflictError,
    ConnectFailedError,
    DragomanError,
    DuplicateOrderError,
    Exit,
    HaltedError,
    InvalidOrderError,
    InvalidValueError,
    LifecycleError,
    LimitExceededError,
    NotFoundError,
    Offset,
    OrderEvent,
    OrderEventKind,
    OrderOrigin,
    OrderRejectedError,
    OrderRequest,
    OrderStatus,
    OrderType,
    Outcome,
    OutcomeUnknownError,
    ReconcilingError,
    RejectReason,
    RiskLimits,
    Side,
    TimeInForce,
    UnknownInstrumentError,
    UnsupportedError,
    WaitTimeoutError,
)
from dragoman.paper.settings import AccountSettings

from .conftest import Market, journalled, told

D = Decimal
BUY, SELL = Side.BUY, Side.SELL
LOW = OrderRequest.limit("AAPL", BUY, 1, "90", client_order_id="low")


async def test_the_same_id_with_equal_terms_is_the_same_order(broker: Broker) -> None:
    first, second = await asyncio.gather(broker.submit(LOW), broker.submit(LOW))
    third = await broker.submit(LOW)

    assert first == second == third
    assert 1 == len(await broker.fetch_open_orders())


async def test_the_same_id_with_other_terms_is_refused_unsent(broker: Broker) -> None:
    await broker.submit(LOW)

    with pytest.raises(DuplicateOrderError) as raised:
        await broker.submit(OrderRequest.limit("AAPL", BUY, 2, "90", client_order_id="low"))

    assert Outcome.NOT_SENT is raised.value.outcome
    assert 1 == len(await broker.fetch_open_orders())


async def test_an_order_that_was_never_sent_may_be_sent_again(market: Market) -> None:
    broker = await market.connect(faults="submit#1 refuse_connection")

    with pytest.raises(ConnectFailedError) as raised:
        await broker.submit(LOW)
    again = await broker.submit(LOW)

    assert (Outcome.NOT_SENT, OrderStatus.OPEN) == (raised.value.outcome, again.status)


async def test_canceling_the_caller_does_not_take_the_order_back(market: Market) -> None:
    broker = await market.connect(faults="submit#1 delayed_response(seconds=1)", timeout_s=5)
    caller = asyncio.ensure_future(broker.submit(LOW))
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    caller.cancel()
    await asyncio.gather(caller, return_exceptions=True)
    await market.clock.advance(seconds=2)

    order = broker.state.order("low")
    assert order is not None
    assert OrderStatus.OPEN is order.status


BAD: dict[str, tuple[dict[str, object], str]] = {
    "naive datetime": (
        {"time_in_force": TimeInForce.GTD, "expires_at_ns": datetime(2030, 1, 1)},  # noqa: DTZ001
        "expires_at_ns",
    ),
    "float quantity": ({"quantity": 1.5}, "quantity"),
    "float price": ({"limit_price": 90.1}, "limit_price"),
    "NaN": ({"quantity": D("NaN")}, "quantity"),
    "infinity": ({"limit_price": D("Infinity")}, "limit_price"),
    "negative quantity": ({"quantity": -1}, "quantity"),
    "zero quantity": ({"quantity": 0}, "quantity"),
    "huge exponent": ({"quantity": D("1e400")}, "quantity"),
    "price off the tick": ({"limit_price": "90.001"}, "limit_price"),
    "quantity off the lot": ({"quantity": "0.0000000001"}, "quantity"),
    "quantity and notional": ({"notional": 100}, "notional"),
    "missing price": ({"limit_price": None}, "limit_price"),
    "price the type does not take": ({"stop_price": "80"}, "stop_price"),
    "a megabyte of symbol": ({"symbol": "A" * 1_000_000}, "symbol"),
    "line end in the symbol": ({"symbol": "AA\nPL"}, "symbol"),
    "carriage return in the id": ({"client_order_id": "a\rb"}, "client_order_id"),
    "NUL in the id": ({"client_order_id": "a\0b"}, "client_order_id"),
    "NUL in the tag": ({"tag": "a\0b"}, "tag"),
    "another account": ({"account_id": "elsewhere"}, "account_id"),
    "unknown field": ({"price": "90"}, "price"),
    "text for a side": ({"side": "BUY!"}, "side"),
}


@pytest.mark.parametrize(("change", "field"), BAD.values(), ids=BAD)
async def test_bad_input_is_named_and_nothing_is_done(
    broker: Broker, change: dict[str, object], field: str
) -> None:
    fields = {
        "symbol": "AAPL",
        "side": BUY,
        "order_type": OrderType.LIMIT,
        "quantity": 1,
        "limit_price": "90",
    }

    with pytest.raises(InvalidOrderError) as raised:
        await broker.submit(**{**fields, **change})  # type: ignore[arg-type]

    error = raised.value
    assert (Outcome.NOT_SENT, []) == (error.outcome, told(broker))
    named = [one for one in error.violations if one.field == field]
    assert named
    assert named[0].allowed
    assert len(str(error)) < 2_000


async def test_an_unknown_symbol_is_refused_unsent(broker: Broker) -> None:
    with pytest.raises(UnknownInstrumentError, match="NOPE") as raised:
        await broker.submit(OrderRequest.market("NOPE", BUY, 1))

    assert (Outcome.NOT_SENT, []) == (raised.value.outcome, told(broker))


@pytest.mark.parametrize("key", ["kite.product", "mock.nothing"])
async def test_venue_options_of_another_protocol_or_unknown_ones_are_refused(
    broker: Broker, key: str
) -> None:
    request = OrderRequest.market("AAPL", BUY, 1, venue_options={key: "x"})

    with pytest.raises(UnsupportedError, match=key):
        await broker.submit(request)

    assert [] == told(broker)


async def test_preview_lists_everything_at_once_and_sends_nothing(broker: Broker) -> None:
    preview = await broker.preview(
        symbol="AAPL",
        side=BUY,
        order_type=OrderType.STOP,
        quantity="0.0000000001",
        stop_price="90.001",
        time_in_force=TimeInForce.OPG,
        venue_options={"kite.product": "MIS"},
    )
    fine = await broker.preview(LOW)

    assert {"time_in_force", "venue_options", "stop_price", "quantity"} <= {
        violation.field for violation in preview.violations
    }
    assert (False, True, []) == (preview.is_acceptable, fine.is_acceptable, told(broker))


async def test_preview_of_a_broken_request_lists_its_violations(broker: Broker) -> None:
    preview = await broker.preview(
        symbol="AAPL", side=BUY, order_type=OrderType.LIMIT, quantity=-1, notional=1.5
    )

    assert {"quantity", "notional"} <= {violation.field for violation in preview.violations}


async def test_risk_limits_refuse_before_anything_is_sent(market: Market) -> None:
    limits = RiskLimits(max_order_notional=500, max_open_orders=1, max_position=20)
    broker = await market.connect(limits=limits)

    for request in (
        OrderRequest.market("AAPL", BUY, 6),
        OrderRequest.limit("AAPL", BUY, 21, "1"),
    ):
        with pytest.raises(LimitExceededError) as raised:
            await broker.submit(request)
        assert Outcome.NOT_SENT is raised.value.outcome
    await broker.submit(LOW)
    with pytest.raises(LimitExceededError, match="max_open_orders"):
        await broker.submit(OrderRequest.limit("AAPL", BUY, 1, "90"))

    assert ["low SUBMITTED", "low ACCEPTED"] == told(broker)


async def test_halt_stops_submits_and_lets_cancels_through(broker: Broker) -> None:
    await broker.submit(LOW)

    report = await asyncio.to_thread(broker.halt, "from a thread")
    with pytest.raises(HaltedError, match="from a thread") as raised:
        await broker.submit(OrderRequest.market("AAPL", BUY, 1))
    with pytest.raises(HaltedError):
        await broker.replace("low", limit_price="89")
    canceled = await broker.cancel("low")
    broker.resume()
    resumed = await broker.submit(OrderRequest.market("AAPL", BUY, 1))

    assert (("low",), ()) == (report.open_orders, report.unknown)
    assert (Outcome.NOT_SENT, OrderStatus.CANCELED) == (raised.value.outcome, canceled.status)
    assert resumed.venue_order_id is not None


async def test_halt_reports_orders_of_unknown_fate(market: Market) -> None:
    plan = "submit#1 mute_stream(seconds=60); submit#1 lost_response; fetch_order#1 server_error"
    broker = await market.connect(faults=plan, timeout_s=0.2)
    with pytest.raises(OutcomeUnknownError):
        await broker.submit(LOW)

    assert ("low",) == broker.halt().unknown


async def test_no_submit_is_accepted_after_halt_while_many_are_under_way(market: Market) -> None:
    broker = await market.connect(timeout_s=5)
    halted = threading.Event()

    async def submit(number: int) -> bool:
        try:
            await broker.submit(
                OrderRequest.limit("AAPL", BUY, 1, "90", client_order_id=f"n{number}")
            )
        except HaltedError:
            return False
        return True

    tasks = [asyncio.ensure_future(submit(number)) for number in range(200)]
    await asyncio.sleep(0)
    thread = threading.Thread(target=lambda: (broker.halt("stop"), halted.set()))
    thread.start()
    thread.join()
    before = len(market.venue.engine.open_orders("paper-1"))
    sent = await asyncio.gather(*tasks)
    after = len(market.venue.engine.open_orders("paper-1"))

    assert halted.is_set()
    assert sum(sent) == after
    assert after - before <= sum(1 for line in told(broker) if line.endswith("SUBMITTED")) - before


async def test_a_rejection_carries_the_reason_and_ends_the_order(broker: Broker) -> None:
    with pytest.raises(OrderRejectedError) as raised:
        await broker.submit(OrderRequest.market("AAPL", BUY, 100_000, client_order_id="big"))

    order = broker.state.order("big")
    assert order is not None
    assert (Outcome.REJECTED, RejectReason.INSUFFICIENT_FUNDS) == (
        raised.value.outcome,
        raised.value.reason,
    )
    assert (OrderStatus.REJECTED, RejectReason.INSUFFICIENT_FUNDS) == (
        order.status,
        order.reject_reason,
    )
    assert ["big SUBMITTED", "big REJECTED"] == told(broker)


async def test_replace_of_an_ended_order_is_a_conflict(broker: Broker) -> None:
    await broker.submit(LOW)
    await broker.cancel("low")

    with pytest.raises(ConflictError, match="has ended"):
        await broker.replace("low", limit_price="89")


async def test_replace_refuses_bad_changes_unsent(broker: Broker) -> None:
    await broker.submit(LOW)

    for change in ({"limit_price": "89.001"}, {}, {"quantity": 1.5}, {"price": 1}):
        with pytest.raises(InvalidOrderError):
            await broker.replace("low", **change)  # type: ignore[arg-type]

    assert ["low SUBMITTED", "low ACCEPTED"] == told(broker)


async def test_close_all_reports_a_result_per_position(broker: Broker) -> None:
    await broker.wait(await broker.submit(OrderRequest.market("AAPL", BUY, 10)))

    results = await broker.close_all()
    for result in results:
        assert result.order is not None
        await broker.wait(result.order, timeout_s=1)

    assert (1, None, ()) == (len(results), results[0].error, broker.state.positions)


async def test_close_part_of_a_position(broker: Broker) -> None:
    await broker.wait(await broker.submit(OrderRequest.market("AAPL", SELL, 10)))

    await broker.wait(await broker.close("AAPL", 4), timeout_s=1)

    position = broker.state.position("AAPL")
    assert position is not None
    assert D(-6) == position.quantity
    with pytest.raises(NotFoundError):
        await broker.close("MSFT")


async def test_an_order_placed_elsewhere_is_adopted_once(market: Market, broker: Broker) -> None:
    other = await market.connect()
    async with broker.stream(orders=True) as events:
        await other.submit(LOW)
        await market.clock.advance()

        event = await anext(aiter(events))

    assert isinstance(event, OrderEvent)
    assert (OrderEventKind.ADOPTED, OrderOrigin.EXTERNAL) == (event.kind, event.order.origin)
    assert ["low ADOPTED"] == told(broker)
    results = await broker.cancel_all()
    assert [OrderStatus.CANCELED] == [row.order.status for row in results if row.order]


async def test_orders_open_before_the_connection_are_adopted(market: Market) -> None:
    first = await market.connect()
    await first.submit(LOW)

    second = await market.connect()

    assert ["low"] == [order.client_order_id for order in second.state.open_orders]
    assert OrderOrigin.EXTERNAL is second.state.open_orders[0].origin


async def test_accounts_of_one_connection_do_not_mix() -> None:
    market = Market(accounts=(AccountSettings(account_id="a"), AccountSettings(account_id="b")))
    try:
        first = await market.connect(account_id="a")
        second = await first.for_account("b")
        async with second:
            await first.submit(LOW)
            await second.submit(LOW)
            await first.cancel_all()

            assert [0, 1] == [len(one.state.open_orders) for one in (first, second)]
            assert told(first) != told(second)
            with pytest.raises(ConfigurationError, match="no account 'c'; it has: a, b"):
                await first.for_account("c")
    finally:
        await market.aclose()


async def test_several_accounts_must_be_chosen_from() -> None:
    accounts = [AccountSettings(account_id="a"), AccountSettings(account_id="b")]

    with pytest.raises(ConfigurationError, match="account_id=; mock has: a, b"):
        await dragoman.connect("mock", accounts=accounts)


async def test_private_events_can_be_read_again_from_any_sequence(broker: Broker) -> None:
    await broker.submit(LOW)
    await broker.cancel("low")
    last = broker.state.sequence

    async with broker.stream(orders=True, positions=True, account=True, since=0) as events:
        sequences: list[int] = []
        async for event in events:
            sequences.append(getattr(event, "sequence", 0))
            if sequences[-1] == last:
                break

    told_sequences = [sequence for sequence in sequences if sequence]
    assert sorted(set(told_sequences)) == told_sequences
    assert last == told_sequences[-1]


async def test_wait_ends_by_status_by_condition_by_time_and_by_closing(broker: Broker) -> None:
    await broker.submit(LOW)

    by_status = await broker.wait("low", OrderStatus.OPEN)
    by_set = await broker.wait("low", {OrderStatus.OPEN, OrderStatus.FILLED})
    by_condition = await broker.wait("low", lambda order: order.venue_order_id is not None)
    with pytest.raises(TimeoutError):
        await broker.wait("low", timeout_s=0.01)
    waiter = asyncio.ensure_future(broker.wait("low"))
    await asyncio.sleep(0)
    await broker.aclose()

    assert by_status == by_set == by_condition
    with pytest.raises(ClosedError):
        await waiter


async def test_a_read_only_connection_reads_and_refuses_commands(market: Market) -> None:
    broker = await market.connect(read_only=True)

    quote = await broker.fetch_quote("AAPL")
    with pytest.raises(LifecycleError, match="read-only"):
        await broker.submit(LOW)

    assert D("100.02") == quote.ask_price


async def test_a_closed_connection_refuses_everything(broker: Broker) -> None:
    await broker.aclose()
    await broker.aclose()

    for call in (broker.fetch_account, lambda: broker.submit(LOW), lambda: broker.cancel("low")):
        with pytest.raises(ClosedError):
            await call()


async def test_while_the_stream_is_down_submits_are_refused_and_cancels_go(market: Market) -> None:
    broker = await market.connect(faults="cancel#1 disconnect_stream(seconds=30)")
    await broker.submit(LOW)
    await broker.submit(OrderRequest.limit("AAPL", BUY, 1, "91", client_order_id="second"))
    await broker.cancel("low")
    await market.clock.advance()

    with pytest.raises(ReconcilingError) as raised:
        await broker.submit(OrderRequest.market("AAPL", BUY, 1))
    canceled = await broker.cancel("second")

    assert (Outcome.NOT_SENT, OrderStatus.CANCELED) == (raised.value.outcome, canceled.status)


async def test_what_happened_while_the_stream_was_down_is_told_once_after_it_is_back(
    market: Market,
) -> None:
    broker = await market.connect(faults="cancel#1 disconnect_stream(seconds=30)")
    await broker.submit(OrderRequest.limit("AAPL", BUY, 10, "99.00", client_order_id="filled"))
    await broker.submit(LOW)
    await broker.cancel("low")
    await market.tick("98.98", "99.00")
    during = broker.state.order("filled")

    await market.clock.advance(seconds=40)

    after = broker.state.order("filled")
    assert during is not None
    assert after is not None
    assert (OrderStatus.OPEN, OrderStatus.FILLED, D(10)) == (
        during.status,
        after.status,
        after.filled_quantity,
    )
    assert 1 == told(broker).count("filled FILL")
    position = broker.state.position("AAPL")
    assert position is not None
    assert D(10) == position.quantity
    await broker.submit(OrderRequest.limit("AAPL", BUY, 1, "90"))


@pytest.mark.parametrize(
    "plan",
    [
        "event.fill duplicate_event(copies=2)",
        "event.accepted duplicate_event",
        "event.accepted#1 delay_event(seconds=1)",
        "event.accepted#1 reorder_events(window=3, seconds=1)",
        "event.accepted#1 drop_event",
    ],
)
async def test_a_stream_that_repeats_reorders_or_drops_tells_the_same_story(
    market: Market, plan: str
) -> None:
    broker = await market.connect(faults=plan)

    order = await broker.submit(OrderRequest.market("AAPL", BUY, 10, client_order_id="one"))
    await market.clock.advance(seconds=5)

    order = await broker.wait(order, timeout_s=1)
    assert (OrderStatus.FILLED, D(10)) == (order.status, order.filled_quantity)
    assert ["one SUBMITTED", "one ACCEPTED", "one FILL"] == told(broker)


async def test_exits_are_set_on_an_open_position(market: Market, broker: Broker) -> None:
    await broker.wait(await broker.submit(OrderRequest.market("AAPL", BUY, 10)))

    legs = await broker.set_exits("AAPL", stop_loss=Exit(offset=Offset.price(2)))
    await market.tick("98.00", "98.02", last="98.00")

    assert 1 == len(legs)
    assert () == broker.state.positions


async def test_what_the_provider_lacks_is_refused_by_name(broker: Broker) -> None:
    with pytest.raises(DragomanError):
        await broker.fetch_quote("NOPE")


async def test_the_text_of_a_broker_names_provider_environment_and_account(broker: Broker) -> None:
    assert "<Broker mock (SIMULATED) account paper-1>" == repr(broker)


async def test_a_leg_taken_off_is_off_here_too(market: Market, broker: Broker) -> None:
    await broker.submit(
        OrderRequest.bracket(
            "AAPL",
            BUY,
            10,
            limit_price="99",
            stop_loss="95",
            take_profit="105",
            client_order_id="entry",
        )
    )

    replaced = await broker.replace("entry", stop_loss=REMOVE)
    await market.tick("98.98", "99.00")

    order = broker.state.order("entry")
    assert order is not None
    assert (None, None) == (replaced.stop_loss, order.stop_loss)
    assert order.take_profit is not None


async def test_a_refused_change_leaves_no_reason_on_the_living_order(broker: Broker) -> None:
    await broker.submit(LOW)

    with pytest.raises(OrderRejectedError):
        await broker.replace("low", quantity=10_000_000)

    order = broker.state.order("low")
    assert order is not None
    assert (OrderStatus.OPEN, None, None, None) == (
        order.status,
        order.reject_reason,
        order.reason,
        order.venue_code,
    )
    refusals = [one for one in journalled(broker) if one.kind is OrderEventKind.REPLACE_REJECTED]
    assert [True] == [one.order.reject_reason is not None for one in refusals]


async def test_fills_add_up_event_by_event(broker: Broker) -> None:
    await broker.wait(await broker.submit(OrderRequest.market("AAPL", BUY, 700)))

    filled = D(0)
    for event in journalled(broker):
        if event.fill is not None:
            filled += event.fill.quantity
        assert filled == event.order.filled_quantity


async def test_an_id_the_venue_knows_with_equal_terms_is_that_order(market: Market) -> None:
    first = await market.connect()
    filled = OrderRequest.market("AAPL", BUY, 5, client_order_id="k")
    await first.wait(await first.submit(filled))
    await market.clock.advance(seconds=3600)
    second = await market.connect()

    order = await second.submit(filled)

    assert (OrderStatus.FILLED, D(5), None) == (
        order.status,
        order.filled_quantity,
        order.reject_reason,
    )
    assert order == second.state.order("k")
    positions = await first.fetch_positions()
    assert [D(5)] == [position.quantity for position in positions]


async def test_an_open_order_placed_elsewhere_is_returned_for_equal_terms(market: Market) -> None:
    first, second = await market.connect(), await market.connect()
    await first.submit(LOW)
    await market.clock.advance()

    order = await second.submit(LOW)
    with pytest.raises(DuplicateOrderError, match="quantity: found 2; allowed: 1") as raised:
        await second.submit(OrderRequest.limit("AAPL", BUY, 2, "90", client_order_id="low"))

    assert (OrderStatus.OPEN, Outcome.NOT_SENT) == (order.status, raised.value.outcome)
    assert 1 == len(await second.fetch_open_orders())


async def test_an_id_the_venue_knows_with_other_terms_is_a_duplicate_and_changes_nothing(
    market: Market,
) -> None:
    first = await market.connect()
    await first.wait(await first.submit(OrderRequest.market("AAPL", BUY, 5, client_order_id="k")))

    await market.clock.advance(seconds=3600)
    second = await market.connect()

    with pytest.raises(DuplicateOrderError, match="quantity") as raised:
        await second.submit(OrderRequest.market("AAPL", BUY, 6, client_order_id="k"))

    order = second.state.order("k")
    assert order is not None
    assert (Outcome.REJECTED, OrderStatus.FILLED, D(5), None) == (
        raised.value.outcome,
        order.status,
        order.filled_quantity,
        order.reject_reason,
    )


async def test_an_expiry_in_the_past_is_refused_unsent(broker: Broker) -> None:
    with pytest.raises(InvalidOrderError, match="expires_at_ns") as raised:
        await broker.submit(
            OrderRequest.limit("AAPL", BUY, 1, "90", time_in_force=TimeInForce.GTD, expires_at_ns=1)
        )

    assert (Outcome.NOT_SENT, []) == (raised.value.outcome, told(broker))


@pytest.mark.parametrize("timeout_s", [-1, 0, "x", True])
async def test_a_timeout_that_is_no_time_is_refused(broker: Broker, timeout_s: object) -> None:
    with pytest.raises(InvalidValueError, match="timeout_s"):
        await broker.submit(LOW, timeout_s=timeout_s)  # type: ignore[arg-type]

    assert [] == told(broker)


async def test_a_wait_that_runs_out_is_an_error_of_this_library(broker: Broker) -> None:
    await broker.submit(LOW)

    with pytest.raises(WaitTimeoutError, match="low is OPEN") as raised:
        await broker.wait("low", timeout_s=0.01)

    assert isinstance(raised.value, TimeoutError)
    assert isinstance(raised.value, DragomanError)


async def test_a_flag_that_is_no_flag_is_refused(broker: Broker) -> None:
    with pytest.raises(InvalidOrderError, match="reduce_only"):
        await broker.submit(
            symbol="AAPL",
            side=SELL,
            order_type=OrderType.MARKET,
            quantity=1,
            reduce_only="yes",  # type: ignore[arg-type]
        )
