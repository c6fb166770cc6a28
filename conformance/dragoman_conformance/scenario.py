"""The scenarios: what is played, what each proves, and what it needs to be played at all."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeAlias

import attrs

from dragoman.errors import ConfigurationError

from .subject import Subject

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from dragoman.capabilities import Capabilities

    from .play import Play

__all__ = ["Need", "Scenario", "all_scenarios", "scenario"]

Act: TypeAlias = "Callable[[Play], Awaitable[None]]"
Condition: TypeAlias = "Callable[[Capabilities], bool]"

_SUITES: Final = "dragoman_conformance.suites"


class Need(StrEnum):
    """What a scenario can't be played without.

    VENUE: a venue whose market and orders the kit controls, hence a simulator. WIRE: bytes between
    adapter and venue. A scenario without VENUE can be recorded, and played on the recording.
    """

    VENUE = "VENUE"
    WIRE = "WIRE"


@attrs.frozen(kw_only=True)
class Scenario:
    """One thing that is played.

    `proves` are the requirements it looks at, each at least once whenever it is played to its end.
    `when` says whether what a subject declares is enough; None asks for nothing. `fits` likewise,
    of the subject itself. `deadline_s` is virtual time.
    """

    name: str
    proves: tuple[str, ...]
    act: Act = attrs.field(repr=False)
    needs: frozenset[Need] = frozenset()
    when: Condition | None = attrs.field(default=None, repr=False)
    fits: Callable[[Subject], bool] | None = attrs.field(default=None, repr=False)
    deadline_s: float = 900.0
    is_smoke: bool = False

    @property
    def suite(self) -> str:
        """The module it stands in, such as "orders"."""
        return self.name.partition(".")[0]


_SCENARIOS: Final[dict[str, Scenario]] = {}


def scenario(
    *proves: str,
    needs: tuple[Need, ...] = (Need.VENUE,),
    when: Condition | None = None,
    fits: Callable[[Subject], bool] | None = None,
    deadline_s: float = 900.0,
    is_smoke: bool = False,
) -> Callable[[Act], Act]:
    """Add a coroutine function `(play) -> None` to the scenarios, under `<module>.<function>`.

    Args:
        proves: The ids of the requirements that it looks at.
        needs: What it can't be played without.
        when: Whether the capabilities declared are enough for it.
        fits: Whether the subject is of the kind that it is about.
        deadline_s: How much virtual time it may take.
        is_smoke: Whether it belongs to the few that tell a broken declaration from a wrong adapter.
    """

    def add(act: Act) -> Act:
        name = f"{act.__module__.rpartition('.')[2]}.{act.__name__}"
        if name in _SCENARIOS:
            raise ConfigurationError(f"two scenarios are called {name!r}")
        _SCENARIOS[name] = Scenario(
            name=name,
            proves=proves,
            act=act,
            needs=frozenset(needs),
            when=when,
            fits=fits,
            deadline_s=deadline_s,
            is_smoke=is_smoke,
        )
        return act

    return add


@functools.cache
def all_scenarios() -> tuple[Scenario, ...]:
    """Return every scenario, by name."""
    package = importlib.import_module(_SUITES)
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{_SUITES}.{module.name}")
    return tuple(_SCENARIOS[name] for name in sorted(_SCENARIOS))
