"""Sections 4.4 and 4.5 of the fault matrix on sockets: halts, limits, bans and maintenance."""

import asyncio

import pytest

from dragoman import AlarmKind, DragomanError, HaltedError, Outcome
from dragoman_conformance.chaos import HttpFault, Reply
from dragoman_conformance.harbor.settings import FillStyle

SECOND_NS = 10**9
COUNT = 1000
IN_FLIGHT_NS = SECOND_NS + SECOND_NS // 4  # a quarter of a second of the loop


async def sent(rig, name):
    try:
        return await rig.submit(name)
    except DragomanError as error:
        return error


async def in_flight(rig, names):
    """Start to submit them all, without making the loop stand still for long."""
    tasks = []
    for name in names:
        tasks.append(asyncio.create_task(sent(rig, name)))
        if len(tasks) % 20 == 0:
            await asyncio.sleep(0)
    return tasks


async def test_f50_no_first_byte_is_written_after_halt_returned(open_rig):
    rig = await open_rig(speed=5.0)
    await rig.connect()
    names = [f"c{number}" for number in range(COUNT)]
    tasks = await in_flight(rig, names)
    await rig.eventually(lambda: rig.posts > 50)

    report = await asyncio.to_thread(rig.broker.halt, "enough")
    halted_ns = rig.clock.now_ns()
    results = dict(zip(names, await asyncio.gather(*tasks), strict=True))

    taken = {row["order"]["client_id"] for row in rig.venue.ledger.of("accepted")}
    refused = {
        name for name, one in results.items() if getattr(one, "outcome", None) is Outcome.NOT_SENT
    }
    assert taken == set(names) - refused
    assert 50 <= len(taken) < COUNT / 2
    late = [one for one in rig.proxy.requests if one.at_ns > halted_ns + IN_FLIGHT_NS]
    assert [] == [one.path for one in late if one.method == "POST"]
    assert set() == set(report.unsent) & taken
    assert taken <= set(report.open_orders)
    halted = {name for name, one in results.items() if isinstance(one, HaltedError)}
    assert 0 < len(halted)
    assert halted <= set(report.unsent)


async def test_f51_cancels_go_through_while_halted_and_flat_is_claimed_only_when_proved(rig):
    await rig.submit("c1")
    await rig.submit("c2")

    report = rig.broker.halt("enough")
    assert not report.is_flat
    with pytest.raises(HaltedError):
        await rig.submit("c3")
    await rig.broker.cancel_all()

    await rig.becomes("CANCELED", "c1")
    await rig.becomes("CANCELED", "c2")
    assert 0 == rig.taken("c3")


async def test_f52_what_fills_after_the_account_was_flat_is_an_alarm(open_rig):
    rig = await open_rig(fills=FillStyle.SEEDED)
    await rig.connect()
    await rig.submit("c1")
    rig.venue.fill(rig.venue.venue_id_of("c1"))
    external = rig.venue.place_external("AAPL", "buy", "3", "90")

    report = await rig.broker.flatten("enough")
    rig.venue.fill(external, "1")

    assert report.is_flat
    await rig.eventually(lambda: any(one.kind is AlarmKind.NOT_FLAT for one in rig.alarms))
    assert {("A1", "AAPL"): "1"} == rig.venue.positions()


async def test_f53_a_cancel_goes_out_while_the_limiter_is_saturated(open_rig):
    rig = await open_rig(speed=1.0, rate_limit=130)  # twice what the adapter declares, for jitter
    await rig.connect()
    await rig.submit("c0")
    names = [f"c{number}" for number in range(1, 301)]
    tasks = await in_flight(rig, names)
    await rig.eventually(lambda: rig.posts > 40)
    await rig.pause(0.1)
    begun, before = rig.clock.monotonic_ns(), rig.posts

    await rig.broker.cancel("c0")
    took_ns = rig.clock.monotonic_ns() - begun

    assert (SECOND_NS / 2 > took_ns, True) == (True, before < 100)
    await rig.becomes("CANCELED", "c0")
    await rig.broker.aclose()
    await asyncio.gather(*tasks)
    assert 429 not in {row["status"] for row in rig.venue.ledger.of("request")}


@pytest.mark.parametrize(("status", "wait"), [(429, 15), (418, 15)], ids=["429", "418"])
async def test_f55_nothing_is_sent_before_a_ban_is_over(rig, status, wait):
    rig.http(
        HttpFault.REPLY,
        method="GET",
        path="/positions",
        reply=Reply.busy(status, str(wait)),
        is_delivered=False,
    )
    with pytest.raises(DragomanError):
        await rig.broker.fetch_positions()
    banned_ns, before = rig.clock.now_ns(), len(rig.proxy.requests)

    with pytest.raises(DragomanError) as caught:
        await rig.submit(timeout_s=0.3)

    assert Outcome.NOT_SENT is caught.value.outcome
    assert [] == rig.proxy.requests[before:]
    assert 0 == rig.taken()
    await rig.eventually(lambda: len(rig.proxy.requests) > before)
    first = rig.proxy.requests[before]
    assert first.at_ns - banned_ns >= (wait - 1) * SECOND_NS
    await rig.verdict()


@pytest.mark.parametrize("reply", [Reply.html(503), Reply.html(200)], ids=["503", "200"])
async def test_f63_maintenance_is_waited_out_at_a_low_rate(rig, reply):
    await rig.submit()
    trap = rig.http(HttpFault.REPLY, method="GET", path="/", reply=reply, times=None)
    rig.streams.refuse()
    rig.streams.reset_streams()
    rig.venue.fill(rig.venue.venue_id_of("c1"))
    await rig.pause(30.0)

    assert "LIVE" != str(rig.broker.health.state)
    assert trap.hits <= 30
    rig.proxy.clear()
    await rig.streams.accept()

    await rig.becomes("FILLED")
    await rig.verdict()


async def test_a_busy_day_leaves_client_and_venue_with_the_same_orders(open_rig):
    rig = await open_rig(fills=FillStyle.SEEDED, fill_delay_ns=(0, 3 * SECOND_NS))
    await rig.connect()
    for number, fault in enumerate(HttpFault):
        slow = {HttpFault.LOST, HttpFault.STALL, HttpFault.BLACK_HOLE}
        if fault not in slow:
            rig.http(fault, skip=3 * number, seconds=0.001 if fault is HttpFault.DRIP else 1.0)

    results = await asyncio.gather(*[sent(rig, f"c{number}") for number in range(60)])

    assert 60 == len(results)
    await rig.verdict()
