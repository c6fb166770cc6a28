"""A piece of work that a thread asks a loop for, and the wait for what comes of it.

A call ends exactly once, whatever happens to the loop: by its result, by its error, or cut off.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from dragoman.errors import ClosedError, Outcome, OutcomeUnknownError, UnknownReason

from .gate import Gate

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from dragoman.tasks import TaskScope

__all__ = ["Call"]

Result = TypeVar("Result")


class Call(Generic[Result]):
    """Work for a loop, started there once, waited for anywhere.

    Args:
        work: Makes what to run, on the loop: a coroutine made by a thread that is interrupted
            would be left over.
        provider: Named, like `name`, by the error of a call that is cut off.
        name: What is being done; None takes the coroutine's own name.
        is_command: Whether, cut off, it may have changed something at the venue.
        on_end: Told on the loop when it has ended, with the error if there is one.
        on_last_turn: Called on the loop when the connection closes and gives it a last chance to
            end by itself; None: it is cut off at once.
    """

    def __init__(
        self,
        work: Callable[[], Coroutine[Any, Any, Result]],
        provider: str,
        *,
        name: str | None = None,
        is_command: bool = False,
        on_end: Callable[[BaseException | None], None] | None = None,
        on_last_turn: Callable[[], None] | None = None,
    ) -> None:
        self.on_last_turn = on_last_turn
        self.is_asked = False
        self.task: asyncio.Task[None] | None = None
        self._work = work
        self._name = name
        self._provider = provider
        self._is_command = is_command
        self._on_end = on_end
        self._is_begun = False
        self._is_wanted = True
        self._result: Result | None = None
        self._error: BaseException | None = None
        self._end = Gate()

    def start(self, scope: TaskScope) -> None:
        """Run the work as a task of `scope`, if that is not closed; to be called on the loop."""
        if self._is_wanted:
            with suppress(RuntimeError):
                self.task = scope.spawn(self._run(), f"a call to {self._provider}")
        if self.task is None:
            self.refuse()
        else:
            self.task.add_done_callback(lambda _: self._finish())

    def cancel(self) -> None:
        """Stop, as nobody waits any more; to be called on the loop."""
        self._is_wanted = False
        if self.task is not None:
            self.task.cancel()

    def refuse(self) -> None:
        """End without having started, or cut off where the loop was lost."""
        if not self._end.is_open:
            self._finish()

    def wait(self) -> None:
        """Return when it has ended; may be interrupted, which does not end it."""
        self._end.wait()

    def result(self) -> Result:
        """Return what came of it, or raise its error as the loop raised it."""
        error = self._error
        if error is None:
            return cast("Result", self._result)
        try:
            raise error
        finally:
            del error, self  # for the same reason as in `_run`

    async def _run(self) -> None:
        self._is_begun = True
        try:
            work = self._work()
            self._name = self._name or f"{getattr(work, '__name__', 'the call')}()"
            self._result = await work
        except (asyncio.CancelledError, GeneratorExit):
            raise
        except BaseException as error:  # noqa: BLE001 - whoever waits raises it, were it SystemExit
            self._error = _from_the_work(error)
        finally:
            del self  # an error's traceback leads here, and would keep the error alive

    def _finish(self) -> None:
        if self.task is None or not self.task.done() or self.task.cancelled():
            self._error = self._cut_off()
        self.task = None  # here, not in a thread whose interrupts its finalizers would swallow
        if self._on_end is not None:
            self._on_end(self._error)
        self._end.open()

    def _cut_off(self) -> ClosedError | OutcomeUnknownError:
        """Say what is known of work that did not end by itself, and no more."""
        if not self._is_begun:
            message = f"the connection to {self._provider} is closed"
            return ClosedError(message, provider=self._provider)
        message = f"the connection to {self._provider} was closed during {self._name}"
        if not self._is_command:
            return ClosedError(message, provider=self._provider, outcome=Outcome.UNKNOWN)
        return OutcomeUnknownError(
            f"{message}: it may have taken effect; look at the venue before repeating it",
            reason=UnknownReason.CLOSED,
            provider=self._provider,
        )


def _from_the_work(error: BaseException) -> BaseException:
    """Let the traceback of an error begin with the work, not with what ran it."""
    trace = error.__traceback__
    return error.with_traceback(trace.tb_next if trace is not None else None)
