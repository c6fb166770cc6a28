"""One worker of the pool: plays the scenarios it is told to, and says what they showed.

It reads one JSON object for each line and answers each with one: {"load": subject} with the facts
of the subject or {"error"}, {"play": scenario} with its result. Both ends are taken off the
standard streams first, so whatever an adapter prints goes to standard error and spoils nothing.
"""

from __future__ import annotations

import os
import sys
from typing import IO, TYPE_CHECKING

import msgspec

from dragoman.errors import DragomanError

from .guard import NetworkForbidden
from .report.build import Facts, facts_of
from .runner import declared_by, play_one
from .scenario import all_scenarios
from .subject import find_subject
from .tables import documented_capabilities
from .verdicts import ScenarioResult

if TYPE_CHECKING:
    from dragoman.capabilities import Capabilities

    from .subject import Subject

__all__ = ["Answer", "Command", "main", "work"]


class Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a worker is told: to load a subject, or to play a scenario of it."""

    load: str | None = None
    play: str | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a worker says: exactly one field is set."""

    facts: Facts | None = None
    result: ScenarioResult | None = None
    error: str | None = None
    """Why the subject can't be put to the test at all."""


def main() -> None:
    """Answer commands until the input ends."""
    given = os.fdopen(os.dup(0), "rb")
    told = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.dup2(2, 1)
    with given, told:
        work(given, told)


def work(given: IO[bytes], told: IO[bytes]) -> None:
    """Answer every command of a stream, each at once."""
    subject: Subject | None = None
    scenarios = {one.name: one for one in all_scenarios()}
    for line in given:
        command = msgspec.json.decode(line, type=Command)
        if command.load is not None:
            subject, answer = _load(command.load)
        elif subject is not None and command.play is not None:
            answer = Answer(result=play_one(subject, scenarios[command.play]))
        else:
            answer = Answer(error="a subject is loaded first")
        told.write(msgspec.json.encode(answer) + b"\n")
        told.flush()


def _load(name: str) -> tuple[Subject | None, Answer]:
    try:
        subject = find_subject(name)
        capabilities = _declared(subject)
        coverage = None if capabilities is None else documented_capabilities(subject, capabilities)
        return subject, Answer(facts=facts_of(subject, capabilities, coverage))
    except (DragomanError, OSError) as error:
        return None, Answer(error=str(error))


def _declared(subject: Subject) -> Capabilities | None:
    """Return what the subject declares; None if its adapter fails even at that."""
    try:
        return declared_by(subject)
    except (Exception, NetworkForbidden) as error:  # noqa: BLE001 - every scenario will say so
        print(f"{subject.name} can't say what it declares: {error!r}", file=sys.stderr)  # noqa: T201
        return None


if __name__ == "__main__":
    main()
