"""The certification pages say what was last found of the adapters as they are now."""

import importlib.util
import sys
from pathlib import Path

import pytest

from dragoman_conformance.catalogue import EDITION, edition

TOOL = Path(__file__).parents[2] / "tools" / "write_certification.py"


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("write_certification", TOOL)
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture(scope="module")
def record(tool):
    return tool.read_record()


def test_the_record_is_of_every_adapter_in_the_edition_in_force(tool, record):
    folders = {folder.name for folder in (tool.ROOT / "adapters").glob("dragoman_*")}

    assert folders == {f"dragoman_{name}" for name in record}
    assert {EDITION} == {entry.report.edition for entry in record.values()}


def test_the_record_is_of_the_adapters_as_they_are(tool, record):
    for name, entry in record.items():
        assert tool.sources_digest(name) == entry.sources, f"{name} has changed: {tool.AGAIN}"


def test_the_record_has_a_word_on_everything_that_is_scored(tool, record):
    for entry in record.values():
        scored = {row.id for row in entry.report.requirements if row.is_scored}
        assert edition() == scored, f"the edition has changed: {tool.AGAIN}"


def test_no_adapter_here_is_committed_with_anything_red(record):
    red = {"FAIL", "STALE", "UNTESTED", "HARNESS"}
    for entry in record.values():
        rows = [row for row in entry.report.requirements if row.is_scored and row.verdict in red]
        assert [] == rows


def test_the_pages_are_made_of_the_record(tool, record):
    for name, text in tool.pages(record).items():
        assert text == (tool.FOLDER / name).read_bytes(), f"{name} is old: {tool.AGAIN}"
