"""The `dragoman` command: every verb of a broker, for people and for scripts.

Exit codes, the same for every command:

    0    done
    1    the venue refused it (REJECTED)
    2    the command or the order is wrong; nothing was sent (NOT_SENT)
    3    configuration or credentials
    4    the outcome is UNKNOWN: the order may be live, never send it again
    5    no connection, or the venue can't answer
    6    trading is halted; `dragoman resume` ends it
    7    `--wait` ran out of time; the order is still open
    70   a bug of this program
    130  interrupted
    141  whatever read the output went away

An error is one line on standard error that ends with the next step; with `--json` it is one line
`{"error": {"type", "message", "outcome", "exit_code", "next_step", ...}}`, also on standard error.
Answers go to standard output: tables on a terminal, plain aligned columns over a pipe, one JSON
document with `--json` (`stream --json`: one event for each line).

The packages behind it (cyclopts, rich) are the extra `cli`. Nothing but `main` is here, so that
importing this package costs nothing and a missing extra ends in a sentence, not in a traceback.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

_NEEDED: Final = ("cyclopts", "rich")
_MISSING: Final = (
    'dragoman: the command line needs {}, which is not installed; run: pip install "dragoman[cli]"'
)
_CONFIGURATION: Final = 3
_INTERRUPTED: Final = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code.

    Args:
        arguments: What follows the program's name; None takes it from the process.
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        print(_MISSING.format(" and ".join(missing)), file=sys.stderr)
        return _CONFIGURATION
    if given == ["--version"]:
        from dragoman import __version__  # noqa: PLC0415 - reading it takes longer than the rest

        print(__version__)
        return 0
    try:
        from .app import run_process  # noqa: PLC0415 - the extra is known to be there only now

        return run_process(given)
    except KeyboardInterrupt:
        print("dragoman: interrupted", file=sys.stderr)
        return _INTERRUPTED
