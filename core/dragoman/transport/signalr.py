"""SignalR's JSON hub protocol: records, the handshake, and calls that are answered.

A call without an id is forgotten by the hub if it fails, so every call made here carries one and
awaits its completion. Types of records that are not known here are passed over.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Final

import attrs
import msgspec

from dragoman.errors import ProtocolError, StreamLostError, VenueError

from .base import MAX_MESSAGE_BYTES
from .codec import JsonDecoder, encode
from .lines import DelimitedFraming

if TYPE_CHECKING:
    from .stream_protocol import StreamSession

__all__ = [
    "HUB_PING",
    "Hub",
    "HubClose",
    "HubCompletion",
    "HubFraming",
    "HubInvocation",
    "HubMessage",
    "HubPing",
    "read_record",
]

_END: Final = b"\x1e"

HUB_PING: Final = '{"type":6}\x1e'
"""What a client sends at least every 15 s: the hub drops one that is silent for 30 s."""
_HANDSHAKE: Final = '{"protocol":"json","version":1}\x1e'


@attrs.frozen(kw_only=True)
class HubInvocation:
    """The hub calls `target`; `arguments` is the JSON text of the array, to be read by its type."""

    target: str
    arguments: bytes = attrs.field(repr=False)
    invocation_id: str | None = None


@attrs.frozen(kw_only=True)
class HubCompletion:
    """The answer to a call: `error`, or `result` as JSON text, or neither where there is none."""

    invocation_id: str
    error: str | None = None
    result: bytes | None = attrs.field(default=None, repr=False)


@attrs.frozen(kw_only=True)
class HubPing:
    """The hub lives; it expects no answer."""


@attrs.frozen(kw_only=True)
class HubClose:
    """The hub is about to hang up; `can_reconnect` says whether it would have the client back."""

    error: str | None = None
    can_reconnect: bool = False


HubMessage = HubInvocation | HubCompletion | HubPing | HubClose


class _Record(msgspec.Struct, frozen=True):
    """Any record; https://github.com/dotnet/aspnetcore, HubProtocol.md."""

    type: int | None = None
    target: str | None = None
    arguments: msgspec.Raw = msgspec.Raw(b"[]")
    invocationId: str | None = None  # noqa: N815 - as the hub writes it
    result: msgspec.Raw = msgspec.Raw(b"")
    error: str | None = None
    allowReconnect: bool | None = None  # noqa: N815 - as the hub writes it


_DECODER: Final = JsonDecoder(_Record)


class HubFraming(DelimitedFraming):
    """Records of a hub: a message may hold many, and a record may come in many messages.

    Args:
        max_bytes: How large a record may be.
    """

    def __init__(self, max_bytes: int = MAX_MESSAGE_BYTES) -> None:
        super().__init__(_END, max_bytes)


def read_record(record: bytes) -> HubMessage | None:
    """Read one record after the handshake; None for a type that is not known here.

    Raises:
        ProtocolError: It is no record, or lacks what its type needs.
    """
    found = _DECODER.decode(record)
    match found.type:
        case None:
            raise ProtocolError("a record of the hub has no type")
        case 1:
            return HubInvocation(
                target=_required(found.target, "target"),
                arguments=bytes(found.arguments),
                invocation_id=found.invocationId,
            )
        case 3:
            return _completion(found)
        case 6:
            return HubPing()
        case 7:
            return HubClose(error=found.error, can_reconnect=found.allowReconnect or False)
        case _:
            return None


class Hub:
    """What a client says to a hub, for a protocol's greeting. One instance serves one protocol."""

    def __init__(self) -> None:
        self._ids = count(1)

    async def shake_hands(self, session: StreamSession[bytes]) -> None:
        """Agree on the protocol; the first thing to be said.

        Raises:
            VenueError: The hub refuses the handshake.
            StreamLostError: The hub hung up.
            WaitTimeoutError: No answer came.
        """
        await session.ask(_HANDSHAKE, _agreed)

    async def invoke(
        self,
        session: StreamSession[bytes],
        target: str,
        *arguments: object,
        timeout_s: float | None = None,
    ) -> bytes | None:
        """Call a method of the hub and await its completion; return its result as JSON text.

        Raises:
            VenueError: The hub answered with an error.
            StreamLostError: The hub hung up.
            WaitTimeoutError: No completion came.
        """
        number = str(next(self._ids))
        call = {"type": 1, "invocationId": number, "target": target, "arguments": arguments}

        def completed(record: bytes) -> HubCompletion | None:
            found = read_record(record)
            _require_open(found)
            if isinstance(found, HubCompletion) and found.invocation_id == number:
                return found
            return None

        completion = await session.ask(encode(call).decode() + "\x1e", completed, timeout_s)
        if completion.error is not None:
            raise VenueError(f"the hub answered {target} with an error: {completion.error}")
        return completion.result


def _completion(found: _Record) -> HubCompletion:
    result = bytes(found.result) or None
    if found.error is not None and result is not None:
        raise ProtocolError("a completion of the hub has both a result and an error")
    return HubCompletion(
        invocation_id=_required(found.invocationId, "invocationId"),
        error=found.error,
        result=result,
    )


def _agreed(record: bytes) -> bool | None:
    found = _DECODER.decode(record)
    if found.type is not None:
        _require_open(read_record(record))
        return None
    if found.error is not None:
        raise VenueError(f"the hub refuses the handshake: {found.error}")
    return True


def _require_open(message: HubMessage | None) -> None:
    if isinstance(message, HubClose):
        raise StreamLostError(f"the hub hung up: {message.error or 'without a reason'}")


def _required(value: str | None, field: str) -> str:
    if value is None:
        raise ProtocolError(f"a record of the hub has no {field}")
    return value
