"""What a broken or hostile venue may say, through the real stack: typed errors, bounded memory."""

import json
import tracemalloc

import pytest

from dragoman import DragomanError
from dragoman.transport.base import MAX_BODY_BYTES, MAX_MESSAGE_BYTES
from dragoman_conformance.chaos import FrameFault, HttpFault, Reply
from dragoman_conformance.chaos.thief import Thief

BOMB = Reply.bomb(200_000_000)
DEEP = b"[" * 1_000_000
NAN = json.dumps(
    {
        "rows": [
            {
                "venue_id": "h1",
                "client_id": "c1",
                "account": "A1",
                "symbol": "AAPL",
                "side": "buy",
                "type": "limit",
                "quantity": "2",
                "price": "NaN",
                "state": "open",
                "filled": "0",
                "revision": 0,
                "canceling": False,
                "created_ns": "1",
                "updated_ns": "1",
            }
        ],
        "next": None,
    }
).encode()
BAD = {
    "bomb": BOMB,
    "deep": Reply.json(DEEP),
    "deep-in-unknown-field": Reply.json(b'{"rows": [], "next": null, "more": ' + DEEP + b"}"),
    "utf-8": Reply.json(b'{"rows": ["\xff\xfe"], "next": null}'),
    "nan": Reply.json(NAN),
    "bare-nan": Reply.json(NAN.replace(b'"NaN"', b"NaN")),
    "giant-exponent": Reply.json(NAN.replace(b'"NaN"', b'"1e999999999"')),
    "digits": Reply.json(NAN.replace(b'"NaN"', b'"' + b"9" * 5000 + b'"')),
    "list-for-object": Reply.json(b"[]"),
    "empty": Reply.json(b""),
}


@pytest.fixture
def peak():
    """Return what was held at most since the test began, in bytes."""
    tracemalloc.start()
    tracemalloc.reset_peak()
    start = tracemalloc.get_traced_memory()[0]

    yield lambda: tracemalloc.get_traced_memory()[1] - start

    tracemalloc.stop()


def answer(rig, reply, method="GET", path="/orders/open", times=1):
    facts = {"method": method, "path": path, "reply": reply, "times": times}
    return rig.http(HttpFault.REPLY, is_delivered=False, **facts)


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_answer_to_a_read_is_a_typed_error_of_bounded_size(rig, peak, name):
    trap = answer(rig, BAD[name], times=None)

    with pytest.raises(DragomanError) as caught:
        await rig.broker.fetch_open_orders()

    assert 1 <= trap.hits <= 5
    rig.proxy.clear()
    assert len(str(caught.value)) < 1000
    assert peak() < 3 * MAX_BODY_BYTES
    assert () == await rig.broker.fetch_open_orders()


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_answer_to_an_order_leaves_its_fate_to_the_evidence(rig, peak, name):
    rig.http(HttpFault.REPLY, reply=BAD[name])

    order = await rig.submit()

    assert ("OPEN", 1, 1) == (str(order.status), rig.posts, rig.taken())
    assert peak() < 3 * MAX_BODY_BYTES
    await rig.verdict()


@pytest.mark.parametrize(
    "payload",
    [
        DEEP,
        b'{"type": "order", "order": ' + DEEP + b"}",
        b"\xff\xfe",
        b'{"type": "order", "what": "fill", "order": {"price": "NaN"}, "fill": {"price": "NaN"}}',
        b"not json",
        b"",
        b" " * (MAX_MESSAGE_BYTES + 1),
    ],
    ids=["deep", "deep-inside", "utf-8", "nan", "text", "empty", "large"],
)
async def test_a_bad_frame_costs_no_order_and_no_fill(rig, peak, payload):
    await rig.submit()
    trap = rig.frame(FrameFault.REPLACE, text=b'"fill_id"', payload=payload)

    rig.venue.fill(rig.venue.venue_id_of("c1"), "0.5")
    rig.venue.fill(rig.venue.venue_id_of("c1"))

    await rig.becomes("FILLED")
    assert 1 == trap.hits
    assert peak() < 3 * MAX_BODY_BYTES
    await rig.verdict()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_s08_no_redirect_is_followed_by_reads_cancels_or_streams(rig, status):
    async with Thief() as thief:
        reply = Reply.redirect(status, f"{thief.url}/")
        answer(rig, reply, path="/", times=None)
        with pytest.raises(DragomanError):
            await rig.broker.fetch_open_orders()
        rig.proxy.clear()
        await rig.submit()
        answer(rig, reply, method="DELETE")
        await rig.broker.cancel("c1")
        trap = rig.stream_reply(reply, times=1)
        rig.streams.reset_streams()
        await rig.eventually(lambda: trap.hits)
        await rig.becomes("CANCELED")
        await rig.verdict()

        assert 0 == thief.connects
