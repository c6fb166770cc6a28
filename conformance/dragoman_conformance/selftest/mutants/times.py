"""Bugs in what time it is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import attrs

from dragoman.models import TimeUnit
from dragoman.times import (
    DAY_NS,
    HOUR_NS,
    SECOND_NS,
    SystemClock,
    from_datetime,
    to_datetime,
)

from ...references.ferry import mapping as ferry
from ...references.ferry import zone
from ...references.ferry.adapter import FerryAdapter
from ...references.wharf import mapping as wharf
from ...references.wharf.adapter import WharfAdapter
from ..grafts import around, retells
from ..mutant import mutant

if TYPE_CHECKING:
    from ..mutant import Plant

_NEW_YORK_NS: Final = 5 * HOUR_NS
_THOUSAND: Final = 1_000


@mutant("M49", of="ferry", kills=("TIM-010", "TIM-030"))
def takes_the_local_zone_for_utc(plant: Plant) -> None:
    """Tells a naive time of a quote, and times of fills as a wall in New York shows them."""
    retells(
        plant,
        ferry,
        "quote_of",
        lambda told: {"venue_time_ns": to_datetime(told.venue_time_ns).replace(tzinfo=None)},
    )
    retells(
        plant,
        ferry,
        "fill_of",
        lambda told: {"venue_time_ns": told.venue_time_ns - _NEW_YORK_NS},
    )


@mutant("M50", of="ferry", kills=("TIM-020",))
def takes_one_unit_for_another(plant: Plant) -> None:
    """Takes milliseconds since 1970 for microseconds."""
    plant.replace(ferry, "instant_of", lambda _: lambda millis: millis * _THOUSAND)


@mutant("M51", of="ferry", kills=("TIM-050",))
def doubles_the_hour_that_comes_twice(plant: Plant) -> None:
    """Takes both passes of the hour that comes twice for the first one."""

    def first_pass(text: str, *, is_dst: bool) -> int:
        del is_dst
        wall = datetime.fromisoformat(text).replace(tzinfo=zone._NEW_YORK, fold=0)  # noqa: SLF001 - the original's
        return from_datetime(wall.astimezone(UTC))

    plant.replace(zone, "instant_of", lambda _: first_pass)


@mutant("M160", of="ferry", kills=("TIM-040",))
def looks_at_the_machines_clock(plant: Plant) -> None:
    """Tells when an answer came by the clock of the machine."""

    def make(true: Any) -> Any:
        def _reading(self: FerryAdapter, account_id: str) -> Any:
            return attrs.evolve(true(self, account_id), received_at_ns=SystemClock().now_ns())

        return _reading

    plant.replace(FerryAdapter, "_reading", make)


@mutant("M161", of="wharf", kills=("TIM-060",))
def takes_every_year_for_this_one(plant: Plant) -> None:
    """Reads the year of a time as that in which it was written."""
    plant.replace(wharf, "time_of", lambda true: lambda text: true(f"2026{text[4:]}"))


@mutant("M162", of="ferry", kills=("TIM-070",))
def includes_the_end_of_a_window(plant: Plant) -> None:
    """Tells fills up to the end of a window, that end included."""

    def make(true: Any) -> Any:
        def fetch_fills(self: FerryAdapter, account_id: str, window: Any, *rest: Any) -> Any:
            if window.end_ns is not None:
                window = attrs.evolve(window, end_ns=window.end_ns + 1)
            return true(self, account_id, window, *rest)

        return fetch_fills

    plant.replace(FerryAdapter, "fetch_fills", make)


@mutant("M163", of="wharf", kills=("TIM-070",))
def knows_no_limit(plant: Plant) -> None:
    """Tells every order of a window, however few were wanted."""

    def make(true: Any) -> Any:
        def fetch_orders(self: WharfAdapter, account_id: str, window: Any, *rest: Any) -> Any:
            return true(self, account_id, attrs.evolve(window, limit=None), *rest)

        return fetch_orders

    plant.replace(WharfAdapter, "fetch_orders", make)


@mutant("M164", of="ferry", kills=("TIM-080",))
def spaces_orders_by_the_clock_on_the_wall(plant: Plant) -> None:
    """Waits until the clock on the wall is past the last order."""
    last = [0]

    async def submit(true: Any, self: FerryAdapter, request: Any) -> object:
        clock = self.context.clock
        await clock.sleep_until_ns(last[0])
        last[0] = clock.now_ns() + SECOND_NS // 100
        return await true(self, request)

    around(plant, FerryAdapter, "submit", submit)


@mutant("M165", of="wharf", kills=("TIM-090",))
def opens_every_other_day(plant: Plant) -> None:
    """Opens two daily bars at the same instant."""

    def every_other(told: Any) -> dict[str, Any]:
        is_day = told.timeframe.unit is TimeUnit.DAY
        step = 2 * DAY_NS if is_day else 1
        return {"open_time_ns": told.open_time_ns // step * step}

    retells(plant, wharf, "bar_of", every_other)


@mutant("M166", of="wharf", kills=("TIM-030",))
def cuts_times_to_seconds(plant: Plant) -> None:
    """Reads times without what is behind the point."""
    plant.replace(wharf, "time_of", lambda true: lambda text: true(text) // SECOND_NS * SECOND_NS)
