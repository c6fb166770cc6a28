"""How the client behaved: blind or halted, in its limits, in silence, faithful, and well again.

Standard library only, like all that the checker stands on.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from .evidence import TERMINAL, Breach

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .evidence import Evidence

__all__ = ["JUDGES"]

_CALM = {"LIVE", "HALTED", "CLOSED"}
_BLIND = {"STALE", "DOWN", "RECONCILING", "AUTH_REQUIRED"}
_SETTLED = {"CONNECTED", "RECONNECTED", "CONNECTING"}


def _never_blind(evidence: Evidence) -> Iterator[Breach]:
    for row in evidence.of("sent"):
        if row["health"] in _BLIND:
            yield Breach("I-8", row["name"], f"an order was sent while {row['health']}")


def _halt_is_final(evidence: Evidence) -> Iterator[Breach]:
    spans: list[tuple[int, int | None]] = []
    for row in evidence.of("halt", "resume"):
        is_open = bool(spans) and spans[-1][1] is None
        if row["row"] == "halt" and not is_open:
            spans.append((row["mark"], None))
        elif row["row"] == "resume" and is_open:
            spans[-1] = (spans[-1][0], row["mark"])
    for order in evidence.orders.values():
        if order.mark is not None and not order.closes:
            within = [one for one in spans if _is_within(order.mark, one)]
            if within:
                yield Breach("I-9", order.venue_id, "its first byte was written while halted")


def _is_within(mark: int, span: tuple[int, int | None]) -> bool:
    start, stop = span
    return start < mark and (stop is None or mark < stop)


def _nothing_left(evidence: Evidence) -> Iterator[Breach]:
    for row in evidence.of("left"):
        for name in row["tasks"]:
            yield Breach("I-10", name, "a task that outlived its client")
    for row in evidence.of("failed"):
        yield Breach("I-10", row["task"], f"ended by {row['error']}")


def _no_silent_change(evidence: Evidence) -> Iterator[Breach]:
    for row in evidence.of("connection"):
        if not row["cause"] and row["state"] not in _SETTLED:
            yield Breach("I-11", "connection", f"{row['state']} without a cause")
    state: dict[str, str] = {}
    for row in evidence.of("health"):
        process = str(row.get("process"))
        if row["state"] not in _CALM and not row["causes"]:
            yield Breach("I-11", "health", f"{row['state']} without a cause")
        if state.get(process, row["previous"]) != row["previous"]:
            gap = f"{row['previous']} was left, but {state[process]} was told"
            yield Breach("I-11", "health", gap)
        state[process] = row["state"]


def _rate_kept(evidence: Evidence) -> Iterator[Breach]:
    limit, window_ns = None, 0
    recent: deque[int] = deque()
    for row in evidence.ledger:
        if row["row"] == "opened":
            limit, window_ns = row["rate_limit"], row["rate_window_ns"]
        elif row["row"] == "note" and row.get("what") == "client started":
            recent.clear()
        elif row["row"] == "request" and limit is not None:
            recent.append(row["at_ns"])
            while recent[0] <= row["at_ns"] - window_ns:
                recent.popleft()
            if len(recent) > limit:
                yield Breach("I-12", row["path"], f"{len(recent)} requests where {limit} may be")


def _faithful(evidence: Evidence) -> Iterator[Breach]:
    real = {fill["fill_id"]: fill for order in evidence.orders.values() for fill in order.fills}
    for row in evidence.of("event"):
        told = row["fill"]
        if told is None or told["fill_id"] not in real:
            continue
        for name in ("quantity", "price", "time_ns"):
            if str(told[name]) != real[told["fill_id"]][name]:
                said = f"{name} {real[told['fill_id']][name]} told as {told[name]}"
                yield Breach("I-13", told["fill_id"], said)
    for order in evidence.orders.values():
        final = evidence.client_row_of(order)
        for name in ("quantity", "price"):
            if final is not None and final[name] != order.row[name]:
                said = f"{name} {order.row[name]} kept as {final[name]}"
                yield Breach("I-13", order.venue_id, said)


def _well_again(evidence: Evidence) -> Iterator[Breach]:
    if evidence.end is None:
        return
    if not evidence.end["is_live"] and not evidence.end["is_halted"]:
        yield Breach("I-16", "client", f"not live after the calm: {evidence.end.get('health')}")
    for order in evidence.orders.values():
        final = evidence.client_row_of(order)
        if final is not None and order.state != "open" and final["status"] not in TERMINAL:
            late = f"{order.state} at the venue, still {final['status']} after the calm"
            yield Breach("I-16", order.venue_id, late)


JUDGES = (
    _never_blind,
    _halt_is_final,
    _nothing_left,
    _no_silent_change,
    _rate_kept,
    _faithful,
    _well_again,
)
