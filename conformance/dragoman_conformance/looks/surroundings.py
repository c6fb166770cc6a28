"""What is open in this process besides the scenario itself: tasks, and connections of clients."""

from __future__ import annotations

import asyncio
import gc
from typing import Any, cast

__all__ = ["open_things", "tasks_but_own"]


def tasks_but_own() -> set[asyncio.Task[Any]]:
    """Return every task of the loop that is not done, but the one that asks."""
    return {one for one in asyncio.all_tasks() if not one.done()} - {asyncio.current_task()}


def open_things() -> list[str]:
    """Return every HTTP session and connector of a client that is open, by what it is."""
    gc.collect()
    found: list[str] = []
    for one in gc.get_objects():
        kind = cast("type[object]", type(one))
        is_clients = kind.__name__ in ("ClientSession", "TCPConnector")
        if is_clients and getattr(one, "closed", True) is False:
            found.append(f"{kind.__module__}.{kind.__name__} {id(one):x}")
    return found
