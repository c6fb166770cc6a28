"""Beacon's REST interface: its endpoints as data, and one typed function for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

import attrs

from dragoman.credentials import Credentials
from dragoman.errors import DecodeError, OutcomeUnknownError, ProtocolError, UnknownReason
from dragoman.resilience.breaker import Breaker
from dragoman.resilience.pools import Pool
from dragoman.resilience.pools import Window as RateWindow
from dragoman.resilience.ratelimit import RateLimiter
from dragoman.resilience.sharing import account_key, shared_breaker, shared_pools
from dragoman.times import format_time
from dragoman.transport.base import Lane
from dragoman.transport.client import HttpClient
from dragoman.transport.codec import JsonDecoder, encode
from dragoman.transport.endpoint import Endpoint
from dragoman.transport.signatures import revealed
from dragoman.transport.signing import Signer
from dragoman.transport.verdict import Verdicts

from . import errors, wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from dragoman.adapter import AdapterContext
    from dragoman.models import Window
    from dragoman.transport.base import Headers, Transport
    from dragoman.transport.draft import RequestDraft

__all__ = ["BeaconRest", "TokenHeader", "bearer"]

Page = TypeVar("Page", wire.InstrumentPage, wire.OrderPage, wire.TransactionPage)

_POOL: Final = Pool("requests", (RateWindow(100, 1.0),))
"""Beacon takes 100 requests in any second, whatever they are for."""
_ONE: Final = {_POOL.name: 1}
_ACCOUNT: Final = "/v1/accounts/{account}"


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


_ACCOUNTS: Final = _read("/v1/accounts")
_SUMMARY: Final = _read(f"{_ACCOUNT}/summary")
_INSTRUMENTS: Final = _read(f"{_ACCOUNT}/instruments")
_PRICING: Final = _read(f"{_ACCOUNT}/pricing")
_POSITIONS: Final = _read(f"{_ACCOUNT}/positions")
_TRANSACTIONS: Final = _read(f"{_ACCOUNT}/transactions")
_ORDERS: Final = _read(f"{_ACCOUNT}/orders")
_ORDER: Final = _read(f"{_ACCOUNT}/orders/{{specifier}}")
_SUBMIT: Final = _command("POST", f"{_ACCOUNT}/orders", Lane.ORDER)
_REPLACE: Final = _command("PUT", f"{_ACCOUNT}/orders/{{specifier}}", Lane.ORDER)
_CANCEL: Final = _command("PUT", f"{_ACCOUNT}/orders/{{specifier}}/cancel", Lane.CANCEL)

_READ_ACCOUNTS: Final = JsonDecoder(wire.AccountsAnswer)
_READ_ACCOUNT: Final = JsonDecoder(wire.AccountAnswer)
_READ_INSTRUMENTS: Final = JsonDecoder(wire.InstrumentPage)
_READ_PRICES: Final = JsonDecoder(wire.PricesAnswer)
_READ_POSITIONS: Final = JsonDecoder(wire.PositionsAnswer)
_READ_TRANSACTIONS: Final = JsonDecoder(wire.TransactionPage)
_READ_ORDERS: Final = JsonDecoder(wire.OrderPage)
_READ_ORDER: Final = JsonDecoder(wire.OrderAnswer)


def bearer(credentials: Credentials) -> Headers:
    """Return the header that shows the token, to be sent at once and kept nowhere.

    Raises:
        MissingCredentialsError: There is none (NOT_SENT).
    """
    return (("Authorization", f"Bearer {revealed(credentials, 'token')}"),)


@attrs.frozen
class TokenHeader(Signer):
    """Shows the token in each request."""

    credentials: Credentials

    def sign(self, draft: RequestDraft) -> RequestDraft:
        """Return the draft with the token."""
        return draft.signed(headers=draft.headers + bearer(self.credentials))


class BeaconRest:
    """What beacon answers, in its own words.

    Raises everywhere what `HttpClient.call` raises, and `DecodeError` where an answer to a read
    makes no sense. Of a command, such an answer leaves its fate unknown.
    """

    def __init__(self, context: AdapterContext, transport: Transport) -> None:
        key = account_key(context.provider, context.endpoints["rest"], context.credentials["token"])
        self._client = HttpClient(
            transport,
            context.endpoints,
            verdicts=Verdicts(
                provider=context.provider,
                clock=context.clock,
                breaker=shared_breaker(
                    key, context.clock, lambda: Breaker("beacon", context.clock)
                ),
                classify=errors.classify,
            ),
            clock=context.clock,
            random=context.random,
            signer=TokenHeader(context.credentials),
            limiter=shared_pools(key, context.clock, lambda: RateLimiter((_POOL,), context.clock)),
        )

    async def accounts(self) -> list[wire.AccountRow]:
        """Ask `GET /v1/accounts`."""
        return _READ_ACCOUNTS.decode((await self._client.call(_ACCOUNTS)).body).accounts

    async def account(self, account_id: str) -> wire.AccountRow:
        """Ask `GET .../summary`."""
        response = await self._client.call(_SUMMARY, path={"account": account_id})
        return _READ_ACCOUNT.decode(response.body).account

    async def instruments(self, account_id: str) -> AsyncIterator[wire.InstrumentRow]:
        """Ask `GET .../instruments`, page by page."""
        async for page in self._pages(_INSTRUMENTS, account_id, _READ_INSTRUMENTS):
            for row in page.instruments:
                yield row

    async def prices(self, account_id: str, names: Sequence[str]) -> list[wire.PriceRow]:
        """Ask `GET .../pricing`."""
        response = await self._client.call(
            _PRICING, path={"account": account_id}, query=[("instruments", ",".join(names))]
        )
        return _READ_PRICES.decode(response.body).prices

    async def positions(self, account_id: str) -> list[wire.PositionRow]:
        """Ask `GET .../positions`."""
        response = await self._client.call(_POSITIONS, path={"account": account_id})
        return _READ_POSITIONS.decode(response.body).positions

    async def transactions(
        self, account_id: str, kind: str, window: Window
    ) -> AsyncIterator[wire.TransactionRow]:
        """Ask `GET .../transactions`, those of one type, page by page."""
        query = (("type", kind), *_span(window))
        async for page in self._pages(_TRANSACTIONS, account_id, _READ_TRANSACTIONS, query):
            for row in page.transactions:
                yield row

    async def orders(
        self, account_id: str, state: str, window: Window
    ) -> AsyncIterator[wire.OrderRow]:
        """Ask `GET .../orders`, those in a state ("PENDING" or "ALL"), page by page."""
        query = (("state", state), *_span(window))
        async for page in self._pages(_ORDERS, account_id, _READ_ORDERS, query):
            for row in page.orders:
                yield row

    async def order(self, account_id: str, specifier: str) -> wire.OrderRow:
        """Ask `GET .../orders/{specifier}`."""
        path = {"account": account_id, "specifier": specifier}
        return _READ_ORDER.decode((await self._client.call(_ORDER, path=path)).body).order

    async def submit(self, account_id: str, content: Mapping[str, object]) -> wire.OrderRow:
        """Ask `POST .../orders`."""
        return await self._command(_SUBMIT, {"account": account_id}, {"order": content})

    async def replace(
        self, account_id: str, specifier: str, content: Mapping[str, object]
    ) -> wire.OrderRow:
        """Ask `PUT .../orders/{specifier}`; what is answered is the new order."""
        path = {"account": account_id, "specifier": specifier}
        return await self._command(_REPLACE, path, {"order": content})

    async def cancel(self, account_id: str, specifier: str) -> wire.OrderRow:
        """Ask `PUT .../orders/{specifier}/cancel`."""
        path = {"account": account_id, "specifier": specifier}
        return await self._command(_CANCEL, path, {})

    async def _pages(
        self,
        endpoint: Endpoint,
        account_id: str,
        decoder: JsonDecoder[Page],
        query: Sequence[tuple[str, str]] = (),
    ) -> AsyncIterator[Page]:
        """Follow the pages of a list to its end, and see that they do not lead in a circle."""
        path, seen = {"account": account_id}, set[str]()
        turn: tuple[tuple[str, str], ...] = ()
        while True:
            response = await self._client.call(endpoint, path=path, query=(*query, *turn))
            page = decoder.decode(response.body)
            yield page
            if page.next_page is None:
                return
            if page.next_page in seen:
                raise ProtocolError(f"{endpoint.name}: the pages lead in a circle")
            seen.add(page.next_page)
            turn = (("page", page.next_page),)

    async def _command(
        self, endpoint: Endpoint, path: Mapping[str, str], content: Mapping[str, object]
    ) -> wire.OrderRow:
        """Send a command; an answer that makes no sense leaves its fate open."""
        headers = (("Content-Type", "application/json"),)
        response = await self._client.call(
            endpoint, path=path, headers=headers, body=encode(content)
        )
        try:
            return _READ_ORDER.decode(response.body).order
        except DecodeError as error:
            message = f"{endpoint.name}: {error.message}"
        raise OutcomeUnknownError(message, reason=UnknownReason.BAD_RESPONSE)


def _span(window: Window) -> list[tuple[str, str]]:
    """Return what asks for a window: from its start, included, to its end, excluded."""
    ends = (("from", window.start_ns), ("to", window.end_ns))
    return [(name, format_time(at_ns)) for name, at_ns in ends if at_ns is not None]
