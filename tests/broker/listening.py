"""What a user hears of a connection, kept for a test to look at."""

from dragoman import Alarm, AlarmKind, Broker, Event, HealthEvent, HealthState

from .fake_adapter import settle


async def listen(broker: Broker) -> list[Event]:
    """Return a list that every private and session event is added to from now on."""
    heard: list[Event] = []
    broker.listen(heard.append, orders=True, positions=True, account=True, ledger=True)
    await settle()
    return heard


def states(heard: list[Event]) -> list[HealthState]:
    """Return the health states told, in order."""
    return [one.state for one in heard if isinstance(one, HealthEvent)]


def alarms(heard: list[Event]) -> list[AlarmKind]:
    """Return the kinds of alarms told, in order."""
    return [one.kind for one in heard if isinstance(one, Alarm)]
