"""Bugs in how a venue is left alone that asks for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from dragoman.errors import Outcome, OutcomeUnknownError, RateLimitedError
from dragoman.resilience.breaker import Breaker
from dragoman.transport import statuses, verdict
from dragoman.transport.client import HttpClient

from ...references.wharf.adapter import WharfAdapter
from ...references.wharf.rest import WharfRest
from ..grafts import around
from ..mutant import mutant

if TYPE_CHECKING:
    from ..mutant import Plant


@mutant("M46", of="wharf", kills=("LIM-010", "LIM-020"))
def ignores_retry_after(plant: Plant) -> None:
    """Does not read for how long the venue asks to be left alone."""
    plant.replace(verdict, "retry_after_s", lambda _: lambda _headers, _now_ns: None)


@mutant("M340", of="wharf", kills=("LIM-020",))
def reads_no_dates(plant: Plant) -> None:
    """Reads Retry-After in seconds alone."""

    def plain(true: Any) -> Any:
        def retry_after_s(headers: Any, now_ns: int) -> Any:
            text = headers.get("retry-after", "")
            return true(headers, now_ns) if text.isdigit() else None

        return retry_after_s

    plant.replace(verdict, "retry_after_s", plain)


@mutant("M341", of="wharf", kills=("LIM-010",))
def takes_seconds_for_milliseconds(plant: Plant) -> None:
    """Waits a thousandth of what it was asked to wait."""

    def hasty(true: Any) -> Any:
        def retry_after_s(headers: Any, now_ns: int) -> Any:
            found = true(headers, now_ns)
            return None if found is None else found / 1000

        return retry_after_s

    plant.replace(verdict, "retry_after_s", hasty)


@mutant("M47", of="wharf", kills=("LIM-040",))
def limits_each_task_by_itself(plant: Plant) -> None:
    """Lets a task that was not refused itself go on asking."""
    refused: set[int] = set()

    def noting(true: Any) -> Any:
        def throttled(self: Any, *args: Any, **named: Any) -> None:
            refused.add(id(asyncio.current_task()))
            true(self, *args, **named)

        return throttled

    def apart(true: Any) -> Any:
        def check(self: Any, lane: Any) -> None:
            if id(asyncio.current_task()) in refused:
                true(self, lane)

        return check

    plant.replace(Breaker, "throttled", noting)
    plant.replace(Breaker, "check", apart)
    plant.replace(Breaker, "look", apart)


@mutant("M48", of="wharf", kills=("LIM-060", "FLT-110", "FLT-120"))
def repeats_an_order_refused_as_one_too_many(plant: Plant) -> None:
    """Waits, and sends the order again."""

    async def again(true: Any, self: WharfAdapter, request: Any) -> Any:
        try:
            return await true(self, request)
        except (OutcomeUnknownError, RateLimitedError) as error:
            if isinstance(error, OutcomeUnknownError) and error.reason.value != "BUSY":
                raise
            await self.context.clock.sleep_ns(round((error.retry_after or 2.0) * 1.1e9))
            return await true(self, request)

    around(plant, WharfAdapter, "submit", again)


@mutant("M342", of="wharf", kills=("LIM-030",))
def refuses_what_it_could_let_wait(plant: Plant) -> None:
    """Refuses, by itself, the eleventh call at once."""
    under_way: list[object] = []

    async def bounded(true: Any, self: WharfRest) -> Any:
        if len(under_way) >= 10:
            raise RateLimitedError("too many calls at once", outcome=Outcome.NOT_SENT)
        under_way.append(self)
        try:
            return await true(self)
        finally:
            under_way.pop()

    around(plant, WharfRest, "accounts", bounded)


@mutant("M343", of="wharf", kills=("LIM-050",))
def lets_cancels_queue_behind_reads(plant: Plant) -> None:
    """Asks for one thing at a time, whatever it is."""
    locks: dict[int, asyncio.Lock] = {}

    def queued(true: Any) -> Any:
        async def call(self: Any, *args: Any, **named: Any) -> Any:
            async with locks.setdefault(id(self), asyncio.Lock()):
                return await true(self, *args, **named)

        return call

    plant.replace(HttpClient, "_run", queued)


@mutant("M344", of="wharf", kills=("LIM-070",))
def does_not_know_418(plant: Plant) -> None:
    """Takes a 418 for any other refusal."""
    plant.replace(verdict, "THROTTLED", lambda _: frozenset({429}))
    plant.replace(statuses, "THROTTLED", lambda _: frozenset({429}))


@mutant("M345", of="wharf", kills=("LIM-080",))
def never_dares_again(plant: Plant) -> None:
    """Waits ten times as long as it was asked to."""

    def timid(true: Any) -> Any:
        def throttled(self: Any, cause: str, retry_after: Any = None, **named: Any) -> None:
            true(self, cause, None if retry_after is None else 10 * retry_after, **named)

        return throttled

    plant.replace(Breaker, "throttled", timid)
