"""Server-sent events: fields line by line, dispatched by an empty line; comments only show life."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.errors import DecodeError

from .base import MAX_MESSAGE_BYTES
from .stream_protocol import Framing

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ServerSentEvent", "SseFraming"]

_LINE_END: Final = re.compile(rb"\r\n|\n|\r")
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


@attrs.frozen(kw_only=True)
class ServerSentEvent:
    """One event. `event_id` is the last id that the stream named, on this event or one before."""

    event: str = "message"
    data: str = attrs.field(default="", repr=False)
    event_id: str = ""


class SseFraming(Framing[ServerSentEvent]):
    """Server-sent events of one connection.

    `retry_ms` is how long the venue asks to wait before a reconnect; None where it did not. An
    event that is not ended by an empty line when the stream ends was not sent.

    Args:
        max_bytes: How large one event, or one line, may be.
    """

    def __init__(self, max_bytes: int = MAX_MESSAGE_BYTES) -> None:
        self.beats: int = 0
        self.retry_ms: int | None = None
        self._max_bytes = max_bytes
        self._rest = bytearray()
        self._ends_with_return = False
        self._is_first_line = True
        self._event = ""
        self._data: list[str] = []
        self._size = 0
        self._last_id = ""

    def feed(self, piece: str | bytes) -> Iterator[ServerSentEvent]:
        """Take the next piece and give the events that end in it.

        Raises:
            DecodeError: An event is larger than `max_bytes`, or is not UTF-8.
        """
        data = piece.encode() if isinstance(piece, str) else piece
        if not data:
            return
        if self._ends_with_return:
            data = data.removeprefix(b"\n")
        self._ends_with_return = data.endswith(b"\r") if data else False
        *ended, rest = _LINE_END.split(data)
        for end in ended:
            self._keep(end)
            line, self._rest = bytes(self._rest), bytearray()
            event = self._take_line(line)
            if event is not None:
                yield event
        self._keep(rest)

    def _keep(self, more: bytes) -> None:
        self._rest += more
        if self._size + len(self._rest) > self._max_bytes:
            message = f"an event of the stream is larger than {self._max_bytes} bytes"
            raise DecodeError(message)

    def _take_line(self, line: bytes) -> ServerSentEvent | None:
        if self._is_first_line:
            line = line.removeprefix(_BYTE_ORDER_MARK)
            self._is_first_line = False
        if not line:
            return self._dispatch()
        if line.startswith(b":"):
            self.beats += 1
            return None
        name, _, value = _text_of(line).partition(":")
        self._take_field(name, value.removeprefix(" "), len(line))
        return None

    def _take_field(self, name: str, value: str, size: int) -> None:
        match name:
            case "data":
                self._data.append(value)
                self._size += size
            case "event":
                self._event = value
            case "id" if "\0" not in value:
                self._last_id = value
            case "retry" if value.isascii() and value.isdigit() and len(value) < 10:
                self.retry_ms = int(value)
            case _:
                pass

    def _dispatch(self) -> ServerSentEvent | None:
        event, data = self._event, self._data
        self._event, self._data, self._size = "", [], 0
        if not data:
            self.beats += 1
            return None
        return ServerSentEvent(
            event=event or "message", data="\n".join(data), event_id=self._last_id
        )


def _text_of(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        line = b""  # neither the cause nor a local may show it
    raise DecodeError("an event of the stream is not UTF-8")
