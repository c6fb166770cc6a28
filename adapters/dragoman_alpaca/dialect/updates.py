"""The stream of trade updates: every client told the same frames, none of them waited for."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.dialects import ClientSocket, Scope
from dragoman.errors import AuthenticationError, DecodeError, DragomanError, PermissionDeniedError
from dragoman.transport.codec import encode

from .holdings import Holdings
from .market_text import PackedText
from .order_rows import shown_rows
from .stream_messages import read_message
from .texts import amount, instant

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from decimal import Decimal

    from aiohttp import web

    from dragoman.dialects import DialectHost

    from .desks import Desk, Desks
    from .ledger import Told
    from .stream_messages import ClientMessage

__all__ = ["TradeUpdates"]

_STREAM: Final = "trade_updates"
_AUTH_S: Final = 10.0
_MOST_TRIES: Final = 3
_POLICY: Final = 1008
_TRY_AGAIN: Final = 1013
_MOST_WAITING: Final = 10_000
_OLD_FORMAT: Final = "this format of the authentication message is being deprecated"
_log: Final = logging.getLogger(__name__)


class TradeUpdates:
    """Serves `/stream`.

    Args:
        host: Who keeps the sockets.
        desks: Where the news comes from.
    """

    def __init__(self, host: DialectHost, desks: Desks) -> None:
        self._host = host
        self._desks = desks
        self._wires: dict[int, _Wire] = {}

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve one client until it goes, or does not say in time who it is."""
        is_packed = "msgpack" in request.headers.get("Content-Type", "")
        async with self._host.open_socket(request) as socket:
            client = _Client(socket, is_packed=is_packed)
            try:
                desk = await self._authenticated(client)
                if desk is not None:
                    await self._listen(client, desk)
            except TimeoutError:
                socket.end(_POLICY, "authentication timed out")
            except DecodeError:
                socket.end(_POLICY, "the message is not understood")
            except DragomanError as error:
                socket.end(_TRY_AGAIN, error.message)
            return socket.response

    async def _authenticated(self, client: _Client) -> Desk | None:
        """Return the desk of the account that a client may reach; None once it has gone.

        Raises:
            TimeoutError: It did not say who it is in time.
        """
        async with asyncio.timeout(_AUTH_S):
            for _ in range(_MOST_TRIES):
                message = await client.receive()
                if message is None:
                    return None
                desk = await self._desk_of(client, message)
                if desk is not None:
                    return desk
        client.socket.end(_POLICY, "not authorized")
        return None

    async def _desk_of(self, client: _Client, message: ClientMessage) -> Desk | None:
        if not message.is_authentication:
            client.say_unauthorized("listen")
            return None
        try:
            access = await self._host.authenticate(*message.credentials)
            access.require(Scope.READ)
        except (AuthenticationError, PermissionDeniedError):
            client.say_unauthorized("authenticate")
            return None
        desk = self._desks.of(access.broker)
        await desk.start()
        desk.check_news()
        client.say_authorized(message)
        return desk

    async def _listen(self, client: _Client, desk: Desk) -> None:
        wire = self._wire_of(desk)
        try:
            while (message := await client.receive()) is not None:
                if message.action == "listen":
                    is_wanted = _STREAM in message.streams and desk.hears
                    # Told first, so that nothing comes before the answer.
                    streams = [_STREAM] if is_wanted else []
                    client.say({"stream": "listening", "data": {"streams": streams}})
                    wire.set(client, is_wanted=is_wanted)
                elif message.is_authentication:
                    client.say_authorized(message)
        finally:
            wire.set(client, is_wanted=False)

    def _wire_of(self, desk: Desk) -> _Wire:
        wire = self._wires.get(id(desk))
        if wire is None:
            wire = self._wires[id(desk)] = _Wire(desk)
            self._host.scope.spawn(wire.run(), f"trade updates of {desk.broker.account_id}")
        return wire


@attrs.frozen(eq=False)
class _Client:
    """One client's socket, and how it wants frames written."""

    socket: ClientSocket
    is_packed: bool = attrs.field(kw_only=True)

    async def receive(self) -> ClientMessage | None:
        """Return the client's next message; None once it has gone.

        Raises:
            DecodeError: It is none.
        """
        frame = await self.socket.receive()
        return None if frame is None else read_message(frame)

    def say(self, message: Mapping[str, object]) -> None:
        """Send one message."""
        self.socket.send(_packed(message) if self.is_packed else encode(message))

    def say_authorized(self, message: ClientMessage) -> None:
        """Tell that the key was taken."""
        data = {"status": "authorized", "action": "authenticate"}
        if message.action == "authenticate":
            data["message"] = _OLD_FORMAT
        self.say({"stream": "authorization", "data": data})

    def say_unauthorized(self, action: str) -> None:
        """Tell that the client has not shown who it is."""
        data = {"status": "unauthorized", "action": action}
        self.say({"stream": "authorization", "data": data})


def _packed(message: Mapping[str, object]) -> bytes:
    return PackedText().item(message)


class _Wire:
    """Writes each piece of news of one account once, for all clients that listen."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._clients: set[_Client] = set()
        self._waiting: asyncio.Queue[tuple[Told, Decimal]] = asyncio.Queue(_MOST_WAITING)
        self._holdings = Holdings(desk)
        self._stop: Callable[[], None] | None = None

    def set(self, client: _Client, *, is_wanted: bool) -> None:
        """Let a client be told from now on, or no more."""
        if is_wanted:
            self._clients.add(client)
            if self._stop is None:
                self._stop = self._desk.listen(self._note, self._cut)
        else:
            self._clients.discard(client)

    async def run(self) -> None:
        """Write what is told, in order, until the host closes."""
        while True:
            told, held = await self._waiting.get()
            try:
                message = await self._message(told, held)
            except Exception:  # noqa: BLE001 - one bad update must not end all; it is logged
                _log.exception("a trade update could not be told; its clients are cut")
                self._cut()
                continue
            plain: bytes | None = None
            packed: bytes | None = None
            for client in tuple(self._clients):
                if client.is_packed:
                    packed = packed or _packed(message)
                    client.socket.send(packed)
                else:
                    plain = plain or encode(message)
                    client.socket.send(plain)

    def _note(self, news: Sequence[Told]) -> None:
        if not self._clients:
            self._holdings.forget()
            return
        try:
            for told, held in zip(news, self._holdings.after(news), strict=True):
                self._waiting.put_nowait((told, held))
        except asyncio.QueueFull:
            self._cut()

    def _cut(self) -> None:
        """Let every client go: it connects again, and reads what it missed."""
        for client in self._clients:
            client.socket.end(_POLICY, "updates were lost")
        self._clients.clear()

    async def _message(self, told: Told, held: Decimal) -> dict[str, object]:
        with suppress(DragomanError):  # then it is told without its asset
            await self._desk.book.know([told.row.order.symbol])
        (order,) = shown_rows(self._desk, [told.row], nested=True)
        data: dict[str, object] = {
            "event": told.word,
            "event_id": told.event_id,
            "at": instant(told.received_at_ns),
            "timestamp": instant(told.at_ns),
            "order": order,
        }
        execution = told.execution
        if execution is not None:
            data["execution_id"] = self._desk.ids.execution(execution.fill.fill_id)
            data["price"] = amount(execution.fill.price)
            data["qty"] = amount(execution.fill.quantity)
            data["position_qty"] = amount(held)
        return {"stream": _STREAM, "data": data}
