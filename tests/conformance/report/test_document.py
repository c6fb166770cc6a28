"""The report as a document: what it says, that it is the same each time, and its schema."""

from importlib.resources import files

import attrs
import msgspec
import pytest
from tests.conformance.made_reports import (
    CATALOGUE,
    DOCUMENTED,
    TODAY,
    all_played,
    facts,
    played,
    report_of,
)

from dragoman.errors import ConfigurationError
from dragoman_conformance.known import Known
from dragoman_conformance.report.build import folder_digest, make_exchanges
from dragoman_conformance.report.model import (
    read_exchanges,
    read_report,
    schema,
    write,
    write_line,
)
from dragoman_conformance.verdicts import Basis, Ending


def row(report, name):
    return next(one for one in report.requirements if one.id == name)


def test_every_requirement_has_a_row_in_the_order_of_the_catalogue():
    report = report_of(all_played())

    assert [one.id for one in CATALOGUE.requirements] == [one.id for one in report.requirements]
    assert {"PASS"} == {one.verdict for one in report.requirements}
    assert [False] == [one.is_scored for one in report.requirements if one.id == "REC-030"]


def test_the_decision_is_that_of_the_levels():
    decision = report_of(all_played(), about=facts(coverage=DOCUMENTED)).decision

    assert "Bronze, Silver (simulated)" == decision.label
    assert ["documented", "simulated"] == [grant.basis for grant in decision.grants]
    assert ["silver", "gold"] == [one.level for one in decision.withheld]
    assert 0 == decision.exit_code


def test_a_row_says_why_and_who_looked():
    report = report_of(all_played(ACC_010=played("ACC-010", why="1 expected, 2 found")))

    found = row(report, "ACC-010")
    assert "FAIL" == found.verdict
    assert "1 expected, 2 found" == found.message
    assert ("suite.acc_010",) == found.scenarios
    assert found.basis is None


def test_a_row_that_held_says_on_what():
    report = report_of(all_played(ACC_010=played("ACC-010", basis=Basis.DOCUMENTED)))

    assert "documented" == row(report, "ACC-010").basis


def test_a_known_failure_is_told_as_one():
    known = Known(
        requirement="ACC-010",
        issue="https://issues.example/acme/7",
        expires=TODAY,
        reason="later",
    )
    report = report_of(all_played(ACC_010=played("ACC-010", why="no")), known=(known,))

    assert "KNOWN" == row(report, "ACC-010").verdict


def test_the_order_in_which_results_come_changes_no_byte():
    results = all_played(ACC_010=played("ACC-010", why="no"), REC_010=None)

    assert write(report_of(results)) == write(report_of(results[::-1]))


def test_durations_ports_and_addresses_change_no_byte():
    one = played("ACC-010", why="<Task at 0x7f01> asked 127.0.0.1:4711", seconds=0.5)
    other = played("ACC-010", why="<Task at 0x7f99> asked 127.0.0.1:999", seconds=2.5)

    assert write(report_of([one])) == write(report_of([other]))


def test_exchanges_lie_beside_the_report_without_ports_and_dates():
    text = "GET /\n    host: 127.0.0.1:4711\n    date: Fri, 20 Nov 2026 14:19:18 GMT\n    {}"
    result = played("ACC-010", exchanges=(text,))

    exchanges = make_exchanges("acme", [result])

    told = "GET /\n    host: 127.0.0.1:*\n    date: *\n    {}"
    assert (told,) == exchanges.of("suite.acc_010")
    assert () == exchanges.of("suite.other")
    assert 1 == report_of([result]).scenarios[0].exchanges


def test_exchanges_stand_in_the_order_of_their_scenarios():
    results = [played(name, exchanges=("GET /",)) for name in ("REC-010", "ACC-010")]

    names = [log.scenario for log in make_exchanges("acme", results).logs]
    assert ["suite.acc_010", "suite.rec_010"] == names


def test_of_a_part_only_what_it_looked_at_is_told_and_no_level():
    report = report_of([played("ACC-010")], selection="-k ACC-010")

    assert ["ACC-010"] == [one.id for one in report.requirements]
    assert report.decision is None


def test_known_failures_that_a_part_does_not_look_at_are_not_stale():
    known = Known(
        requirement="REC-010",
        issue="https://issues.example/acme/7",
        expires=TODAY,
        reason="later",
    )
    report = report_of([played("ACC-010")], selection="-k ACC-010", known=(known,))

    assert ["PASS"] == [one.verdict for one in report.requirements]


def test_a_check_that_the_scenario_did_not_set_out_for_counts():
    strayed = attrs.evolve(played("ACC-010", why="a credential was logged"), proves=())
    report = report_of([*all_played(), strayed])

    assert "FAIL" == row(report, "ACC-010").verdict


def test_a_report_is_read_back_as_it_was_written():
    report = report_of(all_played(REC_010=played("REC-010", ending=Ending.NO_EVIDENCE)))

    assert report == read_report(write(report), "report.json")
    assert report == read_report(write_line(report).encode(), "report.json")
    assert "\n" not in write_line(report)


def test_exchanges_are_read_back_as_they_were_written():
    exchanges = make_exchanges("acme", [played("ACC-010", exchanges=("GET /",))])

    assert exchanges == read_exchanges(write(exchanges), "exchanges.json")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"{}", r"some\.json is no report of the kit"),
        (b"not json", r"some\.json is no report of the kit"),
        (write(make_exchanges("acme", [])), r"some\.json is no report of the kit"),
    ],
)
def test_what_is_no_report_is_refused_by_its_name(data, told):
    with pytest.raises(ConfigurationError, match=told):
        read_report(data, "some.json")


def test_a_report_of_another_version_is_refused():
    later = msgspec.structs.replace(report_of(all_played()), version=2)

    with pytest.raises(ConfigurationError, match=r"some\.json is of version 2; this kit reads 1"):
        read_report(write(later), "some.json")


def test_the_schema_that_is_shipped_is_that_of_the_model():
    shipped = files("dragoman_conformance.report").joinpath("report.schema.json").read_bytes()

    assert schema() == shipped


def test_the_digest_of_a_folder_changes_with_names_and_bytes_and_nothing_else(tmp_path):
    def digest(**files):
        folder = tmp_path / f"{len(list(tmp_path.iterdir()))}"
        for name, text in files.items():
            place = folder / name.replace("__", "/")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        return folder_digest(folder)

    first = digest(a="1", b__c="2")
    assert first == digest(b__c="2", a="1")
    assert first != digest(a="1", b__d="2")
    assert first != digest(a="1", b__c="3")
    assert first != digest(a="12", b__c="")
