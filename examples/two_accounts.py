"""Two accounts of one provider in one process: one signal, each in its own size, nothing mixed up.

Usage: python examples/two_accounts.py
"""

import asyncio

import dragoman
from dragoman import OrderRequest, RiskLimits, Side
from dragoman.paper import AccountSettings

SIZES = {"cautious": 1, "bold": 10}


async def follow(broker: dragoman.Broker, side: Side) -> None:
    """Trade one account's size of a signal and wait for the fill."""
    order = await broker.submit(OrderRequest.market("SPY", side, SIZES[broker.account_id]))
    order = await broker.wait(order)
    print(f"{broker.account_id}: {side} {order.filled_quantity} SPY at {order.average_fill_price}")


async def main() -> None:
    """Open both accounts, send each the signal, show what each holds, end flat."""
    accounts = [AccountSettings(account_id=name, cash=50_000) for name in SIZES]
    limits = RiskLimits(max_position=20)
    async with dragoman.connect(
        "mock", accounts=accounts, account_id="cautious", limits=limits
    ) as cautious:
        bold = await cautious.for_account("bold")
        async with bold:
            await asyncio.gather(*[follow(broker, Side.BUY) for broker in (cautious, bold)])
            for broker in (cautious, bold):
                print(broker.account_id, [one.quantity for one in broker.state.positions])
            await asyncio.gather(*[follow(broker, Side.SELL) for broker in (cautious, bold)])


if __name__ == "__main__":
    asyncio.run(main())
