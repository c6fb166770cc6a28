"""The command's tree, and the boundary where every error becomes one line and an exit code."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import os
import sys
import traceback
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cyclopts import App, CycloptsError, Group

from dragoman import __version__
from dragoman.errors import DragomanError

from . import bars, decode, demo, doctor, halting, providers, reading, streaming, trading
from .connection_options import provider_name
from .exit_codes import ExitCode
from .problems import problem_of
from .secret_options import refuse_secrets
from .shell import process_shell

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from importlib.metadata import EntryPoint

    from dragoman.registry import Provider

    from .shell import Shell

__all__ = ["make_app", "run", "run_process"]

COMMANDS: Final = "dragoman.commands"

_HELP: Final = """Speak every broker's language from the command line.

Without a provider, commands speak to the mock venue: no keys, no network, no
real money; it is kept between commands. `dragoman demo` shows an order's life.

Credentials come from environment variables or from profiles, never from the
command line. An error is one line on standard error, with the next step; with
--json, one line of JSON there. Times are in UTC.

Exit codes:
  0    done
  1    refused by the venue (REJECTED)
  2    wrong command or order, nothing was sent (NOT_SENT)
  3    configuration or credentials
  4    outcome UNKNOWN: the order may be live, never send it again
  5    no connection, or the venue can't answer
  6    trading is halted
  7    --wait ran out of time, the order is still open
  70   a bug; DRAGOMAN_DEBUG=1 shows the traceback
  130  interrupted
  141  the reader of the output went away
"""
_GROUPS: Final = (
    ("Look", (reading.account, reading.quote, bars.bars, reading.positions, reading.orders)),
    ("Look", (reading.fills, streaming.stream)),
    ("Trade", (trading.buy, trading.sell, trading.replace, trading.cancel, trading.close)),
    ("Trade", (halting.halt, halting.resume)),
    ("Know", (demo.demo, doctor.doctor, providers.providers, providers.capabilities)),
    ("Know", (decode.decode,)),
)


def make_app(others: Iterable[EntryPoint] | None = None) -> App:
    """Return the tree of all commands.

    Args:
        others: Commands of other packages, imported when they are run; None takes those that are
            installed as entry points of the group `dragoman.commands`.
    """
    app = App(name="dragoman", help=_HELP, version=__version__, help_format="plaintext")
    groups = {name: Group(name, sort_key=place) for place, (name, _) in enumerate(_GROUPS)}
    for name, commands in _GROUPS:
        for command in commands:
            app.command(command, group=groups[name])
    more = Group("More", sort_key=len(_GROUPS))
    for point in entry_points(group=COMMANDS) if others is None else others:
        app.command(point.value, name=point.name, group=more)
    return app


def run_process(arguments: Sequence[str]) -> int:
    """Run a command on this process's standard streams and return its exit code."""
    _replace_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
    try:
        code = run(arguments, process_shell())
        sys.stdout.flush()
    except BrokenPipeError:
        # What is still buffered would fail again, with a traceback, when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.PIPE_CLOSED
    return code


def _replace_closed_streams() -> None:
    """Let a stream that was closed before the start swallow what is written to it."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            nowhere = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - open to the end
            setattr(sys, name, nowhere)


def run(arguments: Sequence[str], shell: Shell) -> int:
    """Run a command and return its exit code; every error is reported, none is raised.

    Raises:
        BrokenPipeError: Whatever read the output went away.
    """
    try:
        refuse_secrets(arguments, _provider_meant(arguments, shell))
        return _run_command(arguments, shell)
    except KeyboardInterrupt:
        shell.note("dragoman: interrupted")
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - the boundary: reported as one line, never lost
        return _report(error, arguments, shell)


def _run_command(arguments: Sequence[str], shell: Shell) -> int:
    app = make_app()
    if not arguments or arguments[0] in app.help_flags:
        _describe_others(app)
    command, bound, to_fill = app.parse_args(
        list(arguments),
        console=shell.out,
        error_console=shell.err,
        print_error=False,
        exit_on_error=False,
    )
    if "shell" in to_fill:
        bound.arguments["shell"] = shell
    result = command(*bound.args, **bound.kwargs)
    if inspect.iscoroutine(result):
        result = asyncio.run(result)
    return int(result or ExitCode.DONE)


def _describe_others(app: App) -> None:
    """Import what other packages add, so that the list of commands can say what each does."""
    for point in entry_points(group=COMMANDS):
        with contextlib.suppress(ImportError):  # it is said when the command is run
            app[point.name]


def _report(error: Exception, arguments: Sequence[str], shell: Shell) -> int:
    command = ""
    if isinstance(error, CycloptsError) and error.command_chain:
        command = " ".join(error.command_chain)
    problem = problem_of(error, command)
    if os.environ.get("DRAGOMAN_DEBUG"):
        shell.err.file.write("".join(traceback.format_exception(error)))
    shell.note(problem.json if "--json" in arguments else problem.line)
    return problem.exit_code


def _provider_meant(arguments: Sequence[str], shell: Shell) -> Provider | None:
    """Return the provider a command is for, if that can be told before it is understood."""
    name: str | None = None
    for before, argument in zip(["", *arguments], arguments, strict=False):
        if before == "--provider":
            name = argument
        elif argument.startswith("--provider="):
            name = argument.partition("=")[2]
    try:
        return shell.find_registry().find(provider_name(name))[1]
    except DragomanError:
        return None
