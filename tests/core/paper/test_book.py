from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paper_venue import ACCOUNT, Venue

from dragoman.models import OrderRequest, Side
from dragoman.paper.book import BookSide, is_better, is_within
from dragoman.paper.order import WorkingOrder

venue = Venue()


def order(rank, price, side=Side.BUY, *, hidden=False):
    request = OrderRequest.limit(
        "STOCK", side, 1, price, client_order_id=f"o{rank}", display_quantity=0 if hidden else None
    )
    floor = venue.engine._floor
    made = WorkingOrder(request, floor.desks[ACCOUNT], floor.listings["STOCK"])
    made.rank = rank
    return made


def ranks(book):
    return [each.rank for each in book]


def test_price_is_within_a_limit_on_the_orders_own_side_of_it():
    price, limit = Decimal(10), Decimal(11)

    assert is_within(Side.BUY, price, limit)
    assert not is_within(Side.SELL, price, limit)
    assert is_within(Side.SELL, price, None)
    assert is_better(Side.BUY, limit, price)
    assert is_better(Side.SELL, price, limit)


@given(
    st.sampled_from(Side),
    st.lists(st.tuples(st.integers(1, 5), st.booleans()), max_size=20),
    st.sets(st.integers(0, 19)),
    st.randoms(use_true_random=False),
)
def test_orders_stand_by_price_then_display_then_rank(side, rows, removed, random):
    book = BookSide(side)
    orders = [order(rank, price, side, hidden=hidden) for rank, (price, hidden) in enumerate(rows)]
    arrivals = list(orders)
    random.shuffle(arrivals)
    for each in arrivals:
        book.add(each)
    for each in orders:
        if each.rank in removed:
            book.remove(each)

    left = [each for each in orders if each.rank not in removed]
    expected = sorted(
        left, key=lambda each: (-side.sign * each.limit_price, each.is_hidden, each.rank)
    )
    assert [each.rank for each in expected] == ranks(book)
    assert bool(expected) == bool(book)
    assert (expected[0].limit_price if expected else None) == book.best_price
    assert all(each.is_resting == (each in left) for each in orders)


def test_prices_from_a_reference_are_those_that_meet_it_best_first():
    bids, asks = BookSide(Side.BUY), BookSide(Side.SELL)
    for rank, price in enumerate((1, 2, 3)):
        bids.add(order(rank, price))
        asks.add(order(rank + 10, price, Side.SELL))

    assert [3, 2] == bids.prices_from(Decimal(2))
    assert [1, 2] == asks.prices_from(Decimal(2))


def test_hidden_orders_are_not_displayed():
    book = BookSide(Side.BUY)
    book.add(order(1, 3, hidden=True))
    book.add(order(2, 2))
    book.add(order(3, 1))

    assert [(2, 1, 1)] == list(book.displayed(1, None))


def test_what_stands_behind_a_better_price_is_not_looked_at():
    book = BookSide(Side.BUY)
    for rank, price in enumerate((10, 10, 9)):
        book.add(order(rank, price))

    assert None is book.best_displayed(None, Decimal(11))
    assert (10, 2) == book.best_displayed(None, Decimal(10))
    assert (10, 2) == book.best_displayed(None, Decimal(9))
    assert (9, 1) == book.best_displayed(Decimal(10), Decimal(9))
    assert None is book.best_displayed(Decimal(10), Decimal("9.5"))


def test_order_without_a_limit_does_not_rest():
    made = order(1, 3)
    made.limit_price = None

    with pytest.raises(AssertionError, match="without a limit price"):
        BookSide(Side.BUY).add(made)
