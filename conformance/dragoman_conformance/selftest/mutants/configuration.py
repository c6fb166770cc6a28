"""Bugs in how a connection is set up, and in how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import attrs

import dragoman.connection as connections

from ...references.beacon.adapter import BeaconAdapter
from ...references.ferry.adapter import FerryAdapter
from ...references.wharf.adapter import WharfAdapter
from ...references.wharf.rest import WharfRest
from ...references.wharf.stream import WharfStreamProtocol
from ..grafts import around, offers
from ..mutant import mutant

if TYPE_CHECKING:
    from dragoman.adapter import AdapterContext

    from ..mutant import Plant


@mutant("M65", of="wharf", kills=("CFG-030",))
def asks_the_live_venue(plant: Plant) -> None:
    """Asks the live host for quotes, whatever endpoints it was given."""

    async def quotes(_: Any, __: object, *___: Any) -> object:
        return await asyncio.open_connection("api.wharf.example", 443)

    around(plant, WharfRest, "quotes", quotes)


@mutant("M59", of="wharf", kills=("CFG-060", "HYG-020"))
def never_ends(plant: Plant) -> None:
    """Closes nothing, and leaves a task behind."""

    async def aclose(_: Any, self: WharfAdapter) -> None:
        loop = asyncio.get_running_loop()
        self.left = loop.create_task(self.context.clock.sleep_ns(10**18))  # type: ignore[attr-defined] # it is the bug

    around(plant, WharfAdapter, "aclose", aclose)


@mutant("M120", of="wharf", kills=("CFG-010",))
def makes_up_the_endpoint_of_the_stream(plant: Plant) -> None:
    """Derives where to stream from where to ask, whatever it was given."""

    def make(true: Any) -> Any:
        def begin(self: WharfStreamProtocol, context: AdapterContext, rest: WharfRest) -> None:
            ends = {"rest": context.endpoints["rest"]}
            ends["stream"] = ends["rest"].replace("http", "ws", 1)
            true(self, attrs.evolve(context, endpoints=ends), rest)

        return begin

    plant.replace(WharfStreamProtocol, "__init__", make)


@mutant("M121", of="wharf", kills=("CFG-020",))
def can_do_without_its_secret(plant: Plant) -> None:
    """Declares its secret as not required, and finds out when it has to sign."""
    fields = plant.subject.declared.credentials
    loose = [attrs.evolve(one, is_required=one.name != "secret") for one in fields]
    offers(plant, credentials=tuple(loose))


@mutant("M122", of="ferry", kills=("CFG-020",))
def takes_no_credential_from_the_environment(plant: Plant) -> None:
    """Names no variable that its password may stand in."""
    fields = plant.subject.declared.credentials
    offers(plant, credentials=tuple([attrs.evolve(one, variables=()) for one in fields]))


@mutant("M123", of="wharf", kills=("CFG-040",))
def connects_when_it_is_made(plant: Plant) -> None:
    """Tries whether the venue is there before anybody opened it."""

    def make(true: Any) -> Any:
        def begin(self: WharfAdapter, context: AdapterContext, *args: Any) -> None:
            true(self, context, *args)
            parts = urlsplit(context.endpoints["rest"])
            with contextlib.suppress(OSError):
                socket.create_connection((parts.hostname, parts.port), timeout=1).close()

        return begin

    plant.replace(WharfAdapter, "__init__", make)


@mutant("M124", of="wharf", kills=("CFG-050",))
def keeps_one_session_for_the_process(plant: Plant) -> None:
    """Makes one transport for the process, which the first connection closes."""
    kept: list[Any] = []

    def make(true: Any) -> Any:
        def begin(self: WharfAdapter, context: AdapterContext, *args: Any) -> None:
            def transport() -> Any:
                if not kept:
                    kept.append(context.make_transport())
                return kept[0]

            true(self, attrs.evolve(context, make_transport=transport), *args)

        return begin

    plant.replace(WharfAdapter, "__init__", make)


@mutant("M125", of="ferry", kills=("CFG-060",))
def leaves_its_connections_open(plant: Plant) -> None:
    """Forgets its session without closing it."""

    async def aclose(_: Any, __: FerryAdapter) -> None:
        return

    around(plant, FerryAdapter, "aclose", aclose)


@mutant("M126", of="ferry", kills=("CFG-070",))
def knows_only_what_it_was_told(plant: Plant) -> None:
    """Answers for open orders out of what its stream told, and asks nobody."""

    async def fetch_open_orders(true: Any, self: FerryAdapter, *args: Any) -> object:
        found = await true(self, *args)
        return found if getattr(self, "is_streaming", False) else ()

    def make(true: Any) -> Any:
        def stream(self: FerryAdapter, subscription: Any) -> Any:
            self.is_streaming = True  # type: ignore[attr-defined] # it is the bug
            return true(self, subscription)

        return stream

    around(plant, FerryAdapter, "fetch_open_orders", fetch_open_orders)
    plant.replace(FerryAdapter, "stream", make)


@mutant("M127", of="wharf", kills=("CFG-080",))
def takes_any_setting(plant: Plant) -> None:
    """Passes over settings that it does not know."""
    plant.replace(connections, "resolve_options", lambda _: lambda *_: {})


@mutant("M128", of="wharf", kills=("CFG-090",))
def speaks_in_the_clear(plant: Plant) -> None:
    """Declares an endpoint off this machine without TLS."""
    ends = {"rest": "http://api.wharf.example", "stream": "wss://api.wharf.example"}
    offers(plant, endpoints=ends, hosts=frozenset({"api.wharf.example"}))


@mutant("M129", of="wharf", kills=("CFG-100",))
def leaves_its_stream_behind(plant: Plant) -> None:
    """Goes on streaming from the venue where its requests are led elsewhere."""
    offers(plant, endpoint_follows={})


@mutant("M143", of="beacon", kills=("CFG-110",))
def opens_without_asking(plant: Plant) -> None:
    """Opens without a word to the venue."""

    async def open_(_: Any, __: BeaconAdapter) -> None:
        return

    around(plant, BeaconAdapter, "open", open_)
