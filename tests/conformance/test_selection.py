"""The expression that chooses scenarios."""

import pytest

from dragoman.errors import ConfigurationError
from dragoman_conformance.scenario import Scenario
from dragoman_conformance.selection import select


async def act(play):
    """Do nothing."""


CASH = Scenario(name="account.cash", proves=("ACC-010",), act=act)
LOST = Scenario(name="ambiguity.lost", proves=("ORD-AMB-020", "ACC-020"), act=act)
BACK = Scenario(name="streams.back", proves=("REC-010",), act=act)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("ACC", (CASH, LOST)),
        ("ord-amb-020", (LOST,)),
        ("streams.back", (BACK,)),
        ("not ACC", (BACK,)),
        ("ACC and not lost", (CASH,)),
        ("cash or lost and REC", (CASH,)),
        ("(cash or lost) and ord", (LOST,)),
        ("not (cash or lost)", (BACK,)),
        ("nothing", ()),
    ],
)
def test_an_expression_chooses_by_name_and_by_requirement(expression, expected):
    assert expected == select((CASH, LOST, BACK), expression)


@pytest.mark.parametrize("expression", ["", "and", "cash or", "(cash", "cash)", "not", "cash lost"])
def test_what_is_no_expression_is_refused(expression):
    with pytest.raises(ConfigurationError, match="goes wrong at"):
        select((CASH,), expression)
