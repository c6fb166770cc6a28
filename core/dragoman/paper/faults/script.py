"""A plan of faults being carried out: which fault is due at a call, an event or an instant.

It only counts. The same calls and events in the same order set the same faults off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from .triggers import AtTime, OnCall, OnEvent

if TYPE_CHECKING:
    from .plan import Fault, FaultPlan

    _Entry: TypeAlias = tuple[int, Fault, OnCall]

__all__ = ["FaultScript"]


class FaultScript:
    """The state of one plan on one connection. No instant is due before `start`."""

    def __init__(self, plan: FaultPlan) -> None:
        self._plan = plan
        self._counts = [0] * len(plan.faults)
        self._calls = _by_call(plan)
        self._events = _events_of(plan)
        self._times: list[tuple[int, int, Fault]] = []
        self._is_started = False

    @property
    def watches_events(self) -> bool:
        """Whether any fault waits for an event."""
        return bool(self._events)

    def on_call(
        self, command: str, client_order_id: str | None = None, symbol: str | None = None
    ) -> tuple[Fault, ...]:
        """Count one call and return the faults it sets off, in the order of the plan."""
        entries = self._calls.get((command, None), [])
        if client_order_id is not None and (command, client_order_id) in self._calls:
            entries = sorted([*entries, *self._calls[command, client_order_id]], key=_place_of)
        if not entries:
            return ()
        return tuple(
            [
                fault
                for index, fault, trigger in entries
                if self._strikes(index, trigger, client_order_id, symbol)
            ]
        )

    def on_event(
        self, event: str, client_order_id: str | None = None, symbol: str | None = None
    ) -> tuple[Fault, ...]:
        """Count one event and return the faults it sets off, in the order of the plan."""
        return tuple(
            fault
            for index, fault, trigger in self._events
            if trigger.event == event and self._strikes(index, trigger, client_order_id, symbol)
        )

    def start(self, opened_at_ns: int) -> None:
        """Begin to count time, `after_s` from `opened_at_ns`; a later start changes nothing."""
        if self._is_started:
            return
        self._is_started = True
        found = (
            (fault.trigger.instant_ns(opened_at_ns), index, fault)
            for index, fault in enumerate(self._plan.faults)
            if isinstance(fault.trigger, AtTime)
        )
        self._times = sorted(found, key=lambda entry: entry[:2], reverse=True)

    def next_ns(self) -> int | None:
        """Return the next instant that sets a fault off; None if there is none left."""
        return self._times[-1][0] if self._times else None

    def due(self, now_ns: int) -> tuple[Fault, ...]:
        """Return, once, the faults whose instant has come."""
        found: list[Fault] = []
        while self._times and self._times[-1][0] <= now_ns:
            found.append(self._times.pop()[2])
        return tuple(found)

    def _strikes(
        self, index: int, trigger: OnCall | OnEvent, client_order_id: str | None, symbol: str | None
    ) -> bool:
        if trigger.client_order_id not in (None, client_order_id):
            return False
        if trigger.symbol not in (None, symbol):
            return False
        self._counts[index] += 1
        return trigger.nth in (None, self._counts[index])


def _by_call(plan: FaultPlan) -> dict[tuple[str, str | None], list[_Entry]]:
    """Return what waits for calls by command and order: a plan may name very many orders."""
    found: dict[tuple[str, str | None], list[_Entry]] = {}
    for index, fault in enumerate(plan.faults):
        trigger = fault.trigger
        if isinstance(trigger, OnCall):
            found.setdefault((trigger.command, trigger.client_order_id), []).append(
                (index, fault, trigger)
            )
    return found


def _place_of(entry: _Entry) -> int:
    return entry[0]


def _events_of(plan: FaultPlan) -> list[tuple[int, Fault, OnEvent]]:
    return [
        (index, fault, fault.trigger)
        for index, fault in enumerate(plan.faults)
        if isinstance(fault.trigger, OnEvent)
    ]
