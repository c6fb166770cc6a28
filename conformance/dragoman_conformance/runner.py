"""Playing scenarios in this process, and what their endings mean."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Final, TypeVar

import attrs

from dragoman.errors import ConfigurationError
from dragoman.paper.settings import VenueSettings

from .guard import NetworkForbidden, NetworkGuard
from .play import Abandoned, Play
from .replaying import findings_of, recording_of
from .scenario import Need
from .stage.clock import StageClock
from .stage.loop import StageLoop, StuckError, run_on_stage
from .stage.records import Records
from .stage.stage import NoVenueError, Stage
from .traffic import shown_traffic
from .verdicts import Basis, Check, Ending, ScenarioResult

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from dragoman.capabilities import Capabilities

    from .scenario import Scenario
    from .subject import Subject

__all__ = ["declared_by", "play_all", "play_by_hand", "play_one"]

Answer = TypeVar("Answer")

_CLOSING_S: Final = 120.0


def play_all(subject: Subject, scenarios: Iterable[Scenario]) -> tuple[ScenarioResult, ...]:
    """Play scenarios one after the other, and return their results by name."""
    played = [play_one(subject, one) for one in scenarios]
    return tuple(sorted(played, key=lambda result: result.scenario))


def play_one(subject: Subject, scenario: Scenario) -> ScenarioResult:
    """Play one scenario on a loop of its own.

    Never raises: whatever the subject does is a result, and so is what goes wrong in the kit.
    """
    started = time.perf_counter()  # durations are told, and no part of a verdict
    try:
        with NetworkGuard() as guard:
            result = run_on_stage(_play_everywhere(subject, scenario, guard))
    except StuckError as error:
        result = _result(scenario, Ending.HUNG, str(error))
    except Exception as error:  # noqa: BLE001 - what is left is the kit's own
        result = _result(scenario, Ending.BROKEN, _told(error))
    return attrs.evolve(result, seconds=time.perf_counter() - started)


def play_by_hand(subject: Subject, act: Callable[[Play], Awaitable[Answer]]) -> Answer:
    """Do something with a subject on the stage, and return what it returns.

    Raises:
        DragomanError: Whatever the subject raises.
    """

    async def do() -> Answer:
        with Records() as records:
            play = Play(subject, await _declared(subject), _clock(), records)
            try:
                return await act(play)
            finally:
                await play.close()

    with NetworkGuard():
        return run_on_stage(do())


def declared_by(subject: Subject) -> Capabilities:
    """Return what a subject declares, asked of its adapter without opening it.

    Raises:
        DragomanError: The adapter can't be made.
        NetworkForbidden: Making it reached for the network.
    """

    async def ask() -> Capabilities:
        stage = Stage(subject, _clock(), VenueSettings())
        adapter = stage.make_adapter()
        try:
            return adapter.capabilities
        finally:
            await adapter.aclose()

    with NetworkGuard():
        return run_on_stage(ask())


async def _play_everywhere(
    subject: Subject, scenario: Scenario, guard: NetworkGuard
) -> ScenarioResult:
    """Play a scenario on what stands in for the venue, and on what was recorded of it."""
    recording = None if Need.VENUE in scenario.needs else recording_of(subject, scenario)
    lacking = _lacking(subject, scenario)
    if recording is None:
        return lacking or await _play(subject, scenario, guard, _clock())
    if lacking is not None and lacking.ending is not Ending.NO_EVIDENCE:
        return lacking
    clock = recording.clock()
    async with recording.server(subject, clock) as server:
        replayed = await _play(subject, scenario, guard, clock, upstream=server.port)
    replayed = attrs.evolve(
        replayed, basis=recording.basis, checks=(*replayed.checks, *findings_of(server))
    )
    if lacking is not None or (subject.simulator is None and subject.in_process is None):
        return replayed
    return _joined(await _play(subject, scenario, guard, _clock()), replayed)


def _joined(simulated: ScenarioResult, replayed: ScenarioResult) -> ScenarioResult:
    """Return the result of both ways to play a scenario: it must hold in each."""
    worse = simulated if simulated.ending is not Ending.COMPLETE else replayed
    return attrs.evolve(
        replayed,
        ending=worse.ending,
        message=worse.message,
        checks=(*simulated.checks, *replayed.checks),
    )


async def _play(
    subject: Subject,
    scenario: Scenario,
    guard: NetworkGuard,
    clock: StageClock,
    *,
    upstream: int | None = None,
) -> ScenarioResult:
    with Records() as records:
        try:
            capabilities = await _declared(subject)
        except (Exception, NetworkForbidden) as error:  # noqa: BLE001 - the adapter's own failure
            return _result(scenario, Ending.RAISED, f"declaring: {_told(error)}")
        if scenario.when is not None and not scenario.when(capabilities):
            return _result(scenario, Ending.NOT_DECLARED, "the subject does not declare it")
        play = Play(subject, capabilities, clock, records, upstream=upstream)
        ending, message = await _act(play, scenario)
        exchanges = shown_traffic(subject, play.wire) if play.has_wire else ()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSING_S):
                await play.close()
    result = _result(scenario, ending, message, basis=play.basis)
    checks = (*play.checks, *_universal(play, guard))
    return attrs.evolve(result, checks=checks, exchanges=exchanges)


async def _act(play: Play, scenario: Scenario) -> tuple[Ending, str]:
    """Play the scenario to its end, and say which that was."""
    try:
        async with asyncio.timeout(scenario.deadline_s):
            await scenario.act(play)
    except Abandoned as reason:
        return Ending.RAISED, str(reason)
    except TimeoutError:
        message = f"not done within {scenario.deadline_s:.0f} s of virtual time"
        _blame(play, scenario, message)
        return Ending.HUNG, message
    except NoVenueError:
        return Ending.NO_EVIDENCE, "no simulator, and no recording"
    except (Exception, NetworkForbidden) as error:  # noqa: BLE001 - whatever the subject lets out is a finding
        _blame(play, scenario, _told(error))
        return Ending.RAISED, _told(error)
    return Ending.COMPLETE, ""


def _blame(play: Play, scenario: Scenario, why: str) -> None:
    """Fail what was looked at last: the scenario was about to see more of it."""
    seen = [one.requirement for one in play.checks if one.requirement in scenario.proves]
    if seen:
        play.check(seen[-1], held=False, why=why)


def _lacking(subject: Subject, scenario: Scenario) -> ScenarioResult | None:
    """Return the result of a scenario that can't be played on the subject."""
    if scenario.fits is not None and not scenario.fits(subject):
        return _result(scenario, Ending.NOT_DECLARED, "the subject is not of that kind")
    if subject.in_process is not None:
        if Need.WIRE in scenario.needs:
            return _result(scenario, Ending.NO_WIRE, "the subject works in this process")
        return None
    if subject.simulator is None and Need.VENUE in scenario.needs:
        return _result(scenario, Ending.NO_EVIDENCE, "no simulator, and no recording")
    return None


async def _declared(subject: Subject) -> Capabilities:
    adapter = Stage(subject, _clock(), VenueSettings()).make_adapter()
    try:
        return adapter.capabilities
    finally:
        await adapter.aclose()


def _universal(play: Play, guard: NetworkGuard) -> list[Check]:
    """Return what must never happen, whatever is played: here only what did happen."""
    found: list[Check] = []
    secrets = [value for value in play.subject.canaries().values() if value in play.records.text]
    if secrets:
        found.append(Check(requirement="SEC-030", held=False, why="a credential was logged"))
    if guard.attempts:
        why = f"reached past the endpoints it was given: {guard.attempts[0]}"
        found.append(Check(requirement="CFG-040", held=False, why=why))
    return found


def _result(
    scenario: Scenario,
    ending: Ending,
    message: str = "",
    *,
    basis: Basis = Basis.SIMULATED,
) -> ScenarioResult:
    return ScenarioResult(
        scenario=scenario.name,
        ending=ending,
        basis=basis,
        proves=scenario.proves,
        message=message,
    )


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:500]


def _clock() -> StageClock:
    loop = asyncio.get_running_loop()
    if not isinstance(loop, StageLoop):
        raise ConfigurationError("scenarios are played on the loop of the stage")
    return StageClock(loop)
