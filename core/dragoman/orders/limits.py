"""Limits of one's own, checked before the journal: an order beyond them is never sent."""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import attrs

from dragoman.errors import InvalidValueError, LimitExceededError, Violation
from dragoman.models import Instrument
from dragoman.models.checks import to_amount
from dragoman.money import ZERO, add, divide, signed
from dragoman.times import MINUTE_NS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dragoman.models import Order, OrderRequest

__all__ = ["Exposure", "RiskLimits", "RiskWatch", "quantity_of"]

_ONE: Final = Decimal(1)


@attrs.frozen(kw_only=True)
class RiskLimits:
    """What this connection may do at most; None is no limit.

    `max_order_notional` is in the instrument's settlement currency. `max_position` is in units of
    the instrument, per symbol, and counts what open orders of the same side may still add, all
    orders of a list included. Closing orders pass both. A replace is judged by size and counts as
    no order.
    """

    max_order_notional: Decimal | None = attrs.field(default=None, converter=to_amount)
    max_position: Decimal | None = attrs.field(default=None, converter=to_amount)
    max_open_orders: int | None = None
    max_orders_per_minute: int | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse a limit that is no number from 0."""
        found = [
            Violation.of(name, value, "a Decimal, an int or a text to read as one, from 0")
            for name, value in attrs.asdict(self).items()
            if value is not None and not _is_limit(value, is_count="orders" in name)
        ]
        if found:
            raise InvalidValueError.of("RiskLimits", found)


def _is_limit(value: object, *, is_count: bool) -> bool:
    if is_count:
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return isinstance(value, Decimal) and value.is_finite() and value >= 0


@attrs.frozen(kw_only=True)
class Exposure:
    """What the limits need to know about the moment an order is sent in.

    `price` is the best estimate of what the order would trade at; `position` is signed; `working`
    is the signed quantity that open orders of the same side may still add, `ahead` the number of
    orders that go with this one, before it, and are not counted as open yet.
    """

    instrument: Instrument
    price: Decimal | None
    position: Decimal
    working: Decimal
    open_orders: int
    ahead: int = 0


class RiskWatch:
    """The limits and the count of what was sent in the last minute."""

    def __init__(self, limits: RiskLimits) -> None:
        self._limits = limits
        self.is_needed: bool = limits != RiskLimits()
        """Whether there is any limit."""
        self._sent_ns: deque[int] = deque()

    @property
    def needs_position(self) -> bool:
        """Whether what is held and what works matters."""
        return self._limits.max_position is not None

    def needs_price(self, order: OrderRequest | Order) -> bool:
        """Tell whether an order must be valued before it can be judged."""
        if order.reduce_only:
            return False
        limits = self._limits
        is_by_value = order.notional is not None and limits.max_position is not None
        return limits.max_order_notional is not None or is_by_value

    def check(self, request: OrderRequest, exposure: Exposure, now_ns: int) -> None:
        """Refuse an order beyond a limit.

        Raises:
            LimitExceededError: Naming every limit the order would break (NOT_SENT).
        """
        _refuse(self.violations(request, exposure, now_ns))

    def check_change(self, changed: Order, exposure: Exposure, *, grows: bool) -> None:
        """Refuse a change that makes an order larger than a limit: in value, or if it `grows`.

        Raises:
            LimitExceededError: Naming every limit the order would break (NOT_SENT).
        """
        if not changed.reduce_only:
            _refuse(tuple(self._notional(changed, exposure)))
            _refuse(tuple(self._position(changed, exposure)) if grows else ())

    def violations(
        self, request: OrderRequest, exposure: Exposure, now_ns: int
    ) -> tuple[Violation, ...]:
        """List every limit that an order would break."""
        while self._sent_ns and self._sent_ns[0] <= now_ns - MINUTE_NS:
            self._sent_ns.popleft()
        measured = [
            ("max_orders_per_minute", len(self._sent_ns) + exposure.ahead + 1),
            ("max_open_orders", exposure.open_orders + exposure.ahead + 1),
        ]
        sizes = () if request.reduce_only else self._sizes(request, exposure)
        return (*self._above(measured), *sizes)

    def sent(self, now_ns: int) -> None:
        """Count one order."""
        if self._limits.max_orders_per_minute is not None:
            self._sent_ns.append(now_ns)

    def _sizes(self, request: OrderRequest, exposure: Exposure) -> Iterator[Violation]:
        yield from self._notional(request, exposure)
        yield from self._position(request, exposure)

    def _notional(self, order: OrderRequest | Order, exposure: Exposure) -> Iterator[Violation]:
        if self._limits.max_order_notional is None:
            return
        if order.notional is not None:
            yield from self._above([("max_order_notional", order.notional)])
        elif exposure.price is None:
            yield self._no_price("max_order_notional")
        else:
            value = exposure.instrument.value(order.quantity or ZERO, exposure.price).amount
            yield from self._above([("max_order_notional", value.copy_abs())])

    def _position(self, order: OrderRequest | Order, exposure: Exposure) -> Iterator[Violation]:
        if self._limits.max_position is None:
            return
        quantity = quantity_of(order, exposure.instrument, exposure.price)
        if quantity is None:
            yield self._no_price("max_position")
            return
        now = exposure.position
        after = add(add(now, exposure.working), signed(quantity, order.side.sign)).copy_abs()
        if after > now.copy_abs():
            yield from self._above([("max_position", after)])

    def _no_price(self, name: str) -> Violation:
        return Violation.of(
            name, "no price to value the order at", f"at most {getattr(self._limits, name)}"
        )

    def _above(self, measured: Iterable[tuple[str, Decimal | int]]) -> Iterator[Violation]:
        for name, found in measured:
            limit: Decimal | int | None = getattr(self._limits, name)
            if limit is not None and found > limit:
                yield Violation.of(name, found, f"at most {limit}")


def quantity_of(
    order: OrderRequest | Order, instrument: Instrument, price: Decimal | None
) -> Decimal | None:
    """Return how many units an order is for, one by value at `price`; None without that price."""
    if order.notional is None or order.quantity is not None:
        return order.quantity or ZERO
    if instrument.is_inverse:
        return divide(order.notional, instrument.multiplier)
    if not price:
        return None
    return divide(order.notional, instrument.value(_ONE, price).amount.copy_abs())


def _refuse(broken: tuple[Violation, ...]) -> None:
    if broken:
        message = "risk limits of this connection: " + "; ".join(map(str, broken))
        raise LimitExceededError(message)
