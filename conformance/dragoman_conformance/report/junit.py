"""The report as JUnit's XML: one test case for each requirement, for the eyes of CI servers.

JUnit knows passed, skipped, failed and broken. What is amber (WARN, KNOWN) is skipped, so that a
build stays green, and says its word in a property and in the message.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET  # only writes

if TYPE_CHECKING:
    from .model import Report, RequirementRow

__all__ = ["junit"]

_ELEMENTS: Final = {
    "FAIL": "failure",
    "STALE": "failure",
    "UNTESTED": "failure",
    "HARNESS": "error",
    "WARN": "skipped",
    "KNOWN": "skipped",
    "N/A": "skipped",
}
_UNPRINTABLE: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(report: Report) -> bytes:
    """Return the report as JUnit XML, in the order of the catalogue."""
    root = ET.Element("testsuites", name=f"dragoman conform {report.subject.name}")
    for prefix, title in report.suites.items():
        rows = [row for row in report.requirements if row.suite == prefix]
        if rows:
            root.append(_suite(report, f"{prefix} {title}", rows))
    _count(root, report.requirements)
    ET.indent(root)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _suite(report: Report, name: str, rows: list[RequirementRow]) -> ET.Element:
    suite = ET.Element("testsuite", name=_clean(name))
    _count(suite, rows)
    for row in rows:
        suite.append(_case(report, row))
    return suite


def _case(report: Report, row: RequirementRow) -> ET.Element:
    classname = f"{report.subject.name}.{row.suite}"
    case = ET.Element("testcase", classname=_clean(classname), name=row.id, time="0")
    properties = ET.SubElement(case, "properties")
    facts = {
        "verdict": row.verdict,
        "keyword": row.keyword,
        "level": row.level,
        "edition": report.edition if row.is_scored else "not scored",
        "scenarios": " ".join(row.scenarios),
    }
    for name, value in facts.items():
        ET.SubElement(properties, "property", name=name, value=_clean(value))
    element = _element(row)
    if element is not None:
        message = _clean(f"{row.verdict}: {row.message}" if row.message else row.verdict)
        if not row.is_scored:
            message = f"not scored: {message}"
        ET.SubElement(case, element, message=message).text = _clean(row.text)
    return case


def _element(row: RequirementRow) -> str | None:
    """Return the element that says what became of a requirement; None for one that passed."""
    element = _ELEMENTS.get(row.verdict)
    return "skipped" if element is not None and not row.is_scored else element


def _count(element: ET.Element, rows: list[RequirementRow] | tuple[RequirementRow, ...]) -> None:
    kinds = [_element(row) for row in rows]
    element.set("tests", str(len(kinds)))
    element.set("failures", str(kinds.count("failure")))
    element.set("errors", str(kinds.count("error")))
    element.set("skipped", str(kinds.count("skipped")))
    element.set("time", "0")


def _clean(text: str) -> str:
    return _UNPRINTABLE.sub("\ufffd", text)
