"""What a scenario holds in its hands: the stage, the broker under test, and the checks it makes."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from dragoman.errors import DragomanError
from dragoman.models import OrderEvent, OrderRequest, OrderType, Side
from dragoman.paper.settings import VenueSettings
from dragoman.times import MILLISECOND_NS, SECOND_NS

from .stage.stage import Stage
from .verdicts import Basis, Check

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, Mapping
    from decimal import Decimal

    from dragoman.broker import Broker
    from dragoman.capabilities import Capabilities
    from dragoman.models import Event, Instrument, Order
    from dragoman.models.request import OrderFields

    from .chaos import ChaosProxy
    from .stage.clock import StageClock
    from .stage.records import Records
    from .stage.venue import StageVenue
    from .subject import Subject

__all__ = ["Abandoned", "Play"]

Answer = TypeVar("Answer")
Failure = TypeVar("Failure", bound=BaseException)

_STEP_NS: Final = 5 * MILLISECOND_NS
_STEPS_PER_WAIT: Final = 20
"""What is waited for long is looked at less often: late by a twentieth of the wait at most."""
_LONGEST_S: Final = 30.0
_CONNECTING_S: Final = 60.0


class Abandoned(Exception):  # noqa: N818 - it is no error: the scenario has seen enough
    """A check failed that the rest of the scenario stands on; what follows is not looked at."""


class Play:
    """One scenario being played.

    The stage is put up by the first `connect` (or `open`), so a scenario may first choose the
    venue's `settings`. Everything here waits in virtual time.
    """

    def __init__(
        self,
        subject: Subject,
        capabilities: Capabilities,
        clock: StageClock,
        records: Records,
        *,
        upstream: int | None = None,
        endpoints: Mapping[str, str] | None = None,
    ) -> None:
        self.subject: Subject = subject
        self.capabilities: Capabilities = capabilities
        """What the subject declares."""
        self.clock: StageClock = clock
        self.records: Records = records
        """Everything logged, warned of or lost so far."""
        self.settings: VenueSettings = VenueSettings()
        """The venue's; to be set before the stage is put up."""
        self.instruments: tuple[Instrument, ...] | None = None
        """What the venue trades; None means the mock's own catalogue."""
        self.faults: str = ""
        """What goes wrong at the venue with what comes over the wire, as the line of a plan."""
        self.heard: list[Event] = []
        """Every private event of the newest connection, in order."""
        self.checks: list[Check] = []
        self.basis: Basis = Basis.SIMULATED
        """What the checks rest on."""
        self._upstream = upstream
        self._endpoints = endpoints
        self._stage: Stage | None = None
        self._broker: Broker | None = None
        self._stack = contextlib.AsyncExitStack()

    @property
    def stage(self) -> Stage:
        """The stage; it is up once `open` or `connect` returned."""
        if self._stage is None:
            raise LookupError("the stage is not up yet: open or connect first")
        return self._stage

    @property
    def venue(self) -> StageVenue:
        """The venue, its market and its truth."""
        return self.stage.venue

    @property
    def wire(self) -> ChaosProxy:
        """The proxy between the adapter and the venue."""
        return self.stage.wire

    @property
    def has_wire(self) -> bool:
        """Whether the stage is up, and there are bytes between the adapter and the venue."""
        return self._stage is not None and self._stage.has_wire

    @property
    def broker(self) -> Broker:
        """The broker under test, connected last."""
        if self._broker is None:
            raise LookupError("no broker is connected yet")
        return self._broker

    @property
    def symbol(self) -> str:
        """The sample's symbol."""
        return self.subject.sample.symbol

    async def open(self) -> Stage:
        """Put the stage up, if it is not yet; nobody is connected by that."""
        if self._stage is None:
            stage = Stage(
                self.subject,
                self.clock,
                self.settings,
                instruments=self.instruments,
                upstream=self._upstream,
                endpoints=self._endpoints,
                faults=self.faults,
            )
            self._stage = await self._stack.enter_async_context(stage)
        return self._stage

    async def connect(self, **options: object) -> Broker:
        """Connect the broker under test, and hear what it tells of orders, positions and account.

        Args:
            **options: Those of `dragoman.connect`, over the stage's own.

        Raises:
            Abandoned: It took longer than anybody would wait.
        """
        stage = await self.open()
        try:
            async with asyncio.timeout(_CONNECTING_S):
                self._broker = await stage.connect(**options)
        except TimeoutError:
            raise Abandoned(f"not connected within {_CONNECTING_S:.0f} s") from None
        self.heard = []
        if not options.get("read_only"):
            hears = self._broker.listen(
                self.heard.append, orders=True, positions=True, account=True, ledger=True
            )
            await self._stack.enter_async_context(hears)
        return self._broker

    async def disconnect(self) -> None:
        """Close every broker of the subject."""
        await self.stage.disconnect()

    async def close(self) -> None:
        """Take everything down."""
        await self._stack.aclose()

    def terms(self, **changes: object) -> OrderFields:
        """Return the terms of an order: a buy of the sample at the market.

        `changes` are put over them; a limit order has a price that rests well below the market.
        """
        sample = self.subject.sample
        terms: dict[str, object] = {
            "symbol": sample.symbol,
            "side": Side.BUY,
            "order_type": OrderType.MARKET,
            "quantity": sample.quantity,
            **changes,
        }
        if terms["order_type"] is OrderType.LIMIT and "limit_price" not in terms:
            terms["limit_price"] = self.away(cast("Side", terms["side"]))
        return cast("OrderFields", terms)

    def away(self, side: Side, symbol: str | None = None) -> Decimal:
        """Return a price, on the tick, at which an order of that side rests far from the market."""
        sample = self.subject.sample
        price = sample.other_price if symbol not in (None, sample.symbol) else sample.price
        tick = self.venue.instrument(symbol or self.symbol).tick_size
        wanted = price / 2 if side is Side.BUY else price * 2
        return wanted if tick is None else wanted // tick * tick

    async def rest(self, **changes: object) -> Order:
        """Submit a limit order that rests."""
        return await self.broker.submit(**self.terms(order_type=OrderType.LIMIT, **changes))

    async def take(self, **changes: object) -> Order:
        """Submit a market order, and wait until it has ended or the time is up."""
        order = await self.broker.submit(**self.terms(**changes))
        await self.until(lambda: self.order(order.client_order_id).is_terminal)
        return self.order(order.client_order_id)

    def request(self, **changes: object) -> OrderRequest:
        """Return `terms` as a request."""
        terms = dict(self.terms(**changes))
        return OrderRequest(**cast("dict[str, Any]", terms))

    def order(self, client_order_id: str) -> Order:
        """Return an order as the broker under test knows it now, without asking anybody.

        Raises:
            LookupError: It knows none of that id.
        """
        found = self.broker.state.order(client_order_id)
        if found is None:
            raise LookupError(f"the broker knows no order {client_order_id!r}")
        return found

    def events(self, client_order_id: str) -> list[OrderEvent]:
        """Return what was heard of one order, in order."""
        heard = [event for event in self.heard if isinstance(event, OrderEvent)]
        return [event for event in heard if event.order.client_order_id == client_order_id]

    async def until(self, condition: Callable[[], object], *, within_s: float = _LONGEST_S) -> bool:
        """Wait until a condition holds; False if it does not within so much virtual time.

        A condition that raises `LookupError` does not hold yet.
        """
        started_ns = self.clock.monotonic_ns()
        due_ns = started_ns + round(within_s * SECOND_NS)
        while not _holds(condition):
            now_ns = self.clock.monotonic_ns()
            if now_ns >= due_ns:
                return False
            step_ns = max(_STEP_NS, (now_ns - started_ns) // _STEPS_PER_WAIT)
            await self.clock.sleep_ns(min(step_ns, due_ns - now_ns))
        return True

    async def pause(self, seconds: float) -> None:
        """Let so much virtual time pass."""
        await self.clock.sleep_ns(round(seconds * SECOND_NS))

    async def settle(self) -> None:
        """Let what is under way arrive: a tenth of a second passes."""
        await self.pause(0.1)

    def check(
        self, requirement: str, held: object, why: str, *, exchange: int | None = None
    ) -> bool:
        """Note whether a requirement held; `why` says what was expected and found if it did not.

        Returns whether it did. The scenario goes on either way.
        """
        is_held = bool(held)
        self.checks.append(
            Check(
                requirement=requirement,
                held=is_held,
                why="" if is_held else why,
                exchange=exchange,
            )
        )
        return is_held

    def equal(self, requirement: str, expected: object, found: object, what: str) -> bool:
        """Check that something is what it should be, by `==` and by type where numbers are."""
        why = f"{what}: expected {_shown(expected)}, found {_shown(found)}"
        return self.check(requirement, expected == found, why)

    def insist(self, requirement: str, held: object, why: str) -> None:
        """Check something that the rest of the scenario stands on.

        Raises:
            Abandoned: It did not hold.
        """
        if not self.check(requirement, held, why):
            raise Abandoned(why)

    async def fails(
        self,
        requirement: str,
        call: Awaitable[object],
        kind: type[Failure] | tuple[type[Failure], ...],
        what: str,
    ) -> Failure | None:
        """Check that a call raises an error of a kind; returns it, None if something else came."""
        try:
            answer = await call
        except kind as error:
            self.check(requirement, held=True, why="")
            return error
        except DragomanError as error:
            self.check(
                requirement, held=False, why=f"{what}: {_names(kind)} expected, {error!r} came"
            )
        except Exception as error:  # noqa: BLE001 - an adapter may let anything out, which is the finding
            self.check(
                requirement, held=False, why=f"{what}: raised {type(error).__name__}: {error}"
            )
        else:
            self.check(
                requirement,
                held=False,
                why=f"{what}: {_names(kind)} expected, got {_shown(answer)}",
            )
        return None

    def rests_on(self, basis: Basis) -> None:
        """Note what the next check looks at; of several, the weakest counts for the scenario."""
        order = list(Basis)
        self.basis = basis if not self.checks else min(self.basis, basis, key=order.index)

    @contextlib.contextmanager
    def silent(self, requirement: str, what: str) -> Generator[None]:
        """Check that nothing is sent to the venue within the block, heartbeats apart."""
        before = self._traffic()
        yield
        sent = self._traffic()[len(before) :]
        self.check(requirement, not sent, f"{what}: sent {', '.join(sent[:3])} to the venue")

    def posts(self, path: str = "/", method: str = "POST") -> int:
        """Return how many requests of a method have come to the proxy."""
        return self.wire.count(method, path)

    def _traffic(self) -> list[str]:
        if not self.stage.has_wire:
            return []
        return [f"{seen.method} {seen.path}" for seen in self.wire.requests]


def _holds(condition: Callable[[], object]) -> bool:
    try:
        return bool(condition())
    except LookupError:
        return False


def _names(kind: type[BaseException] | tuple[type[BaseException], ...]) -> str:
    kinds = kind if isinstance(kind, tuple) else (kind,)
    return " or ".join(one.__name__ for one in kinds)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 300 else f"{text[:300]}..."
