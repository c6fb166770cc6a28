"""One account as beacon shows it: the broker, what it deals in, its transactions, its orders."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from dragoman.errors import VenueUnavailableError
from dragoman.models import HealthState

from .ledger import Ledger
from .refusals import RefusedError
from .rows import Book

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dragoman.broker import Broker
    from dragoman.dialects import DialectHost
    from dragoman.models import Instrument, Order

    from .rows import Row

__all__ = ["Desk", "Desks"]

_BLIND: Final = frozenset(
    {
        HealthState.DOWN,
        HealthState.STALE,
        HealthState.RECONCILING,
        HealthState.AUTH_REQUIRED,
        HealthState.CLOSED,
    }
)


class Desk:
    """One account, once its journal is read."""

    def __init__(self, host: DialectHost, broker: Broker, book: Book) -> None:
        self.host: DialectHost = host
        self.broker: Broker = broker
        self.book: Book = book
        self.ledger: Ledger = Ledger(broker, book)
        self.naming: set[str] = set()
        """The client order ids of orders on their way."""

    def instrument(self, name: str) -> Instrument:
        """Return what beacon calls by a name.

        Raises:
            RefusedError: It deals in no such thing (404).
        """
        found = self.book.by_name.get(name)
        if found is None:
            raise RefusedError(404, "NO_SUCH_INSTRUMENT", f"there is no instrument {name!r}")
        return found

    def order(self, specifier: str) -> Order:
        """Return an order by "@" and the client's id, or by any of its numbers.

        Raises:
            RefusedError: There is none (404).
        """
        client_id = self.ledger.client_id_of(specifier)
        found = None if client_id is None else self.broker.state.order(client_id)
        if found is None:
            raise RefusedError(404, "NO_SUCH_ORDER", f"there is no order {specifier!r}")
        return found

    def row(self, client_order_id: str) -> Row:
        """Return an order that a transaction has told of.

        Raises:
            VenueUnavailableError: None has yet, though the order may be there.
        """
        row = self.ledger.row_of(client_order_id)
        if row is None:
            raise VenueUnavailableError(f"order {client_order_id} can't be shown yet")
        return row

    def orders(self) -> Sequence[Order]:
        """Return every order in the order of their first numbers."""
        found = [self.broker.state.order(name) for name in self.ledger.numbers]
        return [order for order in found if order is not None]

    async def level(self) -> None:
        """Wait until what is shown is all that is known, and known for certain.

        Raises:
            VenueUnavailableError: The broker does not see its venue now.
        """
        if self.broker.health.state in _BLIND:
            raise VenueUnavailableError("the account is not in step with its venue")
        await self.ledger.level()


class Desks:
    """The desk of each broker that a host serves, opened when it is first needed."""

    def __init__(self, host: DialectHost) -> None:
        self._host = host
        self._opening = asyncio.Lock()
        self._desks: dict[str, Desk] = {}

    async def of(self, broker: Broker) -> Desk:
        """Return the desk of a broker.

        Raises:
            DragomanError: Its instruments could not be read.
        """
        async with self._opening:
            desk = self._desks.get(broker.account_id)
            if desk is None:
                desk = Desk(self._host, broker, Book(await broker.load_instruments()))
                self._host.scope.spawn(desk.ledger.run(), f"ledger of {broker.account_id}")
                self._desks[broker.account_id] = desk
        return desk
