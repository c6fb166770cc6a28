"""Frames of the stream: each a `type`, a `timestamp`, and what it tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from dragoman.errors import DecodeError
from dragoman.transport.codec import decode

from .order_rows import present
from .texts import instant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Acknowledgment", "message", "problem", "read_acknowledgment", "staleness"]


def message(kind: str, at_ns: int, **facts: object) -> dict[str, object]:
    """Return a frame; facts that are None are left out."""
    return present({"type": kind, **facts, "timestamp": instant(at_ns)})


def problem(
    code: str, text: str, at_ns: int, details: Mapping[str, object] | None = None
) -> dict[str, object]:
    """Return a frame that tells what went wrong."""
    return message("error", at_ns, code=code, message=text, details=details)


def staleness(
    word: str, symbols: Sequence[str], at_ns: int, since_ns: int, broker: str
) -> dict[str, object]:
    """Return a frame that tells that data is stale, or fresh again."""
    facts = {"event": word, "symbols": list(symbols), "stale_since": instant(since_ns)}
    return message("data_staleness", at_ns, broker=broker, **facts)


class Acknowledgment(msgspec.Struct, kw_only=True):
    """What a client says once it has worked on events; all fields are required."""

    type: str
    correlation_id: str
    events_processed: list[str]
    timestamp: int


def read_acknowledgment(frame: str | bytes) -> Acknowledgment | None:
    """Return what a client's frame acknowledges; None for any other frame."""
    if isinstance(frame, bytes):
        return None
    try:
        found = decode(frame, Acknowledgment)
    except DecodeError:
        return None
    return found if found.type == "event_ack" and found.timestamp >= 0 else None
