"""The live view: what is held, and the worst that may be held by now."""

from decimal import Decimal

import attrs
import pytest

from dragoman import (
    Account,
    EventSource,
    LedgerEntry,
    LedgerEvent,
    LedgerKind,
    OrderRequest,
    OrderStatus,
    Position,
    PositionEvent,
    Side,
)
from dragoman.orders.journal import MemoryJournal
from dragoman.orders.state import BrokerState
from dragoman.orders.tracker import OrderTracker

D = Decimal
ACCOUNT = Account(account_id="a", provider="mock", received_at_ns=0)


def position(quantity: int, symbol: str = "AAPL") -> Position:
    return Position(
        position_id=symbol,
        account_id="a",
        symbol=symbol,
        quantity=D(quantity),
        average_entry_price=D(5),
        provider="mock",
        received_at_ns=0,
    )


def moved(to: Position) -> PositionEvent:
    return PositionEvent(position=to, account_id="a", received_at_ns=0)


@pytest.fixture
def tracker() -> OrderTracker:
    return OrderTracker("a", "mock")


@pytest.fixture
def state(tracker: OrderTracker) -> BrokerState:
    return BrokerState(tracker, MemoryJournal())


def fill(tracker: OrderTracker, name: str, side: Side, quantity: int) -> None:
    request = OrderRequest.market("AAPL", side, quantity, client_order_id=name)
    order = tracker.register(request, 0).order
    done = attrs.evolve(order, status=OrderStatus.FILLED, filled_quantity=D(quantity))
    tracker.answer(done, EventSource.RESPONSE, 1)


def worst(state: BrokerState) -> list[Decimal]:
    return [state.worst_position("AAPL", side) for side in (Side.BUY, Side.SELL)]


def test_a_fill_counts_in_its_direction_before_its_position_is_told(
    tracker: OrderTracker, state: BrokerState
) -> None:
    fill(tracker, "one", Side.BUY, 10)
    before = worst(state)

    state.take(moved(position(10)))

    assert ([D(10), D(0)], [D(10), D(10)]) == (before, worst(state))


def test_a_snapshot_has_the_fills_known_by_then_in_it(
    tracker: OrderTracker, state: BrokerState
) -> None:
    fill(tracker, "one", Side.BUY, 10)
    state.reset(ACCOUNT, [position(12)])
    at_once = worst(state)

    fill(tracker, "two", Side.SELL, 4)

    assert ([D(12), D(12)], [D(12), D(8)]) == (at_once, worst(state))


def test_what_the_ledger_moves_is_no_fill_that_is_missing(state: BrokerState) -> None:
    entry = LedgerEntry(
        entry_id="l1",
        account_id="a",
        kind=LedgerKind.ASSIGNMENT,
        symbol="AAPL",
        quantity=D(-100),
        venue_time_ns=1,
        provider="mock",
        received_at_ns=1,
    )
    state.reset(ACCOUNT, [position(100)])

    state.take(LedgerEvent(entry=entry, account_id="a", received_at_ns=1))
    state.take(moved(position(0)))

    assert [D(0), D(0)] == worst(state)


def test_moved_names_what_changed_what_is_new_and_what_is_gone(state: BrokerState) -> None:
    state.reset(ACCOUNT, [position(5), position(2, "MSFT"), position(1, "SPY")])

    found = list(state.moved([position(8), position(2, "MSFT"), position(-3, "QQQ")]))

    assert [("AAPL", D(8), D(5)), ("QQQ", D(-3), D(0)), ("SPY", D(0), D(1))] == [
        (one.symbol, one.quantity, before) for one, before in found
    ]


def test_a_position_that_closed_is_no_longer_shown(state: BrokerState) -> None:
    state.take(moved(position(5)))
    shown = state.position("AAPL")
    state.take(moved(position(0)))

    assert (position(5), None, ()) == (shown, state.position("AAPL"), state.positions)
