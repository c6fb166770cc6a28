"""What stands between a socket and a dialect's handlers: limits, and errors in its words.

What goes wrong in a handler is told to the client in one sentence and to the log by its place,
never by its text, which may hold what a client sent.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Protocol

from aiohttp import web

from dragoman.errors import DragomanError

from .deadlines import Deadlines
from .discretion import facts_of
from .door import Door

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

    from .dialect import Dialect
    from .limits import HostLimits

__all__ = ["Around", "Guard", "Watcher", "answer_of"]

Around = Callable[[web.Request, "Handler"], Awaitable[web.StreamResponse]]
"""What stands around the commands of a host: it may answer a request without its handler."""

_INTERNAL: Final = "the server failed; its log says where"
_UNREADABLE: Final = "the body can't be read"
_CLOSING: Final = "the server is closing"
_RETRY_AFTER_S: Final = "1"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_READS: Final = frozenset({"GET", "HEAD"})
"""What may be answered with a 504: clients take that for leave to ask again."""

_log: Final = logging.getLogger(__name__)


class _Passage:
    """One request on its way through the guard."""

    __slots__ = ("begun", "has_expired", "is_handled", "method", "tally", "task")

    def __init__(self, method: str, tally: _Tally | None) -> None:
        self.method = method
        self.tally = tally
        self.task = asyncio.current_task()
        self.begun: web.StreamResponse | None = None
        """The stream or socket that its handler has begun to answer with."""
        self.has_expired = False
        self.is_handled = False

    def expire(self) -> None:
        """Cancel what takes too long."""
        self.has_expired = True
        if self.task is not None:
            self.task.cancel()

    def forgive(self) -> bool:
        """Take back what `expire` did; tell whether nobody else has canceled the task."""
        if not self.has_expired or self.task is None:
            return False
        return self.task.uncancel() == 0


_current: Final[ContextVar[_Passage | None]] = ContextVar("passage", default=None)


class _Tally:
    """How many requests of a kind are being answered."""

    def __init__(self) -> None:
        self.count = 0
        self._idle = asyncio.Event()

    def take(self, passage: _Passage) -> None:
        """Count one no more; idempotent."""
        if passage.tally is self:
            passage.tally = None
            self.count -= 1
            if not self.count:
                self._idle.set()

    async def none(self) -> None:
        """Wait until there is none."""
        while self.count:
            self._idle.clear()
            await self._idle.wait()


class Watcher(Protocol):
    """Whoever follows each request from its head to the end of its answer."""

    def begin(self, request: web.Request) -> None:
        """Take note of a request; called by the task that answers it, before anything else."""
        ...

    def stamp(self, response: web.StreamResponse) -> None:
        """Add to the head of an answer, or of what a handler begins; called by the same task."""
        ...

    def end(self, request: web.Request, status: int | None) -> None:
        """Take note of what it was answered; None is nothing, for a client that has gone."""
        ...


class Guard:
    """Lets requests through to dialects, and answers what goes wrong in their words.

    Args:
        voice: Returns the dialect whose words a request is answered in.
        limits: Limits on what clients may ask.
        door: Says who may speak here at all; None lets in what comes by loopback names.
        around: Stands around every command, with its body read.
        lost: Is given each request whose answer could not be written.
        watcher: Is told of every request.
    """

    def __init__(
        self,
        voice: Callable[[web.Request], Dialect],
        limits: HostLimits,
        *,
        door: Door | None = None,
        around: Around | None = None,
        lost: Callable[[web.Request], None] | None = None,
        watcher: Watcher | None = None,
    ) -> None:
        self._voice = voice
        self._limits = limits
        self._door = door or Door()
        self._around = around
        self._lost = lost
        self._watcher = watcher
        self._reads = _Tally()
        self._commands = _Tally()
        self._is_draining = False
        self._is_closing = False
        self._handling = Deadlines[_Passage](limits.request_s, _Passage.expire)
        self._reading = Deadlines[_Passage](limits.body_s, _Passage.expire)
        self._writing = Deadlines[_Passage](limits.answer_s, _Passage.expire)

    @property
    def in_progress(self) -> int:
        """How many requests are being answered; streams and sockets do not count."""
        return self._reads.count + self._commands.count

    @property
    def is_draining(self) -> bool:
        """Whether no new command is taken any more."""
        return self._is_draining

    def make_app(self) -> web.Application:
        """Return an application whose every request passes through this guard."""
        middlewares, limit = [self._pass], self._limits.body_bytes
        app = web.Application(middlewares=middlewares, client_max_size=limit)
        app.on_response_prepare.append(self._note_begun)
        return app

    async def drain(self) -> None:
        """Refuse new commands and sockets, and wait a while until commands are answered.

        What only reads is answered as before.
        """
        self._is_draining = True
        await self._wait(self._commands)

    async def close(self) -> None:
        """Refuse new requests, and wait a while until those being answered are.

        Streams and sockets have no end of their own and are not waited for.
        """
        self._is_draining = self._is_closing = True
        await self._wait(self._commands, self._reads)

    async def _note_begun(self, _: web.Request, response: web.StreamResponse) -> None:
        """Let what a handler begins to stream take as long as it lasts."""
        if self._watcher is not None:
            self._watcher.stamp(response)
        passage = _current.get()
        if passage is None or passage.is_handled or passage.tally is None:
            return
        passage.begun = response
        self._handling.end(passage)
        passage.tally.take(passage)

    async def _wait(self, *tallies: _Tally) -> None:
        try:
            async with asyncio.timeout(self._limits.drain_s):
                for tally in tallies:
                    await tally.none()
        except TimeoutError:
            _log.warning("requests were cut off", extra={"count": self.in_progress})

    @web.middleware
    async def _pass(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        watcher = self._watcher
        if watcher is None:
            return await self._let_through(request, handler)
        watcher.begin(request)
        status: int | None = None
        try:
            answer = await self._let_through(request, handler)
            status = answer.status
        except web.HTTPException as answer:
            status = answer.status
            raise
        finally:
            watcher.end(request, status)
        return answer

    async def _let_through(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        refused = self._refusal(request)
        if refused is not None:
            return refused
        tally = self._reads if request.method in _SAFE else self._commands
        tally.count += 1
        passage = _Passage(request.method, tally)
        _current.set(passage)  # each request is a task of its own, and this ends with it
        try:
            answer = await self._answer(request, passage, handler)
            passage.is_handled = True
            if passage.begun is None:
                await self._send(request, passage, answer)
            return answer
        finally:
            tally.take(passage)

    async def _answer(
        self, request: web.Request, passage: _Passage, handler: Handler
    ) -> web.StreamResponse:
        try:
            if request.can_read_body:
                await self._read_body(request, passage)
            self._handling.start(passage)
            if self._around is None or passage.method in _SAFE:
                return _checked(await handler(request))
            return _checked(await self._around(request, handler))
        except asyncio.CancelledError as error:
            if not passage.forgive():
                raise
            answer = self._failure(request, passage, error)
        except Exception as error:  # noqa: BLE001 - the boundary: told by its place, never lost
            passage.forgive()
            answer = self._failure(request, passage, error)
        finally:
            self._handling.end(passage)
        return _unless_begun(request, passage, answer)

    async def _read_body(self, request: web.Request, passage: _Passage) -> None:
        """Read the whole body, so that no handler waits for a slow client."""
        most = self._limits.body_bytes
        if (request.content_length or 0) > most:
            raise web.HTTPRequestEntityTooLarge(most)
        self._reading.start(passage)
        try:
            body = await request.read()
        except asyncio.CancelledError:
            if not passage.forgive():
                raise
            passage.has_expired = False
            raise web.HTTPRequestTimeout from None
        except (web.RequestPayloadError, ConnectionError):
            # What is not packed as it says; or cut off, and then nobody reads the answer.
            raise web.HTTPBadRequest(reason=_UNREADABLE) from None
        finally:
            self._reading.end(passage)
        if len(body) > most:  # an application around this one may allow more
            raise web.HTTPRequestEntityTooLarge(most)

    async def _send(
        self, request: web.Request, passage: _Passage, answer: web.StreamResponse
    ) -> None:
        """Write the answer here, where a client that does not read it can be given up."""
        passage.has_expired = False
        self._writing.start(passage)
        try:
            await answer.prepare(request)
            await answer.write_eof()
        except ConnectionError:
            self._give_up(request)
        except asyncio.CancelledError:
            if not passage.forgive():
                raise
            self._give_up(request)
        finally:
            self._writing.end(passage)

    def _give_up(self, request: web.Request) -> None:
        if self._lost is not None:
            self._lost(request)
        _hang_up(request)

    def _failure(
        self, request: web.Request, passage: _Passage, error: BaseException
    ) -> web.StreamResponse:
        if not passage.has_expired:
            return answer_of(self._voice(request), error)
        message = "no answer in time; what was asked for may have been done"
        is_read = passage.method in _READS
        status = HTTPStatus.GATEWAY_TIMEOUT if is_read else HTTPStatus.INTERNAL_SERVER_ERROR
        return self._voice(request).refuse(status, message)

    def _refusal(self, request: web.Request) -> web.StreamResponse | None:
        objection = self._door.objection(request)
        if objection is not None:
            return self._voice(request).refuse(HTTPStatus.FORBIDDEN, objection)
        if self._is_draining and (self._is_closing or _begins_something(request)):
            answer = self._voice(request).refuse(HTTPStatus.SERVICE_UNAVAILABLE, _CLOSING)
            answer.headers["Retry-After"] = _RETRY_AFTER_S
            return answer
        return None


def answer_of(dialect: Dialect, error: BaseException) -> web.StreamResponse:
    """Return what a handler's error is answered with, in the words of its dialect.

    A redirect is an answer itself: it is raised on.
    """
    if isinstance(error, web.HTTPException):
        if error.status < HTTPStatus.BAD_REQUEST:
            raise error
        answer = dialect.refuse(error.status, error.reason)
        if "Allow" in error.headers:
            answer.headers["Allow"] = error.headers["Allow"]
        return answer
    if isinstance(error, DragomanError):
        return dialect.problem(error)
    _log.error("a handler failed", extra=facts_of(error))
    return dialect.refuse(HTTPStatus.INTERNAL_SERVER_ERROR, _INTERNAL)


def _begins_something(request: web.Request) -> bool:
    return request.method not in _SAFE or "Upgrade" in request.headers


def _unless_begun(
    request: web.Request, passage: _Passage, answer: web.StreamResponse
) -> web.StreamResponse:
    """Return the answer, or what has been begun instead, broken off so that it looks like that."""
    if passage.begun is None:
        return answer
    if passage.begun.status != HTTPStatus.SWITCHING_PROTOCOLS:
        _hang_up(request)
    return passage.begun


def _checked(answer: object) -> web.StreamResponse:
    if isinstance(answer, web.StreamResponse):
        return answer
    raise TypeError("a handler returned no response")


def _hang_up(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
