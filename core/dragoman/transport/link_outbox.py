"""What waits for the reader of a link: bounded, in order, and never dropped."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Generic, TypeGuard, TypeVar

import attrs

from .link_report import LinkChange, LinkState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .link_report import LinkReport

__all__ = ["Outbox"]

Payload = TypeVar("Payload")

_ATTEMPT: Final = frozenset({LinkState.CONNECTING, LinkState.GREETING, LinkState.WAITING})
_MOST_STEPS: Final = 6


class Outbox(Generic[Payload]):
    """Payloads and reports in the order in which they came about.

    Payloads are bounded by whoever puts them asking `is_full`. Changes are few, but a venue may
    refuse attempts for days while nobody reads: then only the last steps are kept of the attempts
    that failed in a row, and their `attempt` tells how many there were.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._items: list[Payload | LinkReport] = []
        self._news = asyncio.Event()
        self._space = asyncio.Event()
        self._space.set()
        self._ending: BaseException | None = None

    @property
    def is_full(self) -> bool:
        """Whether the reader is behind."""
        return len(self._items) >= self._most

    async def room(self) -> None:
        """Return when the reader is behind no more."""
        await self._space.wait()

    def put(self, item: Payload | LinkReport) -> None:
        """Add one item; never waits."""
        self._items.append(item)
        self._news.set()
        if self.is_full:
            self._space.clear()

    def change(self, change: LinkChange) -> None:
        """Add a change of state."""
        self.put(change)
        steps = [item for item in self._items[-_MOST_STEPS - 1 :] if _is_mere_attempt(item)]
        if len(steps) > _MOST_STEPS:
            self._items[-_MOST_STEPS - 1 :] = [
                attrs.evolve(steps[1], previous=steps[0].previous),
                *steps[2:],
            ]

    def end(self, ending: BaseException) -> None:
        """Raise `ending` to the reader after all that waits."""
        self._ending = self._ending or ending
        self._news.set()

    async def take(self) -> Sequence[Payload | LinkReport]:
        """Return everything that waits, waiting until there is something.

        Raises:
            BaseException: What it was ended with, each time from then on.
        """
        await self._news.wait()
        if not self._items and self._ending is not None:
            raise self._ending
        items, self._items = self._items, []
        self._space.set()
        if self._ending is None:
            self._news.clear()
        return items


def _is_mere_attempt(item: object) -> TypeGuard[LinkChange]:
    """Tell whether an item is a step from one failed attempt to the next."""
    return isinstance(item, LinkChange) and item.state in _ATTEMPT and item.previous in _ATTEMPT
