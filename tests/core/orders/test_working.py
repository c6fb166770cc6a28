"""The running sum of what works is what looking at every order would find."""

from decimal import Decimal

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.broker.fake_adapter import instrument
from tests.effort import effort

from dragoman import Order, OrderRequest, OrderStatus, OrderType, Side
from dragoman.models import PositionEffect
from dragoman.money import ZERO, total
from dragoman.orders.tracker import pending_order
from dragoman.orders.working import WorkingQuantities, still_adds

D = Decimal
AAPL = instrument("AAPL")
PRICE = D(5)
NAMES = ["a", "b", "c"]

terms = st.fixed_dictionaries(
    {
        "name": st.sampled_from(NAMES),
        "symbol": st.sampled_from(["AAPL", "MSFT"]),
        "side": st.sampled_from(Side),
        "is_closing": st.booleans(),
        "quantity": st.integers(1, 9),
        "is_by_value": st.booleans(),
        "filled": st.integers(0, 3),
        "status": st.sampled_from([OrderStatus.OPEN, OrderStatus.UNKNOWN, OrderStatus.CANCELED]),
        "is_forgotten": st.booleans(),
    }
)


def make(**said: object) -> Order:
    number = D(int(str(said["quantity"])))
    effect = PositionEffect.CLOSE if said["is_closing"] else PositionEffect.OPEN
    size = {"notional": number} if said["is_by_value"] else {"quantity": number}
    request = OrderRequest(
        symbol=str(said["symbol"]),
        side=Side(str(said["side"])),
        order_type=OrderType.MARKET,
        position_effect=effect,
        client_order_id=str(said["name"]),
        **size,  # type: ignore[arg-type]
    )
    order = pending_order(request, account_id="one", provider="fake", at_ns=1)
    status, filled = OrderStatus(str(said["status"])), D(int(str(said["filled"])))
    return attrs.evolve(order, status=status, filled_quantity=filled)


def slowly(orders: list[Order], order: Order, without: Order | None = None) -> Decimal:
    return total(
        still_adds(one, AAPL, PRICE)
        for one in orders
        if one.symbol == order.symbol
        and one.side is order.side
        and not one.reduce_only
        and not one.is_terminal
        and one is not without
    )


@settings(max_examples=effort(50))
@given(st.lists(terms, max_size=8))
def test_it_is_always_what_a_look_at_every_order_finds(steps: list[dict[str, object]]) -> None:
    working, orders = WorkingQuantities(), dict[str, Order]()
    for step in steps:
        name = str(step["name"])
        before = orders.pop(name, None)
        after = None if step["is_forgotten"] else make(**step)
        working.weigh(before, after)
        if after is not None:
            orders[name] = after

        every = list(orders.values())
        for symbol in ("AAPL", "MSFT"):
            for side in Side:
                asked = OrderRequest.limit(symbol, side, 1, "5")
                probe = pending_order(asked, account_id="one", provider="fake", at_ns=1)
                assert slowly(every, probe) == working.working(probe, AAPL, PRICE)
                for one in every:
                    left = working.working(probe, AAPL, PRICE, without=one)
                    assert slowly(every, probe, one) == left


def test_nothing_works_at_first() -> None:
    order = OrderRequest.limit("AAPL", Side.BUY, 1, "5")

    assert ZERO == WorkingQuantities().working(order, AAPL, None)
