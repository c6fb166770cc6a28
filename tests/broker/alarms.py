"""Hearing the alarms of a broker."""

from dragoman import Alarm, AlarmKind, Broker, Event


class Ear:
    """Keeps every alarm that a broker raises from now on."""

    def __init__(self, broker: Broker) -> None:
        self.alarms: list[Alarm] = []
        self._listener = broker.listen(self._hear, orders=True)

    def _hear(self, event: Event) -> None:
        if isinstance(event, Alarm):
            self.alarms.append(event)

    def heard(self) -> list[tuple[AlarmKind, str | None]]:
        """Return the kind and the order of each alarm so far."""
        return [(one.kind, one.client_order_id) for one in self.alarms]
