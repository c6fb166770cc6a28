from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.models import Liquidity
from dragoman.paper.accounts.fees import commission
from dragoman.paper.settings import Fee


@pytest.mark.parametrize(
    ("fee", "liquidity", "expected"),
    [
        pytest.param(Fee(), Liquidity.TAKER, "0", id="free"),
        pytest.param(Fee(maker="0.001", taker="0.002"), Liquidity.MAKER, "1.500", id="maker"),
        pytest.param(Fee(maker="0.001", taker="0.002"), Liquidity.TAKER, "3.000", id="taker"),
        pytest.param(Fee(maker="0.001", taker="0.002"), None, "3.000", id="unknown pays as taker"),
        pytest.param(Fee(maker="-0.001"), Liquidity.MAKER, "-1.500", id="rebate"),
        pytest.param(Fee(maker="-0.001", minimum=2), Liquidity.MAKER, "-1.500", id="rebate kept"),
        pytest.param(Fee(per_unit="0.62"), Liquidity.TAKER, "6.20", id="per unit"),
        pytest.param(Fee(taker="0.001", per_unit="0.1"), Liquidity.TAKER, "2.5", id="both"),
        pytest.param(Fee(taker="0.0001", minimum=1), Liquidity.TAKER, "1", id="minimum"),
        pytest.param(Fee(taker="0.001", minimum=1), Liquidity.TAKER, "1.5", id="above minimum"),
    ],
)
def test_commission_follows_the_fee(fee, liquidity, expected):
    paid = commission(fee, Decimal(1500), Decimal(10), liquidity)

    assert Decimal(expected) == paid


def test_no_fee_costs_nothing():
    assert Decimal(0) == commission(None, Decimal(1500), Decimal(10))


@given(
    value=st.decimals(-(10**9), 10**9, places=12, allow_nan=False, allow_infinity=False),
    rate=st.decimals(0, 1, places=8, allow_nan=False, allow_infinity=False),
)
def test_commission_is_exact_and_blind_to_the_sign_of_the_value(value, rate):
    paid = commission(Fee(taker=rate), value, Decimal(1))

    assert commission(Fee(taker=rate), -value, Decimal(1)) == paid
    assert (
        abs(value.as_integer_ratio()[0]) * rate.as_integer_ratio()[0] * (paid.as_integer_ratio()[1])
        == paid.as_integer_ratio()[0] * value.as_integer_ratio()[1] * rate.as_integer_ratio()[1]
    )
