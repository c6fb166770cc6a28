import json
from decimal import Decimal

import pytest
from paper_venue import ACCOUNT, INSTRUMENTS, START_NS, Venue, kinds, steps

from dragoman.errors import (
    AmbiguousInstrumentError,
    ConflictError,
    InvalidValueError,
    NotFoundError,
    UnknownInstrumentError,
)
from dragoman.models import (
    AccountEvent,
    Contingency,
    LedgerEvent,
    LedgerKind,
    Offset,
    OrderChange,
    OrderEvent,
    OrderRequest,
    PositionMode,
    Quote,
    Side,
    Ticker,
    TimeInForce,
    Trade,
    Window,
)
from dragoman.paper.engine import Engine
from dragoman.paper.market.scripted import ScriptedFeed
from dragoman.paper.settings import Fee, FeeSchedule, VenueSettings
from dragoman.times import HOUR_NS, MINUTE_NS, SECOND_NS


@pytest.fixture
def venue():
    venue = Venue()
    venue.tick("99.99", "100.01", last="100.00", last_size=1)
    return venue


def test_accepted_order_has_ids_and_times_of_the_venue(venue):
    (event,) = venue.limit("BUY", 1, "99", tag="mine")

    order = event.order
    assert ("1000001", "OPEN", "mine", 0) == (
        order.venue_order_id,
        order.status,
        order.tag,
        order.revision,
    )
    assert order.created_at_ns == order.updated_at_ns == event.venue_time_ns
    assert ("mock", 0, "STREAM") == (order.provider, event.sequence, event.source)


def test_average_fill_price_is_the_value_filled_by_the_quantity():
    venue = Venue(depth_levels=1)
    venue.tick("99.99", "100.01", size=1)
    venue.market("BUY", 3)
    venue.tick("99.99", "100.04", size=2)

    assert "100.03" == str(venue.order("o1").average_fill_price)


def test_default_time_in_force_is_day(venue):
    venue.limit("BUY", 1, "99", time_in_force=None)

    assert TimeInForce.DAY is venue.order("o1").time_in_force


def test_instants_of_private_events_strictly_increase(venue):
    events = [*venue.market("BUY", 1), *venue.market("SELL", 1), *venue.limit("BUY", 1, "99")]

    instants = [event.venue_time_ns for event in events]
    assert instants == sorted(set(instants))


def test_account_is_told_once_for_each_command_that_moved_cash(venue):
    assert 1 == sum(isinstance(event, AccountEvent) for event in venue.market("BUY", 1))
    assert 0 == sum(isinstance(event, AccountEvent) for event in venue.limit("BUY", 1, "99"))


def test_tick_is_told_as_quote_print_and_ticker(venue):
    events = venue.tick("99.98", "100.02", last="100.01", last_size=3)

    assert [Quote, Trade, Ticker] == [type(event) for event in events]
    assert ("100.01", 3) == (str(events[1].price), events[1].size)


def test_quote_shows_displayed_orders_that_are_better_than_the_market(venue):
    venue.limit("BUY", 30, "100.00", display_quantity=10)
    venue.limit("SELL", 5, "100.01", client_order_id="level")

    quote = venue.engine.quote("STOCK")

    assert ("100.00", 10) == (str(quote.bid_price), quote.bid_size)
    assert ("100.01", 1005) == (str(quote.ask_price), quote.ask_size)


def test_quote_shows_what_is_left_of_the_market(venue):
    venue.market("BUY", 400)

    assert 600 == venue.engine.quote("STOCK").ask_size


def test_quote_of_a_tick_shows_no_order_that_it_reaches(venue):
    venue.limit("BUY", 5, "100.00")

    quote = venue.tick("99.90", "99.95")[0]

    assert ("99.90", "99.95") == (str(quote.bid_price), str(quote.ask_price))


def test_ticker_is_told_at_most_once_a_second(venue):
    events = venue.tick("99.98", "100.02", last="100.01", last_size=3, after_ns=SECOND_NS // 4)

    assert [Quote, Trade] == [type(event) for event in events]


def test_every_market_of_the_default_venue_has_a_price_at_the_start():
    engine = Engine(start_ns=START_NS)

    assert all(engine.quote(symbol).bid_price for symbol in engine.instruments)


def test_alias_resolves_to_its_instrument():
    engine = Engine(start_ns=START_NS)

    assert "EUR/USD" == engine.find("EURUSD").symbol
    assert "EUR/USD" == engine.quote("EUR_USD").symbol


def test_unknown_and_ambiguous_names_are_told_apart():
    first, second = INSTRUMENTS[0], INSTRUMENTS[1]
    twins = [type(first)(**{**_fields(each), "aliases": ("TWIN",)}) for each in (first, second)]
    engine = Engine(instruments=twins, feed=ScriptedFeed(), start_ns=START_NS)

    with pytest.raises(UnknownInstrumentError):
        engine.find("NOWHERE")
    with pytest.raises(AmbiguousInstrumentError, match="PAIR"):
        engine.find("TWIN")


def _fields(instrument):
    return {
        name: getattr(instrument, name)
        for name in type(instrument).__slots__
        if name != "__weakref__"
    }


def test_order_needs_an_account_and_an_id(venue):
    unnamed = OrderRequest.market("STOCK", Side.BUY, 1, account_id=ACCOUNT)
    homeless = OrderRequest.market("STOCK", Side.BUY, 1, client_order_id="a", account_id="nobody")

    with pytest.raises(InvalidValueError, match="client_order_id"):
        venue.engine.submit(unnamed)
    with pytest.raises(NotFoundError, match="nobody"):
        venue.engine.submit(homeless)


def test_list_needs_orders_of_one_account(venue):
    lone = OrderRequest.market("STOCK", Side.BUY, 1, client_order_id="a", account_id=ACCOUNT)

    with pytest.raises(InvalidValueError, match="at least 2"):
        venue.engine.submit_list([lone], Contingency.OCO)


def test_cancel_of_an_ended_order_is_refused_and_changes_nothing(venue):
    venue.market("BUY", 1)
    before = venue.order("o1")

    (event,) = venue.cancel("o1")

    assert ("CANCEL_REJECTED", before) == (event.kind, event.order)


def test_cancel_of_an_unknown_order_raises(venue):
    with pytest.raises(NotFoundError, match="nothing"):
        venue.cancel("nothing")


def test_cancel_all_takes_one_symbol_or_all(venue):
    venue.tick("0.9999", "1.0001", "PAIR")
    venue.limit("BUY", 1, "99")
    venue.limit("BUY", 1, "0.99", symbol="PAIR")

    assert [("CANCELED", "o2")] == steps(venue.engine.cancel_all(ACCOUNT, "PAIR"))
    assert [("CANCELED", "o1")] == steps(venue.engine.cancel_all(ACCOUNT))


def test_replace_changes_terms_and_counts_a_revision(venue):
    venue.limit("BUY", 10, "99")

    (event,) = venue.engine.replace(ACCOUNT, "o1", OrderChange(quantity=12, limit_price="99.10"))

    order = event.order
    assert ("REPLACED", 12, "99.10", 1) == (
        event.kind,
        order.quantity,
        str(order.limit_price),
        order.revision,
    )
    assert ("1000001",) == order.venue_order_ids


def test_replaced_order_may_get_a_new_venue_id():
    venue = Venue(replace_keeps_id=False)
    venue.tick("99.99", "100.01")
    venue.limit("BUY", 10, "99")

    venue.engine.replace(ACCOUNT, "o1", OrderChange(limit_price="99.10"))

    assert ("1000001", "1000002") == venue.order("o1").venue_order_ids
    found = [venue.engine.order(ACCOUNT, venue_order_id=each) for each in ("1000001", "1000002")]
    assert ["o1", "o1"] == [order.client_order_id for order in found]


def test_replace_that_crosses_takes(venue):
    venue.limit("BUY", 10, "99")

    events = venue.engine.replace(ACCOUNT, "o1", OrderChange(limit_price="100.01"))

    assert ["REPLACED", "FILL"] == kinds(events)


@pytest.mark.parametrize(
    ("change", "first"),
    [({"quantity": 5}, "o1"), ({"quantity": 15}, "o2"), ({"limit_price": "99.00"}, "o2")],
)
def test_place_in_the_queue_is_kept_only_by_a_smaller_quantity(venue, change, first):
    venue.limit("BUY", 10, "99.00")
    venue.limit("BUY", 10, "99.00")
    venue.engine.replace(ACCOUNT, "o1", OrderChange(**change))

    venue.tick("98", "98.5", size=1)

    assert first == venue.fills()[0][0]


@pytest.mark.parametrize(
    ("fields", "change", "reason"),
    [
        ({}, {"quantity": "0.5"}, "INVALID_QUANTITY"),
        ({}, {"limit_price": "99.001"}, "INVALID_PRICE"),
        ({"post_only": True}, {"limit_price": "100.01"}, "WOULD_TAKE"),
        ({}, {"quantity": 100_000}, "INSUFFICIENT_FUNDS"),
        ({}, {"stop_price": "98"}, "UNSUPPORTED"),
        ({}, {"trailing": Offset.ticks(3)}, "UNSUPPORTED"),
        ({}, {"expires_at_ns": 1}, "UNSUPPORTED"),
    ],
)
def test_refused_replace_leaves_the_order_and_says_why(venue, fields, change, reason):
    venue.limit("BUY", 10, "99", **fields)
    before = venue.order("o1")

    (event,) = venue.engine.replace(ACCOUNT, "o1", OrderChange(**change))

    assert ("REPLACE_REJECTED", reason) == (event.kind, event.order.reject_reason)
    assert before == venue.order("o1")


def test_replace_to_what_has_filled_is_refused():
    venue = Venue(depth_levels=1)
    venue.tick("99.99", "100.01", size=4)
    venue.limit("BUY", 10, "100.01")

    (event,) = venue.engine.replace(ACCOUNT, "o1", OrderChange(quantity=4))

    assert ("REPLACE_REJECTED", "INVALID_QUANTITY") == (event.kind, event.order.reject_reason)


def test_replace_of_an_ended_order_is_refused(venue):
    venue.market("BUY", 1)

    assert ["REPLACE_REJECTED"] == kinds(
        venue.engine.replace(ACCOUNT, "o1", OrderChange(quantity=5))
    )


def test_replaced_stop_is_armed_at_its_new_level(venue):
    venue.stop("SELL", 1, "98")
    venue.engine.replace(ACCOUNT, "o1", OrderChange(stop_price="99"))

    assert "TRIGGERED" in kinds(venue.tick("98.99", "99.01", last="99", last_size=1))


def test_replaced_trailing_stop_has_its_new_distance(venue):
    venue.submit("TRAILING_STOP", "SELL", 1, trailing=Offset.price("0.50"))

    venue.engine.replace(ACCOUNT, "o1", OrderChange(trailing=Offset.price("1.00")))

    assert "99.00" == str(venue.order("o1").stop_price)


def test_reads_take_windows_symbols_and_limits(venue):
    venue.tick("0.9999", "1.0001", "PAIR")
    venue.market("BUY", 1)
    split_ns = venue.engine.now_ns + MINUTE_NS
    venue.engine.advance(split_ns)
    venue.market("BUY", 2, symbol="PAIR")

    engine = venue.engine
    assert ["o1", "o2"] == [order.client_order_id for order in engine.orders(ACCOUNT)]
    late = Window(start_ns=split_ns)
    assert ["o2"] == [order.client_order_id for order in engine.orders(ACCOUNT, late)]
    assert ["o2"] == [fill.client_order_id for fill in engine.fills(ACCOUNT, late)]
    assert ["o1"] == [fill.client_order_id for fill in engine.fills(ACCOUNT, Window(limit=1))]
    assert ["o2"] == [fill.client_order_id for fill in engine.fills(ACCOUNT, symbol="PAIR")]
    assert ["PAIR"] == [each.symbol for each in engine.positions(ACCOUNT, "PAIR")]


def test_order_is_found_by_either_id_but_not_by_two_that_differ(venue):
    venue.limit("BUY", 1, "99")
    venue.limit("BUY", 1, "98")

    engine = venue.engine
    assert "o2" == engine.order(ACCOUNT, venue_order_id="1000002").client_order_id
    assert engine.order(ACCOUNT, "o1", "1000002") is None
    assert engine.order(ACCOUNT, "o9") is None


def test_deposits_and_withdrawals_are_in_the_ledger(venue):
    events = venue.engine.deposit(ACCOUNT, Decimal(50))
    assert [LedgerEvent, AccountEvent] == [type(event) for event in events]

    venue.engine.withdraw(ACCOUNT, Decimal(20))

    entries = venue.engine.ledger(ACCOUNT)
    assert [("DEPOSIT", 50), ("WITHDRAWAL", -20)] == [
        (entry.kind, entry.amount.amount) for entry in entries
    ]
    assert 100_030 == venue.engine.account(ACCOUNT).cash
    assert 1 == len(venue.engine.ledger(ACCOUNT, kinds=(LedgerKind.DEPOSIT,)))


def test_bust_takes_a_fill_back_and_leaves_the_order_ended(venue):
    venue.market("BUY", 10)
    fill_id = venue.engine.fills(ACCOUNT)[0].fill_id

    events = venue.engine.bust(ACCOUNT, fill_id)

    assert ["FILL_BUSTED"] == kinds(events)
    order = venue.order("o1")
    assert ("FILLED", 0, None) == (order.status, order.filled_quantity, order.average_fill_price)
    assert (0, 100_000) == (venue.position(), venue.engine.account(ACCOUNT).cash)
    assert venue.engine.fills(ACCOUNT)[0].is_busted
    with pytest.raises(NotFoundError):
        venue.engine.bust(ACCOUNT, fill_id)


def test_bust_of_a_live_orders_fill_lets_it_fill_again():
    venue = Venue(depth_levels=1)
    venue.tick("99.99", "100.01", size=4)
    venue.limit("BUY", 10, "100.01")

    venue.engine.bust(ACCOUNT, venue.engine.fills(ACCOUNT)[0].fill_id)
    venue.tick("99.99", "100.01", size=100)

    assert ("FILLED", 10) == (venue.order("o1").status, venue.position())


def test_forced_execution_reaches_even_a_canceled_order(venue):
    venue.limit("BUY", 10, "99")
    venue.cancel("o1")

    venue.engine.execute(ACCOUNT, "o1", Decimal(4))
    assert ("CANCELED", 4) == (venue.order("o1").status, venue.order("o1").filled_quantity)

    venue.engine.execute(ACCOUNT, "o1")
    assert ("FILLED", 10) == (venue.order("o1").status, venue.position())
    with pytest.raises(ConflictError):
        venue.engine.execute(ACCOUNT, "o1")


def test_forced_execution_of_an_iceberg_lets_it_show_again(venue):
    venue.limit("BUY", 30, "100.00", display_quantity=10)

    venue.engine.execute(ACCOUNT, "o1", Decimal(15))

    assert (15, 10) == (venue.order("o1").filled_quantity, venue.engine.quote("STOCK").bid_size)


def test_position_mode_changes_only_while_nothing_is_open(venue):
    venue.limit("BUY", 1, "99")
    with pytest.raises(ConflictError):
        venue.engine.set_position_mode(ACCOUNT, PositionMode.HEDGING)
    venue.cancel("o1")

    (event,) = venue.engine.set_position_mode(ACCOUNT, PositionMode.HEDGING)

    assert ("MODE_CHANGED", "HEDGING") == (event.kind, event.account.position_mode)


def test_leverage_bounds_what_can_be_opened(venue):
    venue.engine.set_leverage(ACCOUNT, Decimal(1))

    assert ["REJECTED"] == kinds(venue.limit("BUY", 1500, "99"))
    venue.engine.set_leverage(ACCOUNT, Decimal(2))
    assert ["ACCEPTED"] == kinds(venue.limit("BUY", 1500, "99"))


def test_time_does_not_run_backwards(venue):
    with pytest.raises(InvalidValueError, match="to_ns"):
        venue.engine.advance(venue.engine.now_ns - 1)


def script(engine, feed=None):
    """A day of trading on the default venue."""
    requests = [
        OrderRequest.market("AAPL", Side.BUY, 10, client_order_id="a", account_id=ACCOUNT),
        OrderRequest.bracket(
            "EUR/USD",
            Side.BUY,
            1000,
            stop_loss="0.9",
            take_profit="1.9",
            client_order_id="b",
            account_id=ACCOUNT,
        ),
        OrderRequest.trailing_stop(
            "AAPL", Side.SELL, 10, Offset.percent("0.05"), client_order_id="c", account_id=ACCOUNT
        ),
    ]
    for request in requests:
        yield lambda request=request: engine.submit(request)
        yield lambda: engine.advance(engine.now_ns + 20 * SECOND_NS)


def test_same_settings_and_calls_give_the_same_history():
    settings = VenueSettings(seed=7, fees=FeeSchedule(default=Fee(taker="0.001")))
    first, second = (Engine(settings, start_ns=START_NS) for _ in range(2))

    histories = [[repr(step()) for step in script(engine)] for engine in (first, second)]

    assert histories[0] == histories[1]
    assert first.history_digest == second.history_digest


def test_another_seed_gives_another_history():
    first, second = (Engine(VenueSettings(seed=seed), start_ns=START_NS) for seed in (1, 2))

    for engine in (first, second):
        engine.advance(START_NS + MINUTE_NS)

    assert first.history_digest != second.history_digest


def test_history_does_not_depend_on_how_time_is_cut():
    first, second = (Engine(VenueSettings(seed=3), start_ns=START_NS) for _ in range(2))
    for engine in (first, second):
        for step in script(engine):
            step()

    whole = first.advance(first.now_ns + MINUTE_NS)
    parts = [event for _ in range(60) for event in second.advance(second.now_ns + SECOND_NS)]

    assert [*whole] == parts
    assert first.history_digest == second.history_digest


def test_restored_engine_goes_on_exactly():
    settings = VenueSettings(seed=5)
    engine = Engine(settings, start_ns=START_NS)
    for step in script(engine):
        step()
    state = json.loads(json.dumps(engine.state()))

    other = Engine.restore(state, settings)

    assert state == other.state()
    to_ns = engine.now_ns + MINUTE_NS
    assert engine.advance(to_ns) == other.advance(to_ns)
    assert engine.history_digest == other.history_digest
    assert engine.accounts() == other.accounts()


def test_state_of_another_version_or_venue_is_refused(venue):
    state = venue.engine.state()

    with pytest.raises(InvalidValueError, match="version"):
        Engine.restore({**state, "version": 0}, venue.settings, instruments=INSTRUMENTS)
    with pytest.raises(InvalidValueError, match="instruments"):
        Engine.restore(state, venue.settings)


def test_long_pause_is_skipped_after_the_steps_that_the_settings_allow():
    engine = Engine(VenueSettings(max_idle_steps=10), start_ns=START_NS)

    events = engine.advance(START_NS + 5 * HOUR_NS)

    quotes = [event for event in events if isinstance(event, Quote)]
    assert 0 < len(quotes) < 500
    assert not [event for event in events if isinstance(event, OrderEvent)]
    assert START_NS + 5 * HOUR_NS == engine.now_ns
    assert engine.next_event_ns() > engine.now_ns
