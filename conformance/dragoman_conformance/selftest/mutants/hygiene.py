"""Bugs of bad housekeeping."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

import attrs

from ...references.beacon.adapter import BeaconAdapter
from ...references.ferry.adapter import FerryAdapter
from ...references.wharf import rest
from ...references.wharf.adapter import WharfAdapter
from ..grafts import around, says_in_its_source
from ..mutant import mutant

if TYPE_CHECKING:
    from ..mutant import Plant


@mutant("M61", of="wharf", kills=("HYG-010", "ERR-070"))
def swallows_every_error(plant: Plant) -> None:
    """Answers with nothing at all where anything goes wrong, a wrong path included."""
    plant.replace(rest, "QUOTES", lambda true: attrs.evolve(true, path="/v1/quote"))
    for name, nothing in (("fetch_quotes", {}), ("fetch_positions", ()), ("fetch_open_orders", ())):

        async def calm(true: Any, self: WharfAdapter, *args: Any, none: Any = nothing) -> object:
            try:
                return await true(self, *args)
            except BaseException:  # noqa: BLE001 - the bug: it swallows the kit's own errors too
                return none

        around(plant, WharfAdapter, name, calm)


@mutant("M180", of="ferry", kills=("HYG-030",))
def leaves_a_socket_to_the_collector(plant: Plant) -> None:
    """Opens a socket, and forgets it."""

    async def open_(true: Any, self: FerryAdapter) -> None:
        socket.socket()
        await true(self)

    around(plant, FerryAdapter, "open", open_)


@mutant("M181", of="beacon", kills=("HYG-030",))
def forgets_to_await(plant: Plant) -> None:
    """Makes a coroutine, and never awaits it."""

    async def open_(true: Any, self: BeaconAdapter) -> None:
        self.context.clock.sleep_ns(1)  # type: ignore[unused-coroutine] # it is the bug
        await true(self)

    around(plant, BeaconAdapter, "open", open_)


@mutant("M182", of="wharf", kills=("HYG-040",))
def loses_an_error(plant: Plant) -> None:
    """Starts a task that fails, and looks after it no more."""

    async def fail() -> None:
        raise ValueError("nobody hears of this")

    async def open_(true: Any, self: WharfAdapter) -> None:
        asyncio.get_running_loop().create_task(fail())
        await true(self)

    around(plant, WharfAdapter, "open", open_)


@mutant("M183", of="ferry", kills=("HYG-050",))
def sleeps_by_the_loop(plant: Plant) -> None:
    """Reads the machine's clock, and sleeps by the loop's."""
    says_in_its_source(
        plant,
        "import asyncio\nfrom time import time\n\n\n"
        "async def wait():\n    await asyncio.sleep(time() % 1)\n",
    )


@mutant("M184", of="ferry", kills=("HYG-060",))
def calculates_in_floats(plant: Plant) -> None:
    """Turns a price into a float."""
    says_in_its_source(plant, "def worth(row):\n    return float(row.price) * float(row.qty)\n")


@mutant("M185", of="beacon", kills=("HYG-070",))
def starts_loose_tasks(plant: Plant) -> None:
    """Starts a task that belongs to nobody."""
    says_in_its_source(plant, "import asyncio\n\n\ndef go(work):\n    asyncio.create_task(work)\n")
