"""The commands of the kit that a contributor lives with: `conform` and `new-adapter`."""

from __future__ import annotations

import json as json_module
import os
import re
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Final

import attrs
from cyclopts import Parameter
from rich.text import Text

from dragoman.cli.problems import problem_of
from dragoman.cli.shell import Shell, ShellParameter
from dragoman.cli.wording import printable
from dragoman.errors import (
    ConfigurationError,
    DragomanError,
    MissingDependencyError,
    RequestError,
)
from dragoman.times import to_datetime

from .catalogue import EDITION, Level
from .levels import ExitCode
from .report.events import EventLog
from .report.folder import EVENTS, write_folder, write_page
from .report.html import Column
from .report.markdown import markdown
from .report.matrix import exit_code
from .report.terminal import terminal_lines

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from .certify import Certified, Plan
    from .report.model import Report
    from .verdicts import ScenarioResult

__all__ = ["answered", "check_packages", "conform", "new_adapter", "reported"]

_NEEDED: Final = ("hypothesis", "vcr", "yaml")
_PIP_LINE: Final = 'the test kit needs {}; run: pip install "dragoman[conformance]"'
_TONES: Final = {
    "PASS": "green",
    "FAIL": "bold red",
    "STALE": "bold red",
    "UNTESTED": "red",
    "HARNESS": "reverse",
    "WARN": "yellow",
    "KNOWN": "magenta",
}
_WIDE: Final = 160
_SUMMARY: Final = "GITHUB_STEP_SUMMARY"
_MUTE: Final = "the subject could not say what it declares: mend that first, nothing else counts"
_RED: Final = "the declaration stands; what is red above is the adapter's own"
_SOUND: Final = "the declaration stands, and nothing is wrong so far"


async def conform(
    *names: Annotated[
        str, Parameter(metavar="NAME", help="A subject, a provider of it, or module:attribute.")
    ],
    level: Annotated[
        Level | None, Parameter(help="The level that is asked for; else the highest there is.")
    ] = None,
    edition: Annotated[str, Parameter(help="What is scored.")] = EDITION,
    report: Annotated[
        Path | None, Parameter(metavar="DIR", help="Where JSON, HTML, JUnit and badge are put.")
    ] = None,
    expression: Annotated[
        str | None, Parameter(name=["-k"], metavar="EXPR", help="Play what this names only.")
    ] = None,
    smoke: Annotated[
        bool,
        Parameter(negative="", show_default=False, help="Play the few that tell what is broken."),
    ] = False,
    known: Annotated[
        Path | None, Parameter(metavar="FILE", help="Known failures; else the subject's own.")
    ] = None,
    workers: Annotated[int, Parameter(help="How many processes play.")] = 2,
    json: Annotated[
        bool, Parameter(negative="", show_default=False, help="Write the report as JSON.")
    ] = False,
    shell: ShellParameter,
) -> int:
    """Put adapters to the test, offline, and say which level each has reached.

    It needs no keys and no network. With --json each subject is one line.

    Exit codes:
      0  conformant: at --level or, without it, with nothing red
      1  not conformant
      2  the command, the declaration or a file is wrong
      3  the kit itself is broken, which says nothing of the adapter
    """
    wanted = _Wanted(
        names=names,
        level=level,
        edition=edition,
        expression=expression,
        is_smoke=smoke,
        known=known,
        workers=workers,
    )
    output = _Output(shell=shell, folder=report, as_json=json)
    return await answered(_conform(wanted, output), shell, as_json=json)


async def new_adapter(
    name: Annotated[str, Parameter(help="What the adapter is called, such as acme.")],
    /,
    *,
    folder: Annotated[
        Path, Parameter(name=["--in"], metavar="DIR", help="Where its folder is put.")
    ] = Path(),
    shell: ShellParameter,
) -> int:
    """Make a folder for an adapter of your own, which installs, and fails for the right reasons.

    It has everything but the venue: fill it in until `dragoman conform NAME` is green.
    """
    return await answered(_new_adapter(name, folder, shell), shell)


async def answered(work: Awaitable[int], shell: Shell, *, as_json: bool = False) -> int:
    """Return the exit code of some work; an error is told in one line and is one of the kit's."""
    try:
        return await work
    except (ConfigurationError, RequestError, OSError) as error:
        return reported(error, shell, ExitCode.USAGE, as_json=as_json)
    except DragomanError as error:
        return reported(error, shell, ExitCode.HARNESS, as_json=as_json)


def reported(error: Exception, shell: Shell, code: ExitCode, *, as_json: bool = False) -> int:
    """Tell an error in one line on standard error and return the exit code."""
    problem = problem_of(error)
    if as_json:
        facts = {**problem.facts, "message": problem.message, "exit_code": int(code)}
        shell.note(json_module.dumps({"error": facts}))
    else:
        shell.note(f"dragoman: {problem.message}")
    return code


@attrs.frozen(kw_only=True)
class _Wanted:
    """What the command line says, before anything heavy is imported."""

    names: tuple[str, ...]
    level: Level | None
    edition: str
    expression: str | None
    is_smoke: bool
    known: Path | None
    workers: int

    def plan(self) -> Plan:
        from .certify import Plan  # noqa: PLC0415 - help is shown without it

        return Plan(
            edition=self.edition,
            requested=self.level,
            expression=self.expression,
            is_smoke=self.is_smoke,
            known=self.known,
            workers=self.workers,
        )


@attrs.frozen(kw_only=True)
class _Output:
    """Where a run's answers go."""

    shell: Shell
    folder: Path | None
    as_json: bool

    def folder_of(self, name: str, *, is_only: bool) -> Path | None:
        """Return where the report of one subject is put; None for nowhere."""
        if self.folder is None or is_only:
            return self.folder
        return self.folder / re.sub(r"[^\w.-]", "_", name)

    def show(self, report: Report) -> None:
        """Write a report where the command's answer goes."""
        if self.as_json:
            from .report.model import write_line  # noqa: PLC0415 - as above

            self.shell.line(write_line(report))
            return
        console = self.shell.out
        wide = console.width if console.is_terminal else _WIDE
        for line in terminal_lines(report, width=wide):
            if not console.is_terminal:
                self.shell.line(line)
                continue
            text = Text(printable(line))
            for word, tone in _TONES.items():
                text.highlight_words([word], tone)
            console.print(text, soft_wrap=True)


async def _conform(wanted: _Wanted, output: _Output) -> int:
    check_packages()
    if not wanted.names:
        raise ConfigurationError(f"name what is put to the test; installed: {_installed()}")
    is_only = len(wanted.names) == 1
    codes: list[ExitCode] = []
    columns: list[Column] = []
    for name in wanted.names:
        certified = await _certified(name, wanted, output, is_only=is_only)
        output.show(certified.report)
        _say_smoke(certified, wanted, output)
        columns.append(Column(report=certified.report, exchanges=certified.exchanges))
        codes.append(exit_code(certified.report))
    if output.folder is not None:
        write_page(output.folder / "report.html", columns)
    _summarize(columns)
    return max(codes)


async def _certified(name: str, wanted: _Wanted, output: _Output, *, is_only: bool) -> Certified:
    """Put one subject to the test, and leave its files behind."""
    from .certify import certify  # noqa: PLC0415 - as above

    folder = output.folder_of(name, is_only=is_only)
    today = to_datetime(output.shell.clock.now_ns()).date()
    with ExitStack() as stack:
        log = None if folder is None else EventLog(stack.enter_context(_opened(folder / EVENTS)))
        watch = _Watch(name, output.shell, log)
        certified = await certify(
            name, wanted.plan(), today, on_start=watch.started, on_result=watch.played
        )
        watch.done(certified.report)
    if folder is not None:
        write_folder(folder, certified.report, certified.exchanges)
    return certified


class _Watch:
    """Tells how a run goes on: on the terminal, and in the event log."""

    def __init__(self, name: str, shell: Shell, log: EventLog | None) -> None:
        self._name = name
        self._shell = shell
        self._log = log
        self._of = 0
        self._played = 0

    def started(self, scenarios: int) -> None:
        self._of = scenarios
        if self._log is not None:
            self._log.started(self._name, scenarios)

    def played(self, result: ScenarioResult) -> None:
        self._played += 1
        if self._log is not None:
            self._log.played(result)
        self._draw(f"{self._name}: {self._played}/{self._of} {result.scenario}")

    def done(self, report: Report) -> None:
        self._draw("")
        if self._log is not None:
            self._log.decided(report)

    def _draw(self, text: str) -> None:
        if self._shell.err.is_terminal:
            self._shell.err.file.write(f"\r\x1b[K{printable(text)[:100]}")
            self._shell.err.file.flush()


async def _new_adapter(name: str, folder: Path, shell: Shell) -> int:
    from .scaffold import create, hint  # noqa: PLC0415 - as above

    made = create(name, folder)
    shell.line(f"made {made}")
    for line in hint(name, made):
        shell.line(line)
    return ExitCode.CONFORMANT


def _opened(file: Path) -> IO[bytes]:
    file.parent.mkdir(parents=True, exist_ok=True)
    return file.open("wb")


def check_packages() -> None:
    """Look whether the packages of the extra are installed.

    Raises:
        MissingDependencyError: One is not; the message holds the pip line.
    """
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise MissingDependencyError(_PIP_LINE.format(" and ".join(missing)))


def _installed() -> str:
    from .subject import known_subjects  # noqa: PLC0415 - as above

    return ", ".join(known_subjects()) or "none"


def _say_smoke(certified: Certified, wanted: _Wanted, output: _Output) -> None:
    if not wanted.is_smoke or output.as_json:
        return
    if not certified.report.capabilities.names:
        output.shell.line(_MUTE)
    else:
        is_sound = exit_code(certified.report) is ExitCode.CONFORMANT
        output.shell.line(_SOUND if is_sound else _RED)


def _summarize(columns: Sequence[Column]) -> None:
    """Add the reports to the summary of the CI job, where there is one."""
    place = os.environ.get(_SUMMARY)
    if place:
        with Path(place).open("a", encoding="utf-8") as file:
            file.write("\n".join(markdown(column.report) for column in columns))
