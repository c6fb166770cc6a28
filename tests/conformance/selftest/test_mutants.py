"""Every planted bug fails what it must fail, and exactly what the matrix names besides.

Each is played through the scenarios that prove what it must fail; `tox -e mutants` plays all of
them through everything.
"""

import pytest

from dragoman_conformance.selftest.matrix import failing, read_matrix
from dragoman_conformance.selftest.mutant import all_mutants

MATRIX = read_matrix()


@pytest.mark.parametrize("mutant", all_mutants(), ids=lambda one: one.id)
def test_a_planted_bug_is_caught(mutant):
    found = failing(mutant)

    assert set(mutant.kills) <= found
    assert MATRIX[mutant.id] == found


def test_the_matrix_has_every_mutant_and_no_other():
    assert {one.id for one in all_mutants()} == set(MATRIX)
