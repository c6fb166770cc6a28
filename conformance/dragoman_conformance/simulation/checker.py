"""The independent judge of a run: invariants held against the venue's ledger.

It shares no code with the library: standard library only, fed with plain rows (see `evidence`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import conduct, truth
from .evidence import Breach, gather

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .evidence import Row

__all__ = ["Breach", "check"]


def check(ledger: Sequence[Row], client: Sequence[Row]) -> list[Breach]:
    """Return every breach of I-1 to I-13 and of I-16, in that order.

    What only the end can tell (I-2, I-6, I-7, I-16, and the whole of I-4) is judged where the
    client's rows hold `end`. Of I-10, tasks are judged: none may fail, and none be left.
    """
    evidence = gather(ledger, client)
    judges = (*truth.JUDGES, *conduct.JUDGES)
    return [breach for judge in judges for breach in judge(evidence)]
