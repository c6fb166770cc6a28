"""From Alpaca's words to the library's and back: plain functions, and the table of all payloads."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .payloads import PAYLOADS

__all__ = ["PAYLOADS"]


def __getattr__(name: str) -> object:
    if name != "PAYLOADS":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(".payloads", __name__).PAYLOADS


def __dir__() -> list[str]:
    return sorted(__all__)
