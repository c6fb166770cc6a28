"""The report in its forms: on the terminal, as Markdown, JUnit, badge, event log, and compared."""

import io
import json
import re
from xml.etree import ElementTree as ET

import pytest
from tests.conformance.made_reports import (
    DOCUMENTED,
    all_played,
    facts,
    played,
    report_of,
    requirement,
)

from dragoman_conformance.catalogue import Catalogue, Level, Suite
from dragoman_conformance.levels import ExitCode
from dragoman_conformance.report.badge import badge
from dragoman_conformance.report.comparison import changes
from dragoman_conformance.report.events import EventLog
from dragoman_conformance.report.junit import junit
from dragoman_conformance.report.markdown import markdown
from dragoman_conformance.report.matrix import exit_code, suite_lines
from dragoman_conformance.report.terminal import MOST_LINES, terminal_lines
from dragoman_conformance.verdicts import Ending

FAILED = played("ACC-010", why="1 expected,\n2 found")
MIXED = all_played(
    ACC_010=FAILED,
    ACC_020=played("ACC-020", why="it should"),
    ACC_030=played("ACC-030", ending=Ending.NO_EVIDENCE, message="no recording"),
    REC_010=played("REC-010", ending=Ending.NOT_DECLARED),
    REC_030=played("REC-030", why="too new"),
)


def large_report(suites, failing):
    """A report with more suites than a screen has lines; the first ones fail in everything."""
    made = [Suite(prefix=f"S{n:02}", title="Much", level=Level.BRONZE) for n in range(suites)]
    asked = [requirement(f"{one.prefix}-{n:03}") for one in made for n in range(9)]
    broken = {one.prefix for one in made[:failing]}
    results = [played(one.id, why="much " * 99 if one.suite in broken else None) for one in asked]
    catalogue = Catalogue(tuple(made), tuple(asked))
    return report_of(results, catalogue=catalogue, scored=frozenset(one.id for one in asked))


def test_the_terminal_shows_each_suite_and_each_failure_by_name():
    text = "\n".join(terminal_lines(report_of(MIXED)))

    assert "conformance acme 1.4.0 · edition 2026.1" in text
    assert ["ACC", "The", "account", "0/2", "0/1", "0", "1", "FAIL"] in [
        line.split() for line in text.splitlines()
    ]
    assert "FAIL     ACC-010       1 expected, 2 found" in text
    assert (
        "UNTESTED ACC-030       no recording: run `dragoman kit record acme suite.acc_030`" in text
    )
    assert "not asked of it: REC-010" in text
    assert "REC-030" not in text
    assert text.endswith("level: no level")


def test_a_green_report_ends_with_its_level():
    assert "level: Silver (simulated)" == terminal_lines(report_of(all_played()))[-1]


def test_a_level_is_told_with_the_evidence_it_rests_on():
    report = report_of(all_played(), about=facts(coverage=DOCUMENTED))

    told = "bronze rests on evidence that is documented or better"
    assert f"  {told}" in terminal_lines(report)
    assert f"- {told.capitalize()}" in markdown(report)


@pytest.mark.parametrize(("suites", "failing"), [(22, 22), (60, 3), (60, 60), (60, 0), (30, 1)])
def test_the_terminal_never_takes_more_than_forty_lines(suites, failing):
    lines = terminal_lines(large_report(suites, failing), width=100)

    assert MOST_LINES >= len(lines)
    assert max(map(len, lines)) <= 100
    assert lines[-1].startswith("level: ")


def test_where_there_is_no_room_what_is_wrong_stays_and_the_rest_is_named():
    text = "\n".join(terminal_lines(large_report(30, 4)))

    assert "FAIL     S00-000" in text
    assert re.search(r"\.\.\. and \d+ more, all of them in report\.json", text)
    assert "nothing wrong in S04, S05" in text


def test_of_a_part_the_terminal_says_so():
    lines = terminal_lines(report_of([played("ACC-010")], selection="--smoke"))

    assert "only --smoke" in lines[0]
    assert "only a part was played: no level is decided" == lines[-1]


def test_a_suite_counts_what_applies_and_what_holds():
    account, reconnection = suite_lines(report_of(MIXED))

    assert ("0/2", "0/1", 1) == (str(account.must), str(account.should), account.untested)
    assert ("-", "1/1", 1) == (
        str(reconnection.must),
        str(reconnection.should),
        reconnection.not_applicable,
    )
    assert ("FAIL", "PASS") == (account.verdict, reconnection.verdict)
    assert 1 == reconnection.not_scored


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([played("ACC-010")], ExitCode.CONFORMANT),
        ([FAILED], ExitCode.NOT_CONFORMANT),
        ([played("ACC-010", ending=Ending.BROKEN), FAILED], ExitCode.NOT_CONFORMANT),
        ([played("ACC-010", ending=Ending.BROKEN)], ExitCode.HARNESS),
        ([played("ACC-010", ending=Ending.NOT_DECLARED)], ExitCode.NOT_CONFORMANT),
        ([played("REC-030", why="not scored")], ExitCode.NOT_CONFORMANT),
    ],
    ids=["holds", "fails", "fails-and-broken", "broken", "nothing-asked", "nothing-scored"],
)
def test_a_part_that_shows_nothing_is_not_sound(results, expected):
    assert expected is exit_code(report_of(results, selection="-k ACC"))


def test_junit_has_one_case_for_each_requirement_with_its_word():
    root = ET.fromstring(junit(report_of(MIXED)))  # noqa: S314 - written above

    cases = {case.get("name"): case for case in root.iter("testcase")}
    kinds = {
        name: next((each.tag for each in case if each.tag != "properties"), "passed")
        for name, case in cases.items()
    }
    expected = {
        "ACC-010": "failure",
        "ACC-020": "skipped",
        "ACC-030": "failure",
        "REC-010": "skipped",
        "REC-020": "passed",
        "REC-030": "skipped",
    }
    assert expected == kinds
    assert "acme.ACC" == cases["ACC-010"].get("classname")
    words = [one.get("value") for one in cases["ACC-020"].iter("property")]
    assert "WARN" == words[0]
    assert ("6", "2", "0", "3") == tuple(
        root.get(name) for name in ("tests", "failures", "errors", "skipped")
    )


def test_junit_tells_a_broken_kit_as_an_error():
    report = report_of(all_played(ACC_010=played("ACC-010", ending=Ending.BROKEN)))

    root = ET.fromstring(junit(report))  # noqa: S314 - written above
    assert "1" == root.get("errors")
    assert "0" == root.get("failures")


def test_junit_survives_what_xml_can_not_say():
    report = report_of(all_played(ACC_010=played("ACC-010", why="\x00\x1b[31m<&>\ud800")))

    root = ET.fromstring(junit(report))  # noqa: S314 - written above
    (failure,) = root.iter("failure")
    assert "FAIL: \ufffd\ufffd[31m<&>\ufffd" == failure.get("message")


def test_markdown_names_what_is_wrong_in_one_line_each():
    text = markdown(report_of(MIXED))

    assert "## acme 1.4.0: no level" in text
    assert "| FAIL | ACC-010 | MUST | 1 expected, 2 found |" in text
    assert "REC-030" not in text


def test_markdown_lets_no_message_become_markup():
    text = markdown(report_of([played("ACC-010", why="<img src=x> | [a](b)")]))

    assert r"\<img src=x\> \| \[a\](b)" in text


def test_a_badge_says_subject_level_and_edition():
    svg = badge(report_of(all_played(), about=facts(coverage=DOCUMENTED)))

    root = ET.fromstring(svg)  # noqa: S314 - written above
    assert "dragoman conformance: acme · Bronze, Silver (simulated) · 2026.1" == root.get(
        "aria-label"
    )


def test_a_badge_without_a_level_is_grey():
    assert 'fill="#5c6066"' in badge(report_of(MIXED))
    assert 'fill="#5c6066"' not in badge(report_of(all_played()))


def test_the_event_log_tells_each_result_as_it_comes():
    file = io.BytesIO()
    log = EventLog(file)

    log.started("acme", 2)
    log.played(FAILED)
    log.played(played("REC-010", seconds=0.25))
    log.decided(report_of(all_played()))

    lines = [json.loads(line) for line in file.getvalue().splitlines()]
    assert ["started", "played", "played", "decided"] == [line["event"] for line in lines]
    assert ["ACC-010"] == lines[1]["failed"]
    assert (0.25, 2, 2) == (lines[2]["seconds"], lines[2]["done"], lines[2]["of"])
    assert "Silver (simulated)" == lines[3]["label"]


def test_two_equal_reports_differ_in_nothing():
    assert () == changes(report_of(MIXED), report_of(MIXED))


def test_what_got_worse_is_told_as_worse_and_what_got_better_is_not():
    good, bad = report_of(all_played()), report_of(all_played(ACC_010=FAILED))

    worse = {one.what: one for one in changes(good, bad)}
    better = {one.what: one for one in changes(bad, good)}
    assert ("PASS", "FAIL", True) == (
        worse["ACC-010"].before,
        worse["ACC-010"].after,
        worse["ACC-010"].is_worse,
    )
    assert worse["level"].is_worse
    assert not better["ACC-010"].is_worse
    assert not better["level"].is_worse


def test_a_level_that_is_reached_on_better_evidence_is_not_lost():
    simulated = report_of(all_played())
    documented = report_of(all_played(), about=facts(coverage=DOCUMENTED))

    assert [False] == [one.is_worse for one in changes(simulated, documented)]


def test_a_requirement_that_is_new_and_fails_is_told():
    one = report_of([played("ACC-010")], selection="-k ACC-010")
    other = report_of([played("ACC-010"), played("REC-010", why="no")], selection="-k 010")

    (change,) = changes(one, other)
    assert ("REC-010", None, "FAIL", True) == (
        change.what,
        change.before,
        change.after,
        change.is_worse,
    )
