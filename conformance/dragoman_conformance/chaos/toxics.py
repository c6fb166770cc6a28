"""What may go wrong with one exchange or one frame, as data, and when it does.

A toxic says what and when; a `Trap` is one set, and counts how often it sprang.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Generic, TypeVar

import attrs

from .replies import Reply

__all__ = ["FrameFault", "FrameToxic", "HttpFault", "HttpToxic", "Trap"]


class HttpFault(StrEnum):
    """What happens to an HTTP exchange.

    RESET_UNREAD: the client is reset, and nothing reaches the venue. RESET_MID_REQUEST: half of the
    body reaches it, then both sides are reset. RESET_AFTER_REQUEST: the venue answers, and no byte
    of that reaches the client. RESET_AFTER_HEAD: the head of the answer does, then a reset.
    RESET_MID_RESPONSE, TRUNCATE and STALL: half of the answer does, and a reset, a proper end or
    silence follows. BLACK_HOLE: the venue answers, and the client hears of it after `seconds`, or
    never. LATE_DELIVERY: the venue itself gets the request only then, whether or not the client
    still waits. LATE_GHOST: likewise, and the client is reset at once. LOST: the venue never gets
    it, and nobody answers. DRIP: the answer comes byte by byte, `seconds` apart. REPLY: the client
    is told `reply` instead. CHANGE: the client is told the answer with the body that `change` makes
    of it.
    """

    RESET_UNREAD = "RESET_UNREAD"
    RESET_MID_REQUEST = "RESET_MID_REQUEST"
    RESET_AFTER_REQUEST = "RESET_AFTER_REQUEST"
    RESET_AFTER_HEAD = "RESET_AFTER_HEAD"
    RESET_MID_RESPONSE = "RESET_MID_RESPONSE"
    TRUNCATE = "TRUNCATE"
    STALL = "STALL"
    BLACK_HOLE = "BLACK_HOLE"
    LATE_DELIVERY = "LATE_DELIVERY"
    LATE_GHOST = "LATE_GHOST"
    LOST = "LOST"
    DRIP = "DRIP"
    REPLY = "REPLY"
    CHANGE = "CHANGE"


class FrameFault(StrEnum):
    """What happens to a frame that the venue sends, or because of it.

    A frame is a message of a WebSocket, or a line of an endless HTTP answer.

    DROP, DUPLICATE (it comes `copies` times), DELAY (by `seconds`, those behind it too), SWAP (it
    follows the next one) and SPLIT (it comes in pieces, `seconds` apart, cut within a character
    where one has several bytes, after `change` if that is given) touch the frame; REPLACE puts a
    text of the bytes of `payload` in its place, CHANGE what `change` makes of it. MUTE drops every
    message from it on, while pings are still answered. CORRUPT replaces it by what nobody can read:
    a compressed message that does not decompress, or bytes that are no text. CUT ends it in the
    middle. RESET, CLOSE (with `code`, where the stream has codes) and HALF_OPEN (both directions
    fall silent, nothing is closed) end the connection instead of it.
    """

    DROP = "DROP"
    DUPLICATE = "DUPLICATE"
    DELAY = "DELAY"
    SWAP = "SWAP"
    SPLIT = "SPLIT"
    REPLACE = "REPLACE"
    CHANGE = "CHANGE"
    MUTE = "MUTE"
    CORRUPT = "CORRUPT"
    CUT = "CUT"
    RESET = "RESET"
    CLOSE = "CLOSE"
    HALF_OPEN = "HALF_OPEN"


@attrs.frozen(kw_only=True)
class HttpToxic:
    """A fault for requests of one method whose path, query included, begins with `path`.

    It spares the first `skip` of them and strikes the next `times`; None strikes all. A REPLY comes
    after the venue acted on the request, or instead of that where `is_delivered` is False; one that
    tells the time is made when it strikes, at the instant in UTC nanoseconds.
    """

    fault: HttpFault
    method: str = "POST"
    path: str = "/"
    skip: int = 0
    times: int | None = 1
    seconds: float | None = None
    reply: Reply | Callable[[int], Reply] | None = None
    change: Callable[[bytes], bytes] | None = None
    is_delivered: bool = True

    def matches(self, method: str, path: str) -> bool:
        """Tell whether it is meant for such a request."""
        return method == self.method and path.startswith(self.path)

    def reply_at(self, instant_ns: int) -> Reply:
        """Return what the client is told instead; 503 where nothing was said."""
        made = self.reply(instant_ns) if callable(self.reply) else self.reply
        return made or Reply.busy(503)

    def changed(self, body: bytes) -> bytes:
        """Return what is told in place of a body."""
        return body if self.change is None else self.change(body)


@attrs.frozen(kw_only=True)
class FrameToxic:
    """A fault for messages from the venue that contain `text`, counted as `HttpToxic` counts.

    Only streams are meant whose target, query included, begins with `path`.
    """

    fault: FrameFault
    path: str = "/"
    text: bytes = b""
    skip: int = 0
    times: int | None = 1
    seconds: float = 0.0
    code: int = 1011
    payload: bytes = attrs.field(default=b"", repr=False)
    change: Callable[[bytes], bytes] | None = None
    copies: int = 2

    def matches(self, path: str, payload: bytes) -> bool:
        """Tell whether it is meant for such a message of a stream."""
        return path.startswith(self.path) and self.text in payload

    def changed(self, payload: bytes) -> bytes:
        """Return what is told in place of a message."""
        return payload if self.change is None else self.change(payload)


Kind = TypeVar("Kind", HttpToxic, FrameToxic)


class Trap(Generic[Kind]):
    """A toxic that is set, and what became of it."""

    def __init__(self, toxic: Kind) -> None:
        self.toxic: Kind = toxic
        self.seen: int = 0
        """How many requests or frames it was meant for."""
        self.hits: int = 0
        """How many of them it struck."""

    def springs(self) -> bool:
        """Count one more it is meant for, and tell whether that one is struck."""
        self.seen += 1
        if self.seen <= self.toxic.skip:
            return False
        if self.toxic.times is not None and self.hits >= self.toxic.times:
            return False
        self.hits += 1
        return True
