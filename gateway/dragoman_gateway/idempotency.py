"""Requests that clients repeat: done once, and answered again in the same words.

A request with a key is written down before its handler runs. While it runs, every id that is drawn
from `Idempotency.ids` is a function of the key and the request: a repeat after a crash names the
same orders, which the broker then knows. An answer is final that says what came of it, for good;
all others leave the key open, and a repeat finds what was begun.

The handler runs in a task of its own: a client that hangs up, or a time limit, ends the waiting and
not the work.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import re
import uuid
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, Protocol

import attrs
from aiohttp import web
from aiohttp.typedefs import Handler

from dragoman.errors import (
    DragomanError,
    JournalUnavailableError,
    OrderRejectedError,
    Outcome,
    RejectReason,
)
from dragoman.repeats import mark_repeat

from .idempotency_store import Answer, AnswerFile, AnswerMemory, store_path
from .lost_answers import LostAnswers, is_gone

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dragoman.broker import Broker
    from dragoman.dialects import Access, Dialect
    from dragoman.ids import IdSource
    from dragoman.tasks import TaskScope
    from dragoman.times import Clock

    from .idempotency_store import AnswerStore
    from .lost_answers import Name

__all__ = ["HEADER", "REPLAYED", "Idempotency", "KeyedIds", "MountHost"]

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotent-Replayed"
_KEY: Final = re.compile(r"[ -~]{1,255}\Z")
_OPEN: Final = frozenset({401, 403, 408, 423, 429})
_ATTEMPTS: Final = 3
"""How often a request may be handled whose order is proved never to have arrived."""
_LARGEST: Final = 4 * 1024 * 1024
_SHOWN: Final = ("User-Agent", "Authorization", "X-API-Key", "APCA-API-KEY-ID")
_CUT_OFF: Final = "no answer in time; what was asked for may have been done"
_OF_THE_EXCHANGE: Final = frozenset(
    {"connection", "content-length", "date", "idempotent-replayed", "keep-alive", "server"}
    | {"transfer-encoding", "x-correlation-id", "x-request-id"}
)

_log: Final = logging.getLogger(__name__)
_current: Final[ContextVar[_Begun | None]] = ContextVar("begun", default=None)


class _Begun:
    """A request with a key whose handler runs: the ids it draws."""

    __slots__ = ("_count", "_seed", "is_over", "is_repeat")

    def __init__(self, seed: bytes, *, is_repeat: bool) -> None:
        self._seed = seed
        self.is_repeat = is_repeat
        self._count = 0
        self.is_over = False

    def again(self) -> None:
        """Draw the same ids once more, for the same request."""
        self._count = 0
        self.is_repeat = True

    def next_id(self) -> str:
        self._count += 1
        digest = hmac.digest(self._seed, str(self._count).encode(), "sha256")
        return str(uuid.UUID(bytes=digest[:16], version=4))


class KeyedIds:
    """Ids of a source; within a request that carries a key, the same ones on every repeat."""

    def __init__(self, source: IdSource) -> None:
        self._source = source

    def next_id(self) -> str:
        """Return an id never returned before, but to the same request."""
        begun = _current.get()
        if begun is None or begun.is_over:  # a task that outlives the request draws its own
            return self._source.next_id()
        return begun.next_id()


class MountHost(Protocol):
    """The host of one mount, as far as it matters here."""

    @property
    def name(self) -> str:
        """What names the mount, the same after a restart."""
        ...

    @property
    def dialect(self) -> Dialect:
        """What is spoken."""
        ...

    @property
    def scope(self) -> TaskScope:
        """The owner of the tasks that handle requests."""
        ...

    def recognize(self, request: web.Request) -> Access | None:
        """Return what a request may reach by what it shows; None where that opens nothing."""
        ...

    def answer_of(self, error: Exception) -> web.StreamResponse:
        """Return the answer to a request whose handler raised `error`."""
        ...


@attrs.frozen(kw_only=True)
class _Asked:
    """A request, by whom and what."""

    request: web.Request
    host: MountHost
    handler: Handler
    scope: str
    fingerprint: bytes


@attrs.frozen(kw_only=True)
class _Given:
    """A request without a key, and what it was answered with."""

    request: web.Request
    host: MountHost
    body: bytes
    response: web.StreamResponse | None = None

    @property
    def name(self) -> Name | None:
        """Who asked for what; None of somebody who is not known here."""
        access = self.host.recognize(self.request)
        if access is None:
            return None
        scope = _scope_of(access, self.host)
        if access.client is None:  # then programs are told apart by what they show of themselves
            scope += "\x1f".join(("", *[self.request.headers.get(one, "") for one in _SHOWN]))
        return scope, _fingerprint(self.request, self.body)


_given: Final[ContextVar[_Given | None]] = ContextVar("given", default=None)


@attrs.frozen(kw_only=True)
class _Told:
    """What came of a handler: what is sent, and whether it says what came of it for good."""

    response: web.StreamResponse
    is_final: bool
    is_never_arrived: bool = False


class Idempotency:
    """The layer between a guard and the handlers of requests that change something.

    Args:
        brokers: Every broker that is served; answers are kept beside the journal of each.
        ids: Where ids come from.
        clock: The time.
        on_replay: Called for each answer that is given once more.
    """

    def __init__(
        self,
        brokers: Sequence[Broker],
        ids: IdSource,
        clock: Clock,
        *,
        on_replay: Callable[[], None] = lambda: None,
    ) -> None:
        self.ids: IdSource = KeyedIds(ids)
        """The ids of the hosts: the same ones each time a request is repeated under its key."""
        self._brokers = tuple(brokers)
        self._clock = clock
        self._on_replay = on_replay
        self._stores: dict[tuple[str, str], AnswerStore] = {}
        self._running: set[tuple[str, str]] = set()
        self._lost = LostAnswers(clock)

    async def open(self) -> None:
        """Open the files.

        Raises:
            JournalUnavailableError: One can't be used (NOT_SENT).
        """
        for broker in self._brokers:
            self._store(broker)

    async def close(self) -> None:
        """Close the files. Idempotent."""
        for store in self._stores.values():
            store.close()

    async def __call__(
        self, request: web.Request, host: MountHost, handler: Handler
    ) -> web.StreamResponse:
        """Answer a request that changes something, whose body has been read.

        What its handler raises becomes an answer in the words of its dialect. Cancelling this
        ends the waiting only.
        """
        keys = request.headers.getall(HEADER, [])
        if keys and (len(keys) > 1 or not _KEY.match(keys[0])):
            message = f"{HEADER} must be one text of 1 to 255 printable ASCII characters"
            return host.dialect.refuse(400, message)
        if not keys:
            return await self._unkeyed(request, host, handler)
        access = host.recognize(request)
        if access is None:
            return await handler(request)
        asked = _Asked(
            request=request,
            host=host,
            handler=handler,
            scope=_scope_of(access, host),
            fingerprint=_fingerprint(request, await request.read()),
        )
        return await self._keyed(asked, keys[0], access)

    def lost(self, request: web.Request) -> None:
        """Note that the answer to a request could not be written; called by who awaited it."""
        given = _given.get()
        if given is not None and given.request is request:
            self._keep(given)

    async def _keyed(self, asked: _Asked, key: str, access: Access) -> web.StreamResponse:
        host, scope = asked.host, asked.scope
        try:
            store = self._store(access.broker)
            record = store.begin(scope, key, asked.fingerprint, self._clock.now_ns())
        except JournalUnavailableError as error:
            return host.answer_of(error)
        if not hmac.compare_digest(record.fingerprint, asked.fingerprint):
            message = f"this {HEADER} was used for another request; a new one needs a new key"
            return host.dialect.refuse(422, message)
        if record.answer is not None:
            return self._replayed(record.answer)
        if (scope, key) in self._running:
            answer = host.dialect.refuse(409, f"a request with this {HEADER} is being handled")
            answer.headers["Retry-After"] = "1"
            return answer
        self._running.add((scope, key))
        seed = store.digest(scope, key, asked.fingerprint.hex())
        begun = _Begun(seed, is_repeat=not record.is_new)
        work = self._answer_to_keep(asked, key, store, begun)
        return await asyncio.shield(host.scope.spawn(work, "keyed-request"))

    async def _answer_to_keep(
        self, asked: _Asked, key: str, store: AnswerStore, begun: _Begun
    ) -> web.StreamResponse:
        _current.set(begun)
        if begun.is_repeat:
            mark_repeat()
        try:
            told = await _told(asked)
            for _ in range(_ATTEMPTS - 1):
                if not told.is_never_arrived:
                    break
                begun.again()
                mark_repeat()
                told = await _told(asked)
            kept = _kept(told.response) if told.is_final else None
            if kept is not None:
                self._settle(store, asked.scope, key, kept)
            return told.response
        finally:
            begun.is_over = True
            self._running.discard((asked.scope, key))

    def _settle(self, store: AnswerStore, scope: str, key: str, answer: Answer) -> None:
        try:
            store.settle(scope, key, answer)
        except JournalUnavailableError as error:
            # A repeat runs again, and finds what this one has done by the ids it drew.
            _log.error("an answer could not be kept", extra={"cause": error.message})

    async def _unkeyed(
        self, request: web.Request, host: MountHost, handler: Handler
    ) -> web.StreamResponse:
        lost, body = self._lost, await request.read()
        if lost.may_know():
            found = await self._found(_Given(request=request, host=host, body=body))
            if found is not None:
                return found
        running = lost.begin(request, host, body)
        try:
            try:
                response = await handler(request)
            except asyncio.CancelledError:
                if is_gone(request):  # a repeat is not to begin anew what may have been done
                    response = host.dialect.refuse(500, _CUT_OFF)
                    self._keep(_Given(request=request, host=host, body=body, response=response))
                raise
            except Exception as error:  # noqa: BLE001 - the host's boundary: it tells and reports each
                response = host.answer_of(error)
            given = _Given(request=request, host=host, body=body, response=response)
            _given.set(given)
            if is_gone(request):
                self._keep(given)
            return response
        finally:
            lost.end(running)

    async def _found(self, asked: _Given) -> web.StreamResponse | None:
        """Return the answer that the same client asked for before and has not read, if any."""
        name = asked.name
        if name is None:
            return None
        for running in self._lost.abandoned():
            before = _Given(request=running.request, host=asked.host, body=running.body)
            if running.host is asked.host and before.name == name:
                await running.over
        answer = self._lost.take(name)
        if answer is None:
            return None
        response = self._replayed(answer)
        _given.set(attrs.evolve(asked, response=response))
        return response

    def _keep(self, given: _Given) -> None:
        """Keep what was answered to nobody, unless it says no more than to come again."""
        if given.response is None or _is_put_off(given.response):
            return
        name, answer = given.name, _kept(given.response)
        if name is not None and answer is not None:
            self._lost.keep(name, answer)

    def _replayed(self, answer: Answer) -> web.Response:
        self._on_replay()
        response = web.Response(status=answer.status, body=answer.body or None)
        for name, value in answer.headers:
            if name.lower() == "content-type":
                response.headers[name] = value
            else:
                response.headers.add(name, value)
        response.headers[REPLAYED] = "true"
        return response

    def _store(self, broker: Broker) -> AnswerStore:
        name = (broker.provider, broker.account_id)
        store = self._stores.get(name)
        if store is None:
            path, folder = store_path(broker), broker.state_dir
            store = (
                AnswerMemory()
                if path is None or folder is None
                else AnswerFile(path, folder, now_ns=self._clock.now_ns())
            )
            self._stores[name] = store
        return store


async def _told(asked: _Asked) -> _Told:
    try:
        response = await asked.handler(asked.request)
    except Exception as error:  # noqa: BLE001 - the host's boundary: it tells and reports each
        response = asked.host.answer_of(error)
        return _Told(
            response=response,
            is_final=_is_final(response, error),
            is_never_arrived=_is_never_arrived(error),
        )
    return _Told(response=response, is_final=_is_final(response))


def _is_final(response: web.StreamResponse, error: BaseException | None = None) -> bool:
    """Tell whether an answer says what came of a request, for good.

    It does not where a fate is not known, where an order never arrived, which a repeat sends, and
    where the client is told to come again.
    """
    if _is_never_arrived(error):
        return False
    while error is not None:
        if isinstance(error, DragomanError) and error.outcome is Outcome.UNKNOWN:
            return False
        error = error.__cause__
    is_over = response.status < 500 and response.status not in _OPEN
    return is_over and "Retry-After" not in response.headers


def _is_never_arrived(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, OrderRejectedError) and error.reason is RejectReason.NEVER_ARRIVED:
            return True
        error = error.__cause__
    return False


def _is_put_off(response: web.StreamResponse) -> bool:
    """Tell whether nothing was done, and asking again may end otherwise."""
    return response.status in {*_OPEN, 503} or "Retry-After" in response.headers


def _kept(response: web.StreamResponse) -> Answer | None:
    """Return what can be told again; None of a stream, and of what is too large to keep."""
    if not isinstance(response, web.Response):
        return None
    body = b"" if response.body is None else response.body
    if not isinstance(body, (bytes, bytearray)) or len(body) > _LARGEST:
        return None
    headers = tuple(
        (name, value)
        for name, value in response.headers.items()
        if name.lower() not in _OF_THE_EXCHANGE
    )
    return Answer(status=response.status, headers=headers, body=bytes(body))


def _scope_of(access: Access, host: MountHost) -> str:
    """Name who asks, by way of what, for which account: nobody else finds what is kept under it."""
    broker = access.broker
    client = "-" if access.client is None else f"+{access.client}"
    return f"{host.name}\x1f{broker.provider}\x1f{broker.account_id}\x1f{client}"


def _fingerprint(request: web.Request, body: bytes) -> bytes:
    head = f"{request.method} {len(request.raw_path)} {request.raw_path}"
    digest = hashlib.sha256(head.encode(errors="surrogatepass"))
    digest.update(body)
    return digest.digest()
