"""Alpaca's rows for the tests of the trading plane: as its documents show them, to be changed."""

from decimal import Decimal

from dragoman.transport.codec import decode, encode
from dragoman_alpaca.mapping.reading import Reading
from dragoman_alpaca.wire import trading

D = Decimal
AT_NS = 1_797_000_000_000_000_123
ACCOUNT = "1d9eed04-be39-4e01-9b84-a48ac5bbafcf"

ORDER = {
    "asset_class": "us_equity",
    "asset_id": "b0b6dd9d-8b9b-48a9-ba46-b9d54906e415",
    "canceled_at": None,
    "client_order_id": "a",
    "created_at": "2023-12-12T22:31:24.668464435Z",
    "expired_at": None,
    "extended_hours": False,
    "failed_at": None,
    "filled_at": None,
    "filled_avg_price": None,
    "filled_qty": "0",
    "hwm": None,
    "id": "7b08df51-c1ac-453c-99f9-323a5f075f0d",
    "legs": None,
    "limit_price": "150",
    "notional": None,
    "order_class": "",
    "order_type": "limit",
    "qty": "2",
    "replaced_at": None,
    "replaced_by": None,
    "replaces": None,
    "side": "buy",
    "source": None,
    "status": "new",
    "stop_price": None,
    "submitted_at": "2023-12-12T22:31:24.577215743Z",
    "subtag": None,
    "symbol": "AAPL",
    "time_in_force": "gtc",
    "trail_percent": None,
    "trail_price": None,
    "type": "limit",
    "updated_at": "2023-12-12T22:31:24.7Z",
}


def order_content(**fields):
    return ORDER | fields


def order_row(**fields):
    return read(order_content(**fields), trading.OrderRow)


def leg_content(kind, **fields):
    """A leg of a bracket, as Alpaca names it: not after its entry."""
    return (
        order_content(
            id=f"venue-{kind}",
            client_order_id=f"generated-for-{kind}",
            side="sell",
            type=kind,
            order_type=kind,
            order_class="bracket",
            status="held",
            limit_price="170" if kind == "limit" else None,
            stop_price=None if kind == "limit" else "140",
        )
        | fields
    )


def update(event="new", **fields):
    content = {"event": event, "order": order_content(), "timestamp": "2026-01-02T03:04:05.6Z"}
    return read(content | fields, trading.TradeUpdate)


def read(content, shape):
    return decode(encode(content), shape)


def reading():
    found = Reading(provider="alpaca-paper", account_id=ACCOUNT, received_at_ns=AT_NS)
    found.symbols.learn("BTC/USD", ["BTCUSD", "276e2673-764b-4ab6-a611-caf665ca6340"])
    return found
