"""Tektii, spoken both ways: an adapter to its gateways, and a dialect served over any broker.

`dragoman.connect("tektii")` and `dragoman serve --dialect tektii`. Names are resolved when they are
first used, so that reading the protocol's declaration (`spec`) loads neither face.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .adapter import TektiiAdapter
    from .dialect import TektiiDialect
    from .spec import PROTOCOL

__all__ = ["PROTOCOL", "TektiiAdapter", "TektiiDialect"]

_HOMES: Final = {"PROTOCOL": "spec", "TektiiAdapter": "adapter", "TektiiDialect": "dialect"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
