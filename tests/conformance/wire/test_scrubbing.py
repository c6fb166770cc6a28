"""A folder of evidence is looked through, and redacted anew where that is asked for."""

import attrs
import pytest

from dragoman_conformance.verdicts import Basis
from dragoman_conformance.wire.cassette import (
    AskedRequest,
    Cassette,
    CassetteMetadata,
    Interaction,
    ToldResponse,
    read_cassette,
    write_cassette,
)
from dragoman_conformance.wire.evidence import EvidenceError, Source
from dragoman_conformance.wire.redaction import LeakError, RedactionPolicy
from dragoman_conformance.wire.scrubbing import scrub, write_atomically
from dragoman_conformance.wire.transcript import (
    Operation,
    Sender,
    Transcript,
    TranscriptEvent,
    TranscriptKind,
    read_transcript,
    write_transcript,
)

POLICY = RedactionPolicy(salt="acme", secrets={"api_key": "Kx-key/of+tests"})
RECORDED = CassetteMetadata(
    provenance=Basis.SANDBOX,
    kit=1,
    scenario="S",
    subject="acme",
    adapter="1",
    recorded_at="2026-11-20T03:03:16Z",
    clock_start="2026-11-20T03:03:15Z",
    id_seed=7,
    redaction="r1",
)
COPIED = CassetteMetadata(provenance=Basis.DOCUMENTED, protocol="acme", read="2026-11-20")


def cassette(body, metadata=RECORDED):
    source = Source(provenance=Basis.DOCUMENTED, document="d", read="r")
    one = Interaction(
        request=AskedRequest(method="GET", uri="https://a.example/x"),
        response=ToldResponse(status=200, body=body),
        source=None if metadata is RECORDED else source,
    )
    return write_cassette(Cassette(metadata=metadata, interactions=(one,)))


def transcript(text, metadata=RECORDED):
    event = TranscriptEvent(line=2, sender=Sender.SERVER, operation=Operation.TEXT, data=text)
    return write_transcript(
        Transcript(metadata=metadata, kind=TranscriptKind.WS, path="/s", events=(event,))
    )


@pytest.fixture
def folder(tmp_path):
    for name in ("cassettes", "transcripts", "tables"):
        (tmp_path / name).mkdir()
    return tmp_path


def places(found):
    return [one.place.rpartition("/")[2] for one in found.leftovers]


def test_a_clean_folder_has_nothing_left(folder):
    write_atomically(folder / "cassettes/a.yaml", cassette(b"{}"))
    write_atomically(folder / "transcripts/a.jsonl", transcript("{}"))
    write_atomically(folder / "tables/a.ndjson", "{}\n")

    found = scrub(folder, POLICY)

    assert (3, (), ()) == (found.files, found.leftovers, found.rewritten)


def test_what_is_left_is_told_by_its_place_in_every_kind_of_file(folder):
    write_atomically(folder / "cassettes/a.yaml", cassette(b"Kx-key/of+tests"))
    write_atomically(folder / "transcripts/a.jsonl", transcript("jane@broker.example"))
    write_atomically(folder / "tables/a.ndjson", '{"note":"Bearer abcdefgh12"}')
    stale = attrs.evolve(RECORDED, redaction="r0")
    write_atomically(
        folder / "cassettes/b.yaml", cassette(b"{}", stale).replace("source", "source")
    )

    found = scrub(folder, POLICY)

    assert ["a.yaml.interactions[0].response.body", "b.yaml", "a.jsonl:2", "a.ndjson"] == places(
        found
    )
    assert "Kx-key" not in str([str(one) for one in found.leftovers])


def test_recordings_are_redacted_anew_and_copies_left_alone(folder):
    write_atomically(folder / "cassettes/a.yaml", cassette(b'{"k":"Kx-key/of+tests"}'))
    write_atomically(folder / "cassettes/b.yaml", cassette(b'{"token":"Kx-key/of+tests"}', COPIED))
    write_atomically(folder / "transcripts/a.jsonl", transcript('{"k":"Kx-key/of+tests"}'))

    found = scrub(folder, POLICY, check=False)

    (one,) = read_cassette(folder / "cassettes/a.yaml").interactions
    (event,) = read_transcript(folder / "transcripts/a.jsonl").events
    assert (b'{"k":"<API_KEY>"}', '{"k":"<API_KEY>"}') == (one.response.body, event.data)
    assert ["b.yaml.interactions[0].response.body"] == places(found)
    assert ["a.yaml", "a.jsonl"] == [name.rpartition("/")[2] for name in found.rewritten]
    assert () == scrub(folder, POLICY, check=False).rewritten


def test_what_can_not_be_redacted_stays_as_it_was(folder):
    text = cassette(b"jane@broker.example")
    write_atomically(folder / "cassettes/a.yaml", text)

    with pytest.raises(LeakError, match="an e-mail address"):
        scrub(folder, POLICY, check=False)

    assert text == (folder / "cassettes/a.yaml").read_text()


def test_what_a_folder_allows_with_a_reason_is_left(folder):
    write_atomically(folder / "tables/a.ndjson", "jane@broker.example joe@broker.example")
    rule = (
        """[[allowed]]\npattern = 'jane@broker\\.example'\nreason = 'an example of the document'"""
    )
    write_atomically(folder / "allowed.toml", rule)

    found = scrub(folder, POLICY)

    assert (1, ["a.ndjson"]) == (found.files, places(found))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[allowed]]\npattern = 'a'", "'reason' is missing"),
        ("[[allowed]]\npattern = 'a'\nreason = ''", "reason"),
        ("[[allowed]]\npattern = '('\nreason = 'x'", "no pattern"),
        ("[[allowed]]\npattern = 'a'\nreason = 'x'\nuntil = 1", "unknown: until"),
        ("allowed = 1", "a list expected"),
        ("[", "can't be read"),
    ],
)
def test_an_allowance_that_is_not_understood_is_refused(folder, text, message):
    write_atomically(folder / "allowed.toml", text)

    with pytest.raises(EvidenceError, match=rf"allowed\.toml.*{message}"):
        scrub(folder, POLICY)


def test_a_broken_file_is_no_evidence(folder):
    write_atomically(folder / "cassettes/a.yaml", "version: [")

    with pytest.raises(EvidenceError, match=r"a\.yaml"):
        scrub(folder, POLICY)


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    write_atomically(tmp_path / "new/a.txt", "old")

    with pytest.raises(UnicodeEncodeError):
        write_atomically(tmp_path / "new/a.txt", "new \udc00")

    assert ("old", ["a.txt"]) == (
        (tmp_path / "new/a.txt").read_text(),
        [one.name for one in (tmp_path / "new").iterdir()],
    )
