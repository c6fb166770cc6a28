"""Where a command reads and writes: the terminal or the pipes, handed to every command."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Final, NoReturn, TextIO

import attrs
from cyclopts import Parameter
from rich.console import Console
from rich.text import Text

from dragoman.adapter import Environment
from dragoman.errors import RequestError
from dragoman.registry import Registry, installed
from dragoman.times import Clock, SystemClock

from .output import draw, json_text, plain_lines
from .wording import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dragoman.broker import Broker

    from .output import Sheet

__all__ = ["Shell", "ShellParameter", "process_shell"]

_CHUNK: Final = 1 << 16
_YES: Final = frozenset({"y", "yes"})


class _PipeConsole(Console):
    """A console that leaves a closed pipe to whoever runs the command."""

    def on_broken_pipe(self) -> NoReturn:
        """Pass the error on."""
        raise BrokenPipeError


def _console(file: TextIO) -> Console:
    is_terminal = file.isatty()
    return _PipeConsole(
        file=file,
        force_terminal=is_terminal,
        no_color=None if is_terminal else True,
        markup=False,
        highlight=False,
        emoji=False,
    )


def _read_bytes(most: int) -> bytes:
    """Read standard input to its end, or until more than `most` bytes have come."""
    found = bytearray()
    if sys.stdin is None:  # closed before the start
        return b""
    while len(found) <= most:
        chunk = sys.stdin.buffer.read(min(_CHUNK, most + 1 - len(found)))
        if not chunk:
            break
        found += chunk
    return bytes(found)


@attrs.frozen(kw_only=True)
class Shell:
    """The ends a command is connected to.

    `is_live` says whether the answer goes to a terminal that can be drawn on again and again;
    `can_ask` whether somebody is there to answer a question. `read_bytes` reads what is piped in,
    to its end or one byte beyond the limit it is given.
    """

    out: Console
    err: Console
    is_live: bool
    can_ask: bool
    read_line: Callable[[], str]
    find_registry: Callable[[], Registry]
    clock: Clock
    read_bytes: Callable[[int], bytes] = _read_bytes

    def line(self, text: str = "") -> None:
        """Write one line of the answer, as it is."""
        self.out.file.write(f"{printable(text)}\n")

    def note(self, text: str) -> None:
        """Write one line for the person who runs the command, beside the answer."""
        self.err.file.write(f"{printable(text)}\n")
        self.err.file.flush()

    def sheet(self, sheet: Sheet) -> None:
        """Write a table."""
        if self.out.is_terminal:
            draw(self.out, sheet)
            return
        for line in plain_lines(sheet):
            self.line(line)

    def heading(self, broker: Broker) -> None:
        """Write whose money is meant."""
        text = f"{broker.provider} ({broker.environment}), account {broker.account_id}"
        if self.out.is_terminal:
            style = "bold red" if broker.environment is Environment.LIVE else "bold"
            self.out.print(Text(printable(text), style=style))
        else:
            self.line(text)

    def answer_json(self, broker: Broker, facts: Mapping[str, object]) -> None:
        """Write the answer as one JSON document that names provider, environment and account."""
        origin = {
            "provider": broker.provider,
            "environment": broker.environment,
            "account_id": broker.account_id,
        }
        self.line(json_text({**origin, **facts}))

    def check_can_confirm(self, environment: Environment, *, yes: bool) -> None:
        """Refuse a command on real money that nobody can confirm.

        Raises:
            RequestError: There is no terminal to ask on and no `--yes` (NOT_SENT).
        """
        if environment is Environment.LIVE and not yes and not self.can_ask:
            message = "this trades with real money and there is no terminal to ask on; add --yes"
            raise RequestError(message)

    def confirm(self, broker: Broker, what: str, *, yes: bool) -> None:
        """Ask before real money is risked; says nothing where it is not.

        Raises:
            RequestError: The answer was no (NOT_SENT).
        """
        if broker.environment is not Environment.LIVE or yes:
            return
        where = f"{broker.provider} (LIVE), account {broker.account_id}"
        self.err.file.write(printable(f"Real money: {where}: {what}. Go on? [y/N] "))
        self.err.file.flush()
        if self.read_line().strip().lower() not in _YES:
            raise RequestError("it was not confirmed")


ShellParameter = Annotated[Shell, Parameter(parse=False)]
"""The shell of the running command; never read from the command line."""


def _read_line() -> str:
    """Read an answer; an interrupt ends the command at once, not after the line."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return sys.stdin.readline()
    finally:
        signal.signal(signal.SIGINT, before)


def process_shell() -> Shell:
    """Return the shell of this process: its standard streams."""
    out, err = _console(sys.stdout), _console(sys.stderr)
    return Shell(
        out=out,
        err=err,
        is_live=sys.stdout.isatty() and not out.is_dumb_terminal,
        can_ask=sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty(),
        read_line=_read_line,
        find_registry=installed,
        clock=SystemClock(),
    )
