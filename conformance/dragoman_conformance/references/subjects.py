"""The references as the kit's own subjects: correct adapters that every suite must be green on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..subject import Sample, Subject
from . import REGISTRY
from .wharf.verify import signature_fault

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["BEACON", "FERRY", "REFERENCES", "WHARF"]

_HERE: Final = Path(__file__).parent

WHARF: Final = Subject(
    name="wharf",
    provider="wharf",
    simulator="wharf",
    registry=REGISTRY,
    verify_signature=signature_fault,
    evidence=_HERE / "wharf" / "evidence",
    sample=Sample(symbol="AAPL", price="100", quantity="8", other="MSFT", other_price="300"),
)
"""REST and WebSocket, signed, replaced in place."""

FERRY: Final = Subject(
    name="ferry",
    provider="ferry",
    simulator="ferry",
    registry=REGISTRY,
    evidence=_HERE / "ferry" / "evidence",
    sample=Sample(symbol="AAPL", price="100", quantity="8", other="MSFT", other_price="300"),
)
"""REST alone: what others would stream is polled."""

BEACON: Final = Subject(
    name="beacon",
    provider="beacon",
    simulator="beacon",
    registry=REGISTRY,
    evidence=_HERE / "beacon" / "evidence",
    sample=Sample(
        symbol="EUR_USD",
        at_venue="EUR/USD",
        price="1.1",
        quantity="1000",
        other="GBP_USD",
        other_at_venue="GBP/USD",
        other_price="1.25",
    ),
)
"""REST and endless lines, signed units, a new id for every replace."""

REFERENCES: Final[Mapping[str, Subject]] = {one.name: one for one in (WHARF, FERRY, BEACON)}
"""Every reference by name."""
