"""The run as it goes on, one JSON object for each line: for whoever watches a long one.

This is the only place that tells durations; it is no part of any verdict.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from ..verdicts import ScenarioResult
    from .model import Report

__all__ = ["EventLog"]


class EventLog:
    """Writes events to a binary file, each at once.

    "started" {subject, scenarios}; "played" {scenario, ending, basis, failed, message, seconds,
    done, of} for every scenario, in the order they end; "decided" {label, exit_code}, both null
    where only a part was played.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._done = 0
        self._of = 0

    def started(self, subject: str, scenarios: int) -> None:
        """Tell that so many scenarios are going to be played."""
        self._of = scenarios
        self._write({"event": "started", "subject": subject, "scenarios": scenarios})

    def played(self, result: ScenarioResult) -> None:
        """Tell that a scenario ended."""
        self._done += 1
        failed = sorted({check.requirement for check in result.checks if not check.held})
        self._write(
            {
                "event": "played",
                "scenario": result.scenario,
                "ending": result.ending.value,
                "basis": result.basis.value,
                "failed": failed,
                "message": result.message,
                "seconds": round(result.seconds, 3),
                "done": self._done,
                "of": self._of,
            }
        )

    def decided(self, report: Report) -> None:
        """Tell the decision."""
        decision = report.decision
        self._write(
            {
                "event": "decided",
                "label": None if decision is None else decision.label,
                "exit_code": None if decision is None else decision.exit_code,
            }
        )

    def _write(self, facts: dict[str, object]) -> None:
        self._file.write(msgspec.json.encode(facts) + b"\n")
        self._file.flush()
