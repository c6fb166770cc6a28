"""What a link tells besides payloads: where it stands and why, and what it could not read."""

from __future__ import annotations

from enum import StrEnum

import attrs

from dragoman.errors import DragomanError

__all__ = ["LinkChange", "LinkState", "LoopLag", "Rolled", "Undecoded"]


class LinkState(StrEnum):
    """The life of a link.

    `IDLE`: not wanted yet. `CONNECTING`, `GREETING`: an attempt is made. `LIVE`: every subscription
    is confirmed. `STALE`: open and mute. `WAITING`: lost, or refused; time passes, or credentials
    are renewed. `FAILED`: no attempt can help. `CLOSED`: nobody wants it any more.
    """

    IDLE = "IDLE"
    CONNECTING = "CONNECTING"
    GREETING = "GREETING"
    LIVE = "LIVE"
    STALE = "STALE"
    WAITING = "WAITING"
    FAILED = "FAILED"
    CLOSED = "CLOSED"


@attrs.frozen(kw_only=True)
class LinkChange:
    """The link changed its state at `at_ns`, for a cause.

    `gap_ns` is set when it is live again: since the last sign of life of the connection before.
    `last_sign_ns` is when that came, set when it goes stale. `attempt` counts the failures since it
    was stable. `is_flapping` says that it dropped soon after it came back, and more than once.
    `error` is what ended it, where an error did.
    """

    state: LinkState
    previous: LinkState
    at_ns: int
    cause: str
    gap_ns: int | None = None
    last_sign_ns: int | None = None
    attempt: int = 0
    is_flapping: bool = False
    error: DragomanError | None = attrs.field(default=None, eq=False)


@attrs.frozen(kw_only=True)
class Undecoded:
    """A frame could not be understood; the stream lives. `raw` is the frame, as text or bytes."""

    error: str
    at_ns: int
    raw: object = attrs.field(default=None, repr=False)


@attrs.frozen(kw_only=True)
class Rolled:
    """A second connection took over before the first was left: nothing was missed."""

    cause: str
    at_ns: int


@attrs.frozen(kw_only=True)
class LoopLag:
    """The event loop was blocked for `lag_ns`: the silence meanwhile is nobody's fault."""

    lag_ns: int
    at_ns: int


LinkReport = LinkChange | Undecoded | Rolled | LoopLag
"""Everything that a link tells besides payloads."""
