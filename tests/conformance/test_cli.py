"""The kit on the command line: what it prints, what it leaves behind, and how it ends."""

import io
import json
import os

import attrs
import pytest
from rich.console import Console
from tests.conformance.made_reports import all_played, column_of, played

from dragoman.cli.app import run
from dragoman.cli.shell import Shell
from dragoman.registry import installed
from dragoman.times import ManualClock
from dragoman_conformance.report.folder import write_folder

MEANT = ("APCA_", "CI", "DRAGOMAN_", "GITHUB_", "WHARF_")
NOON_NS = 1_795_176_000_000_000_000
SUBJECTS = """
import os

from dragoman_conformance.references.subjects import WHARF
from dragoman_conformance.selftest.mutant import Plant


async def fail(self):
    raise RuntimeError("nothing works")


ground = Plant(WHARF)
ground.adapter(lambda base: type("Odd", (base,), {"open": fail}))
with ground.grown() as FAILING:
    pass
"""
WHARF = "dragoman_conformance.references.subjects:WHARF"
FERRY = "dragoman_conformance.references.subjects:FERRY"
PART = ("-k", "ACC-010 or CFG-010", "--workers", "1")


@attrs.frozen
class Result:
    code: int
    out: str
    err: str


def console():
    return Console(
        file=io.StringIO(), force_terminal=False, width=200, color_system=None, _environ={}
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where workers find subjects of the tests' own."""
    folder = tmp_path_factory.mktemp("subjects")
    (folder / "failing_subject.py").write_text(SUBJECTS)
    return folder


@pytest.fixture(scope="module")
def dragoman(folder):
    """Run a command in this process."""

    def command(*arguments, **variables):
        shell = Shell(
            out=console(),
            err=console(),
            is_live=False,
            can_ask=False,
            read_line=lambda: "",
            find_registry=installed,
            clock=ManualClock(NOON_NS),
        )
        path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
        with pytest.MonkeyPatch.context() as patch:
            for name in [name for name in os.environ if name.startswith(MEANT)]:
                patch.delenv(name)
            for name, value in {"PYTHONPATH": path, **variables}.items():
                patch.setenv(name, str(value))
            code = run([str(argument) for argument in arguments], shell)
        return Result(code, shell.out.file.getvalue(), shell.err.file.getvalue())

    return command


@pytest.fixture(scope="module")
def certified(dragoman, tmp_path_factory):
    """What a run of two subjects says, and the folder it leaves behind."""
    folder = tmp_path_factory.mktemp("certified")
    summary = folder / "summary.md"
    options = (*PART, "--report", folder / "out")
    return dragoman("conform", WHARF, FERRY, *options, GITHUB_STEP_SUMMARY=summary), folder


def saved(folder, **instead):
    column = column_of(all_played(**instead))
    write_folder(folder, column.report, column.exchanges)
    return folder


def test_a_part_that_holds_ends_with_0_and_decides_no_level(certified):
    result, _ = certified

    assert (0, "") == (result.code, result.err)
    assert 2 == result.out.count("only a part was played: no level is decided")


def test_each_subject_leaves_its_files_and_all_stand_on_one_page(certified):
    _, folder = certified

    page = (folder / "out" / "report.html").read_text()
    assert "<title>Conformance: wharf · ferry</title>" in page
    for path in (path for path in (folder / "out").iterdir() if path.is_dir()):
        names = {file.name for file in path.iterdir()}
        assert {"badge.svg", "events.ndjson", "exchanges.json"} <= names
        assert {"junit.xml", "report.json", "summary.md"} <= names


def test_the_summary_of_a_ci_job_is_written_where_there_is_one(certified):
    _, folder = certified

    assert 2 == (folder / "summary.md").read_text().count("| ACC ")


def test_another_run_leaves_the_same_to_the_byte(certified, dragoman, tmp_path):
    _, folder = certified
    (first,) = [path for path in (folder / "out").iterdir() if path.name.endswith("WHARF")]

    dragoman("conform", WHARF, *PART, "--report", tmp_path)

    for name in ("report.json", "exchanges.json", "junit.xml", "summary.md", "badge.svg"):
        assert (first / name).read_bytes() == (tmp_path / name).read_bytes()


def test_a_subject_that_fails_ends_with_1_and_its_report_is_one_line_of_json(dragoman):
    result = dragoman("conform", "failing_subject:FAILING", *PART, "--json")

    report = json.loads(result.out)
    told = {row["id"]: row for row in report["requirements"]}
    assert (1, 1) == (result.code, result.out.count("\n"))
    assert "FAIL" == told["ACC-010"]["verdict"]
    assert "nothing works" in told["ACC-010"]["message"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "name what is put to the test; installed: alpaca, mock"),
        (("nobody",), "no subject 'nobody'"),
        ((WHARF, "-k", "zzz"), "no scenario is meant by -k zzz"),
        ((WHARF, "-k", "and"), "it goes wrong at 'and'"),
        ((WHARF, "--edition", "1999.1"), "there is no edition '1999.1'"),
        ((WHARF, *PART, "--known", "missing.toml"), "the known failures can't be read"),
        ((WHARF, "--level", "platinum"), "platinum"),
    ],
    ids=[
        "none",
        "unknown",
        "nothing",
        "no-expression",
        "no-edition",
        "no-file",
        "level",
    ],
)
def test_a_wrong_command_or_file_ends_with_2_and_one_line(dragoman, arguments, told):
    result = dragoman("conform", *arguments)

    assert 2 == result.code
    assert told in result.err
    assert "" == result.out


def test_a_wrong_command_is_told_as_json_where_that_was_asked(dragoman):
    result = dragoman("conform", "--json")

    error = json.loads(result.err)["error"]
    assert (2, "ConfigurationError") == (error["exit_code"], error["type"])


def test_a_requirement_is_explained_with_what_looks_at_it(dragoman):
    result = dragoman("kit", "explain", "ord-amb-020")

    assert 0 == result.code
    assert result.out.startswith("ORD-AMB-020  MUST, bronze\n")
    assert "ambiguity.a_lost_answer_leads_to_one_order" in result.out


def test_what_is_no_requirement_is_told_with_those_that_begin_alike(dragoman):
    result = dragoman("kit", "explain", "ORD-AMB-0")

    assert 2 == result.code
    assert "there are ORD-AMB-0" in result.err


def test_every_requirement_is_listed(dragoman):
    assert "ORD-AMB-020" in dragoman("kit", "list").out
    assert "| ORD-AMB-020 | MUST | bronze |" in dragoman("kit", "list", "--md").out


def test_two_reports_that_say_the_same_differ_in_nothing(dragoman, tmp_path):
    result = dragoman("kit", "diff", saved(tmp_path / "a"), saved(tmp_path / "b"))

    assert (0, "nothing differs\n") == (result.code, result.out)


def test_a_report_that_is_worse_ends_with_1(dragoman, tmp_path):
    worse = saved(tmp_path / "b", ACC_010=played("ACC-010", why="1 expected"))

    result = dragoman(
        "kit", "diff", saved(tmp_path / "a"), worse, "--merge", tmp_path / "both.html"
    )

    assert 1 == result.code
    assert "worse: 1 expected" in result.out
    assert (tmp_path / "both.html").read_text().startswith("<!doctype html>")


def test_a_badge_is_drawn_from_a_report(dragoman, tmp_path):
    folder = saved(tmp_path / "a")

    result = dragoman("kit", "badge", folder, "--out", tmp_path / "badge.svg")

    assert 0 == result.code
    assert dragoman("kit", "badge", folder).out == (tmp_path / "badge.svg").read_text()


def test_a_report_that_is_not_there_ends_with_2(dragoman, tmp_path):
    result = dragoman("kit", "badge", tmp_path)

    assert 2 == result.code
    assert "there is no report at" in result.err


def test_a_folder_with_a_credential_in_it_is_not_clean(dragoman, tmp_path):
    (tmp_path / "notes.txt").write_text("the key is " + "Zx9" * 9)

    found = dragoman(
        "kit", "scrub", "--check", tmp_path, "--subject", "alpaca", APCA_API_SECRET_KEY="Zx9" * 9
    )

    assert 1 == found.code
    assert "notes.txt" in found.out
    assert "Zx9" not in found.out


def test_a_folder_with_nothing_in_it_is_clean(dragoman, tmp_path):
    result = dragoman("kit", "scrub", "--check", tmp_path)

    assert (0, "0 files, 0 leftovers\n") == (result.code, result.out)


def test_a_folder_that_is_not_there_can_not_be_scrubbed(dragoman, tmp_path):
    result = dragoman("kit", "scrub", "--check", tmp_path / "nowhere")

    assert 2 == result.code
    assert "there is no folder" in result.err


def test_a_scenario_is_recorded_over_the_simulator_and_its_files_are_told(dragoman, tmp_path):
    result = dragoman("kit", "record", WHARF, "FLD-020", "--simulated", "--in", tmp_path)

    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert (0, "") == (result.code, result.err)
    assert {str(path) for path in files} == set(result.out.splitlines())


def test_nothing_is_sent_to_a_sandbox_unless_somebody_agrees(dragoman, tmp_path):
    keys = {"WHARF_KEY": "k", "WHARF_SECRET": "s"}

    result = dragoman("kit", "record", WHARF, "FLD-020", "--in", tmp_path, **keys)

    assert 2 == result.code
    assert "nobody can be asked; add --yes" in result.err
    assert [] == list(tmp_path.iterdir())


def test_a_credential_that_is_missing_is_told_before_anything_is_sent(dragoman, tmp_path):
    result = dragoman("kit", "record", WHARF, "FLD-020", "--in", tmp_path, "--yes")

    assert 2 == result.code
    assert "set WHARF_KEY" in result.err
