"""Playing a scenario on what was recorded of it, instead of on a simulator.

Time begins where the recording began, and ids come from the same seed, so the requests are the
recorded ones to the byte; what was never recorded is a finding, and unmatched requests are told by
the server, which no error handling of an adapter can hide from.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import attrs

from dragoman.errors import ConfigurationError
from dragoman.times import parse_time

from .stage.clock import NOON_NS, StageClock
from .stage.loop import StageLoop
from .verdicts import Basis, Check
from .wire.cassette import Cassette, read_cassette
from .wire.playing import Pace
from .wire.replay import ReplayServer
from .wire.signing import check_of
from .wire.transcript import Transcript, read_transcript

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .scenario import Scenario
    from .subject import Subject

__all__ = ["Recording", "findings_of", "recording_of"]


@attrs.frozen(kw_only=True)
class Recording:
    """What was recorded of one scenario: over HTTP, and on streams."""

    cassette: Cassette
    transcripts: tuple[Transcript, ...]

    @property
    def basis(self) -> Basis:
        """What it was recorded from."""
        return Basis(self.cassette.metadata.provenance)

    def clock(self) -> StageClock:
        """Return a clock of the running loop that begins where the recording began."""
        loop = asyncio.get_running_loop()
        if not isinstance(loop, StageLoop):
            raise ConfigurationError("scenarios are played on the loop of the stage")
        start = self.cassette.metadata.clock_start
        return StageClock(loop, NOON_NS if start is None else parse_time(start))

    def server(self, subject: Subject, clock: StageClock) -> ReplayServer:
        """Return what serves it."""
        secrets = subject.canaries()
        rule = subject.verify_signature
        return ReplayServer(
            [self.cassette],
            self.transcripts,
            clock=clock,
            pace=Pace.CLOCK,
            volatile=subject.volatile,
            secrets=secrets,
            check_signature=None if rule is None else check_of(rule, secrets),
        )


def recording_of(subject: Subject, scenario: Scenario) -> Recording | None:
    """Return what was recorded of a scenario with the subject; None if nothing was.

    Raises:
        EvidenceError: A file of it is broken.
    """
    if subject.evidence is None:
        return None
    file = subject.evidence / "cassettes" / f"{scenario.name}.yaml"
    if not file.is_file():
        return None
    streams = sorted((subject.evidence / "transcripts").glob(f"{scenario.name}.*.jsonl"))
    return Recording(
        cassette=read_cassette(file),
        transcripts=tuple([read_transcript(one) for one in streams]),
    )


def findings_of(server: ReplayServer) -> Sequence[Check]:
    """Return what the server found while it was replayed, as checks that did not hold."""
    found = [
        Check(requirement="HYG-010", held=False, why=f"{one.kind}: {one.message}")
        for one in server.findings
    ]
    unused = server.unused
    if unused:
        why = f"{len(unused)} recorded exchanges were never asked for: {unused[0]}"
        found.append(Check(requirement="HYG-030", held=False, why=why))
    return found
