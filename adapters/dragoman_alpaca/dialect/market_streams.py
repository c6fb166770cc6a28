"""Data streams: a session per client, from its greeting to its end.

Each client has a stream of its own at the broker, whose hub opens every topic once whoever wants
it. Frames wait in the socket's bounded outbox: a slow client is told so and cut, and delays nobody.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from typing import TYPE_CHECKING, Final

import attrs
from attrs.validators import gt

from dragoman.dialects import Scope
from dragoman.errors import (
    AuthenticationError,
    DecodeError,
    DragomanError,
    PermissionDeniedError,
    UnsupportedError,
)
from dragoman.tasks import TaskScope

from .entry import credentials_of
from .market_asked import CRYPTO_PLACES
from .market_frames import Items, SharedItems
from .market_messages import ERRORS, Feed, Message, SubscriptionError, Wanted, problem
from .market_rows import OPTION
from .market_sources import BrokerSource, SampleSource
from .market_text import JsonText, PackedText

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp import web

    from dragoman.dialects import Access, ClientSocket, DialectHost

    from .market_sources import Source
    from .market_text import Text
    from .market_view import Books

__all__ = ["MarketSettings", "MarketStreams"]

_PACKED: Final = "application/msgpack"
_WITHOUT_KEY: Final = "oauth"
"""What stands for the key id where a client has a token alone."""
_COMMANDS: Final = frozenset({"subscribe", "unsubscribe"})
_GOING_AWAY: Final = 1001
_REFUSED: Final = 1008
_FAILED: Final = 1011
_INTERNAL: Final = 500
_TEST: Final = "/v2/test"
_FEEDS: Final = (
    Feed.stocks("iex"),
    Feed.stocks("sip"),
    Feed.stocks("test"),
    Feed.stocks("delayed_sip", is_served=False),
    Feed.stocks("boats", is_served=False),
    Feed.stocks("overnight", is_served=False),
    *[Feed.crypto(place) for place in sorted(CRYPTO_PLACES)],
    Feed.options("indicative"),
    Feed.options("opra"),
)

_log: Final = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class MarketSettings:
    """The limits of data streams.

    `auth_timeout_s` is how long a client may take to show its credentials, `symbol_limit` how many
    symbols of trades and quotes a connection may have and what a star may stand for,
    `connection_limit` how many connections a key may have to one feed, `buffer` how many events may
    wait for one client before it is too slow.
    """

    auth_timeout_s: float = attrs.field(default=10.0, validator=gt(0))
    symbol_limit: int = attrs.field(default=2_000, validator=gt(0))
    connection_limit: int = attrs.field(default=1_000, validator=gt(0))
    buffer: int = attrs.field(default=10_000, validator=gt(0))


class MarketStreams:
    """Every data stream of a host."""

    def __init__(self, host: DialectHost, books: Books, settings: MarketSettings) -> None:
        self.host = host
        self.books = books
        self.settings = settings
        self.connections: Counter[tuple[str | None, str]] = Counter()
        self._shared: dict[tuple[str, str], SharedItems] = {}

    def mount(self, app: web.Application) -> None:
        """Add the paths of the feeds."""
        for feed in _FEEDS:
            app.router.add_get(feed.path, self._handler(feed))

    def items(self, text: Text, source: Source, about: str) -> Items:
        """Return what writes events for one client; what is written is shared with all others.

        Args:
            text: The client's encoding.
            source: Where the events come from.
            about: Whose events they are: each source has items of its own.
        """
        shared = self._shared.setdefault((text.name, about), SharedItems(text.item))
        return Items(shared, source.writer_of)

    def _handler(self, feed: Feed) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            is_packed = request.headers.get("Content-Type", "").startswith(_PACKED)
            text = PackedText() if is_packed else JsonText()
            last_words = text.frame([text.item(problem(407))])
            async with self.host.open_socket(request, last_words=last_words) as socket:
                await _Session(self, feed, socket, text).run()
            return socket.response

        return handle


class _Session:
    """One client of one feed."""

    def __init__(
        self, streams: MarketStreams, feed: Feed, socket: ClientSocket, text: Text
    ) -> None:
        self._streams = streams
        self._feed = feed
        self._socket = socket
        self._text = text
        self._read = text.reader(Message)
        self._wanted = Wanted()
        self._turn = asyncio.Lock()
        self._key_id: str | None = None

    async def run(self) -> None:
        """Serve the client until either side closes."""
        self._say({"T": "success", "msg": "connected"})
        access = await self._authenticated()
        if access is None:
            return
        place = (self._key_id, self._feed.path)
        connections = self._streams.connections
        if connections[place] >= self._streams.settings.connection_limit:
            self._refuse(406)
            return
        connections[place] += 1
        try:
            self._say({"T": "success", "msg": "authenticated"})
            await self._serve(access)
        except DragomanError as error:
            self._fail(error)
        finally:
            connections[place] -= 1
            if not connections[place]:
                del connections[place]

    async def _authenticated(self) -> Access | None:
        """Return what the client may reach; None once it was refused, or has gone."""
        shown = credentials_of(self._socket.request)
        try:
            async with asyncio.timeout(self._streams.settings.auth_timeout_s):
                if any(shown):
                    return await self._access(*shown)
                async for frame in self._socket:
                    message = self._message(frame)
                    if message is not None and message.action == "auth":
                        return await self._access(message.key, message.secret)
                    self._say(problem(400 if message is None else 401))
        except TimeoutError:
            self._refuse(404)
        return None

    async def _access(self, key_id: str | None, secret: str | None) -> Access | None:
        if key_id == _WITHOUT_KEY:
            key_id = None
        self._key_id = key_id
        code = 402
        try:
            if secret:
                access = await self._streams.host.authenticate(key_id, secret)
                access.require(Scope.READ)
                code = self._obstacle()
                if not code:
                    return access
        except PermissionDeniedError:
            code = 411
        except AuthenticationError:
            code = 402
        self._refuse(code)
        return None

    def _obstacle(self) -> int:
        """Return the code of what keeps an authenticated client from this feed; 0 for nothing."""
        if not self._feed.is_served:
            return 409
        is_packed = isinstance(self._text, PackedText)
        return 412 if self._feed.asset_class == OPTION and not is_packed else 0

    async def _serve(self, access: Access) -> None:
        host = self._streams.host
        if self._feed.path == _TEST:
            await self._attend(SampleSource(host.clock), _TEST)
            return
        broker, settings = access.broker, self._streams.settings
        async with broker.stream(buffer=settings.buffer) as stream:
            source = BrokerSource(
                broker,
                self._streams.books.book_of(broker),
                self._feed,
                stream,
                limit=settings.symbol_limit,
            )
            await self._attend(source, f"{broker.provider} {broker.account_id}")

    async def _attend(self, source: Source, about: str) -> None:
        """Tell the client what happens, and do what it says, until it has gone."""
        scope = TaskScope(self._break_off)
        items = self._streams.items(self._text, source, about)
        scope.spawn(self._tell(source, items), f"{self._feed.path} to a client")
        try:
            async for frame in self._socket:
                await self._obey(frame, source)
        finally:
            await scope.close()

    async def _tell(self, source: Source, items: Items) -> None:
        try:
            async for batch in source.batches():
                # What is told of a new subscription comes after the answer to it.
                async with self._turn:
                    told = items.of(batch, self._wanted)
                if source.has_lost:
                    self._refuse(407)
                    return
                if told:
                    self._socket.send(self._text.frame(told))
        except DragomanError as error:
            self._fail(error)
        else:
            self._socket.end(_GOING_AWAY)

    def _break_off(self, name: str, error: BaseException) -> None:
        """End a session that a defect has silenced: to its client the market would look quiet."""
        _log.error("a data stream broke", extra={"task": name}, exc_info=error)
        self._refuse(_INTERNAL)

    async def _obey(self, frame: str | bytes, source: Source) -> None:
        message = self._message(frame)
        if message is None or message.action not in _COMMANDS:
            is_late = message is not None and message.action == "auth"
            self._say(problem(403 if is_late else 400))
            return
        try:
            async with self._turn:
                await self._change(message, source)
        except SubscriptionError as error:
            self._say(problem(error.code))
        except UnsupportedError:
            self._say(problem(410))
        except DragomanError as error:
            _log.warning("a subscription failed", extra=_facts(error, self._feed))
            self._say(problem(_INTERNAL))

    async def _change(self, message: Message, source: Source) -> None:
        lists = self._feed.lists_in(message, source.offered)
        if message.action == "subscribe":
            limit = self._streams.settings.symbol_limit
            wanted = self._wanted.with_added(lists, limit)
        else:
            wanted = self._wanted.without(lists)
        await source.want(wanted)
        self._wanted = wanted
        self._say(wanted.answer(self._feed))

    def _message(self, frame: str | bytes) -> Message | None:
        try:
            return self._read(frame)
        except DecodeError:
            return None

    def _say(self, item: dict[str, object]) -> None:
        self._socket.send(self._text.frame([self._text.item(item)]))

    def _refuse(self, code: int) -> None:
        self._say(problem(code))
        self._socket.end(_FAILED if code == _INTERNAL else _REFUSED, ERRORS[code])

    def _fail(self, error: DragomanError) -> None:
        _log.warning("a data stream ended", extra=_facts(error, self._feed))
        self._refuse(_INTERNAL)


def _facts(error: DragomanError, feed: Feed) -> dict[str, object]:
    return {"feed": feed.path, "error": type(error).__name__, "code": error.code}
