"""Reads: the account, the catalogue, the past and the present of the market."""

from decimal import Decimal

import pytest

from dragoman.errors import (
    ConflictError,
    InvalidValueError,
    NotConnectedError,
    NotFoundError,
    OrderRejectedError,
    UnknownInstrumentError,
    UnsupportedError,
)
from dragoman.models import (
    Adjustment,
    InstrumentKind,
    LedgerKind,
    MarginMode,
    Money,
    OrderEvent,
    OrderStatus,
    OrderType,
    PositionMode,
    PriceSource,
    RejectReason,
    Side,
    Timeframe,
    TradingState,
    Window,
)
from dragoman.tasks import TaskScope
from dragoman.times import HOUR_NS, MINUTE_NS, SECOND_NS, ManualClock
from dragoman_mock import MockAdapter

MINUTE = Timeframe.parse("1m")


async def rows(iterator):
    return [row async for row in iterator]


@pytest.fixture
async def walk(make_context):
    """An adapter on made-up prices."""
    adapter = MockAdapter(make_context(ManualClock()))
    await adapter.open()
    yield adapter
    await adapter.aclose()


async def test_an_adapter_that_is_not_open_answers_nothing(desk, make_context):
    adapter = MockAdapter(make_context(desk.clock, venue=desk.venue))

    with pytest.raises(NotConnectedError):
        await adapter.fetch_accounts()


async def test_opening_and_closing_twice_is_once(desk, adapter):
    await adapter.open()
    await adapter.aclose()
    await adapter.aclose()

    assert not desk.venue.is_open


async def test_accounts_are_told_with_their_cash(adapter):
    (account,) = await adapter.fetch_accounts()

    assert account == await adapter.fetch_account("paper-1")
    assert ("paper-1", Decimal(100_000), True) == (
        account.account_id,
        account.cash,
        account.is_simulated,
    )


async def test_an_unknown_account_is_not_found(adapter):
    with pytest.raises(NotFoundError):
        await adapter.fetch_account("nobody")
    with pytest.raises(NotFoundError):
        adapter.for_account("nobody")


async def test_the_ledger_is_told_by_window_and_kind(desk, adapter):
    for amount in (1, 2, 3):
        await desk.venue.act(
            lambda engine, amount=amount: engine.deposit("paper-1", Decimal(amount))
        )
        await desk.clock.advance(seconds=1)

    entries = await rows(adapter.fetch_ledger("paper-1", Window(limit=2)))
    none = await rows(adapter.fetch_ledger("paper-1", Window(), [LedgerKind.FUNDING]))

    assert [Decimal(1), Decimal(2)] == [entry.amount.amount for entry in entries]
    assert [] == none


async def test_the_catalogue_can_be_narrowed_to_kinds(adapter):
    whole = await adapter.load_instruments()

    futures = await adapter.load_instruments([InstrumentKind.FUTURE])

    assert {InstrumentKind.FUTURE} == {each.kind for each in futures}
    assert len(futures) < len(whole)


@pytest.mark.parametrize(
    ("text", "first"), [("aapl", "AAPL"), ("btc/usd", "BTC/USD"), ("apple", "AAPL")]
)
async def test_a_search_finds_the_best_match_first(adapter, text, first):
    found = await adapter.search_instruments(text)

    assert first == found[0].symbol


async def test_a_search_ends_at_its_limit(adapter):
    assert 2 == len(await adapter.search_instruments("", 2))


async def test_an_alias_names_an_instrument(adapter):
    assert "MES" in (await adapter.fetch_instrument("MES")).aliases


async def test_an_unknown_instrument_says_so(adapter):
    with pytest.raises(UnknownInstrumentError):
        await adapter.fetch_instrument("NOPE")


async def test_hours_are_told(desk, adapter):
    now_ns = desk.clock.now_ns()

    (row, *_) = await adapter.fetch_hours("AAPL", Window(start_ns=now_ns, end_ns=now_ns + HOUR_NS))

    assert TradingState.OPEN is row.state
    assert row.opens_at_ns <= now_ns < row.closes_at_ns


async def test_orders_and_fills_are_told_by_window(desk, adapter, order):
    for _ in range(3):
        await adapter.submit(order())
        await desk.clock.advance(seconds=1)
    start_ns = desk.clock.now_ns() - 2 * SECOND_NS

    found = await rows(adapter.fetch_orders("paper-1", Window(start_ns=start_ns)))
    first = await rows(adapter.fetch_fills("paper-1", Window(limit=1), "AAPL"))
    none = await rows(adapter.fetch_fills("paper-1", Window(), "MSFT"))

    assert ["order-2", "order-3"] == [each.client_order_id for each in found]
    assert ["order-1"] == [fill.client_order_id for fill in first]
    assert [] == none


async def test_an_order_is_found_by_either_id(adapter, order):
    done = await adapter.submit(order())

    by_venue_id = await adapter.fetch_order("paper-1", venue_order_id=done.venue_order_id)

    assert done == by_venue_id
    assert None is await adapter.fetch_order("paper-1", client_order_id="nobody")


async def test_prices_are_told_as_they_stand(desk, adapter):
    await desk.quote("99", "101", last="100")

    quotes = await adapter.fetch_quotes(["AAPL", "MSFT"])
    tickers = await adapter.fetch_tickers(["AAPL"])
    depth = await adapter.fetch_depth("AAPL", 3)

    assert (Decimal(99), Decimal(101)) == (quotes["AAPL"].bid_price, quotes["AAPL"].ask_price)
    assert None is quotes["MSFT"].bid_price
    assert Decimal(100) == tickers["AAPL"].last_price
    assert (3, 3) == (len(depth.bids), len(depth.asks))


async def test_the_market_status_is_told_of_one_or_all(adapter):
    one, all_of_it = (
        await adapter.fetch_market_status("AAPL"),
        await adapter.fetch_market_status(),
    )

    assert ("AAPL", TradingState.OPEN) == (one.symbol, one.state)
    assert (None, TradingState.OPEN) == (all_of_it.symbol, all_of_it.state)


async def test_bars_are_told_for_a_time_before_the_venue_began(walk):
    now_ns = walk.context.clock.now_ns()
    window = Window(start_ns=now_ns - 60 * MINUTE_NS, end_ns=now_ns - 50 * MINUTE_NS)

    bars = await rows(walk.fetch_bars("AAPL", MINUTE, window))

    assert 10 == len(bars)
    assert all(bar.is_complete for bar in bars)


async def test_bars_of_a_quote_have_no_volume(walk):
    now_ns = walk.context.clock.now_ns()
    window = Window(start_ns=now_ns - 5 * MINUTE_NS, end_ns=now_ns)

    bars = await rows(walk.fetch_bars("AAPL", MINUTE, window, PriceSource.BID))

    assert {PriceSource.BID} == {bar.price_source for bar in bars}
    assert {None} == {bar.volume for bar in bars}


async def test_adjusted_bars_are_refused(walk):
    with pytest.raises(UnsupportedError):
        walk.fetch_bars("AAPL", MINUTE, Window(limit=1), adjustment=Adjustment.SPLIT)


async def test_trades_and_quotes_of_the_past_are_told(walk):
    now_ns = walk.context.clock.now_ns()
    window = Window(start_ns=now_ns - MINUTE_NS, end_ns=now_ns)

    trades = await rows(walk.fetch_trades("AAPL", window))
    quotes = await rows(walk.fetch_quote_history("AAPL", window))

    assert 0 < len(trades) < len(quotes)
    assert all(window.covers(each.venue_time_ns) for each in (*trades, *quotes))


async def test_a_chain_lists_the_options_of_an_underlying(walk):
    chain = await walk.fetch_chain("AAPL")
    calls = await walk.search_instruments("AAPL-CALL")
    expiry = calls[0].expires_at.date().isoformat()

    assert {"AAPL"} == {(await walk.fetch_instrument(row.symbol)).underlying for row in chain}
    assert all(row.quote.ask_price is not None for row in chain)
    assert chain == await walk.fetch_chain("AAPL", expiry)
    assert () == await walk.fetch_chain("AAPL", "1999-01-01")


async def test_leverage_bounds_what_an_account_may_buy(adapter, order):
    await adapter.set_leverage("paper-1", "AAPL", Decimal(1))
    with pytest.raises(OrderRejectedError) as caught:
        await adapter.submit(order(quantity=1200))
    await adapter.set_leverage("paper-1", "AAPL", Decimal(2), MarginMode.CROSS)

    done = await adapter.submit(order(quantity=1200))

    assert RejectReason.INSUFFICIENT_FUNDS is caught.value.reason
    assert OrderStatus.PARTIALLY_FILLED is done.status or done.is_terminal


async def test_another_margin_mode_is_refused(adapter):
    with pytest.raises(UnsupportedError):
        await adapter.set_leverage("paper-1", "AAPL", Decimal(2), MarginMode.ISOLATED)


async def test_the_position_mode_changes_while_flat_only(adapter, order):
    await adapter.set_position_mode("paper-1", PositionMode.HEDGING)
    await adapter.submit(order())
    await adapter.submit(order(side=Side.SELL))

    with pytest.raises(ConflictError):
        await adapter.set_position_mode("paper-1", PositionMode.NETTING)

    ids = {position.position_id for position in await adapter.fetch_positions("paper-1")}
    assert {"AAPL:LONG", "AAPL:SHORT"} == ids


async def test_a_dead_man_cancels_when_nobody_speaks(desk, adapter, order):
    await adapter.submit(order(OrderType.LIMIT, limit_price="90"))
    await adapter.arm("paper-1", 5)

    await desk.clock.advance(seconds=4)
    await adapter.arm("paper-1", 5)
    await desk.clock.advance(seconds=4)
    alive = await adapter.fetch_order("paper-1", client_order_id="order-1")
    await desk.clock.advance(seconds=1)

    ended = await adapter.fetch_order("paper-1", client_order_id="order-1")
    assert (OrderStatus.OPEN, OrderStatus.CANCELED) == (alive.status, ended.status)


async def test_a_dead_man_that_was_disarmed_cancels_nothing(desk, adapter, order):
    await adapter.submit(order(OrderType.LIMIT, limit_price="90"))
    await adapter.arm("paper-1", 5)
    await adapter.arm("paper-1", None)

    await desk.clock.advance(seconds=10)

    found = await adapter.fetch_order("paper-1", client_order_id="order-1")
    assert OrderStatus.OPEN is found.status


async def test_a_dead_man_outlives_its_connection(desk, adapter, order):
    await adapter.submit(order(OrderType.LIMIT, limit_price="90"))
    await adapter.arm("paper-1", 5)
    await adapter.aclose()
    await desk.clock.advance(seconds=10)

    again = await desk.connect()

    found = await again.fetch_order("paper-1", client_order_id="order-1")
    assert OrderStatus.CANCELED is found.status


async def test_latency_passes_on_both_ways_and_before_events(desk, order):
    adapter = await desk.connect(latency_s="0.5")
    await desk.quote("99", "101")
    reader = await _subscribed(desk, adapter)
    scope = TaskScope()
    started_ns = desk.clock.now_ns()
    task = scope.spawn(adapter.submit(order()), "submit")

    await desk.clock.advance(seconds=0.4)
    before = desk.venue.engine.order("paper-1", "order-1")
    await desk.clock.advance(seconds=0.5)
    there, is_early = desk.venue.engine.order("paper-1", "order-1"), task.done()
    told_early = await reader.of(OrderEvent)
    await desk.clock.advance(seconds=0.1)

    assert None is before
    assert started_ns + SECOND_NS // 2 == there.created_at_ns
    assert (False, []) == (is_early, told_early)
    assert OrderStatus.FILLED is task.result().status
    assert 2 == len(await reader.of(OrderEvent))
    await scope.close()


async def _subscribed(desk, adapter):
    """Open a stream of orders while time passes, as its latency needs."""
    scope = TaskScope()
    task = scope.spawn(desk.listen(adapter, orders=True), "listen")
    await desk.clock.advance(seconds=1)
    await scope.close()
    return task.result()


async def test_a_preview_judges_without_taking(adapter, order):
    good = await adapter.preview([order(client_order_id=None)])
    resting = await adapter.preview([order(OrderType.LIMIT, limit_price="90")])
    bad = await adapter.preview([order(quantity=1_000_000)])

    (account,) = await adapter.fetch_accounts()
    await adapter.submit(order())
    after = await adapter.fetch_account("paper-1")
    assert (True, Money(0, "USD")) == (good.is_acceptable, good.commission)
    assert Money(after.margin_used - account.margin_used, "USD") == good.margin
    assert (None, True) == (resting.commission, resting.margin.amount > 0)
    assert (RejectReason.INSUFFICIENT_FUNDS, 1) == (bad.reject_reason, len(bad.warnings))


async def test_a_preview_leaves_no_trace(adapter, order):
    digest = adapter.venue.engine.history_digest

    await adapter.preview([order(), order()])

    assert digest == adapter.venue.engine.history_digest
    assert [] == await rows(adapter.fetch_orders("paper-1", Window()))


async def test_a_search_for_nothing_and_a_timer_that_ran_out_before_it_began_are_refused(adapter):
    with pytest.raises(InvalidValueError, match="limit"):
        await adapter.search_instruments("A", 0)
    with pytest.raises(InvalidValueError, match="timeout_s"):
        await adapter.arm("paper-1", -1)
