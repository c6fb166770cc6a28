"""How much of an intent has filled.

Fills, busts and cumulative sayings, joined without counting any twice.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeAlias

import attrs

from dragoman.models.values import Money
from dragoman.money import ZERO, add, average, multiply, total

if TYPE_CHECKING:
    from dragoman.models import Fill, Order

__all__ = ["Executed", "Executions"]

_WHOLE: Final = ""
_EVER: Final = -2


@attrs.frozen
class Executed:
    """What has filled of an intent, all its venue ids together."""

    filled: Decimal
    is_full: bool
    average_price: Decimal | None
    commission: Money | None
    last_ns: int | None


_NOTHING: Final = Executed(
    filled=ZERO, is_full=False, average_price=None, commission=None, last_ns=None
)


@attrs.frozen
class _Saying:
    """A venue's cumulative word for one venue id, or for the whole intent, at one time."""

    at_ns: int
    filled: Decimal
    average_price: Decimal | None


_Place: TypeAlias = tuple[int, int, int, str]
"""Where a venue id was first seen: revision, venue time, place among the ids, and the id."""

_NO_FILLS: Final[dict[str, Fill]] = {}
_NO_BUSTS: Final[dict[str, int]] = {}
_NO_SAYINGS: Final[dict[str, list[_Saying]]] = {}
"""Shared by all orders that have none, and never written to: most orders never fill."""


class Executions:
    """The executions of one intent under all its venue ids.

    A fill counts once by `fill_id`; a bust takes it back for good, whichever of the two comes
    first. A cumulative quantity counts as the maximum per venue id, but not if it was said before
    the last bust.
    """

    __slots__ = (
        "_busted_at",
        "_fills",
        "_only_ids",
        "_only_ns",
        "_only_revision",
        "_places",
        "_sayings",
    )

    def __init__(self) -> None:
        self._only_ids: tuple[str, ...] = ()
        self._only_revision = 0
        self._only_ns = -1
        self._places: tuple[_Place, ...] = ()
        self._fills: dict[str, Fill] = _NO_FILLS
        self._busted_at: dict[str, int] = _NO_BUSTS
        self._sayings: dict[str, list[_Saying]] = _NO_SAYINGS

    @property
    def venue_order_ids(self) -> tuple[str, ...]:
        """Every venue id of the intent, oldest first."""
        return self._only_ids or tuple([place[-1] for place in self._places])

    def add(self, fill: Fill, busted_at_ns: int | None = None) -> bool:
        """Add a fill or, with `busted_at_ns` or a fill flagged so, its bust.

        A flagged fill does not say when it was busted: by the time it was received, at the latest.
        The earliest time said counts. Returns whether it was news.
        """
        name = fill.fill_id
        if self._fills is _NO_FILLS:
            self._fills, self._busted_at = {}, {}
        if busted_at_ns is None and not fill.is_busted:
            is_news = name not in self._fills
            self._fills.setdefault(name, fill)
            return is_news
        at_ns = fill.received_at_ns if busted_at_ns is None else busted_at_ns
        is_news = name not in self._busted_at
        self._fills.setdefault(name, fill)
        self._busted_at[name] = min(at_ns, self._busted_at.get(name, at_ns))
        return is_news

    def see(self, order: Order) -> None:
        """Take in the ids and the cumulative quantity of one sighting."""
        at_ns = -1 if order.updated_at_ns is None else order.updated_at_ns
        self._place_all(order.venue_order_ids, order.revision, at_ns)
        if order.filled_quantity:
            scope = order.venue_order_ids[0] if len(order.venue_order_ids) == 1 else _WHOLE
            self._say(scope, _Saying(at_ns, order.filled_quantity, order.average_fill_price))

    def result(self, quantity: Decimal | None) -> Executed:
        """Return what has filled; `quantity` is the intent's, to tell whether it is full."""
        if not self._fills and not self._sayings:
            return _NOTHING
        since_ns = max(self._busted_at.values(), default=_EVER)
        live = self._live()
        by_fills = total(fill.quantity for fill in live)
        filled = max(self._by_id(live, since_ns), self._said(_WHOLE, since_ns))
        is_complete = bool(live) and filled == by_fills
        return Executed(
            filled=filled,
            is_full=quantity is not None and self._peak(filled) >= quantity > 0,
            average_price=_average(live, by_fills) if is_complete else self._said_average(filled),
            commission=_commission(live) if is_complete else None,
            last_ns=max((fill.venue_time_ns for fill in self._fills.values()), default=None),
        )

    def filled_before(self, revision: int) -> Decimal:
        """Return what has filled under the venue ids that were first seen before a revision."""
        since_ns = max(self._busted_at.values(), default=_EVER)
        sums = self._sums(self._live(), since_ns)
        ids = {place[-1] for place in self._every_place() if place[0] < revision}
        return total(amount for scope, amount in sums.items() if scope in ids)

    def counted(self) -> Executed:
        """Return what has filled by the fills seen, whatever else the venue has said."""
        live = self._live()
        filled = total(fill.quantity for fill in live)
        return Executed(
            filled=filled,
            is_full=False,
            average_price=_average(live, filled) if live else None,
            commission=_commission(live) if live else None,
            last_ns=max((fill.venue_time_ns for fill in live), default=None),
        )

    def _live(self) -> list[Fill]:
        return [fill for fill in self._fills.values() if fill.fill_id not in self._busted_at]

    def _place_all(self, ids: tuple[str, ...], revision: int, at_ns: int) -> None:
        """Keep the earliest place that each venue id was seen in.

        Most orders have one id for life; that and its place are kept without a tuple for each.
        """
        is_first = not self._only_ids and not self._places
        if len(ids) == 1 and (is_first or ids == self._only_ids):
            if is_first or (revision, at_ns) < (self._only_revision, self._only_ns):
                self._only_ids, self._only_revision, self._only_ns = ids, revision, at_ns
            return
        if ids and self._only_ids:
            self._places, self._only_ids = self._every_place(), ()
        for index, venue_id in enumerate(ids):
            self._place((revision, at_ns, index, venue_id))

    def _every_place(self) -> tuple[_Place, ...]:
        if not self._only_ids:
            return self._places
        return ((self._only_revision, self._only_ns, 0, self._only_ids[0]),)

    def _place(self, place: _Place) -> None:
        for known in self._places:
            if known[-1] == place[-1]:
                if known <= place:
                    return
                self._places = tuple([one for one in self._places if one is not known])
                break
        self._places = tuple(sorted((*self._places, place)))

    def _say(self, scope: str, saying: _Saying) -> None:
        """Keep only sayings that are later or larger than all others."""
        if self._sayings is _NO_SAYINGS:
            self._sayings = {}
        others = self._sayings.setdefault(scope, [])
        for other in others:
            if other.at_ns >= saying.at_ns and other.filled >= saying.filled:
                return
        others[:] = [
            other
            for other in others
            if not (saying.at_ns >= other.at_ns and saying.filled >= other.filled)
        ]
        others.append(saying)

    def _said(self, scope: str, since_ns: int) -> Decimal:
        sayings = self._sayings.get(scope, ())
        return max((saying.filled for saying in sayings if saying.at_ns >= since_ns), default=ZERO)

    def _by_id(self, live: list[Fill], since_ns: int) -> Decimal:
        """Sum over venue ids the larger of its fills and its cumulative word."""
        return total(self._sums(live, since_ns).values())

    def _sums(self, live: list[Fill], since_ns: int) -> dict[str, Decimal]:
        first = next(iter(self.venue_order_ids), _WHOLE)
        sums: dict[str, Decimal] = dict.fromkeys(self.venue_order_ids, ZERO)
        for fill in live:
            scope = fill.venue_order_id or first
            sums[scope] = add(sums.get(scope, ZERO), fill.quantity)
        return {one: max(amount, self._said(one, since_ns)) for one, amount in sums.items()}

    def _said_average(self, filled: Decimal) -> Decimal | None:
        known = [
            (saying.at_ns, saying.average_price)
            for sayings in self._sayings.values()
            for saying in sayings
            if saying.filled == filled and saying.average_price is not None
        ]
        return max(known)[1] if known else None

    def _peak(self, filled: Decimal) -> Decimal:
        """Return the most that was ever filled.

        An order that was full stays so when a fill is taken back.
        """
        if not self._busted_at:
            return filled
        said = max(self._by_id([], _EVER), self._said(_WHOLE, _EVER))
        steps = [
            (fill.venue_time_ns, 0, fill.fill_id, fill.quantity) for fill in self._fills.values()
        ]
        steps += [
            (at_ns, 1, fill_id, self._fills[fill_id].quantity.copy_negate())
            for fill_id, at_ns in self._busted_at.items()
        ]
        running = peak = ZERO
        for _, _, _, change in sorted(steps):
            running = add(running, change)
            peak = max(peak, running)
        return max(peak, said, filled)


def _average(fills: list[Fill], quantity: Decimal) -> Decimal:
    return average(total(multiply(fill.quantity, fill.price) for fill in fills), quantity)


def _commission(fills: list[Fill]) -> Money | None:
    paid = [fill.commission for fill in fills if fill.commission is not None]
    if len(paid) != len(fills) or len({money.currency for money in paid}) != 1:
        return None
    return Money(total(money.amount for money in paid), paid[0].currency)
