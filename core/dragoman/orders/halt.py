"""The switch that stops trading.

Set from any thread in an instant, checked last before anything is sent.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import attrs

from dragoman.errors import HaltedError, JournalUnavailableError
from dragoman.times import format_time

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["HaltReport", "HaltSwitch", "halt_marker", "halt_markers"]

_PRIVATE: Final = 0o600


@attrs.frozen(kw_only=True)
class HaltReport:
    """What a halt found and did. It never claims more than was proved.

    `open_orders` are those not known to have ended, `unknown` those among them the venue has said
    nothing about: each may be live. `open_positions` are the positions as last seen; none is no
    proof of being flat.
    """

    halted_at_ns: int
    cause: str
    open_orders: tuple[str, ...]
    unknown: tuple[str, ...]
    open_positions: tuple[str, ...]


class HaltSwitch:
    """Whether trading is halted: in this process and, with a marker, in all that share the file.

    Setting it is one assignment; a marker that another process sets is seen at the next order.

    Args:
        marker: The file that is set and cleared; None keeps the halt in this process.
        wider: A file that halts as well, but is neither set nor cleared here: that of all accounts.
    """

    def __init__(self, marker: Path | None = None, wider: Path | None = None) -> None:
        self._marker = marker
        self._wider = wider
        self._cause: str | None = None

    @property
    def cause(self) -> str | None:
        """Why trading is halted; None while it is not."""
        own = self._own_cause()
        return own if own is not None else _cause_in(self._wider)

    def _own_cause(self) -> str | None:
        return self._cause if self._cause is not None else _cause_in(self._marker)

    def set(self, cause: str, at_ns: int) -> None:
        """Halt, in this process at once, then in the marker.

        Raises:
            JournalUnavailableError: The marker can't be written; this process is halted all the
                same.
        """
        self._cause = cause
        if self._marker is None:
            return
        text = json.dumps({"cause": cause, "halted_at": format_time(at_ns)})
        try:
            self._marker.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._marker.touch(mode=_PRIVATE)
            self._marker.write_text(text, "utf-8")
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
                self._marker.unlink(missing_ok=True)
            except OSError as error:
                message = f"the halt holds: {self._marker} can't be taken away"
                raise JournalUnavailableError(f"{message} ({type(error).__name__})") from None
        self._cause = None

    def check(self, provider: str) -> None:
        """Refuse to go on while halted.

        Raises:
            HaltedError: Trading is halted (NOT_SENT).
        """
        cause = self._own_cause()
        if cause is not None:
            message = f"trading is halted: {cause}; resume() ends it"
            raise HaltedError(message, provider=provider)
        cause = _cause_in(self._wider)
        if cause is not None:
            message = f"trading is halted: {cause}; for all accounts, until `dragoman resume`"
            raise HaltedError(message, provider=provider)


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
    return tuple(path for path in found if path.exists())


def _cause_in(marker: Path | None) -> str | None:
    if marker is None:
        return None
    try:
        return str(json.loads(marker.read_text("utf-8"))["cause"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        return "a halt marker that can't be read"
