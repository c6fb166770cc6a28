"""Harbor's REST interface: its endpoints as data, and one typed function for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.errors import DecodeError, OutcomeUnknownError, UnknownReason
from dragoman.resilience.breaker import Breaker
from dragoman.resilience.pools import Pool
from dragoman.resilience.pools import Window as RateWindow
from dragoman.resilience.ratelimit import RateLimiter
from dragoman.resilience.sharing import account_key, shared_breaker, shared_pools
from dragoman.transport.base import Lane
from dragoman.transport.client import HttpClient
from dragoman.transport.codec import JsonDecoder, encode
from dragoman.transport.endpoint import Endpoint
from dragoman.transport.signing import KeyHeaders
from dragoman.transport.verdict import Verdicts

from .errors import classify
from .wire import AccountRow, FillPage, InstrumentRow, OrderPage, OrderRow, PositionRow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from dragoman.adapter import AdapterContext
    from dragoman.models import Window
    from dragoman.transport.base import Transport

    from .wire import FillRow

__all__ = ["HarborRest"]

_POOL: Final = Pool("requests", (RateWindow(60, 1.0),))
"""Harbor takes 60 requests in any second, whatever they are for."""
_ONE: Final = {_POOL.name: 1}


def _read(path: str) -> Endpoint:
    return Endpoint(
        name=f"GET {path}", method="GET", path=path, weights=_ONE, is_safe_to_repeat=True
    )


def _command(method: str, path: str, lane: Lane) -> Endpoint:
    """Declare a command; a cancel may be asked again, since an order ends once."""
    return Endpoint(
        name=f"{method} {path}",
        method=method,
        path=path,
        lane=lane,
        weights=_ONE,
        is_safe_to_repeat=lane is Lane.CANCEL,
    )


_ACCOUNTS: Final = _read("/accounts")
_INSTRUMENTS: Final = _read("/instruments")
_POSITIONS: Final = _read("/positions")
_FILLS: Final = _read("/fills")
_OPEN: Final = _read("/orders/open")
_HISTORY: Final = _read("/orders/history")
_ORDER: Final = _read("/orders/{venue_id}")
_ORDER_BY_CLIENT_ID: Final = _read("/orders/by-client-id/{client_id}")
_SUBMIT: Final = _command("POST", "/orders", Lane.ORDER)
_REPLACE: Final = _command("PATCH", "/orders/{venue_id}", Lane.ORDER)
_CANCEL: Final = _command("DELETE", "/orders/{venue_id}", Lane.CANCEL)
_CANCEL_BY_CLIENT_ID: Final = _command("DELETE", "/orders/by-client-id/{client_id}", Lane.CANCEL)

_READ_ACCOUNTS: Final = JsonDecoder(list[AccountRow])
_READ_INSTRUMENTS: Final = JsonDecoder(list[InstrumentRow])
_READ_POSITIONS: Final = JsonDecoder(list[PositionRow])
_READ_ORDER: Final = JsonDecoder(OrderRow)
_READ_ORDERS: Final = JsonDecoder(OrderPage)
_READ_FILLS: Final = JsonDecoder(FillPage)
_LATEST_NS: Final = 2**63 - 1


class HarborRest:
    """What harbor answers, in its own words.

    Raises everywhere what `HttpClient.call` raises, and `DecodeError` where a response to a read
    makes no sense.
    """

    def __init__(self, context: AdapterContext, transport: Transport) -> None:
        key = account_key(context.provider, context.credentials["key"])
        limiter = shared_pools(key, context.clock, lambda: RateLimiter((_POOL,), context.clock))
        breaker = shared_breaker(key, context.clock, lambda: Breaker("harbor", context.clock))
        self._client = HttpClient(
            transport,
            context.endpoints,
            verdicts=Verdicts(
                provider=context.provider,
                clock=context.clock,
                breaker=breaker,
                classify=classify,
            ),
            clock=context.clock,
            random=context.random,
            signer=KeyHeaders(context.credentials, {"harbor-key": "key"}),
            limiter=limiter,
        )

    async def accounts(self) -> list[AccountRow]:
        """Ask `GET /accounts`."""
        return _READ_ACCOUNTS.decode((await self._client.call(_ACCOUNTS)).body)

    async def instruments(self) -> list[InstrumentRow]:
        """Ask `GET /instruments`."""
        return _READ_INSTRUMENTS.decode((await self._client.call(_INSTRUMENTS)).body)

    async def positions(self, account_id: str) -> list[PositionRow]:
        """Ask `GET /positions`."""
        response = await self._client.call(_POSITIONS, query=[("account", account_id)])
        return _READ_POSITIONS.decode(response.body)

    async def submit(self, content: Mapping[str, str | bool]) -> OrderRow:
        """Ask `POST /orders`."""
        return await self._command(_SUBMIT, {}, encode(content))

    async def replace(self, venue_id: str, content: Mapping[str, str]) -> OrderRow:
        """Ask `PATCH /orders/{venue_id}`."""
        return await self._command(_REPLACE, {"venue_id": venue_id}, encode(content))

    async def cancel(self, venue_id: str | None, client_id: str) -> OrderRow:
        """Ask `DELETE /orders/...`, by the client's id where the venue's is not known yet."""
        if venue_id is None:
            return await self._command(_CANCEL_BY_CLIENT_ID, {"client_id": client_id})
        return await self._command(_CANCEL, {"venue_id": venue_id})

    async def order(self, venue_id: str | None, client_id: str | None) -> OrderRow:
        """Ask `GET /orders/...`, by the client's id where there is one."""
        if client_id is not None:
            path = {"client_id": client_id}
            response = await self._client.call(_ORDER_BY_CLIENT_ID, path=path)
        else:
            response = await self._client.call(_ORDER, path={"venue_id": venue_id or ""})
        return _READ_ORDER.decode(response.body)

    async def open_orders(self, account_id: str) -> list[OrderRow]:
        """Ask `GET /orders/open`, all pages."""
        return [row async for row in self._orders(_OPEN, [("account", account_id)])]

    def history(self, account_id: str, window: Window) -> AsyncIterator[OrderRow]:
        """Ask `GET /orders/history`, page by page."""
        return self._orders(_HISTORY, _query(account_id, window))

    async def fills(self, account_id: str, window: Window) -> AsyncIterator[FillRow]:
        """Ask `GET /fills`, page by page."""
        query, cursor = _query(account_id, window), "0"
        while True:
            response = await self._client.call(_FILLS, query=[*query, ("cursor", cursor)])
            page = _READ_FILLS.decode(response.body)
            for row in page.rows:
                yield row
            if page.next is None:
                return
            cursor = page.next

    async def _orders(
        self, endpoint: Endpoint, query: list[tuple[str, str]]
    ) -> AsyncIterator[OrderRow]:
        cursor = "0"
        while True:
            response = await self._client.call(endpoint, query=[*query, ("cursor", cursor)])
            page = _READ_ORDERS.decode(response.body)
            for row in page.rows:
                yield row
            if page.next is None:
                return
            cursor = page.next

    async def _command(
        self, endpoint: Endpoint, path: Mapping[str, str], body: bytes = b""
    ) -> OrderRow:
        """Send a command; a response that makes no sense leaves its fate open."""
        response = await self._client.call(endpoint, path=path, body=body)
        try:
            return _READ_ORDER.decode(response.body)
        except DecodeError as error:
            message = f"{endpoint.name}: {error.message}"
            raise OutcomeUnknownError(message, reason=UnknownReason.BAD_RESPONSE) from None


def _query(account_id: str, window: Window) -> list[tuple[str, str]]:
    until_ns = _LATEST_NS if window.end_ns is None else window.end_ns
    return [
        ("account", account_id),
        ("since_ns", str(window.start_ns or 0)),
        ("until_ns", str(until_ns)),
    ]
