"""A proxy that records: what passes between an adapter and a sandbox becomes evidence, redacted.

It listens on loopback, one port for each host of the venue, and asks the venue itself. Nothing is
written before all of it has passed the redaction, and a recording that is not whole is not written
at all.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import urlsplit

import aiohttp
import attrs
from aiohttp import web

from dragoman.errors import ConfigurationError, DragomanError
from dragoman.times import SystemClock, format_time
from dragoman.transport.urls import is_loopback

from ..verdicts import Basis
from .cassette import Cassette, write_cassette
from .redaction import POLICY, Redactor
from .relaying import relay_lines, relay_socket
from .scrubbing import policy_in, write_atomically
from .stream_tape import StreamTape
from .transcript import Transcript, TranscriptKind, Turn, write_transcript
from .upstream import EndlessAnswer, Upstream

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path
    from types import TracebackType

    from dragoman.times import Clock

    from .cassette import CassetteMetadata, Interaction
    from .redaction import RedactionPolicy

__all__ = ["Recorded", "RecordingError", "RecordingProxy"]

_HOST: Final = "127.0.0.1"
_SIMULATOR: Final = "http://127.0.0.1"
_LARGEST_BODY: Final = 256 * 1024 * 1024
_SECURE: Final = {"ws": "http", "wss": "https", "http": "http", "https": "https"}
_UNSAID: Final = frozenset(
    {"connection", "content-encoding", "content-length", "keep-alive", "transfer-encoding"}
)
_NO: Final = frozenset({"", "0", "false", "no"})


class RecordingError(DragomanError):
    """A recording is not whole, because something of it can't be kept; nothing was written."""


@attrs.frozen(kw_only=True)
class Recorded:
    """What was recorded of one scenario, redacted."""

    cassette: Cassette
    transcripts: tuple[Transcript, ...]


class RecordingProxy:
    """Stands between an adapter and the venue, and keeps what passes. A context manager.

    Args:
        upstreams: The venue's base URLs by the role of the endpoint.
        metadata: What the files will say of themselves; the proxy adds when its clock began and how
            it redacts. SANDBOX for a venue's hosts, SIMULATED for what answers on loopback; nothing
            else is recorded.
        policy: How the recording is redacted.
        sandbox_hosts: The hosts that may be recorded; loopback always may.
        clock: What times are told by; the machine's if None.
        environ: Where to see whether this is a CI's machine, where nothing is recorded.

    Raises:
        ConfigurationError: This is a CI's machine, a host is not allowed, or the provenance is not
            what it would be (NOT_SENT).
    """

    def __init__(
        self,
        upstreams: Mapping[str, str],
        metadata: CassetteMetadata,
        policy: RedactionPolicy,
        *,
        sandbox_hosts: Collection[str] = (),
        clock: Clock | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._parts = {role: urlsplit(url) for role, url in upstreams.items()}
        environ = os.environ if environ is None else environ
        if environ.get("CI", "").lower() not in _NO:
            raise ConfigurationError(
                "nothing is recorded in a CI's run; record on your own machine"
            )
        hosts = {part.hostname or "" for part in self._parts.values()}
        _check_hosts(hosts, sandbox_hosts, metadata.provenance)
        self._metadata = attrs.evolve(metadata, redaction=POLICY)
        self._policy = policy
        self._clock = clock or SystemClock()
        self._start_ns = self._clock.monotonic_ns()
        self._interactions: dict[int, Interaction] = {}
        self._streams: dict[tuple[str, TranscriptKind], StreamTape] = {}
        self._problems: list[str] = []
        self._asked = 0
        self._answered = 0
        self._session: aiohttp.ClientSession | None = None
        self._runners: list[web.AppRunner] = []
        self._ports: dict[str, int] = {}

    async def __aenter__(self) -> Self:
        self._start_ns = self._clock.monotonic_ns()
        clock_start = format_time(self._clock.now_ns())
        self._metadata = attrs.evolve(self._metadata, clock_start=clock_start)
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=None), cookie_jar=aiohttp.DummyCookieJar()
        )
        for part in self._parts.values():
            base = f"{_SECURE[part.scheme]}://{part.netloc}"
            if base not in self._ports:
                self._ports[base] = await self._listen(Upstream(base=base, session=self._session))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for runner in self._runners:
            await runner.cleanup()
        if self._session is not None:
            await self._session.close()

    @property
    def endpoints(self) -> dict[str, str]:
        """Where the adapter finds each role: the paths are the venue's own."""
        found: dict[str, str] = {}
        for role, part in self._parts.items():
            port = self._ports[f"{_SECURE[part.scheme]}://{part.netloc}"]
            scheme = "ws" if part.scheme in {"ws", "wss"} else "http"
            found[role] = f"{scheme}://{_HOST}:{port}{part.path.rstrip('/')}"
        return found

    @property
    def port(self) -> int:
        """The one port, where all roles are at one host.

        Raises:
            ConfigurationError: There are several (NOT_SENT).
        """
        if len(self._ports) != 1:
            raise ConfigurationError(f"the venue has {len(self._ports)} hosts; use `endpoints`")
        return next(iter(self._ports.values()))

    @property
    def problems(self) -> tuple[str, ...]:
        """What happened that can't be kept, oldest first."""
        return tuple(self._problems)

    def recorded(self, policy: RedactionPolicy | None = None) -> Recorded:
        """Return what was recorded, redacted by a policy; by the proxy's own if None.

        Raises:
            RecordingError: Something happened that can't be kept.
            LeakError: Something would tell a secret.
        """
        if self._problems:
            raise RecordingError(f"the recording is not whole: {'; '.join(self._problems)}")
        scenario = self._metadata.scenario or "recording"
        cassette = Cassette(
            metadata=self._metadata,
            interactions=tuple([one for _, one in sorted(self._interactions.items())]),
            place=f"{scenario}.yaml",
        )
        transcripts = [
            stream.transcript(self._metadata, f"{scenario}.{number}.jsonl")
            for number, stream in enumerate(self._streams.values(), 1)
        ]
        redactor = Redactor(policy or self._policy)
        redactor.learn_from([cassette], transcripts)
        return Recorded(
            cassette=redactor.redact_cassette(cassette),
            transcripts=tuple([redactor.redact_transcript(one) for one in transcripts]),
        )

    def save(self, folder: Path) -> tuple[Path, ...]:
        """Write what was recorded to `cassettes/` and `transcripts/` of a folder of evidence.

        What was recorded of the scenario before is replaced, and what the folder's `allowed.toml`
        allows is kept. Returns the files.

        Raises:
            RecordingError: Something happened that can't be kept; nothing is written.
            LeakError: Something would tell a secret; nothing is written.
            EvidenceError: The folder's `allowed.toml` is not understood; nothing is written.
        """
        made = self.recorded(policy_in(folder, self._policy))
        texts = {folder / "cassettes" / made.cassette.place: write_cassette(made.cassette)}
        for one in made.transcripts:
            texts[folder / "transcripts" / one.place] = write_transcript(one)
        scenario = self._metadata.scenario or "recording"
        old = {*(folder / "transcripts").glob(f"{scenario}.*.jsonl")} - texts.keys()
        for path, text in texts.items():
            write_atomically(path, text)
        for path in old:
            path.unlink()
        return tuple(texts)

    async def _listen(self, upstream: Upstream) -> int:
        async def handle(request: web.Request) -> web.StreamResponse:
            return await self._pass_on(request, upstream)

        app = web.Application(client_max_size=_LARGEST_BODY)
        app.router.add_route("*", "/{path:.*}", handle)
        runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1
        )
        self._runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, _HOST, 0).start()
        port: int = runner.addresses[0][1]
        return port

    async def _pass_on(self, request: web.Request, upstream: Upstream) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._socket(request, upstream)
        number = self._asked
        self._asked += 1
        what = f"{request.method} {request.path}"
        is_whole = False
        try:
            body = await request.read()
            one = await upstream.ask(request.method, request.raw_path, request.headers, body)
            is_whole = True
        except EndlessAnswer as endless:
            self._asked -= 1
            is_whole = True
            return await self._lines(request, endless.response)
        except aiohttp.ClientError as error:
            return web.Response(status=502, text=f"{what}: {type(error).__name__}")
        finally:
            if not is_whole:
                self._problems.append(f"{what} was not answered")
        self._interactions[number] = _anonymous(one)
        response = _response(one)
        await response.prepare(request)
        await response.write_eof()
        self._answered += 1
        return response

    async def _socket(self, request: web.Request, upstream: Upstream) -> web.StreamResponse:
        track = self._stream(request, TranscriptKind.WS)
        try:
            return await relay_socket(request, upstream, track.open)
        except aiohttp.WSServerHandshakeError as error:
            self._problems.append(f"the stream {request.path} was refused with {error.status}")
            return web.Response(status=error.status)
        except aiohttp.ClientError as error:
            self._problems.append(f"the stream {request.path} was not opened")
            return web.Response(status=502, text=type(error).__name__)

    async def _lines(
        self, request: web.Request, response: aiohttp.ClientResponse
    ) -> web.StreamResponse:
        content_type = response.headers.get("Content-Type", "")
        is_events = content_type.startswith("text/event-stream")
        track = self._stream(request, TranscriptKind.SSE if is_events else TranscriptKind.LINES)
        track.content_type = content_type
        return await relay_lines(request, response, track.open())

    def _stream(self, request: web.Request, kind: TranscriptKind) -> StreamTape:
        key = request.raw_path, kind
        if key not in self._streams:
            self._streams[key] = StreamTape(
                request.raw_path, kind, self._clock, self._start_ns, self._turn
            )
        return self._streams[key]

    def _turn(self) -> Turn:
        return Turn(asked=self._asked, answered=self._answered)


def _check_hosts(hosts: Collection[str], sandbox_hosts: Collection[str], provenance: Basis) -> None:
    outside = sorted(host for host in hosts if not is_loopback(host))
    forbidden = [host for host in outside if host not in sandbox_hosts]
    if forbidden:
        raise ConfigurationError(f"{', '.join(forbidden)} is no sandbox of the subject's")
    expected = Basis.SANDBOX if outside else Basis.SIMULATED
    if provenance is not expected:
        raise ConfigurationError(f"what these hosts say is {expected}, and not {provenance}")


def _anonymous(one: Interaction) -> Interaction:
    """Return an exchange without the port of a simulator, which is another each time."""
    parts = urlsplit(one.request.uri)
    if not is_loopback(parts.hostname or ""):
        return one
    return attrs.evolve(one, request=attrs.evolve(one.request, uri=_SIMULATOR + one.request.target))


def _response(one: Interaction) -> web.Response:
    told = one.response
    response = web.Response(status=told.status, reason=told.reason or None, body=told.body)
    for name, value in told.headers:
        if name.lower() not in _UNSAID:
            response.headers.add(name, value)
    return response
