"""What NOTES.md says of gateways is held by the tests that it names."""

import re
from pathlib import Path

import pytest

import dragoman_tektii

NOTES = (Path(dragoman_tektii.__file__).parent / "NOTES.md").read_text()
HERE = Path(__file__).parent
FILES = [*HERE.glob("test_*.py"), *HERE.parents[1].glob("dialects/tektii/test_*.py")]
TESTS = "".join(path.read_text() for path in FILES)
QUIRKS = [row for row in NOTES.splitlines() if re.match(r"\| (?!Quirk)", row)]
NAMED = sorted(set(re.findall(r"`(test_\w+)`", NOTES)))


@pytest.mark.parametrize("name", NAMED)
def test_every_test_that_is_named_is_there(name):
    assert re.search(rf"^ *(?:async )?def {name}\(", TESTS, re.MULTILINE)


def test_every_quirk_has_a_source_a_date_and_a_test():
    told = r"\| .+ \| .+ \| 20\d\d-\d\d \| `test_.+` \|"

    assert QUIRKS
    assert [] == [row for row in QUIRKS if not re.fullmatch(told, row)]
