"""What a subject says besides its answers: log records, warnings, errors nobody took."""

from __future__ import annotations

import asyncio
import logging
import traceback
import warnings
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Records"]


class _Keeper(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__(level=1)
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        facts = {key: value for key, value in vars(record).items() if key not in _USUAL}
        line = f"{record.name} {record.levelname} {record.getMessage()} {facts!r}"
        if record.exc_info and record.exc_info[1] is not None:
            line += "\n" + "".join(traceback.format_exception(record.exc_info[1]))
        self._lines.append(line)


_USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class Records:
    """Keeps, at every level, what is logged, warned of, or lost by the loop. A context manager."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        """Log records of every logger, extra fields and tracebacks included."""
        self.lost: list[str] = []
        """Errors that no task or callback took: what the loop's exception handler was told."""
        self.warned: list[str] = []
        """Warnings, as their text."""
        self._keeper = _Keeper(self.lines)
        self._level = logging.NOTSET
        self._warnings = warnings.catch_warnings(record=True)
        self._caught: list[warnings.WarningMessage] = []

    def __enter__(self) -> Self:
        root = logging.getLogger()
        self._level = root.level
        root.addHandler(self._keeper)
        root.setLevel(1)
        self._caught = self._warnings.__enter__()
        warnings.simplefilter("always")
        asyncio.get_running_loop().set_exception_handler(self._lose)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.collect()
        self._warnings.__exit__(kind, error, trace)
        root = logging.getLogger()
        root.removeHandler(self._keeper)
        root.setLevel(self._level)

    def collect(self) -> tuple[str, ...]:
        """Take in the warnings given so far, and return them all."""
        self.warned += [f"{one.category.__name__}: {one.message}" for one in self._caught]
        self._caught.clear()
        return tuple(self.warned)

    @property
    def text(self) -> str:
        """Everything that was said, in one text to search."""
        return "\n".join([*self.lines, *self.lost, *self.collect()])

    def _lose(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        shown = "" if error is None else "".join(traceback.format_exception(error))
        self.lost.append(f"{context.get('message')} {shown}")
