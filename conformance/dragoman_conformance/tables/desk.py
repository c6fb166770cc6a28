"""The venue of one row: a server on loopback that answers what the table says, and nothing else."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import parse_qsl

import attrs
from aiohttp import web

from .sessions import hold_session
from .written import read_written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .calls import WireExchange
    from .sessions import WireSession

__all__ = ["Desk", "Received"]

_UNKNOWN: Final = 599


@attrs.frozen(kw_only=True)
class Received:
    """A request as it came in; `path` is raw, without the query."""

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Desk:
    """Answers one call's exchanges in their order, and standing ones at any time.

    Args:
        exchanges: What the call itself must ask.
        standing: What may be asked besides.
        sessions: What streams it must open, each once.
    """

    def __init__(
        self,
        exchanges: Sequence[WireExchange],
        standing: Sequence[WireExchange],
        sessions: Sequence[WireSession] = (),
    ) -> None:
        self.findings: list[str] = []
        """What was asked otherwise than the table says, in words."""
        self.port: int = 0
        self._due = [one for one in exchanges if not one.repeats]
        self._standing = [*(one for one in exchanges if one.repeats), *standing]
        self._sessions = list(sessions)
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def missing(self) -> tuple[str, ...]:
        """Return what should have been asked and was not."""
        unsent = [f"{one.method} {one.path} was never sent" for one in self._due]
        return (*unsent, *[f"{one.path} was never opened" for one in self._sessions])

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._listen(request)
        path, _, query = request.raw_path.partition("?")
        received = Received(
            method=request.method,
            path=path,
            query=query,
            headers=tuple(request.headers.items()),
            body=await request.read(),
        )
        found = self._match(received)
        if found is None:
            due = f"{self._due[0].method} {self._due[0].path}" if self._due else "nothing"
            self.findings.append(f"{received.method} {path} was sent, {due} was due")
            return web.Response(status=_UNKNOWN)
        self.findings += _differences(found, received)
        headers = {"Content-Type": "application/json", **found.answer_headers}
        return web.Response(status=found.status, body=found.answer.encode(), headers=headers)

    async def _listen(self, request: web.Request) -> web.StreamResponse:
        found = next((one for one in self._sessions if one.path == request.raw_path), None)
        if found is None:
            self.findings.append(f"a stream {request.raw_path} was opened, none was due")
            return web.Response(status=_UNKNOWN)
        self._sessions.remove(found)
        return await hold_session(request, found, self.findings.append)

    def _match(self, received: Received) -> WireExchange | None:
        asked = (received.method, received.path)
        if self._due and (self._due[0].method, self._due[0].path) == asked:
            return self._due.pop(0)
        return next((one for one in self._standing if (one.method, one.path) == asked), None)


def _differences(due: WireExchange, received: Received) -> list[str]:
    """Return, in words, where a request is not what the table says."""
    at = f"{due.method} {due.path}"
    found: list[str] = []
    if due.query is not None:
        query = sorted(parse_qsl(received.query, keep_blank_values=True))
        if query != sorted(due.query.items()):
            found.append(f"{at}: query {dict(due.query)} expected, {received.query} sent")
    sent = {name.lower(): value for name, value in received.headers}
    for name, value in (due.headers or {}).items():
        is_any = value.startswith("<") and value.endswith(">")
        there = sent.get(name.lower())
        if not there or (there != value and not is_any):
            found.append(f"{at}: header {name} is not as documented")
    if due.body is not None and not _same_body(due.body, received):
        sent_body = received.body.decode("utf-8", "replace")
        found.append(f"{at}: body {due.body} expected, {sent_body} sent")
    return found


def _same_body(due: str, received: Received) -> bool:
    text = received.body.decode("utf-8", "replace")
    kind = {name.lower(): value for name, value in received.headers}.get("content-type", "")
    if "form" in kind:
        return Counter(parse_qsl(due, keep_blank_values=True)) == Counter(
            parse_qsl(text, keep_blank_values=True)
        )
    try:
        return read_written(due) == read_written(text)
    except ValueError:
        return due == text
