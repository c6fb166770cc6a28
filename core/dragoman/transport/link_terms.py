"""How patient a link is: every span, bound and budget in one place."""

from __future__ import annotations

import attrs

from dragoman.errors import InvalidValueError, Violation
from dragoman.resilience.backoff import Backoff

__all__ = ["LinkTerms"]


def _positive(_: object, field: attrs.Attribute[float], value: float) -> None:
    if not value > 0:
        found = Violation.of(field.name, value, "a number above 0")
        raise InvalidValueError.of("LinkTerms", [found])


def _at_least_one(_: object, field: attrs.Attribute[int], value: int) -> None:
    if value < 1:
        found = Violation.of(field.name, value, "at least 1")
        raise InvalidValueError.of("LinkTerms", [found])


@attrs.frozen(kw_only=True)
class LinkTerms:
    """How a link waits, in seconds unless said otherwise.

    Args:
        open_within_s: How long entering a link may try before it raises the last failure.
        attempt_within_s: How long one attempt may take, from asking for the request to live.
        ack_within_s: How long `StreamSession.expect` waits where nothing else is said.
        send_within_s: How long the peer may refuse to take a message before it is given up.
        close_within_s: How long closing a connection may take.
        probe_within_s: How long a probe may take.
        backoff: How long it waits between attempts.
        busy_wait_s: The shortest wait where the venue is busy or another session holds the place.
        longest_retry_after_s: The longest wait that a venue may ask for.
        attempts_per_minute: How many attempts a minute may see; a count.
        stable_after_s: How long a connection must live for its next loss to count as the first.
        grace_s: How long a blocked loop may read what has queued before a peer is judged.
        lag_s: How late a timer must be for the loop to count as blocked.
        suspend_s: How late a timer, or how far the wall clock ahead, for the machine to count as
            suspended.
        overlap_s: How long a connection is still read after its successor took over, and how much
            later the successor may bring the same.
        rollover_lead_s: How long before its expiry a session is rolled over; a tenth of its life
            where that is shorter.
        max_waiting: How many payloads may wait for the reader before the socket is read no further;
            a count.
        max_held: How many frames may come before the greeting is over; a count.
    """

    open_within_s: float = attrs.field(default=20.0, validator=_positive)
    attempt_within_s: float = attrs.field(default=30.0, validator=_positive)
    ack_within_s: float = attrs.field(default=10.0, validator=_positive)
    send_within_s: float = attrs.field(default=10.0, validator=_positive)
    close_within_s: float = attrs.field(default=2.5, validator=_positive)
    probe_within_s: float = attrs.field(default=5.0, validator=_positive)
    backoff: Backoff = attrs.field(factory=lambda: Backoff(first_s=0.5))
    busy_wait_s: float = attrs.field(default=5.0, validator=_positive)
    longest_retry_after_s: float = attrs.field(default=3600.0, validator=_positive)
    attempts_per_minute: int = attrs.field(default=20, validator=_at_least_one)
    stable_after_s: float = attrs.field(default=60.0, validator=_positive)
    grace_s: float = attrs.field(default=1.0, validator=_positive)
    lag_s: float = attrs.field(default=1.0, validator=_positive)
    suspend_s: float = attrs.field(default=15.0, validator=_positive)
    overlap_s: float = attrs.field(default=2.0, validator=_positive)
    rollover_lead_s: float = attrs.field(default=60.0, validator=_positive)
    max_waiting: int = attrs.field(default=1024, validator=_at_least_one)
    max_held: int = attrs.field(default=10_000, validator=_at_least_one)
