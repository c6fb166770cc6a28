"""The kit in a contributor's own pytest, whatever their settings are."""

import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

SUITE = """
from dragoman_conformance import conformance
from dragoman_conformance.references.subjects import WHARF
from dragoman_conformance.selftest.mutant import Plant


async def fail(self):
    raise RuntimeError("nothing works")


def planted(**members):
    ground = Plant(WHARF)
    ground.adapter(lambda base: type("Odd", (base,), members))
    with ground.grown() as subject:
        return subject


TestSound = conformance(WHARF)
TestFailing = conformance(planted(open=fail))
TestEmpty = conformance(planted(capabilities=property(nothing)))
"""
NOTHING = """
from dragoman.capabilities import Capabilities, Source


def nothing(adapter):
    return Capabilities(protocol="wharf", source=Source("nothing", "2026-01-07"), orders=())

"""
STRICT = """
[pytest]
addopts = --strict-markers --strict-config
filterwarnings = error
xfail_strict = true
"""


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """Every test of a contributor's suite by class and name, run under the strictest settings."""
    folder = tmp_path_factory.mktemp("acme")
    (folder / "test_conformance.py").write_text(NOTHING + SUITE)
    (folder / "pytest.ini").write_text(STRICT)
    words = "declares_enough or ACC-010"
    command = [sys.executable, "-m", "pytest", "-q", "-k", words, "--junitxml=junit.xml"]
    plain = ["-p", "no:cacheprovider", "-p", "no:asyncio", "-n", "1"]

    subprocess.run([*command, *plain], cwd=folder, capture_output=True, check=False)  # noqa: S603 - runs what is written above

    root = ET.parse(folder / "junit.xml").getroot()  # noqa: S314 - written by pytest just now
    return {
        (case.get("classname").rpartition(".")[2], case.get("name")): [
            (each.tag, each.get("message") or each.text) for each in case
        ]
        for case in root.iter("testcase")
    }


WORTH = "test_account__the_account_is_worth_what_the_venue_says"


def test_a_sound_subject_passes_without_plugin_marker_or_setting(outcomes):
    assert [] == outcomes["TestSound", "test_declares_enough"]
    assert [] == outcomes["TestSound", WORTH]


def test_a_scenario_fails_with_each_requirement_that_is_red(outcomes):
    ((kind, told),) = outcomes["TestFailing", WORTH]

    assert "failure" == kind
    assert "ACC-010 FAIL" in told
    assert "nothing works" in told


def test_a_subject_that_declares_nothing_fails_for_it(outcomes):
    ((kind, told),) = outcomes["TestEmpty", "test_declares_enough"]

    assert "failure" == kind
    assert "wharf declares too little: account.read is not declared" in told


def test_tests_are_chosen_by_requirement(outcomes):
    chosen = {name for _, name in outcomes}

    assert WORTH in chosen
    assert all("account" in name or "declares_enough" in name for name in chosen)
