"""What a client of the stream of trade updates says, in either form of its messages."""

from __future__ import annotations

import msgspec

from dragoman.transport.codec import decode

from .market_text import PackedText

__all__ = ["ClientMessage", "MessageData", "read_message"]


class MessageData(msgspec.Struct, kw_only=True):
    """The `data` of a message: the streams to listen to, or a key in the older form."""

    streams: list[str] | None = None
    key_id: str | None = None
    secret_key: str | None = None
    oauth_token: str | None = None


class ClientMessage(msgspec.Struct, kw_only=True):
    """One message: "auth" with a key, "authenticate" with one in its `data`, or "listen"."""

    action: str | None = None
    key: str | None = None
    secret: str | None = None
    oauth_token: str | None = None
    data: MessageData | None = None

    @property
    def is_authentication(self) -> bool:
        """Whether it shows a key."""
        return self.action in {"auth", "authenticate"}

    @property
    def credentials(self) -> tuple[str | None, str | None]:
        """Key and secret, or no key and a token."""
        data = self.data or MessageData()
        key, secret = self.key or data.key_id, self.secret or data.secret_key
        token = self.oauth_token or data.oauth_token
        return (None, token) if key is None and token is not None else (key, secret)

    @property
    def streams(self) -> tuple[str, ...]:
        """What to listen to."""
        return tuple((self.data and self.data.streams) or ())


_read_packed = PackedText().reader(ClientMessage)


def read_message(frame: str | bytes) -> ClientMessage:
    """Read one message: JSON, in whichever kind of frame, or msgpack.

    Raises:
        DecodeError: It is neither, or no object of that form.
    """
    if isinstance(frame, str) or frame.lstrip()[:1] == b"{":
        return decode(frame, ClientMessage)
    return _read_packed(frame)
