"""What is remembered of the orders of an account: who named them, and how they are traced.

An order's id is its client order id, whoever drew that. Written down is only what can't be read off
the order: that its client gave it no name, and that it was sent as an order of its own, which alone
has a correlation id. Spellings are remembered too: a client that writes `BTCUSD` for `BTC/USD` is
answered, and told of events, in its own spelling.
"""

from __future__ import annotations

import hashlib
import uuid
from typing import TYPE_CHECKING, Final

import attrs

if TYPE_CHECKING:
    from dragoman.dialects import IdentityMap

__all__ = ["Named", "Naming"]

_ORDER: Final = "order"
_SYMBOL: Final = "symbol"
_NAMED: Final = "named"
_TRACED: Final = "traced"
_GROUP: Final = "group"
_YES: Final = "1"
_NO: Final = "0"
_MOST_KNOWN: Final = 50_000


@attrs.frozen(kw_only=True)
class Named:
    """What is remembered of an order; one from elsewhere was named there, and is not traced."""

    is_named: bool = True
    correlation_id: str | None = None
    group: str | None = None
    spelling: str | None = None


_FOREIGN: Final = Named()


class Naming:
    """The orders and symbols of one account, as clients of this protocol know them.

    Args:
        account: What tells the account from others.
        identities: Where it is kept.
    """

    def __init__(self, account: str, identities: IdentityMap) -> None:
        self._account = account
        self._identities = identities
        self._known: dict[str, Named] = {}
        self._streamed: dict[str, str] = {}
        self._spellings = {one.key: one.foreign_id for one in identities.all(_SYMBOL)}

    def note(
        self,
        client_order_id: str,
        *,
        is_named: bool,
        is_traced: bool,
        group: str | None = None,
        spelling: str | None = None,
    ) -> Named:
        """Remember an order before it is sent; one that is known already stays as it was.

        Args:
            client_order_id: What it is called.
            is_named: Whether its client called it so.
            is_traced: Whether it has a correlation id.
            group: The group it belongs to, where the broker knows of none.
            spelling: How its client spells its symbol.

        Raises:
            JournalUnavailableError: It can't be written down (NOT_SENT).
        """
        known = self.find(client_order_id)
        if known is not _FOREIGN:
            return known
        trace = self._trace(client_order_id)
        flags = {_NAMED: _YES if is_named else _NO, _TRACED: _YES if is_traced else _NO}
        if group is not None:
            flags[_GROUP] = group
        if spelling is not None:
            flags[_SYMBOL] = spelling
        self._identities.put(_ORDER, trace, client_order_id, flags)
        return self._keep(client_order_id, _named(trace, flags))

    def find(self, client_order_id: str) -> Named:
        """Return what is remembered of an order."""
        known = self._known.get(client_order_id)
        if known is not None:
            return known
        found = self._identities.find(_ORDER, client_order_id)
        named = _FOREIGN if found is None else _named(found.foreign_id, dict(found.attributes))
        return self._keep(client_order_id, named)

    def spell(self, alias: str, symbol: str) -> None:
        """Remember how clients spell a symbol."""
        if alias == symbol:
            self._spellings.pop(symbol, None)
        if alias != symbol and self._spellings.get(symbol) != alias:
            known = self._identities.get(_SYMBOL, alias)
            if known is None or known.key == symbol:
                self._identities.put(_SYMBOL, alias, symbol)
                self._spellings[symbol] = alias

    def spelled(self, symbol: str, *orders: str | None) -> str:
        """Return a symbol as clients spell it.

        Args:
            symbol: The broker's own.
            orders: The orders it is told of; the first that was sent from here says how.
        """
        for one in orders:
            spelling = None if one is None else self.find(one).spelling
            if spelling is not None:
                return spelling
        return self._spellings.get(symbol, symbol)

    def stream(self, alias: str, symbol: str) -> None:
        """Remember how the market data of a symbol is to be spelled: as it was asked for."""
        self._streamed[symbol] = alias

    def streamed(self, symbol: str) -> str:
        """Return a symbol as its market data spells it."""
        return self._streamed.get(symbol) or self.spelled(symbol)

    def _keep(self, client_order_id: str, named: Named) -> Named:
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[client_order_id] = named
        return named

    def _trace(self, client_order_id: str) -> str:
        digest = hashlib.sha256(f"{self._account}\x1f{client_order_id}".encode()).digest()
        return str(uuid.UUID(bytes=digest[:16], version=4))


def _named(trace: str, flags: dict[str, str]) -> Named:
    return Named(
        is_named=flags.get(_NAMED) == _YES,
        correlation_id=trace if flags.get(_TRACED) == _YES else None,
        group=flags.get(_GROUP),
        spelling=flags.get(_SYMBOL),
    )
