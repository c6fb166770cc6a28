"""Writes the template out under another name.

The template is a whole small protocol called acme, with its words in three spellings; a name takes
the place of each. Outside a checkout of dragoman it becomes a distribution of its own, in the
folder of adapters of a checkout only the package.
"""

from __future__ import annotations

import keyword
import re
from importlib.resources import files
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from dragoman.errors import ConfigurationError
from dragoman.registry import installed

from ..subject import known_subjects

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable
    from pathlib import Path

__all__ = ["create", "hint"]

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*\Z")
_LONGEST: Final = 40
_SUFFIX: Final = ".txt"
_TAKEN: Final = frozenset({"conformance", "gateway", "test", "tests"})
_PLACES: Final = {"package": "", "dialect": "dialect", "evidence": "evidence/tables"}
_PROJECT: Final = {"pyproject.toml": "", "README.md": "", "test_conformance.py": "tests"}


def create(name: str, folder: Path) -> Path:
    """Make the folder of an adapter called `name` within `folder`, and return it.

    It is `dragoman-<name>`, a distribution of its own; within the folder `adapters` of a checkout
    of dragoman, `dragoman_<name>`, a package of it.

    Raises:
        ConfigurationError: It is no name for an adapter, is taken, or something is there already.
            Nothing was written.
        OSError: It could not be written.
    """
    _check(name)
    is_inside = _is_of_checkout(folder)
    made = folder / (_package(name) if is_inside else f"dragoman-{name.replace('_', '-')}")
    if made.exists():
        raise ConfigurationError(f"{made} exists already: nothing was written")
    if not folder.is_dir():
        raise ConfigurationError(f"there is no folder {folder}: nothing was written")
    package = made if is_inside else made / _package(name)
    for part, place in _PLACES.items():
        _write_part(part, package / place, name)
    if not is_inside:
        for file in _template("project"):
            target = file.name.removesuffix(_SUFFIX)
            _write(file, made / _PROJECT[target] / target, name)
    return made


def hint(name: str, made: Path) -> tuple[str, ...]:
    """Return what is to be done next, line by line."""
    subject = f"{made.name}.conformance:SUBJECT"
    if made.name == _package(name):
        return (
            "add to pyproject.toml:",
            f'  [tool.hatch.build.targets.wheel] packages: "adapters/{made.name}"',
            f'  [project.entry-points."dragoman.protocols"] {name} = "{made.name}.spec:PROTOCOL"',
            f'  [project.entry-points."dragoman.subjects"] {name} = "{subject}"',
            "then: pip install -e .",
            f"      dragoman conform {name}",
        )
    return (f"next: pip install -e {made}", f"      dragoman conform {name}")


def _check(name: str) -> None:
    if not _NAME.match(name) or len(name) > _LONGEST:
        raise ConfigurationError(
            f"{name[:80]!r} is no name for an adapter: lower-case letters, digits and single "
            f"underscores between them, a letter first, at most {_LONGEST}"
        )
    if keyword.iskeyword(name) or name in _TAKEN:
        raise ConfigurationError(f"{name!r} is a word of Python's or of dragoman's own")
    taken = {one.name for one in installed().protocols} | {*known_subjects()}
    if name in taken or find_spec(_package(name)) is not None:
        raise ConfigurationError(f"an adapter called {name!r} is installed already")


def _package(name: str) -> str:
    return f"dragoman_{name}"


def _is_of_checkout(folder: Path) -> bool:
    """Return whether a folder is that of the adapters of a checkout of dragoman."""
    here = folder.resolve()
    return here.name == "adapters" and (here.parent / "core" / "dragoman").is_dir()


def _template(part: str) -> tuple[Traversable, ...]:
    found = files(__name__.rpartition(".")[0]).joinpath("template", part).iterdir()
    return tuple(sorted((one for one in found if one.is_file()), key=lambda one: one.name))


def _write_part(part: str, folder: Path, name: str) -> None:
    for file in _template(part):
        _write(file, folder / file.name.removesuffix(_SUFFIX), name)


def _write(file: Traversable, target: Path, name: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(_named(file.read_text(encoding="utf-8"), name), encoding="utf-8")


def _named(text: str, name: str) -> str:
    """Put a name in the place of the template's, in each of its spellings."""
    words = name.split("_")
    told = " ".join(word.capitalize() for word in words)
    spellings = {
        "dragoman-acme": f"dragoman-{name.replace('_', '-')}",
        "acme-paper": f"{name.replace('_', '-')}-paper",
        "acme-live": f"{name.replace('_', '-')}-live",
        "acme.example": f"{name.replace('_', '-')}.example",
        "AcmeAdapter": f"{''.join(word.capitalize() for word in words)}Adapter",
        "AcmeDialect": f"{''.join(word.capitalize() for word in words)}Dialect",
        "AcmeRest": f"{''.join(word.capitalize() for word in words)}Rest",
        "TestAcme": f"Test{''.join(word.capitalize() for word in words)}",
        "ACME": name.upper(),
        "Acme": told,
        "acme": name,
    }
    pattern = re.compile("|".join(re.escape(one) for one in spellings))
    return pattern.sub(lambda match: spellings[match[0]], text)
