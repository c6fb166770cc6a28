"""A whole plan out of one number: what the client is told to do, and what goes wrong meanwhile."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final

from .plan import Action, Fault, FaultKind, Plan, Trigger, Verb

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["generate"]

_WORK_MS: Final = 8_000
_REQUESTS: Final = (Trigger.SUBMIT, Trigger.CANCEL, Trigger.REPLACE)
_READS: Final = (Trigger.LOOKUP, Trigger.LIST, Trigger.FILLS)

_OF_REQUESTS: Final[tuple[tuple[FaultKind, tuple[int, ...]], ...]] = (
    (FaultKind.CONNECT_REFUSED, (1, 3)),
    (FaultKind.RESET_BEFORE, (0,)),
    (FaultKind.RESET_MID, (0,)),
    (FaultKind.RESET_AFTER, (0,)),
    (FaultKind.RESET_RESPONSE, (0,)),
    (FaultKind.BLACK_HOLE, (0, 4_000, 11_000)),
    (FaultKind.LOST, (0,)),
    (FaultKind.LATE_ARRIVAL, (400,)),
    (FaultKind.STATUS, (500, 502, 503, 504)),
    (FaultKind.STATUS_UNSERVED, (502, 503)),
    (FaultKind.THROTTLED, (1, 5)),
    (FaultKind.REDIRECT, (0,)),
    (FaultKind.HTML, (0,)),
    (FaultKind.TRUNCATED, (0,)),
    (FaultKind.EMPTY, (0,)),
    (FaultKind.OTHER_BODY, (0,)),
    (FaultKind.TWICE, (0,)),
    (FaultKind.FILL_FIRST, (0,)),
)
_OF_FRAMES: Final[tuple[tuple[FaultKind, tuple[int, ...]], ...]] = (
    (FaultKind.DROP, (1, 3)),
    (FaultKind.DUPLICATE, (0,)),
    (FaultKind.REPLAY, (3, 50)),
    (FaultKind.REORDER, (2, 5, 20)),
    (FaultKind.DELAY, (300, 4_000)),
    (FaultKind.GARBAGE, (0,)),
    (FaultKind.BAD_ENUM, (0,)),
    (FaultKind.MISSING_FIELD, (0,)),
    (FaultKind.STREAM_RESET, (0,)),
)
_OF_TIMES: Final[tuple[tuple[FaultKind, tuple[int, ...]], ...]] = (
    (FaultKind.STREAM_RESET, (0,)),
    (FaultKind.MUTE, (0, 20_000)),
    (FaultKind.HALF_OPEN, (0,)),
    (FaultKind.LAG, (500, 1_500)),
    (FaultKind.FILL, (1, 2, 3)),
    (FaultKind.EXTERNAL, (2,)),
    (FaultKind.MAINTENANCE, (3_000, 20_000)),
    (FaultKind.BAN, (5_000,)),
    (FaultKind.CRASH, (0,)),
    (FaultKind.HALT, (0,)),
    (FaultKind.CLOCK_STEP, (3_600_000, -3_600_000, 90_000)),
    (FaultKind.BLOCK, (5_000,)),
)
_OF_ACTIONS: Final[tuple[tuple[FaultKind, tuple[int, ...]], ...]] = (
    (FaultKind.CANCEL_CALLER, (1, 5, 20, 60)),
    (FaultKind.CRASH, (1, 5, 20, 40, 80)),
)


def generate(seed: int) -> Plan:
    """Return the plan of a seed, the same each time.

    Plans keep to what the venue declares: an order that it takes is visible within two seconds of
    the end of the exchange, so requests are not delayed for longer than that. What a client does
    with a venue that breaks its word is shown by plans of their own.
    """
    random = Random(f"plan {seed}")  # noqa: S311 - choices to repeat, no secret
    actions = tuple(sorted(_actions(random), key=lambda action: action.at_ms))
    faults = tuple(_fault(random) for _ in range(random.randint(0, 6)))
    return Plan(
        seed=seed,
        lag=random.choice([0, 0, 300, 1_500]),
        late=random.choice([0, 0, 50]),
        unique=random.random() < 0.5 or any(one.kind is FaultKind.TWICE for one in faults),
        actions=actions,
        faults=faults,
    )


def _actions(random: Random) -> Iterator[Action]:
    for number in range(1, random.randint(2, 8) + 1):
        at_ms, name = random.randint(0, _WORK_MS), f"o{number}"
        yield Action(at_ms, Verb.SUBMIT, _order(random, name))
        what = random.random()
        later_ms = at_ms + random.randint(0, 4_000)
        if what < 0.4:
            yield Action(later_ms, Verb.CANCEL, (name,))
        elif what < 0.6:
            yield Action(later_ms, Verb.REPLACE, (name, *_terms(random)))
    yield from _rare(random)


def _order(random: Random, name: str) -> tuple[str, ...]:
    side = random.choice(["buy", "sell"])
    symbol = random.choice(["AAPL", "MSFT"])
    quantity = random.choice(["1", "3", "2.50", "10"])
    price = (
        "market" if random.random() < 0.2 else f"{random.randint(90, 110)}.{random.choice('05')}0"
    )
    return side, symbol, quantity, price, name


def _terms(random: Random) -> tuple[str, str]:
    quantity = random.choice(["-", "5", "12.0"])
    price = "-" if quantity != "-" and random.random() < 0.5 else f"{random.randint(90, 110)}.10"
    return quantity, price


def _rare(random: Random) -> Iterator[Action]:
    """Yield what a client does now and then."""
    at_ms = random.randint(0, _WORK_MS)
    match random.randrange(10):
        case 0:
            yield Action(at_ms, Verb.CANCEL_ALL)
        case 1:
            yield Action(at_ms, Verb.CLOSE, (random.choice(["AAPL", "MSFT"]),))
        case 2:
            yield Action(at_ms, random.choice([Verb.HALT, Verb.HALT_AND_CANCEL, Verb.FLATTEN]))
            if random.random() < 0.5:
                yield Action(at_ms + 2_000, Verb.RESUME)
        case 3:
            yield Action(at_ms, Verb.RESTART)
        case _:
            return


def _fault(random: Random) -> Fault:
    where = random.random()
    if where < 0.4:
        kind, amounts = random.choice(_OF_REQUESTS)
        return Fault(random.choice(_REQUESTS), random.randint(1, 3), kind, random.choice(amounts))
    if where < 0.5:
        kind, amounts = random.choice(_OF_REQUESTS[:-2])
        return Fault(random.choice(_READS), random.randint(1, 4), kind, random.choice(amounts))
    if where < 0.65:
        kind, amounts = random.choice(_OF_FRAMES)
        return Fault(Trigger.FRAME, random.randint(1, 8), kind, random.choice(amounts))
    if where < 0.72:
        kind = random.choice([FaultKind.NO_ACK, FaultKind.REFUSE_OPENS])
        return Fault(Trigger.OPEN, random.randint(2, 3), kind, random.choice([1, 4]))
    if where < 0.8:
        kind, amounts = random.choice(_OF_ACTIONS)
        return Fault(Trigger.ACTION, random.randint(1, 5), kind, random.choice(amounts))
    kind, amounts = random.choice(_OF_TIMES)
    return Fault(Trigger.TIME, random.randint(0, _WORK_MS), kind, random.choice(amounts))
