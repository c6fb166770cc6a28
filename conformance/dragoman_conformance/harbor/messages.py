"""What goes into the venue and what comes out of it, free of any transport."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit

__all__ = ["Json", "Refusal", "Reply", "Request", "reply_of"]

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request as the venue sees it.

    `segments` are the percent-decoded parts of the path; names of `headers` are lower case. `mark`
    is where in the history of a run its first byte was written; None where nobody keeps one.
    """

    method: str
    segments: tuple[str, ...]
    query: dict[str, str] = field(default_factory=dict[str, str])
    headers: dict[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""
    mark: int | None = None

    @classmethod
    def of(
        cls,
        method: str,
        target: str,
        *,
        headers: dict[str, str] | None = None,
        body: bytes = b"",
        mark: int | None = None,
    ) -> Request:
        """Make a request of a URL, or of the target of a request line."""
        parts = urlsplit(target)
        return cls(
            method=method.upper(),
            segments=tuple(unquote(one) for one in parts.path.strip("/").split("/")),
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in (headers or {}).items()},
            body=body,
            mark=mark,
        )

    @property
    def path(self) -> str:
        """The decoded path, for the ledger."""
        return "/" + "/".join(self.segments)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One HTTP response of the venue; names of `headers` are lower case."""

    status: int
    body: bytes
    headers: dict[str, str] = field(
        default_factory=lambda: {"content-type": "application/json; charset=utf-8"}
    )


class Refusal(Exception):  # noqa: N818 - a venue says no; nothing is wrong
    """The venue's own no: a status, a code of its table, and how long to wait if it says so."""

    def __init__(self, status: int, code: str, retry_after_s: int | None = None) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.retry_after_s = retry_after_s

    def reply(self) -> Reply:
        """Return the response that says it."""
        made = reply_of(self.status, {"code": self.code, "message": f"harbor says {self.code}"})
        if self.retry_after_s is not None:
            made.headers["retry-after"] = str(self.retry_after_s)
        return made


def reply_of(status: int, content: object) -> Reply:
    """Return a JSON response."""
    return Reply(status=status, body=json.dumps(content, separators=(",", ":")).encode())
