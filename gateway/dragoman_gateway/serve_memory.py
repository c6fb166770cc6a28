"""What a process that serves has loaded stays as it is: the collector need not look at it again."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["out_of_collection"]


@contextmanager
def out_of_collection() -> Generator[None]:
    """Keep all that is there now out of the collector's rounds, until the context ends.

    Else each full round goes through every module and class again, and for those tens of
    milliseconds nobody is answered. What comes later is collected as ever.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
