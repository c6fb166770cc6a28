"""An adapter that waits for its turn and asks for leave right before it writes, as a transport."""

import asyncio
from typing import Any

import attrs

import dragoman
from dragoman import Order, OrderRequest, OrderStatus, SeededIds
from dragoman.adapter import Environment
from dragoman.connection import Connection
from dragoman.models import OrderChange
from dragoman.models.answers import RawAnswer
from dragoman.permits import current_permit
from dragoman.ports import RawPort
from dragoman.registry import OptionField, Protocol, Provider, Registry

from .fake_adapter import FakeAdapter, FakeVenue, settle


class WritingVenue(FakeVenue):
    """A venue that keeps what was written, in order; `turns` hold every order back."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[str] = []
        self.turns = asyncio.Semaphore(0)
        self.answering = asyncio.Event()

    def connect(self, **settings: Any) -> Connection:
        settings = {"account_id": "one", "timeout_s": 30.0, "ids": SeededIds(), **settings}
        return dragoman.connect(
            "writing", registry=REGISTRY, venue=self, clock=self.clock, **settings
        )

    async def let(self, count: int) -> None:
        """Let so many orders have their turn."""
        for _ in range(count):
            self.turns.release()
        await settle(8)


class WritingAdapter(FakeAdapter, RawPort):
    """Queues, then writes under the permit, then waits for the answer."""

    async def submit(self, request: OrderRequest) -> Order:
        await self._write(request.client_order_id or "")
        return self.venue.order_of(request)

    async def replace(self, order: Order, change: OrderChange) -> Order:
        await self._write(f"replace {order.client_order_id}")
        return await super().replace(order, change)

    async def request(
        self, method: str, path: str, *, query: Any = None, body: object = None
    ) -> RawAnswer:
        del query, body
        await self._write(f"{method} {path}")
        return RawAnswer(status=200)

    async def _write(self, what: str) -> None:
        venue = self.venue
        assert isinstance(venue, WritingVenue)
        await venue.turns.acquire()
        permit = current_permit()
        assert permit is not None
        with permit.writing():
            venue.written.append(what)
        await venue.answering.wait()


def canceled(order: Order) -> Order:
    """Return an order as it is after its cancel."""
    return attrs.evolve(
        order, status=OrderStatus.CANCELED, updated_at_ns=(order.updated_at_ns or 0) + 1
    )


REGISTRY = Registry(
    [
        Protocol(
            name="writing",
            title="Writing",
            adapter=f"{__name__}:WritingAdapter",
            providers=(
                Provider(
                    name="writing",
                    environment=Environment.SIMULATED,
                    title="Writing",
                    options=(OptionField(name="venue", types=(WritingVenue,)),),
                ),
            ),
        )
    ]
)
