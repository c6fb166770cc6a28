"""Recording a scenario: it is played on the venue's sandbox, and what passes becomes evidence.

Only what holds is kept: a recording shows what the adapter and the venue say to each other when
all is well. Without a sandbox at hand a scenario can be recorded over the subject's own simulator;
the files say so, and prove nothing about the venue.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import attrs

from dragoman.capabilities import Capabilities
from dragoman.errors import ConfigurationError, MissingCredentialsError
from dragoman.paper.settings import VenueSettings
from dragoman.times import SECOND_NS, SystemClock, format_time

from .play import Abandoned, Play
from .runner import declared_by
from .scenario import Scenario, all_scenarios
from .stage.clock import NOON_NS, StageClock
from .stage.loop import StageLoop, run_on_stage
from .stage.records import Records
from .stage.stage import Stage, endpoints_at
from .subject import Subject
from .verdicts import Basis
from .wire.cassette import CassetteMetadata
from .wire.recorder import RecordingError, RecordingProxy
from .wire.redaction import RedactionPolicy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


__all__ = ["credentials_in", "policy_of", "record", "recordable", "with_credentials"]

_KIT: Final = 1
_SUITE: Final = "field"
"""The suite that is meant for it: others need a venue whose market the kit controls."""
_SEED: Final = 0


def recordable(names: Sequence[str]) -> tuple[Scenario, ...]:
    """Return scenarios by name, or by a requirement that they prove; none given: all there are.

    Raises:
        ConfigurationError: One names no scenario, or none that can be recorded.
    """
    everything = [one for one in all_scenarios() if one.suite == _SUITE]
    found = [one for one in everything if not names or {one.name, *one.proves} & {*names}]
    known = {name for one in found for name in (one.name, *one.proves)}
    for name in names:
        if name not in known:
            there = ", ".join(one.name for one in everything)
            raise ConfigurationError(f"{name!r} can't be recorded; what can: {there}")
    return tuple(found)


def credentials_in(subject: Subject, variables: Mapping[str, str]) -> dict[str, str]:
    """Return the credentials of the subject's provider that environment variables hold, by name."""
    found: dict[str, str] = {}
    for field in subject.declared.credentials:
        values = [variables[name] for name in field.variables if variables.get(name)]
        if values:
            found[field.name] = values[0]
    return found


def with_credentials(subject: Subject, variables: Mapping[str, str]) -> Subject:
    """Return the subject with the credentials that environment variables hold.

    Raises:
        MissingCredentialsError: One that is required is not there; the message names its variables.
    """
    found = credentials_in(subject, variables)
    for field in subject.declared.credentials:
        if field.is_required and field.name not in found:
            places = " or ".join(field.variables) or "no variable there is"
            raise MissingCredentialsError(f"{subject.name} needs {field.name}: set {places}")
    return attrs.evolve(subject, credentials=found)


def policy_of(subject: Subject, secrets: Mapping[str, str]) -> RedactionPolicy:
    """Return how recordings of a subject are redacted."""
    return RedactionPolicy(salt=subject.name, secrets=secrets, pseudonyms=subject.pseudonyms)


def record(
    subject: Subject, scenario: Scenario, folder: Path, *, is_simulated: bool
) -> tuple[Path, ...]:
    """Play one scenario, keep what passes on the wire below a folder, and return the files.

    Orders are sent to the sandbox, in real time, with the subject's credentials; `is_simulated`
    plays it over the subject's simulator instead, in virtual time.

    Raises:
        ConfigurationError: This is a CI's machine, the subject names no sandbox, or it does not
            declare what the scenario is about.
        RecordingError: The scenario does not hold, or not all of it can be kept; nothing is
            written.
        LeakError: Something would tell a secret; nothing is written.
    """
    capabilities = declared_by(subject)
    if scenario.when is not None and not scenario.when(capabilities):
        raise ConfigurationError(f"{subject.name} does not declare what {scenario.name} is about")
    desk = _Desk(subject=subject, scenario=scenario, capabilities=capabilities, folder=folder)
    if is_simulated:
        return run_on_stage(desk.over_simulator())
    if not subject.hosts.sandbox:
        raise ConfigurationError(f"{subject.name} names no hosts of a sandbox; see Subject.hosts")
    with asyncio.Runner() as runner:
        return runner.run(desk.at_sandbox())


@attrs.frozen(kw_only=True)
class _RealTime:
    """The running loop's own time."""

    loop: asyncio.AbstractEventLoop

    @property
    def now_ns(self) -> int:
        return round(self.loop.time() * SECOND_NS)


@attrs.frozen(kw_only=True)
class _Desk:
    """One recording."""

    subject: Subject
    scenario: Scenario
    capabilities: Capabilities
    folder: Path

    async def at_sandbox(self) -> tuple[Path, ...]:
        clock = StageClock(_RealTime(loop=asyncio.get_running_loop()), SystemClock().now_ns())
        return await self._record(clock, self.subject.hosts.sandbox, Basis.SANDBOX)

    async def over_simulator(self) -> tuple[Path, ...]:
        loop = asyncio.get_running_loop()
        if not isinstance(loop, StageLoop):
            raise ConfigurationError("a simulator is played on the loop of the stage")
        clock = StageClock(loop, NOON_NS)
        async with Stage(self.subject, clock, VenueSettings()) as venue:
            endpoints = endpoints_at(self.subject.declared.endpoints, venue.wire.port)
            return await self._record(clock, endpoints, Basis.SIMULATED)

    async def _record(
        self, clock: StageClock, upstreams: Mapping[str, str], provenance: Basis
    ) -> tuple[Path, ...]:
        proxy = RecordingProxy(
            upstreams,
            self._metadata(clock, provenance),
            policy_of(self.subject, self.subject.canaries()),
            sandbox_hosts={urlsplit(url).hostname or "" for url in upstreams.values()},
            clock=clock,
        )
        with Records() as records:
            async with proxy, AsyncExitStack() as stack:
                play = Play(
                    self.subject, self.capabilities, clock, records, endpoints=proxy.endpoints
                )
                stack.push_async_callback(play.close)
                await self._act(play)
            return proxy.save(self.folder)

    async def _act(self, play: Play) -> None:
        try:
            async with asyncio.timeout(self.scenario.deadline_s):
                await self.scenario.act(play)
        except (Abandoned, TimeoutError) as error:
            raise RecordingError(f"{self.scenario.name} came to no end: {error}") from None
        wrong = [f"{one.requirement}: {one.why}" for one in play.checks if not one.held]
        if wrong:
            raise RecordingError(f"{self.scenario.name} does not hold: {'; '.join(wrong)}")

    def _metadata(self, clock: StageClock, provenance: Basis) -> CassetteMetadata:
        return CassetteMetadata(
            provenance=provenance,
            kit=_KIT,
            scenario=self.scenario.name,
            subject=self.subject.name,
            adapter=self.subject.version or "",
            recorded_at=format_time(clock.now_ns()),
            id_seed=_SEED,
            redaction=None,
        )
