"""The report as a document: what is written to `report.json`, and read back to compare and merge.

Nothing in it depends on when, where or how fast the scenarios were played, so that two runs of the
same subject give the same bytes; only `environment` says what the run stood on. Its JSON Schema is
published beside this module. A field is only ever added, and with a default; anything else is a new
`version`.
"""

from __future__ import annotations

import inspect
from typing import Any, Final, Literal, TypeVar

import msgspec

from dragoman.errors import ConfigurationError

__all__ = [
    "VERSION",
    "CapabilitiesRead",
    "ExchangeLog",
    "Exchanges",
    "GrantRow",
    "LevelDecision",
    "Report",
    "RequirementRow",
    "RunEnvironment",
    "ScenarioRow",
    "SubjectRow",
    "WithheldRow",
    "read_exchanges",
    "read_report",
    "schema",
    "write",
    "write_line",
]

VERSION: Final = 1
"""The version of the document."""

VerdictWord = Literal["PASS", "FAIL", "WARN", "KNOWN", "STALE", "N/A", "UNTESTED", "HARNESS"]
KeywordWord = Literal["MUST", "SHOULD"]
LevelWord = Literal["bronze", "silver", "gold"]
BasisWord = Literal["simulated", "derived", "third-party", "documented", "sandbox", "live"]


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a document: unknown fields are errors."""


class SubjectRow(_Part, frozen=True, kw_only=True):
    """What was put to the test: name, provider it is reached by, and the adapter's version."""

    name: str
    provider: str
    version: str


class RunEnvironment(_Part, frozen=True, kw_only=True):
    """What the run stood on. No part of any comparison."""

    python: str
    aiohttp: str


class CapabilitiesRead(_Part, frozen=True, kw_only=True):
    """What the subject declares: names, and the SHA-256 of the whole declaration in hex."""

    digest: str
    names: tuple[str, ...]


class GrantRow(_Part, frozen=True, kw_only=True):
    """A level that was reached. `label` is how it may be claimed, `basis` what bears it out."""

    level: LevelWord
    basis: BasisWord
    label: str


class WithheldRow(_Part, frozen=True, kw_only=True):
    """A level that may not be claimed, or only as simulated.

    `reasons` are those that do not withhold a lower level already.
    """

    level: LevelWord
    reasons: tuple[str, ...]


class LevelDecision(_Part, frozen=True, kw_only=True):
    """Which levels were reached. `label` says it in one line; `exit_code` is that of the run."""

    label: str
    grants: tuple[GrantRow, ...]
    withheld: tuple[WithheldRow, ...]
    exit_code: int
    requested: LevelWord | None = None


class RequirementRow(_Part, frozen=True, kw_only=True):
    """The word on one requirement.

    `scenarios` are those that looked, the deciding one first. `basis` is the strongest evidence on
    which it held. `is_scored` False: the edition does not count it.
    """

    id: str
    suite: str
    keyword: KeywordWord
    level: LevelWord
    text: str
    verdict: VerdictWord
    is_scored: bool
    message: str = ""
    scenarios: tuple[str, ...] = ()
    basis: BasisWord | None = None


class ScenarioRow(_Part, frozen=True, kw_only=True):
    """How one scenario ended; `exchanges` counts those that are kept beside the report."""

    name: str
    ending: str
    basis: BasisWord
    message: str = ""
    exchanges: int = 0


class Report(_Part, frozen=True, kw_only=True):
    """Everything one run says of one subject.

    `evidence` is the SHA-256 over the subject's evidence folder in hex, None if it has none.
    `selection` is the expression that the scenarios were chosen by; where there is one, no level
    was decided and `decision` is None.
    """

    version: int
    kit: str
    edition: str
    subject: SubjectRow
    capabilities: CapabilitiesRead
    requirements: tuple[RequirementRow, ...]
    scenarios: tuple[ScenarioRow, ...]
    suites: dict[str, str]
    environment: RunEnvironment
    decision: LevelDecision | None = None
    evidence: str | None = None
    selection: str | None = None


class ExchangeLog(_Part, frozen=True, kw_only=True):
    """The redacted exchanges of one scenario, in order, each as text."""

    scenario: str
    exchanges: tuple[str, ...]


class Exchanges(_Part, frozen=True, kw_only=True):
    """What went over the wire: written to `exchanges.json` beside the report."""

    version: int
    subject: str
    logs: tuple[ExchangeLog, ...]

    def of(self, scenario: str) -> tuple[str, ...]:
        """Return the exchanges of one scenario; none where nothing was kept."""
        return next((log.exchanges for log in self.logs if log.scenario == scenario), ())


_Document = TypeVar("_Document", Report, Exchanges)


def write(document: Report | Exchanges) -> bytes:
    """Return a document as indented JSON with a line feed at its end."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def write_line(document: Report | Exchanges) -> str:
    """Return a document as one line of JSON."""
    return msgspec.json.encode(document).decode()


def read_report(data: bytes, where: str) -> Report:
    """Return the report in a document.

    Args:
        data: The document.
        where: Its name, for the message.

    Raises:
        ConfigurationError: It is no report, or one of another version.
    """
    return _read(data, Report, where)


def read_exchanges(data: bytes, where: str) -> Exchanges:
    """Return the exchanges in a document; see `read_report`.

    Raises:
        ConfigurationError: It holds no exchanges, or is of another version.
    """
    return _read(data, Exchanges, where)


def schema() -> bytes:
    """Return the JSON Schema of `report.json`."""
    components: dict[str, Any] = msgspec.json.schema(Report)
    for kind in components["$defs"].values():
        if "description" in kind:
            # Compilers differ in how much of a docstring's indentation they keep.
            kind["description"] = inspect.cleandoc(kind["description"])
    described = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The report of a dragoman conformance run",
        **components,
    }
    return msgspec.json.format(msgspec.json.encode(described), indent=2) + b"\n"


def _read(data: bytes, kind: type[_Document], where: str) -> _Document:
    try:
        found = msgspec.json.decode(data, type=kind)
    except msgspec.MsgspecError as error:
        raise ConfigurationError(
            f"{where} is no {kind.__name__.lower()} of the kit: {error}"
        ) from None
    if found.version != VERSION:
        raise ConfigurationError(f"{where} is of version {found.version}; this kit reads {VERSION}")
    return found
