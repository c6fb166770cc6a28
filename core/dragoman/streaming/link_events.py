"""What a link reports, as events: each change with its cause, and what may be missing after it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from dragoman.models.enums import ConnectionState, StalenessState
from dragoman.models.events import ConnectionEvent, Gap, Quarantined, Staleness
from dragoman.times import SECOND_NS
from dragoman.transport.link_report import LinkChange, LinkState, LoopLag, Rolled, Undecoded

from .topics import private_channels_of, topics_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dragoman.models.events import Event
    from dragoman.models.subscription import Subscription
    from dragoman.transport.link_report import LinkReport

__all__ = ["LinkTeller"]

_UP: Final = frozenset({LinkState.LIVE, LinkState.STALE})
_LONGEST_CAUSE: Final = 300
_TOLD: Final = {
    LinkState.IDLE: None,
    LinkState.CONNECTING: ConnectionState.RECONNECTING,
    LinkState.GREETING: None,
    LinkState.WAITING: ConnectionState.DISCONNECTED,
    LinkState.FAILED: ConnectionState.FAILED,
    LinkState.CLOSED: ConnectionState.ENDED,
}

_logger: Final = logging.getLogger(__name__)


class LinkTeller:
    """Turns the reports of one link into events; it remembers whether the link was live and mute.

    Args:
        subscription: What the link is for. Its channel is called "private" where any of it is the
            account's own, else "market".
        keep_raw: Whether frames that could not be understood are kept.
    """

    def __init__(self, subscription: Subscription, *, keep_raw: bool) -> None:
        topics = topics_of(subscription)
        self.channel: str = "private" if private_channels_of(subscription) else "market"
        self._market = sorted({topic.channel for topic in topics})
        self._symbols = tuple(sorted({topic.symbol for topic in topics if topic.symbol}))
        self._keep_raw = keep_raw
        self._was_live = False
        self._stale_since_ns: int | None = None

    def tell(self, report: LinkReport) -> Sequence[Event]:
        """Return the events that a report means, in order; none for a step within an attempt."""
        match report:
            case LinkChange():
                return self._changed(report)
            case Undecoded():
                return (self._quarantined(report),)
            case Rolled():
                cause = f"rolled over without a gap: {report.cause}"
                return (self._connection(ConnectionState.CONNECTED, report.at_ns, cause),)
            case LoopLag():
                _logger.warning("Event loop blocked", extra={"lag_s": report.lag_ns / SECOND_NS})
                return ()  # whoever runs the loop tells of it, once for all streams

    def _changed(self, change: LinkChange) -> Sequence[Event]:
        _logger.info("Stream changed", extra={"state": change.state, "cause": change.cause})
        match change.state:
            case LinkState.LIVE:
                return self._live(change)
            case LinkState.STALE:
                self._stale_since_ns = change.last_sign_ns or change.at_ns
                return (self._staleness(StalenessState.STALE, change.at_ns),)
            case LinkState.WAITING if change.previous not in _UP:
                return ()
            case LinkState.CONNECTING if not self._was_live:
                return ()
            case _:
                state = _TOLD[change.state]
                return () if state is None else (self._of(state, change),)

    def _live(self, change: LinkChange) -> Sequence[Event]:
        if not self._was_live:
            self._was_live = True
            return (self._of(ConnectionState.CONNECTED, change),)
        events: list[Event] = []
        if self._stale_since_ns is not None:
            events.append(self._staleness(StalenessState.FRESH, change.at_ns))
            self._stale_since_ns = None
        events.append(self._of(ConnectionState.RECONNECTED, change))
        events += [Gap(channel=one, received_at_ns=change.at_ns) for one in self._market]
        return events

    def _of(self, state: ConnectionState, change: LinkChange) -> ConnectionEvent:
        cause = change.cause
        if change.is_flapping:
            cause = f"flapping: {cause}"
        return self._connection(state, change.at_ns, cause, change.gap_ns)

    def _connection(
        self, state: ConnectionState, at_ns: int, cause: str, gap_ns: int | None = None
    ) -> ConnectionEvent:
        return ConnectionEvent(
            state=state,
            channel=self.channel,
            received_at_ns=at_ns,
            cause=cause[:_LONGEST_CAUSE],
            gap_ns=gap_ns,
        )

    def _staleness(self, state: StalenessState, at_ns: int) -> Staleness:
        return Staleness(
            state=state,
            channel=self.channel,
            symbols=self._symbols,
            since_ns=self._stale_since_ns or at_ns,
            received_at_ns=at_ns,
        )

    def _quarantined(self, report: Undecoded) -> Quarantined:
        return Quarantined(
            channel=self.channel,
            error=report.error[:_LONGEST_CAUSE],
            received_at_ns=report.at_ns,
            raw=_bytes_of(report.raw) if self._keep_raw else None,
        )


def _bytes_of(frame: object) -> bytes:
    if isinstance(frame, bytes):
        return frame
    text = frame if isinstance(frame, str) else repr(frame)
    return text.encode("utf-8", "backslashreplace")
