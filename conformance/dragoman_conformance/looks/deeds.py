"""What is done to a broker while something breaks: a read, a submit, a cancel, a replace.

Each is carried out once in peace, to learn which requests it makes; afterwards the same is done
while those requests are struck. However it goes, nothing but the library's own errors may come out,
what is told must be true, and broker and venue must agree soon after.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, TypeAlias, cast

import attrs

from dragoman.errors import DragomanError, Outcome
from dragoman.models import Order, OrderStatus, Support
from dragoman.times import SECOND_NS

from .agreement import at_venue, disagreement
from .outages import lives_again
from .routes import command_route, read_route

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from decimal import Decimal

    from dragoman.models import Position

    from ..play import Play
    from .routes import Route

__all__ = ["COMMAND_TIMEOUT_S", "Deeds"]

COMMAND_TIMEOUT_S: Final = 3.0
_LONGEST_READ_S: Final = 45.0
_ROOM_S: Final = 2.0

Arm: TypeAlias = "Callable[[Route], None]"


@attrs.frozen(kw_only=True)
class _Answer:
    """What came of a call: a value, an error of the library, or something that may never come."""

    value: object = None
    error: DragomanError | None = None


class Deeds:
    """The deeds of one scenario, on one connection; each is checked under one requirement."""

    def __init__(self, play: Play, requirement: str) -> None:
        self.routes: dict[str, Route] = {}
        """The requests of each deed, by its name; no "replace" where the venue replaces nothing."""
        self._play = play
        self._requirement = requirement
        self._count = 0

    async def learn(self) -> None:
        """Connect, hold a position, and do everything once in peace."""
        play = self._play
        await play.connect(timeout_s=COMMAND_TIMEOUT_S)
        await play.take()
        await play.settle()
        self.routes["read"] = await read_route(play, play.broker.fetch_positions())
        name = self._name()
        self.routes["submit"] = await command_route(play, play.rest(client_order_id=name), name)
        if self._can_replace:
            order = play.order(name)
            change = play.broker.replace(order, limit_price=self._other_price(order))
            self.routes["replace"] = await command_route(play, change, *_names(order))
        order = play.order(name)
        self.routes["cancel"] = await command_route(play, play.broker.cancel(order), *_names(order))
        await play.settle()

    async def read(self, what: str, arm: Arm) -> DragomanError | None:
        """Read positions: what comes back is the venue's truth, or an error of the library."""
        play = self._play
        arm(self.routes["read"])
        answer = await self._done(play.broker.fetch_positions(), _LONGEST_READ_S, what)
        if answer.error is None and answer.value is not None:
            positions = cast("tuple[Position, ...]", answer.value)
            told = {one.symbol: one.quantity for one in positions}
            true = {one.symbol: one.quantity for one in await play.venue.positions()}
            self._equal(true, told, f"{what}: positions read")
        await self._peace(f"{what}: after a read")
        return answer.error

    async def submit(self, what: str, arm: Arm, *, most_requests: int = 1) -> DragomanError | None:
        """Submit a resting order: it is told as it is, and is at the venue once at most."""
        play, route, name = self._play, self.routes["submit"], self._name()
        before = route.count(play)
        arm(route)
        answer = await self._done(play.rest(client_order_id=name), COMMAND_TIMEOUT_S, what)
        taken = await at_venue(play, name)
        if answer.error is not None and answer.error.outcome is not Outcome.UNKNOWN:
            self._equal(0, len(taken), f"{what}: told {answer.error!r}, orders at the venue")
        await self._peace(f"{what}: after a submit")
        made = route.count(play) - before
        self._check(made <= most_requests, f"{what}: the order was sent {made} times")
        taken, told = await at_venue(play, name), play.broker.state.order(name)
        self._check(len(taken) <= 1, f"{what}: the venue has the order {len(taken)} times")
        status = None if told is None else told.status
        if taken:
            self._equal(taken[0].status, status, f"{what}: status of an order the venue has")
        else:
            is_so = status in (None, OrderStatus.REJECTED)
            self._check(is_so, f"{what}: the venue has no such order, told is {status}")
        await self._tidy()
        return answer.error

    async def cancel(self, what: str, arm: Arm) -> DragomanError | None:
        """Cancel a resting order: whether it lives is told as it is."""
        play, name = self._play, self._name()
        order = await play.rest(client_order_id=name)
        arm(self.routes["cancel"])
        answer = await self._done(play.broker.cancel(order), COMMAND_TIMEOUT_S, what)
        if isinstance(answer.value, Order) and answer.value.is_terminal:
            true = (await at_venue(play, name))[-1]
            self._equal(true.status, answer.value.status, f"{what}: status told of a cancel")
        await self._peace(f"{what}: after a cancel")
        await self._tidy()
        return answer.error

    async def replace(self, what: str, arm: Arm) -> DragomanError | None:
        """Change a resting order's price, where the venue can: told are the terms that hold."""
        if "replace" not in self.routes:
            return None
        play, route, name = self._play, self.routes["replace"], self._name()
        order = await play.rest(client_order_id=name)
        before = route.count(play)
        arm(route)
        change = play.broker.replace(order, limit_price=self._other_price(order))
        answer = await self._done(change, COMMAND_TIMEOUT_S, what)
        await self._peace(f"{what}: after a replace")
        made = route.count(play) - before
        self._check(made <= 1, f"{what}: the change was sent {made} times")
        live = len(await play.venue.open_orders())
        self._check(live <= 1, f"{what}: {live} orders live of one intent")
        await self._tidy()
        return answer.error

    @property
    def _can_replace(self) -> bool:
        rule = self._play.capabilities.replace
        return "limit_price" in rule.fields and rule.support is not Support.EMULATED

    async def _done(self, call: Awaitable[object], within_s: float, what: str) -> _Answer:
        """Return what came of a call, and check that it came in time and was one of ours."""
        started_ns = self._play.clock.monotonic_ns()
        answer = _Answer()
        try:
            async with asyncio.timeout(2 * within_s + _ROOM_S):
                answer = _Answer(value=await call)
        except DragomanError as error:
            answer = _Answer(error=error)
        except Exception as error:  # noqa: BLE001 - an adapter may let anything out, which is the finding
            self._check(held=False, why=f"{what}: raised {type(error).__name__}: {error}")
        seconds = (self._play.clock.monotonic_ns() - started_ns) / SECOND_NS
        self._check(
            seconds <= within_s + _ROOM_S, f"{what}: answered after {seconds:.1f} s of {within_s}"
        )
        return answer

    async def _peace(self, what: str) -> None:
        """Let nothing be struck any more, and check that broker and venue come to agree."""
        self._play.wire.clear()
        differing = await disagreement(self._play)
        self._check(not differing, f"{what}: {differing}")

    async def _tidy(self) -> None:
        """Cancel what is open, by a second try after a stalled connection, and get well."""
        try:
            await self._play.broker.cancel_all()
        except DragomanError:
            await self._play.broker.cancel_all()
        await self._play.settle()
        await lives_again(self._play)

    def _name(self) -> str:
        self._count += 1
        return f"deed{self._count}"

    def _other_price(self, order: Order) -> Decimal | None:
        tick = self._play.venue.instrument(order.symbol).tick_size
        price = order.limit_price
        return price if tick is None or price is None else price - tick

    def _check(self, held: object, why: str) -> None:
        self._play.check(self._requirement, held, why)

    def _equal(self, expected: object, found: object, what: str) -> None:
        self._play.equal(self._requirement, expected, found, what)


def _names(order: Order) -> tuple[str, ...]:
    return (order.client_order_id, *order.venue_order_ids)
