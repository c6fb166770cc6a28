"""The venue's request limit, counted over every moment's last window."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from .messages import Refusal
from .settings import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Callable

    from .settings import HarborSettings

__all__ = ["Throttle"]


class Throttle:
    """Refuses what is too much within a window, and says when to come back."""

    def __init__(self, settings: HarborSettings, now_ns: Callable[[], int]) -> None:
        self._settings = settings
        self._now_ns = now_ns
        self._taken: deque[int] = deque()

    def check(self) -> None:
        """Count one request; raises `Refusal` (429) if it is one too many."""
        now_ns, window_ns = self._now_ns(), self._settings.rate_window_ns
        while self._taken and self._taken[0] <= now_ns - window_ns:
            self._taken.popleft()
        if len(self._taken) >= self._settings.rate_limit:
            wait_ns = self._taken[0] + window_ns - now_ns
            raise Refusal(429, "too-many-requests", max(1, -(-wait_ns // SECOND_NS)))
        self._taken.append(now_ns)
