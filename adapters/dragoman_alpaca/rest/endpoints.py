"""Alpaca's endpoints as data: what each costs, which lane it takes, whether it may be repeated.

Two planes with a quota of their own each: trading, and market data, which is another host. All that
can't be repeated is an order or a setting; a cancel can, since an order ends once.
"""

from __future__ import annotations

from typing import Final

from dragoman.resilience.pools import Pool, Window
from dragoman.transport.base import MAX_BODY_BYTES, Lane
from dragoman.transport.endpoint import Endpoint

__all__ = [
    "ACCOUNT",
    "ACTIVITIES",
    "ASSET",
    "ASSETS",
    "CALENDAR",
    "CANCEL",
    "CANCEL_ALL",
    "CLOCK",
    "CONTRACT",
    "CONTRACTS",
    "CRYPTO_BARS",
    "CRYPTO_BOOKS",
    "CRYPTO_LATEST_QUOTES",
    "CRYPTO_QUOTES",
    "CRYPTO_SNAPSHOTS",
    "CRYPTO_TRADES",
    "DATA_POOL",
    "MOST_ASSET_BYTES",
    "OPTION_BARS",
    "OPTION_CHAIN",
    "OPTION_LATEST_QUOTES",
    "OPTION_SNAPSHOTS",
    "OPTION_TRADES",
    "ORDER",
    "ORDERS",
    "ORDER_BY_CLIENT_ID",
    "POSITIONS",
    "REPLACE",
    "STOCK_BARS",
    "STOCK_LATEST_QUOTES",
    "STOCK_QUOTES",
    "STOCK_SNAPSHOTS",
    "STOCK_TRADES",
    "SUBMIT",
    "TRADING_POOL",
    "any_endpoint",
]

TRADING_POOL: Final = Pool("trading", (Window(200, 60.0),))
"""Alpaca takes 200 requests of an account in any minute, whatever they are for.

Source: docs.alpaca.markets, "Is there a usage limit for the number of API calls per second?",
checked 2026-06-15.
"""
DATA_POOL: Final = Pool("data", (Window(10_000, 60.0),), reserve_for_cancels=0.0)
"""What the largest plan may ask in a minute; what is left of a smaller one, each response says.

Source: docs.alpaca.markets, "About Market Data API", plans, checked 2026-06-15.
"""

MOST_ASSET_BYTES: Final = 64 * 1024 * 1024
"""How large a list of all assets may be; it comes in one piece."""
_SLOW_S: Final = 60.0
_DATA_PATHS: Final = ("/v2/stocks/", "/v1beta1/", "/v1beta3/", "/v1/corporate-actions")


def _read(path: str, timeout_s: float = 10.0, max_bytes: int = MAX_BODY_BYTES) -> Endpoint:
    return Endpoint(
        name=f"GET {path}",
        method="GET",
        path=path,
        weights={TRADING_POOL.name: 1},
        is_safe_to_repeat=True,
        timeout_s=timeout_s,
        max_bytes=max_bytes,
    )


def _data(path: str) -> Endpoint:
    return Endpoint(
        name=f"GET {path}",
        method="GET",
        path=path,
        weights={DATA_POOL.name: 1},
        is_safe_to_repeat=True,
        timeout_s=30.0,
        base="data",
    )


def _command(method: str, path: str, lane: Lane) -> Endpoint:
    return Endpoint(
        name=f"{method} {path}",
        method=method,
        path=path,
        lane=lane,
        weights={TRADING_POOL.name: 1},
        is_safe_to_repeat=lane is Lane.CANCEL,
    )


ACCOUNT: Final = _read("/v2/account")
ACTIVITIES: Final = _read("/v2/account/activities")
ASSET: Final = _read("/v2/assets/{name}")
ASSETS: Final = _read("/v2/assets", _SLOW_S, MOST_ASSET_BYTES)
CALENDAR: Final = _read("/v2/calendar")
CLOCK: Final = _read("/v2/clock")
CONTRACT: Final = _read("/v2/options/contracts/{name}")
CONTRACTS: Final = _read("/v2/options/contracts", _SLOW_S)
ORDERS: Final = _read("/v2/orders")
ORDER: Final = _read("/v2/orders/{venue_order_id}")
ORDER_BY_CLIENT_ID: Final = _read("/v2/orders:by_client_order_id")
POSITIONS: Final = _read("/v2/positions")

SUBMIT: Final = _command("POST", "/v2/orders", Lane.ORDER)
REPLACE: Final = _command("PATCH", "/v2/orders/{venue_order_id}", Lane.ORDER)
CANCEL: Final = _command("DELETE", "/v2/orders/{venue_order_id}", Lane.CANCEL)
CANCEL_ALL: Final = _command("DELETE", "/v2/orders", Lane.CANCEL)

STOCK_BARS: Final = _data("/v2/stocks/bars")
STOCK_TRADES: Final = _data("/v2/stocks/trades")
STOCK_QUOTES: Final = _data("/v2/stocks/quotes")
STOCK_LATEST_QUOTES: Final = _data("/v2/stocks/quotes/latest")
STOCK_SNAPSHOTS: Final = _data("/v2/stocks/snapshots")
CRYPTO_BARS: Final = _data("/v1beta3/crypto/{location}/bars")
CRYPTO_TRADES: Final = _data("/v1beta3/crypto/{location}/trades")
CRYPTO_QUOTES: Final = _data("/v1beta3/crypto/{location}/quotes")
CRYPTO_LATEST_QUOTES: Final = _data("/v1beta3/crypto/{location}/latest/quotes")
CRYPTO_BOOKS: Final = _data("/v1beta3/crypto/{location}/latest/orderbooks")
CRYPTO_SNAPSHOTS: Final = _data("/v1beta3/crypto/{location}/snapshots")
OPTION_BARS: Final = _data("/v1beta1/options/bars")
OPTION_TRADES: Final = _data("/v1beta1/options/trades")
OPTION_LATEST_QUOTES: Final = _data("/v1beta1/options/quotes/latest")
OPTION_SNAPSHOTS: Final = _data("/v1beta1/options/snapshots")
OPTION_CHAIN: Final = _data("/v1beta1/options/snapshots/{underlying}")


def any_endpoint(method: str, path: str) -> Endpoint:
    """Return what a raw request calls: by its path one plane or the other, and only a GET repeats.

    Anything but a read may add exposure, except what cancels orders.
    """
    is_data = path.startswith(_DATA_PATHS)
    lane = Lane.READ if method == "GET" else Lane.ORDER
    if method == "DELETE" and path.startswith("/v2/orders"):
        lane = Lane.CANCEL
    return Endpoint(
        name=f"{method} by hand",
        method=method,
        path=path,
        lane=lane,
        weights={(DATA_POOL if is_data else TRADING_POOL).name: 1},
        is_safe_to_repeat=lane is Lane.READ,
        base="data" if is_data else "rest",
    )
