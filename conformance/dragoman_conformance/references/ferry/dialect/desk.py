"""What ferry keeps: who is logged in until when, and the ids that it gave to orders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dragoman.errors import AuthenticationError
from dragoman.times import SECOND_NS

from .refusals import RefusedError

if TYPE_CHECKING:
    from dragoman.broker import Broker
    from dragoman.dialects import Access, DialectHost

__all__ = ["TOKEN_LIFE_S", "Desk", "Desks"]

TOKEN_LIFE_S: Final = 900
"""For how many seconds a token is good."""
_KIND: Final = "order"
_FIRST: Final = 1001


class Desk:
    """One account: ids are whole numbers behind an F, kept where the broker keeps its journal."""

    def __init__(self, host: DialectHost, broker: Broker) -> None:
        self.broker: Broker = broker
        self.naming: set[str] = set()
        """The client order ids of orders on their way."""
        self._identities = host.identities(broker)

    def id_of(self, client_order_id: str) -> str:
        """Return ferry's id of an order, a new one if it has none."""
        return f"F{self._identities.allocate(_KIND, client_order_id, first=_FIRST).foreign_id}"

    def client_id_of(self, order_id: str) -> str | None:
        """Return the client's id of an order; None where ferry gave no such id."""
        known = self._identities.get(_KIND, order_id.removeprefix("F"))
        return known.key if known is not None and order_id.startswith("F") else None


class Desks:
    """The accounts that a host serves, and who may see them."""

    def __init__(self, host: DialectHost) -> None:
        self._host = host
        self._desks: dict[str, Desk] = {}
        self._tokens: dict[str, tuple[int, Access]] = {}

    async def log_in(self, login: str | None, password: str | None) -> str:
        """Return a token for who shows these credentials.

        Raises:
            RefusedError: They open nothing here.
        """
        try:
            access = await self._host.authenticate(login, password)
        except AuthenticationError as error:
            raise RefusedError(1400, error.message) from None
        now_ns = self._host.clock.monotonic_ns()
        self._tokens = {one: held for one, held in self._tokens.items() if held[0] > now_ns}
        token = f"ticket-{self._host.ids.next_id()}"
        self._tokens[token] = (now_ns + TOKEN_LIFE_S * SECOND_NS, access)
        return token

    def access(self, token: str) -> Access:
        """Return what a token opens.

        Raises:
            RefusedError: It is not known, or its time is over.
        """
        until_ns, access = self._tokens.get(token, (0, None))
        if access is None or until_ns <= self._host.clock.monotonic_ns():
            raise RefusedError(1401, "log in first")
        return access

    def of(self, broker: Broker) -> Desk:
        """Return the desk of a broker."""
        if broker.account_id not in self._desks:
            self._desks[broker.account_id] = Desk(self._host, broker)
        return self._desks[broker.account_id]
