"""The client that adapters call: one endpoint, one answer, or one error that says what is known.

Each attempt asks limiter and breaker for leave, is signed anew, and is sent once. Only reads and
cancels that declare it are ever repeated. One deadline stands over all of it.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import attrs

from dragoman.errors import (
    BusyError,
    CircuitOpenError,
    ConfigurationError,
    ConnectFailedError,
    DragomanError,
    Outcome,
    OutcomeUnknownError,
    RateLimitedError,
)
from dragoman.resilience.retry import RetryPolicy
from dragoman.times import MILLISECOND_NS, SECOND_NS

from .base import HttpRequest, Lane
from .draft import RequestDraft
from .endpoint import Auth, Endpoint
from .signing import Signer
from .urls import build_url, check_base, encode_query, fill_path

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
    from random import Random

    from dragoman.resilience.ratelimit import Grant, RateLimiter
    from dragoman.times import Clock

    from .base import Headers, HttpResponse, Transport
    from .verdict import Verdicts

__all__ = ["HttpClient"]

_NOTHING: Final[Mapping[str, str]] = {}
_A_MOMENT_NS: Final = MILLISECOND_NS


class _NoRoomAnyMoreError(BusyError):
    """The request waited for a connection until others had used up the room it was let in for."""

    default_outcome = Outcome.NOT_SENT


@attrs.define
class _Call:
    """One call under its deadline, in monotonic time."""

    endpoint: Endpoint
    draft: RequestDraft
    started_ns: int
    deadline_ns: int
    attempts: int = 0
    given_s: float = 0.0
    is_resynced: bool = False


class HttpClient:
    """Calls endpoints of one venue for one account.

    Args:
        transport: Carries the requests.
        bases: The base URLs by role, as endpoints name them.
        verdicts: Says what responses mean; holds the breaker, if there is one.
        clock: Times deadlines and waits.
        random: Spreads retries.
        signer: Signs each attempt; None for a venue without keys.
        limiter: Gives leave by the weights of the endpoints; None where nothing is limited.
        retry: How reads and cancels are repeated that declare it.
        on_response: Told of every whole response, to feed the limiter from its headers.
        resync: Measures the venue's clock anew, after an error whose code is in `skew_codes`.
        skew_codes: The venue's codes for a request dated wrongly.

    Raises:
        ConfigurationError: A base URL is refused, see `check_base`.
    """

    def __init__(
        self,
        transport: Transport,
        bases: Mapping[str, str],
        *,
        verdicts: Verdicts,
        clock: Clock,
        random: Random,
        signer: Signer | None = None,
        limiter: RateLimiter | None = None,
        retry: RetryPolicy | None = None,
        on_response: Callable[[HttpResponse], None] | None = None,
        resync: Callable[[], Awaitable[None]] | None = None,
        skew_codes: frozenset[str] = frozenset(),
    ) -> None:
        self._transport = transport
        self._bases = {role: check_base(url) for role, url in bases.items()}
        self._verdicts = verdicts
        self._clock = clock
        self._random = random
        self._signer = signer
        self._must_prepare = signer is not None and type(signer).prepare is not Signer.prepare
        self._limiter = limiter
        self._retry = retry or RetryPolicy()
        self._on_response = on_response
        self._resync = resync
        self._skew_codes = skew_codes
        self._is_skewed = False
        self._resyncing = asyncio.Lock()

    def call(
        self,
        endpoint: Endpoint,
        *,
        path: Mapping[str, str] = _NOTHING,
        query: Iterable[tuple[str, str]] = (),
        headers: Headers = (),
        body: bytes = b"",
        timeout_s: float | None = None,
    ) -> Coroutine[Any, Any, HttpResponse]:
        """Return the venue's 2xx response to one call.

        This builds the request at once and is awaited for the rest, so that no frame that waits
        holds what is sent.

        Args:
            endpoint: What to call.
            path: The fields of its path.
            query: The query in the order in which it is signed and sent.
            headers: Header lines besides those of signer and transport.
            body: What to send; bytes are sent as they are.
            timeout_s: How long all of it may take; the endpoint's own time by default.

        Raises:
            InvalidValueError: Path, query or headers hold what must not stand there (NOT_SENT).
            ConfigurationError: The endpoint's base, pool or credentials are wrong (NOT_SENT).
            CircuitOpenError: Sending is suspended (NOT_SENT).
            RateLimitedError: No room in time (NOT_SENT), or, of a read, the venue said so.
            ConnectFailedError: No byte was written (NOT_SENT).
            OutcomeUnknownError: A command was sent and its fate is not known (UNKNOWN).
            VenueError: The venue refused (REJECTED).
            VenueUnavailableError: The venue gave no sound answer to a read.
            ProtocolError: The answer to a read makes no sense.
            LifecycleError: The permit refused, or the transport is closed (NOT_SENT).
        """
        base = self._bases.get(endpoint.base)
        if base is None:
            known = ", ".join(sorted(self._bases)) or "none"
            raise ConfigurationError(
                f"{endpoint.name} belongs to base {endpoint.base!r}; known: {known}"
            )
        draft = RequestDraft(
            endpoint=endpoint,
            method=endpoint.method,
            base=base,
            path=fill_path(endpoint.path, path),
            query=tuple(query),
            headers=headers,
            body=body,
        )
        return self._run(draft, endpoint.timeout_s if timeout_s is None else timeout_s)

    async def _run(self, draft: RequestDraft, timeout_s: float) -> HttpResponse:
        endpoint = draft.endpoint
        now_ns = self._clock.monotonic_ns()
        call = _Call(endpoint, draft, now_ns, now_ns + round(timeout_s * SECOND_NS))
        failure: DragomanError | None = None
        while True:
            found = await self._attempt(call)
            if not isinstance(found, DragomanError):
                return found
            if isinstance(found, _NoRoomAnyMoreError):
                continue  # nothing was sent; it waits for room again, or finds none in time
            if failure is not None and isinstance(found, CircuitOpenError):
                delay_ns = self._wait_for_circuit(call, found)
            else:
                failure = found
                delay_ns = self._wait_before_another(call, found)
            if delay_ns is None:
                raise self._verdicts.for_caller(endpoint, failure)
            await self._clock.sleep_ns(delay_ns)

    def _wait_for_circuit(self, call: _Call, stopped: CircuitOpenError) -> int | None:
        """Wait out a circuit that this very call made open, if the deadline allows it."""
        delay_ns = round((stopped.retry_after or 0.0) * SECOND_NS) + _A_MOMENT_NS
        is_late = self._clock.monotonic_ns() + delay_ns >= call.deadline_ns
        return None if is_late else delay_ns

    def _wait_before_another(self, call: _Call, error: DragomanError) -> int | None:
        call.attempts += 1
        if error.code in self._skew_codes:
            self._is_skewed = True
            if call.endpoint.lane is not Lane.READ or call.is_resynced or self._resync is None:
                return None
            call.is_resynced = True
            return 0
        now_ns = self._clock.monotonic_ns()
        delay_ns = self._retry.delay_ns(
            call.endpoint,
            error,
            attempts=call.attempts,
            elapsed_ns=now_ns - call.started_ns,
            random=self._random,
        )
        is_late = delay_ns is None or now_ns + delay_ns >= call.deadline_ns
        return None if is_late else delay_ns

    async def _attempt(self, call: _Call) -> HttpResponse | DragomanError:
        """Make one attempt; returns the success or the error, raises what must not be repeated."""
        endpoint = call.endpoint
        breaker = self._verdicts.breaker
        grant: Grant | None = None
        is_sent = False
        try:
            if breaker is not None:
                breaker.look(endpoint.lane)
            if self._limiter is not None and endpoint.weights:
                grant = self._limiter.acquire_now(endpoint.weights, endpoint.lane)
                if grant is None:
                    grant = await self._acquire(call, self._limiter)
            if self._must_prepare or self._is_skewed or self._resyncing.locked():
                await self._prepare(call)
            if breaker is not None:
                breaker.look(endpoint.lane)
            request = self._request(call, partial(self._pass, call, grant))
            call.given_s = request.timeout_s
            is_sent = True
            response = await self._transport.send(request)
        except DragomanError as error:
            is_sent = is_sent and error.outcome is not Outcome.NOT_SENT
            return self._verdicts.on_failure(endpoint, error, was_fair=self._was_fair(call))
        finally:
            if grant is not None and not is_sent:
                grant.give_back()
        if self._on_response is not None:
            self._on_response(response)
        return self._verdicts.on_response(endpoint, response) or response

    async def _acquire(self, call: _Call, limiter: RateLimiter) -> Grant:
        left_ns = max(0, call.deadline_ns - self._clock.monotonic_ns())
        endpoint = call.endpoint
        return await limiter.acquire(endpoint.weights, endpoint.lane, timeout_ns=left_ns)

    async def _prepare(self, call: _Call) -> None:
        """Get ready to sign: the venue's clock if it proved wrong, a token if one is needed."""
        is_skewed = self._is_skewed or self._resyncing.locked()
        if call.endpoint.auth is Auth.NONE or not (self._must_prepare or is_skewed):
            return
        try:
            async with asyncio.timeout(self._left_s(call)):
                async with self._resyncing:  # those who find it under way wait for its result
                    if self._is_skewed and self._resync is not None:
                        self._is_skewed = False
                        await self._resync()
                if self._must_prepare and self._signer is not None:
                    await self._signer.prepare(call.draft)
                return
        except (TimeoutError, OutcomeUnknownError):
            pass  # what is unknown is the fate of another request, not of this one
        except DragomanError as error:
            error.outcome = Outcome.NOT_SENT
            raise
        raise ConnectFailedError(
            f"{call.endpoint.name}: not ready to sign in time; nothing was sent"
        )

    def _pass(self, call: _Call, grant: Grant | None) -> None:
        """Ask once more, right before the first byte.

        Raises:
            CircuitOpenError: Sending was suspended while the request waited (NOT_SENT).
            BusyError: The room that it had is used by others now, or its time is over (NOT_SENT).
        """
        if self._clock.monotonic_ns() >= call.deadline_ns:
            message = f"{call.endpoint.name}: its time was over before its turn; nothing was sent"
            raise RateLimitedError(message, outcome=Outcome.NOT_SENT)
        if grant is not None and not grant.renew():
            raise _NoRoomAnyMoreError("no room in the rate limit any more")
        if self._verdicts.breaker is not None:
            self._verdicts.breaker.check(call.endpoint.lane)

    def _request(self, call: _Call, gate: Callable[[], None]) -> HttpRequest:
        endpoint = call.endpoint
        signed = call.draft if self._signer is None else self._signer.sign(call.draft)
        return HttpRequest(
            name=endpoint.name,
            method=signed.method,
            url=build_url(signed.base, signed.path, encode_query(signed.query)),
            headers=signed.headers,
            body=signed.body,
            lane=endpoint.lane,
            timeout_s=self._left_s(call),
            max_bytes=endpoint.max_bytes,
            gate=gate,
        )

    @staticmethod
    def _was_fair(call: _Call) -> bool:
        """Tell whether at least half of the call's time was left when it was last sent."""
        return 2 * call.given_s * SECOND_NS >= call.deadline_ns - call.started_ns

    def _left_s(self, call: _Call) -> float:
        return max(0.0, call.deadline_ns - self._clock.monotonic_ns()) / SECOND_NS
