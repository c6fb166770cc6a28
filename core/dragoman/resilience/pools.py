"""What a venue allows, as data: pools of weight, each counted in one or more sliding windows."""

from __future__ import annotations

import math

import attrs

from dragoman.errors import InvalidValueError, Violation
from dragoman.times import SECOND_NS

__all__ = ["Pool", "Window"]


@attrs.frozen
class Window:
    """At most `limit` weight in any `seconds`.

    `slack_s` is by how much the travel times of two requests may differ: each use is counted for so
    much longer, because the venue counts arrivals, and a slow request may arrive together with a
    fast one that was sent later.
    """

    limit: int
    seconds: float
    slack_s: float = 0.1

    def __attrs_post_init__(self) -> None:
        if self.limit < 1 or not self.seconds > 0 or not self.slack_s >= 0:
            allowed = "limit >= 1, seconds > 0 and slack_s >= 0"
            raise InvalidValueError.of("rate limit", [Violation.of("window", self, allowed)])

    @property
    def counted_ns(self) -> int:
        """For how long one use counts."""
        return round((self.seconds + self.slack_s) * SECOND_NS)


def _checked(pool: Pool, _: attrs.Attribute[float], share: float) -> None:
    if not pool.windows or not 0 <= share < 1:
        allowed = "at least one window, and a share from 0 to less than 1"
        raise InvalidValueError.of("rate limit", [Violation.of(pool.name, pool, allowed)])


@attrs.frozen
class Pool:
    """Weight that requests share, under the name that endpoints use in their `weights`.

    `reserve_for_cancels` is the share of each window that only cancels may use. A window with room
    for a single request can't be divided and reserves nothing.
    """

    name: str
    windows: tuple[Window, ...] = attrs.field(converter=tuple[Window, ...])
    reserve_for_cancels: float = attrs.field(default=0.1, validator=_checked)

    def general_limit(self, window: Window) -> int:
        """Return how much of a window's limit reads and orders may fill."""
        return max(1, window.limit - math.ceil(window.limit * self.reserve_for_cancels))
