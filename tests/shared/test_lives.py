"""Whole lives at random, with everything broken that can be: in the end both sides agree."""

import contextlib
import random
from collections import Counter
from decimal import Decimal

import pytest

from dragoman import Exit, OrderEvent, OrderType, Side, TimeInForce, Window
from dragoman.errors import DragomanError
from dragoman_conformance.chaos import FrameFault, FrameToxic, HttpFault

STEPS = 40
LIMIT, GTC = OrderType.LIMIT, TimeInForce.GTC
LOST = (
    HttpFault.RESET_AFTER_REQUEST,
    HttpFault.TRUNCATE,
    HttpFault.RESET_UNREAD,
    HttpFault.RESET_MID_REQUEST,
)
BROKEN = (FrameFault.DROP, FrameFault.DUPLICATE, FrameFault.SWAP, FrameFault.CUT, FrameFault.CLOSE)


class Life:
    """One strategy that does anything at all, by a seed."""

    def __init__(self, rig, seed):
        self.rig = rig
        self.dice = random.Random(seed)
        self.price = 100
        self.sent = 0

    async def step(self):
        """Do the next thing; what is refused is refused, and what gets lost is lost."""
        does = self.dice.choices(
            (self.enter, self.change, self.cancel, self.move, self.break_something),
            (40, 13, 8, 24, 15),
        )
        with contextlib.suppress(DragomanError):
            await does[0]()

    async def enter(self):
        self.sent += 1
        side = self.dice.choice([Side.BUY, Side.SELL])
        fields = {"side": side, "quantity": str(self.dice.randint(2, 9)), "time_in_force": GTC}
        kind = self.dice.randint(1, 4)
        if kind < 4:
            fields |= {"order_type": LIMIT, "limit_price": self.near(3)}
        if kind == 1:
            away = 6 * side.sign
            fields["stop_loss"] = Exit(price=str(self.price - away))
            fields["take_profit"] = Exit(price=str(self.price + away))
        await self.rig.submit(f"c{self.sent}", timeout_s=3, **fields)

    async def change(self):
        orders = [one for one in self.open_orders() if LIMIT is one.order_type]
        if orders:
            order = self.dice.choice(orders)
            await self.rig.broker.replace(order, limit_price=self.near(4), timeout_s=3)

    async def cancel(self):
        if orders := self.open_orders():
            await self.rig.broker.cancel(self.dice.choice(orders), timeout_s=3)

    async def move(self):
        self.price = max(50, self.price + self.dice.randint(-2, 2))
        bid, ask = str(self.price - 1), str(self.price + 1)
        await self.rig.venue.quote(bid, ask, last=str(self.price))

    async def break_something(self):
        if self.rig.way == "mock" or self.dice.random() < 0.2:
            await self.rig.close_client()
            await self.rig.connect()
            return
        method = self.dice.choice(["POST", "PATCH", "DELETE"])
        frame = FrameToxic(fault=self.dice.choice(BROKEN), text=b'"trade_updates"')
        kind = self.dice.randint(1, 5)
        if kind == 1:
            self.rig.proxy.reset_streams()
        elif kind == 2:
            self.rig.proxy.reset_connections()
        elif kind == 3:
            self.rig.proxy.add(frame)
        else:
            self.rig.spoil(self.dice.choice(LOST), method=method)

    def near(self, distance):
        return str(self.price + self.dice.randint(-distance, distance))

    def open_orders(self):
        return sorted(self.rig.broker.state.open_orders, key=lambda one: one.client_order_id)


def truth(rig):
    """What the venue knows: what is held, and how much of it has filled at which price."""
    engine = rig.venue.mock.engine
    held = {one.symbol: one.quantity for one in engine.positions("paper-1")}
    working = sum((one.remaining_quantity for one in engine.open_orders("paper-1")), Decimal(0))
    fills = [(one.side, one.quantity, one.price) for one in engine.fills("paper-1", Window())]
    return held, working, Counter(fills)


async def belief(rig):
    """What the client knows of the same."""
    state = rig.broker.state
    held = {one.symbol: one.quantity for one in state.positions if one.quantity}
    working = sum((one.remaining_quantity for one in state.open_orders), Decimal(0))
    fills = []
    everything = {"orders": True, "positions": True, "account": True, "ledger": True}
    async with rig.broker.stream(since=0, **everything) as events:
        async for event in events:
            if isinstance(event, OrderEvent) and event.fill is not None:
                fills.append((event.fill.side, event.fill.quantity, event.fill.price))
            if getattr(event, "sequence", 0) >= state.sequence:
                break
    return held, working, Counter(fills)


@pytest.mark.parametrize("keeps_id", [True, False], ids=["keeps_id", "renumbers"])
@pytest.mark.parametrize("seed", range(2))
async def test_in_the_end_both_sides_agree(open_rig, seed, keeps_id):
    rig = await open_rig(fill_ratio="0.5", replace_keeps_id=keeps_id)
    await rig.connect()
    life = Life(rig, seed)

    for _ in range(STEPS):
        await rig.is_live()
        await life.step()
    if rig.proxy is not None:
        rig.proxy.clear()
    await rig.is_live()
    agreed = await settled(rig)

    assert truth(rig) == agreed
    assert life.sent > 4
    assert agreed[-1], "nothing was traded"


async def settled(rig):
    """Compare with the venue, as the timer does by itself, until nothing is left to be told."""
    for _ in range(30):
        await rig.is_live()
        await rig.broker.reconcile()
        await rig.is_live()
        found = await belief(rig)
        if truth(rig) == found:
            break
        await rig.venue.pause(1)
    return found
