"""A bound on how long a block may take, by the injected clock."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from dragoman.errors import WaitTimeoutError
from dragoman.tasks import TaskScope
from dragoman.times import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from dragoman.times import Clock

__all__ = ["deadline"]


@asynccontextmanager
async def deadline(clock: Clock, seconds: float, what: str) -> AsyncGenerator[None]:
    """Bound the block: when the time is up, what it awaits is canceled.

    A cancellation from elsewhere passes through, also one that arrives at the same moment.

    Raises:
        WaitTimeoutError: The time was up; `what` names what was waited for.
    """
    task = asyncio.current_task()
    if task is None:  # a coroutine always runs in a task; this is for the type checker
        message = "a deadline needs a task"
        raise RuntimeError(message)
    already = task.cancelling()
    is_over = False

    async def expire() -> None:
        nonlocal is_over
        await clock.sleep_ns(round(seconds * SECOND_NS))
        is_over = True
        task.cancel()

    scope = TaskScope()
    scope.spawn(expire(), f"deadline of {what}")
    try:
        yield
    except BaseException as error:
        is_ours = is_over and task.uncancel() <= already
        if is_ours and isinstance(error, asyncio.CancelledError):
            message = f"{what}: nothing came within {seconds:g} s"
            raise WaitTimeoutError(message) from None
        raise
    finally:
        await scope.close()
