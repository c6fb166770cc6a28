"""Beacon's endless answers: a line for each transaction or price, and a beat every five seconds."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from aiohttp import web

from dragoman.errors import DragomanError
from dragoman.models import Quote
from dragoman.times import SECOND_NS
from dragoman.transport.codec import encode

from .refusals import RefusedError
from .rows import price_row, time

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .desk import Desk
    from .rows import Row

__all__ = ["stream_prices", "stream_transactions"]

_BEAT_NS: Final = 5 * SECOND_NS


async def stream_transactions(request: web.Request, desk: Desk) -> web.StreamResponse:
    """`GET .../transactions/stream`: those behind `sinceId`, or the next ones, as they happen."""
    await desk.level()
    ledger, since = desk.ledger, request.query.get("sinceId")
    newest = len(ledger.rows)
    if since is not None and not (since.isascii() and since.isdigit() and len(since) <= 18):
        raise RefusedError(400, "INVALID_REQUEST", "sinceId is no number of a transaction")
    last = newest if since is None else min(int(since), newest)

    def beat() -> Row:
        return {"lastTransactionId": str(last)}

    async def tell(response: web.StreamResponse) -> None:
        nonlocal last
        while True:
            while last < len(ledger.rows):
                await response.write(_line(ledger.rows[last]))
                last += 1
            await ledger.moved()

    opened: Row = {"type": "OPENED", "lastTransactionId": str(newest)}
    return await _serve(request, desk, opened, beat, tell)


async def stream_prices(request: web.Request, desk: Desk) -> web.StreamResponse:
    """`GET .../pricing/stream`: the prices of some instruments, as they change."""
    names = [one for one in request.query.get("instruments", "").split(",") if one]
    symbols = {desk.instrument(name).symbol: name for name in names}
    async with desk.broker.stream(quotes=frozenset(symbols)) as stream:

        async def tell(response: web.StreamResponse) -> None:
            async for batch in stream.batches():
                quotes = [one for one in batch if isinstance(one, Quote)]
                rows = [price_row(one, symbols[one.symbol], desk.book) for one in quotes]
                if rows:
                    await response.write(b"".join(map(_line, rows)))

        return await _serve(request, desk, {"type": "OPENED"}, dict[str, object], tell)


async def _serve(
    request: web.Request,
    desk: Desk,
    opened: Row,
    beat: Callable[[], Row],
    tell: Callable[[web.StreamResponse], Awaitable[None]],
) -> web.StreamResponse:
    """Answer without an end, and beat; it ends when its client goes, or what it tells of."""
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    response.force_close()
    clock, scope = desk.host.clock, desk.host.scope

    async def keep_beating() -> None:
        while True:
            await clock.sleep_ns(_BEAT_NS)
            line = {"type": "HEARTBEAT", "time": time(clock.now_ns()), **beat()}
            await response.write(_line(line))

    async def run(work: Callable[[], Awaitable[object]]) -> None:
        with suppress(ConnectionError, DragomanError):
            await work()

    with suppress(ConnectionError):
        await response.prepare(request)
        await response.write(_line(opened))
        works = (partial(tell, response), keep_beating, _Ear(request).deaf.wait)
        tasks = [scope.spawn(run(work), "part of a stream") for work in works]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
    return response


class _Ear:
    """Listens to a client that has no more to say, because only then is it known when it goes."""

    def __init__(self, request: web.Request) -> None:
        self.deaf = asyncio.Event()
        request.protocol.set_parser(self)  # type: ignore[arg-type] # what it calls of a reader is below

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Let what comes go unheard."""
        del data
        return False, b""

    def feed_eof(self) -> None:
        """Take note that the client has gone."""
        self.deaf.set()


def _line(row: Row) -> bytes:
    return encode(row) + b"\n"
