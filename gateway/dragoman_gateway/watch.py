"""What is noted of every request: one line in the log, one measurement, and the id it went by."""

from __future__ import annotations

import asyncio
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from .correlation import HEADER, Visits, current_visit

if TYPE_CHECKING:
    from aiohttp import web

    from .measures import Measures

__all__ = ["Watch"]

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_OTHER: Final = "OTHER"
_UNMATCHED: Final = "unmatched"
_GONE: Final = 499
"""What the log says of a request that nobody waited for; it is no status of HTTP."""

_log: Final = logging.getLogger("dragoman.access")


class Watch:
    """Follows each request from its head to the end of its answer: the guard's watcher.

    Args:
        measures: Where durations are counted.
    """

    def __init__(self, measures: Measures) -> None:
        self._measures = measures
        self._visits = Visits()

    def begin(self, request: web.Request) -> None:
        """Take note of a request."""
        self._visits.begin(request, asyncio.get_running_loop().time())

    def stamp(self, response: web.StreamResponse) -> None:
        """Tell the client the id its request went by."""
        visit = current_visit()
        if visit is not None:
            response.headers[HEADER] = visit.correlation_id

    def end(self, request: web.Request, status: int | None) -> None:
        """Take note of what it was answered."""
        visit = current_visit()
        if visit is None:
            return
        took_s = asyncio.get_running_loop().time() - visit.began_s
        resource = request.match_info.route.resource
        route = _UNMATCHED if resource is None else resource.canonical
        method = request.method if request.method in _METHODS else _OTHER
        answered = status or _GONE
        if answered != HTTPStatus.SWITCHING_PROTOCOLS:
            self._measures.note_request(route, method, answered, took_s)
        if _log.isEnabledFor(logging.INFO):
            facts = {
                "method": method,
                "route": route,
                "status": answered,
                "duration_ms": round(took_s * 1000, 3),
                "client": visit.client,
                "correlation_id": visit.correlation_id,
            }
            _log.info("request", extra=facts)
