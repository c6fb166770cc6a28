"""The account's orders as this protocol tells them: a new id for every replace, and all history.

It is a pure function of the broker's private events, taken in order, so a process that reads the
same journal shows the same ids, rows and executions. What the journal no longer holds is learned
from the venue's own lists, as it stands now.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.models import Contingency, Fill, OrderEvent, OrderEventKind, OrderStatus, OrderType
from dragoman.money import add

from .identity import child_id, event_id
from .rows import Row, expected_leg

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dragoman.models import Event, Order

    from .identity import AccountIds

__all__ = ["Execution", "Ledger", "Told"]

_WORDS: Final = {
    OrderEventKind.SUBMITTED: "pending_new",
    OrderEventKind.PENDING_CANCEL: "pending_cancel",
    OrderEventKind.PENDING_REPLACE: "pending_replace",
    OrderEventKind.REPLACED: "restated",  # under the same revision, so no new order
    OrderEventKind.RESTATED: "restated",
    OrderEventKind.FILL_BUSTED: "restated",
    OrderEventKind.CANCELED: "canceled",
    OrderEventKind.EXPIRED: "expired",
    OrderEventKind.REJECTED: "rejected",
    OrderEventKind.CANCEL_REJECTED: "order_cancel_rejected",
    OrderEventKind.REPLACE_REJECTED: "order_replace_rejected",
}
_BEGINNINGS: Final = {
    OrderStatus.PENDING: "accepted",
    OrderStatus.HELD: "held",
    OrderStatus.CANCELED: "canceled",
    OrderStatus.EXPIRED: "expired",
    OrderStatus.REJECTED: "rejected",
}
_MUTE: Final = frozenset({OrderEventKind.OUTCOME_UNKNOWN, OrderEventKind.TRIGGERED})
_ROLES: Final = ("tp", "sl")
_STOPS: Final = frozenset({OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TRAILING_STOP})
_ENDED: Final = frozenset({"canceled", "expired", "rejected"})


@attrs.frozen(kw_only=True)
class Execution:
    """One execution of one row: what the row had filled with it, and what was left then."""

    fill: Fill
    order_id: str
    cumulative: Decimal
    leaves: Decimal
    is_last: bool
    number: int


@attrs.frozen(kw_only=True)
class Told:
    """One thing the stream tells: its word, and the row as it is told to stand."""

    word: str
    row: Row
    at_ns: int
    received_at_ns: int
    event_id: str
    execution: Execution | None = None


class Ledger:
    """Every order of one account, revision by revision.

    Args:
        ids: The account's ids.
        token_of: Returns the client order id that a revision of an intent is shown under.
        limit_of: Returns the limit order that a stop was sent with as an OCO; None for any other.
            Events say that two orders are one only once the venue has shown them.
    """

    def __init__(
        self,
        ids: AccountIds,
        token_of: Callable[[str, int], str],
        limit_of: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        self._ids = ids
        self._token_of = token_of
        self._limit_of = limit_of
        self._chains: dict[str, list[Row]] = {}
        self._places: dict[str, tuple[str, int]] = {}
        self._tokens: dict[str, str] = {}
        self._timeline: list[tuple[int, int, str]] = []
        self._legs: dict[str, list[str]] = {}
        self._limits: dict[str, str] = {}
        self._executions: dict[str, Execution] = {}
        self._learned: set[str] = set()
        self._open: dict[str, None] = {}
        self._untold: dict[str, None] = {}
        self._numbers = 0
        self._stamp_ns = 0
        self.sequence: int = 0
        """The sequence of the newest event taken."""

    def __contains__(self, intent: str) -> bool:
        return intent in self._chains

    def __len__(self) -> int:
        return len(self._timeline)

    def row(self, order_id: str) -> Row | None:
        """Return one row by its id."""
        place = self._places.get(order_id.lower())
        return None if place is None else self._chains[place[0]][place[1]]

    def row_named(self, client_order_id: str) -> Row | None:
        """Return one row by the client order id it is shown under."""
        order_id = self._tokens.get(client_order_id)
        return None if order_id is None else self.row(order_id)

    def newest(self, intent: str) -> Row | None:
        """Return the newest row of an intent."""
        chain = self._chains.get(intent)
        return None if chain is None else chain[-1]

    def open_rows(self, *, newest_first: bool) -> Iterator[Row]:
        """Yield the rows that may still execute."""
        rows = [
            self._chains[name][index] for name, index in map(self._places.__getitem__, self._open)
        ]
        yield from sorted(rows, key=_place_in_time, reverse=newest_first)

    def rows(
        self, after_ns: int | None = None, until_ns: int | None = None, *, newest_first: bool
    ) -> Iterator[Row]:
        """Yield the rows submitted between two instants, both exclusive."""
        first = 0 if after_ns is None else bisect_right(self._timeline, (after_ns + 1,))
        last = None if until_ns is None else bisect_left(self._timeline, (until_ns,))
        found = self._timeline[first:last]
        for _, _, order_id in reversed(found) if newest_first else found:
            row = self.row(order_id)
            if row is not None:
                yield row

    def untold_rows(self) -> tuple[Row, ...]:
        """Return the rows that are known to have filled more than their executions told."""
        return tuple([row for row in map(self.row, self._untold) if row is not None])

    def executions(self) -> tuple[Execution, ...]:
        """Return every execution that stands, in the order they were told."""
        return tuple(self._executions.values())

    def parent_of(self, row: Row) -> str | None:
        """Return the intent that a row's order is a leg of; None if it stands alone."""
        named = row.order.parent_client_order_id or self._limits.get(row.intent)
        return named if named in self._chains and row.intent in self._legs.get(named, ()) else None

    def legs_of(self, row: Row) -> tuple[Row, ...]:
        """Return the newest rows of an entry's legs, the target first; none of a leg itself."""
        if row.replaced_by is not None:
            return ()
        found = [self._chains[name][-1] for name in self._legs.get(row.intent, ())]
        return tuple(sorted(found, key=lambda leg: (leg.order.order_type in _STOPS, leg.number)))

    def is_oco(self, row: Row) -> bool:
        """Tell whether a row is the limit order of an OCO."""
        stop = child_id(row.intent)
        is_joined = stop in self._legs.get(row.intent, ())
        return is_joined and (_is_free_oco(row.order) or self._limit_of(stop) == row.intent)

    def take(self, event: Event) -> tuple[Told, ...]:
        """Take in one event; returns what the stream tells of it, in order."""
        sequence: int | None = getattr(event, "sequence", None)
        if sequence:
            self.sequence = max(self.sequence, sequence)
        return self._order_event(event) if isinstance(event, OrderEvent) else ()

    def learn(self, order: Order) -> None:
        """Know an order as a list of the venue shows it, unless events have told of it."""
        if order.client_order_id not in self._chains:
            self._begin(order, order.created_at_ns or order.received_at_ns)
            self._link(order)

    def learn_fill(self, fill: Fill) -> None:
        """Know an execution of an order that was learned, unless it is known already."""
        row = self.newest(fill.client_order_id)
        if row is not None and fill.fill_id not in self._executions and not fill.is_busted:
            self._execute(row, fill)
            self._learned.add(fill.fill_id)

    def _order_event(self, event: OrderEvent) -> tuple[Told, ...]:
        order = event.order
        at_ns = event.venue_time_ns or order.updated_at_ns or event.received_at_ns
        before = self.newest(order.client_order_id)
        is_new = before is None or before.is_expected
        # What comes by different ways may be stamped out of order; ids of events never are.
        stamp_ns = self._stamp_ns = max(self._stamp_ns, event.received_at_ns)
        told: list[tuple[str, Row, Execution | None]] = []
        if before is None or before.is_expected:
            self._begin(order, order.created_at_ns or event.received_at_ns)
        elif order.revision > before.order.revision:
            old, new = self._replace(before, order, at_ns)
            told += [("replaced", old, None), ("new", new.as_told(), None)]
        else:
            self._put(before.seen(order, at_ns))
        self._link(order)
        row = self._chains[order.client_order_id][-1]
        if event.fill is not None:
            told += self._fill_told(row, event, event.fill, is_new=is_new)
        elif not told:
            word = _word(event, before)
            told += [(word, row if word in _ENDED else row.as_told(), None)] if word else []
        return tuple(
            [
                Told(
                    word=word,
                    row=row,
                    at_ns=at_ns,
                    received_at_ns=event.received_at_ns,
                    event_id=event_id(stamp_ns, event.sequence, part),
                    execution=execution,
                )
                for part, (word, row, execution) in enumerate(told)
            ]
        )

    def _begin(self, order: Order, at_ns: int) -> None:
        """Start the chain of an intent, in the place of a leg that was only expected."""
        name, revision = order.client_order_id, order.revision
        expected = self.newest(name)
        self._numbers += 1
        row = Row(
            order_id=self._ids.order(name, revision),
            client_order_id=(
                self._name(name, revision) if expected is None else expected.client_order_id
            ),
            order=order,
            number=self._numbers if expected is None else expected.number,
            created_at_ns=at_ns if expected is None else expected.created_at_ns,
            updated_at_ns=at_ns,
            replaces=None,
        )
        if expected is None:
            self._limits[child_id(name)] = name
            self._add(row.seen(order, at_ns))
        else:
            self._put(attrs.evolve(row.seen(order, at_ns), order_id=expected.order_id))

    def _name(self, intent: str, revision: int) -> str:
        """Return the client order id of a new row: no other row has the same.

        Only one that was made elsewhere can be called what a revision is called here.
        """
        name = self._token_of(intent, revision)
        while name in self._tokens or (revision and name in self._chains):
            name += "~"
        return name

    def _replace(self, before: Row, order: Order, at_ns: int) -> tuple[Row, Row]:
        """End a row by the next: what had filled as far as was known stays with the old one."""
        name, revision = order.client_order_id, order.revision
        order_id = self._ids.order(name, revision)
        old = attrs.evolve(before, replaced_by=order_id, replaced_at_ns=at_ns, updated_at_ns=at_ns)
        self._put(old)
        self._numbers += 1
        new = Row(
            order_id=order_id,
            client_order_id=self._name(name, revision),
            order=order,
            number=self._numbers,
            created_at_ns=max(at_ns, before.created_at_ns),
            updated_at_ns=at_ns,
            filled_before=add(before.filled_before, before.filled),
            replaces=before.order_id,
        ).seen(order, at_ns)
        self._add(new)
        return old, new

    def _fill_told(
        self, row: Row, event: OrderEvent, fill: Fill, *, is_new: bool
    ) -> list[tuple[str, Row, Execution | None]]:
        if event.kind is OrderEventKind.FILL_BUSTED:
            return [("restated", self._bust(row, fill), None)]
        known = self._executions.get(fill.fill_id)
        if known is None:
            execution, filled = self._execute(row, fill)
        elif fill.fill_id in self._learned:  # counted already, and not told yet
            self._learned.discard(fill.fill_id)
            execution, filled = known, self.row(known.order_id) or row
        else:
            return []
        word = "fill" if execution.is_last else "partial_fill"
        news: list[tuple[str, Row, Execution | None]] = [(word, filled.as_told(), execution)]
        return [("new", row.as_told(), None), *news] if is_new else news

    def _execute(self, newest: Row, fill: Fill) -> tuple[Execution, Row]:
        """Tell an execution of the oldest row that has filled more than was told of it."""
        chain = self._chains[newest.intent]
        row = next((one for one in chain[:-1] if one.told < one.filled), newest)
        row = row.with_fill(fill.quantity, fill.price, fill.venue_time_ns)
        self._put(row)
        quantity = row.quantity
        is_filled = row.order.status is OrderStatus.FILLED and row.told == row.filled
        execution = Execution(
            fill=fill,
            order_id=row.order_id,
            cumulative=row.told,
            leaves=row.leaves,
            is_last=is_filled or (quantity is not None and row.told >= quantity),
            number=len(self._executions) + 1,
        )
        self._executions[fill.fill_id] = execution
        return execution, row

    def _bust(self, newest: Row, fill: Fill) -> Row:
        """Take an execution back from the row that had it."""
        execution = self._executions.pop(fill.fill_id, None)
        row = newest if execution is None else self.row(execution.order_id) or newest
        if execution is not None:
            row = row.with_fill(fill.quantity.copy_negate(), fill.price, fill.venue_time_ns)
            self._put(row)
        return row

    def _link(self, order: Order) -> None:
        """Know which orders belong together: an entry and its legs, the two sides of an OCO."""
        name = order.client_order_id
        if order.parent_client_order_id is not None:
            self._join(order.parent_client_order_id, name)
        else:
            for limit, stop in ((name, child_id(name)), (self._limits.get(name, ""), name)):
                if self._is_pair(limit, stop):
                    self._join(limit, stop)
        for role in _ROLES:
            leg = expected_leg(order, role)
            if leg is not None:
                self._expect(order, leg)

    def _is_pair(self, limit: str, stop: str) -> bool:
        both = [self.newest(one) for one in (limit, stop)]
        if None in both:
            return False
        is_said = all(row is not None and _is_free_oco(row.order) for row in both)
        return is_said or self._limit_of(stop) == limit

    def _join(self, entry: str, leg: str) -> None:
        legs = self._legs.setdefault(entry, [])
        if leg not in legs:
            legs.append(leg)

    def _expect(self, entry: Order, leg: Order) -> None:
        """Show a leg that the broker has not shown yet, as its entry promises it."""
        known = self.newest(leg.client_order_id)
        if known is None:
            self._begin(leg, self._chains[entry.client_order_id][-1].created_at_ns)
            known = self._chains[leg.client_order_id][-1]
        elif not known.is_expected:
            return
        self._join(entry.client_order_id, leg.client_order_id)
        self._put(attrs.evolve(known, order=leg, is_expected=True))

    def _add(self, row: Row) -> None:
        chain = self._chains.setdefault(row.intent, [])
        self._places[row.order_id] = (row.intent, len(chain))
        self._tokens[row.client_order_id] = row.order_id
        chain.append(row)
        self._sort(row)
        insort(self._timeline, (row.created_at_ns, row.number, row.order_id))

    def _put(self, row: Row) -> None:
        name, index = self._places[row.order_id]
        self._chains[name][index] = row
        self._sort(row)

    def _sort(self, row: Row) -> None:
        if row.is_open:
            self._open[row.order_id] = None
        else:
            self._open.pop(row.order_id, None)
        if row.told < row.filled:
            self._untold[row.order_id] = None
        else:
            self._untold.pop(row.order_id, None)


def _place_in_time(row: Row) -> tuple[int, int]:
    return row.created_at_ns, row.number


def _is_free_oco(order: Order) -> bool:
    return order.contingency is Contingency.OCO and order.parent_client_order_id is None


def _word(event: OrderEvent, before: Row | None) -> str | None:
    """Return the stream's word for an event without a fill; None for what it has no word for."""
    if event.kind in _MUTE:
        return None
    status = event.order.status
    was_held = before is not None and before.order.status is OrderStatus.HELD
    if event.kind is OrderEventKind.RESTATED and was_held and status is OrderStatus.OPEN:
        return "new"  # a leg begins to work
    word = _WORDS.get(event.kind)
    if word is not None:
        return word
    return _BEGINNINGS.get(status, "new")
