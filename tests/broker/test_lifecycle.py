"""A connection from its first settings to its last task: what it keeps, and what it leaves."""

import asyncio
import gc
import os
import threading
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import attrs
import pytest

import dragoman
from dragoman import (
    AccountLockedError,
    Broker,
    ConfigurationError,
    HealthState,
    InvalidValueError,
    LifecycleError,
    Order,
    OrderRequest,
    OrderStatus,
    OutcomeUnknownError,
    ReconcilingError,
    SeededIds,
    UnsupportedError,
)
from dragoman.adapter import Environment
from dragoman.connection import Connection
from dragoman.halting import ExitPolicy
from dragoman.models.answers import RawAnswer
from dragoman.orders.journal import journal_path
from dragoman.ports import RawPort
from dragoman.registry import OptionField, Protocol, Provider, Registry
from dragoman.transport.base import HttpRequest, HttpResponse, StreamRequest, Transport, Wire

from .fake_adapter import (
    BUY,
    FakeAdapter,
    FakeVenue,
    connection,
    fill_of,
    filled,
    history,
    position,
    settle,
)

D = Decimal
LOW = OrderRequest.limit("AAPL", BUY, 10, "5", client_order_id="low")


class Nowhere(Transport):
    """Goes nowhere."""

    async def send(self, request: HttpRequest) -> HttpResponse:
        raise NotImplementedError

    async def open(self, request: StreamRequest) -> Wire:
        raise NotImplementedError

    async def aclose(self) -> None:
        return


class RealAdapter(FakeAdapter, RawPort):
    """Claims to trade real money, and takes raw requests."""

    async def request(
        self, method: str, path: str, *, query: Any = None, body: object = None
    ) -> RawAnswer:
        usual = RawAnswer(status=200)
        answer: RawAnswer = await self.venue.answer(f"{method} {path}", (query, body), usual)
        return answer


REAL = Registry(
    [
        Protocol(
            name="real",
            title="Real",
            adapter=f"{__name__}:RealAdapter",
            providers=(
                Provider(
                    name="real",
                    environment=Environment.LIVE,
                    title="Real",
                    options=(OptionField(name="venue", types=(FakeVenue,)),),
                ),
            ),
        )
    ]
)


def names_in(folder: Path) -> tuple[str, ...]:
    return tuple(sorted(path.name for path in folder.iterdir()))


def held_open() -> tuple[int, int, int]:
    """Return how many files, threads and tasks there are now."""
    gc.collect()
    files = len(names_in(Path("/proc/self/fd")))
    return files, threading.active_count(), len(asyncio.all_tasks())


def connect_real(venue: FakeVenue, **settings: Any) -> Connection:
    settings = {"account_id": "one", "timeout_s": 5.0, "ids": SeededIds(), **settings}
    return dragoman.connect("real", registry=REAL, venue=venue, clock=venue.clock, **settings)


@pytest.fixture
def venue() -> FakeVenue:
    return FakeVenue()


@pytest.fixture
async def broker(venue: FakeVenue) -> AsyncIterator[Broker]:
    async with venue.connect() as broker:
        yield broker


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state folder of this user."""
    monkeypatch.setenv("DRAGOMAN_STATE_DIR", str(tmp_path))
    return tmp_path


async def test_a_real_account_is_journalled_in_the_state_folder_by_default(
    venue: FakeVenue, state: Path
) -> None:
    async with connect_real(venue) as broker:
        await broker.submit(LOW)
        broker.halt("kept")

    assert {"halts", "journals"} == set(names_in(state))
    assert journal_path(state, "real", "one").name in names_in(state / "journals" / "real")
    assert ("one.json",) == names_in(state / "halts" / "real")


async def test_a_simulated_account_keeps_nothing_by_default(venue: FakeVenue, state: Path) -> None:
    async with venue.connect() as broker:
        await broker.submit(LOW)
        broker.halt()

    assert () == names_in(state)


async def test_memory_opts_out_of_keeping(venue: FakeVenue, state: Path) -> None:
    async with connect_real(venue, state_dir=":memory:") as broker:
        await broker.submit(LOW)
        broker.halt()

    assert () == names_in(state)


async def test_a_reader_only_takes_no_lock_and_no_journal(venue: FakeVenue, state: Path) -> None:
    async with connect_real(venue, read_only=True) as broker:
        await broker.fetch_account()

    assert () == names_in(state)


async def test_f48_a_second_owner_of_an_account_is_refused_its_orders(
    venue: FakeVenue, tmp_path: Path
) -> None:
    async with venue.connect(state_dir=tmp_path) as first, venue.connect(state_dir=tmp_path) as two:
        order = await first.submit(LOW)
        with pytest.raises(AccountLockedError, match=str(os.getpid())):
            await two.submit(attrs.evolve(LOW, client_order_id="next"))
        done = await two.cancel(order)

        assert OrderStatus.CANCELED is done.status
    assert 1 == venue.calls.count("submit")


async def test_i4_a_restart_knows_its_orders_and_the_fills_missed_meanwhile(
    venue: FakeVenue, tmp_path: Path
) -> None:
    async with venue.connect(state_dir=tmp_path) as broker:
        low = await broker.submit(LOW)
        venue.stream(filled(low, 1, 4, 4))
        await settle()
        told = broker.state.sequence
    venue.fills = [fill_of(low, 1, 4), fill_of(low, 2, 6)]
    venue.shown["low"] = attrs.evolve(
        low, status=OrderStatus.FILLED, filled_quantity=D(10), updated_at_ns=300
    )

    async with venue.connect(state_dir=tmp_path) as broker:
        again = await broker.submit(LOW)
        missed = [one for one in history(broker) if one.sequence > told]

    assert ["f2"] == [one.fill.fill_id for one in missed if one.fill is not None]
    assert (OrderStatus.FILLED, D(10)) == (again.status, again.filled_quantity)
    assert 1 == venue.calls.count("submit")


async def test_i1_an_intent_without_evidence_is_looked_for_after_a_restart_never_sent_again(
    venue: FakeVenue, tmp_path: Path
) -> None:
    broker = await venue.connect(state_dir=tmp_path)
    never: asyncio.Future[object] = asyncio.get_running_loop().create_future()
    venue.script("submit", never)
    with pytest.raises(OutcomeUnknownError):
        await broker.submit(LOW, timeout_s=0.05)
    await broker.aclose()
    venue.shown["low"] = venue.order_of(LOW, 1)

    async with venue.connect(state_dir=tmp_path) as broker:
        order = await broker.submit(LOW)

    assert OrderStatus.OPEN is order.status
    assert 1 == venue.calls.count("submit")


@pytest.mark.parametrize("policy", ["leave", "cancel", "flatten"])
async def test_f44_closing_does_what_the_policy_says(venue: FakeVenue, policy: str) -> None:
    sent: list[OrderRequest] = []

    def close(request: OrderRequest) -> Order:
        sent.append(request)
        venue.positions = ()
        return venue.order_of(
            request, status=OrderStatus.FILLED, filled_quantity=request.quantity, updated_at_ns=99
        )

    async with venue.connect(on_exit=policy) as broker:
        await broker.submit(LOW)
        venue.positions = (position(3),)
        venue.script("submit", close)

    canceled = venue.calls.count("cancel")
    assert {"leave": (0, 0), "cancel": (1, 0), "flatten": (1, 1)}[policy] == (canceled, len(sent))
    assert not broker.is_halted


async def test_f44_a_task_that_is_canceled_still_leaves_by_the_policy(venue: FakeVenue) -> None:
    entered = asyncio.Event()

    async def trade() -> None:
        async with venue.connect(on_exit=ExitPolicy.CANCEL) as broker:
            await broker.submit(LOW)
            entered.set()
            await asyncio.get_running_loop().create_future()

    trading = asyncio.ensure_future(trade())
    await entered.wait()
    trading.cancel()
    await asyncio.gather(trading, return_exceptions=True)

    assert 1 == venue.calls.count("cancel")
    assert (0, []) == (venue.open_adapters, venue.streams)


async def test_f67_a_forked_process_is_told_to_connect_anew(venue: FakeVenue) -> None:
    async with venue.connect() as broker:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:  # pragma: no cover - runs in the child
            os.write(writing, _said_in_the_child(broker))
            os._exit(0)
        os.close(writing)
        os.waitpid(child, 0)  # noqa: ASYNC222 - the child only writes and ends
        said = os.read(reading, 4096).decode()
        os.close(reading)

        assert OrderStatus.OPEN is (await broker.submit(LOW)).status
    assert "LifecycleError" in said
    assert "connect anew" in said


def _said_in_the_child(broker: Broker) -> bytes:
    submitting = broker.submit(LOW)
    try:
        submitting.send(None)
    except LifecycleError as error:
        return f"{type(error).__name__}: {error}".encode()
    except BaseException as error:  # noqa: BLE001 - whatever it is, the parent is to hear of it
        return repr(error).encode()
    return b"nothing"


async def test_f68_a_thousand_connections_leave_nothing_behind(venue: FakeVenue) -> None:
    async def come_and_go() -> None:
        async with venue.connect() as broker:
            await broker.submit(attrs.evolve(LOW, client_order_id=None))

    await come_and_go()
    before = held_open()
    for _ in range(10):
        await asyncio.gather(*[come_and_go() for _ in range(100)])
    after = held_open()

    assert before == after
    assert (0, []) == (venue.open_adapters, venue.streams)


async def test_a_transport_and_a_source_of_chance_are_handed_to_the_adapter(
    venue: FakeVenue,
) -> None:
    transport, random = Nowhere(), Random(1)
    async with (
        venue.connect(transport=transport, random=random) as one,
        venue.connect(transport=Nowhere) as two,
    ):
        contexts = [one._adapter.context, two._adapter.context]

    assert transport is contexts[0].make_transport()
    assert random is contexts[0].random
    assert contexts[1].make_transport() is not contexts[1].make_transport()


@pytest.mark.parametrize(
    "settings",
    [
        {"durability": "forever"},
        {"on_exit": "run"},
        {"reconcile_every_s": 0},
        {"reconcile_every_s": True},
        {"reconciling_wait_s": -1},
        {"random": 4},
        {"state_dir": 4},
        {"transport": 4},
    ],
)
def test_a_setting_that_is_none_is_refused_by_name(
    venue: FakeVenue, settings: dict[str, Any]
) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(settings))):
        venue.connect(**settings)


async def test_a_raw_request_is_sent_once_and_answered_whatever_its_status(
    venue: FakeVenue, state: Path
) -> None:
    del state
    refusal = RawAnswer(status=422, headers={"x-id": "7"}, text="no")
    asked: list[object] = []

    def refuse(argument: object) -> RawAnswer:
        asked.append(argument)
        return refusal

    venue.script("POST /orders", refuse)
    async with connect_real(venue) as broker:
        answer = await broker.request("POST", "/orders", query={"a": "1"}, body={"b": 2})

    assert refusal == answer
    assert [({"a": "1"}, {"b": 2})] == asked


async def test_a_raw_request_that_may_add_exposure_is_refused_as_an_order_is(
    venue: FakeVenue, state: Path
) -> None:
    del state
    async with connect_real(venue) as broker:
        venue.stream(connection(dragoman.ConnectionState.DISCONNECTED))
        await settle()
        with pytest.raises(ReconcilingError):
            await broker.request("POST", "/orders")
        broker.halt()
        with pytest.raises(dragoman.HaltedError):
            await broker.request("PUT", "/orders/1")

        assert 200 == (await broker.request("DELETE", "/orders/1")).status
        assert 200 == (await broker.request("GET", "/account")).status
        assert HealthState.HALTED is broker.health.state
    async with connect_real(venue, read_only=True) as broker:
        with pytest.raises(LifecycleError, match="read-only"):
            await broker.request("DELETE", "/orders/1")


@pytest.mark.parametrize(
    ("method", "path"),
    [("get", "/a"), ("TRACE", "/a"), ("GET", "a"), ("GET", "//host/a"), ("GET", "/a\r\nb")],
)
async def test_a_raw_request_must_be_one(broker: Broker, method: str, path: str) -> None:
    with pytest.raises(InvalidValueError, match="request"):
        await broker.request(method, path)


async def test_raw_requests_are_refused_where_they_are_not_offered(broker: Broker) -> None:
    with pytest.raises(UnsupportedError, match="raw requests"):
        await broker.request("GET", "/account")
