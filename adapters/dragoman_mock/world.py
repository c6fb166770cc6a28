"""What a venue consists of once its start is known: instruments, prices, engine and time.

A saved venue is only read by one that was made alike: the same settings, instruments and prices.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, Final, TypeAlias, cast

import attrs

from dragoman.models import Instrument
from dragoman.paper.engine import Engine
from dragoman.paper.market.calendar import Calendar
from dragoman.paper.market.catalogue import default_instruments
from dragoman.paper.market.feed import Feed
from dragoman.paper.market.walk import WalkFeed
from dragoman.paper.settings import VenueSettings
from dragoman.times import SECOND_NS

from .clock import VenueClock
from .jumps import JumpingFeed

if TYPE_CHECKING:
    from dragoman.times import Clock

__all__ = ["FeedFactory", "Recipe", "World", "WorldMismatchError"]

_WARM_UP_NS: Final = 2 * SECOND_NS

FeedFactory: TypeAlias = Callable[[tuple[Instrument, ...], int], Feed]
"""Makes the feed of a venue once its instruments and its start are known."""


class WorldMismatchError(Exception):
    """A saved venue was made otherwise than this one; `differences` names in what."""

    def __init__(self, differences: str) -> None:
        super().__init__(differences)
        self.differences = differences


@attrs.frozen(kw_only=True)
class Recipe:
    """How to make a venue. `feed_name` tells two recipes apart whose feeds differ."""

    settings: VenueSettings = attrs.field(factory=VenueSettings)
    instruments: tuple[Instrument, ...] | None = None
    feed: Feed | FeedFactory | None = None
    feed_name: str = "walk"
    speed: Fraction = Fraction(1)

    def start(self, clock: Clock) -> World:
        """Make a venue whose time begins now; a walk begins earlier, so every price is known."""
        now_ns = clock.now_ns()
        start_ns = now_ns - _WARM_UP_NS if self.feed is None else now_ns
        return self._make(clock, start_ns, None)

    def resume(self, clock: Clock, saved: dict[str, object]) -> World:
        """Make the venue that was saved.

        Raises:
            WorldMismatchError: It was made by another recipe.
        """
        self._check(cast("dict[str, str]", saved["made_by"]))
        return self._make(clock, cast("int", saved["start_ns"]), saved)

    def description(self) -> dict[str, str]:
        """Return all that makes one venue differ from another, as text by name."""
        fields = attrs.asdict(self.settings, recurse=False)
        listed = self.instruments
        names = "default" if listed is None else " ".join(each.symbol for each in listed)
        described = {name: repr(value) for name, value in fields.items()}
        return {**described, "instruments": names, "feed": self.feed_name}

    def _make(self, clock: Clock, start_ns: int, saved: dict[str, object] | None) -> World:
        settings = self.settings
        listed = self.instruments or default_instruments(
            start_ns, received_at_ns=start_ns, provider=settings.provider
        )
        calendar = Calendar(settings.hours)
        prices = JumpingFeed(
            self._feed(listed, start_ns, calendar), {each.symbol: each for each in listed}
        )
        if saved is None:
            engine = Engine(
                settings, instruments=listed, feed=prices, calendar=calendar, start_ns=start_ns
            )
            opens_at_ns = clock.now_ns()
        else:
            engine = Engine.restore(
                cast("dict[str, object]", saved["engine"]),
                settings,
                instruments=listed,
                feed=prices,
                calendar=calendar,
            )
            opens_at_ns = _reopening_ns(engine, clock, self.speed)
        return World(
            engine=engine,
            prices=prices,
            clock=VenueClock(clock, self.speed, opens_at_ns),
            start_ns=start_ns,
        )

    def _feed(self, listed: tuple[Instrument, ...], start_ns: int, calendar: Calendar) -> Feed:
        if self.feed is None:
            return WalkFeed(listed, seed=self.settings.seed, start_ns=start_ns, calendar=calendar)
        return self.feed(listed, start_ns) if callable(self.feed) else self.feed

    def _check(self, made_by: dict[str, str]) -> None:
        mine = self.description()
        names = [name for name in mine if made_by.get(name) != mine[name]]
        if names:
            raise WorldMismatchError(", ".join(names))


@attrs.frozen(kw_only=True)
class World:
    """A venue's engine, prices and time, joined."""

    engine: Engine
    prices: JumpingFeed
    clock: VenueClock
    start_ns: int

    @property
    def is_idle(self) -> bool:
        """Whether no price can matter to anybody: no account has an open order or a position."""
        engine = self.engine
        return not any(
            engine.open_orders(each.account_id) or engine.positions(each.account_id)
            for each in engine.settings.accounts
        )

    def on(self, clock: Clock) -> World:
        """Return the same venue, driven by another clock from now on."""
        speed = self.clock.speed
        opens_at_ns = _reopening_ns(self.engine, clock, speed)
        return attrs.evolve(self, clock=VenueClock(clock, speed, opens_at_ns))

    def state(self) -> dict[str, object]:
        """Return what a `Recipe` resumes from, but for what made it, as plain JSON data."""
        return {"start_ns": self.start_ns, "engine": self.engine.state()}


def _reopening_ns(engine: Engine, clock: Clock, speed: Fraction) -> int:
    """Return when a venue goes on: now, but never before it stopped.

    One that does not run at the clock's pace shows other times anyway, so it goes on where it
    stopped.
    """
    return max(clock.now_ns(), engine.now_ns) if speed == 1 else engine.now_ns
