"""What happens in a run, as data: one line of text and back.

    seed=17 fills=SEEDED lag=500 actions=1000:submit:buy:AAPL:3:99.50:a,2500:cancel:a
        faults=submit#1:reset_after,time#4000:mute:20000

An action is `<milliseconds>:<verb>[:<argument>...]`, a fault is
`<trigger>#<number>:<kind>[:<amount>]`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import attrs

__all__ = ["Action", "Fault", "FaultKind", "Plan", "PlanError", "Trigger", "Verb"]


class PlanError(ValueError):
    """A line is no plan; the message names the part."""


class Verb(StrEnum):
    """What the client is told to do; arguments in brackets.

    `SUBMIT` (side, symbol, quantity, price or "market", client order id), `REPLACE` (client order
    id, quantity or "-", price or "-"), `CANCEL` (client order id), `CANCEL_ALL`, `CLOSE` (symbol),
    `HALT`, `HALT_AND_CANCEL`, `FLATTEN`, `RESUME`, `RESTART` (close and connect again).
    """

    SUBMIT = "submit"
    REPLACE = "replace"
    CANCEL = "cancel"
    CANCEL_ALL = "cancel_all"
    CLOSE = "close"
    HALT = "halt"
    HALT_AND_CANCEL = "halt_and_cancel"
    FLATTEN = "flatten"
    RESUME = "resume"
    RESTART = "restart"


class Trigger(StrEnum):
    """When a fault strikes.

    `TIME` at so many milliseconds; `STEP` after so many callbacks of the loop; `ACTION` as the n-th
    action starts. The others at the n-th request of a kind (`HTTP` counts all), the n-th `OPEN` of
    a stream or the n-th `FRAME` of private news that a stream carries.
    """

    TIME = "time"
    STEP = "step"
    ACTION = "action"
    HTTP = "http"
    SUBMIT = "submit"
    REPLACE = "replace"
    CANCEL = "cancel"
    LOOKUP = "lookup"
    LIST = "list"
    FILLS = "fills"
    OPEN = "open"
    FRAME = "frame"


class FaultKind(StrEnum):
    """What goes wrong. What `amount` counts is in brackets."""

    CONNECT_REFUSED = "connect_refused"
    """No connection (how many requests in a row)."""
    RESET_BEFORE = "reset_before"
    """Cut after connecting, before the first byte."""
    RESET_MID = "reset_mid"
    """Cut amid the request, which the venue never understands."""
    RESET_AFTER = "reset_after"
    """Cut after the request, which the venue serves."""
    RESET_RESPONSE = "reset_response"
    """Cut amid the response."""
    BLACK_HOLE = "black_hole"
    """Served; the response comes late (milliseconds), or never (0)."""
    LOST = "lost"
    """Never served, never answered."""
    LATE_ARRIVAL = "late_arrival"
    """Served late (milliseconds), whatever the client believes by then."""
    STATUS = "status"
    """Served, and answered with a status (code) of some gateway."""
    STATUS_UNSERVED = "status_unserved"
    """Answered with a status (code) without being served."""
    THROTTLED = "throttled"
    """Answered 429 with Retry-After (seconds) without being served."""
    REDIRECT = "redirect"
    """Answered 307 to another origin without being served."""
    HTML = "html"
    """Served; 200 with a page of HTML."""
    TRUNCATED = "truncated"
    """Served; 200 whose compressed body ends early."""
    EMPTY = "empty"
    """Served; 200 with `{}`."""
    OTHER_BODY = "other_body"
    """Served; 200 about another order."""
    TWICE = "twice"
    """Delivered twice by the network; the second answer is what comes back."""

    STREAM_RESET = "stream_reset"
    """Every stream is cut."""
    MUTE = "mute"
    """Streams stay open and carry nothing for a while (milliseconds)."""
    HALF_OPEN = "half_open"
    """The peer is gone without a word: nothing passes, pings are not answered."""
    DROP = "drop"
    """Frames are lost (how many)."""
    DUPLICATE = "duplicate"
    """A frame comes twice."""
    REPLAY = "replay"
    """The last frames (how many) come again."""
    REORDER = "reorder"
    """The next frames (how many) come in another order."""
    DELAY = "delay"
    """The next frame and all behind it come late (milliseconds)."""
    NO_ACK = "no_ack"
    """The subscription is not confirmed."""
    BAD_ENUM = "bad_enum"
    """A frame holds a word that nobody knows."""
    MISSING_FIELD = "missing_field"
    """A frame lacks a field."""
    GARBAGE = "garbage"
    """A frame is no JSON."""
    REFUSE_OPENS = "refuse_opens"
    """Streams are refused with 503 (how many times)."""
    UNAUTHORIZED = "unauthorized"
    """Streams are refused with 401 (how many times)."""

    LAG = "lag"
    """From now on orders are invisible to lookups for a while (milliseconds)."""
    FILL = "fill"
    """The venue fills the n-th order taken (amount), whatever its state."""
    FILL_FIRST = "fill_first"
    """The venue fills the order just before it serves the request about it."""
    EXTERNAL = "external"
    """Somebody else sends an order (quantity); it rests."""
    MAINTENANCE = "maintenance"
    """The venue answers 503 for a while (milliseconds)."""
    BAN = "ban"
    """The venue answers 418 for a while (milliseconds)."""

    CRASH = "crash"
    """The client's process is gone, and starts again from its journal (milliseconds later)."""
    CANCEL_CALLER = "cancel_caller"
    """The task that called is canceled (callbacks of the loop later)."""
    HALT = "halt"
    """The client's `halt()` is called."""
    CLOCK_STEP = "clock_step"
    """The client's wall clock steps (milliseconds, forward or back)."""
    BLOCK = "block"
    """The loop is blocked (milliseconds)."""


@attrs.frozen
class Action:
    """One thing the client is told to do, at so many milliseconds."""

    at_ms: int
    verb: Verb
    arguments: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ":".join((str(self.at_ms), self.verb, *self.arguments))

    @classmethod
    def parse(cls, text: str) -> Action:
        """Read one action; raises `PlanError`."""
        at_ms, _, rest = text.partition(":")
        verb, *arguments = rest.split(":")
        try:
            return cls(int(at_ms), Verb(verb), tuple(arguments))
        except ValueError:
            raise PlanError(f"no action: {text!r}") from None


_LASTING: Final = frozenset(
    {
        FaultKind.BLACK_HOLE,
        FaultKind.LATE_ARRIVAL,
        FaultKind.MUTE,
        FaultKind.DELAY,
        FaultKind.LAG,
        FaultKind.MAINTENANCE,
        FaultKind.BAN,
        FaultKind.BLOCK,
    }
)


_LASTS_MS_EACH: Final = {FaultKind.THROTTLED: 1_000, FaultKind.REFUSE_OPENS: 30_000}


@attrs.frozen
class Fault:
    """One thing that goes wrong."""

    trigger: Trigger
    number: int
    kind: FaultKind
    amount: int = 0

    @property
    def lasts_ms(self) -> int:
        """For how many milliseconds what it does to the world goes on."""
        if self.kind in _LASTING:
            return abs(self.amount)
        return self.amount * _LASTS_MS_EACH.get(self.kind, 0)

    def __str__(self) -> str:
        amount = f":{self.amount}" if self.amount else ""
        return f"{self.trigger}#{self.number}:{self.kind}{amount}"

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Read one fault; raises `PlanError`."""
        where, _, what = text.partition(":")
        trigger, _, number = where.partition("#")
        kind, _, amount = what.partition(":")
        try:
            return cls(Trigger(trigger), int(number), FaultKind(kind), int(amount or 0))
        except ValueError:
            raise PlanError(f"no fault: {text!r}") from None


_NUMBERS: Final = ("seed", "lag", "late", "rejects")
_FILLS: Final = ("SEEDED", "NONE", "FULL", "PARTIAL")


@attrs.frozen(kw_only=True)
class Plan:
    """One whole run.

    `seed` decides the schedule, the delays and the market; `fills` how the market treats orders;
    `lag` is for how many milliseconds orders are invisible to lookups; `late` is the percentage of
    canceled orders that fill once more, `rejects` that of orders refused; `unique` says whether the
    venue refuses a client order id that it has seen.
    """

    seed: int
    fills: str = "SEEDED"
    lag: int = 0
    late: int = 0
    rejects: int = 5
    unique: bool = True
    actions: tuple[Action, ...] = ()
    faults: tuple[Fault, ...] = ()

    def __str__(self) -> str:
        parts = [f"seed={self.seed}", f"fills={self.fills}", f"lag={self.lag}", f"late={self.late}"]
        parts += [f"rejects={self.rejects}", f"unique={int(self.unique)}"]
        parts += [f"actions={','.join(map(str, self.actions))}"]
        parts += [f"faults={','.join(map(str, self.faults))}"]
        return " ".join(parts)

    @classmethod
    def parse(cls, line: str) -> Plan:
        """Read a line as `str` writes it; parts may be left out but the seed.

        Raises:
            PlanError: The line is no plan.
        """
        parts: dict[str, str] = {}
        for part in line.split():
            name, _, value = part.partition("=")
            parts[name] = value
        unknown = sorted(parts.keys() - {one.name for one in attrs.fields(cls)})
        if unknown or "seed" not in parts or parts.get("fills", "NONE") not in _FILLS:
            raise PlanError(f"no plan: {line!r}")
        try:
            numbers = {name: int(parts[name]) for name in _NUMBERS if name in parts}
        except ValueError:
            raise PlanError(f"no plan: {line!r}") from None
        return cls(
            **numbers,
            fills=parts.get("fills", "SEEDED"),
            unique=parts.get("unique", "1") == "1",
            actions=tuple(Action.parse(one) for one in _items(parts, "actions")),
            faults=tuple(Fault.parse(one) for one in _items(parts, "faults")),
        )


def _items(parts: dict[str, str], name: str) -> list[str]:
    return [one for one in parts.get(name, "").split(",") if one]
