"""What the test kit is told of the mock venue: it is its own venue, in this process.

The only file of the folder that may know the kit.
"""

from __future__ import annotations

from typing import Final

from dragoman_conformance import Sample, Subject

__all__ = ["SUBJECT"]

SUBJECT: Final = Subject(
    name="mock",
    provider="mock",
    in_process=lambda venue: {"venue": venue},
    sample=Sample(symbol="AAPL", price="100", quantity="8", other="MSFT", other_price="300"),
)
"""The mock venue, as the entry point `dragoman.subjects` names it."""
