"""A position is disputed when no fill, fee or lateness of the venue explains it."""

from decimal import Decimal
from typing import TYPE_CHECKING

import attrs
import pytest
from tests.broker.fake_adapter import fill_of

from dragoman import EventSource, Fill, Money, OrderRequest, OrderStatus, Side
from dragoman.orders.derived import DerivedPositions
from dragoman.orders.tracker import OrderTracker, pending_order
from dragoman.times import SECOND_NS

if TYPE_CHECKING:
    from dragoman import Order

D = Decimal
LATER = 1000 * SECOND_NS


class Account:
    """Fills as they are told, and what is derived from them."""

    def __init__(self) -> None:
        self.tracker = OrderTracker("one", "fake")
        self.derived = DerivedPositions(self.tracker)
        request = OrderRequest.limit("AAPL", Side.BUY, 1000, "5", client_order_id="low")
        made = pending_order(request, account_id="one", provider="fake", at_ns=1)
        self.order: Order = attrs.evolve(made, status=OrderStatus.OPEN, venue_order_ids=("v1",))
        self.tracker.answer(self.order, EventSource.RECONCILED, 1)
        self.count = 0

    def fill(self, quantity: int, at_ns: int, fee: Money | None = None) -> Fill:
        self.count += 1
        fill = fill_of(self.order, self.count, quantity, commission=fee)
        self.tracker.execute(fill, EventSource.STREAM, at_ns)
        self.derived.fill(fill, at_ns)
        return fill

    def reset(self, quantity: int, at_ns: int, unsure: tuple[str, ...] = ()) -> None:
        self.derived.reset({"AAPL": D(quantity)}, unsure, at_ns)

    def disputed(self, quantity: int | str, told: int | str | None = None) -> dict[str, Decimal]:
        held = {"AAPL": D(quantity)}
        return self.derived.disputed(held, held if told is None else {"AAPL": D(told)})


@pytest.fixture
def account() -> Account:
    one = Account()
    one.reset(0, 0)
    return one


def test_what_the_fills_make_is_not_disputed(account: Account) -> None:
    account.fill(4, LATER)

    assert {} == account.disputed(4)


@pytest.mark.parametrize(("held", "drift"), [(0, -4), (3, -1), (9, 5)])
def test_what_no_fill_explains_is_disputed(account: Account, held: int, drift: int) -> None:
    account.fill(4, LATER)

    assert {"AAPL": D(drift)} == account.disputed(held)


def test_a_position_that_vanished_is_disputed(account: Account) -> None:
    account.reset(5, LATER)

    assert {"AAPL": D(-5)} == account.derived.disputed({}, {"AAPL": D(5)})


def test_a_fill_told_after_a_snapshot_that_has_it_counts_twice_and_is_no_dispute(
    account: Account,
) -> None:
    account.reset(10, LATER)
    account.fill(10, LATER + SECOND_NS)

    assert {} == account.disputed(10)
    assert {"AAPL": D(-9)} == account.disputed(11)


def test_a_fill_that_came_before_a_snapshot_and_was_held_back_until_after_it_is_no_dispute(
    account: Account,
) -> None:
    account.reset(10, LATER)
    account.fill(10, LATER - SECOND_NS)

    assert {} == account.disputed(10)


def test_a_fill_told_after_a_snapshot_is_disputed_while_the_venue_is_late(account: Account) -> None:
    account.reset(0, LATER)
    account.fill(10, LATER + SECOND_NS)

    assert {"AAPL": D(-10)} == account.disputed(0, told=10)


def test_a_fill_told_before_a_snapshot_that_lacks_it_is_no_dispute_when_it_shows(
    account: Account,
) -> None:
    account.fill(3, LATER - SECOND_NS)
    account.fill(4, LATER)
    account.reset(3, LATER)

    assert {} == account.disputed(7)
    assert {"AAPL": D(3)} == account.disputed(6)


def test_old_fills_explain_nothing(account: Account) -> None:
    account.fill(4, LATER - 60 * SECOND_NS)
    account.reset(4, LATER)
    account.fill(5, LATER + 60 * SECOND_NS)

    assert {"AAPL": D(4)} == account.disputed(13)
    assert {"AAPL": D(-5)} == account.disputed(4)


def test_a_symbol_that_is_unsure_goes_on_from_the_snapshot_before(account: Account) -> None:
    account.fill(4, LATER)
    account.reset(9, LATER, ("AAPL",))

    assert {"AAPL": D(5)} == account.disputed(9)


def test_fees_paid_by_the_asset_itself_are_no_dispute(account: Account) -> None:
    account.fill(10, LATER, Money(D("0.01"), "AAPL"))
    account.fill(10, LATER, Money(D("0.02"), "USD"))

    assert {} == account.disputed("19.99")
    assert {} == account.disputed("19.98")
    assert {"AAPL": D("-0.03")} == account.disputed("19.97")
