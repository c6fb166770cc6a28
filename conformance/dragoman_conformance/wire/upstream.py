"""The hop from a recording proxy to the venue: vcrpy keeps each exchange, and nothing else is kept.

vcrpy usually patches every session of the process; the adapter's own, in this very process, would
be recorded as well. So its recording function is wrapped round one call here, of the proxy's
session, and no class is patched.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final, Protocol, TypedDict, Unpack

import aiohttp
import attrs
from yarl import URL

from .cassette import AskedRequest, Interaction, ToldResponse

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["EndlessAnswer", "Upstream"]

_HOP: Final = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "host",
        "keep-alive",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_ADDED: Final = ("User-Agent", "Accept", "Content-Type")
_DOCUMENTS: Final = frozenset({"", "application/json", "text/html"})
_OURS: Final = "Accept-Encoding"
_NEVER: Final = "never saved"


class EndlessAnswer(Exception):  # noqa: N818 - it says what came, and is no error
    """The venue answers without end; `response` is open and belongs to whoever catches this."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        super().__init__(str(response.url))
        self.response = response


class _Options(TypedDict, total=False):
    headers: list[tuple[str, str]]
    data: bytes | None
    allow_redirects: bool
    skip_auto_headers: tuple[str, ...]
    raise_for_status: bool


class _Send(Protocol):
    """Asks the venue."""

    async def __call__(
        self, session: aiohttp.ClientSession, method: str, url: str, **options: Unpack[_Options]
    ) -> aiohttp.ClientResponse: ...


class _Request(Protocol):
    """What is used of vcrpy's request."""

    method: str
    headers: Mapping[str, str]


class _Tape(Protocol):
    """What is used of vcrpy's cassette."""

    data: list[tuple[_Request, _Told]]


class _Status(TypedDict):
    code: int
    message: str | None


class _Told(TypedDict):
    """What vcrpy keeps of a response."""

    status: _Status
    headers: dict[str, list[str]]
    body: dict[str, bytes]


@attrs.frozen(kw_only=True)
class Upstream:
    """The venue behind a recording proxy.

    `base` is the scheme and the host, without a path.
    """

    base: str
    session: aiohttp.ClientSession = attrs.field(repr=False)

    def url(self, target: str) -> URL:
        """Return where a target of the proxy is at the venue, to the byte."""
        return URL(self.base + target, encoded=True)

    def headers(self, headers: Mapping[str, str]) -> list[tuple[str, str]]:
        """Return the headers that go on to the venue; nothing is compressed on the way back."""
        kept = [(name, value) for name, value in headers.items() if name.lower() not in _HOP]
        return [*kept, (_OURS, "identity")]

    async def ask(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> Interaction:
        """Ask the venue, and return the exchange as vcrpy recorded it.

        Raises:
            EndlessAnswer: The answer has no end that could be waited for.
            aiohttp.ClientError: There is no answer; vcrpy records nothing then.
        """
        tape, record = _recorder(_send)
        response = await record(
            self.session,
            method,
            str(self.url(target)),
            headers=self.headers(headers),
            data=body or None,
            allow_redirects=False,
            skip_auto_headers=_ADDED,
        )
        response.release()
        request, told = tape.data[-1]
        uri = str(self.url(target))  # vcrpy's own has its escapes in another spelling
        return _interaction(request, told, uri, body)


async def _send(
    session: aiohttp.ClientSession, method: str, url: str, **options: Unpack[_Options]
) -> aiohttp.ClientResponse:
    response = await session.request(method, URL(url, encoded=True), **options)
    if is_endless(response.headers):
        raise EndlessAnswer(response)
    return response


def is_endless(headers: Mapping[str, str]) -> bool:
    """Tell whether an answer may never end: it comes in chunks, and is no document."""
    kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    is_chunked = headers.get("Transfer-Encoding", "").lower() == "chunked"
    return is_chunked and kind not in _DOCUMENTS


def _recorder(send: _Send) -> tuple[_Tape, _Send]:
    """Return vcrpy's recording of one call, and the tape it goes to, which no file ever holds."""
    cassette = importlib.import_module("vcr.cassette")  # here, because it takes long
    mode = importlib.import_module("vcr.record_mode").RecordMode.ALL
    stubs = importlib.import_module("vcr.stubs.aiohttp_stubs")
    tape: _Tape = cassette.Cassette(_NEVER, record_mode=mode)
    record: _Send = stubs.vcr_request(tape, send)
    return tape, record


def _interaction(request: _Request, told: _Told, uri: str, body: bytes) -> Interaction:
    asked = [(name, value) for name, value in request.headers.items() if name != _OURS]
    headers = [(name, one) for name, many in told["headers"].items() for one in many]
    return Interaction(
        request=AskedRequest(method=request.method, uri=uri, headers=tuple(asked), body=body),
        response=ToldResponse(
            status=told["status"]["code"],
            reason=told["status"]["message"] or "",
            headers=tuple(headers),
            body=told["body"].get("string", b""),
        ),
    )
