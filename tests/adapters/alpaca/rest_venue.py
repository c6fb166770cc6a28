"""Alpaca's REST interfaces as a script: a test says how each request is answered."""

import json
import random
from collections import deque
from urllib.parse import parse_qsl, urlsplit

import attrs

from dragoman.adapter import AdapterContext, Environment
from dragoman.credentials import Credentials
from dragoman.times import ManualClock
from dragoman.transport.base import HttpResponse
from dragoman.transport.memory import MemoryTransport

from .trading_rows import ACCOUNT

KEY, SECRET = "captain", "key-of-tests"
ACCOUNT_ROW = {
    "id": ACCOUNT,
    "account_number": "010203ABCD",
    "status": "ACTIVE",
    "currency": "USD",
    "cash": "-23140.2",
    "equity": "103820.56",
    "buying_power": "262113.632",
    "multiplier": "4",
}
AAPL = {
    "id": "904837e3-3b76-47ec-b432-046db621571b",
    "class": "us_equity",
    "exchange": "NASDAQ",
    "symbol": "AAPL",
    "name": "Apple Inc. Common Stock",
    "status": "active",
    "tradable": True,
    "fractionable": True,
}
BTC = {
    "id": "276e2673-764b-4ab6-a611-caf665ca6340",
    "class": "crypto",
    "exchange": "CRYPTO",
    "symbol": "BTC/USD",
    "name": "Bitcoin / US Dollar",
    "status": "active",
    "tradable": True,
    "fractionable": True,
    "min_order_size": "0.0001",
    "min_trade_increment": "0.0001",
    "price_increment": "1",
}
CALL = {
    "id": "98359ef7-5124-49f3-85ea-5cf02df6defa",
    "symbol": "AAPL250620C00100000",
    "name": "AAPL Jun 20 2025 100 Call",
    "status": "active",
    "tradable": True,
    "expiration_date": "2025-06-20",
    "underlying_symbol": "AAPL",
    "type": "call",
    "style": "american",
    "strike_price": "100",
    "size": "100",
}


@attrs.frozen
class Heard:
    """One request as the venue saw it; `path` is as it stood on the wire."""

    method: str
    host: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: dict[str, str]
    body: object

    @property
    def asked(self):
        return dict(self.query)


def reply(content=None, status=200, **headers):
    body = b"" if content is None else json.dumps(content).encode()
    named = {name.replace("_", "-"): str(value) for name, value in headers.items()}
    return HttpResponse(status=status, headers=named, body=body)


def problem(status, code, message, **more):
    return reply({"code": code, "message": message} | more, status)


NOT_FOUND = problem(404, 40410000, "order not found")


class RestVenue:
    """Answers from a script.

    A route's answers are used up in turn, but for the last, which is given again. Each is a
    response, the content of one, an error to raise, or a function of the request that returns
    either.
    """

    def __init__(self):
        self.heard = []
        self.clock = ManualClock()
        self._routes = {}
        self.on("GET", "/v2/account", ACCOUNT_ROW)
        self.on("GET", "/v2/assets", lambda heard: [BTC] if _is_crypto(heard) else [AAPL])
        self.on("GET", "/v2/assets/AAPL", AAPL)
        self.on("GET", "/v2/assets/BTC%2FUSD", BTC)

    def on(self, method, path, *answers):
        self._routes[method, path] = deque(answers)

    def orders(self, *rows):
        """Show these orders by their own ids, and by their client order ids."""
        known = {row["client_order_id"]: row for row in rows}
        for row in rows:
            self.on("GET", f"/v2/orders/{row['id']}", row)
        self.on(
            "GET",
            "/v2/orders:by_client_order_id",
            lambda heard: known.get(heard.asked["client_order_id"], NOT_FOUND),
        )

    def requests(self, path=None):
        """Return what was heard since the session was opened, of one path or all."""
        opening = {("GET", "/v2/account", ()), ("GET", "/v2/assets", (("asset_class", "crypto"),))}
        return [
            one
            for one in self.heard
            if (one.method, one.path, one.query) not in opening and path in (None, one.path)
        ]

    def context(self, **more):
        host = "alpaca.test"
        usual = {
            "provider": "alpaca-paper",
            "environment": Environment.PAPER,
            "endpoints": {
                "rest": f"https://{host}",
                "stream": f"wss://{host}",
                "data": f"https://data.{host}",
                "data_stream": f"wss://stream.{host}",
            },
            "credentials": Credentials({"api_key": KEY, "secret_key": SECRET}),
            "clock": self.clock,
            "random": random.Random(1),
            "make_transport": self.transport,
        }
        return AdapterContext(**(usual | more))

    def transport(self):
        return MemoryTransport(self._answer)

    async def _answer(self, request):
        parts = urlsplit(request.url)
        heard = Heard(
            method=request.method,
            host=parts.netloc,
            path=parts.path,
            query=tuple(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): text for name, text in request.headers},
            body=json.loads(request.body) if request.body else None,
        )
        self.heard.append(heard)
        answers = self._routes.get((request.method, parts.path))
        if answers is None:
            return NOT_FOUND
        answer = answers.popleft() if len(answers) > 1 else answers[0]
        answer = answer(heard) if callable(answer) else answer
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, HttpResponse) else reply(answer)


def _is_crypto(heard):
    return heard.asked["asset_class"] == "crypto"
