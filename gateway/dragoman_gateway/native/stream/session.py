"""One client's conversation on the stream: who it is, what it asks, what it is answered."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.dialects import Scope
from dragoman.errors import (
    DecodeError,
    DragomanError,
    InvalidValueError,
    LimitExceededError,
    VenueUnavailableError,
    Violation,
)
from dragoman.models.checks import is_integer
from dragoman.models.serde import from_plain
from dragoman.models.serde.text import load_text
from dragoman.streaming.topics import private_channels_of, topics_of

from ..entry import broker_of
from ..problems import invalid
from .follower import Follower
from .messages import (
    RECEIVED,
    AccountName,
    Authenticate,
    Authenticated,
    Hello,
    Ping,
    Pong,
    StreamLimits,
    Subscribe,
    Subscribed,
    Unsubscribe,
    Unsubscribed,
    error_frame,
    packed,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dragoman.broker import Broker
    from dragoman.dialects import Access, ClientSocket, DialectHost
    from dragoman.models.serde import Plain
    from dragoman.models.subscription import Subscription

    from .desk import StreamDesk
    from .fan import Fan
    from .messages import (
        MessageId,
    )

__all__ = ["HEARTBEAT_S", "StreamSession"]

HEARTBEAT_S: Final = 15.0
_AUTHENTICATE_S: Final = 5.0
_MOST_TOPICS: Final = 1000
_LONGEST_FRAME: Final = 64 * 1024
_SUBSCRIBE_S: Final = 30.0
_LONGEST_ID: Final = 128
_LARGEST_ID: Final = 2**53
_NOT_AUTHENTICATED: Final = 4401


class StreamSession:
    """The stream of one client, for as long as its socket is open."""

    def __init__(
        self, desk: StreamDesk, host: DialectHost, socket: ClientSocket, access: Access | None
    ) -> None:
        self._desk = desk
        self._host = host
        self._socket = socket
        self._access = access
        self._asked_by: MessageId = None
        self._followers: dict[Fan, Follower] = {}

    async def run(self) -> None:
        """Say hello, learn who it is, and answer until either side closes."""
        self._socket.send(packed(self._hello()))
        access = self._access or await self._authenticated()
        if access is None:
            return
        self._socket.send(packed(_named(access), self._asked_by))
        try:
            async for text in self._socket:
                await self._answer(access, text)
        finally:
            await self._leave()

    async def _authenticated(self) -> Access | None:
        answer_to: MessageId = None
        try:
            text = await self._socket.receive(_AUTHENTICATE_S)
            if text is None:
                return None
            fields = _fields(text)
            answer_to = self._asked_by = _checked_id(fields.pop("id", None))
            message = _message(fields)
            if not isinstance(message, Authenticate):
                raise _refused("type", "another message", "authenticate, before all else")
            self._access = await self._host.authenticate(None, message.token)
        except DragomanError as error:
            self._socket.send(error_frame(error, answer_to))
            await self._socket.close(_NOT_AUTHENTICATED, "not authenticated")
            return None
        except TimeoutError:
            await self._socket.close(_NOT_AUTHENTICATED, "no authentication in time")
            return None
        return self._access

    async def _answer(self, access: Access, text: str | bytes) -> None:
        answer_to: MessageId = None
        try:
            fields = _fields(text)
            answer_to = _checked_id(fields.pop("id", None))
            await self._act(access, _message(fields), answer_to)
        except DragomanError as error:
            self._socket.send(error_frame(error, answer_to))
        except TimeoutError:
            late = VenueUnavailableError("the venue did not answer in time; nothing was subscribed")
            self._socket.send(error_frame(late, answer_to))

    async def _act(
        self, access: Access, message: attrs.AttrsInstance, answer_to: MessageId
    ) -> None:
        if isinstance(message, Ping):
            pong = Pong(time_ns=self._host.clock.now_ns())
            self._socket.send(packed(pong, answer_to))
        elif isinstance(message, Subscribe):
            access.require(Scope.READ)
            broker = _broker(access, message.provider, message.account_id)
            async with asyncio.timeout(_SUBSCRIBE_S):
                await self._subscribe(broker, message, answer_to)
        elif isinstance(message, Unsubscribe):
            broker = _broker(access, message.provider, message.account_id)
            await self._unsubscribe(broker, message.channels, answer_to)
        else:
            raise _refused("type", "authenticate", "once, and at the beginning")

    async def _subscribe(self, broker: Broker, asked: Subscribe, answer_to: MessageId) -> None:
        fan = await self._desk.fan_of(broker)
        follower = self._followers.get(fan) or Follower(fan, self._socket)
        topics = topics_of(asked.channels) - follower.topics
        channels = private_channels_of(asked.channels) - follower.channels
        if channels:
            fan.check_private()
        self._check_room(len(topics))
        self._check_since(asked, follower, broker.state.sequence)
        known = await fan.acquire(topics)
        stream = None
        try:
            if asked.since is not None and asked.since < fan.sequence:
                stream = fan.journal_after(asked.since)
                await stream.__aenter__()
        except BaseException:
            await fan.release(topics)
            raise
        self._followers[fan] = follower
        if not follower.channels:
            follower.sequence = fan.sequence
        follower.topics |= topics
        follower.channels |= channels
        self._confirm(Subscribed, follower, answer_to)
        fan.join(follower)
        if stream is not None and asked.since is not None:
            follower.begin_replay(stream, asked.since)
        elif asked.since is not None:
            follower.say_level()
        fan.include(follower)
        for event in known:
            self._socket.send(fan.pack(event))

    async def _unsubscribe(self, broker: Broker, asked: Subscription, answer_to: MessageId) -> None:
        fan = await self._desk.fan_of(broker)
        follower = self._followers.get(fan) or Follower(fan, self._socket)
        topics = topics_of(asked) & follower.topics
        channels = private_channels_of(asked) & follower.channels
        fan.drop(follower, topics, channels)
        follower.topics -= topics
        follower.channels -= channels
        follower.forget(topics)
        self._confirm(Unsubscribed, follower, answer_to)
        await fan.release(topics)

    def _confirm(
        self, kind: type[Subscribed | Unsubscribed], follower: Follower, answer_to: MessageId
    ) -> None:
        broker = follower.fan.broker
        told = kind(
            provider=broker.provider,
            account_id=broker.account_id,
            channels=follower.subscription,
            sequence=follower.fan.sequence,
        )
        self._socket.send(packed(told, answer_to))

    def _check_room(self, more: int) -> None:
        count = sum(len(one.topics) for one in self._followers.values()) + more
        if count > _MOST_TOPICS:
            message = f"a client may follow {_MOST_TOPICS} market topics at once, not {count}"
            raise LimitExceededError(message)

    @staticmethod
    def _check_since(asked: Subscribe, follower: Follower, newest: int) -> None:
        if asked.since is None:
            return
        if not private_channels_of(asked.channels):
            raise _refused("since", asked.since, "with a channel of the account only")
        if follower.channels:
            raise _refused("since", asked.since, "before any channel of the account is followed")
        if not 0 <= asked.since <= newest:
            raise _refused("since", asked.since, f"0 (everything) to {newest} (the newest event)")

    async def _leave(self) -> None:
        followers, self._followers = tuple(self._followers.values()), {}
        for follower in followers:
            follower.close()
            follower.fan.leave(follower)
        for follower in followers:
            await follower.fan.release(follower.topics)

    def _hello(self) -> Hello:
        return Hello(
            protocol="dragoman.native",
            version=1,
            time_ns=self._host.clock.now_ns(),
            heartbeat_s=HEARTBEAT_S,
            authenticate_within_s=None if self._access else _AUTHENTICATE_S,
            limits=StreamLimits(topics=_MOST_TOPICS, frame_bytes=_LONGEST_FRAME),
        )


def _named(access: Access) -> Authenticated:
    accounts = [
        AccountName(
            provider=broker.provider,
            account_id=broker.account_id,
            environment=str(broker.environment),
        )
        for broker in access.brokers
    ]
    scopes = tuple(scope.value for scope in Scope if scope in access.scopes)
    return Authenticated(client=access.client, scopes=scopes, accounts=tuple(accounts))


def _broker(access: Access, provider: str | None, account_id: str | None) -> Broker:
    if provider is None and account_id is None:
        return access.broker
    if provider is None or account_id is None:
        name = "provider" if provider is None else "account_id"
        raise _refused(name, None, "a value: provider and account_id go together")
    return broker_of(access, provider, account_id)


def _fields(text: str | bytes) -> dict[str, Plain]:
    if isinstance(text, bytes):
        raise _refused("message", f"{len(text)} bytes", "a text frame")
    if len(text) > _LONGEST_FRAME:
        raise _refused("message", f"{len(text)} characters", f"at most {_LONGEST_FRAME}")
    try:
        plain = load_text(text)
    except InvalidValueError as error:
        found = [attrs.evolve(one, field=one.field or "message") for one in error.violations]
        raise InvalidValueError.of("message", found) from None
    if not isinstance(plain, dict):
        raise _refused("message", type(plain).__name__, "an object")
    return plain


def _checked_id(found: Plain) -> MessageId:
    """Return what a client calls its message by."""
    if found is None or (isinstance(found, str) and len(found) <= _LONGEST_ID):
        return found
    if is_integer(found) and abs(found) <= _LARGEST_ID:
        return found
    raise _refused("id", found, f"a text of at most {_LONGEST_ID} characters, or an integer")


def _message(fields: Mapping[str, Plain]) -> attrs.AttrsInstance:
    """Return what a client's frame says.

    Raises:
        InvalidValueError: It is no message of this protocol; each violation names its path
            (NOT_SENT).
    """
    name = fields.get("type")
    kind = RECEIVED.get(name) if isinstance(name, str) else None
    if kind is None:
        raise _refused("type", name, f"one of {', '.join(RECEIVED)}")
    content = {key: value for key, value in fields.items() if key != "type"}
    try:
        return from_plain(kind, content)
    except DecodeError as error:
        raise InvalidValueError.of("message", error.violations) from None


def _refused(field: str, found: object, allowed: str) -> InvalidValueError:
    return invalid("message", Violation.of(field, found, allowed))
