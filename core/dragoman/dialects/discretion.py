"""What the log is told of a failure: the error's class and its place, never its text.

The text of an error, and what the server library logs of a request, may hold what a client sent:
keys among it.
"""

from __future__ import annotations

import logging
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aiohttp.http import HttpProcessingError
from aiohttp.web import RequestPayloadError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DiscreetLogger", "facts_of"]

_DEEPEST: Final = 8

_log: Final = logging.getLogger(__name__)


def facts_of(error: BaseException) -> Mapping[str, str]:
    """Return the class of an error, and where it was raised, by way of what."""
    frames = reversed(traceback.extract_tb(error.__traceback__)[-_DEEPEST:])
    place = " < ".join(
        f"{frame.name} ({Path(frame.filename).name}:{frame.lineno})" for frame in frames
    )
    return {"error": type(error).__name__, "place": place}


class DiscreetLogger(logging.Logger):
    """A logger for the server library that tells of failures only, and those by class and place."""

    def __init__(self) -> None:
        super().__init__(__name__, logging.CRITICAL + 1)

    def exception(self, *_: object, exc_info: object = None, **__: Any) -> None:  # noqa: ANN401 - of the port
        """Tell that a request failed."""
        if isinstance(exc_info, (HttpProcessingError, RequestPayloadError)):
            _log.info("a request could not be read", extra=facts_of(exc_info))
        elif isinstance(exc_info, BaseException):
            _log.error("a request failed", extra=facts_of(exc_info))
