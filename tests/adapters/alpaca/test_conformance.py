"""What the folder tells the test kit."""

import sys

import attrs
import pytest

from dragoman.errors import ConfigurationError
from dragoman.registry import installed
from dragoman_alpaca.conformance import SUBJECT


def test_the_subject_is_the_protocol_that_is_installed():
    protocol = installed().find_protocol("alpaca")

    assert protocol.name == SUBJECT.protocol
    assert {provider.name for provider in protocol.providers} == {*SUBJECT.providers}
    assert installed().find_dialect(SUBJECT.dialect) is protocol


def test_evidence_that_was_not_installed_is_a_configuration_error(tmp_path):
    with pytest.raises(ConfigurationError, match="evidence of nobody was not installed"):
        attrs.evolve(SUBJECT, protocol="nobody", here=tmp_path).evidence()


def test_naming_the_subject_needs_nothing_of_the_kit():
    assert "dragoman_conformance" not in vars(sys.modules[type(SUBJECT).__module__])
