"""What is kept for each broker: its assets, its ledger, and the task that keeps the ledger level.

A request is answered only once the ledger has taken in every event that the broker had told by
then, so a client sees what its own command did.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from dragoman.capabilities import ReadFeature
from dragoman.errors import (
    ClosedError,
    DragomanError,
    LifecycleError,
    Outcome,
    SequenceGapError,
    VenueUnavailableError,
)
from dragoman.models import AccountEvent, Window
from dragoman.repeats import is_repeat
from dragoman.times import DAY_NS, MINUTE_NS

from .assets import AssetBook
from .curve import EquityCurve
from .identity import AccountIds, revision_id
from .ledger import Ledger
from .problems import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from decimal import Decimal

    from dragoman import Broker
    from dragoman.dialects import DialectHost, IdentityMap
    from dragoman.models import Event, Fill, Order
    from dragoman.streaming.stream import EventStream

    from .ledger import Told

__all__ = ["Desk", "Desks"]

_NAME: Final = "client_order_id"
_OCO: Final = "oco"
_HISTORY_NS: Final = 90 * DAY_NS
_SKEW_NS: Final = 10 * MINUTE_NS
"""How far the venue's clock may be behind the one that rows without a venue time go by."""
_LONGEST_PAUSE_S: Final = 10.0
_BUFFER: Final = 100_000

_log: Final = logging.getLogger(__name__)


class Desk:
    """One account as this protocol shows it."""

    def __init__(self, broker: Broker, host: DialectHost) -> None:
        self.broker: Broker = broker
        self.host: DialectHost = host
        self.ids: AccountIds = AccountIds(broker.provider, broker.account_id)
        self.book: AssetBook = AssetBook(broker)
        self.curve: EquityCurve = EquityCurve()
        self._identities: IdentityMap = host.identities(broker)
        self._limits = {one.foreign_id: one.key for one in self._identities.all(_OCO)}
        self.ledger: Ledger = self._new_ledger()
        self._listeners: dict[Callable[[Sequence[Told]], None], Callable[[], None]] = {}
        self._moved = asyncio.Event()
        self._failure: DragomanError | None = None
        self._reading: asyncio.Task[None] | None = None
        self._learning = asyncio.Lock()
        self._has_history = False
        self._is_blind = False
        self._lacks_orders = True
        self._sought: dict[str, Decimal] = {}
        self._told_until = 0
        self._naming: set[str] = set()
        self._renaming: set[str] = set()

    async def start(self) -> None:
        """Read the journal, and go on with what happens from now on. Idempotent."""
        if self._reading is None:
            name = f"ledger of {self.broker.account_id}"
            self._told_until = self.broker.state.sequence
            self._reading = self.host.scope.spawn(self._read(), name)
        await self.level()

    def token_of(self, intent: str, revision: int) -> str:
        """Return the client order id that a revision of an intent is shown under."""
        given = self._identities.get(_NAME, f"{intent}:{revision}") if revision else None
        token = None if given is None else given.attributes.get(_NAME)
        return token or revision_id(intent, revision)

    def reserve_pair(self, limit: str, stop: str) -> None:
        """Remember that two orders are an OCO, before they are sent.

        Raises:
            InvalidValueError: The stop's name stands for another order's (NOT_SENT).
        """
        self._identities.put(_OCO, stop, limit)
        self._limits[stop] = limit

    def is_token_taken(self, token: str) -> bool:
        """Tell whether a client order id stands for an order, or once did."""
        is_known = self.ledger.row_named(token) is not None or token in self.ledger
        return is_known or token in self._naming

    @contextmanager
    def naming(self, token: str, legs: Sequence[str] = ()) -> Generator[None]:
        """Give a new order its client order id; until the block ends, no other gets the same.

        Nor afterwards, if it ends without telling what became of the order. In a repeat of what
        named it the order may be there: that is for the broker to say.

        Args:
            token: The client order id.
            legs: Those of the orders that come with it.

        Raises:
            RefusedError: One stands for an order, or is being given to one (422).
        """
        if self.is_token_taken(token) and not is_repeat():
            raise RefusedError(422, "client_order_id must be unique", number=40010001)
        for leg in legs:
            if self.is_token_taken(leg) and not is_repeat():
                message = f"another order is called {leg}, as a leg of this one would be"
                raise RefusedError(422, message, number=40010001)
        self._naming.update((token, *legs))
        try:
            yield
        except DragomanError as error:
            if error.outcome is not Outcome.UNKNOWN:
                self._naming.difference_update((token, *legs))
            raise
        self._naming.difference_update((token, *legs))

    @contextmanager
    def renaming(self, intent: str, revision: int, token: str | None) -> Generator[None]:
        """Give the next revision of an order its client order id, before the replace is sent.

        Until the block ends, the order can't be replaced again.

        Args:
            intent: The order.
            revision: Its next revision.
            token: The client order id that its client gives it; None for one that is free.

        Raises:
            RefusedError: The order is being replaced, or the token stands for another (422).
        """
        if intent in self._renaming:
            message = "unable to replace order, order isn't sent to exchange yet"
            raise RefusedError(422, message, number=42210000)
        plain = revision_id(intent, revision)
        if not token:
            token = self.host.ids.next_id() if self.is_token_taken(plain) else plain
        self._renaming.add(intent)
        try:
            with self.naming(token):
                if token != self.token_of(intent, revision):
                    # In place of what a replace that was refused was to be called.
                    self._identities.put(
                        _NAME, f"{intent}:{revision}", f"{intent}:{revision}", {_NAME: token}
                    )
                yield
        finally:
            self._renaming.discard(intent)

    @property
    def hears(self) -> bool:
        """Whether news of the account comes at all: not over a connection that only reads."""
        return not self._is_blind

    def check_news(self) -> None:
        """Refuse to wait for news that will never come.

        Raises:
            DragomanError: The account's events have ended, and why.
        """
        if self._failure is not None and self.hears:
            raise self._failure

    def listen(
        self, listener: Callable[[Sequence[Told]], None], on_end: Callable[[], None]
    ) -> Callable[[], None]:
        """Call `listener` with what is told from now on, and `on_end` once nothing more will be.

        Returns what ends that.
        """
        self._listeners[listener] = on_end

        def stop() -> None:
            self._listeners.pop(listener, None)

        return stop

    async def level(self) -> None:
        """Wait until the ledger holds every event that the broker has told by now.

        Raises:
            DragomanError: It can't: the journal can't be read, or the broker was closed.
        """
        due = self.broker.state.sequence
        while self.ledger.sequence < due:
            if self._failure is not None:
                raise self._failure
            self._moved.clear()
            try:
                async with asyncio.timeout(_LONGEST_PAUSE_S):
                    await self._moved.wait()
            except TimeoutError:
                message = "the account's events could not be read in time"
                raise VenueUnavailableError(message) from None
        if self._lacks_orders:  # those that are known, but from before the journal begins
            self._lacks_orders = False
            for order in self.broker.state.orders:
                self.ledger.learn(order)
        if self._is_blind:
            async with self._learning:
                self.ledger = self._new_ledger()
                await self._learn()

    async def learn_history(self) -> None:
        """Learn orders and fills that the journal does not hold, as the venue lists them, once.

        Raises:
            DragomanError: They could not be read.
        """
        async with self._learning:
            if not self._has_history:
                await self._learn()
                self._has_history = True

    async def learn_fills(self) -> None:
        """Learn executions that are known to have happened and of which no event has told.

        The venue is asked again only once more is known to be missing.

        Raises:
            DragomanError: They could not be read.
        """
        async with self._learning:
            missing = {row.order_id: row.filled for row in self.ledger.untold_rows()}
            if missing.items() <= self._sought.items():
                return
            if ReadFeature.FILLS in self.broker.capabilities.reads:
                rows = self.ledger.untold_rows()
                intents = {row.intent for row in rows}
                start_ns = min(row.created_at_ns for row in rows) - _SKEW_NS
                fills = self.broker.fetch_fills(Window(start_ns=start_ns))
                for fill in [fill async for fill in fills]:
                    if fill.client_order_id in intents:
                        self.ledger.learn_fill(fill)
            self._sought = missing

    def _new_ledger(self) -> Ledger:
        return Ledger(self.ids, self.token_of, self._limits.get)

    async def _learn(self) -> None:
        reads, broker = self.broker.capabilities.reads, self.broker
        window = Window(start_ns=self.host.clock.now_ns() - _HISTORY_NS)
        orders = list(await broker.fetch_open_orders())
        if ReadFeature.ORDER_HISTORY in reads:
            orders += [order async for order in broker.fetch_orders(window)]
        fills: list[Fill] = []
        if ReadFeature.FILLS in reads:
            fills = [fill async for fill in broker.fetch_fills(window)]
        ledger = self.ledger
        new = {one.client_order_id for one in orders if one.client_order_id not in ledger}
        for order in sorted(orders, key=_age):
            ledger.learn(order)
        for fill in fills:
            if fill.client_order_id in new:
                ledger.learn_fill(fill)

    async def _read(self) -> None:
        """Feed the ledger until the broker closes; begin anew where the journal has a gap."""
        try:
            since = 0
            while True:
                try:
                    await self._feed(since)
                except SequenceGapError as gap:
                    since = await self._oldest(max(since, self.ledger.sequence) + 1)
                    _log.warning("the journal has a gap", extra={"cause": gap.message})
                    self.ledger = self._new_ledger()
                    self._lacks_orders = True
                    self._has_history = False
                    self._sought = {}
                else:
                    break
            self._failure = ClosedError("the account's events have ended")
        except ClosedError as error:
            self._failure = error
        except LifecycleError as error:  # a connection that only reads is told of no events
            self._failure = error
            self._is_blind = True
            self.ledger.sequence = self.broker.state.sequence
        except DragomanError as error:
            self._failure = error
            _log.exception("the account's events can't be read any more")
        finally:
            self._moved.set()
            for on_end in tuple(self._listeners.values()):
                on_end()

    async def _feed(self, since: int) -> None:
        async with self._stream(since) as stream:
            self.ledger.sequence = max(self.ledger.sequence, since)
            self._moved.set()
            async for batch in stream.batches():
                self._take(batch)

    def _stream(self, since: int) -> EventStream:
        return self.broker.stream(
            since=since, buffer=_BUFFER, orders=True, positions=True, account=True, ledger=True
        )

    def _take(self, batch: Sequence[Event]) -> None:
        told: list[Told] = []
        for event in batch:
            news = self.ledger.take(event)
            if isinstance(event, AccountEvent) and event.account.equity is not None:
                self.curve.add(event.received_at_ns, event.account.equity)
            # What was told before is not told again when the journal is read anew.
            if self.ledger.sequence > self._told_until:
                told += news
        self._told_until = max(self._told_until, self.ledger.sequence)
        self._moved.set()
        if told:
            for listener in tuple(self._listeners):
                listener(told)

    async def _oldest(self, first: int) -> int:
        """Return the earliest sequence from which on the journal can be read."""
        low, high = first, self.broker.state.sequence
        while low < high:
            middle = (low + high) // 2
            try:
                async with self._stream(middle):
                    high = middle
            except SequenceGapError:
                low = middle + 1
        return low


def _age(order: Order) -> int:
    return order.created_at_ns or order.received_at_ns


class Desks:
    """The desk of each broker that a host serves, made when it is first needed."""

    def __init__(self, host: DialectHost) -> None:
        self._host = host
        self._desks: dict[tuple[str, str], Desk] = {}

    async def start(self) -> None:
        """Make the desk of every broker known by now.

        Raises:
            DragomanError: A ledger could not be brought level.
        """
        for broker in self._host.brokers:
            await self.of(broker).start()

    def of(self, broker: Broker) -> Desk:
        """Return the desk of a broker; it may not be started yet."""
        key = (broker.provider, broker.account_id)
        desk = self._desks.get(key)
        if desk is None:
            desk = self._desks[key] = Desk(broker, self._host)
        return desk

    def book_of(self, broker: Broker) -> AssetBook:
        """Return the assets of a broker."""
        return self.of(broker).book
