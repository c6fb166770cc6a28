"""Tektii's REST interface: its endpoints as data, and one typed method for each, giving rows.

Lists have no pages, and filters that some brokers ignore: whoever asks looks at every row again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar, cast

from dragoman.errors import DecodeError, OutcomeUnknownError, ProtocolError, UnknownReason
from dragoman.models.instrument import Instrument
from dragoman.models.serde import from_plain
from dragoman.resilience.breaker import Breaker
from dragoman.resilience.sharing import account_key, shared_breaker
from dragoman.transport.base import Lane
from dragoman.transport.client import HttpClient
from dragoman.transport.codec import JsonDecoder, decode_any, encode
from dragoman.transport.endpoint import Auth, Endpoint
from dragoman.transport.signatures import revealed
from dragoman.transport.signing import KeyHeaders
from dragoman.transport.verdict import Verdicts

from . import wire
from .errors import MODIFYING, classify
from .mapping.reading import understood

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dragoman.adapter import AdapterContext
    from dragoman.transport.base import HttpResponse, Transport

__all__ = ["KEY_HEADER", "Query", "TektiiRest"]

Answer = TypeVar("Answer")
Query = tuple[tuple[str, str], ...]

KEY_HEADER: Final = "X-API-Key"
"""Where the key goes, in requests and in the opening of the stream."""

_REQUEST_ID: Final = "X-Correlation-ID"
_JSON: Final = (("Content-Type", "application/json"),)


def _read(path: str, *, auth: Auth = Auth.KEY, timeout_s: float = 10.0) -> Endpoint:
    return Endpoint(
        name=f"GET {path}",
        method="GET",
        path=path,
        auth=auth,
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
        auth=Auth.KEY,
        is_safe_to_repeat=lane is Lane.CANCEL,
    )


HEALTH: Final = _read("/health", auth=Auth.NONE)
CAPABILITIES: Final = _read("/v1/capabilities")
ACCOUNT: Final = _read("/v1/account")
INSTRUMENTS: Final = _read("/v1/instruments", timeout_s=30.0)
INSTRUMENT: Final = _read("/v1/instruments/{symbol}")
ORDERS: Final = _read("/v1/orders", timeout_s=30.0)
HISTORY: Final = _read("/v1/orders/history", timeout_s=30.0)
ORDER: Final = _read("/v1/orders/{order_id}")
TRADES: Final = _read("/v1/trades", timeout_s=30.0)
POSITIONS: Final = _read("/v1/positions")
QUOTE: Final = _read("/v1/quotes/{symbol}")
BARS: Final = _read("/v1/bars/{symbol}", timeout_s=30.0)
SUBMIT: Final = _command("POST", "/v1/orders", Lane.ORDER)
MODIFY: Final = _command(MODIFYING, "/v1/orders/{order_id}", Lane.ORDER)
CANCEL: Final = _command("DELETE", "/v1/orders/{order_id}", Lane.CANCEL)

_READ_HEALTH: Final = JsonDecoder(wire.HealthRow)
_READ_CAPABILITIES: Final = JsonDecoder(wire.CapabilityRow)
_READ_ACCOUNT: Final = JsonDecoder(wire.AccountRow)
_READ_ORDERS: Final = JsonDecoder(list[wire.OrderRow])
_READ_ORDER: Final = JsonDecoder(wire.OrderRow)
_READ_TRADES: Final = JsonDecoder(list[wire.TradeRow])
_READ_POSITIONS: Final = JsonDecoder(list[wire.PositionRow])
_READ_QUOTE: Final = JsonDecoder(wire.QuoteRow)
_READ_BARS: Final = JsonDecoder(list[wire.BarRow])
_READ_HANDLE: Final = JsonDecoder(wire.HandleRow)
_READ_MODIFIED: Final = JsonDecoder(wire.ModifiedRow)
_READ_CANCEL: Final = JsonDecoder(wire.CancelRow)


class TektiiRest:
    """What a gateway answers, in its own words.

    Raises everywhere what `HttpClient.call` raises, and `DecodeError` where an answer to a read
    makes no sense. Of a command, such an answer leaves its fate unknown.
    """

    def __init__(self, context: AdapterContext, transport: Transport) -> None:
        whose = account_key(context.provider, context.endpoints["rest"], _key(context))
        clock = context.clock
        self._client = HttpClient(
            transport,
            context.endpoints,
            verdicts=Verdicts(
                provider=context.provider,
                clock=clock,
                breaker=shared_breaker(whose, clock, lambda: Breaker(context.provider, clock)),
                classify=classify,
                request_id_header=_REQUEST_ID,
            ),
            clock=clock,
            random=context.random,
            signer=_signer(context),
        )

    async def health(self) -> wire.HealthRow:
        """Ask `GET /health`, which needs no key."""
        return _READ_HEALTH.decode((await self._client.call(HEALTH)).body)

    async def capabilities(self) -> wire.CapabilityRow:
        """Ask `GET /v1/capabilities`."""
        return _READ_CAPABILITIES.decode((await self._client.call(CAPABILITIES)).body)

    async def account(self) -> wire.AccountRow:
        """Ask `GET /v1/account`."""
        return _READ_ACCOUNT.decode((await self._client.call(ACCOUNT)).body)

    async def instruments(self) -> list[Instrument]:
        """Ask `GET /v1/instruments`, which only some gateways have: models in plain data."""
        plain = decode_any((await self._client.call(INSTRUMENTS)).body)
        if not isinstance(plain, list):
            raise ProtocolError(f"{INSTRUMENTS.name}: no list")
        return [_listed(one) for one in cast("list[object]", plain)]

    async def instrument(self, symbol: str) -> Instrument:
        """Ask `GET /v1/instruments/{symbol}`, which only some gateways have."""
        response = await self._client.call(INSTRUMENT, path={"symbol": symbol})
        return _listed(decode_any(response.body))

    async def orders(self, query: Query = ()) -> list[wire.OrderRow]:
        """Ask `GET /v1/orders`: some gateways list open orders, some list all."""
        return _READ_ORDERS.decode((await self._client.call(ORDERS, query=query)).body)

    async def history(self, query: Query = ()) -> list[wire.OrderRow]:
        """Ask `GET /v1/orders/history`: orders that ended."""
        return _READ_ORDERS.decode((await self._client.call(HISTORY, query=query)).body)

    async def order(self, order_id: str, *, timeout_s: float | None = None) -> wire.OrderRow:
        """Ask `GET /v1/orders/{id}`."""
        path = {"order_id": order_id}
        response = await self._client.call(ORDER, path=path, timeout_s=timeout_s)
        return _READ_ORDER.decode(response.body)

    async def trades(self, query: Query = ()) -> list[wire.TradeRow]:
        """Ask `GET /v1/trades`."""
        return _READ_TRADES.decode((await self._client.call(TRADES, query=query)).body)

    async def positions(self) -> list[wire.PositionRow]:
        """Ask `GET /v1/positions`."""
        return _READ_POSITIONS.decode((await self._client.call(POSITIONS)).body)

    async def quote(self, symbol: str) -> wire.QuoteRow:
        """Ask `GET /v1/quotes/{symbol}`."""
        response = await self._client.call(QUOTE, path={"symbol": symbol})
        return _READ_QUOTE.decode(response.body)

    async def bars(self, symbol: str, query: Query) -> list[wire.BarRow]:
        """Ask `GET /v1/bars/{symbol}`."""
        response = await self._client.call(BARS, path={"symbol": symbol}, query=query)
        return _READ_BARS.decode(response.body)

    async def submit(self, body: Mapping[str, object]) -> wire.HandleRow:
        """Ask `POST /v1/orders`."""
        response = await self._client.call(SUBMIT, headers=_JSON, body=encode(body))
        return _answer(SUBMIT, _READ_HANDLE, response)

    async def modify(self, order_id: str, body: Mapping[str, object]) -> wire.ModifiedRow:
        """Ask `PATCH /v1/orders/{id}`."""
        path = {"order_id": order_id}
        response = await self._client.call(MODIFY, path=path, headers=_JSON, body=encode(body))
        return _answer(MODIFY, _READ_MODIFIED, response)

    async def cancel(self, order_id: str) -> wire.CancelRow:
        """Ask `DELETE /v1/orders/{id}`."""
        response = await self._client.call(CANCEL, path={"order_id": order_id})
        return _answer(CANCEL, _READ_CANCEL, response)


@understood
def _listed(plain: object) -> Instrument:
    """Read an instrument; what a later edition says besides is passed over."""
    return from_plain(Instrument, plain, ignore_unknown=True)


def _key(context: AdapterContext) -> str:
    """Return what tells users of a gateway apart."""
    return revealed(context.credentials, "api_key") if "api_key" in context.credentials else ""


def _signer(context: AdapterContext) -> KeyHeaders | None:
    """Return what puts the key on requests; None for a gateway that is used without one."""
    if "api_key" not in context.credentials:
        return None
    return KeyHeaders(context.credentials, {KEY_HEADER: "api_key"})


def _answer(endpoint: Endpoint, decoder: JsonDecoder[Answer], response: HttpResponse) -> Answer:
    """Read the answer to a command; one that makes no sense leaves its fate open."""
    try:
        return decoder.decode(response.body)
    except DecodeError as error:
        message = f"{endpoint.name}: {error.message}"
    raise OutcomeUnknownError(message, reason=UnknownReason.BAD_RESPONSE)
