"""Logs that programs read: one JSON object a line, every fact a field of its own.

What a client or a venue sent never makes a line of its own: control characters are escaped, and
texts are cut. No secret is handed to a logger anywhere; this module adds none.
"""

from __future__ import annotations

import json
import logging
import sys
from typing import TYPE_CHECKING, Final, TextIO, cast

from dragoman.dialects.discretion import facts_of
from dragoman.times import format_time

from .correlation import current_visit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dragoman.broker import Broker

__all__ = ["JsonFormatter", "PlainFormatter", "audit", "set_up_logs"]

_OWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_MICROSECOND_NS: Final = 1000
_LONGEST: Final = 2000
_DELETE: Final = 0x7F
_CONTROLS: Final = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(_DELETE, 0xA0))} | {
    code: f"\\u{code:04x}"
    for code in (0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A))
}

_encoder: Final = json.JSONEncoder(ensure_ascii=False)
_audit: Final = logging.getLogger("dragoman.audit")


class JsonFormatter(logging.Formatter):
    """Writes a record as one line of JSON: time, level, logger, message, and its `extra` fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its end."""
        return _encoder.encode(_facts(record))


class PlainFormatter(logging.Formatter):
    """Writes a record as one line for people, its `extra` fields as NAME=VALUE."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its end."""
        facts = _facts(record)
        head = [str(facts.pop(name)) for name in ("time", "level", "logger", "message")]
        return " ".join([*head, *[f"{name}={_shown(value)}" for name, value in facts.items()]])


def set_up_logs(
    level: int | str = logging.INFO, *, stream: TextIO | None = None, is_json: bool = True
) -> None:
    """Send the process's logs to a stream, one line a record; earlier handlers are taken off.

    For whoever owns the process; a library never calls it.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if is_json else PlainFormatter())
    root = logging.getLogger()
    for each in root.handlers[:]:
        root.removeHandler(each)
    root.addHandler(handler)
    root.setLevel(level)


def audit(action: str, *, broker: Broker, client: str | None, cause: str) -> None:
    """Note in the log "dragoman.audit" that somebody stopped trading, or resumed it.

    It is a warning, so that it is kept where lesser things are not.
    """
    facts = {
        "action": action,
        "provider": broker.provider,
        "account_id": broker.account_id,
        "client": client,
        "cause": cause,
    }
    _audit.warning("trading was steered", extra=facts)


def _facts(record: logging.LogRecord) -> dict[str, object]:
    facts: dict[str, object] = {
        "time": format_time(round(record.created * 1_000_000) * _MICROSECOND_NS),
        "level": record.levelname,
        "logger": record.name,
        "message": _escaped(record.getMessage()),
    }
    visit = current_visit()
    if visit is not None:
        facts["correlation_id"] = visit.correlation_id
        if visit.client is not None:
            facts["client"] = _escaped(visit.client)
    for name, value in vars(record).items():
        if name not in _OWN:
            facts[name] = _plain(value)
    if record.exc_info is not None and record.exc_info[1] is not None:
        facts |= facts_of(record.exc_info[1])
    return facts


def _plain(value: object) -> object:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in cast("Sequence[object]", value)]
    if isinstance(value, dict):
        table = cast("Mapping[object, object]", value)
        return {_shown(name): _plain(one) for name, one in table.items()}
    return _shown(value)


def _shown(value: object) -> str:
    return _escaped(str(value))


def _escaped(text: str) -> str:
    """Return a text on one line: no control character, and no direction that turns it around."""
    if len(text) <= _LONGEST and text.isprintable():
        return text
    cut = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    return cut.translate(_CONTROLS).encode("utf-8", "backslashreplace").decode()
