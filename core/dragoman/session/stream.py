"""One account's private stream, read for as long as the account is connected.

An adapter's stream mends its own cuts; one that ends all the same is opened anew, unless the venue
will not have it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from dragoman.errors import (
    AuthenticationError,
    ConfigurationError,
    DragomanError,
    PermissionDeniedError,
    RequestError,
)
from dragoman.models.enums import ConnectionState
from dragoman.models.events import ConnectionEvent
from dragoman.resilience.backoff import Backoff
from dragoman.times import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from dragoman.adapter import Adapter
    from dragoman.models import Event, Subscription
    from dragoman.times import Clock

__all__ = ["WHOLE_STREAM", "PrivateStream"]

WHOLE_STREAM: Final = "private"
"""The channel of all connections that a stream is made of, when it is opened anew."""

_BACKOFF: Final = Backoff(first_s=1.0, cap_s=30.0)
_STABLE_NS: Final = 30 * SECOND_NS
_HUMAN: Final = (AuthenticationError, PermissionDeniedError)
_HOPELESS: Final = (*_HUMAN, ConfigurationError, RequestError)


class PrivateStream:
    """Reads every event of one account, in order, and tells how the stream itself fares.

    Args:
        adapter: Bound to the account.
        subscription: What is read.
        take: Is given every event, those about the connection too.
        on_refused: Is told when the venue wants other credentials.
        on_end: Is told when the venue ended the stream for good, as a backtest does.
    """

    def __init__(
        self,
        adapter: Adapter,
        subscription: Subscription,
        *,
        take: Callable[[Event], None],
        on_refused: Callable[[str], None],
        on_end: Callable[[], None] = lambda: None,
    ) -> None:
        self._adapter = adapter
        self._subscription = subscription
        self._take = take
        self._on_refused = on_refused
        self._on_end = on_end
        self._has_ended = False
        self._clock: Clock = adapter.context.clock
        self._random: Random = adapter.context.random
        self._failures = 0
        self._lost_ns: int | None = None

    async def run(self, opened: asyncio.Future[None]) -> None:
        """Read until canceled or refused for good; `opened` learns how the first opening went."""
        while True:
            failure = await self._read(opened)
            if self._has_ended:
                self._on_end()
                return
            if not opened.done():
                opened.set_exception(failure)
                return
            if isinstance(failure, _HOPELESS):
                if isinstance(failure, _HUMAN):
                    self._on_refused(_cause(failure))
                return
            await self._clock.sleep_ns(self._delay_ns(failure))

    async def _read(self, opened: asyncio.Future[None]) -> Exception:
        """Read one stream to its end; returns what ended it."""
        began_ns: int | None = None
        failure: Exception
        try:
            async with self._adapter.stream(self._subscription) as batches:
                began_ns = self._clock.monotonic_ns()
                self._opened(opened)
                async for batch in batches:
                    for event in batch:
                        self._take(event)
                        self._has_ended = _is_end(event)
            failure = DragomanError("the private stream ended")
            if self._has_ended:
                return failure
        except DragomanError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 - a bug ends one stream, not the account's eyes
            failure = error
            if opened.done():
                self._report(error)
        except asyncio.CancelledError:
            opened.cancel()
            raise
        self._failed(failure, began_ns, is_first=not opened.done())
        return failure

    def _opened(self, opened: asyncio.Future[None]) -> None:
        if not opened.done():
            opened.set_result(None)
        if self._lost_ns is not None:
            gap_ns = self._clock.monotonic_ns() - self._lost_ns
            self._lost_ns = None
            self._say(ConnectionState.RECONNECTED, None, gap_ns)

    def _failed(self, failure: Exception, began_ns: int | None, *, is_first: bool) -> None:
        now_ns = self._clock.monotonic_ns()
        is_stable = began_ns is not None and now_ns - began_ns >= _STABLE_NS
        self._failures = 1 if is_stable else self._failures + 1
        if is_first:
            return
        self._lost_ns = now_ns if self._lost_ns is None else self._lost_ns
        state = ConnectionState.RECONNECTING if began_ns is None else ConnectionState.DISCONNECTED
        self._say(
            ConnectionState.FAILED if isinstance(failure, _HOPELESS) else state, _cause(failure)
        )

    def _delay_ns(self, failure: Exception) -> int:
        asked_s = failure.retry_after if isinstance(failure, DragomanError) else None
        delay_ns = _BACKOFF.delay_ns(self._failures, self._random)
        return max(delay_ns, round((asked_s or 0) * SECOND_NS))

    def _say(self, state: ConnectionState, cause: str | None, gap_ns: int | None = None) -> None:
        self._take(
            ConnectionEvent(
                state=state,
                channel=WHOLE_STREAM,
                received_at_ns=self._clock.now_ns(),
                cause=cause,
                gap_ns=gap_ns,
            )
        )

    def _report(self, error: Exception) -> None:
        context = {"message": "the private stream met a bug", "exception": error}
        asyncio.get_running_loop().call_exception_handler(context)


def _is_end(event: Event) -> bool:
    """Tell whether a venue says by an event that nothing will come after it."""
    return isinstance(event, ConnectionEvent) and event.state is ConnectionState.ENDED


def _cause(failure: Exception) -> str:
    said = failure.message if isinstance(failure, DragomanError) else type(failure).__name__
    return said if said.startswith("the private stream") else f"the private stream failed: {said}"
