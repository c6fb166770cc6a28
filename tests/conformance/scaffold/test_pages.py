"""The pages on the kit tell what is so: its figures, and requirements that there are."""

import re
from pathlib import Path

import pytest

from dragoman_conformance.catalogue import catalogue, edition
from dragoman_conformance.selftest.mutant import all_mutants

DOCS = Path(__file__).parents[3] / "docs"
ID = re.compile(r"\b(?:ORD-)?[A-Z]{3,4}-\d{3}\b")


@pytest.mark.parametrize("name", ["cards.md", "conformance.md", "new-adapter.md"])
def test_every_requirement_that_a_page_names_is_there(name):
    named = set(ID.findall((DOCS / name).read_text("utf-8")))

    assert set() == {one for one in named if one not in catalogue()}


def test_every_published_card_is_in_the_table():
    text = (DOCS / "cards.md").read_text("utf-8")

    assert 69 == len(set(re.findall(r"TC-E\d+", text)))
    assert 28 == len(set(re.findall(r"TC-D\d+", text)))


def test_the_figures_are_those_of_the_edition():
    text = (DOCS / "conformance.md").read_text("utf-8")
    least = int(re.search(r"more than (\d+)\s+planted bugs", text)[1])

    assert f"{len(edition())} requirements" in text
    assert least < len(all_mutants())
