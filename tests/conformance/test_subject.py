"""Finding a subject: by its name, by a provider of its protocol, or where it stands."""

import pytest

from dragoman.errors import ConfigurationError
from dragoman_conformance.references.subjects import WHARF
from dragoman_conformance.subject import find_subject, known_subjects


def test_the_adapters_here_are_known():
    assert {"alpaca", "mock"} <= set(known_subjects())


def test_a_subject_is_found_by_its_name():
    assert ("alpaca", "alpaca-paper") == (
        find_subject("alpaca").name,
        find_subject("alpaca").provider,
    )


@pytest.mark.parametrize("provider", ["alpaca-paper", "alpaca-live"])
def test_a_subject_is_found_by_a_provider_of_its_protocol_and_reached_by_it(provider):
    found = find_subject(provider)

    assert ("alpaca", provider) == (found.name, found.provider)


def test_a_subject_is_found_where_it_stands():
    assert WHARF is find_subject("dragoman_conformance.references.subjects:WHARF")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("nobody", "no subject 'nobody'. Installed: "),
        ("nowhere:SUBJECT", "No module named 'nowhere'"),
        ("dragoman_conformance.references.subjects:NONE", "has no attribute 'NONE'"),
        ("dragoman_conformance.catalogue:EDITION", "is no dragoman_conformance.Subject"),
    ],
    ids=["unknown", "no-module", "no-attribute", "no-subject"],
)
def test_what_is_no_subject_is_refused_and_said(name, told):
    with pytest.raises(ConfigurationError) as raised:
        find_subject(name)

    assert told in str(raised.value)
