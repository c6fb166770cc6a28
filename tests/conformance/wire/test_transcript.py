"""Transcripts: what is read, and what is refused with its file and line."""

from pathlib import Path

import pytest

from dragoman_conformance.wire.evidence import EvidenceError
from dragoman_conformance.wire.exact_json import Digits
from dragoman_conformance.wire.transcript import (
    Operation,
    Sender,
    Turn,
    parse_transcript,
    read_transcript,
    write_transcript,
)

COMMITTED = sorted((Path(__file__).parents[3] / "cassettes").glob("*/transcripts/*.ndjson"))
HEADER = (
    '{"v":1,"kind":"ws","path":"/stream","provenance":"sandbox","kit":1,"scenario":"S","subject":"a",'
    '"adapter":"1","recorded_at":"2026-11-20T03:03:16Z","clock_start":"2026-11-20T03:03:15Z",'
    '"id_seed":7,"redaction":"r1","idle":["ping"]}'
)
EVENTS = """
{"t":0.000,"c":1,"d":">","op":"text","json":{"op":"subscribe","id":{"$bind":"sub"},"n":1.10}}
{"t":0.051,"c":1,"d":"<","op":"text","json":{"id":{"$ref":"sub"},"result":null},"after":[2,1]}

{"t":0.060,"c":1,"d":"<","op":"text","data":"{\\"px\\":1.10}"}
{"t":0.060,"c":1,"d":"<","op":"bin","bin":"AAH/"}
{"t":1,"c":1,"d":">","op":"text","json":{"op":"x"},"match":"subset"}
{"t":4.000,"c":1,"d":"!","op":"reset"}
{"t":4.210,"c":2,"d":"<","op":"close","code":1012,"reason":"restart"}
"""


def parsed(events=EVENTS, header=HEADER):
    return parse_transcript(f"{header}\n{events}", "a.ndjson")


def test_every_field_is_read():
    found = parsed()

    assert ("/stream", ("ping",), (1, 2), True) == (
        found.path,
        found.idle,
        found.connections,
        found.is_session,
    )
    first, second, third, fourth, fifth, sixth, last = found.events
    assert {"op": "subscribe", "id": {"$bind": "sub"}, "n": Digits("1.10")} == first.tree
    assert (Turn(asked=2, answered=1), 0.051, 4) == (second.after, second.at_s, second.line)
    assert ('{"px":1.10}', b'{"px":1.10}') == (third.text, third.payload)
    assert (b"\x00\x01\xff", Operation.BIN) == (fourth.payload, fourth.operation)
    assert (True, False) == (fifth.is_subset, first.is_subset)
    assert (Sender.CONNECTION, Operation.RESET) == (sixth.sender, sixth.operation)
    assert (1012, "restart", 2) == (last.code, last.reason, last.connection)


def test_what_is_written_is_read_the_same():
    found = parsed()
    again = parse_transcript(write_transcript(found), "a.ndjson")

    assert write_transcript(found) == write_transcript(again)
    assert [one.payload for one in found.events] == [one.payload for one in again.events]


@pytest.mark.parametrize("path", COMMITTED, ids=[f"{p.parts[-3]}-{p.stem}" for p in COMMITTED])
def test_committed_examples_are_read_as_frames_and_no_session(path):
    found = read_transcript(path)

    assert (False, found) == (
        found.is_session,
        parse_transcript(write_transcript(found), found.place),
    )
    assert all(found.said(sender) for sender in (Sender.SERVER, Sender.CLIENT))


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ("{", r"a\.ndjson:2: no JSON"),
        ("[]", r"a\.ndjson:2: an object expected"),
        ('{"d":"<","d":"<","op":"ping"}', r"a\.ndjson:2: no JSON: a member is named twice"),
        ('{"op":"text","data":""}', r"a\.ndjson:2: 'd' is missing"),
        ('{"d":"=","op":"text","data":""}', r"a\.ndjson:2\.d: '=' found"),
        ('{"d":"<","op":"shout","data":""}', r"a\.ndjson:2\.op: 'shout' found"),
        ('{"d":"<","op":"chunk","data":""}', r"a\.ndjson:2\.op: chunk found; ws knows"),
        ('{"d":"!","op":"text","data":""}', r"a\.ndjson:2\.op: text found"),
        ('{"d":"<","op":"text"}', r"a\.ndjson:2: what is said is missing"),
        ('{"d":"<","op":"text","data":"","json":1}', r"a\.ndjson:2: data and json found"),
        ('{"d":"<","op":"text","data":1}', r"a\.ndjson:2\.data: int found, str expected"),
        ('{"d":"<","op":"bin","bin":"?"}', r"a\.ndjson:2\.bin: base64 expected"),
        ('{"d":"<","op":"ping","t":"0"}', r"a\.ndjson:2\.t: '0' found"),
        ('{"d":"<","op":"ping","t":-1}', r"a\.ndjson:2\.t: -1 found"),
        ('{"d":"<","op":"ping","c":0}', r"a\.ndjson:2\.c: 0 found"),
        ('{"d":"<","op":"ping","after":[1]}', r"a\.ndjson:2\.after: two numbers expected"),
        ('{"d":"<","op":"ping","moon":1}', r"a\.ndjson:2: unknown: moon"),
        ('{"d":">","op":"ping","match":"some"}', r"a\.ndjson:2\.match: 'some' found"),
        ('{"d":"<","op":"text","json":{"$ref":"a"}}', r"a\.ndjson:2: nothing before binds a"),
        ('{"d":"<","op":"ping","t":2}\n{"d":"<","op":"ping","t":1}', r"a\.ndjson:3\.t: 1.0 found"),
    ],
)
def test_what_is_not_known_is_refused_with_its_line(event, message):
    with pytest.raises(EvidenceError, match=message):
        parse_transcript(f"{HEADER}\n{event}", "a.ndjson")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"v":1', '"v":2', "a.ndjson:1: version 2 found"),
        ('"ws"', '"tcp"', r"a\.ndjson:1\.kind: 'tcp' found"),
        ('"path"', '"pat"', r"a\.ndjson:1: 'path' is missing"),
        ('"kit":1', '"kit":1,"moon":1', r"a\.ndjson:1: unknown: moon"),
        ('"adapter":"1",', "", r"a\.ndjson:1: 'adapter' is missing"),
        ('["ping"]', "[1]", r"a\.ndjson:1\.idle\[0\]: text expected"),
    ],
)
def test_a_header_that_is_not_known_is_refused(old, new, message):
    with pytest.raises(EvidenceError, match=message):
        parsed(header=HEADER.replace(old, new))


def test_an_answer_of_lines_has_no_client():
    header = HEADER.replace('"ws"', '"lines"')

    assert b"\xff" == parsed('{"d":"<","op":"chunk","bin":"/w=="}', header).events[0].payload
    with pytest.raises(EvidenceError, match="lines knows nothing for >"):
        parsed('{"d":">","op":"text","data":""}', header)


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff"])
def test_a_file_without_a_header_is_refused(tmp_path, content):
    (tmp_path / "a.ndjson").write_bytes(content)

    with pytest.raises(EvidenceError, match=r"a\.ndjson"):
        read_transcript(tmp_path / "a.ndjson")
