"""Alpaca, spoken both ways: an adapter to its venues, and a dialect served over any broker.

`dragoman.connect("alpaca-paper")` and `dragoman serve --dialect alpaca`. Names are resolved when
they are first used, so that reading the protocol's declaration (`spec`) loads neither face.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .adapter import AlpacaAdapter
    from .dialect import AlpacaDialect
    from .spec import PROTOCOL

__all__ = ["PROTOCOL", "AlpacaAdapter", "AlpacaDialect"]

_HOMES: Final = {"PROTOCOL": "spec", "AlpacaAdapter": "adapter", "AlpacaDialect": "dialect"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
