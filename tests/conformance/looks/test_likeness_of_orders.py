"""What may differ between an order that is told and the one at the venue, and what may not."""

import pytest

from dragoman.models import (
    Exit,
    Money,
    OrderRequest,
    OrderStatus,
    OrderType,
    PendingAction,
    Side,
    TimeInForce,
)
from dragoman_conformance.looks.fills import fills_as_they_stand
from dragoman_conformance.looks.orders import as_asked, as_it_stands, is_rounded_from
from dragoman_conformance.looks.positions import positions_as_they_stand

from .rows import D, fill, order, position

THERE = order(
    time_in_force=TimeInForce.DAY,
    commission=Money(D(1), "USD"),
    tag="t",
    created_at_ns=5_000_000_000,
    stop_loss=Exit(price="60"),
)


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(order(), id="what is not known"),
        pytest.param(order(created_at_ns=5_900_000_000), id="an instant within its second"),
        pytest.param(order(quantity=D("8.00")), id="another scale"),
        pytest.param(order(venue_order_ids=("other",)), id="the protocol's own id"),
    ],
)
def test_an_order_may_be_told_so(told: object) -> None:
    assert [] == list(as_it_stands(told, THERE))  # type: ignore[arg-type] # parametrized


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"symbol": "MSFT"}, "symbol"),
        ({"side": Side.SELL}, "side"),
        ({"order_type": OrderType.MARKET}, "order_type"),
        ({"status": OrderStatus.CANCELED}, "status"),
        ({"quantity": D(7)}, "quantity"),
        ({"quantity": None}, "quantity"),
        ({"limit_price": None}, "limit_price"),
        ({"limit_price": D("75.12")}, "limit_price"),
        ({"stop_price": D(70)}, "stop_price"),
        ({"time_in_force": TimeInForce.GTC}, "time_in_force"),
        ({"filled_quantity": D(1)}, "filled_quantity"),
        ({"average_fill_price": D(75)}, "average_fill_price"),
        ({"commission": Money(D(-1), "USD")}, "commission"),
        ({"tag": "other"}, "tag"),
        ({"pending": PendingAction.CANCEL}, "pending"),
        ({"created_at_ns": 9_000_000_000}, "created_at_ns"),
        ({"stop_loss": Exit(price="61")}, "stop_loss"),
        ({"take_profit": Exit(price="90")}, "take_profit"),
        ({"venue_order_ids": ()}, "venue_order_ids"),
    ],
    ids=str,
)
def test_an_order_may_not_be_told_so(changes: dict[str, object], name: str) -> None:
    found = list(as_it_stands(order(**changes), THERE))

    assert [name] == [one.partition(" ")[0] for one in found]


def test_an_average_may_be_rounded_to_its_digits() -> None:
    assert is_rounded_from(D("75.1233"), D("75.12333333"))
    assert not is_rounded_from(D("75.12"), D("75.13"))
    assert not is_rounded_from(D(75), D("75.4"))


def test_a_filled_order_needs_its_average() -> None:
    there = order(
        status=OrderStatus.FILLED, filled_quantity=D(8), average_fill_price=D("75.123456")
    )
    told = order(status=OrderStatus.FILLED, filled_quantity=D(8))

    assert ["average_fill_price None, at the venue 75.123456"] == list(as_it_stands(told, there))


def test_what_was_asked_must_stand_and_what_was_not_is_free() -> None:
    asked = OrderRequest.limit("AAPL", Side.BUY, "8", "75.13", client_order_id="c", tag="t")

    assert [] == list(as_asked(asked, order(tag="t", time_in_force=TimeInForce.DAY)))
    assert ["tag None, asked t"] == list(as_asked(asked, order()))
    assert ["post_only True, asked False"] == list(as_asked(asked, order(tag="t", post_only=True)))


@pytest.mark.parametrize(
    "told",
    [
        (fill("f1", 4),),
        (fill("f1", 4), fill("f1", 4)),
        (fill("f1", 4), fill("f2", 3)),
        (fill("f1", 4), fill("f2", 4, side=Side.SELL)),
        (fill("f1", 4), fill("f2", 4, commission=Money(D(-1), "USD"))),
        (fill("f1", 4), fill("f2", 4, venue_time_ns=0)),
    ],
    ids=["too few", "one twice", "quantity", "side", "commission", "time"],
)
def test_fills_may_not_be_told_so(told: object) -> None:
    there = (fill("x1", 4), fill("x2", 4, commission=Money(D(1), "USD")))

    assert list(fills_as_they_stand(told, there))  # type: ignore[arg-type] # parametrized


@pytest.mark.parametrize(
    "told",
    [
        (),
        (position(-8),),
        (position(8), position(8)),
        (position(8, average_entry_price=D(76)),),
        (position(8, unrealized_pnl=Money(D(-5), "USD")),),
        (position(8, unrealized_pnl=Money(D(5), "EUR")),),
        (position(8), position(0, symbol="MSFT", average_entry_price=D(1))),
    ],
    ids=["absent", "side", "twice", "average", "sign", "currency", "stale"],
)
def test_positions_may_not_be_told_so(told: object) -> None:
    there = (position(8, average_entry_price=D(75), unrealized_pnl=Money(D(5), "USD")),)

    assert list(positions_as_they_stand(told, there))  # type: ignore[arg-type] # parametrized


def test_a_position_may_be_told_without_what_is_not_known() -> None:
    there = (position(8, average_entry_price=D(75), unrealized_pnl=Money(D(5), "USD")),)

    assert [] == list(positions_as_they_stand((position(8),), there))
