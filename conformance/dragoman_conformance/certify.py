"""Certifying one subject: its facts, its scenarios, and the report on both."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from dragoman.errors import ConfigurationError

from .catalogue import EDITION, Level, catalogue, edition
from .known import read_known
from .pool import Pool
from .report.build import Terms, make_exchanges, make_report
from .report.model import Exchanges, Report
from .scenario import all_scenarios
from .selection import select

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from .scenario import Scenario
    from .verdicts import ScenarioResult

__all__ = ["Certified", "Plan", "certify"]


@attrs.frozen(kw_only=True)
class Plan:
    """What is asked of a run.

    `requested` None: the highest level there is. `known` None: the file that lies with the
    subject's evidence, if there is one. With an `expression` or `is_smoke` only a part is played,
    and no level is decided.
    """

    edition: str = EDITION
    requested: Level | None = None
    expression: str | None = None
    is_smoke: bool = False
    known: Path | None = None
    workers: int = 2

    @property
    def selection(self) -> str | None:
        """The options by which a part was chosen; None for the whole."""
        parts = ["--smoke"] if self.is_smoke else []
        if self.expression is not None:
            parts.append(f"-k {self.expression}")
        return " ".join(parts) or None

    def scenarios(self) -> tuple[Scenario, ...]:
        """Return what is played.

        Raises:
            ConfigurationError: The expression is none, or nothing is left to play.
        """
        chosen = all_scenarios()
        if self.is_smoke:
            chosen = tuple(one for one in chosen if one.is_smoke)
        if self.expression is not None:
            chosen = select(chosen, self.expression)
        if not chosen:
            raise ConfigurationError(f"no scenario is meant by {self.selection or 'the kit'}")
        return chosen


@attrs.frozen(kw_only=True)
class Certified:
    """The report on a subject, and what went over the wire."""

    report: Report
    exchanges: Exchanges


async def certify(
    name: str,
    plan: Plan,
    today: dt.date,
    *,
    on_start: Callable[[int], None],
    on_result: Callable[[ScenarioResult], None],
) -> Certified:
    """Play a subject and return the report on it.

    Args:
        name: The subject, as `find_subject` takes it.
        plan: What is asked.
        today: The day of the run, for what runs out.
        on_start: Is told how many scenarios there are.
        on_result: Is told each result as it comes.

    Raises:
        ConfigurationError: There is no such subject or edition, nothing is left to play, or the
            known failures are written wrongly.
    """
    scored = edition(plan.edition)
    chosen = plan.scenarios()
    async with Pool(name, workers=plan.workers) as pool:
        facts = await pool.facts()
        file = plan.known or (None if facts.known is None else Path(facts.known))
        terms = Terms(
            today=today,
            scored=scored,
            edition=plan.edition,
            known=() if file is None else read_known(file, catalogue(), today),
            requested=plan.requested,
            selection=plan.selection,
        )
        on_start(len(chosen))
        results = await pool.play(chosen, on_result)
    return Certified(
        report=make_report(facts, results, catalogue(), terms),
        exchanges=make_exchanges(facts.name, results),
    )
