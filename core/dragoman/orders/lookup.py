"""Looking for orders whose fate is unknown, until evidence settles it.

An order is looked up by its id, later and later; any evidence, from wherever it comes, ends that at
once. It is called absent only when the exchange is over, the venue had the time it may take to show
an order, two successful looks since then found nothing, a second source does not show it either,
and the stream is live. It is never sent again. An order proved absent that shows up all the same
lives again: that is the tracker's part.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.errors import DragomanError, RejectReason
from dragoman.models.enums import AlarmKind, EventSource
from dragoman.times import SECOND_NS

from .second_source import SecondSource

if TYPE_CHECKING:
    from .blotter import Blotter

__all__ = ["Question", "Resolver"]

_GAP_NS: Final = SECOND_NS // 2
_LONGEST_NS: Final = 30 * SECOND_NS
_DEADLINE_NS: Final = 10 * SECOND_NS
_READ_S: Final = 30.0
_AT_ONCE: Final = 4
_SPACING_NS: Final = SECOND_NS // 20
_MANY: Final = 16

_log: Final = logging.getLogger(__name__)


@attrs.frozen(kw_only=True, eq=False)
class Question:
    """What is asked about an order.

    `looked_up_as` is the client order id by which the venue knows what is looked for. `is_settled`
    tells whether there is evidence by now; `take` is called once there is. `deny` takes in that it
    was proved absent.
    """

    looked_up_as: str
    is_settled: Callable[[], bool]
    deny: Callable[[], None]
    take: Callable[[], None] | None = None


@attrs.define(eq=False)
class _Case:
    """One order of unknown fate; times are monotonic, but for `sent_at_ns`.

    `ended_ns` is when its exchange was over, None while it may still be answered. `missed_ns` is
    the last look that found nothing and counts. `reachable_ns` is since when the venue could have
    settled it.
    """

    client_order_id: str
    question: Question
    sent_at_ns: int
    begun_ns: int
    is_deniable: bool = True
    ended_ns: int | None = None
    misses: int = 0
    missed_ns: int = 0
    looks: int = 0
    retry_after_ns: int = 0
    reachable_ns: int | None = None
    is_alarmed: bool = False
    is_pausing: bool = False
    task: asyncio.Task[None] | None = None


class Resolver:
    """Settles the fate of one account's orders, a few at a time.

    Its tasks live in the blotter's scope. Reads are bounded in number, in rate and in time; they
    repeat for ever, every 30 s at most, because only evidence may end them.
    """

    def __init__(self, blotter: Blotter) -> None:
        self._blotter = blotter
        self._tracker = blotter.tracker
        self._clock = blotter.adapter.context.clock
        self._random = blotter.adapter.context.random
        self._rule = blotter.adapter.capabilities.client_ids
        self._delay_ns = round(self._rule.visibility_delay_s * SECOND_NS)
        self._gap_ns = max(self._delay_ns, _GAP_NS)
        self._second = SecondSource(blotter, lambda name: name in self._cases)
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._cases: dict[str, _Case] = {}
        self._is_failing = False
        self._caught_up_ns = -_DEADLINE_NS

    @property
    def unresolved(self) -> tuple[str, ...]:
        """The ids of the orders whose fate is unknown, oldest doubt first. From any thread."""
        return tuple(self._cases)

    def look_for(
        self,
        client_order_id: str,
        *,
        is_over: bool,
        is_deniable: bool = True,
        question: Question | None = None,
    ) -> None:
        """Start to look for an order, unless there is evidence of it; idempotent.

        Args:
            client_order_id: The order; it is tracked.
            is_over: Whether its exchange is over: no answer to it can come any more.
            is_deniable: Whether it may be called absent: not if the venue said that its id is
                taken, for then something has it.
            question: What to ask; None asks whether the order ever arrived.
        """
        question = question or self._arrival(client_order_id)
        if self._blotter.watch.is_closed or question.is_settled():
            return
        case = self._cases.get(client_order_id)
        if case is None:
            sent_at_ns = self._blotter.order(client_order_id).received_at_ns
            case = _Case(client_order_id, question, sent_at_ns, self._clock.monotonic_ns())
            self._cases[client_order_id] = case
            self._blotter.watch.follow(client_order_id, self._look_again)
            self._start(case)
        case.is_deniable &= is_deniable
        if is_over:
            self.exchange_ended(client_order_id)

    def exchange_ended(self, client_order_id: str) -> None:
        """Note that no answer to an order's exchange can come any more."""
        case = self._cases.get(client_order_id)
        if case is not None and case.ended_ns is None:
            case.ended_ns = self._clock.monotonic_ns()
            self._restart(case)

    def hurry(self) -> None:
        """Look for every order soon: the venue can be reached again."""
        for case in tuple(self._cases.values()):
            self._restart(case)

    def _arrival(self, client_order_id: str) -> Question:
        """Ask whether an order ever arrived."""
        return Question(
            looked_up_as=client_order_id,
            is_settled=partial(self._tracker.has_evidence, client_order_id),
            deny=partial(self._deny, client_order_id),
        )

    def _deny(self, client_order_id: str) -> None:
        text = f"{self._blotter.provider} does not have it: it never arrived and is not sent again"
        at_ns, reason = self._blotter.now_ns, RejectReason.NEVER_ARRIVED
        self._blotter.tell(self._tracker.refuse(client_order_id, reason, text, at_ns=at_ns))

    def _restart(self, case: _Case) -> None:
        is_free = case.is_pausing and not case.retry_after_ns
        if is_free and case.task is not None and not self._blotter.watch.is_closed:
            case.task.cancel()
            case.looks = 0
            self._start(case)

    def _start(self, case: _Case) -> None:
        case.is_pausing = True
        work = self._resolve(case)
        case.task = self._blotter.scope.spawn(work, f"look for {case.client_order_id}")

    def _look_again(self, client_order_id: str) -> None:
        """Close a case as soon as there is evidence: no further request is made for it."""
        case = self._cases.get(client_order_id)
        if case is None or not case.question.is_settled():
            return
        self._blotter.watch.leave(client_order_id)
        del self._cases[client_order_id]
        if case.question.take is not None:
            case.question.take()
        if case.task and case.task is not asyncio.current_task():
            case.task.cancel()

    def _is_closed(self, case: _Case) -> bool:
        return self._cases.get(case.client_order_id) is not case

    async def _resolve(self, case: _Case) -> None:
        now_ns = self._clock.monotonic_ns()
        await self._pause(case, max(0, self._visible_ns(case) - now_ns))
        while not self._is_closed(case):
            async with self._turns:
                await self._look_safely(case)
                if not self._is_closed(case) and len(self._cases) > _AT_ONCE:
                    await self._clock.sleep_ns(_SPACING_NS)
            if not self._is_closed(case):
                await self._pause(case, self._backoff_ns(case))

    def _backoff_ns(self, case: _Case) -> int:
        doubled = self._gap_ns << min(case.looks, 6)
        spread = round(doubled * (1 + self._random.random() / 2))
        case.looks += 1
        return max(min(spread, _LONGEST_NS), case.retry_after_ns)

    async def _pause(self, case: _Case, duration_ns: int) -> None:
        """Sleep, and raise the alarm on the way should the deadline pass."""
        case.is_pausing = True
        now_ns = self._clock.monotonic_ns()
        if case.reachable_ns is None and self._blotter.is_live():
            case.reachable_ns = now_ns
        if case.reachable_ns is not None and not case.is_alarmed:
            left_ns = max(0, case.reachable_ns + _DEADLINE_NS - now_ns)
            if left_ns <= duration_ns:
                await self._clock.sleep_ns(left_ns)
                duration_ns -= left_ns
                self._sound(case)
        await self._clock.sleep_ns(duration_ns)
        case.is_pausing = False

    def _sound(self, case: _Case) -> None:
        case.is_alarmed = True
        cause = "the venue can be reached, and nothing proves what became of the order"
        self._blotter.alarm(AlarmKind.OUTCOME_UNRESOLVED, cause, case.client_order_id)

    async def _look_safely(self, case: _Case) -> None:
        case.retry_after_ns = 0
        was_failing, is_failing = self._is_failing, True
        try:
            async with asyncio.timeout(_READ_S):
                await self._look(case)
            is_failing = False
        except TimeoutError:
            return
        except DragomanError as error:
            case.retry_after_ns = round((error.retry_after or 0) * SECOND_NS)
        except Exception:  # noqa: BLE001 - a bug in an adapter must not end the search; it is logged
            _log.exception("a look for an order failed", extra={"order": case.client_order_id})
        finally:
            self._is_failing = is_failing
        if was_failing and not is_failing:
            self._catch_up(case)

    def _catch_up(self, case: _Case) -> None:
        """Look soon for what was put off while the venue was in trouble."""
        now_ns = self._clock.monotonic_ns()
        if now_ns >= self._caught_up_ns + _DEADLINE_NS:
            case.looks, self._caught_up_ns = 0, now_ns
            self.hurry()

    async def _look(self, case: _Case) -> None:
        if not self._rule.can_look_up:
            await self._look_in_pictures(case)
            return
        if case.looks == 0 and len(self._cases) > _MANY:
            await self._is_shown(case, self._visible_ns(case))
        begun_ns = self._clock.monotonic_ns()
        if self._is_closed(case) or await self._find(case) or self._is_closed(case):
            return
        self._take_miss(case, begun_ns)
        if case.misses >= 2 and case.is_deniable:
            is_shown = await self._is_shown(case, self._visible_ns(case))
            self._conclude(case, is_shown=is_shown)

    async def _look_in_pictures(self, case: _Case) -> None:
        """Look where orders can't be looked up one by one."""
        since_ns = case.missed_ns + self._gap_ns if case.misses else self._visible_ns(case)
        is_shown = await self._is_shown(case, since_ns)
        if not is_shown:
            self._take_miss(case, self._second.begun_ns)
        if self._second.is_complete:
            self._conclude(case, is_shown=is_shown)

    async def _is_shown(self, case: _Case, begun_ns: int) -> bool:
        oldest = next(iter(self._cases.values()), case)
        sent_at_ns = min(oldest.sent_at_ns, case.sent_at_ns)
        return await self._second.shows(case.client_order_id, begun_ns, sent_at_ns)

    def _visible_ns(self, case: _Case) -> int:
        """Return when the venue must show an order, if it has it."""
        return (case.begun_ns if case.ended_ns is None else case.ended_ns) + self._delay_ns

    async def _find(self, case: _Case) -> bool:
        found = await self._blotter.adapter.fetch_order(
            self._blotter.account_id,
            client_order_id=case.question.looked_up_as,
            symbol=self._blotter.order(case.client_order_id).symbol,
        )
        if found is not None:
            self._blotter.answer(found, EventSource.RECONCILED)
        return found is not None

    def _take_miss(self, case: _Case, begun_ns: int) -> None:
        """Count a look that found nothing, if the order should have been visible by then."""
        if case.reachable_ns is None:
            case.reachable_ns = self._clock.monotonic_ns()
        if case.ended_ns is None or begun_ns < self._visible_ns(case):
            return
        if not case.misses or begun_ns >= case.missed_ns + self._gap_ns:
            case.misses, case.missed_ns = case.misses + 1, begun_ns

    def _conclude(self, case: _Case, *, is_shown: bool) -> None:
        """Call an order absent if all is proved that must be."""
        is_proved = case.is_deniable and case.misses >= 2 and not is_shown
        if self._is_closed(case) or not is_proved or not self._blotter.is_live():
            return
        case.question.deny()
        self._blotter.watch.wake(case.client_order_id)
