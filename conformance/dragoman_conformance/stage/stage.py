"""Everything between a subject and the venue, put up for one scenario and taken down after it."""

from __future__ import annotations

from contextlib import AsyncExitStack
from random import Random
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import urlsplit, urlunsplit

import dragoman
from dragoman.adapter import AdapterContext
from dragoman.credentials import Credentials
from dragoman.dialects import HostLimits, SimpleHost
from dragoman.errors import ConfigurationError
from dragoman.ids import SeededIds

from ..chaos import ChaosProxy
from .venue import StageVenue

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dragoman.adapter import Adapter
    from dragoman.broker import Broker
    from dragoman.models import Instrument
    from dragoman.paper.settings import VenueSettings

    from ..subject import Subject
    from .clock import StageClock

__all__ = ["NoVenueError", "Stage", "endpoints_at"]

_SECURE: Final = {"https": "http", "wss": "ws"}
_LIMITS: Final = HostLimits()
_NOWHERE: Final = 9
"""The port of a service that throws away what it is sent, and that nobody offers any more."""


class NoVenueError(ConfigurationError):
    """The subject has neither a simulator nor a venue in this process to be played on."""


class Stage:
    """The venue, its double on the wire, and the proxy in front of it. A context manager.

    Args:
        subject: Who is tested.
        clock: Everybody's time.
        settings: The venue's.
        instruments: What the venue trades; None means the mock's own catalogue.
        upstream: The port of what stands in for the venue, on loopback; None plays the subject's
            simulator over the stage's venue.
        endpoints: Where the subject finds the venue, by role, where that is no business of the
            stage: then nothing is put up.
        faults: What goes wrong at the venue with what comes over the wire, as the line of a plan of
            scripted faults.

    Raises:
        NoVenueError: The subject has nothing to be played on.
    """

    def __init__(
        self,
        subject: Subject,
        clock: StageClock,
        settings: VenueSettings,
        *,
        instruments: Sequence[Instrument] | None = None,
        upstream: int | None = None,
        endpoints: Mapping[str, str] | None = None,
        faults: str = "",
    ) -> None:
        self.subject: Subject = subject
        self.clock: StageClock = clock
        self.venue: StageVenue = StageVenue(
            settings, subject.sample.names_at_venue, clock, instruments
        )
        self._upstream = upstream
        self._endpoints = endpoints
        self._faults = faults
        self._wire: ChaosProxy | None = None
        self._served: Broker | None = None
        self._stack = AsyncExitStack()
        self._clients: list[AsyncExitStack] = []

    async def __aenter__(self) -> Self:
        try:
            await self._put_up()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.disconnect()
        await self._stack.aclose()

    @property
    def wire(self) -> ChaosProxy:
        """The proxy that every byte between the adapter and the venue passes.

        Raises:
            ConfigurationError: The subject has no wire: it works in this process.
        """
        if self._wire is None:
            raise ConfigurationError(f"subject {self.subject.name!r} has no wire")
        return self._wire

    @property
    def has_wire(self) -> bool:
        """Whether there are bytes between the adapter and the venue."""
        return self._wire is not None

    async def connect(self, **options: object) -> Broker:
        """Connect a broker of the subject; `options` are those of `dragoman.connect`."""
        stack = AsyncExitStack()
        given: dict[str, object] = {**self._connection(), **options}
        connection = dragoman.connect(self.subject.provider, **given)  # type: ignore[arg-type] # checked by connect itself
        broker = await stack.enter_async_context(connection)
        self._clients.append(stack)
        return broker

    def make_adapter(self, account_id: str | None = None) -> Adapter:
        """Make an adapter of the subject, as `connect` does, for what is asked of it directly.

        It is neither opened nor closed by the stage. Without a wire, or before the stage is up, its
        endpoints lead nowhere.
        """
        given = self._connection()
        port = _NOWHERE if self._wire is None else self._wire.port
        return _adapter(self.subject, self.clock, port, given, account_id)

    @classmethod
    def adapter_at(cls, subject: Subject, clock: StageClock, port: int) -> Adapter:
        """Make an adapter of the subject that finds its venue at a port of loopback."""
        return _adapter(subject, clock, port, subject.options, None)

    async def disconnect(self) -> None:
        """Close every broker of the subject that is still open, the last one first."""
        while self._clients:
            await self._clients.pop().aclose()

    def _connection(self) -> dict[str, object]:
        subject = self.subject
        given: dict[str, object] = {
            "clock": self.clock,
            "ids": SeededIds("kit"),
            "random": Random(0),  # noqa: S311 - spreads retries the same way each time
            "registry": subject.protocols,
            "state_dir": ":memory:",
            **subject.canaries(),
            **subject.options,
        }
        if self._endpoints is not None:
            given["endpoints"] = dict(self._endpoints)
        elif self._wire is not None:
            given["endpoints"] = endpoints_at(subject.declared.endpoints, self._wire.port)
        elif subject.in_process is not None:
            given.update(subject.in_process(self.venue.mock))
        return given

    async def _put_up(self) -> None:
        if self._endpoints is not None:
            return
        port = self._upstream
        if port is None:
            await self._open_venue()
            port = await self._serve()
        if port is not None:
            self._wire = await self._stack.enter_async_context(ChaosProxy(port, clock=self.clock))

    async def _open_venue(self) -> None:
        """Open the venue by a connection of the kit's own, and give it a market."""
        connection = dragoman.connect(
            "mock", venue=self.venue.mock, clock=self.clock, faults=self._faults
        )
        self._served = await self._stack.enter_async_context(connection)
        sample = self.subject.sample
        await self.venue.move(sample.symbol, sample.price)
        if sample.other is not None:
            await self.venue.move(sample.other, sample.other_price)

    async def _serve(self) -> int | None:
        dialect = self.subject.make_simulator()
        if dialect is None or self._served is None:
            if self.subject.in_process is None:
                raise NoVenueError(f"subject {self.subject.name!r} has no simulator")
            return None
        enrol = getattr(dialect, "enrol", None)
        if enrol is not None:
            enrol(self.subject.canaries())
        host = SimpleHost(self._served, dialect, limits=_LIMITS, ids=SeededIds("venue"))
        return int((await self._stack.enter_async_context(host)).url.rpartition(":")[2])


def _adapter(
    subject: Subject,
    clock: StageClock,
    port: int,
    given: Mapping[str, object],
    account_id: str | None,
) -> Adapter:
    names = {field.name for field in subject.declared.options}
    return subject.protocol.make_adapter(
        AdapterContext(
            provider=subject.declared.name,
            environment=subject.declared.environment,
            endpoints=endpoints_at(subject.declared.endpoints, port),
            credentials=Credentials(subject.canaries()),
            account_id=account_id,
            clock=clock,
            ids=SeededIds("kit"),
            options={name: value for name, value in given.items() if name in names},
            random=Random(0),  # noqa: S311 - spreads retries the same way each time
        )
    )


def endpoints_at(endpoints: Mapping[str, str], port: int) -> dict[str, str]:
    """Return the same endpoints, by role, on a port of loopback and without TLS."""
    found: dict[str, str] = {}
    for role, url in endpoints.items():
        parts = urlsplit(url)
        scheme = _SECURE.get(parts.scheme, parts.scheme)
        found[role] = urlunsplit((scheme, f"127.0.0.1:{port}", parts.path, "", ""))
    return found
