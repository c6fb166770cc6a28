"""The test kit: certify an adapter offline, with requirements, evidence and planted bugs.

A contributor writes one `Subject` and names it in the entry-point group `dragoman.subjects`;
`dragoman conform NAME` does the rest. Names are resolved when they are used, so that naming a
subject costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .catalogue import EDITION, Catalogue, Requirement
    from .pytest_face import conformance
    from .subject import Hosts, Sample, Subject, evidence_beside, find_subject, known_subjects

__all__ = [
    "EDITION",
    "Catalogue",
    "Hosts",
    "Requirement",
    "Sample",
    "Subject",
    "conformance",
    "evidence_beside",
    "find_subject",
    "known_subjects",
]

_HOMES: Final = {
    "EDITION": "catalogue",
    "Catalogue": "catalogue",
    "Requirement": "catalogue",
    "conformance": "pytest_face",
    "Hosts": "subject",
    "Sample": "subject",
    "Subject": "subject",
    "evidence_beside": "subject",
    "find_subject": "subject",
    "known_subjects": "subject",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{home}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
