"""What a quote should be told as, and when an instant is the true one."""

from decimal import Decimal

import pytest

from dragoman.models import Quote
from dragoman_conformance.looks.market import Shown, same_instant

TRUE_NS = 1_767_787_200_123_456_789


def quote(**sides):
    return Quote(symbol="AAPL", provider="kit", received_at_ns=1, **sides)


def test_a_quote_as_it_stands_differs_in_nothing():
    shown = Shown(Decimal("1.10"), Decimal("1.12"), Decimal(5))
    told = quote(
        bid_price=Decimal("1.10"),
        bid_size=Decimal(5),
        ask_price=Decimal("1.12"),
        ask_size=Decimal(5),
    )

    assert "" == shown.differs(told)


def test_a_side_without_anybody_is_not_zero():
    shown = Shown(Decimal("1.10"), None, Decimal(5))
    told = quote(bid_price=Decimal("1.10"), bid_size=Decimal(5), ask_price=Decimal(0))

    assert "ask_price is 0, at the venue None" == shown.differs(told)


def test_a_size_of_one_side_is_part_of_it():
    shown = Shown(Decimal("1.10"), None, Decimal(5))

    assert "bid_size is None, at the venue 5" == shown.differs(quote(bid_price=Decimal("1.10")))


@pytest.mark.parametrize(
    "told",
    [None, TRUE_NS, TRUE_NS // 10**3 * 10**3, TRUE_NS // 10**6 * 10**6, TRUE_NS // 10**9 * 10**9],
    ids=["unknown", "ns", "us", "ms", "s"],
)
def test_an_instant_may_be_cut_to_the_unit_of_a_wire(told):
    assert same_instant(told, TRUE_NS)


@pytest.mark.parametrize("told", [TRUE_NS + 1, TRUE_NS - 1, 0, TRUE_NS // 10**9])
def test_an_instant_is_not_another(told):
    assert not same_instant(told, TRUE_NS)
