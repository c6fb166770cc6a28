"""What the folder tells the test kit."""

from dragoman.registry import installed
from dragoman_tektii.conformance import SUBJECT


def test_the_subject_is_a_provider_that_is_installed():
    protocol, provider = installed().find(SUBJECT.provider)

    assert "tektii" == protocol.name
    assert provider is SUBJECT.declared
    assert protocol is installed().find_dialect(SUBJECT.simulator)


def test_the_evidence_is_found_in_the_checkout():
    assert {"fields.toml", "tables"} <= {one.name for one in SUBJECT.evidence.iterdir()}
