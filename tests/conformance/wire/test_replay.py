"""The replay server, as a client of its HTTP side feels it, and what it finds."""

import asyncio
import contextlib
import hashlib
import hmac
import json
import time

import aiohttp
import pytest
from yarl import URL

from dragoman_conformance.verdicts import Basis
from dragoman_conformance.wire.cassette import (
    AskedRequest,
    Cassette,
    CassetteMetadata,
    Interaction,
    ToldResponse,
)
from dragoman_conformance.wire.findings import FindingKind
from dragoman_conformance.wire.replay import UNMATCHED_STATUS, ReplayServer
from dragoman_conformance.wire.signing import HmacSpec, check_of

METADATA = CassetteMetadata(provenance=Basis.SIMULATED)
JSON = (("Content-Type", "application/json"),)
HOST = "https://api.acme.example"


def exchange(target, told=b"{}", *, method="GET", body=b"", status=200, headers=JSON, repeat=1):
    request = AskedRequest(method=method, uri=HOST + target, headers=JSON, body=body)
    response = ToldResponse(status=status, reason="Said", headers=headers, body=told)
    return Interaction(request=request, response=response, repeat=repeat)


def replay(*interactions, **options):
    tape = Cassette(metadata=METADATA, interactions=interactions, place="a.yaml")
    return ReplayServer([tape], **options)


@pytest.fixture
async def session():
    async with aiohttp.ClientSession() as session:
        yield session


async def ask(session, server, target, method="GET", **options):
    """Ask, and return the status, the exact body and the headers."""
    url = URL(server.http_url + target, encoded=True)
    async with session.request(method, url, **options) as answer:
        return answer.status, await answer.read(), answer.headers


async def kinds_of(server):
    return [one.kind for one in server.findings]


async def test_what_was_recorded_is_served_byte_for_byte(session):
    told = b"\xe9t\xe9 <html>"
    headers = (
        ("Content-Type", "text/html; charset=latin-1"),
        ("X-Limit", "1"),
        ("X-Limit", "2"),
        ("Date", "Fri, 20 Nov 2026 03:03:16 GMT"),
    )
    async with replay(exchange("/a?b=1", told, status=502, headers=headers)) as server:
        answer = await session.get(f"{server.http_url}/a?b=1")
        assert (502, "Said", told) == (answer.status, answer.reason, await answer.read())
        assert "été <html>" == await answer.text()
        assert ["1", "2"] == answer.headers.getall("X-Limit")
        assert ["Fri, 20 Nov 2026 03:03:16 GMT"] == answer.headers.getall("Date")
        assert "Server" not in answer.headers

    assert ((), ()) == (server.findings, server.unused)


async def test_headers_of_a_body_that_is_no_longer_compressed_are_dropped(session):
    headers = (
        *JSON,
        ("Content-Encoding", "gzip"),
        ("Content-Length", "7"),
        ("Transfer-Encoding", "chunked"),
    )
    async with replay(exchange("/a", b'{"a": 1.10}', headers=headers)) as server:
        status, body, told = await ask(session, server, "/a")

    assert (200, b'{"a": 1.10}', "11") == (status, body, told["Content-Length"])
    assert "Content-Encoding" not in told


async def test_no_header_is_added_that_was_not_recorded(session):
    async with replay(exchange("/a", b"{}", headers=())) as server:
        _, body, told = await ask(session, server, "/a")

    assert (b"{}", {"Content-Length"}) == (body, set(told) - {"Connection"})


async def test_equal_requests_are_served_in_recorded_order(session):
    async with replay(*[exchange("/a", str(n).encode()) for n in range(3)]) as server:
        found = [(await ask(session, server, "/a"))[1] for _ in range(3)]
        status, body, _ = await ask(session, server, "/a")

    assert [b"0", b"1", b"2"] == found
    assert (UNMATCHED_STATUS, True) == (status, b"as often as it was" in body)
    assert [FindingKind.UNMATCHED] == await kinds_of(server)


async def test_an_exchange_is_repeated_as_often_as_the_file_says(session):
    async with replay(exchange("/a", b"1", repeat=3)) as server:
        statuses = [(await ask(session, server, "/a"))[0] for _ in range(4)]

    assert [200, 200, 200, 599] == statuses
    assert [FindingKind.UNMATCHED] == await kinds_of(server)


async def test_what_was_not_recorded_is_refused_with_what_differs(session):
    recorded = exchange("/orders", method="POST", body=b'{"symbol":"AAPL","quantity":"1.10"}')
    async with replay(recorded) as server:
        status, body, _ = await ask(
            session, server, "/orders", "POST", json={"symbol": "AAPL", "quantity": 1.1}
        )

    (finding,) = server.unmatched
    assert (UNMATCHED_STATUS, finding.message.encode()) == (status, body)
    assert '-  "quantity":"1.10",' in finding.message
    assert ("a.yaml.interactions[0]",) == server.unused
    assert (0, 599) == (finding.exchange, server.exchanges[0].status)


async def test_a_client_that_swallows_every_error_is_found_all_the_same(session):
    async with replay() as server:
        with contextlib.suppress(aiohttp.ClientError):
            (await session.get(f"{server.http_url}/x")).raise_for_status()

    assert [FindingKind.UNMATCHED] == await kinds_of(server)


async def test_another_order_on_one_path_is_found(session):
    pair = [exchange("/o", method="POST", body=b'{"n":%d}' % n) for n in (1, 2)]
    async with replay(*pair) as server:
        await ask(session, server, "/o", "POST", data=b'{"n":2}')
        await ask(session, server, "/o", "POST", data=b'{"n":1}')

    assert [FindingKind.OUT_OF_ORDER] == await kinds_of(server)
    assert ("a.yaml.interactions[0]", 0) == (
        server.findings[0].place,
        server.findings[0].exchange,
    )


@pytest.mark.parametrize("is_ordered", [True, False])
async def test_the_order_of_different_paths_counts_only_where_asked_for(session, is_ordered):
    async with replay(exchange("/a"), exchange("/b"), is_ordered=is_ordered) as server:
        await ask(session, server, "/b")
        await ask(session, server, "/a")

    assert is_ordered == bool(server.findings)


async def test_volatile_fields_must_be_there_and_may_differ(session):
    recorded = exchange("/o?t=1", method="POST", body=b'{"nonce":5}', repeat=2)
    async with replay(recorded, volatile=("t", "nonce")) as server:
        first, *_ = await ask(session, server, "/o?t=2", "POST", data=b'{"nonce":6}')
        second, *_ = await ask(session, server, "/o?t=2", "POST", data=b"{}")

    assert (200, UNMATCHED_STATUS) == (first, second)


async def test_a_recorded_signature_is_left_out_of_matching(session):
    recorded = exchange("/o?sig=%3CSIG%3E", method="POST", body=b'{"sign":"<SIG>"}')
    async with replay(recorded) as server:
        status, *_ = await ask(session, server, "/o?sig=abc", "POST", data=b'{"sign":"def"}')

    assert 200 == status


async def test_placeholders_become_the_replays_secrets(session):
    recorded = exchange("/o/<API_KEY:url>?b=<API_KEY:base64>", method="POST", body=b'"<API_KEY>"')
    async with replay(recorded, secrets={"api_key": "KITCANARY/1"}) as server:
        target = "/o/KITCANARY%2F1?b=S0lUQ0FOQVJZLzE="
        status, *_ = await ask(session, server, target, "POST", data=b'"KITCANARY/1"')

    assert 200 == status


async def test_a_token_that_the_recording_told_is_asked_with(session):
    async with replay(
        exchange("/login", b'{"token":"<TOKEN>"}'), exchange("/me/<TOKEN>")
    ) as server:
        token = json.loads((await ask(session, server, "/login"))[1])["token"]
        status, *_ = await ask(session, server, str(URL.build(path=f"/me/{token}")))

    assert 200 == status


@pytest.mark.parametrize(
    ("sent", "problem"),
    [
        ("b=2&a=1", None),
        ("a=1&b=2", "the signature is not that of the bytes that arrived"),
        (None, "the request carries no signature"),
    ],
)
async def test_a_signature_is_computed_over_the_bytes_that_arrive(session, sent, problem):
    rule = HmacSpec(
        secret="canary-key",
        message=lambda asked: asked.query.encode(),
        header="X-Sign",
        exempt=("/time",),
    )
    made = hmac.new(b"canary-key", (sent or "").encode(), hashlib.sha256).hexdigest()
    recorded = [exchange("/o?a=1&b=2"), exchange("/time")]
    async with replay(*recorded, check_signature=rule) as server:
        await ask(session, server, "/time")
        await ask(session, server, "/o?b=2&a=1", headers={"X-Sign": made} if sent else {})

    found = [(one.kind, one.message) for one in server.findings]
    assert ([(FindingKind.SIGNATURE, f"GET /o: {problem}")] if problem else []) == found
    assert made not in str(found)


async def test_a_signature_may_stand_in_the_query(session):
    def signed(asked):
        return asked.query.rpartition("&sig=")[0].encode()

    rule = HmacSpec(secret="canary-key", message=signed, parameter="sig", digest="sha512")
    made = hmac.new(b"canary-key", b"a=1", hashlib.sha512).hexdigest()
    async with replay(exchange("/o?a=1&sig=<SIG>"), check_signature=rule) as server:
        await ask(session, server, f"/o?a=1&sig={made}")

    assert () == server.findings


async def test_a_subjects_own_rule_is_asked(session):
    def rule(method, target, headers, body, credentials):
        return f"{method} {target} {headers['x-a']} {body} {credentials['key']}"

    check = check_of(rule, {"key": "canary"})
    async with replay(exchange("/o?a=1", body=b""), check_signature=check) as server:
        await ask(session, server, "/o?a=1", headers={"X-A": "b"})

    assert ["GET /o: GET /o?a=1 b b'' canary"] == [one.message for one in server.findings]


async def test_many_at_once_each_get_their_own(session):
    async with replay(*[exchange(f"/{n}", str(n).encode()) for n in range(50)]) as server:
        found = await asyncio.gather(*[ask(session, server, f"/{n}") for n in range(50)])

    assert [str(n).encode() for n in range(50)] == [body for _, body, _ in found]
    assert ((), 50) == (server.findings, len(server.exchanges))


async def test_what_is_asked_is_kept_as_it_came(session):
    async with replay(exchange("/o?b=2&a=%41", method="POST", body=b"x")) as server:
        await ask(session, server, "/o?b=2&a=%41", "POST", data=b"x", headers={"X-A": "Y"})

    (seen,) = server.exchanges
    assert ("POST", "/o?b=2&a=%41", b"x", "Y") == (
        seen.request.method,
        seen.request.target,
        seen.request.body,
        seen.request.header("x-a"),
    )
    assert ("a.yaml.interactions[0]", 200, "%41"[1:]) == (
        seen.place,
        seen.status,
        seen.request.target[-2:],
    )


async def test_endpoints_stand_in_for_the_venues_own(session):
    async with replay() as server:
        found = server.endpoints(
            {"rest": f"{HOST}/v2/", "stream": "wss://s.example/x", "data": "http://d.example"}
        )

    assert {
        "rest": f"http://127.0.0.1:{server.port}/v2",
        "stream": f"ws://127.0.0.1:{server.port}/x",
        "data": f"http://127.0.0.1:{server.port}",
    } == found


def test_a_long_cassette_is_indexed():
    many = [exchange(f"/{n % 7}?n={n}") for n in range(3_000)]
    begun = time.process_time()
    server = replay(*many)
    keys = [server._tape.key_of("GET", f"/{n % 7}?n={n}", None, b"") for n in range(3_000)]
    entries = [server._tape.take(key) for key in keys]
    skipped = [server._tape.skipped_by(one, is_whole_order=True) for one in entries]

    assert (False, True) == (None in entries, not any(skipped))
    assert time.process_time() - begun < 2
