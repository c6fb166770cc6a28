"""A moving-average crossover that enters with brackets: no position is ever without its stop.

Usage: python examples/moving_average.py [SYMBOL] [BARS]
"""

import asyncio
import sys
from collections import deque
from decimal import Decimal

import dragoman
from dragoman import Bar, Exit, Offset, OrderRequest, Side

FAST, SLOW = 5, 20
QUANTITY = 10


def crossing(closes: deque[Decimal]) -> Side | None:
    """Return which way the fast average has just crossed the slow one, if it has."""
    if len(closes) <= SLOW:
        return None
    values = list(closes)
    now = sum(values[-FAST:]) / FAST - sum(values[-SLOW:]) / SLOW
    before = sum(values[-FAST - 1 : -1]) / FAST - sum(values[-SLOW - 1 : -1]) / SLOW
    if before <= 0 < now:
        return Side.BUY
    return Side.SELL if before >= 0 > now else None


async def trade(broker: dragoman.Broker, symbol: str, bars: int) -> None:
    """Read complete bars, and turn the position at each crossing."""
    closes: deque[Decimal] = deque(maxlen=SLOW + 1)
    seen = 0
    async with broker.stream(bars=[(symbol, "1m")]) as events:
        async for event in events:
            if not isinstance(event, Bar) or not event.is_complete:
                continue
            closes.append(event.close)
            seen += 1
            side = crossing(closes)
            if side is not None:
                await turn(broker, symbol, side)
            if seen == bars:
                return


async def turn(broker: dragoman.Broker, symbol: str, side: Side) -> None:
    """End what is open, then enter the other way with a stop and a target half a percent away."""
    await broker.cancel_all(symbol)
    for result in await broker.close_all(symbol):
        if result.order is not None:
            await broker.wait(result.order)
    distance = Exit(offset=Offset.percent("0.5"))
    order = await broker.submit(
        OrderRequest.bracket(symbol, side, QUANTITY, stop_loss=distance, take_profit=distance)
    )
    print(f"{side} {order.quantity} {symbol}: {order.status} at {order.average_fill_price}")


async def main(symbol: str = "AAPL", bars: str = "60") -> None:
    """Trade an hour of the mock's time, a minute a tenth of a second, and end flat."""
    async with dragoman.connect("mock", speed=600, seed=11) as broker:
        await trade(broker, symbol, int(bars))
        await broker.cancel_all()
        for result in await broker.close_all():
            if result.order is not None:
                await broker.wait(result.order)
        account = await broker.fetch_account()
        flat = not broker.state.positions
        print(f"realized {account.realized_pnl} {account.currency}, flat: {flat}")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
