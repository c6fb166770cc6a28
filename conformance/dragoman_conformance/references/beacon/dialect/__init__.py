"""Beacon's API served over any broker: the venue that the adapter is tried against.

It knows no venue: all it has is the broker. Transactions and numbers are those of the broker's
journal, so they outlive the process where that does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.dialects import Dialect, Scope

from .desk import Desks
from .handlers import COMMANDS, READS
from .refusals import RefusedError, answer, refusal_of, refused
from .rows import account_row
from .streams import stream_prices, stream_transactions

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp import web

    from dragoman.dialects import Access, DialectHost
    from dragoman.errors import DragomanError

    from .desk import Desk

    Handler = Callable[[web.Request, Desk], Awaitable[web.StreamResponse]]

__all__ = ["BeaconDialect"]

_ACCOUNT = "/v1/accounts/{account}"


class BeaconDialect(Dialect):
    """Serves brokers as beacon would."""

    name = "beacon"

    def mount(self, app: web.Application, host: DialectHost) -> None:
        """Add the routes; journals are read before anything is served."""
        desks, router = Desks(host), app.router

        async def start(_: web.Application) -> None:
            for broker in host.brokers:
                await (await desks.of(broker)).ledger.level()

        async def list_accounts(request: web.Request) -> web.StreamResponse:
            access = await _access(request, host, Scope.READ)
            return answer({"accounts": [account_row(await access.broker.fetch_account())]})

        app.on_startup.append(start)
        router.add_get("/v1/accounts", list_accounts)
        streams = {"transactions/stream": stream_transactions, "pricing/stream": stream_prices}
        for path, handler in {**streams, **READS}.items():
            router.add_get(f"{_ACCOUNT}/{path}", _answering(host, desks, Scope.READ, handler))
        for method, path, command in COMMANDS:
            serve = _answering(host, desks, Scope.TRADE, command)
            router.add_route(method, f"{_ACCOUNT}/{path}", serve)

    def refuse(self, status: int, message: str) -> web.StreamResponse:
        """Return the protocol's form of an error."""
        return refused(status, message)

    def problem(self, error: DragomanError) -> web.StreamResponse:
        """Return the answer to a request that failed, with the code that clients act on."""
        refusal = refusal_of(error)
        return refused(refusal.status, refusal.message, refusal.code)

    def hints(self, url: str) -> tuple[str, ...]:
        """Return how a client is pointed here."""
        return (f"base URL: {url}", "Authorization: Bearer and any secret of this server")


def _answering(
    host: DialectHost, desks: Desks, scope: Scope, handler: Handler
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def serve(request: web.Request) -> web.StreamResponse:
        access = await _access(request, host, scope)
        account_id = request.match_info["account"]
        if account_id != access.broker.account_id:
            message = f"the token reaches no account {account_id!r}"
            raise RefusedError(404, "NO_SUCH_ACCOUNT", message)
        return await handler(request, await desks.of(access.broker))

    return serve


async def _access(request: web.Request, host: DialectHost, scope: Scope) -> Access:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    access = await host.authenticate(None, token if kind == "Bearer" else "")
    access.require(scope)
    return access
