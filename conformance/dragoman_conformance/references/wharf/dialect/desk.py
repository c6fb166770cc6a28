"""What a request is answered out of: one broker, with the ids that wharf gives its orders."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeVar

import attrs

from dragoman.broker import Broker
from dragoman.dialects import DialectHost
from dragoman.errors import DecodeError, InvalidValueError, UnknownInstrumentError
from dragoman.models import Window
from dragoman.times import parse_time

from ..capabilities import is_client_id
from .problems import RefusedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from aiohttp import web

    from dragoman.dialects import IdentityMap
    from dragoman.models import Order
    from dragoman.transport.codec import JsonDecoder

__all__ = ["PAGE", "Desk", "body_of", "cursor_of", "page_of", "window_of"]

PAGE: Final = 10
"""How many rows a page has."""
_ORDER: Final = "order"
_FIRST: Final = 1_001
_VENUE_ID: Final = re.compile(r"W([1-9][0-9]{3,17})")
_CURSOR: Final = re.compile(r"[0-9]{1,9}")

Shape = TypeVar("Shape")
Model = TypeVar("Model")


@attrs.frozen
class Desk:
    """One broker as a key reaches it, and its orders' ids: "W1001", "W1002", ..."""

    broker: Broker
    host: DialectHost

    @property
    def identities(self) -> IdentityMap:
        """The ids given so far."""
        return self.host.identities(self.broker)

    def id_of(self, client_order_id: str) -> str:
        """Return wharf's id of an order, giving it one if it has none."""
        number = self.identities.allocate(_ORDER, client_order_id, first=_FIRST).foreign_id
        return f"W{number}"

    async def order_named(self, venue_id: str) -> Order:
        """Return the order of a venue's id; raises `RefusedError` (404) for none."""
        match = _VENUE_ID.fullmatch(venue_id)
        known = self.identities.get(_ORDER, match[1]) if match else None
        return await self.order(None if known is None else known.key)

    async def order_of_client(self, request: web.Request) -> Order:
        """Return the order of the client's id that a query names; raises as `order_named` does."""
        name = request.query.get("client_id", "")
        return await self.order(name if is_client_id(name) else None)

    async def order(self, client_order_id: str | None) -> Order:
        """Return an order as the venue shows it or, where it does not, as it is known here."""
        if client_order_id is not None:
            found = await self.broker.fetch_order(client_order_id)
            found = found or self.broker.state.order(client_order_id)
            if found is not None:
                return found
        raise RefusedError(404, "unknown_order", "there is no such order")

    def check_account(self, account_id: str | None) -> None:
        """Refuse an account that the key does not reach; raises `RefusedError` (404)."""
        if account_id != self.broker.account_id:
            raise RefusedError(404, "unknown_account", "the key reaches no such account")

    async def symbol(self, symbol: str) -> str:
        """Return a symbol that is listed under that very name; raises `RefusedError` (404)."""
        try:
            found = (await self.broker.instrument(symbol)).symbol
        except UnknownInstrumentError:
            found = None
        if found != symbol:
            raise RefusedError(404, "unknown_symbol", f"no instrument is called {symbol[:40]!r}")
        return symbol

    async def page(
        self,
        request: web.Request,
        read: Callable[[Window], AsyncIterator[Model]],
        write: Callable[[Model], dict[str, object]],
        window: Window,
    ) -> dict[str, object]:
        """Return one page of rows, oldest first, and the cursor of the next."""
        start = cursor_of(request)
        limited = attrs.evolve(window, limit=start + PAGE + 1)
        rows = [write(row) async for row in read(limited)]
        return page_of(rows, start)


def page_of(rows: list[dict[str, object]], start: int) -> dict[str, object]:
    """Cut one page out of rows, from a place in them on."""
    end = start + PAGE
    return {"rows": rows[start:end], "next": str(end) if len(rows) > end else None}


def cursor_of(request: web.Request) -> int:
    """Return where the page begins that a request asks for; raises `RefusedError` (400)."""
    text = request.query.get("cursor", "0")
    if not _CURSOR.fullmatch(text):
        raise RefusedError(400, "invalid_request", "the cursor is none of ours")
    return int(text)


def window_of(request: web.Request) -> Window:
    """Return the span that a request asks for; raises `RefusedError` (400)."""
    since, until = request.query.get("since"), request.query.get("until")
    try:
        return Window(
            start_ns=None if since is None else parse_time(since, "since"),
            end_ns=None if until is None else parse_time(until, "until"),
        )
    except InvalidValueError as error:
        raise RefusedError(400, "invalid_request", error.message) from None


async def body_of(request: web.Request, decoder: JsonDecoder[Shape]) -> Shape:
    """Read the body of a request; raises `RefusedError` (400) for one with words of no meaning."""
    try:
        return decoder.decode(await request.read())
    except DecodeError as error:
        raise RefusedError(400, "invalid_request", error.message) from None
