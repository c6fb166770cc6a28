"""Every requirement the kit knows, and which of them an edition scores.

The texts live in `requirements/<suite>.toml`, the editions in `editions/<name>.toml`. An id never
changes its meaning and is never used again.
"""

from __future__ import annotations

import functools
import tomllib
from enum import StrEnum
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import attrs

from dragoman.errors import ConfigurationError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

__all__ = [
    "EDITION",
    "Catalogue",
    "Keyword",
    "Level",
    "Requirement",
    "Suite",
    "catalogue",
    "edition",
]

EDITION: Final = "2026.1"
"""The edition in force."""
_PACKAGE: Final = "dragoman_conformance"


class Keyword(StrEnum):
    """How binding a requirement is, in the words of RFC 2119."""

    MUST = "MUST"
    SHOULD = "SHOULD"


class Level(StrEnum):
    """What a subject has been shown to be; each includes those before it.

    BRONZE: it speaks the contract. SILVER: it survives what a network does to it. GOLD: it is
    proven against the venue itself.
    """

    BRONZE = "bronze"
    SILVER = "silver"
    GOLD = "gold"


@attrs.frozen(kw_only=True)
class Requirement:
    """One thing an adapter must or should do.

    `needs_wire` marks what is about bytes: N/A for a subject in this process. `is_waivable` False:
    a known-failure entry for it counts for nothing.
    """

    id: str
    suite: str
    keyword: Keyword
    level: Level
    text: str
    since: str = EDITION
    needs_wire: bool = False
    is_waivable: bool = True


@attrs.frozen(kw_only=True)
class Suite:
    """A family of requirements: its prefix, such as "ORD-LIFE", and its title."""

    prefix: str
    title: str
    level: Level


class Catalogue:
    """All requirements by id, in the order of suites and ids."""

    def __init__(self, suites: tuple[Suite, ...], requirements: tuple[Requirement, ...]) -> None:
        self.suites: tuple[Suite, ...] = suites
        self._by_id = {one.id: one for one in requirements}

    @property
    def requirements(self) -> tuple[Requirement, ...]:
        """Every requirement."""
        return tuple(self._by_id.values())

    def __contains__(self, requirement: str) -> bool:
        return requirement in self._by_id

    def __getitem__(self, requirement: str) -> Requirement:
        """Return one requirement.

        Raises:
            ConfigurationError: There is none of that id.
        """
        if requirement not in self._by_id:
            raise ConfigurationError(f"the catalogue has no requirement {requirement!r}")
        return self._by_id[requirement]


@functools.cache
def catalogue() -> Catalogue:
    """Return the catalogue that is shipped with the kit.

    Raises:
        ConfigurationError: A file of it is wrong.
    """
    found = sorted(
        (one for one in files(_PACKAGE).joinpath("requirements").iterdir() if _is_toml(one)),
        key=lambda one: one.name,
    )
    suites: list[Suite] = []
    requirements: list[Requirement] = []
    for file in found:
        suite, members = _read_suite(file)
        suites.append(suite)
        requirements += members
    doubled = {
        one.id for one in requirements if sum(other.id == one.id for other in requirements) > 1
    }
    if doubled:
        raise ConfigurationError(f"requirements are written twice: {', '.join(sorted(doubled))}")
    return Catalogue(tuple(suites), tuple(requirements))


@functools.cache
def edition(name: str = EDITION) -> frozenset[str]:
    """Return the ids that an edition scores.

    Raises:
        ConfigurationError: There is no such edition.
    """
    file = files(_PACKAGE).joinpath("editions", f"{name}.toml")
    if not file.is_file():
        raise ConfigurationError(f"there is no edition {name!r}; the one in force is {EDITION}")
    table = tomllib.loads(file.read_text(encoding="utf-8"))
    return frozenset(str(one) for one in table["requirements"])


def _is_toml(file: Traversable) -> bool:
    return file.name.endswith(".toml")


def _read_suite(file: Traversable) -> tuple[Suite, tuple[Requirement, ...]]:
    table: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    try:
        head = table["suite"]
        suite = Suite(prefix=head["prefix"], title=head["title"], level=Level(head["level"]))
        return suite, tuple([_read(row, suite) for row in table["requirement"]])
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigurationError(f"{file.name} is no suite of requirements: {error!r}") from None


def _read(row: dict[str, Any], suite: Suite) -> Requirement:
    known = {field.name for field in attrs.fields(Requirement)} - {"suite"}
    if unknown := set(row) - known:
        raise ValueError(f"{row.get('id')}: unknown fields {', '.join(sorted(unknown))}")
    if not str(row["id"]).startswith(f"{suite.prefix}-"):
        raise ValueError(f"{row['id']} does not begin with {suite.prefix}-")
    return Requirement(
        id=row["id"],
        suite=suite.prefix,
        keyword=Keyword(row["keyword"]),
        level=Level(row.get("level", suite.level)),
        text=row["text"],
        since=row.get("since", EDITION),
        needs_wire=row.get("needs_wire", False),
        is_waivable=row.get("is_waivable", True),
    )
