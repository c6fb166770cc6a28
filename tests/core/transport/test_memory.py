"""The transport in memory keeps the promises of the real one."""

import asyncio

import pytest

from dragoman.errors import (
    ClosedError,
    ConfigurationError,
    ConnectFailedError,
    HaltedError,
    InvalidValueError,
    Outcome,
    OutcomeUnknownError,
    StreamLostError,
    UnknownReason,
)
from dragoman.permits import SendPermit
from dragoman.transport.base import HttpRequest, HttpResponse, Lane, StreamRequest
from dragoman.transport.memory import LostAfterSendError, LostBeforeSendError, MemoryTransport
from dragoman.transport.memory_wire import MemoryWire

from .raw_server import refusing

STREAM = StreamRequest(name="stream", url="wss://venue.example/s", timeout_s=0.05)


def order(**changes):
    given = {"name": "place", "method": "POST", "url": "https://venue.example/o"}
    return HttpRequest(**given | {"lane": Lane.ORDER, "timeout_s": 0.05} | changes)


async def ok(request):
    return HttpResponse(status=200, headers={"X-Id": "1"}, body=b"{}")


async def never(request):
    await asyncio.Event().wait()


def raising(error):
    async def answer(request):
        raise error

    return answer


async def test_a_request_is_answered_with_names_in_lower_case():
    seen = []

    async def answer(request):
        seen.append(request)
        return await ok(request)

    response = await MemoryTransport(answer).send(order())

    assert [order()] == seen
    assert (200, {"x-id": "1"}, b"{}") == (response.status, response.headers, response.body)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (raising(LostAfterSendError()), UnknownReason.CONNECTION_LOST),
        (raising(LostAfterSendError(UnknownReason.BAD_RESPONSE)), UnknownReason.BAD_RESPONSE),
        (never, UnknownReason.TIMEOUT),
    ],
)
async def test_what_is_lost_after_sending_is_unknown(answer, reason):
    with SendPermit(lambda: None) as permit, pytest.raises(OutcomeUnknownError) as caught:
        await MemoryTransport(answer).send(order())

    assert (reason, True) == (caught.value.reason, permit.is_used)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("connect", [raising(LostBeforeSendError()), never])
async def test_what_is_lost_before_sending_is_not_sent(connect):
    asked = []

    async def answer(request):
        asked.append(request)

    with SendPermit(lambda: None) as permit, pytest.raises(ConnectFailedError) as caught:
        await MemoryTransport(answer, connect=connect).send(order())

    assert (Outcome.NOT_SENT, False, []) == (caught.value.outcome, permit.is_used, asked)


async def test_i09_a_refusing_permit_lets_nothing_through_but_cancels():
    asked = []

    async def answer(request):
        asked.append(request.lane)
        return await ok(request)

    transport = MemoryTransport(answer)
    with refusing():
        with pytest.raises(HaltedError):
            await transport.send(order())
        await transport.send(order(lane=Lane.CANCEL))

    assert [Lane.CANCEL] == asked


async def test_i09_the_permit_is_asked_after_connecting():
    seen = []

    async def connect(request):
        seen.append("connected")

    with SendPermit(lambda: seen.append("asked")):
        await MemoryTransport(ok, connect=connect).send(order())

    assert ["connected", "asked"] == seen


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"url": "http://venue.example/o"}, ConfigurationError),
        ({"url": "https://venue.example/a b"}, InvalidValueError),
        ({"headers": (("X", "a\r\nb"),)}, InvalidValueError),
        ({"headers": (("Host", "evil"),)}, InvalidValueError),
    ],
)
async def test_what_the_real_one_refuses_is_refused(changes, error):
    with pytest.raises(error):
        await MemoryTransport(ok).send(order(**changes))


async def test_a_response_that_is_too_large_is_unknown():
    with pytest.raises(OutcomeUnknownError) as caught:
        await MemoryTransport(ok).send(order(max_bytes=1))

    assert UnknownReason.BAD_RESPONSE is caught.value.reason


async def test_a_bug_of_the_answering_function_gets_through():
    with pytest.raises(ZeroDivisionError):
        await MemoryTransport(raising(ZeroDivisionError())).send(order())


async def test_closing_ends_what_is_on_its_way():
    near, far = MemoryWire.pair()

    async def stream(request):
        return near

    transport = MemoryTransport(never, stream=stream)
    wire = await transport.open(STREAM)
    task = asyncio.ensure_future(transport.send(order(timeout_s=60)))
    await asyncio.sleep(0)
    await transport.aclose()
    with pytest.raises(OutcomeUnknownError) as caught:
        await task
    with pytest.raises(ClosedError):
        await transport.send(order())
    with pytest.raises(ClosedError):
        await transport.open(STREAM)
    await transport.aclose()

    assert UnknownReason.CLOSED is caught.value.reason
    assert (near, False) == (wire, far.is_open)


@pytest.mark.parametrize("stream", [None, never, raising(LostBeforeSendError())])
async def test_a_stream_that_nobody_opens(stream):
    with pytest.raises(ConnectFailedError):
        await MemoryTransport(ok, stream=stream).open(STREAM)


async def test_messages_travel_both_ways_in_order():
    near, far = MemoryWire.pair()
    for message in ("a", b"b", "c"):
        await near.send(message)
    await far.send("d")

    assert ["a", b"b", "c"] == [await far.receive() for _ in range(3)]
    assert "d" == await near.receive()


async def test_a_waiting_receiver_is_woken():
    near, far = MemoryWire.pair()
    task = asyncio.ensure_future(far.receive())
    await asyncio.sleep(0)
    await near.send("late")

    assert "late" == await task


async def test_who_sends_too_much_waits_until_it_is_read():
    near, far = MemoryWire.pair(capacity=1)
    await near.send("a")
    task = asyncio.ensure_future(near.send("b"))
    await asyncio.sleep(0)
    assert not task.done()

    assert "a" == await far.receive()
    await task
    assert "b" == await far.receive()


async def test_after_closing_what_was_sent_is_still_read():
    near, far = MemoryWire.pair()
    await near.send("last")
    await near.aclose()
    await near.aclose()

    assert "last" == await far.receive()
    with pytest.raises(StreamLostError, match="the peer closed it"):
        await far.receive()
    with pytest.raises(StreamLostError, match="it is closed"):
        await near.receive()
    for end in (near, far):
        with pytest.raises(StreamLostError) as caught:
            await end.send("more")
        assert (Outcome.NOT_SENT, False) == (caught.value.outcome, end.is_open)


async def test_a_cut_loses_what_is_unread_and_wakes_all_who_wait():
    near, far = MemoryWire.pair(capacity=1)
    await near.send("lost")
    waiting = [asyncio.ensure_future(near.receive()), asyncio.ensure_future(near.send("b"))]
    await asyncio.sleep(0)
    far.cut()

    for task in (*waiting, asyncio.ensure_future(far.receive())):
        with pytest.raises(StreamLostError, match="connection was lost"):
            await task


@pytest.mark.parametrize("message", ["ä" * 6, b"x" * 11])
async def test_a_message_too_large_cuts_the_stream(message):
    near, far = MemoryWire.pair(max_bytes=10)
    await near.send(message)

    with pytest.raises(StreamLostError):
        await far.receive()


async def test_i09_a_message_that_may_add_exposure_needs_leave():
    near, far = MemoryWire.pair()
    with refusing():
        with pytest.raises(HaltedError):
            await near.send("order", Lane.ORDER)
        await near.send("cancel", Lane.CANCEL)
    with SendPermit(lambda: None) as permit:
        await near.send("order", Lane.ORDER)

    assert (["cancel", "order"], True) == (
        [await far.receive(), await far.receive()],
        permit.is_used,
    )
