"""Any sequence of what can happen: a rule machine plays it, and in the end everybody agrees."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ..looks.machine import explore
from ..looks.terms import rests
from ..scenario import scenario

if TYPE_CHECKING:
    from ..play import Play


@scenario("MOD-010", "MOD-020", "MOD-030", when=rests)
async def any_sequence_ends_in_agreement(play: Play) -> None:
    """Orders, fills, cancels, replaces, lost answers and broken connections, in any order."""
    loop = asyncio.get_running_loop()
    finding = await loop.run_in_executor(
        None, explore, play.subject, play.capabilities, play.records
    )
    wrong: dict[str, str] = {} if finding is None else finding.wrong
    for requirement in ("MOD-010", "MOD-020", "MOD-030"):
        play.check(requirement, requirement not in wrong, wrong.get(requirement, ""))
