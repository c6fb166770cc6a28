"""Frames as Alpaca's streams send them, each different: random walks of many symbols.

Prices move by a few ticks on grids of cents, sizes repeat as they do in markets, times rise by
fractions of a second and hardly any two fractions are alike. The seed makes them the same each run.
"""

from __future__ import annotations

import json
import random
import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec

from dragoman.times import format_time, parse_time
from dragoman.transport.packed import Stamp, encode_packed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["frames", "packed"]

START_NS: Final = 1_767_796_200_000_000_000
SYMBOLS: Final = 100
CONDITIONS: Final = (["@"], ["@", "I"], ["@", "F", "I"], ["@", "T"], [" ", "M"])
LEVELS: Final = 20
_JSON: Final = msgspec.json.Encoder(decimal_format="number")


def rfc3339(instant_ns: int) -> str:
    """Write a time as the venue does, zeros at the end of the fraction cut off."""
    return format_time(instant_ns).rstrip("Z").rstrip("0").rstrip(".") + "Z"


class Tape:
    """Walks of prices, and messages about them."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now_ns = START_NS
        self.books: dict[str, dict[int, dict[str, object]]] = {}
        self.names = [f"S{number:03}" for number in range(SYMBOLS)]
        self.cents = {name: self.random.randint(500, 60_000) for name in self.names}

    def step(self) -> tuple[str, int, str]:
        """Move one symbol and the clock; return the symbol, its price in cents and the time."""
        name = self.random.choice(self.names)
        self.cents[name] = max(100, self.cents[name] + self.random.randint(-3, 3))
        self.now_ns += self.random.randint(1_000, 40_000_000)
        return name, self.cents[name], rfc3339(self.now_ns)

    def quote(self) -> dict[str, object]:
        """Return a quote of a share."""
        name, cents, at = self.step()
        spread = self.random.randint(1, 4)
        return {
            "T": "q",
            "S": name,
            "bx": "U",
            "bp": number(cents, 100),
            "bs": self.random.randint(1, 30) * 100,
            "ax": "Q",
            "ap": number(cents + spread, 100),
            "as": self.random.randint(1, 30) * 100,
            "c": ["R"],
            "z": "C",
            "t": at,
        }

    def trade(self) -> dict[str, object]:
        """Return a print of a share; one in five is an odd lot at a price between the cents.

        Of the prints that the venue's documentation shows, it is one in eight.
        """
        name, cents, at = self.step()
        is_odd = self.random.random() < 0.2
        return {
            "T": "t",
            "S": name,
            "i": self.random.randint(1, 90_000),
            "x": "D",
            "p": number(cents * 100 + self.random.randint(0, 99), 10_000)
            if is_odd
            else number(cents, 100),
            "s": self.random.randint(1, 99) if is_odd else self.random.randint(1, 9) * 100,
            "c": self.random.choice(CONDITIONS),
            "z": "C",
            "t": at,
        }

    def bar(self) -> dict[str, object]:
        """Return a minute of a share; its average price has six decimals, as the venue's do."""
        name, cents, _ = self.step()
        low, high = cents - self.random.randint(0, 30), cents + self.random.randint(0, 30)
        count = self.random.randint(1, 900)
        self.now_ns += 600_000_000
        return {
            "T": "b",
            "S": name,
            "o": number(self.random.randint(low, high), 100),
            "h": number(high, 100),
            "l": number(low, 100),
            "c": number(cents, 100),
            "v": count * self.random.randint(10, 300),
            "n": count,
            "vw": number(self.random.randint(low * 10_000, high * 10_000), 1_000_000),
            "t": rfc3339(self.now_ns // 60_000_000_000 * 60_000_000_000),
        }

    def book(self) -> dict[str, object]:
        """Return a whole book of a coin, twenty levels a side, a quarter of them changed."""
        name, cents, at = self.step()
        book = self.books.setdefault(name, {})
        for place in (*range(-LEVELS, 0), *range(1, LEVELS + 1)):
            if place not in book or self.random.random() < 0.25:
                price = cents * 100 + place * 7 + self.random.randint(0, 6)
                size = number(self.random.randint(1, 10**9), 10**9)
                book[place] = {"p": number(price, 100), "s": size}
        return {
            "T": "o",
            "S": f"{name}/USD",
            "t": at,
            "b": [book[place] for place in sorted(book) if place < 0],
            "a": [book[place] for place in sorted(book) if place > 0],
            "r": True,
        }

    def updates(self) -> Iterator[dict[str, object]]:
        """Yield the trade updates of one order after the other: new, two fills."""
        while True:
            name, cents, _ = self.step()
            quantity = self.random.randint(2, 40) * 10
            part = self.random.randint(1, quantity - 1)
            order: dict[str, object] = {
                "id": str(uuid.UUID(int=self.random.getrandbits(128), version=4)),
                "client_order_id": str(uuid.UUID(int=self.random.getrandbits(128), version=4)),
                "created_at": rfc3339(self.now_ns - 21_344_123),
                "submitted_at": rfc3339(self.now_ns - 20_131_047),
                "filled_at": None,
                "expired_at": None,
                "expires_at": "2026-01-07T21:00:00Z",
                "cancel_requested_at": None,
                "canceled_at": None,
                "failed_at": None,
                "replaced_at": None,
                "replaced_by": None,
                "replaces": None,
                "asset_id": str(uuid.UUID(int=self.names.index(name) + 1)),
                "symbol": name,
                "asset_class": "us_equity",
                "notional": None,
                "qty": str(quantity),
                "order_class": "",
                "order_type": "limit",
                "type": "limit",
                "side": self.random.choice(("buy", "sell")),
                "position_intent": "buy_to_open",
                "time_in_force": "day",
                "limit_price": plain(cents + 2, 100),
                "stop_price": None,
                "trail_price": None,
                "trail_percent": None,
                "extended_hours": False,
                "legs": None,
                "hwm": None,
            }
            yield self.update(order, "new", "new", 0, cents)
            yield self.update(order, "partial_fill", "partially_filled", part, cents, part)
            yield self.update(order, "fill", "filled", quantity, cents, quantity - part)

    def update(  # noqa: PLR0917 - a row of the table above
        self,
        order: dict[str, object],
        event: str,
        status: str,
        filled: int,
        cents: int,
        last: int = 0,
    ) -> dict[str, object]:
        """Return one trade update; what it says of an execution only if there was one."""
        self.now_ns += self.random.randint(1_000_000, 90_000_000)
        row = {
            **order,
            "status": status,
            "filled_qty": str(filled),
            "filled_avg_price": plain(cents, 100) if filled else None,
            "updated_at": rfc3339(self.now_ns),
        }
        data: dict[str, object] = {
            "event": event,
            "execution_id": str(uuid.UUID(int=self.random.getrandbits(128), version=4)),
            "order": row,
            "timestamp": rfc3339(self.now_ns - 1_204_000),
            "at": rfc3339(self.now_ns),
            "event_id": f"01KE{self.random.getrandbits(88):022X}",
        }
        if last:
            execution = {"price": plain(cents, 100), "qty": str(last), "position_qty": str(filled)}
            data |= execution
        return {"stream": "trade_updates", "data": data}


def plain(count: int, scale: int) -> str:
    """Write a number in plain digits, zeros at the end cut off, as the venue does."""
    whole, rest = divmod(count, scale)
    text = f"{rest:0{len(str(scale)) - 1}}".rstrip("0")
    return f"{whole}.{text}" if text else str(whole)


def number(count: int, scale: int) -> Decimal:
    """Return a number to be written without quotes."""
    return Decimal(plain(count, scale))


def frames(kind: str, count: int, batch: int = 1, seed: int = 7) -> list[bytes]:
    """Return that many frames of one kind as JSON, each an array of `batch` messages.

    Trade updates come one in a frame, as objects.
    """
    tape = Tape(seed)
    if kind == "trade_updates":
        updates = tape.updates()
        return [_JSON.encode(next(updates)) for _ in range(count)]
    make: Callable[[], dict[str, object]] = getattr(tape, kind)
    return [_JSON.encode([make() for _ in range(batch)]) for _ in range(count)]


def packed(frame: bytes) -> bytes:
    """Return a frame of market data as MessagePack: binary numbers, and times as timestamps."""
    messages: list[dict[str, Any]] = json.loads(frame, parse_float=Decimal)
    stamped = [{**message, "t": Stamp(parse_time(message["t"]))} for message in messages]
    return encode_packed(stamped)
