"""Ferry's REST interface: its endpoints as data, and one typed function for each.

Who logs in is given a token, which one caller renews for all. Where the venue does not know it any
more, it is forgotten; what may be asked again is then asked once more with a new one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from dragoman.credentials import Secret
from dragoman.errors import (
    AuthenticationError,
    DecodeError,
    OutcomeUnknownError,
    ProtocolError,
    UnknownReason,
)
from dragoman.resilience.breaker import Breaker
from dragoman.resilience.pools import Pool
from dragoman.resilience.pools import Window as RateWindow
from dragoman.resilience.ratelimit import RateLimiter
from dragoman.resilience.sharing import account_key, shared_breaker, shared_pools
from dragoman.transport.base import Lane
from dragoman.transport.client import HttpClient
from dragoman.transport.codec import JsonDecoder
from dragoman.transport.endpoint import Auth, Endpoint
from dragoman.transport.signatures import revealed
from dragoman.transport.tokens import BearerToken, Token, TokenSource
from dragoman.transport.urls import encode_query
from dragoman.transport.verdict import Verdicts

from . import errors, mapping, wire

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from dragoman.adapter import AdapterContext
    from dragoman.models import Window
    from dragoman.transport.base import HttpResponse, Transport

    Pairs = Sequence[tuple[str, str]]

__all__ = ["Exchange", "FerryRest"]

Data = TypeVar("Data")
Row = TypeVar("Row")

_POOL: Final = Pool("requests", (RateWindow(50, 1.0),))
"""Ferry takes 50 requests in any second, whatever they are for."""
_FORM: Final = (("Content-Type", "application/x-www-form-urlencoded"),)


class Exchange(Generic[Data]):
    """One thing that can be asked of ferry, and what is answered.

    Args:
        method: GET or POST.
        path: Where it is asked.
        answer: What stands under `data`.
        lane: What it is for; a cancel may be asked again, since an order ends once.
        auth: Whether it needs the token.
    """

    def __init__(
        self,
        method: str,
        path: str,
        answer: type[Data],
        *,
        lane: Lane = Lane.READ,
        auth: Auth = Auth.SIGNED,
    ) -> None:
        self.endpoint: Endpoint = Endpoint(
            name=f"{method} {path}",
            method=method,
            path=path,
            lane=lane,
            auth=auth,
            weights={_POOL.name: 1},
            is_safe_to_repeat=lane is not Lane.ORDER,
        )
        envelope: Any = wire.Envelope[answer]  # type: ignore[valid-type] # made at run time
        self.decoder: JsonDecoder[wire.Envelope[Data]] = JsonDecoder(envelope)


LOGIN: Final = Exchange("POST", "/login", wire.Grant, auth=Auth.NONE)
ACCOUNTS: Final = Exchange("GET", "/accounts", list[wire.AccountRow])
INSTRUMENTS: Final = Exchange("GET", "/instruments", wire.Page[wire.InstrumentRow])
QUOTES: Final = Exchange("GET", "/quotes", list[wire.QuoteRow])
BARS: Final = Exchange("GET", "/bars", wire.Page[wire.BarRow])
POSITIONS: Final = Exchange("GET", "/positions", list[wire.PositionRow])
FILLS: Final = Exchange("GET", "/fills", wire.Page[wire.FillRow])
OPEN_ORDERS: Final = Exchange("GET", "/orders/open", list[wire.OrderRow])
ORDERS: Final = Exchange("GET", "/orders", wire.Page[wire.OrderRow])
ORDER: Final = Exchange("GET", "/order", wire.OrderRow)
SUBMIT: Final = Exchange("POST", "/orders", wire.OrderRow, lane=Lane.ORDER)
CANCEL: Final = Exchange("POST", "/orders/cancel", wire.OrderRow, lane=Lane.CANCEL)


class FerryRest:
    """What ferry answers, in its own words.

    `now_ms` is the venue's time by the last answer, 0 before the first. Raises everywhere what
    `HttpClient.call` raises, and `DecodeError` where an answer to a read makes no sense. Of a
    command, such an answer leaves its fate unknown.
    """

    def __init__(self, context: AdapterContext, transport: Transport) -> None:
        self.now_ms: int = 0
        self._context = context
        key = account_key(
            context.provider, context.endpoints["rest"], revealed(context.credentials, "login")
        )
        self._tokens = TokenSource(self._log_in, context.clock)
        self._client = HttpClient(
            transport,
            context.endpoints,
            verdicts=Verdicts(
                provider=context.provider,
                clock=context.clock,
                breaker=shared_breaker(key, context.clock, lambda: Breaker("ferry", context.clock)),
                classify=errors.classify,
                reads_success=True,
            ),
            clock=context.clock,
            random=context.random,
            signer=BearerToken(self._tokens),
            limiter=shared_pools(key, context.clock, lambda: RateLimiter((_POOL,), context.clock)),
        )

    async def accounts(self) -> list[wire.AccountRow]:
        """Ask `GET /accounts`."""
        return await self._read(ACCOUNTS)

    def instruments(self) -> AsyncIterator[wire.InstrumentRow]:
        """Ask `GET /instruments`, page by page."""
        return self._pages(INSTRUMENTS)

    async def quotes(self, symbols: Sequence[str]) -> list[wire.QuoteRow]:
        """Ask `GET /quotes`."""
        return await self._read(QUOTES, [("syms", ",".join(symbols))])

    def bars(self, symbol: str, step: str, window: Window) -> AsyncIterator[wire.BarRow]:
        """Ask `GET /bars`, page by page."""
        return self._pages(BARS, [("sym", symbol), ("step", step), *mapping.span_of(window)])

    async def positions(self, account_id: str) -> list[wire.PositionRow]:
        """Ask `GET /positions`."""
        return await self._read(POSITIONS, [("account", account_id)])

    def fills(self, account_id: str, window: Window) -> AsyncIterator[wire.FillRow]:
        """Ask `GET /fills`, page by page."""
        return self._pages(FILLS, [("account", account_id), *mapping.span_of(window)])

    async def open_orders(self, account_id: str) -> list[wire.OrderRow]:
        """Ask `GET /orders/open`."""
        return await self._read(OPEN_ORDERS, [("account", account_id)])

    def orders(self, account_id: str, window: Window) -> AsyncIterator[wire.OrderRow]:
        """Ask `GET /orders`, page by page."""
        return self._pages(ORDERS, [("account", account_id), *mapping.span_of(window)])

    async def order(
        self, account_id: str, *, order_id: str | None = None, token: str | None = None
    ) -> wire.OrderRow:
        """Ask `GET /order`, by ferry's id or by the client's."""
        named = ("client", token or "") if order_id is None else ("id", order_id)
        return await self._read(ORDER, [("account", account_id), named])

    async def submit(self, form: Pairs) -> wire.OrderRow:
        """Ask `POST /orders`."""
        return await self._command(SUBMIT, form)

    async def cancel(
        self, account_id: str, *, order_id: str | None = None, token: str | None = None
    ) -> wire.OrderRow:
        """Ask `POST /orders/cancel`, by ferry's id or by the client's."""
        named = ("client", token or "") if order_id is None else ("id", order_id)
        return await self._command(CANCEL, [("account", account_id), named])

    async def _log_in(self) -> Token:
        credentials = self._context.credentials
        form = [(name, revealed(credentials, name)) for name in ("login", "password")]
        body = encode_query(form).encode()
        form = []  # whoever renders a traceback renders its locals
        response = await self._client.call(LOGIN.endpoint, headers=_FORM, body=body)
        grant = LOGIN.decoder.decode(response.body).data
        return Token(secret=Secret(grant.token), lifetime_s=grant.expires_in)

    async def _read(self, exchange: Exchange[Data], query: Pairs = ()) -> Data:
        response = await self._call(exchange.endpoint, query=query)
        return self._opened(exchange, response)

    async def _command(self, exchange: Exchange[Data], form: Pairs) -> Data:
        """Send a command; an answer that makes no sense leaves its fate open."""
        response = await self._call(exchange.endpoint, body=encode_query(form).encode())
        try:
            return self._opened(exchange, response)
        except DecodeError as error:
            message = f"{exchange.endpoint.name}: {error.message}"
        raise OutcomeUnknownError(message, reason=UnknownReason.BAD_RESPONSE)

    async def _pages(
        self, exchange: Exchange[wire.Page[Row]], query: Pairs = ()
    ) -> AsyncIterator[Row]:
        """Turn the pages of a list to its last."""
        number = 1
        while True:
            page = await self._read(exchange, [*query, ("page", str(number))])
            if page.page != number:
                raise ProtocolError(f"{exchange.endpoint.name}: asked for another page")
            for row in page.rows:
                yield row
            if number >= page.pages:
                return
            number += 1

    async def _call(
        self, endpoint: Endpoint, *, query: Pairs = (), body: bytes = b""
    ) -> HttpResponse:
        """Call with a token that is good, once more if the venue has forgotten it.

        Never an order: it is told as refused, and its sender decides.
        """
        secret = await self._tokens.fresh()
        headers = _FORM if body else ()
        try:
            return await self._client.call(endpoint, query=query, headers=headers, body=body)
        except AuthenticationError:
            self._tokens.discard(secret)
            if endpoint.lane is Lane.ORDER:
                raise
        return await self._client.call(endpoint, query=query, headers=headers, body=body)

    def _opened(self, exchange: Exchange[Data], response: HttpResponse) -> Data:
        envelope = exchange.decoder.decode(response.body)
        self.now_ms = max(self.now_ms, envelope.now)
        return envelope.data
