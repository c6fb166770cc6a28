import json
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from dragoman.models import Level, Side
from dragoman.paper.liquidity import Liquidity

LADDER = tuple(Level(Decimal(price), Decimal(size)) for price, size in ((10, 5), (11, 7), (13, 2)))


def asks(**options):
    return Liquidity((Decimal(10), Decimal(5)), is_endless=False, deeper=lambda: LADDER, **options)


def test_deeper_levels_are_not_asked_for_while_the_top_is_enough():
    calls = []
    liquidity = Liquidity(
        (Decimal(10), Decimal(5)), is_endless=False, deeper=lambda: calls.append(1) or LADDER
    )

    assert 4 == liquidity.available(Side.BUY, None, Decimal(4))
    assert 10 == liquidity.worst_price(Decimal(4))
    assert [] == calls


def test_available_counts_only_levels_within_the_limit():
    assert 12 == asks().available(Side.BUY, Decimal(12), Decimal(100))
    assert 0 == asks().available(Side.BUY, Decimal(9), Decimal(100))
    assert 14 == asks().available(Side.BUY, None, Decimal(100))


def test_worst_price_is_that_of_the_last_level_reached():
    assert [10, 11, 13, 13] == [asks().worst_price(Decimal(size)) for size in (5, 6, 13, 99)]


@given(st.lists(st.integers(1, 8), max_size=5))
def test_what_is_taken_is_gone(sizes):
    liquidity = asks()
    left = 14
    for size in sizes:
        taken = min(size, left)
        liquidity.take(Decimal(taken))
        left -= taken

    assert left == sum(size for _, size in liquidity.levels())
    assert left == liquidity.available(Side.BUY, None, Decimal(100))


def test_endless_side_gives_any_quantity_at_its_best_price():
    liquidity = Liquidity((Decimal(10), Decimal(1)), is_endless=True)
    liquidity.take(Decimal(1000))

    assert 999 == liquidity.available(Side.BUY, Decimal(10), Decimal(999))
    assert 10 == liquidity.worst_price(Decimal(10_000))


def test_side_without_a_price_has_nothing():
    liquidity = Liquidity((None, None), is_endless=False)

    assert (None, 0) == (liquidity.best_price, liquidity.available(Side.BUY, None, Decimal(1)))


def test_sizes_are_cut_to_whole_lots():
    liquidity = Liquidity(
        (Decimal(10), Decimal("0.7")), is_endless=False, lot_size=Decimal(2), deeper=lambda: LADDER
    )

    assert [(11, 6), (13, 2)] == list(liquidity.levels())


def test_state_keeps_what_is_left():
    liquidity = asks()
    liquidity.take(Decimal(8))

    other = asks()
    other.restore(json.loads(json.dumps(liquidity.state())))

    assert [(11, 4), (13, 2)] == list(other.levels())
