"""A folder of evidence, looked through for what must not be in it, or redacted once more."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import attrs

from .cassette import read_cassette, write_cassette
from .evidence import EvidenceError
from .redaction import POLICY, Leftover, Redactor, read_allowances
from .transcript import read_transcript, write_transcript

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .cassette import CassetteMetadata
    from .redaction import RedactionPolicy

__all__ = ["ALLOWED", "Scrubbed", "policy_in", "scrub", "write_atomically"]

ALLOWED: Final = "allowed.toml"
"""The file of a folder of evidence that tells what may look like a secret, and why."""

_CASSETTES: Final = frozenset({".yaml", ".yml"})
_TRANSCRIPTS: Final = frozenset({".jsonl", ".ndjson"})
_TRANSCRIPT_FOLDER: Final = "transcripts"


@attrs.frozen(kw_only=True)
class Scrubbed:
    """What a look through a folder found: `leftovers`, and which files were written anew."""

    files: int
    leftovers: tuple[Leftover, ...]
    rewritten: tuple[str, ...] = ()


def scrub(folder: Path, policy: RedactionPolicy, *, check: bool = True) -> Scrubbed:
    """Look through every file below a folder; unless `check`, redact recordings anew first.

    Cassettes and transcripts are looked at value by value, everything else as text. What was copied
    from documents is never changed. A file `allowed.toml` in the folder allows what it names.

    Raises:
        EvidenceError: A cassette or a transcript can't be read.
        LeakError: A recording can't be redacted; it stays as it was, and so do those after it.
    """
    redactor = Redactor(policy_in(folder, policy))
    cassettes = {path: read_cassette(path) for path in _files(folder, _CASSETTES)}
    streams = [path for path in _files(folder, _TRANSCRIPTS) if _TRANSCRIPT_FOLDER in path.parts]
    transcripts = {path: read_transcript(path) for path in streams}
    recorded = [one for one in cassettes.values() if one.metadata.provenance.is_recorded]
    heard = [one for one in transcripts.values() if one.metadata.provenance.is_recorded]
    redactor.learn_from(recorded, heard)
    rewritten: list[str] = []
    if not check:
        for path, cassette in cassettes.items():
            if cassette.metadata.provenance.is_recorded:
                cassettes[path] = redactor.redact_cassette(cassette)
                rewritten += _rewritten(path, write_cassette(cassettes[path]))
        for path, transcript in transcripts.items():
            if transcript.metadata.provenance.is_recorded:
                transcripts[path] = redactor.redact_transcript(transcript)
                rewritten += _rewritten(path, write_transcript(transcripts[path]))
    others = [
        path
        for path in _files(folder, None)
        if path not in cassettes | transcripts and path != folder / ALLOWED
    ]
    found: list[Leftover] = []
    for cassette in cassettes.values():
        found += _stale(cassette.metadata, cassette.place)
        found += redactor.leftovers_of_cassette(cassette)
    for transcript in transcripts.values():
        found += _stale(transcript.metadata, transcript.place)
        found += redactor.leftovers_of_transcript(transcript)
    for path in others:
        found += redactor.leftovers(_read(path), str(path))
    count = len(cassettes) + len(transcripts) + len(others)
    return Scrubbed(files=count, leftovers=tuple(found), rewritten=tuple(rewritten))


def policy_in(folder: Path, policy: RedactionPolicy) -> RedactionPolicy:
    """Return a policy with what a folder of evidence allows besides.

    Raises:
        EvidenceError: The folder's `allowed.toml` is not understood.
    """
    path = folder / ALLOWED
    if not path.is_file():
        return policy
    return attrs.evolve(policy, allowances=(*policy.allowances, *read_allowances(path)))


def write_atomically(path: Path, text: str) -> None:
    """Write a file so that there is the whole of it, or what was there before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    try:
        with draft.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _files(folder: Path, endings: frozenset[str] | None) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and (endings is None or path.suffix in endings):
            yield path


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except OSError as error:
        raise EvidenceError(f"{path}: can't be read: {type(error).__name__}") from None


def _rewritten(path: Path, text: str) -> list[str]:
    if _read(path) == text:
        return []
    write_atomically(path, text)
    return [str(path)]


def _stale(metadata: CassetteMetadata, place: str) -> list[Leftover]:
    if not metadata.provenance.is_recorded or metadata.redaction == POLICY:
        return []
    what = f"it was redacted by {metadata.redaction!r}, not by {POLICY!r}"
    return [Leftover(place=place, what=what, length=0)]
