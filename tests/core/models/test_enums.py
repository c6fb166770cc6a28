"""Enums are closed words: strings equal to their names."""

import inspect
from enum import StrEnum

import pytest

from dragoman.models import enums
from dragoman.models.enums import Side

ENUMS = [
    each for each in vars(enums).values() if inspect.isclass(each) and issubclass(each, StrEnum)
]
ENUMS.remove(StrEnum)


@pytest.mark.parametrize("kind", ENUMS, ids=lambda kind: kind.__name__)
def test_members_are_their_names(kind):
    assert [member.name for member in kind] == [*kind]


def test_every_enum_is_public():
    assert {kind.__name__ for kind in ENUMS} == set(enums.__all__)


@pytest.mark.parametrize(("side", "opposite", "sign"), [("BUY", "SELL", 1), ("SELL", "BUY", -1)])
def test_a_side_has_an_opposite_and_a_sign(side, opposite, sign):
    assert (opposite, sign) == (Side(side).opposite, Side(side).sign)
