"""An event loop whose time is virtual and whose schedule follows from a seed.

Nothing waits: when no task can run, time jumps to the next timer. Tasks that can run in the same
turn run in an order chosen by the seed; plain callbacks keep theirs, because asyncio promises it.
There is no input or output: sockets, threads and processes are refused.
"""

from __future__ import annotations

import asyncio
import heapq
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar, cast

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable, Coroutine
    from random import Random

__all__ = ["LoopLimitError", "RealWorldError", "StuckError", "VirtualLoop", "run_virtual"]

Result = TypeVar("Result")
_SECOND_NS: Final = 1_000_000_000
_CLEANING_S: Final = 3600.0
_CLEANING_STEPS: Final = 100_000
_REFUSED: Final = (
    "add_reader",
    "connect_accepted_socket",
    "connect_read_pipe",
    "connect_write_pipe",
    "create_connection",
    "create_datagram_endpoint",
    "create_server",
    "create_unix_connection",
    "create_unix_server",
    "getaddrinfo",
    "getnameinfo",
    "run_in_executor",
    "sendfile",
    "sock_accept",
    "sock_connect",
    "sock_recv",
    "sock_sendall",
    "start_tls",
    "subprocess_exec",
    "subprocess_shell",
)


class StuckError(RuntimeError):
    """No task can run and no timer is set: whoever waits will wait for ever."""


class LoopLimitError(RuntimeError):
    """The run took more steps or more virtual time than it was given."""


class RealWorldError(RuntimeError):
    """Something reached for a socket, a thread or a process, which a simulation has not."""


class VirtualLoop(asyncio.BaseEventLoop):
    """A loop of virtual time.

    Args:
        random: Chooses the order of tasks that can run in the same turn; None keeps asyncio's.
        max_seconds: How much virtual time may pass.
        max_steps: How many callbacks may run.
    """

    _ready: deque[asyncio.Handle]
    _scheduled: list[asyncio.TimerHandle]
    _stopping: bool
    _timer_cancelled_count: int

    def __init__(
        self,
        random: Random | None = None,
        *,
        max_seconds: float = 24 * 3600.0,
        max_steps: int = 10_000_000,
    ) -> None:
        super().__init__()
        self._random = random
        self._now_ns = 0
        self._max_ns = round(max_seconds * _SECOND_NS)
        self._max_steps = max_steps
        self._clock_resolution = 1e-9
        self._hooks: list[tuple[int, int, Callable[[], None]]] = []
        self.steps = 0

    @property
    def now_ns(self) -> int:
        """The nanoseconds of virtual time that have passed."""
        return self._now_ns

    def time(self) -> float:
        """Return the seconds of virtual time that have passed."""
        return self._now_ns / _SECOND_NS

    def block(self, seconds: float) -> None:
        """Let time pass while nothing runs, as a callback that blocks the loop does."""
        self._now_ns += round(seconds * _SECOND_NS)

    def at_step(self, step: int, action: Callable[[], None]) -> None:
        """Call `action` between two callbacks, as soon as `step` of them have run."""
        heapq.heappush(self._hooks, (step, len(self._hooks), action))

    def give_more(self, seconds: float, steps: int) -> None:
        """Raise both limits, for what must be cleaned up after they were reached."""
        self._max_ns = max(self._max_ns, self._now_ns) + round(seconds * _SECOND_NS)
        self._max_steps = max(self._max_steps, self.steps) + steps

    def _run_once(self) -> None:
        if not self._ready:
            self._jump()
        self._take_due()
        turn = list(self._ready)
        self._ready.clear()
        if self._random is not None and len(turn) > 1:
            turn = _shuffled(turn, self._random)
        for place, handle in enumerate(turn):
            if handle.cancelled():
                continue
            done = place
            try:
                self._count()
                done += 1
                handle._run()  # noqa: SLF001 - what the base class does
            except BaseException:
                self._ready.extendleft(reversed(turn[done:]))
                raise

    def _count(self) -> None:
        self.steps += 1
        while self._hooks and self._hooks[0][0] <= self.steps:
            heapq.heappop(self._hooks)[2]()
        if self.steps > self._max_steps:
            raise LoopLimitError(f"the run takes more than {self._max_steps} steps")

    def _jump(self) -> None:
        """Move time to the next timer."""
        while self._scheduled and self._scheduled[0].cancelled():
            self._drop_timer()
        if not self._scheduled:
            if not self._stopping:
                raise StuckError(f"nothing can run and nothing is due; waiting: {self._waiting()}")
            return
        self._now_ns = max(self._now_ns, round(self._scheduled[0].when() * _SECOND_NS))
        if self._now_ns > self._max_ns:
            raise LoopLimitError(f"the run takes more than {self._max_ns / _SECOND_NS} s")

    def _take_due(self) -> None:
        latest = self.time() + self._clock_resolution
        while self._scheduled and self._scheduled[0].when() < latest:
            handle = self._drop_timer()
            if not handle.cancelled():
                self._ready.append(handle)

    def _drop_timer(self) -> asyncio.TimerHandle:
        handle = heapq.heappop(self._scheduled)
        handle._scheduled = False  # type: ignore[attr-defined]  # noqa: SLF001 - not in the stubs
        if handle.cancelled():
            self._timer_cancelled_count -= 1
        return handle

    def _waiting(self) -> str:
        names = sorted(task.get_name() for task in asyncio.all_tasks(self))
        return ", ".join(names) or "no task"

    def _write_to_self(self) -> None:
        """There is no selector to wake."""

    def _process_events(self, event_list: list[Any]) -> None:
        """There are no events of a selector."""


def _shuffled(turn: list[asyncio.Handle], random: Random) -> list[asyncio.Handle]:
    """Return the handles with the steps of tasks in another order, callbacks in the same."""
    places = [place for place, handle in enumerate(turn) if _is_step(handle)]
    if len(places) < 2:
        return turn
    steps = [turn[place] for place in places]
    random.shuffle(steps)
    for place, handle in zip(places, steps, strict=True):
        turn[place] = handle
    return turn


def _is_step(handle: asyncio.Handle) -> bool:
    callback: object = cast("Any", handle)._callback  # noqa: SLF001 - not in the stubs
    return isinstance(getattr(callback, "__self__", None), asyncio.Task)


def _refusal(name: str) -> Callable[..., NoReturn]:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise RealWorldError(f"{name} in a simulation: there is nothing outside")

    return refuse


for _name in _REFUSED:
    setattr(VirtualLoop, _name, _refusal(_name))


def run_virtual(loop: VirtualLoop, main: Coroutine[Any, Any, Result]) -> Result:
    """Run `main` to its end, cancel whatever is left, and close the loop."""
    try:
        return loop.run_until_complete(main)
    finally:
        loop.give_more(_CLEANING_S, _CLEANING_STEPS)
        try:
            _cancel_all(loop)
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            loop.close()


def _cancel_all(loop: VirtualLoop) -> None:
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
