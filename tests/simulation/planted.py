"""Bugs that order libraries really have, planted by wrapping a seam, each to be caught."""

import asyncio
from contextlib import contextmanager
from decimal import Decimal
from itertools import count
from unittest.mock import patch

import attrs

from dragoman import connection
from dragoman.errors import (
    DecodeError,
    NotFoundError,
    OrderRejectedError,
    OutcomeUnknownError,
    RejectReason,
)
from dragoman.models import OrderStatus
from dragoman.models.events import HealthEvent
from dragoman.orders.halt import HaltSwitch
from dragoman.orders.journal import MemoryJournal
from dragoman.orders.journal.sqlite import SqliteJournal
from dragoman.orders.reconcile import Reconciler
from dragoman.orders.tracker import OrderTracker
from dragoman.permits import SendPermit
from dragoman.resilience.ratelimit import RateLimiter
from dragoman.session import health
from dragoman.session.merging import Merging
from dragoman.session.reconciling import Reconciling
from dragoman.transport.link_terms import LinkTerms
from dragoman_conformance.harbor import adapter as adapter_module
from dragoman_conformance.harbor import mapping, wire
from dragoman_conformance.harbor.adapter import HarborAdapter
from dragoman_conformance.harbor.rest import HarborRest
from dragoman_conformance.harbor.stream import HarborStreamProtocol

D = Decimal
BUGS = {}


def bug(*plans):
    """Register a bug with plans under which it must be caught."""

    def register(plant):
        BUGS[plant.__name__] = (contextmanager(plant), plans)
        return plant

    return register


def wrapped(owner, name, make):
    """Replace a method by what `make` makes of it."""
    return patch.object(owner, name, make(getattr(owner, name)))


ONE = "1000:submit:buy:AAPL:3:99.50:a"


@bug(f"seed=1 unique=0 actions={ONE} faults=submit#1:reset_after")
def resends_what_got_no_answer():
    def make(submit):
        async def resending(self, request):
            try:
                return await submit(self, request)
            except OutcomeUnknownError:
                return await submit(self, request)

        return resending

    with wrapped(HarborAdapter, "submit", make):
        yield


@bug(f"seed=1 unique=0 actions={ONE} faults=submit#1:status:504")
def resends_after_504_within_the_client():
    def make(send):
        async def resending(self, endpoint, path, body=b""):
            try:
                return await send(self, endpoint, path, body)
            except OutcomeUnknownError:
                return await send(self, endpoint, path, body)

        return resending

    with wrapped(HarborRest, "_command", make):
        yield


@bug(f"seed=1 actions={ONE} faults=submit#1:status:504,frame#1:drop")
def takes_504_for_a_refusal():
    def make(submit):
        async def refusing(self, request):
            try:
                return await submit(self, request)
            except OutcomeUnknownError as error:
                raise OrderRejectedError(error.message) from None

        return refusing

    with wrapped(HarborAdapter, "submit", make):
        yield


@bug(f"seed=1 lag=1500 actions={ONE} faults=submit#1:reset_after,frame#1:drop")
def takes_not_found_for_absent():
    def make(submit):
        async def hasty(self, request):
            try:
                return await submit(self, request)
            except OutcomeUnknownError as error:
                found = await self.fetch_order("A1", client_order_id=request.client_order_id)
                if found is not None:
                    return found
                reason = RejectReason.NEVER_ARRIVED
                raise OrderRejectedError(error.message, reason=reason) from None

        return hasty

    with wrapped(HarborAdapter, "submit", make):
        yield


@bug(f"seed=1 actions={ONE} faults=submit#1:redirect")
def takes_any_answer_for_success():
    def make(submit):
        async def trusting(self, request):
            try:
                return await submit(self, request)
            except OutcomeUnknownError:
                content = mapping.order_content(request)
                now = "1767796201000000000"
                order = {name: content[name] for name in ("account", "symbol", "client_id")}
                row = wire.OrderRow(
                    **order,
                    venue_id="h77",
                    side=wire.Side(content["side"]),
                    type=wire.OrderType(content["type"]),
                    quantity=D(content["quantity"]),
                    price=D(content["price"]),
                    state=wire.OrderState.OPEN,
                    filled=D(0),
                    revision=0,
                    canceling=False,
                    created_ns=now,
                    updated_ns=now,
                )
                return mapping.order_of(row, 0)

        return trusting

    with wrapped(HarborAdapter, "submit", make):
        yield


@bug(f"seed=1 fills=NONE actions={ONE},2000:replace:a:5:98.00 faults=replace#1:lost")
def takes_a_lost_replace_for_done():
    def make(replace):
        async def trusting(self, order, change):
            try:
                return await replace(self, order, change)
            except OutcomeUnknownError:
                terms = {name: getattr(change, name) for name in change.fields}
                later_ns = (order.updated_at_ns or 0) + 1
                return attrs.evolve(
                    order, revision=order.revision + 1, updated_at_ns=later_ns, **terms
                )

        return trusting

    with wrapped(HarborAdapter, "replace", make):
        yield


@bug("seed=1 fills=NONE actions=0:halt,1000:submit:buy:AAPL:3:99.50:a")
def ignores_a_halt():
    def begin(self):
        self._lock.acquire()
        self.is_used = True

    with (
        patch.object(SendPermit, "begin", begin),
        patch.object(HaltSwitch, "check", lambda *_: None),
    ):
        yield


@bug(
    *[
        f"seed={seed} fills=NONE actions=500:submit:buy:AAPL:1:99:a,{ONE[:-1]}b"
        f" faults=action#2:halt:{steps}"
        for seed in range(3)
        for steps in range(1, 30, 2)
    ]
)
def checks_the_halt_before_the_wait_alone():
    def begin(self):
        self._lock.acquire()
        self.is_used = True

    with patch.object(SendPermit, "begin", begin):
        yield


@bug(f"seed=1 fills=NONE actions={ONE} faults=time#500:stream_reset,open#2:refuse_opens:2")
def trades_while_it_is_blind():
    with patch.object(health.HealthMonitor, "blindness", None):
        yield


def without_timer():
    """Return the patch after which state is compared when demanded, and never by the timer."""

    def tick(self):
        is_asked = self._doubt is not None or self._health.has("UNPROVED")
        if is_asked and self._clock.monotonic_ns() >= self._not_before_ns:
            self._wake.set()

    return patch.object(Reconciling, "tick", tick)


@bug(f"seed=1 fills=FULL actions={ONE} faults=frame#2:drop:2")
def compares_with_the_venue_at_reconnects_alone():
    with without_timer():
        yield


@bug(f"seed=1 fills=FULL actions={ONE} faults=frame#2:garbage,frame#3:garbage")
def swallows_what_it_can_not_read():
    def make(decode):
        def swallowing(self, frame):
            try:
                return decode(self, frame)
            except DecodeError:
                return None

        return swallowing

    with without_timer(), wrapped(HarborStreamProtocol, "decode", make):
        yield


@bug(f"seed=1 fills=FULL actions={ONE} faults=time#1100:stream_reset,open#2:refuse_opens:3")
def takes_no_snapshot_after_a_gap():
    def make(compare):
        async def first_alone(self, is_blind):
            if self._has_snapshot:
                self._release()
            else:
                await compare(self, is_blind)

        return first_alone

    with wrapped(Merging, "compare", make):
        yield


@bug(
    *[
        f"seed={seed} fills=PARTIAL actions={ONE},4500:cancel:a faults=frame#1:reorder:{window}"
        for seed in range(10)
        for window in (4, 6)
    ]
)
def tells_events_as_they_come():
    def make(observe):
        def as_is(self, event):
            observe(self, event)
            return [event]

        return as_is

    with wrapped(OrderTracker, "observe", make):
        yield


@bug(f"seed=1 fills=FULL actions={ONE} faults=frame#2:duplicate")
def counts_fills_by_arrival():
    numbers = count(1)

    def make(fill_of):
        def numbered(row, received_at_ns):
            fill = fill_of(row, received_at_ns)
            return attrs.evolve(fill, fill_id=f"{fill.fill_id}.{next(numbers)}")

        return numbered

    with wrapped(mapping, "fill_of", make):
        yield


@bug(f"seed=1 fills=FULL actions={ONE}")
def reads_prices_through_float():
    def make(fill_of):
        def floating(row, received_at_ns):
            fill = fill_of(row, received_at_ns)
            return attrs.evolve(fill, price=D(str(float(fill.price))))

        return floating

    with wrapped(mapping, "fill_of", make):
        yield


@bug(f"seed=1 fills=FULL actions={ONE}")
def cuts_times_to_microseconds():
    def make(fill_of):
        def cut(row, received_at_ns):
            fill = fill_of(row, received_at_ns)
            return attrs.evolve(fill, venue_time_ns=fill.venue_time_ns // 1000 * 1000)

        return cut

    with wrapped(mapping, "fill_of", make):
        yield


@bug("seed=1 faults=time#1000:external:2")
def sees_its_own_orders_alone():
    def make_decode(decode):
        def own(self, frame):
            events = decode(self, frame) or ()
            return [one for one in events if getattr(one, "order", None) is None] or None

        return own

    async def nothing(self, account_id, symbol=None):
        return ()

    with (
        wrapped(HarborStreamProtocol, "decode", make_decode),
        patch.object(HarborAdapter, "fetch_open_orders", nothing),
    ):
        yield


@bug("seed=1 actions=" + ",".join(f"1000:submit:buy:AAPL:1:99:o{n}" for n in range(70)))
def sends_without_counting():
    async def at_once(self, weights, lane, *, timeout_ns=None):
        return None

    with patch.object(RateLimiter, "acquire", at_once):
        yield


@bug(
    *[
        f"seed={seed} fills=NONE actions={ONE},2000:cancel:a faults=time#2060:fill:1"
        for seed in range(10)
    ]
)
def takes_a_cancel_for_done_when_it_is_taken():
    def make(order_of):
        def hasty(row, received_at_ns):
            order = order_of(row, received_at_ns)
            return attrs.evolve(order, status=OrderStatus.CANCELED) if row.canceling else order

        return hasty

    with wrapped(mapping, "order_of", make), wrapped(adapter_module, "order_of", make):
        yield


@bug(f"seed=1 fills=NONE actions={ONE} faults=time#3000:crash")
def keeps_its_journal_in_memory():
    with patch.object(connection, "open_journal", lambda *_, **__: MemoryJournal()):
        yield


@bug(f"seed=1 actions={ONE} faults=submit#1:lost,time#1500:crash")
def forgets_at_a_restart_what_was_unfinished():
    with patch.object(SqliteJournal, "unfinished", lambda _: iter(())):
        yield


@bug(f"seed=1 fills=NONE actions={ONE} faults=time#3000:crash")
def writes_events_after_telling_them():
    def save(self):
        self._last_sequence += len(self._unsaved)
        self._unsaved.clear()

    with patch.object(SqliteJournal, "_save", save):
        yield


@bug(f"seed=1 fills=NONE actions={ONE} faults=time#3000:crash,time#3200:fill:1")
def takes_fills_before_its_start_for_history():
    def make(fills):
        async def none_at_first(self, *arguments):
            found = await fills(self, *arguments)
            if getattr(self, "_is_planted", False):
                return found
            self._is_planted = True
            self._history = {(fill.symbol, fill.fill_id) for fill in found}
            return ()

        return none_at_first

    with wrapped(Reconciler, "_fills", make):
        yield


@bug(f"seed=1 actions={ONE} faults=time#3000:stream_reset,open#2:refuse_opens:2")
def changes_its_health_in_silence():
    def quiet(**facts):
        return HealthEvent(**{**facts, "causes": ()})

    with patch.object(health, "HealthEvent", quiet):
        yield


@bug("seed=1 fills=FULL actions=1000:submit:sell:AAPL:3:99.50:a")
def loses_the_sign_of_a_position():
    def make(position_of):
        def unsigned(row, received_at_ns):
            position = position_of(row, received_at_ns)
            return attrs.evolve(position, quantity=abs(position.quantity))

        return unsigned

    with (
        wrapped(mapping, "position_of", make),
        wrapped(adapter_module, "position_of", make),
    ):
        yield


@bug(f"seed=1 actions={ONE} faults=time#3000:stream_reset,open#2:refuse_opens:5")
def gives_a_stream_up():
    def make(stream):
        def impatient(*arguments, **more):
            terms = LinkTerms(busy_wait_s=1e6)
            return stream(*arguments, terms=terms, **more)

        return impatient

    with wrapped(adapter_module, "venue_stream", make):
        yield


@bug(f"seed=1 actions={ONE} faults=submit#1:reset_after,frame#1:drop")
def finds_nothing_by_client_id():
    def make(fetch):
        async def blind(self, account_id, *, client_order_id=None, **more):
            try:
                found = await fetch(self, account_id, client_order_id=client_order_id, **more)
            except NotFoundError:
                return None
            return None if more.get("venue_order_id") is None else found

        return blind

    async def nothing(self, account_id, symbol=None):
        return ()

    async def no_history(self, account_id, window, symbol=None):
        for none in ():
            yield none

    with (
        wrapped(HarborAdapter, "fetch_order", make),
        patch.object(HarborAdapter, "fetch_open_orders", nothing),
        patch.object(HarborAdapter, "fetch_orders", no_history),
    ):
        yield


@bug(f"seed=1 actions={ONE}")
def leaves_a_task_behind():
    def make(start):
        async def leaky(self):
            await start(self)
            loop = asyncio.get_running_loop()
            self.leak = loop.create_task(asyncio.sleep(10**4), name="a forgotten timer")

        return leaky

    with wrapped(HarborAdapter, "open", make):
        yield


@bug(f"seed=1 fills=FULL actions={ONE} faults=time#1050:mute:0")
def never_doubts_a_mute_stream():
    with (
        patch.object(HarborStreamProtocol, "heartbeat_s", None),
        without_timer(),
    ):
        yield
