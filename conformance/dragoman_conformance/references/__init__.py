"""Three toy protocols, each spoken both ways: what the kit proves itself on."""

from __future__ import annotations

from typing import Final

from dragoman.registry import Registry

from .beacon.spec import PROTOCOL as BEACON
from .ferry.spec import PROTOCOL as FERRY
from .wharf.spec import PROTOCOL as WHARF

__all__ = ["REGISTRY"]

REGISTRY: Final = Registry([WHARF, FERRY, BEACON])
"""Give it to `connect(..., registry=REGISTRY)`."""
