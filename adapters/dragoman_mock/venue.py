"""The venue itself: a world that a clock moves, and everybody who is connected to it.

One task, the pump, sleeps until something is due and lets it happen. Every command brings the venue
up to now first, so what a client sees never depends on when the pump last ran. The market only
moves while somebody is connected, or while it catches up with the time that nobody was.
"""

from __future__ import annotations

import asyncio
from fractions import Fraction
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar, cast

from dragoman.errors import ClosedError
from dragoman.paper.settings import VenueSettings
from dragoman.tasks import TaskScope

from .pump import Pump
from .storage import StateFile
from .world import Recipe, WorldMismatchError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from dragoman.models import Event, Instrument
    from dragoman.paper.engine import Engine
    from dragoman.paper.market.feed import Feed
    from dragoman.times import Clock

    from .agenda import Entry
    from .clock import VenueClock
    from .jumps import JumpingFeed
    from .world import FeedFactory, World

__all__ = ["Member", "MockVenue"]

Answer = TypeVar("Answer")

_Timer: TypeAlias = tuple[str, str | None, int]


class Member(Protocol):
    """Who is connected."""

    def receive(self, events: Sequence[Event]) -> None:
        """Take in what has happened, in order."""
        ...

    def lose(self, cause: str) -> None:
        """Learn that the venue has broken down."""
        ...


class MockVenue:
    """A venue in this process. Give it to several connections and they trade with each other.

    Its clock is the first connection's unless one is given. With a state file it is read from there
    when the first connection opens, and written back after every command and when the last one
    closes.

    Args:
        settings: Accounts, fees, hours and habits.
        instruments: What is traded; None means the default catalogue.
        feed: The prices, or what makes them once the start is known; None means a seeded walk.
        speed: Seconds of the venue's time per second of the clock.
        clock: What drives the venue.
        state_file: Where the venue is kept between processes.
        state_copy: Whether that file is only read, when the venue opens: it is neither locked nor
            written, so that another process may go on using it.
        feed_name: What a saved venue knows the feed by: another name, and it is not read.
    """

    def __init__(
        self,
        settings: VenueSettings | None = None,
        *,
        instruments: Iterable[Instrument] | None = None,
        feed: Feed | FeedFactory | None = None,
        speed: Fraction | int = 1,
        clock: Clock | None = None,
        state_file: Path | None = None,
        state_copy: bool = False,
        feed_name: str = "walk",
    ) -> None:
        self._recipe = Recipe(
            settings=settings or VenueSettings(),
            instruments=None if instruments is None else tuple(instruments),
            feed=feed,
            feed_name=feed_name,
            speed=Fraction(speed),
        )
        self._source = clock
        self._file = None if state_file is None else StateFile(state_file, is_copy=state_copy)
        self._world: World | None = None
        self._members: list[Member] = []
        self._opening = asyncio.Lock()
        self._scope = TaskScope(self._broke_down)
        self._pump: Pump | None = None
        self._armed: dict[tuple[str, str | None], Entry] = {}
        self._timers: list[_Timer] = []

    @property
    def settings(self) -> VenueSettings:
        """What the venue was told about itself."""
        return self._recipe.settings

    @property
    def engine(self) -> Engine:
        """The engine, for a look inside; use `act` to do something, so that everybody is told.

        Raises:
            ClosedError: Nobody has ever connected.
        """
        return self._known().engine

    @property
    def clock(self) -> VenueClock:
        """The venue's time.

        Raises:
            ClosedError: Nobody has ever connected.
        """
        return self._known().clock

    @property
    def prices(self) -> JumpingFeed:
        """The prices.

        Raises:
            ClosedError: Nobody has ever connected.
        """
        return self._known().prices

    @property
    def is_open(self) -> bool:
        """Whether anybody is connected."""
        return bool(self._members)

    async def attach(self, member: Member, clock: Clock) -> None:
        """Connect somebody; the first one opens the venue.

        Raises:
            ConfigurationError: The saved venue can't be used.
        """
        async with self._opening:
            if not self._members:
                await self._open(self._source or clock)
            self._members.append(member)
            await self._moving().start()

    async def detach(self, member: Member) -> None:
        """Disconnect somebody; the last one closes the venue. Nothing happens to a stranger."""
        async with self._opening:
            if member not in self._members:
                return
            self._members.remove(member)
            if not self._members:
                await self._close()

    async def act(self, command: Callable[[Engine], Sequence[Event]]) -> Sequence[Event]:
        """Do something at the venue now: everybody is told its events, and so is the caller.

        Raises:
            ClosedError: Nobody is connected.
        """
        await self._moving().catch_up()
        return self.do(command)

    def do(self, command: Callable[[Engine], Sequence[Event]]) -> Sequence[Event]:
        """Do something at the venue as it stands, without waiting for it to come up to now.

        Raises:
            ClosedError: Nobody is connected.
        """
        pump = self._moving()
        events = command(self.engine)
        self._tell(events)
        pump.settle()
        self._save()
        return events

    async def look(self, question: Callable[[Engine], Answer]) -> Answer:
        """Ask the venue something as it stands now.

        Raises:
            ClosedError: Nobody is connected.
        """
        await self._moving().catch_up()
        return question(self.engine)

    def schedule(self, at_ns: int, act: Callable[[], None]) -> None:
        """Let something happen at an instant of the venue's time, while it is open.

        Raises:
            ClosedError: Nobody is connected.
        """
        self._moving().schedule(at_ns, act)

    def refresh(self) -> None:
        """Look again when something is due, after a feed was given more ticks from outside.

        Raises:
            ClosedError: Nobody is connected.
        """
        self._moving().hasten()

    async def arm(self, account_id: str, symbol: str | None, timeout_ns: int | None) -> None:
        """Cancel an account's orders, of one symbol or all, when the time is up.

        A later call starts the timer anew; None disarms it. It outlives the connection that set it.

        Raises:
            ClosedError: Nobody is connected.
            NotFoundError: The venue has no such account.
        """
        await self.look(lambda engine: engine.account(account_id))
        due_ns = None if timeout_ns is None else self.engine.now_ns + timeout_ns
        self._arm((account_id, symbol), due_ns)
        self._save()

    def _arm(self, whose: tuple[str, str | None], due_ns: int | None) -> None:
        pump = self._moving()
        before = self._armed.pop(whose, None)
        if before is not None:
            pump.unschedule(before)
        if due_ns is not None:
            self._armed[whose] = pump.schedule(due_ns, lambda: self._time_is_up(whose))

    def _time_is_up(self, whose: tuple[str, str | None]) -> None:
        del self._armed[whose]
        self.do(lambda engine: engine.cancel_all(*whose))

    def _known(self) -> World:
        if self._world is None:
            raise ClosedError("the mock venue was never opened", provider="mock")
        return self._world

    def _moving(self) -> Pump:
        if self._pump is None:
            raise ClosedError("the mock venue is closed: nobody is connected", provider="mock")
        return self._pump

    def _tell(self, events: Sequence[Event]) -> None:
        if events:
            for member in tuple(self._members):
                member.receive(events)

    def _broke_down(self, name: str, error: BaseException) -> None:
        """Tell everybody that the task has failed: no stream may just fall silent."""
        for member in tuple(self._members):
            member.lose(f"the task {name!r} failed: {error!r}")
        context = {"message": f"task {name!r} failed", "exception": error}
        asyncio.get_running_loop().call_exception_handler(context)

    async def _open(self, clock: Clock) -> None:
        saved = None
        if self._file is not None:
            await self._file.acquire()
            try:
                self._world, saved = self._resume(self._file, clock)
            except BaseException:
                self._file.release()
                raise
        elif self._world is None:
            self._world = self._recipe.start(clock)
        else:
            self._world = self._world.on(clock)
        self._pump = Pump(self._world, self._tell, self._scope)
        timers = self._timers if saved is None else cast("list[_Timer]", saved["timers"])
        for account_id, symbol, due_ns in timers:
            self._arm((account_id, symbol), due_ns)

    async def _close(self) -> None:
        await self._scope.close()
        self._save()
        self._timers = self._timers_now()
        self._armed = {}
        self._pump = None
        self._scope = TaskScope(self._broke_down)
        if self._file is not None:
            self._file.release()
            self._world, self._timers = None, []

    def _resume(self, file: StateFile, clock: Clock) -> tuple[World, dict[str, object] | None]:
        saved = file.read()
        if saved is None:
            return self._recipe.start(clock), None
        try:
            return self._recipe.resume(clock, saved), saved
        except WorldMismatchError as error:
            raise file.refusal(f"keeps a venue made with another {error.differences}") from None
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise file.refusal(f"is damaged: {type(error).__name__}") from error

    def _timers_now(self) -> list[_Timer]:
        return [(*whose, entry.at_ns) for whose, entry in self._armed.items()]

    def _save(self) -> None:
        if self._file is not None and self._world is not None:
            state = {
                **self._world.state(),
                "made_by": self._recipe.description(),
                "timers": self._timers_now(),
            }
            self._file.write(state)
