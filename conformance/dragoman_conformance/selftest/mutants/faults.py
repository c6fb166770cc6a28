"""Bugs in what becomes of commands and events when the wire breaks."""

from __future__ import annotations

import itertools
import json
import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import attrs

from dragoman.errors import (
    AuthenticationError,
    DragomanError,
    OutcomeUnknownError,
    PermissionDeniedError,
    ProtocolError,
    TransportError,
    UnknownReason,
)
from dragoman.transport.verdict import Verdicts

from ...references.wharf import mapping, rest
from ...references.wharf.adapter import WharfAdapter
from ...references.wharf.rest import WharfRest
from ...references.wharf.stream import WharfStreamProtocol
from ..grafts import around, rewrites
from ..mutant import mutant
from .errors import taken

if TYPE_CHECKING:
    from ..mutant import Plant


def _resends(plant: Plant, *reasons: UnknownReason) -> None:
    """Let an order be sent again where its fate is unknown for some reasons."""

    async def again(true: Any, self: WharfAdapter, request: Any) -> Any:
        try:
            return await true(self, request)
        except OutcomeUnknownError as error:
            if error.reason not in reasons:
                raise
            return await true(self, request)

    around(plant, WharfAdapter, "submit", again)


@mutant("M390", of="wharf", kills=("FLT-020", "FLT-030", "FLT-040", "FLT-300"))
def sends_again_after_a_lost_connection(plant: Plant) -> None:
    """Sends an order again whose answer never came whole."""
    _resends(plant, UnknownReason.CONNECTION_LOST, UnknownReason.BAD_RESPONSE)


@mutant("M391", of="wharf", kills=("FLT-050",))
def sends_again_after_silence(plant: Plant) -> None:
    """Sends an order again that was not answered in time, with a short patience of its own."""
    plant.replace(rest, "SUBMIT", lambda true: attrs.evolve(true, timeout_s=1.0))
    _resends(plant, UnknownReason.TIMEOUT)


@mutant("M392", of="wharf", kills=("FLT-070", "FLT-080", "FLT-090", "FLT-100"))
def sends_again_after_a_server_s_error(plant: Plant) -> None:
    """Sends an order again that the venue's server failed at."""
    _resends(plant, UnknownReason.SERVER_ERROR)


@mutant("M393", of="wharf", kills=("FLT-130",))
def takes_an_order_for_taken_without_access(plant: Plant) -> None:
    """Tells an order as open although the credentials were refused."""

    async def bold(true: Any, self: WharfAdapter, request: Any) -> Any:
        try:
            return await true(self, request)
        except AuthenticationError:
            return taken(request, self)

    around(plant, WharfAdapter, "submit", bold)


@mutant("M394", of="wharf", kills=("FLT-140",))
def takes_an_order_for_taken_without_permission(plant: Plant) -> None:
    """Tells an order as open although it was forbidden."""

    async def bold(true: Any, self: WharfAdapter, request: Any) -> Any:
        try:
            return await true(self, request)
        except PermissionDeniedError:
            return taken(request, self)

    around(plant, WharfAdapter, "submit", bold)


@mutant("M395", of="wharf", kills=("FLT-180",))
def refuses_fields_that_it_does_not_know(plant: Plant) -> None:
    """Understands no answer that says more than it knows."""

    def strict(_: Any) -> Any:
        async def pages(self: Any, endpoint: Any, read: Any, query: Any) -> Any:
            response = await self._client.call(endpoint, query=tuple(query))
            page = read(response.body)
            if set(json.loads(response.body)) - set(page.__struct_fields__):
                raise ProtocolError(f"{endpoint.name}: unknown fields")
            for row in page.rows:
                yield row

        return pages

    plant.replace(WharfRest, "_pages", strict)


@mutant("M396", of="wharf", kills=("FLT-010",))
def lets_a_refused_connection_out(plant: Plant) -> None:
    """Lets an OSError out where nobody listens."""

    async def bare(true: Any, self: WharfAdapter, *args: Any) -> Any:
        try:
            return await true(self, *args)
        except TransportError as error:
            raise OSError(error.message) from None

    around(plant, WharfAdapter, "fetch_positions", bare)


@mutant("M397", of="wharf", kills=("FLT-220",))
def counts_what_comes_twice_as_two(plant: Plant) -> None:
    """Takes each message for news, and names fills by when they came."""
    count = itertools.count()
    plant.replace(WharfStreamProtocol, "_is_next", lambda _: lambda _self, _number: True)
    rewrites(
        plant,
        mapping,
        "fill_of",
        lambda told, *_: attrs.evolve(told, fill_id=f"{told.fill_id}-{next(count)}"),
    )


@mutant("M398", of="wharf", kills=("FLT-230",))
def loses_what_comes_late(plant: Plant) -> None:
    """Takes the newest number for the last, and asks for no fills that it missed."""

    def lax(_: Any) -> Any:
        def is_next(self: Any, number: int) -> bool:
            is_newer = self._last is None or number > self._last
            self._last = max(number, self._last or 0)
            return is_newer

        return is_next

    def nothing(_: Any) -> Any:
        async def fetch_fills(self: Any, *args: Any, **named: Any) -> Any:
            del self, args, named
            nothing_at_all: tuple[Any, ...] = ()
            for one in nothing_at_all:
                yield one

        return fetch_fills

    plant.replace(WharfStreamProtocol, "_is_next", lax)
    plant.replace(WharfAdapter, "fetch_fills", nothing)


@mutant("M399", of="wharf", kills=("FLT-290",))
def follows_redirects(plant: Plant) -> None:
    """Goes where a redirect leads."""

    def obedient(true: Any) -> Any:
        def on_response(self: Any, endpoint: Any, response: Any) -> Any:
            target = urlsplit(response.headers.get("location", ""))
            if 300 <= response.status < 400 and target.hostname and target.port:
                socket.create_connection((target.hostname, target.port)).close()
            return true(self, endpoint, response)

        return on_response

    plant.replace(Verdicts, "on_response", obedient)


@mutant("M388", of="wharf", kills=("FLT-050", "FLT-060"))
def lets_a_time_out_out(plant: Plant) -> None:
    """Lets a TimeoutError out where a read is not answered in time."""

    async def bare(true: Any, self: WharfAdapter, *args: Any) -> Any:
        try:
            return await true(self, *args)
        except DragomanError as error:
            raise TimeoutError(error.message) from None

    around(plant, WharfAdapter, "fetch_positions", bare)
