"""Playing scenarios in processes of their own: a subject may hang or die, and nothing is lost.

Each worker plays one scenario after the other. One that takes too long by the wall clock is killed
and the scenario HUNG; one that dies fails the scenario it was at; a fresh one goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import tempfile
from collections import deque
from typing import IO, TYPE_CHECKING, Final, Self

import msgspec

from dragoman.errors import ConfigurationError

from .verdicts import Basis, Ending, ScenarioResult
from .worker import Answer, Command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .report.build import Facts
    from .scenario import Scenario

__all__ = ["Pool"]

_LONGEST_LINE: Final = 1 << 26
_LOADING_S: Final = 60.0
_ENDING_S: Final = 5.0
_MOST_HUNG: Final = 3
_TAIL: Final = 2000
_PROGRAM: Final = ("-m", "dragoman_conformance.worker")


class Pool:
    """Processes that play one subject; closed, none of them is left.

    After three scenarios that took too long, no more are played: the subject hangs, and the rest
    are HUNG too.

    Args:
        subject: Its name or `module:attribute`. Workers find it, this process never imports it.
        workers: How many processes play.
        deadline_s: How long a scenario may take, in wall time.
    """

    def __init__(self, subject: str, *, workers: int = 2, deadline_s: float = 60.0) -> None:
        self._subject = subject
        self._workers = workers
        self._deadline_s = deadline_s
        self._idle: list[_Worker] = []
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def facts(self) -> Facts:
        """Return the facts of the subject.

        Raises:
            ConfigurationError: There is no such subject, or it can't be loaded.
        """
        worker = await self._worker()
        self._idle.append(worker)
        return worker.facts

    async def play(
        self, scenarios: Iterable[Scenario], on_result: Callable[[ScenarioResult], None]
    ) -> tuple[ScenarioResult, ...]:
        """Play scenarios and return their results by name, whatever order they ended in.

        Args:
            scenarios: What is played.
            on_result: Is told each result as it comes.

        Raises:
            ConfigurationError: The subject can't be loaded.
        """
        shift = _Shift(deque(scenarios), on_result)
        count = max(1, min(self._workers, len(shift.left)))
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(count):
                    group.create_task(self._work(shift))
        except* ConfigurationError as errors:
            raise errors.exceptions[0] from None
        return tuple(sorted(shift.results, key=lambda result: result.scenario))

    async def _work(self, shift: _Shift) -> None:
        """Play what is left, with a fresh worker whenever the last one is gone."""
        while shift.left:
            worker = await self._worker()
            while shift.left and worker.is_alive:
                scenario = shift.left.popleft()
                if shift.hung >= _MOST_HUNG:
                    message = f"not played: {_MOST_HUNG} scenarios hung before it"
                    shift.note(_told(scenario, Ending.HUNG, message))
                    continue
                result = await worker.play(scenario, self._deadline_s)
                shift.hung += result.ending is Ending.HUNG and not worker.is_alive
                shift.note(result)
            await worker.aclose()

    async def _worker(self) -> _Worker:
        """Return a worker that has loaded the subject: an idle one, or a fresh one."""
        if self._idle:
            return self._idle.pop()
        worker = _Worker(self._subject)
        self._stack.push_async_callback(worker.aclose)
        await worker.load()
        return worker


class _Shift:
    """What is left to play, and what was played."""

    def __init__(self, left: deque[Scenario], on_result: Callable[[ScenarioResult], None]) -> None:
        self.left = left
        self.results: list[ScenarioResult] = []
        self.hung = 0
        self._on_result = on_result

    def note(self, result: ScenarioResult) -> None:
        self.results.append(result)
        self._on_result(result)


class _Worker:
    """One process, which is killed when it is closed."""

    def __init__(self, subject: str) -> None:
        self._subject = subject
        self._stack = contextlib.AsyncExitStack()
        self._process: asyncio.subprocess.Process | None = None
        self._errors: IO[bytes] | None = None
        self._facts: Facts | None = None
        self.is_alive = False

    @property
    def facts(self) -> Facts:
        """What it told of the subject when it loaded it."""
        if self._facts is None:
            raise LookupError("the subject was not loaded")
        return self._facts

    async def aclose(self) -> None:
        """End the process, if it lives. Idempotent."""
        await self._stack.aclose()

    async def load(self) -> None:
        """Start the process and have it load the subject.

        Raises:
            ConfigurationError: The subject can't be loaded.
        """
        self._errors = self._stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - the stack closes it
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *_PROGRAM,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=self._errors,
            limit=_LONGEST_LINE,
            # Sets are walked in the same order in every run, so that every run finds the same.
            env={**os.environ, "PYTHONHASHSEED": "0"},
        )
        self._stack.push_async_callback(self._end)
        self.is_alive = True
        try:
            async with asyncio.timeout(_LOADING_S):
                answer = await self._ask(Command(load=self._subject))
        except TimeoutError:
            message = f"loading subject {self._subject!r} took more than {_LOADING_S:.0f} s"
            raise ConfigurationError(message) from None
        if answer is None or answer.facts is None:
            told = self._last_words() if answer is None else answer.error
            raise ConfigurationError(f"subject {self._subject!r} can't be loaded: {told}")
        self._facts = answer.facts

    async def play(self, scenario: Scenario, deadline_s: float) -> ScenarioResult:
        """Return what a scenario showed, even if the process does not live to tell it."""
        try:
            async with asyncio.timeout(deadline_s):
                answer = await self._ask(Command(play=scenario.name))
        except TimeoutError:
            self.is_alive = False
            message = f"not done within {deadline_s:.0f} s of wall time: it blocks the event loop"
            return _told(scenario, Ending.HUNG, message)
        if answer is None:
            message = f"the process ended while it was played: {self._last_words()}"
            return _told(scenario, Ending.RAISED, message)
        if answer.result is None:
            return _told(scenario, Ending.BROKEN, answer.error or "the worker said nothing")
        return answer.result

    async def _ask(self, command: Command) -> Answer | None:
        """Send one command and return its answer; None if the process ended instead."""
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            return None
        try:
            process.stdin.write(msgspec.json.encode(command) + b"\n")
            await process.stdin.drain()
            line = await process.stdout.readline()
        except ConnectionError:
            line = b""
        if not line.endswith(b"\n"):
            self.is_alive = False
            with contextlib.suppress(TimeoutError):  # until its last words are written
                async with asyncio.timeout(_ENDING_S):
                    await process.wait()
            return None
        return msgspec.json.decode(line, type=Answer)

    def _last_words(self) -> str:
        """Return the last line the process wrote to standard error."""
        if self._errors is None:
            return "nothing was said"
        self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, self._errors.tell() - _TAIL))
        lines = self._errors.read().decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "nothing was said")

    async def _end(self) -> None:
        process = self._process
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _told(scenario: Scenario, ending: Ending, message: str) -> ScenarioResult:
    return ScenarioResult(
        scenario=scenario.name,
        ending=ending,
        basis=Basis.SIMULATED,
        proves=scenario.proves,
        message=message,
    )
