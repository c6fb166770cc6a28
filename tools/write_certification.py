"""Write the certification pages of the adapters in this tree: `write_certification.py [--text]`.

Plays every scenario on each of them and writes what was found: `docs/certification/record.json`,
and the pages made of it. With `--text` nothing is played, and the pages are made of the record.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from dragoman.times import SystemClock, to_datetime
from dragoman_conformance.catalogue import EDITION, catalogue, edition
from dragoman_conformance.certify import Plan, certify
from dragoman_conformance.report.markdown import catalogue_page, markdown, verdict_list
from dragoman_conformance.report.model import Report, schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dragoman_conformance.verdicts import ScenarioResult

ROOT: Final = Path(__file__).parents[1]
FOLDER: Final = ROOT / "docs" / "certification"
RECORD: Final = FOLDER / "record.json"
SUBJECTS: Final = ("mock", "alpaca", "tektii")
AGAIN: Final = "run `.venv/bin/tox -e certification` and commit what it writes"

_INTRODUCTION: Final = f"""# Certification

What `dragoman conform` finds of the adapters in this repository, offline, in edition {EDITION}.
A level followed by *(simulated)* was reached over a simulator: it shows that adapter and simulator
agree, and nothing about the venue. A level without it is borne out by the venue's own documents or
recordings. What each requirement asks stands in [requirements](requirements.md); `report.json` of a
run is described by [its JSON Schema](report.schema.json). These pages are written by
`tox -e certification`, never by hand.
"""


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One subject of the record: its report, and the digest of the sources it was made of."""

    sources: str
    report: Report


Record = dict[str, Entry]


def sources_digest(subject: str) -> str:
    """Return the SHA-256 over the adapter's modules, names and bytes, in hex."""
    folder = ROOT / "adapters" / f"dragoman_{subject}"
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*.py")):
        digest.update(f"{file.relative_to(folder).as_posix()}\n".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def read_record() -> Record:
    """Return the record as it was committed."""
    return msgspec.json.decode(RECORD.read_bytes(), type=Record)


def pages(record: Mapping[str, Entry]) -> dict[str, bytes]:
    """Return every generated page by its name."""
    rows = [
        f"| [{name}]({name}.md) | {_label(entry.report)} | {entry.report.subject.version} |"
        for name, entry in record.items()
    ]
    table = "\n".join(["| Adapter | Level | Version |", "| --- | --- | --- |", *rows])
    texts = {"index.md": f"{_INTRODUCTION}\n{table}\n"}
    for name, entry in record.items():
        report = markdown(entry.report).replace("## ", "# ", 1)
        texts[f"{name}.md"] = f"{report}\n{verdict_list(entry.report)}"
    asked = catalogue_page(catalogue(), edition(), EDITION)
    texts["requirements.md"] = f"# Requirements of edition {EDITION}\n\n{asked}"
    return {"report.schema.json": schema(), **{name: text.encode() for name, text in texts.items()}}


async def play(subject: str) -> Entry:
    """Play everything on a subject and return its entry."""
    today = to_datetime(SystemClock().now_ns()).date()
    certified = await certify(subject, Plan(), today, on_start=_ignore, on_result=_say)
    print(f"{subject}: {_label(certified.report)}")
    report = msgspec.structs.replace(certified.report, scenarios=())  # no page tells them
    return Entry(sources=sources_digest(subject), report=report)


def main(arguments: list[str]) -> int:
    """Write the record, unless only the text is asked for, and the pages; return 0."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    if "--text" not in arguments:
        record = {subject: asyncio.run(play(subject)) for subject in SUBJECTS}
        RECORD.write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n")
    for name, text in pages(read_record()).items():
        FOLDER.joinpath(name).write_bytes(text)
    return 0


def _label(report: Report) -> str:
    return "no level" if report.decision is None else report.decision.label


def _ignore(_: int) -> None:
    """Tell nobody."""


def _say(result: ScenarioResult) -> None:
    if any(not check.held for check in result.checks):
        print(f"  {result.scenario}: {result.ending}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
