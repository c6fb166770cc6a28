"""Cassettes: exchanges over HTTP in a file that vcrpy reads as well, with what we ask on top.

vcrpy's own reader is not used: it takes a file it can't read for an empty one, and what it returns
is no public matter. Bodies are bytes, kept as text in the file where they are UTF-8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import attrs

from ..verdicts import Basis
from .evidence import EvidenceError, Fields, Source, read_source
from .yaml_text import read_yaml, write_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = [
    "AskedRequest",
    "Cassette",
    "CassetteMetadata",
    "Interaction",
    "ToldResponse",
    "parse_cassette",
    "read_cassette",
    "read_metadata",
    "write_cassette",
    "write_metadata",
]

Headers = tuple[tuple[str, str], ...]

_VERSION: Final = 1
_REPEAT: Final = "x-kit-repeat"
_RECORDED: Final = (
    "kit",
    "scenario",
    "subject",
    "adapter",
    "recorded_at",
    "clock_start",
    "id_seed",
    "redaction",
)


@attrs.frozen(kw_only=True)
class AskedRequest:
    """A request: the whole URI as it was sent, headers as they are kept, and the exact body."""

    method: str
    uri: str
    headers: Headers = ()
    body: bytes = attrs.field(default=b"", repr=False)

    def header(self, name: str) -> str | None:
        """Return the first header of a name in any case; None without one."""
        return next((value for known, value in self.headers if known.lower() == name.lower()), None)

    @property
    def target(self) -> str:
        """The path and the query of the URI, as they were sent."""
        rest = self.uri.partition("://")[2] or self.uri
        start = rest.find("/")
        query = rest.find("?")
        if query >= 0 and (start < 0 or query < start):
            return "/" + rest[query:]
        return rest[start:] if start >= 0 else "/"


@attrs.frozen(kw_only=True)
class ToldResponse:
    """A response: status, reason, headers in order (one may come twice), and the exact body."""

    status: int
    reason: str = ""
    headers: Headers = ()
    body: bytes = attrs.field(default=b"", repr=False)


@attrs.frozen(kw_only=True)
class Interaction:
    """One exchange. It is served `repeat` times; `source` is where this one was copied from."""

    request: AskedRequest
    response: ToldResponse
    repeat: int = 1
    source: Source | None = None


@attrs.frozen(kw_only=True)
class CassetteMetadata:
    """What a cassette or a transcript says of itself.

    A recording names the version of its format (`kit`), the scenario, the subject, the version of
    the adapter, when it was made and by which clock and ids it began, so that a replay repeats
    both, and the policy by which it was redacted. A copy names the protocol and when it was read.
    """

    provenance: Basis
    kit: int | None = None
    scenario: str | None = None
    subject: str | None = None
    adapter: str | None = None
    recorded_at: str | None = None
    clock_start: str | None = None
    id_seed: int | None = None
    redaction: str | None = None
    source: str | None = None
    protocol: str | None = None
    read: str | None = None
    limits: str | None = None


@attrs.frozen(kw_only=True)
class Cassette:
    """A file of exchanges, in the order in which they were asked."""

    metadata: CassetteMetadata
    interactions: tuple[Interaction, ...]
    place: str = "cassette"
    """Where it was read from, for messages."""


def read_cassette(path: Path) -> Cassette:
    """Read a cassette.

    Raises:
        EvidenceError: The file can't be read, or says anything that is not known here.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise EvidenceError(f"{path}: can't be read: {type(error).__name__}") from None
    return parse_cassette(text, str(path))


def parse_cassette(text: str, place: str) -> Cassette:
    """Read the text of a cassette.

    Raises:
        EvidenceError: It says anything that is not known here; the message begins with `place`.
    """
    fields = Fields(read_yaml(text, place), place)
    version = fields.need("version", int)
    if version != _VERSION:
        raise EvidenceError(f"{place}: version {version} found, {_VERSION} is known")
    metadata = read_metadata(fields.inner("metadata"))
    interactions = tuple(
        [_read_interaction(Fields(raw, at)) for at, raw in fields.items("interactions")]
    )
    fields.close()
    if not metadata.provenance.is_recorded and metadata.source is None:
        for number, one in enumerate(interactions):
            if one.source is None:
                raise EvidenceError(f"{place}.interactions[{number}]: 'provenance' is missing")
    return Cassette(metadata=metadata, interactions=interactions, place=place)


def write_cassette(cassette: Cassette) -> str:
    """Write a cassette as text that vcrpy opens, too."""
    document = {
        "version": _VERSION,
        "metadata": write_metadata(cassette.metadata),
        "interactions": [_write_interaction(one) for one in cassette.interactions],
    }
    return write_yaml(document)


def write_metadata(metadata: CassetteMetadata) -> dict[str, object]:
    """Return what a file says of itself, without what it does not know."""
    said = attrs.asdict(metadata, filter=_is_said)
    return {**said, "provenance": str(metadata.provenance)}


def read_metadata(fields: Fields) -> CassetteMetadata:
    """Read what a file says of itself, and claim that it says nothing else.

    Raises:
        EvidenceError: Something is missing for its provenance, of the wrong kind, or unknown.
    """
    provenance = Basis(fields.one_of("provenance", tuple(Basis)))
    needed = _RECORDED if provenance.is_recorded else ("protocol", "read")
    for name in needed:
        if name not in fields:
            raise EvidenceError(f"{fields.place}: {name!r} is missing, which {provenance} needs")
    found = CassetteMetadata(
        provenance=provenance,
        kit=fields.may("kit", int),
        scenario=fields.may("scenario", str),
        subject=fields.may("subject", str),
        adapter=fields.may("adapter", str),
        recorded_at=fields.time("recorded_at"),
        clock_start=fields.time("clock_start"),
        id_seed=fields.may("id_seed", int),
        redaction=fields.may("redaction", str),
        source=fields.may("source", str),
        protocol=fields.may("protocol", str),
        read=fields.may("read", str),
        limits=fields.may("limits", str),
    )
    fields.close()
    return found


def _is_said(_: object, value: object) -> bool:
    return value is not None


def _read_interaction(fields: Fields) -> Interaction:
    repeat = fields.may(_REPEAT, int)
    if repeat is not None and repeat < 1:
        raise EvidenceError(f"{fields.place}.{_REPEAT}: {repeat} found, at least 1 expected")
    found = Interaction(
        request=_read_request(fields.inner("request")),
        response=_read_response(fields.inner("response")),
        repeat=repeat or 1,
        source=read_source(fields.inner("provenance")) if "provenance" in fields else None,
    )
    fields.close()
    return found


def _read_request(fields: Fields) -> AskedRequest:
    found = AskedRequest(
        method=fields.need("method", str),
        uri=fields.need("uri", str),
        headers=_read_headers(fields.inner("headers")),
        body=_read_body(fields.take("body"), f"{fields.place}.body"),
    )
    fields.close()
    return found


def _read_response(fields: Fields) -> ToldResponse:
    status = fields.inner("status")
    body = fields.inner("body")
    found = ToldResponse(
        status=status.need("code", int),
        reason=status.may("message", str) or "",
        headers=_read_headers(fields.inner("headers")),
        body=_read_body(body.take("string"), f"{body.place}.string") if "string" in body else b"",
    )
    for one in (status, body, fields):
        one.close()
    return found


def _read_headers(fields: Fields) -> Headers:
    place = fields.place
    found: list[tuple[str, str]] = []
    for name, raw in fields.rest().items():
        values = cast("list[object]", raw) if isinstance(raw, list) else [raw]
        for value in values:
            if not isinstance(value, str):
                raise EvidenceError(f"{place}.{name}: {value!r} found, text expected")
            found.append((name, value))
    return tuple(found)


def _read_body(raw: object, place: str) -> bytes:
    match raw:
        case None:
            return b""
        case str():
            return raw.encode()
        case bytes():
            return raw
        case _:
            raise EvidenceError(f"{place}: {type(raw).__name__} found, text or binary expected")


def _write_interaction(one: Interaction) -> dict[str, object]:
    written: dict[str, object] = {} if one.repeat == 1 else {_REPEAT: one.repeat}
    if one.source is not None:
        source = attrs.asdict(one.source, filter=_is_said)
        written["provenance"] = {**source, "provenance": str(one.source.provenance)}
    request, response = one.request, one.response
    written["request"] = {
        "method": request.method,
        "uri": request.uri,
        "body": _write_body(request.body) if request.body else None,
        "headers": _write_headers(request.headers),
    }
    written["response"] = {
        "status": {"code": response.status, "message": response.reason},
        "headers": _write_headers(response.headers),
        "body": {"string": _write_body(response.body)},
    }
    return written


def _write_headers(headers: Headers) -> Mapping[str, list[str]]:
    written: dict[str, list[str]] = {}
    for name, value in headers:
        written.setdefault(name, []).append(value)
    return written


def _write_body(body: bytes) -> str | bytes:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body
