"""Tables of evidence: what the venue's documents say, row by row, and what each row must mean.

Two kinds of files lie in a subject's `tables` folder. `*.toml` holds calls: a call of the adapter,
the exchanges and sessions on the wire that it must make, and what it must tell or raise.
`*.meanings.ndjson` holds payloads, here or elsewhere in the evidence, and the models they must be
read as.
"""

from __future__ import annotations

from .calls import CallRow, CallTable, WireExchange, load_calls
from .conduct import CallFinding, check_row, make_call
from .coverage import documented_capabilities
from .meanings import Meaning, difference_of, load_meanings, meaning_of
from .sessions import WireSession

__all__ = [
    "CallFinding",
    "CallRow",
    "CallTable",
    "Meaning",
    "WireExchange",
    "WireSession",
    "check_row",
    "difference_of",
    "documented_capabilities",
    "load_calls",
    "load_meanings",
    "make_call",
    "meaning_of",
]
