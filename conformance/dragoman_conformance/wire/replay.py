"""The replay: a server on loopback that answers as the venue did, and notes where an adapter parts.

Its findings are the verdict. What an adapter makes of an answer that it did not expect is its own
matter: an error that it swallows is a finding here all the same.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import urlsplit

import attrs
from aiohttp import web

from dragoman.tasks import TaskScope
from dragoman.times import SystemClock

from .cassette import ToldResponse
from .channels import LineChannel, SocketChannel, abort
from .findings import Finding, FindingKind
from .playing import Pace, Player, Stage
from .secret_forms import restore
from .signing import SignedRequest
from .tape import Tape
from .transcript import Operation, Sender, TranscriptKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from types import TracebackType

    from dragoman.times import Clock

    from .cassette import Cassette
    from .exact_json import Tree
    from .signing import SignatureCheck
    from .transcript import Transcript, Turn

__all__ = ["UNMATCHED_STATUS", "ReplayServer", "ServedExchange"]

UNMATCHED_STATUS: Final = 599
"""How a request is answered that was never recorded."""

_NOT_RECORDED: Final = "Not Recorded"
_HOST: Final = "127.0.0.1"
_LARGEST_BODY: Final = 256 * 1024 * 1024
_UNSAID: Final = frozenset(
    {"content-encoding", "content-length", "transfer-encoding", "connection", "keep-alive"}
)
_OWN: Final = ("Server", "Date", "Content-Type")
_CONTENT_TYPES: Final = {
    TranscriptKind.SSE: "text/event-stream",
    TranscriptKind.LINES: "application/octet-stream",
}


@attrs.frozen(kw_only=True)
class ServedExchange:
    """One request that arrived, and how it was answered; `place` is empty where it is unmatched."""

    number: int
    request: SignedRequest
    status: int
    place: str = ""
    body: bytes = attrs.field(default=b"", repr=False)


class _Reel:
    """A transcript on the way through its connections."""

    def __init__(self, transcript: Transcript, secrets: Mapping[str, str]) -> None:
        self.transcript = transcript
        self.path, _, self.query = restore(transcript.path, secrets).partition("?")
        self.waiting: list[int] = list(transcript.connections)
        self.bound: dict[str, Tree] = {}
        self.players: list[Player] = []


class ReplayServer:
    """Serves the cassettes and the transcripts of one scenario on a free port. A context manager.

    Requests are found by `matching`; each exchange is served as often as it was recorded, equal
    ones in their order. Each opening of a stream gets the next connection of its transcript.
    What was never recorded is answered with `UNMATCHED_STATUS` and told in `findings`.

    Args:
        cassettes: What was recorded over HTTP, in order.
        transcripts: What was recorded on streams; examples, which are no sessions, are left out.
        clock: What times and deadlines go by; the machine's if None.
        pace: When streams say what they say.
        volatile: Names of fields of requests and of frames whose values don't count.
        secrets: What the adapter under test was given, by the names of the placeholders.
        check_signature: The venue's rule, for every request; None looks at no signature.
        is_ordered: Whether exchanges must come in the order of the whole recording.
        deadline_s: How long a stream waits for what the client must say.
    """

    def __init__(
        self,
        cassettes: Sequence[Cassette] = (),
        transcripts: Sequence[Transcript] = (),
        *,
        clock: Clock | None = None,
        pace: Pace = Pace.ASAP,
        volatile: Iterable[str] = (),
        secrets: Mapping[str, str] | None = None,
        check_signature: SignatureCheck | None = None,
        is_ordered: bool = False,
        deadline_s: float = 30.0,
    ) -> None:
        self._findings: list[Finding] = []
        self._exchanges: list[ServedExchange] = []
        volatile = frozenset(volatile)
        self._tape = Tape(cassettes, volatile, secrets)
        self._reels = [_Reel(one, secrets or {}) for one in transcripts if one.is_session]
        self._check_signature = check_signature
        self._is_ordered = is_ordered
        clock = SystemClock() if clock is None or pace is Pace.REAL else clock
        self._stage = Stage(
            clock=clock,
            start_ns=clock.monotonic_ns(),
            pace=pace,
            deadline_s=deadline_s,
            secrets=secrets or {},
            volatile=volatile,
            reached=self._reached,
            report=self._findings.append,
        )
        self._asked = 0
        self._answered = 0
        self._turns: list[tuple[Turn, asyncio.Future[None]]] = []
        self._open: dict[int, web.Request] = {}  # by identity: requests are mappings themselves
        self._told: dict[int, ToldResponse] = {}
        self._runner: web.AppRunner | None = None
        self._port = 0

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=_LARGEST_BODY)
        app.router.add_route("*", "/{path:.*}", self._serve)
        app.on_response_prepare.append(self._unsay)
        runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1
        )
        await runner.setup()
        self._runner = runner
        site = web.TCPSite(runner, _HOST, 0)
        await site.start()
        self._port = runner.addresses[0][1]
        self._stage = attrs.evolve(self._stage, start_ns=self._stage.clock.monotonic_ns())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for request in tuple(self._open.values()):
            abort(request)
        if self._runner is not None:
            await self._runner.cleanup()
        for _, waiting in self._turns:
            waiting.cancel()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._port

    @property
    def http_url(self) -> str:
        """Where it answers over HTTP."""
        return f"http://{_HOST}:{self._port}"

    @property
    def ws_url(self) -> str:
        """Where WebSockets are opened."""
        return f"ws://{_HOST}:{self._port}"

    def endpoints(self, hosts: Mapping[str, str]) -> dict[str, str]:
        """Return what stands in place of the venue's own base URLs, their paths kept."""
        found: dict[str, str] = {}
        for role, url in hosts.items():
            parts = urlsplit(url)
            base = self.ws_url if parts.scheme in {"ws", "wss"} else self.http_url
            found[role] = base + parts.path.rstrip("/")
        return found

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was found so far, oldest first. Complete when the server has ended."""
        return tuple(self._findings)

    @property
    def unmatched(self) -> tuple[Finding, ...]:
        """The requests and streams that were never recorded."""
        kinds = {FindingKind.UNMATCHED, FindingKind.STREAM_UNKNOWN}
        return tuple([one for one in self._findings if one.kind in kinds])

    @property
    def unused(self) -> tuple[str, ...]:
        """The places of what was recorded and has not been asked for, or not been said."""
        unopened = [
            f"{reel.transcript.place}:{reel.transcript.of(connection)[0].line}"
            for reel in self._reels
            for connection in reel.waiting
        ]
        unplayed = [place for reel in self._reels for one in reel.players for place in one.unplayed]
        return (*self._tape.unused, *unopened, *unplayed)

    @property
    def exchanges(self) -> tuple[ServedExchange, ...]:
        """Every request over HTTP that was answered, oldest first; streams are not among them."""
        return tuple(self._exchanges)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self._open[id(request)] = request
        try:
            is_socket = request.headers.get("Upgrade", "").lower() == "websocket"
            reel = self._reel_of(request, is_socket=is_socket)
            if reel is not None:
                return await self._stream(request, reel)
            if is_socket:
                return self._refuse_stream(request)
            return await self._exchange(request)
        finally:
            del self._open[id(request)]

    def _reel_of(self, request: web.Request, *, is_socket: bool) -> _Reel | None:
        path, _, query = request.raw_path.partition("?")
        for reel in self._reels:
            is_here = reel.path == path and reel.query in {"", query}
            if is_here and reel.transcript.kind.is_socket is is_socket and reel.waiting:
                return reel
        return None

    def _refuse_stream(self, request: web.Request) -> web.Response:
        known = sorted({reel.path for reel in self._reels}) or ["none"]
        message = (
            f"no (further) connection of {request.raw_path} is recorded; of {', '.join(known)}"
        )
        self._stage.report(Finding(kind=FindingKind.STREAM_UNKNOWN, message=message))
        return web.Response(status=UNMATCHED_STATUS, reason=_NOT_RECORDED, text=message)

    async def _exchange(self, request: web.Request) -> web.StreamResponse:
        number = self._asked
        self._asked += 1
        self._wake()
        body = await request.read()
        asked = SignedRequest(
            method=request.method,
            target=request.raw_path,
            headers=tuple([(name.lower(), value) for name, value in request.headers.items()]),
            body=body,
        )
        self._look_at_signature(asked, number)
        told, place = self._answer(asked, number)
        served = ServedExchange(
            number=number, request=asked, status=told.status, place=place, body=told.body
        )
        self._exchanges.append(served)
        self._told[id(request)] = told
        response = _response(told)
        try:
            await response.prepare(request)
            await response.write_eof()
        finally:
            del self._told[id(request)]
        self._answered += 1
        self._wake()
        return response

    async def _unsay(self, request: web.Request, response: web.StreamResponse) -> None:
        """Take away the headers that aiohttp adds and the venue did not send."""
        told = self._told.get(id(request))
        kept = {name.lower() for name, _ in told.headers} if told is not None else {"content-type"}
        for name in _OWN:
            if name.lower() not in kept:
                response.headers.popall(name, None)

    def _answer(self, asked: SignedRequest, number: int) -> tuple[ToldResponse, str]:
        key = self._tape.key_of(
            asked.method, asked.target, asked.header("content-type"), asked.body
        )
        entry = self._tape.take(key)
        if entry is None:
            shown = f"{asked.method} {asked.target} is not recorded:\n{self._tape.nearest(key)}"
            self._stage.report(Finding(kind=FindingKind.UNMATCHED, message=shown, exchange=number))
            return _not_recorded(shown), ""
        skipped = self._tape.skipped_by(entry, is_whole_order=self._is_ordered)
        if skipped is not None:
            message = f"{asked.method} {asked.target} came before what was recorded before it"
            finding = Finding(
                kind=FindingKind.OUT_OF_ORDER,
                message=message,
                place=skipped.place,
                exchange=number,
            )
            self._stage.report(finding)
        return entry.interaction.response, entry.place

    def _look_at_signature(self, asked: SignedRequest, number: int) -> None:
        if self._check_signature is None:
            return
        problem = self._check_signature(asked)
        if problem is not None:
            message = f"{asked.method} {asked.path}: {problem}"
            self._stage.report(
                Finding(kind=FindingKind.SIGNATURE, message=message, exchange=number)
            )

    async def _stream(self, request: web.Request, reel: _Reel) -> web.StreamResponse:
        player = Player(reel.transcript, reel.waiting.pop(0), reel.bound, self._stage)
        reel.players.append(player)
        if reel.transcript.kind.is_socket:
            return await self._play_socket(request, reel.transcript, player)
        content_type = reel.transcript.content_type or _CONTENT_TYPES[reel.transcript.kind]
        response = web.StreamResponse(headers={"Content-Type": content_type})
        response.enable_chunked_encoding()
        await response.prepare(request)
        await player.play(LineChannel(request, response, reel.transcript.kind))
        return response

    async def _play_socket(
        self, request: web.Request, transcript: Transcript, player: Player
    ) -> web.StreamResponse:
        response = web.WebSocketResponse(
            autoping=False,
            autoclose=False,  # or the handler would end before the client's close was looked at
            compress=False,
            max_msg_size=_LARGEST_BODY,
            timeout=1.0,
        )
        await response.prepare(request)
        awaited = {one.operation for one in transcript.events if one.sender is Sender.CLIENT}
        channel = SocketChannel(
            request,
            response,
            transcript.kind,
            hears_pings=bool(awaited & {Operation.PING, Operation.PONG}),
        )
        scope = TaskScope()
        scope.spawn(channel.listen(), f"client of {transcript.path}")
        try:
            await player.play(channel)
            if not response.closed:
                await response.close()
        finally:
            player.miss()
            await scope.close()
        return response

    def _reached(self, turn: Turn) -> asyncio.Future[None]:
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._turns.append((turn, waiting))
        self._wake()
        return waiting

    def _wake(self) -> None:
        left: list[tuple[Turn, asyncio.Future[None]]] = []
        for turn, waiting in self._turns:
            if waiting.done():
                continue
            if self._asked >= turn.asked and self._answered >= turn.answered:
                waiting.set_result(None)
            else:
                left.append((turn, waiting))
        self._turns = left


def _not_recorded(message: str) -> ToldResponse:
    return ToldResponse(
        status=UNMATCHED_STATUS,
        reason=_NOT_RECORDED,
        headers=(("Content-Type", "text/plain; charset=utf-8"),),
        body=message.encode(),
    )


def _response(told: ToldResponse) -> web.Response:
    response = web.Response(status=told.status, reason=told.reason or None, body=told.body)
    for name, value in told.headers:
        if name.lower() not in _UNSAID:
            response.headers.add(name, value)
    return response
