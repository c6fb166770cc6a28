"""An intent through its replaces: each made another order at Alpaca, which names the one before.

What has filled of the earlier orders counts too, so an order is read together with them. One that
was replaced changes no more; it is read once and kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.errors import NotFoundError, ProtocolError

if TYPE_CHECKING:
    from dragoman_alpaca.rest import Seen, TradingRest
    from dragoman_alpaca.wire.trading import OrderRow

__all__ = ["Chains"]

_MOST_STEPS: Final = 1000
_MOST_KEPT: Final = 10_000
_REPLACED: Final = "replaced"


class Chains:
    """Reads the orders that replaces have made of an intent.

    Args:
        rest: Where to read.
    """

    def __init__(self, rest: TradingRest) -> None:
        self._rest = rest
        self._replaced: dict[str, Seen[OrderRow]] = {}

    def take(self, seen: Seen[OrderRow]) -> None:
        """Keep a row that will not change any more; the oldest are forgotten first."""
        if seen.row.status != _REPLACED:
            return
        self._replaced[seen.row.id] = seen
        while len(self._replaced) > _MOST_KEPT:
            del self._replaced[next(iter(self._replaced))]

    async def around(self, seen: Seen[OrderRow]) -> list[Seen[OrderRow]]:
        """Return the whole chain that an order is part of, oldest first, the newest last.

        An order that is not shown ends the chain there; so does the thousandth before this one.

        Raises:
            ProtocolError: It was replaced more than a thousand times since, or in a circle.
        """
        later = await self._after(seen)
        return [*await self._before(seen), seen, *later]

    async def _before(self, seen: Seen[OrderRow]) -> list[Seen[OrderRow]]:
        chain: list[Seen[OrderRow]] = []
        name = seen.row.replaces
        while name and len(chain) < _MOST_STEPS:
            found = await self._order(name)
            if found is None:
                break
            chain.append(found)
            name = found.row.replaces
        return chain[::-1]

    async def _after(self, seen: Seen[OrderRow]) -> list[Seen[OrderRow]]:
        chain: list[Seen[OrderRow]] = []
        newest = seen
        while newest.row.status == _REPLACED and newest.row.replaced_by:
            if len(chain) >= _MOST_STEPS:
                message = f"order {seen.row.id} was replaced more than {_MOST_STEPS} times since"
                raise ProtocolError(message)
            self.take(newest)
            found = await self._order(newest.row.replaced_by)
            if found is None:
                break
            chain.append(found)
            newest = found
        return chain

    async def _order(self, venue_order_id: str) -> Seen[OrderRow] | None:
        kept = self._replaced.get(venue_order_id)
        if kept is not None:
            return kept
        try:
            seen = await self._rest.order(venue_order_id)
        except NotFoundError:
            return None
        self.take(seen)
        return seen
