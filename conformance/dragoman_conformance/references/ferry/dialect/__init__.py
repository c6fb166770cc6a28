"""Ferry's API served over any broker: the venue that the adapter is tried against.

It knows no venue: all it has is the broker, which each request asks anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.dialects import Dialect, Scope
from dragoman.times import MILLISECOND_NS

from .desk import TOKEN_LIFE_S, Desks
from .handlers import COMMANDS, READS
from .refusals import RefusedError, answer, refusal_of, refusal_of_status, refused
from .rows import account_row

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from aiohttp import web

    from dragoman.dialects import Access, DialectHost
    from dragoman.errors import DragomanError

    from .desk import Desk

    Serve = Callable[[web.Request], Awaitable[web.StreamResponse]]
    Read = Callable[[web.Request, Desk], Awaitable[object]]
    Command = Callable[[Mapping[str, str], Desk], Awaitable[object]]

__all__ = ["FerryDialect"]


class FerryDialect(Dialect):
    """Serves brokers as ferry would."""

    name = "ferry"

    def mount(self, app: web.Application, host: DialectHost) -> None:
        """Add the routes."""
        desks, router = Desks(host), app.router
        router.add_post("/login", _logging_in(host, desks))
        router.add_get("/accounts", _listing_accounts(host, desks))
        for path, read in READS.items():
            router.add_get(path, _reading(host, desks, read))
        for path, command in COMMANDS.items():
            router.add_post(path, _commanding(host, desks, command))

    def refuse(self, status: int, message: str) -> web.StreamResponse:
        """Return the protocol's form of an error; its status is 200, whatever happened."""
        return refused(refusal_of_status(status, message))

    def problem(self, error: DragomanError) -> web.StreamResponse:
        """Return the answer to a request that failed, with the code that clients act on."""
        return refused(refusal_of(error))

    def hints(self, url: str) -> tuple[str, ...]:
        """Return how a client is pointed here."""
        return (f"base URL: {url}", "log in with the id and the secret of a key of this server")


def _logging_in(host: DialectHost, desks: Desks) -> Serve:
    async def serve(request: web.Request) -> web.StreamResponse:
        form = await _form_of(request)
        token = await desks.log_in(form.get("login"), form.get("password"))
        return answer({"token": token, "expires_in": TOKEN_LIFE_S}, _now_ms(host))

    return serve


def _listing_accounts(host: DialectHost, desks: Desks) -> Serve:
    async def serve(request: web.Request) -> web.StreamResponse:
        broker = _access(request, desks, Scope.READ).broker
        return answer([account_row(await broker.fetch_account())], _now_ms(host))

    return serve


def _reading(host: DialectHost, desks: Desks, read: Read) -> Serve:
    async def serve(request: web.Request) -> web.StreamResponse:
        access = _access(request, desks, Scope.READ)
        _check_account(request.query.get("account"), access)
        return answer(await read(request, desks.of(access.broker)), _now_ms(host))

    return serve


def _commanding(host: DialectHost, desks: Desks, command: Command) -> Serve:
    async def serve(request: web.Request) -> web.StreamResponse:
        access = _access(request, desks, Scope.TRADE)
        form = await _form_of(request)
        _check_account(form.get("account", ""), access)
        return answer(await command(form, desks.of(access.broker)), _now_ms(host))

    return serve


def _access(request: web.Request, desks: Desks, scope: Scope) -> Access:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    access = desks.access(token if kind == "Bearer" else "")
    access.require(scope)
    return access


def _check_account(account_id: str | None, access: Access) -> None:
    if account_id not in {None, access.broker.account_id}:
        raise RefusedError(1404, "the login reaches no such account")


async def _form_of(request: web.Request) -> dict[str, str]:
    form = await request.post()
    return {name: text for name, text in form.items() if isinstance(text, str)}


def _now_ms(host: DialectHost) -> int:
    return host.clock.now_ns() // MILLISECOND_NS
