"""One id for all that happens because of one request: accepted, passed on, and told back.

It travels with the task that answers the request, and with every task which that one starts.
"""

from __future__ import annotations

import re
import secrets
from contextvars import ContextVar
from itertools import count
from typing import TYPE_CHECKING, Final

from dragoman.dialects.door import address_of

if TYPE_CHECKING:
    from aiohttp import web

__all__ = ["HEADER", "Visit", "Visits", "current_correlation_id", "current_visit"]

HEADER: Final = "X-Correlation-ID"
_ACCEPTED: Final = (HEADER, "X-Request-ID")
_HEAD_BYTES: Final = 8
_GRAMMAR: Final = re.compile(r"[!-~]{1,128}\Z")

_visit: Final[ContextVar[Visit | None]] = ContextVar("visit", default=None)


class Visit:
    """One request from a client: the id it goes by, where it comes from, and whose it is.

    `client` is the id of the key that was shown; None before that, and where none is needed.
    """

    __slots__ = ("began_s", "client", "correlation_id", "peer")

    def __init__(self, correlation_id: str, peer: str, began_s: float) -> None:
        self.correlation_id = correlation_id
        self.peer = peer
        self.began_s = began_s
        self.client: str | None = None


class Visits:
    """Makes visits; the ids it gives are unique, not secret: a random head, and a count."""

    def __init__(self) -> None:
        self._head = secrets.token_hex(_HEAD_BYTES)
        self._count = count(1)

    def begin(self, request: web.Request, began_s: float) -> Visit:
        """Make the visit of a request, current from now on in the calling task.

        It takes over the client's own id where that is at most 128 visible characters of ASCII.
        """
        found = _own_id(request) or f"{self._head}-{next(self._count)}"
        visit = Visit(found, address_of(request.protocol.peername), began_s)
        _visit.set(visit)
        return visit


def current_visit() -> Visit | None:
    """Return the visit that the calling task belongs to."""
    return _visit.get()


def current_correlation_id() -> str | None:
    """Return the id of the request that the calling task belongs to."""
    visit = _visit.get()
    return None if visit is None else visit.correlation_id


def _own_id(request: web.Request) -> str | None:
    for name in _ACCEPTED:
        shown = request.headers.get(name)
        if shown is not None and _GRAMMAR.match(shown):
            return shown
    return None
