"""What is said on the stream, both ways: each message is a class, told by its `type`."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

import attrs

from dragoman.dialects.sockets import PackedFrame
from dragoman.models.events import (
    AccountEvent,
    Event,
    LedgerEvent,
    OrderEvent,
    PositionEvent,
    ProtectionEvent,
)
from dragoman.models.instants import InstantView
from dragoman.models.serde import to_plain
from dragoman.models.subscription import Subscription

from ..answers import encoded
from ..problems import Problem, plain_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dragoman.errors import DragomanError
    from dragoman.models.serde import Plain

__all__ = [
    "ANSWERS",
    "PRIVATE_EVENTS",
    "RECEIVED",
    "SENT",
    "AccountName",
    "Authenticate",
    "Authenticated",
    "CaughtUp",
    "ErrorMessage",
    "EventMessage",
    "Goodbye",
    "Heartbeat",
    "Hello",
    "MessageId",
    "Ping",
    "Pong",
    "StreamLimits",
    "Subscribe",
    "Subscribed",
    "Unsubscribe",
    "Unsubscribed",
    "error_frame",
    "packed",
    "text_of",
]

PRIVATE_EVENTS: Final = (OrderEvent, PositionEvent, AccountEvent, LedgerEvent, ProtectionEvent)
"""The classes of what concerns the account: events with a sequence."""
MessageId = str | int | None
"""What a client calls a message by, so that it knows the answer to it."""


@attrs.frozen(kw_only=True)
class StreamLimits:
    """What one client may ask: market topics at once, bytes a frame."""

    topics: int
    frame_bytes: int


@attrs.frozen(kw_only=True)
class Hello:
    """The first message. `authenticate_within_s` is null where the client is known already."""

    protocol: str
    version: int
    time_ns: int
    heartbeat_s: float
    authenticate_within_s: float | None
    limits: StreamLimits
    time: ClassVar[InstantView] = InstantView()


@attrs.frozen(kw_only=True)
class AccountName:
    """An account that the client reaches. `environment` says with whose money it trades."""

    provider: str
    account_id: str
    environment: str


@attrs.frozen(kw_only=True)
class Authenticated:
    """The client is known: by which key, what it may do, which accounts it reaches."""

    client: str | None
    scopes: tuple[str, ...]
    accounts: tuple[AccountName, ...]


@attrs.frozen(kw_only=True)
class Subscribed:
    """From now on events come. `channels` are all that this socket has of the account.

    `sequence` is that of the last private event before.
    """

    provider: str
    account_id: str
    channels: Subscription
    sequence: int


@attrs.frozen(kw_only=True)
class Unsubscribed:
    """No such event comes any more; `channels` are what is left.

    Without an `id` it was not asked for: the venue ended what is missing.
    """

    provider: str
    account_id: str
    channels: Subscription
    sequence: int


@attrs.frozen(kw_only=True)
class EventMessage:
    """One event of one account; its own `type` is the name of its class."""

    provider: str
    account_id: str
    event: Event


@attrs.frozen(kw_only=True)
class CaughtUp:
    """What was missing of the private events was sent; from this sequence on they are live."""

    provider: str
    account_id: str
    sequence: int


@attrs.frozen(kw_only=True)
class ErrorMessage:
    """A message was refused, or an account's events ended; the socket stays open."""

    error: Problem


@attrs.frozen(kw_only=True)
class Heartbeat:
    """The server is alive."""

    time_ns: int
    time: ClassVar[InstantView] = InstantView()


@attrs.frozen(kw_only=True)
class Pong:
    """The answer to a ping."""

    time_ns: int
    time: ClassVar[InstantView] = InstantView()


@attrs.frozen(kw_only=True)
class Goodbye:
    """The last message: why the server closes. Come back, and name the last sequence you have."""

    reason: str
    message: str


@attrs.frozen(kw_only=True)
class Authenticate:
    """Who the client is, for those that can set no header."""

    token: str


@attrs.frozen(kw_only=True)
class Subscribe:
    """What a client wants to be told.

    Of its default account where it names none. `since` asks for the private events after that
    sequence first.
    """

    channels: Subscription
    provider: str | None = None
    account_id: str | None = None
    since: int | None = None


@attrs.frozen(kw_only=True)
class Unsubscribe:
    """What a client wants to be told no more."""

    channels: Subscription
    provider: str | None = None
    account_id: str | None = None


@attrs.frozen(kw_only=True)
class Ping:
    """Is the server alive?"""


SENT: Final[Mapping[str, type[attrs.AttrsInstance]]] = {
    "hello": Hello,
    "authenticated": Authenticated,
    "subscribed": Subscribed,
    "unsubscribed": Unsubscribed,
    "event": EventMessage,
    "level": CaughtUp,
    "error": ErrorMessage,
    "heartbeat": Heartbeat,
    "pong": Pong,
    "goodbye": Goodbye,
}
"""What the server says, by type."""
RECEIVED: Final[Mapping[str, type[attrs.AttrsInstance]]] = {
    "authenticate": Authenticate,
    "subscribe": Subscribe,
    "unsubscribe": Unsubscribe,
    "ping": Ping,
}
"""What clients say, by type."""
ANSWERS: Final = frozenset({"authenticated", "subscribed", "unsubscribed", "error", "pong"})
"""What carries the id of the message it answers."""

_TYPES: Final[Mapping[type, str]] = {kind: name for name, kind in SENT.items()}


def packed(message: attrs.AttrsInstance, answer_to: MessageId = None) -> PackedFrame:
    """Return a message as the frame that tells it."""
    return PackedFrame(text_of(message, answer_to))


def text_of(message: attrs.AttrsInstance, answer_to: MessageId = None) -> str:
    """Return a message as text."""
    name = _TYPES[type(message)]
    told: dict[str, Plain] = {"type": name}
    if name in ANSWERS:
        told["id"] = answer_to
    plain = to_plain(message)
    return encoded(told | plain if isinstance(plain, dict) else told).decode()


def error_frame(error: DragomanError, answer_to: MessageId = None) -> PackedFrame:
    """Return the frame that tells an error."""
    told: dict[str, Plain] = {"type": "error", "id": answer_to, "error": plain_error(error)}
    return PackedFrame(encoded(told).decode())
