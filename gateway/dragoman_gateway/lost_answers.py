"""Answers that never reached their clients, kept for a minute for those that ask again.

Official clients repeat a DELETE that timed out, without a key. What they ask for was done by then:
they are to be told how that went, not that there is nothing left to do. An identical request of a
client that still waits, or was answered, is a request of its own: who buys twice means it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Final, TypeAlias

import attrs
from aiohttp import web

from dragoman.times import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dragoman.times import Clock

    from .idempotency_store import Answer

__all__ = ["LostAnswers", "Name", "Running", "is_gone"]

KEPT_NS: Final = 60 * SECOND_NS
MOST: Final = 1024
MOST_BYTES: Final = 16 * 1024 * 1024

Name: TypeAlias = tuple[str, bytes]
"""Who asked for what: a scope, and the fingerprint of a request."""


def is_gone(request: web.Request) -> bool:
    """Tell whether the client of a request has hung up."""
    transport = request.transport
    return transport is None or transport.is_closing()


@attrs.frozen(kw_only=True, eq=False)
class Running:
    """A request whose handler runs; `over` is done once it does not."""

    request: web.Request
    host: object
    body: bytes
    over: asyncio.Future[None] = attrs.field(
        factory=lambda: asyncio.get_running_loop().create_future()
    )


class LostAnswers:
    """What was asked for without a key: what runs for nobody, and what was answered to nobody.

    Bounded by number and by bytes; the oldest give way. While nobody hangs up it costs next to
    nothing: who asked for what is only worked out where an answer may have been lost.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._answers: OrderedDict[int, tuple[Name, int, Answer]] = OrderedDict()
        self._named: dict[Name, deque[int]] = {}
        self._count = 0
        self._bytes = 0
        self._running: set[Running] = set()

    def begin(self, request: web.Request, host: object, body: bytes) -> Running:
        """Note that a handler runs."""
        running = Running(request=request, host=host, body=body)
        self._running.add(running)
        return running

    def end(self, running: Running) -> None:
        """Note that it does not any more."""
        self._running.discard(running)
        if not running.over.done():
            running.over.set_result(None)

    def may_know(self) -> bool:
        """Tell whether any answer may have been lost, to whomever."""
        return bool(self._answers) or any(is_gone(each.request) for each in self._running)

    def abandoned(self) -> Iterable[Running]:
        """Return what runs for clients that have hung up."""
        return [each for each in self._running if is_gone(each.request)]

    def keep(self, name: Name, answer: Answer) -> None:
        """Keep an answer that its client has not read, beside those to the same request."""
        self._count += 1
        self._answers[self._count] = (name, self._clock.monotonic_ns() + KEPT_NS, answer)
        self._named.setdefault(name, deque()).append(self._count)
        self._bytes += len(answer.body)
        while len(self._answers) > MOST or self._bytes > MOST_BYTES:
            self._drop_oldest()

    def take(self, name: Name) -> Answer | None:
        """Return the first answer that did not arrive, once."""
        now_ns = self._clock.monotonic_ns()
        while self._answers and next(iter(self._answers.values()))[1] <= now_ns:
            self._drop_oldest()
        numbers = self._named.get(name)
        return None if numbers is None else self._drop(numbers[0])

    def _drop_oldest(self) -> None:
        self._drop(next(iter(self._answers)))

    def _drop(self, number: int) -> Answer:
        name, _, answer = self._answers.pop(number)
        numbers = self._named[name]
        numbers.remove(number)
        if not numbers:
            del self._named[name]
        self._bytes -= len(answer.body)
        return answer
