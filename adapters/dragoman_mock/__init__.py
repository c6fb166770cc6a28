"""The mock venue: a whole market and its broker inside this process, to develop and test against.

`dragoman.connect("mock")` needs no keys and no network. Names are resolved when they are first
used, so that reading the protocol's declaration (`spec`) loads no engine.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .adapter import MockAdapter
    from .capabilities import mock_capabilities
    from .spec import PROTOCOL
    from .venue import MockVenue

__all__ = ["PROTOCOL", "MockAdapter", "MockVenue", "mock_capabilities"]

_HOMES: Final = {
    "PROTOCOL": "spec",
    "MockAdapter": "adapter",
    "MockVenue": "venue",
    "mock_capabilities": "capabilities",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
