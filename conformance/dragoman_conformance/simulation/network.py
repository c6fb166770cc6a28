"""The simulated network between the client and the venue: it delays, loses, breaks and forges."""

from __future__ import annotations

import json
from collections import deque
from typing import TYPE_CHECKING, Final

from dragoman.errors import (
    AuthenticationError,
    ConnectFailedError,
    UnknownReason,
    VenueUnavailableError,
)
from dragoman.transport.base import HttpResponse, Lane
from dragoman.transport.memory import LostAfterSendError
from dragoman_conformance.harbor.messages import Reply, Request, reply_of

from .plan import FaultKind, Trigger
from .weather import triggers_of
from .wire import SimWire

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from random import Random

    from dragoman.transport.base import HttpRequest, StreamRequest
    from dragoman_conformance.harbor.messages import Json
    from dragoman_conformance.harbor.venue import HarborVenue

    from .history import History
    from .loop import VirtualLoop
    from .plan import Fault
    from .weather import Weather

__all__ = ["Network"]

_BEFORE: Final = frozenset({FaultKind.CONNECT_REFUSED, FaultKind.RESET_BEFORE})
_LONGEST_TRIP_S: Final = 0.04
_RECENT: Final = 50
_HTML: Final = b"<html><body>Please try again later.</body></html>"


class Network:
    """Carries requests and streams, in its own good time.

    Args:
        venue: Where everything goes.
        weather: What goes wrong on the way.
        random: Chooses how long each trip takes.
    """

    def __init__(
        self,
        loop: VirtualLoop,
        venue: HarborVenue,
        weather: Weather,
        *,
        random: Random,
        history: History,
    ) -> None:
        self.loop = loop
        self.venue = venue
        self.weather = weather
        self.random = random
        self.history = history
        self.health: Callable[[], str] = str
        """Tells the client's health now; it is written down with each order that is sent."""
        self.recent: deque[str] = deque(maxlen=_RECENT)
        self.wires: list[SimWire] = []

    def trip_s(self) -> float:
        """Return how long one way takes this time."""
        return self.random.random() * _LONGEST_TRIP_S

    def due(self, latest: float) -> float:
        """Return when something sent now arrives, after whatever was sent before it."""
        return max(self.loop.time() + self.trip_s(), latest + 1e-7)

    def fault_of(self, request: HttpRequest) -> Fault | None:
        """Return what goes wrong with a request, if anything does."""
        found = self.weather.strike(*triggers_of(request))
        return found[0] if found else None

    def is_refused(self, fault: Fault | None) -> bool:
        """Tell whether a fault strikes before the first byte."""
        return fault is not None and fault.kind in _BEFORE

    def dispatch(
        self, request: HttpRequest, fault: Fault | None, answer: asyncio.Future[HttpResponse]
    ) -> None:
        """Take a request whose first byte is written now; `answer` gets what comes of it."""
        journey = _Journey(self, request, fault, answer)
        journey.start()

    def open(self, request: StreamRequest) -> SimWire:
        """Open one stream, or fail as the weather has it."""
        self.history.add("wire", "open", name=request.name)
        is_acked = True
        for fault in self.weather.strike(Trigger.OPEN):
            if fault.kind is FaultKind.REFUSE_OPENS:
                raise VenueUnavailableError(f"{request.name}: refused", code="503")
            if fault.kind is FaultKind.UNAUTHORIZED:
                raise AuthenticationError(f"{request.name}: refused", code="401")
            if fault.kind is FaultKind.CONNECT_REFUSED:
                raise ConnectFailedError(f"{request.name}: connection refused")
            is_acked = is_acked and fault.kind is not FaultKind.NO_ACK
        wire = SimWire(self, request, is_acked=is_acked)
        self.wires = [one for one in self.wires if not one.is_lost]
        self.wires.append(wire)
        return wire

    def strike_wires(self, fault: Fault) -> None:
        """Let a fault befall every stream that is open."""
        for wire in self.wires:
            if not wire.is_lost:
                wire.strike(fault)


class _Journey:
    """One request on its way there and back, whether anybody still waits for it or not."""

    def __init__(
        self,
        network: Network,
        request: HttpRequest,
        fault: Fault | None,
        answer: asyncio.Future[HttpResponse],
    ) -> None:
        self._network = network
        self._loop = network.loop
        self._request = request
        self._kind = fault.kind if fault else None
        self._amount = fault.amount if fault else 0
        self._answer = answer
        self._mark = network.history.add("wire", "first-byte", name=request.name)
        if request.lane is Lane.ORDER:
            network.history.add("client", "sent", name=request.name, health=network.health())

    def start(self) -> None:
        """Send it off."""
        trip_s = self._network.trip_s()
        match self._kind:
            case FaultKind.LOST:
                return
            case FaultKind.RESET_MID:
                self._loop.call_later(trip_s, self._lose, UnknownReason.CONNECTION_LOST)
            case FaultKind.STATUS_UNSERVED | FaultKind.THROTTLED | FaultKind.REDIRECT:
                self._loop.call_later(2 * trip_s, self._deliver, self._forged())
            case FaultKind.LATE_ARRIVAL:
                self._loop.call_later(self._amount / 1000, self._serve)
            case _:
                self._loop.call_later(trip_s, self._serve)

    def _serve(self) -> None:
        """Let the venue answer, and send back what the fault leaves of it."""
        asked = Request.of(
            self._request.method,
            self._request.url,
            headers=dict(self._request.headers),
            body=self._request.body,
            mark=self._mark,
        )
        if self._kind is FaultKind.FILL_FIRST:
            self._fill(asked)
        reply = self._network.venue.handle(asked)
        if self._kind is FaultKind.TWICE:
            reply = self._network.venue.handle(asked)
        self._send_back(reply)

    def _send_back(self, reply: Reply) -> None:
        trip_s = self._network.trip_s()
        match self._kind:
            case FaultKind.BLACK_HOLE:
                if self._amount:
                    self._loop.call_later(self._amount / 1000, self._deliver, reply)
            case FaultKind.RESET_AFTER | FaultKind.RESET_RESPONSE:
                self._loop.call_later(trip_s, self._lose, UnknownReason.CONNECTION_LOST)
            case FaultKind.TRUNCATED:
                self._loop.call_later(trip_s, self._lose, UnknownReason.BAD_RESPONSE)
            case FaultKind.STATUS | FaultKind.HTML | FaultKind.EMPTY | FaultKind.OTHER_BODY:
                self._loop.call_later(trip_s, self._deliver, self._forged(reply))
            case _:
                self._loop.call_later(trip_s, self._deliver, reply)

    def _forged(self, reply: Reply | None = None) -> Reply:
        """Return what comes instead of the venue's reply."""
        match self._kind:
            case FaultKind.THROTTLED:
                made = reply_of(429, {"code": "too-many-requests", "message": "slow down"})
                made.headers["retry-after"] = str(max(1, self._amount))
                return made
            case FaultKind.REDIRECT:
                headers = {"location": "https://thief.invalid/orders"}
                return Reply(status=307, body=b"", headers=headers)
            case FaultKind.STATUS | FaultKind.STATUS_UNSERVED:
                headers = {"content-type": "text/html"}
                return Reply(status=self._amount or 504, body=_HTML, headers=headers)
            case FaultKind.HTML:
                return Reply(status=200, body=_HTML, headers={"content-type": "text/html"})
            case FaultKind.OTHER_BODY if reply is not None and reply.status < 300:
                return _about_another(reply)
            case _:
                return reply_of(200, {})

    def _fill(self, asked: Request) -> None:
        venue, name = self._network.venue, asked.segments[-1]
        by_client_id = asked.segments[1:2] == ("by-client-id",)
        venue_id = venue.venue_id_of(name) if by_client_id else name
        if venue_id is not None and asked.segments[0] == "orders" and len(asked.segments) > 1:
            venue.fill(venue_id)

    def _lose(self, reason: UnknownReason) -> None:
        if not self._answer.done():
            self._answer.set_exception(LostAfterSendError(reason))

    def _deliver(self, reply: Reply) -> None:
        if not self._answer.done():
            self._answer.set_result(
                HttpResponse(status=reply.status, headers=reply.headers, body=reply.body)
            )


def _about_another(reply: Reply) -> Reply:
    content: Json = json.loads(reply.body)
    if "venue_id" in content:
        content["venue_id"], content["client_id"] = "h999", "somebody-else"
    return reply_of(reply.status, content)
