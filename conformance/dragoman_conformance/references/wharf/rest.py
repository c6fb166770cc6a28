"""Wharf's REST interface: its endpoints as data, and one typed method for each, giving rows."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from dragoman.errors import (
    DecodeError,
    DragomanError,
    OutcomeUnknownError,
    ProtocolError,
    UnknownReason,
)
from dragoman.resilience.breaker import Breaker
from dragoman.resilience.pools import Pool, Window
from dragoman.resilience.ratelimit import RateLimiter
from dragoman.resilience.retry_after import until_epoch_s
from dragoman.resilience.sharing import account_key, shared_breaker, shared_pools
from dragoman.times import SECOND_NS
from dragoman.transport.base import Lane
from dragoman.transport.client import HttpClient
from dragoman.transport.codec import JsonDecoder, encode
from dragoman.transport.endpoint import Auth, Endpoint
from dragoman.transport.server_clock import ServerClock
from dragoman.transport.verdict import Verdicts

from . import errors, mapping, wire
from .signing import Nonces, WharfSigner

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from dragoman.adapter import AdapterContext
    from dragoman.transport.base import HttpResponse, Transport

__all__ = ["POOL", "WharfRest"]

POOL: Final = Pool("requests", (Window(1_000, 10.0),))
"""Wharf takes 1,000 requests of a key in any 10 s; what is left, each answer says."""

Row_co = TypeVar("Row_co", covariant=True)
Row = TypeVar("Row")
Answer = TypeVar("Answer")
Query = tuple[tuple[str, str], ...]


class _Page(Protocol[Row_co]):
    """One page of a list, and the cursor of the next."""

    @property
    def rows(self) -> Sequence[Row_co]: ...

    @property
    def next(self) -> str | None: ...


def _read(path: str, auth: Auth = Auth.SIGNED, timeout_s: float = 10.0) -> Endpoint:
    return Endpoint(
        name=f"GET {path}",
        method="GET",
        path=path,
        auth=auth,
        weights={POOL.name: 1},
        is_safe_to_repeat=True,
        timeout_s=timeout_s,
    )


def _command(method: str, path: str, lane: Lane) -> Endpoint:
    """Declare a command; a cancel may be asked again, since an order ends once."""
    return Endpoint(
        name=f"{method} {path}",
        method=method,
        path=path,
        lane=lane,
        weights={POOL.name: 1},
        is_safe_to_repeat=lane is Lane.CANCEL,
    )


TIME: Final = _read("/v1/time", Auth.KEY, timeout_s=2.0)
ACCOUNTS: Final = _read("/v1/accounts")
INSTRUMENTS: Final = _read("/v1/instruments")
INSTRUMENT: Final = _read("/v1/instruments/{symbol}")
POSITIONS: Final = _read("/v1/positions")
FILLS: Final = _read("/v1/fills")
OPEN_ORDERS: Final = _read("/v1/orders/open")
HISTORY: Final = _read("/v1/orders/history")
ORDER: Final = _read("/v1/orders/{venue_id}")
ORDER_BY_CLIENT_ID: Final = _read("/v1/orders")
QUOTES: Final = _read("/v1/quotes")
TRADES: Final = _read("/v1/trades")
BARS: Final = _read("/v1/bars")
SUBMIT: Final = _command("POST", "/v1/orders", Lane.ORDER)
SUBMIT_LIST: Final = _command("POST", "/v1/order-lists", Lane.ORDER)
REPLACE: Final = _command("PATCH", "/v1/orders/{venue_id}", Lane.ORDER)
CANCEL: Final = _command("DELETE", "/v1/orders/{venue_id}", Lane.CANCEL)
CANCEL_BY_CLIENT_ID: Final = _command("DELETE", "/v1/orders", Lane.CANCEL)

READ_TIME: Final = JsonDecoder(wire.ServerTime)
READ_ACCOUNTS: Final = JsonDecoder(wire.AccountPage)
READ_INSTRUMENTS: Final = JsonDecoder(wire.InstrumentPage)
READ_INSTRUMENT: Final = JsonDecoder(wire.InstrumentRow)
READ_POSITIONS: Final = JsonDecoder(wire.PositionPage)
READ_FILLS: Final = JsonDecoder(wire.FillPage)
READ_ORDERS: Final = JsonDecoder(wire.OrderPage)
READ_ORDER: Final = JsonDecoder(wire.OrderRow)
READ_LIST: Final = JsonDecoder(wire.ListPage)
READ_QUOTES: Final = JsonDecoder(wire.QuotePage)
READ_TRADES: Final = JsonDecoder(wire.TradePage)
READ_BARS: Final = JsonDecoder(wire.BarPage)

_REMAINING: Final = "x-ratelimit-remaining"
_RESET: Final = "x-ratelimit-reset"
_MOST_DIGITS: Final = 9
_MOST_NONCE_DIGITS: Final = 20
_PAUSE_NS: Final = 30 * SECOND_NS


class WharfRest:
    """What wharf answers, in its own words.

    Raises everywhere what `HttpClient.call` raises, and `DecodeError` where the answer to a read
    makes no sense.

    Args:
        context: Endpoints, credentials, clock and random.
        transport: Carries the requests; it stays open.
    """

    def __init__(self, context: AdapterContext, transport: Transport) -> None:
        clock = context.clock
        whose = account_key(context.provider, context.endpoints["rest"], context.credentials["key"])
        self._clock = clock
        self.server_clock: ServerClock = ServerClock(clock)
        self._nonces = Nonces.of(whose)
        self._measuring = asyncio.Lock()
        self._not_before_ns = 0
        self.signer: WharfSigner = WharfSigner(
            context.credentials,
            self.server_clock.now_ns,
            self._nonces,
            check_time=self.check_time,
        )
        self._limiter = shared_pools(whose, clock, lambda: RateLimiter((POOL,), clock))
        breaker = shared_breaker(whose, clock, lambda: Breaker(context.provider, clock))
        self._client = HttpClient(
            transport,
            context.endpoints,
            verdicts=Verdicts(
                provider=context.provider,
                clock=clock,
                breaker=breaker,
                classify=errors.classify,
            ),
            clock=clock,
            random=context.random,
            signer=self.signer,
            limiter=self._limiter,
            on_response=self._take_budget,
            resync=self.learn_time,
            skew_codes=errors.SKEW_CODES,
        )

    async def learn_time(self) -> None:
        """Learn the venue's time and the newest nonce that it has seen of the key.

        Raises:
            ProtocolError: The answer holds neither.
        """
        sent_ns = self._clock.monotonic_ns()
        found = await self.time()
        self.server_clock.forget()
        self.server_clock.observe(mapping.time_of(found.time), sent_ns)
        if not (found.nonce.isascii() and found.nonce.isdigit()) or (
            len(found.nonce) > _MOST_NONCE_DIGITS
        ):
            raise ProtocolError("the newest nonce is no whole number")
        self._nonces.learn(int(found.nonce))

    async def check_time(self) -> None:
        """Learn the venue's time anew if that is due, as after a step of this machine's clock.

        Where that fails within 2 s, what is known of it is used for a while: a cancel must go out.
        """
        async with self._measuring:
            now_ns = self._clock.monotonic_ns()
            if not self.server_clock.is_due or now_ns < self._not_before_ns:
                return
            try:
                await self.learn_time()
            except DragomanError:
                self._not_before_ns = self._clock.monotonic_ns() + _PAUSE_NS

    async def time(self) -> wire.ServerTime:
        """Ask `GET /v1/time`."""
        return READ_TIME.decode((await self._client.call(TIME)).body)

    async def accounts(self) -> list[wire.AccountRow]:
        """Ask `GET /v1/accounts`."""
        return READ_ACCOUNTS.decode((await self._client.call(ACCOUNTS)).body).rows

    def instruments(self, kind: str | None = None) -> AsyncIterator[wire.InstrumentRow]:
        """Ask `GET /v1/instruments`, page by page: all kinds, or one."""
        query = () if kind is None else (("kind", kind),)
        return self._pages(INSTRUMENTS, READ_INSTRUMENTS.decode, query)

    async def instrument(self, symbol: str) -> wire.InstrumentRow:
        """Ask `GET /v1/instruments/{symbol}`."""
        response = await self._client.call(INSTRUMENT, path={"symbol": symbol})
        return READ_INSTRUMENT.decode(response.body)

    def positions(self, account_id: str) -> AsyncIterator[wire.PositionRow]:
        """Ask `GET /v1/positions`, page by page."""
        return self._pages(POSITIONS, READ_POSITIONS.decode, (("account", account_id),))

    def open_orders(self, account_id: str) -> AsyncIterator[wire.OrderRow]:
        """Ask `GET /v1/orders/open`, page by page."""
        return self._pages(OPEN_ORDERS, READ_ORDERS.decode, (("account", account_id),))

    def history(self, query: Query) -> AsyncIterator[wire.OrderRow]:
        """Ask `GET /v1/orders/history`, page by page, oldest first."""
        return self._pages(HISTORY, READ_ORDERS.decode, query)

    def fills(self, query: Query) -> AsyncIterator[wire.FillRow]:
        """Ask `GET /v1/fills`, page by page, oldest first."""
        return self._pages(FILLS, READ_FILLS.decode, query)

    def trades(self, query: Query) -> AsyncIterator[wire.TradeRow]:
        """Ask `GET /v1/trades`, page by page, oldest first."""
        return self._pages(TRADES, READ_TRADES.decode, query)

    def bars(self, query: Query) -> AsyncIterator[wire.BarRow]:
        """Ask `GET /v1/bars`, page by page, oldest first."""
        return self._pages(BARS, READ_BARS.decode, query)

    async def quotes(self, symbols: Sequence[str]) -> list[wire.QuoteRow]:
        """Ask `GET /v1/quotes`."""
        query = [("symbol", symbol) for symbol in symbols]
        return READ_QUOTES.decode((await self._client.call(QUOTES, query=query)).body).rows

    async def order(self, account_id: str, venue_id: str) -> wire.OrderRow:
        """Ask `GET /v1/orders/{venue_id}`."""
        query = (("account", account_id),)
        response = await self._client.call(ORDER, path={"venue_id": venue_id}, query=query)
        return READ_ORDER.decode(response.body)

    async def order_by_client_id(self, account_id: str, token: str) -> wire.OrderRow:
        """Ask `GET /v1/orders?client_id=...`."""
        query = (("account", account_id), ("client_id", token))
        response = await self._client.call(ORDER_BY_CLIENT_ID, query=query)
        return READ_ORDER.decode(response.body)

    async def submit(self, body: Mapping[str, object]) -> wire.OrderRow:
        """Ask `POST /v1/orders`."""
        response = await self._client.call(SUBMIT, body=encode(body))
        return _answer(SUBMIT, READ_ORDER, response)

    async def submit_list(self, body: Mapping[str, object]) -> list[wire.ListItem]:
        """Ask `POST /v1/order-lists`."""
        response = await self._client.call(SUBMIT_LIST, body=encode(body))
        return _answer(SUBMIT_LIST, READ_LIST, response).rows

    async def replace(
        self, account_id: str, venue_id: str, body: Mapping[str, object]
    ) -> wire.OrderRow:
        """Ask `PATCH /v1/orders/{venue_id}`."""
        path, query = {"venue_id": venue_id}, (("account", account_id),)
        response = await self._client.call(REPLACE, path=path, query=query, body=encode(body))
        return _answer(REPLACE, READ_ORDER, response)

    async def cancel(self, account_id: str, venue_id: str) -> wire.OrderRow:
        """Ask `DELETE /v1/orders/{venue_id}`."""
        path, query = {"venue_id": venue_id}, (("account", account_id),)
        response = await self._client.call(CANCEL, path=path, query=query)
        return _answer(CANCEL, READ_ORDER, response)

    async def cancel_by_client_id(self, account_id: str, token: str) -> wire.OrderRow:
        """Ask `DELETE /v1/orders?client_id=...`: for an order whose id at wharf is not known."""
        query = (("account", account_id), ("client_id", token))
        response = await self._client.call(CANCEL_BY_CLIENT_ID, query=query)
        return _answer(CANCEL_BY_CLIENT_ID, READ_ORDER, response)

    async def _pages(
        self, endpoint: Endpoint, read: Callable[[bytes], _Page[Row]], query: Query
    ) -> AsyncIterator[Row]:
        """Yield the rows of every page.

        Raises:
            ProtocolError: A page leads to itself.
        """
        cursor: str | None = None
        while True:
            more = () if cursor is None else (("cursor", cursor),)
            response = await self._client.call(endpoint, query=(*query, *more))
            page = read(response.body)
            for row in page.rows:
                yield row
            if page.next is None:
                return
            if page.next == cursor:
                raise ProtocolError(f"{endpoint.name}: the next page is this one again")
            cursor = page.next

    def _take_budget(self, response: HttpResponse) -> None:
        """Tell the limiter what an answer says is left."""
        remaining = response.headers.get(_REMAINING, "")
        if remaining.isascii() and remaining.isdigit() and len(remaining) <= _MOST_DIGITS:
            resets_in_s = until_epoch_s(
                response.headers.get(_RESET, ""), self.server_clock.now_ns()
            )
            self._limiter.observe(POOL.name, remaining=int(remaining), resets_in_s=resets_in_s)


def _answer(endpoint: Endpoint, decoder: JsonDecoder[Answer], response: HttpResponse) -> Answer:
    """Read the answer to a command; one that makes no sense leaves its fate open."""
    try:
        return decoder.decode(response.body)
    except DecodeError as error:
        message = f"{endpoint.name}: {error.message}"
        raise OutcomeUnknownError(message, reason=UnknownReason.BAD_RESPONSE) from None
