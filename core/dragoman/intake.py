"""From what a user says to a request that may be sent.

Completed, checked against everything known, priced.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, TypeVar

import attrs

from .errors import (
    DragomanError,
    InvalidOrderError,
    InvalidValueError,
    Outcome,
    OutcomeUnknownError,
    VenueUnavailableError,
    Violation,
)
from .ids import is_client_order_id
from .models import Instrument
from .models.change import OrderChange
from .models.enums import PositionEffect, Side
from .models.request import OrderRequest
from .models.trusted import evolver
from .money import ZERO, add, total
from .orders.checks import (
    change_violations,
    instrument_violations,
    refuse_invalid,
    refuse_unsupported,
    unsupported_parts,
)
from .orders.limits import Exposure, RiskWatch
from .orders.working import still_adds
from .ports import Preview, PreviewPort
from .times import format_time

if TYPE_CHECKING:
    from collections.abc import Awaitable, Generator, Mapping, Sequence

    from .instruments import InstrumentCache
    from .models.order import Order
    from .orders.limits import RiskLimits
    from .session import AccountSession

__all__ = ["Intake", "Vetted", "build_change", "build_request", "checked_timeout"]

Answer = TypeVar("Answer")
_READ_S: Final = 10.0


def build_request(request: OrderRequest | None, fields: Mapping[str, Any]) -> OrderRequest:
    """Return the request given, or the one that the fields make.

    Raises:
        InvalidOrderError: Both or neither were given, a field is missing or unknown, or a rule is
            broken (NOT_SENT).
    """
    if request is not None:
        if fields:
            allowed = "an OrderRequest or its fields, not both"
            raise InvalidOrderError.of(
                "OrderRequest", [Violation.of("request", sorted(fields), allowed)]
            )
        return request
    given = dict(fields)
    reduce_only = given.pop("reduce_only", False)
    if not isinstance(reduce_only, bool):
        found = Violation.of("reduce_only", reduce_only, "True or False")
        raise InvalidOrderError.of("OrderRequest", [found])
    if reduce_only:
        given["position_effect"] = PositionEffect.CLOSE
    _check_names(OrderRequest, given)
    return OrderRequest(**given)


def checked_timeout(timeout_s: object) -> float:
    """Return a time to wait, in seconds.

    Raises:
        InvalidValueError: It is no number above 0 (NOT_SENT).
    """
    is_flag = isinstance(timeout_s, bool)
    if isinstance(timeout_s, (int, float)) and not is_flag and timeout_s > 0:
        return timeout_s
    allowed = "seconds above 0, or None for the connection's own"
    raise InvalidValueError.of("timeout", [Violation.of("timeout_s", timeout_s, allowed)])


def build_change(change: OrderChange | None, fields: Mapping[str, Any]) -> OrderChange:
    """Return the change given, or the one that the fields make.

    Raises:
        InvalidOrderError: Both were given, a field is unknown, nothing changes, or a rule is broken
            (NOT_SENT).
    """
    if change is not None and fields:
        allowed = "an OrderChange or its fields, not both"
        raise InvalidOrderError.of("OrderChange", [Violation.of("change", sorted(fields), allowed)])
    if change is not None:
        return change
    _check_names(OrderChange, fields)
    return OrderChange(**fields)


def _check_names(model: type[OrderRequest | OrderChange], given: Mapping[str, Any]) -> None:
    known = attrs.fields_dict(model)
    found = [
        Violation.of(name, given[name], f"the fields of {model.__name__}")
        for name in given
        if name not in known
    ]
    found += [
        Violation.of(name, None, "a value: it is required")
        for name, attribute in known.items()
        if attribute.default is attrs.NOTHING and name not in given
    ]
    if found:
        raise InvalidOrderError.of(model.__name__, found)


_with: Final = evolver(OrderRequest)


@attrs.frozen
class Vetted:
    """A request that may be sent as far as the provider goes: complete, its alias resolved.

    `price` is what it would trade at, where a limit asks for that.
    """

    request: OrderRequest
    instrument: Instrument
    price: Decimal | None


class Intake:
    """The checks between a user's word and the desk, for one account."""

    def __init__(
        self, session: AccountSession, instruments: InstrumentCache, limits: RiskLimits
    ) -> None:
        self._session = session
        self._instruments = instruments
        self._adapter = session.adapter
        self._risk = RiskWatch(limits)
        self.read_timeout_s: float = _READ_S
        """How long to wait for what has to be read before an order can be judged."""

    def complete(self, request: OrderRequest) -> OrderRequest:
        """Fill in the client order id and the account.

        Raises:
            InvalidOrderError: The request names another account than this broker's (NOT_SENT).
        """
        account_id = self._session.account_id
        if request.account_id not in (None, account_id):
            allowed = f"{account_id}, or for_account() for another"
            raise InvalidOrderError.of(
                "OrderRequest", [Violation.of("account_id", request.account_id, allowed)]
            )
        if request.client_order_id is not None and request.account_id == account_id:
            return request
        client_order_id = request.client_order_id or self._adapter.context.ids.next_id()
        if not is_client_order_id(client_order_id):
            found = Violation.of("client_order_id", client_order_id, "an id from `ids` of 1 to 128")
            raise InvalidOrderError.of("OrderRequest", [found])
        return _with(request, client_order_id=client_order_id, account_id=account_id)

    async def vet(self, request: OrderRequest) -> Vetted:
        """Refuse what can't be sent; an alias is resolved to its symbol.

        An order that was sent before is not judged again: what becomes of it is known already.

        Raises:
            UnknownInstrumentError: No such instrument (NOT_SENT).
            UnsupportedError: The provider does not offer a part of it (NOT_SENT).
            InvalidOrderError: It breaks the instrument's increments or bounds (NOT_SENT).
            DragomanError: What had to be read for this could not be (NOT_SENT).
        """
        instruments, symbol = self._instruments, request.symbol
        try:
            instrument = instruments.cached(symbol)
            if instrument is None:
                instrument = await self._in_time(instruments.get(symbol))
            request = _spelled(request, instrument)
            if self._session.journal.intent(request.client_order_id or "") is not None:
                return Vetted(request, instrument, None)
            refuse_unsupported(request, instrument, self._adapter.capabilities)
            refuse_invalid("OrderRequest", self._violations(request, instrument))
            price = request.limit_price
            if price is None:
                price = await self._price(request)
            return Vetted(request, instrument, price)
        except DragomanError as error:
            _mark_unsent(error)
            raise

    def admit(self, orders: Sequence[Vetted]) -> None:
        """Hold orders that go in together against the limits, and count them.

        Nothing may come between this and the desk: then no two orders pass on the same room.

        Raises:
            LimitExceededError: One of them breaks a risk limit; none is counted (NOT_SENT).
        """
        if not self._risk.is_needed:
            return
        now_ns = self._now_ns()
        for index, one in enumerate(orders):
            before = [other.request for other in orders[:index]]
            exposure = self._exposure(one.request, one.instrument, one.price, before)
            self._risk.check(one.request, exposure, now_ns)
        for _ in orders:
            self._risk.sent(now_ns)

    async def check_change(self, change: OrderChange, order: Order) -> None:
        """Refuse a change that can't be sent.

        Raises:
            InvalidOrderError: It breaks a rule, or the provider can't change that field (NOT_SENT).
            LimitExceededError: It makes the order larger than a risk limit (NOT_SENT).
            DragomanError: What had to be read for this could not be (NOT_SENT).
        """
        with _nothing_sent():
            instrument = await self._in_time(self._instruments.get(order.symbol))
            refuse_invalid(
                "OrderChange",
                change_violations(change, order, instrument, self._adapter.capabilities),
            )
            grows = change.quantity is not None and change.quantity > (order.quantity or ZERO)
            if self._risk.is_needed and (grows or {"limit_price", "stop_price"} & {*change.fields}):
                await self._check_size(change, order, instrument, grows=grows)

    async def preview(self, request: OrderRequest) -> Preview:
        """List all that stands in the way of a request, the venue's own judgment included."""
        instrument = await self._instruments.get(request.symbol)
        request = _spelled(request, instrument)
        adapter = self._adapter
        exposure = self._exposure(request, instrument, await self._price(request))
        violations = (
            *unsupported_parts(request, instrument, adapter.capabilities),
            *self._violations(request, instrument),
            *self._risk.violations(request, exposure, self._now_ns()),
        )
        if violations or not isinstance(adapter, PreviewPort):
            return Preview(violations=violations)
        return await adapter.preview([request])

    async def _check_size(
        self, change: OrderChange, order: Order, instrument: Instrument, *, grows: bool
    ) -> None:
        terms = ("quantity", "limit_price", "stop_price")
        named = {name: getattr(change, name) for name in terms if name in change.fields}
        changed = attrs.evolve(order, **named)
        price = await self._price(changed)
        exposure = self._exposure(changed, instrument, price, without=order.client_order_id)
        self._risk.check_change(changed, exposure, grows=grows)

    async def _price(self, order: OrderRequest | Order) -> Decimal | None:
        """Estimate what an order would trade at, if a limit needs to know."""
        if order.limit_price is not None or not self._risk.needs_price(order):
            return order.limit_price
        if order.stop_price is not None:
            return order.stop_price
        quotes = await self._in_time(self._adapter.fetch_quotes([order.symbol]))
        quote = quotes.get(order.symbol)
        if quote is None:
            return None
        near, far = quote.ask_price, quote.bid_price
        if order.side is Side.SELL:
            near, far = far, near
        return near if near is not None else far

    async def _in_time(self, reading: Awaitable[Answer]) -> Answer:
        """Return what is read, if it comes soon enough: nobody waits for ever to send nothing."""
        try:
            async with asyncio.timeout(self.read_timeout_s):
                return await reading
        except TimeoutError:
            provider = self._adapter.context.provider
            message = f"{provider} did not answer within {self.read_timeout_s} s"
            raise VenueUnavailableError(message, provider=provider) from None

    def _exposure(
        self,
        order: OrderRequest | Order,
        instrument: Instrument,
        price: Decimal | None,
        before: Sequence[OrderRequest] = (),
        *,
        without: str | None = None,
    ) -> Exposure:
        """Weigh an order with what is held, what works, and what goes in `before` it."""
        session = self._session
        working = ZERO
        if self._risk.needs_position:
            replaced = None if without is None else session.state.order(without)
            working = session.working.working(order, instrument, price, without=replaced)
            alike = [one for one in before if _adds_alike(one, order)]
            working = add(working, total(still_adds(one, instrument, price) for one in alike))
        return Exposure(
            instrument=instrument,
            price=price,
            position=session.state.worst_position(order.symbol, order.side),
            working=working,
            open_orders=session.tracker.open_count,
            ahead=len(before),
        )

    def _violations(self, request: OrderRequest, instrument: Instrument) -> list[Violation]:
        found = instrument_violations(request, instrument)
        expires_at_ns = request.expires_at_ns
        if expires_at_ns is not None and expires_at_ns <= self._now_ns():
            allowed = f"after now, {format_time(self._now_ns())}"
            found.append(Violation.of("expires_at_ns", expires_at_ns, allowed))
        return found

    def _now_ns(self) -> int:
        return self._session.clock.now_ns()


def _spelled(request: OrderRequest, instrument: Instrument) -> OrderRequest:
    """Name the instrument by its symbol, should the request name it by an alias."""
    if request.symbol == instrument.symbol:
        return request
    return attrs.evolve(request, symbol=instrument.symbol)


def _adds_alike(one: OrderRequest | Order, other: OrderRequest | Order) -> bool:
    return one.symbol == other.symbol and one.side is other.side and not one.reduce_only


@contextmanager
def _nothing_sent() -> Generator[None]:
    """Let a failure to read say that no order was sent, whatever became of the read itself."""
    try:
        yield
    except DragomanError as error:
        _mark_unsent(error)
        raise


def _mark_unsent(error: DragomanError) -> None:
    """Let an error say that no order was sent; raises another if it can't, being about a read."""
    if isinstance(error, OutcomeUnknownError):
        raise VenueUnavailableError(
            error.message, provider=error.provider, code=error.code, outcome=Outcome.NOT_SENT
        ) from error
    error.outcome = Outcome.NOT_SENT
