"""Subjects that lie, declare nothing, hang or only fail get no level, and hold nobody up."""

import pytest

from dragoman_conformance.runner import play_all
from dragoman_conformance.scenario import all_scenarios
from dragoman_conformance.selftest.odd import ODD, odd_subject
from dragoman_conformance.verdicts import Ending, Verdict, merge

EVERY = {"hanging": 8}
"""Who hangs takes its time in each scenario: a part of them will do."""


@pytest.mark.parametrize("name", sorted(ODD))
def test_an_odd_subject_is_told_for_what_it_is(name):
    with odd_subject(name) as subject:
        results = play_all(subject, all_scenarios()[:: EVERY.get(name, 1)])

    assert [] == [one for one in results if one.ending is Ending.BROKEN]
    proved = sorted({requirement for one in results for requirement in one.proves})
    verdicts = {requirement: merge(requirement, results).verdict for requirement in proved}
    assert Verdict.HARNESS not in verdicts.values()
    if name == "empty":
        return
    assert Verdict.FAIL in verdicts.values()
