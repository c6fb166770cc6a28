"""Harbor on real sockets: the venue served over HTTP and WebSocket on loopback.

`python -m dragoman_conformance.harbor.server` serves one until it is told to stop, and writes its
ledger to the standard output, a line of JSON for each row; the first line names the port.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from typing import TYPE_CHECKING, Final, Self

from aiohttp import WSCloseCode, WSMsgType, web

from dragoman.tasks import TaskScope
from dragoman.times import SystemClock

from .messages import Request
from .settings import FillStyle, HarborSettings
from .venue import HarborVenue

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from dragoman.times import Clock

    from .messages import Json

__all__ = ["HarborServer", "main"]

_HOST: Final = "127.0.0.1"
_STREAM_PATH: Final = "/stream"
_LONGEST_QUEUE: Final = 100_000
_BACKLOG: Final = 4096


class HarborServer:
    """Serves one venue from the running loop, on a port of loopback. A context manager.

    Args:
        settings: The venue's terms.
        port: Where to listen; 0 takes a free port.
        seed: What the market's choices follow from.
        clock: Where the venue's time comes from; a fast one makes for a fast market.
    """

    def __init__(
        self,
        settings: HarborSettings | None = None,
        *,
        port: int = 0,
        seed: int = 0,
        clock: Clock | None = None,
    ) -> None:
        self._clock = clock or SystemClock()
        self.venue: HarborVenue = HarborVenue(
            settings, now_ns=self._clock.now_ns, schedule=self._schedule, seed=seed
        )
        self.port: int = port
        """Where it listens; known once it is entered."""
        self.close_codes: list[int] = []
        """What clients closed their streams with; 1006 stands for no close frame at all."""
        self._timers = TaskScope()
        self._is_closed = False
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_get(_STREAM_PATH, self._stream)
        application.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, _HOST, self.port, backlog=_BACKLOG, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_closed = True
        await self._timers.close()
        for stream in self.venue.streams:
            stream.close()
        if self._runner is not None:
            await self._runner.cleanup()

    def endpoints(self, port: int | None = None) -> dict[str, str]:
        """Return the base URLs by role, straight or by way of a proxy's port."""
        at = f"{_HOST}:{port or self.port}"
        return {"rest": f"http://{at}", "stream": f"ws://{at}"}

    def _schedule(self, delay_ns: int, action: Callable[[], None]) -> None:
        async def act() -> None:
            await self._clock.sleep_ns(delay_ns)
            action()

        if not self._is_closed:
            self._timers.spawn(act(), "what the venue does later")

    async def _answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        reply = self.venue.handle(
            Request.of(request.method, request.raw_path, headers=dict(request.headers), body=body)
        )
        return web.Response(status=reply.status, body=reply.body, headers=reply.headers)

    async def _stream(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(timeout=1.0)
        await socket.prepare(request)
        outbox: asyncio.Queue[str] = asyncio.Queue(_LONGEST_QUEUE)
        scope = TaskScope(on_error=_lost)
        scope.spawn(_drain(outbox, socket), "stream to a client")
        stream = self.venue.open_stream(outbox.put_nowait)
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    stream.receive(message.data)
        finally:
            stream.close()
            await scope.close()
            self.close_codes.append(socket.close_code or WSCloseCode.ABNORMAL_CLOSURE)
        return socket


async def _drain(outbox: asyncio.Queue[str], socket: web.WebSocketResponse) -> None:
    while True:
        await socket.send_str(await outbox.get())


def _lost(_: str, error: BaseException) -> None:
    """Leave a client that is gone to the task that reads from it."""
    if not isinstance(error, ConnectionError):
        raise error


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve one venue until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(prog="harbor", description="Serve a small venue on loopback.")
    parser.add_argument("--port", type=int, default=0, help="where to listen; a free port if 0")
    parser.add_argument("--seed", type=int, default=0, help="what the market does")
    parser.add_argument("--fills", type=FillStyle, default=FillStyle.SEEDED, choices=[*FillStyle])
    parser.add_argument("--rate-limit", type=int, default=60, help="requests in a second")
    chosen = parser.parse_args(arguments)
    settings = HarborSettings(fills=chosen.fills, rate_limit=chosen.rate_limit)
    asyncio.run(_serve(settings, port=chosen.port, seed=chosen.seed))


async def _serve(settings: HarborSettings, *, port: int, seed: int) -> None:
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, stopped.set)
    async with HarborServer(settings, port=port, seed=seed) as server:
        _write({"row": "listening", "port": server.port})
        server.venue.ledger.copy = _write
        await stopped.wait()


def _write(row: Json) -> None:
    sys.stdout.write(json.dumps(row, separators=(",", ":")) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
