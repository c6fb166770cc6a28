"""From an error to what the user is told: one line, the next step, an exit code.

The exit code follows what the caller can do next, so the class decides first and the outcome where
a class may have several.
"""

from __future__ import annotations

import json
from typing import Final

import attrs
from cyclopts import CycloptsError

from dragoman.errors import (
    AccountLockedError,
    AuthenticationError,
    BusyError,
    ConfigurationError,
    DragomanError,
    HaltedError,
    JournalUnavailableError,
    LifecycleError,
    LimitExceededError,
    MissingCredentialsError,
    MissingDependencyError,
    NotFoundError,
    OrderRejectedError,
    Outcome,
    OutcomeUnknownError,
    PermissionDeniedError,
    ProtocolError,
    ReconcilingError,
    RequestError,
    TransportError,
    UnknownInstrumentError,
    UnknownProviderError,
    VenueError,
)
from dragoman.models.serde import error_to_plain

from .exit_codes import ExitCode
from .wording import printable

__all__ = ["Problem", "StillOpenError", "problem_of", "worst"]


class StillOpenError(Exception):
    """A wait ran out of time; what was waited for may still happen."""


_CODES: Final[tuple[tuple[type[DragomanError], ExitCode], ...]] = (
    (HaltedError, ExitCode.HALTED),
    (OutcomeUnknownError, ExitCode.UNKNOWN),
    (ConfigurationError, ExitCode.CONFIGURATION),
    (AuthenticationError, ExitCode.CONFIGURATION),
    (PermissionDeniedError, ExitCode.CONFIGURATION),
    (JournalUnavailableError, ExitCode.CONFIGURATION),
    (RequestError, ExitCode.NOT_SENT),
    (VenueError, ExitCode.REJECTED),
    (LifecycleError, ExitCode.UNAVAILABLE),
    (TransportError, ExitCode.UNAVAILABLE),
    (BusyError, ExitCode.UNAVAILABLE),
    (ProtocolError, ExitCode.UNAVAILABLE),
)
_STEPS: Final[tuple[tuple[type[DragomanError], str], ...]] = (
    (HaltedError, "`dragoman resume` lets trading go on"),
    (OutcomeUnknownError, "never send it again; `dragoman orders --all` shows what became of it"),
    (UnknownProviderError, "`dragoman providers` lists what is installed"),
    (
        MissingCredentialsError,
        "set it there; `dragoman doctor --provider NAME` shows what is found",
    ),
    (MissingDependencyError, "run that line, then try again"),
    (ConfigurationError, "correct it; `dragoman doctor` shows where settings come from"),
    (AuthenticationError, "check the key and its environment; `dragoman doctor` shows its source"),
    (PermissionDeniedError, "ask the venue to allow it for this key"),
    (UnknownInstrumentError, "check the symbol's spelling at this provider"),
    (LimitExceededError, "make the order smaller, or raise the limit"),
    (RequestError, "correct it, then try again; nothing was sent"),
    (OrderRejectedError, "nothing is open from it; change the order, or see `dragoman account`"),
    (NotFoundError, "`dragoman orders --all` and `dragoman positions` list what there is"),
    (VenueError, "`dragoman orders` shows how things stand"),
    (AccountLockedError, "end the other process first"),
    (ReconcilingError, "try again in a moment; nothing was sent"),
    (LifecycleError, "try again; nothing was sent"),
    (JournalUnavailableError, "make that place writable, or name another with --state-dir DIR"),
    (BusyError, "wait, then try again"),
    (TransportError, "check the network, then try again"),
    (ProtocolError, "try again; if it stays, report it with DRAGOMAN_DEBUG=1"),
)
_SPELLINGS: Final = (
    ("choose one with account_id=", "choose one with --account"),
    ("name it in allow_hosts", "name it with --allow-host"),
    ("or name another state_file", "or keep another venue with --state-dir DIR"),
    ("trading is halted in this process only:", "trading is NOT halted:"),
    ("resume() ends it", "it stays so until it is resumed"),
    ("; for all accounts, until `dragoman resume`", "; it stays so until all accounts are resumed"),
)
_SEVERITY: Final = (
    ExitCode.UNKNOWN,
    ExitCode.UNAVAILABLE,
    ExitCode.HALTED,
    ExitCode.CONFIGURATION,
    ExitCode.NOT_SENT,
    ExitCode.REJECTED,
)


@attrs.frozen(kw_only=True)
class Problem:
    """What went wrong, what to do, and the exit code that says so."""

    exit_code: ExitCode
    message: str
    next_step: str
    facts: dict[str, object] = attrs.field(factory=dict[str, object])

    @property
    def line(self) -> str:
        """The problem as one line of text."""
        return printable(f"dragoman: {self.message}. Next: {self.next_step}")

    @property
    def json(self) -> str:
        """The problem as one line of JSON."""
        told = {"exit_code": int(self.exit_code), "next_step": self.next_step}
        return json.dumps({"error": {**self.facts, "message": self.message, **told}})


def problem_of(error: Exception, command: str = "") -> Problem:
    """Return what to say about an error.

    Args:
        error: Anything that ended a command.
        command: The command, for the pointer to its help.
    """
    if isinstance(error, DragomanError):
        return _of_library(error)
    if isinstance(error, CycloptsError):
        help_line = " ".join(["dragoman", *command.split(), "--help"])
        return _problem(error, ExitCode.NOT_SENT, str(error), f"`{help_line}` shows how it is used")
    if isinstance(error, StillOpenError):
        step = "`dragoman orders` shows it, `dragoman cancel ID` takes it back"
        return _problem(error, ExitCode.STILL_OPEN, str(error), step)
    if isinstance(error, OSError):
        step = "check the place, its permissions and the space there"
        return _problem(error, ExitCode.CONFIGURATION, str(error), step)
    message = f"a bug in dragoman: {type(error).__name__}: {error}"
    step = "set DRAGOMAN_DEBUG=1 to see the traceback, and report it"
    return _problem(error, ExitCode.BUG, message, step)


def worst(errors: list[DragomanError]) -> ExitCode:
    """Return the exit code of the error that matters most; DONE for none."""
    codes = {_of_library(error).exit_code for error in errors}
    return next((code for code in _SEVERITY if code in codes), ExitCode.DONE)


def _of_library(error: DragomanError) -> Problem:
    code = next((code for kind, code in _CODES if isinstance(error, kind)), ExitCode.UNAVAILABLE)
    step = next((step for kind, step in _STEPS if isinstance(error, kind)), "try again")
    if code is ExitCode.REJECTED and error.outcome is Outcome.NOT_SENT:
        code = ExitCode.NOT_SENT
    if error.outcome is Outcome.UNKNOWN:
        code = ExitCode.UNKNOWN
        step = next(step for kind, step in _STEPS if kind is OutcomeUnknownError)
    message = _spoken(error.message)
    if isinstance(error, OrderRejectedError) and error.reason not in message:
        message = f"{message} ({error.reason})"
    return Problem(
        exit_code=code,
        message=message,
        next_step=step,
        facts={**error_to_plain(error)},
    )


def _problem(error: Exception, code: ExitCode, message: str, step: str) -> Problem:
    facts: dict[str, object] = {"type": type(error).__name__, "outcome": None}
    return Problem(exit_code=code, message=_sentence(message), next_step=step, facts=facts)


def _spoken(message: str) -> str:
    """Put what the library says of its arguments into the words of the command line."""
    for ours, spoken in _SPELLINGS:
        message = message.replace(ours, spoken)
    return _sentence(message)


def _sentence(message: str) -> str:
    """Leave off the full stop, but no ellipsis."""
    return message if message.endswith("...") else message.removesuffix(".")
