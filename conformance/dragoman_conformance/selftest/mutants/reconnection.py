"""Bugs in coming back to a venue that was away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from dragoman.errors import DragomanError
from dragoman.resilience.backoff import Backoff
from dragoman.session.health import HealthMonitor
from dragoman.streaming import shared
from dragoman.tasks import TaskScope
from dragoman.transport import link
from dragoman.transport.link_terms import LinkTerms
from dragoman.transport.tokens import Token, TokenSource

from ...references.ferry import rest as ferry_rest
from ...references.ferry.polling import AccountWatch
from ...references.wharf.adapter import WharfAdapter
from ...references.wharf.stream import WharfStreamProtocol
from ..grafts import around
from ..mutant import mutant

if TYPE_CHECKING:
    from ..mutant import Plant


@mutant("M30", of="wharf", kills=("REC-010",))
def does_not_subscribe_again(plant: Plant) -> None:
    """Greets the venue anew, and asks for nothing."""

    def forgetful(true: Any) -> Any:
        async def subscribe(self: Any, session: Any, wanted: Any, anew: Any) -> None:
            if wanted.orders and self.__dict__.setdefault("greetings", 0) > 0:
                self._last = None
                return
            self.greetings = 1
            await true(self, session, wanted, anew)

        return subscribe

    plant.replace(WharfStreamProtocol, "subscribe", forgetful)


@mutant("M31", of="wharf", kills=("REC-020", "FLT-250", "FLT-280"))
def does_not_come_back(plant: Plant) -> None:
    """Opens the stream once, and never again."""

    def once(true: Any) -> Any:
        async def request(self: Any) -> Any:
            if getattr(self, "was_opened", False):
                raise DragomanError("the stream is over")
            self.was_opened = True
            return await true(self)

        return request

    plant.replace(WharfStreamProtocol, "request", once)


@mutant("M32", of="wharf", kills=("REC-060",))
def tries_refused_credentials_for_ever(plant: Plant) -> None:
    """Takes a refusal of the credentials for one more loss of the connection."""
    plant.replace(link, "_REFUSED", lambda _: ())


@mutant("M33", of="wharf", kills=("REC-030", "REC-110"))
def storms_a_venue_that_is_away(plant: Plant) -> None:
    """Tries again within a second, for as long as it lasts."""
    backoff = Backoff(first_s=1.0, cap_s=1.0, factor=1.0)
    terms = LinkTerms(backoff=backoff, attempts_per_minute=10_000, busy_wait_s=0.5)
    plant.replace(shared, "LinkTerms", lambda _: lambda: terms)


@mutant("M330", of="wharf", kills=("REC-030",))
def waits_the_same_each_time(plant: Plant) -> None:
    """Waits three seconds before each try, neither longer nor uneven."""
    backoff = Backoff(first_s=3.0, cap_s=3.0, floor_s=3.0, factor=1.0)
    terms = LinkTerms(backoff=backoff, busy_wait_s=0.001, attempts_per_minute=10_000)
    plant.replace(shared, "LinkTerms", lambda _: lambda: terms)


@mutant("M34", of="wharf", kills=("REC-070",))
def goes_on_trying_after_it_was_closed(plant: Plant) -> None:
    """Waits on, and asks once more, in a task that nobody ends."""
    scope = TaskScope()

    async def close(true: Any, self: WharfAdapter) -> None:
        if not self._is_closed:
            scope.spawn(_late(self), "a task that nobody ends")
        await true(self)

    async def _late(self: WharfAdapter) -> None:
        await self.context.clock.sleep_ns(20 * 10**9)
        fresh = type(self)(self.context)
        try:
            await fresh.open()
        finally:
            await fresh.aclose()

    around(plant, WharfAdapter, "aclose", close)


@mutant("M35", of="wharf", kills=("REC-050", "FLT-260"))
def never_doubts_a_silent_peer(plant: Plant) -> None:
    """Waits for ever for a peer that says nothing."""
    plant.replace(WharfStreamProtocol, "heartbeat_s", lambda _: None)

    def unwatched(true: Any) -> Any:
        async def request(self: Any) -> Any:

            return attrs.evolve(await true(self), heartbeat_s=None)

        return request

    plant.replace(WharfStreamProtocol, "request", unwatched)


@mutant("M331", of="ferry", kills=("REC-080", "CON-030"))
def never_renews_its_token(plant: Plant) -> None:
    """Takes a token to be good for ever, and does not believe the venue that it is not."""
    plant.replace(
        ferry_rest,
        "Token",
        lambda _: lambda secret, **_life: Token(secret=secret, lifetime_s=None),
    )
    plant.replace(TokenSource, "discard", lambda _: lambda _self, _secret: None)


@mutant("M332", of="ferry", kills=("REC-090",))
def hides_that_the_venue_is_away(plant: Plant) -> None:
    """Says nothing of rounds that fail."""

    def silent(true: Any) -> Any:
        def lost(self: Any, error: Any) -> Any:
            true(self, error)
            return []

        return lost

    plant.replace(AccountWatch, "_lost", silent)


@mutant("M336", of="wharf", kills=("REC-090", "STR-120"))
def takes_itself_to_be_well(plant: Plant) -> None:
    """Notes no trouble with the stream or with what could not be compared."""

    def careless(true: Any) -> Any:
        def change(self: Any, causes: Any) -> None:
            passed = ("HALT", "CREDENTIALS", "CLOSED")
            true(self, {one: why for one, why in causes.items() if not why or one in passed})

        return change

    plant.replace(HealthMonitor, "change", careless)


@mutant("M333", of="wharf", kills=("REC-100",))
def forgets_the_market_when_it_comes_back(plant: Plant) -> None:
    """Asks for the account again after a loss, and for no quotes and prints."""

    def counted(true: Any) -> Any:
        async def authenticate(self: Any, session: Any) -> None:
            self.greetings = getattr(self, "greetings", 0) + 1
            await true(self, session)

        return authenticate

    def private(true: Any) -> Any:
        async def subscribe(self: Any, session: Any, wanted: Any, anew: Any) -> None:
            kept = attrs.evolve(wanted, quotes=(), trades=()) if self.greetings > 1 else wanted
            await true(self, session, kept, anew)

        return subscribe

    plant.replace(WharfStreamProtocol, "authenticate", counted)
    plant.replace(WharfStreamProtocol, "subscribe", private)


@mutant("M334", of="wharf", kills=("REC-120",))
def takes_a_failed_snapshot_for_an_empty_one(plant: Plant) -> None:
    """Answers with nothing where open orders and positions could not be read."""

    async def empty(true: Any, self: WharfAdapter, *args: Any) -> Any:
        try:
            return await true(self, *args)
        except DragomanError:
            return ()

    async def none(true: Any, self: WharfAdapter, *args: Any, **named: Any) -> Any:
        try:
            return await true(self, *args, **named)
        except DragomanError:
            return None

    around(plant, WharfAdapter, "fetch_open_orders", empty)
    around(plant, WharfAdapter, "fetch_positions", empty)
    around(plant, WharfAdapter, "fetch_order", none)


@mutant("M335", of="wharf", kills=("REC-040", "FLT-240", "FLT-250", "FLT-260"))
def never_asks_for_fills(plant: Plant) -> None:
    """Tells no fills of the past."""

    def nothing(_: Any) -> Any:
        async def fetch_fills(self: Any, *args: Any, **named: Any) -> Any:
            del self, args, named
            nothing_at_all: tuple[Any, ...] = ()
            for one in nothing_at_all:
                yield one

        return fetch_fills

    plant.replace(WharfAdapter, "fetch_fills", nothing)
