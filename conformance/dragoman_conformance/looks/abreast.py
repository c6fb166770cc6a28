"""Calls that go on side by side while the scenario does something else, and what became of them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from dragoman.errors import DragomanError
from dragoman.tasks import TaskScope

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable

__all__ = ["abreast", "failure_of"]


@contextlib.asynccontextmanager
async def abreast() -> AsyncGenerator[TaskScope]:
    """Give a scope for tasks, which are ended with the block."""
    scope = TaskScope()
    try:
        yield scope
    finally:
        await scope.close()


async def failure_of(call: Awaitable[object]) -> DragomanError | None:
    """Await a call, and return the library's error that it raised; None if it raised none."""
    try:
        await call
    except DragomanError as error:
        return error
    return None
