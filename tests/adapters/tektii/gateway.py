"""A Tektii gateway as a script: a test says how each request is answered and what is streamed."""

import asyncio
import itertools
import json
from urllib.parse import parse_qsl, unquote, urlsplit

import attrs

from dragoman.adapter import AdapterContext, Environment
from dragoman.credentials import Credentials
from dragoman.transport.base import HttpResponse
from dragoman.transport.memory import LostAfterSendError, MemoryTransport
from dragoman.transport.memory_wire import MemoryWire

KEY = "key-of-tests"
_PORTS = itertools.count(10_000)  # gateways at one address would share a circuit breaker
ACCOUNT = {
    "balance": "100000",
    "equity": "100050.5",
    "margin_used": "12.5",
    "margin_available": "99000",
    "unrealized_pnl": "-3.25",
    "currency": "USD",
}
ORDER = {
    "id": "o-1",
    "client_order_id": "c1",
    "symbol": "AAPL",
    "side": "BUY",
    "order_type": "LIMIT",
    "quantity": "10",
    "filled_quantity": "0",
    "remaining_quantity": "10",
    "limit_price": "185.50",
    "status": "OPEN",
    "time_in_force": "GTC",
    "created_at": "2026-01-07T14:30:00Z",
    "updated_at": "2026-01-07T14:30:00.5Z",
}
TRADE = {
    "id": "t-1",
    "order_id": "o-1",
    "symbol": "AAPL",
    "side": "BUY",
    "quantity": "4",
    "price": "185.25",
    "commission": "0.5",
    "commission_currency": "USD",
    "is_maker": True,
    "timestamp": "2026-01-07T14:31:00Z",
}
POSITION = {
    "id": "AAPL_position",
    "symbol": "AAPL",
    "side": "SHORT",
    "quantity": "4",
    "average_entry_price": "0",
    "current_price": "0",
    "unrealized_pnl": "0",
    "realized_pnl": "0",
    "opened_at": "2026-01-07T14:31:00Z",
    "updated_at": "2026-01-07T14:31:00Z",
}
QUOTE = {
    "symbol": "AAPL",
    "provider": "mock",
    "bid": "185.49",
    "bid_size": "100",
    "ask": "185.51",
    "ask_size": "200",
    "last": "185.5",
    "timestamp": "2026-01-07T14:31:00Z",
}
BAR = {
    "symbol": "AAPL",
    "provider": "mock",
    "timeframe": "1m",
    "timestamp": "2026-01-07T14:30:00Z",
    "open": "1",
    "high": "3",
    "low": "0.5",
    "close": "2",
    "volume": "70",
}


@attrs.frozen
class Heard:
    """One request as the gateway saw it."""

    method: str
    host: str
    path: str
    asked: dict
    headers: dict
    body: object


def reply(body, status=200, content_type="application/json"):
    text = body if isinstance(body, str) else json.dumps(body)
    return HttpResponse(status=status, headers={"content-type": content_type}, body=text.encode())


def refusal(status, code, message="no", /, **details):
    body = {"code": code, "message": message}
    return reply(body | ({"details": details} if details else {}), status)


class Gateway:
    """Answers by method and path; what a test does not say is answered as an idle gateway does."""

    def __init__(self, platform="mock", features=()):
        self.host = f"localhost:{next(_PORTS)}"
        self.heard = []
        self.wires = []
        self.stream_headers = {}
        self.is_open = asyncio.Event()
        self.answers = {
            "GET /health": {"status": "connected", "providers": [{"platform": platform}]},
            "GET /v1/capabilities": {
                "supported_asset_classes": ["STOCK"],
                "supported_order_types": ["MARKET", "LIMIT"],
                "position_mode": "NETTING",
                "features": list(features),
            },
            "GET /v1/account": ACCOUNT,
            "GET /v1/orders": [],
            "GET /v1/orders/history": [],
            "GET /v1/trades": [],
            "GET /v1/positions": [],
            "GET /v1/quotes/AAPL": QUOTE,
        }

    def transport(self):
        return MemoryTransport(self._answer, stream=self._stream)

    def context(self, provider="tektii", environment=Environment.PAPER, **facts):
        key = facts.pop("key", KEY)
        return AdapterContext(
            provider=provider,
            environment=environment,
            endpoints={"rest": f"http://{self.host}", "stream": f"ws://{self.host}"},
            credentials=Credentials({} if key is None else {"api_key": key}),
            make_transport=self.transport,
            **facts,
        )

    async def say(self, **message):
        """Send a message to who listens."""
        await self.wires[-1].send(json.dumps({"timestamp": "2026-01-07T14:32:00Z"} | message))

    async def next_word(self):
        """Return the next message of the client, whatever it is about."""
        return json.loads(await self.wires[-1].receive())

    def asked(self, route):
        method, path = route.split(" ")
        return [one for one in self.heard if (one.method, one.path) == (method, path)]

    async def _answer(self, request):
        parts = urlsplit(request.url)
        heard = Heard(
            request.method,
            parts.netloc,
            parts.path,
            dict(parse_qsl(parts.query)),
            {name.lower(): value for name, value in request.headers},
            json.loads(request.body) if request.body else None,
        )
        self.heard.append(heard)
        found = self.answers.get(f"{request.method} {parts.path}")
        if found is None:
            found = self.answers.get(f"{request.method} {unquote(parts.path)}")
        if callable(found):
            found = found(heard)
        if found is None:
            return refusal(404, "ORDER_NOT_FOUND", "Order not found")
        if found is LOST:
            raise LostAfterSendError
        return found if isinstance(found, HttpResponse) else reply(found)

    async def _stream(self, request):
        self.stream_headers = {name.lower(): value for name, value in request.headers}
        ours, theirs = MemoryWire.pair("gateway stream")
        self.wires.append(theirs)
        self.is_open.set()
        return ours


LOST = object()
"""The answer of a gateway whose answer gets lost."""
