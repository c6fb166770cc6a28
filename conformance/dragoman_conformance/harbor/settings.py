"""How one harbor behaves: everything that a test may want otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["MILLISECOND_NS", "SECOND_NS", "FillStyle", "HarborSettings"]

MILLISECOND_NS = 1_000_000
SECOND_NS = 1_000 * MILLISECOND_NS


class FillStyle(StrEnum):
    """What the market does with an order that was taken."""

    SEEDED = "SEEDED"
    NONE = "NONE"
    FULL = "FULL"
    PARTIAL = "PARTIAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class HarborSettings:
    """The venue's terms. Pairs are the least and the longest delay of a seeded choice.

    `visibility_delay_ns` is how long a taken order can't be found by lookups and lists; the stream
    tells of it at once. `late_fill_share` of the orders canceled fill once more afterwards. More
    than `rate_limit` requests within any `rate_window_ns` are answered 429.
    """

    accounts: tuple[str, ...] = ("A1",)
    symbols: tuple[str, ...] = ("AAPL", "MSFT")
    key: str = "captain"
    fills: FillStyle = FillStyle.SEEDED
    fill_delay_ns: tuple[int, int] = (0, 3 * SECOND_NS)
    cancel_delay_ns: tuple[int, int] = (0, 300 * MILLISECOND_NS)
    late_fill_share: float = 0.0
    reject_share: float = 0.05
    has_unique_ids: bool = True
    visibility_delay_ns: int = 0
    rate_limit: int = 60
    rate_window_ns: int = SECOND_NS
    page_size: int = 50
    heartbeat_ns: int = 5 * SECOND_NS
