"""What is recorded over a dialect of ours is replayed to the same adapter, to the byte."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from dragoman import OrderStatus, OrderType, Side
from dragoman.paper.settings import FeeSchedule, VenueSettings
from dragoman.times import format_time, parse_time
from dragoman_alpaca.conformance import SUBJECT as ALPACA
from dragoman_conformance.references.subjects import REFERENCES
from dragoman_conformance.stage.clock import NOON_NS, StageClock
from dragoman_conformance.stage.loop import run_on_stage
from dragoman_conformance.stage.stage import Stage, endpoints_at
from dragoman_conformance.verdicts import Basis
from dragoman_conformance.wire.cassette import CassetteMetadata, read_cassette
from dragoman_conformance.wire.playing import Pace
from dragoman_conformance.wire.recorder import RecordingProxy
from dragoman_conformance.wire.redaction import Allowance, RedactionPolicy
from dragoman_conformance.wire.replay import ReplayServer
from dragoman_conformance.wire.transcript import read_transcript

SUBJECTS = {"alpaca": ALPACA, **REFERENCES}
SETTINGS = VenueSettings(fees=FeeSchedule.free())
HASHED = Allowance(
    pattern="[0-9a-f]{32,64}", reason="ids and hashes of tokens, made by the library"
)


def policy(subject):
    return RedactionPolicy(
        salt=subject.name, secrets=subject.canaries(), allowances=(HASHED,), signatures=()
    )


def metadata(subject):
    return CassetteMetadata(
        provenance=Basis.SIMULATED,
        kit=1,
        scenario="deal",
        subject=subject.name,
        adapter="0",
        recorded_at=format_time(NOON_NS),
        id_seed=0,
        redaction=None,
    )


async def deal(subject, broker, clock):
    """Buy, rest, cancel; tell what became of it, as far as nothing in it depends on the moment."""
    sample = subject.sample
    order = {"symbol": sample.symbol, "side": Side.BUY, "quantity": sample.quantity}
    bought = await broker.submit(client_order_id="c1", order_type=OrderType.MARKET, **order)
    limit = sample.price / 2
    await broker.submit(
        client_order_id="c2", order_type=OrderType.LIMIT, limit_price=limit, **order
    )
    await clock.sleep_ns(3_000_000_000)
    await broker.cancel("c2")
    await clock.sleep_ns(3_000_000_000)
    assert bought.client_order_id == "c1"
    told = [broker.state.order(name) for name in ("c1", "c2")]
    return [
        [
            (one.status, one.filled_quantity, one.average_fill_price, one.venue_order_id)
            for one in told
        ],
        [(one.symbol, one.quantity) for one in broker.state.positions],
        (await broker.fetch_account()).equity if hasattr(broker, "fetch_account") else None,
    ]


async def record(subject, folder):
    clock = StageClock(asyncio.get_running_loop())
    async with AsyncExitStack() as stack:
        venue = await stack.enter_async_context(Stage(subject, clock, SETTINGS))
        upstreams = endpoints_at(subject.declared.endpoints, venue.wire.port)
        proxy = await stack.enter_async_context(
            RecordingProxy(upstreams, metadata(subject), policy(subject), clock=clock, environ={})
        )
        desk = Stage(subject, clock, SETTINGS, upstream=proxy.port)
        await stack.enter_async_context(desk)
        broker = await desk.connect()
        told = await deal(subject, broker, clock)
        await desk.disconnect()
        files = proxy.save(folder)
    return told, files, answers_of(desk)


async def replay(subject, folder, pace):
    cassette = read_cassette(folder / "cassettes/deal.yaml")
    clock = StageClock(asyncio.get_running_loop(), parse_time(cassette.metadata.clock_start))
    server = ReplayServer(
        [cassette],
        [read_transcript(one) for one in sorted((folder / "transcripts").glob("deal.*.jsonl"))],
        clock=clock,
        pace=pace,
        volatile=subject.volatile,
        secrets=subject.canaries(),
    )
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(server)
        desk = Stage(subject, clock, SETTINGS, upstream=server.port)
        await stack.enter_async_context(desk)
        broker = await desk.connect()
        told = await deal(subject, broker, clock)
        await desk.disconnect()
    return told, answers_of(desk), server


def answers_of(desk):
    """Return what the adapter was told, with what redaction keeps from files in its words."""
    return [
        (one.method, one.target, one.response_body.replace(b"ticket-venue-1", b"<TOKEN>"))
        for one in desk.wire.exchanges
    ]


@pytest.mark.parametrize("name", sorted(SUBJECTS))
def test_what_was_recorded_is_replayed_to_the_same_end(name, tmp_path):
    subject = SUBJECTS[name]

    told, files, asked = run_on_stage(record(subject, tmp_path))
    assert OrderStatus.FILLED is told[0][0][0]
    kept = "".join(path.read_text() for path in files)
    assert not [value for value in subject.canaries().values() if value in kept]

    for pace in (Pace.CLOCK, Pace.ASAP):
        again, answers, server = run_on_stage(replay(subject, tmp_path, pace))

        assert [] == [str(one) for one in server.findings]
        assert told == again
        assert len(asked) == len(answers)
        assert pace is Pace.ASAP or asked == answers
