"""The correct references are green: nothing the kit demands is more than a correct adapter does."""

import pytest

from dragoman_conformance.references.subjects import REFERENCES
from dragoman_conformance.selftest.matrix import not_green


@pytest.mark.parametrize("name", sorted(REFERENCES))
def test_a_correct_adapter_is_green(name):
    assert () == not_green(REFERENCES[name])
