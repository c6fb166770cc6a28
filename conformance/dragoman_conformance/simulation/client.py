"""The client of a run: connects, does what it is told, and writes down what it is told back."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs

from dragoman import connect
from dragoman.errors import ClosedError, ConfigurationError, DragomanError
from dragoman.ids import SeededIds
from dragoman.models import OrderRequest, OrderType, Side
from dragoman.tasks import TaskScope
from dragoman_conformance.harbor.spec import REGISTRY

from .history import Row
from .plan import Verb
from .rows import row_of, row_of_order
from .transport import Life, make_transport

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable
    from random import Random

    from dragoman.broker import Broker
    from dragoman.models import Event

    from .clock import SimClock
    from .network import Network
    from .plan import Action

__all__ = ["ACCOUNT", "Memory", "SimClient"]

ACCOUNT = "A1"
_TIMEOUT_S = 3.0
_KEY = "captain"


@attrs.define
class Memory:
    """What the reader of a run knows, in its own books, which outlive the client's processes."""

    sequence: int = 0
    orders: dict[str, Row] = attrs.field(factory=dict[str, Any])


class SimClient:
    """One simulated process on one account.

    Args:
        number: Which process this is, from 1.
        state_dir: Where its journal and halt marker live; ":memory:" for a run without crashes.
        random: What it spreads its retries with.
        memory: What its reader was told, by this process and those before it.
    """

    def __init__(
        self,
        number: int,
        network: Network,
        clock: SimClock,
        *,
        state_dir: str,
        random: Random,
        memory: Memory,
    ) -> None:
        self.state_dir = state_dir
        self.life = Life()
        self.broker: Broker | None = None
        self._number = number
        self._network = network
        self._clock = clock
        self._random = random
        self._memory = memory
        self._scope = TaskScope(self._failed)
        self._do: dict[Verb, Callable[[Broker, tuple[str, ...]], Awaitable[object]]] = {
            Verb.SUBMIT: self._submit,
            Verb.REPLACE: self._replace,
            Verb.CANCEL: self._cancel,
            Verb.CANCEL_ALL: self._cancel_all,
            Verb.CLOSE: self._close,
            Verb.HALT: self._halt,
            Verb.HALT_AND_CANCEL: self._halt_and_cancel,
            Verb.FLATTEN: self._flatten,
            Verb.RESUME: self._resume,
        }

    @property
    def health(self) -> str:
        """The state of the broker's health; empty before there is one."""
        return "" if self.broker is None else self.broker.health.state

    async def start(self) -> None:
        """Connect, retrying as a supervisor would, and start to read."""
        self._network.venue.ledger.add("note", what="client started", number=self._number)
        while self.broker is None:
            try:
                self.broker = await self._connect()
            except ConfigurationError:
                raise
            except DragomanError as error:
                self.note("not-connected", error=type(error).__name__)
                await self._clock.sleep_ns(1_000_000_000)
        self._network.venue.ledger.add("note", what="client connected", number=self._number)
        self.note("connected", number=self._number)
        self._scope.spawn(self._read(self.broker), f"reader {self._number}")

    async def stop(self) -> None:
        """Disconnect in good order."""
        if self.broker is not None:
            await self.broker.aclose()
        await self._scope.close()
        self.note("closed", number=self._number)

    async def bury(self) -> None:
        """Let go of what a dead process held: the machine would have done so."""
        if self.broker is not None:
            await self.broker.aclose()
        await self._scope.close()

    def die(self) -> None:
        """End here and now: nothing this process does from now on reaches anybody."""
        self.note("crashed", number=self._number)
        self.life.is_over = True

    def act(self, action: Action) -> asyncio.Task[None]:
        """Start to do one thing, in a task of its own."""
        return self._scope.spawn(self._act(action), f"action {action}")

    def note(self, row: str, **facts: object) -> None:
        """Write down something, while alive."""
        if not self.life.is_over:
            self._network.history.add("client", row, process=self._number, **facts)

    def last_words(self) -> None:
        """Write down every order and position as this client knows them, and its health."""
        broker = self.broker
        if broker is None:
            return
        known = dict(self._memory.orders)
        known |= {order.client_order_id: row_of_order(order) for order in broker.state.orders}
        for row in known.values():
            self.note(**row)
        for position in broker.state.positions:
            self.note("position", symbol=position.symbol, quantity=str(position.quantity))
        health = broker.health
        self.note(
            "end",
            is_live=health.state == "LIVE",
            is_halted=broker.is_halted,
            health=f"{health.state} {', '.join(health.causes)}",
        )

    def halt(self, cause: str) -> None:
        """Call `halt()` from wherever this is."""
        if self.broker is not None and not self.life.is_over:
            report = self.broker.halt(cause)
            self.note(
                "halt",
                mark=self._network.history.mark,
                unsent=list(report.unsent),
                sent=list(report.sent),
            )

    async def _connect(self) -> Broker:
        return await connect(
            "harbor",
            registry=REGISTRY,
            account_id=ACCOUNT,
            clock=self._clock,
            ids=SeededIds(f"p{self._number}"),
            state_dir=self.state_dir,
            timeout_s=_TIMEOUT_S,
            transport=lambda: make_transport(self._network, self.life),
            random=self._random,
            key=_KEY,
        )

    async def _read(self, broker: Broker) -> None:
        with suppress(ClosedError):
            await self._listen(broker)

    async def _listen(self, broker: Broker) -> None:
        async with broker.stream(
            since=self._memory.sequence, orders=True, positions=True
        ) as events:
            async for event in events:
                self._take(event)

    def _take(self, event: Event) -> None:
        row = row_of(event)
        if row is None or self.life.is_over:
            return
        if row["row"] in {"event", "sequence"}:
            self._memory.sequence = row["sequence"]
        if row["row"] == "event":
            self._memory.orders[row["client_id"]] = {**row, "row": "order"}
        self.note(**row)

    async def _act(self, action: Action) -> None:
        broker = self.broker
        if broker is None:
            self.note("call", verb=action.verb, outcome="NOT_CONNECTED", error=None)
            return
        try:
            await self._do[action.verb](broker, action.arguments)
        except DragomanError as error:
            outcome = error.outcome or "NONE"
            self.note("call", verb=action.verb, outcome=outcome, error=type(error).__name__)
        else:
            self.note("call", verb=action.verb, outcome="OK", error=None)

    async def _submit(self, broker: Broker, arguments: tuple[str, ...]) -> None:
        side, symbol, quantity, price, name = arguments
        self.note("intent", client_id=name)
        is_market = price == "market"
        await broker.submit(
            OrderRequest(
                symbol=symbol,
                side=Side[side.upper()],
                order_type=OrderType.MARKET if is_market else OrderType.LIMIT,
                quantity=Decimal(quantity),
                limit_price=None if is_market else Decimal(price),
                client_order_id=name,
            )
        )

    async def _replace(self, broker: Broker, arguments: tuple[str, ...]) -> None:
        name, quantity, price = arguments
        change: dict[str, Any] = {}
        if quantity != "-":
            change["quantity"] = Decimal(quantity)
        if price != "-":
            change["limit_price"] = Decimal(price)
        await broker.replace(name, **change)

    async def _cancel(self, broker: Broker, arguments: tuple[str, ...]) -> None:
        await broker.cancel(arguments[0])

    async def _cancel_all(self, broker: Broker, _: tuple[str, ...]) -> None:
        await broker.cancel_all()

    async def _close(self, broker: Broker, arguments: tuple[str, ...]) -> None:
        await broker.close(arguments[0])

    async def _halt(self, _: Broker, __: tuple[str, ...]) -> None:
        self.halt("as planned")

    async def _halt_and_cancel(self, broker: Broker, _: tuple[str, ...]) -> None:
        self.halt("as planned")
        report = await broker.halt_and_cancel("as planned")
        self.note("report", is_flat=report.is_flat, open_orders=list(report.open_orders))

    async def _flatten(self, broker: Broker, _: tuple[str, ...]) -> None:
        self.halt("as planned")
        report = await broker.flatten("as planned")
        self.note("report", is_flat=report.is_flat, open_orders=list(report.open_orders))

    async def _resume(self, broker: Broker, _: tuple[str, ...]) -> None:
        self.note("resume", mark=self._network.history.mark)
        broker.resume()

    def _failed(self, name: str, error: BaseException) -> None:
        self.note("failed", task=name, error=type(error).__name__)
