"""Tektii's gateway protocol served over any broker: what a Tektii strategy needs to run on it.

REST under `/v1`, the stream at `/v1/ws`, probes and counters beside them. It knows no venue: all it
has is the broker, and the protocol's own words.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from aiohttp import web

from dragoman.dialects import Dialect, SimpleHost
from dragoman.errors import ConfigurationError

from .desks import Desks
from .entry import key_of
from .metrics import Metrics
from .problems import json_response, refusal_of, refusal_of_status, refused
from .routes import mount_rest, mount_routes
from .service import health_row, ready_answer
from .streams import Streams
from .subscriptions import Entry, entries_of, parse_subscriptions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dragoman.dialects import DialectHost
    from dragoman.errors import DragomanError

__all__ = ["Entry", "TektiiDialect", "parse_subscriptions"]

_SHA: Final = "GIT_SHA"
_NO_SHA: Final = "unknown"
_WITHOUT_EFFECT: Final = frozenset(
    {"reconnect_initial_ms", "reconnect_max_ms", "reconnect_max_s", "exit_ttl_hours"}
)
_TEXT: Final = "text/plain"


class TektiiDialect(Dialect):
    """Serves brokers as a Tektii gateway would.

    Args:
        subscriptions: What is streamed and what is kept back; without any, all of the account, and
            of a simulated broker a few instruments.
    """

    name = "tektii"

    def __init__(self, subscriptions: Sequence[Entry] = ()) -> None:
        self._entries = tuple(subscriptions)
        self._desks: Desks | None = None
        self._streams: Streams | None = None
        self._git_sha = os.environ.get(_SHA) or _NO_SHA

    def configure(self, settings: Mapping[str, object]) -> None:
        """Take settings by name.

        `subscriptions` are entries as JSON text or as a list of tables, `git_sha` the build that
        is told. The times after which a gateway connects anew or forgets exits are taken and have
        no effect: the broker connects by its own rules, and no exit is ever forgotten.

        Raises:
            ConfigurationError: There is no such setting, or its value is wrong (NOT_SENT).
        """
        for name, value in settings.items():
            if name == "subscriptions":
                self._entries = entries_of(value)
            elif name == "git_sha" and isinstance(value, str):
                self._git_sha = value or _NO_SHA
            elif name not in _WITHOUT_EFFECT:
                raise ConfigurationError(f"the dialect {self.name} has no such setting: {name!r}")

    def mount(self, app: web.Application, host: DialectHost) -> None:
        """Add every route; the stream of each broker is read before the server listens."""
        metrics = Metrics(host)
        desks = self._desks = Desks(host, self._entries, metrics)
        streams = self._streams = Streams(host, desks)

        async def start(_: web.Application) -> None:
            await streams.start()

        async def live(_: web.Request) -> web.Response:
            return json_response({"status": "ok"})

        async def ready(_: web.Request) -> web.Response:
            return ready_answer(desks.all, is_closing=host.is_draining)

        async def health(_: web.Request) -> web.Response:
            return json_response(health_row(desks.all, self._git_sha))

        async def counters(_: web.Request) -> web.Response:
            return web.Response(text=metrics.text(), content_type=_TEXT)

        app.on_startup.append(start)
        app.router.add_get("/livez", live)
        app.router.add_get("/readyz", ready)
        app.router.add_get("/health", health)
        if isinstance(host, SimpleHost):  # every other host has counters of its own
            app.router.add_get("/metrics", counters)
        mount_routes(app, host, desks, streams.serve)
        mount_rest(app, host)

    async def farewell(self) -> None:
        """Tell every client of the streams that the server goes away."""
        if self._streams is not None:
            await self._streams.leave()

    def credentials(self, request: web.Request) -> tuple[str | None, str | None]:
        """Return what a request shows of who sent it: one token, no key id."""
        return None, key_of(request)

    def refuse(self, status: int, message: str) -> web.StreamResponse:
        """Return the protocol's form of an error."""
        return refused(refusal_of_status(status, message))

    def problem(self, error: DragomanError) -> web.StreamResponse:
        """Return the answer to a request that failed."""
        return refused(refusal_of(error))

    def hints(self, url: str) -> tuple[str, ...]:
        """Return how the SDK is pointed here."""
        return (
            f"TRADING_GATEWAY_URL={url}",
            "TRADING_GATEWAY_API_KEY: a key of this server, where it needs one",
            f"stream: {url.replace('http', 'ws', 1)}/v1/ws",
        )
