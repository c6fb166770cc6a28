"""Cassettes: what is read, what is refused and where, and that vcrpy reads the same."""

import asyncio
from pathlib import Path

import aiohttp
import pytest
import vcr
from hypothesis import given
from hypothesis import strategies as st

from dragoman_conformance.verdicts import Basis
from dragoman_conformance.wire.cassette import (
    AskedRequest,
    Cassette,
    CassetteMetadata,
    Interaction,
    ToldResponse,
    parse_cassette,
    read_cassette,
    write_cassette,
)
from dragoman_conformance.wire.evidence import EvidenceError, Source

COMMITTED = sorted((Path(__file__).parents[3] / "cassettes").glob("*/exchanges/*.yaml"))
RECORDED = CassetteMetadata(
    provenance=Basis.SIMULATED,
    kit=1,
    scenario="ORD-LIFE",
    subject="acme",
    adapter="1.4.0",
    recorded_at="2026-11-20T03:03:16Z",
    clock_start="2026-11-20T03:03:15.000Z",
    id_seed=7,
    redaction="r1",
)
TEXT = """\
version: 1
metadata: {kit: 1, scenario: S, subject: acme, adapter: 1.4.0, provenance: sandbox,
  recorded_at: '2026-11-20T03:03:16Z', clock_start: '2026-11-20T03:03:15Z',
  id_seed: 7, redaction: r1}
interactions:
- x-kit-repeat: 2
  request:
    method: POST
    uri: https://api.acme.example/orders?a=1
    body: '{"q": 1.10}'
    headers:
      Content-Type: [application/json]
      Accept: text/plain
  response:
    status: {code: 201, message: Created}
    headers: {Set-Cookie: [a, b]}
    body: {string: !!binary /w==}
"""


def cassette(*interactions):
    return Cassette(metadata=RECORDED, interactions=interactions)


def exchange(body=b"{}", uri="https://api.acme.example/orders", **facts):
    request = AskedRequest(method="POST", uri=uri, body=body, headers=(("Accept", "*/*"),))
    return Interaction(request=request, response=ToldResponse(status=200, body=body), **facts)


def test_every_field_is_read():
    (found,) = parse_cassette(TEXT, "a.yaml").interactions

    assert AskedRequest(
        method="POST",
        uri="https://api.acme.example/orders?a=1",
        headers=(("Content-Type", "application/json"), ("Accept", "text/plain")),
        body=b'{"q": 1.10}',
    ) == (found.request)
    assert ToldResponse(
        status=201,
        reason="Created",
        headers=(("Set-Cookie", "a"), ("Set-Cookie", "b")),
        body=b"\xff",
    ) == (found.response)
    assert (2, None) == (found.repeat, found.source)


@pytest.mark.parametrize("path", COMMITTED, ids=[f"{p.parts[-3]}-{p.stem}" for p in COMMITTED])
def test_committed_evidence_is_read_and_written_the_same(path):
    found = read_cassette(path)

    assert found == parse_cassette(write_cassette(found), found.place)
    assert all(one.source is not None for one in found.interactions)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("version: 1", "version: 2", r"a\.yaml: version 2 found"),
        ("id_seed: 7", "id_seed: '7'", r"a\.yaml\.metadata\.id_seed: str found, int expected"),
        ("id_seed: 7", "id_seed: true", r"metadata\.id_seed: bool found"),
        ("id_seed: 7", "idseed: 7", r"a\.yaml\.metadata: 'id_seed' is missing"),
        ("redaction: r1", "redaction: r1, moon: full", r"a\.yaml\.metadata: unknown: moon"),
        ("provenance: sandbox", "provenance: hearsay", r"metadata\.provenance: 'hearsay' found"),
        ("03:15Z", "03:15", r"metadata\.clock_start: .* RFC 3339"),
        ("method: POST", "method: 7", r"interactions\[0\]\.request\.method: int found"),
        ("    method: POST\n", "", r"interactions\[0\]\.request: 'method' is missing"),
        ("Accept: text/plain", "Accept: 7", r"interactions\[0\]\.request\.headers\.Accept"),
        ("code: 201", "code: '201'", r"interactions\[0\]\.response\.status\.code: str found"),
        ("message: Created", "massage: Created", r"response\.status: unknown: massage"),
        ("string: !!binary /w==", "string: [1]", r"response\.body\.string: list found"),
        ("x-kit-repeat: 2", "x-kit-repeat: 0", r"interactions\[0\]\.x-kit-repeat: 0 found"),
        ("x-kit-repeat: 2", "repeat: 2", r"interactions\[0\]: unknown: repeat"),
        ("version: 1", "version: 1\nversion: 1", r"a\.yaml: no such YAML: .*comes twice"),
        ("version: 1", "version: !!python/name:os.system ''", r"a\.yaml: no such YAML"),
        ("version: 1", "{", r"a\.yaml: no such YAML"),
        ("version: 1", "version: 1\nextra: 1", r"a\.yaml: unknown: extra"),
    ],
)
def test_what_is_not_known_is_refused_with_its_place(old, new, message):
    text = TEXT.replace(old, new)

    with pytest.raises(EvidenceError, match=message):
        parse_cassette(text, "a.yaml")


def test_a_copy_without_a_source_is_no_evidence():
    text = TEXT.replace("provenance: sandbox", "provenance: documented, protocol: x, read: y")

    with pytest.raises(EvidenceError, match=r"interactions\[0\]: 'provenance' is missing"):
        parse_cassette(text, "a.yaml")


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "a.yaml").write_bytes(b"\xff")

    for name in ("a.yaml", "none.yaml"):
        with pytest.raises(EvidenceError, match=f"{name}: can't be read"):
            read_cassette(tmp_path / name)


@pytest.mark.parametrize(
    ("uri", "target"),
    [
        ("https://a.example/b/c?d=%20e", "/b/c?d=%20e"),
        ("https://a.example", "/"),
        ("https://a.example?x=/y", "/?x=/y"),
        ("http://127.0.0.1:80/a//b", "/a//b"),
        ("/only/a/path", "/only/a/path"),
    ],
)
def test_a_target_is_the_uri_without_the_host(uri, target):
    assert target == AskedRequest(method="GET", uri=uri).target


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
header = st.tuples(st.sampled_from(["A", "B-C"]), text)


@given(st.binary(max_size=60) | text.map(str.encode), st.lists(header, max_size=4), text)
def test_whatever_bytes_are_written_are_read_again(body, headers, reason):
    headers = tuple(sorted(headers, key=lambda pair: pair[0]))
    one = Interaction(
        request=AskedRequest(method="POST", uri="http://a/b", body=body, headers=headers),
        response=ToldResponse(status=200, reason=reason, body=body, headers=headers),
        source=Source(provenance=Basis.DERIVED, document=reason, read="2026-01-01"),
    )
    written = cassette(one)

    assert written == parse_cassette(write_cassette(written), written.place)


async def test_vcrpy_opens_what_is_written_and_serves_the_same_bytes(tmp_path):
    bodies = [b'{"a": 1.10}', "café €".encode("latin-1", "replace"), b"\x00\xff\xfe", b""]
    path = tmp_path / "a.yaml"
    path.write_text(
        write_cassette(
            cassette(
                *[exchange(b, f"http://a.example/{n}", repeat=n + 1) for n, b in enumerate(bodies)]
            )
        ),
        encoding="utf-8",
    )

    async def fetch(session, number):
        async with session.post(f"http://a.example/{number}") as answer:
            return await answer.read()

    with vcr.use_cassette(str(path), record_mode="none", match_on=["method", "uri"]) as opened:
        async with aiohttp.ClientSession() as session:
            found = [await fetch(session, number) for number in range(len(bodies))]

    assert (bodies, True) == (found, opened.all_played)


async def test_what_vcrpy_records_is_read(tmp_path):
    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX-A: 1\r\nX-A: 2\r\n\r\n\xffhi")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x?y=1"
    path = tmp_path / "a.yaml"
    with vcr.use_cassette(str(path), record_mode="all") as tape:
        for name, value in attrs_of(RECORDED).items():
            tape.get_metadata(name, value)
        async with aiohttp.ClientSession() as session, session.post(url, data=b"\x01") as told:
            await told.read()
    server.close()

    (found,) = read_cassette(path).interactions
    assert (b"\x01", b"\xffhi", "/x?y=1") == (
        found.request.body,
        found.response.body,
        found.request.target,
    )
    assert [("X-A", "1"), ("X-A", "2")] == [
        one for one in found.response.headers if one[0] == "X-A"
    ]


def attrs_of(metadata):
    return {
        name: str(value) if name == "provenance" else value
        for name in metadata.__slots__
        if not name.startswith("__") and (value := getattr(metadata, name)) is not None
    }
