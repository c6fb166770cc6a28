"""How long to wait before another try: full jitter, growing up to a cap.

The wait is drawn from the whole span between the floor and a ceiling that grows, not from a band
around the ceiling: clients that failed together must not come back together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from dragoman.errors import InvalidValueError, Violation
from dragoman.times import SECOND_NS

if TYPE_CHECKING:
    from random import Random

__all__ = ["Backoff"]

_MOST_DOUBLINGS: Final = 64


@attrs.frozen(kw_only=True)
class Backoff:
    """A rising ceiling under which each wait is drawn evenly.

    The ceiling of the first wait is `first_s`, of each further one `factor` times the last, never
    more than `cap_s`. No wait is shorter than `floor_s`.
    """

    first_s: float = 0.25
    cap_s: float = 30.0
    factor: float = 2.0
    floor_s: float = 0.0

    def __attrs_post_init__(self) -> None:
        is_sound = 0 <= self.floor_s <= self.first_s <= self.cap_s and self.factor >= 1
        if not is_sound or self.cap_s <= 0:
            allowed = "0 <= floor_s <= first_s <= cap_s, cap_s > 0 and factor >= 1"
            raise InvalidValueError.of("backoff", [Violation.of("backoff", self, allowed)])

    def ceiling_s(self, failures: int) -> float:
        """Return the longest wait in seconds after so many failures in a row (1 or more)."""
        doublings = min(max(failures - 1, 0), _MOST_DOUBLINGS)
        return min(self.cap_s, self.first_s * min(self.factor, self.cap_s * 1e9) ** doublings)

    def delay_ns(self, failures: int, random: Random) -> int:
        """Draw the wait in nanoseconds after so many failures in a row (1 or more)."""
        seconds = random.uniform(self.floor_s, max(self.floor_s, self.ceiling_s(failures)))
        return round(seconds * SECOND_NS)
