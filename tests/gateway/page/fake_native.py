"""A small server of the native protocol in a test's hands, with the page in front of it.

It knows one account and tells of it what the test tells it: the page is tried against it where what
the gateway says must be exact, or hostile.
"""

import asyncio
import json
from contextlib import asynccontextmanager

import attrs
from aiohttp import WSCloseCode, web

from dragoman_gateway.page import add_page

PROVIDER = "mock"
ACCOUNT_ID = "paper-1"
WITHIN_S = 30
NOW = "2026-11-20T17:04:04.374986873Z"


def account(**changed):
    facts = {"account_id": ACCOUNT_ID, "provider": PROVIDER, "received_at": NOW, "currency": "USD"}
    figures = {
        "equity": "104250.310",
        "cash": "98099.60",
        "buying_power": "187049.7750",
        "margin_used": "950.1750",
        "unrealized_pnl": "-1250.050",
        "realized_pnl": "4500.36",
    }
    return facts | figures | {"balances": []} | changed


def order(client_order_id, **changed):
    facts = {
        "client_order_id": client_order_id,
        "account_id": ACCOUNT_ID,
        "provider": PROVIDER,
        "symbol": "AAPL",
        "side": "BUY",
        "order_type": "LIMIT",
        "status": "OPEN",
        "time_in_force": "DAY",
        "quantity": "10",
        "filled_quantity": "0",
        "limit_price": "189.50",
        "stop_price": None,
        "pending": None,
        "received_at": NOW,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return facts | changed


def position(symbol, quantity, **changed):
    facts = {
        "position_id": symbol,
        "account_id": ACCOUNT_ID,
        "provider": PROVIDER,
        "symbol": symbol,
        "quantity": quantity,
        "average_entry_price": "190.04",
        "mark_price": "190.035",
        "unrealized_pnl": {"amount": "-0.050", "currency": "USD"},
        "realized_pnl": {"amount": "0", "currency": "USD"},
        "received_at": NOW,
    }
    return facts | changed


def fill(fill_id, **changed):
    facts = {
        "fill_id": fill_id,
        "account_id": ACCOUNT_ID,
        "provider": PROVIDER,
        "client_order_id": f"order-of-{fill_id}",
        "symbol": "AAPL",
        "side": "BUY",
        "quantity": "10",
        "price": "190.04",
        "commission": {"amount": "0.35", "currency": "USD"},
        "liquidity": "TAKER",
        "is_busted": False,
        "venue_time": NOW,
        "received_at": NOW,
    }
    return facts | changed


def quote(bid_price, ask_price, *, symbol="AAPL", received_at=NOW):
    sizes = {"bid_size": "307", "ask_size": "180"}
    prices = {"bid_price": bid_price, "ask_price": ask_price}
    about = {"type": "Quote", "symbol": symbol, "provider": PROVIDER, "received_at": received_at}
    return about | prices | sizes | {"venue_time": received_at}


@attrs.define(kw_only=True)
class FakeNative:
    """What the server knows, and whom it tells; a test changes it at will."""

    secret: str | None = None
    scopes: tuple[str, ...] = ("READ", "TRADE", "HALT")
    sequence: int = 40
    account: dict = attrs.Factory(account)
    positions: list = attrs.Factory(list)
    orders: list = attrs.Factory(list)
    fills: list = attrs.Factory(list)
    symbols: tuple[str, ...] = ("AAPL", "MSFT", "BTC/USD")
    is_halted: bool = False
    missed: list = attrs.Factory(list)
    """What a client that goes on after a sequence is told first."""
    frames: list = attrs.Factory(list)
    """Every frame that a client sent, in the order it came."""
    commands: list = attrs.Factory(list)
    """Every command: its last word and its body."""
    targets: list = attrs.Factory(list)
    """What every request asked for, with its query."""
    sockets: set = attrs.Factory(set)
    news: asyncio.Event = attrs.Factory(asyncio.Event)

    def status(self):
        state = "HALTED" if self.is_halted else "LIVE"
        health = {"state": state, "causes": [], "since": NOW}
        named = {"provider": PROVIDER, "account_id": ACCOUNT_ID, "environment": "SIMULATED"}
        return named | {"is_halted": self.is_halted, "sequence": self.sequence, "health": health}

    async def tell(self, event, *, is_private=False):
        """Send an event to every client."""
        if is_private:
            self.sequence += 1
            event = event | {"sequence": self.sequence, "received_at": NOW}
        for socket in tuple(self.sockets):
            await socket.send_json(_event(event))

    async def heard(self, kind, **facts):
        """Wait until a client has sent such a frame, and return it."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                for frame in self.frames:
                    if frame["type"] == kind and facts.items() <= frame.items():
                        return frame
                self.news.clear()
                await self.news.wait()

    def make_app(self):
        app = web.Application(middlewares=[self._guard])
        add_page(app)
        base = f"/native/v1/{PROVIDER}/{ACCOUNT_ID}"
        app.router.add_get("/native/v1/stream", self._stream)
        app.router.add_get(f"{base}/state", self._state)
        app.router.add_get(f"{base}/fills", self._fills)
        app.router.add_get(f"{base}/instruments", self._instruments)
        app.router.add_post(f"{base}/halt", self._halt)
        app.router.add_post(f"{base}/resume", self._resume)
        return app

    @web.middleware
    async def _guard(self, request, handler):
        self.targets.append(request.path_qs)
        needs_key = request.path.startswith("/native/") and not request.path.endswith("/stream")
        shown = request.headers.get("Authorization")
        if needs_key and self.secret is not None and shown != f"Bearer {self.secret}":
            return _refused(401, "AuthenticationError", "the key is not known here")
        return await handler(request)

    async def _state(self, request):
        lists = {"positions": self.positions, "open_orders": self.orders}
        return web.json_response(self.status() | {"account": self.account} | lists)

    async def _fills(self, request):
        return web.json_response({"fills": self.fills, "next_cursor": None})

    async def _instruments(self, request):
        named = [{"symbol": symbol} for symbol in self.symbols]
        return web.json_response({"instruments": named, "next_cursor": None})

    async def _halt(self, request):
        body = await request.json()
        self.commands.append(("halt", body))
        if "HALT" not in self.scopes:
            return _refused(403, "PermissionDeniedError", "this key may not halt")
        self.is_halted = True
        found = {"open_orders": ["o-1"], "open_positions": ["AAPL"], "unknown": [], "sent": []}
        report = {"halted_at": NOW, "cause": body["cause"], "is_flat": False, "unsent": []}
        return web.json_response(report | found | {"problems": []})

    async def _resume(self, request):
        self.commands.append(("resume", await request.json()))
        self.is_halted = False
        return web.json_response(self.status())

    async def _stream(self, request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        within_s = None if self.secret is None else 5.0
        hello = {"protocol": "dragoman.native", "version": 1, "heartbeat_s": 15.0}
        await socket.send_json({"type": "hello", "authenticate_within_s": within_s} | hello)
        if self.secret is None:
            await self._welcome(socket)
        try:
            async for message in socket:
                await self._answer(socket, json.loads(message.data))
        finally:
            self.sockets.discard(socket)
        return socket

    async def _welcome(self, socket):
        named = {key: self.status()[key] for key in ("provider", "account_id", "environment")}
        told = {"client": None, "scopes": self.scopes, "accounts": [named]}
        await socket.send_json({"type": "authenticated"} | told)
        self.sockets.add(socket)

    async def _answer(self, socket, frame):
        self.frames.append(frame)
        self.news.set()
        about = {"provider": PROVIDER, "account_id": ACCOUNT_ID, "sequence": self.sequence}
        about |= {"id": frame.get("id")}
        if frame["type"] == "authenticate":
            await self._check(socket, frame)
        elif frame["type"] == "ping":
            await socket.send_json({"type": "pong", "id": frame.get("id"), "time": NOW})
        elif frame["type"] in {"subscribe", "unsubscribe"}:
            channels = {"quotes": frame["channels"].get("quotes", [])}
            await socket.send_json({"type": f"{frame['type']}d", "channels": channels} | about)
            if "since" in frame:
                for event in self.missed:
                    await socket.send_json(_event(event))

    async def _check(self, socket, frame):
        if frame["token"] == self.secret:
            await self._welcome(socket)
            return
        error = {"type": "AuthenticationError", "message": "the key is not known here"}
        await socket.send_json({"type": "error", "id": None, "error": {"status": 401, **error}})
        await socket.close(code=4401)


def _event(event):
    return {"type": "event", "provider": PROVIDER, "account_id": ACCOUNT_ID, "event": event}


def _refused(status, kind, message):
    error = {"status": status, "type": kind, "message": message, "outcome": "NOT_SENT"}
    return web.json_response({"error": error}, status=status)


@asynccontextmanager
async def served(app, port=0):
    """Serve an application on a port of this machine, and yield its address."""
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, reuse_address=True)
    try:
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def serving(fake, port=0):
    """Serve the fake and its page; at the end every client is told that it goes away."""
    async with served(fake.make_app(), port) as url:
        yield url
        for socket in tuple(fake.sockets):
            await socket.close(code=WSCloseCode.GOING_AWAY)
