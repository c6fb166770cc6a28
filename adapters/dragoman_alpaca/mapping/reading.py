"""What is known besides a row when it is read: whose it is, and the names of things.

The memories here are an adapter's own, for one session with the venue. They hold nothing that the
venue would not tell again.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.models.trusted import builder

from .lineage import Lineage
from .names import intent_of_row, is_entry, role_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dragoman_alpaca.wire.trading import OrderRow

__all__ = ["LegNames", "Reading", "Strangers", "SymbolBook"]

_MOST_LEGS: Final = 20_000
_MOST_STRANGERS: Final = 1_000
_WITH_LEGS: Final = frozenset({"bracket", "oto", "oco"})
_LONGEST_WORD: Final = 80
_log: Final = logging.getLogger(__name__)


class SymbolBook:
    """The spellings of each symbol, as far as they have been learned.

    No spelling is ever worked out from another: "BTCUSD" may be crypto or a share.
    """

    def __init__(self) -> None:
        self._symbols: dict[str, str] = {}

    def learn(self, symbol: str, aliases: Iterable[str] = ()) -> None:
        """Know a symbol and its other spellings; a symbol is never taken for an alias."""
        self._symbols[symbol] = symbol
        for alias in aliases:
            if self._symbols.get(alias) != alias:
                self._symbols[alias] = symbol

    def symbol_of(self, alias: str) -> str:
        """Return the symbol that a spelling stands for; verbatim if it was never learned."""
        return self._symbols.get(alias, alias)

    def knows(self, alias: str) -> bool:
        """Tell whether a spelling was learned."""
        return alias in self._symbols


class LegNames:
    """Which client order ids the legs of entries and lists go by here.

    Alpaca gives a leg a client order id of its own and does not name the entry on it; only a nested
    row shows which belong together. The oldest names are forgotten first: by then the broker knows
    their orders by the venue's ids.
    """

    def __init__(self, most: int = _MOST_LEGS) -> None:
        self._most = most
        self._names: dict[str, tuple[str, str | None]] = {}
        self._paired: set[str] = set()
        self._expected: dict[str, dict[str, str]] = {}
        self._entries: dict[str, str] = {}
        self._on_the_way: dict[str, int] = {}
        self._sent: dict[str, None] = {}
        self._with_legs: dict[str, None] = {}

    def sending(self, entry: str, until_ns: int) -> None:
        """Know that an order with legs is on its way: until it is answered, they have no names.

        Its legs may be told by the stream before the answer shows whose they are.

        Args:
            entry: The client order id that the order is sent under.
            until_ns: When to give up on an answer.
        """
        self._on_the_way[entry] = until_ns
        _remember(self._sent, entry, self._most)

    def answered(self, entry: str) -> None:
        """Know that the order is there and its legs are learned, or that it is not there."""
        self._on_the_way.pop(entry, None)

    def is_nameless(self, row: OrderRow, now_ns: int) -> bool:
        """Tell whether an order may be a leg of one on its way, and so can't be named yet.

        None that goes by an id which was sent from here, or was shown with its legs before, is.
        """
        if not self._on_the_way or row.order_class not in _WITH_LEGS or row.legs:
            return False
        is_leg = row.id in self._names or row.replaces in self._names
        is_entry = row.id in self._with_legs or intent_of_row(row)[0] in self._sent
        return not (is_leg or is_entry) and max(self._on_the_way.values()) > now_ns

    def expect(self, entry: str, names: Mapping[str, str]) -> None:
        """Know, before an order is sent, what its legs are to be called.

        Args:
            entry: The client order id that the order is sent under.
            names: The client order ids of its legs by role: "tp" for the limit, "sl" for the stop.
        """
        if not names:
            return
        self._expected[entry] = dict(names)
        for name in names.values():
            self._entries[name] = entry
        while len(self._expected) > self._most:
            oldest = next(iter(self._expected))
            for name in self._expected.pop(oldest).values():
                self._entries.pop(name, None)

    def parent_of(self, client_order_id: str) -> str | None:
        """Return the client order id that an expected leg was sent with; None if it was not."""
        return self._entries.get(client_order_id)

    def learn(self, row: OrderRow) -> None:
        """Know the legs that a row shows nested.

        Those of a bracket or an OTO are named after their entry, unless they were expected under
        other names; those of an OCO that nobody expected keep the names that the venue gave them.
        """
        if not row.legs:
            return
        _remember(self._with_legs, row.id, self._most)
        has_entry = is_entry(row)
        entry, _ = intent_of_row(row)
        self.answered(entry)
        expected = self._expected.get(entry, {})
        is_pair = has_entry and {"sl", "tp"} <= {role_of(leg) for leg in row.legs}
        for leg in row.legs:
            role = role_of(leg)
            if role is None:
                continue
            parent = entry if has_entry else None
            if is_pair:
                self._paired.add(leg.id)
            if role in expected:
                self._put(leg.id, expected[role], parent)
            elif leg.id not in self._names and leg.replaces in self._names:
                self._put(leg.id, *self._names[leg.replaces])
            elif leg.id not in self._names and has_entry:
                self._put(leg.id, f"{entry}-{role}", parent)

    def name_of(self, venue_order_id: str) -> tuple[str, str | None] | None:
        """Return a leg's client order id, and its entry's if it has one.

        None for what was never seen nested.
        """
        return self._names.get(venue_order_id)

    def is_paired(self, venue_order_id: str) -> bool:
        """Tell whether a leg was seen together with the other exit of its entry."""
        return venue_order_id in self._paired

    def _put(self, venue_order_id: str, name: str, entry: str | None) -> None:
        self._names.pop(venue_order_id, None)
        self._names[venue_order_id] = (name, entry)
        while len(self._names) > self._most:
            oldest = next(iter(self._names))
            del self._names[oldest]
            self._paired.discard(oldest)


def _remember(names: dict[str, None], name: str, most: int) -> None:
    """Keep a name among the newest."""
    names.pop(name, None)
    names[name] = None
    if len(names) > most:
        del names[next(iter(names))]


class Strangers:
    """The words of the venue's that mean nothing here yet; each is reported once."""

    def __init__(self, most: int = _MOST_STRANGERS) -> None:
        self._most = most
        self._seen: set[tuple[str, str]] = set()

    def report(self, field: str, word: str) -> None:
        """Log a word, if it is the first time."""
        word = word[:_LONGEST_WORD]
        if (field, word) in self._seen or len(self._seen) >= self._most:
            return
        self._seen.add((field, word))
        _log.warning("a word that has no meaning here yet", extra={"field": field, "word": word})


@attrs.frozen(kw_only=True)
class Reading:
    """What every mapping function is told besides the row.

    `account_id` is "" for market data. Make one per session and let `at` stamp it, so that the
    memories are shared.
    """

    provider: str
    account_id: str
    received_at_ns: int
    symbols: SymbolBook = attrs.field(factory=SymbolBook, eq=False, repr=False)
    legs: LegNames = attrs.field(factory=LegNames, eq=False, repr=False)
    lineage: Lineage = attrs.field(factory=Lineage, eq=False, repr=False)
    strangers: Strangers = attrs.field(factory=Strangers, eq=False, repr=False)

    def at(self, received_at_ns: int) -> Reading:
        """Return the same reading for what was received then."""
        return _built(
            self.provider,
            self.account_id,
            received_at_ns,
            self.symbols,
            self.legs,
            self.lineage,
            self.strangers,
        )


_built = builder(Reading)
"""Always given every field: the memories have no defaults that could be shared."""
