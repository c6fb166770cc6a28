"""What requests and messages look like, for the documents; each is one that works."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["BODIES", "MESSAGES"]

BODIES: Final[Mapping[str, Mapping[str, Any]]] = {
    "OrderRequest": {
        "limit": {
            "symbol": "AAPL",
            "side": "BUY",
            "order_type": "LIMIT",
            "quantity": "10",
            "limit_price": "189.50",
            "time_in_force": "DAY",
            "client_order_id": "breakout-17",
        },
        "bracket": {
            "symbol": "AAPL",
            "side": "BUY",
            "order_type": "MARKET",
            "quantity": "10",
            "stop_loss": {"price": "180"},
            "take_profit": {"price": "210"},
        },
    },
    "OrderChange": {"price": {"limit_price": "188.75"}, "size": {"quantity": "12"}},
    "OrderList": {
        "oco": {
            "contingency": "OCO",
            "requests": [
                {
                    "symbol": "AAPL",
                    "side": "SELL",
                    "order_type": "LIMIT",
                    "quantity": "10",
                    "limit_price": "210",
                    "position_effect": "CLOSE",
                },
                {
                    "symbol": "AAPL",
                    "side": "SELL",
                    "order_type": "STOP",
                    "quantity": "10",
                    "stop_price": "180",
                    "position_effect": "CLOSE",
                },
            ],
        }
    },
    "CloseOrder": {"all": {}, "half": {"quantity": "5"}},
    "PositionExits": {"both": {"stop_loss": {"price": "180"}, "take_profit": {"price": "210"}}},
    "HaltOrder": {"stop": {"cause": "news"}, "stop and cancel": {"cancel": True}},
    "FlattenOrder": {"close": {"cause": "the day is over"}},
}
"""By the class of the body."""
MESSAGES: Final[Mapping[str, Mapping[str, Any]]] = {
    "authenticate": {"type": "authenticate", "id": 1, "token": "the secret of a key"},
    "subscribe": {
        "type": "subscribe",
        "id": 2,
        "provider": "mock",
        "account_id": "paper-1",
        "channels": {"quotes": ["AAPL"], "bars": [["AAPL", "1m"]], "orders": True},
        "since": 41,
    },
    "unsubscribe": {"type": "unsubscribe", "id": 3, "channels": {"quotes": ["AAPL"]}},
    "ping": {"type": "ping", "id": "a"},
    "pong": {"type": "pong", "id": "a", "time": "2026-01-07T14:30:00.000000000Z"},
    "level": {"type": "level", "provider": "mock", "account_id": "paper-1", "sequence": 57},
}
"""By the type of the message."""
