"""The recording proxy: what it keeps, to the byte, what it refuses; it writes all or nothing."""

import asyncio
import json
from decimal import Decimal

import aiohttp
import pytest
import vcr
from aiohttp import web
from yarl import URL

from dragoman.errors import ConfigurationError
from dragoman_conformance.verdicts import Basis
from dragoman_conformance.wire.cassette import CassetteMetadata, read_cassette
from dragoman_conformance.wire.recorder import RecordingError, RecordingProxy
from dragoman_conformance.wire.redaction import LeakError, RedactionPolicy
from dragoman_conformance.wire.transcript import (
    Operation,
    Sender,
    TranscriptKind,
    read_transcript,
)

METADATA = CassetteMetadata(
    provenance=Basis.SIMULATED,
    kit=1,
    scenario="S-1",
    subject="acme",
    adapter="1",
    recorded_at="2026-11-20T03:03:16Z",
    id_seed=7,
)
POLICY = RedactionPolicy(salt="acme", secrets={"api_key": "Kx-key/of+tests"})


class Venue:
    """A venue with a route for each way to answer."""

    def __init__(self):
        self.asked = []
        self.headers = []
        self.closed = []

    async def any(self, request):
        self.asked.append((request.method, request.raw_path, await request.read()))
        self.headers.append(request.headers)
        return web.Response(
            body=b"\xe9t\xe9", status=201, headers={"X-Own": "1", "Retry-After": "2"}
        )

    async def moved(self, request):
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    async def leak(self, request):
        return web.json_response({"contact": "jane@broker.example"})

    async def dead(self, request):
        request.transport.abort()
        return web.Response()

    async def lines(self, request):
        response = web.StreamResponse(headers={"Content-Type": request.query["as"]})
        await response.prepare(request)
        for piece in (b'{"a":1}\n{"b', b'":"\xe2\x82', b'\xac"}\n'):
            await response.write(piece)
            await asyncio.sleep(0.01)
        if "cut" in request.query:
            await asyncio.sleep(0.02)
            request.transport.abort()
        return response

    async def socket(self, request):
        socket = web.WebSocketResponse(protocols=["a", "b"])
        await socket.prepare(request)
        async for message in socket:
            if message.data == "bye":
                await socket.close(code=4001, message=b"enough")
            elif message.data == "drop":
                request.transport.abort()
            elif message.type is aiohttp.WSMsgType.TEXT:
                await socket.send_str(message.data.upper())
                await socket.send_bytes(b"\x00\xff")
        self.closed.append(socket.close_code)
        return socket


@pytest.fixture
async def venue():
    venue = Venue()
    app = web.Application()
    for path in ("moved", "leak", "dead", "lines", "socket"):
        app.router.add_route("*", f"/v1/{path}", getattr(venue, path))
    app.router.add_route("*", "/{path:.*}", venue.any)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    venue.host = f"127.0.0.1:{runner.addresses[0][1]}"
    yield venue
    await runner.cleanup()


@pytest.fixture
async def proxy(venue):
    async with recording(venue) as proxy:
        yield proxy


@pytest.fixture
async def session():
    async with aiohttp.ClientSession() as session:
        yield session


def recording(venue, policy=POLICY):
    upstreams = {"rest": f"http://{venue.host}/v1", "stream": f"ws://{venue.host}/v1/"}
    return RecordingProxy(upstreams, METADATA, policy, environ={})


async def test_every_byte_of_an_exchange_is_kept(venue, proxy, session):
    url = URL(f"{proxy.endpoints['rest']}/orders?b=2&a=%41%40", encoded=True)
    body = b'{"q":  1.10}'
    headers = {"Content-Type": "application/json", "X-Signature": "abc"}
    async with session.post(url, data=body, headers=headers) as answer:
        told = answer.status, answer.headers["X-Own"], await answer.read()

    assert (201, "1", b"\xe9t\xe9") == told
    assert [("POST", "/v1/orders?b=2&a=%41%40", body)] == venue.asked
    assert ("abc", venue.host) == (venue.headers[0]["X-Signature"], venue.headers[0]["Host"])
    (one,) = proxy.recorded().cassette.interactions
    assert "http://127.0.0.1/v1/orders?b=2&a=%41%40" == one.request.uri
    assert ("POST", body, b"\xe9t\xe9", 201) == (
        one.request.method,
        one.request.body,
        one.response.body,
        one.response.status,
    )
    assert {"Content-Type", "Accept"} == {name for name, _ in one.request.headers}
    assert {"Content-Type", "Retry-After", "Date"} == {name for name, _ in one.response.headers}


async def test_what_a_session_makes_of_an_amount_is_seen(proxy):
    def digits(value):
        return json.dumps(value, default=str).replace('"1.10"', "1.10")

    async with aiohttp.ClientSession(
        base_url=proxy.endpoints["rest"] + "/", json_serialize=digits
    ) as session:
        await session.post("orders", json={"q": Decimal("1.10")})

    assert b'{"q": 1.10}' == proxy.recorded().cassette.interactions[0].request.body


async def test_only_the_hop_to_the_venue_is_recorded_and_no_session_is_patched(proxy, session):
    untouched = aiohttp.ClientSession._request
    seen = []

    async def ask():
        await session.get(f"{proxy.endpoints['rest']}/a")
        seen.append(aiohttp.ClientSession._request)

    await asyncio.gather(*[ask() for _ in range(20)])

    assert {untouched} == set(seen)
    assert 20 == len(proxy.recorded().cassette.interactions)


async def test_two_proxies_record_at_once_without_mixing(venue, session):
    async with recording(venue) as one, recording(venue) as other:
        await asyncio.gather(
            *[session.get(f"{one.endpoints['rest']}/one") for _ in range(5)],
            *[session.get(f"{other.endpoints['rest']}/other") for _ in range(5)],
        )
        kept = [
            {at.request.target for at in p.recorded().cassette.interactions} for p in (one, other)
        ]

    assert [{"/v1/one"}, {"/v1/other"}] == kept


async def test_redirects_are_kept_and_not_followed(venue, proxy, session):
    async with session.post(f"{proxy.endpoints['rest']}/moved", allow_redirects=False) as answer:
        assert (307, "/elsewhere") == (answer.status, answer.headers["Location"])

    assert [] == venue.asked
    assert 307 == proxy.recorded().cassette.interactions[0].response.status


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        ("application/octet-stream", TranscriptKind.LINES),
        ("text/event-stream", TranscriptKind.SSE),
    ],
)
async def test_an_endless_answer_is_kept_chunk_by_chunk(proxy, session, content_type, kind):
    async with session.get(f"{proxy.endpoints['rest']}/lines?as={content_type}") as answer:
        text = await answer.text()

    made = proxy.recorded()
    (stream,) = made.transcripts
    assert '{"a":1}\n{"b":"€"}\n' == text
    assert (kind, content_type, f"/v1/lines?as={content_type}") == (
        stream.kind,
        stream.content_type,
        stream.path,
    )
    chunks = [one.payload for one in stream.events if one.operation is Operation.CHUNK]
    assert [b'{"a":1}\n{"b', b'":"\xe2\x82', b'\xac"}\n'] == chunks
    assert (Operation.EOF, ()) == (stream.events[-1].operation, made.cassette.interactions)


async def test_an_endless_answer_that_breaks_is_kept_as_broken(proxy, session):
    with pytest.raises(aiohttp.ClientError):
        async with session.get(f"{proxy.endpoints['rest']}/lines?as=a/b&cut=1") as answer:
            await answer.read()

    assert Operation.RESET is proxy.recorded().transcripts[0].events[-1].operation


async def test_frames_are_kept_both_ways_with_how_far_the_exchanges_were(venue, proxy, session):
    await session.get(f"{proxy.endpoints['rest']}/a")
    async with session.ws_connect(
        f"{proxy.endpoints['stream']}/socket", protocols=["b"], heartbeat=0.02
    ) as socket:
        await socket.send_str('{"n": 1.10}')
        assert ('{"N": 1.10}', "b") == (await socket.receive_str(), socket.protocol)
        assert b"\x00\xff" == await socket.receive_bytes()
        await asyncio.sleep(0.05)
        await socket.send_str("bye")
        closed = await socket.receive()
        assert (4001, "enough") == (closed.data, closed.extra)

    (stream,) = proxy.recorded().transcripts
    said = [(str(one.sender), str(one.operation), one.payload) for one in stream.events]
    assert [
        (">", "text", b'{"n": 1.10}'),
        ("<", "text", b'{"N": 1.10}'),
        ("<", "bin", b"\x00\xff"),
        (">", "text", b"bye"),
        ("<", "close", b""),
    ] == said
    assert (1, 1, 4001) == (
        stream.events[1].after.asked,
        stream.events[1].after.answered,
        stream.events[-1].code,
    )


async def test_each_opening_is_a_connection_and_the_clients_close_reaches_the_venue(
    venue, proxy, session
):
    for _ in range(2):
        async with session.ws_connect(f"{proxy.endpoints['stream']}/socket") as socket:
            await socket.send_str("a")
            await socket.receive_str()
            await socket.close(code=4000)

    (stream,) = proxy.recorded().transcripts
    assert ((1, 2), [4000, 4000]) == (stream.connections, venue.closed)
    assert {Operation.TEXT, Operation.BIN} == {one.operation for one in stream.events}


async def test_a_stream_that_the_venue_drops_is_kept_and_felt_as_dropped(proxy, session):
    async with session.ws_connect(f"{proxy.endpoints['stream']}/socket") as socket:
        await socket.send_str("drop")
        assert aiohttp.WSMsgType.CLOSED is (await socket.receive()).type

    assert Operation.RESET is proxy.recorded().transcripts[0].events[-1].operation


async def test_a_hub_is_known_by_its_records(proxy, session):
    async with session.ws_connect(f"{proxy.endpoints['stream']}/socket") as socket:
        await socket.send_str("a\x1eb\x1e")
        await socket.receive_str()

    (stream,) = proxy.recorded().transcripts
    assert TranscriptKind.SIGNALR is stream.kind
    assert (b"a", b"b") == stream.said(Sender.CLIENT)


async def test_files_are_written_where_a_replay_looks_for_them(proxy, session, tmp_path):
    await session.get(f"{proxy.endpoints['rest']}/a")
    async with session.ws_connect(f"{proxy.endpoints['stream']}/socket") as socket:
        await socket.send_str("a")
        await socket.receive_str()
    (tmp_path / "transcripts").mkdir()
    (tmp_path / "transcripts/S-1.7.jsonl").write_text("of an older recording")

    files = proxy.save(tmp_path)

    names = ["cassettes/S-1.yaml", "transcripts/S-1.1.jsonl"]
    assert [tmp_path / name for name in names] == list(files)
    assert names == sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*.*"))
    found = read_cassette(files[0]).metadata
    assert ("r1", "S-1", True) == (found.redaction, found.scenario, found.clock_start is not None)
    assert found == read_transcript(files[1]).metadata
    with vcr.use_cassette(str(files[0]), record_mode="none") as opened:
        assert 1 == len(opened)


async def test_nothing_is_written_where_something_would_be_told(proxy, session, tmp_path):
    await session.get(f"{proxy.endpoints['rest']}/a")
    await session.get(f"{proxy.endpoints['rest']}/leak")

    with pytest.raises(LeakError, match=r"S-1\.yaml\.interactions\[1\].*e-mail"):
        proxy.save(tmp_path)

    assert [] == list(tmp_path.iterdir())


async def test_what_a_folder_allows_is_kept(proxy, session, tmp_path):
    await session.get(f"{proxy.endpoints['rest']}/leak")
    rule = "[[allowed]]\npattern = 'jane@.*'\nreason = 'made up by the venue'"
    (tmp_path / "allowed.toml").write_text(rule)

    (file,) = proxy.save(tmp_path)

    assert "jane@broker.example" in file.read_text()


async def test_a_secret_is_gone_from_files_and_not_from_the_wire(venue, proxy, session, tmp_path):
    secret = POLICY.secrets["api_key"]
    async with session.ws_connect(f"{proxy.endpoints['stream']}/socket") as socket:
        await socket.send_str(json.dumps({"key": secret}))
        await socket.receive_str()
    await session.post(f"{proxy.endpoints['rest']}/a", data=secret.encode())

    files = proxy.save(tmp_path)

    assert secret.encode() == venue.asked[0][2]
    assert not [one for one in files if secret.casefold() in one.read_text().casefold()]


async def test_what_got_no_answer_is_no_recording(proxy, session, tmp_path):
    async with session.get(f"{proxy.endpoints['rest']}/dead") as answer:
        assert 502 == answer.status

    assert ("GET /v1/dead was not answered",) == proxy.problems
    with pytest.raises(RecordingError, match="GET /v1/dead was not answered"):
        proxy.save(tmp_path)
    assert [] == list(tmp_path.iterdir())


async def test_a_stream_that_is_refused_is_no_recording(proxy, session):
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await session.ws_connect(f"{proxy.endpoints['stream']}/nowhere")

    assert ("the stream /v1/nowhere was refused with 201",) == proxy.problems


@pytest.mark.parametrize("value", ["true", "1", "woodpecker"])
def test_nothing_is_recorded_in_a_run_of_a_ci(value):
    with pytest.raises(ConfigurationError, match="nothing is recorded in a CI's run"):
        RecordingProxy({"rest": "http://127.0.0.1:1"}, METADATA, POLICY, environ={"CI": value})


@pytest.mark.parametrize(
    ("url", "provenance", "message"),
    [
        ("https://api.acme.example", Basis.SANDBOX, "api.acme.example is no sandbox"),
        ("https://demo.acme.example.evil.example", Basis.SANDBOX, "is no sandbox"),
        ("https://demo.acme.example", Basis.LIVE, "is sandbox, and not live"),
        ("https://demo.acme.example", Basis.SIMULATED, "is sandbox, and not simulated"),
        ("http://127.0.0.1:1", Basis.SANDBOX, "is simulated, and not sandbox"),
    ],
)
def test_only_sandboxes_are_recorded_and_under_their_name(url, provenance, message):
    metadata = CassetteMetadata(provenance=provenance)

    with pytest.raises(ConfigurationError, match=message):
        RecordingProxy(
            {"rest": url},
            metadata,
            POLICY,
            sandbox_hosts=["demo.acme.example"],
            environ={"CI": "false"},
        )


async def test_each_host_has_a_port_and_each_role_its_path(venue):
    upstreams = {
        "rest": f"http://{venue.host}/v1",
        "data": f"http://localhost:{venue.host[10:]}/v2",
    }
    async with RecordingProxy(upstreams, METADATA, POLICY, environ={}) as proxy:
        found = proxy.endpoints
        with pytest.raises(ConfigurationError, match="2 hosts"):
            _ = proxy.port

    ports = {URL(url).port for url in found.values()}
    assert (2, ["/v1", "/v2"]) == (len(ports), [URL(url).path for url in found.values()])
