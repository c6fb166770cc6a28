"""A venue without money: a deterministic matching engine with accounts, and markets to feed it.

    from dragoman.paper import Engine

    engine = Engine(start_ns=1_767_796_200_000_000_000)
    events = engine.submit(request)
    events = engine.advance(engine.now_ns + 1_000_000_000)

The same settings and the same calls give the same events, byte for byte. Nothing here reads a
clock or does I/O. Names resolve on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .engine import Engine
    from .faults.plan import Fault, FaultKind, FaultPlan
    from .market.calendar import Calendar
    from .market.catalogue import default_instruments
    from .market.feed import Feed, MarketTick
    from .market.scripted import ScriptedFeed
    from .market.tape import TapeFeed
    from .market.walk import WalkFeed
    from .settings import AccountSettings, Fee, FeeSchedule, Hours, VenueSettings

__all__ = [
    "AccountSettings",
    "Calendar",
    "Engine",
    "Fault",
    "FaultKind",
    "FaultPlan",
    "Fee",
    "FeeSchedule",
    "Feed",
    "Hours",
    "MarketTick",
    "ScriptedFeed",
    "TapeFeed",
    "VenueSettings",
    "WalkFeed",
    "default_instruments",
]

_NAMES = {
    "market.calendar": "Calendar",
    "market.catalogue": "default_instruments",
    "engine": "Engine",
    "faults.plan": "Fault FaultKind FaultPlan",
    "market.feed": "Feed MarketTick",
    "market.scripted": "ScriptedFeed",
    "settings": "AccountSettings Fee FeeSchedule Hours VenueSettings",
    "market.tape": "TapeFeed",
    "market.walk": "WalkFeed",
}
_HOMES = {name: home for home, names in _NAMES.items() for name in names.split()}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    value: object = getattr(import_module(f".{home}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
