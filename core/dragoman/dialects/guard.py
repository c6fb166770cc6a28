"""What stands between a socket and a dialect's handlers: limits, origins, and errors in its words.

A page in somebody's browser can send requests to this machine, so what a browser sends for another
page, and what came by a name that is not this machine's, is refused. No page may read an answer:
nothing here allows cross-origin requests. What goes wrong in a handler is told to the client in one
sentence and to the log by its place, never by its text, which may hold what a client sent.
"""

from __future__ import annotations

import asyncio
import logging
from contextvars import ContextVar
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from aiohttp import web

from dragoman.errors import DragomanError
from dragoman.transport.urls import is_loopback

from .discretion import facts_of

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

    from .dialect import Dialect
    from .limits import HostLimits

__all__ = ["Guard"]

_INTERNAL: Final = "the server failed; its log says where"
_UNREADABLE: Final = "the body can't be read"
_READS: Final = frozenset({"GET", "HEAD"})
"""What may be answered with a 504: clients take that for leave to ask again."""

_log: Final = logging.getLogger(__name__)
_current: Final[ContextVar[_Passage | None]] = ContextVar("passage", default=None)


class _Passage:
    """One request on its way through the guard."""

    __slots__ = ("begun", "deadline", "is_counted", "is_handled", "method")

    def __init__(self, method: str, request_s: float) -> None:
        self.method = method
        self.deadline = asyncio.timeout(request_s)
        self.begun: web.StreamResponse | None = None
        """The stream or socket that its handler has begun to answer with."""
        self.is_counted = True
        self.is_handled = False


class Guard:
    """Lets requests through to a dialect, and answers what goes wrong in its words."""

    def __init__(self, dialect: Dialect, limits: HostLimits) -> None:
        self._dialect = dialect
        self._limits = limits
        self._in_progress = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._is_closing = False

    def make_app(self) -> web.Application:
        """Return an application whose every request passes through this guard."""

        @web.middleware
        async def pass_through(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._pass(request, handler)

        app = web.Application(middlewares=[pass_through], client_max_size=self._limits.body_bytes)
        app.on_response_prepare.append(self._note_begun)
        return app

    async def drain(self) -> None:
        """Refuse new requests, and wait a while until those being answered are.

        Streams and sockets have no end of their own and are not waited for.
        """
        self._is_closing = True
        try:
            async with asyncio.timeout(self._limits.drain_s):
                await self._idle.wait()
        except TimeoutError:
            _log.warning("requests were cut off", extra={"count": self._in_progress})

    async def _pass(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        refused = self._refusal(request)
        if refused is not None:
            return refused
        passage = _Passage(request.method, self._limits.request_s)
        token = _current.set(passage)
        self._in_progress += 1
        self._idle.clear()
        try:
            answer = await self._answer(request, passage, handler)
            passage.is_handled = True
            if passage.begun is None:
                await self._send(request, answer)
            return answer
        finally:
            self._uncount(passage)
            _current.reset(token)

    async def _answer(
        self, request: web.Request, passage: _Passage, handler: Handler
    ) -> web.StreamResponse:
        try:
            await self._read_body(request)
            async with passage.deadline:
                return _checked(await handler(request))
        except web.HTTPException as error:
            if error.status < HTTPStatus.BAD_REQUEST:
                raise
            answer = self._dialect.refuse(error.status, error.reason)
            if "Allow" in error.headers:
                answer.headers["Allow"] = error.headers["Allow"]
        except DragomanError as error:
            answer = self._dialect.problem(error)
        except Exception as error:  # noqa: BLE001 - the boundary: told by its place, never lost
            answer = self._failure(passage, error)
        return _unless_begun(request, passage, answer)

    async def _read_body(self, request: web.Request) -> None:
        """Read the whole body, so that no handler waits for a slow client."""
        if request.can_read_body:
            try:
                async with asyncio.timeout(self._limits.body_s):
                    await request.read()
            except TimeoutError:
                raise web.HTTPRequestTimeout from None
            except (web.RequestPayloadError, ConnectionError):
                # What is not packed as it says; or cut off, and then nobody reads the answer.
                raise web.HTTPBadRequest(reason=_UNREADABLE) from None

    async def _send(self, request: web.Request, answer: web.StreamResponse) -> None:
        """Write the answer here, where a client that does not read it can be given up."""
        try:
            async with asyncio.timeout(self._limits.answer_s):
                await answer.prepare(request)
                await answer.write_eof()
        except (ConnectionError, TimeoutError):
            _hang_up(request)

    def _failure(self, passage: _Passage, error: Exception) -> web.StreamResponse:
        if passage.deadline.expired():
            message = "no answer in time; what was asked for may have been done"
            is_read = passage.method in _READS
            status = HTTPStatus.GATEWAY_TIMEOUT if is_read else HTTPStatus.INTERNAL_SERVER_ERROR
            return self._dialect.refuse(status, message)
        _log.error("a handler failed", extra=facts_of(error))
        return self._dialect.refuse(HTTPStatus.INTERNAL_SERVER_ERROR, _INTERNAL)

    def _refusal(self, request: web.Request) -> web.StreamResponse | None:
        host = request.headers.getall("Host", [])
        if len(host) != 1 or not is_loopback(_name_of(host[0])):
            message = "the Host header names another machine than this one"
            return self._dialect.refuse(HTTPStatus.FORBIDDEN, message)
        origins = request.headers.getall("Origin", [])
        if origins and origins != [f"http://{host[0]}"]:
            message = "what a browser sends for another page is refused"
            return self._dialect.refuse(HTTPStatus.FORBIDDEN, message)
        if self._is_closing:
            return self._dialect.refuse(HTTPStatus.SERVICE_UNAVAILABLE, "the server is closing")
        return None

    async def _note_begun(self, _: web.Request, response: web.StreamResponse) -> None:
        """Let what a handler begins to stream take as long as it lasts."""
        passage = _current.get()
        if passage is None or passage.is_handled or not passage.is_counted:
            return
        passage.begun = response
        passage.deadline.reschedule(None)
        self._uncount(passage)

    def _uncount(self, passage: _Passage) -> None:
        if not passage.is_counted:
            return
        passage.is_counted = False
        self._in_progress -= 1
        if not self._in_progress:
            self._idle.set()


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


def _name_of(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None
