"""What stands in the way of an order before it is sent.

The provider's declaration and the instrument's increments.
"""

from __future__ import annotations

from decimal import Decimal
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from dragoman.capabilities import ExitPart, OrderFeature
from dragoman.errors import InvalidOrderError, UnsupportedError, Violation
from dragoman.models.enums import Contingency, OrderType, PositionEffect, Support
from dragoman.models.exits import Exit
from dragoman.models.options import NO_OPTIONS
from dragoman.models.request_rules import price_fields
from dragoman.money import format_decimal, is_multiple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dragoman.capabilities import Capabilities
    from dragoman.models import Instrument, Order, OrderChange, OrderRequest, PriceSource

__all__ = [
    "change_violations",
    "instrument_violations",
    "list_violations",
    "other_terms",
    "refuse_invalid",
    "refuse_unsupported",
    "refuse_unsupported_list",
    "unsupported_parts",
]

_SAMENESS: Final = (
    "symbol",
    "side",
    "order_type",
    "quantity",
    "notional",
    "limit_price",
    "stop_price",
    "trailing",
    "time_in_force",
    "position_effect",
    "position_id",
)
_may_need_a_feature: Final = attrgetter(
    "notional",
    "post_only",
    "position_effect",
    "position_id",
    "display_quantity",
    "extended_hours",
    "activation_price",
    "group_id",
    "tag",
)
_NO_FEATURES: Final = (None, False, None, None, None, False, None, None, None)
"""What most orders say; looking at all of it at once is several times faster."""
_PRICES: Final = ("limit_price", "stop_price", "activation_price")
_prices_of: Final = attrgetter(*_PRICES)


def refuse_unsupported(
    request: OrderRequest, instrument: Instrument, capabilities: Capabilities
) -> None:
    """Refuse a request that names something the provider does not offer.

    Raises:
        UnsupportedError: Naming every part that is not offered (NOT_SENT).
    """
    parts = list(unsupported_parts(request, instrument, capabilities))
    if parts:
        message = f"{capabilities.protocol} does not offer for {instrument.symbol}: " + "; ".join(
            map(str, parts)
        )
        raise UnsupportedError(message)


def refuse_unsupported_list(contingency: Contingency, capabilities: Capabilities) -> None:
    """Refuse a list of orders that the provider does not take.

    Raises:
        UnsupportedError: The provider takes no such list (NOT_SENT).
    """
    is_batch = contingency is Contingency.NONE
    batch = capabilities.feature(OrderFeature.BATCH)
    if (batch if is_batch else capabilities.list(contingency)) is Support.NONE:
        message = f"{capabilities.protocol} takes no lists of contingency {contingency}"
        raise UnsupportedError(message)


def refuse_invalid(what: str, violations: list[Violation]) -> None:
    """Refuse an order with violations.

    Raises:
        InvalidOrderError: Listing all of them (NOT_SENT).
    """
    if violations:
        raise InvalidOrderError.of(what, violations)


def unsupported_parts(
    request: OrderRequest, instrument: Instrument, capabilities: Capabilities
) -> Iterator[Violation]:
    """Yield each part of a request that the provider or the instrument does not offer."""
    yield from _cell(request, instrument, capabilities)
    if request.quantity is None or _may_need_a_feature(request) != _NO_FEATURES:
        for feature, value in _features(request):
            if value is not None and capabilities.feature(feature) is Support.NONE:
                yield Violation.of(feature.lower(), value, "not offered")
    if request.trigger is not None:
        yield from _source("trigger", request.trigger, capabilities.triggers)
    if request.peg is not None:
        yield from _source("peg", request.peg, capabilities.pegs)
    has_exits = request.stop_loss is not None or request.take_profit is not None
    if has_exits:
        for part, value in _exit_parts(request):
            if value is not None and capabilities.exit(part) is Support.NONE:
                yield Violation.of(f"exit {part.lower()}", value, "not offered")
    if has_exits or request.venue_options is not NO_OPTIONS:
        yield from _venue_options(request, capabilities)


def _source(name: str, source: PriceSource, allowed: frozenset[PriceSource]) -> Iterator[Violation]:
    if source not in allowed:
        yield Violation.of(name, source, ", ".join(sorted(allowed)) or "not offered")


def instrument_violations(request: OrderRequest, instrument: Instrument) -> list[Violation]:
    """List what in a request breaks the instrument's increments and bounds."""
    found = [*_price_violations(request, instrument), *_quantity_violations(request, instrument)]
    if request.notional is not None:
        found += _bounds(
            "notional", request.notional, instrument.min_notional, instrument.max_notional
        )
    for leg_name, leg in (("stop_loss", request.stop_loss), ("take_profit", request.take_profit)):
        if leg is not None:
            found += _exit_violations(leg_name, leg, instrument)
    return found


def other_terms(request: OrderRequest, known: Order | OrderRequest) -> list[Violation]:
    """List what a request asks for that differs from an order that has its client order id.

    A term that either side says nothing about is no difference.
    """
    pairs = ((name, getattr(request, name), getattr(known, name)) for name in _SAMENESS)
    return [
        Violation.of(name, asked, str(stands))
        for name, asked, stands in pairs
        if asked is not None and stands is not None and asked != stands
    ]


def change_violations(
    change: OrderChange, order: Order, instrument: Instrument, capabilities: Capabilities
) -> list[Violation]:
    """List what stands in the way of a change to an order."""
    found = [*_unchangeable(change, order, capabilities)]
    for name in ("limit_price", "stop_price"):
        found += _on_tick(name, getattr(change, name), instrument)
    if change.quantity is not None:
        found += _on_lot("quantity", change.quantity, instrument)
        found += _bounds(
            "quantity", change.quantity, instrument.min_quantity, instrument.max_quantity
        )
        found += _above_filled(change.quantity, order.filled_quantity)
    for name in ("stop_loss", "take_profit"):
        leg = getattr(change, name)
        if isinstance(leg, Exit):
            found += _exit_violations(name, leg, instrument)
    return found


def list_violations(
    requests: Sequence[OrderRequest], contingency: Contingency, capabilities: Capabilities
) -> list[Violation]:
    """List what is wrong with the length of a list of orders."""
    least = 1 if contingency is Contingency.NONE else 2
    return [*_bounds("requests", Decimal(len(requests)), Decimal(least), _most(capabilities))]


def _most(capabilities: Capabilities) -> Decimal | None:
    most = capabilities.max_list_size
    return None if most is None else Decimal(most)


def _unchangeable(
    change: OrderChange, order: Order, capabilities: Capabilities
) -> Iterator[Violation]:
    """Yield each field that the provider can't change, or that orders of this type do not have."""
    allowed = capabilities.replace.fields
    governed = {"limit_price", "stop_price", "trailing"}
    is_known = order.order_type is not OrderType.UNKNOWN
    takes = price_fields(order.order_type) if is_known else None
    for name in change.fields:
        value = getattr(change, name)
        if name not in allowed:
            choices = ", ".join(sorted(allowed)) or "no replace at all"
            yield Violation.of(name, value, choices)
        elif takes and name in governed - takes.needs - takes.may_have:
            yield Violation.of(name, value, f"nothing: {order.order_type} takes no {name}")


def _above_filled(quantity: Decimal, filled: Decimal) -> Iterator[Violation]:
    if quantity <= filled:
        allowed = f"more than the filled {format_decimal(filled)}: it is the new total"
        yield Violation.of("quantity", quantity, allowed)


def _cell(
    request: OrderRequest, instrument: Instrument, capabilities: Capabilities
) -> Iterator[Violation]:
    time_in_force = request.time_in_force or capabilities.default_time(instrument)
    if (
        capabilities.order_support(instrument.kind, request.order_type, time_in_force)
        is Support.NONE
    ):
        times = capabilities.times_in_force(instrument.kind, request.order_type)
        if times:
            yield Violation.of("time_in_force", time_in_force, ", ".join(times))
        else:
            yield Violation.of("order_type", request.order_type, f"not on {instrument.kind}")
    if instrument.order_types is not None and request.order_type not in instrument.order_types:
        yield Violation.of(
            "order_type", request.order_type, ", ".join(sorted(instrument.order_types))
        )
    if instrument.times_in_force is not None and time_in_force not in instrument.times_in_force:
        yield Violation.of(
            "time_in_force", time_in_force, ", ".join(sorted(instrument.times_in_force))
        )


def _features(request: OrderRequest) -> Iterator[tuple[OrderFeature, object]]:
    """Yield each feature with what a request makes use of it for; None where it does not."""
    is_whole = request.quantity is None and request.notional is None
    shown = request.display_quantity
    yield OrderFeature.NOTIONAL, request.notional
    yield OrderFeature.POST_ONLY, request.post_only or None
    yield OrderFeature.REDUCE_ONLY, request.reduce_only or None
    yield OrderFeature.OPEN_EFFECT, True if request.position_effect is PositionEffect.OPEN else None
    yield OrderFeature.CLOSE_WHOLE_POSITION, is_whole or None
    yield OrderFeature.POSITION_ID, request.position_id
    yield OrderFeature.DISPLAY_QUANTITY, shown or None
    yield OrderFeature.HIDDEN, None if shown is None or shown else shown
    yield OrderFeature.EXTENDED_HOURS, request.extended_hours or None
    yield OrderFeature.ACTIVATION_PRICE, request.activation_price
    yield OrderFeature.GROUP, request.group_id
    yield OrderFeature.TAG, request.tag


def _exit_parts(request: OrderRequest) -> Iterator[tuple[ExitPart, object]]:
    stop, target = request.stop_loss, request.take_profit
    yield ExitPart.STOP_LOSS, stop
    yield ExitPart.TAKE_PROFIT, target
    yield ExitPart.BRACKET, stop and target
    yield ExitPart.TRAILING, stop and stop.trailing
    yield ExitPart.STOP_LIMIT, stop and stop.limit_price
    yield ExitPart.LIMIT_IF_TOUCHED, target and target.limit_price
    for leg in (stop, target):
        yield ExitPart.OFFSET, leg and leg.offset
        yield ExitPart.PARTIAL, leg and leg.quantity


def _venue_options(request: OrderRequest, capabilities: Capabilities) -> Iterator[Violation]:
    legs = (request, request.stop_loss, request.take_profit)
    for key in (key for leg in legs if leg is not None for key in leg.venue_options):
        protocol, _, field = key.partition(".")
        if protocol != capabilities.protocol:
            yield Violation.of(
                "venue_options", key, f"keys of this protocol: '{capabilities.protocol}.<field>'"
            )
        elif field not in capabilities.venue_options:
            known = ", ".join(sorted(capabilities.venue_options)) or "none at all"
            yield Violation.of("venue_options", key, f"fields: {known}")


def _price_violations(request: OrderRequest, instrument: Instrument) -> Iterator[Violation]:
    for name, price in zip(_PRICES, _prices_of(request), strict=True):
        if price is not None:
            yield from _on_tick(name, price, instrument)


def _quantity_violations(request: OrderRequest, instrument: Instrument) -> Iterator[Violation]:
    if request.quantity is None:
        return
    yield from _on_lot("quantity", request.quantity, instrument)
    yield from _bounds(
        "quantity", request.quantity, instrument.min_quantity, instrument.max_quantity
    )
    if request.order_type is OrderType.MARKET:
        yield from _bounds("quantity", request.quantity, None, instrument.max_market_quantity)
    price = request.limit_price or request.stop_price
    if price is not None and price > 0 and (instrument.min_notional or instrument.max_notional):
        value = instrument.worth(request.quantity, price)
        yield from _bounds("notional", value, instrument.min_notional, instrument.max_notional)


def _exit_violations(leg_name: str, leg: Exit, instrument: Instrument) -> Iterator[Violation]:
    yield from _on_tick(f"{leg_name}.price", leg.price, instrument)
    yield from _on_tick(f"{leg_name}.limit_price", leg.limit_price, instrument)
    if leg.quantity is not None:
        yield from _on_lot(f"{leg_name}.quantity", leg.quantity, instrument)


def _on_tick(name: str, price: Decimal | None, instrument: Instrument) -> Iterator[Violation]:
    if price is None:
        return
    if price <= 0 and not instrument.allows_negative_price:
        yield Violation.of(name, price, "a price above 0")
        return
    tick = instrument.tick_at(price)
    if tick is not None and not is_multiple(price, tick):
        yield Violation.of(name, price, f"a multiple of the tick size {format_decimal(tick)}")


def _on_lot(name: str, quantity: Decimal, instrument: Instrument) -> Iterator[Violation]:
    lot = instrument.lot_size
    if lot is not None and not is_multiple(quantity, lot):
        yield Violation.of(name, quantity, f"a multiple of the lot size {format_decimal(lot)}")


def _bounds(
    name: str, value: Decimal, least: Decimal | None, most: Decimal | None
) -> Iterator[Violation]:
    if least is not None and value < least:
        yield Violation.of(name, value, f"at least {format_decimal(least)}")
    if most is not None and value > most:
        yield Violation.of(name, value, f"at most {format_decimal(most)}")
