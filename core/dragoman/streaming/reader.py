"""One reader inside the hub: what it wants, what waits for it, and what is left to come."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from dragoman.errors import ClosedError, StreamLostError
from dragoman.models.enums import ConnectionState
from dragoman.models.events import ConnectionEvent

from .topics import subscription_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from dragoman.models.subscription import Subscription
    from dragoman.times import Clock

    from .lanes import Lanes
    from .topics import Topic

__all__ = ["Reader"]


class Reader:
    """The state of one reader; EventStream is its public face.

    It ends when its last market topic has ended upstream: by `StreamLostError` if any of its
    topics was lost on the way, else quietly, and then only if it wants no channel of the account
    either.
    """

    def __init__(self, lanes: Lanes, clock: Clock) -> None:
        self.lanes = lanes
        self.topics: set[Topic] = set()
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._clock = clock
        self._loss: Exception | None = None

    @property
    def is_closed(self) -> bool:
        """Whether its owner, or the hub, closed it."""
        return self.closed.done()

    @property
    def subscription(self) -> Subscription:
        """What it wants and can still get."""
        return subscription_of(self.topics, self.lanes.cursor.channels)

    def require_open(self) -> None:
        """Refuse to go on with a reader that is closed or has ended.

        Raises:
            ClosedError: It is; open another stream.
        """
        if self.is_closed or self.lanes.is_ended:
            raise ClosedError("this stream has ended; open another one")

    def lose(self, topics: Collection[Topic], cause: Exception) -> None:
        """Learn that topics will not come any more because their upstream failed."""
        gone = self.topics.intersection(topics)
        if not gone:
            return
        self._loss = cause
        self.lanes.extend(self._failures(gone, cause))
        self.topics -= gone
        self.end_if_all_is_lost()

    def finish(self, topics: Collection[Topic]) -> None:
        """Learn that topics came to their regular end."""
        gone = self.topics.intersection(topics)
        self.topics -= gone
        self.end_if_all_is_lost()
        if gone and not self.topics and not self.lanes.cursor.channels:
            self.lanes.end()

    def end_if_all_is_lost(self) -> None:
        """End by `StreamLostError` if no market topic is left and one was lost."""
        if self._loss is None or self.topics:
            return
        error = StreamLostError(
            f"every market stream of this reader has ended; the last loss was {_named(self._loss)}"
        )
        error.__cause__ = self._loss
        self.lanes.end(error)

    def close(self) -> None:
        """End for the owner, who wants nothing more."""
        if not self.closed.done():
            self.closed.set_result(None)
        self.lanes.discard()
        self.lanes.end()

    def cut(self) -> None:
        """End for the hub, which closes; what waits can still be read."""
        if not self.closed.done():
            self.closed.set_result(None)
        self.lanes.cut()

    def _failures(self, topics: Collection[Topic], cause: Exception) -> list[ConnectionEvent]:
        now_ns = self._clock.now_ns()
        return [
            ConnectionEvent(
                state=ConnectionState.FAILED,
                channel=channel,
                cause=_named(cause),
                received_at_ns=now_ns,
            )
            for channel in sorted({topic.channel for topic in topics})
        ]


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
