"""Which faults of a plan are due, counted by what they wait for."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from .plan import FaultKind, Trigger

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dragoman.transport.base import HttpRequest

    from .history import History
    from .loop import VirtualLoop
    from .plan import Fault

__all__ = ["Weather", "triggers_of"]

_IN_A_ROW: Final = frozenset(
    {
        FaultKind.CONNECT_REFUSED,
        FaultKind.REFUSE_OPENS,
        FaultKind.UNAUTHORIZED,
        FaultKind.DROP,
    }
)


class Weather:
    """Hands out each fault when its moment has come, and notes that in the history."""

    def __init__(self, faults: Iterable[Fault], history: History, loop: VirtualLoop) -> None:
        self._faults = tuple(faults)
        self._loop = loop
        self.over_s = 0.0
        """When all faults are over that have struck so far, in seconds of the run."""
        self._history = history
        self._counts: Counter[Trigger] = Counter()

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Every fault of the plan."""
        return self._faults

    def strike(self, *triggers: Trigger) -> list[Fault]:
        """Count one moment of each kind and return the faults that it brings."""
        found: list[Fault] = []
        for trigger in triggers:
            self._counts[trigger] += 1
            count = self._counts[trigger]
            for fault in self._faults:
                span = max(1, fault.amount) if fault.kind in _IN_A_ROW else 1
                if fault.trigger is trigger and fault.number <= count < fault.number + span:
                    found.append(fault)
        for fault in found:
            self.note(fault)
        return found

    def note(self, fault: Fault) -> None:
        """Write down that a fault struck."""
        self._history.add("plan", "fault", fault=str(fault))
        self.over_s = max(self.over_s, self._loop.time() + fault.lasts_ms / 1000)


def triggers_of(request: HttpRequest) -> tuple[Trigger, ...]:
    """Return what a request counts as."""
    segments = urlsplit(request.url).path.strip("/").split("/")
    kind = None
    if segments[0] == "orders":
        by_method = {
            "POST": Trigger.SUBMIT,
            "PATCH": Trigger.REPLACE,
            "DELETE": Trigger.CANCEL,
        }
        is_list = segments[1:] in (["open"], ["history"])
        kind = by_method.get(request.method, Trigger.LIST if is_list else Trigger.LOOKUP)
    elif segments[0] == "fills":
        kind = Trigger.FILLS
    return (Trigger.HTTP,) if kind is None else (Trigger.HTTP, kind)
