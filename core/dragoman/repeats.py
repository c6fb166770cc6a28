"""Work that was begun before: by a process that died, or with an end that nobody knows.

Whoever keeps track of requests, such as a gateway by the keys of its clients, marks the task that
does one of them again. What was done by then is found by its ids and answered from. An order that
was proved never to have arrived is sent again, as it was, where the venue takes its id only once:
so it can't be there twice, whatever turns up late.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

__all__ = ["is_repeat", "mark_repeat"]

_is_repeat: Final[ContextVar[bool]] = ContextVar("is_repeat", default=False)


def mark_repeat() -> None:
    """Note that the current task does again, with the same ids, what was begun before.

    It holds for the task, and for the tasks it starts from then on.
    """
    _is_repeat.set(True)


def is_repeat() -> bool:
    """Tell whether the current task does again what was begun before.

    What was named then is taken by itself: that is no reason to refuse the name.
    """
    return _is_repeat.get()
