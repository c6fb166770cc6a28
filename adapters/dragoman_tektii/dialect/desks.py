"""What is kept for each broker: names, breakers, counters, and the feed that its clients share."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from dragoman.errors import (
    AmbiguousInstrumentError,
    CircuitOpenError,
    DragomanError,
    LifecycleError,
    Outcome,
    UnknownInstrumentError,
    UnsupportedError,
)
from dragoman.models import HealthState

from .breakers import Breakers
from .naming import Naming
from .problems import FAILURES, RefusedError, refusal_of, symbol_not_found

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dragoman import Broker
    from dragoman.dialects import DialectHost
    from dragoman.models import Account, Position

    from .metrics import Metrics
    from .subscriptions import Entry

__all__ = ["Desk", "Desks"]

_GONE: Final = frozenset({HealthState.DOWN, HealthState.CLOSED, HealthState.AUTH_REQUIRED})
_MOST_CLOSED: Final = 1000
_log: Final = logging.getLogger(__name__)


class Desk:
    """One account as this protocol shows it.

    Args:
        broker: The account.
        host: Who serves it.
        entries: What is streamed of it, and what is kept back.
        metrics: Where it is counted what happens.
    """

    def __init__(
        self, broker: Broker, host: DialectHost, entries: Sequence[Entry], metrics: Metrics
    ) -> None:
        self.broker: Broker = broker
        self.host: DialectHost = host
        self.platform: str = broker.provider
        self.entries: tuple[Entry, ...] = tuple(
            one for one in entries if one.platform == self.platform
        )
        self.metrics: Metrics = metrics
        account = f"{broker.provider}\x1f{broker.account_id}"
        self.naming: Naming = Naming(account, host.identities(broker))
        self.breakers: Breakers = Breakers(host.clock)
        self.on_throttled: Callable[[DragomanError], None] | None = None
        """Is told when the broker asked to wait."""
        self.heard_at_ns: int | None = None
        """When the broker last answered a question after its health."""
        self.stale: dict[str, int] = {}
        """The symbols whose data is stale, and since when."""
        self._told_ns = 0
        self._positions: dict[str, Position] = {}
        self._currency: str | None = None

    @property
    def is_connected(self) -> bool:
        """Whether the broker can be reached, as far as is known."""
        return self.broker.health.state not in _GONE

    def now_ns(self, at_late_ns: int = 0) -> int:
        """Return the time to write on a message: never before that of one before it.

        Args:
            at_late_ns: When what it tells was received, should the source's clock be ahead.
        """
        self._told_ns = max(self._told_ns, self.host.clock.now_ns(), at_late_ns)
        return self._told_ns

    @property
    def stale_symbols(self) -> tuple[str, ...]:
        """The symbols whose data is stale, as clients spell them."""
        return tuple(sorted(self.naming.streamed(symbol) for symbol in self.stale))

    def note(self, error: DragomanError) -> None:
        """Count what went wrong with the broker, towards its circuit breaker."""
        if isinstance(error, (RefusedError, LifecycleError, CircuitOpenError)):
            return  # refused here: the broker was not asked
        refusal = refusal_of(error)
        if refusal.word in FAILURES or error.outcome is Outcome.UNKNOWN:
            self.breakers.adapter.failed()
        if refusal.word == "RATE_LIMITED" and self.on_throttled is not None:
            self.on_throttled(error)

    async def symbol_of(self, text: str, *, is_kept: bool = False) -> str:
        """Return the broker's own symbol for what a client calls an instrument.

        Args:
            text: A symbol, or an alias of one.
            is_kept: Answer in this spelling from now on.

        Raises:
            RefusedError: The broker lists no such instrument (404).
        """
        try:
            symbol = (await self.broker.instrument(text)).symbol
        except UnsupportedError:  # the broker lists none at all: it will say
            return text
        except (UnknownInstrumentError, AmbiguousInstrumentError):
            raise symbol_not_found(text) from None
        if is_kept:
            self.naming.spell(text, symbol)
        return symbol

    async def symbol_meant(self, text: str | None) -> str | None:
        """Return the symbol that a filter means; one that is not known stays as it is."""
        if text is None:
            return None
        try:
            return await self.symbol_of(text)
        except DragomanError:
            return text

    def last_position(self, position_id: str) -> Position | None:
        """Return a position as it was when it was last shown open."""
        return self._positions.get(position_id)

    def keep_position(self, position: Position) -> None:
        """Remember an open position, to tell of its end."""
        if position.quantity:
            self._positions.pop(position.position_id, None)
            self._positions[position.position_id] = position
            if len(self._positions) > _MOST_CLOSED:
                self._positions.pop(next(iter(self._positions)))

    def keep_account(self, account: Account) -> None:
        """Remember what the account counts in."""
        self._currency = account.currency or self._currency

    async def currency(self) -> str:
        """Return what the account counts in."""
        known = self.broker.state.account
        if known is not None:
            self.keep_account(known)
        if self._currency is None:
            self.keep_account(await self.broker.fetch_account())
        return self._currency or "USD"

    @property
    def currency_known(self) -> str:
        """What the account counts in, without asking."""
        known = self.broker.state.account
        if known is not None:
            self.keep_account(known)
        return self._currency or "USD"


class Desks:
    """The desks of a host.

    Args:
        host: Who serves.
        entries: What is streamed and kept back, of all brokers.
        metrics: Where it is counted what happens.
    """

    def __init__(self, host: DialectHost, entries: Sequence[Entry], metrics: Metrics) -> None:
        self._host = host
        self._entries = tuple(entries)
        self._metrics = metrics
        self._desks: dict[int, Desk] = {}

    def of(self, broker: Broker) -> Desk:
        """Return the desk of a broker."""
        desk = self._desks.get(id(broker))
        if desk is None:
            desk = Desk(broker, self._host, self._entries, self._metrics)
            self._desks[id(broker)] = desk
        return desk

    @property
    def all(self) -> tuple[Desk, ...]:
        """The desks of every broker, the default one first."""
        return tuple([self.of(broker) for broker in self._host.brokers])
