from decimal import Decimal

import pytest

from dragoman.cli.wording import amount, clock_time, day_time, money, order_line, printable
from dragoman.models import (
    Exit,
    Money,
    Offset,
    Order,
    OrderStatus,
    OrderType,
    RejectReason,
    Side,
    TimeInForce,
)
from dragoman.times import parse_time


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (Decimal("1E+5"), "100000"),
        (Decimal("-0"), "0"),
        (Decimal("1.50"), "1.50"),
        (Decimal("0.00000001"), "0.00000001"),
        (Decimal("1.1234567890"), "~1.12345679"),
        (Decimal("1.1000000000"), "1.1"),
        (Decimal(1) / Decimal(3), "~0.33333333"),
    ],
)
def test_amount_is_plain_and_says_when_it_was_rounded(value, text):
    assert text == amount(value)


def test_money_names_its_currency():
    assert ("-", "1.50 USD") == (money(None), money(Money("1.50", "USD")))


def test_times_are_in_utc_and_say_so():
    instant_ns = parse_time("2026-01-07T09:30:00.123456789-05:00")

    assert "2026-01-07T14:30:00Z" == day_time(instant_ns)
    assert "14:30:00.123Z" == clock_time(instant_ns)
    assert ("-", "-") == (day_time(None), clock_time(None))


def test_control_characters_are_escaped():
    assert r"a\x1b[31m\nb\x00é" == printable("a\x1b[31m\nb\x00é")


def order(**changes):
    fields = {
        "client_order_id": "a1",
        "account_id": "paper-1",
        "symbol": "AAPL",
        "side": Side.BUY,
        "order_type": OrderType.MARKET,
        "status": OrderStatus.OPEN,
        "provider": "mock",
        "received_at_ns": 0,
        "quantity": Decimal(10),
    }
    return Order(**{**fields, **changes})


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "BUY 10 AAPL MARKET: OPEN"),
        (
            {"order_type": OrderType.LIMIT, "limit_price": Decimal("180.00")},
            "BUY 10 AAPL LIMIT 180.00: OPEN",
        ),
        (
            {
                "order_type": OrderType.STOP_LIMIT,
                "stop_price": Decimal(1),
                "limit_price": Decimal(2),
                "time_in_force": TimeInForce.GTC,
            },
            "BUY 10 AAPL STOP_LIMIT 1 2 GTC: OPEN",
        ),
        (
            {"order_type": OrderType.TRAILING_STOP, "trailing": Offset.ticks(5)},
            "BUY 10 AAPL TRAILING_STOP by 5 ticks: OPEN",
        ),
        ({"quantity": None, "notional": Decimal(500)}, "BUY 500 worth of AAPL MARKET: OPEN"),
        ({"quantity": None}, "BUY all of AAPL MARKET: OPEN"),
        (
            {
                "stop_loss": Exit(price="170", limit_price="169"),
                "take_profit": Exit(offset=Offset.percent(2)),
            },
            "BUY 10 AAPL MARKET, stop loss 170 limit 169, take profit 2% away: OPEN",
        ),
        (
            {
                "status": OrderStatus.CANCELED,
                "filled_quantity": Decimal(4),
                "average_fill_price": Decimal("9.5"),
                "commission": Money("0.10", "USD"),
                "reason": "asked\nfor",
            },
            r"BUY 10 AAPL MARKET: CANCELED 4 of 10 at 9.5, commission 0.10 USD (asked\nfor)",
        ),
        (
            {"status": OrderStatus.REJECTED, "reject_reason": RejectReason.MARKET_CLOSED},
            "BUY 10 AAPL MARKET: REJECTED, MARKET_CLOSED",
        ),
    ],
)
def test_order_is_told_in_one_sentence(changes, text):
    assert text == order_line(order(**changes))
