"""The requirements, the editions, the scenarios and the planted bugs fit each other."""

import re

import pytest

from dragoman.errors import ConfigurationError
from dragoman_conformance.catalogue import EDITION, catalogue, edition
from dragoman_conformance.references.subjects import REFERENCES
from dragoman_conformance.scenario import all_scenarios
from dragoman_conformance.selftest.mutant import all_mutants
from dragoman_conformance.subject import known_subjects

NAMES = sorted(one.id for one in catalogue().requirements)


def test_ids_are_a_prefix_and_three_digits():
    assert [] == [name for name in NAMES if not re.fullmatch(r"[A-Z]+(-[A-Z]+)?-\d{3}", name)]


def test_texts_are_sentences():
    texts = [one.text for one in catalogue().requirements]

    assert [] == [text for text in texts if not (text.endswith(".") and text[0].isupper())]
    assert len(texts) == len(set(texts))


def test_everything_a_scenario_proves_is_in_the_catalogue():
    proved = {name for one in all_scenarios() for name in one.proves}

    assert set() == proved - set(NAMES)


def test_every_requirement_is_proved_by_a_scenario():
    proved = {name for one in all_scenarios() for name in one.proves}

    assert set() == set(NAMES) - proved - {"SEC-030", "CFG-040"}


def test_an_edition_scores_only_what_a_planted_bug_fails():
    killed = {name for one in all_mutants() for name in one.kills}

    assert set() == edition(EDITION) - killed
    assert set() == edition(EDITION) - set(NAMES)


def test_mutants_fail_requirements_that_exist_in_subjects_that_exist():
    assert set() == {name for one in all_mutants() for name in one.kills} - set(NAMES)
    assert {one.of for one in all_mutants()} <= {*REFERENCES, *known_subjects()}


def test_the_design_s_own_mutants_are_all_planted():
    assert set() == {f"M{number:02}" for number in range(1, 67)} - {one.id for one in all_mutants()}


def test_an_unknown_requirement_is_refused_by_name():
    with pytest.raises(ConfigurationError, match="'NO-000'"):
        catalogue()["NO-000"]


def test_an_unknown_edition_is_refused_by_name():
    with pytest.raises(ConfigurationError, match=r"no edition '1999\.1'"):
        edition("1999.1")
