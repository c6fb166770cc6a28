"""The SDK's two clients under one face, and the words tests use to talk to a gateway."""

import asyncio
import contextlib
import inspect
import itertools
import os
import time
from decimal import Decimal

import tektii

LONGEST_S = 60.0
PATIENCE_S = 30
_numbers = itertools.count(1)


class Awaited:
    """The async client, each call of which is run to its end."""

    def __init__(self, url, **settings):
        self._runner = asyncio.Runner()
        self._client = self._runner.run(_made(url, settings))

    def __getattr__(self, name):
        found = getattr(self._client, name)
        if not inspect.iscoroutinefunction(found):
            return found
        return lambda *args, **named: self._runner.run(found(*args, **named))

    def close(self):
        self._runner.run(self._client.close())
        self._runner.close()


def finish(loop):
    """Close a loop that the SDK only stops, and end what it left behind there."""

    async def end():
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=1)

    with contextlib.suppress(RuntimeError):  # the SDK may have told it to stop once more
        loop.run_until_complete(asyncio.sleep(0))
    loop.run_until_complete(end())
    loop.close()


class Closed(tektii.TradingGateway):
    """The sync client, whose loop is closed in the end."""

    def close(self):
        loop = self._loop
        super().close()
        if loop is not None:
            finish(loop)


@contextlib.contextmanager
def streaming(client):
    """Open the stream of a sync client; its loop is closed, which the SDK leaves to others."""
    stream = client.stream()
    with stream as events:
        loop = stream._loop
        yield events
    finish(loop)


async def _made(url, settings):
    return tektii.AsyncTradingGateway(url, **settings)


def open_client(face, url, **settings):
    """Return a client of the SDK whose calls return their results."""
    kind = Awaited if face == "async" else Closed
    return kind(url, **{"timeout": LONGEST_S, "max_retries": 0, **settings})


def attempt(call, *args, **named):
    """Make a call; returns its result and None, or None and the error it was answered with."""
    try:
        return call(*args, **named), None
    except tektii.APIStatusError as error:
        return None, error


def fresh_name(prefix="test"):
    """Return a client order id nobody has used, on this server or another."""
    return f"{prefix}-{os.getpid()}-{next(_numbers)}"


def eventually(look, is_right=bool):
    """Look again until what is found is right; returns it."""
    end = time.monotonic() + PATIENCE_S
    while not is_right(found := look()):
        assert time.monotonic() < end, f"still {found!r}"
        time.sleep(0.02)
    return found


def far_below(client, symbol="AAPL"):
    """Return a price on the tick at which a buy rests for as long as any test takes."""
    return str((Decimal(client.get_quote(symbol).bid) / 2).quantize(Decimal("0.01")))


def far_above(client, symbol="AAPL"):
    """Return a price on the tick at which a sale rests for as long as any test takes."""
    return str((Decimal(client.get_quote(symbol).ask) * 2).quantize(Decimal("0.01")))


def rest(client, symbol="AAPL", quantity="1", **more):
    """Place a buy that rests; returns its handle."""
    price = more.pop("limit_price", None) or far_below(client, symbol)
    return client.submit_order(symbol, "buy", quantity, "limit", limit_price=price, **more)


def fill(client, symbol="AAPL", quantity="1", side="buy", **more):
    """Send an order at the market and wait until it is filled; returns the order."""
    handle = client.submit_order(symbol, side, quantity, **more)
    return eventually(lambda: client.get_order(handle.id), lambda order: order.status == "FILLED")


def becomes(client, order_id, *statuses):
    """Wait until an order has one of these statuses; returns it."""
    return eventually(lambda: client.get_order(order_id), lambda order: order.status in statuses)


def position_of(client, symbol="AAPL"):
    """Return the position of a symbol, or None."""
    return next(iter(client.list_positions(symbol=symbol)), None)


OPEN = ["PENDING", "PENDING_CANCEL", "OPEN", "PARTIALLY_FILLED"]


def go_flat(client):
    """Cancel every order and close every position there is, and wait until that is so."""
    if client.list_orders(status=OPEN):
        client.cancel_all_orders()
        eventually(lambda: not client.list_orders(status=OPEN))
    if client.list_positions():
        client.close_all_positions()
        eventually(lambda: not client.list_positions())
