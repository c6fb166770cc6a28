"""What this folder tells the test kit: its simulator, what is traded, and where its evidence is.

The only file of the folder that may know the kit.
"""

from __future__ import annotations

from typing import Final

from dragoman_conformance import Sample, Subject, evidence_beside

__all__ = ["SUBJECT"]

SUBJECT: Final = Subject(
    name="tektii",
    provider="tektii",
    simulator="tektii",
    evidence=evidence_beside(__file__, name="tektii"),
    sample=Sample(symbol="AAPL", price="100", quantity="8", other="MSFT", other_price="300"),
)
"""Tektii, as the entry point `dragoman.subjects` names it."""
