"""A dialect's last words: heard, but not waited for forever."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from .discretion import facts_of

if TYPE_CHECKING:
    from .dialect import Dialect
    from .limits import HostLimits

__all__ = ["say_farewell"]

_log: Final = logging.getLogger(__name__)


async def say_farewell(dialect: Dialect, limits: HostLimits) -> None:
    """Give a dialect its chance to say goodbye; what goes wrong with it stops no host."""
    try:
        async with asyncio.timeout(limits.farewell_s):
            await dialect.farewell()
    except Exception as error:  # noqa: BLE001 - the boundary: told by its place, never lost
        _log.error("a farewell failed", extra={"dialect": dialect.name, **facts_of(error)})
