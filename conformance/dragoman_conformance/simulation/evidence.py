"""What the venue's ledger and the client's rows say, sorted by order: what the checker reads.

Standard library only: it must be able to contradict the library it judges.

Rows of the client, each a JSON object with `row`:

    intent      client_id                               an order that the client meant to send
    event       reader, sequence, kind, client_id, venue_id, status, filled, quantity, price, reason
                and fill: null or {fill_id, quantity, price, time_ns}
    call        verb, client_id, outcome                a command ended: OK or an error's outcome
    sent        name, health                            an order's first byte, and the health then
    halt, resume  mark                                  `halt()` or `resume()` returned
    health      state, previous, causes                 the client's health changed
    connection  state, cause                            a connection changed
    alarm       kind, client_id                         a human should look
    order       client_id, venue_id, status, filled, quantity, price      at the end, each order
    position    symbol, quantity                        at the end, each position
    end         is_live, is_halted                      at the end, once; none if no client is left

`mark` counts what happened in the run; the venue's `accepted` rows carry the mark of their first
byte where somebody keeps one.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["TERMINAL", "Breach", "Evidence", "Row", "VenueOrder", "gather"]

Row: TypeAlias = dict[str, Any]
TERMINAL: Final = {"FILLED": "filled", "CANCELED": "canceled", "EXPIRED": "expired", "REJECTED": ""}
"""The client's words for the end of an order, and the venue's; it keeps no order it refused."""


@dataclass(frozen=True, slots=True)
class Breach:
    """One invariant broken by one thing."""

    invariant: str
    subject: str
    what: str

    def __str__(self) -> str:
        return f"{self.invariant} {self.subject}: {self.what}"


@dataclass(slots=True)
class VenueOrder:
    """One order of the ledger, with all that happened to it; `closes` if it could do no more."""

    row: Row
    mark: int | None
    is_external: bool
    closes: bool
    state: str = "open"
    fills: list[Row] = field(default_factory=list[Row])
    is_history: bool = False
    """Whether it was somebody else's, and over before a client had ever been connected."""

    @property
    def venue_id(self) -> str:
        """The venue's id."""
        return str(self.row["venue_id"])

    @property
    def client_id(self) -> str | None:
        """The id that the client gave it, if it did."""
        found: str | None = self.row["client_id"]
        return found

    @property
    def is_filled_late(self) -> bool:
        """Whether fills after its end took all that was ordered: then both ends are true."""
        return self.state != "filled" and self.filled == Decimal(self.row["quantity"])

    @property
    def filled(self) -> Decimal:
        """The sum of its fills."""
        return sum((Decimal(fill["quantity"]) for fill in self.fills), Decimal(0))


@dataclass(slots=True)
class Evidence:
    """Both sides of one run."""

    ledger: Sequence[Row]
    client: Sequence[Row]
    orders: dict[str, VenueOrder]
    by_client_id: dict[str, list[VenueOrder]]
    refused: set[str]
    old_fills: set[str]
    """Fills of other people's orders from before a client had ever been connected."""
    final: dict[str, Row]
    end: Row | None

    def of(self, *kinds: str) -> list[Row]:
        """Return the client's rows of some kinds, in order."""
        return [row for row in self.client if row["row"] in kinds]

    def client_row_of(self, order: VenueOrder) -> Row | None:
        """Return the client's last word on an order of the venue."""
        if order.client_id in self.final:
            return self.final[order.client_id]
        rows = [row for row in self.final.values() if row["venue_id"] == order.venue_id]
        return rows[0] if rows else None


def gather(ledger: Sequence[Row], client: Sequence[Row]) -> Evidence:
    """Sort the rows of one run by what they are about."""
    orders: dict[str, VenueOrder] = {}
    old_fills: set[str] | None = None
    for row in ledger:
        _enter(row, orders)
        if row.get("what") == "client connected" and old_fills is None:
            old_fills = _history(orders)
    by_client_id: defaultdict[str, list[VenueOrder]] = defaultdict(list)
    for order in orders.values():
        if order.client_id is not None:
            by_client_id[order.client_id].append(order)
    ends = [row for row in client if row["row"] == "end"]
    return Evidence(
        ledger=ledger,
        client=client,
        orders=orders,
        by_client_id=dict(by_client_id),
        refused={row["client_id"] for row in ledger if row["row"] == "refused"},
        old_fills=old_fills or set(),
        final={row["client_id"]: row for row in client if row["row"] == "order"},
        end=ends[-1] if ends else None,
    )


def _history(orders: dict[str, VenueOrder]) -> set[str]:
    """Mark what was over before anybody was there; returns the fills nobody need have heard of."""
    others = [order for order in orders.values() if order.is_external]
    for order in others:
        order.is_history = order.state != "open"
    return {fill["fill_id"] for order in others for fill in order.fills}


def _enter(row: Row, orders: dict[str, VenueOrder]) -> None:
    kind = row["row"]
    if kind == "accepted":
        order = VenueOrder(
            dict(row["order"]), row["mark"], row["origin"] == "external", row["closes"]
        )
        orders[order.venue_id] = order
    elif kind == "replaced":
        orders[row["order"]["venue_id"]].row = dict(row["order"])
    elif kind == "ended":
        orders[row["venue_id"]].state = row["state"]
    elif kind == "fill":
        orders[row["venue_id"]].fills.append(row)
