"""What is refused is refused alike, for the same reason and with the same outcome."""

import pytest

from dragoman import MarginMode, OrderStatus, OrderType, Side, TimeInForce
from dragoman.errors import (
    DuplicateOrderError,
    InvalidOrderError,
    OrderRejectedError,
    Outcome,
    RejectReason,
    UnknownInstrumentError,
)
from dragoman.paper.settings import AccountSettings

LIMIT, STOP = OrderType.LIMIT, OrderType.STOP
GTC = TimeInForce.GTC
COIN = {"symbol": "BTC/USD", "time_in_force": GTC}


async def refused(rig, kind=OrderRejectedError, **fields):
    with pytest.raises(kind) as caught:
        await rig.submit(**fields)
    return caught.value


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"quantity": "100000"}, RejectReason.INSUFFICIENT_FUNDS),
        ({"side": Side.SELL, "reduce_only": True}, RejectReason.WOULD_INCREASE),
    ],
    ids=["INSUFFICIENT_FUNDS", "WOULD_INCREASE"],
)
async def test_a_refusal_of_the_venue_has_its_reason(rig, fields, reason):
    error = await refused(rig, **fields)

    assert (reason, Outcome.REJECTED) == (error.reason, error.outcome)
    order = await rig.becomes(OrderStatus.REJECTED)
    assert reason is order.reject_reason
    await rig.tells("SUBMITTED", "REJECTED")


@pytest.mark.parametrize(
    ("settings", "fields", "reason"),
    [
        (
            {"max_open_orders": 1},
            {"order_type": LIMIT, "limit_price": "90"},
            RejectReason.TOO_MANY_ORDERS,
        ),
        (
            {"accounts": (AccountSettings(margin_mode=MarginMode.CASH),)},
            {"side": Side.SELL},
            RejectReason.SHORT_NOT_ALLOWED,
        ),
    ],
    ids=["TOO_MANY_ORDERS", "SHORT_NOT_ALLOWED"],
)
async def test_a_refusal_by_what_the_venue_allows_has_its_reason(
    open_rig, settings, fields, reason
):
    rig = await open_rig(**settings)
    await rig.connect()
    await rig.rest("first", side=Side.BUY)

    error = await refused(rig, **fields)

    assert reason is error.reason


@pytest.mark.parametrize(
    "fields",
    [
        {"order_type": LIMIT, "limit_price": "90.001"},
        {"order_type": STOP, "stop_price": "105.001"},
        {**COIN, "quantity": "0.000000001"},
    ],
    ids=["limit price off its tick", "stop price off its tick", "quantity off its lot"],
)
async def test_what_breaks_a_rule_of_the_instrument_is_never_sent(rig, fields):
    error = await refused(rig, InvalidOrderError, **fields)

    assert Outcome.NOT_SENT is error.outcome
    assert None is rig.order()


async def test_a_symbol_that_nobody_knows_is_refused_before_it_is_sent(rig):
    error = await refused(rig, UnknownInstrumentError, symbol="NOPE")

    assert Outcome.NOT_SENT is error.outcome


async def test_an_id_stands_for_one_order_only(rig):
    await rig.rest()

    error = await refused(rig, DuplicateOrderError, quantity="11")

    assert Outcome.NOT_SENT is error.outcome


async def test_an_id_that_an_order_of_somebody_else_has_is_refused(open_rig):
    rig = await open_rig()
    await rig.place_elsewhere("c1", limit_price="91")
    await rig.venue.mock.act(lambda engine: engine.cancel_all("paper-1"))
    await rig.connect()

    error = await refused(rig, DuplicateOrderError, order_type=LIMIT, limit_price="90")

    assert "taken by an order that was not sent from here" in error.message


async def test_after_a_refusal_the_next_order_goes(rig):
    await refused(rig, quantity="100000")

    await rig.submit("c2")

    await rig.becomes(OrderStatus.FILLED, name="c2")
