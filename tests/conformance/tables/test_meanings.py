"""Tables of meanings: where a payload stands, and how two plain values differ."""

import json

import pytest

from dragoman.errors import ConfigurationError
from dragoman_conformance.tables import difference_of, load_meanings
from dragoman_conformance.verdicts import Basis

HEADER = {"v": 1, "kind": "meanings", "provenance": "documented"}


@pytest.fixture
def load(tmp_path):
    def written(*rows):
        for folder in ("tables", "transcripts"):
            (tmp_path / folder).mkdir(exist_ok=True)
        frames = [{"v": 1}, {"d": "<", "data": "a"}, {"d": "<", "data": "b"}]
        (tmp_path / "transcripts" / "s.ndjson").write_text("\n".join(map(json.dumps, frames)))
        text = "\n".join(json.dumps(row) for row in (HEADER, *rows))
        (tmp_path / "tables" / "x.meanings.ndjson").write_text(text)
        return load_meanings(tmp_path)

    return written


def test_a_payload_stands_in_the_row_or_elsewhere_in_the_evidence(load):
    rows = load(
        {"payload": "{}", "kind": "k", "tells": [], "provenance": "derived"},
        {"at": "transcripts/s.ndjson#1", "kind": "k", "tells": []},
    )

    assert [b"{}", b"b"] == [row.payload for row in rows]
    assert [Basis.DERIVED, Basis.DOCUMENTED] == [row.basis for row in rows]
    assert ["x.meanings.ndjson:2", "x.meanings.ndjson:3"] == [row.place for row in rows]
    assert [False, True] == [row.is_frame for row in rows]


@pytest.mark.parametrize(
    "row",
    [
        {"payload": "{}"},
        {"payload": "{}", "tells": [], "kindd": "k"},
        {"at": "transcripts/s.ndjson#9", "tells": []},
        {"at": "transcripts/none.ndjson#0", "tells": []},
        {"payload": "{}", "tells": [], "provenance": "heard"},
    ],
    ids=["no-tells", "misspelled", "no-such-row", "no-such-file", "provenance"],
)
def test_a_wrong_row_is_refused_with_its_line(load, row):
    with pytest.raises(ConfigurationError, match=r"x\.meanings\.ndjson:2"):
        load(row)


@pytest.mark.parametrize(
    ("due", "found", "told"),
    [
        ({"a": 1}, {"a": 1, "b": None}, None),
        ({"a": 1}, {"a": 1, "b": 0}, "$.b: None expected, 0 found"),
        ([1, 2], [1], "$: 2 expected, 1 found"),
        ({"a": ["1.0"]}, {"a": ["1"]}, "$.a[0]: '1.0' expected, '1' found"),
        (1, True, "$: 1 expected, True found"),
        (True, True, None),
    ],
    ids=["null", "more", "fewer", "digits", "number-for-truth", "equal"],
)
def test_the_first_difference_is_told_with_its_place(due, found, told):
    assert told == difference_of(due, found)
