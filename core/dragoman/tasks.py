"""The one place that creates tasks: a supervised scope that none of them outlives."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

__all__ = ["TaskScope"]

Result = TypeVar("Result")


class TaskScope:
    """A set of tasks that end with their owner.

    A task that fails does not take its siblings down: its exception goes to `on_error` with the
    task's name, or, without one, to the loop's exception handler. Nothing is ever lost silently.
    """

    def __init__(self, on_error: Callable[[str, BaseException], None] | None = None) -> None:
        self._on_error = on_error
        self._tasks: set[asyncio.Task[Any]] = set()
        self._is_closed = False

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the tasks alive now, sorted."""
        return tuple(sorted(task.get_name() for task in self._tasks))

    def spawn(self, work: Coroutine[Any, Any, Result], name: str) -> asyncio.Task[Result]:
        """Start `work` as a task of this scope.

        Raises:
            RuntimeError: The scope is closed; `work` is closed unstarted.
        """
        if self._is_closed:
            work.close()
            message = f"task {name!r} started after its scope was closed"
            raise RuntimeError(message)
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    async def close(self) -> None:
        """Cancel every task and wait until each has ended. Idempotent.

        The calling task, if it belongs to the scope, is left out: it can't wait for itself.
        """
        self._is_closed = True
        others = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            return
        if self._on_error is not None:
            self._on_error(task.get_name(), error)
            return
        context = {"message": f"task {task.get_name()!r} failed", "exception": error, "task": task}
        task.get_loop().call_exception_handler(context)
