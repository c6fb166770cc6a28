"""Transcripts: what was said on one stream and its successors, as JSON lines after a header.

An event is what the server says (`<`), what the client must say (`>`), or what happens to the
connection (`!`). A file whose header has an `order` holds examples: frames to be read, and no
session that could be played.
"""

from __future__ import annotations

import base64
import binascii
import json
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import attrs

from .cassette import CassetteMetadata, read_metadata, write_metadata
from .evidence import EvidenceError, Fields
from .exact_json import Digits, Tree, read_json, write_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = [
    "Operation",
    "Sender",
    "Transcript",
    "TranscriptEvent",
    "TranscriptKind",
    "Turn",
    "parse_transcript",
    "read_transcript",
    "write_transcript",
]

_VERSION: Final = 1


class TranscriptKind(StrEnum):
    """What kind of stream it is.

    WS: a WebSocket. LINES and SSE: an endless answer, of lines or of server-sent events. SIGNALR:
    the JSON hub protocol over a WebSocket, each record an event.
    """

    WS = "ws"
    LINES = "lines"
    SSE = "sse"
    SIGNALR = "signalr"

    @property
    def is_socket(self) -> bool:
        """Whether it goes over a WebSocket."""
        return self in _SOCKETS


_SOCKETS: Final = frozenset({TranscriptKind.WS, TranscriptKind.SIGNALR})


class Sender(StrEnum):
    """Whose turn an event is."""

    SERVER = "<"
    CLIENT = ">"
    CONNECTION = "!"


class Operation(StrEnum):
    """What happens.

    TEXT, BIN, PING, PONG and CLOSE are frames; of an endless answer, a TEXT is a line or an event,
    whose end is added, and a CHUNK the exact bytes of a piece of it. RESET and EOF end the
    connection, STALL lets it fall silent until the client leaves.
    """

    TEXT = "text"
    BIN = "bin"
    CHUNK = "chunk"
    PING = "ping"
    PONG = "pong"
    CLOSE = "close"
    RESET = "reset"
    EOF = "eof"
    STALL = "stall"


_FRAMES: Final = {Operation.TEXT, Operation.BIN, Operation.PING, Operation.PONG, Operation.CLOSE}
_ENDS: Final = {Operation.RESET, Operation.EOF, Operation.STALL}
_PIECES: Final = {Operation.TEXT, Operation.CHUNK}
_CONTENTS: Final = ("data", "json", "bin")


@attrs.frozen(kw_only=True)
class Turn:
    """How far the exchanges over HTTP had come when something was said on a stream."""

    asked: int
    answered: int


@attrs.frozen(kw_only=True)
class TranscriptEvent:
    """One event.

    `at_s` counts from the start of the recording; `connection` from 1. Exactly one of `data` (the
    text as it stands), `tree` (what is matched and bound by members) and `raw` (bytes) holds what
    was said, none where nothing is. `is_subset` lets the client say more members than `tree` has.
    `after` is the turn to wait for; None waits for nothing.
    """

    line: int
    sender: Sender
    operation: Operation
    at_s: float = 0.0
    connection: int = 1
    data: str | None = attrs.field(default=None, repr=False)
    tree: Tree = attrs.field(default=None, repr=False)
    has_tree: bool = False
    raw: bytes | None = attrs.field(default=None, repr=False)
    code: int | None = None
    reason: str = ""
    is_subset: bool = False
    after: Turn | None = None
    section: str | None = None

    @property
    def text(self) -> str:
        """What was said, as one text; what is bound stands in it as it does in the file."""
        if self.data is not None:
            return self.data
        return write_json(self.tree) if self.has_tree else ""

    @property
    def payload(self) -> bytes:
        """What was said, as bytes."""
        return self.raw if self.raw is not None else self.text.encode()


@attrs.frozen(kw_only=True)
class Transcript:
    """A file of what was said on streams of one path.

    `is_session` is False for examples. `idle` are texts that a client may say at any time, such as
    its heartbeats. `document` and `edition` name what examples were copied from.
    """

    metadata: CassetteMetadata
    kind: TranscriptKind
    path: str
    events: tuple[TranscriptEvent, ...]
    is_session: bool = True
    order: str | None = None
    idle: tuple[str, ...] = ()
    content_type: str | None = None
    document: str | None = None
    edition: str | None = None
    place: str = "transcript"

    @property
    def connections(self) -> tuple[int, ...]:
        """The numbers of its connections, ascending."""
        return tuple(sorted({event.connection for event in self.events}))

    def of(self, connection: int) -> tuple[TranscriptEvent, ...]:
        """Return the events of one connection."""
        return tuple([event for event in self.events if event.connection == connection])

    def said(self, sender: Sender) -> tuple[bytes, ...]:
        """Return every payload that one side said, in the order of the file."""
        return tuple([event.payload for event in self.events if event.sender is sender])


def read_transcript(path: Path) -> Transcript:
    """Read a transcript.

    Raises:
        EvidenceError: The file can't be read, or says anything that is not known here.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise EvidenceError(f"{path}: can't be read: {type(error).__name__}") from None
    return parse_transcript(text, str(path))


def parse_transcript(text: str, place: str) -> Transcript:
    """Read the text of a transcript.

    Raises:
        EvidenceError: It says anything that is not known here; the message begins with `place` and
            the number of the line.
    """
    lines = [(at, line) for at, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not lines:
        raise EvidenceError(f"{place}:1: empty")
    number, first = lines[0]
    head = _line_fields(first, f"{place}:{number}")
    version = head.need("v", int)
    if version != _VERSION:
        raise EvidenceError(f"{place}:{number}: version {version} found, {_VERSION} is known")
    kind = TranscriptKind(head.one_of("kind", tuple(TranscriptKind)))
    order = head.may("order", str)
    found = Transcript(
        kind=kind,
        path=head.need("path", str),
        order=order,
        is_session=order is None,
        idle=_texts(head, "idle"),
        content_type=head.may("content_type", str),
        document=head.may("document", str),
        edition=head.may("edition", str),
        metadata=read_metadata(head),
        events=tuple([_read_event(line, place, at, kind) for at, line in lines[1:]]),
        place=place,
    )
    _check_times(found)
    _check_references(found)
    return found


def write_transcript(transcript: Transcript) -> str:
    """Write a transcript as text."""
    metadata = write_metadata(transcript.metadata)
    head: dict[str, object] = {"v": _VERSION, "kind": str(transcript.kind), "path": transcript.path}
    said = {
        "order": transcript.order,
        "idle": list(transcript.idle) or None,
        "content_type": transcript.content_type,
        "document": transcript.document,
        "edition": transcript.edition,
    }
    head |= {name: value for name, value in said.items() if value is not None}
    lines = [json.dumps({**head, **metadata}, ensure_ascii=False)]
    lines += [_write_event(event) for event in transcript.events]
    return "\n".join(lines) + "\n"


def _line_fields(line: str, place: str) -> Fields:
    try:
        tree = read_json(line)
    except ValueError as error:
        raise EvidenceError(f"{place}: no JSON: {error}") from None
    if not isinstance(tree, dict):
        raise EvidenceError(f"{place}: an object expected")
    members: dict[str, object] = {
        name: value if name == "json" else _plain(value) for name, value in tree.items()
    }
    return Fields(members, place)


def _plain(tree: Tree) -> object:
    """Return what a member of ours says, in Python's own numbers; they are no amounts."""
    match tree:
        case Digits():
            return int(tree.text) if tree.text.lstrip("-").isdigit() else float(tree.text)
        case list():
            return [_plain(one) for one in tree]
        case dict():
            return {name: _plain(value) for name, value in tree.items()}
        case _:
            return tree


def _texts(fields: Fields, name: str) -> tuple[str, ...]:
    if name not in fields:
        return ()
    found = fields.items(name)
    for place, one in found:
        if not isinstance(one, str):
            raise EvidenceError(f"{place}: text expected")
    return tuple([str(one) for _, one in found])


def _read_event(line: str, file: str, number: int, kind: TranscriptKind) -> TranscriptEvent:
    place = f"{file}:{number}"
    fields = _line_fields(line, place)
    sender = Sender(fields.one_of("d", tuple(Sender)))
    operation = Operation(fields.one_of("op", tuple(Operation)))
    allowed = _allowed(kind, sender)
    if operation not in allowed:
        known = ", ".join(sorted(allowed)) or "nothing"
        raise EvidenceError(f"{place}.op: {operation} found; {kind} knows {known} for {sender!s}")
    said = [name for name in _CONTENTS if name in fields]
    if len(said) > 1:
        raise EvidenceError(f"{place}: {' and '.join(said)} found, one of them expected")
    has_tree = "json" in fields
    event = TranscriptEvent(
        line=number,
        sender=sender,
        operation=operation,
        at_s=fields.number("t") or 0.0,
        connection=_connection(fields),
        tree=_tree(fields) if has_tree else None,
        has_tree=has_tree,
        data=fields.may("data", str),
        raw=_bytes(fields),
        code=fields.may("code", int),
        reason=fields.may("reason", str) or "",
        is_subset=fields.one_of("match", ("exact", "subset")) == "subset"
        if "match" in fields
        else False,
        after=_turn(fields),
        section=fields.may("section", str),
    )
    fields.close()
    if operation in {Operation.TEXT, Operation.BIN, Operation.CHUNK} and not said:
        raise EvidenceError(f"{place}: what is said is missing: one of {', '.join(_CONTENTS)}")
    return event


def _allowed(kind: TranscriptKind, sender: Sender) -> set[Operation]:
    if sender is Sender.CONNECTION:
        return _ENDS
    if kind.is_socket:
        return _FRAMES
    return _PIECES if sender is Sender.SERVER else set()


def _connection(fields: Fields) -> int:
    found = fields.may("c", int)
    if found is not None and found < 1:
        raise EvidenceError(f"{fields.place}.c: {found} found, a number from 1 expected")
    return found or 1


def _tree(fields: Fields) -> Tree:
    return fields.take("json")  # type: ignore[return-value] # it was left as it was read


def _bytes(fields: Fields) -> bytes | None:
    found = fields.may("bin", str)
    if found is None:
        return None
    try:
        return base64.b64decode(found, validate=True)
    except binascii.Error:
        raise EvidenceError(f"{fields.place}.bin: base64 expected") from None


def _turn(fields: Fields) -> Turn | None:
    if "after" not in fields:
        return None
    found = [one for _, one in fields.items("after")]
    match found:
        case [int(asked), int(answered)]:
            return Turn(asked=asked, answered=answered)
        case _:
            raise EvidenceError(f"{fields.place}.after: two numbers expected")


def _check_times(transcript: Transcript) -> None:
    before = 0.0
    for event in transcript.events:
        if event.at_s < before:
            place = f"{transcript.place}:{event.line}"
            raise EvidenceError(f"{place}.t: {event.at_s} found after {before}: time runs forward")
        before = event.at_s


def _check_references(transcript: Transcript) -> None:
    bound: set[str] = set()
    for event in transcript.events:
        unbound = _names(event.tree, "$ref") - bound
        if unbound:
            place = f"{transcript.place}:{event.line}"
            raise EvidenceError(f"{place}: nothing before binds {', '.join(sorted(unbound))}")
        if event.sender is Sender.CLIENT:
            bound |= _names(event.tree, "$bind")


def _names(tree: Tree, mark: str) -> set[str]:
    match tree:
        case dict():
            named = tree.get(mark)
            inner = {name for value in tree.values() for name in _names(value, mark)}
            return inner | ({named} if isinstance(named, str) else set())
        case list():
            return {name for value in tree for name in _names(value, mark)}
        case _:
            return set()


def _write_event(event: TranscriptEvent) -> str:
    said: Mapping[str, object] = {
        "t": round(event.at_s, 6) or None,
        "c": event.connection,
        "d": str(event.sender),
        "op": str(event.operation),
        "code": event.code,
        "reason": event.reason or None,
        "match": "subset" if event.is_subset else None,
        "after": [event.after.asked, event.after.answered] if event.after else None,
        "section": event.section,
        "data": event.data,
        "bin": None if event.raw is None else base64.b64encode(event.raw).decode(),
    }
    text = json.dumps(
        {name: value for name, value in said.items() if value is not None}, ensure_ascii=False
    )
    return f'{text[:-1]}, "json": {write_json(event.tree)}}}' if event.has_tree else text
