"""A planted bug: what it is, whom it is planted in, and what must notice it.

A bug is planted by replacing a function of a module, a method of a class, or the adapter's class by
one made of the original, for as long as the mutant is played.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import pkgutil
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast
from unittest.mock import patch

import attrs

from dragoman.adapter import Adapter, AdapterContext
from dragoman.errors import ConfigurationError
from dragoman.registry import Protocol, Registry

from ..references.subjects import REFERENCES
from ..subject import find_subject

if TYPE_CHECKING:
    from collections.abc import Generator

    from ..subject import Subject

__all__ = ["Mutant", "Plant", "all_mutants", "mutant"]

_MUTANTS: Final = "dragoman_conformance.selftest.mutants"
_KNOWN: Final[dict[str, Mutant]] = {}

Planting: TypeAlias = "Callable[[Plant], None]"


@attrs.frozen(kw_only=True)
class _MutantProtocol(Protocol):
    """A protocol whose adapter is of another class than its path says."""

    build: Callable[[AdapterContext], Adapter]

    def make_adapter(self, context: AdapterContext) -> Adapter:
        """Build the mutant."""
        return self.build(context)


class Plant:
    """Where a bug is planted: collects what is replaced."""

    def __init__(self, subject: Subject) -> None:
        self.subject: Subject = subject
        """The correct subject."""
        self._replaced: list[tuple[Any, str, Callable[[Any], Any]]] = []
        self._adapter: Callable[[Any], type[Adapter]] | None = None
        self._changes: dict[str, Any] = {}

    def replace(self, target: object, name: str, make: Callable[[Any], Any]) -> None:
        """Replace an attribute of a module or class by what `make` makes of the original."""
        self._replaced.append((target, name, make))

    def adapter(self, make: Callable[[Any], type[Adapter]]) -> None:
        """Use what `make` makes of the adapter's class, a subclass of it usually."""
        self._adapter = make

    def declare(self, **changes: object) -> None:
        """Change fields of the subject, such as its `simulator`."""
        self._changes.update(changes)

    @contextlib.contextmanager
    def grown(self) -> Generator[Subject]:
        """Give the subject with the bug in it, for as long as the block lasts."""
        with contextlib.ExitStack() as stack:
            for target, name, make in self._replaced:
                held = cast("dict[str, object]", vars(target))
                original = held.get(name, getattr(target, name, None))
                if original is None:
                    raise ConfigurationError(f"{target!r} has no {name!r} to plant a bug in")
                stack.enter_context(patch.object(target, name, make(original)))
            yield attrs.evolve(self._subject(), **self._changes)

    def _subject(self) -> Subject:
        if self._adapter is None:
            return self.subject
        true = self.subject.protocol
        module, _, attribute = true.adapter.partition(":")
        build = self._adapter(getattr(importlib.import_module(module), attribute))
        fields = {field.name: getattr(true, field.name) for field in attrs.fields(Protocol)}
        others = [one for one in self.subject.protocols.protocols if one.name != true.name]
        registry = Registry([*others, _MutantProtocol(**fields, build=build)])
        return attrs.evolve(self.subject, registry=registry)


@attrs.frozen(kw_only=True)
class Mutant:
    """One planted bug. `kills` are the requirements that must fail for it, among others perhaps."""

    id: str
    title: str
    of: str
    kills: tuple[str, ...]
    plant: Planting = attrs.field(repr=False)

    @contextlib.contextmanager
    def grown(self) -> Generator[Subject]:
        """Give the reference with the bug in it."""
        ground = Plant(REFERENCES.get(self.of) or find_subject(self.of))
        self.plant(ground)
        with ground.grown() as subject:
            yield subject


def mutant(id: str, *, of: str, kills: tuple[str, ...]) -> Callable[[Planting], Planting]:  # noqa: A002 - it is the mutant's id
    """Add a planted bug; the function's docstring, one line, is its title.

    Args:
        id: "M01" to "M66" are those of the design; further ones go on in hundreds by suite.
        of: The reference that it is planted in, or the installed subject where no reference has
            what it is about.
        kills: What must fail for it.
    """

    def add(plant: Planting) -> Planting:
        if id in _KNOWN:
            raise ConfigurationError(f"two mutants are called {id!r}")
        title = (plant.__doc__ or "").strip().rstrip(".")
        _KNOWN[id] = Mutant(id=id, title=title, of=of, kills=kills, plant=plant)
        return plant

    return add


@functools.cache
def all_mutants() -> tuple[Mutant, ...]:
    """Return every planted bug, by id."""
    package = importlib.import_module(_MUTANTS)
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{_MUTANTS}.{module.name}")
    return tuple(_KNOWN[one] for one in sorted(_KNOWN))
