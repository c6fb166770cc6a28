"""Where the paper venue's prices come from: ticks in time order, by a pure function.

A feed knows no orders. Its state moves only by `take`; two feeds made alike give the same ticks,
however the calls that take them are cut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from dragoman.models import Side

__all__ = ["Feed", "MarketTick"]


class MarketTick(NamedTuple):
    """One change of one instrument's market: its top of book, and the print that made it.

    A side without a price has no liquidity. Sizes are in units of the instrument. `mark_price` is
    set for perpetuals and futures that have one apart from the last price.
    """

    time_ns: int
    symbol: str
    bid_price: Decimal | None
    bid_size: Decimal | None
    ask_price: Decimal | None
    ask_size: Decimal | None
    last_price: Decimal | None = None
    last_size: Decimal | None = None
    aggressor: Side | None = None
    mark_price: Decimal | None = None
    index_price: Decimal | None = None


class Feed(Protocol):
    """A source of ticks."""

    @property
    def symbols(self) -> frozenset[str]:
        """The symbols this feed prices."""
        ...

    def next_event_ns(self) -> int | None:
        """Return when the next tick is due; None when no more will come."""
        ...

    def take(self, to_ns: int) -> Sequence[MarketTick]:
        """Return, once, every tick due up to and including `to_ns`, in time order."""
        ...

    def skip_to(self, instant_ns: int) -> None:
        """Jump over a long pause: the next tick comes after `instant_ns`, at a likely price."""
        ...

    def state(self) -> dict[str, object]:
        """Return what is needed to go on later from here, as plain JSON data."""
        ...

    def restore(self, state: dict[str, object]) -> None:
        """Go on from a `state` of a feed made alike."""
        ...
