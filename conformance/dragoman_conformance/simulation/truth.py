"""Whether what the client believes is what the venue did: orders, ends, fills, positions.

Standard library only, like all that the checker stands on.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING

from .evidence import TERMINAL, Breach

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .evidence import Evidence, Row, VenueOrder

__all__ = ["JUDGES"]

_UNPROVED = {"UNKNOWN", "PENDING"}


def _at_most_one(evidence: Evidence) -> Iterator[Breach]:
    for client_id, orders in evidence.by_client_id.items():
        if len(orders) > 1:
            ids = ", ".join(order.venue_id for order in orders)
            yield Breach("I-1", client_id, f"{len(orders)} orders at the venue: {ids}")
    for client_id in sorted({row["client_id"] for row in evidence.of("intent")}):
        final = evidence.final.get(client_id)
        if client_id in evidence.by_client_id or final is None:
            continue
        if final["status"] not in {"REJECTED", *_UNPROVED}:
            yield Breach("I-1", client_id, f"said to be {final['status']}, never at the venue")


def _none_lost(evidence: Evidence) -> Iterator[Breach]:
    if evidence.end is None:
        return
    for order in evidence.orders.values():
        if order.is_history:
            continue
        matters = not order.is_external or order.fills or order.state == "open"
        if matters and evidence.client_row_of(order) is None:
            yield Breach("I-2", order.venue_id, f"never known ({order.client_id or 'external'})")


def _no_false_end(evidence: Evidence) -> Iterator[Breach]:
    latest = {row["client_id"]: place for place, row in _beginnings(evidence)}
    events = enumerate(evidence.of("event"))
    in_force = [row for place, row in events if place >= latest.get(row["client_id"], 0)]
    for row in (*in_force, *evidence.final.values()):
        if row["status"] not in TERMINAL:
            continue
        state = TERMINAL[row["status"]]
        for order in _orders_of(evidence, row):
            if order.state != state and not _is_filled_late(evidence, row):
                told = f"told {row['status']}, at the venue it is {order.state}"
                yield Breach("I-3", row["client_id"], told)


def _beginnings(evidence: Evidence) -> Iterator[tuple[int, Row]]:
    """Yield where orders were submitted; an id that was never sent may be submitted again."""
    for place, row in enumerate(evidence.of("event")):
        if row["kind"] == "SUBMITTED":
            yield place, row


def _orders_of(evidence: Evidence, row: Row) -> Sequence[VenueOrder]:
    """Return what a row of the client is about; of orders that came twice, only where it is one."""
    if row["venue_id"] in evidence.orders:
        return [evidence.orders[row["venue_id"]]]
    return evidence.by_client_id.get(row["client_id"], [])


def _fills_conserved(evidence: Evidence) -> Iterator[Breach]:
    told = Counter(_fills_told(evidence))
    for fill_id, times in told.items():
        if times > 1:
            yield Breach("I-4", fill_id, f"told {times} times")
    real = {fill["fill_id"] for order in evidence.orders.values() for fill in order.fills}
    for fill_id in sorted(told.keys() - real):
        yield Breach("I-4", fill_id, "told, and not in the ledger")
    if evidence.end is None:
        return
    for fill_id in sorted(real - told.keys() - evidence.old_fills):
        yield Breach("I-4", fill_id, "in the ledger, and never told")
    for order in evidence.orders.values():
        final = evidence.client_row_of(order)
        if final is not None and Decimal(final["filled"]) != order.filled:
            said = f"filled {order.filled}, said to be {final['filled']}"
            yield Breach("I-4", order.venue_id, said)


def _fills_told(evidence: Evidence) -> list[str]:
    """Return the ids of the fills as the first reader was told them."""
    events = evidence.of("event")
    reader = events[0]["reader"] if events else None
    return [row["fill"]["fill_id"] for row in events if row["fill"] and row["reader"] == reader]


def _monotone(evidence: Evidence) -> Iterator[Breach]:
    filled: dict[tuple[str, str], Decimal] = {}
    ended: dict[tuple[str, str], str] = {}
    latest: dict[str, int] = {}
    for row in evidence.of("event", "sequence"):
        reader, sequence = row["reader"], row["sequence"]
        if reader in latest and sequence != latest[reader] + 1:
            gap = f"sequence {sequence} after {latest[reader]}"
            yield Breach("I-5", reader, gap)
        latest[reader] = sequence
        if row["row"] == "sequence":
            continue
        key = (reader, row["client_id"])
        if row["kind"] == "SUBMITTED" and ended.get(key) == "REJECTED":
            del ended[key]  # proved never sent: the id lives anew
        now = Decimal(row["filled"])
        if now < filled.get(key, Decimal(0)):
            yield Breach("I-5", row["client_id"], f"filled fell from {filled[key]} to {now}")
        if row["status"] != ended.get(key, row["status"]) and not _is_filled_late(evidence, row):
            yield Breach("I-5", row["client_id"], f"{row['status']} after {ended[key]}")
        filled[key] = now
        if row["status"] in TERMINAL:
            ended[key] = row["status"]


def _is_filled_late(evidence: Evidence, row: Row) -> bool:
    orders = _orders_of(evidence, row)
    return row["status"] == "FILLED" and any(order.is_filled_late for order in orders)


def _unknown_resolved(evidence: Evidence) -> Iterator[Breach]:
    if evidence.end is None:
        return
    for client_id, row in evidence.final.items():
        if row["status"] in _UNPROVED:
            yield Breach("I-6", client_id, f"still {row['status']} after the calm")
    for row in evidence.of("intent"):
        if row["client_id"] not in evidence.final and row["client_id"] in evidence.by_client_id:
            yield Breach(
                "I-6", row["client_id"], "an intent whose order is at the venue, forgotten"
            )


def _positions_agree(evidence: Evidence) -> Iterator[Breach]:
    if evidence.end is None:
        return
    quantities: dict[str, Decimal] = {}
    for order in evidence.orders.values():
        sign = 1 if order.row["side"] == "buy" else -1
        symbol = order.row["symbol"]
        quantities[symbol] = quantities.get(symbol, Decimal(0)) + sign * order.filled
    said = {row["symbol"]: Decimal(row["quantity"]) for row in evidence.of("position")}
    for symbol in sorted(quantities.keys() | said.keys()):
        there, here = quantities.get(symbol, Decimal(0)), said.get(symbol, Decimal(0))
        if there != here:
            yield Breach("I-7", symbol, f"{there} by the ledger, {here} by the client")


JUDGES = (
    _at_most_one,
    _none_lost,
    _no_false_end,
    _fills_conserved,
    _monotone,
    _unknown_resolved,
    _positions_agree,
)
