"""The switch that stops trading.

Set from any thread in an instant, checked last before anything is sent.
"""

from __future__ import annotations

import json
import os
import threading
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import attrs

from dragoman.errors import HaltedError, JournalUnavailableError
from dragoman.permits import SendPermit
from dragoman.times import format_time

from .markers import is_marked, marked_cause, put_marker, take_marker_away

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

__all__ = ["HaltReport", "HaltSwitch", "halt_marker", "halt_markers"]

_closing: Final[ContextVar[HaltSwitch | None]] = ContextVar("closing under a halt", default=None)


@attrs.frozen(kw_only=True)
class HaltReport:
    """What a halt found and did. It never claims more than was proved.

    `open_orders` are those not known to have ended, `unknown` those among them the venue has said
    nothing about: each may be live. `sent` are those on their way of which bytes were written;
    `unsent`, which are in no other list, those of which none were: none will be. `open_positions`
    are the positions as last seen; none is no proof of being flat. `is_flat` says whether the venue
    has proved, after everything was canceled, that nothing works and nothing is held. `problems`
    are what went wrong on the way there.
    """

    halted_at_ns: int
    cause: str
    open_orders: tuple[str, ...]
    unknown: tuple[str, ...]
    open_positions: tuple[str, ...]
    sent: tuple[str, ...] = ()
    unsent: tuple[str, ...] = ()
    is_flat: bool = False
    problems: tuple[str, ...] = ()


class HaltSwitch:
    """Whether trading is halted: in this process and, with a marker, in all that share the file.

    Once `set` has returned, no permit of this switch lets a first byte be written: both take the
    same lock. A marker that another process sets is seen by the next permit that is used, however
    long the order had waited for its turn by then.

    Args:
        marker: The file that is set and cleared; None keeps the halt in this process.
        wider: A file that halts as well, but is neither set nor cleared here: that of all accounts.
    """

    def __init__(self, marker: Path | None = None, wider: Path | None = None) -> None:
        self._marker = marker
        self._own_path = None if marker is None else os.fspath(marker)
        self._wider_path = None if wider is None else os.fspath(wider)
        self._cause: str | None = None
        # a signal handler may halt while the very thread it interrupts holds the lock to write
        self._lock = threading.RLock()

    @property
    def cause(self) -> str | None:
        """Why trading is halted; None while it is not."""
        own = self._own_cause()
        return own if own is not None else _cause_at(self._wider_path)

    @property
    def is_set(self) -> bool:
        """Whether trading is halted; cheap enough to ask before every byte."""
        return self._cause is not None or _is_at(self._own_path) or _is_at(self._wider_path)

    def set(self, cause: str, at_ns: int) -> None:
        """Halt: in this process at once, then, so that it lasts, in the marker.

        Callable from any thread and from a signal handler. One that interrupts the very write of a
        first byte can't undo it: that order counts as sent.

        Raises:
            JournalUnavailableError: The marker can't be written; this process is halted all the
                same.
        """
        with self._lock:
            self._cause = cause
        if self._marker is None:
            return
        try:
            put_marker(self._marker, json.dumps({"cause": cause, "halted_at": format_time(at_ns)}))
        except OSError as error:
            message = (
                f"trading is halted in this process only: {self._marker} can't be written "
                f"({type(error).__name__})"
            )
            raise JournalUnavailableError(message) from None

    def clear(self) -> None:
        """Let trading go on, unless the wider marker holds it: that is not taken away here.

        Raises:
            JournalUnavailableError: The marker can't be taken away; the halt holds.
        """
        if self._marker is not None:
            try:
                take_marker_away(self._marker)
            except OSError as error:
                message = f"the halt holds: {self._marker} can't be taken away"
                raise JournalUnavailableError(f"{message} ({type(error).__name__})") from None
        with self._lock:
            self._cause = None

    def check(self, provider: str) -> None:
        """Refuse to go on while halted.

        Raises:
            HaltedError: Trading is halted (NOT_SENT).
        """
        if not self.is_set or _closing.get() is self:
            return
        cause = self._own_cause()
        if cause is not None:
            message = f"trading is halted: {cause}; resume() ends it"
            raise HaltedError(message, provider=provider)
        cause = _cause_at(self._wider_path)
        if cause is not None:
            message = f"trading is halted: {cause}; for all accounts, until `dragoman resume`"
            raise HaltedError(message, provider=provider)

    def permit(self, provider: str, also: Callable[[], None] | None = None) -> SendPermit:
        """Return the leave to send one command, void as soon as trading is halted.

        Using it raises `HaltedError` (NOT_SENT), or what `also` raises, which is asked then too,
        except under `closing`.
        """
        return SendPermit(partial(self._check_permit, provider, also), self._lock)

    def _check_permit(self, provider: str, also: Callable[[], None] | None) -> None:
        self.check(provider)
        if also is not None and _closing.get() is not self:
            also()

    @contextmanager
    def closing(self) -> Generator[None]:
        """Let this task, and those it starts, send in spite of the halt.

        Only for what closes the positions of a halted account and can do nothing else: a halt that
        forbade this would leave no way out but the venue's own screen. Nobody else's orders pass,
        and the caller must send none that could open anything.
        """
        token = _closing.set(self)
        try:
            yield
        finally:
            _closing.reset(token)

    def _own_cause(self) -> str | None:
        return self._cause if self._cause is not None else _cause_at(self._own_path)


def halt_marker(state_dir: Path, provider: str, account_id: str | None = None) -> Path:
    """Return the file whose presence halts an account; without one, all accounts of a provider."""
    folder = state_dir / "halts"
    if account_id is None:
        return folder / f"{quote(provider, safe='')}.json"
    return folder / quote(provider, safe="") / f"{quote(account_id, safe='')}.json"


def halt_markers(state_dir: Path, provider: str) -> tuple[Path, ...]:
    """Return every file there is that halts a provider or one of its accounts."""
    wider = halt_marker(state_dir, provider)
    found = (wider, *sorted((wider.parent / wider.stem).glob("*.json")))
    return tuple(path for path in found if is_marked(os.fspath(path)))


def _is_at(marker: str | None) -> bool:
    return marker is not None and is_marked(marker)


def _cause_at(marker: str | None) -> str | None:
    return None if marker is None else marked_cause(marker)
