from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import attrs
import pytest

from dragoman.models import Side
from dragoman.money import is_multiple
from dragoman.paper.market.catalogue import default_instruments
from dragoman.paper.market.depth import _away, ladder
from dragoman.paper.market.feed import MarketTick

LISTED = default_instruments(1_770_000_000_000_000_000)
APPLE = next(item for item in LISTED if item.symbol == "AAPL")
TOP = MarketTick(5, "AAPL", Decimal("1.02"), Decimal(300), Decimal("1.03"), Decimal("0.5"))


def test_the_first_level_is_the_top_itself():
    bids, asks = ladder(TOP, APPLE, 5, 1)

    assert (TOP.bid_price, TOP.bid_size) == (bids[0].price, bids[0].size)
    assert (TOP.ask_price, TOP.ask_size) == (asks[0].price, asks[0].size)
    assert (5, 5) == (len(bids), len(asks))


def test_levels_step_away_on_the_tick_and_the_lot():
    bids, asks = ladder(TOP, APPLE, 60, 1)

    assert all(near.price > far.price for near, far in pairwise(bids))
    assert all(near.price < far.price for near, far in pairwise(asks))
    assert any(level.price < 1 for level in bids)
    for level in bids + asks:
        assert is_multiple(level.price, APPLE.tick_at(level.price))
        assert level.size > 0
        assert is_multiple(level.size, APPLE.lot_size)


def test_a_level_that_lands_in_a_coarser_band_is_rounded_away_from_the_top():
    top = TOP._replace(bid_price=Decimal("0.9997"), ask_price=Decimal("0.9999"))

    _, asks = ladder(top, APPLE, 4, 1)

    assert Decimal("1.00") <= asks[1].price
    assert all(is_multiple(level.price, Decimal("0.01")) for level in asks[1:])
    assert Decimal("1.01") == _away(APPLE, Decimal("0.9999"), 2, Side.SELL)


def test_the_same_tick_and_seed_give_the_same_ladder():
    assert ladder(TOP, APPLE, 20, 1) == ladder(TOP, APPLE, 20, 1)
    assert ladder(TOP, APPLE, 20, 1) != ladder(TOP, APPLE, 20, 2)
    assert ladder(TOP, APPLE, 20, 1) != ladder(TOP._replace(time_ns=6), APPLE, 20, 1)


def test_fewer_levels_are_the_best_of_more():
    bids, asks = ladder(TOP, APPLE, 20, 1)

    assert (bids[:3], asks[:3]) == ladder(TOP, APPLE, 3, 1)


def test_a_side_without_a_top_has_no_levels():
    bids, asks = ladder(TOP._replace(bid_price=None, bid_size=None), APPLE, 4, 1)

    assert () == bids
    assert 4 == len(asks)


@pytest.mark.parametrize("allowed", [False, True])
def test_bids_end_above_zero_unless_negative_prices_are_allowed(allowed):
    instrument = attrs.evolve(APPLE, tick_bands=(), allows_negative_price=allowed)
    top = TOP._replace(bid_price=Decimal("0.03"))

    bids, _ = ladder(top, instrument, 10, 1)

    assert allowed == (min(level.price for level in bids) <= 0)
    assert (len(bids) == 10) == allowed
