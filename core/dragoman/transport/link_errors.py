"""Errors without what they have seen: frames and greetings hold what nobody may print."""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from dragoman.errors import DragomanError

__all__ = ["bare", "report", "where"]

Failure = TypeVar("Failure", bound="DragomanError")

_logger: Final = logging.getLogger(__name__)


def bare(error: Failure) -> Failure:
    """Return the error without traceback, cause and context: their locals hold what was said."""
    error.__traceback__ = error.__cause__ = error.__context__ = None
    return error


def where(error: BaseException) -> str:
    """Name an unexpected error by its class and place; its text may print what must not be seen."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"


def report(task: str, error: BaseException) -> None:
    """Log that a task of a stream failed, for a `TaskScope`."""
    _logger.error("A task of a stream failed", extra={"task": task, "where": where(error)})
