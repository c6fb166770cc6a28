"""The hub protocol: records, the handshake, calls that are answered, and how a hub hangs up."""

import asyncio
import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.errors import (
    DecodeError,
    ProtocolError,
    StreamLostError,
    VenueError,
    WaitTimeoutError,
)
from dragoman.tasks import TaskScope
from dragoman.times import ManualClock
from dragoman.transport.link_connection import LinkConnection
from dragoman.transport.link_terms import LinkTerms
from dragoman.transport.signalr import (
    HUB_PING,
    Hub,
    HubClose,
    HubCompletion,
    HubFraming,
    HubInvocation,
    HubPing,
    read_record,
)

from .stream_doubles import ScriptedVenue, ScriptedWire

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.data(), st.lists(JSON, max_size=8))
def test_c11_any_splitting_gives_the_same_records(data, values):
    records = [json.dumps(value, ensure_ascii=True).encode() for value in values]
    whole = b"".join(record + b"\x1e" for record in records)
    places = data.draw(st.lists(st.integers(0, len(whole)), max_size=16))
    edges = [0, *sorted(places), len(whole)]
    framing = HubFraming()

    found = [
        record for start, stop in pairwise(edges) for record in framing.feed(whole[start:stop])
    ]

    assert records == found


def test_c11_an_escaped_separator_within_a_text_is_no_separator():
    (record,) = HubFraming().feed('{"type":1,"target":"T","arguments":["a\\u001eb"]}\x1e')

    assert ["a\x1eb"] == json.loads(read_record(record).arguments)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (
            b'{"type":1,"target":"GatewayQuote","arguments":["CON", {"p":1.10}],"headers":{}}',
            HubInvocation(target="GatewayQuote", arguments=b'["CON", {"p":1.10}]'),
        ),
        (
            b'{"type":1,"invocationId":"9","target":"Ask","arguments":[]}',
            HubInvocation(target="Ask", arguments=b"[]", invocation_id="9"),
        ),
        (b'{"type":3,"invocationId":"1"}', HubCompletion(invocation_id="1")),
        (
            b'{"type":3,"invocationId":"1","result":null}',
            HubCompletion(invocation_id="1", result=b"null"),
        ),
        (
            b'{"type":3,"invocationId":"1","error":"no"}',
            HubCompletion(invocation_id="1", error="no"),
        ),
        (b'{"type":6}', HubPing()),
        (b'{"type":7}', HubClose()),
        (
            b'{"type":7,"error":"bye","allowReconnect":true}',
            HubClose(error="bye", can_reconnect=True),
        ),
        (b'{"type":2,"invocationId":"1","item":1}', None),
        (b'{"type":9,"sequenceId":1}', None),
        (b'{"type":99,"anything":[1]}', None),
    ],
)
def test_each_type_of_record_is_read(record, message):
    assert message == read_record(record)


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b"[]",
        b"{}",
        b'{"type":"1"}',
        b'{"type":1}',
        b'{"type":3}',
        b'{"type":3,"invocationId":"1","error":"x","result":1}',
        b'{"type":1,"target":"\xff","arguments":[]}',
        b'{"type":1,"target":"T","arguments":' + b"[" * 100_000,
    ],
)
def test_what_is_no_record_is_one_typed_error(record):
    with pytest.raises(ProtocolError):
        read_record(record)


@given(st.binary(max_size=60))
def test_only_protocol_errors_escape(data):
    framing = HubFraming(max_bytes=40)
    try:
        for record in framing.feed(data):
            read_record(record)
    except ProtocolError:
        pass


def test_a_record_beyond_the_bound_is_an_error():
    with pytest.raises(DecodeError):
        list(HubFraming(max_bytes=10).feed("x" * 11))


class Flow:
    is_full = False

    def __init__(self):
        self.frames = []

    def take(self, generation, frame):
        self.frames.append(frame)

    def is_alive_sign(self, frame):
        return True

    def lost(self):
        pass


class HubVenue(ScriptedVenue):
    """Answers the handshake and each call by a script of records."""

    def __init__(self, *answers):
        super().__init__()
        self.answers = list(answers)

    def answer(self, wire, message):
        if self.answers:
            wire.say(self.answers.pop(0))


async def talk(venue, say):
    clock, flow = ManualClock(), Flow()
    wire = ScriptedWire(venue)
    session = LinkConnection(
        wire,
        HubFraming(),
        flow,
        generation=1,
        clock=clock,
        terms=LinkTerms(),
        scope=TaskScope(),
    )
    session.start("hub")
    talking = asyncio.create_task(say(session))
    await clock.advance(seconds=15)
    try:
        return await talking, wire.sent, flow
    finally:
        session.release()
        await session.aclose()


async def test_the_reply_to_the_handshake_may_share_a_message_with_the_first_records():
    event = '{"type":1,"target":"T","arguments":[1]}'
    venue = HubVenue(f"{{}}\x1e{event}\x1e")

    _, sent, flow = await talk(venue, Hub().shake_hands)

    assert ['{"protocol":"json","version":1}\x1e'] == sent
    assert [event.encode()] == flow.frames


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ('{"error":"Requested protocol is not available."}\x1e', VenueError),
        ('{"type":7,"error":"shutting down"}\x1e', StreamLostError),
        ("", WaitTimeoutError),
    ],
)
async def test_a_handshake_that_fails_says_why(answer, error):
    with pytest.raises(error):
        await talk(HubVenue(answer), Hub().shake_hands)


async def test_a_call_awaits_its_own_completion():
    other = '{"type":3,"invocationId":"77","result":1}\x1e'
    venue = HubVenue(other + '{"type":6}\x1e{"type":3,"invocationId":"1","result":{"a":1}}\x1e')

    result, sent, flow = await talk(venue, lambda session: Hub().invoke(session, "Sub", 123, "x"))

    assert b'{"a":1}' == result
    assert '{"type":1,"invocationId":"1","target":"Sub","arguments":[123,"x"]}\x1e' == sent[0]
    assert 2 == len(flow.frames)


async def test_calls_are_numbered_within_a_protocol():
    hub = Hub()
    answers = [f'{{"type":3,"invocationId":"{n}"}}\x1e' for n in (1, 2)]

    async def twice(session):
        return [await hub.invoke(session, "A"), await hub.invoke(session, "B")]

    results, _, _ = await talk(HubVenue(*answers), twice)

    assert [None, None] == results


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ('{"type":3,"invocationId":"1","error":"An unexpected error"}\x1e', VenueError),
        ('{"type":7,"allowReconnect":true}\x1e', StreamLostError),
        ('{"type":3,"invocationId":"2"}\x1e', WaitTimeoutError),
    ],
)
async def test_f27_a_call_that_is_not_confirmed_fails(answer, error):
    with pytest.raises(error):
        await talk(HubVenue(answer), lambda session: Hub().invoke(session, "Sub"))


def test_a_ping_is_a_whole_record():
    assert [HubPing()] == [read_record(record) for record in HubFraming().feed(HUB_PING)]
